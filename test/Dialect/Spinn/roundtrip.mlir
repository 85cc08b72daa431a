// RUN: neuroc-opt %s | neuroc-opt | FileCheck %s
// Every operation of the dialect, through the printer and the parser.

neuro.network @net dt 1.0 {
}
// CHECK-LABEL: spinn.mapping @net_map on @net machine "spin3" levels 1 subticks 2 period 20000
spinn.mapping @net_map on @net machine "spin3"
    levels 1 subticks 2 period 20000 slowdown 1.0 {
  // CHECK: spinn.format @E "v" "state" frac 20 range [-8.000000e+01, 0.000000e+00] proved
  spinn.format @E "v" "state" frac 20 range [-8.0e+01, 0.0] proved
  // CHECK: spinn.format @E "u" "state" frac -3 range [-1.000000e+03, 1.000000e+03]
  spinn.format @E "u" "state" frac -3 range [-1.0e+03, 1.0e+03]
  // CHECK: spinn.core @E_0 of @E units [0, 63] dtcm 9000 sdram 4096 cycles 6300 slots [220, 110] at [0, 0, 1]
  spinn.core @E_0 of @E units [0, 63] dtcm 9000 sdram 4096 cycles 6300
      slots [220, 110] at [0, 0, 1]
  // CHECK: spinn.core @E_1 of @E units [63, 63] dtcm 9000 sdram 4096 cycles 6300 external{{$}}
  spinn.core @E_1 of @E units [63, 63] dtcm 9000 sdram 4096 cycles 6300 external
  // CHECK: spinn.listen @E_0 to @E_1 output 0 as rows
  spinn.listen @E_0 to @E_1 output 0 as rows
  // CHECK: spinn.listen @E_1 to @E_0 output 1 as value
  spinn.listen @E_1 to @E_0 output 1 as value
  // CHECK: spinn.key @E_0 output 0 base 0x100 mask 0xffffff00
  spinn.key @E_0 output 0 base 0x100 mask 0xffffff00
  // CHECK: spinn.table [0, 0]
  spinn.table [0, 0] {
    // CHECK: spinn.entry 0x100 mask 0xffffff00 links [0, 3] cores [1, 17]
    spinn.entry 0x100 mask 0xffffff00 links [0, 3] cores [1, 17]
  }
}
