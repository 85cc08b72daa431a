// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The SpiNNaker part of a program's manifest, checked and typed. The JSON is
// described in docs/spinnaker.md ("The program").
#ifndef NEUROC_RUNTIME_ENGINE_SPINNAKER_PROGRAM_H
#define NEUROC_RUNTIME_ENGINE_SPINNAKER_PROGRAM_H

#include "neuroc/rt/Container.h"
#include "neuroc/rt/spinn/Machine.h"

#include <utility>

namespace neuroc::rt::spinn {

struct ProgramCore {
  std::string name, population, image, data;
  uint64_t first = 0, count = 0;
  CoreId id;
  uint32_t spikesMade = 0; ///< DTCM address of the count; 0: none
  bool isPopulation = false;
  double estimatedCycles = 0;
};

/// Units [first, first + count) at consecutive words of a core. Address 0: the
/// program does not use them, so they have no memory.
struct Piece {
  size_t core = 0;
  uint32_t address = 0;
  uint64_t first = 0, count = 0;
};

struct ProgramState {
  std::string population, name;
  int frac = 0;
  struct Place : Piece {
    uint32_t clampOn = 0, clampAt = 0; ///< 0: cannot be clamped
  };
  std::vector<Place> pieces;
  uint64_t units = 0;
};

struct ProgramStimulus {
  std::string name;
  bool isSpikes = false;
  int frac = 0;
  uint64_t units = 0;
  std::vector<Piece> pieces;
};

struct ProgramWeight {
  struct Matrix : Piece {
    uint64_t columns = 0;
    bool isTransposed = false;
    int frac = 0;
  };
  struct List {
    size_t core = 0;
    int frac = 0;
    bool isHalf = false; ///< the value is the upper half of the word
    std::vector<std::pair<uint32_t, uint32_t>> entries; ///< value, address
  };
  std::string name;
  uint64_t pre = 0, post = 0, count = 0;
  std::vector<Matrix> matrices;
  std::vector<List> lists;
};

struct ProgramProbe {
  struct Record : Piece {
    uint32_t base = 0, words = 0, capacity = 0, descriptor = 0;
  };
  std::string name;
  bool isSpikes = false;
  int frac = 0;
  unsigned every = 1;
  std::vector<int64_t> shape;
  uint64_t units = 0;
  std::vector<Record> records;
};

struct ProgramPlastic {
  std::string name;
  unsigned number = 0;
};

struct Program {
  MachineConfig machine;
  double dtMs = 1, slowdown = 1;
  uint32_t levels = 1, subticks = 1, period = 1;
  std::vector<ProgramCore> cores;
  std::vector<std::pair<ChipId, std::vector<RoutingEntry>>> tables;
  std::vector<ProgramState> states;
  std::vector<ProgramStimulus> stimuli;
  std::vector<ProgramWeight> weights;
  std::vector<ProgramPlastic> plastics;
  std::vector<ProgramProbe> probes;
};

/// Reads manifest["program"]. Errors: InputError with the path of the element.
Status readProgram(const Container &container, Program &program);

} // namespace neuroc::rt::spinn
#endif // NEUROC_RUNTIME_ENGINE_SPINNAKER_PROGRAM_H
