// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The session on an engine made for the test: one population P of two units,
// out(n) = stimulus + n * bias, a spike of unit 0 in every even tick, a weight
// of three synapses that the rule doubles when it is called.
#include "neuroc/rt/Session.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

using namespace neuroc::rt;

namespace {
class ToyEngine : public Engine {
public:
  ToyEngine() {
    infos.resize(2);
    infos[0] = {"out", false, {2}, 1};
    infos[1] = {"spikes", true, {2}, 1};
    (void)reset();
  }
  Status reset() override {
    now = 0;
    stimulus = {0, 0};
    bias = {1, 1};
    weight = {1, 2, 3};
    return Status::ok();
  }
  Status step(uint64_t ticks, RecordSink *sink) override {
    for (uint64_t i = 0; i < ticks; ++i, ++now) {
      for (int u = 0; u < 2; ++u)
        out[u] = stimulus[u] + double(now) * bias[u];
      if (!sink)
        continue;
      sink->values(0, now, out);
      uint32_t unit = 0;
      if (now % 2 == 0)
        sink->spikes(1, now, {&unit, 1});
      else
        sink->spikes(1, now, {});
    }
    return Status::ok();
  }
  uint64_t tick() const override { return now; }
  const std::vector<ProbeInfo> &probes() const override { return infos; }
  Status setStimulus(std::string_view, std::span<const double> v) override {
    stimulus.assign(v.begin(), v.end());
    return Status::ok();
  }
  Status readProbe(unsigned, std::vector<double> &v) override {
    v = out;
    return Status::ok();
  }
  Status readState(std::string_view, std::string_view,
                   std::vector<double> &v) override {
    v = bias;
    return Status::ok();
  }
  Status writeState(std::string_view, std::string_view,
                    std::span<const double> v) override {
    bias.assign(v.begin(), v.end());
    return Status::ok();
  }
  Status clampState(std::string_view, std::string_view,
                    std::span<const double> v) override {
    clamped.assign(v.begin(), v.end());
    return Status::ok();
  }
  Status readWeight(std::string_view, std::vector<double> &v) override {
    v = weight;
    return Status::ok();
  }
  Status writeWeight(std::string_view, std::span<const double> v) override {
    weight.assign(v.begin(), v.end());
    return Status::ok();
  }
  Status setPlasticEnabled(std::string_view, bool on) override {
    enabled = on;
    return Status::ok();
  }
  Status callRule(std::string_view) override {
    for (double &w : weight)
      w *= 2;
    return Status::ok();
  }
  Status stats(Stats &s) const override {
    s["spikes"] = 7;
    return Status::ok();
  }

  std::vector<ProbeInfo> infos;
  std::vector<double> stimulus, bias, weight, clamped, out = {0, 0};
  uint64_t now = 0;
  bool enabled = true;
};

std::shared_ptr<const Container> program(const std::string &experiment) {
  ContainerWriter writer;
  Array rows, labels;
  rows.shape = {3, 2};
  rows.values = {1, 2, 10, 20, 100, 200};
  labels.shape = {3};
  labels.values = {1, 1, 0};
  EXPECT_TRUE(writer.add("data/rows.npy", writeNpy(rows)).isOk());
  EXPECT_TRUE(writer.add("data/labels.npy", writeNpy(labels)).isOk());
  std::string manifest =
      R"({"target": "toy", "dt_ms": 0.5, "seed": 3, "network": "n",
      "populations": [{"name": "P", "shape": [2], "states": ["bias"]}],
      "stimuli": [{"name": "x", "label": "in/x", "shape": [2]}],
      "probes": [{"name": "out", "kind": "values", "shape": [2]},
                 {"name": "spikes", "kind": "spikes", "shape": [2]}],
      "weights": [{"name": "W"}], "plastics": [{"name": "L", "weight": "W"}],
      "datasets": [{"name": "rows", "member": "data/rows.npy"},
                   {"name": "labels", "member": "data/labels.npy"}])";
  if (!experiment.empty())
    manifest += ", \"experiment\": {\"steps\": [" + experiment + "]}";
  std::string bytes;
  EXPECT_TRUE(writer.finish(manifest + "}", bytes).isOk());
  std::shared_ptr<const Container> container;
  Status status = Container::read(asBytes(bytes), "toy.nrx", container);
  EXPECT_TRUE(status.isOk()) << status.message();
  return container;
}

