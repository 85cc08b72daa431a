// RUN: neuroc-opt %s --split-input-file --verify-diagnostics \
// RUN:   --xbar-assign-formats --xbar-quantize-weights --xbar-map-arrays
//
// Refusals of the mapping passes, each with its remedy.

// AssignFormats
// expected-error @below {{expected one network and one machine in the module, found 1 and 0}}
module {
neuro.model @unit {
  neuro.input @a range [-1.0, 1.0]
  neuro.input @b range [-1.0, 1.0]
  neuro.output @y : f64 range [-1.0, 1.0]
  neuro.stage @update {
    %a = neuro.get @a
    %b = neuro.get @b
    %y = arith.addf %a, %b : f64
    neuro.emit @y, %y : f64
  }
}
neuro.network @net dt 1.0 {
  %x = neuro.stimulus @x range [-1.0, 1.0] : tensor<4xf32>
  %p = neuro.population @p of @unit shape [4] inputs(%x) ports ["a"] : (tensor<4xf32>) -> tensor<4xf32>
}
}

// -----

// NetworkView: tensor operations between nodes
xbar.machine @machine source "m" mesh [2, 2] arrays 4 of [8, 8]
    cell_bits 2 adc_bits 8 memory 4096
neuro.model @unit {
  neuro.input @a range [-1.0, 1.0]
  neuro.input @b range [-1.0, 1.0]
  neuro.output @y : f64 range [-1.0, 1.0]
  neuro.stage @update {
    %a = neuro.get @a
    %b = neuro.get @b
    %y = arith.addf %a, %b : f64
    neuro.emit @y, %y : f64
  }
}
neuro.network @net dt 1.0 {
  %x = neuro.stimulus @x range [-1.0, 1.0] : tensor<4xf32>
  %p = neuro.population @p of @unit shape [4] inputs(%x) ports ["a"] : (tensor<4xf32>) -> tensor<4xf32>
  // expected-error @below {{unsupported: operation 'arith.mulf' stands between two nodes, which only projections and delays may on a crossbar machine; write it as a population without state}}
  %m = arith.mulf %p, %p : tensor<4xf32>
  %q = neuro.population @q of @unit shape [4] inputs(%m) ports ["a"] : (tensor<4xf32>) -> tensor<4xf32>
}

// -----

// NetworkView: one result, two ports (xbar-insert-relays has not run)
xbar.machine @machine source "m" mesh [2, 2] arrays 4 of [8, 8]
    cell_bits 2 adc_bits 8 memory 4096
neuro.model @unit {
  neuro.input @a range [-1.0, 1.0]
  neuro.input @b range [-1.0, 1.0]
  neuro.output @y : f64 range [-1.0, 1.0]
  neuro.stage @update {
    %a = neuro.get @a
    %b = neuro.get @b
    %y = arith.addf %a, %b : f64
    neuro.emit @y, %y : f64
  }
}
neuro.network @net dt 1.0 {
  %x = neuro.stimulus @x range [-1.0, 1.0] : tensor<4xf32>
  neuro.weight @W pre [4] post [4] connect #neuro.dense values dense<0.2> : tensor<4x4xf64> bounds [-1.0, 1.0]
  // expected-error @below {{unsupported: the result of one projection feeds two input ports; write the projection twice}}
  %i = neuro.project %x through @W : tensor<4xf32> -> tensor<4xf32>
  %p = neuro.population @p of @unit shape [4] inputs(%i, %i) ports ["a", "b"] : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
}

// -----

// NetworkView: a probe of something else than a node
xbar.machine @machine source "m" mesh [2, 2] arrays 4 of [8, 8]
    cell_bits 2 adc_bits 8 memory 4096
neuro.model @unit {
  neuro.input @a range [-1.0, 1.0]
  neuro.input @b range [-1.0, 1.0]
  neuro.output @y : f64 range [-1.0, 1.0]
  neuro.stage @update {
    %a = neuro.get @a
    %b = neuro.get @b
    %y = arith.addf %a, %b : f64
    neuro.emit @y, %y : f64
  }
}
neuro.network @net dt 1.0 {
  %x = neuro.stimulus @x range [-1.0, 1.0] : tensor<4xf32>
  %p = neuro.population @p of @unit shape [4] inputs(%x) ports ["a"] : (tensor<4xf32>) -> tensor<4xf32>
  %d = neuro.delay %p by 2 : tensor<4xf32>
  // expected-error @below {{unsupported: on a crossbar machine a probe reads the output of a node; add an output to the model or watch a state}}
  neuro.probe @r %d : tensor<4xf32>
}

// -----

// QuantizeWeights: learning needs plain sums
xbar.machine @machine source "m" mesh [2, 2] arrays 4 of [8, 8]
    cell_bits 2 adc_bits 8 memory 4096
