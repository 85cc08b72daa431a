// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Initial values, weights, synaptic rows, source tables and record buffers of
// every core. Row words: signed 16-bit weight in the upper half, place in the
// delay ring (relative to the slot of the tick of the spike) in the lower.
#include "CoreData.h"

#include "neuroc/Neuro/Analysis/RangeAnalysis.h"
#include "neuroc/Neuro/Analysis/Values.h"
#include "neuroc/rt/spinn/CoreAbi.h"

#include <bit>
#include <cmath>
#include <cstddef>
#include <cstring>

using namespace mlir;
using namespace neuroc;
using namespace neuroc::spinn;

uint32_t neuroc::spinn::toWord(double value, int frac) {
  double scaled = std::nearbyint(std::ldexp(value, frac));
  scaled = std::clamp(scaled, -2147483648.0, 2147483647.0);
  return static_cast<uint32_t>(static_cast<int32_t>(scaled));
}

MappedNetwork::MappedNetwork(MappingOp mapping, const Plan &plan)
    : mapping(mapping), plan(plan) {
  llvm::StringMap<unsigned> numbers;
  sharesOfNode.resize(plan.nodes.size());
  for (CoreOp core : mapping.list<CoreOp>()) {
    Share entry;
    entry.op = core;
    const Node *node = plan.findNode(core.getPopulation());
    assert(node && "share of an unknown node");
    entry.node = node - plan.nodes.data();
    entry.first = core.getUnits()[0];
    entry.count = core.getUnits()[1];
    ArrayRef<int64_t> at = *core.getPlace();
    entry.place = {{static_cast<unsigned>(at[0]), static_cast<unsigned>(at[1])},
                   static_cast<unsigned>(at[2])};
    entry.keys.resize(node->outputs.size());
    numbers[core.getSymName()] = shares.size();
    sharesOfNode[entry.node].push_back(shares.size());
    shares.push_back(entry);
  }
  for (KeyOp key : mapping.list<KeyOp>())
    shares[numbers[key.getCore()]].keys[key.getOutput()] = {
        static_cast<uint32_t>(key.getBase()),
        static_cast<uint32_t>(key.getMask())};
  for (ListenOp listen : mapping.list<ListenOp>())
    edges[{numbers[listen.getCore()], numbers[listen.getSource()],
           listen.getOutput(), static_cast<int>(listen.getKind())}] = true;
}

std::vector<unsigned> MappedNetwork::heardBy(unsigned share,
                                             const Listening &entry) const {
  std::vector<unsigned> heard;
  const Source &source = plan.sources[entry.source];
  for (unsigned origin : sharesOfNode[source.node])
    if (edges.count(
            {share, origin, source.output, static_cast<int>(entry.kind)}))
      heard.push_back(origin);
  return heard;
}

unsigned MappedNetwork::shareOfUnit(unsigned node, int64_t unit) const {
  for (unsigned index : sharesOfNode[node])
    if (unit < shares[index].first + shares[index].count)
      return index;
  llvm_unreachable("unit outside of its population");
}

std::optional<uint32_t> SdramAllocator::allocate(Chip chip, int64_t words) {
  uint32_t &next = used[chip];
  if (words * 4 > int64_t(bytes) - int64_t(next))
    return std::nullopt;
  uint32_t address = NEUROC_SPINN_SDRAM_BASE + next;
  next += static_cast<uint32_t>((words * 4 + 31) / 32 * 32);
  return address;
}

//===----------------------------------------------------------------------===//
// Shape of an image
//===----------------------------------------------------------------------===//

/// First unit and end of what a share keeps of a source.
static std::pair<int64_t, int64_t> arrayRange(const MappedNetwork &network,
                                              unsigned share,
                                              const Listening &entry) {
  const Source &source = network.plan.sources[entry.source];
  if (!entry.isLocal)
    return {0, source.units};
  int64_t low = source.units, high = 0;
  for (unsigned origin : network.heardBy(share, entry)) {
    low = std::min(low, network.shares[origin].first);
    high = std::max(high, network.shares[origin].first +
                              network.shares[origin].count);
  }
  return {std::min(low, high), high};
}

