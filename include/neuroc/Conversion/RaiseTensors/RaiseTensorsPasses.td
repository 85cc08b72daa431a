// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef NEUROC_CONVERSION_RAISETENSORS_PASSES_TD
#define NEUROC_CONVERSION_RAISETENSORS_PASSES_TD

include "mlir/Pass/PassBase.td"

def RaiseTensors : Pass<"neuro-raise-tensors", "::mlir::ModuleOp"> {
  let summary = "Turn tensor operations between nodes into weights and units";
  let description = [{
    Needs: networks whose tensor operations have static shapes. Leaves: no tensor
    operation in a network. Sums of products with constants become
    `neuro.weight` and `neuro.project` without delay (convolutions keep their
    layout); maxima and minima become projections that combine by them; chains
    of elementwise operations become a population of a model without state,
    whose one stage computes the expression; per-unit constants are its
    parameters. Operations that only move elements cost nothing: they renumber
    units. Scales of single-use projections go into their weights.

    Refuses, with an error on the operation: products and sums over two varying
    tensors, integers, maxima with a finite start, gathers by varying indices.
    Runs before `neuro-to-core`.
  }];
  let options = [
    Option<"maxSynapses", "max-synapses", "int64_t", "268435456",
           "Largest number of products of one operation (weights are unrolled)">];
  let dependentDialects = ["::mlir::arith::ArithDialect",
                           "::mlir::math::MathDialect",
                           "::neuroc::neuro::NeuroDialect"];
}

#endif // NEUROC_CONVERSION_RAISETENSORS_PASSES_TD
