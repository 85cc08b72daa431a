// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// State of the simulated machine, shared by the files that carry instructions
// out. An instruction is executed in three parts: find when it may start
// (operands, unit, word ranges), do its work on the architectural state, and
// book its unit, ranges and results.
#ifndef NEUROC_SIM_CROSSBAR_MACHINEIMPL_H
#define NEUROC_SIM_CROSSBAR_MACHINEIMPL_H

#include "Array.h"
#include "Mesh.h"
#include "neuroc/rt/xbar/Isa.h"
#include "neuroc/rt/xbar/Machine.h"
#include "neuroc/rt/xbar/Timing.h"

#include <algorithm>
#include <deque>
#include <map>
#include <memory>
#include <queue>
#include <string>
#include <unordered_map>
#include <vector>

namespace neuroc::rt::xbar {

/// The raw word with its table index, and shorthands for the fields.
struct Decoded {
  uint64_t word = 0;
  uint32_t reads = 0; ///< bit n: register n is read
  Op op = Op::Nop;
  Unit unit = Unit::Control;
  unsigned a() const { return unsigned(word >> detail::A) & 31; }
  unsigned b() const { return unsigned(word >> detail::B) & 31; }
  unsigned c() const { return unsigned(word >> detail::C) & 31; }
  unsigned d() const { return unsigned(word >> detail::D) & 31; }
  unsigned e() const { return unsigned(word >> detail::E) & 31; }
  unsigned f() const { return unsigned(word >> detail::F) & 31; }
  int32_t imm() const { return int32_t(uint32_t(word)); }
};

/// A string literal as a template argument.
template <size_t N>
struct Name {
  char text[N];
  consteval Name(const char (&from)[N]) {
    for (size_t i = 0; i < N; ++i)
      text[i] = from[i];
  }
};
/// Operand `name` of an instruction known to be `op`, found at compile time.
template <Op op, Name name>
int64_t operand(const Decoded &d) {
  constexpr int index = info(op).find({name.text, sizeof(name.text) - 1});
  static_assert(index >= 0, "no such operand");
  constexpr Field field = info(op).fields[size_t(index)];
  return field.get(d.word);
}

/// Words that a unit still reads or writes until `until`.
struct Range {
  uint32_t first = 0, end = 0;
  bool writes = false;
  uint64_t until = 0;
};

struct Message {
  uint64_t arrival = 0;
  std::shared_ptr<const Packet> packet; ///< shared by a multicast's receivers
};
/// A counted store that has arrived, or will, and waits for free words.
struct CountedStore {
  uint64_t arrival = 0;
  std::shared_ptr<const Packet> packet;
};

enum class TileState : uint8_t {
  Empty,   ///< no program
  Ready,   ///< in the queue
  Waiting, ///< for a message, event, counted word or the host
  AtBarrier,
  AtTick,
  Halted,
};

struct Loop {
  uint32_t begin = 0, end = 0;
  uint64_t left = 0;
};

struct Tile {
  uint32_t number = 0;
  TileState state = TileState::Empty;
  uint64_t time = 0; ///< cycle at which the next instruction may issue
  uint32_t pc = 0;
  std::array<int32_t, kRegisters> reg{};
  std::array<uint64_t, kRegisters> regReady{};
  uint64_t latestReg = 0; ///< largest of regReady
  std::vector<Loop> loops;
  std::vector<Decoded> code;
  std::vector<int32_t> memory;
  std::vector<Range> ranges;
  std::vector<Array> arrays;
  std::vector<uint64_t> arrayFree;
  uint64_t vectorFree = 0, portFree = 0, receiveFree = 0;
  int32_t tick = 0, command = 0;
  uint32_t saturations = 0, adcClips = 0;
  // Communication.
  std::map<int32_t, std::deque<Message>> inbox;     ///< by tag, arrival order
  std::array<std::deque<uint64_t>, kEvents> events; ///< arrival cycles
  std::map<int32_t, std::deque<Message>> hostInbox; ///< by channel
  std::deque<CountedStore> stores;
  std::map<uint32_t, uint32_t> consumers; ///< counted words: address -> left
  Stall waitingFor = Stall::Message;
};

struct Machine::Impl {
  MachineConfig config;
  std::vector<Tile> tiles;
  Mesh mesh;
  Counters counters;
  std::vector<HostMessage> outbox;
  Trace trace;
  uint64_t now = 0; ///< largest cycle reached by a tile
  uint32_t activeTiles = 0;
  bool started = false;

