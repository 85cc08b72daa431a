// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Values known at compile time: numbers, arrays and distributions, and the
// functions on them (files, samples, a little linear algebra).
#ifndef NEUROC_LIB_FRONTEND_LANG_CONSTEVAL_H
#define NEUROC_LIB_FRONTEND_LANG_CONSTEVAL_H

#include "ExprEval.h"

#include <functional>

namespace neuroc::lang {

/// A distribution as in the IR; `kind` is its name there.
struct Distribution {
  std::string kind; ///< uniform, normal, lognormal, exponential
  double a = 0, b = 1;
  std::optional<std::pair<double, double>> clip;
};

/// A number (no shape), an array (row-major) or a distribution.
struct ConstValue {
  std::vector<int64_t> shape;
  std::vector<double> data;
  std::optional<Distribution> dist;

  bool isNumber() const { return !dist && shape.empty() && data.size() == 1; }
  bool isArray() const { return !dist && !shape.empty(); }
  double number() const { return data[0]; }
  static ConstValue of(double x) {
    ConstValue v;
    v.data.push_back(x);
    return v;
  }
};

using ConstTyped = Typed<ConstValue>;
using ConstResult = std::optional<ConstTyped>;
/// A file's contents as f64, or an error message.
std::string readNpy(llvm::StringRef path, ConstValue &value, bool &isBool);

/// The Domain (see ExprEval.h) of compile-time values.
class ConstDomain {
public:
  using Payload = ConstValue;
  using Val = ConstTyped;

  ConstDomain(Diag &diag) : diag(diag) {}

  /// Resolves a name: nothing if unknown, an empty result if it is faulty.
  std::function<std::optional<ConstResult>(const Expr &)> lookup;
  std::function<std::optional<ConstResult>(const Expr &)> lookupGlobal;
  std::function<std::vector<std::string>()> visible;
  /// Evaluates an argument (set by the owner, which has the ExprEval).
  std::function<ConstResult(const Expr &)> evaluate;
  /// Finds a file named in the program: its full path, or "".
  std::function<std::string(const Expr &)> findFile;
  /// One value per unit is wanted: `i` counts, distributions are drawn when
  /// they meet anything but a shift or a scale.
  std::vector<int64_t> unitShape;
  uint64_t networkSeed = 1; ///< of permutation(…)
  bool missingValues = false; ///< `nan` exists
  uint64_t seed = 1;
  std::string stream; ///< of draws, for example "E.v"

  ConstValue number(double x, llvm::SMLoc) { return ConstValue::of(x); }
  std::optional<ConstValue> unary(llvm::StringRef op, ConstValue a,
                                  llvm::SMLoc loc);
  std::optional<ConstValue> binary(llvm::StringRef op, ConstValue a,
                                   ConstValue b, llvm::SMLoc loc);
  std::optional<ConstValue> select(ConstValue c, ConstValue a, ConstValue b,
                                   llvm::SMLoc loc);
  std::optional<ConstValue> math(llvm::StringRef fn, ConstValue a,
                                 llvm::SMLoc loc);
  std::optional<double> constant(const ConstValue &v) {
    return v.isNumber() ? std::optional<double>(v.number()) : std::nullopt;
  }
  std::optional<ConstResult> name(const Expr &e);
  std::optional<ConstResult> global(const Expr &e) {
    return lookupGlobal ? lookupGlobal(e) : std::nullopt;
  }
  std::optional<ConstResult> special(const Expr &e);
  std::vector<std::string> names();
  std::vector<std::string> calls() { return {"derivative"}; }

  /// Draws one value per element of `shape`.
  static ConstValue draw(const Distribution &d, llvm::ArrayRef<int64_t> shape,
                         uint64_t seed, llvm::StringRef stream);

private:
  bool plain(ConstValue &v, llvm::SMLoc loc);
  std::optional<ConstValue> zip(const ConstValue &a, const ConstValue &b,
                                llvm::SMLoc loc,
                                llvm::function_ref<double(double, double)> f);
  ConstResult distribution(const Expr &e);
  ConstResult arrayLiteral(const Expr &e);
  ConstResult index(const Expr &e);
  ConstResult file(const Expr &e);
  ConstResult sample(const Expr &e);
  ConstResult arrayFunction(const Expr &e);
  std::optional<std::vector<int64_t>> shapeArgument(const Expr &e);

  Diag &diag;
  unsigned draws = 0; ///< distinguishes draws of one stream
};

/// Names of all collectives (Collectives.cpp).
const std::vector<std::string> &collectiveNames();
/// Names of the functions that only compile-time expressions have.
const std::vector<std::string> &constFunctions();

} // namespace neuroc::lang
#endif // NEUROC_LIB_FRONTEND_LANG_CONSTEVAL_H
