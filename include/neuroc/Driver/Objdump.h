// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The command line of neuroc-objdump as a function.
#ifndef NEUROC_DRIVER_OBJDUMP_H
#define NEUROC_DRIVER_OBJDUMP_H

namespace neuroc {

/// Returns the exit code (docs/cli.md).
int neurocObjdumpMain(int argc, char **argv);

} // namespace neuroc
#endif // NEUROC_DRIVER_OBJDUMP_H
