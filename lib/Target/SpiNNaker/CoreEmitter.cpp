// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Code of a core image: stage loops with their port reads, row service, end of
// tick, sources. Learning is in PlasticEmitter.cpp.
#include "CoreEmitterImpl.h"

#include "neuroc/rt/Random.h"
#include "neuroc/rt/spinn/CoreAbi.h"

#include "llvm/ADT/bit.h"

#include <bit>
#include <cmath>

using namespace mlir;
using namespace neuroc;
using namespace neuroc::spinn;
using neuro::Interval;

//===----------------------------------------------------------------------===//
// Formats and layout
//===----------------------------------------------------------------------===//

static std::string formatKey(StringRef owner, StringRef kind, StringRef name) {
  return (owner + "/" + kind + "/" + name).str();
}

FormatTable::FormatTable(MappingOp mapping) {
  for (FormatOp op : mapping.list<FormatOp>()) {
    int frac = static_cast<int>(op.getFrac());
    Interval range = fullRange(frac);
    if (op.getProved())
      range = {op.getRange()[0], op.getRange()[1]};
    entries[formatKey(op.getOwner(), op.getKind(), op.getName())] = {
        {frac, range}, bool(op.getProved())};
  }
}

Format FormatTable::get(StringRef owner, StringRef kind, StringRef name) const {
  auto it = entries.find(formatKey(owner, kind, name));
  assert(it != entries.end() && "variable without format");
  return it->second.format;
}

bool FormatTable::isProved(StringRef owner, StringRef kind,
                           StringRef name) const {
  auto it = entries.find(formatKey(owner, kind, name));
  return it != entries.end() && it->second.proved;
}

Format FormatTable::ofSource(const Plan &plan, const Source &source) const {
  if (source.isSpikes)
    return {0, Interval::boolean()};
  const Node &node = plan.nodes[source.node];
  if (!node.population())
    return get(node.name, "output", "value");
  neuro::OutputOp output = node.model.list<neuro::OutputOp>()[source.output];
  return get(node.name, "output", output.getSymName());
}

unsigned ImageSpec::listeningOf(unsigned source) const {
  for (auto [index, entry] : llvm::enumerate(listening))
    if (entry.source == source && entry.kind != ListenKind::Rows)
      return index;
  llvm_unreachable("source without listener");
}

int64_t ImageSpec::historySlots(unsigned index) const {
  if (listening[index].kind == ListenKind::Rows ||
      listening[index].maxDelay == 0)
    return 0;
  return static_cast<int64_t>(
      std::bit_ceil<uint64_t>(listening[index].maxDelay + 1));
}

//===----------------------------------------------------------------------===//
// Helpers
//===----------------------------------------------------------------------===//

llvm::GlobalVariable *CoreEmitter::array(const std::string &name,
                                         int64_t words) {
  if (llvm::GlobalVariable *known = module.getGlobalVariable(name))
    return known;
  llvm::Type *type =
      llvm::ArrayType::get(fixed.i32(), std::max<int64_t>(words, 1));
  auto *global = new llvm::GlobalVariable(
      module, type, false, llvm::GlobalValue::ExternalLinkage,
      llvm::Constant::getNullValue(type), name);
  global->setAlignment(llvm::Align(4));
  return global;
}

llvm::Value *CoreEmitter::address(llvm::Value *base, llvm::Value *index) {
  return b.CreateInBoundsGEP(fixed.i32(), base, index);
}
llvm::Value *CoreEmitter::load(llvm::Value *base, llvm::Value *index) {
  return b.CreateLoad(fixed.i32(), address(base, index));
}
void CoreEmitter::store(llvm::Value *value, llvm::Value *base,
                        llvm::Value *index) {
  b.CreateStore(value, address(base, index));
}
llvm::Value *CoreEmitter::share(unsigned word) {
  return load(array("share", spec.shareWords()), b.getInt32(word));
}

llvm::Function *CoreEmitter::function(StringRef name, unsigned parameters) {
  SmallVector<llvm::Type *> types(parameters, fixed.i32());
  auto *result = llvm::Function::Create(
      llvm::FunctionType::get(b.getVoidTy(), types, false),
      llvm::GlobalValue::ExternalLinkage, name, module);
  result->addFnAttr(llvm::Attribute::NoUnwind);
  return result;
}

void CoreEmitter::begin(llvm::Function *function) {
  current = function;
  b.SetInsertPoint(
      llvm::BasicBlock::Create(module.getContext(), "entry", function));
}

llvm::BasicBlock *CoreEmitter::block(StringRef name) {
  return llvm::BasicBlock::Create(module.getContext(), name, current);
}

void CoreEmitter::forLoop(llvm::Value *from, llvm::Value *to,
                          llvm::function_ref<void(llvm::Value *)> body) {
  llvm::BasicBlock *before = b.GetInsertBlock();
  llvm::BasicBlock *loop = block("loop"), *after = block("after");
  b.CreateCondBr(b.CreateICmpULT(from, to), loop, after);
  b.SetInsertPoint(loop);
  llvm::PHINode *index = b.CreatePHI(fixed.i32(), 2);
  index->addIncoming(from, before);
  body(index);
  llvm::Value *next = b.CreateAdd(index, b.getInt32(1));
  index->addIncoming(next, b.GetInsertBlock());
  b.CreateCondBr(b.CreateICmpULT(next, to), loop, after);
  b.SetInsertPoint(after);
}

