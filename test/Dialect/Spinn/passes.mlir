// RUN: neuroc-opt %s --neuro-to-core --spinn-materialize-signals --spinn-assign-formats | FileCheck %s --check-prefix=FORMATS
// RUN: neuroc-opt %s --neuro-to-core --spinn-materialize-signals --spinn-assign-formats --spinn-partition=units-per-core=2 | FileCheck %s --check-prefix=PARTITION
// RUN: neuroc-opt %s --neuro-to-core --spinn-materialize-signals --spinn-assign-formats --spinn-partition=units-per-core=2 --spinn-place --spinn-route | FileCheck %s --check-prefix=ROUTE
// What each mapping pass adds: a relay for the probed projection, formats from
// ranges, shares with listeners, places and tables.

neuro.model @unit {
  neuro.state @v init 0.0 range [-1.5, 1.5]
  neuro.input @i
  neuro.output @spike : i1
  neuro.stage @update {
    %v = neuro.get @v
    %i = neuro.get @i
    %n = arith.addf %v, %i : f64
    %one = arith.constant 1.0 : f64
    %fires = arith.cmpf oge, %n, %one : f64
    neuro.emit @spike, %fires : i1
    %zero = arith.constant 0.0 : f64
    %next = arith.select %fires, %zero, %n : f64
    neuro.set @v, %next
  }
}
// FORMATS: neuro.model @relay_model
// FORMATS: neuro.network @net
neuro.network @net dt 1.0 {
  %a = neuro.spike_array @a events(dense<[[0, 0], [3, 2]]> : tensor<2x2xi64>) : tensor<4xi1>
  neuro.weight @W pre [4] post [3] connect #neuro.dense values 0.25
  // FORMATS: %[[P:.*]] = neuro.project
  %p = neuro.project %a through @W delay 1 : tensor<4xi1> -> tensor<3xf32>
  // FORMATS: %[[R:.*]] = neuro.population @relay of @relay_model shape [3] inputs(%[[P]])
  // FORMATS: neuro.probe @current %[[R]]
  neuro.probe @current %p : tensor<3xf32>
  %s = neuro.population @u of @unit shape [3] inputs(%p) ports ["i"] : (tensor<3xf32>) -> tensor<3xi1>
  neuro.probe @out %s : tensor<3xi1>
}
// FORMATS: spinn.mapping @net_map on @net machine "spin3" levels 1 subticks 1
// The sum of four weights is at most 1: two bits before the point with sign.
// FORMATS-DAG: spinn.format @u "i" "input" frac 30 range [0.000000e+00, 1.000000e+00] proved
// FORMATS-DAG: spinn.format @u "v" "state" frac 30
// FORMATS-DAG: spinn.format @W "w" "weight"

// PARTITION: spinn.core @a_0 of @a units [0, 2]
// PARTITION: spinn.core @a_1 of @a units [2, 2]
// PARTITION: spinn.core @u_0 of @u units [0, 2]
// PARTITION: spinn.core @u_1 of @u units [2, 1]
// PARTITION-NOT: at [
// PARTITION-DAG: spinn.listen @u_0 to @a_0 output 0 as rows
// PARTITION-DAG: spinn.listen @u_0 to @a_1 output 0 as rows
// PARTITION-DAG: spinn.listen @u_1 to @a_1 output 0 as rows
// PARTITION-DAG: spinn.listen @relay_0 to @a_0 output 0 as rows
// PARTITION-NOT: spinn.listen {{.*}} to @u_

// ROUTE: spinn.core @a_0 {{.*}} at [0, 0, 1]
// ROUTE: spinn.core @a_1 {{.*}} at [0, 0, 2]
// Both shares of the source go to the same four cores: one merged entry.
// ROUTE-DAG: spinn.key @a_0 output 0 base 0x0 mask 0xfffffff8
// ROUTE-DAG: spinn.key @a_1 output 0 base 0x8 mask 0xfffffff8
// ROUTE-NOT: spinn.key @u_
// ROUTE: spinn.table [0, 0]
// ROUTE-NEXT: spinn.entry 0x0 mask 0xfffffff0 links [] cores [3, 4, 5, 6]
// ROUTE-NEXT: }
