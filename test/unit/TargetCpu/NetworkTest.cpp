// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Projections, tensor code and learning on the CPU, against the reference
// interpreter (f64, equal spikes, values to 1e-12) and against closed forms.

#include "Harness.h"

#include <algorithm>
#include <cmath>
#include <gtest/gtest.h>

using namespace neuroc::test;

namespace {

/// A noisy source of real numbers and spikes, and a leaky unit that takes both.
const std::string models = R"(
    neuro.model @source {
      neuro.state @phase init 0.0
      neuro.output @x : f64
      neuro.output @s : i1
      neuro.stage @update {
        %u = neuro.random uniform
        %p = neuro.get @phase
        %i = neuro.index
        %step = arith.constant 0.37 : f64
        %q = arith.addf %p, %step : f64
        neuro.set @phase, %q
        %a = arith.addf %q, %i : f64
        %x = math.sin %a : f64
        neuro.emit @x, %x : f64
        %limit = arith.constant 0.25 : f64
        %s = arith.cmpf olt, %u, %limit : f64
        neuro.emit @s, %s : i1
      }
    }
    neuro.model @unit {
      neuro.param @gain = 1.0
      neuro.state @v init 0.0
      neuro.input @in
      neuro.input @top combine max default -1.0
      neuro.output @y : f64
      neuro.output @s : i1
      neuro.stage @update {
        neuro.diff @v {
          %v = neuro.get @v
          %in = neuro.get @in
          %gain = neuro.get @gain
          %drive = arith.mulf %gain, %in : f64
          %d = arith.subf %drive, %v : f64
          neuro.yield %d
        }
        %v = neuro.get @v
        %top = neuro.get @top
        %y = arith.maximumf %v, %top : f64
        neuro.emit @y, %y : f64
        %theta = arith.constant 0.4 : f64
        %zero = arith.constant 0.0 : f64
        %fires = arith.cmpf ogt, %v, %theta : f64
        neuro.emit @s, %fires : i1
        %next = arith.select %fires, %zero, %v : f64
        neuro.set @v, %next
      }
    }
)";

std::string network(const std::string &body, int batch = 1) {
  return models + "    neuro.network @n dt 0.5 seed 5" +
         (batch > 1 ? " batch " + std::to_string(batch) : "") + R"( {
      %x, %s = neuro.population @S of @source shape [12]
        init {phase = #neuro.dist<uniform(0.0, 6.0)>}
        : () -> (tensor<12xf32>, tensor<12xi1>)
      neuro.probe @px %x : tensor<12xf32>
      neuro.probe @ps %s : tensor<12xi1>
)" + body +
         "    }\n";
}

/// One weight of each layout between 12 and 9 units (one-to-one: 12).
struct Layout {
  const char *name, *weight;
  int post;
};
const Layout layouts[] = {
    {"dense",
     "pre [12] post [9] connect #neuro.dense values "
     "#neuro.dist<normal(0.1, 0.5)>",
     9},
    {"masked",
     "pre [3] post [2] connect #neuro.dense values "
     "dense<[[0.5, -1.0, 2.0], [0.25, 3.0, -0.75]]> : tensor<2x3xf64>"
     " mask dense<[[true, false, true], [false, true, true]]>"
     " : tensor<2x3xi1>",
     2},
    {"all_to_all",
     "pre [12] post [12] connect #neuro.all_to_all<self = false>"
     " values #neuro.dist<uniform(-1.0, 1.0)>",
     12},
    {"one_to_one",
     "pre [12] post [12] connect #neuro.one_to_one values "
     "#neuro.dist<normal(1.0, 0.5)>",
     12},
    {"probability",
     "pre [12] post [9] connect "
     "#neuro.fixed_probability<0.3, self = true> values "
     "#neuro.dist<normal(0.2, 0.5)>",
     9},
    {"indegree",
     "pre [12] post [9] connect #neuro.fixed_indegree<4, "
     "self = true, multapses = true> values "
     "#neuro.dist<uniform(-0.5, 0.9)>",
     9},
    {"outdegree",
     "pre [12] post [12] connect #neuro.fixed_outdegree<5, "
     "self = false, multapses = false> values 0.31",
     12},
    {"conv",
     "pre [2, 3, 2] post [3, 2, 2] connect #neuro.conv<"
     "kernel = [2, 3], strides = [2, 1], pads = [1, 1, 0, 1], "
     "dilations = [1, 1], groups = 1> values dense<"
     "[[[[0.1,0.2,0.3],[0.4,0.5,-0.6]],[[0.7,-0.8,0.9],[1.0,1.1,1.2]]],"
     "[[[-0.1,0.2,0.3],[0.4,0.5,0.6]],[[0.7,0.8,0.9],[-1.0,1.1,1.2]]],"
     "[[[0.3,0.2,0.1],[0.6,0.5,0.4]],[[0.9,0.8,0.7],[1.2,1.1,1.0]]]]>"
     " : tensor<3x2x2x3xf64>",
     12},
};

