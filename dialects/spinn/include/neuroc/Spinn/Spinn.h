// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The spinn dialect: one include for its operations and attributes.
#ifndef NEUROC_SPINN_SPINN_H
#define NEUROC_SPINN_SPINN_H

#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/Dialect.h"
#include "mlir/IR/OpDefinition.h"
#include "mlir/IR/OpImplementation.h"
#include "mlir/IR/SymbolTable.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

#include "neuroc/Spinn/SpinnEnums.h.inc"

#include "neuroc/Spinn/SpinnDialect.h.inc"

#define GET_ATTRDEF_CLASSES
#include "neuroc/Spinn/SpinnAttributes.h.inc"

#define GET_OP_CLASSES
#include "neuroc/Spinn/SpinnOps.h.inc"

#endif // NEUROC_SPINN_SPINN_H