/// Runs `experiment`; the engine can be looked at afterwards.
Status runToy(const std::string &experiment, Results &results,
              ToyEngine &engine, const SessionOptions &options = {}) {
  auto container = program(experiment);
  std::unique_ptr<Session> session;
  if (Status s = Session::create(*container, engine, options, session); !s)
    return s;
  return session->run(results);
}

std::vector<double> tableOf(const std::string &experiment) {
  Results results;
  ToyEngine engine;
  Status status = runToy(experiment, results, engine);
  EXPECT_TRUE(status.isOk()) << status.message();
  return results.tables["t"].values;
}
} // namespace

using Values = std::vector<double>;

TEST(Session, Reductions) {
  const std::string run = R"({"op": "present", "stimulus": "x", "values": [5]},
                            {"op": "step", "ticks": 4},)";
  auto reduce = [&](const char *how, const char *probe = "out") {
    return tableOf(run + R"({"op": "readout", "into": "t", "probe": ")" +
                   probe + R"(", "reduce": ")" + how + "\"}");
  };
  EXPECT_EQ(reduce("last"), (Values{8, 8}));
  EXPECT_EQ(reduce("mean"), (Values{6.5, 6.5}));
  EXPECT_EQ(reduce("sum"), (Values{26, 26}));
  EXPECT_EQ(reduce("max"), (Values{8, 8}));
  EXPECT_EQ(reduce("argmax"), (Values{0}));
  EXPECT_EQ(reduce("count", "spikes"), (Values{2, 0}));
}

TEST(Session, WindowEndsWithPresentAndWithATickAfterReadout) {
  // Two readouts of the same samples agree; the next tick opens a new window.
  EXPECT_EQ(tableOf(R"({"op": "step", "ticks": 2},
      {"op": "readout", "into": "t", "probe": "out", "reduce": "sum"},
      {"op": "readout", "into": "t", "probe": "out", "reduce": "sum"},
      {"op": "step", "ticks": 1},
      {"op": "readout", "into": "t", "probe": "out", "reduce": "sum"})"),
            (Values{1, 1, 1, 1, 2, 2}));
  EXPECT_EQ(tableOf(R"({"op": "step", "ticks": 2}, {"op": "window"},
      {"op": "step", "ticks": 1},
      {"op": "readout", "into": "t", "probe": "out", "reduce": "sum"})"),
            (Values{2, 2}));
}

TEST(Session, LoopsAndRows) {
  EXPECT_EQ(tableOf(R"({"op": "for_each", "dataset": "rows", "var": "r",
      "body": [{"op": "reset"},
        {"op": "present", "stimulus": "x", "dataset": "rows",
         "row": {"var": "r"}}, {"op": "step", "ticks": 1},
        {"op": "readout", "into": "t", "probe": "out"}]})"),
            (Values{1, 2, 10, 20, 100, 200}));
  EXPECT_EQ(tableOf(R"({"op": "for_each", "dataset": "rows", "var": "r",
      "first": 1, "count": 5, "stride": 1, "body": [
        {"op": "repeat", "count": 2, "var": "i", "body": [{"op": "reset"},
          {"op": "present", "stimulus": "x", "dataset": "rows",
           "row": {"var": "i", "plus": 4, "mod": 3}}, {"op": "step",
           "ticks": 1},
          {"op": "readout", "into": "t", "probe": "out"}]}]})"),
            (Values{10, 20, 100, 200, 10, 20, 100, 200}));
}

