// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What the device tests ask of their program, and what it reports.
#ifndef NEUROC_TEST_SIM_DEVICES_H
#define NEUROC_TEST_SIM_DEVICES_H
#include <stdint.h>

enum {
  MODE_DMA_READ = 1, // count words from address to DTCM; r[0] cycles
  MODE_DMA_WRITE,
  MODE_DMA_TWO, // two transfers at once: active and queued
  MODE_DMA_BAD, // a transfer from nowhere; r[0] status
  MODE_SEND,    // count packets with keys from key; payload if address
  MODE_RECEIVE, // until count packets came; log of key, payload, time
  MODE_TIMER,   // timer 1 periodic, period address, count interrupts
  MODE_ONESHOT,
  MODE_FREE_RUN,   // counts of timer 2 with all prescalers
  MODE_PRIORITIES, // software interrupts nested by priority
  MODE_FAST,       // software fast interrupt beats the other
  MODE_SLEEP,      // sleeps until woken by the host, then says so
  MODE_LOCK,       // takes a test-and-set lock, counts up a shared word
  MODE_STREAM,     // DMA without end: count transfers of address... (bandwidth)
  MODE_USER,       // the system controller from user mode
};
struct Io {
  uint32_t mode, count, address, key;
  volatile uint32_t r[16];
  volatile uint32_t log[3 * 300];
};
#endif
