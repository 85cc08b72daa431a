// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The CPU program's section of the manifest, typed and checked (docs/cpu.md).
#ifndef NEUROC_LIB_ENGINE_CPU_PLAN_H
#define NEUROC_LIB_ENGINE_CPU_PLAN_H

#include "neuroc/rt/Container.h"
#include "neuroc/rt/Status.h"

#include <cstdint>
#include <string>
#include <vector>

namespace neuroc::rt::cpu {

constexpr uint32_t kNone = UINT32_MAX;

enum class Element { F32, F64, I8, I16, I32, I64 };
inline uint64_t elementBytes(Element element) {
  switch (element) {
  case Element::I8:
    return 1;
  case Element::I16:
    return 2;
  case Element::F32:
  case Element::I32:
    return 4;
  case Element::F64:
  case Element::I64:
    return 8;
  }
  return 0;
}

/// Indices below are into the lists of `Plan`; kNone where there is none.
struct BufferPlan {
  std::string name;
  Element element = Element::F64;
  uint64_t count = 0;
  bool isFilled = true; ///< with `fill`, else from `offset` of cpu/data.bin
  double fill = 0;
  uint64_t offset = 0;
  uint64_t bytes() const { return count * elementBytes(element); }
};
struct SignalPlan {
  std::string name;
  uint32_t buffer = kNone;
  uint64_t units = 0; ///< of all lanes; as are those of populations
  uint64_t depth = 1;
  std::vector<int64_t> shape;
  bool isSpikes = false, isPopulation = false;
};
struct SourcePlan { ///< a stimulus or a spike array
  std::string name;
  uint32_t signal = kNone, buffer = kNone;
  uint64_t count = 0; ///< events of a spike array
};
struct WeightPlan {
  std::string name;
  bool isMatrix = false; ///< stored [pre, post]
  uint64_t pre = 0, post = 0, count = 0;
  uint32_t buffer = kNone, exists = kNone;
};
struct StatePlan {
  std::string name;
  uint32_t buffer = kNone;
};
struct PopulationPlan {
  std::string name;
  uint64_t units = 0, every = 1;
  std::vector<StatePlan> states;
};
struct EventsPlan { ///< units that fired, for generated code
  uint32_t signal = kNone, units = kNone, count = kNone;
  uint64_t delay = 0;
  std::vector<uint64_t> delays; ///< rows of one unit; {0}: the unit is the row
};
struct ItemPlan {
  uint32_t function = kNone;
  uint32_t population = kNone; ///< of a stage
  std::vector<uint32_t> outputs;
  bool hasEvents = false;
  EventsPlan events;
  uint32_t rowStart = kNone; ///< buffer; none: each event reaches fanOut units
  uint64_t fanOut = 0;
};
struct PlasticPlan {
  std::string name;
  bool isEnabled = true;
  bool hasPre = false, hasPost = false;
  EventsPlan pre, post;
  uint32_t onPre = kNone, onPost = kNone, onTick = kNone, onCall = kNone,
           bounds = kNone, boundsAll = kNone;
  uint32_t weight = kNone;
  std::vector<uint32_t> traceTick, traceSpike;
  std::vector<StatePlan> states; ///< of its synapses
};
struct RecorderPlan {
  std::string name;
  uint32_t signal = kNone; ///< none: a state's buffer
  uint32_t buffer = kNone;
  uint64_t delay = 0, every = 1, units = 0;
  std::vector<int64_t> shape; ///< of a state, in one lane
};
struct RunPlan { ///< many ticks in one call, for networks without spikes
  uint32_t function = kNone; ///< none: no such function
  uint32_t control = kNone;
  uint64_t capacity = 0;         ///< rows of the buffers below
  std::vector<uint32_t> rows;    ///< of stimuli
  std::vector<uint32_t> records; ///< of recorders
};
struct KeyPlan {
  std::string stream;
  uint32_t buffer = kNone;
};

struct Plan {
  uint64_t id = 0;
  bool isDouble = false;
  uint64_t seed = 1;
  /// Lanes. In memory place u * batch + l is unit u in lane l; outside values
  /// are [lane, unit].
  uint64_t batch = 1;
  std::string instructionSet, architecture;
  uint64_t functionCount = 0;
  std::vector<BufferPlan> buffers;
  std::vector<SignalPlan> signals;
  std::vector<SourcePlan> stimuli, spikeArrays;
  std::vector<WeightPlan> weights;
  std::vector<PopulationPlan> populations;
  std::vector<ItemPlan> items;
  std::vector<PlasticPlan> plastics;
  std::vector<RecorderPlan> recorders;
  std::vector<KeyPlan> keys;
  RunPlan run;
};

/// Reads manifest["program"]. Every index is checked against its list, every
/// count against the extent of its buffer. Errors: InputError.
Status readPlan(const Container &program, Plan &plan);

} // namespace neuroc::rt::cpu
#endif // NEUROC_LIB_ENGINE_CPU_PLAN_H
