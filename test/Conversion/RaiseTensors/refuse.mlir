// What can't be expressed as neurons and weights, and why.
// RUN: neuroc-opt %s --neuro-raise-tensors=max-synapses=64 --split-input-file --verify-diagnostics

#a = affine_map<(i, j, k) -> (i, k)>
#b = affine_map<(i, j, k) -> (k, j)>
#c = affine_map<(i, j, k) -> (i, j)>
neuro.network @both_factors_vary dt 1.0 {
  %x = neuro.stimulus @x : tensor<2x2xf32>
  %y = neuro.stimulus @y : tensor<2x2xf32>
  %zero = arith.constant dense<0.0> : tensor<2x2xf32>
  // expected-error @below {{'linalg.generic' can't be expressed as neurons and weights: both factors of its products vary, so neither can be a weight}}
  %z = linalg.generic {indexing_maps = [#a, #b, #c],
      iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%x, %y : tensor<2x2xf32>, tensor<2x2xf32>)
      outs(%zero : tensor<2x2xf32>) {
    ^bb0(%p: f32, %q: f32, %o: f32):
      %m = arith.mulf %p, %q : f32
      %s = arith.addf %o, %m : f32
      linalg.yield %s : f32
  } -> tensor<2x2xf32>
  neuro.probe @out %z output : tensor<2x2xf32>
}

// -----

#v = affine_map<(i) -> (i)>
neuro.network @integers dt 1.0 {
  %x = neuro.stimulus @x : tensor<2xf32>
  %e = tensor.empty() : tensor<2xi32>
  // expected-error @below {{the target has no integers or truth values between nodes}}
  %i = linalg.generic {indexing_maps = [#v, #v], iterator_types = ["parallel"]}
      ins(%x : tensor<2xf32>) outs(%e : tensor<2xi32>) {
    ^bb0(%a: f32, %o: i32):
      %n = arith.fptosi %a : f32 to i32
      linalg.yield %n : i32
  } -> tensor<2xi32>
  %f = tensor.empty() : tensor<2xf32>
  %r = linalg.generic {indexing_maps = [#v, #v], iterator_types = ["parallel"]}
      ins(%i : tensor<2xi32>) outs(%f : tensor<2xf32>) {
    ^bb0(%a: i32, %o: f32):
      %n = arith.sitofp %a : i32 to f32
      linalg.yield %n : f32
  } -> tensor<2xf32>
  neuro.probe @out %r output : tensor<2xf32>
}

// -----

#v = affine_map<(i) -> (i)>
neuro.network @operation_that_no_target_has dt 1.0 {
  %x = neuro.stimulus @x : tensor<2xf32>
  %e = tensor.empty() : tensor<2xf32>
  // expected-error @below {{the target has no 'arith.bitcast'}}
  %r = linalg.generic {indexing_maps = [#v, #v], iterator_types = ["parallel"]}
      ins(%x : tensor<2xf32>) outs(%e : tensor<2xf32>) {
    ^bb0(%a: f32, %o: f32):
      %i = arith.bitcast %a : f32 to i32
      %n = arith.bitcast %i : i32 to f32
      linalg.yield %n : f32
  } -> tensor<2xf32>
  neuro.probe @out %r output : tensor<2xf32>
}

// -----

#r = affine_map<(i) -> (i)>
#o = affine_map<(i) -> ()>
neuro.network @maximum_with_a_start dt 1.0 {
  %x = neuro.stimulus @x : tensor<4xf32>
  %start = arith.constant dense<1.0> : tensor<f32>
  // expected-error @below {{a maximum or minimum with a start value}}
  %m = linalg.generic {indexing_maps = [#r, #o], iterator_types = ["reduction"]}
      ins(%x : tensor<4xf32>) outs(%start : tensor<f32>) {
    ^bb0(%a: f32, %s: f32):
      %n = arith.maximumf %a, %s : f32
      linalg.yield %n : f32
  } -> tensor<f32>
  neuro.probe @out %m output : tensor<f32>
}

// -----

#r = affine_map<(i) -> (i)>
#o = affine_map<(i) -> ()>
neuro.network @product dt 1.0 {
  %x = neuro.stimulus @x : tensor<4xf32>
  %start = arith.constant dense<1.0> : tensor<f32>
  // expected-error @below {{it is not a sum, a maximum or a minimum}}
  %m = linalg.generic {indexing_maps = [#r, #o], iterator_types = ["reduction"]}
      ins(%x : tensor<4xf32>) outs(%start : tensor<f32>) {
    ^bb0(%a: f32, %s: f32):
      %n = arith.mulf %a, %s : f32
      linalg.yield %n : f32
  } -> tensor<f32>
  neuro.probe @out %m output : tensor<f32>
}

// -----

#r = affine_map<(i) -> (i)>
#o = affine_map<(i) -> ()>
neuro.network @squares dt 1.0 {
  %x = neuro.stimulus @x : tensor<4xf32>
  %start = arith.constant dense<0.0> : tensor<f32>
  // expected-error @below {{a term is not a constant times the varying operand}}
  %m = linalg.generic {indexing_maps = [#r, #o], iterator_types = ["reduction"]}
      ins(%x : tensor<4xf32>) outs(%start : tensor<f32>) {
    ^bb0(%a: f32, %s: f32):
      %q = arith.mulf %a, %a : f32
      %n = arith.addf %s, %q : f32
      linalg.yield %n : f32
  } -> tensor<f32>
  neuro.probe @out %m output : tensor<f32>
}

// -----

#r = affine_map<(i) -> (i)>
#o = affine_map<(i) -> ()>
neuro.network @too_many_products dt 1.0 {
  %x = neuro.stimulus @x : tensor<65xf32>
  %start = arith.constant dense<0.0> : tensor<f32>
  // expected-error @below {{it has 65 products, the limit is 64 (option max-synapses)}}
  %m = linalg.generic {indexing_maps = [#r, #o], iterator_types = ["reduction"]}
      ins(%x : tensor<65xf32>) outs(%start : tensor<f32>) {
    ^bb0(%a: f32, %s: f32):
      %n = arith.addf %s, %a : f32
      linalg.yield %n : f32
  } -> tensor<f32>
  neuro.probe @out %m output : tensor<f32>
}

// -----

#v = affine_map<(i) -> (i)>
neuro.network @gather_by_a_signal dt 1.0 {
  %x = neuro.stimulus @x : tensor<4xf32>
  %which = neuro.stimulus @which : tensor<2xf32>
  %e = tensor.empty() : tensor<2xf32>
  // expected-error @below {{the gathered positions vary}}
  %g = linalg.generic {indexing_maps = [#v, #v], iterator_types = ["parallel"]}
      ins(%which : tensor<2xf32>) outs(%e : tensor<2xf32>) {
    ^bb0(%a: f32, %o: f32):
      %n = arith.fptosi %a : f32 to i64
      %i = arith.index_cast %n : i64 to index
      %y = tensor.extract %x[%i] : tensor<4xf32>
      linalg.yield %y : f32
  } -> tensor<2xf32>
  neuro.probe @out %g output : tensor<2xf32>
}

// -----

#v = affine_map<(i) -> (i)>
neuro.network @empty dt 1.0 {
  // expected-error @below {{a population can't be empty}}
  %e = tensor.empty() : tensor<0xf32>
  neuro.probe @out %e output : tensor<0xf32>
}
