// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Experiments: verifiers of the protocol's steps and of the names they use.
// Rule numbers are those of NeuroOps.td.
#include "neuroc/Neuro/Neuro.h"
#include "neuroc/rt/HostMath.h"

#include "mlir/IR/Builders.h"

using namespace mlir;
using namespace neuroc::neuro;

LogicalResult DatasetOp::verify() {
  if (getValues().has_value() == getFile().has_value()) // dataset_r1
    return emitOpError("needs exactly one of 'values' and 'file'");
  if (auto values = getValues())
    if (values->getShapedType().getRank() < 1) // dataset_r2
      return emitOpError("values need at least one dimension (rows first)");
  return success();
}

static bool isStep(Operation *op) {
  return isa<PhaseOp, RepeatOp, ForEachOp, PresentOp, StepOp, SettleOp,
             EnableOp, DisableOp, ClampOp, ReleaseOp, AssignOp, CallOp,
             SnapshotOp, RestoreOp, ReadoutOp, ExpectOp, LiteralOp, ReadOp,
             CalcOp, StoreOp, IfOp, WhileOp, StreamOp>(op);
}

LogicalResult ExperimentOp::verify() {
  WalkResult result = getBody().walk([&](Operation *op) {
    if (isStep(op)) // experiment_r1
      return WalkResult::advance();
    op->emitOpError("may not stand in an experiment; expected protocol steps");
    return WalkResult::interrupt();
  });
  return failure(result.wasInterrupted());
}

namespace {
/// Looks up what the steps of an experiment name (experiment_r2).
class NameChecker {
public:
  NameChecker(ExperimentOp experiment, NetworkOp network)
      : experiment(experiment), network(network) {}

  LogicalResult check() {
    WalkResult result = experiment.getBody().walk([&](Operation *op) {
      return failed(checkStep(op)) ? WalkResult::interrupt()
                                   : WalkResult::advance();
    });
    return failure(result.wasInterrupted());
  }

private:
  Operation *lookup(StringRef name) {
    return SymbolTable::lookupSymbolIn(network, name);
  }

  template <typename... Ops>
  LogicalResult need(Operation *step, StringRef name, StringRef what) {
    if (isa_and_nonnull<Ops...>(lookup(name)))
      return success();
    return step->emitOpError("names '")
           << name << "', which is not a " << what << " of network '"
           << network.getSymName() << "'";
  }

  LogicalResult needDataset(Operation *step, std::optional<StringRef> name) {
    if (!name)
      return success();
    if (isa_and_nonnull<DatasetOp>(lookup(*name)) ||
        isa_and_nonnull<DatasetOp>(SymbolTable::lookupSymbolIn(
            experiment->getParentOp(), *name)))
      return success();
    return step->emitOpError("names dataset '")
           << *name << "', which is not defined";
  }

  LogicalResult needState(Operation *step, StringRef name, StringRef variable) {
    if (isa_and_nonnull<AssociativeMemoryOp, PcLayerOp>(lookup(name)))
      return success(); // checked once the sugar is expanded
    if (failed(need<PopulationOp>(step, name, "population")))
      return failure();
    auto population = cast<PopulationOp>(lookup(name));
    ModelOp model = population.getModelOp();
    if (model && !isa_and_nonnull<StateOp>(model.lookup(variable)))
      return step->emitOpError("names '")
             << variable << "', which is not a state of model '"
             << population.getModel() << "'";
    return success();
  }

  LogicalResult needPlastic(Operation *step, StringRef name) {
    // Sugar will define the plastic "<its name>_learning".
    StringRef owner = name;
    if (owner.consume_back("_learning") &&
        isa_and_nonnull<AssociativeMemoryOp, PcLayerOp>(lookup(owner)))
      return success();
    return need<PlasticOp>(step, name, "plasticity");
  }

  LogicalResult needCallable(Operation *step, StringRef name) {
    if (failed(needPlastic(step, name)))
      return failure();
    auto plastic = dyn_cast_or_null<PlasticOp>(lookup(name));
    RuleOp rule = plastic ? plastic.getRuleOp() : RuleOp();
    if (!rule)
      return success();
    for (HandlerOp handler : rule.list<HandlerOp>())
      if (handler.getEvent() == Event::Call)
        return success();
    return step->emitOpError("calls '")
           << name << "', but rule '" << plastic.getRule()
           << "' has no handler 'on call'";
  }

  /// Sugar becomes a population of the same name.
  LogicalResult needSnapshotItem(Operation *step, StringRef name) {
    if (isa_and_nonnull<AssociativeMemoryOp, PcLayerOp>(lookup(name)))
      return success();
    return need<WeightOp, PopulationOp, PlasticOp>(
        step, name, "weight, population or plasticity");
  }

