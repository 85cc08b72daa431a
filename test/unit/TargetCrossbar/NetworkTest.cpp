// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Every layout, direction, delay and combine of a projection on the default
// machine (one tile) and on one so small that the network is cut over tiles,
// against the reference interpreter.
#include "Harness.h"

#include <gtest/gtest.h>

using namespace neuroc;
using namespace neuroc::test;

namespace {

/// A source of waves and of random spikes, and a unit that shows its input.
const std::string kModels = R"(
    neuro.model @source {
      neuro.state @phase init 0.0 range [-16.0, 64.0]
      neuro.output @x : f64
      neuro.output @s : i1
      neuro.stage @update {
        %u = neuro.random uniform
        %p = neuro.get @phase
        %step = arith.constant 0.37 : f64
        %q = arith.addf %p, %step : f64
        neuro.set @phase, %q
        %x = math.sin %q : f64
        neuro.emit @x, %x : f64
        %limit = arith.constant 0.25 : f64
        %s = arith.cmpf olt, %u, %limit : f64
        neuro.emit @s, %s : i1
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

std::string network(const std::string &body) {
  return kModels + R"(
    neuro.network @n dt 0.5 seed 5 {
      %x, %s = neuro.population @S of @source shape [40]
        init {phase = #neuro.dist<uniform(0.0, 6.0)>}
        : () -> (tensor<40xf32>, tensor<40xi1>)
      neuro.probe @px %x : tensor<40xf32>
      neuro.probe @ps %s : tensor<40xi1>
)" + body + "    }\n";
}

std::string shown(const std::string &project, const std::string &n,
                  const std::string &weight) {
  return network("      neuro.weight @W " + weight + "\n      %i = " + project +
                 "\n      %y = neuro.population @P of @show shape [" + n +
                 "] inputs(%i) ports [\"in\"] : (tensor<" + n +
                 "xf32>) -> tensor<" + n + "xf32>\n      neuro.probe @py %y "
                 ": tensor<" + n + "xf32>\n");
}

struct Layout {
  const char *name, *connect;
  bool square;
};
const Layout kLayouts[] = {
    {"Dense", "#neuro.dense values #neuro.dist<uniform(-1.0, 1.0)>", false},
    {"AllToAll", "#neuro.all_to_all<self = false> values "
                 "#neuro.dist<uniform(-1.0, 1.0)>", true},
    {"OneToOne", "#neuro.one_to_one values #neuro.dist<normal(0.0, 0.5)>",
     true},
    {"List", "#neuro.list<dense<[[0, 3], [0, 1], [7, 3], [39, 26], [2, 3]]> : "
             "tensor<5x2xi64>> values "
             "dense<[0.5, -0.25, 1.5, 0.125, 0.75]> : tensor<5xf64>",
     false},
    {"Probability", "#neuro.fixed_probability<0.15, self = true> values "
                    "#neuro.dist<uniform(-1.0, 1.0)>", false},
    {"InDegree", "#neuro.fixed_indegree<7, self = true, multapses = true> "
                 "values 0.25 : f64", false},
    {"OutDegree", "#neuro.fixed_outdegree<5, self = true, multapses = false> "
                  "values -0.5 : f64", false},
};

class Layouts : public testing::TestWithParam<std::tuple<Layout, const char *>> {
protected:
  const Layout &layout() { return std::get<0>(GetParam()); }
  Options options() { return precise(std::get<1>(GetParam())); }
  std::string weight(bool transposed) {
    std::string targets = layout().square ? "40" : "27";
    return (transposed ? "pre [" + targets + "] post [40] connect "
                       : "pre [40] post [" + targets + "] connect ") +
           layout().connect;
  }
  std::string run(const std::string &signal, const std::string &type,
                  const std::string &how) {
    std::string n = layout().square ? "40" : "27";
    bool transposed = how.find("transposed") != std::string::npos;
    std::string connect = weight(transposed);
    // The list's pairs are written for 40 pre and 27 post units.
    if (transposed && std::string(layout().name) == "List")
      connect = "pre [27] post [40] connect #neuro.list<dense<[[3, 0], [1, 0], "
                "[3, 7], [26, 39], [3, 2]]> : tensor<5x2xi64>> values "
                "dense<[0.5, -0.25, 1.5, 0.125, 0.75]> : tensor<5xf64>";
    return shown("neuro.project " + signal + " through @W " + how +
                     " : tensor<40x" + type + "> -> tensor<" + n + "xf32>",
                 n, connect);
  }
};

TEST_P(Layouts, RealValues) {
  expectNearReference(run("%x", "f32", ""), 12, 0.01, options());
}
TEST_P(Layouts, Spikes) {
  expectNearReference(run("%s", "i1", ""), 20, 0.005, options(), {"W"});
}
TEST_P(Layouts, DelayedSpikes) {
  expectNearReference(run("%s", "i1", "delay 3"), 20, 0.005, options());
}
TEST_P(Layouts, DelayedValues) {
  expectNearReference(run("%x", "f32", "delay 2"), 12, 0.01, options());
}
TEST_P(Layouts, Transposed) {
  expectNearReference(run("%x", "f32", "transposed"), 12, 0.01, options());
  expectNearReference(run("%s", "i1", "transposed"), 20, 0.005, options());
}
TEST_P(Layouts, OwnDelays) {
  expectNearReference(
      run("%s", "i1", "delays(#neuro.dist<uniform(0.5, 3.5)>)"), 30, 0.005,
      options());
}
TEST_P(Layouts, Extremes) {
  for (const char *combine : {"combine max", "combine min"})
    if (std::string(layout().name) != "InDegree") // pairs may repeat
      expectNearReference(run("%x", "f32", combine), 8, 0.005, options());
}

INSTANTIATE_TEST_SUITE_P(
    All, Layouts,
    testing::Combine(testing::ValuesIn(kLayouts), testing::Values("", kSmall)),
    [](const auto &info) {
      return std::string(std::get<0>(info.param).name) +
             (*std::get<1>(info.param) ? "Small" : "");
    });

TEST(Projections, TransmitExpression) {
  std::string text = shown(R"(neuro.project %x through @W {
        ^bb0(%w: f64, %v: f64):
          %d = arith.subf %v, %w : f64
          %t = math.tanh %d : f64
          %m = arith.mulf %t, %d : f64
          neuro.yield %m
        } : tensor<40xf32> -> tensor<10xf32>)",
                           "10",
                           "pre [40] post [10] connect #neuro.dense values "
                           "#neuro.dist<uniform(-1.0, 1.0)>");
  expectNearReference(text, 10, 0.01);
  expectNearReference(text, 10, 0.01, precise(kSmall));
}

TEST(Projections, ProductOfNearOnes) {
  expectNearReference(
      shown("neuro.project %x through @W combine product {\n"
            "        ^bb0(%w: f64, %v: f64):\n"
            "          %m = arith.mulf %w, %v : f64\n"
            "          %one = arith.constant 1.0 : f64\n"
            "          %a = arith.addf %m, %one : f64\n"
            "          neuro.yield %a\n"
            "        } : tensor<40xf32> -> tensor<4xf32>",
            "4",
            "pre [40] post [4] connect #neuro.fixed_probability<0.2, "
            "self = true> values 0.1 : f64"),
      10, 0.02);
}

/// Both directions of one weight, over many tiles on the small machine.
TEST(Projections, SharedWeightBothWays) {
  std::string text = network(R"(
      neuro.weight @W pre [40] post [30] connect #neuro.dense
        values #neuro.dist<uniform(-1.0, 1.0)>
      %f = neuro.project %x through @W : tensor<40xf32> -> tensor<30xf32>
      %y = neuro.population @P of @show shape [30] inputs(%f) ports ["in"]
        : (tensor<30xf32>) -> tensor<30xf32>
      %b = neuro.project %y through @W transposed
        : tensor<30xf32> -> tensor<40xf32>
      %z = neuro.population @Q of @show shape [40] inputs(%b) ports ["in"]
        : (tensor<40xf32>) -> tensor<40xf32>
      neuro.probe @py %y : tensor<30xf32>
      neuro.probe @pz %z : tensor<40xf32>
)");
  expectNearReference(text, 10, 0.15);
  expectNearReference(text, 10, 0.15, precise(kSmall));
}

TEST(Projections, ConvolutionAndPooling) {
  std::string text = kModels + R"(
    neuro.network @n dt 1.0 seed 5 {
      %x, %s = neuro.population @S of @source shape [2, 5, 4]
        init {phase = #neuro.dist<uniform(0.0, 6.0)>}
        : () -> (tensor<2x5x4xf32>, tensor<2x5x4xi1>)
      neuro.weight @K pre [2, 5, 4] post [3, 5, 2] connect
        #neuro.conv<kernel = [3, 3], strides = [1, 2], pads = [1, 1, 1, 1],
                    dilations = [1, 1], groups = 1>
        values dense<0.0> : tensor<3x2x3x3xf32>
      neuro.weight @R pre [2, 5, 4] post [3, 5, 2] connect
        #neuro.conv<kernel = [3, 3], strides = [1, 2], pads = [1, 1, 1, 1],
                    dilations = [1, 1], groups = 1>
        values dense<KERNEL> : tensor<3x2x3x3xf32>
      neuro.weight @M pre [3, 5, 2] post [3, 4, 1] connect
        #neuro.conv<kernel = [2, 2], strides = [1, 2], pads = [0, 0, 0, 0],
                    dilations = [1, 1], groups = 3> values 1.0 : f64
      neuro.weight @D pre [2, 5, 4] post [2, 3, 2] connect
        #neuro.conv<kernel = [3, 3], strides = [2, 2], pads = [1, 1, 1, 1],
                    dilations = [1, 1], groups = 2>
        values dense<0.125> : tensor<2x1x3x3xf32>
      %c = neuro.project %x through @R : tensor<2x5x4xf32> -> tensor<3x5x2xf32>
      %d = neuro.project %s through @R : tensor<2x5x4xi1> -> tensor<3x5x2xf32>
      %y = neuro.population @P of @show shape [3, 5, 2] inputs(%c, %d)
        ports ["in", "in"]
        : (tensor<3x5x2xf32>, tensor<3x5x2xf32>) -> tensor<3x5x2xf32>
      %m = neuro.project %y through @M combine max
        : tensor<3x5x2xf32> -> tensor<3x4x1xf32>
      %z = neuro.population @Q of @show shape [3, 4, 1] inputs(%m) ports ["in"]
        : (tensor<3x4x1xf32>) -> tensor<3x4x1xf32>
      %g = neuro.project %x through @D : tensor<2x5x4xf32> -> tensor<2x3x2xf32>
      %h = neuro.population @G of @show shape [2, 3, 2] inputs(%g) ports ["in"]
        : (tensor<2x3x2xf32>) -> tensor<2x3x2xf32>
      neuro.probe @py %y : tensor<3x5x2xf32>
      neuro.probe @pz %z : tensor<3x4x1xf32>
      neuro.probe @pg %h : tensor<2x3x2xf32>
    })";
  std::string kernel = "[";
  for (int m = 0; m < 3; ++m) {
    kernel += m ? ", [" : "[";
    for (int c = 0; c < 2; ++c) {
      kernel += c ? ", [" : "[";
      for (int y = 0; y < 3; ++y) {
        kernel += y ? ", [" : "[";
        for (int x = 0; x < 3; ++x)
          kernel += (x ? ", " : "") +
                    std::to_string(((m * 18 + c * 9 + y * 3 + x) * 7 % 11 - 5) /
                                   10.0);
        kernel += "]";
      }
      kernel += "]";
    }
    kernel += "]";
  }
  kernel += "]";
  text.replace(text.find("KERNEL"), 6, kernel);
  expectNearReference(text, 8, 0.01, precise(), {"R", "D"});
  expectNearReference(text, 8, 0.01, precise(kSmall), {"R"});
}

TEST(Signals, DelaysDirectFeedsAndPorts) {
  std::string text = network(R"(
      %d = neuro.delay %x by 3 : tensor<40xf32>
      %e = neuro.delay %s by 2 : tensor<40xi1>
      %st = neuro.spike_array @events events(
        dense<[[1, 0], [1, 7], [4, 39]]> : tensor<3x2xi64>) : tensor<40xi1>
      %y = neuro.population @P of @show shape [40] inputs(%d, %e, %x, %st)
        ports ["in", "in", "in", "in"] : (tensor<40xf32>, tensor<40xi1>,
          tensor<40xf32>, tensor<40xi1>) -> tensor<40xf32>
      neuro.probe @py %y : tensor<40xf32>
      %z = neuro.population @Q of @show shape [40] every 3 inputs(%x)
        ports ["in"] : (tensor<40xf32>) -> tensor<40xf32>
)");
  // `every` stands after the inputs in the assembly.
  text.replace(text.find(" every 3 inputs(%x)\n        ports [\"in\"]"),
               std::string(" every 3 inputs(%x)\n        ports [\"in\"]").size(),
               " inputs(%x) ports [\"in\"] every 3");
  text.insert(text.rfind("}"), "  neuro.probe @pz %z : tensor<40xf32>\n");
  expectNearReference(text, 10, 1e-3);
  expectNearReference(text, 10, 1e-3, precise(kSmall));
}

TEST(Signals, StimulusStateAndReset) {
  std::string text = kModels + R"(
    neuro.network @n dt 1.0 {
      %r = neuro.stimulus @r init(dense<[1.0, -2.0, 0.5]> : tensor<3xf64>)
        range [-8.0, 8.0] : tensor<3xf32>
      %p = neuro.stimulus @p : tensor<3xi1>
      %y = neuro.population @P of @show shape [3] inputs(%r, %p)
        ports ["in", "in"] : (tensor<3xf32>, tensor<3xi1>) -> tensor<3xf32>
      neuro.probe @py %y : tensor<3xf32>
    })";
  auto engine = makeEngine(text);
  ASSERT_TRUE(engine);
  auto values = [&] {
    EXPECT_TRUE(engine->step(1, nullptr).isOk());
    std::vector<double> row;
    EXPECT_TRUE(engine->readProbe(0, row).isOk());
    return row;
  };
  using Row = std::vector<double>;
  EXPECT_EQ(values(), (Row{1.0, -2.0, 0.5}));
  ASSERT_TRUE(engine->setStimulus("p", Row{0, 1, 1}).isOk());
  EXPECT_EQ(values(), (Row{1.0, -1.0, 1.5}));
  EXPECT_EQ(values(), (Row{1.0, -2.0, 0.5})); // a spike is there for one tick
  ASSERT_TRUE(engine->setStimulus("r", Row{3.25, 0, 100}).isOk());
  Row row = values();
  EXPECT_EQ(row[0], 3.25);
  EXPECT_LE(row[2], 32.0); // beyond its range a stimulus saturates
  ASSERT_TRUE(engine->reset().isOk());
  EXPECT_EQ(values(), (Row{1.0, -2.0, 0.5}));
}

