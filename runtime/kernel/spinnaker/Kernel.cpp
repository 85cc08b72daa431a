// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The main loop of an application core. Packets are queued by the fast
// interrupt handler (Start.S); everything else is polled here, in this order:
// serve packets and fetched rows; at the deadline of a sub-tick run its work;
// otherwise sleep. Deadlines are counted with the free-running timer 2, so a
// core that is late runs every sub-tick all the same; timer 1 only wakes it.
//
// Rows are fetched by DMA into two buffers: while one row is served the next is
// under way. A packet carries the low bits of the tick in which it was sent
// (its colour): one from a tick that this core has not reached is set aside,
// one from the past is checked against the delay it still has.

#include "neuroc/rt/Random.h"
#include "neuroc/rt/spinn/CoreAbi.h"

namespace {

using Source = neuroc_spinn_source;
using Record = neuroc_spinn_record;

// Registers (buffered aliases where only writing matters).
volatile uint32_t &reg(uint32_t address) {
  return *reinterpret_cast<volatile uint32_t *>(address);
}
constexpr uint32_t kComms = 0x10000000, kCommsWrite = 0x20000000;
constexpr uint32_t kTxStatus = 0x00, kTxData = 0x04, kTxKey = 0x08;
constexpr uint32_t kTxNotFull = 1u << 28;
constexpr uint32_t kTimer1 = 0x11000000, kTimer2 = 0x11000020;
constexpr uint32_t kVic = 0x1f000000;
constexpr uint32_t kDma = 0x30000000, kDmaWrite = 0x40000000;
constexpr uint32_t kSystem = 0xf2000000;
constexpr uint32_t kSourceTimer1 = 1u << 4, kSourceRx = 1u << 6,
                   kSourceDma = 1u << 12, kSourceHost = 1u << 18;

constexpr uint32_t kRingEntries = 256, kRingMask = kRingEntries * 8 - 1;
constexpr uint32_t kAsideEntries = 64;
/// A sub-tick that starts this many cycles after its deadline is an overrun:
/// the work before it was not finished. Less is waking up.
constexpr int32_t kLateStart = 200;

/// A row on its way into a buffer.
struct Fetch {
  uint32_t handler, words, tick, sequence;
};

struct Waiting {
  uint32_t key, payload;
};

struct State {
  uint32_t deadline;   ///< of the next sub-tick, in time of timer 2
  uint32_t submitted, completed; ///< DMA transfers
  uint32_t issued, served;       ///< rows, modulo 2^32
  const Source *recent;          ///< group that matched last
  uint32_t slot;       ///< a time at which this core may send
  uint32_t idle;       ///< cycles asleep since `mark`
  uint32_t mark;
  uint32_t lostSeen;
  uint32_t asideCount;
  uint32_t begun;      ///< sub-ticks of this tick whose work has begun
  uint32_t serving;    ///< inside serve or a poll
  uint32_t core;
  Fetch fetch[2];
};

State state;
uint32_t rows[2][NEUROC_SPINN_MAX_ROW_WORDS];
Waiting aside[kAsideEntries];

neuroc_spinn_counters &counters() { return neuroc_control.counters; }

uint32_t now() { return ~reg(kTimer2 + 4); }

void maskPackets() { asm volatile("msr cpsr_c, #0xd3" ::: "memory"); }
void admitPackets() { asm volatile("msr cpsr_c, #0x93" ::: "memory"); }
void waitForInterrupt() {
  asm volatile("mcr p15, 0, %0, c7, c0, 4" ::"r"(0) : "memory");
}

} // namespace

extern "C" {
neuroc_spinn_control neuroc_control
    __attribute__((section(".neuroc.control"), used));

/// Shared with Start.S.
struct NeurocRing {
  Waiting entries[kRingEntries];
  volatile uint32_t read, write, lost;
} neuroc_ring;
}
static_assert(__builtin_offsetof(NeurocRing, read) == 0x800, "Start.S");
static_assert(__builtin_offsetof(neuroc_spinn_control, status) == 8 &&
                  __builtin_offsetof(neuroc_spinn_control, fault) == 12,
              "Start.S");