neuro.model @unit {
  neuro.input @a range [-1.0, 1.0]
  neuro.input @b range [-1.0, 1.0]
  neuro.output @y : f64 range [-1.0, 1.0]
  neuro.stage @update {
    %a = neuro.get @a
    %b = neuro.get @b
    %y = arith.addf %a, %b : f64
    neuro.emit @y, %y : f64
  }
}
neuro.rule @rule {
  neuro.on tick {
    %w = neuro.get @w
    neuro.set @w, %w
  }
}
neuro.network @net dt 1.0 {
  %x = neuro.stimulus @x range [-1.0, 1.0] : tensor<4xf32>
  neuro.weight @W pre [4] post [4] connect #neuro.dense values dense<0.2> : tensor<4x4xf64> bounds [-1.0, 1.0]
  %i = neuro.project %x through @W combine max : tensor<4xf32> -> tensor<4xf32>
  %p = neuro.population @p of @unit shape [4] inputs(%i) ports ["a"] : (tensor<4xf32>) -> tensor<4xf32>
  // expected-error @below {{unsupported: on a crossbar machine the weight 'W' can only learn where all its projections are plain weighted sums with one delay}}
  neuro.plastic @learn on @W rule @rule pre %x post %p : tensor<4xf32>, tensor<4xf32>
}

// -----

// QuantizeWeights: a weight that learns has one home
xbar.machine @machine source "m" mesh [2, 2] arrays 4 of [8, 8]
    cell_bits 2 adc_bits 8 memory 4096
neuro.model @unit {
  neuro.input @a range [-1.0, 1.0]
  neuro.input @b range [-1.0, 1.0]
  neuro.output @y : f64 range [-1.0, 1.0]
  neuro.stage @update {
    %a = neuro.get @a
    %b = neuro.get @b
    %y = arith.addf %a, %b : f64
    neuro.emit @y, %y : f64
  }
}
neuro.rule @rule {
  neuro.on tick {
    %w = neuro.get @w
    neuro.set @w, %w
  }
}
neuro.network @net dt 1.0 {
  %x = neuro.stimulus @x range [-1.0, 1.0] : tensor<4xf32>
  neuro.weight @W pre [4] post [4] connect #neuro.dense values dense<0.2> : tensor<4x4xf64> bounds [-1.0, 1.0]
  %i = neuro.project %x through @W : tensor<4xf32> -> tensor<4xf32>
  %p = neuro.population @p of @unit shape [4] inputs(%i) ports ["a"] : (tensor<4xf32>) -> tensor<4xf32>
  // expected-error @below {{unsupported: the weight 'W' learns or is read transposed, so on a crossbar machine it can lead forward to one population only}}
  %j = neuro.project %x through @W : tensor<4xf32> -> tensor<4xf32>
  %q = neuro.population @q of @unit shape [4] inputs(%j) ports ["a"] : (tensor<4xf32>) -> tensor<4xf32>
  neuro.plastic @learn on @W rule @rule pre %x post %p : tensor<4xf32>, tensor<4xf32>
}

// -----

// MapArrays: one unit needs more memory than a tile has
xbar.machine @machine source "m" mesh [2, 2] arrays 4 of [8, 8]
    cell_bits 2 adc_bits 8 memory 1000
neuro.model @unit {
  neuro.input @a range [-1.0, 1.0]
  neuro.input @b range [-1.0, 1.0]
  neuro.output @y : f64 range [-1.0, 1.0]
  neuro.stage @update {
    %a = neuro.get @a
    %b = neuro.get @b
    %y = arith.addf %a, %b : f64
    neuro.emit @y, %y : f64
  }
}
neuro.network @net dt 1.0 {
  %x = neuro.stimulus @x range [-1.0, 1.0] : tensor<4xf32>
  neuro.weight @W pre [4] post [4] connect #neuro.dense values dense<0.2> : tensor<4x4xf64> bounds [-1.0, 1.0]
  %i = neuro.project %x through @W : tensor<4xf32> -> tensor<4xf32>
  // expected-error-re @below {{does not fit: 1 unit of population 'p' need {{[0-9]+}} arrays and about {{[0-9]+}} words, a tile has 4 arrays and 1000 words; a machine with larger tiles or fewer weight bits would help}}
  %p = neuro.population @p of @unit shape [4] inputs(%i) ports ["a"] : (tensor<4xf32>) -> tensor<4xf32>
}

// -----

// MapArrays: more tiles than the machine has
xbar.machine @machine source "m" mesh [1, 2] arrays 4 of [8, 8]
    cell_bits 2 adc_bits 8 memory 65536
neuro.model @unit {
  neuro.input @a range [-1.0, 1.0]
  neuro.input @b range [-1.0, 1.0]
  neuro.output @y : f64 range [-1.0, 1.0]
  neuro.stage @update {
    %a = neuro.get @a
    %b = neuro.get @b
    %y = arith.addf %a, %b : f64
    neuro.emit @y, %y : f64
  }
}
// expected-error-re @below {{does not fit: network 'net' needs {{[0-9]+}} tiles, machine 'm' has 2}}
neuro.network @net dt 1.0 {
  %x = neuro.stimulus @x range [-1.0, 1.0] : tensor<4xf32>
  neuro.weight @V pre [4] post [64] connect #neuro.dense values dense<0.2> : tensor<64x4xf64> bounds [-1.0, 1.0]
  %i = neuro.project %x through @V : tensor<4xf32> -> tensor<64xf32>
  // expected-note-re @below {{population 'p' takes {{[0-9]+}} of them; a machine with more or larger tiles, fewer weight bits or a sparser weight would help}}
  %p = neuro.population @p of @unit shape [64] inputs(%i) ports ["a"] : (tensor<64xf32>) -> tensor<64xf32>
}
