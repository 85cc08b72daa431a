// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The pipeline from sugar to core normal form.
#include "neuroc/Neuro/Passes.h"

#include "mlir/Pass/PassOptions.h"
#include "mlir/Pass/PassRegistry.h"

using namespace mlir;
using namespace neuroc::neuro;

void neuroc::neuro::buildToCorePipeline(OpPassManager &pm, bool report) {
  pm.addPass(createExpandSugar());
  pm.addPass(createSpecializeModels());
  pm.addPass(createNormalizeRegions());
  SolveDynamicsOptions solve;
  solve.report = report;
  pm.addPass(createSolveDynamics(solve));
  pm.addPass(createNormalizeRegions());
  // After solving: the derivative is that of the discrete update.
  pm.addPass(createExpandTangents());
  pm.addPass(createNormalizeRegions());
}

namespace {
struct ToCoreOptions : PassPipelineOptions<ToCoreOptions> {
  PassOptions::Option<bool> report{
      *this, "report",
      llvm::cl::desc("Remark which method each equation got"),
      llvm::cl::init(false)};
};
} // namespace

void neuroc::neuro::registerPipelines() {
  registerPass([] { return createCheckSteps(); });
  PassPipelineRegistration<ToCoreOptions>(
      "neuro-to-core", "Lower sugar to core normal form",
      [](OpPassManager &pm, const ToCoreOptions &options) {
        buildToCorePipeline(pm, options.report);
      });
}
