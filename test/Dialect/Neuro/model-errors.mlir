// RUN: neuroc-opt %s --split-input-file --verify-diagnostics
// One case per rule of models, rules and the scalar code in them.

// model_r1: only declarations and stages
neuro.model @model_r1 {
  // expected-error @below {{'arith.constant' op may not stand in a model; expected param, state, input, output or stage}}
  %c = arith.constant 1.0 : f64
  neuro.stage @s {}
}

// -----

// model_r2: at least one stage
// expected-error @below {{'neuro.model' op has no stage}}
neuro.model @model_r2 {
  neuro.state @v init 0.0
}

// -----

// model_r3: every output is emitted once
neuro.model @model_r3_never {
  // expected-error @below {{'neuro.output' op must be emitted exactly once, found 0 emits}}
  neuro.output @spike : i1
  neuro.stage @s {}
}

// -----

neuro.model @model_r3_twice {
  // expected-error @below {{'neuro.output' op must be emitted exactly once, found 2 emits}}
  neuro.output @value : f64
  neuro.stage @s {
    %c = arith.constant 1.0 : f64
    neuro.emit @value, %c : f64
    neuro.emit @value, %c : f64
  }
}

// -----

neuro.model @state_r1 {
  // expected-error @below {{'neuro.state' op range must be [lo, hi] with lo < hi}}
  neuro.state @v init 0.0 range [1.0, -1.0]
  neuro.stage @s {}
}

// -----

neuro.model @state_r2 {
  // expected-error @below {{'neuro.state' op initial value 2.000000e+00 lies outside of the range [-1.000000e+00, 1.000000e+00]}}
  neuro.state @v init 2.0 range [-1.0, 1.0]
  neuro.stage @s {}
}

// -----

neuro.model @input_r1 {
  // expected-error @below {{'neuro.input' op range must be [lo, hi] with lo < hi}}
  neuro.input @i range [1.0, 1.0]
  neuro.stage @s {}
}

// -----

neuro.model @stage_r1 {
  // expected-error @below {{'neuro.stage' op may hold only scalar code on f64 and i1, got 'arith.constant'}}
  neuro.stage @s {
    // expected-note @below {{operation is here}}
    %c = arith.constant 1.0 : f32
  }
}

// -----

neuro.model @get_r1 {
  neuro.stage @s {
    // expected-error @below {{'neuro.get' op names 'u', which is not declared here}}
    %u = neuro.get @u
  }
}

// -----

neuro.model @get_of_output {
  neuro.output @o : f64
  neuro.stage @s {
    // expected-error @below {{'neuro.get' op reads output 'o'; keep the value in a state to read it}}
    %u = neuro.get @o
    neuro.emit @o, %u : f64
  }
}

// -----

neuro.model @set_r1_undeclared {
  neuro.stage @s {
    %c = arith.constant 1.0 : f64
    // expected-error @below {{'neuro.set' op names 'u', which is not declared here}}
    neuro.set @u, %c
  }
}

// -----

neuro.model @set_r1_param {
  neuro.param @tau = 1.0
  neuro.stage @s {
    %c = arith.constant 1.0 : f64
    // expected-error @below {{'neuro.set' op sets 'tau', which is not a state or the weight}}
    neuro.set @tau, %c
  }
}

// -----

neuro.model @emit_r1_name {
  neuro.state @v init 0.0
  neuro.stage @s {
    %c = arith.constant 1.0 : f64
    // expected-error @below {{'neuro.emit' op names 'v', which is not an output}}
    neuro.emit @v, %c : f64
  }
}

// -----

neuro.model @emit_r1_type {
  neuro.output @o : i1
  neuro.stage @s {
    %c = arith.constant 1.0 : f64
    // expected-error @below {{'neuro.emit' op gives a value of type 'f64' to output 'o' of type 'i1'}}
    neuro.emit @o, %c : f64
  }
}

// -----

neuro.model @diff_r1 {
  neuro.param @v = 0.0
  neuro.stage @s {
    // expected-error @below {{'neuro.diff' op names 'v', which is not a state of this model}}
    neuro.diff @v {
      %c = arith.constant 1.0 : f64
      neuro.yield %c
    }
  }
}

// -----

neuro.model @diff_r2 {
  neuro.state @v init 0.0
  neuro.stage @s {
    // expected-error @below {{'neuro.diff' op may hold only scalar code without set, emit and random, got 'neuro.random'}}
    neuro.diff @v {
      %c = neuro.random uniform
      neuro.yield %c
    }
  }
}

// -----

neuro.model @diff_without_yield {
  neuro.state @v init 0.0
  neuro.stage @s {
    // expected-error @below {{'neuro.diff' op must end with 'neuro.yield'}}
    "neuro.diff"() <{name = @v}> ({
      %c = arith.constant 1.0 : f64
    }) : () -> ()
  }
}

// -----

neuro.model @diff_r3 {
  neuro.state @v init 0.0
  neuro.stage @s {
    // expected-note @below {{first equation is here}}
    neuro.diff @v {
      %c = arith.constant 1.0 : f64
      neuro.yield %c
    }
    // expected-error @below {{'neuro.diff' op is a second equation of 'v' in this region}}
    neuro.diff @v {
      %c = arith.constant 1.0 : f64
      neuro.yield %c
    }
  }
}

