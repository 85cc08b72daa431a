// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Interprets a protocol: loops, steps of the engine, data, readouts. What the
// host computes between steps is in HostSteps.cpp.
#include "SessionImpl.h"

#include "neuroc/rt/HostMath.h"
#include "neuroc/rt/Text.h"

#include <algorithm>
#include <cctype>
#include <cmath>

namespace neuroc::rt {

//===----------------------------------------------------------------------===//
// Set-up
//===----------------------------------------------------------------------===//

Status Session::create(const Container &program, Engine &engine,
                       const SessionOptions &options,
                       std::unique_ptr<Session> &session) {
  auto result = std::make_unique<SessionImpl>(engine, options);
  if (Status status = result->setUp(program); !status)
    return status;
  session = std::move(result);
  return Status::ok();
}

Status SessionImpl::setUp(const Container &program) {
  if (Status status = readManifest(program, theManifest); !status)
    return status;
  const std::vector<ProbeInfo> &probes = engine.probes();
  bool same = probes.size() == theManifest.probes.size();
  for (size_t i = 0; same && i < probes.size(); ++i)
    same = probes[i].name == theManifest.probes[i].name;
  if (!same)
    return {Code::InputError,
            program.origin() + ": the program's probes differ from its "
                               "manifest's; compile the model again"};
  if (Status status = loadDatasets(program); !status)
    return status;
  if (Status status = takeFiles(); !status)
    return status;
  return takeInputs();
}

Status SessionImpl::loadDatasets(const Container &program) {
  for (const DatasetInfo &info : theManifest.datasets) {
    Array array;
    Status status =
        readNpy(program.text(info.member),
                program.origin() + ": member '" + info.member + "'", array);
    if (!status)
      return status;
    theDatasets[info.name] = std::move(array);
  }
  return Status::ok();
}

/// Datasets that stay in their files, read as rows are needed.
Status SessionImpl::takeFiles() {
  for (const auto &[name, path] : options.inputFiles) {
    auto it = theDatasets.find(name);
    std::unique_ptr<NpyFile> file;
    if (Status status = NpyFile::open(path, file); !status)
      return status;
    if (it == theDatasets.end()) { // a stimulus: held in memory
      Array &array = options.inputs[name];
      array.shape = file->shape();
      if (Status status = file->read(0, file->rows(), array.values); !status)
        return status;
      continue;
    }
    if (it->second.rowSize() != file->rowSize())
      return {Code::UsageError,
              "input '" + name + "': rows have " +
                  std::to_string(file->rowSize()) + " values, dataset '" +
                  name + "' has " + std::to_string(it->second.rowSize())};
    theDatasets.erase(it);
    datasetFiles[name] = std::move(file);
  }
  return Status::ok();
}

int64_t SessionImpl::rowsOf(const std::string &dataset) const {
  auto file = datasetFiles.find(dataset);
  return file != datasetFiles.end() ? file->second->rows()
                                    : theDatasets.at(dataset).rows();
}

std::vector<int64_t> SessionImpl::shapeOf(const std::string &dataset) const {
  auto file = datasetFiles.find(dataset);
  return file != datasetFiles.end() ? file->second->shape()
                                    : theDatasets.at(dataset).shape;
}

Status SessionImpl::readRows(const std::string &dataset,
                             std::span<const int64_t> rows,
                             std::vector<double> &values) const {
  values.clear();
  auto file = datasetFiles.find(dataset);
  std::vector<double> part;
  for (int64_t row : rows) {
    int64_t count = rowsOf(dataset);
    if (row < -count || row >= count)
      return {Code::ModelError, "'" + dataset + "' has " +
                                    std::to_string(count) + " rows; row " +
                                    std::to_string(row) + " was asked for"};
    row = row < 0 ? row + count : row;
    if (file != datasetFiles.end()) {
      if (Status status = file->second->read(row, 1, part); !status)
        return status;
      values.insert(values.end(), part.begin(), part.end());
      continue;
    }
    std::span<const double> own = theDatasets.at(dataset).row(row);
    values.insert(values.end(), own.begin(), own.end());
  }
  return Status::ok();
}

Status SessionImpl::takeInputs() {
  for (auto &[name, array] : options.inputs) {
    if (auto it = theDatasets.find(name); it != theDatasets.end()) {
      if (it->second.rowSize() != array.rowSize())
        return {Code::UsageError,
                "input '" + name + "': rows have " +
                    std::to_string(array.rowSize()) + " values, dataset '" +
                    name + "' has " + std::to_string(it->second.rowSize())};
      it->second = array;
      continue;
    }
    const StimulusInfo *stimulus = theManifest.findStimulus(name);
    if (!stimulus) {
      std::vector<std::string> known;
      for (const StimulusInfo &info : theManifest.stimuli)
        known.push_back(info.label);
      for (const DatasetInfo &info : theManifest.datasets)
        known.push_back(info.name);
      return {Code::UsageError, "the model has no input '" + name + "'" +
                                    suggestName(name, known)};
    }
    // Either rows of one sample each, or one sample without a row dimension.
    Array rows = array;
    if (rows.values.size() == stimulus->size)
      rows.shape = {1, int64_t(stimulus->size)};
    if (uint64_t(rows.rowSize()) != stimulus->size)
      return {Code::UsageError,
              "input '" + name + "': rows have " +
                  std::to_string(rows.rowSize()) + " values, the model wants " +
                  std::to_string(stimulus->size)};
    if (theManifest.hasExperiment && !options.ticks)
      return {Code::UsageError,
              "input '" + name + "': the model's experiment presents its own "
              "data; replace one of its datasets, or give --ticks or --time"};
    stimulusInputs[stimulus->name] = std::move(rows);
  }
  return Status::ok();
}

//===----------------------------------------------------------------------===//
// The run
//===----------------------------------------------------------------------===//

Status SessionImpl::run(Results &out) {
  out = Results();
  results = &out;
  out.target = theManifest.target;
  out.dtMs = theManifest.dtMs;
  for (const ProbeInfo &info : theManifest.probes)
    out.probes.emplace_back().info = info;
  recorder = std::make_unique<Recorder>(out.probes, options.recordLimit);
  if (!options.recordFolder.empty())
    if (Status status = recorder->toFiles(options.recordFolder); !status)
      return status;
  loopRows.clear();
  loopRuns.clear();
  variables.clear();
  registers.assign(theManifest.experiment.registers, nullptr);
  snapshots.clear();
  phaseName.clear();
  if (Status status = engine.reset(); !status)
    return status;
  Clock::time_point start = Clock::now();
  Status status = theManifest.hasExperiment && !options.ticks
                      ? runSteps(theManifest.experiment.steps)
                      : runDefault();
  out.wallSeconds = secondsSince(start);
  out.ticks = std::max(out.ticks, engine.tick());
  if (Status written = recorder->finishFiles(); status && !written)
    status = written;
  if (!status)
    return status;
  return engine.stats(out.stats);
}

Status SessionImpl::advance(uint64_t ticks) {
  // In slices, so that progress is seen and a runaway recording is stopped.
  constexpr uint64_t slice = 1000;
  if (ticks > 0)
    recorder->reopenWindows();
  while (ticks > 0) {
    uint64_t now = std::min(ticks, slice);
    if (Status status = engine.step(now, recorder.get()); !status)
      return status;
    ticks -= now;
    if (Status status = afterTicks(); !status)
      return status;
  }
  return Status::ok();
}

Status SessionImpl::afterTicks() {
  if (recorder->overLimit())
    return {Code::ModelError,
            "recordings exceed " + std::to_string(options.recordLimit >> 20) +
                " MiB at tick " + std::to_string(engine.tick()) +
                "; probe fewer signals, sample them less often (every), or "
                "write them to files as they come (--record-to)"};
  if (options.progress)
    options.progress(engine.tick(), phaseName);
  return Status::ok();
}

/// Without an experiment: rows of the inputs one per tick, for as long as the
/// user says or as the longest input lasts; short inputs keep their last row.
Status SessionImpl::runDefault() {
  uint64_t longest = 1;
  for (const auto &[name, rows] : stimulusInputs)
    longest = std::max(longest, uint64_t(rows.rows()));
  uint64_t ticks = options.ticks.value_or(longest);
  uint64_t done = 0;
  for (; done < std::min(ticks, longest) && !stimulusInputs.empty(); ++done) {
    for (const auto &[name, rows] : stimulusInputs)
      if (done < uint64_t(rows.rows()))
        if (Status status = engine.setStimulus(name, rows.row(int64_t(done)));
            !status)
          return status;
    if (Status status = advance(1); !status)
      return status;
  }
  return advance(ticks - done);
}

Status SessionImpl::runSteps(const std::vector<ProtocolStep> &steps) {
  for (const ProtocolStep &step : steps)
    if (Status status = runStep(step); !status)
      return status;
  return Status::ok();
}

Status SessionImpl::runStep(const ProtocolStep &step) {
  Status status = dispatch(step);
  // The innermost step that knows its place names it.
  if (!status && !step.at.empty() && !status.message().starts_with("at "))
    return {status.code(), "at " + step.at + ": " + status.message()};
  return status;
}

Status SessionImpl::dispatch(const ProtocolStep &step) {
  std::vector<double> values;
  switch (step.kind) {
  case StepKind::Step:
    return advance(step.ticks);
  case StepKind::Present: {
    const StimulusInfo *info = theManifest.findStimulus(step.name);
    if (Status status = fetch(step.data, info->size, true,
                              "stimulus '" + step.name + "'", values);
        !status)
      return status;
    recorder->openWindows();
    return engine.setStimulus(step.name, values);
  }
  case StepKind::Settle:
    return settle(step);
  case StepKind::Enable:
    return engine.setPlasticEnabled(step.name, step.on);
  case StepKind::Call:
    return engine.callRule(step.name);
  case StepKind::Clamp:
  case StepKind::Assign: {
    std::string what = "state '" + step.population + "." + step.state + "'";
    const PopulationInfo *info = theManifest.findPopulation(step.population);
    if (Status status =
            fetch(step.data, info ? info->size : 0, true, what, values);
        !status)
      return status;
    if (step.kind == StepKind::Clamp)
      return engine.clampState(step.population, step.state, values);
    return engine.writeState(step.population, step.state, values);
  }
  case StepKind::Release:
    return engine.clampState(step.population, step.state, {});
  case StepKind::AssignWeight: {
    if (Status status = engine.readWeight(step.name, values); !status)
      return status;
    size_t count = values.size();
    if (Status status = fetch(step.data, count, false,
                              "weight '" + step.name + "'", values);
        !status)
      return status;
    return engine.writeWeight(step.name, values);
  }
  case StepKind::Snapshot:
    return snapshot(step);
  case StepKind::Restore:
    return restore(step);
  case StepKind::Readout:
    return readout(step);
  case StepKind::Reset:
    results->ticks = std::max(results->ticks, engine.tick());
    recorder->openWindows();
    return engine.reset();
  case StepKind::Window:
    recorder->openWindows();
    return Status::ok();
  case StepKind::Phase:
    return phase(step);
  case StepKind::Repeat:
    return repeat(step);
  case StepKind::ForEach:
    return forEach(step);
  case StepKind::Stream:
    return stream(step);
  case StepKind::Literal:
    registers[step.host.out] = std::make_shared<const Array>(
        Array{step.host.shape, step.data.values});
    return Status::ok();
  case StepKind::Read:
    return readHost(step);
  case StepKind::Calc:
    return calc(step);
  case StepKind::Store:
    return storeHost(step);
  case StepKind::If:
    return branch(step);
  case StepKind::While:
    return loopWhile(step);
  }
  return {Code::Internal, "a protocol step of unknown kind"};
}

Status SessionImpl::phase(const ProtocolStep &step) {
  std::string outer = phaseName;
  phaseName = outer.empty() ? step.name : outer + "/" + step.name;
  PhaseResult result{phaseName, engine.tick(), 0, 0};
  Clock::time_point start = Clock::now();
  Status status = runSteps(step.body);
  result.lastTick = engine.tick();
  result.wallSeconds = secondsSince(start);
  results->phases.push_back(std::move(result));
  phaseName = outer;
  return status;
}

Status SessionImpl::repeat(const ProtocolStep &step) {
  for (uint64_t i = 0; i < step.ticks; ++i) {
    if (!step.var.empty())
      loopRows[step.var] = {int64_t(i)};
    if (!step.counter.empty())
      variables[step.counter] =
          std::make_shared<const Array>(Array{{}, {double(i)}});
    if (Status status = runSteps(step.body); !status)
      return status;
  }
  return Status::ok();
}

Status SessionImpl::forEach(const ProtocolStep &step) {
  int64_t rows = rowsOf(step.dataset);
  Rows order;
  for (int64_t row = step.first;
       row < rows && (step.count < 0 || int64_t(order.size()) < step.count);) {
    order.push_back(row);
    if (step.stride > rows - row)
      break;
    row += step.stride;
  }
  if (step.shuffled) {
    Rows plain = order;
    Rows shuffled = shuffledRows(int64_t(order.size()), theManifest.seed,
                                 *step.shuffled, loopRuns[&step]++);
    for (size_t i = 0; i < order.size(); ++i)
      order[i] = plain[size_t(shuffled[i])];
  }
  size_t lanes = step.batched ? size_t(theManifest.batch) : 1;
  if (order.size() % lanes != 0)
    return {Code::ModelError,
            "a loop over " + std::to_string(order.size()) + " rows of '" +
                step.dataset + "' cannot take " + std::to_string(lanes) +
                " at a time; choose a multiple with rows [first, last]"};
  for (size_t i = 0; i < order.size(); i += lanes) {
    Rows now(order.begin() + long(i), order.begin() + long(i + lanes));
    if (!step.counter.empty()) {
      Array counter;
      if (step.batched)
        counter.shape = {int64_t(lanes)};
      counter.values.assign(now.begin(), now.end());
      variables[step.counter] =
          std::make_shared<const Array>(std::move(counter));
    }
    if (!step.var.empty())
      loopRows[step.var] = std::move(now);
    if (Status status = runSteps(step.body); !status)
      return status;
  }
  return Status::ok();
}

Status SessionImpl::settle(const ProtocolStep &step) {
  int probe = theManifest.findProbe(step.name);
  std::vector<double> before, now;
  if (Status status = engine.readProbe(unsigned(probe), before); !status)
    return status;
  uint64_t done = 0;
  while (done < step.ticks) {
    uint64_t ticks = std::min(step.every, step.ticks - done);
    if (Status status = advance(ticks); !status)
      return status;
    done += ticks;
    if (Status status = engine.readProbe(unsigned(probe), now); !status)
      return status;
    double norm = 0;
    for (size_t i = 0; i < now.size(); ++i) {
      double x = std::abs(now[i]);
      if (step.norm == SettleNorm::Change)
        x = i < before.size() ? std::abs(now[i] - before[i]) : x;
      norm = step.norm == SettleNorm::L2 ? norm + x * x : std::max(norm, x);
    }
    if (step.norm == SettleNorm::L2)
      norm = std::sqrt(norm);
    // The first comparison of a change needs two samples of this run.
    if (norm < step.below && (step.norm != SettleNorm::Change || done > 1))
      return Status::ok();
    before = now;
  }
  warn("'" + step.name + "' did not settle below " +
       std::to_string(step.below) + " within " + std::to_string(step.ticks) +
       " ticks (tick " + std::to_string(engine.tick()) + ")");
  return Status::ok();
}

//===----------------------------------------------------------------------===//
// Data
//===----------------------------------------------------------------------===//

Status SessionImpl::evaluate(const Index &index, Rows &rows) const {
  rows = {index.plus};
  if (index.var.empty())
    return Status::ok();
  auto it = loopRows.find(index.var);
  rows = it == loopRows.end() ? Rows{0} : it->second;
  for (int64_t &value : rows) {
    // Wrapping arithmetic: a wild result is refused as a row number.
    value = int64_t(uint64_t(value) * uint64_t(index.times) +
                    uint64_t(index.plus));
    if (index.mod > 0)
      value = ((value % index.mod) + index.mod) % index.mod;
  }
  return Status::ok();
}

Status SessionImpl::fit(uint64_t size, bool inLanes, const std::string &what,
                        const std::string &from,
                        std::vector<double> &values) const {
  if (values.size() == 1 && size > 1)
    values.assign(size, values[0]);
  // One sample for all lanes.
  if (inLanes && theManifest.batch > 1 &&
      values.size() * uint64_t(theManifest.batch) == size) {
    size_t one = values.size();
    for (int64_t lane = 1; lane < theManifest.batch; ++lane)
      values.insert(values.end(), values.begin(), values.begin() + long(one));
  }
  if (values.size() != size)
    return {Code::ModelError, what + " has " + std::to_string(size) +
                                  " values, but " + from + " has " +
                                  std::to_string(values.size())};
  return Status::ok();
}

Status SessionImpl::fetch(const DataRef &data, uint64_t size, bool inLanes,
                          const std::string &what,
                          std::vector<double> &values) {
  std::string from = "'" + data.name + "'";
  Rows rows;
  if (data.row)
    if (Status status = evaluate(*data.row, rows); !status)
      return status;
  if (data.kind == DataRef::Kind::Values) {
    values = data.values;
    from = "the list";
  } else if (data.kind == DataRef::Kind::Dataset) {
    if (!data.row)
      for (int64_t row = 0, n = rowsOf(data.name); row < n; ++row)
        rows.push_back(row);
    if (Status status = readRows(data.name, rows, values); !status)
      return status;
    if (data.row)
      from += " row " + std::to_string(rows[0]);
  } else {
    auto it = results->tables.find(data.name);
    if (it == results->tables.end())
      return {Code::ModelError,
              "result table '" + data.name + "' is read before it has a row"};
    const Array &array = it->second;
    if (!data.row) {
      values = array.values;
    } else {
      int64_t row = rows[0] < 0 ? rows[0] + array.rows() : rows[0];
      if (row < 0 || row >= array.rows())
        return {Code::ModelError, from + " has " +
                                      std::to_string(array.rows()) +
                                      " rows; row " + std::to_string(row) +
                                      " was asked for"};
      std::span<const double> part = array.row(row);
      values.assign(part.begin(), part.end());
      from += " row " + std::to_string(row);
    }
  }
  return fit(size, inLanes, what, from, values);
}

Status SessionImpl::snapshot(const ProtocolStep &step) {
  Snapshot &copy = snapshots[step.name];
  copy = Snapshot();
  for (const std::string &population : step.populations)
    for (const std::string &state :
         theManifest.findPopulation(population)->states)
      if (Status status = engine.readState(population, state,
                                           copy.states[{population, state}]);
          !status)
        return status;
  for (const std::string &weight : step.weights)
    if (Status status = engine.readWeight(weight, copy.weights[weight]);
        !status)
      return status;
  for (const std::string &plastic : step.plastics)
    for (const PlasticInfo &info : theManifest.plastics)
      for (const std::string &state : info.states)
        if (info.name == plastic)
          if (Status status =
                  readState(plastic, state, copy.states[{plastic, state}]);
              !status)
            return status;
  return Status::ok();
}

Status SessionImpl::restore(const ProtocolStep &step) {
  auto it = snapshots.find(step.name);
  if (it == snapshots.end())
    return {Code::ModelError,
            "snapshot '" + step.name + "' is restored before it is taken"};
  for (const auto &[key, values] : it->second.states)
    if (Status status = writeState(key.first, key.second, values); !status)
      return status;
  for (const auto &[weight, values] : it->second.weights)
    if (Status status = engine.writeWeight(weight, values); !status)
      return status;
  return Status::ok();
}

//===----------------------------------------------------------------------===//
// Readouts
//===----------------------------------------------------------------------===//

Status SessionImpl::readout(const ProtocolStep &step) {
  Array row;
  Status status;
  switch (step.source) {
  case ReadoutOf::Probe:
    status = reduce(step, true, row);
    break;
  case ReadoutOf::State:
    status = readState(step.population, step.state, row.values);
    break;
  case ReadoutOf::Weight:
    status = engine.readWeight(step.name, row.values);
    break;
  }
  if (!status)
    return status;
  return append(step.into, row.values);
}

Status SessionImpl::reduce(const ProtocolStep &step, bool close, Array &row) {
  int probe = theManifest.findProbe(step.name);
  Window &window = recorder->window(size_t(probe));
  row.shape = theManifest.probes[size_t(probe)].shape;
  size_t n = window.last.size();
  // No sample since the last present: sums are zero, "last" is the old value.
  bool empty = window.samples == 0;
  switch (step.reduce) {
  case Reduce::Last:
    row.values = window.last;
    break;
  case Reduce::Mean:
    row.values = empty ? window.last : window.sum;
    if (!empty)
      for (double &x : row.values)
        x /= double(window.samples);
    break;
  case Reduce::Sum:
  case Reduce::Count:
    row.values = empty ? std::vector<double>(n, 0.0) : window.sum;
    break;
  case Reduce::Max:
    row.values = empty ? window.last : window.max;
    break;
  case Reduce::Samples: {
    const ProbeRecord &record = results->probes[size_t(probe)];
    if (record.info.isSpikes || record.onDisk)
      return {Code::ModelError,
              "the samples of '" + step.name + "' are " +
                  (record.onDisk ? "in files (--record-to)"
                                 : "spikes, which have no values")};
    row.shape.insert(row.shape.begin(), int64_t(window.samples));
    row.values.assign(record.values.begin() + long(window.first),
                      record.values.end());
    break;
  }
  case Reduce::Argmax: {
    // Of each lane.
    const std::vector<double> &from = empty ? window.last : window.sum;
    size_t lanes = size_t(theManifest.batch), units = n / lanes;
    row.shape.clear();
    if (lanes > 1)
      row.shape.push_back(int64_t(lanes));
    for (size_t lane = 0; lane < lanes; ++lane) {
      auto first = from.begin() + long(lane * units);
      row.values.push_back(
          double(std::max_element(first, first + long(units)) - first));
    }
    break;
  }
  }
  window.closed |= close;
  return Status::ok();
}

Status SessionImpl::append(const std::string &name,
                           std::span<const double> row) {
  Array &table = results->tables[name];
  if (table.shape.empty())
    table.shape = {0, int64_t(row.size())};
  if (table.shape[1] != int64_t(row.size()))
    return {Code::ModelError,
            "result table '" + name + "' has rows of " +
                std::to_string(table.shape[1]) + " values; a readout of " +
                std::to_string(row.size()) + " cannot join it"};
  ++table.shape[0];
  table.values.insert(table.values.end(), row.begin(), row.end());
  return Status::ok();
}

//===----------------------------------------------------------------------===//
// Results
//===----------------------------------------------------------------------===//

/// Symbol names may hold characters that file names should not.
std::string fileNameOf(const std::string &name) {
  std::string result;
  for (char c : name) {
    bool good = std::isalnum(static_cast<unsigned char>(c)) || c == '_' ||
                c == '-' || (c == '.' && !result.empty());
    result += good ? c : '_';
  }
  return result;
}

uint64_t ProbeRecord::size() const {
  uint64_t n = 1;
  for (int64_t extent : info.shape)
    n *= uint64_t(extent);
  return n;
}

const ProbeRecord *Results::findProbe(std::string_view name) const {
  for (const ProbeRecord &record : probes)
    if (record.info.name == name)
      return &record;
  return nullptr;
}

} // namespace neuroc::rt
