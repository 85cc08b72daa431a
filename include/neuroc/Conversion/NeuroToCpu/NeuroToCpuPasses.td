// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef NEUROC_CONVERSION_NEUROTOCPU_PASSES_TD
#define NEUROC_CONVERSION_NEUROTOCPU_PASSES_TD

include "mlir/Pass/PassBase.td"

def ConvertNeuroToCpu : Pass<"convert-neuro-to-cpu", "::mlir::ModuleOp"> {
  let summary = "Turn a network into functions and buffers for the host";
  let description = [{
    Needs: one network in core normal form. Leaves: one `func.func` for each
    stage, projection, group of tensor operations and part of a learning rule,
    all taking the tick; `memref.global` buffers with their initial contents;
    the plan (module attribute `neuroc_cpu.plan`). Models, rules, network and
    experiments are removed. Refuses: no or several networks; operations that
    are not in core normal form, naming the pass that removes them.
  }];
  let options = [
    Option<"doublePrecision", "double-precision", "bool", "false",
           "Compute with f64 in place of f32">];
  let dependentDialects = [
    "::mlir::arith::ArithDialect", "::mlir::bufferization::BufferizationDialect",
    "::mlir::func::FuncDialect", "::mlir::linalg::LinalgDialect",
    "::mlir::math::MathDialect", "::mlir::memref::MemRefDialect",
    "::mlir::scf::SCFDialect", "::mlir::tensor::TensorDialect",
    "::mlir::vector::VectorDialect"];
}

#endif // NEUROC_CONVERSION_NEUROTOCPU_PASSES_TD
