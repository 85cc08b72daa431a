// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Reads and checks the SpiNNaker part of a manifest: every index, address and
// count is in range afterwards, so the engine need not look again.
#include "Program.h"

#include "neuroc/rt/Json.h"
#include "neuroc/rt/spinn/CoreAbi.h"

#include <cstring>
#include <map>

using namespace neuroc::rt;
using namespace neuroc::rt::spinn;

namespace {

constexpr int64_t kMostUnits = 1 << 26;
/// Values of a weight: 2 GiB when they are read.
constexpr uint64_t kMostValues = 1 << 28;

class Reader {
public:
  Reader(const Container &container, Program &program, Status &status)
      : container(container), program(program), status(status) {}

  void read(JsonReader json) {
    if (json.at("abi").integer() != NEUROC_SPINN_ABI_VERSION) {
      json.at("abi").error("this engine runs programs of core ABI " +
                           std::to_string(NEUROC_SPINN_ABI_VERSION));
      return;
    }
    readMachine(json.at("machine"));
    program.dtMs = json.at("dt_ms").number();
    program.slowdown = json.at("slowdown").number();
    program.levels = static_cast<uint32_t>(json.at("levels").integer(1, 4096));
    program.subticks =
        static_cast<uint32_t>(json.at("subticks").integer(1, 4097));
    program.period =
        static_cast<uint32_t>(json.at("period").integer(1, UINT32_MAX));
    each(json.at("cores"), [&](JsonReader e) { readCore(e); });
    each(json.at("tables"), [&](JsonReader e) { readTable(e); });
    each(json.at("states"), [&](JsonReader e) { readState(e); });
    each(json.at("stimuli"), [&](JsonReader e) { readStimulus(e); });
    each(json.at("weights"), [&](JsonReader e) { readWeight(e); });
    each(json.at("plastics"), [&](JsonReader e) {
      program.plastics.push_back(
          {e.at("name").string(),
           static_cast<unsigned>(e.at("number").integer(0, 31))});
    });
    each(json.at("probes"), [&](JsonReader e) { readProbe(e); });
  }

private:
  template <typename Fn> void each(JsonReader list, Fn visit) {
    size_t size = list.size();
    for (size_t i = 0; i < size && status; ++i)
      visit(list[i]);
  }

  ChipId chip(JsonReader json) {
    ChipId id;
    id.x = static_cast<uint16_t>(json[0].integer(0, 255));
    id.y = static_cast<uint16_t>(json[1].integer(0, 255));
    return id;
  }

  void readMachine(JsonReader json) {
    MachineConfig &config = program.machine;
    config.width = static_cast<unsigned>(json.at("width").integer(1, 256));
    config.height = static_cast<unsigned>(json.at("height").integer(1, 256));
    config.wrap = json.at("wrap").boolean();
    each(json.at("dead_chips"),
         [&](JsonReader e) { config.deadChips.push_back(chip(e)); });
  }

  void readCore(JsonReader json) {
    ProgramCore core;
    core.name = json.at("name").string();
    core.population = json.at("population").string();
    core.image = json.at("image").string();
    core.data = json.at("data").string();
    core.first = json.at("first").natural(kMostUnits);
    core.count = json.at("count").natural(kMostUnits);
    core.id.chip = chip(json.at("chip"));
    core.id.core = static_cast<uint8_t>(json.at("core").integer(1, 17));
    core.isPopulation = json.at("is_population").boolean();
    core.spikesMade = address(json.at("spikes_made"), 1, true);
    core.estimatedCycles = json.at("estimated_cycles").number();
    for (const std::string &member : {core.image, core.data})
      if (status && !container.has(member))
        json.error("member '" + member + "' is missing");
    auto [other, isNew] = places.try_emplace(core.id, core.name);
    if (!isNew)
      json.error("is at the place of core '" + other->second + "'");
    program.cores.push_back(std::move(core));
  }

  /// An address of `words` words in DTCM or SDRAM.
  uint32_t address(JsonReader json, uint64_t words, bool mayBeZero = false) {
    uint64_t at = json.natural(UINT32_MAX);
    if (at == 0 && mayBeZero)
      return 0;
    auto inside = [&](uint64_t base, uint64_t size) {
      return at >= base && at - base <= size && words * 4 <= size - (at - base);
    };
    if (at % 4 != 0 || !(inside(kDtcmBase, kDtcmSize) ||
                         inside(kSdramBase, kSdramSize)))
      json.error("no " + std::to_string(words) +
                 " words of a core's memory are there");
    return static_cast<uint32_t>(at);
  }

  size_t core(JsonReader json) {
    if (program.cores.empty()) {
      json.error("there are no cores");
      return 0;
    }
    return static_cast<size_t>(
        json.integer(0, static_cast<int64_t>(program.cores.size()) - 1));
  }

  void readPiece(JsonReader json, Piece &piece, uint64_t wordsPerUnit,
                 bool isBits = false) {
    piece.core = core(json.at("core"));
    piece.first = json.at("first").natural(kMostUnits);
    piece.count = json.at("count").natural(kMostUnits);
    piece.address = address(json.at("address"),
                            isBits ? (piece.count + 31) / 32
                                   : piece.count * wordsPerUnit,
                            true);
  }

  void readTable(JsonReader json) {
    std::vector<RoutingEntry> entries;
    each(json.at("entries"), [&](JsonReader e) {
      entries.push_back(
          {static_cast<uint32_t>(e[0].natural(UINT32_MAX)),
           static_cast<uint32_t>(e[1].natural(UINT32_MAX)),
           static_cast<uint32_t>(e[2].natural((1u << 24) - 1))});
    });
    program.tables.push_back({chip(json.at("chip")), std::move(entries)});
  }

