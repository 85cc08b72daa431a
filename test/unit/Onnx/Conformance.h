// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The cases of the ONNX backend test data: which of them the importer claims
// to cover, their inputs, expected outputs and the comparison of the ONNX
// runner.
#ifndef NEUROC_TEST_UNIT_ONNX_CONFORMANCE_H
#define NEUROC_TEST_UNIT_ONNX_CONFORMANCE_H

#include "neuroc/Conversion/TensorEval.h"
#include "neuroc/Frontend/Onnx/Onnx.h"

#include "llvm/Support/MemoryBuffer.h"

#include <set>
#include <string>
#include <vector>

namespace neuroc::test {

/// One test: a model and the values that go in and must come out.
struct Case {
  std::string name;
  std::unique_ptr<llvm::MemoryBuffer> model;
  std::vector<std::string> operators; ///< distinct, in order of appearance
  std::vector<std::string> inputNames;
  std::vector<mlir::DenseElementsAttr> inputs, outputs;
  /// Inputs that decide shapes, and so are bound to their value at import.
  std::set<std::string> shapeInputs;
  /// Further inputs that a real model has as constants.
  std::set<std::string> parameterInputs;
  bool covered = false;
  /// Why a case whose operators are all covered can't be run; by rule.
  std::string excluded;
};

/// All cases below `root`, sorted by name. Reads only what it needs.
std::vector<Case> loadCases(const std::string &root, mlir::MLIRContext &context,
                            const std::string &filter);

/// Import options with the inputs bound that `frozen` asks for.
OnnxImportOptions optionsFor(const Case &test, bool frozen);
/// The inputs that stay run-time inputs.
std::vector<mlir::DenseElementsAttr> runtimeInputs(const Case &test,
                                                   bool frozen);

/// Empty if equal by the rule of the ONNX runner: same shape and type,
/// |a - b| <= 1e-7 + 1e-3 |b| for reals, NaN equal to NaN, integers equal.
std::string compare(const HostTensor &actual, mlir::DenseElementsAttr expected);

/// Values as the host of a network sees them.
std::vector<double> toNumbers(mlir::DenseElementsAttr value);
/// `compare` for the values of a probe.
std::string compareNumbers(const std::vector<double> &actual,
                           mlir::DenseElementsAttr expected);

} // namespace neuroc::test
#endif // NEUROC_TEST_UNIT_ONNX_CONFORMANCE_H
