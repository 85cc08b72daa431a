// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Reductions in stages and rules, and learning convolutions, alone and in
// batches: the same as the reference interpreter, and closed forms.

#include "Harness.h"

#include <algorithm>
#include <cmath>
#include <gtest/gtest.h>
#include <numeric>

using namespace neuroc::test;

namespace {

/// A network of 12 units whose stage is `body`; %u is noise, %q a phase that
/// takes few distinct values, so that there are ties.
std::string stageNetwork(const std::string &body, int batch) {
  return R"(
    neuro.model @m {
      neuro.state @count init 0.0
      neuro.output @y : f64
      neuro.output @raw : f64
      neuro.output @s : i1
      neuro.stage @update {
        %u = neuro.random uniform
        %c = neuro.get @count
        %i = neuro.index
        %one = arith.constant 1.0 : f64
        %next = arith.addf %c, %one : f64
        neuro.set @count, %next
        %eight = arith.constant 8.0 : f64
        %scaled = arith.mulf %u, %eight : f64
        %q = math.floor %scaled : f64
        neuro.emit @raw, %q : f64
)" + body +
         R"(
      }
    }
    neuro.network @n dt 1.0 seed 3)" +
         (batch > 1 ? " batch " + std::to_string(batch) : "") + R"( {
      %y, %raw, %s = neuro.population @P of @m shape [12]
        init {count = #neuro.dist<uniform(0.0, 6.0)>}
        : () -> (tensor<12xf32>, tensor<12xf32>, tensor<12xi1>)
      neuro.probe @y %y : tensor<12xf32>
      neuro.probe @raw %raw : tensor<12xf32>
      neuro.probe @s %s : tensor<12xi1>
    })";
}

const char *kinds[] = {"sum",         "max",  "min",       "logsumexp",
                       "kth_largest", "rank", "sum prefix"};

std::string reduce(const std::string &kind, const std::string &value,
                   const std::string &over) {
  std::string head = kind.substr(0, kind.find(' '));
  return "neuro.reduce " + head + " " + value + " over " + over +
         (kind == "kth_largest" ? " k 3" : "") +
         (kind == "sum prefix" ? " prefix" : "");
}

class CpuReduce : public testing::TestWithParam<const char *> {};

TEST_P(CpuReduce, StagesMatchReference) {
  std::string kind = GetParam();
  for (const char *group : {"units", "units group 4", "units group 1"})
    for (int batch : {1, 3}) {
      std::string body = "%r = " + reduce(kind, "%q", group) + R"(
        %v = arith.addf %r, %c : f64
        neuro.emit @y, %v : f64
        %fires = arith.cmpf oge, %q, %r : f64
        neuro.emit @s, %fires : i1)";
      expectSameAsReference(stageNetwork(body, batch), 6);
    }
}

/// Reductions of reductions, a value and a truth value kept over two pieces,
/// draws on both sides of a reduction.
TEST_P(CpuReduce, PiecesMatchReference) {
  std::string kind = GetParam();
  for (int batch : {1, 4}) {
    std::string body = R"(
        %x = math.sin %scaled : f64
        %odd = arith.cmpf ogt, %x, %u : f64
        %a = )" + reduce(kind, "%x", "units group 3") +
                       R"(
        %d = arith.subf %x, %a : f64
        %e = math.exp %d : f64
        %b = neuro.reduce sum %e over units
        %p = arith.divf %e, %b : f64
        %t = )" + reduce(kind, "%p", "units") +
                       R"(
        %w = neuro.random normal
        %tw = arith.addf %t, %w : f64
        %v = arith.select %odd, %tw, %p : f64
        neuro.emit @y, %v : f64
        neuro.emit @s, %odd : i1)";
    expectSameAsReference(stageNetwork(body, batch), 6);
  }
}

