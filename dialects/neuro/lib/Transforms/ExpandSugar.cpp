// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Expands nodes that stand for a piece of graph: predictive-coding layers and
// associative memories. Each becomes populations with models of their own,
// projections through the given weight (straight and transposed) and a rule;
// from then on nothing knows where they came from.
#include "neuroc/Neuro/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"

namespace neuroc::neuro {
#define GEN_PASS_DEF_EXPANDSUGAR
#include "neuroc/Neuro/NeuroPasses.h.inc"
} // namespace neuroc::neuro

using namespace mlir;
using namespace neuroc::neuro;

namespace {

/// Writes models and rules: a builder that knows its location.
class Writer {
public:
  Writer(OpBuilder &builder, Location loc) : builder(builder), loc(loc) {}

  template <typename OpT> OpT open(StringRef name) {
    auto op = OpT::create(builder, loc, name);
    builder.setInsertionPointToStart(&op.getBody().emplaceBlock());
    return op;
  }
  template <typename OpT> void close(OpT op) {
    builder.setInsertionPointAfter(op);
  }
  void state(StringRef name, double init, DenseF64ArrayAttr range) {
    StateOp::create(builder, loc, builder.getStringAttr(name),
                    builder.getF64FloatAttr(init), range, StringAttr());
  }
  void input(StringRef name) {
    InputOp::create(builder, loc, builder.getStringAttr(name),
                    CombineAttr::get(builder.getContext(), Combine::Sum),
                    builder.getF64FloatAttr(0.0), DenseF64ArrayAttr(),
                    StringAttr());
  }
  void output(StringRef name) {
    OutputOp::create(builder, loc, name, builder.getF64Type(),
                     DenseF64ArrayAttr(), StringAttr());
  }
  Value number(double value) {
    auto type = builder.getF64Type();
    return arith::ConstantOp::create(builder, loc, type,
                                     builder.getFloatAttr(type, value));
  }
  Value get(StringRef name) {
    return GetOp::create(builder, loc, builder.getF64Type(), name);
  }
  void set(StringRef name, Value value) {
    SetOp::create(builder, loc, name, value);
  }
  void emit(StringRef name, Value value) {
    EmitOp::create(builder, loc, name, value);
  }
  Value add(Value a, Value b) { return arith::AddFOp::create(builder, loc, a, b); }
  Value sub(Value a, Value b) { return arith::SubFOp::create(builder, loc, a, b); }
  Value mul(Value a, Value b) { return arith::MulFOp::create(builder, loc, a, b); }
  /// positive if x > 0, negative if x < 0, else otherwise.
  Value bySign(Value x, Value positive, Value negative, Value otherwise) {
    Value zero = number(0.0);
    Value above = arith::CmpFOp::create(builder, loc,
                                        arith::CmpFPredicate::OGT, x, zero);
    Value below = arith::CmpFOp::create(builder, loc,
                                        arith::CmpFPredicate::OLT, x, zero);
    Value rest =
        arith::SelectOp::create(builder, loc, below, negative, otherwise);
    return arith::SelectOp::create(builder, loc, above, positive, rest);
  }
  /// A rule that adds rate * pre * post to the weight in every tick.
  RuleOp outerProductRule(StringRef name, double rate) {
    auto rule = open<RuleOp>(name);
    auto handler = HandlerOp::create(builder, loc, Event::Tick);
    builder.setInsertionPointToStart(&handler.getBody().emplaceBlock());
    Value product = mul(get("pre"), get("post"));
    set("w", add(get("w"), mul(number(rate), product)));
    close(rule);
    return rule;
  }

private:
  OpBuilder &builder;
  Location loc;
};

class Expander {
public:
  explicit Expander(ModuleOp module)
      : symbols(module), builder(module.getContext()) {}
  void expand(PcLayerOp op);
  void expand(AssociativeMemoryOp op);

private:
  /// Builds at module level, before the network of `op`.
  void enterModule(Operation *op) {
    builder.setInsertionPoint(op->getParentOfType<NetworkOp>());
  }
  /// A name at module level that is not taken.
  std::string freeName(Twine base) {
    std::string wanted = base.str();
    for (unsigned i = 0; symbols.lookup(wanted); ++i)
      wanted = (base + "_" + Twine(i)).str();
    return wanted;
  }
  void declare(Operation *op) { symbols.insert(op); }
  PopulationOp populate(Location loc, Twine name, ModelOp model,
                        RankedTensorType type, ArrayRef<Value> inputs,
                        ArrayRef<StringRef> ports) {
    return PopulationOp::create(
        builder, loc, TypeRange{type}, builder.getStringAttr(name),
        FlatSymbolRefAttr::get(builder.getContext(), model.getSymName()),
        builder.getDenseI64ArrayAttr(type.getShape()), inputs,
        inputs.empty() ? ArrayAttr() : builder.getStrArrayAttr(ports),
        DictionaryAttr(), DictionaryAttr(), builder.getI64IntegerAttr(1));
  }
  Value project(Location loc, Value input, StringRef weight, bool transposed,
                int64_t delay, Type type) {
    return ProjectOp::create(builder, loc, type, input, weight, transposed,
                             delay, Attribute(), Combine::Sum);
  }
  void learn(Location loc, Twine name, StringRef weight, RuleOp rule, Value pre,
             Value post, bool disabled) {
    PlasticOp::create(builder, loc, builder.getStringAttr(name),
                      FlatSymbolRefAttr::get(builder.getContext(), weight),
                      FlatSymbolRefAttr::get(builder.getContext(),
                                             rule.getSymName()),
                      pre, post, ValueRange{}, ArrayAttr(),
                      builder.getI64IntegerAttr(0), DictionaryAttr(),
                      disabled ? builder.getUnitAttr() : UnitAttr());
  }