  struct QueueEntry {
    uint64_t time;
    uint32_t tile;
    bool operator>(const QueueEntry &other) const {
      return time != other.time ? time > other.time : tile > other.tile;
    }
  };
  std::priority_queue<QueueEntry, std::vector<QueueEntry>,
                      std::greater<QueueEntry>>
      queue;

  explicit Impl(const MachineConfig &config) : config(config), mesh(config) {}

  // Machine.cpp
  Status runTile(Tile &tile, uint64_t limit);
  Status fault(const Tile &tile, const std::string &message) const;
  void stall(Tile &tile, Stall cause, uint64_t until) {
    if (until > tile.time) {
      counters.stalls[unsigned(cause)] += until - tile.time;
      tile.time = until;
    }
  }
  void wake(Tile &tile, uint64_t when);
  /// Puts the tile to sleep until woken, or until `retry`.
  void sleep(Tile &tile, Stall cause, uint64_t retry);
  /// Waits for all units of the tile.
  void drain(Tile &tile, Stall cause);
  /// Whether another tile's turn comes before this one's; then this one is
  /// back in the queue and must return.
  bool mustYield(Tile &tile);
  void releaseAll(TileState state);
  uint64_t latest(TileState state) const;
  Status deadlock() const;
  std::string describeWait(const Tile &tile) const;
  void setRegister(Tile &tile, unsigned reg, int32_t value, uint64_t ready) {
    if (reg) {
      tile.reg[reg] = value;
      tile.regReady[reg] = ready;
      tile.latestReg = std::max(tile.latestReg, ready);
    }
  }
  /// Waits until the words are free of conflicting use.
  void awaitRange(Tile &tile, int64_t first, int64_t count, bool writes);
  void book(Tile &tile, int64_t first, int64_t count, bool writes,
            uint64_t until) {
    if (count > 0)
      tile.ranges.push_back(
          {uint32_t(first), uint32_t(first + count), writes, until});
  }
  /// Error text when [first, first + count) is not inside the memory.
  Status checkRange(const Tile &tile, const char *what, int64_t first,
                    int64_t count) const;
  Status checkLength(const Tile &tile, int64_t length) const;

  // ExecuteScalar.cpp
  Status executeScalar(Tile &tile, const Decoded &d);
  /// Sets the next instruction; `blocked` when the tile has to wait.
  Status executeControl(Tile &tile, const Decoded &d, uint32_t &next,
                        bool &blocked);
  // ExecuteVector.cpp
  Status executeVector(Tile &tile, const Decoded &d);
  // ExecuteArray.cpp
  Status executeArray(Tile &tile, const Decoded &d);
  // Network.cpp
  Status executeNetwork(Tile &tile, const Decoded &d, bool &blocked);
  void applyStores(Tile &tile, uint64_t when);
  void deliver(uint32_t tile, const std::shared_ptr<const Packet> &packet,
               uint64_t arrival);
};

inline int32_t saturate(int64_t value, uint64_t &count) {
  if (value > INT32_MAX) {
    ++count;
    return INT32_MAX;
  }
  if (value < INT32_MIN) {
    ++count;
    return INT32_MIN;
  }
  return int32_t(value);
}

/// a >> shift, rounded to nearest, halves up.
inline int64_t roundShift(int64_t a, unsigned shift) {
  return shift ? ((a >> (shift - 1)) + 1) >> 1 : a;
}

/// A vector in tile memory, as an instruction needs it.
struct Span {
  int64_t first = 0, count = 0;
  bool writes = false;
};

} // namespace neuroc::rt::xbar
#endif // NEUROC_SIM_CROSSBAR_MACHINEIMPL_H
