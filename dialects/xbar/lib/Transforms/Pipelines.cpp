// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The map pipeline: relays, formats, integer weights, arrays, places, schedule.
#include "neuroc/Xbar/Passes.h"

#include "mlir/Pass/PassRegistry.h"

using namespace mlir;

namespace neuroc::xbar {

void buildNumericPipeline(OpPassManager &pm,
                          const MapPipelineOptions &options) {
  pm.addPass(createInsertRelays());
  AssignFormatsOptions formats;
  formats.unknownMagnitude = options.unknownMagnitude;
  pm.addPass(createAssignFormats(formats));
  QuantizeWeightsOptions quantize;
  quantize.weightBits = options.weightBits;
  quantize.sparseDensity = options.sparseDensity;
  pm.addPass(createQuantizeWeights(quantize));
}

void buildMapPipeline(OpPassManager &pm, const MapPipelineOptions &options) {
  buildNumericPipeline(pm, options);
  pm.addPass(createMapArrays());
  pm.addPass(createPlaceTiles());
  pm.addPass(createScheduleTicks());
}

void registerXbarPipelines() {
  PassPipelineRegistration<>(
      "xbar-map-pipeline",
      "Map a network in core normal form onto the module's 'xbar.machine'",
      [](OpPassManager &pm) { buildMapPipeline(pm); });
}

} // namespace neuroc::xbar