//===----------------------------------------------------------------------===//
// Refusals
//===----------------------------------------------------------------------===//

void expectRefused(const std::string &text, const std::string &message,
                   const Options &options = {}) {
  Compiled compiled = compile(text, options);
  EXPECT_NE(compiled.result, CompileResult::Success);
  EXPECT_NE(compiled.diagnostics.find(message), std::string::npos)
      << compiled.diagnostics;
}

TEST(Refusals, TooManyTilesIsNamedAndCounted) {
  expectRefused(shown("neuro.project %s through @W : tensor<40xi1> -> "
                      "tensor<6000xf32>",
                      "6000",
                      "pre [40] post [6000] connect #neuro.dense values "
                      "#neuro.dist<uniform(-1.0, 1.0)>"),
                "tiles, machine", {kSmall, {}});
}

TEST(Refusals, WeightBitsOutOfRange) {
  expectRefused(shown("neuro.project %s through @W combine max : tensor<40xi1> "
                      "-> tensor<2xf32>",
                      "2",
                      "pre [40] post [2] connect #neuro.dense values "
                      "#neuro.dist<uniform(-1.0, 1.0)>"),
                "weight-bits must be in [2, 16], got 40",
                {"", {{"weight-bits", "40"}}});
}

TEST(Refusals, NothingToRun) {
  expectRefused("neuro.network @n dt 1.0 {\n"
                "  %x = neuro.stimulus @x : tensor<3xf32>\n"
                "  neuro.probe @px %x : tensor<3xf32>\n}\n",
                "unsupported: a network without a population gives a crossbar "
                "machine nothing to run");
}

