// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Compiles scalar blocks to instruction lists and runs them. The table of
// functions is the meaning of each operation, in f64.
#include "ScalarCode.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/Matchers.h"
#include "llvm/ADT/StringMap.h"

#include <algorithm>
#include <cmath>
#include <numeric>

using namespace mlir;
using namespace neuroc;
using namespace neuroc::neuro;
using namespace neuroc::reference;

using Apply = double (*)(double, double, double);

/// The function of an operation by name; comparisons have their own table.
static Apply lookupFunction(StringRef name) {
  static const llvm::StringMap<Apply> functions = {
      {"arith.addf", [](double a, double b, double) { return a + b; }},
      {"arith.subf", [](double a, double b, double) { return a - b; }},
      {"arith.mulf", [](double a, double b, double) { return a * b; }},
      {"arith.divf", [](double a, double b, double) { return a / b; }},
      {"arith.remf",
       [](double a, double b, double) { return std::fmod(a, b); }},
      {"arith.negf", [](double a, double, double) { return -a; }},
      {"arith.maximumf",
       [](double a, double b, double) {
         return std::isnan(a) || std::isnan(b) ? NAN : std::fmax(a, b);
       }},
      {"arith.minimumf",
       [](double a, double b, double) {
         return std::isnan(a) || std::isnan(b) ? NAN : std::fmin(a, b);
       }},
      {"arith.maxnumf",
       [](double a, double b, double) { return std::fmax(a, b); }},
      {"arith.minnumf",
       [](double a, double b, double) { return std::fmin(a, b); }},
      {"arith.select",
       [](double a, double b, double c) { return a != 0 ? b : c; }},
      {"arith.andi",
       [](double a, double b, double) { return double(a != 0 && b != 0); }},
      {"arith.ori",
       [](double a, double b, double) { return double(a != 0 || b != 0); }},
      {"arith.xori",
       [](double a, double b, double) { return double((a != 0) != (b != 0)); }},
      {"arith.uitofp", [](double a, double, double) { return a; }},
      {"math.exp", [](double a, double, double) { return std::exp(a); }},
      {"math.exp2", [](double a, double, double) { return std::exp2(a); }},
      {"math.expm1", [](double a, double, double) { return std::expm1(a); }},
      {"math.log", [](double a, double, double) { return std::log(a); }},
      {"math.log2", [](double a, double, double) { return std::log2(a); }},
      {"math.log10", [](double a, double, double) { return std::log10(a); }},
      {"math.log1p", [](double a, double, double) { return std::log1p(a); }},
      {"math.sqrt", [](double a, double, double) { return std::sqrt(a); }},
      {"math.rsqrt",
       [](double a, double, double) { return 1.0 / std::sqrt(a); }},
      {"math.cbrt", [](double a, double, double) { return std::cbrt(a); }},
      {"math.tanh", [](double a, double, double) { return std::tanh(a); }},
      {"math.sinh", [](double a, double, double) { return std::sinh(a); }},
      {"math.cosh", [](double a, double, double) { return std::cosh(a); }},
      {"math.sin", [](double a, double, double) { return std::sin(a); }},
      {"math.cos", [](double a, double, double) { return std::cos(a); }},
      {"math.tan", [](double a, double, double) { return std::tan(a); }},
      {"math.atan", [](double a, double, double) { return std::atan(a); }},
      {"math.atan2",
       [](double a, double b, double) { return std::atan2(a, b); }},
      {"math.erf", [](double a, double, double) { return std::erf(a); }},
      {"math.absf", [](double a, double, double) { return std::fabs(a); }},
      {"math.floor", [](double a, double, double) { return std::floor(a); }},
      {"math.ceil", [](double a, double, double) { return std::ceil(a); }},
      {"math.trunc", [](double a, double, double) { return std::trunc(a); }},
      {"math.round", [](double a, double, double) { return std::round(a); }},
      {"math.roundeven",
       [](double a, double, double) { return std::nearbyint(a); }},
      {"math.copysign",
       [](double a, double b, double) { return std::copysign(a, b); }},
      {"math.powf", [](double a, double b, double) { return std::pow(a, b); }},
      {"math.fma",
       [](double a, double b, double c) { return std::fma(a, b, c); }},
  };
  auto it = functions.find(name);
  return it == functions.end() ? nullptr : it->second;
}

