// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Tangents through one tick. Every operation of a stage is applied to all units
// at once, to values and tangents side by side; conditions are decided by the
// values. An operation without a derivative here makes its population constant.
#include "neuroc/Neuro/Analysis/TickMap.h"
#include "neuroc/Neuro/Analysis/Values.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/Matchers.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/ADT/StringSet.h"

#include <cmath>
#include <numeric>

using namespace mlir;
using namespace neuroc;
using namespace neuroc::neuro;

//===----------------------------------------------------------------------===//
// Scalar operations
//===----------------------------------------------------------------------===//

namespace {
/// A number and its derivative along the direction.
struct Dual {
  double x = 0, d = 0;
};
using Rule = Dual (*)(Dual, Dual, Dual);
} // namespace

/// The rule of an operation by name, or null.
static Rule lookupRule(StringRef name) {
  static const llvm::StringMap<Rule> rules = {
      {"arith.addf",
       [](Dual a, Dual b, Dual) { return Dual{a.x + b.x, a.d + b.d}; }},
      {"arith.subf",
       [](Dual a, Dual b, Dual) { return Dual{a.x - b.x, a.d - b.d}; }},
      {"arith.mulf",
       [](Dual a, Dual b, Dual) {
         return Dual{a.x * b.x, a.d * b.x + a.x * b.d};
       }},
      {"arith.divf",
       [](Dual a, Dual b, Dual) {
         return Dual{a.x / b.x, (a.d - a.x / b.x * b.d) / b.x};
       }},
      {"arith.negf", [](Dual a, Dual, Dual) { return Dual{-a.x, -a.d}; }},
      {"arith.maximumf",
       [](Dual a, Dual b, Dual) { return a.x >= b.x ? a : b; }},
      {"arith.minimumf",
       [](Dual a, Dual b, Dual) { return a.x <= b.x ? a : b; }},
      {"arith.maxnumf",
       [](Dual a, Dual b, Dual) { return a.x >= b.x ? a : b; }},
      {"arith.minnumf",
       [](Dual a, Dual b, Dual) { return a.x <= b.x ? a : b; }},
      {"arith.select", [](Dual c, Dual a, Dual b) { return c.x ? a : b; }},
      {"arith.andi",
       [](Dual a, Dual b, Dual) { return Dual{double(a.x && b.x), 0}; }},
      {"arith.ori",
       [](Dual a, Dual b, Dual) { return Dual{double(a.x || b.x), 0}; }},
      {"arith.xori",
       [](Dual a, Dual b, Dual) { return Dual{double(!a.x != !b.x), 0}; }},
      {"arith.uitofp", [](Dual a, Dual, Dual) { return Dual{a.x, 0}; }},
      {"math.exp",
       [](Dual a, Dual, Dual) {
         return Dual{std::exp(a.x), a.d * std::exp(a.x)};
       }},
      {"math.expm1",
       [](Dual a, Dual, Dual) {
         return Dual{std::expm1(a.x), a.d * std::exp(a.x)};
       }},
      {"math.log",
       [](Dual a, Dual, Dual) { return Dual{std::log(a.x), a.d / a.x}; }},
      {"math.log1p",
       [](Dual a, Dual, Dual) {
         return Dual{std::log1p(a.x), a.d / (1 + a.x)};
       }},
      {"math.sqrt",
       [](Dual a, Dual, Dual) {
         return Dual{std::sqrt(a.x), a.d ? a.d / (2 * std::sqrt(a.x)) : 0};
       }},
      {"math.tanh",
       [](Dual a, Dual, Dual) {
         double y = std::tanh(a.x);
         return Dual{y, a.d * (1 - y * y)};
       }},
      {"math.sin",
       [](Dual a, Dual, Dual) {
         return Dual{std::sin(a.x), a.d * std::cos(a.x)};
       }},
      {"math.cos",
       [](Dual a, Dual, Dual) {
         return Dual{std::cos(a.x), -a.d * std::sin(a.x)};
       }},
      {"math.absf",
       [](Dual a, Dual, Dual) {
         return Dual{std::fabs(a.x), a.x < 0 ? -a.d : a.d};
       }},
      {"math.floor",
       [](Dual a, Dual, Dual) { return Dual{std::floor(a.x), 0}; }},
      {"math.ceil", [](Dual a, Dual, Dual) { return Dual{std::ceil(a.x), 0}; }},
      {"math.roundeven",
       [](Dual a, Dual, Dual) { return Dual{std::nearbyint(a.x), 0}; }},
      {"math.copysign",
       [](Dual a, Dual b, Dual) {
         double y = std::copysign(a.x, b.x);
         return Dual{y, y == a.x ? a.d : -a.d};
       }},
      {"math.powf",
       [](Dual a, Dual b, Dual) {
         double slope = a.d ? b.x * std::pow(a.x, b.x - 1) * a.d : 0;
         if (b.d)
           slope += std::pow(a.x, b.x) * std::log(a.x) * b.d;
         return Dual{std::pow(a.x, b.x), slope};
       }},
      {"math.fma",
       [](Dual a, Dual b, Dual c) {
         return Dual{a.x * b.x + c.x, a.d * b.x + a.x * b.d + c.d};
       }},
  };
  auto it = rules.find(name);
  return it == rules.end() ? nullptr : it->second;
}

