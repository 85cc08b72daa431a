// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The helpers with which operators are written. Broadcasting is in the
// indexing maps (a dimension of extent 1 is read at 0), so no operand is ever
// copied to a larger shape.
#include "TensorBuilder.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

#include <limits>
#include <numeric>

using namespace mlir;
using namespace neuroc::onnx;

int64_t neuroc::onnx::product(ArrayRef<int64_t> values) {
  int64_t result = 1;
  for (int64_t value : values)
    result *= value;
  return result;
}

std::optional<Shape> neuroc::onnx::broadcastShapes(ArrayRef<int64_t> a,
                                                   ArrayRef<int64_t> b) {
  Shape result(std::max(a.size(), b.size()));
  for (size_t i = 0; i < result.size(); ++i) {
    int64_t x = i < a.size() ? a[a.size() - 1 - i] : 1;
    int64_t y = i < b.size() ? b[b.size() - 1 - i] : 1;
    if (x != y && x != 1 && y != 1)
      return std::nullopt;
    result[result.size() - 1 - i] = x == 1 ? y : x;
  }
  return result;
}

TypedAttr TensorBuilder::scalar(Type type, double value) const {
  if (isa<FloatType>(type))
    return builder.getFloatAttr(type, value);
  return builder.getIntegerAttr(type, int64_t(value));
}

Value TensorBuilder::number(Type type, double value) const {
  return arith::ConstantOp::create(builder, loc, scalar(type, value));
}

Value TensorBuilder::empty(ArrayRef<int64_t> shape, Type element) const {
  return tensor::EmptyOp::create(builder, loc, shape, element);
}

Value TensorBuilder::fill(ArrayRef<int64_t> shape, TypedAttr value) const {
  Value number = arith::ConstantOp::create(builder, loc, value);
  return linalg::FillOp::create(builder, loc, number,
                                empty(shape, value.getType()))
      .getResult(0);
}

Value TensorBuilder::constant(DenseElementsAttr value) const {
  return arith::ConstantOp::create(builder, loc, value);
}

Value TensorBuilder::indexConstant(ArrayRef<int64_t> values) const {
  auto type =
      RankedTensorType::get({int64_t(values.size())}, builder.getI64Type());
  return constant(DenseElementsAttr::get(type, values));
}

SmallVector<Value, 2>
TensorBuilder::generic(ArrayRef<Value> inputs, ArrayRef<Value> outputs,
                       ArrayRef<AffineMap> maps, unsigned numParallel,
                       unsigned numReduction, BodyFn body) const {
  SmallVector<utils::IteratorType> iterators(numParallel,
                                             utils::IteratorType::parallel);
  iterators.append(numReduction, utils::IteratorType::reduction);
  SmallVector<Type> types;
  for (Value output : outputs)
    types.push_back(output.getType());
  auto op = linalg::GenericOp::create(
      builder, loc, types, inputs, outputs, maps, iterators,
      [&](OpBuilder &b, Location l, ValueRange args) { body(b, l, args); });
  return SmallVector<Value, 2>(op.getResults());
}

Value TensorBuilder::map(ArrayRef<Value> inputs, ArrayRef<int64_t> shape,
                         Type element, ScalarFn body) const {
  MLIRContext *context = builder.getContext();
  unsigned rank = shape.size();
  SmallVector<AffineMap> maps;
  for (Value input : inputs) {
    ArrayRef<int64_t> from = shapeOf(input);
    SmallVector<AffineExpr> exprs;
    for (size_t d = 0; d < from.size(); ++d) {
      unsigned to = rank - from.size() + d;
      exprs.push_back(from[d] == 1 && shape[to] != 1
                          ? getAffineConstantExpr(0, context)
                          : getAffineDimExpr(to, context));
    }
    maps.push_back(AffineMap::get(rank, 0, exprs, context));
  }
  maps.push_back(AffineMap::getMultiDimIdentityMap(rank, context));
  return generic(inputs, {empty(shape, element)}, maps, rank, 0,
                 [&](OpBuilder &b, Location l, ValueRange args) {
                   linalg::YieldOp::create(b, l, body(b, l, args.drop_back()));
                 })[0];
}

Value TensorBuilder::mapSame(Value input, ScalarFn body) const {
  return map({input}, shapeOf(input), elementOf(input), body);
}

