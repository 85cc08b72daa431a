// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Networks and what stands in them: verifiers of nodes, weights, projections,
// plasticity and sugar. Rule numbers are those of NeuroOps.td.
#include "neuroc/Neuro/Analysis/TickSchedule.h"
#include "neuroc/Neuro/Neuro.h"

#include "mlir/IR/Builders.h"
#include "llvm/ADT/StringSet.h"

#include <cmath>

using namespace mlir;
using namespace neuroc::neuro;

static int64_t countUnits(Type type) {
  return cast<RankedTensorType>(type).getNumElements();
}

static LogicalResult verifyInterval(Operation *op,
                                    std::optional<ArrayRef<double>> range,
                                    StringRef what) {
  if (range && (range->size() != 2 || !((*range)[0] < (*range)[1])))
    return op->emitOpError(what) << " must be [lo, hi] with lo < hi";
  return success();
}

/// Number of values of a value attribute, or none where any number will do.
static std::optional<int64_t> getValueCount(Attribute values) {
  if (auto elements = dyn_cast<ElementsAttr>(values)) {
    if (elements.isSplat())
      return std::nullopt;
    return elements.getNumElements();
  }
  return std::nullopt;
}

/// Lanes of the batch that the network around `op` runs.
static int64_t countLanes(Operation *op) {
  auto network = op->getParentOfType<NetworkOp>();
  return network ? int64_t(network.getBatch()) : 1;
}

/// The model or rule `name` beside the network that holds `op`, or null.
template <typename OpT>
static OpT lookupOutside(Operation *op, FlatSymbolRefAttr name) {
  auto network = op->getParentOfType<NetworkOp>();
  Operation *module = network ? network->getParentOp() : nullptr;
  return module ? dyn_cast_or_null<OpT>(
                      SymbolTable::lookupSymbolIn(module, name))
                : OpT();
}

//===----------------------------------------------------------------------===//
// Networks
//===----------------------------------------------------------------------===//

RegionKind NetworkOp::getRegionKind(unsigned) { return RegionKind::Graph; }

LogicalResult NetworkOp::verify() {
  if (!(getDt().convertToDouble() > 0)) // network_r1
    return emitOpError("dt must be positive, got ")
           << getDt().convertToDouble();
  if (int64_t(getBatch()) < 1) // network_r5
    return emitOpError("batch must be at least 1, got ")
           << int64_t(getBatch());
  return success();
}

/// population_r9: whoever reads a plant's output, but for another plant and a
/// recorder, reads it at least one tick late.
static LogicalResult verifyPlant(PopulationOp plant) {
  SmallVector<Value> sameTick(plant.getOutputs());
  while (!sameTick.empty()) {
    for (OpOperand &use : sameTick.pop_back_val().getUses()) {
      // Tensor code may read a signal from inside of its region.
      Operation *user = plant->getBlock()->findAncestorOpInBlock(
          *use.getOwner());
      auto reader = dyn_cast<PopulationOp>(user);
      if (isa<DelayOp, ProbeOp>(user) || (reader && reader.getPlant()))
        continue;
      if (auto projection = dyn_cast<ProjectOp>(user)) {
        if (projection.hasSameTickInput())
          sameTick.push_back(projection.getOutput());
        continue;
      }
      auto learning = dyn_cast<PlasticOp>(user);
      if (learning && learning.getDelay() > 0 &&
          use.getOperandNumber() == 0) // the pre signal
        continue;
      if (!isa<NeuroDialect>(user->getDialect())) {
        sameTick.append(user->result_begin(), user->result_end());
        continue;
      }
      return (plant.emitOpError("is a plant, whose outputs take at least one "
                                "tick; give the projection a delay, or delay "
                                "the signal"))
                 .attachNote(user->getLoc())
             << "read in the same tick here";
    }
  }
  return success();
}

