// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Runs the emitter over all tiles and checks what they came to against the
// machine.
#include "Emitter.h"

using namespace mlir;

namespace neuroc::xbar {

CompileResult Emitter::run(CompiledProgram &program) {
  if (failed(setUp()))
    return CompileResult::ModelError;
  for (TileState &t : tiles)
    if (failed(emitTile(t)))
      return CompileResult::ModelError;
  for (TileState &t : tiles) {
    std::string names;
    for (Share &share : t.shares) {
      if (!names.empty())
        names += "', '";
      names += share.population.getSymName().str();
    }
    Location loc = t.shares.front().population.getLoc();
    if (t.tile.used() > machine.memoryWords) {
      emitError(loc) << "does not fit: tile " << t.tile.number
                     << " with units of '" << names << "' needs "
                     << t.tile.used() << " words of memory, has "
                     << machine.memoryWords << " ("
                     << t.tile.used() - machine.memoryWords
                     << " too many); a machine with more memory per tile or a "
                        "smaller population would help";
      return CompileResult::DoesNotFit;
    }
    if (int64_t(t.tile.code.size()) > machine.programWords) {
      emitError(loc) << "does not fit: tile " << t.tile.number
                     << " with units of '" << names << "' needs "
                     << t.tile.code.size() << " instructions, has room for "
                     << machine.programWords;
      return CompileResult::DoesNotFit;
    }
  }
  return failed(writeProgram(program)) ? CompileResult::ModelError
                                       : CompileResult::Success;
}

} // namespace neuroc::xbar
