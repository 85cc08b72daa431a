// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Cuts a network with plants in two. Each part keeps its own populations and
// what they need; where it reads a population of the other part it gets a
// stimulus, and the other part a probe. What a plant sends reaches the machine
// in the next tick, so delays behind it on the machine's side are one shorter.
#include "neuroc/Target/Plant.h"

#include "neuroc/Neuro/Analysis/RangeAnalysis.h"
#include "neuroc/Neuro/Neuro.h"

#include "mlir/IR/Builders.h"
#include "mlir/Pass/Pass.h"
#include "llvm/ADT/SetVector.h"

#include <map>
#include <set>

using namespace mlir;
using namespace neuroc;

static neuro::NetworkOp networkOf(ModuleOp module) {
  auto networks = module.getOps<neuro::NetworkOp>();
  return networks.empty() ? neuro::NetworkOp() : *networks.begin();
}

bool neuroc::hasPlants(ModuleOp core) {
  neuro::NetworkOp network = networkOf(core);
  return network &&
         llvm::any_of(network.getBody().front().getOps<neuro::PopulationOp>(),
                      [](neuro::PopulationOp op) { return op.getPlant(); });
}

namespace {

/// One part, while it is cut out of the whole network.
class Part {
public:
  Part(ModuleOp module, bool isPlant)
      : module(module), network(networkOf(module)), isPlant(isPlant) {}

  LogicalResult cut();
  void addProbe(const std::string &link, StringRef population, unsigned output);
  std::set<std::string> projectedWeights();

  /// Link name -> population and number of the output that is needed.
  std::map<std::string, std::pair<std::string, unsigned>> needed;
  ModuleOp module;
  neuro::NetworkOp network;

private:
  enum class Side { Machine, Plant, Both };
  bool isMine(Side side) const {
    return side == Side::Both || (side == Side::Plant) == isPlant;
  }
  static Side sideOf(neuro::PopulationOp population) {
    return population.getPlant() ? Side::Plant : Side::Machine;
  }
  static Side originOf(Value signal);
  Side sideOf(neuro::PlasticOp plastic);
  void findReaders(Value signal, bool &machine, bool &plant);
  void keepWrites();
  bool isDropped(Operation *op);
  Value stimulusFor(neuro::PopulationOp population, OpResult result);
  LogicalResult shorten(Value old, Value fresh);
  void eraseUnused();

