// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Reductions, batches and shared weights in the reference interpreter, against
// plain loops written here: every kind over units and groups; over pre, post
// and all in handlers, for all synapses and for those of a spike; the mean and
// the sum over lanes; the sum over the positions of a convolution.
#include "ReferenceFixture.h"

#include "neuroc/rt/Random.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>

using namespace mlir;
using namespace neuroc;
using Values = std::vector<double>;

namespace {

/// What a member of a group gets, by the definition of each kind: counting,
/// not sorting, as far as that will do.
double reduceByHand(const std::string &kind, const Values &group, size_t self,
                    size_t k) {
  double sum = 0, most = group[0], least = group[0];
  size_t before = 0;
  for (size_t i = 0; i < group.size(); ++i) {
    sum += group[i];
    most = std::max(most, group[i]);
    least = std::min(least, group[i]);
    before += group[i] > group[self] || (group[i] == group[self] && i < self);
  }
  if (kind == "sum")
    return sum;
  if (kind == "max")
    return most;
  if (kind == "min")
    return least;
  if (kind == "rank")
    return double(before);
  if (kind == "prefix")
    return std::accumulate(group.begin(), group.begin() + self + 1, 0.0);
  if (kind == "logsumexp") {
    double exponentials = 0;
    for (double value : group)
      exponentials += std::exp(value - most);
    return most + std::log(exponentials);
  }
  // The k-th largest is the value that fewer than k exceed and k reach.
  for (double value : group) {
    size_t above = 0, reached = 0;
    for (double other : group) {
      above += other > value;
      reached += other >= value;
    }
    if (above < k && reached >= k)
      return value;
  }
  return -HUGE_VAL;
}

/// Numbers with ties: a few values of a coarse grid.
Values randomValues(uint64_t key, size_t count) {
  Values values(count);
  for (size_t i = 0; i < count; ++i)
    values[i] = std::floor(neuroc_rt_uniform(key, i, 0, 0) * 9.0) - 4.0;
  return values;
}

const char *const kinds[] = {"sum",         "max",  "min",   "logsumexp",
                             "kth_largest", "rank", "prefix"};

std::string reduceText(const std::string &kind, const std::string &operand,
                       const std::string &over, size_t group, size_t k) {
  std::string text = "neuro.reduce " + (kind == "prefix" ? "sum" : kind) + " " +
                     operand + " over " + over;
  if (group)
    text += " group " + std::to_string(group);
  if (kind == "kth_largest")
    text += " k " + std::to_string(k);
  return text + (kind == "prefix" ? " prefix" : "");
}

} // namespace

TEST_F(Reference, ReductionsOverUnits) {
  const size_t lanes = 3, units = 12;
  for (size_t group : {0, 1, 4, 12})
    for (const std::string kind : kinds)
      for (size_t k : {1, 3, 20}) {
        auto engine = load(R"mlir(
neuro.model @m {
  neuro.input @x
  neuro.output @y : f64
  neuro.stage @s {
    %x = neuro.get @x
    %two = arith.constant 2.0 : f64
    %u = arith.mulf %x, %two : f64
    %r = )mlir" + reduceText(kind, "%u", "units", group, k) +
                           R"mlir(
    %d = arith.subf %r, %x : f64
    neuro.emit @y, %d : f64
  }
}
neuro.network @n dt 1.0 batch 3 {
  %x = neuro.stimulus @x : tensor<12xf32>
  %y = neuro.population @P of @m shape [12] inputs(%x) ports ["x"] : (tensor<12xf32>) -> tensor<12xf32>
  neuro.probe @y %y : tensor<12xf32>
}
)mlir");
        EXPECT_EQ(engine->probes()[0].shape, (std::vector<int64_t>{3, 12}));
        Values x = randomValues(group * 100 + k, lanes * units), y;
        ASSERT_TRUE(engine->setStimulus("x", x).isOk());
        ASSERT_TRUE(engine->step(1, nullptr).isOk());
        ASSERT_TRUE(engine->readProbe(0, y).isOk());
        size_t size = group ? group : units;
        for (size_t first = 0; first < x.size(); first += size) {
          Values doubled(size);
          for (size_t i = 0; i < size; ++i)
            doubled[i] = 2 * x[first + i];
          for (size_t i = 0; i < size; ++i)
            EXPECT_DOUBLE_EQ(y[first + i],
                             reduceByHand(kind, doubled, i, k) - x[first + i])
                << kind << " group " << group << " k " << k << " unit "
                << first + i;
        }
        if (kind != "kth_largest")
          break;
      }
}

