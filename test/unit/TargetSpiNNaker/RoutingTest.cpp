// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Keys, trees and tables: random nets on machines with dead links and chips are
// routed and every key is followed; the checker itself is shown to see each kind
// of fault; geometry of the machines.
#include "neuroc/Spinn/Mapping/Plan.h"
#include "neuroc/Spinn/Mapping/Routing.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

using namespace neuroc::spinn;

namespace {

std::vector<Net> randomNets(const MachineModel &machine, unsigned count,
                            std::mt19937 &random) {
  std::vector<Place> places;
  for (Chip chip : machine.chips())
    for (unsigned core : machine.cores(chip))
      places.push_back({chip, core});
  std::vector<KeyRequest> requests;
  for (unsigned i = 0; i < count; ++i)
    requests.push_back({1u + static_cast<unsigned>(random() % 5),
                        1u + static_cast<unsigned>(random() % 40)});
  auto blocks = allocateKeys(requests);
  std::vector<Net> nets;
  for (unsigned i = 0; i < count; ++i)
    for (KeyBlock block : blocks[i]) {
      Net net;
      net.keys = block;
      net.usedKeys = requests[i].keysPerShare;
      net.source = places[random() % places.size()];
      std::set<Place> targets;
      for (unsigned t = random() % 9; t > 0; --t)
        targets.insert(places[random() % places.size()]);
      net.targets.assign(targets.begin(), targets.end());
      nets.push_back(net);
    }
  return nets;
}

TEST(Routing, RandomNetsOnDamagedMachinesReachExactlyTheirTargets) {
  std::mt19937 random(7);
  for (unsigned round = 0; round < 30; ++round) {
    MachineModel machine = *MachineModel::find(round % 2 ? "spin5" : "spin3");
    for (unsigned i = 0; i < round / 6; ++i) {
      std::vector<Chip> chips = machine.chips();
      machine.killLink(chips[random() % chips.size()], random() % kLinks);
    }
    if (round % 2 && round > 10)
      machine.deadChips.insert({3, 3});
    std::vector<Net> nets = randomNets(machine, 40, random);
    RoutingResult result = route(machine, nets);
    ASSERT_EQ(result.error, "");
    auto fault = verifyTables(machine, nets, result.tables);
    EXPECT_FALSE(fault) << *fault;
    EXPECT_LE(result.stats.largestTable, kTableEntries);
  }
}

TEST(Routing, StraightHopsNeedNoEntry) {
  MachineModel machine = *MachineModel::find("spin5");
  Net net;
  net.keys = {0, 0xfffffff0};
  net.usedKeys = 16;
  net.source = {{0, 0}, 1};
  net.targets = {{{4, 0}, 2}};
  RoutingResult result = route(machine, {net});
  EXPECT_EQ(result.stats.treeEntries, 5u);
  EXPECT_EQ(result.stats.defaultRouted, 3u);
  EXPECT_EQ(result.tables.size(), 2u);
  EXPECT_FALSE(verifyTables(machine, {net}, result.tables));
}

TEST(Routing, NeighbouringBlocksOfOneRouteMerge) {
  MachineModel machine = *MachineModel::find("spin3");
  auto blocks = allocateKeys({{4, 16}});
  std::vector<Net> nets;
  for (unsigned i = 0; i < 4; ++i)
    nets.push_back({blocks[0][i], 16, {{0, 0}, 1 + i}, {{{1, 1}, 5}}});
  RoutingResult result = route(machine, nets);
  ASSERT_EQ(result.tables[(Chip{0, 0})].size(), 1u);
  EXPECT_EQ((result.tables[(Chip{0, 0})][0].mask), 0xffffffc0u);
  EXPECT_EQ(result.stats.merged, 6u); // three on each of two chips
}

TEST(Routing, TooManyEntriesAreReported) {
  MachineModel machine = *MachineModel::find("spin3");
  std::vector<Net> nets;
  // Routes alternate, so nothing merges.
  for (unsigned i = 0; i < 1100; ++i)
    nets.push_back({{i * 4, 0xfffffffc},
                    4,
                    {{0, 0}, 1},
                    {{{0, 0}, 2 + i % 2}, {{0, 0}, 4 + i % 13}}});
  RoutingResult result = route(machine, nets);
  EXPECT_NE(result.error.find("entries but has 1023"), std::string::npos)
      << result.error;
}

TEST(Routing, UnreachableTargetIsReported) {
  MachineModel machine = *MachineModel::find("spin3");
  for (unsigned link = 0; link < kLinks; ++link)
    machine.killLink({1, 1}, link);
  RoutingResult result =
      route(machine, {{{0, ~0u}, 1, {{0, 0}, 1}, {{{1, 1}, 1}}}});
  EXPECT_EQ(result.error, "no live path from (0, 0) core 1 to (1, 1) core 1");
}

class Checker : public ::testing::Test {
protected:
  MachineModel machine = *MachineModel::find("spin3");
  Net net{{0x40, 0xfffffff0}, 16, {{0, 0}, 1}, {{{0, 0}, 2}, {{1, 0}, 3}}};
  Tables tables = route(machine, {net}).tables;
  std::string fault() {
    return verifyTables(machine, {net}, tables).value_or("none");
  }
};
TEST_F(Checker, AcceptsTheRouterWork) { EXPECT_EQ(fault(), "none"); }
TEST_F(Checker, SeesAMissedTarget) {
  tables[{1, 0}][0].route = 1u << (6 + 4);
  net.targets.push_back({{1, 0}, 4});
  EXPECT_NE(fault().find("does not reach (1, 0) core 3"), std::string::npos);
}
TEST_F(Checker, SeesAWrongTarget) {
  tables[{1, 0}][0].route |= 1u << (6 + 9);
  EXPECT_NE(fault().find("which did not ask for it"), std::string::npos);
}
TEST_F(Checker, SeesAMissingEntry) {
  tables[{0, 0}].clear();
  EXPECT_NE(fault().find("has no entry on its own chip"), std::string::npos);
}
TEST_F(Checker, SeesAKeyTakenByAnEarlierEntry) {
  auto &table = tables[{0, 0}];
  table.insert(table.begin(), {0x4c, 0xfffffffc, 1u << (6 + 2)});
  EXPECT_NE(fault().find("key 0x0000004c"), std::string::npos);
}
TEST_F(Checker, SeesALoop) {
  tables[{1, 0}][0].route |= 1u << 3; // back to (0, 0)
  EXPECT_NE(fault().find("twice"), std::string::npos) << fault();
}
TEST_F(Checker, SeesADeadLink) {
  for (unsigned link = 0; link < kLinks; ++link)
    machine.killLink({0, 0}, link);
  EXPECT_NE(fault().find("dead link"), std::string::npos);
}

TEST(Keys, BlocksAreAlignedAndDisjoint) {
  auto blocks = allocateKeys({{3, 5}, {1, 1000}, {2, 1}});
  std::vector<KeyBlock> all;
  for (auto &group : blocks)
    for (KeyBlock block : group) {
      EXPECT_EQ(block.base & ~block.mask, 0u);
      for (KeyBlock other : all)
        EXPECT_NE(block.base & other.mask & block.mask,
                  other.base & other.mask & block.mask);
      all.push_back(block);
    }
  EXPECT_EQ(all.size(), 6u);
  EXPECT_TRUE(allocateKeys({{2, 1u << 31}, {1, 1}}).empty());
}

TEST(Machine, Boards) {
  MachineModel big = *MachineModel::find("spin5");
  EXPECT_EQ(big.chips().size(), 48u);
  EXPECT_EQ(big.numCores(), 768u);
  MachineModel small = *MachineModel::find("");
  EXPECT_EQ(small.name, "spin3");
  EXPECT_EQ(small.numCores(), 64u);
  // Opposite directions lead back, on every live link.
  for (const MachineModel &machine : {big, small})
    for (Chip chip : machine.chips())
      for (unsigned link = 0; link < kLinks; ++link)
        if (auto next = machine.neighbour(chip, link))
          EXPECT_EQ(machine.neighbour(*next, (link + 3) % kLinks), chip);
  EXPECT_EQ(hexDistance(3, 2), 3u);
  EXPECT_EQ(hexDistance(3, -2), 5u);
}

TEST(Formats, FractionBits) {
  EXPECT_EQ(fractionBits(0.0), 30);
  EXPECT_EQ(fractionBits(1.0), 30); // 1 itself must be representable
  EXPECT_EQ(fractionBits(0.999), 31);
  EXPECT_EQ(fractionBits(127.9), 24);
  EXPECT_EQ(fractionBits(1e-30), 62);
  EXPECT_EQ(fractionBits(1e30), -31);
}

TEST(Slots, SendersOfOneLevelTakeTurns) {
  auto slots = assignSendSlots({{0}, {1}, {1}, {}, {2, 3}, {3}});
  EXPECT_EQ(slots[0].gap, kPacketCycles);
  EXPECT_EQ(slots[1].gap, 2 * kPacketCycles);
  EXPECT_EQ(slots[2].phase, kPacketCycles);
  EXPECT_EQ(slots[3].gap, 0);
  EXPECT_EQ(slots[4].gap, 2 * kPacketCycles);
  EXPECT_NE(slots[4].phase, slots[5].phase);
}

} // namespace
