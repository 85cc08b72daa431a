// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Learning rules. One function for each part of a rule's tick: traces of every
// unit, the handlers of pre and post spikes (along rows and columns of the
// weight, for the units that the engine lists), the handler of every tick, the
// bounds, and the increments of traces. The engine calls them in that order.

#include "Lowering.h"

using namespace mlir;

namespace neuroc::cpu {

/// What the emitters of one plastic share.
struct Lowering::Plasticity {
  neuro::PlasticOp op;
  neuro::RuleOp rule;
  Weight &weight;
  SignalUse pre, post;
  Events preEvents, postEvents; ///< filled if the signal is one of spikes
  std::map<std::string, Buffer> traces, states;
  Fields fields;
  AttrList traceTick, traceSpike;

  SignalUse side(neuro::Side side) const {
    return side == neuro::Side::Pre ? pre : post;
  }
};

namespace {

/// The indices of one synapse in generated code. Null where unknown.
struct Synapse {
  Value slot, pre, post;
};

} // namespace

using SynapseBody = function_ref<void(Synapse)>;

/// All synapses, by pre unit.
static void forEachSynapse(Kernel &k, Weight &weight, const RowView &rows,
                           SynapseBody body) {
  if (weight.storage == Storage::Vector) {
    k.loop(weight.pre, [&](Value unit) { body({unit, unit, unit}); });
    return;
  }
  k.loop(weight.pre, [&](Value pre) {
    if (weight.storage == Storage::Matrix) {
      Value row = k.mul(pre, weight.post);
      k.loop(weight.post,
             [&](Value post) { body({k.add(row, post), pre, post}); });
      return;
    }
    Value lo = k.loadIndex(rows.start, pre);
    Value hi = k.loadIndex(rows.start, k.add(pre, k.index(1)));
    k.loop(lo, hi, [&](Value slot) {
      body({slot, pre, k.loadIndex(rows.target, slot)});
    });
  });
}

/// The synapses of the units that fired, on one side.
static void forEachEvent(Kernel &k, Weight &weight, neuro::Side side,
                         const Buffer &units, const Buffer &counter,
                         const RowView &rows, SynapseBody body) {
  bool isPre = side == neuro::Side::Pre;
  Value count = k.loadIndex(counter, k.index(0));
  k.loop(k.index(0), count, [&](Value event) {
    Value unit = k.loadIndex(units, event);
    if (weight.storage == Storage::Vector) {
      body({unit, unit, unit});
      return;
    }
    if (weight.storage == Storage::Matrix) {
      if (isPre) {
        Value row = k.mul(unit, weight.post);
        k.loop(weight.post,
               [&](Value post) { body({k.add(row, post), unit, post}); });
      } else {
        k.loop(weight.pre, [&](Value pre) {
          body({k.add(k.mul(pre, weight.post), unit), pre, unit});
        });
      }
      return;
    }
    Value lo = k.loadIndex(rows.start, unit);
    Value hi = k.loadIndex(rows.start, k.add(unit, k.index(1)));
    k.loop(lo, hi, [&](Value entry) {
      Value slot = rows.slot ? k.loadIndex(rows.slot, entry) : entry;
      Value other = k.loadIndex(rows.target, entry);
      body({slot, isPre ? unit : other, isPre ? other : unit});
    });
  });
}

/// The value of a rule's parameter: the plastic's own or the default.
static double paramValue(neuro::PlasticOp plastic, neuro::RuleOp rule,
                         StringRef name) {
  if (auto params = plastic.getParams())
    if (auto value = params->getAs<FloatAttr>(name))
      return value.getValueAsDouble();
  return cast<neuro::ParamOp>(rule.lookup(name)).getValue().convertToDouble();
}

namespace {

/// Emits the body of a trace or handler for one unit or synapse.
class RuleEmitter {
public:
  function_ref<Value(neuro::NameKind, StringRef)> read;
  function_ref<void(neuro::NameKind, StringRef, Value)> write;
  function_ref<Value(neuro::RandomOp)> draw;
  Value number; ///< of the unit or synapse

