// Package devfs is the file system at /dev: the devices that programs take for
// granted, and the console; and the nodes of the standard streams, to which /dev has
// links only.
package devfs

import (
	"cmp"
	"strconv"
	"syscall"

	"github.com/yolkos/yolk/fs"
	"github.com/yolkos/yolk/fs/synth"
)

const magic = 0x01021994 // TMPFS_MAGIC of linux/magic.h, as Linux's devtmpfs has it

// FS is the file system.
type FS struct {
	*synth.FS
	devices []numbered // that are served by their numbers
	flush   []func() error
}

// numbered is a device with a number.
type numbered interface {
	fs.Device
	Kind() uint32
	number() uint64
}

// New makes the file system with null, zero, full, random and urandom, and the
// links fd, stdin, stdout and stderr to where /proc has descriptors. Random fills its argument with random bytes, or says
// why it cannot.
func New(random func(p []byte) error) *FS {
	f := &FS{FS: synth.New("devtmpfs", magic)}
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
	f.AddLink("fd", "/proc/self/fd")
	for fd, name := range []string{"stdin", "stdout", "stderr"} {
		f.AddLink(name, "/proc/self/fd/"+strconv.Itoa(fd))
	}
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
