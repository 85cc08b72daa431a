/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * The C interface of the runtime: load a compiled program, run it, read the
 * results. C99, opaque handles, fixed-width integers. Functions that can fail
 * return a status code (0: done; the classes are the exit codes of `neuroc`)
 * and write a text to `error` if it is not null. Handles are not shared
 * between threads without a lock of the caller's; different handles may be
 * used by different threads. Memory that a function returns belongs to the
 * handle and lives until the handle is destroyed or run again.
 */
#ifndef NEUROC_RT_H
#define NEUROC_RT_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The version of this header. A library runs programs written against its own
 * major version and the same or a lower minor version. */
#define NEUROC_RT_VERSION_MAJOR 1
#define NEUROC_RT_VERSION_MINOR 0
#define NEUROC_RT_VERSION                                                      \
  (((uint32_t)NEUROC_RT_VERSION_MAJOR << 16) | NEUROC_RT_VERSION_MINOR)
/* The version of the library that is linked. */
uint32_t neuroc_rt_version(void);

enum {
  NEUROC_RT_OK = 0,
  NEUROC_RT_MODEL_ERROR = 1,
  NEUROC_RT_USAGE_ERROR = 2,
  NEUROC_RT_DOES_NOT_FIT = 3,
  NEUROC_RT_CHECK_FAILED = 4,
  NEUROC_RT_INPUT_ERROR = 66,
  NEUROC_RT_INTERNAL = 70,
  NEUROC_RT_OUTPUT_ERROR = 74
};

/* A message; `struct_size` must be set to sizeof(neuroc_rt_error). */
typedef struct {
  uint32_t struct_size;
  char message[1020]; /* zero-terminated, cut if longer */
} neuroc_rt_error;

typedef struct neuroc_rt_program neuroc_rt_program;
typedef struct neuroc_rt_run neuroc_rt_run;

/* Loads and validates a .nrx file, or bytes in memory (which are copied). */
int neuroc_rt_load(const char *path, neuroc_rt_program **program,
                   neuroc_rt_error *error);
int neuroc_rt_load_memory(const void *bytes, size_t size,
                          neuroc_rt_program **program, neuroc_rt_error *error);
void neuroc_rt_program_destroy(neuroc_rt_program *program);
/* "cpu", "spinnaker" or "crossbar". */
const char *neuroc_rt_program_target(const neuroc_rt_program *program);
/* The manifest, JSON text (docs/container.md). */
const char *neuroc_rt_program_manifest(const neuroc_rt_program *program);

typedef struct {
  uint32_t struct_size; /* sizeof(neuroc_rt_options) */
  uint32_t threads;     /* 0: one */
  uint64_t seed;        /* 0: the program's own */
  uint64_t ticks;       /* 0: the program's experiment, else so many ticks */
} neuroc_rt_options;

/* A run of a program; the program must outlive it. `options` may be null. */
int neuroc_rt_run_create(const neuroc_rt_program *program,
                         const neuroc_rt_options *options, neuroc_rt_run **run,
                         neuroc_rt_error *error);
void neuroc_rt_run_destroy(neuroc_rt_run *run);

/* Binds an array (row-major, copied) to a stimulus or dataset, before
 * neuroc_rt_run_execute. */
int neuroc_rt_run_set_input(neuroc_rt_run *run, const char *name,
                            const double *values, const int64_t *shape,
                            uint32_t rank, neuroc_rt_error *error);

/* Runs from tick 0 to the end; may be called again. */
int neuroc_rt_run_execute(neuroc_rt_run *run, neuroc_rt_error *error);

/* The statistics object of the last run, JSON text (docs/stats.md); "" before
 * the first. */
const char *neuroc_rt_run_stats(const neuroc_rt_run *run);

/* Recordings. A probe has spikes or values, the other is empty. `count` is the
 * number of spikes, or of samples; `units` the number of values per sample. */
typedef struct {
  uint32_t struct_size; /* sizeof(neuroc_rt_recording) */
  uint32_t is_spikes;
  const char *name;
  uint64_t count;
  uint64_t units;
  const uint64_t *ticks;       /* `count` */
  const uint32_t *spike_units; /* `count`, spikes only */
  const double *values;        /* `count * units`, values only */
} neuroc_rt_recording;

uint32_t neuroc_rt_run_probe_count(const neuroc_rt_run *run);
int neuroc_rt_run_probe(const neuroc_rt_run *run, uint32_t index,
                        neuroc_rt_recording *recording, neuroc_rt_error *error);

/* A result table that the experiment's readouts filled. */
int neuroc_rt_run_table(const neuroc_rt_run *run, const char *name,
                        const double **values, int64_t *rows, int64_t *columns,
                        neuroc_rt_error *error);

#ifdef __cplusplus
}
#endif
#endif /* NEUROC_RT_H */
