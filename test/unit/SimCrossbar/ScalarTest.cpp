// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Scalar and control instructions: results, and cycles measured with the cycle
// counter inside the program itself.
#include "Harness.h"

using namespace neuroc::rt;
using namespace neuroc::rt::xbar;

namespace {

/// r3 = op(r1, r2).
int32_t alu(const std::string &op, int32_t a, int32_t b) {
  Rig rig;
  rig.program(0, "set r1, " + std::to_string(a) + "\nset r2, " +
                     std::to_string(b) + "\n" + op + " r3, r1, r2\n" + op +
                     "i r4, r1, " + std::to_string(b) + "\nhalt");
  EXPECT_EQ(rig.run(), "");
  EXPECT_EQ(rig.reg(3), rig.reg(4)) << op << "i differs";
  return rig.reg(3);
}

TEST(Scalar, Arithmetic) {
  const int32_t low = INT32_MIN, high = INT32_MAX;
  EXPECT_EQ(alu("add", high, 1), low);
  EXPECT_EQ(alu("mul", 65536, 65536), 0);
  EXPECT_EQ(alu("mul", -3, 7), -21);
  EXPECT_EQ(alu("div", -7, 2), -3);
  EXPECT_EQ(alu("div", 7, 0), 0);
  EXPECT_EQ(alu("div", low, -1), low);
  EXPECT_EQ(alu("rem", -7, 2), -1);
  EXPECT_EQ(alu("rem", 7, 0), 7);
  EXPECT_EQ(alu("rem", low, -1), 0);
  EXPECT_EQ(alu("and", 12, 10), 8);
  EXPECT_EQ(alu("or", 12, 10), 14);
  EXPECT_EQ(alu("xor", 12, 10), 6);
  EXPECT_EQ(alu("shl", 1, 33), 2);
  EXPECT_EQ(alu("shr", -1, 28), 15);
  EXPECT_EQ(alu("sra", -16, 2), -4);
  EXPECT_EQ(alu("slt", -1, 0), 1);
  EXPECT_EQ(alu("slt", 0, 0), 0);
  EXPECT_EQ(alu("min", -5, 3), -5);
  EXPECT_EQ(alu("max", -5, 3), 3);
}

TEST(Scalar, SubClzSpecialRegisters) {
  Rig rig;
  rig.program(5, "set r1, 3\nset r2, 5\nsub r3, r1, r2\nclz r4, r1\nclz r5, "
                 "r0\nrdsr r6, 0\nrdsr r7, 6\nset r0, 9\nadd r8, r0, r0\n"
                 "halt");
  EXPECT_EQ(rig.run(), "");
  EXPECT_EQ(rig.reg(3, 5), -2);
  EXPECT_EQ(rig.reg(4, 5), 30);
  EXPECT_EQ(rig.reg(5, 5), 32);
  EXPECT_EQ(rig.reg(6, 5), 5);
  EXPECT_EQ(rig.reg(7, 5), 16);
  EXPECT_EQ(rig.reg(8, 5), 0); // r0 stays zero
}

TEST(Scalar, ClampCountersAreReadable) {
  Rig rig;
  rig.put(0, 100, {INT32_MAX, 1, 300});
  ASSERT_TRUE(
      rig->loadArray({0, 0, 1, 0, 0, 32, 1}, std::vector<int32_t>(32, 3)));
  rig.put(0, 200, std::vector<int32_t>(32, 255));
  MachineConfig config = rig->config();
  // 32 * 3 fits 8 bits: no clip. The vector clamps twice, its copy on tile 1
  // never: counters belong to a tile.
  rig.program(0, "set r1, 100\nset r2, 2\nset r3, 300\nvadd r3, r1, r1, r2\n"
                 "vmul.s r3, r1, r1, r2\nrdsr r4, 4\nrdsr r5, 5\nset r6, 200\n"
                 "mvm r3, r6, bits=4\nrdsr r7, 4\nrdsr r8, 3\nhalt");
  rig.program(1, "rdsr r4, 4\nhalt");
  EXPECT_EQ(rig.run(), "");
  EXPECT_EQ(rig.reg(4), 2);
  EXPECT_EQ(rig.reg(5), 0);
  EXPECT_EQ(rig.reg(7), 2 + 32); // inputs of more than four bits
  EXPECT_EQ(rig.reg(8), 0);      // high word of the cycle counter
  EXPECT_EQ(rig.reg(4, 1), 0);
  config.adcBits = 4;
  Rig narrow(config);
  ASSERT_TRUE(
      narrow->loadArray({0, 0, 1, 0, 0, 32, 1}, std::vector<int32_t>(32, 3)));
  narrow.put(0, 200, std::vector<int32_t>(32, 5));
  narrow.program(0, "set r6, 200\nmvm r0, r6, bits=3\nrdsr r5, 5\nhalt");
  EXPECT_EQ(narrow.run(), "");
  EXPECT_EQ(narrow.reg(5), 2); // two of three phases drive lines
}

TEST(Scalar, LoadsAndStores) {
  Rig rig;
  rig.put(0, 10, {7});
  rig.program(0, "set r1, 8\nlw r2, r1, 2\naddi r2, r2, 1\nsw r2, r1, -3\n"
                 "halt");
  EXPECT_EQ(rig.run(), "");
  EXPECT_EQ(rig.get(0, 5, 1)[0], 8);
}

TEST(Scalar, MemoryFaultNamesTheInstruction) {
  Rig rig;
  rig.put(0, 0, {5000});
  rig.program(3, "halt");
  rig.program(0, "nop\nlw r1, r0, 0\nlw r2, r1, 0\nhalt");
  EXPECT_EQ(rig.run(), "tile 0: instruction 2 'lw r2, r1, 0' at cycle 3: "
                       "address: words [5000, 5001) are outside the tile "
                       "memory of 4096 words");
}

TEST(Control, BranchesTakeWhatTheySay) {
  struct Case {
    const char *op;
    int32_t a, b;
    bool taken;
  } cases[] = {{"beq", 1, 1, true},  {"beq", 1, 2, false}, {"bne", 1, 2, true},
               {"bne", 1, 1, false}, {"blt", -1, 0, true}, {"blt", 0, 0, false},
               {"bge", 0, 0, true},  {"bge", -1, 0, false}};
  for (const Case &c : cases) {
    Rig rig;
    rig.program(0, "set r1, " + std::to_string(c.a) + "\nset r2, " +
                       std::to_string(c.b) + "\n" + c.op +
                       " r1, r2, yes\nset r3, 1\nyes: halt");
    EXPECT_EQ(rig.run(), "");
    EXPECT_EQ(rig.reg(3), c.taken ? 0 : 1) << c.op << " " << c.a;
  }
}

TEST(Control, NestedLoopsCount) {
  Rig rig;
  rig.program(0, "set r1, 5\nloop r1, outer\n"
                 "addi r2, r2, 1\n"
                 "loopi 3, outer\n"
                 "addi r3, r3, 1\n"
                 "outer: loop r0, skip\nset r4, 1\nskip: halt");
  EXPECT_EQ(rig.run(), "");
  EXPECT_EQ(rig.reg(2), 5);
  EXPECT_EQ(rig.reg(3), 15);
  EXPECT_EQ(rig.reg(4), 0); // a count of zero skips the body
}

TEST(Control, BranchToTheEndStartsTheNextRound) {
  Rig rig;
  rig.program(0, "loopi 6, end\nandi r1, r2, 1\naddi r2, r2, 1\nbne r1, r0, "
                 "end\naddi r3, r3, 1\nend: halt");
  EXPECT_EQ(rig.run(), "");
  EXPECT_EQ(rig.reg(2), 6);
  EXPECT_EQ(rig.reg(3), 3);
}

TEST(Control, SubroutinesInsideLoops) {
  Rig rig;
  rig.program(0, "loopi 4, end\njal r31, f\nend: halt\n"
                 "f: loopi 2, g\naddi r1, r1, 1\ng: jr r31");
  EXPECT_EQ(rig.run(), "");
  EXPECT_EQ(rig.reg(1), 8);
}

TEST(Control, SubroutineThatStartsWhereALoopEnds) {
  Rig rig;
  rig.program(0, "jmp main\nmain: loopi 3, f\njal r31, f\nf: addi r1, r1, 1\n"
                 "beq r31, r0, out\nadd r30, r31, r0\nset r31, 0\njr r30\n"
                 "out: halt");
  EXPECT_EQ(rig.run(), "");
  EXPECT_EQ(rig.reg(1), 4); // three calls and one fall through
}

TEST(Control, LoopsAcrossCallsMayNotBeTooDeep) {
  Rig rig;
  rig.program(0, "f: loopi 2, end\njal r31, f\nend: halt");
  EXPECT_NE(rig.run().find("hardware loops are nested deeper than 8"),
            std::string::npos);
}

TEST(Control, RunningOffTheEndIsAFault) {
  Rig rig;
  rig.program(0, "loopi 0, e\nhalt\ne:"); // legal as far as one can see
  EXPECT_EQ(rig.run(), "tile 0: instruction 2 'end of program' at cycle 2: "
                       "the program has run off its end");
}

TEST(Control, JumpByRegisterIsChecked) {
  Rig rig;
  rig.program(0, "set r1, 77\njr r1");
  EXPECT_NE(rig.run().find("jump to instruction 77, the program has 2"),
            std::string::npos);
}

/// Cycles between two reads of the cycle counter around `body`.
int32_t cyclesOf(const std::string &body, const std::string &before = "",
                 const MachineConfig &config = smallMachine()) {
  Rig rig(config);
  rig.program(0, before + "\nfence\nrdsr r30, 2\n" + body +
                     "\nrdsr r29, 2\nsub r28, r29, r30\nhalt");
  EXPECT_EQ(rig.run(), "");
  return rig.reg(28) - 1; // the second rdsr itself
}

TEST(ScalarTiming, OneCycleEach) {
  EXPECT_EQ(cyclesOf(""), 0);
  EXPECT_EQ(cyclesOf("set r1, 5\naddi r1, r1, 1\nnop"), 3);
}

TEST(ScalarTiming, TakenBranchLosesThePenalty) {
  MachineConfig m = smallMachine();
  m.branchPenalty = 3;
  EXPECT_EQ(cyclesOf("beq r0, r0, +0", "", m), 4);
  EXPECT_EQ(cyclesOf("bne r0, r0, +0", "", m), 1);
  EXPECT_EQ(cyclesOf("jmp +0", "", m), 4);
}

TEST(ScalarTiming, LoopsCostTheirStartOnly) {
  EXPECT_EQ(cyclesOf("loopi 10, e\nnop\nnop\ne:"), 21);
}

TEST(ScalarTiming, LoadToUse) {
  MachineConfig m = smallMachine();
  m.memoryLatency = 5;
  EXPECT_EQ(cyclesOf("lw r1, r0, 0\nnop", "", m), 2);
  EXPECT_EQ(cyclesOf("lw r1, r0, 0\nadd r2, r1, r0", "", m), 6);
}

TEST(Machine, LimitStopsAndContinues) {
  Rig rig;
  rig.program(0, "loopi 100, e\nnop\ne: set r1, 1\nhalt");
  EXPECT_EQ(rig.run(StopReason::Limit, 50), "");
  EXPECT_EQ(rig->cycle(), 50u);
  EXPECT_EQ(rig.reg(1), 0);
  EXPECT_EQ(rig.go(StopReason::Halted), "");
  EXPECT_EQ(rig.reg(1), 1);
  EXPECT_EQ(rig->cycle(), 103u);
}

TEST(Machine, HostAccessIsChecked) {
  Rig rig;
  std::vector<int32_t> words(2);
  EXPECT_EQ(rig->readMemory(16, 0, words).message(),
            "tile 16 does not exist: machine 'generic-128' has 16 tiles");
  EXPECT_EQ(rig->writeMemory(0, 4095, words).message(),
            "tile 0: words [4095, 4097) are outside the tile memory of 4096 "
            "words");
  EXPECT_EQ(rig->loadProgram(0, assembled("nop")).message(),
            "tile 0: instruction 0 'nop': the program runs off its end; it "
            "must end in 'halt', 'jmp' or 'jr'");
  EXPECT_EQ(rig->loadArray({0, 0, 1, 0, 0, 2, 2}, words).message(),
            "loadArray: wrong number of weights");
  MachineConfig huge;
  huge.meshX = huge.meshY = 64;
  huge.memoryWords = 1 << 20;
  std::unique_ptr<Machine> machine;
  EXPECT_EQ(int(Machine::create(huge, machine).code()), int(Code::DoesNotFit));
}

TEST(Machine, EnergyIsTheSumOfItsComponents) {
  Rig rig;
  rig.program(0, "set r1, 100\nset r2, 10\nvadd r1, r1, r0, r2\nhalt");
  EXPECT_EQ(rig.run(), "");
  Counters c = rig->counters();
  double total = 0;
  for (unsigned i = 0; i < kComponents; ++i)
    total += c.energy(Component(i), rig->config());
  EXPECT_DOUBLE_EQ(total, c.energy(rig->config()));
  EXPECT_DOUBLE_EQ(c.energy(Component::Fetch, rig->config()), 4 * 0.6e-12);
  EXPECT_DOUBLE_EQ(c.energy(Component::Vector, rig->config()), 10 * 1.7e-12);
  EXPECT_DOUBLE_EQ(c.energy(Component::Leakage, rig->config()),
                   double(c.cycles) * 12.8e-12);
}

TEST(Machine, TraceSeesEveryInstructionAndChangesNothing) {
  auto run = [](bool traced, std::vector<uint64_t> &cycles) {
    Rig rig;
    rig.program(0, "set r1, 3\nloop r1, e\nnop\ne: halt");
    if (traced)
      rig->setTrace([&](uint32_t, uint64_t cycle, uint32_t, uint64_t) {
        cycles.push_back(cycle);
      });
    EXPECT_EQ(rig.run(), "");
    return rig->cycle();
  };
  std::vector<uint64_t> cycles, none;
  EXPECT_EQ(run(true, cycles), run(false, none));
  EXPECT_EQ(cycles, (std::vector<uint64_t>{0, 1, 2, 3, 4, 5}));
}

} // namespace
