// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Whole programs on the CPU against closed forms and published numbers: spike
// times, delays, random draws, clamps, divisors.

#include "Harness.h"

#include "neuroc/rt/Random.h"

#include <cmath>
#include <gtest/gtest.h>

using namespace neuroc::test;

namespace {

/// A leaky integrator with a refractory counter: membrane time constant 10 ms,
/// capacitance 0.25 nF, threshold 15 mV above rest, 2 ms refractory. `current`
/// in nA is constant; the update is the exact solution over a tick.
std::string leakyIntegrator(double current) {
  return R"(
    neuro.model @lif {
      neuro.state @v init -70.0
      neuro.state @left init 0.0
      neuro.output @spike : i1
      neuro.stage @update {
        %left = neuro.get @left
        %zero = arith.constant 0.0 : f64
        %half = arith.constant 0.5 : f64
        %held = arith.cmpf ogt, %left, %half : f64
        neuro.diff @v hold %held method exact {
          %v = neuro.get @v
          %rest = arith.constant -70.0 : f64
          %tau = arith.constant 10.0 : f64
          %c = arith.constant 0.25 : f64
          %i = arith.constant )" +
         std::to_string(current) + R"( : f64
          %d = arith.subf %rest, %v : f64
          %leak = arith.divf %d, %tau : f64
          %drive = arith.divf %i, %c : f64
          %sum = arith.addf %leak, %drive : f64
          neuro.yield %sum
        }
        %v = neuro.get @v
        %theta = arith.constant -55.0 : f64
        %reset = arith.constant -70.0 : f64
        %above = arith.cmpf oge, %v, %theta : f64
        %true = arith.constant true
        %free = arith.xori %held, %true : i1
        %fires = arith.andi %above, %free : i1
        neuro.emit @spike, %fires : i1
        %next = arith.select %fires, %reset, %v : f64
        neuro.set @v, %next
        %one = arith.constant 1.0 : f64
        %count = arith.constant 20.0 : f64
        %down = arith.subf %left, %one : f64
        %rest = arith.maximumf %down, %zero : f64
        %new = arith.select %fires, %count, %rest : f64
        neuro.set @left, %new
      }
    }
    neuro.network @n dt 0.1 {
      %s = neuro.population @P of @lif shape [3] : () -> tensor<3xi1>
      neuro.probe @spikes %s : tensor<3xi1>
      neuro.watch @v @P["v"]
    })";
}

// Source: the oracle table of exact integration on a 0.1 ms grid; a spike is
// stamped at the end of its step, tick n gives (n + 1) * 0.1 ms.
TEST(CpuDynamics, LeakyIntegratorSpikeTimes) {
  struct Case {
    double current;
    size_t count;
    std::vector<double> first;
  };
  const Case cases[] = {{0.376, 16, {59.3}},
                        {0.400, 33, {27.8, 57.6, 87.4}},
                        {0.500, 63, {13.9, 29.8, 45.7, 61.6}},
                        {0.800, 119, {6.4, 14.8, 23.2}},
                        {1.200, 172, {3.8, 9.6, 15.4}}};
  for (bool isDouble : {true, false})
    for (const Case &c : cases) {
      auto engine = makeCpu(leakyIntegrator(c.current), {isDouble});
      ASSERT_TRUE(engine);
      Recording recording;
      ASSERT_TRUE(engine->step(10000, &recording).isOk());
      for (uint32_t unit = 0; unit < 3; ++unit) {
        std::vector<uint64_t> ticks = recording.ticksOf(0, unit);
        EXPECT_EQ(ticks.size(), c.count) << c.current;
        for (size_t i = 0; i < c.first.size() && i < ticks.size(); ++i)
          EXPECT_NEAR(double(ticks[i] + 1) * 0.1, c.first[i], 1e-9)
              << c.current << (isDouble ? " f64" : " f32");
      }
    }
}

