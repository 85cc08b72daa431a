// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The ARM968E-S core: architectural state, pre-decoded instructions and the
// dispatch loop. Execution (what an instruction does) is one small function
// per form; its cycles are data, filled in from the timing table. Everything
// outside the tightly coupled memories goes through `readSlow`/`writeSlow`,
// which the node that owns the core implements.
#ifndef NEUROC_SIM_SPINN_CPU_H
#define NEUROC_SIM_SPINN_CPU_H

#include "neuroc/rt/spinn/Machine.h"

#include <algorithm>
#include <bit>
#include <cstring>

namespace neuroc::rt::spinn {

struct Cpu;
struct Op;
class Node;
using Handler = void (*)(Cpu &, const Op &);

/// What kind of late result an instruction leaves behind (see markLate).
enum class Producer : uint8_t { None, Word, Narrow, Multiply, Multiply16 };

/// A decoded instruction. `imm` is the immediate, the signed offset, the
/// absolute branch target or the register list, as the handler wants it.
struct Op {
  Handler run = nullptr;
  uint32_t imm = 0;
  uint8_t cond = 14;
  uint8_t rd = 0, rn = 0, rm = 0, rs = 0;
  uint8_t shift = 0;  ///< shift amount; or "immediate was rotated"
  uint8_t cycles = 0; ///< without interlocks, bus waits, taken branches
  uint8_t late = 0;   ///< stalls if the next instruction uses `results`
  uint16_t sources = 0;     ///< registers read in Execute
  uint16_t lateSources = 0; ///< store data and accumulators
  uint16_t results = 0;     ///< registers whose value comes late
  uint16_t writes = 0;      ///< all registers written
  Producer producer = Producer::None;
  uint8_t aux = 0, aux2 = 0;
  bool accumulates = false; ///< lateSources is a multiply's accumulator
};
static_assert(sizeof(Op) == 32);

enum Mode : uint8_t {
  kUser = 0x10,
  kFiq = 0x11,
  kIrq = 0x12,
  kSupervisor = 0x13,
  kAbort = 0x17,
  kUndefined = 0x1b,
  kSystem = 0x1f,
};

/// Bit i of kConditions[c] is set when condition c holds for nzcv == i.
extern const uint16_t kConditions[16];

/// The code of the pre-decode cache's empty slot: decodes, then runs again.
void decodeArmSlot(Cpu &, const Op &);
void decodeThumbSlot(Cpu &, const Op &);

/// Decodes the instruction at `pc`. Undefined words give an op that enters
/// the undefined-instruction exception.
Op decodeArm(uint32_t word, uint32_t pc, const TimingParameters &timing);
Op decodeThumb(uint16_t half, uint32_t pc, const TimingParameters &timing);

struct Cpu {
  // Hot state first.
  uint32_t r[16] = {}; ///< r[15]: address of the running instruction + 8 or 4
  uint32_t nextPc = 0;
  uint8_t nzcv = 0;
  bool thumb = false;
  bool q = false;
  bool irqMasked = true, fiqMasked = true;
  uint8_t mode = kSupervisor;
  uint16_t pending = 0; ///< registers with a late result under way
  uint64_t cycle = 0;   ///< local time, CPU cycles
  uint64_t limit = 0;   ///< the dispatch loop stops at this cycle
  uint64_t instructions = 0;
  uint8_t *itcm = nullptr, *dtcm = nullptr;
  Op *armOps = nullptr, *thumbOps = nullptr;
  uint32_t dtcmWait = 0; ///< extra cycles of a DTCM access just now
  uint32_t itcmWait = 1;
  uint64_t pendingUntil = 0;
  uint64_t ready[16] = {};
  Producer producers[16] = {};

  // Cold state.
  Node *node = nullptr;
  const TimingParameters *timing = nullptr;
  uint32_t spsr = 0;
  uint32_t bankedSpsr[6] = {};
  uint32_t banked13[6] = {}, banked14[6] = {};
  uint32_t fiqHigh[5] = {}, userHigh[5] = {}; ///< r8 to r12
  uint32_t cp15Control = 0x1f7e;
  bool irqLine = false, fiqLine = false;
  bool breakpointHalts = true;
  CoreState state = CoreState::Off;
  const Op *retry = nullptr; ///< instruction to be run again after a yield
  uint64_t granted = 0;      ///< instruction count with a shared-access grant
  uint64_t solo = 0; ///< up to this cycle shared accesses are in global order
  uint64_t horizon = 0; ///< of a traced run, whose `limit` is one step ahead
  uint64_t interlocks = 0, busWaits = 0;
  uint64_t irqs = 0, fiqs = 0, faults = 0;
  Op outside; ///< the decoded instruction when code is not in ITCM

