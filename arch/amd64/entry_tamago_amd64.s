//go:build tamago

#include "go_asm.h"
#include "layout.h"
#include "textflag.h"

// SAY writes a byte to the serial port, whose number is in DX.
#define SAY(c)	MOVB $c, AX; OUTB

// The entry point of PVH (Xen, docs/misc/pvh) and of Multiboot 2: 32-bit protected
// mode without paging, EBX holds the address of the start info. What is assembled for 64-bit mode
// here must mean the same in 32-bit mode: no REX prefix, no PC-relative address.
TEXT runtime∕goos·CPUinit(SB),NOSPLIT|NOFRAME,$0
	CLI
	CLD
	MOVL	BX, BP			// start info, kept until 64-bit mode
	MOVL	AX, SI			// a Multiboot 2 loader's magic, likewise
	CMPL	AX, $const_multibootMagic
	JNE	loaded

	// A Multiboot 2 loader has put its information anywhere: to a place that is not
	// used, the one of two that it does not lie in.
	MOVL	(BX), CX
	CMPL	CX, $LOADER_SIZE
	JLS	fits
	MOVL	$LOADER_SIZE, CX
	MOVL	CX, (BX)
fits:
	MOVL	$LOADER_INFO, DI
	CMPL	BX, DI
	JCC	copy			// forwards, to below it
	MOVL	$(LOADER_INFO + LOADER_SIZE), DI
copy:
	MOVL	DI, BP
	MOVL	BX, SI
	REP; MOVSB
	MOVL	$const_multibootMagic, SI
loaded:
	// Without 64-bit mode and pages that are not executed the CPU would fault.
	MOVL	$0x80000000, AX
	CPUID
	CMPL	AX, $0x80000001
	JCS	unfit
	MOVL	$0x80000001, AX
	CPUID
	ANDL	$(1<<29 | 1<<20), DX	// LM, NX
	CMPL	DX, $(1<<29 | 1<<20)
	JEQ	fit
unfit:
	MOVL	$0x3f8, DX
	SAY('y'); SAY('o'); SAY('l'); SAY('k'); SAY(':'); SAY(' '); SAY('n'); SAY('o'); SAY(' ')
	SAY('6'); SAY('4'); SAY('-'); SAY('b'); SAY('i'); SAY('t'); SAY(' '); SAY('C'); SAY('P'); SAY('U'); SAY('\n')
	MOVL	$const_exitPort, DX
	MOVL	$1, AX
	OUTL
hang:
	HLT
	JMP	hang
fit:

	// Page tables: the first 4 GiB in 2 MiB pages, writable, executable.
	// (*pageTables).protect restricts them once the memory map is known.
	XORL	AX, AX
	MOVL	$PML4, DI
	MOVL	$((GDT + 0x1000 - PML4) / 4), CX
	REP; STOSL
	MOVL	$PML4, DI
	MOVL	$(PDPT | 3), (DI)
	MOVL	$PDPT, DI
	MOVL	$(PD | 3), (DI)
	MOVL	$((PD + 0x1000) | 3), 8(DI)
	MOVL	$((PD + 0x2000) | 3), 16(DI)
	MOVL	$((PD + 0x3000) | 3), 24(DI)
	MOVL	$PD, DI
	MOVL	$0x83, AX		// present, writable, 2 MiB
