// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Learning on the cores. Every core that keeps weights of a learning projection
// applies the rule to its own copy, from signals that it hears: copies of one
// weight (straight and transposed) therefore stay equal bit for bit. Order of a
// tick: traces advance; for each synapse on_pre, on_post, on_tick, then bounds
// and sign; last the traces' spike parts. See the neuro dialect's README.
#include "CoreEmitterImpl.h"

#include "neuroc/rt/spinn/CoreAbi.h"

#include <cmath>
#include <cstddef>

using namespace mlir;
using namespace neuroc;
using namespace neuroc::spinn;
using neuro::Interval;

/// The synapse at work. Weight and states live in stack slots meanwhile.
struct CoreEmitter::Synapse {
  llvm::Value *pre = nullptr, *post = nullptr; ///< units of the two sides
  llvm::Value *weight = nullptr;               ///< slot
  std::vector<llvm::Value *> states;           ///< slots, as stateNames
  neuro::TraceOp trace; ///< set while a trace region is emitted
  llvm::Value *traceUnit = nullptr;
};

static neuro::PlasticOp plasticOf(const WeightBlock &entry) {
  return entry.feed->plastic;
}

llvm::Value *CoreEmitter::traceArray(const WeightBlock &entry,
                                     neuro::TraceOp trace) {
  neuro::WeightOp weight = entry.feed->weight;
  bool isPre = trace.getSide() == neuro::Side::Pre;
  bool isOwn = isPre == ownsPre(entry);
  int64_t size = isOwn   ? spec.maxUnits
                 : isPre ? weight.getNumPre()
                         : weight.getNumPost();
  return array(entry.name(("trace_" + trace.getSymName()).str()), size);
}

/// Traces of the core's own side are kept for its units only.
llvm::Value *CoreEmitter::traceIndex(const WeightBlock &entry, neuro::Side side,
                                     llvm::Value *unit) {
  bool isOwn = (side == neuro::Side::Pre) == ownsPre(entry);
  return isOwn ? b.CreateSub(unit, share(ImageSpec::kFirst)) : unit;
}

Num CoreEmitter::signalOf(const Reading &reading, llvm::Value *unit,
                          llvm::Value *tick) {
  Format format =
      spec.formats->ofSource(*spec.plan, spec.plan->sources[reading.source]);
  llvm::Value *values = valuesOf(reading.source, reading.delay, tick);
  return {load(values, indexInValues(reading.source, unit)), format.frac,
          format.range};
}

/// The delayed readings of a plastic: pre, post.
static Reading preReading(const Plan &plan, neuro::PlasticOp plastic) {
  Reading reading = *plan.read(plastic.getPre());
  reading.delay += plastic.getDelay();
  return reading;
}
static Reading postReading(const Plan &plan, neuro::PlasticOp plastic) {
  return *plan.read(plastic.getPost());
}

