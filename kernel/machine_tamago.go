//go:build tamago

package kernel

import (
	"os"
	"time"
	_ "unsafe" // for go:linkname

	"github.com/yolkos/yolk/arch/amd64"
)

//go:linkname nanotime runtime.nanotime
func nanotime() int64

//go:linkname memTaken runtime.memTaken
func memTaken() uintptr

// wholeMachine is what the system calls on it ask; see syscalls.Machine.
type wholeMachine struct{}

func (wholeMachine) Uptime() time.Duration { return time.Duration(nanotime()) }
func (wholeMachine) CPUs() int             { return amd64.CPUs() }
func (wholeMachine) CPU() int              { return amd64.RunningCPU() }
func (wholeMachine) PowerOff()             { os.Exit(0) }

func (wholeMachine) Loads() [3]float64 { return booted.load.Averages() }

// Restart ends the file systems before the machine.
func (wholeMachine) Restart() {
	booted.shutdown()
	amd64.Reset()
}

func (wholeMachine) Busy() (busy time.Duration) {
	up := time.Duration(nanotime())
	for i := range amd64.CPUs() {
		busy += max(up-amd64.IdleTime(i), 0)
	}
	return busy
}

func (wholeMachine) Memory() (total, free, taken uint64) {
	total, ranges := amd64.Memory()
	usable := uint64(0)
	for _, r := range ranges {
		usable += r.Size()
	}
	taken = uint64(memTaken())
	return total, usable - min(taken, usable), taken
}
