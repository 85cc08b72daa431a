// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Derivatives of scalar code, operation by operation. A null value stands for a
// derivative that is zero everywhere.
#ifndef NEUROC_NEURO_LIB_TRANSFORMS_DIFFERENTIATE_H
#define NEUROC_NEURO_LIB_TRANSFORMS_DIFFERENTIATE_H

#include "neuroc/Neuro/Neuro.h"

#include "mlir/IR/Builders.h"

namespace neuroc::neuro {

/// Sums and products that know zero (null) when they see it. On tensors they
/// work element by element, as the operations do.
class Calculus {
public:
  Calculus(mlir::OpBuilder &builder, mlir::Location loc, mlir::Type type)
      : builder(builder), loc(loc), type(type) {}
  mlir::Value number(double value);
  mlir::Value add(mlir::Value a, mlir::Value b);
  mlir::Value sub(mlir::Value a, mlir::Value b);
  mlir::Value mul(mlir::Value a, mlir::Value b);
  mlir::Value div(mlir::Value a, mlir::Value b);
  mlir::Value neg(mlir::Value a);
  mlir::Value select(mlir::Value condition, mlir::Value a, mlir::Value b);
  /// The value itself, or the number 0.
  mlir::Value materialize(mlir::Value a) { return a ? a : number(0); }
  template <typename OpT, typename... Args>
  mlir::Value apply(Args... args) {
    return OpT::create(builder, loc, args...);
  }

private:
  mlir::OpBuilder &builder;
  mlir::Location loc;
  mlir::Type type;
};

/// Whether the derivative of `op`'s result is zero whatever its operands are:
/// truth values, rounded numbers, ranks, and what has no operands.
bool isLocallyConstant(mlir::Operation *op);

/// Emits, at the builder's position, the tangent of the result of `op` from
/// those of its operands. Where a function has a kink, that of the branch that
/// was taken. Fails (without an error) for an operation that it does not know.
mlir::FailureOr<mlir::Value> differentiate(mlir::Operation *op,
                                           mlir::ArrayRef<mlir::Value> tangents,
                                           mlir::OpBuilder &builder);

} // namespace neuroc::neuro

#endif // NEUROC_NEURO_LIB_TRANSFORMS_DIFFERENTIATE_H
