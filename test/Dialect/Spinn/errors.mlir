// RUN: neuroc-opt %s --split-input-file --verify-diagnostics
// One case for each rule of the dialect; the rule is in the name.

// expected-error @below {{names an unknown machine 'spin9'}}
spinn.mapping @mapping_r1 on @net machine "spin9" levels 1 subticks 1 period 1 slowdown 1.0 {
}

// -----

// expected-error @below {{needs 1 <= levels <= subticks <= levels + 1, got 0 levels and 1 subticks}}
spinn.mapping @mapping_r2_levels on @net machine "spin3" levels 0 subticks 1 period 1 slowdown 1.0 {
}

// -----

// expected-error @below {{got 2 levels and 4 subticks}}
spinn.mapping @mapping_r2_subticks on @net machine "spin3" levels 2 subticks 4 period 1 slowdown 1.0 {
}

// -----

// expected-error @below {{period must be in [1, 2^32), got 0}}
spinn.mapping @mapping_r3 on @net machine "spin3" levels 1 subticks 1 period 0 slowdown 1.0 {
}

// -----

spinn.mapping @mapping_r4 on @net machine "spin3" levels 1 subticks 1 period 1 slowdown 1.0 {
  // expected-error @below {{'arith.constant' op does not belong in a 'spinn.mapping'}}
  %0 = arith.constant 1 : i32
}

// -----

spinn.mapping @mapping_r5 on @net machine "spin3" levels 1 subticks 1 period 1 slowdown 1.0 {
  spinn.core @A_0 of @A units [0, 4] dtcm 1 sdram 1 cycles 1 at [0, 0, 1]
  // expected-error @below {{has the same place as 'A_0'}}
  spinn.core @B_0 of @B units [0, 4] dtcm 1 sdram 1 cycles 1 at [0, 0, 1]
}

// -----

spinn.mapping @mapping_r6 on @net machine "spin3" levels 1 subticks 1 period 1 slowdown 1.0 {
  spinn.core @A_0 of @A units [0, 4] dtcm 1 sdram 1 cycles 1 at [0, 0, 1]
  // expected-error @below {{starts at unit 5 of 'A' but the shares before it end at 4}}
  spinn.core @A_1 of @A units [5, 4] dtcm 1 sdram 1 cycles 1
}

// -----

spinn.mapping @mapping_r7 on @net machine "spin3" levels 1 subticks 1 period 1 slowdown 1.0 {
  spinn.core @A_0 of @A units [0, 4] dtcm 1 sdram 1 cycles 1 at [0, 0, 1]
  spinn.key @A_0 output 0 base 0x100 mask 0xffffff00
  // expected-error @below {{overlaps the keys of another output, of core 'A_0'}}
  spinn.key @A_0 output 1 base 0x1f0 mask 0xfffffff0
}

// -----

spinn.mapping @mapping_r8_monitor on @net machine "spin3" levels 1 subticks 1 period 1 slowdown 1.0 {
  // expected-error @below {{is placed where 'spin3' has no application core}}
  spinn.core @A_0 of @A units [0, 4] dtcm 1 sdram 1 cycles 1 at [0, 0, 0]
}

// -----

spinn.mapping @mapping_r8_chip on @net machine "spin3" levels 1 subticks 1 period 1 slowdown 1.0 {
  // expected-error @below {{is placed where 'spin3' has no application core}}
  spinn.core @A_0 of @A units [0, 4] dtcm 1 sdram 1 cycles 1 at [2, 0, 1]
}

// -----

spinn.mapping @format_r1 on @net machine "spin3" levels 1 subticks 1 period 1 slowdown 1.0 {
  // expected-error @below {{frac must be in [-31, 62], got 63}}
  spinn.format @A "v" "state" frac 63 range [0.0, 0.0]
}

// -----

spinn.mapping @format_r2 on @net machine "spin3" levels 1 subticks 1 period 1 slowdown 1.0 {
  // expected-error @below {{range must be [lo, hi] with lo <= hi}}
  spinn.format @A "v" "state" frac 3 range [1.0, 0.0]
}

// -----

spinn.mapping @format_r3 on @net machine "spin3" levels 1 subticks 1 period 1 slowdown 1.0 {
  // expected-error @below {{does not fit 32 bits with 30 fraction bits}}
  spinn.format @A "v" "state" frac 30 range [0.0, 3.0] proved
}

// -----

spinn.mapping @core_r1 on @net machine "spin3" levels 1 subticks 1 period 1 slowdown 1.0 {
  // expected-error @below {{units must be [first, count], first >= 0, count >= 1}}
  spinn.core @A_0 of @A units [0, 0] dtcm 1 sdram 1 cycles 1
}

