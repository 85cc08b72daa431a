// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Arrays: with converters that lose nothing every read is the integer matrix
// product, forward, transposed and by events; with real converters codes round
// and clip; programming, outer products, noise, and the cycle formulas.
#include "Harness.h"
#include "neuroc/rt/Random.h"

#include <algorithm>
#include <cmath>

using namespace neuroc::rt;
using namespace neuroc::rt::xbar;

namespace {

using Words = std::vector<int32_t>;

struct Matrix {
  uint32_t rows, cols;
  Words w; ///< row-major
  int32_t at(uint32_t r, uint32_t c) const { return w[r * cols + c]; }
};

Matrix randomMatrix(std::mt19937 &random, uint32_t rows, uint32_t cols,
                    int32_t limit) {
  Matrix m{rows, cols, {}};
  for (uint32_t i = 0; i < rows * cols; ++i)
    m.w.push_back(int32_t(random() % uint32_t(2 * limit + 1)) - limit);
  return m;
}

MachineConfig lossless() {
  MachineConfig m = smallMachine();
  m.adcBits = 16;
  return m;
}

std::string number(int64_t value) { return std::to_string(value); }

/// One mvm or mvmt with `x` at 100, the result at 300 (old values given).
struct Read {
  MachineConfig config = lossless();
  Bank bank;
  Matrix matrix;
  std::string op = "mvm";
  unsigned bits = 8;
  std::string options;
  Words x, old;
  Counters counters = {};

