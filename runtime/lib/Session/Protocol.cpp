// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Reads manifest["experiment"] (schema: Protocol.h). One function per group of
// steps; every name is looked up in the scope, every table must be written
// before it is read, and errors carry the element's path.
#include "neuroc/rt/HostMath.h"
#include "neuroc/rt/Json.h"
#include "neuroc/rt/Protocol.h"

#include <algorithm>
#include <set>

namespace neuroc::rt {

namespace {
constexpr int kMaxNesting = 16;
constexpr uint64_t kMaxTicks = uint64_t(1) << 40;
constexpr uint64_t kMaxRegisters = uint64_t(1) << 20;

template <typename Enum>
using Names = std::vector<std::pair<const char *, Enum>>;

class Reader {
public:
  Reader(const ProtocolScope &scope, Status &status)
      : scope(scope), status(status) {}
  void steps(const JsonReader &list, std::vector<ProtocolStep> &steps);
  void expectation(const JsonReader &json, Expectation &expectation);
  uint32_t registerCount() const { return uint32_t(registers.size()); }

private:
  ProtocolStep step(const JsonReader &json);
  void loop(const JsonReader &json, ProtocolStep &step);
  void settle(const JsonReader &json, ProtocolStep &step);
  void assign(const JsonReader &json, ProtocolStep &step);
  void snapshot(const JsonReader &json, ProtocolStep &step);
  void readout(const JsonReader &json, ProtocolStep &step);
  void state(const JsonReader &json, ProtocolStep &step);
  void metric(const JsonReader &json, Metric &metric);
  void stream(const JsonReader &json, ProtocolStep &step);
  void literal(const JsonReader &json, ProtocolStep &step);
  void read(const JsonReader &json, ProtocolStep &step);
  void calc(const JsonReader &json, ProtocolStep &step);
  void store(const JsonReader &json, ProtocolStep &step);
  void branch(const JsonReader &json, ProtocolStep &step);
  void body(const JsonReader &json, std::vector<ProtocolStep> &steps);
  uint32_t use(const JsonReader &json);
  uint32_t define(const JsonReader &json);
  void anyState(const JsonReader &json, const std::string &owner,
                ProtocolStep &step);
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
  std::vector<std::string> variables; ///< of rows, in scope
  std::set<std::string> stored;       ///< the host's variables
  /// Registers seen here; those of bodies that have ended are false.
  std::vector<bool> registers;
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
      {"repeat", StepKind::Repeat},     {"for_each", StepKind::ForEach},
      {"stream", StepKind::Stream},     {"literal", StepKind::Literal},
      {"read", StepKind::Read},         {"calc", StepKind::Calc},
      {"store", StepKind::Store},       {"if", StepKind::If},
      {"while", StepKind::While}};
  return names;
}

static const Names<HostKind> &hostKinds() {
  static const Names<HostKind> names = {
      {"state", HostKind::State},       {"weight", HostKind::Weight},
      {"signal", HostKind::Signal},     {"variable", HostKind::Variable},
      {"table", HostKind::Table},       {"dataset", HostKind::Dataset}};
  return names;
}

static const Names<Reduce> &reductions(bool ofHost) {
  static const Names<Reduce> names = {
      {"last", Reduce::Last},   {"mean", Reduce::Mean},
      {"sum", Reduce::Sum},     {"count", Reduce::Count},
      {"max", Reduce::Max},     {"argmax", Reduce::Argmax}};
  static const Names<Reduce> more = [] {
    Names<Reduce> list = names;
    list.push_back({"samples", Reduce::Samples});
    return list;
  }();
  return ofHost ? more : names;
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
  bool all = !json.has("populations") && !json.has("weights") &&
             !json.has("plastics");
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
  step.plastics = list("plastics", scope.plastics);
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
      step.reduce = choice(json.at("reduce"), "reduction", reductions(false));
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
    if (json.has("shuffled"))
      step.shuffled = json.at("shuffled").integer();
    step.batched = json.boolean("batched", false);
  } else if (step.kind == StepKind::Repeat) {
    step.ticks = json.at("count").natural(kMaxTicks);
  } else {
    step.name = json.at("name").string();
  }
  if (step.kind != StepKind::Phase && json.has("var"))
    step.var = json.at("var").string();
  if (step.kind != StepKind::Phase && json.has("counter")) {
    step.counter = json.at("counter").string();
    stored.insert(step.counter);
  }
  if (!step.var.empty())
    variables.push_back(step.var);
  body(json.at("body"), step.body);
  if (!step.var.empty())
    variables.pop_back();
}