void CoreEmitter::ifThen(llvm::Value *condition,
                         llvm::function_ref<void()> body) {
  llvm::BasicBlock *then = block("then"), *after = block("endif");
  b.CreateCondBr(condition, then, after);
  b.SetInsertPoint(then);
  body();
  b.CreateBr(after);
  b.SetInsertPoint(after);
}

/// A stack slot, in the function's entry block so that it becomes a register.
llvm::AllocaInst *CoreEmitter::slot(llvm::Type *type) {
  llvm::IRBuilder<> entry(&current->getEntryBlock(),
                          current->getEntryBlock().begin());
  return entry.CreateAlloca(type);
}

llvm::FunctionCallee CoreEmitter::kernelFunction(StringRef name,
                                                 llvm::Type *result,
                                                 unsigned parameters,
                                                 bool touchesMemory) {
  SmallVector<llvm::Type *> types(parameters, fixed.i32());
  llvm::FunctionCallee callee = module.getOrInsertFunction(
      name, llvm::FunctionType::get(result, types, false));
  auto *declared = cast<llvm::Function>(callee.getCallee());
  declared->addFnAttr(llvm::Attribute::NoUnwind);
  if (!touchesMemory)
    declared->setMemoryEffects(llvm::MemoryEffects::inaccessibleMemOnly());
  return callee;
}

void CoreEmitter::addTo(llvm::Value *counterAddress, llvm::Value *amount) {
  b.CreateStore(b.CreateAdd(b.CreateLoad(fixed.i32(), counterAddress), amount),
                counterAddress);
}

void CoreEmitter::countEvents(llvm::Value *amount) {
  llvm::Value *pointer = b.CreateIntToPtr(
      b.getInt32(NEUROC_SPINN_CONTROL_ADDRESS +
                 offsetof(neuroc_spinn_control, counters) +
                 offsetof(neuroc_spinn_counters, synaptic_events)),
      b.getPtrTy());
  addTo(pointer, amount);
}

/// Lets the kernel serve its queue, where a core hears graded signals: their
/// bursts are longer than the queue.
void CoreEmitter::poll() {
  bool graded = false;
  for (const Listening &entry : spec.listening)
    graded |= entry.kind == ListenKind::Value;
  if (graded)
    b.CreateCall(kernelFunction("neuroc_kernel_poll", b.getVoidTy(), 0,
                                /*touchesMemory=*/false));
}

//===----------------------------------------------------------------------===//
// Reading ports
//===----------------------------------------------------------------------===//

/// The array of a source's values `delay` ticks ago.
llvm::Value *CoreEmitter::valuesOf(unsigned source, int64_t delay,
                                   llvm::Value *tick) {
  unsigned index = spec.listeningOf(source);
  if (delay == 0)
    return array(listenName("values", index), spec.arraySize[index]);
  int64_t slots = spec.historySlots(index), size = spec.arraySize[index];
  llvm::GlobalVariable *history =
      array(listenName("history", index), slots * size);
  llvm::Value *slot =
      b.CreateAnd(b.CreateSub(tick, b.getInt32(static_cast<uint32_t>(delay))),
                  static_cast<uint64_t>(slots - 1));
  return address(history,
                 b.CreateMul(slot, b.getInt32(static_cast<uint32_t>(size))));
}

/// Where unit `unit` of the whole node is in the array of a source.
llvm::Value *CoreEmitter::indexInValues(unsigned source, llvm::Value *unit) {
  unsigned index = spec.listeningOf(source);
  if (!spec.listening[index].isLocal)
    return unit;
  return b.CreateSub(unit, share(spec.lowWord(index)));
}

const WeightBlock &CoreEmitter::blockOf(const Feed &feed) const {
  for (const WeightBlock &entry : spec.blocks)
    if (entry.feed == &feed)
      return entry;
  llvm_unreachable("feed without weights");
}

/// The row of a dense block for unit `u`: in place, or fetched from SDRAM.
llvm::Value *CoreEmitter::weightRow(const WeightBlock &entry, StringRef what,
                                    llvm::Value *u, unsigned part) {
  llvm::Value *columns = b.getInt32(static_cast<uint32_t>(entry.columns));
  llvm::Value *offset = b.CreateMul(u, columns);
  if (!spec.isExternal)
    return address(array(entry.name(what), entry.entries), offset);
  llvm::GlobalVariable *buffer =
      array(entry.name((what + "_row").str()), entry.columns);
  b.CreateCall(readFunction(), {buffer, externalAddress(entry, u, part),
                                b.CreateShl(columns, 2)});
  return buffer;
}

llvm::Value *CoreEmitter::externalAddress(const WeightBlock &entry,
                                          llvm::Value *u, unsigned part) {
  // Parts (weights, then each state of the rule) follow each other.
  llvm::Value *units = share(ImageSpec::kUnits);
  llvm::Value *row = b.CreateAdd(u, b.CreateMul(units, b.getInt32(part)));
  llvm::Value *bytes =
      b.CreateMul(row, b.getInt32(static_cast<uint32_t>(entry.columns * 4)));
  return b.CreateAdd(share(spec.externalWord(entry.number)), bytes);
}

