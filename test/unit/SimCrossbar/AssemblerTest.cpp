// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Text and words: round trips over every instruction with random operands,
// every error message, and random bytes.
#include "Harness.h"

using namespace neuroc::rt;
using namespace neuroc::rt::xbar;

namespace {

std::string assembleError(const std::string &text) {
  std::vector<uint64_t> code;
  Status status = assemble(text, "t.s", code);
  EXPECT_FALSE(status) << "no error for: " << text;
  return status.message();
}

TEST(Assembler, EveryInstructionRoundTrips) {
  std::mt19937_64 random(3);
  for (unsigned i = 0; i < kNumInstructions; ++i)
    for (int n = 0; n < 40; ++n) {
      Instr instr{Op(i)};
      const InstrInfo &row = kInstructions[i];
      for (unsigned k = 0; k < row.numFields; ++k) {
        const Field &field = row.fields[k];
        uint64_t span = uint64_t(field.highest() - field.lowest()) + 1;
        instr.v[k] = field.lowest() + int64_t(random() % span);
      }
      uint64_t word = encode(instr);
      std::string text = disassemble(word);
      std::vector<uint64_t> code;
      Status status = assemble(text, "t.s", code);
      ASSERT_TRUE(status) << text << ": " << status.message();
      ASSERT_EQ(code.size(), 1u);
      EXPECT_EQ(code[0], word) << text;
    }
}

TEST(Assembler, ProgramsRoundTripThroughLabels) {
  std::mt19937_64 random(4);
  for (int n = 0; n < 50; ++n) {
    std::vector<uint64_t> code;
    const unsigned size = 40;
    for (unsigned at = 0; at < size; ++at) {
      Instr instr{Op(random() % kNumInstructions)};
      const InstrInfo &row = info(instr.op);
      for (unsigned k = 0; k < row.numFields; ++k)
        if (row.fields[k].kind == FieldKind::Target)
          instr.v[k] = int64_t(random() % (size + 1)) - at - 1;
        else
          instr.v[k] = int64_t(random() % 2) ? row.fields[k].highest() : 0;
      code.push_back(encode(instr));
    }
    code.push_back(0x123); // no instruction: .word
    std::vector<uint64_t> back;
    std::string text = disassembleProgram(code);
    Status status = assemble(text, "t.s", back);
    ASSERT_TRUE(status) << status.message() << "\n" << text;
    EXPECT_EQ(back, code);
  }
}

TEST(Assembler, LabelsCommentsNumbers) {
  auto code = assembled("start: set r1, 0xffffffff ; minus one\n"
                        "# a whole line\n"
                        "loop r1, end\n"
                        "  addi r2, r2, -5\n"
                        "end: beq r1, r2, start\n"
                        "bne r1, r2, -1\n"
                        "jmp +0\n"
                        "mvm r1, r2, array=3, bits=4, acc=1");
  ASSERT_EQ(code.size(), 7u);
  EXPECT_EQ(*decode(code[0]), Instr(Op::Set, {1, -1}));
  EXPECT_EQ(*decode(code[1]), Instr(Op::Loop, {1, 1}));
  EXPECT_EQ(*decode(code[3]), Instr(Op::Beq, {1, 2, -4}));
  EXPECT_EQ(*decode(code[4]), Instr(Op::Bne, {1, 2, -1}));
  EXPECT_EQ(
      *decode(code[6]),
      Instr(Op::Mvm, {1, 2}).with("array", 3).with("bits", 4).with("acc", 1));
}

TEST(Assembler, DisassemblyLeavesDefaultsOut) {
  EXPECT_EQ(disassemble(encode(Instr(Op::Mvm, {1, 2}))), "mvm r1, r2");
  EXPECT_EQ(disassemble(encode(Instr(Op::Mvm, {1, 2}).with("abase", 5))),
            "mvm r1, r2, abase=r5");
  EXPECT_EQ(disassemble(7), ".word 0x0000000000000007");
}

TEST(Assembler, ErrorsNameThePlace) {
  EXPECT_EQ(assembleError("\n  vad r1, r2, r3, r4"),
            "t.s:2:3: error: no instruction 'vad'; did you mean 'vadd'?");
  EXPECT_EQ(assembleError("zzzzzz"), "t.s:1:1: error: no instruction 'zzzzzz'");
  EXPECT_EQ(assembleError("add r1, r2, r32"),
            "t.s:1:13: error: operand 'b' must be a register r0 to r31, "
            "found 'r32'");
  EXPECT_EQ(assembleError("set r1, x"),
            "t.s:1:9: error: operand 'imm' must be a number, found 'x'");
  EXPECT_EQ(assembleError("set r1, 99999999999"),
            "t.s:1:9: error: operand 'imm' must be in [-2147483648, "
            "2147483647], got 99999999999");
  EXPECT_EQ(assembleError("mvm r1, r2, bitz=3"),
            "t.s:1:13: error: 'mvm' has no optional operand 'bitz'; did you "
            "mean 'bits'?");
  EXPECT_EQ(assembleError("mvm r1, r2, bits=64"),
            "t.s:1:18: error: operand 'bits' must be in [0, 63], got 64");
  EXPECT_EQ(assembleError("mvm r1, r2, bits=1, bits=2"),
            "t.s:1:21: error: operand 'bits' is given twice");
  EXPECT_EQ(assembleError("add r1, r2"),
            "t.s:1:11: error: operand 'b' is missing, expected 'add dst, a, "
            "b'");
  EXPECT_EQ(assembleError("halt r1"),
            "t.s:1:6: error: too many operands for 'halt', expected 'halt'");
  EXPECT_EQ(assembleError("add r1 r2"),
            "t.s:1:8: error: expected ',' between operands, found 'r'");
  EXPECT_EQ(assembleError("jmp ende\nend: halt"),
            "t.s:1:5: error: label 'ende' is not defined; did you mean "
            "'end'?");
  EXPECT_EQ(assembleError("a: halt\na: halt"),
            "t.s:2:1: error: label 'a' is defined more than once");
  EXPECT_EQ(assembleError("1a: halt"),
            "t.s:1:1: error: a label does not start with a digit");
  EXPECT_EQ(assembleError("(halt)"),
            "t.s:1:1: error: expected an instruction or a label, found '('");
  EXPECT_EQ(assembleError("jmp *"),
            "t.s:1:5: error: operand 'target' must be a label or a distance");
  EXPECT_EQ(assembleError(".word q"), "t.s:1:1: error: '.word' needs a number");
  EXPECT_EQ(assembleError(".word 1 2"),
            "t.s:1:9: error: expected the end of the line");
  EXPECT_EQ(assembleError("add r1, r2,"),
            "t.s:1:12: error: expected an operand after ','\n"
            "t.s:1:12: error: operand 'b' is missing, expected 'add dst, a, "
            "b'");
}

TEST(Assembler, FarLabelIsAnError) {
  std::string text = "loop r1, end\n";
  for (int i = 0; i < (1 << 19); ++i)
    text += "nop\n";
  EXPECT_EQ(assembleError(text + "end: halt"),
            "t.s:1:10: error: label 'end' is too far away");
}

TEST(Assembler, AllErrorsAreReported) {
  std::string message = assembleError("foo\nbar r1\nhalt\nbaz");
  EXPECT_EQ(std::count(message.begin(), message.end(), '\n'), 2);
}

TEST(Assembler, RandomTextNeverCrashes) {
  std::mt19937_64 random(5);
  const std::string alphabet =
      "mvmaddset r0123456789,=:;.#-+x\n\t\"\x80\xff halt loop";
  for (int n = 0; n < 3000; ++n) {
    std::string text;
    for (uint64_t k = random() % 80; k > 0; --k)
      text += alphabet[random() % alphabet.size()];
    std::vector<uint64_t> code;
    if (assemble(text, "fuzz", code)) {
      for (uint64_t word : code)
        (void)disassemble(word);
    }
  }
}

TEST(Validator, RandomWordsNeverCrash) {
  std::mt19937_64 random(6);
  unsigned valid = 0;
  for (int n = 0; n < 3000; ++n) {
    std::vector<uint64_t> code;
    for (uint64_t k = random() % 30 + 1; k > 0; --k) {
      const InstrInfo &row = kInstructions[random() % kNumInstructions];
      uint64_t word = random();
      if (random() % 8)
        word = (word & ~row.mask()) | row.match();
      code.push_back(word);
    }
    (void)disassembleProgram(code);
    valid += validateProgram(code, smallMachine()).empty();
  }
  EXPECT_LT(valid, 3000u);
}

/// First error of a program, "at: message".
std::string firstError(const std::string &text) {
  auto errors = validateProgram(assembled(text), smallMachine());
  return errors.empty()
             ? ""
             : std::to_string(errors[0].at) + ": " + errors[0].message;
}

TEST(Validator, AcceptsAProgram) {
  EXPECT_EQ(firstError("set r1, 4\nloop r1, a\nloopi 3, a\nnop\na: jal r31, "
                       "f\nhalt\nf: jr r31"),
            "");
}

TEST(Validator, Structure) {
  EXPECT_EQ(validateProgram({}, smallMachine())[0].message,
            "the program is empty; it must end in 'halt' or a jump");
  EXPECT_EQ(firstError(".word 5\nhalt"), "0: not a legal instruction");
  EXPECT_EQ(firstError("nop"), "0: the program runs off its end; it must end "
                               "in 'halt', 'jmp' or 'jr'");
  EXPECT_EQ(firstError("jmp +5\nhalt"),
            "0: the target 6 is outside the program of 2 instructions");
  EXPECT_EQ(firstError("jmp -5\nhalt"),
            "0: the target -4 is outside the program of 2 instructions");
  EXPECT_EQ(firstError("loopi 2, -1\nhalt"),
            "0: a loop must end after it begins");
  EXPECT_EQ(firstError("loopi 2, a\nloopi 2, b\nnop\na: nop\nb: halt"),
            "1: the loop ends at 4, after the loop around it, which ends at "
            "3");
  EXPECT_EQ(firstError("loopi 2, a\njmp b\na: nop\nb: halt"),
            "1: the branch leaves the loop of instruction 0");
  EXPECT_EQ(firstError("jmp b\nloopi 2, a\nnop\nb: nop\na: halt"),
            "0: the branch enters the loop of instruction 1");
  std::string deep;
  for (int i = 0; i < 9; ++i)
    deep += "loopi 2, a\n";
  EXPECT_EQ(firstError(deep + "nop\na: halt"),
            "8: hardware loops are nested deeper than 8");
  MachineConfig tiny = smallMachine();
  tiny.programWords = 16;
  std::vector<uint64_t> code(17, encode(Instr(Op::Halt)));
  EXPECT_EQ(validateProgram(code, tiny)[0].message,
            "the program has 17 instructions, the tile's program memory "
            "holds 16");
}

TEST(Validator, Values) {
  EXPECT_EQ(firstError("mvm r0, r0, array=8\nhalt"),
            "0: arrays [8, 9) do not exist, a tile has 8");
  EXPECT_EQ(firstError("set r1, 6\nmvm r0, r0, abase=r1, slices=3\nhalt"),
            "1: arrays [6, 9) do not exist, a tile has 8");
  EXPECT_EQ(firstError("set r1, 30\nset r2, 3\nwin r1, r2, r0, r0\nhalt"),
            "2: the window is not inside an array of 32 rows and 16 signed "
            "columns");
  EXPECT_EQ(firstError("mvm r0, r0, bits=33\nhalt"),
            "0: bits must be in [1, 32], got 33");
  EXPECT_EQ(firstError("rdsr r1, 8\nhalt"),
            "0: special register 8 does not exist, the last is 7");
  EXPECT_EQ(firstError("set r1, 16\nsend r0, r1, r0, r0\nhalt"),
            "1: tile 16 does not exist, the machine has 16");
  EXPECT_EQ(firstError("lw r1, r0, 4096\nhalt"),
            "0: address: words [4096, 4097) are outside the tile memory of "
            "4096 words");
  EXPECT_EQ(firstError("set r1, 4090\nset r2, 7\nvadd r0, r1, r0, r2\nhalt"),
            "2: a: words [4090, 4097) are outside the tile memory of 4096 "
            "words");
  EXPECT_EQ(firstError("set r2, -7\nvmov r0, r0, r2\nhalt"),
            "1: the length is negative: -7");
}

TEST(Validator, ForgetsAtLabelsAndWrites) {
  // Without forgetting, 4095 + 4 would be an error in each of these.
  EXPECT_EQ(firstError("set r1, 4095\nset r2, 4\njmp a\na: vmov r0, r1, "
                       "r2\nhalt"),
            "");
  EXPECT_EQ(firstError("set r1, 4095\nset r2, 4\nlw r1, r0, 0\nvmov r0, r1, "
                       "r2\nhalt"),
            "");
}

} // namespace
