//go:build tamago

package amd64

// What the machine does not tell is measured, in a tenth of a millisecond unless the host is busy:
// the time-stamp counter against the interval timer, and the local APIC's timer
// against the time-stamp counter.

// calibrate sets the rates of the clock, unless it is known, and of the timer.
//
// Two measurements of the clock in a row have to agree: a host that is busy may stop
// the machine in the midst of one, for a turn of the interval timer even. The first is
// what the processor tells, or the way from initClock. It goes on as well until the
// timer's rate is known well enough.
func calibrate() {
	known := pitStart.at == 0
	last, told := uint64(0), uint64(0)
	if !known {
		if told = crystalRate(cpuid); told != 0 {
			last = told
		} else if i := pitStart.to(readPIT()); i.ticks >= calibrateTicks/2 {
			last = mulDiv(i.counts, pitHz, uint64(i.ticks))
		}
	}
	const start = ^uint32(0)
	var timer timerMeasure
	wait := uint16(calibrateTicks)
	for range calibrations {
		var hz uint64
		t0 := rdtsc()
		lapicWrite(lapicInitialCount, start)
		t1 := rdtsc()
		if known {
			hz = tscHz
			for rdtsc()-t1 < mulDiv(hz, uint64(wait), pitHz) {
			}
		} else {
			hz = measureRate(wait)
		}
		t2 := rdtsc()
		c := start - lapicRead(lapicCurrentCount)
		t3 := rdtsc()
		timer.add(uint64(c), t0, t1, t2, t3)
		if known && timer.within(64) || !known && agree(hz, last) && timer.within(8) {
			last = hz
			break
		}
		last = hz
		wait = min(2*wait, calibrateMost)
	}
	if !known {
		// The way from initClock to here is the longest.
		if hz := pitStart.to(readPIT()).rate(pitHz, last); agree(hz, last) {
			last = hz
		}
		if told != 0 && agree(told, last) {
			last, pitStart.at = told, 0 // nothing is to be refined
		}
		setRate(last)
	}
	_, _, c, _ := cpuid(1, 0)
	timerHz, timerAccuracy = timer.rate(tscHz, c>>31 != 0)
}

// measureRate measures the counter's rate over so many ticks of the interval timer.
func measureRate(ticks uint16) uint64 {
	start := readPIT()
	for range 1 << 20 {
		if i := start.to(readPIT()); i.ticks >= ticks {
			return mulDiv(i.counts, pitHz, uint64(i.ticks))
		}
	}
	fatal("yolk: the interval timer does not count: start the machine with a PIT (microvm: pit=on)\n")
	return 0
}