  bool isPlant;
  llvm::SmallSetVector<Operation *, 16> dropped;
};

/// The side of the population that a signal comes from; of no population: the
/// machine's.
Part::Side Part::originOf(Value signal) {
  while (Operation *op = signal.getDefiningOp()) {
    if (auto population = dyn_cast<neuro::PopulationOp>(op))
      return sideOf(population);
    if (op->getNumOperands() == 0)
      break;
    signal = op->getOperand(0);
  }
  return Side::Machine;
}

/// Which parts have a population that reads the signal.
void Part::findReaders(Value signal, bool &machine, bool &plant) {
  for (Operation *user : signal.getUsers()) {
    user = network.getBody().front().findAncestorOpInBlock(*user);
    if (auto population = dyn_cast<neuro::PopulationOp>(user))
      (population.getPlant() ? plant : machine) = true;
    else if (!isa<neuro::ProbeOp, neuro::PlasticOp>(user))
      for (Value result : user->getResults())
        findReaders(result, machine, plant);
  }
}

/// A rule runs where its weight is used, else where its post signal is.
Part::Side Part::sideOf(neuro::PlasticOp plastic) {
  bool machine = false, plant = false;
  for (auto project : network.getBody().front().getOps<neuro::ProjectOp>())
    if (project.getWeight() == plastic.getWeight())
      findReaders(project.getOutput(), machine, plant);
  if (machine != plant)
    return plant ? Side::Plant : Side::Machine;
  return machine ? Side::Both : originOf(plastic.getPost());
}

bool Part::isDropped(Operation *op) {
  if (auto population = dyn_cast<neuro::PopulationOp>(op))
    return !isMine(sideOf(population));
  if (auto probe = dyn_cast<neuro::ProbeOp>(op))
    return !isMine(originOf(probe.getInput()));
  if (auto plastic = dyn_cast<neuro::PlasticOp>(op))
    return !isMine(sideOf(plastic));
  if (auto watch = dyn_cast<neuro::WatchOp>(op)) {
    auto population = dyn_cast_or_null<neuro::PopulationOp>(
        SymbolTable::lookupSymbolIn(network, watch.getPopulation()));
    return population && !isMine(sideOf(population));
  }
  return false;
}

Value Part::stimulusFor(neuro::PopulationOp population, OpResult result) {
  std::string name = ("link." + population.getSymName() + "." +
                      llvm::Twine(result.getResultNumber()))
                         .str();
  needed[name] = {population.getSymName().str(), result.getResultNumber()};
  OpBuilder builder(population);
  OperationState state(result.getLoc(), neuro::StimulusOp::getOperationName());
  state.addTypes(result.getType());
  state.addAttribute("sym_name", builder.getStringAttr(name));
  if (auto range = population->getAttrOfType<DenseF64ArrayAttr>(
          "link_range_" + std::to_string(result.getResultNumber())))
    state.addAttribute("range", range);
  return builder.create(state)->getResult(0);
}

/// Gives the readers of `old` that stay the signal `fresh`, which is what `old`
/// was a tick ago: the first delay on each way is one tick shorter.
LogicalResult Part::shorten(Value old, Value fresh) {
  SmallVector<OpOperand *> uses;
  for (OpOperand &use : old.getUses())
    uses.push_back(&use);
  for (OpOperand *use : uses) {
    Operation *user = use->getOwner();
    if (dropped.contains(
            network.getBody().front().findAncestorOpInBlock(*user)))
      continue;
    use->set(fresh);
    if (auto delay = dyn_cast<neuro::DelayOp>(user)) {
      if (int64_t(delay.getTicks()) > 1)
        delay.setTicks(delay.getTicks() - 1);
      else
        delay.getOutput().replaceAllUsesWith(fresh);
    } else if (auto plastic = dyn_cast<neuro::PlasticOp>(user)) {
      if (int64_t(plastic.getDelay()) > 0)
        plastic.setDelay(plastic.getDelay() - 1);
    } else if (auto project = dyn_cast<neuro::ProjectOp>(user)) {
      if (project.getDelays())
        return project.emitError(
            "unsupported: a delay for each synapse behind a plant, on a "
            "machine that does not compute plants; give it one 'delay'");
      if (int64_t(project.getDelay()) > 0)
        project.setDelay(project.getDelay() - 1);
      else if (failed(shorten(project.getOutput(), project.getOutput())))
        return failure();
    } else {
      for (Value result : user->getResults())
        if (failed(shorten(result, result)))
          return failure();
    }
  }
  return success();
}

/// Of the experiment a part needs to know only what it assigns and clamps, and
/// how large that is.
void Part::keepWrites() {
  auto experiments = llvm::to_vector(module.getOps<neuro::ExperimentOp>());
  for (neuro::ExperimentOp experiment : experiments) {
    Block &body = experiment.getBody().front();
    OpBuilder builder = OpBuilder::atBlockBegin(&body);
    SmallVector<Operation *> kept;
    auto isHere = [&](StringRef name) {
      return SymbolTable::lookupSymbolIn(network, name) != nullptr;
    };
    /// A store of numbers that are not known.
    auto store = [&](StringRef target, std::optional<StringRef> variable,
                     bool clamp) {
      Location loc = experiment.getLoc();
      auto kind = neuro::HostKindAttr::get(builder.getContext(),
                                           variable ? neuro::HostKind::State
                                                    : neuro::HostKind::Weight);
      OperationState read(loc, neuro::ReadOp::getOperationName());
      read.addAttribute("of", kind);
      read.addAttribute("source", builder.getStringAttr(target));
      if (variable)
        read.addAttribute("variable", builder.getStringAttr(*variable));
      read.addTypes(UnrankedTensorType::get(builder.getF64Type()));
      Operation *unknown = builder.create(read);
      kept.push_back(unknown);
      OperationState state(loc, neuro::StoreOp::getOperationName());
      state.addOperands(unknown->getResult(0));
      state.addAttribute("into", kind);
      state.addAttribute("target", builder.getStringAttr(target));
      if (variable)
        state.addAttribute("variable", builder.getStringAttr(*variable));
      if (clamp)
        state.addAttribute("clamp", builder.getUnitAttr());
      kept.push_back(builder.create(state));
    };
    SmallVector<Operation *> steps;
    experiment.walk([&](Operation *op) { steps.push_back(op); });
    for (Operation *op : steps) {
      if (auto clamp = dyn_cast<neuro::ClampOp>(op)) {
        if (!isHere(clamp.getPopulation()))
          continue;
        if (clamp.getValues())
          kept.push_back(builder.clone(*op));
        else
          store(clamp.getPopulation(), clamp.getVariable(), true);
      } else if (auto assign = dyn_cast<neuro::AssignOp>(op)) {
        if (!isHere(assign.getTarget()))
          continue;
        if (assign.getValues())
          kept.push_back(builder.clone(*op));
        else
          store(assign.getTarget(), assign.getVariable(), false);
      } else if (auto put = dyn_cast<neuro::StoreOp>(op)) {
        bool isState = put.getInto() == neuro::HostKind::State;
        if ((isState || put.getInto() == neuro::HostKind::Weight) &&
            isHere(put.getTarget()))
          store(put.getTarget(), put.getVariable(), bool(put.getClamp()));
      }
    }
    SmallVector<Operation *> rest;
    for (Operation &op : body)
      if (!llvm::is_contained(kept, &op))
        rest.push_back(&op);
    for (Operation *op : rest)
      op->dropAllReferences();
    for (Operation *op : llvm::reverse(rest)) {
      op->dropAllUses();
      op->erase();
    }
  }
}

/// Operations without effect whose result nobody reads, and weights that
/// nothing goes through any more.
void Part::eraseUnused() {
  bool changed = true;
  while (changed) {
    changed = false;
    for (Operation &op :
         llvm::make_early_inc_range(llvm::reverse(network.getBody().front())))
      if (op.getNumResults() && op.use_empty() &&
          !isa<neuro::PopulationOp, neuro::StimulusOp, neuro::SpikeArrayOp>(
              op)) {
        op.erase();
        changed = true;
      }
  }
  std::set<std::string> used = projectedWeights();
  for (auto plastic : network.getBody().front().getOps<neuro::PlasticOp>())
    used.insert(plastic.getWeight().str());
  for (auto weight : llvm::make_early_inc_range(
           network.getBody().front().getOps<neuro::WeightOp>()))
    if (!used.count(weight.getSymName().str()))
      weight.erase();
  // Links that served only what nobody reads; of the sources the plants keep
  // what they use.
  for (Operation &op : llvm::make_early_inc_range(network.getBody().front())) {
    if (!isa<neuro::StimulusOp, neuro::SpikeArrayOp>(op) || !op.use_empty())
      continue;
    std::string name =
        op.getAttrOfType<StringAttr>("sym_name").getValue().str();
    if (needed.erase(name) || isPlant)
      op.erase();
  }
}

std::set<std::string> Part::projectedWeights() {
  std::set<std::string> names;
  for (auto project : network.getBody().front().getOps<neuro::ProjectOp>())
    names.insert(project.getWeight().str());
  return names;
}

LogicalResult Part::cut() {
  for (Operation &op : network.getBody().front())
    if (isDropped(&op))
      dropped.insert(&op);
  for (Operation *op : dropped) {
    auto population = dyn_cast<neuro::PopulationOp>(op);
    if (!population)
      continue;
    for (OpResult result : population->getResults()) {
      bool isRead = llvm::any_of(result.getUsers(), [&](Operation *user) {
        return !dropped.contains(
            network.getBody().front().findAncestorOpInBlock(*user));
      });
      if (!isRead)
        continue;
      Value stimulus = stimulusFor(population, result);
      if (!isPlant) {
        if (failed(shorten(result, stimulus)))
          return failure();
        continue;
      }
      result.replaceUsesWithIf(stimulus, [&](OpOperand &use) {
        return !dropped.contains(use.getOwner());
      });
    }
  }
  for (Operation *op : dropped)
    op->dropAllReferences();
  for (Operation *op : dropped) {
    op->dropAllUses();
    op->erase();
  }
  dropped.clear();
  eraseUnused();
  keepWrites();
  return success();
}

void Part::addProbe(const std::string &link, StringRef population,
                    unsigned output) {
  auto source = cast<neuro::PopulationOp>(
      SymbolTable::lookupSymbolIn(network, population));
  OpBuilder builder = OpBuilder::atBlockEnd(&network.getBody().front());
  OperationState state(source.getLoc(), neuro::ProbeOp::getOperationName());
  state.addOperands(source->getResult(output));
  state.addAttribute("sym_name", builder.getStringAttr(link));
  state.addAttribute("every", builder.getI64IntegerAttr(1));
  builder.create(state);
}

} // namespace

