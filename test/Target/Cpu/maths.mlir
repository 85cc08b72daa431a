// RUN: neuroc-opt %s --neuroc-cpu-to-llvm | FileCheck %s
// Functions that lose digits in their short form go to the C library, without
// side effects; a function of the library is declared once. Those of f32 that
// have an expansion are in line.

// CHECK-LABEL: llvm.func @f
func.func @f(%x: f64, %y: f32) -> (f64, f32) {
  // CHECK: llvm.call @expm1(
  %a = math.expm1 %x : f64
  // CHECK: llvm.call @expm1(
  %b = math.expm1 %a : f64
  // CHECK: llvm.call @log1p(
  %c = math.log1p %b : f64
  // CHECK-NOT: llvm.call @expm1f(
  %d = math.expm1 %y : f32
  // CHECK: llvm.intr.exp(
  %e = math.exp %c : f64
  // CHECK: llvm.return
  return %e, %d : f64, f32
}
// CHECK: llvm.func @expm1(f64) -> f64 attributes {memory_effects = #llvm.memory_effects<other = none, argMem = none, inaccessibleMem = none
// CHECK-NOT: @expm1(
// CHECK: llvm.func @log1p(f64) -> f64
