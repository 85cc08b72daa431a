// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Philox4x32-10 against the known answers that Random123 publishes
// (kat_vectors: all zero, all ones, digits of pi), and the two distributions.
#include "neuroc/rt/Random.h"

#include <gtest/gtest.h>

#include <cmath>

TEST(Random, PhiloxKnownAnswers) {
  neuroc_rt_philox a = neuroc_rt_philox4x32(0, 0, 0, 0, 0, 0);
  EXPECT_EQ(a.v[0], 0x6627e8d5u);
  EXPECT_EQ(a.v[1], 0xe169c58du);
  EXPECT_EQ(a.v[2], 0xbc57ac4cu);
  EXPECT_EQ(a.v[3], 0x9b00dbd8u);
  uint32_t f = 0xffffffffu;
  neuroc_rt_philox b = neuroc_rt_philox4x32(f, f, f, f, f, f);
  EXPECT_EQ(b.v[0], 0x408f276du);
  EXPECT_EQ(b.v[1], 0x41c83b0eu);
  EXPECT_EQ(b.v[2], 0xa20bc7c6u);
  EXPECT_EQ(b.v[3], 0x6d5451fdu);
  neuroc_rt_philox c = neuroc_rt_philox4x32(
      0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344, 0xa4093822, 0x299f31d0);
  EXPECT_EQ(c.v[0], 0xd16cfe09u);
  EXPECT_EQ(c.v[1], 0x94fdccebu);
  EXPECT_EQ(c.v[2], 0x5001e420u);
  EXPECT_EQ(c.v[3], 0x24126ea1u);
}

TEST(Random, StreamsAndEntitiesDiffer) {
  uint64_t a = neuroc_rt_key(1, neuroc_rt_stream("E"));
  uint64_t b = neuroc_rt_key(1, neuroc_rt_stream("I"));
  EXPECT_NE(a, b);
  EXPECT_NE(neuroc_rt_word(a, 0, 0, 0), neuroc_rt_word(a, 1, 0, 0));
  EXPECT_NE(neuroc_rt_word(a, 0, 0, 0), neuroc_rt_word(a, 0, 1, 0));
  EXPECT_NE(neuroc_rt_word(a, 0, 0, 0), neuroc_rt_word(a, 0, 0, 1));
}

TEST(Random, MomentsOfUniformAndNormal) {
  uint64_t key = neuroc_rt_key(7, neuroc_rt_stream("moments"));
  const int n = 200000;
  double u = 0, uu = 0, x = 0, xx = 0;
  for (int i = 0; i < n; ++i) {
    double a = neuroc_rt_uniform(key, uint64_t(i), 0, 0);
    double b = neuroc_rt_normal(key, uint64_t(i), 0, 1);
    ASSERT_GT(a, 0);
    ASSERT_LT(a, 1);
    u += a, uu += a * a, x += b, xx += b * b;
  }
  // Four standard errors each.
  EXPECT_NEAR(u / n, 0.5, 4 * std::sqrt(1.0 / 12 / n));
  EXPECT_NEAR(uu / n, 1.0 / 3, 4 * std::sqrt(4.0 / 45 / n));
  EXPECT_NEAR(x / n, 0, 4 / std::sqrt(double(n)));
  EXPECT_NEAR(xx / n, 1, 4 * std::sqrt(2.0 / n));
}
