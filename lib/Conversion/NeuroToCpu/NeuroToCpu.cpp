// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The pass: finds the network, converts it, and removes what it was made of.

#include "neuroc/Conversion/NeuroToCpu/NeuroToCpu.h"

#include "Lowering.h"

#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;

namespace neuroc {

#define GEN_PASS_DEF_CONVERTNEUROTOCPU
#include "neuroc/Conversion/NeuroToCpu/NeuroToCpuPasses.h.inc"

namespace {

struct ConvertNeuroToCpu : impl::ConvertNeuroToCpuBase<ConvertNeuroToCpu> {
  using ConvertNeuroToCpuBase::ConvertNeuroToCpuBase;

  void runOnOperation() override {
    ModuleOp module = getOperation();
    SmallVector<neuro::NetworkOp> networks(module.getOps<neuro::NetworkOp>());
    if (networks.size() != 1) {
      InFlightDiagnostic error =
          module.emitError("target 'cpu' needs one 'neuro.network', found ")
          << networks.size();
      for (neuro::NetworkOp network : networks)
        error.attachNote(network.getLoc())
            << "network '" << network.getSymName() << "'";
      return signalPassFailure();
    }
    cpu::Lowering lowering(module, networks.front(), doublePrecision);
    if (failed(lowering.run()))
      return signalPassFailure();
    for (Operation &op : llvm::make_early_inc_range(*module.getBody()))
      if (isa<neuro::NeuroDialect>(op.getDialect()))
        op.erase();
  }
};

} // namespace
} // namespace neuroc
