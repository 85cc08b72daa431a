// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Router and links: priority, default routes, losses, blocking, emergency
// routing, rates and latencies. Packets come from the host or from programs.

#include "Programs/Devices.h"
#include "Support.h"

#include "Model.h"

using namespace neuroc::rt::spinn;
using neuroc::rt::Status;

namespace {

constexpr uint32_t coreBit(unsigned c) { return 1u << (6 + c); }
constexpr uint32_t linkBit(unsigned l) { return 1u << l; }

struct RouterTest : testing::Test {
  std::unique_ptr<Machine> machine = makeMachine();
  ElfImage image;

  void boot(CoreId id, uint32_t mode, uint32_t count, uint32_t payload = 0,
            uint32_t key = 0) {
    ASSERT_OK(machine->loadElf(id, armProgram("devices"), &image));
    Io &set = io(id);
    set.mode = mode;
    set.count = count;
    set.address = payload;
    set.key = key;
    ASSERT_OK(machine->start(id, image.entry));
  }
  Io &io(CoreId id) {
    return *reinterpret_cast<Io *>(
        machine->memory(id, image.symbols["io"].value, sizeof(Io)));
  }
  void route(uint32_t key, uint32_t mask, uint32_t bits, unsigned x = 0,
             unsigned y = 0) {
    ASSERT_OK(machine->addRoute({uint16_t(x), uint16_t(y)}, {key, mask, bits}));
  }
  void run(Picoseconds forPs = 1'000'000'000) {
    StopReason reason;
    RunLimit limit;
    limit.until = machine->now() + forPs;
    ASSERT_OK(machine->run(limit, reason));
  }
  RouterCounters router(unsigned x = 0, unsigned y = 0) {
    RouterCounters counters;
    EXPECT_OK(machine->routerCounters({uint16_t(x), uint16_t(y)}, counters));
    return counters;
  }
};

TEST_F(RouterTest, DeliversKeyAndPayload) {
  route(0x100, 0xffffff00, coreBit(3));
  boot(core(3), MODE_RECEIVE, 2);
  ASSERT_OK(machine->inject({0, 0}, 0x1ab, 0xdeadbeef));
  ASSERT_OK(machine->inject({0, 0}, 0x1ac));
  run();
  EXPECT_EQ(machine->state(core(3)), CoreState::Halted);
  EXPECT_EQ(io(core(3)).log[0], 0x1abu);
  EXPECT_EQ(io(core(3)).log[1], 0xdeadbeefu);
  EXPECT_EQ(io(core(3)).log[3], 0x1acu);
  EXPECT_EQ(router().routed, 2u);
  EXPECT_EQ(router().bitHops, 72u + 40);
}

TEST_F(RouterTest, FirstEntryWins) {
  route(0x10, 0xfffffff0, coreBit(1));
  route(0x00, 0xffffff00, coreBit(2)); // wider, below
  boot(core(1), MODE_RECEIVE, 1);
  boot(core(2), MODE_RECEIVE, 1);
  ASSERT_OK(machine->inject({0, 0}, 0x12));
  ASSERT_OK(machine->inject({0, 0}, 0x22));
  run();
  EXPECT_EQ(io(core(1)).log[0], 0x12u);
  EXPECT_EQ(io(core(2)).log[0], 0x22u);
}

TEST_F(RouterTest, MulticastReachesAll) {
  route(0, 0xffffffff, coreBit(1) | coreBit(9) | coreBit(17));
  for (unsigned c : {1, 9, 17})
    boot(core(c), MODE_RECEIVE, 1);
  ASSERT_OK(machine->inject({0, 0}, 0));
  run();
  for (unsigned c : {1, 9, 17})
    EXPECT_EQ(machine->state(core(c)), CoreState::Halted) << c;
}

TEST_F(RouterTest, LocalKeyWithoutEntryIsLost) {
  ASSERT_OK(machine->inject({0, 0}, 0x77));
  run();
  EXPECT_EQ(router().unroutable, 1u);
  EXPECT_EQ(router().dropped, 1u);
}

TEST_F(RouterTest, RejectsEntriesThatCannotWork) {
  EXPECT_EQ(machine->addRoute({0, 0}, {0x3, 0x1, 1}).message(),
            "chip (0, 0): routing key 0x00000003 has bits outside its mask "
            "0x00000001 and can match no packet");
  EXPECT_EQ(machine->addRoute({0, 0}, {0, 0, 1u << 24}).message(),
            "chip (0, 0): route 0x01000000 has bits beyond core 17");
  EXPECT_EQ(machine->addRoute({4, 0}, {0, 0, 1}).message(),
            "the machine has no live chip (4, 0)");
  for (unsigned i = 0; i < kRouterEntries; ++i)
    ASSERT_OK(machine->addRoute({0, 0}, {i, ~0u, linkBit(0)}));
  Status full = machine->addRoute({0, 0}, {5000, ~0u, linkBit(0)});
  EXPECT_EQ(full.code(), neuroc::rt::Code::DoesNotFit);
  MachineConfig config;
  config.deadCores = {core(5)};
  machine = makeMachine(config);
  EXPECT_EQ(machine->addRoute({0, 0}, {0, 0, coreBit(5)}).message(),
            "chip (0, 0): route 0x00000800 leads to core 5, which is missing "
            "or dead");
}

// A row of chips: no entry in the middle, the packet goes straight on.
TEST_F(RouterTest, DefaultRouteGoesStraightOn) {
  MachineConfig config;
  config.width = 4;
  machine = makeMachine(config);
  route(0x5, ~0u, linkBit(0), 0);
  route(0x5, ~0u, coreBit(2), 3);
  boot(core(2, 3), MODE_RECEIVE, 1);
  ASSERT_OK(machine->inject({0, 0}, 5));
  run();
  EXPECT_EQ(machine->state(core(2, 3)), CoreState::Halted);
  EXPECT_EQ(router(1).defaultRouted, 1u);
  EXPECT_EQ(router(2).defaultRouted, 1u);
  EXPECT_EQ(router(2).links[0].packets, 1u);
  EXPECT_EQ(router(3).routed, 1u);
}

// All six directions, and back by wrapping round.
TEST_F(RouterTest, LinksLeadWhereTheyShould) {
  MachineConfig config;
  config.width = config.height = 3;
  config.wrap = true;
  machine = makeMachine(config);
  const int dx[] = {1, 1, 0, -1, -1, 0}, dy[] = {0, 1, 1, 0, -1, -1};
  for (unsigned link = 0; link < 6; ++link) {
    auto far = machine->neighbour({1, 1}, link);
    ASSERT_TRUE(far);
    EXPECT_EQ(far->x, 1 + dx[link]);
    EXPECT_EQ(far->y, 1 + dy[link]);
    EXPECT_EQ(machine->neighbour(*far, (link + 3) % 6), (ChipId{1, 1}));
  }
  EXPECT_EQ(machine->neighbour({2, 2}, 1), (ChipId{0, 0}));
  EXPECT_EQ(machine->neighbour({0, 0}, 5), (ChipId{0, 2}));
  machine = makeMachine();
  EXPECT_FALSE(machine->neighbour({0, 0}, 0));
}

/// Time from injection to the packet's arrival in the receive registers.
Picoseconds arrival(Machine &machine, ChipId from, CoreId to, bool payload) {
  Picoseconds start = machine.now();
  EXPECT_OK(machine.inject(from, 1, payload ? std::optional(7u) : std::nullopt));
  StopReason reason;
  uint64_t before = countersOf(machine, to).packetsReceived;
  RunLimit limit;
  for (Picoseconds t = start;; t += 500) { // sampled every 0.5 ns
    limit.until = t;
    EXPECT_OK(machine.run(limit, reason));
    if (countersOf(machine, to).packetsReceived != before ||
        t > start + 100'000'000)
      return t - start;
  }
}

// Router 60 ns, output to core 40 ns, each hop: serialisation + 20 ns + router.
TEST_F(RouterTest, Latency) {
  MachineConfig config;
  config.width = 2;
  machine = makeMachine(config);
  route(1, ~0u, linkBit(0) | coreBit(1), 0);
  route(1, ~0u, coreBit(1), 1);
  auto near = [](Picoseconds found, Picoseconds expected) {
    EXPECT_GE(found, expected);
    EXPECT_LE(found, expected + 1000);
  };
  boot(core(1), MODE_RECEIVE, 4);
  boot(core(1, 1), MODE_RECEIVE, 4);
  near(arrival(*machine, {0, 0}, core(1), false), 100'000);
  run(10'000'000);
  near(arrival(*machine, {0, 0}, core(1, 1), false),
       60'000 + 220'000 + 20'000 + 60'000 + 40'000);
  run(10'000'000);
  near(arrival(*machine, {0, 0}, core(1, 1), true),
       60'000 + 380'000 + 20'000 + 60'000 + 40'000);
}

/// Packets a second over one link when a core sends as fast as it can.
double linkRate(bool payload) {
  MachineConfig config;
  config.width = 2;
  auto machine = makeMachine(config);
  EXPECT_OK(machine->addRoute({0, 0}, {0, 0, linkBit(0)}));
  EXPECT_OK(machine->addRoute({1, 0}, {0, 0, coreBit(1)}));
  ElfImage image;
  for (CoreId id : {core(1), core(2), core(1, 1)}) {
    EXPECT_OK(machine->loadElf(id, armProgram("devices"), &image));
    Io &io = *reinterpret_cast<Io *>(
        machine->memory(id, image.symbols["io"].value, sizeof(Io)));
    io.mode = id.chip.x ? MODE_RECEIVE : MODE_SEND;
    io.count = id.chip.x ? 300 : 2000;
    io.address = payload;
    EXPECT_OK(machine->start(id, image.entry));
  }
  StopReason reason;
  RunLimit limit;
  limit.until = 100'000'000'000;
  // Received so far when the log is full; the rest would block.
  RouterCounters counters;
  Picoseconds from = 20'000'000;
  limit.until = from;
  EXPECT_OK(machine->run(limit, reason));
  EXPECT_OK(machine->routerCounters({0, 0}, counters));
  uint64_t before = counters.links[0].packets;
  limit.until = from + 40'000'000;
  EXPECT_OK(machine->run(limit, reason));
  EXPECT_OK(machine->routerCounters({0, 0}, counters));
  return double(counters.links[0].packets - before) / 40e-6;
}

TEST_F(RouterTest, LinkRates) {
  double plain = linkRate(false), loaded = linkRate(true);
  EXPECT_GE(plain, 4.45e6); // 220 ns each
  EXPECT_LE(plain, 5.0e6);
  EXPECT_GE(loaded, 2.58e6); // 380 ns each
  EXPECT_LE(loaded, 3.0e6);
}

// A receiver that does not read blocks the router for wait1 (240 router cycles
// = 1.8 us), then the packet is dropped and the next goes through.
TEST_F(RouterTest, BlockedCoreLosesPacketsAfterTheWait) {
  route(0x10, ~0u, coreBit(1));
  route(0x20, ~0u, coreBit(2));
  boot(core(2), MODE_RECEIVE, 1);
  for (int i = 0; i < 3; ++i) // two fit into the FIFO
    ASSERT_OK(machine->inject({0, 0}, 0x10));
  ASSERT_OK(machine->inject({0, 0}, 0x20));
  run(1'700'000);
  EXPECT_EQ(router().dropped, 0u);
  EXPECT_EQ(machine->state(core(2)), CoreState::Running); // held up
  run(10'000'000);
  EXPECT_EQ(router().dropped, 1u);
  EXPECT_EQ(router().stallPs, 240u * 7500);
  EXPECT_EQ(machine->state(core(2)), CoreState::Halted);
}

TEST_F(RouterTest, WaitForeverNeverDrops) {
  MachineConfig config;
  config.timing.wait1 = 0xff;
  machine = makeMachine(config);
  route(0x10, ~0u, coreBit(1));
  for (int i = 0; i < 5; ++i)
    ASSERT_OK(machine->inject({0, 0}, 0x10));
  run(1'000'000'000);
  EXPECT_EQ(router().dropped, 0u);
  boot(core(1), MODE_RECEIVE, 5);
  run();
  EXPECT_EQ(machine->state(core(1)), CoreState::Halted);
}

// Back-pressure reaches a sending core: nothing is lost while the receiver
// reads in time.
TEST_F(RouterTest, BackPressureLosesNothing) {
  route(0, 0, coreBit(2));
  boot(core(2), MODE_RECEIVE, 300);
  boot(core(1), MODE_SEND, 300, 1, 0x5000);
  run();
  EXPECT_EQ(machine->state(core(1)), CoreState::Halted);
  EXPECT_EQ(machine->state(core(2)), CoreState::Halted);
  EXPECT_EQ(countersOf(*machine, core(1)).packetsSent, 300u);
  EXPECT_EQ(countersOf(*machine, core(1)).txOverruns, 0u);
  for (uint32_t i = 0; i < 300; ++i) {
    EXPECT_EQ(io(core(2)).log[3 * i], 0x5000 + i); // in order
    EXPECT_EQ(io(core(2)).log[3 * i + 1], 0x1000 + i);
  }
  EXPECT_EQ(router().dropped, 0u);
}

TEST_F(RouterTest, DeadLinkDropsAndIsNoNeighbour) {
  MachineConfig config;
  config.width = 2;
  config.deadLinks = {{{0, 0}, 0}};
  machine = makeMachine(config);
  EXPECT_FALSE(machine->hasLink({0, 0}, 0));
  EXPECT_FALSE(machine->hasLink({1, 0}, 3)); // dead both ways
  route(1, ~0u, linkBit(0));
  ASSERT_OK(machine->inject({0, 0}, 1));
  run();
  EXPECT_EQ(router().dropped, 1u);
}

// Emergency routing: link 0 of (0,0) is dead for good; the packet goes round
// by link 5 and the chip below, and arrives as if nothing had happened.
TEST_F(RouterTest, EmergencyTriangle) {
  MachineConfig config;
  config.width = config.height = 3;
  config.wrap = true;
  config.timing.wait2 = 0x40;
  config.deadLinks = {{{0, 1}, 0}};
  machine = makeMachine(config);
  route(9, ~0u, linkBit(0), 0, 1);
  route(9, ~0u, coreBit(4), 1, 1);
  boot(core(4, 1, 1), MODE_RECEIVE, 1);
  ASSERT_OK(machine->inject({0, 1}, 9, 1234));
  run();
  EXPECT_EQ(machine->state(core(4, 1, 1)), CoreState::Halted);
  EXPECT_EQ(io(core(4, 1, 1)).log[1], 1234u);
  EXPECT_EQ(router(0, 1).emergency, 1u);
  EXPECT_EQ(router(0, 1).links[5].packets, 1u); // south to (0, 0)
  EXPECT_EQ(router(0, 0).links[1].packets, 1u); // north-east to (1, 1)
  EXPECT_EQ(router(0, 1).dropped, 0u);
  // Without wait2 it is lost.
  config.timing.wait2 = 0;
  machine = makeMachine(config);
  route(9, ~0u, linkBit(0), 0, 1);
  ASSERT_OK(machine->inject({0, 1}, 9));
  run();
  EXPECT_EQ(router(0, 1).dropped, 1u);
}

// A diverted packet whose key is not in the far chip's table goes on in the
// direction it had: input + 2 for a reverting packet.
TEST_F(RouterTest, EmergencyKeepsTheDefaultDirection) {
  MachineConfig config;
  config.width = config.height = 4;
  config.wrap = true;
  config.timing.wait2 = 0x40;
  config.deadLinks = {{{0, 1}, 0}};
  machine = makeMachine(config);
  route(9, ~0u, linkBit(0), 0, 1);
  route(9, ~0u, coreBit(4), 2, 1); // two chips on
  boot(core(4, 2, 1), MODE_RECEIVE, 1);
  ASSERT_OK(machine->inject({0, 1}, 9));
  run();
  EXPECT_EQ(machine->state(core(4, 2, 1)), CoreState::Halted);
  EXPECT_EQ(router(1, 1).defaultRouted, 1u);
}

// The router is one pipeline: one packet per 7.5 ns, in order.
TEST_F(RouterTest, PeakThroughput) {
  MachineConfig config;
  config.timing.rxFifoPackets = 200;
  machine = makeMachine(config);
  route(0, 0, coreBit(1));
  boot(core(1), MODE_SLEEP, 0);
  for (int i = 0; i < 100; ++i)
    ASSERT_OK(machine->inject({0, 0}, uint32_t(i)));
  StopReason reason;
  RunLimit limit;
  limit.until = 60'000 + 40'000 + 99 * 7'500; // the hundredth arrives then
  ASSERT_OK(machine->run(limit, reason));
  EXPECT_EQ(countersOf(*machine, core(1)).packetsReceived, 99u);
  ++limit.until;
  ASSERT_OK(machine->run(limit, reason));
  EXPECT_EQ(countersOf(*machine, core(1)).packetsReceived, 100u);
}

// Every word of a routing table against a plain search, for random tables.
TEST_F(RouterTest, RandomTablesMatchPlainSearch) {
  uint32_t seed = 1;
  auto random = [&] { return seed = seed * 1664525u + 1013904223u; };
  for (int round = 0; round < 20; ++round) {
    machine = makeMachine();
    std::vector<RoutingEntry> table;
    for (int i = 0; i < 50; ++i) {
      uint32_t mask = (random() >> 24 & 0xff) | 0xffffff00;
      uint32_t key = random() >> 24 & mask & 0xff;
      RoutingEntry entry{key, mask, coreBit(1 + (random() >> 28))};
      table.push_back(entry);
      ASSERT_OK(machine->addRoute({0, 0}, entry));
    }
    uint64_t expected[18] = {}, lost = 0;
    for (unsigned c = 1; c <= 16; ++c)
      boot(core(c), MODE_RECEIVE, 300);
    for (uint32_t key = 0; key < 256; ++key) {
      ASSERT_OK(machine->inject({0, 0}, key, std::nullopt,
                                Picoseconds(key) * 1'000'000));
      const RoutingEntry *hit = nullptr;
      for (const RoutingEntry &entry : table)
        if (!hit && (key & entry.mask) == entry.key)
          hit = &entry;
      if (hit)
        ++expected[std::countr_zero(hit->route) - 6];
      else
        ++lost;
    }
    run(300'000'000);
    EXPECT_EQ(router().unroutable, lost);
    for (unsigned c = 1; c <= 16; ++c)
      EXPECT_EQ(countersOf(*machine, core(c)).packetsReceived, expected[c]);
  }
}

} // namespace