Num CoreEmitter::readRule(const WeightBlock &entry, Operation *op,
                          const Synapse &synapse, llvm::Value *tick,
                          FixedEmitter &emitter) {
  neuro::PlasticOp plastic = plasticOf(entry);
  neuro::RuleOp rule = plastic.getRuleOp();
  StringRef owner = plastic.getSymName();
  if (auto random = dyn_cast<neuro::RandomOp>(op)) {
    llvm::Value *entity = synapse.traceUnit;
    if (!entity)
      entity = b.CreateAdd(
          b.CreateMul(synapse.pre, b.getInt32(static_cast<uint32_t>(
                                       entry.feed->weight.getNumPost()))),
          synapse.post);
    return readDraw(random, owner, entity, tick, emitter);
  }
  if (isa<neuro::TimeOp>(op))
    return readTime(tick);
  if (isa<neuro::DtOp>(op))
    return emitter.constant(spec.dt);
  auto get = dyn_cast<neuro::GetOp>(op);
  if (!get)
    return {};
  StringRef name = get.getName();
  if (name == "w" && synapse.weight) {
    Format format =
        spec.formats->get(entry.feed->weight.getSymName(), "weight", "w");
    return {b.CreateLoad(fixed.i32(), synapse.weight), format.frac,
            format.range};
  }
  if (name == "pre")
    return signalOf(preReading(*spec.plan, plastic), synapse.pre, tick);
  if (name == "post")
    return signalOf(postReading(*spec.plan, plastic), synapse.post, tick);
  Operation *declared = rule.lookup(name);
  if (auto trace = dyn_cast_or_null<neuro::TraceOp>(declared)) {
    Format format = spec.formats->get(owner, "trace", name);
    llvm::Value *unit =
        trace.getSide() == neuro::Side::Pre ? synapse.pre : synapse.post;
    return {load(traceArray(entry, trace),
                 traceIndex(entry, trace.getSide(), unit)),
            format.frac, format.range};
  }
  if (auto factor = dyn_cast_or_null<neuro::FactorOp>(declared)) {
    ArrayAttr names = *plastic.getFactorNames();
    for (auto [index, factorName] : llvm::enumerate(names)) {
      if (cast<StringAttr>(factorName).getValue() != name)
        continue;
      Reading reading = *spec.plan->read(plastic.getFactors()[index]);
      llvm::Value *unit = factor.getSide() == neuro::Side::Pre ? synapse.pre
                          : factor.getSide() == neuro::Side::Post
                              ? synapse.post
                              : static_cast<llvm::Value *>(b.getInt32(0));
      return signalOf(reading, unit, tick);
    }
  }
  for (auto [index, state] : llvm::enumerate(entry.stateNames))
    if (state == name && index < synapse.states.size()) {
      Format format = spec.formats->get(owner, "state", name);
      return {b.CreateLoad(fixed.i32(), synapse.states[index]), format.frac,
              format.range};
    }
  if (auto param = dyn_cast_or_null<neuro::ParamOp>(declared)) {
    double value = param.getValue().convertToDouble();
    if (auto params = plastic.getParams())
      if (auto given = params->getAs<FloatAttr>(name))
        value = given.getValueAsDouble();
    return emitter.constant(value);
  }
  return {};
}

/// Of what a handler sets.
std::optional<Format> CoreEmitter::storedIn(const WeightBlock &entry,
                                            Operation *op) {
  StringRef name = cast<neuro::SetOp>(op).getName();
  if (name == "w")
    return spec.formats->get(entry.feed->weight.getSymName(), "weight", "w");
  return spec.formats->get(plasticOf(entry).getSymName(), "state", name);
}

LogicalResult CoreEmitter::runHandler(const WeightBlock &entry,
                                      neuro::HandlerOp handler,
                                      const Synapse &synapse,
                                      llvm::Value *tick) {
  FixedEmitter emitter(module, b);
  emitter.storedIn = [&](Operation *op) { return storedIn(entry, op); };
  StringRef owner = plasticOf(entry).getSymName();
  auto read = [&](Operation *op) {
    return readRule(entry, op, synapse, tick, emitter);
  };
  auto write = [&](Operation *op, Num value) {
    StringRef name = cast<neuro::SetOp>(op).getName();
    if (name == "w") {
      Format format =
          spec.formats->get(entry.feed->weight.getSymName(), "weight", "w");
      b.CreateStore(fixed.toFormat(value, format), synapse.weight);
      return;
    }
    for (auto [index, state] : llvm::enumerate(entry.stateNames))
      if (state == name)
        b.CreateStore(
            fixed.toFormat(value, spec.formats->get(owner, "state", name)),
            synapse.states[index]);
  };
  return emitter.emitBlock(handler.getBody().front(), read, write);
}

/// Runs the handlers of one synapse and keeps the weight in its bounds.
LogicalResult CoreEmitter::updateSynapse(const WeightBlock &entry,
                                         const Synapse &synapse,
                                         llvm::Value *tick, bool isCall) {
  neuro::PlasticOp plastic = plasticOf(entry);
  LogicalResult result = success();
  auto fired = [&](const Reading &reading, llvm::Value *unit) {
    return b.CreateICmpNE(signalOf(reading, unit, tick).value, b.getInt32(0));
  };
  for (neuro::Event event : {neuro::Event::Pre, neuro::Event::Post,
                             neuro::Event::Tick, neuro::Event::Call})
    for (auto handler : plastic.getRuleOp().list<neuro::HandlerOp>()) {
      if (handler.getEvent() != event ||
          isCall != (event == neuro::Event::Call))
        continue;
      auto run = [&] {
        if (failed(runHandler(entry, handler, synapse, tick)))
          result = failure();
      };
      if (event == neuro::Event::Pre)
        ifThen(fired(preReading(*spec.plan, plastic), synapse.pre), run);
      else if (event == neuro::Event::Post)
        ifThen(fired(postReading(*spec.plan, plastic), synapse.post), run);
      else
        run();
    }
  b.CreateStore(confine(entry, b.CreateLoad(fixed.i32(), synapse.weight)),
                synapse.weight);
  return result;
}

