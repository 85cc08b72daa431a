// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Runs a CPU program: in every tick the sources, then the plan's items in their
// order, then learning, then recording. Between generated functions the engine
// lists which units fired (ascending), which is what drives the rows of sparse
// projections and the handlers of learning rules. All of it runs on one thread;
// the option `threads` is accepted as the hint that it is.

#include "neuroc/rt/Engines.h"

#include "Loader.h"
#include "Plan.h"

#include "neuroc/rt/Random.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <map>

#if defined(__SSE2__)
#include <immintrin.h>
#endif

namespace neuroc::rt {

namespace {

using namespace cpu;

/// Denormal f32 numbers (decaying currents) count as zero while it lives: they
/// cost a hundred times as much as others and mean nothing at that precision.
class FlushDenormals {
public:
#if defined(__SSE2__)
  explicit FlushDenormals(bool active) : saved(_mm_getcsr()) {
    if (active)
      _mm_setcsr(saved | 0x8040); // flush to zero, denormals are zero
  }
  ~FlushDenormals() { _mm_setcsr(saved); }

private:
  unsigned saved;
#else
  explicit FlushDenormals(bool) {}
#endif
};

class CpuEngine final : public Engine {
public:
  explicit CpuEngine(std::shared_ptr<const Container> container)
      : container(std::move(container)) {}

  Status create(const EngineOptions &options);

  Status reset() override;
  Status step(uint64_t ticks, RecordSink *sink) override;
  uint64_t tick() const override { return now; }
  const std::vector<ProbeInfo> &probes() const override { return probeInfos; }
  Status setStimulus(std::string_view name,
                     std::span<const double> values) override;
  Status readProbe(unsigned probe, std::vector<double> &values) override;
  Status readState(std::string_view population, std::string_view variable,
                   std::vector<double> &values) override;
  Status writeState(std::string_view population, std::string_view variable,
                    std::span<const double> values) override;
  Status clampState(std::string_view population, std::string_view variable,
                    std::span<const double> values) override;
  Status readWeight(std::string_view weight,
                    std::vector<double> &values) override;
  Status writeWeight(std::string_view weight,
                     std::span<const double> values) override;
  Status setPlasticEnabled(std::string_view plastic, bool enabled) override;
  Status callRule(std::string_view plastic) override;
  Status stats(Stats &stats) const override;

private:
  using Units = std::vector<uint32_t>;
  struct Clamp {
    uint32_t population, buffer;
    std::vector<double> values;
  };

  double get(uint32_t buffer, uint64_t index) const;
  void put(uint32_t buffer, uint64_t index, double value);
  void read(uint32_t buffer, uint64_t first, uint64_t count,
            std::vector<double> &values) const;
  /// The same for units of all lanes: from places to [lane, unit].
  void readUnits(uint32_t buffer, uint64_t first, uint64_t count,
                 std::vector<double> &values) const;
  /// Number l * units + u of a unit, of `count` in all lanes, has this place.
  uint64_t place(uint64_t number, uint64_t count) const {
    uint64_t units = count / plan.batch;
    return plan.batch == 1 ? number
                           : number % units * plan.batch + number / units;
  }

