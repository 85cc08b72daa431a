// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The machine's one event queue. Events run by (time, kind, place, order of
// scheduling), a total order; the last counts only between events of one kind at
// one place, so it does not matter which core ran first. Events are plain data,
// dispatched by the machine on their kind.
#ifndef NEUROC_SIM_SPINN_EVENTQUEUE_H
#define NEUROC_SIM_SPINN_EVENTQUEUE_H

#include "neuroc/rt/spinn/Machine.h"

#include <algorithm>

namespace neuroc::rt::spinn {

/// Packet on the wire. `control` is the control byte: type 7:6, emergency
/// state 5:4, payload 1.
struct Packet {
  uint32_t key = 0, payload = 0;
  uint8_t control = 0;
  bool hasPayload() const { return control & 2; }
  unsigned type() const { return control >> 6; }
  unsigned emergency() const { return control >> 4 & 3; }
  unsigned bits() const { return hasPayload() ? 72 : 40; }
  void setEmergency(unsigned state) {
    control = uint8_t((control & ~0x30) | state << 4);
  }
};

enum class EventKind : uint8_t {
  Timer,         ///< node; arg: timer | generation << 1
  DmaStart,      ///< node: the active transfer asks for its next burst
  DmaBurst,      ///< node: a burst has ended
  DmaDone,       ///< node: completion becomes visible
  TxArrive,      ///< node: its packet stands before the router
  CoreReceive,   ///< node; packet
  CoreCredit,    ///< node: the router sees a free receive slot
  CpuInterrupt,  ///< node; arg: level of its system-controller line
  RouterPick,    ///< chip
  RouterOut,     ///< chip
  RouterTimeout, ///< chip; arg: generation
  RouterInject,  ///< chip; packet from the monitor
  LinkSent,      ///< chip; arg: link, last symbol has left
  LinkArrive,    ///< chip; arg: link it comes in by; packet
  LinkCredit,    ///< chip; arg: link, the far side has room
};

struct Event {
  Picoseconds time = 0;
  uint64_t order = 0;
  EventKind kind = EventKind::Timer;
  uint32_t target = 0; ///< index of a node or a chip
  uint32_t arg = 0;
  Packet packet;
};

class EventQueue {
public:
  bool empty() const { return events.empty(); }
  Picoseconds nextTime() const {
    return events.empty() ? kForever : events.front().time;
  }
  void push(Event event) {
    event.order = uint64_t(event.kind) << 59 | uint64_t(event.target) << 37 |
                  (++scheduled & ((uint64_t(1) << 37) - 1));
    events.push_back(event);
    std::push_heap(events.begin(), events.end(), later);
  }
  Event pop() {
    std::pop_heap(events.begin(), events.end(), later);
    Event event = events.back();
    events.pop_back();
    return event;
  }

private:
  static bool later(const Event &a, const Event &b) {
    return a.time != b.time ? a.time > b.time : a.order > b.order;
  }
  std::vector<Event> events;
  uint64_t scheduled = 0;
};

} // namespace neuroc::rt::spinn
#endif // NEUROC_SIM_SPINN_EVENTQUEUE_H
