// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The reference interpreter: builds the picture of a network in core normal
// form, then runs it tick by tick in the order of the tick schedule. Tensor
// operations between nodes are evaluated as they stand.
#include "neuroc/Reference/Reference.h"

#include "Network.h"

#include "neuroc/Conversion/TensorEval.h"
#include "neuroc/Neuro/Analysis/TickSchedule.h"
#include "neuroc/Neuro/Analysis/Values.h"

#include <cmath>
#include <memory>

using namespace mlir;
using namespace neuroc;
using namespace neuroc::neuro;
using namespace neuroc::reference;
using rt::Code;
using rt::Status;

namespace {

class ReferenceEngine final : public rt::Engine {
public:
  explicit ReferenceEngine(OwningOpRef<ModuleOp> core)
      : core(std::move(core)) {}

  LogicalResult build(uint64_t seed);

  Status reset() override;
  Status step(uint64_t ticks, rt::RecordSink *sink) override;
  uint64_t tick() const override { return now; }
  const std::vector<rt::ProbeInfo> &probes() const override {
    return probeInfos;
  }
  Status setStimulus(std::string_view name,
                     std::span<const double> values) override;
  Status readProbe(unsigned probe, Vector &values) override;
  Status readState(std::string_view population, std::string_view variable,
                   Vector &values) override;
  Status writeState(std::string_view population, std::string_view variable,
                    std::span<const double> values) override;
  Status clampState(std::string_view population, std::string_view variable,
                    std::span<const double> values) override;
  Status readWeight(std::string_view weight, Vector &values) override;
  Status writeWeight(std::string_view weight,
                     std::span<const double> values) override;
  Status setPlasticEnabled(std::string_view plastic, bool enabled) override;
  Status callRule(std::string_view plastic) override;
  Status stats(rt::Stats &stats) const override;

private:
  struct Stimulus {
    StimulusOp op;
    Signal *signal;
    Vector initial, values;
    bool isPulse, isFresh = false;
  };
  struct Recorder {
    Signal *signal = nullptr; ///< or
    Population *population = nullptr;
    std::string variable;
  };

  // Construction.
  LogicalResult buildWeight(WeightOp op);
  LogicalResult buildPopulation(PopulationOp op);
  LogicalResult buildProjection(ProjectOp op);
  LogicalResult buildPlastic(PlasticOp op);
  Signal *getSignal(Value value);
  void keep(Signal *signal, size_t delay) {
    signal->depth = std::max(signal->depth, delay + 1);
  }

  // One tick.
  LogicalResult runItem(const TickSchedule::Item &item);
  void runStage(Population &population, Stage &stage);
  void runProjection(Projection &projection);
  LogicalResult runTensorOp(Operation *op);
  LogicalResult runTensorOp(Operation *op, size_t lane);
  void record(rt::RecordSink *sink);

  Population *findPopulation(std::string_view name);
  Status findState(std::string_view population, std::string_view variable,
                   Vector *&values, Population *&owner);
  Status checkCount(size_t given, size_t expected, std::string_view what);
  /// Values for all lanes, from these or from those of one lane.
  Status assign(std::span<const double> given, Vector &values,
                std::string_view what);
  Plastic *findPlastic(std::string_view name);

  OwningOpRef<ModuleOp> core;
  NetworkOp network;
  uint64_t seed = 1, now = 0;
  double dt = 1;
  size_t lanes = 1; ///< of the batch
  std::vector<TickSchedule::Item> items;
  llvm::DenseMap<Value, std::unique_ptr<Signal>> signals;
  std::map<std::string, std::unique_ptr<Weight>> weights;
  std::map<std::string, std::unique_ptr<Population>> populations;
  std::map<Operation *, Projection> projections;
  std::vector<std::unique_ptr<Plastic>> plastics;
  std::map<std::string, Stimulus> stimuli;
  std::vector<rt::ProbeInfo> probeInfos;
  std::vector<Recorder> recorders;
  std::map<Operation *, std::map<uint64_t, std::vector<uint32_t>>> spikeArrays;
  double spikeCount = 0, eventCount = 0;
};

} // namespace

//===----------------------------------------------------------------------===//
// Construction
//===----------------------------------------------------------------------===//

