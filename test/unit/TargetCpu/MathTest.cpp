// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The functions of f32 that the target expands in line, against the C library
// in f64: errors in units of the last place over the whole range, and the
// special values.

#include "Harness.h"

#include <cmath>
#include <gtest/gtest.h>

using namespace neuroc::test;

namespace {

constexpr int count = 4096;

struct Function {
  const char *op;
  double (*exact)(double);
  double lo, hi; ///< the range where neither overflow nor underflow happens
  double bound;  ///< units in the last place
};
const Function functions[] = {
    {"exp", std::exp, -87.0, 88.7, 1.5},
    {"log", std::log, 1.2e-38, 3.4e38, 1.0},
    {"tanh", std::tanh, -12.0, 12.0, 2.0},
    {"expm1", std::expm1, -20.0, 88.7, 2.0},
    {"log1p", std::log1p, -0.999999, 3.4e38, 2.0},
};

Options withFloats() {
  Options options;
  options.isDouble = false;
  return options;
}

std::unique_ptr<neuroc::rt::Engine> makeFunction(const std::string &op) {
  std::string n = std::to_string(count);
  return makeCpu(R"(
    neuro.model @m {
      neuro.input @in
      neuro.output @y : f64
      neuro.stage @s {
        %x = neuro.get @in
        %y = math.)" +
                     op + R"( %x : f64
        neuro.emit @y, %y : f64
      }
    }
    neuro.network @n dt 1.0 {
      %x = neuro.stimulus @x : tensor<)" +
                     n + R"(xf32>
      %y = neuro.population @P of @m shape [)" +
                     n + R"(] inputs(%x)
        ports ["in"] : (tensor<)" +
                     n + R"(xf32>) -> tensor<)" + n + R"(xf32>
      neuro.probe @y %y : tensor<)" +
                     n + R"(xf32>
    })",
                 withFloats());
}

std::vector<double> evaluate(neuroc::rt::Engine &engine,
                             const std::vector<float> &in) {
  std::vector<double> x(in.begin(), in.end()), y;
  x.resize(count);
  EXPECT_TRUE(engine.setStimulus("x", x).isOk());
  EXPECT_TRUE(engine.step(1, nullptr).isOk());
  EXPECT_TRUE(engine.readProbe(0, y).isOk());
  return y;
}

TEST(CpuMaths, ExpansionsAreAccurate) {
  for (const Function &function : functions) {
    auto engine = makeFunction(function.op);
    ASSERT_TRUE(engine);
    double worst = 0, where = 0;
    auto sweep = [&](auto next) {
      for (int block = 0; block < 24; ++block) {
        std::vector<float> in(count);
        for (int i = 0; i < count; ++i)
          in[i] = float(next(block * count + i));
        std::vector<double> y = evaluate(*engine, in);
        for (int i = 0; i < count; ++i) {
          if (in[i] < function.lo || in[i] > function.hi)
            continue;
          double exact = function.exact(double(in[i]));
          float rounded = float(std::fabs(exact));
          double unit = double(std::nextafter(rounded, HUGE_VALF)) - rounded;
          double error = std::fabs(y[i] - exact) / unit;
          if (!(error <= worst)) {
            worst = error;
            where = in[i];
          }
        }
      }
    };
    double total = 24.0 * count;
    double low = std::max(function.lo, -100.0);
    double high = std::min(function.hi, 100.0);
    sweep([&](int i) { return low + (high - low) * i / total; });
    sweep([&](int i) { return 2.0 * (2 * i / total - 1); });
    // Equal steps in the logarithm, of both signs.
    sweep([&](int i) {
      double size = std::exp(-85.0 + 173.0 * (i / 2) / (total / 2));
      return i % 2 ? size : -size;
    });
    EXPECT_LE(worst, function.bound) << function.op << " at " << where;
    EXPECT_GT(worst, 0.4) << "an exact result would be suspicious";
  }
}

TEST(CpuMaths, SpecialValues) {
  const float inf = HUGE_VALF;
  auto check = [](const char *op, std::vector<float> in,
                  std::vector<float> expected) {
    auto engine = makeFunction(op);
    ASSERT_TRUE(engine);
    std::vector<double> y = evaluate(*engine, in);
    for (size_t i = 0; i < in.size(); ++i) {
      if (std::isnan(expected[i])) {
        EXPECT_TRUE(std::isnan(y[i])) << op << " " << in[i];
        continue;
      }
      EXPECT_EQ(float(y[i]), expected[i]) << op << " " << in[i];
      EXPECT_EQ(std::signbit(y[i]), std::signbit(expected[i]))
          << op << " " << in[i];
    }
  };
  check("exp", {0, -0.0f, inf, -inf, NAN, 89, 1e30f, -200, -1e30f},
        {1, 1, inf, 0, NAN, inf, inf, 0, 0});
  check("log", {1, 0, -0.0f, -1, inf, -inf, NAN},
        {0, -inf, -inf, NAN, inf, NAN, NAN});
  check("tanh", {0, -0.0f, inf, -inf, NAN, 40, -40},
        {0, -0.0f, 1, -1, NAN, 1, -1});
  check("expm1", {0, -0.0f, inf, -inf, NAN, 89, -40},
        {0, -0.0f, inf, -1, NAN, inf, -1});
  check("log1p", {0, -0.0f, inf, -1, -2, NAN}, {0, -0.0f, inf, -inf, NAN, NAN});
}

} // namespace
