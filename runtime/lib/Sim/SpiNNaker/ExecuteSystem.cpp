// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Branches, status registers, the system coprocessor and the instructions that
// enter exceptions. CP15 has what software on this machine uses: the control
// register, the identity registers and wait-for-interrupt.

#include "Execute.h"

namespace neuroc::rt::spinn {

void execBranch(Cpu &c, const Op &op) { c.nextPc = op.imm; }

void execBranchLink(Cpu &c, const Op &op) {
  c.r[14] = c.nextPc;
  c.nextPc = op.imm;
}

void execBranchLinkToThumb(Cpu &c, const Op &op) {
  c.r[14] = c.nextPc;
  c.thumb = true;
  c.nextPc = op.imm;
}

void execBranchExchange(Cpu &c, const Op &op) { c.jumpExchange(c.r[op.rm]); }

void execBranchLinkExchange(Cpu &c, const Op &op) {
  uint32_t target = c.r[op.rm];
  c.r[14] = c.nextPc | uint32_t(c.thumb);
  c.jumpExchange(target);
}

void execThumbBlPrefix(Cpu &c, const Op &op) { c.r[14] = c.r[15] + op.imm; }

void execThumbBlSuffix(Cpu &c, const Op &op) {
  uint32_t target = c.r[14] + op.imm;
  c.r[14] = c.nextPc | 1;
  c.nextPc = target & ~1u;
}

void execThumbBlxSuffix(Cpu &c, const Op &op) {
  uint32_t target = c.r[14] + op.imm;
  c.r[14] = c.nextPc | 1;
  c.thumb = false;
  c.nextPc = target & ~3u;
}

void execThumbAddressOfPc(Cpu &c, const Op &op) { c.r[op.rd] = op.imm; }

void execMrs(Cpu &c, const Op &op) {
  c.r[op.rd] = op.aux ? c.spsr : c.cpsr();
}

static void writeStatus(Cpu &c, const Op &op, uint32_t value) {
  // aux: bit 4 SPSR; aux2: the byte mask f s x c as bits 3 to 0.
  uint32_t mask = 0;
  for (unsigned i = 0; i < 4; ++i)
    if (op.aux2 >> i & 1)
      mask |= 0xffu << (8 * i);
  if (op.aux) {
    if (bankOf(c.mode) != 0)
      c.spsr = (c.spsr & ~mask) | (value & mask);
    return;
  }
  if (c.mode == kUser)
    mask &= 0xff000000u;
  // The T bit is not for MSR to change.
  mask &= ~0x20u;
  c.setCpsr((c.cpsr() & ~mask) | (value & mask));
}
void execMsrRegister(Cpu &c, const Op &op) { writeStatus(c, op, c.r[op.rm]); }
void execMsrImmediate(Cpu &c, const Op &op) { writeStatus(c, op, op.imm); }

// aux: CRn, aux2: CRm, shift: opcode 2, rs: coprocessor.
void execMcr(Cpu &c, const Op &op) {
  if (op.rs != 15 || c.mode == kUser)
    return c.undefinedInstruction();
  if (op.aux == 1)
    c.cp15Control = c.r[op.rd];
  else if (op.aux == 7 && ((op.aux2 == 0 && op.shift == 4) ||
                           (op.aux2 == 8 && op.shift == 2)))
    c.waitForInterrupt();
}

void execMrc(Cpu &c, const Op &op) {
  if (op.rs != 15 || c.mode == kUser)
    return c.undefinedInstruction();
  uint32_t value = 0;
  if (op.aux == 0)
    value = op.shift == 2 ? 0x00140180 : 0x41059682; // TCM sizes; ARM968E-S
  else if (op.aux == 1)
    value = c.cp15Control;
  if (op.rd == 15)
    c.nzcv = value >> 28;
  else
    c.r[op.rd] = value;
}

void execNothing(Cpu &c, const Op &op) {}

void execBreakpoint(Cpu &c, const Op &op) {
  if (c.breakpointHalts) {
    c.state = CoreState::Halted;
    c.nextPc = c.pc();
    c.limit = 0;
    return;
  }
  uint32_t at = c.pc();
  c.fault("prefetch abort", at);
  if (c.state == CoreState::Running)
    c.exception(0x0c, kAbort, at + 4);
}

void execSoftwareInterrupt(Cpu &c, const Op &op) {
  c.exception(0x08, kSupervisor, c.nextPc);
}

void execUndefined(Cpu &c, const Op &op) { c.undefinedInstruction(); }

} // namespace neuroc::rt::spinn
