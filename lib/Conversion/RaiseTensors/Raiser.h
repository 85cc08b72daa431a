// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The state of raising one network. A tensor value is seen as a list of its
// elements, each of which is `scale * unit + offset` of some signal, or as a
// pending expression over such lists. Nothing is built until a consumer needs
// a signal.
#ifndef NEUROC_LIB_CONVERSION_RAISETENSORS_RAISER_H
#define NEUROC_LIB_CONVERSION_RAISETENSORS_RAISER_H

#include "neuroc/Conversion/TensorEval.h"
#include "neuroc/Neuro/Neuro.h"

#include "mlir/IR/Builders.h"
#include "llvm/ADT/StringSet.h"

#include <map>
#include <vector>

namespace neuroc::raise {

using Shape = llvm::SmallVector<int64_t, 4>;

/// One element of a tensor: scale * (unit `index` of signal `source`) + offset;
/// a constant, the offset, if source is negative.
struct Element {
  int source = -1;
  int64_t index = 0;
  double scale = 0;
  double offset = 0;
};
using Elements = std::vector<Element>;

/// An argument of a pending expression: elements, one per result unit.
/// (Constants are elements without source.)
struct Expression {
  std::unique_ptr<mlir::Block> block; ///< scalar code on f64; arguments follow
  std::vector<Elements> arguments;
  mlir::Value result; ///< defined in `block` or one of its arguments
};

/// A builder at the end of a block that belongs to no operation.
inline mlir::OpBuilder atEnd(mlir::Block &block, mlir::MLIRContext *context) {
  mlir::OpBuilder builder(context);
  builder.setInsertionPointToEnd(&block);
  return builder;
}

/// What is known of a tensor value.
struct Lazy {
  Shape shape;
  Elements elements;                      ///< if there is no expression
  std::shared_ptr<Expression> expression; ///< pending; owned by one consumer
  /// The value and all it was made from have one user, so that what is pending
  /// may be changed for it.
  bool exclusive = false;
  mlir::Location loc;
};

struct Synapse {
  int64_t pre, post;
  double weight;
};

/// How the maps of a reduction walk over windows; a guess that
/// `findConvolution` proves or drops.
struct WindowHint {
  Shape kernel, strides, dilations; ///< two of each
  Shape padded;                     ///< extents of the padded planes
  Shape output;
  int64_t reduced = 0; ///< input channels that one unit sees
};

/// A signal: a node's result, or a projection that is not yet built.
struct Source {
  mlir::Value value; ///< null while pending
  int64_t units = 0;
  // Of pending projections:
  int from = -1; ///< the source that it reads
  std::vector<Synapse> synapses;
  neuro::Combine combine = neuro::Combine::Sum;
  std::optional<WindowHint> window;
  Shape shape;
  mlir::Location loc;
};

/// A convolution that connects exactly as a list of synapses does.
struct Convolution {
  Shape kernel, strides, pads, dilations, pre, post;
  int64_t groups = 1;
  std::vector<float> values; ///< [M, C/groups, KH, KW]
};

/// The layout, if the synapses (sorted by post, then pre) are a convolution
/// over `units` source units.
std::optional<Convolution> findConvolution(const std::vector<Synapse> &synapses,
                                           int64_t units, int64_t posts,
                                           const WindowHint &hint);

/// A body that is affine in each of its varying arguments alone, evaluated on
/// pairs (a, c) meaning a * x + c.
class AffineBody {
public:
  struct Pair {
    double a = 0, c = 0;
  };
  /// Compiles what `result` needs. `varying` says which block arguments vary.
  /// None if the value is not affine.
  static std::optional<AffineBody>
  compile(mlir::Block &block, mlir::Value result, llvm::ArrayRef<bool> varying);
  unsigned numSlots() const { return count; }
  /// `slots` holds the arguments first.
  Pair run(std::vector<Pair> &slots) const;

private:
  enum class Kind { Constant, Add, Subtract, Negate, Multiply, Divide };
  struct Step {
    Kind kind;
    unsigned out = 0, x = 0, y = 0;
    double value = 0;
  };
  std::vector<Step> steps;
  unsigned count = 0, result = 0;
};

class Raiser {
public:
  Raiser(neuro::NetworkOp network, int64_t maxSynapses);
  mlir::LogicalResult run();

private:
  using Result = std::shared_ptr<Lazy>;

  // Raiser.cpp: what values are.
  Result lazy(mlir::Value value);
  Result compute(mlir::Value value);
  Result fromHost(const HostTensor &tensor, mlir::Location loc);
  Result reshape(mlir::Operation *op);
  Result extractSlice(mlir::Operation *op);
  Result insertSlice(mlir::Operation *op);
  Result elementwise(mlir::linalg::LinalgOp op);
  Result gather(mlir::linalg::LinalgOp op);
  Result reduction(mlir::linalg::LinalgOp op);
  /// The element lists of a value; builds what is pending.
  std::optional<Elements> elementsOf(const Result &value);
  bool applyAffine(Elements &elements, bool exclusive, mlir::Location loc);
  std::nullptr_t refuse(mlir::Operation *op, const llvm::Twine &reason);

  // Emission.cpp: nodes.
  mlir::Value signalOf(int source);
  /// A signal with the value's elements in order.
  mlir::Value materialize(Lazy &value);
  mlir::Value buildPopulation(Expression &expression,
                              llvm::ArrayRef<int64_t> shape, bool exclusive,
                              mlir::Location loc);
  mlir::Value buildProjection(Source &source);
  std::string uniqueName(mlir::Location loc, llvm::StringRef suffix);
  int addSource(mlir::Value value);

  neuro::NetworkOp network;
  int64_t maxSynapses;
  TensorEval eval;
  llvm::DenseMap<mlir::Value, Result> known;
  llvm::DenseMap<mlir::Value, int> sourceOf;
  std::vector<Source> sources;
  llvm::StringSet<> names;
  mlir::Operation *before = nullptr; ///< new nodes go in front of it
  bool reported = false;
};

} // namespace neuroc::raise
#endif // NEUROC_LIB_CONVERSION_RAISETENSORS_RAISER_H
