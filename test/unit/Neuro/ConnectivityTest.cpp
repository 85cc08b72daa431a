// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Connection rules: degrees, probabilities, self-connections, order of rows,
// convolution against a direct loop, and every error.
#include "neuroc/rt/Connectivity.h"

#include <gtest/gtest.h>

#include <cmath>
#include <set>

using namespace neuroc::rt;

static ConnectRule makeRule(ConnectKind kind, int64_t pre, int64_t post) {
  ConnectRule rule;
  rule.kind = kind;
  rule.pre = {pre};
  rule.post = {post};
  rule.stream = "W";
  return rule;
}

static Synapses expand(const ConnectRule &rule) {
  Synapses synapses;
  Status status = expandConnectivity(rule, synapses);
  EXPECT_TRUE(status.isOk()) << status.message();
  return synapses;
}

static void expectSortedRows(const Synapses &s, size_t numPre) {
  ASSERT_EQ(s.rowStart.size(), numPre + 1);
  EXPECT_EQ(s.rowStart.back(), s.size());
  for (size_t row = 0; row < numPre; ++row)
    for (uint64_t i = s.rowStart[row] + 1; i < s.rowStart[row + 1]; ++i)
      EXPECT_LE(s.post[i - 1], s.post[i]);
}

TEST(Connectivity, DenseIsRowMajorByPost) {
  Synapses s = expand(makeRule(ConnectKind::Dense, 2, 3));
  ASSERT_EQ(s.size(), 6u);
  EXPECT_EQ(s.post[1], 1u);
  EXPECT_EQ(s.source[1], 2u); // [post = 1, pre = 0] of [3, 2]
  expectSortedRows(s, 2);
}

TEST(Connectivity, DenseWithMaskAndWithoutSelf) {
  ConnectRule rule = makeRule(ConnectKind::Dense, 2, 2);
  rule.mask = {true, false, true, true};
  EXPECT_EQ(expand(rule).size(), 3u);
  rule.self = false;
  EXPECT_EQ(expand(rule).size(), 1u);
  rule.mask.pop_back();
  Synapses synapses;
  EXPECT_EQ(expandConnectivity(rule, synapses).message(),
            "weight 'W': mask must have one entry per pair");
}

TEST(Connectivity, FixedProbabilityHasBinomialCount) {
  ConnectRule rule = makeRule(ConnectKind::FixedProbability, 500, 400);
  rule.probability = 0.1;
  Synapses s = expand(rule);
  // Bin(200000, 0.1): mean 20000, sd 134; within 5 sd.
  EXPECT_NEAR(double(s.size()), 20000.0, 670.0);
  expectSortedRows(s, 500);
  rule.probability = 1;
  EXPECT_EQ(expand(rule).size(), 200000u);
  rule.probability = 0;
  EXPECT_EQ(expand(rule).size(), 0u);
}

TEST(Connectivity, FixedProbabilityWithoutSelf) {
  ConnectRule rule = makeRule(ConnectKind::FixedProbability, 50, 50);
  rule.probability = 1;
  rule.self = false;
  Synapses s = expand(rule);
  EXPECT_EQ(s.size(), 50u * 49u);
  for (size_t pre = 0; pre < 50; ++pre)
    for (uint64_t i = s.rowStart[pre]; i < s.rowStart[pre + 1]; ++i)
      EXPECT_NE(s.post[i], pre);
}

TEST(Connectivity, SeedAndStreamChangeTheNetwork) {
  ConnectRule rule = makeRule(ConnectKind::FixedProbability, 100, 100);
  rule.probability = 0.5;
  std::vector<uint32_t> first = expand(rule).post;
  EXPECT_EQ(first, expand(rule).post);
  rule.seed = 2;
  EXPECT_NE(first, expand(rule).post);
  rule.seed = 1;
  rule.stream = "V";
  EXPECT_NE(first, expand(rule).post);
}

TEST(Connectivity, FixedInDegree) {
  ConnectRule rule = makeRule(ConnectKind::FixedInDegree, 40, 30);
  rule.degree = 7;
  rule.multapses = false;
  Synapses s = expand(rule);
  std::vector<std::set<uint32_t>> sources(30);
  for (size_t pre = 0; pre < 40; ++pre)
    for (uint64_t i = s.rowStart[pre]; i < s.rowStart[pre + 1]; ++i)
      EXPECT_TRUE(sources[s.post[i]].insert(pre).second) << "repeated pair";
  for (auto &set : sources)
    EXPECT_EQ(set.size(), 7u);
  expectSortedRows(s, 40);
}

TEST(Connectivity, FixedInDegreeOfAllPartners) {
  ConnectRule rule = makeRule(ConnectKind::FixedInDegree, 10, 10);
  rule.degree = 9;
  rule.multapses = false;
  rule.self = false;
  Synapses s = expand(rule);
  EXPECT_EQ(s.size(), 90u);
  for (size_t pre = 0; pre < 10; ++pre)
    for (uint64_t i = s.rowStart[pre]; i < s.rowStart[pre + 1]; ++i)
      EXPECT_NE(s.post[i], pre);
}