/// Synapses of `feed` by unit of `node`'s share: (place in value order, far
/// unit), in canonical order.
struct GatherList {
  std::vector<uint32_t> start; ///< count + 1
  std::vector<uint32_t> far;
  std::vector<uint64_t> value;   ///< number of the value in the weight's order
  std::vector<uint64_t> synapse; ///< number of the synapse
};
static GatherList gather(const Plan &plan, const Feed &feed, int64_t first,
                         int64_t count) {
  const rt::Synapses &synapses = plan.synapses(feed.weight)->synapses;
  std::vector<std::vector<std::pair<uint32_t, uint64_t>>> rows(count);
  for (size_t pre = 0; pre + 1 < synapses.rowStart.size(); ++pre)
    for (uint64_t s = synapses.rowStart[pre]; s < synapses.rowStart[pre + 1];
         ++s) {
      int64_t own = synapses.post[s], far = static_cast<int64_t>(pre);
      if (feed.isTransposed())
        std::swap(own, far);
      if (own >= first && own < first + count)
        rows[own - first].push_back({static_cast<uint32_t>(far), s});
    }
  GatherList list;
  list.start.push_back(0);
  for (auto &row : rows) {
    for (auto &[far, s] : row) {
      list.far.push_back(far);
      list.synapse.push_back(s);
      list.value.push_back(synapses.source.empty() ? s : synapses.source[s]);
    }
    list.start.push_back(static_cast<uint32_t>(list.far.size()));
  }
  return list;
}

static bool isConvolution(neuro::WeightOp weight) {
  return isa<neuro::ConvAttr>(weight.getConnect());
}

/// Kernel values of a convolution.
static std::vector<double> kernelOf(neuro::WeightOp weight) {
  neuro::ConvAttr conv = cast<neuro::ConvAttr>(weight.getConnect());
  if (auto elements = dyn_cast<ElementsAttr>(weight.getValues()))
    return neuro::toDoubles(elements);
  int64_t count = weight.getPost()[0] * weight.getPre()[0] / conv.getGroups();
  for (int64_t extent : conv.getKernel().asArrayRef())
    count *= extent;
  return std::vector<double>(
      count, neuro::getSingleValue(weight.getValues()).value_or(0.0));
}

FailureOr<ImageSpec> neuroc::spinn::shapeImage(const MappedNetwork &network,
                                               unsigned nodeIndex,
                                               const FormatTable &formats,
                                               std::vector<RecordItem> records,
                                               std::set<std::string> clamped) {
  const Plan &plan = network.plan;
  const Node &node = plan.nodes[nodeIndex];
  ImageSpec spec;
  spec.plan = &plan;
  spec.node = &node;
  spec.formats = &formats;
  spec.records = std::move(records);
  spec.clamped = std::move(clamped);
  spec.seed = static_cast<uint64_t>(plan.network.getSeed());
  spec.dt = plan.network.getDt().convertToDouble();
  spec.listening = plan.listeningOf(node);
  for (unsigned index : network.sharesOfNode[nodeIndex]) {
    spec.maxUnits = std::max(spec.maxUnits, network.shares[index].count);
    spec.isExternal |= network.shares[index].op.getExternal();
    spec.isSent.resize(node.outputs.size());
    for (auto [output, key] : llvm::enumerate(network.shares[index].keys))
      spec.isSent[output] = spec.isSent[output] || key.second != 0;
  }
  spec.arraySize.assign(spec.listening.size(), 0);
  for (unsigned index : network.sharesOfNode[nodeIndex]) {
    int64_t entries = 0, indexWords = 0;
    for (auto [number, entry] : llvm::enumerate(spec.listening)) {
      auto [low, high] = arrayRange(network, index, entry);
      spec.arraySize[number] = std::max(spec.arraySize[number], high - low);
      int64_t feeds = 1;
      if (entry.kind == ListenKind::Rows) {
        feeds = 0;
        for (const Port &port : node.ports)
          for (const Feed &feed : port.feeds)
            feeds += feed.mode == FeedMode::Rows && feed.source == entry.source;
      }
      for (unsigned origin : network.heardBy(index, entry)) {
        entries += feeds;
        if (entry.kind == ListenKind::Rows)
          indexWords += feeds * network.shares[origin].count;
      }
    }
    spec.sourceEntries = std::max(spec.sourceEntries, entries);
    spec.indexWords = std::max(spec.indexWords, indexWords);
  }
  spec.ring = ringShape(plan, node, spec.maxUnits);
  int section = 0;
  for (const Port &port : node.ports) {
    double largest = 0;
    bool hasRows = false;
    for (const Feed &feed : port.feeds) {
      if (feed.mode != FeedMode::Rows)
        continue;
      hasRows = true;
      for (double value : plan.synapses(feed.weight)->values)
        largest = std::max(largest, std::fabs(value));
      // What the experiment may assign has room, too.
      neuro::WeightOp weight = feed.weight;
      StringRef name = weight.getSymName();
      Format format = formats.get(name, "weight", "w");
      double most = formats.isProved(name, "weight", "w")
                        ? format.range.magnitude()
                        : std::ldexp(1.0, 30 - format.frac);
      if (most > neuro::intervalOf(weight.getValues()).magnitude())
        largest = std::max(largest, most);
    }
    spec.ringSection.push_back(hasRows ? section++ : -1);
    spec.ringFrac.push_back(
        std::clamp(fractionBits(largest * 1.0001) - 16, -31, 46));
  }
  for (const Port &port : node.ports)
    for (const Feed &feed : port.feeds) {
      if (feed.mode == FeedMode::Identity || feed.mode == FeedMode::Rows)
        continue;
      WeightBlock block;
      block.feed = &feed;
      block.number = spec.blocks.size();
      if (feed.mode == FeedMode::Dense) {
        block.columns = plan.sources[feed.source].units;
        block.entries = spec.isExternal ? 1 : spec.maxUnits * block.columns;
        if (feed.plastic) {
          neuro::DenseForm form = neuro::getDenseForm(feed.weight);
          block.isMasked = !form.exists.empty();
          if (block.isMasked)
            block.entries =
                std::max(block.entries, spec.maxUnits * block.columns);
        }
      } else if (feed.mode == FeedMode::OneToOne) {
        block.entries = spec.maxUnits;
      } else {
        block.isConvolution = isConvolution(feed.weight);
        for (unsigned index : network.sharesOfNode[nodeIndex])
          block.taps = std::max<int64_t>(
              block.taps, gather(plan, feed, network.shares[index].first,
                                 network.shares[index].count)
                              .far.size());
        block.entries =
            block.isConvolution ? kernelOf(feed.weight).size() : block.taps;
        if (plan.sources[feed.source].units > 65535 ||
            (block.isConvolution && block.entries > 65535)) {
          neuro::WeightOp weight = feed.weight;
          return weight.emitError("unsupported: more than 65535 source units "
                                  "or kernel values on the SpiNNaker target");
        }
      }
      if (feed.plastic)
        for (auto state : feed.plastic.getRuleOp().list<neuro::StateOp>())
          block.stateNames.push_back(state.getSymName().str());
      spec.blocks.push_back(block);
    }
  return spec;
}

