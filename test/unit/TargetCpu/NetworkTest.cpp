// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Projections and tensor code on the CPU, against the reference
// interpreter (f64, equal spikes, values to 1e-12) and against closed forms.

#include "Harness.h"
#include "Networks.h"

#include <algorithm>
#include <cmath>
#include <gtest/gtest.h>

using namespace neuroc::test;

namespace {

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

// Dense sums of real signals in blocks of registers, with every kind of rest:
// f64 as the reference, f32 near it.
TEST(CpuNetwork, DenseBlocksAndTheirRests) {
  for (auto [post, batch] : {std::pair(5, 1),
                             {16, 1},
                             {70, 1},
                             {129, 1},
                             {9, 2},
                             {9, 16},
                             {6, 37},
                             {5, 67},
                             {4, 130}}) {
    std::string n = std::to_string(post);
    std::string text = network(R"(
      neuro.weight @W pre [12] post [)" +
                                   n + R"(] connect #neuro.dense
        values #neuro.dist<normal(0.0, 1.0)>
      %y = neuro.project %x through @W delay 1
        : tensor<12xf32> -> tensor<)" +
                                   n + R"(xf32>
      %z = neuro.project %y through @W transposed
        : tensor<)" + n + R"(xf32> -> tensor<12xf32>
      neuro.probe @y %y : tensor<)" +
                                   n + R"(xf32>
      neuro.probe @z %z : tensor<12xf32>
)",
                               batch);
    expectSameAsReference(text, 3);
    Options single;
    single.isDouble = false;
    auto wide = makeCpu(text), narrow = makeCpu(text, single);
    ASSERT_TRUE(wide && narrow);
    Recording a, b;
    ASSERT_TRUE(wide->step(3, &a).isOk());
    ASSERT_TRUE(narrow->step(3, &b).isOk());
    for (unsigned probe : {2u, 3u})
      for (size_t i = 0; i < a.rows[probe][2].size(); ++i)
        ASSERT_NEAR(a.rows[probe][2][i], b.rows[probe][2][i],
                    2e-5 * (1 + std::fabs(a.rows[probe][2][i])))
            << post << " units, batch " << batch << ", place " << i;
  }
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

} // namespace