/// One definition of each reduction on what the units show, in f32 too.
TEST_P(CpuReduce, ClosedForms) {
  std::string kind = GetParam();
  std::string body = "%r = " + reduce(kind, "%q", "units group 6") + R"(
        neuro.emit @y, %r : f64
        %no = arith.cmpf olt, %u, %u : f64
        neuro.emit @s, %no : i1)";
  for (bool isDouble : {false, true})
    for (int batch : {1, 2}) {
      auto engine = makeCpu(stageNetwork(body, batch), {isDouble});
      ASSERT_TRUE(engine);
      Recording recording;
      ASSERT_TRUE(engine->step(20, &recording).isOk());
      for (size_t tick = 0; tick < 20; ++tick) {
        const std::vector<double> &raw = recording.rows[1][tick];
        const std::vector<double> &y = recording.rows[0][tick];
        ASSERT_EQ(raw.size(), 12u * batch);
        for (size_t first = 0; first < raw.size(); first += 6) {
          std::vector<double> g(raw.begin() + first, raw.begin() + first + 6);
          std::vector<double> down = g;
          std::sort(down.rbegin(), down.rend());
          double exps = 0;
          for (double v : g)
            exps += std::exp(v);
          for (size_t i = 0; i < 6; ++i) {
            double expected = 0;
            if (kind == "sum")
              expected = std::accumulate(g.begin(), g.end(), 0.0);
            else if (kind == "sum prefix")
              expected = std::accumulate(g.begin(), g.begin() + i + 1, 0.0);
            else if (kind == "max")
              expected = down[0];
            else if (kind == "min")
              expected = down[5];
            else if (kind == "kth_largest")
              expected = down[2];
            else if (kind == "logsumexp")
              expected = std::log(exps);
            else
              for (size_t j = 0; j < 6; ++j)
                expected += g[j] > g[i] || (g[j] == g[i] && j < i);
            EXPECT_NEAR(y[first + i], expected, isDouble ? 1e-12 : 2e-6 * 30);
          }
        }
      }
    }
}

/// Handlers of every event with reductions of every kind, in every layout.
TEST_P(CpuReduce, RulesMatchReference) {
  std::string kind = GetParam();
  const char *weights[] = {
      "#neuro.dense values #neuro.dist<normal(0.1, 0.5)>",
      "#neuro.all_to_all<self = false> values #neuro.dist<uniform(-1.0, 1.0)>",
      "#neuro.fixed_probability<0.4, self = true> values "
      "#neuro.dist<normal(0.2, 0.5)>",
      "#neuro.one_to_one values #neuro.dist<normal(1.0, 0.5)>"};
  for (const char *weight : weights)
    for (const char *event : {"tick", "pre", "post"})
      for (int batch : {1, 2}) {
        std::string text = R"(
    neuro.rule @rule {
      neuro.state @tag init 0.5
      neuro.on )" + std::string(event) +
                           R"( {
        %w = neuro.get @w
        %t = neuro.get @tag
        %pre = neuro.get @pre
        %post = neuro.get @post
        %u = neuro.random uniform
        %a = arith.mulf %w, %u : f64
        %b = arith.addf %a, %t : f64
        %x = )" + reduce(kind, "%b", "post") +
                           R"(
        %y = )" + reduce(kind, "%b", "pre") +
                           R"(
        %xy = arith.mulf %x, %y : f64
        %sane = math.tanh %xy : f64
        %c = arith.addf %sane, %b : f64
        %z = )" + reduce(kind, "%c", "all") +
                           R"(
        %small = arith.constant 0.01 : f64
        %d = arith.mulf %z, %small : f64
        %sd = math.tanh %d : f64
        %nw = arith.addf %w, %sd : f64
        neuro.set @w, %nw
        %nt = arith.mulf %sane, %u : f64
        neuro.set @tag, %nt
      }
    })" +
                           stageNetwork(R"(
        neuro.emit @y, %u : f64
        %two = arith.constant 2.0 : f64
        %fires = arith.cmpf olt, %q, %two : f64
        neuro.emit @s, %fires : i1)",
                                        batch);
        text.insert(text.rfind('}'), R"(
      neuro.weight @W pre [12] post [12] connect )" +
                                         std::string(weight) + R"(
        bounds [-2.0, 2.0]
      %d = neuro.delay %s by 1 : tensor<12xi1>
      neuro.plastic @learn on @W rule @rule pre %s post %d
        : tensor<12xi1>, tensor<12xi1>
)");
        auto cpu = makeCpu(text), reference = makeReference(text);
        ASSERT_TRUE(cpu && reference);
        ASSERT_TRUE(cpu->step(8, nullptr).isOk());
        ASSERT_TRUE(reference->step(8, nullptr).isOk());
        std::vector<double> a, b;
        ASSERT_TRUE(cpu->readWeight("W", a).isOk());
        ASSERT_TRUE(reference->readWeight("W", b).isOk());
        EXPECT_EQ(a, b) << kind << " " << event << " " << weight;
        ASSERT_TRUE(cpu->readState("learn", "tag", a).isOk());
        ASSERT_TRUE(reference->readState("learn", "tag", b).isOk());
        EXPECT_EQ(a, b) << kind << " " << event << " " << weight;
      }
}

