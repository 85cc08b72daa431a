// RUN: neuroc-opt %s --split-input-file --verify-diagnostics
// One case per rule of datasets, experiments and their steps.

// expected-error @below {{'neuro.dataset' op needs exactly one of 'values' and 'file'}}
neuro.dataset @dataset_r1

// -----

// expected-error @below {{'neuro.dataset' op values need at least one dimension (rows first)}}
neuro.dataset @dataset_r2 values dense<1.0> : tensor<f32>

// -----

neuro.network @n dt 1.0 {
}
neuro.experiment @experiment_r1 on @n {
  // expected-error @below {{'arith.constant' op may not stand in an experiment; expected protocol steps}}
  %c = arith.constant 1.0 : f64
}

// -----

// expected-error @below {{'neuro.experiment' op runs network 'n', which is not defined}}
neuro.experiment @experiment_r2_network on @n {
}

// -----

neuro.network @n dt 1.0 {
}
neuro.experiment @experiment_r2_stimulus on @n {
  // expected-error @below {{'neuro.present' op names 'x', which is not a stimulus of network 'n'}}
  neuro.present @x values 1.0
}

// -----

neuro.network @n dt 1.0 {
  %x = neuro.stimulus @x : tensor<2xf32>
}
neuro.experiment @experiment_r2_dataset on @n {
  // expected-error @below {{'neuro.present' op names dataset 'd', which is not defined}}
  neuro.present @x from @d row 0
}

// -----

neuro.model @m {
  neuro.state @v init 0.0
  neuro.stage @s {}
}
neuro.network @n dt 1.0 {
  neuro.population @A of @m shape [2] : () -> ()
}
neuro.experiment @experiment_r2_state on @n {
  // expected-error @below {{'neuro.assign' op names 'u', which is not a state of model 'm'}}
  neuro.assign @A["u"] to 0.0
}

// -----

neuro.network @n dt 1.0 {
}
neuro.experiment @experiment_r2_population on @n {
  // expected-error @below {{'neuro.release' op names 'A', which is not a population of network 'n'}}
  neuro.release @A["v"]
}

// -----

neuro.network @n dt 1.0 {
}
neuro.experiment @experiment_r2_weight on @n {
  // expected-error @below {{'neuro.assign' op names 'W', which is not a weight of network 'n'}}
  neuro.assign @W to 0.0
}

// -----

neuro.network @n dt 1.0 {
}
neuro.experiment @experiment_r2_plastic on @n {
  // expected-error @below {{'neuro.enable' op names 'p', which is not a plasticity of network 'n'}}
  neuro.enable @p
}

// -----

neuro.network @n dt 1.0 {
}
neuro.experiment @experiment_r2_settle on @n {
  // expected-error @below {{'neuro.settle' op names 'p', which is not a probe of network 'n'}}
  neuro.settle @p below 0.1 max 10
}

// -----

neuro.network @n dt 1.0 {
}
neuro.experiment @experiment_r2_readout on @n {
  // expected-error @below {{'neuro.readout' op names 'p', which is not a probe, watch or weight of network 'n'}}
  neuro.readout "t" from @p
}

// -----

neuro.network @n dt 1.0 {
}
neuro.experiment @experiment_r2_snapshot on @n {
  // expected-error @below {{'neuro.snapshot' op names 'W', which is not a weight, population or plasticity of network 'n'}}
  neuro.snapshot "s" of [@W]
}

// -----

neuro.network @n dt 1.0 {
}
neuro.experiment @repeat_r1 on @n {
  // expected-error @below {{'neuro.repeat' op count must not be negative, got -1}}
  neuro.repeat -1 {}
}

// -----

neuro.experiment @for_each_r1 on @n {
  // expected-error @below {{'neuro.for_each' op rows must be [first, last] with 0 <= first <= last}}
  neuro.for_each @d rows [3, 1] {}
}

// -----

neuro.experiment @present_r1 on @n {
  // expected-error @below {{'neuro.present' op needs exactly one of values and a dataset}}
  neuro.present @x
}

// -----

neuro.experiment @present_r2 on @n {
  // expected-error @below {{'neuro.present' op needs a row, or a for_each around it, to choose a row of dataset 'd'}}
  neuro.present @x from @d
}

// -----

neuro.experiment @clamp_r1 on @n {
  // expected-error @below {{'neuro.clamp' op needs exactly one of values and a dataset}}
  neuro.clamp @A["v"]
}

// -----

neuro.experiment @assign_r1 on @n {
  // expected-error @below {{'neuro.assign' op needs exactly one of values and a dataset}}
  neuro.assign @A["v"] to 1.0 from @d row 1
}

// -----

neuro.network @n dt 1.0 {
}
neuro.experiment @step_r1 on @n {
  // expected-error @below {{'neuro.step' op ticks must not be negative, got -1}}
  neuro.step -1
}

// -----

neuro.experiment @settle_r1 on @n {
  // expected-error @below {{'neuro.settle' op needs a positive bound and at least one tick}}
  neuro.settle @p below 0.0 max 10
}

// -----

neuro.experiment @expect_r1 on @n {
  // expected-error @below {{'neuro.expect' op needs a bound: min, max or both}}
  neuro.expect "mean" of "t"
}

// -----

neuro.experiment @expect_r2 on @n {
  // expected-error @below {{'neuro.expect' op min must not exceed max}}
  neuro.expect "mean" of "t" min 1.0 max 0.0
}

// -----

neuro.network @n dt 1.0 {
  // expected-error @below {{'neuro.step' op expects parent op to be one of 'neuro.experiment, neuro.phase, neuro.repeat, neuro.for_each, neuro.if, neuro.while'}}
  neuro.step 3
}

// -----

neuro.rule @r {
  neuro.on tick {
  }
}
neuro.network @n dt 1.0 {
  %x = neuro.stimulus @x : tensor<1xf32>
  neuro.weight @W pre [1] post [1] connect #neuro.dense values 0.0
  neuro.plastic @p on @W rule @r pre %x post %x : tensor<1xf32>, tensor<1xf32>
}
neuro.experiment @experiment_r2_call on @n {
  // expected-error @below {{'neuro.call' op calls 'p', but rule 'r' has no handler 'on call'}}
  neuro.call @p
}
