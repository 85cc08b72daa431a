// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The translation of one graph: values by name, constants that are folded as
// soon as they are seen, and the context in which an operator is translated.
#ifndef NEUROC_LIB_FRONTEND_ONNX_IMPORTER_H
#define NEUROC_LIB_FRONTEND_ONNX_IMPORTER_H

#include "Model.h"
#include "TensorBuilder.h"

#include "neuroc/Conversion/TensorEval.h"
#include "neuroc/Frontend/Onnx/Onnx.h"

#include "mlir/IR/Diagnostics.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/Support/MemoryBuffer.h"

#include <map>

namespace neuroc::onnx {

/// A value of the graph. A constant has no IR until something asks for it.
struct GraphValue {
  mlir::Value value;
  mlir::DenseElementsAttr constant;
  int32_t kind = Undefined;
  mlir::RankedTensorType type;
};

using Scope = llvm::StringMap<GraphValue>;

bool isReal(int32_t kind);
bool isUnsigned(int32_t kind);

/// Reads payloads, including external ones.
class TensorReader {
public:
  TensorReader(mlir::MLIRContext &context, std::string directory)
      : context(context), directory(std::move(directory)) {}
  /// Null after an error at `loc`.
  mlir::DenseElementsAttr read(const Tensor &tensor, mlir::Location loc);

private:
  bool loadExternal(const Tensor &tensor, mlir::Location loc, Bytes &bytes);

  mlir::MLIRContext &context;
  std::string directory;
  std::map<std::string, std::unique_ptr<llvm::MemoryBuffer>> files;
};

class GraphImporter;

/// Everything a translation function sees of its node.
class NodeContext {
public:
  NodeContext(GraphImporter &importer, const Node &node, Scope &scope,
              int64_t opset, mlir::Location loc);

  const Node &node;
  const int64_t opset;
  TensorBuilder build;

  mlir::LogicalResult error(const llvm::Twine &message);

  unsigned numInputs() const { return node.inputs.size(); }
  unsigned numOutputs() const { return node.outputs.size(); }
  bool has(unsigned input) const {
    return input < node.inputs.size() && !node.inputs[input].empty();
  }
  bool wants(unsigned output) const {
    return output < node.outputs.size() && !node.outputs[output].empty();
  }
  GraphValue &input(unsigned index);
  mlir::Value in(unsigned index);
  llvm::ArrayRef<int64_t> shape(unsigned index) {
    return input(index).type.getShape();
  }
  int64_t rank(unsigned index) { return input(index).type.getRank(); }
  int32_t kind(unsigned index) { return input(index).kind; }
  mlir::Type element(unsigned index) {
    return input(index).type.getElementType();
  }
  bool isConstant(unsigned index) { return bool(input(index).constant); }
  /// The integers of a constant input; an error that names the remedy if it
  /// is known only at run time.
  mlir::FailureOr<Shape> constantInts(unsigned index, llvm::StringRef what);
  mlir::FailureOr<double> constantNumber(unsigned index, llvm::StringRef what);

  const Attribute *attribute(llvm::StringRef name) const;
  int64_t getInt(llvm::StringRef name, int64_t otherwise) const;
  double getFloat(llvm::StringRef name, double otherwise) const;
  llvm::StringRef getString(llvm::StringRef name,
                            llvm::StringRef otherwise) const;
  std::optional<Shape> getInts(llvm::StringRef name) const;

  /// `axis` in [0, rank), counting negative ones from the end.
  mlir::FailureOr<int64_t> axis(int64_t axis, int64_t rank);
  mlir::FailureOr<Shape> axes(llvm::ArrayRef<int64_t> axes, int64_t rank);

  /// The value as a constant if it can be computed now, else itself.
  mlir::Value simplify(mlir::Value value);
  std::optional<mlir::DenseElementsAttr> fold(mlir::Value value);

  mlir::LogicalResult set(unsigned output, mlir::Value value, int32_t kind);
  mlir::LogicalResult setConstant(unsigned output,
                                  mlir::DenseElementsAttr value, int32_t kind);
  TensorReader &reader();

private:
  GraphImporter &importer;
  Scope &scope;
  mlir::Location loc;
};

using Translation = mlir::LogicalResult (*)(NodeContext &);
/// All operators of the default domain, by name.
const std::map<std::string, Translation, std::less<>> &translations();
void addMathOperators(std::map<std::string, Translation, std::less<>> &);
void addShapeOperators(std::map<std::string, Translation, std::less<>> &);
void addWindowOperators(std::map<std::string, Translation, std::less<>> &);

/// Translates the nodes of a model into a block.
class GraphImporter {
public:
  GraphImporter(const Model &model, mlir::MLIRContext &context,
                const OnnxImportOptions &options, std::string file,
                std::string directory);

  /// A graph input that is not a parameter, with its resolved type.
  struct Input {
    llvm::StringRef name;
    int32_t kind;
    mlir::RankedTensorType type;
    mlir::Location loc;
  };
  struct Output {
    llvm::StringRef name;
    int32_t kind;
    mlir::Value value;
    mlir::Location loc;
  };

  /// Checks operators, reads initializers, resolves the inputs' shapes.
  mlir::FailureOr<std::vector<Input>> prepare();
  /// Builds the nodes at the builder's insertion point (a block's end).
  mlir::FailureOr<std::vector<Output>> build(mlir::OpBuilder &builder,
                                             mlir::ValueRange inputs);

  mlir::Location graphLoc() const { return fileLoc; }
  mlir::Location nodeLoc(const Node &node, size_t index,
                         llvm::StringRef prefix) const;

private:
  friend class NodeContext;

  mlir::LogicalResult checkOperators();
  mlir::LogicalResult checkOptions() const;
  mlir::LogicalResult buildNodes(const std::vector<Node> &nodes,
                                 const Opsets &opsets, Scope &scope,
                                 llvm::StringRef prefix, unsigned depth);
  mlir::LogicalResult buildCall(const Node &node, const Function &function,
                                Scope &scope, mlir::Location loc,
                                llvm::StringRef prefix, unsigned depth);
  const Function *findFunction(const Node &node) const;
  mlir::LogicalResult foldResults(const Node &node, Scope &scope,
                                  mlir::Operation *mark);

  const Model &model;
  mlir::MLIRContext &context;
  const OnnxImportOptions &options;
  std::string file;
  mlir::Location fileLoc;
  TensorReader reader;
  Scope scope;
  std::vector<Input> inputs;
  mlir::OpBuilder *builder = nullptr;
  TensorEval eval;
  /// Constants that got IR while the current node was translated.
  std::vector<GraphValue *> materialised;
};

/// An error that begins with what the location names (`Gemm 'fc1' (node 3)`):
/// tools print only the file of such a location.
mlir::InFlightDiagnostic namedError(mlir::Location loc);
mlir::InFlightDiagnostic namedRemark(mlir::Location loc);

/// Renders a name as a symbol: letters, digits, `_`, `.`, not empty.
std::string symbolName(llvm::StringRef name, llvm::StringRef otherwise);

} // namespace neuroc::onnx
#endif // NEUROC_LIB_FRONTEND_ONNX_IMPORTER_H
