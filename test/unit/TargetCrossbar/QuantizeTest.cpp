// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Quantising and slicing: what is put together again must be the weight, to
// half a level, and digits must be what a cell can hold.
#include "neuroc/Xbar/Quantize.h"

#include <cmath>
#include <gtest/gtest.h>
#include <random>

using namespace neuroc::xbar;

namespace {

std::vector<double> randomMatrix(int64_t rows, int64_t cols, unsigned seed) {
  std::mt19937 generator(seed);
  std::normal_distribution<double> normal(0.0, 0.3);
  std::vector<double> values(size_t(rows * cols));
  for (double &value : values)
    value = normal(generator);
  return values;
}

TEST(Quantize, ReconstructsToHalfALevel) {
  for (unsigned bits = 2; bits <= 16; ++bits) {
    auto values = randomMatrix(17, 5, bits);
    QuantizedMatrix matrix = quantizeColumns(values, 17, 5, bits);
    int64_t limit = (int64_t(1) << (bits - 1)) - 1;
    for (int64_t row = 0; row < 17; ++row)
      for (int64_t col = 0; col < 5; ++col) {
        size_t at = size_t(row * 5 + col);
        EXPECT_LE(std::abs(int64_t(matrix.levels[at])), limit);
        EXPECT_NEAR(matrix.levels[at] * matrix.scales[size_t(col)], values[at],
                    0.5 * matrix.scales[size_t(col)] * (1 + 1e-9))
            << bits << " bits";
      }
  }
}

TEST(Quantize, ErrorHalvesWithEachBit) {
  auto values = randomMatrix(200, 10, 1);
  double previous = 1.0;
  for (unsigned bits = 4; bits <= 12; ++bits) {
    double error = quantizeColumns(values, 200, 10, bits).relativeError;
    EXPECT_LT(error, 0.6 * previous);
    previous = error;
  }
}

TEST(Quantize, ColumnsHaveTheirOwnScale) {
  // Column 1 is a thousand times smaller, and as precise.
  std::vector<double> values = {1.0, 0.001, -0.37, 0.00064, 0.81, -0.00093};
  QuantizedMatrix matrix = quantizeColumns(values, 3, 2, 8);
  EXPECT_NEAR(matrix.scales[0] / matrix.scales[1], 1000.0, 1e-6);
  QuantizedMatrix one = quantizeColumns(values, 3, 2, 8, /*oneScale=*/true);
  EXPECT_EQ(one.scales[0], one.scales[1]);
  EXPECT_EQ(one.cols, 2);
  EXPECT_EQ(one.levels[0], 127);
  EXPECT_EQ(one.levels[1], 0);
}

TEST(Quantize, CoarseGridsStayExact) {
  std::vector<double> values = {0.0, 0.0162, 0.0162, 0.0, 0.0324, -0.0162};
  QuantizedMatrix matrix = quantizeColumns(values, 6, 1, 8);
  EXPECT_EQ(matrix.maxLevel, 2);
  EXPECT_EQ(matrix.relativeError, 0.0);
  EXPECT_EQ(slicesFor(matrix.maxLevel, 2), 1u);
  EXPECT_EQ(matrix.levels[5], -1);
}

TEST(Quantize, ZeroColumnHasAScale) {
  QuantizedMatrix matrix =
      quantizeColumns(std::vector<double>(4, 0.0), 4, 1, 8);
  EXPECT_EQ(matrix.scales[0], 1.0);
  EXPECT_EQ(matrix.maxLevel, 0);
  EXPECT_EQ(slicesFor(0, 2), 1u);
}

TEST(Slices, DigitsReconstruct) {
  for (unsigned cellBits = 1; cellBits <= 4; ++cellBits)
    for (int64_t level = -255; level <= 255; ++level) {
      unsigned slices = slicesFor(255, cellBits);
      int64_t sum = 0;
      std::vector<int> digits = sliceDigits(level, cellBits, slices);
      for (unsigned slice = 0; slice < slices; ++slice) {
        EXPECT_LT(std::abs(digits[slice]), 1 << cellBits);
        EXPECT_TRUE(digits[slice] == 0 || (digits[slice] < 0) == (level < 0));
        sum += int64_t(digits[slice]) * (int64_t(1) << (slice * cellBits));
      }
      EXPECT_EQ(sum, level);
    }
}

TEST(Slices, CountIsTight) {
  for (unsigned cellBits = 1; cellBits <= 4; ++cellBits)
    for (int64_t most = 1; most <= 1000; ++most) {
      unsigned slices = slicesFor(most, cellBits);
      EXPECT_GE((int64_t(1) << (cellBits * slices)) - 1, most);
      if (slices > 1)
        EXPECT_LT((int64_t(1) << (cellBits * (slices - 1))) - 1, most);
    }
}

TEST(Quantize, RoomForOtherValues) {
  // The host writes up to 0.5: its fractions are levels, whatever is there now.
  std::vector<double> values{0.25, 0.0, -0.125, 0.0};
  QuantizedMatrix matrix = quantizeColumns(values, 2, 2, 8, false, 0.5);
  for (double scale : matrix.scales)
    for (int parts : {1, 2, 3, 4, 5, 6, 8}) {
      double level = 0.5 / parts / scale;
      EXPECT_NEAR(level, std::round(level), 1e-9) << parts;
      EXPECT_LE(level, 127.0);
    }
  EXPECT_EQ(matrix.levels, (std::vector<int16_t>{60, 0, -30, 0}));
  EXPECT_EQ(matrix.maxLevel, 127); // what the cells must hold
}

TEST(Range, LosslessIsTightOnBothSides) {
  // One column of 42 and of 43 cells at level 3: 126 fits 127, 129 does not.
  for (int64_t rows : {42, 43}) {
    QuantizedMatrix matrix;
    matrix.rows = rows;
    matrix.cols = 1;
    matrix.levels.assign(size_t(rows), 3);
    EXPECT_EQ(losslessRange(matrix, 0, rows, 2, 1, 127, false),
              rows == 42 ? 0u : 1u);
    // Transposed, each row is a sum of one cell.
    EXPECT_EQ(losslessRange(matrix, 0, rows, 2, 1, 127, true), 0u);
  }
}

TEST(Range, SignsCancelOnlyIfDrivenTogether) {
  // Rows +3 and -3 cancel when all are driven, but not when only half are.
  QuantizedMatrix matrix;
  matrix.rows = 100;
  matrix.cols = 1;
  for (int i = 0; i < 100; ++i)
    matrix.levels.push_back(i % 2 ? 3 : -3);
  EXPECT_EQ(losslessRange(matrix, 0, 100, 2, 1, 127, false), 1u);
}

} // namespace