TEST(Refusals, UnknownMachine) {
  expectRefused(shown("neuro.project %s through @W : tensor<40xi1> -> "
                      "tensor<2xf32>",
                      "2", "pre [40] post [2] connect #neuro.dense values "
                           "0.5 : f64"),
                "no-such-machine", {"no-such-machine", {}});
}

TEST(Refusals, OwnDelaysOfRealValues) {
  expectRefused(shown("neuro.project %x through @W delays("
                      "#neuro.dist<uniform(0.5, 3.5)>) : tensor<40xf32> -> "
                      "tensor<9xf32>",
                      "9",
                      "pre [40] post [9] connect #neuro.dense values 0.5 : f64"),
                "carry spikes by weighted sums only");
}

TEST(Refusals, RepeatedPairsCannotBeMaximised) {
  expectRefused(
      shown("neuro.project %x through @W combine max : tensor<40xf32> -> "
            "tensor<9xf32>",
            "9",
            "pre [40] post [9] connect #neuro.fixed_indegree<60, self = true, "
            "multapses = true> values 0.5 : f64"),
      "two synapses join the same pair of units");
}

TEST(Refusals, RowsNeedAPortThatSums) {
  std::string text = network(R"(
      neuro.weight @W pre [40] post [9] connect
        #neuro.fixed_probability<0.1, self = true> values 0.5 : f64
      %i = neuro.project %s through @W : tensor<40xi1> -> tensor<9xf32>
      %y = neuro.population @P of @largest shape [9] inputs(%i) ports ["in"]
        : (tensor<9xf32>) -> tensor<9xf32>
)");
  expectRefused(R"(
    neuro.model @largest {
      neuro.input @in combine max
      neuro.output @y : f64
      neuro.stage @update {
        %in = neuro.get @in
        neuro.emit @y, %in : f64
      }
    })" + text,
                "unsupported: synaptic rows at a port that does not combine by "
                "sum");
}

