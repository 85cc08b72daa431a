// RUN: split-file %s %t
// RUN: neuroc-opt %t/unmapped.mlir --verify-diagnostics --spinn-partition
// RUN: neuroc-opt %t/unplaced.mlir --verify-diagnostics --spinn-route
// Passes that find their predecessors' work missing.

//--- unmapped.mlir
// expected-error @below {{maps no network of this module}}
spinn.mapping @m on @net machine "chip" levels 1 subticks 1 period 1 slowdown 1.0 {
}

//--- unplaced.mlir
spinn.mapping @m on @net machine "chip" levels 1 subticks 1 period 1 slowdown 1.0 {
  // expected-error @below {{is not placed; run spinn-place before}}
  spinn.core @A_0 of @A units [0, 1] dtcm 1 sdram 1 cycles 1
}