//===----------------------------------------------------------------------===//
// Data of a core
//===----------------------------------------------------------------------===//

uint32_t CoreFiller::symbol(const BuiltImage &built,
                            const std::string &name) const {
  auto it = built.image.symbols.find(name);
  return it == built.image.symbols.end() ? 0 : it->second.first;
}

void CoreFiller::put(const BuiltImage &built, const std::string &name,
                     std::vector<uint32_t> words) {
  // An array that the optimiser found unused is not in the image.
  if (uint32_t address = symbol(built, name); address && !words.empty())
    segments.push_back({address, std::move(words)});
}

FailureOr<uint32_t> CoreFiller::putSdram(std::vector<uint32_t> words) {
  auto address =
      sdram.allocate(share->place.chip, static_cast<int64_t>(words.size()));
  if (!address) {
    doesNotFit = true;
    return share->op.emitError("'")
           << share->op.getSymName() << "' needs " << words.size() * 4
           << " more bytes of SDRAM than its chip has left; a larger machine "
              "or fewer synapses help";
  }
  if (!words.empty())
    segments.push_back({*address, std::move(words)});
  return *address;
}

static llvm::json::Object piece(unsigned core, uint32_t address, int64_t first,
                                int64_t count) {
  return llvm::json::Object{{"core", core},
                            {"address", int64_t(address)},
                            {"first", first},
                            {"count", count}};
}

