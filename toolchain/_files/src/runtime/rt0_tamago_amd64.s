//go:build tamago

#include "textflag.h"

// The entry point of the image. The machine's code starts here, in whatever
// mode the boot loader leaves the CPU, and comes back below in 64-bit mode.
TEXT _rt0_amd64_tamago(SB),NOSPLIT|NOFRAME,$0
	JMP	runtime∕goos·CPUinit(SB)

// Starts the runtime on the stack in SP, without arguments.
TEXT _rt0_tamago_start(SB),NOSPLIT|NOFRAME,$0
	CALL	runtime∕goos·Hwinit0(SB)
	XORL	DI, DI
	LEAQ	·noArgs<>(SB), SI
	JMP	runtime·rt0_go(SB)

// Starts the runtime on the stack in SP with DI arguments and SI pointing to
// their addresses, those of the environment and then the auxiliary vector behind
// them, each list ended by zero, as the System V ABI lays them out.
TEXT _rt0_tamago_args(SB),NOSPLIT|NOFRAME,$0
	JMP	runtime·rt0_go(SB)

DATA	·noArgs<>+0(SB)/8, $0
DATA	·noArgs<>+8(SB)/8, $0
DATA	·noArgs<>+16(SB)/8, $0
GLOBL	·noArgs<>(SB),RODATA,$24
