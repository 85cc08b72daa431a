// RUN: neuroc-opt %s | neuroc-opt | FileCheck %s
// Every operation of the dialect, printed and parsed.

// CHECK-LABEL: neuro.model @neuron
neuro.model @neuron {
  // CHECK: neuro.param @tau = 2.000000e+01 unit "ms"
  neuro.param @tau = 20.0 unit "ms"
  // CHECK: neuro.state @v init -6.500000e+01 range [-9.000000e+01, 5.000000e+01] unit "mV"
  neuro.state @v init -65.0 range [-90.0, 50.0] unit "mV"
  // CHECK: neuro.input @drive combine max default 1.000000e+00 range [0.000000e+00, 2.000000e+00]
  neuro.input @drive combine max default 1.0 range [0.0, 2.0]
  neuro.output @spike : i1
  // CHECK: neuro.output @rate : f64 range [0.000000e+00, 1.000000e+00]
  neuro.output @rate : f64 range [0.0, 1.0]
  // CHECK: neuro.stage @predict
  neuro.stage @predict {
    %v = neuro.get @v
    // CHECK: neuro.emit @rate, %{{.*}} : f64
    neuro.emit @rate, %v : f64
  }
  neuro.stage @update {
    %t = arith.constant true
    // CHECK: neuro.diff @v hold %{{.*}} method exponential_euler {
    neuro.diff @v hold %t method exponential_euler {
      %tau = neuro.get @tau
      neuro.yield %tau
    }
    // CHECK: neuro.random uniform
    %u = neuro.random uniform
    // CHECK: neuro.random normal draw 3
    %n = neuro.random normal draw 3
    // CHECK: neuro.time
    %time = neuro.time
    // CHECK: neuro.dt
    %dt = neuro.dt
    // CHECK: neuro.index
    %i = neuro.index
    // CHECK: neuro.set @v, %
    neuro.set @v, %i
    // CHECK: neuro.reduce max %{{.*}} over units
    %most = neuro.reduce max %u over units
    // CHECK: neuro.reduce sum %{{.*}} over units group 2 prefix
    %before = neuro.reduce sum %u over units group 2 prefix
    // CHECK: neuro.reduce kth_largest %{{.*}} over units k 3
    %third = neuro.reduce kth_largest %u over units k 3
    // CHECK: neuro.reduce logsumexp %{{.*}} over units
    %l = neuro.reduce logsumexp %u over units
    neuro.emit @spike, %t : i1
  }
}

// CHECK-LABEL: neuro.rule @rule
neuro.rule @rule {
  neuro.param @eta = 0.1
  neuro.state @eligibility init 0.0
  // CHECK: neuro.trace @x on pre {
  neuro.trace @x on pre {
    neuro.diff @x {
      %x = neuro.get @x
      %n = arith.negf %x : f64
      neuro.yield %n
    }
  // CHECK: } spike {
  } spike {
    %one = arith.constant 1.0 : f64
    neuro.set @x, %one
  }
  // CHECK: neuro.factor @reward on scalar
  neuro.factor @reward on scalar
  // CHECK: neuro.on pre {
  neuro.on pre {
    %w = neuro.get @w
    neuro.set @w, %w
  }
  // CHECK: neuro.on post {
  neuro.on post {
    %w = neuro.get @w
    // CHECK: neuro.reduce rank %{{.*}} over pre
    %r = neuro.reduce rank %w over pre
    // CHECK: neuro.reduce min %{{.*}} over all
    %m = neuro.reduce min %w over all
  }
  // CHECK: neuro.on tick {
  neuro.on tick {
    // CHECK: neuro.diff @eligibility {
    neuro.diff @eligibility {
      %e = neuro.get @eligibility
      neuro.yield %e
    }
    %w = neuro.get @w
    // CHECK: neuro.reduce sum %{{.*}} over post prefix
    %p = neuro.reduce sum %w over post prefix
  }
  // CHECK: neuro.on call {
  neuro.on call {}
}

