//go:build tamago

package kernel

import (
	"syscall"
	_ "unsafe" // for go:linkname

	"github.com/yolkos/yolk/arch/amd64"
	"github.com/yolkos/yolk/syscalls"
)

//go:linkname sigsend runtime.sigsend
func sigsend(sig uint32) bool

//go:linkname signalWanted runtime.signalWanted
func signalWanted(sig uint32) bool

//go:linkname signalIgnored runtime.signalIgnored
func signalIgnored(sig uint32) bool

//go:linkname signalAction runtime.signalAction
func signalAction(sig uint32, ignore bool)

//go:linkname signalDie runtime.signalDie
func signalDie(sig uint32, trace bool)

// program is the running program; see syscalls.Program.
type program struct {
	link *link // nil: there is no launcher
}

func (program) Notify(sig syscall.Signal) bool          { return sigsend(uint32(sig)) }
func (program) Handled(sig syscall.Signal) bool         { return signalWanted(uint32(sig)) }
func (program) Ignored(sig syscall.Signal) bool         { return signalIgnored(uint32(sig)) }
func (program) Ignore(sig syscall.Signal)               { signalAction(uint32(sig), true) }
func (program) Reset(sig syscall.Signal)                { signalAction(uint32(sig), false) }
func (program) Die(sig syscall.Signal, withTraces bool) { signalDie(uint32(sig), withTraces) }

// Stop stops the program if there is a launcher, which may be told to have it go
// on. Without one it is as in a process group that no shell looks after: signals
// that stop a program are discarded (POSIX, 2.4.3).
func (p program) Stop(sig syscall.Signal) {
	if p.link != nil {
		p.link.stop(sig)
	}
}

// takeSignals has signals of the launcher reach the program.
func (m *machine) takeSignals() {
	l := m.streams.link
	m.calls.Program = program{l}
	if l == nil {
		return
	}
	go func() {
		for sig := range l.signals {
			m.calls.Deliver(syscalls.Siginfo{Signo: sig, Code: syscalls.SI_USER})
		}
	}()
}

// watchPowerButton has the power button ask the program to end, by SIGTERM.
func (m *machine) watchPowerButton() {
	b, err := amd64.OpenPowerButton()
	m.fail(err)
	if b == nil {
		return
	}
	go func() {
		for {
			b.Wait()
			m.calls.Deliver(syscalls.Siginfo{Signo: syscall.SIGTERM, Code: syscalls.SI_KERNEL})
		}
	}()
}
