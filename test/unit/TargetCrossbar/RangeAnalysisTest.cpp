// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Ranges of whole networks: what is proved, what is declared, what is neither.
#include "neuroc/Neuro/Analysis/RangeAnalysis.h"
#include "neuroc/Neuro/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Pass/PassManager.h"

#include <gtest/gtest.h>

using namespace mlir;
using namespace neuroc;
using namespace neuroc::neuro;

namespace {

class Ranges : public testing::Test {
protected:
  Ranges() {
    context.loadDialect<NeuroDialect, arith::ArithDialect, math::MathDialect>();
  }
  void load(const std::string &text) {
    module = parseSourceString<ModuleOp>(text, &context);
    ASSERT_TRUE(module);
    PassManager pm(&context);
    buildToCorePipeline(pm);
    ASSERT_TRUE(succeeded(pm.run(*module)));
    network = *module->getOps<NetworkOp>().begin();
  }
  PopulationOp population(StringRef name) {
    return cast<PopulationOp>(SymbolTable::lookupSymbolIn(network, name));
  }
  MLIRContext context;
  OwningOpRef<ModuleOp> module;
  NetworkOp network;
};

const char *kLeaky = R"(
  neuro.model @leaky {
    neuro.state @v init 0.0
    neuro.input @in
    neuro.output @spike : i1
    neuro.stage @update {
      %v = neuro.get @v
      %in = neuro.get @in
      %decay = arith.constant 0.9 : f64
      %theta = arith.constant 5.0 : f64
      %zero = arith.constant 0.0 : f64
      %k = arith.mulf %v, %decay : f64
      %n = arith.addf %k, %in : f64
      %fires = arith.cmpf oge, %n, %theta : f64
      %next = arith.select %fires, %zero, %n : f64
      neuro.emit @spike, %fires : i1
      neuro.set @v, %next
    }
  }
)";

TEST_F(Ranges, LeakIsProved) {
  load(std::string(kLeaky) + R"(
    neuro.network @n dt 1.0 {
      %x = neuro.stimulus @x range [-1.0, 2.0] : tensor<4xf32>
      %s = neuro.population @p of @leaky shape [4] inputs(%x) ports ["in"]
        : (tensor<4xf32>) -> tensor<4xi1>
    })");
  RangeAnalysis ranges(network);
  Bound v = ranges.state(population("p"), "v");
  EXPECT_TRUE(v.proved);
  // Truly [-10, 5): below, the limit is the next power of two.
  EXPECT_GE(v.interval.lo, -16.0);
  EXPECT_LE(v.interval.lo, -10.0);
  EXPECT_LE(v.interval.hi, 8.0);
}

TEST_F(Ranges, InputIsBoundedByTheFanIn) {
  load(std::string(kLeaky) + R"(
    neuro.network @n dt 1.0 {
      %s = neuro.population @p of @leaky shape [4] inputs(%i) ports ["in"]
        init {v = #neuro.dist<uniform(4.0, 6.0)>}
        : (tensor<4xf32>) -> tensor<4xi1>
      neuro.weight @W pre [4] post [4] connect #neuro.dense
        values dense<[[1.0, 2.0, -1.0, 0.0], [0.0, 0.0, 0.0, 0.0],
                      [-3.0, -2.0, 0.5, 0.0], [0.0, 0.0, 0.0, 1.0]]> : tensor<4x4xf32>
      %i = neuro.project %s through @W delay 1 : tensor<4xi1> -> tensor<4xf32>
    })");
  RangeAnalysis ranges(network);
  Bound in = ranges.input(population("p"), "in");
  EXPECT_TRUE(in.proved);
  EXPECT_EQ(in.interval.lo, -5.0);
  EXPECT_EQ(in.interval.hi, 3.0);
}

TEST_F(Ranges, WhatCannotFireSendsNothing) {
  load(std::string(kLeaky) + R"(
    neuro.network @n dt 1.0 {
      %s = neuro.population @p of @leaky shape [4] inputs(%i) ports ["in"]
        : (tensor<4xf32>) -> tensor<4xi1>
      neuro.weight @W pre [4] post [4] connect #neuro.dense values 1.0 : f64
      %i = neuro.project %s through @W delay 1 : tensor<4xi1> -> tensor<4xf32>
    })");
  RangeAnalysis ranges(network);
  EXPECT_EQ(ranges.input(population("p"), "in").interval, Interval::point(0.0));
}

TEST_F(Ranges, IntegratorIsNotProvedAndTakesItsDeclaredRange) {
  std::string text = R"(
    neuro.model @sum {
      neuro.state @a init 0.0 range [-7.0, 7.0]
      neuro.state @b init 0.0
      neuro.input @in
      neuro.stage @update {
        %a = neuro.get @a
        %b = neuro.get @b
        %in = neuro.get @in
        %n = arith.addf %a, %in : f64
        %m = arith.addf %b, %in : f64
        neuro.set @a, %n
        neuro.set @b, %m
      }
    }
    neuro.network @n dt 1.0 {
      %x = neuro.stimulus @x range [-1.0, 1.0] : tensor<2xf32>
      neuro.population @p of @sum shape [2] inputs(%x) ports ["in"]
        : (tensor<2xf32>) -> ()
    })";
  load(text);
  RangeOptions options;
  options.unknownMagnitude = 1000.0;
  RangeAnalysis ranges(network, options);
  Bound a = ranges.state(population("p"), "a");
  EXPECT_FALSE(a.proved);
  EXPECT_EQ(a.interval.hi, 7.0);
  Bound b = ranges.state(population("p"), "b");
  EXPECT_FALSE(b.proved);
  EXPECT_EQ(b.interval.hi, 1000.0);
}

