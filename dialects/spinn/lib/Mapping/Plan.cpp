// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Builds the mapper's plan: resolves every operand of a population through
// delays and projections to a source, decides how the feed is served, and
// collects what learning needs to hear.
#include "neuroc/Spinn/Mapping/Plan.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "llvm/ADT/StringSwitch.h"
#include "llvm/Support/MathExtras.h"

#include <bit>
#include <numeric>

using namespace mlir;
using namespace neuroc;
using namespace neuroc::spinn;

int neuroc::spinn::fractionBits(double magnitude) {
  if (!(magnitude > 0))
    return 30;
  if (!std::isfinite(magnitude))
    return 0;
  int exponent;
  // magnitude = m * 2^exponent with m in [1/2, 1): below 2^exponent.
  double m = std::frexp(magnitude, &exponent);
  (void)m;
  return std::clamp(31 - exponent, -31, 62);
}

/// Follows `neuro.delay` to what it delays.
static std::pair<Value, int64_t> skipDelays(Value signal) {
  int64_t delay = 0;
  while (auto op = signal.getDefiningOp<neuro::DelayOp>()) {
    delay += op.getTicks();
    signal = op.getInput();
  }
  return {signal, delay};
}

std::optional<Reading> Plan::read(Value signal) const {
  auto [root, delay] = skipDelays(signal);
  auto it = sourceOf.find(root);
  if (it == sourceOf.end())
    return std::nullopt;
  return Reading{it->second, delay};
}

const Node *Plan::findNode(StringRef name) const {
  for (const Node &node : nodes)
    if (node.name == name)
      return &node;
  return nullptr;
}

const neuro::ExpandedWeight *Plan::synapses(neuro::WeightOp weight) const {
  auto &entry = cache[weight.getSymName().str()];
  if (!entry) {
    FailureOr<neuro::ExpandedWeight> expanded = neuro::expandWeight(weight);
    if (failed(expanded))
      return nullptr;
    entry = std::make_shared<neuro::ExpandedWeight>(std::move(*expanded));
  }
  return entry.get();
}

std::vector<Reading> Plan::readingsOf(neuro::PlasticOp plastic) const {
  std::vector<Reading> all;
  if (auto pre = read(plastic.getPre())) {
    pre->delay += plastic.getDelay();
    all.push_back(*pre);
  }
  if (auto post = read(plastic.getPost()))
    all.push_back(*post);
  for (Value factor : plastic.getFactors())
    if (auto reading = read(factor))
      all.push_back(*reading);
  return all;
}

/// True for the plain weighted sum, which rows can serve.
static bool isWeightedSum(neuro::ProjectOp project) {
  return project.getCombine() == neuro::Combine::Sum &&
         project.getTransmit().empty();
}

/// True if a dense layout leaves some pairs out.
static bool hasAbsentPairs(neuro::WeightOp weight) {
  if (weight.getMask())
    return true;
  auto all = dyn_cast<neuro::AllToAllAttr>(weight.getConnect());
  return all && !all.getSelf();
}

static FailureOr<FeedMode> chooseMode(neuro::ProjectOp project,
                                      neuro::WeightOp weight, bool isSpikes,
                                      bool isPlastic) {
  Attribute connect = weight.getConnect();
  if (isSpikes && !isPlastic && isWeightedSum(project))
    return FeedMode::Rows;
  if (project.getDelays()) {
    project.emitOpError("has a delay for each synapse, which the SpiNNaker "
                        "target supports for spikes through a weight that does "
                        "not learn; give it one `delay`");
    return failure();
  }
  if (isa<neuro::OneToOneAttr>(connect))
    return FeedMode::OneToOne;
  // An absent pair is a zero for a sum; other combines must skip it.
  if (neuro::isDenseLayout(weight) &&
      (isWeightedSum(project) || !hasAbsentPairs(weight)))
    return FeedMode::Dense;
  return FeedMode::Gather;
}