TEST(Connectivity, FixedOutDegreeWithMultapses) {
  ConnectRule rule = makeRule(ConnectKind::FixedOutDegree, 20, 5);
  rule.degree = 50;
  Synapses s = expand(rule);
  for (size_t pre = 0; pre < 20; ++pre)
    EXPECT_EQ(s.rowStart[pre + 1] - s.rowStart[pre], 50u);
}

TEST(Connectivity, DegreeErrors) {
  ConnectRule rule = makeRule(ConnectKind::FixedInDegree, 3, 3);
  rule.degree = 3;
  rule.multapses = false;
  rule.self = false;
  Synapses synapses;
  Status status = expandConnectivity(rule, synapses);
  EXPECT_EQ(status.message(),
            "weight 'W': degree 3 exceeds the 2 possible partners");
}

TEST(Connectivity, ListKeepsMultapsesAndValues) {
  ConnectRule rule = makeRule(ConnectKind::List, 2, 2);
  rule.pairs = {1, 0, 0, 1, 0, 1};
  Synapses s = expand(rule);
  ValueRule values;
  values.array = {10, 20, 30};
  EXPECT_EQ(synapseValues(rule, s, values),
            (std::vector<double>{20, 30, 10}));
  rule.pairs = {2, 0};
  EXPECT_EQ(expandConnectivity(rule, s).message(),
            "weight 'W': synapse 0 names a unit that does not exist");
  rule.pairs = {1};
  EXPECT_EQ(expandConnectivity(rule, s).message(),
            "weight 'W': list of pairs has an odd number of entries");
}

TEST(Connectivity, OneToOne) {
  Synapses s = expand(makeRule(ConnectKind::OneToOne, 3, 3));
  EXPECT_EQ(s.post, (std::vector<uint32_t>{0, 1, 2}));
  Synapses t;
  EXPECT_EQ(
      expandConnectivity(makeRule(ConnectKind::OneToOne, 3, 4), t).message(),
      "weight 'W': one-to-one needs equal sides");
}

TEST(Connectivity, ShapeErrors) {
  Synapses synapses;
  ConnectRule rule = makeRule(ConnectKind::Dense, 0, 3);
  EXPECT_EQ(expandConnectivity(rule, synapses).message(),
            "weight 'W': sides must have between 1 and 2^32 - 1 units");
  rule = makeRule(ConnectKind::Convolution, 4, 4);
  EXPECT_EQ(expandConnectivity(rule, synapses).message(),
            "weight 'W': convolution needs sides [channels, height, width] and "
            "channels that are multiples of groups");
}

TEST(Connectivity, TooMany) {
  ConnectRule rule = makeRule(ConnectKind::FixedInDegree, 1000000, 1000000);
  rule.degree = 10000;
  Synapses synapses;
  EXPECT_EQ(expandConnectivity(rule, synapses).code(), Code::DoesNotFit);
}

TEST(Connectivity, ConvolutionMatchesDirectLoop) {
  ConnectRule rule;
  rule.kind = ConnectKind::Convolution;
  rule.pre = {4, 6, 5};
  rule.post = {6, 3, 3};
  rule.kernel[0] = rule.kernel[1] = 3;
  rule.strides[0] = rule.strides[1] = 2;
  rule.pads[0] = rule.pads[1] = rule.pads[2] = rule.pads[3] = 1;
  rule.groups = 2;
  rule.stream = "W";
  Synapses s = expand(rule);
  std::vector<double> x(4 * 6 * 5), k(6 * 2 * 3 * 3);
  for (size_t i = 0; i < x.size(); ++i)
    x[i] = std::sin(double(i));
  for (size_t i = 0; i < k.size(); ++i)
    k[i] = std::cos(double(i));
  std::vector<double> out(6 * 3 * 3, 0.0);
  for (size_t pre = 0; pre < x.size(); ++pre)
    for (uint64_t i = s.rowStart[pre]; i < s.rowStart[pre + 1]; ++i)
      out[s.post[i]] += k[s.source[i]] * x[pre];
  for (int m = 0; m < 6; ++m)
    for (int oy = 0; oy < 3; ++oy)
      for (int ox = 0; ox < 3; ++ox) {
        double expected = 0;
        for (int c = 0; c < 2; ++c)
          for (int ky = 0; ky < 3; ++ky)
            for (int kx = 0; kx < 3; ++kx) {
              int y = oy * 2 - 1 + ky, xx = ox * 2 - 1 + kx;
              if (y >= 0 && y < 6 && xx >= 0 && xx < 5)
                expected += k[((m * 2 + c) * 3 + ky) * 3 + kx] *
                            x[(((m / 3) * 2 + c) * 6 + y) * 5 + xx];
            }
        EXPECT_NEAR(out[(m * 3 + oy) * 3 + ox], expected, 1e-12);
      }
}

TEST(Connectivity, DelaysRoundToTicks) {
  ConnectRule rule = makeRule(ConnectKind::OneToOne, 4, 4);
  Synapses s = expand(rule);
  ValueRule delays;
  delays.array = {0.01, 0.26, 0.25, 1.0};
  EXPECT_EQ(synapseDelays(rule, s, delays, 0.1),
            (std::vector<uint32_t>{1, 3, 2, 10}));
}