LogicalResult NetworkOp::verifyRegions() {
  llvm::StringMap<PlasticOp> learners;
  for (Operation &op : getBody().front()) {
    StringRef space = op.getName().getDialectNamespace();
    bool isNode =
        isa<PopulationOp, WeightOp, ProjectOp, DelayOp, PlasticOp, StimulusOp,
            SpikeArrayOp, ProbeOp, WatchOp, PcLayerOp, AssociativeMemoryOp,
            DatasetOp>(op);
    bool isTensorCode = space == "linalg" || space == "tensor" ||
                        space == "arith" || space == "math";
    if (!isNode && !isTensorCode) // network_r4
      return op.emitOpError("may not stand in a network; expected nodes, or "
                            "operations of linalg, tensor, arith and math");
    if (auto plastic = dyn_cast<PlasticOp>(op)) { // network_r3
      auto [it, fresh] = learners.try_emplace(plastic.getWeight(), plastic);
      if (!fresh)
        return plastic.emitOpError("is a second writer of weight '")
                   .append(plastic.getWeight(), "'")
                   .attachNote(it->second.getLoc())
               << "first writer is here";
    }
  }
  for (PopulationOp population : getBody().front().getOps<PopulationOp>())
    if (population.getPlant() && failed(verifyPlant(population)))
      return failure();
  return failure(failed(TickSchedule::compute(*this))); // network_r2
}

//===----------------------------------------------------------------------===//
// Populations
//===----------------------------------------------------------------------===//

int64_t PopulationOp::getNumUnits() {
  return neuroc::neuro::countUnits(getShape());
}

ModelOp PopulationOp::getModelOp() {
  return lookupOutside<ModelOp>(*this, getModelAttr());
}

SmallVector<unsigned> PopulationOp::getOperandsOfPort(StringRef port) {
  SmallVector<unsigned> numbers;
  if (auto ports = getPorts())
    for (auto [index, name] : llvm::enumerate(*ports))
      if (cast<StringAttr>(name).getValue() == port)
        numbers.push_back(index);
  return numbers;
}

LogicalResult PopulationOp::verify() {
  if (getShape().empty() ||
      llvm::any_of(getShape(), [](int64_t n) { return n < 1; }))
    return emitOpError("shape must list positive extents");
  if (int64_t(getEvery()) < 1) // population_r7
    return emitOpError("'every' must be at least 1, got ")
           << int64_t(getEvery());
  size_t numPorts = getPorts() ? getPorts()->size() : 0;
  if (numPorts != getInputs().size()) // population_r2
    return emitOpError("has ")
           << getInputs().size() << " inputs but " << numPorts << " port names";
  int64_t units = getNumUnits();
  for (Value input : getInputs()) // population_r4
    if (::countUnits(input.getType()) != units)
      return emitOpError("has ")
             << units << " units but an input of type " << input.getType();
  for (Value output : getOutputs())
    if (::countUnits(output.getType()) != units)
      return emitOpError("has ")
             << units << " units but an output of type " << output.getType();
  return success();
}

/// Checks one of the dictionaries `params` and `init`.
template <typename DeclarationOp>
static LogicalResult verifyOverrides(PopulationOp population, ModelOp model,
                                     std::optional<DictionaryAttr> overrides,
                                     StringRef what) {
  if (!overrides)
    return success();
  for (NamedAttribute entry : *overrides) {
    StringRef name = entry.getName();
    if (!isa_and_nonnull<DeclarationOp>(model.lookup(name))) { // population_r5
      InFlightDiagnostic error = population.emitOpError()
                                 << "sets '" << name << "', which is not a "
                                 << what << " of model '" << model.getSymName()
                                 << "'";
      error.attachNote(model.getLoc()) << "model is declared here";
      return error;
    }
    if (!isa<FloatAttr, ElementsAttr, DistributionAttr>(entry.getValue()))
      return population.emitOpError("value of '")
             << name << "' must be a number, an array or a distribution";
    std::optional<int64_t> count = getValueCount(entry.getValue());
    int64_t units = population.getNumUnits();
    if (count && *count != units && // population_r6
        *count != units * countLanes(population))
      return population.emitOpError("gives ")
             << *count << " values of '" << name << "' for " << units
             << " units";
  }
  return success();
}

