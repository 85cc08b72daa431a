// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Regions with reductions run in pieces: piece p computes, for every member of
// a group, what the reductions of level p reduce (level: how many reductions
// must be known before), the last piece everything else. Values that a later
// piece needs again and that are dear are kept for each member.
#ifndef NEUROC_LIB_TARGET_SPINNAKER_COLLECTIVES_H
#define NEUROC_LIB_TARGET_SPINNAKER_COLLECTIVES_H

#include "neuroc/Neuro/Neuro.h"

#include "llvm/ADT/DenseSet.h"

namespace neuroc::spinn {

struct Pieces {
  explicit Pieces(mlir::Block &block);
  unsigned count() const { return ops.size(); }
  /// The reductions whose operand piece `piece` computes.
  std::vector<neuro::ReduceOp> reductionsOf(unsigned piece) const;

  mlir::Block &block;
  std::vector<neuro::ReduceOp> reductions; ///< in the order of the block
  llvm::DenseMap<mlir::Operation *, unsigned> level;
  /// The operations that each piece emits, those that it loads included.
  std::vector<llvm::DenseSet<mlir::Operation *>> ops;
  /// Operations whose value is kept for later pieces -> the piece computing it.
  llvm::DenseMap<mlir::Operation *, unsigned> kept;
};

} // namespace neuroc::spinn
#endif // NEUROC_LIB_TARGET_SPINNAKER_COLLECTIVES_H
