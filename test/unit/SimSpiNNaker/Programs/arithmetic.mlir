// Units whose update uses every kind of arithmetic that a core has: fixed-point
// products and quotients, elementary functions, random numbers, selections,
// per-unit parameters. Nothing arrives, so each core can be run by itself.
neuro.model @mixed {
  neuro.param @gain = 1.0
  neuro.state @x init 0.5 range [-4.0, 4.0]
  neuro.state @y init 0.25 range [-4.0, 4.0]
  neuro.state @n init 0.0 range [-8.0, 8.0]
  neuro.state @r init 0.0 range [0.0, 8.0]
  neuro.output @spike : i1
  neuro.stage @update {
    %x = neuro.get @x
    %y = neuro.get @y
    %n = neuro.get @n
    %r = neuro.get @r
    %gain = neuro.get @gain
    %half = arith.constant 0.5 : f64
    %tenth = arith.constant 0.1 : f64
    %three = arith.constant 3.0 : f64
    %one = arith.constant 1.0 : f64
    %two = arith.constant 2.0 : f64
    %u = neuro.random uniform
    %g = neuro.random normal
    %t = math.tanh %x : f64
    %e0 = arith.mulf %y, %half : f64
    %e1 = arith.negf %e0 : f64
    %e = math.exp %e1 : f64
    %s0 = math.absf %x : f64
    %s = math.sqrt %s0 : f64
    %c = math.sin %y : f64
    %d0 = arith.addf %s0, %one : f64
    %q = arith.divf %y, %d0 : f64
    %m0 = arith.mulf %t, %gain : f64
    %m1 = arith.addf %m0, %c : f64
    %m2 = arith.mulf %g, %tenth : f64
    %m3 = arith.addf %m1, %m2 : f64
    %m4 = arith.minimumf %m3, %three : f64
    neuro.set @x, %m4
    %k0 = arith.mulf %e, %u : f64
    %k1 = arith.addf %q, %k0 : f64
    %kn = arith.mulf %n, %tenth : f64
    %kr = arith.mulf %r, %tenth : f64
    %ks = arith.addf %kn, %kr : f64
    %kt = arith.subf %s, %ks : f64
    %k2 = arith.subf %k1, %kt : f64
    %k3 = arith.minimumf %k2, %three : f64
    %low = arith.negf %three : f64
    %k4 = arith.maximumf %k3, %low : f64
    neuro.set @y, %k4
    %l0 = arith.addf %s, %one : f64
    %l = math.log %l0 : f64
    neuro.set @n, %l
    %r0 = arith.addf %u, %two : f64
    %r1 = arith.remf %r0, %one : f64
    neuro.set @r, %r1
    %over = arith.cmpf ogt, %m4, %one : f64
    neuro.emit @spike, %over : i1
  }
}

neuro.network @net dt 1.0 seed 7 {
  %a = neuro.population @a of @mixed shape [24] params {gain = 1.5 : f64} : () -> tensor<24xi1>
  neuro.probe @spikes %a : tensor<24xi1>
  %b = neuro.population @b of @mixed shape [3] params {gain = dense<[0.5, 1.0, 2.0]> : tensor<3xf64>} : () -> tensor<3xi1>
  neuro.probe @others %b : tensor<3xi1>
}
neuro.experiment @main on @net {
  neuro.step 100
}
