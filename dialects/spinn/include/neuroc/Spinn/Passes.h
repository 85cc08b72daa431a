// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef NEUROC_SPINN_PASSES_H
#define NEUROC_SPINN_PASSES_H

#include "neuroc/Spinn/Spinn.h"

#include "mlir/Pass/Pass.h"

#include <string>

namespace neuroc::spinn {

#define GEN_PASS_DECL
#include "neuroc/Spinn/SpinnPasses.h.inc"

#define GEN_PASS_REGISTRATION
#include "neuroc/Spinn/SpinnPasses.h.inc"

} // namespace neuroc::spinn
#endif // NEUROC_SPINN_PASSES_H