class CpuLayouts : public testing::TestWithParam<Layout> {};

/// Every layout, straight and transposed, spikes and real numbers, every
/// combine, with delays: the same as the reference.
TEST_P(CpuLayouts, ProjectionsMatchReference) {
  const Layout &layout = GetParam();
  std::string name = layout.name;
  bool isSmall = name == "masked", isConv = name == "conv";
  int pre = isSmall ? 3 : 12;
  std::string preType = isConv ? "2x3x2" : std::to_string(pre);
  std::string postType = isConv ? "3x2x2" : std::to_string(layout.post);
  std::string preShape = isConv ? "[2, 3, 2]" : "[" + std::to_string(pre) + "]";
  std::string postShape =
      isConv ? "[3, 2, 2]" : "[" + std::to_string(layout.post) + "]";
  auto population = [&](const std::string &id, const std::string &shape,
                        const std::string &type) {
    return "      %x" + id + ", %s" + id + " = neuro.population @S" + id +
           " of @source shape " + shape +
           " init {phase = #neuro.dist<uniform(0.0, 6.0)>} : () -> (tensor<" +
           type + "xf32>, tensor<" + type + "xi1>)\n";
  };
  std::string body = population("A", preShape, preType) +
                     population("B", postShape, postType) +
                     "      neuro.weight @W " + layout.weight + "\n";
  int count = 0;
  auto project = [&](bool transposed, bool spikes, const std::string &extra,
                     const std::string &region = "") {
    std::string id = std::to_string(count++);
    std::string from = transposed ? "B" : "A";
    std::string input = (spikes ? "%s" : "%x") + from;
    std::string inType =
        (transposed ? postType : preType) + (spikes ? "xi1" : "xf32");
    std::string outType = (transposed ? preType : postType) + "xf32";
    body += "      %p" + id + " = neuro.project " + input + " through @W " +
            (transposed ? "transposed " : "") + extra + " " + region +
            " : tensor<" + inType + "> -> tensor<" + outType + ">\n" +
            "      neuro.probe @q" + id + " %p" + id + " : tensor<" + outType +
            ">\n";
  };
  const std::string square = R"(attributes {} {
      ^bb0(%w: f64, %v: f64):
        %d = arith.subf %w, %v : f64
        %e = arith.mulf %d, %d : f64
        neuro.yield %e
      })";
  for (bool transposed : {false, true})
    for (bool spikes : {false, true}) {
      project(transposed, spikes, "");
      project(transposed, spikes, "delay 3");
      project(transposed, spikes, "combine max");
      project(transposed, spikes, "delay 1 combine min");
      project(transposed, spikes, "combine product");
      project(transposed, spikes, "", square);
      project(transposed, spikes, "combine max", square);
      project(transposed, spikes, "delays (#neuro.dist<uniform(0.5, 4.0)>)");
      project(transposed, spikes,
              "delays (#neuro.dist<uniform(0.5, 2.0)>) combine max");
    }
  expectSameAsReference(network(body), 40, {"W"});
  expectSameAsReference(network(body, 3), 20, {"W"});
}

INSTANTIATE_TEST_SUITE_P(All, CpuLayouts, testing::ValuesIn(layouts),
                         [](const auto &info) {
                           return std::string(info.param.name);
                         });

