// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The xbar dialect: one include for its types, operations and passes.
#ifndef NEUROC_XBAR_XBAR_H
#define NEUROC_XBAR_XBAR_H

#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Dialect.h"
#include "mlir/IR/OpDefinition.h"
#include "mlir/IR/OpImplementation.h"
#include "mlir/IR/SymbolTable.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

#include "neuroc/Xbar/XbarDialect.h.inc"

#define GET_TYPEDEF_CLASSES
#include "neuroc/Xbar/XbarTypes.h.inc"

#define GET_OP_CLASSES
#include "neuroc/Xbar/XbarOps.h.inc"

namespace neuroc::xbar {

/// The discardable attribute that numbers the projections of a mapped network.
inline constexpr llvm::StringLiteral kProjectionAttr = "xbar.projection";
/// On a matrix: the host writes other levels while the program runs.
inline constexpr llvm::StringLiteral kWrittenAttr = "xbar.written";

} // namespace neuroc::xbar

#endif // NEUROC_XBAR_XBAR_H
