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

} // namespace
