// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Per-column symmetric quantisation, exact where a column lies on a coarse
// grid (binary, ternary or constant weights then need a single slice), and the
// worst-case column sums that decide the converter's step.
#include "neuroc/Xbar/Quantize.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>

namespace neuroc::xbar {

/// The grid on which a column lies with at most `limit` steps, or 0.
static double findGrid(std::span<const double> values, int64_t rows,
                       int64_t cols, int64_t col, double limit) {
  double least = 0.0, most = 0.0;
  for (int64_t row = 0; row < rows; ++row) {
    double m = std::fabs(values[size_t(row * cols + col)]);
    if (m > 0.0 && (least == 0.0 || m < least))
      least = m;
    most = std::max(most, m);
  }
  if (least == 0.0 || most / least > limit + 0.5)
    return 0.0;
  for (int64_t row = 0; row < rows; ++row) {
    double steps = values[size_t(row * cols + col)] / least;
    if (std::fabs(steps - std::nearbyint(steps)) > 1e-6)
      return 0.0;
  }
  return least;
}

QuantizedMatrix quantizeColumns(std::span<const double> values, int64_t rows,
                                int64_t cols, unsigned bits, bool oneScale,
                                double room) {
  if (oneScale && cols > 1) {
    QuantizedMatrix flat = quantizeColumns(values, rows * cols, 1, bits,
                                           /*oneScale=*/false, room);
    flat.rows = rows;
    flat.cols = cols;
    flat.scales.assign(size_t(cols), flat.scales[0]);
    return flat;
  }
  QuantizedMatrix result;
  result.rows = rows;
  result.cols = cols;
  result.levels.resize(size_t(rows * cols));
  result.scales.assign(size_t(cols), 1.0);
  double limit = double((int64_t(1) << (bits - 1)) - 1);
  double squares = 0.0, errors = 0.0;
  if (room > 0.0) {
    result.maxLevel = int64_t(limit);
    if (limit >= 60.0)
      limit -= std::fmod(limit, 60.0);
  }
  for (int64_t col = 0; col < cols; ++col) {
    double most = room;
    for (int64_t row = 0; row < rows; ++row)
      most = std::max(most, std::fabs(values[size_t(row * cols + col)]));
    if (most == 0.0)
      continue;
    double scale = room > 0.0 ? 0.0 : findGrid(values, rows, cols, col, limit);
    if (scale == 0.0)
      scale = most / limit;
    result.scales[size_t(col)] = scale;
    for (int64_t row = 0; row < rows; ++row) {
      double value = values[size_t(row * cols + col)];
      double level = std::clamp(std::nearbyint(value / scale), -limit, limit);
      result.levels[size_t(row * cols + col)] = int16_t(level);
      result.maxLevel = std::max(result.maxLevel, int64_t(std::fabs(level)));
      squares += value * value;
      errors += (value - level * scale) * (value - level * scale);
    }
  }
  result.relativeError = squares > 0.0 ? std::sqrt(errors / squares) : 0.0;
  return result;
}

std::vector<int> sliceDigits(int64_t level, unsigned cellBits,
                             unsigned slices) {
  std::vector<int> digits(slices);
  int64_t magnitude = std::llabs(level), mask = (int64_t(1) << cellBits) - 1;
  for (unsigned slice = 0; slice < slices; ++slice) {
    digits[slice] = int(magnitude & mask) * (level < 0 ? -1 : 1);
    magnitude >>= cellBits;
  }
  return digits;
}

unsigned slicesFor(int64_t maxLevel, unsigned cellBits) {
  unsigned slices = 1;
  while ((int64_t(1) << (cellBits * slices)) - 1 < maxLevel)
    ++slices;
  return slices;
}

unsigned losslessRange(const QuantizedMatrix &matrix, int64_t row0,
                       int64_t rows, unsigned cellBits, unsigned slices,
                       int64_t limit, bool transposed) {
  int64_t most = 0;
  int64_t outer = transposed ? rows : matrix.cols;
  int64_t inner = transposed ? matrix.cols : rows;
  std::vector<int64_t> positive(slices), negative(slices);
  for (int64_t o = 0; o < outer; ++o) {
    std::fill(positive.begin(), positive.end(), 0);
    std::fill(negative.begin(), negative.end(), 0);
    for (int64_t i = 0; i < inner; ++i) {
      int64_t row = row0 + (transposed ? o : i), col = transposed ? i : o;
      int64_t level = matrix.levels[size_t(row * matrix.cols + col)];
      int64_t magnitude = std::llabs(level);
      for (unsigned slice = 0; slice < slices; ++slice) {
        int64_t digit = magnitude & ((int64_t(1) << cellBits) - 1);
        (level < 0 ? negative : positive)[slice] += digit;
        magnitude >>= cellBits;
      }
    }
    for (unsigned slice = 0; slice < slices; ++slice)
      most = std::max({most, positive[slice], negative[slice]});
  }
  unsigned range = 0;
  while ((most + ((int64_t(1) << range) >> 1)) >> range > limit)
    ++range;
  return range;
}

} // namespace neuroc::xbar
