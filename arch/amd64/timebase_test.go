package amd64

import (
	"flag"
	"math"
	"math/rand/v2"
	"testing"
)

var seeds = flag.Int("seeds", 2000, "how many random courses to try")

// clocks are counters from 1 MHz to 8 GHz.
func randomScale(r *rand.Rand) (hz, scale uint64) {
	hz = 1_000_000 + r.Uint64N(8_000_000_000)
	return hz, mulDiv(1e9, 1<<32, hz)
}

// The time neither goes back nor jumps, whatever the base is turned to and
// whenever a reader sees the new one.
func TestTimebaseTurns(t *testing.T) {
	for seed := range uint64(*seeds) {
		r := rand.New(rand.NewPCG(seed, 1))
		hz, scale := randomScale(r)
		b := timebase{count: r.Uint64N(1 << 40), ns: r.Int64N(1 << 50), scale: scale}
		count := b.count
		for range 20 {
			count += r.Uint64N(20*hz + 1)
			to := adjust(scale, r.Int64N(1_000_001)-500_000)
			next := b.turn(count, to)
			// Someone reads the old base a last time up to publishTime after
			// the turn, and then the new one.
			seen := count + r.Uint64N(publishTime<<32/b.scale+1)
			before, after := b.at(seen), next.at(seen)
			if after < before {
				t.Fatalf("seed %d: at %d Hz the time went back by %d ns, from scale %d to %d", seed, hz, before-after, b.scale, to)
			}
			if jump := after - before; jump > publishTime/1000+int64(1e9/hz)+2 {
				t.Fatalf("seed %d: at %d Hz the time jumped by %d ns", seed, hz, jump)
			}
			b = next
			count = max(count, seen)
		}
	}
}

func TestTimebaseIsExact(t *testing.T) {
	for seed := range uint64(*seeds) {
		r := rand.New(rand.NewPCG(seed, 2))
		hz, scale := randomScale(r)
		b := timebase{count: 1 << 63, ns: 1 << 40, scale: scale}
		n := r.Uint64N(3600 * hz)
		want := float64(n) / float64(hz) * 1e9
		for _, got := range []int64{b.at(b.count+n) - b.ns, b.ns - b.at(b.count-n)} {
			// The scale has 32 bits behind the point, so at 8 GHz it is good
			// to 2e-9.
			if math.Abs(float64(got)-want) > want*2e-9+2 {
				t.Fatalf("seed %d: %d counts at %d Hz took %d ns, want %.0f", seed, n, hz, got, want)
			}
		}
	}
}

func TestAdjust(t *testing.T) {
	for _, ppb := range []int64{0, 1, -1, 1000, 400_000, -500_000} {
		for _, scale := range []uint64{1 << 29, 1_654_321_987, 1 << 42} {
			got := float64(adjust(scale, ppb))/float64(scale) - 1
			if math.Abs(got-float64(ppb)/1e9) > 2.0/float64(scale) {
				t.Errorf("scale %d by %d ppb: by %.3g", scale, ppb, got)
			}
		}
	}
}

// A rate that is known to a per cent is measured over turns of the counter.
func TestIntervalRate(t *testing.T) {
	const counter = 1_193_182
	for seed := range uint64(*seeds) {
		r := rand.New(rand.NewPCG(seed, 3))
		hz, _ := randomScale(r)
		guess := hz - hz/100 + r.Uint64N(hz/50+1)
		ms := 3 + r.Uint64N(2000)
		counts := hz / 1000 * ms
		ticks := mulDiv(counts, counter, hz)
		got := interval{counts, uint16(ticks)}.rate(counter, guess)
		// A tick more or less is what the counter can tell.
		if diff := max(got, hz) - min(got, hz); float64(diff) > 1.5*float64(hz)/float64(ticks)+2 {
			t.Fatalf("seed %d: %d Hz over %d ms measured as %d", seed, hz, ms, got)
		}
	}
	if got := (interval{0, 0}).rate(counter, 1e9); got != 1e9 {
		t.Errorf("no time at all: %d, want the guess", got)
	}
}

// A timer whose rate is wrong, but not more than is known, ends a wait on time,
// with a few shots.
func TestNextShot(t *testing.T) {
	for seed := range uint64(*seeds) {
		r := rand.New(rand.NewPCG(seed, 4))
		accuracy := 8 + r.Int64N(1017)
		wrong := (2*r.Float64() - 1) / float64(accuracy) // of the timer's rate
		wait := int64(math.Exp(r.Float64() * math.Log(3600e9)))
		now, shots := int64(0), 0
		for now < wait {
			shot := nextShot(wait-now, accuracy)
			if shot <= 0 || shot > wait-now {
				t.Fatalf("seed %d: armed for %d ns with %d left", seed, shot, wait-now)
			}
			now += int64(float64(shot)*(1+wrong)) + 1
			if shots++; shots > 30 {
				t.Fatalf("seed %d: %d shots for %d ns, rate wrong by %.2g", seed, shots, wait, wrong)
			}
		}
		if late := now - wait; late > 55_000 {
			t.Fatalf("seed %d: %d ns late in %d, rate wrong by %.2g of %.2g", seed, late, wait, wrong, 1/float64(accuracy))
		}
	}
}