  int frac(JsonReader json) {
    return static_cast<int>(json.at("frac").integer(-31, 62));
  }

  void readState(JsonReader json) {
    ProgramState state;
    state.population = json.at("population").string();
    state.name = json.at("name").string();
    state.frac = frac(json);
    each(json.at("pieces"), [&](JsonReader e) {
      ProgramState::Place place;
      readPiece(e, place, 1);
      if (e.has("clamp_on")) {
        place.clampOn = address(e.at("clamp_on"), place.count, true);
        place.clampAt = address(e.at("clamp_at"), place.count, true);
      }
      state.units = std::max(state.units, place.first + place.count);
      state.pieces.push_back(place);
    });
    program.states.push_back(std::move(state));
  }

  void readStimulus(JsonReader json) {
    ProgramStimulus stimulus;
    stimulus.name = json.at("name").string();
    stimulus.isSpikes = json.at("spikes").boolean();
    stimulus.frac = frac(json);
    stimulus.units = json.at("units").natural(kMostUnits);
    each(json.at("pieces"), [&](JsonReader e) {
      Piece piece;
      readPiece(e, piece, 1);
      inRange(e, piece, stimulus.units);
      stimulus.pieces.push_back(piece);
    });
    program.stimuli.push_back(std::move(stimulus));
  }

  void inRange(JsonReader json, const Piece &piece, uint64_t units) {
    if (piece.first > units || piece.count > units - piece.first)
      json.error("the units are beyond the last, " + std::to_string(units));
  }

  void readWeight(JsonReader json) {
    ProgramWeight weight;
    weight.name = json.at("name").string();
    weight.pre = json.at("pre").natural(kMostUnits);
    weight.post = json.at("post").natural(kMostUnits);
    weight.count = json.at("count").natural(kMostValues);
    each(json.at("pieces"), [&](JsonReader e) {
      if (e.at("kind").string() == "matrix") {
        ProgramWeight::Matrix matrix;
        matrix.columns = e.at("columns").natural(kMostUnits);
        matrix.isTransposed = e.at("transposed").boolean();
        matrix.frac = frac(e);
        readPiece(e, matrix, matrix.columns);
        inRange(e, matrix, matrix.isTransposed ? weight.pre : weight.post);
        if (matrix.columns !=
            (matrix.isTransposed ? weight.post : weight.pre))
          e.error("a matrix of another width than its weight");
        weight.matrices.push_back(matrix);
        return;
      }
      ProgramWeight::List list;
      list.core = core(e.at("core"));
      list.frac = frac(e);
      list.isHalf = e.at("half").boolean();
      std::string member = e.at("member").string();
      if (!status)
        return;
      std::span<const uint8_t> bytes = container.bytes(member);
      if (!container.has(member) || bytes.size() % 8 != 0)
        return e.error("member '" + member + "' is missing or cut off");
      list.entries.resize(bytes.size() / 8);
      if (!bytes.empty())
        std::memcpy(list.entries.data(), bytes.data(), bytes.size());
      for (auto &[value, at] : list.entries) {
        bool inDtcm = at >= kDtcmBase && at - kDtcmBase <= kDtcmSize - 4;
        bool inSdram = at >= kSdramBase && at - kSdramBase <= kSdramSize - 4;
        if (value >= weight.count || at % 4 || !(inDtcm || inSdram))
          return e.error("member '" + member + "' names a value or address "
                                               "that does not exist");
      }
      weight.lists.push_back(std::move(list));
    });
    program.weights.push_back(std::move(weight));
  }

  void readProbe(JsonReader json) {
    ProgramProbe probe;
    probe.name = json.at("name").string();
    probe.isSpikes = json.at("spikes").boolean();
    probe.frac = frac(json);
    probe.every = static_cast<unsigned>(json.at("every").integer(1, 1 << 30));
    probe.shape = json.at("shape").integers(0);
    probe.units = 1;
    for (int64_t extent : probe.shape) {
      if (extent > kMostUnits)
        return json.at("shape").error("too large");
      probe.units *= static_cast<uint64_t>(extent);
      if (probe.units > static_cast<uint64_t>(kMostUnits))
        return json.at("shape").error("too large");
    }
    each(json.at("pieces"), [&](JsonReader e) {
      ProgramProbe::Record record;
      readPiece(e, record, 1, probe.isSpikes);
      inRange(e, record, probe.units);
      record.words =
          static_cast<uint32_t>(e.at("words").natural(kDtcmSize / 4));
      record.capacity =
          static_cast<uint32_t>(e.at("capacity").integer(1, 1 << 24));
      record.base = address(e.at("base"),
                            uint64_t(record.words) * record.capacity);
      record.descriptor =
          address(e.at("descriptor"), sizeof(neuroc_spinn_record) / 4);
      uint64_t least =
          probe.isSpikes ? (record.count + 31) / 32 : record.count;
      if (record.words < least)
        e.error("a sample is shorter than its units");
      probe.records.push_back(record);
    });
    program.probes.push_back(std::move(probe));
  }

  const Container &container;
  Program &program;
  Status &status;
  std::map<CoreId, std::string> places;
};

} // namespace

Status neuroc::rt::spinn::readProgram(const Container &container,
                                      Program &program) {
  Json json;
  if (Status status = parseJson(container.manifest(), container.origin(), json);
      !status)
    return status;
  Status status;
  JsonReader root(json, container.origin() + ": manifest", status);
  Reader(container, program, status).read(root.at("program"));
  return status;
}
