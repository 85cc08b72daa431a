// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Tables for the vector unit's `vlut`: linear interpolation between equally
// spaced entries.
#ifndef NEUROC_LIB_TARGET_CROSSBAR_LUT_H
#define NEUROC_LIB_TARGET_CROSSBAR_LUT_H

#include <cstdint>
#include <functional>
#include <vector>

namespace neuroc::xbar {

/// A table as it lies in tile memory, header included (Isa.h, kLutHeader).
struct Lut {
  std::vector<int32_t> words;
  int fracIn = 0, fracOut = 0;
  /// Largest |table - function| found at four points between each two entries.
  double maxError = 0.0;
};

/// A table of `function` for inputs in [lo, hi], given with `fracIn` fraction
/// bits, results with `fracOut`. Starts coarse and refines until the error is
/// below `target` or the table has `maxEntries`.
Lut makeLut(const std::function<double(double)> &function, double lo, double hi,
            int fracIn, int fracOut, double target, unsigned maxEntries = 1025);

/// What `vlut` gives for the word `input`; used to state errors.
int32_t evaluateLut(const Lut &lut, int32_t input);

} // namespace neuroc::xbar
#endif // NEUROC_LIB_TARGET_CROSSBAR_LUT_H
