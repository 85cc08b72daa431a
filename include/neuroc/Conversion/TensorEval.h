// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Evaluation of tensor operations on the host at compile time: the constant
// folder of the importers, and the means by which a pass learns what a chain
// of tensor operations does to constants.
#ifndef NEUROC_CONVERSION_TENSOREVAL_H
#define NEUROC_CONVERSION_TENSOREVAL_H

#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/IR/BuiltinAttributes.h"
#include "llvm/ADT/DenseMap.h"

#include <memory>
#include <vector>

namespace neuroc {

/// A number: `f` for floating-point element types, else `i` (integers are
/// sign-extended from their width, whatever signedness an op gives them).
union HostScalar {
  double f;
  int64_t i;
};

/// A tensor in host memory, row-major.
struct HostTensor {
  llvm::SmallVector<int64_t, 4> shape;
  mlir::Type element;
  std::vector<HostScalar> data;

  bool isFloat() const { return llvm::isa<mlir::FloatType>(element); }
  mlir::RankedTensorType type() const {
    return mlir::RankedTensorType::get(shape, element);
  }
};

/// Null if the attribute is not dense integers or floats of a static shape.
std::shared_ptr<HostTensor> toHost(mlir::ElementsAttr attribute);
mlir::DenseElementsAttr toAttribute(const HostTensor &tensor);

/// Where an operand's element lies as a function of the loop indices:
/// offset = base + sum of strides[d] * index[d], in elements, row-major.
struct LinearAccess {
  int64_t base = 0;
  llvm::SmallVector<int64_t, 8> strides;

  int64_t at(llvm::ArrayRef<int64_t> index) const {
    int64_t offset = base;
    for (size_t d = 0; d < strides.size(); ++d)
      offset += strides[d] * index[d];
    return offset;
  }
};

/// None if the map divides or takes remainders.
std::optional<LinearAccess> linearAccess(mlir::AffineMap map,
                                         llvm::ArrayRef<int64_t> shape);

/// Advances a row-major index; false after the last one. Starts at zeros;
/// callers check first that no extent is zero.
bool nextIndex(llvm::MutableArrayRef<int64_t> index,
               llvm::ArrayRef<int64_t> shape);

/// Evaluates values with static shapes from constants, with the operations of
/// docs/onnx.md, "Tensor operations". Floating-point results are rounded to
/// the type of each operation. Memoises; one object per pass run.
class TensorEval {
public:
  /// Makes `value` known.
  void bind(mlir::Value value, std::shared_ptr<HostTensor> tensor);
  /// Null if the value depends on an unbound value or on an operation that is
  /// not known here. The stop is `blocker()`.
  std::shared_ptr<HostTensor> evaluate(mlir::Value value);
  mlir::Value blocker() const { return blocked; }
  void clear() { known.clear(); }

private:
  std::shared_ptr<HostTensor> evaluateOp(mlir::Operation *op, unsigned result);
  bool evaluateGeneric(mlir::linalg::LinalgOp op);

  llvm::DenseMap<mlir::Value, std::shared_ptr<HostTensor>> known;
  mlir::Value blocked;
};

/// The scalar code of a block (a linalg body, a stage), compiled for repeated
/// evaluation on the host.
class ScalarProgram {
public:
  /// Compiles all operations of `block` up to its terminator. Values defined
  /// outside must be constants or be known to `eval` (scalars).
  static std::optional<ScalarProgram> compile(mlir::Block &block,
                                              TensorEval &eval);
  unsigned slot(mlir::Value value) const { return slots.lookup(value); }
  bool has(mlir::Value value) const { return slots.contains(value); }
  unsigned numSlots() const { return count; }
  /// `values` has numSlots() entries, block arguments filled in;
  /// `loop` are the values of linalg.index.
  void run(HostScalar *values, const int64_t *loop) const;

  struct Step {
    void (*apply)(HostScalar *, const Step &, const int64_t *) = nullptr;
    unsigned out = 0, a = 0, b = 0, c = 0;
    unsigned width = 0;                ///< integer bits, or 16/32/64 for floats
    int64_t immediate = 0;             ///< dimension, predicate
    mlir::FloatType type;              ///< rounding of a floating-point result
    std::shared_ptr<HostTensor> table; ///< of tensor.extract
    llvm::SmallVector<unsigned, 4> indices;
  };

private:
  unsigned add(mlir::Value value) {
    slots[value] = count;
    return count++;
  }
  bool compileOp(mlir::Operation &op, TensorEval &eval);

  llvm::DenseMap<mlir::Value, unsigned> slots;
  std::vector<std::pair<unsigned, HostScalar>> constants;
  std::vector<Step> steps;
  unsigned count = 0;
};

} // namespace neuroc
#endif // NEUROC_CONVERSION_TENSOREVAL_H
