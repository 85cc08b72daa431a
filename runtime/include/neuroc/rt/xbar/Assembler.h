// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Text form of tile programs, and their validator.
//
//   ; a comment            # also a comment
//   start:                 a label stands for the next instruction
//     set r1, 100          decimal or 0x hexadecimal
//     loopi 4, done        a target is a label, or a distance such as +3
//     mvm r1, r2, bits=8, acc=1, array=3
//   done:
//     halt
#ifndef NEUROC_RT_XBAR_ASSEMBLER_H
#define NEUROC_RT_XBAR_ASSEMBLER_H

#include "neuroc/rt/Status.h"
#include "neuroc/rt/xbar/Isa.h"
#include "neuroc/rt/xbar/MachineConfig.h"

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace neuroc::rt::xbar {

/// Translates text. All errors are reported, one per line, as
/// "origin:line:column: error: …". Errors: InputError.
Status assemble(std::string_view text, const std::string &origin,
                std::vector<uint64_t> &code);

/// One instruction; `at` is its number, for targets. A word that is no
/// instruction becomes ".word 0x…".
std::string disassemble(uint64_t word);
/// A whole program with labels for its targets; assembling the text gives the
/// same words.
std::string disassembleProgram(std::span<const uint64_t> code);

struct ProgramError {
  uint32_t at = 0; ///< instruction number
  std::string message;
};
/// Checks a tile program against a machine: legal words, targets inside,
/// loops closed, properly nested and not too deep, no fall off the end, and,
/// for operands that constant propagation within basic blocks knows, array
/// numbers, windows, tile numbers and memory ranges.
std::vector<ProgramError> validateProgram(std::span<const uint64_t> code,
                                          const MachineConfig &machine);

} // namespace neuroc::rt::xbar
#endif // NEUROC_RT_XBAR_ASSEMBLER_H
