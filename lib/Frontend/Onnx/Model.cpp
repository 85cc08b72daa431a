// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// From protobuf fields to the structures of Model.h. Field numbers are those
// of the published ONNX schema; unknown fields are skipped, as protobuf asks.
// Messages nest to a fixed depth here (graphs inside attributes are noted,
// not read), so hostile nesting can't exhaust the stack.
#include "Model.h"

using namespace neuroc::onnx;
using llvm::StringRef;

StringRef neuroc::onnx::elementName(int32_t kind) {
  static const char *const names[] = {
      "undefined",      "float",      "uint8",
      "int8",           "uint16",     "int16",
      "int32",          "int64",      "string",
      "bool",           "float16",    "double",
      "uint32",         "uint64",     "complex64",
      "complex128",     "bfloat16",   "float8e4m3fn",
      "float8e4m3fnuz", "float8e5m2", "float8e5m2fnuz",
      "uint4",          "int4",       "float4e2m1",
      "float8e8m0",     "uint2",      "int2"};
  if (kind < 0 || kind >= int32_t(std::size(names)))
    return "unknown";
  return names[kind];
}

/// Sub-messages must be length-delimited.
static bool isMessage(const Field &field, WireError &error) {
  if (field.type == WireType::Length)
    return true;
  return error.set(field.offset, "field " + std::to_string(field.number) +
                                     " is not a message");
}

static bool parseKeyValue(Bytes bytes, StringRef &key, StringRef &value,
                          WireError &error) {
  WireReader reader(bytes, error);
  Field field;
  while (reader.next(field)) {
    if (field.number == 1 && !readString(field, key, error))
      return false;
    if (field.number == 2 && !readString(field, value, error))
      return false;
  }
  return !error.failed;
}

bool neuroc::onnx::parseTensor(Bytes bytes, Tensor &tensor, WireError &error) {
  WireReader reader(bytes, error);
  tensor.offset = bytes.offset;
  Field field;
  int64_t number;
  while (reader.next(field)) {
    bool ok = true;
    switch (field.number) {
    case 1:
      ok = readInts(field, tensor.dims, error);
      break;
    case 2:
      ok = readInt(field, number, error);
      if (ok && (number < 0 || number > 1000))
        return error.set(field.offset, "element type " +
                                           std::to_string(number) +
                                           " does not exist");
      if (ok)
        tensor.kind = int32_t(number);
      break;
    case 4:
      ok = readFloats(field, tensor.floats, error);
      break;
    case 5:
      ok = readInts(field, tensor.int32s, error);
      break;
    case 7:
      ok = readInts(field, tensor.int64s, error);
      break;
    case 8:
      ok = readString(field, tensor.name, error);
      break;
    case 9:
      ok = isMessage(field, error);
      tensor.raw = field.bytes;
      break;
    case 10:
      ok = readDoubles(field, tensor.doubles, error);
      break;
    case 11:
      ok = readInts(field, tensor.uint64s, error);
      break;
    case 13: {
      StringRef key, value;
      ok = isMessage(field, error) &&
           parseKeyValue(field.bytes, key, value, error);
      if (ok)
        tensor.externalData[key] = value.str();
      break;
    }
    case 14:
      ok = readInt(field, number, error);
      tensor.external = ok && number == 1;
      break;
    }
    if (!ok)
      return false;
  }
  return !error.failed;
}

