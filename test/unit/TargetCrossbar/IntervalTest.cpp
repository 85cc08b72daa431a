// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Interval arithmetic holds every value that numbers inside can give, and
// keeps the two tricks that fixed-point formats depend on: cancelling terms
// and refined selects.
#include "neuroc/Neuro/Analysis/Interval.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Parser/Parser.h"

#include <cmath>
#include <gtest/gtest.h>
#include <random>

using namespace mlir;
using namespace neuroc::neuro;

namespace {

TEST(Interval, OperationsHoldEveryResult) {
  std::mt19937 generator(7);
  std::uniform_real_distribution<double> uniform(-5.0, 5.0), unit(0.0, 1.0);
  for (int trial = 0; trial < 2000; ++trial) {
    double a = uniform(generator), b = uniform(generator),
           c = uniform(generator), d = uniform(generator);
    Interval x{std::min(a, b), std::max(a, b)};
    Interval y{std::min(c, d), std::max(c, d)};
    double u = x.lo + unit(generator) * (x.hi - x.lo);
    double v = y.lo + unit(generator) * (y.hi - y.lo);
    EXPECT_TRUE((x + y).contains(u + v));
    EXPECT_TRUE((x - y).contains(u - v));
    EXPECT_TRUE((x * y).contains(u * v));
    if (v != 0.0)
      EXPECT_TRUE((x / y).contains(u / v)) << u << "/" << v;
  }
}

TEST(Interval, InfiniteEnds) {
  Interval all;
  EXPECT_FALSE(all.isFinite());
  EXPECT_EQ((Interval::point(0.0) * all), Interval::point(0.0));
  EXPECT_TRUE((all - all).contains(1e300));
  EXPECT_EQ((Interval{1.0, 2.0} / Interval{0.0, 4.0}).lo, 0.25);
  EXPECT_TRUE((Interval{1.0, 2.0} / Interval{-1.0, 1.0}).contains(-1e9));
}

TEST(Interval, JoinMeetEmpty) {
  Interval empty{1.0, 0.0}, x{2.0, 3.0};
  EXPECT_TRUE(empty.isEmpty());
  EXPECT_EQ(empty.join(x), x);
  EXPECT_TRUE(x.meet({4.0, 5.0}).isEmpty());
  EXPECT_EQ(empty.magnitude(), 0.0);
  EXPECT_TRUE(x.contains(empty));
}

class Expressions : public testing::Test {
protected:
  Expressions() {
    context.loadDialect<arith::ArithDialect, math::MathDialect,
                        func::FuncDialect>();
  }
  /// The interval of what `body` returns for %x in `x`.
  Interval evaluate(const std::string &body, Interval x) {
    std::string text =
        "func.func @f(%x: f64) -> f64 {\n" + body + "\nreturn %r : f64 }";
    module = parseSourceString<ModuleOp>(text, &context);
    EXPECT_TRUE(module) << text;
    if (!module)
      return {};
    Block &block = (*module->getOps<func::FuncOp>().begin()).front();
    IntervalEvaluator evaluator(
        [](Operation *) -> std::optional<Interval> { return std::nullopt; });
    evaluator.assume(block.getArgument(0), x);
    return evaluator.evaluate(block.getTerminator()->getOperand(0));
  }
  MLIRContext context;
  OwningOpRef<ModuleOp> module;
};

TEST_F(Expressions, RelaxationContracts) {
  // v + k (rest - v): plain intervals would grow, the affine form does not.
  Interval r = evaluate(R"(
    %rest = arith.constant -65.0 : f64
    %k = arith.constant 0.1 : f64
    %d = arith.subf %rest, %x : f64
    %s = arith.mulf %k, %d : f64
    %r = arith.addf %x, %s : f64)",
                        {-80.0, -50.0});
  EXPECT_NEAR(r.lo, -78.5, 1e-6);
  EXPECT_NEAR(r.hi, -51.5, 1e-6);
}

TEST_F(Expressions, SelectRefinesItsArms) {
  // A countdown stops at zero.
  Interval r = evaluate(R"(
    %zero = arith.constant 0.0 : f64
    %one = arith.constant 1.0 : f64
    %c = arith.cmpf oge, %x, %one : f64
    %d = arith.subf %x, %one : f64
    %r = arith.select %c, %d, %zero : f64)",
                        {0.0, 5.0});
  EXPECT_EQ(r.lo, 0.0);
  EXPECT_EQ(r.hi, 4.0);
}

TEST_F(Expressions, ConjunctionRefinesBoth) {
  Interval r = evaluate(R"(
    %lo = arith.constant -1.0 : f64
    %hi = arith.constant 2.0 : f64
    %zero = arith.constant 0.0 : f64
    %a = arith.cmpf oge, %x, %lo : f64
    %b = arith.cmpf ole, %x, %hi : f64
    %c = arith.andi %a, %b : i1
    %r = arith.select %c, %x, %zero : f64)",
                        {-100.0, 100.0});
  EXPECT_EQ(r.lo, -1.0);
  EXPECT_EQ(r.hi, 2.0);
}

TEST_F(Expressions, FunctionsAreBounded) {
  Interval r = evaluate(R"(
    %t = math.tanh %x : f64
    %e = math.exp %t : f64
    %r = math.absf %e : f64)",
                        Interval::all());
  EXPECT_NEAR(r.lo, std::exp(-1.0), 1e-12);
  EXPECT_NEAR(r.hi, std::exp(1.0), 1e-12);
}

TEST_F(Expressions, EvenPowerIsNotNegative) {
  EXPECT_EQ(evaluate("%r = arith.mulf %x, %x : f64", {-3.0, 2.0}).lo, 0.0);
  Interval r = evaluate(R"(
    %two = arith.constant 2.0 : f64
    %r = math.powf %x, %two : f64)",
                        {-3.0, 2.0});
  EXPECT_EQ(r.lo, 0.0);
  EXPECT_EQ(r.hi, 9.0);
}

} // namespace
