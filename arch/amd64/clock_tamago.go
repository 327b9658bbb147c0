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
// the interval timer at boot and corrected later by whoever knows better
// (SetClockRate). Emulated and virtual machines have counters that neither stop
// nor change their rate while the machine runs.

const (
	pitHz       = 1193182
	pitChannel0 = 0x40
	pitCommand  = 0x43

	calibration  = pitHz / 400 // 2.5 ms
	calibrations = 20
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

// initClock measures the counter's rate.
func initClock() {
	tscBase = rdtsc()
	if max, _, _, _ := cpuid(0x40000000, 0); max >= 0x40000010 && max < 0x40000100 {
		// The hypervisor's timing information, in kHz.
		if khz, _, _, _ := cpuid(0x40000010, 0); khz > 100_000 {
			setRate(uint64(khz) * 1000)
			return
		}
	}
	// Channel 0 in mode 0 counts down from the largest value, again and again.
	// (Channel 2 has its gate in a port that a microvm lacks.)
	reg.Out8(pitCommand, 0x30)
	reg.Out8(pitChannel0, 0xff)
	reg.Out8(pitChannel0, 0xff)
	// Two measurements in a row have to agree: a host that is busy may stop
	// the machine in the midst of one, for a turn of the counter even.
	pitStart = readPIT()
	last := uint64(0)
	for range calibrations {
		hz := measureRate()
		if diff := max(hz, last) - min(hz, last); diff < hz/200 {
			setRate((hz + last) / 2)
			return
		}
		last = hz
	}
	setRate(last)
}

// measureRate measures the counter's rate over a short while.
func measureRate() uint64 {
	start := readPIT()
	for range 1 << 20 {
		if i := start.to(readPIT()); i.ticks >= calibration {
			return mulDiv(i.counts, pitHz, uint64(i.ticks))
		}
	}
	fatal("yolk: the interval timer does not count: start the machine with a PIT (microvm: pit=on)\n")
	return 0
}

// RefineClock measures the counter's rate once more, over the time since the
// first measurement, which the boot has taken.
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
