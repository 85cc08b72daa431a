// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Tokens of the `.neuro` language. A newline ends a statement and is a token
// of its own; the parser skips it inside parentheses and after an operator.
#ifndef NEUROC_LIB_FRONTEND_LANG_LEXER_H
#define NEUROC_LIB_FRONTEND_LANG_LEXER_H

#include "llvm/ADT/StringRef.h"
#include "llvm/Support/SMLoc.h"

#include <string>
#include <vector>

namespace neuroc::lang {

enum class Tok {
  End, Newline, Error, Identifier, Number, String,
  LBrace, RBrace, LParen, RParen, LBracket, RBracket,
  Comma, Semicolon, Colon, Dot, DotDot, Arrow, Prime, Question,
  Assign, PlusAssign, MinusAssign, StarAssign, SlashAssign,
  Plus, Minus, Star, Slash, Caret, Percent,
  Less, LessEq, Greater, GreaterEq, EqEq, NotEq, AndAnd, OrOr, Not
};

struct Token {
  Tok kind = Tok::End;
  llvm::StringRef text;  ///< the characters in the buffer
  double number = 0;     ///< of Number
  std::string string;    ///< of String (escapes resolved), of Error (message)
  bool spaceBefore = false;
  llvm::SMLoc loc() const {
    return llvm::SMLoc::getFromPointer(text.data());
  }
  llvm::SMLoc end() const {
    return llvm::SMLoc::getFromPointer(text.data() + text.size());
  }
  bool is(Tok k) const { return kind == k; }
  bool isWord(llvm::StringRef word) const {
    return kind == Tok::Identifier && text == word;
  }
};

/// Splits a buffer into tokens; the last is End. Never fails: bad characters
/// become Error tokens that carry a message.
std::vector<Token> lex(llvm::StringRef buffer);

} // namespace neuroc::lang
#endif // NEUROC_LIB_FRONTEND_LANG_LEXER_H
