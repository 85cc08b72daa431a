// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Operators that sum products or look through windows: Gemm, MatMul, Conv and
// the pools. Each is one linalg.generic over explicit loops; padding is done
// before it, so that its maps are linear and stay inside the operand.
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

/// accumulator + a * b
void multiplyAccumulate(OpBuilder &b, Location l, ValueRange v) {
  Value sum;
  if (isa<FloatType>(v[2].getType())) {
    Value p = arith::MulFOp::create(b, l, v[0], v[1]);
    sum = arith::AddFOp::create(b, l, v[2], p);
  } else {
    Value p = arith::MulIOp::create(b, l, v[0], v[1]);
    sum = arith::AddIOp::create(b, l, v[2], p);
  }
  linalg::YieldOp::create(b, l, sum);
}

Value addBroadcast(NodeContext &c, Value x, Value y) {
  return c.build.map({x, y}, shapeOf(x), elementOf(x),
                     [](OpBuilder &b, Location l, ValueRange v) -> Value {
                       if (isa<FloatType>(v[0].getType()))
                         return arith::AddFOp::create(b, l, v[0], v[1]);
                       return arith::AddIOp::create(b, l, v[0], v[1]);
                     });
}

Value scaled(NodeContext &c, Value x, double factor) {
  if (factor == 1)
    return x;
  return c.simplify(
      c.build.mapSame(x, [&](OpBuilder &b, Location l, ValueRange v) -> Value {
        return arith::MulFOp::create(b, l, v[0],
                                     c.build.number(v[0].getType(), factor));
      }));
}

LogicalResult matMul(NodeContext &c) {
  if (failed(arity(c, 2)))
    return failure();
  Value a = c.in(0), b = c.in(1);
  if (c.rank(0) == 0 || c.rank(1) == 0)
    return c.error("scalars can't be multiplied as matrices");
  if (c.element(0) != c.element(1))
    return c.error("inputs have different element types");
  Shape shapeA(shapeOf(a)), shapeB(shapeOf(b));
  bool rowVector = shapeA.size() == 1, columnVector = shapeB.size() == 1;
  if (rowVector)
    shapeA.insert(shapeA.begin(), 1);
  if (columnVector)
    shapeB.push_back(1);
  int64_t k = shapeA.back();
  if (k != shapeB[shapeB.size() - 2])
    return c.error("the inner extents are " + Twine(k) + " and " +
                   Twine(shapeB[shapeB.size() - 2]));
  ArrayRef<int64_t> batchA = ArrayRef<int64_t>(shapeA).drop_back(2);
  ArrayRef<int64_t> batchB = ArrayRef<int64_t>(shapeB).drop_back(2);
  auto batch = broadcastShapes(batchA, batchB);
  if (!batch)
    return c.error("the leading dimensions can't be broadcast");
  a = c.build.reshape(a, shapeA);
  b = c.build.reshape(b, shapeB);
  Shape result = *batch;
  result.push_back(shapeA[shapeA.size() - 2]);
  result.push_back(shapeB.back());
  MLIRContext *context = c.build.builder.getContext();
  unsigned parallel = result.size(), loops = parallel + 1;
  auto dim = [&](unsigned d) { return getAffineDimExpr(d, context); };
  auto batchExprs = [&](ArrayRef<int64_t> from) {
    SmallVector<AffineExpr> exprs;
    for (size_t d = 0; d < from.size(); ++d) {
      unsigned to = batch->size() - from.size() + d;
      exprs.push_back(from[d] == 1 && (*batch)[to] != 1
                          ? getAffineConstantExpr(0, context)
                          : dim(to));
    }
    return exprs;
  };
  SmallVector<AffineExpr> exprsA = batchExprs(batchA),
                          exprsB = batchExprs(batchB), exprsC;
  exprsA.append({dim(parallel - 2), dim(parallel)});
  exprsB.append({dim(parallel), dim(parallel - 1)});
  for (unsigned d = 0; d < parallel; ++d)
    exprsC.push_back(dim(d));
  Value out = c.build.generic(
      {a, b}, {c.build.fill(result, c.build.scalar(c.element(0), 0))},
      {AffineMap::get(loops, 0, exprsA, context),
       AffineMap::get(loops, 0, exprsB, context),
       AffineMap::get(loops, 0, exprsC, context)},
      parallel, 1, multiplyAccumulate)[0];
  Shape squeezed = *batch;
  if (!rowVector)
    squeezed.push_back(result[parallel - 2]);
  if (!columnVector)
    squeezed.push_back(result[parallel - 1]);
  return c.set(0, c.build.reshape(out, squeezed), c.kind(0));
}

