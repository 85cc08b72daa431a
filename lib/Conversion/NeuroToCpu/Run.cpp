// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Many ticks in one call. A network without spikes needs nothing of the engine
// between the functions of a tick, so one function runs them all in a loop:
// stimuli come from rows that the engine has laid out, recorders write rows
// that it picks up afterwards. Small functions are expanded in place, so that
// LLVM keeps the states of a few units in registers from tick to tick.

#include "Lowering.h"

using namespace mlir;

namespace neuroc::cpu {

/// Places of the control buffer, set by the engine before each call.
enum Control : int64_t {
  kTicks,     ///< how many
  kEvery,     ///< ticks that a row of stimuli lasts
  kRecording, ///< not 0: recorders write
  kFirst      ///< then one number per stimulus (elements from row to row, or 0)
              ///< and one per plastic (enabled or not)
};

/// Code of at most this many operations times places is expanded in place, as
/// long as all of it together has no more than kAll operations: the time that
/// LLVM takes for one function grows faster than its size.
constexpr int64_t kSmall = 4096, kAll = 6000;

int64_t Lowering::rowsPerRun() {
  int64_t width = 1;
  for (const Signal &signal : signals)
    if (isa_and_nonnull<neuro::StimulusOp>(signal.value.getDefiningOp()))
      width += signal.units;
  for (Operation &op : network.getBody().front()) {
    if (auto probe = dyn_cast<neuro::ProbeOp>(op))
      width += use(probe.getInput()).signal->units;
    else if (auto watch = dyn_cast<neuro::WatchOp>(op))
      width += network.lookupSymbol<neuro::PopulationOp>(watch.getPopulation())
                   .getNumUnits() *
               lanes;
  }
  return std::clamp<int64_t>((1 << 17) / width, 1, 1024);
}

/// The function that `name` names, as a callee; small ones are expanded.
static void call(Kernel &k, ModuleOp module, StringRef name, Value now,
                 bool small) {
  auto callee = module.lookupSymbol<func::FuncOp>(name);
  if (small)
    callee->setAttr("passthrough", k.builder.getStrArrayAttr({"alwaysinline"}));
  func::CallOp::create(k.builder, k.loc, callee, ValueRange{now});
}

/// The body runs if a condition holds.
static void when(Kernel &k, Value condition, function_ref<void()> body) {
  auto branch = scf::IfOp::create(k.builder, k.loc, condition, false);
  OpBuilder::InsertionGuard guard(k.builder);
  k.builder.setInsertionPointToStart(&branch.getThenRegion().front());
  body();
}

/// The element where a signal's slot of tick `now` begins.
static Value slotAt(Kernel &k, const Signal &signal, Value now, int64_t delay) {
  if (signal.depth == 1)
    return k.index(0);
  Value then = k.add(now, k.index(signal.depth - delay));
  return k.mul(k.mod(then, signal.depth), signal.units);
}

void Lowering::emitRun() {
  if (items.empty() && plastics.empty())
    return;
  for (const Signal &signal : signals)
    if (signal.isSpikes)
      return; // the engine lists who fired
  OpBuilder &g = globals;
  int64_t capacity = rowsPerRun();
  Kernel k(module, network.getLoc(), "run", real);
  k.lanes = lanes;
  OpBuilder &b = k.builder;
  auto i64 = [&](Value index) -> Value {
    return arith::IndexCastUIOp::create(b, k.loc, b.getI64Type(), index);
  };

  // Buffers of stimuli and recorders, in the order of the plan.
  struct Source {
    const Signal *signal;
    Buffer rows;
    Value stride;
  };
  struct Recorder {
    const Signal *signal; ///< null: a state
    Buffer from, rows;
    int64_t delay, every, units;
  };
  std::vector<Source> sources;
  std::vector<Recorder> outputs;
  AttrList rowBuffers, recordBuffers;
  auto name = [&](Attribute entry) {
    return cast<StringAttr>(cast<DictionaryAttr>(entry).get("name")).getValue();
  };
  auto integer = [&](Attribute entry, StringRef key) {
    return cast<IntegerAttr>(cast<DictionaryAttr>(entry).get(key)).getInt();
  };
  for (Attribute entry : stimuli) {
    const Signal &signal = signals[integer(entry, "signal")];
    Buffer rows =
        addBuffer("rows." + name(entry), real, signal.units * capacity);
    sources.push_back({&signal, rows, {}});
    rowBuffers.push_back(g.getStringAttr(rows.name));
  }
  for (Attribute entry : recorders) {
    auto fields = cast<DictionaryAttr>(entry);
    Recorder recorder{nullptr, {}, {}, 0, integer(entry, "every"), 0};
    if (fields.contains("signal")) {
      recorder.signal = &signals[integer(entry, "signal")];
      recorder.from = recorder.signal->buffer;
      recorder.delay = integer(entry, "delay");
      recorder.units = recorder.signal->units;
    } else {
      recorder.units = integer(entry, "units");
      recorder.from = {
          cast<StringAttr>(fields.get("buffer")).getValue().str(),
          MemRefType::get({std::max<int64_t>(recorder.units, 1)}, real)};
    }
    if (recorder.from.type.getElementType() != real)
      return k.erase(); // truth values of tensor code
    recorder.rows =
        addBuffer("record." + name(entry), real, recorder.units * capacity);
    recordBuffers.push_back(g.getStringAttr(recorder.rows.name));
    outputs.push_back(recorder);
  }
  Buffer control =
      addBuffer("run.control", g.getI64Type(),
                kFirst + int64_t(stimuli.size() + plastics.size()));

  Value ticks = k.loadIndex(control, k.index(kTicks));
  Value every = k.loadIndex(control, k.index(kEvery));
  auto flag = [&](int64_t place) -> Value {
    Value number = k.load(control, k.index(place));
    Value zero = arith::ConstantOp::create(b, k.loc, b.getI64IntegerAttr(0));
    return arith::CmpIOp::create(b, k.loc, arith::CmpIPredicate::ne, number,
                                 zero);
  };
  Value isRecording = flag(kRecording);
  int64_t place = kFirst;
  for (Source &source : sources)
    source.stride = k.loadIndex(control, k.index(place++));
  SmallVector<Value> enabled;
  for (size_t i = 0; i < plastics.size(); ++i)
    enabled.push_back(flag(place++));
  Value first =
      arith::IndexCastUIOp::create(b, k.loc, b.getIndexType(), k.tick());

  // Carried: the row, how long it has lasted, and what each recorder with a
  // period has written.
  SmallVector<Value> carried(2 + outputs.size(), k.index(0));
  k.reduce(k.index(0), ticks, carried, [&](Value i, ValueRange before) {
    Value now = k.add(first, i), tick = i64(now);
    SmallVector<Value> after(before.begin(), before.end());
    for (const Source &source : sources) {
      Value from = k.mul(before[0], source.stride);
      Value to = slotAt(k, *source.signal, now, 0);
      k.loop(source.signal->units, [&](Value unit) {
        k.store(k.load(source.rows, k.add(from, unit)), source.signal->buffer,
                k.add(to, unit));
      });
    }
    for (Attribute entry : items)
      emitRunItem(k, cast<DictionaryAttr>(entry), now, tick);
    for (auto [plastic, isEnabled] : llvm::zip(plastics, enabled)) {
      auto fields = cast<DictionaryAttr>(plastic);
      for (Attribute trace : cast<ArrayAttr>(fields.get("trace_tick")))
        call(k, module, cast<StringAttr>(trace).getValue(), tick, true);
      if (auto handler = fields.getAs<StringAttr>("on_tick"))
        when(k, isEnabled, [&] {
          call(k, module, handler.getValue(), tick,
               integer(plastic, "synapses") * lanes <= 64);
        });
    }
    for (auto [number, recorder] : llvm::enumerate(outputs)) {
      Value row = recorder.every == 1 ? i : before[2 + number];
      Value due = isRecording;
      if (recorder.every > 1) {
        Value matches =
            arith::CmpIOp::create(b, k.loc, arith::CmpIPredicate::eq,
                                  k.mod(now, recorder.every), k.index(0));
        due = arith::AndIOp::create(b, k.loc, due, matches);
        after[2 + number] =
            arith::SelectOp::create(b, k.loc, due, k.add(row, k.index(1)), row);
      }
      when(k, due, [&, &recorder = recorder] {
        Value from = recorder.signal
                         ? slotAt(k, *recorder.signal, now, recorder.delay)
                         : k.index(0);
        Value to = k.mul(row, recorder.units);
        k.loop(recorder.units, [&](Value unit) {
          k.store(k.load(recorder.from, k.add(from, unit)), recorder.rows,
                  k.add(to, unit));
        });
      });
    }
    Value lasted = k.add(before[1], k.index(1));
    Value isOver = arith::CmpIOp::create(b, k.loc, arith::CmpIPredicate::uge,
                                         lasted, every);
    after[0] = arith::SelectOp::create(b, k.loc, isOver,
                                       k.add(before[0], k.index(1)), before[0]);
    after[1] = arith::SelectOp::create(b, k.loc, isOver, k.index(0), lasted);
    return after;
  });
  k.finish();
  runPlan =
      dictionary({field("function", "run"), field("capacity", capacity),
                  field("control", control.name), field("rows", rowBuffers),
                  field("records", recordBuffers)});
}

/// One item of a tick in the loop.
void Lowering::emitRunItem(Kernel &k, DictionaryAttr item, Value now,
                           Value tick) {
  StringRef function = item.getAs<StringAttr>("function").getValue();
  auto callee = module.lookupSymbol<func::FuncOp>(function);
  int64_t operations = 0;
  callee.walk([&](Operation *) { ++operations; });
  ArrayRef<int64_t> given =
      item.getAs<DenseI64ArrayAttr>("outputs").asArrayRef();
  int64_t places = 1;
  for (int64_t output : given)
    places = std::max(places, signals[output].units);
  expanded += operations;
  bool small = operations * places <= kSmall && expanded <= kAll;
  auto population = item.getAs<StringAttr>("population");
  int64_t every = 1;
  if (population)
    every = int64_t(
        network.lookupSymbol<neuro::PopulationOp>(population).getEvery());
  if (every == 1)
    return call(k, module, function, tick, small);
  // In the other ticks real outputs keep their value.
  Value matches =
      arith::CmpIOp::create(k.builder, k.loc, arith::CmpIPredicate::eq,
                            k.mod(now, every), k.index(0));
  auto branch = scf::IfOp::create(k.builder, k.loc, matches, true);
  OpBuilder::InsertionGuard guard(k.builder);
  k.builder.setInsertionPointToStart(&branch.getThenRegion().front());
  call(k, module, function, tick, small);
  k.builder.setInsertionPointToStart(&branch.getElseRegion().front());
  for (int64_t output : given) {
    const Signal &signal = signals[output];
    if (signal.depth == 1)
      continue;
    Value to = slotAt(k, signal, now, 0), from = slotAt(k, signal, now, 1);
    k.loop(signal.units, [&](Value unit) {
      k.store(k.load(signal.buffer, k.add(from, unit)), signal.buffer,
              k.add(to, unit));
    });
  }
}

} // namespace neuroc::cpu