// -----

neuro.rule @rule_r1 {
  // expected-error @below {{'neuro.input' op may not stand in a rule; expected param, state, trace, factor or on}}
  neuro.input @i
}

// -----

neuro.rule @rule_r1_code {
  // expected-error @below {{'arith.constant' op may not stand in a rule; expected param, state, trace, factor or on}}
  %c = arith.constant 1.0 : f64
}

// -----

neuro.rule @rule_r2 {
  // expected-note @below {{first handler is here}}
  neuro.on tick {}
  // expected-error @below {{'neuro.on' op is a second handler of 'tick'}}
  neuro.on tick {}
}

// -----

neuro.rule @rule_r3 {
  // expected-error @below {{'neuro.param' op redeclares the predefined name 'w'}}
  neuro.param @w = 1.0
}

// -----

neuro.rule @trace_r1 {
  // expected-error @below {{'neuro.trace' op must be on pre or post, got scalar}}
  neuro.trace @x on scalar {}
}

// -----

neuro.rule @trace_r2 {
  // expected-error @below {{'neuro.trace' op may hold only scalar code on f64 and i1, got 'arith.constant'}}
  neuro.trace @x on pre {
    // expected-note @below {{operation is here}}
    %c = arith.constant 1 : i32
  }
}

// -----

neuro.rule @trace_reads_other_side {
  neuro.trace @x on pre {
    // expected-error @below {{'neuro.get' op reads 'post', which a trace on pre does not have; it is not a quantity of that unit}}
    %y = neuro.get @post
  }
}

// -----

neuro.rule @trace_sets_weight {
  neuro.trace @x on pre {
    %c = arith.constant 1.0 : f64
    // expected-error @below {{'neuro.set' op sets 'w', but the region of trace 'x' may set that trace only}}
    neuro.set @w, %c
  }
}

// -----

neuro.rule @on_r1 {
  // expected-error @below {{'neuro.on' op may hold only scalar code on f64 and i1, got 'arith.constant'}}
  neuro.on tick {
    // expected-note @below {{operation is here}}
    %n = arith.constant 1 : i64
  }
}

// -----

neuro.model @reduce_r1_stage {
  neuro.stage @s {
    %c = arith.constant 1.0 : f64
    // expected-error @below {{'neuro.reduce' op in a stage reduces over units, got 'post'}}
    %r = neuro.reduce sum %c over post
  }
}

// -----

neuro.rule @reduce_r1_handler {
  neuro.on tick {
    %w = neuro.get @w
    // expected-error @below {{'neuro.reduce' op in a handler reduces over post, pre or all, got 'units'}}
    %r = neuro.reduce max %w over units
  }
}

// -----

neuro.rule @reduce_stands_in_a_handler {
  neuro.trace @x on pre {
    %x = neuro.get @x
    // expected-error @below {{'neuro.reduce' op expects parent op to be one of 'neuro.stage, neuro.on'}}
    %r = neuro.reduce max %x over units
  }
}

// -----

neuro.rule @reduce_r2_handler {
  neuro.on tick {
    %w = neuro.get @w
    // expected-error @below {{'neuro.reduce' op 'group' is a positive number of units of a stage}}
    %r = neuro.reduce max %w over post group 2
  }
}

// -----

neuro.model @reduce_r2_zero {
  neuro.stage @s {
    %c = arith.constant 1.0 : f64
    // expected-error @below {{'neuro.reduce' op 'group' is a positive number of units of a stage}}
    %r = neuro.reduce sum %c over units group 0
  }
}

// -----

neuro.model @reduce_r3_missing {
  neuro.stage @s {
    %c = arith.constant 1.0 : f64
    // expected-error @below {{'neuro.reduce' op 'k', at least 1, belongs to 'kth_largest' and to no other kind}}
    %r = neuro.reduce kth_largest %c over units
  }
}

// -----

neuro.model @reduce_r3_other_kind {
  neuro.stage @s {
    %c = arith.constant 1.0 : f64
    // expected-error @below {{'neuro.reduce' op 'k', at least 1, belongs to 'kth_largest' and to no other kind}}
    %r = neuro.reduce sum %c over units k 2
  }
}

// -----

neuro.model @reduce_r4 {
  neuro.stage @s {
    %c = arith.constant 1.0 : f64
    // expected-error @below {{'neuro.reduce' op only a sum has prefixes}}
    %r = neuro.reduce max %c over units prefix
  }
}

// -----

neuro.rule @diff_r4 {
  neuro.state @e init 0.0
  neuro.on pre {
    // expected-error @below {{'neuro.diff' op may stand in 'on tick' only, since other handlers do not run in every tick}}
    neuro.diff @e {
      %e = neuro.get @e
      neuro.yield %e
    }
  }
}

// -----

neuro.rule @diff_r4_of_a_weight {
  neuro.on tick {
    // expected-error @below {{'neuro.diff' op names 'w', which is not a state of this model}}
    neuro.diff @w {
      %w = neuro.get @w
      neuro.yield %w
    }
  }
}
