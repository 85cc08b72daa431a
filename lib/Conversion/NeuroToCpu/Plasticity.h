// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What the emitters of one learning rule share.
#ifndef NEUROC_LIB_CONVERSION_NEUROTOCPU_PLASTICITY_H
#define NEUROC_LIB_CONVERSION_NEUROTOCPU_PLASTICITY_H

#include "Lowering.h"

namespace neuroc::cpu {

struct Lowering::Plasticity {
  neuro::PlasticOp op;
  neuro::RuleOp rule;
  Weight &weight;
  SignalUse pre, post;
  Events preEvents = {}, postEvents = {}; ///< of signals of spikes
  std::map<std::string, Buffer> traces = {}, states = {};
  Fields fields = {};
  AttrList traceTick = {}, traceSpike = {};

  SignalUse side(neuro::Side side) const {
    return side == neuro::Side::Pre ? pre : post;
  }
  double param(llvm::StringRef name);
  /// The signal that feeds a third factor.
  mlir::Value factor(llvm::StringRef name);
  /// Where a handler's `neuro.set` goes.
  Buffer target(neuro::SetOp set);
};

/// min(max(w, lo), hi) with the weight's bounds and sign class.
mlir::Value confine(Kernel &k, neuro::WeightOp weight, mlir::Value w);
bool isConfined(neuro::WeightOp weight);
/// `value`, or 0 where the matrix has no synapse.
mlir::Value selectPresent(Kernel &k, Weight &weight, mlir::Value slot,
                          mlir::Value value);

} // namespace neuroc::cpu
#endif // NEUROC_LIB_CONVERSION_NEUROTOCPU_PLASTICITY_H
