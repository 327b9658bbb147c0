package main

import (
	"math"
	"time"

	"github.com/yolkos/yolk/cmd/bench/internal/load"
)

// idleMeter measures how much of a CPU the processes take that this one has
// started.
type idleMeter struct {
	began time.Time
	used  time.Duration
}

func (m *idleMeter) start() { m.began, m.used = time.Now(), load.Children() }

func (m *idleMeter) percent() float64 {
	if m.began.IsZero() {
		return math.NaN()
	}
	return 100 * (load.Children() - m.used).Seconds() / time.Since(m.began).Seconds()
}
