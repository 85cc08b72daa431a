// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Warns about loops of states that overshoot. A loop that descends on an energy
// moves by -rate * gradient per tick and converges only while
// rate * lambda_max(Hessian) < 2. The product is found by power iteration on
// the tick itself (Analysis/TickMap.h), with initial values and weights.
#include "neuroc/Neuro/Analysis/TickMap.h"
#include "neuroc/Neuro/Passes.h"

#include "llvm/ADT/SetVector.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/Support/Format.h"

#include <cmath>

using namespace mlir;
using namespace neuroc::neuro;

namespace {
struct CheckStepsPass : PassWrapper<CheckStepsPass, OperationPass<ModuleOp>> {
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(CheckStepsPass)
  StringRef getArgument() const override { return "neuro-check-steps"; }
  StringRef getDescription() const override {
    return "Warn where the step of a settling loop is too large";
  }
  void runOnOperation() override {
    for (auto network : getOperation().getOps<NetworkOp>())
      check(network);
  }

private:
  static void check(NetworkOp network);
};
} // namespace

static std::string threeDigits(double x) {
  std::string text;
  llvm::raw_string_ostream(text) << llvm::format("%.3g", x);
  return text;
}

/// True if a weight is read both ways in one tick: without that there is no
/// descent on an energy of its predictions.
static bool hasSettlingLoop(NetworkOp network) {
  llvm::StringSet<> straight, transposed;
  for (auto project : network.getOps<ProjectOp>())
    if (project.hasSameTickInput())
      (project.getTransposed() ? transposed : straight)
          .insert(project.getWeight());
  return llvm::any_of(transposed, [&](const auto &entry) {
    return straight.contains(entry.getKey());
  });
}

void CheckStepsPass::check(NetworkOp network) {
  if (!hasSettlingLoop(network))
    return;
  FailureOr<TickSchedule> schedule = TickSchedule::compute(network);
  if (failed(schedule))
    return;
  TickMap map(network, *schedule);
  if (map.dimension() == 0 || map.dimension() > (1 << 17))
    return;
  DominantChange change = findDominantChange(map);
  double excess = -change.eigenvalue / 2;
  if (!(excess > 1 + 1e-6) || !(change.residual < 0.1 * excess))
    return;
  // Who takes part: populations in the order of their share of the direction.
  std::vector<std::pair<double, PopulationOp>> shares;
  for (const TickMap::State &state : map.getStates()) {
    double share = 0;
    for (size_t i = state.first; i < state.first + state.count; ++i)
      share += change.vector[i] * change.vector[i];
    if (share > 0.01)
      shares.push_back({share, state.population});
  }
  llvm::stable_sort(shares, [](auto &a, auto &b) { return a.first > b.first; });
  InFlightDiagnostic warning =
      shares.front().second.emitWarning("settling does not converge: the step "
                                        "of ");
  llvm::SmallSetVector<StringRef, 4> names;
  for (auto &[share, population] : shares)
    names.insert(population.getSymName());
  llvm::interleaveComma(names, warning,
                        [&](StringRef name) { warning << "'" << name << "'"; });
  warning << " is " << threeDigits(excess)
          << " times the largest stable one, 2/lambda_max, with the initial "
             "weights";
  warning.attachNote() << "help: multiply the rate by less than "
                       << threeDigits(1 / excess);
}

std::unique_ptr<Pass> neuroc::neuro::createCheckSteps() {
  return std::make_unique<CheckStepsPass>();
}
