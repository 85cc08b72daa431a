// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The vector unit: every instruction's results on hand-picked edge values and
// against plain arithmetic on random ones, faults, and cycles.
#include "Harness.h"
#include "neuroc/rt/Random.h"

#include <cmath>

using namespace neuroc::rt;
using namespace neuroc::rt::xbar;

namespace {

constexpr int32_t low = INT32_MIN, high = INT32_MAX;
using Words = std::vector<int32_t>;

/// `op 300, 100, 200, n` with addresses in r1, r2, r3 and n in r4.
Words binary(const std::string &op, Words a, Words b,
             const std::string &more = "", uint64_t *saturations = nullptr,
             Words old = {}) {
  std::string text = "set r1, 300\nset r2, 100\nset r3, 200\nset r4, " +
                     std::to_string(a.size()) + "\n" + op + " r1, r2, r3, r4" +
                     more;
  Rig rig;
  rig.put(0, 100, a);
  rig.put(0, 200, b);
  rig.put(0, 300, old);
  rig.program(0, text + "\nhalt");
  EXPECT_EQ(rig.run(), "");
  if (saturations)
    *saturations = rig->counters().saturations;
  return rig.get(0, 300, a.size());
}
/// The form with a scalar second operand, element by element.
Words scalarForm(const std::string &op, Words a, Words b,
                 const std::string &more = "") {
  Words result;
  for (size_t i = 0; i < a.size(); ++i) {
    Rig rig;
    rig.put(0, 100, {a[i]});
    rig.program(0, "set r1, 300\nset r2, 100\nset r3, " + std::to_string(b[i]) +
                       "\nset r4, 1\n" + op + ".s r1, r2, r3, r4" + more +
                       "\nhalt");
    EXPECT_EQ(rig.run(), "");
    result.push_back(rig.get(0, 300, 1)[0]);
  }
  return result;
}
Words unary(const std::string &op, Words a, const std::string &more = "",
            uint64_t *saturations = nullptr) {
  return runVector("set r1, 300\nset r2, 100\nset r3, " +
                       std::to_string(a.size()) + "\n" + op + " r1, r2, r3" +
                       more,
                   a, {}, 300, a.size(), saturations);
}

struct BinaryCase {
  const char *op, *more;
  Words a, b, expected;
  uint64_t saturations;
};

TEST(Vector, TwoOperands) {
  const BinaryCase cases[] = {
      {"vadd", "", {1, high, low}, {2, 1, -1}, {3, high, low}, 2},
      {"vsub", "", {1, low, 5}, {2, 1, low}, {-1, low, high}, 2},
      {"vrsub", "", {1, 3}, {10, low}, {9, low}, 1},
      {"vmin", "", {1, -5}, {0, 7}, {0, -5}, 0},
      {"vmax", "", {1, -5}, {0, 7}, {1, 7}, 0},
      {"vand", "", {12, -1}, {10, 5}, {8, 5}, 0},
      {"vor", "", {12, 0}, {10, 5}, {14, 5}, 0},
      {"vxor", "", {12, -1}, {10, 0}, {6, -1}, 0},
      {"vsh",
       "",
       {3, -3, 5, -5, 1, 7, 1},
       {1, 2, -1, -1, 31, -40, 40},
       {6, -12, 3, -2, high, 0, high},
       2},
      {"vsrl", "", {-1, 16}, {28, 34}, {15, 4}, 0},
      {"vceq", "", {1, 2}, {1, 3}, {1, 0}, 0},
      {"vcne", "", {1, 2}, {1, 3}, {0, 1}, 0},
      {"vclt", "", {1, -2, 3}, {1, 3, 2}, {0, 1, 0}, 0},
      {"vcle", "", {1, -2, 3}, {1, 3, 2}, {1, 1, 0}, 0},
      {"vcgt", "", {1, -2, 3}, {1, 3, 2}, {0, 0, 1}, 0},
      {"vcge", "", {1, -2, 3}, {1, 3, 2}, {1, 0, 1}, 0},
      {"vcltu", "", {1, -1, 0}, {2, 1, -1}, {1, 0, 1}, 0},
      {"vrem", "", {-7, 7, low, 7}, {2, 0, -1, 4}, {-1, 7, 0, 3}, 0},
      {"vmul", "", {3, 65536, low}, {-4, 65536, -1}, {-12, high, high}, 2},
      {"vmul", ", shift=1", {3, -3, 1}, {1, 1, 1}, {2, -1, 1}, 0},
      {"vmul", ", shift=63", {low, low}, {low, high}, {1, 0}, 0},
      {"vdiv",
       ", shift=1",
       {3, -3, 5, -5, 0},
       {4, 4, 0, 0, 0},
       {2, -2, high, low, 0},
       2},
      {"vdiv", ", shift=63", {1, low}, {high, -1}, {high, high}, 2},
      {"vdiv", "", {low}, {-1}, {high}, 1},
  };
  for (const BinaryCase &c : cases) {
    uint64_t saturations = 0;
    EXPECT_EQ(binary(c.op, c.a, c.b, c.more, &saturations), c.expected)
        << c.op << c.more;
    EXPECT_EQ(saturations, c.saturations) << c.op << c.more;
    EXPECT_EQ(scalarForm(c.op, c.a, c.b, c.more), c.expected)
        << c.op << ".s" << c.more;
  }
}

TEST(Vector, RandomProductsRoundToNearest) {
  std::mt19937 random(7);
  for (unsigned shift : {0u, 1u, 7u, 16u, 31u, 40u}) {
    Words a(50), b(50), expected(50);
    for (size_t i = 0; i < a.size(); ++i) {
      a[i] = int32_t(random());
      b[i] = int32_t(random());
      __int128 exact = __int128(a[i]) * b[i];
      if (shift)
        exact = (exact + (__int128(1) << (shift - 1))) >> shift;
      expected[i] = exact > high ? high : exact < low ? low : int32_t(exact);
    }
    EXPECT_EQ(binary("vmul", a, b, ", shift=" + std::to_string(shift)),
              expected);
  }
}

TEST(Vector, RandomQuotientsRoundToNearest) {
  std::mt19937 random(8);
  for (unsigned shift : {0u, 5u, 16u, 31u, 35u}) {
    Words a(50), b(50), expected(50);
    for (size_t i = 0; i < a.size(); ++i) {
      a[i] = int32_t(random()) >> (random() % 20);
      b[i] = (int32_t(random()) >> (random() % 20)) | 1;
      long double exact =
          std::ldexp((long double)a[i], int(shift)) / (long double)b[i];
      long double rounded = std::round(exact); // halves away from zero
      expected[i] = rounded > high  ? high
                    : rounded < low ? low
                                    : int32_t(rounded);
    }
    EXPECT_EQ(binary("vdiv", a, b, ", shift=" + std::to_string(shift)),
              expected);
  }
}

TEST(Vector, MultiplyAccumulate) {
  uint64_t saturations = 0;
  EXPECT_EQ(binary("vmac", {3, 1, 1}, {5, 1, 1}, ", shift=1", &saturations,
                   {100, high, -1}),
            (Words{108, high, 0}));
  EXPECT_EQ(saturations, 1u);
}

TEST(Vector, OneOperand) {
  uint64_t saturations = 0;
  EXPECT_EQ(unary("vmov", {1, 2, 3}), (Words{1, 2, 3}));
  EXPECT_EQ(unary("vneg", {1, low}, "", &saturations), (Words{-1, high}));
  EXPECT_EQ(saturations, 1u);
  EXPECT_EQ(unary("vabs", {-1, low, 4}, "", &saturations), (Words{1, high, 4}));
  EXPECT_EQ(saturations, 1u);
  EXPECT_EQ(unary("vnot", {0, 5}), (Words{1, 0}));
  EXPECT_EQ(unary("vclz", {0, 1, -1}), (Words{32, 31, 0}));
  EXPECT_EQ(unary("vshi", {3, -3, 1}, ", 2"), (Words{12, -12, 4}));
  EXPECT_EQ(unary("vshi", {3, -3, 4}, ", -1"), (Words{2, -1, 2}));
  EXPECT_EQ(unary("vshi", {high}, ", 1", &saturations), (Words{high}));
  EXPECT_EQ(saturations, 1u);
  EXPECT_EQ(unary("vshi", {high, low}, ", -64"), (Words{0, 0}));
  EXPECT_EQ(unary("vfloor", {7, -7, 8}, ", 2"), (Words{4, -8, 8}));
  EXPECT_EQ(unary("vround", {6, 10, -6, 5, 7}, ", 2"),
            (Words{8, 8, -8, 4, 8})); // ties to even multiples of 4
  EXPECT_EQ(unary("vround", {high}, ", 2", &saturations), (Words{high}));
  EXPECT_EQ(saturations, 1u);
  EXPECT_EQ(unary("vround", {7}, ", 0"), (Words{7}));
  EXPECT_EQ(unary("vsrai", {-5, 5}, ", 1"), (Words{-3, 2}));
}

TEST(Vector, SquareRoot) {
  uint64_t saturations = 0;
  EXPECT_EQ(unary("vsqrt", {0, 1, 15, 16, 17, -4}, "", &saturations),
            (Words{0, 1, 3, 4, 4, 0}));
  EXPECT_EQ(saturations, 1u);
  EXPECT_EQ(unary("vsqrt", {2, high}, ", shift=30"),
            (Words{46340, int32_t(std::floor(
                              std::sqrt(std::ldexp((long double)high, 30))))}));
}

TEST(Vector, Packing) {
  auto run = [](const char *op, Words in, size_t n, size_t out) {
    return runVector("set r1, 300\nset r2, 100\nset r3, " + std::to_string(n) +
                         "\n" + op + " r1, r2, r3",
                     in, {}, 300, out);
  };
  EXPECT_EQ(run("vpack8", {1, -1, 200, -200, 5}, 5, 2),
            (Words{int32_t(0x807fff01), 5}));
  EXPECT_EQ(run("vpack16", {1, -1, 70000}, 3, 2),
            (Words{int32_t(0xffff0001), 0x7fff}));
  EXPECT_EQ(run("vunpk8", {int32_t(0x807fff01), 5}, 5, 5),
            (Words{1, -1, 127, -128, 5}));
  EXPECT_EQ(run("vunpk16", {int32_t(0xffff0001), 7}, 3, 3), (Words{1, -1, 7}));
  EXPECT_EQ(run("vpack1", {3, 0, -1, 0}, 4, 1), (Words{5}));
  EXPECT_EQ(run("vunpk1", {5}, 4, 4), (Words{1, 0, 1, 0}));
}

TEST(Vector, FillRampSelect) {
  EXPECT_EQ(runVector("set r1, 300\nset r2, -7\nset r3, 3\nvfill r1, r2, r3",
                      {}, {}, 299, 5),
            (Words{0, -7, -7, -7, 0}));
  EXPECT_EQ(runVector("set r1, 300\nset r2, 5\nset r3, 3\nset r4, -2\n"
                      "viota r1, r2, r4, r3",
                      {}, {}, 300, 3),
            (Words{5, 3, 1}));
  std::string setup = "set r1, 300\nset r2, 100\nset r3, 200\nset r4, 203\n"
                      "set r5, 3\nset r6, 9\nset r7, 8\n";
  Words mask{1, 0, -4}, values{10, 20, 30, 40, 50, 60};
  EXPECT_EQ(runVector(setup + "vsel r1, r2, r3, r4, r5", mask, values, 300, 3),
            (Words{10, 50, 30}));
  EXPECT_EQ(
      runVector(setup + "vsel.s r1, r2, r3, r6, r5", mask, values, 300, 3),
      (Words{10, 9, 30}));
  EXPECT_EQ(
      runVector(setup + "vsel.ss r1, r2, r7, r6, r5", mask, values, 300, 3),
      (Words{8, 9, 8}));
}

TEST(Vector, Reductions) {
  auto run = [](const std::string &op, Words a, Words b = {}) {
    Rig rig;
    rig.put(0, 100, a);
    rig.put(0, 200, b);
    rig.program(0, "set r2, 100\nset r3, 200\nset r4, " +
                       std::to_string(a.size()) + "\n" + op + "\nhalt");
    EXPECT_EQ(rig.run(), "");
    return rig.reg(1);
  };
  EXPECT_EQ(run("vsum r1, r2, r4", {1, 2, -5}), -2);
  EXPECT_EQ(run("vsum r1, r2, r4", {high, high, low, low}), -2);
  EXPECT_EQ(run("vsum r1, r2, r4", {high, 1}), high);
  EXPECT_EQ(run("vmaxr r1, r2, r4", {-3, -1, -2}), -1);
  EXPECT_EQ(run("vmaxr r1, r2, r4", {}), low);
  EXPECT_EQ(run("vminr r1, r2, r4", {3, 1, 2}), 1);
  EXPECT_EQ(run("vminr r1, r2, r4", {}), high);
  EXPECT_EQ(run("vargmax r1, r2, r4", {1, 7, 7}), 1);
  EXPECT_EQ(run("vargmin r1, r2, r4", {1, 0, 0}), 1);
  EXPECT_EQ(run("vargmax r1, r2, r4", {}), -1);
  EXPECT_EQ(run("vdot r1, r2, r3, r4", {1, 2, 3}, {4, 5, -6}), -4);
  EXPECT_EQ(run("vdot r1, r2, r3, r4, shift=2", {1, 1}, {3, 3}), 2);
  EXPECT_EQ(run("vdot r1, r2, r3, r4, shift=40", {low, low}, {low, low}),
            1 << 23);
}

TEST(Vector, Table) {
  // Entries at inputs -16, -12, -8, -4.
  Words table = {-16, 2, 4, 100, 140, 60, 61};
  Words x = {-20, -16, -15, -14, -12, -10, -4, 100, -7};
  EXPECT_EQ(runVector("set r1, 300\nset r2, 100\nset r3, 200\nset r4, 9\n"
                      "vlut r1, r2, r3, r4",
                      x, table, 300, x.size()),
            (Words{100, 100, 110, 120, 140, 100, 61, 61, 60}));
}

TEST(Vector, TableHeaderIsChecked) {
  Rig rig;
  rig.put(0, 200, {0, 31, 4});
  rig.program(0, "set r3, 200\nset r4, 1\nvlut r3, r0, r3, r4\nhalt");
  EXPECT_NE(rig.run().find("the table's header is not"), std::string::npos);
}

TEST(Vector, IndexedAccess) {
  std::string setup = "set r1, 300\nset r2, 100\nset r3, 200\nset r4, 3\n"
                      "set r5, 7\n";
  Words data{10, 11, 12, 13}, index{3, 0, 3};
  EXPECT_EQ(runVector(setup + "vgather r1, r2, r3, r4", data, index, 300, 3),
            (Words{13, 10, 13}));
  EXPECT_EQ(runVector(setup + "vscatter r2, r1, r3, r4", data, index, 300, 4),
            (Words{11, 0, 0, 12})); // the last write wins
  EXPECT_EQ(runVector(setup + "vscatter.s r5, r1, r3, r4", {}, index, 300, 4),
            (Words{7, 0, 0, 7}));
  EXPECT_EQ(runVector(setup + "vscatadd r2, r1, r3, r4", data, index, 300, 4),
            (Words{11, 0, 0, 22}));
  EXPECT_EQ(runVector(setup + "vscatadd.s r5, r1, r3, r4", {}, index, 300, 4),
            (Words{7, 0, 0, 14}));
  Words packed{(3 << 16) | 1, int32_t(0xfffe0000), (5 << 16) | 1};
  EXPECT_EQ(
      runVector(setup + "vscatpk r2, r1, r4, shift=4", packed, {}, 300, 2),
      (Words{-32, 128}));
  Rig rig;
  rig.put(0, 200, {5000});
  rig.program(0, "set r3, 200\nset r4, 1\nset r1, 300\nvgather r1, r0, r3, "
                 "r4\nhalt");
  EXPECT_NE(rig.run().find("element 0 addresses word 5000, the tile memory "
                           "has 4096 words"),
            std::string::npos);
}

TEST(Vector, StridedCopy) {
  EXPECT_EQ(runVector("set r1, 300\nset r2, 100\nset r3, 2\nset r4, 2\n"
                      "set r5, 3\nset r6, 4\nvcopy2 r1, r2, r3, r4, r5, r6",
                      {1, 2, 3, 4, 5, 6}, {}, 300, 6),
            (Words{1, 2, 0, 5, 6, 0}));
}

TEST(Vector, FindListsNonZeros) {
  Rig rig;
  rig.put(0, 100, {0, 4, 0, -1});
  rig.program(0, "set r2, 300\nset r3, 100\nset r4, 4\nset r5, 1000\n"
                 "vfind r1, r2, r3, r4, r5\nhalt");
  EXPECT_EQ(rig.run(), "");
  EXPECT_EQ(rig.reg(1), 2);
  EXPECT_EQ(rig.get(0, 300, 2), (Words{1001, 1003}));
}

TEST(Vector, RandomIsTheSharedGenerator) {
  uint64_t key = neuroc_rt_key(42, neuroc_rt_stream("E.noise"));
  Words block{int32_t(uint32_t(key)), int32_t(uint32_t(key >> 32)), 3};
  std::string setup = "set r1, 300\nset r2, 100\nset r3, -1\nset r4, 4\n"
                      "set r5, 17\nset r6, 200\n";
  Words entities{5, 900, 2, -1};
  Words words = runVector(setup + "vrndw r1, r2, r3, r4, r5, draw=9", block,
                          entities, 300, 4);
  Words normals = runVector(setup + "vrndn r1, r2, r3, r4, r5, draw=9", block,
                            entities, 300, 4);
  Words uniforms =
      runVector(setup + "vrndu r1, r2, r3, r4, r5, draw=9, frac=10", block,
                entities, 300, 4);
  Words listed = runVector(setup + "vrndw.x r1, r2, r6, r4, r5, draw=9", block,
                           entities, 300, 4);
  Words listedN =
      runVector(setup + "vrndn.x r1, r2, r6, r4, r5", block, entities, 300, 4);
  Words listedU = runVector(setup + "vrndu.x r1, r2, r6, r4, r5, frac=31",
                            block, entities, 300, 4);
  for (uint32_t i = 0; i < 4; ++i) {
    // The entity's high word is 3, and counting carries into it.
    uint64_t entity = (uint64_t(3) << 32 | 0xffffffffu) + i;
    uint32_t word = neuroc_rt_word(key, entity, 17, 9);
    EXPECT_EQ(words[i], int32_t(word));
    EXPECT_EQ(normals[i], neuroc_rt_normal_sum(key, entity, 17, 9));
    EXPECT_EQ(uniforms[i], int32_t(word >> 22));
    uint64_t one = uint64_t(3) << 32 | uint32_t(entities[i]);
    EXPECT_EQ(listed[i], int32_t(neuroc_rt_word(key, one, 17, 9)));
    EXPECT_EQ(listedN[i], neuroc_rt_normal_sum(key, one, 17, 0));
    EXPECT_EQ(listedU[i], int32_t(neuroc_rt_word(key, one, 17, 0) >> 1));
  }
}

std::string vectorFault(const std::string &text) {
  Rig rig;
  // Values that the validator cannot know come through memory.
  rig.put(0, 0, {100, 103, 5, -1, 4095, 99});
  rig.program(0, "lw r1, r0, 0\nlw r2, r0, 1\nlw r3, r0, 2\nlw r4, r0, 3\n"
                 "lw r5, r0, 4\nlw r6, r0, 5\n" +
                     text + "\nhalt");
  return rig.run();
}

TEST(Vector, Faults) {
  auto has = [](const std::string &text, const std::string &part) {
    return text.find(part) != std::string::npos;
  };
  EXPECT_TRUE(has(vectorFault("vadd r1, r2, r2, r3"),
                  "destination [100, 105) overlaps a part of source [103, "
                  "108)"));
  EXPECT_EQ(vectorFault("vadd r1, r1, r1, r3"), "");
  EXPECT_EQ(vectorFault("vmov r1, r2, r3"), "");
  EXPECT_TRUE(
      has(vectorFault("vadd r1, r1, r1, r4"), "the length is negative: -1"));
  EXPECT_TRUE(has(vectorFault("vadd r5, r1, r1, r3"),
                  "destination: words [4095, 4100) are outside"));
  EXPECT_TRUE(
      has(vectorFault("vmov r1, r4, r3"), "source: words [-1, 4) are outside"));
  EXPECT_TRUE(has(vectorFault("vfloor r1, r1, r3, 31"),
                  "shift must be in [0, 30], got 31"));
  EXPECT_TRUE(has(vectorFault("vsrai r1, r1, r3, -1"),
                  "shift must be in [0, 31], got -1"));
  EXPECT_TRUE(has(vectorFault("vsqrt r1, r1, r3, shift=33"),
                  "shift must be in [0, 32], got 33"));
  EXPECT_TRUE(has(vectorFault("vrndu r1, r0, r0, r3, r0, frac=32"),
                  "frac must be in [0, 31], got 32"));
  EXPECT_TRUE(has(vectorFault("vpack8 r1, r1, r3"),
                  "destination and source must differ"));
}

/// Cycles from the start of `body` until all units are idle.
int32_t drained(const std::string &body, const MachineConfig &config) {
  Rig rig(config);
  rig.program(0, "set r1, 100\nset r2, 200\nset r3, 300\nset r4, 40\n"
                 "set r5, 1\nfence\nrdsr r30, 2\n" +
                     body + "\nfence\nrdsr r29, 2\nsub r28, r29, r30\nhalt");
  EXPECT_EQ(rig.run(), "");
  return rig.reg(28) - 2; // fence and rdsr
}

TEST(VectorTiming, FormulaPerClass) {
  MachineConfig m = smallMachine();
  m.lanes = 8;
  m.vectorStart = 6;
  m.mulCost = 2;
  m.divCost = 9;
  m.lutCost = 4;
  m.randomCost = 5;
  m.indexedCost = 3;
  // 40 elements in 8 lanes are 5 groups.
  EXPECT_EQ(drained("vadd r1, r2, r3, r4", m), 5 + 6);
  EXPECT_EQ(drained("vmul r1, r2, r3, r4", m), 10 + 6);
  EXPECT_EQ(drained("vdiv r1, r2, r3, r4", m), 45 + 6);
  EXPECT_EQ(drained("vrndw r1, r0, r0, r4, r0", m), 25 + 6);
  EXPECT_EQ(drained("vgather r1, r0, r3, r4", m), 15 + 6);
  EXPECT_EQ(drained("sw r5, r2, 2\nvlut r1, r3, r2, r4", m), 1 + 20 + 6);
  EXPECT_EQ(drained("vsum r6, r2, r4", m), 5 + 6);
  // 40 rows of one word: cheaper element by element than row by row.
  EXPECT_EQ(drained("vcopy2 r1, r2, r4, r5, r5, r5", m), 15 + 6);
  EXPECT_EQ(vectorCycles(m, VectorClass::Simple, 0).busy, 1u);
}

TEST(VectorTiming, IndependentOnesOverlapDependentOnesWait) {
  MachineConfig m = smallMachine();
  m.lanes = 8;
  m.vectorStart = 6;
  // The unit is busy for 5 cycles; a dependent one waits for the result.
  EXPECT_EQ(drained("vadd r1, r2, r2, r4\nvadd r3, r2, r2, r4", m), 5 + 5 + 6);
  EXPECT_EQ(drained("vadd r1, r2, r2, r4\nvadd r3, r1, r2, r4", m),
            (5 + 6) + (5 + 6));
}

TEST(VectorTiming, StallsAreAccountedByCause) {
  MachineConfig m = smallMachine();
  m.lanes = 8;
  m.vectorStart = 6;
  Rig rig(m);
  rig.program(0, "set r1, 100\nset r2, 200\nset r4, 40\n"
                 "vadd r1, r2, r2, r4\n" // starts at 3, free at 8
                 "vadd r2, r2, r2, r4\n" // waits 4 for the unit, starts at 8
                 "lw r3, r1, 0\n"        // r1's words at 14: waits 5
                 "add r5, r3, r0\n"      // load latency 2: waits 1
                 "jmp +0\nhalt");
  EXPECT_EQ(rig.run(), "");
  Counters c = rig->counters();
  EXPECT_EQ(c.stalls[unsigned(Stall::Vector)], 4u);
  EXPECT_EQ(c.stalls[unsigned(Stall::Register)], 1u);
  EXPECT_EQ(c.stalls[unsigned(Stall::Branch)], 1u);
  EXPECT_EQ(c.stalls[unsigned(Stall::Range)], 5u);
}

} // namespace
