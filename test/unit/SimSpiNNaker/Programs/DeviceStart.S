/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Vectors for the device tests: interrupts go where the VIC says. */
        .syntax unified
        .arm
        .section .vectors, "ax", %progbits
        .global start
vectors:
        b       start
        b       .
        b       .
        b       .
        b       .
        b       .
        ldr     pc, [pc, #-0xff0]       @ 0x18: VIC vector address
        ldr     pc, =fast_handler       @ 0x1c
start:  msr     cpsr_c, #0xd2           @ interrupt mode
        ldr     sp, =0x0040f000
        msr     cpsr_c, #0xd1           @ fast interrupt mode
        ldr     sp, =0x0040e000
        msr     cpsr_c, #0xd3
        ldr     sp, =__stack_top
        bl      test_main
        bkpt    #0
        .ltorg
