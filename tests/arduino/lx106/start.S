/* Where the CPU starts; then zeros, a stack and main. */
    .section .reset, "ax"
    .align 4
    .global reset
    j reset_start
    .align 4
reset:
    j reset_start
    .align 4
entry:
    .word start
reset_start:
    l32r a0, entry
    jx a0

    .text
    .align 4
stack:
    .word stack_top
bss_from:
    .word bss_start
bss_to:
    .word bss_end
main_at:
    .word main
exit_at:
    .word board_exit
    .global start
start:
    l32r a1, stack
    l32r a2, bss_from
    l32r a3, bss_to
    movi a4, 0
1:  bgeu a2, a3, 2f
    s32i a4, a2, 0
    addi a2, a2, 4
    j 1b
2:  l32r a0, main_at
    callx0 a0
    l32r a0, exit_at
    callx0 a0

/* board_call(number, a3, a4, a5): a semihosting call. */
    .align 4
    .global board_call
board_call:
    simcall
    ret.n

/* 1 for every 25 instructions under -icount shift=0. */
    .align 4
    .global board_ccount
board_ccount:
    rsr.ccount a2
    ret.n

/* The caller's stack pointer. */
    .align 4
    .global board_sp
board_sp:
    mov a2, a1
    ret.n
