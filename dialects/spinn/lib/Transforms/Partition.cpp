// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Cuts nodes into core shares. The largest share of a node is what DTCM holds
// (dense weights go to SDRAM where cores are too few) and what the cycle budget
// of a tick allows. The budget is real time if the machine has cores enough,
// else the smallest multiple of it with which everything fits; the tick is then
// slowed down by that factor. Listeners are found from the synapses.
#include "neuroc/Neuro/Analysis/Connectivity.h"
#include "neuroc/Spinn/Mapping/MachineModel.h"
#include "neuroc/Spinn/Mapping/Plan.h"
#include "neuroc/Spinn/Passes.h"

#include "mlir/IR/Builders.h"
#include "neuroc/rt/spinn/CoreAbi.h"
#include "llvm/Support/MathExtras.h"

#include <cmath>

namespace neuroc::spinn {
#define GEN_PASS_DEF_PARTITION
#include "neuroc/Spinn/SpinnPasses.h.inc"
} // namespace neuroc::spinn

using namespace mlir;
using namespace neuroc;
using namespace neuroc::spinn;

namespace {

/// Part of a sub-tick that estimated work may fill: the rest is for packets.
constexpr double kFill = 0.7;
/// Largest share: unit numbers are kept small for keys and row words.
constexpr int64_t kMaxShare = 2048;

struct Cut {
  int64_t shares = 0;
  bool external = false;
};

class Partition : public neuroc::spinn::impl::PartitionBase<Partition> {
public:
  using PartitionBase::PartitionBase;

  void runOnOperation() override {
    for (auto mapping : llvm::to_vector(getOperation().getOps<MappingOp>()))
      if (failed(visit(mapping)))
        return signalPassFailure();
  }

private:
  /// Whether the rows of `count` units, the synapses of one source unit on the
  /// core, fit the kernel's fetch buffers. Exact for layouts that join every
  /// pair, ten standard deviations for random ones; lists and degrees are
  /// checked when their rows are laid out.
  static bool rowsFit(const Node &node, int64_t count) {
    for (const Port &port : node.ports)
      for (const Feed &feed : port.feeds) {
        if (feed.mode != FeedMode::Rows)
          continue;
        double longest = 0;
        if (neuro::isDenseLayout(feed.weight))
          longest = static_cast<double>(count);
        else if (auto random = dyn_cast<neuro::FixedProbabilityAttr>(
                     feed.weight.getConnect())) {
          double mean = random.getP().getValueAsDouble() * count;
          longest =
              std::min<double>(count, mean + 10.0 * std::sqrt(mean) + 1.0);
        }
        if (longest > NEUROC_SPINN_MAX_ROW_WORDS)
          return false;
      }
    return true;
  }

  bool fits(const Node &node, int64_t count, bool external, double cycles) {
    int64_t limit = unitsPerCore ? std::max<int64_t>(unitsPerCore, node.granule)
                                 : kMaxShare;
    if (count > std::min(limit, kMaxShare) || !rowsFit(node, count))
      return false;
    RingShape ring = ringShape(*plan, node, count);
    if (ring.sections && ring.entries() > 65536)
      return false;
    ShareCost cost = estimateShare(*plan, node, count, external);
    return cost.dtcm <= machine.dtcmBytes &&
           static_cast<double>(cost.cycles + cost.rowCycles) <= cycles;
  }

  /// Fewest equal shares; none if the smallest is too large. A share is made
  /// of whole granules.
  std::optional<int64_t> countShares(const Node &node, bool external,
                                     double cycles) {
    int64_t granules = node.units / node.granule;
    auto sizeOf = [&](int64_t shares) {
      return node.granule *
             static_cast<int64_t>(llvm::divideCeil(granules, shares));
    };
    if (!fits(node, node.granule, external, std::max(cycles, 1e18)))
      return std::nullopt;
    int64_t low = 1, high = granules;
    if (!fits(node, node.granule, external, cycles))
      return granules;
    while (low < high) {
      int64_t middle = (low + high) / 2;
      if (fits(node, sizeOf(middle), external, cycles))
        high = middle;
      else
        low = middle + 1;
    }
    return low;
  }

  /// Cuts all nodes for a cycle budget. \returns the total number of shares,
  /// or nothing if some node does not fit at all.
  std::optional<int64_t> cutAll(double cycles, bool external,
                                std::vector<Cut> &cuts, const Node **culprit) {
    cuts.assign(plan->nodes.size(), {});
    int64_t total = 0;
    for (auto [index, node] : llvm::enumerate(plan->nodes)) {
      std::optional<int64_t> shares = countShares(node, external, cycles);
      if (!shares) {
        *culprit = &node;
        return std::nullopt;
      }
      cuts[index] = {*shares, external};
      total += *shares;
    }
    return total;
  }

  LogicalResult tooBig(InFlightDiagnostic error) {
    getOperation()->setAttr("neuroc.does_not_fit",
                            UnitAttr::get(&getContext()));
    error.report();
    return failure();
  }