llvm::FunctionCallee CoreEmitter::readFunction() {
  return module.getOrInsertFunction(
      "neuroc_kernel_read",
      llvm::FunctionType::get(b.getVoidTy(),
                              {b.getPtrTy(), fixed.i32(), fixed.i32()}, false));
}
llvm::FunctionCallee CoreEmitter::writeFunction() {
  return module.getOrInsertFunction(
      "neuroc_kernel_write",
      llvm::FunctionType::get(b.getVoidTy(),
                              {fixed.i32(), b.getPtrTy(), fixed.i32()}, false));
}

/// Calls `body` with (weight, value) of each synapse of unit `u`.
void CoreEmitter::forSynapses(
    const Feed &feed, llvm::Value *u, llvm::Value *tick,
    llvm::function_ref<void(llvm::Value *, llvm::Value *)> body) {
  const WeightBlock &entry = blockOf(feed);
  llvm::Value *values = valuesOf(feed.source, feed.delay, tick);
  switch (feed.mode) {
  case FeedMode::OneToOne: {
    llvm::Value *unit = b.CreateAdd(u, share(ImageSpec::kFirst));
    body(load(array(entry.name("weights"), entry.entries), u),
         load(values, indexInValues(feed.source, unit)));
    return;
  }
  case FeedMode::Dense: {
    if (auto fired = firedCount.find(&feed); fired != firedCount.end()) {
      llvm::Value *count = fired->second;
      ifThen(b.CreateICmpNE(count, b.getInt32(0)), [&] {
        llvm::Value *row = weightRow(entry, "weights", u, 0);
        llvm::GlobalVariable *list = array(entry.name("fired"), entry.columns);
        forLoop(b.getInt32(0), count, [&](llvm::Value *k) {
          body(load(row, load(list, k)), b.getInt32(1));
        });
      });
      return;
    }
    llvm::Value *row = weightRow(entry, "weights", u, 0);
    forLoop(b.getInt32(0), b.getInt32(static_cast<uint32_t>(entry.columns)),
            [&](llvm::Value *i) { body(load(row, i), load(values, i)); });
    return;
  }
  case FeedMode::Gather: {
    llvm::GlobalVariable *start = array(entry.name("start"), spec.maxUnits + 1);
    llvm::GlobalVariable *taps = array(entry.name("taps"), entry.taps);
    llvm::GlobalVariable *weights = array(entry.name("weights"), entry.entries);
    forLoop(load(start, u), load(start, b.CreateAdd(u, b.getInt32(1))),
            [&](llvm::Value *t) {
              llvm::Value *tap = load(taps, t);
              llvm::Value *from = b.CreateAnd(tap, 0xffff);
              llvm::Value *which =
                  entry.isConvolution ? b.CreateLShr(tap, 16) : t;
              body(load(weights, which), load(values, from));
            });
    return;
  }
  case FeedMode::Identity:
  case FeedMode::Rows:
    llvm_unreachable("no weights are kept for this feed");
  }
}

