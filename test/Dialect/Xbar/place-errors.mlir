// RUN: neuroc-opt %s --verify-diagnostics --xbar-place-tiles
//
// More tiles than places, which xbar-map-arrays would not leave.
xbar.machine @machine source "m" mesh [1, 1] arrays 4 of [8, 8]
    cell_bits 2 adc_bits 8 memory 1024
neuro.network @net dt 1.0 {
}
// expected-error @below {{does not fit: 2 tiles on a mesh of 1 x 1}}
xbar.map @map of @net on @machine {
  xbar.tile @a {
  }
  xbar.tile @b {
  }
}
