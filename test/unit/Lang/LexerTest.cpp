// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Tokens: numbers and ranges, units with micro and ohm signs, strings, and
// what is no token at all.
#include "Lexer.h"

#include "gtest/gtest.h"

using namespace neuroc::lang;

namespace {
std::vector<Tok> kinds(llvm::StringRef text) {
  std::vector<Tok> k;
  for (const Token &t : lex(text))
    k.push_back(t.kind);
  return k;
}

TEST(Lexer, NumbersAndRanges) {
  auto t = lex("1.5e-3 .25 0..9 5 e 3.");
  EXPECT_DOUBLE_EQ(t[0].number, 1.5e-3);
  EXPECT_DOUBLE_EQ(t[1].number, 0.25);
  EXPECT_DOUBLE_EQ(t[2].number, 0);
  EXPECT_EQ(t[3].kind, Tok::DotDot);
  EXPECT_DOUBLE_EQ(t[4].number, 9);
  EXPECT_DOUBLE_EQ(t[5].number, 5);
  EXPECT_EQ(t[6].kind, Tok::Identifier);
  EXPECT_DOUBLE_EQ(t[7].number, 3);
}

TEST(Lexer, OperatorsAreTheLongestThatFit) {
  EXPECT_EQ(kinds("-> -= - ** * <= < != ! && .. ."),
            (std::vector<Tok>{Tok::Arrow, Tok::MinusAssign, Tok::Minus,
                              Tok::Caret, Tok::Star, Tok::LessEq, Tok::Less,
                              Tok::NotEq, Tok::Not, Tok::AndAnd, Tok::DotDot,
                              Tok::Dot, Tok::End}));
}

TEST(Lexer, UnitSigns) {
  auto t = lex("5 µS 3 MΩ");
  EXPECT_EQ(t[1].text, "µS");
  EXPECT_EQ(t[3].text, "MΩ");
}

TEST(Lexer, CommentsEndWithTheLine) {
  EXPECT_EQ(kinds("a # b\n// c\nd"),
            (std::vector<Tok>{Tok::Identifier, Tok::Newline, Tok::Newline,
                              Tok::Identifier, Tok::End}));
}

TEST(Lexer, Strings) {
  auto t = lex("\"a\\\"b\\n\" \"open");
  EXPECT_EQ(t[0].string, "a\"b\n");
  EXPECT_EQ(t[1].kind, Tok::Error);
}

TEST(Lexer, FaultyBytesAreOneErrorEach) {
  auto t = lex(llvm::StringRef("\x01 \xE2\x82\xAC @", 7));
  EXPECT_EQ(t[0].kind, Tok::Error);
  EXPECT_EQ(t[0].string, "unexpected control character 0x1");
  EXPECT_EQ(t[1].kind, Tok::Error); // the euro sign, three bytes
  EXPECT_EQ(t[1].text.size(), 3u);
  EXPECT_EQ(t[2].kind, Tok::Error);
}
} // namespace
