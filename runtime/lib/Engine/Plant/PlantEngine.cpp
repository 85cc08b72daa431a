// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A program of two parts: a machine, and beside it the plants that the host
// computes. Both advance tick by tick; what the plants read of the machine is
// of the same tick, what the machine reads of the plants is of the tick before.
// Names go to the part that has them; records come in the order of the whole
// program's probes.
#include "neuroc/rt/Container.h"
#include "neuroc/rt/Engines.h"
#include "neuroc/rt/Json.h"

#include <algorithm>
#include <set>

namespace neuroc::rt {

namespace {

/// What one part records in a tick.
class TickRecords : public RecordSink {
public:
  struct Record {
    bool isSpikes;
    std::vector<uint32_t> units;
    std::vector<double> values;
  };
  void spikes(unsigned probe, uint64_t,
              std::span<const uint32_t> units) override {
    records[probe] = {true, {units.begin(), units.end()}, {}};
  }
  void values(unsigned probe, uint64_t,
              std::span<const double> values) override {
    records[probe] = {false, {}, {values.begin(), values.end()}};
  }
  std::map<unsigned, Record> records;
};

struct Part {
  std::unique_ptr<Engine> engine;
  std::set<std::string, std::less<>> populations, stimuli, weights, plastics;
  TickRecords records;

  /// Number of a probe, or -1.
  int findProbe(std::string_view name) const {
    const std::vector<ProbeInfo> &probes = engine->probes();
    for (size_t i = 0; i < probes.size(); ++i)
      if (probes[i].name == name)
        return int(i);
    return -1;
  }
};

struct Link {
  unsigned from, to, probe;
  std::string stimulus;
  uint64_t size = 1;
};

class PlantEngine : public Engine {
public:
  Status open(const Container &program, const EngineOptions &options);

  Status reset() override;
  Status step(uint64_t ticks, RecordSink *sink) override;
  uint64_t tick() const override { return parts[0].engine->tick(); }
  const std::vector<ProbeInfo> &probes() const override { return infos; }
  Status setStimulus(std::string_view name,
                     std::span<const double> values) override;
  Status readProbe(unsigned probe, std::vector<double> &values) override;
  Status readState(std::string_view population, std::string_view variable,
                   std::vector<double> &values) override {
    return owner(population).readState(population, variable, values);
  }
  Status writeState(std::string_view population, std::string_view variable,
                    std::span<const double> values) override {
    return owner(population).writeState(population, variable, values);
  }
  Status clampState(std::string_view population, std::string_view variable,
                    std::span<const double> values) override {
    return owner(population).clampState(population, variable, values);
  }
  Status readWeight(std::string_view weight,
                    std::vector<double> &values) override {
    return owner(weight).readWeight(weight, values);
  }
  Status writeWeight(std::string_view weight,
                     std::span<const double> values) override;
  Status setPlasticEnabled(std::string_view plastic, bool enabled) override {
    return owner(plastic).setPlasticEnabled(plastic, enabled);
  }
  Status callRule(std::string_view plastic) override {
    return owner(plastic).callRule(plastic);
  }
  Status stats(Stats &stats) const override;

private:
  Status openPart(const Container &program, const JsonReader &json,
                  const EngineOptions &options);
  Status readLinks(const JsonReader &json);
  Status carry(bool toPlant);
  /// The engine that has the population, weight or plastic; the machine's where
  /// none has, which says so.
  Engine &owner(std::string_view name) {
    for (Part &part : parts)
      if (part.populations.count(name) || part.weights.count(name) ||
          part.plastics.count(name))
        return *part.engine;
    return *parts[0].engine;
  }

