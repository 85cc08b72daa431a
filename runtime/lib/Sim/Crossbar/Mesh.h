// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The mesh between the tiles: XY routes, links that one message at a time
// holds for its flits, buffers without limit at each router (virtual
// cut-through). Multicast messages follow the union of their XY routes and use
// each link once.
#ifndef NEUROC_SIM_CROSSBAR_MESH_H
#define NEUROC_SIM_CROSSBAR_MESH_H

#include "neuroc/rt/xbar/Machine.h"

#include <cstdint>
#include <span>
#include <vector>

namespace neuroc::rt::xbar {

class Mesh {
public:
  explicit Mesh(const MachineConfig &machine);

  /// Sends `flits` flits whose head leaves tile `from` at cycle `start`;
  /// arrivals[i] becomes the cycle at which the tail is in tile to[i]. Must be
  /// called in order of `start`.
  void send(uint32_t from, std::span<const uint32_t> to, uint64_t start,
            uint64_t flits, std::span<uint64_t> arrivals, Counters &counters);

private:
  enum Direction { East, West, South, North, Local };
  uint64_t cross(uint32_t tile, Direction out, uint64_t head, uint64_t flits,
                 Counters &counters);

  uint32_t width = 0;
  uint64_t hop = 0;
  std::vector<uint64_t> freeAt;      ///< by link: tile * 5 + direction
  std::vector<uint64_t> usedBy;      ///< number of the message that used it
  std::vector<uint64_t> headAfter;   ///< and where its head was afterwards
  uint64_t message = 0;
};

} // namespace neuroc::rt::xbar
#endif // NEUROC_SIM_CROSSBAR_MESH_H
