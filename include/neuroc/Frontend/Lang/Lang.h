// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The front end of the `.neuro` language (docs/language.md, docs/grammar.md):
// source text to a module of the `neuro` dialect.
#ifndef NEUROC_FRONTEND_LANG_LANG_H
#define NEUROC_FRONTEND_LANG_LANG_H

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"
#include "llvm/Support/SourceMgr.h"

#include <functional>
#include <string>
#include <vector>

namespace neuroc {

struct LangOptions {
  /// Folders searched for imported files, after the importing file's own.
  std::vector<std::string> importPaths;
  /// Folders of the standard library. Empty: see defaultLibraryPaths().
  std::vector<std::string> libraryPaths;
  /// False leaves the standard library out (used by tests).
  bool useLibrary = true;
  /// Values that replace network constants: name and expression text, as in
  /// `--set N=1000`.
  std::vector<std::pair<std::string, std::string>> overrides;
  /// Called for `network NAME from "FILE"`: inserts a `neuro.network @name`
  /// read from `path` into `module`. Null: such networks are an error.
  std::function<mlir::LogicalResult(llvm::StringRef path, llvm::StringRef name,
                                    mlir::Location loc, mlir::ModuleOp module)>
      importNetwork;
};

/// Parses, checks and emits the main buffer of `sources`. Errors go to the
/// context's diagnostics as FileLineColLoc, several per run; the result is
/// then null. Imported files are added to `sources`, so that a
/// SourceMgrDiagnosticHandler can print their lines.
mlir::OwningOpRef<mlir::ModuleOp> parseNeuro(llvm::SourceMgr &sources,
                                             mlir::MLIRContext &context,
                                             const LangOptions &options = {});

/// Where the standard library is looked for: the folders of
/// NEUROC_LIBRARY_PATH, then `share/neuroc/library` beside the program's
/// `bin`, then the source and install folders known at build time.
std::vector<std::string> defaultLibraryPaths();

} // namespace neuroc
#endif // NEUROC_FRONTEND_LANG_LANG_H
