// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The frame of a tile program (initialise, then for ever: wait, run a tick or a
// called routine), stages of populations, and the exchange of signals.
//
//   start:  program plastic blocks
//   loop:   tick; command 0 -> tick body, k -> routine k
//   body:   past values, cleared sums, the operations of the schedule, rings
#include "Emitter.h"

#include "neuroc/Neuro/Analysis/TickSchedule.h"
#include "neuroc/Neuro/Analysis/Values.h"
#include "neuroc/rt/Random.h"

#include <algorithm>

using namespace mlir;

namespace neuroc::xbar {

using namespace neuro;
using Label = rt::xbar::ProgramBuilder::Label;

static constexpr int64_t kTickRegister =
    int64_t(rt::xbar::SpecialRegister::TickCount);
static constexpr int64_t kCommandRegister =
    int64_t(rt::xbar::SpecialRegister::Command);

void Emitter::blockLoop(TileState &t, int64_t length,
                        llvm::function_ref<void()> body) {
  int64_t block = t.pool.getBlock();
  t.tile.set(kOffset, 0);
  if (length <= block) {
    t.tile.set(kLength, length);
    body();
    return;
  }
  auto &code = t.tile.code;
  Label end = code.newLabel();
  code.emitTo(Op::Loopi, {(length + block - 1) / block}, end);
  // length of this block = min(block, length - offset)
  t.tile.set(kLength, length);
  t.tile.emit(Op::Sub, {kLength, kLength, kOffset});
  t.tile.emit(Op::Mini, {kLength, kLength, block});
  body();
  t.tile.emit(Op::Addi, {kOffset, kOffset, block});
  code.bind(end);
}

LogicalResult Emitter::emitTile(TileState &t) {
  auto &code = t.tile.code;
  for (Learning &learning : t.learnings)
    code.emitTo(Op::Jal, {rt::xbar::kLinkRegister}, learning.programAll);
  Label loop = code.newLabel(), dispatch = code.newLabel(),
        again = code.newLabel();
  code.bind(loop);
  t.tile.emit(Op::Tick, {});
  t.tile.emit(Op::Rdsr, {kTick, kTickRegister});
  // Weights that the host has written reach the arrays first.
  for (Learning &learning : t.learnings) {
    Label clean = code.newLabel();
    t.tile.emit(Op::Lw, {kA, kZero, learning.dirty});
    code.emitTo(Op::Beq, {kA, kZero}, clean);
    t.tile.emit(Op::Sw, {kZero, kZero, learning.dirty});
    code.emitTo(Op::Jal, {rt::xbar::kLinkRegister}, learning.programAll);
    code.bind(clean);
  }
  t.tile.emit(Op::Rdsr, {kA, kCommandRegister});
  code.emitTo(Op::Bne, {kA, kZero}, dispatch);
  emitTickStart(t);
  auto tick = *t.op.getBody().front().getOps<TickOp>().begin();
  for (Operation &op : tick.getBody().front()) {
    LogicalResult result = success();
    if (auto update = dyn_cast<UpdateOp>(op))
      result = emitUpdate(t, update);
    else if (auto send = dyn_cast<SendOp>(op))
      emitSend(t, send);
    else if (auto recv = dyn_cast<RecvOp>(op))
      emitRecv(t, recv);
    else if (auto mvm = dyn_cast<MvmOp>(op))
      result = emitMvm(t, mvm);
    else if (auto collect = dyn_cast<CollectOp>(op))
      emitCollect(t, collect);
    else if (auto scatter = dyn_cast<ScatterOp>(op))
      result = emitScatter(t, scatter);
    else if (auto combine = dyn_cast<CombineOp>(op))
      result = emitCombine(t, combine);
    else if (auto learn = dyn_cast<LearnOp>(op))
      for (Learning &learning : t.learnings)
        if (PlasticOp(learning.plastic).getSymName() == learn.getPlastic())
          result = emitLearn(t, learning);
    if (failed(result))
      return failure();
  }
  emitTickEnd(t);
  code.bind(again);
  code.emitTo(Op::Jmp, {}, loop);
  // Routines that the host calls, numbered by plastic.
  code.bind(dispatch);
  for (Learning &learning : t.learnings) {
    if (!learning.hasCall)
      continue;
    t.tile.emit(Op::Rdsr, {kA, kCommandRegister});
    t.tile.set(kB,
               tag("call/" + PlasticOp(learning.plastic).getSymName().str()));
    code.emitTo(Op::Beq, {kA, kB}, learning.call);
  }
  code.emitTo(Op::Jmp, {}, loop);
  for (Learning &learning : t.learnings) {
    if (learning.hasCall) {
      code.bind(learning.call);
      if (failed(emitRows(t, learning, /*isCall=*/true)))
        return failure();
      code.emitTo(Op::Jmp, {}, loop);
    } else {
      code.bind(learning.call);
    }
    emitProgramAll(t, learning);
  }
  return success();
}

void Emitter::emitTickStart(TileState &t) {
  t.tile.emit(Op::Sw, {kZero, kZero, t.spikeCount}); // counts of this tick
  for (auto &[name, base] : t.signals) {
    int64_t size = getSignalSize(base), now = t.views.at({name, 0});
    if (auto inbox = t.inboxes.find(name); inbox != t.inboxes.end()) {
      t.tile.copy(now, inbox->second, size);
      t.tile.fill(inbox->second, 0, size);
    }
    if (auto events = base.getDefiningOp<SpikeArrayOp>())
      emitSpikeArray(t, events);
  }
  // Past values: slot (tick - delay) of the ring, which holds zeros at first.
  for (auto &[key, address] : t.views) {
    auto [name, delay] = key;
    if (delay == 0)
      continue;
    TileState::Ring &ring = t.rings.at(name);
    int64_t size = getSignalSize(ring.signal);
    // tick - delay may be negative: add a multiple of the slots first
    t.tile.emit(Op::Addi, {kA, kTick, ring.slots - delay % ring.slots});
    t.tile.emit(Op::Remi, {kA, kA, ring.slots});
    t.tile.emit(Op::Muli, {kA, kA, ring.words});
    t.tile.emit(Op::Addi, {kB, kA, ring.address});
    t.tile.set(kA, address);
    t.tile.set(kD, size);
    t.tile.emit(isSpikeSignal(ring.signal) ? Op::Vunpk1 : Op::Vmov,
                {kA, kB, kD});
  }
  for (Share &share : t.shares) {
    share.gathered.clear();
    PopulationOp population = share.population;
    for (auto &[name, address] : share.inputs) {
      if (population.getOperandsOfPort(name).empty())
        continue;
      InputOp input;
      for (InputOp candidate : population.getModelOp().list<InputOp>())
        if (candidate.getSymName() == name)
          input = candidate;
      int64_t identity = 0;
      if (input.getCombine() == Combine::Max)
        identity = INT32_MIN;
      else if (input.getCombine() == Combine::Min)
        identity = INT32_MAX;
      else if (input.getCombine() == Combine::Product)
        identity = toFixed(1.0, frac(population.getSymName(), name));
      t.tile.fill(address, identity, share.size());
    }
  }
}

/// Pushes present values into the rings.
void Emitter::emitTickEnd(TileState &t) {
  for (auto &[name, ring] : t.rings) {
    t.tile.emit(Op::Remi, {kA, kTick, ring.slots});
    t.tile.emit(Op::Muli, {kA, kA, ring.words});
    t.tile.emit(Op::Addi, {kA, kA, ring.address});
    t.tile.set(kB, t.views.at({name, 0}));
    t.tile.set(kD, getSignalSize(ring.signal));
    t.tile.emit(isSpikeSignal(ring.signal) ? Op::Vpack1 : Op::Vmov,
                {kA, kB, kD});
  }
}

/// Events sorted by tick; a word points to the next one.
void Emitter::emitSpikeArray(TileState &t, SpikeArrayOp op) {
  auto &code = t.tile.code;
  std::vector<std::pair<int64_t, int64_t>> events;
  std::vector<double> flat = toDoubles(op.getEvents());
  for (size_t i = 0; i + 1 < flat.size(); i += 2)
    events.emplace_back(int64_t(flat[i]), int64_t(flat[i + 1]));
  llvm::sort(events);
  std::vector<int32_t> words;
  for (auto [tick, unit] : events) {
    words.push_back(int32_t(tick));
    words.push_back(int32_t(unit));
  }
  words.push_back(INT32_MAX); // no tick comes after it
  int64_t now = t.views.at({nameOf(op.getOutput()), 0});
  t.tile.fill(now, 0, getSignalSize(op.getOutput()));
  int64_t list = t.tile.allocateData(words);
  int64_t pointer = t.tile.allocateData({int32_t(list)});
  Label top = code.newLabel(), end = code.newLabel();
  t.tile.emit(Op::Lw, {kA, kZero, pointer});
  t.tile.set(kC, 1);
  code.bind(top);
  t.tile.emit(Op::Lw, {kB, kA, 0});
  code.emitTo(Op::Bne, {kB, kTick}, end);
  t.tile.emit(Op::Lw, {kB, kA, 1});
  t.tile.emit(Op::Sw, {kC, kB, now});
  t.tile.emit(Op::Addi, {kA, kA, 2});
  code.emitTo(Op::Jmp, {}, top);
  code.bind(end);
  t.tile.emit(Op::Sw, {kA, kZero, pointer});
}

LogicalResult Emitter::emitUpdate(TileState &t, UpdateOp op) {
  auto &code = t.tile.code;
  for (Share &share : t.shares) {
    PopulationOp population = share.population;
    if (population.getSymName() != op.getPopulation())
      continue;
    ModelOp model = population.getModelOp();
    StageOp stage;
    for (StageOp candidate : model.list<StageOp>())
      if (candidate.getSymName() == op.getStage())
        stage = candidate;
    Label skip = code.newLabel();
    int64_t every = int64_t(population.getEvery());
    if (every > 1) {
      for (auto [index, output] : llvm::enumerate(model.list<OutputOp>()))
        if (output.getType().isInteger(1) &&
            getEmittingStage(population, unsigned(index)) == stage)
          t.tile.fill(share.outputs[output.getSymName().str()], 0,
                      share.size());
      t.tile.emit(Op::Remi, {kA, kTick, every});
      code.emitTo(Op::Bne, {kA, kZero}, skip);
    }
    for (Direct &direct : view_->directs) {
      Port port = direct.target;
      std::string name = port.input.getSymName().str();
      if (port.population != population || !readsPort(stage, name) ||
          share.gathered.count(name) || !share.inputs.count(name))
        continue;
      int point = portFrac(port);
      int64_t from;
      if (direct.source.base) {
        from = view(t, direct.source) + share.first;
        int shift = point - signalFrac(direct.source.base);
        if (shift != 0) {
          int64_t buffer = scratch(t, "direct", share.size());
          t.tile.shifted(buffer, from, share.size(), shift);
          from = buffer;
        }
      } else {
        std::vector<double> values = toDoubles(direct.constant);
        std::vector<int32_t> words;
        for (int64_t unit = share.first; unit < share.last; ++unit)
          words.push_back(toFixed(values[size_t(unit)], point));
        from = t.tile.allocateData(words);
      }
      emitContribution(t, port, share, from, share.first, share.size());
    }
    for (auto &[name, address] : share.inputs)
      if (readsPort(stage, name))
        share.gathered.insert(name);
    if (failed(emitBlocks(t, share, stage)))
      return failure();
    for (auto &[name, clamp] : share.clamps) {
      int64_t state = share.states.at(name);
      t.tile.set(kA, state);
      t.tile.set(kB, clamp.first);
      t.tile.set(kC, clamp.second);
      t.tile.set(kE, state);
      t.tile.set(kD, share.size());
      t.tile.emit(Op::Vsel, {kA, kB, kC, kE, kD});
    }
    code.bind(skip);
    // Statistics: spikes emitted.
    for (auto [index, output] : llvm::enumerate(model.list<OutputOp>())) {
      if (!output.getType().isInteger(1) ||
          getEmittingStage(population, unsigned(index)) != stage)
        continue;
      t.tile.set(kB, share.outputs[output.getSymName().str()]);
      t.tile.set(kD, share.size());
      t.tile.emit(Op::Vsum, {kA, kB, kD});
      t.tile.emit(Op::Lw, {kB, kZero, t.spikeCount});
      t.tile.emit(Op::Add, {kA, kA, kB});
      t.tile.emit(Op::Sw, {kA, kZero, t.spikeCount});
    }
  }
  return success();
}

Operand Emitter::emitDraw(TileState &t, VectorCode &vectors, RandomOp random,
                          int64_t keyBlock,
                          llvm::function_ref<void()> setEntity, bool listed) {
  int64_t draw = std::max<int64_t>(0, int32_t(random.getDraw()));
  bool uniform = random.getKind() == RandomKind::Uniform;
  Operand operand = vectors.temporary(uniform ? 30 : 0);
  setEntity();
  vectors.address(kA, operand);
  t.tile.set(kB, keyBlock);
  if (uniform) {
    t.tile.emit(listed ? Op::VrnduX : Op::Vrndu,
                {kA, kB, kC, kLength, kTick, draw, 30});
    return operand;
  }
  t.tile.emit(listed ? Op::VrndnX : Op::Vrndn,
              {kA, kB, kC, kLength, kTick, draw});
  int point = mantissaFrac(NEUROC_RT_NORMAL_SCALE);
  vectors.address(kB, operand);
  t.tile.set(kC, toFixed(NEUROC_RT_NORMAL_SCALE, point));
  t.tile.emit(Op::VmulS, {kA, kB, kC, kLength, point - 27});
  operand.frac = 27;
  return operand;
}

LogicalResult Emitter::emitBlocks(TileState &t, Share &share, StageOp stage) {
  PopulationOp population = share.population;
  StringRef owner = population.getSymName();
  VectorCode vectors(t.tile, t.pool, *ranges, notes, t.tables, share.size());
  LogicalResult result = success();
  auto leaf = [&](Operation *op) -> std::optional<Operand> {
    if (auto get = dyn_cast<GetOp>(op)) {
      std::string name = get.getName().str();
      int point = frac(owner, name);
      for (auto *names : {&share.states, &share.params, &share.inputs})
        if (auto found = names->find(name); found != names->end())
          return Operand::memory(found->second, point);
      return std::nullopt;
    }
    if (isa<DtOp>(op))
      return Operand::constant(view_->network.getDt().convertToDouble() *
                               double(population.getEvery()));
    if (isa<IndexOp>(op)) {
      Operand operand = vectors.temporary(0);
      vectors.address(kA, operand);
      t.tile.emit(Op::Addi, {kB, kOffset, share.first});
      t.tile.set(kC, 1);
      t.tile.emit(Op::Viota, {kA, kB, kC, kLength});
      return operand;
    }
    if (isa<TimeOp>(op)) { // tick * dt; 2^20 ms fit with 10 fraction bits
      Operand operand = vectors.temporary(10);
      vectors.address(kA, operand);
      t.tile.emit(Op::Vfill, {kA, kTick, kLength});
      double dt = view_->network.getDt().convertToDouble();
      int point = std::min(mantissaFrac(dt), 63 + 10);
      vectors.address(kB, operand);
      t.tile.set(kC, toFixed(dt, point));
      t.tile.emit(Op::VmulS, {kA, kB, kC, kLength, std::max(0, point - 10)});
      return operand;
    }
    if (auto random = dyn_cast<RandomOp>(op))
      return emitDraw(t, vectors, random, share.keyBlock, [&] {
        t.tile.emit(Op::Addi, {kC, kOffset, share.first});
      });
    return std::nullopt;
  };
  auto sink = [&](Operation *op, Operand value) {
    if (auto set = dyn_cast<SetOp>(op)) {
      std::string name = set.getName().str();
      vectors.store(Operand::memory(share.states.at(name), frac(owner, name)),
                    value);
    } else if (auto emit = dyn_cast<EmitOp>(op)) {
      std::string name = emit.getName().str();
      bool spikes = emit.getValue().getType().isInteger(1);
      vectors.store(Operand::memory(share.outputs.at(name),
                                    spikes ? 0 : frac(owner, name)),
                    value);
    }
  };
  blockLoop(t, share.size(), [&] {
    if (failed(vectors.compile(stage.getBody().front(), leaf, sink)))
      result = failure();
  });
  return result;
}

void Emitter::emitSend(TileState &t, SendOp op) {
  Value base = view_->findSignal(op.getSignal());
  auto [population, index] = NetworkView::getProducer(base);
  std::string output =
      population.getModelOp().list<OutputOp>()[index].getSymName().str();
  std::string name = nameOf(base);
  bool spikes = isSpikeSignal(base);
  for (Share &share : t.shares) {
    if (share.population != population)
      continue;
    int64_t from = share.outputs.at(output), words = share.size();
    if (spikes) {
      words = (words + 31) / 32;
      int64_t buffer = scratch(t, "wire", words);
      t.tile.set(kA, buffer);
      t.tile.set(kB, from);
      t.tile.set(kD, share.size());
      t.tile.emit(Op::Vpack1, {kA, kB, kD});
      from = buffer;
    }
    std::vector<int32_t> numbers;
    for (auto tile : op.getTiles().getAsRange<FlatSymbolRefAttr>())
      numbers.push_back(
          int32_t(tileByName.at(tile.getValue().str())->tile.number));
    t.tile.set(kA, from);
    t.tile.set(kC, tag(name + "/" + std::to_string(t.tile.number)));
    t.tile.set(kD, words);
    if (numbers.size() == 1) {
      t.tile.set(kB, numbers[0]);
      t.tile.emit(Op::Send, {kA, kB, kC, kD});
    } else {
      t.tile.set(kB, t.tile.allocateData(numbers));
      t.tile.set(kE, int64_t(numbers.size()));
      t.tile.emit(Op::Mcast, {kA, kB, kC, kD, kE});
    }
  }
}

void Emitter::emitRecv(TileState &t, RecvOp op) {
  Value base = view_->findSignal(op.getSignal());
  auto [population, index] = NetworkView::getProducer(base);
  (void)index;
  std::string name = nameOf(base);
  TileState &from = *tileByName.at(op.getTile().str());
  bool spikes = isSpikeSignal(base);
  for (Share &share : from.shares) {
    if (share.population != population)
      continue;
    int64_t to = t.views.at({name, 0}) + share.first;
    int64_t words = spikes ? (share.size() + 31) / 32 : share.size();
    int64_t wire = spikes ? scratch(t, "wire", words) : to;
    t.tile.set(kA, wire);
    t.tile.set(kC, tag(name + "/" + std::to_string(from.tile.number)));
    t.tile.set(kD, words);
    t.tile.emit(Op::Recv, {kA, kC, kD});
    if (spikes) {
      t.tile.set(kA, to);
      t.tile.set(kB, wire);
      t.tile.set(kD, share.size());
      t.tile.emit(Op::Vunpk1, {kA, kB, kD});
    }
  }
}

} // namespace neuroc::xbar
