// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Gives each population its own copy of its model and each plastic its own copy
// of its rule, and folds into the copy what is one number for all units: the
// parameters, dt, and the numbers of random draws. Parameters that a derivative
// is wanted of stay until neuro-expand-tangents.
#include "SpecializeModels.h"

#include "neuroc/Neuro/Analysis/Values.h"
#include "neuroc/Neuro/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

namespace neuroc::neuro {
#define GEN_PASS_DEF_SPECIALIZEMODELS
#include "neuroc/Neuro/NeuroPasses.h.inc"
} // namespace neuroc::neuro

using namespace mlir;
using namespace neuroc;
using namespace neuroc::neuro;

static void replaceByConstant(Operation *op, double value) {
  OpBuilder builder(op);
  auto type = builder.getF64Type();
  Value constant = arith::ConstantOp::create(builder, op->getLoc(), type,
                                             builder.getFloatAttr(type, value));
  op->getResult(0).replaceAllUsesWith(constant);
  op->erase();
}

/// Replaces reads of parameter `name` in a model or rule by a number, and drops
/// its declaration.
static void foldParam(Operation *owner, StringRef name, double value) {
  owner->walk([&](GetOp get) {
    if (get.getName() == name)
      replaceByConstant(get, value);
  });
  SymbolTable::lookupSymbolIn(owner, name)->erase();
}

static void foldDt(Operation *owner, double dt) {
  owner->walk([&](DtOp op) { replaceByConstant(op, dt); });
}

std::map<std::string, double>
neuroc::neuro::getUniformParams(PopulationOp population) {
  std::map<std::string, double> uniform;
  for (ParamOp param : population.getModelOp().list<ParamOp>()) {
    std::string name = param.getSymName().str();
    if (std::optional<double> value = getUniformParam(population, name))
      uniform[name] = *value;
  }
  return uniform;
}

void neuroc::neuro::foldUniformParams(
    PopulationOp population, const std::map<std::string, double> &kept) {
  ModelOp model = population.getModelOp();
  for (const auto &[name, value] : getUniformParams(population))
    if (!kept.count(name))
      foldParam(model, name, value);
  // Keep only what still has a declaration.
  SmallVector<NamedAttribute> entries;
  if (auto params = population.getParams())
    for (NamedAttribute entry : *params)
      if (model.lookup(entry.getName()))
        entries.push_back(entry);
  if (entries.empty())
    population.removeParamsAttr();
  else
    population.setParamsAttr(
        DictionaryAttr::get(population.getContext(), entries));
}

/// Parameters of the population that a probe wants the derivative of.
static std::map<std::string, double> getWantedParams(PopulationOp population) {
  std::map<std::string, double> wanted;
  for (ProbeOp probe : population->getBlock()->getOps<ProbeOp>())
    if (std::optional<StringRef> wrt = probe.getWrt())
      if (auto [owner, name] = wrt->rsplit('.');
          owner == population.getSymName())
        wanted[name.str()] = 0;
  return wanted;
}

namespace {
struct SpecializeModelsPass
    : neuroc::neuro::impl::SpecializeModelsBase<SpecializeModelsPass> {
  using SpecializeModelsBase::SpecializeModelsBase;

  void runOnOperation() override {
    SymbolTable symbols(getOperation());
    SmallVector<Operation *> originals;
    for (Operation &op : getOperation().getBody()->getOperations())
      if (isa<ModelOp, RuleOp>(op))
        originals.push_back(&op);
    getOperation().walk([&](PopulationOp op) { specialize(op, symbols); });
    getOperation().walk([&](PlasticOp op) { specialize(op, symbols); });
    for (Operation *original : originals)
      original->erase(); // every use has a copy of its own now
  }

private:
  /// Copies `original` under a name made from `base`.
  template <typename OpT>
  OpT copy(OpT original, Twine base, SymbolTable &symbols) {
    auto clone = cast<OpT>(original->clone());
    SymbolTable::setSymbolName(clone, StringAttr::get(&getContext(), base));
    symbols.insert(clone, std::next(Block::iterator(original))); // renames
    return clone;
  }

  void specialize(PopulationOp population, SymbolTable &symbols) {
    ModelOp original = population.getModelOp();
    ModelOp model = copy(original, population.getSymName() + "_model", symbols);
    population.setModel(model.getSymName());
    foldUniformParams(population, getWantedParams(population));
    double dt =
        population->getParentOfType<NetworkOp>().getDt().convertToDouble() *
        double(population.getEvery());
    foldDt(model, dt);
    int32_t draw = 0;
    model.walk([&](RandomOp random) { random.setDraw(draw++); });
  }

  void specialize(PlasticOp plastic, SymbolTable &symbols) {
    RuleOp rule =
        copy(plastic.getRuleOp(), plastic.getSymName() + "_rule", symbols);
    for (ParamOp param : rule.list<ParamOp>()) {
      Attribute value = param.getValueAttr();
      if (auto params = plastic.getParams())
        if (Attribute given = params->get(param.getSymName()))
          value = given;
      std::string name = param.getSymName().str();
      foldParam(rule, name, cast<FloatAttr>(value).getValueAsDouble());
    }
    foldDt(rule,
           plastic->getParentOfType<NetworkOp>().getDt().convertToDouble());
    int32_t draw = 0;
    rule.walk([&](RandomOp random) { random.setDraw(draw++); });
    plastic.setRule(rule.getSymName());
    plastic.removeParamsAttr();
  }
};
} // namespace
