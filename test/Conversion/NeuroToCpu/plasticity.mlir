// RUN: neuroc-opt %s --neuro-to-core --convert-neuro-to-cpu | FileCheck %s

// Handlers of spikes walk rows (pre) and columns (post) of the units that
// fired; bounds are a step of their own, since both may change one synapse.

neuro.rule @pair {
  neuro.trace @k on pre {
    %k = neuro.get @k
    %f = arith.constant 0.9 : f64
    %n = arith.mulf %k, %f : f64
    neuro.set @k, %n
  } spike {
    %one = arith.constant 1.0 : f64
    neuro.set @k, %one
  }
  neuro.on pre {
    %w = neuro.get @w
    %a = arith.constant 0.1 : f64
    %n = arith.subf %w, %a : f64
    neuro.set @w, %n
  }
  neuro.on post {
    %w = neuro.get @w
    %k = neuro.get @k
    %n = arith.addf %w, %k : f64
    neuro.set @w, %n
  }
}
neuro.network @n dt 1.0 {
  %s = neuro.spike_array @in events(dense<[[0, 1]]> : tensor<1x2xi64>) : tensor<4xi1>
  %t = neuro.spike_array @out events(dense<[[0, 1]]> : tensor<1x2xi64>) : tensor<3xi1>
  neuro.weight @W pre [4] post [3] connect #neuro.list<dense<[[0, 2], [1, 0], [1, 2]]> : tensor<3x2xi64>>
    values 0.5 bounds [0.0, 1.0]
  neuro.plastic @learn on @W rule @pair pre %s post %t delay 1
    : tensor<4xi1>, tensor<3xi1>
}

// CHECK: plastics = [{bounds = "bounds.learn", bounds_all = "bounds_all.learn"
// CHECK-SAME: enabled = true
// CHECK-SAME: on_post = "on_post.learn"
// CHECK-SAME: on_pre = "on_pre.learn"
// CHECK-SAME: pre_delay = 1
// CHECK-DAG: @rows.W.post.start : memref<4xi32> = dense<[0, 1, 1, 3]>
// CHECK-DAG: @rows.W.post.target : memref<3xi32> = dense<[1, 0, 1]>
// CHECK-DAG: @rows.W.post.slot : memref<3xi32> = dense<[1, 0, 2]>
// CHECK-LABEL: func.func private @trace.learn.k.tick
// CHECK-LABEL: func.func private @trace.learn.k.spike
// CHECK-LABEL: func.func private @on_pre.learn
// CHECK: arith.subf
// CHECK-NOT: arith.cmpf
// CHECK-LABEL: func.func private @on_post.learn
// CHECK: arith.addf
// CHECK-LABEL: func.func private @bounds.learn
// CHECK: arith.cmpf olt
// CHECK: arith.select
// CHECK: arith.cmpf ogt
// CHECK: arith.select
