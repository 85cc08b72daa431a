/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * The binary interface between a program that the CPU target generated and the
 * engine that runs it. Plain C.
 *
 * A program is one shared object (container member "cpu/program.so"), or the
 * same object linked into an executable. It exports one symbol,
 * `neuroc_cpu_program`, and imports at most functions of the C maths library.
 *
 * All of a program's memory is its own: *buffers*, arrays of static extent in
 * its zero-initialised section. The code never allocates. Names, element types
 * and initial contents of the buffers are in the manifest ("program"/"buffers",
 * same order); initial contents are not in the object, so the engine fills the
 * buffers before the first call and again at every reset. Two instances of one
 * program need two loaded copies of the object.
 *
 * *Functions* do one step of a tick each (a stage of a population, a
 * projection, a group of tensor operations, a part of a learning rule). The
 * manifest ("program"/"items") says in which order they run, what the engine
 * does between them, and which buffers they read and write. docs/cpu.md is the
 * reference of the manifest.
 *
 * Trust: the object is native code and runs with the rights of the process.
 * Checks made before the first call: container hashes, struct_size, versions,
 * program_id against the manifest, counts, and the size of every buffer.
 */
#ifndef NEUROC_RT_CPU_PROGRAM_H
#define NEUROC_RT_CPU_PROGRAM_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A change of meaning raises the major version, an addition the minor one. */
#define NEUROC_CPU_ABI_MAJOR 1u
#define NEUROC_CPU_ABI_MINOR 0u
#define NEUROC_CPU_PROGRAM_SYMBOL "neuroc_cpu_program"

/* One array of the program; `data` is aligned to 64 bytes. */
typedef struct {
  void *data;
  uint64_t bytes;
} neuroc_cpu_buffer;

/* One step of tick `tick` (counted from 0). Not reentrant. */
typedef void (*neuroc_cpu_function)(int64_t tick);

/* What the exported symbol is. Fields are added at the end only. */
typedef struct {
  uint32_t struct_size; /* sizeof(neuroc_cpu_program) of the compiler */
  uint32_t abi_major;
  uint32_t abi_minor;
  uint32_t real_bytes; /* 4 or 8: the format of a real number */
  uint64_t program_id; /* equals the manifest's "id": they belong together */
  uint64_t buffer_count;
  const neuroc_cpu_buffer *buffers;
  uint64_t function_count;
  const neuroc_cpu_function *functions;
} neuroc_cpu_program;

#ifdef __cplusplus
}
#endif
#endif /* NEUROC_RT_CPU_PROGRAM_H */