TEST(CpuDynamics, MembraneFollowsTheExponential) {
  auto engine = makeCpu(leakyIntegrator(0.3)); // below threshold
  Recording recording;
  ASSERT_TRUE(engine->step(500, &recording).isOk());
  EXPECT_TRUE(recording.events[0].empty());
  for (size_t n = 0; n < 500; ++n) {
    double t = 0.1 * double(n + 1);
    double exact = -70.0 + 12.0 * (1 - std::exp(-t / 10.0));
    EXPECT_NEAR(recording.rows[1][n][0], exact, 1e-10);
  }
}

// Source: the oracle table, regular spiking, forward Euler of both equations at
// once with 0.1 ms, spikes stamped at the end of their step.
TEST(CpuDynamics, QuadraticNeuronByForwardEuler) {
  auto text = [](double current) {
    return R"(
    neuro.model @quadratic {
      neuro.state @v init -65.0
      neuro.state @u init -13.0
      neuro.output @spike : i1
      neuro.stage @update {
        neuro.diff @v method euler {
          %v = neuro.get @v
          %u = neuro.get @u
          %a = arith.constant 0.04 : f64
          %b = arith.constant 5.0 : f64
          %c = arith.constant 140.0 : f64
          %i = arith.constant )" +
           std::to_string(current) + R"( : f64
          %vv = arith.mulf %v, %v : f64
          %x = arith.mulf %a, %vv : f64
          %y = arith.mulf %b, %v : f64
          %s = arith.addf %x, %y : f64
          %t = arith.addf %s, %c : f64
          %w = arith.subf %t, %u : f64
          %d = arith.addf %w, %i : f64
          neuro.yield %d
        }
        neuro.diff @u method euler {
          %v = neuro.get @v
          %u = neuro.get @u
          %a = arith.constant 0.02 : f64
          %b = arith.constant 0.2 : f64
          %x = arith.mulf %b, %v : f64
          %y = arith.subf %x, %u : f64
          %d = arith.mulf %a, %y : f64
          neuro.yield %d
        }
        %v = neuro.get @v
        %u = neuro.get @u
        %peak = arith.constant 30.0 : f64
        %c = arith.constant -65.0 : f64
        %d = arith.constant 8.0 : f64
        %fires = arith.cmpf oge, %v, %peak : f64
        neuro.emit @spike, %fires : i1
        %ud = arith.addf %u, %d : f64
        %vn = arith.select %fires, %c, %v : f64
        %un = arith.select %fires, %ud, %u : f64
        neuro.set @v, %vn
        neuro.set @u, %un
      }
    }
    neuro.network @n dt 0.1 {
      %s = neuro.population @P of @quadratic shape [1] : () -> tensor<1xi1>
      neuro.probe @spikes %s : tensor<1xi1>
    })";
  };
  auto run = [&](double current) {
    auto engine = makeCpu(text(current));
    Recording recording;
    EXPECT_TRUE(engine && engine->step(10000, &recording).isOk());
    return recording.ticksOf(0, 0);
  };
  std::vector<uint64_t> ticks = run(10);
  ASSERT_EQ(ticks.size(), 23u);
  const double first[] = {3.4, 27.1, 72.2, 117.3};
  for (int i = 0; i < 4; ++i)
    EXPECT_NEAR(double(ticks[i] + 1) * 0.1, first[i], 1e-9);
  EXPECT_NEAR(double(ticks.back() + 1) * 0.1, 974.2, 1e-9);
  EXPECT_EQ(run(4).size(), 8u);
  EXPECT_EQ(run(14).size(), 32u);
}

const char *relay = R"(
    neuro.model @relay {
      neuro.input @in
      neuro.state @seen init 0.0
      neuro.output @out : f64
      neuro.stage @update {
        %x = neuro.get @in
        neuro.set @seen, %x
        neuro.emit @out, %x : f64
      }
    })";

