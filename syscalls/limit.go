package syscalls

import (
	"sync"
	"syscall"
	"time"

	"github.com/yolkos/yolk/fs"
)

// limit ends blocked calls in one direction of a descriptor: at a deadline,
// or because the descriptor is closed.
type limit struct {
	mu     sync.Mutex
	timer  *time.Timer
	end    chan struct{} // closed when the calls have to end; made when first needed
	over   bool          // the deadline has passed
	closed bool
}

// state returns the channel to wait on, or why there is nothing to wait for.
func (l *limit) state() (<-chan struct{}, syscall.Errno) {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case l.closed:
		return nil, syscall.EBADF
	case l.over:
		return nil, syscall.ETIMEDOUT
	}
	if l.end == nil {
		l.end = make(chan struct{})
	}
	return l.end, 0
}

// interrupt ends all calls for good.
func (l *limit) interrupt() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.timer != nil {
		l.timer.Stop()
		l.timer = nil
	}
	if l.end != nil && !l.over && !l.closed {
		close(l.end)
	}
	l.closed = true
}

// set ends calls after d; d < 0: now; 0: never.
func (l *limit) set(d time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return
	}
	if l.timer != nil {
		l.timer.Stop()
		l.timer = nil
	}
	if l.over && d >= 0 {
		l.over, l.end = false, nil
	}
	switch {
	case d < 0:
		l.expire()
	case d > 0:
		var t *time.Timer
		t = time.AfterFunc(d, func() {
			l.mu.Lock()
			defer l.mu.Unlock()
			if l.timer == t {
				l.expire()
			}
		})
		l.timer = t
	}
}

// expire notes that the deadline has passed; l.mu is held.
func (l *limit) expire() {
	if l.end != nil && !l.over && !l.closed {
		close(l.end)
	}
	l.over = true
}

// stream reads (or writes) p on the stream of s within the limits.
func (s *slot) stream(p []byte, write bool) (int, syscall.Errno) {
	l, do := &s.limits[0], fs.Interruptible.ReadUntil
	if write {
		l, do = &s.limits[1], fs.Interruptible.WriteUntil
	}
	end, e := l.state()
	if e != 0 {
		return 0, e
	}
	if s.desc.flags.Load()&syscall.O_NONBLOCK != 0 {
		end = closed
	}
	n, err := do(s.desc.stream, p, end)
	if err != syscall.EINTR {
		return n, errno(err)
	}
	if end == closed {
		return n, syscall.EAGAIN
	}
	_, e = l.state()
	if e == 0 { // the deadline was moved at the same time
		e = syscall.ETIMEDOUT
	}
	return n, e
}

var closed = func() chan struct{} {
	c := make(chan struct{})
	close(c)
	return c
}()

// Interrupt ends the calls that are blocked on fd, and later ones, with EBADF.
func (k *Kernel) Interrupt(fd int) syscall.Errno {
	s, err := k.table.slot(fd)
	if err != 0 {
		return err
	}
	if s.desc.stream != nil {
		s.limits[0].interrupt()
		s.limits[1].interrupt()
	}
	s.desc.put()
	return 0
}

// SetDeadline lets reads ('r'), writes ('w') or both ('r'+'w') that block on
// fd fail with ETIMEDOUT after ns nanoseconds; ns < 0: from now on; 0: never.
func (k *Kernel) SetDeadline(fd int, mode int, ns int64) syscall.Errno {
	s, err := k.table.slot(fd)
	if err != 0 {
		return err
	}
	defer s.desc.put()
	if s.desc.stream == nil {
		return syscall.EOPNOTSUPP
	}
	if mode == 'r' || mode == 'r'+'w' {
		s.limits[0].set(time.Duration(ns))
	}
	if mode == 'w' || mode == 'r'+'w' {
		s.limits[1].set(time.Duration(ns))
	}
	return 0
}
