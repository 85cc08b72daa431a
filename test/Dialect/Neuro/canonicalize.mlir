// RUN: neuroc-opt %s --canonicalize | FileCheck %s

// CHECK-LABEL: neuro.network @delays
neuro.network @delays dt 1.0 {
  // CHECK: %[[X:.*]] = neuro.stimulus @x
  %x = neuro.stimulus @x : tensor<2xf32>
  neuro.weight @W pre [2] post [2] connect #neuro.dense values 1.0
  // Two delays become one.
  // CHECK: %[[D:.*]] = neuro.delay %[[X]] by 5
  %a = neuro.delay %x by 2 : tensor<2xf32>
  %b = neuro.delay %a by 3 : tensor<2xf32>
  // CHECK-NEXT: neuro.probe @late %[[D]]
  neuro.probe @late %b : tensor<2xf32>
  // A delay goes into the projection, and not into one with a delay per synapse.
  // CHECK-NEXT: %[[P:.*]] = neuro.project %[[X]] through @W delay 6 :
  %p = neuro.project %b through @W delay 1 : tensor<2xf32> -> tensor<2xf32>
  // CHECK-NEXT: %[[Q:.*]] = neuro.project %[[D]] through @W delays(
  %q = neuro.project %b through @W delays(#neuro.dist<uniform(1.0, 2.0)>) : tensor<2xf32> -> tensor<2xf32>
  // A projection that nobody reads goes away.
  // CHECK-NOT: neuro.project
  %r = neuro.project %x through @W : tensor<2xf32> -> tensor<2xf32>
  neuro.probe @p %p : tensor<2xf32>
  neuro.probe @q %q : tensor<2xf32>
}

// CHECK-LABEL: neuro.experiment @steps
neuro.experiment @steps on @delays {
  // CHECK-NEXT: neuro.step 7
  neuro.step 3
  neuro.step 0
  neuro.step 4
  // CHECK-NEXT: neuro.present @x values 1.000000e+00
  neuro.present @x values 1.0
  neuro.repeat 0 {
    neuro.step 100
  }
  // A loop that runs once is its body, whose steps join their neighbours.
  // CHECK-NEXT: neuro.step 3
  neuro.repeat 1 {
    neuro.step 1
  }
  neuro.step 2
  // CHECK-NEXT: neuro.repeat 2 {
  // CHECK-NEXT: neuro.step 5
  neuro.repeat 2 {
    neuro.step 5
  }
}


neuro.network @counts dt 1.0 {
}
// A loop with a counter stays, the same computation is done once.
// CHECK-LABEL: neuro.experiment @counts_once
neuro.experiment @counts_once on @counts {
  // CHECK: neuro.repeat 1 counter "k"
  neuro.repeat 1 counter "k" {
    // CHECK: %[[K:.*]] = neuro.read variable "k"
    %k = neuro.read variable "k"
    // CHECK: %[[L:.*]] = neuro.calc "exp"(%[[K]])
    // CHECK-NOT: neuro.calc "log"
    %e = neuro.calc "exp"(%k)
    %unused = neuro.calc "log"(%k)
    // CHECK: neuro.store %[[L]] into table "t"
    neuro.store %e into table "t"
  }
}
