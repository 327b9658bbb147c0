package amd64

import (
	"math/rand/v2"
	"testing"
	"time"
)

func TestRTCDate(t *testing.T) {
	want := time.Date(2031, 12, 24, 17, 5, 59, 0, time.UTC)
	for _, tt := range []struct {
		name string
		r    rtcRegisters
		ok   bool
	}{
		{"decimal", rtcRegisters{0x59, 0x05, 0x17, 0x24, 0x12, 0x31, 0x20, rtcB24}, true},
		{"binary", rtcRegisters{59, 5, 17, 24, 12, 31, 20, rtcB24 | rtcBBinary}, true},
		{"afternoon", rtcRegisters{0x59, 0x05, 0x05 | rtcAfternoon, 0x24, 0x12, 0x31, 0x20, 0}, true},
		{"no clock", rtcRegisters{255, 255, 255, 255, 255, 255, 255, 255}, false},
		{"zeros", rtcRegisters{}, false},
		{"13th month", rtcRegisters{0x59, 0x05, 0x17, 0x31, 0x13, 0x31, 0x20, rtcB24}, false},
		{"30 February", rtcRegisters{0x59, 0x05, 0x17, 0x30, 0x02, 0x31, 0x20, rtcB24}, false},
		{"hour 30", rtcRegisters{0x59, 0x05, 0x30, 0x24, 0x12, 0x31, 0x20, rtcB24}, false},
		{"before 1970", rtcRegisters{0x59, 0x05, 0x17, 0x24, 0x12, 0x31, 0x19, rtcB24}, false},
	} {
		got, ok := tt.r.date()
		if ok != tt.ok || ok && !got.Equal(want) {
			t.Errorf("%s: %v, %v", tt.name, got, ok)
		}
	}
	// Midnight and noon on a clock of 12 hours.
	for hour, reg := range map[int]uint8{0: 0x12, 12: 0x12 | rtcAfternoon, 11: 0x11} {
		got, ok := rtcRegisters{0, 0, reg, 1, 1, 0x30, 0x20, 0}.date()
		if !ok || got.Hour() != hour {
			t.Errorf("register %#x: %v, %v, want %d o'clock", reg, got, ok, hour)
		}
	}
	for n := range 60 {
		for _, b := range []uint8{0, rtcBBinary} {
			if got := rtcNumber(rtcEncode(n, b), b); got != n {
				t.Errorf("%d is encoded as %d", n, got)
			}
		}
	}
}

// Looks at a clock of seconds find that it has run alone for a second, as long as
// that is no multiple of a minute; and never find it if it has not.
func TestPhase(t *testing.T) {
	for seed := range uint64(*seeds) {
		r := rand.New(rand.NewPCG(seed, 5))
		ahead := r.Int64N(minute) // of the clock before the time
		now := r.Int64N(1 << 50)
		var p phase
		seconds := func() int { return int((now + ahead) % minute / second) }
		for range 200 {
			now += r.Int64N(20 * second)
			if !p.observe(seconds(), now) {
				t.Fatalf("seed %d: a clock that ran well was found to have not", seed)
			}
			if p.high <= p.low || p.high-p.low > second {
				t.Fatalf("seed %d: phase %+v", seed, p)
			}
		}
		alone := second + r.Int64N(57*second)
		ahead += alone
		if p.observe(seconds(), now) {
			t.Fatalf("seed %d: a stop of %v was not found", seed, time.Duration(alone))
		}
		// It has begun anew.
		if now += second / 2; !p.observe(seconds(), now) {
			t.Fatalf("seed %d: found it twice", seed)
		}
	}
}