/// The weight within its bounds and sign class.
llvm::Value *CoreEmitter::confine(const WeightBlock &entry, llvm::Value *w) {
  neuro::WeightOp weight = entry.feed->weight;
  Format format = spec.formats->get(weight.getSymName(), "weight", "w");
  std::optional<double> low, high;
  if (auto bounds = weight.getBounds()) {
    low = (*bounds)[0];
    high = (*bounds)[1];
  }
  if (weight.getSign() == neuro::Sign::Excitatory)
    low = std::max(low.value_or(0.0), 0.0);
  if (weight.getSign() == neuro::Sign::Inhibitory)
    high = std::min(high.value_or(0.0), 0.0);
  if (low && std::isfinite(*low))
    w = b.CreateBinaryIntrinsic(llvm::Intrinsic::smax, w,
                                fixed.toFormat(fixed.constant(*low), format));
  if (high && std::isfinite(*high))
    w = b.CreateBinaryIntrinsic(llvm::Intrinsic::smin, w,
                                fixed.toFormat(fixed.constant(*high), format));
  return w;
}

/// Updates all synapses of a block. Where the rule acts on spikes only, those
/// without a spike on either side are passed over.
LogicalResult CoreEmitter::emitSynapses(const WeightBlock &entry,
                                        llvm::Value *tick, bool isCall) {
  neuro::PlasticOp plastic = plasticOf(entry);
  bool onTick = isCall, any = false, onPre = false, onPost = false;
  for (auto handler : plastic.getRuleOp().list<neuro::HandlerOp>()) {
    bool mine = isCall == (handler.getEvent() == neuro::Event::Call);
    any |= mine;
    onTick |= mine && handler.getEvent() == neuro::Event::Tick;
    onPre |= mine && handler.getEvent() == neuro::Event::Pre;
    onPost |= mine && handler.getEvent() == neuro::Event::Post;
  }
  if (!any)
    return success();
  LogicalResult result = success();
  llvm::Value *weightSlot = slot(fixed.i32());
  std::vector<llvm::Value *> stateSlots;
  for (size_t i = 0; i < entry.stateNames.size(); ++i)
    stateSlots.push_back(slot(fixed.i32()));
  Reading pre = preReading(*spec.plan, plastic);
  Reading post = postReading(*spec.plan, plastic);

  // One synapse: `other` is the far unit, `at` its place in the arrays.
  auto visit = [&](llvm::Value *own, llvm::Value *other, llvm::Value *at,
                   llvm::Value *weights,
                   const std::vector<llvm::Value *> &states) {
    Synapse synapse;
    synapse.pre = ownsPre(entry) ? own : other;
    synapse.post = ownsPre(entry) ? other : own;
    synapse.weight = weightSlot;
    synapse.states = stateSlots;
    auto body = [&] {
      b.CreateStore(load(weights, at), weightSlot);
      for (size_t i = 0; i < states.size(); ++i)
        b.CreateStore(load(states[i], at), stateSlots[i]);
      if (failed(updateSynapse(entry, synapse, tick, isCall)))
        result = failure();
      store(b.CreateLoad(fixed.i32(), weightSlot), weights, at);
      for (size_t i = 0; i < states.size(); ++i)
        store(b.CreateLoad(fixed.i32(), stateSlots[i]), states[i], at);
    };
    if (onTick)
      return body();
    llvm::Value *fired = b.getInt32(0);
    if (onPre)
      fired = b.CreateOr(fired, signalOf(pre, synapse.pre, tick).value);
    if (onPost)
      fired = b.CreateOr(fired, signalOf(post, synapse.post, tick).value);
    ifThen(b.CreateICmpNE(fired, b.getInt32(0)), body);
  };

  bool reduces = false;
  for (auto handler : plastic.getRuleOp().list<neuro::HandlerOp>())
    if (isCall == (handler.getEvent() == neuro::Event::Call))
      reduces |= !handler.getBody().front().getOps<neuro::ReduceOp>().empty();

  // A rule that acts on spikes only: where the unit of the core is silent, the
  // listed units of the other side are all there is to visit.
  bool byList = !reduces && !onTick && entry.feed->mode == FeedMode::Dense;
  bool onFar = ownsPre(entry) ? onPost : onPre;
  bool onNear = ownsPre(entry) ? onPre : onPost;
  const Reading &far = ownsPre(entry) ? post : pre;
  const Reading &near = ownsPre(entry) ? pre : post;
  llvm::Value *farCount = b.getInt32(0);
  std::string farList = entry.name("far_fired");
  if (byList && onFar)
    farCount = listFired(farList, valuesOf(far.source, far.delay, tick),
                         entry.columns, [](llvm::Value *, llvm::Value *) {});

  forLoop(b.getInt32(0), share(ImageSpec::kUnits), [&](llvm::Value *u) {
    llvm::Value *own = b.CreateAdd(u, share(ImageSpec::kFirst));
    auto wholeRow = [&] {
      Row row;
      openRow(entry, u, row);
      if (reduces) {
        if (failed(updateRow(entry, row, own, tick, isCall)))
          result = failure();
      } else {
        row.forEach([&](llvm::Value *other, llvm::Value *at, llvm::Value *) {
          visit(own, other ? other : own, at, row.weights, row.states);
        });
      }
      closeRow(entry, u, row);
    };
    if (!byList)
      return wholeRow();
    llvm::Value *isNear =
        onNear ? b.CreateICmpNE(signalOf(near, own, tick).value, b.getInt32(0))
               : static_cast<llvm::Value *>(b.getFalse());
    if (onNear)
      ifThen(isNear, wholeRow);
    if (!onFar)
      return;
    llvm::Value *some = b.CreateAnd(b.CreateNot(isNear),
                                    b.CreateICmpNE(farCount, b.getInt32(0)));
    ifThen(some, [&] {
      Row row;
      openRow(entry, u, row);
      llvm::GlobalVariable *list = array(farList, entry.columns);
      forLoop(b.getInt32(0), farCount, [&](llvm::Value *k) {
        llvm::Value *i = load(list, k);
        row.ifExists(i, [&] { visit(own, i, i, row.weights, row.states); });
      });
      closeRow(entry, u, row);
    });
  });
  return result;
}

