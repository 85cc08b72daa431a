// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Reductions over the units of a population on the vector unit. A group lies
// on one tile (xbar-map-arrays sees to it) and in one block of the vector code,
// so a reduction is a reducing instruction, or a loop of them, for each group,
// and the result is spread over the group again.
#include "VectorCode.h"

#include "neuroc/Xbar/Passes.h"

#include "mlir/IR/BuiltinOps.h"

#include <cmath>

using namespace mlir;

namespace neuroc::xbar {

using neuro::GroupReduce;
using Label = rt::xbar::ProgramBuilder::Label;

/// Registers of the loops below; operands use kA … kF.
static constexpr int64_t kGroup = kLoop1; ///< first unit of the group
static constexpr int64_t kUnit = kLoop2;  ///< unit within the group
static constexpr int64_t kFrom = kTemp1;  ///< address of the group's operand
static constexpr int64_t kTo = kTemp2;    ///< address of the group's result

/// Runs `body` for each group, with kFrom, kTo and kD (its size) set.
void VectorCode::forGroups(int64_t group, Operand from, Operand to,
                           llvm::function_ref<void()> body) {
  address(kFrom, from);
  address(kTo, to);
  tile.set(kD, group);
  if (group == units) {
    body();
    return;
  }
  Label end = tile.code.newLabel();
  tile.code.emitTo(Op::Loopi, {units / group}, end);
  body();
  tile.emit(Op::Addi, {kFrom, kFrom, group});
  tile.emit(Op::Addi, {kTo, kTo, group});
  tile.code.bind(end);
}

/// One instruction that reduces, its result given to all members.
Operand VectorCode::reduceBy(Op op, int64_t group, Operand x) {
  Operand result = temporary(x.frac);
  forGroups(group, x, result, [&] {
    tile.emit(op, {kA, kFrom, kD});
    tile.emit(Op::Vfill, {kTo, kA, kD});
  });
  return result;
}

/// m + log sum exp(x - m), m the largest.
Operand VectorCode::logSumExp(int64_t group, Operand x) {
  Operand largest = reduceBy(Op::Vmaxr, group, x);
  Operand below = temporary(x.frac);
  binary(Op::Vsub, Op::VsubS, below, x, largest);
  Operand power =
      exponential(below, 29 - int(std::ceil(std::log2(double(group)))));
  Operand sum = reduceBy(Op::Vsum, group, power);
  Operand log = logarithm(sum);
  int frac = std::min(largest.frac, log.frac);
  Operand a = aligned(largest, frac), b = aligned(log, frac);
  Operand result = temporary(frac);
  binary(Op::Vadd, Op::VaddS, result, a, b);
  for (Operand temporary : {largest, below, power, sum, log})
    release(temporary);
  if (a.slot != largest.slot)
    release(a);
  if (b.slot != log.slot)
    release(b);
  return result;
}

/// Takes the largest out of a copy k - 1 times.
Operand VectorCode::kthLargest(int64_t group, int64_t k, Operand x) {
  Operand copy = temporary(x.frac);
  unary(Op::Vmov, copy, x);
  Operand result = temporary(x.frac);
  forGroups(group, copy, result, [&] {
    if (k > 1) {
      tile.set(kC, INT32_MIN);
      Label end = tile.code.newLabel();
      tile.code.emitTo(Op::Loopi, {k - 1}, end);
      tile.emit(Op::Vargmax, {kA, kFrom, kD});
      tile.emit(Op::Add, {kA, kA, kFrom});
      tile.emit(Op::Sw, {kC, kA, 0});
      tile.code.bind(end);
    }
    tile.emit(Op::Vmaxr, {kA, kFrom, kD});
    tile.emit(Op::Vfill, {kTo, kA, kD});
  });
  release(copy);
  return result;
}

/// Counts, for each member, those above it and the equal ones before it.
Operand VectorCode::rank(int64_t group, Operand x) {
  Operand result = temporary(0), mask = temporary(0);
  forGroups(group, x, result, [&] {
    tile.set(kUnit, 0);
    Label end = tile.code.newLabel();
    tile.code.emitTo(Op::Loopi, {group}, end);
    address(kA, mask);
    tile.emit(Op::Add, {kB, kFrom, kUnit});
    tile.emit(Op::Lw, {kC, kB, 0});
    tile.emit(Op::VcgtS, {kA, kFrom, kC, kD});
    tile.emit(Op::Vsum, {kE, kA, kD});
    tile.emit(Op::VceqS, {kA, kFrom, kC, kUnit});
    tile.emit(Op::Vsum, {kF, kA, kUnit});
    tile.emit(Op::Add, {kE, kE, kF});
    tile.emit(Op::Add, {kB, kTo, kUnit});
    tile.emit(Op::Sw, {kE, kB, 0});
    tile.emit(Op::Addi, {kUnit, kUnit, 1});
    tile.code.bind(end);
  });
  release(mask);
  return result;
}

Operand VectorCode::prefixSum(int64_t group, Operand x) {
  Operand result = temporary(x.frac);
  forGroups(group, x, result, [&] {
    tile.set(kE, 0);
    tile.set(kUnit, 0);
    Label end = tile.code.newLabel();
    tile.code.emitTo(Op::Loopi, {group}, end);
    tile.emit(Op::Add, {kB, kFrom, kUnit});
    tile.emit(Op::Lw, {kC, kB, 0});
    tile.emit(Op::Add, {kE, kE, kC});
    tile.emit(Op::Add, {kB, kTo, kUnit});
    tile.emit(Op::Sw, {kE, kB, 0});
    tile.emit(Op::Addi, {kUnit, kUnit, 1});
    tile.code.bind(end);
  });
  return result;
}

LogicalResult VectorCode::collective(neuro::ReduceOp op, Operand a,
                                     Operand &result) {
  if (units == 0)
    return op.emitError("unsupported: a rule that reduces over ")
           << neuro::stringifyReduceOver(op.getOver())
           << " on a crossbar machine, whose tiles each hold a part of the "
              "weight; compute it in the experiment and `assign` the weight";
  int64_t group = op.getGroup() ? int64_t(*op.getGroup()) : units;
  int frac = fracOf(op.getResult());
  Operand x = a;
  if (a.kind == Operand::Constant)
    x = materialized(a, std::min(frac, chooseFrac(neuro::Interval::point(
                                           a.value))));
  bool isSum = op.getKind() == GroupReduce::Sum;
  if (isSum) // every partial sum fits at the result's point
    x = aligned(x, std::min(frac, x.frac));
  switch (op.getKind()) {
  case GroupReduce::Sum:
    result = op.getPrefix() ? prefixSum(group, x)
                            : reduceBy(Op::Vsum, group, x);
    break;
  case GroupReduce::Max:
    result = reduceBy(Op::Vmaxr, group, x);
    break;
  case GroupReduce::Min:
    result = reduceBy(Op::Vminr, group, x);
    break;
  case GroupReduce::LogSumExp:
    result = logSumExp(group, x);
    break;
  case GroupReduce::KthLargest:
    if (int64_t(*op.getK()) > group)
      return op.emitError("unsupported: number ")
             << int64_t(*op.getK()) << " of a group of " << group
             << " is minus infinity, which the fixed-point numbers of a "
                "crossbar machine do not have";
    result = kthLargest(group, int64_t(*op.getK()), x);
    break;
  case GroupReduce::Rank:
    result = rank(group, x);
    break;
  }
  if (x.slot != a.slot)
    release(x);
  return success();
}

} // namespace neuroc::xbar
