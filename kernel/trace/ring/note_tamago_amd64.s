//go:build tamago

#include "go_asm.h"
#include "textflag.h"

// TAKE reserves one slot of the running CPU's ring: R9 is the ring, R10 the slot. The time
// and the goroutine are in it then. Without room it goes to lost.
#define TAKE \
	RDTSC; \
	SHLQ	$32, DX; \
	ORQ	DX, AX; \
	MOVQ	AX, BX; \
	MOVQ	0(FS), R8; \
	LEAQ	·CPUs(SB), R9; \
	MOVQ	(R9)(R8*8), R9; \
again: \
	MOVQ	Ring_head(R9), AX; \
	LEAQ	1(AX), DX; \
	MOVQ	DX, CX; \
	SUBQ	Ring_tail(R9), CX; \
	CMPQ	CX, Ring_half(R9); \
	JHI	crowded; \
room: \
	LOCK; \
	CMPXCHGQ	DX, Ring_head(R9); \
	JNE	again; \
	ANDQ	Ring_mask(R9), AX; \
	SHLQ	$6, AX; \
	MOVQ	Ring_slots(R9), R10; \
	ADDQ	AX, R10; \
	MOVQ	BX, 0(R10); \
	MOVQ	(TLS), R11; \
	ADDQ	·GoroutineID(SB), R11; \
	MOVQ	(R11), R11; \
	MOVQ	R11, 8(R10)

// DONE counts the slot as written. What is before is seen by others before that is: the
// instruction is a barrier (Intel SDM vol. 3, 10.2.5).
#define DONE \
	LOCK; \
	INCQ	Ring_done(R9); \
	RET

// CROWDED is where TAKE looks whether there is still room.
#define CROWDED \
crowded: \
	MOVL	$1, ·Crowded(SB); \
	DECQ	CX; \
	CMPQ	CX, Ring_mask(R9); \
	JLS	room; \
	LOCK; \
	INCQ	Ring_lost(R9); \
	RET

// func Note(word, a, b, c uint64)
TEXT ·Note(SB),NOSPLIT,$0-32
	TAKE
	MOVQ	word+0(FP), R11
	MOVQ	R11, 16(R10)
	MOVQ	a+8(FP), R11
	MOVQ	R11, 24(R10)
	MOVQ	b+16(FP), R11
	MOVQ	R11, 32(R10)
	MOVQ	c+24(FP), R11
	MOVQ	R11, 40(R10)
	DONE
	CROWDED

// func NoteEnd(word, a uint64)
TEXT ·NoteEnd(SB),NOSPLIT,$0-16
	TAKE
	MOVQ	word+0(FP), R11
	MOVQ	R11, 16(R10)
	MOVQ	a+8(FP), R11
	MOVQ	R11, 24(R10)
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
	MOVQ	b+16(FP), R11
	MOVQ	R11, 32(R10)
	MOVQ	c+24(FP), R11
	MOVQ	R11, 40(R10)
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
