// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Learning rules. One function for each part of a rule's tick: traces of every
// unit, the handlers (Handlers.cpp), the bounds, and the increments of traces.
// The engine calls them in the order of the semantics.

#include "Plasticity.h"

using namespace mlir;

namespace neuroc::cpu {

double Lowering::Plasticity::param(StringRef name) {
  if (auto params = op.getParams())
    if (auto value = params->getAs<FloatAttr>(name))
      return value.getValueAsDouble();
  return cast<neuro::ParamOp>(rule.lookup(name)).getValue().convertToDouble();
}

Value Lowering::Plasticity::factor(StringRef name) {
  unsigned number = 0;
  for (Attribute connected : op.getFactorNamesAttr()) {
    if (cast<StringAttr>(connected).getValue() == name)
      break;
    ++number;
  }
  return op.getFactors()[number];
}

Buffer Lowering::Plasticity::target(neuro::SetOp set) {
  return neuro::resolveName(set, set.getName()) == neuro::NameKind::Weight
             ? weight.values
             : states[set.getName().str()];
}

//===----------------------------------------------------------------------===//
// Which synapses
//===----------------------------------------------------------------------===//

/// All synapses in canonical order (by pre unit), without a lane.
void Lowering::forEachSynapse(Kernel &k, Weight &weight, SynapseBody body) {
  if (weight.storage == Storage::Vector) {
    k.loop(weight.pre, [&](Value unit) { body({unit, unit, unit, unit, {}}); });
    return;
  }
  if (weight.storage == Storage::Matrix) {
    k.loop(weight.pre, [&](Value pre) {
      Value row = k.mul(pre, weight.post);
      k.loop(weight.post, [&](Value post) {
        Value slot = k.add(row, post);
        body({slot, pre, post, slot, {}});
      });
    });
    return;
  }
  RowView rows = rowsByPre(weight);
  k.loop(weight.pre, [&](Value pre) {
    Value lo = k.loadIndex(rows.start, pre);
    Value hi = k.loadIndex(rows.start, k.add(pre, k.index(1)));
    k.loop(lo, hi, [&](Value entry) {
      Value slot = rows.slot ? k.loadIndex(rows.slot, entry) : entry;
      body({slot, pre, k.loadIndex(rows.target, entry), entry, {}});
    });
  });
}

/// The synapses of the units that fired, on one side, each in its lane.
void Lowering::forEachEvent(Kernel &k, Plasticity &p, neuro::Side side,
                            SynapseBody body) {
  Weight &weight = p.weight;
  bool isPre = side == neuro::Side::Pre;
  Events &events = isPre ? p.preEvents : p.postEvents;
  RowView rows;
  if (weight.storage == Storage::Synapses)
    rows = isPre ? rowsByPre(weight) : rowsByPost(weight);
  Value count = k.loadIndex(events.count, k.index(0));
  k.loop(k.index(0), count, [&](Value number) {
    Value event = k.loadIndex(events.units, number);
    Value unit = lanes == 1 ? event : k.div(event, lanes);
    Value lane = lanes == 1 ? k.index(0) : k.mod(event, lanes);
    if (weight.storage == Storage::Vector) {
      body({unit, unit, unit, unit, lane});
      return;
    }
    if (weight.storage == Storage::Matrix) {
      k.loop(isPre ? weight.post : weight.pre, [&](Value other) {
        Value pre = isPre ? unit : other, post = isPre ? other : unit;
        Value slot = k.add(k.mul(pre, weight.post), post);
        body({slot, pre, post, slot, lane});
      });
      return;
    }
    Value lo = k.loadIndex(rows.start, unit);
    Value hi = k.loadIndex(rows.start, k.add(unit, k.index(1)));
    k.loop(lo, hi, [&](Value entry) {
      Value slot = rows.slot ? k.loadIndex(rows.slot, entry) : entry;
      Value other = k.loadIndex(rows.target, entry);
      body({slot, isPre ? unit : other, isPre ? other : unit, slot, lane});
    });
  });
}

//===----------------------------------------------------------------------===//
// Bounds
//===----------------------------------------------------------------------===//

/// Written with comparisons, so that each bound is one instruction; a NaN
/// stays.
Value confine(Kernel &k, neuro::WeightOp weight, Value w) {
  OpBuilder &b = k.builder;
  auto replace = [&](arith::CmpFPredicate outside, double bound) {
    Value limit = k.number(bound);
    Value isOutside = arith::CmpFOp::create(b, k.loc, outside, w, limit);
    w = arith::SelectOp::create(b, k.loc, isOutside, limit, w);
  };
  if (weight.getSign() == neuro::Sign::Excitatory)
    replace(arith::CmpFPredicate::OLT, 0);
  if (weight.getSign() == neuro::Sign::Inhibitory)
    replace(arith::CmpFPredicate::OGT, 0);
  if (auto bounds = weight.getBounds()) {
    replace(arith::CmpFPredicate::OLT, (*bounds)[0]);
    replace(arith::CmpFPredicate::OGT, (*bounds)[1]);
  }
  return w;
}

Value selectPresent(Kernel &k, Weight &weight, Value slot, Value value) {
  OpBuilder &b = k.builder;
  Value present = arith::TruncIOp::create(b, k.loc, b.getI1Type(),
                                          k.load(weight.exists, slot));
  return arith::SelectOp::create(b, k.loc, present, value, k.number(0));
}

bool isConfined(neuro::WeightOp weight) {
  return weight.getSign() != neuro::Sign::Free || weight.getBounds();
}

//===----------------------------------------------------------------------===//
// Traces
//===----------------------------------------------------------------------===//

LogicalResult Lowering::emitTrace(Plasticity &p, neuro::TraceOp trace,
                                  bool spike) {
  Region &region = spike ? trace.getSpike() : trace.getTick();
  if (region.empty() || region.front().empty())
    return success();
  std::string name = ("trace." + p.op.getSymName() + "." + trace.getSymName() +
                      (spike ? ".spike" : ".tick"))
                         .str();
  Kernel k(module, trace.getLoc(), name, real);
  k.lanes = lanes;
  SignalUse source = p.side(trace.getSide());
  Buffer buffer = p.traces[trace.getSymName().str()];
  Pieces pieces(region.front());
  PieceBuffers buffers;
  LogicalResult result = success();
  auto body = [&](Value unit, Value lane, Value place) {
    auto read = [&](neuro::GetOp get) -> Value {
      StringRef what = get.getName();
      switch (neuro::resolveName(get, what)) {
      case neuro::NameKind::Trace: {
        auto other = cast<neuro::TraceOp>(p.rule.lookup(what));
        return other.getSide() == trace.getSide()
                   ? k.load(p.traces[what.str()], place)
                   : Value();
      }
      case neuro::NameKind::Factor: {
        auto factor = cast<neuro::FactorOp>(p.rule.lookup(what));
        SignalUse signal = use(p.factor(what));
        return k.loadReal(*signal.signal, k.slot(*signal.signal, signal.delay),
                          factor.getSide() == neuro::Side::Scalar ? lane
                                                                  : place);
      }
      case neuro::NameKind::Param:
        return k.number(p.param(what));
      case neuro::NameKind::Pre:
      case neuro::NameKind::Post:
        return k.loadReal(*source.signal, k.slot(*source.signal, source.delay),
                          place);
      default:
        return {};
      }
    };
    auto write = [&](Operation *, Value value) {
      k.store(value, buffer, place);
    };
    auto draw = [&](neuro::RandomOp random) {
      Value entity =
          lanes == 1 ? unit : k.add(k.mul(lane, buffer.size() / lanes), unit);
      return drawRandom(k, random.getKind(), p.op.getSymName(), entity,
                        int32_t(random.getDraw()));
    };
    auto noResults = [](neuro::ReduceOp) { return Value(); };
    if (failed(PieceEmitter{k, pieces, buffers, dt, dt, unit, read, write, draw,
                            noResults}
                   .emit(region.front(), 0, place)))
      result = failure();
  };
  if (spike) {
    Events &events =
        trace.getSide() == neuro::Side::Pre ? p.preEvents : p.postEvents;
    k.loop(k.index(0), k.loadIndex(events.count, k.index(0)), [&](Value event) {
      Value place = k.loadIndex(events.units, event);
      if (lanes == 1)
        body(place, k.index(0), place);
      else
        body(k.div(place, lanes), k.mod(place, lanes), place);
    });
  } else {
    k.loop(buffer.size() / lanes, [&](Value unit) {
      k.forLanes([&](Value lane) { body(unit, lane, k.place(unit, lane)); });
    });
  }
  if (failed(result))
    return failure();
  k.finish();
  (spike ? p.traceSpike : p.traceTick).push_back(globals.getStringAttr(name));
  return success();
}

//===----------------------------------------------------------------------===//
// The rule
//===----------------------------------------------------------------------===//

/// Bounds: one function for all synapses, which the engine calls when the host
/// has written the weight, and one for those that spike handlers may have
/// changed in this tick.
LogicalResult Lowering::emitBounds(Plasticity &p) {
  if (!isConfined(p.weight.op))
    return success();
  bool onPre = false, onPost = false, onTick = false;
  for (auto handler : p.rule.list<neuro::HandlerOp>()) {
    onPre |= handler.getEvent() == neuro::Event::Pre;
    onPost |= handler.getEvent() == neuro::Event::Post;
    bool setsWeight = false;
    handler.walk([&](neuro::SetOp set) {
      setsWeight |=
          neuro::resolveName(set, set.getName()) == neuro::NameKind::Weight;
    });
    onTick |= handler.getEvent() == neuro::Event::Tick && setsWeight;
  }
  auto emit = [&](StringRef key,
                  function_ref<void(Kernel &, SynapseBody)> loops) {
    std::string name = (key + "." + p.op.getSymName()).str();
    Kernel k(module, p.op.getLoc(), name, real);
    k.lanes = lanes;
    loops(k, [&](const Synapse &synapse) {
      Value w = k.load(p.weight.values, synapse.slot);
      Value kept = confine(k, p.weight.op, w);
      if (p.weight.exists)
        kept = selectPresent(k, p.weight, synapse.slot, kept);
      k.store(kept, p.weight.values, synapse.slot);
    });
    k.finish();
    p.fields.push_back(field(key, name));
  };
  emit("bounds_all", [&](Kernel &k, SynapseBody body) {
    k.loop(p.weight.count, [&](Value slot) { body({slot, {}, {}, {}, {}}); });
  });
  if (onTick || (!onPre && !onPost))
    return success(); // the handler of the tick keeps them, or nothing changes
  emit("bounds", [&](Kernel &k, SynapseBody body) {
    if (onPre)
      forEachEvent(k, p, neuro::Side::Pre, body);
    if (onPost)
      forEachEvent(k, p, neuro::Side::Post, body);
  });
  return success();
}

LogicalResult Lowering::lowerPlastic(neuro::PlasticOp plastic) {
  Plasticity p{
      plastic, plastic.getRuleOp(), *weightOf[plastic.getWeight().str()],
      use(plastic.getPre(), plastic.getDelay()), use(plastic.getPost())};
  std::string name = plastic.getSymName().str();
  p.fields = {field("name", name), field("weight", p.weight.op.getSymName()),
              flag("enabled", !plastic.getDisabled()),
              field("synapses", p.weight.count)};
  if (p.pre.signal->isSpikes) {
    p.preEvents = addEvents("events." + name + ".pre", p.weight.pre * lanes);
    p.fields.append({field("pre", p.pre.signal->number),
                     field("pre_delay", p.pre.delay),
                     field("pre_events", p.preEvents.units.name),
                     field("pre_count", p.preEvents.count.name)});
  }
  if (p.post.signal->isSpikes) {
    p.postEvents = addEvents("events." + name + ".post", p.weight.post * lanes);
    p.fields.append({field("post", p.post.signal->number),
                     field("post_delay", p.post.delay),
                     field("post_events", p.postEvents.units.name),
                     field("post_count", p.postEvents.count.name)});
  }
  for (auto trace : p.rule.list<neuro::TraceOp>()) {
    bool isPre = trace.getSide() == neuro::Side::Pre;
    p.traces[trace.getSymName().str()] = addReals(
        "trace." + name + "." + trace.getSymName(),
        std::vector<double>((isPre ? p.weight.pre : p.weight.post) * lanes,
                            trace.getInit().convertToDouble()));
  }
  for (auto state : p.rule.list<neuro::StateOp>())
    p.states[state.getSymName().str()] = addReals(
        "synapse." + name + "." + state.getSymName(),
        std::vector<double>(p.weight.count, state.getInit().convertToDouble()));
  for (auto trace : p.rule.list<neuro::TraceOp>())
    if (failed(emitTrace(p, trace, /*spike=*/false)) ||
        failed(emitTrace(p, trace, /*spike=*/true)))
      return failure();
  for (auto handler : p.rule.list<neuro::HandlerOp>())
    if (failed(emitHandler(p, handler)))
      return failure();
  if (failed(emitBounds(p)))
    return failure();
  AttrList stateList;
  for (auto state : p.rule.list<neuro::StateOp>())
    stateList.push_back(
        dictionary({field("name", state.getSymName()),
                    field("buffer", p.states[state.getSymName().str()].name)}));
  p.fields.push_back(field("states", stateList));
  p.fields.push_back(field("trace_tick", p.traceTick));
  p.fields.push_back(field("trace_spike", p.traceSpike));
  plastics.push_back(dictionary(p.fields));
  return success();
}

} // namespace neuroc::cpu
