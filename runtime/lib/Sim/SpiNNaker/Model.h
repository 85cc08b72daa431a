// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The parts of the machine model: a Node is a core with its memories and local
// peripherals, a Chip has nodes, a router, links and shared memories, and
// Machine::Impl owns all of it with the event queue and the scheduler.
#ifndef NEUROC_SIM_SPINN_MODEL_H
#define NEUROC_SIM_SPINN_MODEL_H

#include "Cpu.h"
#include "EventQueue.h"

#include <cstdlib>
#include <deque>
#include <unordered_map>

namespace neuroc::rt::spinn {

class Chip;

/// Vectored interrupt controller (PL190).
struct Vic {
  uint32_t enable = 0, select = 0, soft = 0;
  uint32_t vector[16] = {}, control[16] = {}, defaultVector = 0;
  uint32_t servedStack = 0; ///< bit n: a handler of priority n is running
};

/// One of the two timers of a core (SP804 style).
struct Timer {
  uint32_t load = 0, control = 0x20;
  uint32_t frozen = 0xffffffff; ///< count while stopped
  uint64_t zeroCycle = 0;       ///< when the count reaches zero
  uint32_t generation = 0;
  bool raw = false;
  bool enabled() const { return control & 0x80; }
  unsigned prescale() const {
    unsigned code = control >> 2 & 3;
    return code == 1 ? 16 : code == 2 ? 256 : 1;
  }
};

/// DMA controller: one active and one queued transfer.
struct Dma {
  struct Transfer {
    uint32_t system = 0, tcm = 0, description = 0;
  };
  Transfer pending;  ///< as written to ADRS, ADRT
  Transfer active, queued;
  bool busy = false, full = false, paused = false;
  uint32_t done = 0;   ///< bytes of the active transfer
  uint32_t burst = 0;  ///< bytes of the burst under way
  uint32_t finished = 0; ///< completion thermometer, 0 to 2
  uint32_t errors = 0; ///< STAT bits 14 to 16
  uint32_t gctl = 0;
  Picoseconds burstEnd = 0, started = 0;
};

/// Communications controller.
struct Comms {
  uint8_t txControl = 0;
  uint32_t txPayload = 0;
  bool txPayloadSet = false, txFull = false, txOverrun = false;
  bool serialising = false, standing = false; ///< head under way / at router
  std::deque<Packet> tx, rx;
  uint32_t lastKey = 0, lastPayload = 0;
  uint8_t lastControl = 0;
  uint32_t sar = 0x07000000;
};

/// A core, its TCMs and everything that only it can reach.
class Node {
public:
  Cpu cpu;
  Chip *chip = nullptr;
  Machine::Impl *machine = nullptr;
  uint32_t index = 0; ///< of all nodes
  CoreId id;
  bool alive = true;
  Picoseconds offset = 0; ///< phase of its clock
  std::vector<uint8_t> itcm, dtcm;
  std::vector<Op> armOps, thumbOps;
  Vic vic;
  Timer timers[2];
  Dma dma;
  Comms comms;
  bool cpuInterrupt = false; ///< system-controller line
  uint64_t sleptAt = 0;      ///< cycle
  uint64_t startedAt = 0;    ///< cycle
  std::deque<uint64_t> writeBuffer; ///< drain cycle of each entry
  CoreCounters counters;     ///< those that devices keep

  void prepare(); ///< allocates memories and the decode cache
  void reset(uint32_t entry);

  Picoseconds timeOf(uint64_t cycle) const;
  /// Cycles spent awake since the start.
  uint64_t awakeCycles() const {
    return cpu.cycle - std::min(cpu.cycle, startedAt + counters.idleCycles);
  }
  /// First cycle that starts at or after `time`.
  uint64_t cycleAt(Picoseconds time) const;

  // Bus side, called by the core through Cpu::readSlow and writeSlow.
  bool busRead(const Op &op, uint32_t address, unsigned size, uint32_t &value);
  bool busWrite(const Op &op, uint32_t address, unsigned size, uint32_t value);

  // Device side.
  void updateInterrupts();
  void timerEvent(uint32_t arg, Picoseconds now);
  void dmaStart(Picoseconds now);
  void dmaBurstEnded(Picoseconds now);
  void dmaDone(Picoseconds now);
  void txArrive(Picoseconds now);
  void txContinue(Picoseconds now);
  void receive(const Packet &packet, Picoseconds now);
  /// Wakes a sleeping core if an interrupt line is up.
  void wake(Picoseconds now);

private:
  bool sharedTurn(const Op &op);
  bool localRead(uint32_t address, unsigned size, uint32_t &value);
  bool localWrite(uint32_t address, unsigned size, uint32_t value);
  bool readVic(uint32_t offset, uint32_t &value);
  bool writeVic(uint32_t offset, uint32_t value);
  bool readTimer(uint32_t offset, uint32_t &value);
  bool writeTimer(uint32_t offset, uint32_t value);
  bool readDma(uint32_t offset, uint32_t &value);
  bool writeDma(uint32_t offset, uint32_t value);
  bool readComms(uint32_t offset, uint32_t &value);
  bool writeComms(uint32_t offset, uint32_t value);
  uint32_t timerCount(const Timer &timer) const;
  void startTimer(unsigned which, uint32_t from);
  void dmaLaunch(const Dma::Transfer &transfer, Picoseconds now);
  void dmaFail(uint32_t bit);
  uint32_t dmaBurstBytes() const;
  uint32_t rawInterrupts() const;
  unsigned servedPriority() const;
  unsigned priorityOf(uint32_t sources, uint32_t &vector) const;
  /// Waits until the write buffer is empty; then it is this cycle.
  void drainWrites();
  void bufferWrite(uint32_t cost);
  Picoseconds now() const { return timeOf(cpu.cycle); }
  /// Converts a wait that ends at `end` into cycles of the core.
  void waitUntil(Picoseconds end);
  friend struct Cpu;
};

struct LinkOut {
  bool exists = false;
  uint32_t farChip = 0;
  unsigned farLink = 0;
  std::deque<Packet> fifo;
  bool busy = false;
  uint32_t credits = 0;
  Picoseconds readySince = 0;
};

/// The multicast router of a chip with its links.
class Router {
public:
  static constexpr unsigned kHostPort = 24; ///< 0-5 links, 6-23 cores, 24 host
  struct InFlight {
    Packet packet;
    unsigned port = 0;
    Picoseconds outTime = 0;
    uint32_t waiting = 0;   ///< destinations still to be served
    uint32_t reverting = 0; ///< links on which the copy is a reverting one
  };