/// What a feed brings to unit `u` in this tick.
CoreEmitter::Contribution
CoreEmitter::readFeed(const Port &port, unsigned portIndex, const Feed &feed,
                      llvm::Value *u, llvm::Value *tick) {
  Format in =
      spec.formats->ofSource(*spec.plan, spec.plan->sources[feed.source]);
  if (feed.mode == FeedMode::Identity) {
    llvm::Value *unit = b.CreateAdd(u, share(ImageSpec::kFirst));
    llvm::Value *values = valuesOf(feed.source, feed.delay, tick);
    return {load(values, indexInValues(feed.source, unit)), in.frac, in.range};
  }
  Format weight = spec.formats->get(feed.weight.getSymName(), "weight", "w");
  Format own = portFormat(port);
  bool isPlain = feed.project.getTransmit().empty();
  neuro::Combine combine = feed.project.getCombine();
  if (isPlain && combine == neuro::Combine::Sum) {
    llvm::Value *sum = slot(fixed.i64());
    b.CreateStore(b.getInt64(0), sum);
    forSynapses(feed, u, tick, [&](llvm::Value *w, llvm::Value *x) {
      llvm::Value *product = b.CreateMul(b.CreateSExt(w, fixed.i64()),
                                         b.CreateSExt(x, fixed.i64()));
      b.CreateStore(b.CreateAdd(b.CreateLoad(fixed.i64(), sum), product), sum);
    });
    return {b.CreateLoad(fixed.i64(), sum), weight.frac + in.frac, {}};
  }

  // General case: transmit in the port's format, then combine.
  bool isSum = combine == neuro::Combine::Sum;
  llvm::Type *type = isSum ? fixed.i64() : fixed.i32();
  llvm::Value *result = slot(type);
  llvm::Value *any = slot(b.getInt1Ty());
  Num one = fixed.constant(1.0);
  llvm::Value *neutral =
      combine == neuro::Combine::Product
          ? fixed.toFrac(one, own.frac)
          : static_cast<llvm::Value *>(llvm::ConstantInt::get(type, 0));
  b.CreateStore(neutral, result);
  b.CreateStore(b.getFalse(), any);
  forSynapses(feed, u, tick, [&](llvm::Value *w, llvm::Value *x) {
    Num wn{w, weight.frac, weight.range}, xn{x, in.frac, in.range};
    Num value;
    if (isPlain) {
      value = fixed.multiply(wn, xn, wn.range * xn.range);
    } else {
      FixedEmitter inner(module, b);
      if (failed(inner.emitBlock(
              feed.project.getTransmit().front(),
              [](Operation *) { return Num(); },
              [&](Operation *, Num yielded) { value = yielded; }, {wn, xn})))
        failed_ = true;
      if (!value.value)
        return;
    }
    llvm::Value *v = fixed.toFormat(value, own);
    llvm::Value *old = b.CreateLoad(type, result);
    switch (combine) {
    case neuro::Combine::Sum:
      b.CreateStore(b.CreateAdd(old, b.CreateSExt(v, type)), result);
      break;
    case neuro::Combine::Max:
    case neuro::Combine::Min: {
      llvm::Value *best = b.CreateBinaryIntrinsic(combine == neuro::Combine::Max
                                                      ? llvm::Intrinsic::smax
                                                      : llvm::Intrinsic::smin,
                                                  old, v);
      llvm::Value *known = b.CreateLoad(b.getInt1Ty(), any);
      b.CreateStore(b.CreateSelect(known, best, v), result);
      b.CreateStore(b.getTrue(), any);
      break;
    }
    case neuro::Combine::Product: {
      llvm::Value *product = b.CreateMul(b.CreateSExt(old, fixed.i64()),
                                         b.CreateSExt(v, fixed.i64()));
      b.CreateStore(fixed.narrow(product, 2 * own.frac, own, false), result);
      break;
    }
    }
  });
  llvm::Value *value = b.CreateLoad(type, result);
  if (isSum)
    return {value, own.frac, {}};
  return {value, own.frac, own.range};
}

Format CoreEmitter::portFormat(const Port &port) const {
  return spec.formats->get(spec.node->name, "input", port.input.getSymName());
}

Num CoreEmitter::readPort(unsigned index, llvm::Value *u, llvm::Value *tick) {
  const Port &port = spec.node->ports[index];
  Format own = portFormat(port);
  bool proved =
      spec.formats->isProved(spec.node->name, "input", port.input.getSymName());
  if (port.feeds.empty())
    return fixed.constant(port.input.getDefaultValue().convertToDouble());

  neuro::Combine combine = port.input.getCombine();
  std::vector<Contribution> parts;
  if (spec.ringSection[index] >= 0) {
    llvm::GlobalVariable *ring = array("ring", spec.ring.entries());
    llvm::Value *at =
        b.CreateAnd(tick, static_cast<uint64_t>(spec.ring.slots - 1));
    at = b.CreateMul(at, b.getInt32(static_cast<uint32_t>(spec.ring.stride)));
    at = b.CreateAdd(at, b.getInt32(static_cast<uint32_t>(
                             spec.ringSection[index] * spec.maxUnits)));
    // Weights are rounded to 16 bits, which may widen the range a little.
    Interval range = fullRange(spec.ringFrac[index]);
    if (proved) {
      double slack = own.range.magnitude() * 1e-3;
      range = range.meet({own.range.lo - slack, own.range.hi + slack});
    }
    parts.push_back(
        {load(ring, b.CreateAdd(at, u)), spec.ringFrac[index], range});
  }
  for (const Feed &feed : port.feeds)
    if (feed.mode != FeedMode::Rows)
      parts.push_back(readFeed(port, index, feed, u, tick));

  auto isWide = [](const Contribution &part) {
    return part.value->getType()->isIntegerTy(64);
  };
  if (parts.size() == 1 && !isWide(parts[0]))
    return {parts[0].value, parts[0].frac, parts[0].range};
  if (combine == neuro::Combine::Sum) {
    llvm::Value *sum = nullptr;
    for (const Contribution &part : parts) {
      llvm::Value *wide =
          isWide(part) ? part.value : b.CreateSExt(part.value, fixed.i64());
      // A left shift must not lose bits: 64 bits leave room for 32 of them.
      wide = fixed.shiftWide(wide, part.frac, own.frac);
      sum = sum ? b.CreateAdd(sum, wide) : wide;
    }
    return {fixed.narrow(sum, own.frac, own, proved), own.frac, own.range};
  }
  llvm::Value *result = nullptr;
  for (const Contribution &part : parts) {
    llvm::Value *value =
        isWide(part) ? fixed.narrow(part.value, part.frac, own, false)
                     : fixed.toFormat({part.value, part.frac, part.range}, own);
    if (!result)
      result = value;
    else if (combine == neuro::Combine::Product)
      result = fixed.narrow(b.CreateMul(b.CreateSExt(result, fixed.i64()),
                                        b.CreateSExt(value, fixed.i64())),
                            2 * own.frac, own, false);
    else
      result = b.CreateBinaryIntrinsic(combine == neuro::Combine::Max
                                           ? llvm::Intrinsic::smax
                                           : llvm::Intrinsic::smin,
                                       result, value);
  }
  return {result, own.frac, own.range};
}