LogicalResult PopulationOp::verifySymbolUses(SymbolTableCollection &) {
  ModelOp model = getModelOp();
  if (!model) // population_r1
    return emitOpError("uses model '") << getModel() << "', which is not defined";
  if (getPorts())
    for (Attribute port : getPortsAttr()) // population_r2
      if (!isa_and_nonnull<InputOp>(
              model.lookup(cast<StringAttr>(port).getValue())))
        return emitOpError("feeds port ")
               << port << ", which is not an input of model '" << getModel()
               << "'";
  auto outputs = model.list<OutputOp>();
  if (outputs.size() != getOutputs().size()) // population_r3
    return emitOpError("has ") << getOutputs().size() << " results, model '"
                               << getModel() << "' has " << outputs.size()
                               << " outputs";
  for (auto [declared, result] : llvm::zip(outputs, getOutputs())) {
    bool isSpike = declared.getType().isInteger(1);
    if (cast<RankedTensorType>(result.getType()).getElementType().isInteger(
            1) != isSpike)
      return emitOpError("result for output '")
             << declared.getSymName() << "' must be a tensor of "
             << (isSpike ? "i1" : "f32") << ", got " << result.getType();
  }
  WalkResult groups = model.walk([&](ReduceOp reduce) { // population_r8
    if (!reduce.getGroup() || getNumUnits() % int64_t(*reduce.getGroup()) == 0)
      return WalkResult::advance();
    emitOpError("has ") << getNumUnits() << " units, which groups of "
                        << int64_t(*reduce.getGroup()) << " do not divide";
    return WalkResult::interrupt();
  });
  if (groups.wasInterrupted())
    return failure();
  if (failed(verifyOverrides<ParamOp>(*this, model, getParams(), "parameter")))
    return failure();
  return verifyOverrides<StateOp>(*this, model, getInit(), "state");
}

//===----------------------------------------------------------------------===//
// Weights
//===----------------------------------------------------------------------===//

int64_t WeightOp::getNumPre() { return neuroc::neuro::countUnits(getPre()); }
int64_t WeightOp::getNumPost() { return neuroc::neuro::countUnits(getPost()); }

/// weight_r8: the shapes of a convolution.
static LogicalResult verifyConvolution(WeightOp weight, ConvAttr conv) {
  ArrayRef<int64_t> pre = weight.getPre(), post = weight.getPost();
  if (pre.size() != 3 || post.size() != 3)
    return weight.emitOpError("convolution needs sides [channels, height, "
                              "width], got ranks ")
           << pre.size() << " and " << post.size();
  if (pre[0] % conv.getGroups() || post[0] % conv.getGroups())
    return weight.emitOpError("channels ")
           << pre[0] << " and " << post[0] << " must be multiples of groups "
           << conv.getGroups();
  for (int axis = 0; axis < 2; ++axis) {
    int64_t span = conv.getDilations()[axis] * (conv.getKernel()[axis] - 1) + 1;
    int64_t room =
        pre[axis + 1] + conv.getPads()[axis] + conv.getPads()[axis + 2] - span;
    int64_t extent = room < 0 ? 0 : room / conv.getStrides()[axis] + 1;
    if (post[axis + 1] != extent)
      return weight.emitOpError("convolution gives extent ")
             << extent << " along axis " << axis << ", the post side has "
             << post[axis + 1];
  }
  std::optional<int64_t> count = getValueCount(weight.getValues());
  int64_t expected = post[0] * (pre[0] / conv.getGroups()) *
                     conv.getKernel()[0] * conv.getKernel()[1];
  if (count && *count != expected)
    return weight.emitOpError("convolution kernel needs ")
           << expected << " values, got " << *count;
  return success();
}

