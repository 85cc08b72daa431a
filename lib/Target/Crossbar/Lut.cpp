// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Builds interpolation tables. The distance of two entries is a power of two
// of input words, so that the hardware finds the entry by a shift.
#include "Lut.h"

#include "neuroc/rt/xbar/Isa.h"

#include <algorithm>
#include <cmath>

namespace neuroc::xbar {

static int32_t toWord(double value, int frac) {
  double word = std::nearbyint(std::ldexp(value, frac));
  return int32_t(std::clamp(word, -2147483648.0, 2147483647.0));
}

int32_t evaluateLut(const Lut &lut, int32_t input) {
  int64_t first = lut.words[0];
  int step = lut.words[1];
  int64_t entries = lut.words[2];
  int64_t offset = int64_t(input) - first;
  if (offset <= 0)
    return lut.words[rt::xbar::kLutHeader];
  int64_t index = offset >> step;
  if (index >= entries - 1)
    return lut.words[size_t(rt::xbar::kLutHeader + entries - 1)];
  int64_t a = lut.words[size_t(rt::xbar::kLutHeader + index)];
  int64_t b = lut.words[size_t(rt::xbar::kLutHeader + index + 1)];
  int64_t rest = offset - (index << step);
  return int32_t(a + (((b - a) * rest) >> step));
}

static Lut build(const std::function<double(double)> &function, int64_t first,
                 int64_t last, int step, int fracIn, int fracOut) {
  Lut lut;
  lut.fracIn = fracIn;
  lut.fracOut = fracOut;
  int64_t entries = ((last - first) >> step) + 2;
  lut.words = {int32_t(first), step, int32_t(entries)};
  for (int64_t i = 0; i < entries; ++i)
    lut.words.push_back(toWord(
        function(std::ldexp(double(first + (i << step)), -fracIn)), fracOut));
  for (int64_t i = 0; i + 1 < entries; ++i)
    for (int64_t quarter = 0; quarter < 4; ++quarter) {
      int64_t at = first + (i << step) + (((int64_t(1) << step) * quarter) / 4);
      if (at > last)
        break;
      double exact = function(std::ldexp(double(at), -fracIn));
      double table =
          std::ldexp(double(evaluateLut(lut, int32_t(at))), -fracOut);
      lut.maxError = std::max(lut.maxError, std::fabs(exact - table));
    }
  return lut;
}

Lut makeLut(const std::function<double(double)> &function, double lo, double hi,
            int fracIn, int fracOut, double target, unsigned maxEntries) {
  int64_t first = toWord(lo, fracIn), last = toWord(hi, fracIn);
  if (last <= first)
    last = first + 1;
  int step = 0;
  while (((last - first) >> step) + 2 > 17)
    ++step;
  Lut lut = build(function, first, last, step, fracIn, fracOut);
  while (lut.maxError > target && step > 0 &&
         ((last - first) >> (step - 1)) + 2 <= int64_t(maxEntries))
    lut = build(function, first, last, --step, fracIn, fracOut);
  return lut;
}

} // namespace neuroc::xbar
