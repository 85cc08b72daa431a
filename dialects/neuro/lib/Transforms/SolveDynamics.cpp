// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Turns the differential equations of a region into update code.
//
// 1. The largest closed set of equations that are linear with constant
//    coefficients is advanced together and exactly: with x' = A x + b, b constant
//    during the tick, x(t+h) = e^{Ah} x + (int_0^h e^{As} ds) b. Both matrices
//    come from one exponential of [[A, I], [0, 0]] h, computed here in f64
//    (Rotter & Diesmann 1999).
// 2. Of the others, an equation that is linear in its own variable is advanced
//    by exponential Euler, x <- x e^{ah} + b expm1(ah)/a, unless one that it is
//    coupled with is not; those are advanced together by RK4.
// All right-hand sides are read at the start of the tick. A held variable keeps
// its value, and the others see it as a constant.
#include "LinearForm.h"
#include "SpecializeModels.h"

#include "neuroc/Neuro/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/Dominance.h"

#include <Eigen/Dense>
#include <unsupported/Eigen/MatrixFunctions>

#include <set>

namespace neuroc::neuro {
#define GEN_PASS_DEF_SOLVEDYNAMICS
#include "neuroc/Neuro/NeuroPasses.h.inc"
} // namespace neuroc::neuro

using namespace mlir;
using namespace neuroc::neuro;

namespace {

/// One equation of a region, with what is known about it.
struct Equation {
  DiffOp diff;
  std::string name;
  Method method = Method::Auto;
  /// In all variables of the region, if affine; else none.
  std::optional<LinearForm> form;
  /// In its own variable only, others as leaves, if affine.
  std::optional<LinearForm> own;
  Value initial; ///< the variable at the start of the tick
  Value next;    ///< its value after the tick
};

class Solver {
public:
  Solver(Block &block, double dt, bool report,
         std::map<std::string, double> params)
      : dt(dt), report(report), params(std::move(params)),
        builder(block.getParent()->getContext()) {
    for (Operation &op : block)
      if (auto diff = dyn_cast<DiffOp>(op))
        equations.push_back(
            {diff, diff.getName().str(), diff.getMethod(), {}, {}, {}, {}});
  }

  LogicalResult run();

private:
  LogicalResult readEquations();
  LogicalResult chooseMethods();
  LogicalResult solveExactly(ArrayRef<Equation *> group);
  void solveExponentialEuler(Equation &equation);
  void solveTogether(ArrayRef<Equation *> group, Method method);
  Value constant(Location loc, double value) {
    return ScalarBuilder(builder, loc).materialize({value, {}});
  }
  /// The value that held variables keep.
  Value applyHold(Equation &equation, Value next) {
    Value hold = equation.diff.getHold();
    return hold ? Value(arith::SelectOp::create(builder,
                                                equation.diff.getLoc(), hold,
                                                equation.initial, next))
                : next;
  }

  double dt;
  bool report;
  /// Parameters that are one number, but whose derivative is wanted.
  std::map<std::string, double> params;
  OpBuilder builder;
  std::vector<Equation> equations;
};

} // namespace

LogicalResult Solver::run() {
  if (equations.empty())
    return success();
  DiffOp first = equations.front().diff;
  for (Equation &equation : equations) {
    Value hold = equation.diff.getHold();
    auto isLate = [&](Value value) {
      Operation *definition = value ? value.getDefiningOp() : nullptr;
      return definition && definition->getBlock() == first->getBlock() &&
             first->isBeforeInBlock(definition);
    };
    if (isLate(hold))
      return equation.diff.emitOpError("has a hold condition that is computed "
                                       "after the first equation of the region; "
                                       "move its computation up");
    WalkResult captured = equation.diff.getBody().walk([&](Operation *op) {
      return llvm::any_of(op->getOperands(), isLate) ? WalkResult::interrupt()
                                                     : WalkResult::advance();
    });
    if (captured.wasInterrupted())
      return equation.diff.emitOpError("uses a value that is computed after the "
                                       "first equation of the region; move its "
                                       "computation up");
  }
  builder.setInsertionPoint(first);
  if (failed(readEquations()) || failed(chooseMethods()))
    return failure();

  SmallVector<Equation *> exact, together, euler;
  for (Equation &equation : equations) {
    if (report)
      equation.diff.emitRemark()
          << "'" << equation.name << "' is advanced by "
          << stringifyMethod(equation.method);
    switch (equation.method) {
    case Method::Exact:
      exact.push_back(&equation);
      break;
    case Method::ExponentialEuler:
      solveExponentialEuler(equation);
      break;
    case Method::RK4:
      together.push_back(&equation);
      break;
    case Method::Euler:
      euler.push_back(&equation);
      break;
    case Method::Auto:
      llvm_unreachable("every method has been chosen");
    }
  }
  if (!exact.empty() && failed(solveExactly(exact)))
    return failure();
  if (!together.empty())
    solveTogether(together, Method::RK4);
  if (!euler.empty())
    solveTogether(euler, Method::Euler);
  for (Equation &equation : equations) {
    Location loc = equation.diff.getLoc();
    SetOp::create(builder, loc, equation.name,
                  applyHold(equation, equation.next));
  }
  for (Equation &equation : equations)
    equation.diff.erase();
  return success();
}

