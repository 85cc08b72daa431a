// RUN: neuroc-opt %s --split-input-file --verify-diagnostics
// One case per rule of networks and of what stands in them.

// expected-error @below {{'neuro.network' op dt must be positive, got 0.000000e+00}}
neuro.network @network_r1 dt 0.0 {
}

// -----

neuro.model @relay {
  neuro.input @x
  neuro.output @y : f64
  neuro.stage @pass {
    %x = neuro.get @x
    neuro.emit @y, %x : f64
  }
}
neuro.network @network_r2 dt 1.0 {
  neuro.weight @W pre [2] post [2] connect #neuro.dense values 1.0
  // expected-error @below {{combinational loop: population 'A' stage 'pass' needs its own result of the same tick; give one projection of the loop a delay of at least one tick}}
  %a = neuro.population @A of @relay shape [2] inputs(%i) ports ["x"] : (tensor<2xf32>) -> tensor<2xf32>
  // expected-note @below {{through 'neuro.project'}}
  %i = neuro.project %a through @W : tensor<2xf32> -> tensor<2xf32>
}

// -----

neuro.rule @hebb {
  neuro.on tick {}
}
neuro.network @network_r3 dt 1.0 {
  %x = neuro.stimulus @x : tensor<2xf32>
  neuro.weight @W pre [2] post [2] connect #neuro.dense values 1.0
  // expected-note @below {{first writer is here}}
  neuro.plastic @p on @W rule @hebb pre %x post %x : tensor<2xf32>, tensor<2xf32>
  // expected-error @below {{'neuro.plastic' op is a second writer of weight 'W'}}
  neuro.plastic @q on @W rule @hebb pre %x post %x : tensor<2xf32>, tensor<2xf32>
}

// -----

neuro.network @network_r4 dt 1.0 {
  // expected-error @below {{'func.func' op may not stand in a network; expected nodes, or operations of linalg, tensor, arith and math}}
  func.func private @f()
}

// -----

neuro.network @population_r1 dt 1.0 {
  // expected-error @below {{'neuro.population' op uses model 'nothing', which is not defined}}
  neuro.population @A of @nothing shape [2] : () -> ()
}

// -----

neuro.model @m {
  neuro.state @v init 0.0
  neuro.stage @s {}
}
neuro.network @population_r2_count dt 1.0 {
  %x = neuro.stimulus @x : tensor<2xf32>
  // expected-error @below {{'neuro.population' op has 1 inputs but 2 port names}}
  neuro.population @A of @m shape [2] inputs(%x) ports ["a", "b"] : (tensor<2xf32>) -> ()
}

// -----

neuro.model @m {
  neuro.state @v init 0.0
  neuro.stage @s {}
}
neuro.network @population_r2_name dt 1.0 {
  %x = neuro.stimulus @x : tensor<2xf32>
  // expected-error @below {{'neuro.population' op feeds port "v", which is not an input of model 'm'}}
  neuro.population @A of @m shape [2] inputs(%x) ports ["v"] : (tensor<2xf32>) -> ()
}

// -----

neuro.model @m {
  neuro.output @o : i1
  neuro.stage @s {
    %t = arith.constant true
    neuro.emit @o, %t : i1
  }
}
neuro.network @population_r3_count dt 1.0 {
  // expected-error @below {{'neuro.population' op has 0 results, model 'm' has 1 outputs}}
  neuro.population @A of @m shape [2] : () -> ()
}

// -----

neuro.model @m {
  neuro.output @o : i1
  neuro.stage @s {
    %t = arith.constant true
    neuro.emit @o, %t : i1
  }
}
neuro.network @population_r3_type dt 1.0 {
  // expected-error @below {{'neuro.population' op result for output 'o' must be a tensor of i1, got 'tensor<2xf32>'}}
  %o = neuro.population @A of @m shape [2] : () -> tensor<2xf32>
}

// -----

neuro.model @m {
  neuro.input @i
  neuro.output @o : i1
  neuro.stage @s {
    %t = arith.constant true
    neuro.emit @o, %t : i1
  }
}
neuro.network @population_r4_input dt 1.0 {
  %x = neuro.stimulus @x : tensor<3xf32>
  // expected-error @below {{'neuro.population' op has 2 units but an input of type 'tensor<3xf32>'}}
  %o = neuro.population @A of @m shape [2] inputs(%x) ports ["i"] : (tensor<3xf32>) -> tensor<2xi1>
}

