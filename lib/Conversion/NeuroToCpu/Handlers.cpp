// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Handlers of learning rules: along rows and columns of the weight for the
// units that the engine lists as fired, or for all synapses. A synapse that
// runs once takes the value that it is given. In a batch, and where a
// convolution uses one weight at many positions, the changes are added up and
// applied together. Reductions cut a handler into pieces, each of which runs
// for all its synapses before the next.

#include "Plasticity.h"

#include "llvm/ADT/SetVector.h"

using namespace mlir;

namespace neuroc::cpu {

/// One handler while it is emitted.
struct Lowering::Handler {
  Handler(Plasticity &p, neuro::HandlerOp op, Kernel &k)
      : p(p), op(op), k(k), event(op.getEvent()), block(op.getBody().front()),
        pieces(block) {
    for (auto set : block.getOps<neuro::SetOp>())
      sets.push_back(set);
  }

  Plasticity &p;
  neuro::HandlerOp op;
  Kernel &k;
  neuro::Event event;
  Block &block;
  Pieces pieces;
  PieceBuffers buffers;
  SmallVector<neuro::SetOp> sets;

  bool isForAll() const {
    return event == neuro::Event::Tick || event == neuro::Event::Call;
  }
  /// The value to store for `set`: the handler of a tick is the last that
  /// changes weights, so it keeps the bounds itself; the others leave that to
  /// the function "bounds".
  Value finish(neuro::SetOp set, Value value, Value slot) {
    if (neuro::resolveName(set, set.getName()) != neuro::NameKind::Weight)
      return value;
    if (isForAll())
      value = confine(k, p.weight.op, value);
    return p.weight.exists ? selectPresent(k, p.weight, slot, value) : value;
  }
  /// Where the result of a reduction lies for a synapse.
  Value resultPlace(neuro::ReduceOp reduce, const Synapse &synapse) {
    if (ReductionEmitter::isByMember(reduce))
      return synapse.entry;
    switch (reduce.getOver()) {
    case neuro::ReduceOver::Post:
      return synapse.post;
    case neuro::ReduceOver::Pre:
      return synapse.pre;
    default:
      return k.index(0);
    }
  }
  int64_t groups(neuro::ReduceOp reduce) const {
    switch (reduce.getOver()) {
    case neuro::ReduceOver::Post:
      return p.weight.post;
    case neuro::ReduceOver::Pre:
      return p.weight.pre;
    default:
      return 1;
    }
  }
  /// Does the handler run for this synapse? Null for "always".
  Value runs(const Synapse &synapse) {
    OpBuilder &b = k.builder;
    Value result;
    auto require = [&](Value condition) {
      result =
          result
              ? arith::AndIOp::create(b, k.loc, result, condition).getResult()
              : condition;
    };
    if (p.weight.exists)
      require(arith::TruncIOp::create(b, k.loc, b.getI1Type(),
                                      k.load(p.weight.exists, synapse.slot)));
    if (!isForAll()) {
      bool isPre = event == neuro::Event::Pre;
      SignalUse source = isPre ? p.pre : p.post;
      Value place =
          k.add(k.slot(*source.signal, source.delay),
                k.place(isPre ? synapse.pre : synapse.post, synapse.lane));
      require(arith::TruncIOp::create(b, k.loc, b.getI1Type(),
                                      k.load(source.signal->buffer, place)));
    }
    return result;
  }
};

/// Emits a piece of the handler for one synapse.
LogicalResult
Lowering::emitRule(Handler &h, unsigned piece, const Synapse &synapse,
                   function_ref<void(neuro::SetOp, Value)> write) {
  Plasticity &p = h.p;
  Kernel &k = h.k;
  auto signalValue = [&](SignalUse source, Value unit) {
    return k.loadReal(*source.signal, k.slot(*source.signal, source.delay),
                      k.place(unit, synapse.lane));
  };
  auto read = [&](neuro::GetOp get) -> Value {
    StringRef what = get.getName();
    switch (neuro::resolveName(get, what)) {
    case neuro::NameKind::Weight:
      return k.load(p.weight.values, synapse.slot);
    case neuro::NameKind::State:
      return k.load(p.states[what.str()], synapse.slot);
    case neuro::NameKind::Param:
      return k.number(p.param(what));
    case neuro::NameKind::Pre:
      return signalValue(p.pre, synapse.pre);
    case neuro::NameKind::Post:
      return signalValue(p.post, synapse.post);
    case neuro::NameKind::Trace: {
      auto trace = cast<neuro::TraceOp>(p.rule.lookup(what));
      Value unit =
          trace.getSide() == neuro::Side::Pre ? synapse.pre : synapse.post;
      return k.load(p.traces[what.str()], k.place(unit, synapse.lane));
    }
    case neuro::NameKind::Factor: {
      auto factor = cast<neuro::FactorOp>(p.rule.lookup(what));
      return signalValue(use(p.factor(what)),
                         factor.getSide() == neuro::Side::Pre    ? synapse.pre
                         : factor.getSide() == neuro::Side::Post ? synapse.post
                                                                 : k.index(0));
    }
    default:
      return {};
    }
  };
  auto set = [&](Operation *op, Value value) {
    write(cast<neuro::SetOp>(op), value);
  };
  auto draw = [&](neuro::RandomOp random) {
    // Addressed by the pair, so that the layout does not matter.
    Value pre = synapse.pre;
    if (lanes > 1)
      pre = k.add(k.mul(synapse.lane, p.weight.pre), pre);
    Value pair = k.add(k.mul(pre, p.weight.post), synapse.post);
    return drawRandom(k, random.getKind(), p.op.getSymName(), pair,
                      int32_t(random.getDraw()));
  };
  auto resultPlace = [&](neuro::ReduceOp reduce) {
    return h.resultPlace(reduce, synapse);
  };
  return PieceEmitter{k,    h.pieces, h.buffers, dt,         dt, synapse.entry,
                      read, set,      draw,      resultPlace}
      .emit(h.block, piece, synapse.entry);
}

/// if (condition) body(); without a condition always.
static void emitIf(Kernel &k, Value condition, function_ref<void()> body) {
  if (!condition)
    return body();
  auto branch = scf::IfOp::create(k.builder, k.loc, condition, false);
  OpBuilder::InsertionGuard guard(k.builder);
  k.builder.setInsertionPointToStart(&branch.getThenRegion().front());
  body();
}

void Lowering::emitRuleReduction(Handler &h, neuro::ReduceOp reduce,
                                 Value lane) {
  Kernel &k = h.k;
  Weight &weight = h.p.weight;
  auto [values, results] = h.buffers.reductions[reduce.getOperation()];
  int64_t entries = values.size();
  auto forMembers = [&](MemberBody body) {
    forEachSynapse(k, weight, [&](Synapse synapse) {
      synapse.lane = lane;
      emitIf(k, h.runs(synapse), [&] {
        Value group = reduce.getOver() == neuro::ReduceOver::Post ? synapse.post
                      : reduce.getOver() == neuro::ReduceOver::Pre ? synapse.pre
                                                                   : k.index(0);
        body({synapse.entry, group, synapse.pre, synapse.post});
      });
    });
  };
  auto forPeers = [&](const Member &member,
                      function_ref<void(Value, Value)> body) {
    auto visit = [&](Synapse synapse) {
      synapse.lane = lane;
      body(synapse.entry, h.runs(synapse));
    };
    bool byPost = reduce.getOver() == neuro::ReduceOver::Post;
    bool byPre = reduce.getOver() == neuro::ReduceOver::Pre;
    if (byPost && weight.storage == Storage::Matrix) {
      k.loop(weight.pre, [&](Value pre) {
        Value slot = k.add(k.mul(pre, weight.post), member.b);
        visit({slot, pre, member.b, slot, {}});
      });
    } else if (byPre && weight.storage == Storage::Matrix) {
      Value row = k.mul(member.a, weight.post);
      k.loop(weight.post, [&](Value post) {
        Value slot = k.add(row, post);
        visit({slot, member.a, post, slot, {}});
      });
    } else if (byPost && weight.storage == Storage::Synapses) {
      RowView rows = rowsByPost(weight);
      k.loop(
          k.loadIndex(rows.start, member.b),
          k.loadIndex(rows.start, k.add(member.b, k.index(1))),
          [&](Value number) {
            Value slot = k.loadIndex(rows.slot, number);
            visit({slot, k.loadIndex(rows.target, number), member.b, slot, {}});
          });
    } else if (byPre && weight.storage != Storage::Vector) {
      RowView rows = rowsByPre(weight);
      k.loop(
          k.loadIndex(rows.start, member.a),
          k.loadIndex(rows.start, k.add(member.a, k.index(1))),
          [&](Value entry) {
            visit(
                {entry, member.a, k.loadIndex(rows.target, entry), entry, {}});
          });
    } else {
      forEachSynapse(k, weight, [&](Synapse synapse) {
        Value own = byPost ? member.b : member.a;
        Value other = byPost ? synapse.post : synapse.pre;
        Value together;
        if (byPost || byPre)
          together = arith::CmpIOp::create(
              k.builder, k.loc, arith::CmpIPredicate::eq, own, other);
        emitIf(k, together, [&] { visit(synapse); });
      });
    }
  };
  auto scratch = [&](StringRef what, Type type, int64_t count) {
    return addScratch(h.p.op.getSymName() + "." + what, type, count);
  };
  int64_t groups = h.groups(reduce);
  assert(entries == values.size() && "one operand per member");
  ReductionEmitter{k,      reduce,     values,   results,
                   groups, forMembers, forPeers, scratch}
      .emit();
}

LogicalResult Lowering::emitHandler(Plasticity &p, neuro::HandlerOp handler) {
  std::string name = ("on_" + neuro::stringifyEvent(handler.getEvent()) + "." +
                      p.op.getSymName())
                         .str();
  Kernel k(module, handler.getLoc(), name, real);
  k.lanes = lanes;
  k.lag = handler.getEvent() == neuro::Event::Call;
  Handler h(p, handler, k);
  OpBuilder &b = k.builder;
  LogicalResult result = success();
  bool isShared = p.weight.storage == Storage::Kernel;
  bool isAlone = lanes == 1 && !isShared;
  bool isWhole = h.pieces.isWhole();
  neuro::Side side =
      h.event == neuro::Event::Pre ? neuro::Side::Pre : neuro::Side::Post;
  auto run = [&](unsigned piece, const Synapse &synapse,
                 function_ref<void(neuro::SetOp, Value)> write) {
    if (failed(emitRule(h, piece, synapse, write)))
      result = failure();
  };
  auto assign = [&](const Synapse &synapse) {
    return [&h, &p, &k, slot = synapse.slot](neuro::SetOp set, Value value) {
      k.store(h.finish(set, value, slot), p.target(set), slot);
    };
  };
  int64_t entries = p.weight.count;
  if (isShared && !isWhole)
    entries = int64_t(expand(p.weight).synapses.size());
  addPieceBuffers(h.buffers, h.pieces, h.block, name, entries,
                  [&](neuro::ReduceOp reduce) { return h.groups(reduce); });

  // Sums of changes, one per element; in f32 in any order.
  auto flags =
      isDouble ? arith::FastMathFlags::none : arith::FastMathFlags::reassoc;
  auto sum = [&](Value a, Value c) -> Value {
    return arith::AddFOp::create(b, k.loc, a, c, flags);
  };
  auto change = [&](neuro::SetOp set, Value value, Value slot) -> Value {
    // w + d changes by d: in f32 said so, since rounding would lose digits.
    auto isOld = [&](Value operand) {
      auto load = operand.getDefiningOp<memref::LoadOp>();
      return load && load.getMemRef() == k.memref(p.target(set)) &&
             load.getIndices().front() == slot;
    };
    if (auto add = value.getDefiningOp<arith::AddFOp>(); add && !isDouble) {
      if (isOld(add.getLhs()))
        return add.getRhs();
      if (isOld(add.getRhs()))
        return add.getLhs();
    }
    return arith::SubFOp::create(b, k.loc, value, k.load(p.target(set), slot));
  };
  auto apply = [&](neuro::SetOp set, Value slot, Value total) {
    if (!p.op.getBatchSum() && lanes > 1)
      total = arith::DivFOp::create(b, k.loc, total, k.number(double(lanes)));
    Value old = k.load(p.target(set), slot);
    Value value = arith::AddFOp::create(b, k.loc, old, total);
    k.store(h.finish(set, value, slot), p.target(set), slot);
  };

  if (isAlone && isWhole) {
    auto body = [&](Synapse synapse) {
      synapse.lane = k.index(0);
      run(0, synapse, assign(synapse));
    };
    if (h.isForAll())
      forEachSynapse(k, p.weight, body);
    else
      forEachEvent(k, p, side, body);
  } else if (isWhole && !isShared && h.isForAll()) {
    // The lanes one after the other, the sums of some synapses in registers.
    auto together = [&](ArrayRef<Synapse> synapses) {
      size_t perSynapse = h.sets.size();
      SmallVector<Value> zeros(synapses.size() * perSynapse, k.number(0));
      SmallVector<Value> sums =
          k.reduce(k.index(0), k.index(lanes), zeros,
                   [&](Value lane, ValueRange before) {
                     SmallVector<Value> after(before.begin(), before.end());
                     for (auto [number, synapse] : llvm::enumerate(synapses)) {
                       Synapse here = synapse;
                       here.lane = lane;
                       run(0, here, [&](neuro::SetOp set, Value value) {
                         size_t i = number * perSynapse +
                                    (llvm::find(h.sets, set) - h.sets.begin());
                         after[i] =
                             sum(before[i], change(set, value, here.slot));
                       });
                     }
                     return after;
                   });
      for (auto [number, total] : llvm::enumerate(sums))
        apply(h.sets[number % perSynapse], synapses[number / perSynapse].slot,
              total);
    };
    if (p.weight.storage == Storage::Matrix) {
      // Neighbours share what is read of their units.
      k.inBlocks(p.weight.pre, 4, [&](Value pre, int64_t rows) {
        k.inBlocks(p.weight.post, 4, [&](Value post, int64_t columns) {
          SmallVector<Synapse> block;
          for (int64_t r = 0; r < rows; ++r)
            for (int64_t c = 0; c < columns; ++c) {
              Value from = k.add(pre, k.index(r));
              Value to = k.add(post, k.index(c));
              Value slot = k.add(k.mul(from, p.weight.post), to);
              block.push_back({slot, from, to, slot, {}});
            }
          together(block);
        });
      });
    } else {
      forEachSynapse(k, p.weight,
                     [&](const Synapse &synapse) { together(synapse); });
    }
  } else {
    // `changes` are those of one lane, if a weight changes at many positions;
    // `totals` those of all.
    SmallVector<Buffer> changes, totals;
    if (!isAlone)
      for (auto set : h.sets)
        totals.push_back(addScratch(name, real, p.target(set).size()));
    changes = totals;
    if (isShared && lanes > 1)
      for (Buffer &buffer : changes)
        buffer = addScratch(name, real, buffer.size());
    auto collect = [&](const Synapse &synapse) {
      return [&, slot = synapse.slot](neuro::SetOp set, Value value) {
        const Buffer &buffer =
            changes[llvm::find(h.sets, set) - h.sets.begin()];
        k.store(sum(k.load(buffer, slot), change(set, value, slot)), buffer,
                slot);
      };
    };
    auto finishSlot = [&](Value slot) {
      for (auto [set, buffer] : llvm::zip(h.sets, totals)) {
        apply(set, slot, k.load(buffer, slot));
        k.store(k.number(0), buffer, slot);
      }
    };
    if (isWhole && !h.isForAll()) {
      forEachEvent(k, p, side, [&](const Synapse &synapse) {
        run(0, synapse, collect(synapse));
      });
      forEachEvent(k, p, side,
                   [&](const Synapse &synapse) { finishSlot(synapse.slot); });
    } else {
      k.forLanes([&](Value lane) {
        for (unsigned piece = 0; piece < h.pieces.count(); ++piece) {
          forEachSynapse(k, p.weight, [&](Synapse synapse) {
            synapse.lane = lane;
            emitIf(k, h.runs(synapse), [&] {
              if (isAlone)
                run(piece, synapse, assign(synapse));
              else
                run(piece, synapse, collect(synapse));
            });
          });
          for (auto reduce : h.block.getOps<neuro::ReduceOp>())
            if (h.pieces.reducesIn(*reduce, piece))
              emitRuleReduction(h, reduce, lane);
        }
        if (isShared && lanes > 1)
          for (auto [own, total] : llvm::zip(changes, totals))
            k.loop(own.size(), [&](Value slot) {
              k.store(sum(k.load(total, slot), k.load(own, slot)), total, slot);
              k.store(k.number(0), own, slot);
            });
      });
      if (!isAlone)
        k.loop(p.weight.count, finishSlot);
    }
  }
  if (failed(result))
    return failure();
  k.finish();
  p.fields.push_back(
      field(("on_" + neuro::stringifyEvent(h.event)).str(), name));
  return success();
}

} // namespace neuroc::cpu
