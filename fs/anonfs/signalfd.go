package anonfs

import (
	"encoding/binary"
	"math/bits"
	"slices"
	"sync"
	"syscall"

	"github.com/yolkos/yolk/fs"
)

// Siginfo is what a signalfd tells of a signal: struct signalfd_siginfo.
type Siginfo struct {
	Signo int
	Code  int32 // SI_USER, ...
	Pid   uint32
	Uid   uint32
	Value uint64 // of sigqueue(3)
}

const (
	siginfoSize = 128 // bytes
	realtime    = 32  // SIGRTMIN of the kernel: signals that are queued
	maxSignal   = 64
	maxQueued   = 1024 // signals that wait, of all kinds
)

// Signals are the signals of a program that signalfds are to get, and wait for
// somebody to read them.
type Signals struct {
	mu      sync.Mutex
	files   map[*Signalfd]bool
	pending []Siginfo
	queue   fs.WaitQueue
}

// Send has a signal wait for a signalfd that asks for it. False: none does. A
// signal below 32 that waits already is not sent again.
func (s *Signals) Send(i Siginfo) bool {
	if i.Signo < 1 || i.Signo > maxSignal {
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	wanted := false
	for f := range s.files {
		wanted = wanted || f.mask&bit(i.Signo) != 0
	}
	if !wanted {
		return false
	}
	same := func(p Siginfo) bool { return p.Signo == i.Signo }
	if i.Signo < realtime && slices.ContainsFunc(s.pending, same) || len(s.pending) >= maxQueued {
		return true
	}
	s.pending = append(s.pending, i)
	s.queue.Wake(fs.PollIn)
	return true
}

func bit(signo int) uint64 { return 1 << (signo - 1) }

// waiting is the set of signals that wait; s.mu is held.
func (s *Signals) waiting() (set uint64) {
	for _, i := range s.pending {
		set |= bit(i.Signo)
	}
	return set
}

// Signalfd is the file of signalfd(2).
type Signalfd struct {
	stream
	reads
	signals *Signals
	mask    uint64 // under signals.mu
}

// NewSignalfd makes a file that gets the signals of mask, of which bit 0 is
// signal 1.
func NewSignalfd(s *Signals, mask uint64) *Signalfd {
	f := &Signalfd{signals: s}
	f.do = f
	f.SetMask(mask)
	return f
}

// SetMask has f get the signals of mask from now on. SIGKILL and SIGSTOP are not
// to be had.
func (f *Signalfd) SetMask(mask uint64) {
	s := f.signals
	s.mu.Lock()
	defer s.mu.Unlock()
	f.mask = mask &^ (bit(int(syscall.SIGKILL)) | bit(int(syscall.SIGSTOP)))
	if s.files == nil {
		s.files = make(map[*Signalfd]bool)
	}
	s.files[f] = true
	s.queue.Wake(fs.PollIn)
}

// readNow takes signals, those of the lowest number first.
func (f *Signalfd) readNow(p []byte) (n int, err error) {
	if len(p) < siginfoSize {
		return 0, syscall.EINVAL
	}
	s := f.signals
	s.mu.Lock()
	defer s.mu.Unlock()
	for ; len(p)-n >= siginfoSize; n += siginfoSize {
		set := s.waiting() & f.mask
		if set == 0 {
			break
		}
		signo := bits.TrailingZeros64(set) + 1
		at := slices.IndexFunc(s.pending, func(i Siginfo) bool { return i.Signo == signo })
		s.pending[at].put(p[n : n+siginfoSize])
		s.pending = slices.Delete(s.pending, at, at+1)
	}
	if n == 0 {
		return 0, syscall.EAGAIN
	}
	return n, nil
}

// put lays i out as struct signalfd_siginfo.
func (i Siginfo) put(p []byte) {
	clear(p)
	le := binary.NativeEndian
	le.PutUint32(p, uint32(i.Signo))
	le.PutUint32(p[8:], uint32(i.Code))
	le.PutUint32(p[12:], i.Pid)
	le.PutUint32(p[16:], i.Uid)
	le.PutUint32(p[44:], uint32(i.Value))
	le.PutUint64(p[48:], i.Value)
}

// Poll implements fs.PollFile.
func (f *Signalfd) Poll(events uint32) (uint32, error) {
	s := f.signals
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.waiting()&f.mask == 0 {
		return 0, nil
	}
	return events & fs.PollIn, nil
}

// Watch implements fs.NotifyFile.
func (f *Signalfd) Watch(w *fs.Waiter) bool {
	f.signals.queue.Add(w, fs.PollIn|fs.PollErr|fs.PollHup)
	return true
}

// Release implements fs.File.
func (f *Signalfd) Release() {
	f.signals.mu.Lock()
	delete(f.signals.files, f)
	f.signals.mu.Unlock()
}
