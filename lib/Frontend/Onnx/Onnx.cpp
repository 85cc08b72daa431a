// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The entry points of the ONNX front end: parse, import into a network (or a
// function), read test tensors, summarise. In a network graph inputs are real
// stimuli; integer and boolean ones are converted behind them, and outputs are
// converted back to reals before their probe, since signals are spikes or
// reals.
#include "neuroc/Frontend/Onnx/Onnx.h"

#include "Importer.h"

#include "neuroc/Neuro/Neuro.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Verifier.h"
#include "llvm/Support/Path.h"

#include <set>

using namespace mlir;
using namespace neuroc;
using namespace neuroc::onnx;

static Bytes bytesOf(llvm::MemoryBufferRef buffer) {
  return {reinterpret_cast<const uint8_t *>(buffer.getBufferStart()),
          buffer.getBufferSize(), 0};
}

static Location fileLoc(llvm::MemoryBufferRef buffer, MLIRContext &context) {
  return FileLineColLoc::get(&context, buffer.getBufferIdentifier(), 0, 0);
}

static bool parse(llvm::MemoryBufferRef buffer, MLIRContext &context,
                  Model &model) {
  WireError error;
  if (parseModel(bytesOf(buffer), model, error))
    return true;
  emitError(fileLoc(buffer, context)) << "not a readable ONNX model: byte "
                                      << error.offset << ": " << error.message;
  return false;
}

std::vector<std::string> neuroc::onnxOperators() {
  std::vector<std::string> names;
  for (auto &[name, translation] : translations())
    names.push_back(name);
  return names;
}

DenseElementsAttr neuroc::readOnnxTensor(llvm::MemoryBufferRef buffer,
                                         MLIRContext &context,
                                         int32_t &onnxType) {
  WireError error;
  Tensor tensor;
  Location loc = fileLoc(buffer, context);
  if (!parseTensor(bytesOf(buffer), tensor, error)) {
    emitError(loc) << "not a readable ONNX tensor: byte " << error.offset
                   << ": " << error.message;
    return {};
  }
  onnxType = tensor.kind;
  return TensorReader(context, "").read(tensor, loc);
}

static std::string directoryOf(llvm::MemoryBufferRef buffer,
                               const OnnxImportOptions &options) {
  if (!options.directory.empty())
    return options.directory;
  StringRef file = buffer.getBufferIdentifier();
  if (file.empty() || file.starts_with("<") || file == "-")
    return "";
  StringRef parent = llvm::sys::path::parent_path(file);
  return parent.empty() ? "." : parent.str();
}

/// Unique symbols within the network.
static std::string uniqueSymbol(StringRef name, StringRef otherwise,
                                std::set<std::string> &used) {
  std::string base = symbolName(name, otherwise), result = base;
  for (unsigned i = 1; !used.insert(result).second; ++i)
    result = base + "_" + std::to_string(i);
  return result;
}

/// A real stimulus as a tensor of the graph input's element type.
static Value fromReal(OpBuilder &builder, Location loc, Value real,
                      const GraphImporter::Input &input) {
  Type element = input.type.getElementType();
  if (isa<FloatType>(element))
    return real;
  TensorBuilder build(builder, loc);
  return build.map({real}, input.type.getShape(), element,
                   [&](OpBuilder &b, Location l, ValueRange v) -> Value {
                     if (element.isInteger(1)) {
                       Value zero = build.number(v[0].getType(), 0);
                       return arith::CmpFOp::create(
                           b, l, arith::CmpFPredicate::UNE, v[0], zero);
                     }
                     if (isUnsigned(input.kind))
                       return arith::FPToUIOp::create(b, l, element, v[0]);
                     return arith::FPToSIOp::create(b, l, element, v[0]);
                   });
}

static Value toReal(OpBuilder &builder, const GraphImporter::Output &output) {
  if (isa<FloatType>(elementOf(output.value)))
    return output.value;
  TensorBuilder build(builder, output.loc);
  Type real = builder.getF32Type();
  return build.map({output.value}, shapeOf(output.value), real,
                   [&](OpBuilder &b, Location l, ValueRange v) -> Value {
                     if (isUnsigned(output.kind))
                       return arith::UIToFPOp::create(b, l, real, v[0]);
                     return arith::SIToFPOp::create(b, l, real, v[0]);
                   });
}

