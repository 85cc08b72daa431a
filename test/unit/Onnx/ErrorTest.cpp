// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Every message of the importer that no other test provokes: one row is one
// model with one fault and the words that must be said about it.
#include "ModelWriter.h"

#include "neuroc/Frontend/Onnx/Onnx.h"

#include "mlir/IR/Diagnostics.h"
#include "mlir/IR/MLIRContext.h"
#include "llvm/Support/MemoryBuffer.h"

#include <gtest/gtest.h>

#include <functional>

using namespace mlir;
using namespace neuroc;
using namespace neuroc::test;

namespace {

using Dims = std::vector<int64_t>;

/// x [2, 3], i (int64, [2, 3]), img [1, 2, 4, 4] are inputs; small constants
/// are there for the taking.
ModelWriter base() {
  ModelWriter model;
  model.inputs = {value("x", {2, 3}), value("i", {2, 3}, 7),
                  value("img", {1, 2, 4, 4}), value("none", {0, 3}),
                  value("scalar", {})};
  model.outputs = {value("y", {})};
  model.initializers = {floats("one", {}, {1}),
                        floats("two", {2}, {1, 2}),
                        floats("three", {3}, {1, 2, 3}),
                        floats("w33", {3, 3}, {1, 2, 3, 4, 5, 6, 7, 8, 9}),
                        floats("kernel", {1, 2, 1, 1}, {1, 2}),
                        ints("n1", {1}),
                        ints("n01", {0, 1}),
                        ints("zero", {0}),
                        ints("minus", {-5, 8})};
  return model;
}

std::string text(const std::string &name, const std::string &content) {
  return field(5, field(1, name) + field(4, content) + field(20, uint64_t(3)));
}

struct Row {
  const char *says;
  int64_t opset;
  std::string node;
};

std::vector<Row> rows() {
  auto window = [](Dims kernel, const std::string &more = "") {
    return attribute("kernel_shape", kernel) + more;
  };
  return {
      {"inputs have different element types", 13,
       node("Add", {"x", "i"}, {"y"})},
      {"the input must be real, not int64", 13, node("Tanh", {"i"}, {"y"})},
      {"the slope, of shape [2], can't be broadcast to the input's [2, 3]", 13,
       node("PRelu", {"x", "two"}, {"y"})},
      {"bounds must be single numbers", 13,
       node("Clip", {"x", "three"}, {"y"})},
      {"bounds must have the input's element type", 13,
       node("Clip", {"x", "n1"}, {"y"})},
      {"casts to string are not supported", 13,
       node("Cast", {"x"}, {"y"}, attribute("to", 8))},
      {"the input needs a batch and a channel dimension", 13,
       node("BatchNormalization", {"three", "one", "one", "one", "one"},
            {"y"})},
      {"must have 3 elements, one for each channel", 13,
       node("BatchNormalization", {"x", "three", "two", "three", "three"},
            {"y"})},
      {"the running mean and variance are outputs only in training mode", 15,
       node("BatchNormalization", {"x", "three", "three", "three", "three"},
            {"y", "mean"})},
      {"spatial=0 is not supported", 7,
       node("BatchNormalization", {"x", "three", "three", "three", "three"},
            {"y"}, attribute("spatial", 0))},
      {"output 'z' does not exist for this operator", 13,
       node("Relu", {"x"}, {"y", "z"})},
      {"shape must hold integers", 13, node("Reshape", {"x", "two"}, {"y"})},
      {"must be one number known at import: make it an initializer or freeze "
       "the input",
       13, node("Dropout", {"x", "one", "scalar"}, {"y"})},
      {"strings and sparse values are not supported", 13,
       node("Constant", {}, {"y"}, text("value_string", "hello"))},
      {"the shape is missing", 13, node("Reshape", {"x"}, {"y"})},
      {"copies a dimension that the input does not have", 13,
       node("Reshape", {"one", "zero"}, {"y"})},
      {"extent -5 is not possible", 13, node("Reshape", {"x", "minus"}, {"y"})},
      {"axis is outside the input's dimensions", 13,
       node("Flatten", {"x"}, {"y"}, attribute("axis", 3))},
      {"axis 1 has extent 3, not 1", 13, node("Squeeze", {"x", "n1"}, {"y"})},
      {"the axes are missing", 13, node("Unsqueeze", {"x"}, {"y"})},
      {"differs from input 0 in type or off the axis", 13,
       node("Concat", {"x", "w33"}, {"y"}, attribute("axis", 1))},
      {"the number of parts must be positive", 18,
       node("Split", {"x"}, {"y"}, attribute("num_outputs", 0))},
      {"part sizes must not be negative", 11,
       node("Split", {"x"}, {"y", "z"}, attribute("split", Dims{3, -1}))},
      {"starts and ends must both be given, equally long", 13,
       node("Slice", {"x", "n1", "n01"}, {"y"})},
      {"axes and steps must be as many as starts", 13,
       node("Slice", {"x", "n1", "n1", "n01"}, {"y"})},
      {"a step is 0", 13,
       node("Slice", {"x", "n1", "n1", "n1", "zero"}, {"y"})},
      {"indices must be integers", 13, node("Gather", {"x", "two"}, {"y"})},
      {"the axis is empty", 13, node("Gather", {"none", "i"}, {"y"})},
      {"mode 'edge' needs elements to repeat", 10,
       node("Pad", {"none"}, {"y"},
            attribute("pads", Dims{1, 0, 1, 0}) + text("mode", "edge"))},
      {"mode 'mirror' is not known", 10,
       node("Pad", {"x"}, {"y"},
            attribute("pads", Dims{1, 0, 1, 0}) + text("mode", "mirror"))},
      {"pads must have two numbers for each axis", 10,
       node("Pad", {"x"}, {"y"}, attribute("pads", Dims{1}))},
      {"negative pads remove more than axis 0 has", 10,
       node("Pad", {"x"}, {"y"}, attribute("pads", Dims{-2, 0, -1, 0}))},
      {"constant_value must be one number of the input's type", 13,
       node("Pad", {"one", "none_at_all", "x"}, {"y"})},
      {"scalars can't be multiplied as matrices", 13,
       node("MatMul", {"x", "one"}, {"y"})},
      {"the leading dimensions can't be broadcast", 13,
       node("MatMul", {"img", "pair"}, {"y"})},
      {"A and B must be matrices", 13, node("Gemm", {"x", "three"}, {"y"})},
      {"alpha and beta must be 1 for integers", 13,
       node("Gemm", {"i", "i"}, {"y"},
            attribute("transB", 1) +
                field(5, field(1, std::string("alpha")) + varint(2 << 3 | 5) +
                             std::string("\0\0\0\x40", 4)))},
      {"C can't be broadcast to the result", 13,
       node("Gemm", {"x", "w33", "two"}, {"y"})},
      {"kernel_shape, strides, dilations and pads must suit 2 spatial", 13,
       node("MaxPool", {"img"}, {"y"}, window({2}))},
      {"kernel, strides and dilations must be positive, pads not negative", 13,
       node("MaxPool", {"img"}, {"y"}, window({2, 0}))},
      {"auto_pad 'SOMEHOW' is not known", 13,
       node("MaxPool", {"img"}, {"y"},
            window({2, 2}, text("auto_pad", "SOMEHOW")))},
      {"the window of 5 is larger than the padded axis of 4", 13,
       node("MaxPool", {"img"}, {"y"}, window({5, 1}))},
      {"kernel_shape differs from the weight's shape", 13,
       node("Conv", {"img", "kernel"}, {"y"}, window({2, 2}))},
      {"group 2 does not fit 2 input channels, 1 filters", 13,
       node("Conv", {"img", "kernel"}, {"y"}, attribute("group", 2))},
      {"input and weight must be real", 13,
       node("Conv", {"whole", "kernel"}, {"y"})},
      {"the bias must have one number for each filter", 13,
       node("Conv", {"img", "kernel", "two"}, {"y"})},
      {"the input needs a batch, a channel and at least one spatial dimension",
       13, node("MaxPool", {"x"}, {"y"}, window({2}))},
      {"kernel_shape is missing", 13, node("MaxPool", {"img"}, {"y"})},
      {"the input must be real", 13,
       node("AveragePool", {"whole"}, {"y"}, window({2, 2}))},
      {"the input must be real and have a channel dimension", 13,
       node("GlobalAveragePool", {"three"}, {"y"})},
      {"its form of operator set 1 is older than the oldest supported (6)", 1,
       node("Relu", {"x"}, {"y"})},
  };
}

class Errors : public testing::Test {
protected:
  Errors() : context(MLIRContext::Threading::DISABLED) {
    context.getDiagEngine().registerHandler([this](Diagnostic &diagnostic) {
      if (diagnostic.getSeverity() == DiagnosticSeverity::Error)
        all += diagnostic.str() + "\n";
    });
  }
  void refuses(const ModelWriter &model, const std::string &says,
               const std::string &name = "m.onnx") {
    std::string bytes = model.bytes();
    all.clear();
    EXPECT_FALSE(importOnnx(llvm::MemoryBufferRef(bytes, name), context, {}))
        << "accepted; wanted: " << says;
    EXPECT_NE(all.find(says), std::string::npos)
        << "wanted: " << says << "\ngot: " << all;
  }

