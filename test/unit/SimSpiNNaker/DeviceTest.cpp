// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Timers, interrupts, DMA, locks and sleeping, driven by a program on the core
// (Programs/Devices.c).

#include "Programs/Devices.h"
#include "Support.h"

using namespace neuroc::rt::spinn;
using neuroc::rt::Status;

namespace {

struct DeviceTest : testing::Test {
  std::unique_ptr<Machine> machine;
  ElfImage image;

  void SetUp() override { machine = makeMachine(); }
  void boot(CoreId id, uint32_t mode, uint32_t count = 0, uint32_t address = 0,
            uint32_t key = 0) {
    ASSERT_OK(machine->loadElf(id, armProgram("devices"), &image));
    Io &set = io(id);
    set.mode = mode;
    set.count = count;
    set.address = address;
    set.key = key;
    ASSERT_OK(machine->start(id, image.entry));
  }
  Io &io(CoreId id) {
    return *reinterpret_cast<Io *>(
        machine->memory(id, image.symbols["io"].value, sizeof(Io)));
  }
  void run() {
    StopReason reason;
    RunLimit limit;
    limit.until = machine->now() + 1'000'000'000'000;
    ASSERT_OK(machine->run(limit, reason));
    ASSERT_EQ(reason, StopReason::Idle);
  }
};

TEST_F(DeviceTest, DmaMovesDataBothWays) {
  const uint32_t count = 300;
  for (uint32_t i = 0; i < count; ++i)
    ASSERT_OK(machine->writeWord(core(1), 0x60000400 + 4 * i, i * i + 7));
  boot(core(1), MODE_DMA_READ, count, 0x60000400);
  run();
  uint32_t buffer = image.symbols["buffer"].value;
  for (uint32_t i = 0; i < count; ++i)
    EXPECT_EQ(word(*machine, core(1), buffer + 4 * i), i * i + 7);
  EXPECT_EQ(countersOf(*machine, core(1)).dmaBytes, count * 4);
  io(core(1)).mode = MODE_DMA_WRITE;
  io(core(1)).address = 0x70010000; // the other alias of SDRAM
  ASSERT_OK(machine->start(core(1), image.entry));
  run();
  for (uint32_t i = 0; i < count; ++i)
    EXPECT_EQ(word(*machine, core(1), 0x60010000 + 4 * i), i * i + 7);
}

// One core alone streams at 15 ns a word, 5 % either way.
TEST_F(DeviceTest, DmaRateOfOneCore) {
  boot(core(1), MODE_DMA_READ, 4096, 0x60000000);
  run();
  double ns = 5.0 * io(core(1)).r[0] / 4096;
  EXPECT_GT(ns, 15 * 0.95);
  EXPECT_LT(ns, 15 * 1.05);
  // 128 bursts of 480 ns exactly, from the request to the last word.
  CoreCounters c = countersOf(*machine, core(1));
  EXPECT_EQ(c.dmaBusyPs, 128u * 480'000 + 20'000);
}

// Sixteen cores share what the SDRAM gives: 800 MB/s.
TEST_F(DeviceTest, DmaRateOfTheChip) {
  for (unsigned c = 1; c <= 16; ++c)
    boot(core(c), MODE_STREAM, 16, 0x60000000 + c * 0x10000);
  Picoseconds from = machine->now();
  run();
  double seconds = double(machine->now() - from) * 1e-12;
  double rate = 16.0 * 16 * 4096 / seconds / 1e6;
  EXPECT_GT(rate, 800 * 0.95);
  EXPECT_LE(rate, 800 * 1.001);
}

// Two cores do not disturb each other: 2 x 267 MB/s is below the limit.
TEST_F(DeviceTest, DmaOfTwoCoresOverlaps) {
  boot(core(1), MODE_STREAM, 16, 0x60000000);
  run();
  uint32_t alone = io(core(1)).r[0];
  machine = makeMachine();
  boot(core(1), MODE_STREAM, 16, 0x60000000);
  boot(core(2), MODE_STREAM, 16, 0x60100000);
  run();
  EXPECT_LT(io(core(1)).r[0], alone * 1.05);
  EXPECT_LT(io(core(2)).r[0], alone * 1.05);
}

TEST_F(DeviceTest, DmaQueueAndCompletionCount) {
  for (uint32_t i = 0; i < 128; ++i)
    ASSERT_OK(machine->writeWord(core(1), 0x60000000 + 4 * i, i));
  boot(core(1), MODE_DMA_TWO, 64, 0x60000000);
  run();
  const Io &r = io(core(1));
  EXPECT_EQ(r.r[0] & 5u, 5u);                  // transferring, queue full
  EXPECT_EQ(r.r[1] >> 10 & 3, 3u);             // both done
  EXPECT_EQ(r.r[2] >> 10 & 3, 1u);             // one acknowledged
  EXPECT_EQ(r.r[3] >> 10 & 3, 0u);
  EXPECT_EQ(r.r[3] >> 24, 1u);                 // core number
  for (uint32_t i = 0; i < 128; ++i)
    EXPECT_EQ(word(*machine, core(1), image.symbols["buffer"].value + 4 * i),
              i);
}

TEST_F(DeviceTest, DmaErrors) {
  boot(core(1), MODE_DMA_BAD, 0, 0x60000000);
  run();
  const Io &r = io(core(1));
  EXPECT_EQ(r.r[0] >> 15 & 1, 1u); // system side
  EXPECT_EQ(r.r[0] >> 1 & 1, 1u);  // paused
  EXPECT_EQ(r.r[1] & 0x1e003, 0u);
  EXPECT_EQ(r.r[2] >> 14 & 1, 1u); // TCM side
}

TEST_F(DeviceTest, PeriodicTimer) {
  boot(core(1), MODE_TIMER, 8, 1000);
  run();
  const Io &r = io(core(1));
  for (int i = 1; i < 8; ++i)
    EXPECT_EQ(r.r[i] - r.r[i - 1], 1000u) << i;
  EXPECT_EQ(countersOf(*machine, core(1)).irqs, 8u);
}

TEST_F(DeviceTest, OneShotTimer) {
  boot(core(1), MODE_ONESHOT, 1, 5000);
  run();
  EXPECT_EQ(io(core(1)).log[1], 0u);         // stands at zero
  EXPECT_EQ(io(core(1)).log[2] & 0x80u, 0u); // off
}

TEST_F(DeviceTest, TimerPrescalersAndWidth) {
  boot(core(1), MODE_FREE_RUN);
  run();
  const Io &r = io(core(1));
  EXPECT_NEAR(r.r[0], 25600.0, 60);
  EXPECT_NEAR(r.r[1], 25600.0 / 16, 5);
  EXPECT_NEAR(r.r[2], 25600.0 / 256, 2);
  EXPECT_LT(r.r[3], 65536u);
  EXPECT_GT(r.r[3], 65400u);
}

TEST_F(DeviceTest, InterruptPriorities) {
  boot(core(1), MODE_PRIORITIES);
  run();
  const Io &r = io(core(1));
  EXPECT_EQ(r.log[0], 1u);
  EXPECT_EQ(r.log[1], 3u); // handlers run masked
  EXPECT_EQ(r.log[2], 2u); // then the more urgent
  EXPECT_EQ(r.log[3], 4u); // then the one without a slot
}

TEST_F(DeviceTest, FastInterruptComesFirst) {
  boot(core(1), MODE_FAST);
  run();
  const Io &r = io(core(1));
  EXPECT_EQ(r.log[0], 9u);
  EXPECT_EQ(r.log[1], 1u);
  EXPECT_EQ(r.log[2], 9u); // raised inside the handler, goes in at once
  EXPECT_EQ(r.log[3], 3u);
  EXPECT_EQ(r.log[4], 4u);
  EXPECT_EQ(countersOf(*machine, core(1)).fiqs, 2u);
}

TEST_F(DeviceTest, SleepingCostsNothingAndHostWakes) {
  boot(core(1), MODE_SLEEP);
  boot(core(2), MODE_SLEEP);
  run();
  EXPECT_EQ(machine->state(core(1)), CoreState::Sleeping);
  CoreCounters before = countersOf(*machine, core(1));
  StopReason reason;
  RunLimit limit;
  limit.until = machine->now() + 1'000'000'000; // 1 ms
  ASSERT_OK(machine->run(limit, reason));
  EXPECT_EQ(reason, StopReason::Idle);
  ASSERT_OK(machine->interrupt(core(1)));
  run();
  EXPECT_EQ(machine->state(core(1)), CoreState::Halted);
  EXPECT_EQ(machine->state(core(2)), CoreState::Sleeping);
  EXPECT_EQ(io(core(1)).r[0], 1u << 2); // core 2 still sleeps
  EXPECT_EQ(io(core(1)).r[1], 0u);      // acknowledged
  CoreCounters after = countersOf(*machine, core(1));
  EXPECT_LT(after.cycles - before.cycles, 200u);
}

// Eighteen cores count up one word in SDRAM under a test-and-set lock.
TEST_F(DeviceTest, TestAndSetLock) {
  for (unsigned c = 0; c < 18; ++c)
    boot(core(c), MODE_LOCK, 20, 0x70000000);
  run();
  EXPECT_EQ(word(*machine, core(0), 0x60000000), 18u * 20);
}

TEST_F(DeviceTest, RunsAreDeterministic) {
  Picoseconds end[2];
  uint64_t instructions[2] = {};
  for (int pass = 0; pass < 2; ++pass) {
    machine = makeMachine();
    if (pass) // tracing changes nothing
      machine->setTrace([](const TraceEntry &) {});
    for (unsigned c = 0; c < 18; ++c)
      boot(core(c), MODE_LOCK, 5, 0x70000000);
    run();
    end[pass] = machine->now();
    for (unsigned c = 0; c < 18; ++c)
      instructions[pass] += countersOf(*machine, core(c)).instructions;
  }
  EXPECT_EQ(end[0], end[1]);
  EXPECT_EQ(instructions[0], instructions[1]);
}

TEST_F(DeviceTest, SystemControllerIsPrivileged) {
  boot(core(1), MODE_USER);
  StopReason reason;
  Status status = machine->run({}, reason);
  EXPECT_EQ(status.code(), neuroc::rt::Code::CheckFailed);
  EXPECT_NE(status.message().find("core (0, 0, 1): data abort"),
            std::string::npos)
      << status.message();
  ASSERT_EQ(machine->faults().size(), 1u);
  EXPECT_EQ(machine->faults()[0].address, 0xf2000000u);
}

/// Cycles from the instruction that starts a timer of `load` cycles to the first
/// instruction at the interrupt vector.
uint64_t vectorAfter(uint32_t load, bool sleep, const MachineConfig &config) {
  Bare bare(config);
  bare.load({0xe3a0b411,        // mov r11, #0x11000000   timer 1
             0xe3a0a41f,        // mov r10, #0x1f000000   VIC
             0xe3a00010,        // mov r0, #16
             0xe58a0010,        // str r0, [r10, #16]
             0xe3a00000 | load, // mov r0, #load
             0xe58b0000,        // str r0, [r11]
             0xe3a000e2,        // mov r0, #0xe2
             0xe321f013,        // msr cpsr_c, #0x13
             0xe58b0008,        // str r0, [r11, #8]      starts
             sleep ? 0xee070f90 : 0xeafffffe}); // wait for interrupt; b .
  EXPECT_OK(bare.machine->writeWord(core(1), 0x18, 0xe1200070));
  Picoseconds started = 0, vector = 0;
  bare.machine->setTrace([&](const TraceEntry &entry) {
    if (entry.pc == Bare::kCode + 4 * 8)
      started = entry.time;
    if (entry.pc == 0x18)
      vector = entry.time;
  });
  bare.run();
  EXPECT_EQ(bare.counters.irqs, 1u);
  return (vector - started) / 5000;
}

// An interrupt is taken at the first instruction boundary at or after the
// timer's zero, plus the entry cycles: tight on both sides. The store takes 3
// cycles, the loop 3 a turn.
TEST(SpinnInterrupt, LatencyAtBoundaries) {
  MachineConfig config;
  EXPECT_EQ(vectorAfter(200, false, config), 3u + 201 + 4);
  EXPECT_EQ(vectorAfter(201, false, config), 3u + 201 + 4);
  EXPECT_EQ(vectorAfter(202, false, config), 3u + 204 + 4);
  config.timing.irqEntry = 5;
  EXPECT_EQ(vectorAfter(201, false, config), 3u + 201 + 5);
}

TEST(SpinnInterrupt, LatencyFromSleep) {
  MachineConfig config;
  EXPECT_EQ(vectorAfter(200, true, config), 3u + 200 + 2 + 4);
  EXPECT_EQ(vectorAfter(201, true, config), 3u + 201 + 2 + 4);
  config.timing.wfiWake = 5;
  EXPECT_EQ(vectorAfter(201, true, config), 3u + 201 + 5 + 4);
  config.timing.timerExtra = 1;
  EXPECT_EQ(vectorAfter(201, true, config), 3u + 202 + 5 + 4);
}

} // namespace
