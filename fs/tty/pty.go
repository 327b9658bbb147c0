package tty

import (
	"syscall"

	"github.com/yolkos/yolk/fs"
)

// master is the other end of a pseudo terminal: it reads what its slave shows, and
// writes what is typed there. All of it is under the slave's mu.
type master struct {
	t      *TTY
	number int
	shown  []byte
	queue  fs.WaitQueue
	locked bool // TIOCSPTLCK: the slave cannot be opened
	slaves int  // how often it is open
	over   bool // it was open, and is not any more
}

// shownMax is how many bytes the slave may show before the master has to read.
const shownMax = 64 << 10

func (m *master) room() int { return shownMax - len(m.shown) }

// take takes bytes that the program writes and returns how many.
func (m *master) take(p []byte) (n int) {
	m.takeEcho()
	m.shown, n = m.t.d.process(m.shown, p, m.room())
	if n > 0 {
		m.t.wake(0)
	}
	return n
}

func (m *master) takeEcho() {
	if len(m.t.d.echo) > 0 && !m.t.d.stopped {
		m.shown = m.t.d.takeEcho(m.shown, m.room())
		m.t.wake(0)
	}
}

// show shows a byte as it is.
func (m *master) show(c byte) {
	m.shown = append(m.shown, c)
	m.t.wake(0)
}

// maxPTYs is how many pseudo terminals there may be, as in
// /proc/sys/kernel/pty/max.
const maxPTYs = 4096

// OpenMaster makes a pseudo terminal. Its slave is locked. N is the node that was
// opened.
func (s *Terminals) OpenMaster(n fs.Node, _ int) (fs.File, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	number := 0
	for s.ptys[number] != nil {
		number++
	}
	if number >= maxPTYs {
		return nil, syscall.ENOSPC
	}
	t := newTTY(s, SlaveDev(number), nil)
	t.master = &master{t: t, number: number, locked: true}
	s.ptys[number] = t.master
	n.Ref()
	return &masterFile{m: t.master, node: n}, nil
}

// PTYs lists the numbers of the pseudo terminals.
func (s *Terminals) PTYs() []int {
	s.mu.Lock()
	defer s.mu.Unlock()
	var list []int
	for n := range s.ptys {
		list = append(list, n)
	}
	return list
}

// OpenSlave opens the slave of a pseudo terminal. N is its node. EIO: it is
// locked, or not there any more.
func (s *Terminals) OpenSlave(number int, n fs.Node, _ int) (fs.File, error) {
	s.mu.Lock()
	m := s.ptys[number]
	s.mu.Unlock()
	if m == nil {
		return nil, syscall.EIO
	}
	m.t.mu.Lock()
	defer m.t.mu.Unlock()
	if m.locked || m.t.hungUp {
		return nil, syscall.EIO
	}
	m.slaves++
	m.over = false
	n.Ref()
	return &file{t: m.t, node: n}, nil
}

// masterFile is an open master.
type masterFile struct {
	fs.UnsupportedFile
	m    *master
	node fs.Node
}

var (
	_ fs.Interruptible = (*masterFile)(nil)
	_ fs.NotifyFile    = (*masterFile)(nil)
	_ fs.IoctlFile     = (*masterFile)(nil)
)

// Getattr implements fs.File.
func (f *masterFile) Getattr(a *fs.Attr) error { return f.node.Getattr(a) }

// Setattr implements fs.File.
func (f *masterFile) Setattr(s *fs.SetAttr, a *fs.Attr) error { return f.node.Setattr(s, a) }

// Read implements fs.Stream.
func (f *masterFile) Read(p []byte) (int, error) { return f.ReadUntil(p, nil) }

// ReadUntil implements fs.Interruptible. EIO: nobody has the slave open any more.
func (f *masterFile) ReadUntil(p []byte, end <-chan struct{}) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	m, t := f.m, f.m.t
	t.mu.Lock()
	defer t.mu.Unlock()
	for len(m.shown) == 0 {
		if m.over {
			return 0, syscall.EIO
		}
		if _, err := t.wait(end, nil); err != nil {
			return 0, err
		}
	}
	n := copy(p, m.shown)
	if m.shown = m.shown[n:]; len(m.shown) == 0 {
		m.shown = nil
	}
	m.takeEcho()
	t.wake(writable)
	return n, nil
}

// Write implements fs.Stream.
func (f *masterFile) Write(p []byte) (int, error) { return f.WriteUntil(p, nil) }

// WriteUntil implements fs.Interruptible. EIO: nobody has the slave open any more.
func (f *masterFile) WriteUntil(p []byte, end <-chan struct{}) (int, error) {
	t := f.m.t
	t.mu.Lock()
	over := f.m.over
	t.mu.Unlock()
	if over {
		return 0, syscall.EIO
	}
	return t.input(p, end)
}

// Poll implements fs.PollFile.
func (f *masterFile) Poll(events uint32) (uint32, error) {
	m, t := f.m, f.m.t
	t.mu.Lock()
	defer t.mu.Unlock()
	var now uint32
	if len(m.shown) > 0 {
		now |= readable
	}
	if len(t.pending) < pendingMax {
		now |= writable
	}
	if m.over {
		now |= fs.PollHup
	}
	return now & events, nil
}

// Watch implements fs.NotifyFile.
func (f *masterFile) Watch(w *fs.Waiter) bool {
	f.m.queue.Add(w, fs.PollReads|fs.PollWrites)
	return true
}

// Ioctl implements fs.IoctlFile. Settings and size are the slave's.
func (f *masterFile) Ioctl(req uint32, arg uint64, in, out []byte) (int32, int, error) {
	m, t := f.m, f.m.t
	data := dataOf(in, out)
	t.mu.Lock()
	handled := true
	switch req {
	case TIOCGPTN:
		setNumber(data, m.number)
	case TIOCSPTLCK:
		m.locked = number(data) != 0
	case TIOCGPTLCK:
		setNumber(data, truth(m.locked))
	case TIOCINQ:
		setNumber(data, len(m.shown))
	default:
		handled = false
	}
	pgrp := t.pgrp
	t.mu.Unlock()
	switch {
	case handled:
		return 0, len(out), nil
	case req == TIOCSIG:
		switch sig := syscall.Signal(arg); sig {
		case syscall.SIGINT, syscall.SIGQUIT, syscall.SIGTSTP:
			t.set.signal(pgrp, sig)
			return 0, 0, nil
		}
		return 0, 0, syscall.EINVAL
	}
	return 0, len(out), t.ioctl(req, arg, data, true)
}

// Release implements fs.File. The slave is hung up: it reads an end, and writes
// nothing any more; SIGHUP tells the process whose terminal it was.
func (f *masterFile) Release() {
	m, t := f.m, f.m.t
	s := t.set
	s.mu.Lock()
	delete(s.ptys, m.number)
	mine := s.controlling == t
	if mine {
		s.controlling = nil
	}
	s.mu.Unlock()
	t.mu.Lock()
	t.hungUp = true
	m.shown, t.pending = nil, nil
	pgrp := t.pgrp
	t.pgrp = 0
	t.wake(readable | writable | fs.PollHup | fs.PollErr)
	t.mu.Unlock()
	if mine {
		s.signal(pgrp, syscall.SIGHUP)
		s.signal(pgrp, syscall.SIGCONT)
	}
	f.node.Unref()
}