//===----------------------------------------------------------------------===//
// Stages
//===----------------------------------------------------------------------===//

llvm::Value *CoreEmitter::keyOfUnit(unsigned output, llvm::Value *u) {
  return b.CreateAdd(share(ImageSpec::kKeys + output),
                     b.CreateShl(u, NEUROC_SPINN_COLOUR_BITS));
}

bool CoreEmitter::isRecorded(unsigned output) const {
  for (const RecordItem &item : spec.records)
    if (!item.isState && item.output == output)
      return true;
  return false;
}

/// Notes a spike of unit `u`: counts, records and sends it.
void CoreEmitter::emitSpike(unsigned output, llvm::Value *u) {
  addTo(array("spikes_made", 1), b.getInt32(1));
  if (isRecorded(output)) {
    llvm::GlobalVariable *bits =
        array("spikes_" + std::to_string(output), (spec.maxUnits + 31) / 32);
    llvm::Value *word = b.CreateLShr(u, 5);
    llvm::Value *bit = b.CreateShl(b.getInt32(1), b.CreateAnd(u, 31));
    store(b.CreateOr(load(bits, word), bit), bits, word);
  }
  ifSent(output, [&] {
    b.CreateCall(
        kernelFunction("neuroc_kernel_send_spike", b.getVoidTy(), 1, false),
        {keyOfUnit(output, u)});
  });
}

/// Emits `send` where some share of the node has keys for the output, under the
/// condition that this one has.
void CoreEmitter::ifSent(unsigned output, llvm::function_ref<void()> send) {
  if (!spec.isSent[output])
    return;
  ifThen(b.CreateICmpNE(share(ImageSpec::kKeys + output),
                        b.getInt32(ImageSpec::kNoKey)),
         send);
}

/// Gives output `output` of unit `u` a value; it travels when it changed.
void CoreEmitter::emitValue(unsigned output, llvm::Value *u,
                            llvm::Value *value) {
  llvm::GlobalVariable *values =
      array("output_" + std::to_string(output), spec.maxUnits);
  llvm::Value *changed = b.CreateICmpNE(load(values, u), value);
  ifThen(changed, [&] {
    store(value, values, u);
    ifSent(output, [&] {
      b.CreateCall(
          kernelFunction("neuroc_kernel_send_value", b.getVoidTy(), 2, false),
          {keyOfUnit(output, u), value});
    });
  });
}

Num CoreEmitter::readDraw(neuro::RandomOp op, StringRef stream,
                          llvm::Value *entity, llvm::Value *tick,
                          FixedEmitter &emitter) {
  uint64_t key =
      neuroc_rt_key(spec.seed, neuroc_rt_stream(stream.str().c_str()));
  bool isUniform = op.getKind() == neuro::RandomKind::Uniform;
  llvm::Value *word =
      b.CreateCall(kernelFunction(isUniform ? "neuroc_kernel_random_word"
                                            : "neuroc_kernel_random_normal",
                                  fixed.i32(), 5, false),
                   {b.getInt32(static_cast<uint32_t>(key)),
                    b.getInt32(static_cast<uint32_t>(key >> 32)), entity, tick,
                    b.getInt32(static_cast<uint32_t>(op.getDraw()))});
  if (isUniform)
    return emitter.uniform(op, word);
  Num sum{word, 0, Interval::symmetric(6138.0)};
  return emitter.multiply(sum, emitter.constant(NEUROC_RT_NORMAL_SCALE),
                          Interval::symmetric(6.0));
}

Num CoreEmitter::readTime(llvm::Value *tick) {
  // tick * dt, with dt in 2^-32 ms; ticks are below 2^31.
  constexpr double kLongest = 1048576.0;
  int frac = fractionBits(kLongest);
  uint64_t scaled = static_cast<uint64_t>(std::llround(spec.dt * 4294967296.0));
  llvm::Value *wide =
      b.CreateMul(b.CreateZExt(tick, fixed.i64()), b.getInt64(scaled));
  return {b.CreateTrunc(fixed.shiftWide(wide, 32, frac), fixed.i32()),
          frac,
          {0.0, kLongest}};
}

Num CoreEmitter::readName(Operation *op, llvm::Value *u, llvm::Value *tick,
                          FixedEmitter &emitter) {
  const Node &node = *spec.node;
  if (auto random = dyn_cast<neuro::RandomOp>(op))
    return readDraw(random, node.name, b.CreateAdd(u, share(ImageSpec::kFirst)),
                    tick, emitter);
  if (isa<neuro::TimeOp>(op))
    return readTime(tick);
  if (isa<neuro::DtOp>(op))
    return emitter.constant(spec.dt *
                            static_cast<double>(node.population().getEvery()));
  if (isa<neuro::IndexOp>(op))
    return {b.CreateAdd(u, share(ImageSpec::kFirst)),
            0,
            {0.0, static_cast<double>(node.units)}};
  StringRef name = cast<neuro::GetOp>(op).getName();
  for (auto [index, port] : llvm::enumerate(node.ports))
    if (port.input.getSymName() == name)
      return readPort(index, u, tick);
  Operation *declared = node.model.lookup(name);
  bool isState = isa<neuro::StateOp>(declared);
  Format format =
      spec.formats->get(node.name, isState ? "state" : "param", name);
  std::string prefix = isState ? "state_" : "param_";
  return {load(array(prefix + name.str(), spec.maxUnits), u), format.frac,
          format.range};
}

