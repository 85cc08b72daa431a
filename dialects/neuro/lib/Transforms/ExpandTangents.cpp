// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Forward-mode derivatives: beside each state, input and output that depends on
// a wanted parameter, and that a wanted derivative depends on, goes its
// tangent. Stages compute tangents beside values; signals between populations
// are carried by projections, delays and tensor code of the same form; where an
// experiment gives a state values, it gives the tangent zero. Then the
// parameters become constants like all others.
#include "Differentiate.h"
#include "SpecializeModels.h"
#include "TangentAnalysis.h"
#include "TransmitSlope.h"

#include "neuroc/Neuro/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/TypeUtilities.h"
#include "llvm/ADT/StringSet.h"

#include <optional>

namespace neuroc::neuro {
#define GEN_PASS_DEF_EXPANDTANGENTS
#include "neuroc/Neuro/NeuroPasses.h.inc"
} // namespace neuroc::neuro

using namespace mlir;
using namespace neuroc::neuro;

namespace {

class Expander {
public:
  Expander(NetworkOp network, SymbolTable &symbols)
      : network(network), symbols(symbols), builder(network.getContext()),
        wanted(TangentAnalysis::getWanted(network)) {}

  LogicalResult run();

private:
  void splitPorts(PopulationOp population);
  LogicalResult augmentModel(PopulationOp population);
  LogicalResult augmentStage(PopulationOp population, StageOp stage,
                             unsigned param);
  PopulationOp augmentPopulation(PopulationOp population);
  LogicalResult connectPorts(PopulationOp population);
  /// The tangent of a signal, or null where it is always zero.
  FailureOr<Value> getTangent(Value signal, unsigned param);
  FailureOr<Value> buildTangent(Value signal, unsigned param);
  FailureOr<Value> projectTangent(ProjectOp project, unsigned param);
  FailureOr<Value> tensorTangent(Operation *op, unsigned param);
  Value getZeroSignal(Location loc, RankedTensorType type);
  void replaceProbe(ProbeOp probe, Value tangent);
  void followExperiments();
  /// Populations whose state `variable` has tangents, and these.
  std::vector<std::string> getTangentStates(StringRef population,
                                            StringRef variable) const;
  std::string freeName(Twine base) {
    std::string name = base.str();
    while (SymbolTable::lookupSymbolIn(network, name) || symbols.lookup(name) ||
           used.contains(name))
      name += "_";
    used.insert(name);
    return name;
  }
  SmallVector<PopulationOp> getPopulations() {
    return llvm::to_vector(network.getBody().front().getOps<PopulationOp>());
  }

  NetworkOp network;
  SymbolTable &symbols;
  OpBuilder builder;
  std::vector<WantedParam> wanted;
  std::optional<TangentAnalysis> analysis;
  llvm::StringSet<> used;
  /// Names of tangents: (population, name, parameter).
  std::map<std::tuple<std::string, std::string, unsigned>, std::string> names;
  llvm::DenseMap<std::pair<Value, unsigned>, Value> tangents;
};

} // namespace

LogicalResult Expander::run() {
  // Ports that do not add take one signal each, and stages combine them.
  analysis.emplace(network, wanted);
  for (PopulationOp population : getPopulations())
    splitPorts(population);
  analysis.emplace(network, wanted);
  for (WeightOp weight : network.getBody().front().getOps<WeightOp>()) {
    ParamSet params = analysis->ofWeight(weight);
    if (params.any())
      return weight.emitOpError("learns from signals that depend on '")
             << wanted[params.find_first()].name()
             << "', and a derivative with respect to it would have to pass "
                "through the weight; detach the rule, or ask for the "
                "derivative "
                "of a signal before this weight";
  }
  SmallVector<PopulationOp> augmented;
  for (PopulationOp population : getPopulations()) {
    if (failed(augmentModel(population)))
      return failure();
    augmented.push_back(augmentPopulation(population));
  }
  for (PopulationOp population : augmented)
    if (failed(connectPorts(population)))
      return failure();
  for (ProbeOp probe :
       llvm::to_vector(network.getBody().front().getOps<ProbeOp>())) {
    if (!probe.getWrt())
      continue;
    for (auto [number, param] : llvm::enumerate(wanted)) {
      if (param.name() != *probe.getWrt())
        continue;
      FailureOr<Value> tangent = getTangent(probe.getInput(), number);
      if (failed(tangent))
        return failure();
      replaceProbe(probe, *tangent);
      break;
    }
  }
  followExperiments();
  for (PopulationOp population : getPopulations())
    foldUniformParams(population);
  return success();
}

