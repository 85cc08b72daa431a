// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The parts of expression checking that do not depend on the domain: texts of
// messages, and the units of declarations.
#include "ExprEval.h"

namespace neuroc::lang {

std::string quote(const Expr &e) {
  std::string text = e.text().str();
  for (char &c : text)
    if (c == '\n' || c == '\t' || c == '\r')
      c = ' ';
  if (text.size() > 48)
    text = text.substr(0, 45) + "...";
  return "'" + text + "'";
}

std::string fixUnit(const Expr &e, const Dim &have, const Dim &want) {
  bool bare = e.kind == Expr::Number ||
              (e.kind == Expr::Unary && e.args[0]->kind == Expr::Number);
  if (bare && have.isNone())
    return "write '" + e.text().str() +
           (want.str().find_first_of("/*1") == std::string::npos
                ? " " + want.str()
                : " * (" + want.str() + ")") +
           "'";
  Dim factor = want / have;
  if (factor.isNone())
    return "";
  std::string text = factor.str();
  if (text.rfind("1/", 0) == 0)
    return "divide it by a quantity in " + (have / want).str();
  return "multiply it by a quantity in " + text;
}

std::string isIn(const Dim &dim) {
  return dim.isNone() ? " has no unit" : " is in " + dim.str();
}
std::string mustBeIn(const Dim &dim) {
  return dim.isNone() ? " must be a pure number" : " must be in " + dim.str();
}

bool speltInHertz(const Expr &e) {
  if (e.kind == Expr::Quantity || e.kind == Expr::Name)
    if (std::optional<Unit> u = lookupUnit(e.name))
      return u->hertz;
  return llvm::any_of(e.args, [](const ExprPtr &a) { return speltInHertz(*a); });
}

const std::vector<std::string> &mathFunctions() {
  static const std::vector<std::string> names = {
      "exp",  "expm1", "log",  "log1p", "sqrt",      "tanh", "sin",
      "cos",  "abs",   "floor", "ceil", "round",     "sign", "relu",
      "sigmoid", "heaviside", "min", "max", "clip",  "mod",  "pow"};
  return names;
}

std::optional<Unit> evalUnitExpr(const Expr &e, Diag &diag) {
  switch (e.kind) {
  case Expr::Number:
    if (e.number == 1)
      return Unit{};
    break;
  case Expr::Quantity:
    if (e.number == 1)
      if (std::optional<Unit> u = lookupUnit(e.name))
        if (std::optional<Dim> d = u->dim.pow(e.exponent))
          return Unit{*d, std::pow(u->scale, e.exponent),
                      u->hertz && e.exponent == 1};
    break;
  case Expr::Name:
    if (std::optional<Unit> u = lookupUnit(e.name))
      return u;
    diag.unknown(e.loc, "unit", e.name,
                 nearest(e.name, unitNames()).empty() ? commonUnits()
                                                      : unitNames());
    return std::nullopt;
  case Expr::Call:
    if (e.name == "unit" && e.args.size() == 1 &&
        e.args[0]->kind == Expr::Name && e.args[0]->name == "w")
      return Unit{Dim::weight(), 1, false};
    break;
  case Expr::Binary: {
    std::optional<Unit> a = evalUnitExpr(*e.args[0], diag);
    if (!a)
      return a;
    if (e.name == "^" && e.args[1]->kind == Expr::Number &&
        e.args[1]->number == std::floor(e.args[1]->number) &&
        e.args[1]->number <= 10)
      if (std::optional<Dim> d = a->dim.pow(static_cast<int>(e.args[1]->number)))
        return Unit{*d, std::pow(a->scale, e.args[1]->number), false};
    if (e.name != "*" && e.name != "/")
      break;
    std::optional<Unit> b = evalUnitExpr(*e.args[1], diag);
    if (!b)
      return b;
    if (e.name == "*")
      return Unit{a->dim * b->dim, a->scale * b->scale, false};
    return Unit{a->dim / b->dim, a->scale / b->scale, false};
  }
  default:
    break;
  }
  diag.error(e.loc, "expected a unit such as mV, nA/ms or 1, found " + quote(e));
  return std::nullopt;
}

} // namespace neuroc::lang
