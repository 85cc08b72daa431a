// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Checks a tile program before it runs. Structure first (legal words, targets,
// loops), then one pass over the basic blocks with the registers whose values
// are known: block starts know only r0, `set` and `addi` teach, any other
// write forgets. What is not known here is checked when it is executed.
#include "neuroc/rt/xbar/Assembler.h"

#include <algorithm>
#include <optional>

namespace neuroc::rt::xbar {
namespace {

class Validator {
public:
  Validator(std::span<const uint64_t> code, const MachineConfig &machine)
      : code(code), machine(machine) {}

  std::vector<ProgramError> run() {
    if (code.empty())
      error(0, "the program is empty; it must end in 'halt' or a jump");
    if (code.size() > uint64_t(machine.programWords))
      error(0, "the program has " + std::to_string(code.size()) +
                   " instructions, the tile's program memory holds " +
                   std::to_string(machine.programWords));
    for (size_t at = 0; at < code.size(); ++at) {
      std::optional<Instr> instr = decode(code[at]);
      if (!instr)
        error(at, "not a legal instruction");
      instrs.push_back(instr.value_or(Instr()));
    }
    if (!errors.empty() || code.empty())
      return errors;
    checkTargets();
    checkLoops();
    checkEnd();
    checkValues();
    return errors;
  }

private:
  struct Body {
    size_t loop, begin, end;
  };

  void error(size_t at, const std::string &message) {
    errors.push_back({uint32_t(at), message});
  }
  static bool isLoop(Op op) { return op == Op::Loop || op == Op::Loopi; }
  /// Target of the instruction, if it has one.
  std::optional<int64_t> target(size_t at) const {
    const InstrInfo &row = info(instrs[at].op);
    for (unsigned i = 0; i < row.numFields; ++i)
      if (row.fields[i].kind == FieldKind::Target)
        return int64_t(at) + 1 + instrs[at].v[i];
    return std::nullopt;
  }

  void checkTargets() {
    for (size_t at = 0; at < instrs.size(); ++at) {
      std::optional<int64_t> to = target(at);
      if (!to)
        continue;
      int64_t size = int64_t(instrs.size());
      // Only a loop may end behind the last instruction, and then its body
      // must not fall through; that is checkEnd's business.
      if (*to < 0 || *to >= size + isLoop(instrs[at].op))
        error(at, "the target " + std::to_string(*to) +
                      " is outside the program of " + std::to_string(size) +
                      " instructions");
      else if (isLoop(instrs[at].op) && *to <= int64_t(at))
        error(at, "a loop must end after it begins");
    }
  }

  void checkLoops() {
    std::vector<Body> open;
    for (size_t at = 0; at < instrs.size(); ++at) {
      while (!open.empty() && open.back().end <= at)
        open.pop_back();
      if (isLoop(instrs[at].op) && *target(at) > int64_t(at)) {
        size_t end = size_t(*target(at));
        if (!open.empty() && end > open.back().end)
          error(at, "the loop ends at " + std::to_string(end) +
                        ", after the loop around it, which ends at " +
                        std::to_string(open.back().end));
        open.push_back({at, at + 1, end});
        bodies.push_back(open.back());
        if (open.size() > kLoopDepth)
          error(at, "hardware loops are nested deeper than " +
                        std::to_string(kLoopDepth));
      }
    }
    // A branch must not leave or enter a body (its end, which starts the next
    // round, counts as inside); subroutine calls may.
    for (size_t at = 0; at < instrs.size(); ++at) {
      Op op = instrs[at].op;
      if (isLoop(op) || op == Op::Jal || !target(at))
        continue;
      int64_t to = *target(at);
      for (const Body &body : bodies) {
        bool from = at >= body.begin && at < body.end;
        bool inside = to >= int64_t(body.begin) && to < int64_t(body.end);
        bool atEnd = to == int64_t(body.end);
        if (from && !inside && !atEnd)
          error(at, "the branch leaves the loop of instruction " +
                        std::to_string(body.loop));
        else if (!from && inside)
          error(at, "the branch enters the loop of instruction " +
                        std::to_string(body.loop));
      }
    }
  }

  void checkEnd() {
    Op last = instrs.back().op;
    if (last != Op::Halt && last != Op::Jmp && last != Op::Jr)
      error(instrs.size() - 1,
            "the program runs off its end; it must end in 'halt', 'jmp' or "
            "'jr'");
  }

  std::optional<int64_t> known(int64_t reg) const {
    return values[size_t(reg)];
  }
  std::optional<int64_t> operandValue(const Instr &instr,
                                      std::string_view name) const {
    int index = info(instr.op).find(name);
    if (index < 0)
      return std::nullopt;
    int64_t raw = instr.v[unsigned(index)];
    return info(instr.op).fields[unsigned(index)].isRegister() ? known(raw)
                                                               : raw;
  }
  void forgetAll() {
    values.fill(std::nullopt);
    values[0] = 0;
  }

  void checkMemory(size_t at, std::string_view what, int64_t first,
                   int64_t count) {
    if (count < 0)
      error(at, "the length is negative: " + std::to_string(count));
    else if (count > 0 && (first < 0 || first + count > machine.memoryWords))
      error(at, std::string(what) + ": words [" + std::to_string(first) + ", " +
                    std::to_string(first + count) +
                    ") are outside the tile memory of " +
                    std::to_string(machine.memoryWords) + " words");
  }

