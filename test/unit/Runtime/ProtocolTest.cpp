// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The protocol reader: each step, each reference to a name, each refusal.
#include "neuroc/rt/Protocol.h"

#include <gtest/gtest.h>

using namespace neuroc::rt;

static ProtocolScope scope() {
  ProtocolScope s;
  s.stimuli = {"input"};
  s.probes = {"out"};
  s.plastics = {"learn"};
  s.weights = {"W"};
  s.datasets = {"rows", "labels"};
  s.states["P"] = {"v", "w"};
  return s;
}

static Status parse(const std::string &steps, const std::string &expect = "[]",
                    Protocol *out = nullptr) {
  Protocol protocol;
  Status status = parseProtocol(
      "{\"steps\": [" + steps + "], \"expect\": " + expect + "}", scope(),
      protocol);
  if (out)
    *out = protocol;
  return status;
}

static void expectRefused(const std::string &steps, const std::string &words,
                          const std::string &expect = "[]") {
  Status status = parse(steps, expect);
  ASSERT_FALSE(status.isOk()) << steps << expect;
  EXPECT_EQ(status.code(), Code::InputError);
  EXPECT_NE(status.message().find(words), std::string::npos)
      << status.message();
}

TEST(Protocol, EveryStepIsRead) {
  Protocol p;
  Status status = parse(
      R"({"op": "step", "ticks": 5},
         {"op": "present", "stimulus": "input", "values": [1, null]},
         {"op": "settle", "probe": "out", "below": 0.1, "max_ticks": 9,
          "norm": "l2", "every": 2},
         {"op": "enable", "plastic": "learn", "on": false},
         {"op": "clamp", "population": "P", "state": "v", "values": [1]},
         {"op": "release", "population": "P", "state": "v"},
         {"op": "assign", "population": "P", "state": "w", "values": [1]},
         {"op": "assign", "weight": "W", "dataset": "rows"},
         {"op": "call", "plastic": "learn"},
         {"op": "snapshot", "as": "s"},
         {"op": "snapshot", "as": "t", "weights": ["W"]},
         {"op": "restore", "from": "s"},
         {"op": "readout", "into": "a", "probe": "out", "reduce": "argmax"},
         {"op": "readout", "into": "b", "weight": "W"},
         {"op": "readout", "into": "c", "population": "P", "state": "v"},
         {"op": "reset"}, {"op": "window"},
         {"op": "phase", "name": "x", "body": []},
         {"op": "repeat", "count": 3, "var": "i", "body": [
            {"op": "present", "stimulus": "input", "dataset": "rows",
             "row": {"var": "i", "times": 2, "plus": 1, "mod": 4}},
            {"op": "present", "stimulus": "input", "table": "a", "row": -1}]},
         {"op": "for_each", "dataset": "rows", "first": 1, "count": 2,
          "stride": 3, "body": []})",
      "[]", &p);
  ASSERT_TRUE(status.isOk()) << status.message();
  ASSERT_EQ(p.steps.size(), 20u);
  EXPECT_EQ(p.steps[0].ticks, 5u);
  EXPECT_EQ(p.steps[2].norm, SettleNorm::L2);
  EXPECT_EQ(p.steps[2].every, 2u);
  EXPECT_FALSE(p.steps[3].on);
  EXPECT_EQ(p.steps[7].kind, StepKind::AssignWeight);
  EXPECT_EQ(p.steps[9].populations.size(), 1u); // everything
  EXPECT_TRUE(p.steps[10].populations.empty());
  EXPECT_EQ(p.steps[12].reduce, Reduce::Argmax);
  EXPECT_EQ(p.steps[18].body[0].data.row->mod, 4);
  EXPECT_EQ(p.steps[19].stride, 3);
}

TEST(Protocol, UnknownNamesAreRefusedWithANearOne) {
  expectRefused(R"({"op": "stepp", "ticks": 1})", "did you mean 'step'?");
  expectRefused(R"({"op": "present", "stimulus": "inpt", "values": [1]})",
                "experiment.steps[0].stimulus: no stimulus 'inpt'; did you "
                "mean 'input'?");
  expectRefused(R"({"op": "settle", "probe": "o", "below": 1, "max_ticks": 1})",
                "no probe 'o'");
  expectRefused(R"({"op": "enable", "plastic": "x", "on": true})",
                "no plasticity 'x'");
  expectRefused(R"({"op": "call", "plastic": "x"})", "no plasticity 'x'");
  expectRefused(
      R"({"op": "clamp", "population": "Q", "state": "v", "values": [1]})",
      "no population 'Q'");
  expectRefused(R"({"op": "release", "population": "P", "state": "u"})",
                "no state 'u'");
  expectRefused(R"({"op": "assign", "weight": "V", "values": [1]})",
                "no weight 'V'");
  expectRefused(R"({"op": "restore", "from": "s"})", "no snapshot 's'");
  expectRefused(R"({"op": "readout", "into": "t", "probe": "out",
                    "reduce": "median"})",
                "no reduction 'median'");
  expectRefused(R"({"op": "for_each", "dataset": "row", "body": []})",
                "no dataset 'row'; did you mean 'rows'?");
  expectRefused(R"({"op": "present", "stimulus": "input", "table": "t"})",
                "no result table 't'");
  expectRefused(R"({"op": "present", "stimulus": "input", "dataset": "rows",
                    "row": {"var": "i"}})",
                "no loop variable 'i'");
  expectRefused(R"({"op": "settle", "probe": "out", "below": 1,
                    "max_ticks": 1, "norm": "l3"})",
                "no norm 'l3'");
  expectRefused(R"({"op": "snapshot", "as": "s", "weights": ["V"]})",
                "no weights 'V'");
}

