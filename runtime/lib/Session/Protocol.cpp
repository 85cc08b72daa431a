// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Reads manifest["experiment"] (schema: Protocol.h). One function per group of
// steps; every name is looked up in the scope, every table must be written
// before it is read, and errors carry the element's path.
#include "neuroc/rt/Protocol.h"
#include "neuroc/rt/Json.h"

#include <algorithm>
#include <set>

namespace neuroc::rt {

namespace {
constexpr int kMaxNesting = 16;
constexpr uint64_t kMaxTicks = uint64_t(1) << 40;

template <typename Enum>
using Names = std::vector<std::pair<const char *, Enum>>;

class Reader {
public:
  Reader(const ProtocolScope &scope, Status &status)
      : scope(scope), status(status) {}
  void steps(const JsonReader &list, std::vector<ProtocolStep> &steps);
  void expectation(const JsonReader &json, Expectation &expectation);

private:
  ProtocolStep step(const JsonReader &json);
  void loop(const JsonReader &json, ProtocolStep &step);
  void settle(const JsonReader &json, ProtocolStep &step);
  void assign(const JsonReader &json, ProtocolStep &step);
  void snapshot(const JsonReader &json, ProtocolStep &step);
  void readout(const JsonReader &json, ProtocolStep &step);
  void state(const JsonReader &json, ProtocolStep &step);
  void metric(const JsonReader &json, Metric &metric);
  DataRef data(const JsonReader &json);
  Index index(const JsonReader &json);

  /// The string `json`, which must be one of `known`.
  std::string name(const JsonReader &json, const char *what,
                   const std::vector<std::string> &known) {
    std::string text = json.string();
    if (!json.failed() &&
        std::find(known.begin(), known.end(), text) == known.end())
      json.error("no " + std::string(what) + " '" + text + "'" +
                 suggestName(text, known));
    return text;
  }
  template <typename Enum>
  Enum choice(const JsonReader &json, const char *what,
              const Names<Enum> &names) {
    std::vector<std::string> known;
    for (const auto &[key, value] : names)
      known.push_back(key);
    std::string text = name(json, what, known);
    for (const auto &[key, value] : names)
      if (text == key)
        return value;
    return names.front().second;
  }
  std::vector<std::string> tableNames() const {
    return {tables.begin(), tables.end()};
  }