TEST(Refusals, PartialSumsNeedAPortThatSums) {
  std::string text = network(R"(
      neuro.weight @W pre [30] post [40] connect #neuro.dense
        values #neuro.dist<uniform(-1.0, 1.0)>
      %b = neuro.project %x through @W transposed
        : tensor<40xf32> -> tensor<30xf32>
      %y = neuro.population @P of @largest shape [30] inputs(%b) ports ["in"]
        : (tensor<30xf32>) -> tensor<30xf32>
      %f = neuro.project %y through @W delay 1
        : tensor<30xf32> -> tensor<40xf32>
      %z = neuro.population @Q of @show shape [40] inputs(%f) ports ["in"]
        : (tensor<40xf32>) -> tensor<40xf32>
)");
  expectRefused(R"(
    neuro.model @largest {
      neuro.input @in combine max
      neuro.output @y : f64
      neuro.stage @update {
        %in = neuro.get @in
        neuro.emit @y, %in : f64
      }
    })" + text,
                "unsupported: partial sums of several tiles at a port that does "
                "not combine by sum",
                {kSmall, {}});
}

TEST(Refusals, TransmitOnAConvolution) {
  expectRefused(kModels + R"(
    neuro.network @n dt 1.0 seed 5 {
      %x, %s = neuro.population @S of @source shape [2, 5, 4]
        : () -> (tensor<2x5x4xf32>, tensor<2x5x4xi1>)
      neuro.weight @K pre [2, 5, 4] post [2, 5, 4] connect
        #neuro.conv<kernel = [1, 1], strides = [1, 1], pads = [0, 0, 0, 0],
                    dilations = [1, 1], groups = 2> values 1.0 : f64
      %c = neuro.project %x through @K {
        ^bb0(%w: f64, %v: f64):
          %m = arith.addf %w, %v : f64
          neuro.yield %m
        } : tensor<2x5x4xf32> -> tensor<2x5x4xf32>
      %y = neuro.population @P of @show shape [2, 5, 4] inputs(%c) ports ["in"]
        : (tensor<2x5x4xf32>) -> tensor<2x5x4xf32>
    })",
                "unsupported: a transmit expression on a convolution on a "
                "crossbar machine");
}