  Chip *chip = nullptr;
  Machine::Impl *machine = nullptr;
  std::vector<RoutingEntry> table;
  uint32_t fixedRoute = 0;
  uint8_t wait1 = 0x40, wait2 = 0;
  RouterCounters counters;
  LinkOut links[kLinksPerChip];
  uint32_t coreCredits[kMaxCoresPerChip] = {};
  // First dropped packet, as software would read it.
  Packet dumped;
  uint32_t dumpLink = 0, dumpStatus = 0;

  bool portHasRoom(unsigned port) const;
  void arrive(const Packet &packet, unsigned port, Picoseconds now);
  void pick(Picoseconds now);
  void output(Picoseconds now);
  void timeout(uint32_t generation, Picoseconds now);
  void space(Picoseconds now); ///< an output has room again
  void linkSent(unsigned link, Picoseconds now);
  void linkCredit(unsigned link, Picoseconds now);
  void tableChanged() { cache.clear(); }

private:
  struct Arrival {
    Packet packet;
    unsigned port;
  };
  std::deque<Arrival> inputs;
  unsigned perPort[25] = {};
  std::deque<InFlight> pipeline;
  std::unordered_map<uint32_t, int> cache; ///< key to entry, -1: none
  Picoseconds nextPick = 0;
  bool pickScheduled = false, outScheduled = false;
  bool blocked = false, diverting = false;
  Picoseconds blockedSince = 0;
  uint32_t generation = 0;

  int lookUp(uint32_t key);
  void route(InFlight &entry);
  bool serve(InFlight &entry, Picoseconds now);
  bool sendLink(unsigned link, const Packet &packet, Picoseconds now);
  void startLink(unsigned link, Picoseconds now);
  void finishHead(Picoseconds now);
  void schedulePick(Picoseconds now);
  void scheduleOutput(Picoseconds at);
  void drop(InFlight &entry);
};

struct FreeDeleter {
  void operator()(uint8_t *p) const { std::free(p); }
};

class Chip {
public:
  ChipId id;
  uint32_t index = 0;
  Machine::Impl *machine = nullptr;
  Node *nodes = nullptr; ///< of this chip, kMaxCoresPerChip of them
  Router router;
  std::unique_ptr<uint8_t, FreeDeleter> sdram; ///< zero pages until touched
  std::vector<uint8_t> sysram;
  uint32_t cpuInterrupts = 0; ///< system controller
  uint32_t testAndSet = 0, flags = 0, cpuOk = 0, misc = 0, monitor = 0;
  Picoseconds sdramFree = 0;
  uint32_t openRow[4] = {~0u, ~0u, ~0u, ~0u};

  /// Pointer into SDRAM or System RAM; null outside or across the end.
  uint8_t *memory(uint32_t address, uint32_t size, bool dma = false);
  bool readSystem(uint32_t address, uint32_t &value);
  bool writeSystem(uint32_t address, uint32_t value, Picoseconds now);
  /// Single access that asks at `from`: when it ends.
  Picoseconds singleAccess(uint32_t address, Picoseconds from);
  /// Burst that asks at `from`: when it is granted.
  Picoseconds grantBurst(uint32_t address, uint32_t bytes, Picoseconds from);

private:
  bool touchRow(uint32_t address);
  bool readRouter(uint32_t offset, uint32_t &value);
  bool writeRouter(uint32_t offset, uint32_t value);
};

class Machine::Impl {
public:
  MachineConfig config;
  std::vector<Chip> chips;
  std::vector<Node> nodes;
  std::vector<Fault> faults;
  EventQueue events;
  Picoseconds now = 0;
  Node *running = nullptr;
  Picoseconds lookahead = 0;
  bool conditionsDue = false;
  uint64_t budget = 0;
  std::function<void(const TraceEntry &)> trace;

  Node *node(CoreId id);
  Chip *chipAt(ChipId id);
  void schedule(Event event);
  void makeReady(Node &node); ///< the core has something to run
  Status run(const RunLimit &limit, StopReason &reason);

private:
  struct Awake {
    Picoseconds time;
    uint32_t index;
  };
  std::vector<Awake> ready;         ///< cores that are awake
  std::vector<uint8_t> isReady;     ///< by node
  Picoseconds firstTime = kForever; ///< of the earliest awake core
  friend class Machine;

  void dispatch(const Event &event);
  bool runCore(Awake &awake, Picoseconds end, Picoseconds solo, bool first);
  void runWindow(Picoseconds until);
  bool conditionsHold(const std::vector<WordCondition> &words);
  uint64_t instructions = 0;
};

} // namespace neuroc::rt::spinn
#endif // NEUROC_SIM_SPINN_MODEL_H
