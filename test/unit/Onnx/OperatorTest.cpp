// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Forms of operators that the backend node tests of ONNX 1.12 do not have:
// those of operator sets 18 to 25 and of 6 to 10. The models have constant
// inputs, so that the importer computes the outputs; expected values are worked
// out by hand from the specification.
#include "ModelWriter.h"

#include "neuroc/Conversion/TensorEval.h"
#include "neuroc/Frontend/Onnx/Onnx.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/MLIRContext.h"
#include "llvm/Support/MemoryBuffer.h"

#include <gtest/gtest.h>

#include <numeric>

using namespace mlir;
using namespace neuroc;
using namespace neuroc::test;

namespace {

using Values = std::vector<double>;
using Dims = std::vector<int64_t>;

class Operator : public testing::Test {
protected:
  Operator() : context(MLIRContext::Threading::DISABLED) {
    model.outputs = {value("y", {})};
    context.getDiagEngine().registerHandler([this](Diagnostic &diagnostic) {
      if (diagnostic.getSeverity() == DiagnosticSeverity::Error)
        error = diagnostic.str();
    });
  }

  /// A float input with the values 1, 2, 3, …
  void counting(const std::string &name, const Dims &dims) {
    std::vector<float> data(std::accumulate(dims.begin(), dims.end(),
                                            int64_t(1), std::multiplies<>()));
    std::iota(data.begin(), data.end(), 1.0f);
    model.initializers.push_back(floats(name, dims, data));
  }
  void integers(const std::string &name, const Dims &values) {
    model.initializers.push_back(ints(name, values));
  }

  /// Imports at an operator set and compares output `index`.
  void expect(int64_t opset, const Dims &shape, const Values &values,
              unsigned index = 0) {
    model.opset = opset;
    std::string bytes = model.bytes();
    OnnxImportOptions options;
    options.wrapper = OnnxWrapper::Function;
    auto module =
        importOnnx(llvm::MemoryBufferRef(bytes, "m.onnx"), context, options);
    ASSERT_TRUE(module) << error;
    auto function = *module->getOps<func::FuncOp>().begin();
    TensorEval eval;
    auto host =
        eval.evaluate(function.front().getTerminator()->getOperand(index));
    ASSERT_TRUE(host) << "the output is not constant";
    EXPECT_EQ(Dims(host->shape.begin(), host->shape.end()), shape);
    ASSERT_EQ(host->data.size(), values.size());
    for (size_t i = 0; i < values.size(); ++i) {
      double actual =
          host->isFloat() ? host->data[i].f : double(host->data[i].i);
      if (actual != values[i]) // equal infinities have no difference
        EXPECT_NEAR(actual, values[i], 1e-5) << "element " << i;
    }
  }
  void refuse(int64_t opset, const std::string &part) {
    model.opset = opset;
    std::string bytes = model.bytes();
    error.clear();
    EXPECT_FALSE(
        importOnnx(llvm::MemoryBufferRef(bytes, "m.onnx"), context, {}));
    EXPECT_NE(error.find(part), std::string::npos) << error;
  }

