// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Derivatives of functions of the language, as syntax trees. A null tree is
// zero. Piecewise functions have one convention: where two pieces meet, `min`
// and `max` follow their later argument, and what has an open and a constant
// side (relu, clip, abs, sign …) the constant one; so relu'(0) = abs'(0) = 0,
// and the steps of floor, round, sign and heaviside count as flat. docs/
// language.md states it.
#include "ExprEval.h"

namespace neuroc::lang {

std::unique_ptr<FunctionDecl> builtinFunction(const std::string &name) {
  if (!llvm::is_contained(mathFunctions(), name))
    return nullptr;
  std::vector<const char *> params = {"x"};
  if (name == "min" || name == "max" || name == "mod" || name == "pow")
    params = {"x", "y"};
  if (name == "clip")
    params = {"x", "lo", "hi"};
  auto f = std::make_unique<FunctionDecl>();
  f->name.name = name;
  f->body = std::make_unique<Expr>();
  f->body->kind = Expr::Call;
  f->body->name = "::" + name;
  for (const char *p : params) {
    Decl d;
    d.name.name = p;
    auto arg = std::make_unique<Expr>();
    arg->kind = Expr::Name;
    arg->name = p;
    f->params.push_back(std::move(d));
    f->body->args.push_back(std::move(arg));
    f->body->argNames.push_back({});
  }
  return f;
}

namespace {

class Derivative {
public:
  Derivative(
      std::string variable, Diag &diag, SMLoc at,
      const std::function<const FunctionDecl *(const std::string &)> &known)
      : variable(std::move(variable)), diag(diag), at(at), known(known) {}

  /// The derivative of `e`; null for zero. `ok` becomes false after an error.
  ExprPtr of(const Expr &e) {
    switch (e.kind) {
    case Expr::Number:
    case Expr::Quantity:
      return nullptr;
    case Expr::Name:
      return e.name == variable ? number(1, e) : nullptr;
    case Expr::Unary:
      if (e.name == "-")
        return negative(of(*e.args[0]), e);
      break;
    case Expr::Binary:
      return binary(e);
    case Expr::Select: {
      ExprPtr a = of(*e.args[1]), b = of(*e.args[2]);
      return select(clone(e.args[0]), std::move(a), std::move(b), e);
    }
    case Expr::Call:
      return call(e);
    default:
      break;
    }
    refuse(e);
    return nullptr;
  }
  bool ok = true;

private:
  void refuse(const Expr &e) {
    if (ok)
      diag.error(at, "no derivative of " + quote(e) + " is defined");
    ok = false;
  }

  static ExprPtr node(Expr::Kind kind, std::string name, const Expr &like) {
    auto n = std::make_unique<Expr>();
    n->kind = kind;
    n->name = std::move(name);
    n->loc = like.loc;
    n->begin = like.begin;
    n->end = like.end;
    return n;
  }
  static ExprPtr number(double x, const Expr &like) {
    ExprPtr n = node(Expr::Number, "", like);
    n->number = x;
    return n;
  }
  static bool isOne(const ExprPtr &e) {
    return e && e->kind == Expr::Number && e->number == 1;
  }
  static ExprPtr op(const char *name, ExprPtr a, ExprPtr b, const Expr &like) {
    ExprPtr n = node(Expr::Binary, name, like);
    n->args.push_back(std::move(a));
    n->args.push_back(std::move(b));
    return n;
  }
  static ExprPtr negative(ExprPtr a, const Expr &like) {
    if (!a)
      return a;
    ExprPtr n = node(Expr::Unary, "-", like);
    n->args.push_back(std::move(a));
    return n;
  }
  static ExprPtr add(ExprPtr a, ExprPtr b, const Expr &like) {
    if (!a || !b)
      return a ? std::move(a) : std::move(b);
    return op("+", std::move(a), std::move(b), like);
  }
  static ExprPtr subtract(ExprPtr a, ExprPtr b, const Expr &like) {
    if (!b)
      return a;
    if (!a)
      return negative(std::move(b), like);
    return op("-", std::move(a), std::move(b), like);
  }
  static ExprPtr times(ExprPtr a, ExprPtr b, const Expr &like) {
    if (!a || !b)
      return nullptr;
    if (isOne(a))
      return b;
    if (isOne(b))
      return a;
    return op("*", std::move(a), std::move(b), like);
  }
  static ExprPtr over(ExprPtr a, ExprPtr b, const Expr &like) {
    return a ? op("/", std::move(a), std::move(b), like) : nullptr;
  }
  static ExprPtr function(const char *name, ExprPtr x, const Expr &like) {
    ExprPtr n = node(Expr::Call, std::string("::") + name, like);
    n->args.push_back(std::move(x));
    n->argNames.push_back({});
    return n;
  }
  static ExprPtr select(ExprPtr c, ExprPtr a, ExprPtr b, const Expr &like) {
    if (!a && !b)
      return nullptr;
    ExprPtr n = node(Expr::Select, "", like);
    n->args.push_back(std::move(c));
    n->args.push_back(a ? std::move(a) : number(0, like));
    n->args.push_back(b ? std::move(b) : number(0, like));
    return n;
  }

