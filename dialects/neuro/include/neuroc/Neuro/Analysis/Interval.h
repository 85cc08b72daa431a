// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Closed intervals of real numbers and the interval meaning of the scalar
// operations that models and rules are written in.
#ifndef NEUROC_NEURO_ANALYSIS_INTERVAL_H
#define NEUROC_NEURO_ANALYSIS_INTERVAL_H

#include "mlir/IR/Operation.h"
#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/SmallVector.h"

#include <functional>
#include <limits>
#include <optional>

namespace neuroc::neuro {

/// A closed interval [lo, hi]; either end may be infinite. Booleans are the
/// numbers 0 and 1. An empty interval (lo > hi) stands for unreachable code.
struct Interval {
  double lo = -std::numeric_limits<double>::infinity();
  double hi = std::numeric_limits<double>::infinity();

  static Interval all() { return {}; }
  static Interval point(double x) { return {x, x}; }
  static Interval boolean() { return {0.0, 1.0}; }
  static Interval symmetric(double m) { return {-m, m}; }

  bool isEmpty() const { return !(lo <= hi); }
  bool isPoint() const { return lo == hi; }
  bool isFinite() const;
  bool contains(double x) const { return lo <= x && x <= hi; }
  bool contains(Interval other) const {
    return other.isEmpty() || (lo <= other.lo && other.hi <= hi);
  }
  /// Largest absolute value; 0 if empty.
  double magnitude() const;
  /// Smallest interval that holds both.
  Interval join(Interval other) const;
  Interval meet(Interval other) const;
  bool operator==(const Interval &other) const = default;
};

Interval operator+(Interval a, Interval b);
Interval operator-(Interval a, Interval b);
Interval operator-(Interval a);
Interval operator*(Interval a, Interval b);
/// Everything if `b` holds zero in its interior or is zero.
Interval operator/(Interval a, Interval b);

/// A sum of multiples of leaves plus a rest. Keeping it beside the plain
/// interval is what proves that `v + k*(rest - v)` contracts.
struct AffineForm {
  llvm::SmallVector<std::pair<mlir::Value, double>, 4> terms; ///< by use order
  Interval rest = Interval::all();
};

/// Interval meaning of one operation of `arith` or `math` on scalars, given
/// the intervals of its operands. Everything for an operation that it does not
/// know (booleans: [0, 1]).
Interval evaluateOp(mlir::Operation *op, llvm::ArrayRef<Interval> operands);

/// Evaluates expressions of a region over intervals of its leaves. Selects
/// refine what their condition compares (`select(r > 0, r - 1, r)`), and sums
/// are also evaluated as affine forms, so that cancellations count.
class IntervalEvaluator {
public:
  using Leaf = std::function<std::optional<Interval>(mlir::Operation *)>;
  /// \param leaf gives the interval of an operation's result where the caller
  /// knows it (reads of states, inputs, parameters), else nothing.
  explicit IntervalEvaluator(Leaf leaf) : leaf(std::move(leaf)) {}

  Interval evaluate(mlir::Value value);
  /// States the interval of a value, such as a block argument.
  void assume(mlir::Value value, Interval interval) {
    top.assumed.emplace_back(value, interval);
  }

private:
  struct Result {
    Interval interval;
    AffineForm affine;
  };
  /// What is assumed of some values, and the results under the assumption.
  struct Context {
    llvm::SmallVector<std::pair<mlir::Value, Interval>, 4> assumed;
    llvm::DenseMap<mlir::Value, Result> cache;
    unsigned depth = 0;
  };
  Result visit(mlir::Value value, Context &context);
  Result visitUncached(mlir::Value value, Context &context);
  Result visitSelect(mlir::Operation *op, Context &context);
  /// Adds to `refined` what `condition == truth` says about the values that it
  /// compares, judged in `context`.
  void refine(mlir::Value condition, bool truth, Context &context,
              Context &refined);
  Interval collapse(const AffineForm &form, Context &context);

  Leaf leaf;
  Context top;
};

} // namespace neuroc::neuro
#endif // NEUROC_NEURO_ANALYSIS_INTERVAL_H
