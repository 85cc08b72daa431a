// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Messages, counted stores, events, barriers, the host mailbox: what arrives,
// when it arrives, contention on links, and deadlocks as errors.
#include "Harness.h"

using namespace neuroc::rt;
using namespace neuroc::rt::xbar;

namespace {

using Words = std::vector<int32_t>;

/// Sends `count` words from 100 to a tile under tag 5.
std::string sender(uint32_t to, int count, const std::string &before = "") {
  return before + "set r1, 100\nset r2, " + std::to_string(to) +
         "\nset r3, 5\nset r4, " + std::to_string(count) +
         "\nsend r1, r2, r3, r4\nhalt";
}
std::string receiver(int count, const std::string &options = "") {
  return "set r1, 200\nset r3, 5\nset r4, " + std::to_string(count) +
         "\nrecv r1, r3, r4" + options + "\nfence\nrdsr r30, 2\nhalt";
}

TEST(Network, WordsArriveInOrder) {
  Rig rig;
  rig.put(0, 100, {1, 2, 3});
  rig.program(0, sender(5, 3));
  rig.program(5, receiver(3));
  EXPECT_EQ(rig.run(), "");
  EXPECT_EQ(rig.get(5, 200, 3), (Words{1, 2, 3}));
}

TEST(Network, LatencyFollowsTheFormula) {
  MachineConfig m = smallMachine();
  m.hopCycles = 4;
  m.flitWords = 8;
  m.headerFlits = 1;
  m.memoryWordsPerCycle = 8;
  // The send issues at cycle 4. From tile 0 to 10 (2, 2): four links and the
  // local port, 5 * 4 cycles for the head, 1 + 3 flits for the tail; then one
  // cycle and 20 / 8 cycles into memory, and the counter is read.
  Rig rig(m);
  rig.program(0, sender(10, 20));
  rig.program(10, receiver(20));
  EXPECT_EQ(rig.run(), "");
  EXPECT_EQ(rig.reg(30, 10), 4 + 5 * 4 + 4 + (1 + 3) + 1);
  Counters c = rig->counters();
  EXPECT_EQ(c.messages, 1u);
  EXPECT_EQ(c.flitHops, 5u * 4);
  EXPECT_EQ(c.linkStalls, 0u);
  // The receive issued at cycle 3 and its message was there at 28.
  EXPECT_EQ(c.stalls[unsigned(Stall::Message)], 25u);
}

TEST(Network, TwoMessagesOnOneLinkQueue) {
  // Tiles 0 and 1 send to tile 3; the links 1-2 and 2-3 are shared.
  auto arrival = [](bool both) {
    Rig rig;
    rig.program(0, sender(3, 64));
    if (both)
      rig.program(1, "set r1, 100\nset r2, 3\nset r3, 6\nset r4, 64\n"
                     "send r1, r2, r3, r4\nhalt");
    rig.program(3, receiver(64));
    EXPECT_EQ(rig.run(), "");
    return std::pair(rig.reg(30, 3), rig->counters().linkStalls);
  };
  auto [alone, none] = arrival(false);
  auto [shared, stalls] = arrival(true);
  EXPECT_EQ(none, 0u);
  // Tile 1's message holds the link from 4 to 13; tile 0's head is there at 7.
  EXPECT_EQ(shared - alone, 6);
  EXPECT_EQ(stalls, 6u);
}

TEST(Network, DisjointRoutesDoNotDisturb) {
  Rig rig;
  rig.program(0, sender(3, 64));
  rig.program(4, sender(7, 64));
  rig.program(3, receiver(64));
  rig.program(7, receiver(64));
  EXPECT_EQ(rig.run(), "");
  EXPECT_EQ(rig->counters().linkStalls, 0u);
  EXPECT_EQ(rig.reg(30, 3), rig.reg(30, 7));
}

TEST(Network, MulticastUsesEachLinkOnce) {
  auto hops = [](bool multicast) {
    Rig rig;
    rig.put(0, 100, {9});
    rig.put(0, 300, {2, 3, 7});
    if (multicast)
      rig.program(0, "set r1, 100\nset r2, 300\nset r3, 5\nset r4, 1\n"
                     "set r5, 3\nmcast r1, r2, r3, r4, r5\nhalt");
    else
      rig.program(0, "set r1, 100\nset r3, 5\nset r4, 1\nset r6, 300\n"
                     "loopi 3, e\nlw r2, r6, 0\naddi r6, r6, 1\n"
                     "send r1, r2, r3, r4\ne: halt");
    for (uint32_t tile : {2u, 3u, 7u})
      rig.program(tile, receiver(1));
    EXPECT_EQ(rig.run(), "");
    for (uint32_t tile : {2u, 3u, 7u})
      EXPECT_EQ(rig.get(tile, 200, 1), Words{9});
    return rig->counters().flitHops;
  };
  // Two flits. Tree: 0-1-2-3-7 and three local ports; unicast: 3 + 4 + 5.
  EXPECT_EQ(hops(true), 2u * (4 + 3));
  EXPECT_EQ(hops(false), 2u * (3 + 4 + 5));
}

TEST(Network, ReceiveGathersOrAdds) {
  auto run = [](const std::string &options, size_t words) {
    Rig rig;
    rig.put(0, 100, {1, 2});
    rig.put(3, 100, {10, 20});
    rig.program(0, sender(1, 2));
    rig.program(3, sender(1, 2, "loopi 100, e\nnop\ne:\n"));
    rig.put(1, 200, {1000, 1000});
    rig.program(1, receiver(2, options));
    EXPECT_EQ(rig.run(), "");
    return rig.get(1, 200, words);
  };
  EXPECT_EQ(run(", n=2", 4), (Words{1, 2, 10, 20}));
  EXPECT_EQ(run(", n=2, acc=1", 2), (Words{1011, 1022}));
}

TEST(Network, ReceiveOfAnyLength) {
  Rig rig;
  rig.put(0, 100, {1, 2, 3});
  rig.program(0, sender(1, 3));
  rig.program(1, "set r1, 200\nset r3, 5\nset r4, 10\n"
                 "recvv r5, r1, r3, r4\nhalt");
  EXPECT_EQ(rig.run(), "");
  EXPECT_EQ(rig.reg(5, 1), 3);
  EXPECT_EQ(rig.get(1, 200, 4), (Words{1, 2, 3, 0}));
}

TEST(Network, EarlierSenderWinsWhateverTileRunsAhead) {
  // Tile 15 sends early from far away, tile 0 late from near by; both under
  // one tag. The order of arrival decides, not the order of simulation.
  Rig rig;
  rig.put(15, 100, {15});
  rig.put(0, 100, {1});
  rig.program(15, sender(1, 1));
  rig.program(0, sender(1, 1, "loopi 60, e\nnop\ne:\n"));
  rig.program(1, "set r1, 200\nset r3, 5\nset r4, 1\nrecv r1, r3, r4, n=2\n"
                 "halt");
  EXPECT_EQ(rig.run(), "");
  EXPECT_EQ(rig.get(1, 200, 2), (Words{15, 1}));
}

TEST(Network, LaterSenderMayArriveFirst) {
  Rig rig;
  rig.put(15, 100, {15});
  rig.put(0, 100, {1});
  rig.program(15, sender(1, 1));
  rig.program(0, sender(1, 1, "nop\nnop\n"));
  rig.program(1, "set r1, 200\nset r3, 5\nset r4, 1\nrecv r1, r3, r4\n"
                 "set r1, 201\nrecv r1, r3, r4\nhalt");
  EXPECT_EQ(rig.run(), "");
  EXPECT_EQ(rig.get(1, 200, 2), (Words{1, 15}));
}

TEST(Network, MessageFaults) {
  auto has = [](const std::string &text, const std::string &part) {
    EXPECT_NE(text.find(part), std::string::npos) << text;
  };
  {
    Rig rig;
    rig.program(0, sender(1, 3));
    rig.program(1, receiver(2));
    has(rig.run(), "a message of 3 words came under tag 5, expected 2");
  }
  {
    Rig rig;
    rig.program(0, sender(1, 3));
    rig.program(1, "set r1, 200\nset r3, 5\nset r4, 2\nrecvv r5, r1, r3, "
                   "r4\nhalt");
    has(rig.run(), "a message of 3 words came under tag 5, at most 2 expected");
  }
  {
    Rig rig;
    rig.program(0, sender(1, 3));
    has(rig.run(), "tile 1 has no program");
  }
  {
    Rig rig;
    rig.put(0, 300, {99});
    rig.program(0, "set r2, 300\nset r5, 1\nmcast r0, r2, r0, r5, r5\nhalt");
    has(rig.run(), "tile 99 does not exist, the machine has 16");
  }
  {
    Rig rig;
    rig.program(0, "set r2, 4095\nset r3, 2\nput r0, r0, r2, r3\nhalt");
    has(rig.run(), "address: words [4095, 4097) are outside");
  }
}

TEST(Counted, ConsumersAreCounted) {
  Rig rig;
  rig.put(0, 100, {7, 8});
  rig.program(0, "set r1, 100\nset r2, 1\nset r3, 500\nset r4, 2\n"
                 "put r1, r2, r3, r4, count=2\n"
                 "sw r0, r1, 0\n"
                 "put r1, r2, r3, r4\nhalt"); // waits for the two consumers
  rig.program(1, "set r1, 200\nset r2, 500\nset r3, 2\n"
                 "ldc r1, r2, r3\nset r1, 210\nldc r1, r2, r3\n"
                 "set r1, 220\nldc r1, r2, r3\nhalt");
  EXPECT_EQ(rig.run(), "");
  EXPECT_EQ(rig.get(1, 200, 2), (Words{7, 8}));
  EXPECT_EQ(rig.get(1, 210, 2), (Words{7, 8}));
  EXPECT_EQ(rig.get(1, 220, 2), (Words{0, 8}));
  EXPECT_GT(rig->counters().stalls[unsigned(Stall::Counted)], 0u);
}

TEST(Counted, OneConsumerTooManyIsADeadlock) {
  Rig rig;
  rig.program(0, "set r1, 100\nset r2, 1\nset r3, 500\nset r4, 1\n"
                 "put r1, r2, r3, r4\nhalt");
  rig.program(1, "set r1, 200\nset r2, 500\nset r3, 1\n"
                 "ldc r1, r2, r3\nldc r1, r2, r3\nhalt");
  std::string message = rig.run();
  EXPECT_NE(message.find("deadlock at cycle"), std::string::npos);
  EXPECT_NE(message.find("tile 1 waits for valid words at address 500 "
                         "(instruction 4 'ldc r1, r2, r3')"),
            std::string::npos)
      << message;
}

TEST(Events, CountAndWait) {
  Rig rig;
  rig.program(0, "set r1, 2\nloopi 50, a\nnop\na: signal r1, 3\nhalt");
  rig.program(1, "set r1, 2\nsignal r1, 3\nsignal r1, 3\nhalt");
  rig.program(2, "wait 3, count=2\nrdsr r1, 2\nwait 3\nrdsr r2, 2\nhalt");
  EXPECT_EQ(rig.run(), "");
  EXPECT_LT(rig.reg(1, 2), 30);
  EXPECT_GT(rig.reg(2, 2), 50);
}

TEST(Barrier, ReleasesAllAtOnce) {
  MachineConfig m = smallMachine();
  m.barrierCycles = 20;
  Rig rig(m);
  rig.program(0, "bar\nrdsr r1, 2\nhalt");
  rig.program(1, "loopi 100, e\nnop\ne: bar\nrdsr r1, 2\nhalt");
  rig.program(2, "halt"); // does not take part
  EXPECT_EQ(rig.run(), "");
  EXPECT_EQ(rig.reg(1, 0), rig.reg(1, 1));
  EXPECT_EQ(rig.reg(1, 0), 101 + 1 + 20);
}

TEST(Tick, HostSetsTickAndCommand) {
  Rig rig;
  rig.program(0, "a: tick\nrdsr r1, 1\nrdsr r2, 7\naddi r3, r3, 1\njmp a");
  rig.program(1, "loopi 2, e\ntick\ne: halt");
  EXPECT_EQ(rig.run(StopReason::Tick), "");
  rig->resume(41, 0);
  EXPECT_EQ(rig.go(StopReason::Tick), "");
  EXPECT_EQ(rig.reg(1), 41);
  EXPECT_EQ(rig.reg(2), 0);
  rig->resume(42, 7);
  EXPECT_EQ(rig.go(StopReason::Tick), "");
  EXPECT_EQ(rig.reg(1), 42);
  EXPECT_EQ(rig.reg(2), 7);
  EXPECT_EQ(rig.reg(3), 2);
}

TEST(Tick, WaitsForTheUnits) {
  Rig rig;
  rig.program(0, "set r4, 4000\nvfill r0, r0, r4\ntick\nhalt");
  EXPECT_EQ(rig.run(StopReason::Tick), "");
  EXPECT_GE(rig->cycle(), 4000u / 16);
}

TEST(Host, MailboxBothWays) {
  Rig rig;
  rig.program(0, "set r1, 200\nset r2, 9\nset r3, 2\nhrecv r1, r2, r3\n"
                 "lw r4, r1, 1\naddi r4, r4, 1\nsw r4, r1, 1\n"
                 "hsend r1, r2, r3\nhalt");
  EXPECT_EQ(rig.run(StopReason::HostInput), "");
  rig->postHost(0, 9, {5, 6});
  EXPECT_EQ(rig.go(), "");
  auto messages = rig->takeHostMessages();
  ASSERT_EQ(messages.size(), 1u);
  EXPECT_EQ(messages[0].tile, 0u);
  EXPECT_EQ(messages[0].channel, 9);
  EXPECT_EQ(messages[0].words, (Words{5, 7}));
  EXPECT_GE(messages[0].cycle, 200u); // the latency of the host, twice
  EXPECT_TRUE(rig->takeHostMessages().empty());
  EXPECT_EQ(rig->counters().hostWords, 4u);
}

TEST(Host, WrongLengthIsAFault) {
  Rig rig;
  rig.program(0, "set r1, 200\nset r2, 9\nset r3, 2\nhrecv r1, r2, r3\nhalt");
  rig->postHost(0, 9, {5});
  EXPECT_NE(rig.run().find("the host posted 1 words on channel 9, expected 2"),
            std::string::npos);
}

TEST(Deadlock, NamesTilesAndTags) {
  Rig rig;
  rig.program(0, "set r3, 7\nset r4, 1\nrecv r0, r3, r4, n=3\nhalt");
  rig.program(1, "set r1, 0\nset r3, 8\nset r4, 1\nsend r0, r1, r3, r4\n"
                 "wait 2\nhalt");
  rig.program(2, "bar\nhalt");
  rig.program(3, "tick\nhalt");
  std::string message = rig.run();
  EXPECT_NE(message.find("tile 0 waits for tag 7 (0 of 3 messages) "
                         "(instruction 2 'recv r0, r3, r4, n=3'), has 1 "
                         "unread under tag 8"),
            std::string::npos)
      << message;
  EXPECT_NE(message.find("tile 1 waits for event 2"), std::string::npos);
  EXPECT_NE(message.find("tile 2 waits at a barrier (instruction 0)"),
            std::string::npos);
  EXPECT_NE(message.find("tile 3 waits at the end of the tick"),
            std::string::npos);
}

TEST(Deadlock, BarrierAgainstTickIsOne) {
  Rig rig;
  rig.program(0, "bar\nhalt");
  rig.program(1, "tick\nhalt");
  EXPECT_NE(rig.run().find("deadlock"), std::string::npos);
}

TEST(Network, RunsAreDeterministic) {
  auto run = [] {
    Rig rig;
    for (uint32_t tile = 0; tile < 16; ++tile) {
      rig.put(tile, 100, Words(64, int32_t(tile)));
      rig.program(tile, "rdsr r7, 0\nset r1, 100\nset r3, 5\nset r4, 17\n"
                        "loopi 10, e\naddi r7, r7, 7\nandi r2, r7, 15\n"
                        "send r1, r2, r3, r4\nset r6, 300\nrecv r6, r3, r4\n"
                        "vadd r1, r1, r6, r4\ne: halt");
    }
    EXPECT_EQ(rig.run(), "");
    Words all;
    for (uint32_t tile = 0; tile < 16; ++tile)
      for (int32_t word : rig.get(tile, 100, 17))
        all.push_back(word);
    all.push_back(int32_t(rig->cycle()));
    all.push_back(int32_t(rig->counters().linkStalls));
    return all;
  };
  Words first = run();
  EXPECT_EQ(first, run());
  EXPECT_GT(first.back(), 0); // there was contention
}

} // namespace
