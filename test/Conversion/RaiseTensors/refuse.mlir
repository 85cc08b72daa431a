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

// -----

#v = affine_map<(i) -> (i)>
neuro.network @two_results dt 1.0 {
  %x = neuro.stimulus @x : tensor<2xf32>
  %e = tensor.empty() : tensor<2xf32>
  // expected-error @below {{it has several results; compile for a target that runs tensor operations (cpu), or change the model}}
  %r:2 = linalg.generic {indexing_maps = [#v, #v, #v],
      iterator_types = ["parallel"]}
      ins(%x : tensor<2xf32>) outs(%e, %e : tensor<2xf32>, tensor<2xf32>) {
    ^bb0(%a: f32, %o: f32, %p: f32):
      %n = arith.negf %a : f32
      linalg.yield %a, %n : f32, f32
  } -> (tensor<2xf32>, tensor<2xf32>)
  neuro.probe @out %r#1 output : tensor<2xf32>
}

// -----

#v = affine_map<(i) -> (i)>
neuro.network @named_node dt 1.0 {
  %x = neuro.stimulus @x : tensor<2xf32>
  %e = tensor.empty() : tensor<2xf32>
  // expected-error @unknown {{Rounder 'r1' (node 7): can't be expressed as neurons and weights: it reads the destination's old contents}}
  %r = linalg.generic {indexing_maps = [#v, #v], iterator_types = ["parallel"]}
      ins(%x : tensor<2xf32>) outs(%e : tensor<2xf32>) {
    ^bb0(%a: f32, %o: f32):
      %n = arith.maximumf %a, %o : f32
      linalg.yield %n : f32
  } -> tensor<2xf32> loc("Rounder 'r1' (node 7)")
  neuro.probe @out %r output : tensor<2xf32>
}

// -----

#r = affine_map<(i) -> (i)>
#o = affine_map<(i) -> ()>
neuro.network @start_varies dt 1.0 {
  %x = neuro.stimulus @x : tensor<4xf32>
  %s = neuro.stimulus @s : tensor<f32>
  // expected-error @below {{its start value varies}}
  %m = linalg.generic {indexing_maps = [#r, #o], iterator_types = ["reduction"]}
      ins(%x : tensor<4xf32>) outs(%s : tensor<f32>) {
    ^bb0(%a: f32, %c: f32):
      %n = arith.addf %a, %c : f32
      linalg.yield %n : f32
  } -> tensor<f32>
  neuro.probe @out %m output : tensor<f32>
}

// -----

#v = affine_map<(i) -> (i)>
neuro.network @computes_on_gathered dt 1.0 {
  %x = neuro.stimulus @x : tensor<4xf32>
  %which = arith.constant dense<[3, 0]> : tensor<2xi64>
  %e = tensor.empty() : tensor<2xf32>
  // expected-error @below {{it computes on gathered elements}}
  %g = linalg.generic {indexing_maps = [#v, #v], iterator_types = ["parallel"]}
      ins(%which : tensor<2xi64>) outs(%e : tensor<2xf32>) {
    ^bb0(%a: i64, %o: f32):
      %i = arith.index_cast %a : i64 to index
      %y = tensor.extract %x[%i] : tensor<4xf32>
      %z = arith.negf %y : f32
      linalg.yield %z : f32
  } -> tensor<2xf32>
  neuro.probe @out %g output : tensor<2xf32>
}

// -----

#r = affine_map<(i) -> (i)>
#o = affine_map<(i) -> ()>
neuro.network @maximum_of_negated dt 1.0 {
  %x = neuro.stimulus @x : tensor<4xf32>
  %low = arith.constant dense<0xFF800000> : tensor<f32>
  // expected-error @below {{a maximum or minimum of negated values}}
  %m = linalg.generic {indexing_maps = [#r, #o], iterator_types = ["reduction"]}
      ins(%x : tensor<4xf32>) outs(%low : tensor<f32>) {
    ^bb0(%a: f32, %s: f32):
      %b = arith.negf %a : f32
      %n = arith.maximumf %b, %s : f32
      linalg.yield %n : f32
  } -> tensor<f32>
  neuro.probe @out %m output : tensor<f32>
}

// -----

#r = affine_map<(i) -> (i)>
#o = affine_map<(i) -> ()>
neuro.network @maximum_over_constants dt 1.0 {
  %x = neuro.stimulus @x : tensor<4xf32>
  %c = arith.constant dense<0.0> : tensor<5xf32>
  %p = tensor.insert_slice %x into %c[0] [4] [1] : tensor<4xf32> into tensor<5xf32>
  %low = arith.constant dense<0xFF800000> : tensor<f32>
  // expected-error @below {{a maximum or minimum over constants too}}
  %m = linalg.generic {indexing_maps = [#r, #o], iterator_types = ["reduction"]}
      ins(%p : tensor<5xf32>) outs(%low : tensor<f32>) {
    ^bb0(%a: f32, %s: f32):
      %n = arith.maximumf %a, %s : f32
      linalg.yield %n : f32
  } -> tensor<f32>
  neuro.probe @out %m output : tensor<f32>
}

// -----

#r = affine_map<(i) -> (i)>
#o = affine_map<(i) -> ()>
neuro.network @maximum_of_shifted dt 1.0 {
  %x = neuro.stimulus @x : tensor<4xf32>
  %low = arith.constant dense<0xFF800000> : tensor<f32>
  // expected-error @below {{a maximum or minimum of shifted values}}
  %m = linalg.generic {indexing_maps = [#r, #o], iterator_types = ["reduction"]}
      ins(%x : tensor<4xf32>) outs(%low : tensor<f32>) {
    ^bb0(%a: f32, %s: f32):
      %one = arith.constant 1.0 : f32
      %b = arith.addf %a, %one : f32
      %n = arith.maximumf %b, %s : f32
      linalg.yield %n : f32
  } -> tensor<f32>
  neuro.probe @out %m output : tensor<f32>
}

// -----

#r = affine_map<(i) -> (i)>
#o = affine_map<(i) -> ()>
neuro.network @maximum_over_signals dt 1.0 {
  %x = neuro.stimulus @x : tensor<2xf32>
  %y = neuro.stimulus @y : tensor<2xf32>
  %e = tensor.empty() : tensor<4xf32>
  %p = tensor.insert_slice %x into %e[0] [2] [1] : tensor<2xf32> into tensor<4xf32>
  %q = tensor.insert_slice %y into %p[2] [2] [1] : tensor<2xf32> into tensor<4xf32>
  %low = arith.constant dense<0xFF800000> : tensor<f32>
  // expected-error @below {{a maximum or minimum over several signals}}
  %m = linalg.generic {indexing_maps = [#r, #o], iterator_types = ["reduction"]}
      ins(%q : tensor<4xf32>) outs(%low : tensor<f32>) {
    ^bb0(%a: f32, %s: f32):
      %n = arith.maximumf %a, %s : f32
      linalg.yield %n : f32
  } -> tensor<f32>
  neuro.probe @out %m output : tensor<f32>
}

// -----

neuro.network @unknown_operation dt 1.0 {
  %x = neuro.stimulus @x : tensor<2xf32>
  // expected-error @below {{the target has no 'tensor.concat'}}
  %y = tensor.concat dim(0) %x, %x : (tensor<2xf32>, tensor<2xf32>) -> tensor<4xf32>
  neuro.probe @out %y output : tensor<4xf32>
}

// -----

neuro.network @moving_slice dt 1.0 {
  %x = neuro.stimulus @x : tensor<4xf32>
  %i = arith.constant 1 : index
  // expected-error @below {{the slice moves at run time}}
  %y = tensor.extract_slice %x[%i] [2] [1] : tensor<4xf32> to tensor<2xf32>
  neuro.probe @out %y output : tensor<2xf32>
}

// -----

neuro.network @moving_insertion dt 1.0 {
  %x = neuro.stimulus @x : tensor<2xf32>
  %e = tensor.empty() : tensor<4xf32>
  %i = arith.constant 1 : index
  // expected-error @below {{the slice moves at run time}}
  %y = tensor.insert_slice %x into %e[%i] [2] [1] : tensor<2xf32> into tensor<4xf32>
  neuro.probe @out %y output : tensor<4xf32>
}

// -----

#half = affine_map<(i) -> (i floordiv 2)>
#v = affine_map<(i) -> (i)>
neuro.network @division_in_a_map dt 1.0 {
  %x = neuro.stimulus @x : tensor<2xf32>
  %e = tensor.empty() : tensor<4xf32>
  // expected-error @below {{its indexing is not linear}}
  %y = linalg.generic {indexing_maps = [#half, #v],
      iterator_types = ["parallel"]}
      ins(%x : tensor<2xf32>) outs(%e : tensor<4xf32>) {
    ^bb0(%a: f32, %o: f32):
      linalg.yield %a : f32
  } -> tensor<4xf32>
  neuro.probe @out %y output : tensor<4xf32>
}

// -----

#s = affine_map<(i) -> ()>
#v = affine_map<(i) -> (i)>
neuro.network @scalar_operand dt 1.0 {
  %x = neuro.stimulus @x : tensor<2xf32>
  %e = tensor.empty() : tensor<2xf32>
  %c = arith.constant 2.0 : f32
  // expected-error @below {{it has a scalar operand}}
  %y = linalg.generic {indexing_maps = [#v, #s, #v],
      iterator_types = ["parallel"]}
      ins(%x, %c : tensor<2xf32>, f32) outs(%e : tensor<2xf32>) {
    ^bb0(%a: f32, %b: f32, %o: f32):
      %m = arith.mulf %a, %b : f32
      linalg.yield %m : f32
  } -> tensor<2xf32>
  neuro.probe @out %y output : tensor<2xf32>
}

// -----

#r = affine_map<(i) -> (i)>
#o = affine_map<(i) -> ()>
neuro.network @constant_that_is_not_known dt 1.0 {
  %x = arith.constant dense<8.0> : tensor<4xf32>
  %zero = arith.constant dense<0.0> : tensor<f32>
  // expected-error @below {{its operands are constant but not computable}}
  %m = linalg.generic {indexing_maps = [#r, #o], iterator_types = ["reduction"]}
      ins(%x : tensor<4xf32>) outs(%zero : tensor<f32>) {
    ^bb0(%a: f32, %s: f32):
      %b = math.cbrt %a : f32
      %n = arith.addf %b, %s : f32
      linalg.yield %n : f32
  } -> tensor<f32>
  neuro.probe @out %m output : tensor<f32>
}

// -----

#x = affine_map<(i, j) -> (i, j)>
#o = affine_map<(i, j) -> (i)>
neuro.network @several_writes dt 1.0 {
  %x = neuro.stimulus @x : tensor<2x3xf32>
  %e = tensor.empty() : tensor<2xf32>
  // expected-error @below {{its loops are not one for each result element}}
  %m = linalg.generic {indexing_maps = [#x, #o],
      iterator_types = ["parallel", "parallel"]}
      ins(%x : tensor<2x3xf32>) outs(%e : tensor<2xf32>) {
    ^bb0(%a: f32, %s: f32):
      linalg.yield %a : f32
  } -> tensor<2xf32>
  neuro.probe @out %m output : tensor<2xf32>
}
