// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Emits projections between the nodes of a network, and the learning rules on
// their weights.
#include "CodeEmitter.h"

namespace neuroc::lang {

using namespace mlir;

//===----------------------------------------------------------------------===//
// Projections
//===----------------------------------------------------------------------===//

void Elaborator::emitTransmit(NetworkInfo &net, neuro::ProjectOp op,
                              const Expr &e, const WeightInfo &w,
                              const Signal &from, Dim &result) {
  Location l = diag.location(e.loc);
  Block &block = op.getTransmit().emplaceBlock();
  Value weight = block.addArgument(b.getF64Type(), l);
  Value x = block.addArgument(b.getF64Type(), l);
  OpBuilder::InsertionGuard saved(b);
  b.setInsertionPointToStart(&block);
  ScalarDomain domain(b, diag);
  ExprEval<ScalarDomain> ev(domain, diag, functions);
  domain.unitIndex = false;
  domain.noRandom = "what a synapse transmits cannot be random";
  domain.lookup = [&](const Expr &name) -> std::optional<ScalarResult> {
    if (name.name == "w")
      return ScalarResult(ScalarTyped{Scalar{weight, {}, false}, w.dim});
    if (name.name == "x")
      return ScalarResult(ScalarTyped{Scalar{x, {}, false}, from.dim});
    const ConstTyped *known = net.constants.lookup(name.name);
    if (!known || !known->p.isNumber())
      return std::nullopt;
    ScalarTyped v{Scalar{{}, known->p.number(), false}, known->dim};
    return ScalarResult(v);
  };
  domain.visible = [] { return std::vector<std::string>{"w", "x"}; };
  domain.evaluate = [&](const Expr &arg) { return ev.eval(arg); };
  ScalarResult r = ev.eval(e);
  if (r && r->boolean) {
    diag.error(e.loc, "'transmit' must be a number");
    r.reset();
  }
  Value v = r ? domain.materialize(r->p, e.loc) : weight;
  if (r)
    result = r->dim;
  neuro::YieldOp::create(b, l, v);
}

void Elaborator::emitConnect(NetworkInfo &net, const Item &it) {
  // Target: population and port.
  const Expr &base = it.to->kind == Expr::Member ? *it.to->args[0] : *it.to;
  auto found = base.kind == Expr::Name ? net.nodes.find(base.name)
                                       : net.nodes.end();
  if (found == net.nodes.end() && isInstance(net, base))
    return;
  if (found == net.nodes.end()) {
    if (!net.declared.count(base.name))
      diag.unknown(base.loc, "population", base.name, nodeNames(net));
    return;
  }
  Node &target = found->second;
  if (target.kind != "population") {
    diag.error(it.to->loc, "'" + base.name + "' is a " + target.kind +
                               " and has no inputs");
    return;
  }
  std::vector<std::string> ports = target.model->names(SymbolKind::Input);
  std::string port = it.to->kind == Expr::Member ? it.to->name : "";
  if (port.empty() && ports.size() == 1)
    port = ports[0];
  if (port.empty()) {
    std::string list;
    for (const std::string &p : ports)
      list += (list.empty() ? "" : ", ") + base.name + "." + p;
    diag.error(it.to->loc,
               ports.empty() ? "'" + base.name + "' has no inputs"
                             : "which input of '" + base.name + "'?",
               list.empty() ? "" : "write one of " + list);
    return;
  }
  if (!llvm::is_contained(ports, port)) {
    diag.unknown(it.to->loc, "input of '" + base.name + "'", port, ports);
    return;
  }
  const Symbol &input = target.model->symbols[port];
  Node *sourceNode = nullptr;
  const Signal *from = resolveSignal(net, *it.from, &sourceNode);
  if (!from)
    return;

  // The weight: named before, or made here.
  WeightInfo *w = nullptr;
  const Expr *weightExpr = nullptr;
  std::string weightName;
  if (it.connector) {
    const Clause *value = it.clause("weight");
    if (!value) {
      diag.error(it.loc, "a connection needs a weight",
                 "add 'weight 1" +
                     (input.dim.isNone() ? "" : " " + input.dim.str()) + "'");
      return;
    }
    weightExpr = value->value.get();
    if (const Clause *as = it.clause("as")) {
      weightName = as->value->name;
      if (!declareName(net, {weightName, as->value->loc}))
        return;
    } else {
      const Expr *of = it.from.get();
      if (of->kind == Expr::Call) // delayed(…)
        of = of->args[0].get();
      const Expr &source = of->kind == Expr::Member ? *of->args[0] : *of;
      weightName = source.name + "_to_" + base.name + "_" + port;
      std::string stem = weightName;
      for (int k = 2; net.declared.count(weightName); ++k)
        weightName = stem + "_" + std::to_string(k);
      net.declared[weightName] = it.loc;
    }
    w = emitWeight(net, it, weightName, sourceNode->shape, target.shape,
                   *weightExpr);
    if (!w)
      return;
  } else {
    weightName = it.name.name;
    auto known = net.weights.find(weightName);
    if (known == net.weights.end()) {
      if (!net.declared.count(weightName)) {
        std::vector<std::string> names;
        for (const auto &entry : net.weights)
          names.push_back(entry.first);
        diag.unknown(it.name.loc, "weight", weightName, names);
      }
      return;
    }
    w = &known->second;
    const auto &preSide = it.transposed ? w->post : w->pre;
    const auto &postSide = it.transposed ? w->pre : w->post;
    auto count = [](const std::vector<int64_t> &s) {
      int64_t n = 1;
      for (int64_t d : s)
        n *= d;
      return n;
    };
    if (count(preSide) != sourceNode->units() ||
        count(postSide) != target.units()) {
      diag.error(it.name.loc,
                 "weight '" + weightName + "'" +
                     (it.transposed ? " transposed" : "") + " leads from " +
                     std::to_string(count(preSide)) + " to " +
                     std::to_string(count(postSide)) +
                     " units, but this connection from " +
                     std::to_string(sourceNode->units()) + " to " +
                     std::to_string(target.units()),
                 !it.transposed && count(preSide) == target.units() &&
                         count(postSide) == sourceNode->units()
                     ? "write 'through transposed " + weightName + "'"
                     : "");
      return;
    }
  }

  // Delay: by default a spike takes one tick, a value arrives in this one.
  int64_t delay = from->spike ? 1 : 0;
  Attribute delays;
  if (const Clause *c = it.clause("delay")) {
    Dim time = Dim::time();
    ConstResult d = evalConst(*c->value, &net.constants, &time, "'delay'");
    if (!d)
      return;
    if (d->p.isNumber()) {
      auto n = ticks(net, *c->value, &net.constants, "'delay'", false);
      if (!n)
        return;
      delay = *n;
    } else {
      delays = valueAttr(*d, false);
      delay = 0;
    }
  }
  neuro::Combine combine = neuro::Combine::Sum;
  if (auto k = neuro::symbolizeCombine(input.decl ? input.decl->combine : ""))
    combine = *k;
  if (const Clause *c = it.clause("combine")) {
    if (auto k = neuro::symbolizeCombine(c->value->name))
      combine = *k;
    else
      diag.unknown(c->value->loc, "combine operator", c->value->name,
                   {"sum", "max", "min", "product"});
  }
  auto op = neuro::ProjectOp::create(
      b, diag.location(it.loc), signalType(target.shape, false), from->value,
      weightName, it.transposed, delay, delays, combine);
  Dim arriving = w->dim * from->dim;
  bool anyUnit = w->anyUnit;
  if (const Clause *c = it.clause("transmit")) {
    emitTransmit(net, op, *c->value, *w, *from, arriving);
    anyUnit = false;
  }
  if (!anyUnit && arriving != input.dim) {
    Dim want = input.dim / from->dim;
    SMLoc at = weightExpr ? weightExpr->loc : it.name.loc;
    std::string what = weightExpr ? quote(*weightExpr) : "'" + weightName + "'";
    if (it.clause("transmit"))
      diag.error(at, "input '" + base.name + "." + port + "'" +
                         isIn(input.dim) + ", but what is transmitted" +
                         isIn(arriving));
    else
      diag.error(at,
                 "a weight from " + quote(*it.from) + " to '" + base.name +
                     "." + port + "'" + mustBeIn(want) + ", but " +
                     what + isIn(w->dim),
                 weightExpr ? fixUnit(*weightExpr, w->dim, want) : "");
  }
  target.inputs.push_back({port, op.getOutput()});
  if (!it.transposed && !w->preSignal) {
    w->preSignal = from->value;
    w->preDim = from->dim;
    w->delay = delay;
    // The post side's signal: its spikes, or its only output.
    for (const Signal &s : target.outputs)
      if (target.outputs.size() == 1 || s.name == "spike") {
        w->postSignal = s.value;
        w->postDim = s.dim;
      }
  }
}

void Elaborator::emitPlasticity(NetworkInfo &net, const Item &it) {
  std::string weightName = refKey(*it.to);
  auto known = net.weights.find(weightName);
  if (known == net.weights.end()) {
    if (it.to->kind == Expr::Name && isInstance(net, *it.to))
      return;
    if (!net.declared.count(weightName) || net.nodes.count(weightName)) {
      std::vector<std::string> names;
      for (const auto &entry : net.weights)
        names.push_back(entry.first);
      diag.unknown(it.to->loc, "weight", weightName, names);
    }
    return;
  }
  WeightInfo &w = known->second;
  auto found = rules.find(it.type.name);
  if (found == rules.end())
    return; // reported
  Checked &c = *checkRule(*found->second.first);
  if (!c.ok)
    return;
  Value pre = w.preSignal, post = w.postSignal;
  Dim preDim = w.preDim, postDim = w.postDim;
  int64_t delay = w.delay;
  if (const Clause *clause = it.clause("pre"))
    if (const Signal *s = resolveSignal(net, *clause->value)) {
      pre = s->value;
      preDim = s->dim;
    }
  if (const Clause *clause = it.clause("post"))
    if (const Signal *s = resolveSignal(net, *clause->value)) {
      post = s->value;
      postDim = s->dim;
    }
  if (const Clause *clause = it.clause("delay"))
    delay = ticks(net, *clause->value, &net.constants, "'delay'", false)
                .value_or(0);
  if (!pre || !post) {
    if (!diag.failed())
      diag.error(it.loc, "it is not clear which signals '" + it.name.name +
                             "' learns from",
                 "add 'pre SIGNAL' and 'post SIGNAL'");
    return;
  }
  const Symbol *weightSymbol = nullptr, *preSymbol = nullptr,
               *postSymbol = nullptr;
  for (const auto &[name, s] : c.symbols) {
    if (s.kind == SymbolKind::Weight)
      weightSymbol = &s;
    if (s.kind == SymbolKind::Pre)
      preSymbol = &s;
    if (s.kind == SymbolKind::Post)
      postSymbol = &s;
  }
  auto agree = [&](llvm::StringRef what, Dim rule, Dim here) {
    if (rule != here)
      diag.error(it.type.loc, "for rule '" + it.type.name + "' " + what +
                                  mustBeIn(rule) + ", but here it" +
                                  isIn(here));
  };
  if (weightSymbol->dim.e[4] == 0 && !w.anyUnit)
    agree("the weight", weightSymbol->dim, w.dim);
  agree("the pre-synaptic signal", preSymbol->dim, preDim);
  agree("the post-synaptic signal", postSymbol->dim, postDim);
  NamedAttrList params;
  std::map<std::string, Value> factors;
  ConstEnv env, given;
  env.outer = &net.constants;
  std::map<std::string, Ident> functions;
  for (const ItemPtr &bind : it.body) {
    const std::string &name = bind->name.name;
    if (bind->keyword == "let") {
      if (ConstResult r = evalConst(*bind->value, &env))
        env.insert({name, *r});
      continue;
    }
    if (c.functions.count(name)) {
      bindFunction(c, *bind, "rule '" + it.type.name + "'", functions);
      continue;
    }
    auto s = c.symbols.find(name);
    if (s != c.symbols.end() && s->second.kind == SymbolKind::Factor) {
      const Signal *signal = resolveSignal(net, *bind->value);
      if (!signal)
        return; // reported
      if (signal->dim != s->second.dim)
        diag.error(bind->value->loc,
                   "third factor '" + name + "'" +
                       mustBeIn(s->second.dim) + ", but " + quote(*bind->value) +
                       isIn(signal->dim));
      factors[name] = signal->value;
      continue;
    }
    if (s == c.symbols.end() || s->second.kind != SymbolKind::Param) {
      std::vector<std::string> names = c.names(SymbolKind::Param);
      for (const std::string &f : c.names(SymbolKind::Factor))
        names.push_back(f);
      for (const auto &f : c.functions)
        names.push_back(f.first);
      diag.unknown(bind->name.loc, "parameter of rule '" + it.type.name + "'",
                   name, names);
      continue;
    }
    Dim want = s->second.dim.withWeight(w.dim);
    if (auto v = evalNumber(*bind->value, &env, want, "'" + name + "'")) {
      checkRange(c, s->second, ConstTyped{ConstValue::of(*v), want},
                 bind->value->loc);
      given.insert({name, ConstTyped{ConstValue::of(*v), want}});
    }
  }
  // Parameters whose defaults follow from others change with them.
  ConstEnv defaults = parameterValues(c, {}, false);
  for (auto &[name, v] : given) // in the rule's own terms: unit(w)
    v.dim = c.symbols[name].dim;
  ConstEnv values = parameterValues(c, given, false);
  // Initial values of synapses are the rule's: a variant of it has others.
  for (const Decl &d : c.rule->states) {
    auto v = values.find(d.name.name), old = defaults.find(d.name.name);
    if (v != values.end() && old != defaults.end() &&
        v->second.p.data != old->second.p.data)
      for (const auto &g : given)
        c.structural.insert(g.first);
  }
  for (const Decl &d : c.rule->params) {
    auto v = values.find(d.name.name), old = defaults.find(d.name.name);
    const Symbol &s = c.symbols[d.name.name];
    if (v != values.end() && v->second.p.isNumber() &&
        (given.count(d.name.name) ||
         (old != defaults.end() && v->second.p.data != old->second.p.data)))
      params.append(s.irName, valueAttr(v->second, s.hertz));
  }
  SmallVector<Value> factorValues;
  SmallVector<Attribute> factorNames;
  for (const Decl &d : c.rule->signals) {
    auto f = factors.find(d.name.name);
    if (f == factors.end()) {
      diag.error(it.loc, "third factor '" + d.name.name + "' of rule '" +
                             it.type.name + "' is not connected",
                 "bind it: '{ " + d.name.name + " = SIGNAL }'");
      return;
    }
    factorValues.push_back(f->second);
    factorNames.push_back(b.getStringAttr(d.name.name));
  }
  bool batchSum = false;
  if (const Clause *clause = it.clause("batch")) {
    batchSum = clause->value->name == "sum";
    if (!batchSum && clause->value->name != "mean")
      diag.unknown(clause->value->loc, "way of joining a batch",
                   clause->value->name, {"sum", "mean"});
  }
  Checked &own = *variant(c, functions, given, it.name.loc);
  neuro::PlasticOp::create(
      b, diag.location(it.name.loc), it.name.name, weightName,
      own.irName.empty() ? it.type.name : own.irName,
      pre, post, factorValues,
      factorNames.empty() ? ArrayAttr() : b.getArrayAttr(factorNames), delay,
      params.empty() ? DictionaryAttr() : params.getDictionary(b.getContext()),
      it.clause("disabled") != nullptr, batchSum);
  net.plastics.insert(it.name.name);
}

} // namespace neuroc::lang
