// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Meaning of expressions, apart from what their values are: precedence is the
// parser's, units and truth values are checked here, and a Domain supplies
// values (scalar IR for stage code, numbers and arrays for everything that is
// known at compile time). A Domain has
//   using Payload = …;
//   Payload number(double, SMLoc);
//   std::optional<Payload> unary(StringRef op, Payload, SMLoc);     - not
//   std::optional<Payload> binary(StringRef op, Payload, Payload, SMLoc);
//   std::optional<Payload> select(Payload, Payload, Payload, SMLoc);
//   std::optional<Payload> math(StringRef fn, Payload, SMLoc);
//   std::optional<double> constant(const Payload &);
//   std::optional<std::optional<Val>> name(const Expr &);    outer: known?
//   std::optional<std::optional<Val>> global(const Expr &);  file constants
//   std::optional<std::optional<Val>> special(const Expr &); calls, members …
//   std::vector<std::string> names();
// where comparison operators give truth values and "min", "max", "pow", "mod"
// are binary operators.
#ifndef NEUROC_LIB_FRONTEND_LANG_EXPREVAL_H
#define NEUROC_LIB_FRONTEND_LANG_EXPREVAL_H

#include "Ast.h"
#include "Diag.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringMap.h"

#include <cmath>
#include <functional>
#include <limits>
#include <map>

