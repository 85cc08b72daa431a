/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * Calls the generated function `compute(in, out)` for many inputs and leaves
 * the results in `results`: as a Linux program it writes them to standard
 * output, on a bare core it stops at a breakpoint.
 */
#include <stdint.h>

enum { kIn = 3, kOut = 12, kRuns = 200 };
void compute(const int32_t *in, int32_t *out);

uint32_t control[256] __attribute__((section(".neuroc.control"), used));
int32_t results[kRuns][kOut];

static uint32_t state = 12345;
static uint32_t next(void) {
  state ^= state << 13;
  state ^= state >> 17;
  state ^= state << 5;
  return state;
}

__attribute__((used)) void run(void) {
  for (int i = 0; i < kRuns; ++i) {
    int32_t in[kIn];
    for (int k = 0; k < kIn; ++k) /* [-4, 4) with 28 fraction bits */
      in[k] = (int32_t)(next() & 0x7fffffff) - 0x40000000;
    compute(in, results[i]);
  }
#ifdef NEUROC_LINUX
  register long r0 __asm__("r0") = 1;
  register long r1 __asm__("r1") = (long)results;
  register long r2 __asm__("r2") = sizeof results;
  register long r7 __asm__("r7") = 4; /* write */
  __asm__ volatile("swi 0" : "+r"(r0) : "r"(r1), "r"(r2), "r"(r7) : "memory");
  r0 = 0;
  r7 = 1; /* exit */
  __asm__ volatile("swi 0" : : "r"(r0), "r"(r7));
#endif
  for (;;)
    __asm__ volatile("bkpt #0");
}

#ifdef NEUROC_LINUX
__asm__(".global _start\n_start:\n  bl run\n");
#else
__asm__(".global _start\n_start:\n  ldr sp, =0x0040ff00\n  bl run\n  .pool\n");
#endif
