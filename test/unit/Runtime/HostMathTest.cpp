// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The host's arrays against closed forms and numbers computed with NumPy, and
// every refusal.
#include "neuroc/rt/HostMath.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>

using namespace neuroc::rt;
using Values = std::vector<double>;

namespace {
Array number(double x) { return {{}, {x}}; }
Array vec(Values v) { return {{int64_t(v.size())}, v}; }
Array mat(int64_t rows, Values v) {
  return {{rows, int64_t(v.size()) / rows}, v};
}

Status tryCalc(const char *name, std::vector<Array> operands, Array &result,
               std::optional<int64_t> axis = std::nullopt, uint64_t seed = 1) {
  const HostFunction *function = findHostFunction(name);
  EXPECT_NE(function, nullptr) << name;
  std::vector<const Array *> pointers;
  for (const Array &a : operands)
    pointers.push_back(&a);
  return hostCalc(*function, pointers, axis ? &*axis : nullptr, seed, result);
}
Array calc(const char *name, std::vector<Array> operands,
           std::optional<int64_t> axis = std::nullopt, uint64_t seed = 1) {
  Array result;
  Status status = tryCalc(name, std::move(operands), result, axis, seed);
  EXPECT_TRUE(status.isOk()) << name << ": " << status.message();
  return result;
}
void refused(const char *name, std::vector<Array> operands, const char *words,
             std::optional<int64_t> axis = std::nullopt) {
  Array result;
  Status status = tryCalc(name, std::move(operands), result, axis);
  ASSERT_FALSE(status.isOk()) << name;
  EXPECT_EQ(status.code(), Code::ModelError) << status.message();
  EXPECT_NE(status.message().find(words), std::string::npos)
      << status.message();
}
void near(const Array &a, const Values &expected, double within = 1e-14) {
  ASSERT_EQ(a.values.size(), expected.size());
  for (size_t i = 0; i < expected.size(); ++i)
    EXPECT_NEAR(a.values[i], expected[i], within) << i;
}
using Shape = std::vector<int64_t>;
const Array x = {{2, 3}, {1, -2, 0.5, 3, 0, 2}};
} // namespace

TEST(HostMath, EveryFunctionOfTheTableComputesSomething) {
  for (const HostFunction &f : kHostFunctions) {
    // Operands that suit most functions; the others must refuse in words.
    std::vector<Array> operands;
    for (int i = 0; i < std::max(f.least, 1); ++i)
      operands.push_back(number(1));
    Array result;
    Status status = tryCalc(f.name, operands, result);
    EXPECT_NE(status.code(), Code::Internal) << f.name;
  }
}

TEST(HostMath, Elementwise) {
  near(calc("neg", {x}), {-1, 2, -0.5, -3, 0, -2});
  near(calc("relu", {x}), {1, 0, 0.5, 3, 0, 2});
  near(calc("sign", {x}), {1, -1, 1, 1, 0, 1});
  near(calc("heaviside", {x}), {1, 0, 1, 1, 1, 1});
  near(calc("sigmoid", {number(0)}), {0.5});
  near(calc("not", {x}), {0, 0, 0, 0, 1, 0});
  near(calc("round", {vec({0.5, 2.5, -1.5, -0.2})}), {1, 3, -2, 0});
  near(calc("is_finite", {vec({1, INFINITY, NAN})}), {1, 0, 0});
  near(calc("mod", {vec({7, -7}), number(3)}), {1, -1});
  near(calc("minimum", {x, number(0)}), {0, -2, 0, 0, 0, 0});
  near(calc("and", {x, vec({1, 1, 0})}), {1, 1, 0, 1, 0, 0});
  near(calc("where", {vec({1, 0}), vec({3, 4}), number(9)}), {3, 9});
  EXPECT_TRUE(std::isnan(calc("maximum", {number(NAN), number(1)}).values[0]));
}

TEST(HostMath, Broadcasting) {
  Array rows = calc("add", {x, vec({10, 20, 30})});
  EXPECT_EQ(rows.shape, (Shape{2, 3}));
  near(rows, {11, 18, 30.5, 13, 20, 32});
  near(calc("mul", {x, mat(2, {2, 3})}), {2, -4, 1, 9, 0, 6});
  Array outer = calc("sub", {mat(2, {1, 2}), vec({1, 2, 3})});
  EXPECT_EQ(outer.shape, (Shape{2, 3}));
  near(outer, {0, -1, -2, 1, 0, -1});
  // Three dimensions, extents of 1 in the middle.
  Array a{{2, 1, 2}, {1, 2, 3, 4}}, b{{3, 1}, {10, 20, 30}};
  Array c = calc("add", {a, b});
  EXPECT_EQ(c.shape, (Shape{2, 3, 2}));
  near(c, {11, 12, 21, 22, 31, 32, 13, 14, 23, 24, 33, 34});
  EXPECT_EQ(calc("add", {Array{{0, 3}, {}}, vec({1, 2, 3})}).shape,
            (Shape{0, 3}));
  refused("add", {x, vec({1, 2})},
          "'add': arrays of shapes [2, 3] and [2] do not fit together");
}

