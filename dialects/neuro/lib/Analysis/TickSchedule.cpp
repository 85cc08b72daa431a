// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Topological order of a tick (Kahn's algorithm, smallest IR position first)
// and the levels of its items. What cannot be ordered is a combinational loop;
// the error walks back from one stuck item along stuck dependencies until an
// item repeats, and names the items of that cycle.
#include "neuroc/Neuro/Analysis/TickSchedule.h"

#include "llvm/ADT/SetVector.h"

#include <set>

using namespace mlir;
using namespace neuroc::neuro;

bool neuroc::neuro::readsPort(StageOp stage, StringRef port) {
  bool found = false;
  stage.walk([&](GetOp get) { found |= get.getName() == port; });
  return found;
}

StageOp neuroc::neuro::getEmittingStage(ModelOp model, StringRef output) {
  for (StageOp stage : model.list<StageOp>()) {
    bool found = false;
    stage.walk([&](EmitOp emit) { found |= emit.getName() == output; });
    if (found)
      return stage;
  }
  return {};
}

StageOp neuroc::neuro::getEmittingStage(PopulationOp population,
                                        unsigned index) {
  ModelOp model = population.getModelOp();
  auto outputs = model.list<OutputOp>();
  return index < outputs.size()
             ? getEmittingStage(model, outputs[index].getSymName())
             : StageOp();
}

namespace {
/// Builds the dependency graph of a network's items.
class GraphBuilder {
public:
  using Item = TickSchedule::Item;

  explicit GraphBuilder(NetworkOp network) {
    for (Operation &op : network.getBody().front())
      addItems(&op);
    for (unsigned i = 0; i < items.size(); ++i)
      addDependencies(i);
  }

  std::vector<Item> items;
  /// For each item: (dependency, whether it is a hop to the next level).
  std::vector<SmallVector<std::pair<unsigned, bool>>> dependencies;

private:
  void addItems(Operation *op) {
    if (isa<WeightOp, PlasticOp, ProbeOp, WatchOp, DatasetOp>(op))
      return;
    if (auto population = dyn_cast<PopulationOp>(op)) {
      if (ModelOp model = population.getModelOp())
        for (StageOp stage : model.list<StageOp>()) {
          numbers[{op, stage}] = items.size();
          items.push_back({op, stage, 0});
        }
      return;
    }
    numbers[{op, nullptr}] = items.size();
    items.push_back({op, StageOp(), 0});
  }

  /// The item that gives `value`, or none.
  std::optional<unsigned> producer(Value value) {
    Operation *op = value.getDefiningOp();
    if (!op)
      return std::nullopt;
    Operation *stage = nullptr;
    // A layer shows its values before it reads anything (see PcLayerOp).
    if (auto layer = dyn_cast<PcLayerOp>(op); layer && value == layer.getValue())
      return std::nullopt;
    if (auto population = dyn_cast<PopulationOp>(op)) {
      if (!population.getModelOp())
        return std::nullopt;
      stage = getEmittingStage(population,
                               cast<OpResult>(value).getResultNumber());
    }
    auto it = numbers.find({op, stage});
    if (it == numbers.end())
      return std::nullopt;
    return it->second;
  }

  void depend(unsigned item, Value value, bool isHop) {
    if (std::optional<unsigned> source = producer(value))
      dependencies[item].push_back({*source, isHop});
  }

  void addDependencies(unsigned number) {
    if (dependencies.size() < items.size())
      dependencies.resize(items.size());
    Operation *op = items[number].op;
    if (auto population = dyn_cast<PopulationOp>(op)) {
      StageOp stage = items[number].stage;
      if (number > 0 && items[number - 1].op == op)
        dependencies[number].push_back({number - 1, false});
      for (auto [index, input] : llvm::enumerate(population.getInputs())) {
        auto ports = population.getPorts();
        if (ports && index < ports->size() &&
            readsPort(stage, cast<StringAttr>((*ports)[index]).getValue()))
          depend(number, input, /*isHop=*/true);
      }
      return;
    }
    if (auto project = dyn_cast<ProjectOp>(op)) {
      if (project.hasSameTickInput())
        depend(number, project.getInput(), false);
      return;
    }
    if (isa<DelayOp, StimulusOp, SpikeArrayOp>(op))
      return;
    if (auto layer = dyn_cast<PcLayerOp>(op)) // its error needs no top-down
      return depend(number, layer.getBelow(), false);
    // Tensor operations and sugar read all operands, and what their regions
    // capture from the network.
    llvm::SetVector<Value> reads(op->operand_begin(), op->operand_end());
    op->walk([&](Operation *inner) {
      for (Value operand : inner->getOperands())
        if (operand.getParentRegion() == op->getParentRegion())
          reads.insert(operand);
    });
    for (Value value : reads)
      depend(number, value, false);
  }

