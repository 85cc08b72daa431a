// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What an operator's translation sees: its inputs (constants get IR only when
// asked for), its attributes with defaults, and where its results go.
#include "Importer.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;
using namespace neuroc;
using namespace neuroc::onnx;

NodeContext::NodeContext(GraphImporter &importer, const Node &node,
                         Scope &scope, int64_t opset, Location loc)
    : node(node), opset(opset), build(*importer.builder, loc),
      importer(importer), scope(scope), loc(loc) {}

LogicalResult NodeContext::error(const Twine &message) {
  return namedError(loc) << message;
}

GraphValue &NodeContext::input(unsigned index) {
  return scope[node.inputs[index]];
}

Value NodeContext::in(unsigned index) {
  GraphValue &value = input(index);
  if (!value.value) {
    value.value = arith::ConstantOp::create(build.builder, loc, value.constant);
    importer.materialised.push_back(&value);
  }
  return value.value;
}

FailureOr<Shape> NodeContext::constantInts(unsigned index, StringRef what) {
  GraphValue &value = input(index);
  if (!value.constant)
    return error(what + " ('" + node.inputs[index] +
                 "') is known only at run time, but shapes must be known to "
                 "the compiler: make it an initializer, or give its value at "
                 "import (freeze the input)");
  if (!isa<IntegerType>(value.type.getElementType()))
    return error(what + " must hold integers");
  Shape result;
  for (APInt number : value.constant.getValues<APInt>())
    result.push_back(isUnsigned(value.kind) ? int64_t(number.getZExtValue())
                                            : number.getSExtValue());
  return result;
}

FailureOr<double> NodeContext::constantNumber(unsigned index, StringRef what) {
  GraphValue &value = input(index);
  auto host = value.constant ? toHost(value.constant) : nullptr;
  if (!host || host->data.size() != 1)
    return error(what + " ('" + node.inputs[index] +
                 "') must be one number known at import: make it an "
                 "initializer or freeze the input");
  return host->isFloat() ? host->data[0].f : double(host->data[0].i);
}

const onnx::Attribute *NodeContext::attribute(StringRef name) const {
  for (const onnx::Attribute &attribute : node.attributes)
    if (attribute.name == name)
      return &attribute;
  return nullptr;
}

int64_t NodeContext::getInt(StringRef name, int64_t otherwise) const {
  const onnx::Attribute *found = attribute(name);
  return found ? found->i : otherwise;
}

double NodeContext::getFloat(StringRef name, double otherwise) const {
  const onnx::Attribute *found = attribute(name);
  return found ? found->f : otherwise;
}

StringRef NodeContext::getString(StringRef name, StringRef otherwise) const {
  const onnx::Attribute *found = attribute(name);
  return found ? found->s : otherwise;
}

std::optional<Shape> NodeContext::getInts(StringRef name) const {
  const onnx::Attribute *found = attribute(name);
  if (!found)
    return std::nullopt;
  return Shape(found->ints.begin(), found->ints.end());
}

FailureOr<int64_t> NodeContext::axis(int64_t axis, int64_t rank) {
  if (axis < -rank || axis >= rank)
    return error("axis " + Twine(axis) + " is outside [" + Twine(-rank) + ", " +
                 Twine(rank) + ")");
  return axis < 0 ? axis + rank : axis;
}

FailureOr<Shape> NodeContext::axes(ArrayRef<int64_t> list, int64_t rank) {
  Shape result;
  for (int64_t each : list) {
    FailureOr<int64_t> one = axis(each, rank);
    if (failed(one))
      return failure();
    if (llvm::is_contained(result, *one))
      return error("axis " + Twine(each) + " is given twice");
    result.push_back(*one);
  }
  return result;
}

std::optional<DenseElementsAttr> NodeContext::fold(Value value) {
  if (cast<RankedTensorType>(value.getType()).getNumElements() >
      (int64_t(1) << 26))
    return std::nullopt;
  auto host = importer.eval.evaluate(value);
  if (!host)
    return std::nullopt;
  return toAttribute(*host);
}

Value NodeContext::simplify(Value value) {
  if (auto constant = fold(value))
    return build.constant(*constant);
  return value;
}

LogicalResult NodeContext::set(unsigned output, Value value, int32_t kind) {
  if (!wants(output))
    return success();
  GraphValue &slot = scope[node.outputs[output]];
  slot = {value, {}, kind, cast<RankedTensorType>(value.getType())};
  return success();
}

LogicalResult NodeContext::setConstant(unsigned output, DenseElementsAttr value,
                                       int32_t kind) {
  if (!wants(output))
    return success();
  scope[node.outputs[output]] = {
      {}, value, kind, cast<RankedTensorType>(value.getType())};
  return success();
}

TensorReader &NodeContext::reader() { return importer.reader; }