Signal *ReferenceEngine::getSignal(Value value) {
  std::unique_ptr<Signal> &signal = signals[value];
  if (!signal) {
    auto type = cast<RankedTensorType>(value.getType());
    signal = std::make_unique<Signal>();
    signal->units = lanes * type.getNumElements();
    signal->isSpikes = isa<PopulationOp, StimulusOp, SpikeArrayOp, DelayOp>(
                           value.getDefiningOp()) &&
                       type.getElementType().isInteger(1);
  }
  return signal.get();
}

LogicalResult ReferenceEngine::buildWeight(WeightOp op) {
  FailureOr<ExpandedWeight> expanded = expandWeight(op);
  if (failed(expanded))
    return failure();
  auto weight = std::make_unique<Weight>();
  weight->op = op;
  weight->synapses = std::move(expanded->synapses);
  weight->initial = weight->values = std::move(expanded->values);
  weight->byPost.resize(op.getNumPost());
  for (int64_t pre = 0; pre < op.getNumPre(); ++pre)
    for (uint64_t s = weight->synapses.rowStart[pre];
         s < weight->synapses.rowStart[pre + 1]; ++s) {
      weight->preOf.push_back(pre);
      weight->byPost[weight->synapses.post[s]].push_back(s);
    }
  weight->lo = op.getSign() == Sign::Excitatory ? 0.0 : -HUGE_VAL;
  weight->hi = op.getSign() == Sign::Inhibitory ? 0.0 : HUGE_VAL;
  if (auto bounds = op.getBounds()) {
    weight->lo = std::max(weight->lo, (*bounds)[0]);
    weight->hi = std::min(weight->hi, (*bounds)[1]);
  }
  weights[op.getSymName().str()] = std::move(weight);
  return success();
}

/// Values of one lane, repeated for each; values of all lanes as they are.
static Vector forAllLanes(Vector values, size_t count) {
  for (size_t i = values.size(), given = i; i < count; ++i)
    values.push_back(values[i - given]);
  return values;
}

LogicalResult ReferenceEngine::buildPopulation(PopulationOp op) {
  auto population = std::make_unique<Population>();
  population->op = op;
  population->key =
      neuroc_rt_key(seed, neuroc_rt_stream(op.getSymName().str().c_str()));
  population->units = lanes * op.getNumUnits();
  population->lanes = lanes;
  population->every = op.getEvery();
  ModelOp model = op.getModelOp();
  for (StateOp state : model.list<StateOp>())
    population->initial[state.getSymName().str()] =
        forAllLanes(getInitialState(op, state.getSymName()),
                    population->units);
  for (ParamOp param : model.list<ParamOp>())
    population->params[param.getSymName().str()] =
        forAllLanes(getParamValues(op, param.getSymName()), population->units);
  for (InputOp input : model.list<InputOp>()) {
    Population::Port &port = population->ports[input.getSymName().str()];
    port.combine = input.getCombine();
    port.defaultValue = input.getDefaultValue().convertToDouble();
    for (unsigned index : op.getOperandsOfPort(input.getSymName()))
      port.signals.push_back(getSignal(op.getInputs()[index]));
  }
  for (auto [output, result] :
       llvm::zip(model.list<OutputOp>(), op.getOutputs()))
    population->outputs[output.getSymName().str()] = getSignal(result);
  for (StageOp stage : model.list<StageOp>()) {
    auto code = ScalarCode::compile(stage.getBody().front());
    if (failed(code))
      return failure();
    Stage &entry = population->stages[stage];
    entry.op = stage;
    entry.code = *code;
    entry.code.prepare(entry.slots);
  }
  populations[op.getSymName().str()] = std::move(population);
  return success();
}

LogicalResult ReferenceEngine::buildProjection(ProjectOp op) {
  Projection &projection = projections[op];
  projection.op = op;
  projection.weight = weights[op.getWeight().str()].get();
  projection.input = getSignal(op.getInput());
  projection.output = getSignal(op.getOutput());
  projection.delay = op.getDelay();
  if (op.getDelays())
    projection.delays = expandDelays(op, projection.weight->synapses);
  keep(projection.input, getMaxDelay(op, projection.weight->synapses));
  if (!op.getTransmit().empty()) {
    auto code = ScalarCode::compile(op.getTransmit().front());
    if (failed(code))
      return failure();
    projection.hasTransmit = true;
    projection.transmit = *code;
    projection.transmit.prepare(projection.slots);
  }
  return success();
}

