// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The analog read. Inputs are streamed one bit per phase, least significant
// first; each phase sums the levels of the driven lines on every sensed line,
// the converter rounds to its step (half up) and clips, and the codes are
// shifted and added, the sign bit's phase with negative weight. Where no sum
// of the present levels can clip and the step is one level, that equals the
// integer product, which is then computed directly.
#include "Array.h"

#include "neuroc/rt/Random.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>

namespace neuroc::rt::xbar {

Array::Array(const MachineConfig &machine, uint64_t id)
    : numRows(int(machine.rows)), numCols(int(machine.signedCols())),
      maxLevel(int(machine.maxLevel())), adcLimit(machine.adcLimit()),
      programNoise(machine.programNoise), readNoise(machine.readNoise) {
  size_t cells = size_t(numRows) * size_t(numCols);
  levels.assign(cells, 0);
  rowAbs.assign(size_t(numRows), 0);
  colAbs.assign(size_t(numCols), 0);
  window = {0, uint32_t(numRows), 0, uint32_t(numCols)};
  noiseKey = neuroc_rt_key(uint64_t(machine.noiseSeed), id);
  if (programNoise > 0)
    actual.assign(cells, 0.0f);
}

unsigned Array::program(unsigned row, unsigned col, int level,
                        Counters &counters) {
  size_t at = size_t(row) * unsigned(numCols) + col;
  int old = levels[at];
  if (old == level)
    return 0;
  // Plus cell and minus cell are pulsed at the same time.
  int plus = std::abs(std::max(level, 0) - std::max(old, 0));
  int minus = std::abs(std::min(level, 0) - std::min(old, 0));
  levels[at] = int16_t(level);
  int change = std::abs(level) - std::abs(old);
  rowAbs[row] += change;
  colAbs[col] += change;
  counters.pulses += unsigned(plus + minus);
  ++counters.programmedCells;
  if (!actual.empty())
    actual[at] =
        float(level + programNoise *
                          neuroc_rt_normal(noiseKey, at, uint32_t(draws++), 1));
  return unsigned(std::max(plus, minus));
}

int64_t Array::convert(int64_t sum, unsigned range, Counters &counters) const {
  int64_t code = range ? (sum + (int64_t(1) << (range - 1))) >> range : sum;
  if (code > adcLimit) {
    code = adcLimit;
    ++counters.adcClips;
  } else if (code < -adcLimit - 1) {
    code = -adcLimit - 1;
    ++counters.adcClips;
  }
  return code << range;
}

int64_t Array::convert(double sum, unsigned range, Counters &counters) const {
  double step = double(int64_t(1) << range);
  double code = std::floor(sum / step + 0.5);
  double low = double(-adcLimit - 1), high = double(adcLimit);
  if (code > high || code < low) {
    code = code > high ? high : low;
    ++counters.adcClips;
  }
  return int64_t(code) << range;
}

/// Exact sums of one phase over the sensed lines.
void Array::phase(const Window &w, const ReadMode &mode,
                  std::span<const uint8_t> driven, std::span<int64_t> sums,
                  Counters &counters) {
  if (!mode.transposed) {
    sums32.assign(w.cols, 0);
    for (uint32_t i = 0; i < w.rows; ++i) {
      if (!driven[i])
        continue;
      const int16_t *line = row(w.row0 + i) + w.col0;
      for (uint32_t j = 0; j < w.cols; ++j)
        sums32[j] += line[j];
    }
    for (uint32_t j = 0; j < w.cols; ++j)
      sums[j] = sums32[j];
    return;
  }
  for (uint32_t i = 0; i < w.rows; ++i) {
    const int16_t *line = row(w.row0 + i) + w.col0;
    int32_t sum = 0;
    for (uint32_t j = 0; j < w.cols; ++j)
      sum += driven[j] ? line[j] : 0;
    sums[i] = sum;
  }
}

/// One phase with programming and read noise, converted.
void Array::noisyPhase(const Window &w, const ReadMode &mode,
                       std::span<const uint8_t> driven,
                       std::span<int64_t> codes, Counters &counters) {
  uint32_t outputs = mode.transposed ? w.rows : w.cols;
  uint32_t inputs = mode.transposed ? w.cols : w.rows;
  uint64_t draw = draws++;
  for (uint32_t k = 0; k < outputs; ++k) {
    double sum = 0, power = 0;
    for (uint32_t n = 0; n < inputs; ++n) {
      if (!driven[n])
        continue;
      uint32_t r = w.row0 + (mode.transposed ? k : n);
      uint32_t c = w.col0 + (mode.transposed ? n : k);
      size_t at = size_t(r) * unsigned(numCols) + c;
      double g = actual.empty() ? double(levels[at]) : double(actual[at]);
      sum += g;
      power += (g / maxLevel) * (g / maxLevel);
    }
    if (readNoise > 0)
      sum +=
          readNoise * std::sqrt(power) * neuroc_rt_normal(noiseKey, draw, k, 2);
    codes[k] = convert(sum, mode.range, counters);
  }
}

bool Array::cannotClip(const Window &w, const ReadMode &mode) const {
  if (mode.range || noisy())
    return false;
  const std::vector<int32_t> &sums = mode.transposed ? rowAbs : colAbs;
  uint32_t first = mode.transposed ? w.row0 : w.col0;
  uint32_t count = mode.transposed ? w.rows : w.cols;
  for (uint32_t i = first; i < first + count; ++i)
    if (sums[i] > adcLimit)
      return false;
  return true;
}

void Array::readExactly(const Window &w, std::span<const int32_t> x,
                        const ReadMode &mode, unsigned shift,
                        std::span<int64_t> out) const {
  // Column sums of levels are at most adcLimit here, so 32 bits are enough
  // for narrow inputs.
  bool narrow = mode.bits <= 16 && adcLimit < (1 << 14);
  if (!mode.transposed) {
    std::vector<int32_t> sums(narrow ? w.cols : 0, 0);
    for (uint32_t i = 0; i < w.rows; ++i) {
      if (!x[i])
        continue;
      const int16_t *line = row(w.row0 + i) + w.col0;
      if (narrow) {
        int32_t value = x[i];
        int32_t *sum = sums.data();
        for (uint32_t j = 0; j < w.cols; ++j)
          sum[j] += value * line[j];
      } else {
        int64_t value = mode.isSigned ? int64_t(x[i]) : int64_t(uint32_t(x[i]));
        for (uint32_t j = 0; j < w.cols; ++j)
          out[j] += (value * line[j]) * (int64_t(1) << shift);
      }
    }
    for (uint32_t j = 0; narrow && j < w.cols; ++j)
      out[j] += int64_t(sums[j]) * (int64_t(1) << shift);
    return;
  }
  for (uint32_t i = 0; i < w.rows; ++i) {
    const int16_t *line = row(w.row0 + i) + w.col0;
    int64_t total = 0;
    if (narrow) {
      int32_t sum = 0;
      for (uint32_t j = 0; j < w.cols; ++j)
        sum += x[j] * line[j];
      total = sum;
    } else {
      for (uint32_t j = 0; j < w.cols; ++j)
        total +=
            (mode.isSigned ? int64_t(x[j]) : int64_t(uint32_t(x[j]))) * line[j];
    }
    out[i] += total * (int64_t(1) << shift);
  }
}

void Array::read(const Window &w, std::span<const int32_t> x,
                 const ReadMode &mode, unsigned shift, std::span<int64_t> out,
                 Counters &counters) {
  uint32_t inputs = mode.transposed ? w.cols : w.rows;
  uint32_t outputs = mode.transposed ? w.rows : w.cols;
  uint32_t mask =
      mode.bits >= 32 ? ~uint32_t(0) : (uint32_t(1) << mode.bits) - 1;
  const std::vector<int32_t> &conductance = mode.transposed ? colAbs : rowAbs;
  uint32_t first = mode.transposed ? w.col0 : w.row0;
  for (uint32_t i = 0; i < inputs; ++i) {
    unsigned ones = unsigned(__builtin_popcount(uint32_t(x[i]) & mask));
    counters.drivenLines += ones;
    counters.cellUnits += uint64_t(ones) * unsigned(conductance[first + i]);
  }
  counters.phases += mode.bits;
  counters.conversions += uint64_t(mode.bits) * outputs;
  if (cannotClip(w, mode)) {
    readExactly(w, x, mode, shift, out);
    return;
  }
  drivenLines.resize(inputs);
  phaseSums.resize(outputs);
  for (unsigned bit = 0; bit < mode.bits; ++bit) {
    bool any = false;
    for (uint32_t i = 0; i < inputs; ++i) {
      drivenLines[i] = (uint32_t(x[i]) >> bit) & 1;
      any |= drivenLines[i];
    }
    if (!any && !noisy())
      continue;
    int64_t weight = int64_t(1) << (bit + shift);
    if (mode.isSigned && bit == mode.bits - 1)
      weight = -weight;
    if (noisy()) {
      noisyPhase(w, mode, drivenLines, phaseSums, counters);
      for (uint32_t k = 0; k < outputs; ++k)
        out[k] += phaseSums[k] * weight;
      continue;
    }
    phase(w, mode, drivenLines, phaseSums, counters);
    for (uint32_t k = 0; k < outputs; ++k)
      out[k] += convert(phaseSums[k], mode.range, counters) * weight;
  }
}

void Array::readLines(const Window &w, std::span<const uint32_t> lines,
                      const ReadMode &mode, unsigned shift,
                      std::span<int64_t> out, Counters &counters) {
  uint32_t outputs = mode.transposed ? w.rows : w.cols;
  const std::vector<int32_t> &conductance = mode.transposed ? colAbs : rowAbs;
  for (uint32_t line : lines)
    counters.cellUnits += unsigned(conductance[line]);
  counters.drivenLines += lines.size();
  ++counters.phases;
  counters.conversions += outputs;
  phaseSums.assign(outputs, 0);
  if (noisy()) {
    uint32_t first = mode.transposed ? w.col0 : w.row0;
    drivenLines.assign(mode.transposed ? w.cols : w.rows, 0);
    for (uint32_t line : lines)
      drivenLines[line - first] = 1;
    noisyPhase(w, mode, drivenLines, phaseSums, counters);
    for (uint32_t k = 0; k < outputs; ++k)
      out[k] += phaseSums[k] * (int64_t(1) << shift);
    return;
  }
  for (uint32_t line : lines) {
    if (!mode.transposed) {
      const int16_t *values = row(line) + w.col0;
      for (uint32_t j = 0; j < w.cols; ++j)
        phaseSums[j] += values[j];
    } else {
      for (uint32_t i = 0; i < w.rows; ++i)
        phaseSums[i] += level(w.row0 + i, line);
    }
  }
  for (uint32_t k = 0; k < outputs; ++k)
    out[k] +=
        convert(phaseSums[k], mode.range, counters) * (int64_t(1) << shift);
}

} // namespace neuroc::rt::xbar
