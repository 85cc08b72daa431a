// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Parser of the `.neuro` language: networks and experiments. A statement is an
// Item: a head of its own form, then clauses "word value" in any order.
#include "Parser.h"

#include "llvm/ADT/STLExtras.h"

namespace neuroc::lang {

ItemPtr Parser::newItem(const Token &at) {
  auto it = std::make_unique<Item>();
  it->keyword = at.text.str();
  it->loc = at.loc();
  return it;
}

/// shape = "[" expr { "," expr } "]"
void Parser::shape(Item &it) {
  if (!expect(Tok::LBracket, "'[' and the number of units"))
    return;
  ++parens;
  skipNewlines();
  do {
    ExprPtr e = expr();
    if (!e)
      return;
    it.shape.push_back(std::move(e));
  } while (accept(Tok::Comma));
  if (parens)
    --parens;
  expect(Tok::RBracket, "']' or ','");
}

/// `{ name = expr … }`: values of parameters and states.
void Parser::bindings(Item &it) {
  block([&] {
    const Token &t = peek();
    ItemPtr b = newItem(t);
    b->keyword = "=";
    if (atWord("let") && peek(1).is(Tok::Identifier)) {
      take();
      b->keyword = "let";
    }
    b->name = ident("the name of a parameter or state");
    if (!b->name || !expect(Tok::Assign, "'='"))
      return;
    skipNewlines();
    b->value = expr();
    if (b->value)
      it.body.push_back(std::move(b));
  });
}

/// Clauses in any order. A clause may start a new line if it is indented below
/// its statement and its word is not also the start of a statement.
void Parser::clauses(Item &it, const std::vector<std::string> &known) {
  static const std::vector<std::string> starters = {"weight", "let", "record",
                                                    "output"};
  static const std::vector<std::string> flags = {"disabled"};
  static const std::vector<std::string> names = {"sign", "as", "combine"};
  static const std::vector<std::string> ranges = {"bounds", "range", "rows"};
  for (;;) {
    size_t save = pos;
    skipNewlines();
    bool newLine = pos != save;
    bool continues =
        at(Tok::Identifier) && !peek(1).is(Tok::Assign) &&
        llvm::is_contained(known, peek().text.str()) &&
        !(newLine && llvm::is_contained(starters, peek().text.str()));
    if (!continues) {
      pos = save;
      if (at(Tok::Identifier) && !panic) {
        // Not the end of the statement: a misspelt clause.
        panic = true;
        diag.unknown(peek().loc(), "clause", peek().text, known);
      }
      return;
    }
    const Token &word = take();
    Clause c;
    c.key = word.text.str();
    c.loc = word.loc();
    if (it.clause(c.key)) {
      diag.error(c.loc, "'" + c.key + "' is given twice");
    }
    if (llvm::is_contained(flags, c.key)) {
      // no value
    } else if (llvm::is_contained(names, c.key)) {
      const Token &t = peek();
      Ident n = ident("a name after '" + c.key + "'");
      if (!n)
        return;
      c.value = make(Expr::Name, t);
      c.value->name = n.name;
    } else if (llvm::is_contained(ranges, c.key)) {
      c.value = make(Expr::Array, peek());
      ExprPtr lo, hi;
      if (!range(lo, hi))
        return;
      c.value->args.push_back(std::move(lo));
      c.value->args.push_back(std::move(hi));
      c.value = finish(std::move(c.value));
    } else {
      c.value = expr();
      if (!c.value)
        return;
    }
    it.clauses.push_back(std::move(c));
  }
}

//===----------------------------------------------------------------------===//
// Networks
//===----------------------------------------------------------------------===//

std::unique_ptr<NetworkDecl> Parser::network() {
  auto n = std::make_unique<NetworkDecl>();
  n->loc = take().loc();
  n->name = ident("the name of the network");
  if (!n->name)
    return nullptr;
  if (acceptWord("from")) {
    const Token &t = peek();
    if (!t.is(Tok::String)) {
      fail("a file name in quotes");
      return nullptr;
    }
    take();
    n->file = t.string;
    n->fileLoc = t.loc();
    return n;
  }
  if (!block([&] {
        if (ItemPtr it = networkItem())
          n->items.push_back(std::move(it));
      }))
    return nullptr;
  return n;
}

ItemPtr Parser::networkItem() {
  static const std::vector<std::string> known = {
      "dt",      "seed",       "let",      "param",      "population",
      "stimulus", "spike_array", "weight", "connect",    "plasticity",
      "record",  "output",     "dataset",  "pc_layer",   "associative_memory"};
  if (!at(Tok::Identifier)) {
    fail("a statement");
    return nullptr;
  }
  const Token &t = peek();
  ItemPtr it = newItem(t);
  if (peek(1).is(Tok::Assign)) { // dt = …, seed = …
    take();
    take();
    skipNewlines();
    it->name = {it->keyword, it->loc};
    it->value = expr();
    if (!it->value)
      return nullptr;
    if (it->keyword != "dt" && it->keyword != "seed") {
      diag.error(it->loc, "'" + it->keyword + "' is not a setting of a network",
                 "settings are 'dt' and 'seed'; write 'let " + it->keyword +
                     " = …' to define a constant");
      return nullptr;
    }
    it->keyword = "=";
    return it;
  }
  if (!llvm::is_contained(known, it->keyword)) {
    unknownStatement(known);
    return nullptr;
  }
  take();
  if (it->keyword == "population")
    return population(std::move(it));
  if (it->keyword == "weight")
    return weight(std::move(it));
  if (it->keyword == "connect")
    return connect(std::move(it));
  if (it->keyword == "plasticity")
    return plasticity(std::move(it));
  if (it->keyword == "record") {
    it->value = reference();
    if (it->value)
      clauses(*it, {"every", "as"});
    return panic ? nullptr : std::move(it);
  }
  it->name = ident("a name");
  if (!it->name)
    return nullptr;
  if (it->keyword == "let" || it->keyword == "param" ||
      it->keyword == "dataset" || it->keyword == "output") {
    if (!expect(Tok::Assign, "'='"))
      return nullptr;
    skipNewlines();
    it->value = it->keyword == "output" ? reference() : expr();
    if (it->value && it->keyword == "output")
      clauses(*it, {"every"});
    return it->value && !panic ? std::move(it) : nullptr;
  }
  shape(*it);
  if (panic)
    return nullptr;
  if (it->keyword == "stimulus") {
    it->unit = typeSpec();
    if (accept(Tok::Assign)) {
      it->value = expr();
      if (!it->value)
        return nullptr;
    }
    clauses(*it, {"range", "label"});
  } else if (it->keyword == "spike_array") {
    if (!expect(Tok::Assign, "'=' and the spike times of each unit"))
      return nullptr;
    skipNewlines();
    it->value = expr();
  } else if (it->keyword == "pc_layer") {
    if (!expectWord("predicts"))
      return nullptr;
    it->from = reference();
    if (it->from)
      clauses(*it, {"through", "top_down", "rate", "precision", "prior",
                    "learning_rate", "range"});
  } else { // associative_memory
    if (!expectWord("cue"))
      return nullptr;
    it->from = reference();
    if (it->from)
      clauses(*it, {"through", "learning_rate"});
  }
  return panic ? nullptr : std::move(it);
}

/// population NAME ":" MODEL shape ["every" n] [bindings]
ItemPtr Parser::population(ItemPtr it) {
  it->name = ident("the name of the population");
  if (!it->name || !expect(Tok::Colon, "':' and a model"))
    return nullptr;
  it->type = ident("the name of a model");
  if (!it->type)
    return nullptr;
  shape(*it);
  if (panic)
    return nullptr;
  if (!at(Tok::LBrace))
    clauses(*it, {"every"});
  if (at(Tok::LBrace))
    bindings(*it);
  return panic ? nullptr : std::move(it);
}

/// weight NAME ":" side "->" side connector "=" expr clauses
ItemPtr Parser::weight(ItemPtr it) {
  auto side = [&]() -> ExprPtr {
    // A population, or a bare shape.
    return at(Tok::LBracket) ? primary() : reference();
  };
  it->name = ident("the name of the weight");
  if (!it->name || !expect(Tok::Colon, "':' and the two sides"))
    return nullptr;
  it->from = side();
  if (!it->from || !expect(Tok::Arrow, "'->'"))
    return nullptr;
  it->to = side();
  if (!it->to)
    return nullptr;
  it->connector = primary();
  if (!it->connector || !expect(Tok::Assign, "'=' and the values"))
    return nullptr;
  skipNewlines();
  it->value = expr();
  if (it->value)
    clauses(*it, {"sign", "bounds", "mask"});
  return it->value && !panic ? std::move(it) : nullptr;
}

/// connect source "->" target ( "through" ["transposed"] W | connector ) clauses
ItemPtr Parser::connect(ItemPtr it) {
  it->from = reference();
  if (!it->from || !expect(Tok::Arrow, "'->'"))
    return nullptr;
  it->to = reference();
  if (!it->to)
    return nullptr;
  size_t save = pos;
  skipNewlines();
  if (acceptWord("through")) {
    it->transposed = acceptWord("transposed");
    it->name = ident("the name of a weight");
    if (!it->name)
      return nullptr;
    clauses(*it, {"delay", "combine", "transmit"});
  } else {
    pos = save;
    if (!at(Tok::Identifier)) {
      fail("a connector such as 'all_to_all', or 'through W'");
      return nullptr;
    }
    it->connector = primary();
    if (it->connector)
      clauses(*it, {"weight", "delay", "combine", "transmit", "sign", "bounds",
                    "mask", "as"});
  }
  return panic ? nullptr : std::move(it);
}

/// plasticity NAME "on" W ":" RULE clauses [bindings]
ItemPtr Parser::plasticity(ItemPtr it) {
  it->name = ident("the name of the plasticity");
  if (!it->name || !expectWord("on"))
    return nullptr;
  const Token &t = peek();
  Ident w = ident("the name of a weight");
  if (!w || !expect(Tok::Colon, "':' and a rule"))
    return nullptr;
  it->to = make(Expr::Name, t);
  it->to->name = w.name;
  it->type = ident("the name of a rule");
  if (!it->type)
    return nullptr;
  if (!at(Tok::LBrace))
    clauses(*it, {"pre", "post", "delay", "disabled"});
  if (at(Tok::LBrace))
    bindings(*it);
  return panic ? nullptr : std::move(it);
}

//===----------------------------------------------------------------------===//
// Experiments
//===----------------------------------------------------------------------===//

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

/// ( "=" expr ) | ( "from" NAME [ "row" expr ] )
void Parser::dataSource(Item &it) {
  if (accept(Tok::Assign)) {
    skipNewlines();
    it.value = expr();
    return;
  }
  if (acceptWord("from")) {
    it.type = ident("the name of a dataset");
    if (!it.type)
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

ItemPtr Parser::experimentItem() {
  static const std::vector<std::string> known = {
      "let",    "dataset", "phase",   "repeat",   "for",     "present",
      "step",   "settle",  "enable",  "disable",  "clamp",   "release",
      "assign", "call",    "snapshot", "restore", "readout", "expect"};
  if (!at(Tok::Identifier) || !llvm::is_contained(known, peek().text.str())) {
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
    it->value = expr();
    return it->value ? experimentBody(std::move(it)) : nullptr;
  }
  if (word == "for") {
    if (!expectWord("each") || !expectWord("row") || !expectWord("of"))
      return nullptr;
    it->name = ident("the name of a dataset");
    if (!it->name)
      return nullptr;
    if (!at(Tok::LBrace))
      clauses(*it, {"rows"});
    return experimentBody(std::move(it));
  }
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
  if (word == "enable" || word == "disable" || word == "call" ||
      word == "restore") {
    it->name = ident("a name");
    return it->name ? std::move(it) : nullptr;
  }
  if (word == "release") {
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
      const Token &t = peek();
      Ident n = ident("a population or weight");
      if (!n)
        return nullptr;
      ExprPtr e = make(Expr::Name, t);
      e->name = n.name;
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
