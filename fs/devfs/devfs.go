// Package devfs is the file system at /dev: the devices that programs take for
// granted, the console and the standard streams.
package devfs

import (
	"cmp"
	"syscall"

	"github.com/yolkos/yolk/fs"
	"github.com/yolkos/yolk/fs/synth"
)

const magic = 0x01021994 // TMPFS_MAGIC of linux/magic.h, as Linux's devtmpfs has it

// FS is the file system.
type FS struct {
	*synth.FS
	streams map[fs.Stream]fs.Interruptible
	devices []numbered // that are served by their numbers
	flush   []func() error
}

// numbered is a device with a number.
type numbered interface {
	fs.Device
	Kind() uint32
	number() uint64
}

// New makes the file system with null, zero, full, random and urandom, and fd,
// a link to /proc/self/fd. Random fills its argument with random bytes, or says
// why it cannot.
func New(random func(p []byte) error) *FS {
	f := &FS{FS: synth.New("devtmpfs", magic), streams: make(map[fs.Stream]fs.Interruptible)}
	for _, d := range []struct {
		name  string
		minor uint64
		file  device
	}{
		{"null", 3, device{read: nothing, write: swallow}},
		{"zero", 5, device{read: zeros, write: swallow}},
		{"full", 7, device{read: zeros, write: full}},
		{"random", 8, device{read: fill(random), write: swallow, control: controlRandom}},
		{"urandom", 9, device{read: fill(random), write: swallow, control: controlRandom}},
	} {
		n := &node{Base: f.Base(syscall.S_IFCHR | 0o666), dev: d.file}
		n.Rdev = makedev(1, d.minor)
		n.dev.node = n
		f.devices = append(f.devices, n)
		f.Dir().Add(d.name, n)
	}
	f.Dir().Add("fd", f.NewLink("/proc/self/fd"))
	return f
}

// Serve makes the devices work in all of v: null, zero and so on by their
// numbers, in whatever file system mknod has made them.
func (f *FS) Serve(v *fs.VFS) {
	for _, n := range f.devices {
		v.HandleDevice(n.Kind(), n.number(), n.OpenDevice)
	}
}

// OnSync has Sync call flush, of a device that keeps what was written for a while.
func (f *FS) OnSync(flush func() error) { f.flush = append(f.flush, flush) }

// Sync implements fs.FileSystem.
func (f *FS) Sync() (err error) {
	for _, flush := range f.flush {
		err = cmp.Or(err, flush())
	}
	return err
}

// Kind is what fstat(2) tells of a stream: what it is on the host.
type Kind struct {
	Mode uint32 // S_IFMT type and permission bits
	Rdev uint64
	Size int64 // bytes, as of the start
}

// Major and minor device numbers of the console, of devices.txt.
const (
	ttyMajor     = 5
	consoleMinor = 1
)

// AddStream adds a stream as a character device: "console", ... Each open of it
// reads and writes s, which must be comparable; nobody else must read it. The
// same stream may be added under several names.
func (f *FS) AddStream(name string, s fs.Stream) {
	f.AddHostStream(name, s, Kind{Mode: syscall.S_IFCHR | 0o620, Rdev: makedev(ttyMajor, consoleMinor)})
}

// AddHostStream adds a stream that is a file of the host's: "stdin", ...
func (f *FS) AddHostStream(name string, s fs.Stream, kind Kind) {
	i := f.streams[s]
	if i == nil {
		var ok bool
		if i, ok = s.(fs.Interruptible); !ok {
			i = fs.NewPump(s)
		}
		f.streams[s] = i
	}
	n := &stream{Base: f.Base(kind.Mode), s: i, size: kind.Size}
	n.Rdev = kind.Rdev
	f.Dir().Add(name, n)
}

// AddLink adds a symbolic link.
func (f *FS) AddLink(name, target string) { f.Dir().Add(name, f.NewLink(target)) }

func makedev(major, minor uint64) uint64 { return major<<8 | minor }

// node is a device node.
type node struct {
	synth.Base
	dev device
}

// OpenDevice implements fs.Device.
func (n *node) OpenDevice(int) (fs.File, error) { return &n.dev, nil }

func (n *node) number() uint64 { return n.Rdev }

// device is a device, and at the same time the open file of all who have it
// open: there is nothing that they do not share. Positions mean nothing to it.
type device struct {
	fs.UnsupportedFile
	node    *node
	read    func(p []byte) (int, error)
	write   func(p []byte) error
	control func(cmd uint32, in, out []byte) error // nil: there is nothing to control
}

func (d *device) Getattr(a *fs.Attr) error { return d.node.Getattr(a) }

func (d *device) ReadAt(p []byte, _ int64) (int, error) { return d.read(p) }

// WriteAt leaves the position at 0, where Linux has it too.
func (d *device) WriteAt(p []byte, _ int64) (int, int64, error) {
	if err := d.write(p); err != nil {
		return 0, 0, err
	}
	return len(p), 0, nil
}

// SeekFrom implements fs.SeekFile: wherever it leads, that is 0.
func (d *device) SeekFrom(_, _ int64, _ int) (int64, error) { return 0, nil }

// Ioctl implements fs.IoctlFile.
func (d *device) Ioctl(cmd uint32, _ uint64, in, out []byte) (int32, int, error) {
	if d.control == nil {
		return 0, 0, syscall.ENOTTY
	}
	return 0, len(out), d.control(cmd, in, out)
}

func nothing([]byte) (int, error) { return 0, nil }

func zeros(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

func fill(with func([]byte) error) func([]byte) (int, error) {
	return func(p []byte) (int, error) {
		if err := with(p); err != nil {
			return 0, err
		}
		return len(p), nil
	}
}

func swallow([]byte) error { return nil }

func full(p []byte) error { return syscall.ENOSPC }

// stream is the node of a stream.
type stream struct {
	synth.Base
	s    fs.Interruptible
	size int64
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
