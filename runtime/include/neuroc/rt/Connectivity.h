// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// From a connection rule to synapses. The result depends on the rule, the seed
// and the stream name only, so that every target (and every part of a parallel
// machine) has the same network. Rows are by pre unit; within a row synapses
// are in order of post unit, equal pairs in order of drawing.
#ifndef NEUROC_RT_CONNECTIVITY_H
#define NEUROC_RT_CONNECTIVITY_H

#include "neuroc/rt/Sampling.h"
#include "neuroc/rt/Status.h"

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace neuroc::rt {

enum class ConnectKind {
  Dense,            ///< every pair; values row-major [post, pre]
  OneToOne,         ///< i to i
  List,             ///< explicit (pre, post) pairs
  FixedProbability, ///< each pair with probability p
  FixedInDegree,    ///< k pre units for each post unit
  FixedOutDegree,   ///< k post units for each pre unit
  Convolution,      ///< 2-d, shared kernel
};

/// A connection rule with everything that it needs. `pre` and `post` are the
/// shapes of the two sides.
struct ConnectRule {
  ConnectKind kind = ConnectKind::Dense;
  std::vector<int64_t> pre, post;
  bool self = true;      ///< pairs (i, i) allowed (sides of equal size)
  bool multapses = true; ///< repeated pairs allowed (fixed degrees)
  double probability = 0;
  int64_t degree = 0;
  std::vector<int64_t> pairs; ///< list: pre0, post0, pre1, post1, …
  std::vector<bool> mask;     ///< dense: [post, pre], empty = all
  int64_t kernel[2] = {1, 1}, strides[2] = {1, 1}, pads[4] = {0, 0, 0, 0},
          dilations[2] = {1, 1}, groups = 1;
  uint64_t seed = 1;
  std::string stream; ///< "<weight name>"

  int64_t numPre() const;
  int64_t numPost() const;
};

/// Where the value of a synapse comes from: one distribution (or constant) for
/// all, or an array (dense: [post, pre]; list: in its order; one-to-one: by
/// unit; convolution: kernel [M, C/groups, KH, KW]).
struct ValueRule {
  Distribution distribution;
  std::vector<double> array; ///< used when not empty
};

/// Synapses in compressed rows. `rowStart` has numPre + 1 entries.
struct Synapses {
  std::vector<uint64_t> rowStart;
  std::vector<uint32_t> post;
  /// Position in the value array (dense, list, one-to-one, convolution), or the
  /// pair's entity number for distributions.
  std::vector<uint64_t> source;
  uint64_t size() const { return post.size(); }
};

/// Expands a rule. Errors: ModelError naming what is wrong (sizes, degree),
/// DoesNotFit above 2^31 synapses.
Status expandConnectivity(const ConnectRule &rule, Synapses &synapses);

/// The values of all synapses, in their order, sampled with stream
/// "<rule.stream>.values" (key of rule.seed) for distributions.
std::vector<double> synapseValues(const ConnectRule &rule,
                                  const Synapses &synapses,
                                  const ValueRule &values);

/// Delays in ticks from a distribution in ms: rounded to nearest (ties to
/// even), at least 1; stream "<rule.stream>.delays".
std::vector<uint32_t> synapseDelays(const ConnectRule &rule,
                                    const Synapses &synapses,
                                    const ValueRule &delays, double dtMs);

} // namespace neuroc::rt
#endif // NEUROC_RT_CONNECTIVITY_H
