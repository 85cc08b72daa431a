// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Differentiates a transmit region and takes the slope apart: products and
// quotients factor by factor, sums and selections where their sides share one
// of the factors.
#include "TransmitSlope.h"

#include "Differentiate.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace neuroc::neuro;

namespace {

/// value = weight * signal, where null is 1.
struct Factors {
  Value weight, signal;
};

class Factorizer {
public:
  Factorizer(Block &block, OpBuilder &builder)
      : block(block), builder(builder) {}
  std::optional<Factors> factor(Value value);

private:
  bool dependsOn(Value value, unsigned argument) {
    if (value == block.getArgument(argument))
      return true;
    Operation *op = value.getDefiningOp();
    return op && llvm::any_of(op->getOperands(), [&](Value operand) {
             return dependsOn(operand, argument);
           });
  }

  Block &block;
  OpBuilder &builder;
};

} // namespace

std::optional<Factors> Factorizer::factor(Value value) {
  if (!dependsOn(value, 0))
    return Factors{Value(), value};
  Operation *op = value.getDefiningOp();
  // Numbers go with the signal, so that w and 0.1 w share their factor.
  bool isMultiple = isa_and_nonnull<arith::NegFOp>(op) ||
                    (isa_and_nonnull<arith::MulFOp>(op) &&
                     llvm::any_of(op->getOperands(), [&](Value side) {
                       return !dependsOn(side, 0);
                     }));
  if (!dependsOn(value, 1) && !isMultiple)
    return Factors{value, Value()};
  Calculus c(builder, value.getLoc(), builder.getF64Type());
  auto times = [&](Value a, Value b) { return !a ? b : !b ? a : c.mul(a, b); };
  auto over = [&](Value a, Value b) {
    return !b ? a : c.div(a ? a : c.number(1), b);
  };
  auto orOne = [&](Value a) { return a ? a : c.number(1); };
  if (isa<arith::NegFOp>(op)) {
    auto a = factor(op->getOperand(0));
    return a ? std::optional(Factors{a->weight, c.neg(orOne(a->signal))})
             : std::nullopt;
  }
  if (isa<arith::SelectOp>(op)) {
    Value condition = op->getOperand(0);
    auto a = factor(op->getOperand(1)), b = factor(op->getOperand(2));
    if (!a || !b || dependsOn(condition, 0))
      return std::nullopt;
    if (matchPattern(op->getOperand(2), m_AnyZeroFloat()))
      return Factors{a->weight, c.select(condition, orOne(a->signal), Value())};
    if (matchPattern(op->getOperand(1), m_AnyZeroFloat()))
      return Factors{b->weight, c.select(condition, Value(), orOne(b->signal))};
    if (a->weight != b->weight)
      return std::nullopt;
    return Factors{a->weight,
                   c.select(condition, orOne(a->signal), orOne(b->signal))};
  }
  if (op->getNumOperands() != 2)
    return std::nullopt;
  auto a = factor(op->getOperand(0)), b = factor(op->getOperand(1));
  if (!a || !b)
    return std::nullopt;
  if (isa<arith::MulFOp>(op))
    return Factors{times(a->weight, b->weight), times(a->signal, b->signal)};
  if (isa<arith::DivFOp>(op))
    return Factors{over(a->weight, b->weight), over(a->signal, b->signal)};
  if (!isa<arith::AddFOp, arith::SubFOp>(op))
    return std::nullopt;
  auto join = [&](Value x, Value y) {
    return isa<arith::AddFOp>(op) ? c.add(orOne(x), orOne(y))
                                  : c.sub(orOne(x), orOne(y));
  };
  if (a->weight == b->weight)
    return Factors{a->weight, join(a->signal, b->signal)};
  if (a->signal == b->signal)
    return Factors{join(a->weight, b->weight), a->signal};
  return std::nullopt;
}

