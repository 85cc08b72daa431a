// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Everything that neuroc, neuroc-opt and neuroc-lsp-server know.
#ifndef NEUROC_DRIVER_REGISTERALL_H
#define NEUROC_DRIVER_REGISTERALL_H

#include "mlir/IR/DialectRegistry.h"

namespace neuroc {

/// Our dialects, the upstream ones that they are mixed with, and what
/// upstream needs to translate and transform them.
void registerAllDialects(mlir::DialectRegistry &registry);
/// Our passes and pipelines, and upstream's.
void registerAllPasses();

} // namespace neuroc
#endif // NEUROC_DRIVER_REGISTERALL_H
