// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The cycle table of the ARM9E-S pipeline with zero-wait memory, one row per
// class of instruction, apart from what the instructions do.
#ifndef NEUROC_SIM_SPINN_TIMING_H
#define NEUROC_SIM_SPINN_TIMING_H

#include <cstdint>

namespace neuroc::rt::spinn {

enum class Timing : uint8_t {
  Data,
  DataRegisterShift,
  CountZeros,
  Saturating,
  Multiply16,
  MultiplyLong16,
  Multiply,
  MultiplyFlags,
  MultiplyLong,
  MultiplyLongFlags,
  Load,
  LoadNarrow,
  LoadDouble,
  Store,
  StoreDouble,
  LoadMultiple,
  StoreMultiple,
  Swap,
  SwapByte,
  Branch,
  BranchPrefix,
  Exception,
  Mrs,
  MsrFlags,
  MsrOther,
  Mcr,
  Mrc,
  Preload,
  Count
};

/// When a result is usable without a stall.
enum class Late : uint8_t { No, Word, Narrow, Multiply, Multiply16 };

struct TimingRow {
  Timing timing;
  const char *name;
  uint8_t cycles; ///< of an executed instruction; LDM/STM: least
  Late late;
  uint8_t toPc;   ///< further cycles when the destination is the PC
};
const TimingRow &timingRow(Timing timing);
/// Cycles of any instruction whose condition fails.
inline constexpr unsigned kSkippedCycles = 1;

} // namespace neuroc::rt::spinn
#endif // NEUROC_SIM_SPINN_TIMING_H
