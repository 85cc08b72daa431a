// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A run of tensor operations becomes one function: signals are read from their
// buffers as tensors, the operations are copied, and results that others need
// are written to their buffers. Bufferization, later, finds that no copy of
// the inputs is needed. With f64 every f32 of the code is widened.

#include "Lowering.h"

#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "llvm/ADT/SetVector.h"

using namespace mlir;

namespace neuroc::cpu {

namespace {

/// Turns f32 into f64 in types, constants and other attributes of a clone.
class Widener {
public:
  Widener() {
    replacer.addReplacement([](Type type) -> std::optional<Type> {
      if (type.isF32())
        return Float64Type::get(type.getContext());
      return std::nullopt;
    });
    replacer.addReplacement([&](FloatAttr number) -> std::optional<Attribute> {
      if (!number.getType().isF32())
        return std::nullopt;
      return FloatAttr::get(Float64Type::get(number.getContext()),
                            number.getValueAsDouble());
    });
    replacer.addReplacement(
        [&](DenseElementsAttr elements)
            -> std::optional<std::pair<Attribute, WalkResult>> {
          if (!elements.getElementType().isF32())
            return std::nullopt;
          Type f64 = Float64Type::get(elements.getContext());
          Attribute wide = elements.mapValues(f64, [](const APFloat &value) {
            APFloat copy = value;
            bool lost;
            copy.convert(APFloat::IEEEdouble(), APFloat::rmNearestTiesToEven,
                         &lost);
            return copy.bitcastToAPInt();
          });
          return std::make_pair(wide, WalkResult::skip());
        });
    replacer.addReplacement(
        [&](DenseResourceElementsAttr elements)
            -> std::optional<std::pair<Attribute, WalkResult>> {
          auto floats = dyn_cast<DenseF32ResourceElementsAttr>(elements);
          if (!floats)
            return std::nullopt;
          auto values = floats.tryGetAsArrayRef();
          if (!values)
            return std::nullopt;
          std::vector<double> wide(values->begin(), values->end());
          Attribute result = DenseElementsAttr::get(
              elements.getType().clone(Float64Type::get(elements.getContext())),
              ArrayRef<double>(wide));
          return std::make_pair(result, WalkResult::skip());
        });
  }

