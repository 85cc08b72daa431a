// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Builds the tensor operations that ONNX operators are made of: broadcasting
// maps, reductions, reshapes, slices. Shapes are static throughout; the only
// linalg operations are linalg.generic and linalg.fill.
#ifndef NEUROC_LIB_FRONTEND_ONNX_TENSORBUILDER_H
#define NEUROC_LIB_FRONTEND_ONNX_TENSORBUILDER_H

#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/IR/Builders.h"

namespace neuroc::onnx {

using Shape = llvm::SmallVector<int64_t, 6>;

inline mlir::RankedTensorType tensorType(mlir::Value value) {
  return llvm::cast<mlir::RankedTensorType>(value.getType());
}
inline llvm::ArrayRef<int64_t> shapeOf(mlir::Value value) {
  return tensorType(value).getShape();
}
inline mlir::Type elementOf(mlir::Value value) {
  return tensorType(value).getElementType();
}
int64_t product(llvm::ArrayRef<int64_t> values);

/// The NumPy broadcast of two shapes; none if they do not agree.
std::optional<Shape> broadcastShapes(llvm::ArrayRef<int64_t> a,
                                     llvm::ArrayRef<int64_t> b);

using BodyFn = llvm::function_ref<void(mlir::OpBuilder &, mlir::Location,
                                       mlir::ValueRange)>;
using ScalarFn = llvm::function_ref<mlir::Value(
    mlir::OpBuilder &, mlir::Location, mlir::ValueRange)>;

class TensorBuilder {
public:
  TensorBuilder(mlir::OpBuilder &builder, mlir::Location loc)
      : builder(builder), loc(loc) {}

  mlir::OpBuilder &builder;
  mlir::Location loc;

  mlir::TypedAttr scalar(mlir::Type type, double value) const;
  mlir::Value number(mlir::Type type, double value) const;
  mlir::Value empty(llvm::ArrayRef<int64_t> shape, mlir::Type element) const;
  mlir::Value fill(llvm::ArrayRef<int64_t> shape, mlir::TypedAttr value) const;
  mlir::Value constant(mlir::DenseElementsAttr value) const;
  mlir::Value indexConstant(llvm::ArrayRef<int64_t> values) const;

  /// One linalg.generic. `maps` are those of inputs, then of outputs.
  llvm::SmallVector<mlir::Value, 2>
  generic(llvm::ArrayRef<mlir::Value> inputs,
          llvm::ArrayRef<mlir::Value> outputs,
          llvm::ArrayRef<mlir::AffineMap> maps, unsigned numParallel,
          unsigned numReduction, BodyFn body) const;
  /// An elementwise function of inputs broadcast to `shape`.
  mlir::Value map(llvm::ArrayRef<mlir::Value> inputs,
                  llvm::ArrayRef<int64_t> shape, mlir::Type element,
                  ScalarFn body) const;
  /// As `map`, with the broadcast shape of the inputs.
  mlir::Value mapSame(mlir::Value input, ScalarFn body) const;
  /// Folds `axes` with `combine(element, accumulator)`; they stay with extent
  /// 1 if `keep`.
  mlir::Value reduce(mlir::Value input, llvm::ArrayRef<int64_t> axes, bool keep,
                     mlir::TypedAttr init, ScalarFn combine) const;
  mlir::Value reduceSum(mlir::Value input, llvm::ArrayRef<int64_t> axes,
                        bool keep) const;
  mlir::Value reduceMax(mlir::Value input, llvm::ArrayRef<int64_t> axes,
                        bool keep) const;

  mlir::Value reshape(mlir::Value input, llvm::ArrayRef<int64_t> shape) const;
  mlir::Value broadcast(mlir::Value input, llvm::ArrayRef<int64_t> shape) const;
  mlir::Value transpose(mlir::Value input,
                        llvm::ArrayRef<int64_t> permutation) const;
  /// Steps may be negative; starts and sizes are within the input.
  mlir::Value slice(mlir::Value input, llvm::ArrayRef<int64_t> starts,
                    llvm::ArrayRef<int64_t> sizes,
                    llvm::ArrayRef<int64_t> steps) const;
  /// Non-negative padding with a constant.
  mlir::Value pad(mlir::Value input, llvm::ArrayRef<int64_t> low,
                  llvm::ArrayRef<int64_t> high, mlir::TypedAttr value) const;
  mlir::Value insert(mlir::Value source, mlir::Value dest,
                     llvm::ArrayRef<int64_t> offsets) const;
  mlir::Value concat(llvm::ArrayRef<mlir::Value> inputs, int64_t axis) const;
  /// Picks positions along an axis; `indices` (index or integer elements, any
  /// shape) replaces that dimension. Negative ones count from the end.
  mlir::Value gather(mlir::Value input, mlir::Value indices,
                     int64_t axis) const;
};

} // namespace neuroc::onnx
#endif // NEUROC_LIB_FRONTEND_ONNX_TENSORBUILDER_H
