// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The host side of a crossbar program: loads tile programs, memory images and
// weights into the simulated machine, lets the tiles run from one `tick` to
// the next, and reads and writes named things at the places that the manifest
// gives (Program.h). Numbers cross as f64 and are fixed point in the tiles.
#include "neuroc/rt/Container.h"
#include "neuroc/rt/Engine.h"
#include "neuroc/rt/Engines.h"
#include "neuroc/rt/Json.h"
#include "neuroc/rt/Random.h"
#include "neuroc/rt/xbar/Assembler.h"
#include "neuroc/rt/xbar/Machine.h"
#include "neuroc/rt/xbar/Program.h"

#include <cmath>
#include <cstring>
#include <fstream>

namespace neuroc::rt {
namespace {

using namespace xbar;

class CrossbarEngine final : public Engine {
public:
  CrossbarEngine(std::shared_ptr<const Container> container,
                 const EngineOptions &options)
      : container(std::move(container)), options(options) {}

  Status load() {
    if (Status status = readManifest(); !status)
      return status;
    if (Status status = applyConfig(); !status)
      return status;
    if (!options.traceFile.empty()) {
      trace.open(options.traceFile);
      if (!trace)
        return {Code::OutputError,
                options.traceFile + ": cannot be opened for writing"};
      trace << "cycle,tile,instruction,text\n";
    }
    return reset();
  }

  Status reset() override {
    if (Status status = Machine::create(program.machine, machine); !status)
      return status;
    if (Status status = loadMembers(); !status)
      return status;
    if (trace.is_open())
      machine->setTrace(
          [this](uint32_t tile, uint64_t cycle, uint32_t at, uint64_t word) {
            trace << cycle << ',' << tile << ',' << at << ",\""
                  << disassemble(word) << "\"\n";
          });
    now = 0;
    counted.clear();
    longestTick = 0;
    loaded = machine->counters();
    machine->start();
    return activate(); // to the first `tick`
  }

  Status step(uint64_t ticks, RecordSink *sink) override {
    for (uint64_t i = 0; i < ticks; ++i) {
      uint64_t before = machine->cycle();
      machine->resume(uint32_t(now), 0);
      if (Status status = activate(); !status)
        return status;
      longestTick = std::max(longestTick, machine->cycle() - before);
      for (const Counter &counter : program.counters) {
        double &total = counted[counter.stat];
        for (const Place &place : counter.places)
          total += double(uint32_t(machine->memory(place.tile)[place.address]));
      }
      if (sink)
        for (unsigned p = 0; p < infos.size(); ++p)
          if (now % infos[p].every == 0)
            record(p, *sink);
      ++now;
    }
    return Status::ok();
  }

  uint64_t tick() const override { return now; }
  const std::vector<ProbeInfo> &probes() const override { return infos; }

  Status setStimulus(std::string_view name,
                     std::span<const double> values) override {
    for (const NamedVector &stimulus : program.stimuli)
      if (stimulus.name == name)
        return write(stimulus.vector, values,
                     "stimulus '" + std::string(name) + "'");
    return missing("stimulus", name, program.stimuli);
  }

  Status readProbe(unsigned probe, std::vector<double> &values) override {
    if (probe >= program.probes.size())
      return {Code::Internal,
              "probe " + std::to_string(probe) + " does not exist"};
    read(program.probes[probe].vector, values);
    return Status::ok();
  }

  Status readState(std::string_view population, std::string_view variable,
                   std::vector<double> &values) override {
    const NamedVector *state = findState(population, variable);
    if (!state)
      return missingState(population, variable);
    read(state->vector, values);
    return Status::ok();
  }

  Status writeState(std::string_view population, std::string_view variable,
                    std::span<const double> values) override {
    const NamedVector *state = findState(population, variable);
    if (!state)
      return missingState(population, variable);
    return write(state->vector, values,
                 "state '" + std::string(population) + "." +
                     std::string(variable) + "'");
  }

