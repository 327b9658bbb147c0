package fs

import (
	"sync"
	"syscall"
	"time"
)

// Pauses between two tries on a file that cannot tell of changes.
const (
	AgainMin = time.Millisecond
	AgainMax = 100 * time.Millisecond
)

// WaitsForFile is called before the calling goroutine waits for a file, and after, with
// whether it does. In a guest the kernel has the runtime know: what a file wakes comes
// behind who can run already, so that many who wait get their turns.
var WaitsForFile = func(on bool) {}

// Await runs try until it answers something else than EAGAIN. In between it waits
// until f tells that one of events, an error or a hang-up may have come to hold:
// EINTR if end is closed first, EAGAIN when timeout is over, if it is not 0. All
// that blocks on a file waits here.
func Await(f PollFile, events uint32, end <-chan struct{}, timeout time.Duration, try func() error) error {
	if err := try(); err != syscall.EAGAIN {
		return err
	}
	return await(f, events, end, timeout, try)
}

// await is Await for who has tried already.
func await(f PollFile, events uint32, end <-chan struct{}, timeout time.Duration, try func() error) error {
	select {
	case <-end: // nothing to set up for who does not want to wait
		return syscall.EINTR
	default:
	}
	w := waiters.Get().(*Waiter)
	w.only = events | PollErr | PollHup
	n, ok := f.(NotifyFile)
	tells := ok && n.Watch(w)
	woken := w.woken
	defer func() {
		w.Stop()
		waiters.Put(w)
	}()
	var over <-chan time.Time
	if timeout > 0 {
		t := time.NewTimer(timeout)
		defer t.Stop()
		over = t.C
	}
	for pause := AgainMin; ; pause = min(2*pause, AgainMax) {
		if err := try(); err != syscall.EAGAIN {
			return err
		}
		if tells && end == nil && over == nil {
			WaitsForFile(true)
			<-woken
			WaitsForFile(false)
			continue
		}
		var again <-chan time.Time
		if !tells {
			again = time.After(pause)
		}
		var err error
		WaitsForFile(true)
		select {
		case <-woken:
		case <-again:
		case <-end:
			err = syscall.EINTR
		case <-over:
			err = syscall.EAGAIN
		}
		WaitsForFile(false)
		if err != nil {
			return err
		}
	}
}

// AwaitReady waits until one of events, an error or a hang-up holds for f, or end is
// closed: EINTR.
func AwaitReady(f PollFile, events uint32, end <-chan struct{}) error {
	events |= PollErr | PollHup
	return Await(f, events, end, 0, func() error {
		now, err := f.Poll(events)
		if err == nil && now == 0 {
			err = syscall.EAGAIN
		}
		return err
	})
}

// waiters are those of Await, to be used again.
var waiters = sync.Pool{New: func() any { return new(Waiter) }}
