// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Stands in for generated code in the tests of the kernel: what it does in
// each level is set by the host in `app`, what it saw is left in `seen`.
#include "neuroc/rt/spinn/CoreAbi.h"
#include "KernelApp.h"

struct KernelApp app;
struct KernelSeen seen;
neuroc_spinn_source sources[16]
    __asm__("neuroc_core_sources") = {{0xffffffff, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}};
neuroc_spinn_record neuroc_core_records[4];
int32_t inbox[64];
uint32_t state[64];
uint32_t indexTable[64];

void neuroc_core_start(void) {
  seen.starts++;
  __asm__ volatile("" ::"r"(indexTable)); // the host fills it
}

void neuroc_core_level(uint32_t level, uint32_t tick) {
  if (level < 4)
    seen.levelRuns[level]++;
  seen.atLevel[tick & 63][level & 3] = (uint32_t)inbox[0];
  for (volatile uint32_t i = 0; i < app.work; ++i)
    ;
  if (level == app.spikeLevel)
    for (uint32_t unit = 0; unit < app.spikeUnits; ++unit)
      neuroc_kernel_send_spike(app.spikeKey + (unit << 2));
  if (level == app.valueLevel && app.valueKey)
    neuroc_kernel_send_value(app.valueKey, (int32_t)(1000 * tick) - 5);
  if (app.relay && level == 1)
    neuroc_kernel_send_value(app.relay, inbox[0] + 1);
}

void neuroc_core_row(uint32_t handler, const uint32_t *row, uint32_t words,
                     uint32_t tick) {
  seen.rows++;
  seen.rowHandler = handler;
  seen.rowTick[tick & 63]++;
  for (uint32_t i = 0; i < words; ++i)
    seen.sums[row[i] & 63] += row[i] >> 16;
}

void neuroc_core_end(uint32_t tick) {
  seen.ends++;
  seen.atEnd[tick & 63] = (uint32_t)inbox[0];
  state[0] = tick;
  state[1] = (uint32_t)inbox[0];
  state[2] |= 1u << (tick & 31);
  if (app.readFrom) {
    neuroc_kernel_read(&seen.scratch, app.readFrom, 4);
    seen.scratch += 1;
    neuroc_kernel_write(app.readFrom, &seen.scratch, 4);
  }
  if (app.draw)
    seen.random = neuroc_kernel_random_word(1, 2, 3, tick, 5);
  if (app.crash)
    *(volatile uint32_t *)0x50000000 = 1;
}

void neuroc_core_call(uint32_t plastic, uint32_t tick) {
  seen.calls |= 1u << plastic;
  seen.callTick = tick;
}