namespace {

[[noreturn]] void stop(uint32_t status, uint32_t where) {
  neuroc_control.fault = where;
  neuroc_control.status = status;
  reg(kVic + 0x14) = ~0u;
  for (;;)
    waitForInterrupt();
}

// ---- DMA ----

/// Takes note of finished transfers. Each completion is acknowledged once.
void harvest() {
  uint32_t status = reg(kDma + 0x14);
  if (status & 0x1e000)
    stop(NEUROC_SPINN_FAULT, reg(kDma + 0x104));
  if (status & 1u << 10) {
    reg(kDmaWrite + 0x10) = 8;
    ++state.completed;
    if (status & 1u << 11) {
      reg(kDmaWrite + 0x10) = 8;
      ++state.completed;
    }
  }
}

bool finished(uint32_t sequence) {
  return int32_t(state.completed - sequence) > 0;
}

/// Starts a transfer, when the hardware has room; returns its number.
uint32_t submit(uint32_t system, uint32_t tcm, uint32_t bytes, uint32_t write) {
  while (state.submitted - state.completed >= 2)
    harvest();
  reg(kDmaWrite + 0x04) = system;
  reg(kDmaWrite + 0x08) = tcm;
  // Double words, bursts of 16 beats.
  reg(kDmaWrite + 0x0c) = 1u << 24 | 4u << 21 | write << 19 | bytes;
  ++counters().dma_transfers;
  return state.submitted++;
}

void await(uint32_t sequence) {
  while (!finished(sequence))
    harvest();
}

// ---- Rows ----

void serveRow(uint32_t handler, const uint32_t *row, uint32_t words,
              uint32_t tick) {
  ++counters().rows;
  neuroc_core_row(handler, row, words, tick);
}

/// Serves the oldest fetched row; its transfer has finished.
void serveFetched() {
  uint32_t buffer = state.served & 1;
  const Fetch fetch = state.fetch[buffer];
  const uint32_t *row = rows[buffer];
  uint32_t words = fetch.words;
  if (words & 0x80000000u) { // with a length word
    words = *row++;
  }
  if (words)
    serveRow(fetch.handler, row, words, fetch.tick);
  ++state.served;
}

void fetchRow(uint32_t handler, uint32_t address, uint32_t words,
              bool lengthWord, uint32_t tick) {
  if (state.issued - state.served == 2) {
    await(state.fetch[state.served & 1].sequence);
    serveFetched();
  }
  uint32_t buffer = state.issued & 1;
  Fetch &fetch = state.fetch[buffer];
  fetch.handler = handler;
  fetch.words = lengthWord ? 0x80000000u : words;
  fetch.tick = tick;
  fetch.sequence = submit(address, uint32_t(rows[buffer]), words * 4, 0);
  ++state.issued;
}

// ---- Packets ----

/// The first entry of the group that the key belongs to, or null.
const Source *find(uint32_t key) {
  const Source *recent = state.recent;
  if ((key & recent->mask) == recent->key)
    return recent;
  const Source *low = neuroc_core_sources;
  uint32_t count = neuroc_control.num_sources;
  // The last entry whose key is not above.
  while (count > 1) {
    uint32_t half = count >> 1;
    if (low[half].key <= key)
      low += half;
    count -= half;
  }
  if ((key & low->mask) != low->key)
    return nullptr;
  while (low != neuroc_core_sources && low[-1].key == low->key)
    --low;
  state.recent = low;
  return low;
}

void deliverTo(const Source &source, uint32_t unit, uint32_t payload,
               uint32_t age) {
  uint32_t tick = neuroc_control.tick, sent = tick - age;
  bool passed = source.level < state.begun;
  if (age > source.delay || (age == source.delay && passed)) [[unlikely]] {
    ++counters().packets_late;
    sent = tick + passed - source.delay;
  }
  if (source.kind != NEUROC_SPINN_ROWS) {
    int32_t *data = reinterpret_cast<int32_t *>(source.data);
    data[unit] = source.kind == NEUROC_SPINN_VALUE ? int32_t(payload) : 1;
    return;
  }
  uint32_t address = source.data, words;
  if (source.index) {
    uint32_t entry = reinterpret_cast<const uint32_t *>(source.index)[unit];
    words = entry & 511;
    if (!words)
      return;
    address += (entry >> 9) * 4;
  } else {
    words = source.stride;
    address += unit * words * 4;
  }
  if (address >= NEUROC_SPINN_SDRAM_BASE) {
    fetchRow(source.handler, address, words, !source.index, sent);
    return;
  }
  const uint32_t *row = reinterpret_cast<const uint32_t *>(address);
  if (!source.index)
    words = *row++;
  if (words)
    serveRow(source.handler, row, words, sent);
}

void deliver(uint32_t key, uint32_t payload) {
  // 0: this tick; 3 and 2: one and two ticks ago; 1: the next tick.
  uint32_t ahead = (key - neuroc_control.tick) & NEUROC_SPINN_COLOUR_MASK;
  if (ahead == 1) [[unlikely]] {
    if (state.asideCount == kAsideEntries) {
      ++counters().packets_lost;
      return;
    }
    aside[state.asideCount++] = {key, payload};
    return;
  }
  const Source *source =
      neuroc_control.num_sources ? find(key & ~NEUROC_SPINN_COLOUR_MASK)
                                 : nullptr;
  if (!source) {
    ++counters().packets_unmatched;
    return;
  }
  uint32_t unit = (key & ~source->mask) >> NEUROC_SPINN_COLOUR_BITS;
  uint32_t age = ahead ? 4 - ahead : 0;
  for (;; ++source) {
    if (unit < source->units)
      deliverTo(*source, unit, payload, age);
    else
      ++counters().packets_unmatched;
    if (!source->more)
      return;
  }
}

uint32_t ringFill() {
  return (neuroc_ring.write - neuroc_ring.read) & kRingMask;
}

/// Packets of a tick that has now begun.
void deliverAside() {
  uint32_t count = state.asideCount;
  state.asideCount = 0;
  for (uint32_t i = 0; i < count; ++i)
    deliver(aside[i].key, aside[i].payload);
}

void sleep(bool untilRow);

/// Delivers the next packet of the ring, of which `fill` bytes are taken.
void deliverNext(uint32_t fill) {
  uint32_t read = neuroc_ring.read;
  fill >>= 3;
  if (fill > counters().queue_peak)
    counters().queue_peak = fill;
  Waiting packet = neuroc_ring.entries[read >> 3];
  neuroc_ring.read = (read + 8) & kRingMask;
  ++counters().packets_received;
  deliver(packet.key, packet.payload);
}

/// Serves packets and rows until none is left.
void serve() {
  state.serving = 1;
  for (;;) {
    uint32_t fill = ringFill();
    uint32_t inFlight = state.issued - state.served;
    if (fill && inFlight < 2) {
      deliverNext(fill);
    } else if (inFlight) {
      if (!finished(state.fetch[state.served & 1].sequence))
        harvest();
      if (finished(state.fetch[state.served & 1].sequence))
        serveFetched();
      else
        sleep(/*untilRow=*/true);
    } else {
      uint32_t lost = neuroc_ring.lost;
      counters().packets_lost += lost - state.lostSeen;
      state.lostSeen = lost;
      state.serving = 0;
      return;
    }
  }
}

/// What can be done without waiting.
void poll() {
  state.serving = 1;
  for (;;) {
    uint32_t fill = ringFill();
    uint32_t inFlight = state.issued - state.served;
    if (inFlight) {
      uint32_t sequence = state.fetch[state.served & 1].sequence;
      if (!finished(sequence))
        harvest();
      if (finished(sequence)) {
        serveFetched();
        continue;
      }
    }
    if (!fill || inFlight == 2)
      break;
    deliverNext(fill);
  }
  state.serving = 0;
}

/// Sleeps until a packet, the timer, a transfer or the host. Packets are masked
/// while we look, so that none slips in between; the core wakes all the same.
void sleep(bool untilRow) {
  uint32_t from = now();
  maskPackets();
  if (untilRow ? state.issued - state.served == 2 || ringFill() == 0
               : ringFill() == 0)
    waitForInterrupt();
  admitPackets();
  state.idle += now() - from;
}

// ---- Ticks ----

bool recordDue(const Record &record, uint32_t tick) {
  uint32_t every = record.every;
  if (every == 1)
    return true;
  if ((every & (every - 1)) == 0)
    return (tick & (every - 1)) == 0;
  return tick % every == 0;
}

void writeRecords(uint32_t tick) {
  uint32_t last = state.submitted - 1;
  for (uint32_t i = 0; i < neuroc_control.num_records; ++i) {
    Record &record = neuroc_core_records[i];
    if (recordDue(record, tick)) {
      if (record.count < record.capacity) {
        uint32_t bytes = record.words * 4;
        last = submit(record.base + record.count * bytes, record.source, bytes,
                      1);
        ++record.count;
      } else {
        ++record.lost;
      }
    }
    if (record.clear) {
      await(last);
      uint32_t *to = reinterpret_cast<uint32_t *>(record.source);
      for (uint32_t w = 0; w < record.words; ++w)
        to[w] = 0;
    }
  }
  await(last);
}

void accountTick(uint32_t tick) {
  uint32_t at = now();
  uint32_t busy = at - state.mark - state.idle;
  state.mark = at;
  state.idle = 0;
  neuroc_spinn_counters &c = counters();
  if (busy > c.busy_peak) {
    c.busy_peak = busy;
    c.busy_peak_tick = tick;
  }
  c.busy_low += busy;
  if (c.busy_low < busy)
    ++c.busy_high;
}

/// The work of one sub-tick.
void runSubtick() {
  neuroc_spinn_control &control = neuroc_control;
  uint32_t tick = control.tick, subtick = control.subtick;
  state.begun = subtick + 1;
  if (subtick < control.levels)
    neuroc_core_level(subtick, tick);
  if (subtick + 1 < control.subticks) {
    control.subtick = subtick + 1;
    return;
  }
  neuroc_core_end(tick);
  writeRecords(tick);
  control.subtick = 0;
  control.tick = tick + 1;
  state.begun = 0;
  accountTick(tick);
  if (state.asideCount)
    deliverAside();
}

void runTicks() {
  neuroc_spinn_control &control = neuroc_control;
  reg(kTimer1 + 0x08) = 0;
  reg(kTimer1 + 0x0c) = 0;
  reg(kTimer1 + 0x00) = control.period + control.phase;
  reg(kTimer1 + 0x18) = control.period;
  reg(kTimer1 + 0x08) = 0xe2; // periodic, with interrupt, 32 bits
  state.mark = now();
  state.deadline = state.mark + control.period + control.phase;
  state.idle = 0;
  for (;;) {
    serve();
    int32_t late = int32_t(now() - state.deadline);
    if (late < 0) {
      sleep(/*untilRow=*/false);
      continue;
    }
    reg(kTimer1 + 0x0c) = 0;
    if (control.subtick == 0 && control.tick == control.run_until)
      break;
    if (late > kLateStart)
      ++counters().overruns;
    state.slot = state.deadline + control.slot;
    runSubtick();
    state.deadline += control.period;
  }
  reg(kTimer1 + 0x08) = 0;
  reg(kTimer1 + 0x0c) = 0;
}

} // namespace