TEST(Session, StatesWeightsSnapshots) {
  EXPECT_EQ(tableOf(R"({"op": "snapshot", "as": "s"},
      {"op": "call", "plastic": "L"},
      {"op": "readout", "into": "t", "weight": "W"},
      {"op": "restore", "from": "s"},
      {"op": "readout", "into": "t", "weight": "W"},
      {"op": "assign", "weight": "W", "values": [9]},
      {"op": "readout", "into": "t", "weight": "W"})"),
            (Values{2, 4, 6, 1, 2, 3, 9, 9, 9}));
  EXPECT_EQ(tableOf(R"({"op": "assign", "population": "P", "state": "bias",
      "values": [3, 4]},
      {"op": "readout", "into": "t", "population": "P", "state": "bias"})"),
            (Values{3, 4}));
  EXPECT_EQ(tableOf(R"({"op": "step", "ticks": 3},
      {"op": "readout", "into": "u", "probe": "out"},
      {"op": "assign", "population": "P", "state": "bias", "table": "u",
       "row": -1},
      {"op": "readout", "into": "t", "population": "P", "state": "bias"})"),
            (Values{2, 2}));
}

TEST(Session, ClampAndEnable) {
  Results results;
  ToyEngine engine;
  ASSERT_TRUE(runToy(R"({"op": "enable", "plastic": "L", "on": false},
      {"op": "clamp", "population": "P", "state": "bias",
       "values": [null, 7]})",
                     results, engine)
                  .isOk());
  EXPECT_FALSE(engine.enabled);
  EXPECT_TRUE(std::isnan(engine.clamped[0]));
  EXPECT_EQ(engine.clamped[1], 7);
  ASSERT_TRUE(runToy(R"({"op": "release", "population": "P",
      "state": "bias"})",
                     results, engine)
                  .isOk());
  EXPECT_TRUE(engine.clamped.empty());
}

TEST(Session, Settle) {
  Results results;
  ToyEngine engine;
  // out grows by one per tick: never settles by change, warns once.
  ASSERT_TRUE(runToy(R"({"op": "settle", "probe": "out", "below": 0.5,
      "max_ticks": 10, "norm": "change"})",
                     results, engine)
                  .isOk());
  EXPECT_EQ(engine.now, 10u);
  ASSERT_EQ(results.warnings.size(), 1u);
  EXPECT_NE(results.warnings[0].find("did not settle"), std::string::npos);
  // With bias 0 the change is 0 from the second sample on.
  ASSERT_TRUE(runToy(R"({"op": "assign", "population": "P", "state": "bias",
      "values": [0]}, {"op": "settle", "probe": "out", "below": 0.5,
      "max_ticks": 10, "norm": "change"})",
                     results, engine)
                  .isOk());
  EXPECT_EQ(engine.now, 2u);
  EXPECT_TRUE(results.warnings.empty());
}

TEST(Session, PhasesAreTimed) {
  Results results;
  ToyEngine engine;
  ASSERT_TRUE(runToy(R"({"op": "phase", "name": "a", "body": [
      {"op": "step", "ticks": 2}, {"op": "phase", "name": "b", "body": [
      {"op": "step", "ticks": 3}]}]})",
                     results, engine)
                  .isOk());
  ASSERT_EQ(results.phases.size(), 2u);
  EXPECT_EQ(results.phases[0].name, "a/b");
  EXPECT_EQ(results.phases[0].firstTick, 2u);
  EXPECT_EQ(results.phases[1].name, "a");
  EXPECT_EQ(results.phases[1].lastTick, 5u);
  EXPECT_EQ(results.ticks, 5u);
  EXPECT_EQ(results.stats["spikes"], 7);
}

TEST(Session, WithoutExperimentRowsGoOnePerTick) {
  Results results;
  ToyEngine engine;
  SessionOptions options;
  options.inputs["in/x"].shape = {3, 2};
  options.inputs["in/x"].values = {1, 1, 2, 2, 3, 3};
  ASSERT_TRUE(runToy("", results, engine, options).isOk());
  EXPECT_EQ(results.probes[0].values, (Values{1, 1, 3, 3, 5, 5}));
  options.ticks = 4; // the last row stays
  ASSERT_TRUE(runToy("", results, engine, options).isOk());
  EXPECT_EQ(results.probes[0].values, (Values{1, 1, 3, 3, 5, 5, 6, 6}));
  EXPECT_EQ(results.probes[1].ticks, (std::vector<uint64_t>{0, 2}));
}

