package tty

import (
	"syscall"

	"github.com/yolkos/yolk/fs"
)

// Device numbers of admin-guide/devices.txt. A pseudo terminal's number is the
// minor number of its slave.
const (
	Major = 5 // of the three that follow

	MinorTTY     = 0
	MinorConsole = 1
	MinorPTMX    = 2

	MajorSlave = 136

	consoleDev = Major<<8 | MinorConsole
)

// SlaveDev is the device number of a slave, as of gnu_dev_makedev(3).
func SlaveDev(number int) uint64 {
	return uint64(number)&^0xff<<12 | MajorSlave<<8 | uint64(number)&0xff
}

// file is an open terminal.
type file struct {
	fs.UnsupportedFile
	t    *TTY
	node fs.Node
}

var (
	_ fs.Interruptible = (*file)(nil)
	_ fs.NotifyFile    = (*file)(nil)
	_ fs.IoctlFile     = (*file)(nil)
)

// Open opens the terminal once more. N is the node that is opened.
func (t *TTY) Open(n fs.Node, _ int) (fs.File, error) {
	n.Ref()
	return &file{t: t, node: n}, nil
}

// OpenControlling opens the controlling terminal. ENXIO: there is none.
func (s *Terminals) OpenControlling(n fs.Node, flags int) (fs.File, error) {
	t := s.Controlling()
	if t == nil {
		return nil, syscall.ENXIO
	}
	if t.master != nil {
		return s.OpenSlave(t.master.number, n, flags)
	}
	return t.Open(n, flags)
}

// Getattr implements fs.File.
func (f *file) Getattr(a *fs.Attr) error { return f.node.Getattr(a) }

// Setattr implements fs.File.
func (f *file) Setattr(s *fs.SetAttr, a *fs.Attr) error { return f.node.Setattr(s, a) }

// Read implements fs.Stream.
func (f *file) Read(p []byte) (int, error) { return f.t.read(p, nil) }

// ReadUntil implements fs.Interruptible.
func (f *file) ReadUntil(p []byte, end <-chan struct{}) (int, error) { return f.t.read(p, end) }

// Write implements fs.Stream.
func (f *file) Write(p []byte) (int, error) { return f.t.write(p, nil) }

// WriteUntil implements fs.Interruptible.
func (f *file) WriteUntil(p []byte, end <-chan struct{}) (int, error) { return f.t.write(p, end) }

// Poll implements fs.PollFile.
func (f *file) Poll(events uint32) (uint32, error) {
	f.t.mu.Lock()
	defer f.t.mu.Unlock()
	return f.t.poll() & events, nil
}

// Watch implements fs.NotifyFile.
func (f *file) Watch(w *fs.Waiter) bool {
	f.t.queue.Add(w, fs.PollReads|fs.PollWrites)
	return true
}

// Ioctl implements fs.IoctlFile.
func (f *file) Ioctl(req uint32, arg uint64, in, out []byte) (int32, int, error) {
	return 0, len(out), f.t.ioctl(req, arg, dataOf(in, out), false)
}

// dataOf is what an argument points to: a request gives or takes.
func dataOf(in, out []byte) []byte {
	if out != nil {
		return out
	}
	return in
}

// Release implements fs.File.
func (f *file) Release() {
	t := f.t
	t.mu.Lock()
	if m := t.master; m != nil {
		if m.slaves--; m.slaves == 0 {
			m.over = true
			t.wake(readable | writable | fs.PollHup)
		}
	}
	t.mu.Unlock()
	f.node.Unref()
}
