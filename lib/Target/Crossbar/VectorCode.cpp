// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Scalar regions to vector instructions. A result's binary point comes from
// its interval; the operands of sums are brought to the coarsest point that
// holds all three, products keep 64 bits inside the instruction. Functions are
// in VectorFunctions.cpp.
#include "VectorCode.h"

#include "neuroc/Xbar/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/BuiltinOps.h"

#include <cmath>

using namespace mlir;

namespace neuroc::xbar {

using neuro::Interval;

int32_t toFixed(double value, int frac) {
  double word = std::nearbyint(std::ldexp(value, frac));
  return int32_t(std::clamp(word, -2147483648.0, 2147483647.0));
}

int mantissaFrac(double value) {
  if (value == 0.0)
    return 30;
  return std::clamp(30 - int(std::ceil(std::log2(std::fabs(value)) - 1e-12)),
                    -31, 60);
}

int TemporaryPool::acquire() {
  if (!free.empty()) {
    int slot = free.back();
    free.pop_back();
    return slot;
  }
  slots.push_back(tile.allocate(block));
  return int(slots.size() - 1);
}

void VectorCode::address(int64_t reg, const Operand &operand) {
  if (operand.strided)
    tile.emit(Op::Addi, {reg, kOffset, operand.address});
  else if (operand.byRow)
    tile.emit(Op::Addi, {reg, kRowBase, operand.address});
  else
    tile.set(reg, operand.address);
}

Operand VectorCode::temporary(int frac) {
  int slot = pool.acquire();
  Operand operand = Operand::memory(pool.address(slot), frac, false);
  operand.slot = slot;
  return operand;
}

void VectorCode::binary(Op vector, Op scalar, Operand dst, Operand a,
                        Operand b) {
  address(kA, dst);
  address(kB, a);
  if (b.kind == Operand::Constant) {
    tile.set(kC, toFixed(b.value, b.frac));
    tile.emit(scalar, {kA, kB, kC, kLength});
  } else {
    address(kC, b);
    tile.emit(vector, {kA, kB, kC, kLength});
  }
}

void VectorCode::unary(Op op, Operand dst, Operand a) {
  address(kA, dst);
  address(kB, a);
  tile.emit(op, {kA, kB, kLength});
}

/// The same value at another binary point. The result owns a temporary if it
/// had to be made and `operand` did not own one that nobody else needs.
Operand VectorCode::aligned(Operand operand, int frac) {
  if (operand.kind == Operand::Constant) {
    operand.frac = frac;
    return operand;
  }
  if (operand.frac == frac)
    return operand;
  Operand result = temporary(frac);
  address(kA, result);
  address(kB, operand);
  int shift = std::clamp(frac - operand.frac, -63, 63);
  tile.emit(Op::Vshi, {kA, kB, kLength, shift});
  return result;
}

Operand VectorCode::materialized(Operand constant, int frac) {
  if (constant.kind != Operand::Constant)
    return constant;
  Operand result = temporary(frac);
  address(kA, result);
  tile.set(kB, toFixed(constant.value, frac));
  tile.emit(Op::Vfill, {kA, kB, kLength});
  return result;
}

void VectorCode::store(Operand destination, Operand source) {
  address(kA, destination);
  if (source.kind == Operand::Constant) {
    tile.set(kB, toFixed(source.value, destination.frac));
    tile.emit(Op::Vfill, {kA, kB, kLength});
    return;
  }
  address(kB, source);
  int shift = std::clamp(destination.frac - source.frac, -63, 63);
  if (shift == 0)
    tile.emit(Op::Vmov, {kA, kB, kLength});
  else
    tile.emit(Op::Vshi, {kA, kB, kLength, shift});
}

void VectorCode::storeMasked(Operand destination, Operand mask,
                             Operand source) {
  Operand value = source.kind == Operand::Constant
                      ? materialized(source, destination.frac)
                      : aligned(source, destination.frac);
  address(kA, destination);
  address(kB, mask);
  address(kC, value);
  address(kE, destination);
  tile.emit(Op::Vsel, {kA, kB, kC, kE, kLength});
  if (value.slot >= 0 && value.slot != source.slot)
    release(value);
}

int VectorCode::fracOf(Value value) const {
  if (value.getType().isInteger(1))
    return 0;
  return chooseFrac(ranges.value(value).interval);
}

/// The finest binary point at which the value of an operand still fits.
int VectorCode::fracLimit(Value value, const Operand &operand) const {
  if (operand.kind == Operand::Constant)
    return chooseFrac(Interval::point(operand.value));
  if (value && !value.getType().isInteger(1)) {
    Interval interval = ranges.value(value).interval;
    if (interval.isFinite())
      return std::max(chooseFrac(interval), operand.frac);
  }
  return operand.frac;
}

LogicalResult VectorCode::compile(Block &block, const Leaf &leaf,
                                  const Sink &sink) {
  remaining.clear();
  for (Operation &op : block)
    for (Value operand : op.getOperands())
      ++remaining[operand];
  absorbed.clear();
  for (Operation &op : block)
    if (Operation *exponential = matchLogistic(&op)) {
      absorbed.insert(exponential);
      absorbed.insert(op.getOperand(1).getDefiningOp());
    }
  SmallVector<Operation *> sinks;
  for (Operation &op : block) {
    if (absorbed.contains(&op))
      continue;
    if (op.getNumResults() == 0) {
      sinks.push_back(&op);
      continue;
    }
    ++notes.operations;
    if (failed(visit(&op, leaf)))
      return failure();
  }
  // A value that is read straight from memory must not be overwritten before
  // its last use: copy it when another set comes first.
  if (sinks.size() > 1)
    for (Operation *op : sinks) {
      if (op->getNumOperands() == 0)
        continue;
      Operand &operand = values[op->getOperand(0)];
      if (operand.kind == Operand::Memory && operand.slot < 0) {
        Operand copy = temporary(operand.frac);
        address(kA, copy);
        address(kB, operand);
        tile.emit(Op::Vmov, {kA, kB, kLength});
        operand = copy;
      }
    }
  for (Operation *op : sinks) {
    sink(op,
         op->getNumOperands() ? values.lookup(op->getOperand(0)) : Operand());
    finish(op);
  }
  for (Operation &op : block)
    for (Value result : op.getResults())
      if (auto found = values.find(result); found != values.end()) {
        pool.release(found->second.slot);
        values.erase(found);
      }
  return success();
}

/// Frees the temporaries whose last use this was.
void VectorCode::finish(Operation *op) {
  for (Value operand : op->getOperands()) {
    unsigned &left = remaining[operand];
    if (left > 0 && --left == 0) {
      auto found = values.find(operand);
      if (found != values.end() && found->second.slot >= 0) {
        pool.release(found->second.slot);
        found->second.slot = -1;
      }
    }
  }
}

static bool isCommutativeMinMax(Operation *op) {
  return isa<arith::MaximumFOp, arith::MinimumFOp, arith::MaxNumFOp,
             arith::MinNumFOp>(op);
}

Operand VectorCode::addLike(Operation *op, Operand a, Operand b) {
  int frac = fracOf(op->getResult(0));
  frac = std::min(
      {frac, fracLimit(op->getOperand(0), a), fracLimit(op->getOperand(1), b)});
  Op vector, scalar;
  if (isa<arith::AddFOp>(op)) {
    vector = Op::Vadd, scalar = Op::VaddS;
  } else if (isa<arith::SubFOp>(op)) {
    vector = Op::Vsub, scalar = Op::VsubS;
  } else if (isa<arith::MaximumFOp, arith::MaxNumFOp>(op)) {
    vector = Op::Vmax, scalar = Op::VmaxS;
  } else if (isa<arith::MinimumFOp, arith::MinNumFOp>(op)) {
    vector = Op::Vmin, scalar = Op::VminS;
  } else {
    vector = Op::Vrem, scalar = Op::VremS;
  }
  if (a.kind == Operand::Constant) {
    if (isa<arith::AddFOp>(op) || isCommutativeMinMax(op)) {
      std::swap(a, b);
    } else if (isa<arith::SubFOp>(op)) { // c - b
      std::swap(a, b);
      vector = Op::Vrsub, scalar = Op::VrsubS;
    } else {
      a = materialized(a, frac);
    }
  }
  Operand x = aligned(a, frac), y = aligned(b, frac);
  Operand result = temporary(frac);
  binary(vector, scalar, result, x, y);
  if (x.slot != a.slot)
    release(x);
  if (y.slot != b.slot)
    release(y);
  return result;
}

/// Rounded a * b at `frac`, or at the finest point that one shift can reach.
Operand VectorCode::multiply(Operand a, Operand b, int frac) {
  if (a.kind == Operand::Constant)
    std::swap(a, b);
  if (b.kind == Operand::Constant) // as many digits as one shift can undo
    b.frac = std::min(mantissaFrac(b.value), 63 + frac - a.frac);
  int shift = a.frac + b.frac - frac;
  if (shift < 0) {
    frac += shift;
    shift = 0;
  }
  if (shift > 63) { // below the resolution of the result
    frac += shift - 63;
    shift = 63;
  }
  Operand result = temporary(frac);
  address(kA, result);
  address(kB, a);
  if (b.kind == Operand::Constant) {
    tile.set(kC, toFixed(b.value, b.frac));
    tile.emit(Op::VmulS, {kA, kB, kC, kLength, shift});
  } else {
    address(kC, b);
    tile.emit(Op::Vmul, {kA, kB, kC, kLength, shift});
  }
  return result;
}

Operand VectorCode::divide(Operand a, Operand b, int frac) {
  if (b.kind == Operand::Constant && b.value != 0.0)
    return multiply(a, Operand::constant(1.0 / b.value), frac);
  Operand x = a;
  if (a.kind == Operand::Constant)
    x = materialized(a, chooseFrac(Interval::point(a.value)));
  int shift = frac - x.frac + b.frac;
  if (shift < 0) {
    frac -= shift;
    shift = 0;
  }
  if (shift > 32) {
    frac -= shift - 32;
    shift = 32;
  }
  Operand result = temporary(frac);
  address(kA, result);
  address(kB, x);
  if (b.kind == Operand::Constant) {
    tile.set(kC, 0);
    tile.emit(Op::VdivS, {kA, kB, kC, kLength, shift});
  } else {
    address(kC, b);
    tile.emit(Op::Vdiv, {kA, kB, kC, kLength, shift});
  }
  if (x.slot != a.slot)
    release(x);
  return result;
}

Operand VectorCode::compare(Operation *op, Operand a, Operand b) {
  using P = arith::CmpFPredicate;
  auto cmp = cast<arith::CmpFOp>(op);
  P predicate = cmp.getPredicate();
  Value va = cmp.getLhs(), vb = cmp.getRhs();
  if (predicate == P::AlwaysTrue || predicate == P::ORD)
    return Operand::constant(1.0);
  if (predicate == P::AlwaysFalse || predicate == P::UNO)
    return Operand::constant(0.0);
  Op vector = Op::Vceq;
  switch (predicate) {
  case P::OEQ:
  case P::UEQ:
    vector = Op::Vceq;
    break;
  case P::ONE:
  case P::UNE:
    vector = Op::Vcne;
    break;
  case P::OLT:
  case P::ULT:
    vector = Op::Vclt;
    break;
  case P::OLE:
  case P::ULE:
    vector = Op::Vcle;
    break;
  case P::OGT:
  case P::UGT:
    vector = Op::Vcgt;
    break;
  default:
    vector = Op::Vcge;
    break;
  }
  if (a.kind == Operand::Constant) {
    std::swap(a, b);
    std::swap(va, vb);
    if (vector == Op::Vclt)
      vector = Op::Vcgt;
    else if (vector == Op::Vcgt)
      vector = Op::Vclt;
    else if (vector == Op::Vcle)
      vector = Op::Vcge;
    else if (vector == Op::Vcge)
      vector = Op::Vcle;
  }
  int frac;
  if (b.kind == Operand::Constant)
    frac = std::min(a.frac, fracLimit(vb, b));
  else
    frac = std::min(
        {std::max(a.frac, b.frac), fracLimit(va, a), fracLimit(vb, b)});
  Operand x = aligned(a, frac), y = aligned(b, frac);
  Operand result = temporary(0);
  binary(vector, Op(unsigned(vector) + 1), result, x, y);
  if (x.slot != a.slot)
    release(x);
  if (y.slot != b.slot)
    release(y);
  return result;
}

Operand VectorCode::select(Operation *op, Operand mask, Operand a, Operand b) {
  int frac = fracOf(op->getResult(0));
  if (!op->getResult(0).getType().isInteger(1))
    frac = std::min({frac, fracLimit(op->getOperand(1), a),
                     fracLimit(op->getOperand(2), b)});
  Operand result = temporary(frac);
  if (a.kind == Operand::Constant && b.kind == Operand::Constant) {
    address(kA, result);
    address(kB, mask);
    tile.set(kC, toFixed(a.value, frac));
    tile.set(kE, toFixed(b.value, frac));
    tile.emit(Op::VselSS, {kA, kB, kC, kE, kLength});
    return result;
  }
  if (a.kind == Operand::Constant) { // only the second may be a scalar
    Operand inverse = temporary(0);
    unary(Op::Vnot, inverse, mask);
    Operand y = aligned(b, frac);
    address(kA, result);
    address(kB, inverse);
    address(kC, y);
    tile.set(kE, toFixed(a.value, frac));
    tile.emit(Op::VselS, {kA, kB, kC, kE, kLength});
    release(inverse);
    if (y.slot != b.slot)
      release(y);
    return result;
  }
  Operand x = aligned(a, frac), y = aligned(b, frac);
  address(kA, result);
  address(kB, mask);
  address(kC, x);
  if (y.kind == Operand::Constant) {
    tile.set(kE, toFixed(y.value, frac));
    tile.emit(Op::VselS, {kA, kB, kC, kE, kLength});
  } else {
    address(kE, y);
    tile.emit(Op::Vsel, {kA, kB, kC, kE, kLength});
  }
  if (x.slot != a.slot)
    release(x);
  if (y.slot != b.slot)
    release(y);
  return result;
}

//===----------------------------------------------------------------------===//
// Operations
//===----------------------------------------------------------------------===//

LogicalResult VectorCode::visit(Operation *op, const Leaf &leaf) {
  Value result = op->getResult(0);
  if (auto operand = leaf(op)) {
    values[result] = *operand;
    return success();
  }
  SmallVector<Operand> in;
  SmallVector<Interval> points;
  bool constant =
      !isa<neuro::GetOp, neuro::RandomOp, neuro::TimeOp, neuro::IndexOp,
           neuro::ReduceOp>(op);
  for (Value value : op->getOperands()) {
    in.push_back(values.lookup(value));
    constant &= in.back().kind == Operand::Constant;
    points.push_back(Interval::point(in.back().value));
  }
  if (constant) {
    Interval folded = neuro::evaluateOp(op, points);
    if (folded.isPoint()) {
      values[result] = Operand::constant(folded.lo);
      return success();
    }
  }
  int frac = fracOf(result);
  Operand out;
  // A value that only gets another binary point shares its source's memory;
  // a temporary changes hands if this is its last use.
  auto relabel = [&](Operand source, Value value, int newFrac) {
    Operand same = source;
    same.frac = newFrac;
    if (source.slot >= 0) {
      if (remaining[value] == 1) {
        values[value].slot = -1;
      } else {
        same = temporary(newFrac);
        unary(Op::Vmov, same, source);
      }
    }
    return same;
  };
  auto powerOfTwo = [](const Operand &o) -> std::optional<int> {
    int exponent;
    if (o.kind != Operand::Constant || !(o.value > 0.0) ||
        std::frexp(o.value, &exponent) != 0.5)
      return std::nullopt;
    return exponent - 1;
  };
  if (isa<arith::AddFOp, arith::SubFOp, arith::RemFOp>(op) ||
      isCommutativeMinMax(op)) {
    out = addLike(op, in[0], in[1]);
  } else if (isa<arith::MulFOp>(op)) {
    std::optional<int> shift = powerOfTwo(in[1]);
    unsigned other = shift ? 0 : 1;
    if (!shift)
      shift = powerOfTwo(in[0]);
    if (shift && std::abs(in[other].frac - *shift) <= 31)
      out = relabel(in[other], op->getOperand(other), in[other].frac - *shift);
    else
      out = multiply(in[0], in[1], frac);
  } else if (Operation *exponential = matchLogistic(op)) {
    out = logistic(op);
    finish(exponential);
  } else if (isa<arith::DivFOp>(op)) {
    out = divide(in[0], in[1], frac);
  } else if (isa<arith::CmpFOp>(op)) {
    out = compare(op, in[0], in[1]);
  } else if (isa<arith::SelectOp>(op)) {
    if (in[0].kind == Operand::Constant) {
      unsigned arm = in[0].value != 0.0 ? 1 : 2;
      out = in[arm].kind == Operand::Constant
                ? in[arm]
                : relabel(in[arm], op->getOperand(arm), in[arm].frac);
    } else {
      out = select(op, in[0], in[1], in[2]);
    }
  } else if (isa<arith::AndIOp, arith::OrIOp, arith::XOrIOp>(op) &&
             result.getType().isInteger(1)) {
    if (in[0].kind == Operand::Constant)
      std::swap(in[0], in[1]);
    Op vector = isa<arith::AndIOp>(op)  ? Op::Vand
                : isa<arith::OrIOp>(op) ? Op::Vor
                                        : Op::Vxor;
    in[1].frac = 0;
    out = temporary(0);
    binary(vector, Op(unsigned(vector) + 1), out, in[0], in[1]);
  } else if (isa<arith::NegFOp>(op)) {
    out = temporary(in[0].frac);
    unary(Op::Vneg, out, in[0]);
  } else if (isa<math::AbsFOp>(op)) {
    out = temporary(in[0].frac);
    unary(Op::Vabs, out, in[0]);
  } else if (isa<arith::UIToFPOp>(op)) {
    out = relabel(in[0], op->getOperand(0), 0);
  } else if (isa<arith::SIToFPOp>(op)) {
    out = temporary(0);
    unary(op->getOperand(0).getType().isInteger(1) ? Op::Vneg : Op::Vmov, out,
          in[0]);
  } else if (isa<arith::ExtFOp, arith::TruncFOp>(op)) {
    out = relabel(in[0], op->getOperand(0), in[0].frac);
  } else if (isa<math::FloorOp, math::RoundEvenOp, math::CeilOp, math::RoundOp>(
                 op)) {
    int point = in[0].frac;
    out = temporary(point);
    if (point <= 0) {
      unary(Op::Vmov, out, in[0]);
    } else if (isa<math::FloorOp, math::RoundEvenOp>(op)) {
      address(kA, out);
      address(kB, in[0]);
      tile.emit(isa<math::FloorOp>(op) ? Op::Vfloor : Op::Vround,
                {kA, kB, kLength, point});
    } else if (isa<math::CeilOp>(op)) { // -floor(-x)
      unary(Op::Vneg, out, in[0]);
      address(kA, out);
      address(kB, out);
      tile.emit(Op::Vfloor, {kA, kB, kLength, point});
      unary(Op::Vneg, out, out);
    } else { // half away from zero: sign(x) floor(|x| + 1/2)
      Operand negative = temporary(0), zero = Operand::constant(0.0);
      binary(Op::Vclt, Op::VcltS, negative, in[0], zero);
      unary(Op::Vabs, out, in[0]);
      Operand half = Operand::constant(0.5);
      half.frac = point;
      binary(Op::Vadd, Op::VaddS, out, out, half);
      address(kA, out);
      address(kB, out);
      tile.emit(Op::Vfloor, {kA, kB, kLength, point});
      Operand flipped = temporary(point);
      unary(Op::Vneg, flipped, out);
      address(kA, out);
      address(kB, negative);
      address(kC, flipped);
      address(kE, out);
      tile.emit(Op::Vsel, {kA, kB, kC, kE, kLength});
      release(negative);
      release(flipped);
    }
  } else if (auto reduce = dyn_cast<neuro::ReduceOp>(op)) {
    if (failed(collective(reduce, in[0], out)))
      return failure();
  } else if (failed(function(op, out))) {
    return failure();
  }
  values[result] = out;
  finish(op);
  return success();
}

} // namespace neuroc::xbar
