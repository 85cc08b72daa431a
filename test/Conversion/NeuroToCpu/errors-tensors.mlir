// RUN: neuroc-opt %s --convert-neuro-to-cpu=double-precision --split-input-file --verify-diagnostics
// Tensor code that the target refuses.

// Widening to f64 cannot keep what reads bit patterns.
neuro.network @n dt 1.0 {
  %x = neuro.stimulus @x : tensor<4xf32>
  // expected-error @below {{unsupported with f64: a bit pattern of f32 is read}}
  %i = arith.bitcast %x : tensor<4xf32> to tensor<4xi32>
  %y = arith.sitofp %i : tensor<4xi32> to tensor<4xf32>
  neuro.probe @p %y : tensor<4xf32>
}

// -----

// Memory is laid out at compile time.
neuro.network @n dt 1.0 {
  %x = neuro.stimulus @x : tensor<4xf32>
  // expected-error @below {{unsupported by target 'cpu': the extents of 'tensor<?xf32>' are not known at compile time}}
  %y = tensor.cast %x : tensor<4xf32> to tensor<?xf32>
  neuro.probe @p %y : tensor<?xf32>
}
