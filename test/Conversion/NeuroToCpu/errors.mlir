// RUN: neuroc-opt %s --convert-neuro-to-cpu=double-precision --split-input-file --verify-diagnostics
// What the conversion refuses, each with the place and the remedy.

// No network.
// expected-error @below {{target 'cpu' needs one 'neuro.network', found 0}}
module {
}

// -----

// Two networks.
// expected-error @below {{target 'cpu' needs one 'neuro.network', found 2}}
module {
  // expected-note @below {{network 'a'}}
  neuro.network @a dt 1.0 {
  }
  // expected-note @below {{network 'b'}}
  neuro.network @b dt 1.0 {
  }
}

// -----

// Differential equations must have been solved.
neuro.model @m {
  neuro.state @v init 0.0
  neuro.output @o : f64
  neuro.stage @s {
    // expected-error @below {{'neuro.diff' op is not in core normal form; run neuro-solve-dynamics first}}
    neuro.diff @v {
      %v = neuro.get @v
      %n = arith.negf %v : f64
      neuro.yield %n
    }
    %v = neuro.get @v
    neuro.emit @o, %v : f64
  }
}
neuro.network @n dt 1.0 {
  %o = neuro.population @P of @m shape [2] : () -> tensor<2xf32>
}

// -----

// Sugar must have been expanded.
neuro.network @n dt 1.0 {
  %x = neuro.stimulus @x : tensor<4xf32>
  neuro.weight @W pre [2] post [4] connect #neuro.dense values 0.1
  // expected-error @below {{'neuro.pc_layer' op is not in core normal form; run neuro-expand-sugar first}}
  %v, %e = neuro.pc_layer @layer predicts %x through @W rate 0.1
    : tensor<4xf32> -> tensor<2xf32>, tensor<4xf32>
}

// -----

// A rule's equations must have been solved too.
neuro.rule @r {
  neuro.trace @k on pre {
    // expected-error @below {{'neuro.diff' op is not in core normal form; run neuro-solve-dynamics first}}
    neuro.diff @k {
      %k = neuro.get @k
      %n = arith.negf %k : f64
      neuro.yield %n
    }
  }
}
neuro.network @n dt 1.0 {
  %s = neuro.spike_array @in events(dense<[[0, 1]]> : tensor<1x2xi64>) : tensor<4xi1>
  neuro.weight @W pre [4] post [4] connect #neuro.dense values 0.5
  neuro.plastic @p on @W rule @r pre %s post %s : tensor<4xi1>, tensor<4xi1>
}