  /// Runs instructions until `cycle` reaches `limit` (which devices and
  /// handlers may lower), the core sleeps or halts.
  void run();
  /// As run, calling the trace function before each instruction.
  void runTraced(const std::function<void(const TraceEntry &)> &trace,
                 CoreId id, Picoseconds offset);
  /// Ends the batch at `at` at the latest: something happens then.
  void lower(uint64_t at) {
    limit = std::min(limit, at);
    horizon = std::min(horizon, at);
  }
  /// Takes a pending interrupt if one is unmasked.
  bool takeInterrupt();

  uint32_t cpsr() const {
    return uint32_t(nzcv) << 28 | uint32_t(q) << 27 | uint32_t(irqMasked) << 7 |
           uint32_t(fiqMasked) << 6 | uint32_t(thumb) << 5 | mode;
  }
  void setCpsr(uint32_t value);
  void switchMode(uint8_t to);
  /// Registers of the user bank, for LDM/STM with ^.
  uint32_t userRegister(unsigned n) const;
  void setUserRegister(unsigned n, uint32_t value);

  uint32_t pc() const { return r[15] - (thumb ? 4 : 8); }
  void jump(uint32_t target) { nextPc = target & (thumb ? ~1u : ~3u); }
  void jumpExchange(uint32_t target) {
    thumb = target & 1;
    nextPc = target & (thumb ? ~1u : ~3u);
  }
  void exception(uint32_t vector, uint8_t toMode, uint32_t link);
  void fault(const char *kind, uint32_t address);
  /// Data abort at `address`, seen by the running instruction.
  void dataAbort(uint32_t address);
  void undefinedInstruction();
  /// Leaves the loop when an unmasked interrupt waits.
  void pollInterrupts() {
    if ((irqLine && !irqMasked) || (fiqLine && !fiqMasked))
      limit = 0;
  }
  void waitForInterrupt();

  /// Loads `size` bytes (1, 2, 4), zero-extended, from an aligned address.
  /// False: nothing was read; an abort was taken or the core yields.
  bool read(const Op &op, uint32_t address, unsigned size, uint32_t &value) {
    uint32_t offset = address - kDtcmBase;
    if (offset < kDtcmSize) [[likely]] {
      value = 0;
      std::memcpy(&value, dtcm + offset, size);
      cycle += dtcmWait;
      return true;
    }
    return readSlow(op, address, size, value);
  }
  bool write(const Op &op, uint32_t address, unsigned size, uint32_t value) {
    uint32_t offset = address - kDtcmBase;
    if (offset < kDtcmSize) [[likely]] {
      std::memcpy(dtcm + offset, &value, size);
      cycle += dtcmWait;
      return true;
    }
    return writeSlow(op, address, size, value);
  }
  bool readSlow(const Op &op, uint32_t address, unsigned size, uint32_t &value);
  bool writeSlow(const Op &op, uint32_t address, unsigned size, uint32_t value);
  /// Forgets decoded instructions that overlap [address, address + size).
  void invalidate(uint32_t address, uint32_t size);

  /// Ends the batch and arranges for `op` to run again.
  void yield(const Op &op) {
    retry = &op;
    limit = 0;
  }

private:
  void step(const Op &op, uint32_t pc, uint32_t width);
  void stepOutside();
  void stall(const Op &op);
  void markLate(const Op &op);
  void finishRetry();
  friend void decodeArmSlot(Cpu &, const Op &);
  friend void decodeThumbSlot(Cpu &, const Op &);
};

/// Index of the banked-register set of a mode (0 user/system).
unsigned bankOf(uint8_t mode);
bool validMode(uint8_t mode);

} // namespace neuroc::rt::spinn
#endif // NEUROC_SIM_SPINN_CPU_H
