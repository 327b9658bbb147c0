package amd64

import "math/bits"

// timebase is a straight line from a counter to time.
type timebase struct {
	count uint64 // of the counter
	ns    int64  // the time then, in nanoseconds
	// scale is the length of a count in nanoseconds, as a fixed-point number
	// with 32 bits behind the point.
	scale uint64
}

// at returns the time at a count, which may lie before that of the base.
//
//go:nosplit
func (b *timebase) at(count uint64) int64 {
	if d := int64(count - b.count); d < 0 {
		return b.ns - span(uint64(-d), b.scale)
	}
	return b.ns + span(count-b.count, b.scale)
}

// span returns how long n counts take.
//
//go:nosplit
func span(n, scale uint64) int64 {
	hi, lo := bits.Mul64(n, scale)
	return int64(hi<<32 | lo>>32)
}

// publishTime is how long a change of the time base may take to be seen
// everywhere, in nanoseconds.
const publishTime = 10_000_000

// turn returns a base of another scale that takes over from b at the count now.
// Whoever reads b and then, up to publishTime later, the new base, never finds
// the time to go backwards, nor to jump: the lines cross now if the new one is the
// steeper, else at the end of that time.
func (b *timebase) turn(now, scale uint64) timebase {
	if scale < b.scale {
		now += publishTime << 32 / b.scale
	}
	return timebase{count: now, ns: b.at(now) + 2, scale: scale} // both lines are rounded
}

// adjust returns the scale by which a clock runs faster, in parts per billion.
func adjust(scale uint64, ppb int64) uint64 {
	if ppb < 0 {
		return scale - mulDiv(scale, uint64(-ppb), 1e9)
	}
	return scale + mulDiv(scale, uint64(ppb), 1e9)
}

// mulDiv returns a*b/c, which must fit.
//
//go:nosplit
func mulDiv(a, b, c uint64) uint64 {
	hi, lo := bits.Mul64(a, b)
	q, _ := bits.Div64(hi, lo, c)
	return q
}

// interval is a stretch of a 16-bit counter, between two readings.
type interval struct {
	counts uint64 // of the clock that is measured
	ticks  uint16 // of the counter
}

// rate returns the rate of the clock over the interval, for a counter of hz. The
// counter may have turned over: guess is the rate as it is known.
func (i interval) rate(hz, guess uint64) uint64 {
	expected := int64(mulDiv(i.counts, hz, guess))
	ticks := int64(i.ticks)
	ticks += (expected - ticks + 1<<15) &^ (1<<16 - 1) // the nearest one
	if ticks <= 0 {
		return guess
	}
	return mulDiv(i.counts, hz, uint64(ticks))
}

// nextShot returns for how long a timer is to be armed that shall not fire later
// than after left nanoseconds, if its rate may be wrong by the part 1/accuracy:
// for a little less if that amounts to something. Whoever wakes early looks at the
// clock and arms the timer by what is left, so an error of the rate does not add
// up.
//
//go:nosplit
func nextShot(left int64, accuracy int64) int64 {
	const something = 50_000 // ns
	if early := left / accuracy; early > something {
		return left - early
	}
	return left
}