LogicalResult gemm(NodeContext &c) {
  if (failed(arity(c, 2)))
    return failure();
  if (c.rank(0) != 2 || c.rank(1) != 2)
    return c.error("A and B must be matrices");
  bool transA = c.getInt("transA", 0), transB = c.getInt("transB", 0);
  double alpha = c.getFloat("alpha", 1), beta = c.getFloat("beta", 1);
  bool real = isReal(c.kind(0));
  if (!real && (alpha != 1 || beta != 1))
    return c.error("alpha and beta must be 1 for integers");
  int64_t m = c.shape(0)[transA], k = c.shape(0)[!transA];
  int64_t n = c.shape(1)[!transB];
  if (k != c.shape(1)[transB])
    return c.error("the inner extents are " + Twine(k) + " and " +
                   Twine(c.shape(1)[transB]));
  MLIRContext *context = c.build.builder.getContext();
  AffineExpr i = getAffineDimExpr(0, context), j = getAffineDimExpr(1, context),
             p = getAffineDimExpr(2, context);
  Value a = c.in(0), b = scaled(c, c.in(1), alpha);
  AffineMap mapA = transA ? AffineMap::get(3, 0, {p, i}, context)
                          : AffineMap::get(3, 0, {i, p}, context);
  AffineMap mapB = transB ? AffineMap::get(3, 0, {j, p}, context)
                          : AffineMap::get(3, 0, {p, j}, context);
  Value out = c.build.generic(
      {a, b}, {c.build.fill({m, n}, c.build.scalar(c.element(0), 0))},
      {mapA, mapB, AffineMap::get(3, 0, {i, j}, context)}, 2, 1,
      multiplyAccumulate)[0];
  if (c.has(2)) {
    auto shape = broadcastShapes({m, n}, c.shape(2));
    if (!shape || *shape != Shape{m, n})
      return c.error("C can't be broadcast to the result");
    out = addBroadcast(c, out, scaled(c, c.in(2), beta));
  }
  return c.set(0, out, c.kind(0));
}

/// Geometry of a sliding window over the spatial dimensions.
struct Window {
  Shape kernel, strides, dilations, low, high, input, output;
  /// Padding that the last windows need beyond `high` (ceil mode), or which
  /// they do not reach (negative).
  Shape reach;
};

