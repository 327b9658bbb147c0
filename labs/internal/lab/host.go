//go:build !tamago

package lab

import (
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"runtime/debug"
	"syscall"

	"github.com/yolkos/yolk/labs/internal/report"
)

const inGuest = false

// hostTime is how many seconds of processor time a program gets.
var hostTime uint64 = 20

// limitHost has a program end that does not come to an end by itself, and say where it was: it gets so
// much time, and a stack that no recursion needs which ends.
func limitHost() {
	debug.SetMaxStack(16 << 20)
	// Of itself the runtime ignores the signal, and the program would be killed without a word a few seconds later.
	over := make(chan os.Signal, 1)
	signal.Notify(over, syscall.SIGXCPU)
	go func() {
		<-over
		trace := make([]byte, 64<<10)
		fmt.Fprintf(os.Stderr, "%s\n%s\n", report.OverTime, trace[:runtime.Stack(trace, true)])
		os.Exit(2)
	}()
	// Without a limit it ends by Ctrl-C.
	_ = syscall.Setrlimit(syscall.RLIMIT_CPU, &syscall.Rlimit{Cur: hostTime, Max: hostTime + 5})
}
