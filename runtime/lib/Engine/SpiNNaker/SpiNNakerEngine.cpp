// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Runs a SpiNNaker program on the machine simulator. The host's part is what it
// would be on a board: load memories and tables, let all cores run to a common
// tick, read the recordings while they are paused, write stimuli and weights,
// go on. Values are converted between f64 and the program's formats here.
#include "Program.h"

#include "neuroc/rt/Engines.h"
#include "neuroc/rt/spinn/CoreAbi.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstring>

using namespace neuroc::rt;
using namespace neuroc::rt::spinn;

namespace {

constexpr Picoseconds kCyclePs = 5000;

constexpr uint32_t controlAt(size_t offset) {
  return NEUROC_SPINN_CONTROL_ADDRESS + static_cast<uint32_t>(offset);
}

uint32_t toWord(double value, int frac) {
  if (std::isnan(value))
    return 0;
  double scaled = std::nearbyint(std::ldexp(value, frac));
  scaled = std::clamp(scaled, -2147483648.0, 2147483647.0);
  return static_cast<uint32_t>(static_cast<int32_t>(scaled));
}
double fromWord(uint32_t word, int frac) {
  return std::ldexp(static_cast<double>(static_cast<int32_t>(word)), -frac);
}

class SpiNNakerEngine : public Engine {
public:
  Status load(std::shared_ptr<const Container> container) {
    this->container = std::move(container);
    if (Status status = readProgram(*this->container, program); !status)
      return status;
    for (const ProgramProbe &probe : program.probes)
      infos.push_back({probe.name, probe.isSpikes, probe.shape, probe.every});
    return reset();
  }

  Status reset() override;
  Status step(uint64_t ticks, RecordSink *sink) override;
  uint64_t tick() const override { return now; }
  const std::vector<ProbeInfo> &probes() const override { return infos; }
  Status setStimulus(std::string_view name,
                     std::span<const double> values) override;
  Status readProbe(unsigned probe, std::vector<double> &values) override;
  Status readState(std::string_view population, std::string_view variable,
                   std::vector<double> &values) override;
  Status writeState(std::string_view population, std::string_view variable,
                    std::span<const double> values) override;
  Status clampState(std::string_view population, std::string_view variable,
                    std::span<const double> values) override;
  Status readWeight(std::string_view weight,
                    std::vector<double> &values) override;
  Status writeWeight(std::string_view weight,
                     std::span<const double> values) override;
  Status setPlasticEnabled(std::string_view plastic, bool enabled) override;
  Status callRule(std::string_view plastic) override;
  Status stats(Stats &stats) const override;

private:
  CoreId id(size_t core) const { return program.cores[core].id; }
  Status resume(uint32_t until, bool callsOnly);
  Status deliver(uint64_t first, uint64_t count, RecordSink *sink);
  void account();
  Status findState(std::string_view population, std::string_view variable,
                   const ProgramState *&state) const;
  std::string synapseKey(std::string_view plastic,
                         std::string_view variable) const;
  Status findPlastic(std::string_view name, unsigned &number) const;
  Status checkCount(std::string_view what, size_t expected,
                    size_t given) const;

