// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The engine that runs a CPU program.
#ifndef NEUROC_LIB_ENGINE_CPU_CPUENGINE_H
#define NEUROC_LIB_ENGINE_CPU_CPUENGINE_H

#include "neuroc/rt/Engines.h"

#include "Loader.h"
#include "Plan.h"

#if defined(__SSE2__)
#include <immintrin.h>
#endif

namespace neuroc::rt::cpu {

/// Denormal f32 numbers (decaying currents) count as zero while it lives: they
/// cost a hundred times as much as others and mean nothing at that precision.
class FlushDenormals {
public:
#if defined(__SSE2__)
  explicit FlushDenormals(bool active) : saved(_mm_getcsr()) {
    if (active)
      _mm_setcsr(saved | 0x8040); // flush to zero, denormals are zero
  }
  ~FlushDenormals() { _mm_setcsr(saved); }

private:
  unsigned saved;
#else
  explicit FlushDenormals(bool) {}
#endif
};

class CpuEngine final : public Engine {
public:
  explicit CpuEngine(std::shared_ptr<const Container> container)
      : container(std::move(container)) {}

  Status create(const EngineOptions &options);

  Status reset() override;
  Status step(uint64_t ticks, RecordSink *sink) override;
  Status stream(std::span<const StreamInput> inputs, uint64_t rows,
                uint64_t every, RecordSink *sink) override;
  uint64_t tick() const override { return now; }
  const std::vector<ProbeInfo> &probes() const override { return probeInfos; }
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
  using Units = std::vector<uint32_t>;
  struct Clamp {
    uint32_t population, buffer;
    std::vector<double> values;
  };

  double get(uint32_t buffer, uint64_t index) const;
  void put(uint32_t buffer, uint64_t index, double value);
  void read(uint32_t buffer, uint64_t first, uint64_t count,
            std::vector<double> &values) const;
  /// The same for units of all lanes: from places to [lane, unit].
  void readUnits(uint32_t buffer, uint64_t first, uint64_t count,
                 std::vector<double> &values) const;
  /// Number l * units + u of a unit, of `count` in all lanes, has this place.
  uint64_t place(uint64_t number, uint64_t count) const {
    uint64_t units = count / plan.batch;
    return plan.batch == 1 ? number
                           : number % units * plan.batch + number / units;
  }

  uint64_t slot(const SignalPlan &signal, uint64_t delay) const {
    return (now + signal.depth - delay) % signal.depth;
  }
  const Units &spikesAt(uint32_t signal, uint64_t delay) const {
    return spikeLists[signal][slot(plan.signals[signal], delay)];
  }
  void runSources();
  void runItem(const ItemPlan &item);
  void silence(uint32_t signal);
  void listSpikes(uint32_t signal);
  uint64_t prepareEvents(const EventsPlan &events, Units &rows);
  void runPlastic(size_t number);
  void runTick(RecordSink *sink);
  // Run.cpp: many ticks in one call.
  bool canRun() const;
  void run(std::span<const StreamInput *const> inputs, uint64_t rows,
           uint64_t every, RecordSink *sink);
  void layRows(uint32_t buffer, uint64_t units, std::span<const double> rows,
               uint64_t count);
  void deliver(uint64_t ticks, RecordSink &sink);
  void call(uint32_t function) {
    if (neuroc_cpu_function f = program.function(function))
      f(int64_t(now));
  }
  void applyClamps(uint32_t population);
  void record(RecordSink &sink);
  Status findState(std::string_view population, std::string_view variable,
                   uint32_t &number, uint32_t &buffer) const;
  bool findSynapseState(std::string_view plastic, std::string_view variable,
                        const WeightPlan *&weight, uint32_t &buffer) const;
  const WeightPlan *findWeight(std::string_view name) const;
  bool exists(const WeightPlan &weight, uint64_t place) const {
    return weight.exists == kNone || get(weight.exists, place) != 0;
  }
  void readSynapses(const WeightPlan &weight, uint32_t buffer,
                    std::vector<double> &result) const;
  void writeSynapses(const WeightPlan &weight, uint32_t buffer,
                     std::span<const double> given);
  static Status checkCount(size_t given, size_t expected,
                           std::string_view what);
  /// Values of units of all lanes, or of one for all.
  Status checkUnits(size_t given, size_t expected,
                    std::string_view what) const {
    return given * plan.batch == expected ? Status::ok()
                                          : checkCount(given, expected, what);
  }

  std::shared_ptr<const Container> container;
  Plan plan;
  LoadedProgram program;
  uint64_t seed = 1, now = 0;
  std::vector<ProbeInfo> probeInfos;
  /// For each signal of spikes, who fired: one list per slot of its ring.
  std::vector<std::vector<Units>> spikeLists;
  std::vector<bool> stimulusIsFresh;
  std::vector<uint64_t> arrayPosition; ///< next event of each spike array
  std::vector<bool> enabled;
  std::vector<bool> isWritten; ///< by weight: written by the host, not confined
  std::vector<Clamp> clamps;
  Units scratch;
  std::vector<double> values;
  double spikeCount = 0, eventCount = 0;
  bool flushes = false;
};

} // namespace neuroc::rt::cpu
#endif // NEUROC_LIB_ENGINE_CPU_CPUENGINE_H