static bool parseAttribute(Bytes bytes, Attribute &attribute,
                           WireError &error) {
  WireReader reader(bytes, error);
  Field field;
  int64_t number;
  while (reader.next(field)) {
    bool ok = true;
    switch (field.number) {
    case 1:
      ok = readString(field, attribute.name, error);
      break;
    case 2: {
      llvm::SmallVector<float, 1> one;
      ok = field.type == WireType::Fixed32 && readFloats(field, one, error);
      if (!ok)
        return error.set(field.offset, "attribute value is not a float");
      attribute.f = one.front();
      break;
    }
    case 3:
      ok = readInt(field, attribute.i, error);
      break;
    case 4:
      ok = readString(field, attribute.s, error);
      break;
    case 5:
      attribute.tensor = std::make_shared<Tensor>();
      ok = isMessage(field, error) &&
           parseTensor(field.bytes, *attribute.tensor, error);
      break;
    case 6:
    case 11:
      attribute.isGraph = true;
      break;
    case 7:
      ok = readFloats(field, attribute.floats, error);
      break;
    case 8:
      ok = readInts(field, attribute.ints, error);
      break;
    case 9: {
      StringRef text;
      ok = readString(field, text, error);
      attribute.strings.push_back(text);
      break;
    }
    case 10:
    case 14:
    case 15:
    case 22:
    case 23:
      attribute.isOther = true;
      break;
    case 20:
      ok = readInt(field, number, error);
      attribute.type = ok ? int32_t(number) : 0;
      break;
    case 21:
      ok = readString(field, attribute.refName, error);
      break;
    }
    if (!ok)
      return false;
  }
  return !error.failed;
}

static bool parseNode(Bytes bytes, Node &node, WireError &error) {
  WireReader reader(bytes, error);
  node.offset = bytes.offset;
  Field field;
  StringRef text;
  while (reader.next(field)) {
    bool ok = true;
    switch (field.number) {
    case 1:
      if ((ok = readString(field, text, error)))
        node.inputs.push_back(text);
      break;
    case 2:
      if ((ok = readString(field, text, error)))
        node.outputs.push_back(text);
      break;
    case 3:
      ok = readString(field, node.name, error);
      break;
    case 4:
      ok = readString(field, node.op, error);
      break;
    case 5:
      node.attributes.emplace_back();
      ok = isMessage(field, error) &&
           parseAttribute(field.bytes, node.attributes.back(), error);
      break;
    case 7:
      ok = readString(field, node.domain, error);
      break;
    }
    if (!ok)
      return false;
  }
  if (node.domain == "ai.onnx")
    node.domain = "";
  if (!error.failed && node.op.empty())
    return error.set(bytes.offset, "a node has no operator type");
  // Trailing empty names mean "not given" and are dropped.
  while (!node.inputs.empty() && node.inputs.back().empty())
    node.inputs.pop_back();
  while (!node.outputs.empty() && node.outputs.back().empty())
    node.outputs.pop_back();
  return !error.failed;
}

static bool parseShape(Bytes bytes, ValueInfo &info, WireError &error) {
  WireReader reader(bytes, error);
  Field field;
  info.hasShape = true;
  while (reader.next(field)) {
    if (field.number != 1)
      continue;
    if (!isMessage(field, error))
      return false;
    WireReader inner(field.bytes, error);
    Field part;
    Dim dim;
    while (inner.next(part)) {
      int64_t value;
      if (part.number == 1) {
        if (!readInt(part, value, error))
          return false;
        dim.value = value;
      }
      if (part.number == 2 && !readString(part, dim.symbol, error))
        return false;
    }
    info.dims.push_back(dim);
  }
  return !error.failed;
}

static bool parseValueInfo(Bytes bytes, ValueInfo &info, WireError &error) {
  WireReader reader(bytes, error);
  Field field;
  while (reader.next(field)) {
    if (field.number == 1 && !readString(field, info.name, error))
      return false;
    if (field.number != 2)
      continue;
    if (!isMessage(field, error))
      return false;
    WireReader type(field.bytes, error);
    Field kind;
    while (type.next(kind)) {
      if (kind.number != 1)
        continue;
      if (!isMessage(kind, error))
        return false;
      info.isTensor = true;
      WireReader tensor(kind.bytes, error);
      Field part;
      while (tensor.next(part)) {
        int64_t value;
        if (part.number == 1) {
          if (!readInt(part, value, error))
            return false;
          info.kind = value < 0 || value > 1000 ? 0 : int32_t(value);
        }
        if (part.number == 2 &&
            (!isMessage(part, error) || !parseShape(part.bytes, info, error)))
          return false;
      }
    }
  }
  return !error.failed;
}

