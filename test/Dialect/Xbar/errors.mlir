// RUN: neuroc-opt %s --split-input-file --verify-diagnostics
//
// One refusal for each rule of the dialect, named by the rule's number
// (dialects/xbar/include/neuroc/Xbar/XbarOps.td).

// machine_r1
// expected-error @below {{mesh and arrays must be two positive extents, with at least one array and one word of memory}}
xbar.machine @m source "m" mesh [2] arrays 4 of [8, 8] cell_bits 2 adc_bits 8 memory 9

// -----

// machine_r1
// expected-error @below {{mesh and arrays must be two positive extents, with at least one array and one word of memory}}
xbar.machine @m source "m" mesh [2, 1] arrays 0 of [8, 8] cell_bits 2 adc_bits 8 memory 9

// -----

// machine_r2
// expected-error @below {{an array must have an even number of columns (two make one signed column), got 7}}
xbar.machine @m source "m" mesh [2, 1] arrays 4 of [8, 7] cell_bits 2 adc_bits 8 memory 9

// -----

// machine_r3
// expected-error @below {{cell_bits must be in [1, 6] and adc_bits in [2, 16], got 7 and 8}}
xbar.machine @m source "m" mesh [2, 1] arrays 4 of [8, 8] cell_bits 7 adc_bits 8 memory 9

// -----

// map_r1
// expected-error @below {{there is no machine 'nowhere'}}
xbar.map @map of @net on @nowhere {
}

// -----

// map_r2
xbar.machine @machine source "m" mesh [2, 1] arrays 4 of [8, 8]
    cell_bits 2 adc_bits 8 memory 1024
xbar.map @map of @net on @machine {
  // expected-error @below {{must not stand in 'xbar.map': formats, matrices and tiles only}}
  arith.constant 1 : i32
}

// -----

// map_r3
xbar.machine @machine source "m" mesh [2, 1] arrays 4 of [8, 8]
    cell_bits 2 adc_bits 8 memory 1024
xbar.map @map of @net on @machine {
  xbar.tile @a {
    xbar.share @E units [0, 4]
  }
  xbar.tile @b {
    // expected-error @below {{units of 'E' are owned by two tiles}}
    xbar.share @E units [3, 5]
  }
}

// -----

// map_r4
xbar.machine @machine source "m" mesh [2, 1] arrays 4 of [8, 8]
    cell_bits 2 adc_bits 8 memory 1024
xbar.map @map of @net on @machine {
  xbar.tile @a at [1, 0] {
  }
  // expected-error @below {{place [1, 0] is taken by another tile}}
  xbar.tile @b at [1, 0] {
  }
}

// -----

// format_r1
xbar.machine @machine source "m" mesh [2, 1] arrays 4 of [8, 8]
    cell_bits 2 adc_bits 8 memory 1024
xbar.map @map of @net on @machine {
  // expected-error @below {{frac must be in [-31, 31], got 32}}
  xbar.format @E "v" frac 32 range [0.0, 1.0]
}

// -----

// format_r2
xbar.machine @machine source "m" mesh [2, 1] arrays 4 of [8, 8]
    cell_bits 2 adc_bits 8 memory 1024
xbar.map @map of @net on @machine {
  // expected-error @below {{range must be [lo, hi] with lo <= hi}}
  xbar.format @E "v" frac 8 range [1.0, 0.0]
}

// -----

// format_r2
xbar.machine @machine source "m" mesh [2, 1] arrays 4 of [8, 8]
    cell_bits 2 adc_bits 8 memory 1024
xbar.map @map of @net on @machine {
  // expected-error @below {{range [0.000000e+00, 3.000000e+00] does not fit 32 bits with frac 30}}
  xbar.format @E "v" frac 30 range [0.0, 3.0]
}

// -----

// matrix_r1
xbar.machine @machine source "m" mesh [2, 1] arrays 4 of [8, 8]
    cell_bits 2 adc_bits 8 memory 1024
xbar.map @map of @net on @machine {
  // expected-error @below {{bits must be in [2, 16], got 17}}
  xbar.matrix @W of @w bits 17 slices 2 shape [1, 1] plastic
}

// -----