  const ProtocolScope &scope;
  Status &status;
  std::set<std::string> tables, snapshots;
  std::vector<std::string> variables;
  int depth = 0;
};
} // namespace

static const Names<StepKind> &stepNames() {
  static const Names<StepKind> names = {
      {"step", StepKind::Step},         {"present", StepKind::Present},
      {"settle", StepKind::Settle},     {"enable", StepKind::Enable},
      {"clamp", StepKind::Clamp},       {"release", StepKind::Release},
      {"assign", StepKind::Assign},     {"call", StepKind::Call},
      {"snapshot", StepKind::Snapshot}, {"restore", StepKind::Restore},
      {"readout", StepKind::Readout},   {"reset", StepKind::Reset},
      {"window", StepKind::Window},     {"phase", StepKind::Phase},
      {"repeat", StepKind::Repeat},     {"for_each", StepKind::ForEach}};
  return names;
}

static const Names<MetricKind> &metricNames() {
  static const Names<MetricKind> names = {
      {"accuracy", MetricKind::Accuracy},
      {"value", MetricKind::Value},
      {"mean", MetricKind::Mean},
      {"min", MetricKind::Min},
      {"max", MetricKind::Max},
      {"sum", MetricKind::Sum},
      {"norm", MetricKind::Norm},
      {"rms", MetricKind::Rms},
      {"finite", MetricKind::Finite},
      {"ratio", MetricKind::Ratio},
      {"max_error", MetricKind::MaxError},
      {"rms_error", MetricKind::RmsError},
      {"cosine", MetricKind::Cosine},
      {"overlap", MetricKind::Overlap},
      {"spike_count", MetricKind::SpikeCount},
      {"rate_hz", MetricKind::RateHz},
      {"cv_isi", MetricKind::CvIsi},
      {"equal_spikes_ms", MetricKind::EqualSpikesMs},
      {"table_error", MetricKind::TableError},
      {"agreement", MetricKind::Agreement},
      {"stat", MetricKind::Stat}};
  return names;
}

Index Reader::index(const JsonReader &json) {
  Index result;
  constexpr int64_t limit = int64_t(1) << 40;
  if (!json.isObject()) {
    result.plus = json.integer(-limit, limit);
    return result;
  }
  result.var = name(json.at("var"), "loop variable", variables);
  if (json.has("times"))
    result.times = json.at("times").integer(-(1 << 20), 1 << 20);
  if (json.has("plus"))
    result.plus = json.at("plus").integer(-limit, limit);
  if (json.has("mod"))
    result.mod = json.at("mod").integer(0, limit);
  return result;
}

DataRef Reader::data(const JsonReader &json) {
  DataRef result;
  if (json.has("values")) {
    result.values = json.at("values").numbers();
    if (result.values.empty())
      json.at("values").error("expected at least one number");
    return result;
  }
  if (json.has("table")) {
    result.kind = DataRef::Kind::Table;
    result.name = name(json.at("table"), "result table", tableNames());
  } else {
    result.kind = DataRef::Kind::Dataset;
    result.name = name(json.at("dataset"), "dataset", scope.datasets);
  }
  if (json.has("row"))
    result.row = index(json.at("row"));
  return result;
}

void Reader::state(const JsonReader &json, ProtocolStep &step) {
  std::vector<std::string> populations;
  for (const auto &[population, states] : scope.states)
    populations.push_back(population);
  step.population = name(json.at("population"), "population", populations);
  if (auto it = scope.states.find(step.population); it != scope.states.end())
    step.state = name(json.at("state"), "state", it->second);
}

void Reader::settle(const JsonReader &json, ProtocolStep &step) {
  step.name = name(json.at("probe"), "probe", scope.probes);
  step.below = json.at("below").number();
  step.ticks = json.at("max_ticks").natural(kMaxTicks);
  step.every = json.has("every") ? json.at("every").natural(1 << 30) : 1;
  if (step.every == 0)
    json.at("every").error("expected at least 1");
  if (json.has("norm"))
    step.norm = choice<SettleNorm>(json.at("norm"), "norm",
                                   {{"max", SettleNorm::Max},
                                    {"l2", SettleNorm::L2},
                                    {"change", SettleNorm::Change}});
}

void Reader::assign(const JsonReader &json, ProtocolStep &step) {
  if (json.has("weight")) {
    step.kind = StepKind::AssignWeight;
    step.name = name(json.at("weight"), "weight", scope.weights);
  } else {
    state(json, step);
  }
  step.data = data(json);
}

void Reader::snapshot(const JsonReader &json, ProtocolStep &step) {
  step.name = json.at("as").string();
  snapshots.insert(step.name);
  std::vector<std::string> populations;
  for (const auto &[population, states] : scope.states)
    populations.push_back(population);
  bool all = !json.has("populations") && !json.has("weights");
  if (all) {
    step.populations = populations;
    step.weights = scope.weights;
    return;
  }
  auto list = [&](const char *key, const std::vector<std::string> &known) {
    std::vector<std::string> result;
    if (!json.has(key))
      return result;
    JsonReader names = json.at(key);
    for (size_t i = 0, n = names.size(); i < n; ++i)
      result.push_back(name(names[i], key, known));
    return result;
  };
  step.populations = list("populations", populations);
  step.weights = list("weights", scope.weights);
}

void Reader::readout(const JsonReader &json, ProtocolStep &step) {
  step.into = json.at("into").string();
  tables.insert(step.into);
  if (json.has("weight")) {
    step.source = ReadoutOf::Weight;
    step.name = name(json.at("weight"), "weight", scope.weights);
  } else if (json.has("population")) {
    step.source = ReadoutOf::State;
    state(json, step);
  } else {
    step.name = name(json.at("probe"), "probe", scope.probes);
    if (json.has("reduce"))
      step.reduce = choice<Reduce>(json.at("reduce"), "reduction",
                                   {{"last", Reduce::Last},
                                    {"mean", Reduce::Mean},
                                    {"sum", Reduce::Sum},
                                    {"count", Reduce::Count},
                                    {"max", Reduce::Max},
                                    {"argmax", Reduce::Argmax}});
  }
}

void Reader::loop(const JsonReader &json, ProtocolStep &step) {
  if (step.kind == StepKind::ForEach) {
    step.dataset = name(json.at("dataset"), "dataset", scope.datasets);
    if (json.has("first"))
      step.first = json.at("first").integer(0);
    if (json.has("count"))
      step.count = json.at("count").integer(0);
    if (json.has("stride"))
      step.stride = json.at("stride").integer(1, int64_t(1) << 40);
  } else if (step.kind == StepKind::Repeat) {
    step.ticks = json.at("count").natural(kMaxTicks);
  } else {
    step.name = json.at("name").string();
  }
  if (step.kind != StepKind::Phase && json.has("var"))
    step.var = json.at("var").string();
  if (!step.var.empty())
    variables.push_back(step.var);
  if (++depth > kMaxNesting)
    json.error("loops and phases nest deeper than " +
               std::to_string(kMaxNesting));
  else
    steps(json.at("body"), step.body);
  --depth;
  if (!step.var.empty())
    variables.pop_back();
}

ProtocolStep Reader::step(const JsonReader &json) {
  ProtocolStep step;
  step.kind = choice(json.at("op"), "step", stepNames());
  if (status.isOk())
    switch (step.kind) {
    case StepKind::Step:
      step.ticks = json.at("ticks").natural(kMaxTicks);
      break;
    case StepKind::Present:
      step.name = name(json.at("stimulus"), "stimulus", scope.stimuli);
      step.data = data(json);
      break;
    case StepKind::Settle:
      settle(json, step);
      break;
    case StepKind::Enable:
      step.name = name(json.at("plastic"), "plasticity", scope.plastics);
      step.on = json.at("on").boolean();
      break;
    case StepKind::Call:
      step.name = name(json.at("plastic"), "plasticity", scope.plastics);
      break;
    case StepKind::Clamp:
      state(json, step);
      step.data = data(json);
      break;
    case StepKind::Release:
      state(json, step);
      break;
    case StepKind::Assign:
    case StepKind::AssignWeight:
      assign(json, step);
      break;
    case StepKind::Snapshot:
      snapshot(json, step);
      break;
    case StepKind::Restore:
      step.name = name(json.at("from"), "snapshot",
                       {snapshots.begin(), snapshots.end()});
      break;
    case StepKind::Readout:
      readout(json, step);
      break;
    case StepKind::Reset:
    case StepKind::Window:
      break;
    case StepKind::Phase:
    case StepKind::Repeat:
    case StepKind::ForEach:
      loop(json, step);
      break;
    }
  return step;
}

void Reader::steps(const JsonReader &list, std::vector<ProtocolStep> &steps) {
  for (size_t i = 0, n = list.size(); i < n && status.isOk(); ++i)
    steps.push_back(step(list[i]));
}

void Reader::metric(const JsonReader &json, Metric &metric) {
  metric.kind = choice(json.at("kind"), "metric", metricNames());
  metric.difference = json.boolean("difference", false);
  switch (metric.kind) {
  case MetricKind::SpikeCount:
  case MetricKind::RateHz:
  case MetricKind::CvIsi:
  case MetricKind::EqualSpikesMs:
    metric.probe = name(json.at("probe"), "probe", scope.probes);
    metric.fromMs = json.number("from_ms", 0);
    metric.toMs = json.number("to_ms", -1);
    return;
  case MetricKind::Stat:
    metric.stat = json.at("stat").string();
    return;
  default:
    break;
  }
  metric.table = name(json.at("table"), "result table", tableNames());
  bool compares = metric.kind == MetricKind::Accuracy ||
                  metric.kind == MetricKind::MaxError ||
                  metric.kind == MetricKind::RmsError ||
                  metric.kind == MetricKind::Cosine ||
                  metric.kind == MetricKind::Overlap;
  if (compares) {
    std::vector<std::string> known = scope.datasets;
    known.insert(known.end(), tables.begin(), tables.end());
    metric.against = name(json.at("against"), "dataset or result table", known);
    metric.againstTable =
        std::find(scope.datasets.begin(), scope.datasets.end(),
                  metric.against) == scope.datasets.end();
  }
  if (json.has("row"))
    metric.row = json.at("row").integer();
  if (json.has("column"))
    metric.column = json.at("column").integer();
  if (json.has("over"))
    metric.over = json.at("over").integer();
}

void Reader::expectation(const JsonReader &json, Expectation &expectation) {
  expectation.name = json.at("name").string();
  metric(json.at("metric"), expectation.metric);
  if (json.has("min"))
    expectation.min = json.at("min").number();
  if (json.has("max"))
    expectation.max = json.at("max").number();
  if (!expectation.min && !expectation.max)
    json.error("expects nothing: give min, max or both");
  if (json.has("targets"))
    expectation.targets = json.at("targets").strings();
}

Status parseProtocol(std::string_view text, const ProtocolScope &scope,
                     Protocol &protocol) {
  Json json;
  if (Status status = parseJson(text, "experiment", json); !status)
    return status;
  Status status;
  JsonReader root(json, "experiment", status);
  Reader reader(scope, status);
  protocol.name = root.string("name", "");
  reader.steps(root.at("steps"), protocol.steps);
  if (status.isOk() && root.has("expect")) {
    JsonReader list = root.at("expect");
    for (size_t i = 0, n = list.size(); i < n && status.isOk(); ++i)
      reader.expectation(list[i], protocol.expectations.emplace_back());
  }
  return status;
}

} // namespace neuroc::rt
