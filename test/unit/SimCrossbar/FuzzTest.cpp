// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Random legal programs on random register contents: they may fault, they may
// deadlock, they may not crash, hang or differ between two runs.
#include "Harness.h"

using namespace neuroc::rt;
using namespace neuroc::rt::xbar;

namespace {

/// A program that first loads the registers from words 1 to 15, so that the
/// validator knows none of them, then does random things.
std::vector<uint64_t> randomProgram(std::mt19937_64 &random, unsigned length,
                                    bool communicates) {
  std::vector<uint64_t> code;
  for (int64_t reg = 1; reg < 16; ++reg)
    code.push_back(encode(Instr(Op::Lw, {reg, 0, reg})));
  while (code.size() < length) {
    Op op = Op(random() % kNumInstructions);
    Unit unit = info(op).unit;
    if (unit == Unit::Control && op != Op::Beq && op != Op::Fence)
      continue; // no endless loops, no early end
    if (unit == Unit::Network && !communicates)
      continue;
    Instr instr(op);
    const InstrInfo &row = info(op);
    for (unsigned i = 0; i < row.numFields; ++i) {
      const Field &field = row.fields[i];
      if (field.isRegister())
        instr.v[i] = field.name == "abase" ? 0 : int64_t(random() % 20);
      else if (field.kind == FieldKind::Target)
        instr.v[i] = int64_t(random() % 2);
      else if (field.name == "slices" || field.name == "n")
        instr.v[i] = 1 + int64_t(random() % 3);
      else if (field.name == "array")
        instr.v[i] = int64_t(random() % 5);
      else
        instr.v[i] = std::min<int64_t>(field.highest(), int64_t(random() % 40));
    }
    code.push_back(encode(instr));
  }
  code.push_back(encode(Instr(Op::Halt)));
  code.push_back(encode(Instr(Op::Halt)));
  return code;
}

std::vector<int32_t> randomWords(std::mt19937_64 &random) {
  std::vector<int32_t> words(16);
  static const int32_t small[] = {0, 1, 2, 3, 5, 8, 13, 16, 31, 100, 400};
  for (int32_t &word : words)
    word =
        random() % 16 ? small[random() % std::size(small)] : int32_t(random());
  return words;
}

std::string runAll(const std::vector<std::vector<uint64_t>> &programs,
                   const std::vector<int32_t> &words, uint64_t &instructions) {
  MachineConfig config = smallMachine();
  config.memoryWords = 1024;
  std::unique_ptr<Machine> machine;
  EXPECT_TRUE(Machine::create(config, machine));
  for (uint32_t tile = 0; tile < programs.size(); ++tile) {
    Status status = machine->loadProgram(tile, programs[tile]);
    if (!status)
      return "refused";
    EXPECT_TRUE(machine->writeMemory(tile, 0, words));
  }
  machine->start();
  StopReason reason;
  Status status = machine->run(reason, 10000000);
  instructions += machine->counters().instructions;
  std::string result = status.message();
  for (uint32_t tile = 0; tile < programs.size(); ++tile)
    for (unsigned reg = 0; reg < kRegisters; ++reg)
      result += " " + std::to_string(machine->readRegister(tile, reg));
  return result + " " + std::to_string(machine->counters().cycles);
}

TEST(Fuzz, RandomProgramsNeverCrash) {
  std::mt19937_64 random(31);
  uint64_t instructions = 0, refused = 0;
  for (int n = 0; n < 4000; ++n) {
    std::vector<std::vector<uint64_t>> programs;
    unsigned tiles = 1 + n % 4;
    for (unsigned tile = 0; tile < tiles; ++tile)
      programs.push_back(randomProgram(random, 24, tiles > 1));
    std::vector<int32_t> words = randomWords(random);
    std::string first = runAll(programs, words, instructions);
    refused += first == "refused";
    EXPECT_EQ(first, runAll(programs, words, instructions));
  }
  EXPECT_LT(refused, 1000u);
  EXPECT_GT(instructions, 100000u); // most programs get somewhere
}

} // namespace
