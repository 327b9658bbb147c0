package procfs

import (
	"math"
	"strconv"
	"sync"
	"time"
)

// Load makes load averages, of the processors that were busy instead of the
// threads that were ready. What the processors have done since it was last asked it
// takes to be spread evenly over that time.
type Load struct {
	// Times tells for how long the machine has been up, and how much of that the
	// processors were busy, all together.
	Times func() (up, busy time.Duration)

	mu       sync.Mutex
	up, busy time.Duration
	averages [3]float64 // over 1, 5 and 15 minutes
}

// Averages are the averages up to now.
func (l *Load) Averages() [3]float64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	up, busy := l.Times()
	if span := up - l.up; span > 0 {
		now := float64(max(0, busy-l.busy)) / float64(span)
		for i, minutes := range [...]float64{1, 5, 15} {
			keep := math.Exp(-span.Minutes() / minutes)
			l.averages[i] = l.averages[i]*keep + now*(1-keep)
		}
		l.up, l.busy = up, busy
	}
	return l.averages
}

// Loadavg is loadavg; pid is the last process, and the only one.
func Loadavg(l *Load, pid int) func(b []byte) []byte {
	return func(b []byte) []byte {
		for _, a := range l.Averages() {
			b = append(strconv.AppendFloat(b, a, 'f', 2, 64), ' ')
		}
		b = strconv.AppendInt(append(b, "1/1 "...), int64(pid), 10)
		return append(b, '\n')
	}
}

// RegisterEmpty adds Linux's files that tell of what there is none of: disks,
// swap space, kernel modules, control groups.
func (f *FS) RegisterEmpty() {
	f.RegisterFixed(`cgroups=#subsys_name	hierarchy	num_cgroups	enabled
;
diskstats=;
devices=Character devices:
  1 mem
  5 /dev/tty
136 pts

Block devices:
;
mdstat=Personalities : 
unused devices: <none>
;
modules=;
swaps=Filename				Type		Size		Used		Priority
;
`)
}