/// The steps of a loop, phase or branch; what they define ends with them.
void Reader::body(const JsonReader &json, std::vector<ProtocolStep> &into) {
  if (++depth > kMaxNesting) {
    json.error("loops, phases and branches nest deeper than " +
               std::to_string(kMaxNesting));
  } else {
    std::vector<bool> outer = registers;
    steps(json, into);
    outer.resize(registers.size(), false);
    registers = std::move(outer);
  }
  --depth;
}

//===----------------------------------------------------------------------===//
// What the host computes
//===----------------------------------------------------------------------===//

uint32_t Reader::use(const JsonReader &json) {
  uint64_t number = json.natural(kMaxRegisters);
  if (!json.failed() && (number >= registers.size() || !registers[number]))
    json.error("register " + std::to_string(number) + " has no value here");
  return uint32_t(number);
}

uint32_t Reader::define(const JsonReader &json) {
  uint64_t number = json.natural(kMaxRegisters);
  if (json.failed())
    return 0;
  if (number >= registers.size())
    registers.resize(number + 1, false);
  registers[number] = true;
  return uint32_t(number);
}

void Reader::literal(const JsonReader &json, ProtocolStep &step) {
  step.host.out = define(json.at("out"));
  step.host.shape = json.at("shape").integers(0);
  step.data.values = json.at("values").numbers();
  uint64_t count = 1;
  for (int64_t extent : step.host.shape) {
    count = uint64_t(extent) > uint64_t(kHostElements)
                ? uint64_t(kHostElements) + 1
                : count * uint64_t(extent);
    if (count > uint64_t(kHostElements))
      return json.at("shape").error("has more than 2^27 elements");
  }
  if (!json.failed() && count != step.data.values.size())
    json.at("values").error("expected " + std::to_string(count) +
                            " values for the shape");
}

/// `state` of a population or plastic.
void Reader::anyState(const JsonReader &json, const std::string &owner,
                      ProtocolStep &step) {
  std::vector<std::string> owners;
  for (const auto *map : {&scope.states, &scope.synapseStates})
    for (const auto &[each, states] : *map)
      owners.push_back(each);
  step.population = owner;
  if (std::find(owners.begin(), owners.end(), owner) == owners.end())
    return json.error("no population or plasticity '" + owner + "'" +
                      suggestName(owner, owners));
  auto it = scope.states.find(owner);
  step.state = name(json.at("state"), "state",
                    it != scope.states.end()
                        ? it->second
                        : scope.synapseStates.find(owner)->second);
}

void Reader::read(const JsonReader &json, ProtocolStep &step) {
  step.host.kind = choice(json.at("of"), "kind", hostKinds());
  JsonReader source = json.at("source");
  if (json.has("snapshot")) {
    step.host.snapshot = name(json.at("snapshot"), "snapshot",
                              {snapshots.begin(), snapshots.end()});
    if (step.host.kind != HostKind::State && step.host.kind != HostKind::Weight)
      json.at("snapshot").error("holds states and weights only");
  }
  switch (step.host.kind) {
  case HostKind::State:
    anyState(json, source.string(), step);
    break;
  case HostKind::Weight:
    step.name = name(source, "weight", scope.weights);
    break;
  case HostKind::Signal:
    step.name = name(source, "probe", scope.probes);
    if (json.has("reduce"))
      step.reduce = choice(json.at("reduce"), "reduction", reductions(true));
    break;
  case HostKind::Variable:
    step.name = name(source, "variable", {stored.begin(), stored.end()});
    break;
  case HostKind::Table:
    step.name = name(source, "result table", tableNames());
    break;
  case HostKind::Dataset:
    step.name = name(source, "dataset", scope.datasets);
    if (json.has("row"))
      step.host.row = index(json.at("row"));
    break;
  }
  step.host.out = define(json.at("out"));
}