std::optional<TransmitSlope>
neuroc::neuro::getTransmitSlope(ProjectOp project) {
  TransmitSlope result;
  result.code = std::make_shared<Region>();
  IRMapping mapping;
  project.getTransmit().cloneInto(result.code.get(), mapping);
  Block &block = result.code->front();
  OpBuilder builder(project.getContext());
  llvm::DenseMap<Value, Value> tangents;
  builder.setInsertionPointToStart(&block);
  Calculus c(builder, project.getLoc(), builder.getF64Type());
  tangents[block.getArgument(1)] = c.number(1);
  SmallVector<Operation *> original;
  for (Operation &op : block.without_terminator())
    original.push_back(&op);
  for (Operation *op : original) {
    SmallVector<Value> operands;
    for (Value operand : op->getOperands())
      operands.push_back(tangents.lookup(operand));
    builder.setInsertionPointAfter(op);
    FailureOr<Value> tangent = differentiate(op, operands, builder);
    if (failed(tangent))
      return std::nullopt;
    if (*tangent)
      tangents[op->getResult(0)] = *tangent;
  }
  Operation *terminator = block.getTerminator();
  Value slope = tangents.lookup(terminator->getOperand(0));
  if (!slope) {
    result.isZero = true;
    return result;
  }
  builder.setInsertionPoint(terminator);
  std::optional<Factors> factors = Factorizer(block, builder).factor(slope);
  if (!factors)
    return std::nullopt;
  // A slope without the weight transmits the tangent as it is.
  if (!factors->weight) {
    Calculus ones(builder, project.getLoc(), builder.getF64Type());
    factors->weight = ones.number(1);
  }
  result.ofWeight.yield = factors->weight;
  result.ofSignal.yield = factors->signal;
  return result;
}

/// Copies what `value` needs to the builder's position.
static Value cloneCone(OpBuilder &builder, Value value, IRMapping &mapping) {
  if (Value copy = mapping.lookupOrNull(value))
    return copy;
  Operation *op = value.getDefiningOp();
  for (Value operand : op->getOperands())
    cloneCone(builder, operand, mapping);
  builder.clone(*op, mapping);
  return mapping.lookup(value);
}

void neuroc::neuro::buildTransmit(OpBuilder &builder, ProjectOp project,
                                  const TransmitSlope &slope) {
  OpBuilder::InsertionGuard guard(builder);
  Location loc = project.getLoc();
  Type real = builder.getF64Type();
  Block *block =
      builder.createBlock(&project.getTransmit(), {}, {real, real}, {loc, loc});
  Block &code = slope.code->front();
  IRMapping mapping;
  mapping.map(code.getArgument(0), block->getArgument(0));
  Value factor = cloneCone(builder, slope.ofWeight.yield, mapping);
  Value product =
      arith::MulFOp::create(builder, loc, factor, block->getArgument(1));
  YieldOp::create(builder, loc, product);
}

ModelOp neuroc::neuro::buildSlopeModel(OpBuilder &builder, Location loc,
                                       StringRef name,
                                       const TransmitSlope &slope) {
  OpBuilder::InsertionGuard guard(builder);
  auto model = ModelOp::create(builder, loc, name);
  builder.setInsertionPointToStart(&model.getBody().emplaceBlock());
  for (StringRef port : {"x", "t"})
    InputOp::create(builder, loc, builder.getStringAttr(port),
                    CombineAttr::get(builder.getContext(), Combine::Sum),
                    builder.getF64FloatAttr(0.0), DenseF64ArrayAttr(),
                    StringAttr());
  OutputOp::create(builder, loc, "y", builder.getF64Type(), DenseF64ArrayAttr(),
                   StringAttr());
  auto stage = StageOp::create(builder, loc, "slope");
  builder.setInsertionPointToStart(&stage.getBody().emplaceBlock());
  Value x = GetOp::create(builder, loc, builder.getF64Type(), "x");
  Value t = GetOp::create(builder, loc, builder.getF64Type(), "t");
  IRMapping mapping;
  mapping.map(slope.code->front().getArgument(1), x);
  Value factor = cloneCone(builder, slope.ofSignal.yield, mapping);
  EmitOp::create(builder, loc, "y",
                 arith::MulFOp::create(builder, loc, factor, t));
  return model;
}
