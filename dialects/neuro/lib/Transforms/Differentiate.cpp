// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The table of derivatives: for each operation of scalar code the tangent of
// its result, written with its operands, its result and their tangents.
#include "Differentiate.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/TypeUtilities.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/TypeSwitch.h"

#include <cmath>

using namespace mlir;
using namespace neuroc::neuro;

//===----------------------------------------------------------------------===//
// Calculus
//===----------------------------------------------------------------------===//

Value Calculus::number(double value) {
  Attribute attribute = builder.getFloatAttr(getElementTypeOrSelf(type), value);
  if (auto shaped = dyn_cast<ShapedType>(type))
    attribute = DenseElementsAttr::get(shaped, attribute);
  return arith::ConstantOp::create(builder, loc, type,
                                   cast<TypedAttr>(attribute));
}

Value Calculus::add(Value a, Value b) {
  return !a ? b : !b ? a : apply<arith::AddFOp>(a, b);
}
Value Calculus::sub(Value a, Value b) {
  return !a ? neg(b) : !b ? a : apply<arith::SubFOp>(a, b);
}
Value Calculus::mul(Value a, Value b) {
  return a && b ? apply<arith::MulFOp>(a, b) : Value();
}
Value Calculus::div(Value a, Value b) {
  return a ? apply<arith::DivFOp>(a, b) : Value();
}
Value Calculus::neg(Value a) { return a ? apply<arith::NegFOp>(a) : Value(); }
Value Calculus::select(Value condition, Value a, Value b) {
  return a || b
             ? apply<arith::SelectOp>(condition, materialize(a), materialize(b))
             : Value();
}

//===----------------------------------------------------------------------===//
// Functions of one variable
//===----------------------------------------------------------------------===//

/// dy/dx of a function of one variable y = f(x), or null if it is not known.
static Value getSlope(Operation *op, Calculus &c) {
  Value x = op->getOperand(0), y = op->getResult(0);
  auto one = [&] { return c.number(1); };
  auto square = [&](Value v) { return c.mul(v, v); };
  auto root = [&](Value v) { return c.apply<math::SqrtOp>(v); };
  auto over = [&](Value v) { return c.div(c.number(1), v); };
  return llvm::TypeSwitch<Operation *, Value>(op)
      .Case([&](math::ExpOp) { return y; })
      .Case([&](math::Exp2Op) { return c.mul(c.number(std::log(2.0)), y); })
      .Case([&](math::ExpM1Op) { return c.add(y, one()); })
      .Case([&](math::LogOp) { return over(x); })
      .Case(
          [&](math::Log2Op) { return over(c.mul(x, c.number(std::log(2.0)))); })
      .Case([&](math::Log10Op) {
        return over(c.mul(x, c.number(std::log(10.0))));
      })
      .Case([&](math::Log1pOp) { return over(c.add(one(), x)); })
      .Case([&](math::SqrtOp) { return c.div(c.number(0.5), y); })
      .Case([&](math::RsqrtOp) {
        return c.mul(c.number(-0.5), c.mul(y, square(y)));
      })
      .Case([&](math::CbrtOp) { return over(c.mul(c.number(3), square(y))); })
      .Case([&](math::TanhOp) { return c.sub(one(), square(y)); })
      .Case([&](math::SinhOp) { return c.apply<math::CoshOp>(x); })
      .Case([&](math::CoshOp) { return c.apply<math::SinhOp>(x); })
      .Case([&](math::AtanhOp) { return over(c.sub(one(), square(x))); })
      .Case([&](math::AsinhOp) { return over(root(c.add(square(x), one()))); })
      .Case([&](math::AcoshOp) { return over(root(c.sub(square(x), one()))); })
      .Case([&](math::SinOp) { return c.apply<math::CosOp>(x); })
      .Case([&](math::CosOp) { return c.neg(c.apply<math::SinOp>(x)); })
      .Case([&](math::TanOp) { return c.add(one(), square(y)); })
      .Case([&](math::AtanOp) { return over(c.add(one(), square(x))); })
      .Case([&](math::AsinOp) { return over(root(c.sub(one(), square(x)))); })
      .Case([&](math::AcosOp) {
        return c.neg(over(root(c.sub(one(), square(x)))));
      })
      .Case([&](math::ErfOp) {
        Value bell = c.apply<math::ExpOp>(c.neg(square(x)));
        return c.mul(c.number(2 / std::sqrt(M_PI)), bell);
      })
      .Case([&](math::ErfcOp) {
        Value bell = c.apply<math::ExpOp>(c.neg(square(x)));
        return c.mul(c.number(-2 / std::sqrt(M_PI)), bell);
      })
      .Case([&](math::AbsFOp) {
        return c.apply<math::CopySignOp>(c.number(1), x);
      })
      .Case([&](arith::NegFOp) { return c.number(-1); })
      .Default([](Operation *) { return Value(); });
}

//===----------------------------------------------------------------------===//
// Reductions
//===----------------------------------------------------------------------===//