/// The synapses of one unit of the core: in place, or fetched from SDRAM.
void CoreEmitter::openRow(const WeightBlock &entry, llvm::Value *u, Row &row) {
  using Body = Row::Body;
  switch (entry.feed->mode) {
  case FeedMode::Dense: {
    llvm::Value *columns = b.getInt32(static_cast<uint32_t>(entry.columns));
    row.weights = weightRow(entry, "weights", u, 0);
    for (auto [index, name] : llvm::enumerate(entry.stateNames))
      row.states.push_back(weightRow(entry, "synapse_" + name, u, 1 + index));
    row.most = entry.columns;
    row.count = columns;
    row.ifExists = [this, columns, u, &entry](llvm::Value *i,
                                              llvm::function_ref<void()> body) {
      if (!entry.isMasked)
        return body();
      llvm::Value *at = b.CreateAdd(b.CreateMul(u, columns), i);
      llvm::Value *word =
          load(array(entry.name("exists"), (entry.entries + 31) / 32),
               b.CreateLShr(at, 5));
      llvm::Value *bit =
          b.CreateAnd(b.CreateLShr(word, b.CreateAnd(at, 31)), 1);
      ifThen(b.CreateICmpNE(bit, b.getInt32(0)), body);
    };
    row.forEach = [this, columns, &row](Body body) {
      forLoop(b.getInt32(0), columns,
              [&](llvm::Value *i) { row.ifExists(i, [&] { body(i, i, i); }); });
    };
    return;
  }
  case FeedMode::Gather: {
    llvm::GlobalVariable *start = array(entry.name("start"), spec.maxUnits + 1);
    llvm::GlobalVariable *taps = array(entry.name("taps"), entry.taps);
    row.weights = array(entry.name("weights"), entry.entries);
    for (const std::string &name : entry.stateNames)
      row.states.push_back(array(entry.name("synapse_" + name), entry.entries));
    llvm::Value *first = load(start, u);
    llvm::Value *last = load(start, b.CreateAdd(u, b.getInt32(1)));
    row.most = entry.taps;
    row.count = b.CreateSub(last, first);
    row.forEach = [this, first, last, taps](Body body) {
      forLoop(first, last, [&](llvm::Value *t) {
        body(b.CreateAnd(load(taps, t), 0xffff), t, b.CreateSub(t, first));
      });
    };
    return;
  }
  default:
    row.weights = array(entry.name("weights"), entry.entries);
    for (const std::string &name : entry.stateNames)
      row.states.push_back(array(entry.name("synapse_" + name), entry.entries));
    row.count = b.getInt32(1);
    row.forEach = [this, u](Body body) { body(nullptr, u, b.getInt32(0)); };
    return;
  }
}

