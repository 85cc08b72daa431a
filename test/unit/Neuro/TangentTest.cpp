// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Forward-mode derivatives against finite differences of the same program, run
// by the reference interpreter with other values of the parameter, and against
// closed forms. Finite differences are those of five points: their error is of
// fourth order in the step.
#include "ReferenceFixture.h"

#include <cmath>
#include <functional>

using namespace mlir;
using namespace neuroc;
using Values = std::vector<double>;

namespace {

/// All rows that the probes record in `ticks` ticks, in one list.
Values record(rt::Engine &engine, unsigned ticks) {
  Recording recording;
  EXPECT_TRUE(engine.step(ticks, &recording).isOk());
  Values all;
  for (const Values &row : recording.rows)
    all.insert(all.end(), row.begin(), row.end());
  return all;
}

class Tangents : public Reference {
protected:
  /// Compares probes with `wrt` to differences. `text` makes the program from
  /// the parameters' values; with an empty `wrt` its probes record the signal.
  using Program =
      std::function<std::string(const Values &, const std::string &wrt)>;
  void compare(const Program &text, const Values &params,
               const std::vector<std::string> &names, unsigned ticks,
               double relative = 1e-6) {
    Values still = record(*load(text(params, "")), ticks);
    for (size_t p = 0; p < params.size(); ++p) {
      Values slopes = record(*load(text(params, names[p])), ticks);
      double step = 2e-3 * std::max(0.1, std::abs(params[p]));
      auto at = [&](double steps) {
        Values moved = params;
        moved[p] += steps * step;
        return record(*load(text(moved, "")), ticks);
      };
      Values a = at(-2), b = at(-1), c = at(1), d = at(2);
      ASSERT_EQ(slopes.size(), still.size());
      double scale = 0;
      for (size_t i = 0; i < still.size(); ++i)
        scale = std::max(scale, std::abs(slopes[i]));
      EXPECT_GT(scale, 1e-3) << names[p] << " has no influence";
      for (size_t i = 0; i < still.size(); ++i) {
        double slope = (a[i] - 8 * b[i] + 8 * c[i] - d[i]) / (12 * step);
        EXPECT_NEAR(slopes[i], slope, relative * std::max(scale, 1e-6))
            << names[p] << ", value " << i;
      }
    }
  }
};

std::string number(double value) {
  char text[40];
  snprintf(text, sizeof text, "%.17e", value);
  return text;
}

std::string withRespectTo(const std::string &wrt) {
  return wrt.empty() ? "" : "wrt \"" + wrt + "\" ";
}

/// Two populations in a loop with delays: a linear system that is solved
/// exactly, an equation for RK4, one for exponential Euler, and stages with
/// reductions and choices; projections with a transmit region.
std::string loop(const Values &p, const std::string &wrt) {
  return R"mlir(
neuro.model @linear {
  neuro.param @tau = )mlir" +
         number(p[0]) + R"mlir(
  neuro.param @gain = )mlir" +
         number(p[1]) + R"mlir(
  neuro.state @v init 0.1
  neuro.state @u init -0.2
  neuro.input @x
  neuro.input @m combine product default 1.0
  neuro.output @y : f64
  neuro.stage @update {
    neuro.diff @v {
      %v = neuro.get @v
      %u = neuro.get @u
      %x = neuro.get @x
      %tau = neuro.get @tau
      %a = arith.subf %u, %v : f64
      %b = arith.addf %a, %x : f64
      %d = arith.divf %b, %tau : f64
      neuro.yield %d
    }
    neuro.diff @u {
      %v = neuro.get @v
      %u = neuro.get @u
      %gain = neuro.get @gain
      %decay = math.exp %gain : f64
      %one = arith.constant 1.0 : f64
      %r = arith.divf %one, %decay : f64
      %a = arith.mulf %gain, %v : f64
      %b = arith.mulf %r, %u : f64
      %d = arith.subf %a, %b : f64
      neuro.yield %d
    }
    %v = neuro.get @v
    %m = neuro.get @m
    %most = neuro.reduce max %v over units
    %soft = neuro.reduce logsumexp %v over units group 2
    %all = neuro.reduce sum %v over units prefix
    %second = neuro.reduce kth_largest %v over units k 2
    %a = arith.addf %most, %soft : f64
    %b = arith.subf %all, %second : f64
    %c = arith.mulf %a, %b : f64
    %d = arith.addf %c, %v : f64
    %e = math.tanh %d : f64
    %f = arith.mulf %e, %m : f64
    neuro.emit @y, %f : f64
  }
}
neuro.model @curved {
  neuro.param @k = )mlir" +
         number(p[2]) + R"mlir(
  neuro.state @w init 0.3
  neuro.state @z init 0.2
  neuro.input @i
  neuro.output @a : f64
  neuro.output @b : f64
  neuro.stage @update {
    neuro.diff @w {
      %w = neuro.get @w
      %i = neuro.get @i
      %k = neuro.get @k
      %s = math.sin %w : f64
      %a = arith.mulf %k, %s : f64
      %b = arith.subf %i, %a : f64
      neuro.yield %b
    }
    neuro.diff @z {
      %z = neuro.get @z
      %i = neuro.get @i
      %k = neuro.get @k
      %two = arith.constant 2.0 : f64
      %rate = math.powf %k, %two : f64
      %square = arith.mulf %i, %i : f64
      %g = arith.addf %rate, %square : f64
      %a = arith.mulf %g, %z : f64
      %b = arith.subf %i, %a : f64
      neuro.yield %b
    }
    %w = neuro.get @w
    %z = neuro.get @z
    %big = arith.cmpf ogt, %w, %z : f64
    %most = arith.maximumf %w, %z : f64
    %s = arith.select %big, %w, %z : f64
    %q = arith.divf %s, %most : f64
    %p = arith.mulf %q, %most : f64
    neuro.emit @a, %p : f64
    %abs = math.absf %z : f64
    %one = arith.constant 1.0 : f64
    %c = arith.addf %abs, %one : f64
    %r = math.sqrt %c : f64
    neuro.emit @b, %r : f64
  }
}
neuro.network @n dt 0.5 {
  %x = neuro.stimulus @x init(dense<[0.3, -0.2, 0.5, 0.1]> : tensor<4xf32>) : tensor<4xf32>
  neuro.weight @W pre [4] post [4] connect #neuro.all_to_all<self = false> values 0.35
  neuro.weight @V pre [4] post [4] connect #neuro.dense values dense<[[0.5, -0.25, 0.125, 0.3], [0.1, 0.2, -0.3, 0.4], [0.7, 0.6, -0.5, 0.4], [-0.1, 0.9, 0.2, -0.6]]> : tensor<4x4xf64>
  %y = neuro.population @L of @linear shape [4] inputs(%x, %back, %late, %r) ports ["x", "x", "m", "m"] : (tensor<4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  %i = neuro.project %y through @V {
  ^bb0(%a: f64, %b: f64):
    %h = math.tanh %b : f64
    %c = math.exp %a : f64
    %d = arith.mulf %c, %h : f64
    %e = arith.addf %d, %a : f64
    neuro.yield %e
  } : tensor<4xf32> -> tensor<4xf32>
  %w, %z = neuro.population @C of @curved shape [4] inputs(%i) ports ["i"] every 2 : (tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32>)
  %back = neuro.project %w through @W delay 3 : tensor<4xf32> -> tensor<4xf32>
  %late = neuro.delay %z by 2 : tensor<4xf32>
  %r = neuro.project %z through @V transposed delay 1 : tensor<4xf32> -> tensor<4xf32>
  neuro.probe @y %y )mlir" +
         withRespectTo(wrt) + R"mlir(: tensor<4xf32>
  neuro.probe @z %z )mlir" +
         withRespectTo(wrt) + R"mlir(: tensor<4xf32>
  neuro.probe @i %i )mlir" +
         withRespectTo(wrt) + R"mlir(every 3 : tensor<4xf32>
}
)mlir";
}

} // namespace

