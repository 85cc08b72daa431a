// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Connection rules. Every random decision is addressed by the pair or by the
// unit that draws, never by the order of evaluation:
// - fixed probability: word (post mod 4) of the draw (entity pre, tick post/4)
//   compared with p * 2^32, which is exact on every machine;
// - fixed degrees: unit's own stream, Floyd's algorithm without replacement,
//   multiply-shift with it (bias below n / 2^32).
#include "neuroc/rt/Connectivity.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <set>

using namespace neuroc::rt;

static int64_t product(const std::vector<int64_t> &shape) {
  return std::accumulate(shape.begin(), shape.end(), int64_t(1),
                         std::multiplies<>());
}

int64_t ConnectRule::numPre() const { return product(pre); }
int64_t ConnectRule::numPost() const { return product(post); }

namespace {
struct Triple {
  uint32_t pre, post;
  uint64_t source;
};
} // namespace

/// Sorts synapses into rows; `triples` come in order of drawing.
static void intoRows(std::vector<Triple> &triples, int64_t numPre,
                     Synapses &synapses) {
  std::stable_sort(triples.begin(), triples.end(),
                   [](const Triple &a, const Triple &b) {
                     return a.pre != b.pre ? a.pre < b.pre : a.post < b.post;
                   });
  synapses.rowStart.assign(numPre + 1, 0);
  synapses.post.reserve(triples.size());
  synapses.source.reserve(triples.size());
  for (const Triple &triple : triples) {
    ++synapses.rowStart[triple.pre + 1];
    synapses.post.push_back(triple.post);
    synapses.source.push_back(triple.source);
  }
  std::partial_sum(synapses.rowStart.begin(), synapses.rowStart.end(),
                   synapses.rowStart.begin());
}

static void expandDense(const ConnectRule &rule, Synapses &synapses) {
  int64_t numPre = rule.numPre(), numPost = rule.numPost();
  bool skipSelf = !rule.self && numPre == numPost;
  synapses.rowStart.reserve(numPre + 1);
  synapses.rowStart.push_back(0);
  for (int64_t pre = 0; pre < numPre; ++pre) {
    for (int64_t post = 0; post < numPost; ++post) {
      uint64_t position = post * numPre + pre;
      if ((skipSelf && pre == post) ||
          (!rule.mask.empty() && !rule.mask[position]))
        continue;
      synapses.post.push_back(post);
      synapses.source.push_back(position);
    }
    synapses.rowStart.push_back(synapses.post.size());
  }
}

static void expandFixedProbability(const ConnectRule &rule,
                                   Synapses &synapses) {
  int64_t numPre = rule.numPre(), numPost = rule.numPost();
  bool skipSelf = !rule.self && numPre == numPost;
  uint64_t key = neuroc_rt_key(rule.seed, neuroc_rt_stream(
                                              (rule.stream + ".pairs").c_str()));
  // word < threshold has probability threshold / 2^32.
  uint64_t threshold = std::llround(rule.probability * 4294967296.0);
  synapses.rowStart.reserve(numPre + 1);
  synapses.rowStart.push_back(0);
  for (int64_t pre = 0; pre < numPre; ++pre) {
    neuroc_rt_philox words = {};
    for (int64_t post = 0; post < numPost; ++post) {
      if (post % 4 == 0)
        words = neuroc_rt_draw(key, pre, uint32_t(post / 4), 0);
      if (words.v[post % 4] >= threshold || (skipSelf && pre == post))
        continue;
      synapses.post.push_back(post);
      synapses.source.push_back(uint64_t(pre) * numPost + post);
    }
    synapses.rowStart.push_back(synapses.post.size());
  }
}

/// `count` partners of `unit` out of `partners`; without `multapses` distinct.
static std::vector<uint32_t> drawPartners(uint64_t key, uint64_t unit,
                                          int64_t count, int64_t partners,
                                          bool skipUnit, bool multapses) {
  int64_t choices = partners - (skipUnit ? 1 : 0);
  auto below = [&](uint32_t draw, uint64_t bound) {
    return (uint64_t(neuroc_rt_word(key, unit, 0, draw)) * bound) >> 32;
  };
  std::vector<uint32_t> drawn;
  if (multapses) {
    for (int64_t i = 0; i < count; ++i)
      drawn.push_back(below(i, choices));
  } else { // Floyd: a uniform subset of `count` numbers
    std::set<uint32_t> chosen;
    for (int64_t i = choices - count; i < choices; ++i) {
      uint32_t candidate = below(i - (choices - count), i + 1);
      chosen.insert(chosen.count(candidate) ? uint32_t(i) : candidate);
    }
    drawn.assign(chosen.begin(), chosen.end());
  }
  if (skipUnit)
    for (uint32_t &partner : drawn)
      partner += partner >= unit;
  return drawn;
}

