// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Exercises the peripherals of a core; one mode for each test.
#include "Devices.h"

#define REG(a) (*(volatile uint32_t *)(a))
#define CC 0x10000000u
#define TIMER1 0x11000000u
#define TIMER2 0x11000020u
#define VIC 0x1f000000u
#define DMA 0x30000000u
#define SYSTEM 0xf2000000u

struct Io io;
uint32_t buffer[4096];
static volatile uint32_t order;

static uint32_t now(void) { return ~REG(TIMER2 + 4); }
static void clockOn(void) {
  REG(TIMER2) = ~0u;
  REG(TIMER2 + 8) = 0x82;
}
static void admit(void) { __asm__ volatile("msr cpsr_c, #0x13" ::: "memory"); }
static void sleep(void) {
  __asm__ volatile("mcr p15, 0, %0, c7, c0, 4" ::"r"(0) : "memory");
}

static void transfer(uint32_t system, void *tcm, uint32_t words, int write) {
  REG(DMA + 4) = system;
  REG(DMA + 8) = (uint32_t)tcm;
  REG(DMA + 12) = 1u << 24 | 4u << 21 | (uint32_t)write << 19 | words * 4;
}
static void awaitDma(void) {
  while (!(REG(DMA + 0x14) & (1u << 10 | 0x1e000)))
    ;
  REG(DMA + 0x10) = 8;
}

static void dma(int write) {
  uint32_t from = now();
  transfer(io.address, buffer, io.count, write);
  awaitDma();
  io.r[0] = now() - from;
}

static void dmaTwo(void) {
  transfer(io.address, buffer, io.count, 0);
  transfer(io.address + io.count * 4, buffer + io.count, io.count, 0);
  io.r[0] = REG(DMA + 0x14); // one active, one queued
  while (!(REG(DMA + 0x14) & 1u << 11))
    ;
  io.r[1] = REG(DMA + 0x14);
  REG(DMA + 0x10) = 8;
  io.r[2] = REG(DMA + 0x14);
  REG(DMA + 0x10) = 8;
  io.r[3] = REG(DMA + 0x14);
}

static void dmaBad(void) {
  transfer(0x90000000, buffer, 4, 0);
  awaitDma();
  io.r[0] = REG(DMA + 0x14);
  REG(DMA + 0x10) = 4; // restart: gives the transfer up
  io.r[1] = REG(DMA + 0x14);
  transfer(io.address, (void *)0x00500000, 4, 0);
  awaitDma();
  io.r[2] = REG(DMA + 0x14);
}

static void send(void) {
  REG(CC) = 0;
  for (uint32_t i = 0; i < io.count; ++i) {
    while (!(REG(CC) & 1u << 28))
      ;
    if (io.address)
      REG(CC + 4) = 0x1000 + i;
    REG(CC + 8) = io.key + i;
  }
  io.r[0] = REG(CC);
}

static void receive(void) {
  for (uint32_t i = 0; i < io.count; ++i) {
    while (!(REG(CC + 12) & 1u << 31))
      ;
    uint32_t payload = REG(CC + 16);
    io.log[3 * i] = REG(CC + 20);
    io.log[3 * i + 1] = payload;
    io.log[3 * i + 2] = now();
  }
}

static void __attribute__((interrupt("IRQ"))) onTimer(void) {
  uint32_t vector = REG(0xfffff030); // idempotent here: our own slot
  (void)vector;
  if (order < 16)
    io.r[order] = now();
  ++order;
  REG(TIMER1 + 12) = 0;
  REG(VIC + 0x30) = 0;
  REG(VIC + 0x30) = 0;
}

static void timer(uint32_t control) {
  REG(VIC + 0x100) = (uint32_t)onTimer;
  REG(VIC + 0x200) = 0x20 | 4;
  REG(VIC + 0x10) = 1u << 4;
  admit();
  REG(TIMER1) = io.address;
  io.log[0] = now();
  REG(TIMER1 + 8) = control;
  while (order < io.count)
    sleep();
  io.log[1] = REG(TIMER1 + 4);
  io.log[2] = REG(TIMER1 + 8);
}

