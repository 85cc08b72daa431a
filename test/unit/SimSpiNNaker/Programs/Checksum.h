// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Integer work compiled for the core and for the host.
#ifndef NEUROC_TEST_SIM_CHECKSUM_H
#define NEUROC_TEST_SIM_CHECKSUM_H
#include <stdint.h>

static uint32_t words[512];
static int8_t signedBytes[64];
static uint16_t halves[64];

static uint32_t crc(const uint8_t *p, int n) {
  uint32_t c = ~0u;
  for (int i = 0; i < n; ++i) {
    c ^= p[i];
    for (int k = 0; k < 8; ++k)
      c = c >> 1 ^ (0xEDB88320u & -(c & 1));
  }
  return ~c;
}
static uint32_t addOne(uint32_t x) { return x + 1; }
static uint32_t twist(uint32_t x) { return x << 7 | x >> 25; }
static uint32_t (*const steps[2])(uint32_t) = {addOne, twist};

static uint32_t checksum(void) {
  uint32_t s = 12345;
  uint64_t wide = ~0ull;
  for (int round = 0; round < 20; ++round) {
    for (int i = 0; i < 512; ++i) {
      s = steps[i & 1](s * 1664525u + 1013904223u);
      words[i] = s ^ (uint32_t)((int64_t)wide >> 7);
    }
    for (int i = 0; i < 64; ++i) {
      signedBytes[i] = (int8_t)words[i];
      halves[i] = (uint16_t)(words[i] >> 9);
      wide = wide * 6364136223846793005ull +
             (uint64_t)(int64_t)(signedBytes[i] - halves[i]);
      if ((int64_t)wide < 0)
        wide += (uint64_t)(int64_t)(int32_t)words[i];
      s += (uint32_t)(wide >> (i & 31));
    }
    s ^= crc((const uint8_t *)words, sizeof words);
  }
  return s;
}
#endif
