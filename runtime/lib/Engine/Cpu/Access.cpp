// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What the session reads and writes between ticks. Values of units cross as
// [lane, unit] and lie in memory as [unit, lane]; matrices cross as [post, pre]
// and lie as [pre, post].

#include "CpuEngine.h"

#include <algorithm>

namespace neuroc::rt::cpu {

static Status unknownName(std::string_view what, std::string_view name) {
  return {Code::ModelError,
          "there is no " + std::string(what) + " '" + std::string(name) + "'"};
}

Status CpuEngine::checkCount(size_t given, size_t expected,
                             std::string_view what) {
  if (given == expected)
    return Status::ok();
  return {Code::ModelError, "'" + std::string(what) + "' needs " +
                                std::to_string(expected) + " values, got " +
                                std::to_string(given)};
}

Status CpuEngine::setStimulus(std::string_view name,
                              std::span<const double> given) {
  for (size_t i = 0; i < plan.stimuli.size(); ++i) {
    const SourcePlan &source = plan.stimuli[i];
    if (source.name != name)
      continue;
    if (Status status =
            checkUnits(given.size(), plan.signals[source.signal].units, name);
        !status)
      return status;
    auto *held = static_cast<double *>(program.data(source.buffer));
    for (size_t i = 0; i < plan.signals[source.signal].units; i += given.size())
      std::copy(given.begin(), given.end(), held + i);
    stimulusIsFresh[i] = true;
    return Status::ok();
  }
  return unknownName("stimulus", name);
}

Status CpuEngine::readProbe(unsigned probe, std::vector<double> &result) {
  if (probe >= plan.recorders.size())
    return {Code::Internal, "probe number out of range"};
  const RecorderPlan &recorder = plan.recorders[probe];
  if (recorder.signal == kNone) {
    readUnits(recorder.buffer, 0, recorder.units, result);
    return Status::ok();
  }
  const SignalPlan &signal = plan.signals[recorder.signal];
  // Slots are of the tick that ran last; before the first one all are zero.
  uint64_t last =
      now == 0 ? 0 : (now - 1 + signal.depth - recorder.delay) % signal.depth;
  readUnits(signal.buffer, last * signal.units, signal.units, result);
  return Status::ok();
}

Status CpuEngine::findState(std::string_view population,
                            std::string_view variable, uint32_t &number,
                            uint32_t &buffer) const {
  for (size_t p = 0; p < plan.populations.size(); ++p) {
    if (plan.populations[p].name != population)
      continue;
    for (const StatePlan &state : plan.populations[p].states)
      if (state.name == variable) {
        number = uint32_t(p);
        buffer = state.buffer;
        return Status::ok();
      }
    return unknownName("state",
                       std::string(population) + "." + std::string(variable));
  }
  return unknownName("population", population);
}

bool CpuEngine::findSynapseState(std::string_view plastic,
                                 std::string_view variable,
                                 const WeightPlan *&weight,
                                 uint32_t &buffer) const {
  for (const PlasticPlan &candidate : plan.plastics)
    if (candidate.name == plastic)
      for (const StatePlan &state : candidate.states)
        if (state.name == variable) {
          weight = &plan.weights[candidate.weight];
          buffer = state.buffer;
          return true;
        }
  return false;
}

Status CpuEngine::readState(std::string_view population,
                            std::string_view variable,
                            std::vector<double> &result) {
  uint32_t number, buffer;
  const WeightPlan *weight;
  if (findSynapseState(population, variable, weight, buffer)) {
    readSynapses(*weight, buffer, result);
    return Status::ok();
  }
  if (Status status = findState(population, variable, number, buffer); !status)
    return status;
  readUnits(buffer, 0, plan.populations[number].units, result);
  return Status::ok();
}

Status CpuEngine::writeState(std::string_view population,
                             std::string_view variable,
                             std::span<const double> given) {
  uint32_t number, buffer;
  const WeightPlan *weight;
  if (findSynapseState(population, variable, weight, buffer)) {
    if (Status status = checkCount(given.size(), weight->count, variable);
        !status)
      return status;
    writeSynapses(*weight, buffer, given);
    return Status::ok();
  }
  if (Status status = findState(population, variable, number, buffer); !status)
    return status;
  if (Status status =
          checkUnits(given.size(), plan.populations[number].units, variable);
      !status)
    return status;
  uint64_t units = plan.populations[number].units;
  for (size_t i = 0; i < units; ++i)
    put(buffer, place(i, units), given[i % given.size()]);
  return Status::ok();
}

Status CpuEngine::clampState(std::string_view population,
                             std::string_view variable,
                             std::span<const double> given) {
  uint32_t number, buffer;
  if (Status status = findState(population, variable, number, buffer); !status)
    return status;
  if (!given.empty())
    if (Status status =
            checkUnits(given.size(), plan.populations[number].units, variable);
        !status)
      return status;
  std::erase_if(clamps, [&](const Clamp &c) { return c.buffer == buffer; });
  if (given.empty())
    return Status::ok();
  Clamp clamp{number, buffer,
              std::vector<double>(plan.populations[number].units)};
  for (size_t i = 0; i < clamp.values.size(); ++i)
    clamp.values[i] = given[i % given.size()];
  clamps.push_back(std::move(clamp));
  applyClamps(number);
  return Status::ok();
}

const WeightPlan *CpuEngine::findWeight(std::string_view name) const {
  for (const WeightPlan &weight : plan.weights)
    if (weight.name == name)
      return &weight;
  return nullptr;
}

/// One value per synapse, of a weight or a state: matrices lie as [pre, post]
/// and cross as [post, pre].
void CpuEngine::readSynapses(const WeightPlan &weight, uint32_t buffer,
                             std::vector<double> &result) const {
  if (!weight.isMatrix)
    return read(buffer, 0, weight.count, result);
  result.resize(weight.count);
  for (uint64_t pre = 0; pre < weight.pre; ++pre)
    for (uint64_t post = 0; post < weight.post; ++post)
      result[post * weight.pre + pre] =
          exists(weight, pre * weight.post + post)
              ? get(buffer, pre * weight.post + post)
              : 0.0;
}

void CpuEngine::writeSynapses(const WeightPlan &weight, uint32_t buffer,
                              std::span<const double> given) {
  if (!weight.isMatrix) {
    for (uint64_t i = 0; i < weight.count; ++i)
      put(buffer, i, given[i]);
    return;
  }
  for (uint64_t pre = 0; pre < weight.pre; ++pre)
    for (uint64_t post = 0; post < weight.post; ++post) {
      uint64_t place = pre * weight.post + post;
      put(buffer, place,
          exists(weight, place) ? given[post * weight.pre + pre] : 0.0);
    }
}

Status CpuEngine::readWeight(std::string_view name,
                             std::vector<double> &result) {
  const WeightPlan *weight = findWeight(name);
  if (!weight)
    return unknownName("weight", name);
  readSynapses(*weight, weight->buffer, result);
  return Status::ok();
}

Status CpuEngine::writeWeight(std::string_view name,
                              std::span<const double> given) {
  const WeightPlan *weight = findWeight(name);
  if (!weight)
    return unknownName("weight", name);
  if (Status status = checkCount(given.size(), weight->count, name); !status)
    return status;
  isWritten[size_t(weight - plan.weights.data())] = true;
  writeSynapses(*weight, weight->buffer, given);
  return Status::ok();
}

Status CpuEngine::setPlasticEnabled(std::string_view name, bool on) {
  for (size_t i = 0; i < plan.plastics.size(); ++i)
    if (plan.plastics[i].name == name) {
      enabled[i] = on;
      return Status::ok();
    }
  return unknownName("plasticity", name);
}

Status CpuEngine::callRule(std::string_view name) {
  for (const PlasticPlan &plastic : plan.plastics)
    if (plastic.name == name) {
      if (plastic.onCall == kNone)
        return {Code::ModelError, "the rule of '" + std::string(name) +
                                      "' has no handler 'on call'"};
      FlushDenormals flush(flushes);
      call(plastic.onCall);
      return Status::ok();
    }
  return unknownName("plasticity", name);
}

Status CpuEngine::stats(Stats &stats) const {
  stats["spikes"] = spikeCount;
  stats["synaptic_events"] = eventCount;
  return Status::ok();
}

} // namespace neuroc::rt::cpu
