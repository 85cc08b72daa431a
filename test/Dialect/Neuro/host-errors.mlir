// RUN: neuroc-opt %s --split-input-file --verify-diagnostics
// One case per rule of what the host computes in an experiment.

neuro.network @n dt 1.0 {
}
neuro.experiment @calc_r1_name on @n {
  %a = neuro.literal dense<1.0> : tensor<f64>
  // expected-error @below {{'neuro.calc' op calls 'plus', which is not a function of the host}}
  %b = neuro.calc "plus"(%a, %a)
}

// -----

neuro.network @n dt 1.0 {
}
neuro.experiment @calc_r1_operands on @n {
  %a = neuro.literal dense<1.0> : tensor<f64>
  // expected-error @below {{'neuro.calc' op calls 'add', written add(a, b), with 1 operands}}
  %b = neuro.calc "add"(%a)
}

// -----

neuro.network @n dt 1.0 {
}
neuro.experiment @calc_r1_options on @n {
  %a = neuro.literal dense<1.0> : tensor<f64>
  // expected-error @below {{'neuro.calc' op gives 'exp' options; it takes none}}
  %b = neuro.calc "exp"(%a) options [0]
}

// -----

neuro.network @n dt 1.0 {
}
neuro.experiment @calc_r1_axes on @n {
  %a = neuro.literal dense<1.0> : tensor<f64>
  // expected-error @below {{'neuro.calc' op gives 'sum' options; one axis is expected}}
  %b = neuro.calc "sum"(%a) options [0, 1]
}

// -----

neuro.network @n dt 1.0 {
}
neuro.experiment @store_r1 on @n {
  %a = neuro.literal dense<1.0> : tensor<f64>
  // expected-error @below {{'neuro.store' op cannot change a dataset; store into a variable}}
  neuro.store %a into dataset "d"
}

// -----

neuro.network @n dt 1.0 {
}
neuro.experiment @store_r2 on @n {
  %a = neuro.literal dense<1.0> : tensor<f64>
  // expected-error @below {{'neuro.store' op only a state can be clamped}}
  neuro.store %a into variable "d" clamp
}

// -----

neuro.network @n dt 1.0 {
}
neuro.experiment @while_r1 on @n {
  // expected-error @below {{'neuro.while' op max must be at least 1, got 0}}
  neuro.while {
    %a = neuro.literal dense<1.0> : tensor<f64>
    neuro.store %a into variable "done"
  } until "done" max 0 {
    neuro.step 1
  }
}

// -----

neuro.network @n dt 1.0 {
}
neuro.experiment @while_r2 on @n {
  // expected-error @below {{'neuro.while' op the condition does not store variable 'done'}}
  neuro.while {
    neuro.step 1
  } until "done" max 1 {
    neuro.step 1
  }
}

// -----

neuro.network @n dt 1.0 {
  %x = neuro.stimulus @x : tensor<2xf32>
  neuro.dataset @d values dense<1.0> : tensor<3x2xf32>
}
neuro.experiment @stream_r1 on @n {
  // expected-error @below {{'neuro.stream' op needs one dataset for each stimulus, and at least one}}
  neuro.stream [@x] from []
}

// -----

neuro.network @n dt 1.0 {
  %x = neuro.stimulus @x : tensor<2xf32>
  neuro.dataset @d values dense<1.0> : tensor<3x2xf32>
}
neuro.experiment @stream_r2 on @n {
  // expected-error @below {{'neuro.stream' op 'every' must be at least 1, and rows [first, last] with 0 <= first <= last}}
  neuro.stream [@x] from [@d] every 0
}

// -----

neuro.network @n dt 1.0 {
  neuro.dataset @d values dense<1.0> : tensor<3x2xf32>
}
neuro.experiment @experiment_r2_stream on @n {
  // expected-error @below {{'neuro.stream' op names 'x', which is not a stimulus of network 'n'}}
  neuro.stream [@x] from [@d]
}

// -----

neuro.rule @r {
  neuro.state @e init 0.0
  neuro.on tick {
  }
}
neuro.network @n dt 1.0 {
  %x = neuro.stimulus @x : tensor<2xf32>
  neuro.weight @W pre [2] post [2] connect #neuro.dense values 1.0
  neuro.plastic @p on @W rule @r pre %x post %x : tensor<2xf32>, tensor<2xf32>
}
neuro.experiment @experiment_r2_synapses on @n {
  // expected-error @below {{'neuro.read' op names 'f', which is not a state of rule 'r'}}
  %a = neuro.read state "p"["f"]
}

// -----

neuro.network @n dt 1.0 {
}
neuro.experiment @experiment_r2_state on @n {
  // expected-error @below {{'neuro.read' op needs the name of a state of 'p'}}
  %a = neuro.read state "p"
}

// -----

neuro.network @n dt 1.0 {
}
neuro.experiment @experiment_r2_snapshot on @n {
  // expected-error @below {{'neuro.read' op a snapshot holds states and weights only}}
  %a = neuro.read variable "k" snapshot "s"
}

// -----

neuro.network @n dt 1.0 {
  neuro.dataset @d values dense<1.0> : tensor<3x2xf32>
}
neuro.experiment @experiment_r2_current on @n {
  // expected-error @below {{'neuro.read' op only a dataset inside a for_each has a current row}}
  %a = neuro.read dataset "d" current
}

// -----

neuro.network @n dt 1.0 {
  %x = neuro.stimulus @x : tensor<2xf32>
  neuro.probe @y %x : tensor<2xf32>
}
neuro.experiment @experiment_r2_samples on @n {
  // expected-error @below {{'neuro.read' op reads a signal's samples, not its 'values'}}
  %a = neuro.read signal "y"["values"]
}
