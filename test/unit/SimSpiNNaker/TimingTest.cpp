// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The cycle table, rule by rule and exactly: each row is a short sequence (as
// text and as the words an assembler makes of it) and the cycles it takes from
// tightly coupled memory. A rule about a stall appears three times: without a
// consumer, with the consumer next, and with enough in between.

#include "Support.h"

#include "Cpu.h"
#include "Timing.h"

using namespace neuroc::rt::spinn;
using neuroc::rt::Status;

namespace {

struct CycleRow {
  const char *name, *assembly;
  std::vector<uint32_t> words;
  uint64_t cycles;
};

void PrintTo(const CycleRow &row, std::ostream *out) { *out << row.name; }

const CycleRow kRows[] = {
    {"data processing, immediate", "add r0, r4, #1", {0xe2840001}, 1},
    {"data processing, register", "add r0, r4, r5", {0xe0840005}, 1},
    {"data processing, immediate shift",
     "add r0, r4, r5, lsl #3",
     {0xe0840185},
     1},
    {"data processing, register shift",
     "add r0, r4, r5, lsl r6",
     {0xe0840615},
     2},
    {"result forwarded at once",
     "add r0, r4, r5; add r7, r0, r0",
     {0xe0840005, 0xe0807000},
     2},
    {"failed condition, data processing",
     "addeq r0, r4, r5, lsl r6",
     {0x00840615},
     1},
    {"failed condition, multiply", "smulleq r0, r7, r4, r5", {0x00c70594}, 1},
    {"failed condition, load several", "ldmeq r1, {r4-r8}", {0x089101f0}, 1},
    {"failed condition, branch", "beq #8", {0x0a000002}, 1},
    {"to pc", "add r0, pc, #0; mov pc, r0", {0xe28f0000, 0xe1a0f000}, 4},

    {"to pc, register shift",
     "mov r6, #0; add r0, pc, #0; mov pc, r0, lsl r6",
     {0xe3a06000, 0xe28f0000, 0xe1a0f610},
     6},
    {"clz", "clz r0, r4", {0xe16f0f14}, 1},
    {"clz used", "clz r0, r4; add r7, r0, r4", {0xe16f0f14, 0xe0807004}, 2},
    {"qadd", "qadd r0, r4, r5", {0xe1050054}, 1},
    {"qadd used",
     "qadd r0, r4, r5; add r7, r0, r4",
     {0xe1050054, 0xe0807004},
     3},
    {"qadd used after one",
     "qadd r0, r4, r5; mov r6, r6; add r7, r0, r4",
     {0xe1050054, 0xe1a06006, 0xe0807004},
     3},
    {"qdsub used",
     "qdsub r0, r4, r5; add r7, r0, r4",
     {0xe1650054, 0xe0807004},
     3},
    {"smulbb", "smulbb r0, r4, r5", {0xe1600584}, 1},
    {"smulbb used",
     "smulbb r0, r4, r5; add r7, r0, r4",
     {0xe1600584, 0xe0807004},
     3},
    {"smulbb used after one",
     "smulbb r0, r4, r5; mov r6, r6; add r7, r0, r4",
     {0xe1600584, 0xe1a06006, 0xe0807004},
     3},
    {"smulbb accumulated",
     "smulbb r0, r4, r5; smlabb r7, r4, r5, r0",
     {0xe1600584, 0xe1070584},
     2},
    {"smulbb as factor",
     "smulbb r0, r4, r5; smlabb r7, r0, r5, r4",
     {0xe1600584, 0xe1074580},
     3},
    {"smlawt used",
     "smlawt r0, r4, r5, r6; add r7, r0, r4",
     {0xe12065c4, 0xe0807004},
     3},
    {"smlalbb", "smlalbb r0, r7, r4, r5", {0xe1470584}, 2},
    {"smlalbb high used",
     "smlalbb r0, r7, r4, r5; add r8, r7, r4",
     {0xe1470584, 0xe0878004},
     4},
    {"smlalbb low used",
     "smlalbb r0, r7, r4, r5; add r8, r0, r4",
     {0xe1470584, 0xe0808004},
     3},
    {"mul", "mul r0, r4, r5", {0xe0000594}, 2},
    {"mul used", "mul r0, r4, r5; add r7, r0, r4", {0xe0000594, 0xe0807004}, 4},
    {"mul used after one",
     "mul r0, r4, r5; mov r6, r6; add r7, r0, r4",
     {0xe0000594, 0xe1a06006, 0xe0807004},
     4},
    {"mla", "mla r0, r4, r5, r6", {0xe0206594}, 2},
    {"muls", "muls r0, r4, r5", {0xe0100594}, 4},
    {"muls used",
     "muls r0, r4, r5; add r7, r0, r4",
     {0xe0100594, 0xe0807004},
     5},
    {"mlas", "mlas r0, r4, r5, r6", {0xe0306594}, 4},
    {"smull", "smull r0, r7, r4, r5", {0xe0c70594}, 3},
    {"smull high used",
     "smull r0, r7, r4, r5; add r8, r7, r4",
     {0xe0c70594, 0xe0878004},
     5},
    {"smull low used",
     "smull r0, r7, r4, r5; add r8, r0, r4",
     {0xe0c70594, 0xe0808004},
     4},
    {"umlal", "umlal r0, r7, r4, r5", {0xe0a70594}, 3},
    {"smulls", "smulls r0, r7, r4, r5", {0xe0d70594}, 5},
    {"umulls used",
     "umulls r0, r7, r4, r5; add r8, r7, r4",
     {0xe0970594, 0xe0878004},
     6},
    {"ldr", "ldr r0, [r1]", {0xe5910000}, 1},
    {"ldr used", "ldr r0, [r1]; add r7, r0, r4", {0xe5910000, 0xe0807004}, 3},
    {"ldr used after one",
     "ldr r0, [r1]; mov r6, r6; add r7, r0, r4",
     {0xe5910000, 0xe1a06006, 0xe0807004},
     3},
    {"ldr as address",
     "ldr r0, [r1]; ldr r7, [r0]",
     {0xe5910000, 0xe5907000},
     3},
    {"ldr overwritten",
     "ldr r0, [r1]; mov r0, r4; add r7, r0, r4",
     {0xe5910000, 0xe1a00004, 0xe0807004},
     3},
    {"ldr hidden by mul",
     "ldr r0, [r1]; mul r6, r4, r5; add r7, r0, r4",
     {0xe5910000, 0xe0060594, 0xe0807004},
     4},
    {"ldr not used by a skipped instruction",
     "ldr r0, [r1]; addeq r7, r0, r4",
     {0xe5910000, 0x00807004},
     2},
    {"ldr with scaled offset", "ldr r0, [r1, r2, lsl #2]", {0xe7910102}, 1},
    {"ldr to pc", "ldr pc, [r3]", {0xe593f000}, 5},
    {"ldrb used", "ldrb r0, [r1]; add r7, r0, r4", {0xe5d10000, 0xe0807004}, 4},
    {"ldrb used after one",
     "ldrb r0, [r1]; mov r6, r6; add r7, r0, r4",
     {0xe5d10000, 0xe1a06006, 0xe0807004},
     4},
    {"ldrb used after two",
     "ldrb r0, [r1]; mov r6, r6; mov r6, r6; add r7, r0, r4",
     {0xe5d10000, 0xe1a06006, 0xe1a06006, 0xe0807004},
     4},
    {"ldrb used after three",
     "ldrb r0, [r1]; mov r6, r6; mov r6, r6; mov r6, r6; add r7, r0, r4",
     {0xe5d10000, 0xe1a06006, 0xe1a06006, 0xe1a06006, 0xe0807004},
     5},
    {"ldrh used", "ldrh r0, [r1]; add r7, r0, r4", {0xe1d100b0, 0xe0807004}, 4},
    {"ldrsb used",
     "ldrsb r0, [r1]; add r7, r0, r4",
     {0xe1d100d0, 0xe0807004},
     4},
    {"ldrsh used",
     "ldrsh r0, [r1]; add r7, r0, r4",
     {0xe1d100f0, 0xe0807004},
     4},
    {"ldrd", "ldrd r4, r5, [r1]", {0xe1c140d0}, 2},
    {"ldrd second used",
     "ldrd r4, r5, [r1]; add r7, r5, r6",
     {0xe1c140d0, 0xe0857006},
     4},
    {"ldrd first used",
     "ldrd r4, r5, [r1]; add r7, r4, r6",
     {0xe1c140d0, 0xe0847006},
     3},
    {"str", "str r4, [r1]", {0xe5814000}, 1},
    {"strb", "strb r4, [r1]", {0xe5c14000}, 1},
    {"strh", "strh r4, [r1]", {0xe1c140b0}, 1},
    {"strd", "strd r4, r5, [r1]", {0xe1c140f0}, 2},
    {"loaded word stored",
     "ldr r0, [r1]; str r0, [r1, #8]",
     {0xe5910000, 0xe5810008},
     3},
    {"loaded word stored after one",
     "ldr r0, [r1]; mov r6, r6; str r0, [r1, #8]",
     {0xe5910000, 0xe1a06006, 0xe5810008},
     3},
    {"loaded byte stored",
     "ldrb r0, [r1]; str r0, [r1, #8]",
     {0xe5d10000, 0xe5810008},
     4},
    {"loaded word accumulated",
     "ldr r0, [r1]; mla r7, r4, r5, r0",
     {0xe5910000, 0xe0270594},
     4},
    {"ldm of one", "ldm r1, {r4}", {0xe8910010}, 2},
    {"ldm of two", "ldm r1, {r4, r5}", {0xe8910030}, 2},
    {"ldm of four", "ldm r1, {r4-r7}", {0xe89100f0}, 4},
    {"ldm last used",
     "ldm r1, {r4-r7}; add r0, r7, r8",
     {0xe89100f0, 0xe0870008},
     6},
    {"ldm first used",
     "ldm r1, {r4-r7}; add r0, r4, r8",
     {0xe89100f0, 0xe0840008},
     5},
    {"ldm base loaded",
     "ldr r7, [r1]; ldm r7, {r4, r5}",
     {0xe5917000, 0xe8970030},
     4},
    {"ldm with pc", "ldm r9, {r4, pc}", {0xe8998010}, 6},
    {"stm of one", "stm r1, {r4}", {0xe8810010}, 2},
    {"stm of four", "stm r1, {r4-r7}", {0xe88100f0}, 4},
    {"swp", "swp r0, r4, [r1]", {0xe1010094}, 2},
    {"swp used",
     "swp r0, r4, [r1]; add r7, r0, r5",
     {0xe1010094, 0xe0807005},
     4},
    {"swpb used",
     "swpb r0, r4, [r1]; add r7, r0, r5",
     {0xe1410094, 0xe0807005},
     5},
    {"b",
     "b #0; mov r0, r0; mov r0, r0",
     {0xea000000, 0xe1a00000, 0xe1a00000},
     4},
    {"bl",
     "bl #0; mov r0, r0; mov r0, r0",
     {0xeb000000, 0xe1a00000, 0xe1a00000},
     4},
    {"bx", "add r0, pc, #0; bx r0", {0xe28f0000, 0xe12fff10}, 4},
    {"blx", "add r0, pc, #0; blx r0", {0xe28f0000, 0xe12fff30}, 4},
    {"swi and return", "svc #0", {0xef000000}, 6},
    {"undefined and return", "udf #0", {0xe7f000f0}, 6},
    {"mrs", "mrs r0, cpsr", {0xe10f0000}, 2},
    {"mrs used", "mrs r0, cpsr; add r7, r0, r4", {0xe10f0000, 0xe0807004}, 3},
    {"msr flags", "msr cpsr_f, r4", {0xe128f004}, 1},
    {"msr control", "msr cpsr_c, r8", {0xe121f008}, 3},
    {"mcr", "mcr p15, 0, r10, c1, c0, 0", {0xee01af10}, 1},
    {"mrc", "mrc p15, 0, r0, c1, c0, 0", {0xee110f10}, 1},
    {"mrc used",
     "mrc p15, 0, r0, c1, c0, 0; add r7, r0, r4",
     {0xee110f10, 0xe0807004},
     3},
    {"pld", "pld [r1]", {0xf5d1f000}, 1},
    {"literal from ITCM", "ldr r0, [pc, #0]", {0xe59f0000}, 2},
};

/// Runs the words with pointers into DTCM set up, and gives their cycles.
uint64_t cyclesOf(const std::vector<uint32_t> &words,
                  const MachineConfig &config = {}) {
  uint64_t cycles[2];
  for (int pass = 0; pass < 2; ++pass) {
    MachineConfig lenient = config;
    lenient.stopOnFault = false;
    Bare bare(lenient);
    bare.load(pass ? words : std::vector<uint32_t>());
    bare.registers.r[1] = 0x400100;
    bare.registers.r[2] = 4;
    bare.registers.r[3] = 0x400200;
    bare.registers.r[8] = 0xd3;
    bare.registers.r[9] = 0x4001fc;
    bare.registers.r[10] = 0x1f7e;
    EXPECT_OK(bare.machine->writeWord(core(1), 0x400100, 0x400200));
    EXPECT_OK(bare.machine->writeWord(core(1), 0x400200, Bare::kCode + 4));
    for (uint32_t vector : {4, 8}) // both come straight back
      EXPECT_OK(bare.machine->writeWord(core(1), vector, 0xe1b0f00e));
    bare.run();
    EXPECT_OK(bare.status);
    EXPECT_EQ(bare.machine->state(core(1)), CoreState::Halted);
    cycles[pass] = bare.counters.cycles;
  }
  return cycles[1] - cycles[0];
}

struct CycleTable : testing::TestWithParam<CycleRow> {};

TEST_P(CycleTable, Exact) {
  EXPECT_EQ(cyclesOf(GetParam().words), GetParam().cycles)
      << GetParam().assembly;
}
INSTANTIATE_TEST_SUITE_P(SpinnTiming, CycleTable, testing::ValuesIn(kRows));

TEST(SpinnTiming, EveryClassHasItsRow) {
  for (unsigned i = 0; i < unsigned(Timing::Count); ++i) {
    const TimingRow &row = timingRow(Timing(i));
    EXPECT_EQ(unsigned(row.timing), i);
    EXPECT_GE(row.cycles, 1) << row.name;
    EXPECT_LE(row.cycles, 5) << row.name;
  }
}

// The calibrated delay loop of the system software: four cycles a turn.
TEST(SpinnTiming, ThumbDelayLoop) {
  uint64_t cycles[2];
  for (int pass = 0; pass < 2; ++pass) {
    Bare bare;
    bare.loadThumb({0x3801, 0xd1fd}); // sub r0, #1; bne
    bare.registers.r[0] = pass ? 1001 : 1;
    bare.run();
    cycles[pass] = bare.counters.cycles;
  }
  EXPECT_EQ(cycles[1] - cycles[0], 4000u);
}

TEST(SpinnTiming, ThumbCountsAsArm) {
  // ldr r0, [r1]; add r2, r0, #1; push {r4, r5}; pop {r4, r5}; bl next
  Bare bare, empty;
  bare.loadThumb({0x6808, 0x1c42, 0xb430, 0xbc30, 0xf000, 0xf800});
  empty.loadThumb({});
  for (Bare *b : {&bare, &empty}) {
    b->registers.r[1] = 0x400100;
    b->registers.r[13] = 0x400800;
    b->run();
  }
  EXPECT_EQ(bare.counters.cycles - empty.counters.cycles,
            1u + 2 + 2 + 2 + 1 + 3);
  EXPECT_EQ(bare.counters.interlockCycles, 1u);
}

// Parameters that stand for uncertain rules do what they say.
struct ParameterCase {
  const char *parameter;
  uint32_t value;
  std::vector<uint32_t> words;
  uint64_t cycles;
};

TEST(SpinnTiming, UncertainRulesAreParameters) {
  const ParameterCase cases[] = {
      {"loadStoreData", 0, {0xe5910000, 0xe5810008}, 2},
      {"scaledOffset", 1, {0xe7910102}, 2},
      {"itcmData", 0, {0xe59f0000}, 1},
      // ldr r0, [r11]: peripherals of the core, with r11 = 0x1f000000.
      {"localRead", 3, {0xe3a0b41f, 0xe59b0000}, 1 + 3},
      {"localRead", 6, {0xe3a0b41f, 0xe59b0000}, 1 + 6},
      {"localWrite", 3, {0xe3a0b41f, 0xe58b000c}, 1 + 3},
      {"localWrite", 5, {0xe3a0b41f, 0xe58b000c}, 1 + 5},
      // The buffered alias costs one cycle; reading after it waits.
      {"writeDrainLocal", 3, {0xe3a0b42f, 0xe58b000c}, 1 + 1},
      {"writeDrainLocal",
       3,
       {0xe3a0b42f, 0xe58b000c, 0xe59b0000},
       1 + 1 + 2 + 3},
  };
  for (const ParameterCase &test : cases) {
    MachineConfig config;
    ASSERT_OK(config.timing.set(test.parameter, test.value));
    EXPECT_EQ(cyclesOf(test.words, config), test.cycles)
        << test.parameter << " = " << test.value;
  }
}

TEST(SpinnTiming, ParametersAreListedAndChecked) {
  TimingParameters timing;
  for (const TimingParameterInfo &info : timingParameters()) {
    uint32_t value = 0;
    ASSERT_OK(timing.get(info.name, value));
    EXPECT_EQ(value, info.value) << info.name;
    EXPECT_LE(info.low, info.value) << info.name;
    EXPECT_GE(info.high, info.value) << info.name;
    EXPECT_NE(std::string("DSPEU").find(info.basis), std::string::npos);
  }
  Status status = timing.set("loadUse", 3);
  EXPECT_EQ(status.code(), neuroc::rt::Code::UsageError);
  EXPECT_EQ(status.message(), "no timing parameter 'loadUse'; did you mean "
                              "loadUseWord, loadUseNarrow, loadStoreData");
  MachineConfig config;
  config.timing.linkSymbolPs = 0;
  std::unique_ptr<Machine> machine;
  status = Machine::create(config, machine);
  EXPECT_EQ(status.message(),
            "timing parameter 'linkSymbolPs' must be greater than 0");
}

TEST(SpinnTiming, RouterWaitCodes) {
  EXPECT_EQ(routerWaitCycles(0x00), 0u);
  EXPECT_EQ(routerWaitCycles(0x2f), 108u);
  EXPECT_EQ(routerWaitCycles(0x40), 240u);
  EXPECT_EQ(routerWaitCycles(0x4f), 480u);
  EXPECT_EQ(routerWaitCycles(0x50), 512u);
  EXPECT_EQ(routerWaitCycles(0xff), UINT64_MAX);
}

// SDRAM: one read takes the row time plus the bridge, more than 20 cycles.
TEST(SpinnTiming, SingleSdramReads) {
  // r11 = 0x70000000 (unbuffered): first read opens the row, second hits it.
  std::vector<uint32_t> one = {0xe3a0b207, 0xe59b0000};
  std::vector<uint32_t> two = {0xe3a0b207, 0xe59b0000, 0xe59b0004};
  EXPECT_EQ(cyclesOf(one), 1u + 1 + 24 + 2);
  EXPECT_EQ(cyclesOf(two) - cyclesOf(one), 1u + 19 + 2);
}

TEST(SpinnTiming, BufferedSdramWrites) {
  // Eight entries of the write buffer take one cycle each; the ninth waits for
  // the first to drain (24 cycles each).
  std::vector<uint32_t> words = {0xe3a0b206}; // mov r11, #0x60000000
  for (int i = 0; i < 8; ++i)
    words.push_back(0xe58b0000); // str r0, [r11]
  EXPECT_EQ(cyclesOf(words), 9u);
  words.push_back(0xe58b0000);
  EXPECT_EQ(cyclesOf(words), 9u + 1 + 16);
}

// The manual's table of parameters is the one in the code.
TEST(SpinnTiming, ManualListsTheParameters) {
  std::ifstream file(NEUROC_SOURCE_DIR "/docs/spinnaker-machine.md");
  ASSERT_TRUE(file.good());
  std::string text{std::istreambuf_iterator<char>(file), {}};
  for (const TimingParameterInfo &info : timingParameters()) {
    std::string row = std::string("| `") + info.name + "` | " +
                      std::to_string(info.value) + " | " +
                      std::to_string(info.low) + " to " +
                      std::to_string(info.high) + " | " + info.unit + " | " +
                      info.basis + " | " + info.text + " |";
    EXPECT_NE(text.find(row), std::string::npos) << row;
  }
}

} // namespace
