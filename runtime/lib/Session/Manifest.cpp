// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Reads the shared part of a manifest: names, shapes and the experiment.
// Shapes are bounded so that sizes computed from them cannot overflow.
#include "neuroc/rt/Manifest.h"
#include "neuroc/rt/Json.h"

#include <set>

namespace neuroc::rt {

static std::vector<int64_t> readShape(const JsonReader &json, uint64_t &size) {
  std::vector<int64_t> shape = json.integers(1);
  if (shape.size() > 8)
    json.error("expected at most 8 dimensions");
  size = 1;
  for (int64_t extent : shape) {
    if (uint64_t(extent) > (uint64_t(1) << 40) / size) {
      json.error("has more than 2^40 elements");
      break;
    }
    size *= uint64_t(extent);
  }
  return shape;
}

/// Calls `read` for each element of the list `key`, which may be missing, and
/// refuses a second element of one name.
template <typename Fn>
static void readList(const JsonReader &root, const char *key, Fn read) {
  if (!root.has(key))
    return;
  JsonReader list = root.at(key);
  std::set<std::string> names;
  for (size_t i = 0, n = list.size(); i < n && !root.failed(); ++i) {
    std::string name = list[i].at("name").string();
    if (!names.insert(name).second)
      list[i].error("repeats the name '" + name + "'");
    read(list[i], name);
  }
}

static void readNodes(const JsonReader &root, Manifest &manifest) {
  readList(root, "populations", [&](const JsonReader &json, std::string name) {
    PopulationInfo info;
    info.name = name;
    info.model = json.string("model", "");
    info.shape = readShape(json.at("shape"), info.size);
    info.states = json.at("states").strings();
    manifest.populations.push_back(std::move(info));
  });
  readList(root, "stimuli", [&](const JsonReader &json, std::string name) {
    StimulusInfo info;
    info.name = name;
    info.label = json.string("label", name);
    info.isSpikes = json.string("kind", "values") == "spikes";
    info.shape = readShape(json.at("shape"), info.size);
    manifest.stimuli.push_back(std::move(info));
  });
  readList(root, "probes", [&](const JsonReader &json, std::string name) {
    ProbeInfo info;
    uint64_t size;
    info.name = name;
    info.isSpikes = json.string("kind", "values") == "spikes";
    info.shape = readShape(json.at("shape"), size);
    if (json.has("every"))
      info.every = unsigned(json.at("every").integer(1, INT32_MAX));
    manifest.probes.push_back(std::move(info));
    manifest.probeLabels.push_back(json.string("label", name));
    manifest.probeIsOutput.push_back(json.boolean("output", false));
  });
}

static void readRest(const JsonReader &root, const Container &program,
                     Manifest &manifest) {
  readList(root, "weights", [&](const JsonReader &json, std::string name) {
    uint64_t count =
        json.has("synapses") ? json.at("synapses").natural() : 0;
    WeightInfo info{name, json.string("layout", ""), {}, count};
    if (info.layout == "dense" && json.has("pre") && json.has("post")) {
      uint64_t pre = 1, post = 1;
      readShape(json.at("pre"), pre);
      readShape(json.at("post"), post);
      info.shape = {int64_t(post), int64_t(pre)};
    }
    manifest.weights.push_back(std::move(info));
  });
  readList(root, "plastics", [&](const JsonReader &json, std::string name) {
    PlasticInfo info{name, json.at("weight").string(), {}};
    if (json.has("states"))
      info.states = json.at("states").strings();
    manifest.plastics.push_back(std::move(info));
  });
  readList(root, "datasets", [&](const JsonReader &json, std::string name) {
    std::string member = json.at("member").string();
    if (!json.failed() && !program.has(member))
      json.at("member").error("the program has no member '" + member + "'");
    manifest.datasets.push_back({name, member});
  });
}

Status readManifest(const Container &program, Manifest &manifest) {
  Json json;
  std::string where = program.origin() + ": manifest.json";
  if (Status status = parseJson(program.manifest(), where, json); !status)
    return status;
  Status status;
  JsonReader root(json, where, status);
  manifest.target = root.at("target").string();
  manifest.machine = root.string("machine", "");
  manifest.compiler = root.string("compiler", "");
  manifest.network = root.string("network", "");
  manifest.dtMs = root.at("dt_ms").number();
  if (status.isOk() && !(manifest.dtMs > 0))
    root.at("dt_ms").error("expected a positive number");
  manifest.seed = root.at("seed").natural();
  if (root.has("batch"))
    manifest.batch = root.at("batch").integer(1, 1 << 24);
  if (root.has("source"))
    manifest.source = root.at("source").string("name", "");
  readNodes(root, manifest);
  readRest(root, program, manifest);
  if (!status || !root.has("experiment"))
    return status;
  manifest.hasExperiment = true;
  status = parseProtocol(dumpJson(json["experiment"], -1), manifest.scope(),
                         manifest.experiment);
  if (!status)
    return {status.code(), where + ": " + status.message()};
  return status;
}

const PopulationInfo *Manifest::findPopulation(std::string_view name) const {
  for (const PopulationInfo &info : populations)
    if (info.name == name)
      return &info;
  return nullptr;
}

const StimulusInfo *Manifest::findStimulus(std::string_view name) const {
  for (const StimulusInfo &info : stimuli)
    if (info.name == name || info.label == name)
      return &info;
  return nullptr;
}

int Manifest::findProbe(std::string_view name) const {
  for (size_t i = 0; i < probes.size(); ++i)
    if (probes[i].name == name || probeLabels[i] == name)
      return int(i);
  return -1;
}

ProtocolScope Manifest::scope() const {
  ProtocolScope scope;
  for (const StimulusInfo &info : stimuli)
    scope.stimuli.push_back(info.name);
  for (const ProbeInfo &info : probes)
    scope.probes.push_back(info.name);
  for (const PlasticInfo &info : plastics) {
    scope.plastics.push_back(info.name);
    scope.synapseStates[info.name] = info.states;
  }
  for (const WeightInfo &info : weights)
    scope.weights.push_back(info.name);
  for (const DatasetInfo &info : datasets)
    scope.datasets.push_back(info.name);
  for (const PopulationInfo &info : populations)
    scope.states[info.name] = info.states;
  return scope;
}

} // namespace neuroc::rt