static LogicalResult
buildNetwork(ModuleOp module, GraphImporter &importer, const Model &model,
             const std::vector<GraphImporter::Input> &inputs,
             const OnnxImportOptions &options) {
  OpBuilder builder = OpBuilder::atBlockEnd(module.getBody());
  std::string name = options.networkName.empty()
                         ? symbolName(model.graph.name, "main")
                         : options.networkName;
  auto network = neuro::NetworkOp::create(
      builder, importer.graphLoc(), builder.getStringAttr(name),
      builder.getF64FloatAttr(options.dt), builder.getI64IntegerAttr(1));
  Block *block = new Block;
  network.getBody().push_back(block);
  builder.setInsertionPointToEnd(block);
  std::set<std::string> used;
  SmallVector<Value> arguments;
  for (const GraphImporter::Input &input : inputs) {
    auto type =
        RankedTensorType::get(input.type.getShape(), builder.getF32Type());
    OperationState state(input.loc, neuro::StimulusOp::getOperationName());
    state.addTypes(type);
    state.addAttribute("sym_name", builder.getStringAttr(uniqueSymbol(
                                       input.name, "input", used)));
    state.addAttribute("label", builder.getStringAttr(input.name));
    Value stimulus = builder.create(state)->getResult(0);
    arguments.push_back(fromReal(builder, input.loc, stimulus, input));
  }
  auto outputs = importer.build(builder, arguments);
  if (failed(outputs))
    return failure();
  builder.setInsertionPointToEnd(block);
  for (const GraphImporter::Output &output : *outputs) {
    OperationState state(output.loc, neuro::ProbeOp::getOperationName());
    state.addOperands(toReal(builder, output));
    state.addAttribute("sym_name", builder.getStringAttr(uniqueSymbol(
                                       output.name, "output", used)));
    state.addAttribute("output", builder.getUnitAttr());
    state.addAttribute("label", builder.getStringAttr(output.name));
    builder.create(state);
  }
  return success();
}

static LogicalResult
buildFunction(ModuleOp module, GraphImporter &importer,
              const std::vector<GraphImporter::Input> &inputs) {
  OpBuilder builder = OpBuilder::atBlockEnd(module.getBody());
  SmallVector<Type> types;
  for (const GraphImporter::Input &input : inputs)
    types.push_back(input.type);
  auto function = func::FuncOp::create(builder, importer.graphLoc(), "main",
                                       builder.getFunctionType(types, {}));
  Block *block = function.addEntryBlock();
  builder.setInsertionPointToEnd(block);
  auto outputs = importer.build(builder, block->getArguments());
  if (failed(outputs))
    return failure();
  SmallVector<Value> values;
  for (const GraphImporter::Output &output : *outputs)
    values.push_back(output.value);
  builder.setInsertionPointToEnd(block);
  func::ReturnOp::create(builder, importer.graphLoc(), values);
  function.setType(
      builder.getFunctionType(types, TypeRange(ValueRange(values))));
  return success();
}

OwningOpRef<ModuleOp> neuroc::importOnnx(llvm::MemoryBufferRef buffer,
                                         MLIRContext &context,
                                         const OnnxImportOptions &options) {
  context.loadDialect<arith::ArithDialect, func::FuncDialect,
                      linalg::LinalgDialect, math::MathDialect,
                      tensor::TensorDialect, neuro::NeuroDialect>();
  Model model;
  if (!parse(buffer, context, model))
    return {};
  GraphImporter importer(model, context, options,
                         buffer.getBufferIdentifier().str(),
                         directoryOf(buffer, options));
  auto inputs = importer.prepare();
  if (failed(inputs))
    return {};
  OwningOpRef<ModuleOp> module = ModuleOp::create(importer.graphLoc());
  Builder builder(&context);
  SmallVector<NamedAttribute> opsets;
  for (auto &entry : model.opsets)
    opsets.push_back(builder.getNamedAttr(
        entry.getKey().empty() ? "ai.onnx" : entry.getKey(),
        builder.getI64IntegerAttr(entry.getValue())));
  (*module)->setAttr(
      "neuro.onnx",
      builder.getDictionaryAttr(
          {builder.getNamedAttr("ir_version",
                                builder.getI64IntegerAttr(model.irVersion)),
           builder.getNamedAttr("opsets", builder.getDictionaryAttr(opsets)),
           builder.getNamedAttr("producer",
                                builder.getStringAttr(model.producerName)),
           builder.getNamedAttr(
               "producer_version",
               builder.getStringAttr(model.producerVersion))}));
  LogicalResult built =
      options.wrapper == OnnxWrapper::Function
          ? buildFunction(*module, importer, *inputs)
          : buildNetwork(*module, importer, model, *inputs, options);
  if (failed(built) || failed(verify(*module)))
    return {};
  return module;
}