LogicalResult WeightOp::verify() {
  for (ArrayRef<int64_t> side : {getPre(), getPost()}) // weight_r1
    if (side.empty() || llvm::any_of(side, [](int64_t n) { return n < 1; }))
      return emitOpError("sides must list positive extents");
  int64_t numPre = getNumPre(), numPost = getNumPost();

  Attribute connect = getConnect();
  std::optional<int64_t> count = getValueCount(getValues()); // weight_r2
  if (isa<DenseConnectAttr, AllToAllAttr>(connect) && count &&
      *count != numPre * numPost)
    return emitOpError("needs ") << numPre * numPost << " values ([post, pre] = ["
                                 << numPost << ", " << numPre << "]), got "
                                 << *count;
  if (isa<OneToOneAttr>(connect)) {
    if (numPre != numPost) // weight_r3
      return emitOpError("one-to-one needs equal sides, got ")
             << numPre << " and " << numPost;
    if (count && *count != numPre)
      return emitOpError("needs ") << numPre << " values, got " << *count;
  }
  if (auto list = dyn_cast<ListConnectAttr>(connect)) {
    int64_t pairs = list.getPairs().getNumElements() / 2;
    if (count && *count != pairs)
      return emitOpError("needs ") << pairs << " values, got " << *count;
    int64_t position = 0;
    for (const APInt &index : list.getPairs().getValues<APInt>()) {
      int64_t value = index.getSExtValue();
      int64_t extent = position % 2 ? numPost : numPre;
      if (value < 0 || value >= extent) // weight_r7
        return emitOpError("synapse ")
               << position / 2 << " names " << (position % 2 ? "post" : "pre")
               << " unit " << value << " of " << extent;
      ++position;
    }
  }
  if (isa<FixedProbabilityAttr, FixedInDegreeAttr, FixedOutDegreeAttr>(
          connect) &&
      count)
    return emitOpError("a random rule has no fixed number of synapses; give "
                       "one value or a distribution, not ")
           << *count << " values";
  auto verifyDegree = [&](int64_t k, bool self, bool multapses,
                          int64_t partners) -> LogicalResult {
    int64_t most = partners - (!self && numPre == numPost ? 1 : 0);
    if ((!multapses && k > most) || (k > 0 && most < 1)) // weight_r9
      return emitOpError("degree ")
             << k << " exceeds the " << most
             << " possible partners; allow multapses or lower it";
    return success();
  };
  if (auto rule = dyn_cast<FixedInDegreeAttr>(connect))
    if (failed(verifyDegree(rule.getK(), rule.getSelf(), rule.getMultapses(),
                            numPre)))
      return failure();
  if (auto rule = dyn_cast<FixedOutDegreeAttr>(connect))
    if (failed(verifyDegree(rule.getK(), rule.getSelf(), rule.getMultapses(),
                            numPost)))
      return failure();
  if (auto conv = dyn_cast<ConvAttr>(connect)) {
    if (failed(verifyConvolution(*this, conv)))
      return failure();
    if (isa<DistributionAttr>(getValues()))
      return emitOpError("a convolution kernel needs given values, not a "
                         "distribution");
  }

  if (failed(verifyInterval(*this, getBounds(), "bounds"))) // weight_r4
    return failure();
  double least = getSign() == Sign::Excitatory ? 0.0 : -HUGE_VAL;
  double most = getSign() == Sign::Inhibitory ? 0.0 : HUGE_VAL;
  if (auto bounds = getBounds()) {
    if ((*bounds)[0] < least || (*bounds)[1] > most)
      return emitOpError("bounds [")
             << (*bounds)[0] << ", " << (*bounds)[1]
             << "] do not agree with sign class "
             << stringifySign(getSign());
    least = (*bounds)[0];
    most = (*bounds)[1];
  }
  auto verifyValue = [&](double value) -> LogicalResult { // weight_r5
    if (value < least || value > most)
      return emitOpError("value ")
             << value << " lies outside of its bounds and sign class ["
             << least << ", " << most << "]";
    return success();
  };
  if (auto number = dyn_cast<FloatAttr>(getValues())) {
    if (failed(verifyValue(number.getValueAsDouble())))
      return failure();
  } else if (auto elements = dyn_cast<DenseFPElementsAttr>(getValues())) {
    for (const APFloat &value : elements.getValues<APFloat>()) {
      APFloat wide = value;
      bool lost;
      wide.convert(APFloat::IEEEdouble(), APFloat::rmNearestTiesToEven, &lost);
      if (failed(verifyValue(wide.convertToDouble())))
        return failure();
    }
  }
  if (auto mask = getMask()) // weight_r6
    if (!isa<DenseConnectAttr>(connect) ||
        !mask->getElementType().isInteger(1) ||
        mask->getNumElements() != numPre * numPost)
      return emitOpError("mask must be an i1 array [post, pre] of a dense "
                         "weight");
  return success();
}

/// Weight `name` of the network around `op`, or null.
static WeightOp lookupWeight(Operation *op, FlatSymbolRefAttr name) {
  auto network = op->getParentOfType<NetworkOp>();
  return network ? dyn_cast_or_null<WeightOp>(
                       SymbolTable::lookupSymbolIn(network, name))
                 : WeightOp();
}

//===----------------------------------------------------------------------===//
// Projections, delays, sources, recorders
//===----------------------------------------------------------------------===//

