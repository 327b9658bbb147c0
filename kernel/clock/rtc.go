package clock

import (
	"errors"
	"time"
)

// Looking for the turn of a second: far from it with pauses, near it without.
const (
	turnPause = time.Millisecond
	turnNear  = 2 * time.Millisecond
	turnLimit = 2500 * time.Millisecond
)

// RTC is a real-time clock, which counts seconds, for machines without a launcher.
// The moment at which it shows the next one can be seen to some microseconds.
type RTC struct {
	Second func() int               // of the minute that the clock shows
	Date   func() (time.Time, bool) // that the clock shows
	Now    func() Reading
	Sleep  func(time.Duration)

	turn int64 // raw time of a turn, 0 if none has been seen
}

// Sample waits for the turn of a second. The first time it looks now and then,
// later where it expects one.
func (r *RTC) Sample() (Sample, error) {
	if r.turn != 0 {
		left := time.Second - time.Duration(r.Now().Raw-r.turn)%time.Second
		r.Sleep(left - turnNear)
		if s, err := r.watch(2*turnNear, 0); err == nil {
			return s, nil
		}
	}
	return r.watch(turnLimit, turnPause)
}

// watch looks at the clock until its second turns, with pauses in between.
func (r *RTC) watch(limit, pause time.Duration) (Sample, error) {
	before := r.Now()
	start, second := before.Raw, r.Second()
	for before.Raw-start < int64(limit) {
		if pause > 0 {
			r.Sleep(pause)
		}
		looked := r.Now()
		now := r.Second()
		if now == second {
			before = looked
			continue
		}
		after := r.Now()
		date, ok := r.Date()
		if !ok || date.Second() != now {
			break
		}
		took := after.Raw - before.Raw
		at := Reading{before.Raw + took/2, before.Wall + (after.Wall-before.Wall)/2}
		r.turn = at.Raw
		return Sample{At: at, Wall: date.UnixNano(), Err: took/2 + 1}, nil
	}
	return Sample{}, errNoTurn
}

var errNoTurn = errors.New("the real-time clock does not count seconds")
