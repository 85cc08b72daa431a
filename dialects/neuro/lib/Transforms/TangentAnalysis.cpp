// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Two fixpoints over a network: forwards, what depends on a parameter; then
// backwards from the probes, what a wanted derivative depends on. Spikes and
// other truth values carry no derivative and end both.
#include "TangentAnalysis.h"

#include "Differentiate.h"

#include "mlir/IR/TypeUtilities.h"

using namespace mlir;
using namespace neuroc::neuro;

std::string WantedParam::tangentName(StringRef base) const {
  std::string result = ("d_" + base + "_wrt_" + population + "_" + param).str();
  for (char &c : result)
    if (!llvm::isAlnum(c))
      c = '_';
  return result;
}

std::vector<WantedParam> TangentAnalysis::getWanted(NetworkOp network) {
  std::vector<WantedParam> wanted;
  for (ProbeOp probe : network.getBody().front().getOps<ProbeOp>())
    if (std::optional<StringRef> wrt = probe.getWrt()) {
      auto [population, param] = wrt->rsplit('.');
      bool isKnown = llvm::any_of(
          wanted, [&](const WantedParam &w) { return w.name() == *wrt; });
      if (!isKnown)
        wanted.push_back({population.str(), param.str()});
    }
  return wanted;
}

Attribute neuroc::neuro::getInitialSlope(PopulationOp population,
                                         StringRef state, StringRef param) {
  auto all = population->getAttrOfType<DictionaryAttr>("neuro.init_slopes");
  auto slopes = all ? all.getAs<DictionaryAttr>(state) : DictionaryAttr();
  return slopes ? slopes.get(param) : Attribute();
}

/// What a tensor operation reads: operands, and what its regions capture.
static llvm::SetVector<Value> getReads(Operation *op) {
  llvm::SetVector<Value> reads(op->operand_begin(), op->operand_end());
  op->walk([&](Operation *inner) {
    for (Value operand : inner->getOperands())
      if (operand.getParentRegion() == op->getParentRegion())
        reads.insert(operand);
  });
  return reads;
}

static bool isReal(Value value) {
  return isa<FloatType>(getElementTypeOrSelf(value.getType()));
}

TangentAnalysis::TangentAnalysis(NetworkOp network,
                                 const std::vector<WantedParam> &wanted)
    : wanted(wanted) {
  Block &body = network.getBody().front();
  do {
    changed = false;
    for (Operation &op : body)
      visitForward(&op);
  } while (changed);
  for (ProbeOp probe : body.getOps<ProbeOp>())
    if (std::optional<StringRef> wrt = probe.getWrt())
      for (auto [number, param] : llvm::enumerate(wanted))
        if (param.name() == *wrt && depends(probe.getInput(), number)) {
          ParamSet set = none();
          set.set(number);
          grow(needed.values[probe.getInput()], set);
        }
  do {
    changed = false;
    for (Operation &op : llvm::reverse(body))
      visitBackward(&op);
  } while (changed);
}

bool TangentAnalysis::grow(ParamSet &set, const ParamSet &by) {
  if (set.empty())
    set = none();
  ParamSet more = set;
  more |= by;
  if (more == set)
    return false;
  set = more;
  return changed = true;
}

ParamSet TangentAnalysis::lookup(const Facts &facts, Value value) const {
  auto it = facts.values.find(value);
  return it == facts.values.end() || it->second.empty() ? none() : it->second;
}

//===----------------------------------------------------------------------===//
// Forwards
//===----------------------------------------------------------------------===//

void TangentAnalysis::visitForward(PopulationOp population) {
  ModelOp model = population.getModelOp();
  auto nameOf = [&](StringRef name) -> ParamSet & {
    ParamSet &set = active.names[{population, name.str()}];
    if (set.empty())
      set = none();
    return set;
  };
  for (auto [number, param] : llvm::enumerate(wanted))
    if (param.population == population.getSymName())
      nameOf(param.param).set(number);
  for (StateOp state : model.list<StateOp>())
    for (auto [number, param] : llvm::enumerate(wanted))
      if (param.population == population.getSymName() &&
          getInitialSlope(population, state.getSymName(), param.param))
        nameOf(state.getSymName()).set(number);
  for (InputOp input : model.list<InputOp>())
    for (unsigned operand : population.getOperandsOfPort(input.getSymName()))
      grow(nameOf(input.getSymName()),
           lookup(active, population.getInputs()[operand]));
  for (StageOp stage : model.list<StageOp>())
    for (Operation &op : stage.getBody().front()) {
      if (auto get = dyn_cast<GetOp>(op)) {
        grow(active.values[get.getResult()], nameOf(get.getName()));
      } else if (auto set = dyn_cast<SetOp>(op)) {
        grow(nameOf(set.getName()), lookup(active, set.getValue()));
      } else if (auto emit = dyn_cast<EmitOp>(op)) {
        if (isReal(emit.getValue()))
          grow(nameOf(emit.getName()), lookup(active, emit.getValue()));
      } else if (!isLocallyConstant(&op)) {
        for (Value result : op.getResults())
          for (Value operand : op.getOperands())
            grow(active.values[result], lookup(active, operand));
      }
    }
  for (auto [output, result] :
       llvm::zip(model.list<OutputOp>(), population.getOutputs()))
    grow(active.values[result], nameOf(output.getSymName()));
}

