// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What the host does between steps of the engine: reads arrays, computes with
// them, stores them, decides, and feeds streams of rows. Registers hold shared
// arrays, so that reading a variable or a dataset copies nothing.
#include "SessionImpl.h"

#include "neuroc/rt/HostMath.h"
#include "neuroc/rt/Text.h"

#include <algorithm>

namespace neuroc::rt {

void SessionImpl::warn(std::string message) {
  if (results->warnings.size() < 20)
    results->warnings.push_back(std::move(message));
}

//===----------------------------------------------------------------------===//
// Reading and storing
//===----------------------------------------------------------------------===//

static const PlasticInfo *findPlastic(const Manifest &manifest,
                                      std::string_view name) {
  for (const PlasticInfo &info : manifest.plastics)
    if (info.name == name)
      return &info;
  return nullptr;
}

/// What a refusal of states of synapses means.
static Status ofSynapses(Status status, const std::string &plastic,
                         const std::string &state, const std::string &target) {
  return {status.code(), "target '" + target +
                             "' gives no access to states of synapses ('" +
                             plastic + "." + state + "'): " + status.message()};
}

Status SessionImpl::readState(const std::string &owner,
                              const std::string &state,
                              std::vector<double> &values) {
  Status status = engine.readState(owner, state, values);
  if (!status && findPlastic(theManifest, owner))
    return ofSynapses(status, owner, state, theManifest.target);
  return status;
}

Status SessionImpl::writeState(const std::string &owner,
                               const std::string &state,
                               std::span<const double> values) {
  Status status = engine.writeState(owner, state, values);
  if (!status && findPlastic(theManifest, owner))
    return ofSynapses(status, owner, state, theManifest.target);
  return status;
}

static bool fills(std::span<const int64_t> shape, size_t size) {
  size_t count = 1;
  for (int64_t extent : shape)
    count *= size_t(extent);
  return count == size;
}

std::vector<int64_t> SessionImpl::weightShape(const std::string &weight,
                                              size_t size) const {
  for (const WeightInfo &info : theManifest.weights)
    if (info.name == weight && !info.shape.empty() && fills(info.shape, size))
      return info.shape;
  return {int64_t(size)};
}

std::vector<int64_t> SessionImpl::stateShape(const std::string &owner,
                                             size_t size) const {
  if (const PopulationInfo *info = theManifest.findPopulation(owner))
    if (fills(info->shape, size))
      return info->shape;
  if (const PlasticInfo *info = findPlastic(theManifest, owner))
    return weightShape(info->weight, size);
  return {int64_t(size)};
}

Status SessionImpl::readHost(const ProtocolStep &step) {
  auto array = std::make_shared<Array>();
  Status status;
  switch (step.host.kind) {
  case HostKind::State:
  case HostKind::Weight: {
    bool weight = step.host.kind == HostKind::Weight;
    std::vector<double> &values = array->values;
    if (step.host.snapshot.empty()) {
      status = weight ? engine.readWeight(step.name, values)
                      : readState(step.population, step.state, values);
    } else {
      auto it = snapshots.find(step.host.snapshot);
      if (it == snapshots.end())
        return {Code::ModelError, "snapshot '" + step.host.snapshot +
                                      "' is read before it is taken"};
      const Snapshot &copy = it->second;
      auto w = copy.weights.find(step.name);
      auto s = copy.states.find({step.population, step.state});
      if (weight ? w == copy.weights.end() : s == copy.states.end())
        return {Code::ModelError,
                "snapshot '" + step.host.snapshot + "' does not hold '" +
                    (weight ? step.name : step.population + "." + step.state) +
                    "'"};
      values = weight ? w->second : s->second;
    }
    array->shape = weight ? weightShape(step.name, values.size())
                          : stateShape(step.population, values.size());
    break;
  }
  case HostKind::Signal:
    status = reduce(step, false, *array);
    break;
  case HostKind::Variable: {
    auto it = variables.find(step.name);
    if (it == variables.end())
      return {Code::ModelError,
              "variable '" + step.name + "' is read before it has a value"};
    registers[step.host.out] = it->second;
    return Status::ok();
  }
  case HostKind::Table: {
    auto it = results->tables.find(step.name);
    if (it == results->tables.end())
      return {Code::ModelError,
              "result table '" + step.name + "' is read before it has a row"};
    *array = it->second;
    break;
  }
  case HostKind::Dataset: {
    std::vector<int64_t> shape = shapeOf(step.name);
    if (!step.host.row) {
      auto memory = theDatasets.find(step.name);
      if (memory != theDatasets.end()) { // owned elsewhere, never changed
        registers[step.host.out] =
            std::shared_ptr<const Array>(std::shared_ptr<void>(),
                                         &memory->second);
        return Status::ok();
      }
      array->shape = shape;
      status = datasetFiles.at(step.name)->read(0, shape.empty() ? 1 : shape[0],
                                                array->values);
      break;
    }
    Rows rows;
    if (status = evaluate(*step.host.row, rows); !status)
      return status;
    if (!shape.empty())
      shape.erase(shape.begin());
    if (rows.size() > 1)
      shape.insert(shape.begin(), int64_t(rows.size()));
    array->shape = std::move(shape);
    status = readRows(step.name, rows, array->values);
    break;
  }
  }
  if (status)
    registers[step.host.out] = std::move(array);
  return status;
}

Status SessionImpl::calc(const ProtocolStep &step) {
  std::vector<const Array *> operands;
  for (uint32_t number : step.host.operands) {
    if (!registers[number])
      return {Code::Internal, "register " + std::to_string(number) +
                                  " of the protocol is empty"};
    operands.push_back(registers[number].get());
  }
  auto result = std::make_shared<Array>();
  const int64_t *axis = step.host.axis ? &*step.host.axis : nullptr;
  if (Status status = hostCalc(kHostFunctions[step.host.function], operands,
                               axis, theManifest.seed, *result);
      !status)
    return status;
  registers[step.host.out] = std::move(result);
  return Status::ok();
}

Status SessionImpl::storeHost(const ProtocolStep &step) {
  std::shared_ptr<const Array> value = registers[step.host.operands[0]];
  if (!value)
    return {Code::Internal, "a register of the protocol is empty"};
  std::string from = "the array of shape " + shapeText(value->shape);
  std::vector<double> values;
  switch (step.host.kind) {
  case HostKind::Variable:
    variables[step.name] = value;
    return Status::ok();
  case HostKind::Table:
    return append(step.name, value->values);
  case HostKind::Signal: {
    values = value->values;
    const StimulusInfo *info = theManifest.findStimulus(step.name);
    if (Status status = fit(info->size, true, "stimulus '" + step.name + "'",
                            from, values);
        !status)
      return status;
    recorder->openWindows();
    return engine.setStimulus(step.name, values);
  }
  case HostKind::Weight: {
    if (Status status = engine.readWeight(step.name, values); !status)
      return status;
    size_t size = values.size();
    values = value->values;
    if (Status status =
            fit(size, false, "weight '" + step.name + "'", from, values);
        !status)
      return status;
    return engine.writeWeight(step.name, values);
  }
  case HostKind::State: {
    const PopulationInfo *info = theManifest.findPopulation(step.population);
    size_t size = info ? info->size : 0;
    if (!info) {
      if (step.on)
        return {Code::ModelError, "'" + step.population + "." + step.state +
                                      "' is a state of synapses and cannot be "
                                      "clamped; assign it"};
      if (Status status = readState(step.population, step.state, values);
          !status)
        return status;
      size = values.size();
    }
    values = value->values;
    if (Status status = fit(size, info != nullptr,
                            "state '" + step.population + "." + step.state +
                                "'",
                            from, values);
        !status)
      return status;
    if (step.on)
      return engine.clampState(step.population, step.state, values);
    return writeState(step.population, step.state, values);
  }
  case HostKind::Dataset:
    break;
  }
  return {Code::Internal, "a store of unknown kind"};
}

//===----------------------------------------------------------------------===//
// Decisions
//===----------------------------------------------------------------------===//

bool SessionImpl::isTrue(const Array &array) const {
  return std::all_of(array.values.begin(), array.values.end(),
                     [](double x) { return x != 0; });
}

Status SessionImpl::branch(const ProtocolStep &step) {
  const std::shared_ptr<const Array> &value = registers[step.host.operands[0]];
  if (!value)
    return {Code::Internal, "a register of the protocol is empty"};
  return runSteps(isTrue(*value) ? step.body : step.other);
}

Status SessionImpl::loopWhile(const ProtocolStep &step) {
  for (uint64_t round = 0;; ++round) {
    bool checks = !step.host.bodyFirst || round > 0;
    if (checks) {
      if (Status status = runSteps(step.other); !status)
        return status;
      auto it = variables.find(step.name);
      if (it == variables.end())
        return {Code::ModelError, "variable '" + step.name +
                                      "' has no value after the condition"};
      if (isTrue(*it->second))
        return Status::ok();
    }
    if (round == step.ticks)
      break;
    if (Status status = runSteps(step.body); !status)
      return status;
  }
  warn("the loop" + (step.at.empty() ? "" : " at " + step.at) +
       " did not end within " + std::to_string(step.ticks) +
       " rounds (tick " + std::to_string(engine.tick()) + ")");
  return Status::ok();
}

//===----------------------------------------------------------------------===//
// Streams
//===----------------------------------------------------------------------===//

Status SessionImpl::stream(const ProtocolStep &step) {
  struct Source {
    const StimulusInfo *stimulus;
    const std::string *dataset;
    bool direct; ///< rows are handed on without a copy
    std::vector<double> rows;
  };
  std::vector<Source> sources;
  int64_t rows = -1;
  uint64_t width = 0; ///< values of one row of all sources
  for (const auto &[stimulus, dataset] : step.inputs) {
    const StimulusInfo *info = theManifest.findStimulus(stimulus);
    int64_t own = rowsOf(dataset);
    if (rows >= 0 && own != rows)
      return {Code::ModelError,
              "datasets of one stream have as many rows, but '" + dataset +
                  "' has " + std::to_string(own) + " and '" +
                  *sources[0].dataset + "' has " + std::to_string(rows)};
    rows = own;
    auto memory = theDatasets.find(dataset);
    bool direct = memory != theDatasets.end() &&
                  uint64_t(memory->second.rowSize()) == info->size;
    sources.push_back({info, &dataset, direct, {}});
    width += info->size;
  }
  int64_t last = step.count < 0 ? rows : step.first + step.count;
  if (step.first > rows || last > rows)
    return {Code::ModelError, "rows [" + std::to_string(step.first) + ", " +
                                  std::to_string(last) + ") are not in '" +
                                  *sources[0].dataset + "', which has " +
                                  std::to_string(rows)};
  recorder->openWindows();
  // A few thousand rows, or 8 MiB, at a time.
  int64_t chunk = int64_t(
      std::clamp<uint64_t>((uint64_t(1) << 20) / std::max<uint64_t>(width, 1),
                           1, 4096));
  std::vector<double> one;
  for (int64_t row = step.first; row < last; row += chunk) {
    int64_t count = std::min(chunk, last - row);
    std::vector<StreamInput> inputs;
    for (Source &source : sources) {
      if (source.direct) {
        const Array &array = theDatasets.at(*source.dataset);
        inputs.push_back({source.stimulus->name,
                          std::span(array.values)
                              .subspan(size_t(row) * source.stimulus->size,
                                       size_t(count) * source.stimulus->size)});
        continue;
      }
      source.rows.clear();
      for (int64_t k = 0; k < count; ++k) {
        int64_t number = row + k;
        if (Status status = readRows(*source.dataset, {&number, 1}, one);
            !status)
          return status;
        if (Status status = fit(source.stimulus->size, true,
                                "stimulus '" + source.stimulus->name + "'",
                                "a row of '" + *source.dataset + "'", one);
            !status)
          return status;
        source.rows.insert(source.rows.end(), one.begin(), one.end());
      }
      inputs.push_back({source.stimulus->name, source.rows});
    }
    if (Status status = engine.stream(inputs, uint64_t(count), step.every,
                                      recorder.get());
        !status)
      return status;
    if (Status status = afterTicks(); !status)
      return status;
  }
  return Status::ok();
}

} // namespace neuroc::rt
