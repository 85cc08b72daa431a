// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// neuroc-objdump: looks into compiled programs. See lib/Driver/Objdump.cpp.
#include "neuroc/Driver/Objdump.h"

int main(int argc, char **argv) {
  return neuroc::neurocObjdumpMain(argc, argv);
}
