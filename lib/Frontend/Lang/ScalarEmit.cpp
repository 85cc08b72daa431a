// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Builds scalar IR. Every operation that it creates is in the list that all
// targets accept (dialects/neuro/README.md, "Scalar code").
#include "ScalarEmit.h"
#include "ConstEval.h"

#include "neuroc/Neuro/Neuro.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"

namespace neuroc::lang {

using namespace mlir;

Value ScalarDomain::materialize(const Scalar &s, llvm::SMLoc loc) {
  if (s.value)
    return s.value;
  Location l = diag.location(loc);
  if (s.boolean)
    return arith::ConstantOp::create(
        builder, l, builder.getBoolAttr(*s.constant != 0));
  return arith::ConstantOp::create(builder, l,
                                   builder.getF64FloatAttr(*s.constant));
}

/// Folds with the evaluator of compile-time values, so that there is one
/// definition of every operator on numbers.
static std::optional<double> foldWith(
    Diag &diag,
    llvm::function_ref<std::optional<ConstValue>(ConstDomain &)> f) {
  ConstDomain domain(diag);
  std::optional<ConstValue> v = f(domain);
  return v ? std::optional<double>(v->number()) : std::nullopt;
}

std::optional<Scalar> ScalarDomain::unary(llvm::StringRef op, Scalar a,
                                          llvm::SMLoc loc) {
  if (a.constant)
    return Scalar{{}, op == "-" ? -*a.constant : !*a.constant, a.boolean};
  Location l = diag.location(loc);
  if (op == "-")
    return Scalar{arith::NegFOp::create(builder, l, a.value), {}, false};
  Value one = arith::ConstantOp::create(builder, l, builder.getBoolAttr(true));
  return Scalar{arith::XOrIOp::create(builder, l, a.value, one), {}, true};
}

std::optional<Scalar> ScalarDomain::binary(llvm::StringRef op, Scalar a,
                                           Scalar b, llvm::SMLoc loc) {
  bool compares = llvm::is_contained({"<", "<=", ">", ">=", "==", "!="}, op);
  bool logical = op == "and" || op == "or";
  if (a.constant && b.constant) {
    auto v = foldWith(diag, [&](ConstDomain &d) {
      return d.binary(op, ConstValue::of(*a.constant),
                      ConstValue::of(*b.constant), loc);
    });
    if (!v)
      return std::nullopt;
    return Scalar{{}, *v, compares || logical};
  }
  // x*1, x/1, x+0, x-0 stay x.
  if (b.constant && ((*b.constant == 1 && (op == "*" || op == "/")) ||
                     (*b.constant == 0 && (op == "+" || op == "-"))))
    return a;
  if (a.constant && ((*a.constant == 1 && op == "*") ||
                     (*a.constant == 0 && op == "+")))
    return b;
  Location l = diag.location(loc);
  Value x = materialize(a, loc), y = materialize(b, loc);
  auto result = [](Value v, bool boolean = false) {
    return Scalar{v, {}, boolean};
  };
  if (op == "+") return result(arith::AddFOp::create(builder, l, x, y));
  if (op == "-") return result(arith::SubFOp::create(builder, l, x, y));
  if (op == "*") return result(arith::MulFOp::create(builder, l, x, y));
  if (op == "/") return result(arith::DivFOp::create(builder, l, x, y));
  if (op == "mod") return result(arith::RemFOp::create(builder, l, x, y));
  if (op == "pow") return result(math::PowFOp::create(builder, l, x, y));
  if (op == "min") return result(arith::MinimumFOp::create(builder, l, x, y));
  if (op == "max") return result(arith::MaximumFOp::create(builder, l, x, y));
  if (op == "and") return result(arith::AndIOp::create(builder, l, x, y), true);
  if (op == "or") return result(arith::OrIOp::create(builder, l, x, y), true);
  arith::CmpFPredicate p = op == "<"    ? arith::CmpFPredicate::OLT
                           : op == "<=" ? arith::CmpFPredicate::OLE
                           : op == ">"  ? arith::CmpFPredicate::OGT
                           : op == ">=" ? arith::CmpFPredicate::OGE
                           : op == "==" ? arith::CmpFPredicate::OEQ
                                        : arith::CmpFPredicate::UNE;
  return result(arith::CmpFOp::create(builder, l, p, x, y), true);
}

std::optional<Scalar> ScalarDomain::select(Scalar c, Scalar a, Scalar b,
                                           llvm::SMLoc loc) {
  if (c.constant)
    return *c.constant ? a : b;
  bool boolean = a.boolean || (a.value && a.value.getType().isInteger(1));
  Value x = materialize(a, loc), y = materialize(b, loc);
  return Scalar{arith::SelectOp::create(builder, diag.location(loc), c.value, x,
                                        y),
                {},
                boolean};
}

std::optional<Scalar> ScalarDomain::math(llvm::StringRef fn, Scalar a,
                                         llvm::SMLoc loc) {
  if (a.constant) {
    auto v = foldWith(diag, [&](ConstDomain &d) {
      return d.math(fn, ConstValue::of(*a.constant), loc);
    });
    if (!v)
      return std::nullopt;
    return Scalar{{}, *v, false};
  }
  Location l = diag.location(loc);
  Value x = a.value, r;
  if (fn == "exp") r = math::ExpOp::create(builder, l, x);
  else if (fn == "expm1") r = math::ExpM1Op::create(builder, l, x);
  else if (fn == "log") r = math::LogOp::create(builder, l, x);
  else if (fn == "log1p") r = math::Log1pOp::create(builder, l, x);
  else if (fn == "sqrt") r = math::SqrtOp::create(builder, l, x);
  else if (fn == "tanh") r = math::TanhOp::create(builder, l, x);
  else if (fn == "sin") r = math::SinOp::create(builder, l, x);
  else if (fn == "cos") r = math::CosOp::create(builder, l, x);
  else if (fn == "abs") r = math::AbsFOp::create(builder, l, x);
  else if (fn == "floor") r = math::FloorOp::create(builder, l, x);
  else if (fn == "ceil") r = math::CeilOp::create(builder, l, x);
  else r = math::RoundOp::create(builder, l, x);
  return Scalar{r, {}, false};
}

std::optional<ScalarResult> ScalarDomain::name(const Expr &e) {
  if (lookup)
    if (auto known = lookup(e))
      return known;
  Location l = diag.location(e.loc);
  auto value = [&](Value v, Dim dim) {
    return ScalarResult(Val{Scalar{v, {}, false}, dim});
  };
  if (e.name == "t")
    return value(neuro::TimeOp::create(builder, l, builder.getF64Type()),
                 Dim::time());
  if (e.name == "dt")
    return value(neuro::DtOp::create(builder, l, builder.getF64Type()),
                 Dim::time());
  if (e.name == "i" && unitIndex)
    return value(neuro::IndexOp::create(builder, l, builder.getF64Type()),
                 Dim());
  return std::nullopt;
}

/// uniform(), uniform(lo, hi), normal(), normal(mean, sd): a draw per tick.
std::optional<ScalarResult> ScalarDomain::special(const Expr &e) {
  if (e.kind != Expr::Call)
    return std::nullopt;
  if (auto r = collective(e))
    return r;
  if (e.name != "uniform" && e.name != "normal") {
    if (llvm::is_contained(constFunctions(), e.name)) {
      diag.error(e.loc, "'" + e.name + "' works on arrays; stage code handles "
                        "one unit at a time",
                 "compute the value in the network and bind a parameter to it");
      return ScalarResult();
    }
    return std::nullopt;
  }
  if (!noRandom.empty()) {
    diag.error(e.loc, noRandom);
    return ScalarResult();
  }
  bool uniform = e.name == "uniform";
  if (e.args.size() != 0 && e.args.size() != 2) {
    diag.error(e.loc, "'" + e.name + "' takes no arguments or two",
               uniform ? "write uniform(low, high)"
                       : "write normal(mean, standard deviation)");
    return ScalarResult();
  }
  Scalar draw{neuro::RandomOp::create(builder, diag.location(e.loc),
                                      builder.getF64Type(),
                                      uniform ? neuro::RandomKind::Uniform
                                              : neuro::RandomKind::Normal),
              {},
              false};
  if (e.args.empty())
    return ScalarResult(Val{draw, Dim()});
  ScalarResult a = evaluate(*e.args[0]);
  ScalarResult b = evaluate(*e.args[1]);
  if (!a || !b)
    return ScalarResult();
  if (a->anyUnit)
    a->dim = b->dim;
  else if (b->anyUnit)
    b->dim = a->dim;
  if (a->dim != b->dim || a->boolean || b->boolean) {
    diag.error(e.loc,
               "'" + e.name + "' needs equal units: " + quote(*e.args[0]) +
                   isIn(a->dim) + ", " + quote(*e.args[1]) +
                   isIn(b->dim),
               fixUnit(*e.args[1], b->dim, a->dim));
    return ScalarResult();
  }
  std::optional<Scalar> span =
      uniform ? binary("-", b->p, a->p, e.loc) : std::optional<Scalar>(b->p);
  std::optional<Scalar> scaled =
      span ? binary("*", *span, draw, e.loc) : std::nullopt;
  std::optional<Scalar> r =
      scaled ? binary("+", a->p, *scaled, e.loc) : std::nullopt;
  if (!r)
    return ScalarResult();
  return ScalarResult(Val{*r, a->dim});
}

std::vector<std::string> ScalarDomain::calls() {
  std::vector<std::string> n;
  if (collectives != Collectives::None)
    for (const std::string &name : collectiveNames())
      if ((name.rfind("group_", 0) == 0) ==
          (collectives == Collectives::Units))
        n.push_back(name);
  return n;
}

std::vector<std::string> ScalarDomain::names() {
  std::vector<std::string> n;
  if (visible)
    n = visible();
  for (const char *builtin : {"t", "dt", "uniform", "normal", "pi"})
    n.push_back(builtin);
  return n;
}

} // namespace neuroc::lang
