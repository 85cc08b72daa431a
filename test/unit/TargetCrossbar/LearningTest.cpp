// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Learning next to the arrays, against the reference interpreter: events on
// either side, traces, synapse states, factors, calls, masks, host writes.
#include "Harness.h"

#include <gtest/gtest.h>

using namespace neuroc;
using namespace neuroc::test;

namespace {

const std::string kModels = R"(
    neuro.model @noise {
      neuro.param @p = 0.2
      neuro.output @s : i1
      neuro.output @x : f64
      neuro.stage @update {
        %u = neuro.random uniform
        %p = neuro.get @p
        %s = arith.cmpf olt, %u, %p : f64
        neuro.emit @s, %s : i1
        %half = arith.constant 0.5 : f64
        %x = arith.subf %u, %half : f64
        neuro.emit @x, %x : f64
      }
    }
    neuro.model @show {
      neuro.input @in
      neuro.output @y : f64
      neuro.stage @update {
        %in = neuro.get @in
        neuro.emit @y, %in : f64
      }
    }
)";

/// 24 noisy units drive 10 through @W; both sides spike by themselves.
std::string learning(const std::string &rule, const std::string &weight,
                     const std::string &plastic) {
  return kModels + "    neuro.rule @r {\n" + rule + "    }\n" + R"(
    neuro.network @n dt 1.0 seed 9 {
      %s, %x = neuro.population @A of @noise shape [24]
        : () -> (tensor<24xi1>, tensor<24xf32>)
      %t, %z = neuro.population @B of @noise shape [10] params {p = 0.1 : f64}
        : () -> (tensor<10xi1>, tensor<10xf32>)
      neuro.weight @W pre [24] post [10] connect )" +
         weight + R"(
      %i = neuro.project %x through @W delay 1 : tensor<24xf32> -> tensor<10xf32>
      %y = neuro.population @P of @show shape [10] inputs(%i) ports ["in"]
        : (tensor<10xf32>) -> tensor<10xf32>
      neuro.probe @py %y : tensor<10xf32>
      neuro.plastic @l on @W rule @r )" +
         plastic + "\n    }\n";
}

const std::string kPairRule = R"(
      neuro.trace @a on pre {
        %t = neuro.get @a
        %d = arith.constant 0.9 : f64
        %n = arith.mulf %t, %d : f64
        neuro.set @a, %n
      } spike {
        %t = neuro.get @a
        %one = arith.constant 1.0 : f64
        %n = arith.addf %t, %one : f64
        neuro.set @a, %n
      }
      neuro.trace @b on post {
        %t = neuro.get @b
        %d = arith.constant 0.8 : f64
        %n = arith.mulf %t, %d : f64
        neuro.set @b, %n
      } spike {
        %t = neuro.get @b
        %one = arith.constant 1.0 : f64
        %n = arith.addf %t, %one : f64
        neuro.set @b, %n
      }
      neuro.on pre {
        %w = neuro.get @w
        %b = neuro.get @b
        %c = arith.constant 0.03 : f64
        %d = arith.mulf %b, %c : f64
        %n = arith.subf %w, %d : f64
        neuro.set @w, %n
      }
      neuro.on post {
        %w = neuro.get @w
        %a = neuro.get @a
        %c = arith.constant 0.05 : f64
        %d = arith.mulf %a, %c : f64
        %n = arith.addf %w, %d : f64
        neuro.set @w, %n
      }
)";
const std::string kBySpikes =
    "pre %s post %t delay 1 : tensor<24xi1>, tensor<10xi1>";
const std::string kDense =
    "#neuro.dense values #neuro.dist<uniform(0.2, 0.8)> bounds [0.0, 1.0]";

TEST(Learning, PairRuleOnBothSides) {
  for (const char *machine : {"", kSmall})
    expectNearReference(learning(kPairRule, kDense, kBySpikes), 60, 0.02,
                        precise(machine), {"W"});
}

TEST(Learning, SparseWeightsKeepTheirHoles) {
  for (const char *machine : {"", kSmall})
    expectNearReference(
        learning(kPairRule,
                 "#neuro.fixed_probability<0.4, self = true> values 0.5 : f64 "
                 "bounds [0.0, 1.0]",
                 kBySpikes),
        40, 0.02, precise(machine), {"W"});
}