void CoreFiller::fillUnits(const BuiltImage &built) {
  const Node &node = *built.spec.node;
  int64_t first = share->first, count = share->count;
  auto slice = [&](const std::vector<double> &all, int frac) {
    std::vector<uint32_t> words;
    for (int64_t i = 0; i < count; ++i)
      words.push_back(toWord(all[first + i], frac));
    return words;
  };
  if (neuro::PopulationOp population = node.population()) {
    for (auto state : node.model.list<neuro::StateOp>()) {
      std::string name = state.getSymName().str();
      int frac = built.spec.formats->get(node.name, "state", name).frac;
      put(built, "state_" + name,
          slice(neuro::getInitialState(population, name), frac));
      llvm::json::Object where =
          piece(coreNumber, symbol(built, "state_" + name), first, count);
      if (built.spec.clamped.count(name)) {
        where["clamp_on"] = int64_t(symbol(built, "clamp_on_" + name));
        where["clamp_at"] = int64_t(symbol(built, "clamp_at_" + name));
      }
      parts.statePieces[node.name + "/" + name].push_back(std::move(where));
    }
    for (auto param : node.model.list<neuro::ParamOp>()) {
      std::string name = param.getSymName().str();
      int frac = built.spec.formats->get(node.name, "param", name).frac;
      put(built, "param_" + name,
          slice(neuro::getParamValues(population, name), frac));
    }
    return;
  }
  if (auto stimulus = dyn_cast<neuro::StimulusOp>(node.op)) {
    const Source &source = network.plan.sources[node.outputs.front()];
    int frac = built.spec.formats->ofSource(network.plan, source).frac;
    put(built, "stimulus", slice(neuro::getInitialStimulus(stimulus), frac));
    parts.stimulusPieces[node.name].push_back(
        piece(coreNumber, symbol(built, "stimulus"), first, count));
  }
}

LogicalResult CoreFiller::fillDense(const BuiltImage &built,
                                    const WeightBlock &block,
                                    std::vector<uint32_t> &shareWords) {
  const Feed &feed = *block.feed;
  neuro::WeightOp weight = feed.weight;
  int frac = built.spec.formats->get(weight.getSymName(), "weight", "w").frac;
  neuro::DenseForm form = neuro::getDenseForm(weight);
  bool transposed = feed.isTransposed();
  std::vector<uint32_t> words;
  std::vector<uint32_t> exists((share->count * block.columns + 31) / 32);
  for (int64_t u = 0; u < share->count; ++u)
    for (int64_t i = 0; i < block.columns; ++i) {
      int64_t post = transposed ? i : share->first + u;
      int64_t pre = transposed ? share->first + u : i;
      int64_t at = post * form.numPre + pre;
      words.push_back(toWord(form.values[at], frac));
      if (form.exists.empty() || form.exists[at])
        exists[(u * block.columns + i) / 32] |=
            1u << ((u * block.columns + i) % 32);
    }
  if (block.isMasked)
    put(built, block.name("exists"), exists);
  uint32_t address;
  size_t size = words.size();
  if (built.spec.isExternal) {
    std::vector<uint32_t> all = std::move(words);
    for (auto state : feed.plastic
                          ? feed.plastic.getRuleOp().list<neuro::StateOp>()
                          : SmallVector<neuro::StateOp>()) {
      neuro::PlasticOp plastic = feed.plastic;
      int stateFrac =
          built.spec.formats
              ->get(plastic.getSymName(), "state", state.getSymName())
              .frac;
      all.insert(all.end(), size,
                 toWord(state.getInit().convertToDouble(), stateFrac));
    }
    FailureOr<uint32_t> placed = putSdram(std::move(all));
    if (failed(placed))
      return failure();
    address = *placed;
    shareWords[built.spec.externalWord(block.number)] = address;
  } else {
    address = symbol(built, block.name("weights"));
    put(built, block.name("weights"), std::move(words));
  }
  auto addMatrix = [&](const std::string &name, uint32_t at, int fraction) {
    llvm::json::Object where =
        piece(coreNumber, at, share->first, share->count);
    where["kind"] = "matrix";
    where["columns"] = block.columns;
    where["transposed"] = transposed;
    where["frac"] = fraction;
    parts.weightPieces[name].push_back(std::move(where));
  };
  addMatrix(weight.getSymName().str(), address, frac);
  for (auto [index, state] : llvm::enumerate(block.stateNames)) {
    uint32_t at = built.spec.isExternal
                      ? address + static_cast<uint32_t>(4 * size * (1 + index))
                      : symbol(built, block.name("synapse_" + state));
    neuro::PlasticOp plastic = feed.plastic;
    if (at)
      addMatrix(
          synapseStateKey(plastic, state), at,
          built.spec.formats->get(plastic.getSymName(), "state", state).frac);
  }
  return success();
}

