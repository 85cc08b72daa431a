// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Interval analysis of a whole network. States start at their initial values;
// stages, projections and rules are evaluated over intervals until nothing
// grows. What still grows after a few rounds jumps to the next power of two,
// and what passes every power of two is given its declared range (or the
// option's default) and marked as unproved. A second fixpoint spreads
// "unproved" to all that depends on it.
#include "neuroc/Neuro/Analysis/RangeAnalysis.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/TypeUtilities.h"

#include <cmath>

using namespace mlir;

namespace neuroc::neuro {

//===----------------------------------------------------------------------===//
// Constants
//===----------------------------------------------------------------------===//

Interval intervalOf(Attribute value) {
  if (auto number = dyn_cast_or_null<FloatAttr>(value))
    return Interval::point(number.getValueAsDouble());
  if (auto number = dyn_cast_or_null<IntegerAttr>(value))
    return Interval::point(double(number.getInt()));
  if (auto dist = dyn_cast_or_null<DistributionAttr>(value)) {
    double a = dist.getA().getValueAsDouble();
    double b = dist.getB().getValueAsDouble();
    Interval result;
    switch (dist.getKind()) {
    case DistributionKind::Uniform:
      result = {a, b};
      break;
    case DistributionKind::Normal: // drawn by Irwin-Hall: within six sigma
      result = {a - 6.0 * b, a + 6.0 * b};
      break;
    case DistributionKind::Lognormal:
      result = {0.0, std::exp(a + 6.0 * b)};
      break;
    case DistributionKind::Exponential: // -log of a draw of 2^-33 at least
      result = {b, b + 23.0 * a};
      break;
    }
    if (auto clip = dist.getClip())
      result = result.meet({clip[0], clip[1]});
    return result;
  }
  if (auto elements = dyn_cast_or_null<ElementsAttr>(value)) {
    Interval result{1.0, 0.0};
    auto addAll = [&](auto range) {
      for (const APFloat &number : range) {
        APFloat copy = number;
        bool lossy;
        copy.convert(APFloat::IEEEdouble(), APFloat::rmNearestTiesToEven,
                     &lossy);
        result = result.join(Interval::point(copy.convertToDouble()));
      }
    };
    if (isa<FloatType>(elements.getElementType())) {
      if (auto range = elements.tryGetValues<APFloat>(); range)
        addAll(*range);
    } else if (auto range = elements.tryGetValues<APInt>(); range) {
      bool isBit = elements.getElementType().isInteger(1);
      for (const APInt &number : *range)
        result =
            result.join(Interval::point(isBit ? double(number.getZExtValue())
                                              : double(number.getSExtValue())));
    }
    return result.isEmpty() ? Interval::all() : result;
  }
  return Interval::all();
}

std::optional<Interval> declaredInterval(DenseF64ArrayAttr range) {
  if (!range || range.size() != 2)
    return std::nullopt;
  return Interval{range[0], range[1]};
}

/// The override of `name` in a dictionary of params or initial values.
static Attribute overrideOf(DictionaryAttr dictionary, StringRef name) {
  return dictionary ? dictionary.get(name) : Attribute();
}

/// [0, 1] for spikes.
static bool isSpikes(Value signal) {
  return getElementTypeOrSelf(signal.getType()).isInteger(1);
}

//===----------------------------------------------------------------------===//
// Fixpoint
//===----------------------------------------------------------------------===//

RangeAnalysis::RangeAnalysis(NetworkOp network, const RangeOptions &options)
    : network(network), options(options) {
  run();
  // Weights that grew without end get their room, and all is seen anew.
  for (auto plastic : network.getBody().front().getOps<PlasticOp>()) {
    WeightOp weight = plastic.getWeightOp();
    Bound bound = weights.lookup(weight);
    if (options.learningRoom > 0.0 && !bound.proved &&
        !weight.getBoundsAttr() &&
        bound.interval.magnitude() >= options.unknownMagnitude)
      rooms[weight] = Interval::symmetric(
          std::max(4.0, options.learningRoom *
                            intervalOf(weight.getValues()).magnitude()));
  }
  if (rooms.empty())
    return;
  nodes.clear();
  signals.clear();
  values.clear();
  weights.clear();
  run();
}

void RangeAnalysis::run() {
  initialise();
  if (options.hostWrites)
    addHostWrites();
  constexpr unsigned kPlainRounds = 4, kMaxRounds = 400;
  unsigned round = 0;
  for (; round < kMaxRounds && iterate(round >= kPlainRounds); ++round)
    ;
  settleProofs();
}

/// The next power of two away from zero (towards zero never).
static double widened(double x, bool upper) {
  if (x == 0.0)
    return 0.0;
  bool away = (x > 0.0) == upper;
  if (!away)
    return x > 0.0 ? 0.0 : (upper ? 0.0 : x);
  double magnitude = std::exp2(std::ceil(std::log2(std::fabs(x)) + 1e-9));
  return upper ? magnitude : -magnitude;
}

bool RangeAnalysis::update(Bound &bound, Interval next,
                           std::optional<Interval> declared, bool widen) {
  Interval joined = bound.interval.join(next);
  if (bound.interval.contains(joined))
    return false;
  // Growth by rounding only is no growth.
  double slack = 1e-9 * joined.magnitude();
  if (std::isfinite(slack) && bound.interval.lo - joined.lo <= slack &&
      joined.hi - bound.interval.hi <= slack)
    return false;
  if (!bound.proved) // already given its limit
    return false;
  if (widen) {
    if (joined.lo < bound.interval.lo)
      joined.lo = widened(joined.lo, /*upper=*/false);
    if (joined.hi > bound.interval.hi)
      joined.hi = widened(joined.hi, /*upper=*/true);
  }
  Interval limit =
      declared ? *declared : Interval::symmetric(options.unknownMagnitude);
  double beyond = declared ? 4.0 * limit.magnitude() : limit.magnitude();
  if (joined.magnitude() > beyond) {
    bound.interval =
        limit.join(bound.interval)
            .meet(declared ? limit
                           : Interval::symmetric(options.unknownMagnitude));
    if (bound.interval.isEmpty())
      bound.interval = limit;
    bound.proved = false;
    return true;
  }
  bound.interval = joined;
  return true;
}

Bound RangeAnalysis::lookup(const std::map<Operation *, Node> &map,
                            Operation *op, StringRef name) const {
  auto node = map.find(op);
  if (node == map.end())
    return {Interval::symmetric(options.unknownMagnitude), false};
  auto found = node->second.names.find(name.str());
  if (found == node->second.names.end())
    return {Interval::symmetric(options.unknownMagnitude), false};
  return found->second;
}

Bound RangeAnalysis::state(PopulationOp p, StringRef name) const {
  Bound bound = lookup(nodes, p, name);
  // A stage may leave a larger value than the tick does.
  if (auto node = nodes.find(p); node != nodes.end() && bound.proved)
    if (auto within = node->second.within.find(name.str());
        within != node->second.within.end())
      bound.interval = bound.interval.join(within->second);
  return bound;
}
Bound RangeAnalysis::input(PopulationOp p, StringRef name) const {
  return lookup(nodes, p, name);
}
Bound RangeAnalysis::param(PopulationOp p, StringRef name) const {
  return lookup(nodes, p, name);
}
Bound RangeAnalysis::ruleName(PlasticOp p, StringRef name) const {
  return lookup(nodes, p, name);
}
Bound RangeAnalysis::output(PopulationOp population, StringRef name) const {
  ModelOp model = population.getModelOp();
  unsigned index = 0;
  for (OutputOp output : model.list<OutputOp>()) {
    if (output.getSymName() == name)
      return signal(population.getResult(index));
    ++index;
  }
  return {Interval::symmetric(options.unknownMagnitude), false};
}
Bound RangeAnalysis::signal(Value value) const {
  auto found = signals.find(value);
  if (found != signals.end())
    return found->second;
  if (isSpikes(value))
    return {Interval::boolean(), true};
  return {Interval::symmetric(options.unknownMagnitude), false};
}
Bound RangeAnalysis::value(Value scalar) const {
  auto found = values.find(scalar);
  if (found != values.end())
    return found->second;
  return {Interval::symmetric(options.unknownMagnitude), false};
}
Bound RangeAnalysis::weight(WeightOp weight) const {
  auto found = weights.find(weight);
  if (found != weights.end())
    return found->second;
  return {intervalOf(weight.getValues()), true};
}

void RangeAnalysis::initialise() {
  for (Operation &op : network.getBody().front()) {
    if (auto weight = dyn_cast<WeightOp>(op))
      weights[weight] = {intervalOf(weight.getValues()), true};
  }
  for (Operation &op : network.getBody().front()) {
    if (auto population = dyn_cast<PopulationOp>(op)) {
      Node &node = nodes[&op];
      ModelOp model = population.getModelOp();
      if (!model)
        continue;
      for (ParamOp param : model.list<ParamOp>()) {
        Attribute value =
            overrideOf(population.getParamsAttr(), param.getSymName());
        node.names[param.getSymName().str()] = {
            intervalOf(value ? value : Attribute(param.getValueAttr())), true};
      }
      for (StateOp state : model.list<StateOp>()) {
        Attribute value =
            overrideOf(population.getInitAttr(), state.getSymName());
        node.names[state.getSymName().str()] = {
            intervalOf(value ? value : Attribute(state.getInitAttr())), true};
      }
      unsigned index = 0;
      for (OutputOp output : model.list<OutputOp>()) {
        (void)output;
        // Outputs are silent, or zero, before the first update.
        signals[population.getResult(index++)] = {Interval::point(0.0), true};
      }
    } else if (auto plastic = dyn_cast<PlasticOp>(op)) {
      Node &node = nodes[&op];
      RuleOp rule = plastic.getRuleOp();
      if (!rule)
        continue;
      for (ParamOp param : rule.list<ParamOp>()) {
        Attribute value =
            overrideOf(plastic.getParamsAttr(), param.getSymName());
        node.names[param.getSymName().str()] = {
            intervalOf(value ? value : Attribute(param.getValueAttr())), true};
      }
      for (StateOp state : rule.list<StateOp>())
        node.names[state.getSymName().str()] = {
            Interval::point(state.getInitAttr().getValueAsDouble()), true};
      for (TraceOp trace : rule.list<TraceOp>())
        node.names[trace.getSymName().str()] = {
            Interval::point(trace.getInitAttr().getValueAsDouble()), true};
    } else if (auto stimulus = dyn_cast<StimulusOp>(op)) {
      if (isSpikes(stimulus.getOutput()))
        signals[stimulus.getOutput()] = {Interval::boolean(), true};
      else if (auto range = declaredInterval(stimulus.getRangeAttr()))
        // The host clamps what it presents to the declared range.
        signals[stimulus.getOutput()] = {
            range->join(stimulus.getInitAttr()
                            ? intervalOf(stimulus.getInitAttr())
                            : Interval::point(0.0)),
            true};
      else
        signals[stimulus.getOutput()] = {presented(stimulus), false};
    } else if (isa<SpikeArrayOp>(op)) {
      signals[op.getResult(0)] = {Interval::boolean(), true};
    }
  }
}

bool RangeAnalysis::iterate(bool widen) {
  bool changed = false;
  for (Operation &op : network.getBody().front()) {
    if (auto population = dyn_cast<PopulationOp>(op))
      changed |= visitPopulation(population, widen);
    else if (auto plastic = dyn_cast<PlasticOp>(op))
      changed |= visitPlastic(plastic, widen);
    else
      visitSignalOp(&op, changed);
  }
  return changed;
}

bool RangeAnalysis::setSignal(Value value, Interval interval, bool proved) {
  auto [entry, inserted] = signals.try_emplace(value, Bound{interval, proved});
  if (inserted)
    return true;
  bool grows = !entry->second.interval.contains(interval);
  entry->second.interval = entry->second.interval.join(interval);
  entry->second.proved &= proved;
  return grows;
}

/// Bounds per target unit: n synapses at most, each w * x in `each`.
static Interval combined(Combine combine, Interval each, double n) {
  switch (combine) {
  case Combine::Sum:
    return (each * Interval::point(n)).join(each).join(Interval::point(0.0));
  case Combine::Max:
  case Combine::Min:
    return each.join(Interval::point(0.0));
  case Combine::Product: {
    double m = std::pow(std::max(each.magnitude(), 1.0), n);
    return Interval{each.lo >= 0.0 ? 0.0 : -m, m}.join(Interval::point(1.0));
  }
  }
  return Interval::all();
}

/// Largest number of synapses that one target unit can have.
static double largestFanIn(WeightOp weight, bool transposed) {
  double pre = double(weight.getNumPre()), post = double(weight.getNumPost());
  double sources = transposed ? post : pre;
  Attribute connect = weight.getConnect();
  if (isa<OneToOneAttr>(connect))
    return 1.0;
  if (auto conv = dyn_cast<ConvAttr>(connect)) {
    auto kernel = conv.getKernel().asArrayRef();
    double area = double(kernel[0]) * double(kernel[1]);
    double channels =
        double(transposed ? weight.getPost()[0] : weight.getPre()[0]);
    return std::max(1.0, area * channels / double(conv.getGroups()));
  }
  if (auto degree = dyn_cast<FixedInDegreeAttr>(connect); degree && !transposed)
    return double(degree.getK());
  if (auto degree = dyn_cast<FixedOutDegreeAttr>(connect); degree && transposed)
    return double(degree.getK());
  if (auto p = dyn_cast<FixedProbabilityAttr>(connect)) {
    // Binomial tail: ten standard deviations and one.
    double mean = p.getP().getValueAsDouble() * sources;
    return std::min(sources, std::ceil(mean + 10.0 * std::sqrt(mean) + 1.0));
  }
  if (auto list = dyn_cast<ListConnectAttr>(connect)) {
    llvm::DenseMap<int64_t, int64_t> count;
    int64_t most = 0, index = 0;
    for (int64_t unit : list.getPairs().getValues<int64_t>()) {
      bool isTarget = (index++ % 2 == 1) != transposed;
      if (isTarget)
        most = std::max(most, ++count[unit]);
    }
    return double(most);
  }
  return sources;
}

/// Largest and smallest possible weighted sum over the rows of a constant
/// dense or convolution weight, for inputs in `x`.
static std::optional<Interval> exactSum(WeightOp weight, bool transposed,
                                        Interval x) {
  auto values = dyn_cast<DenseFPElementsAttr>(weight.getValues());
  if (!values || values.isSplat())
    return std::nullopt;
  size_t rows, columns;
  if (isa<DenseConnectAttr>(weight.getConnect())) {
    rows = size_t(weight.getNumPost());
    columns = size_t(weight.getNumPre());
  } else if (isa<ConvAttr>(weight.getConnect()) && !transposed) {
    rows = size_t(weight.getPost()[0]); // the values may be a flat list
    columns = size_t(values.getNumElements()) / rows;
  } else {
    return std::nullopt;
  }
  // Padding and masks leave synapses out, so zero is always possible.
  x = x.join(Interval::point(0.0));
  SmallVector<Interval> sums(transposed ? columns : rows, Interval::point(0.0));
  size_t index = 0;
  for (const APFloat &number : values.getValues<APFloat>()) {
    APFloat copy = number;
    bool lossy;
    copy.convert(APFloat::IEEEdouble(), APFloat::rmNearestTiesToEven, &lossy);
    Interval &sum = sums[transposed ? index % columns : index / columns];
    sum = sum + Interval::point(copy.convertToDouble()) * x;
    ++index;
  }
  Interval result = Interval::point(0.0);
  for (Interval sum : sums)
    result = result.join(sum);
  return result;
}

Bound RangeAnalysis::projected(ProjectOp project) {
  WeightOp weight = project.getWeightOp();
  auto source = signals.find(project.getInput());
  if (!weight || source == signals.end())
    return {Interval::point(0.0), true};
  Interval x = source->second.interval;
  if (!project.hasSameTickInput())
    x = x.join(Interval::point(0.0));
  Bound w = weights[weight];
  bool plain = project.getTransmit().empty();
  bool constant = w.interval == intervalOf(weight.getValues());
  if (plain && constant && project.getCombine() == Combine::Sum)
    if (auto sum = exactSum(weight, project.getTransposed(), x))
      return {*sum, true};
  Interval each = w.interval * x;
  if (!plain) {
    Block &block = project.getTransmit().front();
    IntervalEvaluator evaluator(
        [&](Operation *) -> std::optional<Interval> { return std::nullopt; });
    evaluator.assume(block.getArgument(0), w.interval);
    evaluator.assume(block.getArgument(1), x);
    for (Operation &op : block.without_terminator())
      for (Value result : op.getResults())
        values[result] = {evaluator.evaluate(result), true};
    each = evaluator.evaluate(block.getTerminator()->getOperand(0));
  }
  return {combined(project.getCombine(), each,
                   largestFanIn(weight, project.getTransposed())),
          true};
}

void RangeAnalysis::visitSignalOp(Operation *op, bool &changed) {
  if (auto project = dyn_cast<ProjectOp>(op)) {
    Bound bound = projected(project);
    changed |= setSignal(project.getOutput(), bound.interval, bound.proved);
    return;
  }
  if (auto delay = dyn_cast<DelayOp>(op)) {
    auto source = signals.find(delay.getInput());
    Interval interval = Interval::point(0.0);
    if (source != signals.end())
      interval = interval.join(source->second.interval);
    changed |= setSignal(delay.getOutput(), interval, true);
    return;
  }
  if (isa<StimulusOp, SpikeArrayOp>(op) || op->getNumResults() == 0)
    return;
  // Elementwise tensor operations mean what the scalar ones mean.
  SmallVector<Interval> operands;
  for (Value operand : op->getOperands()) {
    auto source = signals.find(operand);
    if (source == signals.end() && isa<ShapedType>(operand.getType()))
      return; // a cycle: comes again
    operands.push_back(source == signals.end() ? Interval::all()
                                               : source->second.interval);
  }
  for (Value result : op->getResults()) {
    auto type = dyn_cast<ShapedType>(result.getType());
    if (!type)
      continue;
    Interval interval = Interval::all();
    if (auto constant = dyn_cast<arith::ConstantOp>(op))
      interval = intervalOf(constant.getValue());
    else if (op->getNumRegions() == 0)
      interval = evaluateOp(op, operands);
    if (type.getElementType().isInteger(1))
      interval = interval.meet(Interval::boolean());
    bool proved = interval.isFinite();
    changed |= setSignal(result,
                         proved ? interval
                                : Interval::symmetric(options.unknownMagnitude),
                         proved);
  }
}

//===----------------------------------------------------------------------===//
// Regions
//===----------------------------------------------------------------------===//

/// The fewest and the most members that a group of `reduce` can have.
static Interval countMembers(ReduceOp reduce, Operation *owner) {
  if (auto population = dyn_cast<PopulationOp>(owner))
    return Interval::point(
        double(reduce.getGroup().value_or(population.getNumUnits())));
  WeightOp weight = cast<PlasticOp>(owner).getWeightOp();
  double most =
      largestFanIn(weight, /*transposed=*/reduce.getOver() == ReduceOver::Pre);
  if (reduce.getOver() == ReduceOver::All)
    most *= double(weight.getNumPost());
  return {1.0, std::max(1.0, most)};
}

/// Whether exp(x - max x) is reduced: one member of the group then gives 1.
static bool isShiftedExponential(ReduceOp reduce) {
  auto exponential = reduce.getValue().getDefiningOp<math::ExpOp>();
  auto shifted = exponential
                     ? exponential.getOperand().getDefiningOp<arith::SubFOp>()
                     : arith::SubFOp();
  auto largest =
      shifted ? shifted.getRhs().getDefiningOp<ReduceOp>() : ReduceOp();
  return largest && largest.getKind() == GroupReduce::Max &&
         largest.getValue() == shifted.getLhs() &&
         largest.getOver() == reduce.getOver() &&
         largest.getGroup() == reduce.getGroup();
}

/// The interval of a reduction of values in `x` over `n` members.
static Interval reduced(ReduceOp reduce, Interval x, Interval n) {
  switch (reduce.getKind()) {
  case GroupReduce::Sum: {
    if (reduce.getPrefix())
      n.lo = 1.0;
    Interval sum = x * n;
    if (!reduce.getPrefix() && isShiftedExponential(reduce))
      sum = sum.meet({1.0, std::numeric_limits<double>::infinity()});
    return sum;
  }
  case GroupReduce::Max:
  case GroupReduce::Min:
  case GroupReduce::KthLargest:
    return x;
  case GroupReduce::LogSumExp:
    return {x.lo + std::log(n.lo), x.hi + std::log(n.hi)};
  case GroupReduce::Rank:
    return {0.0, n.hi - 1.0};
  }
  llvm_unreachable("all kinds handled");
}

bool RangeAnalysis::visitRegion(Region &region, Operation *owner, Node &node,
                                std::map<std::string, Interval> &sets) {
  if (region.empty())
    return false;
  double units = 1.0;
  if (auto population = dyn_cast<PopulationOp>(owner))
    units = double(std::max<int64_t>(1, population.getNumUnits()));
  // A refinement says nothing of the other members of a group: their values
  // are those that `whole` gives.
  IntervalEvaluator *whole = nullptr;
  // In core form all reads come first: a read is a leaf.
  IntervalEvaluator evaluator([&](Operation *op) -> std::optional<Interval> {
    if (auto get = dyn_cast<GetOp>(op)) {
      auto found = node.names.find(get.getName().str());
      if (found == node.names.end())
        return Interval::symmetric(options.unknownMagnitude);
      return found->second.interval;
    }
    if (isa<TimeOp>(op))
      return Interval{0.0, options.longestRun};
    if (isa<DtOp>(op))
      return Interval::point(network.getDt().convertToDouble());
    if (isa<IndexOp>(op))
      return Interval{0.0, units - 1.0};
    if (auto random = dyn_cast<RandomOp>(op))
      return random.getKind() == RandomKind::Uniform ? Interval{0.0, 1.0}
                                                     : Interval{-6.0, 6.0};
    if (auto reduce = dyn_cast<ReduceOp>(op))
      return reduced(reduce, whole->evaluate(reduce.getValue()),
                     countMembers(reduce, owner));
    return std::nullopt;
  });
  whole = &evaluator;
  for (Operation &op : region.front()) {
    for (Value result : op.getResults())
      values[result] = {evaluator.evaluate(result), true};
    if (auto set = dyn_cast<SetOp>(op))
      sets[set.getName().str()] = evaluator.evaluate(set.getValue());
    else if (auto emit = dyn_cast<EmitOp>(op))
      sets[emit.getName().str()] = evaluator.evaluate(emit.getValue());
  }
  return true;
}

bool RangeAnalysis::visitPopulation(PopulationOp population, bool widen) {
  ModelOp model = population.getModelOp();
  if (!model)
    return false;
  Node &node = nodes[population];
  bool changed = false;
  for (InputOp input : model.list<InputOp>()) {
    std::optional<Interval> joined;
    for (unsigned operand : population.getOperandsOfPort(input.getSymName())) {
      auto source = signals.find(population.getInputs()[operand]);
      Interval x = source == signals.end() ? Interval::point(0.0)
                                           : source->second.interval;
      if (!joined) {
        joined = x;
        continue;
      }
      switch (input.getCombine()) {
      case Combine::Sum:
        joined = *joined + x;
        break;
      case Combine::Product:
        joined = *joined * x;
        break;
      case Combine::Max:
      case Combine::Min:
        joined = joined->join(x);
        break;
      }
    }
    Interval next =
        joined ? *joined
               : Interval::point(input.getDefaultValue().convertToDouble());
    auto [entry, inserted] =
        node.names.try_emplace(input.getSymName().str(), Bound{next, true});
    if (inserted)
      changed = true;
    else
      changed |= update(entry->second, next,
                        declaredInterval(input.getRangeAttr()), false);
  }
  // Stages in order: each reads what the ones before it have set.
  Node present = node;
  std::map<std::string, Interval> seen;
  for (StageOp stage : model.list<StageOp>()) {
    std::map<std::string, Interval> sets;
    visitRegion(stage.getBody(), population, present, sets);
    for (StateOp state : model.list<StateOp>()) {
      auto found = sets.find(state.getSymName().str());
      if (found == sets.end())
        continue;
      Interval kept = found->second;
      // What a format cannot hold saturates at its ends.
      Bound &bound = node.names[found->first];
      if (!bound.proved)
        kept = kept.meet(bound.interval).isEmpty() ? bound.interval
                                                   : kept.meet(bound.interval);
      present.names[found->first].interval = kept;
      auto [entry, isNew] = seen.try_emplace(found->first, found->second);
      if (!isNew)
        entry->second = entry->second.join(found->second);
    }
    unsigned index = 0;
    for (OutputOp output : model.list<OutputOp>()) {
      auto found = sets.find(output.getSymName().str());
      Bound &bound = signals[population.getResult(index++)];
      if (found != sets.end())
        changed |= update(bound, found->second,
                          declaredInterval(output.getRangeAttr()), widen);
    }
  }
  for (StateOp state : model.list<StateOp>()) {
    std::string name = state.getSymName().str();
    auto found = seen.find(name);
    if (found == seen.end())
      continue;
    changed |= update(node.names[name], present.names[name].interval,
                      declaredInterval(state.getRangeAttr()), widen);
    node.within[name] = found->second;
  }
  return changed;
}

bool RangeAnalysis::visitPlastic(PlasticOp plastic, bool widen) {
  RuleOp rule = plastic.getRuleOp();
  WeightOp weight = plastic.getWeightOp();
  if (!rule || !weight)
    return false;
  Node &node = nodes[plastic];
  auto signalOf = [&](Value value, bool delayed) {
    auto source = signals.find(value);
    Interval x = source == signals.end() ? Interval::point(0.0)
                                         : source->second.interval;
    return delayed ? x.join(Interval::point(0.0)) : x;
  };
  Bound &w = weights[weight];
  std::optional<Interval> bounds = declaredInterval(weight.getBoundsAttr());
  if (bounds)
    w.interval = w.interval.join(*bounds);
  node.names["w"] = w;
  node.names["pre"] = {signalOf(plastic.getPre(), plastic.getDelay() > 0),
                       true};
  node.names["post"] = {signalOf(plastic.getPost(), false), true};
  if (auto names = plastic.getFactorNamesAttr())
    for (auto [name, factor] : llvm::zip(names, plastic.getFactors()))
      node.names[cast<StringAttr>(name).str()] = {signalOf(factor, false),
                                                  true};
  bool changed = false;
  for (TraceOp trace : rule.list<TraceOp>()) {
    // In a tick the trace decays, handlers see it, and a spike may add to it.
    std::string name = trace.getSymName().str();
    Bound &bound = node.names[name];
    Bound start = bound;
    Interval next{1.0, 0.0}, last = start.interval;
    for (Region *region : {&trace.getTick(), &trace.getSpike()}) {
      std::map<std::string, Interval> sets;
      bound.interval = last;
      visitRegion(*region, plastic, node, sets);
      if (auto found = sets.find(name); found != sets.end())
        last = found->second;
      next = next.join(last);
    }
    bound = start;
    // Without a spike region, or without a spike, the decayed value remains.
    changed |=
        update(bound, next, declaredInterval(trace.getRangeAttr()), widen);
  }
  for (HandlerOp handler : rule.list<HandlerOp>()) {
    std::map<std::string, Interval> sets;
    visitRegion(handler.getBody(), plastic, node, sets);
    for (auto &[name, interval] : sets) {
      if (name == "w") {
        Interval next = interval;
        if (bounds)
          next = next.meet(*bounds);
        if (weight.getSign() == Sign::Excitatory)
          next = next.meet({0.0, std::numeric_limits<double>::infinity()});
        else if (weight.getSign() == Sign::Inhibitory)
          next = next.meet({-std::numeric_limits<double>::infinity(), 0.0});
        std::optional<Interval> limit = bounds;
        if (auto room = rooms.find(weight); room != rooms.end())
          limit = room->second;
        if (!next.isEmpty())
          changed |= update(w, next, limit, widen);
        node.names["w"] = w;
        continue;
      }
      std::optional<Interval> declared;
      for (StateOp state : rule.list<StateOp>())
        if (state.getSymName() == name)
          declared = declaredInterval(state.getRangeAttr());
      changed |= update(node.names[name], interval, declared, widen);
    }
  }
  return changed;
}

//===----------------------------------------------------------------------===//
// Proofs
//===----------------------------------------------------------------------===//

/// Spreads `proved = false` from what was given a limit to all that reads it.
/// Booleans are always proved.
void RangeAnalysis::settleProofs() {
  bool changed = true;
  auto lower = [&](Bound &bound, bool proved) {
    if (bound.proved && !proved) {
      bound.proved = false;
      changed = true;
    }
  };
  auto visitScalars = [&](Region &region, Node &node,
                          llvm::function_ref<void(StringRef, Bound)> onSet) {
    if (region.empty())
      return;
    for (Operation &op : region.front()) {
      bool proved = true;
      if (auto get = dyn_cast<GetOp>(op)) {
        auto found = node.names.find(get.getName().str());
        proved = found != node.names.end() && found->second.proved;
      }
      if (isa<TimeOp>(op))
        proved = false;
      for (Value operand : op.getOperands()) {
        auto found = values.find(operand);
        proved &= found != values.end() && found->second.proved;
      }
      for (Value result : op.getResults()) {
        Bound &bound = values[result];
        lower(bound, result.getType().isInteger(1) ||
                         (proved && bound.interval.isFinite()));
      }
      if (auto set = dyn_cast<SetOp>(op))
        onSet(set.getName(), values[set.getValue()]);
      else if (auto emit = dyn_cast<EmitOp>(op))
        onSet(emit.getName(), values[emit.getValue()]);
    }
  };
  while (changed) {
    changed = false;
    for (Operation &op : network.getBody().front()) {
      if (auto population = dyn_cast<PopulationOp>(op)) {
        ModelOp model = population.getModelOp();
        if (!model)
          continue;
        Node &node = nodes[&op];
        for (InputOp input : model.list<InputOp>())
          for (unsigned i : population.getOperandsOfPort(input.getSymName()))
            lower(node.names[input.getSymName().str()],
                  signal(population.getInputs()[i]).proved);
        for (StageOp stage : model.list<StageOp>())
          visitScalars(stage.getBody(), node, [&](StringRef name, Bound b) {
            unsigned index = 0;
            for (OutputOp output : model.list<OutputOp>()) {
              if (output.getSymName() == name)
                lower(signals[population.getResult(index)], b.proved);
              ++index;
            }
            auto found = node.names.find(name.str());
            if (found != node.names.end())
              lower(found->second, b.proved);
          });
      } else if (auto plastic = dyn_cast<PlasticOp>(op)) {
        RuleOp rule = plastic.getRuleOp();
        if (!rule)
          continue;
        Node &node = nodes[&op];
        lower(node.names["pre"], signal(plastic.getPre()).proved);
        lower(node.names["post"], signal(plastic.getPost()).proved);
        if (auto names = plastic.getFactorNamesAttr())
          for (auto [name, factor] : llvm::zip(names, plastic.getFactors()))
            lower(node.names[cast<StringAttr>(name).str()],
                  signal(factor).proved);
        Bound &w = weights[plastic.getWeightOp()];
        bool clamped = plastic.getWeightOp().getBoundsAttr() != nullptr;
        lower(node.names["w"], w.proved);
        auto onSet = [&](StringRef name, Bound b) {
          if (name == "w")
            lower(w, b.proved || clamped);
          else
            lower(node.names[name.str()], b.proved);
        };
        for (TraceOp trace : rule.list<TraceOp>()) {
          visitScalars(trace.getTick(), node, onSet);
          visitScalars(trace.getSpike(), node, onSet);
        }
        for (HandlerOp handler : rule.list<HandlerOp>())
          visitScalars(handler.getBody(), node, onSet);
      } else if (!isa<StimulusOp, SpikeArrayOp>(op)) {
        bool proved = true;
        for (Value operand : op.getOperands())
          proved &= signal(operand).proved;
        if (auto project = dyn_cast<ProjectOp>(op))
          proved &= weights[project.getWeightOp()].proved;
        for (Value result : op.getResults())
          if (auto found = signals.find(result); found != signals.end())
            lower(found->second, proved);
      }
    }
  }
}

} // namespace neuroc::neuro
