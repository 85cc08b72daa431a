// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The simulator of a crossbar machine. Tiles execute their programs in order;
// their units (arrays, vector unit, network interface) overlap in time under
// interlocks, messages cross a mesh with contention, and every action has its
// cycles (Timing.h) and its energy. A run is a pure function of machine,
// programs, memory, arrays and host actions. One thread; no globals.
#ifndef NEUROC_RT_XBAR_MACHINE_H
#define NEUROC_RT_XBAR_MACHINE_H

#include "neuroc/rt/Status.h"
#include "neuroc/rt/xbar/MachineConfig.h"
#include "neuroc/rt/xbar/Program.h"

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace neuroc::rt::xbar {

/// Why an instruction could not start in the cycle after its predecessor.
enum class Stall : uint8_t {
  Register, ///< an operand register is not ready
  Range,    ///< words it reads or writes are still in use by another unit
  Vector,   ///< the vector unit is busy
  Array,    ///< the array is busy
  Port,     ///< the network interface is busy
  Message,  ///< recv: nothing has arrived under the tag
  Event,    ///< wait: the event counter is too low
  Counted,  ///< ldc: the words are not valid
  Host,     ///< hrecv: the host has posted nothing
  Barrier,  ///< bar and tick
  Branch,   ///< a taken branch
};
inline constexpr unsigned kStalls = 11;
std::string_view stallName(Stall stall);

/// What consumes energy; see docs/crossbar-machine.md.
enum class Component : uint8_t {
  Cells,
  Drivers,
  SampleHold,
  Adc,
  ShiftAdd,
  Programming,
  Vector,
  Memory,
  Scalar,
  Fetch,
  Network,
  Host,
  Leakage,
};
inline constexpr unsigned kComponents = 13;
std::string_view componentName(Component component);

/// Event counts of the whole machine since it was created. Energies follow
/// from them, so sums do not depend on the order of events.
struct Counters {
  uint64_t cycles = 0; ///< the machine's clock
  uint64_t instructions = 0;
  std::array<uint64_t, kStalls> stalls{};
  uint64_t saturations = 0; ///< clamped results of vector and array units
  uint64_t adcClips = 0;    ///< clamped conversions
  uint64_t mvms = 0;        ///< mvm, mvmt, spk, spkt that reached the array
  uint64_t phases = 0;      ///< drive phases, each of one array
  uint64_t conversions = 0;
  uint64_t cellUnits = 0; ///< levels driven, summed over phases
  uint64_t drivenLines = 0;
  uint64_t synapticEvents = 0; ///< non-zero weights met by events (spk, spkt,
                               ///< vscatadd, vscatpk) and non-zero inputs
  uint64_t pulses = 0, programmedCells = 0, levelClips = 0;
  uint64_t vectorSimple = 0, vectorMul = 0, vectorDiv = 0, vectorLut = 0,
           vectorRandom = 0;
  uint64_t memoryWords = 0, scalars = 0;
  uint64_t messages = 0, flitHops = 0, linkStalls = 0;
  uint64_t hostWords = 0;
  uint64_t tileCycles = 0; ///< cycles times tiles that have a program

  double energy(Component component, const MachineConfig &machine) const;
  double energy(const MachineConfig &machine) const; ///< joules, all
};

enum class StopReason : uint8_t {
  Tick,      ///< all tiles that have not halted are at `tick`
  Halted,    ///< all tiles have halted
  HostInput, ///< nothing can go on until the host posts to a mailbox
  Limit,     ///< the cycle limit is reached
};

struct HostMessage {
  uint32_t tile = 0;
  int32_t channel = 0;
  uint64_t cycle = 0;
  std::vector<int32_t> words;
};

class Machine {
public:
  /// Errors: DoesNotFit when the machine is too large to simulate.
  static Status create(const MachineConfig &config,
                       std::unique_ptr<Machine> &machine);
  ~Machine();
  Machine(const Machine &) = delete;
  Machine &operator=(const Machine &) = delete;

  const MachineConfig &config() const;

  /// Loads and validates a tile's program. Errors: ModelError, the first
  /// message of validateProgram.
  Status loadProgram(uint32_t tile, std::span<const uint64_t> code);

  // Host access between runs. No cycles are charged; `cycles` of programming
  // by the host are not part of the run.
  Status writeMemory(uint32_t tile, uint32_t address,
                     std::span<const int32_t> words);
  Status readMemory(uint32_t tile, uint32_t address,
                    std::span<int32_t> words) const;
  /// The words of a tile, for reading in place; empty for a wrong tile.
  std::span<const int32_t> memory(uint32_t tile) const;
  std::span<int32_t> memory(uint32_t tile);
  /// Programs rows x cols weights (row-major) and, if asked, makes them the
  /// window of the bank. Weights beyond the bank's range are an error.
  Status loadArray(const Bank &bank, std::span<const int32_t> weights,
                   bool setWindow = true);
  Status readArray(const Bank &bank, std::vector<int32_t> &weights) const;
  int32_t readRegister(uint32_t tile, unsigned reg) const;

  /// Puts all tiles that have a program at instruction 0, cycle 0 of their
  /// registers; memory and arrays stay.
  void start();
  /// Runs until nothing can go on without the host, or for `maxCycles`.
  /// Errors: ModelError with tile, instruction and cause; also a deadlock,
  /// naming the waiting tiles and what they wait for.
  Status run(StopReason &reason, uint64_t maxCycles = UINT64_MAX);
  /// After StopReason::Tick: sets the special registers and lets tiles go on.
  void resume(uint32_t tick, uint32_t command);

  void postHost(uint32_t tile, int32_t channel, std::vector<int32_t> words);
  std::vector<HostMessage> takeHostMessages();

  uint64_t cycle() const;
  Counters counters() const;

  /// Called for every instruction when it starts: (tile, cycle, instruction
  /// number, word). Slows the run; results are the same.
  using Trace = std::function<void(uint32_t, uint64_t, uint32_t, uint64_t)>;
  void setTrace(Trace trace);

  struct Impl;

private:
  explicit Machine(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl;
};

} // namespace neuroc::rt::xbar
#endif // NEUROC_RT_XBAR_MACHINE_H
