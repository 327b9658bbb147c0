package syscalls

import (
	"sync"
	"syscall"
	"time"
)

// Timers of Setitimer.
const (
	ITIMER_REAL    = 0
	ITIMER_VIRTUAL = 1
	ITIMER_PROF    = 2
)

// itimer is the timer of Setitimer and Alarm, which raises SIGALRM.
type itimer struct {
	mu       sync.Mutex
	timer    *time.Timer
	at       time.Time     // when it next goes off
	interval time.Duration // 0: only once
}

// Setitimer sets the timer of real time, to go off after value and then every
// interval; 0: never. It returns what was left of it. The timers of CPU time,
// which raise signals that the Go runtime keeps for itself, are not there: EINVAL.
func (k *Kernel) Setitimer(which int, value, interval time.Duration) (left, old time.Duration, e syscall.Errno) {
	if which != ITIMER_REAL || value < 0 || interval < 0 {
		return 0, 0, syscall.EINVAL
	}
	t := &k.itimer
	t.mu.Lock()
	defer t.mu.Unlock()
	left, old = t.left()
	if t.timer != nil {
		t.timer.Stop()
		t.timer = nil
	}
	if value > 0 {
		t.interval = interval
		t.start(k, value)
	}
	return left, old, 0
}

// Getitimer returns what is left of the timer, and its interval.
func (k *Kernel) Getitimer(which int) (left, interval time.Duration, e syscall.Errno) {
	if which < ITIMER_REAL || which > ITIMER_PROF {
		return 0, 0, syscall.EINVAL
	}
	if which != ITIMER_REAL {
		return 0, 0, 0
	}
	k.itimer.mu.Lock()
	defer k.itimer.mu.Unlock()
	left, interval = k.itimer.left()
	return left, interval, 0
}

// Alarm has SIGALRM raised after a number of seconds, 0: not at all, and returns
// how many were left of the last one, at least 1 if any.
func (k *Kernel) Alarm(seconds uint32) (left uint32) {
	was, _, _ := k.Setitimer(ITIMER_REAL, time.Duration(seconds)*time.Second, 0)
	if was > 0 {
		left = max(uint32(was.Round(time.Second)/time.Second), 1)
	}
	return left
}

// left returns the time until t goes off and its interval; t.mu is held.
func (t *itimer) left() (left, interval time.Duration) {
	if t.timer == nil {
		return 0, 0
	}
	return max(time.Until(t.at), time.Microsecond), t.interval
}

// start has t go off after d; t.mu is held.
func (t *itimer) start(k *Kernel, d time.Duration) {
	t.at = time.Now().Add(d)
	var timer *time.Timer
	timer = time.AfterFunc(d, func() {
		t.mu.Lock()
		mine := t.timer == timer
		if mine {
			t.timer = nil
			if t.interval > 0 {
				t.start(k, t.interval)
			}
		}
		t.mu.Unlock()
		if mine {
			k.Deliver(Siginfo{Signo: syscall.SIGALRM, Code: SI_KERNEL})
		}
	})
	t.timer = timer
}
