// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Walks the operands of populations back through projections and delays to the
// signals of nodes. Only what the core has may stand between two nodes; the
// rest is refused by name.
#include "neuroc/Xbar/NetworkView.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;

namespace neuroc::xbar {

using namespace neuro;

Source NetworkView::resolve(Value value) {
  Source source{value, 0};
  while (auto delay = source.base.getDefiningOp<DelayOp>()) {
    source.delay += int64_t(delay.getTicks());
    source.base = delay.getInput();
  }
  if (!isa_and_nonnull<PopulationOp, StimulusOp, SpikeArrayOp>(
          source.base.getDefiningOp()))
    source.base = Value();
  return source;
}

std::pair<PopulationOp, unsigned> NetworkView::getProducer(Value base) {
  auto population = base.getDefiningOp<PopulationOp>();
  return {population, population ? cast<OpResult>(base).getResultNumber() : 0};
}

SymbolRefAttr NetworkView::getSignalName(Value base) {
  Operation *op = base.getDefiningOp();
  if (auto [population, index] = getProducer(base); population) {
    auto outputs = population.getModelOp().list<OutputOp>();
    return SymbolRefAttr::get(
        population.getSymNameAttr(),
        {FlatSymbolRefAttr::get(outputs[index].getSymNameAttr())});
  }
  return SymbolRefAttr::get(SymbolTable::getSymbolName(op));
}

Value NetworkView::findSignal(SymbolRefAttr name) const {
  Operation *op = SymbolTable::lookupSymbolIn(NetworkOp(network).getOperation(),
                                              name.getRootReference());
  if (!op)
    return Value();
  auto population = dyn_cast<PopulationOp>(op);
  if (!population)
    return op->getNumResults() == 1 ? op->getResult(0) : Value();
  unsigned index = 0;
  for (OutputOp output : population.getModelOp().list<OutputOp>()) {
    if (output.getSymNameAttr() == name.getLeafReference())
      return population.getResult(index);
    ++index;
  }
  return Value();
}

PopulationOp NetworkView::findPopulation(StringRef name) const {
  for (PopulationOp population : populations)
    if (population.getSymName() == name)
      return population;
  return PopulationOp();
}

std::vector<Projection *> NetworkView::getUses(WeightOp weight) {
  std::vector<Projection *> uses;
  for (Projection &projection : projections)
    if (projection.weight == weight)
      uses.push_back(&projection);
  return uses;
}

static LogicalResult refuse(Operation *op) {
  return op->emitError()
         << "unsupported: operation '" << op->getName()
         << "' stands between two nodes, which only projections and delays may "
            "on a crossbar machine; write it as a population without state";
}

FailureOr<NetworkView> NetworkView::create(NetworkOp network) {
  NetworkView view;
  view.network = network;
  llvm::DenseMap<Operation *, int64_t> ids;
  llvm::DenseMap<Operation *, PlasticOp> rules;
  Block &body = network.getBody().front();
  int64_t nextId = 0;
  for (Operation &op : body) {
    if (auto population = dyn_cast<PopulationOp>(op))
      view.populations.push_back(population);
    else if (isa<ProjectOp>(op))
      ids[&op] = nextId++;
    else if (auto plastic = dyn_cast<PlasticOp>(op)) {
      view.plastics.push_back(plastic);
      rules[plastic.getWeightOp()] = plastic;
    }
  }
  view.projections.resize(size_t(nextId));
  for (PopulationOp population : view.populations) {
    ModelOp model = population.getModelOp();
    for (InputOp input : model.list<InputOp>()) {
      Port port{population, input};
      for (unsigned index : population.getOperandsOfPort(input.getSymName())) {
        Value operand = population.getInputs()[index];
        if (auto project = operand.getDefiningOp<ProjectOp>()) {
          Projection &entry = view.projections[size_t(ids[project])];
          if (entry.op)
            return project.emitError()
                   << "unsupported: the result of one projection feeds two "
                      "input ports; write the projection twice";
          entry.id = ids[project];
          entry.op = project;
          entry.weight = project.getWeightOp();
          entry.plastic = rules.lookup(entry.weight);
          entry.source = resolve(project.getInput());
          if (!entry.source.base) {
            Operation *def = project.getInput().getDefiningOp();
            return refuse(def ? def : project.getOperation());
          }
          // Synapses with delays of their own start from the last tick's
          // spikes and wait for the rest.
          entry.source.delay +=
              project.getDelays() ? 1 : int64_t(project.getDelay());
          entry.target = port;
          entry.spikes = isSpikeSignal(entry.source.base);
          entry.numSource = getSignalSize(project.getInput());
          entry.numTarget = getSignalSize(project.getOutput());
          continue;
        }
        Direct direct;
        direct.target = port;
        direct.source = resolve(operand);
        if (!direct.source.base) {
          ElementsAttr constant;
          if (!matchPattern(operand, m_Constant(&constant)))
            return refuse(operand.getDefiningOp());
          direct.constant = constant;
        }
        view.directs.push_back(direct);
      }
    }
  }
  for (Operation &op : body) {
    if (isa<ProjectOp>(op) && !view.projections[size_t(ids[&op])].op &&
        !op.use_empty())
      return refuse(*op.getUsers().begin());
    if (auto probe = dyn_cast<ProbeOp>(op))
      if (Source source = resolve(probe.getInput());
          !source.base || source.delay != 0)
        return probe.emitError()
               << "unsupported: on a crossbar machine a probe reads the output "
                  "of a node; add an output to the model or watch a state";
  }
  return view;
}

} // namespace neuroc::xbar