entry:
	MOVL	AX, (DI)
	ADDL	$8, DI
	ADDL	$0x200000, AX
	CMPL	DI, $TABLES_END
	JNE	entry

	// Segments: flat 64-bit code, flat data.
	MOVL	$GDT, DI
	MOVL	$0x0000ffff, 8(DI)
	MOVL	$0x00af9a00, 12(DI)
	MOVL	$0x0000ffff, 16(DI)
	MOVL	$0x00cf9200, 20(DI)
	MOVL	$GDTR, DI
	MOVL	$(((GDT & 0xffff) << 16) | 0xfef), (DI)
	MOVL	$(GDT >> 16), 4(DI)
	BYTE	$0x0f; BYTE $0x01; BYTE $0x17	// LGDT (EDI)

	// Long mode (Intel SDM vol. 3, 10.8.5).
	MOVL	$PML4, AX
	MOVL	AX, CR3
	MOVL	CR4, AX
	ORL	$(1<<5 | 1<<7 | 1<<9 | 1<<10), AX	// PAE, PGE, OSFXSR, OSXMMEXCPT
	MOVL	AX, CR4
	MOVL	$MSR_EFER, CX
	RDMSR
	ORL	$(1<<8 | 1<<11), AX	// LME, NXE
	WRMSR
	MOVL	CR0, AX
	ANDL	$~(1<<2 | 1<<3 | 1<<29 | 1<<30), AX	// not EM, TS, NW, CD
	ORL	$(1<<0 | 1<<1 | 1<<5 | 1<<16 | 1<<31), AX	// PE, MP, NE, WP, PG
	MOVL	AX, CR0

	// A far return to what follows it, in 64-bit mode.
	MOVL	$BOOT_STACK, SP
	BYTE	$0xe8; LONG $0			// CALL .+5
	BYTE	$0x58				// POP EAX: its own address
	BYTE	$0x83; BYTE $0xc0; BYTE $8	// ADD $8, EAX
	BYTE	$0x6a; BYTE $CODE_SEGMENT	// PUSH
	BYTE	$0x50				// PUSH EAX
	BYTE	$0xcb				// RETF

	MOVL	BP, BP				// clear the upper half
	MOVL	$BOOT_STACK, SP
	MOVL	$DATA_SEGMENT, AX
	MOVW	AX, DS
	MOVW	AX, ES
	MOVW	AX, SS

	CALL	enableExtended<>(SB)

	// g, for Go code before the runtime: its stack bound of 0 is never hit.
	MOVL	$TLS_BASE, AX
	MOVQ	$FAKE_G, CX
	MOVQ	CX, -8(AX)
	XORL	DX, DX
	MOVL	$MSR_FS_BASE, CX
	WRMSR

	SUBQ	$32, SP
	MOVQ	BP, 0(SP)
	MOVL	SI, 8(SP)
	CALL	·boot(SB)

	MOVQ	·bootArgc(SB), DI
	MOVQ	·bootArgv(SB), SI
	MOVQ	runtime∕goos·RamStart(SB), SP
	ADDQ	runtime∕goos·RamSize(SB), SP
	SUBQ	runtime∕goos·RamStackOffset(SB), SP
	JMP	_rt0_tamago_args(SB)

// enableExtended turns on the registers of AVX and AVX-512, which want XCR0, as far
// as the CPU has them. Those of SSE are on.
TEXT enableExtended<>(SB),NOSPLIT|NOFRAME,$0
	MOVL	$1, AX
	CPUID
	BTL	$26, CX				// XSAVE
	JCC	done
	MOVQ	CR4, AX
	ORQ	$(1<<18), AX			// OSXSAVE
	MOVQ	AX, CR4
	MOVL	$0xd, AX
	XORL	CX, CX
	CPUID
	ANDL	$0xe7, AX			// x87, SSE, AVX, three parts of AVX-512
	CMPL	AX, $0xe7
	JEQ	xcr0
	ANDL	$7, AX
xcr0:
	XORL	CX, CX
	XORL	DX, DX
	BYTE	$0x0f; BYTE $0x01; BYTE $0xd1	// XSETBV
done:
	RET

// cpuEntry is where the trampoline takes a further CPU, in 64-bit mode with no
// stack. It looks for the next of ·cpuAreas.
TEXT ·cpuEntry(SB),NOSPLIT|NOFRAME|TOPFRAME,$0
	MOVL	$DATA_SEGMENT, AX
	MOVW	AX, DS
	MOVW	AX, ES
	MOVW	AX, SS
	MOVL	$1, AX
	LEAQ	·cpusArrived(SB), BX
	LOCK
	XADDL	AX, (BX)
	INCL	AX			// the first CPU is here already
	CMPL	AX, runtime·coreCount(SB)
	JGE	surplus
	LEAQ	·cpuAreas(SB), BX
	MOVLQZX	AX, AX
	MOVQ	(BX)(AX*8), R15
	MOVQ	cpuArea_stack(R15), SP
	CALL	enableExtended<>(SB)

	LEAQ	(cpuArea_tls + 8)(R15), AX
	MOVQ	AX, DX
	SHRQ	$32, DX
	MOVL	$MSR_FS_BASE, CX
	WRMSR

	SUBQ	$16, SP
	MOVQ	R15, 0(SP)
	CALL	·cpuMain(SB)
	ADDQ	$16, SP
	JMP	runtime·coreEnter(SB)
surplus:
	CLI
	HLT
	JMP	surplus

// func cpuEntryAddr() uintptr
TEXT ·cpuEntryAddr(SB),NOSPLIT,$0-8
	LEAQ	·cpuEntry(SB), AX
	MOVQ	AX, ret+0(FP)
	RET

// Not reached: the boot above sets up all that comes before the runtime.
TEXT runtime∕goos·Hwinit0(SB),NOSPLIT|NOFRAME,$0
	RET