// matrix_r2
xbar.machine @machine source "m" mesh [2, 1] arrays 4 of [8, 8]
    cell_bits 2 adc_bits 8 memory 1024
xbar.map @map of @net on @machine {
  // expected-error @below {{levels must be i16 of the given shape, with one scale for each column}}
  xbar.matrix @W of @w bits 8 slices 2 shape [2, 1]
      levels dense<1> : tensor<1x2xi16> scales [0.5]
}

// -----

// matrix_r2
xbar.machine @machine source "m" mesh [2, 1] arrays 4 of [8, 8]
    cell_bits 2 adc_bits 8 memory 1024
xbar.map @map of @net on @machine {
  // expected-error @below {{levels must be i16 of the given shape, with one scale for each column}}
  xbar.matrix @W of @w bits 8 slices 2 shape [1, 2]
      levels dense<1> : tensor<1x2xi16> scales [0.5]
}

// -----

// matrix_r3
xbar.machine @machine source "m" mesh [2, 1] arrays 4 of [8, 8]
    cell_bits 2 adc_bits 8 memory 1024
xbar.map @map of @net on @machine {
  // expected-error @below {{level -16 does not fit 2 slices of 2 bits (at most 15)}}
  xbar.matrix @W of @w bits 8 slices 2 shape [1, 2]
      levels dense<[[15, -16]]> : tensor<1x2xi16> scales [0.5, 0.5]
}

// -----

// matrix_r4
xbar.machine @machine source "m" mesh [2, 1] arrays 4 of [8, 8]
    cell_bits 2 adc_bits 8 memory 1024
xbar.map @map of @net on @machine {
  // expected-error @below {{a matrix that is not plastic needs levels}}
  xbar.matrix @W of @w bits 8 slices 2 shape [1, 2]
}

// -----

// tile_r1
xbar.machine @machine source "m" mesh [2, 1] arrays 4 of [8, 8]
    cell_bits 2 adc_bits 8 memory 1024
xbar.map @map of @net on @machine {
  // expected-error @below {{place is not on the mesh of 2 x 1 tiles}}
  xbar.tile @t at [0, 1] {
  }
}

// -----

// tile_r2
xbar.machine @machine source "m" mesh [2, 1] arrays 4 of [8, 8]
    cell_bits 2 adc_bits 8 memory 1024
xbar.map @map of @net on @machine {
  xbar.matrix @W of @w bits 8 slices 2 shape [4, 4] plastic
  xbar.tile @t {
    xbar.tick {
    }
    // expected-error @below {{is the tile's second tick}}
    xbar.tick {
    }
  }
}

// -----

// tile_r3
xbar.machine @machine source "m" mesh [2, 1] arrays 4 of [8, 8]
    cell_bits 2 adc_bits 8 memory 1024
xbar.map @map of @net on @machine {
  xbar.matrix @W of @w bits 8 slices 2 shape [4, 4] plastic
  xbar.tile @t {
    %a = xbar.bank first 0 : !xbar.bank<8 x 4, slices 2>
    // expected-error @below {{arrays [1, 3) overlap another bank's [0, 2)}}
    %b = xbar.bank first 1 : !xbar.bank<8 x 4, slices 2>
  }
}

// -----

// share_r1
xbar.machine @machine source "m" mesh [2, 1] arrays 4 of [8, 8]
    cell_bits 2 adc_bits 8 memory 1024
xbar.map @map of @net on @machine {
  xbar.matrix @W of @w bits 8 slices 2 shape [4, 4] plastic
  xbar.tile @t {
    // expected-error @below {{units must be [first, last) with 0 <= first < last, got [2, 2]}}
    xbar.share @E units [2, 2]
  }
}

// -----

// bank_r1
xbar.machine @machine source "m" mesh [2, 1] arrays 4 of [8, 8]
    cell_bits 2 adc_bits 8 memory 1024
xbar.map @map of @net on @machine {
  xbar.matrix @W of @w bits 8 slices 2 shape [4, 4] plastic
  xbar.tile @t {
    // expected-error @below {{'xbar.bank' extents must be positive, got 8 x 4, slices 0}}
    %b = xbar.bank first 0 : !xbar.bank<8 x 4, slices 0>
  }
}

