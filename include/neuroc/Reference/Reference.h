// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The reference interpreter: the core executed as written, in f64, one unit and
// one synapse after the other. It is the oracle of every target and shares no
// code with them beyond the network's definition (connection rules, random
// numbers, order of items).
#ifndef NEUROC_REFERENCE_REFERENCE_H
#define NEUROC_REFERENCE_REFERENCE_H

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"
#include "neuroc/rt/Engine.h"

namespace neuroc {

/// An engine that interprets `core`, a module in core normal form with one
/// network, which it takes over. Probes and watches are listed in IR order.
/// Errors: ModelError where the module is not in that form or a weight cannot
/// be expanded.
rt::Status createReferenceEngine(mlir::OwningOpRef<mlir::ModuleOp> core,
                                 const rt::EngineOptions &options,
                                 std::unique_ptr<rt::Engine> &engine);

} // namespace neuroc

#endif // NEUROC_REFERENCE_REFERENCE_H
