// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Reductions on one core: cuts a region into pieces (Collectives.h) and emits
// for each piece a loop over the members of a group that accumulates or stores
// what is reduced. Sums have 64 bits; largest values, ranks and prefixes
// compare and add stored numbers of one format, so they are exact.
#include "Collectives.h"
#include "CoreEmitterImpl.h"

#include <climits>

using namespace mlir;
using namespace neuroc;
using namespace neuroc::spinn;
using neuro::GroupReduce;
using neuro::Interval;

//===----------------------------------------------------------------------===//
// Pieces
//===----------------------------------------------------------------------===//

/// Reads of an input port sum over synapses, and what is reduced was computed
/// for that: worth a word for each member. Constants are not.
static bool isDear(Operation *op) {
  if (auto get = dyn_cast<neuro::GetOp>(op))
    return neuro::resolveName(get, get.getName()) == neuro::NameKind::Input;
  if (op->getNumResults() != 1 || !op->getResult(0).getType().isF64() ||
      op->hasTrait<OpTrait::ConstantLike>() || isa<neuro::ReduceOp>(op))
    return false;
  return llvm::any_of(op->getUsers(), [](Operation *user) {
    return isa<neuro::ReduceOp>(user);
  });
}

Pieces::Pieces(Block &block) : block(block) {
  llvm::DenseMap<Value, unsigned> known; // pieces before the value exists
  unsigned last = 0;
  for (Operation &op : block) {
    unsigned needed = 0;
    for (Value operand : op.getOperands())
      needed = std::max(needed, known.lookup(operand));
    if (auto reduce = dyn_cast<neuro::ReduceOp>(op)) {
      reductions.push_back(reduce);
      level[&op] = needed;
      last = std::max(last, needed + 1);
      ++needed;
    }
    for (Value result : op.getResults())
      known[result] = needed;
  }
  ops.resize(last + 1);
  llvm::DenseMap<Operation *, unsigned> computed;
  for (unsigned piece = 0; piece <= last; ++piece) {
    SmallVector<Operation *> work;
    for (Operation &op : block)
      if (piece == last ? op.getNumResults() == 0
                        : level.contains(&op) && level[&op] == piece)
        work.push_back(&op);
    while (!work.empty()) {
      Operation *op = work.pop_back_val();
      if (!ops[piece].insert(op).second)
        continue;
      auto reduce = level.find(op);
      if (reduce != level.end() && reduce->second < piece)
        continue; // its result is there
      auto earlier = computed.find(op);
      if (earlier != computed.end()) {
        kept[op] = earlier->second;
        continue;
      }
      for (Value operand : op->getOperands())
        if (Operation *producer = operand.getDefiningOp())
          work.push_back(producer);
    }
    for (Operation *op : ops[piece])
      if (isDear(op))
        computed.try_emplace(op, piece);
  }
}

std::vector<neuro::ReduceOp> Pieces::reductionsOf(unsigned piece) const {
  std::vector<neuro::ReduceOp> found;
  for (neuro::ReduceOp reduce : reductions)
    if (level.lookup(reduce) == piece)
      found.push_back(reduce);
  return found;
}

//===----------------------------------------------------------------------===//
// Code
//===----------------------------------------------------------------------===//

namespace {
/// A reduction while its pieces are emitted.
struct Reduction {
  neuro::ReduceOp op;
  llvm::AllocaInst *slot = nullptr; ///< accumulator, then the result
  llvm::Value *values = nullptr;    ///< of the members, where all are needed
  llvm::Value *members = nullptr;   ///< 1 where the code ran
  llvm::Value *results = nullptr;   ///< where they differ by member
  Num operand;                      ///< format of what is reduced
  Num result;                       ///< format of the result

  bool isByMember() {
    return op.getPrefix() || op.getKind() == GroupReduce::Rank;
  }
  bool comparesAll() {
    return op.getKind() == GroupReduce::Rank ||
           op.getKind() == GroupReduce::KthLargest;
  }
};
} // namespace