TEST(Protocol, BadValuesAreRefused) {
  expectRefused(R"({"op": "step", "ticks": -1})", "at least 0");
  expectRefused(R"({"op": "step", "ticks": 1e30})", "whole number");
  expectRefused(R"({"op": "present", "stimulus": "input", "values": []})",
                "at least one number");
  expectRefused(R"({"op": "present", "stimulus": "input"})",
                "lacks the member 'dataset'");
  expectRefused(R"({"op": "settle", "probe": "out", "below": 1,
                    "max_ticks": 1, "every": 0})",
                "expected at least 1");
  std::string deep;
  for (int i = 0; i < 20; ++i)
    deep += R"({"op": "repeat", "count": 1, "body": [)";
  for (int i = 0; i < 20; ++i)
    deep += "]}";
  expectRefused(deep, "loops, phases and branches nest deeper than 16");
}

TEST(Protocol, Expectations) {
  const std::string table = R"({"op": "readout", "into": "t", "probe": "out"})";
  Protocol p;
  Status status = parse(table, R"([
      {"name": "a", "metric": {"kind": "accuracy", "table": "t",
       "against": "labels"}, "min": 0.9},
      {"name": "b", "metric": {"kind": "value", "table": "t", "row": 0,
       "column": 1, "difference": true}, "max": 1, "targets": ["cpu"]},
      {"name": "c", "metric": {"kind": "rate_hz", "probe": "out",
       "from_ms": 5}, "min": 1, "max": 2},
      {"name": "d", "metric": {"kind": "stat", "stat": "overruns"}, "max": 0},
      {"name": "e", "metric": {"kind": "overlap", "table": "t",
       "against": "t"}, "min": 0}])",
                        &p);
  ASSERT_TRUE(status.isOk()) << status.message();
  ASSERT_EQ(p.expectations.size(), 5u);
  EXPECT_FALSE(p.expectations[0].metric.needsReference());
  EXPECT_TRUE(p.expectations[1].metric.needsReference());
  EXPECT_EQ(p.expectations[2].metric.fromMs, 5);
  EXPECT_TRUE(p.expectations[4].metric.againstTable);
  expectRefused(table, "no metric 'acuracy'; did you mean 'accuracy'?",
                R"([{"name": "a", "metric": {"kind": "acuracy"}}])");
  expectRefused(table, "expects nothing",
                R"([{"name": "a", "metric": {"kind": "stat", "stat": "x"}}])");
  expectRefused(table, "no result table 'u'",
                R"([{"name": "a", "metric": {"kind": "mean", "table": "u"},
                     "min": 0}])");
  expectRefused(table, "no dataset or result table 'z'",
                R"([{"name": "a", "metric": {"kind": "accuracy", "table": "t",
                     "against": "z"}, "min": 0}])");
}

TEST(Protocol, HostStepsAreChecked) {
  const std::string one =
      R"({"op": "literal", "out": 0, "shape": [2], "values": [1, 2]},)";
  Protocol p;
  ASSERT_TRUE(parse(one + R"({"op": "calc", "out": 1, "function": "sum",
      "in": [0], "axis": 0, "at": "x.neuro:1:2"})", "[]", &p).isOk());
  EXPECT_EQ(p.registers, 2u);
  EXPECT_EQ(p.steps[1].at, "x.neuro:1:2");
  expectRefused(R"({"op": "literal", "out": 0, "shape": [3], "values": [1]})",
                "expected 3 values for the shape");
  expectRefused(R"({"op": "literal", "out": 0, "shape": [99999999, 99999999],
      "values": [1]})", "has more than 2^27 elements");
  expectRefused(R"({"op": "literal", "out": 99999999, "shape": [],
      "values": [1]})", "out");
  expectRefused(one + R"({"op": "calc", "out": 1, "function": "sums",
      "in": [0]})", "no function 'sums'");
  expectRefused(one + R"({"op": "calc", "out": 1, "function": "add",
      "in": [0]})", "is written add(a, b), but has 1 operands");
  expectRefused(one + R"({"op": "calc", "out": 1, "function": "exp",
      "in": [0], "axis": 0})", "'exp' takes no axis");
  expectRefused(one + R"({"op": "calc", "out": 1, "function": "exp",
      "in": [5]})", "register 5 has no value here");
  // A register ends with its body.
  expectRefused(one + R"({"op": "repeat", "count": 1, "body": [
      {"op": "literal", "out": 1, "shape": [], "values": [1]}]},
      {"op": "store", "value": 1, "into": "variable", "target": "k"})",
                "register 1 has no value here");
  expectRefused(R"({"op": "read", "out": 0, "of": "variable",
      "source": "k"})", "no variable 'k'");
  expectRefused(R"({"op": "read", "out": 0, "of": "state", "source": "Q",
      "state": "v"})", "no population or plasticity 'Q'");
  expectRefused(R"({"op": "snapshot", "as": "s"}, {"op": "read", "out": 0,
      "of": "dataset", "source": "rows", "snapshot": "s"})",
                "holds states and weights only");
  expectRefused(one + R"({"op": "store", "value": 0, "into": "dataset",
      "target": "rows"})", "a dataset cannot be changed");
  expectRefused(one + R"({"op": "store", "value": 0, "into": "weight",
      "target": "W", "clamp": true})", "only a state can be clamped");
  expectRefused(R"({"op": "while", "condition": [], "until": "k", "max": 1,
      "body": []})", "no variable 'k'");
  expectRefused(R"({"op": "stream", "inputs": []})",
                "expected at least one stimulus");
  expectRefused(R"({"op": "readout", "into": "t", "probe": "out",
      "reduce": "samples"})", "no reduction 'samples'");
}