static void expandDegree(const ConnectRule &rule, Synapses &synapses) {
  bool in = rule.kind == ConnectKind::FixedInDegree;
  int64_t numPre = rule.numPre(), numPost = rule.numPost();
  int64_t units = in ? numPost : numPre, partners = in ? numPre : numPost;
  bool skipSelf = !rule.self && numPre == numPost;
  uint64_t key = neuroc_rt_key(rule.seed, neuroc_rt_stream(
                                              (rule.stream + ".pairs").c_str()));
  std::vector<Triple> triples;
  triples.reserve(units * rule.degree);
  for (int64_t unit = 0; unit < units; ++unit) {
    std::vector<uint32_t> drawn = drawPartners(
        key, unit, rule.degree, partners, skipSelf, rule.multapses);
    for (size_t i = 0; i < drawn.size(); ++i)
      triples.push_back({in ? drawn[i] : uint32_t(unit),
                         in ? uint32_t(unit) : drawn[i],
                         uint64_t(unit) * rule.degree + i});
  }
  intoRows(triples, numPre, synapses);
}

static void expandConvolution(const ConnectRule &rule, Synapses &synapses) {
  int64_t channels = rule.pre[0], height = rule.pre[1], width = rule.pre[2];
  int64_t maps = rule.post[0], outHeight = rule.post[1], outWidth = rule.post[2];
  int64_t perGroup = channels / rule.groups, mapsPerGroup = maps / rule.groups;
  std::vector<Triple> triples;
  for (int64_t m = 0; m < maps; ++m)
    for (int64_t oy = 0; oy < outHeight; ++oy)
      for (int64_t ox = 0; ox < outWidth; ++ox)
        for (int64_t c = 0; c < perGroup; ++c)
          for (int64_t ky = 0; ky < rule.kernel[0]; ++ky)
            for (int64_t kx = 0; kx < rule.kernel[1]; ++kx) {
              int64_t y = oy * rule.strides[0] - rule.pads[0] +
                          ky * rule.dilations[0];
              int64_t x = ox * rule.strides[1] - rule.pads[1] +
                          kx * rule.dilations[1];
              if (y < 0 || y >= height || x < 0 || x >= width)
                continue;
              int64_t channel = (m / mapsPerGroup) * perGroup + c;
              uint64_t value =
                  ((m * perGroup + c) * rule.kernel[0] + ky) * rule.kernel[1] +
                  kx;
              triples.push_back(
                  {uint32_t((channel * height + y) * width + x),
                   uint32_t((m * outHeight + oy) * outWidth + ox), value});
            }
  intoRows(triples, rule.numPre(), synapses);
}

static void expandList(const ConnectRule &rule, Synapses &synapses) {
  std::vector<Triple> triples;
  for (size_t i = 0; i + 1 < rule.pairs.size(); i += 2)
    triples.push_back({uint32_t(rule.pairs[i]), uint32_t(rule.pairs[i + 1]),
                       uint64_t(i / 2)});
  intoRows(triples, rule.numPre(), synapses);
}

