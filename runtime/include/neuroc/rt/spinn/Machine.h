// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The SpiNNaker machine simulator: a mesh of chips, each with up to 18
// ARM968E-S cores, their tightly coupled memories and peripherals, one router,
// one SDRAM and six links, executing real ARM machine code cycle by cycle. The
// host loads images, tables and data, starts cores and runs the event queue.
//
// Units: addresses and sizes in bytes, time in picoseconds since creation,
// core cycles of 5 ns. One thread may use a machine at a time. Runs are
// deterministic. Nothing throws; a failed call changes nothing.
#ifndef NEUROC_RT_SPINN_MACHINE_H
#define NEUROC_RT_SPINN_MACHINE_H

#include "neuroc/rt/Status.h"
#include "neuroc/rt/spinn/TimingParameters.h"

#include <cstdint>
#include <functional>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace neuroc::rt::spinn {

using Picoseconds = uint64_t;
inline constexpr Picoseconds kForever = std::numeric_limits<uint64_t>::max();

// The memory map (unbuffered SDRAM is an alias of the buffered view).
inline constexpr uint32_t kItcmBase = 0x00000000, kItcmSize = 0x8000;
inline constexpr uint32_t kDtcmBase = 0x00400000, kDtcmSize = 0x10000;
inline constexpr uint32_t kSdramBase = 0x60000000, kSdramSize = 0x08000000;
inline constexpr uint32_t kSysramBase = 0xe5000000, kSysramSize = 0x8000;
inline constexpr unsigned kMaxCoresPerChip = 18;
inline constexpr unsigned kRouterEntries = 1024;
inline constexpr unsigned kLinksPerChip = 6;

struct ChipId {
  uint16_t x = 0, y = 0;
  auto operator<=>(const ChipId &) const = default;
};
struct CoreId {
  ChipId chip;
  uint8_t core = 0; ///< physical number, 0 to coresPerChip - 1
  auto operator<=>(const CoreId &) const = default;
};

/// What machine to build. `create` validates it and reports the first fault.
struct MachineConfig {
  unsigned width = 1, height = 1; ///< chips
  bool wrap = false;              ///< links at the edge join the far side
  unsigned coresPerChip = kMaxCoresPerChip;
  uint32_t sdramBytes = kSdramSize; ///< per chip, allocated lazily
  std::vector<ChipId> deadChips;
  std::vector<CoreId> deadCores;
  std::vector<std::pair<ChipId, unsigned>> deadLinks; ///< dead both ways
  bool breakpointHalts = true; ///< BKPT stops the core instead of aborting
  bool stopOnFault = true; ///< run() fails on the first abort or undefined
  TimingParameters timing;

  /// SpiNN-3 style: 4 chips in a 2 x 2 torus.
  static MachineConfig fourChips();
};

/// One line of a routing table: matches when (key & mask) == this key.
struct RoutingEntry {
  uint32_t key = 0, mask = 0;
  uint32_t route = 0; ///< bits 0-5 links, bits 6-23 cores 0-17
};

/// A parsed ELF executable for ARM.
struct ElfSegment {
  uint32_t address = 0;
  uint32_t memorySize = 0;      ///< zero-filled beyond the bytes
  std::vector<uint8_t> bytes;
};
struct ElfSymbol {
  uint32_t value = 0, size = 0;
};
struct ElfImage {
  uint32_t entry = 0;
  std::vector<ElfSegment> segments;
  std::map<std::string, ElfSymbol, std::less<>> symbols; ///< global, named
};
/// Reads a little-endian 32-bit ARM executable, trusting nothing in it.
/// Errors: InputError, naming the field that is out of range.
Status parseElf(std::span<const uint8_t> file, ElfImage &image);

enum class CoreState : uint8_t {
  Off,      ///< never started, or stopped by the host
  Running,
  Sleeping, ///< waits for an interrupt
  Halted,   ///< met a breakpoint instruction or a fault
};

struct CoreCounters {
  uint64_t instructions = 0;
  uint64_t cycles = 0;       ///< awake, in CPU cycles
  uint64_t idleCycles = 0;   ///< asleep, in CPU cycles
  uint64_t interlockCycles = 0; ///< part of `cycles`
  uint64_t busCycles = 0;    ///< part of `cycles`: waits outside the TCMs
  uint64_t irqs = 0, fiqs = 0, faults = 0;
  uint64_t dmaTransfers = 0, dmaBytes = 0;
  uint64_t dmaWaitPs = 0;    ///< request to grant of the SDRAM, all bursts
  uint64_t dmaBusyPs = 0;    ///< transfer started to transfer ended
  uint64_t packetsSent = 0, packetsReceived = 0;
  uint64_t txOverruns = 0;   ///< launches while the transmitter was full
  uint64_t timerOverruns = 0; ///< timer fired with its interrupt still set
};

struct LinkCounters {
  uint64_t packets = 0, bits = 0;
  uint64_t busyPs = 0;    ///< serialising
  uint64_t blockedPs = 0; ///< packet ready, receiver full
};

struct RouterCounters {
  uint64_t routed = 0;        ///< multicast, by a table entry
  uint64_t defaultRouted = 0; ///< straight on
  uint64_t unroutable = 0;    ///< local key without entry (also in `dropped`)
  uint64_t dropped = 0;       ///< destinations given up, dead links included
  uint64_t emergency = 0;     ///< packets diverted round a blocked link
  uint64_t bitHops = 0;       ///< bits times output ports, for energy
  uint64_t stallPs = 0;       ///< output stage blocked
  LinkCounters links[kLinksPerChip];
};