// ---- For generated code ----

/// Delivers what is queued, unless this very call comes from a delivery.
static inline void pollIfDue() {
  if ((ringFill() || state.issued != state.served) && !state.serving)
    poll();
}

/// Waits until the next packet may go.
static inline void waitToSend() {
  // Senders that share receivers have slots that interleave: each is a fixed
  // distance after the timer, which `slot` sets apart.
  if (uint32_t gap = neuroc_control.send_gap) {
    uint32_t slot = state.slot;
    while (int32_t(now() - slot) >= 0)
      slot += gap;
    while (int32_t(now() - slot) < 0)
      pollIfDue();
    state.slot = slot;
  }
  while (!(reg(kComms + kTxStatus) & kTxNotFull))
    pollIfDue();
}

static inline void launch(uint32_t key) {
  reg(kCommsWrite + kTxKey) =
      key | (neuroc_control.tick & NEUROC_SPINN_COLOUR_MASK);
}

extern "C" void neuroc_kernel_send_spike(uint32_t key) {
  waitToSend();
  launch(key);
  ++counters().spikes_sent;
}

extern "C" void neuroc_kernel_send_value(uint32_t key, int32_t value) {
  waitToSend();
  reg(kCommsWrite + kTxData) = uint32_t(value);
  launch(key);
  ++counters().values_sent;
}

