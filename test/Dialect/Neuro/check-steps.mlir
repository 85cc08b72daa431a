// RUN: neuroc-opt %s -o /dev/null --split-input-file --neuro-to-core --neuro-check-steps --verify-diagnostics
//
// The step of a settling loop against 2/lambda_max. In the first three, W is
// diagonal with 3, 2, 1, 0: the Hessian's largest eigenvalue is 9 + prior.

// 0.21 > 2/9.5 = 0.2105 is false: no warning.
neuro.network @below dt 1.0 {
  %x = neuro.stimulus @x : tensor<4xf32>
  neuro.weight @W pre [4] post [4] connect #neuro.dense
      values dense<[[3., 0., 0., 0.], [0., 2., 0., 0.],
                    [0., 0., 1., 0.], [0., 0., 0., 0.]]> : tensor<4x4xf64>
  %z, %e = neuro.pc_layer @z predicts %x through @W rate 0.21
      prior 0.5 : tensor<4xf32> -> tensor<4xf32>, tensor<4xf32>
}

// -----

neuro.network @above dt 1.0 {
  %x = neuro.stimulus @x : tensor<4xf32>
  neuro.weight @W pre [4] post [4] connect #neuro.dense
      values dense<[[3., 0., 0., 0.], [0., 2., 0., 0.],
                    [0., 0., 1., 0.], [0., 0., 0., 0.]]> : tensor<4x4xf64>
  // expected-warning @below {{settling does not converge: the step of 'z' is 1.42 times the largest stable one, 2/lambda_max, with the initial weights}}
  // expected-note @below {{help: multiply the rate by less than 0.702}}
  %z, %e = neuro.pc_layer @z predicts %x through @W rate 0.3
      prior 0.5 : tensor<4xf32> -> tensor<4xf32>, tensor<4xf32>
}

// -----

// Two layers: each is stable alone, together they are not.
neuro.network @two dt 1.0 {
  %x = neuro.stimulus @x : tensor<2xf32>
  neuro.weight @W1 pre [2] post [2] connect #neuro.dense
      values dense<[[1., 0.], [0., 1.]]> : tensor<2x2xf64>
  neuro.weight @W2 pre [2] post [2] connect #neuro.dense
      values dense<[[1., 0.], [0., 1.]]> : tensor<2x2xf64>
  // H = [[2, -1], [-1, 1]]: lambda_max = (3 + sqrt 5)/2 = 2.618
  // expected-warning @below {{the step of 'z1', 'z2' is 1.18 times}}
  // expected-note @below {{less than 0.849}}
  %z1, %e1 = neuro.pc_layer @z1 predicts %x through @W1 top_down %e2 :
      tensor<2xf32> rate 0.9
      : tensor<2xf32> -> tensor<2xf32>, tensor<2xf32>
  %z2, %e2 = neuro.pc_layer @z2 predicts %z1 through @W2 rate 0.9
      : tensor<2xf32> -> tensor<2xf32>, tensor<2xf32>
}

// -----

// The same, but an experiment holds z1: what is left is stable.
neuro.network @held dt 1.0 {
  %x = neuro.stimulus @x : tensor<2xf32>
  neuro.weight @W1 pre [2] post [2] connect #neuro.dense
      values dense<[[1., 0.], [0., 1.]]> : tensor<2x2xf64>
  neuro.weight @W2 pre [2] post [2] connect #neuro.dense
      values dense<[[1., 0.], [0., 1.]]> : tensor<2x2xf64>
  %z1, %e1 = neuro.pc_layer @z1 predicts %x through @W1 top_down %e2 :
      tensor<2xf32> rate 0.9
      : tensor<2xf32> -> tensor<2xf32>, tensor<2xf32>
  %z2, %e2 = neuro.pc_layer @z2 predicts %z1 through @W2 rate 0.9
      : tensor<2xf32> -> tensor<2xf32>, tensor<2xf32>
}
neuro.experiment @hold on @held {
  neuro.clamp @z1["z"] to 1.0 : f64
  neuro.step 5
}

// -----

// No library's model: a unit with tanh in a loop of its own. Near 0 its slope
// is 1, so a tick multiplies the unit by 1 - 0.8 * 4 = -2.2.
neuro.model @own {
  neuro.state @u init 0.0
  neuro.input @back
  neuro.output @y : f64
  neuro.stage @show {
    %u = neuro.get @u
    %y = math.tanh %u : f64
    neuro.emit @y, %y : f64
  }
  neuro.stage @move {
    %u = neuro.get @u
    %b = neuro.get @back
    %k = arith.constant 0.8 : f64
    %s = arith.mulf %k, %b : f64
    %n = arith.subf %u, %s : f64
    neuro.set @u, %n
  }
}
neuro.network @curved dt 1.0 {
  neuro.weight @W pre [3] post [3] connect #neuro.one_to_one values 2.0 : f64
  %a = neuro.project %y through @W : tensor<3xf32> -> tensor<3xf32>
  %b = neuro.project %a through @W transposed : tensor<3xf32> -> tensor<3xf32>
  // expected-warning @below {{the step of 'u' is 1.6 times}}
  // expected-note @below {{help}}
  %y = neuro.population @u of @own shape [3] inputs(%b) ports ["back"]
      : (tensor<3xf32>) -> tensor<3xf32>
}

// -----

// A spiking unit is no settling loop, whatever its step.
neuro.model @spiking {
  neuro.state @u init 0.0
  neuro.input @back
  neuro.output @s : i1
  neuro.stage @all {
    %u = neuro.get @u
    %k = arith.constant -3.0 : f64
    %n = arith.mulf %u, %k : f64
    neuro.set @u, %n
    %one = arith.constant 1.0 : f64
    %c = arith.cmpf ogt, %n, %one : f64
    neuro.emit @s, %c : i1
  }
}
neuro.network @spikes dt 1.0 {
  %s = neuro.population @u of @spiking shape [3] : () -> tensor<3xi1>
}
