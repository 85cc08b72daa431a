// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The importer's rules about files: what is refused, with which words, and
// that no bytes whatever make it crash.
#include "ModelWriter.h"

#include "neuroc/Conversion/TensorEval.h"
#include "neuroc/Frontend/Onnx/Onnx.h"
#include "neuroc/Neuro/Neuro.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/Parser/Parser.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/raw_ostream.h"

#include <gtest/gtest.h>

#include <random>

using namespace mlir;
using namespace neuroc;
using namespace neuroc::test;

namespace {

class Import : public testing::Test {
protected:
  Import() : context(MLIRContext::Threading::DISABLED) {
    context.getDiagEngine().registerHandler([this](Diagnostic &diagnostic) {
      std::string text;
      llvm::raw_string_ostream(text)
          << diagnostic.getLocation() << ": " << diagnostic.str();
      if (diagnostic.getSeverity() == DiagnosticSeverity::Error)
        errors.push_back(text);
      else
        others.push_back(text);
    });
  }

  OwningOpRef<ModuleOp> import(const std::string &bytes,
                               OnnxImportOptions options = {},
                               const std::string &name = "model.onnx") {
    errors.clear();
    others.clear();
    return importOnnx(llvm::MemoryBufferRef(bytes, name), context, options);
  }
  std::string text(ModuleOp module) {
    std::string result;
    llvm::raw_string_ostream stream(result);
    module->print(stream);
    return result;
  }
  /// Expects failure with one error that contains `part`.
  void refuses(const std::string &bytes, const std::string &part,
               OnnxImportOptions options = {}) {
    EXPECT_FALSE(import(bytes, options));
    ASSERT_FALSE(errors.empty()) << "no message; wanted: " << part;
    EXPECT_NE(errors[0].find(part), std::string::npos) << errors[0];
  }
  /// The constant that function `main` returns as result `index`.
  std::vector<double> returned(ModuleOp module, unsigned index = 0) {
    auto function = *module.getOps<func::FuncOp>().begin();
    Value value = function.front().getTerminator()->getOperand(index);
    TensorEval eval;
    auto host = eval.evaluate(value);
    std::vector<double> result;
    if (host)
      for (HostScalar scalar : host->data)
        result.push_back(host->isFloat() ? scalar.f : double(scalar.i));
    return result;
  }

