// RUN: neuroc-opt %s --verify-diagnostics --spinn-assign-formats=machine=spin99
// An unknown machine is refused with the known ones listed.

// expected-error @below {{unknown machine 'spin99'}}
// expected-note @below {{known: spin3, 4 chips (2 x 2 torus), 64 application cores}}
// expected-note @below {{known: spin5, 48 chips (hexagonal board), 768 application cores}}
// expected-note @below {{known: chip, one chip, 16 application cores}}
module {
  neuro.network @net dt 1.0 {
  }
}