void CoreEmitter::closeRow(const WeightBlock &entry, llvm::Value *u, Row &row) {
  if (entry.feed->mode != FeedMode::Dense || !spec.isExternal)
    return;
  llvm::Value *bytes = b.getInt32(static_cast<uint32_t>(entry.columns * 4));
  b.CreateCall(writeFunction(),
               {externalAddress(entry, u, 0), row.weights, bytes});
  for (size_t i = 0; i < row.states.size(); ++i)
    b.CreateCall(writeFunction(),
                 {externalAddress(entry, u, 1 + i), row.states[i], bytes});
}

/// Runs handlers that reduce over the synapses of a row: each handler for the
/// whole row, piece by piece, then the bounds.
LogicalResult CoreEmitter::updateRow(const WeightBlock &entry, const Row &row,
                                     llvm::Value *own, llvm::Value *tick,
                                     bool isCall) {
  neuro::PlasticOp plastic = plasticOf(entry);
  LogicalResult result = success();
  Synapse synapse;
  synapse.weight = slot(fixed.i32());
  for (size_t i = 0; i < row.states.size(); ++i)
    synapse.states.push_back(slot(fixed.i32()));
  llvm::Value *place = nullptr; // of the synapse at work
  Format format =
      spec.formats->get(entry.feed->weight.getSymName(), "weight", "w");
  auto write = [&](Operation *op, Num value) {
    StringRef name = cast<neuro::SetOp>(op).getName();
    if (name == "w")
      return store(fixed.toFormat(value, format), row.weights, place);
    for (auto [index, state] : llvm::enumerate(entry.stateNames))
      if (state == name)
        store(fixed.toFormat(value, spec.formats->get(plastic.getSymName(),
                                                      "state", name)),
              row.states[index], place);
  };
  auto makeRead = [&](FixedEmitter &emitter) {
    emitter.storedIn = [&](Operation *op) { return storedIn(entry, op); };
    return [&](Operation *op) {
      return readRule(entry, op, synapse, tick, emitter);
    };
  };
  auto isFired = [&](const Reading &reading, llvm::Value *unit) {
    return b.CreateICmpNE(signalOf(reading, unit, tick).value, b.getInt32(0));
  };
  for (neuro::Event event : {neuro::Event::Pre, neuro::Event::Post,
                             neuro::Event::Tick, neuro::Event::Call})
    for (auto handler : plastic.getRuleOp().list<neuro::HandlerOp>()) {
      if (handler.getEvent() != event ||
          isCall != (event == neuro::Event::Call))
        continue;
      Group group;
      group.name = entry.name("row_" + std::to_string(int(event)));
      group.most = row.most;
      group.isWhole = !entry.isMasked && event != neuro::Event::Pre &&
                      event != neuro::Event::Post;
      group.count = [&] { return row.count; };
      group.forMembers = [&](llvm::function_ref<void(llvm::Value *)> member) {
        row.forEach([&](llvm::Value *other, llvm::Value *at,
                        llvm::Value *position) {
          if (!other)
            other = own;
          synapse.pre = ownsPre(entry) ? own : other;
          synapse.post = ownsPre(entry) ? other : own;
          place = at;
          auto body = [&] {
            b.CreateStore(load(row.weights, at), synapse.weight);
            for (size_t i = 0; i < row.states.size(); ++i)
              b.CreateStore(load(row.states[i], at), synapse.states[i]);
            member(position);
          };
          if (event == neuro::Event::Pre)
            ifThen(isFired(preReading(*spec.plan, plastic), synapse.pre), body);
          else if (event == neuro::Event::Post)
            ifThen(isFired(postReading(*spec.plan, plastic), synapse.post),
                   body);
          else
            body();
        });
      };
      if (failed(emitCollective(handler.getBody().front(), group, makeRead,
                                write)))
        result = failure();
    }
  row.forEach([&](llvm::Value *, llvm::Value *at, llvm::Value *) {
    store(confine(entry, load(row.weights, at)), row.weights, at);
  });
  return result;
}

