// Windows keep the layout of a convolution: padding becomes part of it, a
// division by the window's size goes into the kernel, maxima combine by max.
// RUN: neuroc-opt %s --neuro-raise-tensors --split-input-file | FileCheck %s

#x = affine_map<(n, m, y, x, c, i, j) -> (n, c, y + i, x + j)>
#w = affine_map<(n, m, y, x, c, i, j) -> (m, c, i, j)>
#o = affine_map<(n, m, y, x, c, i, j) -> (n, m, y, x)>

// CHECK-LABEL: neuro.network @padded_convolution
neuro.network @padded_convolution dt 1.0 {
  %x = neuro.stimulus @x : tensor<1x1x3x3xf32>
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<1x1x5x5xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<1x1x5x5xf32>)
      -> tensor<1x1x5x5xf32>
  %p = tensor.insert_slice %x into %f[0, 0, 1, 1] [1, 1, 3, 3] [1, 1, 1, 1]
      : tensor<1x1x3x3xf32> into tensor<1x1x5x5xf32>
  %w = arith.constant dense<[[[[1.0, 2.0, 3.0], [4.0, 5.0, 6.0],
      [7.0, 8.0, 9.0]]]]> : tensor<1x1x3x3xf32>
  %e2 = tensor.empty() : tensor<1x1x3x3xf32>
  %f2 = linalg.fill ins(%zero : f32) outs(%e2 : tensor<1x1x3x3xf32>)
      -> tensor<1x1x3x3xf32>
  // CHECK: neuro.weight @raised_weight pre [1, 3, 3] post [1, 3, 3]
  // CHECK-SAME: #neuro.conv<kernel = [3, 3], strides = [1, 1],
  // CHECK-SAME: pads = [1, 1, 1, 1], dilations = [1, 1], groups = 1>
  // CHECK: neuro.project {{.*}} through @raised_weight
  %y = linalg.generic {indexing_maps = [#x, #w, #o],
      iterator_types = ["parallel", "parallel", "parallel", "parallel",
                        "reduction", "reduction", "reduction"]}
      ins(%p, %w : tensor<1x1x5x5xf32>, tensor<1x1x3x3xf32>)
      outs(%f2 : tensor<1x1x3x3xf32>) {
    ^bb0(%a: f32, %b: f32, %c: f32):
      %m = arith.mulf %a, %b : f32
      %s = arith.addf %c, %m : f32
      linalg.yield %s : f32
  } -> tensor<1x1x3x3xf32>
  neuro.probe @out %y output : tensor<1x1x3x3xf32>
}

// -----

#x = affine_map<(n, c, y, x, i, j) -> (n, c, y * 2 + i, x * 2 + j)>
#k = affine_map<(n, c, y, x, i, j) -> (i, j)>
#o = affine_map<(n, c, y, x, i, j) -> (n, c, y, x)>

// CHECK-LABEL: neuro.network @max_pool
neuro.network @max_pool dt 1.0 {
  %x = neuro.stimulus @x : tensor<1x2x4x4xf32>
  %k = tensor.empty() : tensor<2x2xf32>
  %low = arith.constant 0xFF800000 : f32
  %e = tensor.empty() : tensor<1x2x2x2xf32>
  %f = linalg.fill ins(%low : f32) outs(%e : tensor<1x2x2x2xf32>)
      -> tensor<1x2x2x2xf32>
  // CHECK: neuro.weight @raised_weight pre [2, 4, 4] post [2, 2, 2]
  // CHECK-SAME: kernel = [2, 2], strides = [2, 2], pads = [0, 0, 0, 0]
  // CHECK-SAME: groups = 2> values dense<1.000000e+00>
  // CHECK: neuro.project {{.*}} through @raised_weight combine max
  %y = linalg.generic {indexing_maps = [#x, #k, #o],
      iterator_types = ["parallel", "parallel", "parallel", "parallel",
                        "reduction", "reduction"]}
      ins(%x, %k : tensor<1x2x4x4xf32>, tensor<2x2xf32>)
      outs(%f : tensor<1x2x2x2xf32>) {
    ^bb0(%a: f32, %b: f32, %c: f32):
      %m = arith.maximumf %c, %a : f32
      linalg.yield %m : f32
  } -> tensor<1x2x2x2xf32>
  neuro.probe @out %y output : tensor<1x2x2x2xf32>
}

// -----

#x = affine_map<(n, c, y, x, i, j) -> (n, c, y * 2 + i, x * 2 + j)>
#k = affine_map<(n, c, y, x, i, j) -> (i, j)>
#o = affine_map<(n, c, y, x, i, j) -> (n, c, y, x)>
#id = affine_map<(n, c, y, x) -> (n, c, y, x)>

// The rectifier makes a population that would have to divide; the projection
// has no other reader, so its weights do it.
// CHECK-LABEL: neuro.network @average_pool
neuro.network @average_pool dt 1.0 {
  %x = neuro.stimulus @x : tensor<1x1x4x4xf32>
  %k = tensor.empty() : tensor<2x2xf32>
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<1x1x2x2xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<1x1x2x2xf32>)
      -> tensor<1x1x2x2xf32>
  // CHECK: neuro.weight @raised_weight
  // CHECK-SAME: #neuro.conv<{{.*}}values dense<2.500000e-01> : tensor<1x1x2x2xf32>
  %s = linalg.generic {indexing_maps = [#x, #k, #o],
      iterator_types = ["parallel", "parallel", "parallel", "parallel",
                        "reduction", "reduction"]}
      ins(%x, %k : tensor<1x1x4x4xf32>, tensor<2x2xf32>)
      outs(%f : tensor<1x1x2x2xf32>) {
    ^bb0(%a: f32, %b: f32, %c: f32):
      %m = arith.addf %c, %a : f32
      linalg.yield %m : f32
  } -> tensor<1x1x2x2xf32>
  // CHECK: neuro.population @raised of
  // CHECK-NOT: params
  %y = linalg.generic {indexing_maps = [#id, #id],
      iterator_types = ["parallel", "parallel", "parallel", "parallel"]}
      ins(%s : tensor<1x1x2x2xf32>) outs(%e : tensor<1x1x2x2xf32>) {
    ^bb0(%a: f32, %c: f32):
      %four = arith.constant 4.0 : f32
      %q = arith.divf %a, %four : f32
      linalg.yield %q : f32
  } -> tensor<1x1x2x2xf32>
  %r = linalg.generic {indexing_maps = [#id, #id],
      iterator_types = ["parallel", "parallel", "parallel", "parallel"]}
      ins(%y : tensor<1x1x2x2xf32>) outs(%e : tensor<1x1x2x2xf32>) {
    ^bb0(%a: f32, %c: f32):
      %z = arith.constant 0.0 : f32
      %q = arith.maximumf %a, %z : f32
      linalg.yield %q : f32
  } -> tensor<1x1x2x2xf32>
  neuro.probe @out %r output : tensor<1x1x2x2xf32>
}