struct Fault {
  CoreId core;
  std::string kind; ///< "data abort", "prefetch abort", "undefined"
  uint32_t pc = 0, address = 0;
  std::string text() const;
};

/// The programmer's view of a core: the registers of its present mode.
struct CoreRegisters {
  uint32_t r[16] = {}; ///< r[15] is the address of the next instruction
  uint32_t cpsr = 0;
};

/// Core condition: (word at `address` & mask) == value. TCM addresses are the
/// core's own, others the chip's.
struct WordCondition {
  CoreId core;
  uint32_t address = 0;
  uint32_t mask = 0xffffffffu;
  uint32_t value = 0;
};

/// When `run` returns: at the first of these. Word conditions are examined
/// whenever a core falls asleep or halts, and must hold all at once.
struct RunLimit {
  Picoseconds until = kForever; ///< absolute
  std::vector<WordCondition> words; ///< empty: not used
  uint64_t maxInstructions = kForever;
};
enum class StopReason : uint8_t {
  Idle,         ///< no core runs and no event is left that could wake one
  Time,         ///< `until` reached
  Words,        ///< the word conditions hold
  Instructions, ///< the budget is spent
};

struct TraceEntry {
  Picoseconds time = 0;
  CoreId core;
  uint32_t pc = 0;
  uint32_t word = 0; ///< the instruction, 16 bits when Thumb
  bool thumb = false;
};

/// Energy by the published constants (0.35 W per idle chip, 34 mW per awake
/// core, 25 pJ per bit and hop). Says nothing about SDRAM.
struct Energy {
  double idleJoules = 0, coresJoules = 0, routersJoules = 0;
  double total() const { return idleJoules + coresJoules + routersJoules; }
};

class Machine {
public:
  /// Errors: UsageError, naming the bad entry of `config`.
  static Status create(const MachineConfig &config,
                       std::unique_ptr<Machine> &machine);
  ~Machine();
  Machine(const Machine &) = delete;
  Machine &operator=(const Machine &) = delete;

  const MachineConfig &config() const;
  std::vector<ChipId> chips() const;      ///< alive, by x then y
  bool hasCore(CoreId core) const;        ///< exists and is not dead
  bool hasLink(ChipId chip, unsigned link) const;
  /// The chip at the far end of a live link.
  std::optional<ChipId> neighbour(ChipId chip, unsigned link) const;
  Picoseconds now() const;

  // Loading and inspection; allowed between runs, at no simulated cost. TCM
  // addresses are those of `core`, all others belong to its chip (SDRAM by
  // either alias, System RAM). A range must lie within one memory.
  Status loadElf(CoreId core, std::span<const uint8_t> file,
                 ElfImage *image = nullptr);
  Status loadImage(CoreId core, const ElfImage &image);
  Status write(CoreId core, uint32_t address, std::span<const uint8_t> bytes);
  Status read(CoreId core, uint32_t address, std::span<uint8_t> bytes) const;
  Status writeWord(CoreId core, uint32_t address, uint32_t value);
  Status readWord(CoreId core, uint32_t address, uint32_t &value) const;
  /// Direct memory for bulk access; null unless [address, address + size)
  /// lies in DTCM, SDRAM or System RAM. Valid until the machine is destroyed.
  uint8_t *memory(CoreId core, uint32_t address, uint32_t size);

  /// Appends an entry to the chip's table (the first match wins).
  /// Errors: DoesNotFit beyond 1,024 entries, UsageError for a route to a
  /// missing core or a key bit outside the mask.
  Status addRoute(ChipId chip, const RoutingEntry &entry);
  Status clearRoutes(ChipId chip);

  /// Resets the core and lets it run from `entry`, in supervisor mode with
  /// interrupts masked and low vectors; r0 to r14 are zero.
  Status start(CoreId core, uint32_t entry);
  Status stop(CoreId core);
  CoreState state(CoreId core) const;
  Status registers(CoreId core, CoreRegisters &registers) const;
  Status setRegisters(CoreId core, const CoreRegisters &registers);

  /// Raises interrupt source 18 (system controller, per CPU) of a core, as the
  /// monitor does through the system controller. The core lowers it itself.
  Status interrupt(CoreId core);
  /// Sends a multicast packet into the router as the monitor core would, at
  /// the present time or later.
  Status inject(ChipId chip, uint32_t key,
                std::optional<uint32_t> payload = std::nullopt,
                Picoseconds time = 0);

  /// Processes events until a limit. Errors: CheckFailed for a fault of a core
  /// (unless the configuration says to go on), naming core, pc and address.
  Status run(const RunLimit &limit, StopReason &reason);

  Status counters(CoreId core, CoreCounters &counters) const;
  Status routerCounters(ChipId chip, RouterCounters &counters) const;
  const std::vector<Fault> &faults() const;
  Energy energy() const;

  /// Called before every instruction while set; slows the run down, changes
  /// nothing else.
  void setTrace(std::function<void(const TraceEntry &)> trace);

  class Impl; ///< for the simulator's own files

private:
  explicit Machine(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl;
};

} // namespace neuroc::rt::spinn
#endif // NEUROC_RT_SPINN_MACHINE_H
