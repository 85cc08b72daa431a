// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The communications controller: registers for sending and receiving one
// packet, small FIFOs behind them, and back-pressure from the router.

#include "Model.h"

namespace neuroc::rt::spinn {

bool Node::readComms(uint32_t offset, uint32_t &value) {
  bool full = comms.tx.size() >= cpu.timing->txFifoPackets;
  switch (offset) {
  case 0x00:
    value = uint32_t(comms.tx.empty()) << 31 | uint32_t(comms.txFull) << 30 |
            uint32_t(comms.txOverrun) << 29 | uint32_t(!full) << 28 |
            uint32_t(comms.txControl) << 16;
    return true;
  case 0x04: value = comms.txPayload; return true;
  case 0x08: value = 0; return true;
  case 0x0c: {
    bool any = !comms.rx.empty();
    uint8_t control = any ? comms.rx.front().control : comms.lastControl;
    value = uint32_t(any) << 31 | uint32_t(any) << 28 | 7u << 24 |
            uint32_t(control) << 16 | (any ? 1u << (control >> 6) : 0);
    return true;
  }
  case 0x10:
    value = comms.rx.empty() ? comms.lastPayload : comms.rx.front().payload;
    return true;
  case 0x14: {
    if (comms.rx.empty()) {
      value = comms.lastKey;
      return true;
    }
    const Packet &packet = comms.rx.front();
    value = comms.lastKey = packet.key;
    comms.lastPayload = packet.payload;
    comms.lastControl = packet.control;
    comms.rx.pop_front();
    Event event;
    event.time = now() + cpu.timing->rxCreditPs;
    event.kind = EventKind::CoreCredit;
    event.target = index;
    machine->schedule(event);
    updateInterrupts();
    return true;
  }
  case 0x18: value = comms.sar; return true;
  default: return false;
  }
}

bool Node::writeComms(uint32_t offset, uint32_t value) {
  switch (offset) {
  case 0x00:
    comms.txControl = value >> 16 & 0xff;
    comms.txFull = comms.txOverrun = false;
    break;
  case 0x04:
    comms.txPayload = value;
    comms.txPayloadSet = true;
    break;
  case 0x08: {
    if (comms.tx.size() >= cpu.timing->txFifoPackets) {
      comms.txOverrun = true;
      ++counters.txOverruns;
      comms.txPayloadSet = false;
      break;
    }
    Packet packet;
    packet.key = value;
    packet.payload = comms.txPayload;
    packet.control = uint8_t((comms.txControl & ~3) |
                             (comms.txPayloadSet ? 2 : comms.txControl & 2));
    comms.txPayloadSet = false;
    comms.tx.push_back(packet);
    ++counters.packetsSent;
    if (comms.tx.size() >= cpu.timing->txFifoPackets)
      comms.txFull = true;
    txContinue(now());
    break;
  }
  case 0x0c: break;
  case 0x18: comms.sar = value; break;
  default: return offset <= 0x1c;
  }
  updateInterrupts();
  return true;
}

/// Starts to send the head of the FIFO if the way is free.
void Node::txContinue(Picoseconds now) {
  if (comms.tx.empty() || comms.serialising || comms.standing)
    return;
  comms.serialising = true;
  Event event;
  event.time = now + cpu.timing->txMergePs +
               uint64_t(comms.tx.front().bits() / 8) * cpu.timing->txBytePs;
  event.kind = EventKind::TxArrive;
  event.target = index;
  machine->schedule(event);
}

/// The head stands before the router; enters when its port has room.
void Node::txArrive(Picoseconds now) {
  comms.serialising = false;
  comms.standing = true;
  unsigned port = 6 + id.core;
  if (!chip->router.portHasRoom(port))
    return; // the router calls again when it has taken one
  comms.standing = false;
  Packet packet = comms.tx.front();
  comms.tx.pop_front();
  chip->router.arrive(packet, port, now);
  txContinue(now);
  updateInterrupts();
  wake(now);
}

void Node::receive(const Packet &packet, Picoseconds now) {
  ++counters.packetsReceived;
  comms.rx.push_back(packet);
  updateInterrupts();
  wake(now);
}

} // namespace neuroc::rt::spinn
