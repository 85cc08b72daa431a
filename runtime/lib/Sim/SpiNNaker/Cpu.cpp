// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The dispatch loop of a core, its modes and exceptions, and the interlocks.
// Instructions of ITCM are decoded once into `armOps`/`thumbOps`; an empty slot
// holds a function that decodes in place and asks for the instruction to be
// run again. The loop knows nothing of devices: they end it by lowering
// `limit`, and whatever lies outside the TCMs is reached through readSlow and
// writeSlow, which may ask for a yield (nothing has happened; run me again
// when it is my turn).

#include "Cpu.h"
#include "Decode.h"

namespace neuroc::rt::spinn {

namespace {
constexpr uint16_t conditionMask(unsigned condition) {
  uint16_t mask = 0;
  for (unsigned nzcv = 0; nzcv < 16; ++nzcv) {
    bool n = nzcv & 8, z = nzcv & 4, c = nzcv & 2, v = nzcv & 1;
    bool holds = false;
    switch (condition >> 1) {
    case 0: holds = z; break;
    case 1: holds = c; break;
    case 2: holds = n; break;
    case 3: holds = v; break;
    case 4: holds = c && !z; break;
    case 5: holds = n == v; break;
    case 6: holds = n == v && !z; break;
    case 7: holds = true; break;
    }
    // Code 15 is the unconditional space: those ops carry condition 14.
    if ((condition & 1) && condition != 15)
      holds = !holds;
    mask |= uint16_t(holds) << nzcv;
  }
  return mask;
}
} // namespace

const uint16_t kConditions[16] = {
    conditionMask(0),  conditionMask(1),  conditionMask(2),  conditionMask(3),
    conditionMask(4),  conditionMask(5),  conditionMask(6),  conditionMask(7),
    conditionMask(8),  conditionMask(9),  conditionMask(10), conditionMask(11),
    conditionMask(12), conditionMask(13), conditionMask(14), conditionMask(15)};

unsigned bankOf(uint8_t mode) {
  switch (mode) {
  case kFiq: return 1;
  case kIrq: return 2;
  case kSupervisor: return 3;
  case kAbort: return 4;
  case kUndefined: return 5;
  default: return 0;
  }
}

bool validMode(uint8_t mode) {
  return mode == kUser || mode == kSystem || bankOf(mode) != 0;
}

void Cpu::switchMode(uint8_t to) {
  unsigned from = bankOf(mode), bank = bankOf(to);
  mode = to;
  if (from == bank)
    return;
  banked13[from] = r[13];
  banked14[from] = r[14];
  bankedSpsr[from] = spsr;
  if (from == 1 || bank == 1) {
    uint32_t *save = from == 1 ? fiqHigh : userHigh;
    uint32_t *load = bank == 1 ? fiqHigh : userHigh;
    for (unsigned i = 0; i < 5; ++i) {
      save[i] = r[8 + i];
      r[8 + i] = load[i];
    }
  }
  r[13] = banked13[bank];
  r[14] = banked14[bank];
  spsr = bankedSpsr[bank];
}

void Cpu::setCpsr(uint32_t value) {
  uint8_t to = value & 0x1f;
  if (validMode(to))
    switchMode(to);
  nzcv = value >> 28;
  q = value >> 27 & 1;
  irqMasked = value >> 7 & 1;
  fiqMasked = value >> 6 & 1;
  thumb = value >> 5 & 1;
  pollInterrupts();
}

uint32_t Cpu::userRegister(unsigned n) const {
  unsigned bank = bankOf(mode);
  if (n >= 8 && n <= 12 && bank == 1)
    return userHigh[n - 8];
  if ((n == 13 || n == 14) && bank != 0)
    return n == 13 ? banked13[0] : banked14[0];
  return r[n];
}

void Cpu::setUserRegister(unsigned n, uint32_t value) {
  unsigned bank = bankOf(mode);
  if (n >= 8 && n <= 12 && bank == 1)
    userHigh[n - 8] = value;
  else if ((n == 13 || n == 14) && bank != 0)
    (n == 13 ? banked13[0] : banked14[0]) = value;
  else
    r[n] = value;
}

void Cpu::exception(uint32_t vector, uint8_t toMode, uint32_t link) {
  uint32_t saved = cpsr();
  switchMode(toMode);
  spsr = saved;
  r[14] = link;
  thumb = false;
  irqMasked = true;
  if (toMode == kFiq)
    fiqMasked = true;
  bool high = cp15Control & (1u << 13);
  nextPc = vector + (high ? 0xffff0000u : 0);
}

void Cpu::dataAbort(uint32_t address) {
  uint32_t at = pc();
  fault("data abort", address);
  if (state == CoreState::Running)
    exception(0x10, kAbort, at + 8);
}

void Cpu::undefinedInstruction() {
  uint32_t at = pc();
  fault("undefined instruction", at);
  if (state == CoreState::Running)
    exception(0x04, kUndefined, at + (thumb ? 2 : 4));
}

bool Cpu::takeInterrupt() {
  if (fiqLine && !fiqMasked) {
    ++fiqs;
    cycle += timing->irqEntry;
    exception(0x1c, kFiq, nextPc + 4);
    return true;
  }
  if (irqLine && !irqMasked) {
    ++irqs;
    cycle += timing->irqEntry;
    exception(0x18, kIrq, nextPc + 4);
    return true;
  }
  return false;
}

void Cpu::stall(const Op &op) {
  uint64_t wait = 0;
  if (uint16_t hit = pending & op.sources)
    for (; hit; hit &= hit - 1) {
      unsigned n = std::countr_zero(hit);
      if (ready[n] > cycle)
        wait = std::max(wait, ready[n] - cycle);
    }
  // The late read port: store data and accumulators.
  for (uint16_t hit = pending & op.lateSources; hit; hit &= hit - 1) {
    unsigned n = std::countr_zero(hit);
    uint64_t at = ready[n];
    Producer producer = producers[n];
    if (op.accumulates && producer == Producer::Multiply16)
      continue;
    if (producer == Producer::Word || producer == Producer::Narrow)
      at = at + timing->loadStoreData - timing->loadUseWord;
    if (at > cycle)
      wait = std::max(wait, at - cycle);
  }
  cycle += wait;
  interlocks += wait;
  pending &= ~op.writes;
  if (cycle >= pendingUntil)
    pending = 0;
}

void Cpu::markLate(const Op &op) {
  uint64_t at = cycle + op.late;
  for (uint16_t set = op.results; set; set &= set - 1) {
    unsigned n = std::countr_zero(set);
    ready[n] = at;
    producers[n] = op.producer;
  }
  pending |= op.results;
  pendingUntil = std::max(pendingUntil, at);
}

inline void Cpu::step(const Op &op, uint32_t pc, uint32_t width) {
  r[15] = pc + 2 * width;
  nextPc = pc + width;
  ++instructions;
  if (!((kConditions[op.cond] >> nzcv) & 1)) {
    cycle += kSkippedCycles;
    return;
  }
  if (pending) [[unlikely]]
    stall(op);
  cycle += op.cycles;
  uint8_t late = op.late; // decoding in place replaces `op`
  op.run(*this, op);
  if (late)
    markLate(op);
}

/// Code in SDRAM or System RAM: every fetch crosses the bridge.
void Cpu::stepOutside() {
  uint32_t at = nextPc, width = thumb ? 2 : 4, word = 0;
  Op fetch;
  r[15] = at + 2 * width;
  bool inMemory = at - kSdramBase < kSdramSize ||
                  at - (kSdramBase + 0x10000000) < kSdramSize ||
                  at - kSysramBase < kSysramSize;
  if (!inMemory) {
    fault("prefetch abort", at);
    if (state == CoreState::Running)
      exception(0x0c, kAbort, at + 4);
    cycle += 3;
    return;
  }
  ++instructions;
  if (!readSlow(fetch, at, width, word)) {
    // Only a yield can refuse a fetch from memory.
    retry = nullptr;
    nextPc = at;
    --instructions;
    return;
  }
  --instructions;
  outside = thumb ? decodeThumb(uint16_t(word), at, *timing)
                  : decodeArm(word, at, *timing);
  step(outside, at, width);
}

void Cpu::finishRetry() {
  const Op &op = *retry;
  retry = nullptr;
  nextPc = pc();
  cycle -= op.cycles;
  pending &= ~op.results;
  --instructions;
}

void Cpu::run() {
  while (cycle < limit) {
    uint32_t at = nextPc;
    if (at >= kItcmSize) [[unlikely]] {
      stepOutside();
      continue;
    }
    if (thumb)
      step(thumbOps[at >> 1], at, 2);
    else
      step(armOps[at >> 2], at, 4);
  }
  if (retry)
    finishRetry();
}

void Cpu::runTraced(const std::function<void(const TraceEntry &)> &trace,
                    CoreId id, Picoseconds offset) {
  horizon = limit;
  while (cycle < horizon) {
    uint32_t at = nextPc;
    TraceEntry entry;
    entry.time = offset + cycle * timing->cpuPeriodPs;
    entry.core = id;
    entry.pc = at;
    entry.thumb = thumb;
    if (at < kItcmSize)
      std::memcpy(&entry.word, itcm + at, thumb ? 2 : 4);
    uint64_t before = instructions;
    limit = cycle + 1;
    run();
    if (instructions != before)
      trace(entry);
    if (limit == 0)
      return;
  }
  limit = horizon;
}

void Cpu::invalidate(uint32_t address, uint32_t size) {
  if (!armOps || size == 0 || address >= kItcmSize)
    return;
  uint32_t end = std::min(kItcmSize, address + size);
  for (uint32_t at = address & ~3u; at < end; at += 4)
    if (armOps[at >> 2].run != decodeArmSlot) {
      armOps[at >> 2] = Op();
      armOps[at >> 2].run = decodeArmSlot;
    }
  for (uint32_t at = address & ~3u; at < end; at += 2)
    if (thumbOps[at >> 1].run != decodeThumbSlot) {
      thumbOps[at >> 1] = Op();
      thumbOps[at >> 1].run = decodeThumbSlot;
    }
}

void decodeArmSlot(Cpu &c, const Op &op) {
  uint32_t at = c.pc(), word;
  std::memcpy(&word, c.itcm + at, 4);
  c.armOps[at >> 2] = decodeArm(word, at, *c.timing);
  c.nextPc = at;
  --c.instructions;
}

void decodeThumbSlot(Cpu &c, const Op &op) {
  uint32_t at = c.pc();
  uint16_t half;
  std::memcpy(&half, c.itcm + at, 2);
  c.thumbOps[at >> 1] = decodeThumb(half, at, *c.timing);
  c.nextPc = at;
  --c.instructions;
}

} // namespace neuroc::rt::spinn
