// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The instruction table is sound: fields do not overlap, encodings do not
// overlap, encode and decode are inverse, and the reference page agrees.
#include "Harness.h"

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <regex>
#include <set>
#include <sstream>

using namespace neuroc::rt::xbar;

namespace {

Instr randomInstr(std::mt19937_64 &random, unsigned index) {
  Instr instr{Op(index)};
  const InstrInfo &row = kInstructions[index];
  for (unsigned i = 0; i < row.numFields; ++i) {
    const Field &field = row.fields[i];
    uint64_t span = uint64_t(field.highest() - field.lowest()) + 1;
    switch (random() % 4) {
    case 0:
      instr.v[i] = field.lowest();
      break;
    case 1:
      instr.v[i] = field.highest();
      break;
    default:
      instr.v[i] = field.lowest() + int64_t(random() % span);
      break;
    }
  }
  return instr;
}

TEST(Isa, FieldsOfAnInstructionAreDisjoint) {
  for (const InstrInfo &row : kInstructions) {
    uint64_t used = uint64_t(0xff) << 56;
    for (const Field &field : row.operands()) {
      EXPECT_EQ(used & field.mask(), 0u) << row.mnemonic << " " << field.name;
      used |= field.mask();
    }
  }
}

TEST(Isa, NoTwoEncodingsOverlap) {
  std::set<std::string_view> names;
  for (unsigned i = 0; i < kNumInstructions; ++i) {
    EXPECT_TRUE(names.insert(kInstructions[i].mnemonic).second)
        << kInstructions[i].mnemonic;
    for (unsigned k = i + 1; k < kNumInstructions; ++k) {
      const InstrInfo &a = kInstructions[i], &b = kInstructions[k];
      uint64_t common = a.mask() & b.mask();
      EXPECT_NE(a.match() & common, b.match() & common)
          << a.mnemonic << " and " << b.mnemonic;
    }
  }
}

TEST(Isa, EncodeAndDecodeAreInverse) {
  std::mt19937_64 random(1);
  for (unsigned i = 0; i < kNumInstructions; ++i)
    for (int n = 0; n < 50; ++n) {
      Instr instr = randomInstr(random, i);
      ASSERT_EQ(firstBadOperand(instr), -1);
      auto back = decode(encode(instr));
      ASSERT_TRUE(back) << kInstructions[i].mnemonic;
      EXPECT_EQ(*back, instr) << kInstructions[i].mnemonic;
    }
}

TEST(Isa, UnusedBitsMustBeZero) {
  for (unsigned i = 0; i < kNumInstructions; ++i) {
    uint64_t word = encode(Instr(Op(i)));
    uint64_t unused = kInstructions[i].mask() & ~(uint64_t(0xff) << 56);
    for (unsigned bit = 0; bit < 56; ++bit)
      if (unused >> bit & 1) {
        EXPECT_FALSE(decode(word | uint64_t(1) << bit))
            << kInstructions[i].mnemonic << " bit " << bit;
      }
  }
  EXPECT_FALSE(decode(0)); // erased memory is no program
}

TEST(Isa, DecodeAcceptsExactlyWhatEncodes) {
  std::mt19937_64 random(2);
  unsigned legal = 0;
  for (int n = 0; n < 200000; ++n) {
    uint64_t word = random();
    if (n % 2) // make legal words frequent
      word &= ~kInstructions[n % kNumInstructions].mask(),
          word |= kInstructions[n % kNumInstructions].match();
    if (auto instr = decode(word)) {
      ++legal;
      EXPECT_EQ(encode(*instr), word);
    }
  }
  EXPECT_GE(legal, 100000u);
}

std::string page(const char *name) {
  std::ifstream file(std::string(NEUROC_SOURCE_DIR) + "/docs/" + name);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

/// "`mnemonic`" | opcode | operands | meaning, as the reference prints it.
std::string tableRow(const InstrInfo &row) {
  char opcode[8];
  std::snprintf(opcode, sizeof opcode, "0x%02x", row.opcode);
  std::string operands;
  for (const Field &field : row.operands()) {
    operands += operands.empty() ? "" : ", ";
    std::string bits = field.width == 1
                           ? std::to_string(field.lo)
                           : std::to_string(field.lo + field.width - 1) + ":" +
                                 std::to_string(field.lo);
    std::string name(field.name);
    if (field.named)
      name += "=" + std::string(field.isRegister() ? "r" : "") +
              std::to_string(field.initial);
    operands += name + " [" + bits + "]";
  }
  std::string summary =
      std::regex_replace(std::string(row.summary), std::regex("\\|"), "\\|");
  return "| `" + std::string(row.mnemonic) + "` | " + opcode + " | " +
         operands + " | " + summary + " |";
}

TEST(Isa, ReferenceHasTheTable) {
  std::string text = page("crossbar-isa.md");
  ASSERT_FALSE(text.empty()) << "docs/crossbar-isa.md is missing";
  // NEUROC_PRINT_ISA=1 prints the rows to paste into the page.
  bool print = std::getenv("NEUROC_PRINT_ISA");
  for (const InstrInfo &row : kInstructions) {
    if (print)
      std::printf("%s\n", tableRow(row).c_str());
    else
      EXPECT_NE(text.find(tableRow(row)), std::string::npos) << tableRow(row);
  }
}

TEST(Isa, ReferenceHasNoOtherInstruction) {
  std::string text = page("crossbar-isa.md");
  std::regex pattern("\\| `([a-z0-9.]+)` \\| 0x");
  std::set<std::string> documented;
  for (std::sregex_iterator it(text.begin(), text.end(), pattern), end;
       it != end; ++it)
    EXPECT_TRUE(documented.insert((*it)[1]).second) << (*it)[1];
  EXPECT_EQ(documented.size(), size_t(kNumInstructions));
}

TEST(Isa, MachineReferenceHasEveryParameter) {
  std::string text = page("crossbar-machine.md");
  MachineConfig machine;
  std::string echo = machineToJson(machine);
  bool print = std::getenv("NEUROC_PRINT_ISA");
  for (const MachineParameter &parameter : machineParameters()) {
    // The default is the value that the default machine's echo has.
    std::string key(parameter.key), section(parameter.section);
    size_t at = echo.find("\"" + section + "\": {");
    ASSERT_NE(at, std::string::npos);
    at = echo.find("\"" + key + "\": ", at) + key.size() + 4;
    std::string value = echo.substr(at, echo.find_first_of(",\n", at) - at);
    char range[64];
    std::snprintf(range, sizeof range, "%.6g to %.6g", parameter.least,
                  parameter.most);
    std::string line = "| `" + section + "." + key + "` | " + value + " | " +
                       range + " | " + std::string(parameter.meaning) + " |";
    if (print)
      std::printf("%s\n", line.c_str());
    else
      EXPECT_NE(text.find(line), std::string::npos) << line;
  }
}

TEST(Isa, MachineReferenceHasEveryPreset) {
  std::string text = page("crossbar-machine.md");
  for (const auto &[name, summary] : machinePresets())
    EXPECT_NE(text.find("| `" + name + "` | " + summary + " |"),
              std::string::npos)
        << name;
}

} // namespace
