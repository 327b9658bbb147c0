//go:build tamago

package amd64

import (
	"sync/atomic"
	"time"
	_ "unsafe" // for go:linkname
)

// The timer of the local APIC fires a tick after each slice of a busy CPU, by
// which the runtime preempts; an idle CPU has it fire when it has to wake.

const (
	slice     = 10_000_000     // ns
	timerSpan = 60_000_000_000 // ns, the longest that the counter can run
)

//go:linkname interruptIdle runtime.interruptIdle
func interruptIdle() bool

// goosIdle is set when the timer can end the wait: until then the runtime does not
// halt, so that a fatal error of its first steps is told, for which it sleeps.
//
//go:linkname goosIdle runtime/goos.Idle
var goosIdle func(until int64)

var (
	timerHz uint64 // counts of the timer in a second
	// timerAccuracy is the part of timerHz by which that may be wrong, at most.
	timerAccuracy int64
	tickCount     uint64 // counts in a slice
	cpuStates     [maxCPUs]cpuState
)

// cpuState is what a CPU's timer and idling need, in a cache line of its own.
type cpuState struct {
	// at is the latest time at which the timer fires; 0: it does not.
	at int64
	// idling tells the handler to leave the timer alone.
	idling bool
	// destination is what the CPU's interrupt command register has in its upper
	// half.
	destination uint32
	// tlbFilled is set once fillTLB has run.
	tlbFilled bool
	// idleTime is how long the CPU has been halted, in nanoseconds; while it is,
	// less the time at which that began, and so negative.
	idleTime atomic.Int64
	// arrived is set once the CPU takes interrupts.
	arrived atomic.Bool
	_       [24]byte
}

// initTimer starts the timer, once its rate and that of the clock are known. One that
// is set to a count of the time-stamp counter has the rate of that, which is refined
// later.
func initTimer() {
	if known := pitStart.at == 0; timerHz == 0 && !(known && tscDeadline) {
		calibrate()
	}
	if tscDeadline {
		timerHz, timerAccuracy = tscHz, 64
	}
	tickCount = timerHz * slice / 1e9
	arm(slice)
	goosIdle = idle
}

// arm makes the timer fire after about d nanoseconds.
//
//go:nosplit
func arm(d int64) {
	d = min(max(d, 1000), timerSpan)
	n := mulDiv(uint64(d), timerHz, 1e9)
	cpuStates[cpuIndex()].at = nanotime() + d
	startTimer(max(n, 1))
}

// tickSoon has the timer tick after d nanoseconds on a busy CPU, or a little
// earlier: access to the timer takes an emulated machine microseconds.
//
//go:linkname tickSoon runtime.tickSoon
var tickSoon = func(d int64) {
	flags := disableInterrupts()
	if at, now := cpuStates[cpuIndex()].at, nanotime(); at <= now || at > now+d {
		arm(d)
	}
	restoreInterrupts(flags)
}

// idle stops the CPU until there is something to do for the runtime, at the
// latest until the time until. It runs in the CPU's idle context.
func idle(until int64) {
	t := &cpuStates[cpuIndex()]
	if !t.tlbFilled && tlbMapped.Load() {
		fillTLB()
	}
	if steady != 0 {
		idleSteady(t, until)
		return
	}
	now := nanotime()
	t.idleTime.Add(-now)
	cli()
	for now < until && interruptIdle() {
		// A tick within the slice that is due anyway may come first, and
		// saves an access to the timer where the CPU is seldom idle for long.
		if left := until - now; left < slice || t.at == 0 || t.at > now+slice {
			arm(nextShot(left, timerAccuracy))
		}
		t.idling = true
		waitInterrupt()
		t.idling = false
		now = nanotime()
		watchRTC(now)
	}
	if t.at == 0 || t.at > now+slice {
		arm(slice)
	}
	sti()
	t.idleTime.Add(now)
}

// IdleTime returns how long CPU i has been halted for want of work.
func IdleTime(i int) time.Duration {
	idle := cpuStates[i].idleTime.Load()
	if idle < 0 {
		idle += nanotime()
	}
	return time.Duration(idle)
}

func cli()

// waitInterrupt halts with interrupts enabled and returns with them disabled.
func waitInterrupt()
