//go:build tamago

#include "go_asm.h"
#include "layout.h"
#include "textflag.h"

#define IDT		0x109000
#define LAPIC_EOI	(const_lapicBase + const_lapicEOI)
#define LAPIC_ICR_LOW	(const_lapicBase + const_lapicICRLow)
#define LAPIC_ICR_HIGH	(const_lapicBase + const_lapicICRHigh)
#define LAPIC_COUNT	(const_lapicBase + const_lapicInitialCount)
#define X2APIC(reg)	(const_msrX2APIC + reg/16)

// func cpuIndex() uintptr
TEXT ·cpuIndex(SB),NOSPLIT,$0-8
	MOVQ	0(FS), AX
	MOVQ	AX, ret+0(FP)
	RET

// func trapEntryAddr() uintptr
TEXT ·trapEntryAddr(SB),NOSPLIT,$0-8
	MOVQ	$trapEntry<>(SB), AX
	MOVQ	AX, ret+0(FP)
	RET

// func loadTraps(selector uint64)
TEXT ·loadTraps(SB),NOSPLIT,$16-8
	MOVW	$4095, 0(SP)
	MOVQ	$IDT, AX
	MOVQ	AX, 2(SP)
	BYTE	$0x0f; BYTE $0x01; BYTE $0x1c; BYTE $0x24	// LIDT (SP)
	MOVQ	selector+0(FP), AX
	BYTE	$0x0f; BYTE $0x00; BYTE $0xd8			// LTR AX
	RET

// func enableSystemCalls()
// The instruction SYSCALL leads to the runtime, with the segments that are in use
// and interrupts off (Intel SDM vol. 3, 5.8.8).
TEXT ·enableSystemCalls(SB),NOSPLIT,$0-0
	MOVL	$MSR_EFER, CX
	RDMSR
	ORL	$1, AX			// SCE
	WRMSR
	MOVL	$MSR_STAR, CX
	XORL	AX, AX
	MOVL	$CODE_SEGMENT, DX	// DATA_SEGMENT follows it
	WRMSR
	MOVL	$MSR_LSTAR, CX
	LEAQ	runtime·systemCall(SB), AX
	MOVQ	AX, DX
	SHRQ	$32, DX
	WRMSR
	MOVL	$MSR_FMASK, CX
	MOVL	$(1<<8 | 1<<9 | 1<<10), AX	// TF, IF, DF
	XORL	DX, DX
	WRMSR
	RET

// func forgetPages()
// It changes AX, CX and DX only.
TEXT ·forgetPages(SB),NOSPLIT|NOFRAME,$0-0
	MOVQ	·flushCount(SB), CX
	LEAQ	·flushPages(SB), DX
next:
	DECQ	CX
	JLT	done
	MOVQ	(DX)(CX*8), AX
	INVLPG	(AX)
	JMP	next
done:
	RET

// endInterrupt tells the local APIC that the interrupt is over. It changes AX, CX and
// DX.
TEXT endInterrupt<>(SB),NOSPLIT|NOFRAME,$0-0
	CMPB	·x2apic(SB), $0
	JNE	msr
	MOVL	$LAPIC_EOI, CX
	MOVL	$0, (CX)
	RET
msr:
	MOVL	$X2APIC(const_lapicEOI), CX
	XORL	AX, AX
	XORL	DX, DX
	WRMSR
	RET

// wakeCPU has the CPU whose local APIC has the ID in DX leave its halt. It changes AX,
// CX and DX.
TEXT wakeCPU<>(SB),NOSPLIT|NOFRAME,$0-0
	CMPB	·x2apic(SB), $0
	JNE	msr
	SHLL	$24, DX
	MOVQ	0(FS), AX
	IMULQ	$cpuState__size, AX
	LEAQ	·cpuStates(SB), CX
	MOVL	DX, cpuState_destination(CX)(AX*1)
	MOVL	$LAPIC_ICR_HIGH, CX
	MOVL	DX, (CX)
	MOVL	$(const_icrAssert | const_wakeVector), AX
	MOVL	$LAPIC_ICR_LOW, CX
	MOVL	AX, (CX)
	RET
