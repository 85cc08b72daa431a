// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Emits the steps of an experiment that compute: variables, decisions, loops
// with conditions, streams, computed values, and procedures, which are copied
// to where they are called with their own variables renamed.
#include "HostExpr.h"

#include "Elaborator.h"

#include "neuroc/rt/HostMath.h"

namespace neuroc::lang {

using namespace mlir;

//===----------------------------------------------------------------------===//
// Expressions
//===----------------------------------------------------------------------===//

/// True if the value is known at compile time.
bool Elaborator::isStatic(NetworkInfo &net, const ConstEnv &env,
                          const Expr &e) {
  if (e.kind == Expr::Member)
    return false;
  if (e.kind == Expr::Name) {
    if (experimentState->variables.count(e.name))
      return false;
    return env.lookup(e.name) ||
           !(readouts.count(e.name) || net.datasets.count(e.name) ||
             net.weights.count(e.name) || net.nodes.count(e.name) ||
             net.probeSpikes.count(e.name));
  }
  if (e.kind == Expr::Call && !functions.count(e.name)) {
    static const std::set<std::string> atRunTime = {
        "permutation", "one_hot", "outer", "concat", "rows", "columns",
        "where", "softmax", "cumsum", "sort", "argmax", "argmin", "size",
        "any", "all", "is_finite", "last", "count", "samples"};
    if (atRunTime.count(e.name))
      return false;
    if ((e.name == "uniform" || e.name == "normal") && !e.args.empty() &&
        e.args[0]->kind == Expr::Array)
      return false; // an array of draws rather than a distribution
    if ((e.name == "min" || e.name == "max") && e.args.size() == 1)
      return false;
    for (const Ident &name : e.argNames)
      if (name.name == "axis")
        return false;
  }
  if (e.kind == Expr::Call && experimentState->calls < 64)
    if (auto f = functions.find(e.name); f != functions.end()) {
      ++experimentState->calls; // a function that calls itself ends here
      bool fixed = isStatic(net, {}, *f->second->body);
      --experimentState->calls;
      if (!fixed)
        return false;
    }
  return llvm::all_of(
      e.args, [&](const ExprPtr &a) { return isStatic(net, env, *a); });
}

/// `e` as an array of the host; `want` null: any unit.
std::optional<ExperimentState::Variable>
Elaborator::hostValue(NetworkInfo &net, const ConstEnv &env, const Expr &e,
                      Value &value, const Dim *want, const std::string &what) {
  HostDomain domain(*this, net, env);
  ExprEval<HostDomain> eval(domain, diag, functions);
  domain.evaluate = [&](const Expr &arg) { return eval.eval(arg); };
  HostResult r = want ? eval.evalAs(e, *want, what) : eval.eval(e);
  if (!r)
    return std::nullopt;
  value = domain.materialize(r->p, e.loc);
  return ExperimentState::Variable{r->dim, r->boolean, r->anyUnit};
}

Value Elaborator::hostCondition(NetworkInfo &net, const ConstEnv &env,
                                const Expr &e, const std::string &what,
                                bool negate) {
  HostDomain domain(*this, net, env);
  ExprEval<HostDomain> eval(domain, diag, functions);
  domain.evaluate = [&](const Expr &arg) { return eval.eval(arg); };
  HostResult r = eval.evalCondition(e, what);
  if (!r)
    return {};
  HostValue v = r->p;
  if (negate) { // of "all elements", as `if` understands a condition
    v = domain.calc("all", {v}, e.loc);
    v = domain.calc("not", {v}, e.loc);
  }
  return domain.materialize(v, e.loc);
}

void Elaborator::storeVariable(const std::string &name, Value value,
                               const ExperimentState::Variable &info,
                               SMLoc loc) {
  experimentState->variables[name] = info;
  neuro::StoreOp::create(b, diag.location(loc), value,
                         neuro::HostKind::Variable, name, StringAttr(), false);
}

//===----------------------------------------------------------------------===//
// Variables
//===----------------------------------------------------------------------===//

void Elaborator::emitLet(NetworkInfo &net, ConstEnv &env, const Item &it) {
  const std::string &name = it.name.name;
  bool fixed = isStatic(net, env, *it.value) &&
               !experimentState->assigned.count(name);
  if (fixed) {
    if (ConstResult r = evalConst(*it.value, &env)) {
      env[name] = *r;
      experimentState->variables.erase(name);
    }
    return;
  }
  Value value;
  auto info = hostValue(net, env, *it.value, value);
  if (!info)
    return;
  env.erase(name);
  storeVariable(name, value, *info, it.name.loc);
}

/// k = e, k += e, k[i] = e
void Elaborator::emitSet(NetworkInfo &net, ConstEnv &env, const Item &it) {
  auto known = experimentState->variables.find(it.name.name);
  if (known == experimentState->variables.end()) {
    std::vector<std::string> names;
    for (const auto &v : experimentState->variables)
      if (v.first[0] != '.')
        names.push_back(v.first);
    if (net.nodes.count(it.name.name) || net.weights.count(it.name.name))
      diag.error(it.name.loc, "'" + it.name.name + "' is a part of the network",
                 "write assign " + it.name.name + " = …");
    else
      diag.unknown(it.name.loc, "variable", it.name.name, names);
    return;
  }
  ExperimentState::Variable info = known->second;
  HostDomain domain(*this, net, env);
  ExprEval<HostDomain> eval(domain, diag, functions);
  domain.evaluate = [&](const Expr &arg) { return eval.eval(arg); };
  std::string what = "'" + it.name.name + "'";
  // k += e is k = k + e, so that units are checked in one place.
  Expr name;
  name.kind = Expr::Name;
  name.name = it.name.name;
  name.loc = name.begin = it.name.loc;
  name.end = SMLoc::getFromPointer(it.name.loc.getPointer() +
                                   it.name.name.size());
  ExprPtr target = clone(name);
  if (!it.shape.empty()) {
    auto indexed = std::make_unique<Expr>();
    indexed->kind = Expr::Index;
    indexed->loc = indexed->begin = it.name.loc;
    indexed->end = it.shape.back()->end;
    indexed->args.push_back(std::move(target));
    for (const ExprPtr &i : it.shape)
      indexed->args.push_back(clone(*i));
    target = std::move(indexed);
  }
  ExprPtr sum;
  const Expr *source = it.value.get();
  if (it.type) {
    sum = std::make_unique<Expr>();
    sum->kind = Expr::Binary;
    sum->name = it.type.name;
    sum->loc = it.value->loc;
    sum->begin = it.value->begin;
    sum->end = it.value->end;
    sum->args.push_back(clone(*target));
    sum->args.push_back(clone(*it.value));
    source = sum.get();
  }
  HostResult r = info.boolean    ? eval.evalCondition(*source, what)
                 : info.anyUnit ? eval.eval(*source)
                                 : eval.evalAs(*source, info.dim, what);
  if (!r)
    return;
  if (info.anyUnit) { // a literal 0, or data: takes the unit of what comes
    info.dim = r->dim;
    info.boolean = r->boolean;
    info.anyUnit = r->anyUnit;
  }
  HostValue v = r->p;
  if (!it.shape.empty()) {
    HostResult whole = eval.eval(name);
    SmallVector<HostValue> operands{whole->p, v};
    for (const ExprPtr &i : it.shape) {
      HostResult index = eval.eval(*i);
      if (!index)
        return;
      operands.push_back(index->p);
    }
    v = domain.calc("put", operands, it.loc);
  }
  storeVariable(it.name.name, domain.materialize(v, it.loc), info, it.loc);
}

/// Names that steps assign, procedures included.
void Elaborator::collectAssigned(const std::vector<ItemPtr> &items,
                                 unsigned depth) {
  for (const ItemPtr &it : items) {
    if (it->keyword == "set")
      experimentState->assigned.insert(it->name.name);
    if (it->keyword == "()" && depth < 32 && procedures.count(it->value->name))
      collectAssigned(expandProcedure(*it, false), depth + 1);
    collectAssigned(it->body, depth);
    collectAssigned(it->other, depth);
  }
}

//===----------------------------------------------------------------------===//
// Decisions and loops
//===----------------------------------------------------------------------===//

void Elaborator::emitIf(NetworkInfo &net, ConstEnv &env, const Item &it,
                        int loops) {
  if (isStatic(net, env, *it.value)) {
    ConstResult r = evalConst(*it.value, &env);
    if (!r)
      return;
    if (!r->boolean || r->p.dist) {
      diag.error(it.value->loc, "what stands after 'if' must be a condition, "
                                "but " + quote(*it.value) + " is none");
      return;
    }
    bool all = llvm::all_of(r->p.data, [](double x) { return x != 0; });
    emitInPlace(net, env, all ? it.body : it.other, loops);
    return;
  }
  Value condition =
      hostCondition(net, env, *it.value, "what stands after 'if'", false);
  if (!condition)
    return;
  auto op = neuro::IfOp::create(b, diag.location(it.loc), condition);
  emitSteps(net, env, it.body, op.getBody(), loops);
  if (!it.other.empty())
    emitSteps(net, env, it.other, op.getOtherwise(), loops);
}

/// `while C max n` and `repeat until C max n`
void Elaborator::emitWhile(NetworkInfo &net, ConstEnv &env, const Item &it,
                           int loops) {
  bool until = it.keyword == "until";
  auto max = evalInteger(*it.clause("max")->value, &env, "'max'", 1);
  if (!max)
    return;
  std::string name = ".until" + std::to_string(experimentState->hidden++);
  auto op = neuro::WhileOp::create(b, diag.location(it.loc), name, *max, until);
  // The body first, so that the condition may use its variables; `while`
  // reads before it and so sees only what was there before.
  auto body = [&] { emitSteps(net, env, it.body, op.getBody(), loops); };
  auto condition = [&] {
    OpBuilder::InsertionGuard saved(b);
    b.setInsertionPointToStart(&op.getCondition().emplaceBlock());
    if (Value v = hostCondition(net, env, *it.value,
                                until ? "what stands after 'until'"
                                      : "what stands after 'while'",
                                !until)) {
      ExperimentState::Variable info;
      info.boolean = true;
      storeVariable(name, v, info, it.value->loc);
    }
  };
  if (until) {
    body();
    condition();
  } else {
    condition();
    body();
  }
}

/// Makes `name` a variable that counts; false if there is no name.
bool Elaborator::declareCounter(ConstEnv &env, const Clause *as,
                                StringAttr &counter) {
  if (!as)
    return false;
  counter = b.getStringAttr(as->value->name);
  env.erase(as->value->name);
  experimentState->variables[as->value->name] = {};
  return true;
}

/// The dataset that `e` names, its shape; null after an error.
const std::vector<int64_t> *Elaborator::datasetOf(NetworkInfo &net,
                                                  const Expr &e) {
  auto d = net.datasets.find(refKey(e));
  if (d != net.datasets.end())
    return &d->second;
  std::vector<std::string> names;
  for (const auto &entry : net.datasets)
    names.push_back(entry.first);
  diag.unknown(e.loc, "dataset", refKey(e), names);
  return nullptr;
}

/// The clause `rows [first, last]`; false after an error.
bool Elaborator::rowsClause(const Item &it, const ConstEnv &env,
                            const std::string &dataset, int64_t count,
                            DenseI64ArrayAttr &rows) {
  const Clause *c = it.clause("rows");
  if (!c)
    return true;
  auto lo = evalInteger(*c->value->args[0], &env, "the first row", 0);
  auto hi = evalInteger(*c->value->args[1], &env, "the end of the rows", 0);
  if (!lo || !hi)
    return false;
  if (*lo > *hi || *hi > count) {
    diag.error(c->loc, "rows [" + Twine(*lo) + ", " + Twine(*hi) +
                           ") are not in dataset '" + dataset +
                           "', which has " + Twine(count) + " rows");
    return false;
  }
  rows = b.getDenseI64ArrayAttr({*lo, *hi});
  return true;
}

void Elaborator::emitForEach(NetworkInfo &net, ConstEnv &env, const Item &it,
                             int loops) {
  const std::vector<int64_t> *shape = datasetOf(net, *it.from);
  if (!shape)
    return;
  std::string name = refKey(*it.from);
  DenseI64ArrayAttr rows;
  if (!rowsClause(it, env, name, (*shape)[0], rows))
    return;
  IntegerAttr key;
  if (const Clause *c = it.clause("shuffled")) {
    auto v = evalInteger(*c->value, &env, "the key of 'shuffled'", 0);
    if (!v)
      return;
    key = b.getI64IntegerAttr(*v);
  }
  bool batched = it.transposed;
  int64_t count = rows ? rows[1] - rows[0] : (*shape)[0];
  if (batched && count % net.batch != 0) {
    diag.error(it.loc, "'" + name + "' has " + Twine(count) +
                           " rows, which batches of " + Twine(net.batch) +
                           " do not divide",
               "leave the rest out: rows [" +
                   Twine(rows ? rows[0] : int64_t(0)) + ", " +
                   Twine((rows ? rows[0] : int64_t(0)) +
                         count / net.batch * net.batch) + "]");
    return;
  }
  StringAttr counter;
  const Clause *as = it.clause("as");
  declareCounter(env, as, counter);
  auto op = neuro::ForEachOp::create(b, diag.location(it.loc), name, rows, key,
                                     counter);
  if (batched)
    op.setBatched(true);
  experimentState->rowLoops.push_back({name, as ? as->value->name : ""});
  bool outer = batchedLoop;
  batchedLoop = batched;
  emitSteps(net, env, it.body, op.getBody(), loops + 1);
  batchedLoop = outer;
  experimentState->rowLoops.pop_back();
}

void Elaborator::emitStream(NetworkInfo &net, ConstEnv &env, const Item &it) {
  SmallVector<Attribute> stimuli, datasets;
  DenseI64ArrayAttr rows;
  int64_t count = -1;
  std::string first;
  for (size_t k = 0; k + 1 < it.shape.size(); k += 2) {
    const Expr &stimulus = *it.shape[k], &data = *it.shape[k + 1];
    const Node *node = stimulusOf(net, stimulus);
    const std::vector<int64_t> *shape = node ? datasetOf(net, data) : nullptr;
    if (!shape)
      return;
    int64_t columns = 1;
    for (size_t d = 1; d < shape->size(); ++d)
      columns *= (*shape)[d];
    if (columns != node->units() && columns != node->units() * net.batch) {
      diag.error(data.loc, "rows of dataset '" + refKey(data) + "' have " +
                               Twine(columns) + " values, but " +
                               quote(stimulus) + " has " +
                               Twine(node->units()) + " units");
      return;
    }
    if (count >= 0 && count != (*shape)[0]) {
      diag.error(data.loc, "datasets of one stream have as many rows: '" +
                               refKey(data) + "' has " + Twine((*shape)[0]) +
                               ", '" + first + "' has " + Twine(count));
      return;
    }
    count = (*shape)[0];
    if (k == 0)
      first = refKey(data);
    stimuli.push_back(FlatSymbolRefAttr::get(b.getContext(), refKey(stimulus)));
    datasets.push_back(FlatSymbolRefAttr::get(b.getContext(), refKey(data)));
  }
  if (!rowsClause(it, env, first, count, rows))
    return;
  int64_t every = 1;
  if (const Clause *c = it.clause("every")) {
    ConstResult r = evalConst(*c->value, &env);
    if (!r)
      return;
    // A number of ticks, or a time.
    auto n = r->dim.isNone() ? evalInteger(*c->value, &env, "'every'", 1)
                             : ticks(net, *c->value, &env, "'every'", true);
    if (!n)
      return;
    every = *n;
  }
  neuro::StreamOp::create(b, diag.location(it.loc), b.getArrayAttr(stimuli),
                          b.getArrayAttr(datasets), rows, every);
}

/// The stimulus that `e` names; null after an error.
const Node *Elaborator::stimulusOf(NetworkInfo &net, const Expr &e) {
  auto found = net.nodes.find(refKey(e));
  if (found != net.nodes.end() && found->second.kind == "stimulus")
    return &found->second;
  std::vector<std::string> names;
  for (const auto &[name, n] : net.nodes)
    if (n.kind == "stimulus")
      names.push_back(name);
  diag.unknown(e.loc, "stimulus", refKey(e), names);
  return nullptr;
}

//===----------------------------------------------------------------------===//
// Computed data
//===----------------------------------------------------------------------===//

/// present, assign and clamp of a value that is computed.
void Elaborator::emitStore(NetworkInfo &net, ConstEnv &env, const Item &it) {
  const Expr &to = *it.from;
  Location l = diag.location(it.loc);
  Value value;
  auto store = [&](neuro::HostKind kind, StringRef target, StringAttr variable,
                   const Dim *want, bool hertz) {
    auto info = hostValue(net, env, *it.value, value, want, quote(to));
    if (!info)
      return;
    if (hertz) {
      HostDomain domain(*this, net, env);
      HostValue scaled = domain.calc(
          "mul", {HostValue{value, std::nullopt}, domain.number(1e3, it.loc)},
          it.loc);
      value = domain.materialize(scaled, it.loc);
    }
    neuro::StoreOp::create(b, l, value, kind, target, variable,
                           it.keyword == "clamp");
  };
  if (it.keyword == "present") {
    if (const Node *node = stimulusOf(net, to))
      store(neuro::HostKind::Signal, refKey(to), StringAttr(),
            node->outputs[0].spike ? nullptr : &node->outputs[0].dim,
            node->outputs[0].hertz);
    return;
  }
  if (it.keyword == "assign" && to.kind == Expr::Name) {
    auto w = net.weights.find(to.name);
    if (w == net.weights.end()) {
      std::vector<std::string> names;
      for (const auto &entry : net.weights)
        names.push_back(entry.first);
      diag.unknown(to.loc, "weight", to.name, names);
      return;
    }
    store(neuro::HostKind::Weight, w->first, StringAttr(),
          w->second.anyUnit ? nullptr : &w->second.dim, false);
    return;
  }
  if (to.kind == Expr::Member && to.args[0]->kind == Expr::Name &&
      net.plastics.count(to.args[0]->name)) {
    if (it.keyword == "clamp") {
      diag.error(to.loc, quote(to) + " is a state of synapses and cannot be "
                                     "clamped",
                 "assign it");
      return;
    }
    HostDomain domain(*this, net, env);
    Value present;
    if (hostValue(net, env, to, present)) // checks the name
      store(neuro::HostKind::State, to.args[0]->name,
            b.getStringAttr(to.name), nullptr, false);
    if (present && present.use_empty())
      present.getDefiningOp()->erase();
    return;
  }
  Node *node = nullptr;
  if (const Symbol *s = stateOf(net, to, node))
    store(neuro::HostKind::State, to.args[0]->name, b.getStringAttr(s->irName),
          &s->dim, s->hertz);
}

/// A readout of anything but a reduction over time of one signal.
void Elaborator::emitTableRow(NetworkInfo &net, ConstEnv &env, const Item &it) {
  Value value;
  if (!hostValue(net, env, *it.value, value))
    return;
  readouts.insert(it.name.name);
  neuro::StoreOp::create(b, diag.location(it.loc), value,
                         neuro::HostKind::Table, it.name.name, StringAttr(),
                         false);
}

//===----------------------------------------------------------------------===//
// Procedures
//===----------------------------------------------------------------------===//

namespace {
/// Puts arguments and private names into the steps of a procedure.
class Substitution {
public:
  std::map<std::string, const Expr *> arguments;
  std::map<std::string, std::string> locals;
  std::set<std::string> snapshots;