LogicalResult neuroc::splitPlants(ModuleOp core, PlantSplit &split) {
  neuro::NetworkOp network = networkOf(core);
  // Machines with fixed-point numbers want to know what may arrive.
  neuro::RangeOptions options;
  options.hostWrites = true;
  neuro::RangeAnalysis ranges(network, options);
  Builder builder(core.getContext());
  for (auto population :
       network.getBody().front().getOps<neuro::PopulationOp>())
    for (OpResult result : population->getResults()) {
      neuro::Bound bound = ranges.signal(result);
      if (bound.interval.isFinite() &&
          cast<ShapedType>(result.getType()).getElementType().isF32())
        population->setAttr(
            "link_range_" + std::to_string(result.getResultNumber()),
            builder.getDenseF64ArrayAttr(
                {bound.interval.lo,
                 std::max(bound.interval.hi, bound.interval.lo + 1e-9)}));
    }
  split.plant = cast<ModuleOp>(core->clone());
  Part machine(core, false), plant(*split.plant, true);
  if (failed(machine.cut()) || failed(plant.cut()))
    return failure();
  std::set<std::string> here = machine.projectedWeights(),
                        there = plant.projectedWeights();
  for (Part *part : {&machine, &plant})
    for (auto plastic :
         part->network.getBody().front().getOps<neuro::PlasticOp>()) {
      std::string weight = plastic.getWeight().str();
      if (here.count(weight) && there.count(weight))
        return plastic.emitError("unsupported: weight '")
               << weight
               << "' learns and is used by plants and by others, on a machine "
                  "that does not compute plants; give each side its own";
    }
  for (const auto &[link, from] : plant.needed) {
    machine.addProbe(link, from.first, from.second);
    split.links.push_back({true, link});
  }
  for (const auto &[link, from] : machine.needed) {
    plant.addProbe(link, from.first, from.second);
    split.links.push_back({false, link});
  }
  for (ModuleOp module : {core, *split.plant})
    module.walk([](neuro::PopulationOp population) {
      SmallVector<StringAttr> names;
      for (NamedAttribute attribute : population->getDiscardableAttrs())
        if (attribute.getName().getValue().starts_with("link_range_"))
          names.push_back(attribute.getName());
      for (StringAttr name : names)
        population->removeDiscardableAttr(name);
    });
  return success();
}

namespace {
struct SplitPlantsPass : PassWrapper<SplitPlantsPass, OperationPass<ModuleOp>> {
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(SplitPlantsPass)
  StringRef getArgument() const override { return "split-plants"; }
  StringRef getDescription() const override {
    return "Cut a network with plants into the machine's part and @plant";
  }
  void runOnOperation() override {
    PlantSplit split;
    if (!hasPlants(getOperation()))
      return;
    if (failed(splitPlants(getOperation(), split)))
      return signalPassFailure();
    split.plant->setSymName("plant");
    getOperation().push_back(split.plant.release());
  }
};
} // namespace

void neuroc::registerPlantPasses() { PassRegistration<SplitPlantsPass>(); }
