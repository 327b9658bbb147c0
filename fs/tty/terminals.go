package tty

import (
	"io"
	"sync"
	"syscall"
)

// Process is the process that has the terminals.
type Process interface {
	// Ids returns its process group and its session.
	Ids() (pgrp, session int)
	// Signal sends it a signal.
	Signal(sig syscall.Signal)
}

// Terminals are all terminals of a machine, and the controlling terminal of its
// process.
type Terminals struct {
	process Process

	mu          sync.Mutex
	controlling *TTY // nil: there is none
	ptys        map[int]*master
}

// NewTerminals makes the set of terminals of a process.
func NewTerminals(p Process) *Terminals {
	return &Terminals{process: p, ptys: make(map[int]*master)}
}

// AddConsole makes a terminal of the machine, which becomes the controlling
// terminal. What is written to it goes to out.
func (s *Terminals) AddConsole(out io.Writer) *TTY {
	t := newTTY(s, consoleDev, out)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.take(t)
	return t
}

// take makes t the controlling terminal; s.mu is held.
func (s *Terminals) take(t *TTY) {
	s.controlling = t
	pgrp, _ := s.process.Ids()
	t.mu.Lock()
	t.pgrp = pgrp
	t.mu.Unlock()
}

// Controlling returns the controlling terminal; nil: there is none.
func (s *Terminals) Controlling() *TTY {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.controlling
}

// signal sends a signal to the foreground process group of a terminal.
func (s *Terminals) signal(pgrp int, sig syscall.Signal) {
	if own, _ := s.process.Ids(); pgrp != 0 && pgrp == own {
		s.process.Signal(sig)
	}
}

// control does the requests that are about the controlling terminal; t.mu is
// held, and let go of meanwhile.
func (s *Terminals) control(t *TTY, req uint32, data []byte, master bool) error {
	t.mu.Unlock()
	defer t.mu.Lock()
	s.mu.Lock()
	defer s.mu.Unlock()
	pgrp, session := s.process.Ids()
	mine := s.controlling == t
	t.mu.Lock()
	defer t.mu.Unlock()
	switch req {
	case TIOCSCTTY:
		switch {
		case mine:
		case s.controlling != nil || master:
			return syscall.EPERM
		default:
			s.controlling, t.pgrp = t, pgrp
		}
	case TIOCNOTTY:
		if !mine {
			return syscall.ENOTTY
		}
		s.controlling, t.pgrp = nil, 0
	case TIOCGPGRP:
		if !mine && !master {
			return syscall.ENOTTY
		}
		setNumber(data, t.pgrp)
	case TIOCSPGRP:
		switch n := number(data); {
		case !mine:
			return syscall.ENOTTY
		case n < 0:
			return syscall.EINVAL
		case n != pgrp:
			return syscall.ESRCH
		}
		t.pgrp = pgrp
	case TIOCGSID:
		if !mine {
			return syscall.ENOTTY
		}
		setNumber(data, session)
	default:
		return syscall.ENOTTY
	}
	return nil
}