msr:
	// Behind all that was written to memory: SDM vol. 3, 11.12.3.
	MOVL	$(const_icrAssert | const_wakeVector), AX
	MOVL	$const_msrICR, CX
	MFENCE
	LFENCE
	WRMSR
	RET

// nextTick has the timer fire after ·tickCount counts. It changes AX, CX and DX.
TEXT nextTick<>(SB),NOSPLIT|NOFRAME,$0-0
	CMPB	·tscDeadline(SB), $0
	JNE	deadline
	MOVQ	·tickCount(SB), AX
	CMPB	·x2apic(SB), $0
	JNE	msr
	MOVL	$LAPIC_COUNT, CX
	MOVL	AX, (CX)
	RET
msr:
	MOVL	$X2APIC(const_lapicInitialCount), CX
	XORL	DX, DX
	WRMSR
	RET
deadline:
	RDTSC
	SHLQ	$32, DX
	ORQ	DX, AX
	ADDQ	·tickCount(SB), AX
	MOVQ	AX, DX
	SHRQ	$32, DX
	MOVL	$const_msrDeadline, CX
	WRMSR
	RET

// trapEntry runs on an interrupt stack with interrupts disabled. The stub has
// pushed the vector behind an error code.
TEXT trapEntry<>(SB),NOSPLIT|NOFRAME|TOPFRAME,$0
	CMPL	0(SP), $32
	JB	full
	CMPL	0(SP), $const_timerVector
	JEQ	full
	CMPL	0(SP), $const_preemptVector
	JEQ	full
	CMPL	0(SP), $const_spuriousVector
	JEQ	spurious
	CMPL	0(SP), $const_flushVector
	JEQ	flush

	// A device or another CPU: note the vector, which idle and the scheduler look at.
	PUSHQ	AX
	PUSHQ	CX
	PUSHQ	DX
	MOVLQZX	24(SP), AX
	LEAQ	runtime·interruptPending(SB), CX
	LOCK
	BTSQ	AX, (CX)
	CMPL	runtime·interruptNew(SB), $0
	JNE	told
	MOVL	$1, runtime·interruptNew(SB)
told:
	LEAQ	·interruptCounts(SB), CX
	LOCK
	INCQ	(CX)(AX*8)

	// If a goroutine waits for it and this CPU is busy, an idle one continues a
	// thread that blocks in netpoll. (This CPU is the first: all devices interrupt
	// that.) If there is none, the runtime ends the slice of who computes here, unless it
	// has heeded an interrupt already and the scheduler has not looked since.
	MOVQ	runtime·coresIdle(SB), CX
	BTL	$0, CX
	JCS	noted
	LEAQ	runtime·interruptMask(SB), DX
	BTQ	AX, (DX)
	JCC	noted
	TESTQ	CX, CX
	JEQ	busy
	CMPL	runtime·threadPolls(SB), $0
	JEQ	busy
	BSFQ	CX, CX
	LEAQ	·apicIDs(SB), DX
	MOVL	(DX)(CX*4), DX
	CALL	wakeCPU<>(SB)
noted:
	CALL	endInterrupt<>(SB)
	POPQ	DX
	POPQ	CX
	POPQ	AX
spurious:
	ADDQ	$16, SP
	IRETQ

busy:
	CMPL	runtime·interruptNew(SB), $const_interruptHeeded
	JEQ	noted
	POPQ	DX
	POPQ	CX
	POPQ	AX
	JMP	full

flush:
	PUSHQ	AX
	PUSHQ	CX
	PUSHQ	DX
	CALL	·forgetPages(SB)
	LEAQ	·flushWaits(SB), CX
	LOCK
	DECL	(CX)
	JNE	answered
	MOVL	·flushHalted(SB), AX
	DECL	AX
	JLT	answered
	LEAQ	·apicIDs(SB), CX
	MOVL	(CX)(AX*4), DX
	CALL	wakeCPU<>(SB)
