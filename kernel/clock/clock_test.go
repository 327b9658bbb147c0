package clock

import (
	"encoding/binary"
	"flag"
	"io"
	"math/rand/v2"
	"net"
	"testing"
	"testing/synctest"
	"time"
)

var seeds = flag.Int("seeds", 1000, "how many random courses to try")

// world is a machine whose raw time is wrong by some rate, with a wall clock that
// a Discipline corrects, and a host's clock.
type world struct {
	r     *rand.Rand
	t     int64 // the true time, ns
	drift int64 // of the raw time, ppb
	raw   int64
	base  int64 // wall clock less the time below
	mono  int64
	rate  int64
}

const epoch = 1_700_000_000_000_000_000

// run lets ns pass.
func (w *world) run(ns int64) {
	w.t += ns
	raw := ns + part(ns, w.drift)
	w.raw += raw
	w.mono += raw + part(raw, w.rate)
}

func (w *world) now() Reading { return Reading{w.raw, w.base + w.mono} }
func (w *world) host() int64  { return epoch + w.t }
func (w *world) off() int64   { return w.now().Wall - w.host() }

// look takes a sample that takes up to d there and as much back.
func (w *world) look(d int64) Sample {
	a := w.now()
	w.run(w.r.Int64N(d))
	host := w.host()
	w.run(w.r.Int64N(d))
	b := w.now()
	took := b.Raw - a.Raw
	return Sample{At: Reading{a.Raw + took/2, a.Wall + (b.Wall-a.Wall)/2}, Wall: host, Err: took/2 + 1}
}

func (w *world) correct(c Correction) {
	w.base += c.Step
	w.rate = c.Rate
}

func abs(n int64) int64 { return max(n, -n) }

// Over an hour the clock stays within a millisecond, with a counter as wrong as
// one measured at boot may be, some answers that take long, and some that never
// come. It never goes back.
func TestDisciplineKeepsTime(t *testing.T) {
	for seed := range uint64(*seeds) {
		w := &world{r: rand.New(rand.NewPCG(seed, 1))}
		w.drift = w.r.Int64N(40_001) - 20_000
		w.base = epoch + w.r.Int64N(2e9) - 1e9
		var d Discipline
		w.correct(d.Take(w.look(150_000)))
		worst := int64(0)
		for w.t < 3600e9 {
			last := w.now().Wall
			w.run(int64(Interval) - w.r.Int64N(1e9))
			worst = max(worst, abs(w.off()))
			w.rate = d.Rate()
			delay := int64(150_000)
			switch w.r.IntN(10) {
			case 0:
				continue
			case 1:
				delay = 50_000_000 // a busy host
			}
			c := d.Take(w.look(delay))
			if c.Jump != 0 {
				t.Fatalf("seed %d: found a jump of %v where there was none", seed, time.Duration(c.Jump))
			}
			w.correct(c)
			if now := w.now().Wall; now < last {
				t.Fatalf("seed %d: went back by %v", seed, time.Duration(last-now))
			}
			worst = max(worst, abs(w.off()))
		}
		if worst > 1_000_000 {
			t.Fatalf("seed %d: counter wrong by %d ppb: off by up to %v", seed, w.drift, time.Duration(worst))
		}
		if wrong := abs(d.Rate() + w.drift); wrong > 2_000 {
			t.Errorf("seed %d: rate found to %d ppb", seed, wrong)
		}
	}
}

// A machine that was stopped is right after the next sample, and its rate is not
// mistaken for another one.
func TestDisciplineAfterStop(t *testing.T) {
	for seed := range uint64(*seeds) {
		w := &world{r: rand.New(rand.NewPCG(seed, 2))}
		w.drift = w.r.Int64N(40_001) - 20_000
		w.base = epoch
		var d Discipline
		for range 20 {
			w.correct(d.Take(w.look(150_000)))
			w.run(int64(Interval))
		}
		rate := d.Rate()
		stop := 3_000_000 + w.r.Int64N(100_000e9)
		w.t += stop
		c := d.Take(w.look(150_000))
		w.correct(c)
		if diff := abs(c.Jump - stop); diff > 1_000_000 {
			t.Fatalf("seed %d: a stop of %v was found to be %v", seed, time.Duration(stop), time.Duration(c.Jump))
		}
		if off := w.off(); abs(off) > 400_000 || d.Rate() != rate {
			t.Fatalf("seed %d: after a stop of %v off by %v, rate %d, before %d", seed, time.Duration(stop), time.Duration(off), d.Rate(), rate)
		}
	}
}