// -----

neuro.model @m {
  neuro.output @o : i1
  neuro.stage @s {
    %t = arith.constant true
    neuro.emit @o, %t : i1
  }
}
neuro.network @population_r4_output dt 1.0 {
  // expected-error @below {{'neuro.population' op has 2 units but an output of type 'tensor<3xi1>'}}
  %o = neuro.population @A of @m shape [2] : () -> tensor<3xi1>
}

// -----

neuro.network @population_shape dt 1.0 {
  // expected-error @below {{'neuro.population' op shape must list positive extents}}
  neuro.population @A of @m shape [0] : () -> ()
}

// -----

// expected-note @below {{model is declared here}}
neuro.model @m {
  neuro.state @v init 0.0
  neuro.stage @s {}
}
neuro.network @population_r5 dt 1.0 {
  // expected-error @below {{'neuro.population' op sets 'v', which is not a parameter of model 'm'}}
  neuro.population @A of @m shape [2] params {v = 1.0 : f64} : () -> ()
}

// -----

neuro.model @m {
  neuro.state @v init 0.0
  neuro.stage @s {}
}
neuro.network @population_value_kind dt 1.0 {
  // expected-error @below {{'neuro.population' op value of 'v' must be a number, an array or a distribution}}
  neuro.population @A of @m shape [2] init {v = "x"} : () -> ()
}

// -----

neuro.model @m {
  neuro.state @v init 0.0
  neuro.stage @s {}
}
neuro.network @population_r6 dt 1.0 {
  // expected-error @below {{'neuro.population' op gives 3 values of 'v' for 2 units}}
  neuro.population @A of @m shape [2] init {v = dense<[1.0, 2.0, 3.0]> : tensor<3xf64>} : () -> ()
}

// -----

neuro.network @population_r7 dt 1.0 {
  // expected-error @below {{'neuro.population' op 'every' must be at least 1, got 0}}
  neuro.population @A of @m shape [2] every 0 : () -> ()
}

// -----

neuro.network @weight_r1 dt 1.0 {
  // expected-error @below {{'neuro.weight' op sides must list positive extents}}
  neuro.weight @W pre [0] post [2] connect #neuro.dense values 1.0
}

// -----

neuro.network @weight_r2_dense dt 1.0 {
  // expected-error @below {{'neuro.weight' op needs 6 values ([post, pre] = [3, 2]), got 2}}
  neuro.weight @W pre [2] post [3] connect #neuro.dense values dense<[1.0, 2.0]> : tensor<2xf32>
}

// -----

neuro.network @weight_r2_one_to_one dt 1.0 {
  // expected-error @below {{'neuro.weight' op needs 2 values, got 3}}
  neuro.weight @W pre [2] post [2] connect #neuro.one_to_one values dense<[1.0, 2.0, 3.0]> : tensor<3xf32>
}

// -----

neuro.network @weight_r2_list dt 1.0 {
  // expected-error @below {{'neuro.weight' op needs 1 values, got 3}}
  neuro.weight @W pre [2] post [2] connect #neuro.list<dense<[[0, 1]]> : tensor<1x2xi64>> values dense<[1.0, 2.0, 3.0]> : tensor<3xf32>
}

// -----

neuro.network @weight_r2_random dt 1.0 {
  // expected-error @below {{'neuro.weight' op a random rule has no fixed number of synapses; give one value or a distribution, not 3 values}}
  neuro.weight @W pre [2] post [2] connect #neuro.fixed_probability<0.5, self = true> values dense<[1.0, 2.0, 3.0]> : tensor<3xf32>
}

// -----

neuro.network @weight_r3 dt 1.0 {
  // expected-error @below {{'neuro.weight' op one-to-one needs equal sides, got 2 and 3}}
  neuro.weight @W pre [2] post [3] connect #neuro.one_to_one values 1.0
}

// -----

neuro.network @weight_r4 dt 1.0 {
  // expected-error @below {{'neuro.weight' op bounds must be [lo, hi] with lo < hi}}
  neuro.weight @W pre [2] post [2] connect #neuro.dense values 1.0 bounds [1.0, 0.0]
}

// -----