static bool parseGraph(Bytes bytes, Graph &graph, WireError &error) {
  WireReader reader(bytes, error);
  Field field;
  while (reader.next(field)) {
    bool ok = true;
    switch (field.number) {
    case 1:
      graph.nodes.emplace_back();
      ok = isMessage(field, error) &&
           parseNode(field.bytes, graph.nodes.back(), error);
      break;
    case 2:
      ok = readString(field, graph.name, error);
      break;
    case 5:
      graph.initializers.emplace_back();
      ok = isMessage(field, error) &&
           parseTensor(field.bytes, graph.initializers.back(), error);
      break;
    case 11:
      graph.inputs.emplace_back();
      ok = isMessage(field, error) &&
           parseValueInfo(field.bytes, graph.inputs.back(), error);
      break;
    case 12:
      graph.outputs.emplace_back();
      ok = isMessage(field, error) &&
           parseValueInfo(field.bytes, graph.outputs.back(), error);
      break;
    case 15:
      ++graph.sparseInitializers;
      break;
    }
    if (!ok)
      return false;
  }
  return !error.failed;
}

static bool parseOpset(Bytes bytes, Opsets &opsets, WireError &error) {
  WireReader reader(bytes, error);
  Field field;
  StringRef domain;
  int64_t version = 0;
  while (reader.next(field)) {
    if (field.number == 1 && !readString(field, domain, error))
      return false;
    if (field.number == 2 && !readInt(field, version, error))
      return false;
  }
  if (error.failed)
    return false;
  opsets[domain == "ai.onnx" ? StringRef() : domain] = version;
  return true;
}

static bool parseFunction(Bytes bytes, Function &function, WireError &error) {
  WireReader reader(bytes, error);
  Field field;
  StringRef text;
  while (reader.next(field)) {
    bool ok = true;
    switch (field.number) {
    case 1:
      ok = readString(field, function.name, error);
      break;
    case 4:
      if ((ok = readString(field, text, error)))
        function.inputs.push_back(text);
      break;
    case 5:
      if ((ok = readString(field, text, error)))
        function.outputs.push_back(text);
      break;
    case 6:
      if ((ok = readString(field, text, error)))
        function.attributes.push_back(text);
      break;
    case 7:
      function.nodes.emplace_back();
      ok = isMessage(field, error) &&
           parseNode(field.bytes, function.nodes.back(), error);
      break;
    case 9:
      ok = isMessage(field, error) &&
           parseOpset(field.bytes, function.opsets, error);
      break;
    case 10:
      ok = readString(field, function.domain, error);
      break;
    case 11:
      function.defaults.emplace_back();
      ok = isMessage(field, error) &&
           parseAttribute(field.bytes, function.defaults.back(), error);
      break;
    case 13:
      ok = readString(field, function.overload, error);
      break;
    }
    if (!ok)
      return false;
  }
  if (function.domain == "ai.onnx")
    function.domain = "";
  return !error.failed;
}

bool neuroc::onnx::parseModel(Bytes bytes, Model &model, WireError &error) {
  WireReader reader(bytes, error);
  Field field;
  while (reader.next(field)) {
    bool ok = true;
    switch (field.number) {
    case 1:
      ok = readInt(field, model.irVersion, error);
      break;
    case 2:
      ok = readString(field, model.producerName, error);
      break;
    case 3:
      ok = readString(field, model.producerVersion, error);
      break;
    case 7:
      if (model.hasGraph)
        return error.set(field.offset, "the model has two graphs");
      model.hasGraph = true;
      ok = isMessage(field, error) &&
           parseGraph(field.bytes, model.graph, error);
      break;
    case 8:
      ok = isMessage(field, error) &&
           parseOpset(field.bytes, model.opsets, error);
      break;
    case 25:
      model.functions.emplace_back();
      ok = isMessage(field, error) &&
           parseFunction(field.bytes, model.functions.back(), error);
      break;
    }
    if (!ok)
      return false;
  }
  if (error.failed)
    return false;
  if (!model.hasGraph)
    return error.set(bytes.offset + bytes.size,
                     "the file ends without a graph: not an ONNX model, or cut "
                     "off");
  if (model.irVersion < 3)
    return error.set(bytes.offset,
                     "IR version " + std::to_string(model.irVersion) +
                         " is not supported (3 and newer are): convert the "
                         "model with a newer exporter");
  return true;
}
