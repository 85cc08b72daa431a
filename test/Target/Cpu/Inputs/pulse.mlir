// A unit that counts the pulses it gets and fires at every third.
neuro.model @counter {
  neuro.state @n init 0.0
  neuro.input @in
  neuro.output @spike : i1
  neuro.stage @update {
    %n = neuro.get @n
    %i = neuro.get @in
    %sum = arith.addf %n, %i : f64
    %three = arith.constant 2.5 : f64
    %zero = arith.constant 0.0 : f64
    %fires = arith.cmpf ogt, %sum, %three : f64
    neuro.emit @spike, %fires : i1
    %next = arith.select %fires, %zero, %sum : f64
    neuro.set @n, %next
  }
}
neuro.network @pulse dt 1.0 {
  %s = neuro.spike_array @in events(dense<[[0, 0], [1, 0], [2, 0], [4, 0], [5, 0], [6, 0]]> : tensor<6x2xi64>) : tensor<1xi1>
  neuro.weight @W pre [1] post [5] connect #neuro.dense values 1.0
  %i = neuro.project %s through @W delay 1 : tensor<1xi1> -> tensor<5xf32>
  %o = neuro.population @P of @counter shape [5] inputs(%i) ports ["in"]
    : (tensor<5xf32>) -> tensor<5xi1>
  neuro.probe @out %o output : tensor<5xi1>
}
neuro.experiment @e on @pulse {
  neuro.step 10
}
