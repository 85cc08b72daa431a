// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Expansion of circuits and of the compile-time statements `for` and `if` of a
// network: the result is a flat list of statements whose names are those of the
// network's symbols ("c.z", "h[1]"), each with the constants that it sees.
#ifndef NEUROC_LIB_FRONTEND_LANG_CIRCUITS_H
#define NEUROC_LIB_FRONTEND_LANG_CIRCUITS_H

#include "ConstEval.h"

#include <functional>
#include <map>
#include <memory>
#include <set>

namespace neuroc::lang {

/// Constants by name; `outer` are those of the enclosing block.
struct ConstEnv : std::map<std::string, ConstTyped> {
  using std::map<std::string, ConstTyped>::map;
  const ConstEnv *outer = nullptr;
  const ConstTyped *lookup(const std::string &name) const {
    for (const ConstEnv *e = this; e; e = e->outer)
      if (auto it = e->find(name); it != e->end())
        return &it->second;
    return nullptr;
  }
};

/// What a faulty reference is replaced by, once it has been reported.
inline constexpr char faultyName[] = "?";
/// "c.z.value" of a reference, from its structure.
std::string refKey(const Expr &e);
/// The first name of a reference, or null.
const Expr *rootOf(const Expr &e);

class Scope;

/// Statements that see the same constants: the body of a network or circuit, a
/// round of a loop, a branch of `if`.
struct Piece {
  struct Part {
    const Item *item = nullptr;   ///< a plain statement, or
    std::unique_ptr<Piece> block; ///< an expansion that stands in its place
  };
  Scope *scope = nullptr;
  ConstEnv env;
  const Origin *origin = nullptr;
  std::vector<Part> parts;
};

/// What a name of a network or circuit stands for.
struct NameEntry {
  std::string full;           ///< the symbol
  const Item *item = nullptr; ///< its declaration
  const Piece *block = nullptr;
  Scope *inner = nullptr; ///< of an instance of a circuit
};

/// The names of a network or of one instance of a circuit.
class Scope {
public:
  std::string prefix; ///< of its symbols: "" or "c."
  const CircuitDecl *circuit = nullptr;
  const Scope *caller = nullptr;
  std::map<std::string, NameEntry> names; ///< "z", "h[0]"
  std::set<std::string> roots; ///< their first parts, also of later ones
  /// Arguments that are objects of the caller.
  std::map<std::string, std::pair<ExprPtr, const Piece *>> objects;
  std::map<std::string, std::string> aliases; ///< functions, models, rules
  std::set<std::string> given, absent;
  std::unique_ptr<Piece> body;
  bool faulty = false; ///< its arguments are: nothing has been expanded
};

/// A statement of the flat list.
struct Placed {
  ItemPtr item;
  const ConstEnv *env;
  const Origin *origin;
};

/// The services of the elaborator that expansion needs.
struct ExpansionHooks {
  std::function<ConstResult(const Expr &, const ConstEnv *, const Dim *,
                            const std::string &what)>
      evaluate;
  std::function<const CircuitDecl *(const Ident &)> circuit;
  /// dt, seed, batch, param and let, in their order.
  std::function<void(const Item &, ConstEnv &)> setting;
  std::function<bool(const Ident &name)> declare; ///< reports duplicates
};

class Expansion {
public:
  Expansion(Diag &diag, ExpansionHooks hooks)
      : diag(diag), hooks(std::move(hooks)) {}

  std::vector<Placed> run(const std::vector<ItemPtr> &items);
  ConstEnv &constants() { return root.body->env; }
  /// A copy of `e` in which references name symbols. `scope` null: the network.
  ExprPtr resolve(const Expr &e, const ConstEnv *env);
  /// The values that the counter of a `for … in` takes.
  std::optional<std::vector<ConstTyped>> loopValues(const Item &it,
                                                    const ConstEnv *env);

private:
  struct Ref {
    ExprPtr expr; ///< what it is replaced by
    const NameEntry *entry = nullptr;
  };
  void fill(Piece &block, const std::vector<ItemPtr> &items);
  void collectRoots(Scope &scope, const std::vector<ItemPtr> &items);
  bool isArgument(const Scope &scope, const Ident &name);
  bool declareItem(Piece &block, const Item &it);
  void expandFor(Piece &block, const Item &it);
  void expandIf(Piece &block, const Item &it);
  void expandCircuit(Piece &block, const Item &it);
  bool bind(Scope &inner, const Piece &callerBlock, const Item &call);
  bool bindValue(Scope &inner, const CircuitParam &p, const Expr &value,
                 const Piece &from);
  bool isObject(const Expr &e, const Scope &scope) const;
  std::string fullName(const std::string &name,
                       const std::vector<ExprPtr> &index, const Piece &block);
  std::optional<std::string> indexText(const Expr &e, const Scope &scope,
                                       const ConstEnv *env);
  void flatten(const Piece &block, std::vector<Placed> &into);
  ItemPtr place(const Item &it, const Piece &block);
  /// Rewrites names in place; `refs`: references are meant, not constants.
  void rewrite(ExprPtr &e, const Scope &scope, const ConstEnv *env, bool refs,
               bool strict = false);
  bool resolveChain(ExprPtr &e, const Scope &scope, const ConstEnv *env,
                    Ref &ref, bool strict);
  ConstResult constant(const Expr &e, const Piece &block,
                       const Dim *want = nullptr, const std::string &what = "");
  std::optional<std::vector<double>>
  shapeOf(const Expr &call, const Scope &scope, const ConstEnv *env);
  const Origin *origin(SMLoc loc, std::string text, const Origin *outer);
  bool hasUnits(const Expr &e, const Scope &scope, const ConstEnv *env);
  ExprPtr number(double x, const Expr &like);

  Diag &diag;
  ExpansionHooks hooks;
  Scope root;
  ConstEnv shared; ///< what circuits see of the network: dt
  std::vector<std::unique_ptr<Scope>> scopes;
  std::vector<std::unique_ptr<Origin>> origins;
  std::set<std::string> prefixes;
  bool ofSteps = false; ///< rewriting steps of an experiment
  std::set<const NameEntry *> measuring; ///< shapes being evaluated
  size_t statements = 0;
};

} // namespace neuroc::lang
#endif // NEUROC_LIB_FRONTEND_LANG_CIRCUITS_H