// CHECK-LABEL: neuro.network @net dt 1.000000e-01 seed 42
neuro.network @net dt 0.1 seed 42 {
  // CHECK: neuro.stimulus @drive init(5.000000e-01 : f64) range [0.000000e+00, 1.000000e+00] label "image" : tensor<4xf32>
  %drive = neuro.stimulus @drive init(0.5) range [0.0, 1.0] label "image" : tensor<4xf32>
  // CHECK: neuro.spike_array @events events(dense<{{.*}}> : tensor<1x2xi64>) : tensor<4xi1>
  %events = neuro.spike_array @events events(dense<[[1, 2]]> : tensor<1x2xi64>) : tensor<4xi1>
  // CHECK: neuro.population @E of @neuron shape [4] inputs(%{{.*}}, %{{.*}}) ports ["drive", "drive"] params {tau = #neuro.dist<uniform(1.000000e+01, 2.000000e+01)>} init {v = -6.000000e+01 : f64} every 2 : (tensor<4xf32>, tensor<4xf32>) -> (tensor<4xi1>, tensor<4xf32>)
  %s, %r = neuro.population @E of @neuron shape [4] inputs(%drive, %i) ports ["drive", "drive"] params {tau = #neuro.dist<uniform(10.0, 20.0)>} init {v = -60.0 : f64} every 2 : (tensor<4xf32>, tensor<4xf32>) -> (tensor<4xi1>, tensor<4xf32>)
  // CHECK: neuro.weight @W pre [4] post [4] connect #neuro.fixed_probability<5.000000e-01, self = false> values #neuro.dist<normal(1.000000e+00, 1.000000e-01) clip [0.000000e+00, 2.000000e+00]> sign excitatory bounds [0.000000e+00, 2.000000e+00]
  neuro.weight @W pre [4] post [4] connect #neuro.fixed_probability<0.5, self = false> values #neuro.dist<normal(1.0, 0.1) clip [0.0, 2.0]> sign excitatory bounds [0.0, 2.0]
  // CHECK: neuro.weight @M pre [4] post [4] connect #neuro.dense values dense<{{.*}}> : tensor<4x4xf32> mask dense<true> : tensor<4x4xi1>
  neuro.weight @M pre [4] post [4] connect #neuro.dense values dense<0.0> : tensor<4x4xf32> mask dense<true> : tensor<4x4xi1>
  // CHECK: connect #neuro.all_to_all<self = false>
  neuro.weight @A pre [4] post [4] connect #neuro.all_to_all<self = false> values 1.0
  // CHECK: connect #neuro.one_to_one
  neuro.weight @O pre [4] post [4] connect #neuro.one_to_one values -1.0 sign inhibitory
  // CHECK: connect #neuro.list<dense<{{.*}}> : tensor<2x2xi64>>
  neuro.weight @L pre [4] post [4] connect #neuro.list<dense<[[0, 1], [2, 3]]> : tensor<2x2xi64>> values 1.0
  // CHECK: connect #neuro.fixed_indegree<2, self = true, multapses = false>
  neuro.weight @I pre [4] post [4] connect #neuro.fixed_indegree<2, self = true, multapses = false> values 1.0
  // CHECK: connect #neuro.fixed_outdegree<2, self = true, multapses = true>
  neuro.weight @F pre [4] post [4] connect #neuro.fixed_outdegree<2, self = true, multapses = true> values #neuro.dist<exponential(1.0, 0.0)>
  // CHECK: connect #neuro.conv<kernel = [3, 3], strides = [1, 1], pads = [1, 1, 1, 1], dilations = [1, 1], groups = 1>
  neuro.weight @C pre [1, 2, 2] post [2, 2, 2] connect #neuro.conv<kernel = [3, 3], strides = [1, 1], pads = [1, 1, 1, 1], dilations = [1, 1], groups = 1> values 1.0
  // CHECK: neuro.project %{{.*}} through @W delay 15 : tensor<4xi1> -> tensor<4xf32>
  %i = neuro.project %s through @W delay 15 : tensor<4xi1> -> tensor<4xf32>
  // CHECK: neuro.project %{{.*}} through @M transposed combine product {
  // CHECK-NEXT: ^bb0(%{{.*}}: f64, %{{.*}}: f64):
  %t = neuro.project %drive through @M transposed combine product {
  ^bb0(%w: f64, %x: f64):
    %y = arith.addf %w, %x : f64
    neuro.yield %y
  } : tensor<4xf32> -> tensor<4xf32>
  // CHECK: neuro.project %{{.*}} through @O delays(#neuro.dist<uniform(1.000000e-01, 2.000000e+00)>) : tensor<4xi1> -> tensor<4xf32>
  %h = neuro.project %events through @O delays(#neuro.dist<uniform(0.1, 2.0)>) : tensor<4xi1> -> tensor<4xf32>
  // CHECK: neuro.delay %{{.*}} by 3 : tensor<4xf32>
  %d = neuro.delay %drive by 3 : tensor<4xf32>
  // CHECK: neuro.plastic @learning on @W rule @rule pre %{{.*}} post %{{.*}} factors(%{{.*}}) as ["reward"] delay 15 params {eta = 5.000000e-01 : f64} disabled : tensor<4xi1>, tensor<4xi1>, tensor<1xf32>
  %reward = neuro.stimulus @reward : tensor<1xf32>
  neuro.plastic @learning on @W rule @rule pre %s post %s factors(%reward) as ["reward"] delay 15 params {eta = 0.5 : f64} disabled : tensor<4xi1>, tensor<4xi1>, tensor<1xf32>
  // CHECK: neuro.probe @spikes %{{.*}} every 2 output label "out" : tensor<4xi1>
  neuro.probe @spikes %s every 2 output label "out" : tensor<4xi1>
  // CHECK: neuro.watch @v @E["v"] every 10
  neuro.watch @v @E["v"] every 10
  neuro.weight @G pre [2] post [4] connect #neuro.dense values 0.1
  // CHECK: neuro.pc_layer @layer predicts %{{.*}} through @G rate 1.000000e-01 precision 2.000000e+00 prior 1.000000e+00 learning_rate 1.000000e-03 range [-5.000000e+00, 5.000000e+00] : tensor<4xf32> -> tensor<2xf32>, tensor<4xf32>
  %value, %error = neuro.pc_layer @layer predicts %drive through @G rate 0.1 precision 2.0 prior 1.0 learning_rate 0.001 range [-5.0, 5.0] : tensor<4xf32> -> tensor<2xf32>, tensor<4xf32>
  // CHECK: neuro.associative_memory @memory cue %{{.*}} through @A learning_rate 2.500000e-01 : tensor<4xf32>
  %state = neuro.associative_memory @memory cue %drive through @A learning_rate 0.25 : tensor<4xf32>
}

// CHECK-LABEL: neuro.network @lanes dt 1.000000e+00 seed 3 batch 8
neuro.network @lanes dt 1.0 seed 3 batch 8 {
  %drive = neuro.stimulus @drive init(dense<0.5> : tensor<32xf32>) : tensor<4xf32>
  // CHECK: neuro.population @World of @neuron shape [4] every 2 plant : () -> (tensor<4xi1>, tensor<4xf32>)
  %s, %r = neuro.population @World of @neuron shape [4] every 2 plant : () -> (tensor<4xi1>, tensor<4xf32>)
  neuro.weight @W pre [4] post [4] connect #neuro.dense values 1.0
  %i = neuro.project %r through @W delay 1 : tensor<4xf32> -> tensor<4xf32>
  %t, %u = neuro.population @Body of @neuron shape [4] inputs(%i) ports ["drive"] plant : (tensor<4xf32>) -> (tensor<4xi1>, tensor<4xf32>)
  %reward = neuro.stimulus @reward : tensor<1xf32>
  // CHECK: neuro.plastic @learning on @W rule @rule {{.*}} delay 1 disabled batch_sum : tensor<4xi1>, tensor<4xi1>, tensor<1xf32>
  %fired = neuro.delay %s by 1 : tensor<4xi1>
  neuro.plastic @learning on @W rule @rule pre %s post %fired factors(%reward) as ["reward"] delay 1 disabled batch_sum : tensor<4xi1>, tensor<4xi1>, tensor<1xf32>
  // CHECK: neuro.probe @slope %{{.*}} wrt "Body.tau" every 2 output : tensor<4xf32>
  neuro.probe @slope %u wrt "Body.tau" every 2 output : tensor<4xf32>
}

// CHECK: neuro.dataset @rows values dense<{{.*}}> : tensor<2x4xf32>
neuro.dataset @rows values dense<1.0> : tensor<2x4xf32>
// CHECK: neuro.dataset @file file "rows.npy"
neuro.dataset @file file "rows.npy"

// CHECK-LABEL: neuro.experiment @main on @net
neuro.experiment @main on @net {
  // CHECK: neuro.phase "learn" {
  neuro.phase "learn" {
    // CHECK: neuro.enable @learning
    neuro.enable @learning
    // CHECK: neuro.repeat 2 {
    neuro.repeat 2 {
      // CHECK: neuro.for_each @rows rows [0, 2] {
      neuro.for_each @rows rows [0, 2] {
        // CHECK: neuro.present @drive from @rows
        neuro.present @drive from @rows
        // CHECK: neuro.step 10
        neuro.step 10
      }
    }
    // CHECK: neuro.disable @learning
    neuro.disable @learning
  }
  // CHECK: neuro.present @drive values 0.000000e+00 : f64
  neuro.present @drive values 0.0
  // CHECK: neuro.present @drive from @rows row 1
  neuro.present @drive from @rows row 1
  // CHECK: neuro.settle @v below 1.000000e-03 max 100
  neuro.settle @v below 1.0e-3 max 100
  // CHECK: neuro.clamp @E["v"] to 1.000000e+00 : f64
  neuro.clamp @E["v"] to 1.0
  // CHECK: neuro.release @E["v"]
  neuro.release @E["v"]
  // CHECK: neuro.assign @E["v"] to 0.000000e+00 : f64
  neuro.assign @E["v"] to 0.0
  // CHECK: neuro.assign @M to 0.000000e+00 : f64
  neuro.assign @M to 0.0
  // CHECK: neuro.call @learning
  neuro.call @learning
  // CHECK: neuro.snapshot "before" of [@W, @E]
  neuro.snapshot "before" of [@W, @E]
  // CHECK: neuro.restore "before"
  neuro.restore "before"
  // CHECK: neuro.readout "counts" from @spikes reduce count
  neuro.readout "counts" from @spikes reduce count
  // CHECK: neuro.expect "accuracy" of "counts" against "rows" min 5.000000e-01 targets ["cpu"] options {row = 0 : i64}
  neuro.expect "accuracy" of "counts" against "rows" min 0.5 targets ["cpu"] options {row = 0 : i64}
}
