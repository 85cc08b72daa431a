// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The DMA controller of a core: one active and one queued transfer, moved in
// bursts. A burst asks the memory for a grant, takes a fixed latency plus the
// time of its words through the TCM port, and its data moves when it ends.

#include "Model.h"

namespace neuroc::rt::spinn {

namespace {
constexpr uint32_t kTcmError = 1u << 14, kAxiError = 1u << 15,
                   kUserAbort = 1u << 16;
} // namespace

uint32_t Node::dmaBurstBytes() const {
  uint32_t description = dma.active.description;
  uint32_t width = description >> 24 & 1 ? 8 : 4;
  uint32_t code = std::min(description >> 21 & 7, 4u);
  return width << code;
}

void Node::dmaLaunch(const Dma::Transfer &transfer, Picoseconds now) {
  dma.active = transfer;
  dma.busy = true;
  dma.done = 0;
  dma.started = now;
  Event event;
  event.time = now + uint64_t(cpu.timing->dmaStart) * cpu.timing->cpuPeriodPs;
  event.kind = EventKind::DmaStart;
  event.target = index;
  machine->schedule(event);
}

void Node::dmaFail(uint32_t bit) {
  dma.errors |= bit;
  dma.paused = true;
  updateInterrupts();
}

void Node::dmaStart(Picoseconds now) {
  if (!dma.busy || dma.paused || dma.burst)
    return;
  uint32_t length = dma.active.description & 0x1fffc;
  uint32_t system = dma.active.system + dma.done;
  uint32_t tcm = dma.active.tcm + dma.done;
  uint32_t bytes = std::min(dmaBurstBytes(), length - dma.done);
  if (bytes == 0) {
    dmaBurstEnded(now);
    return;
  }
  bool inItcm = tcm < kItcmSize && kItcmSize - tcm >= bytes;
  bool inDtcm = tcm - kDtcmBase < kDtcmSize &&
                kDtcmSize - (tcm - kDtcmBase) >= bytes;
  if (!inItcm && !inDtcm) {
    dmaFail(kTcmError);
    wake(now);
    return;
  }
  if (!chip->memory(system, bytes, /*dma=*/true)) {
    dmaFail(kAxiError);
    wake(now);
    return;
  }
  Picoseconds grant = chip->grantBurst(system, bytes, now);
  counters.dmaWaitPs += grant - now;
  dma.burst = bytes;
  dma.burstEnd = grant + cpu.timing->dmaBurstLatencyPs +
                 uint64_t(bytes / 4) * cpu.timing->dmaWordPs;
  cpu.dtcmWait = cpu.timing->dtcmDmaConflict;
  Event event;
  event.time = dma.burstEnd;
  event.kind = EventKind::DmaBurst;
  event.target = index;
  machine->schedule(event);
}

void Node::dmaBurstEnded(Picoseconds now) {
  if (!dma.busy || (dma.burst && now != dma.burstEnd)) // aborted
    return;
  uint32_t length = dma.active.description & 0x1fffc;
  if (dma.burst) {
    uint8_t *system =
        chip->memory(dma.active.system + dma.done, dma.burst, /*dma=*/true);
    uint32_t at = dma.active.tcm + dma.done;
    uint8_t *tcm = at < kItcmSize ? &itcm[at] : &dtcm[at - kDtcmBase];
    if (dma.active.description >> 19 & 1) {
      std::memcpy(system, tcm, dma.burst);
    } else {
      std::memcpy(tcm, system, dma.burst);
      cpu.invalidate(at, dma.burst);
    }
    counters.dmaBytes += dma.burst;
    dma.done += dma.burst;
    dma.burst = 0;
    cpu.dtcmWait = 0;
    if (dma.done < length) {
      dmaStart(now);
      return;
    }
  }
  dma.busy = false;
  ++counters.dmaTransfers;
  counters.dmaBusyPs += now - dma.started;
  Event event;
  event.time = now + uint64_t(cpu.timing->dmaDone) * cpu.timing->cpuPeriodPs;
  event.kind = EventKind::DmaDone;
  event.target = index;
  machine->schedule(event);
  if (dma.full) {
    dma.full = false;
    dmaLaunch(dma.queued, now);
  }
}

void Node::dmaDone(Picoseconds now) {
  dma.finished = std::min(dma.finished + 1, 2u);
  updateInterrupts();
  wake(now);
}

bool Node::readDma(uint32_t offset, uint32_t &value) {
  switch (offset) {
  case 0x04: value = dma.pending.system; return true;
  case 0x08: value = dma.pending.tcm; return true;
  case 0x0c: value = dma.pending.description; return true;
  case 0x10: value = 0; return true;
  case 0x14:
    value = uint32_t(dma.busy) | uint32_t(dma.paused) << 1 |
            uint32_t(dma.full) << 2 | uint32_t(dma.finished >= 1) << 10 |
            uint32_t(dma.finished >= 2) << 11 | dma.errors |
            uint32_t(id.core) << 24;
    return true;
  case 0x18: value = dma.gctl; return true;
  case 0x1c: case 0x20: case 0x24: case 0x28: value = 0; return true;
  case 0x104: value = dma.active.system + dma.done; return true;
  case 0x108: value = dma.active.tcm + dma.done; return true;
  case 0x10c: value = dma.active.description; return true;
  default: return offset >= 0x40 && offset < 0x60;
  }
}

bool Node::writeDma(uint32_t offset, uint32_t value) {
  if (offset >= 0x04 && offset <= 0x0c && dma.full)
    return false;
  switch (offset) {
  case 0x04: dma.pending.system = value & ~3u; return true;
  case 0x08: dma.pending.tcm = value & ~3u; return true;
  case 0x0c:
    dma.pending.description = value;
    if (!dma.busy) {
      dmaLaunch(dma.pending, now());
    } else {
      dma.queued = dma.pending;
      dma.full = true;
    }
    return true;
  case 0x10:
    if (value & 1)
      dma.full = false;
    if (value & 2 && dma.busy) {
      dma.busy = false;
      dma.burst = 0;
      dmaFail(kUserAbort);
    }
    if (value & 4 && dma.paused) {
      dma.paused = false;
      dma.errors = 0;
      if (!dma.busy && dma.full) {
        dma.full = false;
        dmaLaunch(dma.queued, now());
      } else if (dma.busy) {
        dma.busy = false; // the failed transfer is given up
      }
    }
    if (value & 8 && dma.finished)
      --dma.finished;
    updateInterrupts();
    return true;
  case 0x18:
    dma.gctl = value;
    updateInterrupts();
    return true;
  case 0x24: case 0x28: return true;
  default: return offset >= 0x40 && offset < 0x200;
  }
}

} // namespace neuroc::rt::spinn
