// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// From a network in core normal form to functions of upstream dialects. The
// result is described by a dictionary on the module, the *plan*: which
// functions run in which order in a tick, and which buffers they work on.
// docs/cpu.md documents its fields; the CPU engine carries it out.
#ifndef NEUROC_CONVERSION_NEUROTOCPU_NEUROTOCPU_H
#define NEUROC_CONVERSION_NEUROTOCPU_NEUROTOCPU_H

#include "mlir/IR/BuiltinOps.h"
#include "mlir/Pass/Pass.h"

#include <memory>
#include <string>

namespace neuroc {

#define GEN_PASS_DECL
#include "neuroc/Conversion/NeuroToCpu/NeuroToCpuPasses.h.inc"

#define GEN_PASS_REGISTRATION
#include "neuroc/Conversion/NeuroToCpu/NeuroToCpuPasses.h.inc"

namespace cpu {
/// The module attribute that holds the plan.
inline constexpr llvm::StringLiteral kPlanAttrName = "neuroc_cpu.plan";
} // namespace cpu

} // namespace neuroc
#endif // NEUROC_CONVERSION_NEUROTOCPU_NEUROTOCPU_H
