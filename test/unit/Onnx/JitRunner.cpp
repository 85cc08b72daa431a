// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The upstream path from tensors to machine code: one-shot bufferisation,
// results as out-parameters, linalg to loops, conversion to LLVM. Arguments
// are memref descriptors built here from ranks and shapes.
#include "JitRunner.h"

#include "mlir/Conversion/Passes.h"
#include "mlir/Dialect/Arith/Transforms/BufferizableOpInterfaceImpl.h"
#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Dialect/Bufferization/Transforms/FuncBufferizableOpInterfaceImpl.h"
#include "mlir/Dialect/Bufferization/Transforms/Passes.h"
#include "mlir/Dialect/Func/Extensions/AllExtensions.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/LLVMIR/Transforms/Passes.h"
#include "mlir/Dialect/Linalg/Passes.h"
#include "mlir/Dialect/Linalg/Transforms/BufferizableOpInterfaceImpl.h"
#include "mlir/Dialect/Linalg/Utils/Utils.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/MemRef/Transforms/Passes.h"
#include "mlir/Dialect/Tensor/Transforms/BufferizableOpInterfaceImpl.h"
#include "mlir/ExecutionEngine/ExecutionEngine.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Target/LLVMIR/Dialect/Builtin/BuiltinToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/LLVMIR/LLVMToLLVMIRTranslation.h"
#include "llvm/Support/TargetSelect.h"

#include <cstring>

using namespace mlir;
using namespace neuroc;
using namespace neuroc::test;

void neuroc::test::registerForJit(DialectRegistry &registry) {
  arith::registerBufferizableOpInterfaceExternalModels(registry);
  bufferization::func_ext::registerBufferizableOpInterfaceExternalModels(
      registry);
  linalg::registerBufferizableOpInterfaceExternalModels(registry);
  tensor::registerBufferizableOpInterfaceExternalModels(registry);
  func::registerAllExtensions(registry);
  registerBuiltinDialectTranslation(registry);
  registerLLVMDialectTranslation(registry);
  registry.insert<bufferization::BufferizationDialect, LLVM::LLVMDialect>();
}

JitRunner::JitRunner() {
  llvm::InitializeNativeTarget();
  llvm::InitializeNativeTargetAsmPrinter();
}
JitRunner::~JitRunner() = default;

bool JitRunner::compile(ModuleOp module) {
  PassManager pm(module.getContext());
  bufferization::OneShotBufferizePassOptions options;
  options.bufferizeFunctionBoundaries = true;
  options.functionBoundaryTypeConversion =
      bufferization::LayoutMapOption::IdentityLayoutMap;
  pm.addPass(bufferization::createOneShotBufferizePass(options));
  bufferization::BufferResultsToOutParamsPassOptions outOptions;
  outOptions.modifyPublicFunctions = true;
  pm.addPass(bufferization::createBufferResultsToOutParamsPass(outOptions));
  if (failed(pm.run(module)))
    return false;
  // Copies between layouts would call a helper library; loops need none.
  SmallVector<memref::CopyOp> copies;
  module.walk([&](memref::CopyOp op) { copies.push_back(op); });
  for (memref::CopyOp op : copies) {
    OpBuilder builder(op);
    linalg::makeMemRefCopyOp(builder, op.getLoc(), op.getSource(),
                             op.getTarget());
    op.erase();
  }
  return lower(module);
}

