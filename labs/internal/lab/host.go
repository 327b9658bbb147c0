//go:build !tamago

package lab

import (
	"runtime/debug"
	"syscall"
)

const inGuest = false

// limitHost has a program end that does not come to an end by itself: it gets 20
// seconds of processor time, and a stack that no recursion needs which ends.
func limitHost() {
	debug.SetMaxStack(16 << 20)
	// Without a limit it ends by Ctrl-C.
	_ = syscall.Setrlimit(syscall.RLIMIT_CPU, &syscall.Rlimit{Cur: 20, Max: 25})
}
