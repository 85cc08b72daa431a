// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Runs functions of tensors in this process: bufferisation, loops, LLVM's JIT
// at its lowest effort. Independent of the CPU target, so that a failure can
// be laid at the importer's door or at the target's.
#ifndef NEUROC_TEST_UNIT_ONNX_JITRUNNER_H
#define NEUROC_TEST_UNIT_ONNX_JITRUNNER_H

#include "neuroc/Conversion/TensorEval.h"

#include "mlir/IR/BuiltinOps.h"

namespace mlir {
class ExecutionEngine;
}

namespace neuroc::test {

class JitRunner {
public:
  JitRunner();
  ~JitRunner();
  /// Compiles all functions of the module. False after diagnostics.
  bool compile(mlir::ModuleOp module);
  /// Calls a function; `outputs` have their types set and get their data.
  bool call(const std::string &name,
            const std::vector<std::shared_ptr<HostTensor>> &inputs,
            std::vector<HostTensor> &outputs);

private:
  bool lower(mlir::ModuleOp module);

  std::unique_ptr<mlir::ExecutionEngine> engine;
};

/// Registers the dialect interfaces that compilation needs.
void registerForJit(mlir::DialectRegistry &registry);

} // namespace neuroc::test
#endif // NEUROC_TEST_UNIT_ONNX_JITRUNNER_H
