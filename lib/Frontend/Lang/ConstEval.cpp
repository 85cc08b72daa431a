// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Arithmetic on compile-time values: element by element, a number fits every
// array; distributions can be shifted and scaled and stay symbolic, so that
// targets draw them where the units are.
#include "ConstEval.h"

#include "neuroc/rt/Random.h"

#include <algorithm>

namespace neuroc::lang {

static std::string shapeText(llvm::ArrayRef<int64_t> shape) {
  std::string s = "[";
  for (size_t i = 0; i < shape.size(); ++i)
    s += (i ? ", " : "") + std::to_string(shape[i]);
  return s + "]";
}

ConstValue ConstDomain::draw(const Distribution &d,
                             llvm::ArrayRef<int64_t> shape, uint64_t seed,
                             llvm::StringRef stream) {
  ConstValue v;
  v.shape.assign(shape.begin(), shape.end());
  int64_t n = 1;
  for (int64_t s : shape)
    n *= s;
  v.data.resize(n);
  uint64_t key = neuroc_rt_key(seed, neuroc_rt_stream(stream.str().c_str()));
  for (int64_t i = 0; i < n; ++i) {
    double x = 0;
    for (uint32_t attempt = 0; attempt < 1000; ++attempt) {
      if (d.kind == "uniform")
        x = d.a + (d.b - d.a) * neuroc_rt_uniform(key, i, 0, attempt);
      else if (d.kind == "exponential")
        x = d.b - d.a * std::log(neuroc_rt_uniform(key, i, 0, attempt));
      else
        x = d.a + d.b * neuroc_rt_normal(key, i, 0, attempt);
      if (d.kind == "lognormal")
        x = std::exp(x);
      if (!d.clip || (x >= d.clip->first && x <= d.clip->second))
        break;
    }
    v.data[i] = d.clip ? std::clamp(x, d.clip->first, d.clip->second) : x;
  }
  return v;
}

/// Turns a distribution into an array where units are known, else reports.
bool ConstDomain::plain(ConstValue &v, llvm::SMLoc loc) {
  if (!v.dist)
    return true;
  if (unitShape.empty()) {
    diag.error(loc, "a distribution can only be shifted and scaled here",
               "draw an array first: sample(distribution, [shape])");
    return false;
  }
  v = draw(*v.dist, unitShape, seed, stream + "#" + std::to_string(draws++));
  return true;
}

std::optional<ConstValue>
ConstDomain::zip(const ConstValue &a, const ConstValue &b, llvm::SMLoc loc,
                 llvm::function_ref<double(double, double)> f) {
  ConstValue r;
  if (a.shape != b.shape && !a.shape.empty() && !b.shape.empty()) {
    diag.error(loc, "arrays of shapes " + shapeText(a.shape) + " and " +
                        shapeText(b.shape) + " do not fit together");
    return std::nullopt;
  }
  r.shape = a.shape.empty() ? b.shape : a.shape;
  size_t n = std::max(a.shape.empty() ? 1 : a.data.size(),
                      b.shape.empty() ? 1 : b.data.size());
  if ((!a.shape.empty() && a.data.empty()) ||
      (!b.shape.empty() && b.data.empty()))
    n = 0;
  r.data.resize(n);
  for (size_t i = 0; i < n; ++i)
    r.data[i] = f(a.data[a.shape.empty() ? 0 : i],
                  b.data[b.shape.empty() ? 0 : i]);
  return r;
}

std::optional<ConstValue> ConstDomain::unary(llvm::StringRef op, ConstValue a,
                                             llvm::SMLoc loc) {
  if (op == "-")
    return binary("*", a, ConstValue::of(-1), loc);
  if (!plain(a, loc))
    return std::nullopt;
  for (double &x : a.data)
    x = !x;
  return a;
}

/// a*x + c of a distribution, if that is again one.
static std::optional<Distribution> affine(Distribution d, double scale,
                                          double shift) {
  if (d.kind == "uniform") {
    d.a = scale * d.a + shift;
    d.b = scale * d.b + shift;
    if (d.a > d.b)
      std::swap(d.a, d.b);
  } else if (d.kind == "normal") {
    d.a = scale * d.a + shift;
    d.b = std::fabs(scale) * d.b;
  } else if (d.kind == "exponential" && scale > 0) {
    d.a = scale * d.a;
    d.b = scale * d.b + shift;
  } else if (d.kind == "lognormal" && scale > 0 && shift == 0) {
    d.a += std::log(scale);
  } else {
    return std::nullopt;
  }
  if (d.clip) {
    d.clip = {scale * d.clip->first + shift, scale * d.clip->second + shift};
    if (d.clip->first > d.clip->second)
      std::swap(d.clip->first, d.clip->second);
  }
  return d;
}

std::optional<ConstValue> ConstDomain::binary(llvm::StringRef op, ConstValue a,
                                              ConstValue b, llvm::SMLoc loc) {
  if (a.dist.has_value() != b.dist.has_value() && (a.dist ? b : a).isNumber()) {
    double c = (a.dist ? b : a).number();
    if (op == "*" && c == 0)
      return ConstValue::of(0);
    std::optional<Distribution> d;
    if (op == "+")
      d = affine(a.dist ? *a.dist : *b.dist, 1, c);
    else if (op == "*")
      d = affine(a.dist ? *a.dist : *b.dist, c, 0);
    else if (op == "-")
      d = a.dist ? affine(*a.dist, 1, -c) : affine(*b.dist, -1, c);
    else if (op == "/" && a.dist && c != 0)
      d = affine(*a.dist, 1 / c, 0);
    if (d) {
      if (!std::isfinite(d->a) || !std::isfinite(d->b) ||
          (d->clip && !(d->clip->first < d->clip->second))) {
        diag.error(loc, "the distribution leaves the range of numbers");
        return std::nullopt;
      }
      ConstValue v;
      v.dist = d;
      return v;
    }
  }
  if (!plain(a, loc) || !plain(b, loc))
    return std::nullopt;
  auto on = [&](auto f) { return zip(a, b, loc, f); };
  if (op == "+") return on([](double x, double y) { return x + y; });
  if (op == "-") return on([](double x, double y) { return x - y; });
  if (op == "*") return on([](double x, double y) { return x * y; });
  if (op == "/") return on([](double x, double y) { return x / y; });
  if (op == "mod") return on([](double x, double y) { return std::fmod(x, y); });
  if (op == "pow") return on([](double x, double y) { return std::pow(x, y); });
  if (op == "min") return on([](double x, double y) { return std::min(x, y); });
  if (op == "max") return on([](double x, double y) { return std::max(x, y); });
  if (op == "<") return on([](double x, double y) { return x < y; });
  if (op == "<=") return on([](double x, double y) { return x <= y; });
  if (op == ">") return on([](double x, double y) { return x > y; });
  if (op == ">=") return on([](double x, double y) { return x >= y; });
  if (op == "==") return on([](double x, double y) { return x == y; });
  if (op == "!=") return on([](double x, double y) { return x != y; });
  if (op == "and") return on([](double x, double y) { return x && y; });
  return on([](double x, double y) { return x || y; });
}

std::optional<ConstValue> ConstDomain::select(ConstValue c, ConstValue a,
                                              ConstValue b, llvm::SMLoc loc) {
  if (c.isNumber())
    return c.number() ? a : b;
  if (!plain(a, loc) || !plain(b, loc))
    return std::nullopt;
  auto yes = zip(c, a, loc, [](double k, double x) { return k ? x : 0; });
  auto no = zip(c, b, loc, [](double k, double x) { return k ? 0 : x; });
  if (!yes || !no)
    return std::nullopt;
  for (size_t i = 0; i < c.data.size(); ++i)
    if (!c.data[i])
      yes->data[i] = no->data[i];
  return yes;
}

std::optional<ConstValue> ConstDomain::math(llvm::StringRef fn, ConstValue a,
                                            llvm::SMLoc loc) {
  if (!plain(a, loc))
    return std::nullopt;
  double (*f)(double) = nullptr;
  if (fn == "exp") f = [](double x) { return std::exp(x); };
  else if (fn == "expm1") f = [](double x) { return std::expm1(x); };
  else if (fn == "log") f = [](double x) { return std::log(x); };
  else if (fn == "log1p") f = [](double x) { return std::log1p(x); };
  else if (fn == "sqrt") f = [](double x) { return std::sqrt(x); };
  else if (fn == "tanh") f = [](double x) { return std::tanh(x); };
  else if (fn == "sin") f = [](double x) { return std::sin(x); };
  else if (fn == "cos") f = [](double x) { return std::cos(x); };
  else if (fn == "abs") f = [](double x) { return std::fabs(x); };
  else if (fn == "floor") f = [](double x) { return std::floor(x); };
  else if (fn == "ceil") f = [](double x) { return std::ceil(x); };
  else f = [](double x) { return std::round(x); };
  for (double &x : a.data) {
    x = f(x);
    if (std::isnan(x)) {
      diag.error(loc, "'" + fn + "' is not defined for this value");
      return std::nullopt;
    }
  }
  return a;
}

std::optional<ConstResult> ConstDomain::name(const Expr &e) {
  if (e.name == "i" && !unitShape.empty()) {
    ConstValue v;
    v.shape = unitShape;
    int64_t n = 1;
    for (int64_t s : unitShape)
      n *= s;
    for (int64_t k = 0; k < n; ++k)
      v.data.push_back(static_cast<double>(k));
    return ConstResult(Val{v, Dim()});
  }
  if (lookup)
    if (auto known = lookup(e))
      return known;
  if (e.name == "nan" && missingValues) {
    Val v{ConstValue::of(std::nan("")), Dim()};
    v.anyUnit = true;
    return ConstResult(v);
  }
  return std::nullopt;
}

std::vector<std::string> ConstDomain::names() {
  std::vector<std::string> n;
  if (visible)
    n = visible();
  if (!unitShape.empty())
    n.push_back("i");
  for (const std::string &f : constFunctions())
    n.push_back(f);
  return n;
}

//===----------------------------------------------------------------------===//
// Distributions, arrays, files
//===----------------------------------------------------------------------===//

ConstResult ConstDomain::distribution(const Expr &e) {
  Distribution d;
  d.kind = e.name;
  std::vector<ConstTyped> args;
  const Expr *clip = nullptr;
  for (size_t i = 0; i < e.args.size(); ++i) {
    if (e.argNames[i]) {
      if (e.argNames[i].name != "clip" ||
          e.args[i]->kind != Expr::Array || e.args[i]->args.size() != 2) {
        diag.error(e.argNames[i].loc,
                   "'" + e.name + "' takes two numbers and clip = [lo, hi]");
        return std::nullopt;
      }
      clip = e.args[i].get();
      continue;
    }
    ConstResult a = evaluate(*e.args[i]);
    if (!a)
      return std::nullopt;
    if (!a->p.isNumber()) {
      diag.error(e.args[i]->loc, "parameters of a distribution are numbers");
      return std::nullopt;
    }
    args.push_back(*a);
  }
  bool standard = args.empty() && d.kind != "lognormal";
  bool one = args.size() == 1 && d.kind == "exponential";
  if (!standard && !one && args.size() != 2) {
    diag.error(e.loc, "'" + e.name + "' takes two numbers, " +
                          std::to_string(args.size()) + " given",
               d.kind == "uniform"   ? "write uniform(low, high)"
               : d.kind == "normal"  ? "write normal(mean, standard deviation)"
                                     : "");
    return std::nullopt;
  }
  Dim dim;
  if (standard) {
    d.a = d.kind == "exponential" ? 1 : 0;
    d.b = d.kind == "exponential" ? 0 : 1;
  } else if (one) {
    d.a = args[0].p.number();
    d.b = 0;
    dim = args[0].dim;
  } else {
    if (args[0].anyUnit)
      args[0].dim = args[1].dim;
    else if (args[1].anyUnit)
      args[1].dim = args[0].dim;
    if (args[0].dim != args[1].dim) {
      diag.error(e.loc,
                 "'" + e.name + "' needs equal units: " + quote(*e.args[0]) +
                     isIn(args[0].dim) + ", " + quote(*e.args[1]) +
                     isIn(args[1].dim),
                 fixUnit(*e.args[1], args[1].dim, args[0].dim));
      return std::nullopt;
    }
    d.a = args[0].p.number();
    d.b = args[1].p.number();
    dim = args[0].dim;
    if (d.kind == "lognormal" && !dim.isNone()) {
      diag.error(e.loc, "the parameters of 'lognormal' are those of the "
                        "logarithm and have no unit",
                 "multiply the distribution by 1 " + dim.str());
      return std::nullopt;
    }
  }
  if (d.kind == "uniform" && d.a > d.b) {
    diag.error(e.loc, "'uniform' needs low <= high, got " + formatNumber(d.a) +
                          " and " + formatNumber(d.b));
    return std::nullopt;
  }
  if (d.kind == "exponential" && !(d.a > 0)) {
    diag.error(e.loc, "the mean of 'exponential' is positive, got " +
                          formatNumber(d.a));
    return std::nullopt;
  }
  if ((d.kind == "normal" || d.kind == "lognormal") && d.b < 0) {
    diag.error(e.loc, "a standard deviation is not negative, got " +
                          formatNumber(d.b));
    return std::nullopt;
  }
  if (clip) {
    double bound[2];
    for (int i = 0; i < 2; ++i) {
      ConstResult b = evaluate(*clip->args[i]);
      if (!b)
        return std::nullopt;
      if (!b->p.isNumber() || (b->dim != dim && !b->anyUnit)) {
        diag.error(clip->args[i]->loc,
                   "a bound of 'clip'" + mustBeIn(dim) + ", but " +
                       quote(*clip->args[i]) + isIn(b->dim));
        return std::nullopt;
      }
      bound[i] = b->p.number();
    }
    if (bound[0] >= bound[1]) {
      diag.error(clip->loc, "'clip' needs low < high");
      return std::nullopt;
    }
    d.clip = {bound[0], bound[1]};
  }
  if (!std::isfinite(d.a) || !std::isfinite(d.b)) {
    diag.error(e.loc, "the distribution leaves the range of numbers");
    return std::nullopt;
  }
  ConstValue v;
  v.dist = d;
  return ConstTyped{v, dim};
}

ConstResult ConstDomain::arrayLiteral(const Expr &e) {
  ConstTyped r{{}, Dim()};
  bool first = true;
  for (const ExprPtr &arg : e.args) {
    ConstResult a = evaluate(*arg);
    if (!a)
      return std::nullopt;
    if (a->p.dist) {
      diag.error(arg->loc, "an element of an array must be a number");
      return std::nullopt;
    }
    if (first) {
      r.p.shape = a->p.shape;
      r.dim = a->dim;
      r.anyUnit = a->anyUnit;
      first = false;
    } else {
      if (r.anyUnit && !a->anyUnit) {
        r.dim = a->dim;
        r.anyUnit = false;
      }
      if (!a->anyUnit && a->dim != r.dim) {
        diag.error(arg->loc, "elements of an array have one unit: " +
                                 quote(*e.args[0]) + isIn(r.dim) +
                                 ", " + quote(*arg) + isIn(a->dim),
                   fixUnit(*arg, a->dim, r.dim));
        return std::nullopt;
      }
      if (a->p.shape != r.p.shape) {
        diag.error(arg->loc, "rows of an array have one length: expected " +
                                 shapeText(r.p.shape) + ", found " +
                                 shapeText(a->p.shape));
        return std::nullopt;
      }
    }
    r.p.data.insert(r.p.data.end(), a->p.data.begin(), a->p.data.end());
  }
  r.p.shape.insert(r.p.shape.begin(), static_cast<int64_t>(e.args.size()));
  return r;
}

ConstResult ConstDomain::index(const Expr &e) {
  ConstResult a = evaluate(*e.args[0]);
  if (!a)
    return std::nullopt;
  for (size_t k = 1; k < e.args.size(); ++k) {
    ConstResult n = evaluate(*e.args[k]);
    if (!n)
      return std::nullopt;
    if (!a->p.isArray()) {
      diag.error(e.loc, quote(*e.args[0]) + " has fewer dimensions than this");
      return std::nullopt;
    }
    int64_t extent = a->p.shape[0];
    double v = n->p.isNumber() && n->dim.isNone() ? n->p.number() : -1;
    if (v < 0 || v >= static_cast<double>(extent) || v != std::floor(v)) {
      diag.error(e.args[k]->loc, "index must be a whole number from 0 to " +
                                     std::to_string(extent - 1));
      return std::nullopt;
    }
    size_t step = a->p.data.size() / extent;
    size_t from = static_cast<size_t>(v) * step;
    a->p.data = std::vector<double>(a->p.data.begin() + from,
                                    a->p.data.begin() + from + step);
    a->p.shape.erase(a->p.shape.begin());
  }
  return a;
}

ConstResult ConstDomain::file(const Expr &e) {
  if (e.args.size() != 1 || e.args[0]->kind != Expr::String) {
    diag.error(e.loc, "'file' takes the name of a .npy file in quotes");
    return std::nullopt;
  }
  std::string path = findFile ? findFile(*e.args[0]) : "";
  if (path.empty())
    return std::nullopt; // reported by findFile
  ConstTyped r{{}, Dim()};
  std::string problem = readNpy(path, r.p, r.boolean);
  if (!problem.empty()) {
    diag.error(e.args[0]->loc, path + ": " + problem);
    return std::nullopt;
  }
  return r;
}

std::optional<std::vector<int64_t>>
ConstDomain::shapeArgument(const Expr &e) {
  ConstResult s = evaluate(e);
  if (!s)
    return std::nullopt;
  std::vector<int64_t> shape;
  double total = 1;
  for (double d : s->p.data) {
    if (d < 1 || d != std::floor(d) || (total *= d) > 2e7) {
      diag.error(e.loc, "a shape is a list of positive whole numbers");
      return std::nullopt;
    }
    shape.push_back(static_cast<int64_t>(d));
  }
  if (s->p.dist || s->p.shape.size() != 1 || !s->dim.isNone()) {
    diag.error(e.loc, "a shape is a list of positive whole numbers");
    return std::nullopt;
  }
  return shape;
}

/// sample(distribution, [shape], seed = n)
ConstResult ConstDomain::sample(const Expr &e) {
  uint64_t wanted = 1;
  if (e.args.size() == 3 && e.argNames[2].name == "seed") {
    ConstResult s = evaluate(*e.args[2]);
    if (!s)
      return std::nullopt;
    if (!s->p.isNumber() || s->p.number() < 0 || s->p.number() > 9e15) {
      diag.error(e.args[2]->loc, "a seed is a whole number");
      return std::nullopt;
    }
    wanted = static_cast<uint64_t>(s->p.number());
  } else if (e.args.size() != 2) {
    diag.error(e.loc, "'sample' takes a distribution and a shape",
               "write sample(normal(0, 1), [10, 3], seed = 7)");
    return std::nullopt;
  }
  ConstResult d = evaluate(*e.args[0]);
  std::optional<std::vector<int64_t>> shape = shapeArgument(*e.args[1]);
  if (!d || !shape)
    return std::nullopt;
  if (!d->p.dist) {
    diag.error(e.args[0]->loc, quote(*e.args[0]) + " is not a distribution",
               "write uniform(low, high) or normal(mean, sd)");
    return std::nullopt;
  }
  d->p = draw(*d->p.dist, *shape, wanted, "sample");
  return d;
}

std::optional<ConstResult> ConstDomain::special(const Expr &e) {
  switch (e.kind) {
  case Expr::Array: return arrayLiteral(e);
  case Expr::Index: return index(e);
  case Expr::String:
    diag.error(e.loc, "a string cannot be used here",
               "to read an array write file(" + e.text() + ")");
    return ConstResult();
  case Expr::Call: break;
  default: return std::nullopt;
  }
  if (e.name == "uniform" || e.name == "normal" || e.name == "lognormal" ||
      e.name == "exponential")
    return distribution(e);
  if (e.name == "file")
    return file(e);
  if (e.name == "sample")
    return sample(e);
  if (llvm::is_contained(collectiveNames(), e.name)) {
    diag.error(e.loc, "'" + e.name + "' cannot be used here",
               "it belongs into a stage of a model or a handler of a rule");
    return ConstResult();
  }
  if (llvm::is_contained(constFunctions(), e.name))
    return arrayFunction(e);
  return std::nullopt;
}

} // namespace neuroc::lang
