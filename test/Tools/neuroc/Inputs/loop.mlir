// A unit that reads its own output in the same tick.
neuro.model @relay {
  neuro.input @in
  neuro.output @out : f64
  neuro.stage @s {
    %x = neuro.get @in
    neuro.emit @out, %x : f64
  }
}
neuro.network @n dt 1.0 {
  %y = neuro.population @P of @relay shape [1] inputs(%y) ports ["in"] : (tensor<1xf32>) -> tensor<1xf32>
}
