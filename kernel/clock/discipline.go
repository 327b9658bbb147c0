// Package clock keeps the guest's wall clock on that of the host: it asks the
// launcher, or looks at the real-time clock, and finds out how far the clock is
// off and how much too slow it runs. It is arithmetic only, and touches no machine.
package clock

import "time"

// Reading is what the guest's clocks show at one moment, in nanoseconds.
type Reading struct {
	Raw  int64 // the time since boot, by a rate that nobody corrects
	Wall int64 // the wall clock, since 1970
}

// Sample is a reference clock as it was seen.
type Sample struct {
	At   Reading // the guest's clocks in the middle of the look
	Wall int64   // the reference clock, in nanoseconds since 1970
	// Err is by how much Wall may be wrong, in nanoseconds: half of the time that
	// the look took.
	Err int64
}

// Bounds of what the wall clock is made to do.
const (
	// StepAhead is from which difference on the clock is set forward at once,
	// in nanoseconds. To a program that is a moment in which it did not run.
	StepAhead = 1_000_000
	// StepBack is from which difference on the clock is set back. Smaller ones
	// go away as it runs slower: it does not show a time twice.
	StepBack = 128_000_000
	// MaxSlew is by how much the clock runs faster or slower to make up for a
	// difference, in parts per billion.
	MaxSlew = 400_000
	// Interval is the time from one sample to the next.
	Interval = 5 * time.Second
)

const (
	maxRate    = 500_000         // ppb, of a rate that is believed
	firstDoubt = 50_000          // ppb, by which the rate may be wrong at first
	rateWindow = 600_000_000_000 // ns, over which the rate is measured
	jumpSlack  = 500_000         // ns between two samples, by which no clock runs wrong
	goodErr    = 500_000         // ns, of an answer from a host that is not busy
)

// Discipline finds out from samples how to correct the clock. Zero is ready.
type Discipline struct {
	begun        bool
	anchor, last Sample
	rate         int64 // of the reference clock beyond the raw time, ppb
	doubt        int64 // by which rate may be wrong, ppb
}

// Correction is what to do with the clock.
type Correction struct {
	// Step is by how much to set the wall clock forward, in nanoseconds.
	Step int64
	// Rate is by how much it shall be faster than the raw time until the next
	// sample, in parts per billion.
	Rate int64
	// Jump is by how much the reference clock has run away since the last
	// sample: the machine was stopped, or the clock set. 0: it has not.
	Jump int64
}

// Rate is by how much the clock shall be faster than the raw time if it is right,
// in parts per billion.
func (d *Discipline) Rate() int64 { return d.rate }

// Take takes a sample. The clock counts as right as long as it lies within what
// the sample leaves possible, and is corrected up to there, so that a sample that
// was long in coming from a busy host does no harm.
func (d *Discipline) Take(s Sample) (c Correction) {
	first := !d.begun
	if first {
		d.begun, d.anchor, d.doubt = true, s, firstDoubt
	} else {
		c.Jump = d.measure(s)
	}
	d.last = s
	c.Rate = d.rate
	behind := s.Wall - s.At.Wall
	if first {
		c.Step = behind
		return c
	}
	wrong := behind - min(max(behind, -s.Err), s.Err)
	if wrong > StepAhead || wrong < -StepBack {
		c.Step = wrong
		return c
	}
	slew := wrong * 1e9 / int64(Interval)
	c.Rate += min(max(slew, -MaxSlew), MaxSlew)
	return c
}

// measure learns the rate from a sample, and returns by how much the reference
// clock has jumped.
func (d *Discipline) measure(s Sample) (jump int64) {
	raw := s.At.Raw - d.last.At.Raw
	ahead := s.Wall - d.last.Wall - raw - part(raw, d.rate)
	if slack := s.Err + d.last.Err + part(raw, d.doubt) + jumpSlack; ahead > slack || ahead < -slack {
		jump = ahead
	}
	span := s.At.Raw - d.anchor.At.Raw
	if jump != 0 || raw < 0 {
		d.anchor = s
		return jump
	}
	if span < int64(time.Second) {
		return 0
	}
	rate := (s.Wall - d.anchor.Wall - span) * 1e6 / (span / 1000)
	doubt := (s.Err+d.anchor.Err)*1e6/(span/1000) + 1
	// What is known goes stale: the host's clock is corrected, too.
	d.doubt = min(d.doubt+d.doubt/64+1, firstDoubt)
	if doubt < d.doubt && rate <= maxRate && rate >= -maxRate {
		d.rate, d.doubt = rate, doubt
	}
	// The window begins with a sample that is a good one, too.
	if good := s.Err <= goodErr; good && (span > rateWindow || d.anchor.Err > goodErr) {
		d.anchor = s
	}
	return 0
}

// part returns the part ppb/1e9 of a time.
func part(ns, ppb int64) int64 {
	return ns/1e9*ppb + ns%1e9*ppb/1e9
}
