// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The mesh between the tiles: XY routes, links that one packet at a time holds
// for its flits, buffers without limit at each router (virtual cut-through),
// first come first served at each link. A multicast packet is copied where the
// XY routes to its destinations part, and uses each link once.
#ifndef NEUROC_SIM_CROSSBAR_MESH_H
#define NEUROC_SIM_CROSSBAR_MESH_H

#include "neuroc/rt/xbar/Machine.h"

#include <algorithm>
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

namespace neuroc::rt::xbar {

/// What travels. One packet serves all destinations of a multicast.
struct Packet {
  enum class Kind : uint8_t { Message, Store, Signal } kind = Kind::Message;
  int32_t tag = 0;      ///< of a message; event number of a signal
  uint32_t address = 0; ///< of a store
  uint32_t count = 1;   ///< consumers of a store
  std::vector<int32_t> words;
};

class Mesh {
public:
  explicit Mesh(const MachineConfig &machine);

  /// The head of a packet of `flits` flits is in the router of tile `from` at
  /// cycle `start`, which must not lie before an event already carried out.
  void inject(std::shared_ptr<const Packet> packet, uint32_t from,
              std::vector<uint32_t> to, uint64_t start, uint64_t flits,
              Counters &counters);

  /// Forgets packets under way and who holds links.
  void reset() {
    events.clear();
    std::fill(freeAt.begin(), freeAt.end(), 0);
  }
  bool empty() const { return events.empty(); }
  uint64_t nextTime() const { return events.front().time; }
  /// Carries out the next event. `deliver(tile, packet, arrival)` is called
  /// when a packet goes through a tile's local port; its tail is in the tile
  /// at `arrival`, which lies in the future.
  template <typename F>
  void step(Counters &counters, F deliver);

private:
  enum Direction { East, West, South, North, Local, Directions };
  /// A packet's head in the router of a tile.
  struct Event {
    uint64_t time, order;
    uint32_t tile;
    uint64_t flits;
    std::shared_ptr<const Packet> packet;
    std::vector<uint32_t> to;
    bool operator>(const Event &other) const {
      return time != other.time ? time > other.time : order > other.order;
    }
  };
  Direction next(uint32_t from, uint32_t to) const;
  uint64_t cross(uint32_t tile, Direction out, uint64_t head, uint64_t flits,
                 Counters &counters);
  uint32_t neighbour(uint32_t tile, Direction out) const;

  uint32_t width = 0;
  uint64_t hop = 0, order = 0;
  std::vector<uint64_t> freeAt; ///< by link: tile * Directions + direction
  void push(Event event) {
    events.push_back(std::move(event));
    std::push_heap(events.begin(), events.end(), std::greater<>());
  }
  std::vector<Event> events; ///< a heap, the earliest in front
};

template <typename F>
void Mesh::step(Counters &counters, F deliver) {
  std::pop_heap(events.begin(), events.end(), std::greater<>());
  Event event = std::move(events.back());
  events.pop_back();
  std::vector<uint32_t> onward[Directions];
  for (uint32_t to : event.to)
    onward[next(event.tile, to)].push_back(to);
  for (unsigned way = 0; way < Directions; ++way) {
    if (onward[way].empty())
      continue;
    uint64_t head =
        cross(event.tile, Direction(way), event.time, event.flits, counters);
    if (way == Local)
      deliver(event.tile, event.packet, head + event.flits);
    else
      push({head, order++, neighbour(event.tile, Direction(way)), event.flits,
            event.packet, std::move(onward[way])});
  }
}

} // namespace neuroc::rt::xbar
#endif // NEUROC_SIM_CROSSBAR_MESH_H