static bool compare(arith::CmpFPredicate predicate, double a, double b) {
  return arith::applyCmpPredicate(predicate, APFloat(a), APFloat(b));
}

/// A reduction over the units of a stage, group by group.
static bool reduce(ReduceOp op, const Tangents &in, Tangents &out) {
  size_t count = in.size(), group = op.getGroup() ? *op.getGroup() : count;
  if (op.getKind() == GroupReduce::KthLargest ||
      op.getKind() == GroupReduce::Rank || group == 0 || count % group)
    return false;
  for (size_t first = 0; first < count; first += group) {
    size_t best = first;
    double sum = 0, slope = 0;
    for (size_t i = first; i < first + group; ++i) {
      bool less = in.value[i] < in.value[best];
      if (op.getKind() == GroupReduce::Min ? less
                                           : in.value[i] > in.value[best])
        best = i;
      sum += in.value[i];
      slope += in.tangent[i];
      if (op.getPrefix()) {
        out.value[i] = sum;
        out.tangent[i] = slope;
      }
    }
    if (op.getPrefix())
      continue;
    if (op.getKind() == GroupReduce::Max || op.getKind() == GroupReduce::Min) {
      sum = in.value[best];
      slope = in.tangent[best];
    } else if (op.getKind() == GroupReduce::LogSumExp) {
      double total = 0, weighted = 0;
      for (size_t i = first; i < first + group; ++i) {
        double share = std::exp(in.value[i] - in.value[best]);
        total += share;
        weighted += share * in.tangent[i];
      }
      sum = in.value[best] + std::log(total);
      slope = weighted / total;
    }
    std::fill_n(out.value.begin() + first, group, sum);
    std::fill_n(out.tangent.begin() + first, group, slope);
  }
  return true;
}

