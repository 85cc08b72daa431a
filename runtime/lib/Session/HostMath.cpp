// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The functions of HostMath.h but for linear algebra: element by element with
// broadcasting, reductions along an axis, and random arrays. Operands come
// from programs, so shapes, indices and sizes are checked before anything is
// computed from them.
#include "HostMathParts.h"

#include "neuroc/rt/Random.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

namespace neuroc::rt {

std::string shapeText(std::span<const int64_t> shape) {
  std::string text = "[";
  for (size_t i = 0; i < shape.size(); ++i)
    text += (i ? ", " : "") + std::to_string(shape[i]);
  return text + "]";
}

namespace host {

Status error(std::string message) {
  return {Code::ModelError, std::move(message)};
}

Status allocate(std::vector<int64_t> shape, Array &result) {
  int64_t count = 1;
  for (int64_t extent : shape) {
    if (extent < 0 || (extent && count > kHostElements / extent))
      return error("an array of shape " + shapeText(shape) +
                   " is too large for the host (at most 2^27 elements)");
    count *= extent;
  }
  result.shape = std::move(shape);
  result.values.assign(size_t(count), 0.0);
  return Status::ok();
}

Status integer(const Array &array, const char *what, int64_t least,
               int64_t most, int64_t &value) {
  if (array.values.size() != 1)
    return error(std::string(what) + " must be one number, but has shape " +
                 shapeText(array.shape));
  double x = array.values[0];
  if (!(x == std::floor(x)) || x < double(least) || x > double(most))
    return error(std::string(what) + " must be a whole number from " +
                 std::to_string(least) + " to " + std::to_string(most) +
                 ", got " + std::to_string(x));
  value = int64_t(x);
  return Status::ok();
}

Status shapeOperand(const Array &array, std::vector<int64_t> &shape) {
  if (array.shape.size() > 1 || array.values.size() > 8)
    return error("a shape must be a list of at most 8 numbers, but has shape " +
                 shapeText(array.shape));
  shape.clear();
  for (double x : array.values) {
    if (!(x == std::floor(x)) || x < 0 || x > double(kHostElements))
      return error("an extent of a shape must be a whole number that is not "
                   "negative, got " + std::to_string(x));
    shape.push_back(int64_t(x));
  }
  return Status::ok();
}

//===----------------------------------------------------------------------===//
// Element by element
//===----------------------------------------------------------------------===//

using Unary = double (*)(double);
using Binary = double (*)(double, double);

static Unary findUnary(std::string_view name) {
  struct Entry {
    const char *name;
    Unary f;
  };
  static const Entry table[] = {
      {"neg", [](double x) { return -x; }},
      {"not", [](double x) { return double(x == 0); }},
      {"exp", [](double x) { return std::exp(x); }},
      {"expm1", [](double x) { return std::expm1(x); }},
      {"log", [](double x) { return std::log(x); }},
      {"log1p", [](double x) { return std::log1p(x); }},
      {"sqrt", [](double x) { return std::sqrt(x); }},
      {"tanh", [](double x) { return std::tanh(x); }},
      {"sin", [](double x) { return std::sin(x); }},
      {"cos", [](double x) { return std::cos(x); }},
      {"abs", [](double x) { return std::fabs(x); }},
      {"floor", [](double x) { return std::floor(x); }},
      {"ceil", [](double x) { return std::ceil(x); }},
      // Halves away from 0, as in models and at compile time.
      {"round", [](double x) { return std::round(x); }},
      {"sign", [](double x) { return double(x > 0) - double(x < 0); }},
      {"relu", [](double x) { return x > 0 ? x : x == x ? 0.0 : x; }},
      {"sigmoid", [](double x) { return 1 / (1 + std::exp(-x)); }},
      {"heaviside", [](double x) { return double(x >= 0); }},
      {"is_finite", [](double x) { return double(std::isfinite(x)); }}};
  for (const Entry &entry : table)
    if (name == entry.name)
      return entry.f;
  return nullptr;
}

static Binary findBinary(std::string_view name) {
  struct Entry {
    const char *name;
    Binary f;
  };
  static const Entry table[] = {
      {"add", [](double a, double b) { return a + b; }},
      {"sub", [](double a, double b) { return a - b; }},
      {"mul", [](double a, double b) { return a * b; }},
      {"div", [](double a, double b) { return a / b; }},
      {"pow", [](double a, double b) { return std::pow(a, b); }},
      {"mod", [](double a, double b) { return std::fmod(a, b); }},
      {"minimum", [](double a, double b) { return a < b || a != a ? a : b; }},
      {"maximum", [](double a, double b) { return a > b || a != a ? a : b; }},
      {"less", [](double a, double b) { return double(a < b); }},
      {"less_equal", [](double a, double b) { return double(a <= b); }},
      {"greater", [](double a, double b) { return double(a > b); }},
      {"greater_equal", [](double a, double b) { return double(a >= b); }},
      {"equal", [](double a, double b) { return double(a == b); }},
      {"not_equal", [](double a, double b) { return double(a != b); }},
      {"and", [](double a, double b) { return double(a != 0 && b != 0); }},
      {"or", [](double a, double b) { return double(a != 0 || b != 0); }}};
  for (const Entry &entry : table)
    if (name == entry.name)
      return entry.f;
  return nullptr;
}

/// The common shape of `operands`: extents are equal or 1, aligned at the end.
static Status broadcastShape(const HostFunction &function,
                             std::span<const Array *const> operands,
                             std::vector<int64_t> &shape) {
  shape.clear();
  for (const Array *operand : operands) {
    size_t rank = operand->shape.size();
    if (rank > shape.size())
      shape.insert(shape.begin(), rank - shape.size(), 1);
    for (size_t i = 0; i < rank; ++i) {
      int64_t &extent = shape[shape.size() - rank + i];
      int64_t own = operand->shape[i];
      if (extent == 1)
        extent = own;
      else if (own != 1 && own != extent) {
        std::string shapes;
        for (const Array *each : operands)
          shapes += (shapes.empty() ? "" : " and ") + shapeText(each->shape);
        return error(std::string("'") + function.name + "': arrays of shapes " +
                     shapes + " do not fit together");
      }
    }
  }
  return Status::ok();
}

/// Calls `visit(element of the result, elements of the operands)` in order.
template <typename Fn>
static void forEachElement(std::span<const int64_t> shape,
                           std::span<const Array *const> operands, Fn visit) {
  size_t rank = shape.size(), count = 1;
  for (int64_t extent : shape)
    count *= size_t(extent);
  size_t n = operands.size();
  std::vector<size_t> strides(n * rank, 0), at(n, 0);
  for (size_t k = 0; k < n; ++k) {
    size_t stride = 1, own = operands[k]->shape.size();
    for (size_t i = own; i-- > 0;) {
      size_t extent = size_t(operands[k]->shape[i]);
      strides[k * rank + rank - own + i] = extent == 1 ? 0 : stride;
      stride *= extent;
    }
  }
  std::vector<int64_t> index(rank, 0);
  for (size_t element = 0; element < count; ++element) {
    visit(element, at);
    for (size_t d = rank; d-- > 0;) {
      ++index[d];
      for (size_t k = 0; k < n; ++k)
        at[k] += strides[k * rank + d];
      if (index[d] < shape[d])
        break;
      for (size_t k = 0; k < n; ++k)
        at[k] -= strides[k * rank + d] * size_t(shape[d]);
      index[d] = 0;
    }
  }
}

Status elementwise(const HostFunction &function, Operands operands,
                   Array &result, bool &known) {
  std::string_view name = function.name;
  known = true;
  if (Unary f = findUnary(name)) {
    result.shape = operands[0]->shape;
    result.values.resize(operands[0]->values.size());
    std::transform(operands[0]->values.begin(), operands[0]->values.end(),
                   result.values.begin(), f);
    return Status::ok();
  }
  Binary f = findBinary(name);
  known = f || name == "where";
  if (!known)
    return Status::ok();
  std::vector<int64_t> shape;
  if (Status s = broadcastShape(function, operands, shape); !s)
    return s;
  if (Status s = allocate(shape, result); !s)
    return s;
  if (!f) {
    const double *c = operands[0]->values.data(),
                 *a = operands[1]->values.data(),
                 *b = operands[2]->values.data();
    forEachElement(shape, operands,
                   [&](size_t i, const std::vector<size_t> &at) {
                     result.values[i] = c[at[0]] != 0 ? a[at[1]] : b[at[2]];
                   });
    return Status::ok();
  }
  const Array &a = *operands[0], &b = *operands[1];
  if (a.shape == b.shape)
    std::transform(a.values.begin(), a.values.end(), b.values.begin(),
                   result.values.begin(), f);
  else
    forEachElement(shape, operands,
                   [&](size_t i, const std::vector<size_t> &at) {
                     result.values[i] = f(a.values[at[0]], b.values[at[1]]);
                   });
  return Status::ok();
}

//===----------------------------------------------------------------------===//
// Along an axis
//===----------------------------------------------------------------------===//

/// An array seen as [outer, extent, inner].
struct Lines {
  size_t outer = 1, extent = 1, inner = 1;
  size_t at(size_t o, size_t k, size_t i) const {
    return (o * extent + k) * inner + i;
  }
};

/// `axis` null: all elements as one line (or, with `last`, the last axis).
static Status linesOf(const HostFunction &function, const Array &array,
                      const int64_t *axis, bool last, Lines &lines,
                      size_t &chosen) {
  int64_t rank = int64_t(array.shape.size());
  if (!axis && !(last && rank)) {
    lines.extent = array.values.size();
    return Status::ok();
  }
  int64_t d = axis ? *axis : rank - 1;
  if (d < 0)
    d += rank;
  if (d < 0 || d >= rank)
    return error(std::string("'") + function.name + "': an array of shape " +
                 shapeText(array.shape) + " has no axis " +
                 std::to_string(*axis));
  chosen = size_t(d);
  for (size_t i = 0; i < array.shape.size(); ++i)
    (i < chosen ? lines.outer : i == chosen ? lines.extent : lines.inner) *=
        size_t(array.shape[i]);
  return Status::ok();
}

using Line = std::vector<double>;
using Reduction = double (*)(const Line &);

static Reduction findReduction(std::string_view name) {
  struct Entry {
    const char *name;
    Reduction f;
  };
  static const Entry table[] = {
      {"sum",
       [](const Line &x) {
         double s = 0;
         for (double v : x)
           s += v;
         return s;
       }},
      {"mean",
       [](const Line &x) {
         double s = 0;
         for (double v : x)
           s += v;
         return s / double(x.size());
       }},
      {"min", [](const Line &x) { return *std::min_element(x.begin(), x.end()); }},
      {"max", [](const Line &x) { return *std::max_element(x.begin(), x.end()); }},
      {"argmin",
       [](const Line &x) {
         return double(std::min_element(x.begin(), x.end()) - x.begin());
       }},
      {"argmax",
       [](const Line &x) {
         return double(std::max_element(x.begin(), x.end()) - x.begin());
       }},
      {"norm",
       [](const Line &x) {
         double s = 0;
         for (double v : x)
           s += v * v;
         return std::sqrt(s);
       }},
      {"any",
       [](const Line &x) {
         return double(std::any_of(x.begin(), x.end(),
                                   [](double v) { return v != 0; }));
       }},
      {"all", [](const Line &x) {
         return double(std::all_of(x.begin(), x.end(),
                                   [](double v) { return v != 0; }));
       }}};
  for (const Entry &entry : table)
    if (name == entry.name)
      return entry.f;
  return nullptr;
}

static void alongLine(std::string_view name, Line &x) {
  if (name == "sort") {
    // Values that are not numbers come last.
    std::stable_sort(x.begin(), x.end(), [](double a, double b) {
      return a < b || (a == a && b != b);
    });
    return;
  }
  if (name == "cumsum") {
    double s = 0;
    for (double &v : x)
      v = s += v;
    return;
  }
  double top = *std::max_element(x.begin(), x.end()), s = 0;
  for (double &v : x)
    s += v = std::exp(v - top);
  for (double &v : x)
    v /= s;
}

Status alongAxis(const HostFunction &function, Operands operands,
                 const int64_t *axis, Array &result, bool &known) {
  std::string_view name = function.name;
  Reduction f = findReduction(name);
  bool keeps = name == "cumsum" || name == "sort" || name == "softmax";
  known = f || keeps;
  if (!known)
    return Status::ok();
  const Array &a = *operands[0];
  Lines lines;
  size_t chosen = 0;
  if (Status s = linesOf(function, a, axis, keeps, lines, chosen); !s)
    return s;
  bool needsOne = name != "sum" && name != "norm" && name != "any" &&
                  name != "all" && name != "cumsum" && name != "sort";
  if (lines.extent == 0 && needsOne)
    return error(std::string("'") + function.name +
                 "' of no elements, in an array of shape " +
                 shapeText(a.shape));
  Array out;
  if (keeps) {
    out = a;
  } else {
    std::vector<int64_t> shape;
    if (axis) {
      shape = a.shape;
      shape.erase(shape.begin() + long(chosen));
    }
    if (Status s = allocate(shape, out); !s)
      return s;
  }
  Line line(lines.extent);
  for (size_t o = 0; o < lines.outer; ++o)
    for (size_t i = 0; i < lines.inner; ++i) {
      for (size_t k = 0; k < lines.extent; ++k)
        line[k] = a.values[lines.at(o, k, i)];
      if (!keeps) {
        out.values[o * lines.inner + i] = f(line);
        continue;
      }
      if (!line.empty())
        alongLine(name, line);
      for (size_t k = 0; k < lines.extent; ++k)
        out.values[lines.at(o, k, i)] = line[k];
    }
  result = std::move(out);
  return Status::ok();
}

//===----------------------------------------------------------------------===//
// Random arrays
//===----------------------------------------------------------------------===//

/// A number in [0, n) of a uniform draw in (0, 1).
static int64_t below(double u, int64_t n) {
  return std::min(int64_t(u * double(n)), n - 1);
}

static std::vector<int64_t> shuffle(int64_t n, uint64_t key, uint32_t tick) {
  std::vector<int64_t> order(static_cast<size_t>(n));
  for (int64_t i = 0; i < n; ++i)
    order[size_t(i)] = i;
  for (int64_t i = n - 1; i > 0; --i)
    std::swap(order[size_t(i)],
              order[size_t(below(
                  neuroc_rt_uniform(key, uint64_t(i), tick, 0), i + 1))]);
  return order;
}

Status random(const HostFunction &function, Operands operands, uint64_t seed,
              Array &result, bool &known) {
  std::string_view name = function.name;
  known = name == "permutation" || name == "uniform" || name == "normal";
  if (!known)
    return Status::ok();
  int64_t number = 0;
  if (Status s = integer(*operands[1], "the key", -(int64_t(1) << 52),
                         int64_t(1) << 52, number);
      !s)
    return s;
  uint64_t key = neuroc_rt_key(
      neuroc_rt_key(seed, neuroc_rt_stream(function.name)), uint64_t(number));
  if (name == "permutation") {
    int64_t n = 0;
    if (Status s = integer(*operands[0], "the length of a permutation", 0,
                           kHostElements, n);
        !s)
      return s;
    std::vector<int64_t> order = shuffle(n, key, 0);
    result.shape = {n};
    result.values.assign(order.begin(), order.end());
    return Status::ok();
  }
  std::vector<int64_t> shape;
  if (Status s = shapeOperand(*operands[0], shape); !s)
    return s;
  if (Status s = allocate(shape, result); !s)
    return s;
  for (size_t i = 0; i < result.values.size(); ++i)
    result.values[i] = name == "uniform" ? neuroc_rt_uniform(key, i, 0, 0)
                                         : neuroc_rt_normal(key, i, 0, 0);
  return Status::ok();
}

} // namespace host

std::vector<int64_t> shuffledRows(int64_t n, uint64_t seed, int64_t key,
                                  uint64_t run) {
  uint64_t stream = neuroc_rt_key(
      neuroc_rt_key(seed, neuroc_rt_stream("shuffled")), uint64_t(key));
  return host::shuffle(n, stream, uint32_t(run));
}

Status hostCalc(const HostFunction &function,
                std::span<const Array *const> operands, const int64_t *axis,
                uint64_t seed, Array &result) {
  int count = int(operands.size());
  if (count < function.least || (function.most >= 0 && count > function.most))
    return host::error(std::string("'") + function.name + "' is written " +
                       function.usage + ", but has " + std::to_string(count) +
                       " operands");
  if (axis && !function.axis)
    return host::error(std::string("'") + function.name + "' takes no axis");
  bool known = false;
  Array out; // an operand may be `result`
  Status status = host::elementwise(function, operands, out, known);
  if (!known)
    status = host::alongAxis(function, operands, axis, out, known);
  if (!known)
    status = host::random(function, operands, seed, out, known);
  if (!known)
    status = host::linear(function, operands, out, known);
  if (!known)
    status = host::shapes(function, operands, axis, out);
  if (status)
    result = std::move(out);
  return status;
}

} // namespace neuroc::rt