  MLIRContext context;
  std::vector<std::string> errors, others;
};

ModelWriter relu() {
  ModelWriter model;
  model.inputs = {value("x", {2, 3})};
  model.outputs = {value("y", {2, 3})};
  model.nodes = {node("Relu", {"x"}, {"y"})};
  return model;
}

/// y = x W + b with everything a file can have that a prefix can cut.
ModelWriter dense() {
  ModelWriter model;
  model.inputs = {value("x", {-1, 2})};
  model.outputs = {value("y", {-1, 3})};
  model.initializers = {floats("w", {2, 3}, {1, 2, 3, 4, 5, 6}),
                        floats("b", {3}, {7, 8, 9}), ints("shape", {-1, 3})};
  model.nodes = {node("Gemm", {"x", "w", "b"}, {"t"}),
                 node("Reshape", {"t", "shape"}, {"y"})};
  return model;
}

TEST_F(Import, NetworkHasLabelledStimulusAndOutput) {
  auto module = import(relu().bytes());
  ASSERT_TRUE(module);
  unsigned stimuli = 0, probes = 0;
  module->walk([&](neuro::StimulusOp op) {
    ++stimuli;
    EXPECT_EQ(op.getLabel(), "x");
  });
  module->walk([&](neuro::ProbeOp op) {
    ++probes;
    EXPECT_TRUE(op.getOutput());
  });
  EXPECT_EQ(stimuli, 1u);
  EXPECT_EQ(probes, 1u);
}

TEST_F(Import, LocationNamesNodeAndFile) {
  auto module = import(relu().bytes());
  ASSERT_TRUE(module);
  bool found = false;
  module->walk([&](linalg::GenericOp op) {
    std::string location;
    llvm::raw_string_ostream(location) << op.getLoc();
    found |= location.find("Relu 'the_Relu' (node 0)") != std::string::npos &&
             location.find("model.onnx") != std::string::npos;
  });
  EXPECT_TRUE(found);
}

TEST_F(Import, EveryPrefixIsDiagnosed) {
  std::string bytes = dense().bytes();
  ASSERT_TRUE(import(bytes));
  for (size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_FALSE(import(bytes.substr(0, size))) << "prefix of " << size;
    EXPECT_FALSE(errors.empty()) << "prefix of " << size << " without a word";
  }
}

TEST_F(Import, ErrorsCarryByteOffsets) {
  std::string bytes = relu().bytes();
  refuses(bytes.substr(0, bytes.size() - 5), "byte ");
}

TEST_F(Import, FuzzedFilesNeverCrash) {
  std::mt19937 random(7);
  std::string good = dense().bytes();
  unsigned accepted = 0;
  for (int round = 0; round < 4000; ++round) {
    std::string bytes = good;
    for (unsigned edits = 1 + random() % 4; edits--;) {
      size_t at = random() % bytes.size();
      switch (random() % 3) {
      case 0:
        bytes[at] = char(random());
        break;
      case 1:
        bytes.erase(at, 1 + random() % 3);
        break;
      default:
        bytes.insert(at, 1, char(random()));
      }
      if (bytes.empty())
        bytes = "x";
    }
    accepted += bool(import(bytes));
    if (!errors.empty())
      continue;
  }
  for (int round = 0; round < 2000; ++round) {
    std::string bytes(random() % 64, 0);
    for (char &c : bytes)
      c = char(random());
    if (import(bytes))
      ++accepted;
    else
      EXPECT_FALSE(errors.empty());
  }
  EXPECT_LT(accepted, 3000u); // most edits break something
}

TEST_F(Import, FuzzedNodeModelsNeverCrash) {
  // Small edits of real models of every operator reach their checks.
  // --gtest_shuffle --gtest_random_seed=N tries other edits.
  std::mt19937 random(11 + testing::UnitTest::GetInstance()->random_seed());
  unsigned files = 0, accepted = 0;
  std::error_code error;
  std::vector<std::string> paths;
  for (llvm::sys::fs::directory_iterator
           it(NEUROC_ONNX_TESTDATA "/node", error),
       end;
       it != end && !error; it.increment(error))
    paths.push_back(it->path() + "/model.onnx");
  llvm::sort(paths);
  if (paths.empty())
    GTEST_SKIP() << "no test data in " NEUROC_ONNX_TESTDATA;
  for (const std::string &path : paths) {
    auto buffer = llvm::MemoryBuffer::getFile(path, false, false);
    if (!buffer || (*buffer)->getBufferSize() > 4000 ||
        !import((*buffer)->getBuffer().str()))
      continue;
    ++files;
    for (int round = 0; round < 60; ++round) {
      std::string bytes = (*buffer)->getBuffer().str();
      for (unsigned edits = 1 + random() % 3; edits--;)
        bytes[random() % bytes.size()] =
            random() % 2 ? char(random()) : char(random() % 8);
      if (import(bytes))
        ++accepted;
      else
        EXPECT_FALSE(errors.empty());
    }
  }
  EXPECT_GT(files, 100u);
  EXPECT_GT(accepted, 100u);
}

TEST_F(Import, UnknownOperatorsAreReportedTogether) {
  ModelWriter model = relu();
  model.nodes = {node("Erf", {"x"}, {"a"}), node("Erf", {"a"}, {"b"}),
                 node("Fancy", {"b"}, {"y"}, "", "com.example")};
  model.otherOpsets =
      field(8, field(1, std::string("com.example")) + field(2, 3));
  EXPECT_FALSE(import(model.bytes()));
  ASSERT_EQ(errors.size(), 2u);
  EXPECT_NE(errors[0].find("operator 'Erf' (domain 'ai.onnx', opset 13) is not "
                           "supported; the model has 2 such nodes"),
            std::string::npos)
      << errors[0];
  EXPECT_NE(errors[0].find("'the_Erf' (node 0)"), std::string::npos);
  EXPECT_NE(errors[1].find("'Fancy' (domain 'com.example', opset 3)"),
            std::string::npos)
      << errors[1];
}

TEST_F(Import, SymbolicDimensions) {
  ModelWriter model = dense();
  auto module = import(model.bytes());
  ASSERT_TRUE(module);
  ASSERT_FALSE(others.empty());
  EXPECT_NE(others[0].find("dimension 'N' is taken to be 1"),
            std::string::npos);
  OnnxImportOptions options;
  options.dims["N"] = 5;
  module = import(model.bytes(), options);
  ASSERT_TRUE(module);
  EXPECT_NE(text(*module).find("tensor<5x3xf32>"), std::string::npos);
  options.inputShapes["x"] = {4, 2};
  module = import(model.bytes(), options);
  ASSERT_TRUE(module);
  EXPECT_NE(text(*module).find("tensor<4x3xf32>"), std::string::npos);
}

TEST_F(Import, InitializersListedAsInputsAreParameters) {
  ModelWriter model = dense();
  model.irVersion = 3;
  model.inputs.push_back(value("w", {2, 3}));
  model.inputs.push_back(value("b", {3}));
  auto module = import(model.bytes());
  ASSERT_TRUE(module);
  unsigned stimuli = 0;
  module->walk([&](neuro::StimulusOp) { ++stimuli; });
  EXPECT_EQ(stimuli, 1u);
}

TEST_F(Import, UnsortedNodesAreSorted) {
  ModelWriter model = dense();
  std::swap(model.nodes[0], model.nodes[1]);
  EXPECT_TRUE(import(model.bytes()));
}

TEST_F(Import, CyclesAreRefused) {
  ModelWriter model = relu();
  model.nodes = {node("Add", {"x", "b"}, {"a"}), node("Relu", {"a"}, {"b"}),
                 node("Relu", {"b"}, {"y"})};
  refuses(model.bytes(), "depends on its own result");
}

TEST_F(Import, DuplicateValuesAreRefused) {
  ModelWriter model = relu();
  model.nodes.push_back(node("Relu", {"x"}, {"y"}));
  refuses(model.bytes(), "'y' is defined twice");
}

TEST_F(Import, UndefinedInputsAreRefused) {
  ModelWriter model = relu();
  model.nodes = {node("Relu", {"nowhere"}, {"y"})};
  refuses(model.bytes(), "'nowhere' is defined nowhere");
}

TEST_F(Import, UndefinedOutputsAreRefused) {
  ModelWriter model = relu();
  model.outputs = {value("z", {2, 3})};
  refuses(model.bytes(), "is defined nowhere");
}

TEST_F(Import, StringsAreRefused) {
  ModelWriter model = relu();
  model.inputs = {value("x", {2, 3}, 8)};
  refuses(model.bytes(), "element type string is not supported");
}

TEST_F(Import, MissingShapesNeedAnOption) {
  ModelWriter model = relu();
  model.inputs = {field(1, std::string("x")) +
                  field(2, field(1, field(1, uint64_t(1))))};
  refuses(model.bytes(), "has no shape in the file");
  OnnxImportOptions options;
  options.inputShapes["x"] = {2, 3};
  EXPECT_TRUE(import(model.bytes(), options));
}

TEST_F(Import, PayloadOfWrongSizeIsRefused) {
  ModelWriter model = dense();
  model.initializers[1] = floats("b", {3}, {7, 8});
  refuses(model.bytes(), "3 values of 4 bytes are needed, 8 bytes are there");
}

TEST_F(Import, RunTimeShapesAreRefusedUnlessFrozen) {
  ModelWriter model = relu();
  model.inputs.push_back(value("shape", {1}, 7));
  model.nodes = {node("Reshape", {"x", "shape"}, {"y"})};
  refuses(model.bytes(), "known only at run time");
  OnnxImportOptions options;
  auto type = RankedTensorType::get({1}, IntegerType::get(&context, 64));
  options.frozenInputs["shape"] =
      DenseElementsAttr::get(type, ArrayRef<int64_t>{6});
  auto module = import(model.bytes(), options);
  ASSERT_TRUE(module);
  EXPECT_NE(text(*module).find("tensor<6xf32>"), std::string::npos);
}

TEST_F(Import, ShapePlumbingLeavesNoTrace) {
  // y = Reshape(x, Concat(Gather(Shape(x), 0), [-1])) as exporters write it.
  ModelWriter model = relu();
  model.initializers = {ints("zero", {0}), ints("rest", {-1})};
  model.outputs = {value("y", {2, 3})};
  model.nodes = {
      node("Shape", {"x"}, {"s"}), node("Gather", {"s", "zero"}, {"g"}),
      node("Concat", {"g", "rest"}, {"c"}, attribute("axis", 0)),
      node("Reshape", {"x", "c"}, {"r"}), node("Relu", {"r"}, {"y"})};
  auto module = import(model.bytes());
  ASSERT_TRUE(module) << errors[0];
  unsigned generics = 0, integers = 0;
  module->walk([&](linalg::GenericOp) { ++generics; });
  module->walk([&](arith::ConstantOp op) {
    integers += !isa<FloatType>(getElementTypeOrSelf(op.getType()));
  });
  EXPECT_EQ(generics, 1u);
  EXPECT_EQ(integers, 0u);
}

TEST_F(Import, ConstantsAreFoldedThroughArithmetic) {
  ModelWriter model;
  model.initializers = {floats("a", {2}, {1, 2}), floats("b", {2}, {10, 20})};
  model.outputs = {value("y", {2})};
  model.nodes = {node("Add", {"a", "b"}, {"s"}),
                 node("Mul", {"s", "s"}, {"y"})};
  OnnxImportOptions options;
  options.wrapper = OnnxWrapper::Function;
  auto module = import(model.bytes(), options);
  ASSERT_TRUE(module);
  EXPECT_EQ(returned(*module), (std::vector<double>{121, 484}));
  unsigned generics = 0;
  module->walk([&](linalg::GenericOp) { ++generics; });
  EXPECT_EQ(generics, 0u);
}

TEST_F(Import, FunctionsAreInlinedWithTheirAttributes) {
  // Outer(x; way) = Concat(x, x, axis = way), defined in the file.
  ModelWriter model;
  model.initializers = {floats("a", {1, 2}, {1, 2})};
  model.outputs = {value("y", {1, 4})};
  model.otherOpsets = field(8, field(1, std::string("local")) + field(2, 1));
  model.nodes = {node("Twice", {"a"}, {"y"}, attribute("way", 1), "local")};
  model.functions = {
      field(1, std::string("Twice")) + field(4, std::string("in")) +
      field(5, std::string("out")) + field(6, std::string("way")) +
      field(7,
            node("Concat", {"in", "in"}, {"out"}, reference("axis", "way"))) +
      field(9, field(1, std::string()) + field(2, 13)) +
      field(10, std::string("local"))};
  OnnxImportOptions options;
  options.wrapper = OnnxWrapper::Function;
  auto module = import(model.bytes(), options);
  ASSERT_TRUE(module) << errors[0];
  EXPECT_EQ(returned(*module), (std::vector<double>{1, 2, 1, 2}));
}

TEST_F(Import, RecursiveFunctionsAreRefused) {
  ModelWriter model = relu();
  model.otherOpsets = field(8, field(1, std::string("local")) + field(2, 1));
  model.nodes = {node("Loop", {"x"}, {"y"}, "", "local")};
  model.functions = {field(1, std::string("Loop")) +
                     field(4, std::string("in")) +
                     field(5, std::string("out")) +
                     field(7, node("Loop", {"in"}, {"out"}, "", "local")) +
                     field(10, std::string("local"))};
  refuses(model.bytes(), "calls itself");
}

TEST_F(Import, TrainingDropoutIsRefused) {
  ModelWriter model = relu();
  model.initializers = {floats("ratio", {}, {0.5f}),
                        field(2, uint64_t(9)) + field(8, std::string("train")) +
                            field(9, std::string("\1"))};
  model.nodes = {node("Dropout", {"x", "ratio", "train"}, {"y"})};
  refuses(model.bytes(), "draws random numbers");
}

TEST_F(Import, OperatorErrorsNameTheRule) {
  ModelWriter model = relu();
  model.nodes = {node("Transpose", {"x"}, {"y"},
                      attribute("perm", std::vector<int64_t>{0, 0}))};
  refuses(model.bytes(), "axis 0 is given twice");
  model.nodes = {node("Transpose", {"x"}, {"y"},
                      attribute("perm", std::vector<int64_t>{0}))};
  refuses(model.bytes(), "is not a permutation");
  model.nodes = {node("Softmax", {"x"}, {"y"}, attribute("axis", 5))};
  refuses(model.bytes(), "axis 5 is outside [-2, 2)");
  model.nodes = {node("Conv", {"x", "x"}, {"y"})};
  refuses(model.bytes(), "must have a batch");
  model.nodes = {node("Relu", {""}, {"y"})};
  refuses(model.bytes(), "input 0 is missing");
  model.initializers = {floats("z", {4}, {1, 2, 3, 4})};
  model.nodes = {node("Add", {"x", "z"}, {"y"})};
  refuses(model.bytes(), "shapes [2, 3] and [4] can't be broadcast");
}

class External : public Import {
protected:
  External() {
    llvm::sys::fs::createUniqueDirectory("neuroc-onnx", folder);
    write("weights.bin", std::string("\0\0\x80\x3f\0\0\0\x40", 8)); // 1, 2
  }
  ~External() override { llvm::sys::fs::remove_directories(folder); }

