// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// exp, log, sqrt and the like on the vector unit: tables, with the range
// reduced first where a plain table would be coarse. exp splits off the power
// of two, log and sqrt normalise their argument, sin and cos take a period.
#include "VectorCode.h"

#include "neuroc/Xbar/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/BuiltinOps.h"

#include <cmath>

using namespace mlir;

namespace neuroc::xbar {

using neuro::Interval;

Operand VectorCode::table(const std::string &name, Operand a, Interval in,
                          int fracOut, const std::function<double(double)> &f,
                          double target) {
  double limit = std::ldexp(1.0, 31 - a.frac);
  in = in.meet({-limit, limit});
  if (in.isEmpty())
    in = Interval::point(0.0);
  std::string key = name + "/" + std::to_string(a.frac) + "/" +
                    std::to_string(fracOut) + "/" + std::to_string(in.lo) +
                    "/" + std::to_string(in.hi);
  auto [entry, isNew] = tables.try_emplace(key, 0);
  if (isNew) {
    Lut lut = makeLut(f, in.lo, in.hi, a.frac, fracOut, target);
    entry->second = tile.allocateData(lut.words);
    double &error = notes.tableErrors[name];
    error = std::max(error, lut.maxError);
  }
  Operand result = temporary(fracOut);
  address(kA, result);
  address(kB, a);
  tile.set(kC, entry->second);
  tile.emit(Op::Vlut, {kA, kB, kC, kLength});
  return result;
}

/// 2^(x log2 e): a table for the fraction, a shift for the whole part.
Operand VectorCode::exponential(Operand a, int frac) {
  constexpr int kFraction = 20, kTable = 29;
  Operand y = aligned(
      multiply(a, Operand::constant(1.4426950408889634), kFraction), kFraction);
  Operand whole = temporary(0);
  address(kA, whole);
  address(kB, y);
  tile.emit(Op::Vsrai, {kA, kB, kLength, kFraction});
  address(kA, y);
  address(kB, y);
  tile.set(kC, (1 << kFraction) - 1);
  tile.emit(Op::VandS, {kA, kB, kC, kLength});
  Operand power = table(
      "exp2", y, {0.0, 1.0}, kTable, [](double x) { return std::exp2(x); },
      1e-7);
  address(kA, whole);
  address(kB, whole);
  tile.set(kC, frac - kTable);
  tile.emit(Op::VaddS, {kA, kB, kC, kLength});
  Operand result = temporary(frac);
  binary(Op::Vsh, Op::VshS, result, power, whole);
  release(y);
  release(whole);
  release(power);
  return result;
}

static std::optional<double> positiveConstant(Value value) {
  auto constant = value.getDefiningOp<arith::ConstantOp>();
  auto number =
      constant ? dyn_cast<FloatAttr>(constant.getValue()) : FloatAttr();
  if (!number || !(number.getValueAsDouble() > 0.0))
    return std::nullopt;
  return number.getValueAsDouble();
}

Operation *matchLogistic(Operation *quotient) {
  auto division = dyn_cast<arith::DivFOp>(quotient);
  auto sum = division ? division.getRhs().getDefiningOp<arith::AddFOp>()
                      : arith::AddFOp();
  if (!sum || !sum->hasOneUse() || !positiveConstant(division.getLhs()))
    return nullptr;
  for (bool swapped : {false, true}) {
    auto power = sum->getOperand(swapped ? 1 : 0).getDefiningOp<math::ExpOp>();
    if (power && power->hasOneUse() &&
        positiveConstant(sum->getOperand(swapped ? 0 : 1)))
      return power;
  }
  return nullptr;
}

Operand VectorCode::logistic(Operation *quotient) {
  Operation *power = matchLogistic(quotient);
  Operation *sum = quotient->getOperand(1).getDefiningOp();
  double a = *positiveConstant(quotient->getOperand(0));
  double b = *positiveConstant(
      sum->getOperand(sum->getOperand(0).getDefiningOp() == power ? 1 : 0));
  Value y = power->getOperand(0);
  Operand in = values.lookup(y);
  if (in.kind == Operand::Constant)
    return Operand::constant(a / (b + std::exp(in.value)));
  // (a / b) / (1 + exp z) with z = y - log b. Of e = exp(-|z|), in [0, 1], all
  // digits fit: it is e / (1 + e) where z is positive, one less that elsewhere.
  constexpr int kFraction = 29;
  auto number = [](double value, int frac) {
    Operand constant = Operand::constant(value);
    constant.frac = frac;
    return constant;
  };
  int point = std::min(in.frac, 24);
  Operand from = aligned(in, point), z = temporary(point);
  binary(Op::Vadd, Op::VaddS, z, from, number(-std::log(b), point));
  if (from.slot != in.slot)
    release(from);
  Operand upper = temporary(0);
  binary(Op::Vclt, Op::VcltS, upper, z, number(0.0, point));
  unary(Op::Vabs, z, z);
  unary(Op::Vneg, z, z);
  binary(Op::Vmax, Op::VmaxS, z, z, number(-64.0, point));
  Operand e = exponential(z, kFraction);
  release(z);
  Operand below = temporary(kFraction);
  binary(Op::Vadd, Op::VaddS, below, e, number(1.0, kFraction));
  Operand low = divide(e, below, kFraction);
  release(below);
  unary(Op::Vneg, e, low);
  binary(Op::Vadd, Op::VaddS, e, e, number(1.0, kFraction));
  address(kA, e);
  address(kB, upper);
  address(kC, e);
  address(kE, low);
  tile.emit(Op::Vsel, {kA, kB, kC, kE, kLength});
  release(upper);
  release(low);
  if (a == b)
    return e;
  Operand result =
      multiply(e, Operand::constant(a / b), chooseFrac(Interval{0.0, a / b}));
  release(e);
  return result;
}

/// Leading zeros less one go to the exponent: log x = log m + e log 2.
Operand VectorCode::logarithm(Operand a) {
  constexpr int kFraction = 26;
  Operand zeros = temporary(0), mantissa = temporary(30);
  unary(Op::Vclz, zeros, a);
  address(kA, zeros);
  address(kB, zeros);
  tile.set(kC, 1);
  tile.emit(Op::VsubS, {kA, kB, kC, kLength});
  binary(Op::Vsh, Op::VshS, mantissa, a, zeros);
  Operand logs = table(
      "log", mantissa, {1.0, 2.0}, kFraction,
      [](double x) { return std::log(x); }, 1e-7);
  // exponent = 30 - zeros - frac, times log 2
  address(kA, zeros);
  address(kB, zeros);
  tile.set(kC, 30 - a.frac);
  tile.emit(Op::VrsubS, {kA, kB, kC, kLength});
  Operand whole =
      multiply(zeros, Operand::constant(0.6931471805599453), kFraction);
  Operand result = temporary(kFraction);
  binary(Op::Vadd, Op::VaddS, result, logs, aligned(whole, kFraction));
  release(zeros);
  release(mantissa);
  release(logs);
  release(whole);
  return result;
}

/// The argument is shifted by an even number of places to [2^29, 2^31).
Operand VectorCode::squareRoot(Operand a) {
  Operand even = aligned(a, a.frac % 2 != 0 ? a.frac - 1 : a.frac);
  int ownedByAlignment = even.slot != a.slot ? even.slot : -1;
  a = even;
  Operand places = temporary(0), mantissa = temporary(30);
  unary(Op::Vclz, places, a);
  address(kA, places);
  address(kB, places);
  tile.set(kC, 1);
  tile.emit(Op::VsubS, {kA, kB, kC, kLength});
  tile.set(kC, ~1);
  tile.emit(Op::VandS, {kA, kB, kC, kLength});
  binary(Op::Vsh, Op::VshS, mantissa, a, places);
  Operand root = table(
      "sqrt", mantissa, {0.5, 2.0}, 29, [](double x) { return std::sqrt(x); },
      1e-7);
  // sqrt(m 2^-30 2^(30 - e - frac)) with e and frac even
  address(kA, places);
  address(kB, places);
  tile.emit(Op::Vshi, {kA, kB, kLength, -1});
  address(kA, places);
  address(kB, places);
  tile.emit(Op::Vneg, {kA, kB, kLength});
  int frac = 14 + a.frac / 2; // largest root at this point stays below 2^31
  address(kA, places);
  address(kB, places);
  tile.set(kC, 15 - a.frac / 2 + frac - 29);
  tile.emit(Op::VaddS, {kA, kB, kC, kLength});
  Operand result = temporary(frac);
  binary(Op::Vsh, Op::VshS, result, root, places);
  // Zero has no leading one: its root is zero.
  address(kA, result);
  address(kB, a);
  address(kC, result);
  tile.emit(Op::VselS, {kA, kB, kC, kZero, kLength});
  release(places);
  release(mantissa);
  release(root);
  pool.release(ownedByAlignment);
  return result;
}

static InFlightDiagnostic withoutCode(Operation *op) {
  return op->emitError() << "unsupported: operation '" << op->getName()
                         << "' has no vector code on a crossbar machine";
}

LogicalResult VectorCode::function(Operation *op, Operand &result) {
  if (op->getNumOperands() == 0)
    return withoutCode(op);
  Operand a = values.lookup(op->getOperand(0));
  Interval in = ranges.value(op->getOperand(0)).interval;
  int frac = fracOf(op->getResult(0));
  double fine = std::ldexp(1.0, -frac);
  if (isa<math::ExpOp>(op)) {
    result = exponential(a, frac);
  } else if (isa<math::ExpM1Op>(op)) {
    int inner = std::min(frac, 28);
    Operand e = exponential(a, inner);
    result = temporary(inner);
    binary(Op::Vsub, Op::VsubS, result, e, [&] {
      Operand one = Operand::constant(1.0);
      one.frac = inner;
      return one;
    }());
    release(e);
  } else if (isa<math::LogOp>(op)) {
    result = logarithm(a);
  } else if (isa<math::Log1pOp>(op)) {
    int inner = std::min(a.frac, 28);
    Operand x = aligned(a, inner), sum = temporary(inner);
    Operand one = Operand::constant(1.0);
    one.frac = inner;
    binary(Op::Vadd, Op::VaddS, sum, x, one);
    result = logarithm(sum);
    release(sum);
    if (x.slot != a.slot)
      release(x);
  } else if (isa<math::SqrtOp>(op)) {
    result = squareRoot(a);
  } else if (isa<math::TanhOp>(op)) {
    result = table(
        "tanh", a, in.meet({-12.0, 12.0}), std::min(frac, 29),
        [](double x) { return std::tanh(x); }, std::max(fine, 1e-6));
  } else if (isa<math::ErfOp>(op)) {
    result = table(
        "erf", a, in.meet({-6.0, 6.0}), std::min(frac, 29),
        [](double x) { return std::erf(x); }, std::max(fine, 1e-6));
  } else if (isa<math::SinOp, math::CosOp>(op)) {
    bool sine = isa<math::SinOp>(op);
    constexpr double kTwoPi = 6.283185307179586;
    Operand x = a;
    Interval reduced = in;
    if (in.hi - in.lo > 2.0 * kTwoPi) {
      x = temporary(a.frac);
      Operand period = Operand::constant(kTwoPi);
      period.frac = a.frac;
      binary(Op::Vrem, Op::VremS, x, a, period);
      reduced = {-kTwoPi, kTwoPi};
    }
    result = table(
        sine ? "sin" : "cos", x, reduced, 29,
        [sine](double v) { return sine ? std::sin(v) : std::cos(v); }, 1e-6);
    if (x.slot != a.slot)
      release(x);
  } else if (auto power = dyn_cast<math::PowFOp>(op)) {
    Operand y = values.lookup(power.getRhs());
    if (y.kind == Operand::Constant && y.value == std::floor(y.value) &&
        y.value >= 1.0 && y.value <= 8.0) {
      result = a;
      for (int i = 1; i < int(y.value); ++i) {
        double m = std::pow(in.magnitude(), i + 1);
        Operand next = multiply(result, a, chooseFrac(Interval::symmetric(m)));
        if (i > 1)
          release(result);
        result = next;
      }
      if (result.slot == a.slot) {
        result = temporary(a.frac);
        unary(Op::Vmov, result, a);
      }
    } else if (in.lo >= 0.0) { // exp(y log x)
      Operand l = logarithm(a);
      Operand product = multiply(l, y, 22);
      result = exponential(product, frac);
      release(l);
      release(product);
    } else {
      return op->emitError()
             << "unsupported: on a crossbar machine 'math.powf' needs a base "
                "that is never negative or a constant whole exponent from 1 "
                "to 8";
    }
  } else {
    return withoutCode(op);
  }
  return success();
}

} // namespace neuroc::xbar
