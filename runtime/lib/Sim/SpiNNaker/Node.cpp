// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A core seen from its bus: where an address leads, what the access costs, and
// the write buffer. Accesses to memories that other cores share must happen in
// global time order; a core that has run ahead of the others yields and is run
// again when its turn has come (sharedTurn).

#include "Model.h"

#include <cstdio>

namespace neuroc::rt::spinn {

namespace {
enum class Region { Itcm, Dtcm, Comms, Timers, Vic, Dma, Shared, System, None };
struct Place {
  Region region;
  uint32_t offset;
  bool buffered;
};

Place placeOf(uint32_t address) {
  if (address < kItcmSize)
    return {Region::Itcm, address, false};
  if (address - kDtcmBase < kDtcmSize)
    return {Region::Dtcm, address - kDtcmBase, false};
  uint32_t offset = address & 0x00ffffff;
  if (address >= 0xfffff000u)
    return {Region::Vic, address & 0xfff, false};
  switch (address >> 24) {
  case 0x10: case 0x20: return {Region::Comms, offset, address >> 24 == 0x20};
  case 0x11: case 0x21: return {Region::Timers, offset, address >> 24 == 0x21};
  case 0x1f: case 0x2f: return {Region::Vic, offset, address >> 24 == 0x2f};
  case 0x30: case 0x40: return {Region::Dma, offset, address >> 24 == 0x40};
  case 0xe1: case 0xe2: case 0xf1: case 0xf2:
    return {Region::System, address, address >> 28 == 0xe};
  default: break;
  }
  if (address >> 29 == 3) // 0x60000000 to 0x7fffffff
    return {Region::Shared, address, address >> 28 == 6};
  if (address - kSysramBase < kSysramSize ||
      address - (kSysramBase + 0x10000000) < kSysramSize)
    return {Region::Shared, address, address >> 28 == 0xe};
  return {Region::None, 0, false};
}
} // namespace

void Node::prepare() {
  if (!itcm.empty())
    return;
  itcm.resize(kItcmSize);
  dtcm.resize(kDtcmSize);
  armOps.resize(kItcmSize / 4);
  thumbOps.resize(kItcmSize / 2);
  for (Op &op : armOps)
    op.run = decodeArmSlot;
  for (Op &op : thumbOps)
    op.run = decodeThumbSlot;
  cpu.itcm = itcm.data();
  cpu.dtcm = dtcm.data();
  cpu.armOps = armOps.data();
  cpu.thumbOps = thumbOps.data();
  cpu.node = this;
  cpu.timing = &machine->config.timing;
  cpu.itcmWait = machine->config.timing.itcmData;
  cpu.breakpointHalts = machine->config.breakpointHalts;
}

void Node::reset(uint32_t entry) {
  prepare();
  Cpu fresh;
  fresh.itcm = cpu.itcm;
  fresh.dtcm = cpu.dtcm;
  fresh.armOps = cpu.armOps;
  fresh.thumbOps = cpu.thumbOps;
  fresh.node = this;
  fresh.timing = cpu.timing;
  fresh.itcmWait = cpu.itcmWait;
  fresh.breakpointHalts = cpu.breakpointHalts;
  cpu = fresh;
  cpu.thumb = entry & 1;
  cpu.nextPc = entry & (cpu.thumb ? ~1u : ~3u);
  cpu.cycle = startedAt = cycleAt(machine->now);
  cpu.state = CoreState::Running;
  vic = Vic();
  for (Timer &timer : timers) {
    uint32_t generation = timer.generation;
    timer = Timer();
    timer.generation = generation + 1;
  }
  counters = CoreCounters();
}

Picoseconds Node::timeOf(uint64_t cycle) const {
  return offset + cycle * cpu.timing->cpuPeriodPs;
}

uint64_t Node::cycleAt(Picoseconds time) const {
  if (time == kForever)
    return kForever;
  if (time <= offset)
    return 0;
  uint64_t period = cpu.timing->cpuPeriodPs;
  return (time - offset + period - 1) / period;
}

void Node::waitUntil(Picoseconds end) {
  uint64_t at = cycleAt(end);
  if (at > cpu.cycle) {
    cpu.busWaits += at - cpu.cycle;
    cpu.cycle = at;
  }
}

void Node::drainWrites() {
  if (!writeBuffer.empty() && writeBuffer.back() > cpu.cycle) {
    cpu.busWaits += writeBuffer.back() - cpu.cycle;
    cpu.cycle = writeBuffer.back();
  }
  writeBuffer.clear();
}

void Node::bufferWrite(uint32_t cost) {
  while (!writeBuffer.empty() && writeBuffer.front() <= cpu.cycle)
    writeBuffer.pop_front();
  if (writeBuffer.size() >= cpu.timing->writeBufferDepth) {
    cpu.busWaits += writeBuffer.front() - cpu.cycle;
    cpu.cycle = writeBuffer.front();
    writeBuffer.pop_front();
  }
  uint64_t from = writeBuffer.empty() ? cpu.cycle : writeBuffer.back();
  writeBuffer.push_back(std::max(from, cpu.cycle) + cost);
}

bool Node::sharedTurn(const Op &op) {
  if (cpu.granted == cpu.instructions)
    return true;
  if (cpu.cycle - op.cycles >= cpu.solo) {
    cpu.yield(op);
    return false;
  }
  cpu.granted = cpu.instructions;
  return true;
}

bool Node::busRead(const Op &op, uint32_t address, unsigned size,
                   uint32_t &value) {
  Place place = placeOf(address);
  value = 0;
  switch (place.region) {
  case Region::Itcm:
    std::memcpy(&value, &itcm[place.offset], size);
    cpu.cycle += cpu.itcmWait;
    return true;
  case Region::Dtcm:
    std::memcpy(&value, &dtcm[place.offset], size);
    return true;
  case Region::Comms:
  case Region::Timers:
  case Region::Vic:
  case Region::Dma: {
    drainWrites();
    uint32_t extra = cpu.timing->localRead - 1;
    cpu.cycle += extra;
    cpu.busWaits += extra;
    if (!localRead(address, size, value)) {
      cpu.dataAbort(address);
      return false;
    }
    return true;
  }
  case Region::Shared: {
    uint8_t *memory = chip->memory(address, size);
    if (!memory) {
      cpu.dataAbort(address);
      return false;
    }
    if (!sharedTurn(op))
      return false;
    drainWrites();
    Picoseconds from = std::max(now(), dma.burstEnd);
    waitUntil(chip->singleAccess(address, from));
    cpu.cycle += cpu.timing->bridge;
    cpu.busWaits += cpu.timing->bridge;
    std::memcpy(&value, memory, size);
    return true;
  }
  case Region::System: {
    if (!sharedTurn(op))
      return false;
    drainWrites();
    waitUntil(std::max(now(), dma.burstEnd) + cpu.timing->sysramReadPs);
    bool allowed = size == 4 && (address >> 24 == 0xe1 || address >> 24 == 0xf1
                                     ? true
                                     : cpu.mode != kUser);
    if (!allowed || !chip->readSystem(address, value)) {
      cpu.dataAbort(address);
      return false;
    }
    return true;
  }
  case Region::None:
    cpu.dataAbort(address);
    return false;
  }
  return false;
}

bool Node::busWrite(const Op &op, uint32_t address, unsigned size,
                    uint32_t value) {
  Place place = placeOf(address);
  switch (place.region) {
  case Region::Itcm:
    std::memcpy(&itcm[place.offset], &value, size);
    cpu.cycle += cpu.itcmWait;
    cpu.invalidate(place.offset, size);
    return true;
  case Region::Dtcm:
    std::memcpy(&dtcm[place.offset], &value, size);
    return true;
  case Region::Comms:
  case Region::Timers:
  case Region::Vic:
  case Region::Dma:
    if (place.buffered) {
      bufferWrite(cpu.timing->writeDrainLocal);
    } else {
      drainWrites();
      uint32_t extra = cpu.timing->localWrite - 1;
      cpu.cycle += extra;
      cpu.busWaits += extra;
    }
    if (!localWrite(address, size, value)) {
      cpu.dataAbort(address);
      return false;
    }
    return true;
  case Region::Shared: {
    uint8_t *memory = chip->memory(address, size);
    if (!memory) {
      cpu.dataAbort(address);
      return false;
    }
    if (!sharedTurn(op))
      return false;
    if (place.buffered) {
      bufferWrite(cpu.timing->writeDrainBridge);
    } else {
      drainWrites();
      waitUntil(chip->singleAccess(address, std::max(now(), dma.burstEnd)));
      cpu.cycle += cpu.timing->bridge;
      cpu.busWaits += cpu.timing->bridge;
    }
    std::memcpy(memory, &value, size);
    return true;
  }
  case Region::System: {
    if (!sharedTurn(op))
      return false;
    if (place.buffered) {
      bufferWrite(cpu.timing->writeDrainBridge);
    } else {
      drainWrites();
      waitUntil(std::max(now(), dma.burstEnd) + cpu.timing->sysramReadPs);
    }
    bool router = (address >> 24 & 0xf) == 1;
    if (size != 4 || (!router && cpu.mode == kUser) ||
        !chip->writeSystem(address, value, now())) {
      cpu.dataAbort(address);
      return false;
    }
    return true;
  }
  case Region::None:
    cpu.dataAbort(address);
    return false;
  }
  return false;
}

bool Node::localRead(uint32_t address, unsigned size, uint32_t &value) {
  uint32_t aligned = address & ~3u, word = 0;
  Place place = placeOf(aligned);
  bool ok = false;
  switch (place.region) {
  case Region::Comms: ok = readComms(place.offset, word); break;
  case Region::Timers: ok = readTimer(place.offset, word); break;
  case Region::Vic: ok = readVic(place.offset, word); break;
  default:
    ok = size == 4 && cpu.mode != kUser && readDma(place.offset, word);
    break;
  }
  word >>= 8 * (address & 3);
  value = size == 4 ? word : word & ((1u << (8 * size)) - 1);
  return ok;
}

bool Node::localWrite(uint32_t address, unsigned size, uint32_t value) {
  if (size != 4)
    return false;
  Place place = placeOf(address);
  switch (place.region) {
  case Region::Comms: return writeComms(place.offset, value);
  case Region::Timers: return writeTimer(place.offset, value);
  case Region::Vic: return writeVic(place.offset, value);
  default: return cpu.mode != kUser && writeDma(place.offset, value);
  }
}

bool Cpu::readSlow(const Op &op, uint32_t address, unsigned size,
                   uint32_t &value) {
  return node->busRead(op, address, size, value);
}
bool Cpu::writeSlow(const Op &op, uint32_t address, unsigned size,
                    uint32_t value) {
  return node->busWrite(op, address, size, value);
}

void Cpu::waitForInterrupt() {
  node->drainWrites();
  if (irqLine || fiqLine)
    return;
  state = CoreState::Sleeping;
  limit = 0;
}

void Cpu::fault(const char *kind, uint32_t address) {
  ++faults;
  Fault fault;
  fault.core = node->id;
  fault.kind = kind;
  fault.pc = pc();
  fault.address = address;
  node->machine->faults.push_back(fault);
  if (node->machine->config.stopOnFault) {
    state = CoreState::Halted;
    nextPc = pc();
    limit = 0;
  }
}

std::string Fault::text() const {
  char where[128];
  std::snprintf(where, sizeof where,
                "core (%u, %u, %u): %s at pc 0x%08x, address 0x%08x",
                core.chip.x, core.chip.y, core.core, kind.c_str(), pc, address);
  return where;
}

} // namespace neuroc::rt::spinn