INSTANTIATE_TEST_SUITE_P(All, CpuReduce, testing::ValuesIn(kinds),
                         [](const auto &info) {
                           std::string name = info.param;
                           std::replace(name.begin(), name.end(), ' ', '_');
                           return name;
                         });

/// More members than one group can give.
TEST(CpuReduceLimits, KthBeyondTheGroup) {
  std::string body = R"(
        %r = neuro.reduce kth_largest %q over units group 4 k 5
        neuro.emit @y, %r : f64
        %no = arith.cmpf olt, %u, %u : f64
        neuro.emit @s, %no : i1)";
  auto engine = makeCpu(stageNetwork(body, 1));
  ASSERT_TRUE(engine);
  Recording recording;
  ASSERT_TRUE(engine->step(1, &recording).isOk());
  EXPECT_EQ(recording.rows[0][0][0], -HUGE_VAL);
}

//===----------------------------------------------------------------------===//
// Convolutions that learn
//===----------------------------------------------------------------------===//

/// [6, 2, 3, 2] numbers.
std::string kernelValues() {
  std::string text;
  int extents[] = {6, 2, 3, 2}, count = 72;
  for (int i = 0; i < count; ++i) {
    int size = 1, opened = 0;
    for (int d = 3; d >= 0; --d) {
      size *= extents[d];
      opened += i % size == 0;
    }
    text += (i ? std::string(opened, ']') + ", " : std::string()) +
            std::string(opened, '[') + std::to_string(0.3 * std::sin(2.5 * i));
  }
  return text + "]]]]";
}

std::string convolution(int batch, const std::string &handler,
                        const std::string &flags = "") {
  return R"(
    neuro.rule @rule {
      neuro.factor @gate on post
      neuro.on tick {
        %w = neuro.get @w
        %pre = neuro.get @pre
        %post = neuro.get @post
)" + handler +
         R"(
        neuro.set @w, %n
      }
    }
    neuro.model @show {
      neuro.output @y : f64
      neuro.stage @s {
        %i = neuro.index
        %t = neuro.time
        %u = neuro.random uniform
        %a = arith.addf %i, %t : f64
        %b = arith.addf %a, %u : f64
        %y = math.sin %b : f64
        neuro.emit @y, %y : f64
      }
    }
    neuro.network @n dt 1.0)" +
         (batch > 1 ? " batch " + std::to_string(batch) : "") + R"( {
      %x = neuro.population @A of @show shape [4, 5, 4] : () -> tensor<4x5x4xf32>
      %e = neuro.population @B of @show shape [6, 3, 4] : () -> tensor<6x3x4xf32>
      neuro.weight @K pre [4, 5, 4] post [6, 3, 4] connect #neuro.conv<
        kernel = [3, 2], strides = [2, 1], pads = [1, 1, 1, 0],
        dilations = [1, 1], groups = 2> values dense<)" +
         kernelValues() + R"(> : tensor<6x2x3x2xf64>
        bounds [-1.5, 1.5]
      %p = neuro.project %x through @K : tensor<4x5x4xf32> -> tensor<6x3x4xf32>
      %q = neuro.project %e through @K transposed
        : tensor<6x3x4xf32> -> tensor<4x5x4xf32>
      neuro.probe @p %p : tensor<6x3x4xf32>
      neuro.probe @q %q : tensor<4x5x4xf32>
      neuro.plastic @learn on @K rule @rule pre %x post %e
        factors(%e) as ["gate"] )" +
         flags + R"( : tensor<4x5x4xf32>, tensor<6x3x4xf32>, tensor<6x3x4xf32>
    })";
}

const char *hebb = R"(
        %g = neuro.get @gate
        %rate = arith.constant 0.02 : f64
        %h = arith.mulf %pre, %post : f64
        %hg = arith.mulf %h, %g : f64
        %hw = arith.addf %hg, %w : f64
        %r = arith.mulf %rate, %hw : f64
        %n = arith.addf %w, %r : f64)";