LogicalResult Solver::readEquations() {
  std::vector<std::string> names;
  for (Equation &equation : equations)
    names.push_back(equation.name);
  for (Equation &equation : equations) {
    Location loc = equation.diff.getLoc();
    equation.initial =
        GetOp::create(builder, loc, builder.getF64Type(), equation.name);
  }
  for (Equation &equation : equations) {
    auto yield = cast<YieldOp>(equation.diff.getBody().front().back());
    equation.form = getLinearForm(yield.getValue(), names, params, builder);
    equation.own =
        getLinearForm(yield.getValue(), {equation.name}, params, builder);
  }
  return success();
}

LogicalResult Solver::chooseMethods() {
  // The largest closed set with constant coefficients.
  std::set<std::string> closed;
  for (Equation &equation : equations) {
    bool canBeExact = equation.method == Method::Auto ||
                      equation.method == Method::Exact;
    if (canBeExact && equation.form &&
        llvm::all_of(equation.form->coefficients,
                     [](auto &entry) { return entry.second.isNumber(); }))
      closed.insert(equation.name);
  }
  for (bool changed = true; changed;) {
    changed = false;
    for (Equation &equation : equations)
      if (closed.count(equation.name))
        for (auto &[other, coefficient] : equation.form->coefficients)
          if (!closed.count(other))
            changed |= closed.erase(equation.name);
  }
  for (Equation &equation : equations) {
    if (closed.count(equation.name)) {
      equation.method = Method::Exact;
      continue;
    }
    if (equation.method == Method::Exact)
      return equation.diff.emitOpError("cannot be solved exactly: '")
             << equation.name
             << "' does not belong to a linear system with constant "
                "coefficients; use method auto, exponential_euler or rk4";
    if (equation.method == Method::ExponentialEuler && !equation.own)
      return equation.diff.emitOpError("cannot be solved by exponential Euler: "
                                       "the equation of '")
             << equation.name << "' is not linear in '" << equation.name
             << "'; use method rk4";
  }
  // Equations left to us: RK4 for those that are not linear in their own
  // variable and for all that read one of them.
  std::set<std::string> joint;
  for (Equation &equation : equations)
    if (equation.method == Method::RK4 ||
        (equation.method == Method::Auto && !equation.own))
      joint.insert(equation.name);
  for (bool changed = true; changed;) {
    changed = false;
    for (Equation &equation : equations) {
      if (equation.method != Method::Auto || joint.count(equation.name))
        continue;
      equation.diff.walk([&](GetOp get) {
        if (joint.count(get.getName().str()))
          changed |= joint.insert(equation.name).second;
      });
    }
  }
  for (Equation &equation : equations)
    if (equation.method == Method::Auto)
      equation.method = joint.count(equation.name) ? Method::RK4
                                                   : Method::ExponentialEuler;
  return success();
}

/// e^{Ah} and the integral of e^{As} over [0, h].
static std::pair<Eigen::MatrixXd, Eigen::MatrixXd>
getPropagators(const Eigen::MatrixXd &a, double h) {
  Eigen::Index n = a.rows();
  Eigen::MatrixXd augmented = Eigen::MatrixXd::Zero(2 * n, 2 * n);
  augmented.topLeftCorner(n, n) = a * h;
  augmented.topRightCorner(n, n) = Eigen::MatrixXd::Identity(n, n) * h;
  Eigen::MatrixXd exponential = augmented.exp();
  return {exponential.topLeftCorner(n, n), exponential.topRightCorner(n, n)};
}

/// The derivatives of both where that of A is `da`: the lower left block of the
/// exponential of [[M, 0], [dM, M]] (Van Loan 1978).
static std::pair<Eigen::MatrixXd, Eigen::MatrixXd>
getPropagatorSlopes(const Eigen::MatrixXd &a, const Eigen::MatrixXd &da,
                    double h) {
  Eigen::Index n = a.rows();
  Eigen::MatrixXd both = Eigen::MatrixXd::Zero(4 * n, 4 * n);
  for (Eigen::Index corner : {Eigen::Index(0), 2 * n}) {
    both.block(corner, corner, n, n) = a * h;
    both.block(corner, corner + n, n, n) = Eigen::MatrixXd::Identity(n, n) * h;
  }
  both.block(2 * n, 0, n, n) = da * h;
  Eigen::MatrixXd exponential = both.exp();
  return {exponential.block(2 * n, 0, n, n), exponential.block(2 * n, n, n, n)};
}

