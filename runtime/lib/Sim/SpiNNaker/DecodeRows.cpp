// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The decode tables: every instruction form of ARMv5TE, ARM and Thumb, as
// (mask, match, name). The first row that matches wins; rows that specialise
// another stand before it.

#include "Decode.h"

namespace neuroc::rt::spinn {

#define NEUROC_DATA(code, name, s)                                             \
  {0x0fe00010 | s, 0x00000000 | code << 21 | s, name " (shifted)",             \
   Form::DataShifted, Timing::Data},                                           \
      {0x0fe00090 | s, 0x00000010 | code << 21 | s, name " (register shift)",  \
       Form::DataRegisterShift, Timing::DataRegisterShift},                    \
      {0x0fe00000 | s, 0x02000000 | code << 21 | s, name " (immediate)",       \
       Form::DataImmediate, Timing::Data}
#define NEUROC_S 0x00100000u

static constexpr DecodeRow kArm[] = {
    {0x0ffffff0, 0x012fff10, "bx", Form::BranchExchange, Timing::Branch},
    {0x0ffffff0, 0x012fff30, "blx", Form::BranchLinkExchange, Timing::Branch},
    {0x0ff000f0, 0x01200070, "bkpt", Form::Breakpoint, Timing::Exception},
    {0x0fff0ff0, 0x016f0f10, "clz", Form::CountZeros, Timing::CountZeros},
    {0x0ff00ff0, 0x01000050, "qadd", Form::Saturating, Timing::Saturating},
    {0x0ff00ff0, 0x01200050, "qsub", Form::Saturating, Timing::Saturating},
    {0x0ff00ff0, 0x01400050, "qdadd", Form::Saturating, Timing::Saturating},
    {0x0ff00ff0, 0x01600050, "qdsub", Form::Saturating, Timing::Saturating},
    {0x0ff00090, 0x01000080, "smlaxy", Form::Multiply16, Timing::Multiply16},
    {0x0ff000b0, 0x01200080, "smlawy", Form::MultiplyWide, Timing::Multiply16},
    {0x0ff0f0b0, 0x012000a0, "smulwy", Form::MultiplyWide, Timing::Multiply16},
    {0x0ff00090, 0x01400080, "smlalxy", Form::MultiplyLong16,
     Timing::MultiplyLong16},
    {0x0ff0f090, 0x01600080, "smulxy", Form::Multiply16, Timing::Multiply16},
    {0x0ff0f0f0, 0x00000090, "mul", Form::Multiply, Timing::Multiply},
    {0x0ff0f0f0, 0x00100090, "muls", Form::Multiply, Timing::MultiplyFlags},
    {0x0ff000f0, 0x00200090, "mla", Form::Multiply, Timing::Multiply},
    {0x0ff000f0, 0x00300090, "mlas", Form::Multiply, Timing::MultiplyFlags},
    {0x0ff000f0, 0x00800090, "umull", Form::MultiplyLong, Timing::MultiplyLong},
    {0x0ff000f0, 0x00900090, "umulls", Form::MultiplyLong,
     Timing::MultiplyLongFlags},
    {0x0ff000f0, 0x00a00090, "umlal", Form::MultiplyLong, Timing::MultiplyLong},
    {0x0ff000f0, 0x00b00090, "umlals", Form::MultiplyLong,
     Timing::MultiplyLongFlags},
    {0x0ff000f0, 0x00c00090, "smull", Form::MultiplyLong, Timing::MultiplyLong},
    {0x0ff000f0, 0x00d00090, "smulls", Form::MultiplyLong,
     Timing::MultiplyLongFlags},
    {0x0ff000f0, 0x00e00090, "smlal", Form::MultiplyLong, Timing::MultiplyLong},
    {0x0ff000f0, 0x00f00090, "smlals", Form::MultiplyLong,
     Timing::MultiplyLongFlags},
    {0x0ff00ff0, 0x01000090, "swp", Form::Swap, Timing::Swap},
    {0x0ff00ff0, 0x01400090, "swpb", Form::Swap, Timing::SwapByte},
    {0x0e1000f0, 0x000000b0, "strh", Form::LoadStoreExtra, Timing::Store},
    {0x0e1000f0, 0x001000b0, "ldrh", Form::LoadStoreExtra, Timing::LoadNarrow},
    {0x0e1000f0, 0x000000d0, "ldrd", Form::LoadStoreDouble, Timing::LoadDouble},
    {0x0e1000f0, 0x001000d0, "ldrsb", Form::LoadStoreExtra, Timing::LoadNarrow},
    {0x0e1000f0, 0x000000f0, "strd", Form::LoadStoreDouble,
     Timing::StoreDouble},
    {0x0e1000f0, 0x001000f0, "ldrsh", Form::LoadStoreExtra, Timing::LoadNarrow},
    {0x0fbf0fff, 0x010f0000, "mrs", Form::Mrs, Timing::Mrs},
    {0x0fbffff0, 0x0128f000, "msr (flags, register)", Form::MsrRegister,
     Timing::MsrFlags},
    {0x0fb0fff0, 0x0120f000, "msr (register)", Form::MsrRegister,
     Timing::MsrOther},
    {0x0fbff000, 0x0328f000, "msr (flags, immediate)", Form::MsrImmediate,
     Timing::MsrFlags},
    {0x0fb0f000, 0x0320f000, "msr (immediate)", Form::MsrImmediate,
     Timing::MsrOther},
    NEUROC_DATA(0u, "and", 0u),
    NEUROC_DATA(1u, "eor", 0u),
    NEUROC_DATA(2u, "sub", 0u),
    NEUROC_DATA(3u, "rsb", 0u),
    NEUROC_DATA(4u, "add", 0u),
    NEUROC_DATA(5u, "adc", 0u),
    NEUROC_DATA(6u, "sbc", 0u),
    NEUROC_DATA(7u, "rsc", 0u),
    NEUROC_DATA(8u, "tst", NEUROC_S),
    NEUROC_DATA(9u, "teq", NEUROC_S),
    NEUROC_DATA(10u, "cmp", NEUROC_S),
    NEUROC_DATA(11u, "cmn", NEUROC_S),
    NEUROC_DATA(12u, "orr", 0u),
    NEUROC_DATA(13u, "mov", 0u),
    NEUROC_DATA(14u, "bic", 0u),
    NEUROC_DATA(15u, "mvn", 0u),
    {0x0e500000, 0x04000000, "str (immediate)", Form::LoadStoreImmediate,
     Timing::Store},
    {0x0e500000, 0x04100000, "ldr (immediate)", Form::LoadStoreImmediate,
     Timing::Load},
    {0x0e500000, 0x04400000, "strb (immediate)", Form::LoadStoreImmediate,
     Timing::Store},
    {0x0e500000, 0x04500000, "ldrb (immediate)", Form::LoadStoreImmediate,
     Timing::LoadNarrow},
    {0x0e500010, 0x06000000, "str (register)", Form::LoadStoreRegister,
     Timing::Store},
    {0x0e500010, 0x06100000, "ldr (register)", Form::LoadStoreRegister,
     Timing::Load},
    {0x0e500010, 0x06400000, "strb (register)", Form::LoadStoreRegister,
     Timing::Store},
    {0x0e500010, 0x06500000, "ldrb (register)", Form::LoadStoreRegister,
     Timing::LoadNarrow},
    {0x0e100000, 0x08000000, "stm", Form::LoadStoreMultiple,
     Timing::StoreMultiple},
    {0x0e100000, 0x08100000, "ldm", Form::LoadStoreMultiple,
     Timing::LoadMultiple},
    {0x0e000000, 0x0a000000, "b, bl", Form::Branch, Timing::Branch},
    {0x0e000000, 0x0c000000, "ldc, stc, mcrr, mrrc", Form::Undefined,
     Timing::Exception},
    {0x0f000010, 0x0e000000, "cdp", Form::Undefined, Timing::Exception},
    {0x0f100010, 0x0e000010, "mcr", Form::Mcr, Timing::Mcr},
    {0x0f100010, 0x0e100010, "mrc", Form::Mrc, Timing::Mrc},
    {0x0f000000, 0x0f000000, "swi", Form::SoftwareInterrupt, Timing::Exception},
};

static constexpr DecodeRow kUnconditional[] = {
    {0xfd70f000, 0xf550f000, "pld", Form::Preload, Timing::Preload},
    {0xfe000000, 0xfa000000, "blx (immediate)",
     Form::BranchLinkExchangeImmediate, Timing::Branch},
    {0xfe000000, 0xfc000000, "ldc2, stc2", Form::Undefined, Timing::Exception},
    {0xff000000, 0xfe000000, "cdp2, mcr2, mrc2", Form::Undefined,
     Timing::Exception},
};

#define NEUROC_THUMB_ALU(code, name, timing)                                   \
  {0xffc0, 0x4000 | code << 6, name, Form::ThumbAlu, timing}

// The timing of Thumb rows is that of the ARM form they stand for, except where
// a row has its own form to the end (BL halves, SWI, BKPT, branches).
static constexpr DecodeRow kThumb[] = {
    {0xf800, 0x0000, "lsl (immediate)", Form::ThumbShift, Timing::Data},
    {0xf800, 0x0800, "lsr (immediate)", Form::ThumbShift, Timing::Data},
    {0xf800, 0x1000, "asr (immediate)", Form::ThumbShift, Timing::Data},
    {0xfe00, 0x1800, "add (register)", Form::ThumbAddSubtract, Timing::Data},
    {0xfe00, 0x1a00, "sub (register)", Form::ThumbAddSubtract, Timing::Data},
    {0xfe00, 0x1c00, "add (3 bits)", Form::ThumbAddSubtract, Timing::Data},
    {0xfe00, 0x1e00, "sub (3 bits)", Form::ThumbAddSubtract, Timing::Data},
    {0xf800, 0x2000, "mov (8 bits)", Form::ThumbImmediate, Timing::Data},
    {0xf800, 0x2800, "cmp (8 bits)", Form::ThumbImmediate, Timing::Data},
    {0xf800, 0x3000, "add (8 bits)", Form::ThumbImmediate, Timing::Data},
    {0xf800, 0x3800, "sub (8 bits)", Form::ThumbImmediate, Timing::Data},
    NEUROC_THUMB_ALU(0, "and", Timing::Data),
    NEUROC_THUMB_ALU(1, "eor", Timing::Data),
    NEUROC_THUMB_ALU(2, "lsl", Timing::DataRegisterShift),
    NEUROC_THUMB_ALU(3, "lsr", Timing::DataRegisterShift),
    NEUROC_THUMB_ALU(4, "asr", Timing::DataRegisterShift),
    NEUROC_THUMB_ALU(5, "adc", Timing::Data),
    NEUROC_THUMB_ALU(6, "sbc", Timing::Data),
    NEUROC_THUMB_ALU(7, "ror", Timing::DataRegisterShift),
    NEUROC_THUMB_ALU(8, "tst", Timing::Data),
    NEUROC_THUMB_ALU(9, "neg", Timing::Data),
    NEUROC_THUMB_ALU(10, "cmp", Timing::Data),
    NEUROC_THUMB_ALU(11, "cmn", Timing::Data),
    NEUROC_THUMB_ALU(12, "orr", Timing::Data),
    NEUROC_THUMB_ALU(13, "mul", Timing::MultiplyFlags),
    NEUROC_THUMB_ALU(14, "bic", Timing::Data),
    NEUROC_THUMB_ALU(15, "mvn", Timing::Data),
    {0xff00, 0x4400, "add (high)", Form::ThumbHigh, Timing::Data},
    {0xff00, 0x4500, "cmp (high)", Form::ThumbHigh, Timing::Data},
    {0xff00, 0x4600, "mov (high)", Form::ThumbHigh, Timing::Data},
    {0xff87, 0x4700, "bx", Form::ThumbExchange, Timing::Branch},
    {0xff87, 0x4780, "blx", Form::ThumbExchange, Timing::Branch},
    {0xf800, 0x4800, "ldr (literal)", Form::ThumbLiteral, Timing::Load},
    {0xfe00, 0x5000, "str (register)", Form::ThumbRegisterOffset,
     Timing::Store},
    {0xfe00, 0x5200, "strh (register)", Form::ThumbRegisterOffset,
     Timing::Store},
    {0xfe00, 0x5400, "strb (register)", Form::ThumbRegisterOffset,
     Timing::Store},
    {0xfe00, 0x5600, "ldrsb (register)", Form::ThumbRegisterOffset,
     Timing::LoadNarrow},
    {0xfe00, 0x5800, "ldr (register)", Form::ThumbRegisterOffset, Timing::Load},
    {0xfe00, 0x5a00, "ldrh (register)", Form::ThumbRegisterOffset,
     Timing::LoadNarrow},
    {0xfe00, 0x5c00, "ldrb (register)", Form::ThumbRegisterOffset,
     Timing::LoadNarrow},
    {0xfe00, 0x5e00, "ldrsh (register)", Form::ThumbRegisterOffset,
     Timing::LoadNarrow},
    {0xf800, 0x6000, "str (immediate)", Form::ThumbImmediateOffset,
     Timing::Store},
    {0xf800, 0x6800, "ldr (immediate)", Form::ThumbImmediateOffset,
     Timing::Load},
    {0xf800, 0x7000, "strb (immediate)", Form::ThumbImmediateOffset,
     Timing::Store},
    {0xf800, 0x7800, "ldrb (immediate)", Form::ThumbImmediateOffset,
     Timing::LoadNarrow},
    {0xf800, 0x8000, "strh (immediate)", Form::ThumbHalfOffset, Timing::Store},
    {0xf800, 0x8800, "ldrh (immediate)", Form::ThumbHalfOffset,
     Timing::LoadNarrow},
    {0xf800, 0x9000, "str (stack)", Form::ThumbStackOffset, Timing::Store},
    {0xf800, 0x9800, "ldr (stack)", Form::ThumbStackOffset, Timing::Load},
    {0xf800, 0xa000, "add (pc)", Form::ThumbAddress, Timing::Data},
    {0xf800, 0xa800, "add (sp)", Form::ThumbAddress, Timing::Data},
    {0xff80, 0xb000, "add sp", Form::ThumbAdjustStack, Timing::Data},
    {0xff80, 0xb080, "sub sp", Form::ThumbAdjustStack, Timing::Data},
    {0xfe00, 0xb400, "push", Form::ThumbPushPop, Timing::StoreMultiple},
    {0xfe00, 0xbc00, "pop", Form::ThumbPushPop, Timing::LoadMultiple},
    {0xff00, 0xbe00, "bkpt", Form::ThumbBkpt, Timing::Exception},
    {0xf800, 0xc000, "stmia", Form::ThumbMultiple, Timing::StoreMultiple},
    {0xf800, 0xc800, "ldmia", Form::ThumbMultiple, Timing::LoadMultiple},
    {0xff00, 0xde00, "udf", Form::Undefined, Timing::Exception},
    {0xff00, 0xdf00, "swi", Form::ThumbSwi, Timing::Exception},
    {0xf000, 0xd000, "b (conditional)", Form::ThumbConditional, Timing::Branch},
    {0xf800, 0xe000, "b", Form::ThumbBranch, Timing::Branch},
    {0xf801, 0xe800, "blx (second half)", Form::ThumbBlxSuffix, Timing::Branch},
    {0xf800, 0xf000, "bl (first half)", Form::ThumbBlPrefix,
     Timing::BranchPrefix},
    {0xf800, 0xf800, "bl (second half)", Form::ThumbBlSuffix, Timing::Branch},
};

std::span<const DecodeRow> armRows() { return kArm; }
std::span<const DecodeRow> armUnconditionalRows() { return kUnconditional; }
std::span<const DecodeRow> thumbRows() { return kThumb; }

static const DecodeRow *find(std::span<const DecodeRow> rows, uint32_t word) {
  for (const DecodeRow &row : rows)
    if ((word & row.mask) == row.match)
      return &row;
  return nullptr;
}
const DecodeRow *findArm(uint32_t word) {
  return word >> 28 == 15 ? find(kUnconditional, word) : find(kArm, word);
}
const DecodeRow *findThumb(uint16_t half) { return find(kThumb, half); }

} // namespace neuroc::rt::spinn