/// Appends a list of (value number, address) as a binary member and a piece
/// that refers to it. `half`: the value is the word's upper half.
static void addList(ProgramParts &parts, StringRef weight, unsigned core,
                    ArrayRef<std::pair<uint32_t, uint32_t>> list, int frac,
                    bool half) {
  std::string member =
      ("spinnaker/weights/" + memberPart(weight) + "." + llvm::Twine(core) + "." +
       llvm::Twine(parts.members.size()) + ".bin")
          .str();
  std::string bytes(list.size() * 8, '\0');
  std::memcpy(bytes.data(), list.data(), bytes.size());
  parts.members[member] = std::move(bytes);
  parts.weightPieces[weight.str()].push_back(
      llvm::json::Object{{"kind", "list"},
                         {"core", core},
                         {"member", member},
                         {"frac", frac},
                         {"half", half}});
}

LogicalResult CoreFiller::fillGather(const BuiltImage &built,
                                     const WeightBlock &block) {
  const Feed &feed = *block.feed;
  neuro::WeightOp weight = feed.weight;
  int frac = built.spec.formats->get(weight.getSymName(), "weight", "w").frac;
  const neuro::ExpandedWeight &expanded = *network.plan.synapses(weight);
  GatherList list = gather(network.plan, feed, share->first, share->count);
  uint32_t base = symbol(built, block.name("weights"));
  std::vector<std::pair<uint32_t, uint32_t>> places;
  std::vector<uint32_t> weights, taps;
  if (block.isConvolution) {
    for (double value : kernelOf(weight)) {
      places.push_back({static_cast<uint32_t>(weights.size()),
                        base + 4 * static_cast<uint32_t>(weights.size())});
      weights.push_back(toWord(value, frac));
    }
    for (size_t i = 0; i < list.far.size(); ++i)
      taps.push_back(list.far[i] | static_cast<uint32_t>(list.value[i]) << 16);
  } else {
    // A dense weight in list form keeps the order of its matrix.
    bool dense = neuro::isDenseLayout(weight);
    for (size_t i = 0; i < list.far.size(); ++i) {
      uint64_t number = dense ? list.value[i] : list.synapse[i];
      places.push_back(
          {static_cast<uint32_t>(number), base + 4 * static_cast<uint32_t>(i)});
      weights.push_back(toWord(expanded.values[list.synapse[i]], frac));
      taps.push_back(list.far[i]);
    }
  }
  if (block.feed->mode == FeedMode::Gather) {
    put(built, block.name("start"), list.start);
    put(built, block.name("taps"), std::move(taps));
  }
  put(built, block.name("weights"), std::move(weights));
  addList(parts, weight.getSymName(), coreNumber, places, frac, false);
  for (const std::string &state : block.stateNames) {
    neuro::PlasticOp plastic = feed.plastic;
    uint32_t from = symbol(built, block.name("synapse_" + state));
    if (!from)
      continue;
    std::vector<std::pair<uint32_t, uint32_t>> moved = places;
    for (auto &[number, at] : moved)
      at = at - base + from;
    addList(parts, synapseStateKey(plastic, state), coreNumber, moved,
            built.spec.formats->get(plastic.getSymName(), "state", state).frac,
            false);
  }
  return success();
}

LogicalResult CoreFiller::fillBlocks(const BuiltImage &built,
                                     std::vector<uint32_t> &shareWords) {
  for (const WeightBlock &block : built.spec.blocks) {
    if (block.feed->mode == FeedMode::Dense) {
      if (failed(fillDense(built, block, shareWords)))
        return failure();
    } else if (failed(fillGather(built, block))) {
      return failure();
    }
    const Source &source = network.plan.sources[block.feed->source];
    if (source.isSpikes && block.feed->mode != FeedMode::OneToOne &&
        network.plan.synapses(block.feed->weight)) {
      // How many synapses here a spike of each source unit serves.
      std::vector<uint32_t> degree(source.units);
      for (uint32_t far :
           gather(network.plan, *block.feed, share->first, share->count).far)
        ++degree[far];
      put(built, block.name("degree"), std::move(degree));
    }
    if (!block.feed->plastic)
      continue;
    neuro::PlasticOp plastic = block.feed->plastic;
    neuro::RuleOp rule = plastic.getRuleOp();
    for (auto state : rule.list<neuro::StateOp>()) {
      if (built.spec.isExternal && block.feed->mode == FeedMode::Dense)
        continue;
      std::string name = state.getSymName().str();
      int frac =
          built.spec.formats->get(plastic.getSymName(), "state", name).frac;
      put(built, block.name("synapse_" + name),
          std::vector<uint32_t>(
              block.entries, toWord(state.getInit().convertToDouble(), frac)));
    }
    for (auto trace : rule.list<neuro::TraceOp>()) {
      std::string name = block.name(("trace_" + trace.getSymName()).str());
      auto it = built.image.symbols.find(name);
      if (it == built.image.symbols.end())
        continue;
      int frac = built.spec.formats
                     ->get(plastic.getSymName(), "trace", trace.getSymName())
                     .frac;
      put(built, name,
          std::vector<uint32_t>(
              it->second.second / 4,
              toWord(trace.getInit().convertToDouble(), frac)));
    }
  }
  return success();
}

