//go:build tamago

package amd64

import (
	"sync"
	"sync/atomic"
	"time"
	_ "unsafe" // for go:linkname

	"github.com/yolkos/yolk/arch/amd64/reg"
)

// The monotonic clock is the time-stamp counter, whose rate is measured against
// the interval timer at boot, unless the machine tells it, and corrected later by whoever knows better
// (SetClockRate). Emulated and virtual machines have counters that neither stop
// nor change their rate while the machine runs.

const (
	pitChannel0 = 0x40
	pitCommand  = 0x43

	// provisionalHz is above what any counter runs at: the clock is slow until it
	// is right, and does not go back then.
	provisionalHz = 8_000_000_000
)

var (
	tscBase uint64 // counter at boot
	tscHz   uint64
	// tscScale is the scale of the raw time.
	tscScale uint64

	// timebases holds the base of the monotonic clock, at the index
	// timebaseTurn&1. Readers look at the turn again after they have read one.
	timebases    [2]timebase
	timebaseTurn atomic.Uint32
	clockLock    sync.Mutex // of who changes the clock

	// pitStart is the reading of the interval timer at boot, unless the rate is
	// known without.
	pitStart pitReading
)

// rdtsc reads the time-stamp counter.
func rdtsc() uint64

// initClock starts the clock, at the rate that the machine tells or else at a
// provisional one, until calibrate.
func initClock() {
	tscBase = rdtsc()
	if hz, bus := toldRates(cpuid); hz != 0 {
		setRate(hz)
		timerHz, timerAccuracy = bus/timerDivider, 1024
		return
	}
	if hz := hypervisorRate(); hz != 0 {
		setRate(hz)
		return
	}
	setRate(provisionalHz)
	// Channel 0 in mode 0 counts down from the largest value, again and again.
	// (Channel 2 has its gate in a port that a microvm lacks.)
	reg.Out8(pitCommand, 0x30)
	reg.Out8(pitChannel0, 0xff)
	reg.Out8(pitChannel0, 0xff)
	if !pitThere() {
		hz := referenceRate()
		if hz == 0 {
			fatal("yolk: nothing tells the rate of the time-stamp counter: start the machine with an interval timer (microvm: pit=on), an HPET or an ACPI timer\n")
		}
		setRate(hz)
		return
	}
	pitStart = readPIT()
}

// RefineClock measures the counter's rate once more, over the time since the start,
// which the boot has taken. It waits for nothing. The interval timer's turns are told apart by
// the rate as it is known, so that it is called early in the boot, too.
func RefineClock() {
	if pitStart.at == 0 {
		return
	}
	hz := pitStart.to(readPIT()).rate(pitHz, tscHz)
	// A first measurement that was wrong by so much has not been a multiple of
	// the counter's turns off, which this one could not tell.
	if diff := max(hz, tscHz) - min(hz, tscHz); diff > tscHz/100 {
		return
	}
	clockLock.Lock()
	defer clockLock.Unlock()
	tscHz = hz
	tscScale = mulDiv(1e9, 1<<32, hz)
	turnTimebase(tscScale)
}

// pitReading is a count of channel 0 and when it was latched.
type pitReading struct {
	count uint16
	at    uint64 // of the time-stamp counter
}

// to returns what lies between two readings. The channel counts down.
func (r pitReading) to(later pitReading) interval {
	return interval{later.at - r.at, r.count - later.count}
}

// readPIT takes the one of a few readings that was interrupted least.
func readPIT() (r pitReading) {
	best := ^uint64(0)
	for range 3 {
		before := rdtsc()
		reg.Out8(pitCommand, 0x00) // latch
		after := rdtsc()
		c := uint16(reg.In8(pitChannel0))
		c |= uint16(reg.In8(pitChannel0)) << 8
		if after-before < best {
			best = after - before
			r = pitReading{c, before + (after-before)/2}
		}
	}
	return r
}

func setRate(hz uint64) {
	if hz < 1_000_000 {
		fatal("yolk: the time-stamp counter does not count\n")
	}
	tscHz = hz
	tscScale = mulDiv(1e9, 1<<32, hz)
	timebases[0] = timebase{count: tscBase, ns: 1, scale: tscScale}
}

// turnTimebase gives the monotonic clock another scale. clockLock is held.
func turnTimebase(scale uint64) {
	turn := timebaseTurn.Load()
	timebases[(turn+1)&1] = timebases[turn&1].turn(rdtsc(), scale)
	timebaseTurn.Store(turn + 1)
}

//go:linkname nanotime runtime/goos.Nanotime
//go:nosplit
func nanotime() int64 {
	for {
		turn := timebaseTurn.Load()
		b := &timebases[turn&1]
		now := b.at(rdtsc())
		if timebaseTurn.Load() == turn {
			return now
		}
	}
}

// RawTime is the time since boot by the time-stamp counter alone, as its rate was
// measured at boot.
func RawTime() int64 { return span(rdtsc()-tscBase, tscScale) }

// SetClockRate has the monotonic clock, and so the wall clock, run faster than
// the raw time by so many parts per billion.
func SetClockRate(ppb int64) {
	clockLock.Lock()
	defer clockLock.Unlock()
	turnTimebase(adjust(tscScale, ppb))
}

//go:linkname wallOffset runtime.wallOffset
var wallOffset int64

// SetWall sets the wall clock.
func SetWall(t time.Time) { atomic.StoreInt64(&wallOffset, t.UnixNano()-nanotime()) }

// StepWall sets the wall clock forward, or with a negative d back.
func StepWall(d time.Duration) { atomic.AddInt64(&wallOffset, int64(d)) }