void CoreEmitter::writeState(StringRef name, Num value, llvm::Value *u) {
  Format format = spec.formats->get(spec.node->name, "state", name);
  llvm::Value *stored = fixed.toFormat(value, format);
  if (spec.clamped.count(name.str())) {
    llvm::Value *held = load(array("clamp_on_" + name.str(), spec.maxUnits), u);
    llvm::Value *at = load(array("clamp_at_" + name.str(), spec.maxUnits), u);
    stored = b.CreateSelect(b.CreateICmpNE(held, b.getInt32(0)), at, stored);
  }
  store(stored, array("state_" + name.str(), spec.maxUnits), u);
}

LogicalResult CoreEmitter::emitStage(neuro::StageOp stage,
                                     unsigned stageNumber) {
  begin(function("stage_" + std::to_string(stageNumber), 1));
  current->setLinkage(llvm::GlobalValue::InternalLinkage);
  llvm::Value *tick = current->getArg(0);
  auto outputs = spec.node->model.list<neuro::OutputOp>();
  LogicalResult result = success();
  llvm::Value *u = nullptr; // the unit at work
  auto write = [&](Operation *op, Num value) {
    if (auto set = dyn_cast<neuro::SetOp>(op))
      return writeState(set.getName(), value, u);
    StringRef name = cast<neuro::EmitOp>(op).getName();
    for (auto [index, output] : llvm::enumerate(outputs)) {
      if (output.getSymName() != name)
        continue;
      if (output.getType().isF64())
        emitValue(index, u,
                  fixed.toFormat(value, spec.formats->get(spec.node->name,
                                                          "output", name)));
      else
        ifThen(value.value, [&] { emitSpike(index, u); });
    }
  };
  auto storedIn = [&](Operation *op) -> std::optional<Format> {
    if (auto set = dyn_cast<neuro::SetOp>(op))
      return spec.formats->get(spec.node->name, "state", set.getName());
    auto emit = cast<neuro::EmitOp>(op);
    if (!emit.getValue().getType().isF64())
      return std::nullopt;
    return spec.formats->get(spec.node->name, "output", emit.getName());
  };
  auto makeRead = [&](FixedEmitter &emitter) {
    emitter.storedIn = storedIn;
    return [&](Operation *op) { return readName(op, u, tick, emitter); };
  };
  firedCount.clear();
  Block &body = stage.getBody().front();
  auto reductions = body.getOps<neuro::ReduceOp>();
  auto loop = [&] {
    countFlags(stage, tick);
    if (reductions.empty()) {
      forLoop(b.getInt32(0), share(ImageSpec::kUnits), [&](llvm::Value *unit) {
        poll();
        u = unit;
        FixedEmitter emitter(module, b);
        result = emitter.emitBlock(body, makeRead(emitter), write);
      });
      return;
    }
    int64_t size = (*reductions.begin()).getGroup().value_or(spec.node->units);
    llvm::Value *words = b.getInt32(static_cast<uint32_t>(size));
    llvm::Value *groups = b.CreateUDiv(share(ImageSpec::kUnits), words);
    forLoop(b.getInt32(0), groups, [&](llvm::Value *number) {
      llvm::Value *first = b.CreateMul(number, words);
      Group group;
      group.name = "reduce_" + std::to_string(stageNumber);
      group.most = size;
      group.least = static_cast<double>(size);
      group.count = [&] { return words; };
      group.forMembers = [&](llvm::function_ref<void(llvm::Value *)> member) {
        forLoop(b.getInt32(0), words, [&](llvm::Value *at) {
          poll();
          u = b.CreateAdd(first, at);
          member(at);
        });
      };
      result = emitCollective(body, group, makeRead, write);
    });
  };
  int64_t every = spec.node->population().getEvery();
  if (every == 1)
    loop();
  else
    ifThen(b.CreateICmpEQ(
               b.CreateURem(tick, b.getInt32(static_cast<uint32_t>(every))),
               b.getInt32(0)),
           loop);
  b.CreateRetVoid();
  return failed_ ? failure() : result;
}

llvm::Value *CoreEmitter::listFired(
    const std::string &name, llvm::Value *values, int64_t units,
    llvm::function_ref<void(llvm::Value *, llvm::Value *)> visit) {
  llvm::GlobalVariable *list = array(name, units);
  llvm::Value *count = slot(fixed.i32());
  b.CreateStore(b.getInt32(0), count);
  forLoop(b.getInt32(0), b.getInt32(static_cast<uint32_t>(units)),
          [&](llvm::Value *i) {
            llvm::Value *flag = load(values, i);
            store(i, list, b.CreateLoad(fixed.i32(), count));
            addTo(count, flag);
            visit(i, flag);
          });
  return b.CreateLoad(fixed.i32(), count);
}