bool JitRunner::lower(ModuleOp module) {
  PassManager pm(module.getContext());
  pm.addPass(createConvertLinalgToLoopsPass());
  pm.addPass(memref::createExpandStridedMetadataPass());
  pm.addPass(createLowerAffinePass());
  pm.addPass(createSCFToControlFlowPass());
  pm.addNestedPass<func::FuncOp>(LLVM::createLLVMRequestCWrappersPass());
  pm.addPass(createConvertMathToLLVMPass());
  pm.addPass(createConvertMathToLibmPass());
  pm.addPass(createFinalizeMemRefToLLVMConversionPass());
  pm.addPass(createConvertFuncToLLVMPass());
  pm.addPass(createArithToLLVMConversionPass());
  pm.addPass(createConvertIndexToLLVMPass());
  pm.addPass(createConvertControlFlowToLLVMPass());
  pm.addPass(createReconcileUnrealizedCastsPass());
  if (failed(pm.run(module)))
    return false;
  ExecutionEngineOptions engineOptions;
  engineOptions.jitCodeGenOptLevel = llvm::CodeGenOptLevel::None;
  auto created = ExecutionEngine::create(module, engineOptions);
  if (!created) {
    llvm::errs() << llvm::toString(created.takeError()) << "\n";
    return false;
  }
  engine = std::move(*created);
  return true;
}

static unsigned bytesOf(Type type) {
  return type.isInteger(1) ? 1 : type.getIntOrFloatBitWidth() / 8;
}

/// A buffer with the layout that the generated code expects, and its
/// descriptor: allocated, aligned, offset, sizes, strides.
struct Buffer {
  std::vector<char> bytes;
  std::vector<int64_t> descriptor;
  void *pointer = nullptr;

  explicit Buffer(const HostTensor &tensor) {
    unsigned width = bytesOf(tensor.element);
    int64_t count = 1;
    for (int64_t dim : tensor.shape)
      count *= dim;
    bytes.resize(count * width + 64);
    for (size_t i = 0; i < tensor.data.size(); ++i) {
      HostScalar value = tensor.data[i];
      if (tensor.element.isF32()) {
        float real = float(value.f);
        std::memcpy(&bytes[i * 4], &real, 4);
      } else {
        int64_t number = tensor.element.isInteger(1) ? value.i & 1 : value.i;
        std::memcpy(&bytes[i * width], &number, width);
      }
    }
    int64_t address = int64_t(reinterpret_cast<intptr_t>(bytes.data()));
    descriptor = {address, address, 0};
    descriptor.insert(descriptor.end(), tensor.shape.begin(),
                      tensor.shape.end());
    int64_t stride = 1;
    std::vector<int64_t> strides(tensor.shape.size());
    for (size_t d = strides.size(); d-- > 0; stride *= tensor.shape[d])
      strides[d] = stride;
    descriptor.insert(descriptor.end(), strides.begin(), strides.end());
    pointer = descriptor.data();
  }

  void store(HostTensor &tensor) const {
    unsigned width = bytesOf(tensor.element);
    int64_t count = 1;
    for (int64_t dim : tensor.shape)
      count *= dim;
    tensor.data.resize(count);
    for (int64_t i = 0; i < count; ++i) {
      if (tensor.element.isF32()) {
        float real;
        std::memcpy(&real, &bytes[i * 4], 4);
        tensor.data[i].f = real;
      } else {
        uint64_t bits = 0;
        std::memcpy(&bits, &bytes[i * width], width);
        unsigned wide = tensor.element.getIntOrFloatBitWidth();
        tensor.data[i].i =
            wide == 64 ? int64_t(bits) : llvm::SignExtend64(bits, wide);
      }
    }
  }
};

bool JitRunner::call(const std::string &name,
                     const std::vector<std::shared_ptr<HostTensor>> &inputs,
                     std::vector<HostTensor> &outputs) {
  std::vector<std::unique_ptr<Buffer>> buffers;
  for (auto &input : inputs)
    buffers.push_back(std::make_unique<Buffer>(*input));
  for (HostTensor &output : outputs)
    buffers.push_back(std::make_unique<Buffer>(output));
  SmallVector<void *> arguments;
  for (auto &buffer : buffers)
    arguments.push_back(&buffer->pointer);
  if (auto error = engine->invokePacked("_mlir_ciface_" + name, arguments)) {
    llvm::errs() << llvm::toString(std::move(error)) << "\n";
    return false;
  }
  for (auto [i, output] : llvm::enumerate(outputs))
    buffers[inputs.size() + i]->store(output);
  return true;
}
