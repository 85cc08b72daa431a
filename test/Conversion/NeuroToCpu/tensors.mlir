// RUN: neuroc-opt %s --neuro-to-core --convert-neuro-to-cpu | FileCheck %s
// RUN: neuroc-opt %s --neuro-to-core --convert-neuro-to-cpu --neuroc-cpu-to-llvm | FileCheck %s --check-prefix=LLVM
// RUN: neuroc-opt %s --neuro-to-core --convert-neuro-to-cpu=double-precision | FileCheck %s --check-prefix=WIDE

// Tensor operations between nodes: one function that reads and writes signals;
// no allocation and no copy of the input is left in the LLVM dialect.

neuro.network @n dt 1.0 {
  %x = neuro.stimulus @x : tensor<2x3xf32>
  %w = arith.constant dense<[[1.0], [2.0], [3.0]]> : tensor<3x1xf32>
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<2x1xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<2x1xf32>) -> tensor<2x1xf32>
  %y = linalg.matmul ins(%x, %w : tensor<2x3xf32>, tensor<3x1xf32>)
    outs(%f : tensor<2x1xf32>) -> tensor<2x1xf32>
  neuro.probe @y %y : tensor<2x1xf32>
}

// CHECK-LABEL: func.func private @tensor.0
// CHECK: bufferization.to_tensor %{{.*}} restrict : memref<2x3xf32> to tensor<2x3xf32>
// CHECK: linalg.matmul
// CHECK: bufferization.materialize_in_destination %{{.*}} in restrict writable

// LLVM-NOT: malloc
// LLVM-NOT: memrefCopy
// LLVM: llvm.func @tensor.0
// LLVM: llvm.fmul
// LLVM-NOT: malloc
// LLVM: llvm.return

// WIDE-LABEL: func.func private @tensor.0
// WIDE: arith.constant dense<{{.*}}> : tensor<3x1xf64>
// WIDE: linalg.matmul ins(%{{.*}}, %{{.*}} : tensor<2x3xf64>, tensor<3x1xf64>)
