// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Array instructions: banks of arrays, programming with pulses and verify,
// reads forward, transposed and by event lists, outer-product updates. Each
// array of a bank is busy for the whole instruction; its results are booked as
// being written until it ends.
#include "MachineImpl.h"

#include "neuroc/rt/Random.h"

#include <cassert>

namespace neuroc::rt::xbar {
namespace {

/// An array instruction under way.
struct ArrayRun {
  Machine::Impl &m;
  Tile &tile;
  const Decoded &d;
  int64_t first = 0, slices = 1; ///< the bank
  Status status = {};

  Array &array(int64_t slice = 0) {
    Array &result = tile.arrays[size_t(first + slice)];
    if (!result.rows())
      result = Array(m.config,
                     uint64_t(tile.number) * 4096 + uint64_t(first + slice));
    return result;
  }
  /// Finds the bank from the operands `array`, `abase` (at the same place in
  /// all array instructions) and checks it.
  bool find(int64_t count) {
    slices = count;
    first = int64_t(d.word & 0xff) + tile.reg[d.e()];
    if (slices < 1)
      return fail("slices must be at least 1");
    if (first < 0 || first + slices > m.config.arraysPerTile)
      return fail("arrays [" + std::to_string(first) + ", " +
                  std::to_string(first + slices) +
                  ") do not exist, a tile has " +
                  std::to_string(m.config.arraysPerTile));
    return true;
  }
  bool fail(const std::string &message) {
    status = m.fault(tile, message);
    return false;
  }
  bool range(const char *what, int64_t address, int64_t count) {
    status = m.checkRange(tile, what, address, count);
    return bool(status);
  }
  void await() {
    for (int64_t k = 0; k < slices; ++k)
      m.stall(tile, Stall::Array, tile.arrayFree[size_t(first + k)]);
  }
  /// Books the bank; returns the cycle of its end.
  uint64_t finish(Cycles cycles) {
    for (int64_t k = 0; k < slices; ++k)
      tile.arrayFree[size_t(first + k)] = tile.time + cycles.busy;
    return tile.time + cycles.latency;
  }
  /// Weight at a position: the sum of the bank's digits.
  int64_t weight(uint32_t row, uint32_t col) {
    int64_t total = 0;
    for (int64_t k = 0; k < slices; ++k)
      total += int64_t(array(k).level(row, col))
               << (unsigned(k) * unsigned(m.config.cellBits));
    return total;
  }
  /// Programs one weight (clamped); returns the longest pulse train.
  unsigned program(uint32_t row, uint32_t col, int64_t value) {
    int64_t limit = m.config.maxWeight(slices);
    if (value > limit || value < -limit) {
      value = value > limit ? limit : -limit;
      ++m.counters.levelClips;
    }
    unsigned pulses = 0;
    for (int64_t k = 0; k < slices; ++k) {
      int digit = int((std::abs(value) >> (k * m.config.cellBits)) &
                      m.config.maxLevel());
      pulses = std::max(
          pulses,
          array(k).program(row, col, value < 0 ? -digit : digit, m.counters));
    }
    return pulses;
  }
  /// Corrects, accumulates and stores the sums of a read.
  void store(int64_t dst, std::span<const int64_t> sums, bool affine,
             bool accumulate, uint32_t firstCol) {
    uint64_t &sat = m.counters.saturations;
    const Array &bank = array();
    for (size_t i = 0; i < sums.size(); ++i) {
      int64_t y = saturate(sums[i], sat);
      if (affine)
        y = roundShift(y * bank.scale[firstCol + i], bank.affineShift) +
            bank.offset[firstCol + i];
      int32_t &target = tile.memory[size_t(dst) + i];
      target = saturate(accumulate ? y + target : y, sat);
    }
    m.counters.memoryWords += sums.size() * (accumulate ? 2 : 1);
  }
};

Status setWindow(ArrayRun run) {
  if (!run.find(1))
    return run.status;
  const Decoded &d = run.d;
  const auto &reg = run.tile.reg;
  int64_t row0 = reg[d.a()], rows = reg[d.b()], col0 = reg[d.c()],
          cols = reg[d.d()];
  const MachineConfig &c = run.m.config;
  if (row0 < 0 || rows < 0 || row0 + rows > c.rows || col0 < 0 || cols < 0 ||
      col0 + cols > c.signedCols())
    return run.m.fault(
        run.tile,
        "rows [" + std::to_string(row0) + ", " + std::to_string(row0 + rows) +
            ") and columns [" + std::to_string(col0) + ", " +
            std::to_string(col0 + cols) + ") are not inside an array of " +
            std::to_string(c.rows) + " rows and " +
            std::to_string(c.signedCols()) + " signed columns");
  run.array().window = {uint32_t(row0), uint32_t(rows), uint32_t(col0),
                        uint32_t(cols)};
  return Status::ok();
}

Status program(ArrayRun run) {
  const Decoded &d = run.d;
  if (!run.find(operand<Op::Prog, "slices">(d)))
    return run.status;
  int64_t format = operand<Op::Prog, "fmt">(d);
  if (format > 2)
    return run.m.fault(run.tile, "fmt must be 0, 1 or 2");
  unsigned bits = 32u >> format, perWord = 1u << format;
  const Window w = run.array().window;
  int64_t src = run.tile.reg[d.a()], stride = run.tile.reg[d.b()];
  int64_t rowWords = (w.cols + perWord - 1) / perWord;
  int64_t low = src + std::min<int64_t>(0, (int64_t(w.rows) - 1) * stride);
  int64_t high =
      src + std::max<int64_t>(0, (int64_t(w.rows) - 1) * stride) + rowWords;
  if (!w.rows || !w.cols)
    high = low = src;
  if (!run.range("source", low, high - low))
    return run.status;
  run.await();
  run.m.awaitRange(run.tile, low, high - low, false);
  uint64_t total = 0;
  for (uint32_t r = 0; r < w.rows; ++r) {
    const int32_t *line = run.tile.memory.data() + src + int64_t(r) * stride;
    unsigned pulses = 0;
    for (uint32_t c = 0; c < w.cols; ++c) {
      uint32_t word = uint32_t(line[c / perWord]);
      int32_t value =
          int32_t(word << (32 - bits - (c % perWord) * bits)) >> (32 - bits);
      pulses = std::max(pulses, run.program(w.row0 + r, w.col0 + c, value));
    }
    total += programRowCycles(run.m.config, pulses);
  }
  run.m.counters.memoryWords += uint64_t(rowWords) * w.rows;
  uint64_t end =
      run.finish({std::max<uint64_t>(1, total), std::max<uint64_t>(1, total)});
  run.m.book(run.tile, low, high - low, false, end);
  return Status::ok();
}

Status readBack(ArrayRun run) {
  const Decoded &d = run.d;
  if (!run.find(operand<Op::Rdbk, "slices">(d)))
    return run.status;
  const Window w = run.array().window;
  int64_t dst = run.tile.reg[d.a()], stride = run.tile.reg[d.b()];
  int64_t low = dst + std::min<int64_t>(0, (int64_t(w.rows) - 1) * stride);
  int64_t high =
      dst + std::max<int64_t>(0, (int64_t(w.rows) - 1) * stride) + w.cols;
  if (!w.rows || !w.cols)
    high = low = dst;
  if (!run.range("destination", low, high - low))
    return run.status;
  run.await();
  run.m.awaitRange(run.tile, low, high - low, true);
  ReadMode mode;
  std::vector<int64_t> sums;
  for (uint32_t r = 0; r < w.rows; ++r) {
    sums.assign(w.cols, 0);
    uint32_t line = w.row0 + r;
    for (int64_t k = 0; k < run.slices; ++k)
      run.array(k).readLines(w, {&line, 1}, mode,
                             unsigned(k * run.m.config.cellBits), sums,
                             run.m.counters);
    run.store(dst + int64_t(r) * stride, sums, false, false, w.col0);
  }
  uint64_t end = run.finish(readbackCycles(run.m.config, w.rows, w.cols));
  run.m.book(run.tile, low, high - low, true, end);
  return Status::ok();
}

Status drive(ArrayRun run) {
  const Decoded &d = run.d;
  if (!run.find(operand<Op::Drive, "n">(d)))
    return run.status;
  bool transposed = operand<Op::Drive, "t">(d);
  const Window &w = run.array().window;
  int64_t src = run.tile.reg[d.a()];
  int64_t count = transposed ? w.cols : w.rows;
  if (!run.range("source", src, count))
    return run.status;
  run.await();
  run.m.awaitRange(run.tile, src, count, false);
  const int32_t *from = run.tile.memory.data() + src;
  for (int64_t k = 0; k < run.slices; ++k) {
    Array &array = run.array(k);
    (transposed ? array.heldCols : array.heldRows).assign(from, from + count);
  }
  run.m.counters.memoryWords += uint64_t(count);
  uint64_t end = run.finish(transferCycles(run.m.config, uint64_t(count)));
  run.m.book(run.tile, src, count, false, end);
  return Status::ok();
}

/// mvm and mvmt, whose fields are at the same places.
Status multiply(ArrayRun run, bool transposed) {
  const Decoded &d = run.d;
  if (!run.find(operand<Op::Mvm, "slices">(d)))
    return run.status;
  ReadMode mode;
  mode.bits = unsigned(operand<Op::Mvm, "bits">(d));
  mode.isSigned = operand<Op::Mvm, "signed">(d);
  mode.range = unsigned(operand<Op::Mvm, "range">(d));
  mode.transposed = transposed;
  bool held = operand<Op::Mvm, "held">(d);
  bool accumulate = operand<Op::Mvm, "acc">(d);
  bool affine = operand<Op::Mvm, "aff">(d);
  auto shift = unsigned(operand<Op::Mvm, "shift">(d));
  assert(mode.bits >= 1 && mode.bits <= 32 && "the validator sees to that");
  Array &bank = run.array();
  const Window w = bank.window;
  if (affine && transposed)
    return run.m.fault(run.tile, "the affine correction is per column: not "
                                 "available in a transposed read");
  if (affine && bank.scale.empty())
    return run.m.fault(run.tile, "aff=1, but no `affine` has been executed "
                                 "for this array");
  uint32_t inputs = transposed ? w.cols : w.rows;
  uint32_t outputs = transposed ? w.rows : w.cols;
  int64_t dst = run.tile.reg[d.a()], src = run.tile.reg[d.b()];
  if ((!held && !run.range("source", src, inputs)) ||
      !run.range("destination", dst, outputs))
    return run.status;
  const std::vector<int32_t> &driver =
      transposed ? bank.heldCols : bank.heldRows;
  if (held && driver.size() != inputs)
    return run.m.fault(
        run.tile, "the drivers hold " + std::to_string(driver.size()) +
                      " inputs, the window needs " + std::to_string(inputs));
  run.await();
  if (!held)
    run.m.awaitRange(run.tile, src, inputs, false);
  run.m.awaitRange(run.tile, dst, outputs, true);

  // Inputs that do not fit the streamed bits are clamped.
  std::vector<int32_t> x(inputs);
  int64_t low = mode.isSigned ? -(int64_t(1) << (mode.bits - 1)) : 0;
  int64_t high =
      (int64_t(1) << (mode.isSigned ? mode.bits - 1 : mode.bits)) - 1;
  const int32_t *from = held ? driver.data() : run.tile.memory.data() + src;
  bool whole = mode.bits == 32 && !mode.isSigned;
  uint64_t nonZero = 0;
  for (uint32_t i = 0; i < inputs; ++i) {
    int64_t value = from[i];
    if (!whole && (value < low || value > high)) {
      value = value < low ? low : high;
      ++run.m.counters.saturations;
    }
    x[i] = int32_t(value);
    nonZero += value != 0;
  }
  std::vector<int64_t> sums(outputs, 0);
  for (int64_t k = 0; k < run.slices; ++k)
    run.array(k).read(w, x, mode, shift + unsigned(k * run.m.config.cellBits),
                      sums, run.m.counters);
  run.store(dst, sums, affine, accumulate, w.col0);
  ++run.m.counters.mvms;
  run.m.counters.synapticEvents += nonZero * outputs;
  if (!held)
    run.m.counters.memoryWords += inputs;
  Cycles cycles = mvmCycles(run.m.config, inputs, outputs, mode.bits, held);
  uint64_t end = run.finish(cycles);
  if (!held)
    run.m.book(run.tile, src, inputs, false,
               run.tile.time + transferCycles(run.m.config, inputs).busy);
  run.m.book(run.tile, dst, outputs, true, end);
  return Status::ok();
}

/// spk and spkt, whose fields are at the same places.
Status spikes(ArrayRun run, bool transposed) {
  const Decoded &d = run.d;
  if (!run.find(operand<Op::Spk, "slices">(d)))
    return run.status;
  bool accumulate = operand<Op::Spk, "acc">(d);
  bool affine = operand<Op::Spk, "aff">(d);
  auto shift = unsigned(operand<Op::Spk, "shift">(d));
  ReadMode mode;
  mode.range = unsigned(operand<Op::Spk, "range">(d));
  mode.transposed = transposed;
  Array &bank = run.array();
  const Window w = bank.window;
  if (affine && (transposed || bank.scale.empty()))
    return run.m.fault(run.tile, "aff=1 needs a forward read and an `affine` "
                                 "executed before");
  int64_t dst = run.tile.reg[d.a()], list = run.tile.reg[d.b()];
  int64_t base = run.tile.reg[d.c()], count = run.tile.reg[d.d()];
  uint32_t outputs = transposed ? w.rows : w.cols;
  if (Status status = run.m.checkLength(run.tile, count); !status)
    return status;
  if (!run.range("list", list, count) ||
      !run.range("destination", dst, outputs))
    return run.status;
  run.await();
  run.m.awaitRange(run.tile, list, count, false);
  int64_t first = transposed ? w.col0 : w.row0;
  int64_t lines = transposed ? w.cols : w.rows;
  std::vector<uint32_t> hits;
  std::vector<uint8_t> seen;
  const int32_t *ids = run.tile.memory.data() + list;
  for (int64_t i = 0; i < count; ++i) {
    int64_t line = int64_t(ids[i]) - base;
    if (line < 0 || line >= lines)
      continue;
    if (seen.empty())
      seen.assign(size_t(lines), 0);
    if (seen[size_t(line)])
      return run.m.fault(run.tile, "event " + std::to_string(ids[i]) +
                                       " is in the list twice; a line can be "
                                       "driven once in a phase");
    seen[size_t(line)] = 1;
    hits.push_back(uint32_t(first + line));
  }
  run.m.counters.memoryWords += uint64_t(count);
  Cycles cycles =
      spikeCycles(run.m.config, uint64_t(count), hits.size(), outputs);
  bool writes = !hits.empty() || !accumulate || affine;
  if (writes)
    run.m.awaitRange(run.tile, dst, outputs, true);
  if (!hits.empty()) {
    std::vector<int64_t> sums(outputs, 0);
    for (int64_t k = 0; k < run.slices; ++k)
      run.array(k).readLines(w, hits, mode,
                             shift + unsigned(k * run.m.config.cellBits), sums,
                             run.m.counters);
    run.store(dst, sums, affine, accumulate, w.col0);
    ++run.m.counters.mvms;
    for (uint32_t line : hits)
      for (uint32_t i = 0; i < outputs; ++i) {
        bool connected = false;
        for (int64_t k = 0; k < run.slices && !connected; ++k)
          connected = transposed ? run.array(k).level(w.row0 + i, line)
                                 : run.array(k).level(line, w.col0 + i);
        run.m.counters.synapticEvents += connected;
      }
  } else if (writes) {
    run.store(dst, std::vector<int64_t>(outputs, 0), affine, accumulate,
              w.col0);
  }
  uint64_t end = run.finish(cycles);
  run.m.book(run.tile, list, count, false, end);
  if (writes)
    run.m.book(run.tile, dst, outputs, true, end);
  return Status::ok();
}

Status outerProduct(ArrayRun run) {
  const Decoded &d = run.d;
  if (!run.find(operand<Op::Opu, "slices">(d)))
    return run.status;
  auto shift = unsigned(operand<Op::Opu, "shift">(d));
  int64_t mode = operand<Op::Opu, "mode">(d);
  if (mode > 2)
    return run.m.fault(run.tile, "mode must be 0, 1 or 2");
  const Window w = run.array().window;
  int64_t xAt = run.tile.reg[d.a()], dAt = run.tile.reg[d.b()];
  int64_t keyAt = run.tile.reg[d.c()];
  if (!run.range("x", xAt, w.rows) || !run.range("d", dAt, w.cols) ||
      (mode == 1 && !run.range("key", keyAt, 2)))
    return run.status;
  run.await();
  run.m.awaitRange(run.tile, xAt, w.rows, false);
  run.m.awaitRange(run.tile, dAt, w.cols, false);
  const int32_t *memory = run.tile.memory.data();
  uint64_t key = 0;
  if (mode == 1) {
    run.m.awaitRange(run.tile, keyAt, 2, false);
    key = uint64_t(uint32_t(memory[keyAt + 1])) << 32 | uint32_t(memory[keyAt]);
  }
  uint64_t fraction = shift ? ((uint64_t(1) << shift) - 1) : 0;
  unsigned pulses = 0;
  for (uint32_t r = 0; r < w.rows; ++r) {
    int64_t x = memory[xAt + r];
    for (uint32_t c = 0; x && c < w.cols; ++c) {
      int64_t product = x * memory[dAt + c], change;
      if (mode == 2) {
        change = (product > 0) - (product < 0);
      } else if (mode == 0) {
        change = roundShift(product, shift);
      } else {
        uint32_t cell =
            (w.row0 + r) * uint32_t(run.m.config.signedCols()) + w.col0 + c;
        uint64_t word = neuroc_rt_word(key, cell, uint32_t(run.tile.tick),
                                       uint32_t(run.first));
        // Up with probability (discarded fraction) / 2^shift.
        uint64_t rest = uint64_t(product) & fraction;
        uint64_t scaled =
            shift > 32 ? rest >> (shift - 32) : rest << (32 - shift);
        change = (product >> shift) + (word < scaled);
      }
      if (change)
        pulses = std::max(
            pulses, run.program(w.row0 + r, w.col0 + c,
                                run.weight(w.row0 + r, w.col0 + c) + change));
    }
  }
  run.m.counters.memoryWords += w.rows + w.cols;
  uint64_t end = run.finish(
      outerCycles(run.m.config, w.rows, pulses, unsigned(run.slices)));
  run.m.book(run.tile, xAt, w.rows, false, end);
  run.m.book(run.tile, dAt, w.cols, false, end);
  return Status::ok();
}

Status loadAffine(ArrayRun run) {
  const Decoded &d = run.d;
  if (!run.find(1))
    return run.status;
  Array &bank = run.array();
  const Window w = bank.window;
  int64_t scale = run.tile.reg[d.a()], offset = run.tile.reg[d.b()];
  if (!run.range("scale", scale, w.cols) ||
      !run.range("offset", offset, w.cols))
    return run.status;
  run.await();
  run.m.awaitRange(run.tile, scale, w.cols, false);
  run.m.awaitRange(run.tile, offset, w.cols, false);
  bank.scale.resize(size_t(bank.cols()), 0);
  bank.offset.resize(size_t(bank.cols()), 0);
  bank.affineShift = unsigned(operand<Op::Affine, "shift">(d));
  const int32_t *memory = run.tile.memory.data();
  std::copy_n(memory + scale, w.cols, bank.scale.begin() + w.col0);
  std::copy_n(memory + offset, w.cols, bank.offset.begin() + w.col0);
  run.m.counters.memoryWords += 2 * uint64_t(w.cols);
  uint64_t end = run.finish(transferCycles(run.m.config, 2 * uint64_t(w.cols)));
  run.m.book(run.tile, scale, w.cols, false, end);
  run.m.book(run.tile, offset, w.cols, false, end);
  return Status::ok();
}

} // namespace

Status Machine::Impl::executeArray(Tile &tile, const Decoded &d) {
  ArrayRun run{*this, tile, d};
  switch (d.op) {
  case Op::Win:
    return setWindow(run);
  case Op::Prog:
    return program(run);
  case Op::Rdbk:
    return readBack(run);
  case Op::Drive:
    return drive(run);
  case Op::Mvm:
    return multiply(run, false);
  case Op::Mvmt:
    return multiply(run, true);
  case Op::Spk:
    return spikes(run, false);
  case Op::Spkt:
    return spikes(run, true);
  case Op::Opu:
    return outerProduct(run);
  default:
    return loadAffine(run);
  }
}

} // namespace neuroc::rt::xbar