WeightOp ProjectOp::getWeightOp() { return lookupWeight(*this, getWeightAttr()); }

LogicalResult ProjectOp::verify() {
  if (int64_t(getDelay()) < 0) // project_r3
    return emitOpError("delay must not be negative, got ")
           << int64_t(getDelay());
  if (getDelay() != 0 && getDelays()) // project_r4
    return emitOpError("has both a delay and delays");
  if (!getTransmit().empty()) { // project_r5
    Block &block = getTransmit().front();
    if (block.getNumArguments() != 2 ||
        !llvm::all_of(block.getArgumentTypes(),
                      [](Type type) { return type.isF64(); }) ||
        block.empty() || !isa<YieldOp>(block.back()))
      return emitOpError("transmit region must take (f64, f64) and yield");
    for (Operation &op : block)
      if (!isScalarCode(&op) || isa<GetOp, SetOp, EmitOp, DiffOp, RandomOp>(op))
        return emitOpError("transmit region may hold only pure scalar code, "
                           "got '")
               << op.getName() << "'";
  }
  return success();
}

LogicalResult ProjectOp::verifySymbolUses(SymbolTableCollection &) {
  WeightOp weight = getWeightOp();
  if (!weight) // project_r1
    return emitOpError("uses weight '")
           << getWeight() << "', which is not defined in this network";
  int64_t source = getTransposed() ? weight.getNumPost() : weight.getNumPre();
  int64_t target = getTransposed() ? weight.getNumPre() : weight.getNumPost();
  if (::countUnits(getInput().getType()) != source || // project_r2
      ::countUnits(getOutput().getType()) != target) {
    InFlightDiagnostic error =
        emitOpError("goes from ")
        << ::countUnits(getInput().getType()) << " to "
        << ::countUnits(getOutput().getType()) << " units, weight '"
        << getWeight() << "'" << (getTransposed() ? " transposed" : "")
        << " joins " << source << " to " << target;
    error.attachNote(weight.getLoc()) << "weight is declared here";
    return error;
  }
  return success();
}

LogicalResult DelayOp::verify() {
  if (int64_t(getTicks()) < 1) // delay_r1
    return emitOpError("needs at least one tick, got ")
           << int64_t(getTicks());
  return success();
}

LogicalResult StimulusOp::verify() {
  if (auto init = getInit()) // stimulus_r1
    if (std::optional<int64_t> count = getValueCount(*init)) {
      int64_t units = ::countUnits(getOutput().getType());
      if (*count != units && *count != units * countLanes(*this))
        return emitOpError("has ") << *count << " initial values for " << units
                                   << " units";
    }
  return verifyInterval(*this, getRange(), "range"); // stimulus_r2
}

LogicalResult SpikeArrayOp::verify() {
  auto type = dyn_cast<RankedTensorType>(getEvents().getType());
  if (!type || type.getRank() != 2 || type.getDimSize(1) != 2 ||
      !type.getElementType().isInteger(64)) // spike_array_r1
    return emitOpError("events must be a k x 2 table of i64 (tick, unit), got ")
           << getEvents().getType();
  auto events = dyn_cast<DenseIntElementsAttr>(getEvents());
  if (!events)
    return success();
  int64_t units = ::countUnits(getOutput().getType()), position = 0;
  for (const APInt &entry : events.getValues<APInt>()) { // spike_array_r2
    int64_t value = entry.getSExtValue();
    if (value < 0 || (position % 2 && value >= units))
      return emitOpError("event ")
             << position / 2 << " has " << (position % 2 ? "unit " : "tick ")
             << value << (position % 2 ? ", which does not exist"
                                       : ", which is before the start");
    ++position;
  }
  return success();
}

LogicalResult ProbeOp::verify() {
  if (int64_t(getEvery()) < 1) // probe_r1
    return emitOpError("'every' must be at least 1, got ")
           << int64_t(getEvery());
  if (std::optional<StringRef> wrt = getWrt()) { // probe_r2
    auto [population, parameter] = wrt->rsplit('.');
    auto op = dyn_cast_or_null<PopulationOp>(
        SymbolTable::lookupSymbolIn((*this)->getParentOp(), population));
    ModelOp model = op ? op.getModelOp() : ModelOp();
    if (!model || !isa_and_nonnull<ParamOp>(model.lookup(parameter)))
      return emitOpError("asks for the derivative with respect to '")
             << *wrt << "', which is not a parameter POPULATION.NAME of this "
             << "network";
    if (cast<RankedTensorType>(getInput().getType())
            .getElementType()
            .isInteger(1))
      return emitOpError("asks for the derivative of spikes; record a real "
                         "signal");
  }
  return success();
}