/// Applies one operation to all units. False: there is no derivative for it.
bool TickMap::evaluate(Operation &op, Environment &values, size_t count) {
  if (op.getNumResults() != 1)
    return op.getNumResults() == 0;
  Tangents out(count);
  Attribute constant;
  if (matchPattern(&op, m_Constant(&constant))) {
    double number = 0;
    if (auto real = dyn_cast<FloatAttr>(constant))
      number = real.getValueAsDouble();
    else if (auto integer = dyn_cast<IntegerAttr>(constant))
      number = integer.getValue().isZero() ? 0 : 1;
    else
      return false;
    std::fill(out.value.begin(), out.value.end(), number);
  } else if (isa<IndexOp>(op)) {
    std::iota(out.value.begin(), out.value.end(), 0.0);
  } else if (auto reduction = dyn_cast<ReduceOp>(op)) {
    if (!reduce(reduction, values[reduction.getValue()], out))
      return false;
  } else if (auto cmp = dyn_cast<arith::CmpFOp>(op)) {
    const Tangents &a = values[cmp.getLhs()], &b = values[cmp.getRhs()];
    for (size_t i = 0; i < count; ++i)
      out.value[i] = compare(cmp.getPredicate(), a.value[i], b.value[i]);
  } else if (!isa<TimeOp>(op)) { // the time of the first tick is 0
    Rule rule = lookupRule(op.getName().getStringRef());
    if (!rule || op.getNumOperands() > 3)
      return false;
    const Tangents *arguments[3] = {};
    for (auto [k, operand] : llvm::enumerate(op.getOperands()))
      arguments[k] = &values[operand];
    for (size_t i = 0; i < count; ++i) {
      Dual in[3];
      for (int k = 0; k < 3; ++k)
        if (arguments[k])
          in[k] = {arguments[k]->value[i], arguments[k]->tangent[i]};
      Dual result = rule(in[0], in[1], in[2]);
      out.value[i] = result.x;
      out.tangent[i] = result.d;
    }
  }
  values[op.getResult(0)] = std::move(out);
  return true;
}

//===----------------------------------------------------------------------===//
// The map
//===----------------------------------------------------------------------===//

bool TickMap::isSmooth(PopulationOp population) const {
  ModelOp model = population.getModelOp();
  if (population.getEvery() != 1 || population.getPlant())
    return false;
  for (OutputOp output : model.list<OutputOp>())
    if (output.getType().isInteger(1))
      return false;
  for (InputOp input : model.list<InputOp>())
    if (input.getCombine() != Combine::Sum &&
        population.getOperandsOfPort(input.getSymName()).size() > 1)
      return false;
  // Try every operation on one unit.
  for (StageOp stage : model.list<StageOp>()) {
    Environment values;
    for (Operation &op : stage.getBody().front()) {
      if (auto get = dyn_cast<GetOp>(op)) {
        values[get.getResult()] = Tangents(1);
      } else if (auto reduction = dyn_cast<ReduceOp>(op)) {
        if (reduction.getKind() == GroupReduce::KthLargest ||
            reduction.getKind() == GroupReduce::Rank)
          return false;
        values[reduction.getResult()] = Tangents(1);
      } else if (isa<RandomOp>(op) || !evaluate(op, values, 1)) {
        return false;
      }
    }
  }
  return true;
}

/// The states that an experiment on this network clamps.
static llvm::StringSet<> clampedStates(NetworkOp network) {
  llvm::StringSet<> clamped;
  for (auto experiment :
       network->getParentOfType<ModuleOp>().getOps<ExperimentOp>()) {
    if (experiment.getNetwork() != network.getSymName())
      continue;
    experiment.walk([&](Operation *op) {
      if (auto clamp = dyn_cast<ClampOp>(op))
        clamped.insert(
            (clamp.getPopulation() + "." + clamp.getVariable()).str());
      else if (auto store = dyn_cast<StoreOp>(op); store && store.getClamp())
        clamped.insert(
            (store.getTarget() + "." + store.getVariable().value_or("")).str());
    });
  }
  return clamped;
}

