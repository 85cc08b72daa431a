// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Statements of one stage or handler as scalar IR. `if` blocks become selects;
// equations of a stage form one system at the place of the first of them.
#ifndef NEUROC_LIB_FRONTEND_LANG_CODEEMITTER_H
#define NEUROC_LIB_FRONTEND_LANG_CODEEMITTER_H

#include "Elaborator.h"

namespace neuroc::lang {

class CodeEmitter {
public:
  /// \param where names the code in messages: "stage 'update'", "'on pre'".
  CodeEmitter(Elaborator &elaborator, Checked &c, std::string where);

  /// What may be assigned here; null: every state (and the weight).
  std::function<bool(const Symbol &)> assignable;
  bool allowEquations = true; ///< ODEs, emit, spike, reset, refractory
  bool allowOde = false;      ///< ODEs even so: of synapses, in `on tick`
  std::set<std::string> *emitted = nullptr; ///< outputs, over all stages
  std::string refractoryState;              ///< of this stage, or ""

  void emit(const std::vector<StmtPtr> &body);
  bool assignedWeight() const { return weightAssigned; }
  ScalarResult eval(const Expr &e) { return ev.eval(e); }
  ScalarResult evalAs(const Expr &e, const Dim &want, const llvm::Twine &what) {
    return ev.evalAs(e, want, what);
  }
  mlir::Value value(const ScalarTyped &v, SMLoc loc) {
    return domain.materialize(v.p, loc);
  }
  mlir::Value get(const Symbol &s, SMLoc loc);
  void set(const Symbol &s, mlir::Value v, SMLoc loc);
  ScalarDomain &scalarDomain() { return domain; }

private:
  void stmt(const Stmt &s);
  void let(const Stmt &s);
  void assign(const Stmt &s);
  void emitOutput(const Stmt &s);
  void spike(const Stmt &s);
  void reset(const Stmt &s);
  void conditional(const Stmt &s);
  void equations(const std::vector<StmtPtr> &body);
  void beginRefractory(const Stmt &s);
  void endRefractory();
  const Symbol *target(const Ident &name);
  std::optional<ScalarResult> lookup(const Expr &e);
  mlir::Value guarded(mlir::Value cond);
  mlir::Value constant(double x, SMLoc loc);

  Elaborator &el;
  Checked &c;
  Diag &diag;
  mlir::OpBuilder &b;
  std::string where;
  ScalarDomain domain;
  ExprEval<ScalarDomain> ev;
  std::map<std::string, ScalarTyped> locals;
  std::map<std::string, const Expr *> localExprs; ///< for use in equations
  std::vector<std::string> expanding;             ///< definitions in progress
  mlir::Value guard;                              ///< of the enclosing ifs
  mlir::Value fired, held;
  const Stmt *refractory = nullptr;
  bool inEquation = false;
  bool weightAssigned = false;
};

} // namespace neuroc::lang
#endif // NEUROC_LIB_FRONTEND_LANG_CODEEMITTER_H
