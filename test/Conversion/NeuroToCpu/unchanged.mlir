// RUN: neuroc-opt %s --neuro-to-core --convert-neuro-to-cpu | FileCheck %s

// What is no part of the network stays; a stateless network has no items but
// its tensor code, and a delayed probe needs no function at all.

func.func @bystander(%x: f32) -> f32 {
  return %x : f32
}
neuro.network @n dt 1.0 {
  %x = neuro.stimulus @x : tensor<3xf32>
  %d = neuro.delay %x by 2 : tensor<3xf32>
  neuro.probe @p %d : tensor<3xf32>
}

// CHECK: items = []
// CHECK-SAME: recorders = [{delay = 2
// CHECK: func.func @bystander
// CHECK: memref.global "private" @signal.x : memref<9xf32>
// CHECK-NOT: func.func
