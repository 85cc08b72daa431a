// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Parser of the `.neuro` language: tokens, expressions, and recovery. A parse
// function that fails reports once, sets `panic` and returns null; the loop
// over statements then skips to the next one.
#include "Parser.h"

#include "llvm/ADT/STLExtras.h"

namespace neuroc::lang {

const std::vector<std::string> &keywords() {
  static const std::vector<std::string> words = {
      // declarations
      "import", "from", "const", "function", "model", "rule", "network",
      "experiment", "param", "state", "input", "output", "let", "stage",
      "range", "combine", "sum", "max", "min", "product", "spike",
      // stage code
      "emit", "when", "reset", "refractory", "holds", "solve", "exact",
      "exponential_euler", "rk4", "euler", "auto", "if", "then", "else", "and",
      "or", "not", "true", "false", "t", "dt", "i",
      // rules
      "weight", "pre", "post", "signal", "scalar", "trace", "on", "tau", "add",
      "set", "bounds", "tick", "call", "unit", "w",
      // networks
      "seed", "population", "every", "stimulus", "spike_array", "connect",
      "through", "transposed", "delay", "transmit", "sign", "excitatory",
      "inhibitory", "free", "mask", "as", "plasticity", "disabled", "record",
      "dataset", "file", "dense", "list", "one_to_one", "all_to_all",
      "fixed_probability", "fixed_indegree", "fixed_outdegree", "convolution",
      "pc_layer", "predicts", "top_down", "rate", "precision", "prior",
      "learning_rate", "associative_memory", "cue", "label", "circuit",
      "given", "none", "size", "shape", "plant", "batch", "wrt", "delayed",
      // experiments
      "phase", "repeat", "for", "each", "row", "rows", "of", "present", "step",
      "ticks", "settle", "until", "change", "enable", "disable", "clamp",
      "release", "assign", "snapshot", "restore", "readout", "last", "mean",
      "count", "argmax", "expect", "in", "within", "reference", "procedure",
      "batch", "shuffled", "while", "stream",
      // values
      "uniform", "normal", "lognormal", "exponential", "clip", "inf", "pi",
      "derivative", "group"};
  return words;
}

Parser::Parser(llvm::StringRef buffer, Diag &diag)
    : diag(diag), tokens(lex(buffer)), lastEnd(buffer.data()) {}

//===----------------------------------------------------------------------===//
// Tokens and recovery
//===----------------------------------------------------------------------===//

const Token &Parser::take() {
  const Token &t = peek();
  if (!t.is(Tok::End))
    ++pos;
  lastEnd = t.text.data() + t.text.size();
  if (parens)
    skipNewlines();
  return t;
}

void Parser::skipNewlines() {
  while (at(Tok::Newline))
    ++pos;
}

bool Parser::accept(Tok kind) {
  if (!at(kind))
    return false;
  take();
  return true;
}

bool Parser::acceptWord(llvm::StringRef w) {
  if (!atWord(w))
    return false;
  take();
  return true;
}

void Parser::fail(llvm::StringRef expected) {
  if (panic)
    return;
  panic = true;
  const Token &t = peek();
  switch (t.kind) {
  case Tok::Error:
    diag.error(t.loc(), t.string);
    return;
  case Tok::End:
    diag.error(t.loc(), "expected " + expected + ", found the end of the file");
    return;
  case Tok::Newline:
    diag.error(t.loc(), "expected " + expected + ", found the end of the line");
    return;
  default:
    diag.error(t.loc(), "expected " + expected + ", found '" + t.text + "'");
  }
}

bool Parser::expect(Tok kind, llvm::StringRef what) {
  if (accept(kind))
    return true;
  fail(what);
  return false;
}

bool Parser::expectWord(llvm::StringRef w) {
  if (acceptWord(w))
    return true;
  fail(("'" + w + "'").str());
  return false;
}

Ident Parser::ident(llvm::StringRef what) {
  if (!at(Tok::Identifier)) {
    fail(what);
    return {};
  }
  const Token &t = take();
  return {t.text.str(), t.loc()};
}

bool Parser::atEndOfStatement() const {
  return at(Tok::Newline) || at(Tok::Semicolon) || at(Tok::RBrace) ||
         at(Tok::End);
}

void Parser::endStatement() {
  if (!panic && !atEndOfStatement())
    fail("the end of the statement");
}

/// Skips the rest of a faulty statement, with the blocks that it holds.
void Parser::recover() {
  panic = false;
  parens = 0;
  unsigned braces = 0;
  while (!at(Tok::End)) {
    if (at(Tok::LBrace)) {
      ++braces;
    } else if (at(Tok::RBrace)) {
      if (braces == 0)
        return;
      if (--braces == 0) {
        take();
        return;
      }
    } else if (braces == 0 && (at(Tok::Newline) || at(Tok::Semicolon))) {
      // A block may still follow on the next line ("model x\n{").
      size_t save = pos;
      skipNewlines();
      if (!at(Tok::LBrace)) {
        pos = save;
        return;
      }
      continue;
    }
    ++pos;
  }
}

/// `{ statement* }`; false if there is no block at all.
bool Parser::block(const std::function<void()> &statement) {
  size_t save = pos;
  skipNewlines();
  if (!at(Tok::LBrace)) {
    pos = save;
    fail("'{'");
    return false;
  }
  if (depth > 100) {
    fail("fewer than 100 nested blocks");
    return false;
  }
  ++depth;
  SMLoc open = take().loc();
  unsigned outerParens = parens;
  parens = 0;
  for (;;) {
    while (at(Tok::Newline) || at(Tok::Semicolon))
      ++pos;
    if (accept(Tok::RBrace))
      break;
    if (at(Tok::End)) {
      diag.error(open, "'{' is never closed");
      break;
    }
    size_t before = pos;
    statement();
    endStatement();
    if (panic)
      recover();
    if (pos == before && !at(Tok::RBrace))
      ++pos; // always advance
  }
  parens = outerParens;
  --depth;
  return true;
}

//===----------------------------------------------------------------------===//
// Expressions
//===----------------------------------------------------------------------===//

ExprPtr Parser::make(Expr::Kind kind, const Token &at) {
  auto e = std::make_unique<Expr>();
  e->kind = kind;
  e->loc = e->begin = at.loc();
  e->end = at.end();
  return e;
}

ExprPtr Parser::finish(ExprPtr e) {
  if (e)
    e->end = SMLoc::getFromPointer(lastEnd);
  return e;
}

/// expr = "if" expr "then" expr "else" expr | or [ "?" expr ":" expr ]
ExprPtr Parser::expr() {
  if (depth > 200) {
    fail("an expression that is nested less deeply");
    return nullptr;
  }
  ++depth;
  ExprPtr e;
  if (atWord("if")) {
    // `then` and `else` may begin a line; the last part ends with its line.
    ++parens;
    const Token &start = take();
    e = make(Expr::Select, start);
    for (const char *next : {"then", "else", ""}) {
      if (!*next && parens)
        --parens;
      ExprPtr part = expr();
      if (!part || (*next && !expectWord(next))) {
        --depth;
        return nullptr;
      }
      e->args.push_back(std::move(part));
    }
    e = finish(std::move(e));
  } else {
    e = binary(0);
    if (e && at(Tok::Question)) {
      const Token &q = take();
      ExprPtr select = make(Expr::Select, q);
      select->begin = e->begin;
      select->args.push_back(std::move(e));
      ExprPtr yes = expr();
      if (!yes || !expect(Tok::Colon, "':' and the other value")) {
        --depth;
        return nullptr;
      }
      ExprPtr no = expr();
      if (!no) {
        --depth;
        return nullptr;
      }
      select->args.push_back(std::move(yes));
      select->args.push_back(std::move(no));
      e = finish(std::move(select));
    }
  }
  --depth;
  return e;
}

namespace {
struct Operator {
  const char *name;
  int precedence;
};
/// The binary operator that a token is, or precedence -1.
Operator operatorOf(const Token &t) {
  switch (t.kind) {
  case Tok::OrOr: return {"or", 0};
  case Tok::AndAnd: return {"and", 1};
  case Tok::Less: return {"<", 3};
  case Tok::LessEq: return {"<=", 3};
  case Tok::Greater: return {">", 3};
  case Tok::GreaterEq: return {">=", 3};
  case Tok::EqEq: return {"==", 3};
  case Tok::NotEq: return {"!=", 3};
  case Tok::Plus: return {"+", 4};
  case Tok::Minus: return {"-", 4};
  case Tok::Star: return {"*", 5};
  case Tok::Slash: return {"/", 5};
  case Tok::Percent: return {"%", 5};
  case Tok::Identifier:
    if (t.text == "or")
      return {"or", 0};
    if (t.text == "and")
      return {"and", 1};
    break;
  default: break;
  }
  return {"", -1};
}
} // namespace

ExprPtr Parser::binary(int minPrecedence) {
  ExprPtr left;
  if (minPrecedence <= 2 && (atWord("not") || at(Tok::Not))) {
    const Token &op = take();
    if (++depth > 200) {
      fail("an expression that is nested less deeply");
      --depth;
      return nullptr;
    }
    ExprPtr arg = binary(2);
    --depth;
    if (!arg)
      return nullptr;
    left = make(Expr::Unary, op);
    left->name = "not";
    left->args.push_back(std::move(arg));
    left = finish(std::move(left));
  } else {
    left = unary();
  }
  while (left) {
    Operator op = operatorOf(peek());
    if (op.precedence < minPrecedence)
      break;
    if (op.precedence == 3 && left->kind == Expr::Binary &&
        llvm::is_contained({"<", "<=", ">", ">=", "==", "!="}, left->name) &&
        *left->begin.getPointer() != '(') {
      if (!panic)
        diag.error(peek().loc(), "comparisons cannot be chained",
                   "write 'a < b and b < c'");
      panic = true;
      return nullptr;
    }
    const Token &t = take();
    skipNewlines(); // an operator at the end of a line continues it
    ExprPtr right = binary(op.precedence + 1);
    if (!right)
      return nullptr;
    ExprPtr e = make(Expr::Binary, t);
    e->name = op.name;
    e->begin = left->begin;
    e->args.push_back(std::move(left));
    e->args.push_back(std::move(right));
    left = finish(std::move(e));
  }
  return left;
}

ExprPtr Parser::unary() {
  if (!at(Tok::Minus) && !at(Tok::Plus))
    return power();
  const Token &op = take();
  if (++depth > 200) {
    fail("an expression that is nested less deeply");
    --depth;
    return nullptr;
  }
  ExprPtr arg = unary();
  --depth;
  if (!arg || op.is(Tok::Plus))
    return arg;
  ExprPtr e = make(Expr::Unary, op);
  e->name = "-";
  e->args.push_back(std::move(arg));
  return finish(std::move(e));
}

ExprPtr Parser::power() {
  ExprPtr base = postfix();
  if (!base || !at(Tok::Caret))
    return base;
  const Token &op = take();
  if (++depth > 200) {
    fail("an expression that is nested less deeply");
    --depth;
    return nullptr;
  }
  ExprPtr exponent = unary();
  --depth;
  if (!exponent)
    return nullptr;
  ExprPtr e = make(Expr::Binary, op);
  e->name = "^";
  e->begin = base->begin;
  e->args.push_back(std::move(base));
  e->args.push_back(std::move(exponent));
  return finish(std::move(e));
}

ExprPtr Parser::postfix() {
  ExprPtr e = primary();
  while (e) {
    if (at(Tok::Dot)) {
      take();
      Ident name = ident("a name after '.'");
      if (!name)
        return nullptr;
      auto m = std::make_unique<Expr>();
      m->kind = Expr::Member;
      m->loc = name.loc;
      m->begin = e->begin;
      m->name = name.name;
      m->args.push_back(std::move(e));
      e = finish(std::move(m));
    } else if (at(Tok::LBracket) && !peek().spaceBefore &&
               (e->kind == Expr::Name || e->kind == Expr::Member ||
                e->kind == Expr::Index || e->kind == Expr::Call)) {
      e = indexed(std::move(e));
    } else {
      break;
    }
  }
  return e;
}

/// "(" [ [name "="] expr { "," … } ] ")"
bool Parser::arguments(Expr &e) {
  ++parens;
  take();
  skipNewlines();
  while (!at(Tok::RParen)) {
    Ident name;
    if (at(Tok::Identifier) && peek(1).is(Tok::Assign)) {
      name = ident("a name");
      take();
    }
    ExprPtr arg = expr();
    if (!arg)
      return false;
    e.args.push_back(std::move(arg));
    e.argNames.push_back(name);
    if (!accept(Tok::Comma))
      break;
  }
  if (parens)
    --parens;
  return expect(Tok::RParen, "')' or ','");
}

/// derivative(f)(x, …) becomes a call of "derivative of" whose first argument
/// is the call derivative(f).
ExprPtr Parser::applied(ExprPtr f) {
  ExprPtr e = make(Expr::Call, peek());
  e->loc = f->loc;
  e->begin = f->begin;
  e->name = "derivative of";
  if (!arguments(*e))
    return nullptr;
  e->args.insert(e->args.begin(), std::move(f));
  e->argNames.insert(e->argNames.begin(), Ident());
  return finish(std::move(e));
}

/// base "[" expr { "," expr } "]"
ExprPtr Parser::indexed(ExprPtr base) {
  const Token &open = take();
  ++parens;
  skipNewlines();
  ExprPtr index = make(Expr::Index, open);
  index->begin = base->begin;
  index->args.push_back(std::move(base));
  do {
    ExprPtr arg = expr();
    if (!arg)
      return nullptr;
    index->args.push_back(std::move(arg));
  } while (accept(Tok::Comma));
  if (parens)
    --parens;
  if (!expect(Tok::RBracket, "']'"))
    return nullptr;
  return finish(std::move(index));
}

ExprPtr Parser::primary() {
  const Token &t = peek();
  switch (t.kind) {
  case Tok::Number: {
    take();
    ExprPtr e = make(Expr::Number, t);
    e->number = t.number;
    // A unit follows directly; "2 x" is caught here with a better message.
    if (at(Tok::Identifier) && operatorOf(peek()).precedence < 0) {
      const Token &u = peek();
      if (lookupUnit(u.text)) {
        take();
        e->kind = Expr::Quantity;
        e->name = u.text.str();
        if (at(Tok::Caret)) {
          take();
          bool minus = accept(Tok::Minus);
          const Token &n = peek();
          if (!n.is(Tok::Number) || n.number != static_cast<int>(n.number) ||
              n.number > 10) {
            fail("a small whole exponent of the unit");
            return nullptr;
          }
          take();
          e->exponent = static_cast<int>(minus ? -n.number : n.number);
        }
      } else if (!llvm::is_contained(keywords(), u.text.str())) {
        std::string near = nearest(u.text, unitNames());
        if (!panic)
          diag.error(u.loc(),
                     near.empty()
                         ? "expected an operator; '" + u.text +
                               "' after a number is not a unit"
                         : "unknown unit '" + u.text + "'; did you mean '" +
                               near + "'?");
        panic = true;
        return nullptr;
      }
    }
    return finish(std::move(e));
  }
  case Tok::String: {
    take();
    ExprPtr e = make(Expr::String, t);
    e->name = t.string;
    return e;
  }
  case Tok::Identifier: {
    take();
    if (at(Tok::LParen) && !peek().spaceBefore) {
      ExprPtr e = make(Expr::Call, t);
      e->name = t.text.str();
      if (!arguments(*e))
        return nullptr;
      e = finish(std::move(e));
      // derivative(f)(x): the first argument is the function.
      if (e->name == "derivative" && at(Tok::LParen) && !peek().spaceBefore)
        return applied(std::move(e));
      return e;
    }
    ExprPtr e = make(Expr::Name, t);
    e->name = t.text.str();
    return e;
  }
  case Tok::LParen: {
    ++parens;
    take();
    skipNewlines();
    ExprPtr e = expr();
    if (!e)
      return nullptr;
    if (parens)
      --parens;
    if (!expect(Tok::RParen, "')'"))
      return nullptr;
    e->begin = t.loc();
    return finish(std::move(e));
  }
  case Tok::LBracket: {
    ExprPtr e = make(Expr::Array, t);
    ++parens;
    take();
    skipNewlines();
    while (!at(Tok::RBracket)) {
      ExprPtr element = expr();
      if (!element)
        return nullptr;
      e->args.push_back(std::move(element));
      if (!accept(Tok::Comma))
        break;
    }
    if (parens)
      --parens;
    if (!expect(Tok::RBracket, "']' or ','"))
      return nullptr;
    return finish(std::move(e));
  }
  default:
    fail("an expression");
    return nullptr;
  }
}

ExprPtr Parser::parseSingleExpression() {
  skipNewlines();
  ExprPtr e = expr();
  skipNewlines();
  if (e && !at(Tok::End))
    fail("the end of the expression");
  return panic ? nullptr : std::move(e);
}

ExprPtr Parser::reference(llvm::StringRef what) {
  if (!at(Tok::Identifier)) {
    fail(what);
    return nullptr;
  }
  const Token &t = take();
  ExprPtr e = make(Expr::Name, t);
  e->name = t.text.str();
  while (at(Tok::Dot) || (at(Tok::LBracket) && !peek().spaceBefore)) {
    if (at(Tok::LBracket)) {
      e = indexed(std::move(e));
      if (!e)
        return nullptr;
      continue;
    }
    take();
    Ident name = ident("a name after '.'");
    if (!name)
      return nullptr;
    auto m = std::make_unique<Expr>();
    m->kind = Expr::Member;
    m->loc = name.loc;
    m->begin = e->begin;
    m->name = name.name;
    m->args.push_back(std::move(e));
    e = finish(std::move(m));
  }
  return e;
}

/// type = ":" ( "spike" | unit )
TypeSpec Parser::typeSpec() {
  TypeSpec type;
  if (!accept(Tok::Colon))
    return type;
  type.loc = peek().loc();
  if (acceptWord("spike")) {
    type.spike = true;
    return type;
  }
  type.unit = binary(5);
  return type;
}

/// range = "[" expr "," expr "]"
bool Parser::range(ExprPtr &lo, ExprPtr &hi) {
  if (!expect(Tok::LBracket, "'[' and two bounds"))
    return false;
  ++parens;
  lo = expr();
  if (!lo || !expect(Tok::Comma, "',' and the upper bound"))
    return false;
  hi = expr();
  if (parens)
    --parens;
  return hi && expect(Tok::RBracket, "']'");
}

} // namespace neuroc::lang