TEST(HostMath, Reductions) {
  near(calc("sum", {x}), {4.5});
  EXPECT_EQ(calc("sum", {x}).shape, Shape{});
  near(calc("sum", {x}, 0), {4, -2, 2.5});
  near(calc("mean", {x}, 1), {-0.5 / 3, 5.0 / 3});
  near(calc("max", {x}, -1), {1, 3});
  near(calc("min", {x}), {-2});
  near(calc("argmax", {x}, 1), {0, 0});
  near(calc("argmin", {x}, 0), {0, 0, 0});
  near(calc("any", {x}, 0), {1, 1, 1});
  near(calc("all", {x}), {0});
  near(calc("norm", {x}), {4.272001872658765});
  near(calc("norm", {x}, 0), {3.1622776601683795, 2.0, 2.0615528128088303});
  near(calc("cumsum", {x}, 0), {1, -2, 0.5, 4, -2, 2.5});
  near(calc("cumsum", {x}), {1, -1, -0.5, 3, 3, 5});
  near(calc("sort", {x}), {-2, 0.5, 1, 0, 2, 3});
  near(calc("softmax", {x}),
       {0.6037488961486258, 0.03005888756957402, 0.3661922162818002,
        0.7053845126982412, 0.03511902695933972, 0.2594964603424192});
  near(calc("softmax", {x}, 0),
       {0.11920292202211755, 0.11920292202211755, 0.18242552380635632,
        0.8807970779778825, 0.8807970779778825, 0.8175744761936437});
  // Large arguments do not overflow.
  near(calc("softmax", {vec({1000, 1000})}), {0.5, 0.5});
  near(calc("sum", {Array{{0, 2}, {}}}, 0), {0, 0});
  refused("max", {Array{{0}, {}}}, "'max' of no elements, in an array of shape [0]");
  refused("sum", {x}, "'sum': an array of shape [2, 3] has no axis 2", 2);
  refused("add", {x, x}, "takes no axis", 0);
}

TEST(HostMath, LinearAlgebra) {
  near(calc("matmul", {x, mat(3, {1, 2, 3, 4, 5, 6})}), {-2.5, -3, 13, 18});
  EXPECT_EQ(calc("matmul", {x, vec({1, 2, 3})}).shape, Shape{2});
  EXPECT_EQ(calc("matmul", {vec({1, 2}), x}).shape, Shape{3});
  near(calc("matmul", {vec({1, 2}), vec({3, 4})}), {11});
  near(calc("transpose", {x}), {1, 3, -2, 0, 0.5, 2});
  near(calc("outer", {vec({1, 2}), vec({3, 4})}), {3, 4, 6, 8});
  near(calc("identity", {number(2)}), {1, 0, 0, 1});
  Array spd = mat(3, {4, 1, 0.5, 1, 3, -0.25, 0.5, -0.25, 2});
  near(calc("solve", {spd, vec({1, 2, 3})}),
       {-0.17168674698795178, 0.8614457831325301, 1.650602409638554});
  // Not symmetric, with a zero on the diagonal, two right sides.
  near(calc("solve", {mat(3, {0, 2, 1, 1, 1, 0, 3, 0, -1}),
                      mat(3, {1, 2, 3, 4, 5, 6})}),
       {0, 0, 3, 4, -5, -6}, 1e-13);
  // Symmetric, but not positive definite.
  near(calc("solve", {mat(2, {0, 1, 1, 0}), vec({5, 7})}), {7, 5});
  refused("solve", {mat(2, {1, 2, 2, 4}), vec({1, 1})}, "is singular");
  refused("solve", {x, vec({1, 1})}, "needs a square matrix");
  refused("matmul", {x, x}, "'matmul' of arrays of shapes [2, 3] and [2, 3]");
  refused("transpose", {vec({1})}, "'transpose' needs a matrix, but the shape is [1]");
  refused("identity", {number(1e9)}, "must be a whole number from 0");
}

/// A x = b is solved for matrices of some size, symmetric and not.
TEST(HostMath, ResidualOfLargerSystems) {
  for (bool symmetric : {true, false}) {
    int64_t n = 60;
    Array a = calc("normal", {vec({double(n), double(n)}), number(3)});
    if (symmetric)
      a = calc("add", {calc("matmul", {calc("transpose", {a}), a}),
                       calc("identity", {number(double(n))})});
    Array b = calc("uniform", {vec({double(n), 2}), number(4)});
    Array found = calc("solve", {a, b});
    Array residual = calc("sub", {calc("matmul", {a, found}), b});
    EXPECT_LT(calc("max", {calc("abs", {residual})}).values[0], 1e-10);
  }
}

