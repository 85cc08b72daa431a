// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Expands circuits and loops. A first pass declares every name and evaluates
// what must be known (counters, conditions, arguments), so that statements may
// refer to what stands further down; a second one copies the statements in the
// order of the text and gives their references the names of the symbols.
#include "Circuits.h"

#include "llvm/ADT/STLExtras.h"

namespace neuroc::lang {

static constexpr size_t mostStatements = 200000;

std::vector<Placed> Expansion::run(const std::vector<ItemPtr> &items) {
  root.body = std::make_unique<Piece>();
  root.body->scope = &root;
  fill(*root.body, items);
  std::vector<Placed> flat;
  if (statements <= mostStatements)
    flatten(*root.body, flat);
  diag.setOrigin(nullptr);
  return flat;
}

const Origin *Expansion::origin(SMLoc loc, std::string text,
                                const Origin *outer) {
  origins.push_back(
      std::make_unique<Origin>(Origin{loc, std::move(text), outer}));
  return origins.back().get();
}

//===----------------------------------------------------------------------===//
// Declarations
//===----------------------------------------------------------------------===//

/// First parts of all names that the statements declare, at any depth.
void Expansion::collectRoots(Scope &scope, const std::vector<ItemPtr> &items) {
  for (const ItemPtr &it : items) {
    if (it->keyword == "for_in" || it->keyword == "if") {
      collectRoots(scope, it->body);
      collectRoots(scope, it->other);
    } else if (it->keyword != "let" && it->keyword != "param" &&
               it->keyword != "=" && it->name) {
      scope.roots.insert(it->name.name);
    }
    if (const Clause *as = it->clause("as"))
      if (const Expr *r = as->value ? rootOf(*as->value) : nullptr)
        scope.roots.insert(r->name);
  }
}

/// "[2]" for a whole number; nothing after an error.
std::optional<std::string>
Expansion::indexText(const Expr &e, const Scope &scope, const ConstEnv *env) {
  ExprPtr own = clone(e);
  rewrite(own, scope, env, false);
  ConstResult v = hooks.evaluate(*own, env, nullptr, "");
  if (!v)
    return std::nullopt;
  if (!v->p.isNumber() || !v->dim.isNone() ||
      v->p.number() != std::floor(v->p.number()) ||
      std::fabs(v->p.number()) > 1e9) {
    diag.error(e.loc, "the index of a name is a whole number");
    return std::nullopt;
  }
  return "[" + formatNumber(v->p.number()) + "]";
}

std::string Expansion::fullName(const std::string &name,
                                const std::vector<ExprPtr> &index,
                                const Piece &block) {
  std::string key = name;
  for (const ExprPtr &e : index) {
    auto text = indexText(*e, *block.scope, &block.env);
    if (!text)
      return "";
    key += *text;
  }
  return key;
}

bool Expansion::declareItem(Piece &block, const Item &it) {
  auto put = [&](const std::string &name, const std::vector<ExprPtr> &index) {
    if (it.name.name == name && isArgument(*block.scope, it.name))
      return false;
    std::string key = fullName(name, index, block);
    if (key.empty())
      return false;
    block.scope->names.insert(
        {key, {block.scope->prefix + key, &it, &block, nullptr}});
    return true;
  };
  if (it.name && it.keyword != "let" && it.keyword != "param" &&
      it.keyword != "=" && it.keyword != "connect" &&
      !put(it.name.name, it.index))
    return false;
  if (const Clause *as = it.clause("as"); as && as->value) {
    // record … as NAME, connect … as NAME
    ExprPtr name = clone(as->value);
    std::vector<ExprPtr> index;
    while (name->kind == Expr::Index) {
      for (size_t k = name->args.size(); k > 1; --k)
        index.insert(index.begin(), std::move(name->args[k - 1]));
      name = std::move(name->args[0]);
    }
    if (name->kind == Expr::Name)
      return put(name->name, index);
    diag.error(as->value->loc, "a new name has no '.'");
    return false;
  }
  return true;
}

ConstResult Expansion::constant(const Expr &e, const Piece &block,
                                const Dim *want, const std::string &what) {
  ExprPtr own = clone(e);
  rewrite(own, *block.scope, &block.env, false);
  return hooks.evaluate(*own, &block.env, want, what);
}

/// An argument's name cannot be declared again in its circuit.
bool Expansion::isArgument(const Scope &scope, const Ident &name) {
  if (!scope.circuit)
    return false;
  for (const CircuitParam &p : scope.circuit->params)
    if (p.name.name == name.name) {
      diag.error(name.loc, "'" + name.name + "' is an argument of circuit '" +
                               scope.circuit->name.name + "'",
                 "use another name");
      return true;
    }
  return false;
}

void Expansion::fill(Piece &block, const std::vector<ItemPtr> &items) {
  const Origin *before = diag.setOrigin(block.origin);
  if (&block == block.scope->body.get())
    collectRoots(*block.scope, items);
  // Names without an index first: they may be used before they are declared.
  for (const ItemPtr &it : items)
    if (it->index.empty() && it->keyword != "circuit" &&
        it->keyword != "for_in" && it->keyword != "if")
      declareItem(block, *it);
  for (const ItemPtr &it : items) {
    if (++statements > mostStatements) {
      if (statements == mostStatements + 1)
        diag.error(it->loc, "the expansion has more than " +
                                llvm::Twine(mostStatements) + " statements");
      break;
    }
    const std::string &word = it->keyword;
    if (word == "=" || word == "param") {
      if (block.scope != &root || &block != root.body.get()) {
        diag.error(it->loc,
                   "'" + (word == "=" ? it->name.name : word) +
                       "' belongs directly into a network",
                   word == "param" ? "use an argument of the circuit, or 'let'"
                                   : "");
        continue;
      }
    }
    if (word == "let" && isArgument(*block.scope, it->name))
      continue;
    if (word == "=" || word == "param" || word == "let") {
      ItemPtr own = clone(*it);
      rewrite(own->value, *block.scope, &block.env, false);
      hooks.setting(*own, block.env);
      if (auto dt = block.env.find("dt");
          &block == root.body.get() && dt != block.env.end())
        shared.insert(*dt);
      continue;
    }
    if (word == "for_in") {
      expandFor(block, *it);
    } else if (word == "if") {
      expandIf(block, *it);
    } else if (word == "circuit") {
      expandCircuit(block, *it);
    } else {
      if (!it->index.empty() && !declareItem(block, *it))
        continue;
      Piece::Part part;
      part.item = it.get();
      block.parts.push_back(std::move(part));
    }
  }
  diag.setOrigin(before);
}

//===----------------------------------------------------------------------===//
// for, if
//===----------------------------------------------------------------------===//

std::optional<std::vector<ConstTyped>>
Expansion::loopValues(const Item &it, const ConstEnv *env) {
  std::vector<ConstTyped> values;
  auto whole = [&](const Expr &e) -> std::optional<double> {
    ExprPtr own = clone(e);
    rewrite(own, root, env, false);
    Dim none;
    ConstResult v = hooks.evaluate(*own, env, &none, "a bound of 'for'");
    if (!v)
      return std::nullopt;
    if (!v->p.isNumber() || v->p.number() != std::floor(v->p.number())) {
      diag.error(e.loc, "a bound of 'for' must be a whole number");
      return std::nullopt;
    }
    return v->p.number();
  };
  if (it.to) {
    auto lo = whole(*it.from), hi = whole(*it.to);
    if (!lo || !hi)
      return std::nullopt;
    if (*hi - *lo > 1e6) {
      diag.error(it.loc, "a loop of the compiler has at most 10^6 rounds");
      return std::nullopt;
    }
    for (double k = *lo; k < *hi; ++k)
      values.push_back({ConstValue::of(k), Dim()});
    return values;
  }
  ConstResult list = hooks.evaluate(*it.from, env, nullptr, "");
  if (!list)
    return std::nullopt;
  if (!list->p.isArray()) {
    diag.error(it.from->loc,
               "'for' runs over a range or the elements of an "
               "array",
               "write 'for " + it.name.name + " in 0.." +
                   it.from->text().str() + "'");
    return std::nullopt;
  }
  size_t rows = static_cast<size_t>(list->p.shape[0]);
  size_t step = list->p.data.size() / std::max<size_t>(rows, 1);
  for (size_t r = 0; r < rows; ++r) {
    ConstTyped v{{}, list->dim};
    v.p.shape.assign(list->p.shape.begin() + 1, list->p.shape.end());
    v.p.data.assign(list->p.data.begin() + r * step,
                    list->p.data.begin() + (r + 1) * step);
    values.push_back(std::move(v));
  }
  return values;
}

void Expansion::expandFor(Piece &block, const Item &it) {
  if (llvm::is_contained({"i", "t", "dt"}, it.name.name)) {
    diag.error(it.name.loc,
               "'" + it.name.name + "' cannot be a counter: it is " +
                   (it.name.name == "i" ? "the number of a unit" : "a time") +
                   " in the code of models");
    return;
  }
  // Bounds may use size(…) of this scope's names.
  Item head;
  head.loc = it.loc;
  head.name = it.name;
  head.from = clone(it.from);
  head.to = clone(it.to);
  rewrite(head.from, *block.scope, &block.env, false);
  if (head.to)
    rewrite(head.to, *block.scope, &block.env, false);
  auto values = loopValues(head, &block.env);
  if (!values)
    return;
  for (const ConstTyped &v : *values) {
    auto round = std::make_unique<Piece>();
    round->scope = block.scope;
    round->env.outer = &block.env;
    round->env[it.name.name] = v;
    round->origin =
        origin(it.loc,
               v.p.isNumber() ? "in the round " + it.name.name + " = " +
                                    formatNumber(v.p.number()) + " of this loop"
                              : "in a round of this loop",
               block.origin);
    fill(*round, it.body);
    Piece::Part part;
    part.block = std::move(round);
    block.parts.push_back(std::move(part));
    if (statements > mostStatements)
      return;
  }
}

void Expansion::expandIf(Piece &block, const Item &it) {
  ConstResult c = constant(*it.value, block);
  if (!c)
    return;
  if (!c->boolean || !c->p.isNumber()) {
    diag.error(it.value->loc,
               "what stands after 'if' must be a condition that "
               "is known at compile time, but " +
                   quote(*it.value) + " is a number",
               "compare it with something, as in '" + it.value->text().str() +
                   " > 0'");
    return;
  }
  auto branch = std::make_unique<Piece>();
  branch->scope = block.scope;
  branch->env.outer = &block.env;
  branch->origin = block.origin;
  fill(*branch, c->p.number() ? it.body : it.other);
  Piece::Part part;
  part.block = std::move(branch);
  block.parts.push_back(std::move(part));
}

//===----------------------------------------------------------------------===//
// Circuits
//===----------------------------------------------------------------------===//

void Expansion::expandCircuit(Piece &block, const Item &it) {
  const CircuitDecl *c = hooks.circuit(it.type);
  if (!c)
    return;
  for (const Scope *s = block.scope; s; s = s->caller)
    if (s->circuit == c) {
      diag.error(it.loc, "circuit '" + c->name.name + "' contains itself",
                 "circuits are expanded in place and cannot be recursive");
      return;
    }
  scopes.push_back(std::make_unique<Scope>());
  Scope &inner = *scopes.back();
  inner.circuit = c;
  inner.caller = block.scope;
  std::string key;
  if (it.name) {
    if (isArgument(*block.scope, it.name))
      return;
    key = fullName(it.name.name, it.index, block);
    if (key.empty())
      return;
    if (!hooks.declare({block.scope->prefix + key, it.name.loc}))
      return;
    block.scope->names.insert(
        {key, {block.scope->prefix + key, &it, &block, &inner}});
  } else {
    key = c->name.name;
  }
  inner.prefix = block.scope->prefix + key;
  for (int k = 2; !prefixes.insert(inner.prefix).second; ++k)
    inner.prefix = block.scope->prefix + key + "_" + std::to_string(k);
  inner.prefix += ".";
  inner.body = std::make_unique<Piece>();
  inner.body->scope = &inner;
  inner.body->env.outer = &shared;
  inner.body->origin = origin(
      it.loc, "in circuit '" + c->name.name + "', expanded here", block.origin);
  if (!bind(inner, block, it)) {
    inner.faulty = true;
    return;
  }
  fill(*inner.body, c->items);
  Piece::Part part;
  part.block = std::move(inner.body);
  block.parts.push_back(std::move(part));
}

/// True if an argument is an object of the network rather than a number.
bool Expansion::isObject(const Expr &e, const Scope &scope) const {
  if (e.kind == Expr::Call)
    return e.name == "delayed";
  const Expr *r = rootOf(e);
  return r && (scope.roots.count(r->name) || scope.objects.count(r->name));
}

bool Expansion::bindValue(Scope &inner, const CircuitParam &p,
                          const Expr &value, const Piece &from) {
  const std::string &name = p.name.name;
  const Scope &scope = *from.scope;
  if (!p.kind.empty()) {
    if (value.kind != Expr::Name) {
      diag.error(value.loc,
                 "argument '" + name + "' is the name of a " + p.kind);
      return false;
    }
    auto alias = scope.aliases.find(value.name);
    inner.aliases[name] =
        alias != scope.aliases.end() ? alias->second : value.name;
    return true;
  }
  if (value.kind == Expr::Name &&
      (value.name == "none" || scope.absent.count(value.name))) {
    inner.absent.insert(name);
    return true;
  }
  if (isObject(value, scope)) {
    inner.objects[name] = {clone(value), &from};
    return true;
  }
  Dim dim;
  if (p.type.unit) {
    std::optional<Unit> u = evalUnitExpr(*p.type.unit, diag);
    if (!u)
      return false;
    dim = u->dim;
  }
  ConstResult v = constant(value, from, p.type.unit ? &dim : nullptr,
                           "argument '" + name + "'");
  if (!v)
    return false;
  inner.body->env[name] = *v;
  return true;
}

bool Expansion::bind(Scope &inner, const Piece &callerBlock, const Item &call) {
  const CircuitDecl &c = *inner.circuit;
  const Expr &list = *call.value;
  std::map<std::string, const Expr *> named;
  std::vector<const Expr *> positional;
  std::vector<std::string> known;
  for (const CircuitParam &p : c.params)
    known.push_back(p.name.name);
  for (size_t i = 0; i < list.args.size(); ++i) {
    const Ident &name = list.argNames[i];
    if (!name) {
      if (!named.empty()) {
        diag.error(list.args[i]->loc, "arguments by position come before those "
                                      "by name");
        return false;
      }
      positional.push_back(list.args[i].get());
      continue;
    }
    if (!llvm::is_contained(known, name.name)) {
      diag.unknown(name.loc, "argument of circuit '" + c.name.name + "'",
                   name.name, known);
      return false;
    }
    if (!named.insert({name.name, list.args[i].get()}).second) {
      diag.error(name.loc, "argument '" + name.name + "' is given twice");
      return false;
    }
  }
  if (positional.size() > c.params.size()) {
    diag.error(call.loc, "circuit '" + c.name.name + "' takes " +
                             llvm::Twine(c.params.size()) + " arguments, " +
                             llvm::Twine(positional.size()) + " given");
    return false;
  }
  for (size_t i = 0; i < c.params.size(); ++i) {
    const CircuitParam &p = c.params[i];
    const Expr *value = nullptr;
    if (i < positional.size())
      value = positional[i];
    if (auto n = named.find(p.name.name); n != named.end()) {
      if (value) {
        diag.error(n->second->loc,
                   "argument '" + p.name.name + "' is given twice");
        return false;
      }
      value = n->second;
    }
    inner.roots.insert(p.name.name);
    if (value) {
      if (!bindValue(inner, p, *value, callerBlock))
        return false;
      if (!inner.absent.count(p.name.name))
        inner.given.insert(p.name.name);
    } else if (p.init) {
      // A default may use the arguments before it.
      const Origin *before = diag.setOrigin(inner.body->origin);
      bool ok = bindValue(inner, p, *p.init, *inner.body);
      diag.setOrigin(before);
      if (!ok)
        return false;
    } else {
      std::string form;
      for (const CircuitParam &q : c.params)
        form += (form.empty() ? "" : ", ") + q.name.name;
      diag.error(call.loc,
                 "circuit '" + c.name.name + "' needs the argument '" +
                     p.name.name + "'",
                 "write " + c.name.name + "(" + form + ")");
      return false;
    }
    if (!inner.objects.count(p.name.name))
      inner.roots.erase(p.name.name);
  }
  return true;
}

//===----------------------------------------------------------------------===//
// The flat list
//===----------------------------------------------------------------------===//

/// A copy of a statement with the names of symbols.
ItemPtr Expansion::place(const Item &original, const Piece &block) {
  ItemPtr it = clone(original);
  const Scope &scope = *block.scope;
  auto refs = [&](ExprPtr &e) { rewrite(e, scope, &block.env, true, true); };
  auto values = [&](ExprPtr &e) { rewrite(e, scope, &block.env, false); };
  if (it->name)
    it->name.name = scope.prefix + fullName(it->name.name, it->index, block);
  if (auto a = scope.aliases.find(it->type.name); a != scope.aliases.end())
    it->type.name = a->second;
  refs(it->from);
  refs(it->to);
  bool value = it->keyword == "record" || it->keyword == "output" ||
               it->keyword == "connect";
  if (it->keyword == "scalar") // signals and constants
    rewrite(it->value, scope, &block.env, true);
  else
    value ? refs(it->value) : values(it->value);
  values(it->connector);
  for (ExprPtr &e : it->shape)
    values(e);
  static const std::vector<std::string> referring = {"pre", "post", "through",
                                                     "top_down", "wrt"};
  for (Clause &c : it->clauses) {
    if (!c.value)
      continue;
    if (llvm::is_contained(referring, c.key)) {
      refs(c.value);
    } else if (c.key == "as") {
      ExprPtr &e = c.value;
      std::vector<ExprPtr> index;
      ExprPtr name = clone(e);
      while (name->kind == Expr::Index) {
        for (size_t k = name->args.size(); k > 1; --k)
          index.insert(index.begin(), std::move(name->args[k - 1]));
        name = std::move(name->args[0]);
      }
      name->name = scope.prefix + fullName(name->name, index, block);
      name->begin = e->begin;
      name->end = e->end;
      e = std::move(name);
    } else {
      values(c.value);
    }
  }
  // Third factors are references; parameters keep their constants.
  for (ItemPtr &b : it->body)
    rewrite(b->value, scope, &block.env, it->keyword == "plasticity");
  if (it->keyword == "connect" && it->value) { // through W
    it->name = {refKey(*it->value), it->value->loc};
    if (it->value->kind == Expr::Name)
      it->value.reset();
  }
  return it;
}

void Expansion::flatten(const Piece &block, std::vector<Placed> &into) {
  for (const Piece::Part &part : block.parts) {
    if (part.block) {
      flatten(*part.block, into);
      continue;
    }
    diag.setOrigin(block.origin);
    into.push_back({place(*part.item, block), &block.env, block.origin});
  }
}

} // namespace neuroc::lang
