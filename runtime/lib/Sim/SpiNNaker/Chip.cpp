// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What the cores of a chip share: SDRAM with its open rows and its bandwidth,
// System RAM, the system controller (as far as applications use it) and the
// registers of the router.

#include "Model.h"

namespace neuroc::rt::spinn {

uint8_t *Chip::memory(uint32_t address, uint32_t size, bool dma) {
  uint32_t offset = address & 0x0fffffff;
  if (address >> 29 == 3) { // either alias of SDRAM
    uint32_t limit = machine->config.sdramBytes;
    return offset < limit && limit - offset >= size ? sdram.get() + offset
                                                    : nullptr;
  }
  // System RAM: two aliases; DMA also sees it at the bottom, repeated.
  bool low = dma && address < 0x01000000;
  if (low || address - kSysramBase < kSysramSize ||
      address - (kSysramBase + 0x10000000) < kSysramSize) {
    offset = address & (kSysramSize - 1);
    return kSysramSize - offset >= size ? sysram.data() + offset : nullptr;
  }
  return nullptr;
}

/// True when the row was open already. 4 banks of 4 KiB rows.
bool Chip::touchRow(uint32_t address) {
  uint32_t bank = address >> 12 & 3, row = (address & 0x07ffffff) >> 14;
  bool hit = openRow[bank] == row;
  openRow[bank] = row;
  return hit;
}

Picoseconds Chip::singleAccess(uint32_t address, Picoseconds from) {
  const TimingParameters &timing = machine->config.timing;
  if (address >> 29 != 3)
    return from + timing.sysramReadPs;
  Picoseconds grant = std::max(from, sdramFree);
  sdramFree = grant + timing.sdramSingleBusyPs;
  return grant +
         (touchRow(address) ? timing.sdramRowHitPs : timing.sdramRowMissPs);
}

Picoseconds Chip::grantBurst(uint32_t address, uint32_t bytes,
                             Picoseconds from) {
  if (address >> 29 != 3)
    return from;
  Picoseconds grant = std::max(from, sdramFree);
  sdramFree = grant + uint64_t(bytes) * machine->config.timing.sdramBytePs;
  touchRow(address);
  return grant;
}

bool Chip::readSystem(uint32_t address, uint32_t &value) {
  uint32_t offset = address & 0x00ffffff;
  if ((address >> 24 & 0xf) == 1)
    return readRouter(offset, value);
  value = 0;
  if (offset >= 0x80 && offset < 0x100) { // monitor arbitration
    value = monitor & 0x100 ? 0 : 0x80000000u;
    monitor |= 0x100;
    return true;
  }
  if (offset >= 0x100 && offset < 0x200) { // test and set, test and clear
    uint32_t bit = 1u << (offset >> 2 & 31);
    value = testAndSet & bit ? 0x80000000u : 0;
    testAndSet = offset < 0x180 ? testAndSet | bit : testAndSet & ~bit;
    return true;
  }
  switch (offset) {
  case 0x00: value = 0x59111012; break;
  case 0x08: case 0x0c: value = cpuInterrupts; break;
  case 0x10: case 0x14: value = cpuOk; break;
  case 0x34: value = monitor; break;
  case 0x38: value = misc; break;
  case 0x58: case 0x5c: value = flags; break;
  case 0x60: value = 0x809488a5; break;
  case 0x64:
    for (unsigned core = 0; core < kMaxCoresPerChip; ++core)
      if (nodes[core].cpu.state == CoreState::Sleeping)
        value |= 1u << core;
    break;
  default: return offset < 0x210;
  }
  return true;
}

bool Chip::writeSystem(uint32_t address, uint32_t value, Picoseconds now) {
  uint32_t offset = address & 0x00ffffff;
  if ((address >> 24 & 0xf) == 1)
    return writeRouter(offset, value);
  bool secured = value >> 20 == 0x5ec;
  switch (offset) {
  case 0x08:
  case 0x0c:
    if (!secured)
      break;
    for (uint32_t set = value & 0x3ffff; set; set &= set - 1) {
      unsigned core = unsigned(std::countr_zero(set));
      if (!nodes[core].alive)
        continue;
      cpuInterrupts = offset == 0x08 ? cpuInterrupts | 1u << core
                                     : cpuInterrupts & ~(1u << core);
      Event event;
      // No sooner than another core may be noticed (the scheduler relies on it).
      event.time = now + std::max<Picoseconds>(
                             machine->config.timing.sysramReadPs,
                             machine->lookahead);
      event.kind = EventKind::CpuInterrupt;
      event.target = nodes[core].index;
      event.arg = offset == 0x08;
      // A core that lowers its own line sees it fall at once.
      if (offset == 0x0c && machine->running == &nodes[core]) {
        nodes[core].cpuInterrupt = false;
        nodes[core].updateInterrupts();
      } else {
        machine->schedule(event);
      }
    }
    break;
  case 0x10: cpuOk |= value & 0x3ffff; break;
  case 0x14: cpuOk &= ~value; break;
  case 0x34: monitor = value; break;
  case 0x38: misc = value; break;
  case 0x58: flags |= value; break;
  case 0x5c: flags &= ~value; break;
  default: return offset < 0x210;
  }
  return true;
}

bool Chip::readRouter(uint32_t offset, uint32_t &value) {
  value = 0;
  if (offset >= 0x4000 && offset < 0x5000) {
    uint32_t entry = (offset - 0x4000) / 4;
    value = entry < router.table.size() ? router.table[entry].route : 0;
    return true;
  }
  switch (offset) {
  case 0x00:
    value = uint32_t(router.wait2) << 24 | uint32_t(router.wait1) << 16 | 1;
    return true;
  case 0x18: value = uint32_t(router.dumped.control) << 16; return true;
  case 0x1c: value = router.dumped.key; return true;
  case 0x20: value = router.dumped.payload; return true;
  case 0x24: value = router.dumpLink; return true;
  case 0x28:
    value = router.dumpStatus;
    router.dumpStatus = 0;
    return true;
  case 0x84: value = router.fixedRoute; return true;
  default: return offset < 0x1000;
  }
}

bool Chip::writeRouter(uint32_t offset, uint32_t value) {
  bool route = offset >= 0x4000 && offset < 0x5000;
  bool key = offset >= 0x8000 && offset < 0x9000;
  bool mask = offset >= 0xc000 && offset < 0xd000;
  if (route || key || mask) {
    uint32_t entry = (offset & 0xfff) / 4;
    // An entry never written can match nothing.
    if (router.table.size() <= entry)
      router.table.resize(entry + 1, {~0u, 0, 0});
    RoutingEntry &line = router.table[entry];
    (route ? line.route : key ? line.key : line.mask) = value;
    router.tableChanged();
    return true;
  }
  if (offset == 0x00) {
    router.wait2 = uint8_t(value >> 24);
    router.wait1 = uint8_t(value >> 16);
    return true;
  }
  if (offset == 0x84) {
    router.fixedRoute = value;
    return true;
  }
  return offset < 0x1000;
}

} // namespace neuroc::rt::spinn
