// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Two populations over several tiles: every part of a signal is sent once to
// each other tile that reads it, every receive has its send (the verifier
// checks), and the transposed read sends partial sums to the owners.
// RUN: neuroc-opt %s --xbar-map-pipeline | FileCheck %s

xbar.machine @machine source "test" mesh [4, 4] arrays 2 of [16, 8]
    cell_bits 2 adc_bits 8 memory 65536
neuro.model @a {
  neuro.input @in
  neuro.output @y : f64
  neuro.stage @send {
    %c = arith.constant 1.0 : f64
    neuro.emit @y, %c : f64
  }
  neuro.stage @receive {
    %in = neuro.get @in
  }
}
neuro.model @b {
  neuro.input @in
  neuro.output @y : f64
  neuro.stage @update {
    %in = neuro.get @in
    neuro.emit @y, %in : f64
  }
}
neuro.network @net dt 1.0 {
  %x = neuro.population @A of @a shape [8] inputs(%b) ports ["in"]
    : (tensor<8xf32>) -> tensor<8xf32>
  neuro.weight @W pre [8] post [16] connect #neuro.dense values 0.25 : f64
  %f = neuro.project %x through @W : tensor<8xf32> -> tensor<16xf32>
  %y = neuro.population @B of @b shape [16] inputs(%f) ports ["in"]
    : (tensor<16xf32>) -> tensor<16xf32>
  %b = neuro.project %y through @W transposed : tensor<16xf32> -> tensor<8xf32>
}

// A has no columns of its own. B has 16, and a tile two banks of four.
// CHECK: xbar.tile @t0 at [2, 2]
// CHECK: xbar.share @A units [0, 8]
// CHECK: xbar.tick
// CHECK: xbar.update @A stage "send"
// CHECK: xbar.send @A::@y to [@t1, @t2]
// CHECK: xbar.collect projection 1 for @A from [@t1, @t2]
// CHECK: xbar.update @A stage "receive"
// CHECK: xbar.tile @t1 at
// CHECK: xbar.share @B units [0, 8]
// CHECK: xbar.recv @A::@y from @t0
// CHECK: xbar.mvm %{{.*}}, %{{.*}} projection 0 range 0
// CHECK: xbar.update @B stage "update"
// Each tile's columns are driven by its own units and, here, by nobody else's.
// CHECK: xbar.mvm %{{.*}}, %{{.*}} projection 1 transposed range 0
// CHECK: xbar.tile @t2 at
// CHECK: xbar.share @B units [8, 16]