static Apply lookupComparison(arith::CmpFPredicate predicate) {
  using P = arith::CmpFPredicate;
  switch (predicate) {
  case P::AlwaysFalse:
    return [](double, double, double) { return 0.0; };
  case P::AlwaysTrue:
    return [](double, double, double) { return 1.0; };
  case P::OEQ:
    return [](double a, double b, double) { return double(a == b); };
  case P::OGT:
    return [](double a, double b, double) { return double(a > b); };
  case P::OGE:
    return [](double a, double b, double) { return double(a >= b); };
  case P::OLT:
    return [](double a, double b, double) { return double(a < b); };
  case P::OLE:
    return [](double a, double b, double) { return double(a <= b); };
  case P::ONE:
    return [](double a, double b, double) { return double(a < b || a > b); };
  case P::ORD:
    return [](double a, double b, double) {
      return double(!std::isnan(a) && !std::isnan(b));
    };
  case P::UEQ:
    return [](double a, double b, double) { return double(!(a < b || a > b)); };
  case P::UGT:
    return [](double a, double b, double) { return double(!(a <= b)); };
  case P::UGE:
    return [](double a, double b, double) { return double(!(a < b)); };
  case P::ULT:
    return [](double a, double b, double) { return double(!(a >= b)); };
  case P::ULE:
    return [](double a, double b, double) { return double(!(a > b)); };
  case P::UNE:
    return [](double a, double b, double) { return double(a != b); };
  case P::UNO:
    return [](double a, double b, double) {
      return double(std::isnan(a) || std::isnan(b));
    };
  }
  return nullptr;
}

FailureOr<ScalarCode> ScalarCode::compile(Block &block) {
  ScalarCode code;
  llvm::DenseMap<Value, unsigned> slots;
  auto define = [&](Value value) { return slots[value] = code.numSlots++; };
  for (BlockArgument argument : block.getArguments())
    define(argument);
  for (Operation &op : block) {
    if (auto get = dyn_cast<GetOp>(op)) {
      code.reads.push_back(get.getName().str());
      code.readSlots.push_back(define(get.getResult()));
      continue;
    }
    if (auto set = dyn_cast<SetOp>(op)) {
      code.writes.push_back(set.getName().str());
      code.writeSlots.push_back(slots.lookup(set.getValue()));
      continue;
    }
    if (auto emit = dyn_cast<EmitOp>(op)) {
      code.emits.push_back(emit.getName().str());
      code.emitSlots.push_back(slots.lookup(emit.getValue()));
      continue;
    }
    if (auto yield = dyn_cast<YieldOp>(op)) {
      code.yieldSlot = slots.lookup(yield.getValue());
      continue;
    }
    Attribute constant;
    if (matchPattern(&op, m_Constant(&constant))) {
      double value = 0;
      if (auto number = dyn_cast<FloatAttr>(constant))
        value = number.getValueAsDouble();
      else if (auto truth = dyn_cast<IntegerAttr>(constant))
        value = truth.getValue().isZero() ? 0 : 1;
      code.constants.push_back({define(op.getResult(0)), value});
      continue;
    }
    if (auto reduce = dyn_cast<ReduceOp>(op)) {
      Reduction reduction;
      reduction.kind = reduce.getKind();
      reduction.over = reduce.getOver();
      reduction.group = reduce.getGroup().value_or(0);
      reduction.k = reduce.getK().value_or(1);
      reduction.isPrefix = reduce.getPrefix();
      reduction.in = slots.lookup(reduce.getValue());
      reduction.out = define(reduce.getResult());
      reduction.end = code.instructions.size();
      code.reductions.push_back(reduction);
      continue;
    }
    Instruction instruction;
    if (auto random = dyn_cast<RandomOp>(op)) {
      instruction.kind = Instruction::Random;
      instruction.randomKind = random.getKind();
      instruction.draw = random.getDraw();
    } else if (isa<TimeOp>(op)) {
      instruction.kind = Instruction::Time;
    } else if (isa<IndexOp>(op)) {
      instruction.kind = Instruction::Index;
    } else {
      auto compare = dyn_cast<arith::CmpFOp>(op);
      instruction.apply = compare ? lookupComparison(compare.getPredicate())
                                  : lookupFunction(op.getName().getStringRef());
      if (!instruction.apply || op.getNumResults() != 1)
        return op.emitError("the reference interpreter does not know '")
               << op.getName() << "' in scalar code";
      unsigned *operands[] = {&instruction.a, &instruction.b, &instruction.c};
      for (auto [index, operand] : llvm::enumerate(op.getOperands()))
        *operands[index] = slots.lookup(operand);
    }
    instruction.out = define(op.getResult(0));
    code.instructions.push_back(instruction);
  }
  return code;
}

