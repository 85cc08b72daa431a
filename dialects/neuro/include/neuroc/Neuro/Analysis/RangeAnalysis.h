// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What values every number of a network can take: states, ports, signals,
// weights, traces and each intermediate result of stages and handlers. Targets
// with fixed-point numbers choose their binary points from it.
#ifndef NEUROC_NEURO_ANALYSIS_RANGEANALYSIS_H
#define NEUROC_NEURO_ANALYSIS_RANGEANALYSIS_H

#include "neuroc/Neuro/Analysis/Interval.h"
#include "neuroc/Neuro/Neuro.h"

#include <map>
#include <string>

namespace neuroc::neuro {

/// An interval, and whether it is a theorem. Where it is not (a declared range
/// that the equations do not keep by themselves, a value that grows without
/// bound, a stimulus of unknown size), the target must saturate and count.
struct Bound {
  Interval interval;
  bool proved = true;
};

struct RangeOptions {
  /// Taken for what has neither a proof nor a declared range.
  double unknownMagnitude = 32768.0;
  /// Simulated time is taken to stay below this, ms.
  double longestRun = 1048576.0;
  /// Whether states and weights that the experiments on the network assign or
  /// clamp have room for that: for the values where they are known, else for
  /// the declared range or bounds, or this many times the initial weights. A
  /// stimulus without a range takes that of what they present, if it is known.
  bool hostWrites = false;
  double writtenRoom = 16.0;
  /// If not 0: a weight that learns without bounds, and for which nothing can
  /// be proved, stays below this many times its initial magnitude, or below 4.
  double learningRoom = 0.0;
};

/// Runs on a network in core normal form (one model per population, one rule
/// per plastic, no `neuro.diff`). Intervals of states are invariants: found by
/// iteration from the initial values, widened to powers of two while they
/// grow. Deterministic; keeps references into the IR.
class RangeAnalysis {
public:
  explicit RangeAnalysis(NetworkOp network, const RangeOptions &options = {});

  /// Symbols are those of the population and of its model's declarations.
  Bound state(PopulationOp population, llvm::StringRef name) const;
  Bound input(PopulationOp population, llvm::StringRef name) const;
  Bound output(PopulationOp population, llvm::StringRef name) const;
  Bound param(PopulationOp population, llvm::StringRef name) const;
  /// A tensor value of the network.
  Bound signal(mlir::Value signal) const;
  /// A scalar of a stage, handler, trace region or transmit expression.
  Bound value(mlir::Value scalar) const;
  /// The entries of a weight, as learning may leave them.
  Bound weight(WeightOp weight) const;
  /// Trace, synapse state or factor of a plastic's rule.
  Bound ruleName(PlasticOp plastic, llvm::StringRef name) const;

private:
  struct Node {
    std::map<std::string, Bound> names;     ///< states: at the end of a tick
    std::map<std::string, Interval> within; ///< states, after any stage
  };
  Bound lookup(const std::map<mlir::Operation *, Node> &nodes,
               mlir::Operation *op, llvm::StringRef name) const;

  void run();
  void initialise();
  void addHostWrites();
  Interval presented(StimulusOp stimulus);
  bool iterate(bool widen);
  bool visitPopulation(PopulationOp population, bool widen);
  bool visitPlastic(PlasticOp plastic, bool widen);
  bool visitRegion(mlir::Region &region, mlir::Operation *owner, Node &node,
                   std::map<std::string, Interval> &sets);
  bool update(Bound &bound, Interval next, std::optional<Interval> declared,
              bool widen);
  bool setSignal(mlir::Value value, Interval interval, bool proved);
  Bound projected(ProjectOp project);
  void visitSignalOp(mlir::Operation *op, bool &changed);
  void settleProofs();

  NetworkOp network;
  RangeOptions options;
  /// Keyed by operation, but only ever looked up, never iterated.
  std::map<mlir::Operation *, Node> nodes;
  llvm::DenseMap<mlir::Value, Bound> signals;
  llvm::DenseMap<mlir::Value, Bound> values;
  llvm::DenseMap<mlir::Operation *, Bound> weights;
  llvm::DenseMap<mlir::Operation *, Interval> rooms; ///< of learning weights
};

/// Interval of a constant, array or distribution (normal: six sigma).
Interval intervalOf(mlir::Attribute value);

/// Warns that a stimulus has no declared range and its values are not known.
void warnOfUnknownRange(StimulusOp stimulus, const Bound &bound,
                        double unknownMagnitude);
/// A `range` or `bounds` attribute, if there is one.
std::optional<Interval> declaredInterval(mlir::DenseF64ArrayAttr range);

} // namespace neuroc::neuro
#endif // NEUROC_NEURO_ANALYSIS_RANGEANALYSIS_H
