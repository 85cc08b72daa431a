// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Routing: first along x, then along y, then through the destination's local
// port. The head takes `hop` cycles per link once the link is free; the link
// stays taken for as many cycles as there are flits.
#include "Mesh.h"

#include <algorithm>

namespace neuroc::rt::xbar {

Mesh::Mesh(const MachineConfig &machine)
    : width(uint32_t(machine.meshX)), hop(uint64_t(machine.hopCycles)),
      freeAt(size_t(machine.tiles()) * Directions, 0) {}

void Mesh::inject(std::shared_ptr<const Packet> packet, uint32_t from,
                  std::vector<uint32_t> to, uint64_t start, uint64_t flits,
                  Counters &counters) {
  ++counters.messages;
  push({start, order++, from, flits, std::move(packet), std::move(to)});
}

Mesh::Direction Mesh::next(uint32_t from, uint32_t to) const {
  if (from % width != to % width)
    return to % width > from % width ? East : West;
  if (from == to)
    return Local;
  return to > from ? South : North;
}

uint32_t Mesh::neighbour(uint32_t tile, Direction out) const {
  switch (out) {
  case East:
    return tile + 1;
  case West:
    return tile - 1;
  case South:
    return tile + width;
  default:
    return tile - width;
  }
}

uint64_t Mesh::cross(uint32_t tile, Direction out, uint64_t head,
                     uint64_t flits, Counters &counters) {
  uint64_t &free = freeAt[size_t(tile) * Directions + out];
  uint64_t start = std::max(head, free);
  counters.linkStalls += start - head;
  counters.flitHops += flits;
  free = start + flits;
  return start + hop;
}

} // namespace neuroc::rt::xbar
