// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Symbolic reading of scalar code as an affine function of states. Works on the
// operation tree: sums, differences and negations combine forms; a product or
// quotient is affine when at most one side depends on a state.
#include "LinearForm.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/Matchers.h"
#include "llvm/ADT/STLExtras.h"

using namespace mlir;
using namespace neuroc::neuro;

//===----------------------------------------------------------------------===//
// ScalarBuilder
//===----------------------------------------------------------------------===//

Value ScalarBuilder::materialize(Scalar s) {
  if (s.value)
    return s.value;
  auto type = builder.getF64Type();
  return arith::ConstantOp::create(builder, loc, type,
                                   builder.getFloatAttr(type, s.number));
}

Scalar ScalarBuilder::add(Scalar a, Scalar b) {
  if (a.isNumber() && b.isNumber())
    return {a.number + b.number, {}};
  if (a.isZero())
    return b;
  if (b.isZero())
    return a;
  return {0, arith::AddFOp::create(builder, loc, materialize(a),
                                   materialize(b))};
}

Scalar ScalarBuilder::sub(Scalar a, Scalar b) {
  if (a.isNumber() && b.isNumber())
    return {a.number - b.number, {}};
  if (b.isZero())
    return a;
  if (a.isZero())
    return neg(b);
  return {0, arith::SubFOp::create(builder, loc, materialize(a),
                                   materialize(b))};
}

Scalar ScalarBuilder::mul(Scalar a, Scalar b) {
  if (a.isNumber() && b.isNumber())
    return {a.number * b.number, {}};
  if (a.isZero() || b.isZero())
    return {};
  if (a.isNumber() && a.number == 1)
    return b;
  if (b.isNumber() && b.number == 1)
    return a;
  return {0, arith::MulFOp::create(builder, loc, materialize(a),
                                   materialize(b))};
}

Scalar ScalarBuilder::div(Scalar a, Scalar b) {
  if (a.isNumber() && b.isNumber())
    return {a.number / b.number, {}};
  if (a.isZero())
    return {};
  if (b.isNumber())
    return mul(a, {1.0 / b.number, {}});
  return {0, arith::DivFOp::create(builder, loc, materialize(a),
                                   materialize(b))};
}

Scalar ScalarBuilder::neg(Scalar a) {
  if (a.isNumber())
    return {-a.number, {}};
  return {0, arith::NegFOp::create(builder, loc, a.value)};
}

//===----------------------------------------------------------------------===//
// Linear forms
//===----------------------------------------------------------------------===//

namespace {
class Reader {
public:
  Reader(const std::vector<std::string> &states, OpBuilder &builder)
      : states(states), builder(builder) {}

  std::optional<LinearForm> read(Value value);

private:
  /// Emits a copy of `value`'s expression, which depends on no state.
  Value cloneLeaf(Value value) {
    Operation *op = value.getDefiningOp();
    if (!op || !op->getParentOfType<DiffOp>())
      return value; // defined outside of the equation
    if (Value copy = copies.lookupOrNull(value))
      return copy;
    for (Value operand : op->getOperands())
      copies.map(operand, cloneLeaf(operand));
    builder.clone(*op, copies);
    return copies.lookup(value);
  }

  bool dependsOnState(Value value) {
    Operation *op = value.getDefiningOp();
    if (!op)
      return false;
    if (auto get = dyn_cast<GetOp>(op))
      return llvm::is_contained(states, get.getName());
    return llvm::any_of(op->getOperands(),
                        [&](Value operand) { return dependsOnState(operand); });
  }

  const std::vector<std::string> &states;
  OpBuilder &builder;
  IRMapping copies;
};
} // namespace

/// Both sides scaled and added: a + sign * b.
static LinearForm combine(ScalarBuilder &scalars, LinearForm a,
                          const LinearForm &b, bool subtract) {
  for (const auto &[state, coefficient] : b.coefficients) {
    Scalar &mine = a.coefficients[state];
    mine = subtract ? scalars.sub(mine, coefficient)
                    : scalars.add(mine, coefficient);
  }
  a.offset = subtract ? scalars.sub(a.offset, b.offset)
                      : scalars.add(a.offset, b.offset);
  return a;
}

std::optional<LinearForm> Reader::read(Value value) {
  Operation *op = value.getDefiningOp();
  ScalarBuilder scalars(builder, value.getLoc());
  FloatAttr number;
  if (matchPattern(value, m_Constant(&number)))
    return LinearForm{{}, {number.getValueAsDouble(), {}}};
  if (!dependsOnState(value))
    return LinearForm{{}, {0, cloneLeaf(value)}};
  if (auto get = dyn_cast<GetOp>(op))
    return LinearForm{{{get.getName().str(), {1.0, {}}}}, {}};

  auto readOperand = [&](unsigned i) { return read(op->getOperand(i)); };
  if (isa<arith::AddFOp, arith::SubFOp>(op)) {
    auto a = readOperand(0), b = readOperand(1);
    if (!a || !b)
      return std::nullopt;
    return combine(scalars, *a, *b, isa<arith::SubFOp>(op));
  }
  auto scale = [&](LinearForm form, auto &&apply) {
    for (auto &[state, coefficient] : form.coefficients)
      coefficient = apply(coefficient);
    form.offset = apply(form.offset);
    return form;
  };
  if (isa<arith::NegFOp>(op)) {
    auto a = readOperand(0);
    if (!a)
      return std::nullopt;
    return scale(*a, [&](Scalar s) { return scalars.neg(s); });
  }
  if (isa<arith::MulFOp>(op)) {
    auto a = readOperand(0), b = readOperand(1);
    if (!a || !b)
      return std::nullopt;
    if (!a->coefficients.empty() && !b->coefficients.empty())
      return std::nullopt;
    if (a->coefficients.empty())
      std::swap(a, b);
    Scalar factor = b->offset;
    return scale(*a, [&](Scalar s) { return scalars.mul(s, factor); });
  }
  if (isa<arith::DivFOp>(op)) {
    auto a = readOperand(0), b = readOperand(1);
    if (!a || !b || !b->coefficients.empty())
      return std::nullopt;
    Scalar divisor = b->offset;
    return scale(*a, [&](Scalar s) { return scalars.div(s, divisor); });
  }
  return std::nullopt;
}

std::optional<LinearForm>
neuroc::neuro::getLinearForm(Value value,
                             const std::vector<std::string> &states,
                             OpBuilder &builder) {
  std::optional<LinearForm> form = Reader(states, builder).read(value);
  if (form)
    std::erase_if(form->coefficients,
                  [](const auto &entry) { return entry.second.isZero(); });
  return form;
}

Value neuroc::neuro::cloneEquation(DiffOp diff,
                                   const std::map<std::string, Value> &states,
                                   OpBuilder &builder) {
  IRMapping mapping;
  for (Operation &op : diff.getBody().front()) {
    if (auto yield = dyn_cast<YieldOp>(op))
      return mapping.lookupOrDefault(yield.getValue());
    if (auto get = dyn_cast<GetOp>(op)) {
      auto it = states.find(get.getName().str());
      if (it != states.end()) {
        mapping.map(get.getResult(), it->second);
        continue;
      }
    }
    builder.clone(op, mapping);
  }
  llvm_unreachable("verified: an equation ends with yield");
}
