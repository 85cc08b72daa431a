// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Parser of the `.neuro` language: files, models, rules, functions, and the
// statements of stages and handlers.
#include "Parser.h"

#include "llvm/ADT/STLExtras.h"

namespace neuroc::lang {

File Parser::parseFile() {
  File file;
  static const std::vector<std::string> known = {
      "import", "const", "function", "model", "rule", "circuit", "network",
      "experiment"};
  for (;;) {
    while (at(Tok::Newline) || at(Tok::Semicolon))
      ++pos;
    if (at(Tok::End))
      break;
    size_t before = pos;
    if (atWord("import")) {
      import(file);
    } else if (acceptWord("const")) {
      file.constants.push_back(decl("a constant"));
    } else if (atWord("function")) {
      if (auto f = function())
        file.functions.push_back(std::move(f));
    } else if (atWord("model")) {
      if (auto m = model())
        file.models.push_back(std::move(m));
    } else if (atWord("rule")) {
      if (auto r = rule())
        file.rules.push_back(std::move(r));
    } else if (atWord("circuit")) {
      if (auto c = circuit())
        file.circuits.push_back(std::move(c));
    } else if (atWord("network")) {
      if (auto n = network())
        file.networks.push_back(std::move(n));
    } else if (atWord("experiment")) {
      if (auto e = experiment())
        file.experiments.push_back(std::move(e));
    } else if (atWord("procedure")) {
      if (auto p = procedure())
        file.procedures.push_back(std::move(p));
    } else if (!at(Tok::RBrace)) {
      unknownStatement(known);
    }
    if (!panic && !atEndOfStatement())
      fail("the end of the declaration");
    if (panic)
      recover();
    if (at(Tok::RBrace)) {
      diag.error(peek().loc(), "'}' closes nothing");
      ++pos;
    }
    if (pos == before)
      ++pos;
  }
  return file;
}

/// Reports what stands where a statement should begin.
void Parser::unknownStatement(const std::vector<std::string> &known) {
  if (panic)
    return;
  const Token &t = peek();
  if (!t.is(Tok::Identifier)) {
    fail("a statement");
    return;
  }
  panic = true;
  diag.unknown(t.loc(), "statement", t.text, known);
}

void Parser::import(File &file) {
  take();
  const Token &t = peek();
  if (!t.is(Tok::String)) {
    fail("a file name in quotes");
    return;
  }
  take();
  file.imports.push_back({t.string, t.loc()});
}

std::unique_ptr<FunctionDecl> Parser::function() {
  take();
  auto f = std::make_unique<FunctionDecl>();
  f->name = ident("the name of the function");
  if (!f->name || !expect(Tok::LParen, "'('"))
    return nullptr;
  ++parens;
  skipNewlines();
  while (!at(Tok::RParen)) {
    Decl d;
    d.name = ident("a parameter name");
    if (!d.name)
      return nullptr;
    d.type = typeSpec();
    f->params.push_back(std::move(d));
    if (!accept(Tok::Comma))
      break;
  }
  if (parens)
    --parens;
  if (!expect(Tok::RParen, "')' or ','"))
    return nullptr;
  f->result = typeSpec();
  if (!expect(Tok::Assign, "'=' and the body"))
    return nullptr;
  skipNewlines();
  f->body = expr();
  return f->body ? std::move(f) : nullptr;
}

//===----------------------------------------------------------------------===//
// Declarations
//===----------------------------------------------------------------------===//

/// decl = name [type] ["=" expr] ["range" range] ["combine" op]
Decl Parser::decl(llvm::StringRef what) {
  Decl d;
  d.name = ident(("the name of " + what).str());
  if (!d.name)
    return d;
  d.type = typeSpec();
  if (accept(Tok::Assign)) {
    skipNewlines();
    d.init = expr();
  }
  for (;;) {
    if (acceptWord("range")) {
      if (!range(d.lo, d.hi))
        break;
    } else if (atWord("combine")) {
      take();
      Ident op = ident("sum, max, min or product");
      d.combine = op.name;
      d.combineLoc = op.loc;
      if (op && !llvm::is_contained({"sum", "max", "min", "product"}, op.name)) {
        diag.unknown(op.loc, "combine operator", op.name,
                     {"sum", "max", "min", "product"});
      }
    } else {
      break;
    }
  }
  return d;
}

/// decl { "," decl }
void Parser::decls(std::vector<Decl> &into, llvm::StringRef what) {
  do {
    skipNewlines(); // after a comma
    Decl d = decl(what);
    if (panic)
      return;
    into.push_back(std::move(d));
  } while (accept(Tok::Comma));
}

std::unique_ptr<ModelDecl> Parser::model() {
  auto m = std::make_unique<ModelDecl>();
  m->loc = take().loc();
  m->name = ident("the name of the model");
  if (!m->name)
    return nullptr;
  if (!block([&] { modelItem(*m); }))
    return nullptr;
  return m;
}

void Parser::modelItem(ModelDecl &m) {
  // A declaration's word is followed by a name; `input = 3` is an assignment.
  bool word = at(Tok::Identifier) && peek(1).is(Tok::Identifier);
  if (word && acceptWord("param"))
    return decls(m.params, "a parameter");
  if (word && acceptWord("state"))
    return decls(m.states, "a state");
  if (word && acceptWord("input"))
    return decls(m.inputs, "an input");
  if (word && acceptWord("output"))
    return decls(m.outputs, "an output");
  if (word && acceptWord("let"))
    return decls(m.lets, "a definition");
  if (word && atWord("function")) {
    if (auto f = function())
      m.functions.push_back(std::move(f));
    return;
  }
  if (atWord("stage") && peek(1).is(Tok::Identifier)) {
    Stage s;
    s.loc = take().loc();
    s.name = ident("the name of the stage");
    s.body = stmts();
    m.stages.push_back(std::move(s));
    return;
  }
  // Statements outside `stage` form one unnamed stage at this place.
  SMLoc loc = peek().loc();
  if (StmtPtr s = stmt()) {
    if (m.stages.empty() || m.stages.back().name) {
      m.stages.emplace_back();
      m.stages.back().loc = loc;
    }
    m.stages.back().body.push_back(std::move(s));
  }
}

//===----------------------------------------------------------------------===//
// Statements
//===----------------------------------------------------------------------===//

std::vector<StmtPtr> Parser::stmts() {
  std::vector<StmtPtr> body;
  block([&] {
    if (StmtPtr s = stmt())
      body.push_back(std::move(s));
  });
  return body;
}

StmtPtr Parser::stmt() {
  static const std::vector<std::string> known = {
      "param", "state", "input",      "output", "let",  "stage",  "emit",
      "spike", "reset", "refractory", "solve",  "if",   "trace",  "on",
      "signal", "weight", "bounds", "function"};
  auto s = std::make_unique<Stmt>();
  s->loc = peek().loc();
  auto is = [&](llvm::StringRef w, Tok next) {
    return atWord(w) && peek(1).is(next);
  };
  if (is("let", Tok::Identifier)) {
    take();
    s->kind = Stmt::Let;
    s->name = ident("a name");
    if (!expect(Tok::Assign, "'='"))
      return nullptr;
    skipNewlines();
    s->value = expr();
    return s->value ? std::move(s) : nullptr;
  }
  if (is("emit", Tok::Identifier)) {
    take();
    s->kind = Stmt::Emit;
    s->name = ident("the name of an output");
    if (accept(Tok::Assign)) {
      skipNewlines();
      s->value = expr();
      if (!s->value)
        return nullptr;
    }
    if (acceptWord("when")) {
      s->cond = expr();
      if (!s->cond)
        return nullptr;
    }
    if (!s->value && !s->cond) {
      fail("'= value' or 'when condition'");
      return nullptr;
    }
    return s;
  }
  if (atWord("spike") && peek(1).isWord("when")) {
    take();
    take();
    s->kind = Stmt::Spike;
    s->cond = expr();
    return s->cond ? std::move(s) : nullptr;
  }
  if (atWord("reset") &&
      (peek(1).is(Tok::LBrace) || peek(1).is(Tok::Newline))) {
    take();
    s->kind = Stmt::Reset;
    s->body = stmts();
    return panic ? nullptr : std::move(s);
  }
  if (atWord("refractory") && !peek(1).is(Tok::Assign)) {
    take();
    s->kind = Stmt::Refractory;
    s->value = expr();
    if (!s->value || !expectWord("holds"))
      return nullptr;
    do {
      Ident n = ident("the name of a state");
      if (!n)
        return nullptr;
      s->names.push_back(n);
    } while (accept(Tok::Comma));
    return s;
  }
  if (is("solve", Tok::Identifier)) {
    take();
    s->kind = Stmt::Solve;
    s->name = ident("a method");
    return s;
  }
  if (atWord("if") && !peek(1).is(Tok::Assign)) {
    take();
    s->kind = Stmt::If;
    s->cond = expr();
    if (!s->cond)
      return nullptr;
    s->body = stmts();
    size_t save = pos;
    skipNewlines();
    if (acceptWord("else")) {
      if (atWord("if")) {
        if (StmtPtr nested = stmt())
          s->other.push_back(std::move(nested));
      } else {
        s->other = stmts();
      }
    } else {
      pos = save;
    }
    return panic ? nullptr : std::move(s);
  }
  if (!at(Tok::Identifier)) {
    fail("a statement");
    return nullptr;
  }
  // dNAME/dt = …
  if (peek().text.size() > 1 && peek().text.starts_with("d") &&
      peek(1).is(Tok::Slash) && peek(2).isWord("dt") &&
      peek(3).is(Tok::Assign)) {
    const Token &t = take();
    take();
    take();
    take();
    s->kind = Stmt::Ode;
    s->name = {t.text.drop_front().str(),
               SMLoc::getFromPointer(t.text.data() + 1)};
    skipNewlines();
    s->value = expr();
    return s->value ? std::move(s) : nullptr;
  }
  // NAME' = …
  if (peek(1).is(Tok::Prime)) {
    s->kind = Stmt::Ode;
    s->name = ident("a state");
    take();
    if (!expect(Tok::Assign, "'='"))
      return nullptr;
    skipNewlines();
    s->value = expr();
    return s->value ? std::move(s) : nullptr;
  }
  if (peek(1).is(Tok::Assign) || peek(1).is(Tok::PlusAssign) ||
      peek(1).is(Tok::MinusAssign) || peek(1).is(Tok::StarAssign) ||
      peek(1).is(Tok::SlashAssign)) {
    s->kind = Stmt::Assign;
    s->name = ident("a state");
    s->op = take().text.str();
    skipNewlines();
    s->value = expr();
    return s->value ? std::move(s) : nullptr;
  }
  unknownStatement(known);
  return nullptr;
}

//===----------------------------------------------------------------------===//
// Rules
//===----------------------------------------------------------------------===//

std::unique_ptr<RuleDecl> Parser::rule() {
  auto r = std::make_unique<RuleDecl>();
  r->loc = take().loc();
  r->name = ident("the name of the rule");
  if (!r->name)
    return nullptr;
  if (!block([&] { ruleItem(*r); }))
    return nullptr;
  return r;
}

void Parser::ruleItem(RuleDecl &r) {
  static const std::vector<std::string> known = {
      "param", "state", "let",  "weight", "pre",    "post",
      "signal", "trace", "on",  "bounds", "function"};
  static const std::vector<std::string> sides = {"pre", "post"};
  static const std::vector<std::string> events = {"pre", "post", "tick",
                                                  "call"};
  if (acceptWord("param"))
    return decls(r.params, "a parameter");
  if (acceptWord("state"))
    return decls(r.states, "a state");
  if (acceptWord("let"))
    return decls(r.lets, "a definition");
  if (acceptWord("weight")) {
    r.weightName = ident("a name for the weight");
    r.weightType = typeSpec();
    return;
  }
  if (acceptWord("pre")) {
    r.preName = ident("a name for the pre-synaptic signal");
    r.preType = typeSpec();
    return;
  }
  if (acceptWord("post")) {
    r.postName = ident("a name for the post-synaptic signal");
    r.postType = typeSpec();
    return;
  }
  if (atWord("function")) {
    if (auto f = function())
      r.functions.push_back(std::move(f));
    return;
  }
  if (acceptWord("bounds")) {
    range(r.lo, r.hi);
    return;
  }
  if (acceptWord("signal")) {
    Decl d = decl("a third factor");
    std::string side = "scalar";
    if (acceptWord("on")) {
      Ident s = ident("'pre', 'post' or 'scalar'");
      side = s.name;
      if (s && !llvm::is_contained({"pre", "post", "scalar"}, s.name)) {
        diag.unknown(s.loc, "side", s.name, {"pre", "post", "scalar"});
        side = "scalar";
      }
    }
    r.signals.push_back(std::move(d));
    r.signalSides.push_back(side);
    return;
  }
  if (acceptWord("trace")) {
    TraceDecl t;
    t.name = ident("the name of the trace");
    if (!t.name || !expectWord("on"))
      return;
    Ident side = ident("'pre' or 'post'");
    if (side && !llvm::is_contained(sides, side.name)) {
      diag.unknown(side.loc, "side", side.name, sides);
      side.name = "pre";
    }
    t.side = side.name;
    if (at(Tok::LBrace)) { // trace x on pre { … } spike { … }
      t.body = stmts();
      if (acceptWord("spike"))
        t.spike = stmts();
      if (!panic)
        r.traces.push_back(std::move(t));
      return;
    }
    if (!expectWord("tau"))
      return;
    t.tau = expr();
    if (acceptWord("add"))
      t.amount = expr();
    else if (acceptWord("set")) {
      t.nearest = true;
      t.amount = expr();
    }
    if (!panic)
      r.traces.push_back(std::move(t));
    return;
  }
  if (acceptWord("on")) {
    Ident event = ident("'pre', 'post', 'tick' or 'call'");
    if (!event)
      return;
    if (!llvm::is_contained(events, event.name))
      diag.unknown(event.loc, "event", event.name, events);
    Handler h;
    h.event = event.name;
    h.loc = event.loc;
    h.body = stmts();
    if (llvm::is_contained(events, event.name))
      r.handlers.push_back(std::move(h));
    return;
  }
  unknownStatement(known);
}

} // namespace neuroc::lang
