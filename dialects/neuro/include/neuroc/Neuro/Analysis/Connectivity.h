// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The synapses of a weight, as the runtime's generator gives them: the same
// rows for every target. "Dense form" is for targets that keep matrices.
#ifndef NEUROC_NEURO_ANALYSIS_CONNECTIVITY_H
#define NEUROC_NEURO_ANALYSIS_CONNECTIVITY_H

#include "neuroc/Neuro/Neuro.h"
#include "neuroc/rt/Connectivity.h"

namespace neuroc::neuro {

/// The rule of a weight (seed and stream included: the network's seed and the
/// weight's name).
rt::ConnectRule getConnectRule(WeightOp weight);
/// Where its values come from.
rt::ValueRule getValueRule(mlir::Attribute values);

/// The synapses of a weight in canonical order, with initial values. Emits an
/// error on the weight and fails where the rule cannot be expanded.
struct ExpandedWeight {
  rt::Synapses synapses;
  std::vector<double> values; ///< one per synapse; bounds and sign applied
};
mlir::FailureOr<ExpandedWeight> expandWeight(WeightOp weight);

/// Delay of each synapse of a projection, in ticks (canonical order); one
/// number repeated when the projection has a single delay.
std::vector<uint32_t> expandDelays(ProjectOp project,
                                   const rt::Synapses &synapses);
/// The largest delay in ticks that a projection has.
uint32_t getMaxDelay(ProjectOp project, const rt::Synapses &synapses);

/// True for layouts that connect (nearly) every pair: dense and all-to-all.
bool isDenseLayout(WeightOp weight);

/// A dense weight as a matrix [post, pre], row-major. `exists` is empty when
/// every pair has a synapse; absent synapses have the value 0.
struct DenseForm {
  int64_t numPost = 0, numPre = 0;
  std::vector<double> values;
  std::vector<bool> exists;
};
/// Needs isDenseLayout.
DenseForm getDenseForm(WeightOp weight);

} // namespace neuroc::neuro

#endif // NEUROC_NEURO_ANALYSIS_CONNECTIVITY_H
