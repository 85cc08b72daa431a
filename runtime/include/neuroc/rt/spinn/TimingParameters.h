// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Every number of the SpiNNaker machine model that is not architecture: one
// named integer field each, with unit, default, range to sweep and what the
// default rests on. The list is data (an X-macro), so that dumping, setting by
// name and documenting cannot drift from the struct.
//
// Basis: D = datasheet, manual or application note; S = read in the deployed
// system software; P = published measurement; E = our estimate from those;
// U = uncertain, sweep it. Clocks are given by their periods.
#ifndef NEUROC_RT_SPINN_TIMINGPARAMETERS_H
#define NEUROC_RT_SPINN_TIMINGPARAMETERS_H

#include "neuroc/rt/Status.h"

#include <cstdint>
#include <span>
#include <string_view>

namespace neuroc::rt::spinn {

// X(name, default, low, high, unit, basis, description)
#define NEUROC_SPINN_TIMING_PARAMETERS(X)                                      \
  X(cpuPeriodPs, 5000, 5000, 5000, "ps", 'S', "CPU clock, 200 MHz")            \
  X(groupBOffsetPs, 2500, 0, 2500, "ps", 'S',                                  \
    "phase of the inverted clock of CPU group B")                              \
  X(routerPeriodPs, 7500, 7500, 7500, "ps", 'S', "router clock, 133.3 MHz")    \
  X(loadUseWord, 1, 1, 1, "cycles", 'D', "stall on using a loaded word next")  \
  X(loadUseNarrow, 2, 2, 2, "cycles", 'D',                                     \
    "stall on using a loaded byte, half-word or rotated word next")            \
  X(multiplyUse, 1, 1, 1, "cycles", 'D',                                       \
    "stall on using a multiply or saturating result next")                     \
  X(loadStoreData, 1, 0, 1, "cycles", 'U',                                     \
    "stall of a store whose data the previous instruction loaded")             \
  X(scaledOffset, 0, 0, 1, "cycles", 'U',                                      \
    "extra cycle of a load with a shifted register offset")                    \
  X(itcmData, 1, 0, 1, "cycles", 'U', "extra cycle of a data access to ITCM")  \
  X(dtcmDmaConflict, 0, 0, 1, "cycles", 'U',                                   \
    "stall of a core access to DTCM while its DMA burst is moving data")       \
  X(localRead, 3, 3, 6, "cycles", 'U', "read of a peripheral of the core")     \
  X(localWrite, 3, 3, 6, "cycles", 'U',                                        \
    "unbuffered write to a peripheral of the core")                            \
  X(writeBufferDepth, 8, 4, 12, "entries", 'U', "depth of the write buffer")   \
  X(writeDrainLocal, 3, 3, 5, "cycles", 'U',                                   \
    "write buffer drain of one local entry")                                   \
  X(writeDrainBridge, 24, 20, 30, "cycles", 'E',                               \
    "write buffer drain of one entry through the bridge")                      \
  X(bridge, 2, 1, 4, "cycles", 'E', "bridge crossing of a single access")      \
  X(sdramRowMissPs, 120000, 100000, 150000, "ps", 'E',                         \
    "single SDRAM access, row to be opened")                                   \
  X(sdramRowHitPs, 95000, 80000, 120000, "ps", 'E',                            \
    "single SDRAM access, row open")                                           \
  X(sdramSingleBusyPs, 54000, 31000, 100000, "ps", 'E',                        \
    "time a single access keeps the SDRAM from others")                        \
  X(sysramReadPs, 100000, 60000, 150000, "ps", 'U',                            \
    "System RAM, system controller or router register access")                 \
  X(dmaStart, 4, 2, 10, "cycles", 'U',                                         \
    "DMA descriptor write to first burst request")                             \
  X(dmaBurstLatencyPs, 320000, 280000, 360000, "ps", 'E',                      \
    "fixed part of one DMA burst: NoC, controller and row activation")         \
  X(dmaWordPs, 5000, 5000, 5000, "ps", 'D', "TCM port, per 32-bit word")       \
  X(sdramBytePs, 1250, 1000, 1670, "ps", 'U',                                  \
    "SDRAM occupancy per byte of bursts: 1250 is 800 MB/s for the chip")       \
  X(dmaDone, 2, 1, 4, "cycles", 'U', "end of transfer to interrupt line")      \
  X(irqEntry, 4, 3, 5, "cycles", 'U',                                          \
    "interrupt recognition to first instruction of the vector")                \
  X(wfiWake, 2, 1, 6, "cycles", 'U', "interrupt line to awake core")           \
  X(txMergePs, 30000, 20000, 50000, "ps", 'E',                                 \
    "core transmit interface through the merge tree to the router")            \
  X(txBytePs, 5000, 5000, 5000, "ps", 'E',                                     \
    "serialisation between core and router, per byte of packet")               \
  X(txFifoPackets, 2, 1, 3, "packets", 'U',                                    \
    "packets between transmit registers and router")                           \
  X(rxFifoPackets, 2, 1, 3, "packets", 'U',                                    \
    "packets between router and receive registers, these included")            \
  X(routerLatencyPs, 60000, 37500, 120000, "ps", 'U',                          \
    "router input to output stage")                                            \
  X(routerPipeline, 8, 8, 16, "packets", 'U',                                  \
    "packets inside the router; latency / clock or more gives the peak rate")  \
  X(routerToCorePs, 40000, 25000, 80000, "ps", 'U',                            \
    "router output to packet visible in the receive registers")                \
  X(rxCreditPs, 10000, 5000, 20000, "ps", 'U',                                 \
    "receive register read to space visible to the router")                    \
  X(linkSymbolPs, 20000, 16000, 20000, "ps", 'D',                              \
    "one 4-bit symbol on a link between chips")                                \
  X(linkPropagationPs, 20000, 10000, 40000, "ps", 'E', "wire and wrappers")    \
  X(linkFifoPackets, 2, 1, 3, "packets", 'U',                                  \
    "output register of a link and its wrapper")                               \
  X(linkInputPackets, 2, 1, 3, "packets", 'U', "input buffer of a link")       \
  X(wait1, 0x40, 0x2f, 0x4f, "code", 'S',                                      \
    "router wait before emergency routing, encoded as in its register")        \
  X(wait2, 0, 0, 0x2f, "code", 'S',                                            \
    "router wait in emergency routing; 0 switches that off")                   \
  X(timerExtra, 0, 0, 1, "cycles", 'U',                                        \
    "timer period beyond its load value")

struct TimingParameters {
#define NEUROC_SPINN_FIELD(name, value, low, high, unit, basis, text)          \
  uint32_t name = value; /* text */
  NEUROC_SPINN_TIMING_PARAMETERS(NEUROC_SPINN_FIELD)
#undef NEUROC_SPINN_FIELD

  /// The value of the parameter called `name`. Error: UsageError, which
  /// lists near names.
  Status set(std::string_view name, uint32_t value);
  Status get(std::string_view name, uint32_t &value) const;
};

/// What is known of one parameter; the fields follow the X-macro.
struct TimingParameterInfo {
  const char *name;
  uint32_t TimingParameters::*field;
  uint32_t value, low, high; ///< default and sweep bounds
  const char *unit;
  char basis;
  const char *text;
};
/// All parameters in a fixed order.
std::span<const TimingParameterInfo> timingParameters();

/// Router cycles that a wait code stands for; UINT64_MAX for "forever".
uint64_t routerWaitCycles(uint8_t code);

} // namespace neuroc::rt::spinn
#endif // NEUROC_RT_SPINN_TIMINGPARAMETERS_H