Status neuroc::rt::expandConnectivity(const ConnectRule &rule,
                                      Synapses &synapses) {
  int64_t numPre = rule.numPre(), numPost = rule.numPost();
  auto fail = [&](std::string what) {
    return Status(Code::ModelError, "weight '" + rule.stream + "': " + what);
  };
  if (numPre < 1 || numPost < 1 || numPre > UINT32_MAX || numPost > UINT32_MAX)
    return fail("sides must have between 1 and 2^32 - 1 units");
  double expected = 0;
  switch (rule.kind) {
  case ConnectKind::Dense:
    expected = double(numPre) * double(numPost);
    if (!rule.mask.empty() && rule.mask.size() != size_t(numPre * numPost))
      return fail("mask must have one entry per pair");
    break;
  case ConnectKind::FixedProbability:
    expected = rule.probability * double(numPre) * double(numPost);
    break;
  case ConnectKind::FixedInDegree:
    expected = double(rule.degree) * double(numPost);
    break;
  case ConnectKind::FixedOutDegree:
    expected = double(rule.degree) * double(numPre);
    break;
  case ConnectKind::OneToOne:
    if (numPre != numPost)
      return fail("one-to-one needs equal sides");
    break;
  case ConnectKind::List:
    if (rule.pairs.size() % 2)
      return fail("list of pairs has an odd number of entries");
    for (size_t i = 0; i < rule.pairs.size(); ++i)
      if (rule.pairs[i] < 0 || rule.pairs[i] >= (i % 2 ? numPost : numPre))
        return fail("synapse " + std::to_string(i / 2) +
                    " names a unit that does not exist");
    break;
  case ConnectKind::Convolution:
    if (rule.pre.size() != 3 || rule.post.size() != 3 || rule.groups < 1 ||
        rule.pre[0] % rule.groups || rule.post[0] % rule.groups)
      return fail("convolution needs sides [channels, height, width] and "
                  "channels that are multiples of groups");
    expected = double(numPost) * double(rule.pre[0] / rule.groups) *
               double(rule.kernel[0]) * double(rule.kernel[1]);
    break;
  }
  if (expected > 2147483647.0)
    return Status(Code::DoesNotFit,
                  "weight '" + rule.stream + "' has about " +
                      std::to_string(int64_t(expected)) +
                      " synapses, more than 2^31; use a lower probability or "
                      "degree, or split the projection");
  int64_t partners =
      rule.kind == ConnectKind::FixedInDegree ? numPre : numPost;
  if (rule.kind == ConnectKind::FixedInDegree ||
      rule.kind == ConnectKind::FixedOutDegree) {
    int64_t choices = partners - (!rule.self && numPre == numPost ? 1 : 0);
    if (rule.degree < 0 || (!rule.multapses && rule.degree > choices) ||
        (rule.degree > 0 && choices < 1))
      return fail("degree " + std::to_string(rule.degree) + " exceeds the " +
                  std::to_string(choices) + " possible partners");
  }

  synapses = {};
  switch (rule.kind) {
  case ConnectKind::Dense:
    expandDense(rule, synapses);
    break;
  case ConnectKind::OneToOne:
    for (int64_t i = 0; i < numPre; ++i) {
      synapses.rowStart.push_back(i);
      synapses.post.push_back(i);
      synapses.source.push_back(i);
    }
    synapses.rowStart.push_back(numPre);
    break;
  case ConnectKind::List:
    expandList(rule, synapses);
    break;
  case ConnectKind::FixedProbability:
    expandFixedProbability(rule, synapses);
    break;
  case ConnectKind::FixedInDegree:
  case ConnectKind::FixedOutDegree:
    expandDegree(rule, synapses);
    break;
  case ConnectKind::Convolution:
    expandConvolution(rule, synapses);
    break;
  }
  return Status::ok();
}

std::vector<double> neuroc::rt::synapseValues(const ConnectRule &rule,
                                              const Synapses &synapses,
                                              const ValueRule &values) {
  std::vector<double> result(synapses.size());
  uint64_t key = neuroc_rt_key(
      rule.seed, neuroc_rt_stream((rule.stream + ".values").c_str()));
  for (uint64_t i = 0; i < synapses.size(); ++i)
    result[i] = !values.array.empty()
                    ? values.array[synapses.source[i]]
                    : sample(values.distribution, key, synapses.source[i]);
  return result;
}

std::vector<uint32_t> neuroc::rt::synapseDelays(const ConnectRule &rule,
                                                const Synapses &synapses,
                                                const ValueRule &delays,
                                                double dtMs) {
  std::vector<uint32_t> result(synapses.size());
  uint64_t key = neuroc_rt_key(
      rule.seed, neuroc_rt_stream((rule.stream + ".delays").c_str()));
  for (uint64_t i = 0; i < synapses.size(); ++i) {
    double ms = !delays.array.empty()
                    ? delays.array[synapses.source[i]]
                    : sample(delays.distribution, key, synapses.source[i]);
    double ticks = std::nearbyint(ms / dtMs); // ties to even
    result[i] = ticks < 1 ? 1u : uint32_t(std::min(ticks, 4294967295.0));
  }
  return result;
}