TEST_F(Tangents, LoopAgainstDifferences) {
  compare(loop, {2.5, 0.4, 1.3}, {"L.tau", "L.gain", "C.k"}, 14);
}

// Tensor code between nodes: elementwise products, moved elements, a matrix
// product with both sides active. It computes in f32, so the differences are
// coarse.
TEST_F(Tangents, TensorCodeAgainstDifferences) {
  auto text = [](const Values &p, const std::string &wrt) {
    return R"mlir(
neuro.model @m {
  neuro.param @p = )mlir" +
           number(p[0]) +
           R"mlir(
  neuro.output @y : f64
  neuro.stage @s {
    %p = neuro.get @p
    %i = neuro.index
    %t = neuro.time
    %a = arith.addf %i, %t : f64
    %u = arith.mulf %p, %a : f64
    %s = math.sin %u : f64
    neuro.emit @y, %s : f64
  }
}
neuro.network @n dt 1.0 {
  %y = neuro.population @P of @m shape [2, 2] : () -> tensor<2x2xf32>
  %c = arith.constant dense<[[1.0, 2.0], [3.0, 4.0]]> : tensor<2x2xf32>
  %sum = arith.addf %y, %c : tensor<2x2xf32>
  %square = arith.mulf %sum, %y : tensor<2x2xf32>
  %e = tensor.empty() : tensor<2x2xf32>
  %turned = linalg.transpose ins(%square : tensor<2x2xf32>) outs(%e : tensor<2x2xf32>) permutation = [1, 0]
  %product = linalg.matmul ins(%turned, %y : tensor<2x2xf32>, tensor<2x2xf32>) outs(%c : tensor<2x2xf32>) -> tensor<2x2xf32>
  %flat = tensor.collapse_shape %product [[0, 1]] : tensor<2x2xf32> into tensor<4xf32>
  neuro.probe @square %square )mlir" +
           withRespectTo(wrt) + R"mlir(: tensor<2x2xf32>
  neuro.probe @flat %flat )mlir" +
           withRespectTo(wrt) + ": tensor<4xf32>\n}\n";
  };
  compare(text, {0.9}, {"P.p"}, 3, 3e-4);
}

