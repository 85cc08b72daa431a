// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The pass `neuro-raise-tensors`: from tensor operations to core nodes, for
// targets that implement only the core.
#ifndef NEUROC_CONVERSION_RAISETENSORS_RAISETENSORS_H
#define NEUROC_CONVERSION_RAISETENSORS_RAISETENSORS_H

#include "mlir/Pass/Pass.h"

#include <memory>

namespace neuroc {

#define GEN_PASS_DECL
#include "neuroc/Conversion/RaiseTensors/RaiseTensorsPasses.h.inc"

#define GEN_PASS_REGISTRATION
#include "neuroc/Conversion/RaiseTensors/RaiseTensorsPasses.h.inc"

} // namespace neuroc
#endif // NEUROC_CONVERSION_RAISETENSORS_RAISETENSORS_H
