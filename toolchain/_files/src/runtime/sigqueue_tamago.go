//go:build tamago

package runtime

import (
	"internal/runtime/atomic"
	_ "unsafe" // for go:linkname
)

// signalWaiting reports whether signal_recv waits for a signal.
//
//go:linkname signalWaiting os/signal.signalWaiting
func signalWaiting() bool { return sig.state.Load() == sigReceiving }

// Used by syscall, os/signal and the kernel, which bring signals to the program.
//
//go:linkname sigsend

// signalWanted reports whether sigsend would take a signal from 1 to 64.
//
//go:linkname signalWanted
func signalWanted(s uint32) bool {
	return atomic.Load(&sig.wanted[s/32])&(1<<(s&31)) != 0
}

// signalIgnored reports whether the program ignores a signal from 1 to 64.
//
//go:linkname signalIgnored
func signalIgnored(s uint32) bool { return signal_ignored(s) }

// signalAction has a signal from 1 to 64 ignored, or has its default happen.
//
//go:linkname signalAction
func signalAction(s uint32, ignore bool) {
	bit := uint32(1) << (s & 31)
	atomic.And(&sig.wanted[s/32], ^bit)
	if ignore {
		atomic.Or(&sig.ignored[s/32], bit)
	} else {
		atomic.And(&sig.ignored[s/32], ^bit)
	}
}

// signalDie ends the program by a signal from 1 to 64: with status 128 and its
// number, or, if trace is set, with the traces of all goroutines and status 2.
//
//go:linkname signalDie
func signalDie(s uint32, trace bool) {
	if !trace {
		status := 128 + int32(s)
		runExitHooks(int(status))
		exit(status)
	}
	// With the world stopped no goroutine runs, so that each has a trace.
	stopTheWorld(stwUnknown)
	systemstack(func() {
		startpanic_m()
		print(signame(s), "\n")
		if level, _, _ := gotraceback(); level > 0 {
			shown := getg().m.curg
			if !osSystemGoroutine(shown) {
				shown = nil // it has sent the signal itself
			}
			tracebackothers(shown)
		}
		exit(2)
	})
}

// os_sigpipe is called by os when nobody reads standard output or error any more:
// SIGPIPE, which ends the program unless it has asked for it or ignores it.
//
//go:linkname os_sigpipe os.sigpipe
func os_sigpipe() {
	const sigpipe = 13
	if !signal_ignored(sigpipe) && !sigsend(sigpipe) {
		signalDie(sigpipe, false)
	}
}

// signalNames are the names of signals that crash a program.
var signalNames = [...]string{
	3: "SIGQUIT: quit", 4: "SIGILL: illegal instruction", 5: "SIGTRAP: trace trap", 6: "SIGABRT: abort", 7: "SIGBUS: bus error",
	8: "SIGFPE: floating-point exception", 11: "SIGSEGV: segmentation violation", 16: "SIGSTKFLT: stack fault", 31: "SIGSYS: bad system call",
}

// signame returns the name of a signal, "" for one that crashes no program.
func signame(s uint32) string {
	if s >= uint32(len(signalNames)) {
		return ""
	}
	return signalNames[s]
}