  std::vector<Part> parts; ///< machine, plant
  std::vector<Link> links;
  std::vector<ProbeInfo> infos;
  std::vector<std::pair<unsigned, unsigned>> places; ///< part, its number
};

Status PlantEngine::openPart(const Container &program, const JsonReader &json,
                             const EngineOptions &options) {
  std::string member = json.at("member").string();
  if (json.failed())
    return Status::ok(); // reported by the caller
  std::shared_ptr<const Container> inner;
  if (Status s = Container::read(program.bytes(member),
                                 program.origin() + ":" + member, inner);
      !s)
    return s;
  Part part;
  Json manifest;
  if (Status s = parseJson(inner->manifest(), inner->origin(), manifest); !s)
    return s;
  Status status;
  JsonReader root(manifest, inner->origin() + ": manifest", status);
  auto names = [&](const char *list, auto &into) {
    JsonReader items = root.at(list);
    for (size_t i = 0; i < items.size() && !items.failed(); ++i)
      into.insert(items[i].at("name").string());
  };
  names("populations", part.populations);
  names("stimuli", part.stimuli);
  names("weights", part.weights);
  names("plastics", part.plastics);
  if (!status)
    return status;
  if (Status s = createEngine(inner, options, part.engine); !s)
    return s;
  parts.push_back(std::move(part));
  return Status::ok();
}

Status PlantEngine::readLinks(const JsonReader &json) {
  for (size_t i = 0; i < json.size() && !json.failed(); ++i) {
    Link link;
    link.to = json[i].at("to_plant").boolean() ? 1 : 0;
    link.from = 1 - link.to;
    link.stimulus = json[i].at("name").string();
    int probe = parts[link.from].findProbe(link.stimulus);
    if (probe < 0 || !parts[link.to].stimuli.count(link.stimulus)) {
      json[i].error("no probe and stimulus of that name");
      break;
    }
    link.probe = unsigned(probe);
    for (int64_t extent : parts[link.from].engine->probes()[link.probe].shape)
      link.size *= uint64_t(extent);
    links.push_back(link);
  }
  return Status::ok();
}

Status PlantEngine::open(const Container &program,
                         const EngineOptions &options) {
  Json manifest;
  if (Status s = parseJson(program.manifest(), program.origin(), manifest); !s)
    return s;
  Status status;
  JsonReader root(manifest, program.origin() + ": manifest", status);
  JsonReader list = root.at("program").at("parts");
  if (list.size() != 2)
    list.error("expected two parts");
  EngineOptions own = options;
  for (size_t i = 0; i < 2 && !list.failed(); ++i) {
    if (Status s = openPart(program, list[i], own); !s)
      return s;
    own.traceFile.clear(); // trace and settings are the machine's
    own.config.clear();
  }
  if (status)
    if (Status s = readLinks(root.at("program").at("links")); !s)
      return s;
  JsonReader probes = root.at("probes");
  for (size_t i = 0; i < probes.size() && !probes.failed(); ++i) {
    std::string name = probes[i].at("name").string();
    int found = -1;
    for (unsigned part = 0; part < parts.size() && found < 0; ++part)
      if ((found = parts[part].findProbe(name)) >= 0) {
        places.push_back({part, unsigned(found)});
        infos.push_back(parts[part].engine->probes()[size_t(found)]);
      }
    if (found < 0)
      probes[i].error("in no part");
  }
  return status;
}

Status PlantEngine::reset() {
  for (Part &part : parts)
    if (Status s = part.engine->reset(); !s)
      return s;
  for (const Link &link : links) // nothing has been sent yet
    if (Status s = parts[link.to].engine->setStimulus(
            link.stimulus, std::vector<double>(link.size, 0.0));
        !s)
      return s;
  return Status::ok();
}

/// Makes what one part has sent in this tick the other's stimuli.
Status PlantEngine::carry(bool toPlant) {
  std::vector<double> values;
  for (const Link &link : links) {
    if ((link.to == 1) != toPlant)
      continue;
    if (Status s = parts[link.from].engine->readProbe(link.probe, values); !s)
      return s;
    if (Status s = parts[link.to].engine->setStimulus(link.stimulus, values);
        !s)
      return s;
  }
  return Status::ok();
}

Status PlantEngine::step(uint64_t ticks, RecordSink *sink) {
  for (uint64_t i = 0; i < ticks; ++i) {
    uint64_t now = tick();
    for (bool plant : {false, true}) {
      Part &part = parts[plant];
      part.records.records.clear();
      if (plant)
        if (Status s = carry(true); !s)
          return s;
      if (Status s = part.engine->step(1, sink ? &part.records : nullptr); !s)
        return s;
    }
    if (Status s = carry(false); !s)
      return s;
    for (unsigned probe = 0; sink && probe < places.size(); ++probe) {
      auto &records = parts[places[probe].first].records.records;
      auto found = records.find(places[probe].second);
      if (found == records.end())
        continue;
      if (found->second.isSpikes)
        sink->spikes(probe, now, found->second.units);
      else
        sink->values(probe, now, found->second.values);
    }
  }
  return Status::ok();
}

Status PlantEngine::setStimulus(std::string_view name,
                                std::span<const double> values) {
  bool known = false;
  for (Part &part : parts)
    if (part.stimuli.count(name)) {
      known = true;
      if (Status s = part.engine->setStimulus(name, values); !s)
        return s;
    }
  return known ? Status::ok() : parts[0].engine->setStimulus(name, values);
}

Status PlantEngine::readProbe(unsigned probe, std::vector<double> &values) {
  if (probe >= places.size())
    return {Code::Internal, "probe number out of range"};
  auto [part, number] = places[probe];
  return parts[part].engine->readProbe(number, values);
}

Status PlantEngine::writeWeight(std::string_view weight,
                                std::span<const double> values) {
  bool known = false;
  for (Part &part : parts)
    if (part.weights.count(weight)) {
      known = true;
      if (Status s = part.engine->writeWeight(weight, values); !s)
        return s;
    }
  return known ? Status::ok() : parts[0].engine->writeWeight(weight, values);
}

/// The machine's, with the spikes and events of both.
Status PlantEngine::stats(Stats &stats) const {
  if (Status s = parts[0].engine->stats(stats); !s)
    return s;
  Stats host;
  if (Status s = parts[1].engine->stats(host); !s)
    return s;
  for (const char *key : {"spikes", "synaptic_events"})
    stats[key] += host[key];
  return Status::ok();
}

} // namespace

Status createPlantEngine(std::shared_ptr<const Container> program,
                         const EngineOptions &options,
                         std::unique_ptr<Engine> &engine) {
  auto made = std::make_unique<PlantEngine>();
  if (Status s = made->open(*program, options); !s)
    return s;
  engine = std::move(made);
  return Status::ok();
}

} // namespace neuroc::rt
