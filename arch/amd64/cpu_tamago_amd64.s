//go:build tamago

#include "go_asm.h"
#include "textflag.h"

// func cpuid(leaf, sub uint32) (a, b, c, d uint32)
TEXT ·cpuid(SB),NOSPLIT,$0-24
	MOVL	leaf+0(FP), AX
	MOVL	sub+4(FP), CX
	CPUID
	MOVL	AX, a+8(FP)
	MOVL	BX, b+12(FP)
	MOVL	CX, c+16(FP)
	MOVL	DX, d+20(FP)
	RET

// func rdtsc() uint64
TEXT ·rdtsc(SB),NOSPLIT,$0-8
	RDTSC
	SHLQ	$32, DX
	ORQ	DX, AX
	MOVQ	AX, ret+0(FP)
	RET

// func rdrand() (v uint64, ok bool)
TEXT ·rdrand(SB),NOSPLIT,$0-9
	MOVL	$10, CX
again:
	BYTE	$0x48; BYTE $0x0f; BYTE $0xc7; BYTE $0xf0	// RDRAND RAX
	JCS	done
	DECL	CX
	JNE	again
	MOVB	$0, ok+8(FP)
	RET
done:
	MOVQ	AX, v+0(FP)
	MOVB	$1, ok+8(FP)
	RET

// func loadTables(p uintptr)
TEXT ·loadTables(SB),NOSPLIT,$0-8
	MOVQ	p+0(FP), AX
	MOVQ	AX, CR3
	RET

// func rdmsr(msr uint32) uint64
TEXT ·rdmsr(SB),NOSPLIT,$0-16
	MOVL	msr+0(FP), CX
	RDMSR
	SHLQ	$32, DX
	ORQ	DX, AX
	MOVQ	AX, ret+8(FP)
	RET

// func wrmsr(msr uint32, v uint64)
TEXT ·wrmsr(SB),NOSPLIT,$0-16
	MOVL	msr+0(FP), CX
	MOVQ	v+8(FP), AX
	MOVQ	AX, DX
	SHRQ	$32, DX
	WRMSR
	RET

// func sendX2(command uint64)
TEXT ·sendX2(SB),NOSPLIT,$0-8
	MOVL	$const_msrICR, CX
	MOVQ	command+0(FP), AX
	MOVQ	AX, DX
	SHRQ	$32, DX
	MFENCE
	LFENCE
	WRMSR
	RET

// func deadlineFence()
TEXT ·deadlineFence(SB),NOSPLIT,$0-0
	MFENCE
	RET

// func cli()
TEXT ·cli(SB),NOSPLIT,$0-0
	CLI
	RET

// func sti()
TEXT ·sti(SB),NOSPLIT,$0-0
	STI
	RET

// func waitInterrupt()
TEXT ·waitInterrupt(SB),NOSPLIT,$0-0
	STI		// takes effect behind the next instruction
	HLT
	CLI
	RET

// func stop()
TEXT ·stop(SB),NOSPLIT,$0-0
	CLI
	HLT
	RET

// func disableInterrupts() (flags uint64)
TEXT ·disableInterrupts(SB),NOSPLIT,$0-8
	PUSHFQ
	CLI
	POPQ	AX
	MOVQ	AX, flags+0(FP)
	RET

// func restoreInterrupts(flags uint64)
TEXT ·restoreInterrupts(SB),NOSPLIT,$0-8
	MOVQ	flags+0(FP), AX
	PUSHQ	AX
	POPFQ
	RET

// func raise(vector uint8)
TEXT ·raise(SB),NOSPLIT,$0-1
	MOVBLZX	vector+0(FP), AX
	LEAQ	runtime·interruptPending(SB), CX
	LOCK
	BTSQ	AX, (CX)
	MOVL	$1, runtime·interruptNew(SB)
	RET

// func tripleFault()
TEXT ·tripleFault(SB),NOSPLIT,$16-0
	MOVQ	$0, 0(SP)
	MOVQ	$0, 8(SP)
	BYTE	$0x0f; BYTE $0x01; BYTE $0x1c; BYTE $0x24	// LIDT (SP)
	BYTE	$0xcc	// INT3
	RET

// func goroutineWord(off uintptr) uint64
TEXT ·goroutineWord(SB),NOSPLIT,$0-16
	MOVQ	(TLS), AX
	ADDQ	off+0(FP), AX
	MOVQ	(AX), AX
	MOVQ	AX, ret+8(FP)
	RET