FailureOr<Window> windowOf(NodeContext &c, ArrayRef<int64_t> kernel) {
  Window w;
  w.input.assign(c.shape(0).begin() + 2, c.shape(0).end());
  size_t n = w.input.size();
  w.kernel.assign(kernel.begin(), kernel.end());
  w.strides = c.getInts("strides").value_or(Shape(n, 1));
  w.dilations = c.getInts("dilations").value_or(Shape(n, 1));
  Shape pads = c.getInts("pads").value_or(Shape(2 * n, 0));
  StringRef mode = c.getString("auto_pad", "NOTSET");
  bool ceilMode = c.getInt("ceil_mode", 0);
  if (w.kernel.size() != n || w.strides.size() != n ||
      w.dilations.size() != n || pads.size() != 2 * n)
    return c.error("kernel_shape, strides, dilations and pads must suit " +
                   Twine(n) + " spatial dimensions");
  for (size_t d = 0; d < n; ++d)
    if (w.kernel[d] < 1 || w.strides[d] < 1 || w.dilations[d] < 1 ||
        pads[d] < 0 || pads[d + n] < 0 || w.kernel[d] > (1 << 24) ||
        w.strides[d] > (1 << 24) || w.dilations[d] > (1 << 24) ||
        pads[d] > (1 << 24) || pads[d + n] > (1 << 24))
      return c.error("kernel, strides and dilations must be positive, pads not "
                     "negative");
  for (size_t d = 0; d < n; ++d) {
    int64_t in = w.input[d], stride = w.strides[d];
    int64_t extent = (w.kernel[d] - 1) * w.dilations[d] + 1;
    int64_t low = pads[d], high = pads[d + n], out;
    if (mode == "SAME_UPPER" || mode == "SAME_LOWER") {
      out = (in + stride - 1) / stride;
      int64_t total = std::max<int64_t>((out - 1) * stride + extent - in, 0);
      low = mode == "SAME_UPPER" ? total / 2 : total - total / 2;
      high = total - low;
    } else {
      if (mode == "VALID")
        low = high = 0;
      else if (mode != "NOTSET" && !mode.empty())
        return c.error("auto_pad '" + mode + "' is not known");
      int64_t free = in + low + high - extent;
      if (free < 0)
        return c.error("the window of " + Twine(extent) +
                       " is larger than the padded axis of " +
                       Twine(in + low + high));
      out = free / stride + 1;
      if (ceilMode) {
        // The last window may overhang, but must not start in the padding.
        out = (free + stride - 1) / stride + 1;
        if ((out - 1) * stride >= in + low)
          --out;
      }
    }
    w.low.push_back(low);
    w.high.push_back(high);
    w.output.push_back(out);
    w.reach.push_back((out - 1) * stride + extent - in - low);
  }
  return w;
}

/// Pads so that every window is inside; what no window reaches stays.
Value padFor(NodeContext &c, Value x, const Window &w, TypedAttr value) {
  Shape low(shapeOf(x).size(), 0), high(shapeOf(x).size(), 0);
  for (size_t d = 0; d < w.input.size(); ++d) {
    low[d + 2] = w.low[d];
    high[d + 2] = std::max<int64_t>(w.reach[d], 0);
  }
  return c.build.pad(x, low, high, value);
}

