// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The syntax tree of the `.neuro` language, as the parser leaves it: names are
// unresolved and nothing has been checked but the grammar.
#ifndef NEUROC_LIB_FRONTEND_LANG_AST_H
#define NEUROC_LIB_FRONTEND_LANG_AST_H

#include "llvm/ADT/StringRef.h"
#include "llvm/Support/SMLoc.h"

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace neuroc::lang {

using llvm::SMLoc;
struct Expr;
using ExprPtr = std::unique_ptr<Expr>;

/// A name and where it stands.
struct Ident {
  std::string name;
  SMLoc loc;
  explicit operator bool() const { return !name.empty(); }
};

struct Expr {
  enum Kind {
    Number,   ///< number
    Quantity, ///< number, name = unit, exponent: "5 mV^2"
    String,   ///< name
    Name,     ///< name
    Member,   ///< args[0] . name
    Index,    ///< args[0] [ args[1], … ]
    Call,     ///< name ( args ), argNames beside them
    Unary,    ///< name = "-" | "not"
    Binary,   ///< name = operator
    Select,   ///< args = condition, then, else
    Array     ///< [ args ]
  };
  Kind kind = Number;
  SMLoc loc;   ///< where to point: the operator, the name, the first token
  SMLoc begin; ///< first character
  SMLoc end;   ///< past the last character
  double number = 0;
  int exponent = 1;
  std::string name;
  std::vector<ExprPtr> args;
  std::vector<Ident> argNames; ///< of Call; empty name: positional

  llvm::StringRef text() const {
    return llvm::StringRef(begin.getPointer(),
                           end.getPointer() - begin.getPointer());
  }
};

/// `: mV/ms`, `: spike`, `: unit(w)`; kept as an expression over unit names.
struct TypeSpec {
  ExprPtr unit; ///< null with spike = false: not given
  bool spike = false;
  SMLoc loc;
};

struct Stmt;
using StmtPtr = std::unique_ptr<Stmt>;
/// A statement of a stage or of a rule's handler.
struct Stmt {
  enum Kind {
    Assign,     ///< name op value
    Let,        ///< let name = value
    Ode,        ///< d name/dt = value
    Emit,       ///< emit name [= value] [when cond]
    Spike,      ///< spike when cond
    Reset,      ///< reset { body }
    Refractory, ///< refractory value holds names
    If,         ///< if cond { body } else { other }
    Solve       ///< solve method
  };
  Kind kind;
  SMLoc loc;
  Ident name;
  std::string op; ///< "=", "+=", …
  ExprPtr value, cond;
  std::vector<Ident> names;
  std::vector<StmtPtr> body, other;
};

/// param, state, input, output or let of a model or rule.
struct Decl {
  Ident name;
  TypeSpec type;
  ExprPtr init;
  ExprPtr lo, hi;      ///< range
  std::string combine; ///< of an input; "" is sum
  SMLoc combineLoc;
};

struct Stage {
  Ident name; ///< "" for the code outside `stage`
  SMLoc loc;
  std::vector<StmtPtr> body;
};

struct FunctionDecl {
  Ident name;
  std::vector<Decl> params;
  TypeSpec result;
  ExprPtr body;
};

struct ModelDecl {
  Ident name;
  std::vector<Decl> params, states, inputs, outputs, lets;
  std::vector<std::unique_ptr<FunctionDecl>> functions; ///< may be replaced
  std::vector<Stage> stages;
  SMLoc loc;
};

struct TraceDecl {
  Ident name;
  std::string side; ///< "pre" | "post"
  ExprPtr tau, amount;
  bool nearest = false; ///< `set`: the trace jumps to, not by, the amount
  std::vector<StmtPtr> body, spike; ///< the block form, without `tau`
};

struct Handler {
  std::string event; ///< pre, post, tick, call
  SMLoc loc;
  std::vector<StmtPtr> body;
};

struct RuleDecl {
  Ident name;
  Ident weightName; ///< `weight w : nA`; default w, generic unit
  TypeSpec weightType;
  TypeSpec preType, postType; ///< `pre x : nA`; names below
  Ident preName, postName;
  std::vector<Decl> params, states, signals, lets;
  std::vector<std::unique_ptr<FunctionDecl>> functions; ///< may be replaced
  std::vector<std::string> signalSides; ///< pre, post, scalar
  std::vector<TraceDecl> traces;
  std::vector<Handler> handlers;
  ExprPtr lo, hi; ///< bounds
  SMLoc loc;
};

/// `keyword value` behind the head of a network or experiment item.
struct Clause {
  std::string key;
  SMLoc loc;
  ExprPtr value;
  std::string op; ///< of a bound: "<", "in", …
};

struct Item;
using ItemPtr = std::unique_ptr<Item>;
/// A statement of a network or an experiment. `keyword` says which; the rest
/// is filled as far as the statement has it (see docs/grammar.md).
struct Item {
  std::string keyword;
  SMLoc loc;
  Ident name;              ///< what is declared
  std::vector<ExprPtr> index; ///< of an indexed name: `h[k]`
  Ident type;              ///< model, rule, layout …
  TypeSpec unit;
  std::vector<ExprPtr> shape;
  ExprPtr from, to, value;
  ExprPtr connector;
  bool transposed = false;
  std::vector<Clause> clauses;
  std::vector<ItemPtr> body;
  std::vector<ItemPtr> other; ///< after `else`
  const Clause *clause(llvm::StringRef key) const {
    for (const Clause &c : clauses)
      if (c.key == key)
        return &c;
    return nullptr;
  }
};

/// A parameter of a circuit. `kind` is "", "function", "model" or "rule".
struct CircuitParam {
  std::string kind;
  Ident name;
  TypeSpec type;
  ExprPtr init; ///< null: must be given; the name `none`: optional
};

/// A template of network statements.
struct CircuitDecl {
  Ident name;
  std::vector<CircuitParam> params;
  std::vector<ItemPtr> items;
};

struct NetworkDecl {
  Ident name;
  std::string file; ///< `network NAME from "FILE"`
  SMLoc fileLoc;
  std::vector<ItemPtr> items;
  SMLoc loc;
};

struct ExperimentDecl {
  Ident name, network;
  std::vector<ItemPtr> items;
  SMLoc loc;
};

/// Steps that an experiment puts in place of a call.
struct ProcedureDecl {
  Ident name;
  std::vector<Decl> params;
  std::vector<ItemPtr> items;
};

struct ImportDecl {
  std::string file;
  SMLoc loc;
};

/// Deep copies.
ExprPtr clone(const Expr &e);
ExprPtr clone(const ExprPtr &e);
ItemPtr clone(const Item &it);

struct File {
  std::vector<ImportDecl> imports;
  std::vector<std::unique_ptr<ModelDecl>> models;
  std::vector<std::unique_ptr<RuleDecl>> rules;
  std::vector<std::unique_ptr<FunctionDecl>> functions;
  std::vector<Decl> constants;
  std::vector<std::unique_ptr<CircuitDecl>> circuits;
  std::vector<std::unique_ptr<NetworkDecl>> networks;
  std::vector<std::unique_ptr<ExperimentDecl>> experiments;
  std::vector<std::unique_ptr<ProcedureDecl>> procedures;
};

} // namespace neuroc::lang
#endif // NEUROC_LIB_FRONTEND_LANG_AST_H
