// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Learning in the reference interpreter: for every plastic weight, in every
// tick, traces, handlers and bounds in the order that the dialect defines. Each
// handler runs for all lanes of a batch from the same weight; the lanes'
// changes (and those at all positions of a convolution) are then applied
// together.
#include "Network.h"

#include <algorithm>
#include <numeric>

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
    size_t unitsOfLane = trace.values.size() / lanes;
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
              0)[it->second.first == Side::Scalar ? i / unitsOfLane : i];
        slots[code.readSlots[r]] = value;
      }
      unit.entity = i;
      unit.unit = i % unitsOfLane;
      code.run(slots, unit);
      for (unsigned slot : code.writeSlots)
        trace.values[i] = slots[slot];
    }
  }
}

//===----------------------------------------------------------------------===//
// Handlers
//===----------------------------------------------------------------------===//

bool Plastic::isShared() const {
  return isa<ConvAttr>(weight->op.getConnect());
}

std::vector<uint64_t> Plastic::getAffected(Event event, size_t lane) const {
  std::vector<uint64_t> synapses;
  switch (event) {
  case Event::Pre: {
    const Vector &spikes = pre->at(delay);
    for (size_t i = 0; i < numPre(); ++i)
      if (spikes[lane * numPre() + i] != 0)
        for (uint64_t s = weight->synapses.rowStart[i];
             s < weight->synapses.rowStart[i + 1]; ++s)
          synapses.push_back(s);
    break;
  }
  case Event::Post: {
    const Vector &spikes = post->at(0);
    for (size_t i = 0; i < numPost(); ++i)
      if (spikes[lane * numPost() + i] != 0)
        llvm::append_range(synapses, weight->byPost[i]);
    llvm::sort(synapses);
    break;
  }
  case Event::Tick:
  case Event::Call:
    synapses.resize(weight->values.size());
    std::iota(synapses.begin(), synapses.end(), 0);
    break;
  }
  return synapses;
}

void Plastic::load(const ScalarCode &code, double *slots, uint64_t synapse,
                   size_t lane) {
  size_t preUnit = lane * numPre() + weight->preOf[synapse];
  size_t postUnit = lane * numPost() + weight->synapses.post[synapse];
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
      value = it->second.second->at(0)[side == Side::Scalar ? lane
                                       : side == Side::Pre  ? preUnit
                                                            : postUnit];
    }
    slots[code.readSlots[r]] = value;
  }
}

ScalarCode::Groups
Plastic::getGroups(const Reduction &reduction,
                   const std::vector<uint64_t> &synapses) const {
  ScalarCode::Groups groups(reduction.over == ReduceOver::Post  ? numPost()
                            : reduction.over == ReduceOver::Pre ? numPre()
                                                                : 1);
  for (auto [member, synapse] : llvm::enumerate(synapses)) {
    size_t group = reduction.over == ReduceOver::Post
                       ? weight->synapses.post[synapse]
                   : reduction.over == ReduceOver::Pre ? weight->preOf[synapse]
                                                       : 0;
    groups[group].push_back(member);
  }
  return groups;
}

void Plastic::handle(Event event, uint64_t now, double dt) {
  auto found = handlers.find(event);
  if (found == handlers.end())
    return;
  const ScalarCode &code = found->second;
  size_t numSlots = code.getNumSlots();
  Vector constants, slots;
  code.prepare(constants);
  UnitEnvironment unit;
  unit.key = key;
  unit.tick = uint32_t(now);
  unit.milliseconds = double(now) * dt;
  auto getTarget = [&](const std::string &name) -> Vector & {
    return name == "w" ? weight->values : states.at(name);
  };
  // Alone, a synapse takes the value that it is given; else changes add up.
  bool isAlone = lanes == 1 && !isShared();
  std::vector<Vector> changes(code.writes.size()), all(code.writes.size());
  auto store = [&](const double *result, uint64_t synapse) {
    size_t place = isShared() ? weight->synapses.source[synapse] : synapse;
    for (auto [w, name] : llvm::enumerate(code.writes)) {
      double value = result[code.writeSlots[w]];
      double &target = getTarget(name)[synapse];
      if (isAlone)
        target = value;
      else
        changes[w][place] += value - target;
    }
  };
  auto runLane = [&](size_t lane) {
    std::vector<uint64_t> synapses = getAffected(event, lane);
    auto environmentOf = [&](size_t member) -> const Environment & {
      uint64_t synapse = synapses[member];
      unit.entity =
          (lane * numPre() + weight->preOf[synapse]) * uint64_t(numPost()) +
          weight->synapses.post[synapse];
      unit.unit = synapse;
      return unit;
    };
    if (code.reductions.empty()) { // one after the other
      slots = constants;
      for (auto [member, synapse] : llvm::enumerate(synapses)) {
        load(code, slots.data(), synapse, lane);
        code.run(slots, environmentOf(member));
        store(slots.data(), synapse);
      }
      return;
    }
    slots.clear();
    slots.reserve(synapses.size() * numSlots);
    for (uint64_t synapse : synapses) {
      slots.insert(slots.end(), constants.begin(), constants.end());
      load(code, slots.data() + slots.size() - numSlots, synapse, lane);
    }
    code.runTogether(slots, synapses.size(), environmentOf,
                     [&](const Reduction &reduction) {
                       return getGroups(reduction, synapses);
                     });
    for (auto [member, synapse] : llvm::enumerate(synapses))
      store(slots.data() + member * numSlots, synapse);
  };
  if (isAlone)
    return runLane(0);
  for (size_t lane = 0; lane < lanes; ++lane) {
    for (auto [w, name] : llvm::enumerate(code.writes)) {
      changes[w].assign(getTarget(name).size(), 0.0);
      all[w].resize(changes[w].size());
    }
    runLane(lane);
    for (auto [sum, change] : llvm::zip(all, changes))
      for (size_t s = 0; s < sum.size(); ++s)
        sum[s] += change[s];
  }
  double divisor = op.getBatchSum() ? 1.0 : double(lanes);
  for (auto [w, name] : llvm::enumerate(code.writes)) {
    Vector &target = getTarget(name);
    for (size_t s = 0; s < target.size(); ++s)
      target[s] +=
          all[w][isShared() ? weight->synapses.source[s] : s] / divisor;
  }
}

void Plastic::confine() {
  for (double &value : weight->values)
    value = std::clamp(value, weight->lo, weight->hi);
}

void Plastic::tick(uint64_t now, double dt) {
  advanceTraces(now, dt, /*spikes=*/false);
  if (isEnabled) {
    for (Event event : {Event::Pre, Event::Post, Event::Tick})
      handle(event, now, dt);
    confine();
  }
  advanceTraces(now, dt, /*spikes=*/true);
}

LogicalResult Plastic::call(uint64_t now, double dt) {
  if (!handlers.count(Event::Call))
    return failure();
  handle(Event::Call, now, dt);
  confine();
  return success();
}
