// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What loads and stores do, for single registers, pairs and lists. Addresses
// are formed, alignment is checked (or the ARMv5 rotation applied when the
// alignment trap is off), the access is made, and only then do registers
// change: an aborted or yielding access leaves no trace.

#include "Execute.h"

#include <array>
#include <utility>

namespace neuroc::rt::spinn {

namespace {

uint32_t shiftedOffset(const Cpu &c, const Op &op) {
  uint32_t m = c.r[op.rm];
  unsigned n = op.shift;
  switch (Operand(op.aux2)) {
  case Operand::LslImmediate: return m << n;
  case Operand::LsrImmediate: return n == 32 ? 0 : m >> n;
  case Operand::AsrImmediate: return uint32_t(int32_t(m) >> (n == 32 ? 31 : n));
  case Operand::RorImmediate: return std::rotr(m, n);
  case Operand::Rrx: return m >> 1 | uint32_t(c.nzcv >> 1 & 1) << 31;
  default: return m;
  }
}

template <OffsetKind O> uint32_t offsetOf(const Cpu &c, const Op &op) {
  if constexpr (O == OffsetKind::Immediate)
    return op.imm;
  uint32_t value = O == OffsetKind::Register ? c.r[op.rm] : shiftedOffset(c, op);
  return (value ^ op.imm) - op.imm; // imm: 0, or all ones to subtract
}

bool misaligned(Cpu &c, uint32_t address, uint32_t mask) {
  if (!(address & mask)) [[likely]]
    return false;
  if (!(c.cp15Control & 2))
    return false;
  c.dataAbort(address);
  return true;
}

template <Access A>
inline bool access(Cpu &c, const Op &op, uint32_t address) {
  uint32_t value;
  if constexpr (A == Access::Word) {
    if (misaligned(c, address, 3) || !c.read(op, address & ~3u, 4, value))
      return false;
    if (address & 3) [[unlikely]] {
      value = std::rotr(value, 8 * (address & 3));
      c.cycle += c.timing->loadUseNarrow - c.timing->loadUseWord;
    }
    c.r[op.rd] = value;
  } else if constexpr (A == Access::Byte || A == Access::SignedByte) {
    if (!c.read(op, address, 1, value))
      return false;
    c.r[op.rd] = A == Access::Byte ? value : uint32_t(int32_t(int8_t(value)));
  } else if constexpr (A == Access::Half || A == Access::SignedHalf) {
    if (misaligned(c, address, 1) || !c.read(op, address & ~1u, 2, value))
      return false;
    c.r[op.rd] = A == Access::Half ? value : uint32_t(int32_t(int16_t(value)));
  } else if constexpr (A == Access::StoreWord) {
    value = c.r[op.rd] + (op.rd == 15 && !c.thumb ? 4 : 0);
    return !misaligned(c, address, 3) && c.write(op, address & ~3u, 4, value);
  } else if constexpr (A == Access::StoreByte) {
    return c.write(op, address, 1, c.r[op.rd] & 0xff);
  } else if constexpr (A == Access::StoreHalf) {
    return !misaligned(c, address, 1) &&
           c.write(op, address & ~1u, 2, c.r[op.rd] & 0xffff);
  } else if constexpr (A == Access::Double) {
    uint32_t second;
    if (misaligned(c, address, 7) || !c.read(op, address & ~7u, 4, value) ||
        !c.read(op, (address & ~7u) + 4, 4, second))
      return false;
    c.r[op.rd] = value;
    c.r[op.rd + 1] = second;
  } else {
    return !misaligned(c, address, 7) &&
           c.write(op, address & ~7u, 4, c.r[op.rd]) &&
           c.write(op, (address & ~7u) + 4, 4, c.r[op.rd + 1]);
  }
  return true;
}

template <Access A, OffsetKind O, Index I>
void loadStore(Cpu &c, const Op &op) {
  uint32_t base = c.r[op.rn];
  uint32_t moved = base + offsetOf<O>(c, op);
  constexpr bool load = A <= Access::SignedHalf || A == Access::Double;
  if (!access<A>(c, op, I == Index::PostIndexed ? base : moved))
    return;
  // A loaded register that is also the base keeps the loaded value.
  if constexpr (I != Index::Offset)
    if (!load || op.rn != op.rd)
      c.r[op.rn] = moved;
  if constexpr (A == Access::Word)
    if (op.rd == 15)
      c.jumpExchange(c.r[15]);
}

constexpr unsigned kOffsets = unsigned(OffsetKind::Count);
constexpr unsigned kIndexes = unsigned(Index::Count);
constexpr unsigned kAccesses = unsigned(Access::Count);
template <size_t... I>
constexpr std::array<Handler, sizeof...(I)>
makeMemoryTable(std::index_sequence<I...>) {
  return {{&loadStore<Access(I / (kOffsets * kIndexes)),
                      OffsetKind(I / kIndexes % kOffsets),
                      Index(I % kIndexes)>...}};
}
constexpr auto kMemoryTable =
    makeMemoryTable(std::make_index_sequence<kAccesses * kOffsets * kIndexes>());

// aux of LDM and STM: the P, U, S, W bits as in the instruction, 8 4 2 1.
struct Range {
  uint32_t low, after;
};
Range rangeOf(const Cpu &c, const Op &op) {
  uint32_t base = c.r[op.rn], bytes = 4u * op.shift;
  bool before = op.aux & 8, up = op.aux & 4;
  uint32_t low = up ? base + (before ? 4 : 0)
                    : base - bytes + (before ? 0 : 4);
  return {low, up ? base + bytes : base - bytes};
}

void loadMultiple(Cpu &c, const Op &op) {
  auto [low, after] = rangeOf(c, op);
  if (misaligned(c, low, 3))
    return;
  uint32_t values[16], at = low & ~3u, n = 0;
  uint32_t offset = at - kDtcmBase;
  if (offset < kDtcmSize && kDtcmSize - offset >= 4u * op.shift) [[likely]] {
    std::memcpy(values, c.dtcm + offset, 4u * op.shift);
    c.cycle += c.dtcmWait * op.shift;
  } else {
    for (unsigned i = 0; i < op.shift; ++i, at += 4)
      if (!c.read(op, at, 4, values[i]))
        return;
  }
  bool toPc = op.imm & 0x8000, user = (op.aux & 2) && !toPc;
  if (op.aux & 1)
    c.r[op.rn] = after;
  for (uint32_t set = op.imm & 0x7fff; set; set &= set - 1) {
    unsigned reg = std::countr_zero(set);
    if (user)
      c.setUserRegister(reg, values[n++]);
    else
      c.r[reg] = values[n++];
  }
  if (!toPc)
    return;
  if (op.aux & 2) {
    if (bankOf(c.mode) != 0)
      c.setCpsr(c.spsr);
    c.jump(values[n]);
  } else {
    c.jumpExchange(values[n]);
  }
}

void storeMultiple(Cpu &c, const Op &op) {
  auto [low, after] = rangeOf(c, op);
  if (misaligned(c, low, 3))
    return;
  uint32_t at = low & ~3u;
  bool first = true;
  for (uint32_t set = op.imm; set; set &= set - 1, at += 4) {
    unsigned reg = std::countr_zero(set);
    uint32_t value = op.aux & 2 ? c.userRegister(reg) : c.r[reg];
    if (reg == 15 && !c.thumb)
      value += 4;
    // A base in the list is stored as it was only when it comes first.
    if (reg == op.rn && !first && (op.aux & 1))
      value = after;
    first = false;
    if (!c.write(op, at, 4, value))
      return;
  }
  if (op.aux & 1)
    c.r[op.rn] = after;
}

} // namespace

Handler memoryHandler(Access access, OffsetKind offset, Index index) {
  return kMemoryTable[(unsigned(access) * kOffsets + unsigned(offset)) *
                          kIndexes +
                      unsigned(index)];
}
Handler multipleHandler(bool load) {
  return load ? loadMultiple : storeMultiple;
}

void execLiteral(Cpu &c, const Op &op) {
  uint32_t value;
  if (misaligned(c, op.imm, 3) || !c.read(op, op.imm & ~3u, 4, value))
    return;
  c.r[op.rd] = std::rotr(value, 8 * (op.imm & 3));
  if (op.rd == 15)
    c.jumpExchange(value);
}

void execSwap(Cpu &c, const Op &op) {
  uint32_t address = c.r[op.rn], value;
  if (misaligned(c, address, 3) || !c.read(op, address & ~3u, 4, value) ||
      !c.write(op, address & ~3u, 4, c.r[op.rm]))
    return;
  c.r[op.rd] = std::rotr(value, 8 * (address & 3));
}

void execSwapByte(Cpu &c, const Op &op) {
  uint32_t address = c.r[op.rn], value;
  if (!c.read(op, address, 1, value) ||
      !c.write(op, address, 1, c.r[op.rm] & 0xff))
    return;
  c.r[op.rd] = value;
}

} // namespace neuroc::rt::spinn
