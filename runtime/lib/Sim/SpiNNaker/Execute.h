// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Where the decoder finds the functions that execute instructions. Each look-up
// returns the function specialised for the form; the operands are in the Op.
#ifndef NEUROC_SIM_SPINN_EXECUTE_H
#define NEUROC_SIM_SPINN_EXECUTE_H

#include "Cpu.h"

namespace neuroc::rt::spinn {

/// Second operands of data processing.
enum class Operand : uint8_t {
  Immediate,
  Register,
  LslImmediate,
  LsrImmediate,
  AsrImmediate,
  RorImmediate,
  Rrx,
  LslRegister,
  LsrRegister,
  AsrRegister,
  RorRegister,
  Count
};

/// How a load or store forms its address and what becomes of the base.
enum class Index : uint8_t { Offset, PreIndexed, PostIndexed, Count };
enum class OffsetKind : uint8_t { Immediate, Register, Shifted, Count };

/// Access kinds of loads and stores of one register.
enum class Access : uint8_t {
  Word,
  Byte,
  Half,
  SignedByte,
  SignedHalf,
  StoreWord,
  StoreByte,
  StoreHalf,
  Double,
  StoreDouble,
  Count
};

Handler dataHandler(unsigned opcode, Operand operand, bool setFlags);
/// The same with the PC as destination; also restores CPSR when `setFlags`.
Handler dataPcHandler();
Handler memoryHandler(Access access, OffsetKind offset, Index index);
Handler multipleHandler(bool load);

// One function each.
void execMul(Cpu &, const Op &);
void execMulFlags(Cpu &, const Op &);
void execMla(Cpu &, const Op &);
void execMlaFlags(Cpu &, const Op &);
void execMultiplyLong(Cpu &, const Op &); ///< aux: 1 signed, 2 add, 4 flags
void execMultiply16(Cpu &, const Op &);   ///< aux: x, y; aux2: accumulate
void execMultiplyWide(Cpu &, const Op &);
void execMultiplyLong16(Cpu &, const Op &);
void execSaturating(Cpu &, const Op &); ///< aux: 0 qadd qsub qdadd qdsub
void execCountZeros(Cpu &, const Op &);
void execMrs(Cpu &, const Op &);
void execMsrRegister(Cpu &, const Op &);
void execMsrImmediate(Cpu &, const Op &);
void execBranch(Cpu &, const Op &);
void execBranchLink(Cpu &, const Op &);
void execBranchLinkToThumb(Cpu &, const Op &);
void execBranchExchange(Cpu &, const Op &);
void execBranchLinkExchange(Cpu &, const Op &);
void execThumbBlPrefix(Cpu &, const Op &);
void execThumbBlSuffix(Cpu &, const Op &);
void execThumbBlxSuffix(Cpu &, const Op &);
void execThumbAddressOfPc(Cpu &, const Op &);
void execLiteral(Cpu &, const Op &); ///< LDR from the absolute address `imm`
void execSwap(Cpu &, const Op &);
void execSwapByte(Cpu &, const Op &);
void execMcr(Cpu &, const Op &);
void execMrc(Cpu &, const Op &);
void execNothing(Cpu &, const Op &);
void execBreakpoint(Cpu &, const Op &);
void execSoftwareInterrupt(Cpu &, const Op &);
void execUndefined(Cpu &, const Op &);

} // namespace neuroc::rt::spinn
#endif // NEUROC_SIM_SPINN_EXECUTE_H
