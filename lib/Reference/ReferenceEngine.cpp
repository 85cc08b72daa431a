// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The reference interpreter: runs a network tick by tick in the order of the
// tick schedule. Tensor operations between nodes are evaluated as they stand.
#include "ReferenceEngine.h"

#include "neuroc/Conversion/TensorEval.h"

#include <cmath>

using namespace mlir;
using namespace neuroc;
using namespace neuroc::neuro;
using namespace neuroc::reference;
using rt::Code;
using rt::Status;

Status ReferenceEngine::reset() {
  now = 0;
  spikeCount = eventCount = 0;
  for (auto &[value, signal] : signals)
    signal->reset();
  for (auto &[name, weight] : weights)
    weight->values = weight->initial;
  for (auto &[name, population] : populations) {
    population->states = population->initial;
    population->clamps.clear();
  }
  for (auto &[name, stimulus] : stimuli) {
    stimulus.values = stimulus.initial;
    stimulus.isFresh = true;
  }
  for (auto &plastic : plastics)
    plastic->reset();
  return Status::ok();
}

static double combine(Combine kind, double a, double b) {
  switch (kind) {
  case Combine::Sum:
    return a + b;
  case Combine::Max:
    return std::fmax(a, b);
  case Combine::Min:
    return std::fmin(a, b);
  case Combine::Product:
    return a * b;
  }
  llvm_unreachable("all kinds handled");
}

void ReferenceEngine::runStage(Population &population, Stage &stage) {
  if (now % population.every != 0) {
    for (auto &[name, signal] : population.outputs)
      if (signal->isSpikes)
        std::fill(signal->now().begin(), signal->now().end(), 0.0);
    return;
  }
  ScalarCode &code = stage.code;
  UnitEnvironment unit;
  unit.key = population.key;
  unit.tick = uint32_t(now);
  unit.milliseconds = double(now) * dt;
  // Resolve names once per stage, not per unit.
  std::vector<std::function<double(size_t)>> reads;
  for (const std::string &name : code.reads) {
    if (auto it = population.states.find(name); it != population.states.end()) {
      Vector *values = &it->second;
      reads.push_back([values](size_t i) { return (*values)[i]; });
    } else if (auto it = population.params.find(name);
               it != population.params.end()) {
      Vector *values = &it->second;
      reads.push_back([values](size_t i) { return (*values)[i]; });
    } else {
      Population::Port *port = &population.ports.at(name);
      reads.push_back([port](size_t i) {
        if (port->signals.empty())
          return port->defaultValue;
        double value = port->signals[0]->at(0)[i];
        for (size_t s = 1; s < port->signals.size(); ++s)
          value = combine(port->combine, value, port->signals[s]->at(0)[i]);
        return value;
      });
    }
  }
  size_t unitsOfLane = population.units / lanes;
  auto load = [&](double *slots, size_t i) {
    for (size_t r = 0; r < reads.size(); ++r)
      slots[code.readSlots[r]] = reads[r](i);
  };
  auto environmentOf = [&](size_t i) -> const Environment & {
    unit.entity = i;
    unit.unit = i % unitsOfLane;
    return unit;
  };
  auto store = [&](const double *slots, size_t i) {
    for (size_t w = 0; w < code.writes.size(); ++w)
      population.states[code.writes[w]][i] = slots[code.writeSlots[w]];
    for (size_t e = 0; e < code.emits.size(); ++e) {
      Signal *signal = population.outputs[code.emits[e]];
      double value = slots[code.emitSlots[e]];
      signal->now()[i] = value;
      if (signal->isSpikes && value != 0)
        ++spikeCount;
    }
  };
  if (code.reductions.empty()) {
    for (size_t i = 0; i < population.units; ++i) {
      load(stage.slots.data(), i);
      code.run(stage.slots, environmentOf(i));
      store(stage.slots.data(), i);
    }
  } else {
    size_t numSlots = code.getNumSlots();
    Vector slots;
    for (size_t i = 0; i < population.units; ++i) {
      slots.insert(slots.end(), stage.slots.begin(), stage.slots.end());
      load(slots.data() + i * numSlots, i);
    }
    code.runTogether(slots, population.units, environmentOf,
                     [&](const Reduction &reduction) {
                       size_t size =
                           reduction.group ? reduction.group : unitsOfLane;
                       ScalarCode::Groups groups(population.units / size);
                       for (size_t i = 0; i < population.units; ++i)
                         groups[i / size].push_back(i);
                       return groups;
                     });
    for (size_t i = 0; i < population.units; ++i)
      store(slots.data() + i * numSlots, i);
  }
  for (auto &[name, clamp] : population.clamps)
    for (size_t i = 0; i < population.units; ++i)
      if (!std::isnan(clamp[i]))
        population.states[name][i] = clamp[i];
}

