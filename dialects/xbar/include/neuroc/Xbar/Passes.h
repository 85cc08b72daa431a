// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The passes that map a network onto a crossbar machine, and their pipeline.
#ifndef NEUROC_XBAR_PASSES_H
#define NEUROC_XBAR_PASSES_H

#include "neuroc/Neuro/Analysis/RangeAnalysis.h"
#include "neuroc/Xbar/Xbar.h"

#include "mlir/Pass/Pass.h"
#include "mlir/Pass/PassManager.h"

namespace neuroc::xbar {

#define GEN_PASS_DECL
#include "neuroc/Xbar/XbarPasses.h.inc"

struct MapPipelineOptions {
  unsigned weightBits = 8;
  double sparseDensity = 0.25;
  double unknownMagnitude = 4096.0;
};

/// The beginning of the map pipeline: relays, formats and integer weights.
void buildNumericPipeline(mlir::OpPassManager &pm,
                          const MapPipelineOptions &options = {});

/// Core normal form and an `xbar.machine` to scheduled tiles.
void buildMapPipeline(mlir::OpPassManager &pm,
                      const MapPipelineOptions &options = {});

#define GEN_PASS_REGISTRATION
#include "neuroc/Xbar/XbarPasses.h.inc"
/// Registers `xbar-map-pipeline`.
void registerXbarPipelines();

/// Binary point for a 32-bit word that takes the values of `bound`: as many
/// fraction bits as leave one guard bit above the range.
int chooseFrac(neuro::Interval interval);

/// The network that the module's map is about, or the module's only network.
neuro::NetworkOp getNetwork(mlir::ModuleOp module);
/// The module's map, or null.
MapOp getMap(mlir::ModuleOp module);

} // namespace neuroc::xbar
#endif // NEUROC_XBAR_PASSES_H
