/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * The run-time helpers of the ARM EABI that compiled code calls, as far as
 * ARMv5TE without floating point needs them: 64-bit multiply and shifts, block
 * moves, and the entry points of the divisions whose work is in Divide.c.
 */
        .syntax unified
        .cpu    arm968e-s
        .arm

        .macro  function name
        .section .text.\name, "ax", %progbits
        .balign 4
        .global \name
        .type   \name, %function
\name:
        .endm

/* (r1:r0) * (r3:r2) */
        function __aeabi_lmul
        mul     r1, r2, r1              @ high * low
        mla     r3, r0, r3, r1          @ + low * high
        umull   r0, r1, r2, r0
        add     r1, r1, r3
        bx      lr

/* Shifts of r1:r0 by r2, 0 to 63. Register shifts by 32 or more give zero (or
 * the sign), so each half is a sum of two terms of which one vanishes. */
        function __aeabi_llsl
        rsb     r3, r2, #32
        mov     r1, r1, lsl r2
        orr     r1, r1, r0, lsr r3
        subs    r3, r2, #32
        orrpl   r1, r1, r0, lsl r3
        mov     r0, r0, lsl r2
        bx      lr

        function __aeabi_llsr
        rsb     r3, r2, #32
        mov     r0, r0, lsr r2
        orr     r0, r0, r1, lsl r3
        subs    r3, r2, #32
        orrpl   r0, r0, r1, lsr r3
        mov     r1, r1, lsr r2
        bx      lr

        function __aeabi_lasr
        subs    r3, r2, #32
        movpl   r0, r1, asr r3
        rsbmi   r3, r2, #32
        movmi   r0, r0, lsr r2
        orrmi   r0, r0, r1, lsl r3
        mov     r1, r1, asr r2
        bx      lr

/* Quotient in r0, remainder in r1. */
        function __aeabi_uidivmod
        push    {r0, r1, r4, lr}
        bl      neuroc_udiv32
        pop     {r1, r2, r4, lr}
        mul     r3, r0, r2
        sub     r1, r1, r3
        bx      lr

        function __aeabi_idivmod
        push    {r0, r1, r4, lr}
        bl      neuroc_sdiv32
        pop     {r1, r2, r4, lr}
        mul     r3, r0, r2
        sub     r1, r1, r3
        bx      lr

/* Quotient in r1:r0, remainder in r3:r2. */
        function __aeabi_uldivmod
        push    {r4, lr}
        sub     sp, sp, #16
        add     r4, sp, #8
        str     r4, [sp]                @ where the remainder goes
        bl      neuroc_udiv64
        ldr     r2, [sp, #8]
        ldr     r3, [sp, #12]
        add     sp, sp, #16
        pop     {r4, pc}

        function __aeabi_ldivmod
        push    {r4, lr}
        sub     sp, sp, #16
        add     r4, sp, #8
        str     r4, [sp]
        bl      neuroc_sdiv64
        ldr     r2, [sp, #8]
        ldr     r3, [sp, #12]
        add     sp, sp, #16
        pop     {r4, pc}

/* memset(r0 to, r1 value, r2 bytes), __aeabi_memset(r0 to, r1 bytes, r2 value),
 * __aeabi_memclr(r0 to, r1 bytes) */
        .macro  alias name, of
        .global \name
        .set    \name, \of
        .endm

        function __aeabi_memclr
        mov     r2, #0
        b       __aeabi_memset
        alias   __aeabi_memclr4, __aeabi_memclr
        alias   __aeabi_memclr8, __aeabi_memclr

        function __aeabi_memset
        mov     r3, r1
        mov     r1, r2
        mov     r2, r3
        b       memset
        alias   __aeabi_memset4, __aeabi_memset
        alias   __aeabi_memset8, __aeabi_memset

        function memset
        mov     r12, r0
        and     r1, r1, #0xff
        orr     r1, r1, r1, lsl #8
        orr     r1, r1, r1, lsl #16
1:      tst     r12, #3                 @ up to a word boundary
        beq     2f
        subs    r2, r2, #1
        bxmi    lr
        strb    r1, [r12], #1
        b       1b
2:      mov     r3, r1
        subs    r2, r2, #8
        bmi     4f
3:      stmia   r12!, {r1, r3}
        subs    r2, r2, #8
        bpl     3b
4:      adds    r2, r2, #8
        bxeq    lr
5:      strb    r1, [r12], #1
        subs    r2, r2, #1
        bne     5b
        bx      lr

/* memcpy(r0 to, r1 from, r2 bytes) */
        function memcpy
        mov     r12, r0
        orr     r3, r0, r1
        tst     r3, #3
        bne     3f
        subs    r2, r2, #16
        bmi     2f
        push    {r4, r5, r6, lr}
1:      ldmia   r1!, {r3, r4, r5, r6}
        stmia   r12!, {r3, r4, r5, r6}
        subs    r2, r2, #16
        bpl     1b
        pop     {r4, r5, r6, lr}
2:      add     r2, r2, #16
3:      subs    r2, r2, #1
        bxmi    lr
        ldrb    r3, [r1], #1
        strb    r3, [r12], #1
        b       3b
        alias   __aeabi_memcpy, memcpy
        alias   __aeabi_memcpy4, memcpy
        alias   __aeabi_memcpy8, memcpy

        function memmove
        cmp     r0, r1
        bls     memcpy
        add     r12, r0, r2
        add     r1, r1, r2
1:      subs    r2, r2, #1
        bxmi    lr
        ldrb    r3, [r1, #-1]!
        strb    r3, [r12, #-1]!
        b       1b
        alias   __aeabi_memmove, memmove
        alias   __aeabi_memmove4, memmove
        alias   __aeabi_memmove8, memmove