LogicalResult conv(NodeContext &c) {
  if (failed(arity(c, 2)))
    return failure();
  if (c.rank(0) < 3 || c.rank(1) != c.rank(0))
    return c.error("input and weight must have a batch (output), a channel and "
                   "at least one spatial dimension");
  Shape weightShape(c.shape(1));
  ArrayRef<int64_t> kernel = ArrayRef<int64_t>(weightShape).drop_front(2);
  if (auto given = c.getInts("kernel_shape");
      given && ArrayRef<int64_t>(*given) != kernel)
    return c.error("kernel_shape differs from the weight's shape");
  auto window = windowOf(c, kernel);
  if (failed(window))
    return failure();
  int64_t groups = c.getInt("group", 1), channels = c.shape(0)[1];
  int64_t batch = c.shape(0)[0], filters = weightShape[0];
  if (groups < 1 || channels % groups || filters % groups ||
      weightShape[1] != channels / groups)
    return c.error("group " + Twine(groups) + " does not fit " +
                   Twine(channels) + " input channels, " + Twine(filters) +
                   " filters of " + Twine(weightShape[1]) + " channels");
  if (!isReal(c.kind(0)) || !isReal(c.kind(1)))
    return c.error("input and weight must be real");
  Value x = padFor(c, c.in(0), *window, c.build.scalar(c.element(0), 0));
  Value w = c.in(1);
  // Loops: n, [g,] m, out…, then c, kernel….
  unsigned n = kernel.size(), lead = groups > 1 ? 3 : 2;
  unsigned parallel = lead + n, loops = parallel + 1 + n;
  MLIRContext *context = c.build.builder.getContext();
  auto dim = [&](unsigned d) { return getAffineDimExpr(d, context); };
  Shape result{batch};
  SmallVector<AffineExpr> exprsX{dim(0)}, exprsW, exprsY{dim(0)};
  if (groups > 1) {
    Shape split(shapeOf(x));
    split[1] = groups;
    split.insert(split.begin() + 2, channels / groups);
    x = c.build.reshape(x, split);
    Shape splitW = weightShape;
    splitW[0] = groups;
    splitW.insert(splitW.begin() + 1, filters / groups);
    w = c.simplify(c.build.reshape(w, splitW));
    exprsX.push_back(dim(1));
    exprsW.push_back(dim(1));
    exprsY.push_back(dim(1));
    result.push_back(groups);
  }
  result.push_back(filters / groups);
  exprsW.push_back(dim(lead - 1));
  exprsY.push_back(dim(lead - 1));
  exprsX.push_back(dim(parallel));
  exprsW.push_back(dim(parallel));
  for (unsigned d = 0; d < n; ++d) {
    AffineExpr out = dim(lead + d), k = dim(parallel + 1 + d);
    exprsX.push_back(out * window->strides[d] + k * window->dilations[d]);
    exprsW.push_back(k);
    exprsY.push_back(out);
    result.push_back(window->output[d]);
  }
  Value out = c.build.generic(
      {x, w}, {c.build.fill(result, c.build.scalar(c.element(0), 0))},
      {AffineMap::get(loops, 0, exprsX, context),
       AffineMap::get(loops, 0, exprsW, context),
       AffineMap::get(loops, 0, exprsY, context)},
      parallel, 1 + n, multiplyAccumulate)[0];
  Shape flat{batch, filters};
  flat.append(window->output.begin(), window->output.end());
  out = c.build.reshape(out, flat);
  if (c.has(2)) {
    if (c.shape(2) != ArrayRef<int64_t>{filters})
      return c.error("the bias must have one number for each filter");
    Shape spread(1 + n, 1);
    spread[0] = filters;
    out = addBroadcast(c, out, c.simplify(c.build.reshape(c.in(2), spread)));
  }
  return c.set(0, out, c.kind(0));
}

/// Loops and maps of a pool: n, c, out… parallel, kernel… reduced. The second
/// operand has only a shape; it gives the kernel's loops their extent.
struct PoolLoops {
  SmallVector<AffineMap> maps;
  unsigned parallel = 0, reduction = 0;
  Shape result;
};

PoolLoops poolLoops(NodeContext &c, const Window &w) {
  PoolLoops loops;
  MLIRContext *context = c.build.builder.getContext();
  unsigned n = w.kernel.size(), total = 2 + 2 * n;
  auto dim = [&](unsigned d) { return getAffineDimExpr(d, context); };
  SmallVector<AffineExpr> x{dim(0), dim(1)}, k, y{dim(0), dim(1)};
  loops.result = {c.shape(0)[0], c.shape(0)[1]};
  for (unsigned d = 0; d < n; ++d) {
    x.push_back(dim(2 + d) * w.strides[d] + dim(2 + n + d) * w.dilations[d]);
    k.push_back(dim(2 + n + d));
    y.push_back(dim(2 + d));
    loops.result.push_back(w.output[d]);
  }
  loops.maps = {AffineMap::get(total, 0, x, context),
                AffineMap::get(total, 0, k, context),
                AffineMap::get(total, 0, y, context)};
  loops.parallel = 2 + n;
  loops.reduction = n;
  return loops;
}

FailureOr<Window> poolWindow(NodeContext &c) {
  if (failed(arity(c, 1)))
    return failure();
  if (c.rank(0) < 3)
    return c.error(
        "the input needs a batch, a channel and at least one spatial "
        "dimension");
  auto kernel = c.getInts("kernel_shape");
  if (!kernel)
    return c.error("kernel_shape is missing");
  return windowOf(c, *kernel);
}

