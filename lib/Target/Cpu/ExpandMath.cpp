// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// exp, log, tanh, expm1 and log1p of f32 as polynomials in line, which LLVM can
// run for many units in one instruction: a call of the C library takes one
// number at a time. Errors are below 2 units in the last place (test
// CpuMaths.ExpansionsAreAccurate). The coefficients are least maximum fits on
// the reduced intervals. f64 keeps the C library, as does every other function.

#include "ExpandMath.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/Builders.h"

#include <cmath>

using namespace mlir;

namespace neuroc::cpu {

namespace {

/// Scalar f32 and i32 code.
struct Code {
  OpBuilder &b;
  Location loc;

  Value real(float value) const {
    return arith::ConstantOp::create(b, loc, b.getF32FloatAttr(value));
  }
  Value integer(int32_t value) const {
    return arith::ConstantOp::create(b, loc, b.getI32IntegerAttr(value));
  }
  Value add(Value x, Value y) const {
    return arith::AddFOp::create(b, loc, x, y);
  }
  Value sub(Value x, Value y) const {
    return arith::SubFOp::create(b, loc, x, y);
  }
  Value mul(Value x, Value y) const {
    return arith::MulFOp::create(b, loc, x, y);
  }
  Value div(Value x, Value y) const {
    return arith::DivFOp::create(b, loc, x, y);
  }
  Value bits(Value x) const {
    return arith::BitcastOp::create(b, loc, b.getI32Type(), x);
  }
  Value fromBits(Value x) const {
    return arith::BitcastOp::create(b, loc, b.getF32Type(), x);
  }
  Value addI(Value x, Value y) const {
    return arith::AddIOp::create(b, loc, x, y);
  }
  Value subI(Value x, Value y) const {
    return arith::SubIOp::create(b, loc, x, y);
  }
  Value shiftLeft(Value x, int bits) const {
    return arith::ShLIOp::create(b, loc, x, integer(bits));
  }
  Value shiftRight(Value x, int bits) const { // with the sign
    return arith::ShRSIOp::create(b, loc, x, integer(bits));
  }
  /// Comparisons with a NaN are false.
  Value less(Value x, Value y) const {
    return arith::CmpFOp::create(b, loc, arith::CmpFPredicate::OLT, x, y);
  }
  Value equal(Value x, Value y) const {
    return arith::CmpFOp::create(b, loc, arith::CmpFPredicate::OEQ, x, y);
  }
  Value select(Value condition, Value x, Value y) const {
    return arith::SelectOp::create(b, loc, condition, x, y);
  }
  Value clamp(Value x, float lo, float hi) const {
    x = select(less(x, real(lo)), real(lo), x);
    return select(less(real(hi), x), real(hi), x);
  }
  /// c[0] + c[1] x + c[2] x^2 + …
  Value polynomial(Value x, ArrayRef<float> c) const {
    Value sum = real(c.back());
    for (float coefficient : llvm::reverse(c.drop_back()))
      sum = add(mul(sum, x), real(coefficient));
    return sum;
  }

  /// x = n ln 2 + r with whole n: expm1(r), and n as an integer.
  std::pair<Value, Value> reduceExp(Value x) const {
    // Adding 1.5 * 2^23 leaves the nearest whole number in the low bits.
    Value magic = real(12582912.0f);
    Value shifted = add(mul(x, real(1.44269504f)), magic);
    Value n = subI(bits(shifted), bits(magic));
    Value whole = sub(shifted, magic);
    // ln 2 in two parts, of which the first has few digits: exact products.
    Value r = sub(x, mul(whole, real(0.693359375f)));
    r = sub(r, mul(whole, real(-2.12194440e-4f)));
    Value q = polynomial(r, {0.49999994f, 0.1666651964f, 0.04166839272f,
                             0.008368780836f, 0.001381446491f});
    return {add(r, mul(mul(r, r), q)), n};
  }
  /// 2^n for -126 <= n <= 127.
  Value power(Value n) const {
    return fromBits(shiftLeft(addI(n, integer(127)), 23));
  }
  /// y 2^n for any n that two such powers reach.
  Value scale(Value y, Value n) const {
    Value half = shiftRight(n, 1);
    return mul(mul(y, power(half)), power(subI(n, half)));
  }

  Value exp(Value x) const {
    x = clamp(x, -104.0f, 89.0f);
    auto [m, n] = reduceExp(x);
    return scale(add(m, real(1)), n);
  }