/// Counts the synapses that this tick's flags serve, for ports of `stage`, and
/// lists the units that fired.
void CoreEmitter::countFlags(neuro::StageOp stage, llvm::Value *tick) {
  for (const Port &port : spec.node->ports)
    for (const Feed &feed : port.feeds) {
      if (!spec.plan->sources[feed.source].isSpikes ||
          (feed.mode != FeedMode::Dense && feed.mode != FeedMode::Gather) ||
          !neuro::readsPort(stage, port.input.getSymName()))
        continue;
      llvm::Value *values = valuesOf(feed.source, feed.delay, tick);
      int64_t units = spec.plan->sources[feed.source].units;
      llvm::GlobalVariable *degree = array(blockOf(feed).name("degree"), units);
      llvm::Value *sum = slot(fixed.i32());
      b.CreateStore(b.getInt32(0), sum);
      llvm::Value *count =
          listFired(blockOf(feed).name("fired"), values, units,
                    [&](llvm::Value *i, llvm::Value *flag) {
                      addTo(sum, b.CreateMul(flag, load(degree, i)));
                    });
      countEvents(b.CreateLoad(fixed.i32(), sum));
      // Only a plain sum takes nothing from the silent ones.
      if (feed.mode == FeedMode::Dense && feed.project.getTransmit().empty() &&
          feed.project.getCombine() == neuro::Combine::Sum)
        firedCount[&feed] = count;
    }
}

void CoreEmitter::emitLevels() {
  llvm::Function *level = function("neuroc_core_level", 2);
  begin(level);
  llvm::BasicBlock *done = block("done");
  llvm::SwitchInst *dispatch =
      b.CreateSwitch(level->getArg(0), done, spec.plan->levels);
  for (unsigned l = 0; l < spec.plan->levels; ++l) {
    llvm::BasicBlock *entry = block("level");
    dispatch->addCase(b.getInt32(l), entry);
    b.SetInsertPoint(entry);
    for (auto [index, stage] : llvm::enumerate(spec.node->stages))
      if (stage.second == l)
        b.CreateCall(module.getFunction("stage_" + std::to_string(index)),
                     {level->getArg(1)});
    if (!spec.node->population() && l == 0)
      b.CreateCall(module.getFunction("source"), {level->getArg(1)});
    b.CreateBr(done);
  }
  b.SetInsertPoint(done);
  b.CreateRetVoid();
}

//===----------------------------------------------------------------------===//
// Rows, sources, end of tick
//===----------------------------------------------------------------------===//

/// Adds each word's weight (upper half, signed) to the ring entry that is the
/// word's lower half after the present slot.
void CoreEmitter::emitRow() {
  llvm::Type *types[] = {fixed.i32(), b.getPtrTy(), fixed.i32(), fixed.i32()};
  auto *row = llvm::Function::Create(
      llvm::FunctionType::get(b.getVoidTy(), types, false),
      llvm::GlobalValue::ExternalLinkage, "neuroc_core_row", module);
  row->addFnAttr(llvm::Attribute::NoUnwind);
  begin(row);
  if (spec.ring.sections) {
    llvm::GlobalVariable *ring = array("ring", spec.ring.entries());
    llvm::Value *base = b.CreateShl(
        row->getArg(3), static_cast<uint64_t>(std::countr_zero<uint64_t>(
                            static_cast<uint64_t>(spec.ring.stride))));
    forLoop(b.getInt32(0), row->getArg(2), [&](llvm::Value *i) {
      llvm::Value *word = load(row->getArg(1), i);
      llvm::Value *at =
          b.CreateAnd(b.CreateAdd(word, base),
                      static_cast<uint64_t>(spec.ring.entries() - 1));
      store(b.CreateAdd(load(ring, at), b.CreateAShr(word, 16)), ring, at);
    });
    countEvents(row->getArg(2));
  }
  b.CreateRetVoid();
}

/// Stimuli send what the host put into "stimulus"; spike arrays walk a list of
/// (tick, unit) pairs in SDRAM.
void CoreEmitter::emitSource() {
  begin(function("source", 1));
  current->setLinkage(llvm::GlobalValue::InternalLinkage);
  const Source &source = spec.plan->sources[spec.node->outputs.front()];
  if (isa<neuro::SpikeArrayOp>(spec.node->op)) {
    llvm::Value *tick = current->getArg(0);
    llvm::Value *zero = b.getInt32(0);
    llvm::GlobalVariable *position = array("position", 1);
    llvm::GlobalVariable *count = array("event_count", 1);
    llvm::BasicBlock *test = block("test"), *look = block("look"),
                     *fire = block("fire"), *done = block("done");
    b.CreateBr(test);
    b.SetInsertPoint(test);
    llvm::Value *at = load(position, zero);
    b.CreateCondBr(b.CreateICmpULT(at, load(count, zero)), look, done);
    b.SetInsertPoint(look);
    llvm::Value *event = b.CreateIntToPtr(
        b.CreateAdd(share(ImageSpec::kEvents), b.CreateShl(at, 3)),
        b.getPtrTy());
    llvm::Value *when = load(event, zero);
    b.CreateCondBr(b.CreateICmpULE(when, tick), fire, done);
    b.SetInsertPoint(fire);
    store(b.CreateAdd(at, b.getInt32(1)), position, zero);
    llvm::Value *unit = load(event, b.getInt32(1));
    ifThen(b.CreateICmpEQ(when, tick), [&] { emitSpike(0, unit); });
    b.CreateBr(test);
    b.SetInsertPoint(done);
    b.CreateRetVoid();
    return;
  }
  llvm::GlobalVariable *values = array("stimulus", spec.maxUnits);
  forLoop(b.getInt32(0), share(ImageSpec::kUnits), [&](llvm::Value *u) {
    llvm::Value *value = load(values, u);
    if (!source.isSpikes)
      return emitValue(0, u, value);
    ifThen(b.CreateICmpNE(value, b.getInt32(0)), [&] {
      store(b.getInt32(0), values, u);
      emitSpike(0, u);
    });
  });
  b.CreateRetVoid();
}