  LogicalResult visit(MappingOp mapping) {
    auto network =
        dyn_cast_or_null<neuro::NetworkOp>(SymbolTable::lookupNearestSymbolFrom(
            mapping->getParentOp(), mapping.getNetworkAttr()));
    if (!network)
      return mapping.emitError("maps no network of this module");
    FailureOr<Plan> built = Plan::build(network);
    if (failed(built))
      return failure();
    plan = &*built;
    machine = *MachineModel::find(mapping.getMachine().str());
    double dt = network.getDt().convertToDouble();
    double realTime = dt * machine.cyclesPerMs;
    int64_t available = static_cast<int64_t>(machine.numCores());

    std::vector<Cut> cuts;
    const Node *culprit = nullptr;
    bool done = false;
    for (bool external : {false, true}) {
      culprit = nullptr;
      std::optional<int64_t> least = cutAll(1e18, external, cuts, &culprit);
      if (!least || *least > available)
        continue;
      for (double factor = 1.0;; factor *= 1.2) {
        std::optional<int64_t> total =
            cutAll(kFill * realTime * factor, external, cuts, &culprit);
        if (total && *total <= available)
          break;
      }
      done = true;
      break;
    }
    if (!done)
      return reportNoRoom(culprit, available);
    createShares(mapping, cuts);
    createListeners(mapping);
    setTiming(mapping, realTime);
    return success();
  }

  LogicalResult reportNoRoom(const Node *culprit, int64_t available) {
    if (culprit) {
      if (culprit->granule > 1)
        return reportGroup(*culprit);
      ShareCost cost = estimateShare(*plan, *culprit, 1, true);
      RingShape ring = ringShape(*plan, *culprit, 1);
      InFlightDiagnostic error =
          culprit->op->emitError("'")
          << culprit->name << "' does not fit a core: one unit needs "
          << cost.dtcm << " bytes of DTCM, " << machine.dtcmBytes
          << " exist; most is for " << cost.largest;
      error.attachNote() << (ring.entries() > 8192
                                 ? "shorter delays or a longer time step help"
                                 : "fewer inputs per unit help");
      return tooBig(std::move(error));
    }
    std::vector<Cut> cuts;
    std::optional<int64_t> total = cutAll(1e18, true, cuts, &culprit);
    size_t largest = 0;
    for (size_t i = 0; i < cuts.size(); ++i)
      if (cuts[i].shares > cuts[largest].shares)
        largest = i;
    const Node &node = plan->nodes[largest];
    InFlightDiagnostic error = node.op->emitError("the network needs ")
                               << *total << " cores but '" << machine.name
                               << "' has " << available << "; '" << node.name
                               << "' alone takes " << cuts[largest].shares;
    error.attachNote() << "a larger machine (see `neuroc targets`), fewer "
                          "units, or fewer synapses help";
    return tooBig(std::move(error));
  }

  LogicalResult reportGroup(const Node &node) {
    ShareCost cost = estimateShare(*plan, node, node.granule, true);
    InFlightDiagnostic error =
        node.op->emitError("'")
        << node.name << "': the " << node.granule
        << " units that a reduction joins must be on one core, and ";
    if (cost.dtcm > machine.dtcmBytes)
      error << "need " << cost.dtcm << " bytes of DTCM, " << machine.dtcmBytes
            << " exist; most is for " << cost.largest;
    else
      error << "a core takes at most " << kMaxShare;
    error.attachNote() << "smaller groups, or populations of their own whose "
                          "results are joined through connections, help";
    return tooBig(std::move(error));
  }

  struct Share {
    CoreOp op;
    unsigned node;
    int64_t first, count;
    ShareCost cost;
  };

  void createShares(MappingOp mapping, const std::vector<Cut> &cuts) {
    OpBuilder builder(mapping.getContext());
    builder.setInsertionPointToEnd(&mapping.getBody().front());
    shares.clear();
    for (auto [index, node] : llvm::enumerate(plan->nodes)) {
      int64_t first = 0, number = cuts[index].shares;
      for (int64_t i = 0; i < number; ++i) {
        int64_t granules = node.units / node.granule;
        int64_t count =
            node.granule * (granules / number + (i < granules % number));
        ShareCost cost =
            estimateShare(*plan, node, count, cuts[index].external);
        auto core = CoreOp::create(
            builder, node.op->getLoc(), node.name + "_" + std::to_string(i),
            node.name, ArrayRef<int64_t>{first, count}, cost.dtcm, cost.sdram,
            cost.cycles + cost.rowCycles, cuts[index].external,
            DenseI64ArrayAttr(), DenseI64ArrayAttr());
        shares.push_back(
            {core, static_cast<unsigned>(index), first, count, cost});
        first += count;
      }
    }
  }

  /// The first share of each node among `shares`, and their number.
  std::pair<unsigned, unsigned> sharesOf(unsigned node) {
    unsigned first = 0;
    while (shares[first].node != node)
      ++first;
    unsigned last = first;
    while (last < shares.size() && shares[last].node == node)
      ++last;
    return {first, last - first};
  }
  unsigned shareOfUnit(std::pair<unsigned, unsigned> range, int64_t unit) {
    unsigned low = range.first, high = range.first + range.second - 1;
    while (low < high) {
      unsigned middle = (low + high + 1) / 2;
      if (shares[middle].first <= unit)
        low = middle;
      else
        high = middle - 1;
    }
    return low;
  }

