// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The order in which the parts of a network run within one tick.
//
// Items are the stages of populations, sources, projections, delays and tensor
// operations. An item runs after everything whose value of the same tick it
// reads; ties are broken by IR order, so that the order is deterministic.
//
// Levels count the hops between populations inside one tick. A source is at
// level 0; a stage that reads a same-tick signal is at least one level above
// the stage (or source) that gives it; a projection without delay and a tensor
// operation have the level of what they read. A network whose signals are all
// delayed has one level. A machine that exchanges signals by messages runs one
// exchange between two levels.
#ifndef NEUROC_NEURO_ANALYSIS_TICKSCHEDULE_H
#define NEUROC_NEURO_ANALYSIS_TICKSCHEDULE_H

#include "neuroc/Neuro/Neuro.h"

#include "llvm/ADT/DenseMap.h"

namespace neuroc::neuro {

class TickSchedule {
public:
  struct Item {
    mlir::Operation *op; ///< population, source, projection, tensor op, …
    StageOp stage;       ///< set for populations
    unsigned level;
  };

  /// Computes the schedule. On a combinational loop: an error on one of its
  /// items with a note for each other one (rule network_r2), and failure.
  static mlir::FailureOr<TickSchedule> compute(NetworkOp network);

  llvm::ArrayRef<Item> getItems() const { return items; }
  unsigned getNumLevels() const { return numLevels; }
  /// The level at which this tick's value of `signal` is there.
  unsigned getLevel(mlir::Value signal) const;
  unsigned getLevel(PopulationOp population, StageOp stage) const;

private:
  std::vector<Item> items;
  unsigned numLevels = 1;
  llvm::DenseMap<mlir::Value, unsigned> signalLevels;
};

/// True if `stage` reads input port `port`.
bool readsPort(StageOp stage, llvm::StringRef port);
/// The stage that emits `output`, or null.
StageOp getEmittingStage(ModelOp model, llvm::StringRef output);
/// The stage that gives result number `index` of a population.
StageOp getEmittingStage(PopulationOp population, unsigned index);

} // namespace neuroc::neuro

#endif // NEUROC_NEURO_ANALYSIS_TICKSCHEDULE_H