/// The first level of the node in which `port` is read.
unsigned CoreFiller::readingLevel(const Node &node, const Port &port) const {
  unsigned level = network.plan.levels;
  for (auto [stage, stageLevel] : node.stages)
    if (neuro::readsPort(stage, port.input.getSymName()))
      level = std::min(level, stageLevel);
  return level;
}

LogicalResult
CoreFiller::makeRows(const BuiltImage &built, const Feed &feed, unsigned port,
                     const Share &origin,
                     std::vector<std::vector<uint32_t>> &rows,
                     std::vector<std::pair<uint32_t, uint32_t>> &places) {
  const neuro::ExpandedWeight &expanded = *network.plan.synapses(feed.weight);
  const rt::Synapses &synapses = expanded.synapses;
  std::vector<uint32_t> delays;
  if (feed.project.getDelays())
    delays = neuro::expandDelays(feed.project, synapses);
  rows.assign(origin.count, {});
  const ImageSpec &spec = built.spec;
  int64_t section = spec.ringSection[port] * spec.maxUnits;
  int frac = spec.ringFrac[port];
  bool dense = neuro::isDenseLayout(feed.weight);
  bool conv = isConvolution(feed.weight);
  auto visit = [&](int64_t pre, uint64_t s) {
    int64_t from = pre, to = synapses.post[s];
    if (feed.isTransposed())
      std::swap(from, to);
    if (from < origin.first || from >= origin.first + origin.count ||
        to < share->first || to >= share->first + share->count)
      return;
    int64_t delay = feed.delay + (delays.empty() ? 0 : delays[s]);
    int64_t place = delay * spec.ring.stride + section + to - share->first;
    double scaled = std::nearbyint(std::ldexp(expanded.values[s], frac));
    int32_t value = static_cast<int32_t>(std::clamp(scaled, -32768.0, 32767.0));
    auto &row = rows[from - origin.first];
    places.push_back(
        {static_cast<uint32_t>(dense || conv ? synapses.source[s] : s),
         static_cast<uint32_t>((from - origin.first) << 9 | row.size())});
    row.push_back(static_cast<uint32_t>(value) << 16 |
                  static_cast<uint32_t>(place));
  };
  if (feed.isTransposed()) {
    for (size_t pre = 0; pre + 1 < synapses.rowStart.size(); ++pre)
      for (uint64_t s = synapses.rowStart[pre]; s < synapses.rowStart[pre + 1];
           ++s)
        visit(static_cast<int64_t>(pre), s);
  } else {
    for (int64_t pre = origin.first; pre < origin.first + origin.count; ++pre)
      for (uint64_t s = synapses.rowStart[pre]; s < synapses.rowStart[pre + 1];
           ++s)
        visit(pre, s);
  }
  for (const auto &row : rows)
    if (row.size() > NEUROC_SPINN_MAX_ROW_WORDS) {
      doesNotFit = true;
      neuro::WeightOp weight = feed.weight;
      return weight.emitError("a source unit has ")
             << row.size() << " synapses on one core, "
             << NEUROC_SPINN_MAX_ROW_WORDS
             << " are possible; smaller shares help (spinn-partition "
                "units-per-core)";
    }
  return success();
}

