// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// References of a network: which symbol `c.h[k-1].value` means, seen from a
// circuit with its arguments or from the network itself; sizes of what they
// name.
#include "Circuits.h"

#include "llvm/ADT/STLExtras.h"

namespace neuroc::lang {

std::string refKey(const Expr &e) {
  if (e.kind == Expr::Member)
    return refKey(*e.args[0]) + "." + e.name;
  if (e.kind == Expr::Index) {
    std::string key = refKey(*e.args[0]);
    for (size_t k = 1; k < e.args.size(); ++k)
      key += "[" + refKey(*e.args[k]) + "]";
    return key;
  }
  return e.kind == Expr::Name ? e.name : e.text().str();
}

/// The first name of a reference, or null.
const Expr *rootOf(const Expr &e) {
  const Expr *r = &e;
  while (r->kind == Expr::Member || r->kind == Expr::Index)
    r = r->args[0].get();
  return r->kind == Expr::Name ? r : nullptr;
}

ExprPtr Expansion::number(double x, const Expr &like) {
  auto e = std::make_unique<Expr>();
  e->kind = Expr::Number;
  e->number = x;
  e->loc = like.loc;
  e->begin = like.begin;
  e->end = like.end;
  return e;
}

/// A reference by the names of `scope`: replaced in `e`, and described in
/// `ref`. False: `e` is no reference, or (after an error) a faulty one.
bool Expansion::resolveChain(ExprPtr &e, const Scope &scope,
                             const ConstEnv *env, Ref &ref, bool strict) {
  const Expr *first = rootOf(*e);
  if (!first)
    return false;
  // From the root outwards.
  std::vector<const Expr *> steps;
  for (const Expr *s = e.get(); s != first; s = s->args[0].get())
    steps.insert(steps.begin(), s);
  size_t at = 0;
  const Scope *where = &scope;
  const NameEntry *entry = nullptr;
  ExprPtr base;
  auto name = [&](const std::string &full, const Expr &last) {
    auto n = std::make_unique<Expr>();
    n->kind = Expr::Name;
    n->name = full;
    n->loc = last.loc;
    n->begin = e->begin;
    n->end = last.end;
    return n;
  };
  // The longest declared name that begins with `key`, indices included.
  auto find = [&](const Scope &in, std::string key,
                  const Expr &start) -> const NameEntry * {
    const NameEntry *found = nullptr;
    const Expr *last = &start;
    size_t used = at;
    if (auto n = in.names.find(key); n != in.names.end())
      found = &n->second;
    else if (!in.roots.count(key))
      return nullptr;
    bool plain = found != nullptr;
    std::string text = key;
    for (size_t k = at;
         !plain && k < steps.size() && steps[k]->kind == Expr::Index; ++k) {
      for (size_t a = 1; a < steps[k]->args.size(); ++a) {
        auto part = indexText(*steps[k]->args[a], scope, env);
        if (!part)
          return nullptr;
        text += *part;
      }
      if (auto n = in.names.find(text); n != in.names.end()) {
        found = &n->second;
        last = steps[k];
        used = k + 1;
      }
    }
    if (!found) {
      bool indexed = at < steps.size() && steps[at]->kind == Expr::Index;
      if (!indexed && !strict)
        return nullptr; // a family as a whole, to be passed on
      std::vector<std::string> near;
      for (const auto &[k, v] : in.names)
        if (k.rfind(key + "[", 0) == 0)
          near.push_back(k);
      if (near.empty())
        diag.error(start.loc, "'" + key + "' is not known yet at this place",
                   "its declaration stands further down or was not expanded");
      else
        diag.unknown(start.loc, "name", text, near);
      return nullptr;
    }
    at = used;
    base = name(found->full, *last);
    return found;
  };
  unsigned before = diag.errors();
  // An argument: its expression, with the steps behind it, in the caller's
  // names. All of it counts as the text that stands here.
  auto substitute = [&](const std::pair<ExprPtr, const Piece *> &object,
                        size_t from) {
    ExprPtr whole = clone(object.first);
    std::function<void(Expr &)> settle = [&](Expr &x) {
      x.loc = first->loc;
      x.begin = e->begin;
      x.end = e->end;
      for (ExprPtr &a : x.args)
        settle(*a);
    };
    settle(*whole);
    for (size_t k = from; k < steps.size(); ++k) {
      auto s = std::make_unique<Expr>();
      s->kind = steps[k]->kind;
      s->name = steps[k]->name;
      s->loc = steps[k]->loc;
      s->begin = e->begin;
      s->end = e->end;
      s->args.push_back(std::move(whole));
      for (size_t a = 1; a < steps[k]->args.size(); ++a) {
        ExprPtr index = clone(steps[k]->args[a]);
        rewrite(index, scope, env, false);
        ConstResult v = hooks.evaluate(*index, env, nullptr, "");
        if (!v || !v->p.isNumber())
          return false;
        s->args.push_back(number(v->p.number(), *e));
      }
      whole = std::move(s);
    }
    const Piece &caller = *object.second;
    if (whole->kind == Expr::Call)
      rewrite(whole, *caller.scope, &caller.env, true, true);
    else if (!resolveChain(whole, *caller.scope, &caller.env, ref, true))
      return false;
    e = std::move(whole);
    return true;
  };
  if (auto o = scope.objects.find(first->name); o != scope.objects.end()) {
    return substitute(o->second, 0);
  } else if (scope.absent.count(first->name)) {
    diag.error(first->loc, "argument '" + first->name + "' is not given here",
               "put the statement into 'if given(" + first->name + ") { … }'");
    return false;
  } else {
    entry = find(*where, first->name, *first);
    if (!entry) {
      if (strict && diag.errors() == before && !scope.prefix.empty()) {
        std::vector<std::string> known;
        for (const auto &n : scope.names)
          known.push_back(n.first);
        for (const auto &n : scope.objects)
          known.push_back(n.first);
        diag.unknown(first->loc,
                     "name of circuit '" + scope.circuit->name.name + "'",
                     first->name, known);
      }
      return false;
    }
  }
  while (entry && entry->inner && at < steps.size()) {
    const Expr &step = *steps[at];
    if (step.kind != Expr::Member)
      break;
    ++at;
    where = entry->inner;
    if (auto o = where->objects.find(step.name); o != where->objects.end())
      return substitute(o->second, at);
    std::string circuit = where->circuit->name.name;
    const NameEntry *next = find(*where, step.name, step);
    if (!next) {
      if (where->faulty) { // reported
        e = name(faultyName, step);
        return true;
      }
      if (diag.errors() == before) {
        std::vector<std::string> known;
        for (const auto &n : where->names)
          known.push_back(n.first);
        diag.unknown(step.loc, "member of circuit '" + circuit + "'", step.name,
                     known);
      }
      return false;
    }
    entry = next;
  }
  ref.entry = entry;
  // What is left: a signal or state, or an index of its elements.
  for (; at < steps.size(); ++at) {
    auto s = std::make_unique<Expr>();
    const Expr &step = *steps[at];
    s->kind = step.kind;
    s->name = step.name;
    s->loc = step.loc;
    s->begin = e->begin;
    s->end = step.end;
    s->args.push_back(std::move(base));
    for (size_t k = 1; k < step.args.size(); ++k) {
      s->args.push_back(clone(step.args[k]));
      rewrite(s->args.back(), scope, env, true);
    }
    base = std::move(s);
  }
  e = std::move(base);
  return true;
}

/// The extents of what size(…) or shape(…) names.
std::optional<std::vector<double>>
Expansion::shapeOf(const Expr &call, const Scope &scope, const ConstEnv *env) {
  if (call.args.size() != 1) {
    diag.error(call.loc, "'" + call.name + "' takes a population or a signal");
    return std::nullopt;
  }
  ExprPtr e = clone(call.args[0]);
  if (const Expr *r = rootOf(*e))
    if (auto o = scope.objects.find(r->name);
        o != scope.objects.end() && o->second.first->kind == Expr::Call) {
      // delayed(x, …) is as large as x.
      Expr inner;
      inner.kind = Expr::Call;
      inner.name = call.name;
      inner.loc = call.loc;
      inner.begin = call.begin;
      inner.end = call.end;
      inner.args.push_back(clone(o->second.first->args[0]));
      return shapeOf(inner, *o->second.second->scope, &o->second.second->env);
    }
  Ref ref;
  unsigned before = diag.errors();
  if (!resolveChain(e, scope, env, ref, true) || !ref.entry) {
    if (diag.errors() == before)
      diag.error(call.loc, "'" + call.name +
                               "' takes a population or a "
                               "signal, but " +
                               quote(*call.args[0]) + " is neither");
    return std::nullopt;
  }
  const Item &it = *ref.entry->item;
  if (it.keyword == "scalar")
    return std::vector<double>{1};
  if (it.shape.empty()) {
    diag.error(call.loc, quote(*call.args[0]) + " is a " + it.keyword +
                             " and has no size");
    return std::nullopt;
  }
  if (!measuring.insert(ref.entry).second) {
    diag.error(call.loc,
               "the size of " + quote(*call.args[0]) + " depends on itself");
    return std::nullopt;
  }
  std::vector<double> shape;
  for (const ExprPtr &s : it.shape) {
    ConstResult v = constant(*s, *ref.entry->block);
    if (!v || v->p.dist) { // reported, also where it is declared
      shape.clear();
      break;
    }
    shape.insert(shape.end(), v->p.data.begin(), v->p.data.end());
  }
  measuring.erase(ref.entry);
  if (shape.empty())
    return std::nullopt;
  return shape;
}

/// True if `e` names something that is declared with a number of units.
bool Expansion::hasUnits(const Expr &e, const Scope &scope,
                         const ConstEnv *env) {
  ExprPtr own = clone(e);
  Ref ref;
  return rootOf(*own) && resolveChain(own, scope, env, ref, false) &&
         ref.entry &&
         (ref.entry->item->keyword == "scalar" ||
          !ref.entry->item->shape.empty());
}

void Expansion::rewrite(ExprPtr &e, const Scope &scope, const ConstEnv *env,
                        bool refs, bool strict) {
  if (!e)
    return;
  if (e->kind == Expr::Name) {
    if (auto a = scope.aliases.find(e->name); a != scope.aliases.end()) {
      e->name = a->second;
      return;
    }
  }
  if (refs && (e->kind == Expr::Name || e->kind == Expr::Member ||
               e->kind == Expr::Index)) {
    Ref ref;
    unsigned before = diag.errors();
    if (resolveChain(e, scope, env, ref, strict))
      return;
    // A circuit must not meet a name of the network by accident.
    const Expr *first = rootOf(*e);
    if (diag.errors() == before && &scope != &root && first &&
        root.roots.count(first->name) && !(env && env->lookup(first->name)))
      diag.unknown(first->loc,
                   "name of circuit '" + scope.circuit->name.name + "'",
                   first->name, {});
    if (diag.errors() != before) { // reported; a name that is passed over
      e->kind = Expr::Name;
      e->name = faultyName;
      e->args.clear();
      return;
    }
  }
  if (e->kind == Expr::Call) {
    bool network = &scope == &root;
    // In an experiment the size of any array, which the host counts.
    if (e->name == "size" && ofSteps && e->args.size() == 1 &&
        !hasUnits(*e->args[0], scope, env)) {
      rewrite(e->args[0], scope, env, refs, false);
      return;
    }
    if (e->name == "size" || e->name == "shape") {
      auto shape = shapeOf(*e, scope, env);
      double units = 1;
      for (double d : shape.value_or(std::vector<double>{1}))
        units *= d;
      if (e->name == "size") {
        e = number(units, *e);
        return;
      }
      auto list = std::make_unique<Expr>();
      list->kind = Expr::Array;
      list->loc = e->loc;
      list->begin = e->begin;
      list->end = e->end;
      for (double d : shape.value_or(std::vector<double>{1}))
        list->args.push_back(number(d, *e));
      e = std::move(list);
      return;
    }
    if (e->name == "given" && !network) {
      bool known =
          e->args.size() == 1 && e->args[0]->kind == Expr::Name &&
          llvm::any_of(scope.circuit->params, [&](const CircuitParam &p) {
            return p.name.name == e->args[0]->name;
          });
      if (!known)
        diag.error(e->loc, "'given' takes the name of an argument of this "
                           "circuit");
      bool yes = known && scope.given.count(e->args[0]->name);
      ExprPtr truth = number(0, *e);
      truth->kind = Expr::Name;
      truth->name = yes ? "true" : "false";
      e = std::move(truth);
      return;
    }
    if (e->name == "delayed") {
      for (size_t k = 0; k < e->args.size(); ++k)
        rewrite(e->args[k], scope, env, k == 0, k == 0);
      return;
    }
    if (auto a = scope.aliases.find(e->name); a != scope.aliases.end())
      e->name = a->second;
  }
  for (ExprPtr &a : e->args)
    rewrite(a, scope, env, refs, false);
}

ExprPtr Expansion::resolve(const Expr &e, const ConstEnv *env) {
  ExprPtr own = clone(e);
  ofSteps = true;
  rewrite(own, root, env, true);
  ofSteps = false;
  return own;
}

} // namespace neuroc::lang