  SymbolTable symbols;
  OpBuilder builder;
};

} // namespace

void Expander::expand(PcLayerOp op) {
  Location loc = op.getLoc();
  enterModule(op);
  Writer writer(builder, loc);

  auto value = writer.open<ModelOp>(freeName(op.getSymName() + "_value_model"));
  writer.state("z", 0.0, op.getRangeAttr());
  writer.input("feedback");
  writer.input("top_down");
  writer.output("value");
  auto predict = writer.open<StageOp>("predict");
  writer.emit("value", writer.get("z"));
  writer.close(predict);
  writer.open<StageOp>("update");
  Value z = writer.get("z");
  Value slope = writer.sub(writer.get("feedback"), writer.get("top_down"));
  double prior = op.getPrior().convertToDouble();
  if (prior != 0)
    slope = writer.sub(slope, writer.mul(writer.number(prior), z));
  double rate = op.getRate().convertToDouble();
  writer.set("z", writer.add(z, writer.mul(writer.number(rate), slope)));
  writer.close(value);
  declare(value);

  auto error = writer.open<ModelOp>(freeName(op.getSymName() + "_error_model"));
  writer.input("below");
  writer.input("prediction");
  writer.output("error");
  writer.open<StageOp>("compare");
  Value difference = writer.sub(writer.get("below"), writer.get("prediction"));
  double precision = op.getPrecision().convertToDouble();
  if (precision != 1)
    difference = writer.mul(writer.number(precision), difference);
  writer.emit("error", difference);
  writer.close(error);
  declare(error);

  RuleOp rule;
  if (auto learningRate = op.getLearningRate()) {
    rule = writer.outerProductRule(freeName(op.getSymName() + "_rule"),
                           learningRate->convertToDouble());
    declare(rule);
  }

  // The graph: value -> prediction -> error -> feedback -> value.
  builder.setInsertionPoint(op);
  auto valueType = cast<RankedTensorType>(op.getValue().getType());
  auto errorType = cast<RankedTensorType>(op.getError().getType());
  // Operands of a graph region may come later; start with placeholders.
  auto errors =
      populate(loc, op.getSymName() + "_error", error, errorType,
               {op.getBelow(), op.getBelow()}, {"below", "prediction"});
  Value feedback = project(loc, errors.getResult(0), op.getWeight(),
                           /*transposed=*/true, 0, valueType);
  SmallVector<Value> inputs{feedback};
  SmallVector<StringRef> ports{"feedback"};
  if (op.getTopDown()) {
    inputs.push_back(op.getTopDown());
    ports.push_back("top_down");
  }
  auto values =
      populate(loc, op.getSymName(), value, valueType, inputs, ports);
  Value prediction = project(loc, values.getResult(0), op.getWeight(),
                             /*transposed=*/false, 0, errorType);
  errors->setOperand(1, prediction);
  if (rule)
    learn(loc, op.getSymName() + "_learning", op.getWeight(), rule,
          values.getResult(0), errors.getResult(0), /*disabled=*/false);
  op.getValue().replaceAllUsesWith(values.getResult(0));
  op.getError().replaceAllUsesWith(errors.getResult(0));
  op.erase();
}

void Expander::expand(AssociativeMemoryOp op) {
  Location loc = op.getLoc();
  enterModule(op);
  Writer writer(builder, loc);
  auto model = writer.open<ModelOp>(freeName(op.getSymName() + "_model"));
  writer.state("s", -1.0, builder.getDenseF64ArrayAttr({-1.0, 1.0}));
  writer.input("cue");
  writer.input("field");
  writer.output("state");
  writer.open<StageOp>("update");
  Value s = writer.get("s"), plus = writer.number(1.0),
        minus = writer.number(-1.0);
  Value recalled = writer.bySign(writer.get("field"), plus, minus, s);
  Value next = writer.bySign(writer.get("cue"), plus, minus, recalled);
  writer.set("s", next);
  writer.emit("state", next);
  writer.close(model);
  declare(model);
  RuleOp rule = writer.outerProductRule(freeName(op.getSymName() + "_rule"),
                                op.getLearningRate().convertToDouble());
  declare(rule);

  builder.setInsertionPoint(op);
  auto type = cast<RankedTensorType>(op.getState().getType());
  auto units = populate(loc, op.getSymName(), model, type,
                        {op.getCue(), op.getCue()}, {"cue", "field"});
  Value field = project(loc, units.getResult(0), op.getWeight(),
                        /*transposed=*/false, /*delay=*/1, type);
  units->setOperand(1, field);
  learn(loc, op.getSymName() + "_learning", op.getWeight(), rule,
        units.getResult(0), units.getResult(0), /*disabled=*/true);
  op.getState().replaceAllUsesWith(units.getResult(0));
  op.erase();
}

namespace {
struct ExpandSugarPass : neuroc::neuro::impl::ExpandSugarBase<ExpandSugarPass> {
  using ExpandSugarBase::ExpandSugarBase;

  void runOnOperation() override {
    Expander expander(getOperation());
    SmallVector<Operation *> sugar;
    getOperation().walk([&](Operation *op) {
      if (isa<PcLayerOp, AssociativeMemoryOp>(op))
        sugar.push_back(op);
    });
    for (Operation *op : sugar) {
      if (auto layer = dyn_cast<PcLayerOp>(op))
        expander.expand(layer);
      else
        expander.expand(cast<AssociativeMemoryOp>(op));
    }
  }
};
} // namespace