// -----

// bank_r2
xbar.machine @machine source "m" mesh [2, 1] arrays 4 of [8, 8]
    cell_bits 2 adc_bits 8 memory 1024
xbar.map @map of @net on @machine {
  xbar.matrix @W of @w bits 8 slices 2 shape [4, 4] plastic
  xbar.tile @t {
    // expected-error @below {{tile has 4 arrays of 8 x 4 signed columns, bank asks for arrays [3, 5) of 8 x 4}}
    %b = xbar.bank first 3 : !xbar.bank<8 x 4, slices 2>
  }
}

// -----

// program_r1
xbar.machine @machine source "m" mesh [2, 1] arrays 4 of [8, 8]
    cell_bits 2 adc_bits 8 memory 1024
xbar.map @map of @net on @machine {
  xbar.matrix @W of @w bits 8 slices 2 shape [4, 4] plastic
  xbar.tile @t {
    %b = xbar.bank first 0 : !xbar.bank<8 x 4, slices 2>
    // expected-error @below {{rows must be [first, last) with 0 <= first < last, got [2, 1]}}
    %w = xbar.program %b with @W rows [2, 1] cols [0, 2] at 0
        : !xbar.bank<8 x 4, slices 2> -> !xbar.weights<1 x 2>
  }
}

// -----

// program_r1
xbar.machine @machine source "m" mesh [2, 1] arrays 4 of [8, 8]
    cell_bits 2 adc_bits 8 memory 1024
xbar.map @map of @net on @machine {
  xbar.matrix @W of @w bits 8 slices 2 shape [4, 4] plastic
  xbar.tile @t {
    %b = xbar.bank first 0 : !xbar.bank<8 x 4, slices 2>
    // expected-error @below {{there is no matrix 'V'}}
    %w = xbar.program %b with @V rows [0, 1] cols [0, 2] at 0
        : !xbar.bank<8 x 4, slices 2> -> !xbar.weights<1 x 2>
  }
}

// -----

// program_r1
xbar.machine @machine source "m" mesh [2, 1] arrays 4 of [8, 8]
    cell_bits 2 adc_bits 8 memory 1024
xbar.map @map of @net on @machine {
  xbar.matrix @W of @w bits 8 slices 2 shape [4, 4] plastic
  xbar.tile @t {
    %b = xbar.bank first 0 : !xbar.bank<8 x 4, slices 2>
    // expected-error @below {{block ends at row 5, column 4, matrix is 4 x 4}}
    %w = xbar.program %b with @W rows [0, 5] cols [0, 4] at 0
        : !xbar.bank<8 x 4, slices 2> -> !xbar.weights<5 x 4>
  }
}

// -----

// program_r2
xbar.machine @machine source "m" mesh [2, 1] arrays 4 of [8, 8]
    cell_bits 2 adc_bits 8 memory 1024
xbar.map @map of @net on @machine {
  xbar.matrix @W of @w bits 8 slices 2 shape [4, 4] plastic
  xbar.tile @t {
    %b = xbar.bank first 0 : !xbar.bank<8 x 4, slices 2>
    // expected-error @below {{block of 4 x 4 at column 1 does not fit a bank of 8 x 4}}
    %w = xbar.program %b with @W rows [0, 4] cols [0, 4] at 1
        : !xbar.bank<8 x 4, slices 2> -> !xbar.weights<4 x 4>
  }
}

// -----

// program_r3
xbar.machine @machine source "m" mesh [2, 1] arrays 4 of [8, 8]
    cell_bits 2 adc_bits 8 memory 1024
xbar.map @map of @net on @machine {
  xbar.matrix @V of @w bits 8 slices 3 shape [4, 4] plastic
  xbar.tile @t {
    %b = xbar.bank first 0 : !xbar.bank<8 x 4, slices 2>
    // expected-error @below {{bank has 2 slices, the matrix 3}}
    %w = xbar.program %b with @V rows [0, 1] cols [0, 1] at 0
        : !xbar.bank<8 x 4, slices 2> -> !xbar.weights<1 x 1>
  }
}

// -----

