#include "textflag.h"

// What grows the stack is the check with which the assembler begins a function of this
// frame.

// func growStack()
TEXT ·growStack(SB), 0, $6144-0
	RET

// func growStackLoop()
TEXT ·growStackLoop(SB), 0, $15360-0
	RET