TickMap::TickMap(NetworkOp network, const TickSchedule &schedule,
                 size_t maxSynapses)
    : schedule(schedule) {
  llvm::StringSet<> clamped = clampedStates(network);
  for (auto population : network.getOps<PopulationOp>()) {
    if (!isSmooth(population))
      continue;
    size_t count = population.getNumUnits();
    ModelOp model = population.getModelOp();
    smooth[population] = model;
    auto remember = [&](StringRef name, std::vector<double> values) {
      values.resize(count); // of a batch the first lane
      initial[{population, name}] = std::move(values);
    };
    for (ParamOp param : model.list<ParamOp>())
      remember(param.getSymName(),
               getParamValues(population, param.getSymName()));
    for (StateOp state : model.list<StateOp>()) {
      remember(state.getSymName(),
               getInitialState(population, state.getSymName()));
      std::string key =
          (population.getSymName() + "." + state.getSymName()).str();
      if (clamped.contains(key))
        continue;
      states.push_back({population, state.getSymName(), numCoordinates, count});
      numCoordinates += count;
    }
  }
  for (auto project : network.getOps<ProjectOp>()) {
    WeightOp weight = project.getWeightOp();
    weightOf[project] = weight;
    auto source = project.getInput().getDefiningOp<PopulationOp>();
    if (!project.hasSameTickInput() || weights.contains(weight) ||
        project.getCombine() != Combine::Sum ||
        (source && !smooth.count(source)) ||
        size_t(weight.getNumPre()) * size_t(weight.getNumPost()) > maxSynapses)
      continue;
    if (FailureOr<ExpandedWeight> expanded = expandWeight(weight);
        succeeded(expanded))
      weights[weight] = std::move(*expanded);
  }
}

/// The present values of a signal, zero where nothing has been computed.
Tangents &TickMap::signal(Value value) {
  auto [it, isNew] = signals.try_emplace(value);
  if (isNew)
    it->second =
        Tangents(cast<RankedTensorType>(value.getType()).getNumElements());
  return it->second;
}

Tangents TickMap::readPort(PopulationOp population, StringRef port) {
  auto input = cast<InputOp>(smooth.lookup(population).lookup(port));
  auto operands = population.getOperandsOfPort(port);
  size_t count = population.getNumUnits();
  if (operands.empty())
    return Tangents(count, input.getDefaultValue().convertToDouble());
  Tangents sum(count);
  for (unsigned operand : operands) {
    const Tangents &part = signal(population->getOperand(operand));
    for (size_t i = 0; i < count && i < part.size(); ++i) {
      sum.value[i] += part.value[i];
      sum.tangent[i] += part.tangent[i];
    }
  }
  return sum;
}

void TickMap::runStage(PopulationOp population, StageOp stage) {
  size_t count = population.getNumUnits();
  ModelOp model = smooth.lookup(population);
  auto outputs = model.list<OutputOp>();
  Environment values;
  for (Operation &op : stage.getBody().front()) {
    if (auto get = dyn_cast<GetOp>(op)) {
      StringRef name = get.getName();
      values[get.getResult()] = isa<InputOp>(model.lookup(name))
                                    ? readPort(population, name)
                                    : names[{population, name}];
    } else if (auto set = dyn_cast<SetOp>(op)) {
      names[{population, set.getName()}] = values[set.getValue()];
    } else if (auto emit = dyn_cast<EmitOp>(op)) {
      for (auto [k, output] : llvm::enumerate(outputs))
        if (output.getSymName() == emit.getName())
          signal(population->getResult(k)) = values[emit.getValue()];
    } else {
      evaluate(op, values, count);
    }
  }
}

void TickMap::runProjection(ProjectOp project) {
  auto it = weights.find(weightOf.lookup(project));
  if (it == weights.end() || !project.hasSameTickInput() ||
      project.getCombine() != Combine::Sum)
    return;
  const ExpandedWeight &weight = it->second;
  const Tangents in = signal(project.getInput());
  Tangents &out = signal(project.getOutput());
  out = Tangents(out.size());
  const rt::Synapses &synapses = weight.synapses;
  Region &transmit = project.getTransmit();
  for (size_t pre = 0; pre + 1 < synapses.rowStart.size(); ++pre)
    for (size_t s = synapses.rowStart[pre]; s < synapses.rowStart[pre + 1];
         ++s) {
      size_t from = pre, to = synapses.post[s];
      if (project.getTransposed())
        std::swap(from, to);
      if (transmit.empty()) {
        out.value[to] += weight.values[s] * in.value[from];
        out.tangent[to] += weight.values[s] * in.tangent[from];
        continue;
      }
      Block &block = transmit.front();
      Environment values;
      values[block.getArgument(0)] = Tangents(1, weight.values[s]);
      Tangents x(1, in.value[from]);
      x.tangent[0] = in.tangent[from];
      values[block.getArgument(1)] = x;
      for (Operation &op : block) {
        if (auto yield = dyn_cast<YieldOp>(op)) {
          out.value[to] += values[yield.getValue()].value[0];
          out.tangent[to] += values[yield.getValue()].tangent[0];
        } else if (!evaluate(op, values, 1)) {
          return;
        }
      }
    }
}

