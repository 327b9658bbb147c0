//go:build tamago

#include "go_asm.h"
#include "textflag.h"

// TAKE reserves one slot of the running CPU's ring: R9 is the ring, R10 the slot. The time
// and the goroutine are in it then. Without room it goes to lost. Callers are Go code, which has its g in R14.
#define TAKE \
	MOVQ	0(FS), R8; \
	LEAQ	·CPUs(SB), R9; \
	MOVQ	(R9)(R8*8), R9; \
again: \
	MOVQ	Ring_head(R9), AX; \
	LEAQ	const_slotSize(AX), DX; \
	CMPQ	AX, Ring_limit(R9); \
	JHS	crowded; \
room: \
	LOCK; \
	CMPXCHGQ	DX, Ring_head(R9); \
	JNE	again; \
	ANDQ	Ring_mask(R9), AX; \
	MOVQ	Ring_slots(R9), R10; \
	ADDQ	AX, R10; \
	RDTSC; \
	MOVL	AX, 0(R10); \
	MOVL	DX, 4(R10); \
	MOVQ	·GoroutineID(SB), R11; \
	MOVQ	(R14)(R11*1), R11; \
	MOVQ	R11, 8(R10)

// WORDS writes two words of the arguments, from the one at the offset, behind that at the offset in the slot.
#define WORDS(name, from, to) \
	MOVUPS	name+from(FP), X0; \
	MOVUPS	X0, to(R10)

// DONE counts the slot as written. What is before is seen by others before that is: the
// instruction is a barrier (Intel SDM vol. 3, 10.2.5).
#define DONE \
	LOCK; \
	ADDQ	$const_slotSize, Ring_done(R9); \
	RET

// CROWDED is where TAKE looks whether there is still room. While there is, it does not come here again before somebody
// takes.
#define CROWDED \
crowded: \
	LOCK; \
	BTSL	$const_crowdedBit, ·State(SB); \
	MOVQ	Ring_tail(R9), CX; \
	ADDQ	Ring_mask(R9), CX; \
	INCQ	CX; \
	MOVQ	CX, Ring_limit(R9); \
	CMPQ	AX, CX; \
	JLO	room; \
	LOCK; \
	INCQ	Ring_lost(R9); \
	RET

// func Note(word, a, b, c uint64)
TEXT ·Note(SB),NOSPLIT,$0-32
	TAKE
	WORDS(word, 0, 16)
	WORDS(b, 16, 32)
	DONE
	CROWDED

// func NoteOne(word, a uint64)
TEXT ·NoteOne(SB),NOSPLIT,$0-16
	TAKE
	WORDS(word, 0, 16)
	DONE
	CROWDED

// func noteName(word, a, b, c uint64, name string)
TEXT ·noteName(SB),NOSPLIT,$0-48
	TAKE
	MOVQ	name_len+40(FP), CX
	MOVQ	CX, R11
	SHLQ	$48, R11
	ORQ	word+0(FP), R11
	MOVQ	R11, 16(R10)
	MOVQ	a+8(FP), R11
	MOVQ	R11, 24(R10)
	WORDS(b, 16, 32)
	MOVQ	name_base+32(FP), SI
	LEAQ	48(R10), DI
	REP
	MOVSB
	DONE
	CROWDED

// func stamp() (tsc, id, cpu uint64)
TEXT ·stamp(SB),NOSPLIT,$0-24
	RDTSC
	SHLQ	$32, DX
	ORQ	DX, AX
	MOVQ	AX, tsc+0(FP)
	MOVQ	(TLS), AX
	ADDQ	·GoroutineID(SB), AX
	MOVQ	(AX), AX
	MOVQ	AX, id+8(FP)
	MOVQ	0(FS), AX
	MOVQ	AX, cpu+16(FP)
	RET
