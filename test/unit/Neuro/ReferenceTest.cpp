// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The reference interpreter against closed forms and published numbers: spike
// times of NEST's iaf_psc_exp, the plastic weights of its STDP synapse's order
// of events, Oja's fixed point, settling of a predictive-coding layer.
#include "ReferenceFixture.h"

#include <cmath>

using namespace mlir;
using namespace neuroc;

namespace {

/// NEST's order in a step: V, then currents, then threshold; refractory
/// counter in ticks. `ie` in pA.
std::string iafPscExp(double ie) {
  return R"mlir(
neuro.model @iaf {
  neuro.state @v init -70.0
  neuro.state @refractory init 0.0
  neuro.output @spike : i1
  neuro.stage @update {
    %zero = arith.constant 0.0 : f64
    %r = neuro.get @refractory
    %hold = arith.cmpf ogt, %r, %zero : f64
    neuro.diff @v hold %hold {
      %v = neuro.get @v
      %el = arith.constant -70.0 : f64
      %tau = arith.constant 10.0 : f64
      %c = arith.constant 250.0 : f64
      %ie = arith.constant )mlir" +
         std::to_string(ie) + R"mlir( : f64
      %x = arith.subf %el, %v : f64
      %l = arith.divf %x, %tau : f64
      %i = arith.divf %ie, %c : f64
      %d = arith.addf %l, %i : f64
      neuro.yield %d
    }
    %v = neuro.get @v
    %theta = arith.constant -55.0 : f64
    %fires = arith.cmpf oge, %v, %theta : f64
    neuro.emit @spike, %fires : i1
    %reset = arith.constant -70.0 : f64
    %next = arith.select %fires, %reset, %v : f64
    neuro.set @v, %next
    %one = arith.constant 1.0 : f64
    %down = arith.subf %r, %one : f64
    %count = arith.maximumf %down, %zero : f64
    %full = arith.constant 20.0 : f64
    %rn = arith.select %fires, %full, %count : f64
    neuro.set @refractory, %rn
  }
}
neuro.network @n dt 0.1 {
  %s = neuro.population @E of @iaf shape [1] : () -> tensor<1xi1>
  neuro.probe @spikes %s : tensor<1xi1>
}
)mlir";
}

} // namespace

// Counts and first times of NEST's iaf_psc_exp with default parameters, 1 s.
// NEST stamps a spike with the end of its step: tick n is (n + 1) dt.
TEST_F(Reference, IafSpikeTimes) {
  struct Case {
    double current;
    size_t count;
    std::vector<double> first;
  };
  for (const Case &c : {Case{376, 16, {59.3}}, Case{400, 33, {27.8, 57.6, 87.4}},
                        Case{500, 63, {13.9, 29.8, 45.7, 61.6}},
                        Case{800, 119, {6.4, 14.8, 23.2}},
                        Case{1200, 172, {3.8, 9.6, 15.4}}}) {
    auto engine = load(iafPscExp(c.current));
    ASSERT_TRUE(engine);
    Recording recording;
    ASSERT_TRUE(engine->step(10000, &recording).isOk());
    EXPECT_EQ(recording.spikeList.size(), c.count) << c.current << " pA";
    for (size_t i = 0; i < c.first.size(); ++i)
      EXPECT_NEAR((recording.spikeList.at(i).first + 1) * 0.1, c.first[i], 1e-9);
    rt::Stats stats;
    ASSERT_TRUE(engine->stats(stats).isOk());
    EXPECT_EQ(stats["spikes"], double(c.count));
  }
}

// Exact propagation: after one input the response equals the closed form of
// two exponentials.
TEST_F(Reference, ExactResponse) {
  auto engine = load(R"mlir(
neuro.model @psc {
  neuro.state @v init 0.0
  neuro.state @i init 87.8085
  neuro.stage @update {
    neuro.diff @v {
      %v = neuro.get @v
      %i = neuro.get @i
      %tau = arith.constant -10.0 : f64
      %c = arith.constant 250.0 : f64
      %l = arith.divf %v, %tau : f64
      %x = arith.divf %i, %c : f64
      %d = arith.addf %l, %x : f64
      neuro.yield %d
    }
    neuro.diff @i {
      %i = neuro.get @i
      %tau = arith.constant -0.5 : f64
      %d = arith.divf %i, %tau : f64
      neuro.yield %d
    }
  }
}
neuro.network @n dt 0.1 {
  neuro.population @E of @psc shape [1] : () -> ()
  neuro.watch @v @E["v"]
}
)mlir");
  Recording recording;
  ASSERT_TRUE(engine->step(100, &recording).isOk());
  // The microcircuit's PSP, mV after 0.1, 0.5, 1, 2, 5, 10 ms.
  std::pair<int, double> expected[] = {{1, .031670045},  {5, .107838078},
                                       {10, .142250165}, {20, .147964738},
                                       {50, .112114865}, {100, .068006193}};
  for (auto [tick, value] : expected)
    EXPECT_NEAR(recording.rows.at(tick - 1).at(0), value, 2e-9) << tick;
}