  /// A state of a population's units or of a plastic's synapses.
  LogicalResult needAnyState(Operation *step, StringRef name,
                             std::optional<StringRef> variable) {
    if (!variable)
      return step->emitOpError("needs the name of a state of '") << name << "'";
    auto plastic = dyn_cast_or_null<PlasticOp>(lookup(name));
    if (!plastic)
      return needState(step, name, *variable);
    RuleOp rule = plastic.getRuleOp();
    if (rule && !isa_and_nonnull<StateOp>(rule.lookup(*variable)))
      return step->emitOpError("names '")
             << *variable << "', which is not a state of rule '"
             << plastic.getRule() << "'";
    return success();
  }

  LogicalResult checkRead(ReadOp read) {
    StringRef source = read.getSource();
    if (read.getSnapshot() && read.getOf() != HostKind::State &&
        read.getOf() != HostKind::Weight)
      return read.emitOpError("a snapshot holds states and weights only");
    if (read.getCurrent() && (read.getOf() != HostKind::Dataset ||
                              !read->getParentOfType<ForEachOp>()))
      return read.emitOpError("only a dataset inside a for_each has a current "
                              "row");
    switch (read.getOf()) {
    case HostKind::State:
      return needAnyState(read, source, read.getVariable());
    case HostKind::Weight:
      return need<WeightOp>(read, source, "weight");
    case HostKind::Signal:
      if (read.getVariable() && *read.getVariable() != "samples")
        return read.emitOpError("reads a signal's samples, not its '")
               << *read.getVariable() << "'";
      return need<ProbeOp, WatchOp>(read, source, "probe or watch");
    case HostKind::Dataset:
      return needDataset(read, source);
    case HostKind::Variable:
    case HostKind::Table:
      return success(); // made by the steps before it
    }
    return success();
  }

  LogicalResult checkStore(StoreOp store) {
    StringRef target = store.getTarget();
    switch (store.getInto()) {
    case HostKind::State:
      return needAnyState(store, target, store.getVariable());
    case HostKind::Weight:
      return need<WeightOp>(store, target, "weight");
    case HostKind::Signal:
      return need<StimulusOp>(store, target, "stimulus");
    default:
      return success();
    }
  }

  LogicalResult checkStream(StreamOp stream) {
    for (auto name : stream.getStimuli().getAsRange<FlatSymbolRefAttr>())
      if (failed(need<StimulusOp>(stream, name.getValue(), "stimulus")))
        return failure();
    for (auto name : stream.getDatasets().getAsRange<FlatSymbolRefAttr>())
      if (failed(needDataset(stream, name.getValue())))
        return failure();
    return success();
  }

  LogicalResult checkStep(Operation *op) {
    if (auto step = dyn_cast<ReadOp>(op))
      return checkRead(step);
    if (auto step = dyn_cast<StoreOp>(op))
      return checkStore(step);
    if (auto step = dyn_cast<StreamOp>(op))
      return checkStream(step);
    if (auto step = dyn_cast<PresentOp>(op)) {
      if (failed(need<StimulusOp>(op, step.getStimulus(), "stimulus")))
        return failure();
      return needDataset(op, step.getDataset());
    }
    if (auto step = dyn_cast<ForEachOp>(op))
      return needDataset(op, step.getDataset());
    if (auto step = dyn_cast<SettleOp>(op))
      return need<ProbeOp, WatchOp>(op, step.getProbe(), "probe");
    if (auto step = dyn_cast<EnableOp>(op))
      return needPlastic(op, step.getPlastic());
    if (auto step = dyn_cast<DisableOp>(op))
      return needPlastic(op, step.getPlastic());
    if (auto step = dyn_cast<CallOp>(op))
      return needCallable(op, step.getPlastic());
    if (auto step = dyn_cast<ReleaseOp>(op))
      return needState(op, step.getPopulation(), step.getVariable());
    if (auto step = dyn_cast<ClampOp>(op)) {
      if (failed(needState(op, step.getPopulation(), step.getVariable())))
        return failure();
      return needDataset(op, step.getDataset());
    }
    if (auto step = dyn_cast<AssignOp>(op)) {
      if (failed(step.getVariable()
                     ? needState(op, step.getTarget(), *step.getVariable())
                     : need<WeightOp>(op, step.getTarget(), "weight")))
        return failure();
      return needDataset(op, step.getDataset());
    }
    if (auto step = dyn_cast<SnapshotOp>(op)) {
      for (Attribute item : step.getItems())
        if (failed(needSnapshotItem(op,
                                    cast<FlatSymbolRefAttr>(item).getValue())))
          return failure();
      return success();
    }
    if (auto step = dyn_cast<ReadoutOp>(op))
      return need<ProbeOp, WatchOp, WeightOp>(op, step.getSource(),
                                              "probe, watch or weight");
    return success();
  }