LogicalResult Solver::solveExactly(ArrayRef<Equation *> group) {
  Eigen::Index n = group.size();
  Eigen::MatrixXd a = Eigen::MatrixXd::Zero(n, n);
  std::map<std::string, Eigen::MatrixXd> slopes; // of `a`, by parameter
  for (Eigen::Index i = 0; i < n; ++i)
    for (Eigen::Index j = 0; j < n; ++j) {
      auto it = group[i]->form->coefficients.find(group[j]->name);
      if (it == group[i]->form->coefficients.end())
        continue;
      a(i, j) = it->second.number;
      for (const auto &[param, slope] : it->second.slopes)
        slopes.try_emplace(param, Eigen::MatrixXd::Zero(n, n))
            .first->second(i, j) = slope.slope;
    }
  // Where a held variable drives another one, that one needs the propagator of
  // the system without the held rows; one condition at a time can be that.
  Value hold;
  Eigen::MatrixXd held = a;
  bool isCoupled = false;
  for (Eigen::Index j = 0; j < n; ++j) {
    Value condition = group[j]->diff.getHold();
    if (!condition)
      continue;
    for (Eigen::Index i = 0; i < n; ++i)
      isCoupled |= i != j && a(i, j) != 0 &&
                   group[i]->diff.getHold() != condition;
    if (hold && hold != condition && isCoupled)
      return group[j]->diff.emitOpError(
          "holds with another condition than an equation it is coupled with; "
          "use one condition for both");
    hold = condition;
    held.row(j).setZero();
  }
  struct Propagators {
    Eigen::MatrixXd p, q;
    std::map<std::string, std::pair<Eigen::MatrixXd, Eigen::MatrixXd>> slopes;
  };
  auto propagate = [&](const Eigen::MatrixXd &a, bool isHeld) {
    Propagators result;
    std::tie(result.p, result.q) = getPropagators(a, dt);
    for (auto [param, slope] : slopes) {
      for (Eigen::Index j = 0; j < n; ++j)
        if (isHeld && group[j]->diff.getHold())
          slope.row(j).setZero();
      result.slopes[param] = getPropagatorSlopes(a, slope, dt);
    }
    return result;
  };
  Propagators free = propagate(a, false), stopped;
  if (isCoupled)
    stopped = propagate(held, true);

  auto advance = [&](Eigen::Index i, const Propagators &by, bool skipHeld) {
    ScalarBuilder scalars(builder, group[i]->diff.getLoc());
    auto entry = [&](bool ofOffset, Eigen::Index j) {
      Scalar result{ofOffset ? by.q(i, j) : by.p(i, j)};
      for (const auto &[param, matrices] : by.slopes)
        if (double slope =
                (ofOffset ? matrices.second : matrices.first)(i, j))
          result.slopes[param] = {params.at(param), slope};
      return result;
    };
    Scalar next;
    for (Eigen::Index j = 0; j < n; ++j)
      next = scalars.add(
          next, scalars.mul(entry(false, j), {0, group[j]->initial}));
    for (Eigen::Index j = 0; j < n; ++j)
      if (!(skipHeld && group[j]->diff.getHold()))
        next = scalars.add(
            next, scalars.mul(entry(true, j), group[j]->form->offset));
    return scalars.materialize(next);
  };
  for (Eigen::Index i = 0; i < n; ++i) {
    group[i]->next = advance(i, free, false);
    if (isCoupled && !group[i]->diff.getHold())
      group[i]->next = arith::SelectOp::create(
          builder, group[i]->diff.getLoc(), hold, advance(i, stopped, true),
          group[i]->next);
  }
  return success();
}