  Status clampState(std::string_view population, std::string_view variable,
                    std::span<const double> values) override {
    for (const Clamp &clamp : program.clamps) {
      if (clamp.population != population || clamp.name != variable)
        continue;
      std::string what = "clamp of '" + std::string(population) + "." +
                         std::string(variable) + "'";
      std::vector<double> mask(unitsOf(clamp.mask), 0), held(mask.size(), 0);
      if (!values.empty() && values.size() != mask.size())
        return wrongCount(what, values.size(), mask.size());
      for (size_t i = 0; i < values.size(); ++i)
        if (!std::isnan(values[i])) {
          mask[i] = 1;
          held[i] = values[i];
        }
      if (Status status = write(clamp.value, held, what); !status)
        return status;
      if (Status status = write(clamp.mask, mask, what); !status)
        return status;
      // The value holds from now on, not only from the next stage.
      const NamedVector *state = findState(population, variable);
      if (!state || values.empty())
        return Status::ok();
      std::vector<double> present;
      read(state->vector, present);
      for (size_t i = 0; i < values.size() && i < present.size(); ++i)
        if (!std::isnan(values[i]))
          present[i] = values[i];
      return write(state->vector, present, what);
    }
    return {Code::ModelError,
            "state '" + std::string(population) + "." + std::string(variable) +
                "' cannot be held on this target: the program was compiled "
                "without a clamp for it"};
  }

  Status readWeight(std::string_view name,
                    std::vector<double> &values) override {
    const Weight *weight = findWeight(name);
    if (!weight)
      return missing("weight", name, program.weights);
    values.assign(weight->count, 0.0);
    // Later copies must not overwrite earlier ones.
    for (size_t i = weight->pieces.size(); i-- > 0;)
      if (Status status = readPiece(weight->pieces[i], values); !status)
        return status;
    return Status::ok();
  }

  Status writeWeight(std::string_view name,
                     std::span<const double> values) override {
    const Weight *weight = findWeight(name);
    if (!weight)
      return missing("weight", name, program.weights);
    if (values.size() != weight->count)
      return wrongCount("weight '" + std::string(name) + "'", values.size(),
                        weight->count);
    for (const WeightPiece &piece : weight->pieces)
      if (Status status = writePiece(piece, values); !status)
        return status;
    for (const Place &place : weight->dirty)
      machine->memory(place.tile)[place.address] = 1;
    return Status::ok();
  }

  Status setPlasticEnabled(std::string_view name, bool enabled) override {
    for (const Plastic &plastic : program.plastics)
      if (plastic.name == name) {
        for (const Place &place : plastic.flags)
          machine->memory(place.tile)[place.address] = enabled;
        return Status::ok();
      }
    return missing("plastic", name, program.plastics);
  }

  Status callRule(std::string_view name) override {
    for (const Plastic &plastic : program.plastics)
      if (plastic.name == name) {
        if (!plastic.command)
          return {Code::ModelError, "the rule of '" + std::string(name) +
                                        "' has no 'on_call' handler"};
        machine->resume(uint32_t(now), plastic.command);
        return activate();
      }
    return missing("plastic", name, program.plastics);
  }

  Status stats(Stats &stats) const override;

private:
  Status readManifest();
  Status applyConfig();
  Status loadMembers();
  Status activate();
  Status member(const MemberRange &range, size_t bytes, const char *what,
                std::span<const uint8_t> &data) const;
  void record(unsigned probe, RecordSink &sink);
  void read(const Vector &vector, std::vector<double> &values) const;
  Status write(const Vector &vector, std::span<const double> values,
               const std::string &what);
  Status readPiece(const WeightPiece &piece, std::vector<double> &values);
  Status writePiece(const WeightPiece &piece, std::span<const double> values);
  Status indexOf(const WeightPiece &piece, size_t count,
                 std::vector<int64_t> &index) const;

  static uint64_t unitsOf(const Vector &vector) {
    uint64_t units = 0;
    for (const Piece &piece : vector.pieces)
      units = std::max<uint64_t>(units, uint64_t(piece.first) + piece.count);
    return units;
  }
  const NamedVector *findState(std::string_view population,
                               std::string_view name) const {
    for (const NamedVector &state : program.states)
      if (state.population == population && state.name == name)
        return &state;
    return nullptr;
  }
  const Weight *findWeight(std::string_view name) const {
    for (const Weight &weight : program.weights)
      if (weight.name == name)
        return &weight;
    return nullptr;
  }
  template <typename List>
  static Status missing(const char *kind, std::string_view name,
                        const List &list) {
    std::vector<std::string> known;
    for (const auto &item : list)
      known.push_back(item.name);
    return {Code::ModelError, "the program has no " + std::string(kind) + " '" +
                                  std::string(name) + "'" +
                                  suggestName(name, known)};
  }
  Status missingState(std::string_view population,
                      std::string_view variable) const {
    std::vector<std::string> known;
    for (const NamedVector &state : program.states)
      known.push_back(state.population + "." + state.name);
    std::string name = std::string(population) + "." + std::string(variable);
    return {Code::ModelError, "the program has no state '" + name + "'" +
                                  suggestName(name, known)};
  }
  static Status wrongCount(const std::string &what, size_t got,
                           uint64_t expected) {
    return {Code::ModelError, what + " takes " + std::to_string(expected) +
                                  " values, got " + std::to_string(got)};
  }

