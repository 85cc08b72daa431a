// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Text to words in two passes: the first reads every line against the
// instruction table and notes labels, the second fills in targets. It goes on
// after an error so that all are reported at once.
#include "neuroc/rt/xbar/Assembler.h"

#include "neuroc/rt/Json.h"

#include <cctype>
#include <map>

namespace neuroc::rt::xbar {
namespace {

/// A reference to a label, to be resolved.
struct Fixup {
  size_t at;
  unsigned operand;
  std::string label;
  unsigned line, column;
};

class Assembler {
public:
  Assembler(std::string_view text, const std::string &origin)
      : text(text), origin(origin) {}

  Status run(std::vector<uint64_t> &code) {
    size_t begin = 0;
    while (begin <= text.size()) {
      size_t end = text.find('\n', begin);
      if (end == std::string_view::npos)
        end = text.size();
      ++lineNumber;
      line = text.substr(begin, end - begin);
      if (size_t comment = line.find_first_of(";#");
          comment != std::string_view::npos)
        line = line.substr(0, comment);
      at = 0;
      readLine();
      begin = end + 1;
    }
    resolve();
    if (!errors.empty())
      return {Code::InputError, errors};
    code.clear();
    for (const auto &[instr, raw, isRaw] : items)
      code.push_back(isRaw ? raw : encode(instr));
    return Status::ok();
  }

private:
  struct Item {
    Instr instr;
    uint64_t raw = 0;
    bool isRaw = false;
  };

  void error(unsigned column, const std::string &message) {
    if (++errorCount > 100)
      return;
    errors += (errors.empty() ? "" : "\n") + origin + ":" +
              std::to_string(lineNumber) + ":" + std::to_string(column) +
              ": error: " + message;
  }
  unsigned column() const { return unsigned(at) + 1; }

  void skipSpace() {
    while (at < line.size() && std::isspace(uint8_t(line[at])))
      ++at;
  }
  static bool isWordCharacter(char c) {
    return std::isalnum(uint8_t(c)) || c == '_' || c == '.' || c == '$';
  }
  std::string_view word() {
    size_t begin = at;
    while (at < line.size() && isWordCharacter(line[at]))
      ++at;
    return line.substr(begin, at - begin);
  }

  void readLine() {
    skipSpace();
    while (at < line.size()) {
      unsigned start = column();
      std::string_view name = word();
      skipSpace();
      if (name.empty()) {
        error(start, "expected an instruction or a label, found '" +
                         std::string(1, line[at]) + "'");
        return;
      }
      if (at < line.size() && line[at] == ':') {
        if (std::isdigit(uint8_t(name[0])))
          error(start, "a label does not start with a digit");
        else if (!labels.emplace(std::string(name), items.size()).second)
          error(start,
                "label '" + std::string(name) + "' is defined more than once");
        ++at;
        skipSpace();
        continue;
      }
      readInstruction(name, start);
      return;
    }
  }

  void readInstruction(std::string_view name, unsigned start) {
    if (name == ".word") {
      uint64_t value = 0;
      std::string_view number = word();
      if (!parseUnsigned(number, value))
        error(start, "'.word' needs a number");
      items.push_back({Instr(), value, true});
      expectEnd();
      return;
    }
    for (unsigned i = 0; i < kNumInstructions; ++i)
      if (kInstructions[i].mnemonic == name) {
        readOperands(Op(i));
        return;
      }
    static const std::vector<std::string> known = [] {
      std::vector<std::string> names;
      for (const InstrInfo &row : kInstructions)
        names.emplace_back(row.mnemonic);
      return names;
    }();
    std::string near = nearestName(name, known);
    error(start, "no instruction '" + std::string(name) + "'" +
                     (near.empty() ? std::string()
                                   : "; did you mean '" + near + "'?"));
    items.push_back({});
  }

  void readOperands(Op op) {
    const InstrInfo &row = info(op);
    Instr instr(op);
    unsigned positional = 0;
    uint32_t given = 0;
    skipSpace();
    while (at < line.size()) {
      unsigned start = column();
      size_t mark = at;
      std::string_view key = word();
      skipSpace();
      int index = -1;
      if (at < line.size() && line[at] == '=' && !key.empty()) {
        ++at;
        index = row.find(key);
        if (index < 0 || !row.fields[unsigned(index)].named) {
          std::vector<std::string> known;
          for (const Field &field : row.operands())
            if (field.named)
              known.emplace_back(field.name);
          error(start, "'" + std::string(row.mnemonic) +
                           "' has no optional operand '" + std::string(key) +
                           "'" + suggestName(key, known));
          items.push_back({});
          return;
        }
        skipSpace();
      } else {
        at = mark;
        while (positional < row.numFields && row.fields[positional].named)
          ++positional;
        if (positional >= row.numFields) {
          error(start, "too many operands for '" + std::string(row.mnemonic) +
                           "', expected '" + syntax(row) + "'");
          items.push_back({});
          return;
        }
        index = int(positional++);
      }
      if (given >> index & 1)
        error(start, "operand '" +
                         std::string(row.fields[unsigned(index)].name) +
                         "' is given twice");
      given |= uint32_t(1) << index;
      if (!readValue(row.fields[unsigned(index)], instr, unsigned(index))) {
        items.push_back({});
        return;
      }
      skipSpace();
      if (at == line.size())
        break;
      if (line[at] != ',') {
        error(column(), "expected ',' between operands, found '" +
                            std::string(1, line[at]) + "'");
        items.push_back({});
        return;
      }
      ++at;
      skipSpace();
      if (at == line.size())
        error(column(), "expected an operand after ','");
    }
    for (unsigned i = 0; i < row.numFields; ++i)
      if (!row.fields[i].named && !(given >> i & 1)) {
        error(column(), "operand '" + std::string(row.fields[i].name) +
                            "' is missing, expected '" + syntax(row) + "'");
        break;
      }
    items.push_back({instr, 0, false});
  }