LogicalResult WatchOp::verify() {
  if (int64_t(getEvery()) < 1) // watch_r1
    return emitOpError("'every' must be at least 1, got ")
           << int64_t(getEvery());
  return success();
}

LogicalResult WatchOp::verifySymbolUses(SymbolTableCollection &) {
  auto population = dyn_cast_or_null<PopulationOp>(SymbolTable::lookupSymbolIn(
      (*this)->getParentOfType<NetworkOp>(), getPopulationAttr()));
  if (!population) // watch_r2
    return emitOpError("watches population '")
           << getPopulation() << "', which is not defined in this network";
  ModelOp model = population.getModelOp();
  if (model && !isa_and_nonnull<StateOp>(model.lookup(getVariable())))
    return emitOpError("watches '")
           << getVariable() << "', which is not a state of model '"
           << population.getModel() << "'";
  return success();
}

//===----------------------------------------------------------------------===//
// Plasticity
//===----------------------------------------------------------------------===//

WeightOp PlasticOp::getWeightOp() { return lookupWeight(*this, getWeightAttr()); }

RuleOp PlasticOp::getRuleOp() {
  return lookupOutside<RuleOp>(*this, getRuleAttr());
}

LogicalResult PlasticOp::verify() {
  if (int64_t(getDelay()) < 0) // plastic_r6
    return emitOpError("delay must not be negative, got ")
           << int64_t(getDelay());
  size_t names = getFactorNames() ? getFactorNames()->size() : 0;
  if (names != getFactors().size()) // plastic_r3
    return emitOpError("has ")
           << getFactors().size() << " factors but " << names << " names";
  return success();
}

/// plastic_r3: the factors of the rule and of the plastic agree.
static LogicalResult verifyFactors(PlasticOp plastic, RuleOp rule,
                                   WeightOp weight) {
  llvm::StringSet<> connected;
  for (auto [index, signal] : llvm::enumerate(plastic.getFactors())) {
    StringRef name =
        cast<StringAttr>((*plastic.getFactorNames())[index]).getValue();
    auto factor = dyn_cast_or_null<FactorOp>(rule.lookup(name));
    if (!factor)
      return plastic.emitOpError("connects '")
             << name << "', which is not a factor of rule '"
             << rule.getSymName() << "'";
    if (!connected.insert(name).second)
      return plastic.emitOpError("connects factor '") << name << "' twice";
    int64_t expected = factor.getSide() == Side::Pre    ? weight.getNumPre()
                       : factor.getSide() == Side::Post ? weight.getNumPost()
                                                        : 1;
    if (::countUnits(signal.getType()) != expected)
      return plastic.emitOpError("factor '")
             << name << "' needs " << expected << " values, got "
             << signal.getType();
  }
  for (FactorOp factor : rule.list<FactorOp>())
    if (!connected.contains(factor.getSymName()))
      return plastic.emitOpError("does not connect factor '")
             << factor.getSymName() << "' of rule '" << rule.getSymName()
             << "'";
  return success();
}