LogicalResult CoreFiller::fillSources(const BuiltImage &built,
                                      std::vector<uint32_t> &control) {
  const ImageSpec &spec = built.spec;
  const Node &node = *spec.node;
  std::vector<neuroc_spinn_source> table;
  std::vector<uint32_t> index;
  uint32_t indexBase = symbol(built, "row_index");
  for (auto [number, entry] : llvm::enumerate(spec.listening)) {
    const Source &source = network.plan.sources[entry.source];
    auto [low, high] = arrayRange(network, shareIndex, entry);
    for (unsigned originIndex : network.heardBy(shareIndex, entry)) {
      const Share &origin = network.shares[originIndex];
      neuroc_spinn_source row = {};
      row.key = origin.keys[source.output].first;
      row.mask = origin.keys[source.output].second;
      row.units = static_cast<uint32_t>(origin.count);
      row.level = network.plan.levels;
      if (entry.kind != ListenKind::Rows) {
        row.kind = entry.kind == ListenKind::Value ? NEUROC_SPINN_VALUE
                                                   : NEUROC_SPINN_FLAG;
        row.data = symbol(built, "values_" + std::to_string(number)) +
                   static_cast<uint32_t>((origin.first - low) * 4);
        for (const Port &port : node.ports)
          for (const Feed &feed : port.feeds)
            if (feed.source == entry.source && feed.delay == 0 &&
                feed.mode != FeedMode::Rows)
              row.level = std::min(row.level, readingLevel(node, port));
        table.push_back(row);
        continue;
      }
      for (auto [portIndex, port] : llvm::enumerate(node.ports))
        for (const Feed &feed : port.feeds) {
          if (feed.mode != FeedMode::Rows || feed.source != entry.source)
            continue;
          std::vector<std::vector<uint32_t>> rows;
          std::vector<std::pair<uint32_t, uint32_t>> places;
          if (failed(makeRows(built, feed, portIndex, origin, rows, places)))
            return failure();
          std::vector<uint32_t> words, starts;
          row.kind = NEUROC_SPINN_ROWS;
          row.index = indexBase + 4 * static_cast<uint32_t>(index.size());
          for (const auto &one : rows) {
            starts.push_back(static_cast<uint32_t>(words.size()));
            index.push_back(static_cast<uint32_t>(words.size()) << 9 |
                            static_cast<uint32_t>(one.size()));
            words.insert(words.end(), one.begin(), one.end());
          }
          FailureOr<uint32_t> address = putSdram(std::move(words));
          if (failed(address))
            return failure();
          for (auto &[value, where] : places)
            where = *address + 4 * (starts[where >> 9] + (where & 511));
          if (!places.empty())
            addList(parts, feed.weight.getSymName(), coreNumber, places,
                    spec.ringFrac[portIndex], true);
          row.data = *address;
          row.handler = 0;
          row.delay = static_cast<uint32_t>(feed.delay +
                                            (feed.project.getDelays() ? 1 : 0));
          row.level = readingLevel(node, port);
          table.push_back(row);
        }
    }
  }
  std::stable_sort(table.begin(), table.end(),
                   [](const auto &a, const auto &b) { return a.key < b.key; });
  for (size_t i = 0; i + 1 < table.size(); ++i)
    table[i].more = table[i].key == table[i + 1].key;
  std::vector<uint32_t> words(table.size() * sizeof(neuroc_spinn_source) / 4);
  std::memcpy(words.data(), table.data(), words.size() * 4);
  put(built, "neuroc_core_sources", std::move(words));
  put(built, "row_index", std::move(index));
  control[offsetof(neuroc_spinn_control, num_sources) / 4] =
      static_cast<uint32_t>(table.size());
  return success();
}

LogicalResult CoreFiller::fillRecords(const BuiltImage &built) {
  const ImageSpec &spec = built.spec;
  constexpr int64_t kBufferBytes = 512 * 1024;
  std::vector<uint32_t> table;
  for (auto [number, item] : llvm::enumerate(spec.records)) {
    neuroc_spinn_record record = {};
    int64_t words = item.isSpikes ? (share->count + 31) / 32 : share->count;
    int64_t capacity =
        std::clamp<int64_t>(kBufferBytes / (words * 4), 1, 16384);
    record.source = symbol(
        built, item.isState    ? "state_" + item.variable
               : item.isSpikes ? "spikes_" + std::to_string(item.output)
                               : "output_" + std::to_string(item.output));
    record.words = static_cast<uint32_t>(words);
    record.every = static_cast<uint32_t>(item.every);
    auto base = sdram.allocate(share->place.chip, words * capacity);
    if (!base) {
      doesNotFit = true;
      return share->op.emitError("no SDRAM left for the recordings of '")
             << share->op.getSymName() << "'; record less or use more chips";
    }
    record.base = *base;
    record.capacity = static_cast<uint32_t>(capacity);
    record.clear = item.clears;
    llvm::json::Object where =
        piece(coreNumber, record.source, share->first, share->count);
    where["record"] = int64_t(number);
    where["base"] = int64_t(record.base);
    where["words"] = words;
    where["capacity"] = capacity;
    where["descriptor"] = int64_t(symbol(built, "neuroc_core_records")) +
                          int64_t(number * sizeof(neuroc_spinn_record));
    parts.probePieces[std::to_string(item.probe)].push_back(std::move(where));
    size_t at = table.size();
    table.resize(at + sizeof record / 4);
    std::memcpy(table.data() + at, &record, sizeof record);
  }
  put(built, "neuroc_core_records", std::move(table));
  return success();
}