  MLIRContext context;
  ModelWriter model;
  std::string error;
};

TEST_F(Operator, SplitNumOutputs18) {
  counting("x", {5});
  model.nodes = {node("Split", {"x"}, {"y", "z"}, attribute("num_outputs", 2))};
  model.outputs = {value("y", {}), value("z", {})};
  expect(18, {3}, {1, 2, 3}, 0);
  expect(18, {2}, {4, 5}, 1); // the last part is the smaller one
}

TEST_F(Operator, SplitAttribute11) {
  counting("x", {5});
  model.nodes = {node("Split", {"x"}, {"y", "z"},
                      attribute("split", Dims{1, 4}) + attribute("axis", 0))};
  model.outputs = {value("y", {}), value("z", {})};
  expect(11, {4}, {2, 3, 4, 5}, 1);
}

TEST_F(Operator, SplitThatDoesNotFit) {
  counting("x", {5});
  integers("s", {2, 2});
  model.nodes = {node("Split", {"x", "s"}, {"y", "z"})};
  refuse(13, "the parts have 4 positions, the axis 5");
}

TEST_F(Operator, ReduceMeanAxesInput18) {
  counting("x", {2, 3});
  integers("axes", {-1});
  model.nodes = {
      node("ReduceMean", {"x", "axes"}, {"y"}, attribute("keepdims", 0))};
  expect(18, {2}, {2, 5});
  // At 13 the second input does not exist yet: all axes are reduced.
  expect(13, {}, {3.5});
}

TEST_F(Operator, ReduceMeanNothing18) {
  counting("x", {2});
  model.nodes = {
      node("ReduceMean", {"x"}, {"y"}, attribute("noop_with_empty_axes", 1))};
  expect(18, {2}, {1, 2});
}

TEST_F(Operator, PadAxes18) {
  counting("x", {1, 2});
  integers("pads", {1, 0});
  model.initializers.push_back(floats("v", {}, {9}));
  integers("axes", {-1});
  model.nodes = {node("Pad", {"x", "pads", "v", "axes"}, {"y"})};
  expect(18, {1, 3}, {9, 1, 2});
}

TEST_F(Operator, PadWrap19) {
  counting("x", {3});
  integers("pads", {2, 1});
  model.nodes = {node("Pad", {"x", "pads"}, {"y"},
                      field(5, field(1, std::string("mode")) +
                                   field(4, std::string("wrap")) +
                                   field(20, uint64_t(3))))};
  expect(19, {6}, {2, 3, 1, 2, 3, 1});
}

TEST_F(Operator, PadCrops) {
  counting("x", {4});
  integers("pads", {-1, 1});
  model.nodes = {node("Pad", {"x", "pads"}, {"y"})};
  expect(13, {4}, {2, 3, 4, 0});
}

TEST_F(Operator, PadAttributes10) {
  counting("x", {2});
  model.nodes = {node("Pad", {"x"}, {"y"}, attribute("pads", Dims{0, 1}))};
  expect(10, {3}, {1, 2, 0});
}

TEST_F(Operator, AveragePoolDilations19) {
  counting("x", {1, 1, 5});
  model.nodes = {node("AveragePool", {"x"}, {"y"},
                      attribute("kernel_shape", Dims{2}) +
                          attribute("dilations", Dims{3}))};
  expect(19, {1, 1, 2}, {2.5, 3.5});
}

TEST_F(Operator, AveragePoolCeilCountsNoOverhang) {
  counting("x", {1, 1, 4});
  model.nodes = {
      node("AveragePool", {"x"}, {"y"},
           attribute("kernel_shape", Dims{3}) + attribute("strides", Dims{2}) +
               attribute("ceil_mode", 1) + attribute("count_include_pad", 1))};
  expect(19, {1, 1, 2}, {2, 3.5});
}

TEST_F(Operator, PoolDropsWindowInPadding22) {
  counting("x", {1, 1, 3});
  model.nodes = {
      node("MaxPool", {"x"}, {"y"},
           attribute("kernel_shape", Dims{1}) + attribute("strides", Dims{2}) +
               attribute("pads", Dims{0, 2}) + attribute("ceil_mode", 1))};
  // Positions 0, 2 and 4: the last begins in the padding.
  expect(22, {1, 1, 2}, {1, 3});
}

TEST_F(Operator, MaxPoolColumnMajorIndices) {
  counting("x", {1, 1, 2, 2});
  model.nodes = {node("MaxPool", {"x"}, {"", "y"},
                      attribute("kernel_shape", Dims{2, 1}) +
                          attribute("storage_order", 1))};
  expect(12, {1, 1, 1, 2}, {1, 3});
}

TEST_F(Operator, SoftmaxFlattens12) {
  counting("x", {1, 2, 2});
  for (auto &initializer : model.initializers)
    initializer = floats("x", {1, 2, 2}, {0, 0, 0, 0});
  model.nodes = {node("Softmax", {"x"}, {"y"})};
  expect(12, {1, 2, 2}, {0.25, 0.25, 0.25, 0.25}); // over both last axes
  expect(13, {1, 2, 2}, {0.5, 0.5, 0.5, 0.5});     // over the last
}

TEST_F(Operator, ClipAttributes6) {
  counting("x", {4});
  auto real = [](const std::string &name, float number) {
    std::string bytes(4, 0);
    std::memcpy(bytes.data(), &number, 4);
    return field(5, field(1, name) + varint(2 << 3 | 5) + bytes +
                        field(20, uint64_t(1)));
  };
  model.nodes = {node("Clip", {"x"}, {"y"}, real("min", 2) + real("max", 3))};
  expect(6, {4}, {2, 2, 3, 3});
  expect(13, {4}, {1, 2, 3, 4}); // there the bounds are inputs
}

TEST_F(Operator, ClipWithCrossedBoundsGivesMax) {
  counting("x", {3});
  model.initializers.push_back(floats("lo", {}, {5}));
  model.initializers.push_back(floats("hi", {}, {2}));
  model.nodes = {node("Clip", {"x", "lo", "hi"}, {"y"})};
  expect(13, {3}, {2, 2, 2});
}

TEST_F(Operator, OldBroadcast6) {
  counting("x", {2, 2});
  counting("b", {2});
  model.nodes = {node("Add", {"x", "b"}, {"y"},
                      attribute("broadcast", 1) + attribute("axis", 0))};
  expect(6, {2, 2}, {2, 3, 5, 6});
  expect(7, {2, 2}, {2, 4, 4, 6}); // NumPy's rule
}

TEST_F(Operator, SliceAttributes9) {
  counting("x", {5});
  model.nodes = {node("Slice", {"x"}, {"y"},
                      attribute("starts", Dims{-3}) +
                          attribute("ends", Dims{INT64_MAX}) +
                          attribute("axes", Dims{0}))};
  expect(9, {3}, {3, 4, 5});
}

TEST_F(Operator, SliceBackwardsToTheBeginning) {
  counting("x", {4});
  integers("s", {-1});
  integers("e", {INT64_MIN});
  integers("a", {0});
  integers("t", {-2});
  model.nodes = {node("Slice", {"x", "s", "e", "a", "t"}, {"y"})};
  expect(13, {2}, {4, 2});
}

TEST_F(Operator, ReshapeRules) {
  counting("x", {2, 3});
  integers("s", {0, -1});
  model.nodes = {node("Reshape", {"x", "s"}, {"y"})};
  expect(14, {2, 3}, {1, 2, 3, 4, 5, 6});
  model.initializers[1] = ints("s", {4, -1});
  refuse(14, "-1 can't be inferred: 6 elements, the other extents give 4");
  model.initializers[1] = ints("s", {-1, -1});
  refuse(14, "the shape has -1 twice");
  model.initializers[1] = ints("s", {5});
  refuse(14, "6 elements can't be given a shape of 5");
}

TEST_F(Operator, ShapeStartEnd15) {
  counting("x", {2, 3, 1});
  model.nodes = {node("Shape", {"x"}, {"y"}, attribute("start", -2))};
  expect(15, {2}, {3, 1});
  expect(14, {3}, {2, 3, 1});
}

TEST_F(Operator, GatherOutsideIsRefused) {
  counting("x", {3});
  integers("i", {3});
  model.nodes = {node("Gather", {"x", "i"}, {"y"})};
  refuse(13, "index 3 is outside the axis of 3");
}

TEST_F(Operator, GroupedConvolution) {
  counting("x", {1, 2, 1});
  model.initializers.push_back(floats("w", {2, 1, 1}, {10, 100}));
  model.nodes = {node("Conv", {"x", "w"}, {"y"}, attribute("group", 2))};
  expect(13, {1, 2, 1}, {10, 200});
  model.nodes = {node("Conv", {"x", "w"}, {"y"}, attribute("group", 3))};
  refuse(13, "group 3 does not fit");
}

TEST_F(Operator, SameLowerPutsTheOddPadFirst) {
  counting("x", {1, 1, 2});
  model.initializers.push_back(floats("w", {1, 1, 2}, {1, 10}));
  auto mode = [](const std::string &text) {
    return field(5, field(1, std::string("auto_pad")) + field(4, text) +
                        field(20, uint64_t(3)));
  };
  model.nodes = {node("Conv", {"x", "w"}, {"y"}, mode("SAME_LOWER"))};
  expect(13, {1, 1, 2}, {10, 21});
  model.nodes = {node("Conv", {"x", "w"}, {"y"}, mode("SAME_UPPER"))};
  expect(13, {1, 1, 2}, {21, 2});
}

TEST_F(Operator, MatMulOfVectors) {
  counting("x", {3});
  counting("w", {3});
  model.nodes = {node("MatMul", {"x", "w"}, {"y"})};
  expect(13, {}, {14});
}

TEST_F(Operator, CastRoundsToHalf) {
  model.initializers = {floats("x", {3}, {1.0f + 1.0f / 4096, 65520, 0.1f})};
  model.nodes = {node("Cast", {"x"}, {"y"}, attribute("to", 10))};
  expect(13, {3}, {1, INFINITY, 0.0999755859375});
}

} // namespace
