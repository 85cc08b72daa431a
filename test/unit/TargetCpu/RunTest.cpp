// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Many ticks in one call: the same as tick by tick, whatever the length of the
// calls, and as the reference interpreter.

#include "Harness.h"

#include <algorithm>
#include <cmath>
#include <gtest/gtest.h>

using namespace neuroc::test;
using neuroc::rt::StreamInput;

namespace {

/// Real signals only: a stimulus read now and late, a population with a
/// divisor that is read late, learning with a trace, tensor code, recorders of
/// several kinds and periods.
std::string calm(int batch) {
  return R"(
    neuro.model @unit {
      neuro.state @v init 0.1
      neuro.input @in
      neuro.output @y : f64
      neuro.stage @update {
        %v = neuro.get @v
        %in = neuro.get @in
        %u = neuro.random uniform
        %t = neuro.time
        %f = arith.constant 0.8 : f64
        %d = arith.mulf %v, %f : f64
        %a = arith.addf %d, %in : f64
        %b = arith.addf %a, %u : f64
        %wave = math.cos %t : f64
        %c = arith.addf %b, %wave : f64
        %n = math.tanh %c : f64
        neuro.set @v, %n
        neuro.emit @y, %n : f64
      }
    }
    neuro.rule @hebb {
      neuro.trace @mean on pre attributes {} {
        %m = neuro.get @mean
        %x = neuro.get @pre
        %k = arith.constant 0.1 : f64
        %d = arith.subf %x, %m : f64
        %s = arith.mulf %k, %d : f64
        %n = arith.addf %m, %s : f64
        neuro.set @mean, %n
      }
      neuro.on tick {
        %w = neuro.get @w
        %m = neuro.get @mean
        %y = neuro.get @post
        %k = arith.constant 0.02 : f64
        %a = arith.mulf %m, %y : f64
        %b = arith.mulf %k, %a : f64
        %n = arith.addf %w, %b : f64
        neuro.set @w, %n
      }
    }
    neuro.network @n dt 0.5 seed 3)" +
         (batch > 1 ? " batch " + std::to_string(batch) : std::string()) + R"( {
      %x = neuro.stimulus @x init (dense<[0.1, -0.2, 0.3]> : tensor<3xf64>)
        : tensor<3xf32>
      %z = neuro.stimulus @z : tensor<3xf32>
      neuro.weight @W pre [3] post [5] connect #neuro.dense
        values #neuro.dist<normal(0.0, 0.5)> bounds [-0.7, 0.7]
      neuro.weight @V pre [3] post [5] connect #neuro.dense
        values #neuro.dist<normal(0.0, 0.5)>
      %i = neuro.project %x through @W : tensor<3xf32> -> tensor<5xf32>
      %j = neuro.project %z through @V delay 3 : tensor<3xf32> -> tensor<5xf32>
      %y = neuro.population @P of @unit shape [5] inputs(%i, %j)
        ports ["in", "in"] : (tensor<5xf32>, tensor<5xf32>) -> tensor<5xf32>
      %slow = neuro.population @Slow of @unit shape [5] inputs(%y)
        ports ["in"] every 3 : (tensor<5xf32>) -> tensor<5xf32>
      %back = neuro.project %slow through @W transposed delay 2
        : tensor<5xf32> -> tensor<3xf32>
      neuro.plastic @learn on @W rule @hebb pre %x post %y
        : tensor<3xf32>, tensor<5xf32>
      neuro.probe @y %y : tensor<5xf32>
      neuro.probe @slow %slow every 2 : tensor<5xf32>
      neuro.probe @back %back : tensor<3xf32>
      neuro.watch @v @P["v"] every 3
    })";
}

/// Rows of both stimuli, of all lanes.
std::vector<double> rows(size_t count, size_t width, double phase) {
  std::vector<double> result(count * width);
  for (size_t i = 0; i < result.size(); ++i)
    result[i] = std::sin(phase + 0.7 * double(i));
  return result;
}

void expectEqual(Recording &a, Recording &b, double bound) {
  for (unsigned probe = 0; probe < 4; ++probe) {
    ASSERT_EQ(a.rowTicks[probe], b.rowTicks[probe]);
    ASSERT_FALSE(a.rows[probe].empty());
    for (size_t row = 0; row < a.rows[probe].size(); ++row)
      for (size_t i = 0; i < a.rows[probe][row].size(); ++i)
        ASSERT_NEAR(a.rows[probe][row][i], b.rows[probe][row][i], bound)
            << probe << " tick " << a.rowTicks[probe][row] << " unit " << i;
  }
}