  uint64_t slot(const SignalPlan &signal, uint64_t delay) const {
    return (now + signal.depth - delay) % signal.depth;
  }
  const Units &spikesAt(uint32_t signal, uint64_t delay) const {
    return spikeLists[signal][slot(plan.signals[signal], delay)];
  }
  void runSources();
  void runItem(const ItemPlan &item);
  void silence(uint32_t signal);
  void listSpikes(uint32_t signal);
  uint64_t prepareEvents(const EventsPlan &events, Units &rows);
  void runPlastic(size_t number);
  void call(uint32_t function) {
    if (neuroc_cpu_function f = program.function(function))
      f(int64_t(now));
  }
  void applyClamps(uint32_t population);
  void record(RecordSink &sink);
  Status findState(std::string_view population, std::string_view variable,
                   uint32_t &number, uint32_t &buffer) const;
  bool findSynapseState(std::string_view plastic, std::string_view variable,
                        const WeightPlan *&weight, uint32_t &buffer) const;
  const WeightPlan *findWeight(std::string_view name) const;
  bool exists(const WeightPlan &weight, uint64_t place) const {
    return weight.exists == kNone || get(weight.exists, place) != 0;
  }
  void readSynapses(const WeightPlan &weight, uint32_t buffer,
                    std::vector<double> &result) const;
  void writeSynapses(const WeightPlan &weight, uint32_t buffer,
                     std::span<const double> given);
  static Status checkCount(size_t given, size_t expected,
                           std::string_view what);
  /// Values of units of all lanes, or of one for all.
  Status checkUnits(size_t given, size_t expected, std::string_view what) const {
    return given * plan.batch == expected ? Status::ok()
                                          : checkCount(given, expected, what);
  }

