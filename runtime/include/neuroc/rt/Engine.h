// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The interface between a compiled program that is running on some machine
// (the CPU, a simulator, the reference interpreter) and the host session that
// carries out the program's experiment. One implementation per target; nothing
// here names a model. All values cross it as f64; shapes are those of the IR,
// row-major. Calls are made by one thread. Names are the IR's symbol names.
#ifndef NEUROC_RT_ENGINE_H
#define NEUROC_RT_ENGINE_H

#include "neuroc/rt/Status.h"

#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace neuroc::rt {

class Container;

/// Where an engine delivers what probes, watches and outputs record. The
/// engine calls it in tick order; within a tick, in probe order.
class RecordSink {
public:
  virtual ~RecordSink() = default;
  /// Spikes of an i1 signal: the units (ascending) that fired at `tick`.
  virtual void spikes(unsigned probe, uint64_t tick,
                      std::span<const uint32_t> units) = 0;
  /// Values of a real signal or state, all units, at `tick`.
  virtual void values(unsigned probe, uint64_t tick,
                      std::span<const double> values) = 0;
};

/// A recorded item, in the order of the manifest's "probes" list.
struct ProbeInfo {
  std::string name;
  bool isSpikes = false;
  std::vector<int64_t> shape;
  unsigned every = 1; ///< sampled at ticks that are multiples of this
};

/// Rows that a stimulus takes one after the other: rows.size() is a multiple of
/// the stimulus' size, row-major.
struct StreamInput {
  std::string_view stimulus;
  std::span<const double> rows;
};

/// Counters of a run. Keys are stable and documented in docs/stats.md; a
/// target adds its own ("cycles", "overruns", "dropped_packets", "energy_j").
/// Counters every engine must fill: "spikes", "synaptic_events".
using Stats = std::map<std::string, double>;

class Engine {
public:
  virtual ~Engine() = default;

  /// Back to tick 0 with initial states and weights (the seed unchanged).
  virtual Status reset() = 0;
  /// Advances `ticks` ticks, recording to the sink (may be null).
  virtual Status step(uint64_t ticks, RecordSink *sink) = 0;
  /// Advances `rows` * `every` ticks. Row r of each input is set before tick
  /// r * every (counted from now), as by setStimulus; the last row stays set.
  /// Records to `sink` as step() does. Long streams come in several calls.
  virtual Status stream(std::span<const StreamInput> inputs, uint64_t rows,
                        uint64_t every, RecordSink *sink) {
    for (uint64_t row = 0; row < rows; ++row) {
      for (const StreamInput &input : inputs) {
        size_t size = input.rows.size() / size_t(rows);
        if (Status status = setStimulus(
                input.stimulus, input.rows.subspan(size_t(row) * size, size));
            !status)
          return status;
      }
      if (Status status = step(every, sink); !status)
        return status;
    }
    return Status::ok();
  }
  virtual uint64_t tick() const = 0;
  virtual const std::vector<ProbeInfo> &probes() const = 0;

  /// Sets a `neuro.stimulus` for all following ticks until set again.
  virtual Status setStimulus(std::string_view name,
                             std::span<const double> values) = 0;
  /// Reads the present value of probe number `probe` (its last value).
  virtual Status readProbe(unsigned probe, std::vector<double> &values) = 0;

  /// State `variable` of population `population`, one value per unit; or of
  /// the synapses of plastic `population`, in the order of readWeight. In a
  /// batch the values of units are [batch, units]; those of synapses exist once.
  /// A target that keeps no states of synapses refuses a plastic's name.
  virtual Status readState(std::string_view population,
                           std::string_view variable,
                           std::vector<double> &values) = 0;
  virtual Status writeState(std::string_view population,
                            std::string_view variable,
                            std::span<const double> values) = 0;
  /// Holds a state at `values` (one per unit; NaN leaves that unit free) at
  /// the end of every stage until released by an empty span.
  virtual Status clampState(std::string_view population,
                            std::string_view variable,
                            std::span<const double> values) = 0;

  /// A weight as stored values: dense row-major [post, pre]; one per synapse
  /// in (pre, post, draw) order for sparse layouts; kernel for convolutions.
  virtual Status readWeight(std::string_view weight,
                            std::vector<double> &values) = 0;
  virtual Status writeWeight(std::string_view weight,
                             std::span<const double> values) = 0;

  /// Switches a `neuro.plastic` on or off.
  virtual Status setPlasticEnabled(std::string_view plastic, bool enabled) = 0;
  /// Runs the `on_call` handler of a plastic's rule for every synapse, now.
  virtual Status callRule(std::string_view plastic) = 0;

  virtual Status stats(Stats &stats) const = 0;
};

struct EngineOptions {
  uint64_t seed = 0;    ///< 0: the program's own seed
  unsigned threads = 1; ///< a hint; results do not depend on it
  std::string traceFile; ///< empty: no trace
  std::map<std::string, std::string> config; ///< target-specific key=value
};

/// Creates the engine that the container's manifest names.
/// Errors: InputError (malformed program), DoesNotFit, UsageError (option).
Status createEngine(std::shared_ptr<const Container> program,
                    const EngineOptions &options,
                    std::unique_ptr<Engine> &engine);

} // namespace neuroc::rt
#endif // NEUROC_RT_ENGINE_H
