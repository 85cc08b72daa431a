// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Ranges of reductions: how they scale with the group, what holds between a
// member and its group, and that what a selection says of a unit says nothing
// of the others.
#include "neuroc/Neuro/Analysis/RangeAnalysis.h"

#include "ReferenceFixture.h"

#include <cmath>

using namespace mlir;
using namespace neuroc;
using namespace neuroc::neuro;

namespace {

class ReductionRanges : public Reference {
protected:
  /// The range of output `y` of a population of 6 units, each reading x in
  /// [-1, 3], whose stage computes `%y`.
  Bound getRange(const std::string &code) {
    std::string text = R"mlir(
neuro.model @m {
  neuro.input @x
  neuro.output @y : f64
  neuro.stage @s {
    %x = neuro.get @x
    %zero = arith.constant 0.0 : f64
    %ten = arith.constant 10.0 : f64
    )mlir" + code + R"mlir(
    neuro.emit @y, %y : f64
  }
}
neuro.network @n dt 1.0 {
  %x = neuro.stimulus @x range [-1.0, 3.0] : tensor<6xf32>
  %y = neuro.population @P of @m shape [6] inputs(%x) ports ["x"] : (tensor<6xf32>) -> tensor<6xf32>
}
)mlir";
    return analyse(text, [](NetworkOp network, const RangeAnalysis &ranges) {
      return ranges.output(*network.getOps<PopulationOp>().begin(), "y");
    });
  }

  Bound analyse(
      const std::string &text,
      llvm::function_ref<Bound(NetworkOp, const RangeAnalysis &)> question) {
    auto module = parseSourceString<ModuleOp>(text, &context);
    EXPECT_TRUE(module);
    PassManager pm(&context);
    buildToCorePipeline(pm);
    EXPECT_TRUE(succeeded(pm.run(*module)));
    NetworkOp network = *module->getOps<NetworkOp>().begin();
    RangeAnalysis ranges(network, RangeOptions());
    return question(network, ranges);
  }

  void expectRange(const std::string &code, double lo, double hi) {
    Bound bound = getRange(code);
    EXPECT_TRUE(bound.proved) << code;
    // Outputs are zero before the first tick; results are rounded outwards.
    EXPECT_NEAR(bound.interval.lo, std::min(lo, 0.0), 1e-9) << code;
    EXPECT_NEAR(bound.interval.hi, std::max(hi, 0.0), 1e-9) << code;
  }
};

} // namespace

TEST_F(ReductionRanges, ScaleWithTheGroup) {
  expectRange("%y = neuro.reduce sum %x over units", -6, 18);
  expectRange("%y = neuro.reduce sum %x over units group 2", -2, 6);
  expectRange("%y = neuro.reduce sum %x over units prefix", -6, 18);
  expectRange("%u = arith.addf %x, %ten : f64\n"
              "%s = neuro.reduce sum %u over units group 3\n"
              "%c = arith.constant 40.0 : f64\n"
              "%y = arith.subf %s, %c : f64", // 27 to 39 less 40
              -13, -1);
  expectRange("%u = arith.addf %x, %ten : f64\n"
              "%s = neuro.reduce sum %u over units prefix\n"
              "%c = arith.constant 90.0 : f64\n"
              "%y = arith.subf %s, %c : f64", // 9 to 78 less 90
              -81, -12);
  expectRange("%y = neuro.reduce max %x over units", -1, 3);
  expectRange("%y = neuro.reduce min %x over units", -1, 3);
  expectRange("%y = neuro.reduce kth_largest %x over units k 2", -1, 3);
  expectRange("%y = neuro.reduce rank %x over units", 0, 5);
  expectRange("%y = neuro.reduce rank %x over units group 3", 0, 2);
  expectRange("%y = neuro.reduce logsumexp %x over units", -1 + std::log(6.0),
              3 + std::log(6.0));
}

TEST_F(ReductionRanges, MembersAgainstTheirGroup) {
  expectRange("%m = neuro.reduce max %x over units\n"
              "%y = arith.subf %x, %m : f64",
              -4, 0);
  expectRange("%m = neuro.reduce min %x over units\n"
              "%y = arith.subf %x, %m : f64",
              0, 4);
  // A softmax: exponentials up to 1, their sum at least 1, shares up to 1.
  const std::string exponential = "%m = neuro.reduce max %x over units\n"
                                  "%d = arith.subf %x, %m : f64\n"
                                  "%e = math.exp %d : f64\n"
                                  "%s = neuro.reduce sum %e over units\n";
  expectRange(exponential + "%y = arith.subf %s, %zero : f64", 1, 6);
  expectRange(exponential + "%y = arith.divf %e, %s : f64", 0, 1);
  expectRange("%l = neuro.reduce logsumexp %x over units\n"
              "%d = arith.subf %x, %l : f64\n"
              "%y = math.exp %d : f64",
              0, 1);
}

// %x is positive where the sum is taken, but the other units' need not be.
TEST_F(ReductionRanges, SelectionsSayNothingOfOthers) {
  expectRange("%p = arith.cmpf ogt, %x, %zero : f64\n"
              "%s = neuro.reduce sum %x over units\n"
              "%y = arith.select %p, %s, %zero : f64",
              -6, 18);
}

// In a handler the group is what the connectivity makes it: 3 synapses to each
// post unit, 2 from each pre unit, 6 in all; but one at least.
TEST_F(ReductionRanges, OverSynapses) {
  const std::tuple<const char *, double, double> cases[] = {
      {"sum %u over post", 1, 6},
      {"sum %u over pre", 1, 4},
      {"sum %u over all", 1, 12},
      {"rank %u over post", 0, 2},
      {"rank %u over all", 0, 5},
      {"max %u over post", 1, 2},
      {"sum %u over post prefix", 1, 6},
      {"logsumexp %u over pre", 1, 2 + std::log(2.0)}};
  for (auto [reduce, lo, hi] : cases) {
    std::string text = R"mlir(
neuro.rule @r {
  neuro.state @e init 1.0
  neuro.on tick {
    %x = neuro.get @pre
    %one = arith.constant 1.0 : f64
    %u = arith.addf %x, %one : f64
    %s = neuro.reduce )mlir" +
                       std::string(reduce) +
                       R"mlir(
    neuro.set @e, %s
  }
}
neuro.network @n dt 1.0 {
  %x = neuro.stimulus @x : tensor<3xi1>
  %y = neuro.stimulus @y : tensor<2xi1>
  neuro.weight @W pre [3] post [2] connect #neuro.dense values 0.0
  neuro.plastic @p on @W rule @r pre %x post %y : tensor<3xi1>, tensor<2xi1>
}
)mlir";
    Bound bound =
        analyse(text, [](NetworkOp network, const RangeAnalysis &ranges) {
          return ranges.ruleName(*network.getOps<PlasticOp>().begin(), "e");
        });
    EXPECT_TRUE(bound.proved) << reduce;
    EXPECT_NEAR(bound.interval.lo, std::min(lo, 1.0), 1e-9) << reduce;
    EXPECT_NEAR(bound.interval.hi, hi, 1e-9) << reduce;
  }
}
