/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Calls test_main and stops; its result is in r0. */
        .syntax unified
        .arm
        .section .vectors, "ax", %progbits
        .global start
start:  ldr     sp, =__stack_top
        bl      test_main
        bkpt    #0
        .ltorg
