// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The fixed-point functions against f64, over random arguments in random
// formats: the bounds are those that FixedMath.h states.
#include "neuroc/rt/spinn/FixedMath.h"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <random>

namespace {

/// Error of a result beyond its own rounding.
double excess(double exact, int32_t result, int frac) {
  double scaled = std::ldexp(exact, frac);
  if (std::fabs(scaled) > 2147483600.0)
    return 0.0;
  return std::ldexp(std::max(0.0, std::fabs(scaled - result) - 0.5), -frac);
}

class FixedMath : public ::testing::Test {
protected:
  std::mt19937_64 random{11};
  int32_t x = 0;
  int fx = 0;
  double value() const { return std::ldexp(static_cast<double>(x), -fx); }
  /// Runs `check` for arguments in [lo, hi].
  void sweep(double lo, double hi, const std::function<void(double)> &check) {
    for (int tested = 0; tested < 100000;) {
      fx = static_cast<int>(random() % 42) - 2;
      x = static_cast<int32_t>(random()) >> (random() % 31);
      if (value() < lo || value() > hi)
        continue;
      check(value());
      ++tested;
    }
  }
  static int roomFor(double magnitude) {
    return 28 - static_cast<int>(std::ceil(std::log2(magnitude)));
  }
};

TEST_F(FixedMath, Exp) {
  sweep(-20, 20, [&](double v) {
    double y = std::exp(v);
    int fr = roomFor(y);
    ASSERT_LE(excess(y, neuroc_fx_exp(x, fx, fr), fr) / y, 0x1p-27) << v;
  });
  EXPECT_EQ(neuroc_fx_exp(INT32_MAX, 0, 10), INT32_MAX);
  EXPECT_EQ(neuroc_fx_exp(INT32_MIN, 0, 10), 0);
}
TEST_F(FixedMath, Expm1) {
  sweep(-20, 10, [&](double v) {
    double y = std::expm1(v);
    int fr = std::min(30, roomFor(std::max(1.0, std::fabs(y))));
    ASSERT_LE(excess(y, neuroc_fx_expm1(x, fx, fr), fr) /
                  std::max(1.0, std::fabs(y)),
              0x1p-27)
        << v;
  });
}
TEST_F(FixedMath, Log) {
  sweep(1e-9, 1e9, [&](double v) {
    ASSERT_LE(excess(std::log(v), neuroc_fx_log(x, fx, 25), 25), 0x1p-28) << v;
  });
  EXPECT_EQ(neuroc_fx_log(0, 4, 20), INT32_MIN);
}
TEST_F(FixedMath, Log1p) {
  sweep(-0.99, 1e6, [&](double v) {
    ASSERT_LE(excess(std::log1p(v), neuroc_fx_log1p(x, fx, 25), 25), 0x1p-28)
        << v;
  });
  EXPECT_EQ(neuroc_fx_log1p(-2, 0, 20), INT32_MIN);
}
TEST_F(FixedMath, Tanh) {
  sweep(-1e3, 1e3, [&](double v) {
    ASSERT_LE(excess(std::tanh(v), neuroc_fx_tanh(x, fx, 30), 30), 0x1p-27)
        << v;
  });
}
TEST_F(FixedMath, SinCos) {
  sweep(-100, 100, [&](double v) {
    ASSERT_LE(excess(std::sin(v), neuroc_fx_sin(x, fx, 30), 30), 0x1p-27) << v;
    ASSERT_LE(excess(std::cos(v), neuroc_fx_cos(x, fx, 30), 30), 0x1p-27) << v;
  });
}
TEST_F(FixedMath, SquareRootIsExact) {
  sweep(0, 1e9, [&](double v) {
    for (int fr : {15, v > 0 ? roomFor(std::sqrt(v)) : 20}) {
      // Rounding of the root's last bit is within one half and a hair.
      ASSERT_LE(excess(std::sqrt(v), neuroc_fx_sqrt(x, fx, fr), fr),
                std::ldexp(0.5, -fr))
          << v;
    }
  });
  EXPECT_EQ(neuroc_fx_sqrt(-1, 0, 10), 0);
}
TEST_F(FixedMath, DivisionIsExact) {
  sweep(-1e9, 1e9, [&](double) {
    int32_t y = static_cast<int32_t>(random()) >> (random() % 31);
    if (y == 0)
      return;
    int shift = static_cast<int>(random() % 60) - 20;
    double exact = std::ldexp(static_cast<double>(x) / y, shift);
    int32_t result = neuroc_fx_div(x, y, shift);
    if (std::fabs(exact) < 2147483646.0)
      ASSERT_LE(std::fabs(exact - result), 0.5) << x << " / " << y;
    else if (std::fabs(exact) > 2147483648.0)
      ASSERT_EQ(result, exact > 0 ? INT32_MAX : INT32_MIN);
  });
  EXPECT_EQ(neuroc_fx_div(5, 0, 3), INT32_MAX);
  EXPECT_EQ(neuroc_fx_div(-5, 0, 3), INT32_MIN);
  EXPECT_EQ(neuroc_fx_rem(-7, 4), -3);
  EXPECT_EQ(neuroc_fx_rem(INT32_MIN, -1), 0);
}
TEST_F(FixedMath, Power) {
  sweep(1e-6, 1e6, [&](double v) {
    int32_t y = static_cast<int32_t>(random() % 2000) - 1000;
    double exact = std::pow(v, y / 256.0);
    if (exact < 1e-6 || exact > 1e6)
      return;
    int fr = roomFor(exact);
    ASSERT_LE(excess(exact, neuroc_fx_pow(x, fx, y, 8, fr), fr) / exact,
              0x1p-27)
        << v << " ^ " << y / 256.0;
  });
  EXPECT_EQ(neuroc_fx_pow(-1, 0, 3, 0, 10), 0);
}

} // namespace