extern "C" void neuroc_kernel_poll() { pollIfDue(); }

static void transferAndWait(uint32_t sdram, uint32_t tcm, uint32_t bytes,
                            uint32_t write) {
  uint32_t sequence = submit(sdram, tcm, bytes, write);
  while (!finished(sequence)) {
    pollIfDue();
    harvest();
  }
}

extern "C" void neuroc_kernel_read(void *to, uint32_t sdram, uint32_t bytes) {
  transferAndWait(sdram, reinterpret_cast<uint32_t>(to), bytes, 0);
}

extern "C" void neuroc_kernel_write(uint32_t sdram, const void *from,
                                    uint32_t bytes) {
  transferAndWait(sdram, reinterpret_cast<uint32_t>(from), bytes, 1);
}

extern "C" uint32_t neuroc_kernel_random_word(uint32_t keyLow, uint32_t keyHigh,
                                              uint32_t entity, uint32_t tick,
                                              uint32_t draw) {
  return neuroc_rt_word(uint64_t(keyHigh) << 32 | keyLow, entity, tick, draw);
}

extern "C" int32_t
neuroc_kernel_random_normal(uint32_t keyLow, uint32_t keyHigh, uint32_t entity,
                            uint32_t tick, uint32_t draw) {
  return neuroc_rt_normal_sum(uint64_t(keyHigh) << 32 | keyLow, entity, tick,
                              draw);
}

