// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Reads the cases. Exclusions are rules on types and on randomness, never
// names of cases: strings, sequences and optional values have no counterpart
// in a network, and dropout in training mode draws random numbers of NumPy's
// generator.
#include "Conformance.h"

#include "Model.h"

#include "mlir/IR/Diagnostics.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"

#include <cmath>
#include <map>

using namespace mlir;
using namespace neuroc;
using namespace neuroc::test;
using llvm::StringRef;

/// Operand numbers that decide shapes.
static const std::map<std::string, std::vector<unsigned>> shapeOperands = {
    {"Reshape", {1}},    {"Squeeze", {1}},    {"Unsqueeze", {1}},
    {"Split", {1}},      {"Pad", {1, 3}},     {"Slice", {1, 2, 3, 4}},
    {"Dropout", {1, 2}}, {"ReduceMean", {1}},
};
/// Operand numbers that hold parameters in trained models.
static const std::map<std::string, std::vector<unsigned>> parameterOperands = {
    {"Conv", {1, 2}}, {"Gemm", {1, 2}}, {"MatMul", {1}},
    {"PRelu", {1}},   {"Clip", {1, 2}}, {"BatchNormalization", {1, 2, 3, 4}},
    {"Pad", {2}},     {"Gather", {1}},  {"Add", {1}},
    {"Sub", {1}},     {"Mul", {1}},     {"Div", {1}},
    {"Concat", {1}},  {"Max", {1}},     {"Min", {1}},
    {"Sum", {1}},     {"Mean", {1}},
};

static DenseElementsAttr readTensor(const std::string &path,
                                    MLIRContext &context, int32_t &kind) {
  auto buffer = llvm::MemoryBuffer::getFile(path, false, false);
  if (!buffer)
    return {};
  return readOnnxTensor((*buffer)->getMemBufferRef(), context, kind);
}

/// NumPy has no bfloat16, so the files hold its bits as uint16.
static DenseElementsAttr declaredAs(DenseElementsAttr value, int32_t stored,
                                    int32_t declared) {
  if (!value || declared != onnx::BFloat16 || stored != onnx::UInt16)
    return value;
  auto host = toHost(value);
  host->element = Float32Type::get(value.getContext());
  for (HostScalar &scalar : host->data)
    scalar.f = llvm::bit_cast<float>(uint32_t(uint16_t(scalar.i)) << 16);
  return toAttribute(*host);
}

static DenseElementsAttr zeros(const onnx::ValueInfo *info,
                               MLIRContext &context) {
  HostTensor host;
  host.element = onnxElementType(context, info->kind);
  int64_t count = 1;
  for (const onnx::Dim &dim : info->dims) {
    host.shape.push_back(dim.value.value_or(1));
    count *= host.shape.back();
  }
  HostScalar zero;
  zero.i = 0; // the bits of 0.0, too
  host.data.assign(count, zero);
  return toAttribute(host);
}

static std::string exclusion(const onnx::Model &model, const Case &test) {
  for (const auto *list : {&model.graph.inputs, &model.graph.outputs})
    for (const onnx::ValueInfo &info : *list) {
      if (!info.isTensor)
        return "a sequence or optional value";
      if (info.kind == onnx::String)
        return "strings";
    }
  for (const onnx::Node &node : model.graph.nodes) {
    if (node.op != "Dropout" || node.inputs.size() < 3)
      continue;
    auto valueOf = [&](StringRef name, double otherwise) {
      for (auto [i, input] : llvm::enumerate(test.inputNames))
        if (input == name) {
          auto host = toHost(test.inputs[i]);
          return host->isFloat() ? host->data[0].f : double(host->data[0].i);
        }
      return otherwise;
    };
    bool training = valueOf(node.inputs[2], 0) != 0;
    if (training && valueOf(node.inputs[1], 0.5) != 0)
      return "random numbers (dropout in training mode)";
  }
  return "";
}