/// Tangent of a reduction: that of the member which it picks, or a sum.
static Value differentiateReduce(ReduceOp op, Value tangent, OpBuilder &builder,
                                 Calculus &c) {
  auto sum = [&](Value of, bool prefix) {
    auto result = ReduceOp::create(builder, op.getLoc(), GroupReduce::Sum, of,
                                   op.getOver(), op.getGroupAttr(),
                                   IntegerAttr(), prefix);
    return result.getResult();
  };
  /// The tangent of the member that `number` others precede.
  auto pick = [&](Value value, double number) {
    Value rank =
        ReduceOp::create(builder, op.getLoc(), GroupReduce::Rank, value,
                         op.getOver(), op.getGroupAttr(), IntegerAttr(), false)
            .getResult();
    Value is = c.apply<arith::CmpFOp>(arith::CmpFPredicate::OEQ, rank,
                                      c.number(number));
    return sum(c.select(is, tangent, Value()), false);
  };
  switch (op.getKind()) {
  case GroupReduce::Sum:
    return sum(tangent, op.getPrefix());
  case GroupReduce::Max:
    return pick(op.getValue(), 0);
  case GroupReduce::Min:
    return pick(c.neg(op.getValue()), 0);
  case GroupReduce::KthLargest:
    return pick(op.getValue(), double(*op.getK() - 1));
  case GroupReduce::LogSumExp: {
    Value share = c.apply<math::ExpOp>(c.sub(op.getValue(), op.getResult()));
    return sum(c.mul(share, tangent), false);
  }
  case GroupReduce::Rank:
    return Value();
  }
  llvm_unreachable("all kinds handled");
}

//===----------------------------------------------------------------------===//
// Operations
//===----------------------------------------------------------------------===//

bool neuroc::neuro::isLocallyConstant(Operation *op) {
  if (isa<RandomOp, TimeOp, DtOp, IndexOp, arith::ConstantOp, math::FloorOp,
          math::CeilOp, math::TruncOp, math::RoundOp, math::RoundEvenOp>(op))
    return true;
  if (auto reduce = dyn_cast<ReduceOp>(op))
    return reduce.getKind() == GroupReduce::Rank;
  // Numbers made of truth values.
  if (!llvm::any_of(op->getOperandTypes(), [](Type type) {
        return isa<FloatType>(getElementTypeOrSelf(type));
      }))
    return !isa<GetOp>(op);
  return llvm::all_of(op->getResultTypes(), [](Type type) {
    return !isa<FloatType>(getElementTypeOrSelf(type));
  });
}

FailureOr<Value> neuroc::neuro::differentiate(Operation *op,
                                              ArrayRef<Value> tangents,
                                              OpBuilder &builder) {
  if (isLocallyConstant(op) ||
      llvm::none_of(tangents, [](Value tangent) { return bool(tangent); }))
    return Value();
  Value y = op->getResult(0);
  Calculus c(builder, op->getLoc(), y.getType());
  auto x = [&](unsigned i) { return op->getOperand(i); };
  auto t = [&](unsigned i) { return tangents[i]; };
  auto choose = [&](arith::CmpFPredicate first) {
    Value isFirst = c.apply<arith::CmpFOp>(first, x(0), x(1));
    return c.select(isFirst, t(0), t(1));
  };
  if (auto reduce = dyn_cast<ReduceOp>(op))
    return differentiateReduce(reduce, t(0), builder, c);
  if (isa<arith::AddFOp>(op))
    return c.add(t(0), t(1));
  if (isa<arith::SubFOp>(op))
    return c.sub(t(0), t(1));
  if (isa<arith::NegFOp>(op))
    return c.neg(t(0));
  if (isa<arith::MulFOp>(op))
    return c.add(c.mul(t(0), x(1)), c.mul(x(0), t(1)));
  if (isa<arith::DivFOp>(op)) // (x/y)' = (x' - (x/y) y') / y
    return c.div(c.sub(t(0), c.mul(y, t(1))), x(1));
  if (isa<math::FmaOp>(op))
    return c.add(c.add(c.mul(t(0), x(1)), c.mul(x(0), t(1))), t(2));
  if (isa<arith::SelectOp>(op))
    return c.select(x(0), t(1), t(2));
  if (isa<arith::MaximumFOp, arith::MaxNumFOp>(op))
    return choose(arith::CmpFPredicate::OGE);
  if (isa<arith::MinimumFOp, arith::MinNumFOp>(op))
    return choose(arith::CmpFPredicate::OLE);
  if (isa<arith::RemFOp>(op)) { // x - y trunc(x/y)
    if (!t(1))
      return t(0);
    Value whole = c.apply<math::TruncOp>(c.div(x(0), x(1)));
    return c.sub(t(0), c.mul(whole, t(1)));
  }
  if (isa<math::PowFOp>(op)) {
    Value base, exponent;
    if (t(0)) {
      Value power = c.apply<math::PowFOp>(x(0), c.sub(x(1), c.number(1)));
      base = c.mul(t(0), c.mul(x(1), power));
    }
    if (t(1)) { // x^y log x, which goes to 0 with x
      Value isPositive =
          c.apply<arith::CmpFOp>(arith::CmpFPredicate::OGT, x(0), c.number(0));
      Value log = c.apply<math::LogOp>(c.select(isPositive, x(0), c.number(1)));
      exponent = c.mul(t(1), c.mul(y, log));
    }
    return c.add(base, exponent);
  }
  if (isa<math::Atan2Op>(op)) {
    Value norm = c.add(c.mul(x(0), x(0)), c.mul(x(1), x(1)));
    return c.div(c.sub(c.mul(t(0), x(1)), c.mul(x(0), t(1))), norm);
  }
  if (isa<math::CopySignOp>(op)) {
    Value one = c.number(1);
    Value same = c.mul(c.apply<math::CopySignOp>(one, x(0)),
                       c.apply<math::CopySignOp>(one, x(1)));
    return c.mul(t(0), same);
  }
  if (op->getNumOperands() == 1 && op->getNumResults() == 1)
    if (Value slope = getSlope(op, c))
      return c.mul(slope, t(0));
  return failure();
}
