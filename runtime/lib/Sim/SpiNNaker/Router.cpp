// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The router: packets are taken one per router cycle in order of arrival,
// looked up in the table (lowest entry first, default route for packets from a
// link), and after the pipeline latency served at the output stage, strictly
// in order. A packet whose destinations have no room holds up all that follow:
// after wait1 cycles a blocked link may be bypassed (emergency routing), after
// wait2 more the destinations left are given up. Links serialise packets and
// stop when the far side has no room.

#include "Model.h"

namespace neuroc::rt::spinn {

bool Router::portHasRoom(unsigned port) const {
  return port == kHostPort || port < 6 || perPort[port] < 1;
}

void Router::arrive(const Packet &packet, unsigned port, Picoseconds now) {
  inputs.push_back({packet, port});
  ++perPort[port];
  schedulePick(now);
}

void Router::schedulePick(Picoseconds now) {
  if (pickScheduled || inputs.empty() ||
      pipeline.size() >= machine->config.timing.routerPipeline)
    return;
  pickScheduled = true;
  Event event;
  event.time = std::max(now, nextPick);
  event.kind = EventKind::RouterPick;
  event.target = chip->index;
  machine->schedule(event);
}

void Router::pick(Picoseconds now) {
  pickScheduled = false;
  if (inputs.empty() ||
      pipeline.size() >= machine->config.timing.routerPipeline)
    return;
  const TimingParameters &timing = machine->config.timing;
  Arrival arrival = inputs.front();
  inputs.pop_front();
  --perPort[arrival.port];
  nextPick = now + timing.routerPeriodPs;
  InFlight entry;
  entry.packet = arrival.packet;
  entry.port = arrival.port;
  entry.outTime = now + timing.routerLatencyPs;
  route(entry);
  pipeline.push_back(entry);
  if (pipeline.size() == 1)
    scheduleOutput(entry.outTime);
  // The source may move up.
  if (arrival.port < 6) {
    const LinkOut &link = links[arrival.port];
    Event event;
    event.time = now + timing.linkPropagationPs;
    event.kind = EventKind::LinkCredit;
    event.target = link.farChip;
    event.arg = link.farLink;
    machine->schedule(event);
  } else if (arrival.port < kHostPort) {
    Node &node = chip->nodes[arrival.port - 6];
    if (node.comms.standing)
      node.txArrive(now);
  }
  schedulePick(now);
}

int Router::lookUp(uint32_t key) {
  auto [it, fresh] = cache.try_emplace(key, -1);
  if (fresh)
    for (size_t i = 0; i < table.size(); ++i)
      if ((key & table[i].mask) == table[i].key) {
        it->second = int(i);
        break;
      }
  return it->second;
}

void Router::route(InFlight &entry) {
  Packet &packet = entry.packet;
  unsigned state = packet.emergency();
  bool fromLink = entry.port < 6;
  if (packet.type() == 3) {
    entry.waiting = fixedRoute & 0xffffff;
    ++counters.routed;
    return;
  }
  if (packet.type() != 0) { // point-to-point and neighbour: not modelled
    ++counters.unroutable;
    ++counters.dropped;
    return;
  }
  bool normal = true;
  if (fromLink && (state == 1 || state == 2)) {
    unsigned back = (entry.port + 5) % 6;
    entry.waiting |= 1u << back;
    entry.reverting |= 1u << back;
    normal = state == 1;
  }
  packet.setEmergency(0);
  if (!normal)
    return;
  int found = lookUp(packet.key);
  if (found >= 0) {
    entry.waiting |= table[size_t(found)].route;
    ++counters.routed;
  } else if (fromLink) {
    unsigned onward = (entry.port + (state == 3 ? 2 : 3)) % 6;
    entry.waiting |= 1u << onward;
    ++counters.defaultRouted;
  } else {
    ++counters.unroutable;
    ++counters.dropped;
    dumped = packet;
    dumpStatus |= 0x80000000u;
  }
}

void Router::scheduleOutput(Picoseconds at) {
  if (outScheduled)
    return;
  outScheduled = true;
  Event event;
  event.time = at;
  event.kind = EventKind::RouterOut;
  event.target = chip->index;
  machine->schedule(event);
}

bool Router::sendLink(unsigned link, const Packet &packet, Picoseconds now) {
  LinkOut &out = links[link];
  if (!out.exists || out.fifo.size() >= machine->config.timing.linkFifoPackets)
    return false;
  if (out.fifo.empty())
    out.readySince = now;
  out.fifo.push_back(packet);
  counters.bitHops += packet.bits();
  startLink(link, now);
  return true;
}

/// Delivers to the destinations that have room; true when none is left.
bool Router::serve(InFlight &entry, Picoseconds now) {
  for (uint32_t set = entry.waiting & 0x3f; set; set &= set - 1) {
    unsigned link = unsigned(std::countr_zero(set));
    Packet copy = entry.packet;
    if (entry.reverting >> link & 1)
      copy.setEmergency(3);
    if (sendLink(link, copy, now)) {
      entry.waiting &= ~(1u << link);
      continue;
    }
    if (!diverting)
      continue;
    // One step clockwise; a copy that was due there anyway goes along.
    unsigned around = (link + 5) % 6;
    bool both = entry.waiting >> around & 1;
    copy.setEmergency(both ? 1 : 2);
    if (sendLink(around, copy, now)) {
      ++counters.emergency;
      entry.waiting &= ~(1u << link);
      if (both)
        entry.waiting &= ~(1u << around);
    }
  }
  for (uint32_t set = entry.waiting >> 6; set; set &= set - 1) {
    unsigned core = unsigned(std::countr_zero(set));
    if (core < kMaxCoresPerChip && coreCredits[core]) {
      --coreCredits[core];
      counters.bitHops += entry.packet.bits();
      Event event;
      event.time = now + machine->config.timing.routerToCorePs;
      event.kind = EventKind::CoreReceive;
      event.target = chip->nodes[core].index;
      event.packet = entry.packet;
      machine->schedule(event);
      entry.waiting &= ~(1u << (6 + core));
    }
  }
  return entry.waiting == 0;
}

void Router::output(Picoseconds now) {
  outScheduled = false;
  if (pipeline.empty() || blocked)
    return;
  if (serve(pipeline.front(), now)) {
    finishHead(now);
    return;
  }
  blocked = true;
  diverting = false;
  blockedSince = now;
  ++generation;
  uint64_t wait = routerWaitCycles(wait1);
  if (wait == UINT64_MAX)
    return;
  Event event;
  event.time = now + wait * machine->config.timing.routerPeriodPs;
  event.kind = EventKind::RouterTimeout;
  event.target = chip->index;
  event.arg = generation;
  machine->schedule(event);
}

void Router::finishHead(Picoseconds now) {
  if (blocked)
    counters.stallPs += now - blockedSince;
  blocked = diverting = false;
  ++generation;
  pipeline.pop_front();
  if (!pipeline.empty())
    scheduleOutput(std::max(pipeline.front().outTime,
                            now + machine->config.timing.routerPeriodPs));
  schedulePick(now);
}

void Router::space(Picoseconds now) {
  if (blocked && serve(pipeline.front(), now))
    finishHead(now);
}

void Router::timeout(uint32_t which, Picoseconds now) {
  if (!blocked || which != generation)
    return;
  uint64_t wait = diverting ? 0 : routerWaitCycles(wait2);
  if (wait != 0) {
    diverting = true;
    if (serve(pipeline.front(), now)) {
      finishHead(now);
      return;
    }
    if (wait == UINT64_MAX)
      return;
    Event event;
    event.time = now + wait * machine->config.timing.routerPeriodPs;
    event.kind = EventKind::RouterTimeout;
    event.target = chip->index;
    event.arg = generation;
    machine->schedule(event);
    return;
  }
  drop(pipeline.front());
  finishHead(now);
}

void Router::drop(InFlight &entry) {
  counters.dropped += uint64_t(std::popcount(entry.waiting));
  if (dumpStatus & 0x80000000u) {
    dumpStatus |= 0x40000000u;
  } else {
    dumped = entry.packet;
    dumpLink = entry.waiting;
    dumpStatus |= 0x80000000u;
  }
  entry.waiting = 0;
}

void Router::startLink(unsigned number, Picoseconds now) {
  LinkOut &link = links[number];
  if (link.busy || link.fifo.empty() || link.credits == 0)
    return;
  counters.links[number].blockedPs += now - std::min(now, link.readySince);
  link.busy = true;
  --link.credits;
  unsigned bits = link.fifo.front().bits();
  // Four bits a symbol and one symbol for the end of the packet.
  Picoseconds length =
      uint64_t(bits / 4 + 1) * machine->config.timing.linkSymbolPs;
  ++counters.links[number].packets;
  counters.links[number].bits += bits;
  counters.links[number].busyPs += length;
  Event event;
  event.time = now + length;
  event.kind = EventKind::LinkSent;
  event.target = chip->index;
  event.arg = number;
  machine->schedule(event);
}

void Router::linkSent(unsigned number, Picoseconds now) {
  LinkOut &link = links[number];
  Event event;
  event.time = now + machine->config.timing.linkPropagationPs;
  event.kind = EventKind::LinkArrive;
  event.target = link.farChip;
  event.arg = link.farLink;
  event.packet = link.fifo.front();
  link.fifo.pop_front();
  link.busy = false;
  link.readySince = now;
  machine->schedule(event);
  startLink(number, now);
  space(now);
}

void Router::linkCredit(unsigned number, Picoseconds now) {
  ++links[number].credits;
  startLink(number, now);
}

} // namespace neuroc::rt::spinn