// The plain sum by events and by visiting every synapse is the same number.
TEST(CpuNetwork, EventsEqualFullVisits) {
  std::string text = network(R"(
      neuro.weight @W pre [12] post [30] connect
        #neuro.fixed_probability<0.4, self = true>
        values #neuro.dist<normal(0.0, 1.0)>
      %a = neuro.project %s through @W delay 2 : tensor<12xi1> -> tensor<30xf32>
      %b = neuro.project %s through @W delay 2 attributes {} {
      ^bb0(%w: f64, %v: f64):
        %y = arith.mulf %w, %v : f64
        neuro.yield %y
      } : tensor<12xi1> -> tensor<30xf32>
      neuro.probe @a %a : tensor<30xf32>
      neuro.probe @b %b : tensor<30xf32>
)");
  for (bool isDouble : {false, true}) {
    auto engine = makeCpu(text, {isDouble});
    ASSERT_TRUE(engine);
    Recording recording;
    ASSERT_TRUE(engine->step(100, &recording).isOk());
    EXPECT_EQ(recording.rows[2], recording.rows[3]);
    double sum = 0;
    for (const auto &row : recording.rows[2])
      for (double value : row)
        sum += std::fabs(value);
    EXPECT_GT(sum, 1.0);
  }
}

// A matrix and the list of all its pairs are the same weight.
TEST(CpuNetwork, DenseEqualsListOfAllPairs) {
  std::string pairs, values, matrix;
  for (int pre = 0; pre < 12; ++pre)
    for (int post = 0; post < 3; ++post) {
      std::string comma = pre || post ? ", " : "";
      pairs +=
          comma + "[" + std::to_string(pre) + ", " + std::to_string(post) + "]";
      values += comma + std::to_string(std::sin(pre * 3 + post));
    }
  for (int post = 0; post < 3; ++post) {
    matrix += post ? "], [" : "[";
    for (int pre = 0; pre < 12; ++pre)
      matrix += (pre ? ", " : "") + std::to_string(std::sin(pre * 3 + post));
  }
  std::string text =
      network("      neuro.weight @D pre [12] post [3] connect #neuro.dense "
              "values dense<[" +
              matrix +
              "]]> : tensor<3x12xf64>\n"
              "      neuro.weight @L pre [12] post [3] connect "
              "#neuro.list<dense<[" +
              pairs +
              "]> : tensor<36x2xi64>> values "
              "dense<[" +
              values + "]> : tensor<36xf64>\n" + R"(
      %a = neuro.project %x through @D : tensor<12xf32> -> tensor<3xf32>
      %b = neuro.project %x through @L : tensor<12xf32> -> tensor<3xf32>
      %c = neuro.project %s through @D delay 1 : tensor<12xi1> -> tensor<3xf32>
      %d = neuro.project %s through @L delay 1 : tensor<12xi1> -> tensor<3xf32>
      %e = neuro.project %a through @D transposed : tensor<3xf32> -> tensor<12xf32>
      %f = neuro.project %b through @L transposed : tensor<3xf32> -> tensor<12xf32>
      neuro.probe @a %a : tensor<3xf32>
      neuro.probe @b %b : tensor<3xf32>
      neuro.probe @c %c : tensor<3xf32>
      neuro.probe @d %d : tensor<3xf32>
      neuro.probe @e %e : tensor<12xf32>
      neuro.probe @f %f : tensor<12xf32>
)");
  for (bool isDouble : {false, true}) {
    auto engine = makeCpu(text, {isDouble});
    ASSERT_TRUE(engine);
    Recording recording;
    ASSERT_TRUE(engine->step(50, &recording).isOk());
    for (unsigned probe : {2u, 4u, 6u})
      EXPECT_EQ(recording.rows[probe], recording.rows[probe + 1]);
    EXPECT_NE(recording.rows[6].back()[0], 0.0);
  }
}

