// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Recursive-descent parser of the `.neuro` language (docs/grammar.md). Words
// are contextual: no name is reserved, so `weight` or `input` may also be a
// variable. After an error it resumes at the next statement.
#ifndef NEUROC_LIB_FRONTEND_LANG_PARSER_H
#define NEUROC_LIB_FRONTEND_LANG_PARSER_H

#include "Ast.h"
#include "Diag.h"
#include "Lexer.h"

#include <functional>

namespace neuroc::lang {

/// Every word with a meaning in some context; docs/grammar.md must list them.
const std::vector<std::string> &keywords();

class Parser {
public:
  Parser(llvm::StringRef buffer, Diag &diag);
  /// Parses a whole file; errors go to the Diag.
  File parseFile();
  /// Parses the whole buffer as one expression; null after an error.
  ExprPtr parseSingleExpression();

private:
  // Tokens.
  const Token &peek(unsigned n = 0) const {
    size_t i = pos + n;
    return i < tokens.size() ? tokens[i] : tokens.back();
  }
  const Token &take();
  bool at(Tok kind) const { return peek().is(kind); }
  bool atWord(llvm::StringRef w) const { return peek().isWord(w); }
  bool accept(Tok kind);
  bool acceptWord(llvm::StringRef w);
  bool expect(Tok kind, llvm::StringRef what);
  bool expectWord(llvm::StringRef w);
  Ident ident(llvm::StringRef what);
  void skipNewlines();
  bool atEndOfStatement() const;
  void endStatement();
  void recover();
  void fail(llvm::StringRef expected);
  bool block(const std::function<void()> &statement);

  // Expressions.
  ExprPtr expr();
  ExprPtr binary(int minPrecedence);
  ExprPtr unary();
  ExprPtr power();
  ExprPtr postfix();
  ExprPtr primary();
  ExprPtr indexed(ExprPtr base);
  ExprPtr applied(ExprPtr f);
  bool arguments(Expr &e);
  ExprPtr make(Expr::Kind kind, const Token &at);
  ExprPtr finish(ExprPtr e);
  TypeSpec typeSpec();
  bool range(ExprPtr &lo, ExprPtr &hi);
  /// A name with members: `E.spike`.
  ExprPtr reference(llvm::StringRef what = "a name such as 'E' or 'E.spike'");
  ExprPtr source();

  // Declarations.
  void import(File &file);
  std::unique_ptr<ModelDecl> model();
  void modelItem(ModelDecl &m);
  std::unique_ptr<RuleDecl> rule();
  void ruleItem(RuleDecl &r);
  std::unique_ptr<FunctionDecl> function();
  std::unique_ptr<CircuitDecl> circuit();
  void decls(std::vector<Decl> &into, llvm::StringRef what);
  Decl decl(llvm::StringRef what);
  StmtPtr stmt();
  std::vector<StmtPtr> stmts();
  StmtPtr assignment();
  void unknownStatement(const std::vector<std::string> &known);

  // Networks and experiments.
  std::unique_ptr<NetworkDecl> network();
  std::unique_ptr<ExperimentDecl> experiment();
  ItemPtr networkItem();
  // Circuits and compile-time statements (ParserCircuit.cpp).
  bool compileTimeItem() const;
  ItemPtr compileTime(ItemPtr it);
  /// The rest of `for NAME in RANGE { … }`, the name included.
  ItemPtr forRange(ItemPtr it, const std::function<ItemPtr()> &statement);
  ItemPtr instance(ItemPtr it);
  ItemPtr scalarSource(ItemPtr it);
  /// `[expr]` groups behind a declared name; `last` keeps the last group for
  /// the shape that follows.
  void indices(Item &it, bool last = false);
  ItemPtr population(ItemPtr it);
  ItemPtr weight(ItemPtr it);
  ItemPtr connect(ItemPtr it);
  ItemPtr plasticity(ItemPtr it);
  ItemPtr experimentItem();
  ItemPtr experimentBody(ItemPtr it);
  ItemPtr expectItem(ItemPtr it);
  std::unique_ptr<ProcedureDecl> procedure();
  ItemPtr ifItem(ItemPtr it);
  ItemPtr forItem(ItemPtr it);
  ItemPtr whileItem(ItemPtr it);
  ItemPtr streamItem(ItemPtr it);
  ItemPtr variableItem(ItemPtr it);
  bool atAssignment() const;
  ItemPtr newItem(const Token &at);
  void shape(Item &it);
  void bindings(Item &it);
  void clauses(Item &it, const std::vector<std::string> &known);
  void dataSource(Item &it);

  Diag &diag;
  std::vector<Token> tokens;
  size_t pos = 0;
  unsigned depth = 0;   ///< nesting of expressions and blocks
  unsigned parens = 0;  ///< inside parentheses newlines do not count
  bool panic = false;   ///< an error in this statement has been reported
  const char *lastEnd = nullptr;
};

} // namespace neuroc::lang
#endif // NEUROC_LIB_FRONTEND_LANG_PARSER_H