//===----------------------------------------------------------------------===//
// Models
//===----------------------------------------------------------------------===//

/// A scalar operation that joins two signals as the port does.
static Value join(OpBuilder &builder, Location loc, Combine kind, Value a,
                  Value b) {
  switch (kind) {
  case Combine::Sum:
    return arith::AddFOp::create(builder, loc, a, b);
  case Combine::Max:
    return arith::MaxNumFOp::create(builder, loc, a, b);
  case Combine::Min:
    return arith::MinNumFOp::create(builder, loc, a, b);
  case Combine::Product:
    return arith::MulFOp::create(builder, loc, a, b);
  }
  llvm_unreachable("all kinds handled");
}

void Expander::splitPorts(PopulationOp population) {
  ModelOp model = population.getModelOp();
  for (InputOp input : model.list<InputOp>()) {
    SmallVector<unsigned> operands =
        population.getOperandsOfPort(input.getSymName());
    if (operands.size() < 2 || input.getCombine() == Combine::Sum ||
        llvm::none_of(operands, [&](unsigned operand) {
          return analysis->dependencies(population.getInputs()[operand]).any();
        }))
      continue;
    SmallVector<Attribute> ports(population.getPortsAttr().begin(),
                                 population.getPortsAttr().end());
    SmallVector<std::string> parts;
    builder.setInsertionPoint(input);
    for (auto [number, operand] : llvm::enumerate(operands)) {
      std::string name = (input.getSymName() + "_" + Twine(number)).str();
      while (model.lookup(name))
        name += "_";
      auto part = cast<InputOp>(builder.clone(*input));
      part.setSymName(name);
      part.setCombine(Combine::Sum);
      ports[operand] = builder.getStringAttr(name);
      parts.push_back(name);
    }
    population.setPortsAttr(builder.getArrayAttr(ports));
    model.walk([&](GetOp get) {
      if (get.getName() != input.getSymName())
        return;
      builder.setInsertionPoint(get);
      Value all;
      for (const std::string &part : parts) {
        Value value =
            GetOp::create(builder, get.getLoc(), builder.getF64Type(), part);
        all = all ? join(builder, get.getLoc(), input.getCombine(), all, value)
                  : value;
      }
      get.replaceAllUsesWith(all);
      get.erase();
    });
    input.erase();
  }
}

LogicalResult Expander::augmentModel(PopulationOp population) {
  ModelOp model = population.getModelOp();
  SmallVector<NamedAttribute> initial;
  if (auto given = population.getInit())
    llvm::append_range(initial, *given);
  auto declare = [&](Operation *declaration, StringRef name) {
    ParamSet params = analysis->ofName(population, name);
    for (unsigned param : params.set_bits()) {
      std::string tangent = wanted[param].tangentName(name);
      while (model.lookup(tangent))
        tangent += "_";
      names[{population.getSymName().str(), name.str(), param}] = tangent;
      Location loc = declaration->getLoc();
      if (isa<StateOp>(declaration)) {
        builder.setInsertionPointAfter(declaration);
        StateOp::create(builder, loc, builder.getStringAttr(tangent),
                        builder.getF64FloatAttr(0), DenseF64ArrayAttr(),
                        StringAttr());
        if (wanted[param].population == population.getSymName())
          if (Attribute slope =
                  getInitialSlope(population, name, wanted[param].param))
            initial.emplace_back(builder.getStringAttr(tangent), slope);
      } else if (isa<InputOp>(declaration)) {
        builder.setInsertionPointAfter(declaration);
        InputOp::create(builder, loc, builder.getStringAttr(tangent),
                        CombineAttr::get(builder.getContext(), Combine::Sum),
                        builder.getF64FloatAttr(0), DenseF64ArrayAttr(),
                        StringAttr());
      } else if (isa<OutputOp>(declaration)) {
        // Results come in the order of declarations: new ones at the end.
        builder.setInsertionPointToEnd(&model.getBody().front());
        OutputOp::create(builder, loc, tangent, builder.getF64Type(),
                         DenseF64ArrayAttr(), StringAttr());
      }
    }
  };
  for (Operation &op : llvm::make_early_inc_range(model.getBody().front()))
    if (isa<StateOp, InputOp, OutputOp>(op))
      declare(&op, SymbolTable::getSymbolName(&op));
  if (!initial.empty())
    population.setInitAttr(builder.getDictionaryAttr(initial));
  population->removeAttr("neuro.init_slopes");
  for (StageOp stage : model.list<StageOp>())
    for (unsigned param = 0; param < wanted.size(); ++param)
      if (failed(augmentStage(population, stage, param)))
        return failure();
  return success();
}