void ReferenceEngine::runProjection(Projection &projection) {
  const rt::Synapses &synapses = projection.weight->synapses;
  const Vector &weights = projection.weight->values;
  bool transposed = projection.op.getTransposed();
  Combine kind = projection.op.getCombine();
  Vector &out = projection.output->now();
  std::fill(out.begin(), out.end(), kind == Combine::Product ? 1.0 : 0.0);
  std::vector<bool> seen(
      kind == Combine::Max || kind == Combine::Min ? out.size() : 0);
  UnitEnvironment nothing;
  size_t numPre = synapses.rowStart.size() - 1;
  size_t sources = projection.input->units / lanes;
  size_t targets = out.size() / lanes;
  for (size_t lane = 0; lane < lanes; ++lane)
    for (size_t pre = 0; pre < numPre; ++pre) {
      uint64_t begin = synapses.rowStart[pre], end = synapses.rowStart[pre + 1];
      // A silent unit adds nothing to a plain sum.
      if (!transposed && projection.delays.empty() && !projection.hasTransmit &&
          kind == Combine::Sum &&
          projection.input->at(projection.delay)[lane * sources + pre] == 0)
        continue;
      for (uint64_t s = begin; s < end; ++s) {
        size_t post = synapses.post[s];
        size_t source = lane * sources + (transposed ? post : pre);
        size_t target = lane * targets + (transposed ? pre : post);
        size_t delay =
            projection.delays.empty() ? projection.delay : projection.delays[s];
        double x = projection.input->at(delay)[source];
        if (projection.input->isSpikes && x != 0)
          ++eventCount;
        double value = weights[s] * x;
        if (projection.hasTransmit) {
          projection.slots[0] = weights[s];
          projection.slots[1] = x;
          projection.transmit.run(projection.slots, nothing);
          value = projection.slots[projection.transmit.yieldSlot];
        }
        if (!seen.empty() && !seen[target]) {
          seen[target] = true;
          out[target] = value;
        } else {
          out[target] = combine(kind, out[target], value);
        }
      }
    }
}

LogicalResult ReferenceEngine::runTensorOp(Operation *op) {
  for (size_t lane = 0; lane < lanes; ++lane)
    if (failed(runTensorOp(op, lane)))
      return failure();
  return success();
}

