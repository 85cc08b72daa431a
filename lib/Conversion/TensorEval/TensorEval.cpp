// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Tensor operations on the host. A linalg operation runs as loops over its
// iteration space in row-major order, with the offset of each operand as a
// linear function of the loop indices; slices and reshapes copy.
#include "neuroc/Conversion/TensorEval.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Matchers.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace neuroc;

std::shared_ptr<HostTensor> neuroc::toHost(ElementsAttr attribute) {
  auto dense = dyn_cast_or_null<DenseElementsAttr>(attribute);
  if (!dense)
    return nullptr;
  auto tensor = std::make_shared<HostTensor>();
  tensor->shape.assign(dense.getType().getShape().begin(),
                       dense.getType().getShape().end());
  tensor->element = dense.getElementType();
  tensor->data.reserve(dense.getNumElements());
  if (tensor->element.isF32()) {
    for (float value : dense.getValues<float>())
      tensor->data.push_back({.f = value});
  } else if (isa<FloatType>(tensor->element)) {
    for (APFloat value : dense.getValues<APFloat>()) {
      bool lost;
      value.convert(APFloat::IEEEdouble(), APFloat::rmNearestTiesToEven, &lost);
      tensor->data.push_back({.f = value.convertToDouble()});
    }
  } else if (tensor->element.isIntOrIndex()) {
    for (APInt value : dense.getValues<APInt>()) {
      HostScalar scalar;
      scalar.i = value.getSExtValue();
      tensor->data.push_back(scalar);
    }
  } else {
    return nullptr;
  }
  return tensor;
}

DenseElementsAttr neuroc::toAttribute(const HostTensor &tensor) {
  auto type = tensor.type();
  if (tensor.element.isF32()) {
    std::vector<float> values;
    values.reserve(tensor.data.size());
    for (HostScalar value : tensor.data)
      values.push_back(float(value.f));
    return DenseElementsAttr::get(type, ArrayRef(values));
  }
  if (auto real = dyn_cast<FloatType>(tensor.element)) {
    std::vector<APFloat> values;
    for (HostScalar value : tensor.data) {
      values.emplace_back(value.f);
      bool lost;
      values.back().convert(real.getFloatSemantics(),
                            APFloat::rmNearestTiesToEven, &lost);
    }
    return DenseElementsAttr::get(type, ArrayRef(values));
  }
  unsigned width =
      tensor.element.isIndex() ? 64 : tensor.element.getIntOrFloatBitWidth();
  std::vector<APInt> values;
  values.reserve(tensor.data.size());
  for (HostScalar value : tensor.data)
    values.emplace_back(width, uint64_t(value.i), /*isSigned=*/true,
                        /*implicitTrunc=*/true);
  return DenseElementsAttr::get(type, ArrayRef(values));
}

static bool isLinear(AffineExpr expr) {
  bool linear = true;
  expr.walk([&](AffineExpr inner) {
    AffineExprKind kind = inner.getKind();
    linear &= kind != AffineExprKind::Mod && kind != AffineExprKind::FloorDiv &&
              kind != AffineExprKind::CeilDiv &&
              kind != AffineExprKind::SymbolId;
  });
  return linear;
}

std::optional<LinearAccess> neuroc::linearAccess(AffineMap map,
                                                 ArrayRef<int64_t> shape) {
  for (AffineExpr expr : map.getResults())
    if (!isLinear(expr))
      return std::nullopt;
  auto offsetAt = [&](ArrayRef<int64_t> index) {
    int64_t offset = 0;
    SmallVector<int64_t, 4> position = map.compose(index);
    for (auto [d, extent] : llvm::enumerate(shape))
      offset = offset * extent + position[d];
    return offset;
  };
  LinearAccess access;
  SmallVector<int64_t, 8> index(map.getNumDims(), 0);
  access.base = offsetAt(index);
  for (unsigned d = 0; d < map.getNumDims(); ++d) {
    index[d] = 1;
    access.strides.push_back(offsetAt(index) - access.base);
    index[d] = 0;
  }
  return access;
}

bool neuroc::nextIndex(MutableArrayRef<int64_t> index,
                       ArrayRef<int64_t> shape) {
  for (size_t d = shape.size(); d-- > 0;) {
    if (++index[d] < shape[d])
      return true;
    index[d] = 0;
  }
  return false;
}

void TensorEval::bind(Value value, std::shared_ptr<HostTensor> tensor) {
  known[value] = std::move(tensor);
}

std::shared_ptr<HostTensor> TensorEval::evaluate(Value value) {
  auto found = known.find(value);
  if (found != known.end())
    return found->second;
  auto result = dyn_cast<OpResult>(value);
  auto type = dyn_cast<RankedTensorType>(value.getType());
  if (!result || !type || !type.hasStaticShape()) {
    blocked = value;
    return nullptr;
  }
  auto tensor = evaluateOp(result.getOwner(), result.getResultNumber());
  if (!tensor) {
    if (!blocked)
      blocked = value;
    return nullptr;
  }
  known[value] = tensor;
  return tensor;
}

static std::shared_ptr<HostTensor> makeTensor(Type type) {
  auto ranked = cast<RankedTensorType>(type);
  auto tensor = std::make_shared<HostTensor>();
  tensor->shape.assign(ranked.getShape().begin(), ranked.getShape().end());
  tensor->element = ranked.getElementType();
  HostScalar zero;
  zero.i = 0;
  tensor->data.assign(ranked.getNumElements(), zero);
  return tensor;
}

