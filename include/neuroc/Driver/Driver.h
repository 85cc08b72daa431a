// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The command line of neuroc as a function.
#ifndef NEUROC_DRIVER_DRIVER_H
#define NEUROC_DRIVER_DRIVER_H

namespace neuroc {

/// Runs the command line and returns the exit code (docs/cli.md): 0 done,
/// 1 the model is at fault, 2 the command line, 3 it does not fit the target,
/// 4 a check failed, 66 / 74 input / output errors, 70 our bug.
int neurocMain(int argc, char **argv);

} // namespace neuroc
#endif // NEUROC_DRIVER_DRIVER_H