void Reader::calc(const JsonReader &json, ProtocolStep &step) {
  std::vector<std::string> known;
  for (const HostFunction &function : kHostFunctions)
    known.push_back(function.name);
  std::string text = name(json.at("function"), "function", known);
  const HostFunction *function = findHostFunction(text);
  JsonReader in = json.at("in");
  for (size_t i = 0, n = in.size(); i < n && !json.failed(); ++i)
    step.host.operands.push_back(use(in[i]));
  if (json.has("axis"))
    step.host.axis = json.at("axis").integer(-8, 8);
  if (function && !json.failed()) {
    step.host.function = unsigned(function - kHostFunctions);
    int count = int(step.host.operands.size());
    if (count < function->least ||
        (function->most >= 0 && count > function->most))
      in.error(std::string("is written ") + function->usage + ", but has " +
               std::to_string(count) + " operands");
    else if (step.host.axis && !function->axis)
      json.at("axis").error("'" + text + "' takes no axis");
  }
  step.host.out = define(json.at("out"));
}

void Reader::store(const JsonReader &json, ProtocolStep &step) {
  step.host.operands.push_back(use(json.at("value")));
  step.host.kind = choice(json.at("into"), "kind", hostKinds());
  JsonReader target = json.at("target");
  step.on = json.boolean("clamp", false);
  if (step.on && step.host.kind != HostKind::State)
    json.at("clamp").error("only a state can be clamped");
  switch (step.host.kind) {
  case HostKind::State:
    anyState(json, target.string(), step);
    break;
  case HostKind::Weight:
    step.name = name(target, "weight", scope.weights);
    break;
  case HostKind::Signal:
    step.name = name(target, "stimulus", scope.stimuli);
    break;
  case HostKind::Variable:
    step.name = target.string();
    stored.insert(step.name);
    break;
  case HostKind::Table:
    step.name = target.string();
    tables.insert(step.name);
    break;
  case HostKind::Dataset:
    json.at("into").error("a dataset cannot be changed");
    break;
  }
}

void Reader::branch(const JsonReader &json, ProtocolStep &step) {
  if (step.kind == StepKind::If) {
    step.host.operands.push_back(use(json.at("condition")));
    body(json.at("body"), step.body);
    if (json.has("else"))
      body(json.at("else"), step.other);
    return;
  }
  step.ticks = json.at("max").natural(kMaxTicks);
  step.host.bodyFirst = json.boolean("body_first", false);
  if (step.host.bodyFirst)
    body(json.at("body"), step.body);
  body(json.at("condition"), step.other);
  step.name =
      name(json.at("until"), "variable", {stored.begin(), stored.end()});
  if (!step.host.bodyFirst)
    body(json.at("body"), step.body);
}

void Reader::stream(const JsonReader &json, ProtocolStep &step) {
  JsonReader inputs = json.at("inputs");
  for (size_t i = 0, n = inputs.size(); i < n && !json.failed(); ++i)
    step.inputs.emplace_back(
        name(inputs[i].at("stimulus"), "stimulus", scope.stimuli),
        name(inputs[i].at("dataset"), "dataset", scope.datasets));
  if (step.inputs.empty() && !json.failed())
    inputs.error("expected at least one stimulus");
  if (json.has("first"))
    step.first = json.at("first").integer(0);
  if (json.has("count"))
    step.count = json.at("count").integer(0);
  if (json.has("every"))
    step.every = uint64_t(json.at("every").integer(1, 1 << 30));
}

ProtocolStep Reader::step(const JsonReader &json) {
  ProtocolStep step;
  step.kind = choice(json.at("op"), "step", stepNames());
  if (json.isObject() && json.has("at"))
    step.at = json.at("at").string();
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
    case StepKind::Stream:
      stream(json, step);
      break;
    case StepKind::Literal:
      literal(json, step);
      break;
    case StepKind::Read:
      read(json, step);
      break;
    case StepKind::Calc:
      calc(json, step);
      break;
    case StepKind::Store:
      store(json, step);
      break;
    case StepKind::If:
    case StepKind::While:
      branch(json, step);
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
  protocol.registers = reader.registerCount();
  if (status.isOk() && root.has("expect")) {
    JsonReader list = root.at("expect");
    for (size_t i = 0, n = list.size(); i < n && status.isOk(); ++i)
      reader.expectation(list[i], protocol.expectations.emplace_back());
  }
  return status;
}

} // namespace neuroc::rt
