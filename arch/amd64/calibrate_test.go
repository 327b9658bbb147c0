package amd64

import (
	"math/rand/v2"
	"testing"
)

func TestToldRates(t *testing.T) {
	hypervisor := [4]uint32{2: 1 << 31}
	for _, c := range []struct {
		name     string
		l        leaves
		tsc, bus uint64
	}{
		{"told", leaves{1: hypervisor, 0x40000000: {0x40000010}, 0x40000010: {2_900_000, 1_000_000}}, 2_900_000_000, 1_000_000_000},
		{"without the bus", leaves{1: hypervisor, 0x40000000: {0x40000012}, 0x40000010: {2_900_000, 0}}, 2_900_000_000, 0},
		{"no hypervisor", leaves{0x40000000: {0x40000010}, 0x40000010: {2_900_000, 1_000_000}}, 0, 0},
		{"no leaf", leaves{1: hypervisor, 0x40000000: {0x40000001}, 0x40000010: {2_900_000, 1_000_000}}, 0, 0},
		{"an Intel CPU's answer to a leaf that it lacks", leaves{1: hypervisor, 0x40000000: {0xffffffff}, 0x40000010: {7, 7}}, 0, 0},
		{"nonsense", leaves{1: hypervisor, 0x40000000: {0x40000010}, 0x40000010: {7, 7}}, 0, 0},
	} {
		if tsc, bus := toldRates(c.l.cpuid); tsc != c.tsc || bus != c.bus {
			t.Errorf("%s: %d and %d Hz, want %d and %d", c.name, tsc, bus, c.tsc, c.bus)
		}
	}
}

func TestCrystalRate(t *testing.T) {
	for _, c := range []struct {
		l    leaves
		want uint64
	}{
		{leaves{0: {0x16}, 0x15: {2, 242, 24_000_000}}, 2_904_000_000},
		{leaves{0: {0x16}, 0x15: {2, 242, 0}}, 0}, // the crystal is not told
		{leaves{0: {0xd}, 0x15: {2, 242, 24_000_000}}, 0},
		{leaves{0: {0x16}, 0x15: {1, 0xffffffff, 0xffffffff}}, 0xffffffff * 0xffffffff},
	} {
		if got := crystalRate(c.l.cpuid); got != c.want {
			t.Errorf("%v: %d Hz, want %d", c.l, got, c.want)
		}
	}
}

// Two short measurements agree whatever they have rounded, and do not if the machine
// was stopped in one of them.
func TestAgree(t *testing.T) {
	const hz = 2_900_000_000
	for off := -15; off <= 15; off++ { // tenths of a tick in each direction
		one := uint64(hz * (10*calibrateTicks + off) / (10 * calibrateTicks))
		other := uint64(hz * (10*calibrateTicks - off) / (10 * calibrateTicks))
		if !agree(one, other) || !agree(other, one) {
			t.Errorf("%d and %d Hz do not agree, %d tenths of a tick off", one, other, off)
		}
	}
	if agree(hz, hz+hz/16) || agree(hz+hz/16, hz) || agree(hz, 0) || agree(0, hz) {
		t.Error("rates agree that are not the same")
	}
}

func TestTimerRate(t *testing.T) {
	const hz = 2_000_000_000
	for _, c := range []struct {
		name           string
		counted, apart uint64
		hypervisor     bool
		rate           uint64
		accuracy       int64
	}{
		{"exact", 6250, 0, true, 62_500_000, 1024},
		{"as exact as it can be told", 6300, 2000, true, 62_500_000, 1024},
		{"another rate", 6600, 2000, true, 66_000_000, 64},
		{"hardware", 6300, 2000, false, 63_000_000, 64},
		{"a busy host", 6000, 40_000, false, 60_000_000, 9},
		{"a very busy host", 3000, 400_000, false, 30_000_000, 2},
		{"a very busy host of a hypervisor", 12_000, 390_000, true, 62_500_000, 2},
		{"a busy host of another rate", 12_000, 40_000, true, 120_000_000, 9},
		{"none", 0, 2000, true, 1000, 64},
	} {
		m := timerMeasure{c.counted, 200_000, c.apart}
		rate, accuracy := m.rate(hz, c.hypervisor)
		if rate != c.rate || accuracy != c.accuracy {
			t.Errorf("%s: %d Hz to 1/%d, want %d to 1/%d", c.name, rate, accuracy, c.rate, c.accuracy)
		}
	}
}

// However long and in which looks the host stops the machine, the rate is not further above the
// timer's own than is told: a shot of nextShot does not come late.
func TestTimerRateHolds(t *testing.T) {
	for seed := range uint64(*seeds) {
		r := rand.New(rand.NewPCG(seed, 5))
		const hz = 2_600_000_000
		timer := uint64(hypervisorBus / timerDivider)
		if seed%4 == 0 {
			timer = 75_000_000 + r.Uint64N(200_000_000) // not near a hypervisor's
		}
		var m timerMeasure
		now := r.Uint64N(1 << 40)
		// look takes some time, before and after it is at its counter.
		look := func() (before, at, after uint64) {
			before = now
			for _, to := range []*uint64{&at, &after} {
				now += 500 + r.Uint64N(5000)
				if r.IntN(2) == 0 {
					now += uint64(r.ExpFloat64() * 500_000)
				}
				*to = now
			}
			return before, at, after
		}
		for range 1 + r.IntN(3) {
			t0, start, t1 := look()
			now += hz / 10_000
			t2, end, t3 := look()
			m.add(mulDiv(end-start, timer, hz), t0, t1, t2, t3)
		}
		rate, accuracy := m.rate(hz, seed%4 < 3)
		const second = 1_000_000_000
		shot := float64(nextShot(second, accuracy)) * float64(rate) / float64(timer)
		// What is told of as 1/accuracy is rounded, and so are the counts.
		if m.apart/2 < m.span && shot > second*1.001 {
			t.Errorf("seed %d: %d Hz to 1/%d for a timer of %d Hz: a shot of 1 s comes after %.3f s", seed, rate, accuracy, timer, shot/second)
		}
	}
}
