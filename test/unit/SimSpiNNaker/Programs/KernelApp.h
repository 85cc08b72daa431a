// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Data that the kernel's test program shares with the host.
#ifndef NEUROC_TEST_SIM_KERNELAPP_H
#define NEUROC_TEST_SIM_KERNELAPP_H
#include <stdint.h>

struct KernelApp {
  uint32_t spikeKey, spikeUnits, spikeLevel;
  uint32_t valueKey, valueLevel;
  uint32_t relay;    // key: in level 1 send inbox[0] + 1
  uint32_t work;     // loop iterations in each level
  uint32_t readFrom; // SDRAM word to count up at the end of each tick
  uint32_t draw, crash;
};
struct KernelSeen {
  uint32_t starts, ends, calls, callTick, rows, rowHandler, random, scratch;
  uint32_t levelRuns[4];
  uint32_t atLevel[64][4];
  uint32_t atEnd[64];
  uint32_t rowTick[64];
  uint32_t sums[64];
};
#endif