  llvm::DenseMap<std::pair<Operation *, Operation *>, unsigned> numbers;
};
} // namespace

/// Reports the cycle that holds the stuck items together.
static LogicalResult reportLoop(const GraphBuilder &builder,
                                const std::vector<bool> &done) {
  unsigned current = 0;
  while (done[current])
    ++current;
  // Walk back along stuck dependencies until an item repeats.
  SmallVector<unsigned> path;
  llvm::DenseMap<unsigned, unsigned> seen;
  while (!seen.count(current)) {
    seen[current] = path.size();
    path.push_back(current);
    for (auto [dependency, isHop] : builder.dependencies[current])
      if (!done[dependency]) {
        current = dependency;
        break;
      }
  }
  SmallVector<unsigned> cycle(path.begin() + seen[current], path.end());
  auto describe = [&](unsigned number) -> std::string {
    const TickSchedule::Item &item = builder.items[number];
    if (auto population = dyn_cast<PopulationOp>(item.op))
      return ("population '" + population.getSymName() + "' stage '" +
              StageOp(item.stage).getSymName() + "'")
          .str();
    return ("'" + item.op->getName().getStringRef() + "'").str();
  };
  // Start at a population, if there is one: that is what a user knows.
  for (unsigned i = 0; i < cycle.size(); ++i)
    if (builder.items[cycle[i]].stage) {
      std::rotate(cycle.begin(), cycle.begin() + i, cycle.end());
      break;
    }
  InFlightDiagnostic error =
      builder.items[cycle.front()].op->emitError()
      << "combinational loop: " << describe(cycle.front())
      << " needs its own result of the same tick; give one projection of the "
         "loop a delay of at least one tick";
  for (unsigned number : llvm::drop_begin(cycle))
    error.attachNote(builder.items[number].op->getLoc())
        << "through " << describe(number);
  return error;
}

FailureOr<TickSchedule> TickSchedule::compute(NetworkOp network) {
  GraphBuilder builder(network);
  unsigned count = builder.items.size();
  std::vector<unsigned> waiting(count, 0);
  std::vector<SmallVector<unsigned>> users(count);
  for (unsigned i = 0; i < count; ++i)
    for (auto [dependency, isHop] : builder.dependencies[i]) {
      ++waiting[i];
      users[dependency].push_back(i);
    }
  std::set<unsigned> ready;
  for (unsigned i = 0; i < count; ++i)
    if (waiting[i] == 0)
      ready.insert(i);

  TickSchedule schedule;
  std::vector<bool> done(count, false);
  while (!ready.empty()) {
    unsigned number = *ready.begin();
    ready.erase(ready.begin());
    done[number] = true;
    unsigned level = 0;
    for (auto [dependency, isHop] : builder.dependencies[number])
      level = std::max(level, builder.items[dependency].level + isHop);
    builder.items[number].level = level;
    schedule.numLevels = std::max(schedule.numLevels, level + 1);
    schedule.items.push_back(builder.items[number]);
    for (unsigned user : users[number])
      if (--waiting[user] == 0)
        ready.insert(user);
  }
  if (schedule.items.size() != count)
    return reportLoop(builder, done);

  for (const Item &item : schedule.items) {
    auto population = dyn_cast<PopulationOp>(item.op);
    for (auto [index, result] : llvm::enumerate(item.op->getResults()))
      if (!population || getEmittingStage(population, index) == item.stage)
        schedule.signalLevels[result] = item.level;
  }
  return schedule;
}

unsigned TickSchedule::getLevel(Value signal) const {
  return signalLevels.lookup(signal);
}

unsigned TickSchedule::getLevel(PopulationOp population, StageOp stage) const {
  for (const Item &item : items)
    if (item.op == population.getOperation() && item.stage == stage)
      return item.level;
  return 0;
}