neuro.network @weight_r4_sign dt 1.0 {
  // expected-error @below {{'neuro.weight' op bounds [-1.000000e+00, 1.000000e+00] do not agree with sign class excitatory}}
  neuro.weight @W pre [2] post [2] connect #neuro.dense values 1.0 sign excitatory bounds [-1.0, 1.0]
}

// -----

neuro.network @weight_r5 dt 1.0 {
  // expected-error @below {{'neuro.weight' op value -1.000000e+00 lies outside of its bounds and sign class [0.000000e+00, INF]}}
  neuro.weight @W pre [2] post [2] connect #neuro.dense values -1.0 sign excitatory
}

// -----

neuro.network @weight_r5_array dt 1.0 {
  // expected-error @below {{'neuro.weight' op value 3.000000e+00 lies outside of its bounds and sign class [0.000000e+00, 2.000000e+00]}}
  neuro.weight @W pre [2] post [1] connect #neuro.dense values dense<[[1.0, 3.0]]> : tensor<1x2xf32> bounds [0.0, 2.0]
}

// -----

neuro.network @weight_r6 dt 1.0 {
  // expected-error @below {{'neuro.weight' op mask must be an i1 array [post, pre] of a dense weight}}
  neuro.weight @W pre [2] post [2] connect #neuro.one_to_one values 1.0 mask dense<true> : tensor<2x2xi1>
}

// -----

neuro.network @weight_r7 dt 1.0 {
  // expected-error @below {{'neuro.weight' op synapse 1 names post unit 2 of 2}}
  neuro.weight @W pre [2] post [2] connect #neuro.list<dense<[[0, 1], [1, 2]]> : tensor<2x2xi64>> values 1.0
}

// -----

neuro.network @weight_r8_rank dt 1.0 {
  // expected-error @below {{'neuro.weight' op convolution needs sides [channels, height, width], got ranks 1 and 3}}
  neuro.weight @W pre [9] post [1, 1, 1] connect #neuro.conv<kernel = [3, 3], strides = [1, 1], pads = [0, 0, 0, 0], dilations = [1, 1], groups = 1> values 1.0
}

// -----

neuro.network @weight_r8_groups dt 1.0 {
  // expected-error @below {{'neuro.weight' op channels 3 and 2 must be multiples of groups 2}}
  neuro.weight @W pre [3, 3, 3] post [2, 1, 1] connect #neuro.conv<kernel = [3, 3], strides = [1, 1], pads = [0, 0, 0, 0], dilations = [1, 1], groups = 2> values 1.0
}

// -----

neuro.network @weight_r8_extent dt 1.0 {
  // expected-error @below {{'neuro.weight' op convolution gives extent 2 along axis 0, the post side has 3}}
  neuro.weight @W pre [1, 4, 4] post [1, 3, 2] connect #neuro.conv<kernel = [3, 3], strides = [1, 1], pads = [0, 0, 0, 0], dilations = [1, 1], groups = 1> values 1.0
}

// -----

neuro.network @weight_r8_kernel dt 1.0 {
  // expected-error @below {{'neuro.weight' op convolution kernel needs 9 values, got 2}}
  neuro.weight @W pre [1, 4, 4] post [1, 2, 2] connect #neuro.conv<kernel = [3, 3], strides = [1, 1], pads = [0, 0, 0, 0], dilations = [1, 1], groups = 1> values dense<[1.0, 2.0]> : tensor<2xf32>
}

// -----

neuro.network @weight_r8_distribution dt 1.0 {
  // expected-error @below {{'neuro.weight' op a convolution kernel needs given values, not a distribution}}
  neuro.weight @W pre [1, 4, 4] post [1, 2, 2] connect #neuro.conv<kernel = [3, 3], strides = [1, 1], pads = [0, 0, 0, 0], dilations = [1, 1], groups = 1> values #neuro.dist<uniform(0.0, 1.0)>
}

// -----

neuro.network @weight_r9_in dt 1.0 {
  // expected-error @below {{'neuro.weight' op degree 3 exceeds the 2 possible partners; allow multapses or lower it}}
  neuro.weight @W pre [3] post [3] connect #neuro.fixed_indegree<3, self = false, multapses = false> values 1.0
}

// -----