TEST(Session, InputsReplaceDatasets) {
  Results results;
  ToyEngine engine;
  SessionOptions options;
  options.inputs["rows"].shape = {1, 2};
  options.inputs["rows"].values = {7, 8};
  ASSERT_TRUE(runToy(R"({"op": "present", "stimulus": "x", "dataset": "rows",
      "row": 0}, {"op": "step", "ticks": 1},
      {"op": "readout", "into": "t", "probe": "out"})",
                     results, engine, options)
                  .isOk());
  EXPECT_EQ(results.tables["t"].values, (Values{7, 8}));
}

/// The message of a run that must fail.
static std::string failureOf(const std::string &experiment,
                             const SessionOptions &options = {}) {
  Results results;
  ToyEngine engine;
  Status status = runToy(experiment, results, engine, options);
  EXPECT_FALSE(status.isOk());
  return status.message();
}

TEST(Session, Refusals) {
  EXPECT_EQ(failureOf(R"({"op": "present", "stimulus": "x",
                          "values": [1, 2, 3]})"),
            "stimulus 'x' has 2 values, but the list has 3");
  EXPECT_EQ(failureOf(R"({"op": "present", "stimulus": "x",
                          "dataset": "rows", "row": 3})"),
            "'rows' has 3 rows; row 3 was asked for");
  EXPECT_EQ(failureOf(R"({"op": "readout", "into": "t", "probe": "out"},
                         {"op": "readout", "into": "t", "weight": "W"})"),
            "result table 't' has rows of 2 values; a readout of 3 cannot "
            "join it");
  EXPECT_EQ(failureOf(R"({"op": "repeat", "count": 0, "body": [
                          {"op": "readout", "into": "t", "probe": "out"}]},
                         {"op": "present", "stimulus": "x", "table": "t"})"),
            "result table 't' is read before it has a row");
  EXPECT_EQ(failureOf(R"({"op": "repeat", "count": 0, "body": [
                          {"op": "snapshot", "as": "s"}]},
                         {"op": "restore", "from": "s"})"),
            "snapshot 's' is restored before it is taken");
  SessionOptions options;
  options.inputs["in/y"].values = {1, 2};
  EXPECT_NE(failureOf("", options).find("did you mean 'in/x'?"),
            std::string::npos);
  options.inputs.clear();
  options.inputs["in/x"].shape = {1, 3};
  options.inputs["in/x"].values = {1, 2, 3};
  EXPECT_NE(failureOf("", options).find("the model wants 2"),
            std::string::npos);
  options.inputs.clear();
  options.inputs["rows"].shape = {1, 3};
  options.inputs["rows"].values = {1, 2, 3};
  EXPECT_NE(failureOf("", options).find("dataset 'rows' has 2"),
            std::string::npos);
  options.inputs.clear();
  options.inputs["x"].values = {1, 2};
  EXPECT_NE(failureOf(R"({"op": "step", "ticks": 1})", options)
                .find("presents its own data"),
            std::string::npos);
  options.inputs.clear();
  options.recordLimit = 100;
  EXPECT_NE(failureOf(R"({"op": "step", "ticks": 50})", options)
                .find("recordings exceed"),
            std::string::npos);
}

TEST(Session, ProbesMustAgreeWithTheManifest) {
  ToyEngine engine;
  engine.infos[0].name = "other";
  Results results;
  Status status = runToy("", results, engine);
  EXPECT_NE(status.message().find("probes differ"), std::string::npos);
}

