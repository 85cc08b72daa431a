// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Brings stages, trace regions and handlers into the form that targets read: a
// pure function with all reads first and all writes last. One walk forwards
// assigned values to later reads (straight-line code needs no more); folding
// and common-subexpression elimination follow.
#include "neuroc/Neuro/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/Dominance.h"
#include "mlir/Transforms/CSE.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"
#include "llvm/ADT/MapVector.h"

namespace neuroc::neuro {
#define GEN_PASS_DEF_NORMALIZEREGIONS
#include "neuroc/Neuro/NeuroPasses.h.inc"
} // namespace neuroc::neuro

using namespace mlir;
using namespace neuroc::neuro;

/// Forwards sets to gets; moves gets to the top, sets and emits to the end.
/// Blocks that still hold equations keep their order around them.
static void normalize(Block &block) {
  bool hasEquations =
      llvm::any_of(block, [](Operation &op) { return isa<DiffOp>(op); });
  if (hasEquations)
    return;
  llvm::MapVector<StringAttr, Value> current; // name -> present value
  llvm::DenseMap<StringAttr, Value> initial;  // name -> value at entry
  llvm::MapVector<StringAttr, SetOp> lastSets;
  SmallVector<EmitOp> emits;
  SmallVector<GetOp> gets;
  for (Operation &op : llvm::make_early_inc_range(block)) {
    if (auto get = dyn_cast<GetOp>(op)) {
      StringAttr name = get.getNameAttr().getAttr();
      Value &value = current[name];
      if (value) {
        get.replaceAllUsesWith(value);
        get.erase();
      } else {
        value = get.getResult();
        initial[name] = value;
        gets.push_back(get);
      }
    } else if (auto set = dyn_cast<SetOp>(op)) {
      StringAttr name = set.getNameAttr().getAttr();
      current[name] = set.getValue();
      SetOp &last = lastSets[name];
      if (last)
        last.erase();
      last = set;
    } else if (auto emit = dyn_cast<EmitOp>(op)) {
      emits.push_back(emit);
    }
  }
  for (GetOp get : llvm::reverse(gets))
    get->moveBefore(&block, block.begin());
  for (EmitOp emit : emits)
    emit->moveBefore(&block, block.end());
  for (auto &[name, set] : lastSets) {
    if (set.getValue() == initial.lookup(name))
      set.erase(); // writes back what was read
    else
      set->moveBefore(&block, block.end());
  }
}

namespace {
struct NormalizeRegionsPass
    : neuroc::neuro::impl::NormalizeRegionsBase<NormalizeRegionsPass> {
  using NormalizeRegionsBase::NormalizeRegionsBase;

  void runOnOperation() override {
    SmallVector<Operation *> owners;
    getOperation().walk([&](Operation *op) {
      if (isa<StageOp, TraceOp, HandlerOp>(op))
        owners.push_back(op);
    });
    IRRewriter rewriter(&getContext());
    FrozenRewritePatternSet folds{RewritePatternSet(&getContext())};
    for (Operation *owner : owners) {
      for (Region &region : owner->getRegions())
        for (Block &block : region)
          normalize(block);
      // The patterns are empty: the driver folds, and removes dead code.
      for (Region &region : owner->getRegions())
        (void)applyPatternsGreedily(
            region, folds,
            GreedyRewriteConfig().setScope(&region).enableConstantCSE());
      DominanceInfo dominance(owner);
      eliminateCommonSubExpressions(rewriter, dominance, owner);
      for (Region &region : owner->getRegions())
        for (Block &block : region)
          normalize(block); // folding may have made a write redundant
    }
  }
};
} // namespace
