// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What `--emit=onnx-summary` prints: the model at a glance, also for models
// that can't be imported. Multiply-accumulates are counted on the imported
// operations (products summed over a reduction), so they need an import.
#include "Importer.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/IR/Diagnostics.h"

using namespace mlir;
using namespace neuroc;
using namespace neuroc::onnx;

static int64_t countMacs(ModuleOp module) {
  int64_t total = 0;
  module.walk([&](linalg::GenericOp op) {
    if (op.getNumReductionLoops() == 0)
      return;
    bool multiplies = false;
    op.getBody()->walk([&](Operation *inner) {
      multiplies |= isa<arith::MulFOp, arith::MulIOp>(inner);
    });
    if (multiplies)
      total += product(op.getStaticLoopRanges());
  });
  return total;
}

static llvm::json::Array describe(const std::vector<ValueInfo> &values,
                                  const llvm::StringSet<> &parameters) {
  llvm::json::Array result;
  for (const ValueInfo &info : values) {
    if (parameters.count(info.name))
      continue;
    llvm::json::Array shape;
    for (const Dim &dim : info.dims) {
      if (dim.value && dim.symbol.empty())
        shape.push_back(*dim.value);
      else
        shape.push_back(llvm::json::fixUTF8(dim.symbol));
    }
    llvm::json::Object entry{{"name", llvm::json::fixUTF8(info.name)},
                             {"type", info.isTensor
                                          ? elementName(info.kind).str()
                                          : "not a tensor"}};
    entry["shape"] = info.hasShape ? llvm::json::Value(std::move(shape))
                                   : llvm::json::Value(nullptr);
    result.push_back(std::move(entry));
  }
  return result;
}

std::optional<llvm::json::Object>
neuroc::summarizeOnnx(llvm::MemoryBufferRef buffer, MLIRContext &context,
                      const OnnxImportOptions &options) {
  Model model;
  WireError error;
  Bytes bytes{reinterpret_cast<const uint8_t *>(buffer.getBufferStart()),
              buffer.getBufferSize(), 0};
  if (!parseModel(bytes, model, error)) {
    emitError(FileLineColLoc::get(&context, buffer.getBufferIdentifier(), 0, 0))
        << "not a readable ONNX model: byte " << error.offset << ": "
        << error.message;
    return std::nullopt;
  }
  llvm::StringSet<> parameters;
  int64_t count = 0;
  for (const Tensor &tensor : model.graph.initializers) {
    parameters.insert(tensor.name);
    count += product(tensor.dims);
  }
  llvm::json::Object operators, unsupported, opsets;
  auto tally = [](llvm::json::Object &object, StringRef key) {
    object[llvm::json::fixUTF8(key)] =
        object.getInteger(llvm::json::fixUTF8(key)).value_or(0) + 1;
  };
  for (const Node &node : model.graph.nodes) {
    std::string name =
        (node.domain.empty() ? "" : node.domain.str() + ".") + node.op.str();
    tally(operators, name);
    bool isFunction = llvm::any_of(model.functions, [&](const Function &f) {
      return f.name == node.op && f.domain == node.domain;
    });
    if (!isFunction && (!node.domain.empty() || !translations().count(node.op)))
      tally(unsupported, name);
  }
  for (auto &entry : model.opsets)
    opsets[entry.getKey().empty() ? std::string("ai.onnx")
                                  : llvm::json::fixUTF8(entry.getKey())] =
        entry.getValue();
  llvm::json::Object result{
      {"schema", 1},
      {"graph", llvm::json::fixUTF8(model.graph.name)},
      {"producer", llvm::json::fixUTF8(model.producerName)},
      {"producer_version", llvm::json::fixUTF8(model.producerVersion)},
      {"ir_version", model.irVersion},
      {"opsets", std::move(opsets)},
      {"nodes", int64_t(model.graph.nodes.size())},
      {"functions", int64_t(model.functions.size())},
      {"operators", std::move(operators)},
      {"unsupported", std::move(unsupported)},
      {"parameters", count},
      {"inputs", describe(model.graph.inputs, parameters)},
      {"outputs", describe(model.graph.outputs, {})}};
  // A failed import is not an error of the summary: it says null.
  ScopedDiagnosticHandler quiet(&context, [](Diagnostic &) {});
  OnnxImportOptions asFunction = options;
  asFunction.wrapper = OnnxWrapper::Function;
  auto module = importOnnx(buffer, context, asFunction);
  result["macs"] = module ? llvm::json::Value(countMacs(*module))
                          : llvm::json::Value(nullptr);
  return result;
}
