// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The parts of an ONNX file that the importer looks at. Strings and raw
// tensor data point into the file's buffer, which must outlive the model.
#ifndef NEUROC_LIB_FRONTEND_ONNX_MODEL_H
#define NEUROC_LIB_FRONTEND_ONNX_MODEL_H

#include "Wire.h"

#include "llvm/ADT/StringMap.h"

#include <memory>
#include <optional>
#include <vector>

namespace neuroc::onnx {

/// TensorProto.DataType.
enum ElementKind : int32_t {
  Undefined = 0,
  Float = 1,
  UInt8 = 2,
  Int8 = 3,
  UInt16 = 4,
  Int16 = 5,
  Int32 = 6,
  Int64 = 7,
  String = 8,
  Bool = 9,
  Float16 = 10,
  Double = 11,
  UInt32 = 12,
  UInt64 = 13,
  Complex64 = 14,
  Complex128 = 15,
  BFloat16 = 16,
};
llvm::StringRef elementName(int32_t kind);

struct Tensor {
  llvm::StringRef name;
  llvm::SmallVector<int64_t, 4> dims;
  int32_t kind = Undefined;
  uint64_t offset = 0; ///< of the message in the file
  std::optional<Bytes> raw;
  llvm::SmallVector<float, 0> floats;
  llvm::SmallVector<int64_t, 0> int32s, int64s, uint64s;
  llvm::SmallVector<double, 0> doubles;
  bool external = false;
  llvm::StringMap<std::string> externalData;
};

struct Graph;

struct Attribute {
  llvm::StringRef name, refName;
  int32_t type = 0; ///< AttributeProto.AttributeType, 0 when the file omits it
  float f = 0;
  int64_t i = 0;
  llvm::StringRef s;
  std::shared_ptr<Tensor> tensor;
  llvm::SmallVector<float, 0> floats;
  llvm::SmallVector<int64_t, 0> ints;
  llvm::SmallVector<llvm::StringRef, 0> strings;
  bool isGraph = false;
  bool isOther = false; ///< a kind of value the importer does not read
};

struct Node {
  llvm::StringRef name, op, domain;
  llvm::SmallVector<llvm::StringRef, 4> inputs, outputs;
  std::vector<Attribute> attributes;
  uint64_t offset = 0;
};

/// One extent of a declared shape.
struct Dim {
  std::optional<int64_t> value;
  llvm::StringRef symbol;
};

struct ValueInfo {
  llvm::StringRef name;
  bool isTensor = false;
  int32_t kind = Undefined;
  bool hasShape = false;
  llvm::SmallVector<Dim, 4> dims;
};

struct Graph {
  llvm::StringRef name;
  std::vector<Node> nodes;
  std::vector<Tensor> initializers;
  std::vector<ValueInfo> inputs, outputs;
  unsigned sparseInitializers = 0;
};

using Opsets = llvm::StringMap<int64_t>;

struct Function {
  llvm::StringRef name, domain, overload;
  llvm::SmallVector<llvm::StringRef, 4> inputs, outputs, attributes;
  std::vector<Attribute> defaults;
  std::vector<Node> nodes;
  Opsets opsets;
};

struct Model {
  int64_t irVersion = 0;
  llvm::StringRef producerName, producerVersion;
  Opsets opsets; ///< "ai.onnx" is stored as ""
  Graph graph;
  bool hasGraph = false;
  std::vector<Function> functions;
};

/// Parse a serialised message. False after setting `error`.
bool parseModel(Bytes bytes, Model &model, WireError &error);
bool parseTensor(Bytes bytes, Tensor &tensor, WireError &error);

} // namespace neuroc::onnx
#endif // NEUROC_LIB_FRONTEND_ONNX_MODEL_H
