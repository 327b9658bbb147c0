//go:build tamago

package amd64

import (
	"math/bits"
	"sync/atomic"
	"time"
	_ "unsafe" // for go:linkname

	"github.com/usbarmory/tamago/soc/intel/rtc"

	"github.com/yolkos/yolk/arch/amd64/reg"
)

// The monotonic clock is the time-stamp counter, whose rate is measured against
// the interval timer at boot. Emulated and virtual machines have counters that
// neither stop nor change their rate.

const (
	pitHz       = 1193182
	pitChannel0 = 0x40
	pitCommand  = 0x43

	calibration  = pitHz / 400 // 2.5 ms
	calibrations = 20
)

var (
	tscBase uint64 // counter at boot
	// tscScale is the length of a count in nanoseconds, as a fixed-point number
	// with 32 bits behind the point.
	tscScale uint64 = 1 << 32
	tscHz    uint64
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
	// Channel 0 in mode 0 counts down from the largest value. (Channel 2 has
	// its gate in a port that a microvm lacks.)
	reg.Out8(pitCommand, 0x30)
	reg.Out8(pitChannel0, 0xff)
	reg.Out8(pitChannel0, 0xff)
	// Two measurements in a row have to agree: a host that is busy may stop
	// the machine in the midst of one, for a turn of the counter even.
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
	c0, t0 := pitCount()
	for range 1 << 20 {
		if c, t := pitCount(); c0-c >= calibration {
			return mulDiv(t-t0, pitHz, uint64(c0-c))
		}
	}
	fatal("yolk: the interval timer does not count: start the machine with a PIT (microvm: pit=on)\n")
	return 0
}

// pitCount returns the count of channel 0 and when it was latched. Of a few
// readings it takes the one that was interrupted least.
func pitCount() (count uint16, at uint64) {
	best := ^uint64(0)
	for range 3 {
		before := rdtsc()
		reg.Out8(pitCommand, 0x00) // latch
		after := rdtsc()
		c := uint16(reg.In8(pitChannel0))
		c |= uint16(reg.In8(pitChannel0)) << 8
		if after-before < best {
			best, count, at = after-before, c, before+(after-before)/2
		}
	}
	return count, at
}

// mulDiv returns a*b/c, which must fit.
//
//go:nosplit
func mulDiv(a, b, c uint64) uint64 {
	hi, lo := bits.Mul64(a, b)
	q, _ := bits.Div64(hi, lo, c)
	return q
}

func setRate(hz uint64) {
	if hz < 1_000_000 {
		fatal("yolk: the time-stamp counter does not count\n")
	}
	tscHz = hz
	tscScale = mulDiv(1e9, 1<<32, hz)
}

//go:linkname nanotime runtime/goos.Nanotime
//go:nosplit
func nanotime() int64 {
	hi, lo := bits.Mul64(rdtsc()-tscBase, tscScale)
	return int64(hi<<32|lo>>32) + 1
}

//go:linkname wallOffset runtime.wallOffset
var wallOffset int64

// setWall sets the wall clock.
func setWall(t time.Time) { atomic.StoreInt64(&wallOffset, t.UnixNano()-nanotime()) }

// InitWall sets the wall clock from the real-time clock, which counts seconds.
// If the launcher's clock at the start of the machine agrees, that is taken, with
// the time since; otherwise the wall clock is set again at the moment at which
// the next second begins.
func InitWall(started time.Time) {
	clock := rtc.RTC{Location: time.UTC}
	read := func() (time.Time, bool) {
		a, err := clock.Now()
		if err != nil {
			return a, false
		}
		b, err := clock.Now()
		return b, err == nil && a.Equal(b) && b.Year() >= 1970 && b.Year() < 2262
	}
	var first time.Time
	for range 1000 {
		t, ok := read()
		if ok {
			first = t
			break
		}
	}
	if now := started.Add(time.Duration(nanotime())); first.IsZero() || now.Sub(first).Abs() < 3*time.Second {
		if !started.IsZero() {
			setWall(now)
			return
		}
	}
	setWall(first)
	go func() {
		for range 300 {
			time.Sleep(5 * time.Millisecond)
			if t, ok := read(); ok && t.After(first) {
				setWall(t)
				return
			}
		}
	}()
}
