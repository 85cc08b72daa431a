// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Generates the programs. Registers 0 to 10, 12 and 14 take part freely; 13
// always points at the scratch memory and 11 near it, so that addresses are
// valid. Encodings that the architecture calls unpredictable are left out.

#include "RandomProgram.h"

#include <cstring>

namespace neuroc::test {

namespace {
constexpr uint32_t kAlways = 0xe0000000u;
}

uint32_t RandomProgram::interesting() {
  static constexpr uint32_t kEdges[] = {0,          1,          2,
                                        0x7fffffff, 0x80000000, 0xffffffff,
                                        0x7fff,     0x8000,     0xffff,
                                        0x80007fff, 31,         32,
                                        33,         255};
  if (chance(40))
    return kEdges[pick(sizeof kEdges / sizeof kEdges[0])];
  return uint32_t(random());
}

unsigned RandomProgram::writable() {
  static constexpr uint8_t kRegisters[] = {0, 1, 2, 3, 4,  5,  6,
                                           7, 8, 9, 10, 12, 14};
  return kRegisters[pick(sizeof kRegisters)];
}

// Loads flags and registers from the next 16 words of input.
void RandomProgram::prologue() {
  emit(0xe59d0800);          // ldr r0, [r13, #0x800]   next input
  emit(0xe4901004);          // ldr r1, [r0], #4        flags
  emit(0xe128f001);          // msr cpsr_f, r1
  emit(0xe2801000 | 15 * 4); // add r1, r0, #60         the block after
  emit(0xe58d1800);          // str r1, [r13, #0x800]
  emit(0xe590e000 | 13 * 4); // ldr r14, [r0, #52]
  emit(0xe8901fff);          // ldmia r0, {r0-r12}
}

// Stores r1-r12, r14, flags and r0, without changing flags before they are read.
void RandomProgram::epilogue() {
  emit(0xe58d0808); // str r0, [r13, #0x808]
  emit(0xe59d0804); // ldr r0, [r13, #0x804]   next output
  emit(0xe8a01ffe); // stmia r0!, {r1-r12}
  emit(0xe480e004); // str r14, [r0], #4
  emit(0xe10f1000); // mrs r1, cpsr
  emit(0xe1a01da1); // mov r1, r1, lsr #27     N Z C V Q
  emit(0xe4801004); // str r1, [r0], #4
  emit(0xe59d1808); // ldr r1, [r13, #0x808]
  emit(0xe4801008); // str r1, [r0], #8
  emit(0xe58d0804); // str r0, [r13, #0x804]
}

void RandomProgram::finish() {
  emit(0xe3a00001); // mov r0, #1              standard output
  emit(0xe3a01501); // mov r1, #0x400000
  emit(0xe3a02801); // mov r2, #0x10000
  emit(0xe3a07004); // mov r7, #4              write
  emit(0xef000000); // swi 0
  emit(0xe3a00000); // mov r0, #0
  emit(0xe3a07001); // mov r7, #1              exit
  emit(0xef000000); // swi 0
}

void RandomProgram::armMultiply(uint32_t condition) {
  unsigned d = writable(), n = writable(), m = writable(), s = writable();
  while (n == d)
    n = writable();
  uint32_t xy = pick(4) << 5;
  switch (pick(10)) {
  case 0: emit(condition | 0x90 | pick(2) << 20 | d << 16 | s << 8 | m); break;
  case 1:
    emit(condition | 0x200090 | pick(2) << 20 | d << 16 | n << 12 | s << 8 | m);
    break;
  case 2: case 3:
    emit(condition | 0x800090 | pick(8) << 20 | d << 16 | n << 12 | s << 8 | m);
    break;
  case 4:
    emit(condition | 0x1000080 | xy | d << 16 | n << 12 | s << 8 | m);
    break;
  case 5:
    emit(condition | 0x1200080 | (xy & 0x40) | d << 16 | n << 12 | s << 8 | m);
    break;
  case 6: emit(condition | 0x12000a0 | (xy & 0x40) | d << 16 | s << 8 | m); break;
  case 7:
    emit(condition | 0x1400080 | xy | d << 16 | n << 12 | s << 8 | m);
    break;
  case 8: emit(condition | 0x1600080 | xy | d << 16 | s << 8 | m); break;
  default: // saturating
    emit(condition | 0x1000050 | pick(4) << 21 | n << 16 | d << 12 | m);
    break;
  }
}

void RandomProgram::armMemory(uint32_t condition) {
  unsigned d = writable();
  uint32_t up = pick(2) << 23;
  switch (pick(8)) {
  case 0: // word or byte, base r13
    emit(condition | 0x05000000 | up | pick(2) << 20 | 13 << 16 | d << 12 |
         pick(64) * 4);
    break;
  case 1:
    emit(condition | 0x05400000 | up | pick(2) << 20 | 13 << 16 | d << 12 |
         pick(256));
    break;
  case 2: { // moving base r11, word: pre or post
    uint32_t mode = chance(50) ? 0x01200000 : 0;
    emit(condition | 0x04000000 | mode | up | pick(2) << 20 | 11 << 16 |
         d << 12 | pick(16) * 4);
    break;
  }
  case 3: { // halves and signed, base r13
    static constexpr uint32_t kKinds[] = {0x001000b0, 0x000000b0, 0x001000d0,
                                          0x001000f0};
    uint32_t offset = pick(64) * 2;
    emit(condition | 0x01400000 | kKinds[pick(4)] | up | 13 << 16 | d << 12 |
         (offset & 0xf0) << 4 | (offset & 15));
    break;
  }
  case 4: { // pairs
    d = pick(5) * 2;
    uint32_t offset = pick(16) * 8;
    emit(condition | 0x014000d0 | pick(2) << 5 | up | 13 << 16 | d << 12 |
         (offset & 0xf0) << 4 | (offset & 15));
    break;
  }
  case 5: { // several, base r11, any mode
    uint32_t list = uint32_t(random()) & 0x57ff;
    if (!list)
      list = 1;
    emit(condition | 0x08000000 | pick(2) << 24 | up | pick(2) << 21 |
         pick(2) << 20 | 11 << 16 | list);
    break;
  }
  case 6: { // index register
    unsigned i = writable();
    emit(kAlways | 0x02000000 | i << 16 | i << 12 | 0xfc); // and i, i, #0xfc
    if (chance(50)) {
      emit(condition | 0x07000000 | up | pick(2) << 20 | 13 << 16 | d << 12 |
           i | (chance(50) ? pick(2) << 7 : 0));
    } else { // signed byte or half-words by register
      static constexpr uint32_t kKinds[] = {0x001000b0, 0x001000d0, 0x001000f0,
                                            0x000000b0};
      emit(condition | 0x01000000 | kKinds[pick(4)] | up | 13 << 16 | d << 12 |
           i);
    }
    break;
  }
  default: { // swap; literal
    unsigned n = writable(), m = writable();
    if (chance(50)) {
      emit(kAlways | 0x01a00000 | n << 12 | 13); // mov n, r13
      while (m == n)
        m = writable();
      while (d == n)
        d = writable();
      emit(condition | 0x01000090 | pick(2) << 22 | n << 16 | d << 12 | m);
    } else {
      emit(condition | 0x059f0000 | pick(2) << 22 | d << 12 | pick(16) * 4);
    }
    break;
  }
  }
}

/// Lets the branches whose distance is used up end here.
void RandomProgram::landBranches(bool all) {
  for (Branch &branch : branches) {
    if (branch.left == 0)
      continue;
    if (--branch.left && !all)
      continue;
    branch.left = 0;
    code[branch.at] |= uint32_t(code.size() - branch.at - 2) & 0xffffff;
  }
}

void RandomProgram::armInstruction() {
  uint32_t condition = chance(70) ? kAlways : pick(14) << 28;
  unsigned d = writable(), n = chance(3) ? 15 : writable(),
           m = chance(3) ? 15 : writable();
  unsigned opcode = pick(16);
  uint32_t s = (opcode >= 8 && opcode <= 11) ? 1 : pick(2);
  uint32_t head = condition | opcode << 21 | s << 20 | n << 16 | d << 12;
  if (opcode >= 8 && opcode <= 11)
    head &= ~0xf000u;
  if (opcode == 13 || opcode == 15)
    head &= ~0xf0000u;
  switch (pick(12)) {
  case 0: case 1: emit(head | 0x02000000 | pick(4096)); break;
  case 2: case 3: case 4: emit(head | pick(32) << 7 | pick(4) << 5 | m); break;
  case 5: // by register; the PC takes no part
    if (n == 15)
      head &= ~0xf0000u;
    emit(head | writable() << 8 | pick(4) << 5 | 0x10 | (m == 15 ? 0 : m));
    break;
  case 6: case 7: armMultiply(condition); break;
  case 8: case 9: armMemory(condition); break;
  case 10:
    switch (pick(4)) {
    case 0: emit(condition | 0x016f0f10 | d << 12 | writable()); break;
    case 1: emit(condition | 0x0128f000 | writable()); break; // msr cpsr_f
    case 2: emit(condition | 0x0328f000 | pick(4096)); break;
    default: emit(0xf5d0f000 | 13 << 16 | pick(256)); break; // pld
    }
    break;
  default: // forward branch over one to three of what follows
    branches.push_back({code.size(), 1 + pick(3)});
    emit(condition | 0x0a000000 | pick(2) << 24);
    return;
  }
}

void RandomProgram::armBlock(unsigned length) {
  prologue();
  starts.push_back(here());
  thumb.push_back(false);
  branches.clear();
  for (unsigned i = 0; i < length; ++i) {
    size_t known = branches.size();
    armInstruction();
    if (branches.size() == known)
      landBranches(false);
  }
  emit(0xe1a00000);
  landBranches(true);
  epilogue();
}

uint16_t RandomProgram::thumbData() {
  unsigned d = pick(8), m = pick(8);
  switch (pick(9)) {
  case 0: case 1:
    return uint16_t(pick(3) << 11 | pick(32) << 6 | m << 3 | d);
  case 2: return uint16_t(0x1800 | pick(4) << 9 | pick(8) << 6 | m << 3 | d);
  case 3: case 4: return uint16_t(0x2000 | pick(4) << 11 | d << 8 | pick(256));
  case 5: case 6: return uint16_t(0x4000 | pick(16) << 6 | m << 3 | d);
  case 7: { // high registers
    static constexpr uint8_t kHigh[] = {8, 9, 10, 12, 14};
    unsigned h = kHigh[pick(5)];
    bool toHigh = chance(50);
    unsigned rd = toHigh ? h : d, rm = toHigh ? (chance(10) ? 15 : m) : h;
    return uint16_t(0x4400 | pick(3) << 8 | (rd & 8) << 4 | rm << 3 | (rd & 7));
  }
  default:
    return uint16_t(0xa000 | pick(2) << 11 | d << 8 | pick(64)); // add pc, sp
  }
}

void RandomProgram::thumbMemory(std::vector<uint16_t> &out) {
  unsigned d = pick(8), b = pick(8), i = pick(8);
  switch (pick(6)) {
  case 0: // stack
    out.push_back(uint16_t(0x9000 | pick(2) << 11 | d << 8 | pick(64)));
    return;
  case 1: // literal
    out.push_back(uint16_t(0x4800 | d << 8 | pick(16)));
    return;
  case 2: { // push and pop the same list: the stack pointer returns
    uint16_t list = uint16_t(1 + pick(255));
    out.push_back(uint16_t(0xb400 | list | pick(2) << 8));
    bool lr = out.back() & 0x100;
    out.push_back(uint16_t(0xbc00 | list));
    if (lr)
      out.push_back(0xb001); // add sp, #4
    return;
  }
  default: break;
  }
  // mov b, sp; then an access through it.
  out.push_back(uint16_t(0x4668 | b));
  switch (pick(4)) {
  case 0:
    out.push_back(uint16_t(0x6000 | pick(4) << 11 | pick(32) << 6 | b << 3 | d));
    return;
  case 1:
    out.push_back(uint16_t(0x8000 | pick(2) << 11 | pick(32) << 6 | b << 3 | d));
    return;
  case 2: { // several
    uint16_t list = uint16_t((1 + pick(255)) & ~(1u << b));
    if (!list)
      list = uint16_t(1u << ((b + 1) & 7));
    out.push_back(uint16_t(0xc000 | pick(2) << 11 | b << 8 | list));
    return;
  }
  default:
    while (i == b)
      i = pick(8);
    out.push_back(uint16_t(0x2000 | i << 8 | pick(64) * 4)); // mov i, #
    out.push_back(uint16_t(0x5000 | pick(8) << 9 | i << 6 | b << 3 | d));
    return;
  }
}

void RandomProgram::thumbBlock(unsigned length) {
  prologue();
  // blx to the next word in Thumb state: it also sets r14, the same everywhere.
  emit(0xfaffffff);
  starts.push_back(here());
  thumb.push_back(true);
  std::vector<uint16_t> out;
  for (unsigned i = 0; i < length; ++i) {
    unsigned kind = pick(10);
    if (kind < 6)
      out.push_back(thumbData());
    else if (kind < 9)
      thumbMemory(out);
    else if (chance(50)) // conditional skip of one instruction
      out.insert(out.end(), {uint16_t(0xd000 | pick(14) << 8),
                             uint16_t(0x3000 | pick(8) << 8 | pick(256)),
                             uint16_t(0x3800 | pick(8) << 8 | pick(256))});
    else if (chance(50)) // over one
      out.insert(out.end(), {0xe000, 0x46c0, 0x46c0});
    else // call of the next instruction but one
      out.insert(out.end(), {0xf000, 0xf801, 0x46c0, 0x46c0});
  }
  if (out.size() % 2)
    out.push_back(0x46c0); // bx pc wants a word boundary
  out.push_back(0x4778); // bx pc
  out.push_back(0x46c0);
  for (size_t i = 0; i < out.size(); i += 2)
    emit(out[i] | uint32_t(out[i + 1]) << 16);
  epilogue();
}

RandomProgram::RandomProgram(uint64_t seed, unsigned blocks, unsigned length)
    : data(kDataSize / 4), random(seed) {
  // r13 for all blocks.
  emit(0xe3a0d501); // mov r13, #0x400000
  emit(0xe28dda06); // add r13, r13, #0x6000
  for (unsigned b = 0; b < blocks && b < kMaxBlocks; ++b) {
    if (b % 2)
      thumbBlock(length);
    else
      armBlock(length);
  }
  finish();
  auto at = [&](uint32_t address) -> uint32_t & {
    return data[(address - kData) / 4];
  };
  for (uint32_t a = kScratch - 0x1000; a < kScratch + 0x800; a += 4)
    at(a) = interesting();
  for (uint32_t b = 0; b < kMaxBlocks; ++b) {
    uint32_t *input = &at(kInputs + b * 64);
    input[0] = uint32_t(random()) & 0xf8000000;
    for (unsigned r = 1; r < 16; ++r)
      input[r] = interesting();
    input[1 + 11] = kScratch - 0x100 - pick(16) * 8;
  }
  at(kNextInput) = kInputs;
  at(kNextOutput) = kOutputs;
}

std::string RandomProgram::elf() const {
  std::vector<uint32_t> head(0x1000 / 4);
  static constexpr uint8_t kIdent[16] = {0x7f, 'E', 'L', 'F', 1, 1, 1};
  std::memcpy(head.data(), kIdent, 16);
  uint32_t codeBytes = uint32_t(code.size() * 4);
  uint32_t dataOffset = (0x1000 + codeBytes + 0xfff) & ~0xfffu;
  head[4] = 2 | 40 << 16; // executable for ARM
  head[5] = 1;
  head[6] = kCode; // entry
  head[7] = 52;    // program headers
  head[9] = 0x05000000; // EABI 5
  head[10] = 52 | 32 << 16;
  head[11] = 2;
  uint32_t *p = &head[13];
  uint32_t text[8] = {1, 0x1000, kCode, kCode, codeBytes, codeBytes, 5, 0x1000};
  uint32_t rest[8] = {1,         dataOffset, kData, kData,
                      kDataSize, kDataSize,  6,     0x1000};
  std::memcpy(p, text, 32);
  std::memcpy(p + 8, rest, 32);
  std::string file(dataOffset + kDataSize, '\0');
  std::memcpy(file.data(), head.data(), 0x1000);
  std::memcpy(file.data() + 0x1000, code.data(), codeBytes);
  std::memcpy(file.data() + dataOffset, data.data(), kDataSize);
  return file;
}

} // namespace neuroc::test
