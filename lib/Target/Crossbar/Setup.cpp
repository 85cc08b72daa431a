// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Lays out the memory of each tile before any code is written: units' states
// and ports, copies of the signals that the tile reads, rings of past values,
// the exact weights of plastic blocks.
#include "Emitter.h"

#include "neuroc/Neuro/Analysis/Connectivity.h"
#include "neuroc/Neuro/Analysis/Values.h"
#include "neuroc/rt/Random.h"

#include <cmath>

using namespace mlir;

namespace neuroc::xbar {

using namespace neuro;

static constexpr int64_t kBlock = 256; ///< units per vector instruction

/// Units per vector instruction of a tile: shares whose stages reduce over
/// units are computed in one piece.
static int64_t blockOf(NetworkOp network, TileOp tile) {
  int64_t block = kBlock;
  for (auto share : tile.getBody().front().getOps<ShareOp>()) {
    auto population = cast<PopulationOp>(
        SymbolTable::lookupSymbolIn(network, share.getPopulation()));
    population.getModelOp().walk([&](ReduceOp) {
      block = std::max(block, share.getUnits()[1] - share.getUnits()[0]);
    });
  }
  return block;
}

std::string Emitter::nameOf(Value base) {
  std::string name;
  llvm::raw_string_ostream stream(name);
  NetworkView::getSignalName(base).print(stream);
  return name;
}

int Emitter::frac(StringRef owner, StringRef name) const {
  auto found = formats.find({owner.str(), name.str()});
  return found == formats.end()
             ? 0
             : int(int64_t(FormatOp(found->second).getFrac()));
}

double Emitter::range(StringRef owner, StringRef name, bool low) const {
  auto found = formats.find({owner.str(), name.str()});
  if (found == formats.end())
    return 0.0;
  return FormatOp(found->second).getRange()[low ? 0 : 1];
}

int Emitter::signalFrac(Value base) const {
  if (isSpikeSignal(base))
    return 0;
  auto [population, index] = NetworkView::getProducer(base);
  if (!population)
    return frac(SymbolTable::getSymbolName(base.getDefiningOp()).getValue(),
                "value");
  return frac(population.getSymName(),
              population.getModelOp().list<OutputOp>()[index].getSymName());
}

int Emitter::portFrac(const Port &port) const {
  return frac(PopulationOp(port.population).getSymName(),
              InputOp(port.input).getSymName());
}

int64_t Emitter::tag(const std::string &key) {
  return tags.try_emplace(key, int64_t(tags.size()) + 1).first->second;
}

int64_t Emitter::scratch(TileState &t, const std::string &name, int64_t words) {
  // Names carry their size: a buffer is never outgrown.
  auto [entry, isNew] =
      t.scratch.try_emplace(name + "/" + std::to_string(words), 0);
  if (isNew)
    entry->second = t.tile.allocate(words);
  return entry->second;
}

int64_t Emitter::requireView(TileState &t, Value base, int64_t delay) {
  std::string name = nameOf(base);
  t.signals[name] = base;
  int64_t size = getSignalSize(base);
  auto [entry, isNew] = t.views.try_emplace({name, delay}, 0);
  if (isNew)
    entry->second = t.tile.allocate(size);
  if (delay > 0) {
    requireView(t, base, 0);
    TileState::Ring &ring = t.rings[name];
    ring.signal = base;
    ring.words = isSpikeSignal(base) ? (size + 31) / 32 : size;
    ring.slots = std::max(ring.slots, delay);
  }
  return t.views[{name, delay}];
}

int64_t Emitter::view(TileState &t, const Source &source) {
  return t.views.at({nameOf(source.base), source.delay});
}

LogicalResult Emitter::setUp() {
  map = getMap(module);
  auto created = NetworkView::create(getNetwork(module));
  if (failed(created))
    return failure();
  view_.emplace(std::move(*created));
  RangeOptions rangeOptions;
  rangeOptions.hostWrites = true;
  rangeOptions.learningRoom = 16.0;
  ranges.emplace(view_->network, rangeOptions);
  for (FormatOp format : map.list<FormatOp>())
    formats[{format.getOwner().str(), format.getName().str()}] = format;
  for (ExperimentOp experiment : module.getOps<ExperimentOp>())
    experiment.walk([&](Operation *op) {
      if (auto clamp = dyn_cast<ClampOp>(op))
        clamped[clamp.getPopulation().str()].insert(clamp.getVariable().str());
      else if (auto store = dyn_cast<StoreOp>(op); store && store.getClamp())
        clamped[store.getTarget().str()].insert(store.getVariable()->str());
    });
  auto mesh = map.getMachineOp().getMesh();
  for (TileOp op : map.list<TileOp>()) {
    TileState &t = tiles.emplace_back(blockOf(view_->network, op));
    t.op = op;
    auto at = op.getAt();
    if (!at)
      return op.emitError() << "tile has no place: run xbar-place-tiles";
    t.tile.number = unsigned((*at)[1] * mesh[0] + (*at)[0]);
    tileByName[op.getSymName().str()] = &t;
  }
  for (TileState &t : tiles) {
    t.tickWord = t.tile.allocate(1);
    t.spikeCount = t.tile.allocate(1);
    t.eventCount = t.tile.allocate(1);
    setUpBlocks(t);
    if (failed(setUpViews(t)))
      return failure();
    for (auto share : t.op.getBody().front().getOps<ShareOp>())
      setUpShare(t, share);
    if (failed(setUpLearning(t)))
      return failure();
  }
  return success();
}

void Emitter::setUpBlocks(TileState &t) {
  for (auto program : t.op.getBody().front().getOps<ProgramOp>()) {
    Block &block = t.blocks.emplace_back();
    block.op = program;
    block.matrix =
        cast<MatrixOp>(SymbolTable::lookupSymbolIn(map, program.getMatrix()));
    auto bank = program.getBank().getDefiningOp<BankOp>();
    block.array = int64_t(bank.getFirst());
    block.slices = bank.getBank().getType().getSlices();
    block.row0 = program.getRows()[0];
    block.row1 = program.getRows()[1];
    block.col0 = program.getCols()[0];
    block.col1 = program.getCols()[1];
    block.at = int64_t(program.getAt());
  }
}

LogicalResult Emitter::setUpViews(TileState &t) {
  auto ticks = t.op.getBody().front().getOps<TickOp>();
  if (ticks.empty())
    return t.op.emitError() << "tile has no tick: run xbar-schedule-ticks";
  auto need = [&](const Source &source) {
    if (source.base)
      requireView(t, source.base, source.delay);
  };
  auto needProjection = [&](int64_t id) {
    need(view_->projections[size_t(id)].source);
  };
  for (Operation &op : (*ticks.begin()).getBody().front()) {
    if (auto mvm = dyn_cast<MvmOp>(op)) {
      needProjection(int64_t(mvm.getProjection()));
    } else if (auto scatter = dyn_cast<ScatterOp>(op)) {
      needProjection(int64_t(scatter.getProjection()));
    } else if (auto combine = dyn_cast<CombineOp>(op)) {
      needProjection(int64_t(combine.getProjection()));
    } else if (auto update = dyn_cast<UpdateOp>(op)) {
      for (Direct &direct : view_->directs)
        if (direct.target.population.getSymName() == update.getPopulation())
          need(direct.source);
    } else if (auto learn = dyn_cast<LearnOp>(op)) {
      for (PlasticOp plastic : view_->plastics) {
        if (plastic.getSymName() != learn.getPlastic())
          continue;
        Source pre = NetworkView::resolve(plastic.getPre());
        pre.delay += int64_t(plastic.getDelay());
        need(pre);
        need(NetworkView::resolve(plastic.getPost()));
        for (Value factor : plastic.getFactors())
          need(NetworkView::resolve(factor));
      }
    }
  }
  // A stimulus that nobody reads still has a place for the host to write to.
  if (&t == &tiles.front())
    for (Operation &op : view_->network.getBody().front())
      if (isa<StimulusOp, SpikeArrayOp>(op)) {
        bool read = false;
        for (Operation *user : op.getResult(0).getUsers())
          read |= !isa<ProbeOp>(user);
        if (!read)
          requireView(t, op.getResult(0), 0);
      }
  for (auto &[name, ring] : t.rings)
    ring.address = t.tile.allocate(ring.slots * ring.words);
  for (auto &[name, base] : t.signals)
    if (isSpikeSignal(base) && base.getDefiningOp<StimulusOp>())
      t.inboxes[name] = t.tile.allocate(getSignalSize(base));
  // Initial values of stimuli.
  for (auto &[name, base] : t.signals)
    if (auto stimulus = base.getDefiningOp<StimulusOp>();
        stimulus && stimulus.getInitAttr()) {
      std::vector<int32_t> words;
      bool spikes = isSpikeSignal(base);
      for (double value : getInitialStimulus(stimulus))
        words.push_back(spikes ? value != 0.0
                               : toFixed(value, signalFrac(base)));
      int64_t at = t.tile.allocateData(words);
      // Loaded in place: move the image to the view (or inbox).
      t.tile.moveImage(at, spikes ? t.inboxes[name] : t.views[{name, 0}]);
    }
  return success();
}

void Emitter::setUpShare(TileState &t, ShareOp op) {
  Share &share = t.shares.emplace_back();
  share.population = view_->findPopulation(op.getPopulation());
  share.first = op.getUnits()[0];
  share.last = op.getUnits()[1];
  PopulationOp population = share.population;
  ModelOp model = population.getModelOp();
  std::string owner = population.getSymName().str();
  auto slice = [&](const std::vector<double> &values, int point) {
    std::vector<int32_t> words;
    for (int64_t unit = share.first; unit < share.last; ++unit)
      words.push_back(toFixed(values[size_t(unit)], point));
    return words;
  };
  std::set<std::string> read;
  bool draws = false;
  model.walk([&](Operation *inner) {
    if (auto get = dyn_cast<GetOp>(inner))
      read.insert(get.getName().str());
    draws |= isa<RandomOp>(inner);
  });
  for (ParamOp param : model.list<ParamOp>()) {
    StringRef name = param.getSymName();
    if (read.count(name.str()))
      share.params[name.str()] = t.tile.allocateData(
          slice(getParamValues(population, name), frac(owner, name)));
  }
  for (StateOp state : model.list<StateOp>()) {
    StringRef name = state.getSymName();
    share.states[name.str()] = t.tile.allocateData(
        slice(getInitialState(population, name), frac(owner, name)));
    if (clamped[owner].count(name.str()))
      share.clamps[name.str()] = {t.tile.allocate(share.size()),
                                  t.tile.allocate(share.size())};
  }
  for (InputOp input : model.list<InputOp>()) {
    StringRef name = input.getSymName();
    if (!read.count(name.str()))
      continue;
    double initial = population.getOperandsOfPort(name).empty()
                         ? input.getDefaultValue().convertToDouble()
                         : 0.0;
    share.inputs[name.str()] = t.tile.allocateData(std::vector<int32_t>(
        size_t(share.size()), toFixed(initial, frac(owner, name))));
  }
  for (auto [index, output] : llvm::enumerate(model.list<OutputOp>())) {
    std::string name = nameOf(population.getResult(unsigned(index)));
    auto present = t.views.find({name, 0});
    share.outputs[output.getSymName().str()] =
        present != t.views.end() ? present->second + share.first
                                 : t.tile.allocate(share.size());
  }
  if (draws)
    share.keyBlock = allocateKey(t, owner);
}

/// The key of the random numbers of a population or a plastic.
int64_t Emitter::allocateKey(TileState &t, StringRef owner) {
  uint64_t key = neuroc_rt_key(uint64_t(view_->network.getSeed()),
                               neuroc_rt_stream(owner.str().c_str()));
  return t.tile.allocateData(
      {int32_t(uint32_t(key)), int32_t(uint32_t(key >> 32)), 0});
}

LogicalResult Emitter::setUpLearning(TileState &t) {
  auto tick = *t.op.getBody().front().getOps<TickOp>().begin();
  for (auto learn : tick.getBody().front().getOps<LearnOp>()) {
    Learning &learning = t.learnings.emplace_back();
    for (PlasticOp plastic : view_->plastics)
      if (plastic.getSymName() == learn.getPlastic())
        learning.plastic = plastic;
    PlasticOp plastic = learning.plastic;
    RuleOp rule = plastic.getRuleOp();
    WeightOp weight = plastic.getWeightOp();
    if (rule.walk([](RandomOp) { return WalkResult::interrupt(); })
            .wasInterrupted())
      learning.keyBlock = allocateKey(t, plastic.getSymName());
    std::string owner = plastic.getSymName().str();
    learning.enabled = t.tile.allocateData({plastic.getDisabled() ? 0 : 1});
    learning.dirty = t.tile.allocate(1);
    learning.shift = t.tile.allocate(1);
    learning.programAll = t.tile.code.newLabel();
    learning.call = t.tile.code.newLabel();
    for (HandlerOp handler : rule.list<HandlerOp>())
      learning.hasCall |= handler.getEvent() == Event::Call;
    for (TraceOp trace : rule.list<TraceOp>()) {
      int64_t units = trace.getSide() == Side::Pre ? weight.getNumPre()
                                                   : weight.getNumPost();
      std::vector<int32_t> words(size_t(units),
                                 toFixed(trace.getInit().convertToDouble(),
                                         frac(owner, trace.getSymName())));
      learning.traces[trace.getSymName().str()] =
          t.tile.allocateData(std::move(words));
    }
    auto expanded = expandWeight(weight);
    if (failed(expanded))
      return failure();
    bool sparse = expanded->values.size() !=
                  size_t(weight.getNumPre() * weight.getNumPost());
    int point = frac(owner, "w");
    for (Block &block : t.blocks) {
      if (block.matrix.getWeight() != weight.getSymName())
        continue;
      learning.blocks.push_back(&block);
      size_t words = size_t(block.rows() * block.cols());
      std::vector<int32_t> values(words), exists(sparse ? words : 0);
      bool byPost = block.matrix.getTransposed();
      const rt::Synapses &synapses = expanded->synapses;
      for (int64_t pre = 0; pre < weight.getNumPre(); ++pre)
        for (uint64_t i = synapses.rowStart[size_t(pre)];
             i < synapses.rowStart[size_t(pre) + 1]; ++i) {
          int64_t post = synapses.post[i];
          int64_t row = byPost ? post : pre, col = byPost ? pre : post;
          if (row < block.row0 || row >= block.row1 || col < block.col0 ||
              col >= block.col1)
            continue;
          size_t at =
              size_t((row - block.row0) * block.cols() + col - block.col0);
          if (sparse && exists[at])
            return weight.emitError()
                   << "unsupported: two synapses join the same pair of units; "
                      "on a crossbar machine a weight that learns can hold one";
          values[at] = toFixed(expanded->values[i], point);
          if (sparse)
            exists[at] = 1;
        }
      block.weights = t.tile.allocateData(std::move(values));
      block.levels = t.tile.allocate(int64_t(words));
      if (sparse)
        block.mask = t.tile.allocateData(std::move(exists));
      for (StateOp state : rule.list<StateOp>())
        block.states[state.getSymName().str()] =
            t.tile.allocateData(std::vector<int32_t>(
                words, toFixed(state.getInit().convertToDouble(),
                               frac(owner, state.getSymName()))));
    }
  }
  return success();
}

} // namespace neuroc::xbar
