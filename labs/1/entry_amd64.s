#include "textflag.h"

// Where things lie in memory. The image begins at 2 MiB; the RAM from 1 MiB to
// 2 MiB is ours. A page table has 512 entries of 8 bytes: one page of 4096 bytes.
#define PML4		0x100000	// the top table, one page
#define PDPT		0x101000	// the second level, one page
#define PD		0x102000	// the third level, four pages side by side
#define TABLES_END	0x106000
#define ZERO_G		0x107000	// zeros, for Go
#define TLS		0x107800
#define GDT		0x108000	// segment descriptors, 8 bytes each
#define GDTR		0x108ff0
#define STACK		0x170000	// its top: a stack grows downwards

#define MSR_EFER	0xc0000080
#define MSR_FS_BASE	0xc0000100

// start is where the machine begins: 32-bit protected mode, no paging, no
// interrupts, no stack. Go's assembler believes that it writes 64-bit code, so
// that up to the far return only instructions appear that mean the same in both
// modes: registers of 32 bits, addresses in a register.
TEXT ·start(SB),NOSPLIT|NOFRAME,$0
	CLI
	CLD
	MOVL	$STACK, SP

	// RAM has no reason to be zero. Clear all from PML4 to the end of GDT.
	XORL	AX, AX
	MOVL	$PML4, DI
	MOVL	$((GDT + 0x1000 - PML4) / 4), CX
	REP; STOSL

	// TODO 1: link the tables. Entry 0 of PML4 leads to PDPT, and entries 0 to 3
	// of PDPT lead to the four pages of PD. Each entry is the address of the next
	// table with bit 0 (present) and bit 1 (writable) set.

	// TODO 2: fill the four pages of PD, from PD to TABLES_END: entry i maps the
	// 2 MiB at i * 0x200000 to themselves. Its bit 7 says that there is no fourth
	// table: present, writable, large is 0x83.

	// The segments: none, code, data. LGDT takes their place and size from GDTR.
	// TODO 3: the upper half of the code descriptor, at GDT + 12. The page has
	// its bits.
	MOVL	$GDT, DI
	MOVL	$0x0000ffff, 8(DI)
	MOVL	$0x00000000, 12(DI)		// TODO 3
	MOVL	$0x0000ffff, 16(DI)
	MOVL	$0x00cf9200, 20(DI)
	MOVL	$GDTR, DI
	MOVL	$(((GDT & 0xffff) << 16) | 0x17), (DI)
	MOVL	$(GDT >> 16), 4(DI)
	BYTE	$0x0f; BYTE $0x01; BYTE $0x17	// LGDT (EDI)

	// TODO 4: long mode, in this order: CR3 is the address of the top table; CR4
	// gets bit 5 (PAE); MSR_EFER gets bit 8 (LME); CR0 gets bit 31 (PG), and
	// bit 16 (WP). RDMSR and WRMSR take the number in CX, the value in AX.

	// Without paging there is no way on.
	MOVL	CR0, AX
	BTL	$31, AX
	JCC	stop

	// A far return: it takes the address and the segment from the stack, and the
	// segment says that what follows is 64-bit code.
	BYTE	$0xe8; LONG $0			// CALL .+5
	BYTE	$0x58				// POP EAX: its own address
	BYTE	$0x83; BYTE $0xc0; BYTE $8	// ADD $8, EAX
	BYTE	$0x6a; BYTE $0x08		// PUSH $8: the code segment
	BYTE	$0x50				// PUSH EAX
	BYTE	$0xcb				// RETF

	// 64-bit mode.
	MOVL	$STACK, SP
	MOVL	$0x10, AX			// the data segment
	MOVW	AX, DS
	MOVW	AX, ES
	MOVW	AX, SS

	// SSE, which compiled Go uses: CR4 gets OSFXSR and OSXMMEXCPT, CR0 loses EM.
	MOVQ	CR4, AX
	ORQ	$(1<<9 | 1<<10), AX
	MOVQ	AX, CR4
	MOVQ	CR0, AX
	ANDQ	$~(1<<2), AX
	MOVQ	AX, CR0

	// Go finds its goroutine 8 bytes below FS. This one is all zeros: there is no
	// runtime, but a function that needs nothing of it can be called.
	MOVL	$TLS, AX
	XORL	DX, DX
	MOVL	$MSR_FS_BASE, CX
	WRMSR
	MOVQ	$ZERO_G, CX
	MOVQ	CX, -8(AX)
	CALL	·light(SB)

stop:
	HLT
	JMP	stop