neuro.network @weight_r9_out dt 1.0 {
  // expected-error @below {{'neuro.weight' op degree 4 exceeds the 3 possible partners; allow multapses or lower it}}
  neuro.weight @W pre [2] post [3] connect #neuro.fixed_outdegree<4, self = true, multapses = false> values 1.0
}

// -----

neuro.network @project_r1 dt 1.0 {
  %x = neuro.stimulus @x : tensor<2xf32>
  // expected-error @below {{'neuro.project' op uses weight 'W', which is not defined in this network}}
  %y = neuro.project %x through @W : tensor<2xf32> -> tensor<2xf32>
}

// -----

neuro.network @project_r2 dt 1.0 {
  %x = neuro.stimulus @x : tensor<2xf32>
  // expected-note @below {{weight is declared here}}
  neuro.weight @W pre [2] post [3] connect #neuro.dense values 1.0
  // expected-error @below {{'neuro.project' op goes from 2 to 3 units, weight 'W' transposed joins 3 to 2}}
  %y = neuro.project %x through @W transposed : tensor<2xf32> -> tensor<3xf32>
}

// -----

neuro.network @project_r3 dt 1.0 {
  %x = neuro.stimulus @x : tensor<2xf32>
  neuro.weight @W pre [2] post [2] connect #neuro.dense values 1.0
  // expected-error @below {{'neuro.project' op delay must not be negative, got -1}}
  %y = neuro.project %x through @W delay -1 : tensor<2xf32> -> tensor<2xf32>
}

// -----