  std::shared_ptr<const Container> container;
  Program program;
  std::vector<ProbeInfo> infos;
  std::unique_ptr<Machine> machine;
  uint64_t now = 0;
  /// Last sample of each spike probe, as 0 and 1.
  std::vector<std::vector<double>> lastSpikes;
  // Sums of 32-bit counters of the cores, which wrap.
  std::vector<uint32_t> seenEvents, seenSpikes;
  uint64_t events = 0, spikes = 0;
};

Status SpiNNakerEngine::reset() {
  machine.reset();
  if (Status s = Machine::create(program.machine, machine); !s)
    return s;
  std::map<std::string, ElfImage> images;
  for (const ProgramCore &core : program.cores) {
    auto [it, isNew] = images.try_emplace(core.image);
    if (isNew)
      if (Status s = parseElf(container->bytes(core.image), it->second); !s)
        return s;
    if (Status s = machine->loadImage(core.id, it->second); !s)
      return s;
    std::span<const uint8_t> data = container->bytes(core.data);
    while (!data.empty()) {
      uint32_t header[2];
      if (data.size() < sizeof header)
        return {Code::InputError, "member '" + core.data + "' is cut off"};
      std::memcpy(header, data.data(), sizeof header);
      data = data.subspan(sizeof header);
      if (header[1] > data.size() / 4)
        return {Code::InputError, "member '" + core.data + "' is cut off"};
      if (Status s = machine->write(core.id, header[0],
                                    data.first(size_t(header[1]) * 4));
          !s)
        return s;
      data = data.subspan(size_t(header[1]) * 4);
    }
  }
  for (const auto &[chip, entries] : program.tables)
    for (const RoutingEntry &entry : entries)
      if (Status s = machine->addRoute(chip, entry); !s)
        return s;
  for (const ProgramCore &core : program.cores)
    if (Status s = machine->start(core.id, images[core.image].entry); !s)
      return s;
  now = 0;
  events = spikes = 0;
  seenEvents.assign(program.cores.size(), 0);
  seenSpikes.assign(program.cores.size(), 0);
  lastSpikes.assign(program.probes.size(), {});
  for (size_t i = 0; i < program.probes.size(); ++i)
    lastSpikes[i].assign(program.probes[i].units, 0.0);
  // The kernels initialise themselves and pause.
  RunLimit limit;
  limit.until = machine->now() + 10'000'000'000ull;
  for (const ProgramCore &core : program.cores)
    limit.words.push_back({core.id,
                           controlAt(offsetof(neuroc_spinn_control, status)),
                           0xffffffffu, NEUROC_SPINN_PAUSED});
  StopReason reason;
  if (Status s = machine->run(limit, reason); !s)
    return s;
  if (reason != StopReason::Words && !program.cores.empty())
    return {Code::Internal, "the cores did not start"};
  return Status::ok();
}

/// Lets all cores run until tick `until` (with `callsOnly`, until their calls
/// are done).
Status SpiNNakerEngine::resume(uint32_t until, bool callsOnly) {
  RunLimit limit;
  double ticks = static_cast<double>(until - static_cast<uint32_t>(now)) + 2.0;
  double cycles = 4.0 * ticks * program.subticks * program.period + 4e9;
  cycles = std::min(cycles, 1e15); // picoseconds have 64 bits
  limit.until = machine->now() +
                static_cast<Picoseconds>(cycles) * kCyclePs;
  for (const ProgramCore &core : program.cores) {
    if (Status s = machine->writeWord(
            core.id, controlAt(offsetof(neuroc_spinn_control, run_until)),
            until);
        !s)
      return s;
    limit.words.push_back({core.id,
                           controlAt(offsetof(neuroc_spinn_control, status)),
                           0xffffffffu, NEUROC_SPINN_PAUSED});
    limit.words.push_back({core.id,
                           controlAt(offsetof(neuroc_spinn_control, tick)),
                           0xffffffffu, until});
    if (callsOnly)
      limit.words.push_back(
          {core.id, controlAt(offsetof(neuroc_spinn_control, call_mask)),
           0xffffffffu, 0});
    if (Status s = machine->interrupt(core.id); !s)
      return s;
  }
  StopReason reason;
  if (Status s = machine->run(limit, reason); !s)
    return s;
  if (reason == StopReason::Words || program.cores.empty())
    return Status::ok();
  for (const ProgramCore &core : program.cores) {
    uint32_t status = 0, at = 0, fault = 0;
    (void)machine->readWord(
        core.id, controlAt(offsetof(neuroc_spinn_control, status)), status);
    (void)machine->readWord(
        core.id, controlAt(offsetof(neuroc_spinn_control, tick)), at);
    (void)machine->readWord(
        core.id, controlAt(offsetof(neuroc_spinn_control, fault)), fault);
    if (status == NEUROC_SPINN_PAUSED && at == until)
      continue;
    return {Code::Internal,
            "core '" + core.name + "' did not reach tick " +
                std::to_string(until) + ": status " + std::to_string(status) +
                " at tick " + std::to_string(at) + ", fault " +
                std::to_string(fault)};
  }
  return {Code::Internal, "the cores did not pause"};
}

void SpiNNakerEngine::account() {
  for (size_t i = 0; i < program.cores.size(); ++i) {
    uint32_t word = 0;
    (void)machine->readWord(
        id(i),
        controlAt(offsetof(neuroc_spinn_control, counters) +
                  offsetof(neuroc_spinn_counters, synaptic_events)),
        word);
    events += word - seenEvents[i];
    seenEvents[i] = word;
    if (!program.cores[i].spikesMade || !program.cores[i].isPopulation)
      continue;
    (void)machine->readWord(id(i), program.cores[i].spikesMade, word);
    spikes += word - seenSpikes[i];
    seenSpikes[i] = word;
  }
}

Status SpiNNakerEngine::deliver(uint64_t first, uint64_t count,
                                RecordSink *sink) {
  std::vector<uint32_t> units;
  std::vector<double> values;
  std::vector<uint64_t> samples(program.probes.size(), 0);
  for (uint64_t at = first; at < first + count; ++at)
    for (unsigned p = 0; p < program.probes.size(); ++p) {
      const ProgramProbe &probe = program.probes[p];
      if (at % probe.every != 0)
        continue;
      uint64_t sample = samples[p]++;
      units.clear();
      values.assign(probe.units, 0.0);
      for (const ProgramProbe::Record &record : probe.records) {
        const uint8_t *bytes = machine->memory(
            id(record.core),
            record.base + static_cast<uint32_t>(sample) * record.words * 4,
            record.words * 4);
        if (!bytes || sample >= record.capacity)
          return {Code::Internal, "a recording left its buffer"};
        for (uint64_t i = 0; i < record.count; ++i) {
          uint32_t word;
          size_t index = probe.isSpikes ? i / 32 : i;
          std::memcpy(&word, bytes + index * 4, 4);
          if (!probe.isSpikes)
            values[record.first + i] = fromWord(word, probe.frac);
          else if (word >> (i % 32) & 1)
            units.push_back(static_cast<uint32_t>(record.first + i));
        }
      }
      if (probe.isSpikes) {
        std::sort(units.begin(), units.end());
        std::fill(lastSpikes[p].begin(), lastSpikes[p].end(), 0.0);
        for (uint32_t unit : units)
          lastSpikes[p][unit] = 1.0;
        if (sink)
          sink->spikes(p, at, units);
      } else if (sink) {
        sink->values(p, at, values);
      }
    }
  return Status::ok();
}

Status SpiNNakerEngine::step(uint64_t ticks, RecordSink *sink) {
  while (ticks > 0) {
    uint64_t chunk = std::min<uint64_t>(ticks, 1 << 20);
    for (const ProgramProbe &probe : program.probes)
      for (const ProgramProbe::Record &record : probe.records) {
        // A chunk may hold one sample more than chunk / every.
        uint64_t most = record.capacity == 1
                            ? 1
                            : uint64_t(record.capacity - 1) * probe.every;
        chunk = std::min(chunk, most);
        if (Status s = machine->writeWord(
                id(record.core),
                record.descriptor +
                    static_cast<uint32_t>(offsetof(neuroc_spinn_record, count)),
                0);
            !s)
          return s;
      }
    if (now + chunk > UINT32_MAX)
      return {Code::UsageError, "a run is limited to 2^32 ticks"};
    if (Status s = resume(static_cast<uint32_t>(now + chunk), false); !s)
      return s;
    if (Status s = deliver(now, chunk, sink); !s)
      return s;
    account();
    now += chunk;
    ticks -= chunk;
  }
  return Status::ok();
}

Status SpiNNakerEngine::checkCount(std::string_view what, size_t expected,
                                   size_t given) const {
  if (expected == given)
    return Status::ok();
  return {Code::UsageError, "'" + std::string(what) + "' has " +
                                std::to_string(expected) + " values, got " +
                                std::to_string(given)};
}

Status SpiNNakerEngine::setStimulus(std::string_view name,
                                    std::span<const double> values) {
  for (const ProgramStimulus &stimulus : program.stimuli) {
    if (stimulus.name != name)
      continue;
    if (Status s = checkCount(name, stimulus.units, values.size()); !s)
      return s;
    for (const Piece &piece : stimulus.pieces)
      for (uint64_t i = 0; i < piece.count && piece.address; ++i) {
        double value = values[piece.first + i];
        uint32_t word = stimulus.isSpikes ? value != 0.0
                                          : toWord(value, stimulus.frac);
        if (Status s = machine->writeWord(
                id(piece.core), piece.address + 4 * static_cast<uint32_t>(i),
                word);
            !s)
          return s;
      }
    return Status::ok();
  }
  return {Code::UsageError, "no stimulus '" + std::string(name) + "'"};
}

Status SpiNNakerEngine::readProbe(unsigned number,
                                  std::vector<double> &values) {
  if (number >= program.probes.size())
    return {Code::UsageError, "no probe number " + std::to_string(number)};
  const ProgramProbe &probe = program.probes[number];
  if (probe.isSpikes) {
    values = lastSpikes[number];
    return Status::ok();
  }
  values.assign(probe.units, 0.0);
  for (const ProgramProbe::Record &record : probe.records)
    for (uint64_t i = 0; i < record.count && record.address; ++i) {
      uint32_t word;
      if (Status s = machine->readWord(
              id(record.core), record.address + 4 * static_cast<uint32_t>(i),
              word);
          !s)
        return s;
      values[record.first + i] = fromWord(word, probe.frac);
    }
  return Status::ok();
}

Status SpiNNakerEngine::findState(std::string_view population,
                                  std::string_view variable,
                                  const ProgramState *&state) const {
  for (const ProgramState &entry : program.states)
    if (entry.population == population && entry.name == variable) {
      state = &entry;
      return Status::ok();
    }
  return {Code::UsageError, "no state '" + std::string(variable) +
                                "' of a population '" +
                                std::string(population) + "'"};
}

/// The entry among the weights that keeps a state of a plastic's synapses;
/// empty: there is none.
std::string SpiNNakerEngine::synapseKey(std::string_view plastic,
                                        std::string_view variable) const {
  std::string key = std::string(plastic) + "/" + std::string(variable);
  for (const ProgramWeight &weight : program.weights)
    if (weight.name == key)
      return key;
  return {};
}

Status SpiNNakerEngine::readState(std::string_view population,
                                  std::string_view variable,
                                  std::vector<double> &values) {
  if (std::string key = synapseKey(population, variable); !key.empty())
    return readWeight(key, values);
  const ProgramState *state = nullptr;
  if (Status s = findState(population, variable, state); !s)
    return s;
  values.assign(state->units, 0.0);
  for (const auto &piece : state->pieces)
    for (uint64_t i = 0; i < piece.count && piece.address; ++i) {
      uint32_t word;
      if (Status s = machine->readWord(
              id(piece.core), piece.address + 4 * static_cast<uint32_t>(i),
              word);
          !s)
        return s;
      values[piece.first + i] = fromWord(word, state->frac);
    }
  return Status::ok();
}

Status SpiNNakerEngine::writeState(std::string_view population,
                                   std::string_view variable,
                                   std::span<const double> values) {
  if (std::string key = synapseKey(population, variable); !key.empty())
    return writeWeight(key, values);
  const ProgramState *state = nullptr;
  if (Status s = findState(population, variable, state); !s)
    return s;
  if (Status s = checkCount(variable, state->units, values.size()); !s)
    return s;
  for (const auto &piece : state->pieces)
    for (uint64_t i = 0; i < piece.count && piece.address; ++i)
      if (Status s = machine->writeWord(
              id(piece.core), piece.address + 4 * static_cast<uint32_t>(i),
              toWord(values[piece.first + i], state->frac));
          !s)
        return s;
  return Status::ok();
}

Status SpiNNakerEngine::clampState(std::string_view population,
                                   std::string_view variable,
                                   std::span<const double> values) {
  const ProgramState *state = nullptr;
  if (Status s = findState(population, variable, state); !s)
    return s;
  if (!values.empty())
    if (Status s = checkCount(variable, state->units, values.size()); !s)
      return s;
  for (const auto &piece : state->pieces) {
    if (!piece.clampOn || !piece.clampAt)
      return {Code::UsageError,
              "state '" + std::string(variable) + "' of '" +
                  std::string(population) +
                  "' was not compiled to be clamped: no clamp step of the "
                  "program's experiment names it"};
    for (uint64_t i = 0; i < piece.count; ++i) {
      uint32_t offset = 4 * static_cast<uint32_t>(i);
      double value = values.empty() ? NAN : values[piece.first + i];
      bool held = !std::isnan(value);
      if (Status s = machine->writeWord(id(piece.core), piece.clampOn + offset,
                                        held);
          !s)
        return s;
      if (!held)
        continue;
      uint32_t word = toWord(value, state->frac);
      if (Status s = machine->writeWord(id(piece.core), piece.clampAt + offset,
                                        word);
          !s)
        return s;
      if (!piece.address)
        continue;
      if (Status s = machine->writeWord(id(piece.core), piece.address + offset,
                                        word);
          !s)
        return s;
    }
  }
  return Status::ok();
}

Status SpiNNakerEngine::readWeight(std::string_view name,
                                   std::vector<double> &values) {
  for (const ProgramWeight &weight : program.weights) {
    if (weight.name != name)
      continue;
    values.assign(weight.count, 0.0);
    for (const auto &matrix : weight.matrices)
      for (uint64_t u = 0; u < matrix.count && matrix.address; ++u)
        for (uint64_t c = 0; c < matrix.columns; ++c) {
          uint32_t word;
          uint64_t at = u * matrix.columns + c;
          if (Status s = machine->readWord(
                  id(matrix.core),
                  matrix.address + 4 * static_cast<uint32_t>(at), word);
              !s)
            return s;
          uint64_t own = matrix.first + u;
          uint64_t index = matrix.isTransposed ? c * weight.pre + own
                                               : own * weight.pre + c;
          if (index < values.size())
            values[index] = fromWord(word, matrix.frac);
        }
    for (const auto &list : weight.lists)
      for (auto &[value, address] : list.entries) {
        uint32_t word;
        if (Status s = machine->readWord(id(list.core), address, word); !s)
          return s;
        if (list.isHalf)
          word = static_cast<uint32_t>(static_cast<int32_t>(word) >> 16);
        values[value] = fromWord(word, list.frac);
      }
    return Status::ok();
  }
  return {Code::UsageError, "no weight '" + std::string(name) + "'"};
}

Status SpiNNakerEngine::writeWeight(std::string_view name,
                                    std::span<const double> values) {
  for (const ProgramWeight &weight : program.weights) {
    if (weight.name != name)
      continue;
    if (Status s = checkCount(name, weight.count, values.size()); !s)
      return s;
    for (const auto &matrix : weight.matrices)
      for (uint64_t u = 0; u < matrix.count && matrix.address; ++u)
        for (uint64_t c = 0; c < matrix.columns; ++c) {
          uint64_t own = matrix.first + u, at = u * matrix.columns + c;
          uint64_t index = matrix.isTransposed ? c * weight.pre + own
                                               : own * weight.pre + c;
          if (index >= values.size())
            continue;
          if (Status s = machine->writeWord(
                  id(matrix.core),
                  matrix.address + 4 * static_cast<uint32_t>(at),
                  toWord(values[index], matrix.frac));
              !s)
            return s;
        }
    for (const auto &list : weight.lists)
      for (auto &[value, address] : list.entries) {
        uint32_t word = toWord(values[value], list.frac);
        if (list.isHalf) {
          uint32_t old;
          if (Status s = machine->readWord(id(list.core), address, old); !s)
            return s;
          int32_t half =
              std::clamp(static_cast<int32_t>(word), -32768, 32767);
          word = static_cast<uint32_t>(half) << 16 | (old & 0xffff);
        }
        if (Status s = machine->writeWord(id(list.core), address, word); !s)
          return s;
      }
    return Status::ok();
  }
  return {Code::UsageError, "no weight '" + std::string(name) + "'"};
}

Status SpiNNakerEngine::findPlastic(std::string_view name,
                                    unsigned &number) const {
  for (const ProgramPlastic &plastic : program.plastics)
    if (plastic.name == name) {
      number = plastic.number;
      return Status::ok();
    }
  return {Code::UsageError, "no plastic '" + std::string(name) + "'"};
}

Status SpiNNakerEngine::setPlasticEnabled(std::string_view plastic,
                                          bool enabled) {
  unsigned number = 0;
  if (Status s = findPlastic(plastic, number); !s)
    return s;
  uint32_t at = controlAt(offsetof(neuroc_spinn_control, plastic_mask));
  for (const ProgramCore &core : program.cores) {
    uint32_t mask;
    if (Status s = machine->readWord(core.id, at, mask); !s)
      return s;
    mask = enabled ? mask | 1u << number : mask & ~(1u << number);
    if (Status s = machine->writeWord(core.id, at, mask); !s)
      return s;
  }
  return Status::ok();
}

Status SpiNNakerEngine::callRule(std::string_view plastic) {
  unsigned number = 0;
  if (Status s = findPlastic(plastic, number); !s)
    return s;
  for (const ProgramCore &core : program.cores)
    if (Status s = machine->writeWord(
            core.id, controlAt(offsetof(neuroc_spinn_control, call_mask)),
            1u << number);
        !s)
      return s;
  return resume(static_cast<uint32_t>(now), true);
}

Status SpiNNakerEngine::stats(Stats &stats) const {
  double instructions = 0, busyPeak = 0, budget = program.dtMs * 200000.0;
  double over = 0;
  std::map<std::string, double> sums;
  std::vector<ChipId> chips;
  for (const ProgramCore &core : program.cores) {
    neuroc_spinn_counters counters;
    std::span<uint8_t> bytes(reinterpret_cast<uint8_t *>(&counters),
                             sizeof counters);
    if (Status s = machine->read(
            core.id, controlAt(offsetof(neuroc_spinn_control, counters)),
            bytes);
        !s)
      return s;
    CoreCounters hardware;
    if (Status s = machine->counters(core.id, hardware); !s)
      return s;
    instructions += static_cast<double>(hardware.instructions);
    sums["overruns"] += counters.overruns;
    sums["late_spikes"] += counters.packets_late;
    sums["lost_packets"] += counters.packets_lost;
    sums["unmatched_packets"] += counters.packets_unmatched;
    sums["saturations"] += counters.saturations;
    sums["spike_packets"] += counters.spikes_sent;
    sums["value_packets"] += counters.values_sent;
    sums["rows"] += counters.rows;
    sums["dma_transfers"] += counters.dma_transfers;
    double peak = counters.busy_peak;
    busyPeak = std::max(busyPeak, peak);
    over += peak > budget;
    stats["core." + core.name + ".busy_peak_cycles"] = peak;
    if (counters.overruns)
      stats["core." + core.name + ".overruns"] = counters.overruns;
    if (counters.saturations)
      stats["core." + core.name + ".saturations"] = counters.saturations;
    if (std::find(chips.begin(), chips.end(), core.id.chip) == chips.end())
      chips.push_back(core.id.chip);
  }
  double dropped = sums["lost_packets"];
  for (ChipId chip : machine->chips()) {
    RouterCounters router;
    if (Status s = machine->routerCounters(chip, router); !s)
      return s;
    dropped += static_cast<double>(router.dropped);
    sums["routed_packets"] += static_cast<double>(router.routed);
  }
  for (auto &[name, value] : sums)
    stats[name] = value;
  stats["spikes"] = static_cast<double>(spikes);
  stats["synaptic_events"] = static_cast<double>(events);
  stats["dropped_packets"] = dropped;
  stats["cycles"] = static_cast<double>(machine->now() / kCyclePs);
  stats["machine_s"] = static_cast<double>(machine->now()) * 1e-12;
  stats["instructions"] = instructions;
  stats["energy_j"] = machine->energy().total();
  stats["cores"] = static_cast<double>(program.cores.size());
  stats["chips"] = static_cast<double>(chips.size());
  stats["slowdown"] = program.slowdown;
  stats["busy_peak_cycles"] = busyPeak;
  stats["tick_budget_cycles"] = budget;
  stats["cores_over_budget"] = over;
  return Status::ok();
}

} // namespace

Status neuroc::rt::createSpiNNakerEngine(
    std::shared_ptr<const Container> program, const EngineOptions &options,
    std::unique_ptr<Engine> &engine) {
  auto created = std::make_unique<SpiNNakerEngine>();
  if (Status status = created->load(std::move(program)); !status)
    return status;
  engine = std::move(created);
  return Status::ok();
}