// -----

spinn.mapping @core_r2 on @net machine "spin3" levels 1 subticks 1 period 1 slowdown 1.0 {
  // expected-error @below {{place must be [x, y, core], none negative}}
  spinn.core @A_0 of @A units [0, 1] dtcm 1 sdram 1 cycles 1 at [0, 1]
}

// -----

spinn.mapping @core_r3 on @net machine "spin3" levels 1 subticks 1 period 1 slowdown 1.0 {
  // expected-error @below {{needs 65537 bytes of DTCM (of 65536), 1 of SDRAM and 1 cycles}}
  spinn.core @A_0 of @A units [0, 1] dtcm 65537 sdram 1 cycles 1
}

// -----

spinn.mapping @core_r4 on @net machine "spin3" levels 1 subticks 1 period 1 slowdown 1.0 {
  // expected-error @below {{slots must be [gap, phase], 0 <= phase < gap}}
  spinn.core @A_0 of @A units [0, 1] dtcm 1 sdram 1 cycles 1 slots [110, 110]
}

// -----

spinn.mapping @listen_r1 on @net machine "spin3" levels 1 subticks 1 period 1 slowdown 1.0 {
  spinn.core @A_0 of @A units [0, 4] dtcm 1 sdram 1 cycles 1 at [0, 0, 1]
  // expected-error @below {{refers to 'B_0', which is no 'spinn.core'}}
  spinn.listen @A_0 to @B_0 output 0 as flag
}

// -----

spinn.mapping @key_r1 on @net machine "spin3" levels 1 subticks 1 period 1 slowdown 1.0 {
  spinn.core @A_0 of @A units [0, 4] dtcm 1 sdram 1 cycles 1 at [0, 0, 1]
  // expected-error @below {{mask must be ones followed by zeros}}
  spinn.key @A_0 output 0 base 0x0 mask 0xffffff0f
}

// -----

spinn.mapping @key_r2 on @net machine "spin3" levels 1 subticks 1 period 1 slowdown 1.0 {
  spinn.core @A_0 of @A units [0, 4] dtcm 1 sdram 1 cycles 1 at [0, 0, 1]
  // expected-error @below {{base has bits outside its mask}}
  spinn.key @A_0 output 0 base 0x11 mask 0xfffffff0
}

// -----

spinn.mapping @key_r3 on @net machine "spin3" levels 1 subticks 1 period 1 slowdown 1.0 {
  // expected-error @below {{refers to 'A_0', which is no 'spinn.core'}}
  spinn.key @A_0 output 0 base 0x0 mask 0xffffff00
}

// -----

spinn.mapping @key_range on @net machine "spin3" levels 1 subticks 1 period 1 slowdown 1.0 {
  spinn.core @A_0 of @A units [0, 4] dtcm 1 sdram 1 cycles 1 at [0, 0, 1]
  // expected-error @below {{expected an unsigned 32-bit number}}
  spinn.key @A_0 output 0 base 0x100000000 mask 0xffffff00
}

// -----

spinn.mapping @table_r1 on @net machine "spin3" levels 1 subticks 1 period 1 slowdown 1.0 {
  // expected-error @below {{chip must be [x, y]}}
  spinn.table [0] {
  }
}

// -----

spinn.mapping @table_r2 on @net machine "spin3" levels 1 subticks 1 period 1 slowdown 1.0 {
  spinn.table [0, 0] {
  // expected-error @below {{'arith.constant' op does not belong in a 'spinn.table'}}
    %0 = arith.constant 1 : i32
  }
}

// -----

spinn.mapping @entry_r1 on @net machine "spin3" levels 1 subticks 1 period 1 slowdown 1.0 {
  spinn.table [0, 0] {
  // expected-error @below {{key has bits outside its mask}}
    spinn.entry 0x1 mask 0xfffffff0 links [] cores [1]
  }
}

// -----

spinn.mapping @entry_r2_none on @net machine "spin3" levels 1 subticks 1 period 1 slowdown 1.0 {
  spinn.table [0, 0] {
  // expected-error @below {{needs links in 0..5 and cores in 1..17, at least one of both}}
    spinn.entry 0x0 mask 0xfffffff0 links [] cores []
  }
}

// -----

spinn.mapping @entry_r2_monitor on @net machine "spin3" levels 1 subticks 1 period 1 slowdown 1.0 {
  spinn.table [0, 0] {
  // expected-error @below {{needs links in 0..5 and cores in 1..17, at least one of both}}
    spinn.entry 0x0 mask 0xfffffff0 links [0] cores [0]
  }
}
