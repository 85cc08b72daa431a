// RUN: neuroc-opt %s --neuro-to-core --convert-neuro-to-cpu | FileCheck %s
// RUN: neuroc-opt %s --neuro-to-core --convert-neuro-to-cpu=double-precision | FileCheck %s --check-prefix=WIDE

// A stage is one loop over units without branches; states are flat buffers,
// spikes are bytes; a draw is compared in f64 whatever the format.

neuro.model @leaky {
  neuro.param @gain = 2.0
  neuro.state @v init 0.5
  neuro.input @drive
  neuro.output @spike : i1
  neuro.stage @update {
    %v = neuro.get @v
    %d = neuro.get @drive
    %g = neuro.get @gain
    %gd = arith.mulf %g, %d : f64
    %w = arith.addf %v, %gd : f64
    %u = neuro.random uniform
    %p = arith.constant 0.1 : f64
    %s = arith.cmpf olt, %u, %p : f64
    neuro.emit @spike, %s : i1
    neuro.set @v, %w
  }
}
neuro.network @n dt 1.0 {
  %x = neuro.stimulus @x : tensor<8xf32>
  %s = neuro.population @P of @leaky shape [8] inputs(%x) ports ["drive"]
    params {gain = #neuro.dist<uniform(0.0, 1.0)>}
    : (tensor<8xf32>) -> tensor<8xi1>
  neuro.probe @out %s : tensor<8xi1>
}

// CHECK-NOT: neuro.network
// CHECK: module attributes {neuroc_cpu.plan =
// CHECK-DAG: memref.global "private" @signal.P.spike : memref<8xi8> = dense<0>
// CHECK-DAG: memref.global "private" @state.P.v : memref<8xf32> = dense<5.000000e-01>
// CHECK-DAG: memref.global "private" @param.P.gain : memref<8xf32> = dense<[
// CHECK-LABEL: func.func private @stage.P.update(%{{.*}}: i64)
// CHECK: scf.for %[[I:.*]] = %{{.*}} to %{{.*}} step
// CHECK: memref.load %{{.*}}[%[[I]]] : memref<8xf32>
// CHECK: %[[U:.*]] = {{.*}}call @neuroc.uniform
// CHECK: %[[S:.*]] = arith.cmpf olt, %[[U]], %{{.*}} : f64
// CHECK: %[[B:.*]] = arith.extui %[[S]] : i1 to i8
// CHECK: memref.store %[[B]]
// CHECK-NOT: scf.if
// CHECK: func.func private @neuroc.uniform

// WIDE-DAG: memref.global "private" @state.P.v : memref<8xf64> = dense<5.000000e-01>
// WIDE-LABEL: func.func private @stage.P.update
// WIDE: arith.mulf %{{.*}}, %{{.*}} : f64
// WIDE-NOT: f32
// WIDE: return
