// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Parser of the `.neuro` language: networks. A statement is an
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
  static const std::vector<std::string> flags = {"disabled", "plant"};
  static const std::vector<std::string> names = {"sign", "combine", "batch"};
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
    } else if (c.key == "as") {
      c.value = reference();
      if (!c.value)
        return;
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
      "record",  "output",     "dataset",  "pc_layer",   "associative_memory",
      "scalar",  "circuit",    "for",      "if"};
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
    if (!llvm::is_contained({"dt", "seed", "batch"}, it->keyword)) {
      diag.error(it->loc, "'" + it->keyword + "' is not a setting of a network",
                 "settings are 'dt', 'seed' and 'batch'; write 'let " +
                     it->keyword +
                     " = …' to define a constant");
      return nullptr;
    }
    it->keyword = "=";
    return it;
  }
  if (compileTimeItem())
    return compileTime(std::move(it));
  if (!llvm::is_contained(known, it->keyword)) {
    unknownStatement(known);
    return nullptr;
  }
  take();
  if (it->keyword == "scalar")
    return scalarSource(std::move(it));
  if (it->keyword == "population")
    return population(std::move(it));
  if (it->keyword == "weight")
    return weight(std::move(it));
  if (it->keyword == "connect")
    return connect(std::move(it));
  if (it->keyword == "plasticity")
    return plasticity(std::move(it));
  if (it->keyword == "record") {
    it->value = source();
    if (it->value)
      clauses(*it, {"every", "as", "wrt"});
    return panic ? nullptr : std::move(it);
  }
  it->name = ident("a name");
  if (!it->name)
    return nullptr;
  if (it->keyword != "let" && it->keyword != "param")
    indices(*it, /*last=*/it->keyword != "dataset" && it->keyword != "output");
  if (panic)
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
  indices(*it);
  if (panic || !expect(Tok::Colon, "':' and a model"))
    return nullptr;
  it->type = ident("the name of a model");
  if (!it->type)
    return nullptr;
  shape(*it);
  if (panic)
    return nullptr;
  if (!at(Tok::LBrace))
    clauses(*it, {"every", "plant"});
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
  indices(*it);
  if (panic || !expect(Tok::Colon, "':' and the two sides"))
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

/// A reference, or delayed(reference, time).
ExprPtr Parser::source() {
  return atWord("delayed") && peek(1).is(Tok::LParen) ? primary() : reference();
}

/// connect source "->" target ( "through" ["transposed"] W | connector ) clauses
ItemPtr Parser::connect(ItemPtr it) {
  it->from = source();
  if (!it->from || !expect(Tok::Arrow, "'->'"))
    return nullptr;
  it->to = reference();
  if (!it->to)
    return nullptr;
  size_t save = pos;
  skipNewlines();
  if (acceptWord("through")) {
    it->transposed = acceptWord("transposed");
    it->value = reference("the name of a weight");
    if (!it->value)
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
  indices(*it);
  if (panic || !expectWord("on"))
    return nullptr;
  it->to = reference("the name of a weight");
  if (!it->to || !expect(Tok::Colon, "':' and a rule"))
    return nullptr;
  it->type = ident("the name of a rule");
  if (!it->type)
    return nullptr;
  if (!at(Tok::LBrace))
    clauses(*it, {"pre", "post", "delay", "disabled", "batch"});
  if (at(Tok::LBrace))
    bindings(*it);
  return panic ? nullptr : std::move(it);
}

} // namespace neuroc::lang
