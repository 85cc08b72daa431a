// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Expressions of stages and handlers as scalar IR: `arith` and `math` on f64
// and i1. Constants are folded on the way, in f64.
#ifndef NEUROC_LIB_FRONTEND_LANG_SCALAREMIT_H
#define NEUROC_LIB_FRONTEND_LANG_SCALAREMIT_H

#include "ExprEval.h"

#include "mlir/IR/Builders.h"

#include <functional>

namespace neuroc::lang {

/// A value in IR, or a constant that has not been materialised yet.
struct Scalar {
  mlir::Value value;
  std::optional<double> constant;
  bool boolean = false; ///< of a constant: i1 rather than f64
};
using ScalarTyped = Typed<Scalar>;
using ScalarResult = std::optional<ScalarTyped>;

class ScalarDomain {
public:
  using Payload = Scalar;
  using Val = ScalarTyped;

  ScalarDomain(mlir::OpBuilder &builder, Diag &diag)
      : builder(builder), diag(diag) {}

  /// Resolves a name: nothing if unknown, an empty result if it is faulty.
  std::function<std::optional<ScalarResult>(const Expr &)> lookup;
  std::function<std::optional<ScalarResult>(const Expr &)> lookupGlobal;
  std::function<std::vector<std::string>()> visible;
  std::function<ScalarResult(const Expr &)> evaluate;
  /// Draws are refused with this text when it is not empty.
  std::string noRandom;
  bool unitIndex = true; ///< `i` exists (in models)
  /// Which collectives may be used: none, of units, of synapses.
  enum class Collectives { None, Units, Synapses };
  Collectives collectives = Collectives::None;
  /// A whole number of at least 1 that is known at compile time.
  std::function<std::optional<int64_t>(const Expr &, llvm::StringRef what)>
      wholeNumber;
  /// Collectives are put before this operation (equations of a stage).
  mlir::Operation *hoistBefore = nullptr;

  mlir::Value materialize(const Scalar &s, llvm::SMLoc loc);

  Scalar number(double x, llvm::SMLoc) { return {{}, x, false}; }
  std::optional<Scalar> unary(llvm::StringRef op, Scalar a, llvm::SMLoc loc);
  std::optional<Scalar> binary(llvm::StringRef op, Scalar a, Scalar b,
                               llvm::SMLoc loc);
  std::optional<Scalar> select(Scalar c, Scalar a, Scalar b, llvm::SMLoc loc);
  std::optional<Scalar> math(llvm::StringRef fn, Scalar a, llvm::SMLoc loc);
  std::optional<double> constant(const Scalar &s) {
    return s.boolean ? std::nullopt : s.constant;
  }
  std::optional<ScalarResult> name(const Expr &e);
  std::optional<ScalarResult> global(const Expr &e) {
    return lookupGlobal ? lookupGlobal(e) : std::nullopt;
  }
  std::optional<ScalarResult> special(const Expr &e);
  std::optional<ScalarResult> collective(const Expr &e);
  std::vector<std::string> names();
  std::vector<std::string> calls(); ///< functions besides the built-in ones

private:
  mlir::OpBuilder &builder;
  Diag &diag;
};

} // namespace neuroc::lang
#endif // NEUROC_LIB_FRONTEND_LANG_SCALAREMIT_H
