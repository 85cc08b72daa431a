// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The cycle formulas. Nothing here depends on the state of the machine; what
// waits for what is the business of Machine.cpp.
#include "neuroc/rt/xbar/Timing.h"

#include <algorithm>

namespace neuroc::rt::xbar {

static uint64_t ceilDiv(uint64_t a, uint64_t b) { return (a + b - 1) / b; }

uint64_t phaseCycles(const MachineConfig &m, uint64_t outputs) {
  uint64_t shared = std::min<uint64_t>(uint64_t(m.colsPerAdc), outputs);
  return std::max<uint64_t>(uint64_t(m.tArray), uint64_t(m.tAdc) * shared);
}

Cycles mvmCycles(const MachineConfig &m, uint64_t inputs, uint64_t outputs,
                 unsigned bits, bool held) {
  uint64_t load = held ? 0 : transferCycles(m, inputs).busy;
  uint64_t total =
      load + (bits + uint64_t(m.pipelineFill)) * phaseCycles(m, outputs);
  return {total, total};
}

Cycles spikeCycles(const MachineConfig &m, uint64_t events, uint64_t hits,
                   uint64_t outputs) {
  uint64_t total = std::max<uint64_t>(events, 1);
  if (hits)
    total += (1 + uint64_t(m.pipelineFill)) * phaseCycles(m, outputs);
  return {total, total};
}

Cycles transferCycles(const MachineConfig &m, uint64_t words) {
  uint64_t total =
      std::max<uint64_t>(1, ceilDiv(words, uint64_t(m.memoryWordsPerCycle)));
  return {total, total};
}

uint64_t programRowCycles(const MachineConfig &m, uint64_t pulses) {
  if (!pulses)
    return uint64_t(m.tVerify);
  return 2 * uint64_t(m.tVerify) + pulses * uint64_t(m.tPulse);
}

Cycles readbackCycles(const MachineConfig &m, uint64_t rows, uint64_t cols) {
  uint64_t total = std::max<uint64_t>(1, (rows + uint64_t(m.pipelineFill)) *
                                             phaseCycles(m, cols));
  return {total, total};
}

Cycles outerCycles(const MachineConfig &m, uint64_t rows, uint64_t pulses,
                   unsigned slices) {
  uint64_t total = 4 * pulses * uint64_t(m.tPulse);
  if (slices > 1)
    total += rows * 2 * uint64_t(m.tVerify);
  total = std::max<uint64_t>(1, total);
  return {total, total};
}

VectorClass vectorClass(Op op) {
  switch (op) {
  case Op::Vmul:
  case Op::VmulS:
  case Op::Vmac:
  case Op::VmacS:
  case Op::Vdot:
    return VectorClass::Mul;
  case Op::Vdiv:
  case Op::VdivS:
  case Op::Vrem:
  case Op::VremS:
  case Op::Vsqrt:
    return VectorClass::Div;
  case Op::Vlut:
    return VectorClass::Lut;
  case Op::Vrndw:
  case Op::VrndwX:
  case Op::Vrndn:
  case Op::VrndnX:
  case Op::Vrndu:
  case Op::VrnduX:
    return VectorClass::Random;
  case Op::Vgather:
  case Op::Vscatter:
  case Op::VscatterS:
  case Op::Vscatadd:
  case Op::VscataddS:
  case Op::Vscatpk:
    return VectorClass::Indexed;
  default:
    return VectorClass::Simple;
  }
}

Cycles vectorCycles(const MachineConfig &m, VectorClass kind,
                    uint64_t elements) {
  int64_t cost = 1;
  switch (kind) {
  case VectorClass::Simple:
    break;
  case VectorClass::Mul:
    cost = m.mulCost;
    break;
  case VectorClass::Div:
    cost = m.divCost;
    break;
  case VectorClass::Lut:
    cost = m.lutCost;
    break;
  case VectorClass::Random:
    cost = m.randomCost;
    break;
  case VectorClass::Indexed:
    cost = m.indexedCost;
    break;
  }
  uint64_t busy = std::max<uint64_t>(1, ceilDiv(elements, uint64_t(m.lanes)) *
                                            uint64_t(cost));
  return {busy, busy + uint64_t(m.vectorStart)};
}

uint64_t messageFlits(const MachineConfig &m, uint64_t words) {
  return std::max<uint64_t>(1, uint64_t(m.headerFlits) +
                                   ceilDiv(words, uint64_t(m.flitWords)));
}

} // namespace neuroc::rt::xbar
