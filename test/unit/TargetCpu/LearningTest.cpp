// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Learning on the CPU, alone and in batches, against the reference interpreter
// and against published values.

#include "Harness.h"
#include "Networks.h"

#include <algorithm>
#include <cmath>
#include <gtest/gtest.h>

using namespace neuroc::test;

namespace {

/// Pair STDP without delay, additive: A+ 0.01, A- 0.012, both time constants
/// 20 ms. `nearest`: traces are set to 1 by a spike, not increased.
std::string stdp(bool nearest, const std::string &connect) {
  std::string bump = nearest ? R"(
          %one = arith.constant 1.0 : f64
          neuro.set @NAME, %one)"
                             : R"(
          %one = arith.constant 1.0 : f64
          %old = neuro.get @NAME
          %new = arith.addf %old, %one : f64
          neuro.set @NAME, %new)";
  auto trace = [&](const std::string &name, const std::string &side) {
    std::string text = bump;
    for (size_t at; (at = text.find("NAME")) != std::string::npos;)
      text.replace(at, 4, name);
    return "      neuro.trace @" + name + " on " + side +
           " attributes {} {\n"
           "        neuro.diff @" +
           name +
           " {\n"
           "          %k = neuro.get @" +
           name +
           "\n"
           "          %tau = arith.constant -20.0 : f64\n"
           "          %d = arith.divf %k, %tau : f64\n"
           "          neuro.yield %d\n        }\n      } spike {" +
           text + "\n      }\n";
  };
  return "    neuro.rule @pair {\n" + trace("plus", "pre") +
         trace("minus", "post") + R"(
      neuro.on pre {
        %w = neuro.get @w
        %k = neuro.get @minus
        %a = arith.constant 0.012 : f64
        %d = arith.mulf %a, %k : f64
        %n = arith.subf %w, %d : f64
        neuro.set @w, %n
      }
      neuro.on post {
        %w = neuro.get @w
        %k = neuro.get @plus
        %a = arith.constant 0.01 : f64
        %d = arith.mulf %a, %k : f64
        %n = arith.addf %w, %d : f64
        neuro.set @w, %n
      }
    }
    neuro.network @n dt 1.0 {
      %pre = neuro.spike_array @pre events(dense<[[10, 0], [20, 0], [30, 0],
        [40, 0], [50, 0], [60, 0], [75, 0], [90, 0]]> : tensor<8x2xi64>) : tensor<1xi1>
      %post = neuro.spike_array @post events(dense<[[15, 0], [25, 0], [29, 0],
        [41, 0], [55, 0], [66, 0], [72, 0], [88, 0]]> : tensor<8x2xi64>) : tensor<1xi1>
      neuro.weight @W pre [1] post [1] connect )" +
         connect + R"( values 0.5
        bounds [0.0, 1.0]
      neuro.plastic @learn on @W rule @pair pre %pre post %post
        : tensor<1xi1>, tensor<1xi1>
      neuro.probe @p %post : tensor<1xi1>
    })";
}

// Source: the oracle table's rows "pair, no delay": the weight after each pre
// spike, from the definition of the rule, by an independent program.
TEST(CpuLearning, PairStdpOracle) {
  const int64_t pre[8] = {10, 20, 30, 40, 50, 60, 75, 90};
  const double all[8] = {.5,         .498442398, .494769002, .478739148,
                         .482268662, .48055356,  .484325252, .471713093};
  const double nearest[8] = {.5,         .498442398, .501191935, .494268537,
                             .496129293, .494571692, .497139495, .491501903};
  for (const char *connect : {"#neuro.dense", "#neuro.one_to_one",
                              "#neuro.list<dense<[[0, 0]]> : tensor<1x2xi64>>"})
    for (bool isNearest : {false, true}) {
      auto engine = makeCpu(stdp(isNearest, connect));
      ASSERT_TRUE(engine);
      for (int i = 0; i < 8; ++i) {
        // The weight that spike i leaves behind, after its own depression.
        ASSERT_TRUE(engine->step(uint64_t(pre[i] + 1) - engine->tick(), nullptr)
                        .isOk());
        std::vector<double> w;
        ASSERT_TRUE(engine->readWeight("W", w).isOk());
        EXPECT_NEAR(w[0], (isNearest ? nearest : all)[i], 1e-9)
            << connect << " spike " << i;
      }
    }
}

