// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The state of a run, shared by the files that carry out its steps.
#ifndef NEUROC_RUNTIME_LIB_SESSION_SESSIONIMPL_H
#define NEUROC_RUNTIME_LIB_SESSION_SESSIONIMPL_H

#include "Recorder.h"

#include "neuroc/rt/Session.h"

#include <chrono>

namespace neuroc::rt {

using Clock = std::chrono::steady_clock;

inline double secondsSince(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

struct Snapshot {
  std::map<std::pair<std::string, std::string>, std::vector<double>> states;
  std::map<std::string, std::vector<double>> weights;
};

class SessionImpl : public Session {
public:
  SessionImpl(Engine &engine, const SessionOptions &options)
      : engine(engine), options(options) {}
  Status setUp(const Container &program);
  Status run(Results &results) override;
  const Manifest &manifest() const override { return theManifest; }
  const std::map<std::string, Array> &datasets() const override {
    return theDatasets;
  }

private:
  using Rows = std::vector<int64_t>;

  Status loadDatasets(const Container &program);
  Status takeInputs();
  Status takeFiles();
  Status runSteps(const std::vector<ProtocolStep> &steps);
  Status runStep(const ProtocolStep &step);
  Status dispatch(const ProtocolStep &step);
  Status runDefault();
  Status advance(uint64_t ticks);
  Status afterTicks();
  Status settle(const ProtocolStep &step);
  Status repeat(const ProtocolStep &step);
  Status forEach(const ProtocolStep &step);
  Status phase(const ProtocolStep &step);
  Status snapshot(const ProtocolStep &step);
  Status restore(const ProtocolStep &step);
  Status readout(const ProtocolStep &step);
  Status reduce(const ProtocolStep &step, bool close, Array &row);
  /// Makes `values` fit `size`; one value or one sample is spread.
  Status fit(uint64_t size, bool inLanes, const std::string &what,
             const std::string &from, std::vector<double> &values) const;
  Status fetch(const DataRef &data, uint64_t size, bool inLanes,
               const std::string &what, std::vector<double> &values);
  Status evaluate(const Index &index, Rows &rows) const;
  Status append(const std::string &table, std::span<const double> row);

  // Datasets, in memory or in files.
  int64_t rowsOf(const std::string &dataset) const;
  std::vector<int64_t> shapeOf(const std::string &dataset) const;
  Status readRows(const std::string &dataset, std::span<const int64_t> rows,
                  std::vector<double> &values) const;

  // HostSteps.cpp
  Status stream(const ProtocolStep &step);
  Status readHost(const ProtocolStep &step);
  Status calc(const ProtocolStep &step);
  Status storeHost(const ProtocolStep &step);
  Status branch(const ProtocolStep &step);
  Status loopWhile(const ProtocolStep &step);
  bool isTrue(const Array &array) const;
  Status readState(const std::string &owner, const std::string &state,
                   std::vector<double> &values);
  Status writeState(const std::string &owner, const std::string &state,
                    std::span<const double> values);
  std::vector<int64_t> stateShape(const std::string &owner, size_t size) const;
  std::vector<int64_t> weightShape(const std::string &weight,
                                   size_t size) const;
  void warn(std::string message);

  Engine &engine;
  SessionOptions options;
  Manifest theManifest;
  std::map<std::string, Array> theDatasets;
  std::map<std::string, std::unique_ptr<NpyFile>> datasetFiles;
  std::map<std::string, Array> stimulusInputs; ///< by symbol name

  // Of one run.
  Results *results = nullptr;
  std::unique_ptr<Recorder> recorder;
  std::map<std::string, Rows> loopRows; ///< of loops; several in a batch
  std::map<std::string, std::shared_ptr<const Array>> variables;
  std::vector<std::shared_ptr<const Array>> registers;
  std::map<const ProtocolStep *, uint64_t> loopRuns; ///< of shuffled loops
  std::map<std::string, Snapshot> snapshots;
  std::string phaseName;
};

} // namespace neuroc::rt
#endif // NEUROC_RUNTIME_LIB_SESSION_SESSIONIMPL_H
