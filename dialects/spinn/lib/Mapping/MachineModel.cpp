// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Geometry of SpiNNaker machines and the presets: one chip, the four-chip board
// (2 x 2 torus) and the 48-chip board (a hexagon cut out of an 8 x 8 grid).
#include "neuroc/Spinn/Mapping/MachineModel.h"

#include <algorithm>
#include <cstdlib>

using namespace neuroc::spinn;

static constexpr int kDx[kLinks] = {1, 1, 0, -1, -1, 0};
static constexpr int kDy[kLinks] = {0, 1, 1, 0, -1, -1};

unsigned neuroc::spinn::hexDistance(int dx, int dy) {
  unsigned ax = std::abs(dx), ay = std::abs(dy);
  return (dx < 0) == (dy < 0) ? std::max(ax, ay) : ax + ay;
}

std::optional<Chip> MachineModel::neighbour(Chip chip, unsigned link) const {
  if (!hasChip(chip) || deadLinks.count({chip, link}))
    return std::nullopt;
  int x = static_cast<int>(chip.x) + kDx[link];
  int y = static_cast<int>(chip.y) + kDy[link];
  int w = static_cast<int>(width), h = static_cast<int>(height);
  if (wrap) {
    x = (x + w) % w;
    y = (y + h) % h;
  }
  if (x < 0 || y < 0 || x >= w || y >= h)
    return std::nullopt;
  Chip other{static_cast<unsigned>(x), static_cast<unsigned>(y)};
  // A link of a torus so small that it ends where it began is not used.
  if (!hasChip(other) || other == chip)
    return std::nullopt;
  return other;
}

void MachineModel::killLink(Chip chip, unsigned link) {
  std::optional<Chip> other = neighbour(chip, link);
  deadLinks.insert({chip, link});
  if (other)
    deadLinks.insert({*other, (link + 3) % kLinks});
}

std::vector<Chip> MachineModel::chips() const {
  std::vector<Chip> all;
  for (unsigned x = 0; x < width; ++x)
    for (unsigned y = 0; y < height; ++y)
      if (hasChip({x, y}))
        all.push_back({x, y});
  std::stable_sort(all.begin(), all.end(), [](Chip a, Chip b) {
    return hexDistance(a.x, a.y) < hexDistance(b.x, b.y);
  });
  return all;
}

std::vector<unsigned> MachineModel::cores(Chip chip) const {
  std::vector<unsigned> all;
  if (hasChip(chip))
    for (unsigned core = firstCore; core <= lastCore; ++core)
      if (!deadCores.count({chip, core}))
        all.push_back(core);
  return all;
}

uint64_t MachineModel::numCores() const {
  uint64_t n = 0;
  for (Chip chip : chips())
    n += cores(chip).size();
  return n;
}

std::vector<MachineModel> MachineModel::presets() {
  std::vector<MachineModel> all(3);
  all[0].name = "spin3";
  all[0].description = "4 chips (2 x 2 torus), 64 application cores";
  all[1].name = "spin5";
  all[1].description = "48 chips (hexagonal board), 768 application cores";
  all[1].width = all[1].height = 8;
  all[1].wrap = false;
  const unsigned first[8] = {0, 0, 0, 0, 1, 2, 3, 4};
  const unsigned last[8] = {4, 5, 6, 7, 7, 7, 7, 7};
  for (unsigned y = 0; y < 8; ++y)
    for (unsigned x = 0; x < 8; ++x)
      if (x < first[y] || x > last[y])
        all[1].deadChips.insert({x, y});
  all[2].name = "chip";
  all[2].description = "one chip, 16 application cores";
  all[2].width = all[2].height = 1;
  all[2].wrap = false;
  return all;
}

std::optional<MachineModel> MachineModel::find(const std::string &name) {
  for (MachineModel &model : presets())
    if (name.empty() || model.name == name)
      return model;
  return std::nullopt;
}
