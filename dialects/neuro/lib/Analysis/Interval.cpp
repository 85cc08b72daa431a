// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Interval arithmetic over the scalar operations of models and rules. Each
// value is evaluated twice, as an interval and as an affine form of the leaves
// (reads of states, inputs and parameters), and the two are intersected.
// Results are widened by a relative 1e-12 where rounding could matter; the
// clients use them for binary points, which are far coarser.
#include "neuroc/Neuro/Analysis/Interval.h"
#include "neuroc/Neuro/Neuro.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/Matchers.h"
#include "llvm/ADT/TypeSwitch.h"

#include <algorithm>
#include <cmath>

using namespace mlir;

namespace neuroc::neuro {

static constexpr double kInf = std::numeric_limits<double>::infinity();

bool Interval::isFinite() const {
  return std::isfinite(lo) && std::isfinite(hi);
}

double Interval::magnitude() const {
  return isEmpty() ? 0.0 : std::max(std::fabs(lo), std::fabs(hi));
}

Interval Interval::join(Interval other) const {
  if (isEmpty())
    return other;
  if (other.isEmpty())
    return *this;
  return {std::min(lo, other.lo), std::max(hi, other.hi)};
}

Interval Interval::meet(Interval other) const {
  return {std::max(lo, other.lo), std::min(hi, other.hi)};
}

/// A NaN end (inf - inf, 0 * inf) means that nothing is known of that end.
static Interval checked(double lo, double hi) {
  return {std::isnan(lo) ? -kInf : lo, std::isnan(hi) ? kInf : hi};
}

Interval operator+(Interval a, Interval b) {
  return checked(a.lo + b.lo, a.hi + b.hi);
}
Interval operator-(Interval a, Interval b) {
  return checked(a.lo - b.hi, a.hi - b.lo);
}
Interval operator-(Interval a) { return {-a.hi, -a.lo}; }

/// Product of two ends, where 0 * inf is 0: the end belongs to an interval of
/// finite numbers that grow without bound.
static double product(double x, double y) {
  return x == 0.0 || y == 0.0 ? 0.0 : x * y;
}

Interval operator*(Interval a, Interval b) {
  double p[] = {product(a.lo, b.lo), product(a.lo, b.hi), product(a.hi, b.lo),
                product(a.hi, b.hi)};
  return {*std::min_element(p, p + 4), *std::max_element(p, p + 4)};
}

Interval operator/(Interval a, Interval b) {
  if (b.lo < 0.0 && b.hi > 0.0)
    return Interval::all();
  if (b.lo == 0.0 && b.hi == 0.0)
    return Interval::all();
  double hi = b.hi == 0.0 ? -kInf : 1.0 / b.hi;
  double lo = b.lo == 0.0 ? kInf : 1.0 / b.lo;
  return a * Interval{std::min(lo, hi), std::max(lo, hi)};
}

/// The image of a function that grows with its argument.
static Interval monotone(Interval a, double (*f)(double)) {
  return checked(f(a.lo), f(a.hi));
}

static Interval squareRoot(Interval a) {
  a = a.meet({0.0, kInf});
  return a.isEmpty() ? Interval::all() : monotone(a, std::sqrt);
}

static Interval power(Interval base, Interval exponent) {
  if (exponent.isPoint() && exponent.lo == std::floor(exponent.lo) &&
      exponent.lo >= 0.0 && exponent.lo <= 64.0) {
    double n = exponent.lo;
    double a = std::pow(base.lo, n), b = std::pow(base.hi, n);
    Interval result{std::min(a, b), std::max(a, b)};
    if (std::fmod(n, 2.0) == 0.0 && base.contains(0.0))
      result.lo = n == 0.0 ? 1.0 : 0.0;
    return checked(result.lo, result.hi);
  }
  if (base.lo > 0.0 || (base.lo >= 0.0 && exponent.lo >= 0.0)) {
    double p[] = {
        std::pow(base.lo, exponent.lo), std::pow(base.lo, exponent.hi),
        std::pow(base.hi, exponent.lo), std::pow(base.hi, exponent.hi)};
    Interval result{*std::min_element(p, p + 4), *std::max_element(p, p + 4)};
    // x^y has its only interior extremum at x = 1, where it is 1.
    if (base.contains(1.0))
      result = result.join(Interval::point(1.0));
    return checked(result.lo, result.hi);
  }
  return Interval::all();
}

static Interval compare(arith::CmpFPredicate predicate, Interval a,
                        Interval b) {
  using P = arith::CmpFPredicate;
  auto verdict = [](bool always, bool never) {
    return Interval{always ? 1.0 : 0.0, never ? 0.0 : 1.0};
  };
  switch (predicate) {
  case P::OLT:
  case P::ULT:
    return verdict(a.hi < b.lo, a.lo >= b.hi);
  case P::OLE:
  case P::ULE:
    return verdict(a.hi <= b.lo, a.lo > b.hi);
  case P::OGT:
  case P::UGT:
    return verdict(a.lo > b.hi, a.hi <= b.lo);
  case P::OGE:
  case P::UGE:
    return verdict(a.lo >= b.hi, a.hi < b.lo);
  case P::OEQ:
  case P::UEQ:
    return verdict(a.isPoint() && a == b, a.meet(b).isEmpty());
  case P::ONE:
  case P::UNE:
    return verdict(a.meet(b).isEmpty(), a.isPoint() && a == b);
  default:
    return Interval::boolean();
  }
}

static bool isBoolean(Value value) { return value.getType().isInteger(1); }

Interval evaluateOp(Operation *op, ArrayRef<Interval> in) {
  for (Interval operand : in)
    if (operand.isEmpty())
      return operand;
  Interval unknown = op->getNumResults() == 1 && isBoolean(op->getResult(0))
                         ? Interval::boolean()
                         : Interval::all();
  return llvm::TypeSwitch<Operation *, Interval>(op)
      .Case([&](arith::ConstantOp c) {
        if (auto f = dyn_cast<FloatAttr>(c.getValue()))
          return Interval::point(f.getValueAsDouble());
        if (auto i = dyn_cast<IntegerAttr>(c.getValue()))
          return Interval::point(c.getType().isInteger(1)
                                     ? double(!i.getValue().isZero())
                                     : double(i.getValue().getSExtValue()));
        return unknown;
      })
      .Case([&](arith::AddFOp) { return in[0] + in[1]; })
      .Case([&](arith::SubFOp) { return in[0] - in[1]; })
      .Case([&](arith::MulFOp mul) {
        Interval result = in[0] * in[1];
        if (mul.getLhs() == mul.getRhs())
          result.lo = std::max(result.lo, 0.0);
        return result;
      })
      .Case([&](arith::DivFOp) { return in[0] / in[1]; })
      .Case([&](arith::NegFOp) { return -in[0]; })
      .Case<arith::MaximumFOp, arith::MaxNumFOp>([&](auto) {
        return Interval{std::max(in[0].lo, in[1].lo),
                        std::max(in[0].hi, in[1].hi)};
      })
      .Case<arith::MinimumFOp, arith::MinNumFOp>([&](auto) {
        return Interval{std::min(in[0].lo, in[1].lo),
                        std::min(in[0].hi, in[1].hi)};
      })
      .Case([&](arith::RemFOp) {
        double m = in[1].magnitude();
        Interval result{in[0].lo < 0.0 ? -m : 0.0, in[0].hi > 0.0 ? m : 0.0};
        return result.meet(in[0].join(Interval::point(0.0)));
      })
      .Case([&](arith::CmpFOp cmp) {
        return compare(cmp.getPredicate(), in[0], in[1]);
      })
      .Case([&](arith::SelectOp) {
        if (in[0].lo >= 1.0)
          return in[1];
        if (in[0].hi <= 0.0)
          return in[2];
        return in[1].join(in[2]);
      })
      .Case([&](arith::AndIOp) {
        return isBoolean(op->getResult(0))
                   ? Interval{std::min(in[0].lo, in[1].lo),
                              std::min(in[0].hi, in[1].hi)}
                   : unknown;
      })
      .Case([&](arith::OrIOp) {
        return isBoolean(op->getResult(0))
                   ? Interval{std::max(in[0].lo, in[1].lo),
                              std::max(in[0].hi, in[1].hi)}
                   : unknown;
      })
      .Case([&](arith::XOrIOp) {
        if (isBoolean(op->getResult(0)) && in[0].isPoint() && in[1].isPoint())
          return Interval::point(in[0].lo != in[1].lo ? 1.0 : 0.0);
        return unknown;
      })
      .Case<arith::UIToFPOp, arith::ExtFOp, arith::TruncFOp>(
          [&](auto) { return in[0]; })
      .Case([&](arith::SIToFPOp) {
        return isBoolean(op->getOperand(0)) ? -in[0] : in[0];
      })
      .Case([&](math::ExpOp) { return monotone(in[0], std::exp); })
      .Case([&](math::ExpM1Op) { return monotone(in[0], std::expm1); })
      .Case([&](math::LogOp) {
        Interval a = in[0].meet({0.0, kInf});
        return a.isEmpty() ? unknown : monotone(a, std::log);
      })
      .Case([&](math::Log1pOp) {
        Interval a = in[0].meet({-1.0, kInf});
        return a.isEmpty() ? unknown : monotone(a, std::log1p);
      })
      .Case([&](math::SqrtOp) { return squareRoot(in[0]); })
      .Case([&](math::TanhOp) { return monotone(in[0], std::tanh); })
      .Case<math::SinOp, math::CosOp>([&](auto) { return Interval{-1.0, 1.0}; })
      .Case([&](math::AbsFOp) {
        if (in[0].contains(0.0))
          return Interval{0.0, in[0].magnitude()};
        return in[0].lo > 0.0 ? in[0] : -in[0];
      })
      .Case([&](math::FloorOp) { return monotone(in[0], std::floor); })
      .Case([&](math::CeilOp) { return monotone(in[0], std::ceil); })
      .Case<math::RoundOp, math::RoundEvenOp>(
          [&](auto) { return monotone(in[0], std::nearbyint); })
      .Case([&](math::ErfOp) { return monotone(in[0], std::erf); })
      .Case([&](math::PowFOp) { return power(in[0], in[1]); })
      .Default([&](Operation *) { return unknown; });
}

//===----------------------------------------------------------------------===//
// Expressions
//===----------------------------------------------------------------------===//

/// Nested selects re-evaluate their arms under what their conditions say; past
/// this depth the arms are taken as they are.
static constexpr unsigned kMaxRefinement = 2;

static AffineForm constantForm(Interval value) {
  AffineForm form;
  form.rest = value;
  return form;
}

/// a + factor * b.
static AffineForm addScaled(const AffineForm &a, double factor,
                            const AffineForm &b) {
  AffineForm sum = a;
  for (auto [leaf, coefficient] : b.terms) {
    auto *found = llvm::find_if(sum.terms,
                                [&](auto &term) { return term.first == leaf; });
    if (found != sum.terms.end())
      found->second += factor * coefficient;
    else
      sum.terms.emplace_back(leaf, factor * coefficient);
  }
  llvm::erase_if(sum.terms, [](auto &term) { return term.second == 0.0; });
  sum.rest = a.rest + Interval::point(factor) * b.rest;
  return sum;
}

Interval IntervalEvaluator::collapse(const AffineForm &form, Context &context) {
  Interval sum = form.rest;
  for (auto [value, coefficient] : form.terms)
    sum = sum + Interval::point(coefficient) * visit(value, context).interval;
  return sum;
}

Interval IntervalEvaluator::evaluate(Value value) {
  return visit(value, top).interval;
}

IntervalEvaluator::Result IntervalEvaluator::visit(Value value,
                                                   Context &context) {
  auto found = context.cache.find(value);
  if (found != context.cache.end())
    return found->second;
  Result result = visitUncached(value, context);
  for (auto [assumed, interval] : context.assumed)
    if (assumed == value)
      result.interval = result.interval.meet(interval);
  context.cache[value] = result;
  return result;
}

void IntervalEvaluator::refine(Value condition, bool truth, Context &context,
                               Context &refined) {
  Operation *op = condition.getDefiningOp();
  if (!op)
    return;
  if ((truth && isa<arith::AndIOp>(op)) || (!truth && isa<arith::OrIOp>(op))) {
    refine(op->getOperand(0), truth, context, refined);
    refine(op->getOperand(1), truth, context, refined);
    return;
  }
  if (auto negation = dyn_cast<arith::XOrIOp>(op)) {
    APInt constant;
    if (matchPattern(negation.getRhs(), m_ConstantInt(&constant)) &&
        !constant.isZero())
      refine(negation.getLhs(), !truth, context, refined);
    return;
  }
  auto cmp = dyn_cast<arith::CmpFOp>(op);
  if (!cmp)
    return;
  using P = arith::CmpFPredicate;
  Value lhs = cmp.getLhs(), rhs = cmp.getRhs();
  Interval a = visit(lhs, context).interval;
  Interval b = visit(rhs, context).interval;
  auto below = [&](Value x, Interval ix, Value y, Interval iy) {
    refined.assumed.emplace_back(x, Interval{-kInf, iy.hi});
    refined.assumed.emplace_back(y, Interval{ix.lo, kInf});
  };
  switch (cmp.getPredicate()) {
  case P::OLT:
  case P::ULT:
  case P::OLE:
  case P::ULE:
    truth ? below(lhs, a, rhs, b) : below(rhs, b, lhs, a);
    return;
  case P::OGT:
  case P::UGT:
  case P::OGE:
  case P::UGE:
    truth ? below(rhs, b, lhs, a) : below(lhs, a, rhs, b);
    return;
  case P::OEQ:
  case P::UEQ:
    if (truth) {
      refined.assumed.emplace_back(lhs, b);
      refined.assumed.emplace_back(rhs, a);
    }
    return;
  default:
    return;
  }
}

IntervalEvaluator::Result IntervalEvaluator::visitSelect(Operation *op,
                                                         Context &context) {
  auto select = cast<arith::SelectOp>(op);
  Interval condition = visit(select.getCondition(), context).interval;
  Interval arms{1.0, 0.0}; // empty
  for (bool truth : {true, false}) {
    if (!condition.contains(truth ? 1.0 : 0.0))
      continue;
    Context refined;
    refined.assumed = context.assumed;
    refined.depth = context.depth + 1;
    refine(select.getCondition(), truth, context, refined);
    bool contradiction = false;
    // Only what this condition says: an older assumption may be about a value
    // that is being computed right now, from this very select.
    for (auto [value, interval] :
         ArrayRef(refined.assumed).drop_front(context.assumed.size()))
      contradiction |= visit(value, context).interval.meet(interval).isEmpty();
    Value arm = truth ? select.getTrueValue() : select.getFalseValue();
    if (!contradiction)
      arms = arms.join(visit(arm, refined).interval);
  }
  Result result;
  result.interval = !arms.isEmpty()                 ? arms
                    : isBoolean(select.getResult()) ? Interval::boolean()
                                                    : Interval::all();
  result.affine = constantForm(result.interval);
  return result;
}

/// What is known of a member of a group against the group: x - max x <= 0, and
/// x / sum x of values that are not negative is a share of one.
static Interval boundedByGroup(Operation *op, ArrayRef<Interval> operands) {
  if (!isa<arith::SubFOp, arith::DivFOp>(op))
    return Interval::all();
  auto reduce = op->getOperand(1).getDefiningOp<ReduceOp>();
  if (!reduce || reduce.getPrefix() || reduce.getValue() != op->getOperand(0))
    return Interval::all();
  GroupReduce kind = reduce.getKind();
  if (isa<arith::DivFOp>(op))
    return kind == GroupReduce::Sum && operands[0].lo >= 0.0
               ? Interval::boolean()
               : Interval::all();
  if (kind == GroupReduce::Max || kind == GroupReduce::LogSumExp)
    return {-kInf, 0.0};
  return kind == GroupReduce::Min ? Interval{0.0, kInf} : Interval::all();
}

IntervalEvaluator::Result IntervalEvaluator::visitUncached(Value value,
                                                           Context &context) {
  Result result;
  Operation *op = value.getDefiningOp();
  std::optional<Interval> known;
  if (op)
    known = leaf(op);
  else
    known = isBoolean(value) ? Interval::boolean() : Interval::all();
  if (known) {
    result.interval = *known;
    result.affine.rest = Interval::point(0.0);
    result.affine.terms.emplace_back(value, 1.0);
    return result;
  }
  if (isa<arith::SelectOp>(op) && context.depth < kMaxRefinement)
    return visitSelect(op, context);
  SmallVector<Result> in;
  SmallVector<Interval> intervals;
  for (Value operand : op->getOperands()) {
    in.push_back(visit(operand, context));
    intervals.push_back(in.back().interval);
  }
  result.interval = evaluateOp(op, intervals);
  Interval within = boundedByGroup(op, intervals);
  bool linear = true;
  if (isa<arith::AddFOp>(op))
    result.affine = addScaled(in[0].affine, 1.0, in[1].affine);
  else if (isa<arith::SubFOp>(op))
    result.affine = addScaled(in[0].affine, -1.0, in[1].affine);
  else if (isa<arith::NegFOp>(op))
    result.affine =
        addScaled(constantForm(Interval::point(0.0)), -1.0, in[0].affine);
  else if (isa<arith::MulFOp>(op) && intervals[0].isPoint())
    result.affine = addScaled(constantForm(Interval::point(0.0)),
                              intervals[0].lo, in[1].affine);
  else if (isa<arith::MulFOp>(op) && intervals[1].isPoint())
    result.affine = addScaled(constantForm(Interval::point(0.0)),
                              intervals[1].lo, in[0].affine);
  else if (isa<arith::DivFOp>(op) && intervals[1].isPoint() &&
           intervals[1].lo != 0.0)
    result.affine = addScaled(constantForm(Interval::point(0.0)),
                              1.0 / intervals[1].lo, in[0].affine);
  else
    linear = false;
  if (Interval both = result.interval.meet(within); !both.isEmpty())
    result.interval = both;
  if (!linear) {
    result.affine = constantForm(result.interval);
    return result;
  }
  Interval affine = collapse(result.affine, context);
  // Guard against the rounding of the two different orders of evaluation.
  double slack =
      1e-12 * std::max(affine.magnitude(), result.interval.magnitude());
  if (std::isfinite(slack))
    affine = {affine.lo - slack, affine.hi + slack};
  Interval both = result.interval.meet(affine);
  if (!both.isEmpty())
    result.interval = both;
  return result;
}

} // namespace neuroc::neuro
