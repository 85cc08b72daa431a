// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Parser of the `.neuro` language: experiments and procedures. Names of the
// network in steps are kept as expressions (Item::from, to, shape), so that a
// procedure can put an argument, and a loop an index, in their place.
#include "Parser.h"

#include "llvm/ADT/STLExtras.h"

namespace neuroc::lang {

std::unique_ptr<ExperimentDecl> Parser::experiment() {
  auto e = std::make_unique<ExperimentDecl>();
  e->loc = take().loc();
  e->name = ident("the name of the experiment");
  if (!e->name || !expectWord("on"))
    return nullptr;
  e->network = ident("the name of a network");
  if (!e->network)
    return nullptr;
  if (!block([&] {
        if (ItemPtr it = experimentItem())
          e->items.push_back(std::move(it));
      }))
    return nullptr;
  return e;
}

/// procedure NAME(a, b, n = 3) { steps }
std::unique_ptr<ProcedureDecl> Parser::procedure() {
  auto p = std::make_unique<ProcedureDecl>();
  take();
  p->name = ident("the name of the procedure");
  if (!p->name || !expect(Tok::LParen, "'(' and the arguments"))
    return nullptr;
  ++parens;
  skipNewlines();
  while (!at(Tok::RParen)) {
    Decl &d = p->params.emplace_back();
    d.name = ident("the name of an argument");
    if (!d.name)
      return nullptr;
    if (accept(Tok::Assign)) {
      d.init = expr();
      if (!d.init)
        return nullptr;
    }
    if (!accept(Tok::Comma))
      break;
  }
  if (parens)
    --parens;
  if (!expect(Tok::RParen, "')' or ','") || !block([&] {
        if (ItemPtr it = experimentItem())
          p->items.push_back(std::move(it));
      }))
    return nullptr;
  return p;
}

/// ( "=" expr ) | ( "from" ref [ "row" expr ] )
void Parser::dataSource(Item &it) {
  if (accept(Tok::Assign)) {
    skipNewlines();
    it.value = expr();
    return;
  }
  if (acceptWord("from")) {
    it.to = reference();
    if (!it.to)
      return;
    clauses(it, {"row"});
    return;
  }
  fail("'= value' or 'from dataset'");
}

ItemPtr Parser::experimentBody(ItemPtr it) {
  block([&] {
    if (ItemPtr inner = experimentItem())
      it->body.push_back(std::move(inner));
  });
  return panic ? nullptr : std::move(it);
}

/// if expr { … } [ else ( { … } | if … ) ]
ItemPtr Parser::ifItem(ItemPtr it) {
  it->value = expr();
  if (!it->value)
    return nullptr;
  it = experimentBody(std::move(it));
  if (!it)
    return nullptr;
  size_t save = pos;
  skipNewlines();
  if (!acceptWord("else")) {
    pos = save;
    return it;
  }
  if (atWord("if")) {
    ItemPtr inner = ifItem(newItem(take()));
    if (!inner)
      return nullptr;
    it->other.push_back(std::move(inner));
    return it;
  }
  block([&] {
    if (ItemPtr inner = experimentItem())
      it->other.push_back(std::move(inner));
  });
  return panic ? nullptr : std::move(it);
}

/// for each ( row | batch ) of ref …, or a compile-time loop
ItemPtr Parser::forItem(ItemPtr it) {
  if (!atWord("each") || peek(1).isWord("in"))
    return forRange(std::move(it), [this] { return experimentItem(); });
  take();
  if (atWord("batch"))
    it->transposed = true; // as many rows as the network has lanes
  else if (!atWord("row"))
    return fail("'row' or 'batch'"), nullptr;
  take();
  if (!expectWord("of"))
    return nullptr;
  it->from = reference();
  if (!it->from)
    return nullptr;
  clauses(*it, {"rows", "shuffled", "as"});
  return experimentBody(std::move(it));
}

/// while expr max n { … }; repeat until expr max n { … }
ItemPtr Parser::whileItem(ItemPtr it) {
  it->value = expr();
  if (it->value)
    clauses(*it, {"max"});
  if (it->value && !it->clause("max") && !panic)
    fail("'max' and the largest number of rounds");
  return it->value && !panic ? experimentBody(std::move(it)) : nullptr;
}

/// stream ref from ref { , ref from ref } [ rows … ] [ every … ]
ItemPtr Parser::streamItem(ItemPtr it) {
  do {
    for (bool stimulus : {true, false}) {
      ExprPtr e = reference();
      if (!e || (stimulus && !expectWord("from")))
        return nullptr;
      it->shape.push_back(std::move(e));
    }
  } while (accept(Tok::Comma));
  clauses(*it, {"rows", "every"});
  return panic ? nullptr : std::move(it);
}

/// k = expr, k += expr, k[i] = expr
ItemPtr Parser::variableItem(ItemPtr it) {
  it->keyword = "set";
  it->name = ident("a variable");
  if (accept(Tok::LBracket)) {
    ++parens;
    skipNewlines();
    do {
      ExprPtr e = expr();
      if (!e)
        return nullptr;
      it->shape.push_back(std::move(e));
    } while (accept(Tok::Comma));
    if (parens)
      --parens;
    if (!expect(Tok::RBracket, "']' or ','"))
      return nullptr;
  }
  static const std::pair<Tok, const char *> operators[] = {
      {Tok::PlusAssign, "+"},
      {Tok::MinusAssign, "-"},
      {Tok::StarAssign, "*"},
      {Tok::SlashAssign, "/"}};
  for (auto [token, op] : operators)
    if (at(token))
      it->type.name = op;
  if (it->type)
    take();
  else if (!expect(Tok::Assign, "'='"))
    return nullptr;
  skipNewlines();
  it->value = expr();
  return it->value ? std::move(it) : nullptr;
}

/// Whether `name [ … ] =` or `name +=` begins here.
bool Parser::atAssignment() const {
  auto assigns = [&](unsigned n) {
    return peek(n).is(Tok::Assign) || peek(n).is(Tok::PlusAssign) ||
           peek(n).is(Tok::MinusAssign) || peek(n).is(Tok::StarAssign) ||
           peek(n).is(Tok::SlashAssign);
  };
  if (assigns(1))
    return true;
  if (!peek(1).is(Tok::LBracket))
    return false;
  unsigned open = 1, n = 2;
  for (; open && !peek(n).is(Tok::End) && !peek(n).is(Tok::RBrace); ++n)
    open += peek(n).is(Tok::LBracket) ? 1 : peek(n).is(Tok::RBracket) ? -1 : 0;
  return !open && assigns(n);
}

ItemPtr Parser::experimentItem() {
  static const std::vector<std::string> known = {
      "let",    "dataset", "phase",    "repeat",  "for",     "while",
      "if",     "present", "step",     "settle",  "stream",  "enable",
      "disable", "clamp",  "release",  "assign",  "call",    "snapshot",
      "restore", "readout", "expect"};
  if (at(Tok::Identifier) && atAssignment())
    return variableItem(newItem(peek()));
  if (!at(Tok::Identifier) || !llvm::is_contained(known, peek().text.str())) {
    if (at(Tok::Identifier) && peek(1).is(Tok::LParen)) {
      ItemPtr it = newItem(peek());
      it->keyword = "()";
      it->value = primary(); // a procedure
      return it->value ? std::move(it) : nullptr;
    }
    unknownStatement(known);
    return nullptr;
  }
  ItemPtr it = newItem(take());
  const std::string &word = it->keyword;
  if (word == "let" || word == "dataset" || word == "readout") {
    it->name = ident("a name");
    if (!it->name || !expect(Tok::Assign, "'='"))
      return nullptr;
    skipNewlines();
    it->value = expr();
    return it->value ? std::move(it) : nullptr;
  }
  if (word == "phase") {
    it->name = ident("the name of the phase");
    return it->name ? experimentBody(std::move(it)) : nullptr;
  }
  if (word == "repeat") {
    if (acceptWord("until")) {
      it->keyword = "until";
      return whileItem(std::move(it));
    }
    it->value = expr();
    if (it->value)
      clauses(*it, {"as"});
    return it->value && !panic ? experimentBody(std::move(it)) : nullptr;
  }
  if (word == "while")
    return whileItem(std::move(it));
  if (word == "if")
    return ifItem(std::move(it));
  if (word == "for")
    return forItem(std::move(it));
  if (word == "stream")
    return streamItem(std::move(it));
  if (word == "step") {
    it->value = expr();
    if (!it->value)
      return nullptr;
    if (acceptWord("ticks"))
      it->transposed = true; // a bare number of ticks
    return it;
  }
  if (word == "settle") {
    if (!expectWord("until") || !expectWord("change") ||
        !expect(Tok::LParen, "'('"))
      return nullptr;
    it->from = reference();
    if (!it->from || !expect(Tok::RParen, "')'") ||
        !expect(Tok::Less, "'<' and a bound"))
      return nullptr;
    it->value = expr();
    if (it->value)
      clauses(*it, {"max"});
    return it->value && !panic ? std::move(it) : nullptr;
  }
  if (word == "restore") {
    it->name = ident("a name");
    return it->name ? std::move(it) : nullptr;
  }
  if (word == "release" || word == "enable" || word == "disable" ||
      word == "call") {
    it->from = reference();
    return it->from ? std::move(it) : nullptr;
  }
  if (word == "present" || word == "clamp" || word == "assign") {
    it->from = reference();
    if (it->from)
      dataSource(*it);
    return it->from && !panic ? std::move(it) : nullptr;
  }
  if (word == "snapshot") {
    it->name = ident("the name of the snapshot");
    if (!it->name || !expectWord("of"))
      return nullptr;
    do {
      ExprPtr e = reference();
      if (!e)
        return nullptr;
      it->shape.push_back(std::move(e));
    } while (accept(Tok::Comma));
    return it;
  }
  return expectItem(std::move(it));
}

/// expect metric(of [, against] {, option = expr}) bound ["on" target {"," …}]
ItemPtr Parser::expectItem(ItemPtr it) {
  it->value = primary();
  if (!it->value)
    return nullptr;
  if (it->value->kind != Expr::Call) {
    if (!panic)
      diag.error(it->value->loc, "expected a metric such as 'mean(result)'");
    panic = true;
    return nullptr;
  }
  Clause bound;
  bound.loc = peek().loc();
  bound.key = "bound";
  if (accept(Tok::GreaterEq)) {
    bound.op = ">=";
  } else if (accept(Tok::LessEq)) {
    bound.op = "<=";
  } else if (atWord("in")) {
    take();
    bound.op = "in";
  } else if (atWord("within")) {
    take();
    bound.op = "within";
  } else {
    fail("'>=', '<=', 'in [lo, hi]' or 'within x of reference'");
    return nullptr;
  }
  if (bound.op == "in") {
    bound.value = make(Expr::Array, peek());
    ExprPtr lo, hi;
    if (!range(lo, hi))
      return nullptr;
    bound.value->args.push_back(std::move(lo));
    bound.value->args.push_back(std::move(hi));
    bound.value = finish(std::move(bound.value));
  } else {
    bound.value = expr();
    if (!bound.value)
      return nullptr;
    if (bound.op == "within" &&
        (!expectWord("of") || !expectWord("reference")))
      return nullptr;
  }
  it->clauses.push_back(std::move(bound));
  if (acceptWord("on")) {
    do {
      const Token &t = peek();
      Ident n = ident("the name of a target");
      if (!n)
        return nullptr;
      ExprPtr e = make(Expr::Name, t);
      e->name = n.name;
      while (accept(Tok::Minus)) // cpu-f64
        e->name += "-" + ident("the rest of the target's name").name;
      it->shape.push_back(std::move(e));
    } while (accept(Tok::Comma));
  }
  return it;
}

} // namespace neuroc::lang