TEST(Manifest, Refusals) {
  auto refuse = [](const std::string &rest, const std::string &words) {
    ContainerWriter writer;
    std::string bytes;
    EXPECT_TRUE(writer.finish("{\"target\": \"t\"" + rest + "}", bytes).isOk());
    std::shared_ptr<const Container> container;
    EXPECT_TRUE(Container::read(asBytes(bytes), "m", container).isOk());
    Manifest manifest;
    Status status = readManifest(*container, manifest);
    EXPECT_FALSE(status.isOk()) << words;
    EXPECT_NE(status.message().find(words), std::string::npos)
        << status.message();
  };
  const std::string head = ", \"dt_ms\": 1, \"seed\": 1";
  refuse("", "lacks the member 'dt_ms'");
  refuse(", \"dt_ms\": 0, \"seed\": 1", "expected a positive number");
  refuse(head + R"(, "probes": [{"name": "p", "shape": [0]}])",
         "probes[0].shape[0]: expected a whole number from 1");
  refuse(head + R"(, "probes": [{"name": "p", "shape": [1,1,1,1,1,1,1,1,1]}])",
         "at most 8 dimensions");
  refuse(head + R"(, "probes": [{"name": "p", "shape": [9999999999, 9999]}])",
         "more than 2^40 elements");
  refuse(head + R"(, "weights": [{"name": "w"}, {"name": "w"}])",
         "repeats the name 'w'");
  refuse(head + R"(, "datasets": [{"name": "d", "member": "data/d.npy"}])",
         "the program has no member 'data/d.npy'");
  refuse(head + R"(, "experiment": {"steps": [{"op": "x"}]})",
         "experiment.steps[0].op: no step 'x'");
}

//===----------------------------------------------------------------------===//
// What the host computes
//===----------------------------------------------------------------------===//

TEST(Session, HostComputation) {
  // t = 2 * W + bias[1]; then a variable, an if and a table.
  EXPECT_EQ(tableOf(R"(
      {"op": "read", "out": 0, "of": "weight", "source": "W"},
      {"op": "literal", "out": 1, "shape": [], "values": [2]},
      {"op": "calc", "out": 2, "function": "mul", "in": [0, 1]},
      {"op": "store", "value": 2, "into": "variable", "target": "k"},
      {"op": "read", "out": 3, "of": "variable", "source": "k"},
      {"op": "store", "value": 3, "into": "weight", "target": "W"},
      {"op": "readout", "into": "t", "weight": "W"},
      {"op": "calc", "out": 4, "function": "less", "in": [1, 3]},
      {"op": "if", "condition": 4, "body": [
         {"op": "store", "value": 1, "into": "table", "target": "t"}],
       "else": [{"op": "store", "value": 3, "into": "table", "target": "t"}]})"),
            (Values{2, 4, 6, 2, 4, 6}));
}

TEST(Session, HostWhile) {
  auto loop = [](const char *first, int max) {
    return R"({"op": "literal", "out": 0, "shape": [], "values": [1]},
      {"op": "literal", "out": 9, "shape": [], "values": [3]},
      {"op": "store", "value": 0, "into": "variable", "target": "k"},
      {"op": "while", "until": "done", "max": )" +
           std::to_string(max) + R"(, "body_first": )" + first + R"(,
       "condition": [
         {"op": "read", "out": 1, "of": "variable", "source": "k"},
         {"op": "calc", "out": 2, "function": "greater_equal", "in": [1, 9]},
         {"op": "store", "value": 2, "into": "variable", "target": "done"}],
       "body": [
         {"op": "read", "out": 3, "of": "variable", "source": "k"},
         {"op": "calc", "out": 4, "function": "add", "in": [3, 0]},
         {"op": "store", "value": 4, "into": "variable", "target": "k"},
         {"op": "store", "value": 4, "into": "table", "target": "t"}]})";
  };
  EXPECT_EQ(tableOf(loop("false", 9)), (Values{2, 3}));
  EXPECT_EQ(tableOf(loop("true", 9)), (Values{2, 3}));
  Results results;
  ToyEngine engine;
  ASSERT_TRUE(runToy(loop("true", 1), results, engine).isOk());
  ASSERT_EQ(results.warnings.size(), 1u);
  EXPECT_NE(results.warnings[0].find("did not end within 1 rounds"),
            std::string::npos);
}