  void items(std::vector<ItemPtr> &list) {
    for (ItemPtr &it : list)
      item(*it);
  }

private:
  void ident(Ident &name) {
    if (auto a = arguments.find(name.name); a != arguments.end())
      name.name = refKey(*a->second);
    else if (auto l = locals.find(name.name); l != locals.end())
      name.name = l->second;
  }
  void expr(ExprPtr &e) {
    if (!e)
      return;
    if (e->kind == Expr::Name) {
      if (auto a = arguments.find(e->name); a != arguments.end())
        e = clone(*a->second);
      else if (auto l = locals.find(e->name); l != locals.end())
        e->name = l->second;
      return;
    }
    // What a snapshot holds is named by its parts: s.p.v.
    if (e->kind == Expr::Member && e->args[0]->kind == Expr::Name &&
        snapshots.count(e->args[0]->name))
      if (auto a = arguments.find(e->name); a != arguments.end())
        e->name = refKey(*a->second);
    for (ExprPtr &a : e->args)
      expr(a);
  }
  void item(Item &it) {
    if (it.keyword != "phase")
      ident(it.name);
    expr(it.from);
    expr(it.to);
    expr(it.value);
    for (ExprPtr &e : it.shape)
      expr(e);
    for (Clause &c : it.clauses)
      expr(c.value);
    items(it.body);
    items(it.other);
  }
};

void collectSnapshots(const std::vector<ItemPtr> &items,
                      std::set<std::string> &names) {
  for (const ItemPtr &it : items) {
    if (it->keyword == "snapshot")
      names.insert(it->name.name);
    collectSnapshots(it->body, names);
    collectSnapshots(it->other, names);
  }
}

void collectLocals(const std::vector<ItemPtr> &items,
                   std::set<std::string> &names) {
  for (const ItemPtr &it : items) {
    if (it->keyword == "let" || it->keyword == "for_in")
      names.insert(it->name.name);
    if (const Clause *as = it->clause("as"))
      names.insert(as->value->name);
    collectLocals(it->body, names);
    collectLocals(it->other, names);
  }
}
} // namespace

/// The steps that stand for the call `it`; empty after an error.
std::vector<ItemPtr> Elaborator::expandProcedure(const Item &it, bool report) {
  const Expr &call = *it.value;
  const ProcedureDecl &p = *procedures.find(call.name)->second.first;
  Substitution substitution;
  std::vector<std::string> names;
  for (const Decl &d : p.params)
    names.push_back(d.name.name);
  size_t position = 0;
  bool good = true;
  for (size_t k = 0; k < call.args.size(); ++k) {
    std::string name;
    if (call.argNames[k])
      name = call.argNames[k].name;
    else if (position < names.size())
      name = names[position++];
    bool known = llvm::is_contained(names, name);
    if (known && substitution.arguments.insert({name, call.args[k].get()}).second)
      continue;
    good = false;
    if (!report)
      continue;
    if (call.argNames[k] && !known)
      diag.unknown(call.argNames[k].loc, "argument of '" + call.name + "'",
                   name, names);
    else
      diag.error(call.args[k]->loc,
                 known ? "argument '" + name + "' is given twice"
                       : "'" + call.name + "' takes " +
                             std::to_string(names.size()) + " arguments");
  }
  for (const Decl &d : p.params) {
    if (substitution.arguments.count(d.name.name))
      continue;
    if (d.init) {
      substitution.arguments[d.name.name] = d.init.get();
      continue;
    }
    if (good && report)
      diag.error(call.loc, "'" + call.name + "' needs the argument '" +
                               d.name.name + "'");
    good = false;
  }
  std::vector<ItemPtr> steps;
  if (!good)
    return steps;
  std::set<std::string> own;
  collectLocals(p.items, own);
  for (const std::string &name : own)
    if (!substitution.arguments.count(name))
      substitution.locals[name] = p.name.name + "." + name;
  collectSnapshots(p.items, substitution.snapshots);
  for (const auto &snapshot : experimentState->snapshots)
    substitution.snapshots.insert(snapshot.first);
  for (const ItemPtr &step : p.items)
    steps.push_back(clone(*step));
  substitution.items(steps);
  return steps;
}

void Elaborator::emitProcedure(NetworkInfo &net, ConstEnv &env, const Item &it,
                               int loops) {
  const Expr &call = *it.value;
  if (!procedures.count(call.name)) {
    std::vector<std::string> names;
    for (const auto &p : procedures)
      names.push_back(p.first);
    diag.unknown(call.loc, "step or procedure", call.name, names);
    return;
  }
  if (!experimentState->active.insert(call.name).second) {
    diag.error(call.loc, "procedure '" + call.name + "' calls itself",
               "procedures are expanded in place; use a loop");
    return;
  }
  std::vector<ItemPtr> steps = expandProcedure(it, true);
  Origin here{call.loc, "in procedure '" + call.name + "', expanded here"};
  const Origin *outer = diag.setOrigin(&here);
  here.outer = outer;
  emitInPlace(net, env, steps, loops);
  experimentState->active.erase(call.name);
  diag.setOrigin(outer);
}

/// Steps at the present place rather than in a region of their own.
void Elaborator::emitInPlace(NetworkInfo &net, ConstEnv &env,
                             const std::vector<ItemPtr> &items, int loops) {
  for (const ItemPtr &it : items)
    emitStep(net, env, *resolveItem(net, env, *it), loops);
}

/// for k in a..b: a copy of the body for each value.
void Elaborator::emitForIn(NetworkInfo &net, ConstEnv &env, const Item &it,
                           int loops) {
  auto values = loopValues(net, it, &env);
  if (!values)
    return;
  // The counter hides a variable of its name.
  auto &variables = experimentState->variables;
  auto hidden = variables.extract(it.name.name);
  for (const ConstTyped &value : *values) {
    ConstEnv inner;
    inner.outer = &env;
    inner[it.name.name] = value;
    emitInPlace(net, inner, it.body, loops);
  }
  if (hidden)
    variables.insert(std::move(hidden));
}

} // namespace neuroc::lang
