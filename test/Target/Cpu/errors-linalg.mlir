// RUN: neuroc-opt %s --neuroc-cpu-to-llvm --split-input-file --verify-diagnostics
// Operations that are no loop nest are named, not passed on to LLVM.

memref.global "private" @x : memref<2x3xf32> = uninitialized
func.func @f(%tick: i64) {
  %m = memref.get_global @x : memref<2x3xf32>
  // expected-error @below {{'linalg.softmax' op unsupported by target 'cpu': cannot be written as a loop nest; write it with linalg.generic}}
  linalg.softmax dimension(1) ins(%m : memref<2x3xf32>) outs(%m : memref<2x3xf32>)
  return
}