  Value expm1(Value x) const {
    Value limited = clamp(x, -18.0f, 89.0f); // -1 from there on
    auto [m, n] = reduceExp(limited);
    // 2^n m + (2^n - 1); without the 1 where it no longer counts, so that
    // 2^n need not be a number of its own.
    Value isLarge = less(real(30), limited);
    Value few = select(isLarge, integer(0), n);
    Value p = power(few);
    Value small = add(mul(p, m), sub(p, real(1)));
    Value result = select(isLarge, scale(add(m, real(1)), n), small);
    return select(equal(x, real(0)), x, result); // keeps the sign of 0
  }

  /// The logarithm of a positive normal number or NaN.
  Value logOfNormal(Value x, Value offset) const {
    // x = 2^e (1 + f) with 1 + f between sqrt(1/2) and sqrt(2).
    Value pattern = bits(x);
    Value exponent = shiftRight(subI(pattern, integer(0x3f3504f3)), 23);
    Value f = sub(fromBits(subI(pattern, shiftLeft(exponent, 23))), real(1));
    Value e = arith::SIToFPOp::create(b, loc, b.getF32Type(), exponent);
    e = add(e, offset);
    Value z = mul(f, f);
    Value y = mul(mul(f, z),
                  polynomial(f, {0.3333333135f, -0.2500082254f, 0.2000122666f,
                                 -0.1662335694f, 0.1420176178f, -0.1316019446f,
                                 0.1276154965f, -0.07634429634f}));
    y = add(y, mul(e, real(-2.12194440e-4f)));
    y = sub(y, mul(z, real(0.5f)));
    return add(add(f, y), mul(e, real(0.693359375f)));
  }

  Value log(Value x) const {
    Value isTiny = less(x, real(1.17549435e-38f));
    Value normal = select(isTiny, mul(x, real(8388608.0f)), x);
    Value offset = select(isTiny, real(-23), real(0));
    Value result = logOfNormal(normal, offset);
    result = select(equal(x, real(0)), real(-HUGE_VALF), result);
    result = select(less(x, real(0)), real(NAN), result);
    // Infinity and NaN are their own logarithms.
    Value isFinite = less(x, real(HUGE_VALF));
    return select(isFinite, result, x);
  }

  Value log1p(Value x) const {
    // log(u) with u = 1 + x as rounded, and the first term of what was lost.
    Value u = add(real(1), x);
    Value lost = div(sub(x, sub(u, real(1))), u);
    Value sum = add(log(u), lost);
    Value isSmall = equal(u, real(1)); // x itself, with the sign of 0
    Value isSpecial = arith::OrIOp::create(b, loc, equal(u, real(0)),
                                           equal(u, real(HUGE_VALF)));
    sum = select(isSpecial, log(u), sum);
    return select(isSmall, x, sum);
  }

  Value tanh(Value x) const {
    Value size =
        fromBits(arith::AndIOp::create(b, loc, bits(x), integer(0x7fffffff)));
    Value z = mul(x, x);
    Value small = add(
        size, mul(mul(size, z),
                  polynomial(z, {-0.3333328068f, 0.1333144158f, -0.05373971164f,
                                 0.02063907869f, -0.005704978481f})));
    // 1 - 2/(exp(2|x|) + 1).
    Value limited = select(less(real(10), size), real(10), size);
    Value e = exp(mul(real(2), limited));
    Value large = sub(real(1), div(real(2), add(e, real(1))));
    Value sign =
        arith::AndIOp::create(b, loc, bits(x), integer(int32_t(0x80000000u)));
    Value isLarge = less(real(0.625f), size);
    Value value = select(isLarge, large, small);
    return fromBits(arith::OrIOp::create(b, loc, bits(value), sign));
  }
};

} // namespace

void ExpandMath::runOnOperation() {
  getOperation()->walk([](Operation *op) {
    if (op->getNumResults() != 1 || !op->getResult(0).getType().isF32())
      return;
    OpBuilder builder(op);
    Code code{builder, op->getLoc()};
    Value result;
    if (isa<math::ExpOp>(op))
      result = code.exp(op->getOperand(0));
    else if (isa<math::LogOp>(op))
      result = code.log(op->getOperand(0));
    else if (isa<math::TanhOp>(op))
      result = code.tanh(op->getOperand(0));
    else if (isa<math::ExpM1Op>(op))
      result = code.expm1(op->getOperand(0));
    else if (isa<math::Log1pOp>(op))
      result = code.log1p(op->getOperand(0));
    else
      return;
    op->replaceAllUsesWith(ValueRange{result});
    op->erase();
  });
}

} // namespace neuroc::cpu