LogicalResult CoreEmitter::emitTraces(const WeightBlock &entry,
                                      llvm::Value *tick, bool isSpikePart) {
  neuro::PlasticOp plastic = plasticOf(entry);
  LogicalResult result = success();
  for (neuro::TraceOp trace : plastic.getRuleOp().list<neuro::TraceOp>()) {
    Region &region = isSpikePart ? trace.getSpike() : trace.getTick();
    if (region.empty() || region.front().empty())
      continue;
    bool isPre = trace.getSide() == neuro::Side::Pre;
    bool isOwn = isPre == ownsPre(entry);
    Reading reading = isPre ? preReading(*spec.plan, plastic)
                            : postReading(*spec.plan, plastic);
    neuro::WeightOp weight = entry.feed->weight;
    llvm::Value *count =
        isOwn ? share(ImageSpec::kUnits)
              : b.getInt32(static_cast<uint32_t>(isPre ? weight.getNumPre()
                                                       : weight.getNumPost()));
    llvm::Value *values = traceArray(entry, trace);
    Format format =
        spec.formats->get(plastic.getSymName(), "trace", trace.getSymName());
    forLoop(b.getInt32(0), count, [&](llvm::Value *k) {
      Synapse synapse;
      llvm::Value *unit = isOwn ? b.CreateAdd(k, share(ImageSpec::kFirst)) : k;
      synapse.pre = synapse.post = synapse.traceUnit = unit;
      auto body = [&] {
        FixedEmitter emitter(module, b);
        auto read = [&](Operation *op) {
          return readRule(entry, op, synapse, tick, emitter);
        };
        auto write = [&](Operation *, Num value) {
          store(fixed.toFormat(value, format), values, k);
        };
        if (failed(emitter.emitBlock(region.front(), read, write)))
          result = failure();
      };
      if (isSpikePart)
        ifThen(
            b.CreateICmpNE(signalOf(reading, unit, tick).value, b.getInt32(0)),
            body);
      else
        body();
    });
  }
  return result;
}

LogicalResult CoreEmitter::emitLearning(llvm::Value *tick) {
  for (const WeightBlock &entry : spec.blocks) {
    if (!entry.feed->plastic)
      continue;
    if (failed(emitTraces(entry, tick, false)))
      return failure();
    size_t number = llvm::find(spec.plan->plastics, entry.feed->plastic) -
                    spec.plan->plastics.begin();
    llvm::Value *mask =
        b.CreateLoad(fixed.i32(),
                     b.CreateIntToPtr(b.getInt32(NEUROC_SPINN_CONTROL_ADDRESS +
                                                 offsetof(neuroc_spinn_control,
                                                          plastic_mask)),
                                      b.getPtrTy()),
                     /*isVolatile=*/true);
    llvm::Value *enabled =
        b.CreateICmpNE(b.CreateAnd(mask, uint64_t(1) << number), b.getInt32(0));
    LogicalResult result = success();
    ifThen(enabled, [&] { result = emitSynapses(entry, tick, false); });
    if (failed(result) || failed(emitTraces(entry, tick, true)))
      return failure();
  }
  return success();
}

LogicalResult CoreEmitter::emitCalls() {
  begin(function("neuroc_core_call", 2));
  for (const WeightBlock &entry : spec.blocks) {
    if (!entry.feed->plastic)
      continue;
    size_t number = llvm::find(spec.plan->plastics, entry.feed->plastic) -
                    spec.plan->plastics.begin();
    LogicalResult result = success();
    ifThen(b.CreateICmpEQ(current->getArg(0),
                          b.getInt32(static_cast<uint32_t>(number))),
           [&] { result = emitSynapses(entry, current->getArg(1), true); });
    if (failed(result))
      return failure();
  }
  b.CreateRetVoid();
  return success();
}