TEST(HostMath, ShapesAndElements) {
  EXPECT_EQ(calc("reshape", {x, vec({3, 2})}).shape, (Shape{3, 2}));
  refused("reshape", {x, vec({4})}, "'reshape' of an array of shape [2, 3]");
  refused("reshape", {x, vec({-1})}, "must be a whole number that is not");
  refused("reshape", {x, mat(2, {1, 2, 3, 4})}, "must be a list");
  refused("reshape", {x, vec({1e8, 1e8})}, "is too large for the host");
  near(calc("concat", {x, mat(1, {7, 8, 9})}),
       {1, -2, 0.5, 3, 0, 2, 7, 8, 9});
  near(calc("concat", {x, mat(2, {7, 8})}, 1), {1, -2, 0.5, 7, 3, 0, 2, 8});
  refused("concat", {x, mat(2, {7, 8})}, "along axis 0");
  refused("concat", {number(1)}, ", which have no axis 0");
  EXPECT_EQ(calc("stack", {vec({1, 2}), vec({3, 4})}).shape, (Shape{2, 2}));
  refused("stack", {vec({1, 2}), number(1)}, "elements of one list");
  near(calc("index", {x, number(1)}), {3, 0, 2});
  near(calc("index", {x, number(-1), number(0)}), {3});
  near(calc("index", {x, vec({1, 0, 1})}), {3, 0, 2, 1, -2, 0.5, 3, 0, 2});
  refused("index", {x, number(2)}, "index 2 of an array of shape [2, 3]");
  refused("index", {x, number(0.5)}, "an index must be a whole number");
  refused("one_hot", {vec({1}), vec({1, 2})},
          "the number of classes must be one number, but has shape [2]");
  refused("index", {vec({1}), number(0), number(0)}, "has no 2 indices");
  refused("index", {number(1), vec({0})}, "a number has no elements");
  near(calc("put", {x, vec({7, 8, 9}), number(0)}), {7, 8, 9, 3, 0, 2});
  near(calc("put", {x, number(7), number(1), number(2)}),
       {1, -2, 0.5, 3, 0, 7});
  refused("put", {x, vec({1, 2}), number(0)}, "a part of 3 elements of an array of shape [2, 3] cannot take a value "
          "of shape [2]");
  near(calc("rows", {x, number(1), number(2)}), {3, 0, 2});
  near(calc("columns", {x, number(0), number(2)}), {1, -2, 3, 0});
  refused("columns", {x, number(0), number(9)}, "the end of the columns");
  refused("columns", {vec({1}), number(0), number(1)}, "has no columns");
  near(calc("one_hot", {vec({1, 0}), number(3)}), {0, 1, 0, 1, 0, 0});
  EXPECT_EQ(calc("one_hot", {mat(2, {1, 0}), number(3)}).shape, (Shape{2, 3}));
  refused("one_hot", {vec({3}), number(3)}, "is not one of 0 to 2");
  near(calc("fill", {number(4), vec({2})}), {4, 4});
  refused("fill", {x, vec({2})}, "'fill' spreads one number, but has an array of shape [2, 3]");
  near(calc("range", {number(3)}), {0, 1, 2});
  near(calc("size", {x}), {6});
  near(calc("len", {x}), {2});
  refused("len", {number(1)}, "'len' of a number");
  refused("rows", {x, number(0)}, "is written rows(a, first, last)");
}

TEST(HostMath, RandomArraysFollowTheirKeys) {
  Array p = calc("permutation", {number(100), number(7)});
  Values sorted = p.values;
  std::sort(sorted.begin(), sorted.end());
  for (int i = 0; i < 100; ++i)
    EXPECT_EQ(sorted[size_t(i)], i);
  EXPECT_EQ(p.values, calc("permutation", {number(100), number(7)}).values);
  EXPECT_NE(p.values, calc("permutation", {number(100), number(8)}).values);
  EXPECT_NE(p.values,
            calc("permutation", {number(100), number(7)}, std::nullopt, 2)
                .values);
  Array u = calc("uniform", {vec({10000}), number(1)});
  EXPECT_NEAR(calc("mean", {u}).values[0], 0.5, 0.01);
  EXPECT_GT(calc("min", {u}).values[0], 0);
  Array n = calc("normal", {vec({10000}), number(1)});
  EXPECT_NEAR(calc("mean", {n}).values[0], 0, 0.03);
  EXPECT_NEAR(calc("norm", {n}).values[0] / 100, 1, 0.03);
  refused("uniform", {vec({2}), number(0.5)}, "the key must be a whole number");
  // A loop's order is a permutation that differs from run to run.
  auto first = shuffledRows(50, 1, 3, 0), second = shuffledRows(50, 1, 3, 1);
  EXPECT_NE(first, second);
  std::sort(second.begin(), second.end());
  for (int64_t i = 0; i < 50; ++i)
    EXPECT_EQ(second[size_t(i)], i);
}

TEST(HostMath, EveryPositionIsEquallyLikely) {
  std::vector<int> counts(5 * 5, 0);
  for (uint64_t run = 0; run < 5000; ++run) {
    auto order = shuffledRows(5, 9, 1, run);
    for (size_t i = 0; i < 5; ++i)
      ++counts[i * 5 + size_t(order[i])];
  }
  for (int count : counts)
    EXPECT_NEAR(count, 1000, 150); // five standard deviations
}