  ExprPtr binary(const Expr &e) {
    const Expr &u = *e.args[0], &v = *e.args[1];
    if (e.name == "+" || e.name == "-" || e.name == "*" || e.name == "/" ||
        e.name == "%") {
      ExprPtr du = of(u), dv = of(v);
      if (e.name == "+")
        return add(std::move(du), std::move(dv), e);
      if (e.name == "-")
        return subtract(std::move(du), std::move(dv), e);
      if (e.name == "*")
        return add(times(std::move(du), clone(v), e),
                   times(clone(u), std::move(dv), e), e);
      if (e.name == "%")
        return remainder(u, v, std::move(du), std::move(dv), e);
      // u'/v - (u/v) v'/v
      ExprPtr second = times(clone(e), std::move(dv), e);
      return subtract(over(std::move(du), clone(v), e),
                      over(std::move(second), clone(v), e), e);
    }
    if (e.name == "^")
      return power(e, u, v);
    refuse(e);
    return nullptr;
  }

  /// u % v = u - trunc(u/v) v, and trunc counts as flat.
  ExprPtr remainder(const Expr &u, const Expr &v, ExprPtr du, ExprPtr dv,
                    const Expr &e) {
    if (!dv)
      return du;
    ExprPtr whole = op(
        "/", op("-", clone(u), op("%", clone(u), clone(v), e), e), clone(v), e);
    return subtract(std::move(du), times(std::move(whole), std::move(dv), e),
                    e);
  }

  ExprPtr power(const Expr &e, const Expr &u, const Expr &v) {
    ExprPtr du = of(u), dv = of(v);
    if (!dv) {
      if (!du)
        return nullptr;
      if (v.kind == Expr::Number) {
        if (v.number == 0)
          return nullptr;
        ExprPtr low = v.number == 1 ? number(1, e)
                      : v.number == 2
                          ? clone(u)
                          : op("^", clone(u), number(v.number - 1, e), e);
        return times(times(number(v.number, e), std::move(low), e),
                     std::move(du), e);
      }
      ExprPtr low = op("^", clone(u), op("-", clone(v), number(1, e), e), e);
      return times(times(clone(v), std::move(low), e), std::move(du), e);
    }
    // u^v (v' log u + v u'/u)
    ExprPtr first = times(std::move(dv), function("log", clone(u), e), e);
    ExprPtr second = over(times(clone(v), std::move(du), e), clone(u), e);
    return times(clone(e), add(std::move(first), std::move(second), e), e);
  }

  /// The derivative of a user's function: the sum over its arguments.
  ExprPtr chain(const Expr &e, ExprPtr f, size_t skip,
                const std::vector<std::string> &params) {
    ExprPtr sum;
    for (size_t k = skip; k < e.args.size(); ++k) {
      ExprPtr d = of(*e.args[k]);
      if (!d || k - skip >= params.size())
        continue;
      ExprPtr which = node(Expr::Call, "derivative", e);
      which->args.push_back(clone(f));
      which->args.push_back(node(Expr::Name, params[k - skip], e));
      which->argNames.resize(2);
      ExprPtr slope = node(Expr::Call, "derivative of", e);
      slope->args.push_back(std::move(which));
      for (size_t a = skip; a < e.args.size(); ++a)
        slope->args.push_back(clone(e.args[a]));
      slope->argNames.resize(slope->args.size());
      sum = add(std::move(sum), times(std::move(slope), std::move(d), e), e);
    }
    return sum;
  }

  std::vector<std::string> paramsOf(const Expr &f) {
    std::vector<std::string> names;
    if (f.kind == Expr::Call && !f.args.empty())
      return paramsOf(*f.args[0]);
    if (const FunctionDecl *d = known(f.name)) {
      for (const Decl &p : d->params)
        names.push_back(p.name.name);
    } else if (auto b =
                   builtinFunction(llvm::StringRef(f.name).ltrim(':').str())) {
      for (const Decl &p : b->params)
        names.push_back(p.name.name);
    }
    return names;
  }