  std::shared_ptr<const Container> container;
  EngineOptions options;
  xbar::Program program;
  std::vector<ProbeInfo> infos;
  std::unique_ptr<Machine> machine;
  Counters loaded; ///< after loading, before the first cycle
  std::map<std::string, double> counted;
  uint64_t now = 0, longestTick = 0;
  uint64_t cycleLimit = 1000000000; ///< per activation
  std::ofstream trace;
  std::vector<double> values;
  std::vector<uint32_t> fired;
};

Status CrossbarEngine::readManifest() {
  Json json;
  std::string origin = container->origin();
  if (Status status = parseJson(container->manifest(), origin, json); !status)
    return status;
  Status status;
  JsonReader manifest(json, origin, status);
  if (Status bad = parseManifest(container->manifest(), origin, program); !bad)
    return bad;
  if (manifest.has("probes")) {
    JsonReader list = manifest.at("probes");
    for (size_t i = 0; i < list.size() && status; ++i) {
      ProbeInfo info;
      info.name = list[i].at("name").string();
      info.isSpikes = list[i].at("kind").string() == "spikes";
      info.shape = list[i].at("shape").integers(0);
      info.every = list[i].has("every")
                       ? unsigned(list[i].at("every").integer(1, INT32_MAX))
                       : 1;
      infos.push_back(std::move(info));
    }
  }
  if (!status)
    return status;
  if (infos.size() != program.probes.size())
    return {Code::InputError, origin + ".program.probes: has " +
                                  std::to_string(program.probes.size()) +
                                  " entries, the manifest lists " +
                                  std::to_string(infos.size())};
  for (size_t i = 0; i < infos.size(); ++i)
    if (infos[i].name != program.probes[i].name)
      return {Code::InputError,
              origin + ".program.probes[" + std::to_string(i) + "]: is '" +
                  program.probes[i].name + "', the manifest has '" +
                  infos[i].name + "' there"};
  return Status::ok();
}

/// "section.key=value" for the parameters that may change without compiling
/// again: timing, energies and noise.
Status CrossbarEngine::applyConfig() {
  Json overrides = Json::object();
  for (const auto &[key, value] : options.config) {
    if (key == "max-cycles-per-tick") {
      char *end = nullptr;
      cycleLimit = std::strtoull(value.c_str(), &end, 10);
      if (!cycleLimit || *end)
        return {Code::UsageError, "option 'max-cycles-per-tick' must be a "
                                  "whole number above 0, got '" +
                                      value + "'"};
      continue;
    }
    size_t dot = key.find('.');
    std::string section = key.substr(0, dot);
    if (section != "timing" && section != "energy_pj" && section != "noise")
      continue;
    Json number;
    if (Status bad = parseJson(value, "option '" + key + "'", number);
        !bad || !number.is_number())
      return {Code::UsageError,
              "option '" + key + "' must be a number, got '" + value + "'"};
    overrides[section][dot == std::string::npos ? "" : key.substr(dot + 1)] =
        number;
  }
  if (overrides.empty())
    return Status::ok();
  Json full;
  Status status = parseJson(machineToJson(program.machine), "machine", full);
  if (!status)
    return status;
  full.merge_patch(overrides);
  status = parseMachine(dumpJson(full, -1), "option", program.machine);
  return status ? status : Status(Code::UsageError, status.message());
}

Status CrossbarEngine::member(const MemberRange &range, size_t bytes,
                              const char *what,
                              std::span<const uint8_t> &data) const {
  if (!container->has(range.member))
    return {Code::InputError, container->origin() + ": " + what +
                                  " needs the member '" + range.member +
                                  "', which is missing"};
  std::span<const uint8_t> all = container->bytes(range.member);
  if (range.offset > all.size() ||
      range.count > (all.size() - range.offset) / bytes)
    return {Code::InputError,
            container->origin() + ": " + what + " needs " +
                std::to_string(range.count * bytes) + " bytes from byte " +
                std::to_string(range.offset) + " of '" + range.member +
                "', which has " + std::to_string(all.size())};
  data = all.subspan(range.offset, range.count * bytes);
  return Status::ok();
}

template <typename T>
static std::vector<T> decodeWords(std::span<const uint8_t> bytes) {
  std::vector<T> words(bytes.size() / sizeof(T));
  for (size_t i = 0; i < words.size(); ++i) {
    uint64_t value = 0;
    for (size_t k = 0; k < sizeof(T); ++k)
      value |= uint64_t(bytes[i * sizeof(T) + k]) << (8 * k);
    words[i] = T(value);
  }
  return words;
}

Status CrossbarEngine::loadMembers() {
  std::span<const uint8_t> data;
  for (const TileCode &code : program.programs) {
    if (Status status = member(code.code, 8, "a tile program", data); !status)
      return status;
    if (Status status =
            machine->loadProgram(code.tile, decodeWords<uint64_t>(data));
        !status)
      return status;
  }
  for (const Image &image : program.images) {
    if (Status status = member(image.words, 4, "a memory image", data); !status)
      return status;
    if (Status status = machine->writeMemory(image.tile, image.address,
                                             decodeWords<int32_t>(data));
        !status)
      return status;
  }
  for (const ArrayImage &image : program.arrays) {
    if (Status status = member(image.weights, 4, "an array image", data);
        !status)
      return status;
    if (Status status =
            machine->loadArray(image.bank, decodeWords<int32_t>(data));
        !status)
      return status;
  }
  for (const Key &key : program.keys) {
    if (!options.seed)
      break;
    uint64_t value =
        neuroc_rt_key(options.seed, neuroc_rt_stream(key.stream.c_str()));
    int32_t words[2] = {int32_t(uint32_t(value)),
                        int32_t(uint32_t(value >> 32))};
    if (Status status =
            machine->writeMemory(key.place.tile, key.place.address, words);
        !status)
      return status;
  }
  return Status::ok();
}

/// Runs until all tiles are at `tick`.
Status CrossbarEngine::activate() {
  StopReason reason;
  if (Status status = machine->run(reason, cycleLimit); !status)
    return status;
  switch (reason) {
  case StopReason::Tick:
    return Status::ok();
  case StopReason::Halted:
    return {Code::ModelError, "all tiles have halted at tick " +
                                  std::to_string(now) +
                                  "; a program must return to 'tick'"};
  case StopReason::HostInput:
    return {Code::ModelError,
            "a tile waits for host input that nobody will post (tick " +
                std::to_string(now) + ")"};
  case StopReason::Limit:
    break;
  }
  return {Code::ModelError, "tick " + std::to_string(now) +
                                " is not over after " +
                                std::to_string(cycleLimit) +
                                " cycles (option max-cycles-per-tick)"};
}

void CrossbarEngine::read(const Vector &vector,
                          std::vector<double> &out) const {
  out.assign(unitsOf(vector), 0.0);
  double scale = std::ldexp(vector.scale, -vector.frac);
  // Backwards, so that of several copies the first wins.
  for (size_t p = vector.pieces.size(); p-- > 0;) {
    const Piece &piece = vector.pieces[p];
    std::span<const int32_t> memory =
        std::as_const(*machine).memory(piece.tile);
    if (memory.empty())
      continue;
    for (uint32_t i = 0; i < piece.count; ++i) {
      int32_t word =
          vector.bits
              ? (memory[piece.address + i / 32] >> (i % 32)) & 1
              : memory[size_t(piece.address) + size_t(i) * piece.stride];
      out[piece.first + i] = double(word) * scale;
    }
  }
}

static int32_t toWord(double value, int64_t lowest = INT32_MIN,
                      int64_t highest = INT32_MAX) {
  if (std::isnan(value))
    return 0;
  double rounded = std::nearbyint(value);
  if (rounded <= double(lowest))
    return int32_t(lowest);
  if (rounded >= double(highest))
    return int32_t(highest);
  return int32_t(rounded);
}

Status CrossbarEngine::write(const Vector &vector, std::span<const double> in,
                             const std::string &what) {
  if (in.size() != unitsOf(vector))
    return wrongCount(what, in.size(), unitsOf(vector));
  double scale = std::ldexp(1.0 / vector.scale, vector.frac);
  for (const Piece &piece : vector.pieces) {
    std::span<int32_t> memory = machine->memory(piece.tile);
    for (uint32_t i = 0; i < piece.count; ++i) {
      double value = in[piece.first + i];
      if (vector.bits) {
        int32_t &word = memory[piece.address + i / 32];
        uint32_t bit = uint32_t(1) << (i % 32);
        word =
            int32_t(value != 0 ? uint32_t(word) | bit : uint32_t(word) & ~bit);
      } else {
        memory[size_t(piece.address) + size_t(i) * piece.stride] =
            toWord(value * scale);
      }
    }
  }
  return Status::ok();
}

void CrossbarEngine::record(unsigned probe, RecordSink &sink) {
  read(program.probes[probe].vector, values);
  if (!infos[probe].isSpikes) {
    sink.values(probe, now, values);
    return;
  }
  fired.clear();
  for (size_t i = 0; i < values.size(); ++i)
    if (values[i] != 0)
      fired.push_back(uint32_t(i));
  sink.spikes(probe, now, fired);
}

/// Number of the stored value of each element of a piece; -1: none.
Status CrossbarEngine::indexOf(const WeightPiece &piece, size_t count,
                               std::vector<int64_t> &index) const {
  size_t elements = size_t(piece.bank.rows) * piece.bank.cols;
  index.resize(elements);
  if (!piece.indexed) {
    size_t at = 0;
    for (uint32_t r = 0; r < piece.bank.rows; ++r)
      for (uint32_t c = 0; c < piece.bank.cols; ++c)
        index[at++] =
            int64_t(piece.first) + r * piece.rowStep + c * piece.colStep;
    return Status::ok();
  }
  std::span<const uint8_t> data;
  if (Status status = member(piece.indices, 4, "an index list", data); !status)
    return status;
  std::vector<uint32_t> list = decodeWords<uint32_t>(data);
  for (size_t i = 0; i < elements; ++i) {
    if (list[i] != UINT32_MAX && list[i] >= count)
      return {Code::InputError,
              container->origin() + ": '" + piece.indices.member + "': index " +
                  std::to_string(list[i]) + " is not below the " +
                  std::to_string(count) + " values of the weight"};
    index[i] = list[i] == UINT32_MAX ? -1 : int64_t(list[i]);
  }
  return Status::ok();
}

/// Field of a packed format: word offset in its row, first bit, bits.
static void locate(WeightFormat format, uint32_t col, uint32_t &word,
                   unsigned &shift, unsigned &bits) {
  switch (format) {
  case WeightFormat::Halves:
    word = col / 2;
    shift = (col % 2) * 16;
    bits = 16;
    return;
  case WeightFormat::Bytes:
    word = col / 4;
    shift = (col % 4) * 8;
    bits = 8;
    return;
  case WeightFormat::High:
    word = col;
    shift = bits = 16;
    return;
  default:
    word = col;
    shift = 0;
    bits = 32;
    return;
  }
}

Status CrossbarEngine::readPiece(const WeightPiece &piece,
                                 std::vector<double> &out) {
  std::vector<int64_t> index;
  if (Status status = indexOf(piece, out.size(), index); !status)
    return status;
  std::vector<int32_t> raw(index.size());
  if (piece.format == WeightFormat::Array) {
    if (Status status = machine->readArray(piece.bank, raw); !status)
      return status;
  } else {
    std::span<const int32_t> memory = machine->memory(piece.bank.tile);
    size_t at = 0;
    for (uint32_t r = 0; r < piece.bank.rows; ++r)
      for (uint32_t c = 0; c < piece.bank.cols; ++c) {
        uint32_t word;
        unsigned shift, bits;
        locate(piece.format, c, word, shift, bits);
        uint32_t value =
            uint32_t(memory[piece.address + size_t(r) * piece.stride + word]);
        raw[at++] = int32_t(value << (32 - bits - shift)) >> (32 - bits);
      }
  }
  for (size_t i = 0; i < index.size(); ++i)
    if (index[i] >= 0)
      out[size_t(index[i])] =
          double(raw[i]) *
          piece.scales[piece.scales.size() == 1 ? 0 : i % piece.bank.cols];
  return Status::ok();
}

Status CrossbarEngine::writePiece(const WeightPiece &piece,
                                  std::span<const double> in) {
  std::vector<int64_t> index;
  if (Status status = indexOf(piece, in.size(), index); !status)
    return status;
  bool isArray = piece.format == WeightFormat::Array;
  int64_t lowest = piece.lowest, highest = piece.highest;
  std::vector<int32_t> raw;
  if (isArray) {
    if (Status status = machine->readArray(piece.bank, raw); !status)
      return status;
    int64_t limit = program.machine.maxWeight(piece.bank.slices);
    lowest = std::max(lowest, -limit);
    highest = std::min(highest, limit);
  }
  std::span<int32_t> memory = machine->memory(piece.bank.tile);
  for (size_t i = 0; i < index.size(); ++i) {
    if (index[i] < 0)
      continue;
    uint32_t row = uint32_t(i / piece.bank.cols);
    uint32_t col = uint32_t(i % piece.bank.cols);
    double scale = piece.scales[piece.scales.size() == 1 ? 0 : col];
    double target = in[size_t(index[i])] / scale;
    if (isArray) {
      if (std::fabs(target) > double(highest) + 0.5)
        return {Code::ModelError,
                "the value " + std::to_string(in[size_t(index[i])]) +
                    " of a weight does not fit its cells, which hold up to " +
                    std::to_string(double(highest) * scale) +
                    "; declare 'bounds' of the weight"};
      raw[i] = toWord(target, lowest, highest);
      continue;
    }
    uint32_t word;
    unsigned shift, bits;
    locate(piece.format, col, word, shift, bits);
    int64_t most = (int64_t(1) << (bits - 1)) - 1;
    int32_t value =
        toWord(target, std::max(lowest, -most - 1), std::min(highest, most));
    uint32_t mask = bits == 32 ? UINT32_MAX : ((1u << bits) - 1) << shift;
    int32_t &to = memory[piece.address + size_t(row) * piece.stride + word];
    to = int32_t((uint32_t(to) & ~mask) | ((uint32_t(value) << shift) & mask));
  }
  return isArray ? machine->loadArray(piece.bank, raw, /*setWindow=*/false)
                 : Status::ok();
}

Status CrossbarEngine::stats(Stats &stats) const {
  Counters c = machine->counters();
  const MachineConfig &m = program.machine;
  Counters atLoad = loaded;
  atLoad.tileCycles = 0;
  double loadEnergy = atLoad.energy(m);
  stats["cycles"] = double(c.cycles);
  stats["simulated_s"] = double(c.cycles) / (m.clockMHz * 1e6);
  stats["longest_tick_cycles"] = double(longestTick);
  stats["energy_j"] = c.energy(m) - loadEnergy;
  stats["load_energy_j"] = loadEnergy;
  for (unsigned i = 0; i < kComponents; ++i)
    stats["energy_j." + std::string(componentName(Component(i)))] =
        c.energy(Component(i), m) - atLoad.energy(Component(i), m);
  for (unsigned i = 0; i < kStalls; ++i)
    stats["stalls." + std::string(stallName(Stall(i)))] = double(c.stalls[i]);
  stats["instructions"] = double(c.instructions);
  stats["saturations"] = double(c.saturations);
  stats["adc_clips"] = double(c.adcClips);
  stats["level_clips"] = double(c.levelClips);
  stats["mvms"] = double(c.mvms);
  stats["phases"] = double(c.phases);
  stats["conversions"] = double(c.conversions);
  stats["programming_pulses"] = double(c.pulses - loaded.pulses);
  stats["programmed_cells"] =
      double(c.programmedCells - loaded.programmedCells);
  stats["messages"] = double(c.messages);
  stats["flit_hops"] = double(c.flitHops);
  stats["link_stalls"] = double(c.linkStalls);
  stats["host_words"] = double(c.hostWords);
  stats["spikes"] = 0;
  stats["synaptic_events"] = double(c.synapticEvents);
  for (const auto &[name, total] : counted)
    stats[name] = total;
  return Status::ok();
}

} // namespace

Status createCrossbarEngine(std::shared_ptr<const Container> program,
                            const EngineOptions &options,
                            std::unique_ptr<Engine> &engine) {
  auto result = std::make_unique<CrossbarEngine>(std::move(program), options);
  if (Status status = result->load(); !status)
    return status;
  engine = std::move(result);
  return Status::ok();
}

} // namespace neuroc::rt
