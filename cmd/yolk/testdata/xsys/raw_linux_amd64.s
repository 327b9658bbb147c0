#include "textflag.h"

#ifdef GOOS_linux
// func raw(num, a1 uintptr) uintptr
TEXT ·raw(SB),NOSPLIT,$0-24
	MOVQ	num+0(FP), AX
	MOVQ	a1+8(FP), DI
	SYSCALL
	MOVQ	AX, ret+16(FP)
	RET
#endif