// Pair STDP, all-to-all, no delay, A+ 0.01, A- 0.012, tau 20 ms, w0 0.5: weight
// after each pre spike (benchmark sequence, ms).
TEST_F(Reference, PairStdp) {
  std::string events;
  for (int t : {10, 20, 30, 40, 50, 60, 75, 90})
    events += (events.empty() ? "[" : ", [") + std::to_string(t) + ", 0]";
  std::string posts;
  for (int t : {15, 25, 29, 41, 55, 66, 72, 88})
    posts += (posts.empty() ? "[" : ", [") + std::to_string(t) + ", 0]";
  auto engine = load(R"mlir(
neuro.rule @stdp {
  neuro.trace @x on pre {
    neuro.diff @x {
      %x = neuro.get @x
      %tau = arith.constant -20.0 : f64
      %d = arith.divf %x, %tau : f64
      neuro.yield %d
    }
  } spike {
    %x = neuro.get @x
    %one = arith.constant 1.0 : f64
    %n = arith.addf %x, %one : f64
    neuro.set @x, %n
  }
  neuro.trace @y on post {
    neuro.diff @y {
      %y = neuro.get @y
      %tau = arith.constant -20.0 : f64
      %d = arith.divf %y, %tau : f64
      neuro.yield %d
    }
  } spike {
    %y = neuro.get @y
    %one = arith.constant 1.0 : f64
    %n = arith.addf %y, %one : f64
    neuro.set @y, %n
  }
  neuro.on pre {
    %w = neuro.get @w
    %y = neuro.get @y
    %a = arith.constant -0.012 : f64
    %d = arith.mulf %a, %y : f64
    %n = arith.addf %w, %d : f64
    neuro.set @w, %n
  }
  neuro.on post {
    %w = neuro.get @w
    %x = neuro.get @x
    %a = arith.constant 0.01 : f64
    %d = arith.mulf %a, %x : f64
    %n = arith.addf %w, %d : f64
    neuro.set @w, %n
  }
}
neuro.network @n dt 1.0 {
  %pre = neuro.spike_array @pre events(dense<[)mlir" +
                     events + R"mlir(]> : tensor<8x2xi64>) : tensor<1xi1>
  %post = neuro.spike_array @post events(dense<[)mlir" +
                     posts + R"mlir(]> : tensor<8x2xi64>) : tensor<1xi1>
  neuro.weight @W pre [1] post [1] connect #neuro.one_to_one values 0.5
  neuro.plastic @p on @W rule @stdp pre %pre post %post : tensor<1xi1>, tensor<1xi1>
}
)mlir");
  std::pair<int, double> expected[] = {
      {10, .5},         {20, .498442398}, {30, .494769002}, {40, .478739148},
      {50, .482268662}, {60, .48055356},  {75, .484325252}, {90, .471713093}};
  for (auto [time, value] : expected) {
    ASSERT_TRUE(engine->step(time + 1 - engine->tick(), nullptr).isOk());
    std::vector<double> weight;
    ASSERT_TRUE(engine->readWeight("W", weight).isOk());
    EXPECT_NEAR(weight.at(0), value, 1e-8) << "after " << time << " ms";
  }
}

// A predictive-coding layer with learning off settles to the ridge solution.
TEST_F(Reference, PredictiveCodingSettles) {
  auto engine = load(R"mlir(
neuro.network @n dt 1.0 {
  %x = neuro.stimulus @x init(dense<[1.0, -0.5, 0.25]> : tensor<3xf32>) : tensor<3xf32>
  neuro.weight @W pre [2] post [3] connect #neuro.dense values dense<[[1.0, 0.5], [-0.5, 1.0], [0.25, 0.75]]> : tensor<3x2xf64>
  %z, %e = neuro.pc_layer @L predicts %x through @W rate 0.1 precision 2.0 prior 0.5 : tensor<3xf32> -> tensor<2xf32>, tensor<3xf32>
  neuro.probe @z %z : tensor<2xf32>
}
)mlir");
  ASSERT_TRUE(engine->step(400, nullptr).isOk());
  std::vector<double> z;
  ASSERT_TRUE(engine->readState("L", "z", z).isOk());
  // (2 WᵀW + 0.5 I) z = 2 Wᵀ x, solved by hand (2 x 2).
  double a = 2 * (1 + .25 + .0625) + .5, b = 2 * (.5 - .5 + .1875),
         d = 2 * (.25 + 1 + .5625) + .5;
  double p = 2 * (1 + .25 + .0625), q = 2 * (.5 - .5 + .1875);
  double det = a * d - b * b;
  EXPECT_NEAR(z.at(0), (p * d - b * q) / det, 1e-10);
  EXPECT_NEAR(z.at(1), (a * q - b * p) / det, 1e-10);
}

// Transposed, product, max and min combines, transmit region, delays.
TEST_F(Reference, ProjectionsCombine) {
  auto engine = load(R"mlir(
neuro.network @n dt 1.0 {
  %x = neuro.stimulus @x init(dense<[2.0, 3.0]> : tensor<2xf32>) : tensor<2xf32>
  %y = neuro.stimulus @y init(dense<[1.0, 2.0, 3.0]> : tensor<3xf32>) : tensor<3xf32>
  neuro.weight @W pre [2] post [3] connect #neuro.dense values dense<[[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]> : tensor<3x2xf32>
  neuro.weight @N pre [2] post [3] connect #neuro.list<dense<[[0, 1]]> : tensor<1x2xi64>> values 1.0
  %a = neuro.project %x through @W : tensor<2xf32> -> tensor<3xf32>
  %b = neuro.project %y through @W transposed : tensor<3xf32> -> tensor<2xf32>
  %c = neuro.project %x through @W combine product : tensor<2xf32> -> tensor<3xf32>
  %d = neuro.project %x through @W combine max : tensor<2xf32> -> tensor<3xf32>
  %e = neuro.project %x through @W combine min {
  ^bb0(%w: f64, %v: f64):
    %s = arith.subf %w, %v : f64
    neuro.yield %s
  } : tensor<2xf32> -> tensor<3xf32>
  %f = neuro.project %x through @W delay 2 : tensor<2xf32> -> tensor<3xf32>
  %g = neuro.project %x through @N combine product : tensor<2xf32> -> tensor<3xf32>
  neuro.probe @a %a : tensor<3xf32>
  neuro.probe @b %b : tensor<2xf32>
  neuro.probe @c %c : tensor<3xf32>
  neuro.probe @d %d : tensor<3xf32>
  neuro.probe @e %e : tensor<3xf32>
  neuro.probe @f %f : tensor<3xf32>
  neuro.probe @g %g : tensor<3xf32>
}
)mlir");
  ASSERT_TRUE(engine->step(2, nullptr).isOk());
  auto probe = [&](unsigned number) {
    std::vector<double> values;
    EXPECT_TRUE(engine->readProbe(number, values).isOk());
    return values;
  };
  using V = std::vector<double>;
  EXPECT_EQ(probe(0), (V{8, 18, 28}));
  EXPECT_EQ(probe(1), (V{22, 28}));
  EXPECT_EQ(probe(2), (V{12, 72, 180}));
  EXPECT_EQ(probe(3), (V{6, 12, 18}));
  EXPECT_EQ(probe(4), (V{-1, 1, 3}));
  EXPECT_EQ(probe(5), (V{0, 0, 0})); // nothing has arrived yet
  EXPECT_EQ(probe(6), (V{1, 2, 1}));
  ASSERT_TRUE(engine->step(1, nullptr).isOk());
  EXPECT_EQ(probe(5), (V{8, 18, 28}));
}

// What the interpreter refuses is said on the operation.
TEST_F(Reference, RefusesWhatItDoesNotKnow) {
  auto refuse = [&](const std::string &text) {
    std::string message;
    ScopedDiagnosticHandler handler(&context, [&](Diagnostic &diagnostic) {
      message += diagnostic.str() + "\n";
      return success();
    });
    OwningOpRef<ModuleOp> module = parseSourceString<ModuleOp>(text, &context);
    EXPECT_TRUE(module);
    std::unique_ptr<rt::Engine> engine;
    rt::Status status = createReferenceEngine(std::move(module), {}, engine);
    if (status.isOk())
      status = engine->step(1, nullptr);
    EXPECT_EQ(status.code(), rt::Code::ModelError);
    return message;
  };
  EXPECT_EQ(refuse("neuro.network @a dt 1.0 {\n}\nneuro.network @b dt 1.0 {\n}"),
            "the reference interpreter needs one network, got 2\n");
  EXPECT_EQ(refuse(R"mlir(
neuro.model @m {
  neuro.state @v init 1.0
  neuro.stage @s {
    %v = neuro.get @v
    %w = math.asinh %v : f64
    neuro.set @v, %w
  }
}
neuro.network @n dt 1.0 {
  neuro.population @A of @m shape [2] : () -> ()
}
)mlir"),
            "the reference interpreter does not know 'math.asinh' in scalar "
            "code\n");
  EXPECT_EQ(refuse(R"mlir(
neuro.network @n dt 1.0 {
  %x = neuro.stimulus @x : tensor<4xf32>
  %y = tensor.cast %x : tensor<4xf32> to tensor<?xf32>
  %z = tensor.cast %y : tensor<?xf32> to tensor<4xf32>
  neuro.probe @z %z : tensor<4xf32>
}
)mlir"),
            "the reference interpreter cannot evaluate this tensor operation\n");
}

TEST_F(Reference, ErrorsNameWhatIsMissing) {
  auto engine = load(R"mlir(
neuro.model @m {
  neuro.state @v init 0.0
  neuro.stage @s {}
}
neuro.rule @r {
}
neuro.network @n dt 1.0 {
  neuro.population @A of @m shape [2] : () -> ()
  %x = neuro.stimulus @x : tensor<2xf32>
  neuro.weight @W pre [2] post [2] connect #neuro.one_to_one values 1.0
  neuro.plastic @p on @W rule @r pre %x post %x : tensor<2xf32>, tensor<2xf32>
}
)mlir");
  std::vector<double> one{1.0}, out;
  EXPECT_EQ(engine->setStimulus("q", one).message(), "there is no stimulus 'q'");
  EXPECT_EQ(engine->setStimulus("x", one).message(),
            "'x' needs 2 values, got 1");
  EXPECT_EQ(engine->readState("A", "u", out).message(),
            "there is no state 'A.u'");
  EXPECT_EQ(engine->readState("B", "v", out).message(),
            "there is no population 'B'");
  EXPECT_EQ(engine->writeState("A", "v", one).message(),
            "'v' needs 2 values, got 1");
  EXPECT_EQ(engine->readWeight("V", out).message(), "there is no weight 'V'");
  EXPECT_EQ(engine->writeWeight("W", one).message(),
            "'W' needs 2 values, got 1");
  EXPECT_EQ(engine->setPlasticEnabled("q", true).message(),
            "there is no plasticity 'q'");
  EXPECT_EQ(engine->callRule("p").message(),
            "the rule of 'p' has no handler 'on call'");
}

TEST_F(Reference, ClampHoldsAStateUntilReleased) {
  auto engine = load(R"mlir(
neuro.model @m {
  neuro.state @v init 0.0
  neuro.stage @s {
    %v = neuro.get @v
    %one = arith.constant 1.0 : f64
    %n = arith.addf %v, %one : f64
    neuro.set @v, %n
  }
}
neuro.network @n dt 1.0 {
  neuro.population @A of @m shape [2] : () -> ()
}
)mlir");
  std::vector<double> clamp{5.0, NAN}, v;
  ASSERT_TRUE(engine->clampState("A", "v", clamp).isOk());
  ASSERT_TRUE(engine->step(3, nullptr).isOk());
  ASSERT_TRUE(engine->readState("A", "v", v).isOk());
  EXPECT_EQ(v, (std::vector<double>{5, 3}));
  ASSERT_TRUE(engine->clampState("A", "v", {}).isOk());
  ASSERT_TRUE(engine->step(1, nullptr).isOk());
  ASSERT_TRUE(engine->readState("A", "v", v).isOk());
  EXPECT_EQ(v, (std::vector<double>{6, 4}));
  ASSERT_TRUE(engine->reset().isOk());
  ASSERT_TRUE(engine->readState("A", "v", v).isOk());
  EXPECT_EQ(v, (std::vector<double>{0, 0}));
}
