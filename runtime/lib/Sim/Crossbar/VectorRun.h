// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What all vector instructions have in common: checks of their words, waiting
// for the unit and for words in use, booking of time and energy.
#ifndef NEUROC_SIM_CROSSBAR_VECTORRUN_H
#define NEUROC_SIM_CROSSBAR_VECTORRUN_H

#include "MachineImpl.h"

namespace neuroc::rt::xbar {

/// One vector instruction under way: its words are checked and waited for,
/// then the caller computes, then finish() books time and energy.
struct VectorRun {
  Machine::Impl &m;
  Tile &tile;
  const Decoded &d;
  Span spans[4] = {};
  unsigned numSpans = 0;
  Status status = {};

  int64_t value(unsigned reg) const { return tile.reg[reg]; }
  int32_t *at(int64_t address) { return tile.memory.data() + address; }

  void reads(int64_t first, int64_t count) {
    spans[numSpans++] = {first, count, false};
  }
  void writes(int64_t first, int64_t count) {
    spans[numSpans++] = {first, count, true};
  }
  void everything(bool written) {
    spans[numSpans++] = {0, int64_t(tile.memory.size()), written};
  }
  /// Checks and waits. `overlap`: partly overlapping words are allowed.
  bool begin(bool overlap = false) {
    for (unsigned i = 0; i < numSpans; ++i) {
      status = m.checkRange(tile, spans[i].writes ? "destination" : "source",
                            spans[i].first, spans[i].count);
      if (!status)
        return false;
    }
    for (unsigned i = 0; i < numSpans && !overlap; ++i)
      for (unsigned k = 0; k < numSpans; ++k) {
        const Span &to = spans[i], &from = spans[k];
        if (!to.writes || from.writes || to.first == from.first)
          continue;
        if (to.first < from.first + from.count &&
            from.first < to.first + to.count) {
          status =
              m.fault(tile, "destination [" + std::to_string(to.first) + ", " +
                                std::to_string(to.first + to.count) +
                                ") overlaps a part of source [" +
                                std::to_string(from.first) + ", " +
                                std::to_string(from.first + from.count) + ")");
          return false;
        }
      }
    m.stall(tile, Stall::Vector, tile.vectorFree);
    for (unsigned i = 0; i < numSpans; ++i)
      m.awaitRange(tile, spans[i].first, spans[i].count, spans[i].writes);
    return true;
  }
  /// Books the unit; returns the cycle at which results are there.
  uint64_t finish(Cycles cycles, int64_t elements) {
    tile.vectorFree = tile.time + cycles.busy;
    uint64_t done = tile.time + cycles.latency;
    for (unsigned i = 0; i < numSpans; ++i) {
      m.book(tile, spans[i].first, spans[i].count, spans[i].writes,
             spans[i].writes ? done : tile.vectorFree);
      bool whole =
          spans[i].first == 0 && spans[i].count == int64_t(tile.memory.size());
      m.counters.memoryWords +=
          uint64_t(whole ? elements : std::max<int64_t>(spans[i].count, 0));
    }
    uint64_t n = uint64_t(elements);
    switch (vectorClass(d.op)) {
    case VectorClass::Mul:
      m.counters.vectorMul += n;
      break;
    case VectorClass::Div:
      m.counters.vectorDiv += n;
      break;
    case VectorClass::Lut:
      m.counters.vectorLut += n;
      break;
    case VectorClass::Random:
      m.counters.vectorRandom += n;
      break;
    default:
      m.counters.vectorSimple += n;
      break;
    }
    return done;
  }
  uint64_t finish(int64_t elements) {
    return finish(vectorCycles(m.config, vectorClass(d.op), uint64_t(elements)),
                  elements);
  }
};

} // namespace neuroc::rt::xbar
#endif // NEUROC_SIM_CROSSBAR_VECTORRUN_H
