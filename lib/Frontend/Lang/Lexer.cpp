// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Lexer of the `.neuro` language: one pass over the bytes, no look-back.
// Letters are ASCII plus the micro and ohm signs, which occur in units.
// Assumes that the buffer outlives the tokens.
#include "Lexer.h"

#include "llvm/ADT/StringExtras.h"

#include <cerrno>
#include <cmath>
#include <cstdlib>

namespace neuroc::lang {
namespace {

/// Length of a UTF-8 micro sign, mu, or ohm sign at `p`, or 0.
unsigned unitSignLength(const char *p, const char *end) {
  auto byte = [&](int i) -> unsigned {
    return p + i < end ? static_cast<unsigned char>(p[i]) : 0;
  };
  if (byte(0) == 0xC2 && byte(1) == 0xB5)
    return 2; // U+00B5 micro sign
  if (byte(0) == 0xCE && (byte(1) == 0xBC || byte(1) == 0xA9))
    return 2; // U+03BC mu, U+03A9 Omega
  if (byte(0) == 0xE2 && byte(1) == 0x84 && byte(2) == 0xA6)
    return 3; // U+2126 ohm sign
  return 0;
}

class Lexer {
public:
  explicit Lexer(llvm::StringRef buffer)
      : cur(buffer.begin()), end(buffer.end()) {}

  std::vector<Token> run() {
    std::vector<Token> tokens;
    do
      tokens.push_back(next());
    while (!tokens.back().is(Tok::End));
    return tokens;
  }

private:
  Token make(Tok kind, const char *start) {
    Token t;
    t.kind = kind;
    t.text = llvm::StringRef(start, cur - start);
    t.spaceBefore = space;
    return t;
  }
  Token error(const char *start, std::string message) {
    Token t = make(Tok::Error, start);
    t.string = std::move(message);
    return t;
  }

  Token next() {
    space = false;
    while (cur != end) {
      if (*cur == ' ' || *cur == '\t' || *cur == '\r') {
        ++cur;
        space = true;
      } else if (*cur == '#' || (*cur == '/' && cur + 1 != end &&
                                 cur[1] == '/')) {
        while (cur != end && *cur != '\n')
          ++cur;
      } else {
        break;
      }
    }
    const char *start = cur;
    if (cur == end)
      return make(Tok::End, start);
    char c = *cur;
    if (c == '\n') {
      ++cur;
      return make(Tok::Newline, start);
    }
    if (llvm::isDigit(c) ||
        (c == '.' && cur + 1 != end && llvm::isDigit(cur[1])))
      return number(start);
    if (llvm::isAlpha(c) || c == '_' || unitSignLength(cur, end))
      return identifier(start);
    if (c == '"')
      return string(start);
    return punctuation(start);
  }

  Token identifier(const char *start) {
    while (cur != end) {
      if (llvm::isAlnum(*cur) || *cur == '_')
        ++cur;
      else if (unsigned n = unitSignLength(cur, end))
        cur += n;
      else
        break;
    }
    return make(Tok::Identifier, start);
  }

  Token number(const char *start) {
    auto digits = [&] {
      while (cur != end && llvm::isDigit(*cur))
        ++cur;
    };
    digits();
    // "0..9" is a range, not the number "0." followed by ".9".
    if (cur != end && *cur == '.' && !(cur + 1 != end && cur[1] == '.')) {
      ++cur;
      digits();
    }
    if (cur != end && (*cur == 'e' || *cur == 'E')) {
      const char *mark = cur++;
      if (cur != end && (*cur == '+' || *cur == '-'))
        ++cur;
      if (cur != end && llvm::isDigit(*cur))
        digits();
      else
        cur = mark; // "5 e" is a number and a name
    }
    Token t = make(Tok::Number, start);
    t.number = std::strtod(t.text.str().c_str(), nullptr);
    if (!std::isfinite(t.number))
      return error(start, "number is too large for a double");
    return t;
  }

  Token string(const char *start) {
    std::string value;
    ++cur;
    while (cur != end && *cur != '"' && *cur != '\n') {
      if (*cur == '\\' && cur + 1 != end && cur[1] != '\n') {
        ++cur;
        value += *cur == 'n' ? '\n' : *cur == 't' ? '\t' : *cur;
      } else {
        value += *cur;
      }
      ++cur;
    }
    if (cur == end || *cur != '"')
      return error(start, "string is not closed before the end of the line");
    ++cur;
    Token t = make(Tok::String, start);
    t.string = std::move(value);
    return t;
  }

  Token punctuation(const char *start) {
    char c = *cur++;
    auto follows = [&](char wanted) {
      if (cur == end || *cur != wanted)
        return false;
      ++cur;
      return true;
    };
    switch (c) {
    case '{': return make(Tok::LBrace, start);
    case '}': return make(Tok::RBrace, start);
    case '(': return make(Tok::LParen, start);
    case ')': return make(Tok::RParen, start);
    case '[': return make(Tok::LBracket, start);
    case ']': return make(Tok::RBracket, start);
    case ',': return make(Tok::Comma, start);
    case ';': return make(Tok::Semicolon, start);
    case ':': return make(Tok::Colon, start);
    case '\'': return make(Tok::Prime, start);
    case '?': return make(Tok::Question, start);
    case '^': return make(Tok::Caret, start);
    case '%': return make(Tok::Percent, start);
    case '.': return make(follows('.') ? Tok::DotDot : Tok::Dot, start);
    case '+': return make(follows('=') ? Tok::PlusAssign : Tok::Plus, start);
    case '-':
      if (follows('>'))
        return make(Tok::Arrow, start);
      return make(follows('=') ? Tok::MinusAssign : Tok::Minus, start);
    case '*':
      if (follows('*'))
        return make(Tok::Caret, start);
      return make(follows('=') ? Tok::StarAssign : Tok::Star, start);
    case '/': return make(follows('=') ? Tok::SlashAssign : Tok::Slash, start);
    case '<': return make(follows('=') ? Tok::LessEq : Tok::Less, start);
    case '>': return make(follows('=') ? Tok::GreaterEq : Tok::Greater, start);
    case '=': return make(follows('=') ? Tok::EqEq : Tok::Assign, start);
    case '!': return make(follows('=') ? Tok::NotEq : Tok::Not, start);
    case '&':
      if (follows('&'))
        return make(Tok::AndAnd, start);
      return error(start, "unexpected '&'; write 'and'");
    case '|':
      if (follows('|'))
        return make(Tok::OrOr, start);
      return error(start, "unexpected '|'; write 'or'");
    default: break;
    }
    if (static_cast<unsigned char>(c) >= 0x80) {
      // Take the whole UTF-8 sequence, so that the message shows it once.
      while (cur != end && (static_cast<unsigned char>(*cur) & 0xC0) == 0x80)
        ++cur;
      return error(start, "unexpected non-ASCII character; names use ASCII "
                          "letters, digits and '_' (write 'tau', 'theta')");
    }
    if (llvm::isPrint(c))
      return error(start, std::string("unexpected character '") + c + "'");
    return error(start, "unexpected control character 0x" +
                            llvm::utohexstr(static_cast<unsigned char>(c)));
  }

  const char *cur;
  const char *end;
  bool space = false;
};

} // namespace

std::vector<Token> lex(llvm::StringRef buffer) { return Lexer(buffer).run(); }

} // namespace neuroc::lang
