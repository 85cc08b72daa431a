// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Scalar code on the vector unit: every operation over a sweep of arguments,
// against the reference interpreter.
#include "Harness.h"

#include <gtest/gtest.h>

using namespace neuroc;
using namespace neuroc::test;

namespace {

/// Units i = 0 … 99 compute `body` of %x = lo + i (hi - lo) / 99 and of %k, the
/// unit's parity as a number.
std::string sweep(const std::string &body, double lo, double hi) {
  return R"(
    neuro.model @f {
      neuro.param @x = 0.0
      neuro.output @y : f64
      neuro.stage @update {
        %x = neuro.get @x
        %i = neuro.index
        %two = arith.constant 2.0 : f64
        %k = arith.remf %i, %two : f64
)" + body + R"(
        neuro.emit @y, %y : f64
      }
    }
    neuro.network @n dt 0.25 seed 3 {
      %y = neuro.population @P of @f shape [100]
        params {x = #neuro.dist<uniform()" +
         std::to_string(lo) + ", " + std::to_string(hi) + R"()>}
        : () -> tensor<100xf32>
      neuro.probe @y %y : tensor<100xf32>
    })";
}

struct Function {
  const char *name, *body;
  double lo, hi, tolerance;
};

const Function kFunctions[] = {
    {"Add", "%y = arith.addf %x, %k : f64", -100, 100, 1e-5},
    {"SubFromConstant", "%c = arith.constant 3.5 : f64\n"
                        "%y = arith.subf %c, %x : f64", -10, 10, 1e-6},
    {"MulSmall", "%c = arith.constant 1.0e-4 : f64\n"
                 "%y = arith.mulf %x, %c : f64", -10, 10, 1.2e-9},
    {"MulPowerOfTwo", "%c = arith.constant 0.125 : f64\n"
                      "%y = arith.mulf %x, %c : f64", -10, 10, 1e-7},
    {"Square", "%y = arith.mulf %x, %x : f64", -50, 50, 1e-3},
    {"Logistic", "%n = arith.negf %x : f64\n%e = math.exp %n : f64\n"
                 "%c = arith.constant 1.0 : f64\n"
                 "%d = arith.addf %e, %c : f64\n"
                 "%y = arith.divf %c, %d : f64", -40, 40, 2e-6},
    {"LogisticScaled", "%e = math.exp %x : f64\n"
                       "%c = arith.constant 3.0 : f64\n"
                       "%b = arith.constant 0.5 : f64\n"
                       "%d = arith.addf %b, %e : f64\n"
                       "%y = arith.divf %c, %d : f64", -8, 8, 1e-5},
    {"Divide", "%c = arith.constant 1.5 : f64\n%d = arith.addf %k, %c : f64\n"
               "%y = arith.divf %x, %d : f64", -10, 10, 1e-5},
    {"DivideByWhatMayBeZero", "%c = arith.constant 1.5 : f64\n"
                              "%h = arith.subf %c, %k : f64\n"
                              "%d = arith.subf %h, %k : f64\n"
                              "%y = arith.divf %x, %d : f64", -10, 10, 1e-3},
    {"ConstantOver", "%c = arith.constant 7.0 : f64\n"
                     "%y = arith.divf %c, %x : f64", 0.5, 20, 1e-5},
    {"DivideByConstant", "%c = arith.constant 7.0 : f64\n"
                         "%y = arith.divf %x, %c : f64", -20, 20, 1e-6},
    {"Negate", "%y = arith.negf %x : f64", -10, 10, 1e-6},
    {"Maximum", "%y = arith.maximumf %x, %k : f64", -2, 2, 1e-6},
    {"MinimumConstant", "%c = arith.constant 0.3 : f64\n"
                        "%y = arith.minimumf %c, %x : f64", -2, 2, 1e-6},
    {"Remainder", "%c = arith.constant 0.7 : f64\n"
                  "%y = arith.remf %x, %c : f64", 0, 5, 1e-5},
    {"Compare", "%c = arith.constant 0.25 : f64\n"
                "%b = arith.cmpf ogt, %x, %c : f64\n"
                "%y = arith.uitofp %b : i1 to f64", -1, 1, 0},
    {"CompareVectors", "%b = arith.cmpf ole, %k, %x : f64\n"
                       "%y = arith.uitofp %b : i1 to f64", -1, 2, 0},
    {"Logic", "%c = arith.constant 0.25 : f64\n"
              "%t = arith.constant true\n"
              "%a = arith.cmpf ogt, %x, %c : f64\n"
              "%b = arith.cmpf oge, %k, %c : f64\n"
              "%d = arith.andi %a, %b : i1\n%e = arith.xori %d, %t : i1\n"
              "%f = arith.ori %e, %b : i1\n"
              "%y = arith.uitofp %f : i1 to f64", -1, 1, 0},
    {"SelectConstants", "%c = arith.constant 0.25 : f64\n"
                        "%b = arith.cmpf ogt, %x, %c : f64\n"
                        "%y = arith.select %b, %c, %two : f64", -1, 1, 1e-6},
    {"SelectConstantFirst", "%c = arith.constant 0.25 : f64\n"
                            "%b = arith.cmpf ogt, %x, %c : f64\n"
                            "%y = arith.select %b, %c, %x : f64", -1, 1, 1e-6},
    {"SelectVectors", "%b = arith.cmpf ogt, %x, %k : f64\n"
                      "%y = arith.select %b, %x, %k : f64", -1, 2, 1e-6},
    {"Absolute", "%y = math.absf %x : f64", -3, 3, 1e-6},
    {"Floor", "%y = math.floor %x : f64", -5, 5, 0},
    {"Ceil", "%y = math.ceil %x : f64", -5, 5, 0},
    {"Round", "%y = math.round %x : f64", -5, 5, 0},
    {"RoundEven", "%y = math.roundeven %x : f64", -5, 5, 0},
    {"Exp", "%y = math.exp %x : f64", -20, 5, 1e-3},
    {"ExpSmall", "%y = math.exp %x : f64", -4, 0, 1e-5},
    {"ExpM1", "%y = math.expm1 %x : f64", -2, 1, 1e-5},
    {"Log", "%y = math.log %x : f64", 0.001, 100, 1e-2},
    {"LogMiddle", "%y = math.log %x : f64", 0.5, 8, 1e-5},
    {"Log1p", "%y = math.log1p %x : f64", -0.5, 8, 1e-5},
    {"Sqrt", "%y = math.sqrt %x : f64", 0, 100, 1e-3},
    {"SqrtSmall", "%y = math.sqrt %x : f64", 0, 0.1, 1e-4},
    {"Tanh", "%y = math.tanh %x : f64", -6, 6, 1e-4},
    {"Erf", "%y = math.erf %x : f64", -4, 4, 1e-4},
    {"Sin", "%y = math.sin %x : f64", -10, 10, 1e-4},
    {"CosFar", "%y = math.cos %x : f64", -200, 200, 1e-3},
    {"Cube", "%c = arith.constant 3.0 : f64\n"
             "%y = math.powf %x, %c : f64", -3, 3, 1e-4},
    {"Power", "%c = arith.constant 1.7 : f64\n"
              "%y = math.powf %x, %c : f64", 0.1, 5, 1e-3},
    {"Time", "%t = neuro.time\n%y = arith.addf %t, %x : f64", 0, 1, 1e-2},
    {"Uniform", "%u = neuro.random uniform\n%y = arith.addf %u, %x : f64", 0, 1,
     1e-6},
    {"Normal", "%u = neuro.random normal\n%y = arith.addf %u, %x : f64", 0, 1,
     1e-5},
};

class Functions : public testing::TestWithParam<Function> {};

TEST_P(Functions, LikeTheReference) {
  const Function &f = GetParam();
  expectNearReference(sweep(f.body, f.lo, f.hi), 3, f.tolerance);
}

INSTANTIATE_TEST_SUITE_P(All, Functions, testing::ValuesIn(kFunctions),
                         [](const auto &info) { return info.param.name; });

TEST(Functions, PowerOfANegativeBaseIsRefused) {
  Compiled compiled =
      compile(sweep("%y = math.powf %x, %k : f64", -1.0, 1.0));
  EXPECT_NE(compiled.result, CompileResult::Success);
  EXPECT_NE(compiled.diagnostics.find("needs a base that is never negative or a constant "
                                      "whole exponent from 1 to 8"),
            std::string::npos)
      << compiled.diagnostics;
}

TEST(Functions, UnknownOperationIsNamed) {
  Compiled compiled = compile(sweep("%y = math.atan %x : f64", -1.0, 1.0));
  EXPECT_NE(compiled.result, CompileResult::Success);
  EXPECT_NE(compiled.diagnostics.find(
                "operation 'math.atan' has no vector code on a crossbar machine"),
            std::string::npos)
      << compiled.diagnostics;
}

} // namespace
