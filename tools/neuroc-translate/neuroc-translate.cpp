// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Translates source text to IR and nothing more: `neuroc-translate
// --neuro-to-mlir FILE`. For people who work on the front end, and for tests:
// it knows --split-input-file and --verify-diagnostics.
#include "neuroc/Frontend/Lang/Lang.h"

#include "neuroc/Neuro/Neuro.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Tools/mlir-translate/MlirTranslateMain.h"
#include "mlir/Tools/mlir-translate/Translation.h"
#include "llvm/Support/CommandLine.h"

static llvm::cl::list<std::string>
    libraryPaths("library-path", llvm::cl::value_desc("folder"),
                 llvm::cl::desc("Folder of the standard library"));
static llvm::cl::opt<bool>
    useLibrary("standard-library", llvm::cl::init(true),
               llvm::cl::desc("Make the standard library known (default: on)"));

int main(int argc, char **argv) {
  mlir::TranslateToMLIRRegistration registration(
      "neuro-to-mlir", "the .neuro language to the neuro dialect",
      [](llvm::SourceMgr &sources, mlir::MLIRContext *context) {
        neuroc::LangOptions options;
        options.libraryPaths.assign(libraryPaths.begin(), libraryPaths.end());
        options.useLibrary = useLibrary;
        return mlir::OwningOpRef<mlir::Operation *>(
            neuroc::parseNeuro(sources, *context, options).release());
      },
      [](mlir::DialectRegistry &registry) {
        registry.insert<neuroc::neuro::NeuroDialect, mlir::arith::ArithDialect,
                        mlir::math::MathDialect>();
      });
  return mlir::failed(
      mlir::mlirTranslateMain(argc, argv, "neuroc source translator"));
}