TEST(CpuLearning, DisabledKeepsWeightsAndTraces) {
  auto engine = makeCpu(stdp(false, "#neuro.dense"));
  auto reference = makeReference(stdp(false, "#neuro.dense"));
  for (auto *e : {engine.get(), reference.get()}) {
    ASSERT_TRUE(e->setPlasticEnabled("learn", false).isOk());
    ASSERT_TRUE(e->step(42, nullptr).isOk());
    std::vector<double> w;
    ASSERT_TRUE(e->readWeight("W", w).isOk());
    EXPECT_EQ(w[0], 0.5);
    ASSERT_TRUE(e->setPlasticEnabled("learn", true).isOk());
    ASSERT_TRUE(e->step(60, nullptr).isOk());
  }
  std::vector<double> a, b;
  ASSERT_TRUE(engine->readWeight("W", a).isOk());
  ASSERT_TRUE(reference->readWeight("W", b).isOk());
  EXPECT_NEAR(a[0], b[0], 1e-13);
  EXPECT_NE(a[0], 0.5);
}

// Values that the host writes outside of the bounds are brought back by the
// next tick of an enabled rule, whether or not a spike touches them.
TEST(CpuLearning, WrittenWeightsAreConfined) {
  for (const char *connect :
       {"#neuro.dense", "#neuro.list<dense<[[0, 0]]> : tensor<1x2xi64>>"})
    for (bool isReference : {false, true}) {
      auto engine = isReference ? makeReference(stdp(false, connect))
                                : makeCpu(stdp(false, connect));
      ASSERT_TRUE(engine);
      std::vector<double> w;
      ASSERT_TRUE(engine->step(1, nullptr).isOk());
      ASSERT_TRUE(engine->setPlasticEnabled("learn", false).isOk());
      ASSERT_TRUE(engine->writeWeight("W", std::vector<double>{7}).isOk());
      ASSERT_TRUE(engine->step(1, nullptr).isOk());
      ASSERT_TRUE(engine->readWeight("W", w).isOk());
      EXPECT_EQ(w[0], 7.0);
      ASSERT_TRUE(engine->setPlasticEnabled("learn", true).isOk());
      ASSERT_TRUE(engine->step(1, nullptr).isOk());
      ASSERT_TRUE(engine->readWeight("W", w).isOk());
      EXPECT_EQ(w[0], 1.0);
    }
}

/// All handlers, synapse states, a factor, bounds and sign, for each layout.
class CpuPlasticLayouts : public testing::TestWithParam<Layout> {};

const Layout plasticLayouts[] = {
    layouts[0],
    layouts[2],
    layouts[3],
    layouts[4],
    layouts[5],
    layouts[6],
    {"masked",
     "pre [12] post [3] connect #neuro.dense values 0.75 mask "
     "dense<[[true, false, true, true, false, true, true, true, "
     "false, true, true, false], [false, true, true, true, false, "
     "true, false, false, true, true, false, true], [true, true, "
     "true, true, true, true, true, true, true, true, true, "
     "false]]> : tensor<3x12xi1>",
     3}};