TEST(Session, Streams) {
  const std::string stream =
      R"({"op": "stream", "inputs": [{"stimulus": "x", "dataset": "rows"}],
          "every": 2, "at": "f.neuro:3:4"%s},
         {"op": "readout", "into": "t", "probe": "out", "reduce": "sum"})";
  auto with = [&](const std::string &rest) {
    std::string s = stream;
    return s.replace(s.find("%s"), 2, rest);
  };
  // out(n) = x + n: rows 1, 10, 100, two ticks each.
  EXPECT_EQ(tableOf(with("")), (Values{2 * 111 + 15, 2 * 222 + 15}));
  EXPECT_EQ(tableOf(with(R"(, "first": 1, "count": 1)")), (Values{21, 41}));
  Results results;
  ToyEngine engine;
  Status s = runToy(with(R"(, "first": 2, "count": 2)"), results, engine);
  EXPECT_EQ(s.message(), "at f.neuro:3:4: rows [2, 4) are not in 'rows', which "
                         "has 3");
  s = runToy(R"({"op": "stream", "inputs": [
      {"stimulus": "x", "dataset": "labels"}]})",
             results, engine);
  EXPECT_TRUE(s.isOk()) << s.message(); // one value is spread
}

TEST(Session, SamplesOfAWindow) {
  EXPECT_EQ(tableOf(R"({"op": "step", "ticks": 3},
      {"op": "present", "stimulus": "x", "values": [5, 6]},
      {"op": "step", "ticks": 2},
      {"op": "read", "out": 0, "of": "signal", "source": "out",
       "reduce": "samples"},
      {"op": "store", "value": 0, "into": "table", "target": "t"})"),
            (Values{8, 9, 9, 10}));
}

TEST(Session, ReadoutsWithoutSamplesAreEmpty) {
  EXPECT_EQ(tableOf(R"({"op": "step", "ticks": 2},
      {"op": "readout", "into": "t", "probe": "out", "reduce": "sum"},
      {"op": "present", "stimulus": "x", "values": [1]},
      {"op": "readout", "into": "t", "probe": "out", "reduce": "sum"})"),
            (Values{1, 1, 0, 0}));
}

TEST(Session, ShuffledLoopsAndCounters) {
  const std::string loop =
      R"({"op": "repeat", "count": 2, "counter": "i", "body": [
         {"op": "for_each", "dataset": "rows", "counter": "r", "shuffled": 4,
          "body": [{"op": "read", "out": 0, "of": "variable", "source": "r"},
           {"op": "store", "value": 0, "into": "table", "target": "t"}]},
         {"op": "read", "out": 1, "of": "variable", "source": "i"},
         {"op": "store", "value": 1, "into": "table", "target": "t"}]})";
  Values rows = tableOf(loop);
  ASSERT_EQ(rows.size(), 8u);
  EXPECT_EQ(rows[3], 0);
  EXPECT_EQ(rows[7], 1);
  EXPECT_EQ(rows, tableOf(loop));
  Values one(rows.begin(), rows.begin() + 3);
  std::sort(one.begin(), one.end());
  EXPECT_EQ(one, (Values{0, 1, 2}));
}

TEST(Session, HostErrorsNameTheirPlace) {
  Results results;
  ToyEngine engine;
  auto message = [&](const std::string &steps) {
    return runToy(steps, results, engine).message();
  };
  EXPECT_EQ(message(R"({"op": "literal", "out": 0, "shape": [3],
        "values": [1, 2, 3]},
      {"op": "store", "value": 0, "into": "signal", "target": "x",
       "at": "e.neuro:7:2"})"),
            "at e.neuro:7:2: stimulus 'x' has 2 values, but the array of shape "
            "[3] has 3");
  EXPECT_EQ(message(R"({"op": "literal", "out": 0, "shape": [], "values": [0]},
      {"op": "if", "condition": 0, "body": [{"op": "store", "value": 0,
        "into": "variable", "target": "k"}]},
      {"op": "read", "out": 1, "of": "variable", "source": "k"})"),
            "variable 'k' is read before it has a value");
  EXPECT_EQ(message(R"({"op": "repeat", "count": 0, "body": [
        {"op": "snapshot", "as": "s"}]},
      {"op": "read", "out": 1, "of": "weight", "source": "W",
       "snapshot": "s"})"),
            "snapshot 's' is read before it is taken");
  EXPECT_EQ(message(R"({"op": "snapshot", "as": "s", "populations": ["P"]},
      {"op": "read", "out": 1, "of": "weight", "source": "W",
       "snapshot": "s"})"),
            "snapshot 's' does not hold 'W'");
  EXPECT_EQ(message(R"({"op": "repeat", "count": 0, "body": [
        {"op": "readout", "into": "t", "weight": "W"}]},
      {"op": "read", "out": 1, "of": "table", "source": "t"})"),
            "result table 't' is read before it has a row");
  EXPECT_EQ(message(R"({"op": "step", "ticks": 1},
      {"op": "read", "out": 1, "of": "signal", "source": "spikes",
       "reduce": "samples"})"),
            "the samples of 'spikes' are spikes, which have no values");
}