TEST(CpuNetwork, PopulationsPortsAndDivisors) {
  expectSameAsReference(network(R"(
      neuro.weight @W pre [12] post [20] connect
        #neuro.fixed_indegree<5, self = true, multapses = true>
        values #neuro.dist<uniform(0.0, 2.0)>
      neuro.weight @R pre [20] post [20] connect #neuro.dense
        values #neuro.dist<normal(0.0, 0.2)>
      %i = neuro.project %s through @W delay 1 : tensor<12xi1> -> tensor<20xf32>
      %j = neuro.project %x through @W : tensor<12xf32> -> tensor<20xf32>
      %r = neuro.project %ts through @R delay 2 : tensor<20xi1> -> tensor<20xf32>
      %y, %ts = neuro.population @T of @unit shape [20]
        inputs(%i, %r, %j, %i) ports ["in", "in", "top", "top"]
        params {gain = #neuro.dist<uniform(0.5, 3.0)>}
        : (tensor<20xf32>, tensor<20xf32>, tensor<20xf32>, tensor<20xf32>)
          -> (tensor<20xf32>, tensor<20xi1>)
      %slow, %ss = neuro.population @Slow of @unit shape [20]
        inputs(%y) ports ["in"] every 3
        : (tensor<20xf32>) -> (tensor<20xf32>, tensor<20xi1>)
      %d = neuro.delay %slow by 4 : tensor<20xf32>
      %e = neuro.delay %d by 1 : tensor<20xf32>
      neuro.probe @y %y : tensor<20xf32>
      neuro.probe @ts %ts : tensor<20xi1>
      neuro.probe @slow %slow every 2 : tensor<20xf32>
      neuro.probe @ss %ss : tensor<20xi1>
      neuro.probe @e %e : tensor<20xf32>
      neuro.watch @v @T["v"]
)"),
                        200);
}

// In f64 neither the instruction set nor the optimisation level changes a bit;
// in f32 dense sums may fuse and reorder, which changes the last ones.
TEST(CpuNetwork, LevelsGiveTheSameBits) {
  std::string text = network(R"(
      neuro.weight @W pre [12] post [53] connect #neuro.dense
        values #neuro.dist<normal(0.0, 1.0)>
      neuro.weight @R pre [53] post [53] connect
        #neuro.fixed_probability<0.5, self = true>
        values #neuro.dist<normal(0.0, 0.3)>
      %i = neuro.project %x through @W : tensor<12xf32> -> tensor<53xf32>
      %j = neuro.project %y through @R delay 1 : tensor<53xf32> -> tensor<53xf32>
      %y, %ts = neuro.population @T of @unit shape [53]
        inputs(%i, %j) ports ["in", "in"]
        : (tensor<53xf32>, tensor<53xf32>) -> (tensor<53xf32>, tensor<53xi1>)
      %b = neuro.project %y through @W transposed : tensor<53xf32> -> tensor<12xf32>
      neuro.probe @y %y : tensor<53xf32>
      neuro.probe @b %b : tensor<12xf32>
)");
  auto run = [&](bool isDouble, unsigned level, const char *machine,
                 Recording &recording) {
    Options options;
    options.isDouble = isDouble;
    options.optimizationLevel = level;
    options.machine = machine;
    auto engine = makeCpu(text, options);
    ASSERT_TRUE(engine);
    ASSERT_TRUE(engine->step(200, &recording).isOk());
  };
  Recording first, single;
  run(true, 2, "", first);
  run(false, 2, "", single);
  EXPECT_NE(first.rows[3].back()[0], 0.0);
  for (unsigned level : {0u, 1u, 3u}) {
    Recording other;
    run(true, level, "", other);
    EXPECT_TRUE(first.rows == other.rows) << "-O" << level;
  }
#if defined(__x86_64__)
  for (const char *machine : {"x86-64", "x86-64-v2"}) {
    Recording other;
    run(true, 2, machine, other);
    EXPECT_TRUE(first.rows == other.rows) << machine;
    Recording near;
    run(false, 2, machine, near);
    // The first tick: later ones may pass a threshold a tick apart.
    for (unsigned probe : {2u, 3u})
      for (size_t i = 0; i < near.rows[probe][0].size(); ++i)
        EXPECT_NEAR(near.rows[probe][0][i], single.rows[probe][0][i], 1e-4);
  }
#endif
}

// Two stages, the second of which reads what came back in the same tick.
TEST(CpuNetwork, SameTickFeedbackThroughStages) {
  expectSameAsReference(R"(
    neuro.model @value {
      neuro.state @z init 0.5
      neuro.input @error
      neuro.output @out : f64
      neuro.stage @predict {
        %z = neuro.get @z
        neuro.emit @out, %z : f64
      }
      neuro.stage @correct {
        %z = neuro.get @z
        %e = neuro.get @error
        %rate = arith.constant 0.05 : f64
        %d = arith.mulf %rate, %e : f64
        %n = arith.addf %z, %d : f64
        neuro.set @z, %n
      }
    }
    neuro.model @error {
      neuro.input @x
      neuro.input @p
      neuro.output @e : f64
      neuro.stage @compare {
        %x = neuro.get @x
        %p = neuro.get @p
        %e = arith.subf %x, %p : f64
        neuro.emit @e, %e : f64
      }
    }
    neuro.network @n dt 1.0 {
      %x = neuro.stimulus @x init(dense<[1.0, -2.0, 0.5]> : tensor<3xf64>) : tensor<3xf32>
      neuro.weight @W pre [2] post [3] connect #neuro.dense
        values dense<[[1.0, 0.5], [-0.5, 1.0], [0.25, 0.75]]> : tensor<3x2xf64>
      %p = neuro.project %z through @W : tensor<2xf32> -> tensor<3xf32>
      %e = neuro.population @E of @error shape [3] inputs(%x, %p) ports ["x", "p"]
        : (tensor<3xf32>, tensor<3xf32>) -> tensor<3xf32>
      %b = neuro.project %e through @W transposed : tensor<3xf32> -> tensor<2xf32>
      %z = neuro.population @Z of @value shape [2] inputs(%b) ports ["error"]
        : (tensor<2xf32>) -> tensor<2xf32>
      neuro.probe @pe %e : tensor<3xf32>
      neuro.watch @pz @Z["z"]
    })",
                        300);
}

