//go:build tamago

#include "go_asm.h"
#include "go_tls.h"
#include "funcdata.h"
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
// a trapFrame in DI and R12, and 4096 bytes of saved vector registers in R13, on a
// stack of the machine's, interrupts disabled. AX tells whether the runtime could
// handle it.
//
// A page fault may take interrupts, and its thread may go on on another core: all
// of it moves to the signal stack, and trap returns there, with R12 and R13 changed
// where it finds them on the stack.
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
	MOVQ	SP, R8
	MOVQ	(g_stack+stack_hi)(DX), SP
	CMPQ	trapFrame_vector(DI), $14
	JNE	stay

	MOVQ	0(R8), R9	// the return address
	SUBQ	$trapFrame__size, SP
	ANDQ	$~15, SP
	MOVQ	SP, R10
	MOVQ	R12, SI
	MOVQ	R10, DI
	MOVQ	$(trapFrame__size / 8), CX
	REP; MOVSQ
	SUBQ	$4096, SP
	ANDQ	$~63, SP
	MOVQ	R13, SI
	MOVQ	SP, DI
	MOVQ	SP, R11
	MOVQ	$(4096 / 8), CX
	REP; MOVSQ
	SUBQ	$24, SP
	MOVQ	R10, 16(SP)
	MOVQ	R11, 8(SP)
	MOVQ	R9, 0(SP)
	MOVQ	SP, R8
	MOVQ	R10, DI
	get_tls(CX)
stay:
	SUBQ	$48, SP
	ANDQ	$~15, SP
	MOVQ	R8, 32(SP)
	MOVQ	AX, 24(SP)
	MOVQ	DX, g(CX)
	MOVQ	DI, 0(SP)
	MOVQ	AX, 8(SP)
	CALL	·trapgo(SB)
	CLI
	MOVQ	24(SP), AX
	get_tls(CX)
	MOVQ	AX, g(CX)
	MOVQ	32(SP), SP
	MOVL	$1, AX
	RET
early:
	XORL	AX, AX
	RET

// systemCall is where the instruction SYSCALL leads, in code that was written for
// Linux: number in AX, arguments in DI, SI, DX, R10, R8 and R9, the result in AX,
// errors negative. There is no other ring to change from, and the stack stays: so
// it is as a CALL. Interrupts are off until the return address is on the stack.
TEXT runtime·systemCall(SB),NOSPLIT|NOFRAME,$0-0
	PUSHQ	CX
	BTL	$9, R11
	JCC	masked
	STI
masked:
	JMP	systemCallFrame<>(SB)

// systemCallFrame keeps the registers that Linux keeps, but for those of SSE, on
// which no assembly of Go relies across a call. From 16(SP) on are systemCallArgs.
TEXT systemCallFrame<>(SB),NOSPLIT,$112-0
	NO_LOCAL_POINTERS
	MOVQ	AX, 16(SP)
	MOVQ	DI, 24(SP)
	MOVQ	SI, 32(SP)
	MOVQ	DX, 40(SP)
	MOVQ	R10, 48(SP)
	MOVQ	R8, 56(SP)
	MOVQ	R9, 64(SP)
	MOVQ	BX, 72(SP)
	MOVQ	R12, 80(SP)
	MOVQ	R13, 88(SP)
	MOVQ	R14, 96(SP)
	MOVQ	R15, 104(SP)
	LEAQ	16(SP), AX
	MOVQ	AX, 0(SP)
	CALL	·systemCallGo(SB)
	MOVQ	8(SP), AX
	MOVQ	24(SP), DI
	MOVQ	32(SP), SI
	MOVQ	40(SP), DX
	MOVQ	48(SP), R10
	MOVQ	56(SP), R8
	MOVQ	64(SP), R9
	MOVQ	72(SP), BX
	MOVQ	80(SP), R12
	MOVQ	88(SP), R13
	MOVQ	96(SP), R14
	MOVQ	104(SP), R15
	RET
