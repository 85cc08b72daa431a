// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Attributes of the neuro dialect: distributions and connection rules, with
// their verifiers (rules neuro_dist_r1, list_r1, fixed_*_r1, conv_r1).
#include "neuroc/Neuro/Neuro.h"

#include "mlir/IR/Builders.h"
#include "mlir/IR/DialectImplementation.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace neuroc::neuro;

FailureOr<FloatAttr> neuroc::neuro::parseReal(AsmParser &parser) {
  double value;
  if (parser.parseFloat(value))
    return failure();
  return parser.getBuilder().getF64FloatAttr(value);
}

void neuroc::neuro::printReal(AsmPrinter &printer, FloatAttr value) {
  printer.printFloat(value.getValue());
}

#include "neuroc/Neuro/NeuroEnums.cpp.inc"

#define GET_ATTRDEF_CLASSES
#include "neuroc/Neuro/NeuroAttributes.cpp.inc"

void NeuroDialect::registerAttributes() {
  addAttributes<
#define GET_ATTRDEF_LIST
#include "neuroc/Neuro/NeuroAttributes.cpp.inc"
      >();
}

LogicalResult
DistributionAttr::verify(function_ref<InFlightDiagnostic()> emitError,
                         DistributionKind kind, FloatAttr a, FloatAttr b,
                         DenseF64ArrayAttr clip) {
  double first = a.getValueAsDouble(), second = b.getValueAsDouble();
  if (kind == DistributionKind::Uniform && !(first <= second))
    return emitError() << "uniform distribution needs lo <= hi, got " << first
                       << " and " << second;
  if ((kind == DistributionKind::Normal ||
       kind == DistributionKind::Lognormal) &&
      !(second >= 0))
    return emitError() << "standard deviation must not be negative, got "
                       << second;
  if (kind == DistributionKind::Exponential && !(first > 0))
    return emitError() << "mean of an exponential distribution must be "
                          "positive, got "
                       << first;
  if (clip && (clip.size() != 2 || !(clip[0] < clip[1])))
    return emitError() << "clip must be [lo, hi] with lo < hi";
  return success();
}

LogicalResult
ListConnectAttr::verify(function_ref<InFlightDiagnostic()> emitError,
                        DenseIntElementsAttr pairs) {
  auto type = dyn_cast<RankedTensorType>(pairs.getType());
  if (!type || type.getRank() != 2 || type.getDimSize(1) != 2 ||
      !type.getElementType().isInteger(64))
    return emitError() << "list connections must be a k x 2 table of i64, got "
                       << pairs.getType();
  return success();
}

LogicalResult
FixedProbabilityAttr::verify(function_ref<InFlightDiagnostic()> emitError,
                             FloatAttr p, bool self) {
  double value = p.getValueAsDouble();
  if (!(value >= 0 && value <= 1))
    return emitError() << "probability must be in [0, 1], got " << value;
  return success();
}

static LogicalResult verifyDegree(function_ref<InFlightDiagnostic()> emitError,
                                  int64_t k) {
  if (k < 0)
    return emitError() << "degree must not be negative, got " << k;
  return success();
}

LogicalResult
FixedInDegreeAttr::verify(function_ref<InFlightDiagnostic()> emitError,
                          int64_t k, bool self, bool multapses) {
  return verifyDegree(emitError, k);
}

LogicalResult
FixedOutDegreeAttr::verify(function_ref<InFlightDiagnostic()> emitError,
                           int64_t k, bool self, bool multapses) {
  return verifyDegree(emitError, k);
}

LogicalResult ConvAttr::verify(function_ref<InFlightDiagnostic()> emitError,
                               DenseI64ArrayAttr kernel,
                               DenseI64ArrayAttr strides,
                               DenseI64ArrayAttr pads,
                               DenseI64ArrayAttr dilations, int64_t groups) {
  auto check = [&](DenseI64ArrayAttr list, int64_t size, int64_t least,
                   StringRef name) -> LogicalResult {
    if (list.size() == size &&
        llvm::all_of(list.asArrayRef(), [&](int64_t v) { return v >= least; }))
      return success();
    return emitError() << "convolution " << name << " must be " << size
                       << " numbers of at least " << least;
  };
  if (failed(check(kernel, 2, 1, "kernel")) ||
      failed(check(strides, 2, 1, "strides")) ||
      failed(check(pads, 4, 0, "pads")) ||
      failed(check(dilations, 2, 1, "dilations")))
    return failure();
  if (groups < 1)
    return emitError() << "convolution groups must be positive, got "
                       << groups;
  return success();
}