TEST(CpuConvolution, LearningMatchesReference) {
  for (int batch : {1, 3}) {
    expectSameAsReference(convolution(batch, hebb), 10, {"K"});
    expectSameAsReference(convolution(batch, hebb, "batch_sum"), 10, {"K"});
  }
  for (const char *over : {"post", "pre", "all"})
    expectSameAsReference(convolution(2, R"(
        %g = neuro.get @gate
        %h = arith.mulf %pre, %post : f64
        %s = neuro.reduce sum %h over )" + std::string(over) +
                                             R"(
        %o = neuro.reduce rank %h over )" + over +
                                             R"(
        %rate = arith.constant 0.001 : f64
        %os = arith.addf %s, %o : f64
        %og = arith.addf %os, %g : f64
        %r = arith.mulf %rate, %og : f64
        %n = arith.addf %w, %r : f64)"),
                          4, {"K"});
}

// The Hebb rule on a kernel that is as large as its input is the Hebb rule on
// a dense weight: one position, every pair once.
TEST(CpuConvolution, OnePositionIsDense) {
  std::string values;
  for (int i = 0; i < 12; ++i)
    values += (i ? ", " : "") + std::to_string(0.25 * i);
  std::string text = R"(
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
    neuro.network @n dt 1.0 {
      %x = neuro.stimulus @x init (dense<[[[)" +
                     values.substr(0, values.find("1.5") - 2) + "], [" +
                     values.substr(values.find("1.5")) +
                     R"(]]]> : tensor<1x2x6xf64>) : tensor<1x2x6xf32>
      %y = neuro.stimulus @y init (dense<[[[2.0]], [[-1.0]]]>
        : tensor<2x1x1xf64>) : tensor<2x1x1xf32>
      neuro.weight @K pre [1, 2, 6] post [2, 1, 1] connect #neuro.conv<
        kernel = [2, 6], strides = [1, 1], pads = [0, 0, 0, 0],
        dilations = [1, 1], groups = 1> values 0.0
      neuro.plastic @learn on @K rule @hebb pre %x post %y
        : tensor<1x2x6xf32>, tensor<2x1x1xf32>
      neuro.probe @p %x : tensor<1x2x6xf32>
    })";
  auto engine = makeCpu(text);
  ASSERT_TRUE(engine);
  ASSERT_TRUE(engine->step(3, nullptr).isOk());
  std::vector<double> k;
  ASSERT_TRUE(engine->readWeight("K", k).isOk());
  ASSERT_EQ(k.size(), 24u);
  for (int i = 0; i < 12; ++i) {
    EXPECT_EQ(k[i], 3 * 2.0 * 0.25 * i);
    EXPECT_EQ(k[12 + i], 3 * -1.0 * 0.25 * i);
  }
}

//===----------------------------------------------------------------------===//
// Batches
//===----------------------------------------------------------------------===//

// Tensor operations run for each lane by itself.
TEST(CpuBatch, TensorCodeMatchesReference) {
  std::string text = R"(
    neuro.model @show {
      neuro.output @y : f64
      neuro.stage @s {
        %u = neuro.random normal
        neuro.emit @y, %u : f64
      }
    }
    neuro.network @n dt 1.0 batch 5 {
      %x = neuro.population @A of @show shape [2, 3] : () -> tensor<2x3xf32>
      %g = tensor.empty() : tensor<2x3xf32>
      %c = linalg.generic {
        indexing_maps = [affine_map<(i, j) -> (i, j)>,
                         affine_map<(i, j) -> (i, j)>],
        iterator_types = ["parallel", "parallel"]}
        ins(%x : tensor<2x3xf32>) outs(%g : tensor<2x3xf32>) {
      ^bb0(%v: f32, %o: f32):
        %k = arith.constant 0.5 : f32
        %h = arith.mulf %v, %k : f32
        %hh = arith.mulf %h, %v : f32
        %r = arith.addf %hh, %v : f32
        linalg.yield %r : f32
      } -> tensor<2x3xf32>
      %zero = arith.constant 0.0 : f32
      %e = tensor.empty() : tensor<2xf32>
      %f = linalg.fill ins(%zero : f32) outs(%e : tensor<2xf32>) -> tensor<2xf32>
      %s = linalg.generic {
        indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (i)>],
        iterator_types = ["parallel", "reduction"]}
        ins(%c : tensor<2x3xf32>) outs(%f : tensor<2xf32>) {
      ^bb0(%v: f32, %acc: f32):
        %t = arith.addf %acc, %v : f32
        linalg.yield %t : f32
      } -> tensor<2xf32>
      neuro.probe @c %c : tensor<2x3xf32>
      neuro.probe @s %s : tensor<2xf32>
    })";
  auto cpu = makeCpu(text), reference = makeReference(text);
  ASSERT_TRUE(cpu && reference);
  Recording a, b;
  ASSERT_TRUE(cpu->step(5, &a).isOk());
  ASSERT_TRUE(reference->step(5, &b).isOk());
  for (unsigned probe : {0u, 1u})
    for (size_t tick = 0; tick < 5; ++tick) {
      ASSERT_EQ(a.rows[probe][tick].size(), probe ? 10u : 30u);
      ASSERT_EQ(b.rows[probe][tick].size(), probe ? 10u : 30u);
      for (size_t i = 0; i < a.rows[probe][tick].size(); ++i) // f32 there
        EXPECT_NEAR(a.rows[probe][tick][i], b.rows[probe][tick][i], 1e-5);
    }
}