  /// "mnemonic dst, a, b [, shift=…]".
  static std::string syntax(const InstrInfo &row) {
    std::string text(row.mnemonic);
    const char *separator = " ";
    for (const Field &field : row.operands()) {
      text += separator + (field.named ? "[" + std::string(field.name) + "=]"
                                       : std::string(field.name));
      separator = ", ";
    }
    return text;
  }

  bool readValue(const Field &field, Instr &instr, unsigned index) {
    unsigned start = column();
    if (field.isRegister()) {
      std::string_view name = word();
      uint64_t number = 0;
      if (name.size() < 2 || name[0] != 'r' ||
          !parseUnsigned(name.substr(1), number) || number >= kRegisters) {
        error(start, "operand '" + std::string(field.name) +
                         "' must be a register r0 to r31, found '" +
                         std::string(name) + "'");
        return false;
      }
      instr.v[index] = int64_t(number);
      return true;
    }
    if (field.kind == FieldKind::Target && at < line.size() &&
        !std::isdigit(uint8_t(line[at])) && line[at] != '+' &&
        line[at] != '-') {
      std::string_view label = word();
      if (label.empty()) {
        error(start, "operand '" + std::string(field.name) +
                         "' must be a label or a distance");
        return false;
      }
      fixups.push_back(
          {items.size(), index, std::string(label), lineNumber, start});
      return true;
    }
    bool negative = at < line.size() && line[at] == '-';
    if (at < line.size() && (line[at] == '-' || line[at] == '+'))
      ++at;
    std::string_view digits = word();
    uint64_t magnitude = 0;
    if (!parseUnsigned(digits, magnitude) || magnitude > uint64_t(INT64_MAX)) {
      error(start,
            "operand '" + std::string(field.name) + "' must be a number" +
                (digits.empty() ? std::string()
                                : ", found '" + std::string(digits) + "'"));
      return false;
    }
    int64_t value = negative ? -int64_t(magnitude) : int64_t(magnitude);
    // 32-bit patterns may be written as unsigned numbers.
    if (field.kind == FieldKind::Signed && field.width == 32 && value > 0 &&
        value <= int64_t(UINT32_MAX))
      value = int32_t(uint32_t(value));
    if (!field.holds(value)) {
      error(start, "operand '" + std::string(field.name) + "' must be in [" +
                       std::to_string(field.lowest()) + ", " +
                       std::to_string(field.highest()) + "], got " +
                       std::to_string(value));
      return false;
    }
    instr.v[index] = value;
    return true;
  }

  static bool parseUnsigned(std::string_view digits, uint64_t &value) {
    value = 0;
    if (digits.empty())
      return false;
    unsigned base = 10;
    if (digits.size() > 2 && digits[0] == '0' &&
        (digits[1] == 'x' || digits[1] == 'X')) {
      base = 16;
      digits.remove_prefix(2);
    }
    for (char c : digits) {
      unsigned digit;
      if (c >= '0' && c <= '9')
        digit = unsigned(c - '0');
      else if (base == 16 && std::isxdigit(uint8_t(c)))
        digit = unsigned(std::tolower(uint8_t(c)) - 'a') + 10;
      else
        return false;
      if (value > (UINT64_MAX - digit) / base)
        return false;
      value = value * base + digit;
    }
    return true;
  }

  void expectEnd() {
    skipSpace();
    if (at < line.size())
      error(column(), "expected the end of the line");
  }

  void resolve() {
    std::vector<std::string> known;
    for (const auto &[name, place] : labels)
      known.push_back(name);
    for (const Fixup &fixup : fixups) {
      lineNumber = fixup.line;
      auto found = labels.find(fixup.label);
      if (found == labels.end()) {
        std::string near = nearestName(fixup.label, known);
        error(fixup.column,
              "label '" + fixup.label + "' is not defined" +
                  (near.empty() ? std::string()
                                : "; did you mean '" + near + "'?"));
        continue;
      }
      Instr &instr = items[fixup.at].instr;
      int64_t distance = int64_t(found->second) - int64_t(fixup.at) - 1;
      if (items[fixup.at].isRaw ||
          !info(instr.op).fields[fixup.operand].holds(distance)) {
        error(fixup.column, "label '" + fixup.label + "' is too far away");
        continue;
      }
      instr.v[fixup.operand] = distance;
    }
  }

  std::string_view text;
  const std::string &origin;
  std::string_view line;
  size_t at = 0;
  unsigned lineNumber = 0, errorCount = 0;
  std::string errors;
  std::vector<Item> items;
  std::map<std::string, size_t> labels;
  std::vector<Fixup> fixups;
};

} // namespace

Status assemble(std::string_view text, const std::string &origin,
                std::vector<uint64_t> &code) {
  return Assembler(text, origin).run(code);
}

} // namespace neuroc::rt::xbar
