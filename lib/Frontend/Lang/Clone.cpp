// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Deep copies of syntax trees. A circuit's statements are copied for each of
// its instances; the copies keep pointing at the text they came from.
#include "Ast.h"

namespace neuroc::lang {

ExprPtr clone(const Expr &e) {
  auto c = std::make_unique<Expr>();
  c->kind = e.kind;
  c->loc = e.loc;
  c->begin = e.begin;
  c->end = e.end;
  c->number = e.number;
  c->exponent = e.exponent;
  c->name = e.name;
  for (const ExprPtr &a : e.args)
    c->args.push_back(clone(a));
  c->argNames = e.argNames;
  return c;
}

ExprPtr clone(const ExprPtr &e) { return e ? clone(*e) : nullptr; }

ItemPtr clone(const Item &it) {
  auto c = std::make_unique<Item>();
  c->keyword = it.keyword;
  c->loc = it.loc;
  c->name = it.name;
  c->type = it.type;
  c->unit.unit = clone(it.unit.unit);
  c->unit.spike = it.unit.spike;
  c->unit.loc = it.unit.loc;
  auto list = [](const std::vector<ExprPtr> &from, std::vector<ExprPtr> &to) {
    for (const ExprPtr &e : from)
      to.push_back(clone(e));
  };
  list(it.index, c->index);
  list(it.shape, c->shape);
  c->from = clone(it.from);
  c->to = clone(it.to);
  c->value = clone(it.value);
  c->connector = clone(it.connector);
  c->transposed = it.transposed;
  for (const Clause &k : it.clauses)
    c->clauses.push_back({k.key, k.loc, clone(k.value), k.op});
  for (const ItemPtr &b : it.body)
    c->body.push_back(clone(*b));
  for (const ItemPtr &b : it.other)
    c->other.push_back(clone(*b));
  return c;
}

} // namespace neuroc::lang
