// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Operators that move elements without computing: reshapes, transposes,
// slices, joins, splits, padding and gathers; and the sources of constants.
#include "Importer.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

#include <limits>
#include <numeric>

using namespace mlir;
using namespace neuroc;
using namespace neuroc::onnx;

namespace {

LogicalResult arity(NodeContext &c, unsigned least) {
  for (unsigned i = 0; i < least; ++i)
    if (!c.has(i))
      return c.error("input " + Twine(i) + " is missing");
  return success();
}

/// A list that is an attribute before `since` and input `index` from it on.
FailureOr<std::optional<Shape>> listOf(NodeContext &c, StringRef name,
                                       unsigned index, int64_t since) {
  if (c.opset < since)
    return c.getInts(name);
  if (!c.has(index))
    return std::optional<Shape>();
  auto given = c.constantInts(index, name);
  if (failed(given))
    return failure();
  return std::optional<Shape>(*given);
}

LogicalResult identity(NodeContext &c) {
  if (failed(arity(c, 1)))
    return failure();
  return c.set(0, c.in(0), c.kind(0));
}

LogicalResult constant(NodeContext &c) {
  MLIRContext *context = c.build.builder.getContext();
  auto list = [&](auto values, bool scalar, Type type, int32_t kind) {
    Shape shape;
    if (!scalar)
      shape.push_back(values.size());
    return c.setConstant(
        0, DenseElementsAttr::get(RankedTensorType::get(shape, type), values),
        kind);
  };
  if (auto *a = c.attribute("value"); a && a->tensor) {
    DenseElementsAttr value = c.reader().read(*a->tensor, c.build.loc);
    return value ? c.setConstant(0, value, a->tensor->kind) : failure();
  }
  Type real = Float32Type::get(context),
       integer = IntegerType::get(context, 64);
  if (auto *a = c.attribute("value_float"))
    return list(ArrayRef<float>(a->f), true, real, Float);
  if (auto *a = c.attribute("value_floats"))
    return list(ArrayRef<float>(a->floats), false, real, Float);
  if (auto *a = c.attribute("value_int"))
    return list(ArrayRef<int64_t>(a->i), true, integer, Int64);
  if (auto *a = c.attribute("value_ints"))
    return list(ArrayRef<int64_t>(a->ints), false, integer, Int64);
  return c.error("strings and sparse values are not supported");
}

LogicalResult shape(NodeContext &c) {
  if (failed(arity(c, 1)))
    return failure();
  int64_t rank = c.rank(0), start = 0, end = rank;
  if (c.opset >= 15) {
    auto clamp = [&](int64_t v) {
      return std::clamp<int64_t>(v < 0 ? v + rank : v, 0, rank);
    };
    start = clamp(c.getInt("start", 0));
    end = clamp(c.getInt("end", rank));
  }
  ArrayRef<int64_t> dims =
      c.shape(0).slice(start, std::max<int64_t>(end - start, 0));
  auto type = RankedTensorType::get({int64_t(dims.size())},
                                    c.build.builder.getI64Type());
  return c.setConstant(0, DenseElementsAttr::get(type, dims), Int64);
}

LogicalResult reshape(NodeContext &c) {
  if (failed(arity(c, 1)))
    return failure();
  auto given = listOf(c, "shape", 1, 5);
  if (failed(given))
    return failure();
  if (!*given)
    return c.error("the shape is missing");
  Shape result = **given;
  bool literalZero = c.opset >= 14 && c.getInt("allowzero", 0);
  int64_t unknown = -1, known = 1;
  for (auto [d, extent] : llvm::enumerate(result)) {
    if (extent == 0 && !literalZero) {
      if (int64_t(d) >= c.rank(0))
        return c.error("extent 0 at position " + Twine(d) +
                       " copies a dimension that the input does not have");
      extent = c.shape(0)[d];
    }
    if (extent == -1) {
      if (unknown >= 0)
        return c.error("the shape has -1 twice");
      unknown = d;
    } else if (extent < 0) {
      return c.error("extent " + Twine(extent) + " is not possible");
    } else {
      known *= extent;
    }
  }
  int64_t count = product(c.shape(0));
  if (unknown >= 0) {
    if (known == 0 || count % known)
      return c.error("-1 can't be inferred: " + Twine(count) +
                     " elements, the other extents give " + Twine(known));
    result[unknown] = count / known;
  } else if (known != count) {
    return c.error(Twine(count) + " elements can't be given a shape of " +
                   Twine(known));
  }
  return c.set(0, c.build.reshape(c.in(0), result), c.kind(0));
}

LogicalResult flatten(NodeContext &c) {
  if (failed(arity(c, 1)))
    return failure();
  int64_t axis = c.getInt("axis", 1), rank = c.rank(0);
  if (axis < 0)
    axis += rank;
  if (axis < 0 || axis > rank)
    return c.error("axis is outside the input's dimensions");
  ArrayRef<int64_t> dims = c.shape(0);
  return c.set(0,
               c.build.reshape(c.in(0), {product(dims.take_front(axis)),
                                         product(dims.drop_front(axis))}),
               c.kind(0));
}

LogicalResult squeeze(NodeContext &c) {
  if (failed(arity(c, 1)))
    return failure();
  auto given = listOf(c, "axes", 1, 13);
  if (failed(given))
    return failure();
  auto axes = c.axes(given->value_or(Shape()), c.rank(0));
  if (failed(axes))
    return failure();
  Shape result;
  for (auto [d, extent] : llvm::enumerate(c.shape(0))) {
    bool named = llvm::is_contained(*axes, int64_t(d));
    if (named && extent != 1)
      return c.error("axis " + Twine(d) + " has extent " + Twine(extent) +
                     ", not 1");
    if (!named && (*given || extent != 1))
      result.push_back(extent);
  }
  return c.set(0, c.build.reshape(c.in(0), result), c.kind(0));
}

LogicalResult unsqueeze(NodeContext &c) {
  if (failed(arity(c, 1)))
    return failure();
  auto given = listOf(c, "axes", 1, 13);
  if (failed(given))
    return failure();
  if (!*given)
    return c.error("the axes are missing");
  int64_t rank = c.rank(0) + (*given)->size();
  auto axes = c.axes(**given, rank); // of the output
  if (failed(axes))
    return failure();
  Shape result;
  size_t next = 0;
  for (int64_t d = 0; d < rank; ++d)
    result.push_back(llvm::is_contained(*axes, d) ? 1 : c.shape(0)[next++]);
  return c.set(0, c.build.reshape(c.in(0), result), c.kind(0));
}

LogicalResult transpose(NodeContext &c) {
  if (failed(arity(c, 1)))
    return failure();
  int64_t rank = c.rank(0);
  Shape permutation(rank);
  for (int64_t d = 0; d < rank; ++d)
    permutation[d] = rank - 1 - d;
  if (auto given = c.getInts("perm"); given && !given->empty()) {
    auto checked = c.axes(*given, rank);
    if (failed(checked) || int64_t(checked->size()) != rank)
      return c.error("perm is not a permutation of the dimensions");
    permutation = *checked;
  }
  return c.set(0, c.build.transpose(c.in(0), permutation), c.kind(0));
}

LogicalResult concat(NodeContext &c) {
  if (failed(arity(c, 1)))
    return failure();
  auto axis = c.axis(c.getInt("axis", 1), c.rank(0));
  if (failed(axis))
    return failure();
  SmallVector<Value> inputs;
  for (unsigned i = 0; i < c.numInputs(); ++i) {
    if (failed(arity(c, i + 1)))
      return failure();
    bool fits = c.rank(i) == c.rank(0) && c.element(i) == c.element(0);
    for (int64_t d = 0; fits && d < c.rank(0); ++d)
      fits = d == *axis || c.shape(i)[d] == c.shape(0)[d];
    if (!fits)
      return c.error("input " + Twine(i) +
                     " differs from input 0 in type or off the axis");
    inputs.push_back(c.in(i));
  }
  return c.set(0, c.build.concat(inputs, *axis), c.kind(0));
}

LogicalResult split(NodeContext &c) {
  if (failed(arity(c, 1)))
    return failure();
  auto axis = c.axis(c.getInt("axis", 0), c.rank(0));
  auto given = listOf(c, "split", 1, 13);
  if (failed(axis) || failed(given))
    return failure();
  int64_t extent = c.shape(0)[*axis], parts = c.numOutputs();
  Shape sizes;
  if (*given && !(*given)->empty()) {
    sizes = **given;
  } else {
    if (c.opset >= 18)
      parts = c.getInt("num_outputs", parts);
    if (parts <= 0)
      return c.error("the number of parts must be positive");
    int64_t chunk = (extent + parts - 1) / parts; // the last may be smaller
    for (int64_t left = extent, i = 0; i < parts; ++i, left -= chunk)
      sizes.push_back(std::clamp<int64_t>(left, 0, chunk));
  }
  int64_t total = 0;
  for (int64_t size : sizes) {
    if (size < 0)
      return c.error("part sizes must not be negative");
    total += size;
  }
  if (total != extent || sizes.size() < c.numOutputs())
    return c.error("the parts have " + Twine(total) + " positions, the axis " +
                   Twine(extent));
  Shape starts(c.rank(0), 0), shape(c.shape(0)), steps(c.rank(0), 1);
  for (unsigned i = 0; i < c.numOutputs(); ++i) {
    shape[*axis] = sizes[i];
    if (c.wants(i) &&
        failed(
            c.set(i, c.build.slice(c.in(0), starts, shape, steps), c.kind(0))))
      return failure();
    starts[*axis] += sizes[i];
  }
  return success();
}

LogicalResult slice(NodeContext &c) {
  if (failed(arity(c, 1)))
    return failure();
  auto starts = listOf(c, "starts", 1, 10), ends = listOf(c, "ends", 2, 10);
  auto axes = listOf(c, "axes", 3, 10), steps = listOf(c, "steps", 4, 10);
  if (failed(starts) || failed(ends) || failed(axes) || failed(steps))
    return failure();
  if (!*starts || !*ends || (*starts)->size() != (*ends)->size())
    return c.error("starts and ends must both be given, equally long");
  size_t count = (*starts)->size();
  Shape along;
  if (*axes)
    along = **axes;
  else
    for (size_t d = 0; d < count; ++d)
      along.push_back(d);
  auto checked = c.axes(along, c.rank(0));
  if (failed(checked))
    return failure();
  Shape by = steps->value_or(Shape(count, 1));
  if (checked->size() != count || by.size() != count)
    return c.error("axes and steps must be as many as starts");
  Shape begin(c.rank(0), 0), sizes(c.shape(0)), step(c.rank(0), 1);
  for (size_t i = 0; i < count; ++i) {
    int64_t d = (*checked)[i], extent = c.shape(0)[d];
    if (by[i] == 0)
      return c.error("a step is 0");
    // Clamped as the specification says; the sentinels of "to the end" and
    // INT64_MIN need care to not overflow.
    auto clamp = [&](int64_t v, int64_t low, int64_t high) {
      if (v < 0)
        v = v < -extent ? -1 : v + extent;
      return std::clamp(v, low, high);
    };
    int64_t s, e;
    if (by[i] > 0) {
      s = clamp((**starts)[i], 0, extent);
      e = clamp((**ends)[i], 0, extent);
    } else {
      s = clamp((**starts)[i], 0, extent - 1);
      e = clamp((**ends)[i], -1, extent - 1);
    }
    // Steps longer than the axis take one position: keep them small.
    int64_t stride = std::clamp<int64_t>(by[i], -extent - 1, extent + 1);
    int64_t length = stride > 0 ? (e - s + stride - 1) / stride
                                : (s - e - stride - 1) / -stride;
    begin[d] = s;
    step[d] = stride;
    sizes[d] = std::max<int64_t>(length, 0);
  }
  return c.set(0, c.build.slice(c.in(0), begin, sizes, step), c.kind(0));
}

LogicalResult gather(NodeContext &c) {
  if (failed(arity(c, 2)))
    return failure();
  auto axis = c.axis(c.getInt("axis", 0), c.rank(0));
  if (failed(axis))
    return failure();
  if (!isa<IntegerType>(c.element(1)))
    return c.error("indices must be integers");
  int64_t extent = c.shape(0)[*axis];
  if (c.isConstant(1)) {
    auto indices = c.constantInts(1, "indices");
    for (int64_t index : *indices)
      if (index < -extent || index >= extent)
        return c.error("index " + Twine(index) + " is outside the axis of " +
                       Twine(extent));
  }
  if (extent == 0)
    return c.error("the axis is empty");
  return c.set(0, c.build.gather(c.in(0), c.in(1), *axis), c.kind(0));
}

/// Source positions of a padded axis for the modes that repeat elements.
FailureOr<Shape> padPositions(NodeContext &c, StringRef mode, int64_t extent,
                              int64_t low, int64_t high) {
  Shape positions;
  for (int64_t i = -low; i < extent + high; ++i) {
    if (extent == 0)
      return c.error("mode '" + mode + "' needs elements to repeat");
    if (mode == "edge") {
      positions.push_back(std::clamp<int64_t>(i, 0, extent - 1));
    } else if (mode == "wrap") {
      positions.push_back(((i % extent) + extent) % extent);
    } else { // reflect: the border itself is not repeated
      int64_t period = std::max<int64_t>(2 * (extent - 1), 1);
      int64_t p = ((i % period) + period) % period;
      positions.push_back(p < extent ? p : period - p);
    }
  }
  return positions;
}

LogicalResult pad(NodeContext &c) {
  if (failed(arity(c, 1)))
    return failure();
  int64_t rank = c.rank(0);
  auto given = listOf(c, c.opset < 2 ? "paddings" : "pads", 1, 11);
  if (failed(given))
    return failure();
  Shape axes;
  if (c.opset >= 18 && c.has(3)) {
    auto named = c.constantInts(3, "axes");
    if (failed(named))
      return failure();
    auto checked = c.axes(*named, rank);
    if (failed(checked))
      return failure();
    axes = *checked;
  } else {
    for (int64_t d = 0; d < rank; ++d)
      axes.push_back(d);
  }
  if (!*given || (*given)->size() != 2 * axes.size())
    return c.error("pads must have two numbers for each axis");
  Shape low(rank, 0), high(rank, 0);
  for (auto [i, d] : llvm::enumerate(axes)) {
    low[d] = (**given)[i];
    high[d] = (**given)[i + axes.size()];
  }
  StringRef mode = c.getString("mode", "constant");
  if (mode != "constant" && mode != "reflect" && mode != "edge" &&
      mode != "wrap")
    return c.error("mode '" + mode + "' is not known");
  // Negative pads crop first.
  Shape starts(rank, 0), sizes(c.shape(0)), steps(rank, 1);
  for (int64_t d = 0; d < rank; ++d) {
    starts[d] = std::max<int64_t>(-low[d], 0);
    sizes[d] -= starts[d] + std::max<int64_t>(-high[d], 0);
    if (sizes[d] < 0)
      return c.error("negative pads remove more than axis " + Twine(d) +
                     " has");
    low[d] = std::max<int64_t>(low[d], 0);
    high[d] = std::max<int64_t>(high[d], 0);
  }
  Value x = c.in(0);
  if (ArrayRef<int64_t>(sizes) != shapeOf(x))
    x = c.build.slice(x, starts, sizes, steps);
  if (mode != "constant") {
    for (int64_t d = 0; d < rank; ++d) {
      if (!low[d] && !high[d])
        continue;
      auto positions = padPositions(c, mode, shapeOf(x)[d], low[d], high[d]);
      if (failed(positions))
        return failure();
      x = c.build.gather(x, c.build.indexConstant(*positions), d);
    }
    return c.set(0, x, c.kind(0));
  }
  bool fromInput = c.opset >= 11 && c.has(2);
  if (!fromInput || c.isConstant(2)) {
    double value = c.opset < 11 ? c.getFloat("value", 0) : 0;
    if (fromInput) {
      auto number = c.constantNumber(2, "constant_value");
      if (failed(number))
        return failure();
      value = *number;
    }
    return c.set(0,
                 c.build.pad(x, low, high, c.build.scalar(c.element(0), value)),
                 c.kind(0));
  }
  if (product(c.shape(2)) != 1 || c.element(2) != c.element(0))
    return c.error("constant_value must be one number of the input's type");
  Shape shape(shapeOf(x));
  for (int64_t d = 0; d < rank; ++d)
    shape[d] += low[d] + high[d];
  Value base = c.build.broadcast(c.build.reshape(c.in(2), {}), shape);
  return c.set(0, c.build.insert(x, base, low), c.kind(0));
}

} // namespace

void neuroc::onnx::addShapeOperators(
    std::map<std::string, Translation, std::less<>> &map) {
  map["Identity"] = identity;
  map["Constant"] = constant;
  map["Shape"] = shape;
  map["Reshape"] = reshape;
  map["Flatten"] = flatten;
  map["Squeeze"] = squeeze;
  map["Unsqueeze"] = unsqueeze;
  map["Transpose"] = transpose;
  map["Concat"] = concat;
  map["Split"] = split;
  map["Slice"] = slice;
  map["Gather"] = gather;
  map["Pad"] = pad;
}
