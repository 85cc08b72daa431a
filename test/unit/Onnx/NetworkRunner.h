// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Runs an imported network for one tick, on the reference interpreter or as a
// program of the CPU target, with or without raising its tensor operations.
#ifndef NEUROC_TEST_UNIT_ONNX_NETWORKRUNNER_H
#define NEUROC_TEST_UNIT_ONNX_NETWORKRUNNER_H

#include "neuroc/rt/Engine.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"

#include <memory>
#include <string>
#include <vector>

namespace neuroc::test {

enum class Machine { Reference, Cpu };

/// Raises (if asked to) and brings to core normal form. False after
/// diagnostics.
bool prepareNetwork(mlir::ModuleOp module, bool raise);

/// A network in core normal form that is ready to run.
class RunningNetwork {
public:
  /// Compiles (for the CPU: object code in a container, loaded as the driver
  /// does it). Null and a text in `problem` when that fails.
  static std::unique_ptr<RunningNetwork>
  create(mlir::OwningOpRef<mlir::ModuleOp> core, Machine machine,
         std::string &problem);
  /// One tick. `inputs` are in the order of the stimuli; the result is the
  /// probes' values. A text in `problem` when something fails.
  std::vector<std::vector<double>>
  run(const std::vector<std::vector<double>> &inputs, std::string &problem);

private:
  std::vector<std::string> stimuli;
  std::unique_ptr<rt::Engine> engine;
};

} // namespace neuroc::test
#endif // NEUROC_TEST_UNIT_ONNX_NETWORKRUNNER_H
