// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The host side of a run: carries out a program's experiment on an engine,
// collects what probes record and what readouts produce, and judges the
// expectations. Knows no target and no model.
#ifndef NEUROC_RT_SESSION_H
#define NEUROC_RT_SESSION_H

#include "neuroc/rt/Engine.h"
#include "neuroc/rt/Manifest.h"
#include "neuroc/rt/Npy.h"

#include <functional>
#include <optional>

namespace neuroc::rt {

/// What one probe recorded.
struct ProbeRecord {
  ProbeInfo info;
  std::vector<uint64_t> ticks; ///< spikes: of each spike; values: of each row
  std::vector<uint32_t> units; ///< spikes only, as `ticks`
  std::vector<double> values;  ///< values only, rows of one sample each
  uint64_t samples = 0;        ///< spikes, or rows of values
  bool onDisk = false;         ///< ticks, units and values are in files
  uint64_t size() const;       ///< number of units (of all lanes)
};

struct PhaseResult {
  std::string name;
  uint64_t firstTick = 0, lastTick = 0; ///< [first, last)
  double wallSeconds = 0;
};

/// Everything that a run leaves behind.
struct Results {
  std::string target;
  double dtMs = 1;
  uint64_t ticks = 0;
  double wallSeconds = 0;
  std::vector<ProbeRecord> probes;
  std::map<std::string, Array> tables;
  std::vector<PhaseResult> phases;
  std::vector<std::string> warnings;
  Stats stats;

  const ProbeRecord *findProbe(std::string_view name) const;
};

struct SessionOptions {
  /// Stimuli (by name or label) and datasets that replace the program's own.
  std::map<std::string, Array> inputs;
  /// As `inputs`, by the path of an .npy file; datasets are read from it row
  /// by row, so that it may be larger than the memory.
  std::map<std::string, std::string> inputFiles;
  /// Where recordings are written as they come, instead of being kept: of each
  /// probe <probe>.ticks.npy with <probe>.npy (values) or <probe>.units.npy
  /// (spikes). Metrics of probes are then not available.
  std::string recordFolder;
  /// For programs without an experiment: how long to run. Without it as many
  /// ticks as the longest input has rows, or one.
  std::optional<uint64_t> ticks;
  /// Most bytes of recorded values before the run is stopped with an error.
  uint64_t recordLimit = uint64_t(2) << 30;
  /// Called now and then with (ticks done, phase name).
  std::function<void(uint64_t, const std::string &)> progress;
};

class Session {
public:
  /// `engine` runs `program`; both outlive the session.
  /// Errors: InputError (manifest, datasets), UsageError (inputs).
  static Status create(const Container &program, Engine &engine,
                       const SessionOptions &options,
                       std::unique_ptr<Session> &session);
  virtual ~Session() = default;
  /// Resets the engine and runs the whole experiment.
  virtual Status run(Results &results) = 0;
  virtual const Manifest &manifest() const = 0;
  virtual const std::map<std::string, Array> &datasets() const = 0;
};

/// The outcome of one expectation.
struct Judgement {
  enum class Outcome { Passed, Failed, NotJudged } outcome = Outcome::NotJudged;
  std::string name;
  std::optional<double> value;
  std::optional<double> min, max;
  std::string why; ///< for NotJudged
};

/// Computes a metric. `reference` may be null. Errors: InputError (a table of
/// the wrong shape), ModelError (needs a reference and there is none).
Status computeMetric(const Metric &metric, const Results &results,
                     const std::map<std::string, Array> &datasets,
                     const Results *reference, double &value);

/// Judges all expectations of a protocol for the target of `results`.
std::vector<Judgement> judge(const Protocol &protocol, const Results &results,
                             const std::map<std::string, Array> &datasets,
                             const Results *reference);

/// A probe's name as a file name.
std::string fileNameOf(const std::string &probe);

// Population statistics of a spike probe over ticks [from, to).
double spikeCount(const ProbeRecord &record, uint64_t from, uint64_t to);
double meanRateHz(const ProbeRecord &record, double dtMs, uint64_t from,
                  uint64_t to);
/// Mean over units with at least three spikes of sd(interval) / mean(interval);
/// 0 when there is none.
double meanCvIsi(const ProbeRecord &record, uint64_t from, uint64_t to);
/// First tick at which the spikes of two records differ; `ticks` if none.
uint64_t firstDifferentTick(const ProbeRecord &a, const ProbeRecord &b,
                            uint64_t ticks);

} // namespace neuroc::rt
#endif // NEUROC_RT_SESSION_H
