//go:build tamago

package signal

import (
	"syscall"
	_ "unsafe" // for go:linkname
)

//go:linkname sigsend runtime.sigsend
func sigsend(sig uint32) bool

func signalWaiting() bool // in package runtime

// Relay passes a signal to the channels that [Notify] has been given for it.
// Interrupt handlers of the machine call it, also from assembly.
//
//go:linkname Relay
func Relay(sig syscall.Signal) { sigsend(uint32(sig)) }

// Waiting reports whether the goroutine that distributes signals waits for one,
// so that none that was relayed before is still on its way.
func Waiting() bool { return signalWaiting() }