// A reduction of a reduction, which needs more than one pass over the units:
// softmax, whose sum is one, and the variance.
TEST_F(Reference, ReductionsFollowOneAnother) {
  auto engine = load(R"mlir(
neuro.model @m {
  neuro.input @x
  neuro.output @share : f64
  neuro.output @variance : f64
  neuro.stage @s {
    %x = neuro.get @x
    %m = neuro.reduce max %x over units
    %d = arith.subf %x, %m : f64
    %e = math.exp %d : f64
    %z = neuro.reduce sum %e over units
    %p = arith.divf %e, %z : f64
    neuro.emit @share, %p : f64
    %n = arith.constant 5.0 : f64
    %sum = neuro.reduce sum %x over units
    %mean = arith.divf %sum, %n : f64
    %c = arith.subf %x, %mean : f64
    %c2 = arith.mulf %c, %c : f64
    %s2 = neuro.reduce sum %c2 over units
    %v = arith.divf %s2, %n : f64
    neuro.emit @variance, %v : f64
  }
}
neuro.network @n dt 1.0 {
  %x = neuro.stimulus @x init(dense<[1.0, 800.0, 799.0, 800.0, -3.0]> : tensor<5xf32>) : tensor<5xf32>
  %p, %v = neuro.population @P of @m shape [5] inputs(%x) ports ["x"] : (tensor<5xf32>) -> (tensor<5xf32>, tensor<5xf32>)
  neuro.probe @p %p : tensor<5xf32>
  neuro.probe @v %v : tensor<5xf32>
}
)mlir");
  ASSERT_TRUE(engine->step(1, nullptr).isOk());
  Values p, v;
  ASSERT_TRUE(engine->readProbe(0, p).isOk());
  ASSERT_TRUE(engine->readProbe(1, v).isOk());
  double z = 2 + std::exp(-1.0);
  EXPECT_DOUBLE_EQ(p[1], 1 / z);
  EXPECT_DOUBLE_EQ(p[2], std::exp(-1.0) / z);
  EXPECT_DOUBLE_EQ(p[0], 0.0);
  double mean = 2397.0 / 5, squares = 0;
  for (double x : {1.0, 800.0, 799.0, 800.0, -3.0})
    squares += (x - mean) * (x - mean);
  for (double value : v)
    EXPECT_NEAR(value, squares / 5, 1e-9);
}

