// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The host's interface: what it accepts, what it refuses and how it says so,
// the loader against damaged files, run limits, energy.

#include "Support.h"

#include <cstring>
#include <random>

using namespace neuroc::rt::spinn;
using neuroc::rt::Code;
using neuroc::rt::Status;

namespace {

std::string refusal(const MachineConfig &config) {
  std::unique_ptr<Machine> machine;
  Status status = Machine::create(config, machine);
  EXPECT_EQ(status.code(), Code::UsageError);
  EXPECT_EQ(machine, nullptr);
  return status.message();
}

TEST(SpinnMachine, ConfigurationIsValidated) {
  MachineConfig config;
  config.width = 0;
  EXPECT_EQ(refusal(config),
            "machine size must be 1 to 256 chips each way, got 0 x 1");
  config = {};
  config.coresPerChip = 19;
  EXPECT_EQ(refusal(config), "cores per chip must be 1 to 18, got 19");
  config = {};
  config.sdramBytes = 1000;
  EXPECT_EQ(refusal(config), "SDRAM must be a multiple of 4096 bytes up to 128 "
                             "MiB, got 1000");
  config = {};
  config.deadChips = {{1, 0}};
  EXPECT_EQ(refusal(config), "dead chip (1, 0) is outside the machine");
  config = {};
  config.deadCores = {core(18)};
  EXPECT_EQ(refusal(config), "dead core (0, 0, 18) is outside the machine");
  config = {};
  config.deadLinks = {{{0, 0}, 6}};
  EXPECT_EQ(refusal(config), "dead link 6 of chip (0, 0) is outside the machine");
}

TEST(SpinnMachine, ShapeOfTheMachine) {
  MachineConfig config = MachineConfig::fourChips();
  config.deadChips = {{1, 1}};
  config.deadCores = {core(3, 1, 0)};
  config.coresPerChip = 17;
  auto machine = makeMachine(config);
  EXPECT_EQ(machine->chips(),
            (std::vector<ChipId>{{0, 0}, {0, 1}, {1, 0}}));
  EXPECT_TRUE(machine->hasCore(core(16, 1, 0)));
  EXPECT_FALSE(machine->hasCore(core(17, 1, 0)));
  EXPECT_FALSE(machine->hasCore(core(3, 1, 0)));
  EXPECT_FALSE(machine->hasCore(core(1, 1, 1)));
  EXPECT_FALSE(machine->hasCore(core(1, 7, 7)));
  EXPECT_FALSE(machine->hasLink({0, 0}, 1)); // to the dead chip
  EXPECT_TRUE(machine->hasLink({0, 0}, 0));
  EXPECT_EQ(machine->start(core(3, 1, 0), 0).message(),
            "the machine has no live core (1, 0, 3)");
}

TEST(SpinnMachine, MemoryRanges) {
  auto machine = makeMachine();
  uint8_t bytes[8] = {1, 2, 3, 4, 5, 6, 7, 8}, back[8] = {};
  for (uint32_t address : {0x00000000u, 0x00007ff8u, 0x00400000u, 0x0040fff8u,
                           0x60000000u, 0x67fffff8u, 0xe5007ff8u}) {
    ASSERT_OK(machine->write(core(1), address, bytes));
    std::memset(back, 0, 8);
    ASSERT_OK(machine->read(core(1), address, back));
    EXPECT_EQ(std::memcmp(bytes, back, 8), 0) << std::hex << address;
  }
  // Aliases and sharing between the cores of a chip.
  ASSERT_OK(machine->read(core(2), 0x77fffff8, back));
  EXPECT_EQ(std::memcmp(bytes, back, 8), 0);
  ASSERT_OK(machine->read(core(2), 0xf5007ff8, back));
  EXPECT_EQ(std::memcmp(bytes, back, 8), 0);
  ASSERT_OK(machine->read(core(2), 0x00400000, back));
  EXPECT_NE(std::memcmp(bytes, back, 8), 0);
  for (uint32_t address : {0x00007ffcu, 0x0040fffcu, 0x00410000u, 0x67fffffcu,
                           0x68000000u, 0x10000000u, 0xfffffffcu}) {
    Status status = machine->write(core(1), address, bytes);
    EXPECT_EQ(status.code(), Code::InputError) << std::hex << address;
  }
  EXPECT_EQ(machine->write(core(1), 0x7ffc, bytes).message(),
            "core (0, 0, 1): 8 bytes at 0x00007ffc do not lie within one "
            "memory");
  EXPECT_EQ(machine->memory(core(1), 0x1000, 4), nullptr);
  EXPECT_NE(machine->memory(core(1), 0x60000000, 1 << 20), nullptr);
  EXPECT_EQ(machine->memory(core(1), 0x67ffffff, 2), nullptr);
}

// A host write over code that has already run is seen.
TEST(SpinnMachine, CodeCanBeReplaced) {
  Bare bare;
  bare.load({0xe3a00001}); // mov r0, #1
  bare.run();
  EXPECT_EQ(bare.registers.r[0], 1u);
  ASSERT_OK(bare.machine->writeWord(core(1), Bare::kCode, 0xe3a00002));
  bare.registers.r[0] = 0;
  bare.run();
  EXPECT_EQ(bare.registers.r[0], 2u);
}

// So is a core's own write: self-modifying code.
TEST(SpinnMachine, CodeCanModifyItself) {
  Bare bare;
  bare.load({
      0xe3a00000, // mov r0, #0
      0xe2800001, // again: add r0, r0, #1      becomes add r0, r0, #16
      0xe3500001, // cmp r0, #1
      0x05812000, // streq r2, [r1]             over `again`
      0x0afffffb, // beq again
  });
  bare.registers.r[1] = Bare::kCode + 4;
  bare.registers.r[2] = 0xe2800010;
  bare.run();
  EXPECT_EQ(bare.registers.r[0], 17u);
}

TEST(SpinnMachine, CodeRunsFromSdram) {
  auto machine = makeMachine();
  const uint32_t code[] = {0xe3a00005, 0xe2800002, 0xe1200070};
  for (uint32_t i = 0; i < 3; ++i)
    ASSERT_OK(machine->writeWord(core(1), 0x60000100 + 4 * i, code[i]));
  ASSERT_OK(machine->start(core(1), 0x60000100));
  StopReason reason;
  ASSERT_OK(machine->run({}, reason));
  CoreRegisters registers;
  ASSERT_OK(machine->registers(core(1), registers));
  EXPECT_EQ(registers.r[0], 7u);
  // Three fetches through the bridge, and slow.
  EXPECT_GT(countersOf(*machine, core(1)).cycles, 60u);
}

TEST(SpinnMachine, BankedRegistersAndModes) {
  // In each mode set r13 to the mode's number; then read them back from the
  // system mode by way of the modes again.
  Bare bare;
  bare.load({
      0xe321f0d1, 0xe3a0d011, 0xe3a08018, // fiq: r13 = 0x11, r8 = 0x18
      0xe321f0d2, 0xe3a0d012,             // irq
      0xe321f0d7, 0xe3a0d017,             // abort
      0xe321f0db, 0xe3a0d01b,             // undefined
      0xe321f0df, 0xe3a0d01f, 0xe3a08001, // system: r8 = 1
      0xe321f0d1, 0xe1a0000d, 0xe1a01008, // fiq: r0 = r13, r1 = r8
      0xe321f0d2, 0xe1a0200d,             // irq: r2
      0xe321f0d7, 0xe1a0300d,             // abort: r3
      0xe321f0db, 0xe1a0400d,             // undefined: r4
      0xe321f0d3,                         // supervisor
      0xe8c16000,                         // stmia r1, {r13, r14}^ (r1 = 0x18)
      0xe1a05008,                         // r5 = r8 of the other modes
  });
  bare.registers.r[13] = 0x400900;
  bare.run();
  ASSERT_OK(bare.status);
  EXPECT_EQ(bare.registers.r[0], 0x11u);
  EXPECT_EQ(bare.registers.r[1], 0x18u);
  EXPECT_EQ(bare.registers.r[2], 0x12u);
  EXPECT_EQ(bare.registers.r[3], 0x17u);
  EXPECT_EQ(bare.registers.r[4], 0x1bu);
  EXPECT_EQ(bare.registers.r[5], 1u);
  EXPECT_EQ(bare.registers.r[13], 0x400900u);
  EXPECT_EQ(word(*bare.machine, core(1), 0x18), 0x1fu); // user bank
}

TEST(SpinnMachine, AlignmentTrapAndRotation) {
  // ldr r0, [r1] at an odd address: an abort, or rotated when the trap is off.
  Bare trapped;
  trapped.load({0xe5910000});
  trapped.registers.r[1] = 0x400101;
  trapped.run();
  EXPECT_EQ(trapped.status.code(), Code::CheckFailed);
  EXPECT_EQ(trapped.status.message(),
            "core (0, 0, 1): data abort at pc 0x00001000, address 0x00400101");
  Bare rotated;
  rotated.load({0xee012f10, 0xe5910000}); // mcr p15, 0, r2, c1, c0, 0
  ASSERT_OK(rotated.machine->writeWord(core(1), 0x400100, 0x44332211));
  rotated.registers.r[1] = 0x400101;
  rotated.registers.r[2] = 0x1f7c;
  rotated.run();
  EXPECT_OK(rotated.status);
  EXPECT_EQ(rotated.registers.r[0], 0x11443322u);
}

TEST(SpinnMachine, Holes) {
  for (uint32_t address : {0x00008000u, 0x00410000u, 0x50000000u, 0x80000000u,
                           0xe7000000u, 0x12000000u}) {
    Bare bare;
    bare.load({0xe5910000});
    bare.registers.r[1] = address;
    bare.run();
    EXPECT_EQ(bare.status.code(), Code::CheckFailed) << std::hex << address;
    EXPECT_EQ(bare.machine->faults().at(0).address, address);
  }
  Bare jump;
  jump.load({0xe12fff11}); // bx r1
  jump.registers.r[1] = 0x00500000;
  jump.run();
  EXPECT_EQ(jump.machine->faults().at(0).kind, "prefetch abort");
}

// With faults not stopping the run the core takes its own vectors.
TEST(SpinnMachine, AbortEntersItsVector) {
  MachineConfig config;
  config.stopOnFault = false;
  Bare bare(config);
  bare.load({0xe5910000});
  bare.registers.r[1] = 0x50000000;
  ASSERT_OK(bare.machine->writeWord(core(1), 0x10, 0xe1200070));
  bare.run();
  EXPECT_OK(bare.status);
  EXPECT_EQ(bare.registers.r[15], 0x10u);
  EXPECT_EQ(bare.registers.r[14], Bare::kCode + 8);
  EXPECT_EQ(bare.registers.cpsr & 0x1f, 0x17u);
  EXPECT_EQ(bare.counters.faults, 1u);
}

TEST(SpinnMachine, RunLimits) {
  auto machine = makeMachine();
  ASSERT_OK(machine->writeWord(core(1), 0, 0xeafffffe)); // b .
  ASSERT_OK(machine->start(core(1), 0));
  RunLimit limit;
  StopReason reason;
  limit.until = 1'000'000;
  ASSERT_OK(machine->run(limit, reason));
  EXPECT_EQ(reason, StopReason::Time);
  EXPECT_EQ(machine->now(), 1'000'000u);
  EXPECT_NEAR(double(countersOf(*machine, core(1)).cycles), 200, 3);
  limit = {};
  limit.maxInstructions = 100;
  uint64_t before = countersOf(*machine, core(1)).instructions;
  ASSERT_OK(machine->run(limit, reason));
  EXPECT_EQ(reason, StopReason::Instructions);
  EXPECT_NEAR(double(countersOf(*machine, core(1)).instructions - before), 100,
              2);
  ASSERT_OK(machine->stop(core(1)));
  ASSERT_OK(machine->run({}, reason));
  EXPECT_EQ(reason, StopReason::Idle);
  EXPECT_EQ(machine->state(core(1)), CoreState::Off);
  limit = {};
  limit.words = {{core(2), 0x400000, ~0u, 0}};
  EXPECT_EQ(machine->run(limit, reason).code(), Code::UsageError);
}

TEST(SpinnMachine, EnergyFromItsConstants) {
  auto machine = makeMachine(MachineConfig::fourChips());
  ASSERT_OK(machine->writeWord(core(1), 0, 0xeafffffe));
  ASSERT_OK(machine->start(core(1), 0));
  RunLimit limit;
  limit.until = 1'000'000'000; // 1 ms
  StopReason reason;
  ASSERT_OK(machine->run(limit, reason));
  Energy energy = machine->energy();
  EXPECT_NEAR(energy.idleJoules, 4 * 0.35e-3, 1e-9);
  EXPECT_NEAR(energy.coresJoules, 34e-6, 1e-7);
  EXPECT_EQ(energy.routersJoules, 0);
}

TEST(SpinnElf, ReadsSegmentsAndSymbols) {
  ElfImage image;
  ASSERT_OK(parseElf(armProgram("devices"), image));
  EXPECT_TRUE(image.symbols.count("test_main"));
  EXPECT_TRUE(image.symbols.count("io"));
  EXPECT_EQ(image.symbols["buffer"].size, 4096u * 4);
  ASSERT_GE(image.segments.size(), 2u);
  EXPECT_EQ(image.segments[0].address, 0u);
}

TEST(SpinnElf, RefusesWhatItIsNot) {
  ElfImage image;
  auto message = [&](std::vector<uint8_t> bytes) {
    Status status = parseElf(bytes, image);
    EXPECT_EQ(status.code(), Code::InputError);
    return status.message();
  };
  std::vector<uint8_t> good = armProgram("devices");
  EXPECT_EQ(message({}), "ELF image: shorter than its header (0 bytes)");
  std::vector<uint8_t> bad = good;
  bad[0] = 0;
  EXPECT_EQ(message(bad), "ELF image: wrong magic number");
  bad = good;
  bad[4] = 2;
  EXPECT_EQ(message(bad), "ELF image: not 32-bit little-endian");
  bad = good;
  bad[16] = 1;
  EXPECT_EQ(message(bad), "ELF image: not an executable (type 1)");
  bad = good;
  bad[18] = 3;
  EXPECT_EQ(message(bad), "ELF image: not for ARM (machine 3)");
  bad = good;
  bad[44] = bad[45] = 0xff;
  EXPECT_EQ(message(bad), "ELF image: program headers end beyond the file");
  bad.assign(good.begin(), good.begin() + 60);
  EXPECT_EQ(message(bad), "ELF image: program headers end beyond the file");
}

uint32_t get(const std::vector<uint8_t> &file, uint32_t at) {
  uint32_t value;
  std::memcpy(&value, &file[at], 4);
  return value;
}
std::vector<uint8_t> with(std::vector<uint8_t> file, uint32_t at,
                          uint32_t value, unsigned bytes = 4) {
  std::memcpy(&file[at], &value, bytes);
  return file;
}

// Every offset and size in headers is checked, and the message says which.
TEST(SpinnElf, RefusesEveryBadRange) {
  std::vector<uint8_t> good = armProgram("devices");
  ASSERT_GT(good.size(), 200u);
  uint32_t program = get(good, 28), sections = get(good, 32), symbols = 0;
  ASSERT_EQ(get(good, program), 1u); // a loadable segment
  for (uint32_t i = 0; i < uint32_t(good[48] | good[49] << 8); ++i)
    if (get(good, sections + i * 40 + 4) == 2)
      symbols = sections + i * 40;
  ASSERT_NE(symbols, 0u);
  uint32_t strings = sections + get(good, symbols + 24) * 40;
  uint32_t size = get(good, program + 20);
  const std::pair<std::vector<uint8_t>, std::string> cases[] = {
      {with(good, 42, 31, 2), "program header size is 31, not 32"},
      {with(good, 28, 0xfffffff0), "program headers end beyond the file"},
      {with(good, program + 16, size + 1),
       "segment 0 has more bytes than memory"},
      {with(good, program + 4, 0xfffffff0), "segment 0 ends beyond the file"},
      {with(good, program + 20, 0x09000000),
       "segment 0 is larger than any memory"},
      {with(good, program + 12, 0xffffffff),
       "segment 0 wraps round the address space"},
      {with(good, 46, 41, 2), "section header size is 41, not 40"},
      {with(good, 32, 0xffffff00), "section headers end beyond the file"},
      {with(good, symbols + 20, 0x7fffffff),
       "the symbol table ends beyond the file"},
      {with(good, symbols + 24, 0xffff),
       "the symbol table names no string table"},
      {with(good, strings + 16, 0xfffffff0),
       "the string table ends beyond the file"},
  };
  for (const auto &[file, message] : cases) {
    ElfImage image;
    EXPECT_EQ(parseElf(file, image).message(), "ELF image: " + message);
    EXPECT_TRUE(image.segments.empty()); // untouched
  }
}

// Damaged files give errors or load; nothing else happens.
TEST(SpinnElf, DamagedFiles) {
  std::vector<uint8_t> good = armProgram("checksum-arm");
  std::mt19937 random(3);
  for (int round = 0; round < 3000; ++round) {
    std::vector<uint8_t> bad = good;
    for (int i = 0; i < 1 + round % 4; ++i)
      bad[random() % (round % 2 ? 200 : bad.size())] = uint8_t(random());
    if (round % 5 == 0)
      bad.resize(random() % bad.size());
    ElfImage image;
    Status status = parseElf(bad, image);
    EXPECT_TRUE(status.isOk() || status.code() == Code::InputError);
  }
  // A segment outside every memory is refused as a whole.
  auto machine = makeMachine();
  ElfImage image;
  image.segments = {{0x0, 16, {1, 2, 3, 4}}, {0x7ff0, 0x100, {}}};
  EXPECT_EQ(machine->loadImage(core(1), image).code(), Code::InputError);
  EXPECT_EQ(word(*machine, core(1), 0), 0u);
}

} // namespace