FailureOr<Plan> Plan::build(neuro::NetworkOp network) {
  Plan plan;
  plan.network = network;
  if (network.getBatch() > 1) {
    network.emitError("unsupported: 'batch' of ")
        << network.getBatch()
        << " on the SpiNNaker target, whose cores run one network; set it to "
           "1, or run the samples one after the other";
    return failure();
  }
  FailureOr<neuro::TickSchedule> schedule =
      neuro::TickSchedule::compute(network);
  if (failed(schedule))
    return failure();

  for (Operation &op : network.getBody().front()) {
    if (auto plastic = dyn_cast<neuro::PlasticOp>(op)) {
      plan.plastics.push_back(plastic);
      continue;
    }
    if (!isa<neuro::PopulationOp, neuro::StimulusOp, neuro::SpikeArrayOp>(op))
      continue;
    Node node;
    node.op = &op;
    node.name = op.getAttrOfType<StringAttr>("sym_name").getValue().str();
    if (auto population = dyn_cast<neuro::PopulationOp>(op)) {
      node.units = population.getNumUnits();
      node.model = population.getModelOp();
      for (neuro::StageOp stage : node.model.list<neuro::StageOp>())
        node.stages.push_back({stage, 0});
      if (failed(plan.checkReductions(node)))
        return failure();
    } else {
      node.units = cast<ShapedType>(op.getResult(0).getType()).getNumElements();
    }
    for (OpResult result : op.getResults()) {
      Source source;
      source.signal = result;
      source.node = plan.nodes.size();
      source.output = result.getResultNumber();
      source.units = cast<ShapedType>(result.getType()).getNumElements();
      source.isSpikes =
          cast<ShapedType>(result.getType()).getElementType().isInteger(1);
      plan.sourceOf[result] = plan.sources.size();
      node.outputs.push_back(plan.sources.size());
      plan.sources.push_back(source);
    }
    plan.nodes.push_back(std::move(node));
  }
  llvm::StringMap<neuro::PlasticOp> plasticOf;
  for (neuro::PlasticOp plastic : plan.plastics)
    plasticOf[plastic.getWeight()] = plastic;

  for (Node &node : plan.nodes) {
    neuro::PopulationOp population = node.population();
    if (!population)
      continue;
    for (neuro::InputOp input : node.model.list<neuro::InputOp>()) {
      Port port;
      port.input = input;
      for (unsigned operand :
           population.getOperandsOfPort(input.getSymName())) {
        Feed feed;
        auto [root, after] = skipDelays(population.getInputs()[operand]);
        feed.delay = after;
        if (auto project = root.getDefiningOp<neuro::ProjectOp>()) {
          feed.project = project;
          feed.weight = project.getWeightOp();
          feed.plastic = plasticOf.lookup(feed.weight.getSymName());
          feed.delay += project.getDelay();
          auto [origin, before] = skipDelays(project.getInput());
          feed.delay += before;
          root = origin;
        }
        auto it = plan.sourceOf.find(root);
        if (it == plan.sourceOf.end()) {
          Operation *culprit = root.getDefiningOp();
          culprit->emitError("unsupported: '")
              << culprit->getName().getStringRef()
              << "' between nodes on the SpiNNaker target; only populations, "
                 "projections, delays and sources can be mapped";
          return failure();
        }
        feed.source = it->second;
        if (feed.project) {
          FailureOr<FeedMode> mode = chooseMode(
              feed.project, feed.weight, plan.sources[feed.source].isSpikes,
              bool(feed.plastic));
          if (failed(mode))
            return failure();
          feed.mode = *mode;
          if (feed.mode != FeedMode::Dense && !plan.synapses(feed.weight))
            return failure();
        }
        port.feeds.push_back(feed);
      }
      node.ports.push_back(std::move(port));
    }
  }
  for (neuro::PlasticOp plastic : plan.plastics)
    if (failed(plan.checkRule(plastic)))
      return failure();
  plan.setLevels(*schedule);
  for (const Node &node : plan.nodes)
    for (const Listening &listening : plan.listeningOf(node)) {
      if (listening.kind != ListenKind::Rows && listening.maxDelay > 0)
        plan.needsEndTick = true;
    }
  plan.needsEndTick |= !plan.plastics.empty();
  return plan;
}

