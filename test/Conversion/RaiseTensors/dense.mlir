// A matrix product with a bias and a rectifier becomes a dense weight, a
// projection and a population; a division before it goes into the weight.
// RUN: neuroc-opt %s --neuro-raise-tensors | FileCheck %s

#in = affine_map<(i, j, k) -> (i, k)>
#w = affine_map<(i, j, k) -> (j, k)>
#out = affine_map<(i, j, k) -> (i, j)>
#row = affine_map<(i, j) -> (i, j)>
#bias = affine_map<(i, j) -> (j)>

// CHECK-LABEL: neuro.model @fc1_model
// CHECK: neuro.input @x0
// CHECK: neuro.param @constant1
// CHECK: %[[X:.*]] = neuro.get @x0
// CHECK: %[[B:.*]] = neuro.get @constant1
// CHECK: %[[S:.*]] = arith.addf %[[X]], %[[B]] : f64
// CHECK: arith.maximumf %[[S]]
// CHECK: neuro.emit @y

// CHECK-LABEL: neuro.network @dense
neuro.network @dense dt 1.0 {
  // CHECK: %[[IN:.*]] = neuro.stimulus @x
  %x = neuro.stimulus @x : tensor<1x2xf32>
  %four = arith.constant dense<4.0> : tensor<1x2xf32>
  %e2 = tensor.empty() : tensor<1x2xf32>
  %scaled = linalg.generic {indexing_maps = [#row, #row, #row],
      iterator_types = ["parallel", "parallel"]}
      ins(%x, %four : tensor<1x2xf32>, tensor<1x2xf32>)
      outs(%e2 : tensor<1x2xf32>) {
    ^bb0(%a: f32, %b: f32, %o: f32):
      %q = arith.divf %a, %b : f32
      linalg.yield %q : f32
  } -> tensor<1x2xf32>
  %w = arith.constant dense<[[4.0, 8.0], [12.0, 16.0], [20.0, 24.0]]>
      : tensor<3x2xf32>
  %zero = arith.constant 0.0 : f32
  %e3 = tensor.empty() : tensor<1x3xf32>
  %init = linalg.fill ins(%zero : f32) outs(%e3 : tensor<1x3xf32>)
      -> tensor<1x3xf32>
  // CHECK: neuro.weight @fc1_weight pre [2] post [3] connect #neuro.dense
  // CHECK-SAME: dense<{{\[\[}}1.000000e+00, 2.000000e+00], [3.000000e+00, 4.000000e+00], [5.000000e+00, 6.000000e+00]]>
  // CHECK: %[[P:.*]] = neuro.project %[[IN]] through @fc1_weight :
  %y = linalg.generic {indexing_maps = [#in, #w, #out],
      iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%scaled, %w : tensor<1x2xf32>, tensor<3x2xf32>)
      outs(%init : tensor<1x3xf32>) {
    ^bb0(%a: f32, %b: f32, %o: f32):
      %m = arith.mulf %a, %b : f32
      %s = arith.addf %o, %m : f32
      linalg.yield %s : f32
  } -> tensor<1x3xf32> loc("Gemm 'fc1' (node 0)")
  %b = arith.constant dense<[0.5, -0.5, 0.25]> : tensor<3xf32>
  // CHECK: neuro.population @fc1 of @fc1_model shape [1, 3] inputs(%[[P]])
  // CHECK-SAME: constant1 = dense<[5.000000e-01, -5.000000e-01, 2.500000e-01]>
  // CHECK-SAME: -> tensor<1x3xf32>
  %r = linalg.generic {indexing_maps = [#row, #bias, #row],
      iterator_types = ["parallel", "parallel"]}
      ins(%y, %b : tensor<1x3xf32>, tensor<3xf32>)
      outs(%e3 : tensor<1x3xf32>) {
    ^bb0(%a: f32, %c: f32, %o: f32):
      %s = arith.addf %a, %c : f32
      %z = arith.constant 0.0 : f32
      %m = arith.maximumf %s, %z : f32
      linalg.yield %m : f32
  } -> tensor<1x3xf32> loc("Relu 'fc1' (node 1)")
  neuro.probe @out %r output : tensor<1x3xf32>
  // CHECK-NOT: linalg
  // CHECK-NOT: tensor.empty
}
