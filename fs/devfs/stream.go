package devfs

import (
	"strconv"
	"syscall"

	"github.com/yolkos/yolk/fs"
	"github.com/yolkos/yolk/fs/synth"
)

// Major and minor device numbers of the console, of devices.txt.
const (
	ttyMajor     = 5
	consoleMinor = 1
)

// AddStream adds a stream as a character device: "console", ... Each open of it
// reads and writes s; nobody else must read it.
func (f *FS) AddStream(name string, s fs.Stream) {
	f.Dir().Add(name, newStream(f.FS, s, Kind{Mode: syscall.S_IFCHR | 0o620, Rdev: makedev(ttyMajor, consoleMinor)}))
}

// Kind is what fstat(2) tells of a stream: what it is on the host.
type Kind struct {
	Mode uint32 // S_IFMT type and permission bits
	Rdev uint64
	Size int64 // bytes, as of the start
}

// HostStreams is the file system of the streams that a program was started with.
// As on Linux, no path leads to them but that of their descriptors in /proc.
type HostStreams struct{ *synth.FS }

// pipeMagic is PIPEFS_MAGIC of linux/magic.h: whatever they are on the host, it is by
// streams that their bytes come.
const pipeMagic = 0x50495045

// NewHostStreams makes such a file system.
func NewHostStreams() HostStreams { return HostStreams{synth.New("pipefs", pipeMagic)} }

// New makes the node of a stream; the rest is as for AddStream.
func (f HostStreams) New(s fs.Stream, kind Kind) fs.Node { return newStream(f.FS, s, kind) }

// stream is the node of a stream.
type stream struct {
	synth.Base
	s    fs.Interruptible
	size int64
}

func newStream(f *synth.FS, s fs.Stream, kind Kind) *stream {
	i, ok := s.(fs.Interruptible)
	if !ok {
		i = fs.NewPump(s)
	}
	n := &stream{Base: f.Base(kind.Mode), s: i, size: kind.Size}
	n.Rdev = kind.Rdev
	return n
}

// Label implements fs.Labeler: what links in /proc show of a stream that no path leads
// to. Linux has the type and the number of what has never had a name; of a file of the
// host's the name means nothing here.
func (n *stream) Label() string {
	what := "file"
	switch n.Kind() {
	case syscall.S_IFIFO:
		what = "pipe"
	case syscall.S_IFSOCK:
		what = "socket"
	}
	return what + ":[" + strconv.FormatUint(n.Ino, 10) + "]"
}

// OpenDevice implements fs.Device.
func (n *stream) OpenDevice(int) (fs.File, error) {
	return &openStream{Interruptible: n.s, node: n}, nil
}

// Open implements fs.Node, for a stream that is a regular file on the host.
func (n *stream) Open(flags int) (fs.File, error) { return n.OpenDevice(flags) }

// Getattr implements fs.Node.
func (n *stream) Getattr(a *fs.Attr) error {
	err := n.Base.Getattr(a)
	a.Size, a.Blocks = n.size, (n.size+511)/512
	return err
}

type openStream struct {
	fs.UnsupportedFile
	fs.Interruptible
	node *stream
}

// Watch implements fs.NotifyFile, as far as the stream does.
func (s *openStream) Watch(w *fs.Waiter) bool {
	n, ok := s.Interruptible.(fs.NotifyFile)
	return ok && n.Watch(w)
}

func (s *openStream) Getattr(a *fs.Attr) error { return s.node.Getattr(a) }