LogicalResult PlasticOp::verifySymbolUses(SymbolTableCollection &) {
  WeightOp weight = getWeightOp();
  if (!weight) // plastic_r1
    return emitOpError("uses weight '")
           << getWeight() << "', which is not defined in this network";
  RuleOp rule = getRuleOp();
  if (!rule)
    return emitOpError("uses rule '") << getRule() << "', which is not defined";
  if (::countUnits(getPre().getType()) != weight.getNumPre() || // plastic_r2
      ::countUnits(getPost().getType()) != weight.getNumPost())
    return emitOpError("joins ")
           << ::countUnits(getPre().getType()) << " to "
           << ::countUnits(getPost().getType()) << " units, weight '"
           << getWeight() << "' has " << weight.getNumPre() << " and "
           << weight.getNumPost();
  if (isa<ConvAttr>(weight.getConnect())) { // plastic_r7
    if (!rule.list<StateOp>().empty())
      return emitOpError("rule '")
             << getRule() << "' keeps a state for each synapse, which the "
             << "shared values of a convolution cannot";
    for (HandlerOp handler : rule.list<HandlerOp>())
      if (handler.getEvent() == Event::Pre || handler.getEvent() == Event::Post)
        return emitOpError("rule '")
               << getRule() << "' acts on single spikes; a convolution's values "
               << "are shared and change by 'on tick' or 'on call' only";
  }
  if (failed(verifyFactors(*this, rule, weight)))
    return failure();
  auto isSpike = [](Value signal) {
    return cast<RankedTensorType>(signal.getType()).getElementType().isInteger(
        1);
  };
  auto needSpikes = [&](Side side, StringRef what) -> LogicalResult {
    Value signal = side == Side::Pre ? getPre() : getPost();
    if (isSpike(signal)) // plastic_r4
      return success();
    return emitOpError("rule '")
           << getRule() << "' has " << what << ", which needs a spike signal; "
           << "the " << stringifySide(side)
           << " signal is real: use 'on tick', or an equation of the trace";
  };
  for (HandlerOp handler : rule.list<HandlerOp>()) {
    if (handler.getEvent() == Event::Pre &&
        failed(needSpikes(Side::Pre, "a handler 'on pre'")))
      return failure();
    if (handler.getEvent() == Event::Post &&
        failed(needSpikes(Side::Post, "a handler 'on post'")))
      return failure();
  }
  for (TraceOp trace : rule.list<TraceOp>())
    if (!trace.getSpike().empty() &&
        failed(needSpikes(trace.getSide(), "a trace with a spike region")))
      return failure();
  if (auto params = getParams())
    for (NamedAttribute entry : *params) // plastic_r5
      if (!isa_and_nonnull<ParamOp>(rule.lookup(entry.getName())) ||
          !isa<FloatAttr>(entry.getValue()))
        return emitOpError("sets '")
               << entry.getName().getValue()
               << "', which is not a parameter of rule '" << getRule()
               << "' with one number";
  return success();
}

//===----------------------------------------------------------------------===//
// Sugar
//===----------------------------------------------------------------------===//

LogicalResult PcLayerOp::verify() {
  if (!(getRate().convertToDouble() > 0) || // pc_layer_r3
      !(getPrecision().convertToDouble() > 0) ||
      !(getPrior().convertToDouble() >= 0))
    return emitOpError("needs rate > 0, precision > 0 and prior >= 0");
  if (::countUnits(getError().getType()) != ::countUnits(getBelow().getType()))
    return emitOpError("error has ") // pc_layer_r2
           << ::countUnits(getError().getType()) << " units, the layer below "
           << ::countUnits(getBelow().getType());
  if (getTopDown() && ::countUnits(getTopDown().getType()) !=
                          ::countUnits(getValue().getType()))
    return emitOpError("top-down error has ")
           << ::countUnits(getTopDown().getType()) << " units, the value "
           << ::countUnits(getValue().getType());
  return success();
}

LogicalResult PcLayerOp::verifySymbolUses(SymbolTableCollection &) {
  WeightOp weight = lookupWeight(*this, getWeightAttr()); // pc_layer_r1
  if (!weight || !isa<DenseConnectAttr>(weight.getConnect()) ||
      weight.getNumPre() != ::countUnits(getValue().getType()) ||
      weight.getNumPost() != ::countUnits(getBelow().getType()))
    return emitOpError("needs a dense weight '")
           << getWeight() << "' from " << ::countUnits(getValue().getType())
           << " values to " << ::countUnits(getBelow().getType()) << " units";
  return success();
}

LogicalResult AssociativeMemoryOp::verifySymbolUses(SymbolTableCollection &) {
  WeightOp weight = lookupWeight(*this, getWeightAttr());
  int64_t units = ::countUnits(getCue().getType());
  if (!weight || // associative_memory_r1
      !isa<DenseConnectAttr, AllToAllAttr>(weight.getConnect()) ||
      weight.getNumPre() != units || weight.getNumPost() != units ||
      getState().getType() != getCue().getType())
    return emitOpError("needs a dense or all-to-all weight '")
           << getWeight() << "' from " << units << " to " << units
           << " units, and a state of the cue's type";
  return success();
}
