// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// neuroc-lsp-server: the language server for IR text. Editors that speak to
// upstream's mlir-lsp-server take this one in its place.
#include "neuroc/Driver/RegisterAll.h"

#include "mlir/IR/MLIRContext.h"
#include "mlir/Tools/mlir-lsp-server/MlirLspServerMain.h"

int main(int argc, char **argv) {
  mlir::DialectRegistry registry;
  neuroc::registerAllDialects(registry);
  return mlir::failed(mlir::MlirLspServerMain(argc, argv, registry));
}