void TangentAnalysis::visitForward(Operation *op) {
  if (auto population = dyn_cast<PopulationOp>(op))
    return visitForward(population);
  if (auto plastic = dyn_cast<PlasticOp>(op)) {
    for (Value signal : op->getOperands())
      grow(active.weights[plastic.getWeightOp()], lookup(active, signal));
    return;
  }
  if (op->getNumResults() == 0)
    return;
  ParamSet all = none();
  for (Value read : getReads(op))
    all |= lookup(active, read);
  if (auto project = dyn_cast<ProjectOp>(op))
    if (auto it = active.weights.find(project.getWeightOp());
        it != active.weights.end())
      all |= it->second;
  bool isTensorCode = !isa<NeuroDialect>(op->getDialect());
  if (isTensorCode && op->getNumRegions() == 0 && isLocallyConstant(op))
    return;
  for (Value result : op->getResults())
    if (isReal(result))
      grow(active.values[result], all);
}

//===----------------------------------------------------------------------===//
// Backwards
//===----------------------------------------------------------------------===//

void TangentAnalysis::visitBackward(PopulationOp population) {
  ModelOp model = population.getModelOp();
  auto nameOf = [&](StringRef name) -> ParamSet & {
    ParamSet &set = needed.names[{population, name.str()}];
    if (set.empty())
      set = none();
    return set;
  };
  for (auto [output, result] :
       llvm::zip(model.list<OutputOp>(), population.getOutputs()))
    grow(nameOf(output.getSymName()), lookup(needed, result));
  for (StageOp stage : llvm::reverse(model.list<StageOp>()))
    for (Operation &op : llvm::reverse(stage.getBody().front())) {
      if (auto get = dyn_cast<GetOp>(op)) {
        grow(nameOf(get.getName()), lookup(needed, get.getResult()));
      } else if (auto set = dyn_cast<SetOp>(op)) {
        grow(needed.values[set.getValue()], nameOf(set.getName()));
      } else if (auto emit = dyn_cast<EmitOp>(op)) {
        grow(needed.values[emit.getValue()], nameOf(emit.getName()));
      } else if (op.getNumResults() == 1 && !isLocallyConstant(&op)) {
        for (Value operand : op.getOperands())
          grow(needed.values[operand], lookup(needed, op.getResult(0)));
      }
    }
  for (InputOp input : model.list<InputOp>())
    for (unsigned operand : population.getOperandsOfPort(input.getSymName()))
      grow(needed.values[population.getInputs()[operand]],
           nameOf(input.getSymName()));
}

void TangentAnalysis::visitBackward(Operation *op) {
  if (auto population = dyn_cast<PopulationOp>(op))
    return visitBackward(population);
  ParamSet all = none();
  for (Value result : op->getResults())
    all |= lookup(needed, result);
  if (auto project = dyn_cast<ProjectOp>(op))
    grow(needed.weights[project.getWeightOp()], all);
  for (Value read : getReads(op))
    grow(needed.values[read], all);
}

//===----------------------------------------------------------------------===//
// Questions
//===----------------------------------------------------------------------===//

ParamSet TangentAnalysis::ofSignal(Value signal) const {
  return ofValue(signal);
}

ParamSet TangentAnalysis::ofValue(Value value) const {
  ParamSet result = lookup(active, value);
  result &= lookup(needed, value);
  return result;
}

ParamSet TangentAnalysis::ofName(PopulationOp population,
                                 StringRef name) const {
  std::pair<Operation *, std::string> key{population, name.str()};
  auto from = active.names.find(key), to = needed.names.find(key);
  if (from == active.names.end() || to == needed.names.end())
    return none();
  ParamSet result = from->second;
  result &= to->second;
  return result;
}

ParamSet TangentAnalysis::ofWeight(WeightOp weight) const {
  auto from = active.weights.find(weight), to = needed.weights.find(weight);
  if (from == active.weights.end() || to == needed.weights.end() ||
      from->second.empty() || to->second.empty())
    return none();
  ParamSet result = from->second;
  result &= to->second;
  return result;
}

ParamSet TangentAnalysis::dependencies(Value signal) const {
  return lookup(active, signal);
}

bool TangentAnalysis::depends(Value signal, unsigned param) const {
  return dependencies(signal).test(param);
}
