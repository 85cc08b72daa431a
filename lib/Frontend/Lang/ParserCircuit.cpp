// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Parser of the `.neuro` language: circuits and their instances, the
// compile-time statements `for` and `if`, indexed names, and sources that
// follow a formula.
#include "Parser.h"

#include "llvm/ADT/STLExtras.h"

namespace neuroc::lang {

/// circuit NAME "(" param { "," param } ")" "{" { net_item } "}"
std::unique_ptr<CircuitDecl> Parser::circuit() {
  take();
  auto c = std::make_unique<CircuitDecl>();
  c->name = ident("the name of the circuit");
  if (!c->name || !expect(Tok::LParen, "'(' and the arguments"))
    return nullptr;
  ++parens;
  skipNewlines();
  while (!at(Tok::RParen)) {
    CircuitParam p;
    for (const char *kind : {"function", "model", "rule"})
      if (atWord(kind) && peek(1).is(Tok::Identifier)) {
        take();
        p.kind = kind;
        break;
      }
    p.name = ident("the name of an argument");
    if (!p.name)
      return nullptr;
    for (const CircuitParam &other : c->params)
      if (other.name.name == p.name.name)
        diag.error(p.name.loc,
                   "argument '" + p.name.name + "' is declared twice");
    if (p.kind.empty())
      p.type = typeSpec();
    if (accept(Tok::Assign)) {
      p.init = expr();
      if (!p.init)
        return nullptr;
      if (!p.kind.empty() && p.init->kind != Expr::Name) {
        if (!panic)
          diag.error(p.init->loc,
                     "the default of a " + p.kind + " argument is a name");
        panic = true;
        return nullptr;
      }
    }
    c->params.push_back(std::move(p));
    if (!accept(Tok::Comma))
      break;
    skipNewlines();
  }
  if (parens)
    --parens;
  if (!expect(Tok::RParen, "')' or ','"))
    return nullptr;
  if (!block([&] {
        if (ItemPtr it = networkItem())
          c->items.push_back(std::move(it));
      }))
    return nullptr;
  return c;
}

/// Indices behind a declared name.
void Parser::indices(Item &it, bool last) {
  while (at(Tok::LBracket) && !panic) {
    if (last) {
      // Another group must follow; this one would be the shape else.
      unsigned deep = 0;
      size_t k = pos;
      for (; k < tokens.size() && !tokens[k].is(Tok::End); ++k) {
        if (tokens[k].is(Tok::LBracket))
          ++deep;
        else if (tokens[k].is(Tok::RBracket) && --deep == 0)
          break;
      }
      if (k + 1 >= tokens.size() || !tokens[k + 1].is(Tok::LBracket))
        return;
    }
    take();
    ++parens;
    skipNewlines();
    do {
      ExprPtr e = expr();
      if (!e)
        return;
      it.index.push_back(std::move(e));
    } while (accept(Tok::Comma));
    if (parens)
      --parens;
    if (!expect(Tok::RBracket, "']'"))
      return;
  }
}

/// True where a statement begins that only exists at compile time.
bool Parser::compileTimeItem() const {
  if (atWord("for") || atWord("if"))
    return !peek(1).is(Tok::Assign);
  if (atWord("circuit") && peek(1).is(Tok::Identifier))
    return true;
  return at(Tok::Identifier) && peek(1).is(Tok::LParen) && !peek(1).spaceBefore;
}

ItemPtr Parser::compileTime(ItemPtr it) {
  auto statement = [this] { return networkItem(); };
  if (it->keyword == "for") {
    take();
    return forRange(std::move(it), statement);
  }
  if (it->keyword != "if")
    return instance(std::move(it));
  take();
  it->value = expr();
  if (!it->value)
    return nullptr;
  auto part = [&](std::vector<ItemPtr> &into) {
    block([&] {
      if (ItemPtr inner = networkItem())
        into.push_back(std::move(inner));
    });
  };
  part(it->body);
  size_t save = pos;
  skipNewlines();
  if (!acceptWord("else")) {
    pos = save;
  } else if (atWord("if")) {
    if (ItemPtr nested = networkItem())
      it->other.push_back(std::move(nested));
  } else {
    part(it->other);
  }
  return panic ? nullptr : std::move(it);
}

/// NAME "in" ( expr ".." expr | expr ) "{" … "}"
ItemPtr Parser::forRange(ItemPtr it,
                         const std::function<ItemPtr()> &statement) {
  it->keyword = "for_in";
  it->name = ident("the name of the counter");
  if (!it->name || !expectWord("in"))
    return nullptr;
  it->from = expr();
  if (!it->from)
    return nullptr;
  if (accept(Tok::DotDot)) {
    it->to = expr();
    if (!it->to)
      return nullptr;
  }
  block([&] {
    if (ItemPtr inner = statement())
      it->body.push_back(std::move(inner));
  });
  return panic ? nullptr : std::move(it);
}

/// [ "circuit" NAME [indices] "=" ] CIRCUIT "(" arguments ")"
ItemPtr Parser::instance(ItemPtr it) {
  if (atWord("circuit") && peek(1).is(Tok::Identifier)) {
    take();
    it->name = ident("a name");
    indices(*it);
    if (panic || !expect(Tok::Assign, "'=' and a circuit"))
      return nullptr;
    skipNewlines();
  }
  it->keyword = "circuit";
  it->value = primary();
  if (!it->value)
    return nullptr;
  if (it->value->kind != Expr::Call) {
    if (!panic)
      diag.error(it->value->loc, "expected a circuit and its arguments, as in "
                                 "'NAME(x, y)'");
    panic = true;
    return nullptr;
  }
  it->type = {it->value->name, it->value->loc};
  return it;
}

/// scalar NAME "=" expr
ItemPtr Parser::scalarSource(ItemPtr it) {
  it->name = ident("the name of the source");
  indices(*it);
  if (panic || !expect(Tok::Assign, "'=' and a formula"))
    return nullptr;
  skipNewlines();
  it->value = expr();
  return it->value ? std::move(it) : nullptr;
}

} // namespace neuroc::lang