// A spike sent at tick n through delay d arrives at tick n + d, for uniform and
// for per-synapse delays, in every layout.
TEST(CpuDynamics, DelaysArriveOnTheirTick) {
  std::string text = std::string(relay) + R"(
    neuro.network @n dt 0.5 {
      %s = neuro.spike_array @source
        events(dense<[[0, 0], [3, 1], [4, 0], [4, 1], [9, 0]]> : tensor<5x2xi64>)
        : tensor<2xi1>
      neuro.weight @dense pre [2] post [2] connect #neuro.dense
        values dense<[[1.0, 10.0], [100.0, 1000.0]]> : tensor<2x2xf64>
      neuro.weight @list pre [2] post [2]
        connect #neuro.list<dense<[[0, 0], [0, 0], [1, 0], [1, 1]]> : tensor<4x2xi64>>
        values dense<[1.0, 10.0, 100.0, 1000.0]> : tensor<4xf64>
      %a = neuro.project %s through @dense delay 3 : tensor<2xi1> -> tensor<2xf32>
      %b = neuro.project %s through @list
        delays (dense<[0.5, 2.0, 1.0, 3.4]> : tensor<4xf64>)
        : tensor<2xi1> -> tensor<2xf32>
      %c = neuro.delay %s by 2 : tensor<2xi1>
      %d = neuro.project %c through @dense transposed delay 1
        : tensor<2xi1> -> tensor<2xf32>
      %ra = neuro.population @A of @relay shape [2] inputs(%a) ports ["in"]
        : (tensor<2xf32>) -> tensor<2xf32>
      neuro.probe @pa %a : tensor<2xf32>
      neuro.probe @pb %b : tensor<2xf32>
      neuro.probe @pd %d : tensor<2xf32>
      neuro.probe @pc %c : tensor<2xi1>
      neuro.probe @pra %ra : tensor<2xf32>
    })";
  auto engine = makeCpu(text);
  ASSERT_TRUE(engine);
  Recording recording;
  ASSERT_TRUE(engine->step(20, &recording).isOk());
  auto spike = [](int tick, int unit) -> double {
    return (unit == 0 && (tick == 0 || tick == 4 || tick == 9)) ||
           (unit == 1 && (tick == 3 || tick == 4));
  };
  for (int t = 0; t < 20; ++t) {
    EXPECT_EQ(recording.rows[0][t][0], spike(t - 3, 0) + 10 * spike(t - 3, 1));
    EXPECT_EQ(recording.rows[0][t][1],
              100 * spike(t - 3, 0) + 1000 * spike(t - 3, 1));
    // 0.5, 2.0, 1.0, 3.4 ms are 1, 4, 2, 7 ticks.
    EXPECT_EQ(recording.rows[1][t][0],
              spike(t - 1, 0) + 10 * spike(t - 4, 0) + 100 * spike(t - 2, 1))
        << t;
    EXPECT_EQ(recording.rows[1][t][1], 1000 * spike(t - 7, 1)) << t;
    EXPECT_EQ(recording.rows[2][t][0], spike(t - 3, 0) + 100 * spike(t - 3, 1));
    EXPECT_EQ(recording.rows[4][t][0], recording.rows[0][t][0]);
  }
  EXPECT_EQ(recording.ticksOf(3, 1), (std::vector<uint64_t>{5, 6}));
}

// Draws are those of Random.h, whatever the position of the unit in a vector.
TEST(CpuDynamics, RandomDrawsAreAddressed) {
  const char *text = R"(
    neuro.model @noise {
      neuro.output @u : f64
      neuro.output @g : f64
      neuro.stage @update {
        %u = neuro.random uniform
        %g = neuro.random normal
        neuro.emit @u, %u : f64
        neuro.emit @g, %g : f64
      }
    }
    neuro.network @n dt 1.0 seed 77 {
      %u, %g = neuro.population @N of @noise shape [37]
        : () -> (tensor<37xf32>, tensor<37xf32>)
      neuro.probe @pu %u : tensor<37xf32>
      neuro.probe @pg %g : tensor<37xf32>
    })";
  for (uint64_t seed : {uint64_t(0), uint64_t(1234567890123)}) {
    auto engine = makeCpu(text, {true, 2, seed});
    ASSERT_TRUE(engine);
    Recording recording;
    ASSERT_TRUE(engine->step(5, &recording).isOk());
    uint64_t key = neuroc_rt_key(seed ? seed : 77, neuroc_rt_stream("N"));
    for (uint32_t t = 0; t < 5; ++t)
      for (uint32_t unit = 0; unit < 37; ++unit) {
        EXPECT_EQ(recording.rows[0][t][unit],
                  neuroc_rt_uniform(key, unit, t, 0));
        EXPECT_EQ(recording.rows[1][t][unit],
                  neuroc_rt_normal(key, unit, t, 1));
      }
  }
}