Value TensorBuilder::reduce(Value input, ArrayRef<int64_t> axes, bool keep,
                            TypedAttr init, ScalarFn combine) const {
  ArrayRef<int64_t> from = shapeOf(input);
  unsigned rank = from.size();
  MLIRContext *context = builder.getContext();
  // Loops: kept dimensions first, then the reduced ones.
  Shape kept, result;
  SmallVector<AffineExpr> inputExprs(rank), outputExprs;
  unsigned parallel = 0;
  for (unsigned d = 0; d < rank; ++d)
    parallel += !llvm::is_contained(axes, int64_t(d));
  unsigned nextParallel = 0, nextReduction = parallel;
  for (unsigned d = 0; d < rank; ++d) {
    bool reduced = llvm::is_contained(axes, int64_t(d));
    inputExprs[d] =
        getAffineDimExpr(reduced ? nextReduction++ : nextParallel, context);
    if (!reduced) {
      outputExprs.push_back(getAffineDimExpr(nextParallel++, context));
      kept.push_back(from[d]);
      result.push_back(from[d]);
    } else if (keep) {
      result.push_back(1);
    }
  }
  Value output = generic({input}, {fill(kept, init)},
                         {AffineMap::get(rank, 0, inputExprs, context),
                          AffineMap::get(rank, 0, outputExprs, context)},
                         parallel, rank - parallel,
                         [&](OpBuilder &b, Location l, ValueRange args) {
                           linalg::YieldOp::create(b, l, combine(b, l, args));
                         })[0];
  return reshape(output, result);
}

Value TensorBuilder::reduceSum(Value input, ArrayRef<int64_t> axes,
                               bool keep) const {
  Type element = elementOf(input);
  return reduce(input, axes, keep, scalar(element, 0),
                [&](OpBuilder &b, Location l, ValueRange v) -> Value {
                  if (isa<FloatType>(element))
                    return arith::AddFOp::create(b, l, v[1], v[0]);
                  return arith::AddIOp::create(b, l, v[1], v[0]);
                });
}

Value TensorBuilder::reduceMax(Value input, ArrayRef<int64_t> axes,
                               bool keep) const {
  Type element = elementOf(input);
  return reduce(input, axes, keep,
                scalar(element, -std::numeric_limits<double>::infinity()),
                [&](OpBuilder &b, Location l, ValueRange v) -> Value {
                  return arith::MaximumFOp::create(b, l, v[1], v[0]);
                });
}

Value TensorBuilder::reshape(Value input, ArrayRef<int64_t> shape) const {
  if (shapeOf(input) == shape)
    return input;
  Type element = elementOf(input);
  int64_t count = product(shape);
  if (count == 0)
    return empty(shape, element);
  // Through one dimension: [a, b, c] -> [a*b*c] -> [d, e].
  if (shapeOf(input).size() != 1) {
    SmallVector<ReassociationIndices, 1> all;
    if (!shapeOf(input).empty()) {
      all.emplace_back();
      for (size_t d = 0; d < shapeOf(input).size(); ++d)
        all.back().push_back(d);
      input = tensor::CollapseShapeOp::create(
          builder, loc, RankedTensorType::get({count}, element), input, all);
    } else {
      input = tensor::ExpandShapeOp::create(
          builder, loc, RankedTensorType::get({count}, element), input,
          ArrayRef<ReassociationIndices>{});
    }
  }
  if (shape.size() == 1)
    return input;
  SmallVector<ReassociationIndices, 1> all;
  auto type = RankedTensorType::get(shape, element);
  if (shape.empty())
    return tensor::CollapseShapeOp::create(builder, loc, type, input,
                                           ArrayRef<ReassociationIndices>{});
  all.emplace_back();
  for (size_t d = 0; d < shape.size(); ++d)
    all.back().push_back(d);
  return tensor::ExpandShapeOp::create(builder, loc, type, input, all);
}

Value TensorBuilder::broadcast(Value input, ArrayRef<int64_t> shape) const {
  if (shapeOf(input) == shape)
    return input;
  return map({input}, shape, elementOf(input),
             [](OpBuilder &, Location, ValueRange v) { return v[0]; });
}

Value TensorBuilder::transpose(Value input,
                               ArrayRef<int64_t> permutation) const {
  MLIRContext *context = builder.getContext();
  unsigned rank = permutation.size();
  Shape shape(rank);
  SmallVector<AffineExpr> exprs(rank);
  for (unsigned d = 0; d < rank; ++d) {
    shape[d] = shapeOf(input)[permutation[d]];
    exprs[permutation[d]] = getAffineDimExpr(d, context);
  }
  return generic({input}, {empty(shape, elementOf(input))},
                 {AffineMap::get(rank, 0, exprs, context),
                  AffineMap::getMultiDimIdentityMap(rank, context)},
                 rank, 0, [](OpBuilder &b, Location l, ValueRange args) {
                   linalg::YieldOp::create(b, l, args[0]);
                 })[0];
}

