/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * Exception vectors, start-up and the packet handler. Packets arrive by fast
 * interrupt, whose banked registers keep everything the handler needs between
 * two packets:
 *   r8  communications controller   r9  offset of the next free ring entry
 *   r10 base of the ring            r11, r12, r13 scratch, r14 return address
 * The ring is `neuroc_ring` of Kernel.cpp: 256 entries of (key, payload), then
 * the read offset (moved by the main loop), the write offset and the count of
 * packets that found the ring full (both moved here). One entry stays free.
 * Other interrupts are never unmasked: the main loop polls them.
 */
        .syntax unified
        .cpu    arm968e-s
        .arm

        .set    RING_BYTES, 0x800
        .set    RING_READ, 0x800
        .set    RING_WRITE, 0x804
        .set    RING_LOST, 0x808
        .set    CC_RSR, 0x0c
        .set    CC_RDR, 0x10
        .set    CC_RKR, 0x14
        .set    CC_BASE, 0x10000000

        .section .vectors, "ax", %progbits
        .balign 4
        .global neuroc_kernel_vectors
        .type   neuroc_kernel_vectors, %object
neuroc_kernel_vectors:
        b       neuroc_kernel_reset
        b       fault                   @ undefined instruction
        b       fault                   @ software interrupt: none is defined
        b       fault                   @ prefetch abort
        b       fault_data
        b       fault
        b       fault                   @ IRQ: never unmasked
        /* The handler of fast interrupts starts at their vector. */
packet:
        ldr     r11, [r8, #CC_RDR]
        ldr     r12, [r8, #CC_RKR]      @ frees the receiver
        add     r13, r10, r9
        str     r12, [r13]
        ldr     r12, [r10, #RING_READ]
        str     r11, [r13, #4]
        add     r13, r9, #8
        bic     r13, r13, #RING_BYTES
        cmp     r13, r12
        ldreq   r11, [r10, #RING_LOST]
        movne   r9, r13
        ldr     r12, [r8, #CC_RSR]
        addeq   r11, r11, #1
        streq   r11, [r10, #RING_LOST]
        strne   r9, [r10, #RING_WRITE]
        tst     r12, #0x80000000        @ does another packet wait?
        bne     packet
        subs    pc, lr, #4

fault_data:
        sub     lr, lr, #4              @ a data abort is one word further
fault:
        sub     lr, lr, #4
        ldr     r0, =neuroc_control
        str     lr, [r0, #12]           @ fault
        mov     r1, #4                  @ NEUROC_SPINN_FAULT
        str     r1, [r0, #8]            @ status
stop:   mov     r0, #0
        mcr     p15, 0, r0, c7, c0, 4
        b       stop

        .global neuroc_kernel_reset
        .type   neuroc_kernel_reset, %function
neuroc_kernel_reset:
        msr     cpsr_c, #0xd1           @ fast interrupt mode, both masked
        mov     r8, #CC_BASE
        mov     r9, #0
        ldr     r10, =neuroc_ring
        msr     cpsr_c, #0xd3           @ supervisor mode
        ldr     sp, =__stack_top
        bl      neuroc_kernel_main
        b       stop
        .ltorg