// Every function of scalar code, one after the other.
TEST_F(Tangents, FunctionsAgainstDifferences) {
  const std::pair<const char *, std::vector<double>> functions[] = {
      {"math.exp %p : f64", {0.7}},
      {"math.exp2 %p : f64", {0.7}},
      {"math.expm1 %p : f64", {0.7}},
      {"math.log %p : f64", {0.7}},
      {"math.log2 %p : f64", {0.7}},
      {"math.log10 %p : f64", {0.7}},
      {"math.log1p %p : f64", {0.7}},
      {"math.sqrt %p : f64", {0.7}},
      {"math.rsqrt %p : f64", {0.7}},
      {"math.cbrt %p : f64", {0.7, -0.7}},
      {"math.tanh %p : f64", {0.7}},
      {"math.sinh %p : f64", {0.7}},
      {"math.cosh %p : f64", {0.7}},
      {"math.sin %p : f64", {0.7}},
      {"math.cos %p : f64", {0.7}},
      {"math.tan %p : f64", {0.7}},
      {"math.atan %p : f64", {0.7}},
      {"math.erf %p : f64", {0.7}},
      {"math.absf %p : f64", {0.7, -0.7}},
      {"arith.negf %p : f64", {0.7}},
      {"arith.mulf %p, %p : f64", {0.7}},
      {"arith.divf %c, %p : f64", {0.7}},
      {"arith.divf %p, %c : f64", {0.7}},
      {"arith.remf %p, %c : f64", {4.1, -4.1}},
      {"arith.remf %c, %p : f64", {0.7, -0.7}},
      {"arith.maximumf %p, %c : f64", {2.7}},
      {"arith.maxnumf %c, %p : f64", {2.7}},
      {"arith.minimumf %c, %p : f64", {0.7}},
      {"arith.minnumf %p, %c : f64", {0.7}},
      {"math.powf %p, %c : f64", {0.7}},
      {"math.powf %c, %p : f64", {0.7}},
      {"math.powf %p, %p : f64", {0.7}},
      {"math.atan2 %p, %c : f64", {0.7, -0.7}},
      {"math.atan2 %c, %p : f64", {0.7, -0.7}},
      {"math.copysign %p, %c : f64", {0.7, -0.7}},
      {"math.copysign %c, %p : f64", {0.7}},
      {"math.fma %p, %c, %p : f64", {0.7}},
      {"math.fma %p, %p, %c : f64", {0.7}},
      {"neuro.reduce min %u over units", {0.7, -0.7}},
      {"neuro.reduce rank %u over units", {0.7}},
  };
  for (const auto &[function, points] : functions)
    for (double point : points) {
      auto text = [&](const Values &p, const std::string &wrt) {
        return R"mlir(
neuro.model @m {
  neuro.param @p = )mlir" +
               number(p[0]) +
               R"mlir(
  neuro.output @y : f64
  neuro.stage @s {
    %p = neuro.get @p
    %c = arith.constant 1.9 : f64
    %i = neuro.index
    %u = arith.mulf %p, %i : f64
    %f = )mlir" +
               std::string(function) +
               R"mlir(
    %p2 = arith.mulf %p, %c : f64
    %y = arith.addf %f, %p2 : f64
    neuro.emit @y, %y : f64
  }
}
neuro.network @n dt 1.0 {
  %y = neuro.population @P of @m shape [3] : () -> tensor<3xf32>
  neuro.probe @y %y )mlir" +
               withRespectTo(wrt) + ": tensor<3xf32>\n}\n";
      };
      SCOPED_TRACE(function);
      compare(text, {point}, {"P.p"}, 1, 1e-8);
    }
}

