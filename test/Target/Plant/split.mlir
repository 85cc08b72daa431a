// RUN: neuroc-opt %s --split-plants | FileCheck %s
// Each part gets a stimulus where it reads the other, and a probe where it is
// read; the machine hears the plant a tick later, so its delays shrink by one.

neuro.model @m {
  neuro.input @x
  neuro.output @y : f64 range [-1.0, 1.0]
  neuro.stage @s {
    %x = neuro.get @x
    %one = arith.constant 1.0 : f64
    %least = arith.constant -1.0 : f64
    %low = arith.minimumf %x, %one : f64
    %clipped = arith.maximumf %low, %least : f64
    neuro.emit @y, %clipped : f64
  }
}
neuro.rule @r {
  neuro.factor @f on post
  neuro.on tick {
    %w = neuro.get @w
    %f = neuro.get @f
    %n = arith.addf %w, %f : f64
    neuro.set @w, %n
  }
}
neuro.network @n dt 1.0 {
  %in = neuro.stimulus @in range [-1.0, 1.0] : tensor<2xf32>
  neuro.weight @A pre [2] post [2] connect #neuro.one_to_one values 1.0
  neuro.weight @B pre [2] post [2] connect #neuro.dense values 0.5
  neuro.weight @C pre [2] post [2] connect #neuro.dense values 0.25
  %plant_in = neuro.project %c through @A : tensor<2xf32> -> tensor<2xf32>
  %p = neuro.population @plant of @m shape [2] inputs(%plant_in, %in) ports ["x", "x"] plant : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
  %slow = neuro.delay %p by 3 : tensor<2xf32>
  %back = neuro.project %slow through @B : tensor<2xf32> -> tensor<2xf32>
  %quick = neuro.project %p through @C delay 1 : tensor<2xf32> -> tensor<2xf32>
  %late = neuro.delay %p by 1 : tensor<2xf32>
  %c = neuro.population @control of @m shape [2] inputs(%back, %quick) ports ["x", "x"] : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
  neuro.plastic @l on @B rule @r pre %slow post %c factors(%late) as ["f"] : tensor<2xf32>, tensor<2xf32>, tensor<2xf32>
  neuro.probe @seen %p : tensor<2xf32>
  neuro.probe @done %c : tensor<2xf32>
}

// CHECK-LABEL: neuro.network @n
// CHECK-DAG: %[[LINK:.*]] = neuro.stimulus @link.plant.0 range [-1.000000e+00, 1.000000e+00]
// CHECK-DAG: %[[SLOW:.*]] = neuro.delay %[[LINK]] by 2
// CHECK-DAG: neuro.project %[[SLOW]] through @B :
// CHECK-DAG: neuro.project %[[LINK]] through @C :
// CHECK-DAG: neuro.population @control
// CHECK-DAG: neuro.plastic @l on @B rule @r pre %[[SLOW]] post %{{.*}} factors(%[[LINK]])
// CHECK-DAG: neuro.probe @done
// CHECK-DAG: neuro.probe @link.control.0
// CHECK-LABEL: module @plant
// CHECK-NOT: @control of
// CHECK-DAG: %[[IN:.*]] = neuro.stimulus @in
// CHECK-DAG: %[[U:.*]] = neuro.stimulus @link.control.0
// CHECK-DAG: %[[THROUGH:.*]] = neuro.project %[[U]] through @A
// CHECK-DAG: neuro.population @plant of @m shape [2] inputs(%[[THROUGH]], %[[IN]])
// CHECK-DAG: neuro.probe @seen
// CHECK-DAG: neuro.probe @link.plant.0
// CHECK-NOT: neuro.plastic
