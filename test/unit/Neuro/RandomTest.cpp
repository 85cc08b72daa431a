// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Random numbers against the known answers of Philox4x32-10 (Salmon et al.,
// SC 2011, as distributed with Random123), and moments of the distributions.
#include "neuroc/rt/Sampling.h"

#include <gtest/gtest.h>

#include <cmath>

using namespace neuroc::rt;

static void expectWords(neuroc_rt_philox p, uint32_t a, uint32_t b, uint32_t c,
                        uint32_t d) {
  EXPECT_EQ(p.v[0], a);
  EXPECT_EQ(p.v[1], b);
  EXPECT_EQ(p.v[2], c);
  EXPECT_EQ(p.v[3], d);
}

TEST(Random, PhiloxKnownAnswers) {
  expectWords(neuroc_rt_philox4x32(0, 0, 0, 0, 0, 0), 0x6627e8d5, 0xe169c58d,
              0xbc57ac4c, 0x9b00dbd8);
  uint32_t f = 0xffffffff;
  expectWords(neuroc_rt_philox4x32(f, f, f, f, f, f), 0x408f276d, 0x41c83b0e,
              0xa20bc7c6, 0x6d5451fd);
  expectWords(neuroc_rt_philox4x32(0x243f6a88, 0x85a308d3, 0x13198a2e,
                                   0x03707344, 0xa4093822, 0x299f31d0),
              0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1);
}

TEST(Random, StreamsDiffer) {
  EXPECT_NE(neuroc_rt_key(1, neuroc_rt_stream("E.v")),
            neuroc_rt_key(1, neuroc_rt_stream("I.v")));
  EXPECT_NE(neuroc_rt_key(1, 5), neuroc_rt_key(2, 5));
}

struct Moments {
  double mean = 0, variance = 0;
};

static Moments measure(const Distribution &d, int count = 200000) {
  uint64_t key = neuroc_rt_key(3, neuroc_rt_stream("moments"));
  double sum = 0, squares = 0;
  for (int i = 0; i < count; ++i) {
    double x = sample(d, key, i);
    sum += x;
    squares += x * x;
  }
  double mean = sum / count;
  return {mean, squares / count - mean * mean};
}

TEST(Random, MomentsOfDistributions) {
  // 4 sigma of the mean over 200,000 draws is sd * 0.009.
  Moments uniform = measure({DistributionKind::Uniform, -1, 3});
  EXPECT_NEAR(uniform.mean, 1.0, 0.011);
  EXPECT_NEAR(uniform.variance, 16.0 / 12, 0.02);
  Moments normal = measure({DistributionKind::Normal, 2, 3});
  EXPECT_NEAR(normal.mean, 2.0, 0.027);
  EXPECT_NEAR(normal.variance, 9.0, 0.15);
  Moments exponential = measure({DistributionKind::Exponential, 2, 1});
  EXPECT_NEAR(exponential.mean, 3.0, 0.02);
  Moments lognormal = measure({DistributionKind::Lognormal, 0, 0.5});
  EXPECT_NEAR(lognormal.mean, std::exp(0.125), 0.01);
}

TEST(Random, ClipRedraws) {
  Distribution d{DistributionKind::Normal, 0, 1, -0.5, 0.5};
  uint64_t key = neuroc_rt_key(3, 1);
  int atBound = 0;
  for (int i = 0; i < 10000; ++i) {
    double x = sample(d, key, i);
    ASSERT_GE(x, -0.5);
    ASSERT_LE(x, 0.5);
    atBound += x == -0.5 || x == 0.5;
  }
  EXPECT_LT(atBound, 50); // redrawn, not clamped
}

TEST(Random, NormalTailsAreSixSigma) {
  // The extreme sums: all fields 0 or all 1023.
  EXPECT_NEAR(-6138 * NEUROC_RT_NORMAL_SCALE, -5.994, 0.001);
}
