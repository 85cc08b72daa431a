// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The parts of hostCalc (HostMath.h). Each sets `known` to whether the
// function is one of its own.
#ifndef NEUROC_RUNTIME_LIB_SESSION_HOSTMATHPARTS_H
#define NEUROC_RUNTIME_LIB_SESSION_HOSTMATHPARTS_H

#include "neuroc/rt/HostMath.h"

namespace neuroc::rt::host {

using Operands = std::span<const Array *const>;

Status error(std::string message);
/// Zeros; refuses more than kHostElements.
Status allocate(std::vector<int64_t> shape, Array &result);
/// The whole number that `array` must be; `what` names it in errors.
Status integer(const Array &array, const char *what, int64_t least,
               int64_t most, int64_t &value);
Status shapeOperand(const Array &array, std::vector<int64_t> &shape);

Status elementwise(const HostFunction &function, Operands operands,
                   Array &result, bool &known);
Status alongAxis(const HostFunction &function, Operands operands,
                 const int64_t *axis, Array &result, bool &known);
Status random(const HostFunction &function, Operands operands, uint64_t seed,
              Array &result, bool &known);
Status linear(const HostFunction &function, Operands operands, Array &result,
              bool &known);
Status shapes(const HostFunction &function, Operands operands,
              const int64_t *axis, Array &result);

} // namespace neuroc::rt::host
#endif // NEUROC_RUNTIME_LIB_SESSION_HOSTMATHPARTS_H