  void createListeners(MappingOp mapping) {
    OpBuilder builder(mapping.getContext());
    builder.setInsertionPointToEnd(&mapping.getBody().front());
    edges.clear();
    for (auto [nodeIndex, node] : llvm::enumerate(plan->nodes)) {
      auto targets = sharesOf(nodeIndex);
      for (const Listening &listening : plan->listeningOf(node)) {
        const Source &source = plan->sources[listening.source];
        auto origins = sharesOf(source.node);
        // which (target, origin) pairs have something to say to each other
        std::vector<bool> wanted(size_t(targets.second) * origins.second);
        auto mark = [&](unsigned target, unsigned origin) {
          wanted[size_t(target - targets.first) * origins.second +
                 (origin - origins.first)] = true;
        };
        bool everyone = false;
        for (const Port &port : node.ports)
          for (Feed feed : port.feeds) {
            if (feed.plastic)
              for (const Reading &reading : plan->readingsOf(feed.plastic))
                everyone |= reading.source == listening.source &&
                            listening.kind != ListenKind::Rows;
            if (feed.source != listening.source ||
                (feed.mode == FeedMode::Rows) !=
                    (listening.kind == ListenKind::Rows))
              continue;
            if (feed.mode == FeedMode::Dense) {
              everyone = true;
            } else if (feed.mode == FeedMode::Identity ||
                       feed.mode == FeedMode::OneToOne) {
              for (int64_t unit = 0; unit < node.units; ++unit)
                mark(shareOfUnit(targets, unit), shareOfUnit(origins, unit));
            } else {
              const rt::Synapses &synapses =
                  plan->synapses(feed.weight)->synapses;
              for (size_t pre = 0; pre + 1 < synapses.rowStart.size(); ++pre)
                for (uint64_t s = synapses.rowStart[pre];
                     s < synapses.rowStart[pre + 1]; ++s) {
                  int64_t from = static_cast<int64_t>(pre);
                  int64_t to = synapses.post[s];
                  if (feed.isTransposed())
                    std::swap(from, to);
                  mark(shareOfUnit(targets, to), shareOfUnit(origins, from));
                }
            }
          }
        for (unsigned target = 0; target < targets.second; ++target)
          for (unsigned origin = 0; origin < origins.second; ++origin) {
            if (!everyone && !wanted[size_t(target) * origins.second + origin])
              continue;
            Share &to = shares[targets.first + target];
            Share &from = shares[origins.first + origin];
            ListenOp::create(builder, node.op->getLoc(), to.op.getSymName(),
                             from.op.getSymName(), source.output,
                             listening.kind);
            edges.push_back({targets.first + target, origins.first + origin,
                             listening.kind, source.level});
          }
      }
    }
  }

  /// Gives graded senders their slots. The period has room for them and for the
  /// slowest core's estimated work.
  void setTiming(MappingOp mapping, double realTime) {
    OpBuilder builder(mapping.getContext());
    std::vector<std::set<unsigned>> levels(shares.size());
    bool graded = false;
    for (const Edge &edge : edges)
      if (edge.kind == ListenKind::Value) {
        graded = true;
        levels[edge.origin].insert(edge.level);
      }
    std::vector<SendSlot> slots = assignSendSlots(levels);
    double needed = 0;
    for (auto [index, share] : llvm::enumerate(shares)) {
      int64_t sending = 0;
      if (slots[index].gap) {
        share.op.setSlotsAttr(builder.getDenseI64ArrayAttr(
            {slots[index].gap, slots[index].phase}));
        sending = slots[index].gap * (share.count + 1);
      }
      int64_t work = share.cost.endCycles;
      if (mapping.getSubticks() == mapping.getLevels())
        work += share.cost.levelCycles.back();
      for (int64_t cycles : share.cost.levelCycles)
        work = std::max(work, cycles + sending);
      work += share.cost.rowCycles + slots[index].phase;
      needed = std::max(needed, static_cast<double>(work));
    }
    if (graded) // a late value would be a wrong one: estimates get a margin
      needed = 1.4 * needed + 4000;
    int64_t length = std::max<int64_t>(
        1, static_cast<int64_t>(std::ceil(realTime / mapping.getSubticks())));
    if (period)
      length = period;
    else
      length = std::max(length, static_cast<int64_t>(std::ceil(needed)));
    mapping.setPeriod(length);
    double slowdown =
        static_cast<double>(length) * mapping.getSubticks() / realTime;
    if (slowdown < 1.0 + 1e-3)
      slowdown = std::min(slowdown, 1.0);
    mapping.setSlowdown(APFloat(slowdown));
  }

  struct Edge {
    unsigned target, origin;
    ListenKind kind;
    unsigned level;
  };

  Plan *plan = nullptr;
  MachineModel machine;
  std::vector<Share> shares;
  std::vector<Edge> edges;
};
} // namespace
