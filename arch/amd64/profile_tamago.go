//go:build tamago

package amd64

import (
	_ "unsafe" // for go:linkname
)

// While a program is profiled the timer ticks at a steady pace, on a CPU that
// idles as well. Ticks that came a fixed time after the CPU woke would see the
// same part of a program again and again, and never one that waits more often
// than they come.

// minSlice is the shortest time between two ticks, in ns.
const minSlice = 100_000

// steady is the time between two ticks while a program is profiled, else 0.
var steady int64

// tickEvery has the timer tick every ns nanoseconds at least; with 0 it ticks as
// without a profile.
//
//go:linkname tickEvery runtime.tickEvery
var tickEvery = func(ns int64) {
	d := int64(slice)
	steady = 0
	if ns > 0 {
		d = min(max(ns, minSlice), slice)
		steady = d
	}
	tickCount = mulDiv(uint64(d), timerHz, 1e9)
	tickSoon(d)
}

// idleSteady is idle while a program is profiled.
func idleSteady(t *cpuState, until int64) {
	now := nanotime()
	t.idleTime.Add(-now)
	cli()
	// The next tick keeps its time. If the counter has run out it is on its
	// way, and the timer is not touched before it is here.
	at := now + int64(mulDiv(timerLeft(), 1e9, timerHz))
	t.at = at
	moved := false // the timer is set to until
	for now < until && interruptIdle() {
		switch {
		case t.at == 0:
			if at <= now {
				at = now + steady // one has fallen into the wait
			}
			moved = until < at
			arm(min(until, at) - now)
		case !moved && until < at:
			moved = true
			arm(until - now)
		}
		t.idling = true
		waitInterrupt()
		t.idling = false
		now = nanotime()
	}
	if moved || t.at == 0 {
		if at <= now {
			at = now + steady
		}
		arm(at - now)
	}
	sti()
	t.idleTime.Add(now)
}
