//go:build tamago

#include "go_asm.h"
#include "go_tls.h"
#include "textflag.h"

#define MSR_FS_BASE	0xc0000100

// settls makes DI the place of g: TLS offsets of ELF are negative.
TEXT runtime·settls(SB),NOSPLIT|NOFRAME,$0
	ADDQ	$8, DI
	MOVL	DI, AX
	MOVQ	DI, DX
	SHRQ	$32, DX
	MOVL	$MSR_FS_BASE, CX
	WRMSR
	RET

// func halt()
TEXT runtime·halt(SB),NOSPLIT|NOFRAME,$0-0
	HLT
	RET

// func threadSwitch(save *uintptr, to uintptr, newg unsafe.Pointer)
TEXT runtime·threadSwitch(SB),NOSPLIT|NOFRAME,$0-24
	MOVQ	save+0(FP), AX
	MOVQ	to+8(FP), BX
	MOVQ	newg+16(FP), DX
	PUSHQ	BP
	MOVQ	SP, (AX)
	MOVQ	BX, SP
	get_tls(CX)
	MOVQ	DX, g(CX)
	POPQ	BP
	RET

// func threadStart()
TEXT runtime·threadStart(SB),NOSPLIT|TOPFRAME,$0-0
	CALL	runtime·threadBegin(SB)
	CALL	runtime·mstart(SB)
	CALL	runtime·abort(SB)
	RET

// func coreStart()
TEXT runtime·coreStart(SB),NOSPLIT|TOPFRAME,$0-0
	CALL	runtime·coreRun(SB)
	CALL	runtime·abort(SB)
	RET

// func coreEnter()
TEXT runtime·coreEnter(SB),NOSPLIT|TOPFRAME,$0-0
	CALL	runtime·coreJoin(SB)
	CALL	runtime·abort(SB)
	RET

// trap is called by the machine's entry code for exceptions and timer ticks, with
// a trapFrame in DI, on a stack of the machine's, interrupts disabled, all
// registers saved. AX tells whether the runtime could handle it.
TEXT runtime·trap(SB),NOSPLIT|NOFRAME,$0
	get_tls(CX)
	MOVQ	g(CX), AX
	TESTQ	AX, AX
	JEQ	early
	MOVQ	g_m(AX), BX
	TESTQ	BX, BX
	JEQ	early
	MOVQ	m_gsignal(BX), DX
	TESTQ	DX, DX
	JEQ	early
	CMPQ	DX, AX
	JEQ	early	// a trap in the handler of another
	MOVQ	SP, R12
	MOVQ	(g_stack+stack_hi)(DX), SP
	SUBQ	$48, SP
	ANDQ	$~15, SP
	MOVQ	R12, 32(SP)
	MOVQ	AX, 24(SP)
	MOVQ	DX, g(CX)
	MOVQ	DI, 0(SP)
	MOVQ	AX, 8(SP)
	CALL	·trapgo(SB)
	MOVQ	24(SP), AX
	get_tls(CX)
	MOVQ	AX, g(CX)
	MOVQ	32(SP), SP
	MOVL	$1, AX
	RET
early:
	XORL	AX, AX
	RET