LogicalResult CoreEmitter::emitCollective(Block &block, const Group &group,
                                          const MakeRead &makeRead,
                                          const FixedEmitter::WriteFn &write) {
  Pieces pieces(block);
  llvm::DenseMap<Operation *, Reduction> reductions;
  llvm::DenseMap<Operation *, std::pair<llvm::Value *, Num>> kept;
  unsigned number = 0;
  auto scratch = [&](StringRef what) -> llvm::Value * {
    return array((group.name + "_" + what + "_" + Twine(number++)).str(),
                 group.most);
  };
  double most = static_cast<double>(group.most);

  /// Takes the operand of a member in: `at` is the member's position.
  auto accumulate = [&](Reduction &r, Num value, llvm::Value *at) {
    r.operand = value;
    r.operand.value = nullptr;
    llvm::Value *wide = b.CreateSExt(value.value, fixed.i64());
    switch (r.op.getKind()) {
    case GroupReduce::Sum: {
      Interval range = value.range * Interval{group.least, most};
      if (r.op.getPrefix())
        range = value.range * Interval{1.0, most};
      bool clipped;
      int frac = fixed.chooseFrac(range, value.frac, clipped);
      r.result = {nullptr, frac, clipped ? fullRange(frac) : range};
      llvm::Value *sum = b.CreateAdd(b.CreateLoad(fixed.i64(), r.slot), wide);
      b.CreateStore(sum, r.slot);
      if (r.op.getPrefix())
        store(fixed.narrow(sum, value.frac, {frac, r.result.range}, !clipped),
              r.results, at);
      return;
    }
    case GroupReduce::Max:
    case GroupReduce::Min: {
      bool isMax = r.op.getKind() == GroupReduce::Max;
      r.result = r.operand;
      llvm::Value *old = b.CreateLoad(fixed.i64(), r.slot);
      b.CreateStore(b.CreateBinaryIntrinsic(isMax ? llvm::Intrinsic::smax
                                                  : llvm::Intrinsic::smin,
                                            old, wide),
                    r.slot);
      return;
    }
    case GroupReduce::KthLargest:
    case GroupReduce::Rank:
      r.result = r.op.getKind() == GroupReduce::Rank
                     ? Num{nullptr, 0, {0.0, most - 1.0}}
                     : r.operand;
      store(value.value, r.values, at);
      if (r.members)
        store(b.getInt32(1), r.members, at);
      return;
    case GroupReduce::LogSumExp:
      llvm_unreachable("expanded by spinn-materialize-signals");
    }
  };

  /// Before the loop of a piece.
  auto open = [&](Reduction &r) {
    r.slot = slot(fixed.i64());
    int64_t start = r.op.getKind() == GroupReduce::Max   ? INT32_MIN
                    : r.op.getKind() == GroupReduce::Min ? INT32_MAX
                                                         : 0;
    b.CreateStore(b.getInt64(static_cast<uint64_t>(start)), r.slot);
    if (r.isByMember())
      r.results = scratch("results");
    if (!r.comparesAll())
      return;
    r.values = scratch("values");
    if (group.isWhole)
      return;
    r.members = scratch("members");
    forLoop(b.getInt32(0), group.count(),
            [&](llvm::Value *at) { store(b.getInt32(0), r.members, at); });
  };

  /// After it: how many members come before each.
  auto close = [&](Reduction &r) {
    if (r.op.getKind() == GroupReduce::Sum && !r.op.getPrefix())
      b.CreateStore(b.CreateSExt(fixed.narrow(b.CreateLoad(fixed.i64(), r.slot),
                                              r.operand.frac,
                                              {r.result.frac, r.result.range},
                                              r.result.range.magnitude() <
                                                  fullRange(r.result.frac).hi),
                                 fixed.i64()),
                    r.slot);
    if (!r.comparesAll())
      return;
    auto isMember = [&](llvm::Value *at) -> llvm::Value * {
      if (!r.members)
        return b.getTrue();
      return b.CreateICmpNE(load(r.members, at), b.getInt32(0));
    };
    llvm::Value *before = slot(fixed.i32());
    forLoop(b.getInt32(0), group.count(), [&](llvm::Value *at) {
      llvm::Value *own = load(r.values, at);
      b.CreateStore(b.getInt32(0), before);
      forLoop(b.getInt32(0), group.count(), [&](llvm::Value *other) {
        llvm::Value *value = load(r.values, other);
        llvm::Value *first =
            b.CreateOr(b.CreateICmpSGT(value, own),
                       b.CreateAnd(b.CreateICmpEQ(value, own),
                                   b.CreateICmpULT(other, at)));
        first = b.CreateAnd(first, isMember(other));
        addTo(before, b.CreateZExt(first, fixed.i32()));
      });
      llvm::Value *rank = b.CreateLoad(fixed.i32(), before);
      if (r.op.getKind() == GroupReduce::Rank)
        return store(rank, r.results, at);
      llvm::Value *isIt = b.CreateICmpEQ(
          rank, b.getInt32(static_cast<uint32_t>(*r.op.getK() - 1)));
      ifThen(b.CreateAnd(isIt, isMember(at)),
             [&] { b.CreateStore(b.CreateSExt(own, fixed.i64()), r.slot); });
    });
  };

  for (neuro::ReduceOp reduce : pieces.reductions)
    reductions[reduce].op = reduce;
  LogicalResult result = success();
  for (unsigned piece = 0; piece < pieces.count(); ++piece) {
    std::vector<neuro::ReduceOp> mine = pieces.reductionsOf(piece);
    for (neuro::ReduceOp reduce : mine)
      open(reductions[reduce]);
    group.forMembers([&](llvm::Value *at) {
      FixedEmitter emitter(module, b);
      FixedEmitter::ReadFn read = makeRead(emitter);
      FixedEmitter::Piece part;
      part.ops = &pieces.ops[piece];
      part.given = [&](Operation *op) -> Num {
        if (auto found = reductions.find(op); found != reductions.end()) {
          if (pieces.level.lookup(op) >= piece)
            return {};
          Reduction &r = found->second;
          Num known = r.result;
          known.value = r.isByMember()
                            ? load(r.results, at)
                            : b.CreateTrunc(b.CreateLoad(fixed.i64(), r.slot),
                                            fixed.i32());
          return known;
        }
        auto found = pieces.kept.find(op);
        if (found == pieces.kept.end() || found->second == piece)
          return {};
        Num known = kept[op].second;
        known.value = load(kept[op].first, at);
        return known;
      };
      part.computed = [&](Operation *op, Num value) {
        if (!pieces.kept.contains(op))
          return;
        llvm::Value *place = scratch("kept");
        store(value.value, place, at);
        value.value = nullptr;
        kept[op] = {place, value};
      };
      if (failed(emitter.emitBlock(
              block, read,
              [&](Operation *op, Num value) {
                if (auto reduce = dyn_cast<neuro::ReduceOp>(op))
                  return accumulate(reductions[reduce], value, at);
                write(op, value);
              },
              {}, &part)))
        result = failure();
    });
    if (failed(result))
      return failure();
    for (neuro::ReduceOp reduce : mine)
      close(reductions[reduce]);
  }
  return result;
}