  /// Fails for operations whose meaning depends on the width.
  LogicalResult widen(Operation *root) {
    bool bad = false;
    root->walk([&](Operation *op) {
      if (isa<arith::BitcastOp>(op)) {
        op->emitOpError("unsupported with f64: a bit pattern of f32 is read");
        bad = true;
      }
    });
    if (bad)
      return failure();
    replacer.recursivelyReplaceElementsIn(root, /*replaceAttrs=*/true,
                                          /*replaceLocs=*/false,
                                          /*replaceTypes=*/true);
    // Conversions between f32 and f64 have become the identity.
    root->walk([&](Operation *op) {
      if (isa<arith::ExtFOp, arith::TruncFOp>(op) && op != root &&
          op->getOperand(0).getType() == op->getResult(0).getType()) {
        op->getResult(0).replaceAllUsesWith(op->getOperand(0));
        op->erase();
      }
    });
    return success();
  }

private:
  AttrTypeReplacer replacer;
};

} // namespace

/// The memory of one lane of a signal's slot, in the signal's shape.
static Value slotMemref(Kernel &k, const Signal &signal, int64_t delay,
                        Value lane, RankedTensorType type) {
  Value base = k.memref(signal.buffer);
  SmallVector<int64_t> strides(type.getRank());
  int64_t stride = k.lanes;
  for (int64_t i = type.getRank() - 1; i >= 0; --i) {
    strides[i] = stride;
    stride *= type.getDimSize(i);
  }
  OpFoldResult offset = k.builder.getIndexAttr(0);
  int64_t staticOffset = 0;
  if (signal.depth > 1) {
    offset = k.slot(signal, delay);
    staticOffset = ShapedType::kDynamic;
  }
  if (k.lanes > 1) {
    offset = signal.depth > 1 ? k.add(k.slot(signal, delay), lane) : lane;
    staticOffset = ShapedType::kDynamic;
  }
  auto layout =
      StridedLayoutAttr::get(k.builder.getContext(), staticOffset, strides);
  auto memrefType =
      MemRefType::get(type.getShape(), signal.buffer.type.getElementType(),
                      staticOffset == 0 ? MemRefLayoutAttrInterface()
                                        : MemRefLayoutAttrInterface(layout));
  SmallVector<OpFoldResult> sizes, strideValues;
  for (auto [size, step] : llvm::zip(type.getShape(), strides)) {
    sizes.push_back(k.builder.getIndexAttr(size));
    strideValues.push_back(k.builder.getIndexAttr(step));
  }
  return memref::ReinterpretCastOp::create(k.builder, k.loc, memrefType, base,
                                           offset, sizes, strideValues);
}

LogicalResult Lowering::lowerTensors(ArrayRef<Operation *> ops) {
  std::string name = "tensor." + std::to_string(functionCount++);
  Kernel k(module, ops.front()->getLoc(), name, real);
  k.lanes = lanes;
  SmallVector<int64_t> given;
  LogicalResult result = success();
  k.forLanes([&](Value lane) {
    if (failed(emitTensors(k, ops, lane, given)))
      result = failure();
  });
  if (failed(result))
    return failure();
  k.finish();
  addItem({field("kind", "tensor"), field("function", name),
           field("outputs", ArrayRef<int64_t>(given))});
  return success();
}

LogicalResult Lowering::emitTensors(Kernel &k, ArrayRef<Operation *> ops,
                                    Value lane,
                                    SmallVectorImpl<int64_t> &given) {
  llvm::DenseSet<Operation *> inside(ops.begin(), ops.end());
  OpBuilder &b = k.builder;
  IRMapping mapping;

  // Values from outside, in order of first use; constants are copied in.
  llvm::SetVector<Value> inputs;
  SmallVector<Operation *> constants;
  llvm::DenseSet<Operation *> copied;
  for (Operation *op : ops)
    op->walk([&](Operation *inner) {
      for (Value operand : inner->getOperands()) {
        Operation *producer = operand.getDefiningOp();
        if (!producer || producer->getParentOp() != network ||
            inside.contains(producer))
          continue;
        if (producer->hasTrait<OpTrait::ConstantLike>()) {
          if (copied.insert(producer).second)
            constants.push_back(producer);
        } else {
          inputs.insert(operand);
        }
      }
    });

  for (Value input : inputs) {
    SignalUse source = use(input);
    auto type = dyn_cast<RankedTensorType>(input.getType());
    if (!type) { // a single number that another group computed
      Value value = k.load(source.signal->buffer,
                           k.add(k.slot(*source.signal, source.delay), lane));
      if (source.signal->isSpikes)
        value = arith::TruncIOp::create(b, k.loc, b.getI1Type(), value);
      if (input.getType().isIndex())
        value = arith::IndexCastOp::create(b, k.loc, b.getIndexType(), value);
      mapping.map(input, value);
      continue;
    }
    Type element = source.signal->buffer.type.getElementType();
    Value memory = slotMemref(k, *source.signal, source.delay, lane, type);
    Value tensor = bufferization::ToTensorOp::create(
        b, k.loc, RankedTensorType::get(type.getShape(), element), memory,
        /*restrict=*/true, /*writable=*/false);
    if (source.signal->isSpikes)
      tensor = arith::TruncIOp::create(
          b, k.loc, RankedTensorType::get(type.getShape(), b.getI1Type()),
          tensor);
    mapping.map(input, tensor);
  }

  Widener widener;
  LogicalResult result = success();
  auto copy = [&](Operation *op) {
    Operation *clone = b.clone(*op, mapping);
    if (isDouble && failed(widener.widen(clone)))
      result = failure();
    // A conversion that widening made trivial stands for its operand.
    if (isa<arith::ExtFOp, arith::TruncFOp>(clone) &&
        clone->getOperand(0).getType() == clone->getResult(0).getType()) {
      mapping.map(op->getResult(0), clone->getOperand(0));
      clone->erase();
    }
  };
  for (Operation *op : constants)
    copy(op);
  for (Operation *op : ops)
    copy(op);
  if (failed(result))
    return failure();

  for (Operation *op : ops)
    for (Value value : op->getResults()) {
      auto it = signalOf.find(value);
      if (it == signalOf.end())
        continue;
      const Signal &signal = *it->second;
      Value mapped = mapping.lookup(value);
      given.push_back(signal.number);
      auto type = dyn_cast<RankedTensorType>(value.getType());
      if (!type) {
        if (signal.isSpikes)
          mapped = arith::ExtUIOp::create(b, k.loc, b.getI8Type(), mapped);
        if (mapped.getType().isIndex())
          mapped = arith::IndexCastOp::create(b, k.loc, b.getI64Type(), mapped);
        k.store(mapped, signal.buffer, k.add(k.slot(signal), lane));
        continue;
      }
      if (signal.isSpikes)
        mapped = arith::ExtUIOp::create(
            b, k.loc, RankedTensorType::get(type.getShape(), b.getI8Type()),
            mapped);
      auto write = bufferization::MaterializeInDestinationOp::create(
          b, k.loc, Type(), mapped, slotMemref(k, signal, 0, lane, type));
      write.setRestrict(true);
      write.setWritable(true);
    }
  return success();
}

} // namespace neuroc::cpu
