// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// main() of a standalone executable (`--emit=exe`). The container and the
// program's code are linked in; the container's bytes are checked like those
// of a file.

#include "neuroc/rt/Container.h"
#include "neuroc/rt/Engines.h"
#include "neuroc/rt/Standalone.h"
#include "neuroc/rt/cpu/Linked.h"

#include <cstdio>

extern "C" {
extern const neuroc_cpu_program
    neuroc_cpu_program_instance __asm__(NEUROC_CPU_PROGRAM_SYMBOL);
extern const uint8_t neuroc_exe_container[];
extern const uint64_t neuroc_exe_container_size;
}

int main(int argc, char **argv) {
  using namespace neuroc::rt;
  auto fail = [&](const Status &status) {
    std::fprintf(stderr, "%s: error: %s\n", argv[0], status.message().c_str());
    return int(status.code());
  };
  std::shared_ptr<const Container> container;
  if (Status status = Container::read(
          {neuroc_exe_container, size_t(neuroc_exe_container_size)}, argv[0],
          container);
      !status)
    return fail(status);
  cpu::setLinkedProgram(&neuroc_cpu_program_instance);
  std::unique_ptr<Engine> engine;
  if (Status status = createCpuEngine(container, {}, engine); !status)
    return fail(status);
  return runStandalone(*container, *engine, argc, argv);
}
