// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Reductions. A block is cut into pieces at its reductions; between two pieces
// the operands lie in a buffer and are folded group by group, in canonical
// order. The k-th largest is found bit by bit: numbers are mapped to integers
// of the same order, and the largest integer that k members reach is built from
// its highest bit on, so that the cost is linear in the number of members.

#include "Pieces.h"

#include "mlir/Dialect/Math/IR/Math.h"

#include <cmath>

using namespace mlir;

namespace neuroc::cpu {

//===----------------------------------------------------------------------===//
// Pieces
//===----------------------------------------------------------------------===//

bool Pieces::isLeaf(Operation &op) {
  return isa<neuro::GetOp, neuro::RandomOp, neuro::TimeOp, neuro::DtOp,
             neuro::IndexOp>(op) ||
         op.hasTrait<OpTrait::ConstantLike>();
}

Pieces::Pieces(Block &block) {
  // The first piece in which each value can be known.
  llvm::DenseMap<Value, unsigned> known;
  for (Operation &op : block) {
    unsigned piece = 0;
    for (Value operand : op.getOperands())
      piece = std::max(piece, known.lookup(operand));
    pieceOf[&op] = piece;
    bool isReduction = isa<neuro::ReduceOp>(op);
    for (Value result : op.getResults())
      known[result] = piece + isReduction;
    numPieces = std::max(numPieces, piece + 1 + isReduction);
  }
  for (Operation &op : llvm::reverse(block)) {
    if (isLeaf(op) || isa<neuro::ReduceOp>(op))
      continue;
    unsigned piece = numPieces - 1;
    for (Operation *user : op.getUsers())
      piece = std::min(piece, pieceOf.lookup(user));
    pieceOf[&op] = piece;
  }
  for (Operation &op : block) {
    if (isLeaf(op) || isa<neuro::ReduceOp>(op))
      continue;
    for (Value result : op.getResults())
      for (Operation *user : result.getUsers())
        if (pieceOf.lookup(user) > pieceOf.lookup(&op))
          kept.insert(result);
  }
}

bool Pieces::uses(Operation &op, unsigned number) const {
  return llvm::any_of(op.getUsers(), [&](Operation *user) {
    return pieceOf.lookup(user) == number;
  });
}

LogicalResult PieceEmitter::emit(Block &block, unsigned piece, Value entry) {
  OpBuilder &b = k.builder;
  ScalarCloner cloner(k);
  bool whole = pieces.isWhole();
  for (Operation &op : block) {
    if (auto reduce = dyn_cast<neuro::ReduceOp>(op)) {
      auto [values, results] = buffers.reductions.lookup(&op);
      if (pieces.uses(op, piece))
        cloner.map(reduce.getResult(), k.load(results, resultPlace(reduce)));
      if (pieces.reducesIn(op, piece))
        k.store(cloner.lookup(reduce.getValue()), values, entry);
      continue;
    }
    bool isLeaf = Pieces::isLeaf(op);
    if (!whole && isLeaf && !pieces.uses(op, piece))
      continue;
    if (!whole && !isLeaf && !pieces.computes(op, piece)) {
      // An earlier piece has kept what this one reads.
      for (Value result : op.getResults())
        if (buffers.kept.contains(result) && pieces.uses(op, piece)) {
          Value value = k.load(buffers.kept.lookup(result), entry);
          if (result.getType().isInteger(1))
            value = arith::TruncIOp::create(b, k.loc, b.getI1Type(), value);
          cloner.map(result, value);
        }
      continue;
    }
    if (auto get = dyn_cast<neuro::GetOp>(op)) {
      Value value = read(get);
      assert(value && "the verifier knows what code may read");
      cloner.map(get.getValue(), value);
    } else if (isa<neuro::SetOp, neuro::EmitOp>(op)) {
      write(&op, cloner.lookup(op.getOperand(0)));
    } else if (auto random = dyn_cast<neuro::RandomOp>(op)) {
      Value exact = draw(random);
      cloner.mapExact(random.getValue(), exact);
      cloner.map(random.getValue(),
                 k.real.isF64()
                     ? exact
                     : arith::TruncFOp::create(b, k.loc, k.real, exact));
    } else if (auto time = dyn_cast<neuro::TimeOp>(op)) {
      cloner.map(time.getValue(), k.time(tickLength));
    } else if (auto step = dyn_cast<neuro::DtOp>(op)) {
      cloner.map(step.getValue(), k.number(dt));
    } else if (auto index = dyn_cast<neuro::IndexOp>(op)) {
      Value integer =
          arith::IndexCastUIOp::create(b, k.loc, b.getI32Type(), number);
      cloner.map(index.getValue(),
                 arith::UIToFPOp::create(b, k.loc, k.real, integer));
    } else if (isa<neuro::DiffOp>(op)) {
      return op.emitOpError("is not in core normal form; run "
                            "neuro-solve-dynamics first");
    } else {
      cloner.clone(&op);
      for (Value result : op.getResults()) {
        if (!buffers.kept.contains(result))
          continue;
        Value value = cloner.lookup(result);
        if (result.getType().isInteger(1))
          value = arith::ExtUIOp::create(b, k.loc, b.getI8Type(), value);
        k.store(value, buffers.kept.lookup(result), entry);
      }
    }
  }
  return success();
}

//===----------------------------------------------------------------------===//
// Reductions
//===----------------------------------------------------------------------===//

/// Sums of f32 may be taken in any order; those of f64 keep theirs.
static arith::FastMathFlags sumFlags(Kernel &k) {
  return k.real.isF64() ? arith::FastMathFlags::none
                        : arith::FastMathFlags::reassoc;
}

void ReductionEmitter::fill(const Buffer &buffer, Value value) {
  k.loop(buffer.size(), [&](Value i) { k.store(value, buffer, i); });
}

void ReductionEmitter::fold(double init, function_ref<Value(Value, Value)> join,
                            const Buffer &into) {
  fill(into, k.number(init));
  forMembers([&](const Member &member) {
    Value old = k.load(into, member.group);
    k.store(join(old, k.load(values, member.entry)), into, member.group);
  });
}

void ReductionEmitter::emitLogSumExp() {
  OpBuilder &b = k.builder;
  Buffer largest = scratch("largest", k.real, groups);
  fold(
      -HUGE_VAL,
      [&](Value a, Value v) -> Value {
        return arith::MaximumFOp::create(b, k.loc, a, v);
      },
      largest);
  fill(results, k.number(0));
  forMembers([&](const Member &member) {
    Value shifted = arith::SubFOp::create(
        b, k.loc, k.load(values, member.entry), k.load(largest, member.group));
    Value part = math::ExpOp::create(b, k.loc, shifted);
    k.store(arith::AddFOp::create(b, k.loc, k.load(results, member.group), part,
                                  sumFlags(k)),
            results, member.group);
  });
  k.loop(results.size(), [&](Value group) {
    Value top = k.load(largest, group);
    Value log = math::LogOp::create(b, k.loc, k.load(results, group));
    Value sum = arith::AddFOp::create(b, k.loc, top, log);
    Value size = math::AbsFOp::create(b, k.loc, top);
    Value isInfinite = arith::CmpFOp::create(
        b, k.loc, arith::CmpFPredicate::OEQ, size, k.number(HUGE_VAL));
    k.store(arith::SelectOp::create(b, k.loc, isInfinite, top, sum), results,
            group);
  });
}

void ReductionEmitter::emitKthLargest() {
  OpBuilder &b = k.builder;
  unsigned width = k.real.getIntOrFloatBitWidth();
  Type integer = b.getIntegerType(width);
  auto constant = [&](APInt value) -> Value {
    return arith::ConstantOp::create(b, k.loc,
                                     b.getIntegerAttr(integer, value));
  };
  Value sign = constant(APInt::getSignMask(width));
  Value zero = constant(APInt(width, 0));
  Value ones = constant(APInt::getAllOnes(width));
  // Unsigned keys in the order of the numbers; both zeros have one key.
  Buffer keys = scratch("keys", integer, values.size());
  forMembers([&](const Member &member) {
    Value x = arith::AddFOp::create(b, k.loc, k.load(values, member.entry),
                                    k.number(0));
    Value bits = arith::BitcastOp::create(b, k.loc, integer, x);
    Value negative =
        arith::CmpIOp::create(b, k.loc, arith::CmpIPredicate::slt, bits, zero);
    Value flips = arith::SelectOp::create(b, k.loc, negative, ones, sign);
    k.store(arith::XOrIOp::create(b, k.loc, bits, flips), keys, member.entry);
  });
  Buffer best = scratch("best", integer, groups);
  Buffer reached = scratch("reached", integer, groups);
  fill(best, zero);
  k.loop(width, [&](Value step) {
    Value number = arith::IndexCastUIOp::create(b, k.loc, integer, step);
    Value bit = arith::ShRUIOp::create(b, k.loc, sign, number);
    fill(reached, zero);
    forMembers([&](const Member &member) {
      Value candidate =
          arith::OrIOp::create(b, k.loc, k.load(best, member.group), bit);
      Value reaches =
          arith::CmpIOp::create(b, k.loc, arith::CmpIPredicate::uge,
                                k.load(keys, member.entry), candidate);
      Value one = arith::ExtUIOp::create(b, k.loc, integer, reaches);
      k.store(
          arith::AddIOp::create(b, k.loc, k.load(reached, member.group), one),
          reached, member.group);
    });
    k.loop(best.size(), [&](Value group) {
      Value enough = arith::CmpIOp::create(
          b, k.loc, arith::CmpIPredicate::uge, k.load(reached, group),
          constant(APInt(width, uint64_t(*op.getK()))));
      Value old = k.load(best, group);
      Value taken = arith::OrIOp::create(b, k.loc, old, bit);
      k.store(arith::SelectOp::create(b, k.loc, enough, taken, old), best,
              group);
    });
  });
  k.loop(results.size(), [&](Value group) {
    Value key = k.load(best, group);
    Value positive =
        arith::CmpIOp::create(b, k.loc, arith::CmpIPredicate::slt, key, zero);
    Value flips = arith::SelectOp::create(b, k.loc, positive, sign, ones);
    Value bits = arith::XOrIOp::create(b, k.loc, key, flips);
    Value x = arith::BitcastOp::create(b, k.loc, k.real, bits);
    // No number has the key 0: the group has fewer than k members.
    Value none =
        arith::CmpIOp::create(b, k.loc, arith::CmpIPredicate::eq, key, zero);
    k.store(arith::SelectOp::create(b, k.loc, none, k.number(-HUGE_VAL), x),
            results, group);
  });
}

void ReductionEmitter::emitRank() {
  OpBuilder &b = k.builder;
  forMembers([&](const Member &member) {
    Value own = k.load(values, member.entry);
    k.store(k.number(0), results, member.entry);
    forPeers(member, [&](Value peer, Value exists) {
      Value other = k.load(values, peer);
      Value greater = arith::CmpFOp::create(b, k.loc, arith::CmpFPredicate::OGT,
                                            other, own);
      Value equal = arith::CmpFOp::create(b, k.loc, arith::CmpFPredicate::OEQ,
                                          other, own);
      Value earlier = arith::CmpIOp::create(b, k.loc, arith::CmpIPredicate::ult,
                                            peer, member.entry);
      Value before = arith::OrIOp::create(
          b, k.loc, greater, arith::AndIOp::create(b, k.loc, equal, earlier));
      if (exists)
        before = arith::AndIOp::create(b, k.loc, before, exists);
      Value one =
          arith::SelectOp::create(b, k.loc, before, k.number(1), k.number(0));
      k.store(arith::AddFOp::create(b, k.loc, k.load(results, member.entry),
                                    one, sumFlags(k)),
              results, member.entry);
    });
  });
}

void ReductionEmitter::emit() {
  OpBuilder &b = k.builder;
  switch (op.getKind()) {
  case neuro::GroupReduce::Sum: {
    auto add = [&](Value a, Value v) -> Value {
      return arith::AddFOp::create(b, k.loc, a, v, sumFlags(k));
    };
    if (!op.getPrefix())
      return fold(0, add, results);
    Buffer running = scratch("running", k.real, groups);
    fill(running, k.number(0));
    forMembers([&](const Member &member) {
      Value sum =
          add(k.load(running, member.group), k.load(values, member.entry));
      k.store(sum, running, member.group);
      k.store(sum, results, member.entry);
    });
    return;
  }
  case neuro::GroupReduce::Max:
    return fold(
        -HUGE_VAL,
        [&](Value a, Value v) -> Value {
          return arith::MaximumFOp::create(b, k.loc, a, v);
        },
        results);
  case neuro::GroupReduce::Min:
    return fold(
        HUGE_VAL,
        [&](Value a, Value v) -> Value {
          return arith::MinimumFOp::create(b, k.loc, a, v);
        },
        results);
  case neuro::GroupReduce::LogSumExp:
    return emitLogSumExp();
  case neuro::GroupReduce::KthLargest:
    return emitKthLargest();
  case neuro::GroupReduce::Rank:
    return emitRank();
  }
}

} // namespace neuroc::cpu
