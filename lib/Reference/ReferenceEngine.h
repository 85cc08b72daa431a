// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The reference interpreter as an engine: the picture of a network (Network.h),
// the order in which its items run, and the session's access to it.
#ifndef NEUROC_LIB_REFERENCE_REFERENCEENGINE_H
#define NEUROC_LIB_REFERENCE_REFERENCEENGINE_H

#include "Network.h"

#include "neuroc/Neuro/Analysis/TickSchedule.h"
#include "neuroc/Reference/Reference.h"

#include <map>
#include <memory>

namespace neuroc::reference {

class ReferenceEngine final : public rt::Engine {
public:
  explicit ReferenceEngine(mlir::OwningOpRef<mlir::ModuleOp> core)
      : core(std::move(core)) {}

  mlir::LogicalResult build(uint64_t seed);

  rt::Status reset() override;
  rt::Status step(uint64_t ticks, rt::RecordSink *sink) override;
  uint64_t tick() const override { return now; }
  const std::vector<rt::ProbeInfo> &probes() const override {
    return probeInfos;
  }
  rt::Status setStimulus(std::string_view name,
                         std::span<const double> values) override;
  rt::Status readProbe(unsigned probe, Vector &values) override;
  rt::Status readState(std::string_view population, std::string_view variable,
                       Vector &values) override;
  rt::Status writeState(std::string_view population, std::string_view variable,
                        std::span<const double> values) override;
  rt::Status clampState(std::string_view population, std::string_view variable,
                        std::span<const double> values) override;
  rt::Status readWeight(std::string_view weight, Vector &values) override;
  rt::Status writeWeight(std::string_view weight,
                         std::span<const double> values) override;
  rt::Status setPlasticEnabled(std::string_view plastic, bool enabled) override;
  rt::Status callRule(std::string_view plastic) override;
  rt::Status stats(rt::Stats &stats) const override;

private:
  struct Stimulus {
    neuro::StimulusOp op;
    Signal *signal;
    Vector initial, values;
    bool isPulse, isFresh = false;
  };
  struct Recorder {
    Signal *signal = nullptr; ///< or
    Population *population = nullptr;
    std::string variable;
  };

  // Construction.
  mlir::LogicalResult buildWeight(neuro::WeightOp op);
  mlir::LogicalResult buildPopulation(neuro::PopulationOp op);
  mlir::LogicalResult buildProjection(neuro::ProjectOp op);
  mlir::LogicalResult buildPlastic(neuro::PlasticOp op);
  Signal *getSignal(mlir::Value value);
  void keep(Signal *signal, size_t delay) {
    signal->depth = std::max(signal->depth, delay + 1);
  }

  // One tick.
  mlir::LogicalResult runItem(const neuro::TickSchedule::Item &item);
  void runStage(Population &population, Stage &stage);
  void runProjection(Projection &projection);
  mlir::LogicalResult runTensorOp(mlir::Operation *op);
  mlir::LogicalResult runTensorOp(mlir::Operation *op, size_t lane);
  void record(rt::RecordSink *sink);

  Population *findPopulation(std::string_view name);
  rt::Status findState(std::string_view population, std::string_view variable,
                       Vector *&values, Population *&owner);
  rt::Status checkCount(size_t given, size_t expected, std::string_view what);
  /// Values for all lanes, from these or from those of one lane.
  rt::Status assign(std::span<const double> given, Vector &values,
                    std::string_view what);
  Plastic *findPlastic(std::string_view name);

  mlir::OwningOpRef<mlir::ModuleOp> core;
  neuro::NetworkOp network;
  uint64_t seed = 1, now = 0;
  double dt = 1;
  size_t lanes = 1; ///< of the batch
  std::vector<neuro::TickSchedule::Item> items;
  llvm::DenseMap<mlir::Value, std::unique_ptr<Signal>> signals;
  std::map<std::string, std::unique_ptr<Weight>> weights;
  std::map<std::string, std::unique_ptr<Population>> populations;
  std::map<mlir::Operation *, Projection> projections;
  std::vector<std::unique_ptr<Plastic>> plastics;
  std::map<std::string, Stimulus> stimuli;
  std::vector<rt::ProbeInfo> probeInfos;
  std::vector<Recorder> recorders;
  std::map<mlir::Operation *, std::map<uint64_t, std::vector<uint32_t>>>
      spikeArrays;
  double spikeCount = 0, eventCount = 0;
};

} // namespace neuroc::reference

#endif // NEUROC_LIB_REFERENCE_REFERENCEENGINE_H