LogicalResult ReferenceEngine::buildPlastic(PlasticOp op) {
  auto plastic = std::make_unique<Plastic>();
  plastic->op = op;
  plastic->rule = op.getRuleOp();
  plastic->weight = weights[op.getWeight().str()].get();
  plastic->pre = getSignal(op.getPre());
  plastic->post = getSignal(op.getPost());
  plastic->delay = op.getDelay();
  plastic->lanes = lanes;
  keep(plastic->pre, plastic->delay);
  plastic->key =
      neuroc_rt_key(seed, neuroc_rt_stream(op.getSymName().str().c_str()));
  for (auto [index, signal] : llvm::enumerate(op.getFactors())) {
    StringRef name = cast<StringAttr>(op.getFactorNamesAttr()[index]).getValue();
    auto declared = cast<FactorOp>(plastic->rule.lookup(name));
    plastic->factors[name.str()] = {declared.getSide(), getSignal(signal)};
  }
  if (failed(plastic->compile()))
    return failure();
  plastics.push_back(std::move(plastic));
  return success();
}

LogicalResult ReferenceEngine::build(uint64_t seedOverride) {
  auto networks = llvm::to_vector(core->getOps<NetworkOp>());
  if (networks.size() != 1)
    return core->emitError("the reference interpreter needs one network, got ")
           << networks.size();
  network = networks.front();
  if (seedOverride)
    network.setSeed(seedOverride);
  seed = network.getSeed();
  dt = network.getDt().convertToDouble();
  lanes = network.getBatch();
  FailureOr<TickSchedule> schedule = TickSchedule::compute(network);
  if (failed(schedule))
    return failure();
  items.assign(schedule->getItems().begin(), schedule->getItems().end());

  Block &body = network.getBody().front();
  for (WeightOp op : body.getOps<WeightOp>())
    if (failed(buildWeight(op)))
      return failure();
  for (Operation &op : body) {
    LogicalResult result = success();
    if (auto population = dyn_cast<PopulationOp>(op))
      result = buildPopulation(population);
    else if (auto projection = dyn_cast<ProjectOp>(op))
      result = buildProjection(projection);
    else if (auto plastic = dyn_cast<PlasticOp>(op))
      result = buildPlastic(plastic);
    else if (auto delay = dyn_cast<DelayOp>(op)) {
      keep(getSignal(delay.getInput()), delay.getTicks());
      getSignal(delay.getOutput());
    } else if (auto stimulus = dyn_cast<StimulusOp>(op)) {
      Signal *signal = getSignal(stimulus.getOutput());
      Vector initial =
          forAllLanes(getInitialStimulus(stimulus), signal->units);
      stimuli[stimulus.getSymName().str()] = {stimulus, signal, initial,
                                              initial, signal->isSpikes};
    } else if (auto array = dyn_cast<SpikeArrayOp>(op)) {
      getSignal(array.getOutput());
      Vector events = toDoubles(array.getEvents());
      for (size_t i = 0; i + 1 < events.size(); i += 2)
        spikeArrays[&op][uint64_t(events[i])].push_back(
            uint32_t(events[i + 1]));
    }
    if (failed(result))
      return failure();
  }
  auto getOuterShape = [&](ArrayRef<int64_t> shape) {
    std::vector<int64_t> outer(shape.begin(), shape.end());
    if (lanes > 1)
      outer.insert(outer.begin(), int64_t(lanes));
    return outer;
  };
  for (Operation &op : body) {
    if (auto probe = dyn_cast<ProbeOp>(op)) {
      auto type = cast<RankedTensorType>(probe.getInput().getType());
      Signal *signal = getSignal(probe.getInput());
      bool isSpikes = type.getElementType().isInteger(1);
      probeInfos.push_back({probe.getSymName().str(), isSpikes,
                            getOuterShape(type.getShape()),
                            unsigned(probe.getEvery())});
      recorders.push_back({signal, nullptr, ""});
    } else if (auto watch = dyn_cast<WatchOp>(op)) {
      Population *population = findPopulation(watch.getPopulation());
      probeInfos.push_back({watch.getSymName().str(), false,
                            getOuterShape(population->op.getShape()),
                            unsigned(watch.getEvery())});
      recorders.push_back({nullptr, population, watch.getVariable().str()});
    }
  }
  return success(bool(reset()));
}

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

