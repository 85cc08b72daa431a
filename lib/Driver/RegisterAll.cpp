// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The one list of dialects and passes. Targets are optional at build time
// (NEUROC_HAVE_…), upstream is taken whole: neuroc-opt is a workbench.
#include "neuroc/Driver/RegisterAll.h"

#include "mlir/InitAllDialects.h"
#include "mlir/InitAllExtensions.h"
#include "mlir/InitAllPasses.h"
#include "mlir/Target/LLVMIR/Dialect/All.h"

#include "neuroc/Neuro/Neuro.h"
#if NEUROC_HAVE_NEUROPASSES
#include "neuroc/Neuro/Passes.h"
#endif
#if NEUROC_HAVE_RAISETENSORS
#include "neuroc/Conversion/RaiseTensors/RaiseTensors.h"
#endif
#if NEUROC_HAVE_SPINN
#include "neuroc/Spinn/Passes.h"
#include "neuroc/Spinn/Spinn.h"
#endif
#if NEUROC_HAVE_XBAR
#include "neuroc/Xbar/Xbar.h"
#endif
#if NEUROC_HAVE_XBARPASSES
#include "neuroc/Xbar/Passes.h"
#endif
#include "neuroc/Target/Plant.h"
#if NEUROC_HAVE_CPU
#include "neuroc/Target/Cpu/Register.h"
#endif

namespace neuroc {

void registerAllDialects(mlir::DialectRegistry &registry) {
  registry.insert<neuro::NeuroDialect>();
#if NEUROC_HAVE_SPINN
  registry.insert<spinn::SpinnDialect>();
#endif
#if NEUROC_HAVE_XBAR
  registry.insert<xbar::XbarDialect>();
#endif
  mlir::registerAllDialects(registry);
  mlir::registerAllExtensions(registry);
  mlir::registerAllToLLVMIRTranslations(registry);
}

void registerAllPasses() {
  mlir::registerAllPasses();
#if NEUROC_HAVE_NEUROPASSES
  neuro::registerNeuroPasses();
  neuro::registerPipelines();
  neuro::registerPipelines();
#endif
#if NEUROC_HAVE_RAISETENSORS
  registerRaiseTensorsPasses();
#endif
#if NEUROC_HAVE_SPINN
  spinn::registerSpinnPasses();
#endif
#if NEUROC_HAVE_XBARPASSES
  xbar::registerXbarPasses();
  xbar::registerXbarPipelines();
#endif
  registerPlantPasses();
#if NEUROC_HAVE_CPU
  cpu::registerPasses();
#endif
}

} // namespace neuroc
