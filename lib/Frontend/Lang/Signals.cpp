// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Signals that a network makes by itself: `scalar NAME = EXPR`, a unit that
// emits a formula of the time and of other signals of one unit, and
// delayed(signal, time).
#include "CodeEmitter.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

namespace neuroc::lang {

using namespace mlir;

/// Replaces the signals in a formula by the names of input ports.
bool Elaborator::collectSignals(NetworkInfo &net, Node &node, ExprPtr &e) {
  const Expr *of = e.get();
  if (e->kind == Expr::Call && e->name == "delayed" && !e->args.empty())
    of = e->args[0].get();
  const Expr *base = of->kind == Expr::Member ? of->args[0].get() : of;
  bool names = base->kind == Expr::Name && net.nodes.count(base->name);
  if (!names && of != e.get()) {
    if (base->kind != Expr::Name || !net.declared.count(base->name))
      diag.unknown(base->loc, "population or stimulus", base->text(),
                   nodeNames(net));
    return false;
  }
  if (!names)
    return llvm::all_of(
        e->args, [&](ExprPtr &a) { return collectSignals(net, node, a); });
  std::string port = "s" + std::to_string(node.formulaInputs.size());
  auto name = std::make_unique<Expr>();
  name->kind = Expr::Name;
  name->name = "signal " + port;
  name->loc = e->loc;
  name->begin = e->begin;
  name->end = e->end;
  node.formulaInputs.push_back({port, std::move(e)});
  e = std::move(name);
  return true;
}

/// A model of one unit that emits the formula.
bool Elaborator::declareScalar(NetworkInfo &net, Node &node, const Item &it) {
  node.kind = "population";
  node.shape = {1};
  std::string name = "scalar " + net.decl->name.name + "." + it.name.name;
  auto &slot = variants["model " + name];
  slot = std::make_unique<Checked>();
  Checked &c = *slot;
  c.irName = name;
  auto decl = std::make_unique<ModelDecl>();
  decl->name = it.name;
  ExprPtr formula = clone(it.value);
  if (!collectSignals(net, node, formula))
    return false;
  std::vector<const Signal *> signals;
  for (const auto &[port, e] : node.formulaInputs) {
    Node *from = nullptr;
    const Expr *of = e->kind == Expr::Call ? e->args[0].get() : e.get();
    const Signal *s = declaredSignal(net, *of, &from);
    if (!s)
      return false;
    if (from->units() != 1) {
      diag.error(e->loc,
                 quote(*e) + " has " + llvm::Twine(from->units()) +
                     " units; a scalar source takes signals of one "
                     "unit",
                 "add them up in a population of one unit, by all_to_all");
      return false;
    }
    signals.push_back(s);
  }
  OpBuilder::InsertionGuard saved(b);
  b.setInsertionPointToEnd(module.getBody());
  Location l = diag.location(it.loc);
  auto model = neuro::ModelOp::create(b, l, name);
  b.setInsertionPointToStart(&model.getBody().emplaceBlock());
  for (const auto &[port, e] : node.formulaInputs)
    neuro::InputOp::create(b, l, port, neuro::Combine::Sum, llvm::APFloat(0.0),
                           DenseF64ArrayAttr(), StringAttr());
  auto output = neuro::OutputOp::create(b, l, "value", b.getF64Type(),
                                        DenseF64ArrayAttr(), StringAttr());
  auto stage = neuro::StageOp::create(b, l, "update");
  b.setInsertionPointToStart(&stage.getBody().emplaceBlock());
  ScalarDomain domain(b, diag);
  ExprEval<ScalarDomain> ev(domain, diag, functions);
  domain.unitIndex = false;
  domain.lookup = [&](const Expr &e) -> std::optional<ScalarResult> {
    if (e.name == "dt")
      return std::nullopt; // the tick of the population
    for (size_t k = 0; k < signals.size(); ++k)
      if (e.name == "signal " + node.formulaInputs[k].first) {
        Value v = neuro::GetOp::create(b, diag.location(e.loc), b.getF64Type(),
                                       node.formulaInputs[k].first);
        if (signals[k]->hertz)
          v = arith::MulFOp::create(
              b, l, v,
              arith::ConstantOp::create(b, l, b.getF64FloatAttr(1e-3)));
        return ScalarResult(ScalarTyped{Scalar{v, {}, false}, signals[k]->dim});
      }
    const ConstTyped *known = net.constants.lookup(e.name);
    if (!known) {
      auto global = globalConstant(e.name);
      if (!global)
        return std::nullopt;
      if (!*global)
        return ScalarResult();
      known = &**global;
      if (known->p.isNumber()) {
        ScalarTyped v{Scalar{{}, known->p.number(), known->boolean},
                      known->dim};
        v.boolean = known->boolean;
        v.anyUnit = known->anyUnit;
        return ScalarResult(v);
      }
    }
    if (!known->p.isNumber()) {
      diag.error(e.loc, "'" + e.name +
                            "' is an array; a scalar source has one "
                            "value");
      return ScalarResult();
    }
    ScalarTyped v{Scalar{{}, known->p.number(), known->boolean}, known->dim};
    v.boolean = known->boolean;
    v.anyUnit = known->anyUnit;
    return ScalarResult(v);
  };
  domain.lookupGlobal = [&](const Expr &e) -> std::optional<ScalarResult> {
    auto global = globalConstant(e.name);
    if (!global || !*global || !(*global)->p.isNumber())
      return std::nullopt;
    ScalarTyped v{Scalar{{}, (*global)->p.number(), false}, (*global)->dim};
    return ScalarResult(v);
  };
  domain.visible = [&] {
    std::vector<std::string> names;
    for (const ConstEnv *e = &net.constants; e; e = e->outer)
      for (const auto &entry : *e)
        names.push_back(entry.first);
    return names;
  };
  domain.evaluate = [&](const Expr &e) { return ev.eval(e); };
  ScalarResult r = ev.eval(*formula);
  if (r && r->boolean) {
    diag.error(it.value->loc,
               "a scalar source needs a number, but " + quote(*it.value) +
                   " is a condition",
               "write 'if " + it.value->text().str() + " then 1 else 0'");
    r.reset();
  }
  if (!r) {
    model.erase();
    return false;
  }
  Value v = domain.materialize(r->p, it.value->loc);
  neuro::EmitOp::create(b, l, "value", v);
  if (!r->dim.isNone())
    output.setUnit(r->dim.str());
  Symbol s{SymbolKind::Output, r->dim};
  s.irName = "value";
  c.symbols["value"] = s;
  for (const auto &[port, e] : node.formulaInputs)
    c.symbols[port] = Symbol{SymbolKind::Input, Dim()};
  c.outputs = {"value"};
  c.model = decl.get();
  madeModels.push_back(std::move(decl));
  node.model = &c;
  node.outputs.push_back({"value", {}, r->dim, false, false});
  return true;
}

/// Brings the signals of a formula to its unit: a value in the same tick, a
/// spike in the next one.
void Elaborator::connectScalar(NetworkInfo &net, Node &node, const Item &it) {
  for (const auto &[port, e] : node.formulaInputs) {
    const Signal *s = resolveSignal(net, *e);
    if (!s)
      return;
    Location l = diag.location(e->loc);
    std::string name = it.name.name + "." + port;
    for (int k = 2; !net.declared.insert({name, e->loc}).second; ++k)
      name = it.name.name + "." + port + "_" + std::to_string(k);
    llvm::ArrayRef<int64_t> one = node.shape;
    neuro::WeightOp::create(b, l, name, one, one,
                            neuro::OneToOneAttr::get(b.getContext()),
                            b.getF64FloatAttr(1), neuro::Sign::Free,
                            DenseF64ArrayAttr(), ElementsAttr());
    auto op = neuro::ProjectOp::create(
        b, l, signalType(node.shape, false), s->value, name, false,
        s->spike && e->kind != Expr::Call ? 1 : 0, Attribute(),
        neuro::Combine::Sum);
    node.inputs.push_back({port, op.getOutput()});
  }
}

/// delayed(signal, time)
const Signal *Elaborator::delayedSignal(NetworkInfo &net, const Expr &e,
                                        Node **out) {
  if (e.args.size() != 2) {
    diag.error(e.loc, "'delayed' takes a signal and a time",
               "write delayed(E.spike, 2 ms)");
    return nullptr;
  }
  const Signal *s = resolveSignal(net, *e.args[0], out);
  if (!s)
    return nullptr;
  auto n =
      ticks(net, *e.args[1], &net.constants, "the delay of 'delayed'", true);
  if (!n)
    return nullptr;
  std::string key =
      refKey(*e.args[0]) + "/" + s->name + "/" + std::to_string(*n);
  if (auto known = net.delayed.find(key); known != net.delayed.end())
    return &known->second;
  OpBuilder::InsertionGuard saved(b);
  b.setInsertionPointToEnd(&net.op.getBody().front());
  Signal d = *s;
  d.value = neuro::DelayOp::create(b, diag.location(e.loc), s->value.getType(),
                                   s->value, *n);
  return &(net.delayed[key] = d);
}

} // namespace neuroc::lang
