// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Encodes the tile programs and writes members and manifest as
// neuroc/rt/xbar/Program.h describes them.
#include "Emitter.h"

#include "neuroc/Neuro/Analysis/Connectivity.h"
#include "neuroc/rt/xbar/Assembler.h"

#include <cmath>

using namespace mlir;
namespace json = llvm::json;

namespace neuroc::xbar {

using namespace neuro;

namespace {
/// Little-endian words appended to a member.
template <typename T>
void append(std::string &bytes, T value) {
  for (unsigned i = 0; i < sizeof(T); ++i)
    bytes.push_back(char((uint64_t(value) >> (8 * i)) & 0xff));
}

json::Object place(const TileState &t, int64_t address) {
  return json::Object{{"tile", t.tile.number}, {"address", address}};
}

json::Object piece(const TileState &t, int64_t address, int64_t first,
                   int64_t count) {
  json::Object object = place(t, address);
  object["first"] = first;
  object["count"] = count;
  return object;
}
} // namespace

json::Object Emitter::vectorOf(std::vector<json::Object> pieces,
                               int point) const {
  json::Array array;
  for (json::Object &object : pieces)
    array.push_back(std::move(object));
  return json::Object{{"pieces", std::move(array)}, {"frac", point}};
}

/// Where the stored value of (row, col) of a block is in the host's order:
/// first, rowStep, colStep.
static std::array<int64_t, 3> blockIndex(const Block &block, WeightOp weight) {
  if (isa<ConvAttr>(weight.getConnect())) {
    MatrixOp matrix = block.matrix;
    int64_t rows = matrix.getShape()[0];
    return {block.col0 * rows + block.row0, 1, rows};
  }
  int64_t numPre = weight.getNumPre();
  if (MatrixOp(block.matrix).getTransposed()) // rows are post units
    return {block.row0 * numPre + block.col0, numPre, 1};
  return {block.col0 * numPre + block.row0, 1, numPre};
}

LogicalResult Emitter::writeProgram(CompiledProgram &program) {
  std::string codeBytes, imageBytes, weightBytes, indexBytes;
  json::Array programs, images, arrays;
  json::Array keys, states, clamps, stimuli, probes, weights, plastics,
      counters;
  json::Array tileReport;

  for (TileState &t : tiles) {
    std::string error;
    std::vector<uint64_t> words = t.tile.code.finish(error);
    assert(error.empty() && "the emitter wrote an illegal instruction");
    programs.push_back(json::Object{{"tile", t.tile.number},
                                    {"member", "xbar/tiles.bin"},
                                    {"offset", int64_t(codeBytes.size())},
                                    {"count", int64_t(words.size())}});
    for (uint64_t word : words)
      append(codeBytes, word);
    program.members.push_back(
        {"xbar/tile" + std::to_string(t.tile.number) + ".xasm",
         rt::xbar::disassembleProgram(words)});
    for (auto &[address, data] : t.tile.getImages()) {
      images.push_back(json::Object{{"tile", t.tile.number},
                                    {"address", address},
                                    {"member", "xbar/memory.bin"},
                                    {"offset", int64_t(imageBytes.size())},
                                    {"count", int64_t(data.size())}});
      for (int32_t word : data)
        append(imageBytes, uint32_t(word));
    }
    for (Block &block : t.blocks) {
      if (!block.matrix.getLevels())
        continue; // the tile programs plastic blocks itself
      auto levels = block.matrix.getLevels()->getValues<int16_t>();
      int64_t cols = block.matrix.getShape()[1];
      arrays.push_back(json::Object{{"tile", t.tile.number},
                                    {"array", block.array},
                                    {"slices", block.slices},
                                    {"row0", 0},
                                    {"col0", block.at},
                                    {"rows", block.rows()},
                                    {"cols", block.cols()},
                                    {"member", "xbar/weights.bin"},
                                    {"offset", int64_t(weightBytes.size())}});
      for (int64_t r = block.row0; r < block.row1; ++r)
        for (int64_t c = block.col0; c < block.col1; ++c)
          append(weightBytes,
                 uint32_t(int32_t(int16_t(levels[size_t(r * cols + c)]))));
    }
    for (Share &share : t.shares)
      if (share.keyBlock) {
        json::Object key = place(t, share.keyBlock);
        key["stream"] = share.population.getSymName();
        keys.push_back(std::move(key));
      }
    tileReport.push_back(json::Object{{"tile", t.tile.number},
                                      {"memory_words", t.tile.used()},
                                      {"instructions", int64_t(words.size())}});
  }

  // States, clamps, probes: by population, pieces by tile.
  auto sharePieces = [&](PopulationOp population, auto address) {
    std::vector<json::Object> pieces;
    for (TileState &t : tiles)
      for (Share &share : t.shares)
        if (share.population == population)
          pieces.push_back(piece(t, address(share), share.first, share.size()));
    return pieces;
  };
  auto stateVector = [&](PopulationOp population, const std::string &name) {
    return vectorOf(
        sharePieces(population, [&](Share &s) { return s.states.at(name); }),
        frac(population.getSymName(), name));
  };
  for (PopulationOp population : view_->populations)
    for (StateOp state : population.getModelOp().list<StateOp>()) {
      std::string name = state.getSymName().str();
      json::Object entry = stateVector(population, name);
      entry["population"] = population.getSymName();
      entry["name"] = name;
      states.push_back(std::move(entry));
      if (!clamped[population.getSymName().str()].count(name))
        continue;
      clamps.push_back(json::Object{
          {"population", population.getSymName()},
          {"name", name},
          {"mask", vectorOf(sharePieces(population,
                                        [&](Share &s) {
                                          return s.clamps.at(name).first;
                                        }),
                            0)},
          {"value", vectorOf(sharePieces(population,
                                         [&](Share &s) {
                                           return s.clamps.at(name).second;
                                         }),
                             frac(population.getSymName(), name))}});
    }
  auto signalVector = [&](Value base) {
    if (auto [population, index] = NetworkView::getProducer(base); population) {
      std::string output =
          population.getModelOp().list<OutputOp>()[index].getSymName().str();
      return vectorOf(
          sharePieces(population,
                      [&](Share &s) { return s.outputs.at(output); }),
          signalFrac(base));
    }
    std::vector<json::Object> pieces;
    std::string name = nameOf(base);
    for (TileState &t : tiles)
      if (auto found = t.views.find({name, 0}); found != t.views.end())
        pieces.push_back(piece(t, found->second, 0, getSignalSize(base)));
    return vectorOf(std::move(pieces), signalFrac(base));
  };
  for (Operation &op : view_->network.getBody().front()) {
    if (auto stimulus = dyn_cast<StimulusOp>(op)) {
      std::string name = nameOf(stimulus.getOutput());
      json::Object entry = signalVector(stimulus.getOutput());
      if (isSpikeSignal(stimulus.getOutput())) {
        std::vector<json::Object> pieces;
        for (TileState &t : tiles)
          if (auto found = t.inboxes.find(name); found != t.inboxes.end())
            pieces.push_back(piece(t, found->second, 0,
                                   getSignalSize(stimulus.getOutput())));
        entry = vectorOf(std::move(pieces), 0);
      }
      entry["name"] = stimulus.getSymName();
      stimuli.push_back(std::move(entry));
    } else if (auto probe = dyn_cast<ProbeOp>(op)) {
      json::Object entry =
          signalVector(NetworkView::resolve(probe.getInput()).base);
      entry["name"] = probe.getSymName();
      probes.push_back(std::move(entry));
    } else if (auto watch = dyn_cast<WatchOp>(op)) {
      json::Object entry =
          stateVector(view_->findPopulation(watch.getPopulation()),
                      watch.getVariable().str());
      entry["name"] = watch.getSymName();
      probes.push_back(std::move(entry));
    } else if (auto weight = dyn_cast<WeightOp>(op)) {
      if (failed(describeWeight(weight, weights, indexBytes)))
        return failure();
    } else if (auto plastic = dyn_cast<PlasticOp>(op)) {
      json::Array flags;
      bool hasCall = false;
      for (TileState &t : tiles)
        for (Learning &learning : t.learnings)
          if (learning.plastic == plastic) {
            flags.push_back(place(t, learning.enabled));
            hasCall |= learning.hasCall;
          }
      plastics.push_back(json::Object{
          {"name", plastic.getSymName()},
          {"flags", std::move(flags)},
          {"command",
           hasCall ? tag("call/" + plastic.getSymName().str()) : 0}});
    }
  }
  json::Array spikePlaces;
  for (TileState &t : tiles)
    spikePlaces.push_back(place(t, t.spikeCount));
  counters.push_back(
      json::Object{{"stat", "spikes"}, {"places", std::move(spikePlaces)}});

  json::Value machineJson =
      llvm::cantFail(json::parse(rt::xbar::machineToJson(machine)));
  program.manifest = json::Object{
      {"machine", std::move(machineJson)}, {"programs", std::move(programs)},
      {"images", std::move(images)},       {"arrays", std::move(arrays)},
      {"keys", std::move(keys)},           {"states", std::move(states)},
      {"clamps", std::move(clamps)},       {"stimuli", std::move(stimuli)},
      {"probes", std::move(probes)},       {"weights", std::move(weights)},
      {"plastics", std::move(plastics)},   {"counters", std::move(counters)}};
  program.members.push_back({"xbar/tiles.bin", std::move(codeBytes)});
  program.members.push_back({"xbar/memory.bin", std::move(imageBytes)});
  if (!weightBytes.empty())
    program.members.push_back({"xbar/weights.bin", std::move(weightBytes)});
  if (!indexBytes.empty())
    program.members.push_back({"xbar/index.bin", std::move(indexBytes)});
  writeReport(program, std::move(tileReport));
  return success();
}

LogicalResult Emitter::describeWeight(WeightOp weight, json::Array &weights,
                                      std::string &indexBytes) {
  auto expanded = expandWeight(weight);
  if (failed(expanded))
    return failure();
  const rt::Synapses &synapses = expanded->synapses;
  bool dense = isDenseLayout(weight);
  auto conv = dyn_cast<ConvAttr>(weight.getConnect());
  int64_t count = int64_t(expanded->values.size());
  if (dense)
    count = weight.getNumPre() * weight.getNumPost();
  else if (conv)
    count = weight.getPost()[0] * (weight.getPre()[0] / conv.getGroups()) *
            conv.getKernel()[0] * conv.getKernel()[1];
  json::Array pieces, dirty;
  for (TileState &t : tiles) {
    for (Learning &learning : t.learnings)
      if (PlasticOp(learning.plastic).getWeight() == weight.getSymName())
        dirty.push_back(place(t, learning.dirty));
    for (Block &block : t.blocks) {
      if (block.matrix.getWeight() != weight.getSymName())
        continue;
      json::Object object{{"tile", t.tile.number},
                          {"rows", block.rows()},
                          {"cols", block.cols()}};
      if (block.matrix.getLevels()) {
        object["array"] = block.array;
        object["slices"] = block.slices;
        object["row0"] = 0;
        object["col0"] = block.at;
        json::Array scales;
        for (int64_t c = block.col0; c < block.col1; ++c)
          scales.push_back((*block.matrix.getScales())[size_t(c)]);
        object["columnScales"] = std::move(scales);
        int64_t limit =
            (int64_t(1) << (int64_t(block.matrix.getBits()) - 1)) - 1;
        int64_t held = (int64_t(1) << (machine.cellBits * block.slices)) - 1;
        object["lowest"] = -std::min(limit, held);
        object["highest"] = std::min(limit, held);
      } else {
        PlasticOp plastic;
        for (PlasticOp candidate : view_->plastics)
          if (candidate.getWeight() == weight.getSymName())
            plastic = candidate;
        object["address"] = block.weights;
        object["stride"] = block.cols();
        object["format"] = "words";
        object["scale"] = std::ldexp(1.0, -frac(plastic.getSymName(), "w"));
      }
      if (dense || conv) {
        auto [first, rowStep, colStep] = blockIndex(block, weight);
        object["first"] = first;
        object["rowStep"] = rowStep;
        object["colStep"] = colStep;
      } else {
        std::vector<uint32_t> indices(size_t(block.rows() * block.cols()),
                                      0xffffffffu);
        bool byPost = block.matrix.getTransposed();
        for (int64_t pre = 0; pre < weight.getNumPre(); ++pre)
          for (uint64_t i = synapses.rowStart[size_t(pre)];
               i < synapses.rowStart[size_t(pre) + 1]; ++i) {
            int64_t post = synapses.post[i];
            int64_t row = byPost ? post : pre, col = byPost ? pre : post;
            if (row >= block.row0 && row < block.row1 && col >= block.col0 &&
                col < block.col1)
              indices[size_t((row - block.row0) * block.cols() + col -
                             block.col0)] = uint32_t(i);
          }
        object["indices"] =
            json::Object{{"member", "xbar/index.bin"},
                         {"offset", int64_t(indexBytes.size())}};
        for (uint32_t index : indices)
          append(indexBytes, index);
      }
      pieces.push_back(std::move(object));
    }
  }
  if (auto found = weightPieces.find(weight.getSymName().str());
      found != weightPieces.end())
    for (WeightPieceNote &note : found->second) {
      json::Object object{{"tile", note.tile},
                          {"address", note.address},
                          {"rows", 1},
                          {"cols", int64_t(note.indices.size())},
                          {"stride", int64_t(note.indices.size())},
                          {"format", note.isPacked ? "high" : "words"},
                          {"scale", note.scale}};
      object["indices"] = json::Object{{"member", "xbar/index.bin"},
                                       {"offset", int64_t(indexBytes.size())}};
      for (uint32_t index : note.indices)
        append(indexBytes, index);
      pieces.push_back(std::move(object));
    }
  weights.push_back(json::Object{{"name", weight.getSymName()},
                                 {"count", count},
                                 {"pieces", std::move(pieces)},
                                 {"dirty", std::move(dirty)}});
  return success();
}

/// What the mapping did, for people: `xbar/report.json`.
void Emitter::writeReport(CompiledProgram &program, json::Array tileReport) {
  json::Array matrices, formatList, tables;
  for (MatrixOp matrix : map.list<MatrixOp>()) {
    int64_t blocks = 0, cells = 0;
    for (TileState &t : tiles)
      for (Block &block : t.blocks)
        if (block.matrix == matrix) {
          ++blocks;
          cells += block.rows() * block.cols() * block.slices * 2;
        }
    matrices.push_back(json::Object{{"weight", matrix.getWeight()},
                                    {"rows", matrix.getShape()[0]},
                                    {"cols", matrix.getShape()[1]},
                                    {"bits", int64_t(matrix.getBits())},
                                    {"slices", int64_t(matrix.getSlices())},
                                    {"plastic", matrix.getPlastic()},
                                    {"blocks", blocks},
                                    {"cells", cells}});
  }
  for (FormatOp format : map.list<FormatOp>())
    formatList.push_back(json::Object{{"owner", format.getOwner()},
                                      {"name", format.getName()},
                                      {"frac", int64_t(format.getFrac())},
                                      {"lo", format.getRange()[0]},
                                      {"hi", format.getRange()[1]},
                                      {"proved", format.getProved()}});
  for (auto &[name, error] : notes.tableErrors)
    tables.push_back(json::Object{{"function", name}, {"max_error", error}});
  json::Object report{
      {"machine", machine.name},
      {"tiles", std::move(tileReport)},
      {"matrices", std::move(matrices)},
      {"formats", std::move(formatList)},
      {"tables", std::move(tables)},
      {"learning", view_->plastics.empty() ? "none" : "next to the array"}};
  std::string text;
  llvm::raw_string_ostream stream(text);
  stream << llvm::formatv("{0:2}", json::Value(std::move(report))) << "\n";
  program.members.push_back({"xbar/report.json", std::move(text)});
}

} // namespace neuroc::xbar