std::vector<Case> neuroc::test::loadCases(const std::string &root,
                                          MLIRContext &context,
                                          const std::string &filter) {
  std::vector<std::string> names;
  std::error_code error;
  for (llvm::sys::fs::directory_iterator it(root, error), end;
       it != end && !error; it.increment(error))
    names.push_back(llvm::sys::path::filename(it->path()).str());
  llvm::sort(names);
  std::vector<std::string> known = onnxOperators();
  std::vector<Case> cases;
  for (const std::string &name : names) {
    std::string folder = root + "/" + name;
    auto buffer =
        llvm::MemoryBuffer::getFile(folder + "/model.onnx", false, false);
    if (!buffer || (!filter.empty() && name.find(filter) == std::string::npos))
      continue;
    Case test;
    test.name = name;
    test.model = std::move(*buffer);
    onnx::Model model;
    onnx::WireError wireError;
    onnx::Bytes bytes{
        reinterpret_cast<const uint8_t *>(test.model->getBufferStart()),
        test.model->getBufferSize(), 0};
    if (!onnx::parseModel(bytes, model, wireError)) {
      llvm::errs() << name << ": " << wireError.message << "\n";
      cases.push_back(std::move(test));
      continue;
    }
    test.covered = true;
    llvm::StringSet<> initializers;
    for (const onnx::Tensor &tensor : model.graph.initializers)
      initializers.insert(tensor.name);
    llvm::StringSet<> inputs;
    std::vector<int32_t> inputKinds;
    std::vector<const onnx::ValueInfo *> declared;
    llvm::StringSet<> read;
    for (const onnx::ValueInfo &info : model.graph.inputs)
      if (!initializers.count(info.name)) {
        test.inputNames.push_back(info.name.str());
        inputKinds.push_back(info.kind);
        declared.push_back(&info);
        inputs.insert(info.name);
      }
    for (const onnx::Node &node : model.graph.nodes) {
      for (StringRef input : node.inputs)
        read.insert(input);
      std::string op = node.op.str();
      if (!node.domain.empty() || !llvm::is_contained(known, op))
        test.covered = false;
      if (!llvm::is_contained(test.operators, op))
        test.operators.push_back(op);
      auto collect = [&](auto &table, std::set<std::string> &into) {
        auto entry = table.find(op);
        if (entry == table.end())
          return;
        for (unsigned index : entry->second)
          if (index < node.inputs.size() && inputs.count(node.inputs[index]))
            into.insert(node.inputs[index].str());
      };
      collect(shapeOperands, test.shapeInputs);
      collect(parameterOperands, test.parameterInputs);
    }
    if (test.covered) {
      // Values with types that can't be read are excluded by the same rule.
      ScopedDiagnosticHandler quiet(&context, [](Diagnostic &) {});
      std::string data = folder + "/test_data_set_0/";
      int32_t kind;
      test.excluded = exclusion(model, {});
      if (test.excluded.empty()) {
        for (size_t i = 0; i < test.inputNames.size(); ++i) {
          auto value = readTensor(data + "input_" + std::to_string(i) + ".pb",
                                  context, kind);
          // What no node reads has values of another shape in some files.
          if (!read.count(test.inputNames[i]))
            value = zeros(declared[i], context);
          test.inputs.push_back(declaredAs(value, kind, inputKinds[i]));
        }
        for (size_t i = 0; i < model.graph.outputs.size(); ++i) {
          auto value = readTensor(data + "output_" + std::to_string(i) + ".pb",
                                  context, kind);
          test.outputs.push_back(
              declaredAs(value, kind, model.graph.outputs[i].kind));
        }
        test.excluded = exclusion(model, test);
      }
    }
    cases.push_back(std::move(test));
  }
  return cases;
}

OnnxImportOptions neuroc::test::optionsFor(const Case &test, bool frozen) {
  OnnxImportOptions options;
  for (auto [name, value] : llvm::zip(test.inputNames, test.inputs))
    if (test.shapeInputs.count(name) ||
        (frozen && test.parameterInputs.count(name)))
      options.frozenInputs[name] = value;
  return options;
}

std::vector<DenseElementsAttr> neuroc::test::runtimeInputs(const Case &test,
                                                           bool frozen) {
  std::vector<DenseElementsAttr> result;
  for (auto [name, value] : llvm::zip(test.inputNames, test.inputs))
    if (!test.shapeInputs.count(name) &&
        !(frozen && test.parameterInputs.count(name)))
      result.push_back(value);
  return result;
}

std::string neuroc::test::compare(const HostTensor &actual,
                                  DenseElementsAttr expected) {
  auto reference = toHost(expected);
  if (actual.type() != reference->type()) {
    std::string text;
    llvm::raw_string_ostream(text)
        << "type " << actual.type() << ", expected " << reference->type();
    return text;
  }
  for (size_t i = 0; i < reference->data.size(); ++i) {
    HostScalar a = actual.data[i], b = reference->data[i];
    bool equal;
    if (!actual.isFloat())
      equal = a.i == b.i;
    else if (std::isnan(a.f) || std::isnan(b.f))
      equal = std::isnan(a.f) && std::isnan(b.f);
    else
      equal =
          a.f == b.f || std::fabs(a.f - b.f) <= 1e-7 + 1e-3 * std::fabs(b.f);
    if (!equal)
      return "element " + std::to_string(i) + ": " +
             (actual.isFloat()
                  ? std::to_string(a.f) + ", expected " + std::to_string(b.f)
                  : std::to_string(a.i) + ", expected " + std::to_string(b.i));
  }
  return "";
}

std::vector<double> neuroc::test::toNumbers(DenseElementsAttr value) {
  auto host = toHost(value);
  std::vector<double> result;
  for (HostScalar scalar : host->data)
    result.push_back(host->isFloat()              ? scalar.f
                     : host->element.isInteger(1) ? double(scalar.i & 1)
                                                  : double(scalar.i));
  return result;
}

std::string neuroc::test::compareNumbers(const std::vector<double> &actual,
                                         DenseElementsAttr expected) {
  std::vector<double> reference = toNumbers(expected);
  if (actual.size() != reference.size())
    return std::to_string(actual.size()) + " elements, expected " +
           std::to_string(reference.size());
  HostTensor a, b;
  a.shape = b.shape = {int64_t(actual.size())};
  a.element = b.element = Float32Type::get(expected.getContext());
  for (double value : actual)
    a.data.push_back({.f = value});
  for (double value : reference)
    b.data.push_back({.f = value});
  return compare(a, toAttribute(b));
}
