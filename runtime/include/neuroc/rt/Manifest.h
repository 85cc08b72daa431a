// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The part of a program's manifest that all targets share, checked and typed.
// docs/container.md describes the JSON.
#ifndef NEUROC_RT_MANIFEST_H
#define NEUROC_RT_MANIFEST_H

#include "neuroc/rt/Container.h"
#include "neuroc/rt/Engine.h"
#include "neuroc/rt/Protocol.h"

namespace neuroc::rt {

struct PopulationInfo {
  std::string name, model;
  std::vector<int64_t> shape;
  std::vector<std::string> states;
  uint64_t size = 0;
};
struct StimulusInfo {
  std::string name, label; ///< label: what the user calls it
  std::vector<int64_t> shape;
  bool isSpikes = false;
  uint64_t size = 0;
};
struct WeightInfo {
  std::string name, layout;
  std::vector<int64_t> shape; ///< of a dense one: [post, pre]; else empty
  uint64_t synapses = 0;
};
struct PlasticInfo {
  std::string name, weight;
  std::vector<std::string> states; ///< of the synapses
};
struct DatasetInfo {
  std::string name, member; ///< member: an .npy file of the container
};

struct Manifest {
  std::string target, machine, network, compiler, source;
  double dtMs = 1;
  uint64_t seed = 0;
  /// Lanes side by side; shapes of populations, stimuli and probes begin with
  /// their number if it is not 1.
  int64_t batch = 1;
  std::vector<PopulationInfo> populations;
  std::vector<StimulusInfo> stimuli;
  std::vector<ProbeInfo> probes;
  std::vector<std::string> probeLabels; ///< as `probes`
  std::vector<bool> probeIsOutput;      ///< as `probes`
  std::vector<WeightInfo> weights;
  std::vector<PlasticInfo> plastics;
  std::vector<DatasetInfo> datasets;
  bool hasExperiment = false;
  Protocol experiment;

  const PopulationInfo *findPopulation(std::string_view name) const;
  const StimulusInfo *findStimulus(std::string_view nameOrLabel) const;
  int findProbe(std::string_view name) const; ///< -1: none
  ProtocolScope scope() const;
};

/// Reads the manifest of a validated container. Errors: InputError.
Status readManifest(const Container &program, Manifest &manifest);

} // namespace neuroc::rt
#endif // NEUROC_RT_MANIFEST_H
