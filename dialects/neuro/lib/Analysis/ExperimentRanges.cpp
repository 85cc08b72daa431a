// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What experiments contribute to the ranges of a network: the values that they
// present, assign and clamp, where they are known before the run.
#include "neuroc/Neuro/Analysis/RangeAnalysis.h"

using namespace mlir;

namespace neuroc::neuro {

void warnOfUnknownRange(StimulusOp stimulus, const Bound &bound,
                        double unknownMagnitude) {
  if (stimulus.getRangeAttr() || bound.proved ||
      bound.interval.magnitude() < unknownMagnitude)
    return;
  stimulus.emitWarning("the values of '")
      << stimulus.getSymName()
      << "' are not known before the run, so its fixed-point numbers have room "
         "for +-"
      << int64_t(unknownMagnitude)
      << " and few digits; declare `range [lo, hi]`";
}

/// What the experiments present, if all of it is known.
Interval RangeAnalysis::presented(StimulusOp stimulus) {
  StringRef name = stimulus.getSymName();
  Interval all = stimulus.getInitAttr() ? intervalOf(stimulus.getInitAttr())
                                        : Interval::point(0.0);
  bool known = options.hostWrites, any = false;
  auto present = [&](std::optional<Attribute> values) {
    any = true;
    if (values && *values)
      all = all.join(intervalOf(*values));
    else
      known = false;
  };
  auto dataset = [&](ExperimentOp experiment, StringRef data) {
    Operation *op = SymbolTable::lookupSymbolIn(network, data);
    if (!op)
      op = SymbolTable::lookupSymbolIn(experiment->getParentOp(), data);
    auto found = dyn_cast_or_null<DatasetOp>(op);
    present(found && found.getValues()
                ? std::optional<Attribute>(*found.getValues())
                : std::nullopt);
  };
  for (auto experiment :
       network->getParentOfType<ModuleOp>().getOps<ExperimentOp>()) {
    if (experiment.getNetwork() != network.getSymName())
      continue;
    experiment.walk([&](Operation *op) {
      if (auto step = dyn_cast<PresentOp>(op);
          step && step.getStimulus() == name) {
        if (step.getDataset())
          dataset(experiment, *step.getDataset());
        else
          present(step.getValues());
      } else if (auto step = dyn_cast<StreamOp>(op)) {
        for (auto [target, data] :
             llvm::zip(step.getStimuli(), step.getDatasets()))
          if (cast<FlatSymbolRefAttr>(target).getValue() == name)
            dataset(experiment, cast<FlatSymbolRefAttr>(data).getValue());
      } else if (auto step = dyn_cast<StoreOp>(op);
                 step && step.getInto() == HostKind::Signal &&
                 step.getTarget() == name) {
        auto literal = step.getValue().getDefiningOp<LiteralOp>();
        present(literal ? std::optional<Attribute>(literal.getValues())
                        : std::nullopt);
      }
    });
  }
  if (!known || !(any || stimulus.getInitAttr()) || !all.isFinite())
    return Interval::symmetric(options.unknownMagnitude);
  return all;
}

/// What the host writes is not the network's doing: it is known where it is a
/// constant, and nothing can be proved where it is not.
void RangeAnalysis::addHostWrites() {
  auto write = [&](StringRef target, StringRef variable,
                   std::optional<Interval> values) {
    Operation *op = SymbolTable::lookupSymbolIn(network, target);
    Bound *bound = nullptr;
    Interval room = Interval::symmetric(options.unknownMagnitude);
    if (auto weight = dyn_cast_or_null<WeightOp>(op)) {
      bound = &weights[weight];
      room = Interval::symmetric(
          std::max(4.0, options.writtenRoom * bound->interval.magnitude()));
      if (auto bounds = declaredInterval(weight.getBoundsAttr()))
        room = *bounds;
    } else if (isa_and_nonnull<PopulationOp, PlasticOp>(op)) {
      auto node = nodes.find(op);
      Operation *declared = nullptr;
      if (auto population = dyn_cast<PopulationOp>(op))
        declared = population.getModelOp().lookup(variable);
      else
        declared = cast<PlasticOp>(op).getRuleOp().lookup(variable);
      auto state = dyn_cast_or_null<StateOp>(declared);
      if (node == nodes.end() || !state)
        return;
      bound = &node->second.names[variable.str()];
      if (auto range = declaredInterval(state.getRangeAttr()))
        room = *range;
    }
    if (!bound)
      return;
    bound->interval = bound->interval.join(values.value_or(room));
    bound->proved &= values.has_value();
  };
  auto known = [](std::optional<Attribute> values) -> std::optional<Interval> {
    if (values && *values)
      return intervalOf(*values);
    return std::nullopt;
  };
  for (auto experiment :
       network->getParentOfType<ModuleOp>().getOps<ExperimentOp>()) {
    if (experiment.getNetwork() != network.getSymName())
      continue;
    experiment.walk([&](Operation *op) {
      if (auto assign = dyn_cast<AssignOp>(op))
        write(assign.getTarget(), assign.getVariable().value_or(""),
              known(assign.getValues()));
      else if (auto clamp = dyn_cast<ClampOp>(op))
        write(clamp.getPopulation(), clamp.getVariable(),
              known(clamp.getValues()));
      else if (auto store = dyn_cast<StoreOp>(op);
               store && (store.getInto() == HostKind::State ||
                         store.getInto() == HostKind::Weight)) {
        auto literal = store.getValue().getDefiningOp<LiteralOp>();
        write(store.getTarget(), store.getVariable().value_or(""),
              literal ? std::optional<Interval>(intervalOf(literal.getValues()))
                      : std::nullopt);
      }
    });
  }
}

} // namespace neuroc::neuro