TypedAttr lowest(NodeContext &c, int32_t kind, Type type) {
  Builder &b = c.build.builder;
  if (isa<FloatType>(type))
    return b.getFloatAttr(type, -std::numeric_limits<double>::infinity());
  unsigned width = type.getIntOrFloatBitWidth();
  return b.getIntegerAttr(type, isUnsigned(kind)
                                    ? APInt::getZero(width)
                                    : APInt::getSignedMinValue(width));
}

Value maximum(OpBuilder &b, Location l, Value x, Value y, int32_t kind) {
  if (isa<FloatType>(x.getType()))
    return arith::MaximumFOp::create(b, l, x, y);
  if (isUnsigned(kind))
    return arith::MaxUIOp::create(b, l, x, y);
  return arith::MaxSIOp::create(b, l, x, y);
}

LogicalResult maxPool(NodeContext &c) {
  auto window = poolWindow(c);
  if (failed(window))
    return failure();
  const Window &w = *window;
  int32_t kind = c.kind(0);
  Type element = c.element(0);
  TypedAttr low = lowest(c, kind, element);
  Value x = padFor(c, c.in(0), w, low);
  PoolLoops loops = poolLoops(c, w);
  Value kernel = c.build.empty(w.kernel, element);
  if (!c.wants(1)) {
    Value out = c.build.generic({x, kernel}, {c.build.fill(loops.result, low)},
                                loops.maps, loops.parallel, loops.reduction,
                                [&](OpBuilder &b, Location l, ValueRange v) {
                                  linalg::YieldOp::create(
                                      b, l, maximum(b, l, v[2], v[0], kind));
                                })[0];
    return c.set(0, out, kind);
  }
  // With indices: the first largest element wins; its place is counted over
  // the whole input without padding.
  unsigned n = w.kernel.size();
  bool columnMajor = c.getInt("storage_order", 0);
  Type i64 = c.build.builder.getI64Type();
  loops.maps.push_back(loops.maps.back());
  auto results = c.build.generic(
      {x, kernel},
      {c.build.fill(loops.result, low),
       c.build.fill(loops.result, c.build.scalar(i64, 0))},
      loops.maps, loops.parallel, loops.reduction,
      [&](OpBuilder &b, Location l, ValueRange v) {
        auto index = [&](unsigned d) -> Value {
          return linalg::IndexOp::create(b, l, d);
        };
        auto number = [&](int64_t value) -> Value {
          return arith::ConstantIndexOp::create(b, l, value);
        };
        auto fma = [&](Value a, int64_t by, Value plus) -> Value {
          Value p = arith::MulIOp::create(b, l, a, number(by));
          return arith::AddIOp::create(b, l, p, plus);
        };
        SmallVector<Value> position;
        for (unsigned d = 0; d < n; ++d) {
          Value start = fma(index(2 + d), w.strides[d], number(-w.low[d]));
          position.push_back(fma(index(2 + n + d), w.dilations[d], start));
        }
        Value place = fma(index(0), c.shape(0)[1], index(1));
        int64_t plane = product(w.input);
        Value inside = number(0);
        for (unsigned i = 0; i < n; ++i) {
          unsigned d = columnMajor ? n - 1 - i : i;
          inside = fma(inside, w.input[d], position[d]);
        }
        place = fma(place, plane, inside);
        Value place64 = arith::IndexCastOp::create(b, l, i64, place);
        Value better;
        if (isa<FloatType>(element))
          better = arith::CmpFOp::create(b, l, arith::CmpFPredicate::OGT, v[0],
                                         v[2]);
        else
          better = arith::CmpIOp::create(b, l,
                                         isUnsigned(kind)
                                             ? arith::CmpIPredicate::ugt
                                             : arith::CmpIPredicate::sgt,
                                         v[0], v[2]);
        Value value = arith::SelectOp::create(b, l, better, v[0], v[2]);
        Value where = arith::SelectOp::create(b, l, better, place64, v[3]);
        linalg::YieldOp::create(b, l, ValueRange{value, where});
      });
  if (failed(c.set(0, results[0], kind)))
    return failure();
  return c.set(1, results[1], Int64);
}

