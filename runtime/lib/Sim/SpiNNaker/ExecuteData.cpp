// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What data-processing and multiply instructions do. The sixteen operations
// exist once per kind of second operand and with or without flags; the
// instances are made by templates, so that each is a few machine instructions.
// Cycles are not here (Timing.cpp).

#include "Execute.h"

#include <array>
#include <utility>

namespace neuroc::rt::spinn {

namespace {

uint32_t rotateRight(uint32_t value, unsigned n) { return std::rotr(value, n); }

/// The second operand; `carry` starts as C and becomes the shifter's carry.
template <Operand K>
inline uint32_t operand2(const Cpu &c, const Op &op, bool &carry) {
  if constexpr (K == Operand::Immediate) {
    if (op.shift)
      carry = op.imm >> 31;
    return op.imm;
  }
  uint32_t m = c.r[op.rm];
  unsigned n = op.shift;
  if constexpr (K == Operand::Register)
    return m;
  if constexpr (K == Operand::LslImmediate) { // 1 to 31
    carry = m >> (32 - n) & 1;
    return m << n;
  }
  if constexpr (K == Operand::LsrImmediate) { // 1 to 32
    carry = m >> (n - 1) & 1;
    return n == 32 ? 0 : m >> n;
  }
  if constexpr (K == Operand::AsrImmediate) { // 1 to 32
    carry = m >> (n - 1) & 1;
    return uint32_t(int32_t(m) >> (n == 32 ? 31 : n));
  }
  if constexpr (K == Operand::RorImmediate) { // 1 to 31
    carry = m >> (n - 1) & 1;
    return rotateRight(m, n);
  }
  if constexpr (K == Operand::Rrx) {
    bool in = carry;
    carry = m & 1;
    return m >> 1 | uint32_t(in) << 31;
  }
  // Shifts by register read the PC one cycle later.
  if (op.rm == 15)
    m += c.thumb ? 0 : 4;
  n = c.r[op.rs] & 0xff;
  if (n == 0)
    return m;
  if constexpr (K == Operand::LslRegister) {
    carry = n <= 32 ? m >> (32 - n) & 1 : 0;
    return n < 32 ? m << n : 0;
  }
  if constexpr (K == Operand::LsrRegister) {
    carry = n <= 32 ? m >> (n - 1) & 1 : 0;
    return n < 32 ? m >> n : 0;
  }
  if constexpr (K == Operand::AsrRegister) {
    unsigned s = n < 32 ? n : 32;
    carry = m >> (s - 1) & 1;
    return uint32_t(int32_t(m) >> (s == 32 ? 31 : s));
  }
  if constexpr (K == Operand::RorRegister) {
    carry = m >> ((n - 1) & 31) & 1;
    return rotateRight(m, n & 31);
  }
  return 0;
}

inline void setNz(Cpu &c, uint32_t value) {
  c.nzcv = (c.nzcv & 3) | (value >> 31) << 3 | uint32_t(value == 0) << 2;
}

/// a + b + in, with all flags when S.
template <bool S>
inline uint32_t addWithCarry(Cpu &c, uint32_t a, uint32_t b, uint32_t in) {
  if constexpr (!S)
    return a + b + in;
  uint64_t wide = uint64_t(a) + b + in;
  uint32_t sum = uint32_t(wide);
  uint32_t v = (~(a ^ b) & (a ^ sum)) >> 31;
  c.nzcv = (sum >> 31) << 3 | uint32_t(sum == 0) << 2 |
           uint32_t(wide >> 32) << 1 | v;
  return sum;
}

template <unsigned OPCODE, Operand K, bool S>
void dataProcessing(Cpu &c, const Op &op) {
  bool carry = c.nzcv >> 1 & 1;
  uint32_t in = carry;
  uint32_t b = operand2<K>(c, op, carry);
  uint32_t a = c.r[op.rn];
  if constexpr (K >= Operand::LslRegister)
    if (op.rn == 15)
      a += c.thumb ? 0 : 4;
  constexpr bool logical = OPCODE == 0 || OPCODE == 1 || OPCODE == 8 ||
                           OPCODE == 9 || OPCODE >= 12;
  constexpr bool test = OPCODE >= 8 && OPCODE <= 11;
  uint32_t value = 0;
  switch (OPCODE) {
  case 0: case 8: value = a & b; break;                       // AND TST
  case 1: case 9: value = a ^ b; break;                       // EOR TEQ
  case 2: case 10: value = addWithCarry<S>(c, a, ~b, 1); break; // SUB CMP
  case 3: value = addWithCarry<S>(c, b, ~a, 1); break;        // RSB
  case 4: case 11: value = addWithCarry<S>(c, a, b, 0); break; // ADD CMN
  case 5: value = addWithCarry<S>(c, a, b, in); break;        // ADC
  case 6: value = addWithCarry<S>(c, a, ~b, in); break;       // SBC
  case 7: value = addWithCarry<S>(c, b, ~a, in); break;       // RSC
  case 12: value = a | b; break;                              // ORR
  case 13: value = b; break;                                  // MOV
  case 14: value = a & ~b; break;                             // BIC
  case 15: value = ~b; break;                                 // MVN
  }
  if constexpr (!test)
    c.r[op.rd] = value;
  if constexpr (S && logical)
    c.nzcv = (value >> 31) << 3 | uint32_t(value == 0) << 2 |
             uint32_t(carry) << 1 | (c.nzcv & 1);
}

constexpr unsigned kOperands = unsigned(Operand::Count);
template <size_t... I>
constexpr std::array<Handler, sizeof...(I)>
makeDataTable(std::index_sequence<I...>) {
  return {{&dataProcessing<I / (kOperands * 2), Operand(I / 2 % kOperands),
                           bool(I & 1)>...}};
}
constexpr auto kDataTable =
    makeDataTable(std::make_index_sequence<16 * kOperands * 2>());

void dataToPc(Cpu &c, const Op &op) {
  bool setFlags = op.aux & 16;
  uint8_t flags = c.nzcv;
  dataHandler(op.aux & 15, Operand(op.aux2), setFlags)(c, op);
  uint32_t target = c.r[15];
  if (setFlags) {
    c.nzcv = flags;
    if (bankOf(c.mode) != 0)
      c.setCpsr(c.spsr);
  }
  c.jump(target);
}

int32_t halfOf(uint32_t value, bool top) {
  return int16_t(top ? value >> 16 : value);
}

/// a + b, saturated, setting Q when `c` is given and it saturates.
int32_t saturatingAdd(Cpu &c, int64_t a, int64_t b) {
  int64_t sum = a + b;
  if (sum > INT32_MAX || sum < INT32_MIN) {
    c.q = true;
    return sum > 0 ? INT32_MAX : INT32_MIN;
  }
  return int32_t(sum);
}

/// 32-bit accumulate that wraps and records signed overflow in Q.
uint32_t accumulate(Cpu &c, int32_t product, uint32_t with) {
  int64_t sum = int64_t(product) + int32_t(with);
  if (sum != int32_t(sum))
    c.q = true;
  return uint32_t(sum);
}

} // namespace

Handler dataHandler(unsigned opcode, Operand operand, bool setFlags) {
  return kDataTable[(opcode * kOperands + unsigned(operand)) * 2 + setFlags];
}
Handler dataPcHandler() { return dataToPc; }

void execMul(Cpu &c, const Op &op) { c.r[op.rd] = c.r[op.rm] * c.r[op.rs]; }
void execMulFlags(Cpu &c, const Op &op) {
  execMul(c, op);
  setNz(c, c.r[op.rd]);
}
void execMla(Cpu &c, const Op &op) {
  c.r[op.rd] = c.r[op.rm] * c.r[op.rs] + c.r[op.rn];
}
void execMlaFlags(Cpu &c, const Op &op) {
  execMla(c, op);
  setNz(c, c.r[op.rd]);
}

void execMultiplyLong(Cpu &c, const Op &op) {
  uint64_t product =
      op.aux & 1 ? uint64_t(int64_t(int32_t(c.r[op.rm])) * int32_t(c.r[op.rs]))
                 : uint64_t(c.r[op.rm]) * c.r[op.rs];
  if (op.aux & 2)
    product += uint64_t(c.r[op.rd]) << 32 | c.r[op.rn];
  c.r[op.rn] = uint32_t(product);
  c.r[op.rd] = uint32_t(product >> 32);
  if (op.aux & 4)
    c.nzcv = (c.nzcv & 3) | uint32_t(product >> 63) << 3 |
             uint32_t(product == 0) << 2;
}

void execMultiply16(Cpu &c, const Op &op) {
  int32_t product =
      halfOf(c.r[op.rm], op.aux & 1) * halfOf(c.r[op.rs], op.aux & 2);
  c.r[op.rd] = op.aux2 ? accumulate(c, product, c.r[op.rn]) : uint32_t(product);
}

void execMultiplyWide(Cpu &c, const Op &op) {
  int64_t wide = int64_t(int32_t(c.r[op.rm])) * halfOf(c.r[op.rs], op.aux & 2);
  int32_t product = int32_t(wide >> 16);
  c.r[op.rd] = op.aux2 ? accumulate(c, product, c.r[op.rn]) : uint32_t(product);
}

void execMultiplyLong16(Cpu &c, const Op &op) {
  int64_t product =
      halfOf(c.r[op.rm], op.aux & 1) * halfOf(c.r[op.rs], op.aux & 2);
  uint64_t sum = (uint64_t(c.r[op.rd]) << 32 | c.r[op.rn]) + uint64_t(product);
  c.r[op.rn] = uint32_t(sum);
  c.r[op.rd] = uint32_t(sum >> 32);
}

void execSaturating(Cpu &c, const Op &op) {
  int64_t m = int32_t(c.r[op.rm]), n = int32_t(c.r[op.rn]);
  if (op.aux & 2)
    n = saturatingAdd(c, n, n);
  c.r[op.rd] = uint32_t(saturatingAdd(c, m, op.aux & 1 ? -n : n));
}

void execCountZeros(Cpu &c, const Op &op) {
  c.r[op.rd] = uint32_t(std::countl_zero(c.r[op.rm]));
}

} // namespace neuroc::rt::spinn
