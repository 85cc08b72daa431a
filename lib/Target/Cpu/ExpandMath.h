// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Functions of f32 in line.
#ifndef NEUROC_LIB_TARGET_CPU_EXPANDMATH_H
#define NEUROC_LIB_TARGET_CPU_EXPANDMATH_H

#include "mlir/Pass/Pass.h"

namespace neuroc::cpu {

struct ExpandMath : mlir::PassWrapper<ExpandMath, mlir::OperationPass<>> {
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(ExpandMath)
  llvm::StringRef getName() const override { return "ExpandMath"; }
  void runOnOperation() override;
};

} // namespace neuroc::cpu
#endif // NEUROC_LIB_TARGET_CPU_EXPANDMATH_H
