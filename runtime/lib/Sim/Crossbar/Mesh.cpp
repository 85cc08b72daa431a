// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Walks each route from the source: first along x, then along y, then through
// the destination's local port. The head takes `hop` cycles per link once the
// link is free; the link stays taken for as many cycles as there are flits.
#include "Mesh.h"

#include <algorithm>

namespace neuroc::rt::xbar {

Mesh::Mesh(const MachineConfig &machine)
    : width(uint32_t(machine.meshX)), hop(uint64_t(machine.hopCycles)) {
  size_t links = size_t(machine.tiles()) * 5;
  freeAt.assign(links, 0);
  usedBy.assign(links, 0);
  headAfter.assign(links, 0);
}

uint64_t Mesh::cross(uint32_t tile, Direction out, uint64_t head,
                     uint64_t flits, Counters &counters) {
  size_t link = size_t(tile) * 5 + out;
  if (usedBy[link] == message)
    return headAfter[link]; // the multicast tree has come this way before
  uint64_t start = std::max(head, freeAt[link]);
  counters.linkStalls += start - head;
  counters.flitHops += flits;
  freeAt[link] = start + flits;
  usedBy[link] = message;
  return headAfter[link] = start + hop;
}

void Mesh::send(uint32_t from, std::span<const uint32_t> to, uint64_t start,
                uint64_t flits, std::span<uint64_t> arrivals,
                Counters &counters) {
  ++message;
  ++counters.messages;
  for (size_t i = 0; i < to.size(); ++i) {
    uint32_t tile = from;
    uint64_t head = start;
    while (tile % width != to[i] % width) {
      bool east = to[i] % width > tile % width;
      head = cross(tile, east ? East : West, head, flits, counters);
      tile = east ? tile + 1 : tile - 1;
    }
    while (tile != to[i]) {
      bool south = to[i] > tile;
      head = cross(tile, south ? South : North, head, flits, counters);
      tile = south ? tile + width : tile - width;
    }
    head = cross(tile, Local, head, flits, counters);
    arrivals[i] = head + flits;
  }
}

} // namespace neuroc::rt::xbar
