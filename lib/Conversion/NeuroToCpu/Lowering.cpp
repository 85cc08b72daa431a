// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Drives the conversion of one network: buffers for weights and signals first
// (a signal's ring is as long as the longest delay of its readers), then the
// items of a tick in the order of the schedule, then learning, then the plan.

#include "Lowering.h"

#include "neuroc/Conversion/NeuroToCpu/NeuroToCpu.h"
#include "neuroc/Neuro/Analysis/Values.h"

#include <algorithm>
#include <cmath>

using namespace mlir;

namespace neuroc::cpu {

Lowering::Lowering(ModuleOp module, neuro::NetworkOp network, bool isDouble)
    : module(module), network(network), context(module.getContext()),
      globals(context), isDouble(isDouble),
      dt(network.getDt().convertToDouble()), lanes(network.getBatch()) {
  real = isDouble ? Type(Float64Type::get(context))
                  : Type(Float32Type::get(context));
  globals.setInsertionPointToEnd(module.getBody());
}

//===----------------------------------------------------------------------===//
// Buffers
//===----------------------------------------------------------------------===//

Buffer Lowering::addBuffer(const Twine &name, Type element, int64_t count,
                           Attribute init) {
  // Empty arrays still need an address.
  Buffer buffer{name.str(),
                MemRefType::get({std::max<int64_t>(count, 1)}, element)};
  if (!init)
    init = DenseElementsAttr::get(
        RankedTensorType::get(buffer.type.getShape(), element),
        ArrayRef<Attribute>(globals.getZeroAttr(element)));
  // Buffers stand together, before the functions.
  if (lastBuffer)
    globals.setInsertionPointAfter(lastBuffer);
  lastBuffer = memref::GlobalOp::create(
      globals, network.getLoc(), buffer.name, globals.getStringAttr("private"),
      buffer.type, init, /*constant=*/false, globals.getI64IntegerAttr(64));
  bufferNames.push_back(buffer.name);
  return buffer;
}

Buffer Lowering::addReals(const Twine &name, ArrayRef<double> values) {
  if (values.empty())
    return addBuffer(name, real, 0);
  auto type = RankedTensorType::get({int64_t(values.size())}, real);
  bool splat = llvm::all_equal(values);
  DenseElementsAttr init;
  if (isDouble) {
    init = DenseElementsAttr::get(type, splat ? values.take_front() : values);
  } else {
    std::vector<float> floats(values.begin(),
                              splat ? values.begin() + 1 : values.end());
    init = DenseElementsAttr::get(type, ArrayRef<float>(floats));
  }
  return addBuffer(name, real, values.size(), init);
}

Buffer Lowering::addIndices(const Twine &name, ArrayRef<uint32_t> values) {
  Type i32 = globals.getI32Type();
  if (values.empty())
    return addBuffer(name, i32, 0);
  return addBuffer(
      name, i32, values.size(),
      DenseElementsAttr::get(
          RankedTensorType::get({int64_t(values.size())}, i32), values));
}

Buffer Lowering::addBytes(const Twine &name, ArrayRef<uint8_t> values) {
  Type i8 = globals.getI8Type();
  if (values.empty())
    return addBuffer(name, i8, 0);
  return addBuffer(
      name, i8, values.size(),
      DenseElementsAttr::get(
          RankedTensorType::get({int64_t(values.size())}, i8), values));
}

Events Lowering::addEvents(const Twine &name, int64_t capacity) {
  return {addBuffer(name + ".units", globals.getI32Type(), capacity),
          addBuffer(name + ".count", globals.getI64Type(), 1)};
}

//===----------------------------------------------------------------------===//
// Plan
//===----------------------------------------------------------------------===//

NamedAttribute Lowering::field(StringRef name, Attribute value) {
  return globals.getNamedAttr(name, value);
}
NamedAttribute Lowering::field(StringRef name, int64_t value) {
  return field(name, Attribute(globals.getI64IntegerAttr(value)));
}
NamedAttribute Lowering::field(StringRef name, StringRef value) {
  return field(name, Attribute(globals.getStringAttr(value)));
}
NamedAttribute Lowering::field(StringRef name, const AttrList &values) {
  return field(name, Attribute(globals.getArrayAttr(values)));
}
NamedAttribute Lowering::field(StringRef name, ArrayRef<int64_t> values) {
  return field(name, Attribute(globals.getDenseI64ArrayAttr(values)));
}
NamedAttribute Lowering::flag(StringRef name, bool value) {
  return field(name, Attribute(globals.getBoolAttr(value)));
}
Attribute Lowering::dictionary(ArrayRef<NamedAttribute> fields) {
  return globals.getDictionaryAttr(fields);
}

//===----------------------------------------------------------------------===//
// Weights and signals
//===----------------------------------------------------------------------===//

LogicalResult Lowering::collectWeights() {
  for (auto op : network.getOps<neuro::WeightOp>()) {
    Weight &weight = weights.emplace_back();
    weightOf[op.getSymName().str()] = &weight;
    weight.op = op;
    weight.pre = op.getNumPre();
    weight.post = op.getNumPost();
    Attribute connect = op.getConnect();
    std::vector<double> values;
    std::string name = ("weight." + op.getSymName()).str();
    if (neuro::isDenseLayout(op)) {
      weight.storage = Storage::Matrix;
      neuro::DenseForm form = neuro::getDenseForm(op);
      // Rows of the buffer are pre units: a source unit's values are
      // contiguous, whether spikes or real numbers are sent.
      values.resize(form.values.size());
      std::vector<uint8_t> exists(form.exists.size());
      for (int64_t post = 0; post < weight.post; ++post)
        for (int64_t pre = 0; pre < weight.pre; ++pre) {
          values[pre * weight.post + post] =
              form.values[post * weight.pre + pre];
          if (!exists.empty())
            exists[pre * weight.post + post] =
                form.exists[post * weight.pre + pre];
        }
      if (!exists.empty())
        weight.exists = addBytes("exists." + op.getSymName(), exists);
    } else if (isa<neuro::OneToOneAttr>(connect)) {
      weight.storage = Storage::Vector;
      auto expanded = neuro::expandWeight(op);
      if (failed(expanded))
        return failure();
      values = expanded->values;
      weight.expanded = std::move(*expanded);
    } else if (auto conv = dyn_cast<neuro::ConvAttr>(connect)) {
      weight.storage = Storage::Kernel;
      int64_t count = op.getPost()[0] * (op.getPre()[0] / conv.getGroups()) *
                      conv.getKernel()[0] * conv.getKernel()[1];
      values = neuro::materialize(op.getValues(), count, network.getSeed(),
                                  (op.getSymName() + ".values").str());
      double lo = -HUGE_VAL, hi = HUGE_VAL;
      if (op.getSign() == neuro::Sign::Excitatory)
        lo = 0;
      if (op.getSign() == neuro::Sign::Inhibitory)
        hi = 0;
      if (auto bounds = op.getBounds()) {
        lo = std::max(lo, (*bounds)[0]);
        hi = std::min(hi, (*bounds)[1]);
      }
      for (double &value : values)
        value = std::clamp(value, lo, hi);
    } else {
      auto expanded = neuro::expandWeight(op);
      if (failed(expanded))
        return failure();
      values = expanded->values;
      weight.expanded = std::move(*expanded);
    }
    weight.count = values.size();
    weight.values = addReals(name, values);
  }
  return success();
}

void Lowering::needDepth(Value value, int64_t delay) {
  while (auto op = value.getDefiningOp<neuro::DelayOp>()) {
    delay += op.getTicks();
    value = op.getInput();
  }
  auto it = signalOf.find(value);
  if (it != signalOf.end())
    it->second->depth = std::max(it->second->depth, delay + 1);
}

SignalUse Lowering::use(Value value, int64_t delay) const {
  while (auto op = value.getDefiningOp<neuro::DelayOp>()) {
    delay += op.getTicks();
    value = op.getInput();
  }
  return {signalOf.lookup(value), delay};
}

/// A readable name for the buffer of `value`.
static std::string signalName(Value value, unsigned number) {
  Operation *op = value.getDefiningOp();
  if (auto population = dyn_cast<neuro::PopulationOp>(op)) {
    auto outputs = population.getModelOp().list<neuro::OutputOp>();
    return ("signal." + population.getSymName() + "." +
            outputs[cast<OpResult>(value).getResultNumber()].getSymName())
        .str();
  }
  if (auto name =
          op->getAttrOfType<StringAttr>(SymbolTable::getSymbolAttrName()))
    return ("signal." + name.getValue()).str();
  return "signal." + std::to_string(number);
}

LogicalResult Lowering::collectSignals() {
  auto isNode = [](Operation *op) {
    return isa<neuro::NeuroDialect>(op->getDialect());
  };
  // A value needs memory if a node gives it, if a node reads it, or if tensor
  // code of another group does (the latter is added by needGroupSignals below).
  auto add = [&](Value value) -> LogicalResult {
    while (auto delay = value.getDefiningOp<neuro::DelayOp>())
      value = delay.getInput();
    if (signalOf.count(value))
      return success();
    auto type = dyn_cast<RankedTensorType>(value.getType());
    if (type && !type.hasStaticShape())
      return value.getDefiningOp()->emitOpError(
                 "unsupported by target 'cpu': the extents of ")
             << type << " are not known at compile time";
    Signal &signal = signals.emplace_back();
    signal.value = value;
    signal.number = signals.size() - 1;
    if (type)
      signal.shape.assign(type.getShape().begin(), type.getShape().end());
    signal.units = neuro::countUnits(signal.shape) * lanes;
    signal.isSpikes =
        (type ? type.getElementType() : value.getType()).isInteger(1);
    signalOf[value] = &signal;
    return success();
  };
  for (Operation &op : network.getBody().front()) {
    if (isNode(&op)) {
      for (Value operand : op.getOperands())
        if (failed(add(operand)))
          return failure();
      for (Value result : op.getResults())
        if (!isa<neuro::DelayOp>(op) && failed(add(result)))
          return failure();
    }
  }
  // Tensor operations are grouped into runs of the schedule; what one run
  // gives to another goes through memory.
  llvm::DenseMap<Operation *, unsigned> group;
  unsigned run = 0;
  bool inside = false;
  for (const auto &item : schedule->getItems()) {
    bool isTensor = !isNode(item.op);
    run += inside && !isTensor;
    inside = isTensor;
    if (isTensor)
      group[item.op] = run;
  }
  for (const auto &item : schedule->getItems()) {
    if (isNode(item.op))
      continue;
    WalkResult result = item.op->walk([&](Operation *inner) {
      for (Value operand : inner->getOperands()) {
        Operation *producer = operand.getDefiningOp();
        if (!producer || producer->getParentOp() != network ||
            isNode(producer) || group[producer] == group[item.op] ||
            producer->hasTrait<OpTrait::ConstantLike>())
          continue;
        if (failed(add(operand)))
          return WalkResult::interrupt();
      }
      return WalkResult::advance();
    });
    if (result.wasInterrupted())
      return failure();
  }
  // Rings as long as the longest delay of any reader.
  for (Operation &op : network.getBody().front()) {
    if (auto project = dyn_cast<neuro::ProjectOp>(op)) {
      int64_t delay = project.getDelay();
      if (project.getDelays())
        delay = neuro::getMaxDelay(
            project, expand(*weightOf[project.getWeight().str()]).synapses);
      needDepth(project.getInput(), delay);
    } else if (auto plastic = dyn_cast<neuro::PlasticOp>(op)) {
      needDepth(plastic.getPre(), plastic.getDelay());
      for (Value value : llvm::drop_begin(op.getOperands()))
        needDepth(value, 0);
    } else if (!isa<neuro::DelayOp>(op)) {
      op.walk([&](Operation *inner) {
        for (Value operand : inner->getOperands())
          needDepth(operand, 0);
      });
    }
  }
  for (Signal &signal : signals) {
    Type element = getElementTypeOrSelf(signal.value.getType());
    if (signal.isSpikes)
      element = globals.getI8Type();
    else if (isa<FloatType>(element))
      element = real;
    else if (element.isIndex())
      element = globals.getI64Type();
    signal.buffer = addBuffer(signalName(signal.value, signal.number), element,
                              signal.units * signal.depth);
  }
  return success();
}

//===----------------------------------------------------------------------===//
// Sources, recorders
//===----------------------------------------------------------------------===//

LogicalResult Lowering::addSources() {
  for (Operation &op : network.getBody().front()) {
    if (auto stimulus = dyn_cast<neuro::StimulusOp>(op)) {
      const Signal *signal = signalOf[stimulus.getOutput()];
      Fields fields = {field("name", stimulus.getSymName()),
                       field("signal", signal->number)};
      std::vector<double> initial = neuro::getInitialStimulus(stimulus);
      for (size_t i = initial.size(), given = i; i < size_t(signal->units); ++i)
        initial.push_back(initial[i - given]); // every lane has the same
      Buffer buffer = addBuffer(
          "stimulus." + stimulus.getSymName(), globals.getF64Type(),
          signal->units,
          DenseElementsAttr::get(
              RankedTensorType::get({std::max<int64_t>(signal->units, 1)},
                                    globals.getF64Type()),
              signal->units ? ArrayRef<double>(initial)
                            : ArrayRef<double>(0.0)));
      fields.push_back(field("buffer", buffer.name));
      stimuli.push_back(dictionary(fields));
    } else if (auto array = dyn_cast<neuro::SpikeArrayOp>(op)) {
      // Sorted by tick; the engine walks them once.
      std::vector<double> flat =
          neuro::toDoubles(cast<ElementsAttr>(array.getEvents()));
      std::vector<std::pair<int64_t, int64_t>> events;
      for (size_t i = 0; i + 1 < flat.size(); i += 2)
        events.push_back({int64_t(flat[i]), int64_t(flat[i + 1])});
      llvm::sort(events);
      std::vector<int64_t> sorted;
      for (auto [tick, unit] : events) {
        sorted.push_back(tick);
        sorted.push_back(unit);
      }
      Type i64 = globals.getI64Type();
      int64_t count = sorted.size();
      Buffer buffer = addBuffer(
          "events." + array.getSymName(), i64, count,
          count ? DenseElementsAttr::get(RankedTensorType::get({count}, i64),
                                         ArrayRef<int64_t>(sorted))
                : Attribute());
      spikeArrays.push_back(dictionary(
          {field("name", array.getSymName()),
           field("signal", signalOf[array.getOutput()]->number),
           field("buffer", buffer.name), field("count", count / 2)}));
    }
  }
  return success();
}

void Lowering::addRecorders() {
  for (Operation &op : network.getBody().front()) {
    if (auto probe = dyn_cast<neuro::ProbeOp>(op)) {
      SignalUse source = use(probe.getInput());
      recorders.push_back(dictionary(
          {field("name", probe.getSymName()),
           field("signal", source.signal->number), field("delay", source.delay),
           field("every", int64_t(probe.getEvery()))}));
    } else if (auto watch = dyn_cast<neuro::WatchOp>(op)) {
      auto population =
          network.lookupSymbol<neuro::PopulationOp>(watch.getPopulation());
      recorders.push_back(dictionary(
          {field("name", watch.getSymName()),
           field("buffer", stateBuffer(population, watch.getVariable()).name),
           field("units", population.getNumUnits() * lanes),
           field("shape", population.getShape()),
           field("every", int64_t(watch.getEvery()))}));
    }
  }
}

//===----------------------------------------------------------------------===//
// Random numbers
//===----------------------------------------------------------------------===//

static constexpr StringLiteral kUniform = "neuroc.uniform";
static constexpr StringLiteral kNormal = "neuroc.normal";

Value Lowering::drawRandom(Kernel &kernel, neuro::RandomKind kind,
                           StringRef stream, Value entity, int64_t draw) {
  OpBuilder &b = kernel.builder;
  Location loc = kernel.loc;
  // The engine fills in the key, since a run may have another seed.
  Buffer keys{"key." + stream.str(), MemRefType::get({1}, b.getI64Type())};
  if (!llvm::is_contained(streams, stream.str())) {
    streams.push_back(stream.str());
    addBuffer(keys.name, b.getI64Type(), 1);
  }
  addRandomFunctions();
  Value key = kernel.load(keys, kernel.index(0));
  Value unit = arith::IndexCastUIOp::create(b, loc, b.getI64Type(), entity);
  Value tick = arith::TruncIOp::create(b, loc, b.getI32Type(), kernel.tick());
  Value number = arith::ConstantOp::create(b, loc, b.getI32IntegerAttr(draw));
  return func::CallOp::create(
             b, loc, kind == neuro::RandomKind::Uniform ? kUniform : kNormal,
             TypeRange{b.getF64Type()}, ValueRange{key, unit, tick, number})
      .getResult(0);
}

/// Emits the ten rounds of Philox4x32 (neuroc/rt/Random.h) in line.
static std::array<Value, 4> emitPhilox(OpBuilder &b, Location loc,
                                       std::array<Value, 4> c, Value k0,
                                       Value k1) {
  Type i32 = b.getI32Type(), i64 = b.getI64Type();
  auto constant32 = [&](uint32_t value) -> Value {
    return arith::ConstantOp::create(b, loc,
                                     b.getI32IntegerAttr(int32_t(value)));
  };
  auto constant64 = [&](uint64_t value) -> Value {
    return arith::ConstantOp::create(b, loc, b.getI64IntegerAttr(value));
  };
  Value m0 = constant64(0xD2511F53u), m1 = constant64(0xCD9E8D57u);
  Value w0 = constant32(0x9E3779B9u), w1 = constant32(0xBB67AE85u);
  Value shift = constant64(32);
  auto wide = [&](Value v) -> Value {
    return arith::ExtUIOp::create(b, loc, i64, v);
  };
  auto low = [&](Value v) -> Value {
    return arith::TruncIOp::create(b, loc, i32, v);
  };
  auto high = [&](Value v) -> Value {
    return low(arith::ShRUIOp::create(b, loc, v, shift));
  };
  auto mix = [&](Value x, Value y, Value z) -> Value {
    return arith::XOrIOp::create(b, loc, arith::XOrIOp::create(b, loc, x, y),
                                 z);
  };
  for (int round = 0; round < 10; ++round) {
    Value p0 = arith::MulIOp::create(b, loc, m0, wide(c[0]));
    Value p1 = arith::MulIOp::create(b, loc, m1, wide(c[2]));
    c = {mix(high(p1), c[1], k0), low(p1), mix(high(p0), c[3], k1), low(p0)};
    k0 = arith::AddIOp::create(b, loc, k0, w0);
    k1 = arith::AddIOp::create(b, loc, k1, w1);
  }
  return c;
}

void Lowering::addRandomFunctions() {
  if (module.lookupSymbol(kUniform))
    return;
  Type i32 = globals.getI32Type(), i64 = globals.getI64Type();
  Type f64 = globals.getF64Type();
  for (StringRef name : {kUniform, kNormal}) {
    OpBuilder b(context);
    b.setInsertionPointToEnd(module.getBody());
    Location loc = network.getLoc();
    auto function = func::FuncOp::create(
        b, loc, name, b.getFunctionType({i64, i64, i32, i32}, {f64}));
    function.setPrivate();
    b.setInsertionPointToStart(function.addEntryBlock());
    Value key = function.getArgument(0), entity = function.getArgument(1);
    Value shift = arith::ConstantOp::create(b, loc, b.getI64IntegerAttr(32));
    auto low = [&](Value v) -> Value {
      return arith::TruncIOp::create(b, loc, i32, v);
    };
    auto high = [&](Value v) -> Value {
      return low(arith::ShRUIOp::create(b, loc, v, shift));
    };
    std::array<Value, 4> words =
        emitPhilox(b, loc,
                   {low(entity), high(entity), function.getArgument(2),
                    function.getArgument(3)},
                   low(key), high(key));
    auto constant = [&](double value) -> Value {
      return arith::ConstantOp::create(b, loc, b.getF64FloatAttr(value));
    };
    Value result;
    if (name == kUniform) {
      Value word = arith::UIToFPOp::create(b, loc, f64, words[0]);
      Value centre = arith::AddFOp::create(b, loc, word, constant(0.5));
      result = arith::MulFOp::create(b, loc, centre,
                                     constant(2.3283064365386962890625e-10));
    } else {
      Value sum = arith::ConstantOp::create(b, loc, b.getI32IntegerAttr(-6138));
      Value mask = arith::ConstantOp::create(b, loc, b.getI32IntegerAttr(1023));
      for (Value word : words)
        for (int bit : {0, 10, 20}) {
          Value bits =
              arith::ConstantOp::create(b, loc, b.getI32IntegerAttr(bit));
          Value part = arith::ShRUIOp::create(b, loc, word, bits);
          part = arith::AndIOp::create(b, loc, part, mask);
          sum = arith::AddIOp::create(b, loc, sum, part);
        }
      Value number = arith::SIToFPOp::create(b, loc, f64, sum);
      result = arith::MulFOp::create(b, loc, number,
                                     constant(NEUROC_RT_NORMAL_SCALE));
    }
    func::ReturnOp::create(b, loc, result);
  }
}

//===----------------------------------------------------------------------===//
// The whole
//===----------------------------------------------------------------------===//

void Lowering::writePlan() {
  AttrList signalList, weightList, buffers, streamList;
  for (const Signal &signal : signals) {
    Fields fields = {field("name", signal.buffer.name),
                     field("buffer", signal.buffer.name),
                     field("units", signal.units),
                     field("depth", signal.depth),
                     field("shape", ArrayRef<int64_t>(signal.shape)),
                     flag("spikes", signal.isSpikes)};
    auto population = signal.value.getDefiningOp<neuro::PopulationOp>();
    if (population) {
      fields.push_back(flag("population", true));
      fields.push_back(field("every", int64_t(population.getEvery())));
    }
    signalList.push_back(dictionary(fields));
  }
  for (Weight &weight : weights) {
    StringRef layout = weight.storage == Storage::Matrix   ? "matrix"
                       : weight.storage == Storage::Kernel ? "kernel"
                       : weight.storage == Storage::Vector ? "vector"
                                                           : "synapses";
    weightList.push_back(dictionary(
        {field("name", weight.op.getSymName()), field("layout", layout),
         field("pre", weight.pre), field("post", weight.post),
         field("count", weight.count), field("buffer", weight.values.name),
         field("exists", weight.exists.name)}));
  }
  for (const std::string &name : bufferNames)
    buffers.push_back(globals.getStringAttr(name));
  for (const std::string &name : streams)
    streamList.push_back(
        dictionary({field("stream", name), field("buffer", "key." + name)}));
  Fields fields = {field("real", isDouble ? "f64" : "f32"),
                   field("dt_ms", Attribute(globals.getF64FloatAttr(dt))),
                   field("seed", int64_t(network.getSeed())),
                   field("batch", lanes),
                   field("buffers", buffers),
                   field("signals", signalList),
                   field("weights", weightList),
                   field("stimuli", stimuli),
                   field("spike_arrays", spikeArrays),
                   field("populations", populations),
                   field("items", items),
                   field("plastics", plastics),
                   field("random", streamList),
                   field("recorders", recorders)};
  if (runPlan)
    fields.push_back(field("run", runPlan));
  module->setAttr(kPlanAttrName, dictionary(fields));
}

LogicalResult Lowering::run() {
  auto computed = neuro::TickSchedule::compute(network);
  if (failed(computed))
    return failure();
  schedule = std::move(*computed);
  if (failed(collectWeights()) || failed(collectSignals()) ||
      failed(addSources()))
    return failure();
  for (auto population : network.getOps<neuro::PopulationOp>()) {
    AttrList stateList;
    for (auto state : population.getModelOp().list<neuro::StateOp>())
      stateList.push_back(dictionary(
          {field("name", state.getSymName()),
           field("buffer", stateBuffer(population, state.getSymName()).name)}));
    populations.push_back(
        dictionary({field("name", population.getSymName()),
                    field("units", population.getNumUnits() * lanes),
                    field("every", int64_t(population.getEvery())),
                    field("states", stateList)}));
  }
  SmallVector<Operation *> tensors;
  auto flush = [&] {
    LogicalResult result = tensors.empty() ? success() : lowerTensors(tensors);
    tensors.clear();
    return result;
  };
  for (const auto &item : schedule->getItems()) {
    if (!isa<neuro::NeuroDialect>(item.op->getDialect())) {
      tensors.push_back(item.op);
      continue;
    }
    if (failed(flush()))
      return failure();
    LogicalResult result = success();
    if (auto population = dyn_cast<neuro::PopulationOp>(item.op))
      result = lowerStage(population, item.stage);
    else if (auto project = dyn_cast<neuro::ProjectOp>(item.op))
      result = lowerProject(project);
    else if (!isa<neuro::StimulusOp, neuro::SpikeArrayOp, neuro::DelayOp>(
                 item.op))
      result = item.op->emitOpError("is not in core normal form; run "
                                    "neuro-expand-sugar first");
    if (failed(result))
      return failure();
  }
  if (failed(flush()))
    return failure();
  for (auto plastic : network.getOps<neuro::PlasticOp>())
    if (failed(lowerPlastic(plastic)))
      return failure();
  addRecorders();
  emitRun();
  writePlan();
  return success();
}

} // namespace neuroc::cpu
