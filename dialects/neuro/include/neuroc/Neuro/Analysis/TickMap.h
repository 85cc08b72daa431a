// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// One tick of a network as a map of its real states, and the derivative of that
// map at the initial values: exact where the tick is linear. It is not formed
// as a matrix: forward-mode tangents run through the stages and projections of
// the tick, so a product costs about two ticks.
//
// What counts as constant: states of populations that emit spikes, draw random
// numbers, are updated every few ticks, belong to the environment or use what
// has no derivative here; states that an experiment clamps; everything that
// arrives late; tensor operations. Weights have their initial values.
#ifndef NEUROC_NEURO_ANALYSIS_TICKMAP_H
#define NEUROC_NEURO_ANALYSIS_TICKMAP_H

#include "neuroc/Neuro/Analysis/Connectivity.h"
#include "neuroc/Neuro/Analysis/TickSchedule.h"

#include "llvm/ADT/MapVector.h"

namespace neuroc::neuro {

/// A value and its tangent for each unit.
struct Tangents {
  std::vector<double> value, tangent;
  explicit Tangents(size_t count = 0, double fill = 0)
      : value(count, fill), tangent(count, 0.0) {}
  size_t size() const { return value.size(); }
};

class TickMap {
public:
  /// Needs core normal form. `maxSynapses` bounds the work: a weight beyond it
  /// counts as late.
  TickMap(NetworkOp network, const TickSchedule &schedule,
          size_t maxSynapses = 1 << 22);

  struct State {
    PopulationOp population;
    llvm::StringRef name;
    size_t first; ///< position of unit 0 among all coordinates
    size_t count;
  };
  llvm::ArrayRef<State> getStates() const { return states; }
  size_t dimension() const { return numCoordinates; }
  /// The derivative times `direction`.
  std::vector<double> apply(llvm::ArrayRef<double> direction);
  /// About how many nanoseconds of work that is.
  size_t cost() const;

private:
  using Environment = llvm::DenseMap<mlir::Value, Tangents>;
  bool isSmooth(PopulationOp population) const;
  void runStage(PopulationOp population, StageOp stage);
  void runProjection(ProjectOp project);
  Tangents readPort(PopulationOp population, llvm::StringRef port);
  Tangents &signal(mlir::Value value);
  static bool evaluate(mlir::Operation &op, Environment &values, size_t count);

  const TickSchedule &schedule;
  std::vector<State> states;
  size_t numCoordinates = 0;
  /// Smooth populations and their models; projections and their weights
  /// (looking a symbol up takes time that grows with the network).
  llvm::DenseMap<mlir::Operation *, ModelOp> smooth;
  llvm::DenseMap<mlir::Operation *, WeightOp> weightOf;
  llvm::DenseMap<mlir::Operation *, ExpandedWeight> weights;
  /// (population, state or parameter) -> present values.
  llvm::DenseMap<std::pair<mlir::Operation *, llvm::StringRef>, Tangents> names;
  llvm::DenseMap<std::pair<mlir::Operation *, llvm::StringRef>,
                 std::vector<double>>
      initial;
  llvm::DenseMap<mlir::Value, Tangents> signals;
};

/// The eigenvalue of largest magnitude of (derivative - identity), by power
/// iteration; for descent on an energy that is -rate * lambda_max. `vector` is
/// its direction, `residual` what is missing from an eigenvector: large if
/// `maxWork` (12 to 300 rounds) did not suffice.
struct DominantChange {
  double eigenvalue = 0, residual = 0;
  std::vector<double> vector;
};
DominantChange findDominantChange(TickMap &map, size_t maxWork = 200'000'000);

} // namespace neuroc::neuro

#endif // NEUROC_NEURO_ANALYSIS_TICKMAP_H
