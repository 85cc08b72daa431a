// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The neuro dialect: one include for its operations and attributes.
#ifndef NEUROC_NEURO_NEURO_H
#define NEUROC_NEURO_NEURO_H

#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Dialect.h"
#include "mlir/IR/OpDefinition.h"
#include "mlir/IR/OpImplementation.h"
#include "mlir/IR/PatternMatch.h"
#include "mlir/IR/RegionKindInterface.h"
#include "mlir/IR/SymbolTable.h"
#include "mlir/Interfaces/InferTypeOpInterface.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

namespace neuroc::neuro {
/// Parses and prints the reals of attributes as plain numbers (f64).
mlir::FailureOr<mlir::FloatAttr> parseReal(mlir::AsmParser &parser);
void printReal(mlir::AsmPrinter &printer, mlir::FloatAttr value);
} // namespace neuroc::neuro

#include "neuroc/Neuro/NeuroEnums.h.inc"

#include "neuroc/Neuro/NeuroDialect.h.inc"

#define GET_ATTRDEF_CLASSES
#include "neuroc/Neuro/NeuroAttributes.h.inc"

#define GET_OP_CLASSES
#include "neuroc/Neuro/NeuroOps.h.inc"

namespace neuroc::neuro {

/// Number of elements of a static shape.
inline int64_t countUnits(llvm::ArrayRef<int64_t> shape) {
  int64_t n = 1;
  for (int64_t extent : shape)
    n *= extent;
  return n;
}

/// True for operations that may stand in scalar code (stages, handlers).
bool isScalarCode(mlir::Operation *op);

/// What a name read by `neuro.get` in a model or rule is.
enum class NameKind {
  Unknown, Param, State, Input, Output, Trace, Factor, Weight, Pre, Post
};
/// Resolves `name` in the model or rule that encloses `op`.
NameKind resolveName(mlir::Operation *op, llvm::StringRef name);

} // namespace neuroc::neuro

#endif // NEUROC_NEURO_NEURO_H