answered:
	CALL	endInterrupt<>(SB)
	POPQ	DX
	POPQ	CX
	POPQ	AX
	ADDQ	$16, SP
	IRETQ

full:
	// The frame of runtime.trapFrame.
	SUBQ	$8, SP		// CR2
	PUSHQ	AX
	MOVQ	CR2, AX
	MOVQ	AX, 8(SP)
	PUSHQ	BX
	PUSHQ	CX
	PUSHQ	DX
	PUSHQ	BP
	PUSHQ	SI
	PUSHQ	DI
	PUSHQ	R8
	PUSHQ	R9
	PUSHQ	R10
	PUSHQ	R11
	PUSHQ	R12
	PUSHQ	R13
	PUSHQ	R14
	PUSHQ	R15
	MOVQ	SP, R12
	MOVQ	R12, DI
	CLD

	// The vector registers: 4 KiB hold all that XCR0 enables.
	SUBQ	$4096, SP
	ANDQ	$~63, SP
	MOVQ	SP, R13
	MOVQ	CR4, AX
	BTL	$18, AX
	JCC	fxsave
	// The header behind the legacy area must be zero for XRSTOR.
	XORL	AX, AX
	MOVQ	AX, 512(R13)
	MOVQ	AX, 520(R13)
	MOVQ	AX, 528(R13)
	MOVQ	AX, 536(R13)
	MOVQ	AX, 544(R13)
	MOVQ	AX, 552(R13)
	MOVQ	AX, 560(R13)
	MOVQ	AX, 568(R13)
	MOVL	$-1, AX
	MOVL	$-1, DX
	BYTE	$0x49; BYTE $0x0f; BYTE $0xae; BYTE $0x65; BYTE $0x00	// XSAVE64 0(R13)
	JMP	saved
fxsave:
	FXSAVE64	(R13)
saved:
	PUSHQ	R12
	PUSHQ	R13
	CALL	runtime·trap(SB)
	POPQ	R13
	POPQ	R12
	TESTL	AX, AX
	JNE	handled
	CMPL	128(R12), $32
	JAE	handled		// the runtime has no use for it yet
	SUBQ	$16, SP
	MOVQ	R12, 0(SP)
	CALL	·earlyTrap(SB)
handled:
	MOVQ	CR4, AX
	BTL	$18, AX
	JCC	fxrstor
	MOVL	$-1, AX
	MOVL	$-1, DX
	BYTE	$0x49; BYTE $0x0f; BYTE $0xae; BYTE $0x6d; BYTE $0x00	// XRSTOR64 0(R13)
	JMP	restored
fxrstor:
	FXRSTOR64	(R13)
restored:
	MOVQ	R12, SP
	CMPL	128(SP), $32
	JB	resume
	CMPL	128(SP), $const_timerVector
	JB	ended		// a device's, which is counted
	MOVLQZX	128(SP), AX
	LEAQ	·interruptCounts(SB), CX
	LOCK
	INCQ	(CX)(AX*8)
ended:
	CALL	endInterrupt<>(SB)
	CMPL	128(SP), $const_timerVector
	JNE	resume

	// The next tick, unless the CPU idles: idle arms the timer itself.
	MOVQ	0(FS), AX
	IMULQ	$cpuState__size, AX
	LEAQ	·cpuStates(SB), CX
	ADDQ	AX, CX
	CMPB	cpuState_idling(CX), $0
	JNE	fired
	CALL	nextTick<>(SB)
	JMP	resume
fired:
	MOVQ	$0, cpuState_at(CX)
resume:
	POPQ	R15
	POPQ	R14
	POPQ	R13
	POPQ	R12
	POPQ	R11
	POPQ	R10
	POPQ	R9
	POPQ	R8
	POPQ	DI
	POPQ	SI
	POPQ	BP
	POPQ	DX
	POPQ	CX
	POPQ	BX
	POPQ	AX
	ADDQ	$24, SP		// CR2, vector, error code
	IRETQ
