package anonfs

import (
	"encoding/binary"
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

const siginfoSize = 128 // bytes

// SignalSource is where a Signalfd has its signals from.
type SignalSource interface {
	// Take takes the next signal that waits; false: there is none.
	Take() (Siginfo, bool)
	// Has tells if there is one.
	Has() bool
	// Close ends it.
	Close()
}

// Signalfd is the file of signalfd(2).
type Signalfd struct {
	stream
	reads
	source SignalSource
	queue  fs.WaitQueue
}

// NewSignalfd makes a file that gets the signals of what open returns. Wake is to
// be called when there may be one.
func NewSignalfd(open func(wake func()) SignalSource) *Signalfd {
	f := &Signalfd{}
	f.do = f
	f.source = open(func() { f.queue.Wake(fs.PollIn) })
	return f
}

// Source is where f has its signals from.
func (f *Signalfd) Source() SignalSource { return f.source }

// readNow takes as many signals as there are and there is room for.
func (f *Signalfd) readNow(p []byte) (n int, err error) {
	if len(p) < siginfoSize {
		return 0, syscall.EINVAL
	}
	for ; len(p)-n >= siginfoSize; n += siginfoSize {
		i, ok := f.source.Take()
		if !ok {
			break
		}
		i.put(p[n : n+siginfoSize])
	}
	if n == 0 {
		return 0, syscall.EAGAIN
	}
	return n, nil
}

// put lays i out as struct signalfd_siginfo.
func (i Siginfo) put(p []byte) {
	clear(p)
	e := binary.NativeEndian
	e.PutUint32(p, uint32(i.Signo))
	e.PutUint32(p[8:], uint32(i.Code))
	e.PutUint32(p[12:], i.Pid)
	e.PutUint32(p[16:], i.Uid)
	e.PutUint32(p[44:], uint32(i.Value))
	e.PutUint64(p[48:], i.Value)
}

// Poll implements fs.PollFile.
func (f *Signalfd) Poll(events uint32) (uint32, error) {
	if !f.source.Has() {
		return 0, nil
	}
	return events & fs.PollIn, nil
}

// Watch implements fs.NotifyFile.
func (f *Signalfd) Watch(w *fs.Waiter) bool {
	f.queue.Add(w, fs.PollIn|fs.PollErr|fs.PollHup)
	return true
}

// Release implements fs.File.
func (f *Signalfd) Release() { f.source.Close() }