std::vector<double> TickMap::apply(ArrayRef<double> direction) {
  names.clear();
  for (auto &[key, values] : initial) {
    Tangents &present = names[key];
    present = Tangents(values.size());
    present.value = values;
  }
  for (const State &state : states)
    std::copy_n(direction.begin() + state.first, state.count,
                names[{state.population, state.name}].tangent.begin());
  signals.clear();
  for (const TickSchedule::Item &item : schedule.getItems()) {
    if (auto stimulus = dyn_cast<StimulusOp>(item.op))
      signal(stimulus.getOutput()).value = getInitialStimulus(stimulus);
    else if (auto project = dyn_cast<ProjectOp>(item.op))
      runProjection(project);
    else if (auto population = dyn_cast<PopulationOp>(item.op);
             population && smooth.count(population))
      runStage(population, item.stage);
  }
  std::vector<double> result(numCoordinates);
  for (const State &state : states)
    std::copy_n(names[{state.population, state.name}].tangent.begin(),
                state.count, result.begin() + state.first);
  return result;
}

size_t TickMap::cost() const {
  size_t work = 0;
  for (const TickSchedule::Item &item : schedule.getItems()) {
    if (auto project = dyn_cast<ProjectOp>(item.op)) {
      auto it = weights.find(weightOf.lookup(project));
      work += it == weights.end() ? 0 : it->second.synapses.size();
    } else if (auto population = dyn_cast<PopulationOp>(item.op);
               population && smooth.contains(population)) {
      // An operation on few units costs as much as a hundred units.
      StageOp stage = item.stage;
      work += stage.getBody().front().getOperations().size() *
              (100 + population.getNumUnits());
    }
  }
  return work;
}

DominantChange neuroc::neuro::findDominantChange(TickMap &map, size_t maxWork) {
  DominantChange change;
  unsigned maxIterations =
      std::clamp<size_t>(maxWork / std::max<size_t>(map.cost(), 1), 12, 300);
  size_t n = map.dimension();
  // A start that no network of this world is orthogonal to: draws of a
  // generator, the same in every run.
  std::vector<double> v(n);
  uint64_t key = neuroc_rt_key(1, neuroc_rt_stream("power iteration"));
  rt::Distribution normal;
  normal.kind = rt::DistributionKind::Normal;
  normal.a = 0;
  normal.b = 1;
  for (size_t i = 0; i < n; ++i)
    v[i] = rt::sample(normal, key, i);
  auto length = [](ArrayRef<double> x) {
    return std::sqrt(std::inner_product(x.begin(), x.end(), x.begin(), 0.0));
  };
  double norm = length(v);
  for (unsigned k = 0; k < maxIterations && norm > 0 && std::isfinite(norm);
       ++k) {
    for (double &x : v)
      x /= norm;
    std::vector<double> next = map.apply(v);
    for (size_t i = 0; i < n; ++i)
      next[i] -= v[i];
    double old = change.eigenvalue;
    change.eigenvalue =
        std::inner_product(v.begin(), v.end(), next.begin(), 0.0);
    std::vector<double> rest(n);
    for (size_t i = 0; i < n; ++i)
      rest[i] = next[i] - change.eigenvalue * v[i];
    change.residual = length(rest);
    change.vector = v;
    v = std::move(next);
    norm = length(v);
    if (k > 8 && std::fabs(change.eigenvalue - old) <
                     1e-5 * std::fabs(change.eigenvalue))
      break;
  }
  return change;
}
