// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Decoding as data: one row per instruction form, with the bits that must
// match. Rows of one instruction set may overlap only where the earlier row is
// strictly more specific (a test checks it).
#ifndef NEUROC_SIM_SPINN_DECODE_H
#define NEUROC_SIM_SPINN_DECODE_H

#include "Timing.h"

#include <cstdint>
#include <span>

namespace neuroc::rt::spinn {

/// The shape of an instruction: which function fills in the operands.
enum class Form : uint8_t {
  DataImmediate,
  DataShifted,
  DataRegisterShift,
  Multiply,
  MultiplyLong,
  Multiply16,
  MultiplyWide,
  MultiplyLong16,
  Saturating,
  CountZeros,
  Mrs,
  MsrRegister,
  MsrImmediate,
  BranchExchange,
  BranchLinkExchange,
  BranchLinkExchangeImmediate,
  Branch,
  LoadStoreImmediate,
  LoadStoreRegister,
  LoadStoreExtra,
  LoadStoreDouble,
  LoadStoreMultiple,
  Swap,
  Mcr,
  Mrc,
  Preload,
  Breakpoint,
  SoftwareInterrupt,
  Undefined,
  // Thumb only: the rest become the ARM forms above.
  ThumbShift,
  ThumbAddSubtract,
  ThumbImmediate,
  ThumbAlu,
  ThumbHigh,
  ThumbExchange,
  ThumbLiteral,
  ThumbRegisterOffset,
  ThumbImmediateOffset,
  ThumbHalfOffset,
  ThumbStackOffset,
  ThumbAddress,
  ThumbAdjustStack,
  ThumbPushPop,
  ThumbMultiple,
  ThumbConditional,
  ThumbBranch,
  ThumbBlPrefix,
  ThumbBlSuffix,
  ThumbBlxSuffix,
  ThumbSwi,
  ThumbBkpt,
};

struct DecodeRow {
  uint32_t mask, match;
  const char *name;
  Form form;
  Timing timing;
};

/// ARM rows for condition codes 0 to 14 (the mask leaves out the condition),
/// for condition code 15, and Thumb rows (16 bits).
std::span<const DecodeRow> armRows();
std::span<const DecodeRow> armUnconditionalRows();
std::span<const DecodeRow> thumbRows();
/// The row of an instruction, null if none matches.
const DecodeRow *findArm(uint32_t word);
const DecodeRow *findThumb(uint16_t half);

} // namespace neuroc::rt::spinn
#endif // NEUROC_SIM_SPINN_DECODE_H