TEST(Session, RecordingsGoToFilesAsTheyCome) {
  std::string folder = testing::TempDir() + "/neuroc-records";
  Results results;
  ToyEngine engine;
  SessionOptions options;
  options.recordFolder = folder;
  options.recordLimit = 64; // far less than what is recorded
  Status status = runToy(R"({"op": "step", "ticks": 2000},
      {"op": "readout", "into": "t", "probe": "out"})",
                         results, engine, options);
  ASSERT_TRUE(status.isOk()) << status.message();
  EXPECT_EQ(results.tables["t"].values, (Values{1999, 1999}));
  EXPECT_TRUE(results.probes[0].values.empty());
  Array values, ticks, units;
  ASSERT_TRUE(readArrayFile(folder + "/out.npy", values).isOk());
  EXPECT_EQ(values.shape, (std::vector<int64_t>{2000, 2}));
  EXPECT_EQ(values.values[2 * 1234], 1234);
  ASSERT_TRUE(readArrayFile(folder + "/spikes.ticks.npy", ticks).isOk());
  ASSERT_TRUE(readArrayFile(folder + "/spikes.units.npy", units).isOk());
  EXPECT_EQ(ticks.values.size(), 1000u);
  EXPECT_EQ(ticks.values[10], 20);
  EXPECT_EQ(units.values[10], 0);
  double value = 0;
  Metric metric;
  metric.kind = MetricKind::SpikeCount;
  metric.probe = "spikes";
  EXPECT_NE(computeMetric(metric, results, {}, nullptr, value)
                .message()
                .find("went to files"),
            std::string::npos);
  ToyEngine other;
  options.recordFolder = "/dev/null/records";
  EXPECT_EQ(runToy(R"({"op": "step", "ticks": 1})", results, other, options)
                .code(),
            Code::OutputError);
}

TEST(Session, DatasetsStayInTheirFiles) {
  std::string path = testing::TempDir() + "/neuroc-rows.npy";
  Array rows{{5, 2}, {1, 2, 3, 4, 5, 6, 7, 8, 9, 10}};
  ASSERT_TRUE(
      writeFileAtomically(path, writeNpy(rows, NpyType::Float32)).isOk());
  SessionOptions options;
  options.inputFiles["rows"] = path;
  Results results;
  ToyEngine engine;
  Status status = runToy(
      R"({"op": "stream", "inputs": [{"stimulus": "x", "dataset": "rows"}]},
         {"op": "readout", "into": "t", "probe": "out", "reduce": "sum"},
         {"op": "for_each", "dataset": "rows", "var": "r", "first": 3,
          "body": [{"op": "read", "out": 0, "of": "dataset", "source": "rows",
                    "row": {"var": "r"}},
           {"op": "store", "value": 0, "into": "table", "target": "t"}]},
         {"op": "read", "out": 1, "of": "dataset", "source": "rows"},
         {"op": "calc", "out": 2, "function": "sum", "in": [1], "axis": 0},
         {"op": "store", "value": 2, "into": "table", "target": "t"})",
      results, engine, options);
  ASSERT_TRUE(status.isOk()) << status.message();
  EXPECT_EQ(results.tables["t"].values,
            (Values{25 + 10, 30 + 10, 7, 8, 9, 10, 25, 30}));
  Array wide{{1, 3}, {1, 2, 3}};
  ASSERT_TRUE(writeFileAtomically(path, writeNpy(wide)).isOk());
  EXPECT_EQ(runToy("", results, engine, options).message(),
            "input 'rows': rows have 3 values, dataset 'rows' has 2");
  options.inputFiles["rows"] = "/nonexistent.npy";
  EXPECT_EQ(runToy("", results, engine, options).code(), Code::InputError);
}

