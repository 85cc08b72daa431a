// RUN: neuroc-opt %s --neuroc-cpu-to-llvm | FileCheck %s
// Copies between layouts and temporaries need no run-time library.

// CHECK-NOT: @memrefCopy
// CHECK-NOT: @malloc
// CHECK: llvm.mlir.global private @neuroc.temporary.0
// CHECK-NOT: @memrefCopy
// CHECK-NOT: @malloc
memref.global "private" @in : memref<4x6xf32> = uninitialized
memref.global "private" @out : memref<8x6xf32> = uninitialized
func.func @concatenate(%tick: i64) {
  %im = memref.get_global @in : memref<4x6xf32>
  %om = memref.get_global @out : memref<8x6xf32>
  %x = bufferization.to_tensor %im restrict : memref<4x6xf32> to tensor<4x6xf32>
  %e = tensor.empty() : tensor<8x6xf32>
  %n = math.absf %x : tensor<4x6xf32>
  %a = tensor.insert_slice %x into %e[0, 0] [4, 6] [1, 1] : tensor<4x6xf32> into tensor<8x6xf32>
  %b = tensor.insert_slice %n into %a[4, 0] [4, 6] [1, 1] : tensor<4x6xf32> into tensor<8x6xf32>
  %c = math.sqrt %b : tensor<8x6xf32>
  bufferization.materialize_in_destination %c in restrict writable %om
    : (tensor<8x6xf32>, memref<8x6xf32>) -> ()
  return
}
