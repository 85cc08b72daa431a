// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Registers the dialect's operations and types.
#include "neuroc/Xbar/Xbar.h"

#include "mlir/IR/Builders.h"
#include "mlir/IR/DialectImplementation.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace neuroc::xbar;

#include "neuroc/Xbar/XbarDialect.cpp.inc"

#define GET_TYPEDEF_CLASSES
#include "neuroc/Xbar/XbarTypes.cpp.inc"

void XbarDialect::initialize() {
  addTypes<
#define GET_TYPEDEF_LIST
#include "neuroc/Xbar/XbarTypes.cpp.inc"
      >();
  addOperations<
#define GET_OP_LIST
#include "neuroc/Xbar/XbarOps.cpp.inc"
      >();
}

LogicalResult BankType::verify(function_ref<InFlightDiagnostic()> emitError,
                               int64_t rows, int64_t cols, int64_t slices) {
  if (rows < 1 || cols < 1 || slices < 1) // bank_r1
    return emitError() << "'xbar.bank' extents must be positive, got " << rows
                       << " x " << cols << ", slices " << slices;
  return success();
}