  void checkArray(size_t at, const Instr &instr) {
    auto base = operandValue(instr, "abase");
    if (!base)
      return;
    int64_t count = operandValue(instr, "slices").value_or(1);
    if (instr.op == Op::Drive)
      count = *operandValue(instr, "n");
    int64_t first = *base + *operandValue(instr, "array");
    if (first < 0 || count < 1 || first + count > machine.arraysPerTile)
      error(at, "arrays [" + std::to_string(first) + ", " +
                    std::to_string(first + count) +
                    ") do not exist, a tile has " +
                    std::to_string(machine.arraysPerTile));
    if (instr.op != Op::Win)
      return;
    auto inside = [&](const char *first, const char *count, int64_t size) {
      auto from = operandValue(instr, first), n = operandValue(instr, count);
      return !from || !n || (*from >= 0 && *n >= 0 && *from + *n <= size);
    };
    if (!inside("row0", "rows", machine.rows) ||
        !inside("col0", "cols", machine.signedCols()))
      error(at, "the window is not inside an array of " +
                    std::to_string(machine.rows) + " rows and " +
                    std::to_string(machine.signedCols()) + " signed columns");
  }

  void checkRanges(size_t at, const Instr &instr) {
    const InstrInfo &row = info(instr.op);
    auto bits = operandValue(instr, "bits");
    if (bits && (*bits < 1 || *bits > 32))
      error(at, "bits must be in [1, 32], got " + std::to_string(*bits));
    if (instr.op == Op::Rdsr && instr.v[1] >= kSpecialRegisters)
      error(at, "special register " + std::to_string(instr.v[1]) +
                    " does not exist, the last is " +
                    std::to_string(kSpecialRegisters - 1));
    if (row.find("array") >= 0)
      checkArray(at, instr);
    if (auto tile = operandValue(instr, "tile");
        tile && (*tile < 0 || *tile >= machine.tiles()))
      error(at, "tile " + std::to_string(*tile) +
                    " does not exist, the machine has " +
                    std::to_string(machine.tiles()));
    if (auto offset = operandValue(instr, "offset");
        offset && row.unit == Unit::Scalar) {
      if (auto base = operandValue(instr, "base"))
        checkMemory(at, "address", *base + *offset, 1);
      return;
    }
    // Vectors of `len` words; tables, lists and copies with strides are
    // checked when executed.
    auto length = operandValue(instr, "len");
    bool plain = row.unit == Unit::Vector || row.unit == Unit::Network;
    if (!length || !plain || instr.op == Op::Vcopy2)
      return;
    for (unsigned i = 0; i < row.numFields; ++i) {
      const Field &field = row.fields[i];
      bool whole = field.name == "dst" || field.name == "src" ||
                   field.name == "a" || field.name == "b" ||
                   field.name == "mask" || field.name == "index" ||
                   field.name == "entities";
      bool packed = row.mnemonic.find("pack") != std::string_view::npos ||
                    row.mnemonic.find("unpk") != std::string_view::npos;
      if (field.kind != FieldKind::RegAddress || !whole || packed)
        continue;
      if (auto first = known(instr.v[i]))
        checkMemory(at, field.name, *first, *length);
    }
  }

  void learn(const Instr &instr) {
    const InstrInfo &row = info(instr.op);
    std::optional<int64_t> result;
    if (instr.op == Op::Set)
      result = instr.v[1];
    else if (instr.op == Op::Addi && known(instr.v[1]))
      result = int32_t(uint32_t(uint64_t(*known(instr.v[1]) + instr.v[2])));
    else if (instr.op == Op::Add && known(instr.v[1]) && known(instr.v[2]))
      result =
          int32_t(uint32_t(uint64_t(*known(instr.v[1]) + *known(instr.v[2]))));
    for (unsigned i = 0; i < row.numFields; ++i)
      if (row.fields[i].kind == FieldKind::RegWrite && instr.v[i] != 0)
        values[size_t(instr.v[i])] = result;
  }

  void checkValues() {
    std::vector<bool> blockStart(instrs.size() + 1, false);
    for (size_t at = 0; at < instrs.size(); ++at) {
      if (auto to = target(at); to && *to >= 0 && *to <= int64_t(instrs.size()))
        blockStart[size_t(*to)] = true;
      // A loop's body is also reached from its end; after a call anything may
      // have changed.
      if (isLoop(instrs[at].op) || instrs[at].op == Op::Jal ||
          instrs[at].op == Op::Jr)
        blockStart[at + 1] = true;
    }
    forgetAll();
    for (size_t at = 0; at < instrs.size(); ++at) {
      if (blockStart[at])
        forgetAll();
      checkRanges(at, instrs[at]);
      learn(instrs[at]);
    }
  }

  std::span<const uint64_t> code;
  const MachineConfig &machine;
  std::vector<Instr> instrs;
  std::vector<Body> bodies;
  std::array<std::optional<int64_t>, kRegisters> values;
  std::vector<ProgramError> errors;
};

} // namespace

std::vector<ProgramError> validateProgram(std::span<const uint64_t> code,
                                          const MachineConfig &machine) {
  return Validator(code, machine).run();
}

} // namespace neuroc::rt::xbar