TEST(Refusals, ATileOverItsMemory) {
  // The list of events is no part of the mapper's estimate.
  std::string events;
  for (int i = 0; i < 9000; ++i)
    events += (i ? ", [" : "[") + std::to_string(i) + ", 3]";
  Compiled compiled = compile(network(
      "      %st = neuro.spike_array @events events(dense<[" + events +
      "]> : tensor<9000x2xi64>) : tensor<40xi1>\n"
      "      %y = neuro.population @P of @show shape [40] inputs(%st) ports "
      "[\"in\"] : (tensor<40xi1>) -> tensor<40xf32>\n"),
                              {kSmall, {}});
  EXPECT_EQ(compiled.result, CompileResult::DoesNotFit);
  EXPECT_NE(compiled.diagnostics.find(
                " too many); a machine with more memory per tile or a smaller "
                "population would help"),
            std::string::npos)
      << compiled.diagnostics;
}

TEST(Refusals, AProgramTooLong) {
  Compiled compiled = compile(
      network(""),
      {machineFile("short", R"({"name": "short",
                               "tile": {"program_words": 32}})"), {}});
  EXPECT_EQ(compiled.result, CompileResult::DoesNotFit);
  EXPECT_NE(compiled.diagnostics.find(" instructions, has room for 32"),
            std::string::npos)
      << compiled.diagnostics;
}

TEST(Refusals, ModulesThatAreNotMapped) {
  std::string bare = "neuro.network @n dt 1.0 {\n}\n";
  EXPECT_NE(compileMapped(bare).diagnostics.find(
                ": the map pipeline has not run"),
            std::string::npos);
  std::string head =
      bare + "xbar.machine @machine source \"m\" mesh [2, 2] arrays 8 of "
             "[16, 16] cell_bits 2 adc_bits 8 memory 4096\n"
             "xbar.map @map of @n on @machine {\n";
  EXPECT_NE(compileMapped(head + "xbar.tile @t {\n}\n}\n")
                .diagnostics.find("tile has no place: run xbar-place-tiles"),
            std::string::npos);
  EXPECT_NE(compileMapped(head + "xbar.tile @t at [0, 0] {\n}\n}\n")
                .diagnostics.find("tile has no tick: run xbar-schedule-ticks"),
            std::string::npos);
}

TEST(Program, DisassemblyAndReportAreMembers) {
  Compiled compiled =
      compile(shown("neuro.project %x through @W : tensor<40xf32> -> "
                    "tensor<8xf32>",
                    "8", "pre [40] post [8] connect #neuro.dense values "
                         "#neuro.dist<uniform(-1.0, 1.0)>"));
  ASSERT_TRUE(compiled.container) << compiled.diagnostics;
  bool text = false, report = false;
  for (const ProgramMember &member : compiled.program.members) {
    if (member.name.find(".xasm") != std::string::npos) {
      text = true;
      EXPECT_NE(member.bytes.find("mvm"), std::string::npos);
      EXPECT_NE(member.bytes.find("tick"), std::string::npos);
    }
    if (member.name == "xbar/report.json") {
      report = true;
      EXPECT_NE(member.bytes.find("\"proved\""), std::string::npos);
    }
  }
  EXPECT_TRUE(text && report);
}

} // namespace
