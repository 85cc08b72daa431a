// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Recognises scalar code that is affine in one varying argument, and evaluates
// it on pairs (slope, offset). The check is structural: a product may have one
// varying factor, a quotient a varying numerator.
#include "Raiser.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace neuroc;
using namespace neuroc::raise;

std::optional<AffineBody> AffineBody::compile(Block &block, Value result,
                                              ArrayRef<bool> varying) {
  AffineBody body;
  llvm::DenseMap<Value, unsigned> slots;
  std::vector<bool> varies;
  auto add = [&](Value value, bool vary) {
    slots[value] = body.count++;
    varies.push_back(vary);
  };
  for (auto [argument, vary] : llvm::zip(block.getArguments(), varying))
    add(argument, vary);
  auto visit = [&](auto &self, Value value) -> bool {
    if (slots.contains(value))
      return true;
    Operation *op = value.getDefiningOp();
    if (!op || op->getNumResults() != 1 || !isa<FloatType>(value.getType()))
      return false;
    FloatAttr constant;
    if (matchPattern(op, m_Constant(&constant))) {
      add(value, false);
      body.steps.push_back(
          {Kind::Constant, slots[value], 0, 0, constant.getValueAsDouble()});
      return true;
    }
    for (Value operand : op->getOperands())
      if (!self(self, operand))
        return false;
    unsigned x = op->getNumOperands() > 0 ? slots[op->getOperand(0)] : 0;
    unsigned y = op->getNumOperands() > 1 ? slots[op->getOperand(1)] : 0;
    Kind kind;
    if (isa<arith::AddFOp>(op))
      kind = Kind::Add;
    else if (isa<arith::SubFOp>(op))
      kind = Kind::Subtract;
    else if (isa<arith::NegFOp>(op))
      kind = Kind::Negate;
    else if (isa<arith::MulFOp>(op) && !(varies[x] && varies[y]))
      kind = Kind::Multiply;
    else if (isa<arith::DivFOp>(op) && !varies[y])
      kind = Kind::Divide;
    else
      return false;
    add(value, varies[x] || (op->getNumOperands() > 1 && varies[y]));
    body.steps.push_back({kind, slots[value], x, y, 0});
    return true;
  };
  if (!visit(visit, result))
    return std::nullopt;
  body.result = slots[result];
  return body;
}

AffineBody::Pair AffineBody::run(std::vector<Pair> &slots) const {
  for (const Step &step : steps) {
    Pair &out = slots[step.out];
    Pair x = slots[step.x], y = slots[step.y];
    switch (step.kind) {
    case Kind::Constant:
      out = {0, step.value};
      break;
    case Kind::Add:
      out = {x.a + y.a, x.c + y.c};
      break;
    case Kind::Subtract:
      out = {x.a - y.a, x.c - y.c};
      break;
    case Kind::Negate:
      out = {-x.a, -x.c};
      break;
    case Kind::Multiply: // one of the slopes is zero
      out = {x.a * y.c + y.a * x.c, x.c * y.c};
      break;
    case Kind::Divide:
      out = {x.a / y.c, x.c / y.c};
      break;
    }
  }
  return slots[result];
}
