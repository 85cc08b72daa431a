// RUN: neuroc-opt %s --split-input-file --verify-diagnostics --neuro-to-core --spinn-materialize-signals --spinn-assign-formats --spinn-partition --spinn-place --spinn-route
// What the mapping passes refuse, each with the place in the model.

neuro.model @wide {
  neuro.input @i
  neuro.output @y : f64
  neuro.stage @s {
    %i = neuro.get @i
    neuro.emit @y, %i : f64
  }
}
neuro.network @too_many_cores dt 1.0 {
  %x = neuro.stimulus @x range [-1.0, 1.0] : tensor<4xf32>
  neuro.weight @W pre [4] post [900000] connect #neuro.dense values 0.25
  %p = neuro.project %x through @W : tensor<4xf32> -> tensor<900000xf32>
  // expected-error @below {{the network needs}}
  // expected-note @below {{a larger machine}}
  %y = neuro.population @y of @wide shape [900000] inputs(%p) ports ["i"] : (tensor<900000xf32>) -> tensor<900000xf32>
}

// -----

neuro.model @slow {
  neuro.input @i
  neuro.output @spike : i1
  neuro.stage @s {
    %i = neuro.get @i
    %one = arith.constant 1.0 : f64
    %fires = arith.cmpf oge, %i, %one : f64
    neuro.emit @spike, %fires : i1
  }
}
neuro.network @ring_too_long dt 0.1 {
  %a = neuro.spike_array @a events(dense<[[0, 0]]> : tensor<1x2xi64>) : tensor<1xi1>
  neuro.weight @W pre [1] post [1] connect #neuro.dense values 1.0
  %p = neuro.project %a through @W delay 60000 : tensor<1xi1> -> tensor<1xf32>
  // expected-error @below {{'y' does not fit a core: one unit needs}}
  // expected-note @below {{shorter delays or a longer time step help}}
  %y = neuro.population @y of @slow shape [1] inputs(%p) ports ["i"] : (tensor<1xf32>) -> tensor<1xi1>
}

// -----

neuro.model @pass {
  neuro.input @i
  neuro.output @y : f64
  neuro.stage @s {
    %i = neuro.get @i
    neuro.emit @y, %i : f64
  }
}
neuro.network @tensor_op dt 1.0 {
  %x = neuro.stimulus @x range [-1.0, 1.0] : tensor<4xf32>
  // expected-error @below {{unsupported: 'arith.addf' between nodes on the SpiNNaker target; only populations, projections, delays and sources can be mapped}}
  %sum = arith.addf %x, %x : tensor<4xf32>
  %y = neuro.population @y of @pass shape [4] inputs(%sum) ports ["i"] : (tensor<4xf32>) -> tensor<4xf32>
}

// -----

neuro.network @probed_tensor_op dt 1.0 {
  %x = neuro.stimulus @x range [-1.0, 1.0] : tensor<4xf32>
  // expected-note @below {{computed here}}
  %sum = arith.addf %x, %x : tensor<4xf32>
  // expected-error @below {{unsupported: a signal of 'arith.addf' on the SpiNNaker target}}
  neuro.probe @p %sum : tensor<4xf32>
}

// -----

neuro.model @pass {
  neuro.input @i
  neuro.output @y : f64
  neuro.stage @s {
    %i = neuro.get @i
    neuro.emit @y, %i : f64
  }
}
neuro.network @graded_delays dt 1.0 {
  %x = neuro.stimulus @x range [-1.0, 1.0] : tensor<4xf32>
  neuro.weight @W pre [4] post [4] connect #neuro.dense values 1.0
  // expected-error @below {{has a delay for each synapse, which the SpiNNaker target supports for spikes through a weight that does not learn; give it one `delay`}}
  %p = neuro.project %x through @W delays(#neuro.dist<uniform(1.0, 5.0)>) : tensor<4xf32> -> tensor<4xf32>
  %y = neuro.population @y of @pass shape [4] inputs(%p) ports ["i"] : (tensor<4xf32>) -> tensor<4xf32>
}
