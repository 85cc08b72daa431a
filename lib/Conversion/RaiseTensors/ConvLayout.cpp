// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Finds out whether a list of synapses is a convolution. The maps of the loop
// nest give kernel, strides and dilations; padding follows from the first
// synapses; then every synapse is compared with what the convolution would
// connect, so a wrong guess can only lose the compact layout.
#include "Raiser.h"

using namespace neuroc;
using namespace neuroc::raise;

namespace {
struct Candidate {
  Convolution conv;
  int64_t filters = 0, channels = 0, group = 0; ///< group: channels per filter

  /// Calls fn(pre, kernelIndex) for each synapse of a unit, pre ascending
  /// within a channel.
  template <typename Fn>
  void connect(int64_t post, Fn fn) const {
    int64_t oh = conv.post[1], ow = conv.post[2];
    int64_t x = post % ow, y = post / ow % oh, m = post / (ow * oh);
    int64_t first = m / (filters / conv.groups) * group;
    for (int64_t c = 0; c < group; ++c)
      for (int64_t i = 0; i < conv.kernel[0]; ++i)
        for (int64_t j = 0; j < conv.kernel[1]; ++j) {
          int64_t row =
              y * conv.strides[0] + i * conv.dilations[0] - conv.pads[0];
          int64_t column =
              x * conv.strides[1] + j * conv.dilations[1] - conv.pads[1];
          if (row < 0 || row >= conv.pre[1] || column < 0 ||
              column >= conv.pre[2])
            continue;
          fn(((first + c) * conv.pre[1] + row) * conv.pre[2] + column,
             ((m * group + c) * conv.kernel[0] + i) * conv.kernel[1] + j);
        }
  }
};
} // namespace

/// True if the candidate connects exactly as the synapses do; fills values.
static bool prove(Candidate &candidate, const std::vector<Synapse> &synapses,
                  int64_t posts) {
  Convolution &conv = candidate.conv;
  conv.values.assign(
      candidate.filters * candidate.group * conv.kernel[0] * conv.kernel[1], 0);
  std::vector<bool> seen(conv.values.size(), false);
  size_t next = 0;
  for (int64_t post = 0; post < posts; ++post) {
    bool same = true;
    candidate.connect(post, [&](int64_t pre, int64_t at) {
      if (!same)
        return;
      if (next == synapses.size() || synapses[next].post != post ||
          synapses[next].pre != pre) {
        same = false;
        return;
      }
      float weight = float(synapses[next++].weight);
      if (!seen[at]) {
        seen[at] = true;
        conv.values[at] = weight;
      }
      same = conv.values[at] == weight;
    });
    if (!same)
      return false;
  }
  return next == synapses.size();
}

std::optional<Convolution>
neuroc::raise::findConvolution(const std::vector<Synapse> &synapses,
                               int64_t units, int64_t posts,
                               const WindowHint &hint) {
  int64_t plane = hint.output[0] * hint.output[1];
  if (synapses.empty() || plane == 0 || posts % plane || hint.reduced < 1)
    return std::nullopt;
  // A convolution with one position is a dense matrix: no gain.
  if (plane == 1)
    return std::nullopt;
  // Padding is not in the synapses themselves: try the few possibilities that
  // leave planes which divide the source.
  for (int64_t top = 0; top < hint.kernel[0] * hint.dilations[0]; ++top)
    for (int64_t left = 0; left < hint.kernel[1] * hint.dilations[1]; ++left)
      for (int64_t height = hint.padded[0] - top; height > 0; --height) {
        if (units % (height * hint.reduced))
          continue;
        for (int64_t width = hint.padded[1] - left; width > 0; --width) {
          if (units % (height * width * hint.reduced))
            continue;
          // More than a kernel of padding at the end is never needed.
          if (hint.padded[0] - top - height >=
                  hint.kernel[0] * hint.dilations[0] + hint.strides[0] ||
              hint.padded[1] - left - width >=
                  hint.kernel[1] * hint.dilations[1] + hint.strides[1])
            break;
          Candidate candidate;
          Convolution &conv = candidate.conv;
          candidate.filters = posts / plane;
          candidate.group = hint.reduced;
          candidate.channels = units / (height * width);
          conv.groups = candidate.channels / hint.reduced;
          if (candidate.filters % conv.groups)
            continue;
          conv.kernel = hint.kernel;
          conv.strides = hint.strides;
          conv.dilations = hint.dilations;
          conv.pre = {candidate.channels, height, width};
          conv.post = {candidate.filters, hint.output[0], hint.output[1]};
          conv.pads = {top, left, 0, 0};
          for (int axis = 0; axis < 2; ++axis) {
            int64_t reach = (conv.post[axis + 1] - 1) * conv.strides[axis] +
                            (conv.kernel[axis] - 1) * conv.dilations[axis] + 1;
            conv.pads[axis + 2] = std::max<int64_t>(
                reach - conv.pre[axis + 1] - conv.pads[axis], 0);
          }
          if (prove(candidate, synapses, posts))
            return conv;
        }
      }
  return std::nullopt;
}
