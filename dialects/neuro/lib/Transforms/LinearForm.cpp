// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Symbolic reading of scalar code as an affine function of states. Works on the
// operation tree: sums, differences and negations combine forms; a product or
// quotient is affine when at most one side depends on a state. Numbers made of
// parameters that are still read by name are evaluated with their slopes.
#include "LinearForm.h"

#include "Differentiate.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
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
  Calculus c(builder, loc, builder.getF64Type());
  Value result = c.number(s.number);
  for (const auto &[name, slope] : s.slopes) {
    Value param = GetOp::create(builder, loc, builder.getF64Type(), name);
    result = c.add(
        result, c.mul(c.sub(param, c.number(slope.at)), c.number(slope.slope)));
  }
  return result;
}

/// x * a' + y * b', for a function of a and b with the partial slopes x, y.
static Slopes chain(double x, const Scalar &a, double y = 0,
                    const Scalar &b = {}) {
  Slopes result;
  auto add = [&](double factor, const Scalar &s) {
    for (const auto &[name, slope] : s.slopes) {
      result[name].at = slope.at;
      result[name].slope += factor * slope.slope;
    }
  };
  add(x, a);
  add(y, b);
  return result;
}

Scalar ScalarBuilder::map(Scalar a, double value, double slope) {
  return {value, {}, chain(slope, a)};
}

Scalar ScalarBuilder::add(Scalar a, Scalar b) {
  if (a.isNumber() && b.isNumber())
    return {a.number + b.number, {}, chain(1, a, 1, b)};
  if (a.isZero())
    return b;
  if (b.isZero())
    return a;
  return {0,
          arith::AddFOp::create(builder, loc, materialize(a), materialize(b))};
}

Scalar ScalarBuilder::sub(Scalar a, Scalar b) {
  if (a.isNumber() && b.isNumber())
    return {a.number - b.number, {}, chain(1, a, -1, b)};
  if (b.isZero())
    return a;
  if (a.isZero())
    return neg(b);
  return {0,
          arith::SubFOp::create(builder, loc, materialize(a), materialize(b))};
}

Scalar ScalarBuilder::mul(Scalar a, Scalar b) {
  if (a.isNumber() && b.isNumber())
    return {a.number * b.number, {}, chain(b.number, a, a.number, b)};
  if (a.isZero() || b.isZero())
    return {};
  if (a.isNumber() && a.number == 1 && a.slopes.empty())
    return b;
  if (b.isNumber() && b.number == 1 && b.slopes.empty())
    return a;
  return {0,
          arith::MulFOp::create(builder, loc, materialize(a), materialize(b))};
}

Scalar ScalarBuilder::div(Scalar a, Scalar b) {
  if (a.isNumber() && b.isNumber())
    return {a.number / b.number,
            {},
            chain(1 / b.number, a, -a.number / (b.number * b.number), b)};
  if (a.isZero())
    return {};
  if (b.isNumber())
    return mul(a, map(b, 1.0 / b.number, -1.0 / (b.number * b.number)));
  return {0,
          arith::DivFOp::create(builder, loc, materialize(a), materialize(b))};
}

Scalar ScalarBuilder::neg(Scalar a) {
  if (a.isNumber())
    return map(a, -a.number, -1);
  return {0, arith::NegFOp::create(builder, loc, a.value)};
}

//===----------------------------------------------------------------------===//
// Linear forms
//===----------------------------------------------------------------------===//

namespace {
class Reader {
public:
  Reader(const std::vector<std::string> &states,
         const std::map<std::string, double> &params, OpBuilder &builder)
      : states(states), params(params), builder(builder) {}

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