/// A group of a reduction stays on one core, and all of a stage's are alike.
LogicalResult Plan::checkReductions(Node &node) {
  for (auto &[stage, level] : node.stages) {
    std::optional<int64_t> size;
    neuro::StageOp op = stage;
    for (auto reduce : op.getBody().front().getOps<neuro::ReduceOp>()) {
      int64_t own = reduce.getGroup().value_or(node.units);
      if (size && *size != own)
        return reduce.emitError("unsupported: reductions over groups of ")
               << *size << " and of " << own
               << " units in one stage on the SpiNNaker target; put them into "
                  "stages of their own";
      if (reduce.getK() && static_cast<int64_t>(*reduce.getK()) > own)
        return reduce.emitError("unsupported: number ")
               << *reduce.getK() << " of a group of " << own
               << " is minus infinity, which the fixed-point numbers of the "
                  "SpiNNaker target do not have";
      size = own;
      node.granule = std::lcm(node.granule, own);
    }
  }
  return success();
}

/// What a rule may do: a core sees the rows of its own units only.
LogicalResult Plan::checkRule(neuro::PlasticOp plastic) const {
  neuro::WeightOp weight = plastic.getWeightOp();
  if (isa<neuro::ConvAttr>(weight.getConnect()))
    return plastic.emitError("unsupported: learning the kernel of a "
                             "convolution on the SpiNNaker target: every core "
                             "that uses it would have to hear all others; "
                             "compute the change in the experiment and "
                             "`assign` the weight");
  for (auto handler : plastic.getRuleOp().list<neuro::HandlerOp>())
    for (auto reduce : handler.getBody().front().getOps<neuro::ReduceOp>())
      for (const Node &node : nodes)
        for (const Port &port : node.ports)
          for (Feed feed : port.feeds) {
            if (feed.weight != weight)
              continue;
            neuro::ReduceOver local = feed.isTransposed()
                                          ? neuro::ReduceOver::Pre
                                          : neuro::ReduceOver::Post;
            if (reduce.getOver() == local)
              continue;
            InFlightDiagnostic error =
                reduce.emitError("unsupported: '")
                << plastic.getSymName() << "' reduces over "
                << neuro::stringifyReduceOver(reduce.getOver())
                << " on the SpiNNaker target, where a core holds the synapses "
                << "of '" << weight.getSymName() << "' by "
                << neuro::stringifyReduceOver(local)
                << " unit; compute it in the experiment and `assign` the "
                   "weight";
            error.attachNote(feed.project.getLoc()) << "used here";
            return failure();
          }
  return success();
}

/// Levels as the machine needs them: a stage comes after the sub-tick in which
/// a signal of the same tick that it reads was sent. Delayed feeds do not
/// count.
void Plan::setLevels(const neuro::TickSchedule &schedule) {
  levels = 1;
  for (const neuro::TickSchedule::Item &item : schedule.getItems())
    for (Node &node : nodes) {
      if (node.op != item.op || !item.stage)
        continue;
      unsigned level = 0;
      neuro::StageOp current = item.stage;
      for (auto &[stage, stageLevel] : node.stages) {
        if (stage == current)
          break;
        level = std::max(level, stageLevel);
      }
      for (const Port &port : node.ports) {
        if (!neuro::readsPort(current, port.input.getSymName()))
          continue;
        for (const Feed &feed : port.feeds)
          if (feed.delay == 0 && !(feed.project && feed.project.getDelays()))
            level = std::max(level, sources[feed.source].level + 1);
      }
      for (auto &[stage, stageLevel] : node.stages)
        if (stage == current)
          stageLevel = level;
      for (auto [index, output] :
           llvm::enumerate(node.model.list<neuro::OutputOp>()))
        if (neuro::getEmittingStage(node.model, output.getSymName()) == current)
          sources[node.outputs[index]].level = level;
      levels = std::max(levels, level + 1);
    }
}

int64_t Plan::maxRowDelay(const Feed &feed) const {
  neuro::ProjectOp project = feed.project;
  if (!project.getDelays())
    return feed.delay;
  const neuro::ExpandedWeight *expanded = synapses(feed.weight);
  return feed.delay + neuro::getMaxDelay(project, expanded->synapses);
}

