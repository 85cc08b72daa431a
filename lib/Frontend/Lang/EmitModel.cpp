// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Emits a model or a rule: declarations with values in the fixed units of the
// IR, then one region per stage, trace or handler.
#include "CodeEmitter.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

namespace neuroc::lang {

using namespace mlir;

/// The unit that a value is stored in, for the `unit` attribute.
static StringAttr unitAttr(OpBuilder &b, const Symbol &s) {
  if (s.hertz)
    return b.getStringAttr("Hz");
  return s.dim.isNone() ? StringAttr() : b.getStringAttr(s.dim.str());
}

DenseF64ArrayAttr Elaborator::rangeAttr(const Checked &c, const ExprPtr &lo,
                                        const ExprPtr &hi, const Symbol &s) {
  if (!lo || !hi)
    return {};
  ConstEnv env = parameterValues(c, {}, false);
  auto low = evalNumber(*lo, &env, s.dim, "the lower bound");
  auto high = evalNumber(*hi, &env, s.dim, "the upper bound");
  if (!low || !high)
    return {};
  if (!(*low < *high)) {
    diag.error(lo->loc, "a range needs low < high, got [" + formatNumber(*low) +
                            ", " + formatNumber(*high) + "]");
    return {};
  }
  double f = storageFactor(s.hertz);
  return b.getDenseF64ArrayAttr({*low * f, *high * f});
}

/// Emits `neuro.param` and `neuro.state` of the declarations.
static double stored(const ConstEnv &env, const std::string &name,
                     const Symbol &s) {
  auto it = env.find(name);
  if (it == env.end() || !it->second.p.isNumber())
    return 0;
  return it->second.p.number() * storageFactor(s.hertz);
}

void Elaborator::emitModel(Checked &c) {
  const ModelDecl &m = *c.model;
  OpBuilder::InsertionGuard saved(b);
  b.setInsertionPointToEnd(module.getBody());
  auto op = neuro::ModelOp::create(
      b, diag.location(m.name.loc), c.irName.empty() ? m.name.name : c.irName);
  Block &body = op.getBody().emplaceBlock();
  b.setInsertionPointToStart(&body);
  ConstEnv env = parameterValues(c, {}, /*report=*/true);
  for (const Decl &d : m.params) {
    const Symbol &s = c.symbols[d.name.name];
    if (auto it = env.find(d.name.name);
        it != env.end() && !it->second.p.isNumber())
      diag.error(d.init->loc, "the default of a parameter is one number",
                 "bind arrays and distributions in a population");
    neuro::ParamOp::create(b, diag.location(d.name.loc), s.irName,
                           llvm::APFloat(stored(env, d.name.name, s)),
                           unitAttr(b, s));
    (void)rangeAttr(c, d.lo, d.hi, s);
  }
  for (const Decl &d : m.states) {
    const Symbol &s = c.symbols[d.name.name];
    if (auto it = env.find(d.name.name);
        it != env.end() && !it->second.p.isNumber())
      diag.error(d.init->loc, "the default initial value is one number",
                 "bind arrays and distributions in a population");
    DenseF64ArrayAttr range = rangeAttr(c, d.lo, d.hi, s);
    double init = stored(env, d.name.name, s);
    if (range && (init < range[0] || init > range[1]))
      diag.error(d.name.loc, "initial value " + formatNumber(init) +
                                 " of '" + d.name.name +
                                 "' is outside of its range [" +
                                 formatNumber(range[0]) + ", " +
                                 formatNumber(range[1]) + "]");
    else
      neuro::StateOp::create(b, diag.location(d.name.loc), s.irName,
                             llvm::APFloat(init), range, unitAttr(b, s));
  }
  // One hidden counter per stage that is refractory.
  std::vector<std::string> counters(m.stages.size());
  for (size_t i = 0; i < m.stages.size(); ++i)
    for (const StmtPtr &s : m.stages[i].body)
      if (s->kind == Stmt::Refractory && counters[i].empty()) {
        std::string name = "refractory_ticks";
        for (int k = 2; c.symbols.count(name); ++k)
          name = "refractory_ticks_" + std::to_string(k);
        Symbol hidden{SymbolKind::State, Dim()};
        hidden.irName = name;
        c.symbols.insert({name, hidden});
        counters[i] = name;
        neuro::StateOp::create(b, diag.location(s->loc), name,
                               llvm::APFloat(0.0),
                               b.getDenseF64ArrayAttr({0, 32767}),
                               StringAttr());
      }
  for (const Decl &d : m.inputs) {
    const Symbol &s = c.symbols[d.name.name];
    neuro::Combine combine = neuro::Combine::Sum;
    if (auto k = neuro::symbolizeCombine(d.combine))
      combine = *k;
    double init = 0;
    if (d.init) {
      if (auto v = evalNumber(*d.init, &env, s.dim,
                              "the default of '" + d.name.name + "'"))
        init = *v * storageFactor(s.hertz);
    } else if (combine == neuro::Combine::Product) {
      init = 1;
    }
    neuro::InputOp::create(b, diag.location(d.name.loc), s.irName, combine,
                           llvm::APFloat(init),
                           rangeAttr(c, d.lo, d.hi, s), unitAttr(b, s));
  }
  for (const Decl &d : m.outputs) {
    const Symbol &s = c.symbols[d.name.name];
    Type type = s.spike ? Type(b.getI1Type()) : Type(b.getF64Type());
    neuro::OutputOp::create(b, diag.location(d.name.loc), s.irName,
                            type, rangeAttr(c, d.lo, d.hi, s),
                            s.spike ? StringAttr() : unitAttr(b, s));
  }
  if (m.stages.empty())
    diag.error(m.name.loc, "model '" + m.name.name + "' does nothing",
               "add equations, assignments or a stage");
  std::set<std::string> emitted, stageNames;
  for (size_t i = 0; i < m.stages.size(); ++i) {
    const Stage &st = m.stages[i];
    std::string name = st.name ? st.name.name : "update";
    for (int k = 2; !st.name && (stageNames.count(name) ||
                                 c.symbols.count(name)); ++k)
      name = "update_" + std::to_string(k);
    if (!stageNames.insert(name).second || c.symbols.count(name)) {
      diag.error(st.name.loc, "'" + name + "' is declared twice");
      continue;
    }
    auto stage = neuro::StageOp::create(b, diag.location(st.loc), name);
    Block &block = stage.getBody().emplaceBlock();
    OpBuilder::InsertionGuard inner(b);
    b.setInsertionPointToStart(&block);
    CodeEmitter code(*this, c, "stage '" + name + "'");
    code.emitted = &emitted;
    code.refractoryState = counters[i];
    code.scalarDomain().collectives = ScalarDomain::Collectives::Units;
    code.emit(st.body);
  }
  for (const std::string &out : c.outputs)
    if (!emitted.count(out) && !diag.failed())
      diag.error(c.symbols[out].loc, "output '" + out + "' is never emitted",
                 c.symbols[out].spike
                     ? "write 'spike when …' or 'emit " + out + " when …'"
                     : "write 'emit " + out + " = …'");
}

//===----------------------------------------------------------------------===//
// Rules
//===----------------------------------------------------------------------===//

void Elaborator::emitRule(Checked &c) {
  const RuleDecl &r = *c.rule;
  OpBuilder::InsertionGuard saved(b);
  b.setInsertionPointToEnd(module.getBody());
  auto op = neuro::RuleOp::create(
      b, diag.location(r.name.loc), c.irName.empty() ? r.name.name : c.irName);
  Block &body = op.getBody().emplaceBlock();
  b.setInsertionPointToStart(&body);
  ConstEnv env = parameterValues(c, c.fixed, /*report=*/true);
  for (const Decl &d : r.params) {
    const Symbol &s = c.symbols[d.name.name];
    neuro::ParamOp::create(b, diag.location(d.name.loc), s.irName,
                           llvm::APFloat(stored(env, d.name.name, s)),
                           unitAttr(b, s));
  }
  for (const Decl &d : r.states) {
    const Symbol &s = c.symbols[d.name.name];
    neuro::StateOp::create(b, diag.location(d.name.loc), s.irName,
                           llvm::APFloat(stored(env, d.name.name, s)),
                           rangeAttr(c, d.lo, d.hi, s), unitAttr(b, s));
  }
  for (size_t i = 0; i < r.signals.size(); ++i) {
    const Decl &d = r.signals[i];
    const Symbol &s = c.symbols[d.name.name];
    neuro::FactorOp::create(b, diag.location(d.name.loc), s.irName,
                            *neuro::symbolizeSide(r.signalSides[i]),
                            rangeAttr(c, d.lo, d.hi, s));
  }
  for (const TraceDecl &t : r.traces) {
    Symbol &s = c.symbols[t.name.name];
    Location l = diag.location(t.name.loc);
    auto trace = neuro::TraceOp::create(
        b, l, s.irName, *neuro::symbolizeSide(t.side), llvm::APFloat(0.0),
        DenseF64ArrayAttr());
    auto only = [name = t.name.name](const Symbol &x) {
      return x.kind == SymbolKind::Trace && x.irName == name;
    };
    OpBuilder::InsertionGuard inner(b);
    // The tick region: dx/dt = -x/tau.
    b.setInsertionPointToStart(&trace.getTick().emplaceBlock());
    CodeEmitter tick(*this, c, "trace '" + t.name.name + "'");
    tick.assignable = only;
    if (t.tau) {
      auto diff = neuro::DiffOp::create(b, l, s.irName, Value(),
                                        neuro::Method::Auto);
      OpBuilder::InsertionGuard region(b);
      b.setInsertionPointToStart(&diff.getBody().emplaceBlock());
      ScalarResult tau = tick.evalAs(*t.tau, Dim::time(),
                                     "the time constant of a trace");
      if (!tau)
        continue;
      Value x = tick.get(s, t.name.loc);
      Value n = arith::NegFOp::create(b, l, x);
      neuro::YieldOp::create(
          b, l, arith::DivFOp::create(b, l, n, tick.value(*tau, t.tau->loc)));
    } else {
      tick.emit(t.body);
    }
    if (!t.tau && t.spike.empty())
      continue;
    b.setInsertionPointToStart(&trace.getSpike().emplaceBlock());
    CodeEmitter spike(*this, c, "trace '" + t.name.name + "'");
    spike.assignable = only;
    spike.allowEquations = false;
    if (!t.tau) {
      spike.emit(t.spike);
      continue;
    }
    ScalarTyped one{Scalar{{}, 1.0, false}, Dim()};
    ScalarResult by = t.amount ? spike.evalAs(*t.amount, Dim(),
                                              "the step of a trace")
                               : ScalarResult(one);
    if (!by)
      continue;
    Value v = spike.value(*by, t.name.loc);
    if (!t.nearest)
      v = arith::AddFOp::create(b, l, spike.get(s, t.name.loc), v);
    spike.set(s, v, t.name.loc);
  }
  std::set<std::string> events;
  if (r.handlers.empty())
    diag.error(r.name.loc, "rule '" + r.name.name + "' does nothing",
               "add 'on pre', 'on post', 'on tick' or 'on call'");
  for (const Handler &h : r.handlers) {
    if (!events.insert(h.event).second) {
      diag.error(h.loc, "'on " + h.event + "' stands twice in this rule");
      continue;
    }
    Location l = diag.location(h.loc);
    auto on = neuro::HandlerOp::create(b, l, *neuro::symbolizeEvent(h.event));
    OpBuilder::InsertionGuard inner(b);
    b.setInsertionPointToStart(&on.getBody().emplaceBlock());
    CodeEmitter code(*this, c, "'on " + h.event + "'");
    code.allowEquations = false;
    code.allowOde = h.event == "tick";
    code.scalarDomain().collectives = ScalarDomain::Collectives::Synapses;
    code.scalarDomain().unitIndex = false;
    code.emit(h.body);
    if (!r.lo || !code.assignedWeight())
      continue;
    // bounds: w = min(max(w, lo), hi)
    const Symbol *w = nullptr;
    for (const auto &[name, s] : c.symbols)
      if (s.kind == SymbolKind::Weight)
        w = &s;
    auto bound = [&](const Expr &e) {
      ScalarResult v = code.eval(e);
      if (v && !v->anyUnit && v->dim != w->dim &&
          !(w->dim.e[4] && v->dim.isNone())) {
        diag.error(e.loc, "a bound of the weight must be in " + w->dim.str() +
                              ", but " + quote(e) + isIn(v->dim));
        v.reset();
      }
      return v ? code.value(*v, e.loc) : Value();
    };
    Value lo = bound(*r.lo), hi = bound(*r.hi);
    if (!lo || !hi)
      continue;
    Value x = code.get(*w, h.loc);
    x = arith::MaximumFOp::create(b, l, x, lo);
    x = arith::MinimumFOp::create(b, l, x, hi);
    code.set(*w, x, h.loc);
  }
}

} // namespace neuroc::lang