// Over pre, post and all, in `on tick` (all synapses), `on pre` and `on post`
// (those of a spike), on a list with gaps and a pair joined twice.
TEST_F(Reference, ReductionsOverSynapses) {
  // (pre, post) in canonical order: by pre, then post.
  const std::vector<std::pair<size_t, size_t>> pairs = {
      {0, 0}, {0, 2}, {1, 0}, {1, 1}, {1, 1}, {2, 2}, {3, 0}, {3, 1}, {3, 2}};
  std::string list;
  for (auto [pre, post] : pairs)
    list += (list.empty() ? "[" : ", [") + std::to_string(pre) + ", " +
            std::to_string(post) + "]";
  const bool preFires[] = {true, false, true, true};
  const bool postFires[] = {true, false, true};
  for (const std::string event : {"tick", "pre", "post"})
    for (const std::string over : {"pre", "post", "all"})
      for (const std::string kind : kinds) {
        auto engine = load(R"mlir(
neuro.rule @r {
  neuro.state @seen init -99.0
  neuro.on )mlir" + event + R"mlir( {
    %w = neuro.get @w
    %two = arith.constant 2.0 : f64
    %u = arith.mulf %w, %two : f64
    %s = )mlir" + reduceText(kind, "%u", over, 0, 2) +
                           R"mlir(
    neuro.set @seen, %s
    neuro.set @w, %two
  }
}
neuro.network @n dt 1.0 {
  %pre = neuro.spike_array @pre events(dense<[[0, 0], [0, 2], [0, 3]]> : tensor<3x2xi64>) : tensor<4xi1>
  %post = neuro.spike_array @post events(dense<[[0, 0], [0, 2]]> : tensor<2x2xi64>) : tensor<3xi1>
  neuro.weight @W pre [4] post [3] connect #neuro.list<dense<[)mlir" +
                           list + R"mlir(]> : tensor<9x2xi64>> values 0.0
  neuro.plastic @p on @W rule @r pre %pre post %post : tensor<4xi1>, tensor<3xi1>
}
)mlir");
        Values before = randomValues(kind.size(), pairs.size()), after, seen;
        ASSERT_TRUE(engine->writeWeight("W", before).isOk());
        ASSERT_TRUE(engine->step(1, nullptr).isOk());
        ASSERT_TRUE(engine->readWeight("W", after).isOk());
        ASSERT_TRUE(engine->readState("p", "seen", seen).isOk());
        auto runs = [&](size_t s) {
          return event == "tick" ||
                 (event == "pre" ? preFires[pairs[s].first]
                                 : postFires[pairs[s].second]);
        };
        for (size_t s = 0; s < pairs.size(); ++s) {
          double expected = -99, weight = before[s];
          if (runs(s)) {
            Values group;
            size_t self = 0;
            for (size_t t = 0; t < pairs.size(); ++t) {
              bool isMember =
                  runs(t) &&
                  (over == "all" ||
                   (over == "pre" ? pairs[t].first == pairs[s].first
                                  : pairs[t].second == pairs[s].second));
              if (t == s)
                self = group.size();
              if (isMember)
                group.push_back(2 * before[t]);
            }
            expected = reduceByHand(kind, group, self, 2);
            weight = 2;
          }
          EXPECT_DOUBLE_EQ(seen[s], expected)
              << kind << " over " << over << " on " << event << ", synapse "
              << s;
          EXPECT_EQ(after[s], weight);
        }
      }
}

