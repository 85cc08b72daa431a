// RUN: neuroc-opt %s --neuro-to-core --convert-neuro-to-cpu | FileCheck %s

// Spikes through a plain sum are driven by events; everything else visits all
// synapses. A delay of d ticks makes the source's ring d + 1 slots long.

neuro.network @n dt 1.0 {
  %s = neuro.spike_array @in events(dense<[[0, 1]]> : tensor<1x2xi64>) : tensor<4xi1>
  %x = neuro.stimulus @x : tensor<4xf32>
  neuro.weight @L pre [4] post [6] connect #neuro.fixed_outdegree<2, self = true, multapses = false>
    values 1.0
  neuro.weight @D pre [4] post [6] connect #neuro.dense values 0.5
  %a = neuro.project %s through @L delay 2 : tensor<4xi1> -> tensor<6xf32>
  %b = neuro.project %x through @D : tensor<4xf32> -> tensor<6xf32>
  %c = neuro.project %s through @L combine max : tensor<4xi1> -> tensor<6xf32>
  neuro.probe @pa %a : tensor<6xf32>
  neuro.probe @pb %b : tensor<6xf32>
  neuro.probe @pc %c : tensor<6xf32>
}

// Eight synapses in four rows; three slots of four spikes.
// CHECK-DAG: @signal.in : memref<12xi8>
// CHECK-DAG: @weight.L : memref<8xf32>
// CHECK-DAG: @rows.L.pre.start : memref<5xi32> = dense<[0, 2, 4, 6, 8]>
// CHECK-DAG: @rows.L.pre.target : memref<8xi32>
// CHECK-DAG: @events.project.0.L.units : memref<4xi32>

// CHECK-LABEL: func.func private @project.0.L
// The result is cleared, then the rows of the units that fired are added.
// CHECK: scf.for
// CHECK: memref.store
// CHECK: scf.for
// CHECK: scf.for
// CHECK: arith.addf
// CHECK-NOT: arith.mulf
// CHECK: return

// CHECK-LABEL: func.func private @project.1.D
// CHECK: arith.mulf
// CHECK: arith.addf
// CHECK: return

// max looks at silent synapses too, and gives 0 to units without any.
// CHECK-LABEL: func.func private @project.2.L
// CHECK: 0xFF800000
// CHECK: arith.mulf
// CHECK: arith.maximumf
// CHECK: arith.select
// CHECK: return
