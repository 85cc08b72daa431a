// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The ONNX front end: reads an ONNX model (IR versions 3 to 13, opsets 6 to
// 25) and builds a `neuro.network` whose stateless nodes are linalg, tensor,
// arith and math operations. docs/onnx.md lists operators and limits.
#ifndef NEUROC_FRONTEND_ONNX_ONNX_H
#define NEUROC_FRONTEND_ONNX_ONNX_H

#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/MemoryBufferRef.h"

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace neuroc {

/// What the operations of the graph are put into.
enum class OnnxWrapper {
  Network,  ///< a `neuro.network` between stimuli and outputs
  Function, ///< a `func.func @main` of tensors, for tests of the translation
};

struct OnnxImportOptions {
  /// Name of the network symbol; empty: the graph's name.
  std::string networkName;
  /// Tick length of the network, ms. A stateless graph does not depend on it.
  double dt = 1.0;
  OnnxWrapper wrapper = OnnxWrapper::Network;
  /// Shapes that replace those of the file, by graph input name.
  std::map<std::string, std::vector<int64_t>> inputShapes;
  /// Extents of symbolic dimensions, by symbol name.
  std::map<std::string, int64_t> dims;
  /// Extent of a symbolic or unknown dimension that `dims` does not name.
  int64_t defaultDim = 1;
  /// Graph inputs that are bound to a value and so become constants. The
  /// attribute's element type is that of the imported input (see docs/onnx.md).
  std::map<std::string, mlir::DenseElementsAttr> frozenInputs;
  /// Folder that external data is read from. Empty: the folder of the
  /// buffer's identifier; no file outside it is ever opened.
  std::string directory;
};

/// The operators (default domain) that the importer translates, sorted.
std::vector<std::string> onnxOperators();

/// Imports a model. The buffer's identifier names the file in locations.
/// Errors go to the context's diagnostic handler and give a null result:
/// malformed files (with byte offset), unsupported operators (all of them, one
/// diagnostic for each operator), shapes that depend on run-time values.
mlir::OwningOpRef<mlir::ModuleOp> importOnnx(llvm::MemoryBufferRef buffer,
                                             mlir::MLIRContext &context,
                                             const OnnxImportOptions &options);

/// The element type that the importer gives to tensors of an ONNX element
/// type (reals become f32, integers keep their width, bool is i1); null for
/// types that have no counterpart (strings, complex numbers, sub-byte types).
mlir::Type onnxElementType(mlir::MLIRContext &context, int32_t onnxType);

/// Reads one serialised TensorProto (the format of `.pb` test data).
/// `onnxType` receives the element type of the file. Null after a diagnostic.
mlir::DenseElementsAttr readOnnxTensor(llvm::MemoryBufferRef buffer,
                                       mlir::MLIRContext &context,
                                       int32_t &onnxType);

/// The data of `--emit=onnx-summary`: producer, versions, inputs and outputs,
/// operator histogram with the unsupported ones marked, number of parameters,
/// multiply-accumulates (null where the model can't be imported). Fails only
/// for files that can't be read; those give a diagnostic.
std::optional<llvm::json::Object>
summarizeOnnx(llvm::MemoryBufferRef buffer, mlir::MLIRContext &context,
              const OnnxImportOptions &options);

} // namespace neuroc
#endif // NEUROC_FRONTEND_ONNX_ONNX_H
