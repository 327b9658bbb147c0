//go:build tamago

#include "textflag.h"

// Without a machine below it a program stops at its first instruction.

TEXT ·CPUinit(SB),NOSPLIT|NOFRAME,$0
	CLI
stop:
	HLT
	JMP	stop

TEXT ·Hwinit0(SB),NOSPLIT,$0
	RET

TEXT ·Hwinit1(SB),NOSPLIT,$0
	RET

TEXT ·InitRNG(SB),NOSPLIT,$0
	RET

TEXT ·GetRandomData(SB),NOSPLIT,$0-24
	RET

TEXT ·Nanotime(SB),NOSPLIT,$0-8
	MOVQ	$0, ret+0(FP)
	RET

TEXT ·Printk(SB),NOSPLIT,$0-1
	RET
