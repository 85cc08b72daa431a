// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// For standalone executables: the program is part of the process.
#ifndef NEUROC_RT_CPU_LINKED_H
#define NEUROC_RT_CPU_LINKED_H

#include "neuroc/rt/cpu/Program.h"

namespace neuroc::rt::cpu {

/// Makes the next CPU engine use `program` in place of the shared object of its
/// container. The ids must agree. One engine at a time can use it.
void setLinkedProgram(const neuroc_cpu_program *program);

} // namespace neuroc::rt::cpu
#endif // NEUROC_RT_CPU_LINKED_H
