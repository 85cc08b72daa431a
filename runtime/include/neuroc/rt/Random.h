/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * Counter-based random numbers: Philox4x32-10 (Salmon et al., SC 2011).
 * Plain C, no dependency, so that the host, generated code and the kernel on
 * the ARM cores share one definition. A draw is addressed by
 * (seed, stream, entity, tick, draw); nothing depends on partitioning.
 */
#ifndef NEUROC_RT_RANDOM_H
#define NEUROC_RT_RANDOM_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
  uint32_t v[4];
} neuroc_rt_philox;

/* The ten rounds. Known answers: test/unit/Runtime/RandomTest.cpp. */
static inline neuroc_rt_philox neuroc_rt_philox4x32(uint32_t c0, uint32_t c1,
                                                    uint32_t c2, uint32_t c3,
                                                    uint32_t k0, uint32_t k1) {
  for (int round = 0; round < 10; ++round) {
    uint64_t p0 = (uint64_t)0xD2511F53u * c0;
    uint64_t p1 = (uint64_t)0xCD9E8D57u * c2;
    uint32_t n0 = (uint32_t)(p1 >> 32) ^ c1 ^ k0;
    uint32_t n2 = (uint32_t)(p0 >> 32) ^ c3 ^ k1;
    c1 = (uint32_t)p1;
    c3 = (uint32_t)p0;
    c0 = n0;
    c2 = n2;
    k0 += 0x9E3779B9u;
    k1 += 0xBB67AE85u;
  }
  neuroc_rt_philox out = {{c0, c1, c2, c3}};
  return out;
}

/* FNV-1a, 64 bit, of a zero-terminated stream name such as "E.v". */
static inline uint64_t neuroc_rt_stream(const char *name) {
  uint64_t h = 0xcbf29ce484222325ull;
  for (; *name; ++name)
    h = (h ^ (uint8_t)*name) * 0x100000001b3ull;
  return h;
}

/* Philox key of (seed, stream): splitmix64 finaliser of seed + stream. */
static inline uint64_t neuroc_rt_key(uint64_t seed, uint64_t stream) {
  uint64_t z = seed + stream + 0x9E3779B97F4A7C15ull;
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ull;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBull;
  return z ^ (z >> 31);
}

/* Four words for draw number `draw` of `entity` at `tick`. */
static inline neuroc_rt_philox neuroc_rt_draw(uint64_t key, uint64_t entity,
                                              uint32_t tick, uint32_t draw) {
  return neuroc_rt_philox4x32((uint32_t)entity, (uint32_t)(entity >> 32), tick,
                              draw, (uint32_t)key, (uint32_t)(key >> 32));
}

/* The word that uniform draws use, and its value (w + 1/2) / 2^32 in (0,1).
 * "u < p" is exactly "word < ceil(p * 2^32 - 1/2)", so that integer targets
 * decide Bernoulli draws as the others do. */
static inline uint32_t neuroc_rt_word(uint64_t key, uint64_t entity,
                                      uint32_t tick, uint32_t draw) {
  return neuroc_rt_draw(key, entity, tick, draw).v[0];
}
static inline double neuroc_rt_uniform(uint64_t key, uint64_t entity,
                                       uint32_t tick, uint32_t draw) {
  return ((double)neuroc_rt_word(key, entity, tick, draw) + 0.5) *
         2.3283064365386962890625e-10; /* 2^-32 */
}

/* Standard normal by Irwin-Hall with n = 12: the sum of twelve 10-bit fields
 * (three per word, bits 0-9, 10-19, 20-29 of each of the four words), centred
 * and scaled to variance one. Integer arithmetic but for one final multiply,
 * so every target gets the same value; the support is +-6 sigma and the excess
 * kurtosis -0.1. The variance of one k-level uniform is (k*k - 1) / 12. */
static inline int32_t neuroc_rt_normal_sum(uint64_t key, uint64_t entity,
                                           uint32_t tick, uint32_t draw) {
  neuroc_rt_philox p = neuroc_rt_draw(key, entity, tick, draw);
  int32_t sum = 0;
  for (int i = 0; i < 4; ++i)
    sum += (int32_t)(p.v[i] & 1023u) + (int32_t)((p.v[i] >> 10) & 1023u) +
           (int32_t)((p.v[i] >> 20) & 1023u);
  return sum - 6138; /* 12 * 1023 / 2 */
}
#define NEUROC_RT_NORMAL_SCALE 9.765629656616204e-4 /* 1 / sqrt(1024^2 - 1) */
static inline double neuroc_rt_normal(uint64_t key, uint64_t entity,
                                      uint32_t tick, uint32_t draw) {
  return (double)neuroc_rt_normal_sum(key, entity, tick, draw) *
         NEUROC_RT_NORMAL_SCALE;
}

#ifdef __cplusplus
}
#endif
#endif /* NEUROC_RT_RANDOM_H */