LogicalResult Expander::augmentStage(PopulationOp population, StageOp stage,
                                     unsigned param) {
  std::string owner = population.getSymName().str();
  llvm::DenseMap<Value, Value> ofValue;
  auto getName = [&](StringRef name) -> StringRef {
    auto it = names.find({owner, name.str(), param});
    return it == names.end() ? StringRef() : StringRef(it->second);
  };
  auto materialize = [&](Operation &op, Value value) {
    Calculus c(builder, op.getLoc(), builder.getF64Type());
    return c.materialize(ofValue.lookup(value));
  };
  SmallVector<Operation *> original;
  for (Operation &op : stage.getBody().front())
    original.push_back(&op);
  for (Operation *op : original) {
    builder.setInsertionPointAfter(op);
    Location loc = op->getLoc();
    if (auto get = dyn_cast<GetOp>(op)) {
      Calculus c(builder, loc, builder.getF64Type());
      if (owner == wanted[param].population &&
          get.getName() == wanted[param].param)
        ofValue[get.getResult()] = c.number(1);
      else if (StringRef name = getName(get.getName()); !name.empty())
        ofValue[get.getResult()] =
            GetOp::create(builder, loc, builder.getF64Type(), name);
    } else if (auto set = dyn_cast<SetOp>(op)) {
      if (StringRef name = getName(set.getName()); !name.empty())
        SetOp::create(builder, loc, name, materialize(*op, set.getValue()));
    } else if (auto emit = dyn_cast<EmitOp>(op)) {
      if (StringRef name = getName(emit.getName()); !name.empty())
        EmitOp::create(builder, loc, name, materialize(*op, emit.getValue()));
    } else if (op->getNumResults() == 1 &&
               analysis->ofValue(op->getResult(0)).test(param)) {
      SmallVector<Value> operands;
      for (Value operand : op->getOperands())
        operands.push_back(ofValue.lookup(operand));
      FailureOr<Value> tangent = differentiate(op, operands, builder);
      if (failed(tangent))
        return op->emitOpError("has no known derivative, and a derivative with "
                               "respect to '")
               << wanted[param].name() << "' needs it in population '" << owner
               << "'";
      if (*tangent)
        ofValue[op->getResult(0)] = *tangent;
    }
  }
  return success();
}

//===----------------------------------------------------------------------===//
// Populations
//===----------------------------------------------------------------------===//

PopulationOp Expander::augmentPopulation(PopulationOp population) {
  std::string owner = population.getSymName().str();
  ModelOp model = population.getModelOp();
  SmallVector<Type> types(population->getResultTypes());
  SmallVector<std::pair<unsigned, unsigned>> added; // (output, parameter)
  // The declarations tell the order, as augmentModel made them.
  auto outputs = model.list<OutputOp>();
  unsigned numOriginal = population.getNumResults();
  for (OutputOp declared : ArrayRef(outputs).drop_front(numOriginal))
    for (unsigned output = 0; output < numOriginal; ++output)
      for (unsigned param = 0; param < wanted.size(); ++param) {
        auto it =
            names.find({owner, outputs[output].getSymName().str(), param});
        if (it == names.end() || it->second != declared.getSymName())
          continue;
        auto type = cast<RankedTensorType>(types[output]);
        types.push_back(type.clone(builder.getF32Type()));
        added.push_back({output, param});
      }
  if (added.empty())
    return population;
  builder.setInsertionPoint(population);
  OperationState state(population.getLoc(), PopulationOp::getOperationName());
  state.addOperands(population->getOperands());
  state.addTypes(types);
  state.addAttributes(population->getAttrs());
  auto replacement = cast<PopulationOp>(builder.create(state));
  for (unsigned output = 0; output < numOriginal; ++output)
    population.getResult(output).replaceAllUsesWith(
        replacement.getResult(output));
  for (auto [number, entry] : llvm::enumerate(added))
    tangents[{replacement.getResult(entry.first), entry.second}] =
        replacement.getResult(numOriginal + number);
  population.erase();
  return replacement;
}

