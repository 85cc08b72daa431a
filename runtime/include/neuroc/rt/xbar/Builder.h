// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Builds one tile program in memory: emits instructions, binds labels, and
// patches the branch and loop distances when the program is finished.
#ifndef NEUROC_RT_XBAR_BUILDER_H
#define NEUROC_RT_XBAR_BUILDER_H

#include "neuroc/rt/xbar/Isa.h"

#include <initializer_list>
#include <string>
#include <utility>
#include <vector>

namespace neuroc::rt::xbar {

class ProgramBuilder {
public:
  using Label = unsigned;

  Label newLabel() {
    places.push_back(-1);
    return unsigned(places.size() - 1);
  }
  /// A label stands for the next instruction (for the end of a loop: the first
  /// one after its body).
  void bind(Label label) { places[label] = int64_t(code.size()); }
  /// Emits with operands in table order; optional ones may follow or be named
  /// with Instr::with. Returns the instruction's number.
  unsigned emit(Op op, std::initializer_list<int64_t> values = {}) {
    return emit(Instr(op, values));
  }
  unsigned emit(const Instr &instr) {
    code.push_back(instr);
    return unsigned(code.size() - 1);
  }
  /// Emits a branch, jump or loop whose Target operand is `label`; `values`
  /// are the operands before it.
  unsigned emitTo(Op op, std::initializer_list<int64_t> values, Label label) {
    unsigned at = emit(Instr(op, values));
    fixups.push_back({at, label});
    return at;
  }
  unsigned size() const { return unsigned(code.size()); }
  const std::vector<Instr> &instructions() const { return code; }

  /// Encodes all. Empty, with `error` set, when a label is unbound or an
  /// operand does not fit its field.
  std::vector<uint64_t> finish(std::string &error) {
    for (auto [at, label] : fixups) {
      if (places[label] < 0) {
        error = "instruction " + std::to_string(at) + " ('" +
                std::string(info(code[at].op).mnemonic) +
                "') goes to a label that is never bound";
        return {};
      }
      const InstrInfo &row = info(code[at].op);
      for (unsigned i = 0; i < row.numFields; ++i)
        if (row.fields[i].kind == FieldKind::Target)
          code[at].v[i] = places[label] - int64_t(at) - 1;
    }
    std::vector<uint64_t> words;
    words.reserve(code.size());
    for (unsigned at = 0; at < code.size(); ++at) {
      if (int bad = firstBadOperand(code[at]); bad >= 0) {
        const Field &field = info(code[at].op).fields[unsigned(bad)];
        error = "instruction " + std::to_string(at) + " ('" +
                std::string(info(code[at].op).mnemonic) + "'): operand '" +
                std::string(field.name) + "' is " +
                std::to_string(code[at].v[unsigned(bad)]) + ", must be in [" +
                std::to_string(field.lowest()) + ", " +
                std::to_string(field.highest()) + "]";
        return {};
      }
      words.push_back(encode(code[at]));
    }
    return words;
  }

private:
  std::vector<Instr> code;
  std::vector<int64_t> places;
  std::vector<std::pair<unsigned, Label>> fixups;
};

} // namespace neuroc::rt::xbar
#endif // NEUROC_RT_XBAR_BUILDER_H