  Words run() {
    Rig rig(config);
    size_t outputs = op == "mvm" ? matrix.cols : matrix.rows;
    rig.put(0, 100, x);
    rig.put(0, 300, old);
    Status status = rig->loadArray(bank, matrix.w);
    EXPECT_TRUE(status) << status.message();
    rig.program(0, "set r1, 300\nset r2, 100\n" + op + " r1, r2, bits=" +
                       number(bits) + ", slices=" + number(bank.slices) +
                       ", array=" + number(bank.array) + options + "\nhalt");
    EXPECT_EQ(rig.run(), "");
    counters = rig->counters();
    return rig.get(0, 300, outputs);
  }
};

TEST(Array, LosslessReadIsTheIntegerProduct) {
  std::mt19937 random(11);
  for (int n = 0; n < 120; ++n) {
    Read read;
    read.config.cellBits = 1 + random() % 4;
    read.bank.slices = 1 + random() % 4;
    read.bank.array = random() % (9 - read.bank.slices);
    read.bank.rows = 1 + random() % 32;
    read.bank.row0 = random() % (33 - read.bank.rows);
    read.bank.cols = 1 + random() % 16;
    read.bank.col0 = random() % (17 - read.bank.cols);
    int64_t limit = read.config.maxWeight(read.bank.slices);
    read.matrix =
        randomMatrix(random, read.bank.rows, read.bank.cols, int32_t(limit));
    bool transposed = random() % 2, isSigned = random() % 2;
    read.op = transposed ? "mvmt" : "mvm";
    read.bits = 1 + random() % 8;
    unsigned shift = random() % 3;
    read.options =
        ", shift=" + number(shift) + (isSigned ? ", signed=1" : "") + ", acc=1";
    uint32_t inputs = transposed ? read.bank.cols : read.bank.rows;
    uint32_t outputs = transposed ? read.bank.rows : read.bank.cols;
    for (uint32_t i = 0; i < inputs; ++i) {
      int32_t value = int32_t(random() % (1u << read.bits));
      read.x.push_back(isSigned ? value - (1 << (read.bits - 1)) : value);
    }
    Words expected;
    for (uint32_t k = 0; k < outputs; ++k) {
      int64_t sum = 0;
      for (uint32_t i = 0; i < inputs; ++i)
        sum += int64_t(read.x[i]) *
               (transposed ? read.matrix.at(k, i) : read.matrix.at(i, k));
      read.old.push_back(int32_t(random() % 1000));
      expected.push_back(int32_t((sum << shift) + read.old.back()));
    }
    EXPECT_EQ(read.run(), expected) << "case " << n;
    EXPECT_EQ(read.counters.adcClips, 0u);
    EXPECT_EQ(read.counters.saturations, 0u);
  }
}

TEST(Array, BitByBitPathEqualsTheDirectProduct) {
  // A range of 1 with sums that are all even is exact, too, but goes through
  // the converters phase by phase.
  std::mt19937 random(12);
  Read read;
  read.config.cellBits = 3;
  read.bank = {0, 0, 1, 0, 0, 32, 16};
  read.matrix = randomMatrix(random, 32, 16, 3);
  for (int32_t &w : read.matrix.w)
    w *= 2;
  for (int i = 0; i < 32; ++i)
    read.x.push_back(int32_t(random() % 256) - 128);
  read.options = ", signed=1";
  Words direct = read.run();
  read.options += ", range=1";
  EXPECT_EQ(read.run(), direct);
}

TEST(Array, ConverterRoundsToItsStepHalfUp) {
  Read read;
  read.config.cellBits = 4;
  read.bank = {0, 0, 1, 0, 0, 1, 5};
  read.matrix = {1, 5, {5, 6, 7, -6, -7}};
  read.bits = 1;
  read.x = {1};
  read.options = ", range=2";
  EXPECT_EQ(read.run(), (Words{4, 8, 8, -4, -8}));
  EXPECT_EQ(read.counters.adcClips, 0u);
}

TEST(Array, ConverterClipsAndCounts) {
  Read read;
  read.config.adcBits = 4; // codes -8 to 7
  read.config.cellBits = 4;
  read.bank = {0, 0, 1, 0, 0, 2, 4};
  read.matrix = {2, 4, {7, 7, -8, -8, 0, 1, 0, -1}};
  read.bits = 1;
  read.x = {1, 1};
  EXPECT_EQ(read.run(), (Words{7, 7, -8, -8}));
  EXPECT_EQ(read.counters.adcClips, 2u); // 8 and -9
  // With one more bit of range both fit and round.
  read.options = ", range=1";
  EXPECT_EQ(read.run(), (Words{8, 8, -8, -8}));
  EXPECT_EQ(read.counters.adcClips, 0u);
}

TEST(Array, SafeRangeNeverClips) {
  std::mt19937 random(13);
  for (int64_t adcBits : {4, 6, 8}) {
    Read read;
    read.config.adcBits = adcBits;
    read.bank = {0, 0, 1, 0, 0, 32, 16};
    read.matrix = {32, 16, Words(512, 3)};
    read.x.assign(32, 255);
    int64_t range = read.config.safeRange(32);
    read.options = ", range=" + number(range);
    read.run();
    EXPECT_EQ(read.counters.adcClips, 0u) << adcBits;
    if (range > 0) {
      read.options = ", range=" + number(range - 1);
      read.run();
      EXPECT_GT(read.counters.adcClips, 0u) << adcBits;
    }
  }
}

TEST(Array, ClippingHappensPerPhase) {
  // x = 3: both phases clip at 7, so the sum is 7 + 2 * 7, not min(3 * 16, 7).
  Read read;
  read.config.adcBits = 4;
  read.config.cellBits = 4;
  read.bank = {0, 0, 1, 0, 0, 2, 1};
  read.matrix = {2, 1, {8, 8}};
  read.bits = 2;
  read.x = {3, 3};
  EXPECT_EQ(read.run(), (Words{21}));
  EXPECT_EQ(read.counters.adcClips, 2u);
}

TEST(Array, InputsBeyondTheirBitsAreClampedAndCounted) {
  Read read;
  read.bank = {0, 0, 1, 0, 0, 2, 1};
  read.matrix = {2, 1, {1, 1}};
  read.bits = 4;
  read.x = {16, -1};
  EXPECT_EQ(read.run(), (Words{15}));
  EXPECT_EQ(read.counters.saturations, 2u);
  read.options = ", signed=1";
  read.x = {8, -9};
  EXPECT_EQ(read.run(), (Words{7 - 8}));
  EXPECT_EQ(read.counters.saturations, 2u);
}

TEST(Array, AccumulatorSaturates) {
  Read read;
  read.bank = {0, 0, 1, 0, 0, 1, 2};
  read.matrix = {1, 2, {1, -1}};
  read.bits = 1;
  read.x = {1};
  read.old = {INT32_MAX, INT32_MIN};
  read.options = ", acc=1";
  EXPECT_EQ(read.run(), (Words{INT32_MAX, INT32_MIN}));
  EXPECT_EQ(read.counters.saturations, 2u);
}

TEST(Array, AffineCorrectionPerColumn) {
  Rig rig(lossless());
  ASSERT_TRUE(rig->loadArray({0, 0, 1, 0, 4, 1, 3}, Words{1, 2, 3}));
  rig.put(0, 100, {2});
  rig.put(0, 110, {3, 1, 5});   // scale
  rig.put(0, 120, {10, 0, -1}); // offset
  rig.program(0, "set r1, 300\nset r2, 100\nset r3, 110\nset r4, 120\n"
                 "affine r3, r4, shift=1\nmvm r1, r2, aff=1\nhalt");
  EXPECT_EQ(rig.run(), "");
  // 2, 4, 6 times the scales, halved and rounded, plus the offsets.
  EXPECT_EQ(rig.get(0, 300, 3), (Words{13, 2, 14}));
}

TEST(Array, HeldInputsServeSeveralArrays) {
  Rig rig(lossless());
  ASSERT_TRUE(rig->loadArray({0, 2, 1, 0, 0, 2, 2}, Words{1, 2, 3, -1}));
  ASSERT_TRUE(rig->loadArray({0, 3, 1, 0, 0, 2, 2}, Words{0, 1, 1, 0}));
  rig.put(0, 100, {5, 7});
  rig.program(0, "set r1, 300\nset r2, 100\nset r3, 310\nset r5, 320\n"
                 "drive r2, n=2, array=2\nsw r0, r2, 0\n"
                 "mvm r1, r0, held=1, array=2\nmvm r3, r0, held=1, array=3\n"
                 "drive r2, t=1, array=2\nmvmt r5, r0, held=1, array=2\n"
                 "halt");
  EXPECT_EQ(rig.run(), "");
  EXPECT_EQ(rig.get(0, 300, 2), (Words{26, 3}));
  EXPECT_EQ(rig.get(0, 310, 2), (Words{7, 5}));
  EXPECT_EQ(rig.get(0, 320, 2), (Words{14, -7})); // x = {0, 7} by now
}

TEST(Array, EventsSumTheirRows) {
  std::mt19937 random(14);
  Matrix m = randomMatrix(random, 20, 10, 15);
  Rig rig(lossless());
  ASSERT_TRUE(rig->loadArray({0, 1, 2, 3, 2, 20, 10}, m.w));
  // Event numbers 1000 to 1019 belong to this window, others do not.
  rig.put(0, 100, {1003, 999, 1019, 5, 1020, 1000});
  rig.put(0, 300, Words(10, 7));
  rig.put(0, 400, {2, 9, -1, 10, 4});
  rig.program(0, "set r1, 300\nset r2, 100\nset r3, 1000\nset r4, 6\n"
                 "spk r1, r2, r3, r4, array=1, slices=2, acc=1, shift=2\n"
                 "set r1, 350\nset r2, 400\nset r4, 5\n"
                 "spkt r1, r2, r0, r4, array=1, slices=2\nhalt");
  EXPECT_EQ(rig.run(), "");
  Words forward, transposed;
  uint64_t events = 0;
  for (uint32_t c = 0; c < 10; ++c) {
    forward.push_back(7 + 4 * (m.at(3, c) + m.at(19, c) + m.at(0, c)));
    for (uint32_t r : {3u, 19u, 0u})
      events += m.at(r, c) != 0;
  }
  for (uint32_t r = 0; r < 20; ++r) {
    transposed.push_back(m.at(r, 2) + m.at(r, 9) + m.at(r, 4));
    for (uint32_t c : {2u, 9u, 4u})
      events += m.at(r, c) != 0;
  }
  EXPECT_EQ(rig.get(0, 300, 10), forward);
  EXPECT_EQ(rig.get(0, 350, 20), transposed);
  EXPECT_EQ(rig->counters().synapticEvents, events);
}

TEST(Array, NoEventNoPhase) {
  Rig rig(lossless());
  ASSERT_TRUE(rig->loadArray({0, 0, 1, 0, 0, 2, 2}, Words{1, 1, 1, 1}));
  rig.put(0, 100, {50});
  rig.put(0, 300, {4, 4});
  rig.put(0, 310, {4, 4});
  rig.program(0, "set r1, 300\nset r2, 100\nset r4, 1\nset r5, 310\n"
                 "spk r1, r2, r0, r4, acc=1\nspk r5, r2, r0, r4\nhalt");
  EXPECT_EQ(rig.run(), "");
  EXPECT_EQ(rig.get(0, 300, 2), (Words{4, 4}));
  EXPECT_EQ(rig.get(0, 310, 2), (Words{0, 0}));
  EXPECT_EQ(rig->counters().phases, 0u);
  EXPECT_EQ(rig->counters().mvms, 0u);
}

TEST(Array, ProgramAndReadBack) {
  std::mt19937 random(15);
  for (int format = 0; format < 3; ++format) {
    Rig rig(lossless());
    Matrix m = randomMatrix(random, 5, 7, 63);
    unsigned perWord = 1u << format, bits = 32u >> format;
    unsigned stride = 9;
    Words image(5 * stride, 0);
    for (uint32_t r = 0; r < 5; ++r)
      for (uint32_t c = 0; c < 7; ++c)
        image[r * stride + c / perWord] |= int32_t(
            (uint64_t(uint32_t(m.at(r, c))) & ((uint64_t(1) << bits) - 1))
            << (c % perWord * bits));
    rig.put(0, 100, image);
    rig.program(0, "set r1, 4\nset r2, 5\nset r3, 6\nset r4, 7\n"
                   "win r1, r2, r3, r4, array=1\nset r5, 100\nset r6, 9\n"
                   "prog r5, r6, slices=3, array=1, fmt=" +
                       number(format) +
                       "\nset r7, 300\nset r8, 8\n"
                       "rdbk r7, r8, slices=3, array=1\nhalt");
    EXPECT_EQ(rig.run(), "");
    for (uint32_t r = 0; r < 5; ++r) {
      Words line(m.w.begin() + r * 7, m.w.begin() + (r + 1) * 7);
      EXPECT_EQ(rig.get(0, 300 + 8 * r, 7), line) << "format " << format;
    }
    Words back;
    ASSERT_TRUE(rig->readArray({0, 1, 3, 4, 6, 5, 7}, back));
    EXPECT_EQ(back, m.w);
    // Nothing outside the window has changed.
    ASSERT_TRUE(rig->readArray({0, 1, 3, 0, 0, 32, 16}, back));
    EXPECT_EQ(std::count_if(back.begin(), back.end(),
                            [](int32_t w) { return w != 0; }),
              std::count_if(m.w.begin(), m.w.end(),
                            [](int32_t w) { return w != 0; }));
  }
}

TEST(Array, WeightsBeyondTheBankClampAndCount) {
  Rig rig(lossless());
  rig.put(0, 100, {16, -99});
  rig.program(0, "set r1, 1\nset r2, 2\nwin r0, r1, r0, r2\nset r3, 100\n"
                 "prog r3, r2, slices=2\nhalt");
  EXPECT_EQ(rig.run(), "");
  Words back;
  ASSERT_TRUE(rig->readArray({0, 0, 2, 0, 0, 1, 2}, back));
  EXPECT_EQ(back, (Words{15, -15}));
  EXPECT_EQ(rig->counters().levelClips, 2u);
}

TEST(Array, LoadRefusesWhatDoesNotFit) {
  Rig rig;
  EXPECT_EQ(rig->loadArray({0, 0, 2, 0, 0, 1, 1}, Words{16}).message(),
            "tile 0, array 0: weight 16 is beyond the 15 of 2 slices of 2 "
            "bits");
  EXPECT_EQ(rig->loadArray({0, 7, 2, 0, 0, 1, 1}, Words{1}).message(),
            "tile 0, array 7: 2 arrays from 7, a tile has 8");
  EXPECT_EQ(rig->loadArray({0, 0, 1, 32, 0, 1, 1}, Words{1}).message(),
            "tile 0, array 0: the window is outside the 32 x 16 signed "
            "cells");
}

TEST(Array, OuterProductRounds) {
  Rig rig(lossless());
  ASSERT_TRUE(rig->loadArray({0, 0, 2, 0, 0, 2, 3}, Words{0, 5, -5, 15, 1, 0}));
  rig.put(0, 100, {2, -1});
  rig.put(0, 110, {3, -4, 1});
  rig.program(0, "set r1, 100\nset r2, 110\n"
                 "opu r1, r2, r0, shift=1, slices=2\nhalt");
  EXPECT_EQ(rig.run(), "");
  Words back;
  ASSERT_TRUE(rig->readArray({0, 0, 2, 0, 0, 2, 3}, back));
  // Products 6 -8 2 / -3 4 -1, halved with halves up: 3 -4 1 / -1 2 0.
  EXPECT_EQ(back, (Words{3, 1, -4, 14, 3, 0}));
}

TEST(Array, OuterProductModes) {
  auto run = [](const std::string &options, Words x, Words d, Words start) {
    Rig rig(lossless());
    EXPECT_TRUE(rig->loadArray({0, 0, 1, 0, 0, 1, 3}, start));
    rig.put(0, 100, x);
    rig.put(0, 110, d);
    rig.put(0, 120, {11, 22, 0});
    rig.program(0, "set r1, 100\nset r2, 110\nset r3, 120\n"
                   "opu r1, r2, r3, " +
                       options + "\nhalt");
    EXPECT_EQ(rig.run(), "");
    Words back;
    EXPECT_TRUE(rig->readArray({0, 0, 1, 0, 0, 1, 3}, back));
    return back;
  };
  EXPECT_EQ(run("mode=2", {-9}, {5, 0, -7}, {0, 1, 3}), (Words{-1, 1, 3}));
  // Whole steps need no luck in the random mode.
  EXPECT_EQ(run("mode=1, shift=4", {16}, {1, -2, 0}, {0, 0, 0}),
            (Words{1, -2, 0}));
}

TEST(Array, RandomRoundingIsUnbiased) {
  // 1 * 5 >> 4 steps up in 5 of 16 cells.
  MachineConfig m = lossless();
  m.rows = 256;
  m.cols = 256;
  Rig rig(m);
  rig.put(0, 0, {11, 22});
  rig.put(0, 100, Words(256, 1));
  rig.put(0, 400, Words(128, 5));
  rig.program(0, "set r1, 100\nset r2, 400\n"
                 "opu r1, r2, r0, mode=1, shift=4\nhalt");
  EXPECT_EQ(rig.run(), "");
  Words back;
  ASSERT_TRUE(rig->readArray({0, 0, 1, 0, 0, 256, 128}, back));
  double mean = 0, n = double(back.size());
  for (int32_t level : back) {
    EXPECT_TRUE(level == 0 || level == 1);
    mean += level / n;
  }
  double p = 5.0 / 16;
  EXPECT_NEAR(mean, p, 4 * std::sqrt(p * (1 - p) / n));
}

TEST(Array, Faults) {
  auto fault = [](const std::string &text) {
    Rig rig;
    rig.put(0, 100, {3, 3, 8, 33});
    rig.program(0, "set r1, 100\nset r2, 200\nset r3, 2\nlw r8, r1, 2\n"
                   "lw r9, r1, 3\n" +
                       text + "\nhalt");
    return rig.run();
  };
  auto has = [](const std::string &text, const std::string &part) {
    EXPECT_NE(text.find(part), std::string::npos) << text;
  };
  has(fault("mvm r2, r1, slices=0, abase=r8"), "slices must be at least 1");
  has(fault("spk r2, r1, r0, r3"), "event 3 is in the list twice");
  has(fault("mvm r2, r1, aff=1"), "no `affine` has been executed");
  has(fault("mvmt r2, r1, aff=1"), "not available in a transposed read");
  has(fault("mvm r2, r0, held=1"), "the drivers hold 0 inputs, the window "
                                   "needs 32");
  has(fault("mvm r2, r1, abase=r8"), "arrays [8, 9) do not exist");
  has(fault("win r0, r9, r0, r3"), "are not inside an array of 32 rows");
  has(fault("opu r1, r2, r0, mode=3"), "mode must be 0, 1 or 2");
  has(fault("prog r1, r2, fmt=3"), "fmt must be 0, 1 or 2");
  has(fault("spkt r2, r1, r0, r3, aff=1"), "aff=1 needs a forward read");
  has(fault("muli r5, r8, 1000\nmvm r5, r1"),
      "destination: words [8000, 8016) are outside");
}

/// Cycles from the start of `body` until everything is done.
int64_t drained(const MachineConfig &config, const std::string &body,
                Counters *counters = nullptr) {
  Rig rig(config);
  rig.put(0, 100, Words(1200, 3));
  rig.program(0, "set r1, 2000\nset r2, 100\nset r3, 10\nset r4, 6\n"
                 "win r0, r3, r0, r4\nwin r0, r3, r0, r4, array=1\n"
                 "set r5, 40\nset r6, 3000\nfence\nrdsr r30, 2\n" +
                     body + "\nfence\nrdsr r29, 2\nsub r28, r29, r30\nhalt");
  EXPECT_EQ(rig.run(), "");
  if (counters)
    *counters = rig->counters();
  return rig.reg(28) - 2;
}

TEST(ArrayTiming, MvmIsFillPlusPhases) {
  MachineConfig m = smallMachine();
  m.tArray = 10;
  m.tAdc = 3;
  m.colsPerAdc = 4;
  m.pipelineFill = 2;
  m.memoryWordsPerCycle = 4;
  // Phase = max(10, 3 * 4) = 12; loading 10 words takes 3 cycles.
  EXPECT_EQ(drained(m, "mvm r1, r2, bits=5"), 3 + (5 + 2) * 12);
  EXPECT_EQ(drained(m, "mvm r1, r2, bits=6"), 3 + (6 + 2) * 12);
  EXPECT_EQ(drained(m, "drive r2\nmvm r1, r0, bits=5, held=1"),
            3 + (5 + 2) * 12);
  m.tArray = 13;
  EXPECT_EQ(drained(m, "mvm r1, r2, bits=5"), 3 + (5 + 2) * 13);
  // Six signed columns are sensed, so a converter of 8 serves six.
  m.tArray = 10;
  m.colsPerAdc = 8;
  EXPECT_EQ(drained(m, "mvm r1, r2, bits=1"), 3 + (1 + 2) * 18);
  // Transposed: six inputs (2 cycles), ten outputs.
  EXPECT_EQ(drained(m, "mvmt r1, r2, bits=1"), 2 + (1 + 2) * 24);
}

TEST(ArrayTiming, PumaCycleCount) {
  // 16-bit inputs, 100 ns per 128 columns, two stages of fill: 1800 cycles.
  MachineConfig m;
  ASSERT_TRUE(loadMachine("puma-like", m));
  EXPECT_EQ(mvmCycles(m, 128, 64, 16, /*held=*/true).latency, 1800u);
}

TEST(ArrayTiming, ArraysWorkInParallelOneArrayDoesNot) {
  MachineConfig m = smallMachine();
  int64_t one = drained(m, "mvm r1, r2");
  EXPECT_EQ(drained(m, "mvm r1, r2\nmvm r6, r2, array=1"), one + 1);
  EXPECT_EQ(drained(m, "mvm r1, r2\nmvm r6, r2"), 2 * one);
  // The arrays of a bank work at the same time.
  EXPECT_EQ(drained(m, "mvm r1, r2, slices=4"), one);
  // Results into the same words: the second waits for the first.
  EXPECT_EQ(drained(m, "mvm r1, r2\nmvm r1, r2, acc=1, array=1"), 2 * one);
}

TEST(ArrayTiming, EventsCostTheirListAndOnePhase) {
  MachineConfig m = smallMachine();
  // Word 100.. are all 3: one hit is legal, so the count is 1.
  EXPECT_EQ(drained(m, "set r7, 1\nspk r1, r2, r0, r7"), 1 + 1 + 3 * 10);
  EXPECT_EQ(drained(m, "set r7, 1\nset r8, 40\nspk r1, r2, r8, r7"), 2 + 1);
  EXPECT_EQ(spikeCycles(m, 9, 4, 16), (Cycles{9 + 30, 9 + 30}));
}

TEST(ArrayTiming, ProgrammingPulsesRowByRow) {
  MachineConfig m = smallMachine();
  m.tPulse = 7;
  m.tVerify = 4;
  Counters c;
  // Ten rows of six cells from 0 to 3: three pulses between two reads a row.
  EXPECT_EQ(drained(m, "prog r2, r5", &c), 10 * (2 * 4 + 3 * 7));
  EXPECT_EQ(c.pulses, 10u * 6 * 3);
  EXPECT_EQ(c.programmedCells, 60u);
  // Once more: nothing to change, one read per row.
  EXPECT_EQ(drained(m, "prog r2, r5\nfence\nrdsr r30, 2\nprog r2, r5"), 10 * 4);
  EXPECT_EQ(drained(m, "rdbk r1, r5"), (10 + 2) * 10);
  // From 3 to -3 the pulses of the two cells of a pair overlap.
  EXPECT_EQ(programRowCycles(m, 3), 2u * 4 + 3 * 7);
}

TEST(ArrayTiming, OuterProductTakesFourSignPhases) {
  MachineConfig m = smallMachine();
  m.tPulse = 7;
  m.tVerify = 4;
  // 3 * 3 = 9 clamps at level 3: three pulses.
  EXPECT_EQ(drained(m, "opu r2, r2, r0"), 4 * 3 * 7);
  EXPECT_EQ(drained(m, "opu r2, r2, r0, slices=2"), 4 * 2 * 7 + 10 * 2 * 4);
}

TEST(ArrayLedger, ZeroInputDrawsNoCellCurrent) {
  Read read;
  read.bank = {0, 0, 1, 0, 0, 4, 4};
  read.matrix = {4, 4, Words(16, 3)};
  read.x = {0, 0, 0, 0};
  read.run();
  EXPECT_EQ(read.counters.cellUnits, 0u);
  EXPECT_EQ(read.counters.drivenLines, 0u);
  EXPECT_EQ(read.counters.conversions, 8u * 4);
  read.x = {5, 0, 0, 255}; // 2 + 8 one bits, four columns of level 3
  read.run();
  EXPECT_EQ(read.counters.drivenLines, 10u);
  EXPECT_EQ(read.counters.cellUnits, 10u * 12);
  EXPECT_EQ(read.counters.phases, 8u);
}

TEST(ArrayNoise, ProgrammingNoiseHasItsVarianceAndPersists) {
  MachineConfig m = lossless();
  m.rows = m.cols = 256;
  m.memoryWords = 65536;
  m.programNoise = 2.0;
  m.cellBits = 6;
  Rig rig(m);
  Words level(256 * 128, 40);
  ASSERT_TRUE(rig->loadArray({0, 0, 1, 0, 0, 256, 128}, level));
  rig.program(0, "set r1, 0\nset r2, 128\nrdbk r1, r2\nset r1, 32768\n"
                 "rdbk r1, r2\nhalt");
  EXPECT_EQ(rig.run(), "");
  Words first = rig.get(0, 0, 32768), second = rig.get(0, 32768, 32768);
  EXPECT_EQ(first, second); // the same device has the same error
  double mean = 0, square = 0, n = double(first.size());
  for (int32_t value : first)
    mean += value / n;
  for (int32_t value : first)
    square += (value - mean) * (value - mean) / n;
  EXPECT_NEAR(mean, 40, 4 * 2.0 / std::sqrt(n));
  // Rounding to levels adds 1/12.
  double variance = 4.0 + 1.0 / 12;
  EXPECT_NEAR(square, variance, 4 * variance * std::sqrt(2 / n));
}

TEST(ArrayNoise, ReadNoiseDiffersFromReadToRead) {
  MachineConfig m = lossless();
  m.readNoise = 3.0;
  Rig rig(m);
  ASSERT_TRUE(rig->loadArray({0, 0, 1, 0, 0, 32, 16}, Words(512, 3)));
  rig.put(0, 100, Words(32, 1));
  rig.program(0, "set r1, 1000\nset r2, 100\nloopi 150, e\n"
                 "mvm r1, r2, bits=1\naddi r1, r1, 16\ne: halt");
  EXPECT_EQ(rig.run(), "");
  Words all = rig.get(0, 1000, 2400);
  double mean = 0, square = 0, n = double(all.size());
  for (int32_t value : all)
    mean += value / n;
  for (int32_t value : all)
    square += (value - mean) * (value - mean) / n;
  // 32 fully conducting cells of standard deviation 3.
  double variance = 9.0 * 32 + 1.0 / 12;
  EXPECT_NEAR(mean, 96, 4 * std::sqrt(variance / n));
  EXPECT_NEAR(square, variance, 5 * variance * std::sqrt(2 / n));
}

TEST(ArrayNoise, OffMeansExact) {
  MachineConfig m;
  EXPECT_EQ(m.programNoise, 0.0);
  EXPECT_EQ(m.readNoise, 0.0);
}

} // namespace