Value TensorBuilder::slice(Value input, ArrayRef<int64_t> starts,
                           ArrayRef<int64_t> sizes,
                           ArrayRef<int64_t> steps) const {
  Type element = elementOf(input);
  if (llvm::is_contained(sizes, 0))
    return empty(sizes, element);
  bool backward = llvm::any_of(steps, [](int64_t step) { return step < 0; });
  if (!backward) {
    auto attrs = [&](ArrayRef<int64_t> values) {
      return getAsIndexOpFoldResult(builder.getContext(), values);
    };
    return tensor::ExtractSliceOp::create(
        builder, loc, RankedTensorType::get(sizes, element), input,
        attrs(starts), attrs(sizes), attrs(steps));
  }
  MLIRContext *context = builder.getContext();
  SmallVector<AffineExpr> exprs;
  for (size_t d = 0; d < sizes.size(); ++d)
    exprs.push_back(getAffineDimExpr(d, context) * steps[d] + starts[d]);
  return generic({input}, {empty(sizes, element)},
                 {AffineMap::get(sizes.size(), 0, exprs, context),
                  AffineMap::getMultiDimIdentityMap(sizes.size(), context)},
                 sizes.size(), 0,
                 [](OpBuilder &b, Location l, ValueRange args) {
                   linalg::YieldOp::create(b, l, args[0]);
                 })[0];
}

Value TensorBuilder::insert(Value source, Value dest,
                            ArrayRef<int64_t> offsets) const {
  if (product(shapeOf(source)) == 0)
    return dest;
  auto attrs = [&](ArrayRef<int64_t> values) {
    return getAsIndexOpFoldResult(builder.getContext(), values);
  };
  Shape ones(offsets.size(), 1);
  return tensor::InsertSliceOp::create(builder, loc, source, dest,
                                       attrs(offsets), attrs(shapeOf(source)),
                                       attrs(ones));
}

Value TensorBuilder::pad(Value input, ArrayRef<int64_t> low,
                         ArrayRef<int64_t> high, TypedAttr value) const {
  Shape shape(shapeOf(input));
  bool any = false;
  for (size_t d = 0; d < shape.size(); ++d) {
    shape[d] += low[d] + high[d];
    any |= low[d] || high[d];
  }
  return any ? insert(input, fill(shape, value), low) : input;
}

Value TensorBuilder::concat(ArrayRef<Value> inputs, int64_t axis) const {
  if (inputs.size() == 1)
    return inputs[0];
  Shape shape(shapeOf(inputs[0]));
  shape[axis] = 0;
  for (Value input : inputs)
    shape[axis] += shapeOf(input)[axis];
  Value result = empty(shape, elementOf(inputs[0]));
  Shape offsets(shape.size(), 0);
  for (Value input : inputs) {
    result = insert(input, result, offsets);
    offsets[axis] += shapeOf(input)[axis];
  }
  return result;
}

Value TensorBuilder::gather(Value input, Value indices, int64_t axis) const {
  MLIRContext *context = builder.getContext();
  ArrayRef<int64_t> from = shapeOf(input), by = shapeOf(indices);
  Shape shape(from.begin(), from.begin() + axis);
  shape.append(by.begin(), by.end());
  shape.append(from.begin() + axis + 1, from.end());
  unsigned rank = shape.size();
  SmallVector<AffineExpr> exprs;
  for (unsigned d = 0; d < by.size(); ++d)
    exprs.push_back(getAffineDimExpr(axis + d, context));
  int64_t extent = from[axis];
  return generic(
      {indices}, {empty(shape, elementOf(input))},
      {AffineMap::get(rank, 0, exprs, context),
       AffineMap::getMultiDimIdentityMap(rank, context)},
      rank, 0, [&](OpBuilder &b, Location l, ValueRange args) {
        Value index = args[0];
        if (!index.getType().isIndex())
          index = arith::IndexCastOp::create(b, l, b.getIndexType(), index);
        Value zero = arith::ConstantIndexOp::create(b, l, 0);
        Value end = arith::ConstantIndexOp::create(b, l, extent);
        Value last = arith::ConstantIndexOp::create(b, l, extent - 1);
        Value negative =
            arith::CmpIOp::create(b, l, arith::CmpIPredicate::slt, index, zero);
        Value wrapped = arith::AddIOp::create(b, l, index, end);
        index = arith::SelectOp::create(b, l, negative, wrapped, index);
        // An index outside the axis is an error of the data; memory stays safe.
        index = arith::MaxSIOp::create(b, l, index, zero);
        index = arith::MinSIOp::create(b, l, index, last);
        SmallVector<Value> position;
        for (unsigned d = 0; d < from.size(); ++d) {
          if (d == axis)
            position.push_back(index);
          else
            position.push_back(linalg::IndexOp::create(
                b, l, d < axis ? d : d + by.size() - 1));
        }
        linalg::YieldOp::create(
            b, l, tensor::ExtractOp::create(b, l, input, position).getResult());
      })[0];
}
