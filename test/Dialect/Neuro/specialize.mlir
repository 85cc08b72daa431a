// RUN: neuroc-opt %s --neuro-specialize-models | FileCheck %s
// Each population gets a model of its own with the parameters that are one
// number folded in; a per-unit parameter stays; dt and draws are resolved.

// CHECK-NOT: neuro.model @m {
neuro.model @m {
  neuro.param @a = 1.0
  neuro.param @b = 2.0
  neuro.state @v init 0.0
  neuro.stage @s {
    %a = neuro.get @a
    %b = neuro.get @b
    %dt = neuro.dt
    %r = neuro.random uniform
    %q = neuro.random uniform
    %x = arith.addf %a, %b : f64
    %y = arith.addf %x, %dt : f64
    %z = arith.addf %y, %r : f64
    %u = arith.addf %z, %q : f64
    neuro.set @v, %u
  }
}
neuro.rule @r {
  neuro.param @eta = 0.1
  neuro.on tick {
    %eta = neuro.get @eta
    neuro.set @w, %eta
  }
}
// CHECK-LABEL: neuro.model @B_model
// CHECK: neuro.param @b
// CHECK: neuro.get @b
// dt is 0.5 ms times `every 2`
// CHECK-DAG: arith.constant 1.000000e+00
// CHECK-LABEL: neuro.model @A_model
// CHECK-NOT: neuro.param
// CHECK-DAG: arith.constant 7.000000e+00
// CHECK-DAG: arith.constant 2.000000e+00
// CHECK-DAG: arith.constant 5.000000e-01
// CHECK: neuro.random uniform draw 0
// CHECK: neuro.random uniform draw 1
// CHECK-LABEL: neuro.rule @p_rule
// CHECK-NOT: neuro.param
// CHECK: arith.constant 2.500000e-01
neuro.network @net dt 0.5 {
  // CHECK: neuro.population @A of @A_model shape [2] : () -> ()
  neuro.population @A of @m shape [2] params {a = 7.0 : f64} : () -> ()
  // CHECK: neuro.population @B of @B_model shape [2] params {b = dense<[1.000000e+00, 2.000000e+00]> : tensor<2xf64>} every 2
  neuro.population @B of @m shape [2] params {a = dense<3.0> : tensor<2xf64>, b = dense<[1.0, 2.0]> : tensor<2xf64>} every 2 : () -> ()
  %x = neuro.stimulus @x : tensor<2xf32>
  neuro.weight @W pre [2] post [2] connect #neuro.dense values 0.1
  // CHECK: neuro.plastic @p on @W rule @p_rule
  // CHECK-NOT: params
  neuro.plastic @p on @W rule @r pre %x post %x params {eta = 0.25 : f64} : tensor<2xf32>, tensor<2xf32>
}
