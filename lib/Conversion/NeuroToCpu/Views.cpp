// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Compressed-row views of a weight. A view sorts the same synapses for one way
// of reading them: by pre unit, by post unit (transposed projections, handlers
// of post spikes), or by (pre unit, delay). Within a row entries keep the
// canonical order, so that sums are the same for every target.

#include "Lowering.h"

#include <algorithm>
#include <numeric>

using namespace mlir;

namespace neuroc::cpu {

const neuro::ExpandedWeight &Lowering::expand(Weight &weight) {
  if (!weight.expanded) {
    auto expanded = neuro::expandWeight(weight.op);
    // collectWeights has reported a rule that cannot be expanded.
    weight.expanded =
        succeeded(expanded) ? std::move(*expanded) : neuro::ExpandedWeight();
  }
  return *weight.expanded;
}

uint64_t Lowering::slotOf(Weight &weight, uint64_t synapse, uint64_t pre) {
  const rt::Synapses &synapses = weight.expanded->synapses;
  switch (weight.storage) {
  case Storage::Matrix:
    return pre * weight.post + synapses.post[synapse];
  case Storage::Vector:
    return pre;
  case Storage::Kernel:
    return synapses.source[synapse];
  case Storage::Synapses:
    return synapse;
  }
  llvm_unreachable("unknown storage");
}

RowView Lowering::rowsByPre(Weight &weight) {
  RowView view;
  view.rows = weight.pre;
  view.delays = {0};
  Buffer &start = weight.viewBuffers["pre.start"];
  Buffer &target = weight.viewBuffers["pre.target"];
  Buffer &slot = weight.viewBuffers["pre.slot"];
  if (!start) {
    const rt::Synapses &synapses = expand(weight).synapses;
    std::string prefix = "rows." + weight.name() + ".pre";
    start = addIndices(prefix + ".start",
                       std::vector<uint32_t>(synapses.rowStart.begin(),
                                             synapses.rowStart.end()));
    target = addIndices(prefix + ".target", synapses.post);
    if (weight.storage != Storage::Synapses) {
      std::vector<uint32_t> slots(synapses.size());
      for (int64_t pre = 0; pre < weight.pre; ++pre)
        for (uint64_t k = synapses.rowStart[pre];
             k < synapses.rowStart[pre + 1]; ++k)
          slots[k] = slotOf(weight, k, pre);
      slot = addIndices(prefix + ".slot", slots);
    }
  }
  view.start = start;
  view.target = target;
  view.slot = slot;
  return view;
}

RowView Lowering::rowsByPost(Weight &weight) {
  RowView view;
  view.rows = weight.post;
  view.delays = {0};
  Buffer &start = weight.viewBuffers["post.start"];
  Buffer &target = weight.viewBuffers["post.target"];
  Buffer &slot = weight.viewBuffers["post.slot"];
  if (!start) {
    const rt::Synapses &synapses = expand(weight).synapses;
    std::vector<uint32_t> starts(weight.post + 1, 0);
    for (uint32_t post : synapses.post)
      ++starts[post + 1];
    std::partial_sum(starts.begin(), starts.end(), starts.begin());
    std::vector<uint32_t> next(starts.begin(), starts.end() - 1);
    std::vector<uint32_t> targets(synapses.size()), slots(synapses.size());
    for (int64_t pre = 0; pre < weight.pre; ++pre)
      for (uint64_t k = synapses.rowStart[pre]; k < synapses.rowStart[pre + 1];
           ++k) {
        uint32_t position = next[synapses.post[k]]++;
        targets[position] = pre;
        slots[position] = slotOf(weight, k, pre);
      }
    std::string prefix = "rows." + weight.name() + ".post";
    start = addIndices(prefix + ".start", starts);
    target = addIndices(prefix + ".target", targets);
    slot = addIndices(prefix + ".slot", slots);
  }
  view.start = start;
  view.target = target;
  view.slot = slot;
  return view;
}

RowView Lowering::rowsByDelay(Weight &weight, neuro::ProjectOp project) {
  const rt::Synapses &synapses = expand(weight).synapses;
  std::vector<uint32_t> delays = neuro::expandDelays(project, synapses);
  // The source is the post side of the weight when it is read transposed.
  bool transposed = project.getTransposed();
  int64_t sources = transposed ? weight.post : weight.pre;
  RowView view;
  llvm::SmallVector<uint32_t> distinct(delays.begin(), delays.end());
  llvm::sort(distinct);
  distinct.erase(llvm::unique(distinct), distinct.end());
  view.delays.assign(distinct.begin(), distinct.end());
  if (view.delays.empty())
    view.delays = {project.getDelays() ? 1 : int64_t(project.getDelay())};

  struct Entry {
    uint32_t row, target, slot;
  };
  std::vector<Entry> entries;
  entries.reserve(synapses.size());
  uint32_t count = view.delays.size();
  for (int64_t pre = 0; pre < weight.pre; ++pre)
    for (uint64_t k = synapses.rowStart[pre]; k < synapses.rowStart[pre + 1];
         ++k) {
      uint32_t post = synapses.post[k];
      uint32_t source = transposed ? post : pre;
      uint32_t delay =
          llvm::lower_bound(distinct, delays[k]) - distinct.begin();
      entries.push_back({source * count + delay,
                         transposed ? uint32_t(pre) : post,
                         uint32_t(slotOf(weight, k, pre))});
    }
  std::stable_sort(
      entries.begin(), entries.end(),
      [](const Entry &a, const Entry &b) { return a.row < b.row; });
  view.rows = sources * count;
  std::vector<uint32_t> starts(view.rows + 1, 0), targets, slots;
  for (const Entry &entry : entries) {
    ++starts[entry.row + 1];
    targets.push_back(entry.target);
    slots.push_back(entry.slot);
  }
  std::partial_sum(starts.begin(), starts.end(), starts.begin());
  std::string prefix =
      "rows." + weight.name() + ".delayed" + std::to_string(functionCount);
  view.start = addIndices(prefix + ".start", starts);
  view.target = addIndices(prefix + ".target", targets);
  bool identity = weight.storage == Storage::Synapses;
  for (uint32_t k = 0; k < slots.size() && identity; ++k)
    identity = slots[k] == k;
  if (!identity)
    view.slot = addIndices(prefix + ".slot", slots);
  return view;
}

Buffer Lowering::rowStarts(Weight &weight, bool transposed) {
  if (weight.storage == Storage::Synapses)
    return (transposed ? rowsByPost(weight) : rowsByPre(weight)).start;
  Buffer &buffer =
      weight.viewBuffers[transposed ? "counts.post" : "counts.pre"];
  if (!buffer) {
    const rt::Synapses &synapses = expand(weight).synapses;
    std::vector<uint32_t> starts(synapses.rowStart.begin(),
                                 synapses.rowStart.end());
    if (transposed) {
      starts.assign(weight.post + 1, 0);
      for (uint32_t post : synapses.post)
        ++starts[post + 1];
      std::partial_sum(starts.begin(), starts.end(), starts.begin());
    }
    buffer = addIndices(
        "counts." + weight.name() + (transposed ? ".post" : ".pre"), starts);
  }
  return buffer;
}

Buffer Lowering::connectedUnits(Weight &weight, bool transposed) {
  Buffer &buffer =
      weight.viewBuffers[transposed ? "connected.pre" : "connected.post"];
  if (!buffer) {
    const rt::Synapses &synapses = expand(weight).synapses;
    std::vector<uint8_t> connected(transposed ? weight.pre : weight.post, 0);
    if (transposed) {
      for (int64_t pre = 0; pre < weight.pre; ++pre)
        connected[pre] = synapses.rowStart[pre + 1] > synapses.rowStart[pre];
    } else {
      for (uint32_t post : synapses.post)
        connected[post] = 1;
    }
    buffer =
        addBytes("connected." + weight.name() + (transposed ? ".pre" : ".post"),
                 connected);
  }
  return buffer;
}

} // namespace neuroc::cpu