std::vector<Listening> Plan::listeningOf(const Node &node) const {
  std::vector<Listening> all;
  auto add = [&](unsigned source, ListenKind kind, int64_t delay, bool local) {
    for (Listening &entry : all)
      if (entry.source == source &&
          (entry.kind == ListenKind::Rows) == (kind == ListenKind::Rows)) {
        entry.maxDelay = std::max(entry.maxDelay, delay);
        entry.isLocal &= local;
        return;
      }
    all.push_back({source, kind, delay, local});
  };
  for (const Port &port : node.ports)
    for (const Feed &constFeed : port.feeds) {
      Feed feed = constFeed;
      bool spikes = sources[feed.source].isSpikes;
      if (feed.mode == FeedMode::Rows) {
        add(feed.source, ListenKind::Rows, maxRowDelay(feed), false);
        continue;
      }
      ListenKind kind = spikes ? ListenKind::Flag : ListenKind::Value;
      bool local =
          feed.mode == FeedMode::Identity || feed.mode == FeedMode::OneToOne;
      add(feed.source, kind, feed.delay, local);
      if (feed.plastic)
        for (const Reading &reading : readingsOf(feed.plastic))
          add(reading.source,
              sources[reading.source].isSpikes ? ListenKind::Flag
                                               : ListenKind::Value,
              reading.delay, false);
    }
  return all;
}

//===----------------------------------------------------------------------===//
// Estimates
//===----------------------------------------------------------------------===//

RingShape neuroc::spinn::ringShape(const Plan &plan, const Node &node,
                                   int64_t count) {
  RingShape shape;
  int64_t longest = 0;
  for (const Port &port : node.ports) {
    bool hasRows = false;
    for (const Feed &feed : port.feeds)
      if (feed.mode == FeedMode::Rows) {
        hasRows = true;
        longest = std::max(longest, plan.maxRowDelay(feed));
      }
    shape.sections += hasRows;
  }
  if (shape.sections == 0)
    return shape;
  shape.slots = static_cast<int64_t>(std::bit_ceil<uint64_t>(longest + 2));
  shape.stride =
      static_cast<int64_t>(std::bit_ceil<uint64_t>(shape.sections * count));
  return shape;
}

/// Cycles of one scalar operation in generated code: the length of the code for
/// simple ones, measured upper bounds for those that call the library.
static int64_t cyclesOf(Operation *op) {
  int64_t cycles = llvm::StringSwitch<int64_t>(op->getName().getStringRef())
                       .Case("arith.mulf", 10)
                       .Cases({"arith.divf", "arith.remf"}, 900)
                       .Cases({"math.exp", "math.expm1"}, 450)
                       .Cases({"math.log", "math.log1p", "math.tanh"}, 1500)
                       .Cases({"math.sin", "math.cos"}, 350)
                       .Case("math.sqrt", 1100)
                       .Case("math.powf", 2000)
                       .Case("neuro.random", 400)
                       .Case("arith.constant", 1)
                       .Default(6);
  if (isa<arith::DivFOp>(op))
    if (auto divisor = op->getOperand(1).getDefiningOp<arith::ConstantOp>())
      cycles = 10;
  return cycles;
}

/// Of one run of a region; \p members: of the groups that it reduces.
static int64_t cyclesOf(Region &region, int64_t members = 1) {
  int64_t cycles = 0, pieces = 1, compared = 0;
  region.walk([&](Operation *op) {
    cycles += cyclesOf(op);
    if (auto reduce = dyn_cast<neuro::ReduceOp>(op)) {
      ++pieces;
      if (reduce.getKind() == neuro::GroupReduce::Rank ||
          reduce.getKind() == neuro::GroupReduce::KthLargest)
        compared += 16 * members;
    }
  });
  return cycles * pieces + compared;
}

/// Words of scratch that the reductions of a region need for each member.
static int64_t scratchWords(Region &region) {
  int64_t words = 0;
  region.walk([&](neuro::ReduceOp) { words += 4; });
  return words;
}

