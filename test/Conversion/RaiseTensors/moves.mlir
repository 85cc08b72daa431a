// Operations that move elements renumber units; where the order changes and
// something computes on it, a projection with one synapse for each unit does it.
// RUN: neuroc-opt %s --neuro-raise-tensors --split-input-file | FileCheck %s

// A reshape in front of a rectifier costs nothing.
#v = affine_map<(i) -> (i)>
// CHECK-LABEL: neuro.network @reshape
neuro.network @reshape dt 1.0 {
  // CHECK: %[[X:.*]] = neuro.stimulus
  %x = neuro.stimulus @x : tensor<2x3xf32>
  %c = tensor.collapse_shape %x [[0, 1]] : tensor<2x3xf32> into tensor<6xf32>
  %e = tensor.empty() : tensor<6xf32>
  // CHECK-NOT: neuro.project
  // CHECK: neuro.population @raised of @raised_model shape [6] inputs(%[[X]])
  // CHECK-SAME: (tensor<2x3xf32>) -> tensor<6xf32>
  %y = linalg.generic {indexing_maps = [#v, #v], iterator_types = ["parallel"]}
      ins(%c : tensor<6xf32>) outs(%e : tensor<6xf32>) {
    ^bb0(%a: f32, %o: f32):
      %t = math.tanh %a : f32
      linalg.yield %t : f32
  } -> tensor<6xf32>
  neuro.probe @out %y output : tensor<6xf32>
}

// -----

#t = affine_map<(i, j) -> (j, i)>
#id = affine_map<(i, j) -> (i, j)>
// CHECK-LABEL: neuro.network @transpose
neuro.network @transpose dt 1.0 {
  %x = neuro.stimulus @x : tensor<2x3xf32>
  %e = tensor.empty() : tensor<3x2xf32>
  // CHECK: neuro.weight {{.*}} connect #neuro.list<dense<
  // CHECK-SAME: {{\[\[}}0, 0], [3, 1], [1, 2], [4, 3], [2, 4], [5, 5]]
  %y = linalg.generic {indexing_maps = [#t, #id],
      iterator_types = ["parallel", "parallel"]}
      ins(%x : tensor<2x3xf32>) outs(%e : tensor<3x2xf32>) {
    ^bb0(%a: f32, %o: f32):
      linalg.yield %a : f32
  } -> tensor<3x2xf32>
  neuro.probe @out %y output : tensor<3x2xf32>
}

// -----

// Two signals side by side feed one port.
// CHECK-LABEL: neuro.network @concat
neuro.network @concat dt 1.0 {
  %x = neuro.stimulus @x : tensor<2xf32>
  %y = neuro.stimulus @y : tensor<1xf32>
  %e = tensor.empty() : tensor<3xf32>
  %a = tensor.insert_slice %x into %e[0] [2] [1] : tensor<2xf32> into tensor<3xf32>
  %b = tensor.insert_slice %y into %a[2] [1] [1] : tensor<1xf32> into tensor<3xf32>
  // CHECK: %[[A:.*]] = neuro.project %{{.*}} through @raised_weight :
  // CHECK: %[[B:.*]] = neuro.project %{{.*}} through @raised_weight_1 :
  // CHECK: inputs(%[[A]], %[[B]]) ports ["x0", "x0"]
  neuro.probe @out %b output : tensor<3xf32>
}

// -----

// A sum of two signals (a residual connection) has two ports.
#v = affine_map<(i) -> (i)>
// CHECK-LABEL: neuro.network @residual
neuro.network @residual dt 1.0 {
  %x = neuro.stimulus @x : tensor<4xf32>
  %y = neuro.stimulus @y : tensor<4xf32>
  %e = tensor.empty() : tensor<4xf32>
  // CHECK: ports ["x0", "x1"]
  %s = linalg.generic {indexing_maps = [#v, #v, #v],
      iterator_types = ["parallel"]}
      ins(%x, %y : tensor<4xf32>, tensor<4xf32>) outs(%e : tensor<4xf32>) {
    ^bb0(%a: f32, %b: f32, %o: f32):
      %t = arith.addf %a, %b : f32
      linalg.yield %t : f32
  } -> tensor<4xf32>
  neuro.probe @out %s output : tensor<4xf32>
}

// -----

// A network without tensor operations is not touched.
// CHECK-LABEL: neuro.network @untouched
neuro.network @untouched dt 1.0 {
  // CHECK-NEXT: %[[X:.*]] = neuro.stimulus @x
  // CHECK-NEXT: neuro.probe @out %[[X]]
  %x = neuro.stimulus @x : tensor<4xf32>
  neuro.probe @out %x output : tensor<4xf32>
}
