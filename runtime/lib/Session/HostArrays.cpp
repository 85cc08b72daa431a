// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Linear algebra and the functions on shapes and elements of HostMath.h. A
// system of equations is solved by Cholesky's method if the matrix is symmetric
// and positive definite, else by Gaussian elimination with row exchanges.
#include "HostMathParts.h"

#include <algorithm>
#include <cmath>
#include <string>

namespace neuroc::rt::host {

//===----------------------------------------------------------------------===//
// Linear algebra
//===----------------------------------------------------------------------===//

static Status matmul(const Array &a, const Array &b, Array &result) {
  size_t ra = a.shape.size(), rb = b.shape.size();
  if (ra < 1 || ra > 2 || rb < 1 || rb > 2 || a.shape[ra - 1] != b.shape[0])
    return error("'matmul' of arrays of shapes " + shapeText(a.shape) +
                 " and " + shapeText(b.shape));
  size_t n = ra == 2 ? size_t(a.shape[0]) : 1, k = size_t(b.shape[0]),
         m = rb == 2 ? size_t(b.shape[1]) : 1;
  std::vector<int64_t> shape;
  if (ra == 2)
    shape.push_back(a.shape[0]);
  if (rb == 2)
    shape.push_back(b.shape[1]);
  if (Status s = allocate(shape, result); !s)
    return s;
  for (size_t i = 0; i < n; ++i) {
    double *out = result.values.data() + i * m;
    for (size_t j = 0; j < k; ++j) {
      double x = a.values[i * k + j];
      const double *row = b.values.data() + j * m;
      for (size_t c = 0; c < m; ++c)
        out[c] += x * row[c];
    }
  }
  return Status::ok();
}

static bool isSymmetric(const double *a, size_t n) {
  for (size_t i = 0; i < n; ++i)
    for (size_t j = 0; j < i; ++j)
      if (std::fabs(a[i * n + j] - a[j * n + i]) >
          1e-12 * (std::fabs(a[i * n + j]) + std::fabs(a[j * n + i])))
        return false;
  return true;
}

/// L (lower, in place) with L L' = A; false if A is not positive definite.
static bool cholesky(std::vector<double> &a, size_t n) {
  for (size_t i = 0; i < n; ++i) {
    double *ri = a.data() + i * n;
    for (size_t j = 0; j <= i; ++j) {
      const double *rj = a.data() + j * n;
      double part[4] = {0, 0, 0, 0};
      size_t k = 0;
      for (; k + 4 <= j; k += 4)
        for (size_t l = 0; l < 4; ++l)
          part[l] += ri[k + l] * rj[k + l];
      double s = (part[0] + part[1]) + (part[2] + part[3]);
      for (; k < j; ++k)
        s += ri[k] * rj[k];
      double rest = ri[j] - s;
      if (j < i) {
        ri[j] = rest / rj[j];
        continue;
      }
      if (!(rest > 0))
        return false;
      ri[i] = std::sqrt(rest);
    }
  }
  return true;
}

static void solveCholesky(const std::vector<double> &l, size_t n,
                          std::vector<double> &b, size_t m) {
  for (size_t i = 0; i < n; ++i) {
    for (size_t k = 0; k < i; ++k)
      for (size_t c = 0; c < m; ++c)
        b[i * m + c] -= l[i * n + k] * b[k * m + c];
    for (size_t c = 0; c < m; ++c)
      b[i * m + c] /= l[i * n + i];
  }
  for (size_t i = n; i-- > 0;) {
    for (size_t c = 0; c < m; ++c)
      b[i * m + c] /= l[i * n + i];
    for (size_t k = 0; k < i; ++k)
      for (size_t c = 0; c < m; ++c)
        b[k * m + c] -= l[i * n + k] * b[i * m + c];
  }
}

/// Gaussian elimination of a and b in place; false if A is singular.
static bool eliminate(std::vector<double> &a, size_t n, std::vector<double> &b,
                      size_t m) {
  double scale = 0;
  for (double x : a)
    scale = std::max(scale, std::fabs(x));
  for (size_t k = 0; k < n; ++k) {
    size_t pivot = k;
    for (size_t i = k + 1; i < n; ++i)
      if (std::fabs(a[i * n + k]) > std::fabs(a[pivot * n + k]))
        pivot = i;
    if (!(std::fabs(a[pivot * n + k]) > scale * double(n) * 2.3e-16))
      return false;
    if (pivot != k) {
      std::swap_ranges(a.begin() + long(k * n), a.begin() + long(k * n + n),
                       a.begin() + long(pivot * n));
      std::swap_ranges(b.begin() + long(k * m), b.begin() + long(k * m + m),
                       b.begin() + long(pivot * m));
    }
    for (size_t i = k + 1; i < n; ++i) {
      double f = a[i * n + k] / a[k * n + k];
      if (f == 0)
        continue;
      for (size_t j = k; j < n; ++j)
        a[i * n + j] -= f * a[k * n + j];
      for (size_t c = 0; c < m; ++c)
        b[i * m + c] -= f * b[k * m + c];
    }
  }
  for (size_t i = n; i-- > 0;)
    for (size_t c = 0; c < m; ++c) {
      double s = b[i * m + c];
      for (size_t k = i + 1; k < n; ++k)
        s -= a[i * n + k] * b[k * m + c];
      b[i * m + c] = s / a[i * n + i];
    }
  return true;
}

static Status solve(const Array &a, const Array &b, Array &result) {
  size_t rb = b.shape.size();
  if (a.shape.size() != 2 || a.shape[0] != a.shape[1] || rb < 1 || rb > 2 ||
      b.shape[0] != a.shape[0])
    return error("'solve' needs a square matrix and a right side with as many "
                 "rows, but the shapes are " + shapeText(a.shape) + " and " +
                 shapeText(b.shape));
  size_t n = size_t(a.shape[0]), m = rb == 2 ? size_t(b.shape[1]) : 1;
  result = b;
  if (isSymmetric(a.values.data(), n)) {
    std::vector<double> factor = a.values;
    if (cholesky(factor, n)) {
      solveCholesky(factor, n, result.values, m);
      return Status::ok();
    }
  }
  std::vector<double> matrix = a.values;
  if (!eliminate(matrix, n, result.values, m))
    return error("the matrix of 'solve', of shape " + shapeText(a.shape) +
                 ", is singular; add a small multiple of the identity");
  return Status::ok();
}

Status linear(const HostFunction &function, Operands operands, Array &result,
              bool &known) {
  std::string_view name = function.name;
  known = true;
  const Array &a = *operands[0];
  if (name == "matmul")
    return matmul(a, *operands[1], result);
  if (name == "solve")
    return solve(a, *operands[1], result);
  if (name == "transpose") {
    if (a.shape.size() != 2)
      return error("'transpose' needs a matrix, but the shape is " +
                   shapeText(a.shape));
    size_t n = size_t(a.shape[0]), m = size_t(a.shape[1]);
    result.shape = {a.shape[1], a.shape[0]};
    result.values.resize(n * m);
    for (size_t i = 0; i < n; ++i)
      for (size_t j = 0; j < m; ++j)
        result.values[j * n + i] = a.values[i * m + j];
    return Status::ok();
  }
  if (name == "outer") {
    const Array &b = *operands[1];
    if (Status s = allocate({int64_t(a.values.size()), int64_t(b.values.size())},
                            result);
        !s)
      return s;
    size_t k = 0;
    for (double x : a.values)
      for (double y : b.values)
        result.values[k++] = x * y;
    return Status::ok();
  }
  if (name == "identity") {
    int64_t n = 0;
    if (Status s = integer(a, "the size of 'identity'", 0, 1 << 14, n); !s)
      return s;
    if (Status s = allocate({n, n}, result); !s)
      return s;
    for (int64_t i = 0; i < n; ++i)
      result.values[size_t(i * n + i)] = 1;
    return Status::ok();
  }
  known = false;
  return Status::ok();
}

//===----------------------------------------------------------------------===//
// Shapes and elements
//===----------------------------------------------------------------------===//

static Status reshape(const Array &a, const Array &wanted, Array &result) {
  std::vector<int64_t> shape;
  if (Status s = shapeOperand(wanted, shape); !s)
    return s;
  int64_t count = 1;
  for (int64_t extent : shape) {
    if (extent && count > kHostElements / extent)
      return error("an array of shape " + shapeText(shape) +
                   " is too large for the host (at most 2^27 elements)");
    count *= extent;
  }
  if (count != int64_t(a.values.size()))
    return error("'reshape' of an array of shape " + shapeText(a.shape) +
                 " to " + shapeText(shape));
  result.shape = std::move(shape);
  result.values = a.values;
  return Status::ok();
}

static Status concat(Operands operands, int64_t axis, Array &result) {
  const Array &first = *operands[0];
  int64_t rank = int64_t(first.shape.size());
  if (axis < 0)
    axis += rank;
  if (axis < 0 || axis >= rank)
    return error("'concat' of arrays of shape " + shapeText(first.shape) +
                 ", which have no axis " + std::to_string(axis));
  std::vector<int64_t> shape = first.shape;
  shape[size_t(axis)] = 0;
  for (const Array *a : operands) {
    std::vector<int64_t> rest = a->shape;
    if (rest.size() == shape.size())
      rest[size_t(axis)] = shape[size_t(axis)];
    if (rest != shape)
      return error("'concat' of arrays of shapes " + shapeText(first.shape) +
                   " and " + shapeText(a->shape) + " along axis " +
                   std::to_string(axis));
    shape[size_t(axis)] += a->shape[size_t(axis)];
  }
  if (Status s = allocate(shape, result); !s)
    return s;
  size_t outer = 1, inner = 1;
  for (int64_t i = 0; i < rank; ++i)
    if (i != axis)
      (i < axis ? outer : inner) *= size_t(shape[size_t(i)]);
  size_t out = 0;
  for (size_t o = 0; o < outer; ++o)
    for (const Array *a : operands) {
      size_t block = size_t(a->shape[size_t(axis)]) * inner;
      std::copy_n(a->values.begin() + long(o * block), block,
                  result.values.begin() + long(out));
      out += block;
    }
  return Status::ok();
}

static Status stack(Operands operands, Array &result) {
  const Array &first = *operands[0];
  for (const Array *a : operands)
    if (a->shape != first.shape)
      return error("elements of one list have shapes " +
                   shapeText(first.shape) + " and " + shapeText(a->shape));
  std::vector<int64_t> shape = first.shape;
  shape.insert(shape.begin(), int64_t(operands.size()));
  Array out;
  if (Status s = allocate(shape, out); !s)
    return s;
  size_t at = 0;
  for (const Array *a : operands) {
    std::copy(a->values.begin(), a->values.end(),
              out.values.begin() + long(at));
    at += a->values.size();
  }
  result = std::move(out);
  return Status::ok();
}

/// The first element that whole-number indices choose, and how many there are.
static Status locate(const Array &a, Operands indices, size_t &first,
                     size_t &count) {
  if (indices.size() > a.shape.size())
    return error("an array of shape " + shapeText(a.shape) + " has no " +
                 std::to_string(indices.size()) + " indices");
  first = 0;
  count = a.values.size();
  for (size_t d = 0; d < indices.size(); ++d) {
    int64_t extent = a.shape[d], i = 0;
    if (Status s = integer(*indices[d], "an index", -(int64_t(1) << 40),
                           int64_t(1) << 40, i);
        !s)
      return s;
    if (i < -extent || i >= extent)
      return error("index " + std::to_string(i) + " of an array of shape " +
                   shapeText(a.shape) + " is outside of axis " +
                   std::to_string(d));
    count /= size_t(extent);
    first += size_t(i < 0 ? i + extent : i) * count;
  }
  return Status::ok();
}

static Status index(Operands operands, Array &result) {
  const Array &a = *operands[0];
  if (operands.size() == 2 && !operands[1]->shape.empty()) { // several rows
    const Array &which = *operands[1];
    if (a.shape.empty())
      return error("a number has no elements");
    size_t size = a.shape[0] ? a.values.size() / size_t(a.shape[0]) : 0;
    std::vector<int64_t> shape = which.shape;
    shape.insert(shape.end(), a.shape.begin() + 1, a.shape.end());
    if (Status s = allocate(shape, result); !s)
      return s;
    for (size_t k = 0; k < which.values.size(); ++k) {
      Array one{{}, {which.values[k]}};
      const Array *single = &one;
      size_t first = 0, count = 0;
      if (Status s = locate(a, Operands(&single, 1), first, count); !s)
        return s;
      std::copy_n(a.values.begin() + long(first), size,
                  result.values.begin() + long(k * size));
    }
    return Status::ok();
  }
  size_t first = 0, count = 0;
  if (Status s = locate(a, operands.subspan(1), first, count); !s)
    return s;
  result.shape.assign(a.shape.begin() + long(operands.size() - 1),
                      a.shape.end());
  result.values.assign(a.values.begin() + long(first),
                       a.values.begin() + long(first + count));
  return Status::ok();
}

static Status put(Operands operands, Array &result) {
  result = *operands[0];
  const Array &value = *operands[1];
  size_t first = 0, count = 0;
  if (Status s = locate(result, operands.subspan(2), first, count); !s)
    return s;
  if (value.values.size() != 1 && value.values.size() != count)
    return error("a part of " + std::to_string(count) + " elements of an "
                 "array of shape " + shapeText(result.shape) +
                 " cannot take a value of shape " + shapeText(value.shape));
  for (size_t i = 0; i < count; ++i)
    result.values[first + i] = value.values[value.values.size() == 1 ? 0 : i];
  return Status::ok();
}

static Status slice(Operands operands, bool columns, Array &result) {
  const Array &a = *operands[0];
  size_t axis = columns ? 1 : 0;
  if (a.shape.size() <= axis)
    return error(std::string("an array of shape ") + shapeText(a.shape) +
                 " has no " + (columns ? "columns" : "rows"));
  int64_t extent = a.shape[axis], lo = 0, hi = 0;
  if (Status s = integer(*operands[1], columns ? "the first column"
                                               : "the first row", 0, extent, lo);
      !s)
    return s;
  if (Status s = integer(*operands[2], columns ? "the end of the columns"
                                               : "the end of the rows", lo,
                         extent, hi);
      !s)
    return s;
  std::vector<int64_t> shape = a.shape;
  shape[axis] = hi - lo;
  if (Status s = allocate(shape, result); !s)
    return s;
  size_t outer = columns ? size_t(a.shape[0]) : 1, inner = 1;
  for (size_t d = axis + 1; d < shape.size(); ++d)
    inner *= size_t(shape[d]);
  size_t block = size_t(hi - lo) * inner;
  for (size_t o = 0; o < outer; ++o)
    std::copy_n(a.values.begin() +
                    long((o * size_t(extent) + size_t(lo)) * inner),
                block, result.values.begin() + long(o * block));
  return Status::ok();
}

static Status oneHot(const Array &labels, const Array &classes, Array &result) {
  int64_t n = 0;
  if (Status s = integer(classes, "the number of classes", 1, 1 << 24, n); !s)
    return s;
  std::vector<int64_t> shape = labels.shape;
  // Labels as a column are labels all the same.
  if (shape.size() == 2 && shape[1] == 1)
    shape.pop_back();
  shape.push_back(n);
  if (Status s = allocate(shape, result); !s)
    return s;
  for (size_t i = 0; i < labels.values.size(); ++i) {
    double x = labels.values[i];
    if (!(x == std::floor(x)) || x < 0 || x >= double(n))
      return error("label " + std::to_string(x) + " is not one of 0 to " +
                   std::to_string(n - 1));
    result.values[i * size_t(n) + size_t(x)] = 1;
  }
  return Status::ok();
}

Status shapes(const HostFunction &function, Operands operands,
              const int64_t *axis, Array &result) {
  std::string_view name = function.name;
  const Array &a = *operands[0];
  if (name == "reshape")
    return reshape(a, *operands[1], result);
  if (name == "concat")
    return concat(operands, axis ? *axis : 0, result);
  if (name == "stack")
    return stack(operands, result);
  if (name == "index")
    return index(operands, result);
  if (name == "put")
    return put(operands, result);
  if (name == "rows" || name == "columns")
    return slice(operands, name == "columns", result);
  if (name == "one_hot")
    return oneHot(a, *operands[1], result);
  if (name == "fill") {
    std::vector<int64_t> shape;
    if (a.values.size() != 1)
      return error("'fill' spreads one number, but has an array of shape " +
                   shapeText(a.shape));
    if (Status s = shapeOperand(*operands[1], shape); !s)
      return s;
    if (Status s = allocate(shape, result); !s)
      return s;
    std::fill(result.values.begin(), result.values.end(), a.values[0]);
    return Status::ok();
  }
  if (name == "range") {
    int64_t n = 0;
    if (Status s = integer(a, "the length of 'range'", 0, kHostElements, n); !s)
      return s;
    result.shape = {n};
    for (int64_t i = 0; i < n; ++i)
      result.values.push_back(double(i));
    return Status::ok();
  }
  if (name == "size" || name == "len") {
    if (name == "len" && a.shape.empty())
      return error("'len' of a number");
    result.values = {name == "size" ? double(a.values.size())
                                    : double(a.shape[0])};
    return Status::ok();
  }
  return {Code::Internal, "host function '" + std::string(name) +
                              "' is in the table, but nothing computes it"};
}

} // namespace neuroc::rt::host
