//go:build tamago

package amd64

import (
	"sync/atomic"
	"time"

	"github.com/yolkos/yolk/arch/amd64/reg"
)

const (
	rtcIndex = 0x70
	rtcData  = 0x71
	rtcLine  = 8 // of the ISA bus
)

// rtcLock guards the two ports. It is held with interrupts disabled, so that
// nobody waits for it for long; what is called meanwhile must be nosplit, or the
// scheduler might come in.
var rtcLock atomic.Uint32

// disableInterrupts disables the CPU's interrupts and returns the flags from
// before, for restoreInterrupts.
func disableInterrupts() (flags uint64)

func restoreInterrupts(flags uint64)

// raise has the goroutine that waits for an interrupt vector go on, as if that
// had fired.
func raise(vector uint8)

//go:nosplit
func rtcAcquire() (flags uint64) {
	flags = disableInterrupts()
	for !rtcLock.CompareAndSwap(0, 1) {
	}
	return flags
}

//go:nosplit
func rtcRelease(flags uint64) {
	rtcLock.Store(0)
	restoreInterrupts(flags)
}

// rtcRead reads a register. rtcLock is held.
//
//go:nosplit
func rtcRead(register uint8) uint8 {
	reg.Out8(rtcIndex, register)
	return reg.In8(rtcData)
}

// rtcWrite writes a register. rtcLock is held.
//
//go:nosplit
func rtcWrite(register, value uint8) {
	reg.Out8(rtcIndex, register)
	reg.Out8(rtcData, value)
}

// RTC reads the real-time clock. It returns false if there is none, or none that
// shows a date.
func RTC() (time.Time, bool) {
	read := func() (r rtcRegisters, updating bool) {
		flags := rtcAcquire()
		updating = rtcRead(rtcA)&rtcAUpdating != 0
		r.second, r.minute, r.hour = rtcRead(rtcSeconds), rtcRead(rtcMinutes), rtcRead(rtcHours)
		r.day, r.month, r.year = rtcRead(rtcDay), rtcRead(rtcMonth), rtcRead(rtcYear)
		r.century, r.b = rtcRead(rtcCentury), rtcRead(rtcB)
		rtcRelease(flags)
		return r, updating
	}
	// The registers change during an update, which takes 244 µs. Two readings
	// that are equal have none between them.
	for range 1000 {
		a, updating := read()
		if b, _ := read(); a == b && !updating {
			return a.date()
		}
	}
	return time.Time{}, false
}

// RTCSecond returns the second of the minute that the real-time clock shows.
func RTCSecond() int {
	flags := rtcAcquire()
	s, b := rtcRead(rtcSeconds), rtcRead(rtcB)
	rtcRelease(flags)
	return rtcNumber(s, b)
}

// rtcWatch looks at the real-time clock when a CPU wakes, and calls for whoever
// waits for the alarm if that clock has gone on without the monotonic one: the
// machine was stopped.
var rtcWatch struct {
	vector atomic.Uint32 // of the alarm; 0: nobody waits
	next   atomic.Int64  // when to look again
	binary uint8         // register B
	phase  phase
}

// watchInterval is the shortest time between two looks, in nanoseconds.
const watchInterval = 100_000_000

// watchRTC is called by a CPU that wakes. It runs in the idle context.
func watchRTC(now int64) {
	w := &rtcWatch
	next := w.next.Load()
	if now < next || w.vector.Load() == 0 || !w.next.CompareAndSwap(next, now+watchInterval) {
		return
	}
	flags := rtcAcquire()
	before := nanotime()
	seconds := rtcNumber(rtcRead(rtcSeconds), w.binary)
	// A look that the host has interrupted tells nothing.
	same := nanotime()-before > second/1000 || w.phase.observe(seconds, before)
	rtcRelease(flags)
	if !same {
		raise(uint8(w.vector.Load()))
	}
}

// Alarm is the interrupt of the real-time clock.
type Alarm struct{ irq *Interrupt }

// OpenAlarm returns the alarm, which also comes after the machine was stopped. On
// a microvm with many devices one of these may have its line.
func OpenAlarm() (*Alarm, error) {
	irq, err := ISALine(rtcLine)
	if err != nil {
		return nil, err
	}
	flags := rtcAcquire()
	b := rtcRead(rtcB) | rtcBAlarm
	rtcWatch.binary = b
	rtcWrite(rtcMinutesAlarm, rtcAnyTime)
	rtcWrite(rtcHoursAlarm, rtcAnyTime)
	rtcWrite(rtcB, b)
	rtcRead(rtcC) // acknowledges what has come before
	rtcRelease(flags)
	rtcWatch.vector.Store(uint32(irq.vector))
	return &Alarm{irq}, nil
}

// Wait waits until the clock shows a second that is so many seconds ahead, less
// than 60, or has gone on while the machine was stopped.
func (a *Alarm) Wait(seconds int) {
	flags := rtcAcquire()
	rtcRead(rtcC)
	now := rtcNumber(rtcRead(rtcSeconds), rtcWatch.binary)
	rtcWrite(rtcSecondsAlarm, rtcEncode((now+seconds)%60, rtcWatch.binary))
	rtcRelease(flags)
	a.irq.Wait()
}
