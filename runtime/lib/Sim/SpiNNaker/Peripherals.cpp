// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The interrupt controller and the timers of a core. Interrupt lines are
// levels, recomputed whenever a device changes. A timer keeps the cycle at
// which it reaches zero; an event exists only while its interrupt is enabled,
// otherwise expiries are worked out when somebody looks.

#include "Model.h"

namespace neuroc::rt::spinn {

uint32_t Node::rawInterrupts() const {
  uint32_t raw = vic.soft;
  for (unsigned i = 0; i < 2; ++i)
    if (timers[i].raw && (timers[i].control & 0x20))
      raw |= 1u << (4 + i);
  if (!comms.rx.empty()) {
    raw |= 1u << 6;
    unsigned type = comms.rx.front().type();
    raw |= 1u << (type == 0 ? 24 : type == 1 ? 25 : type == 2 ? 26 : 27);
  }
  bool full = comms.tx.size() >= cpu.timing->txFifoPackets;
  raw |= uint32_t(comms.txFull) << 9 | uint32_t(comms.txOverrun) << 10 |
         uint32_t(comms.tx.empty()) << 11 | uint32_t(!full) << 23;
  uint32_t doneBits = dma.finished == 0 ? 0 : dma.finished == 1 ? 1 : 3;
  if (doneBits << 10 & dma.gctl)
    raw |= 1u << 12;
  if (dma.errors & dma.gctl)
    raw |= 1u << 13;
  raw |= uint32_t(cpuInterrupt) << 18;
  return raw;
}

unsigned Node::servedPriority() const {
  return vic.servedStack ? unsigned(std::countr_zero(vic.servedStack)) : 17;
}

/// Priority of the most urgent of `sources`: its slot, 16 without one, 17 if
/// there is none. `vector` is then its handler.
unsigned Node::priorityOf(uint32_t sources, uint32_t &vector) const {
  vector = vic.defaultVector;
  if (!sources)
    return 17;
  for (unsigned slot = 0; slot < 16; ++slot)
    if ((vic.control[slot] & 0x20) &&
        (sources >> (vic.control[slot] & 0x1f) & 1)) {
      vector = vic.vector[slot];
      return slot;
    }
  return 16;
}

void Node::updateInterrupts() {
  uint32_t active = rawInterrupts() & vic.enable, vector;
  cpu.fiqLine = active & vic.select;
  cpu.irqLine = priorityOf(active & ~vic.select, vector) < servedPriority();
  if (cpu.state == CoreState::Running)
    cpu.pollInterrupts();
}

void Node::wake(Picoseconds now) {
  if (cpu.state != CoreState::Sleeping || !(cpu.irqLine || cpu.fiqLine))
    return;
  uint64_t at = std::max(cycleAt(now), sleptAt);
  counters.idleCycles += at - sleptAt;
  cpu.cycle = at + cpu.timing->wfiWake;
  cpu.state = CoreState::Running;
  machine->makeReady(*this);
}

bool Node::readVic(uint32_t offset, uint32_t &value) {
  uint32_t raw = rawInterrupts(), active = raw & vic.enable;
  if (offset >= 0x100 && offset < 0x140) {
    value = vic.vector[(offset - 0x100) / 4];
    return true;
  }
  if (offset >= 0x200 && offset < 0x240) {
    value = vic.control[(offset - 0x200) / 4];
    return true;
  }
  switch (offset) {
  case 0x00: value = active & ~vic.select; return true;
  case 0x04: value = active & vic.select; return true;
  case 0x08: value = raw; return true;
  case 0x0c: value = vic.select; return true;
  case 0x10: value = vic.enable; return true;
  case 0x18: value = vic.soft; return true;
  case 0x20: value = 0; return true;
  case 0x30: {
    unsigned priority = priorityOf(active & ~vic.select, value);
    if (priority < servedPriority()) {
      vic.servedStack |= 1u << priority;
      updateInterrupts();
    }
    return true;
  }
  case 0x34: value = vic.defaultVector; return true;
  default: value = 0; return offset < 0x1000;
  }
}

bool Node::writeVic(uint32_t offset, uint32_t value) {
  if (offset >= 0x100 && offset < 0x140)
    vic.vector[(offset - 0x100) / 4] = value;
  else if (offset >= 0x200 && offset < 0x240)
    vic.control[(offset - 0x200) / 4] = value & 0x3f;
  else
    switch (offset) {
    case 0x0c: vic.select = value; break;
    case 0x10: vic.enable |= value; break;
    case 0x14: vic.enable &= ~value; break;
    case 0x18: vic.soft |= value; break;
    case 0x1c: vic.soft &= ~value; break;
    case 0x30: vic.servedStack &= vic.servedStack - 1; break;
    case 0x34: vic.defaultVector = value; break;
    default: break;
    }
  updateInterrupts();
  return true;
}

static uint32_t wrapOf(const Timer &timer) {
  return timer.control & 2 ? 0xffffffffu : 0xffffu;
}

/// Lets the expiries up to `cycle` happen. True if there was one.
static bool settle(Timer &timer, uint64_t cycle, const TimingParameters &timing,
                   uint64_t &overruns) {
  if (!timer.enabled() || cycle < timer.zeroCycle)
    return false;
  if (timer.raw)
    ++overruns;
  timer.raw = true;
  if (timer.control & 1) { // one-shot
    timer.control &= ~0x80u;
    timer.frozen = 0;
    return true;
  }
  uint64_t counts = timer.control & 0x40 ? timer.load : wrapOf(timer);
  uint64_t period = std::max<uint64_t>(
      1, counts * timer.prescale() + timing.timerExtra);
  timer.zeroCycle += (1 + (cycle - timer.zeroCycle) / period) * period;
  return true;
}

void Node::startTimer(unsigned which, uint32_t from) {
  Timer &timer = timers[which];
  ++timer.generation;
  timer.zeroCycle = cpu.cycle + uint64_t(from) * timer.prescale() +
                    cpu.timing->timerExtra;
  if (!(timer.control & 0x20))
    return;
  Event event;
  event.time = timeOf(timer.zeroCycle);
  event.kind = EventKind::Timer;
  event.target = index;
  event.arg = which | timer.generation << 1;
  machine->schedule(event);
}

void Node::timerEvent(uint32_t arg, Picoseconds now) {
  Timer &timer = timers[arg & 1];
  if ((timer.generation & 0x7fffffff) != arg >> 1 || !timer.enabled())
    return;
  // A stopped core sees nothing any more; its timer need not go on for ever.
  if (cpu.state == CoreState::Halted || cpu.state == CoreState::Off)
    return;
  settle(timer, timer.zeroCycle, *cpu.timing, counters.timerOverruns);
  if (timer.enabled()) {
    Event event;
    event.time = timeOf(timer.zeroCycle);
    event.kind = EventKind::Timer;
    event.target = index;
    event.arg = arg;
    machine->schedule(event);
  }
  updateInterrupts();
  wake(now);
}

uint32_t Node::timerCount(const Timer &timer) const {
  if (!timer.enabled())
    return timer.frozen;
  if (cpu.cycle >= timer.zeroCycle)
    return 0;
  uint64_t left = timer.zeroCycle - cpu.cycle;
  return uint32_t((left + timer.prescale() - 1) / timer.prescale());
}

bool Node::readTimer(uint32_t offset, uint32_t &value) {
  if (offset >= 0x40) {
    value = 0;
    return offset < 0x1000;
  }
  Timer &timer = timers[offset >> 5];
  if (!(timer.control & 0x20))
    settle(timer, cpu.cycle, *cpu.timing, counters.timerOverruns);
  switch (offset & 0x1f) {
  case 0x00: case 0x18: value = timer.load; break;
  case 0x04: value = timerCount(timer); break;
  case 0x08: value = timer.control; break;
  case 0x10: value = timer.raw; break;
  case 0x14: value = timer.raw && (timer.control & 0x20); break;
  default: value = 0; break;
  }
  return true;
}

bool Node::writeTimer(uint32_t offset, uint32_t value) {
  if (offset >= 0x40)
    return offset < 0x1000;
  unsigned which = offset >> 5;
  Timer &timer = timers[which];
  switch (offset & 0x1f) {
  case 0x00:
    timer.load = timer.frozen = value;
    if (timer.enabled())
      startTimer(which, value);
    break;
  case 0x08: {
    uint32_t count = timerCount(timer);
    timer.control = value & 0xef;
    if (timer.enabled()) {
      startTimer(which, count);
    } else {
      timer.frozen = count;
      ++timer.generation;
    }
    break;
  }
  case 0x0c: timer.raw = false; break;
  case 0x18: timer.load = value; break;
  default: break;
  }
  updateInterrupts();
  return true;
}

} // namespace neuroc::rt::spinn
