// RUN: neuroc-opt %s | neuroc-opt | FileCheck %s
//
// Every operation of the dialect in one small map: two tiles, the first with
// an array, the second with synaptic rows.

// CHECK: xbar.machine @machine source "generic-128" mesh [2, 1] arrays 8 of [128, 128] cell_bits 2 adc_bits 8 memory 65536
xbar.machine @machine source "generic-128" mesh [2, 1] arrays 8 of [128, 128]
    cell_bits 2 adc_bits 8 memory 65536

// CHECK: xbar.map @map of @net on @machine {
xbar.map @map of @net on @machine {
  // CHECK: xbar.format @E "v" frac 23 range [-8.000000e+01, -5.000000e+01] proved
  xbar.format @E "v" frac 23 range [-80.0, -50.0] proved
  // CHECK: xbar.format @E "I" frac 16 range [0.000000e+00, 1.000000e+00]{{$}}
  xbar.format @E "I" frac 16 range [0.0, 1.0]
  // CHECK: xbar.matrix @W of @w bits 8 slices 4 shape [1, 2] levels dense<{{.*}}> : tensor<1x2xi16> scales [5.000000e-01, 2.500000e-01]
  xbar.matrix @W of @w bits 8 slices 4 shape [1, 2]
      levels dense<[[3, -7]]> : tensor<1x2xi16> scales [0.5, 0.25]
  // CHECK: xbar.matrix @P of @w bits 8 slices 4 shape [4, 2] transposed plastic
  xbar.matrix @P of @w bits 8 slices 4 shape [4, 2] transposed plastic
  // CHECK: xbar.tile @t0 at [0, 0] {
  xbar.tile @t0 at [0, 0] {
    // CHECK: xbar.share @E units [0, 2]
    xbar.share @E units [0, 2]
    // CHECK: %[[BANK:.*]] = xbar.bank first 0 : {{.*}}<128 x 64, slices 4>
    %b = xbar.bank first 0 : !xbar.bank<128 x 64, slices 4>
    // CHECK: %[[W:.*]] = xbar.program %[[BANK]] with @W rows [0, 1] cols [0, 2] at 0
    %w = xbar.program %b with @W rows [0, 1] cols [0, 2] at 0
        : !xbar.bank<128 x 64, slices 4> -> !xbar.weights<1 x 2>
    // CHECK: xbar.program %[[BANK]] with @P rows [0, 4] cols [0, 2] at 2
    %p = xbar.program %b with @P rows [0, 4] cols [0, 2] at 2
        : !xbar.bank<128 x 64, slices 4> -> !xbar.weights<4 x 2>
    // CHECK: xbar.tick {
    xbar.tick {
      // CHECK: xbar.mvm %[[W]] projection 0 range 1 :
      xbar.mvm %w projection 0 range 1 : !xbar.weights<1 x 2>
      // CHECK: xbar.mvm %{{.*}} projection 1 transposed range 0
      xbar.mvm %p projection 1 transposed range 0 : !xbar.weights<4 x 2>
      // CHECK: xbar.collect projection 2 for @E from [@t1]
      xbar.collect projection 2 for @E from [@t1]
      // CHECK: xbar.combine projection 3 units [0, 2]
      xbar.combine projection 3 units [0, 2]
      // CHECK: xbar.update @E stage "step"
      xbar.update @E stage "step"
      // CHECK: xbar.send @E::@spike to [@t1]
      xbar.send @E::@spike to [@t1]
      // CHECK: xbar.learn @stdp on %{{.*}} :
      xbar.learn @stdp on %p : !xbar.weights<4 x 2>
    }
  }
  // CHECK: xbar.tile @t1 at [1, 0] {
  xbar.tile @t1 at [1, 0] {
    // CHECK: xbar.rows projection 2 units [0, 2] synapses 9
    xbar.rows projection 2 units [0, 2] synapses 9
    xbar.tick {
      // CHECK: xbar.recv @E::@spike from @t0
      xbar.recv @E::@spike from @t0
      // CHECK: xbar.scatter projection 2
      xbar.scatter projection 2
    }
  }
}
