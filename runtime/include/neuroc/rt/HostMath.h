// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Arithmetic on arrays that the host does between the steps of an experiment.
// Shapes and broadcasting are NumPy's; truth values are 0 and 1; reductions
// add in ascending order of index; random arrays are addressed by (seed, name
// of the function, key, element) as neuroc/rt/Random.h defines.
//
// The table below is the whole of it: the compiler checks names and numbers of
// operands with it, the session calls hostCalc. An axis is an option; without
// one, a reduction is over all elements, `concat` joins along axis 0, and
// `cumsum`, `sort` and `softmax` run along the last axis.
#ifndef NEUROC_RT_HOSTMATH_H
#define NEUROC_RT_HOSTMATH_H

#include "neuroc/rt/Npy.h"

#include <string_view>

namespace neuroc::rt {

struct HostFunction {
  const char *name;
  int least, most; ///< operands; most < 0: any number
  bool axis;       ///< takes an axis as an option
  const char *usage;
};

inline constexpr HostFunction kHostFunctions[] = {
    {"neg", 1, 1, false, "neg(a)"},
    {"not", 1, 1, false, "not(a)"},
    {"exp", 1, 1, false, "exp(a)"},
    {"expm1", 1, 1, false, "expm1(a)"},
    {"log", 1, 1, false, "log(a)"},
    {"log1p", 1, 1, false, "log1p(a)"},
    {"sqrt", 1, 1, false, "sqrt(a)"},
    {"tanh", 1, 1, false, "tanh(a)"},
    {"sin", 1, 1, false, "sin(a)"},
    {"cos", 1, 1, false, "cos(a)"},
    {"abs", 1, 1, false, "abs(a)"},
    {"floor", 1, 1, false, "floor(a)"},
    {"ceil", 1, 1, false, "ceil(a)"},
    {"round", 1, 1, false, "round(a)"},
    {"sign", 1, 1, false, "sign(a)"},
    {"relu", 1, 1, false, "relu(a)"},
    {"sigmoid", 1, 1, false, "sigmoid(a)"},
    {"heaviside", 1, 1, false, "heaviside(a)"},
    {"is_finite", 1, 1, false, "is_finite(a)"},
    // element by element, with broadcasting
    {"add", 2, 2, false, "add(a, b)"},
    {"sub", 2, 2, false, "sub(a, b)"},
    {"mul", 2, 2, false, "mul(a, b)"},
    {"div", 2, 2, false, "div(a, b)"},
    {"pow", 2, 2, false, "pow(a, b)"},
    {"mod", 2, 2, false, "mod(a, b)"},
    {"minimum", 2, 2, false, "minimum(a, b)"},
    {"maximum", 2, 2, false, "maximum(a, b)"},
    {"less", 2, 2, false, "less(a, b)"},
    {"less_equal", 2, 2, false, "less_equal(a, b)"},
    {"greater", 2, 2, false, "greater(a, b)"},
    {"greater_equal", 2, 2, false, "greater_equal(a, b)"},
    {"equal", 2, 2, false, "equal(a, b)"},
    {"not_equal", 2, 2, false, "not_equal(a, b)"},
    {"and", 2, 2, false, "and(a, b)"},
    {"or", 2, 2, false, "or(a, b)"},
    {"where", 3, 3, false, "where(condition, a, b)"},
    // reductions
    {"sum", 1, 1, true, "sum(a, axis)"},
    {"mean", 1, 1, true, "mean(a, axis)"},
    {"min", 1, 1, true, "min(a, axis)"},
    {"max", 1, 1, true, "max(a, axis)"},
    {"argmax", 1, 1, true, "argmax(a, axis)"},
    {"argmin", 1, 1, true, "argmin(a, axis)"},
    {"norm", 1, 1, true, "norm(a, axis)"},
    {"any", 1, 1, true, "any(a, axis)"},
    {"all", 1, 1, true, "all(a, axis)"},
    {"cumsum", 1, 1, true, "cumsum(a, axis)"},
    {"sort", 1, 1, true, "sort(a, axis)"},
    {"softmax", 1, 1, true, "softmax(a, axis)"},
    // matrices
    {"matmul", 2, 2, false, "matmul(a, b)"},
    {"transpose", 1, 1, false, "transpose(a)"},
    {"outer", 2, 2, false, "outer(a, b)"},
    {"solve", 2, 2, false, "solve(A, b)"},
    {"identity", 1, 1, false, "identity(n)"},
    // shapes and elements
    {"reshape", 2, 2, false, "reshape(a, shape)"},
    {"concat", 1, -1, true, "concat(a, b, ..., axis)"},
    {"stack", 1, -1, false, "[a, b, ...]"},
    {"index", 2, -1, false, "a[i, j]"},
    {"put", 3, -1, false, "put(a, value, i, j)"},
    {"rows", 3, 3, false, "rows(a, first, last)"},
    {"columns", 3, 3, false, "columns(a, first, last)"},
    {"one_hot", 2, 2, false, "one_hot(labels, n)"},
    {"fill", 2, 2, false, "fill(x, shape)"},
    {"range", 1, 1, false, "range(n)"},
    {"size", 1, 1, false, "size(a)"},
    {"len", 1, 1, false, "len(a)"},
    // random arrays
    {"permutation", 2, 2, false, "permutation(n, key)"},
    {"uniform", 2, 2, false, "uniform(shape, key)"},
    {"normal", 2, 2, false, "normal(shape, key)"},
};

/// The table's entry, or null.
constexpr const HostFunction *findHostFunction(std::string_view name) {
  for (const HostFunction &function : kHostFunctions)
    if (name == function.name)
      return &function;
  return nullptr;
}

/// No array of the host has more elements.
constexpr int64_t kHostElements = int64_t(1) << 27;

/// "[3, 4]"; "[]" for a number.
std::string shapeText(std::span<const int64_t> shape);

/// Computes `function` of `operands`; `axis` is null where none is given.
/// Errors: ModelError, with the shapes that do not fit.
Status hostCalc(const HostFunction &function,
                std::span<const Array *const> operands, const int64_t *axis,
                uint64_t seed, Array &result);

/// The order in which a shuffled loop takes `n` rows in its `run`-th run.
std::vector<int64_t> shuffledRows(int64_t n, uint64_t seed, int64_t key,
                                  uint64_t run);

} // namespace neuroc::rt
#endif // NEUROC_RT_HOSTMATH_H