LogicalResult Expander::connectPorts(PopulationOp population) {
  std::string owner = population.getSymName().str();
  if (!population.getPorts())
    return success();
  SmallVector<Attribute> ports(population.getPortsAttr().begin(),
                               population.getPortsAttr().end());
  SmallVector<Value> inputs(population.getInputs());
  for (unsigned operand = 0, count = inputs.size(); operand < count; ++operand)
    for (unsigned param = 0; param < wanted.size(); ++param) {
      auto it = names.find(
          {owner, cast<StringAttr>(ports[operand]).getValue().str(), param});
      if (it == names.end())
        continue;
      FailureOr<Value> tangent = getTangent(inputs[operand], param);
      if (failed(tangent))
        return failure();
      if (!*tangent)
        continue;
      inputs.push_back(*tangent);
      ports.push_back(builder.getStringAttr(it->second));
    }
  population.getInputsMutable().assign(inputs);
  population.setPortsAttr(builder.getArrayAttr(ports));
  return success();
}

//===----------------------------------------------------------------------===//
// Signals
//===----------------------------------------------------------------------===//

FailureOr<Value> Expander::getTangent(Value signal, unsigned param) {
  auto it = tangents.find({signal, param});
  if (it != tangents.end())
    return it->second;
  Operation *op = signal.getDefiningOp();
  if (!op || isa<PopulationOp>(op) || !isa<ShapedType>(signal.getType()) ||
      !isa<FloatType>(getElementTypeOrSelf(signal.getType())))
    return Value();
  FailureOr<Value> tangent = buildTangent(signal, param);
  if (succeeded(tangent))
    tangents[{signal, param}] = *tangent;
  return tangent;
}

FailureOr<Value> Expander::buildTangent(Value signal, unsigned param) {
  Operation *op = signal.getDefiningOp();
  if (auto project = dyn_cast<ProjectOp>(op))
    return projectTangent(project, param);
  if (auto delay = dyn_cast<DelayOp>(op)) {
    FailureOr<Value> input = getTangent(delay.getInput(), param);
    if (failed(input) || !*input)
      return input;
    builder.setInsertionPointAfter(op);
    return DelayOp::create(builder, op->getLoc(), signal.getType(), *input,
                           delay.getTicks())
        .getResult();
  }
  if (isa<NeuroDialect>(op->getDialect()))
    return Value(); // a source
  return tensorTangent(op, param);
}

FailureOr<Value> Expander::projectTangent(ProjectOp project, unsigned param) {
  FailureOr<Value> input = getTangent(project.getInput(), param);
  if (failed(input) || !*input)
    return input;
  if (project.getCombine() != Combine::Sum)
    return project.emitOpError("combines signals that depend on '")
           << wanted[param].name() << "' by "
           << stringifyCombine(project.getCombine())
           << ", of which no derivative can be carried; combine by sum, or "
              "feed "
              "one port from several projections";
  TransmitSlope slope;
  if (!project.getTransmit().empty()) {
    std::optional<TransmitSlope> known = getTransmitSlope(project);
    if (!known)
      return project.emitOpError("transmits a function of weight and signal "
                                 "whose slope is no product of a function of "
                                 "the weight and one of the signal; no "
                                 "derivative with respect to '")
             << wanted[param].name() << "' can be carried";
    slope = *known;
    if (slope.isZero)
      return Value();
  }
  if (slope.ofSignal.yield) {
    // The signal's own factor is computed beside its source.
    auto type = cast<RankedTensorType>((*input).getType());
    auto source = project.getInput().getDefiningOp<PopulationOp>();
    builder.setInsertionPoint(network);
    std::string name = freeName(wanted[param].tangentName("slope"));
    ModelOp model = buildSlopeModel(builder, project.getLoc(),
                                    freeName(Twine(name) + "_model"), slope);
    symbols.insert(model);
    builder.setInsertionPoint(project);
    input =
        PopulationOp::create(
            builder, project.getLoc(), TypeRange{type},
            builder.getStringAttr(name),
            FlatSymbolRefAttr::get(builder.getContext(), model.getSymName()),
            builder.getDenseI64ArrayAttr(type.getShape()),
            ValueRange{project.getInput(), *input},
            builder.getStrArrayAttr({"x", "t"}), DictionaryAttr(),
            DictionaryAttr(), builder.getI64IntegerAttr(1),
            source && source.getPlant() ? builder.getUnitAttr() : UnitAttr())
            .getResult(0);
  }
  builder.setInsertionPointAfter(project);
  auto result = cast<ProjectOp>(builder.cloneWithoutRegions(*project));
  result.getInputMutable().assign(*input);
  if (slope.code && slope.ofWeight.yield != slope.code->getArgument(0))
    buildTransmit(builder, result, slope);
  return Value(result.getOutput());
}

