// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Networks that several tests share.
#ifndef NEUROC_TEST_UNIT_TARGETCPU_NETWORKS_H
#define NEUROC_TEST_UNIT_TARGETCPU_NETWORKS_H

#include <string>

namespace neuroc::test {

/// A noisy source of real numbers and spikes, and a leaky unit that takes both.
inline const std::string models = R"(
    neuro.model @source {
      neuro.state @phase init 0.0
      neuro.output @x : f64
      neuro.output @s : i1
      neuro.stage @update {
        %u = neuro.random uniform
        %p = neuro.get @phase
        %i = neuro.index
        %step = arith.constant 0.37 : f64
        %q = arith.addf %p, %step : f64
        neuro.set @phase, %q
        %a = arith.addf %q, %i : f64
        %x = math.sin %a : f64
        neuro.emit @x, %x : f64
        %limit = arith.constant 0.25 : f64
        %s = arith.cmpf olt, %u, %limit : f64
        neuro.emit @s, %s : i1
      }
    }
    neuro.model @unit {
      neuro.param @gain = 1.0
      neuro.state @v init 0.0
      neuro.input @in
      neuro.input @top combine max default -1.0
      neuro.output @y : f64
      neuro.output @s : i1
      neuro.stage @update {
        neuro.diff @v {
          %v = neuro.get @v
          %in = neuro.get @in
          %gain = neuro.get @gain
          %drive = arith.mulf %gain, %in : f64
          %d = arith.subf %drive, %v : f64
          neuro.yield %d
        }
        %v = neuro.get @v
        %top = neuro.get @top
        %y = arith.maximumf %v, %top : f64
        neuro.emit @y, %y : f64
        %theta = arith.constant 0.4 : f64
        %zero = arith.constant 0.0 : f64
        %fires = arith.cmpf ogt, %v, %theta : f64
        neuro.emit @s, %fires : i1
        %next = arith.select %fires, %zero, %v : f64
        neuro.set @v, %next
      }
    }
)";

inline std::string network(const std::string &body, int batch = 1) {
  return models + "    neuro.network @n dt 0.5 seed 5" +
         (batch > 1 ? " batch " + std::to_string(batch) : "") + R"( {
      %x, %s = neuro.population @S of @source shape [12]
        init {phase = #neuro.dist<uniform(0.0, 6.0)>}
        : () -> (tensor<12xf32>, tensor<12xi1>)
      neuro.probe @px %x : tensor<12xf32>
      neuro.probe @ps %s : tensor<12xi1>
)" + body +
         "    }\n";
}

/// One weight of each layout between 12 and 9 units (one-to-one: 12).
struct Layout {
  const char *name, *weight;
  int post;
};
inline const Layout layouts[] = {
    {"dense",
     "pre [12] post [9] connect #neuro.dense values "
     "#neuro.dist<normal(0.1, 0.5)>",
     9},
    {"masked",
     "pre [3] post [2] connect #neuro.dense values "
     "dense<[[0.5, -1.0, 2.0], [0.25, 3.0, -0.75]]> : tensor<2x3xf64>"
     " mask dense<[[true, false, true], [false, true, true]]>"
     " : tensor<2x3xi1>",
     2},
    {"all_to_all",
     "pre [12] post [12] connect #neuro.all_to_all<self = false>"
     " values #neuro.dist<uniform(-1.0, 1.0)>",
     12},
    {"one_to_one",
     "pre [12] post [12] connect #neuro.one_to_one values "
     "#neuro.dist<normal(1.0, 0.5)>",
     12},
    {"probability",
     "pre [12] post [9] connect "
     "#neuro.fixed_probability<0.3, self = true> values "
     "#neuro.dist<normal(0.2, 0.5)>",
     9},
    {"indegree",
     "pre [12] post [9] connect #neuro.fixed_indegree<4, "
     "self = true, multapses = true> values "
     "#neuro.dist<uniform(-0.5, 0.9)>",
     9},
    {"outdegree",
     "pre [12] post [12] connect #neuro.fixed_outdegree<5, "
     "self = false, multapses = false> values 0.31",
     12},
    {"conv",
     "pre [2, 3, 2] post [3, 2, 2] connect #neuro.conv<"
     "kernel = [2, 3], strides = [2, 1], pads = [1, 1, 0, 1], "
     "dilations = [1, 1], groups = 1> values dense<"
     "[[[[0.1,0.2,0.3],[0.4,0.5,-0.6]],[[0.7,-0.8,0.9],[1.0,1.1,1.2]]],"
     "[[[-0.1,0.2,0.3],[0.4,0.5,0.6]],[[0.7,0.8,0.9],[-1.0,1.1,1.2]]],"
     "[[[0.3,0.2,0.1],[0.6,0.5,0.4]],[[0.9,0.8,0.7],[1.2,1.1,1.0]]]]>"
     " : tensor<3x2x2x3xf64>",
     12},
};

} // namespace neuroc::test
#endif // NEUROC_TEST_UNIT_TARGETCPU_NETWORKS_H
