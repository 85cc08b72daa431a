// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What the session reads and writes between the interpreter's ticks: stimuli,
// states, weights in their stored order, rules and counters.
#include "ReferenceEngine.h"

#include <cmath>

using namespace mlir;
using namespace neuroc;
using namespace neuroc::neuro;
using namespace neuroc::reference;
using rt::Code;
using rt::Status;

static Status unknownName(std::string_view what, std::string_view name) {
  return {Code::ModelError,
          "there is no " + std::string(what) + " '" + std::string(name) + "'"};
}

Status ReferenceEngine::checkCount(size_t given, size_t expected,
                                   std::string_view what) {
  if (given == expected)
    return Status::ok();
  return {Code::ModelError, "'" + std::string(what) + "' needs " +
                                std::to_string(expected) + " values, got " +
                                std::to_string(given)};
}

Status ReferenceEngine::assign(std::span<const double> given, Vector &values,
                               std::string_view what) {
  if (given.size() * lanes != values.size())
    if (Status status = checkCount(given.size(), values.size(), what); !status)
      return status;
  for (size_t i = 0; i < values.size(); ++i)
    values[i] = given[i % given.size()];
  return Status::ok();
}

Plastic *ReferenceEngine::findPlastic(std::string_view name) {
  for (auto &plastic : plastics)
    if (plastic->op.getSymName() == llvm::StringRef(name))
      return plastic.get();
  return nullptr;
}

Population *ReferenceEngine::findPopulation(std::string_view name) {
  auto it = populations.find(std::string(name));
  return it == populations.end() ? nullptr : it->second.get();
}

Status ReferenceEngine::findState(std::string_view population,
                                  std::string_view variable, Vector *&values,
                                  Population *&owner) {
  owner = findPopulation(population);
  if (!owner)
    return unknownName("population", population);
  auto it = owner->states.find(std::string(variable));
  if (it == owner->states.end())
    return unknownName("state",
                       std::string(population) + "." + std::string(variable));
  values = &it->second;
  return Status::ok();
}

Status ReferenceEngine::setStimulus(std::string_view name,
                                    std::span<const double> values) {
  auto it = stimuli.find(std::string(name));
  if (it == stimuli.end())
    return unknownName("stimulus", name);
  if (Status status = assign(values, it->second.values, name); !status)
    return status;
  it->second.isFresh = true;
  return Status::ok();
}

Status ReferenceEngine::readProbe(unsigned probe, Vector &values) {
  if (probe >= recorders.size())
    return {Code::Internal, "probe number out of range"};
  Recorder &recorder = recorders[probe];
  values = recorder.signal ? recorder.signal->now()
                           : recorder.population->states[recorder.variable];
  return Status::ok();
}

/// Whether values are stored in the order of the source array (dense rows, a
/// kernel), not one for each synapse; and how many there are.
static bool isStoredBySource(WeightOp op) {
  return isDenseLayout(op) || isa<ConvAttr>(op.getConnect());
}

static size_t getStoredCount(const Weight &weight) {
  WeightOp op = weight.op;
  if (isDenseLayout(op))
    return op.getNumPre() * op.getNumPost();
  if (auto conv = dyn_cast<ConvAttr>(op.getConnect()))
    return op.getPost()[0] * (op.getPre()[0] / conv.getGroups()) *
           conv.getKernel()[0] * conv.getKernel()[1];
  return weight.values.size();
}

/// Values of a weight's synapses as they are stored, and back.
static Vector toStored(const Weight &weight, const Vector &values) {
  if (!isStoredBySource(weight.op))
    return values;
  Vector stored(getStoredCount(weight), 0.0);
  for (size_t s = 0; s < values.size(); ++s)
    stored[weight.synapses.source[s]] = values[s];
  return stored;
}

static void fromStored(const Weight &weight, std::span<const double> stored,
                       Vector &values) {
  for (size_t s = 0; s < values.size(); ++s)
    values[s] =
        stored[isStoredBySource(weight.op) ? weight.synapses.source[s] : s];
}

Status ReferenceEngine::readState(std::string_view population,
                                  std::string_view variable, Vector &values) {
  if (Plastic *plastic = findPlastic(population)) {
    auto it = plastic->states.find(std::string(variable));
    if (it != plastic->states.end()) {
      values = toStored(*plastic->weight, it->second);
      return Status::ok();
    }
  }
  Vector *state;
  Population *owner;
  if (Status status = findState(population, variable, state, owner); !status)
    return status;
  values = *state;
  return Status::ok();
}

Status ReferenceEngine::writeState(std::string_view population,
                                   std::string_view variable,
                                   std::span<const double> values) {
  if (Plastic *plastic = findPlastic(population)) {
    auto it = plastic->states.find(std::string(variable));
    if (it != plastic->states.end()) {
      const Weight &weight = *plastic->weight;
      if (Status status =
              checkCount(values.size(), getStoredCount(weight), variable);
          !status)
        return status;
      fromStored(weight, values, it->second);
      return Status::ok();
    }
  }
  Vector *state;
  Population *owner;
  if (Status status = findState(population, variable, state, owner); !status)
    return status;
  return assign(values, *state, variable);
}

Status ReferenceEngine::clampState(std::string_view population,
                                   std::string_view variable,
                                   std::span<const double> values) {
  Vector *state;
  Population *owner;
  if (Status status = findState(population, variable, state, owner); !status)
    return status;
  if (values.empty()) {
    owner->clamps.erase(std::string(variable));
    return Status::ok();
  }
  Vector held(state->size());
  if (Status status = assign(values, held, variable); !status)
    return status;
  for (size_t i = 0; i < held.size(); ++i)
    if (!std::isnan(held[i]))
      (*state)[i] = held[i];
  owner->clamps[std::string(variable)] = held;
  return Status::ok();
}

Status ReferenceEngine::readWeight(std::string_view name, Vector &values) {
  auto it = weights.find(std::string(name));
  if (it == weights.end())
    return unknownName("weight", name);
  values = toStored(*it->second, it->second->values);
  return Status::ok();
}

Status ReferenceEngine::writeWeight(std::string_view name,
                                    std::span<const double> values) {
  auto it = weights.find(std::string(name));
  if (it == weights.end())
    return unknownName("weight", name);
  Weight &weight = *it->second;
  if (Status status = checkCount(values.size(), getStoredCount(weight), name);
      !status)
    return status;
  fromStored(weight, values, weight.values);
  return Status::ok();
}

Status ReferenceEngine::setPlasticEnabled(std::string_view name, bool enabled) {
  Plastic *plastic = findPlastic(name);
  if (!plastic)
    return unknownName("plasticity", name);
  plastic->isEnabled = enabled;
  return Status::ok();
}

Status ReferenceEngine::callRule(std::string_view name) {
  Plastic *plastic = findPlastic(name);
  if (!plastic)
    return unknownName("plasticity", name);
  if (succeeded(plastic->call(now, dt)))
    return Status::ok();
  return {Code::ModelError,
          "the rule of '" + std::string(name) + "' has no handler 'on call'"};
}

Status ReferenceEngine::stats(rt::Stats &stats) const {
  stats["spikes"] = spikeCount;
  stats["synaptic_events"] = eventCount;
  return Status::ok();
}