TEST(CpuRun, StepsMatchReferenceWhateverTheirLength) {
  for (int batch : {1, 4}) {
    expectSameAsReference(calm(batch), 50, {"W"});
    for (bool isDouble : {false, true}) {
      auto once = makeCpu(calm(batch), {isDouble});
      auto pieces = makeCpu(calm(batch), {isDouble});
      ASSERT_TRUE(once && pieces);
      Recording a, b;
      ASSERT_TRUE(once->step(61, &a).isOk());
      for (uint64_t ticks : {1, 2, 0, 7, 50, 1})
        ASSERT_TRUE(pieces->step(ticks, &b).isOk());
      expectEqual(a, b, 0);
      std::vector<double> w, v;
      ASSERT_TRUE(once->readWeight("W", w).isOk());
      ASSERT_TRUE(pieces->readWeight("W", v).isOk());
      EXPECT_EQ(w, v);
    }
  }
}

// More ticks than the recorders' buffers hold.
TEST(CpuRun, LongRunsMatchReference) {
  expectSameAsReference(calm(1), 2500, {"W"});
}

TEST(CpuRun, StreamsMatchReference) {
  for (int batch : {1, 4})
    for (uint64_t every : {1, 3}) {
      auto cpu = makeCpu(calm(batch)), reference = makeReference(calm(batch));
      ASSERT_TRUE(cpu && reference);
      Recording r[2];
      int k = 0;
      for (auto *engine : {cpu.get(), reference.get()}) {
        ASSERT_TRUE(engine->step(2, &r[k]).isOk());
        std::vector<double> x = rows(40, 3 * batch, 0.1), z = rows(40, 3, 0.5);
        StreamInput inputs[] = {{"x", x}, {"z", z}}; // one row for all lanes
        ASSERT_TRUE(engine->stream(inputs, 40, every, &r[k]).isOk());
        EXPECT_EQ(engine->tick(), 2 + 40 * every);
        // A rule switched off, a value that stays, a state held.
        ASSERT_TRUE(engine->setPlasticEnabled("learn", false).isOk());
        StreamInput one[] = {{"z", x}};
        ASSERT_TRUE(engine->stream(one, 40, every, &r[k]).isOk());
        std::vector<double> held(5 * batch, 0.25);
        ASSERT_TRUE(engine->clampState("P", "v", held).isOk());
        ASSERT_TRUE(engine->stream(one, 40, every, &r[k]).isOk());
        ASSERT_TRUE(engine->clampState("P", "v", {}).isOk());
        // A weight that the next tick confines.
        ASSERT_TRUE(engine->setPlasticEnabled("learn", true).isOk());
        ASSERT_TRUE(
            engine->writeWeight("W", std::vector<double>(15, 2.0)).isOk());
        ASSERT_TRUE(engine->stream(inputs, 40, every, &r[k]).isOk());
        ASSERT_TRUE(engine->step(5, &r[k]).isOk());
        ++k;
      }
      expectEqual(r[0], r[1], 1e-12);
      std::vector<double> w, v;
      ASSERT_TRUE(cpu->readWeight("W", w).isOk());
      ASSERT_TRUE(reference->readWeight("W", v).isOk());
      for (size_t i = 0; i < w.size(); ++i)
        EXPECT_NEAR(w[i], v[i], 1e-12);
    }
}

// Without a sink the same ticks run; a wrong name or size runs none.
TEST(CpuRun, StreamsWithoutASink) {
  auto a = makeCpu(calm(1)), b = makeCpu(calm(1));
  ASSERT_TRUE(a && b);
  std::vector<double> x = rows(3000, 3, 0.1);
  StreamInput inputs[] = {{"x", x}};
  Recording recording;
  ASSERT_TRUE(a->stream(inputs, 3000, 2, nullptr).isOk());
  ASSERT_TRUE(b->stream(inputs, 3000, 2, &recording).isOk());
  std::vector<double> v, w;
  ASSERT_TRUE(a->readState("P", "v", v).isOk());
  ASSERT_TRUE(b->readState("P", "v", w).isOk());
  EXPECT_EQ(v, w);
  EXPECT_EQ(recording.rows[0].size(), 6000u);
  ASSERT_TRUE(a->readProbe(0, v).isOk());
  EXPECT_EQ(v, recording.rows[0].back());
  StreamInput unknown[] = {{"q", x}}, small[] = {{"x", std::span(x).first(4)}};
  EXPECT_FALSE(a->stream(unknown, 3000, 2, nullptr).isOk());
  EXPECT_FALSE(a->stream(small, 2, 2, nullptr).isOk());
  EXPECT_EQ(a->tick(), 6000u);
}

} // namespace