// Computed by hand: the interpreter of tensor code is another part's business.
TEST(CpuNetwork, TensorCodeBetweenNodes) {
  std::string text = network(R"(
      %d = neuro.delay %x by 2 : tensor<12xf32>
      %sum = arith.addf %x, %d : tensor<12xf32>
      %half = arith.constant dense<0.5> : tensor<12xf32>
      %mean = arith.mulf %sum, %half : tensor<12xf32>
      %zero = arith.constant 0.0 : f32
      %init = tensor.empty() : tensor<f32>
      %start = linalg.fill ins(%zero : f32) outs(%init : tensor<f32>) -> tensor<f32>
      %total = linalg.reduce ins(%mean : tensor<12xf32>) outs(%start : tensor<f32>) dimensions = [0]
        (%a: f32, %b: f32) {
          %c = arith.addf %a, %b : f32
          linalg.yield %c : f32
        }
      %shape = tensor.empty() : tensor<12xf32>
      %wide = linalg.broadcast ins(%total : tensor<f32>) outs(%shape : tensor<12xf32>) dimensions = [0]
      %rest = arith.subf %mean, %wide : tensor<12xf32>
      %fires = arith.cmpf ogt, %rest, %half : tensor<12xf32>
      neuro.weight @W pre [12] post [12] connect #neuro.one_to_one values 1.0
      %in = neuro.project %rest through @W delay 1 : tensor<12xf32> -> tensor<12xf32>
      %y, %ys = neuro.population @T of @unit shape [12] inputs(%in) ports ["in"]
        : (tensor<12xf32>) -> (tensor<12xf32>, tensor<12xi1>)
      %again = arith.addf %y, %rest : tensor<12xf32>
      neuro.probe @rest %rest : tensor<12xf32>
      neuro.probe @fires %fires : tensor<12xi1>
      neuro.probe @in %in : tensor<12xf32>
      neuro.probe @y %y : tensor<12xf32>
      neuro.probe @again %again : tensor<12xf32>
)");
  for (bool isDouble : {true, false}) {
    double tolerance = isDouble ? 1e-13 : 1e-5;
    auto engine = makeCpu(text, {isDouble});
    ASSERT_TRUE(engine);
    Recording r;
    ASSERT_TRUE(engine->step(30, &r).isOk());
    size_t spikes = 0;
    for (int t = 0; t < 30; ++t) {
      std::vector<double> mean(12);
      double total = 0;
      for (int i = 0; i < 12; ++i) {
        mean[i] = 0.5 * (r.rows[0][t][i] + (t < 2 ? 0 : r.rows[0][t - 2][i]));
        total += mean[i];
      }
      for (int i = 0; i < 12; ++i) {
        double rest = r.rows[2][t][i];
        EXPECT_NEAR(rest, mean[i] - total, tolerance);
        std::vector<uint64_t> ticks = r.ticksOf(3, i);
        EXPECT_EQ(std::find(ticks.begin(), ticks.end(), t) != ticks.end(),
                  rest > 0.5);
        EXPECT_EQ(r.rows[4][t][i], t == 0 ? 0 : r.rows[2][t - 1][i]);
        EXPECT_NEAR(r.rows[6][t][i], r.rows[5][t][i] + rest, tolerance);
      }
    }
    spikes = r.events[3].size();
    EXPECT_GT(spikes, 0u);
  }
}

//===----------------------------------------------------------------------===//
// Learning
//===----------------------------------------------------------------------===//

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
