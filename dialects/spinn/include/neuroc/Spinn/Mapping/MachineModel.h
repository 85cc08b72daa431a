// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The machine that the mapper fills: chips on a hexagonal mesh with six links
// each, cores, memories and clocks; presets by name. No MLIR here.
#ifndef NEUROC_SPINN_MAPPING_MACHINEMODEL_H
#define NEUROC_SPINN_MAPPING_MACHINEMODEL_H

#include <compare>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace neuroc::spinn {

struct Chip {
  unsigned x = 0, y = 0;
  auto operator<=>(const Chip &) const = default;
};

/// A physical core: 0 is the monitor, application cores start at 1.
struct Place {
  Chip chip;
  unsigned core = 0;
  auto operator<=>(const Place &) const = default;
};

constexpr unsigned kLinks = 6; ///< E, NE, N, W, SW, S
constexpr unsigned kTableEntries = 1023; ///< entry 0 is the system's

struct MachineModel {
  std::string name;
  std::string description;
  unsigned width = 2, height = 2;
  bool wrap = true; ///< links at the edge join the far side
  unsigned firstCore = 1, lastCore = 16; ///< application cores, inclusive
  std::set<Chip> deadChips;
  std::set<Place> deadCores;
  std::set<std::pair<Chip, unsigned>> deadLinks; ///< both ends are listed
  uint32_t itcmBytes = 32 * 1024, dtcmBytes = 64 * 1024;
  uint32_t sdramBytes = 123469792; ///< user part of a chip's SDRAM
  unsigned cyclesPerMs = 200000;   ///< CPU clock 200 MHz

  bool hasChip(Chip chip) const {
    return chip.x < width && chip.y < height && !deadChips.count(chip);
  }
  /// The chip at the far end of a live link.
  std::optional<Chip> neighbour(Chip chip, unsigned link) const;
  /// Marks a link dead at both ends.
  void killLink(Chip chip, unsigned link);
  /// Live chips, by distance from (0, 0), then x, then y.
  std::vector<Chip> chips() const;
  /// Live application cores of a chip, ascending.
  std::vector<unsigned> cores(Chip chip) const;
  uint64_t numCores() const;

  static std::vector<MachineModel> presets();
  /// A preset by name ("" is the first).
  static std::optional<MachineModel> find(const std::string &name);
};

/// Hops between chips of an unbounded hexagonal mesh.
unsigned hexDistance(int dx, int dy);

} // namespace neuroc::spinn
#endif // NEUROC_SPINN_MAPPING_MACHINEMODEL_H