TEST_F(Ranges, UnknownStimulusTaintsWhatReadsIt) {
  load(std::string(kLeaky) + R"(
    neuro.network @n dt 1.0 {
      %x = neuro.stimulus @x : tensor<4xf32>
      %s = neuro.population @p of @leaky shape [4] inputs(%x) ports ["in"]
        : (tensor<4xf32>) -> tensor<4xi1>
    })");
  RangeAnalysis ranges(network);
  EXPECT_FALSE(ranges.input(population("p"), "in").proved);
  EXPECT_FALSE(ranges.state(population("p"), "v").proved);
  EXPECT_TRUE(ranges.output(population("p"), "spike").proved);
}

TEST_F(Ranges, TraceOfSpikesIsProved) {
  load(std::string(kLeaky) + R"(
    neuro.rule @r {
      neuro.trace @t on pre {
        %t = neuro.get @t
        %d = arith.constant 0.96 : f64
        %n = arith.mulf %t, %d : f64
        neuro.set @t, %n
      } spike {
        %t = neuro.get @t
        %one = arith.constant 1.0 : f64
        %n = arith.addf %t, %one : f64
        neuro.set @t, %n
      }
      neuro.on post {
        %w = neuro.get @w
        %t = neuro.get @t
        %n = arith.addf %w, %t : f64
        neuro.set @w, %n
      }
    }
    neuro.network @n dt 1.0 {
      %s = neuro.population @p of @leaky shape [4] inputs(%i) ports ["in"]
        : (tensor<4xf32>) -> tensor<4xi1>
      neuro.weight @W pre [4] post [4] connect #neuro.dense values 0.5 : f64 bounds [0.0, 1.0]
      %i = neuro.project %s through @W delay 1 : tensor<4xi1> -> tensor<4xf32>
      neuro.plastic @l on @W rule @r pre %s post %s delay 1 : tensor<4xi1>, tensor<4xi1>
    })");
  RangeAnalysis ranges(network);
  PlasticOp plastic = *network.getBody().front().getOps<PlasticOp>().begin();
  Bound t = ranges.ruleName(plastic, "t");
  EXPECT_TRUE(t.proved); // truly at most 1 / (1 - 0.96) = 25
  EXPECT_LE(t.interval.hi, 32.0);
  EXPECT_GE(t.interval.hi, 25.0);
  Bound w =
      ranges.weight(*network.getBody().front().getOps<WeightOp>().begin());
  EXPECT_EQ(w.interval.hi, 1.0);
  EXPECT_TRUE(w.proved);
}

TEST_F(Ranges, StagesAreFollowedInOrder) {
  load(R"(
    neuro.model @two {
      neuro.state @v init 1.0
      neuro.stage @grow {
        %v = neuro.get @v
        %c = arith.constant 8.0 : f64
        %n = arith.mulf %v, %c : f64
        neuro.set @v, %n
      }
      neuro.stage @shrink {
        %v = neuro.get @v
        %c = arith.constant 16.0 : f64
        %n = arith.divf %v, %c : f64
        neuro.set @v, %n
      }
    }
    neuro.network @n dt 1.0 {
      neuro.population @p of @two shape [1] : () -> ()
    })");
  RangeAnalysis ranges(network);
  Bound v = ranges.state(population("p"), "v");
  EXPECT_TRUE(v.proved);
  EXPECT_EQ(v.interval.hi, 8.0); // after the first stage
}

} // namespace
