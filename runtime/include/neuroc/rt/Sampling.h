// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Values of a distribution, addressed by (seed, stream, entity): the same for
// every target, partitioning and thread. The definition of each distribution is
// part of the reproducible contract (docs: "Random numbers").
#ifndef NEUROC_RT_SAMPLING_H
#define NEUROC_RT_SAMPLING_H

#include "neuroc/rt/Random.h"

#include <cmath>
#include <cstdint>
#include <limits>

namespace neuroc::rt {

enum class DistributionKind { Constant, Uniform, Normal, Lognormal, Exponential };

/// uniform(a, b); normal(mean a, sd b); lognormal(mu a, sigma b of the log);
/// exponential(mean a) + b. Values outside of [lo, hi] are drawn again.
struct Distribution {
  DistributionKind kind = DistributionKind::Constant;
  double a = 0, b = 0;
  double lo = -std::numeric_limits<double>::infinity();
  double hi = std::numeric_limits<double>::infinity();
};

/// The value of `entity` in stream `key` (see neuroc_rt_key). `tick` separates
/// uses that share a stream. Redraws at most 1000 times, then clamps.
inline double sample(const Distribution &d, uint64_t key, uint64_t entity,
                     uint32_t tick = 0) {
  double value = d.a;
  for (uint32_t draw = 0; draw < 1000; ++draw) {
    switch (d.kind) {
    case DistributionKind::Constant:
      return d.a;
    case DistributionKind::Uniform:
      value = d.a + (d.b - d.a) * neuroc_rt_uniform(key, entity, tick, draw);
      break;
    case DistributionKind::Normal:
      value = d.a + d.b * neuroc_rt_normal(key, entity, tick, draw);
      break;
    case DistributionKind::Lognormal:
      value = std::exp(d.a + d.b * neuroc_rt_normal(key, entity, tick, draw));
      break;
    case DistributionKind::Exponential:
      value = d.b - d.a * std::log(neuroc_rt_uniform(key, entity, tick, draw));
      break;
    }
    if (value >= d.lo && value <= d.hi)
      return value;
  }
  return value < d.lo ? d.lo : d.hi;
}

} // namespace neuroc::rt
#endif // NEUROC_RT_SAMPLING_H