FailureOr<std::vector<Segment>>
CoreFiller::fill(unsigned index, const BuiltImage &built, unsigned number) {
  share = &network.shares[index];
  shareIndex = index;
  coreNumber = number;
  segments.clear();
  const ImageSpec &spec = built.spec;
  std::vector<uint32_t> control(sizeof(neuroc_spinn_control) / 4);
  std::vector<uint32_t> shareWords(spec.shareWords());
  shareWords[ImageSpec::kUnits] = static_cast<uint32_t>(share->count);
  shareWords[ImageSpec::kFirst] = static_cast<uint32_t>(share->first);
  for (size_t i = 0; i < share->keys.size(); ++i)
    shareWords[ImageSpec::kKeys + i] =
        share->keys[i].second ? share->keys[i].first : ImageSpec::kNoKey;
  for (unsigned i = 0; i < spec.listening.size(); ++i)
    shareWords[spec.lowWord(i)] = static_cast<uint32_t>(
        arrayRange(network, index, spec.listening[i]).first);

  fillUnits(built);
  if (auto array = dyn_cast<neuro::SpikeArrayOp>(spec.node->op)) {
    std::vector<double> flat =
        neuro::toDoubles(cast<ElementsAttr>(array.getEvents()));
    std::vector<std::pair<uint32_t, uint32_t>> events;
    for (size_t i = 0; i + 1 < flat.size(); i += 2) {
      int64_t unit = static_cast<int64_t>(flat[i + 1]) - share->first;
      if (unit >= 0 && unit < share->count)
        events.push_back(
            {static_cast<uint32_t>(flat[i]), static_cast<uint32_t>(unit)});
    }
    std::sort(events.begin(), events.end());
    events.erase(std::unique(events.begin(), events.end()), events.end());
    std::vector<uint32_t> words;
    for (auto &[tick, unit] : events) {
      words.push_back(tick);
      words.push_back(unit);
    }
    put(built, "event_count", {static_cast<uint32_t>(events.size())});
    FailureOr<uint32_t> address = putSdram(std::move(words));
    if (failed(address))
      return failure();
    shareWords[ImageSpec::kEvents] = *address;
  }
  if (failed(fillBlocks(built, shareWords)) ||
      failed(fillSources(built, control)) || failed(fillRecords(built)))
    return failure();
  put(built, "share", shareWords);

  auto set = [&](size_t offset, uint32_t value) {
    control[offset / 4] = value;
  };
  MappingOp mapping = network.mapping;
  set(offsetof(neuroc_spinn_control, magic), NEUROC_SPINN_MAGIC);
  set(offsetof(neuroc_spinn_control, abi), NEUROC_SPINN_ABI_VERSION);
  set(offsetof(neuroc_spinn_control, levels),
      static_cast<uint32_t>(mapping.getLevels()));
  set(offsetof(neuroc_spinn_control, subticks),
      static_cast<uint32_t>(mapping.getSubticks()));
  set(offsetof(neuroc_spinn_control, period),
      static_cast<uint32_t>(mapping.getPeriod()));
  set(offsetof(neuroc_spinn_control, num_records),
      static_cast<uint32_t>(spec.records.size()));
  if (std::optional<ArrayRef<int64_t>> slots = share->op.getSlots()) {
    set(offsetof(neuroc_spinn_control, send_gap),
        static_cast<uint32_t>((*slots)[0]));
    set(offsetof(neuroc_spinn_control, slot),
        static_cast<uint32_t>((*slots)[1]));
  }
  uint32_t enabled = 0;
  for (auto [i, plastic] : llvm::enumerate(network.plan.plastics)) {
    neuro::PlasticOp op = plastic;
    if (!op.getDisabled())
      enabled |= 1u << i;
  }
  set(offsetof(neuroc_spinn_control, plastic_mask), enabled);
  segments.push_back({NEUROC_SPINN_CONTROL_ADDRESS, std::move(control)});
  return std::move(segments);
}