  ExperimentOp experiment;
  NetworkOp network;
};
} // namespace

LogicalResult ExperimentOp::verifySymbolUses(SymbolTableCollection &) {
  auto network = SymbolTable::lookupNearestSymbolFrom<NetworkOp>(
      (*this)->getParentOp(), getNetworkAttr());
  if (!network) // experiment_r2
    return emitOpError("runs network '")
           << getNetwork() << "', which is not defined";
  return NameChecker(*this, network).check();
}

LogicalResult RepeatOp::verify() {
  if (int64_t(getCount()) < 0) // repeat_r1
    return emitOpError("count must not be negative, got ")
           << int64_t(getCount());
  return success();
}

LogicalResult ForEachOp::verify() {
  if (auto rows = getRows()) // for_each_r1
    if (rows->size() != 2 || (*rows)[0] < 0 || (*rows)[1] < (*rows)[0])
      return emitOpError("rows must be [first, last] with 0 <= first <= last");
  return success();
}

/// Shared by present, clamp and assign: values or a dataset, not both.
template <typename Step> static LogicalResult verifySource(Step step) {
  if (step.getValues().has_value() == step.getDataset().has_value())
    return step.emitOpError("needs exactly one of values and a dataset");
  if (step.getDataset() && !step.getRow() &&
      !step->template getParentOfType<ForEachOp>())
    return step.emitOpError("needs a row, or a for_each around it, to choose a "
                            "row of dataset '")
           << *step.getDataset() << "'";
  return success();
}

LogicalResult PresentOp::verify() { return verifySource(*this); }
LogicalResult ClampOp::verify() { return verifySource(*this); }
LogicalResult AssignOp::verify() { return verifySource(*this); }

LogicalResult StepOp::verify() {
  if (int64_t(getTicks()) < 0) // step_r1
    return emitOpError("ticks must not be negative, got ")
           << int64_t(getTicks());
  return success();
}

LogicalResult SettleOp::verify() {
  if (!(getBelow().convertToDouble() > 0) || int64_t(getMax()) < 1) // settle_r1
    return emitOpError("needs a positive bound and at least one tick");
  return success();
}

LogicalResult CalcOp::verify() { // calc_r1
  const rt::HostFunction *function = rt::findHostFunction(getFunction().str());
  if (!function)
    return emitOpError("calls '")
           << getFunction() << "', which is not a function of the host";
  int count = static_cast<int>(getOperands().size());
  if (count < function->least ||
      (function->most >= 0 && count > function->most))
    return emitOpError("calls '")
           << getFunction() << "', written " << function->usage << ", with "
           << count << " operands";
  if (auto options = getOptions())
    if (!function->axis || options->size() != 1)
      return emitOpError("gives '")
             << getFunction() << "' options; "
             << (function->axis ? "one axis is expected" : "it takes none");
  return success();
}

LogicalResult StoreOp::verify() {
  if (getInto() == HostKind::Dataset) // store_r1
    return emitOpError("cannot change a dataset; store into a variable");
  if (getClamp() && getInto() != HostKind::State) // store_r2
    return emitOpError("only a state can be clamped");
  return success();
}

LogicalResult WhileOp::verify() {
  if (int64_t(getMax()) < 1) // while_r1
    return emitOpError("max must be at least 1, got ") << int64_t(getMax());
  for (StoreOp store : getCondition().getOps<StoreOp>())
    if (store.getInto() == HostKind::Variable && store.getTarget() == getUntil())
      return success();
  return emitOpError("the condition does not store variable '") // while_r2
         << getUntil() << "'";
}

LogicalResult StreamOp::verify() {
  if (getStimuli().empty() || // stream_r1
      getStimuli().size() != getDatasets().size())
    return emitOpError("needs one dataset for each stimulus, and at least one");
  auto rows = getRows();
  if (int64_t(getEvery()) < 1 || // stream_r2
      (rows && (rows->size() != 2 || (*rows)[0] < 0 || (*rows)[1] < (*rows)[0])))
    return emitOpError("'every' must be at least 1, and rows [first, last] with "
                       "0 <= first <= last");
  return success();
}

LogicalResult ExpectOp::verify() {
  bool ofReference = getOptions() && getOptions()->contains("of_reference");
  if (!getMin() && !getMax() && !ofReference) // expect_r1
    return emitOpError("needs a bound: min, max or both");
  if (getMin() && getMax() &&
      getMin()->convertToDouble() > getMax()->convertToDouble()) // expect_r2
    return emitOpError("min must not exceed max");
  return success();
}