static void freeRun(void) {
  for (uint32_t scale = 0; scale < 3; ++scale) {
    REG(TIMER1 + 8) = 0;
    REG(TIMER1) = 1000000;
    REG(TIMER1 + 8) = 0x82 | scale << 2;
    uint32_t from = now(), at = REG(TIMER1 + 4);
    while (now() - from < 25600)
      ;
    io.r[scale] = at - REG(TIMER1 + 4);
  }
  REG(TIMER1 + 8) = 0;
  REG(TIMER1) = 5;
  REG(TIMER1 + 8) = 0x80; // 16 bits: wraps to 65535
  while (!REG(TIMER1 + 16))
    ;
  io.r[3] = REG(TIMER1 + 4);
}

// The low-priority handler raises the high-priority source and lets it in.
static void __attribute__((interrupt("IRQ"))) onHigh(void) {
  io.log[order++] = 2;
  REG(VIC + 0x1c) = 1u << 2;
  REG(VIC + 0x30) = 0;
}
static void __attribute__((interrupt("IRQ"))) onLow(void) {
  io.log[order++] = 1;
  REG(VIC + 0x1c) = 1u << 1;
  io.r[0] = REG(VIC);
  REG(VIC + 0x18) = 1u << 3; // lower still: must wait
  REG(VIC + 0x18) = 1u << 2; // higher: is waiting when we leave
  io.log[order++] = 3;
  REG(VIC + 0x30) = 0;
}
static void __attribute__((interrupt("IRQ"))) onLowest(void) {
  io.log[order++] = 4;
  REG(VIC + 0x1c) = 1u << 3;
  REG(VIC + 0x30) = 0;
}
void __attribute__((interrupt("FIQ"))) fast_handler(void) {
  io.log[order++] = 9;
  REG(VIC + 0x1c) = 1u << 2;
}

static void priorities(int fast) {
  REG(VIC + 0x100) = (uint32_t)onHigh;
  REG(VIC + 0x200) = 0x20 | 2;
  REG(VIC + 0x104) = (uint32_t)onLow;
  REG(VIC + 0x204) = 0x20 | 1;
  REG(VIC + 0x34) = (uint32_t)onLowest; // default vector
  if (fast)
    REG(VIC + 0x0c) = 1u << 2;
  REG(VIC + 0x10) = 0xe;
  if (fast)
    REG(VIC + 0x18) = 1u << 2;
  REG(VIC + 0x18) = 1u << 1;
  admit();
  while (order < (fast ? 5 : 4))
    ;
}

static void lock(void) {
  volatile uint32_t *shared = (volatile uint32_t *)io.address;
  for (uint32_t i = 0; i < io.count; ++i) {
    while (REG(SYSTEM + 0x100) & 0x80000000u)
      ;
    *shared = *shared + 1;
    (void)REG(SYSTEM + 0x180);
  }
}

static void stream(void) {
  uint32_t from = now();
  for (uint32_t i = 0; i < io.count; ++i) {
    transfer(io.address, buffer, 1024, 0);
    awaitDma();
  }
  io.r[0] = now() - from;
}

unsigned test_main(void) {
  clockOn();
  REG(DMA + 0x18) = 0xc00;
  switch (io.mode) {
  case MODE_DMA_READ: dma(0); break;
  case MODE_DMA_WRITE: dma(1); break;
  case MODE_DMA_TWO: dmaTwo(); break;
  case MODE_DMA_BAD: dmaBad(); break;
  case MODE_SEND: send(); break;
  case MODE_RECEIVE: receive(); break;
  case MODE_TIMER: timer(0xe2); break;
  case MODE_ONESHOT: timer(0xa3); break;
  case MODE_FREE_RUN: freeRun(); break;
  case MODE_PRIORITIES: priorities(0); break;
  case MODE_FAST: priorities(1); break;
  case MODE_SLEEP:
    REG(VIC + 0x10) = 1u << 18;
    sleep();
    io.r[0] = REG(SYSTEM + 0x64); // who sleeps
    REG(SYSTEM + 0x0c) = 0x5ec00000u | 1u << (REG(DMA + 0x14) >> 24 & 31);
    io.r[1] = REG(VIC + 8) >> 18 & 1;
    break;
  case MODE_LOCK: lock(); break;
  case MODE_STREAM: stream(); break;
  case MODE_USER:
    __asm__ volatile("msr cpsr_c, #0xd0");
    io.r[0] = REG(SYSTEM);
    break;
  default: break;
  }
  return 0;
}
