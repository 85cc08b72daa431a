// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What each pass of the mapping leaves, on one small network: a spiking source,
// a dense weight read both ways, a sparse one, and a pooling that ends in a
// probe.
// RUN: neuroc-opt %s --xbar-insert-relays | FileCheck %s --check-prefix=RELAY
// RUN: neuroc-opt %s --xbar-insert-relays --xbar-assign-formats | FileCheck %s --check-prefix=FORMAT
// RUN: neuroc-opt %s --xbar-insert-relays --xbar-assign-formats --xbar-quantize-weights | FileCheck %s --check-prefix=QUANT
// RUN: neuroc-opt %s --xbar-insert-relays --xbar-assign-formats --xbar-quantize-weights=weight-bits=4 | FileCheck %s --check-prefix=FOUR
// RUN: neuroc-opt %s --xbar-insert-relays --xbar-assign-formats --xbar-quantize-weights=sparse-density=0.0 | FileCheck %s --check-prefix=ARRAYS
// RUN: neuroc-opt %s --xbar-insert-relays --xbar-assign-formats --xbar-quantize-weights --xbar-map-arrays | FileCheck %s --check-prefix=ARRAY
// RUN: neuroc-opt %s --xbar-map-pipeline | FileCheck %s --check-prefix=TICK

xbar.machine @machine source "test" mesh [4, 4] arrays 8 of [16, 8]
    cell_bits 2 adc_bits 8 memory 65536

neuro.model @spiking {
  neuro.state @v init 0.0
  neuro.input @in
  neuro.output @s : i1
  neuro.stage @update {
    %v = neuro.get @v
    %in = neuro.get @in
    %decay = arith.constant 0.5 : f64
    %theta = arith.constant 1.0 : f64
    %zero = arith.constant 0.0 : f64
    %k = arith.mulf %v, %decay : f64
    %n = arith.addf %k, %in : f64
    %f = arith.cmpf oge, %n, %theta : f64
    %next = arith.select %f, %zero, %n : f64
    neuro.emit @s, %f : i1
    neuro.set @v, %next
  }
}
neuro.model @rate {
  neuro.input @in
  neuro.output @y : f64
  neuro.stage @update {
    %in = neuro.get @in
    neuro.emit @y, %in : f64
  }
}
neuro.network @net dt 1.0 {
  %x = neuro.stimulus @x range [-1.0, 1.0] : tensor<8xf32>
  %s = neuro.population @A of @spiking shape [8] inputs(%x, %b)
    ports ["in", "in"] : (tensor<8xf32>, tensor<8xf32>) -> tensor<8xi1>
  neuro.weight @W pre [8] post [12] connect #neuro.dense values 0.25 : f64
  %f = neuro.project %s through @W : tensor<8xi1> -> tensor<12xf32>
  %y = neuro.population @B of @rate shape [12] inputs(%f, %g) ports ["in", "in"]
    : (tensor<12xf32>, tensor<12xf32>) -> tensor<12xf32>
  %b = neuro.project %y through @W transposed delay 1
    : tensor<12xf32> -> tensor<8xf32>
  neuro.weight @S pre [8] post [12] connect
    #neuro.list<dense<[[0, 3], [5, 11], [5, 2]]> : tensor<3x2xi64>>
    values 0.5 : f64
  %g = neuro.project %s through @S delay 2 : tensor<8xi1> -> tensor<12xf32>
  neuro.weight @pool pre [1, 3, 4] post [1, 3, 2] connect
    #neuro.conv<kernel = [1, 2], strides = [1, 2], pads = [0, 0, 0, 0],
                dilations = [1, 1], groups = 1> values 1.0 : f64
  %m = neuro.project %y through @pool combine max
    : tensor<12xf32> -> tensor<6xf32>
  neuro.probe @largest %m : tensor<6xf32>
}

// The pooled values have a place of their own; projections that end at one
// port do not get a relay.
// RELAY-NOT: W_relay
// RELAY: %[[M:.*]] = neuro.project %{{.*}} through @pool
// RELAY: %[[R:.*]] = neuro.population @pool_relay of @pool_relay_model shape [6] inputs(%[[M]])
// RELAY: neuro.probe @largest %[[R]]

// Stimulus, states, ports and real outputs have formats.
// FORMAT: xbar.map @map of @net on @machine
// FORMAT: xbar.format @x "value" frac 30 range [-1.000000e+00, 1.000000e+00] proved
// FORMAT: xbar.format @A "v" frac {{[0-9]+}} range
// FORMAT: xbar.format @B "in" frac {{[0-9]+}} range [{{.*}}]
// Spikes have no format.
// FORMAT-NOT: xbar.format @A "s"

// A constant is exact in one slice, whatever the bits; it is read both ways, so
// it has one scale.
// QUANT: neuro.project {{.*}} through @W attributes {xbar.projection = 0 : i64}
// QUANT: xbar.matrix @W_q of @W bits 8 slices 1 shape [8, 12] levels dense<1> : tensor<8x12xi16> scales [2.500000e-01, 2.500000e-01
// Sparse spikes stay in memory; a maximum is none of an array's business.
// QUANT-NOT: xbar.matrix @S_q
// QUANT-NOT: xbar.matrix @pool_q
// FOUR: xbar.matrix @W_q of @W bits 4
// ARRAYS: xbar.matrix @S_q of @S bits 8 slices 1 shape [8, 12]

// 12 columns of 4 signed ones: three banks.
// ARRAY: xbar.tile @t0 {
// ARRAY: xbar.share @A units [0, 8]
// ARRAY: xbar.share @B units [0, 12]
// ARRAY: %[[B0:.*]] = xbar.bank first 0 : <16 x 4, slices 1>
// ARRAY: xbar.bank first 1
// ARRAY: xbar.bank first 2
// ARRAY-NOT: xbar.bank
// ARRAY: xbar.program %[[B0]] with @W_q rows [0, 8] cols [0, 4] at 0
// ARRAY: cols [4, 8] at 0
// ARRAY: cols [8, 12] at 0
// ARRAY: xbar.rows projection {{[0-9]}} units [0, 12] synapses 3
// ARRAY-NOT: xbar.tick

// The tick follows the zero-delay order: A, then W, then B, then the maximum.
// TICK: xbar.tile @t0 at [2, 2]
// TICK: xbar.tick
// TICK: xbar.update @A stage "update"
// TICK: xbar.mvm %{{.*}} projection 0 range 0
// TICK: xbar.update @B stage "update"
// TICK: xbar.combine projection {{[0-9]}} units [0, 6]
// TICK: xbar.update @pool_relay stage "pass"
