// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The command line of a standalone executable: one program, one engine.
#ifndef NEUROC_RT_STANDALONE_H
#define NEUROC_RT_STANDALONE_H

#include "neuroc/rt/Session.h"

namespace neuroc::rt {

/// Carries out the experiment of `program` on `engine` and prints the
/// statistics object. Arguments: [--ticks N] [--input NAME=FILE]… [--out DIR].
/// Returns the exit code; messages go to stderr.
int runStandalone(const Container &program, Engine &engine, int argc,
                  char **argv);

} // namespace neuroc::rt
#endif // NEUROC_RT_STANDALONE_H
