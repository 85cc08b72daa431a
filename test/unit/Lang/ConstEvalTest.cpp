// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Compile-time values: arithmetic with units, arrays, distributions, linear
// algebra, draws that depend on nothing but their address.
#include "ConstEval.h"
#include "Parser.h"

#include "mlir/IR/MLIRContext.h"
#include "llvm/Support/MemoryBuffer.h"

#include "gtest/gtest.h"

using namespace neuroc::lang;

namespace {
class ConstEval : public ::testing::Test {
protected:
  mlir::MLIRContext context;
  llvm::SourceMgr sources;
  Diag diag{sources, context};
  FunctionMap functions;
  std::vector<int64_t> units;
  std::string lastError;

  void SetUp() override {
    context.getDiagEngine().registerHandler([&](mlir::Diagnostic &d) {
      lastError = d.str();
      return mlir::success();
    });
  }

  ConstResult eval(llvm::StringRef text) {
    unsigned id = sources.AddNewSourceBuffer(
        llvm::MemoryBuffer::getMemBufferCopy(text, "expr"), {});
    ExprPtr e = Parser(sources.getMemoryBuffer(id)->getBuffer(), diag)
                    .parseSingleExpression();
    if (!e)
      return std::nullopt;
    ConstDomain domain(diag);
    domain.unitShape = units;
    domain.stream = "E.v";
    ExprEval<ConstDomain> ev(domain, diag, functions);
    domain.evaluate = [&](const Expr &arg) { return ev.eval(arg); };
    return ev.eval(*e);
  }
  double number(llvm::StringRef text) {
    ConstResult r = eval(text);
    EXPECT_TRUE(r && r->p.isNumber()) << text.str() << ": " << lastError;
    return r && r->p.isNumber() ? r->p.number() : NAN;
  }
  std::vector<double> array(llvm::StringRef text) {
    ConstResult r = eval(text);
    EXPECT_TRUE(r) << text.str() << ": " << lastError;
    return r ? r->p.data : std::vector<double>();
  }
};

TEST_F(ConstEval, PrecedenceAndAssociativity) {
  EXPECT_EQ(number("2 + 3*4 - 6/2/3"), 13);
  EXPECT_EQ(number("-2^2"), -4);
  EXPECT_EQ(number("2^3^2"), 512);
  EXPECT_EQ(number("2^-1"), 0.5);
  EXPECT_EQ(number("7 % 4 + 1"), 4);
  EXPECT_EQ(number("if 1 < 2 and not 3 < 2 then 5 else 6"), 5);
  EXPECT_EQ(number("1 > 2 ? 3 : 2 > 1 ? 4 : 5"), 4);
  EXPECT_EQ(number("clip(7, 0, 5) + max(1, 2, 3) + sign(-4)"), 7);
  EXPECT_DOUBLE_EQ(number("sigmoid(0) + exp(0) + sqrt(4)"), 3.5);
}

TEST_F(ConstEval, UnitsAreCarried) {
  ConstResult r = eval("200 pF * 1 mV / (2 ms)");
  ASSERT_TRUE(r);
  EXPECT_EQ(r->dim.str(), "nA");
  EXPECT_DOUBLE_EQ(r->p.number(), 0.1);
  EXPECT_DOUBLE_EQ(number("162 pA"), 0.162);
  EXPECT_DOUBLE_EQ(number("1 mV/ms * 3 ms / (1 mV)"), 3);
  EXPECT_DOUBLE_EQ(number("2 mV^2 / (1 mV * 4 mV)"), 0.5);
  EXPECT_DOUBLE_EQ(number("5 Hz * 2 s"), 10);
  EXPECT_EQ(eval("0 + 3 mV")->dim.str(), "mV"); // zero fits every unit
  EXPECT_FALSE(eval("1 + 3 mV"));
  EXPECT_FALSE(eval("2 nA < 3 mV"));
}

TEST_F(ConstEval, DistributionsStaySymbolicUnderShiftAndScale) {
  ConstResult r = eval("-65 mV + 5 mV*normal(0, 1)");
  ASSERT_TRUE(r && r->p.dist);
  EXPECT_EQ(r->p.dist->a, -65);
  EXPECT_EQ(r->p.dist->b, 5);
  r = eval("2 - uniform(0, 1)"); // 1 … 2
  ASSERT_TRUE(r && r->p.dist);
  EXPECT_EQ(r->p.dist->a, 1);
  EXPECT_EQ(r->p.dist->b, 2);
  r = eval("3*lognormal(0, 1)");
  ASSERT_TRUE(r && r->p.dist);
  EXPECT_DOUBLE_EQ(r->p.dist->a, std::log(3.0));
  EXPECT_FALSE(eval("exp(uniform(0, 1))"));
  units = {6};
  r = eval("exp(uniform(0, 1))"); // per unit it is an array
  ASSERT_TRUE(r);
  EXPECT_EQ(r->p.data.size(), 6u);
}

TEST_F(ConstEval, UnitsCountFromZero) {
  units = {2, 2};
  EXPECT_EQ(array("10*i"), (std::vector<double>{0, 10, 20, 30}));
}

TEST_F(ConstEval, DrawsDependOnTheirAddressAlone) {
  auto a = array("sample(normal(0, 1), [4000], seed = 5)");
  auto b = array("sample(normal(0, 1), [10], seed = 5)");
  auto c = array("sample(normal(0, 1), [10], seed = 6)");
  EXPECT_EQ(std::vector<double>(a.begin(), a.begin() + 10), b);
  EXPECT_NE(b, c);
  double mean = 0, var = 0;
  for (double x : a)
    mean += x / a.size();
  for (double x : a)
    var += (x - mean) * (x - mean) / a.size();
  EXPECT_NEAR(mean, 0, 4 / std::sqrt(4000.0));
  EXPECT_NEAR(var, 1, 0.1);
  for (double x : array("sample(normal(0, 1, clip = [0, 1]), [500])")) {
    EXPECT_GE(x, 0);
    EXPECT_LE(x, 1);
  }
}

TEST_F(ConstEval, Arrays) {
  EXPECT_EQ(array("[[1, 2], [3, 4]] * 2"), (std::vector<double>{2, 4, 6, 8}));
  EXPECT_EQ(array("if [1, 5, 2] > 1.5 then 10 else [7, 8, 9]"),
            (std::vector<double>{7, 10, 10}));
  EXPECT_EQ(number("sum([1, 2, 3]) + mean([2, 4]) + len([7, 8])"), 11);
  EXPECT_EQ(number("norm([3, 4])"), 5);
  EXPECT_EQ(array("transpose([[1, 2, 3], [4, 5, 6]])"),
            (std::vector<double>{1, 4, 2, 5, 3, 6}));
  EXPECT_EQ(array("matmul([[1, 2], [3, 4]], [5, 6])"),
            (std::vector<double>{17, 39}));
  auto x = array("solve([[2, 1], [1, 3]], [3, 5])");
  EXPECT_NEAR(x[0], 0.8, 1e-12);
  EXPECT_NEAR(x[1], 1.4, 1e-12);
  // The oracle of the Oja tests: C = [[3, 1], [1, 2]].
  auto v = array("eigenvector([[3, 1], [1, 2]])");
  EXPECT_NEAR(std::fabs(v[0]), 0.8506508, 1e-7);
  EXPECT_NEAR(std::fabs(v[1]), 0.5257311, 1e-7);
  EXPECT_EQ(array("range(3) + fill(1, [3])"), (std::vector<double>{1, 2, 3}));
}
} // namespace
