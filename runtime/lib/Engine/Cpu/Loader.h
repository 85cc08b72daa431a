// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Brings a program into the process and checks that it is what the plan says.
#ifndef NEUROC_LIB_ENGINE_CPU_LOADER_H
#define NEUROC_LIB_ENGINE_CPU_LOADER_H

#include "Plan.h"

#include "neuroc/rt/cpu/Program.h"

namespace neuroc::rt::cpu {

class LoadedProgram {
public:
  LoadedProgram() = default;
  LoadedProgram(const LoadedProgram &) = delete;
  LoadedProgram &operator=(const LoadedProgram &) = delete;
  ~LoadedProgram();

  /// Loads "cpu/program.so" (or takes the linked program, see Linked.h).
  /// Errors: InputError (missing member, not loadable, other ABI or program),
  /// DoesNotFit (another architecture or instruction set).
  Status load(const Container &container, const Plan &plan);

  void *data(uint32_t buffer) const { return program->buffers[buffer].data; }
  neuroc_cpu_function function(uint32_t number) const {
    return number == kNone ? nullptr : program->functions[number];
  }

private:
  Status open(const Container &container);
  Status check(const std::string &origin, const Plan &plan) const;

  int fd = -1; ///< stays open: the loader knows libraries by their path
  void *handle = nullptr;
  bool isLinked = false;
  const neuroc_cpu_program *program = nullptr;
};

} // namespace neuroc::rt::cpu
#endif // NEUROC_LIB_ENGINE_CPU_LOADER_H