// A clock that is a little ahead runs slower until it is right; one that is far
// ahead is set back.
func TestDisciplineAhead(t *testing.T) {
	for _, ahead := range []int64{300_000, 5_000_000, 100_000_000, 200_000_000, 7_200e9} {
		w := &world{r: rand.New(rand.NewPCG(1, 3)), base: epoch}
		var d Discipline
		w.correct(d.Take(w.look(50_000)))
		w.run(int64(Interval))
		w.t -= ahead // the host's clock is set
		steps := 0
		for range int(ahead/(MaxSlew*int64(Interval)/1e9)) + 5 {
			c := d.Take(w.look(50_000))
			if c.Step != 0 {
				steps++
			}
			w.correct(c)
			if ahead >= StepBack {
				break
			}
			w.run(int64(Interval))
		}
		if off := w.off(); abs(off) > 200_000 {
			t.Errorf("%v ahead: off by %v in the end", time.Duration(ahead), time.Duration(off))
		}
		if want := ahead > StepBack; (steps > 0) != want {
			t.Errorf("%v ahead: %d steps", time.Duration(ahead), steps)
		}
	}
}

// A sample tells no more than it can: a clock within its bounds is left alone.
func TestDisciplineBelievesNoMore(t *testing.T) {
	var d Discipline
	d.Take(Sample{At: Reading{0, epoch}, Wall: epoch, Err: 1000})
	c := d.Take(Sample{At: Reading{5e9, epoch + 5e9}, Wall: epoch + 5e9 + 40_000_000, Err: 50_000_000})
	if c != (Correction{}) {
		t.Errorf("a clock that may be right was corrected: %+v", c)
	}
}

// A launcher of which some answers are late, some come twice, and some never.
func TestLauncher(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		guest, host := net.Pipe()
		defer host.Close()
		start := time.Now()
		// The guest's clock is 3 s behind the host's, in the bubble's time.
		now := func() Reading {
			n := int64(time.Since(start))
			return Reading{n, epoch + n}
		}
		const behind = 3_000_000_000
		hostWall := func() int64 { return epoch + int64(time.Since(start)) + behind }
		delays := []time.Duration{30 * time.Millisecond, 200 * time.Microsecond, 10 * time.Second, 40 * time.Microsecond, time.Hour}
		go func() {
			for i := 0; ; i++ {
				var b [16]byte
				if _, err := io.ReadFull(host, b[:8]); err != nil {
					return
				}
				d := delays[min(i, len(delays)-1)]
				time.Sleep(d / 2)
				binary.LittleEndian.PutUint64(b[8:], uint64(hostWall()))
				time.Sleep(d / 2)
				for range 1 + i%2 {
					if _, err := host.Write(b[:]); err != nil {
						return
					}
				}
			}
		}()
		l := NewLauncher(guest, now)
		for i, want := range []struct {
			err  error
			best time.Duration
		}{{nil, 200 * time.Microsecond}, {nil, 40 * time.Microsecond}, {ErrLate, 0}} {
			s, err := l.Sample(time.Second)
			if err != want.err {
				t.Fatalf("sample %d: %v, want %v", i, err, want.err)
			}
			if err != nil {
				continue
			}
			if s.Wall-s.At.Wall != behind || s.Err != int64(want.best/2)+1 {
				t.Errorf("sample %d: behind by %v, error %v", i, time.Duration(s.Wall-s.At.Wall), time.Duration(s.Err))
			}
			time.Sleep(20 * time.Second) // late answers come in between
		}
		guest.Close()
		time.Sleep(2 * time.Hour)
		if _, err := l.Sample(time.Second); err == nil || err == ErrLate {
			t.Errorf("after the end of the port: %v", err)
		}
	})
}

// The turn of a second is found, slowly the first time, and when the machine was
// stopped.
func TestRTC(t *testing.T) {
	for seed := range uint64(*seeds) {
		w := &world{r: rand.New(rand.NewPCG(seed, 4)), base: epoch, t: 5e9}
		w.t += w.r.Int64N(1e9)
		date := func() time.Time { return time.Unix(0, w.host()).UTC() }
		asleep := time.Duration(0)
		rtc := RTC{
			Second: func() int { w.run(2000); return date().Second() },
			Date:   func() (time.Time, bool) { w.run(20_000); return date().Truncate(time.Second), true },
			Now:    func() Reading { w.run(100); return w.now() },
			Sleep:  func(d time.Duration) { asleep += d; w.run(int64(d) + w.r.Int64N(100_000)) },
		}
		for i := range 6 {
			limit := int64(20_000)
			if i == 0 || i == 4 {
				limit = 700_000
			}
			if i == 4 {
				w.t += w.r.Int64N(900_000_000) + 50_000_000
			}
			before := w.t
			asleep = 0
			s, err := rtc.Sample()
			if err != nil {
				t.Fatalf("seed %d: sample %d: %v", seed, i, err)
			}
			if diff := abs(s.Wall - s.At.Wall - w.host() + w.now().Wall); diff > s.Err || s.Err > limit {
				t.Fatalf("seed %d: sample %d is %d ns wrong, error %d", seed, i, diff, s.Err)
			}
			if busy := w.t - before - int64(asleep); busy > 300_000_000 {
				t.Fatalf("seed %d: sample %d kept the CPU busy for %v", seed, i, time.Duration(busy))
			}
			w.run(w.r.Int64N(5e9))
		}
		rtc.Second = func() int { w.run(2000); return 7 }
		if _, err := rtc.Sample(); err == nil {
			t.Fatal("a clock that stands was not noticed")
		}
	}
}
