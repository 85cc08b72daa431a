// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The kernel of application cores, on the simulated machine, with a test
// program in place of generated code: every service of CoreAbi.h and every
// counter.

#include "Programs/KernelApp.h"
#include "Support.h"

#include "neuroc/rt/Random.h"
#include "neuroc/rt/spinn/CoreAbi.h"

#include <cstddef>
#include <cstring>

using namespace neuroc::rt::spinn;

namespace {

constexpr uint32_t kControl = NEUROC_SPINN_CONTROL_ADDRESS;
constexpr uint32_t kTablesSdram = 0x60100000;

struct KernelTest : testing::Test {
  std::unique_ptr<Machine> machine;
  ElfImage image;
  std::vector<CoreId> cores;

  void boot(std::vector<CoreId> which, MachineConfig config = {}) {
    machine = makeMachine(config);
    cores = which;
    std::vector<uint8_t> program = armProgram("kernel-app");
    for (CoreId id : cores) {
      ASSERT_OK(machine->loadElf(id, program, &image));
      set(id, &neuroc_spinn_control::magic, NEUROC_SPINN_MAGIC);
      set(id, &neuroc_spinn_control::abi, NEUROC_SPINN_ABI_VERSION);
      set(id, &neuroc_spinn_control::levels, 1);
      set(id, &neuroc_spinn_control::subticks, 1);
      set(id, &neuroc_spinn_control::period, 20000); // 0.1 ms
    }
  }
  void start() {
    for (CoreId id : cores)
      ASSERT_OK(machine->start(id, image.entry));
    paused();
  }
  void paused() {
    RunLimit limit;
    for (CoreId id : cores)
      limit.words.push_back({id, kControl + 8, ~0u, NEUROC_SPINN_PAUSED});
    limit.until = machine->now() + 100'000'000'000; // 0.1 s
    StopReason reason = StopReason::Idle;
    ASSERT_OK(machine->run(limit, reason));
    ASSERT_EQ(reason, StopReason::Words);
  }
  void runTo(uint32_t tick) {
    for (CoreId id : cores) {
      set(id, &neuroc_spinn_control::run_until, tick);
      ASSERT_OK(machine->interrupt(id));
    }
    paused();
  }
  template <class F> void set(CoreId id, F field, uint32_t value) {
    auto *control = reinterpret_cast<neuroc_spinn_control *>(
        machine->memory(id, kControl, sizeof(neuroc_spinn_control)));
    control->*field = value;
  }
  const neuroc_spinn_control &control(CoreId id) {
    return *reinterpret_cast<neuroc_spinn_control *>(
        machine->memory(id, kControl, sizeof(neuroc_spinn_control)));
  }
  const neuroc_spinn_counters &counters(CoreId id) {
    return control(id).counters;
  }
  uint32_t address(const char *symbol) {
    auto it = image.symbols.find(symbol);
    EXPECT_NE(it, image.symbols.end()) << symbol;
    return it == image.symbols.end() ? 0x400000 : it->second.value;
  }
  template <class T> T &data(CoreId id, const char *symbol) {
    return *reinterpret_cast<T *>(
        machine->memory(id, address(symbol), sizeof(T)));
  }
  KernelApp &app(CoreId id) { return data<KernelApp>(id, "app"); }
  KernelSeen &seen(CoreId id) { return data<KernelSeen>(id, "seen"); }
  void sources(CoreId id, std::vector<neuroc_spinn_source> table) {
    std::memcpy(machine->memory(id, address("neuroc_core_sources"),
                                uint32_t(table.size() * sizeof table[0])),
                table.data(), table.size() * sizeof table[0]);
    set(id, &neuroc_spinn_control::num_sources, uint32_t(table.size()));
  }
  void route(uint32_t key, uint32_t mask, uint32_t cores, unsigned x = 0,
             unsigned y = 0) {
    ASSERT_OK(machine->addRoute({uint16_t(x), uint16_t(y)},
                                {key, mask, cores << 6}));
  }
};

TEST_F(KernelTest, StartsAndPauses) {
  boot({core(1)});
  start();
  EXPECT_EQ(seen(core(1)).starts, 1u);
  EXPECT_EQ(control(core(1)).tick, 0u);
  EXPECT_EQ(seen(core(1)).ends, 0u);
}

TEST_F(KernelTest, RunsTicksAndResumes) {
  boot({core(1)});
  start();
  Picoseconds before = machine->now();
  runTo(5);
  EXPECT_EQ(control(core(1)).tick, 5u);
  EXPECT_EQ(seen(core(1)).ends, 5u);
  EXPECT_EQ(seen(core(1)).levelRuns[0], 5u);
  // Five ticks of 100 us, the first one period after the start; paused at the
  // deadline of the sixth.
  double microseconds = double(machine->now() - before) * 1e-6;
  EXPECT_NEAR(microseconds, 600, 3);
  runTo(7);
  EXPECT_EQ(seen(core(1)).ends, 7u);
  EXPECT_EQ(counters(core(1)).overruns, 0u);
}

TEST_F(KernelTest, SpikesBecomeRows) {
  boot({core(1), core(2)});
  route(0x1000, 0xfffff000, 1u << 2);
  app(core(1)).spikeKey = 0x1000;
  app(core(1)).spikeUnits = 3;
  // Row of unit u in SDRAM: words of weight u + 1 to targets 0 and u.
  uint32_t table = kTablesSdram;
  for (uint32_t u = 0; u < 3; ++u) {
    uint32_t at = table + u * 16;
    ASSERT_OK(machine->writeWord(core(2), at, 2));
    ASSERT_OK(machine->writeWord(core(2), at + 4, (u + 1) << 16));
    ASSERT_OK(machine->writeWord(core(2), at + 8, (u + 1) << 16 | (10 + u)));
  }
  sources(core(2), {{.key = 0x1000, .mask = 0xfffff000, .units = 3,
                     .kind = NEUROC_SPINN_ROWS, .more = 0, .data = table,
                     .index = 0, .stride = 4, .handler = 42, .delay = 1,
                     .level = 0}});
  start();
  runTo(4);
  EXPECT_EQ(counters(core(1)).spikes_sent, 12u);
  EXPECT_EQ(counters(core(2)).packets_received, 12u);
  EXPECT_EQ(counters(core(2)).rows, 12u);
  EXPECT_EQ(counters(core(2)).dma_transfers, 12u);
  EXPECT_EQ(counters(core(2)).packets_late, 0u);
  EXPECT_EQ(counters(core(2)).packets_lost, 0u);
  EXPECT_EQ(counters(core(2)).packets_unmatched, 0u);
  const KernelSeen &s = seen(core(2));
  EXPECT_EQ(s.rowHandler, 42u);
  EXPECT_EQ(s.sums[0], 4u * (1 + 2 + 3));
  for (uint32_t u = 0; u < 3; ++u)
    EXPECT_EQ(s.sums[10 + u], 4 * (u + 1));
  for (uint32_t t = 0; t < 4; ++t)
    EXPECT_EQ(s.rowTick[t], 3u) << t;
}

TEST_F(KernelTest, WrongMagicIsReported) {
  boot({core(1)});
  set(core(1), &neuroc_spinn_control::abi, NEUROC_SPINN_ABI_VERSION + 1);
  ASSERT_OK(machine->start(core(1), image.entry));
  StopReason reason;
  ASSERT_OK(machine->run({}, reason));
  EXPECT_EQ(control(core(1)).status, uint32_t(NEUROC_SPINN_BAD_ABI));
}

TEST_F(KernelTest, FaultIsReported) {
  MachineConfig config;
  config.stopOnFault = false;
  boot({core(1)}, config);
  start();
  app(core(1)).crash = 1;
  set(core(1), &neuroc_spinn_control::run_until, 1);
  ASSERT_OK(machine->interrupt(core(1)));
  RunLimit limit;
  limit.until = machine->now() + 1'000'000'000;
  StopReason reason;
  ASSERT_OK(machine->run(limit, reason));
  EXPECT_EQ(control(core(1)).status, uint32_t(NEUROC_SPINN_FAULT));
  ASSERT_EQ(machine->faults().size(), 1u);
  EXPECT_EQ(control(core(1)).fault, machine->faults()[0].pc);
  EXPECT_EQ(machine->faults()[0].address, 0x50000000u);
}

// A graded value sent in level 0 is read in level 1 of the same tick by another
// core, which sends it on for level 2 of a third, on another chip.
TEST_F(KernelTest, ValuesCrossLevelsWithinTheTick) {
  MachineConfig config;
  config.width = 2;
  boot({core(1), core(2), core(3, 1)}, config);
  ASSERT_OK(machine->addRoute({0, 0}, {0x100, 0xffffff00, 1u << 8}));
  ASSERT_OK(machine->addRoute({0, 0}, {0x200, 0xffffff00, 1u << 0}));
  ASSERT_OK(machine->addRoute({1, 0}, {0x200, 0xffffff00, 1u << 9}));
  for (CoreId id : cores) {
    set(id, &neuroc_spinn_control::levels, 3);
    set(id, &neuroc_spinn_control::subticks, 4);
    set(id, &neuroc_spinn_control::period, 2000); // 10 us
  }
  app(core(1)).valueKey = 0x100;
  app(core(2)).relay = 0x200;
  auto value = [&](uint32_t key, uint32_t level) {
    return neuroc_spinn_source{.key = key, .mask = 0xffffff00, .units = 1,
                               .kind = NEUROC_SPINN_VALUE, .more = 0,
                               .data = address("inbox"), .index = 0,
                               .stride = 0, .handler = 0, .delay = 0,
                               .level = level};
  };
  sources(core(2), {value(0x100, 1)});
  sources(core(3, 1), {value(0x200, 2)});
  start();
  runTo(10);
  for (uint32_t t = 0; t < 10; ++t) {
    EXPECT_EQ(int32_t(seen(core(2)).atLevel[t][1]), int32_t(1000 * t) - 5) << t;
    EXPECT_EQ(int32_t(seen(core(3, 1)).atLevel[t][2]), int32_t(1000 * t) - 4)
        << t;
  }
  for (CoreId id : cores) {
    EXPECT_EQ(counters(id).packets_late, 0u);
    EXPECT_EQ(counters(id).overruns, 0u);
    for (uint32_t level = 0; level < 3; ++level)
      EXPECT_EQ(seen(id).levelRuns[level], 10u);
    EXPECT_EQ(seen(id).ends, 10u);
  }
  EXPECT_EQ(counters(core(1)).values_sent, 10u);
}

// The same value that is read in level 0 already comes too late: counted.
TEST_F(KernelTest, LatenessWithinTheTickIsSeen) {
  boot({core(1), core(2)});
  route(0x100, 0xffffff00, 1u << 2);
  app(core(1)).valueKey = 0x100;
  sources(core(2), {{.key = 0x100, .mask = 0xffffff00, .units = 1,
                     .kind = NEUROC_SPINN_VALUE, .more = 0,
                     .data = address("inbox"), .index = 0, .stride = 0,
                     .handler = 0, .delay = 0, .level = 0}});
  start();
  runTo(6);
  EXPECT_EQ(counters(core(2)).packets_late, 6u);
  // Read at the end of the tick it would be in time with a sub-tick for it.
  boot({core(1), core(2)});
  route(0x100, 0xffffff00, 1u << 2);
  for (CoreId id : cores)
    set(id, &neuroc_spinn_control::subticks, 2);
  app(core(1)).valueKey = 0x100;
  sources(core(2), {{.key = 0x100, .mask = 0xffffff00, .units = 1,
                     .kind = NEUROC_SPINN_VALUE, .more = 0,
                     .data = address("inbox"), .index = 0, .stride = 0,
                     .handler = 0, .delay = 0, .level = 1}});
  start();
  runTo(6);
  EXPECT_EQ(counters(core(2)).packets_late, 0u);
  for (uint32_t t = 0; t < 6; ++t)
    EXPECT_EQ(int32_t(seen(core(2)).atEnd[t]), int32_t(1000 * t) - 5);
}

// One packet, several entries: a flag, an indexed row in SDRAM, a row in DTCM.
TEST_F(KernelTest, OnePacketServesSeveralEntries) {
  boot({core(1), core(2)});
  route(0x1000, 0xfffff000, 1u << 2);
  app(core(1)).spikeKey = 0x1000;
  app(core(1)).spikeUnits = 4;
  uint32_t table = address("indexTable"), dtcm = address("state");
  // Unit 2 has no row; unit 1 has two words, at word 5 of the table's memory.
  uint32_t index[4] = {0u << 9 | 1, 5u << 9 | 2, 0, 9u << 9 | 1};
  for (uint32_t u = 0; u < 4; ++u)
    ASSERT_OK(machine->writeWord(core(2), table + 4 * u, index[u]));
  ASSERT_OK(machine->writeWord(core(2), kTablesSdram, 7u << 16 | 20));
  ASSERT_OK(machine->writeWord(core(2), kTablesSdram + 20, 8u << 16 | 21));
  ASSERT_OK(machine->writeWord(core(2), kTablesSdram + 24, 9u << 16 | 22));
  ASSERT_OK(machine->writeWord(core(2), kTablesSdram + 36, 3u << 16 | 23));
  neuroc_spinn_source flag{.key = 0x1000, .mask = 0xfffff000, .units = 4,
                           .kind = NEUROC_SPINN_FLAG, .more = 1,
                           .data = address("inbox"), .index = 0, .stride = 0,
                           .handler = 0, .delay = 0, .level = 1};
  neuroc_spinn_source indexed = flag;
  indexed.kind = NEUROC_SPINN_ROWS;
  indexed.data = kTablesSdram;
  indexed.index = table;
  indexed.delay = 1;
  neuroc_spinn_source local = indexed;
  local.data = dtcm + 64;
  local.index = 0;
  local.stride = 2;
  local.more = 0;
  for (uint32_t u = 0; u < 4; ++u) {
    ASSERT_OK(machine->writeWord(core(2), dtcm + 64 + 8 * u, 1));
    ASSERT_OK(
        machine->writeWord(core(2), dtcm + 68 + 8 * u, (u + 1) << 16 | 30));
  }
  sources(core(2), {flag, indexed, local});
  start();
  runTo(3);
  const KernelSeen &s = seen(core(2));
  EXPECT_EQ(s.sums[20], 3u * 7);
  EXPECT_EQ(s.sums[21], 3u * 8);
  EXPECT_EQ(s.sums[22], 3u * 9);
  EXPECT_EQ(s.sums[23], 3u * 3);
  EXPECT_EQ(s.sums[30], 3u * (1 + 2 + 3 + 4));
  for (uint32_t u = 0; u < 4; ++u)
    EXPECT_EQ(word(*machine, core(2), address("inbox") + 4 * u), 1u);
  EXPECT_EQ(counters(core(2)).dma_transfers, 9u);
  EXPECT_EQ(counters(core(2)).rows, 9u + 12);
}

TEST_F(KernelTest, KeysThatNobodyExpects) {
  boot({core(1), core(2)});
  route(0x1000, 0xfffff000, 1u << 2);
  app(core(1)).spikeKey = 0x1000;
  app(core(1)).spikeUnits = 3;
  neuroc_spinn_source source{.key = 0x1000, .mask = 0xfffff000, .units = 2,
                             .kind = NEUROC_SPINN_FLAG, .more = 0,
                             .data = address("inbox"), .index = 0, .stride = 0,
                             .handler = 0, .delay = 0, .level = 5};
  sources(core(2), {source});
  start();
  runTo(2);
  EXPECT_EQ(counters(core(2)).packets_unmatched, 2u); // unit 2, twice
  set(core(2), &neuroc_spinn_control::num_sources, 0);
  runTo(3);
  EXPECT_EQ(counters(core(2)).packets_unmatched, 5u);
}

// Sixteen groups of sources: every key finds its own, whatever came before.
TEST_F(KernelTest, FindsEverySource) {
  boot({core(2)});
  route(0, 0, 1u << 2);
  std::vector<neuroc_spinn_source> table;
  for (uint32_t i = 0; i < 16; ++i)
    table.push_back({.key = 0x100 * i * i, .mask = 0xffffff00, .units = 64,
                     .kind = NEUROC_SPINN_VALUE, .more = 0,
                     .data = address("inbox") + 4 * i, .index = 0, .stride = 0,
                     .handler = 0, .delay = 0, .level = 9});
  sources(core(2), table);
  start();
  set(core(2), &neuroc_spinn_control::run_until, 1);
  ASSERT_OK(machine->interrupt(core(2)));
  uint32_t order = 7, unmatched = 0;
  for (uint32_t n = 0; n < 64; ++n) {
    order = order * 5 + 3;
    uint32_t group = order >> 2 & 31;
    ASSERT_OK(machine->inject({0, 0}, 0x100 * group * (group < 16 ? group : 1) +
                                          (group < 16 ? 0 : 0x80),
                              n, machine->now() + 1'000'000 * (n + 1)));
  }
  paused();
  order = 7;
  uint32_t last[16] = {};
  for (uint32_t n = 0; n < 64; ++n) {
    order = order * 5 + 3;
    uint32_t group = order >> 2 & 31;
    uint32_t key = 0x100 * group * (group < 16 ? group : 1) +
                   (group < 16 ? 0 : 0x80);
    bool found = false;
    for (uint32_t i = 0; i < 16; ++i)
      if ((key & 0xffffff00) == 0x100 * i * i && (key & 0xff) / 4 == 0) {
        last[i] = n;
        found = true;
      }
    if (!found && (key & 0xff) / 4 == 0)
      ++unmatched;
  }
  for (uint32_t i = 0; i < 16; ++i)
    EXPECT_EQ(word(*machine, core(2), address("inbox") + 4 * i), last[i]) << i;
  EXPECT_GE(counters(core(2)).packets_unmatched, unmatched);
  EXPECT_EQ(counters(core(2)).packets_received, 64u);
}

TEST_F(KernelTest, RecordsGoToSdram) {
  boot({core(1)});
  auto *records = reinterpret_cast<neuroc_spinn_record *>(machine->memory(
      core(1), address("neuroc_core_records"), 4 * sizeof(neuroc_spinn_record)));
  uint32_t state = address("state");
  records[0] = {state, 2, 1, kTablesSdram, 100, 0, 0, 0};
  records[1] = {state, 1, 3, kTablesSdram + 0x1000, 100, 0, 0, 0};
  records[2] = {state + 8, 1, 4, kTablesSdram + 0x2000, 2, 0, 0, 1};
  set(core(1), &neuroc_spinn_control::num_records, 3);
  start();
  runTo(12);
  EXPECT_EQ(records[0].count, 12u);
  for (uint32_t t = 0; t < 12; ++t)
    EXPECT_EQ(word(*machine, core(1), kTablesSdram + 8 * t), t);
  EXPECT_EQ(records[1].count, 4u);
  for (uint32_t s = 0; s < 4; ++s)
    EXPECT_EQ(word(*machine, core(1), kTablesSdram + 0x1000 + 4 * s), 3 * s);
  // Cleared in every tick: a sample has one bit; the third does not fit.
  EXPECT_EQ(records[2].count, 2u);
  EXPECT_EQ(records[2].lost, 1u);
  EXPECT_EQ(word(*machine, core(1), kTablesSdram + 0x2000), 1u << 0);
  EXPECT_EQ(word(*machine, core(1), kTablesSdram + 0x2004), 1u << 4);
  // The host empties the buffer while the core is paused.
  records[0].count = 0;
  runTo(14);
  EXPECT_EQ(records[0].count, 2u);
  EXPECT_EQ(word(*machine, core(1), kTablesSdram + 8), 13u);
}

TEST_F(KernelTest, CallsOnResume) {
  boot({core(1), core(2)});
  start();
  runTo(2);
  set(core(1), &neuroc_spinn_control::call_mask, 0x11);
  runTo(2); // no tick, only the calls
  EXPECT_EQ(seen(core(1)).calls, 0x11u);
  EXPECT_EQ(seen(core(1)).callTick, 2u);
  EXPECT_EQ(control(core(1)).call_mask, 0u);
  EXPECT_EQ(seen(core(2)).calls, 0u);
  EXPECT_EQ(seen(core(1)).ends, 2u);
}

TEST_F(KernelTest, TransfersAndRandomNumbers) {
  boot({core(1)});
  app(core(1)).readFrom = kTablesSdram;
  app(core(1)).draw = 1;
  ASSERT_OK(machine->writeWord(core(1), kTablesSdram, 41));
  start();
  runTo(3);
  EXPECT_EQ(word(*machine, core(1), kTablesSdram), 44u);
  EXPECT_EQ(seen(core(1)).random, neuroc_rt_word(2ull << 32 | 1, 3, 2, 5));
}

// Work that takes longer than the period: every tick is still run, in order,
// and the overruns are counted.
TEST_F(KernelTest, OverrunsAreCountedAndNoTickIsLost) {
  boot({core(1)});
  set(core(1), &neuroc_spinn_control::period, 2000);
  app(core(1)).work = 400; // about 4000 cycles
  start();
  runTo(20);
  EXPECT_EQ(seen(core(1)).ends, 20u);
  EXPECT_EQ(control(core(1)).tick, 20u);
  EXPECT_GE(counters(core(1)).overruns, 18u);
  EXPECT_LE(counters(core(1)).overruns, 20u);
  EXPECT_GT(counters(core(1)).busy_peak, 3000u);
}

// A receiver that lags by whole ticks still counts each spike for the tick in
// which it was sent: early packets wait.
TEST_F(KernelTest, EarlyPacketsWaitForTheirTick) {
  boot({core(1), core(2)});
  route(0x1000, 0xfffff000, 1u << 2);
  app(core(1)).spikeKey = 0x1000;
  app(core(1)).spikeUnits = 2;
  for (CoreId id : cores)
    set(id, &neuroc_spinn_control::period, 4000);
  app(core(2)).work = 290; // 8 % more than the period
  ASSERT_OK(machine->writeWord(core(2), kTablesSdram, 1));
  ASSERT_OK(machine->writeWord(core(2), kTablesSdram + 4, 1 << 16));
  ASSERT_OK(machine->writeWord(core(2), kTablesSdram + 8, 1));
  ASSERT_OK(machine->writeWord(core(2), kTablesSdram + 12, 1 << 16));
  sources(core(2), {{.key = 0x1000, .mask = 0xfffff000, .units = 2,
                     .kind = NEUROC_SPINN_ROWS, .more = 0, .data = kTablesSdram,
                     .index = 0, .stride = 2, .handler = 0, .delay = 1,
                     .level = 0}});
  start();
  runTo(12);
  EXPECT_GT(counters(core(2)).overruns, 0u);
  EXPECT_EQ(counters(core(2)).packets_received, 24u);
  for (uint32_t t = 0; t < 12; ++t)
    EXPECT_EQ(seen(core(2)).rowTick[t], 2u) << t;
}

// A burst that is longer than the queue while the core is busy: the rest is
// counted as lost, nothing else goes wrong.
TEST_F(KernelTest, FullQueueCountsLosses) {
  boot({core(2)});
  route(0, 0, 1u << 2);
  sources(core(2), {{.key = 0, .mask = 0, .units = ~0u,
                     .kind = NEUROC_SPINN_FLAG, .more = 0,
                     .data = address("inbox"), .index = 0, .stride = 0,
                     .handler = 0, .delay = 0, .level = 9}});
  app(core(2)).work = 20000; // about a millisecond without polling
  start();
  set(core(2), &neuroc_spinn_control::run_until, 1);
  ASSERT_OK(machine->interrupt(core(2)));
  for (uint32_t n = 0; n < 300; ++n)
    ASSERT_OK(machine->inject({0, 0}, 4 * (n & 15), std::nullopt,
                              machine->now() + 200'000'000 + n * 1'000'000));
  paused();
  EXPECT_EQ(counters(core(2)).packets_received, 255u);
  EXPECT_EQ(counters(core(2)).packets_lost, 45u);
  EXPECT_EQ(counters(core(2)).queue_peak, 255u);
}

TEST_F(KernelTest, SendGapSpacesPackets) {
  boot({core(1), core(2)});
  route(0x1000, 0xfffff000, 1u << 2);
  app(core(1)).spikeKey = 0x1000;
  app(core(1)).spikeUnits = 10;
  set(core(1), &neuroc_spinn_control::send_gap, 500);
  sources(core(2), {{.key = 0x1000, .mask = 0xfffff000, .units = 16,
                     .kind = NEUROC_SPINN_FLAG, .more = 0,
                     .data = address("inbox"), .index = 0, .stride = 0,
                     .handler = 0, .delay = 0, .level = 9}});
  start();
  std::vector<Picoseconds> arrivals;
  for (CoreId id : cores) {
    set(id, &neuroc_spinn_control::run_until, 1);
    ASSERT_OK(machine->interrupt(id));
  }
  machine->setTrace([&](const TraceEntry &entry) {
    if (entry.core == core(2) && entry.pc == 0x1c) // the packet handler
      arrivals.push_back(entry.time);
  });
  paused();
  ASSERT_EQ(arrivals.size(), 10u);
  for (size_t i = 1; i < arrivals.size(); ++i) {
    EXPECT_GE(arrivals[i] - arrivals[i - 1], 470u * 5000);
    EXPECT_LE(arrivals[i] - arrivals[i - 1], 560u * 5000);
  }
  // The grid does not drift.
  EXPECT_NEAR(double(arrivals[9] - arrivals[0]), 9 * 500 * 5000.0, 60 * 5000.0);
}

TEST_F(KernelTest, PhasePutsWorkOff) {
  boot({core(1), core(2)});
  set(core(2), &neuroc_spinn_control::phase, 3000);
  start();
  std::map<unsigned, std::vector<Picoseconds>> starts;
  uint32_t level = address("neuroc_core_level");
  machine->setTrace([&](const TraceEntry &entry) {
    if (entry.pc == level)
      starts[entry.core.core].push_back(entry.time);
  });
  runTo(4);
  ASSERT_EQ(starts[1].size(), 4u);
  ASSERT_EQ(starts[2].size(), 4u);
  for (int t = 0; t < 4; ++t)
    EXPECT_NEAR(double(starts[2][t]) - double(starts[1][t]), 3000 * 5000.0,
                50 * 5000.0);
}

// An idle network costs little: a tick with nothing to do keeps a core awake
// for fewer than 1500 cycles; and what the kernel says agrees with the machine.
TEST_F(KernelTest, BusyTimeAgreesWithTheMachine) {
  boot({core(1)});
  start();
  uint64_t before = countersOf(*machine, core(1)).cycles;
  runTo(50);
  uint64_t awake = countersOf(*machine, core(1)).cycles - before;
  EXPECT_LT(awake / 50, 1500u);
  double kernel = counters(core(1)).busy_low;
  EXPECT_NEAR(kernel, double(awake), 0.1 * double(awake) + 500);
}

// What a spike costs from the handler to the row, in cycles: an upper bound
// that is noticed when it rises.
TEST_F(KernelTest, CostOfAPacket) {
  boot({core(1), core(2)});
  route(0x1000, 0xfffff000, 1u << 2);
  app(core(1)).spikeKey = 0x1000;
  sources(core(2), {{.key = 0x1000, .mask = 0xfffff000, .units = 100,
                     .kind = NEUROC_SPINN_ROWS, .more = 0, .data = kTablesSdram,
                     .index = 0, .stride = 2, .handler = 0, .delay = 1,
                     .level = 0}});
  for (uint32_t u = 0; u < 100; ++u)
    ASSERT_OK(machine->writeWord(core(2), kTablesSdram + 8 * u, 1));
  start();
  runTo(10);
  uint64_t idle = countersOf(*machine, core(2)).cycles;
  runTo(20);
  idle = countersOf(*machine, core(2)).cycles - idle;
  app(core(1)).spikeUnits = 50;
  uint64_t busy = countersOf(*machine, core(2)).cycles;
  runTo(30);
  busy = countersOf(*machine, core(2)).cycles - busy;
  EXPECT_EQ(counters(core(2)).rows, 500u);
  double cycles = double(busy - idle) / 500;
  RecordProperty("cycles_per_spike", std::to_string(cycles));
  std::printf("cycles per spike with a row of one synapse: %.1f\n", cycles);
  EXPECT_LT(cycles, 400);
}

} // namespace