FailureOr<Value> Expander::tensorTangent(Operation *op, unsigned param) {
  SmallVector<Value> operands;
  for (Value operand : op->getOperands()) {
    FailureOr<Value> tangent = getTangent(operand, param);
    if (failed(tangent))
      return failure();
    operands.push_back(*tangent);
  }
  if (llvm::none_of(operands, [](Value tangent) { return bool(tangent); }))
    return Value();
  builder.setInsertionPointAfter(op);
  auto zeroIfNone = [&](unsigned i) {
    Calculus c(builder, op->getLoc(), op->getOperand(i).getType());
    return c.materialize(operands[i]);
  };
  StringRef name = op->getName().getStringRef();
  if (isa<arith::ArithDialect, math::MathDialect>(op->getDialect())) {
    FailureOr<Value> tangent = differentiate(op, operands, builder);
    if (succeeded(tangent))
      return tangent;
  }
  // Linear in all tensors that it reads: what moves elements.
  static const llvm::StringSet<> moves = {
      "tensor.expand_shape",  "tensor.collapse_shape", "tensor.reshape",
      "tensor.extract_slice", "tensor.insert_slice",   "tensor.concat",
      "tensor.cast",          "linalg.transpose",      "linalg.broadcast"};
  if (moves.contains(name)) {
    Operation *copy = builder.clone(*op);
    builder.setInsertionPoint(copy);
    for (unsigned i = 0; i < operands.size(); ++i)
      if (isa<FloatType>(getElementTypeOrSelf(op->getOperand(i).getType())))
        copy->setOperand(i, zeroIfNone(i));
    return copy->getResult(0);
  }
  // Linear in each of the two: a sum of two such products.
  static const llvm::StringSet<> products = {
      "linalg.matmul",       "linalg.matvec", "linalg.vecmat",
      "linalg.batch_matmul", "linalg.dot",    "linalg.conv_2d_nchw_fchw"};
  if (products.contains(name)) {
    Value sum = zeroIfNone(2);
    for (unsigned i = 0; i < 2; ++i)
      if (operands[i]) {
        Operation *copy = builder.clone(*op);
        copy->setOperand(i, operands[i]);
        copy->setOperand(2, sum);
        sum = copy->getResult(0);
      }
    return sum;
  }
  return op->emitOpError("has no known derivative, and a derivative with "
                         "respect to '")
         << wanted[param].name() << "' would have to pass through it";
}

//===----------------------------------------------------------------------===//
// Recording, experiments
//===----------------------------------------------------------------------===//

Value Expander::getZeroSignal(Location loc, RankedTensorType type) {
  builder.setInsertionPoint(network);
  std::string name = freeName("no_dependence");
  auto model = ModelOp::create(builder, loc, freeName(Twine(name) + "_model"));
  symbols.insert(model);
  builder.setInsertionPointToStart(&model.getBody().emplaceBlock());
  OutputOp::create(builder, loc, "y", builder.getF64Type(), DenseF64ArrayAttr(),
                   StringAttr());
  auto stage = StageOp::create(builder, loc, "zero");
  builder.setInsertionPointToStart(&stage.getBody().emplaceBlock());
  Calculus c(builder, loc, builder.getF64Type());
  EmitOp::create(builder, loc, "y", c.number(0));
  builder.setInsertionPointToEnd(&network.getBody().front());
  return PopulationOp::create(
             builder, loc, TypeRange{type}, builder.getStringAttr(name),
             FlatSymbolRefAttr::get(builder.getContext(), model.getSymName()),
             builder.getDenseI64ArrayAttr(type.getShape()), ValueRange{},
             ArrayAttr(), DictionaryAttr(), DictionaryAttr(),
             builder.getI64IntegerAttr(1), UnitAttr())
      .getResult(0);
}

