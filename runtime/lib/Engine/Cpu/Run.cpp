// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Many ticks in one call of the generated code, for networks without spikes:
// rows of stimuli are laid out in the program's buffers, the program runs, and
// what the recorders have written goes to the sink in the order of ticks. Other
// networks, and ticks in which a state is held, are run tick by tick.

#include "CpuEngine.h"

#include <algorithm>

namespace neuroc::rt::cpu {

/// Places of the control buffer (lib/Conversion/NeuroToCpu/Run.cpp).
enum Control { kTicks, kEvery, kRecording, kFirst };

bool CpuEngine::canRun() const {
  if (plan.run.function == kNone || !clamps.empty())
    return false;
  for (size_t p = 0; p < plan.plastics.size(); ++p)
    if (enabled[p] && isWritten[plan.plastics[p].weight])
      return false; // one tick confines the weight first
  return true;
}

/// Rows of one lane or of all, as they cross the interface, become rows of
/// places.
void CpuEngine::layRows(uint32_t buffer, uint64_t units,
                        std::span<const double> rows, uint64_t count) {
  uint64_t given = rows.size() / count, perLane = units / plan.batch;
  auto lay = [&](auto *out) {
    using Real = std::remove_reference_t<decltype(*out)>;
    for (uint64_t row = 0; row < count; ++row, out += units) {
      const double *in = rows.data() + row * given;
      if (plan.batch == 1) {
        for (uint64_t i = 0; i < units; ++i)
          out[i] = Real(in[i]);
        continue;
      }
      uint64_t step = given == units ? perLane : 0;
      for (uint64_t unit = 0; unit < perLane; ++unit)
        for (uint64_t lane = 0; lane < plan.batch; ++lane)
          out[unit * plan.batch + lane] = Real(in[lane * step + unit]);
    }
  };
  if (plan.isDouble)
    lay(static_cast<double *>(program.data(buffer)));
  else
    lay(static_cast<float *>(program.data(buffer)));
}

/// Hands over what the recorders wrote in `ticks` ticks from `now` on.
void CpuEngine::deliver(uint64_t ticks, RecordSink &sink) {
  std::vector<uint64_t> row(plan.recorders.size(), 0);
  for (uint64_t tick = now; tick < now + ticks; ++tick)
    for (unsigned i = 0; i < plan.recorders.size(); ++i) {
      const RecorderPlan &recorder = plan.recorders[i];
      if (recorder.every != 1 && tick % recorder.every != 0)
        continue;
      uint64_t units = recorder.signal == kNone
                           ? recorder.units
                           : plan.signals[recorder.signal].units;
      readUnits(plan.run.records[i], row[i]++ * units, units, values);
      sink.values(i, tick, values);
    }
}

/// `inputs` has one entry per stimulus, null for those that keep their value.
void CpuEngine::run(std::span<const StreamInput *const> inputs, uint64_t rows,
                    uint64_t every, RecordSink *sink) {
  auto *control = static_cast<int64_t *>(program.data(plan.run.control));
  control[kRecording] = sink && !plan.recorders.empty();
  for (size_t p = 0; p < plan.plastics.size(); ++p)
    control[kFirst + plan.stimuli.size() + p] = enabled[p];
  for (size_t s = 0; s < plan.stimuli.size(); ++s) {
    const SourcePlan &source = plan.stimuli[s];
    uint64_t units = plan.signals[source.signal].units;
    control[kFirst + s] = inputs[s] ? int64_t(units) : 0;
    stimulusIsFresh[s] = false;
    if (!inputs[s])
      layRows(plan.run.rows[s], units,
              {static_cast<const double *>(program.data(source.buffer)), units},
              1);
  }
  uint64_t capacity = plan.run.capacity;
  for (uint64_t row = 0; row < rows;) {
    // Whole rows, or a part of one that lasts longer than the recorders' rows.
    uint64_t count = std::min(rows - row, capacity);
    if (control[kRecording])
      count = std::min(count, std::max<uint64_t>(capacity / every, 1));
    for (size_t s = 0; s < plan.stimuli.size(); ++s)
      if (inputs[s]) {
        size_t size = inputs[s]->rows.size() / rows;
        layRows(plan.run.rows[s], plan.signals[plan.stimuli[s].signal].units,
                inputs[s]->rows.subspan(row * size, count * size), count);
      }
    for (uint64_t left = count * every; left > 0;) {
      uint64_t ticks = control[kRecording] ? std::min(left, capacity) : left;
      control[kTicks] = int64_t(ticks);
      control[kEvery] = count == 1 ? INT64_MAX : int64_t(every);
      call(plan.run.function);
      if (control[kRecording])
        deliver(ticks, *sink);
      now += ticks;
      left -= ticks;
    }
    row += count;
  }
}

Status CpuEngine::step(uint64_t ticks, RecordSink *sink) {
  FlushDenormals flush(flushes);
  for (; ticks > 0 && !canRun(); --ticks)
    runTick(sink);
  if (ticks > 0)
    run(std::vector<const StreamInput *>(plan.stimuli.size()), 1, ticks, sink);
  return Status::ok();
}

Status CpuEngine::stream(std::span<const StreamInput> inputs, uint64_t rows,
                         uint64_t every, RecordSink *sink) {
  if (rows == 0 || every == 0 || !canRun())
    return Engine::stream(inputs, rows, every, sink);
  std::vector<const StreamInput *> byStimulus(plan.stimuli.size());
  for (const StreamInput &input : inputs) {
    size_t size = input.rows.size() / rows;
    // Checks the name and the size, and leaves the last row in place.
    if (Status status = setStimulus(input.stimulus, input.rows.last(size));
        !status)
      return status;
    for (size_t s = 0; s < plan.stimuli.size(); ++s)
      if (plan.stimuli[s].name == input.stimulus)
        byStimulus[s] = &input;
  }
  FlushDenormals flush(flushes);
  run(byStimulus, rows, every, sink);
  return Status::ok();
}

} // namespace neuroc::rt::cpu