neuro.network @project_r4 dt 1.0 {
  %x = neuro.stimulus @x : tensor<2xf32>
  neuro.weight @W pre [2] post [2] connect #neuro.dense values 1.0
  // expected-error @below {{'neuro.project' op has both a delay and delays}}
  %y = neuro.project %x through @W delay 1 delays(#neuro.dist<uniform(1.0, 2.0)>) : tensor<2xf32> -> tensor<2xf32>
}

// -----

neuro.network @project_r5_arguments dt 1.0 {
  %x = neuro.stimulus @x : tensor<2xf32>
  neuro.weight @W pre [2] post [2] connect #neuro.dense values 1.0
  // expected-error @below {{'neuro.project' op transmit region must take (f64, f64) and yield}}
  %y = neuro.project %x through @W {
  ^bb0(%w: f64):
    neuro.yield %w
  } : tensor<2xf32> -> tensor<2xf32>
}

// -----

neuro.network @project_r5_code dt 1.0 {
  %x = neuro.stimulus @x : tensor<2xf32>
  neuro.weight @W pre [2] post [2] connect #neuro.dense values 1.0
  // expected-error @below {{'neuro.project' op transmit region may hold only pure scalar code, got 'neuro.random'}}
  %y = neuro.project %x through @W {
  ^bb0(%w: f64, %v: f64):
    %r = neuro.random uniform
    neuro.yield %r
  } : tensor<2xf32> -> tensor<2xf32>
}

// -----

neuro.network @delay_r1 dt 1.0 {
  %x = neuro.stimulus @x : tensor<2xf32>
  // expected-error @below {{'neuro.delay' op needs at least one tick, got 0}}
  %y = neuro.delay %x by 0 : tensor<2xf32>
}

// -----

neuro.network @stimulus_r1 dt 1.0 {
  // expected-error @below {{'neuro.stimulus' op has 3 initial values for 2 units}}
  %x = neuro.stimulus @x init(dense<[1.0, 2.0, 3.0]> : tensor<3xf32>) : tensor<2xf32>
}

// -----

neuro.network @stimulus_r2 dt 1.0 {
  // expected-error @below {{'neuro.stimulus' op range must be [lo, hi] with lo < hi}}
  %x = neuro.stimulus @x range [1.0, 0.0] : tensor<2xf32>
}

// -----

neuro.network @spike_array_r1 dt 1.0 {
  // expected-error @below {{'neuro.spike_array' op events must be a k x 2 table of i64 (tick, unit), got 'tensor<2xi64>'}}
  %x = neuro.spike_array @x events(dense<[1, 2]> : tensor<2xi64>) : tensor<2xi1>
}

// -----

neuro.network @spike_array_r2_unit dt 1.0 {
  // expected-error @below {{'neuro.spike_array' op event 0 has unit 2, which does not exist}}
  %x = neuro.spike_array @x events(dense<[[1, 2]]> : tensor<1x2xi64>) : tensor<2xi1>
}

// -----

neuro.network @spike_array_r2_tick dt 1.0 {
  // expected-error @below {{'neuro.spike_array' op event 0 has tick -1, which is before the start}}
  %x = neuro.spike_array @x events(dense<[[-1, 1]]> : tensor<1x2xi64>) : tensor<2xi1>
}

// -----

neuro.network @probe_r1 dt 1.0 {
  %x = neuro.stimulus @x : tensor<2xf32>
  // expected-error @below {{'neuro.probe' op 'every' must be at least 1, got 0}}
  neuro.probe @p %x every 0 : tensor<2xf32>
}

// -----

neuro.network @watch_r1 dt 1.0 {
  // expected-error @below {{'neuro.watch' op 'every' must be at least 1, got 0}}
  neuro.watch @p @E["v"] every 0
}

// -----

neuro.network @watch_r2_population dt 1.0 {
  // expected-error @below {{'neuro.watch' op watches population 'E', which is not defined in this network}}
  neuro.watch @p @E["v"]
}

// -----

neuro.model @m {
  neuro.state @v init 0.0
  neuro.stage @s {}
}
neuro.network @watch_r2_state dt 1.0 {
  neuro.population @A of @m shape [2] : () -> ()
  // expected-error @below {{'neuro.watch' op watches 'u', which is not a state of model 'm'}}
  neuro.watch @p @A["u"]
}

// -----

neuro.network @plastic_r1_weight dt 1.0 {
  %x = neuro.stimulus @x : tensor<2xf32>
  // expected-error @below {{'neuro.plastic' op uses weight 'W', which is not defined in this network}}
  neuro.plastic @p on @W rule @r pre %x post %x : tensor<2xf32>, tensor<2xf32>
}

// -----

neuro.network @plastic_r1_rule dt 1.0 {
  %x = neuro.stimulus @x : tensor<2xf32>
  neuro.weight @W pre [2] post [2] connect #neuro.dense values 1.0
  // expected-error @below {{'neuro.plastic' op uses rule 'r', which is not defined}}
  neuro.plastic @p on @W rule @r pre %x post %x : tensor<2xf32>, tensor<2xf32>
}

// -----

neuro.rule @r {
}
neuro.network @plastic_r2 dt 1.0 {
  %x = neuro.stimulus @x : tensor<2xf32>
  neuro.weight @W pre [2] post [3] connect #neuro.dense values 1.0
  // expected-error @below {{'neuro.plastic' op joins 2 to 2 units, weight 'W' has 2 and 3}}
  neuro.plastic @p on @W rule @r pre %x post %x : tensor<2xf32>, tensor<2xf32>
}

// -----

neuro.rule @r {
}
neuro.network @plastic_r3_count dt 1.0 {
  %x = neuro.stimulus @x : tensor<2xf32>
  neuro.weight @W pre [2] post [2] connect #neuro.dense values 1.0
  // expected-error @below {{'neuro.plastic' op has 1 factors but 2 names}}
  neuro.plastic @p on @W rule @r pre %x post %x factors(%x) as ["a", "b"] : tensor<2xf32>, tensor<2xf32>, tensor<2xf32>
}

// -----

neuro.rule @r {
}
neuro.network @plastic_r3_unknown dt 1.0 {
  %x = neuro.stimulus @x : tensor<2xf32>
  neuro.weight @W pre [2] post [2] connect #neuro.dense values 1.0
  // expected-error @below {{'neuro.plastic' op connects 'a', which is not a factor of rule 'r'}}
  neuro.plastic @p on @W rule @r pre %x post %x factors(%x) as ["a"] : tensor<2xf32>, tensor<2xf32>, tensor<2xf32>
}

// -----

neuro.rule @r {
  neuro.factor @a on post
}
neuro.network @plastic_r3_twice dt 1.0 {
  %x = neuro.stimulus @x : tensor<2xf32>
  neuro.weight @W pre [2] post [2] connect #neuro.dense values 1.0
  // expected-error @below {{'neuro.plastic' op connects factor 'a' twice}}
  neuro.plastic @p on @W rule @r pre %x post %x factors(%x, %x) as ["a", "a"] : tensor<2xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>
}

// -----

neuro.rule @r {
  neuro.factor @a on scalar
}
neuro.network @plastic_r3_extent dt 1.0 {
  %x = neuro.stimulus @x : tensor<2xf32>
  neuro.weight @W pre [2] post [2] connect #neuro.dense values 1.0
  // expected-error @below {{'neuro.plastic' op factor 'a' needs 1 values, got 'tensor<2xf32>'}}
  neuro.plastic @p on @W rule @r pre %x post %x factors(%x) as ["a"] : tensor<2xf32>, tensor<2xf32>, tensor<2xf32>
}

// -----

neuro.rule @r {
  neuro.factor @a on scalar
}
neuro.network @plastic_r3_missing dt 1.0 {
  %x = neuro.stimulus @x : tensor<2xf32>
  neuro.weight @W pre [2] post [2] connect #neuro.dense values 1.0
  // expected-error @below {{'neuro.plastic' op does not connect factor 'a' of rule 'r'}}
  neuro.plastic @p on @W rule @r pre %x post %x : tensor<2xf32>, tensor<2xf32>
}

// -----

neuro.rule @r {
  neuro.on pre {}
}
neuro.network @plastic_r4_pre dt 1.0 {
  %x = neuro.stimulus @x : tensor<2xf32>
  neuro.weight @W pre [2] post [2] connect #neuro.dense values 1.0
  // expected-error @below {{'neuro.plastic' op rule 'r' has a handler 'on pre', which needs a spike signal; the pre signal is real: use 'on tick', or an equation of the trace}}
  neuro.plastic @p on @W rule @r pre %x post %x : tensor<2xf32>, tensor<2xf32>
}

// -----

neuro.rule @r {
  neuro.on post {}
}
neuro.network @plastic_r4_post dt 1.0 {
  %x = neuro.stimulus @x : tensor<2xf32>
  neuro.weight @W pre [2] post [2] connect #neuro.dense values 1.0
  // expected-error @below {{'neuro.plastic' op rule 'r' has a handler 'on post', which needs a spike signal; the post signal is real: use 'on tick', or an equation of the trace}}
  neuro.plastic @p on @W rule @r pre %x post %x : tensor<2xf32>, tensor<2xf32>
}

// -----

neuro.rule @r {
  neuro.trace @t on pre {} spike {
    %c = arith.constant 1.0 : f64
    neuro.set @t, %c
  }
}
neuro.network @plastic_r4_trace dt 1.0 {
  %x = neuro.stimulus @x : tensor<2xf32>
  neuro.weight @W pre [2] post [2] connect #neuro.dense values 1.0
  // expected-error @below {{'neuro.plastic' op rule 'r' has a trace with a spike region, which needs a spike signal; the pre signal is real: use 'on tick', or an equation of the trace}}
  neuro.plastic @p on @W rule @r pre %x post %x : tensor<2xf32>, tensor<2xf32>
}

// -----

neuro.rule @r {
}
neuro.network @plastic_r5 dt 1.0 {
  %x = neuro.stimulus @x : tensor<2xf32>
  neuro.weight @W pre [2] post [2] connect #neuro.dense values 1.0
  // expected-error @below {{'neuro.plastic' op sets 'eta', which is not a parameter of rule 'r' with one number}}
  neuro.plastic @p on @W rule @r pre %x post %x params {eta = 1.0 : f64} : tensor<2xf32>, tensor<2xf32>
}

// -----

neuro.rule @r {
}
neuro.network @plastic_r6 dt 1.0 {
  %x = neuro.stimulus @x : tensor<2xf32>
  neuro.weight @W pre [2] post [2] connect #neuro.dense values 1.0
  // expected-error @below {{'neuro.plastic' op delay must not be negative, got -3}}
  neuro.plastic @p on @W rule @r pre %x post %x delay -3 : tensor<2xf32>, tensor<2xf32>
}

// -----

neuro.rule @r {
  neuro.state @e init 0.0
}
neuro.network @plastic_r7_state dt 1.0 {
  %x = neuro.stimulus @x : tensor<16xf32>
  %y = neuro.stimulus @y : tensor<4xf32>
  neuro.weight @W pre [1, 4, 4] post [1, 2, 2] connect #neuro.conv<kernel = [3, 3], strides = [1, 1], pads = [0, 0, 0, 0], dilations = [1, 1], groups = 1> values 1.0
  // expected-error @below {{'neuro.plastic' op rule 'r' keeps a state for each synapse, which the shared values of a convolution cannot}}
  neuro.plastic @p on @W rule @r pre %x post %y : tensor<16xf32>, tensor<4xf32>
}

// -----

neuro.rule @r {
  neuro.on pre {}
}
neuro.network @plastic_r7_event dt 1.0 {
  %x = neuro.stimulus @x : tensor<16xi1>
  %y = neuro.stimulus @y : tensor<4xf32>
  neuro.weight @W pre [1, 4, 4] post [1, 2, 2] connect #neuro.conv<kernel = [3, 3], strides = [1, 1], pads = [0, 0, 0, 0], dilations = [1, 1], groups = 1> values 1.0
  // expected-error @below {{'neuro.plastic' op rule 'r' acts on single spikes; a convolution's values are shared and change by 'on tick' or 'on call' only}}
  neuro.plastic @p on @W rule @r pre %x post %y : tensor<16xi1>, tensor<4xf32>
}

// -----

neuro.network @pc_layer_r1 dt 1.0 {
  %x = neuro.stimulus @x : tensor<4xf32>
  neuro.weight @W pre [4] post [2] connect #neuro.dense values 1.0
  // expected-error @below {{'neuro.pc_layer' op needs a dense weight 'W' from 2 values to 4 units}}
  %v, %e = neuro.pc_layer @L predicts %x through @W rate 0.1 : tensor<4xf32> -> tensor<2xf32>, tensor<4xf32>
}

// -----

neuro.network @pc_layer_r2_error dt 1.0 {
  %x = neuro.stimulus @x : tensor<4xf32>
  // expected-error @below {{'neuro.pc_layer' op error has 3 units, the layer below 4}}
  %v, %e = neuro.pc_layer @L predicts %x through @W rate 0.1 : tensor<4xf32> -> tensor<2xf32>, tensor<3xf32>
}

// -----

neuro.network @pc_layer_r2_top_down dt 1.0 {
  %x = neuro.stimulus @x : tensor<4xf32>
  // expected-error @below {{'neuro.pc_layer' op top-down error has 4 units, the value 2}}
  %v, %e = neuro.pc_layer @L predicts %x through @W top_down %x : tensor<4xf32> rate 0.1 : tensor<4xf32> -> tensor<2xf32>, tensor<4xf32>
}

// -----

neuro.network @pc_layer_r3 dt 1.0 {
  %x = neuro.stimulus @x : tensor<4xf32>
  // expected-error @below {{'neuro.pc_layer' op needs rate > 0, precision > 0 and prior >= 0}}
  %v, %e = neuro.pc_layer @L predicts %x through @W rate 0.0 : tensor<4xf32> -> tensor<2xf32>, tensor<4xf32>
}

// -----

neuro.network @associative_memory_r1 dt 1.0 {
  %x = neuro.stimulus @x : tensor<4xf32>
  neuro.weight @W pre [4] post [2] connect #neuro.dense values 1.0
  // expected-error @below {{'neuro.associative_memory' op needs a dense or all-to-all weight 'W' from 4 to 4 units, and a state of the cue's type}}
  %s = neuro.associative_memory @M cue %x through @W learning_rate 0.1 : tensor<4xf32>
}

// -----

// expected-error @below {{'neuro.network' op batch must be at least 1, got 0}}
neuro.network @network_r5 dt 1.0 batch 0 {
}

// -----

neuro.model @winners {
  neuro.stage @s {
    %c = arith.constant 1.0 : f64
    %r = neuro.reduce sum %c over units group 4
  }
}
neuro.network @population_r8 dt 1.0 {
  // expected-error @below {{'neuro.population' op has 6 units, which groups of 4 do not divide}}
  neuro.population @A of @winners shape [6] : () -> ()
}

// -----

neuro.model @m {
  neuro.state @v init 0.0
  neuro.stage @s {}
}
neuro.network @population_r6_batch dt 1.0 batch 3 {
  // expected-error @below {{'neuro.population' op gives 4 values of 'v' for 2 units}}
  neuro.population @A of @m shape [2] init {v = dense<[1.0, 2.0, 3.0, 4.0]> : tensor<4xf64>} : () -> ()
}

// -----

neuro.network @stimulus_r1_batch dt 1.0 batch 3 {
  // expected-error @below {{'neuro.stimulus' op has 4 initial values for 2 units}}
  %x = neuro.stimulus @x init(dense<[1.0, 2.0, 3.0, 4.0]> : tensor<4xf64>) : tensor<2xf32>
}

// -----

neuro.model @relay {
  neuro.input @x
  neuro.output @y : f64
  neuro.stage @pass {
    %x = neuro.get @x
    neuro.emit @y, %x : f64
  }
}
neuro.network @population_r9 dt 1.0 {
  %x = neuro.stimulus @x : tensor<2xf32>
  // expected-error @below {{'neuro.population' op is a plant, whose outputs take at least one tick; give the projection a delay, or delay the signal}}
  %p = neuro.population @P of @relay shape [2] inputs(%x) ports ["x"] plant : (tensor<2xf32>) -> tensor<2xf32>
  // expected-note @below {{read in the same tick here}}
  %a = neuro.population @A of @relay shape [2] inputs(%p) ports ["x"] : (tensor<2xf32>) -> tensor<2xf32>
}

// -----

neuro.model @relay {
  neuro.input @x
  neuro.output @y : f64
  neuro.stage @pass {
    %x = neuro.get @x
    neuro.emit @y, %x : f64
  }
}
neuro.network @population_r9_projection dt 1.0 {
  %x = neuro.stimulus @x : tensor<2xf32>
  neuro.weight @W pre [2] post [2] connect #neuro.dense values 1.0
  // expected-error @below {{'neuro.population' op is a plant, whose outputs take at least one tick; give the projection a delay, or delay the signal}}
  %p = neuro.population @P of @relay shape [2] inputs(%x) ports ["x"] plant : (tensor<2xf32>) -> tensor<2xf32>
  %i = neuro.project %p through @W : tensor<2xf32> -> tensor<2xf32>
  %double = arith.addf %i, %i : tensor<2xf32>
  // expected-note @below {{read in the same tick here}}
  %a = neuro.population @A of @relay shape [2] inputs(%double) ports ["x"] : (tensor<2xf32>) -> tensor<2xf32>
}

// -----

neuro.rule @r {
  neuro.on tick {}
}
neuro.model @source {
  neuro.output @y : f64
  neuro.stage @pass {
    %t = neuro.time
    neuro.emit @y, %t : f64
  }
}
neuro.network @population_r9_plastic dt 1.0 {
  // expected-error @below {{'neuro.population' op is a plant, whose outputs take at least one tick; give the projection a delay, or delay the signal}}
  %p = neuro.population @P of @source shape [2] plant : () -> tensor<2xf32>
  neuro.weight @W pre [2] post [2] connect #neuro.dense values 1.0
  neuro.weight @V pre [2] post [2] connect #neuro.dense values 1.0
  %late = neuro.delay %p by 1 : tensor<2xf32>
  neuro.plastic @late on @V rule @r pre %p post %late delay 1 : tensor<2xf32>, tensor<2xf32>
  // expected-note @below {{read in the same tick here}}
  neuro.plastic @now on @W rule @r pre %late post %p delay 1 : tensor<2xf32>, tensor<2xf32>
}

// -----

neuro.model @source {
  neuro.param @a = 1.0
  neuro.output @y : f64
  neuro.stage @pass {
    %t = neuro.get @a
    neuro.emit @y, %t : f64
  }
}
neuro.network @probe_r2_name dt 1.0 {
  %p = neuro.population @P of @source shape [2] : () -> tensor<2xf32>
  // expected-error @below {{'neuro.probe' op asks for the derivative with respect to 'P.b', which is not a parameter POPULATION.NAME of this network}}
  neuro.probe @d %p wrt "P.b" : tensor<2xf32>
}

// -----

neuro.model @source {
  neuro.param @a = 1.0
  neuro.output @y : i1
  neuro.stage @pass {
    %t = neuro.get @a
    %s = arith.cmpf ogt, %t, %t : f64
    neuro.emit @y, %s : i1
  }
}
neuro.network @probe_r2_spikes dt 1.0 {
  %p = neuro.population @P of @source shape [2] : () -> tensor<2xi1>
  // expected-error @below {{'neuro.probe' op asks for the derivative of spikes; record a real signal}}
  neuro.probe @d %p wrt "P.a" : tensor<2xi1>
}
