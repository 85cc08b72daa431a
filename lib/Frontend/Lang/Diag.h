// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Errors of the language: MLIR diagnostics at FileLineColLoc, counted and
// capped, with a helper for "did you mean".
#ifndef NEUROC_LIB_FRONTEND_LANG_DIAG_H
#define NEUROC_LIB_FRONTEND_LANG_DIAG_H

#include "Units.h"

#include "mlir/IR/Diagnostics.h"
#include "mlir/IR/Location.h"
#include "llvm/Support/SourceMgr.h"

namespace neuroc::lang {

/// Where a statement comes from that was copied: a circuit's instance, a round
/// of a loop.
struct Origin {
  llvm::SMLoc loc;
  std::string text;
  const Origin *outer = nullptr;
};

class Diag {
public:
  Diag(llvm::SourceMgr &sources, mlir::MLIRContext &context)
      : sources(sources), context(context) {}

  /// With the places of the present origin behind it.
  mlir::Location location(llvm::SMLoc loc) const;
  /// Reports an error (the first 20; the rest are counted only). `help`, if
  /// given, becomes a note "help: …" at the same place.
  void error(llvm::SMLoc loc, const llvm::Twine &message,
             const llvm::Twine &help = "");
  /// An emitter for checked construction of attributes; counts as an error.
  auto checked(llvm::SMLoc loc) {
    return [this, loc] {
      ++count;
      return mlir::emitError(location(loc));
    };
  }
  void note(llvm::SMLoc loc, const llvm::Twine &message);
  void warning(llvm::SMLoc loc, const llvm::Twine &message);
  /// "unknown <what> 'name'" with the nearest of `known`, or their list.
  void unknown(llvm::SMLoc loc, llvm::StringRef what, llvm::StringRef name,
               const std::vector<std::string> &known);

  /// What is reported now stands in an expansion of `o`; null: nowhere. Returns
  /// the origin before.
  const Origin *setOrigin(const Origin *o) {
    std::swap(o, origin);
    return o;
  }

  unsigned errors() const { return count; }
  bool failed() const { return count != 0; }
  llvm::SourceMgr &sourceMgr() { return sources; }
  mlir::MLIRContext &mlirContext() { return context; }

private:
  mlir::Location plain(llvm::SMLoc loc) const;
  static constexpr unsigned limit = 20;
  llvm::SourceMgr &sources;
  mlir::MLIRContext &context;
  const Origin *origin = nullptr;
  unsigned count = 0;
};

} // namespace neuroc::lang
#endif // NEUROC_LIB_FRONTEND_LANG_DIAG_H
