// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Words to text. Optional operands are printed where they differ from their
// default; targets become labels in whole programs and distances otherwise.
#include "neuroc/rt/xbar/Assembler.h"

#include <cstdio>
#include <set>

namespace neuroc::rt::xbar {

static std::string render(uint64_t word, const std::string *target) {
  std::optional<Instr> instr = decode(word);
  if (!instr) {
    char text[32];
    std::snprintf(text, sizeof text, ".word 0x%016llx",
                  static_cast<unsigned long long>(word));
    return text;
  }
  const InstrInfo &row = info(instr->op);
  std::string text(row.mnemonic);
  bool first = true;
  for (unsigned i = 0; i < row.numFields; ++i) {
    const Field &field = row.fields[i];
    int64_t value = instr->v[i];
    if (field.named && value == field.initial)
      continue;
    text += first ? " " : ", ";
    first = false;
    if (field.named) {
      text += field.name;
      text += '=';
    }
    if (field.isRegister())
      text += "r" + std::to_string(value);
    else if (field.kind == FieldKind::Target && target)
      text += *target;
    else if (field.kind == FieldKind::Target && value >= 0)
      text += "+" + std::to_string(value);
    else
      text += std::to_string(value);
  }
  return text;
}

/// Where the instruction at `at` goes, if it has a target inside the program
/// (its end included).
static std::optional<uint64_t> targetOf(uint64_t word, uint64_t at,
                                        uint64_t size) {
  std::optional<Instr> instr = decode(word);
  if (!instr)
    return std::nullopt;
  const InstrInfo &row = info(instr->op);
  for (unsigned i = 0; i < row.numFields; ++i)
    if (row.fields[i].kind == FieldKind::Target) {
      int64_t to = int64_t(at) + 1 + instr->v[i];
      if (to >= 0 && uint64_t(to) <= size)
        return uint64_t(to);
    }
  return std::nullopt;
}

std::string disassemble(uint64_t word) { return render(word, nullptr); }

std::string disassembleProgram(std::span<const uint64_t> code) {
  std::set<uint64_t> labels;
  for (size_t at = 0; at < code.size(); ++at)
    if (auto to = targetOf(code[at], at, code.size()))
      labels.insert(*to);
  std::string text;
  for (size_t at = 0; at <= code.size(); ++at) {
    if (labels.count(at))
      text += "L" + std::to_string(at) + ":\n";
    if (at == code.size())
      break;
    if (auto to = targetOf(code[at], at, code.size())) {
      std::string label = "L" + std::to_string(*to);
      text += "  " + render(code[at], &label) + "\n";
    } else {
      text += "  " + render(code[at], nullptr) + "\n";
    }
  }
  return text;
}

} // namespace neuroc::rt::xbar
