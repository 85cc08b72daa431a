// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Chooses a binary point for every variable of a network: as many fraction
// bits as the range analysis leaves room for. The fraction of a weight is also
// bounded so that a unit's weighted sum cannot leave 64 bits.
#include "neuroc/Neuro/Analysis/RangeAnalysis.h"
#include "neuroc/Spinn/Mapping/MachineModel.h"
#include "neuroc/Spinn/Mapping/Plan.h"
#include "neuroc/Spinn/Passes.h"

#include "mlir/IR/Builders.h"

namespace neuroc::spinn {
#define GEN_PASS_DEF_ASSIGNFORMATS
#include "neuroc/Spinn/SpinnPasses.h.inc"
} // namespace neuroc::spinn

using namespace mlir;
using namespace neuroc;
using namespace neuroc::spinn;

namespace {

/// A weight that learns without bounds gets room for this many times its
/// largest initial value (and at least 4): its exact range is unknown, and
/// fraction bits are what learning needs.
constexpr double kLearningRoom = 16.0;
/// What a variable without proof or declared range is taken to reach.
constexpr double kUnknownMagnitude = 2048.0;

class AssignFormats : public neuroc::spinn::impl::AssignFormatsBase<AssignFormats> {
public:
  using AssignFormatsBase::AssignFormatsBase;

  void runOnOperation() override {
    std::optional<MachineModel> model = MachineModel::find(machine);
    if (!model) {
      InFlightDiagnostic error =
          getOperation().emitError("unknown machine '") << machine << "'";
      for (const MachineModel &preset : MachineModel::presets())
        error.attachNote() << "known: " << preset.name << ", "
                           << preset.description;
      error.report();
      return signalPassFailure();
    }
    for (auto network :
         llvm::to_vector(getOperation().getOps<neuro::NetworkOp>()))
      if (failed(visit(network, *model)))
        return signalPassFailure();
  }

private:
  struct Chosen {
    neuro::Bound bound;
    int frac;
  };

  void emit(Location loc, StringRef owner, StringRef name, StringRef kind,
            neuro::Bound bound, int frac) {
    double lo = bound.interval.lo, hi = bound.interval.hi;
    double top = std::ldexp(1.0, 31 - frac);
    lo = std::clamp(lo, -top, top);
    hi = std::clamp(hi, lo, top);
    FormatOp::create(*builder, loc, owner, name, kind, frac,
                     ArrayRef<double>{lo, hi}, bound.proved);
  }
  void emit(Location loc, StringRef owner, StringRef name, StringRef kind,
            neuro::Bound bound) {
    emit(loc, owner, name, kind, bound, formatOf(bound));
  }
  static int formatOf(const neuro::Bound &bound) {
    return fractionBits(bound.interval.magnitude());
  }

  LogicalResult visit(neuro::NetworkOp network, const MachineModel &model) {
    FailureOr<Plan> plan = Plan::build(network);
    if (failed(plan))
      return failure();
    neuro::RangeOptions rangeOptions;
    rangeOptions.unknownMagnitude = kUnknownMagnitude;
    rangeOptions.hostWrites = true;
    rangeOptions.writtenRoom = kLearningRoom;
    neuro::RangeAnalysis ranges(network, rangeOptions);

    OpBuilder outer(network->getContext());
    outer.setInsertionPointAfter(network);
    auto mapping = MappingOp::create(
        outer, network.getLoc(), (network.getSymName() + "_map").str(),
        network.getSymName(), model.name, plan->levels,
        plan->levels + plan->needsEndTick, 1, APFloat(1.0));
    OpBuilder inner(network->getContext());
    inner.createBlock(&mapping.getBody());
    builder = &inner;

    for (const Node &node : plan->nodes) {
      Location loc = node.op->getLoc();
      neuro::PopulationOp population = node.population();
      if (!population) {
        const Source &source = plan->sources[node.outputs.front()];
        if (!source.isSpikes) {
          neuro::Bound bound = ranges.signal(source.signal);
          if (auto stimulus = dyn_cast<neuro::StimulusOp>(node.op))
            neuro::warnOfUnknownRange(stimulus, bound, kUnknownMagnitude);
          emit(loc, node.name, "value", "output", bound);
        }
        continue;
      }
      neuro::ModelOp dynamics = node.model;
      for (auto op : dynamics.list<neuro::ParamOp>())
        emit(op.getLoc(), node.name, op.getSymName(), "param",
             ranges.param(population, op.getSymName()));
      for (auto op : dynamics.list<neuro::StateOp>())
        emit(op.getLoc(), node.name, op.getSymName(), "state",
             ranges.state(population, op.getSymName()));
      for (auto op : dynamics.list<neuro::InputOp>())
        emit(op.getLoc(), node.name, op.getSymName(), "input",
             ranges.input(population, op.getSymName()));
      for (auto op : dynamics.list<neuro::OutputOp>())
        if (op.getType().isF64())
          emit(op.getLoc(), node.name, op.getSymName(), "output",
               ranges.output(population, op.getSymName()));
    }
    for (auto weight : network.getBody().front().getOps<neuro::WeightOp>()) {
      Chosen chosen = chooseWeight(*plan, ranges, weight);
      emit(weight.getLoc(), weight.getSymName(), "w", "weight", chosen.bound,
           chosen.frac);
    }
    for (neuro::PlasticOp plastic : plan->plastics) {
      neuro::RuleOp rule = plastic.getRuleOp();
      StringRef owner = plastic.getSymName();
      for (auto op : rule.list<neuro::TraceOp>())
        emit(op.getLoc(), owner, op.getSymName(), "trace",
             ranges.ruleName(plastic, op.getSymName()));
      for (auto op : rule.list<neuro::StateOp>())
        emit(op.getLoc(), owner, op.getSymName(), "state",
             ranges.ruleName(plastic, op.getSymName()));
    }
    builder = nullptr;
    return success();
  }

  Chosen chooseWeight(Plan &plan, const neuro::RangeAnalysis &ranges,
                      neuro::WeightOp weight) {
    neuro::Bound bound = ranges.weight(weight);
    if (!bound.proved && bound.interval.magnitude() >= kUnknownMagnitude) {
      double initial = neuro::intervalOf(weight.getValues()).magnitude();
      double room = std::max(4.0, kLearningRoom * initial);
      bound.interval = neuro::Interval::symmetric(room);
    }
    int frac = formatOf(bound);
    double own = std::log2(std::max(bound.interval.magnitude(), 1e-30));
    for (const Node &node : plan.nodes)
      for (const Port &port : node.ports)
        for (Feed feed : port.feeds) {
          if (!feed.weight || feed.weight != weight ||
              feed.mode == FeedMode::Rows)
            continue;
          const Source &source = plan.sources[feed.source];
          double other = 0; // log2 of the largest integer that arrives
          if (!source.isSpikes) {
            neuro::Bound signal = ranges.signal(source.signal);
            other = 31;
            if (signal.proved)
              other = std::log2(std::max(signal.interval.magnitude(), 1e-30)) +
                      formatOf(signal);
          }
          double terms = std::log2(static_cast<double>(
              std::max<int64_t>(source.units, 1)));
          int most = static_cast<int>(std::floor(61.5 - own - other - terms));
          frac = std::min(frac, most);
        }
    return {bound, std::max(frac, -31)};
  }

  OpBuilder *builder = nullptr;
};
} // namespace