  MLIRContext context;
  std::string all;
};

TEST_F(Errors, OfOperators) {
  for (const Row &row : rows()) {
    ModelWriter model = base();
    model.inputs.push_back(value("whole", {1, 2, 4, 4}, 7));
    model.inputs.push_back(value("pair", {2, 3, 4, 4}));
    model.initializers.push_back(ints("none_at_all", {}));
    model.opset = row.opset;
    model.nodes = {row.node};
    refuses(model, row.says);
  }
}

TEST_F(Errors, OfGraphs) {
  ModelWriter model = base();
  model.nodes = {node("Relu", {"x"}, {"y"})};
  ModelWriter twice = model;
  twice.initializers.push_back(floats("one", {}, {1}));
  refuses(twice, "two initializers are named 'one'");
  ModelWriter inputs = model;
  inputs.inputs.push_back(value("x", {2, 3}));
  refuses(inputs, "the graph has two inputs of this name");
  ModelWriter sequence = model;
  sequence.inputs.push_back(field(1, std::string("s")) +
                            field(2, field(4, std::string())));
  refuses(sequence, "input 's': is not a tensor: sequences, maps and optional "
                    "values are not supported");
  ModelWriter wide = model;
  wide.initializers.push_back(field(1, uint64_t(2)) + field(2, uint64_t(7)) +
                              field(7, varint(3)) +
                              field(8, std::string("short")));
  refuses(wide, "2 values are needed, 1 are there");
}

TEST_F(Errors, OfWholeFiles) {
  ModelWriter model = base();
  model.nodes = {node("Relu", {"x"}, {"y"})};
  std::string bytes = model.bytes();
  // Without the last field, the operator sets.
  std::string cut = bytes.substr(0, bytes.size() - 6);
  all.clear();
  EXPECT_FALSE(importOnnx(llvm::MemoryBufferRef(cut, "m.onnx"), context, {}));
  EXPECT_NE(all.find("the model imports no operator set of the default domain "
                     "(the file may be cut off)"),
            std::string::npos)
      << all;
  // Sparse initializers are field 15 of the graph.
  std::string graph = field(1, node("Relu", {"x"}, {"y"})) +
                      field(11, value("x", {2})) + field(12, value("y", {2})) +
                      field(15, std::string());
  std::string sparse = field(1, uint64_t(8)) + field(7, graph) +
                       field(8, field(1, std::string()) + field(2, 13));
  all.clear();
  EXPECT_FALSE(
      importOnnx(llvm::MemoryBufferRef(sparse, "m.onnx"), context, {}));
  EXPECT_NE(all.find("the graph has sparse initializers, which are not "
                     "supported: store them dense"),
            std::string::npos)
      << all;
}

TEST_F(Errors, OfExternalDataWithoutAFolder) {
  ModelWriter model;
  model.initializers = {field(1, uint64_t(2)) + field(2, uint64_t(1)) +
                        field(8, std::string("w")) +
                        field(13, field(1, std::string("location")) +
                                      field(2, std::string("w.bin"))) +
                        field(14, uint64_t(1))};
  model.outputs = {value("y", {2})};
  model.nodes = {node("Identity", {"w"}, {"y"})};
  refuses(model,
          "external data of tensor 'w': the model is not read from a file, so "
          "there is no folder to look in",
          "<stdin>");
}

TEST_F(Errors, OfTensorFiles) {
  std::string bytes = "\x0a\xff";
  int32_t kind;
  EXPECT_FALSE(
      readOnnxTensor(llvm::MemoryBufferRef(bytes, "t.pb"), context, kind));
  EXPECT_NE(all.find("not a readable ONNX tensor: byte 1"), std::string::npos)
      << all;
}

} // namespace