// Stimuli, states and clamps cross as [lane, unit]; one lane's values stand for
// all; spikes count lane * units + unit.
TEST(CpuBatch, LanesCrossTheInterface) {
  std::string text = R"(
    neuro.model @acc {
      neuro.param @gain = 1.0
      neuro.state @v init 0.0
      neuro.input @in
      neuro.output @y : f64
      neuro.output @s : i1
      neuro.stage @s1 {
        %v = neuro.get @v
        %in = neuro.get @in
        %g = neuro.get @gain
        %gi = arith.mulf %g, %in : f64
        %n = arith.addf %v, %gi : f64
        neuro.emit @y, %n : f64
        %zero = arith.constant 0.0 : f64
        %fires = arith.cmpf ogt, %in, %zero : f64
        neuro.emit @s, %fires : i1
        neuro.set @v, %n
      }
    }
    neuro.network @n dt 1.0 batch 2 {
      %x = neuro.stimulus @x init (dense<[1.0, 2.0, 3.0]> : tensor<3xf64>)
        : tensor<3xf32>
      %y, %s = neuro.population @P of @acc shape [3] inputs(%x) ports ["in"]
        params {gain = dense<[[1.0, 10.0, 100.0], [2.0, 20.0, 200.0]]>
          : tensor<2x3xf64>}
        init {v = dense<[0.5, 0.0, 0.0]> : tensor<3xf64>}
        : (tensor<3xf32>) -> (tensor<3xf32>, tensor<3xi1>)
      neuro.probe @y %y : tensor<3xf32>
      neuro.probe @s %s : tensor<3xi1>
      neuro.watch @v @P["v"]
    })";
  using Row = std::vector<double>;
  for (bool isReference : {false, true}) {
    auto engine = isReference ? makeReference(text) : makeCpu(text);
    ASSERT_TRUE(engine);
    EXPECT_EQ(engine->probes()[0].shape, (std::vector<int64_t>{2, 3}));
    EXPECT_EQ(engine->probes()[2].shape, (std::vector<int64_t>{2, 3}));
    Recording r;
    ASSERT_TRUE(engine->step(1, &r).isOk());
    EXPECT_EQ(r.rows[0][0], (Row{1.5, 20, 300, 2.5, 40, 600}));
    ASSERT_TRUE(engine->setStimulus("x", Row{0, 0, 1, 1, 0, 0}).isOk());
    ASSERT_TRUE(engine->step(1, &r).isOk());
    EXPECT_EQ(r.rows[0][1], (Row{1.5, 20, 400, 4.5, 40, 600}));
    EXPECT_EQ(r.ticksOf(1, 2), (std::vector<uint64_t>{0, 1}));
    EXPECT_EQ(r.ticksOf(1, 3), (std::vector<uint64_t>{0, 1}));
    EXPECT_EQ(r.ticksOf(1, 4), (std::vector<uint64_t>{0}));
    ASSERT_TRUE(engine->writeState("P", "v", Row{1, 2, 3}).isOk());
    Row v;
    ASSERT_TRUE(engine->readState("P", "v", v).isOk());
    EXPECT_EQ(v, (Row{1, 2, 3, 1, 2, 3}));
    ASSERT_TRUE(engine->writeState("P", "v", Row{1, 2, 3, 4, 5, 6}).isOk());
    ASSERT_TRUE(
        engine->clampState("P", "v", Row{NAN, NAN, NAN, NAN, 9, NAN}).isOk());
    ASSERT_TRUE(engine->step(1, &r).isOk());
    EXPECT_EQ(r.rows[2][2], (Row{1, 2, 103, 6, 9, 6}));
    EXPECT_FALSE(engine->writeState("P", "v", Row{1, 2}).isOk());
    EXPECT_FALSE(engine->setStimulus("x", Row{1, 2, 3, 4}).isOk());
    ASSERT_TRUE(engine->setStimulus("x", Row{7, 0, 0}).isOk());
    ASSERT_TRUE(engine->readProbe(0, v).isOk());
    EXPECT_EQ(v, (Row{1, 2, 103, 6, 9, 6}));
  }
}

