// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// neuroc-opt: runs passes on IR text, for people who work on the compiler.
#include "neuroc/Driver/RegisterAll.h"

#include "mlir/Tools/mlir-opt/MlirOptMain.h"
#include "llvm/Support/PrettyStackTrace.h"

int main(int argc, char **argv) {
  llvm::setBugReportMsg("neuroc-opt crashed: please report it, with the input, "
                        "to the project's issue tracker\n");
  neuroc::registerAllPasses();
  mlir::DialectRegistry registry;
  neuroc::registerAllDialects(registry);
  return mlir::asMainReturnCode(
      mlir::MlirOptMain(argc, argv, "neuroc pass driver\n", registry));
}