void Expander::replaceProbe(ProbeOp probe, Value tangent) {
  auto type = cast<RankedTensorType>(probe.getInput().getType());
  if (!tangent) // the signal does not depend on the parameter
    tangent = getZeroSignal(probe.getLoc(), type);
  probe.getInputMutable().assign(tangent);
  probe.removeWrtAttr();
}

std::vector<std::string> Expander::getTangentStates(StringRef population,
                                                    StringRef variable) const {
  std::vector<std::string> result;
  for (unsigned param = 0; param < wanted.size(); ++param) {
    auto it = names.find({population.str(), variable.str(), param});
    if (it != names.end())
      result.push_back(it->second);
  }
  return result;
}

/// The tangent of given values: zero, and free where they leave a unit free.
static Attribute getTangentValues(OpBuilder &builder, Attribute values) {
  auto elements = dyn_cast_or_null<DenseFPElementsAttr>(values);
  if (!elements || elements.isSplat())
    return builder.getF64FloatAttr(0);
  SmallVector<APFloat> zeros;
  for (const APFloat &value : elements.getValues<APFloat>())
    zeros.push_back(value.isNaN() ? value
                                  : APFloat::getZero(value.getSemantics()));
  return DenseElementsAttr::get(elements.getType(), zeros);
}

void Expander::followExperiments() {
  Operation *module = network->getParentOp();
  module->walk([&](Operation *op) {
    auto experiment = op->getParentOfType<ExperimentOp>();
    if (!experiment || experiment.getNetwork() != network.getSymName())
      return;
    builder.setInsertionPointAfter(op);
    auto follow = [&](auto step, StringRef population, StringRef variable) {
      for (const std::string &name : getTangentStates(population, variable)) {
        auto copy = cast<decltype(step)>(builder.clone(*op));
        copy.setVariable(name);
        if constexpr (!std::is_same_v<decltype(step), ReleaseOp>) {
          copy.setValuesAttr(getTangentValues(builder, step.getValuesAttr()));
          copy.removeDatasetAttr();
          copy.removeRowAttr();
        }
      }
    };
    if (auto clamp = dyn_cast<ClampOp>(op))
      return follow(clamp, clamp.getPopulation(), clamp.getVariable());
    if (auto release = dyn_cast<ReleaseOp>(op))
      return follow(release, release.getPopulation(), release.getVariable());
    if (auto assign = dyn_cast<AssignOp>(op); assign && assign.getVariable())
      return follow(assign, assign.getTarget(), *assign.getVariable());
    auto store = dyn_cast<StoreOp>(op);
    if (!store || store.getInto() != HostKind::State || !store.getVariable())
      return;
    for (const std::string &name :
         getTangentStates(store.getTarget(), *store.getVariable())) {
      auto type = RankedTensorType::get({1}, builder.getF64Type());
      Value zero = LiteralOp::create(
          builder, op->getLoc(), store.getValue().getType(),
          DenseElementsAttr::get(type, builder.getF64FloatAttr(0)));
      auto copy = cast<StoreOp>(builder.clone(*op));
      copy.getValueMutable().assign(zero);
      copy.setVariable(name);
    }
  });
}

namespace {
struct ExpandTangentsPass
    : neuroc::neuro::impl::ExpandTangentsBase<ExpandTangentsPass> {
  using ExpandTangentsBase::ExpandTangentsBase;

  void runOnOperation() override {
    SymbolTable symbols(getOperation());
    for (NetworkOp network :
         llvm::to_vector(getOperation().getOps<NetworkOp>())) {
      if (TangentAnalysis::getWanted(network).empty())
        continue;
      if (failed(Expander(network, symbols).run()))
        return signalPassFailure();
    }
  }
};
} // namespace
