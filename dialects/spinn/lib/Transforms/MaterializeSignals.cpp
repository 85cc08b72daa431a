// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Probes and learning rules may look at any signal of a network, but only what
// a core computes exists on the machine. This pass puts a stateless relay
// population behind every other signal that is looked at: its one stage emits
// what its one input receives, so delays and projections are served as for
// every population. It also writes logsumexp by its largest member, the form
// that has a fixed-point range, and gives a weight that a rule changes but that
// carries no signal a population that hears it.
#include "neuroc/Neuro/Neuro.h"
#include "neuroc/Spinn/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/Builders.h"

#include <set>

namespace neuroc::spinn {
#define GEN_PASS_DEF_MATERIALIZESIGNALS
#include "neuroc/Spinn/SpinnPasses.h.inc"
} // namespace neuroc::spinn

using namespace mlir;
using namespace neuroc;
using namespace neuroc::spinn;

static bool isSource(Operation *op) {
  return isa_and_nonnull<neuro::PopulationOp, neuro::StimulusOp,
                         neuro::SpikeArrayOp>(op);
}

namespace {
class MaterializeSignals
    : public neuroc::spinn::impl::MaterializeSignalsBase<MaterializeSignals> {
public:
  void runOnOperation() override {
    getOperation().walk([](neuro::ReduceOp reduce) {
      if (reduce.getKind() == neuro::GroupReduce::LogSumExp)
        expand(reduce);
    });
    for (auto network : getOperation().getOps<neuro::NetworkOp>())
      if (failed(visit(network)))
        return signalPassFailure();
  }

private:
  /// max x + log sum exp(x - max x); the sum is at least 1.
  static void expand(neuro::ReduceOp reduce) {
    OpBuilder b(reduce);
    Location loc = reduce.getLoc();
    auto over = [&](neuro::GroupReduce kind, Value value) -> Value {
      return neuro::ReduceOp::create(
          b, loc, b.getF64Type(),
          neuro::GroupReduceAttr::get(b.getContext(), kind), value,
          reduce.getOverAttr(), reduce.getGroupAttr(), IntegerAttr());
    };
    Value x = reduce.getValue();
    Value most = over(neuro::GroupReduce::Max, x);
    Value power =
        math::ExpOp::create(b, loc, arith::SubFOp::create(b, loc, x, most));
    Value sum = over(neuro::GroupReduce::Sum, power);
    Value one = arith::ConstantOp::create(b, loc, b.getF64FloatAttr(1.0));
    Value log = math::LogOp::create(
        b, loc, arith::MaximumFOp::create(b, loc, sum, one));
    reduce.replaceAllUsesWith(Value(arith::AddFOp::create(b, loc, most, log)));
    reduce.erase();
  }

  LogicalResult visit(neuro::NetworkOp network) {
    llvm::DenseMap<Value, Value> relays;
    auto replace = [&](OpOperand &operand, bool throughDelays) {
      Value root = operand.get();
      while (throughDelays && root.getDefiningOp<neuro::DelayOp>())
        root = root.getDefiningOp<neuro::DelayOp>().getInput();
      if (isSource(root.getDefiningOp()))
        return success();
      Operation *producer = operand.get().getDefiningOp();
      if (!isa_and_nonnull<neuro::ProjectOp, neuro::DelayOp>(producer)) {
        InFlightDiagnostic error =
            operand.getOwner()->emitError("unsupported: a signal of '")
            << (producer ? producer->getName().getStringRef() : "?")
            << "' on the SpiNNaker target; only populations, projections, "
               "delays and sources can be mapped";
        if (producer)
          error.attachNote(producer->getLoc()) << "computed here";
        return failure();
      }
      Value &relay = relays[operand.get()];
      if (!relay)
        relay = createRelay(network, operand.get());
      operand.set(relay);
      return success();
    };
    keepLearnedWeights(network);
    SmallVector<Operation *> ops;
    for (Operation &op : network.getBody().front())
      ops.push_back(&op);
    for (Operation *op : ops) {
      bool isPlastic = isa<neuro::PlasticOp>(op);
      if (!isPlastic && !isa<neuro::ProbeOp, neuro::ProjectOp>(op))
        continue;
      for (OpOperand &operand : op->getOpOperands())
        if (failed(replace(operand, !isa<neuro::ProbeOp>(op))))
          return failure();
    }
    return success();
  }

  /// A weight that learns but carries nothing lives on no core: it gets a
  /// population that hears it.
  void keepLearnedWeights(neuro::NetworkOp network) {
    std::set<std::string> carried;
    Block &body = network.getBody().front();
    for (auto project : body.getOps<neuro::ProjectOp>())
      carried.insert(project.getWeight().str());
    for (auto plastic : llvm::to_vector(body.getOps<neuro::PlasticOp>())) {
      neuro::WeightOp weight = plastic.getWeightOp();
      if (carried.count(weight.getSymName().str()))
        continue;
      OpBuilder builder(plastic);
      OperationState state(plastic.getLoc(),
                           neuro::ProjectOp::getOperationName());
      state.addOperands(plastic.getPre());
      state.addTypes(
          RankedTensorType::get(weight.getPost(), builder.getF32Type()));
      state.addAttribute("weight",
                         FlatSymbolRefAttr::get(weight.getSymNameAttr()));
      state.addAttribute("delay", plastic.getDelayAttr());
      state.addRegion();
      createRelay(network, builder.create(state)->getResult(0));
    }
  }

  Value createRelay(neuro::NetworkOp network, Value signal) {
    Location loc = signal.getLoc();
    auto type = cast<RankedTensorType>(signal.getType());
    bool isSpikes = type.getElementType().isInteger(1);
    SymbolTable modules(getOperation());
    SymbolTable symbols(network);

    OpBuilder builder(network);
    Type number = builder.getF64Type();
    auto model = neuro::ModelOp::create(builder, loc, "relay_model");
    modules.insert(model);
    builder.createBlock(&model.getBody());
    OperationState input(loc, neuro::InputOp::getOperationName());
    input.addAttribute("sym_name", builder.getStringAttr("x"));
    builder.create(input);
    OperationState output(loc, neuro::OutputOp::getOperationName());
    output.addAttribute("sym_name", builder.getStringAttr("y"));
    output.addAttribute("type",
                        TypeAttr::get(isSpikes ? builder.getI1Type() : number));
    builder.create(output);
    auto stage = neuro::StageOp::create(builder, loc, "pass");
    builder.createBlock(&stage.getBody());
    Value value = neuro::GetOp::create(builder, loc, number, "x");
    if (isSpikes) {
      Value half =
          arith::ConstantOp::create(builder, loc, builder.getF64FloatAttr(0.5));
      value = arith::CmpFOp::create(builder, loc, arith::CmpFPredicate::OGT,
                                    value, half);
    }
    neuro::EmitOp::create(builder, loc, "y", value);

    builder.setInsertionPointAfterValue(signal);
    OperationState state(loc, neuro::PopulationOp::getOperationName());
    state.addOperands(signal);
    state.addTypes(type);
    state.addAttribute("sym_name", builder.getStringAttr("relay"));
    state.addAttribute("model", FlatSymbolRefAttr::get(model.getSymNameAttr()));
    state.addAttribute("shape", builder.getDenseI64ArrayAttr(type.getShape()));
    state.addAttribute("ports", builder.getStrArrayAttr({"x"}));
    Operation *population = builder.create(state);
    symbols.insert(population, Block::iterator(population));
    return population->getResult(0);
  }
};
} // namespace
