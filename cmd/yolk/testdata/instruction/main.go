// Program instruction makes system calls by the instruction itself and says which
// registers it changed: on Linux, none but those of the result, of the address to
// return to and of the flags.
package main

import (
	"fmt"
	"os"
	"syscall"
)

// registers are those that Linux keeps.
type registers struct{ DI, SI, DX, R10, R8, R9, BX, R12, R13, R14, R15 uint64 }

// call does the system call num with the values of in, and returns the result.
//
//go:noescape
func call(num uintptr, in, out *registers) int64

func main() {
	in := registers{BX: 1, R12: 2, R13: 3, R14: 4, R15: 5, R10: 6, R8: 7, R9: 8, DI: 9, SI: 10, DX: 11}
	var out registers
	pid := call(syscall.SYS_GETPID, &in, &out)
	fmt.Println("pid", pid == int64(os.Getpid()), "kept", in == out, changed(in, out))

	in.DI = ^uint64(0) // no such descriptor
	out = registers{}
	errno := -call(syscall.SYS_CLOSE, &in, &out)
	fmt.Println(syscall.Errno(errno), "kept", in == out, changed(in, out))
}

func changed(in, out registers) string {
	if in == out {
		return ""
	}
	return fmt.Sprintf("%+v became %+v", in, out)
}
