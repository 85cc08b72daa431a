// RUN: neuroc-opt %s --split-input-file --verify-diagnostics --spinn-place --spinn-route
// What placement and routing refuse in a mapping that was written by hand.

spinn.mapping @sdram on @net machine "chip" levels 1 subticks 1 period 1 slowdown 1.0 {
  // expected-error @below {{no core left for 'A_0': 'chip' has 16 cores and 123469792 bytes of SDRAM per chip}}
  // expected-note @below {{1 shares are to be placed; this one needs 200000000 bytes of SDRAM}}
  spinn.core @A_0 of @A units [0, 1] dtcm 1 sdram 200000000 cycles 1
}

// -----

// 2^29 units have 2^31 keys each: two such populations use all keys.
// expected-error @below {{needs more than 2^32 multicast keys}}
spinn.mapping @keys on @net machine "chip" levels 1 subticks 1 period 1 slowdown 1.0 {
  spinn.core @A_0 of @A units [0, 536870912] dtcm 1 sdram 1 cycles 1
  spinn.core @B_0 of @B units [0, 536870912] dtcm 1 sdram 1 cycles 1
  spinn.core @C_0 of @C units [0, 1] dtcm 1 sdram 1 cycles 1
  spinn.listen @A_0 to @B_0 output 0 as flag
  spinn.listen @B_0 to @C_0 output 0 as flag
  spinn.listen @C_0 to @A_0 output 0 as flag
}
