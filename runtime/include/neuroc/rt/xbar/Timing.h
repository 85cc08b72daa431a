// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Cycles of each kind of instruction on a machine, apart from stalls: the
// formulas of docs/crossbar-isa.md, usable by the compiler's cost model.
#ifndef NEUROC_RT_XBAR_TIMING_H
#define NEUROC_RT_XBAR_TIMING_H

#include "neuroc/rt/xbar/Isa.h"
#include "neuroc/rt/xbar/MachineConfig.h"

namespace neuroc::rt::xbar {

/// `busy`: cycles for which the unit takes no other instruction. `latency`:
/// cycles from the start until all results are there.
struct Cycles {
  uint64_t busy = 1, latency = 1;
  bool operator==(const Cycles &) const = default;
};

/// One phase of an array read that converts `outputs` columns (or rows):
/// max(tArray, tAdc * min(colsPerAdc, outputs)).
uint64_t phaseCycles(const MachineConfig &machine, uint64_t outputs);
/// mvm, mvmt: inputs / memoryWordsPerCycle (unless `held`) + (bits +
/// pipelineFill) * phase.
Cycles mvmCycles(const MachineConfig &machine, uint64_t inputs,
                 uint64_t outputs, unsigned bits, bool held);
/// spk, spkt: one cycle per listed event, then one phase if any line is hit.
Cycles spikeCycles(const MachineConfig &machine, uint64_t events, uint64_t hits,
                   uint64_t outputs);
/// drive, affine: words / memoryWordsPerCycle.
Cycles transferCycles(const MachineConfig &machine, uint64_t words);
/// One row of `prog`: two verifying reads round `pulses` pulses; one read
/// when nothing has to change.
uint64_t programRowCycles(const MachineConfig &machine, uint64_t pulses);
/// rdbk: one phase per row, plus the fill.
Cycles readbackCycles(const MachineConfig &machine, uint64_t rows,
                      uint64_t cols);
/// opu: four sign phases of the longest pulse train; banks of several arrays
/// also resolve carries, one verified row after the other.
Cycles outerCycles(const MachineConfig &machine, uint64_t rows, uint64_t pulses,
                   unsigned slices);

/// Cost class of a vector instruction.
enum class VectorClass : uint8_t { Simple, Mul, Div, Lut, Random, Indexed };
VectorClass vectorClass(Op op);
/// ceil(elements / lanes) * cost of the class, plus vectorStart of latency.
Cycles vectorCycles(const MachineConfig &machine, VectorClass kind,
                    uint64_t elements);

/// Flits of a message of `words` words.
uint64_t messageFlits(const MachineConfig &machine, uint64_t words);

} // namespace neuroc::rt::xbar
#endif // NEUROC_RT_XBAR_TIMING_H
