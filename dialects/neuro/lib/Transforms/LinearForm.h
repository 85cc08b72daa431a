// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Reads scalar code as an affine function of chosen states, with coefficients
// that are numbers or values known at the start of the tick.
#ifndef NEUROC_NEURO_LIB_TRANSFORMS_LINEARFORM_H
#define NEUROC_NEURO_LIB_TRANSFORMS_LINEARFORM_H

#include "neuroc/Neuro/Neuro.h"

#include "mlir/IR/Builders.h"
#include "mlir/IR/IRMapping.h"
#include "llvm/ADT/StringMap.h"

#include <map>
#include <optional>

namespace neuroc::neuro {

/// How a number depends on a parameter that a derivative is wanted of: the
/// parameter's value, and the slope there.
struct Slope {
  double at = 0, slope = 0;
};
using Slopes = std::map<std::string, Slope>;

/// A number that is known now, or an SSA value that is computed in the tick. A
/// number that depends on parameters of which a derivative is wanted carries
/// its slopes along; it is written as number + sum of (p - at) * slope, which
/// is the number itself, and has the right derivative.
struct Scalar {
  double number = 0;
  mlir::Value value = {};
  Slopes slopes = {};
  bool isNumber() const { return !value; }
  bool isZero() const { return isNumber() && number == 0 && slopes.empty(); }
};

/// Arithmetic on Scalars: folds numbers in f64, else emits code.
class ScalarBuilder {
public:
  ScalarBuilder(mlir::OpBuilder &builder, mlir::Location loc)
      : builder(builder), loc(loc) {}
  mlir::Value materialize(Scalar s);
  Scalar add(Scalar a, Scalar b);
  Scalar sub(Scalar a, Scalar b);
  Scalar mul(Scalar a, Scalar b);
  Scalar div(Scalar a, Scalar b);
  Scalar neg(Scalar a);
  /// A function of the number `a`, given its value and its slope there.
  static Scalar map(Scalar a, double value, double slope);

private:
  mlir::OpBuilder &builder;
  mlir::Location loc;
};

/// offset + sum of coefficient * state.
struct LinearForm {
  std::map<std::string, Scalar> coefficients;
  Scalar offset;
};

/// The affine form of `value` (inside a `neuro.diff`) in `states`; other names
/// and values are leaves. Code for offsets and coefficients is emitted at the
/// builder's position. `params` are the parameters that are one number but
/// still read by name. None if the value is not affine in the states.
std::optional<LinearForm>
getLinearForm(mlir::Value value, const std::vector<std::string> &states,
              const std::map<std::string, double> &params,
              mlir::OpBuilder &builder);

/// Emits a copy of the equation's right-hand side, with states replaced.
mlir::Value cloneEquation(DiffOp diff,
                          const std::map<std::string, mlir::Value> &states,
                          mlir::OpBuilder &builder);

} // namespace neuroc::neuro

#endif // NEUROC_NEURO_LIB_TRANSFORMS_LINEARFORM_H
