// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// From a matched decode row to an Op: operand fields, the function that
// executes it, its cycles, and the register sets that the interlocks need.
// A Thumb instruction is rewritten as the ARM instruction that it abbreviates;
// only those that have none (BL halves, PC-relative ones) are built directly.

#include "Decode.h"
#include "Execute.h"

namespace neuroc::rt::spinn {

namespace {

constexpr uint32_t kAlways = 0xe0000000u;
uint16_t bit(unsigned reg) { return uint16_t(1u << reg); }
uint32_t field(uint32_t word, unsigned low, unsigned width) {
  return word >> low & ((1u << width) - 1);
}
int32_t signExtend(uint32_t value, unsigned bits) {
  return int32_t(value << (32 - bits)) >> (32 - bits);
}

Op undefinedOp() {
  Op op;
  op.run = execUndefined;
  op.cycles = timingRow(Timing::Exception).cycles;
  return op;
}

/// Sets the cycles and the kind of lateness; `results` is the form's business.
void applyTiming(Op &op, Timing timing, const TimingParameters &parameters) {
  const TimingRow &row = timingRow(timing);
  op.cycles = row.cycles;
  switch (row.late) {
  case Late::No:
    op.results = 0;
    break;
  case Late::Word:
    op.late = parameters.loadUseWord;
    op.producer = Producer::Word;
    break;
  case Late::Narrow:
    op.late = parameters.loadUseNarrow;
    op.producer = Producer::Narrow;
    break;
  case Late::Multiply:
    op.late = parameters.multiplyUse;
    op.producer = Producer::Multiply;
    break;
  case Late::Multiply16:
    op.late = parameters.multiplyUse;
    op.producer = Producer::Multiply16;
    break;
  }
  if (op.results == 0)
    op.late = 0;
}

/// Type and amount of an immediate shift (bits 11:5) as an operand kind.
Operand immediateShift(uint32_t word, uint8_t &amount) {
  amount = field(word, 7, 5);
  switch (field(word, 5, 2)) {
  case 0:
    return amount ? Operand::LslImmediate : Operand::Register;
  case 1:
    amount = amount ? amount : 32;
    return Operand::LsrImmediate;
  case 2:
    amount = amount ? amount : 32;
    return Operand::AsrImmediate;
  default:
    return amount ? Operand::RorImmediate : Operand::Rrx;
  }
}

Op decodeData(uint32_t word, const DecodeRow &row,
              const TimingParameters &parameters) {
  Op op;
  unsigned opcode = field(word, 21, 4);
  bool flags = word >> 20 & 1, test = opcode >= 8 && opcode <= 11;
  op.rd = field(word, 12, 4);
  op.rn = field(word, 16, 4);
  op.rm = field(word, 0, 4);
  op.rs = field(word, 8, 4);
  Operand operand;
  if (row.form == Form::DataImmediate) {
    unsigned rotation = 2 * field(word, 8, 4);
    operand = Operand::Immediate;
    op.imm = std::rotr(word & 0xff, int(rotation));
    op.shift = rotation != 0;
  } else if (row.form == Form::DataShifted) {
    operand = immediateShift(word, op.shift);
    op.sources |= bit(op.rm);
  } else {
    operand = Operand(unsigned(Operand::LslRegister) + field(word, 5, 2));
    op.sources |= bit(op.rm) | bit(op.rs);
  }
  if (opcode != 13 && opcode != 15)
    op.sources |= bit(op.rn);
  op.run = dataHandler(opcode, operand, flags);
  applyTiming(op, row.timing, parameters);
  if (test)
    return op;
  op.writes = bit(op.rd);
  if (op.rd == 15) {
    op.run = dataPcHandler();
    op.aux = uint8_t(opcode | (flags ? 16 : 0));
    op.aux2 = uint8_t(operand);
    op.cycles += timingRow(row.timing).toPc;
  }
  return op;
}

Op decodeMultiply(uint32_t word, const DecodeRow &row,
                  const TimingParameters &parameters) {
  Op op;
  op.rd = field(word, 16, 4);
  op.rn = field(word, 12, 4);
  op.rs = field(word, 8, 4);
  op.rm = field(word, 0, 4);
  op.sources = bit(op.rm) | bit(op.rs);
  op.results = op.writes = bit(op.rd);
  bool flags = word >> 20 & 1, add = word >> 21 & 1;
  unsigned halves = field(word, 5, 2); // x, y
  switch (row.form) {
  case Form::Multiply:
    op.run = add ? (flags ? execMlaFlags : execMla)
                 : (flags ? execMulFlags : execMul);
    if (add)
      op.lateSources = bit(op.rn);
    break;
  case Form::MultiplyLong:
    op.run = execMultiplyLong;
    op.aux = uint8_t((word >> 22 & 1) | (add ? 2 : 0) | (flags ? 4 : 0));
    op.writes |= bit(op.rn);
    if (add)
      op.lateSources = bit(op.rn) | bit(op.rd);
    break;
  case Form::Multiply16:
    op.run = execMultiply16;
    op.aux = uint8_t(halves);
    op.aux2 = !(word >> 22 & 1); // SMLAxy
    if (op.aux2)
      op.lateSources = bit(op.rn);
    break;
  case Form::MultiplyWide:
    op.run = execMultiplyWide;
    op.aux = uint8_t(halves & 2);
    op.aux2 = !(word >> 5 & 1); // SMLAWy
    if (op.aux2)
      op.lateSources = bit(op.rn);
    break;
  default:
    op.run = execMultiplyLong16;
    op.aux = uint8_t(halves);
    op.writes |= bit(op.rn);
    op.lateSources = bit(op.rn) | bit(op.rd);
    break;
  }
  op.accumulates = true;
  applyTiming(op, row.timing, parameters);
  return op;
}

Index indexOf(uint32_t word) {
  if (!(word >> 24 & 1))
    return Index::PostIndexed;
  return word >> 21 & 1 ? Index::PreIndexed : Index::Offset;
}

Op decodeLoadStore(uint32_t word, uint32_t pc, const DecodeRow &row,
                   const TimingParameters &parameters) {
  Op op;
  op.rd = field(word, 12, 4);
  op.rn = field(word, 16, 4);
  op.rm = field(word, 0, 4);
  bool up = word >> 23 & 1, load = word >> 20 & 1;
  Index index = indexOf(word);
  OffsetKind offset = OffsetKind::Immediate;
  Access access;
  if (row.form == Form::LoadStoreImmediate ||
      row.form == Form::LoadStoreRegister) {
    bool byte = word >> 22 & 1;
    access = load ? (byte ? Access::Byte : Access::Word)
                  : (byte ? Access::StoreByte : Access::StoreWord);
    if (row.form == Form::LoadStoreImmediate) {
      op.imm = up ? field(word, 0, 12) : -field(word, 0, 12);
    } else {
      Operand shift = immediateShift(word, op.shift);
      offset = shift == Operand::Register ? OffsetKind::Register
                                          : OffsetKind::Shifted;
      op.aux2 = uint8_t(shift);
    }
  } else {
    unsigned kind = field(word, 5, 2); // 1 half, 2 signed byte, 3 signed half
    if (row.form == Form::LoadStoreDouble)
      access = kind == 2 ? Access::Double : Access::StoreDouble;
    else if (!load)
      access = Access::StoreHalf;
    else
      access = kind == 1   ? Access::Half
               : kind == 2 ? Access::SignedByte
                           : Access::SignedHalf;
    load = access != Access::StoreHalf && access != Access::StoreDouble;
    if (word >> 22 & 1) {
      uint32_t value = field(word, 8, 4) << 4 | field(word, 0, 4);
      op.imm = up ? value : -value;
    } else {
      offset = OffsetKind::Register;
    }
  }
  bool pair = access == Access::Double || access == Access::StoreDouble;
  if (pair && (op.rd & 1 || op.rd == 14))
    return undefinedOp();
  op.sources = bit(op.rn);
  if (offset != OffsetKind::Immediate) {
    op.imm = up ? 0 : ~0u;
    op.sources |= bit(op.rm);
  }
  if (index != Index::Offset)
    op.writes |= bit(op.rn);
  if (load) {
    op.results = pair ? bit(op.rd + 1) : bit(op.rd);
    op.writes |= bit(op.rd) | (pair ? bit(op.rd + 1) : 0);
  } else {
    op.lateSources = bit(op.rd);
  }
  op.run = memoryHandler(access, offset, index);
  applyTiming(op, row.timing, parameters);
  if (offset == OffsetKind::Shifted)
    op.cycles += parameters.scaledOffset;
  if (access == Access::Word && op.rd == 15) {
    op.cycles += timingRow(row.timing).toPc;
    op.results = 0;
    op.late = 0;
  }
  if (access == Access::Word && op.rn == 15 && index == Index::Offset &&
      offset == OffsetKind::Immediate) {
    op.run = execLiteral;
    op.imm += pc + 8;
  }
  return op;
}

Op decodeMultiple(uint32_t word, const DecodeRow &row,
                  const TimingParameters &parameters) {
  Op op;
  op.rn = field(word, 16, 4);
  op.imm = word & 0xffff;
  op.shift = uint8_t(std::popcount(op.imm));
  if (op.shift == 0 || op.rn == 15)
    return undefinedOp();
  bool load = word >> 20 & 1;
  op.aux = uint8_t(field(word, 24, 1) << 3 | field(word, 23, 1) << 2 |
                   field(word, 22, 1) << 1 | field(word, 21, 1));
  op.sources = bit(op.rn);
  if (op.aux & 1)
    op.writes |= bit(op.rn);
  if (load) {
    op.writes |= uint16_t(op.imm);
    op.results = uint16_t(std::bit_floor(op.imm));
  } else {
    op.lateSources = uint16_t(op.imm & -op.imm);
  }
  op.run = multipleHandler(load);
  applyTiming(op, row.timing, parameters);
  op.cycles = std::max<uint8_t>(op.cycles, op.shift);
  if (load && (op.imm & 0x8000)) {
    op.cycles = uint8_t(op.shift + timingRow(row.timing).toPc);
    op.results = 0;
    op.late = 0;
  }
  return op;
}

Op decodeBranch(uint32_t word, uint32_t pc, const DecodeRow &row,
                const TimingParameters &parameters) {
  Op op;
  op.imm = pc + 8 + uint32_t(signExtend(word & 0xffffff, 24)) * 4;
  if (row.form == Form::BranchLinkExchangeImmediate) {
    op.imm += word >> 23 & 2;
    op.run = execBranchLinkToThumb;
  } else {
    op.run = word >> 24 & 1 ? execBranchLink : execBranch;
  }
  applyTiming(op, row.timing, parameters);
  return op;
}

Op decodeStatus(uint32_t word, const DecodeRow &row,
                const TimingParameters &parameters) {
  Op op;
  op.rd = field(word, 12, 4);
  op.rm = field(word, 0, 4);
  op.aux = field(word, 22, 1);
  op.aux2 = field(word, 16, 4);
  switch (row.form) {
  case Form::Mrs:
    op.run = execMrs;
    op.writes = bit(op.rd);
    break;
  case Form::MsrRegister:
    op.run = execMsrRegister;
    op.sources = bit(op.rm);
    break;
  default:
    op.run = execMsrImmediate;
    op.imm = std::rotr(word & 0xff, int(2 * field(word, 8, 4)));
    break;
  }
  applyTiming(op, row.timing, parameters);
  return op;
}

Op decodeCoprocessor(uint32_t word, const DecodeRow &row,
                     const TimingParameters &parameters) {
  Op op;
  op.rd = field(word, 12, 4);
  op.aux = field(word, 16, 4);
  op.aux2 = field(word, 0, 4);
  op.shift = field(word, 5, 3);
  op.rs = field(word, 8, 4);
  if (row.form == Form::Mcr) {
    op.run = execMcr;
    op.lateSources = bit(op.rd);
  } else {
    op.run = execMrc;
    op.writes = op.results = bit(op.rd);
  }
  applyTiming(op, row.timing, parameters);
  return op;
}

Op decodeRow(uint32_t word, uint32_t pc, const DecodeRow &row,
             const TimingParameters &parameters) {
  Op op;
  switch (row.form) {
  case Form::DataImmediate:
  case Form::DataShifted:
  case Form::DataRegisterShift:
    return decodeData(word, row, parameters);
  case Form::Multiply:
  case Form::MultiplyLong:
  case Form::Multiply16:
  case Form::MultiplyWide:
  case Form::MultiplyLong16:
    return decodeMultiply(word, row, parameters);
  case Form::Saturating:
    op.run = execSaturating;
    op.rd = field(word, 12, 4);
    op.rn = field(word, 16, 4);
    op.rm = field(word, 0, 4);
    op.aux = field(word, 21, 2);
    op.sources = bit(op.rn) | bit(op.rm);
    op.writes = op.results = bit(op.rd);
    break;
  case Form::CountZeros:
    op.run = execCountZeros;
    op.rd = field(word, 12, 4);
    op.rm = field(word, 0, 4);
    op.sources = bit(op.rm);
    op.writes = bit(op.rd);
    break;
  case Form::Mrs:
  case Form::MsrRegister:
  case Form::MsrImmediate:
    return decodeStatus(word, row, parameters);
  case Form::BranchExchange:
  case Form::BranchLinkExchange:
    op.run = row.form == Form::BranchExchange ? execBranchExchange
                                              : execBranchLinkExchange;
    op.rm = field(word, 0, 4);
    op.sources = bit(op.rm);
    break;
  case Form::Branch:
  case Form::BranchLinkExchangeImmediate:
    return decodeBranch(word, pc, row, parameters);
  case Form::LoadStoreImmediate:
  case Form::LoadStoreRegister:
  case Form::LoadStoreExtra:
  case Form::LoadStoreDouble:
    return decodeLoadStore(word, pc, row, parameters);
  case Form::LoadStoreMultiple:
    return decodeMultiple(word, row, parameters);
  case Form::Swap:
    op.run = word >> 22 & 1 ? execSwapByte : execSwap;
    op.rd = field(word, 12, 4);
    op.rn = field(word, 16, 4);
    op.rm = field(word, 0, 4);
    op.sources = bit(op.rn);
    op.lateSources = bit(op.rm);
    op.writes = op.results = bit(op.rd);
    break;
  case Form::Mcr:
  case Form::Mrc:
    return decodeCoprocessor(word, row, parameters);
  case Form::Preload:
    op.run = execNothing;
    break;
  case Form::Breakpoint:
    op.run = execBreakpoint;
    break;
  case Form::SoftwareInterrupt:
    op.run = execSoftwareInterrupt;
    break;
  default:
    return undefinedOp();
  }
  applyTiming(op, row.timing, parameters);
  return op;
}

/// ARM encodings that Thumb instructions abbreviate.
uint32_t armData(unsigned opcode, bool flags, unsigned rd, unsigned rn,
                 uint32_t operand) {
  return kAlways | opcode << 21 | uint32_t(flags) << 20 | rn << 16 | rd << 12 |
         operand;
}
constexpr uint32_t kImmediateOperand = 1u << 25;
/// Single transfer, offset addressing: `base` has the opcode bits.
uint32_t armTransfer(uint32_t base, unsigned rd, unsigned rn, uint32_t offset) {
  return kAlways | base | 1u << 24 | 1u << 23 | rn << 16 | rd << 12 | offset;
}
uint32_t splitOffset(uint32_t offset) { // of half-word transfers
  return 1u << 22 | (offset & 0xf0) << 4 | (offset & 0xf);
}

uint32_t thumbAluAsArm(unsigned code, unsigned rd, unsigned rs) {
  auto shifted = [&](unsigned type) {
    return armData(13, true, rd, 0, rs << 8 | type << 5 | 1u << 4 | rd);
  };
  switch (code) {
  case 0: return armData(0, true, rd, rd, rs);
  case 1: return armData(1, true, rd, rd, rs);
  case 2: return shifted(0);
  case 3: return shifted(1);
  case 4: return shifted(2);
  case 5: return armData(5, true, rd, rd, rs);
  case 6: return armData(6, true, rd, rd, rs);
  case 7: return shifted(3);
  case 8: return armData(8, true, 0, rd, rs);
  case 9: return armData(3, true, rd, rs, kImmediateOperand);
  case 10: return armData(10, true, 0, rd, rs);
  case 11: return armData(11, true, 0, rd, rs);
  case 12: return armData(12, true, rd, rd, rs);
  case 13: return kAlways | 0x00100090 | rd << 16 | rd << 8 | rs;
  case 14: return armData(14, true, rd, rd, rs);
  default: return armData(15, true, rd, 0, rs);
  }
}

uint32_t thumbRegisterOffsetAsArm(uint32_t h) {
  unsigned rd = h & 7, rn = h >> 3 & 7, rm = h >> 6 & 7;
  switch (h >> 9 & 7) {
  case 0: return armTransfer(0x06000000, rd, rn, rm); // str
  case 1: return armTransfer(0x000000b0, rd, rn, rm); // strh
  case 2: return armTransfer(0x06400000, rd, rn, rm); // strb
  case 3: return armTransfer(0x001000d0, rd, rn, rm); // ldrsb
  case 4: return armTransfer(0x06100000, rd, rn, rm); // ldr
  case 5: return armTransfer(0x001000b0, rd, rn, rm); // ldrh
  case 6: return armTransfer(0x06500000, rd, rn, rm); // ldrb
  default: return armTransfer(0x001000f0, rd, rn, rm); // ldrsh
  }
}

/// The ARM word for the Thumb forms that have one; 0 for the others.
uint32_t thumbAsArm(uint32_t h, Form form) {
  unsigned rd = h & 7, rs = h >> 3 & 7, wide = h >> 8 & 7;
  switch (form) {
  case Form::ThumbShift: {
    // An LSR or ASR amount of 0 means 32 in both encodings.
    return armData(13, true, rd, 0,
                   (h >> 6 & 31) << 7 | (h >> 11 & 3) << 5 | rs);
  }
  case Form::ThumbAddSubtract: {
    uint32_t operand = (h >> 6 & 7) | (h >> 10 & 1 ? kImmediateOperand : 0);
    return armData(h >> 9 & 1 ? 2 : 4, true, rd, rs, operand);
  }
  case Form::ThumbImmediate: {
    static constexpr unsigned kCodes[] = {13, 10, 4, 2};
    unsigned code = kCodes[h >> 11 & 3];
    return armData(code, true, code == 10 ? 0 : wide, code == 13 ? 0 : wide,
                   kImmediateOperand | (h & 0xff));
  }
  case Form::ThumbAlu:
    return thumbAluAsArm(h >> 6 & 15, rd, rs);
  case Form::ThumbHigh: {
    unsigned d = rd | (h >> 4 & 8), m = h >> 3 & 15;
    unsigned code = h >> 8 & 3;
    return code == 0   ? armData(4, false, d, d, m)
           : code == 1 ? armData(10, true, 0, d, m)
                       : armData(13, false, d, 0, m);
  }
  case Form::ThumbExchange:
    return kAlways | (h & 0x80 ? 0x012fff30 : 0x012fff10) | (h >> 3 & 15);
  case Form::ThumbRegisterOffset:
    return thumbRegisterOffsetAsArm(h);
  case Form::ThumbImmediateOffset: {
    bool byte = h >> 12 & 1, load = h >> 11 & 1;
    uint32_t offset = (h >> 6 & 31) * (byte ? 1 : 4);
    return armTransfer(0x04000000 | uint32_t(byte) << 22 | uint32_t(load) << 20,
                       rd, rs, offset);
  }
  case Form::ThumbHalfOffset:
    return armTransfer(0x000000b0 | (h >> 11 & 1) << 20, rd, rs,
                       splitOffset((h >> 6 & 31) * 2));
  case Form::ThumbStackOffset:
    return armTransfer(0x04000000 | (h >> 11 & 1) << 20, wide, 13,
                       (h & 0xff) * 4);
  case Form::ThumbAdjustStack:
    return armData(h >> 7 & 1 ? 2 : 4, false, 13, 13,
                   kImmediateOperand | 15u << 8 | (h & 0x7f));
  case Form::ThumbPushPop:
    return h >> 11 & 1 ? kAlways | 0x08bd0000 | (h & 0xff) | (h & 0x100) << 7
                       : kAlways | 0x092d0000 | (h & 0xff) | (h & 0x100) << 6;
  case Form::ThumbMultiple: {
    // The base is written back unless it is loaded.
    bool load = h >> 11 & 1, inList = h >> wide & 1;
    uint32_t back = load && inList ? 0 : 1u << 21;
    return kAlways | 0x08800000 | uint32_t(load) << 20 | back | wide << 16 |
           (h & 0xff);
  }
  default:
    return 0;
  }
}

} // namespace

Op decodeArm(uint32_t word, uint32_t pc, const TimingParameters &timing) {
  const DecodeRow *row = findArm(word);
  if (!row)
    return undefinedOp();
  Op op = decodeRow(word, pc, *row, timing);
  op.cond = word >> 28 == 15 ? 14 : uint8_t(word >> 28);
  return op;
}

Op decodeThumb(uint16_t half, uint32_t pc, const TimingParameters &timing) {
  uint32_t h = half;
  const DecodeRow *row = findThumb(half);
  if (!row)
    return undefinedOp();
  if (uint32_t word = thumbAsArm(h, row->form))
    return decodeArm(word, pc, timing);
  Op op;
  switch (row->form) {
  case Form::ThumbLiteral:
    op.run = execLiteral;
    op.rd = h >> 8 & 7;
    op.imm = ((pc + 4) & ~3u) + (h & 0xff) * 4;
    op.writes = op.results = bit(op.rd);
    break;
  case Form::ThumbAddress:
    op.rd = h >> 8 & 7;
    if (h >> 11 & 1)
      return decodeArm(armData(4, false, op.rd, 13,
                               kImmediateOperand | 15u << 8 | (h & 0xff)),
                       pc, timing);
    op.run = execThumbAddressOfPc;
    op.imm = ((pc + 4) & ~3u) + (h & 0xff) * 4;
    op.writes = bit(op.rd);
    break;
  case Form::ThumbConditional:
    op.run = execBranch;
    op.cond = h >> 8 & 15;
    op.imm = pc + 4 + uint32_t(signExtend(h & 0xff, 8)) * 2;
    break;
  case Form::ThumbBranch:
    op.run = execBranch;
    op.imm = pc + 4 + uint32_t(signExtend(h & 0x7ff, 11)) * 2;
    break;
  case Form::ThumbBlPrefix:
    op.run = execThumbBlPrefix;
    op.imm = uint32_t(signExtend(h & 0x7ff, 11)) << 12;
    op.writes = bit(14);
    break;
  case Form::ThumbBlSuffix:
  case Form::ThumbBlxSuffix:
    op.run = row->form == Form::ThumbBlSuffix ? execThumbBlSuffix
                                              : execThumbBlxSuffix;
    op.imm = (h & 0x7ff) * 2;
    op.sources = op.writes = bit(14);
    break;
  case Form::ThumbSwi:
    op.run = execSoftwareInterrupt;
    break;
  case Form::ThumbBkpt:
    op.run = execBreakpoint;
    break;
  default:
    return undefinedOp();
  }
  applyTiming(op, row->timing, timing);
  return op;
}

} // namespace neuroc::rt::spinn
