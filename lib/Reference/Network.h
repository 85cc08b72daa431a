// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The interpreter's picture of a network: populations, weights, projections,
// plastics and signals as plain vectors of f64. In a batch the values of the
// lanes follow one another: unit i of lane l is at l N + i.
#ifndef NEUROC_LIB_REFERENCE_NETWORK_H
#define NEUROC_LIB_REFERENCE_NETWORK_H

#include "ScalarCode.h"

#include "neuroc/Neuro/Analysis/Connectivity.h"
#include "neuroc/rt/Random.h"

#include <deque>
#include <map>
#include <string>
#include <vector>

namespace neuroc::reference {

using Vector = std::vector<double>;

/// Random numbers, time and index of one unit (or synapse) in one tick.
struct UnitEnvironment final : Environment {
  uint64_t key = 0;    ///< of (seed, stream)
  uint64_t entity = 0; ///< addresses random draws
  uint64_t unit = 0;
  uint32_t tick = 0;
  double milliseconds = 0;

  double random(neuro::RandomKind kind, uint32_t draw) const override {
    return kind == neuro::RandomKind::Uniform
               ? neuroc_rt_uniform(key, entity, tick, draw)
               : neuroc_rt_normal(key, entity, tick, draw);
  }
  double time() const override { return milliseconds; }
  double index() const override { return double(unit); }
};

/// A signal: its value of this tick, and of as many earlier ones as any delayed
/// reader needs; past[0] is this tick's.
struct Signal {
  std::deque<Vector> past;
  size_t depth = 1; ///< how many ticks to keep, this one included
  size_t units = 0; ///< of all lanes
  bool isSpikes = false;

  Vector &now() { return past.front(); }
  /// The value `delay` ticks ago; zeros from before the start.
  const Vector &at(size_t delay) const { return past[delay]; }
  void reset() { past.assign(depth, Vector(units, 0.0)); }
  void advance() {
    past.push_front(past.front()); // real values persist until rewritten
    past.pop_back();
  }
};

struct Weight {
  neuro::WeightOp op;
  rt::Synapses synapses; ///< rows by pre unit
  Vector initial, values;
  std::vector<uint32_t> preOf;               ///< pre unit of each synapse
  std::vector<std::vector<uint64_t>> byPost; ///< synapses of each post unit
  double lo, hi;                             ///< bounds and sign class
};

struct Projection {
  neuro::ProjectOp op;
  Weight *weight = nullptr;
  Signal *input = nullptr, *output = nullptr;
  std::vector<uint32_t> delays; ///< per synapse; empty: one for all
  uint32_t delay = 0;
  bool hasTransmit = false;
  ScalarCode transmit;
  Vector slots;
};

/// One stage of a population, ready to run.
struct Stage {
  neuro::StageOp op;
  ScalarCode code;
  Vector slots;
};

struct Population {
  neuro::PopulationOp op;
  uint64_t key = 0;
  size_t units = 0; ///< of all lanes
  size_t lanes = 1;
  uint64_t every = 1;
  std::map<std::string, Vector> initial, states, params;
  std::map<std::string, Vector> clamps;
  /// Input port: the signals that feed it and how they join.
  struct Port {
    std::vector<Signal *> signals;
    neuro::Combine combine = neuro::Combine::Sum;
    double defaultValue = 0;
  };
  std::map<std::string, Port> ports;
  std::map<std::string, Signal *> outputs;
  std::map<mlir::Operation *, Stage> stages;
};

/// A rule attached to a weight.
struct Plastic {
  neuro::PlasticOp op;
  neuro::RuleOp rule;
  Weight *weight = nullptr;
  Signal *pre = nullptr, *post = nullptr;
  size_t delay = 0;
  uint64_t key = 0;
  size_t lanes = 1;
  bool isEnabled = true;
  std::map<std::string, std::pair<neuro::Side, Signal *>> factors;
  std::map<std::string, Vector> initial, states; ///< per synapse
  struct Trace {
    neuro::TraceOp op;
    bool onPre = true;
    Vector values;
    ScalarCode tick, spike;
    bool hasSpike = false;
    Vector tickSlots, spikeSlots;
  };
  std::vector<Trace> traces; ///< in order of declaration
  std::map<neuro::Event, ScalarCode> handlers;

  mlir::LogicalResult compile();
  void reset();
  /// Steps (1) to (6) of a tick, as dialects/neuro/README.md numbers them.
  void tick(uint64_t now, double dt);
  /// Runs the handler of `call` for every synapse.
  mlir::LogicalResult call(uint64_t now, double dt);

private:
  Trace *findTrace(const std::string &name);
  void advanceTraces(uint64_t now, double dt, bool spikes);
  /// Runs a handler for every lane, in each for the synapses that the event is
  /// about, and applies the changes.
  void handle(neuro::Event event, uint64_t now, double dt);
  /// The synapses that an event is about in a lane, in canonical order.
  std::vector<uint64_t> getAffected(neuro::Event event, size_t lane) const;
  void load(const ScalarCode &code, double *slots, uint64_t synapse,
            size_t lane);
  ScalarCode::Groups getGroups(const Reduction &reduction,
                               const std::vector<uint64_t> &synapses) const;
  bool isShared() const; ///< the weight's values are shared by synapses
  size_t numPre() const { return pre->units / lanes; }
  size_t numPost() const { return post->units / lanes; }
  void confine();
};

} // namespace neuroc::reference

#endif // NEUROC_LIB_REFERENCE_NETWORK_H
