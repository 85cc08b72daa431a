// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What a network looks like to the mapper: nodes that live on cores, the
// signals that they send, and for every input port the feeds that reach it.
// Mapping passes and code generation derive everything from this one plan.
#ifndef NEUROC_SPINN_MAPPING_PLAN_H
#define NEUROC_SPINN_MAPPING_PLAN_H

#include "neuroc/Neuro/Analysis/Connectivity.h"
#include "neuroc/Neuro/Analysis/TickSchedule.h"
#include "neuroc/Neuro/Neuro.h"
#include "neuroc/Spinn/Spinn.h"

#include <map>
#include <memory>
#include <set>

namespace neuroc::spinn {

/// How a feed's contributions get into its port.
enum class FeedMode {
  Identity, ///< unit i of the source to unit i
  OneToOne, ///< the same, through one weight per unit
  Dense,    ///< values kept in an array, a row of weights per unit
  Gather,   ///< the same, over a list of the synapses of each unit
  Rows      ///< a spike brings a row of synapses, added to a delay ring
};

/// A signal that some core sends.
struct Source {
  mlir::Value signal;
  unsigned node = 0;   ///< who sends it
  unsigned output = 0; ///< its number among the node's outputs
  int64_t units = 0;
  bool isSpikes = false;
  unsigned level = 0;
};

struct Feed {
  unsigned source = 0;
  int64_t delay =
      0; ///< ticks, the same for all synapses (Rows: added to theirs)
  mutable neuro::ProjectOp project; ///< null: Identity
  mutable neuro::WeightOp weight;   ///< null: Identity
  FeedMode mode = FeedMode::Identity;
  mutable neuro::PlasticOp
      plastic; ///< the rule that changes the weight, or null
  bool isTransposed() const { return project && project.getTransposed(); }
};

struct Port {
  mutable neuro::InputOp input;
  std::vector<Feed> feeds;
};

/// A signal read by a plastic: from which source, how many ticks late.
struct Reading {
  unsigned source = 0;
  int64_t delay = 0;
};

/// A population, stimulus or spike array.
struct Node {
  mlir::Operation *op = nullptr;
  std::string name;
  int64_t units = 0;
  mutable neuro::ModelOp model; ///< populations only
  std::vector<Port> ports;
  std::vector<unsigned> outputs;                           ///< sources
  std::vector<std::pair<neuro::StageOp, unsigned>> stages; ///< with level
  /// Consecutive units that stay on one core: what its reductions join.
  int64_t granule = 1;

  neuro::PopulationOp population() const {
    return llvm::dyn_cast<neuro::PopulationOp>(op);
  }
};

/// What a core of a node needs to hear.
struct Listening {
  unsigned source = 0;
  ListenKind kind = ListenKind::Value;
  int64_t maxDelay = 0; ///< history that is kept (Value, Flag)
  bool isLocal = false; ///< only the units of the core's own range
};

class Plan {
public:
  /// Errors, with place: tensor operations between nodes, a projection whose
  /// source is no node's output, per-synapse delays of graded signals, a
  /// batch, reductions that would need several cores.
  static mlir::FailureOr<Plan> build(neuro::NetworkOp network);

  mutable neuro::NetworkOp network;
  std::vector<Node> nodes;
  std::vector<Source> sources;
  std::vector<neuro::PlasticOp> plastics; ///< numbered as in the program
  unsigned levels = 1;
  bool needsEndTick = false; ///< the end of a tick is a sub-tick of its own

  /// Deduplicated, in order of first use.
  std::vector<Listening> listeningOf(const Node &node) const;
  /// The source and delay behind a signal (through `neuro.delay`).
  std::optional<Reading> read(mlir::Value signal) const;
  const Node *findNode(llvm::StringRef name) const;
  /// The synapses of a weight, expanded once.
  const neuro::ExpandedWeight *synapses(neuro::WeightOp weight) const;
  /// The plastics that a block of `feed` needs to hear: pre, post, factors.
  std::vector<Reading> readingsOf(neuro::PlasticOp plastic) const;
  /// Largest synapse delay of a Rows feed in ticks, `feed.delay` included.
  int64_t maxRowDelay(const Feed &feed) const;

private:
  mlir::LogicalResult checkReductions(Node &node);
  mlir::LogicalResult checkRule(neuro::PlasticOp plastic) const;
  void setLevels(const neuro::TickSchedule &schedule);

  llvm::DenseMap<mlir::Value, unsigned> sourceOf;
  mutable std::map<std::string, std::shared_ptr<neuro::ExpandedWeight>> cache;
};

/// Fixed point: the largest number of fraction bits with which [lo, hi] fits a
/// signed 32-bit number.
int fractionBits(double magnitude);

/// Bytes of DTCM that a share of `count` units of `node` needs, `external`:
/// with dense blocks in SDRAM. \p fixed is what does not depend on the share.
struct ShareCost {
  int64_t dtcm = 0, sdram = 0, cycles = 0;
  int64_t rowCycles = 0; ///< besides: served spikes at the assumed rate
  std::vector<int64_t> levelCycles; ///< part of cycles: in each level
  int64_t endCycles = 0;            ///< part of cycles: at the end of the tick
  std::string largest;              ///< what takes most of DTCM, in words
};
ShareCost estimateShare(const Plan &plan, const Node &node, int64_t count,
                        bool external);
/// When cores may send graded values: every `gap` cycles, `phase` cycles after
/// the timer. Cores that send in the same level have slots of their own, so
/// that a receiver gets one packet at a time. No gap: as they come.
struct SendSlot {
  int64_t gap = 0, phase = 0;
};
/// Cycles that a receiver needs for one packet.
constexpr int64_t kPacketCycles = 110;
/// \param levels for each core, the levels in which it sends graded values.
std::vector<SendSlot>
assignSendSlots(const std::vector<std::set<unsigned>> &levels);

/// DTCM that the kernel, its buffers and the stack take.
constexpr int64_t kKernelDtcm = 8 * 1024;

/// Geometry of the delay ring of a share of `count` units.
struct RingShape {
  int64_t sections = 0; ///< one per summing port with row feeds
  int64_t slots = 0;    ///< power of two, > largest delay + 1
  int64_t stride = 0;   ///< entries per slot, power of two >= sections * count
  int64_t entries() const { return slots * stride; }
};
RingShape ringShape(const Plan &plan, const Node &node, int64_t count);

} // namespace neuroc::spinn
#endif // NEUROC_SPINN_MAPPING_PLAN_H
