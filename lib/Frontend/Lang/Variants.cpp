// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Variants of models and rules: with other functions in the place of their own
// (`{ phi = relu }`), or with another value of a parameter on which their code
// depends (the k of group_kth_largest). Also the sources and signals that a
// network makes by itself: `scalar`, `delayed`.
#include "CodeEmitter.h"

namespace neuroc::lang {

using namespace mlir;

bool Elaborator::bindFunction(const Checked &c, const Item &bind,
                              const std::string &what,
                              std::map<std::string, Ident> &functions) {
  const std::string &name = bind.name.name;
  if (bind.value->kind != Expr::Name) {
    diag.error(bind.value->loc, "'" + name + "' of " + what +
                                    " is a function; give the name of one",
               "write { " + name + " = relu }");
    return false;
  }
  if (functions.count(name)) {
    diag.error(bind.name.loc, "'" + name + "' is given twice");
    return false;
  }
  const std::string &target = bind.value->name;
  std::unique_ptr<FunctionDecl> builtin;
  const FunctionDecl *f = nullptr;
  if (auto it = this->functions.find(target); it != this->functions.end())
    f = it->second;
  else if ((builtin = builtinFunction(target)))
    f = builtin.get();
  if (!f) {
    std::vector<std::string> known = mathFunctions();
    for (const auto &entry : this->functions)
      known.push_back(entry.first().str());
    diag.unknown(bind.value->loc, "function", target, known);
    return false;
  }
  size_t want = c.functions.find(name)->second->params.size();
  if (f->params.size() != want) {
    diag.error(bind.value->loc, "'" + name + "' of " + what + " takes " +
                                    llvm::Twine(want) + " argument(s), but '" +
                                    target + "' takes " +
                                    llvm::Twine(f->params.size()));
    return false;
  }
  functions[name] = {target, bind.value->loc};
  return true;
}

Checked *Elaborator::variant(Checked &c,
                             const std::map<std::string, Ident> &functions,
                             const ConstEnv &given, SMLoc loc) {
  // What differs from the declaration, as a key.
  std::string key;
  for (const auto &[name, target] : functions)
    key += (key.empty() ? "" : ", ") + name + "=" + target.name;
  ConstEnv fixed;
  for (const std::string &name : c.structural) {
    auto v = given.find(name);
    if (v == given.end())
      continue;
    if (!v->second.p.isNumber()) {
      diag.error(loc, "the code of '" + c.model->name.name +
                          "' depends on parameter '" + name +
                          "', which must be one number for all units");
      return &c;
    }
    fixed.insert(*v);
    key += (key.empty() ? "" : ", ") + name + "=" +
           formatNumber(v->second.p.number());
  }
  if (key.empty())
    return &c;
  std::string base = c.model ? c.model->name.name : c.rule->name.name;
  std::string name = base + "(" + key + ")";
  auto &slot = variants[(c.model ? "model " : "rule ") + name];
  if (slot)
    return slot.get();
  slot = std::make_unique<Checked>();
  slot->model = c.model;
  slot->rule = c.rule;
  slot->symbols = c.symbols;
  slot->outputs = c.outputs;
  slot->irName = name;
  slot->fixed = std::move(fixed);
  // Counters of refractoriness are added anew.
  for (auto it = slot->symbols.begin(); it != slot->symbols.end();)
    it = it->second.kind == SymbolKind::State && !it->second.decl
             ? slot->symbols.erase(it)
             : std::next(it);
  slot->functions = c.functions;
  SMLoc at;
  for (const auto &[own, target] : functions) {
    // phi(x) = target(x)
    const FunctionDecl &form = *c.functions.find(own)->second;
    auto f = std::make_unique<FunctionDecl>();
    f->name = form.name;
    f->body = std::make_unique<Expr>();
    f->body->kind = Expr::Call;
    f->body->name = "::" + target.name;
    f->body->loc = f->body->begin = target.loc;
    f->body->end =
        SMLoc::getFromPointer(target.loc.getPointer() + target.name.size());
    at = target.loc;
    for (const Decl &p : form.params) {
      Decl d;
      d.name = p.name;
      d.type.unit = clone(p.type.unit);
      d.type.loc = p.type.loc;
      auto arg = std::make_unique<Expr>();
      arg->kind = Expr::Name;
      arg->name = p.name.name;
      arg->loc = arg->begin = p.name.loc;
      arg->end = SMLoc::getFromPointer(p.name.loc.getPointer() +
                                       p.name.name.size());
      f->body->args.push_back(std::move(arg));
      f->body->argNames.push_back({});
      f->params.push_back(std::move(d));
    }
    f->result.unit = clone(form.result.unit);
    f->result.loc = form.result.loc;
    slot->functions[own] = f.get();
    slot->wrappers.push_back(std::move(f));
  }
  const Origin *origin = diag.setOrigin(nullptr);
  unsigned before = diag.errors();
  c.model ? emitModel(*slot) : emitRule(*slot);
  if (diag.errors() != before && at.isValid())
    diag.note(at, "with this function");
  diag.setOrigin(origin);
  return slot.get();
}

/// scalar NAME = EXPR: a model of one unit that emits the formula.
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
  OpBuilder::InsertionGuard saved(b);
  b.setInsertionPointToEnd(module.getBody());
  Location l = diag.location(it.loc);
  auto model = neuro::ModelOp::create(b, l, name);
  b.setInsertionPointToStart(&model.getBody().emplaceBlock());
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
      diag.error(e.loc, "'" + e.name + "' is an array; a scalar source has one "
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
  ScalarResult r = ev.eval(*it.value);
  if (r && r->boolean) {
    diag.error(it.value->loc, "a scalar source needs a number, but " +
                                  quote(*it.value) + " is a condition",
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
  c.outputs = {"value"};
  c.model = decl.get();
  madeModels.push_back(std::move(decl));
  node.model = &c;
  node.outputs.push_back({"value", {}, r->dim, false, false});
  return true;
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
  auto n = ticks(net, *e.args[1], &net.constants, "the delay of 'delayed'",
                 true);
  if (!n)
    return nullptr;
  std::string key = refKey(*e.args[0]) + "/" + s->name + "/" +
                    std::to_string(*n);
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
