// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Networks with plants (populations that stand for the environment) on machines
// that do not compute them: the network is cut into the machine's part and the
// plants' part, which the host computes beside the machine, tick by tick.
#ifndef NEUROC_TARGET_PLANT_H
#define NEUROC_TARGET_PLANT_H

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"

#include <string>
#include <vector>

namespace neuroc {

/// A signal that crosses between the parts: a probe of one is a stimulus of the
/// other. To the plant it goes within the tick, to the machine from one tick to
/// the next.
struct PlantLink {
  bool toPlant = false;
  std::string name; ///< of the probe and of the stimulus
};

/// The two parts of a network, each a module in core normal form.
struct PlantSplit {
  mlir::OwningOpRef<mlir::ModuleOp> plant;
  std::vector<PlantLink> links;
};

/// Whether the module's network has a plant.
bool hasPlants(mlir::ModuleOp core);
/// Leaves the machine's part in `core`. Errors, with place: delays per synapse
/// behind a plant; a weight that learns and that both parts use.
mlir::LogicalResult splitPlants(mlir::ModuleOp core, PlantSplit &split);

/// `split-plants`: the same as a pass, for tests; the plants' part becomes the
/// nested module @plant.
void registerPlantPasses();

} // namespace neuroc
#endif // NEUROC_TARGET_PLANT_H