LogicalResult CoreEmitter::emitEnd() {
  begin(function("neuroc_core_end", 1));
  llvm::Value *tick = current->getArg(0);
  for (unsigned i = 0; i < spec.listening.size(); ++i)
    if (int64_t slots = spec.historySlots(i)) {
      int64_t size = spec.arraySize[i];
      llvm::GlobalVariable *values = array(listenName("values", i), size);
      llvm::Value *to = address(
          array(listenName("history", i), slots * size),
          b.CreateMul(b.CreateAnd(tick, static_cast<uint64_t>(slots - 1)),
                      b.getInt32(static_cast<uint32_t>(size))));
      forLoop(b.getInt32(0), b.getInt32(static_cast<uint32_t>(size)),
              [&](llvm::Value *k) { store(load(values, k), to, k); });
    }
  if (failed(emitLearning(tick)))
    return failure();
  for (unsigned i = 0; i < spec.listening.size(); ++i)
    if (spec.listening[i].kind == ListenKind::Flag) {
      llvm::GlobalVariable *values =
          array(listenName("values", i), spec.arraySize[i]);
      forLoop(b.getInt32(0),
              b.getInt32(static_cast<uint32_t>(spec.arraySize[i])),
              [&](llvm::Value *k) { store(b.getInt32(0), values, k); });
    }
  if (spec.ring.sections) {
    llvm::Value *at = b.CreateMul(
        b.CreateAnd(tick, static_cast<uint64_t>(spec.ring.slots - 1)),
        b.getInt32(static_cast<uint32_t>(spec.ring.stride)));
    llvm::Value *slotBase = address(array("ring", spec.ring.entries()), at);
    forLoop(b.getInt32(0), b.getInt32(static_cast<uint32_t>(spec.ring.stride)),
            [&](llvm::Value *k) { store(b.getInt32(0), slotBase, k); });
  }
  b.CreateRetVoid();
  return success();
}

LogicalResult CoreEmitter::run() {
  // Arrays whose addresses stand in tables that the kernel or the host uses
  // exist even where no code names them any more.
  auto kept = [&](const std::string &name, int64_t words) {
    array(name, words)->setSection(".bss.neuroc_keep");
  };
  array("share", spec.shareWords());
  array("spikes_made", 1);
  array("neuroc_core_sources",
        spec.sourceEntries * (sizeof(neuroc_spinn_source) / 4));
  array("neuroc_core_records", static_cast<int64_t>(spec.records.size()) *
                                   (sizeof(neuroc_spinn_record) / 4));
  kept("row_index", spec.indexWords);
  for (unsigned i = 0; i < spec.listening.size(); ++i)
    if (spec.listening[i].kind != ListenKind::Rows)
      kept(listenName("values", i), spec.arraySize[i]);
  if (spec.node->population()) {
    neuro::ModelOp model = spec.node->model;
    for (auto state : model.list<neuro::StateOp>())
      kept("state_" + state.getSymName().str(), spec.maxUnits);
    for (auto param : model.list<neuro::ParamOp>())
      array("param_" + param.getSymName().str(), spec.maxUnits);
    for (auto [index, stage] : llvm::enumerate(spec.node->stages))
      if (failed(emitStage(stage.first, index)))
        return failure();
  } else {
    kept("stimulus", spec.maxUnits);
    array("event_count", 1);
    array("position", 1);
    emitSource();
  }
  for (const RecordItem &item : spec.records) {
    if (item.isState)
      continue;
    if (item.isSpikes)
      kept("spikes_" + std::to_string(item.output), (spec.maxUnits + 31) / 32);
    else
      kept("output_" + std::to_string(item.output), spec.maxUnits);
  }
  emitLevels();
  emitRow();
  if (failed(emitEnd()) || failed(emitCalls()))
    return failure();
  begin(function("neuroc_core_start", 0));
  b.CreateRetVoid();
  return failed_ ? failure() : success();
}

LogicalResult neuroc::spinn::emitCore(const ImageSpec &spec,
                                      llvm::Module &module) {
  return CoreEmitter(spec, module).run();
}
