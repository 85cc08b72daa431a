// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// One array of cell pairs with its converters: levels, the analog read phase
// by phase, conversion. Function only; cycles are in Timing.h.
#ifndef NEUROC_SIM_CROSSBAR_ARRAY_H
#define NEUROC_SIM_CROSSBAR_ARRAY_H

#include "neuroc/rt/xbar/Machine.h"

#include <cstdint>
#include <span>
#include <vector>

namespace neuroc::rt::xbar {

struct Window {
  uint32_t row0 = 0, rows = 0, col0 = 0, cols = 0;
};

/// What a read needs to know beside the array itself.
struct ReadMode {
  unsigned bits = 1;
  bool isSigned = false;
  bool transposed = false;
  unsigned range = 0; ///< log2 of a converter step, in levels
};

class Array {
public:
  Array() = default;
  Array(const MachineConfig &machine, uint64_t id);

  int rows() const { return numRows; }
  int cols() const { return numCols; }
  int level(unsigned row, unsigned col) const {
    return levels[size_t(row) * unsigned(numCols) + col];
  }
  const int16_t *row(unsigned row) const {
    return levels.data() + size_t(row) * unsigned(numCols);
  }
  /// Moves a pair to `level`; returns the pulses on its two cells (the longer
  /// train) and adds all of them to `counters`.
  unsigned program(unsigned row, unsigned col, int level, Counters &counters);

  /// Reads the array for the inputs `x` (window rows, or columns when
  /// transposed), values already limited to `mode.bits`, and adds the sums
  /// shifted left by `shift` to `out` (window columns, or rows).
  void read(const Window &window, std::span<const int32_t> x,
            const ReadMode &mode, unsigned shift, std::span<int64_t> out,
            Counters &counters);
  /// One phase in which exactly the given lines (absolute numbers) are driven.
  void readLines(const Window &window, std::span<const uint32_t> lines,
                 const ReadMode &mode, unsigned shift, std::span<int64_t> out,
                 Counters &counters);

  Window window;
  std::vector<int32_t> scale, offset; ///< per-column correction, all columns
  unsigned affineShift = 0;
  std::vector<int32_t> heldRows, heldCols; ///< driver registers

private:
  int64_t convert(double sum, unsigned range, Counters &counters) const;
  int64_t convert(int64_t sum, unsigned range, Counters &counters) const;
  bool noisy() const { return !actual.empty() || readNoise > 0; }
  void phase(const Window &window, const ReadMode &mode,
             std::span<const uint8_t> driven, std::span<int64_t> sums,
             Counters &counters);
  void noisyPhase(const Window &window, const ReadMode &mode,
                  std::span<const uint8_t> driven, std::span<int64_t> codes,
                  Counters &counters);
  void readExactly(const Window &window, std::span<const int32_t> x,
                   const ReadMode &mode, unsigned shift,
                   std::span<int64_t> out) const;
  bool cannotClip(const Window &window, const ReadMode &mode) const;

  int numRows = 0, numCols = 0;
  int maxLevel = 0;
  int64_t adcLimit = 0;
  std::vector<int16_t> levels;
  std::vector<int32_t> rowAbs, colAbs; ///< sums of |level| per line
  // Device noise, only when the machine asks for it.
  double programNoise = 0, readNoise = 0;
  std::vector<float> actual; ///< conductance of each pair, in levels
  uint64_t noiseKey = 0, draws = 0;
  // Scratch, kept to avoid allocation.
  std::vector<int32_t> sums32;
  std::vector<uint8_t> drivenLines;
  std::vector<int64_t> phaseSums;
};

} // namespace neuroc::rt::xbar
#endif // NEUROC_SIM_CROSSBAR_ARRAY_H
