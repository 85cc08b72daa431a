// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Expressions of experiments that are only known while the experiment runs:
// states, weights, signals, tables, data and variables, as neuro.read and
// neuro.calc. Expressions without any of these stay compile-time values.
#ifndef NEUROC_LIB_FRONTEND_LANG_HOSTEXPR_H
#define NEUROC_LIB_FRONTEND_LANG_HOSTEXPR_H

#include "Circuits.h"

#include "neuroc/Neuro/Neuro.h"

#include "mlir/IR/Builders.h"

#include <map>
#include <set>

namespace neuroc::lang {

class Elaborator;
struct NetworkInfo;

/// An array of the host; a number that is known is not yet in the IR.
struct HostValue {
  mlir::Value value;
  std::optional<double> constant;
};
using HostTyped = Typed<HostValue>;
using HostResult = std::optional<HostTyped>;

/// What is known of an experiment at the present step.
struct ExperimentState {
  struct Variable {
    Dim dim;
    bool boolean = false, anyUnit = false;
  };
  std::map<std::string, Variable> variables;
  std::set<std::string> assigned; ///< names that some step assigns
  std::map<std::string, std::set<std::string>> snapshots; ///< what they hold
  /// Loops over rows around the step: dataset and counter, outermost first.
  std::vector<std::pair<std::string, std::string>> rowLoops;
  unsigned hidden = 0; ///< variables made so far
  unsigned calls = 0;  ///< nesting of functions that are looked into
  std::set<std::string> active; ///< procedures being expanded
};

/// The Domain (see ExprEval.h) of host expressions.
class HostDomain {
public:
  using Payload = HostValue;
  using Val = HostTyped;

  HostDomain(Elaborator &el, NetworkInfo &net, const ConstEnv &env);

  /// Evaluates an argument (set by the owner, which has the ExprEval).
  std::function<HostResult(const Expr &)> evaluate;

  mlir::Value materialize(const HostValue &v, llvm::SMLoc loc);
  HostValue calc(llvm::StringRef function, llvm::ArrayRef<HostValue> operands,
                 llvm::SMLoc loc, std::optional<int64_t> axis = std::nullopt);

  HostValue number(double x, llvm::SMLoc) { return {{}, x}; }
  std::optional<HostValue> unary(llvm::StringRef op, HostValue a,
                                 llvm::SMLoc loc);
  std::optional<HostValue> binary(llvm::StringRef op, HostValue a, HostValue b,
                                  llvm::SMLoc loc);
  std::optional<HostValue> select(HostValue c, HostValue a, HostValue b,
                                  llvm::SMLoc loc);
  std::optional<HostValue> math(llvm::StringRef fn, HostValue a,
                                llvm::SMLoc loc);
  std::optional<double> constant(const HostValue &v) { return v.constant; }
  std::optional<HostResult> name(const Expr &e);
  std::optional<HostResult> global(const Expr &e);
  std::optional<HostResult> special(const Expr &e);
  std::vector<std::string> names();
  std::vector<std::string> calls();

private:
  HostResult literal(const Expr &e);
  HostResult literal(const ConstTyped &v, llvm::SMLoc loc);
  HostResult member(const Expr &e);
  HostResult index(const Expr &e);
  HostResult call(const Expr &e, llvm::StringRef function, bool axis);
  std::optional<HostResult> window(const Expr &e);
  HostResult readState(const std::string &owner, const Expr &e,
                       llvm::StringRef snapshot);
  HostResult read(neuro::HostKind of, llvm::StringRef source,
                  llvm::StringRef variable, llvm::StringRef snapshot,
                  llvm::SMLoc loc, const ExperimentState::Variable &info,
                  neuro::Reduce reduce = neuro::Reduce::Last,
                  bool current = false);

  Elaborator &el;
  NetworkInfo &net;
  const ConstEnv &env;
  Diag &diag;
  mlir::OpBuilder &b;
};

} // namespace neuroc::lang
#endif // NEUROC_LIB_FRONTEND_LANG_HOSTEXPR_H