  /// The number that `value` is, if it is made of numbers and parameters.
  std::optional<Scalar> readNumber(Value value);
  std::optional<Scalar> fold(Operation *op, ArrayRef<Scalar> operands);

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
  const std::map<std::string, double> &params;
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

/// A function of numbers, and its slopes, by folding both in a block of their
/// own.
std::optional<Scalar> Reader::fold(Operation *op, ArrayRef<Scalar> operands) {
  Block block;
  OpBuilder inBlock(op->getContext());
  inBlock.setInsertionPointToStart(&block);
  Calculus c(inBlock, op->getLoc(), builder.getF64Type());
  IRMapping mapping;
  for (auto [operand, number] : llvm::zip(op->getOperands(), operands))
    mapping.map(operand, c.number(number.number));
  Operation *copy = inBlock.clone(*op, mapping);
  llvm::DenseMap<Value, Attribute> known;
  auto foldAll = [&](Value wanted) -> std::optional<double> {
    for (Operation &each : block) {
      if (known.count(each.getResult(0)))
        continue;
      SmallVector<Attribute> inputs;
      for (Value input : each.getOperands())
        inputs.push_back(known.lookup(input));
      SmallVector<OpFoldResult> results;
      if (failed(each.fold(inputs, results)) || results.size() != 1)
        return std::nullopt;
      auto attribute = dyn_cast<Attribute>(results[0]);
      known[each.getResult(0)] =
          attribute ? attribute : known.lookup(cast<Value>(results[0]));
    }
    auto number = dyn_cast_or_null<FloatAttr>(known.lookup(wanted));
    return number ? std::optional(number.getValueAsDouble()) : std::nullopt;
  };
  std::optional<double> number = foldAll(copy->getResult(0));
  if (!number)
    return std::nullopt;
  Scalar result{*number};
  std::map<std::string, double> names;
  for (const Scalar &operand : operands)
    for (const auto &[name, slope] : operand.slopes)
      names[name] = slope.at;
  for (const auto &[name, at] : names) {
    SmallVector<Value> tangents;
    for (const Scalar &operand : operands) {
      auto it = operand.slopes.find(name);
      tangents.push_back(
          it == operand.slopes.end() ? Value() : c.number(it->second.slope));
    }
    FailureOr<Value> tangent = differentiate(copy, tangents, inBlock);
    if (failed(tangent))
      return std::nullopt;
    std::optional<double> slope = *tangent ? foldAll(*tangent) : 0.0;
    if (!slope)
      return std::nullopt;
    result.slopes[name] = {at, *slope};
  }
  return result;
}

std::optional<Scalar> Reader::readNumber(Value value) {
  FloatAttr number;
  if (matchPattern(value, m_Constant(&number)))
    return Scalar{number.getValueAsDouble()};
  Operation *op = value.getDefiningOp();
  if (!op || !value.getType().isF64())
    return std::nullopt;
  if (auto get = dyn_cast<GetOp>(op)) {
    auto it = params.find(get.getName().str());
    if (it == params.end())
      return std::nullopt;
    return Scalar{it->second, {}, {{it->first, {it->second, 1}}}};
  }
  if (op->getNumOperands() == 0 || op->getNumResults() != 1 ||
      !isa<arith::ArithDialect, math::MathDialect>(op->getDialect()))
    return std::nullopt;
  SmallVector<Scalar> operands;
  for (Value operand : op->getOperands()) {
    std::optional<Scalar> part = readNumber(operand);
    if (!part)
      return std::nullopt;
    operands.push_back(*part);
  }
  ScalarBuilder scalars(builder, value.getLoc());
  if (isa<arith::AddFOp>(op))
    return scalars.add(operands[0], operands[1]);
  if (isa<arith::SubFOp>(op))
    return scalars.sub(operands[0], operands[1]);
  if (isa<arith::MulFOp>(op))
    return scalars.mul(operands[0], operands[1]);
  if (isa<arith::DivFOp>(op))
    return scalars.div(operands[0], operands[1]);
  if (isa<arith::NegFOp>(op))
    return scalars.neg(operands[0]);
  return fold(op, operands);
}

std::optional<LinearForm> Reader::read(Value value) {
  Operation *op = value.getDefiningOp();
  ScalarBuilder scalars(builder, value.getLoc());
  FloatAttr number;
  if (matchPattern(value, m_Constant(&number)))
    return LinearForm{{}, {number.getValueAsDouble(), {}}};
  if (!dependsOnState(value)) {
    if (std::optional<Scalar> number = readNumber(value))
      return LinearForm{{}, *number};
    return LinearForm{{}, {0, cloneLeaf(value)}};
  }
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

std::optional<LinearForm> neuroc::neuro::getLinearForm(
    Value value, const std::vector<std::string> &states,
    const std::map<std::string, double> &params, OpBuilder &builder) {
  std::optional<LinearForm> form = Reader(states, params, builder).read(value);
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
