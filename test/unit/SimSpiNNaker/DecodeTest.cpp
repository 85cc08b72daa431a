// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The decode tables as data: rows do not overlap unless the earlier one is a
// special case of the later, every row can be reached, and what no row matches
// is undefined.

#include "Support.h"

#include "Decode.h"
#include "Execute.h"

#include <random>
#include <set>

using namespace neuroc::rt::spinn;

namespace {

void checkTable(std::span<const DecodeRow> rows, uint32_t bits) {
  for (size_t i = 0; i < rows.size(); ++i) {
    EXPECT_EQ(rows[i].match & ~rows[i].mask, 0u) << rows[i].name;
    EXPECT_EQ(rows[i].mask & ~bits, 0u) << rows[i].name;
    for (size_t j = i + 1; j < rows.size(); ++j) {
      uint32_t common = rows[i].mask & rows[j].mask;
      if ((rows[i].match ^ rows[j].match) & common)
        continue; // disjoint
      EXPECT_EQ(common, rows[j].mask)
          << rows[i].name << " and " << rows[j].name << " overlap";
      EXPECT_NE(rows[i].mask, rows[j].mask)
          << rows[i].name << " and " << rows[j].name << " are the same";
    }
  }
}

TEST(SpinnDecode, RowsDoNotOverlap) {
  checkTable(armRows(), 0x0fffffff);
  checkTable(armUnconditionalRows(), 0xffffffff);
  checkTable(thumbRows(), 0xffff);
}

// Each row is found for some instruction: none is hidden by the ones before.
TEST(SpinnDecode, EveryRowIsReached) {
  std::mt19937 random(1);
  for (const DecodeRow &row : armRows()) {
    bool found = false;
    for (int i = 0; i < 64 && !found; ++i)
      found = findArm(0xe0000000 | row.match | (random() & ~row.mask &
                                                 0x0fffffff)) == &row;
    EXPECT_TRUE(found) << row.name;
  }
  for (const DecodeRow &row : armUnconditionalRows())
    EXPECT_EQ(findArm(row.match), &row) << row.name;
  for (const DecodeRow &row : thumbRows())
    EXPECT_EQ(findThumb(uint16_t(row.match)), &row) << row.name;
}

// Of the rows above, those that execute have a function other than "undefined".
TEST(SpinnDecode, RowsHaveFunctions) {
  TimingParameters timing;
  for (const DecodeRow &row : thumbRows()) {
    // Lists must not be empty.
    uint16_t half = uint16_t(row.match);
    if (row.form == Form::ThumbMultiple || row.form == Form::ThumbPushPop)
      half |= 1;
    Op op = decodeThumb(half, 0x1000, timing);
    EXPECT_EQ(op.run == execUndefined, row.form == Form::Undefined)
        << row.name;
    EXPECT_GE(op.cycles, 1) << row.name;
  }
  for (const DecodeRow &row : armRows()) {
    uint32_t word = 0xe0000000 | row.match;
    if (row.form == Form::LoadStoreMultiple)
      word |= 1;
    Op op = decodeArm(word, 0x1000, timing);
    EXPECT_EQ(op.run == execUndefined, row.form == Form::Undefined)
        << row.name;
  }
}

TEST(SpinnDecode, WhatIsNotV5IsUndefined) {
  TimingParameters timing;
  const std::pair<uint32_t, const char *> words[] = {
      {0xe7f000f0, "udf"},          {0xe6bf0070, "sxth (v6)"},
      {0xe1901f9f, "ldrex (v6)"},   {0xe3001234, "movw (v6T2)"},
      {0xe710f211, "sdiv (v7)"},    {0xee300a00, "vadd"},
      {0xe12fff21, "bxj (v5TEJ)"},  {0xe6ff0f30, "rbit (v6T2)"},
      {0xe7df001f, "bfc (v6T2)"},   {0xf57ff04f, "dsb (v7)"},
      {0xe1c010d1, "ldrd with an odd register"},
      {0xe8900000, "ldm with an empty list"},
  };
  for (auto [word, name] : words)
    EXPECT_EQ(decodeArm(word, 0, timing).run, execUndefined) << name;
  for (uint16_t half : {0xb200 /* sxth */, 0xba00 /* rev */, 0xb662 /* cps */,
                        0xb100 /* cbz */, 0xde00})
    EXPECT_EQ(decodeThumb(half, 0, timing).run, execUndefined) << half;
}

// Any word decodes to something, whatever the bits.
TEST(SpinnDecode, RandomWords) {
  std::mt19937 random(7);
  TimingParameters timing;
  for (int i = 0; i < 200000; ++i) {
    uint32_t word = uint32_t(random());
    Op op = decodeArm(word, 0x1000, timing);
    ASSERT_NE(op.run, nullptr);
    ASSERT_GE(op.cycles, 1) << std::hex << word;
    ASSERT_LT(op.cond, 15);
    ASSERT_NE(decodeThumb(uint16_t(word), 0x1000, timing).run, nullptr);
  }
}

// Any word runs without harming the host; a core executing noise halts, faults
// or goes on, but the machine stays in one piece.
TEST(SpinnDecode, RandomCodeIsSafe) {
  std::mt19937 random(11);
  for (int round = 0; round < 40; ++round) {
    MachineConfig config;
    config.stopOnFault = round % 2;
    Bare bare(config);
    std::vector<uint32_t> code(2000);
    for (uint32_t &w : code)
      w = uint32_t(random());
    bare.load(code);
    for (uint32_t &r : bare.registers.r)
      r = uint32_t(random()) & 0x0040ffff;
    if (round % 4 >= 2)
      bare.registers.cpsr |= 0x20;
    EXPECT_OK(bare.machine->start(core(1), Bare::kCode));
    bare.registers.r[15] = Bare::kCode;
    EXPECT_OK(bare.machine->setRegisters(core(1), bare.registers));
    RunLimit limit;
    limit.maxInstructions = 20000;
    StopReason reason;
    neuroc::rt::Status status = bare.machine->run(limit, reason);
    EXPECT_TRUE(status.isOk() ||
                status.code() == neuroc::rt::Code::CheckFailed);
  }
}

} // namespace
