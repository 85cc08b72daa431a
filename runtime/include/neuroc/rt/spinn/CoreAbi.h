/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * What three parties agree on about one SpiNNaker application core: the
 * compiler (which generates the network's code and tables), the freestanding
 * kernel that is linked with them, and the host engine that loads, starts,
 * pauses and reads the core. Plain C99; every struct is made of 32-bit words
 * (little-endian on the machine) and its size is asserted below. Changing
 * anything here means raising NEUROC_SPINN_ABI_VERSION.
 *
 * Time. A network tick is `subticks` timer periods. In sub-tick k < levels the
 * core runs neuroc_core_level(k, tick). The end-of-tick work
 * neuroc_core_end(tick) and the recording run in a sub-tick of their own
 * (subticks == levels + 1) or directly after the last level
 * (subticks == levels). Before the work of a sub-tick starts, the core
 * finishes every packet and row that arrived before it.
 *
 * Packets. Unit i of a share sends key = base + (i << NEUROC_SPINN_COLOUR_BITS)
 * | (tick & NEUROC_SPINN_COLOUR_MASK): without payload for a spike, with the
 * fixed-point value as payload for a graded signal. The colour tells the
 * receiver in which tick a late or early packet was sent.
 */
#ifndef NEUROC_RT_SPINN_COREABI_H
#define NEUROC_RT_SPINN_COREABI_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define NEUROC_SPINN_MAGIC 0x4e525331u /* "1SRN" in memory */
#define NEUROC_SPINN_ABI_VERSION 1u

/* Memory of one core and the fixed place of the control block. */
#define NEUROC_SPINN_ITCM_BASE 0x00000000u
#define NEUROC_SPINN_ITCM_SIZE 0x00008000u
#define NEUROC_SPINN_DTCM_BASE 0x00400000u
#define NEUROC_SPINN_DTCM_SIZE 0x00010000u
#define NEUROC_SPINN_STACK_SIZE 0x00000800u /* top of DTCM, all modes */
#define NEUROC_SPINN_CONTROL_ADDRESS NEUROC_SPINN_DTCM_BASE
#define NEUROC_SPINN_SDRAM_BASE 0x60000000u

#define NEUROC_SPINN_COLOUR_BITS 2
#define NEUROC_SPINN_COLOUR_MASK 3u

/* Longest row in words that the kernel's fetch buffers hold (two buffers). */
#define NEUROC_SPINN_MAX_ROW_WORDS 256u

/* Status of the core, written by the kernel, read by the host. */
enum {
  NEUROC_SPINN_RESET = 0,   /* not started yet */
  NEUROC_SPINN_PAUSED = 1,  /* tick == run_until, all work done, waiting */
  NEUROC_SPINN_RUNNING = 2,
  NEUROC_SPINN_BAD_ABI = 3, /* magic or version of the control block differ */
  NEUROC_SPINN_FAULT = 4    /* abort or undefined instruction; see `fault` */
};

/* Counters, all zeroed by the host before a run and never by the kernel.
 * Those marked (k) are kept by the kernel, (g) by generated code. */
typedef struct neuroc_spinn_counters {
  uint32_t spikes_sent;      /* k: packets without payload */
  uint32_t values_sent;      /* k: packets with payload */
  uint32_t packets_received; /* k */
  uint32_t packets_unmatched;/* k: no source entry has the key */
  uint32_t packets_late;     /* k: served after the level that reads what it
                                   brings had begun (see `level` below) */
  uint32_t packets_lost;     /* k: the receive queue was full */
  uint32_t queue_peak;       /* k: most packets waiting */
  uint32_t rows;             /* k: rows given to neuroc_core_row */
  uint32_t dma_transfers;    /* k */
  uint32_t synaptic_events;  /* g: synapses served, modulo 2^32 */
  uint32_t saturations;      /* g: results clipped to their format */
  uint32_t overruns;         /* k: a sub-tick's timer fired while the work of
                                   the one before was not finished */
  uint32_t busy_peak;        /* k: cycles of the busiest tick (awake) */
  uint32_t busy_peak_tick;   /* k: which tick that was */
  uint32_t busy_low;         /* k: cycles awake in all, low and high word */
  uint32_t busy_high;
  uint32_t reserved[4];
} neuroc_spinn_counters;

/* At NEUROC_SPINN_CONTROL_ADDRESS, section ".neuroc.control"; defined by the
 * kernel as `neuroc_control`, filled by the loader from the program. */
typedef struct neuroc_spinn_control {
  uint32_t magic;      /* NEUROC_SPINN_MAGIC, compiler */
  uint32_t abi;        /* NEUROC_SPINN_ABI_VERSION, compiler */
  uint32_t status;     /* kernel */
  uint32_t fault;      /* kernel: program counter of a fault */
  uint32_t tick;       /* kernel: the tick being run (PAUSED: next to run) */
  uint32_t run_until;  /* host: pause before running this tick */
  uint32_t levels;     /* L >= 1 */
  uint32_t subticks;   /* L or L + 1 */
  uint32_t period;     /* timer 1 load: CPU cycles of a sub-tick */
  uint32_t phase;      /* cycles by which this core's work in a sub-tick is put
                          off after the timer, to spread bursts; 0: none */
  uint32_t num_sources;
  uint32_t num_records;
  uint32_t call_mask;  /* host: bit p: run neuroc_core_call(p) once on resume,
                          before the next tick; the kernel clears it. With
                          run_until == tick the core runs only the calls */
  uint32_t plastic_mask; /* host: bit p: plastic p learns; generated code tests */
  uint32_t sdram_low;  /* first and last+1 address of the core's SDRAM share */
  uint32_t sdram_high;
  uint32_t subtick;    /* kernel: the sub-tick being run */
  uint32_t send_gap;   /* 0: packets go as they come. Else each waits for its
                          time: the start of the sub-tick plus `slot` plus a
                          multiple of send_gap, in cycles. Senders that share
                          receivers have different slots and so take turns. The
                          kernel polls while it waits */
  uint32_t slot;
  uint32_t reserved[1];
  neuroc_spinn_counters counters;
} neuroc_spinn_control;

/* What arrives from one share of a source. The table is sorted by key; entries
 * with the same key and mask follow each other and all but the last have
 * `more` set (one packet serves several projections). `key`/`mask` do not
 * compare colour and unit bits: unit = (packet & ~mask) >> COLOUR_BITS. */
enum {
  NEUROC_SPINN_VALUE = 0, /* graded: ((int32_t *)data)[unit] = payload */
  NEUROC_SPINN_FLAG = 1,  /* spike: ((int32_t *)data)[unit] = 1; generated code
                             clears the array in neuroc_core_end */
  NEUROC_SPINN_ROWS = 2   /* spike: fetch the unit's row, hand it over */
};
typedef struct neuroc_spinn_source {
  uint32_t key;
  uint32_t mask;
  uint32_t units;   /* number of units; a greater unit number is unmatched */
  uint32_t kind;
  uint32_t more;
  uint32_t data;    /* VALUE, FLAG: address in DTCM. ROWS: address of the rows
                       (SDRAM, or DTCM: then no transfer) */
  uint32_t index;   /* ROWS: 0, or DTCM address of one word per unit: first
                       word of the row from `data` << 9 | words (0: no row) */
  uint32_t stride;  /* ROWS without index: words from row to row; word 0 of the
                       row is then the number of synapse words that follow */
  uint32_t handler; /* ROWS: first argument of neuroc_core_row */
  uint32_t delay;   /* ROWS: shortest delay in ticks; VALUE, FLAG: 0 */
  uint32_t level;   /* first level of the receiving core that reads what this
                       entry delivers: a packet of tick n served after that
                       level of tick n + delay has begun counts as late. A late
                       row is served as if sent just in time; late values and
                       flags are stored. `levels` (or more): read in
                       neuroc_core_end only */
} neuroc_spinn_source;

/* A piece of DTCM that the kernel appends to a buffer in SDRAM after the work
 * of every tick that is a multiple of `every`: sample number s goes to
 * base + s * words * 4. `count` restarts at 0 when the host writes 0 (while
 * paused); samples beyond `capacity` are dropped and counted in `lost`. */
typedef struct neuroc_spinn_record {
  uint32_t source;   /* DTCM address */
  uint32_t words;
  uint32_t every;    /* >= 1 */
  uint32_t base;     /* SDRAM address */
  uint32_t capacity; /* samples */
  uint32_t count;    /* kernel: samples written; host may write 0 */
  uint32_t lost;     /* kernel */
  uint32_t clear;    /* 1: zero the source after the sample and also in ticks
                        without one (spike bit maps) */
} neuroc_spinn_record;

/* ---- The kernel provides ---- */
extern neuroc_spinn_control neuroc_control;

/* Sends a spike or a value with this key; the kernel puts in the colour. Waits
 * while the communications controller is full. */
void neuroc_kernel_send_spike(uint32_t key);
void neuroc_kernel_send_value(uint32_t key, int32_t value);
/* Delivers the packets that are queued now and returns; cheap when there are
 * none. Generated code calls it in loops that take long: nothing that arrives in
 * a sub-tick is read by the level under way. */
void neuroc_kernel_poll(void);
/* Moves bytes (a multiple of 4, word-aligned) between SDRAM and DTCM by DMA and
 * waits for the end. Not from an interrupt handler. */
void neuroc_kernel_read(void *to, uint32_t sdram, uint32_t bytes);
void neuroc_kernel_write(uint32_t sdram, const void *from, uint32_t bytes);
/* Draws of neuroc/rt/Random.h: neuroc_rt_word and neuroc_rt_normal_sum with
 * the key in two words and a 32-bit entity. */
uint32_t neuroc_kernel_random_word(uint32_t key_low, uint32_t key_high,
                                   uint32_t entity, uint32_t tick,
                                   uint32_t draw);
int32_t neuroc_kernel_random_normal(uint32_t key_low, uint32_t key_high,
                                    uint32_t entity, uint32_t tick,
                                    uint32_t draw);

/* ---- The generated code provides ---- */
extern const neuroc_spinn_source neuroc_core_sources[];
extern neuroc_spinn_record neuroc_core_records[];
/* Once, after the load and before the first tick. */
void neuroc_core_start(void);
/* The work of this core in one zero-delay level of a tick. */
void neuroc_core_level(uint32_t level, uint32_t tick);
/* Serves a row: `words` synapse words at `row` (in DTCM), of a spike that was
 * sent in tick `tick` (after the colour). */
void neuroc_core_row(uint32_t handler, const uint32_t *row, uint32_t words,
                     uint32_t tick);
/* End of the tick: plasticity, histories, clearing of consumed ring slots. */
void neuroc_core_end(uint32_t tick);
/* Runs the on_call handler of plastic number `plastic` for all synapses held
 * here (tick: the one about to run). */
void neuroc_core_call(uint32_t plastic, uint32_t tick);

/* Resuming: when every core is PAUSED the host writes run_until (and whatever
 * else it wants to change), then raises the system-controller interrupt (VIC
 * source 18) of all application cores at once. The kernel acknowledges it,
 * runs the calls of call_mask, and unless tick == run_until sets timer 1 to
 * `period` and status to RUNNING; the first sub-tick starts one period after.
 * After the load, a core starts in the same way: the kernel initialises,
 * calls neuroc_core_start() and goes to PAUSED. */

#ifdef __cplusplus
}
static_assert(sizeof(neuroc_spinn_counters) == 80, "ABI");
static_assert(sizeof(neuroc_spinn_control) == 160, "ABI");
static_assert(sizeof(neuroc_spinn_source) == 44, "ABI");
static_assert(sizeof(neuroc_spinn_record) == 32, "ABI");
#endif
#endif /* NEUROC_RT_SPINN_COREABI_H */
