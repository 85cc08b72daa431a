// RUN: neuroc-opt %s --neuro-to-core | FileCheck %s
// A tangent goes beside each state, input and output between the parameter and
// the probe, and nowhere else; projections of the same form carry it; where the
// experiment gives a state values it gives the tangent zero; the parameter is a
// constant in the end.

// CHECK-LABEL: neuro.model @P_model
// CHECK-NOT: neuro.param
// CHECK: neuro.state @v init
// CHECK-NEXT: neuro.state @d_v_wrt_P_a init 0.000000e+00
// CHECK-NEXT: neuro.state @alone init
// CHECK-NEXT: neuro.output @y : f64
// CHECK-NEXT: neuro.output @free : f64
// CHECK-NEXT: neuro.stage @s {
// CHECK: %[[V:.*]] = neuro.get @v
// CHECK: %[[DV:.*]] = neuro.get @d_v_wrt_P_a
// CHECK: %[[A:.*]] = arith.constant 5.000000e-01
// CHECK: %[[NEXT:.*]] = arith.mulf %[[V]], %[[A]]
// CHECK-NEXT: %[[PART:.*]] = arith.mulf %[[DV]], %[[A]]
// CHECK-NEXT: %[[SLOPE:.*]] = arith.addf %[[PART]], %[[V]]
// CHECK: neuro.emit @d_y_wrt_P_a, %[[SLOPE]]
// CHECK: neuro.set @d_v_wrt_P_a, %[[SLOPE]]
// CHECK: neuro.output @d_y_wrt_P_a : f64
neuro.model @integrator {
  neuro.param @a = 0.5
  neuro.state @v init 1.0
  neuro.state @alone init 1.0
  neuro.output @y : f64
  neuro.output @free : f64
  neuro.stage @s {
    %v = neuro.get @v
    %a = neuro.get @a
    %n = arith.mulf %v, %a : f64
    neuro.set @v, %n
    neuro.emit @y, %n : f64
    %alone = neuro.get @alone
    neuro.set @alone, %a
    neuro.emit @free, %alone : f64
  }
}
// CHECK-LABEL: neuro.model @R_model
// CHECK-NOT: wrt
// CHECK-LABEL: neuro.model @Q_model
// CHECK: neuro.input @x
// CHECK: neuro.input @d_x_wrt_P_a
neuro.model @relay {
  neuro.input @x
  neuro.output @y : f64
  neuro.stage @pass {
    %x = neuro.get @x
    neuro.emit @y, %x : f64
  }
}
// CHECK-LABEL: neuro.network @n
neuro.network @n dt 1.0 {
  // CHECK: %[[P:.*]]:3 = neuro.population @P
  // CHECK-SAME: -> (tensor<2xf32>, tensor<2xf32>, tensor<2xf32>)
  %p, %f = neuro.population @P of @integrator shape [2] : () -> (tensor<2xf32>, tensor<2xf32>)
  neuro.weight @W pre [2] post [2] connect #neuro.dense values 0.5
  // CHECK: %[[I:.*]] = neuro.project %[[P]]#0 through @W delay 2
  // CHECK: %[[T:.*]] = neuro.project %[[P]]#2 through @W delay 2
  %i = neuro.project %p through @W delay 2 : tensor<2xf32> -> tensor<2xf32>
  // CHECK: %[[Q:.*]]:2 = neuro.population @Q {{.*}} inputs(%[[I]], %[[T]]) ports ["x", "d_x_wrt_P_a"]
  %q = neuro.population @Q of @relay shape [2] inputs(%i) ports ["x"] : (tensor<2xf32>) -> tensor<2xf32>
  // CHECK: neuro.population @R {{.*}} inputs(%[[Q]]#0) ports ["x"] : (tensor<2xf32>) -> tensor<2xf32>
  %r = neuro.population @R of @relay shape [2] inputs(%q) ports ["x"] : (tensor<2xf32>) -> tensor<2xf32>
  // CHECK: neuro.probe @plain %[[Q]]#0 : tensor<2xf32>
  neuro.probe @plain %q : tensor<2xf32>
  // CHECK: neuro.probe @slope %[[Q]]#1 every 3 : tensor<2xf32>
  neuro.probe @slope %q wrt "P.a" every 3 : tensor<2xf32>
}
// CHECK-LABEL: neuro.experiment
neuro.experiment @e on @n {
  // CHECK: neuro.clamp @P["v"] to dense<[2.000000e+00, 0x7FF8000000000000]> : tensor<2xf64>
  // CHECK-NEXT: neuro.clamp @P["d_v_wrt_P_a"] to dense<[0.000000e+00, 0x7FF8000000000000]> : tensor<2xf64>
  neuro.clamp @P["v"] to dense<[2.0, 0x7FF8000000000000]> : tensor<2xf64>
  neuro.step 3
  // CHECK: neuro.release @P["v"]
  // CHECK-NEXT: neuro.release @P["d_v_wrt_P_a"]
  neuro.release @P["v"]
  // CHECK-NEXT: neuro.assign @P["v"] to 3.000000e+00 : f64
  // CHECK-NEXT: neuro.assign @P["d_v_wrt_P_a"] to 0.000000e+00 : f64
  neuro.assign @P["v"] to 3.0
  // CHECK-NEXT: neuro.assign @P["alone"]
  // CHECK-NEXT: %[[V:.*]] = neuro.literal
  neuro.assign @P["alone"] to 3.0
  %v = neuro.literal dense<4.0> : tensor<2xf64>
  // CHECK-NEXT: neuro.store %[[V]] into state "P"["v"]
  // CHECK-NEXT: %[[Z:.*]] = neuro.literal dense<0.000000e+00> : tensor<1xf64>
  // CHECK-NEXT: neuro.store %[[Z]] into state "P"["d_v_wrt_P_a"]
  neuro.store %v into state "P"["v"]
}
