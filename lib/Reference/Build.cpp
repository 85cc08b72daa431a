// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Builds the interpreter's picture of a network in core normal form: signals
// with as much past as their readers need, weights as lists of synapses, code
// as lists of instructions.
#include "ReferenceEngine.h"

#include "neuroc/Neuro/Analysis/Values.h"

#include "mlir/Dialect/Linalg/Passes.h"
#include "mlir/Pass/PassManager.h"

#include <cmath>

using namespace mlir;
using namespace neuroc;
using namespace neuroc::neuro;
using namespace neuroc::reference;
using rt::Status;

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
        forAllLanes(getInitialState(op, state.getSymName()), population->units);
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
    StringRef name =
        cast<StringAttr>(op.getFactorNamesAttr()[index]).getValue();
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
  // Elementwise code on tensors has one form from here on.
  PassManager elementwise(core->getContext());
  elementwise.addPass(createConvertElementwiseToLinalgPass());
  if (failed(elementwise.run(*core)))
    return failure();
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
      Vector initial = forAllLanes(getInitialStimulus(stimulus), signal->units);
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

Status neuroc::createReferenceEngine(OwningOpRef<ModuleOp> core,
                                     const rt::EngineOptions &options,
                                     std::unique_ptr<rt::Engine> &engine) {
  auto reference = std::make_unique<ReferenceEngine>(std::move(core));
  if (failed(reference->build(options.seed)))
    return {rt::Code::ModelError,
            "the reference interpreter cannot run this program"};
  engine = std::move(reference);
  return Status::ok();
}