TEST(Learning, RateRuleOnEveryTick) {
  // Hebbian growth with decay: weights leave their first scale both ways.
  std::string rule = R"(
      neuro.on tick {
        %w = neuro.get @w
        %x = neuro.get @pre
        %z = neuro.get @post
        %decay = arith.constant 0.95 : f64
        %gain = arith.constant 0.4 : f64
        %h = arith.mulf %x, %z : f64
        %g = arith.mulf %h, %gain : f64
        %k = arith.mulf %w, %decay : f64
        %n = arith.addf %k, %g : f64
        neuro.set @w, %n
      }
)";
  std::string dense = "#neuro.dense values 0.01 : f64 bounds [-4.0, 4.0]";
  for (const char *machine : {"", kSmall})
    expectNearReference(
        learning(rule, dense,
                 "pre %x post %z : tensor<24xf32>, tensor<10xf32>"),
        50, 0.01, precise(machine), {"W"});
}

TEST(Learning, SynapseStatesFactorsAndCalls) {
  std::string rule = R"(
      neuro.state @e init 0.0 range [-8.0, 8.0]
      neuro.factor @m on post
      neuro.on pre {
        %e = neuro.get @e
        %m = neuro.get @m
        %n = arith.addf %e, %m : f64
        neuro.set @e, %n
      }
      neuro.on call {
        %w = neuro.get @w
        %e = neuro.get @e
        %c = arith.constant 0.1 : f64
        %d = arith.mulf %e, %c : f64
        %n = arith.addf %w, %d : f64
        neuro.set @w, %n
      }
)";
  std::string text =
      learning(rule, kDense,
               "pre %s post %t factors(%z) as [\"m\"] : tensor<24xi1>, "
               "tensor<10xi1>, tensor<10xf32>");
  for (const char *machine : {"", kSmall}) {
    auto engine = makeEngine(text, precise(machine));
    auto reference = makeReference(text);
    ASSERT_TRUE(engine && reference);
    for (int round = 0; round < 3; ++round) {
      ASSERT_TRUE(engine->step(7, nullptr).isOk());
      ASSERT_TRUE(reference->step(7, nullptr).isOk());
      neuroc::rt::Status status = engine->callRule("l");
      ASSERT_TRUE(status.isOk()) << status.message();
      ASSERT_TRUE(reference->callRule("l").isOk());
      std::vector<double> a, b;
      ASSERT_TRUE(engine->readWeight("W", a).isOk());
      ASSERT_TRUE(reference->readWeight("W", b).isOk());
      ASSERT_EQ(a.size(), b.size());
      for (size_t i = 0; i < a.size(); ++i)
        ASSERT_NEAR(a[i], b[i], 1e-4) << round << " " << i;
    }
  }
}

TEST(Learning, SwitchedOffWeightsStay) {
  auto engine = makeEngine(learning(kPairRule, kDense, kBySpikes), precise());
  ASSERT_TRUE(engine);
  std::vector<double> before, after;
  ASSERT_TRUE(engine->setPlasticEnabled("l", false).isOk());
  ASSERT_TRUE(engine->readWeight("W", before).isOk());
  ASSERT_TRUE(engine->step(20, nullptr).isOk());
  ASSERT_TRUE(engine->readWeight("W", after).isOk());
  EXPECT_EQ(before, after);
  ASSERT_TRUE(engine->setPlasticEnabled("l", true).isOk());
  ASSERT_TRUE(engine->step(20, nullptr).isOk());
  ASSERT_TRUE(engine->readWeight("W", after).isOk());
  EXPECT_NE(before, after);
}

TEST(Learning, HostWritesReachTheArrays) {
  std::string text = learning(kPairRule, kDense, kBySpikes);
  auto engine = makeEngine(text, precise());
  auto reference = makeReference(text);
  ASSERT_TRUE(engine && reference);
  std::vector<double> weights(240);
  for (size_t i = 0; i < weights.size(); ++i)
    weights[i] = double(i % 7) / 8.0;
  for (auto *e : {engine.get(), reference.get()}) {
    ASSERT_TRUE(e->setPlasticEnabled("l", false).isOk());
    ASSERT_TRUE(e->step(3, nullptr).isOk());
    ASSERT_TRUE(e->writeWeight("W", weights).isOk());
    ASSERT_TRUE(e->step(2, nullptr).isOk());
  }
  std::vector<double> a, b;
  ASSERT_TRUE(engine->readProbe(0, a).isOk());
  ASSERT_TRUE(reference->readProbe(0, b).isOk());
  for (size_t i = 0; i < a.size(); ++i)
    EXPECT_NEAR(a[i], b[i], 0.01);
}

TEST(Learning, RepeatedPairsAreRefused) {
  Compiled compiled = compile(
      learning(kPairRule,
               "#neuro.fixed_indegree<40, self = true, multapses = true> "
               "values 0.5 : f64 bounds [0.0, 1.0]",
               kBySpikes));
  EXPECT_NE(compiled.result, CompileResult::Success);
  EXPECT_NE(compiled.diagnostics.find("two synapses join the same pair"),
            std::string::npos)
      << compiled.diagnostics;
}

} // namespace
