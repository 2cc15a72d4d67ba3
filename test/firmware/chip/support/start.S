// What runs before main(): a stack, and nothing else. The emulator has loaded memory, and zeroed the rest.
    .section .vector, "ax"
    .global _start
_start:
    j begin

    .section .text.begin, "ax"
    .literal_position
    .align 4
begin:
    movi a1, 0x3fffff00
    call0 main
    call0 exit

    // int simcall(int number, int first, int second, int third), see simcall.h: the arguments are where they must be.
    .section .text.simcall, "ax"
    .global simcall
    .align 4
simcall:
    simcall
    ret
