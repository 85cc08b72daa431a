// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Weights as integers: symmetric quantisation with a scale per column, and the
// digits that the slices of a bank hold.
#ifndef NEUROC_XBAR_QUANTIZE_H
#define NEUROC_XBAR_QUANTIZE_H

#include <cstdint>
#include <span>
#include <vector>

namespace neuroc::xbar {

/// An integer matrix; entry (row, col) stands for level * scales[col].
struct QuantizedMatrix {
  int64_t rows = 0, cols = 0;
  std::vector<int16_t> levels; ///< row-major
  std::vector<double> scales;  ///< one per column, positive
  int64_t maxLevel = 0;        ///< largest magnitude
  /// Root of the mean squared error over the root of the mean square.
  double relativeError = 0.0;
};

/// Quantises `values` (row-major, rows x cols) to `bits` bits, sign included.
/// A column whose entries are small multiples of one number is kept exactly.
/// \param bits 2 … 16.
/// \param oneScale the same scale for all columns (for transposed reads, which
///        sum over columns).
/// \param room magnitude that every column must hold, whatever its entries are
///        (0: theirs). Its simple fractions are levels.
QuantizedMatrix quantizeColumns(std::span<const double> values, int64_t rows,
                                int64_t cols, unsigned bits,
                                bool oneScale = false, double room = 0.0);

/// Digits of |level| in base 2^cellBits, lowest first, with the level's sign.
std::vector<int> sliceDigits(int64_t level, unsigned cellBits, unsigned slices);

/// Slices of `cellBits` that hold magnitudes up to `maxLevel`; at least 1.
unsigned slicesFor(int64_t maxLevel, unsigned cellBits);

/// The smallest converter step (log2, in levels) with which no sum of driven
/// rows (or, transposed, columns) of the block can leave [-limit, limit].
unsigned losslessRange(const QuantizedMatrix &matrix, int64_t row0,
                       int64_t rows, unsigned cellBits, unsigned slices,
                       int64_t limit, bool transposed);

} // namespace neuroc::xbar
#endif // NEUROC_XBAR_QUANTIZE_H