LogicalResult ReferenceEngine::runTensorOp(Operation *op, size_t lane) {
  TensorEval eval;
  for (auto &[value, signal] : signals) {
    // Results of nodes are known; results of tensor code are computed.
    if (!isa_and_nonnull<NeuroDialect>(value.getDefiningOp()->getDialect()))
      continue;
    auto type = cast<RankedTensorType>(value.getType());
    auto tensor = std::make_shared<HostTensor>();
    tensor->shape.assign(type.getShape().begin(), type.getShape().end());
    tensor->element = type.getElementType();
    size_t units = signal->units / lanes;
    for (size_t i = 0; i < units; ++i) {
      double number = signal->now()[lane * units + i];
      HostScalar scalar;
      if (tensor->isFloat())
        scalar.f = number;
      else
        scalar.i = number != 0 ? -1 : 0; // i1, sign-extended
      tensor->data.push_back(scalar);
    }
    eval.bind(value, tensor);
  }
  for (Value result : op->getResults()) {
    auto it = signals.find(result);
    if (it == signals.end())
      continue; // read by tensor code only
    std::shared_ptr<HostTensor> tensor = eval.evaluate(result);
    if (!tensor) {
      Operation *blocker = eval.blocker() ? eval.blocker().getDefiningOp() : op;
      return (blocker ? blocker : op)
          ->emitError("the reference interpreter cannot evaluate this tensor "
                      "operation");
    }
    size_t units = it->second->units / lanes;
    double *out = it->second->now().data() + lane * units;
    for (size_t i = 0; i < units; ++i)
      out[i] = tensor->isFloat()              ? tensor->data[i].f
               : tensor->element.isInteger(1) ? double(tensor->data[i].i != 0)
                                              : double(tensor->data[i].i);
  }
  return success();
}

LogicalResult ReferenceEngine::runItem(const TickSchedule::Item &item) {
  Operation *op = item.op;
  if (auto population = dyn_cast<PopulationOp>(op)) {
    Population &entry = *populations.at(population.getSymName().str());
    runStage(entry, entry.stages.at(item.stage));
  } else if (isa<ProjectOp>(op)) {
    runProjection(projections.at(op));
  } else if (auto delay = dyn_cast<DelayOp>(op)) {
    getSignal(delay.getOutput())->now() =
        getSignal(delay.getInput())->at(delay.getTicks());
  } else if (auto stimulus = dyn_cast<StimulusOp>(op)) {
    Stimulus &entry = stimuli.at(stimulus.getSymName().str());
    if (entry.isPulse && !entry.isFresh)
      std::fill(entry.signal->now().begin(), entry.signal->now().end(), 0.0);
    else
      entry.signal->now() = entry.values;
    entry.isFresh = false;
    if (entry.isPulse)
      for (double value : entry.signal->now())
        spikeCount += value != 0;
  } else if (auto array = dyn_cast<SpikeArrayOp>(op)) {
    Vector &out = getSignal(array.getOutput())->now();
    std::fill(out.begin(), out.end(), 0.0);
    auto &events = spikeArrays[op];
    size_t units = out.size() / lanes;
    if (auto it = events.find(now); it != events.end())
      for (uint32_t unit : it->second)
        for (size_t lane = 0; lane < lanes; ++lane)
          if (out[lane * units + unit] == 0) {
            out[lane * units + unit] = 1;
            ++spikeCount;
          }
  } else {
    return runTensorOp(op);
  }
  return success();
}

void ReferenceEngine::record(rt::RecordSink *sink) {
  for (unsigned probe = 0; probe < recorders.size(); ++probe) {
    const rt::ProbeInfo &info = probeInfos[probe];
    if (now % info.every != 0)
      continue;
    Recorder &recorder = recorders[probe];
    const Vector &values = recorder.signal
                               ? recorder.signal->at(0)
                               : recorder.population->states[recorder.variable];
    if (!info.isSpikes) {
      sink->values(probe, now, values);
      continue;
    }
    std::vector<uint32_t> units;
    for (size_t i = 0; i < values.size(); ++i)
      if (values[i] != 0)
        units.push_back(i);
    sink->spikes(probe, now, units);
  }
}

Status ReferenceEngine::step(uint64_t ticks, rt::RecordSink *sink) {
  for (uint64_t i = 0; i < ticks; ++i) {
    for (auto &[value, signal] : signals)
      signal->advance();
    for (const TickSchedule::Item &item : items)
      if (failed(runItem(item)))
        return {Code::ModelError, "the reference interpreter stopped at tick " +
                                      std::to_string(now)};
    for (auto &plastic : plastics)
      plastic->tick(now, dt);
    if (sink)
      record(sink);
    ++now;
  }
  return Status::ok();
}