/// Programs with other functions, registers and small numbers in their host
/// steps are refused or run; they never crash.
TEST(Session, DamagedHostStepsAreRefusedOrRun) {
  const std::string steps = R"(
      {"op": "literal", "out": 0, "shape": [2, 3], "values": [1, 2, 3, 4, 5, 6]},
      {"op": "literal", "out": 1, "shape": [], "values": [1]},
      {"op": "read", "out": 2, "of": "weight", "source": "W"},
      {"op": "calc", "out": 3, "function": "index", "in": [0, 1]},
      {"op": "calc", "out": 4, "function": "sum", "in": [0], "axis": 1},
      {"op": "calc", "out": 5, "function": "add", "in": [4, 1]},
      {"op": "calc", "out": 6, "function": "where", "in": [1, 2, 3]},
      {"op": "store", "value": 5, "into": "variable", "target": "k"},
      {"op": "if", "condition": 1, "body": [{"op": "read", "out": 7,
        "of": "variable", "source": "k"}, {"op": "store", "value": 7,
        "into": "weight", "target": "W"}]},
      {"op": "while", "until": "k", "max": 3, "condition": [{"op": "store",
        "value": 1, "into": "variable", "target": "k"}], "body": []},
      {"op": "stream", "inputs": [{"stimulus": "x", "dataset": "rows"}],
       "first": 1, "count": 1, "every": 2},
      {"op": "read", "out": 8, "of": "signal", "source": "out",
       "reduce": "samples"},
      {"op": "store", "value": 4, "into": "state", "target": "P",
       "state": "bias"}, {"op": "store", "value": 8, "into": "table",
       "target": "t"},
      {"op": "for_each", "dataset": "rows", "shuffled": 2, "counter": "c",
       "body": [{"op": "read", "out": 9, "of": "dataset", "source": "rows"}]})";
  uint32_t state = 12345;
  auto next = [&](size_t n) {
    state = state * 1664525u + 1013904223u;
    return size_t(state >> 8) % n;
  };
  const char *functions[] = {"solve",  "matmul", "concat", "columns", "rows",
                             "put",    "index",  "one_hot", "fill",   "sort",
                             "stack",  "outer",  "reshape", "softmax", "range",
                             "uniform", "permutation", "identity", "argmax"};
  int ran = 0;
  for (int round = 0; round < 3000; ++round) {
    std::string damaged = steps;
    for (size_t k = 1 + next(3); k > 0; --k) {
      if (next(2)) { // another digit
        size_t at = next(damaged.size());
        at = damaged.find_first_of("0123456789", at);
        if (at != std::string::npos)
          damaged[at] = char('0' + next(10));
      } else { // another function
        size_t at = damaged.find("\"function\": \"", next(damaged.size()));
        if (at == std::string::npos)
          continue;
        at += 13;
        damaged.replace(at, damaged.find('"', at) - at,
                        functions[next(std::size(functions))]);
      }
    }
    auto container = program(damaged);
    ToyEngine engine;
    std::unique_ptr<Session> session;
    Results results;
    if (Session::create(*container, engine, {}, session).isOk()) {
      Status status = session->run(results);
      EXPECT_NE(status.code(), Code::Internal) << status.message();
      ran += status.isOk();
    }
  }
  EXPECT_GT(ran, 50);
}

TEST(Session, AStreamOpensAWindow) {
  EXPECT_EQ(tableOf(R"({"op": "present", "stimulus": "x", "values": [50]},
      {"op": "step", "ticks": 2},
      {"op": "stream", "inputs": [{"stimulus": "x", "dataset": "rows"}],
       "count": 1},
      {"op": "readout", "into": "t", "probe": "out", "reduce": "sum"})"),
            (Values{3, 4}));
}