/// Cycles of one synapse of a feed that is summed over arrays.
static int64_t cyclesOfSynapse(const Feed &feed) {
  int64_t cycles = feed.mode == FeedMode::Dense ? 13 : 24;
  if (!feed.project)
    return cycles;
  switch (feed.project.getCombine()) {
  case neuro::Combine::Sum:
    break;
  case neuro::Combine::Max:
  case neuro::Combine::Min:
    cycles += 24;
    break;
  case neuro::Combine::Product:
    cycles += 40;
    break;
  }
  return cycles + cyclesOf(feed.project.getTransmit());
}

/// Synapses of `feed` per unit of `node`, on average, rounded up.
static int64_t synapsesPerUnit(const Plan &plan, const Node &node,
                               const Feed &feed) {
  switch (feed.mode) {
  case FeedMode::Identity:
  case FeedMode::OneToOne:
    return 1;
  case FeedMode::Dense:
    return plan.sources[feed.source].units;
  case FeedMode::Gather:
  case FeedMode::Rows:
    return llvm::divideCeil(plan.synapses(feed.weight)->synapses.size(),
                            std::max<int64_t>(node.units, 1));
  }
  return 0;
}

ShareCost neuroc::spinn::estimateShare(const Plan &plan, const Node &node,
                                       int64_t count, bool external) {
  ShareCost cost;
  int64_t biggest = 0;
  auto take = [&](int64_t bytes, const llvm::Twine &what) {
    cost.dtcm += bytes;
    if (bytes > biggest) {
      biggest = bytes;
      cost.largest = (what + " (" + llvm::Twine(bytes) + " bytes)").str();
    }
  };
  cost.levelCycles.assign(plan.levels, 0);
  take(kKernelDtcm, "kernel and stack");
  neuro::PopulationOp population = node.population();
  if (!population) {
    take(count * 8, "values of the source");
    if (auto array = dyn_cast<neuro::SpikeArrayOp>(node.op))
      cost.sdram += cast<ElementsAttr>(array.getEvents()).getNumElements() * 4;
    cost.cycles = cost.levelCycles[0] = 40 * count + 200;
    return cost;
  }
  int64_t words = 0;
  for (neuro::StateOp state : node.model.list<neuro::StateOp>()) {
    (void)state;
    words += 3; // value, and clamp where asked for
  }
  for (neuro::ParamOp param : node.model.list<neuro::ParamOp>()) {
    (void)param;
    words += 1;
  }
  words += node.outputs.size() * 2;
  take(words * 4 * count, "states of the units");
  for (auto [stage, level] : node.stages)
    if (int64_t scratch = scratchWords(stage.getBody()))
      take(scratch * 4 * node.granule, "what its reductions join");
  for (auto [stage, level] : node.stages)
    cost.levelCycles[level] +=
        300 + count * (20 + cyclesOf(stage.getBody(), node.granule) +
                       60 * static_cast<int64_t>(node.outputs.size()));

  RingShape ring = ringShape(plan, node, count);
  take(ring.entries() * 4, "delay ring");
  cost.endCycles += 300 + ring.sections * count;

  for (const Listening &listening : plan.listeningOf(node)) {
    const Source &source = plan.sources[listening.source];
    int64_t units = source.units;
    if (listening.isLocal)
      units = std::min(units, 2 * count + 64);
    // Source table entries: as many shares as a first guess gives.
    take(40 * (1 + units / 64), "source table");
    if (listening.kind == ListenKind::Rows)
      continue;
    int64_t slots = listening.maxDelay > 0
                        ? 1 + static_cast<int64_t>(std::bit_ceil<uint64_t>(
                                  listening.maxDelay + 1))
                        : 1;
    take(units * 4 * slots, "arriving values");
    cost.levelCycles[source.level] += kPacketCycles * units;
    cost.endCycles += listening.maxDelay || source.isSpikes ? 6 * units : 0;
  }

  double rateHz = 20.0; // assumed of every spiking source
  double dt =
      node.op->getParentOfType<neuro::NetworkOp>().getDt().convertToDouble();
  for (const Port &port : node.ports)
    for (const Feed &feed : port.feeds) {
      int64_t *level = &cost.levelCycles[0];
      for (auto [stage, number] : node.stages)
        if (neuro::readsPort(stage, port.input.getSymName()))
          level = &cost.levelCycles[number];
      int64_t perUnit = synapsesPerUnit(plan, node, feed);
      const Source &source = plan.sources[feed.source];
      if (feed.mode == FeedMode::Rows) {
        take(source.units * 4, "row index");
        cost.sdram += perUnit * count * 4 + source.units * 4;
        double spikes = source.units * rateHz * dt * 1e-3;
        int64_t cycles = static_cast<int64_t>(
            spikes * (250.0 + 12.0 * perUnit * count / source.units));
        cost.rowCycles += cycles;
        continue;
      }
      if (feed.mode == FeedMode::Identity)
        continue;
      Feed copy = feed;
      int64_t perSynapse = 1;
      int64_t bytes = perUnit * count * 4;
      int64_t learning = 0;
      if (copy.plastic) {
        neuro::RuleOp rule = copy.plastic.getRuleOp();
        perSynapse += rule.list<neuro::StateOp>().size();
        const int64_t pre = copy.weight.getNumPre(),
                      post = copy.weight.getNumPost();
        for (neuro::TraceOp trace : rule.list<neuro::TraceOp>())
          take(4 * (trace.getSide() == neuro::Side::Pre ? pre : post),
               "traces");
        for (neuro::HandlerOp handler : rule.list<neuro::HandlerOp>())
          if (handler.getEvent() == neuro::Event::Tick)
            learning += 15 + cyclesOf(handler.getBody(), perUnit);
        for (neuro::HandlerOp handler : rule.list<neuro::HandlerOp>())
          if (int64_t scratch = scratchWords(handler.getBody()))
            take(
                scratch * 4 *
                    (feed.mode == FeedMode::Gather ? perUnit * count : perUnit),
                "what its reductions join");
        learning += 8;
        if (copy.weight.getMask() ||
            !isa<neuro::DenseConnectAttr>(copy.weight.getConnect()))
          take(perUnit * count / 8 + 4, "mask of absent synapses");
      }
      if (feed.mode == FeedMode::Dense && source.isSpikes)
        take(source.units * 8, "units that fired");
      if (feed.mode == FeedMode::Gather) {
        take(perUnit * count * 4, "synapse list");
        if (isa<neuro::ConvAttr>(copy.weight.getConnect()))
          bytes = cast<ShapedType>(
                      isa<ElementsAttr>(copy.weight.getValues())
                          ? cast<ElementsAttr>(copy.weight.getValues())
                                .getShapedType()
                          : RankedTensorType::get(
                                {1}, Float64Type::get(node.op->getContext())))
                      .getNumElements() *
                  4;
      }
      if (external && feed.mode == FeedMode::Dense) {
        cost.sdram += bytes * perSynapse;
        take(perUnit * 4 * perSynapse, "row buffers");
        *level += perUnit * count * 4;
      } else {
        take(bytes * perSynapse,
             "weights of '" + copy.weight.getSymName() + "'");
      }
      *level += perUnit * count * cyclesOfSynapse(feed);
      cost.endCycles += perUnit * count * learning;
    }
  cost.cycles = cost.endCycles;
  for (int64_t cycles : cost.levelCycles)
    cost.cycles += cycles;
  return cost;
}

std::vector<SendSlot>
neuroc::spinn::assignSendSlots(const std::vector<std::set<unsigned>> &levels) {
  // Levels that one core sends in belong together: a core has one set of slots.
  std::map<unsigned, unsigned> group;
  for (const std::set<unsigned> &own : levels)
    for (unsigned level : own)
      group.try_emplace(level, level);
  auto find = [&](unsigned level) {
    while (group[level] != level)
      level = group[level];
    return level;
  };
  for (const std::set<unsigned> &own : levels)
    for (unsigned level : own)
      group[find(level)] = find(*own.begin());
  std::map<unsigned, int64_t> size;
  std::vector<SendSlot> slots(levels.size());
  for (size_t core = 0; core < levels.size(); ++core)
    if (!levels[core].empty())
      slots[core].phase = kPacketCycles * size[find(*levels[core].begin())]++;
  for (size_t core = 0; core < levels.size(); ++core)
    if (!levels[core].empty())
      slots[core].gap = kPacketCycles * size[find(*levels[core].begin())];
  return slots;
}
