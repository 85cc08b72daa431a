// RUN: neuroc-opt %s --neuro-to-core --split-input-file --verify-diagnostics
// What neuro-solve-dynamics refuses.

neuro.model @not_linear {
  neuro.state @v init 0.0
  neuro.stage @s {
    // expected-error @below {{'neuro.diff' op cannot be solved exactly: 'v' does not belong to a linear system with constant coefficients; use method auto, exponential_euler or rk4}}
    neuro.diff @v method exact {
      %v = neuro.get @v
      %d = arith.mulf %v, %v : f64
      neuro.yield %d
    }
  }
}
neuro.network @n dt 0.1 {
  neuro.population @a of @not_linear shape [1] : () -> ()
}

// -----

neuro.model @not_linear_in_itself {
  neuro.state @v init 0.0
  neuro.stage @s {
    // expected-error @below {{'neuro.diff' op cannot be solved by exponential Euler: the equation of 'v' is not linear in 'v'; use method rk4}}
    neuro.diff @v method exponential_euler {
      %v = neuro.get @v
      %d = math.exp %v : f64
      neuro.yield %d
    }
  }
}
neuro.network @n dt 0.1 {
  neuro.population @a of @not_linear_in_itself shape [1] : () -> ()
}

// -----

neuro.model @late_hold {
  neuro.state @v init 0.0
  neuro.state @u init 0.0
  neuro.input @stop
  neuro.stage @s {
    neuro.diff @v {
      %v = neuro.get @v
      neuro.yield %v
    }
    %stop = neuro.get @stop
    %zero = arith.constant 0.0 : f64
    %is = arith.cmpf ogt, %stop, %zero : f64
    // expected-error @below {{'neuro.diff' op has a hold condition that is computed after the first equation of the region; move its computation up}}
    neuro.diff @u hold %is {
      %u = neuro.get @u
      neuro.yield %u
    }
  }
}
neuro.network @n dt 0.1 {
  neuro.population @a of @late_hold shape [1] : () -> ()
}

// -----

neuro.model @two_holds {
  neuro.state @v init 0.0
  neuro.state @u init 0.0
  neuro.input @a
  neuro.input @b
  neuro.stage @s {
    %zero = arith.constant 0.0 : f64
    %a = neuro.get @a
    %b = neuro.get @b
    %ia = arith.cmpf ogt, %a, %zero : f64
    %ib = arith.cmpf ogt, %b, %zero : f64
    neuro.diff @v hold %ia {
      %u = neuro.get @u
      neuro.yield %u
    }
    // expected-error @below {{'neuro.diff' op holds with another condition than an equation it is coupled with; use one condition for both}}
    neuro.diff @u hold %ib {
      %v = neuro.get @v
      neuro.yield %v
    }
  }
}
neuro.network @n dt 0.1 {
  neuro.population @x of @two_holds shape [1] : () -> ()
}

// -----

neuro.model @late_value {
  neuro.state @v init 0.0
  neuro.state @u init 0.0
  neuro.stage @s {
    neuro.diff @v {
      %v = neuro.get @v
      neuro.yield %v
    }
    %u = neuro.get @u
    %m = neuro.reduce max %u over units
    // expected-error @below {{'neuro.diff' op uses a value that is computed after the first equation of the region; move its computation up}}
    neuro.diff @u {
      neuro.yield %m
    }
  }
}
neuro.network @n dt 0.1 {
  neuro.population @a of @late_value shape [1] : () -> ()
}
