// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Learning in the reference interpreter: for every plastic weight, in every
// tick, traces, handlers and bounds in the order that the dialect defines.
#include "Network.h"

#include <algorithm>

using namespace mlir;
using namespace neuroc;
using namespace neuroc::neuro;
using namespace neuroc::reference;

LogicalResult Plastic::compile() {
  for (TraceOp declared : rule.list<TraceOp>()) {
    Trace trace;
    trace.op = declared;
    trace.onPre = declared.getSide() == Side::Pre;
    if (!declared.getTick().empty()) {
      auto tick = ScalarCode::compile(declared.getTick().front());
      if (failed(tick))
        return failure();
      trace.tick = *tick;
      trace.tick.prepare(trace.tickSlots);
    }
    if (!declared.getSpike().empty()) {
      auto spike = ScalarCode::compile(declared.getSpike().front());
      if (failed(spike))
        return failure();
      trace.hasSpike = true;
      trace.spike = *spike;
      trace.spike.prepare(trace.spikeSlots);
    }
    traces.push_back(std::move(trace));
  }
  for (HandlerOp handler : rule.list<HandlerOp>()) {
    auto code = ScalarCode::compile(handler.getBody().front());
    if (failed(code))
      return failure();
    code->prepare(slots[handler.getEvent()]);
    handlers[handler.getEvent()] = *code;
  }
  for (StateOp state : rule.list<StateOp>())
    initial[state.getSymName().str()] =
        Vector(weight->values.size(), state.getInit().convertToDouble());
  return success();
}

void Plastic::reset() {
  states = initial;
  isEnabled = !op.getDisabled();
  for (Trace &trace : traces)
    trace.values.assign(trace.onPre ? pre->units : post->units,
                        trace.op.getInit().convertToDouble());
}

Plastic::Trace *Plastic::findTrace(const std::string &name) {
  for (Trace &trace : traces)
    if (trace.op.getSymName() == name)
      return &trace;
  return nullptr;
}

void Plastic::advanceTraces(uint64_t now, double dt, bool spikes) {
  UnitEnvironment unit;
  unit.key = key;
  unit.tick = uint32_t(now);
  unit.milliseconds = double(now) * dt;
  for (Trace &trace : traces) {
    if (spikes && !trace.hasSpike)
      continue;
    const Vector &signal = trace.onPre ? pre->at(delay) : post->at(0);
    ScalarCode &code = spikes ? trace.spike : trace.tick;
    Vector &slots = spikes ? trace.spikeSlots : trace.tickSlots;
    for (size_t i = 0; i < trace.values.size(); ++i) {
      if (spikes && signal[i] == 0)
        continue;
      for (size_t r = 0; r < code.reads.size(); ++r) {
        const std::string &name = code.reads[r];
        double value = 0;
        if (name == "pre" || name == "post")
          value = signal[i];
        else if (Trace *other = findTrace(name))
          value = other->values[i];
        else if (auto it = factors.find(name); it != factors.end())
          value = it->second.second->at(
              0)[it->second.first == Side::Scalar ? 0 : i];
        slots[code.readSlots[r]] = value;
      }
      unit.entity = unit.unit = i;
      code.run(slots, unit);
      for (unsigned slot : code.writeSlots)
        trace.values[i] = slots[slot];
    }
  }
}

void Plastic::handle(Event event, uint64_t synapse, UnitEnvironment &unit) {
  ScalarCode &code = handlers[event];
  Vector &slots = this->slots[event];
  uint32_t preUnit = weight->preOf[synapse];
  uint32_t postUnit = weight->synapses.post[synapse];
  for (size_t r = 0; r < code.reads.size(); ++r) {
    const std::string &name = code.reads[r];
    double value = 0;
    if (name == "w")
      value = weight->values[synapse];
    else if (name == "pre")
      value = pre->at(delay)[preUnit];
    else if (name == "post")
      value = post->at(0)[postUnit];
    else if (auto it = states.find(name); it != states.end())
      value = it->second[synapse];
    else if (Trace *trace = findTrace(name))
      value = trace->values[trace->onPre ? preUnit : postUnit];
    else if (auto it = factors.find(name); it != factors.end()) {
      Side side = it->second.first;
      value = it->second.second->at(0)[side == Side::Scalar ? 0
                                       : side == Side::Pre  ? preUnit
                                                            : postUnit];
    }
    slots[code.readSlots[r]] = value;
  }
  unit.entity = uint64_t(preUnit) * uint64_t(post->units) + postUnit;
  unit.unit = synapse;
  code.run(slots, unit);
  for (size_t w = 0; w < code.writes.size(); ++w) {
    const std::string &name = code.writes[w];
    double value = slots[code.writeSlots[w]];
    if (name == "w")
      weight->values[synapse] = value;
    else
      states[name][synapse] = value;
  }
}

void Plastic::confine() {
  for (double &value : weight->values)
    value = std::clamp(value, weight->lo, weight->hi);
}

void Plastic::tick(uint64_t now, double dt) {
  advanceTraces(now, dt, /*spikes=*/false);
  if (isEnabled) {
    UnitEnvironment unit;
    unit.key = key;
    unit.tick = uint32_t(now);
    unit.milliseconds = double(now) * dt;
    if (handlers.count(Event::Pre)) {
      const Vector &spikes = pre->at(delay);
      for (size_t i = 0; i < spikes.size(); ++i)
        if (spikes[i] != 0)
          for (uint64_t s = weight->synapses.rowStart[i];
               s < weight->synapses.rowStart[i + 1]; ++s)
            handle(Event::Pre, s, unit);
    }
    if (handlers.count(Event::Post)) {
      const Vector &spikes = post->at(0);
      for (size_t i = 0; i < spikes.size(); ++i)
        if (spikes[i] != 0)
          for (uint64_t s : weight->byPost[i])
            handle(Event::Post, s, unit);
    }
    if (handlers.count(Event::Tick))
      for (uint64_t s = 0; s < weight->values.size(); ++s)
        handle(Event::Tick, s, unit);
    confine();
  }
  advanceTraces(now, dt, /*spikes=*/true);
}

LogicalResult Plastic::call(uint64_t now, double dt) {
  if (!handlers.count(Event::Call))
    return failure();
  UnitEnvironment unit;
  unit.key = key;
  unit.tick = uint32_t(now);
  unit.milliseconds = double(now) * dt;
  for (uint64_t s = 0; s < weight->values.size(); ++s)
    handle(Event::Call, s, unit);
  confine();
  return success();
}
