package syscalls

import (
	"sync"
	"syscall"
	"time"

	"github.com/yolkos/yolk/fs"
	"github.com/yolkos/yolk/fs/socket"
)

// limit ends blocked calls in one direction of a descriptor: at a deadline,
// after Interrupt, or because the descriptor is closed.
type limit struct {
	mu    sync.Mutex
	timer *time.Timer
	end   chan struct{} // closed when the calls have to end; made when first needed
	over  bool          // the deadline has passed
	done  syscall.Errno // why there will be no more calls: EAGAIN, EBADF
}

// state returns the channel to wait on, or why there is nothing to wait for:
// ETIMEDOUT, or what stop was given.
func (l *limit) state() (<-chan struct{}, syscall.Errno) {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case l.done != 0:
		return nil, l.done
	case l.over:
		return nil, syscall.ETIMEDOUT
	}
	if l.end == nil {
		l.end = make(chan struct{})
	}
	return l.end, 0
}

// stop ends all calls for good, with e.
func (l *limit) stop(e syscall.Errno) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.timer != nil {
		l.timer.Stop()
		l.timer = nil
	}
	l.close()
	l.done = e
}

// close closes l.end unless that has happened; l.mu is held.
func (l *limit) close() {
	if l.end != nil && !l.over && l.done == 0 {
		close(l.end)
	}
}

// set ends calls after d; d < 0: now; 0: never.
func (l *limit) set(d time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.done != 0 {
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
	l.close()
	l.over = true
}

// stream reads (or writes) p on the stream of s within the limits. EAGAIN is
// for what Wait explains.
func (s *slot) stream(p []byte, write bool) (int, syscall.Errno) {
	l, do := &s.limits[0], fs.Interruptible.ReadUntil
	if write {
		l, do = &s.limits[1], fs.Interruptible.WriteUntil
	}
	end, e := l.state()
	if e == 0 {
		if s.desc.flags.Load()&syscall.O_NONBLOCK != 0 {
			end = never
		}
		n, err := do(s.desc.stream, p, end)
		if err != syscall.EINTR {
			return n, errno(err)
		}
		_, e = l.state()
	}
	if e != syscall.EBADF {
		e = syscall.EAGAIN
	}
	return 0, e
}

// never is closed: a call that waits on it does not.
var never = func() chan struct{} {
	c := make(chan struct{})
	close(c)
	return c
}()

// Wait waits until reading ('r') or writing ('w') on fd would not block.
// ETIMEDOUT: the deadline has passed; EBADF: Interrupt was called.
func (k *Kernel) Wait(fd int, mode int) syscall.Errno {
	s, err := k.table.slot(fd)
	if err != 0 {
		return err
	}
	defer s.desc.put()
	if s.desc.stream == nil {
		return 0
	}
	direction, events := socket.In, uint32(fs.PollIn)
	if mode == 'w' {
		direction, events = socket.Out, fs.PollOut
	}
	l := &s.limits[direction]
	end, e := l.state()
	if e == 0 {
		var err error
		if f, ok := s.desc.file.(*socket.File); ok {
			err = f.Ready(direction, end)
		} else {
			err = fs.AwaitReady(s.desc.stream, events, end)
		}
		if err == nil {
			return 0
		}
		if _, e = l.state(); e == 0 { // the deadline was moved meanwhile
			e = syscall.ETIMEDOUT
		}
	}
	if e == syscall.EAGAIN {
		e = syscall.EBADF
	}
	return e
}

// Interrupt ends the calls that are blocked on fd, and later ones, with
// EAGAIN. Wait then says EBADF.
func (k *Kernel) Interrupt(fd int) syscall.Errno {
	s, err := k.table.slot(fd)
	if err != 0 {
		return err
	}
	s.limits[0].stop(syscall.EAGAIN)
	s.limits[1].stop(syscall.EAGAIN)
	s.desc.put()
	return 0
}

// SetDeadline lets reads ('r'), writes ('w') or both ('r'+'w') that block on
// fd fail with EAGAIN after ns nanoseconds; ns < 0: from now on; 0: never.
// EOPNOTSUPP: fd never blocks.
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
