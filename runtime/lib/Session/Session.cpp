// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Interprets a protocol. The recorder stands between engine and results: it
// stores every sample and keeps, per probe, the running reductions of the
// present readout window. A window ends with the next present, or with the
// first sample after a readout.
#include "neuroc/rt/Session.h"
#include "neuroc/rt/Text.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <limits>

namespace neuroc::rt {

namespace {
using Clock = std::chrono::steady_clock;

double secondsSince(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

/// Reductions of one probe over the present window.
struct Window {
  std::vector<double> last, sum, max;
  uint64_t samples = 0;
  bool closed = true; ///< the next sample opens a new window
};

class Recorder : public RecordSink {
public:
  Recorder(std::vector<ProbeRecord> &records, uint64_t limit)
      : records(records), windows(records.size()), limit(limit) {
    for (size_t i = 0; i < records.size(); ++i)
      windows[i].last.assign(records[i].size(), 0.0);
  }
  void closeWindows() {
    for (Window &window : windows)
      window.closed = true;
  }
  void clearWindows() {
    for (size_t i = 0; i < windows.size(); ++i)
      open(i);
  }
  Window &window(size_t i) { return windows[i]; }
  bool overLimit() const { return stored > limit; }

  void spikes(unsigned probe, uint64_t tick,
              std::span<const uint32_t> units) override {
    if (probe >= records.size())
      return;
    ProbeRecord &record = records[probe];
    Window &w = touch(probe);
    std::fill(w.last.begin(), w.last.end(), 0.0);
    ++w.samples;
    for (uint32_t unit : units) {
      if (unit >= w.last.size())
        continue;
      w.last[unit] = 1;
      w.sum[unit] += 1;
      w.max[unit] = 1;
      record.ticks.push_back(tick);
      record.units.push_back(unit);
    }
    stored += 12 * units.size();
  }
  void values(unsigned probe, uint64_t tick,
              std::span<const double> values) override {
    if (probe >= records.size())
      return;
    ProbeRecord &record = records[probe];
    Window &w = touch(probe);
    size_t n = std::min(values.size(), w.last.size());
    ++w.samples;
    for (size_t i = 0; i < n; ++i) {
      w.last[i] = values[i];
      w.sum[i] += values[i];
      w.max[i] = std::max(w.max[i], values[i]);
    }
    record.ticks.push_back(tick);
    record.values.insert(record.values.end(), w.last.begin(), w.last.end());
    stored += 8 * w.last.size();
  }

private:
  void open(size_t i) {
    Window &w = windows[i];
    size_t n = w.last.size();
    w.sum.assign(n, 0.0);
    w.max.assign(n, -std::numeric_limits<double>::infinity());
    w.samples = 0;
    w.closed = false;
  }
  Window &touch(size_t i) {
    if (windows[i].closed)
      open(i);
    return windows[i];
  }

  std::vector<ProbeRecord> &records;
  std::vector<Window> windows;
  uint64_t limit, stored = 0;
};

struct Snapshot {
  std::map<std::pair<std::string, std::string>, std::vector<double>> states;
  std::map<std::string, std::vector<double>> weights;
};

class SessionImpl : public Session {
public:
  SessionImpl(Engine &engine, const SessionOptions &options)
      : engine(engine), options(options) {}
  Status setUp(const Container &program);
  Status run(Results &results) override;
  const Manifest &manifest() const override { return theManifest; }
  const std::map<std::string, Array> &datasets() const override {
    return theDatasets;
  }

private:
  Status loadDatasets(const Container &program);
  Status takeInputs();
  Status runSteps(const std::vector<ProtocolStep> &steps);
  Status runStep(const ProtocolStep &step);
  Status runDefault();
  Status advance(uint64_t ticks);
  Status settle(const ProtocolStep &step);
  Status forEach(const ProtocolStep &step);
  Status phase(const ProtocolStep &step);
  Status snapshot(const ProtocolStep &step);
  Status restore(const ProtocolStep &step);
  Status readout(const ProtocolStep &step);
  Status reduce(const ProtocolStep &step, std::vector<double> &row);
  Status fetch(const DataRef &data, uint64_t size, const std::string &what,
               std::vector<double> &values);
  int64_t evaluate(const Index &index) const;
  Status append(const std::string &table, std::span<const double> row);

  Engine &engine;
  SessionOptions options;
  Manifest theManifest;
  std::map<std::string, Array> theDatasets;
  std::map<std::string, Array> stimulusInputs; ///< by symbol name

  // Of one run.
  Results *results = nullptr;
  std::unique_ptr<Recorder> recorder;
  std::map<std::string, int64_t> variables;
  std::map<std::string, Snapshot> snapshots;
  std::string phaseName;
};
} // namespace

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
      for (const auto &[dataset, unused] : theDatasets)
        known.push_back(dataset);
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
  variables.clear();
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
  if (!status)
    return status;
  return engine.stats(out.stats);
}

Status SessionImpl::advance(uint64_t ticks) {
  // In slices, so that progress is seen and a runaway recording is stopped.
  constexpr uint64_t slice = 1000;
  while (ticks > 0) {
    uint64_t now = std::min(ticks, slice);
    if (Status status = engine.step(now, recorder.get()); !status)
      return status;
    ticks -= now;
    if (recorder->overLimit())
      return {Code::ModelError,
              "recordings exceed " +
                  std::to_string(options.recordLimit >> 20) +
                  " MiB at tick " + std::to_string(engine.tick()) +
                  "; probe fewer signals, or sample them less often (every)"};
    if (options.progress)
      options.progress(engine.tick(), phaseName);
  }
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
  std::vector<double> values;
  auto units = [&] {
    const PopulationInfo *info = theManifest.findPopulation(step.population);
    return info ? info->size : 0;
  };
  switch (step.kind) {
  case StepKind::Step:
    return advance(step.ticks);
  case StepKind::Present: {
    const StimulusInfo *info = theManifest.findStimulus(step.name);
    if (Status status = fetch(step.data, info->size,
                              "stimulus '" + step.name + "'", values);
        !status)
      return status;
    recorder->closeWindows();
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
    if (Status status = fetch(step.data, units(), what, values); !status)
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
    if (Status status =
            fetch(step.data, count, "weight '" + step.name + "'", values);
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
    recorder->closeWindows();
    return engine.reset();
  case StepKind::Window:
    recorder->closeWindows();
    return Status::ok();
  case StepKind::Phase:
    return phase(step);
  case StepKind::Repeat:
    for (uint64_t i = 0; i < step.ticks; ++i) {
      if (!step.var.empty())
        variables[step.var] = int64_t(i);
      if (Status status = runSteps(step.body); !status)
        return status;
    }
    return Status::ok();
  case StepKind::ForEach:
    return forEach(step);
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

Status SessionImpl::forEach(const ProtocolStep &step) {
  int64_t rows = theDatasets.at(step.dataset).rows();
  int64_t row = step.first;
  for (int64_t i = 0; (step.count < 0 || i < step.count) && row < rows; ++i) {
    if (!step.var.empty())
      variables[step.var] = row;
    if (Status status = runSteps(step.body); !status)
      return status;
    if (step.stride > rows - row)
      break;
    row += step.stride;
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
  if (results->warnings.size() < 20)
    results->warnings.push_back(
        "'" + step.name + "' did not settle below " +
        std::to_string(step.below) + " within " + std::to_string(step.ticks) +
        " ticks (tick " + std::to_string(engine.tick()) + ")");
  return Status::ok();
}

//===----------------------------------------------------------------------===//
// Data
//===----------------------------------------------------------------------===//

int64_t SessionImpl::evaluate(const Index &index) const {
  if (index.var.empty())
    return index.plus;
  auto it = variables.find(index.var);
  int64_t value = it == variables.end() ? 0 : it->second;
  // Wrapping arithmetic: a wild result is refused as a row number.
  value = int64_t(uint64_t(value) * uint64_t(index.times) +
                  uint64_t(index.plus));
  if (index.mod > 0)
    value = ((value % index.mod) + index.mod) % index.mod;
  return value;
}

Status SessionImpl::fetch(const DataRef &data, uint64_t size,
                          const std::string &what,
                          std::vector<double> &values) {
  std::string from;
  if (data.kind == DataRef::Kind::Values) {
    values = data.values;
    from = "the list";
  } else {
    bool isDataset = data.kind == DataRef::Kind::Dataset;
    const std::map<std::string, Array> &arrays =
        isDataset ? theDatasets : results->tables;
    auto it = arrays.find(data.name);
    if (it == arrays.end())
      return {Code::ModelError,
              "result table '" + data.name + "' is read before it has a row"};
    const Array &array = it->second;
    from = "'" + data.name + "'";
    if (!data.row) {
      values = array.values;
    } else {
      int64_t row = evaluate(*data.row);
      if (row < 0)
        row += array.rows();
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
  if (values.size() == 1 && size > 1)
    values.assign(size, values[0]);
  if (values.size() != size)
    return {Code::ModelError, what + " has " + std::to_string(size) +
                                  " values, but " + from + " has " +
                                  std::to_string(values.size())};
  return Status::ok();
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
  return Status::ok();
}

Status SessionImpl::restore(const ProtocolStep &step) {
  auto it = snapshots.find(step.name);
  if (it == snapshots.end())
    return {Code::ModelError,
            "snapshot '" + step.name + "' is restored before it is taken"};
  for (const auto &[key, values] : it->second.states)
    if (Status status = engine.writeState(key.first, key.second, values);
        !status)
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
  std::vector<double> row;
  Status status;
  switch (step.source) {
  case ReadoutOf::Probe:
    status = reduce(step, row);
    break;
  case ReadoutOf::State:
    status = engine.readState(step.population, step.state, row);
    break;
  case ReadoutOf::Weight:
    status = engine.readWeight(step.name, row);
    break;
  }
  if (!status)
    return status;
  return append(step.into, row);
}

Status SessionImpl::reduce(const ProtocolStep &step, std::vector<double> &row) {
  int probe = theManifest.findProbe(step.name);
  Window &window = recorder->window(size_t(probe));
  size_t n = window.last.size();
  // No sample since the last present: sums are zero, "last" is the old value.
  bool empty = window.samples == 0;
  switch (step.reduce) {
  case Reduce::Last:
    row = window.last;
    break;
  case Reduce::Mean:
    row = empty ? window.last : window.sum;
    if (!empty)
      for (double &x : row)
        x /= double(window.samples);
    break;
  case Reduce::Sum:
  case Reduce::Count:
    row = empty ? std::vector<double>(n, 0.0) : window.sum;
    break;
  case Reduce::Max:
    row = empty ? window.last : window.max;
    break;
  case Reduce::Argmax: {
    const std::vector<double> &from = empty ? window.last : window.sum;
    row = {double(std::max_element(from.begin(), from.end()) - from.begin())};
    break;
  }
  }
  window.closed = true;
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