void Solver::solveExponentialEuler(Equation &equation) {
  Location loc = equation.diff.getLoc();
  ScalarBuilder scalars(builder, loc);
  Scalar x{0, equation.initial}, b = equation.own->offset, a;
  auto it = equation.own->coefficients.find(equation.name);
  if (it != equation.own->coefficients.end())
    a = it->second;
  Scalar growth, integral; // e^{ah} and expm1(ah)/a
  if (a.isNumber()) {
    double ah = a.number * dt, power = std::exp(ah);
    double mean = a.number == 0 ? dt : std::expm1(ah) / a.number;
    // The slope of the latter, as a series where the quotient cancels.
    double slope = std::abs(ah) < 1e-3
                       ? dt * dt * (1.0 / 2 + ah * (1.0 / 3 + ah / 8))
                       : (dt * power - mean) / a.number;
    growth = ScalarBuilder::map(a, power, dt * power);
    integral = ScalarBuilder::map(a, mean, slope);
  } else {
    Value ah = scalars.materialize(scalars.mul(a, {dt, {}}));
    growth.value = math::ExpOp::create(builder, loc, ah);
    Value one = constant(loc, 1.0);
    Value growthLessOne = arith::SubFOp::create(builder, loc, growth.value, one);
    Value quotient = arith::DivFOp::create(builder, loc, growthLessOne, a.value);
    // Near a = 0 the quotient loses its digits; its limit is h (1 + ah/2).
    Value size = math::AbsFOp::create(builder, loc, ah);
    Value isSmall = arith::CmpFOp::create(
        builder, loc, arith::CmpFPredicate::OLT, size, constant(loc, 1e-6));
    Value limit = scalars.materialize(scalars.mul(
        {dt, {}},
        scalars.add({1.0, {}}, scalars.mul({0.5, {}}, {0, ah}))));
    integral.value =
        arith::SelectOp::create(builder, loc, isSmall, limit, quotient);
  }
  equation.next = scalars.materialize(
      scalars.add(scalars.mul(x, growth), scalars.mul(b, integral)));
}

void Solver::solveTogether(ArrayRef<Equation *> group, Method method) {
  using Values = std::map<std::string, Value>;
  auto derive = [&](const Values &at) {
    Values slopes;
    for (Equation *equation : group) {
      Value slope = cloneEquation(equation->diff, at, builder);
      if (Value hold = equation->diff.getHold())
        slope = arith::SelectOp::create(
            builder, equation->diff.getLoc(), hold,
            constant(equation->diff.getLoc(), 0.0), slope);
      slopes[equation->name] = slope;
    }
    return slopes;
  };
  auto move = [&](const Values &slopes, double step) {
    Values moved;
    for (Equation *equation : group) {
      ScalarBuilder scalars(builder, equation->diff.getLoc());
      moved[equation->name] = scalars.materialize(scalars.add(
          {0, equation->initial},
          scalars.mul({step, {}}, {0, slopes.at(equation->name)})));
    }
    return moved;
  };
  Values start;
  for (Equation *equation : group)
    start[equation->name] = equation->initial;
  Values k1 = derive(start);
  if (method == Method::Euler) {
    Values moved = move(k1, dt);
    for (Equation *equation : group)
      equation->next = moved[equation->name];
    return;
  }
  Values k2 = derive(move(k1, dt / 2));
  Values k3 = derive(move(k2, dt / 2));
  Values k4 = derive(move(k3, dt));
  for (Equation *equation : group) {
    ScalarBuilder scalars(builder, equation->diff.getLoc());
    auto slope = [&](Values &k) { return Scalar{0, k.at(equation->name)}; };
    Scalar middle = scalars.mul({2.0, {}}, scalars.add(slope(k2), slope(k3)));
    Scalar sum = scalars.add(scalars.add(slope(k1), middle), slope(k4));
    equation->next = scalars.materialize(scalars.add(
        {0, equation->initial}, scalars.mul({dt / 6, {}}, sum)));
  }
}

namespace {
struct SolveDynamicsPass
    : neuroc::neuro::impl::SolveDynamicsBase<SolveDynamicsPass> {
  using SolveDynamicsBase::SolveDynamicsBase;

  void runOnOperation() override {
    WalkResult result = getOperation().walk([&](NetworkOp network) {
      double dt = network.getDt().convertToDouble();
      for (Operation &op : network.getBody().front()) {
        if (auto population = dyn_cast<PopulationOp>(op)) {
          for (StageOp stage : population.getModelOp().list<StageOp>())
            if (failed(solve(stage.getBody(), dt * population.getEvery(),
                             getUniformParams(population))))
              return WalkResult::interrupt();
        } else if (auto plastic = dyn_cast<PlasticOp>(op)) {
          for (TraceOp trace : plastic.getRuleOp().list<TraceOp>())
            if (!trace.getTick().empty() &&
                failed(solve(trace.getTick(), dt)))
              return WalkResult::interrupt();
          for (HandlerOp handler : plastic.getRuleOp().list<HandlerOp>())
            if (failed(solve(handler.getBody(), dt)))
              return WalkResult::interrupt();
        }
      }
      return WalkResult::advance();
    });
    if (result.wasInterrupted())
      signalPassFailure();
  }

private:
  LogicalResult solve(Region &region, double dt,
                      std::map<std::string, double> params = {}) {
    return Solver(region.front(), dt, report, std::move(params)).run();
  }
};
} // namespace
