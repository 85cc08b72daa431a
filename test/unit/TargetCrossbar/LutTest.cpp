// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Tables state their error truthfully and get as fine as they are asked to.
#include "Lut.h"

#include <cmath>
#include <gtest/gtest.h>

using namespace neuroc::xbar;

namespace {

double valueAt(const Lut &lut, double x) {
  int32_t in = int32_t(std::lround(std::ldexp(x, lut.fracIn)));
  return std::ldexp(double(evaluateLut(lut, in)), -lut.fracOut);
}

TEST(Lut, ErrorIsStated) {
  Lut lut =
      makeLut([](double x) { return std::tanh(x); }, -8.0, 8.0, 24, 29, 1e-5);
  double worst = 0.0;
  for (double x = -8.0; x <= 8.0; x += 0.0017)
    worst = std::max(worst, std::fabs(valueAt(lut, x) - std::tanh(x)));
  EXPECT_LE(worst, lut.maxError * 1.05 + 1e-7);
  EXPECT_GE(worst, lut.maxError * 0.5);
}

TEST(Lut, RefinesToTheTarget) {
  auto square = [](double x) { return x * x; };
  Lut coarse = makeLut(square, 0.0, 4.0, 20, 20, 0.05);
  Lut fine = makeLut(square, 0.0, 4.0, 20, 20, 0.0005);
  EXPECT_LE(coarse.maxError, 0.05);
  EXPECT_LE(fine.maxError, 0.0005);
  EXPECT_LT(coarse.words.size(), fine.words.size());
}

TEST(Lut, StopsAtTheLargestTable) {
  Lut lut = makeLut([](double x) { return std::sin(50 * x); }, 0.0, 10.0, 20,
                    28, 1e-9, 257);
  EXPECT_LE(lut.words.size(), 257u + 3u);
  EXPECT_GT(lut.maxError, 1e-9);
}

TEST(Lut, ClampsOutside) {
  Lut lut = makeLut([](double x) { return x; }, -1.0, 1.0, 20, 20, 1e-6);
  EXPECT_NEAR(valueAt(lut, -5.0), -1.0, 1e-5);
  // The last entry may lie a step past the end, no more.
  double step = std::ldexp(1.0, lut.words[1] - lut.fracIn);
  EXPECT_GE(valueAt(lut, 5.0), 1.0);
  EXPECT_LE(valueAt(lut, 5.0), 1.0 + 2 * step);
}

TEST(Lut, OnePointIsATable) {
  Lut lut = makeLut([](double) { return 3.0; }, 2.0, 2.0, 8, 8, 0.0);
  EXPECT_EQ(valueAt(lut, 2.0), 3.0);
}

} // namespace