// A draw decides as in f64 also where numbers are f32: u is compared before it
// is rounded.
TEST(CpuDynamics, BernoulliDoesNotDependOnPrecision) {
  const char *text = R"(
    neuro.model @coin {
      neuro.output @s : i1
      neuro.stage @update {
        %p = arith.constant 0.3 : f64
        %u = neuro.random uniform
        %s = arith.cmpf olt, %u, %p : f64
        neuro.emit @s, %s : i1
      }
    }
    neuro.network @n dt 1.0 {
      %s = neuro.population @C of @coin shape [501] : () -> tensor<501xi1>
      neuro.probe @p %s : tensor<501xi1>
    })";
  auto single = makeCpu(text, {false}), both = makeCpu(text, {true});
  Recording a, b;
  ASSERT_TRUE(single->step(50, &a).isOk());
  ASSERT_TRUE(both->step(50, &b).isOk());
  EXPECT_EQ(a.events[0], b.events[0]);
  EXPECT_NEAR(double(a.events[0].size()), 0.3 * 501 * 50, 300);
}

TEST(CpuDynamics, ClampHoldsUntilReleased) {
  std::string text = R"(
    neuro.model @counter {
      neuro.state @x init 1.0
      neuro.output @o : f64
      neuro.stage @update {
        %x = neuro.get @x
        %one = arith.constant 1.0 : f64
        %y = arith.addf %x, %one : f64
        neuro.set @x, %y
        neuro.emit @o, %y : f64
      }
    }
    neuro.network @n dt 1.0 {
      %o = neuro.population @P of @counter shape [2] : () -> tensor<2xf32>
      neuro.watch @w @P["x"]
    })";
  auto engine = makeCpu(text);
  std::vector<double> values;
  ASSERT_TRUE(engine->step(2, nullptr).isOk());
  ASSERT_TRUE(
      engine->clampState("P", "x", std::vector<double>{10, std::nan("")})
          .isOk());
  ASSERT_TRUE(engine->readState("P", "x", values).isOk());
  EXPECT_EQ(values, (std::vector<double>{10, 3}));
  ASSERT_TRUE(engine->step(3, nullptr).isOk());
  ASSERT_TRUE(engine->readState("P", "x", values).isOk());
  EXPECT_EQ(values, (std::vector<double>{10, 6}));
  ASSERT_TRUE(engine->clampState("P", "x", {}).isOk());
  ASSERT_TRUE(engine->step(1, nullptr).isOk());
  ASSERT_TRUE(engine->readState("P", "x", values).isOk());
  EXPECT_EQ(values, (std::vector<double>{11, 7}));
  ASSERT_TRUE(engine->reset().isOk());
  EXPECT_EQ(engine->tick(), 0u);
  ASSERT_TRUE(engine->readState("P", "x", values).isOk());
  EXPECT_EQ(values, (std::vector<double>{1, 1}));
}

TEST(CpuDynamics, UnknownNamesAreErrors) {
  auto engine = makeCpu(leakyIntegrator(0.3));
  std::vector<double> values;
  EXPECT_NE(engine->readState("Q", "v", values)
                .message()
                .find("there is no population 'Q'"),
            std::string::npos);
  EXPECT_NE(engine->readState("P", "w", values)
                .message()
                .find("there is no state 'P.w'"),
            std::string::npos);
  EXPECT_NE(engine->writeState("P", "v", std::vector<double>{1})
                .message()
                .find("needs 3 values, got 1"),
            std::string::npos);
  EXPECT_FALSE(engine->readWeight("W", values).isOk());
  EXPECT_FALSE(engine->setPlasticEnabled("L", true).isOk());
  EXPECT_FALSE(engine->callRule("L").isOk());
  EXPECT_FALSE(engine->setStimulus("I", values).isOk());
  EXPECT_FALSE(engine->readProbe(99, values).isOk());
}

} // namespace
