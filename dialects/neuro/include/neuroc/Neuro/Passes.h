// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Passes of the neuro dialect and the pipeline to core normal form.
#ifndef NEUROC_NEURO_PASSES_H
#define NEUROC_NEURO_PASSES_H

#include "neuroc/Neuro/Neuro.h"

#include "mlir/Pass/Pass.h"
#include "mlir/Pass/PassManager.h"

namespace neuroc::neuro {

#define GEN_PASS_DECL
#include "neuroc/Neuro/NeuroPasses.h.inc"

#define GEN_PASS_REGISTRATION
#include "neuroc/Neuro/NeuroPasses.h.inc"

/// Warns where the step of a settling loop exceeds 2/lambda_max. Needs core
/// normal form; changes nothing.
std::unique_ptr<mlir::Pass> createCheckSteps();

/// Sugar to core normal form: expand-sugar, specialize-models, solve-dynamics,
/// normalize-regions. What targets may rely on is in the README ("Core normal
/// form"). `report` remarks which method each equation got.
void buildToCorePipeline(mlir::OpPassManager &pm, bool report = false);

/// Registers `neuro-to-core` for the command line.
void registerPipelines();

} // namespace neuroc::neuro

#endif // NEUROC_NEURO_PASSES_H