void ScalarCode::prepare(std::vector<double> &slots) const {
  slots.assign(numSlots, 0.0);
  for (auto [slot, value] : constants)
    slots[slot] = value;
}

void ScalarCode::runPiece(double *slots, size_t begin, size_t end,
                          const Environment &environment) const {
  for (size_t number = begin; number < end; ++number) {
    const Instruction &i = instructions[number];
    switch (i.kind) {
    case Instruction::Compute:
      slots[i.out] = i.apply(slots[i.a], slots[i.b], slots[i.c]);
      break;
    case Instruction::Random:
      slots[i.out] = environment.random(i.randomKind, i.draw);
      break;
    case Instruction::Time:
      slots[i.out] = environment.time();
      break;
    case Instruction::Index:
      slots[i.out] = environment.index();
      break;
    }
  }
}

//===----------------------------------------------------------------------===//
// Reductions
//===----------------------------------------------------------------------===//

std::vector<double> Reduction::apply(const std::vector<double> &values) const {
  if (values.empty())
    return {};
  auto forAll = [&](double result) {
    return std::vector<double>(values.size(), result);
  };
  // A NaN among the values is the result, as for arith.maximumf.
  double largest = -HUGE_VAL, smallest = HUGE_VAL;
  for (double value : values) {
    largest = std::isnan(value) || value > largest ? value : largest;
    smallest = std::isnan(value) || value < smallest ? value : smallest;
  }
  switch (kind) {
  case GroupReduce::Sum: {
    std::vector<double> sums(values.size());
    std::partial_sum(values.begin(), values.end(), sums.begin());
    return isPrefix ? sums : forAll(sums.back());
  }
  case GroupReduce::Max:
    return forAll(largest);
  case GroupReduce::Min:
    return forAll(smallest);
  case GroupReduce::LogSumExp: {
    if (std::isinf(largest))
      return forAll(largest);
    double sum = 0;
    for (double value : values)
      sum += std::exp(value - largest);
    return forAll(largest + std::log(sum));
  }
  case GroupReduce::KthLargest:
  case GroupReduce::Rank: {
    std::vector<size_t> order(values.size());
    std::iota(order.begin(), order.end(), 0);
    std::stable_sort(order.begin(), order.end(),
                     [&](size_t a, size_t b) { return values[a] > values[b]; });
    if (kind == GroupReduce::KthLargest)
      return forAll(k <= order.size() ? values[order[k - 1]] : -HUGE_VAL);
    std::vector<double> ranks(values.size());
    for (size_t rank = 0; rank < order.size(); ++rank)
      ranks[order[rank]] = double(rank);
    return ranks;
  }
  }
  llvm_unreachable("all kinds handled");
}

void ScalarCode::runTogether(
    std::vector<double> &slots, size_t count,
    const std::function<const Environment &(size_t)> &environmentOf,
    const std::function<Groups(const Reduction &)> &groupsOf) const {
  size_t begin = 0;
  auto runAll = [&](size_t end) {
    if (begin < end)
      for (size_t m = 0; m < count; ++m)
        runPiece(slots.data() + m * numSlots, begin, end, environmentOf(m));
    begin = end;
  };
  for (const Reduction &reduction : reductions) {
    runAll(reduction.end);
    for (const std::vector<size_t> &members : groupsOf(reduction)) {
      std::vector<double> values;
      values.reserve(members.size());
      for (size_t m : members)
        values.push_back(slots[m * numSlots + reduction.in]);
      std::vector<double> results = reduction.apply(values);
      for (auto [m, result] : llvm::zip(members, results))
        slots[m * numSlots + reduction.out] = result;
    }
  }
  runAll(instructions.size());
}