  void write(const std::string &name, const std::string &bytes) {
    std::error_code error;
    llvm::raw_fd_ostream(std::string(folder) + "/" + name, error) << bytes;
  }
  std::string model(const std::string &location, const std::string &offset,
                    const std::string &length) {
    auto entry = [](const std::string &key, const std::string &text) {
      return field(13, field(1, key) + field(2, text));
    };
    ModelWriter writer;
    std::string tensor = field(1, uint64_t(2)) + field(2, uint64_t(1)) +
                         field(8, std::string("w")) +
                         entry("location", location) + field(14, uint64_t(1));
    if (!offset.empty())
      tensor += entry("offset", offset);
    if (!length.empty())
      tensor += entry("length", length);
    writer.initializers = {tensor};
    writer.outputs = {value("y", {2})};
    writer.nodes = {node("Identity", {"w"}, {"y"})};
    return writer.bytes();
  }
  OnnxImportOptions options() {
    OnnxImportOptions result;
    result.wrapper = OnnxWrapper::Function;
    result.directory = std::string(folder);
    return result;
  }

  llvm::SmallString<128> folder;
};

TEST_F(External, IsRead) {
  auto module = import(model("weights.bin", "", ""), options());
  ASSERT_TRUE(module) << errors[0];
  EXPECT_EQ(returned(*module), (std::vector<double>{1, 2}));
}

TEST_F(External, HostilePathsAreRefused) {
  std::string outside = std::string(folder) + "/../escape.bin";
  refuses(model("/etc/passwd", "", ""), "is not a relative path", options());
  refuses(model("../weights.bin", "", ""), "leaves the model's folder",
          options());
  refuses(model("a/../weights.bin", "", ""), "leaves the model's folder",
          options());
  refuses(model("", "", ""), "no location is given", options());
  refuses(model("missing.bin", "", ""), "there is no file", options());
  refuses(model(".", "", ""),
          "leaves the model's folder or is not in plain form", options());
}

TEST_F(External, LinksAreRefused) {
  ASSERT_FALSE(llvm::sys::fs::create_link(std::string(folder) + "/weights.bin",
                                          std::string(folder) + "/link.bin"));
  refuses(model("link.bin", "", ""), "symbolic link", options());
}

TEST_F(External, RangesAreChecked) {
  refuses(model("weights.bin", "9", ""), "offset is not a number within",
          options());
  refuses(model("weights.bin", "4", "8"), "reach beyond the file", options());
  refuses(model("weights.bin", "18446744073709551615", "8"),
          "offset is not a number within", options());
  refuses(model("weights.bin", "0", "four"), "reach beyond", options());
  refuses(model("weights.bin", "4", ""), "2 values of 4 bytes are needed",
          options());
}

TEST_F(Import, SummaryCountsAlsoWhatIsUnsupported) {
  ModelWriter model = dense();
  model.nodes.push_back(node("Erf", {"y"}, {"z"}));
  std::string bytes = model.bytes();
  auto summary =
      summarizeOnnx(llvm::MemoryBufferRef(bytes, "m.onnx"), context, {});
  ASSERT_TRUE(summary);
  EXPECT_EQ(summary->getInteger("nodes"), 3);
  EXPECT_EQ(summary->getInteger("parameters"), 11);
  EXPECT_EQ(summary->getObject("unsupported")->getInteger("Erf"), 1);
  EXPECT_TRUE(summary->get("macs")->getAsNull());
  bytes = dense().bytes();
  summary = summarizeOnnx(llvm::MemoryBufferRef(bytes, "m.onnx"), context, {});
  EXPECT_EQ(summary->getInteger("macs"), 6);
}

TEST_F(Import, OptionsThatNameNothingAreRefused) {
  OnnxImportOptions dims, shapes, frozen;
  dims.dims["M"] = 3;
  refuses(dense().bytes(), "the inputs have no symbolic dimension 'M'", dims);
  shapes.inputShapes["z"] = {1};
  refuses(dense().bytes(), "there is no input 'z' to give a shape to", shapes);
  auto type = RankedTensorType::get({1}, Float32Type::get(&context));
  frozen.frozenInputs["z"] = DenseElementsAttr::get(type, 1.0f);
  refuses(dense().bytes(), "there is no input 'z' to give a value to", frozen);
  frozen.frozenInputs.clear();
  frozen.frozenInputs["x"] = DenseElementsAttr::get(type, 1.0f);
  refuses(dense().bytes(), "the frozen value has another type", frozen);
}

TEST_F(Import, ImpossibleShapesAreRefused) {
  ModelWriter model = relu();
  model.inputs = {value("x", {int64_t(1) << 30, int64_t(1) << 30})};
  refuses(model.bytes(), "is not possible");
}

TEST_F(Import, FortyOperators) { EXPECT_EQ(onnxOperators().size(), 40u); }

} // namespace