// program_r4
xbar.machine @machine source "m" mesh [2, 1] arrays 4 of [8, 8]
    cell_bits 2 adc_bits 8 memory 1024
xbar.map @map of @net on @machine {
  xbar.matrix @W of @w bits 8 slices 2 shape [4, 4] plastic
  xbar.tile @t {
    %b = xbar.bank first 0 : !xbar.bank<8 x 4, slices 2>
    %w = xbar.program %b with @W rows [0, 4] cols [0, 2] at 0
        : !xbar.bank<8 x 4, slices 2> -> !xbar.weights<4 x 2>
    // expected-error @below {{columns of the bank are taken by another block}}
    %v = xbar.program %b with @W rows [0, 4] cols [2, 4] at 1
        : !xbar.bank<8 x 4, slices 2> -> !xbar.weights<4 x 2>
  }
}

// -----

// program_r5
xbar.machine @machine source "m" mesh [2, 1] arrays 4 of [8, 8]
    cell_bits 2 adc_bits 8 memory 1024
xbar.map @map of @net on @machine {
  xbar.matrix @W of @w bits 8 slices 2 shape [4, 4] plastic
  xbar.tile @t {
    %b = xbar.bank first 0 : !xbar.bank<8 x 4, slices 2>
    // expected-error @below {{result must be 4 x 2}}
    %w = xbar.program %b with @W rows [0, 4] cols [0, 2] at 0
        : !xbar.bank<8 x 4, slices 2> -> !xbar.weights<4 x 3>
  }
}

// -----

// rows_r1
xbar.machine @machine source "m" mesh [2, 1] arrays 4 of [8, 8]
    cell_bits 2 adc_bits 8 memory 1024
xbar.map @map of @net on @machine {
  xbar.matrix @W of @w bits 8 slices 2 shape [4, 4] plastic
  xbar.tile @t {
    // expected-error @below {{units must be [first, last) with 0 <= first < last, got [-1, 2]}}
    xbar.rows projection 0 units [-1, 2] synapses 3
  }
}

// -----

// tick_r1
xbar.machine @machine source "m" mesh [2, 1] arrays 4 of [8, 8]
    cell_bits 2 adc_bits 8 memory 1024
xbar.map @map of @net on @machine {
  xbar.matrix @W of @w bits 8 slices 2 shape [4, 4] plastic
  xbar.tile @t {
    xbar.tick {
      // expected-error @below {{must not stand in 'xbar.tick'}}
      arith.constant 1 : i32
    }
  }
}

// -----

// update_r1
xbar.machine @machine source "m" mesh [2, 1] arrays 4 of [8, 8]
    cell_bits 2 adc_bits 8 memory 1024
xbar.map @map of @net on @machine {
  xbar.matrix @W of @w bits 8 slices 2 shape [4, 4] plastic
  xbar.tile @t {
    xbar.tick {
      // expected-error @below {{the tile has no share of 'E'}}
      xbar.update @E stage "step"
    }
  }
}

// -----

// send_r1
xbar.machine @machine source "m" mesh [2, 1] arrays 4 of [8, 8]
    cell_bits 2 adc_bits 8 memory 1024
xbar.map @map of @net on @machine {
  xbar.matrix @W of @w bits 8 slices 2 shape [4, 4] plastic
  xbar.tile @t {
    xbar.tick {
      // expected-error @below {{there is no tile 'u' in this map}}
      xbar.send @E::@s to [@u]
    }
  }
}

// -----

// send_r1
xbar.machine @machine source "m" mesh [2, 1] arrays 4 of [8, 8]
    cell_bits 2 adc_bits 8 memory 1024
xbar.map @map of @net on @machine {
  xbar.matrix @W of @w bits 8 slices 2 shape [4, 4] plastic
  xbar.tile @t {
    xbar.tick {
      // expected-error @below {{tile 't' is the one that this stands in}}
      xbar.send @E::@s to [@t]
    }
  }
}

// -----

// recv_r1
xbar.machine @machine source "m" mesh [2, 1] arrays 4 of [8, 8]
    cell_bits 2 adc_bits 8 memory 1024