namespace neuroc::lang {

/// Source text of an expression for a message, shortened.
std::string quote(const Expr &e);
/// How to make a quantity of dimension `have` one of dimension `want`.
std::string fixUnit(const Expr &e, const Dim &have, const Dim &want);
/// True if the expression is, or scales, a quantity spelt in Hz.
bool speltInHertz(const Expr &e);
/// " is in mV" or " has no unit"; " must be in mV" or " must be a pure number".
std::string isIn(const Dim &dim);
std::string mustBeIn(const Dim &dim);
/// Names of the built-in functions that every domain has.
const std::vector<std::string> &mathFunctions();

/// A type's unit: dimension and whether it is spelt in Hz. Reports and returns
/// nothing if the expression is not made of units.
std::optional<Unit> evalUnitExpr(const Expr &e, Diag &diag);

template <typename Payload> struct Typed {
  Payload p;
  Dim dim;
  bool boolean = false;
  bool anyUnit = false; ///< a literal 0 or inf fits every unit
};

using FunctionMap = llvm::StringMap<const FunctionDecl *>;
/// Functions of one model or rule; their bodies see its parameters, too.
using LocalFunctions = std::map<std::string, const FunctionDecl *>;

/// The derivative of function `f` with respect to its parameter number `by`, as
/// a function of the same parameters; null after an error. `known` tells the
/// declaration of a function by its name, or null for a built-in one.
std::unique_ptr<FunctionDecl>
differentiate(const FunctionDecl &f, size_t by, Diag &diag, SMLoc at,
              const std::function<const FunctionDecl *(const std::string &)>
                  &known);
/// A built-in function of numbers as a declaration; null if there is none.
std::unique_ptr<FunctionDecl> builtinFunction(const std::string &name);

template <typename Domain> class ExprEval {
public:
  using Payload = typename Domain::Payload;
  using Val = Typed<Payload>;
  using Result = std::optional<Val>;

  ExprEval(Domain &domain, Diag &diag, const FunctionMap &functions)
      : domain(domain), diag(diag), functions(functions) {}

  /// The functions of the model or rule, if it is one's code.
  const LocalFunctions *local = nullptr;

  Result eval(const Expr &e) {
    if (depth > 150) {
      diag.error(e.loc, "expression is nested too deeply");
      return std::nullopt;
    }
    ++depth;
    Result r = evalInner(e);
    --depth;
    return r;
  }

  /// Evaluates and demands dimension `want`; `what` names the purpose.
  Result evalAs(const Expr &e, const Dim &want, const llvm::Twine &what) {
    Result r = eval(e);
    if (!r)
      return r;
    if (r->boolean) {
      diag.error(e.loc, what + " must be a number, but " + quote(e) +
                            " is a condition",
                 "write 'if " + e.text() + " then 1 else 0'");
      return std::nullopt;
    }
    if (!r->anyUnit && r->dim != want) {
      diag.error(e.loc,
                 what + mustBeIn(want) + ", but " + quote(e) +
                     isIn(r->dim),
                 fixUnit(e, r->dim, want));
      return std::nullopt;
    }
    r->dim = want;
    return r;
  }

  Result evalCondition(const Expr &e, const llvm::Twine &what) {
    Result r = eval(e);
    if (r && !r->boolean) {
      diag.error(e.loc,
                 what + " must be a condition, but " + quote(e) +
                     " is a number",
                 "compare it with something, as in '" + e.text() + " > 0'");
      return std::nullopt;
    }
    return r;
  }

private:
  Result evalInner(const Expr &e) {
    switch (e.kind) {
    case Expr::Number: {
      Val v{domain.number(e.number, e.loc), Dim()};
      v.anyUnit = e.number == 0;
      return v;
    }
    case Expr::Quantity: {
      std::optional<Unit> unit = lookupUnit(e.name);
      std::optional<Dim> dim = unit->dim.pow(e.exponent);
      // "162 pA" is 162 / 1000, correctly rounded, not 162 * 0.001.
      double scale = std::pow(unit->scale, e.exponent);
      double value = scale < 1 ? e.number / std::round(1 / scale)
                               : e.number * scale;
      Val v{domain.number(value, e.loc), *dim};
      return v;
    }
    case Expr::Name:
      return evalName(e);
    case Expr::Unary:
      return evalUnary(e);
    case Expr::Binary:
      return evalBinary(e);
    case Expr::Select:
      return evalSelect(e);
    case Expr::Call:
      return evalCall(e);
    default:
      if (auto r = domain.special(e))
        return *r;
      diag.error(e.loc, quote(e) + " cannot be used here");
      return std::nullopt;
    }
  }

  Result evalName(const Expr &e) {
    for (auto it = arguments.rbegin(); it != arguments.rend(); ++it) {
      auto found = it->find(e.name);
      if (found != it->end())
        return found->second;
      break; // only the innermost function's arguments are visible
    }
    if (arguments.empty()) {
      if (auto known = domain.name(e))
        return *known;
    } else if (open.back()) {
      // A model's own function sees the names of the model.
      auto inner = std::move(arguments);
      auto innerOpen = std::move(open);
      arguments.clear();
      open.clear();
      auto known = domain.name(e);
      arguments = std::move(inner);
      open = std::move(innerOpen);
      if (known)
        return *known;
    } else if (auto known = domain.global(e)) {
      return *known;
    }
    if (e.name == "true" || e.name == "false") {
      Val v{domain.number(e.name == "true", e.loc), Dim()};
      v.boolean = true;
      if (auto p = domain.binary("!=", v.p, domain.number(0, e.loc), e.loc))
        v.p = *p;
      return v;
    }
    if (e.name == "pi")
      return Val{domain.number(3.14159265358979323846, e.loc), Dim()};
    if (e.name == "inf") {
      Val v{domain.number(std::numeric_limits<double>::infinity(), e.loc),
            Dim()};
      v.anyUnit = true;
      return v;
    }
    if (std::optional<Unit> unit = lookupUnit(e.name))
      return Val{domain.number(unit->scale, e.loc), unit->dim};
    std::vector<std::string> known = domain.names();
    if (!arguments.empty()) {
      known.clear();
      for (const auto &a : arguments.back())
        known.push_back(a.first);
    }
    if (std::string near = nearest(e.name, known); near.empty())
      if (std::string unit = nearest(e.name, unitNames()); !unit.empty())
        known = {unit};
    diag.unknown(e.loc, "name", e.name, known);
    return std::nullopt;
  }

  Result evalUnary(const Expr &e) {
    if (e.name == "not") {
      Result a = evalCondition(*e.args[0], "the operand of 'not'");
      if (!a)
        return a;
      auto p = domain.unary("not", a->p, e.loc);
      if (!p)
        return std::nullopt;
      a->p = *p;
      return a;
    }
    Result a = evalNumber(*e.args[0], "'-'");
    if (!a)
      return a;
    auto p = domain.unary("-", a->p, e.loc);
    if (!p)
      return std::nullopt;
    a->p = *p;
    return a;
  }

  Result evalNumber(const Expr &e, const llvm::Twine &what) {
    Result a = eval(e);
    if (a && a->boolean) {
      diag.error(e.loc, what + " needs numbers, but " + quote(e) +
                            " is a condition",
                 "write 'if " + e.text() + " then 1 else 0'");
      return std::nullopt;
    }
    return a;
  }

  /// Demands equal units of `a` and `b`; a literal zero takes the other's.
  bool unify(const Expr &e, Val &a, const Expr &ea, Val &b, const Expr &eb,
             llvm::StringRef op) {
    if (a.anyUnit && !b.anyUnit)
      a.dim = b.dim;
    else if (b.anyUnit)
      b.dim = a.dim;
    if (a.dim == b.dim)
      return true;
    // Suggest a change of the side that is a bare number, else of the right.
    bool left = a.dim.isNone() && !b.dim.isNone();
    diag.error(e.loc,
               "'" + op + "' needs equal units: " + quote(ea) + isIn(a.dim) + ", " + quote(eb) + isIn(b.dim),
               left ? fixUnit(ea, a.dim, b.dim) : fixUnit(eb, b.dim, a.dim));
    return false;
  }

  Result combine(const Expr &e, llvm::StringRef op, Val a, Val b, Dim dim,
                 bool boolean = false) {
    auto p = domain.binary(op, a.p, b.p, e.loc);
    if (!p)
      return std::nullopt;
    Val v{*p, dim};
    v.boolean = boolean;
    return v;
  }

  Result evalBinary(const Expr &e) {
    const Expr &ea = *e.args[0], &eb = *e.args[1];
    llvm::StringRef op = e.name;
    if (op == "and" || op == "or") {
      Result a = evalCondition(ea, "the left side of '" + op + "'");
      Result b = evalCondition(eb, "the right side of '" + op + "'");
      if (!a || !b)
        return std::nullopt;
      return combine(e, op, *a, *b, Dim(), true);
    }
    Result a = evalNumber(ea, "'" + op + "'");
    Result b = evalNumber(eb, "'" + op + "'");
    if (!a || !b)
      return std::nullopt;
    if (op == "*")
      return combine(e, op, *a, *b, a->dim * b->dim);
    if (op == "/") {
      std::optional<double> d = domain.constant(b->p);
      if (d && *d == 0) {
        diag.error(e.loc, "division by zero");
        return std::nullopt;
      }
      return combine(e, op, *a, *b, a->dim / b->dim);
    }
    if (op == "^")
      return evalPower(e, *a, *b);
    if (!unify(e, *a, ea, *b, eb, op))
      return std::nullopt;
    bool compares = llvm::is_contained({"<", "<=", ">", ">=", "==", "!="}, op);
    Result r = combine(e, op == "%" ? "mod" : op, *a, *b,
                       compares ? Dim() : a->dim, compares);
    if (r && !compares)
      r->anyUnit = a->anyUnit && b->anyUnit;
    return r;
  }

  Result evalPower(const Expr &e, Val a, Val b) {
    if (!b.dim.isNone()) {
      diag.error(e.loc, "an exponent has no unit, but " + quote(*e.args[1]) +
                            isIn(b.dim));
      return std::nullopt;
    }
    std::optional<double> n = domain.constant(b.p);
    if (n && *n == std::floor(*n) && std::fabs(*n) <= 16) {
      int k = static_cast<int>(*n);
      std::optional<Dim> dim = a.dim.pow(k);
      if (!dim) {
        diag.error(e.loc, "unit of " + quote(e) + " is out of range");
        return std::nullopt;
      }
      // Products in a fixed order; every target can do them.
      Payload one = domain.number(1, e.loc);
      std::optional<Payload> p = one;
      for (int i = 0; i < std::abs(k) && p; ++i)
        p = i == 0 ? std::optional<Payload>(a.p)
                   : domain.binary("*", *p, a.p, e.loc);
      if (p && k < 0)
        p = domain.binary("/", one, *p, e.loc);
      if (!p)
        return std::nullopt;
      return Val{*p, *dim};
    }
    if (n && *n == 0.5)
      return root(e, *e.args[0], a);
    if (!a.dim.isNone()) {
      diag.error(e.loc,
                 "only whole powers (and 0.5) of a quantity with a unit are "
                 "defined, but " + quote(*e.args[0]) + isIn(a.dim),
                 "divide " + quote(*e.args[0]) + " by 1 " + a.dim.str());
      return std::nullopt;
    }
    return combine(e, "pow", a, b, Dim());
  }

  Result root(const Expr &e, const Expr &arg, Val a) {
    std::optional<Dim> dim = a.dim.sqrt();
    if (!dim) {
      diag.error(e.loc, "the square root of " + quote(arg) + ", in " +
                            a.dim.str() + ", has no whole unit");
      return std::nullopt;
    }
    auto p = domain.math("sqrt", a.p, e.loc);
    if (!p)
      return std::nullopt;
    return Val{*p, *dim};
  }

  Result evalSelect(const Expr &e) {
    Result c = evalCondition(*e.args[0], "what stands after 'if'");
    Result a = eval(*e.args[1]);
    Result b = eval(*e.args[2]);
    if (!c || !a || !b)
      return std::nullopt;
    if (a->boolean != b->boolean) {
      diag.error(e.loc, "one branch of the conditional is a number, the other "
                        "a condition");
      return std::nullopt;
    }
    if (!a->boolean &&
        !unify(e, *a, *e.args[1], *b, *e.args[2], "if … then … else"))
      return std::nullopt;
    auto p = domain.select(c->p, a->p, b->p, e.loc);
    if (!p)
      return std::nullopt;
    Val v{*p, a->dim};
    v.boolean = a->boolean;
    return v;
  }

  bool arity(const Expr &e, size_t n) {
    if (e.args.size() == n)
      return true;
    diag.error(e.loc, "'" + e.name + "' takes " + std::to_string(n) +
                          (n == 1 ? " argument, " : " arguments, ") +
                          std::to_string(e.args.size()) + " given");
    return false;
  }

  Result evalCall(const Expr &e) {
    if (e.name == "derivative of")
      return evalDerivative(e);
    if (e.name == "derivative") {
      diag.error(e.loc, "a derivative is a function and needs its argument",
                 "write " + e.text().str() + "(x)");
      return std::nullopt;
    }
    llvm::StringRef name = e.name;
    bool global = name.consume_front("::");
    if (const FunctionDecl *f = declared(name.str(), global))
      return inlineCall(e, *f, !global && local && local->count(name.str()));
    if (auto r = domain.special(e))
      return *r;
    for (const Ident &argName : e.argNames)
      if (argName) {
        diag.error(argName.loc, "'" + name + "' has no named arguments");
        return std::nullopt;
      }
    if (name == "min" || name == "max") {
      if (e.args.size() < 2) {
        arity(e, 2);
        return std::nullopt;
      }
      Result acc = evalNumber(*e.args[0], "'" + name + "'");
      for (size_t i = 1; i < e.args.size(); ++i) {
        Result next = evalNumber(*e.args[i], "'" + name + "'");
        if (!acc || !next ||
            !unify(e, *acc, *e.args[0], *next, *e.args[i], name))
          return std::nullopt;
        acc = combine(e, name, *acc, *next, acc->dim);
      }
      return acc;
    }
    if (name == "clip") {
      if (!arity(e, 3))
        return std::nullopt;
      Result x = evalNumber(*e.args[0], "'clip'");
      Result lo = evalNumber(*e.args[1], "'clip'");
      Result hi = evalNumber(*e.args[2], "'clip'");
      if (!x || !lo || !hi || !unify(e, *x, *e.args[0], *lo, *e.args[1], name) ||
          !unify(e, *x, *e.args[0], *hi, *e.args[2], name))
        return std::nullopt;
      Result r = combine(e, "max", *x, *lo, x->dim);
      return r ? combine(e, "min", *r, *hi, x->dim) : r;
    }
    if (name == "mod" || name == "pow") {
      if (!arity(e, 2))
        return std::nullopt;
      Result a = evalNumber(*e.args[0], "'" + name + "'");
      Result b = evalNumber(*e.args[1], "'" + name + "'");
      if (!a || !b)
        return std::nullopt;
      if (name == "pow")
        return evalPower(e, *a, *b);
      if (!unify(e, *a, *e.args[0], *b, *e.args[1], name))
        return std::nullopt;
      return combine(e, "mod", *a, *b, a->dim);
    }
    if (!llvm::is_contained(mathFunctions(), name.str())) {
      std::vector<std::string> known = mathFunctions();
      for (const auto &f : functions)
        known.push_back(f.first().str());
      if (local)
        for (const auto &f : *local)
          known.push_back(f.first);
      for (const std::string &s : domain.names())
        known.push_back(s);
      for (const std::string &s : domain.calls())
        known.push_back(s);
      diag.unknown(e.loc, "function", name, known);
      return std::nullopt;
    }
    if (!arity(e, 1))
      return std::nullopt;
    Result a = evalNumber(*e.args[0], "'" + name + "'");
    if (!a)
      return a;
    return unaryFunction(e, name, *a);
  }

  Result unaryFunction(const Expr &e, llvm::StringRef name, Val a) {
    auto num = [&](double x) { return Val{domain.number(x, e.loc), a.dim}; };
    if (name == "sqrt")
      return root(e, *e.args[0], a);
    if (name == "relu")
      return combine(e, "max", a, num(0), a.dim);
    if (name == "heaviside" || name == "sign") {
      // heaviside(0) = 1; sign(0) = 0.
      Result up = combine(e, name == "sign" ? ">" : ">=", a, num(0), Dim(), true);
      if (!up)
        return up;
      Payload one = domain.number(1, e.loc), zero = domain.number(0, e.loc);
      std::optional<Payload> low = zero;
      if (name == "sign") {
        Result down = combine(e, "<", a, num(0), Dim(), true);
        if (!down)
          return down;
        low = domain.select(down->p, domain.number(-1, e.loc), zero, e.loc);
      }
      if (!low)
        return std::nullopt;
      auto p = domain.select(up->p, one, *low, e.loc);
      if (!p)
        return std::nullopt;
      return Val{*p, Dim()};
    }
    if (name == "abs") {
      auto p = domain.math("abs", a.p, e.loc);
      return p ? Result(Val{*p, a.dim}) : std::nullopt;
    }
    if (!a.dim.isNone() && !a.anyUnit) {
      diag.error(e.loc,
                 "'" + name + "' needs a pure number, but " +
                     quote(*e.args[0]) + isIn(a.dim),
                 "divide it by a quantity in " + a.dim.str());
      return std::nullopt;
    }
    if (name == "sigmoid") { // 1 / (1 + exp(-x))
      auto minus = domain.unary("-", a.p, e.loc);
      auto ex = minus ? domain.math("exp", *minus, e.loc) : std::nullopt;
      Payload one = domain.number(1, e.loc);
      auto den = ex ? domain.binary("+", one, *ex, e.loc) : std::nullopt;
      auto p = den ? domain.binary("/", one, *den, e.loc) : std::nullopt;
      return p ? Result(Val{*p, Dim()}) : std::nullopt;
    }
    auto p = domain.math(name, a.p, e.loc);
    return p ? Result(Val{*p, Dim()}) : std::nullopt;
  }

  /// The declaration of a function by its name, or null.
  const FunctionDecl *declared(const std::string &name, bool global) {
    if (local && !global)
      if (auto l = local->find(name); l != local->end())
        return l->second;
    auto fn = functions.find(name);
    return fn != functions.end() ? fn->second : nullptr;
  }

  /// The declaration of what may stand in derivative(…): a function's name, or
  /// derivative(f) or derivative(f, parameter). `inner` tells if it is local.
  const FunctionDecl *functionOf(const Expr &f, bool &inner) {
    if (f.kind == Expr::Name) {
      llvm::StringRef name = f.name;
      bool global = name.consume_front("::");
      inner = !global && local && local->count(name.str());
      if (const FunctionDecl *d = declared(name.str(), global))
        return d;
      if (auto d = builtinFunction(name.str())) {
        made.push_back(std::move(d));
        return made.back().get();
      }
      std::vector<std::string> known = mathFunctions();
      for (const auto &k : functions)
        known.push_back(k.first().str());
      if (local)
        for (const auto &k : *local)
          known.push_back(k.first);
      diag.unknown(f.loc, "function", name, known);
      return nullptr;
    }
    if (f.kind != Expr::Call || f.name != "derivative" || f.args.empty() ||
        f.args.size() > 2) {
      diag.error(f.loc, "'derivative' takes a function and, if it has several "
                        "parameters, the name of one",
                 "write derivative(f)(x) or derivative(f, y)(x, y)");
      return nullptr;
    }
    const FunctionDecl *d = functionOf(*f.args[0], inner);
    if (!d)
      return nullptr;
    size_t by = 0;
    std::vector<std::string> names;
    for (const Decl &p : d->params)
      names.push_back(p.name.name);
    if (f.args.size() == 2) {
      auto at = f.args[1]->kind == Expr::Name
                    ? std::find(names.begin(), names.end(), f.args[1]->name)
                    : names.end();
      if (at == names.end()) {
        diag.unknown(f.args[1]->loc, "parameter of '" + d->name.name + "'",
                     f.args[1]->text(), names);
        return nullptr;
      }
      by = static_cast<size_t>(at - names.begin());
    } else if (names.empty()) {
      diag.error(f.loc, "'" + d->name.name + "' has no parameter to "
                        "differentiate by");
      return nullptr;
    }
    auto r = differentiate(*d, by, diag, f.loc, [&](const std::string &name) {
      llvm::StringRef n = name;
      bool global = n.consume_front("::");
      return declared(n.str(), global);
    });
    if (!r)
      return nullptr;
    made.push_back(std::move(r));
    return made.back().get();
  }

  Result evalDerivative(const Expr &e) {
    bool inner = false;
    const FunctionDecl *d = functionOf(*e.args[0], inner);
    if (!d)
      return std::nullopt;
    return inlineCall(e, *d, inner, 1);
  }

  Result inlineCall(const Expr &e, const FunctionDecl &f, bool isOpen,
                    size_t skip = 0) {
    if (e.args.size() - skip != f.params.size()) {
      size_t n = f.params.size();
      diag.error(e.loc, "'" + f.name.name + "' takes " + std::to_string(n) +
                            (n == 1 ? " argument, " : " arguments, ") +
                            std::to_string(e.args.size() - skip) + " given");
      return std::nullopt;
    }
    if (arguments.size() > 32) {
      diag.error(e.loc, "function '" + f.name.name + "' calls itself",
                 "functions are expanded in place and cannot be recursive");
      return std::nullopt;
    }
    std::map<std::string, Val> scope;
    for (size_t i = skip; i < e.args.size(); ++i) {
      if (e.argNames[i]) {
        diag.error(e.argNames[i].loc, "arguments of a function are given by "
                                      "position, not by name");
        return std::nullopt;
      }
      const Decl &d = f.params[i - skip];
      Result a;
      if (d.type.unit) {
        std::optional<Unit> u = evalUnitExpr(*d.type.unit, diag);
        if (!u)
          return std::nullopt;
        a = evalAs(*e.args[i], u->dim, "argument '" + d.name.name + "'");
      } else {
        a = eval(*e.args[i]);
      }
      if (!a)
        return std::nullopt;
      scope.emplace(d.name.name, *a);
    }
    arguments.push_back(std::move(scope));
    open.push_back(isOpen);
    Result r;
    unsigned before = diag.errors();
    if (f.result.unit) {
      if (std::optional<Unit> u = evalUnitExpr(*f.result.unit, diag))
        r = evalAs(*f.body, u->dim, "the value of '" + f.name.name + "'");
    } else {
      r = eval(*f.body);
    }
    arguments.pop_back();
    open.pop_back();
    if (!r && diag.errors() != before && arguments.empty())
      diag.note(e.loc, "in the expansion of '" + f.name.name + "' here");
    return r;
  }

  Domain &domain;
  Diag &diag;
  const FunctionMap &functions;
  std::vector<std::map<std::string, Val>> arguments;
  std::vector<bool> open; ///< of each: a function of the model itself
  std::vector<std::unique_ptr<FunctionDecl>> made; ///< derivatives
  unsigned depth = 0;
};

} // namespace neuroc::lang
#endif // NEUROC_LIB_FRONTEND_LANG_EXPREVAL_H
