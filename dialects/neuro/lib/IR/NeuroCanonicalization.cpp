// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Canonical forms of nodes and protocol steps: delays are merged and moved into
// the projection behind them, steps of an experiment are merged, loops that run
// once or never are unrolled.
#include "neuroc/Neuro/Neuro.h"

#include "mlir/IR/PatternMatch.h"

using namespace mlir;
using namespace neuroc::neuro;

/// delay(delay(x, a), b) is delay(x, a + b).
LogicalResult DelayOp::canonicalize(DelayOp op, PatternRewriter &rewriter) {
  auto inner = op.getInput().getDefiningOp<DelayOp>();
  if (!inner || inner == op)
    return failure();
  rewriter.replaceOpWithNewOp<DelayOp>(
      op, inner.getInput(),
      rewriter.getI64IntegerAttr(inner.getTicks() + op.getTicks()));
  return success();
}

/// A delay before a projection is a longer delay of the projection. Not for
/// delays per synapse, which are rounded on their own.
LogicalResult ProjectOp::canonicalize(ProjectOp op, PatternRewriter &rewriter) {
  auto delay = op.getInput().getDefiningOp<DelayOp>();
  if (!delay || op.getDelays())
    return failure();
  rewriter.modifyOpInPlace(op, [&] {
    op.getInputMutable().assign(delay.getInput());
    op.setDelay(op.getDelay() + delay.getTicks());
  });
  return success();
}

/// Steps in a row are one step; a step of no ticks is nothing.
LogicalResult StepOp::canonicalize(StepOp op, PatternRewriter &rewriter) {
  if (op.getTicks() == 0) {
    rewriter.eraseOp(op);
    return success();
  }
  auto next = dyn_cast_or_null<StepOp>(op->getNextNode());
  if (!next)
    return failure();
  rewriter.modifyOpInPlace(
      op, [&] { op.setTicks(op.getTicks() + next.getTicks()); });
  rewriter.eraseOp(next);
  return success();
}

/// A loop that never runs, or that is empty, is nothing; one that runs once is
/// its body. One that counts is left alone, since steps may read the counter.
LogicalResult RepeatOp::canonicalize(RepeatOp op, PatternRewriter &rewriter) {
  if (op.getCounter())
    return failure();
  Block &body = op.getBody().front();
  if (op.getCount() == 0 || body.empty()) {
    rewriter.eraseOp(op);
    return success();
  }
  if (op.getCount() != 1)
    return failure();
  rewriter.inlineBlockBefore(&body, op);
  rewriter.eraseOp(op);
  return success();
}
