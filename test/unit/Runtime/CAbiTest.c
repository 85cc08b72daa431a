/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * The C interface used from plain C99: this file must compile as C, and the
 * functions below return 0 where a check holds, else its number.
 */
#include "neuroc/rt/neuroc_rt.h"

#include <string.h>

int neuroc_test_version(void);
int neuroc_test_null_arguments(void);
int neuroc_test_load(const void *bytes, size_t size);

int neuroc_test_version(void) {
  uint32_t major = NEUROC_RT_VERSION_MAJOR, minor = NEUROC_RT_VERSION_MINOR;
  if (neuroc_rt_version() != NEUROC_RT_VERSION)
    return 1;
  /* The encoded number grows with each part. */
  if (((major + 1) << 16 | minor) <= NEUROC_RT_VERSION)
    return 2;
  if ((major << 16 | (minor + 1)) <= NEUROC_RT_VERSION)
    return 3;
  if (((major + 1) << 16) <= (major << 16 | 0xFFFFu))
    return 4;
  return 0;
}

int neuroc_test_null_arguments(void) {
  neuroc_rt_error error;
  neuroc_rt_program *program = NULL;
  neuroc_rt_run *run = NULL;
  neuroc_rt_recording recording;
  const double *values;
  int64_t rows, columns;
  memset(&error, 0, sizeof error);
  memset(&recording, 0, sizeof recording);
  error.struct_size = sizeof error;
  if (neuroc_rt_load(NULL, &program, &error) != NEUROC_RT_USAGE_ERROR)
    return 1;
  if (!strstr(error.message, "null argument"))
    return 2;
  if (neuroc_rt_load("/nonexistent.nrx", &program, NULL) !=
      NEUROC_RT_INPUT_ERROR)
    return 3;
  if (neuroc_rt_load_memory("x", 1, &program, &error) !=
      NEUROC_RT_INPUT_ERROR)
    return 4;
  if (neuroc_rt_run_create(NULL, NULL, &run, &error) !=
      NEUROC_RT_USAGE_ERROR)
    return 5;
  if (neuroc_rt_run_execute(NULL, &error) != NEUROC_RT_USAGE_ERROR)
    return 6;
  if (neuroc_rt_run_probe_count(NULL) != 0)
    return 7;
  if (neuroc_rt_run_probe(NULL, 0, &recording, &error) !=
      NEUROC_RT_USAGE_ERROR)
    return 8;
  if (neuroc_rt_run_table(NULL, "t", &values, &rows, &columns, &error) !=
      NEUROC_RT_USAGE_ERROR)
    return 9;
  if (strcmp(neuroc_rt_run_stats(NULL), "") != 0)
    return 10;
  if (strcmp(neuroc_rt_program_target(NULL), "") != 0)
    return 11;
  neuroc_rt_program_destroy(NULL);
  neuroc_rt_run_destroy(NULL);
  return 0;
}

int neuroc_test_load(const void *bytes, size_t size) {
  neuroc_rt_error error;
  neuroc_rt_program *program = NULL;
  neuroc_rt_run *run = NULL;
  neuroc_rt_options options;
  neuroc_rt_recording recording;
  const double input[2] = {1, 2};
  const int64_t shape[1] = {2}, negative[1] = {-1};
  const double *values;
  int64_t rows, columns;
  memset(&error, 0, sizeof error);
  error.struct_size = sizeof error;
  if (neuroc_rt_load_memory(bytes, size, &program, &error))
    return 1;
  if (strcmp(neuroc_rt_program_target(program), "nowhere") != 0)
    return 2;
  if (!strstr(neuroc_rt_program_manifest(program), "neuroc-program"))
    return 3;
  memset(&options, 0, sizeof options); /* struct_size 0: another version */
  if (neuroc_rt_run_create(program, &options, &run, &error) !=
      NEUROC_RT_USAGE_ERROR)
    return 4;
  options.struct_size = sizeof options;
  options.ticks = 3;
  if (neuroc_rt_run_create(program, &options, &run, &error))
    return 5;
  if (neuroc_rt_run_set_input(run, "x", input, shape, 1, &error))
    return 6;
  if (neuroc_rt_run_set_input(run, "x", input, negative, 1, &error) !=
      NEUROC_RT_USAGE_ERROR)
    return 7;
  /* No engine has this name: an input error that says so. */
  if (neuroc_rt_run_execute(run, &error) != NEUROC_RT_INPUT_ERROR)
    return 8;
  if (!strstr(error.message, "'nowhere'"))
    return 9;
  memset(&recording, 0, sizeof recording);
  recording.struct_size = sizeof recording;
  if (neuroc_rt_run_probe(run, 0, &recording, &error) !=
      NEUROC_RT_USAGE_ERROR)
    return 10;
  if (neuroc_rt_run_table(run, "t", &values, &rows, &columns, &error) !=
      NEUROC_RT_USAGE_ERROR)
    return 11;
  neuroc_rt_run_destroy(run);
  neuroc_rt_program_destroy(program);
  return 0;
}