// v' = (x - v)/tau from 0: v = x (1 - e^(-t/tau)), dv/dtau = -x t/tau^2
// e^(-t/tau), at every tick to rounding, because the propagator is exact. Two
// parameters in one pass; a signal that depends on none has slope zero, and the
// values themselves are those of the program without derivatives, bit for bit.
TEST_F(Tangents, LeakyIntegratorInClosedForm) {
  auto text = [](bool withSlopes) {
    std::string slopes = R"mlir(
  neuro.probe @by_tau %v wrt "P.tau" : tensor<2xf32>
  neuro.probe @by_x %v wrt "P.x" : tensor<2xf32>
  neuro.probe @none %other wrt "P.tau" : tensor<2xf32>
)mlir";
    return R"mlir(
neuro.model @leaky {
  neuro.param @tau = 7.0
  neuro.param @x = 1.5
  neuro.state @v init 0.0
  neuro.output @y : f64
  neuro.output @spike : i1
  neuro.stage @s {
    neuro.diff @v {
      %v = neuro.get @v
      %x = neuro.get @x
      %tau = neuro.get @tau
      %a = arith.subf %x, %v : f64
      %d = arith.divf %a, %tau : f64
      neuro.yield %d
    }
    %v = neuro.get @v
    neuro.emit @y, %v : f64
    %c = arith.constant 1.0 : f64
    %s = arith.cmpf ogt, %v, %c : f64
    neuro.emit @spike, %s : i1
  }
}
neuro.network @n dt 0.25 {
  %v, %s = neuro.population @P of @leaky shape [2] : () -> (tensor<2xf32>, tensor<2xi1>)
  neuro.weight @W pre [2] post [2] connect #neuro.dense values 1.0
  %other = neuro.project %s through @W : tensor<2xi1> -> tensor<2xf32>
  neuro.probe @y %v : tensor<2xf32>
)mlir" + (withSlopes ? slopes : "") +
           "}\n";
  };
  auto engine = load(text(true)), plain = load(text(false));
  for (int tick = 1; tick <= 60; ++tick) {
    ASSERT_TRUE(engine->step(1, nullptr).isOk());
    ASSERT_TRUE(plain->step(1, nullptr).isOk());
    double t = 0.25 * tick, decay = std::exp(-t / 7);
    Values y, unchanged, byTau, byX, none;
    ASSERT_TRUE(engine->readProbe(0, y).isOk());
    ASSERT_TRUE(plain->readProbe(0, unchanged).isOk());
    ASSERT_TRUE(engine->readProbe(1, byTau).isOk());
    ASSERT_TRUE(engine->readProbe(2, byX).isOk());
    ASSERT_TRUE(engine->readProbe(3, none).isOk());
    EXPECT_EQ(y, unchanged);
    EXPECT_NEAR(y[0], 1.5 * (1 - decay), 1e-12);
    EXPECT_NEAR(byTau[1], -1.5 * t / 49 * decay, 1e-12);
    EXPECT_NEAR(byX[1], 1 - decay, 1e-12);
    EXPECT_EQ(none, Values(2, 0.0));
  }
}

// In a batch each lane has its own value of the parameter and its own slope.
TEST_F(Tangents, LanesHaveTheirOwnSlopes) {
  auto engine = load(R"mlir(
neuro.model @m {
  neuro.param @p = 1.0
  neuro.state @v init 1.0
  neuro.output @y : f64
  neuro.stage @s {
    %v = neuro.get @v
    %p = neuro.get @p
    %n = arith.mulf %v, %p : f64
    neuro.set @v, %n
    neuro.emit @y, %n : f64
  }
}
neuro.network @n dt 1.0 batch 3 {
  %y = neuro.population @P of @m shape [1] params {p = dense<[0.5, 1.5, -2.0]> : tensor<3xf64>} : () -> tensor<1xf32>
  neuro.probe @y %y wrt "P.p" : tensor<1xf32>
}
)mlir");
  ASSERT_TRUE(engine->step(4, nullptr).isOk());
  Values y;
  ASSERT_TRUE(engine->readProbe(0, y).isOk());
  EXPECT_EQ(y, (Values{4 * 0.125, 4 * 3.375, 4 * -8.0})); // d(p^4)/dp
}