// Weights learn from the mean of the lanes' changes, or their sum; the states
// of synapses likewise; traces and factors are those of the lane.
TEST_F(Reference, BatchLearns) {
  const size_t lanes = 3, pres = 2, posts = 2;
  for (bool sum : {false, true}) {
    auto engine = load(std::string(R"mlir(
neuro.rule @r {
  neuro.state @c init 1.0
  neuro.factor @m on scalar
  neuro.trace @t on pre {
    %t = neuro.get @t
    %x = neuro.get @pre
    %n = arith.addf %t, %x : f64
    neuro.set @t, %n
  }
  neuro.on tick {
    %w = neuro.get @w
    %c = neuro.get @c
    %t = neuro.get @t
    %y = neuro.get @post
    %m = neuro.get @m
    %a = arith.mulf %t, %y : f64
    %b = arith.mulf %a, %m : f64
    %d = arith.mulf %b, %c : f64
    %n = arith.addf %w, %d : f64
    neuro.set @w, %n
    %e = arith.addf %c, %y : f64
    neuro.set @c, %e
  }
}
neuro.network @n dt 1.0 batch 3 {
  %x = neuro.stimulus @x : tensor<2xf32>
  %y = neuro.stimulus @y : tensor<2xf32>
  %m = neuro.stimulus @m : tensor<1xf32>
  neuro.weight @W pre [2] post [2] connect #neuro.dense values dense<[[1.0, 2.0], [3.0, 4.0]]> : tensor<2x2xf64>
  %i = neuro.project %x through @W : tensor<2xf32> -> tensor<2xf32>
  neuro.probe @i %i : tensor<2xf32>
  neuro.plastic @p on @W rule @r pre %x post %y factors(%m) as ["m"] )mlir") +
                       (sum ? "batch_sum" : "") +
                       " : tensor<2xf32>, tensor<2xf32>, tensor<1xf32>\n}\n");
    Values x = {1, 2, -1, 0.5, 3, 0.25}, y = {1, -1, 2, 0, 0.5, 4},
           m = {1, 0.5, -2};
    ASSERT_TRUE(engine->setStimulus("x", x).isOk());
    ASSERT_TRUE(engine->setStimulus("y", y).isOk());
    ASSERT_TRUE(engine->setStimulus("m", m).isOk());
    Values w = {1, 2, 3, 4}, c(4, 1.0), current;
    for (int tick = 1; tick <= 2; ++tick) {
      ASSERT_TRUE(engine->step(1, nullptr).isOk());
      ASSERT_TRUE(engine->readProbe(0, current).isOk());
      for (size_t l = 0; l < lanes; ++l)
        for (size_t i = 0; i < posts; ++i)
          EXPECT_DOUBLE_EQ(current[l * posts + i],
                           w[i * pres] * x[l * pres] +
                               w[i * pres + 1] * x[l * pres + 1]);
      Values oldC = c;
      for (size_t i = 0; i < posts; ++i)
        for (size_t j = 0; j < pres; ++j) {
          double dw = 0, dc = 0;
          for (size_t l = 0; l < lanes; ++l) {
            dw += tick * x[l * pres + j] * y[l * posts + i] * m[l] *
                  oldC[i * pres + j];
            dc += y[l * posts + i];
          }
          w[i * pres + j] += sum ? dw : dw / lanes;
          c[i * pres + j] += sum ? dc : dc / lanes;
        }
      Values weights, states;
      ASSERT_TRUE(engine->readWeight("W", weights).isOk());
      ASSERT_TRUE(engine->readState("p", "c", states).isOk());
      for (size_t s = 0; s < 4; ++s) {
        EXPECT_NEAR(weights[s], w[s], 1e-12) << s;
        EXPECT_NEAR(states[s], c[s], 1e-12) << s;
      }
    }
    // States of synapses can be written, in the order of the weight.
    Values given = {5, 6, 7, 8}, back;
    ASSERT_TRUE(engine->writeState("p", "c", given).isOk());
    ASSERT_TRUE(engine->readState("p", "c", back).isOk());
    EXPECT_EQ(back, given);
    EXPECT_FALSE(engine->writeState("p", "c", Values(3)).isOk());
    EXPECT_FALSE(engine->readState("p", "d", back).isOk());
  }
}

// Lanes differ in what they draw and in values given for each; values given
// once are shared.
TEST_F(Reference, LanesHaveTheirOwnStatesAndDraws) {
  auto engine = load(R"mlir(
neuro.model @m {
  neuro.param @gain = 1.0
  neuro.state @v init 0.0
  neuro.state @number init 0.0
  neuro.output @y : f64
  neuro.stage @s {
    %v = neuro.get @v
    %gain = neuro.get @gain
    %r = neuro.random uniform
    %i = neuro.index
    neuro.set @number, %i
    %g = arith.mulf %v, %gain : f64
    %n = arith.addf %g, %r : f64
    neuro.emit @y, %n : f64
  }
}
neuro.network @n dt 1.0 seed 9 batch 2 {
  %y = neuro.population @P of @m shape [3] params {gain = dense<[1.0, 2.0, 3.0]> : tensor<3xf64>}
      init {v = dense<[10.0, 20.0, 30.0, 40.0, 50.0, 60.0]> : tensor<6xf64>} : () -> tensor<3xf32>
  neuro.probe @y %y : tensor<3xf32>
}
)mlir");
  ASSERT_TRUE(engine->step(1, nullptr).isOk());
  Values y, number;
  ASSERT_TRUE(engine->readProbe(0, y).isOk());
  ASSERT_TRUE(engine->readState("P", "number", number).isOk());
  EXPECT_EQ(number, (Values{0, 1, 2, 0, 1, 2}));
  uint64_t key = neuroc_rt_key(9, neuroc_rt_stream("P"));
  for (size_t i = 0; i < 6; ++i)
    EXPECT_DOUBLE_EQ(y[i], double(10 * (i + 1)) * double(i % 3 + 1) +
                               neuroc_rt_uniform(key, i, 0, 0));
  ASSERT_TRUE(engine->writeState("P", "v", Values{1, 2, 3}).isOk());
  Values v;
  ASSERT_TRUE(engine->readState("P", "v", v).isOk());
  EXPECT_EQ(v, (Values{1, 2, 3, 1, 2, 3}));
  EXPECT_FALSE(engine->writeState("P", "v", Values(4)).isOk());
}

// A convolution's kernel learns the sum over the positions: with the rule
// w + y x, the correlation of input and output.
TEST_F(Reference, ConvolutionLearns) {
  for (size_t lanes : {1, 2}) {
    auto engine = load(R"mlir(
neuro.rule @hebb {
  neuro.on tick {
    %w = neuro.get @w
    %x = neuro.get @pre
    %y = neuro.get @post
    %d = arith.mulf %x, %y : f64
    %n = arith.addf %w, %d : f64
    neuro.set @w, %n
  }
}
neuro.network @n dt 1.0 batch )mlir" +
                       std::to_string(lanes) +
                       R"mlir( {
  %x = neuro.stimulus @x : tensor<2x4x3xf32>
  %y = neuro.stimulus @y : tensor<3x4x2xf32>
  neuro.weight @K pre [2, 4, 3] post [3, 4, 2] connect #neuro.conv<kernel = [3, 2], strides = [1, 1], pads = [1, 0, 1, 0], dilations = [1, 1], groups = 1> values 0.5
  neuro.plastic @p on @K rule @hebb pre %x post %y : tensor<2x4x3xf32>, tensor<3x4x2xf32>
}
)mlir");
    Values x = randomValues(1, lanes * 24), y = randomValues(2, lanes * 24);
    ASSERT_TRUE(engine->setStimulus("x", x).isOk());
    ASSERT_TRUE(engine->setStimulus("y", y).isOk());
    ASSERT_TRUE(engine->step(1, nullptr).isOk());
    Values kernel;
    ASSERT_TRUE(engine->readWeight("K", kernel).isOk());
    ASSERT_EQ(kernel.size(), 36u);
    for (int m = 0; m < 3; ++m)
      for (int c = 0; c < 2; ++c)
        for (int r = 0; r < 3; ++r)
          for (int s = 0; s < 2; ++s) {
            double sum = 0;
            for (size_t l = 0; l < lanes; ++l)
              for (int i = 0; i < 4; ++i)
                for (int j = 0; j < 2; ++j)
                  if (i + r - 1 >= 0 && i + r - 1 < 4)
                    sum += x[((l * 2 + c) * 4 + i + r - 1) * 3 + j + s] *
                           y[((l * 3 + m) * 4 + i) * 2 + j];
            EXPECT_NEAR(kernel[((m * 2 + c) * 3 + r) * 2 + s],
                        0.5 + sum / double(lanes), 1e-12);
          }
  }
}

