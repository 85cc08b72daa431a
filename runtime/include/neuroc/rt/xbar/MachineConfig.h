// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The description of a crossbar machine: every size, latency and energy that
// the simulator uses, with presets, read from a JSON machine file. One table
// (MachineConfig.cpp) holds name, range and meaning of each parameter; the
// reference docs/crossbar-machine.md is checked against it by a test.
#ifndef NEUROC_RT_XBAR_MACHINECONFIG_H
#define NEUROC_RT_XBAR_MACHINECONFIG_H

#include "neuroc/rt/Status.h"

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace neuroc::rt::xbar {

struct MachineConfig {
  std::string name = "generic-128";

  // mesh: tiles in a grid, tile (x, y) has number y * meshX + x
  int64_t meshX = 8, meshY = 8;

  // tile
  int64_t arraysPerTile = 8;
  int64_t memoryWords = 65536;  ///< 32-bit words of tile memory
  int64_t programWords = 65536; ///< 64-bit instructions
  int64_t lanes = 16;           ///< elements per cycle of the vector unit

  // array
  int64_t rows = 128;
  int64_t cols = 128;     ///< physical columns; two make one signed column
  int64_t cellBits = 2;   ///< a cell has 2^cellBits levels
  int64_t adcBits = 8;    ///< signed codes of a converter
  int64_t colsPerAdc = 8; ///< signed columns (rows, transposed) per converter

  // timing, in cycles of the clock
  double clockMHz = 1000;
  int64_t tArray = 10;      ///< drive and settle, one phase
  int64_t tAdc = 1;         ///< one conversion
  int64_t pipelineFill = 2; ///< stages before the first result of a read
  int64_t tPulse = 100;     ///< one programming pulse on a row
  int64_t tVerify = 20;     ///< read of a row while programming
  int64_t vectorStart = 4;  ///< latency of the vector pipeline
  int64_t mulCost = 1, divCost = 8, lutCost = 3, randomCost = 4,
          indexedCost = 2;         ///< cycles per group of `lanes` elements
  int64_t memoryLatency = 2;       ///< scalar load
  int64_t memoryWordsPerCycle = 8; ///< counted copies, network interface
  int64_t branchPenalty = 1;       ///< taken branch
  int64_t flitWords = 8;           ///< words per flit
  int64_t headerFlits = 1;         ///< per message
  int64_t hopCycles = 3;           ///< router and link, head of a message
  int64_t barrierCycles = 32;
  int64_t hostCycles = 100; ///< latency of the host mailbox
  int64_t hostWordsPerCycle = 1;

  // energy, picojoules: model values, from the published component tables of
  // ISAAC (ISCA 2016) and PUMA (ASPLOS 2019) as far as they go
  double eCell = 0.0049;  ///< one unit of level, driven for one phase: array of
                          ///< 0.3 mW for 100 ns, half driven, at half range
  double eDriver = 0.003; ///< one driven line, one phase: 3.9 uW per 128 rows
  double eSample = 0.001; ///< sample and hold, per conversion
  double eAdc = 1.67;     ///< one conversion: 2 mW at 1.2 GS/s
  double eShiftAdd = 0.05; ///< per conversion: 0.05 mW at 1 GHz
  double ePulse = 11;      ///< one programming pulse on a cell: 1.5 V, 50 uS,
                           ///< 100 ns
  double eVector = 1.7;    ///< one simple element: 1.7 mW, a word per cycle
  double eMul = 3.4, eDiv = 14, eLut = 2.5, eRandom = 7; ///< estimates
  double eMemory = 2.15; ///< one word read or written: 17.2 pJ per 256 bits
  double eScalar = 0.3;  ///< one scalar or control instruction, estimate
  double eFetch = 0.6;   ///< one instruction fetched: 0.6 mW at 1 GHz
  double eHop = 20.7;    ///< one flit through one router and link, 256 bits
  double eHost = 6.5;    ///< one word to or from the host: 26 pJ per 128 bits
  double eLeak = 12.8;   ///< one tile for one cycle: 0.2 mW per converter

  // simple device noise, off by default: standard deviations in levels
  double programNoise = 0; ///< drawn when a cell is programmed
  double readNoise = 0;    ///< of one cell at full level, per phase and column
  int64_t noiseSeed = 1;

  int64_t tiles() const { return meshX * meshY; }
  int64_t signedCols() const { return cols / 2; }
  /// Largest magnitude of the level of one cell pair.
  int64_t maxLevel() const { return (int64_t(1) << cellBits) - 1; }
  /// Largest magnitude of a weight held by a bank of `slices` arrays.
  int64_t maxWeight(int64_t slices) const {
    return (int64_t(1) << (cellBits * slices)) - 1;
  }
  /// Converter codes are in [-adcLimit() - 1, adcLimit()].
  int64_t adcLimit() const { return (int64_t(1) << (adcBits - 1)) - 1; }
  /// The smallest `range` with which no sum of `lines` driven lines can clip.
  int64_t safeRange(int64_t lines) const {
    int64_t range = 0;
    while ((lines * maxLevel() + ((int64_t(1) << range) >> 1)) >> range >
           adcLimit())
      ++range;
    return range;
  }
};

/// Names and one-line descriptions of the presets.
std::vector<std::pair<std::string, std::string>> machinePresets();

/// A preset by name, or the JSON machine file of that path. Errors: InputError
/// (file), UsageError (no such preset or file), both with what is known.
Status loadMachine(const std::string &nameOrPath, MachineConfig &machine);

/// Reads the text of a machine file; `origin` is used in messages.
Status parseMachine(std::string_view text, const std::string &origin,
                    MachineConfig &machine);

/// The whole description as a machine file (complete: reading it back gives
/// an equal machine).
std::string machineToJson(const MachineConfig &machine, int indent = 2);

/// Documentation of one parameter.
struct MachineParameter {
  std::string_view section, key, meaning;
  double least, most;
  bool isInteger;
};
std::span<const MachineParameter> machineParameters();

} // namespace neuroc::rt::xbar
#endif // NEUROC_RT_XBAR_MACHINECONFIG_H
