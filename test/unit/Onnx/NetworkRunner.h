// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Runs an imported network on the reference interpreter: one tick for each set
// of inputs, with or without raising its tensor operations first.
#ifndef NEUROC_TEST_UNIT_ONNX_NETWORKRUNNER_H
#define NEUROC_TEST_UNIT_ONNX_NETWORKRUNNER_H

#include "neuroc/rt/Engine.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"

#include <string>
#include <vector>

namespace neuroc::test {

/// Raises (if asked to) and brings to core normal form. False after
/// diagnostics.
bool prepareNetwork(mlir::ModuleOp module, bool raise);

/// Runs one tick on the reference. `inputs` are in the order of the stimuli.
/// Returns the probes' values, or nothing and a text in `problem`.
std::vector<std::vector<double>>
runReference(mlir::ModuleOp core,
             const std::vector<std::vector<double>> &inputs,
             std::string &problem);

} // namespace neuroc::test
#endif // NEUROC_TEST_UNIT_ONNX_NETWORKRUNNER_H