// A lane knows nothing of its neighbours: one lane of a batch with the data of
// one run is that run, for a network without draws.
TEST(CpuBatch, ALaneIsARunOfItsOwn) {
  auto text = [](int batch) {
    return R"(
    neuro.model @leak {
      neuro.state @v init 0.0
      neuro.input @in
      neuro.output @s : i1
      neuro.stage @s1 {
        %v = neuro.get @v
        %in = neuro.get @in
        %f = arith.constant 0.9 : f64
        %d = arith.mulf %v, %f : f64
        %n = arith.addf %d, %in : f64
        %one = arith.constant 1.0 : f64
        %fires = arith.cmpf oge, %n, %one : f64
        %zero = arith.constant 0.0 : f64
        %k = arith.select %fires, %zero, %n : f64
        neuro.set @v, %k
        neuro.emit @s, %fires : i1
      }
    }
    neuro.network @n dt 1.0 seed 9)" +
           (batch > 1 ? " batch " + std::to_string(batch) : std::string()) +
           R"( {
      %x = neuro.stimulus @x : tensor<4xf32>
      neuro.weight @W pre [4] post [20] connect
        #neuro.fixed_probability<0.6, self = true>
        values #neuro.dist<normal(0.2, 0.1)>
      neuro.weight @R pre [20] post [20] connect
        #neuro.fixed_indegree<5, self = true, multapses = true>
        values #neuro.dist<normal(0.1, 0.2)>
      %i = neuro.project %x through @W : tensor<4xf32> -> tensor<20xf32>
      %j = neuro.project %s through @R delays (#neuro.dist<uniform(1.0, 5.0)>)
        : tensor<20xi1> -> tensor<20xf32>
      %s = neuro.population @P of @leak shape [20]
        inputs(%i, %j) ports ["in", "in"]
        : (tensor<20xf32>, tensor<20xf32>) -> tensor<20xi1>
      neuro.probe @s %s : tensor<20xi1>
      neuro.watch @v @P["v"]
    })";
  };
  std::vector<double> data(5 * 4);
  for (size_t i = 0; i < data.size(); ++i)
    data[i] = 0.3 + 0.2 * std::sin(double(i));
  for (bool isDouble : {false, true}) {
    auto batch = makeCpu(text(5), {isDouble});
    ASSERT_TRUE(batch);
    ASSERT_TRUE(batch->setStimulus("x", data).isOk());
    Recording all;
    ASSERT_TRUE(batch->step(60, &all).isOk());
    size_t spikes = 0;
    for (size_t lane = 0; lane < 5; ++lane) {
      auto alone = makeCpu(text(1), {isDouble});
      ASSERT_TRUE(alone);
      ASSERT_TRUE(
          alone->setStimulus("x", std::span(data).subspan(lane * 4, 4)).isOk());
      Recording one;
      ASSERT_TRUE(alone->step(60, &one).isOk());
      for (uint32_t unit = 0; unit < 20; ++unit) {
        EXPECT_EQ(one.ticksOf(0, unit),
                  all.ticksOf(0, uint32_t(lane * 20 + unit)));
        spikes += one.ticksOf(0, unit).size();
      }
      for (size_t t = 0; t < 60; ++t)
        for (size_t unit = 0; unit < 20; ++unit)
          EXPECT_EQ(one.rows[1][t][unit], all.rows[1][t][lane * 20 + unit]);
    }
    EXPECT_GT(spikes, 100u);
  }
}

} // namespace
