// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// derivative(f)(x) against central differences for every function of the
// language and for compositions, the conventions at kinks against the table in
// docs/language.md, and units.
#include "ConstEval.h"
#include "Parser.h"

#include "mlir/IR/MLIRContext.h"
#include "llvm/Support/MemoryBuffer.h"

#include "gtest/gtest.h"

using namespace neuroc::lang;

namespace {
class DerivativeOf : public ::testing::Test {
protected:
  mlir::MLIRContext context;
  llvm::SourceMgr sources;
  Diag diag{sources, context};
  FunctionMap functions;
  std::vector<File> files;
  std::string lastError;

  void SetUp() override {
    context.getDiagEngine().registerHandler([&](mlir::Diagnostic &d) {
      lastError = d.str();
      return mlir::success();
    });
  }
  llvm::StringRef keep(llvm::StringRef text) {
    unsigned id = sources.AddNewSourceBuffer(
        llvm::MemoryBuffer::getMemBufferCopy(text, "text"), {});
    return sources.getMemoryBuffer(id)->getBuffer();
  }
  void define(llvm::StringRef text) {
    files.push_back(Parser(keep(text), diag).parseFile());
    for (const auto &f : files.back().functions)
      functions[f->name.name] = f.get();
  }
  ConstResult eval(llvm::StringRef text) {
    ExprPtr e = Parser(keep(text), diag).parseSingleExpression();
    if (!e)
      return std::nullopt;
    ConstDomain domain(diag);
    ExprEval<ConstDomain> ev(domain, diag, functions);
    domain.evaluate = [&](const Expr &arg) { return ev.eval(arg); };
    return ev.eval(*e);
  }
  double number(const std::string &text) {
    ConstResult r = eval(text);
    EXPECT_TRUE(r && r->p.isNumber()) << text << ": " << lastError;
    return r && r->p.isNumber() ? r->p.number() : NAN;
  }
  /// f at points of its domain, against (f(x+h) - f(x-h))/2h.
  void compare(const std::string &f, std::initializer_list<double> points) {
    double h = 1e-5;
    auto at = [&](double x) { return "(" + std::to_string(x) + ")"; };
    for (double x : points) {
      double slope = number("derivative(" + f + ")" + at(x));
      double up = number(f + "(" + at(x) + " + 1e-5)");
      double down = number(f + "(" + at(x) + " - 1e-5)");
      double want = (up - down) / (2 * h);
      EXPECT_NEAR(slope, want, 2e-8 * (1 + std::fabs(want))) << f << at(x);
      double second = number("derivative(derivative(" + f + "))" + at(x));
      double d1 = number("derivative(" + f + ")(" + at(x) + " + 1e-5)");
      double d0 = number("derivative(" + f + ")(" + at(x) + " - 1e-5)");
      want = (d1 - d0) / (2 * h);
      EXPECT_NEAR(second, want, 2e-8 * (1 + std::fabs(want)))
          << f << "'' at " << x;
    }
  }
};

TEST_F(DerivativeOf, EveryFunctionOfOneNumber) {
  for (const char *f :
       {"exp", "expm1", "tanh", "sin", "cos", "abs", "floor", "ceil", "round",
        "sign", "relu", "sigmoid", "heaviside"})
    compare(f, {-1.7, -0.3, 0.2, 0.9, 2.3});
  for (const char *f : {"log", "sqrt"})
    compare(f, {0.1, 0.7, 3.0});
  compare("log1p", {-0.5, 0.0, 2.0});
  // None of the built-in ones has been left out here.
  EXPECT_EQ(mathFunctions().size(), 13u + 3u + 5u);
}

TEST_F(DerivativeOf, OperatorsAndCompositions) {
  define("function f1(x) = 3*x^3 - x^2/(1 + x^2) + 2^x\n"
         "function f2(x) = exp(-x^2/2)*sin(3*x) + x*x*x\n"
         "function f3(x) = if x < 0.5 then x^2 else sqrt(1 + x^4)\n"
         "function f4(x) = (1 + x^2)^(x/3) + (-x)/x^-2\n"
         "function f5(x) = 5.3 % (1.1 + x^2) + (x + 9.2) % 0.7\n"
         "function inner(u, v) = u*tanh(v) + v\n"
         "function f6(x) = inner(x^2, sin(x)) + inner(2, x)\n"
         "function f7(x) = max(x, x^2, 0.3) + min(x, 1 - x) + clip(x^2, 0.1, 2)"
         " + pow(1 + x^2, 1.5) + mod(x + 20, 1.3)\n"
         "function f8(x) = derivative(f2)(x)*x\n"
         "function f9(x) = x^0 + x^1 + 4\n");
  for (const char *f : {"f1", "f2", "f3", "f4", "f6", "f7", "f8", "f9"})
    compare(f, {-1.31, -0.42, 0.23, 0.87, 1.64});
  compare("f5", {0.23, 0.87});
}

TEST_F(DerivativeOf, PartialDerivatives) {
  define("function g(x, y) = x^2*y^3 + exp(x*y)\n");
  double x = 0.7, y = -1.2;
  EXPECT_NEAR(number("derivative(g)(0.7, -1.2)"),
              2 * x * y * y * y + y * std::exp(x * y), 1e-14);
  EXPECT_NEAR(number("derivative(g, y)(0.7, -1.2)"),
              3 * x * x * y * y + x * std::exp(x * y), 1e-14);
  EXPECT_NEAR(number("derivative(derivative(g, x), y)(0.7, -1.2)"),
              6 * x * y * y + (1 + x * y) * std::exp(x * y), 1e-14);
}

TEST_F(DerivativeOf, OneSideAtKinks) {
  define("function low(x) = max(x, 0)\nfunction low2(x) = max(0, x)\n"
         "function high(x) = min(x, 1)\nfunction box(x) = clip(x, 0, 1)\n"
         "function leaky(x) = if x > 0 then x else 0.1*x\n");
  EXPECT_EQ(number("derivative(relu)(0)"), 0);
  EXPECT_EQ(number("derivative(abs)(0)"), 0);
  EXPECT_EQ(number("derivative(low)(0)"), 0);
  EXPECT_EQ(number("derivative(low2)(0)"), 1); // the later argument's
  EXPECT_EQ(number("derivative(high)(1)"), 0);
  EXPECT_EQ(number("derivative(box)(0)"), 0);
  EXPECT_EQ(number("derivative(box)(1)"), 0);
  EXPECT_EQ(number("derivative(box)(0.5)"), 1);
  EXPECT_EQ(number("derivative(leaky)(0)"), 0.1);
  for (const char *flat : {"floor", "ceil", "round", "sign", "heaviside"})
    EXPECT_EQ(number("derivative(" + std::string(flat) + ")(1)"), 0) << flat;
}

TEST_F(DerivativeOf, UnitsFollow) {
  define("function energy(v : mV) = v^2/(2 mV)\n"
         "function still(v : mV) = 3 nA\n");
  ConstResult r = eval("derivative(energy)(4 mV)");
  ASSERT_TRUE(r);
  EXPECT_EQ(r->p.number(), 4);
  EXPECT_TRUE(r->dim.isNone());
  r = eval("derivative(still)(4 mV)");
  ASSERT_TRUE(r);
  EXPECT_EQ(r->p.number(), 0);
  EXPECT_TRUE(r->anyUnit);
  EXPECT_FALSE(eval("derivative(energy)(4)"));
  EXPECT_NE(lastError.find("must be in mV"), std::string::npos) << lastError;
}
} // namespace