// A state that starts from the parameter: v(0) = p^2, v' = -v/10. The front end
// gives the slope of what it computed; a derivative through it counts too.
TEST_F(Tangents, InitialValuesDependOnParameters) {
  auto engine = load(R"mlir(
neuro.model @m {
  neuro.param @p = 3.0
  neuro.state @v init 0.0
  neuro.output @y : f64
  neuro.stage @s {
    neuro.diff @v {
      %v = neuro.get @v
      %tau = arith.constant -10.0 : f64
      %d = arith.divf %v, %tau : f64
      neuro.yield %d
    }
    %v = neuro.get @v
    %p = neuro.get @p
    %y = arith.mulf %v, %p : f64
    neuro.emit @y, %y : f64
  }
}
neuro.network @n dt 1.0 {
  %y = neuro.population @P of @m shape [2] init {v = 9.0 : f64} {neuro.init_slopes = {v = {p = 6.0 : f64}}} : () -> tensor<2xf32>
  neuro.probe @y %y wrt "P.p" : tensor<2xf32>
}
)mlir");
  ASSERT_TRUE(engine->step(5, nullptr).isOk());
  Values y;
  ASSERT_TRUE(engine->readProbe(0, y).isOk());
  EXPECT_NEAR(y[1], 3 * 9 * std::exp(-0.5), 1e-12); // d(p^3 e^(-t/10))/dp
}

// Transmit regions whose slope is a(w) h(x).
TEST_F(Tangents, TransmitRegionsAgainstDifferences) {
  const char *const regions[] = {
      "%y = arith.mulf %w, %x : f64",
      "%y = arith.addf %w, %x : f64",
      "%y = arith.subf %w, %x : f64",
      "%a = arith.mulf %x, %x : f64\n %y = arith.divf %a, %w : f64",
      "%a = math.sin %w : f64\n %b = math.exp %x : f64\n"
      "%y = arith.divf %b, %a : f64",
      "%y = arith.divf %w, %x : f64",
      "%a = arith.addf %w, %c : f64\n %y = arith.mulf %a, %x : f64",
      "%a = arith.mulf %w, %x : f64\n %b = arith.mulf %c, %x : f64\n"
      "%y = arith.subf %a, %b : f64",
      // rectified, and leaky
      "%p = arith.cmpf ogt, %x, %z : f64\n %a = arith.mulf %w, %x : f64\n"
      "%y = arith.select %p, %a, %z : f64",
      "%p = arith.cmpf ogt, %x, %z : f64\n %a = arith.mulf %w, %x : f64\n"
      "%y = arith.select %p, %z, %a : f64",
      "%p = arith.cmpf ogt, %x, %z : f64\n %a = arith.mulf %w, %x : f64\n"
      "%b = arith.mulf %c, %a : f64\n %n = arith.negf %b : f64\n"
      "%y = arith.select %p, %a, %n : f64",
      "%a = arith.maximumf %x, %z : f64\n %y = arith.mulf %a, %w : f64",
  };
  for (const char *region : regions) {
    auto text = [&](const Values &p, const std::string &wrt) {
      return R"mlir(
neuro.model @m {
  neuro.param @p = )mlir" +
             number(p[0]) +
             R"mlir(
  neuro.output @y : f64
  neuro.stage @s {
    %p = neuro.get @p
    %i = neuro.index
    %two = arith.constant 1.2 : f64
    %a = arith.subf %two, %i : f64
    %u = arith.mulf %p, %a : f64
    neuro.emit @y, %u : f64
  }
}
neuro.network @n dt 1.0 {
  %source = neuro.population @P of @m shape [4] plant : () -> tensor<4xf32>
  neuro.weight @W pre [4] post [2] connect #neuro.dense values dense<[[0.5, -0.3, 0.7, 1.1], [0.2, 0.9, -0.8, 0.6]]> : tensor<2x4xf64>
  %all = neuro.project %source through @W delay 1 {
  ^bb0(%w: f64, %x1: f64):
    %c = arith.constant 0.3 : f64
    %z = arith.constant 0.0 : f64
    %tiny = arith.constant 0.01 : f64
    %x = arith.addf %x1, %tiny : f64
    )mlir" + std::string(region) +
             R"mlir(
    neuro.yield %y
  } : tensor<4xf32> -> tensor<2xf32>
  neuro.probe @y %all )mlir" +
             withRespectTo(wrt) + ": tensor<2xf32>\n}\n";
    };
    SCOPED_TRACE(region);
    compare(text, {0.8}, {"P.p"}, 3, 1e-8);
  }
}