  std::shared_ptr<const Container> container;
  Plan plan;
  LoadedProgram program;
  uint64_t seed = 1, now = 0;
  std::vector<ProbeInfo> probeInfos;
  /// For each signal of spikes, who fired: one list per slot of its ring.
  std::vector<std::vector<Units>> spikeLists;
  std::vector<bool> stimulusIsFresh;
  std::vector<uint64_t> arrayPosition; ///< next event of each spike array
  std::vector<bool> enabled;
  std::vector<bool> isWritten; ///< by weight: written by the host, not confined
  std::vector<Clamp> clamps;
  Units scratch;
  std::vector<double> values;
  double spikeCount = 0, eventCount = 0;
  bool flushes = false;
};

Status unknownName(std::string_view what, std::string_view name) {
  return {Code::ModelError,
          "there is no " + std::string(what) + " '" + std::string(name) + "'"};
}

//===----------------------------------------------------------------------===//
// Buffers
//===----------------------------------------------------------------------===//

double CpuEngine::get(uint32_t buffer, uint64_t index) const {
  const void *data = program.data(buffer);
  switch (plan.buffers[buffer].element) {
  case Element::F32:
    return static_cast<const float *>(data)[index];
  case Element::F64:
    return static_cast<const double *>(data)[index];
  case Element::I8:
    return static_cast<const int8_t *>(data)[index];
  case Element::I16:
    return static_cast<const int16_t *>(data)[index];
  case Element::I32:
    return static_cast<const int32_t *>(data)[index];
  case Element::I64:
    return double(static_cast<const int64_t *>(data)[index]);
  }
  return 0;
}

void CpuEngine::put(uint32_t buffer, uint64_t index, double value) {
  void *data = program.data(buffer);
  switch (plan.buffers[buffer].element) {
  case Element::F32:
    static_cast<float *>(data)[index] = float(value);
    break;
  case Element::F64:
    static_cast<double *>(data)[index] = value;
    break;
  case Element::I8:
    static_cast<int8_t *>(data)[index] = int8_t(value);
    break;
  case Element::I16:
    static_cast<int16_t *>(data)[index] = int16_t(value);
    break;
  case Element::I32:
    static_cast<int32_t *>(data)[index] = int32_t(value);
    break;
  case Element::I64:
    static_cast<int64_t *>(data)[index] = int64_t(value);
    break;
  }
}

void CpuEngine::read(uint32_t buffer, uint64_t first, uint64_t count,
                     std::vector<double> &values) const {
  values.resize(count);
  for (uint64_t i = 0; i < count; ++i)
    values[i] = get(buffer, first + i);
}

void CpuEngine::readUnits(uint32_t buffer, uint64_t first, uint64_t count,
                          std::vector<double> &values) const {
  if (plan.batch == 1)
    return read(buffer, first, count, values);
  values.resize(count);
  uint64_t units = count / plan.batch;
  for (uint64_t lane = 0; lane < plan.batch; ++lane)
    for (uint64_t unit = 0; unit < units; ++unit)
      values[lane * units + unit] =
          get(buffer, first + unit * plan.batch + lane);
}

Status CpuEngine::create(const EngineOptions &options) {
  if (!options.config.empty())
    return {Code::UsageError, "target 'cpu' has no run option '" +
                                  options.config.begin()->first + "'"};
  if (Status status = readPlan(*container, plan); !status)
    return status;
  if (Status status = program.load(*container, plan); !status)
    return status;
  seed = options.seed ? options.seed : plan.seed;
  flushes = !plan.isDouble && !plan.populations.empty();
  for (const RecorderPlan &recorder : plan.recorders) {
    ProbeInfo info;
    info.name = recorder.name;
    info.every = unsigned(recorder.every);
    if (recorder.signal != kNone) {
      info.isSpikes = plan.signals[recorder.signal].isSpikes;
      info.shape = plan.signals[recorder.signal].shape;
    } else {
      info.shape = recorder.shape;
    }
    if (plan.batch > 1)
      info.shape.insert(info.shape.begin(), int64_t(plan.batch));
    probeInfos.push_back(std::move(info));
  }
  return reset();
}

Status CpuEngine::reset() {
  const uint8_t *data = container->bytes("cpu/data.bin").data();
  for (uint32_t i = 0; i < plan.buffers.size(); ++i) {
    const BufferPlan &buffer = plan.buffers[i];
    if (!buffer.isFilled)
      std::memcpy(program.data(i), data + buffer.offset, buffer.bytes());
    else if (buffer.fill == 0)
      std::memset(program.data(i), 0, buffer.bytes());
    else
      for (uint64_t k = 0; k < buffer.count; ++k)
        put(i, k, buffer.fill);
  }
  for (const KeyPlan &key : plan.keys) {
    uint64_t value = neuroc_rt_key(seed, neuroc_rt_stream(key.stream.c_str()));
    std::memcpy(program.data(key.buffer), &value, sizeof(value));
  }
  spikeLists.assign(plan.signals.size(), {});
  for (size_t i = 0; i < plan.signals.size(); ++i)
    if (plan.signals[i].isSpikes)
      spikeLists[i].resize(plan.signals[i].depth);
  stimulusIsFresh.assign(plan.stimuli.size(), true);
  arrayPosition.assign(plan.spikeArrays.size(), 0);
  enabled.clear();
  for (const PlasticPlan &plastic : plan.plastics)
    enabled.push_back(plastic.isEnabled);
  isWritten.assign(plan.weights.size(), false);
  clamps.clear();
  now = 0;
  spikeCount = eventCount = 0;
  return Status::ok();
}

//===----------------------------------------------------------------------===//
// One tick
//===----------------------------------------------------------------------===//

void CpuEngine::silence(uint32_t number) {
  const SignalPlan &signal = plan.signals[number];
  uint64_t here = slot(signal, 0);
  std::memset(static_cast<uint8_t *>(program.data(signal.buffer)) +
                  here * signal.units,
              0, signal.units);
  spikeLists[number][here].clear();
}

void CpuEngine::listSpikes(uint32_t number) {
  const SignalPlan &signal = plan.signals[number];
  uint64_t here = slot(signal, 0);
  const uint8_t *bytes =
      static_cast<const uint8_t *>(program.data(signal.buffer)) +
      here * signal.units;
  Units &list = spikeLists[number][here];
  list.clear();
  uint64_t i = 0;
  for (; i + 8 <= signal.units; i += 8) {
    uint64_t word; // most units are silent: eight at a time
    std::memcpy(&word, bytes + i, 8);
    if (word == 0)
      continue;
    for (uint64_t k = i; k < i + 8; ++k)
      if (bytes[k])
        list.push_back(uint32_t(k));
  }
  for (; i < signal.units; ++i)
    if (bytes[i])
      list.push_back(uint32_t(i));
  if (signal.isPopulation)
    spikeCount += double(list.size());
}

void CpuEngine::runSources() {
  for (size_t i = 0; i < plan.stimuli.size(); ++i) {
    const SourcePlan &source = plan.stimuli[i];
    const SignalPlan &signal = plan.signals[source.signal];
    bool isFresh = stimulusIsFresh[i];
    stimulusIsFresh[i] = false;
    if (signal.isSpikes && !isFresh) {
      silence(source.signal);
      continue;
    }
    if (!isFresh && signal.depth == 1)
      continue; // still in place
    uint64_t base = slot(signal, 0) * signal.units;
    const double *held =
        static_cast<const double *>(program.data(source.buffer));
    for (uint64_t k = 0; k < signal.units; ++k)
      put(signal.buffer, base + place(k, signal.units),
          signal.isSpikes ? double(held[k] != 0) : held[k]);
    if (signal.isSpikes) {
      listSpikes(source.signal);
      spikeCount += double(spikesAt(source.signal, 0).size());
    }
  }
  for (size_t i = 0; i < plan.spikeArrays.size(); ++i) {
    const SourcePlan &source = plan.spikeArrays[i];
    const SignalPlan &signal = plan.signals[source.signal];
    silence(source.signal);
    const int64_t *events =
        static_cast<const int64_t *>(program.data(source.buffer));
    uint64_t &position = arrayPosition[i];
    uint64_t base = slot(signal, 0) * signal.units;
    for (; position < source.count && uint64_t(events[2 * position]) <= now;
         ++position)
      if (uint64_t(events[2 * position]) == now &&
          uint64_t(events[2 * position + 1]) < signal.units / plan.batch)
        for (uint64_t lane = 0; lane < plan.batch; ++lane)
          put(signal.buffer,
              base + uint64_t(events[2 * position + 1]) * plan.batch + lane, 1);
    listSpikes(source.signal);
    spikeCount += double(spikesAt(source.signal, 0).size());
  }
}

/// Lists the rows whose source unit fired, ascending, and hands them to the
/// generated code. Returns their number.
uint64_t CpuEngine::prepareEvents(const EventsPlan &events, Units &rows) {
  const Units *list;
  if (events.delays.size() == 1) {
    list = &spikesAt(events.signal, events.delay + events.delays[0]);
  } else {
    rows.clear();
    for (size_t i = 0; i < events.delays.size(); ++i)
      for (uint32_t place :
           spikesAt(events.signal, events.delay + events.delays[i])) {
        uint64_t unit = place / plan.batch, lane = place % plan.batch;
        rows.push_back(uint32_t(
            (unit * events.delays.size() + i) * plan.batch + lane));
      }
    std::sort(rows.begin(), rows.end());
    list = &rows;
  }
  if (events.units != kNone) {
    if (!list->empty())
      std::memcpy(program.data(events.units), list->data(),
                  list->size() * sizeof(uint32_t));
    int64_t count = int64_t(list->size());
    std::memcpy(program.data(events.count), &count, sizeof(count));
  }
  if (list != &rows)
    rows = *list;
  return rows.size();
}

void CpuEngine::applyClamps(uint32_t population) {
  for (const Clamp &clamp : clamps)
    if (clamp.population == population)
      for (size_t i = 0; i < clamp.values.size(); ++i)
        if (!std::isnan(clamp.values[i]))
          put(clamp.buffer, place(i, clamp.values.size()), clamp.values[i]);
}

void CpuEngine::runItem(const ItemPlan &item) {
  if (item.population != kNone &&
      now % plan.populations[item.population].every != 0) {
    for (uint32_t output : item.outputs) {
      const SignalPlan &signal = plan.signals[output];
      if (signal.isSpikes) {
        silence(output);
      } else if (signal.depth > 1) { // real outputs keep their value
        uint64_t width =
            signal.units * elementBytes(plan.buffers[signal.buffer].element);
        auto *data = static_cast<uint8_t *>(program.data(signal.buffer));
        std::memcpy(data + slot(signal, 0) * width,
                    data + slot(signal, 1) * width, width);
      }
    }
    return;
  }
  if (item.hasEvents) {
    prepareEvents(item.events, scratch);
    if (item.rowStart != kNone) {
      const uint32_t *start =
          static_cast<const uint32_t *>(program.data(item.rowStart));
      for (uint32_t event : scratch) {
        uint64_t row = event / plan.batch;
        eventCount += double(start[row + 1] - start[row]);
      }
    } else {
      eventCount += double(scratch.size()) * double(item.fanOut);
    }
  }
  call(item.function);
  for (uint32_t output : item.outputs)
    if (plan.signals[output].isSpikes)
      listSpikes(output);
  if (item.population != kNone && !clamps.empty())
    applyClamps(item.population);
}

void CpuEngine::runPlastic(size_t number) {
  const PlasticPlan &plastic = plan.plastics[number];
  for (uint32_t function : plastic.traceTick)
    call(function);
  if (plastic.hasPre)
    prepareEvents(plastic.pre, scratch);
  if (plastic.hasPost)
    prepareEvents(plastic.post, scratch);
  if (enabled[number]) {
    call(plastic.onPre);
    call(plastic.onPost);
    call(plastic.onTick);
    call(plastic.bounds);
    if (isWritten[plastic.weight]) {
      call(plastic.boundsAll);
      isWritten[plastic.weight] = false;
    }
  }
  for (uint32_t function : plastic.traceSpike)
    call(function);
}

void CpuEngine::record(RecordSink &sink) {
  for (unsigned i = 0; i < plan.recorders.size(); ++i) {
    const RecorderPlan &recorder = plan.recorders[i];
    if (now % recorder.every != 0)
      continue;
    if (recorder.signal == kNone) {
      readUnits(recorder.buffer, 0, recorder.units, values);
      sink.values(i, now, values);
      continue;
    }
    const SignalPlan &signal = plan.signals[recorder.signal];
    if (signal.isSpikes) {
      const Units &list = spikesAt(recorder.signal, recorder.delay);
      if (plan.batch == 1) {
        sink.spikes(i, now, list);
        continue;
      }
      scratch.clear();
      for (uint32_t place : list)
        scratch.push_back(uint32_t(place % plan.batch *
                                       (signal.units / plan.batch) +
                                   place / plan.batch));
      std::sort(scratch.begin(), scratch.end());
      sink.spikes(i, now, scratch);
      continue;
    }
    readUnits(signal.buffer, slot(signal, recorder.delay) * signal.units,
              signal.units, values);
    sink.values(i, now, values);
  }
}

Status CpuEngine::step(uint64_t ticks, RecordSink *sink) {
  FlushDenormals flush(flushes);
  for (uint64_t i = 0; i < ticks; ++i) {
    runSources();
    for (const ItemPlan &item : plan.items)
      runItem(item);
    for (size_t p = 0; p < plan.plastics.size(); ++p)
      runPlastic(p);
    if (sink)
      record(*sink);
    ++now;
  }
  return Status::ok();
}

//===----------------------------------------------------------------------===//
// Access by the session
//===----------------------------------------------------------------------===//

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
    for (size_t i = 0; i < plan.signals[source.signal].units;
         i += given.size())
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
  Clamp clamp{number, buffer, std::vector<double>(plan.populations[number].units)};
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
      put(buffer, place, exists(weight, place) ? given[post * weight.pre + pre] : 0.0);
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

} // namespace

Status createCpuEngine(std::shared_ptr<const Container> program,
                       const EngineOptions &options,
                       std::unique_ptr<Engine> &engine) {
  auto result = std::make_unique<CpuEngine>(std::move(program));
  if (Status status = result->create(options); !status)
    return status;
  engine = std::move(result);
  return Status::ok();
}

} // namespace neuroc::rt
