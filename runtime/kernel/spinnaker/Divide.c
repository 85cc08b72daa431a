// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Integer division for a core that has none: shift and subtract from the
// first bit that can be set, found with the count-leading-zeros instruction.
// Division by zero gives zero and the dividend as remainder (the EABI leaves
// it to us). Entry points with the EABI's registers are in Builtins.S.

#include <stdint.h>

uint32_t neuroc_udiv32(uint32_t n, uint32_t d) {
  if (d == 0 || n < d)
    return 0;
  int shift = __builtin_clz(d) - __builtin_clz(n);
  uint32_t q = 0;
  for (d <<= shift; shift >= 0; --shift, d >>= 1) {
    q <<= 1;
    if (n >= d) {
      n -= d;
      q |= 1;
    }
  }
  return q;
}

int32_t neuroc_sdiv32(int32_t n, int32_t d) {
  uint32_t un = n < 0 ? 0u - (uint32_t)n : (uint32_t)n;
  uint32_t ud = d < 0 ? 0u - (uint32_t)d : (uint32_t)d;
  uint32_t q = neuroc_udiv32(un, ud);
  return (int32_t)((n ^ d) < 0 ? 0u - q : q);
}

uint32_t __aeabi_uidiv(uint32_t n, uint32_t d) { return neuroc_udiv32(n, d); }
int32_t __aeabi_idiv(int32_t n, int32_t d) { return neuroc_sdiv32(n, d); }

static int leadingZeros(uint64_t x) {
  uint32_t high = (uint32_t)(x >> 32);
  return high ? __builtin_clz(high) : 32 + __builtin_clz((uint32_t)x);
}

uint64_t neuroc_udiv64(uint64_t n, uint64_t d, uint64_t *remainder) {
  uint64_t q = 0;
  if (d != 0 && n >= d) {
    int shift = leadingZeros(d) - leadingZeros(n);
    for (d <<= shift; shift >= 0; --shift, d >>= 1) {
      q <<= 1;
      if (n >= d) {
        n -= d;
        q |= 1;
      }
    }
  }
  *remainder = n;
  return q;
}

int64_t neuroc_sdiv64(int64_t n, int64_t d, int64_t *remainder) {
  uint64_t un = n < 0 ? 0u - (uint64_t)n : (uint64_t)n;
  uint64_t ud = d < 0 ? 0u - (uint64_t)d : (uint64_t)d;
  uint64_t rest, q = neuroc_udiv64(un, ud, &rest);
  *remainder = (int64_t)(n < 0 ? 0u - rest : rest);
  return (int64_t)((n ^ d) < 0 ? 0u - q : q);
}