/// Offsets of the elements of a slice within its source, in slice order.
static SmallVector<int64_t, 0> sliceOffsets(ArrayRef<int64_t> source,
                                            ArrayRef<int64_t> offsets,
                                            ArrayRef<int64_t> sizes,
                                            ArrayRef<int64_t> strides) {
  SmallVector<int64_t, 0> result;
  if (llvm::is_contained(sizes, 0))
    return result;
  SmallVector<int64_t, 6> index(sizes.size(), 0);
  do {
    int64_t offset = 0;
    for (size_t d = 0; d < source.size(); ++d)
      offset = offset * source[d] + offsets[d] + index[d] * strides[d];
    result.push_back(offset);
  } while (nextIndex(index, sizes));
  return result;
}

std::shared_ptr<HostTensor> TensorEval::evaluateOp(Operation *op,
                                                   unsigned result) {
  DenseElementsAttr constant;
  if (matchPattern(op, m_Constant(&constant)))
    return toHost(constant);
  if (isa<tensor::EmptyOp>(op))
    return makeTensor(op->getResult(0).getType());
  if (isa<tensor::CollapseShapeOp, tensor::ExpandShapeOp, tensor::CastOp>(op)) {
    auto source = evaluate(op->getOperand(0));
    if (!source)
      return nullptr;
    auto tensor = std::make_shared<HostTensor>(*source);
    auto type = cast<RankedTensorType>(op->getResult(0).getType());
    tensor->shape.assign(type.getShape().begin(), type.getShape().end());
    return tensor;
  }
  if (auto slice = dyn_cast<tensor::ExtractSliceOp>(op)) {
    auto source = evaluate(slice.getSource());
    if (!source || !slice.getOffsets().empty() || !slice.getSizes().empty() ||
        !slice.getStrides().empty())
      return nullptr;
    auto tensor = makeTensor(slice.getType());
    auto offsets =
        sliceOffsets(source->shape, slice.getStaticOffsets(),
                     slice.getStaticSizes(), slice.getStaticStrides());
    for (auto [i, offset] : llvm::enumerate(offsets))
      tensor->data[i] = source->data[offset];
    return tensor;
  }
  if (auto slice = dyn_cast<tensor::InsertSliceOp>(op)) {
    auto source = evaluate(slice.getSource());
    auto dest = source ? evaluate(slice.getDest()) : nullptr;
    if (!dest || !slice.getOffsets().empty() || !slice.getSizes().empty() ||
        !slice.getStrides().empty())
      return nullptr;
    auto tensor = std::make_shared<HostTensor>(*dest);
    auto offsets =
        sliceOffsets(dest->shape, slice.getStaticOffsets(),
                     slice.getStaticSizes(), slice.getStaticStrides());
    for (auto [i, offset] : llvm::enumerate(offsets))
      tensor->data[offset] = source->data[i];
    return tensor;
  }
  if (auto generic = dyn_cast<linalg::LinalgOp>(op))
    return evaluateGeneric(generic) ? known.lookup(op->getResult(result))
                                    : nullptr;
  return nullptr;
}

bool TensorEval::evaluateGeneric(linalg::LinalgOp op) {
  if (!op.hasPureTensorSemantics() || op.hasDynamicShape())
    return false;
  // linalg.fill takes a scalar operand; all others take tensors.
  SmallVector<std::shared_ptr<HostTensor>, 4> inputs;
  SmallVector<LinearAccess, 4> accesses;
  for (OpOperand &operand : op->getOpOperands()) {
    std::shared_ptr<HostTensor> tensor;
    bool isOutput = op.isDpsInit(&operand);
    if (isa<RankedTensorType>(operand.get().getType())) {
      tensor = evaluate(operand.get());
    } else {
      Attribute constant;
      if (!matchPattern(operand.get(), m_Constant(&constant)))
        return false;
      tensor = std::make_shared<HostTensor>();
      tensor->element = operand.get().getType();
      HostScalar value;
      if (auto number = dyn_cast<FloatAttr>(constant))
        value.f = number.getValueAsDouble();
      else if (auto number = dyn_cast<IntegerAttr>(constant))
        value.i = number.getValue().getSExtValue();
      else
        return false;
      tensor->data.push_back(value);
    }
    if (!tensor)
      return false;
    if (isOutput)
      tensor = std::make_shared<HostTensor>(*tensor);
    auto access =
        linearAccess(op.getMatchingIndexingMap(&operand), tensor->shape);
    if (!access)
      return false;
    inputs.push_back(std::move(tensor));
    accesses.push_back(std::move(*access));
  }
  Block *body = op.getBlock();
  auto program = ScalarProgram::compile(*body, *this);
  if (!program)
    return false;
  SmallVector<int64_t, 4> ranges = op.getStaticLoopRanges();
  unsigned firstOutput = op.getNumDpsInputs();
  SmallVector<unsigned, 2> yields;
  for (Value value : body->getTerminator()->getOperands())
    yields.push_back(program->slot(value));
  if (!llvm::is_contained(ranges, 0)) {
    std::vector<HostScalar> slots(program->numSlots());
    SmallVector<int64_t, 8> index(ranges.size(), 0);
    do {
      for (unsigned i = 0; i < inputs.size(); ++i)
        slots[i] = inputs[i]->data[accesses[i].at(index)];
      program->run(slots.data(), index.data());
      for (auto [r, slot] : llvm::enumerate(yields))
        inputs[firstOutput + r]->data[accesses[firstOutput + r].at(index)] =
            slots[slot];
    } while (nextIndex(index, ranges));
  }
  for (unsigned r = 0; r < op->getNumResults(); ++r)
    known[op->getResult(r)] = inputs[firstOutput + r];
  return true;
}
