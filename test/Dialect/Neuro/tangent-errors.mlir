// RUN: neuroc-opt %s --neuro-to-core --split-input-file --verify-diagnostics
// What neuro-expand-tangents refuses.

neuro.model @source {
  neuro.param @a = 1.0
  neuro.output @y : f64
  neuro.stage @s {
    %a = neuro.get @a
    neuro.emit @y, %a : f64
  }
}
neuro.model @relay {
  neuro.input @x
  neuro.output @y : f64
  neuro.stage @pass {
    %x = neuro.get @x
    neuro.emit @y, %x : f64
  }
}
neuro.rule @hebb {
  neuro.on tick {
    %w = neuro.get @w
    %x = neuro.get @pre
    %n = arith.addf %w, %x : f64
    neuro.set @w, %n
  }
}
neuro.network @learns dt 1.0 {
  %p = neuro.population @P of @source shape [2] : () -> tensor<2xf32>
  // expected-error @below {{'neuro.weight' op learns from signals that depend on 'P.a', and a derivative with respect to it would have to pass through the weight; detach the rule, or ask for the derivative of a signal before this weight}}
  neuro.weight @W pre [2] post [2] connect #neuro.dense values 1.0
  %i = neuro.project %p through @W : tensor<2xf32> -> tensor<2xf32>
  %q = neuro.population @Q of @relay shape [2] inputs(%i) ports ["x"] : (tensor<2xf32>) -> tensor<2xf32>
  neuro.plastic @l on @W rule @hebb pre %p post %q : tensor<2xf32>, tensor<2xf32>
  neuro.probe @d %q wrt "P.a" : tensor<2xf32>
}

// -----

neuro.model @source {
  neuro.param @a = 1.0
  neuro.output @y : f64
  neuro.stage @s {
    %a = neuro.get @a
    neuro.emit @y, %a : f64
  }
}
neuro.network @most dt 1.0 {
  %p = neuro.population @P of @source shape [2] : () -> tensor<2xf32>
  neuro.weight @W pre [2] post [2] connect #neuro.dense values 1.0
  // expected-error @below {{'neuro.project' op combines signals that depend on 'P.a' by max, of which no derivative can be carried; combine by sum, or feed one port from several projections}}
  %i = neuro.project %p through @W combine max : tensor<2xf32> -> tensor<2xf32>
  neuro.probe @d %i wrt "P.a" : tensor<2xf32>
}

// -----

neuro.model @source {
  neuro.param @a = 1.0
  neuro.output @y : f64
  neuro.stage @s {
    %a = neuro.get @a
    neuro.emit @y, %a : f64
  }
}
neuro.network @mixed dt 1.0 {
  %p = neuro.population @P of @source shape [2] : () -> tensor<2xf32>
  neuro.weight @W pre [2] post [2] connect #neuro.dense values 1.0
  // expected-error @below {{'neuro.project' op transmits a function of weight and signal whose slope is no product of a function of the weight and one of the signal; no derivative with respect to 'P.a' can be carried}}
  %i = neuro.project %p through @W {
  ^bb0(%w: f64, %x: f64):
    %u = arith.mulf %w, %x : f64
    %v = math.tanh %u : f64
    neuro.yield %v
  } : tensor<2xf32> -> tensor<2xf32>
  neuro.probe @d %i wrt "P.a" : tensor<2xf32>
}

// -----

neuro.model @unknown {
  neuro.param @a = 1.0
  neuro.output @y : f64
  neuro.stage @s {
    %a = neuro.get @a
    %t = neuro.time
    // expected-error @below {{'math.clampf' op has no known derivative, and a derivative with respect to 'P.a' needs it in population 'P'}}
    %c = math.clampf %a to [%t, %t] : f64
    neuro.emit @y, %c : f64
  }
}
neuro.network @function dt 1.0 {
  %p = neuro.population @P of @unknown shape [2] : () -> tensor<2xf32>
  neuro.probe @d %p wrt "P.a" : tensor<2xf32>
}

// -----

neuro.model @source {
  neuro.param @a = 1.0
  neuro.output @y : f64
  neuro.stage @s {
    %a = neuro.get @a
    neuro.emit @y, %a : f64
  }
}
neuro.network @tensor_code dt 1.0 {
  %p = neuro.population @P of @source shape [2] : () -> tensor<2xf32>
  %e = tensor.empty() : tensor<2xf32>
  // expected-error @below {{'linalg.softmax' op has no known derivative, and a derivative with respect to 'P.a' would have to pass through it}}
  %s = linalg.softmax dimension(0) ins(%p : tensor<2xf32>) outs(%e : tensor<2xf32>) -> tensor<2xf32>
  neuro.probe @d %s wrt "P.a" : tensor<2xf32>
}
