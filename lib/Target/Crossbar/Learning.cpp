// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Learning next to the arrays. The tile keeps the exact weights of its plastic
// blocks, row by row. In each tick traces decay, then every row that an event
// touches runs the rule's handlers over its columns, is confined to the bounds
// and, where a level of the array would change, is programmed again; then
// traces take this tick's spikes. A handler belongs to one synapse, so rows can
// do all their handlers in turn.
//
// The arrays hold weight >> shift for one shift per tile and weight, which
// follows the largest weight: it grows when a weight passes the levels, and
// shrinks (when all rows were seen) as soon as that uses the levels better.
#include "Emitter.h"

#include <algorithm>

using namespace mlir;

namespace neuroc::xbar {

using namespace neuro;
using Label = rt::xbar::ProgramBuilder::Label;

/// Handlers of a rule by event; null where there is none.
static HandlerOp handlerOf(RuleOp rule, Event event) {
  for (HandlerOp handler : rule.list<HandlerOp>())
    if (handler.getEvent() == event)
      return handler;
  return HandlerOp();
}

/// Row sources of a rule: what its names are for one row of a block.
static Source preSource(PlasticOp plastic) {
  Source pre = NetworkView::resolve(plastic.getPre());
  pre.delay += int64_t(plastic.getDelay());
  return pre;
}

LogicalResult Emitter::emitLearn(TileState &t, Learning &learning) {
  if (failed(emitTraces(t, learning, /*spike=*/false)))
    return failure();
  Label off = t.tile.code.newLabel();
  t.tile.emit(Op::Lw, {kA, kZero, learning.enabled});
  t.tile.code.emitTo(Op::Beq, {kA, kZero}, off);
  if (failed(emitRows(t, learning, /*isCall=*/false)))
    return failure();
  t.tile.code.bind(off);
  return emitTraces(t, learning, /*spike=*/true);
}

LogicalResult Emitter::emitTraces(TileState &t, Learning &learning,
                                  bool spike) {
  PlasticOp plastic = learning.plastic;
  StringRef owner = plastic.getSymName();
  WeightOp weight = plastic.getWeightOp();
  for (TraceOp trace : plastic.getRuleOp().list<TraceOp>()) {
    Region &region = spike ? trace.getSpike() : trace.getTick();
    if (region.empty() || region.front().empty())
      continue;
    bool onPre = trace.getSide() == Side::Pre;
    Source source =
        onPre ? preSource(plastic) : NetworkView::resolve(plastic.getPost());
    // Only the units that this tile's blocks reach.
    int64_t first = INT64_MAX, last = 0;
    for (Block *block : learning.blocks) {
      bool byRow = onPre != bool(block->matrix.getTransposed());
      first = std::min(first, byRow ? block->row0 : block->col0);
      last = std::max(last, byRow ? block->row1 : block->col1);
    }
    (void)weight;
    int64_t values = learning.traces.at(trace.getSymName().str()) + first;
    int64_t signal = view(t, source) + first;
    int point = frac(owner, trace.getSymName());
    VectorCode vectors(t.tile, t.pool, *ranges, notes, t.tables);
    LogicalResult result = success();
    auto leaf = [&](Operation *op) -> std::optional<Operand> {
      if (auto get = dyn_cast<GetOp>(op)) {
        if (get.getName() == trace.getSymName())
          return Operand::memory(values, point);
        if (get.getName() == (onPre ? "pre" : "post"))
          return Operand::memory(signal, signalFrac(source.base));
        for (TraceOp other : plastic.getRuleOp().list<TraceOp>())
          if (other.getSymName() == get.getName() &&
              other.getSide() == trace.getSide())
            return Operand::memory(learning.traces.at(get.getName().str()) +
                                       first,
                                   frac(owner, get.getName()));
        for (auto [index, factor] : llvm::enumerate(plastic.getFactors())) {
          if (cast<StringAttr>((*plastic.getFactorNames())[index]).getValue() !=
              get.getName())
            continue;
          Source from = NetworkView::resolve(factor);
          int fromPoint = signalFrac(from.base);
          for (FactorOp declared : plastic.getRuleOp().list<FactorOp>())
            if (declared.getSymName() == get.getName() &&
                declared.getSide() != Side::Scalar)
              return Operand::memory(view(t, from) + first, fromPoint);
          Operand operand = vectors.temporary(fromPoint);
          vectors.address(kA, operand);
          t.tile.emit(Op::Lw, {kB, kZero, view(t, from)});
          t.tile.emit(Op::Vfill, {kA, kB, kLength});
          return operand;
        }
      }
      if (isa<DtOp>(op))
        return Operand::constant(view_->network.getDt().convertToDouble());
      if (auto random = dyn_cast<RandomOp>(op))
        return emitDraw(t, vectors, random, learning.keyBlock,
                        [&] { t.tile.emit(Op::Addi, {kC, kOffset, first}); });
      return std::nullopt;
    };
    auto sink = [&](Operation *, Operand value) {
      Operand target = Operand::memory(values, point);
      if (spike)
        vectors.storeMasked(target, Operand::memory(signal, 0), value);
      else
        vectors.store(target, value);
    };
    blockLoop(t, last - first,
              [&] { result = vectors.compile(region.front(), leaf, sink); });
    if (failed(result))
      return failure();
  }
  return success();
}

LogicalResult Emitter::emitRows(TileState &t, Learning &learning, bool isCall) {
  PlasticOp plastic = learning.plastic;
  RuleOp rule = plastic.getRuleOp();
  HandlerOp onPre = handlerOf(rule, Event::Pre);
  HandlerOp onPost = handlerOf(rule, Event::Post);
  HandlerOp onTick = handlerOf(rule, Event::Tick);
  if (!isCall && !onPre && !onPost && !onTick)
    return success();
  auto &code = t.tile.code;
  int64_t most = scratch(t, "most/" + plastic.getSymName().str(), 1);
  int64_t allRows = scratch(t, "all/" + plastic.getSymName().str(), 1);
  t.tile.emit(Op::Sw, {kZero, kZero, most});
  t.tile.set(kA, 1);
  t.tile.emit(Op::Sw, {kA, kZero, allRows});
  for (Block *block : learning.blocks) {
    bool rowIsPre = !block->matrix.getTransposed();
    HandlerOp rowEvent = rowIsPre ? onPre : onPost;
    HandlerOp colEvent = rowIsPre ? onPost : onPre;
    Source rowSource =
        rowIsPre ? preSource(plastic) : NetworkView::resolve(plastic.getPost());
    Source colSource =
        rowIsPre ? NetworkView::resolve(plastic.getPost()) : preSource(plastic);
    int64_t rowSignal = view(t, rowSource) + block->row0;
    int64_t colSignal = view(t, colSource) + block->col0;
    int64_t list = scratch(t, "rows", block->rows());
    t.tile.set(kOffset, 0);
    // kFlag: some column has its event.
    t.tile.set(kFlag, 0);
    if (!isCall && colEvent) {
      t.tile.set(kB, colSignal);
      t.tile.set(kD, block->cols());
      t.tile.emit(Op::Vsum, {kFlag, kB, kD});
    }
    Label every = code.newLabel(), listed = code.newLabel();
    if (isCall || onTick) {
      code.emitTo(Op::Jmp, {}, every);
    } else if (colEvent) {
      code.emitTo(Op::Bne, {kFlag, kZero}, every);
    }
    if (!isCall && !onTick) {
      if (rowEvent) {
        t.tile.set(kA, list);
        t.tile.set(kB, rowSignal);
        t.tile.set(kD, block->rows());
        t.tile.emit(Op::Vfind, {kCount, kA, kB, kD, kZero});
      } else {
        t.tile.set(kCount, 0);
      }
      t.tile.emit(Op::Sw, {kZero, kZero, allRows});
      code.emitTo(Op::Jmp, {}, listed);
    }
    code.bind(every);
    t.tile.set(kA, list);
    t.tile.set(kC, 1);
    t.tile.set(kD, block->rows());
    t.tile.emit(Op::Viota, {kA, kZero, kC, kD});
    t.tile.set(kCount, block->rows());
    code.bind(listed);
    t.tile.set(kList, list);
    Label end = code.newLabel();
    code.emitTo(Op::Loop, {kCount}, end);
    t.tile.emit(Op::Lw, {kRow, kList, 0});
    t.tile.emit(Op::Muli, {kRowBase, kRow, block->cols()});
    t.tile.set(kLength, block->cols());
    if (failed(emitRow(t, learning, *block, isCall)))
      return failure();
    t.tile.emit(Op::Addi, {kList, kList, 1});
    code.bind(end);
  }
  emitRescale(t, learning);
  return success();
}

LogicalResult Emitter::emitRow(TileState &t, Learning &learning, Block &block,
                               bool isCall) {
  PlasticOp plastic = learning.plastic;
  RuleOp rule = plastic.getRuleOp();
  WeightOp weight = plastic.getWeightOp();
  StringRef owner = plastic.getSymName();
  auto &code = t.tile.code;
  bool rowIsPre = !block.matrix.getTransposed();
  Source pre = preSource(plastic);
  Source post = NetworkView::resolve(plastic.getPost());
  int weightFrac = frac(owner, "w");
  Operand w = Operand::memory(block.weights, weightFrac, false, true);
  int64_t rowSignal = view(t, rowIsPre ? pre : post) + block.row0;
  int64_t colSignal = view(t, rowIsPre ? post : pre) + block.col0;

  VectorCode vectors(t.tile, t.pool, *ranges, notes, t.tables);
  /// One word of a per-unit vector for the row, spread over the columns.
  auto broadcast = [&](int64_t base, int point) {
    Operand operand = vectors.temporary(point);
    vectors.address(kA, operand);
    t.tile.emit(Op::Lw, {kB, kRow, base});
    t.tile.emit(Op::Vfill, {kA, kB, kLength});
    return operand;
  };
  auto perUnit = [&](bool preSide, int64_t wholeVector, int point) {
    return preSide == rowIsPre
               ? broadcast(wholeVector + block.row0, point)
               : Operand::memory(wholeVector + block.col0, point, false);
  };
  auto leaf = [&](Operation *op) -> std::optional<Operand> {
    if (isa<DtOp>(op))
      return Operand::constant(view_->network.getDt().convertToDouble());
    if (auto random = dyn_cast<RandomOp>(op)) {
      // Synapse pre * posts + post: consecutive along a row of pre, else a
      // list.
      if (rowIsPre)
        return emitDraw(t, vectors, random, learning.keyBlock, [&] {
          t.tile.emit(Op::Addi, {kC, kRow, block.row0});
          t.tile.emit(Op::Muli, {kC, kC, weight.getNumPost()});
          t.tile.emit(Op::Addi, {kC, kC, block.col0});
        });
      Operand entities = vectors.temporary(0);
      Operand drawn = emitDraw(
          t, vectors, random, learning.keyBlock,
          [&] {
            vectors.address(kA, entities);
            t.tile.emit(
                Op::Addi,
                {kB, kRow, block.col0 * weight.getNumPost() + block.row0});
            t.tile.set(kC, weight.getNumPost());
            t.tile.emit(Op::Viota, {kA, kB, kC, kLength});
            vectors.address(kC, entities);
          },
          /*listed=*/true);
      vectors.release(entities);
      return drawn;
    }
    auto get = dyn_cast<GetOp>(op);
    if (!get)
      return std::nullopt;
    StringRef name = get.getName();
    if (name == "w")
      return w;
    if (name == "pre")
      return perUnit(true, view(t, pre), signalFrac(pre.base));
    if (name == "post")
      return perUnit(false, view(t, post), signalFrac(post.base));
    if (auto state = block.states.find(name.str()); state != block.states.end())
      return Operand::memory(state->second, frac(owner, name), false, true);
    for (TraceOp trace : rule.list<TraceOp>())
      if (trace.getSymName() == name)
        return perUnit(trace.getSide() == Side::Pre,
                       learning.traces.at(name.str()), frac(owner, name));
    for (auto [index, factor] : llvm::enumerate(plastic.getFactors())) {
      if (cast<StringAttr>((*plastic.getFactorNames())[index]).getValue() !=
          name)
        continue;
      Source source = NetworkView::resolve(factor);
      int point = signalFrac(source.base);
      for (FactorOp declared : rule.list<FactorOp>())
        if (declared.getSymName() == name && declared.getSide() != Side::Scalar)
          return perUnit(declared.getSide() == Side::Pre, view(t, source),
                         point);
      Operand operand = vectors.temporary(point);
      vectors.address(kA, operand);
      t.tile.emit(Op::Lw, {kB, kZero, view(t, source)});
      t.tile.emit(Op::Vfill, {kA, kB, kLength});
      return operand;
    }
    return std::nullopt;
  };
  auto run = [&](HandlerOp handler, bool masked) {
    auto sink = [&](Operation *op, Operand value) {
      auto set = dyn_cast<SetOp>(op);
      if (!set)
        return;
      Operand target =
          set.getName() == "w"
              ? w
              : Operand::memory(block.states.at(set.getName().str()),
                                frac(owner, set.getName()), false, true);
      if (masked)
        vectors.storeMasked(target, Operand::memory(colSignal, 0, false),
                            value);
      else
        vectors.store(target, value);
    };
    return vectors.compile(handler.getBody().front(), leaf, sink);
  };
  if (isCall) {
    if (failed(run(handlerOf(rule, Event::Call), false)))
      return failure();
  } else {
    for (Event event : {Event::Pre, Event::Post, Event::Tick}) {
      HandlerOp handler = handlerOf(rule, event);
      if (!handler)
        continue;
      bool onRow = event != Event::Tick && (event == Event::Pre) == rowIsPre;
      bool onCol = event != Event::Tick && !onRow;
      Label skip = code.newLabel();
      if (onRow) {
        t.tile.emit(Op::Lw, {kA, kRow, rowSignal});
        code.emitTo(Op::Beq, {kA, kZero}, skip);
      } else if (onCol) {
        code.emitTo(Op::Beq, {kFlag, kZero}, skip);
      }
      if (failed(run(handler, onCol)))
        return failure();
      code.bind(skip);
    }
  }
  // Bounds and sign.
  double lo = -HUGE_VAL, hi = HUGE_VAL;
  if (auto bounds = weight.getBounds()) {
    lo = (*bounds)[0];
    hi = (*bounds)[1];
  }
  if (weight.getSign() == Sign::Excitatory)
    lo = std::max(lo, 0.0);
  if (weight.getSign() == Sign::Inhibitory)
    hi = std::min(hi, 0.0);
  vectors.address(kA, w);
  if (lo > -HUGE_VAL) {
    t.tile.set(kC, toFixed(lo, weightFrac));
    t.tile.emit(Op::VmaxS, {kA, kA, kC, kLength});
  }
  if (hi < HUGE_VAL) {
    t.tile.set(kC, toFixed(hi, weightFrac));
    t.tile.emit(Op::VminS, {kA, kA, kC, kLength});
  }
  if (block.mask) {
    vectors.address(kB, Operand::memory(block.mask, 0, false, true));
    t.tile.emit(Op::VselS, {kA, kB, kA, kZero, kLength});
  }
  // The largest weight, for the common shift.
  int64_t most = scratch(t, "most/" + owner.str(), 1);
  t.tile.emit(Op::Vmaxr, {kB, kA, kLength});
  t.tile.emit(Op::Vminr, {kC, kA, kLength});
  t.tile.emit(Op::Sub, {kC, kZero, kC});
  t.tile.emit(Op::Max, {kB, kB, kC});
  t.tile.emit(Op::Lw, {kC, kZero, most});
  t.tile.emit(Op::Max, {kB, kB, kC});
  t.tile.emit(Op::Sw, {kB, kZero, most});
  // Levels; the row is programmed if one differs from the array's.
  int64_t limit = (int64_t(1) << (int64_t(block.matrix.getBits()) - 1)) - 1;
  Operand level = vectors.temporary(0), differs = vectors.temporary(0);
  Operand held = Operand::memory(block.levels, 0, false, true);
  t.tile.emit(Op::Lw, {kC, kZero, learning.shift});
  t.tile.emit(Op::Sub, {kC, kZero, kC});
  t.tile.move(kB, kA);
  vectors.address(kA, level);
  t.tile.emit(Op::VshS, {kA, kB, kC, kLength});
  t.tile.set(kC, limit);
  t.tile.emit(Op::VminS, {kA, kA, kC, kLength});
  t.tile.set(kC, -limit);
  t.tile.emit(Op::VmaxS, {kA, kA, kC, kLength});
  vectors.binary(Op::Vcne, Op::VcneS, differs, level, held);
  vectors.address(kB, differs);
  t.tile.emit(Op::Vmaxr, {kB, kB, kLength});
  Label same = code.newLabel();
  code.emitTo(Op::Beq, {kB, kZero}, same);
  vectors.unary(Op::Vmov, held, level);
  t.tile.set(kB, 1);
  t.tile.set(kC, block.at);
  t.tile.emit(
      Instr(Op::Win, {kRow, kB, kC, kLength}).with("array", block.array));
  vectors.address(kA, level);
  t.tile.emit(Instr(Op::Prog, {kA, kLength})
                  .with("slices", block.slices)
                  .with("array", block.array));
  code.bind(same);
  vectors.release(level);
  vectors.release(differs);
  return success();
}

/// Bits by which `reg` (not negative) passes the levels: max(0, 32 - clz - b).
static void emitNeededShift(TileCode &tile, int64_t reg, int64_t word,
                            int64_t bits) {
  tile.emit(Op::Sw, {reg, kZero, word});
  tile.set(kA, word);
  tile.set(kC, 1);
  tile.emit(Op::Vclz, {kA, kA, kC});
  tile.emit(Op::Lw, {reg, kZero, word});
  tile.set(kC, 32 - bits);
  tile.emit(Op::Sub, {reg, kC, reg});
  tile.emit(Op::Max, {reg, reg, kZero});
}

/// After an update: a new common shift if the largest weight asks for one.
void Emitter::emitRescale(TileState &t, Learning &learning) {
  std::string name = PlasticOp(learning.plastic).getSymName().str();
  auto &code = t.tile.code;
  int64_t most = scratch(t, "most/" + name, 1);
  int64_t allRows = scratch(t, "all/" + name, 1);
  int64_t word = scratch(t, "clz", 1);
  int64_t bits = int64_t(learning.blocks.front()->matrix.getBits()) - 1;
  Label grow = code.newLabel(), done = code.newLabel();
  t.tile.emit(Op::Lw, {kTemp1, kZero, most});
  t.tile.move(kTemp2, kTemp1);
  emitNeededShift(t.tile, kTemp1, word, bits);
  t.tile.emit(Op::Lw, {kTemp3, kZero, learning.shift});
  code.emitTo(Op::Blt, {kTemp3, kTemp1}, grow);
  t.tile.emit(Op::Lw, {kA, kZero, allRows});
  code.emitTo(Op::Beq, {kA, kZero}, done);
  // Shrink only with an eighth to spare, or it would go to and fro.
  t.tile.emit(Op::Srai, {kB, kTemp2, 3});
  t.tile.emit(Op::Add, {kTemp2, kTemp2, kB});
  emitNeededShift(t.tile, kTemp2, word, bits);
  code.emitTo(Op::Bge, {kTemp2, kTemp3}, done);
  code.bind(grow);
  code.emitTo(Op::Jal, {rt::xbar::kLinkRegister}, learning.programAll);
  code.bind(done);
}

/// Subroutine: chooses the shift from all weights, computes all levels and
/// programs the blocks.
void Emitter::emitProgramAll(TileState &t, Learning &learning) {
  auto &code = t.tile.code;
  int64_t word = scratch(t, "clz", 1);
  int64_t bits = int64_t(learning.blocks.front()->matrix.getBits()) - 1;
  int64_t limit = (int64_t(1) << bits) - 1;
  code.bind(learning.programAll);
  t.tile.set(kMax, 0);
  for (Block *block : learning.blocks) {
    t.tile.set(kB, block->weights);
    t.tile.set(kD, block->rows() * block->cols());
    t.tile.emit(Op::Vmaxr, {kA, kB, kD});
    t.tile.emit(Op::Max, {kMax, kMax, kA});
    t.tile.emit(Op::Vminr, {kA, kB, kD});
    t.tile.emit(Op::Sub, {kA, kZero, kA});
    t.tile.emit(Op::Max, {kMax, kMax, kA});
  }
  emitNeededShift(t.tile, kMax, word, bits);
  t.tile.emit(Op::Sw, {kMax, kZero, learning.shift});
  for (Block *block : learning.blocks) {
    t.tile.set(kA, block->levels);
    t.tile.set(kB, block->weights);
    t.tile.emit(Op::Sub, {kC, kZero, kMax});
    t.tile.set(kD, block->rows() * block->cols());
    t.tile.emit(Op::VshS, {kA, kB, kC, kD});
    t.tile.set(kC, limit);
    t.tile.emit(Op::VminS, {kA, kA, kC, kD});
    t.tile.set(kC, -limit);
    t.tile.emit(Op::VmaxS, {kA, kA, kC, kD});
    emitWindow(t, *block, 0, block->rows(), 0, block->cols());
    t.tile.set(kA, block->levels);
    t.tile.set(kB, block->cols());
    t.tile.emit(Instr(Op::Prog, {kA, kB})
                    .with("slices", block->slices)
                    .with("array", block->array));
  }
  t.tile.emit(Op::Jr, {rt::xbar::kLinkRegister});
}

} // namespace neuroc::xbar
