// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Chooses the fixed-point format of every named variable from the interval
// range analysis. Intermediate results have no names; the emitter gives them
// formats from the same analysis.
#include "neuroc/Neuro/Neuro.h"
#include "neuroc/Xbar/Passes.h"

#include "mlir/IR/Builders.h"

#include <cmath>

using namespace mlir;

namespace neuroc::xbar {

#define GEN_PASS_DEF_ASSIGNFORMATS
#include "neuroc/Xbar/XbarPasses.h.inc"

using namespace neuro;

int chooseFrac(Interval interval) {
  double magnitude = interval.magnitude();
  if (!(magnitude > 0.0))
    return 24;
  if (!std::isfinite(magnitude))
    return 15; // unbounded, as where a divisor may be zero
  int integerBits = int(std::ceil(std::log2(magnitude) - 1e-12));
  return std::clamp(30 - integerBits, -16, 30);
}

NetworkOp getNetwork(ModuleOp module) {
  if (MapOp map = getMap(module))
    return module.lookupSymbol<NetworkOp>(map.getNetwork());
  auto networks = module.getOps<NetworkOp>();
  return networks.empty() ? NetworkOp() : *networks.begin();
}

MapOp getMap(ModuleOp module) {
  auto maps = module.getOps<MapOp>();
  return maps.empty() ? MapOp() : *maps.begin();
}

namespace {
class AssignFormatsPass : public impl::AssignFormatsBase<AssignFormatsPass> {
public:
  using AssignFormatsBase::AssignFormatsBase;

  void runOnOperation() override {
    ModuleOp module = getOperation();
    auto networks = llvm::to_vector(module.getOps<NetworkOp>());
    auto machines = llvm::to_vector(module.getOps<MachineOp>());
    if (networks.size() != 1 || machines.size() != 1) {
      module.emitError() << "expected one network and one machine in the "
                            "module, found "
                         << networks.size() << " and " << machines.size();
      return signalPassFailure();
    }
    NetworkOp network = networks.front();
    RangeOptions options;
    options.unknownMagnitude = unknownMagnitude;
    options.hostWrites = true;
    options.learningRoom = 16.0;
    RangeAnalysis ranges(network, options);
    OpBuilder builder(&getContext());
    builder.setInsertionPointToEnd(module.getBody());
    auto map =
        MapOp::create(builder, network.getLoc(), "map", network.getSymName(),
                      machines.front().getSymName());
    builder.createBlock(&map.getBody());
    auto add = [&](Operation *owner, StringRef name, Bound bound) {
      Interval interval = bound.interval;
      if (!interval.isFinite() || interval.isEmpty())
        interval = Interval::symmetric(options.unknownMagnitude);
      FormatOp::create(
          builder, owner->getLoc(), SymbolTable::getSymbolName(owner), name,
          chooseFrac(interval), ArrayRef<double>{interval.lo, interval.hi},
          bound.proved);
    };
    for (Operation &op : network.getBody().front()) {
      if (auto population = dyn_cast<PopulationOp>(op)) {
        ModelOp model = population.getModelOp();
        for (ParamOp param : model.list<ParamOp>())
          add(&op, param.getSymName(),
              ranges.param(population, param.getSymName()));
        for (StateOp state : model.list<StateOp>())
          add(&op, state.getSymName(),
              ranges.state(population, state.getSymName()));
        for (InputOp input : model.list<InputOp>())
          add(&op, input.getSymName(),
              ranges.input(population, input.getSymName()));
        for (OutputOp output : model.list<OutputOp>())
          if (!output.getType().isInteger(1))
            add(&op, output.getSymName(),
                ranges.output(population, output.getSymName()));
      } else if (auto stimulus = dyn_cast<StimulusOp>(op)) {
        auto type = cast<ShapedType>(stimulus.getOutput().getType());
        if (type.getElementType().isInteger(1))
          continue;
        Bound bound = ranges.signal(stimulus.getOutput());
        warnOfUnknownRange(stimulus, bound, options.unknownMagnitude);
        add(&op, "value", bound);
      } else if (auto plastic = dyn_cast<PlasticOp>(op)) {
        RuleOp rule = plastic.getRuleOp();
        add(&op, "w", ranges.weight(plastic.getWeightOp()));
        for (TraceOp trace : rule.list<TraceOp>())
          add(&op, trace.getSymName(),
              ranges.ruleName(plastic, trace.getSymName()));
        for (StateOp state : rule.list<StateOp>())
          add(&op, state.getSymName(),
              ranges.ruleName(plastic, state.getSymName()));
      }
    }
  }
};
} // namespace

} // namespace neuroc::xbar