// Every synapse has an equation of its own, advanced in every tick.
TEST_F(Reference, SynapseStatesDecay) {
  auto engine = load(R"mlir(
neuro.rule @r {
  neuro.param @tau = 5.0
  neuro.state @e init 0.0
  neuro.on pre {
    %e = neuro.get @e
    %one = arith.constant 1.0 : f64
    %n = arith.addf %e, %one : f64
    neuro.set @e, %n
  }
  neuro.on tick {
    neuro.diff @e {
      %e = neuro.get @e
      %tau = neuro.get @tau
      %n = arith.negf %e : f64
      %d = arith.divf %n, %tau : f64
      neuro.yield %d
    }
    %w = neuro.get @w
    %e = neuro.get @e
    %n = arith.addf %w, %e : f64
    neuro.set @w, %n
  }
}
neuro.network @n dt 0.5 {
  %pre = neuro.spike_array @pre events(dense<[[0, 0], [2, 1]]> : tensor<2x2xi64>) : tensor<2xi1>
  %post = neuro.stimulus @post : tensor<1xf32>
  neuro.weight @W pre [2] post [1] connect #neuro.dense values 0.0
  neuro.plastic @p on @W rule @r pre %pre post %post : tensor<2xi1>, tensor<1xf32>
}
)mlir");
  ASSERT_TRUE(engine->step(6, nullptr).isOk());
  Values e, w;
  ASSERT_TRUE(engine->readState("p", "e", e).isOk());
  ASSERT_TRUE(engine->readWeight("W", w).isOk());
  double q = std::exp(-0.1); // of one tick
  EXPECT_NEAR(e[0], std::pow(q, 6), 1e-14);
  EXPECT_NEAR(e[1], std::pow(q, 4), 1e-14);
  EXPECT_NEAR(w[0], q * (1 - std::pow(q, 6)) / (1 - q), 1e-14);
  EXPECT_NEAR(w[1], q * (1 - std::pow(q, 4)) / (1 - q), 1e-14);
}