  ExprPtr call(const Expr &e) {
    if (e.name == "derivative of")
      return chain(e, clone(e.args[0]), 1, paramsOf(*e.args[0]));
    if (known(e.name)) {
      ExprPtr f = node(Expr::Name, e.name, e);
      std::vector<std::string> params = paramsOf(*f);
      return chain(e, std::move(f), 0, params);
    }
    llvm::StringRef name = e.name;
    name.consume_front("::");
    if (!llvm::is_contained(mathFunctions(), name.str())) {
      // Constant in the variable: fine, whatever it is.
      bool constant = true;
      for (const ExprPtr &a : e.args)
        constant &= a->kind != Expr::String && !of(*a);
      if (!constant || name == "uniform" || name == "normal")
        refuse(e);
      return nullptr;
    }
    if (e.args.empty())
      return nullptr; // reported where the function itself is used
    const Expr &u = *e.args[0];
    auto arg = [&](size_t k) { return clone(e.args[k]); };
    if (name == "min" || name == "max") {
      // min(u, v, …): u where it is strictly the smallest so far.
      ExprPtr value = arg(0), d = of(u);
      for (size_t k = 1; k < e.args.size(); ++k) {
        ExprPtr dk = of(*e.args[k]);
        d = select(op(name == "min" ? "<" : ">", clone(value), arg(k), e),
                   std::move(d), std::move(dk), e);
        ExprPtr next = node(Expr::Call, e.name, e);
        next->args.push_back(std::move(value));
        next->args.push_back(arg(k));
        next->argNames.resize(2);
        value = std::move(next);
      }
      return d;
    }
    if (name == "clip" && e.args.size() == 3) { // min(max(x, lo), hi)
      ExprPtr d = select(op(">", arg(0), arg(1), e), of(u), of(*e.args[1]), e);
      ExprPtr low = node(Expr::Call, "::max", e);
      low->args.push_back(arg(0));
      low->args.push_back(arg(1));
      low->argNames.resize(2);
      return select(op("<", std::move(low), arg(2), e), std::move(d),
                    of(*e.args[2]), e);
    }
    if (name == "pow" && e.args.size() == 2) {
      ExprPtr p = op("^", arg(0), arg(1), e);
      return power(*p, *p->args[0], *p->args[1]);
    }
    if (name == "mod" && e.args.size() == 2)
      return remainder(u, *e.args[1], of(u), of(*e.args[1]), e);
    ExprPtr du = of(u);
    if (!du)
      return nullptr;
    ExprPtr slope;
    if (name == "exp" || name == "expm1")
      slope = function("exp", arg(0), e);
    else if (name == "log")
      return over(std::move(du), arg(0), e);
    else if (name == "log1p")
      return over(std::move(du), op("+", number(1, e), arg(0), e), e);
    else if (name == "sqrt")
      return over(std::move(du), op("*", number(2, e), clone(e), e), e);
    else if (name == "tanh")
      slope = op("-", number(1, e), op("*", clone(e), clone(e), e), e);
    else if (name == "sin")
      slope = function("cos", arg(0), e);
    else if (name == "cos")
      slope = negative(function("sin", arg(0), e), e);
    else if (name == "abs")
      slope = function("sign", arg(0), e);
    else if (name == "sigmoid")
      slope = op("*", clone(e), op("-", number(1, e), clone(e), e), e);
    else if (name == "relu")
      slope =
          select(op(">", arg(0), number(0, e), e), number(1, e), nullptr, e);
    else
      return nullptr; // floor, ceil, round, sign, heaviside
    return times(std::move(slope), std::move(du), e);
  }

  std::string variable;
  Diag &diag;
  SMLoc at;
  const std::function<const FunctionDecl *(const std::string &)> &known;
};

} // namespace

std::unique_ptr<FunctionDecl> differentiate(
    const FunctionDecl &f, size_t by, Diag &diag, SMLoc at,
    const std::function<const FunctionDecl *(const std::string &)> &known) {
  auto d = std::make_unique<FunctionDecl>();
  d->name = {"derivative(" + f.name.name + ")", f.name.loc};
  for (const Decl &p : f.params) {
    Decl copy;
    copy.name = p.name;
    copy.type.unit = clone(p.type.unit);
    copy.type.loc = p.type.loc;
    d->params.push_back(std::move(copy));
  }
  Derivative derivative(f.params[by].name.name, diag, at, known);
  d->body = derivative.of(*f.body);
  if (!derivative.ok)
    return nullptr;
  if (!d->body) {
    d->body = std::make_unique<Expr>();
    d->body->loc = f.body->loc;
    d->body->begin = f.body->begin;
    d->body->end = f.body->end;
  }
  return d;
}

} // namespace neuroc::lang