xbar.map @map of @net on @machine {
  xbar.matrix @W of @w bits 8 slices 2 shape [4, 4] plastic
  xbar.tile @t {
    xbar.tick {
      // expected-error @below {{there is no tile 'u' in this map}}
      xbar.recv @E::@s from @u
    }
  }
}

// -----

// recv_r2
xbar.machine @machine source "m" mesh [2, 1] arrays 4 of [8, 8]
    cell_bits 2 adc_bits 8 memory 1024
xbar.map @map of @net on @machine {
  xbar.matrix @W of @w bits 8 slices 2 shape [4, 4] plastic
  xbar.tile @t {
    xbar.tick {
      // expected-error @below {{tile 'u' does not send @E::@s to this one}}
      xbar.recv @E::@s from @u
    }
  }
  xbar.tile @u {
    xbar.tick {
      xbar.send @E::@other to [@t]
    }
  }
}

// -----

// mvm_r1
xbar.machine @machine source "m" mesh [2, 1] arrays 4 of [8, 8]
    cell_bits 2 adc_bits 8 memory 1024
xbar.map @map of @net on @machine {
  xbar.matrix @W of @w bits 8 slices 2 shape [4, 4] plastic
  xbar.tile @t {
    xbar.tick {
      // expected-error @below {{needs at least one block of weights}}
      "xbar.mvm"() <{projection = 0 : i64, range = 0 : i64}> : () -> ()
    }
  }
}

// -----

// mvm_r2
xbar.machine @machine source "m" mesh [2, 1] arrays 4 of [8, 8]
    cell_bits 2 adc_bits 8 memory 1024
xbar.map @map of @net on @machine {
  xbar.matrix @W of @w bits 8 slices 2 shape [4, 4] plastic
  xbar.tile @t {
    %b = xbar.bank first 0 : !xbar.bank<8 x 4, slices 2>
    %w = xbar.program %b with @W rows [0, 4] cols [0, 4] at 0
        : !xbar.bank<8 x 4, slices 2> -> !xbar.weights<4 x 4>
    xbar.tick {
      // expected-error @below {{range must be in [0, 15], got 16}}
      xbar.mvm %w projection 0 range 16 : !xbar.weights<4 x 4>
    }
  }
}

// -----

// scatter_r1
xbar.machine @machine source "m" mesh [2, 1] arrays 4 of [8, 8]
    cell_bits 2 adc_bits 8 memory 1024
xbar.map @map of @net on @machine {
  xbar.matrix @W of @w bits 8 slices 2 shape [4, 4] plastic
  xbar.tile @t {
    xbar.rows projection 0 units [0, 2] synapses 3
    xbar.tick {
      // expected-error @below {{the tile has no rows of projection 1}}
      xbar.scatter projection 1
    }
  }
}

// -----

// combine_r1
xbar.machine @machine source "m" mesh [2, 1] arrays 4 of [8, 8]
    cell_bits 2 adc_bits 8 memory 1024
xbar.map @map of @net on @machine {
  xbar.matrix @W of @w bits 8 slices 2 shape [4, 4] plastic
  xbar.tile @t {
    xbar.tick {
      // expected-error @below {{units must be [first, last) with 0 <= first < last, got [4, 2]}}
      xbar.combine projection 0 units [4, 2]
    }
  }
}

// -----

// collect_r1
xbar.machine @machine source "m" mesh [2, 1] arrays 4 of [8, 8]
    cell_bits 2 adc_bits 8 memory 1024
xbar.map @map of @net on @machine {
  xbar.matrix @W of @w bits 8 slices 2 shape [4, 4] plastic
  xbar.tile @t {
    xbar.tick {
      // expected-error @below {{tile 't' is the one that this stands in}}
      xbar.collect projection 0 for @E from [@t]
    }
  }
}

// -----

// learn_r1
xbar.machine @machine source "m" mesh [2, 1] arrays 4 of [8, 8]
    cell_bits 2 adc_bits 8 memory 1024
xbar.map @map of @net on @machine {
  xbar.matrix @W of @w bits 8 slices 2 shape [4, 4] plastic
  xbar.tile @t {
    xbar.tick {
      // expected-error @below {{needs at least one block of weights}}
      "xbar.learn"() <{plastic = @p}> : () -> ()
    }
  }
}
