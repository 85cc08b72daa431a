// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// neuroc: compiles networks of neurons and runs them. See lib/Driver.
#include "neuroc/Driver/Driver.h"

#include "llvm/Support/PrettyStackTrace.h"

int main(int argc, char **argv) {
  llvm::setBugReportMsg("neuroc crashed: this is a bug of neuroc; please "
                        "report it with the command line and the model\n");
  llvm::EnablePrettyStackTrace();
  return neuroc::neurocMain(argc, argv);
}