extern "C" void neuroc_kernel_main() {
  neuroc_spinn_control &control = neuroc_control;
  reg(kVic + 0x14) = ~0u; // all sources off
  if (control.magic != NEUROC_SPINN_MAGIC ||
      control.abi != NEUROC_SPINN_ABI_VERSION)
    stop(NEUROC_SPINN_BAD_ABI, 0);
  state.core = reg(kDma + 0x14) >> 24 & 31;
  state.recent = neuroc_core_sources;
  reg(kTimer2 + 0x00) = 0xffffffff;
  reg(kTimer2 + 0x08) = 0x82; // free-running, 32 bits, no interrupt
  reg(kDma + 0x18) = 0xc00;   // completion interrupts
  reg(kComms + kTxStatus) = 0; // multicast
  reg(kVic + 0x0c) = kSourceRx; // packets by fast interrupt
  reg(kVic + 0x10) = kSourceRx | kSourceTimer1 | kSourceDma | kSourceHost;
  admitPackets();
  neuroc_core_start();
  control.status = NEUROC_SPINN_PAUSED;
  for (;;) {
    while (!(reg(kVic + 0x08) & kSourceHost)) {
      serve();
      sleep(/*untilRow=*/false);
    }
    control.status = NEUROC_SPINN_RUNNING;
    reg(kSystem + 0x0c) = 0x5ec00000u | 1u << state.core;
    for (uint32_t plastic = 0; plastic < 32; ++plastic)
      if (control.call_mask >> plastic & 1)
        neuroc_core_call(plastic, control.tick);
    control.call_mask = 0;
    if (control.tick != control.run_until)
      runTicks();
    control.status = NEUROC_SPINN_PAUSED;
  }
}