LogicalResult averagePool(NodeContext &c) {
  auto window = poolWindow(c);
  if (failed(window))
    return failure();
  const Window &w = *window;
  if (!isReal(c.kind(0)))
    return c.error("the input must be real");
  Type element = c.element(0);
  TypedAttr zero = c.build.scalar(element, 0);
  Value x = padFor(c, c.in(0), w, zero);
  PoolLoops loops = poolLoops(c, w);
  Value sum = c.build.generic(
      {x, c.build.empty(w.kernel, element)}, {c.build.fill(loops.result, zero)},
      loops.maps, loops.parallel, loops.reduction,
      [](OpBuilder &b, Location l, ValueRange v) {
        Value s = arith::AddFOp::create(b, l, v[2], v[0]);
        linalg::YieldOp::create(b, l, s);
      })[0];
  // How many positions each window averages: those inside the input, or with
  // count_include_pad those inside the declared padding, never the overhang.
  bool includePad = c.getInt("count_include_pad", 0);
  SmallVector<Shape> counts;
  for (size_t d = 0; d < w.kernel.size(); ++d) {
    counts.emplace_back();
    for (int64_t o = 0; o < w.output[d]; ++o) {
      int64_t count = 0;
      for (int64_t k = 0; k < w.kernel[d]; ++k) {
        int64_t at = o * w.strides[d] + k * w.dilations[d] - w.low[d];
        count += includePad ? at < w.input[d] + w.high[d]
                            : at >= 0 && at < w.input[d];
      }
      counts.back().push_back(count);
    }
  }
  std::vector<float> divisors;
  Shape index(w.output.size(), 0);
  if (product(w.output))
    do {
      int64_t count = 1;
      for (size_t d = 0; d < index.size(); ++d)
        count *= counts[d][index[d]];
      divisors.push_back(float(std::max<int64_t>(count, 1)));
    } while (nextIndex(index, w.output));
  bool uniform = !divisors.empty() && llvm::all_equal(divisors);
  Value out;
  if (uniform) {
    out = c.build.mapSame(
        sum, [&](OpBuilder &b, Location l, ValueRange v) -> Value {
          return arith::DivFOp::create(
              b, l, v[0], c.build.number(element, divisors.front()));
        });
  } else {
    Value table = c.build.constant(DenseElementsAttr::get(
        RankedTensorType::get(w.output, element), ArrayRef(divisors)));
    out = c.build.map({sum, table}, loops.result, element,
                      [](OpBuilder &b, Location l, ValueRange v) -> Value {
                        return arith::DivFOp::create(b, l, v[0], v[1]);
                      });
  }
  return c.set(0, out, c.kind(0));
}

template <bool max>
LogicalResult globalPool(NodeContext &c) {
  if (failed(arity(c, 1)))
    return failure();
  if (c.rank(0) < 2 || !isReal(c.kind(0)))
    return c.error("the input must be real and have a channel dimension");
  Shape axes;
  double count = 1;
  for (int64_t d = 2; d < c.rank(0); ++d) {
    axes.push_back(d);
    count *= double(c.shape(0)[d]);
  }
  if (max)
    return c.set(0, c.build.reduceMax(c.in(0), axes, true), c.kind(0));
  Value sum = c.build.reduceSum(c.in(0), axes, true);
  return c.set(
      0,
      c.build.mapSame(sum,
                      [&](OpBuilder &b, Location l, ValueRange v) -> Value {
                        return arith::DivFOp::create(
                            b, l, v[0], c.build.number(v[0].getType(), count));
                      }),
      c.kind(0));
}

} // namespace

void neuroc::onnx::addWindowOperators(
    std::map<std::string, Translation, std::less<>> &map) {
  map["MatMul"] = matMul;
  map["Gemm"] = gemm;
  map["Conv"] = conv;
  map["MaxPool"] = maxPool;
  map["AveragePool"] = averagePool;
  map["GlobalAveragePool"] = globalPool<false>;
  map["GlobalMaxPool"] = globalPool<true>;
}