TEST_P(CpuPlasticLayouts, RulesMatchReference) {
  const Layout &layout = GetParam();
  std::string post = std::to_string(layout.post);
  std::string weight = layout.weight;
  weight.insert(std::min(weight.find(" mask"), weight.size()),
                " sign excitatory bounds [0.0, 1.5]");
  for (int variant : {0, 1, 2}) { // alone; mean and sum of three lanes
    std::string text = R"(
    neuro.rule @rule {
      neuro.param @rate = 0.02
      neuro.state @tag init 0.0
      neuro.factor @reward on scalar
      neuro.factor @gate on post
      neuro.trace @fast on pre attributes {} {
        neuro.diff @fast {
          %k = neuro.get @fast
          %n = arith.negf %k : f64
          neuro.yield %n
        }
      } spike {
        %one = arith.constant 1.0 : f64
        %i = neuro.index
        %scale = arith.constant 0.1 : f64
        %si = arith.mulf %i, %scale : f64
        %bump = arith.addf %one, %si : f64
        %old = neuro.get @fast
        %new = arith.addf %old, %bump : f64
        neuro.set @fast, %new
      }
      neuro.on pre {
        %w = neuro.get @w
        %g = neuro.get @gate
        %rate = neuro.get @rate
        %d = arith.mulf %rate, %g : f64
        %n = arith.subf %w, %d : f64
        neuro.set @w, %n
      }
      neuro.on post {
        %t = neuro.get @tag
        %k = neuro.get @fast
        %n = arith.addf %t, %k : f64
        neuro.set @tag, %n
        %w = neuro.get @w
        %pre = neuro.get @pre
        %e = arith.addf %w, %pre : f64
        neuro.set @w, %e
      }
      neuro.on tick {
        %w = neuro.get @w
        %t = neuro.get @tag
        %r = neuro.get @reward
        %rate = neuro.get @rate
        %post = neuro.get @post
        %u = neuro.random uniform
        %now = neuro.time
        %wave = math.sin %now : f64
        %a = arith.mulf %t, %r : f64
        %b = arith.mulf %a, %rate : f64
        %c = arith.mulf %b, %u : f64
        %cw = arith.mulf %c, %wave : f64
        %n = arith.addf %w, %cw : f64
        neuro.set @w, %n
        %half = arith.constant 0.9 : f64
        %s = arith.mulf %t, %half : f64
        neuro.set @tag, %s
      }
      neuro.on call {
        %w = neuro.get @w
        %half = arith.constant 0.5 : f64
        %pre = neuro.get @pre
        %a = arith.addf %half, %pre : f64
        %n = arith.mulf %w, %a : f64
        neuro.set @w, %n
      }
    }
)" + network(R"(
      %y, %ps = neuro.population @Post of @source shape [)" +
                 post + R"(]
        : () -> (tensor<)" +
                 post + R"(xf32>, tensor<)" + post + R"(xi1>)
      %one, %os = neuro.population @Reward of @source shape [1]
        : () -> (tensor<1xf32>, tensor<1xi1>)
      neuro.weight @W )" +
                 weight + R"(
      neuro.plastic @learn on @W rule @rule pre %s post %ps
        factors(%one, %y) as ["reward", "gate"] delay 2
        params {rate = 0.05 : f64} )" +
                 (variant == 2 ? "batch_sum" : "") + R"(
        : tensor<12xi1>, tensor<)" +
                 post + R"(xi1>, tensor<1xf32>, tensor<)" + post + R"(xf32>
      %q = neuro.project %s through @W delay 1
        : tensor<12xi1> -> tensor<)" +
                 post + R"(xf32>
      neuro.probe @q %q : tensor<)" +
                 post + R"(xf32>
)",
             variant ? 3 : 1);
    auto cpu = makeCpu(text);
    auto reference = makeReference(text);
    ASSERT_TRUE(cpu && reference);
    for (uint64_t ticks : {1, 17, 60}) {
      ASSERT_TRUE(cpu->step(ticks, nullptr).isOk());
      ASSERT_TRUE(reference->step(ticks, nullptr).isOk());
      ASSERT_TRUE(cpu->callRule("learn").isOk());
      ASSERT_TRUE(reference->callRule("learn").isOk());
      std::vector<double> a, b;
      ASSERT_TRUE(cpu->readWeight("W", a).isOk());
      ASSERT_TRUE(reference->readWeight("W", b).isOk());
      ASSERT_EQ(a.size(), b.size());
      for (size_t i = 0; i < a.size(); ++i)
        EXPECT_NEAR(a[i], b[i], 1e-12) << "synapse " << i << ", " << variant;
      ASSERT_TRUE(cpu->readState("learn", "tag", a).isOk());
      ASSERT_TRUE(reference->readState("learn", "tag", b).isOk());
      ASSERT_EQ(a.size(), b.size());
      for (size_t i = 0; i < a.size(); ++i)
        EXPECT_NEAR(a[i], b[i], 1e-12) << "tag " << i << ", " << variant;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(All, CpuPlasticLayouts,
                         testing::ValuesIn(plasticLayouts),
                         [](const auto &info) {
                           return std::string(info.param.name);
                         });

// Writing a weight and reading it back: same layout as the reference's.
TEST(CpuLearning, WeightsReadAndWriteInTheirLayout) {
  std::string text = network(R"(
      neuro.weight @W pre [12] post [2] connect #neuro.dense values 1.0
      neuro.weight @A pre [12] post [12] connect #neuro.all_to_all<self = false>
        values 2.0
      %q = neuro.project %x through @W : tensor<12xf32> -> tensor<2xf32>
      neuro.probe @q %q : tensor<2xf32>
)");
  auto cpu = makeCpu(text), reference = makeReference(text);
  ASSERT_TRUE(cpu && reference);
  std::vector<double> w(24), a(144, 3.0);
  for (size_t i = 0; i < w.size(); ++i)
    w[i] = double(i);
  Recording r[2];
  int k = 0;
  for (auto *e : {cpu.get(), reference.get()}) {
    ASSERT_TRUE(e->writeWeight("W", w).isOk());
    ASSERT_TRUE(e->writeWeight("A", a).isOk());
    ASSERT_TRUE(e->step(3, &r[k++]).isOk());
    std::vector<double> back;
    ASSERT_TRUE(e->readWeight("W", back).isOk());
    EXPECT_EQ(back, w);
    ASSERT_TRUE(e->readWeight("A", back).isOk());
    EXPECT_EQ(back[0], 0.0) << "no self-connection";
    EXPECT_EQ(back[1], 3.0);
    EXPECT_FALSE(e->writeWeight("W", a).isOk());
  }
  for (int t = 0; t < 3; ++t)
    for (int i = 0; i < 2; ++i)
      EXPECT_NEAR(r[0].rows[2][t][i], r[1].rows[2][t][i], 1e-11);
}

} // namespace