  LogicalResult emit(Kernel &k, Block &block, double dt) {
    ScalarCloner cloner(k);
    OpBuilder &b = k.builder;
    for (Operation &op : block) {
      if (auto get = dyn_cast<neuro::GetOp>(op)) {
        Value value =
            read(neuro::resolveName(get, get.getName()), get.getName());
        assert(value && "the verifier knows what a rule may read");
        cloner.map(get.getValue(), value);
      } else if (auto set = dyn_cast<neuro::SetOp>(op)) {
        write(neuro::resolveName(set, set.getName()), set.getName(),
              cloner.lookup(set.getValue()));
      } else if (auto random = dyn_cast<neuro::RandomOp>(op)) {
        Value exact = draw(random);
        cloner.mapExact(random.getValue(), exact);
        cloner.map(random.getValue(),
                   k.real.isF64()
                       ? exact
                       : arith::TruncFOp::create(b, k.loc, k.real, exact));
      } else if (auto time = dyn_cast<neuro::TimeOp>(op)) {
        Value ticks =
            arith::UIToFPOp::create(b, k.loc, b.getF64Type(), k.tick());
        Value step = arith::ConstantOp::create(b, k.loc, b.getF64FloatAttr(dt));
        Value ms = arith::MulFOp::create(b, k.loc, ticks, step);
        cloner.map(time.getValue(), k.real.isF64() ? ms
                                                   : arith::TruncFOp::create(
                                                         b, k.loc, k.real, ms));
      } else if (auto step = dyn_cast<neuro::DtOp>(op)) {
        cloner.map(step.getValue(), k.number(dt));
      } else if (auto index = dyn_cast<neuro::IndexOp>(op)) {
        Value value =
            arith::IndexCastUIOp::create(b, k.loc, b.getI64Type(), number);
        cloner.map(index.getValue(),
                   arith::UIToFPOp::create(b, k.loc, k.real, value));
      } else if (isa<neuro::DiffOp>(op)) {
        return op.emitOpError("is not in core normal form; run "
                              "neuro-solve-dynamics first");
      } else {
        cloner.clone(&op);
      }
    }
    return success();
  }
};

} // namespace

/// min(max(w, lo), hi) with the weight's bounds and sign class.
static Value confine(Kernel &k, neuro::WeightOp weight, Value w) {
  OpBuilder &b = k.builder;
  if (weight.getSign() == neuro::Sign::Excitatory)
    w = arith::MaximumFOp::create(b, k.loc, w, k.number(0));
  if (weight.getSign() == neuro::Sign::Inhibitory)
    w = arith::MinimumFOp::create(b, k.loc, w, k.number(0));
  if (auto bounds = weight.getBounds()) {
    w = arith::MaximumFOp::create(b, k.loc, w, k.number((*bounds)[0]));
    w = arith::MinimumFOp::create(b, k.loc, w, k.number((*bounds)[1]));
  }
  return w;
}

/// `value`, or 0 where the matrix has no synapse.
static Value selectPresent(Kernel &k, Weight &weight, Value slot, Value value) {
  OpBuilder &b = k.builder;
  Value present = arith::TruncIOp::create(b, k.loc, b.getI1Type(),
                                          k.load(weight.exists, slot));
  return arith::SelectOp::create(b, k.loc, present, value, k.number(0));
}

static bool isConfined(neuro::WeightOp weight) {
  return weight.getSign() != neuro::Sign::Free || weight.getBounds();
}

SignalUse Lowering::factorSignal(Plasticity &p, StringRef name) {
  unsigned number = 0;
  for (Attribute connected : p.op.getFactorNamesAttr()) {
    if (cast<StringAttr>(connected).getValue() == name)
      break;
    ++number;
  }
  return use(p.op.getFactors()[number]);
}

LogicalResult Lowering::emitTrace(Plasticity &p, neuro::TraceOp trace,
                                  bool spike) {
  Region &region = spike ? trace.getSpike() : trace.getTick();
  if (region.empty() || region.front().empty())
    return success();
  std::string name = ("trace." + p.op.getSymName() + "." + trace.getSymName() +
                      (spike ? ".spike" : ".tick"))
                         .str();
  Kernel k(module, trace.getLoc(), name, real);
  SignalUse source = p.side(trace.getSide());
  Buffer buffer = p.traces[trace.getSymName().str()];
  LogicalResult result = success();
  auto body = [&](Value unit) {
    auto read = [&](neuro::NameKind kind, StringRef what) -> Value {
      switch (kind) {
      case neuro::NameKind::Trace: {
        auto other = cast<neuro::TraceOp>(p.rule.lookup(what));
        return other.getSide() == trace.getSide()
                   ? k.load(p.traces[what.str()], unit)
                   : Value();
      }
      case neuro::NameKind::Factor: {
        auto factor = cast<neuro::FactorOp>(p.rule.lookup(what));
        SignalUse signal = factorSignal(p, what);
        return k.loadReal(*signal.signal, k.slot(*signal.signal, signal.delay),
                          factor.getSide() == neuro::Side::Scalar ? k.index(0)
                                                                  : unit);
      }
      case neuro::NameKind::Param:
        return k.number(paramValue(p.op, p.rule, what));
      case neuro::NameKind::Pre:
      case neuro::NameKind::Post:
        return k.loadReal(*source.signal, k.slot(*source.signal, source.delay),
                          unit);
      default:
        return {};
      }
    };
    auto write = [&](neuro::NameKind, StringRef, Value value) {
      k.store(value, buffer, unit);
    };
    auto draw = [&](neuro::RandomOp random) {
      return drawRandom(k, random.getKind(), p.op.getSymName(), unit,
                        int32_t(random.getDraw()));
    };
    if (failed(
            RuleEmitter{read, write, draw, unit}.emit(k, region.front(), dt)))
      result = failure();
  };
  if (spike) {
    Events &events =
        trace.getSide() == neuro::Side::Pre ? p.preEvents : p.postEvents;
    k.loop(k.index(0), k.loadIndex(events.count, k.index(0)),
           [&](Value event) { body(k.loadIndex(events.units, event)); });
  } else {
    k.loop(buffer.size(), body);
  }
  if (failed(result))
    return failure();
  k.finish();
  (spike ? p.traceSpike : p.traceTick).push_back(globals.getStringAttr(name));
  return success();
}

LogicalResult Lowering::emitHandler(Plasticity &p, neuro::HandlerOp handler) {
  neuro::Event event = handler.getEvent();
  std::string name =
      ("on_" + neuro::stringifyEvent(event) + "." + p.op.getSymName()).str();
  Kernel k(module, handler.getLoc(), name, real);
  k.lag = event == neuro::Event::Call;
  bool confined = isConfined(p.weight.op);
  LogicalResult result = success();
  auto body = [&](Synapse synapse) {
    auto signalValue = [&](SignalUse source, Value unit) {
      return k.loadReal(*source.signal, k.slot(*source.signal, source.delay),
                        unit);
    };
    auto read = [&](neuro::NameKind kind, StringRef what) -> Value {
      switch (kind) {
      case neuro::NameKind::Weight:
        return k.load(p.weight.values, synapse.slot);
      case neuro::NameKind::State:
        return k.load(p.states[what.str()], synapse.slot);
      case neuro::NameKind::Param:
        return k.number(paramValue(p.op, p.rule, what));
      case neuro::NameKind::Pre:
        return signalValue(p.pre, synapse.pre);
      case neuro::NameKind::Post:
        return signalValue(p.post, synapse.post);
      case neuro::NameKind::Trace: {
        auto trace = cast<neuro::TraceOp>(p.rule.lookup(what));
        return k.load(p.traces[what.str()], trace.getSide() == neuro::Side::Pre
                                                ? synapse.pre
                                                : synapse.post);
      }
      case neuro::NameKind::Factor: {
        auto factor = cast<neuro::FactorOp>(p.rule.lookup(what));
        return signalValue(factorSignal(p, what),
                           factor.getSide() == neuro::Side::Pre ? synapse.pre
                           : factor.getSide() == neuro::Side::Post
                               ? synapse.post
                               : k.index(0));
      }
      default:
        return {};
      }
    };
    auto write = [&](neuro::NameKind kind, StringRef what, Value value) {
      if (kind != neuro::NameKind::Weight) {
        k.store(value, p.states[what.str()], synapse.slot);
        return;
      }
      // The tick handler is the last that changes weights, so it keeps the
      // bounds itself; the others leave that to the "bounds" function.
      if (confined &&
          (event == neuro::Event::Tick || event == neuro::Event::Call))
        value = confine(k, p.weight.op, value);
      if (p.weight.exists)
        value = selectPresent(k, p.weight, synapse.slot, value);
      k.store(value, p.weight.values, synapse.slot);
    };
    auto draw = [&](neuro::RandomOp random) {
      // Addressed by the pair, so that the layout does not matter.
      Value pair = k.add(k.mul(synapse.pre, p.weight.post), synapse.post);
      return drawRandom(k, random.getKind(), p.op.getSymName(), pair,
                        int32_t(random.getDraw()));
    };
    if (failed(RuleEmitter{read, write, draw, synapse.slot}.emit(
            k, handler.getBody().front(), dt)))
      result = failure();
  };
  bool sparse = p.weight.storage == Storage::Synapses;
  if (event == neuro::Event::Pre)
    forEachEvent(k, p.weight, neuro::Side::Pre, p.preEvents.units,
                 p.preEvents.count, sparse ? rowsByPre(p.weight) : RowView(),
                 body);
  else if (event == neuro::Event::Post)
    forEachEvent(k, p.weight, neuro::Side::Post, p.postEvents.units,
                 p.postEvents.count, sparse ? rowsByPost(p.weight) : RowView(),
                 body);
  else
    forEachSynapse(k, p.weight, sparse ? rowsByPre(p.weight) : RowView(), body);
  if (failed(result))
    return failure();
  k.finish();
  p.fields.push_back(field(("on_" + neuro::stringifyEvent(event)).str(), name));
  return success();
}

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
  bool sparse = p.weight.storage == Storage::Synapses;
  auto emit = [&](StringRef key,
                  function_ref<void(Kernel &, SynapseBody)> loops) {
    std::string name = (key + "." + p.op.getSymName()).str();
    Kernel k(module, p.op.getLoc(), name, real);
    loops(k, [&](Synapse synapse) {
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
    forEachSynapse(k, p.weight, sparse ? rowsByPre(p.weight) : RowView(), body);
  });
  if (onTick || (!onPre && !onPost))
    return success(); // the handler of the tick keeps them, or nothing changes
  emit("bounds", [&](Kernel &k, SynapseBody body) {
    if (onPre)
      forEachEvent(k, p.weight, neuro::Side::Pre, p.preEvents.units,
                   p.preEvents.count, sparse ? rowsByPre(p.weight) : RowView(),
                   body);
    if (onPost)
      forEachEvent(k, p.weight, neuro::Side::Post, p.postEvents.units,
                   p.postEvents.count,
                   sparse ? rowsByPost(p.weight) : RowView(), body);
  });
  return success();
}

LogicalResult Lowering::lowerPlastic(neuro::PlasticOp plastic) {
  Plasticity p{plastic,
               plastic.getRuleOp(),
               *weightOf[plastic.getWeight().str()],
               use(plastic.getPre(), plastic.getDelay()),
               use(plastic.getPost()),
               {},
               {},
               {},
               {},
               {},
               {},
               {}};
  assert(p.weight.storage != Storage::Kernel && "rule plastic_r7");
  std::string name = plastic.getSymName().str();
  p.fields = {field("name", name), field("weight", p.weight.op.getSymName()),
              flag("enabled", !plastic.getDisabled()),
              field("synapses", p.weight.count)};
  if (p.pre.signal->isSpikes) {
    p.preEvents = addEvents("events." + name + ".pre", p.weight.pre);
    p.fields.append({field("pre", p.pre.signal->number),
                     field("pre_delay", p.pre.delay),
                     field("pre_events", p.preEvents.units.name),
                     field("pre_count", p.preEvents.count.name)});
  }
  if (p.post.signal->isSpikes) {
    p.postEvents = addEvents("events." + name + ".post", p.weight.post);
    p.fields.append({field("post", p.post.signal->number),
                     field("post_delay", p.post.delay),
                     field("post_events", p.postEvents.units.name),
                     field("post_count", p.postEvents.count.name)});
  }
  for (auto trace : p.rule.list<neuro::TraceOp>()) {
    bool isPre = trace.getSide() == neuro::Side::Pre;
    p.traces[trace.getSymName().str()] =
        addReals("trace." + name + "." + trace.getSymName(),
                 std::vector<double>(isPre ? p.weight.pre : p.weight.post,
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
  p.fields.push_back(field("trace_tick", p.traceTick));
  p.fields.push_back(field("trace_spike", p.traceSpike));
  plastics.push_back(dictionary(p.fields));
  return success();
}

} // namespace neuroc::cpu
