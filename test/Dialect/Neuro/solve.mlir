// RUN: neuroc-opt %s --neuro-to-core=report=true 2>&1 | FileCheck %s
// RUN: neuroc-opt %s --neuro-to-core 2>&1 | FileCheck %s --check-prefix=CODE
// The choice of method, and the propagators of the exact one: those of
// tau_m = 10 ms, tau_s = 2 ms, C = 250, dt = 0.1 ms.

// CHECK-DAG: remark: 'v' is advanced by exact
// CHECK-DAG: remark: 'i' is advanced by exact
// CODE: neuro.model @linear_model
// CODE-NOT: neuro.diff
// CODE-DAG: arith.constant 0.9900498337491{{[0-9]*}} : f64
// CODE-DAG: arith.constant 0.95122942450071{{[0-9]*}} : f64
// CODE-DAG: arith.constant 3.88204092484{{[0-9]*}}E-4 : f64
neuro.model @linear {
  neuro.state @v init 0.0
  neuro.state @i init 0.0
  neuro.stage @s {
    neuro.diff @v {
      %v = neuro.get @v
      %i = neuro.get @i
      %tau = arith.constant 10.0 : f64
      %c = arith.constant 250.0 : f64
      %n = arith.negf %v : f64
      %l = arith.divf %n, %tau : f64
      %ic = arith.divf %i, %c : f64
      %d = arith.addf %l, %ic : f64
      neuro.yield %d
    }
    neuro.diff @i {
      %i = neuro.get @i
      %tau = arith.constant -2.0 : f64
      %d = arith.divf %i, %tau : f64
      neuro.yield %d
    }
  }
}

// v' = g (e - v) is linear in v with a coefficient that changes; g is exact.
// CHECK-DAG: remark: 'vg' is advanced by exponential_euler
// CHECK-DAG: remark: 'g' is advanced by exact
// CODE: neuro.model @conductance_model
// CODE: math.exp
neuro.model @conductance {
  neuro.state @vg init 0.0
  neuro.state @g init 0.0
  neuro.stage @s {
    neuro.diff @vg {
      %v = neuro.get @vg
      %g = neuro.get @g
      %e = arith.constant 1.0 : f64
      %f = arith.subf %e, %v : f64
      %d = arith.mulf %g, %f : f64
      neuro.yield %d
    }
    neuro.diff @g {
      %g = neuro.get @g
      %n = arith.negf %g : f64
      neuro.yield %n
    }
  }
}

// A square: RK4, together with what reads it.
// CHECK-DAG: remark: 'q' is advanced by rk4
// CHECK-DAG: remark: 'u' is advanced by rk4
neuro.model @quadratic {
  neuro.state @q init 0.0
  neuro.state @u init 0.0
  neuro.stage @s {
    neuro.diff @q {
      %v = neuro.get @q
      %u = neuro.get @u
      %vv = arith.mulf %v, %v : f64
      %d = arith.subf %vv, %u : f64
      neuro.yield %d
    }
    neuro.diff @u {
      %v = neuro.get @q
      %u = neuro.get @u
      %d = arith.subf %v, %u : f64
      neuro.yield %d
    }
  }
}

// CHECK-DAG: remark: 'x' is advanced by euler
neuro.model @forward {
  neuro.state @x init 0.0
  neuro.stage @s {
    neuro.diff @x method euler {
      %x = neuro.get @x
      neuro.yield %x
    }
  }
}

// A held variable keeps its value, and the one that it drives sees a constant.
// CODE: neuro.model @held_model
// CODE-COUNT-2: arith.select
neuro.model @held {
  neuro.state @h init 1.0
  neuro.state @driven init 0.0
  neuro.input @stop
  neuro.stage @s {
    %stop = neuro.get @stop
    %zero = arith.constant 0.0 : f64
    %is = arith.cmpf ogt, %stop, %zero : f64
    neuro.diff @h hold %is {
      %h = neuro.get @h
      %n = arith.negf %h : f64
      neuro.yield %n
    }
    neuro.diff @driven {
      %h = neuro.get @h
      neuro.yield %h
    }
  }
}

neuro.network @n dt 0.1 {
  neuro.population @held of @held shape [1] : () -> ()
  neuro.population @forward of @forward shape [1] : () -> ()
  neuro.population @quadratic of @quadratic shape [1] : () -> ()
  neuro.population @conductance of @conductance shape [1] : () -> ()
  neuro.population @linear of @linear shape [1] : () -> ()
}
