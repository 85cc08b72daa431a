// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Operators that compute element by element or along axes: arithmetic,
// activations, casts, normalisation, softmax, means. Reals are f32; integers
// keep their width and signedness.
#include "Importer.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"

#include <limits>

using namespace mlir;
using namespace neuroc;
using namespace neuroc::onnx;

namespace {

enum class Binary { Add, Sub, Mul, Div, Max, Min };

Value emitBinary(Binary op, OpBuilder &b, Location l, Value x, Value y,
                 bool isUnsigned) {
  bool real = isa<FloatType>(x.getType());
  switch (op) {
  case Binary::Add:
    return real ? arith::AddFOp::create(b, l, x, y).getResult()
                : arith::AddIOp::create(b, l, x, y).getResult();
  case Binary::Sub:
    return real ? arith::SubFOp::create(b, l, x, y).getResult()
                : arith::SubIOp::create(b, l, x, y).getResult();
  case Binary::Mul:
    return real ? arith::MulFOp::create(b, l, x, y).getResult()
                : arith::MulIOp::create(b, l, x, y).getResult();
  case Binary::Div:
    if (real)
      return arith::DivFOp::create(b, l, x, y);
    return isUnsigned ? arith::DivUIOp::create(b, l, x, y).getResult()
                      : arith::DivSIOp::create(b, l, x, y).getResult();
  case Binary::Max:
    if (real)
      return arith::MaximumFOp::create(b, l, x, y);
    return isUnsigned ? arith::MaxUIOp::create(b, l, x, y).getResult()
                      : arith::MaxSIOp::create(b, l, x, y).getResult();
  case Binary::Min:
    if (real)
      return arith::MinimumFOp::create(b, l, x, y);
    return isUnsigned ? arith::MinUIOp::create(b, l, x, y).getResult()
                      : arith::MinSIOp::create(b, l, x, y).getResult();
  }
  return {};
}

std::string shapeText(ArrayRef<int64_t> shape) {
  std::string text = "[";
  for (auto [i, dim] : llvm::enumerate(shape))
    text += (i ? ", " : "") + std::to_string(dim);
  return text + "]";
}

FailureOr<Value> combine(NodeContext &c, Binary op, Value x, Value y,
                         bool isUnsigned) {
  auto shape = broadcastShapes(shapeOf(x), shapeOf(y));
  if (!shape || elementOf(x) != elementOf(y))
    return c.error(shape ? "inputs have different element types"
                         : "shapes " + shapeText(shapeOf(x)) + " and " +
                               shapeText(shapeOf(y)) + " can't be broadcast");
  return c.build.map({x, y}, *shape, elementOf(x),
                     [&](OpBuilder &b, Location l, ValueRange v) {
                       return emitBinary(op, b, l, v[0], v[1], isUnsigned);
                     });
}

LogicalResult arity(NodeContext &c, unsigned least) {
  for (unsigned i = 0; i < least; ++i)
    if (!c.has(i))
      return c.error("input " + Twine(i) + " is missing");
  return success();
}

template <Binary op>
LogicalResult binary(NodeContext &c) {
  if (failed(arity(c, 2)))
    return failure();
  Value x = c.in(0), y = c.in(1);
  if (c.opset < 7 && c.getInt("broadcast", 0)) {
    // The old rule: y is aligned with x at `axis`.
    int64_t tail = c.rank(1);
    int64_t at = c.getInt("axis", c.rank(0) - tail);
    Shape shape(c.shape(1));
    for (int64_t d = (at < 0 ? at + c.rank(0) : at) + tail; d < c.rank(0); ++d)
      shape.push_back(1);
    y = c.build.reshape(y, shape);
  }
  auto result = combine(c, op, x, y, isUnsigned(c.kind(0)));
  return failed(result) ? failure() : c.set(0, *result, c.kind(0));
}

template <Binary op, bool mean>
LogicalResult variadic(NodeContext &c) {
  if (failed(arity(c, 1)))
    return failure();
  Value result = c.in(0);
  for (unsigned i = 1; i < c.numInputs(); ++i) {
    auto next = combine(c, op, result, c.in(i), isUnsigned(c.kind(0)));
    if (failed(next))
      return failure();
    result = *next;
  }
  if (mean && c.numInputs() > 1) {
    double count = c.numInputs();
    result = c.build.mapSame(
        result, [&](OpBuilder &b, Location l, ValueRange v) -> Value {
          Value n = c.build.number(v[0].getType(), count);
          return emitBinary(Binary::Div, b, l, v[0], n, false);
        });
  }
  return c.set(0, result, c.kind(0));
}

/// A real function of one input, element by element.
LogicalResult unary(NodeContext &c, ScalarFn body) {
  if (failed(arity(c, 1)))
    return failure();
  if (!isReal(c.kind(0)))
    return c.error("the input must be real, not " + elementName(c.kind(0)));
  return c.set(0, c.build.mapSame(c.in(0), body), c.kind(0));
}

Value realNumber(OpBuilder &b, Location l, Type type, double value) {
  return arith::ConstantOp::create(b, l, b.getFloatAttr(type, value));
}

LogicalResult relu(NodeContext &c) {
  if (failed(arity(c, 1)))
    return failure();
  Type element = c.element(0);
  return c.set(0,
               c.build.mapSame(c.in(0),
                               [&](OpBuilder &b, Location l, ValueRange v) {
                                 Value zero = arith::ConstantOp::create(
                                     b, l, b.getZeroAttr(element));
                                 return emitBinary(Binary::Max, b, l, v[0],
                                                   zero, false);
                               }),
               c.kind(0));
}

LogicalResult sigmoid(NodeContext &c) {
  return unary(c, [](OpBuilder &b, Location l, ValueRange v) -> Value {
    Value one = realNumber(b, l, v[0].getType(), 1);
    Value negated = arith::NegFOp::create(b, l, v[0]);
    Value e = math::ExpOp::create(b, l, negated);
    Value sum = arith::AddFOp::create(b, l, e, one);
    return arith::DivFOp::create(b, l, one, sum);
  });
}

LogicalResult tanh(NodeContext &c) {
  return unary(c, [](OpBuilder &b, Location l, ValueRange v) -> Value {
    return math::TanhOp::create(b, l, v[0]);
  });
}

Value leaky(OpBuilder &b, Location l, Value x, Value slope) {
  Value zero = arith::ConstantOp::create(b, l, b.getZeroAttr(x.getType()));
  if (!isa<FloatType>(x.getType())) {
    Value scaled = arith::MulIOp::create(b, l, x, slope);
    Value negative =
        arith::CmpIOp::create(b, l, arith::CmpIPredicate::slt, x, zero);
    return arith::SelectOp::create(b, l, negative, scaled, x);
  }
  Value scaled = arith::MulFOp::create(b, l, x, slope);
  Value negative =
      arith::CmpFOp::create(b, l, arith::CmpFPredicate::OLT, x, zero);
  return arith::SelectOp::create(b, l, negative, scaled, x);
}

LogicalResult leakyRelu(NodeContext &c) {
  double alpha = c.getFloat("alpha", 0.01);
  return unary(c, [&](OpBuilder &b, Location l, ValueRange v) {
    return leaky(b, l, v[0], realNumber(b, l, v[0].getType(), alpha));
  });
}

LogicalResult prelu(NodeContext &c) {
  if (failed(arity(c, 2)))
    return failure();
  Value x = c.in(0), slope = c.in(1);
  if (c.opset < 7 && c.rank(1) == 1 && c.rank(0) > 2) {
    Shape shape(c.rank(0) - 1, 1); // the old rule: one slope per channel
    shape[0] = c.shape(1)[0];
    slope = c.build.reshape(slope, shape);
  }
  auto shape = broadcastShapes(shapeOf(x), shapeOf(slope));
  if (!shape || ArrayRef<int64_t>(*shape) != shapeOf(x) ||
      elementOf(x) != elementOf(slope))
    return c.error("the slope, of shape " + shapeText(shapeOf(slope)) +
                   ", can't be broadcast to the input's " +
                   shapeText(shapeOf(x)));
  return c.set(0,
               c.build.map({x, slope}, *shape, elementOf(x),
                           [](OpBuilder &b, Location l, ValueRange v) {
                             return leaky(b, l, v[0], v[1]);
                           }),
               c.kind(0));
}

LogicalResult clip(NodeContext &c) {
  if (failed(arity(c, 1)))
    return failure();
  Value result = c.in(0);
  bool uns = isUnsigned(c.kind(0));
  auto bound = [&](Binary op, Value by) {
    auto next = combine(c, op, result, by, uns);
    if (failed(next) || shapeOf(*next) != shapeOf(result))
      return failure();
    result = *next;
    return success();
  };
  auto attributeBound = [&](Binary op, StringRef name) {
    const onnx::Attribute *given = c.attribute(name);
    if (!given)
      return;
    result =
        c.build.mapSame(result, [&](OpBuilder &b, Location l, ValueRange v) {
          return emitBinary(op, b, l, v[0],
                            realNumber(b, l, v[0].getType(), given->f), uns);
        });
  };
  if (c.opset < 11) {
    attributeBound(Binary::Max, "min");
    attributeBound(Binary::Min, "max");
  }
  // With min > max the result is max: min is applied first.
  for (unsigned i : {1u, 2u}) {
    if (!c.has(i))
      continue;
    if (product(c.shape(i)) != 1)
      return c.error("bounds must be single numbers");
    // A known bound goes into the body, where later passes see it.
    Value by = c.build.reshape(c.in(i), {});
    if (failed(bound(i == 1 ? Binary::Max : Binary::Min, by)))
      return c.error("bounds must have the input's element type");
  }
  return c.set(0, result, c.kind(0));
}

LogicalResult cast(NodeContext &c) {
  if (failed(arity(c, 1)))
    return failure();
  int32_t from = c.kind(0), to = int32_t(c.getInt("to", 0));
  if (const onnx::Attribute *name = c.attribute("to"); name && c.opset < 6)
    return c.error("the form before operator set 6 is not supported");
  Type type = neuroc::onnxElementType(*c.build.builder.getContext(), to);
  if (!type)
    return c.error("casts to " + elementName(to) + " are not supported");
  Type source = c.element(0);
  bool rounds = (to == Float16 || to == BFloat16) && from != to;
  if (type == source && !rounds)
    return c.set(0, c.in(0), to);
  Value result = c.build.map(
      {c.in(0)}, c.shape(0), type,
      [&](OpBuilder &b, Location l, ValueRange v) -> Value {
        Value x = v[0];
        bool real = isa<FloatType>(source);
        if (to == Bool) {
          Value zero = arith::ConstantOp::create(b, l, b.getZeroAttr(source));
          return real ? arith::CmpFOp::create(b, l, arith::CmpFPredicate::UNE,
                                              x, zero)
                            .getResult()
                      : arith::CmpIOp::create(b, l, arith::CmpIPredicate::ne, x,
                                              zero)
                            .getResult();
        }
        if (isReal(to)) {
          if (!real)
            x = isUnsigned(from)
                    ? arith::UIToFPOp::create(b, l, type, x).getResult()
                    : arith::SIToFPOp::create(b, l, type, x).getResult();
          if (!rounds)
            return x;
          if (to == BFloat16 && c.opset < 19) {
            // The reference of these versions drops the low half.
            Type bits = b.getI32Type();
            Value word = arith::BitcastOp::create(b, l, bits, x);
            Value mask = arith::ConstantOp::create(
                b, l, b.getI32IntegerAttr(int32_t(0xffff0000u)));
            word = arith::AndIOp::create(b, l, word, mask);
            return arith::BitcastOp::create(b, l, type, word);
          }
          Type narrow =
              to == Float16 ? Type(b.getF16Type()) : Type(b.getBF16Type());
          x = arith::TruncFOp::create(b, l, narrow, x);
          return arith::ExtFOp::create(b, l, type, x);
        }
        if (real)
          return isUnsigned(to)
                     ? arith::FPToUIOp::create(b, l, type, x).getResult()
                     : arith::FPToSIOp::create(b, l, type, x).getResult();
        unsigned wide = type.getIntOrFloatBitWidth();
        unsigned width = source.getIntOrFloatBitWidth();
        if (wide == width)
          return x;
        if (wide < width)
          return arith::TruncIOp::create(b, l, type, x);
        return isUnsigned(from)
                   ? arith::ExtUIOp::create(b, l, type, x).getResult()
                   : arith::ExtSIOp::create(b, l, type, x).getResult();
      });
  return c.set(0, result, to);
}

Value realBinary(NodeContext &c, Binary op, Value x, Value y) {
  auto shape = broadcastShapes(shapeOf(x), shapeOf(y));
  return c.build.map({x, y}, *shape, elementOf(x),
                     [&](OpBuilder &b, Location l, ValueRange v) {
                       return emitBinary(op, b, l, v[0], v[1], false);
                     });
}

LogicalResult batchNormalization(NodeContext &c) {
  if (failed(arity(c, 5)))
    return failure();
  if (c.rank(0) < 2)
    return c.error("the input needs a batch and a channel dimension");
  if (c.opset < 9 && c.getInt("spatial", 1) == 0)
    return c.error("spatial=0 is not supported");
  int64_t channels = c.shape(0)[1];
  for (unsigned i = 1; i < 5; ++i)
    if (c.shape(i) != ArrayRef<int64_t>{channels})
      return c.error("input " + Twine(i) + " must have " + Twine(channels) +
                     " elements, one for each channel");
  double epsilon = c.getFloat("epsilon", 1e-5);
  double momentum = c.getFloat("momentum", 0.9);
  bool training = c.opset >= 14 && c.getInt("training_mode", 0);
  Value x = c.in(0), scale = c.in(1), bias = c.in(2);
  Value mean = c.in(3), variance = c.in(4);
  if (training) {
    Shape axes{0};
    for (int64_t d = 2; d < c.rank(0); ++d)
      axes.push_back(d);
    double count = double(product(c.shape(0))) / double(channels);
    auto average = [&](Value v) {
      return c.build.mapSame(
          c.build.reduceSum(v, axes, false),
          [&](OpBuilder &b, Location l, ValueRange args) -> Value {
            return arith::DivFOp::create(
                b, l, args[0], realNumber(b, l, args[0].getType(), count));
          });
    };
    Shape perChannel(c.rank(0), 1);
    perChannel[1] = channels;
    Value batchMean = average(x);
    Value centred =
        realBinary(c, Binary::Sub, x, c.build.reshape(batchMean, perChannel));
    Value batchVariance = average(realBinary(c, Binary::Mul, centred, centred));
    auto running = [&](Value old, Value now) {
      return c.build.map({old, now}, {channels}, elementOf(old),
                         [&](OpBuilder &b, Location l, ValueRange v) -> Value {
                           Type t = v[0].getType();
                           Value kept = arith::MulFOp::create(
                               b, l, v[0], realNumber(b, l, t, momentum));
                           Value fresh = arith::MulFOp::create(
                               b, l, v[1], realNumber(b, l, t, 1 - momentum));
                           return arith::AddFOp::create(b, l, kept, fresh);
                         });
    };
    if (failed(c.set(1, running(mean, batchMean), c.kind(3))) ||
        failed(c.set(2, running(variance, batchVariance), c.kind(4))))
      return failure();
    mean = batchMean;
    variance = batchVariance;
  } else if (c.wants(1) && c.opset >= 14) {
    return c.error("the running mean and variance are outputs only in training "
                   "mode");
  }
  // y = a x + b with a and b per channel: constants when the parameters are.
  Value factor = c.simplify(
      c.build.map({scale, variance}, {channels}, elementOf(x),
                  [&](OpBuilder &b, Location l, ValueRange v) -> Value {
                    Value sum = arith::AddFOp::create(
                        b, l, v[1], realNumber(b, l, v[1].getType(), epsilon));
                    Value root = math::SqrtOp::create(b, l, sum);
                    return arith::DivFOp::create(b, l, v[0], root);
                  }));
  Value offset = c.simplify(
      c.build.map({bias, mean, factor}, {channels}, elementOf(x),
                  [&](OpBuilder &b, Location l, ValueRange v) -> Value {
                    Value p = arith::MulFOp::create(b, l, v[1], v[2]);
                    return arith::SubFOp::create(b, l, v[0], p);
                  }));
  Shape spread(c.rank(0) - 1, 1);
  spread[0] = channels;
  return c.set(0,
               c.build.map({x, c.simplify(c.build.reshape(factor, spread)),
                            c.simplify(c.build.reshape(offset, spread))},
                           c.shape(0), elementOf(x),
                           [](OpBuilder &b, Location l, ValueRange v) -> Value {
                             Value p = arith::MulFOp::create(b, l, v[0], v[1]);
                             return arith::AddFOp::create(b, l, p, v[2]);
                           }),
               c.kind(0));
}

LogicalResult dropout(NodeContext &c) {
  if (failed(arity(c, 1)))
    return failure();
  if (c.opset >= 12 && c.has(2)) {
    auto training = c.constantNumber(2, "training_mode");
    if (failed(training))
      return failure();
    double ratio = 0.5;
    if (*training != 0 && c.has(1)) {
      auto given = c.constantNumber(1, "ratio");
      if (failed(given))
        return failure();
      ratio = *given;
    }
    if (*training != 0 && ratio != 0)
      return c.error("training mode draws random numbers, which is not "
                     "supported: export the model for inference");
  }
  if (failed(c.set(0, c.in(0), c.kind(0))))
    return failure();
  if (!c.wants(1))
    return success();
  // The mask: everything is kept. Before operator set 10 it has x's type.
  if (c.opset < 10) {
    auto type = cast<RankedTensorType>(c.in(0).getType());
    return c.setConstant(1,
                         DenseElementsAttr::get(
                             type, FloatAttr::get(type.getElementType(), 1.0)),
                         c.kind(0));
  }
  auto type = RankedTensorType::get(c.shape(0), c.build.builder.getI1Type());
  return c.setConstant(1, DenseElementsAttr::get(type, true), Bool);
}

template <bool logarithm>
LogicalResult softmax(NodeContext &c) {
  if (failed(arity(c, 1)))
    return failure();
  Value x = c.in(0);
  Shape shape(c.shape(0));
  int64_t rank = c.rank(0);
  auto axis = c.axis(c.getInt("axis", c.opset < 13 ? 1 : -1),
                     std::max<int64_t>(rank, 1));
  if (failed(axis))
    return failure();
  Shape axes{*axis};
  if (c.opset < 13) {
    // The old form sees the input as a matrix split at the axis.
    int64_t rows = product(ArrayRef<int64_t>(shape).take_front(*axis));
    x = c.build.reshape(
        x, {rows, product(ArrayRef<int64_t>(shape).drop_front(*axis))});
    axes = {1};
  }
  // The bounds (no difference from the maximum is above 0, no sum of the
  // exponentials is below 1) change no value; range analysis can use them.
  Value top = c.build.reduceMax(x, axes, true);
  Value shifted =
      c.build.map({x, top}, shapeOf(x), elementOf(x),
                  [](OpBuilder &b, Location l, ValueRange v) -> Value {
                    Value difference = arith::SubFOp::create(b, l, v[0], v[1]);
                    Value zero = realNumber(b, l, v[0].getType(), 0);
                    return arith::MinimumFOp::create(b, l, difference, zero);
                  });
  Value e = c.build.mapSame(
      shifted, [](OpBuilder &b, Location l, ValueRange v) -> Value {
        return math::ExpOp::create(b, l, v[0]);
      });
  Value sum = c.build.reduceSum(e, axes, true);
  auto bounded = [](OpBuilder &b, Location l, Value v) -> Value {
    return arith::MaximumFOp::create(b, l, v, realNumber(b, l, v.getType(), 1));
  };
  Value result;
  if (logarithm) {
    Value log = c.build.mapSame(
        sum, [&](OpBuilder &b, Location l, ValueRange v) -> Value {
          return math::LogOp::create(b, l, bounded(b, l, v[0]));
        });
    result = realBinary(c, Binary::Sub, shifted, log);
  } else {
    result = c.build.map({e, sum}, shapeOf(e), elementOf(e),
                         [&](OpBuilder &b, Location l, ValueRange v) -> Value {
                           return arith::DivFOp::create(b, l, v[0],
                                                        bounded(b, l, v[1]));
                         });
  }
  return c.set(0, c.build.reshape(result, shape), c.kind(0));
}

LogicalResult reduceMean(NodeContext &c) {
  if (failed(arity(c, 1)))
    return failure();
  Shape axes;
  bool empty = false;
  if (c.opset >= 18) {
    if (c.has(1)) {
      auto given = c.constantInts(1, "axes");
      if (failed(given))
        return failure();
      axes = *given;
    }
    empty = axes.empty() && c.getInt("noop_with_empty_axes", 0);
  } else if (auto given = c.getInts("axes")) {
    axes = *given;
  }
  if (empty)
    return c.set(0, c.in(0), c.kind(0));
  auto checked = c.axes(axes, c.rank(0));
  if (failed(checked))
    return failure();
  axes = *checked;
  if (axes.empty())
    for (int64_t d = 0; d < c.rank(0); ++d)
      axes.push_back(d);
  double count = 1;
  for (int64_t axis : axes)
    count *= double(c.shape(0)[axis]);
  Value sum = c.build.reduceSum(c.in(0), axes, c.getInt("keepdims", 1));
  bool uns = isUnsigned(c.kind(0));
  return c.set(
      0,
      c.build.mapSame(sum,
                      [&](OpBuilder &b, Location l, ValueRange v) {
                        Value n = c.build.number(v[0].getType(), count);
                        return emitBinary(Binary::Div, b, l, v[0], n, uns);
                      }),
      c.kind(0));
}

} // namespace

void neuroc::onnx::addMathOperators(
    std::map<std::string, Translation, std::less<>> &map) {
  map["Add"] = binary<Binary::Add>;
  map["Sub"] = binary<Binary::Sub>;
  map["Mul"] = binary<Binary::Mul>;
  map["Div"] = binary<Binary::Div>;
  map["Sum"] = variadic<Binary::Add, false>;
  map["Max"] = variadic<Binary::Max, false>;
  map["Min"] = variadic<Binary::Min, false>;
  map["Mean"] = variadic<Binary::Add, true>;
  map["Relu"] = relu;
  map["LeakyRelu"] = leakyRelu;
  map["PRelu"] = prelu;
  map["Sigmoid"] = sigmoid;
  map["Tanh"] = tanh;
  map["Clip"] = clip;
  map["Cast"] = cast;
  map["BatchNormalization"] = batchNormalization;
  map["Dropout"] = dropout;
  map["Softmax"] = softmax<false>;
  map["LogSoftmax"] = softmax<true>;
  map["ReduceMean"] = reduceMean;
}