//===----------------------------------------------------------------------===//
// One tick
//===----------------------------------------------------------------------===//

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
    code.runTogether(
        slots, population.units, environmentOf,
        [&](const Reduction &reduction) {
          size_t size = reduction.group ? reduction.group : unitsOfLane;
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
  std::vector<bool> seen(kind == Combine::Max || kind == Combine::Min
                             ? out.size()
                             : 0);
  UnitEnvironment nothing;
  size_t numPre = synapses.rowStart.size() - 1;
  size_t sources = projection.input->units / lanes;
  size_t targets = out.size() / lanes;
  for (size_t lane = 0; lane < lanes; ++lane)
    for (size_t pre = 0; pre < numPre; ++pre) {
      uint64_t begin = synapses.rowStart[pre], end = synapses.rowStart[pre + 1];
      // A silent unit adds nothing to a plain sum.
      if (!transposed && projection.delays.empty() &&
          !projection.hasTransmit && kind == Combine::Sum &&
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
    if (!units.empty())
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

//===----------------------------------------------------------------------===//
// Access by the session
//===----------------------------------------------------------------------===//

static Status unknownName(std::string_view what, std::string_view name) {
  return {Code::ModelError,
          "there is no " + std::string(what) + " '" + std::string(name) + "'"};
}

Status ReferenceEngine::checkCount(size_t given, size_t expected,
                                   std::string_view what) {
  if (given == expected)
    return Status::ok();
  return {Code::ModelError, "'" + std::string(what) + "' needs " +
                                std::to_string(expected) + " values, got " +
                                std::to_string(given)};
}

Status ReferenceEngine::assign(std::span<const double> given, Vector &values,
                               std::string_view what) {
  if (given.size() * lanes != values.size())
    if (Status status = checkCount(given.size(), values.size(), what); !status)
      return status;
  for (size_t i = 0; i < values.size(); ++i)
    values[i] = given[i % given.size()];
  return Status::ok();
}

Plastic *ReferenceEngine::findPlastic(std::string_view name) {
  for (auto &plastic : plastics)
    if (plastic->op.getSymName() == llvm::StringRef(name))
      return plastic.get();
  return nullptr;
}

Population *ReferenceEngine::findPopulation(std::string_view name) {
  auto it = populations.find(std::string(name));
  return it == populations.end() ? nullptr : it->second.get();
}

Status ReferenceEngine::findState(std::string_view population,
                                  std::string_view variable, Vector *&values,
                                  Population *&owner) {
  owner = findPopulation(population);
  if (!owner)
    return unknownName("population", population);
  auto it = owner->states.find(std::string(variable));
  if (it == owner->states.end())
    return unknownName("state",
                       std::string(population) + "." + std::string(variable));
  values = &it->second;
  return Status::ok();
}

Status ReferenceEngine::setStimulus(std::string_view name,
                                    std::span<const double> values) {
  auto it = stimuli.find(std::string(name));
  if (it == stimuli.end())
    return unknownName("stimulus", name);
  if (Status status = assign(values, it->second.values, name); !status)
    return status;
  it->second.isFresh = true;
  return Status::ok();
}

Status ReferenceEngine::readProbe(unsigned probe, Vector &values) {
  if (probe >= recorders.size())
    return {Code::Internal, "probe number out of range"};
  Recorder &recorder = recorders[probe];
  values = recorder.signal ? recorder.signal->now()
                           : recorder.population->states[recorder.variable];
  return Status::ok();
}

/// Whether values are stored in the order of the source array (dense rows, a
/// kernel), not one for each synapse; and how many there are.
static bool isStoredBySource(WeightOp op) {
  return isDenseLayout(op) || isa<ConvAttr>(op.getConnect());
}

static size_t getStoredCount(const Weight &weight) {
  WeightOp op = weight.op;
  if (isDenseLayout(op))
    return op.getNumPre() * op.getNumPost();
  if (auto conv = dyn_cast<ConvAttr>(op.getConnect()))
    return op.getPost()[0] * (op.getPre()[0] / conv.getGroups()) *
           conv.getKernel()[0] * conv.getKernel()[1];
  return weight.values.size();
}

/// Values of a weight's synapses as they are stored, and back.
static Vector toStored(const Weight &weight, const Vector &values) {
  if (!isStoredBySource(weight.op))
    return values;
  Vector stored(getStoredCount(weight), 0.0);
  for (size_t s = 0; s < values.size(); ++s)
    stored[weight.synapses.source[s]] = values[s];
  return stored;
}

static void fromStored(const Weight &weight, std::span<const double> stored,
                       Vector &values) {
  for (size_t s = 0; s < values.size(); ++s)
    values[s] =
        stored[isStoredBySource(weight.op) ? weight.synapses.source[s] : s];
}

Status ReferenceEngine::readState(std::string_view population,
                                  std::string_view variable, Vector &values) {
  if (Plastic *plastic = findPlastic(population)) {
    auto it = plastic->states.find(std::string(variable));
    if (it != plastic->states.end()) {
      values = toStored(*plastic->weight, it->second);
      return Status::ok();
    }
  }
  Vector *state;
  Population *owner;
  if (Status status = findState(population, variable, state, owner); !status)
    return status;
  values = *state;
  return Status::ok();
}

Status ReferenceEngine::writeState(std::string_view population,
                                   std::string_view variable,
                                   std::span<const double> values) {
  if (Plastic *plastic = findPlastic(population)) {
    auto it = plastic->states.find(std::string(variable));
    if (it != plastic->states.end()) {
      const Weight &weight = *plastic->weight;
      if (Status status =
              checkCount(values.size(), getStoredCount(weight), variable);
          !status)
        return status;
      fromStored(weight, values, it->second);
      return Status::ok();
    }
  }
  Vector *state;
  Population *owner;
  if (Status status = findState(population, variable, state, owner); !status)
    return status;
  return assign(values, *state, variable);
}

Status ReferenceEngine::clampState(std::string_view population,
                                   std::string_view variable,
                                   std::span<const double> values) {
  Vector *state;
  Population *owner;
  if (Status status = findState(population, variable, state, owner); !status)
    return status;
  if (values.empty()) {
    owner->clamps.erase(std::string(variable));
    return Status::ok();
  }
  Vector held(state->size());
  if (Status status = assign(values, held, variable); !status)
    return status;
  for (size_t i = 0; i < held.size(); ++i)
    if (!std::isnan(held[i]))
      (*state)[i] = held[i];
  owner->clamps[std::string(variable)] = held;
  return Status::ok();
}

Status ReferenceEngine::readWeight(std::string_view name, Vector &values) {
  auto it = weights.find(std::string(name));
  if (it == weights.end())
    return unknownName("weight", name);
  values = toStored(*it->second, it->second->values);
  return Status::ok();
}

Status ReferenceEngine::writeWeight(std::string_view name,
                                    std::span<const double> values) {
  auto it = weights.find(std::string(name));
  if (it == weights.end())
    return unknownName("weight", name);
  Weight &weight = *it->second;
  if (Status status = checkCount(values.size(), getStoredCount(weight), name);
      !status)
    return status;
  fromStored(weight, values, weight.values);
  return Status::ok();
}

Status ReferenceEngine::setPlasticEnabled(std::string_view name, bool enabled) {
  Plastic *plastic = findPlastic(name);
  if (!plastic)
    return unknownName("plasticity", name);
  plastic->isEnabled = enabled;
  return Status::ok();
}

Status ReferenceEngine::callRule(std::string_view name) {
  Plastic *plastic = findPlastic(name);
  if (!plastic)
    return unknownName("plasticity", name);
  if (succeeded(plastic->call(now, dt)))
    return Status::ok();
  return {Code::ModelError,
          "the rule of '" + std::string(name) + "' has no handler 'on call'"};
}

Status ReferenceEngine::stats(rt::Stats &stats) const {
  stats["spikes"] = spikeCount;
  stats["synaptic_events"] = eventCount;
  return Status::ok();
}

Status neuroc::createReferenceEngine(OwningOpRef<ModuleOp> core,
                                     const rt::EngineOptions &options,
                                     std::unique_ptr<rt::Engine> &engine) {
  auto reference = std::make_unique<ReferenceEngine>(std::move(core));
  if (failed(reference->build(options.seed)))
    return {Code::ModelError,
            "the reference interpreter cannot run this program"};
  engine = std::move(reference);
  return Status::ok();
}
