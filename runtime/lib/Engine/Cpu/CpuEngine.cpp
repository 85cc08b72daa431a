// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Runs a CPU program: in every tick the sources, then the plan's items in their
// order, then learning, then recording. Between generated functions the engine
// lists which units fired (ascending), which is what drives the rows of sparse
// projections and the handlers of learning rules. All of it runs on one thread;
// the option `threads` is accepted as the hint that it is.

#include "CpuEngine.h"

#include "neuroc/rt/Random.h"

#include <algorithm>
#include <cmath>
#include <cstring>

namespace neuroc::rt {
namespace cpu {

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
  const void *data = program.data(buffer);
  if (plan.buffers[buffer].element == Element::F32)
    std::copy_n(static_cast<const float *>(data) + first, count,
                values.begin());
  else
    for (uint64_t i = 0; i < count; ++i)
      values[i] = get(buffer, first + i);
}

void CpuEngine::readUnits(uint32_t buffer, uint64_t first, uint64_t count,
                          std::vector<double> &values) const {
  uint64_t units = count / plan.batch;
  if (plan.batch == 1 || units == 1)
    return read(buffer, first, count, values);
  values.resize(count);
  for (uint64_t unit = 0; unit < units; ++unit)
    for (uint64_t lane = 0; lane < plan.batch; ++lane)
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
        if (plan.batch == 1) {
          rows.push_back(uint32_t(place * events.delays.size() + i));
          continue;
        }
        uint64_t unit = place / plan.batch, lane = place % plan.batch;
        rows.push_back(
            uint32_t((unit * events.delays.size() + i) * plan.batch + lane));
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
        uint64_t row = plan.batch == 1 ? event : event / plan.batch;
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
        scratch.push_back(
            uint32_t(place % plan.batch * (signal.units / plan.batch) +
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

void CpuEngine::runTick(RecordSink *sink) {
  runSources();
  for (const ItemPlan &item : plan.items)
    runItem(item);
  for (size_t p = 0; p < plan.plastics.size(); ++p)
    runPlastic(p);
  if (sink)
    record(*sink);
  ++now;
}

} // namespace cpu

Status createCpuEngine(std::shared_ptr<const Container> program,
                       const EngineOptions &options,
                       std::unique_ptr<Engine> &engine) {
  auto result = std::make_unique<cpu::CpuEngine>(std::move(program));
  if (Status status = result->create(options); !status)
    return status;
  engine = std::move(result);
  return Status::ok();
}

} // namespace neuroc::rt
