package devfs_test

import (
	"bytes"
	"sort"
	"strings"
	"syscall"
	"testing"

	"github.com/yolkos/yolk/fs/devfs"
	"github.com/yolkos/yolk/fs/fstest"
	"github.com/yolkos/yolk/fs/tmpfs"
	"github.com/yolkos/yolk/syscalls"
)

const cwd = syscalls.AT_FDCWD

func newKernel(t *testing.T) (*syscalls.Kernel, *devfs.FS) {
	d := devfs.New(func(p []byte) error {
		for i := range p {
			p[i] = 0xa5
		}
		return nil
	})
	return fstest.NewKernel(d), d
}

func TestDevices(t *testing.T) {
	k, _ := newKernel(t)
	for _, c := range []struct {
		name  string
		read  []byte // the first 4 bytes
		write syscall.Errno
		rdev  uint64
	}{
		{"null", nil, 0, 0x103},
		{"zero", []byte{0, 0, 0, 0}, 0, 0x105},
		{"full", []byte{0, 0, 0, 0}, syscall.ENOSPC, 0x107},
		{"random", []byte{0xa5, 0xa5, 0xa5, 0xa5}, 0, 0x108},
		{"urandom", []byte{0xa5, 0xa5, 0xa5, 0xa5}, 0, 0x109},
	} {
		fd, e := k.Openat(cwd, c.name, syscall.O_RDWR|syscall.O_CREAT|syscall.O_TRUNC, 0o644)
		if e != 0 {
			t.Fatalf("%s: %v", c.name, e)
		}
		buf := []byte{1, 2, 3, 4}
		for range 2 {
			n, e := k.Read(fd, buf)
			if e != 0 || !bytes.Equal(buf[:n], c.read) {
				t.Errorf("%s: read %x, %v", c.name, buf[:n], e)
			}
		}
		n, e := k.Write(fd, make([]byte, 1000))
		if e != c.write || e == 0 && n != 1000 {
			t.Errorf("%s: write %d, %v", c.name, n, e)
		}
		var st syscall.Stat_t
		if e := k.Fstat(fd, &st); e != 0 || st.Mode != syscall.S_IFCHR|0o666 || st.Rdev != c.rdev || st.Size != 0 {
			t.Errorf("%s: mode %o, rdev %#x, size %d, %v", c.name, st.Mode, st.Rdev, st.Size, e)
		}
		if e := k.Close(fd); e != 0 {
			t.Error(e)
		}
	}
	if _, e := k.Openat(cwd, "new", syscall.O_RDWR|syscall.O_CREAT, 0o644); e != syscall.EPERM {
		t.Errorf("creating a file: %v", e)
	}
	if e := k.Unlinkat(cwd, "null", 0); e != syscall.EPERM {
		t.Errorf("removing a device: %v", e)
	}
	if e := k.Truncate("null", 0); e != syscall.EINVAL {
		t.Errorf("truncating a device: %v", e)
	}
}

// echo reads what was written.
type echo struct{ bytes.Buffer }

func (e *echo) Read(p []byte) (int, error) {
	n, _ := e.Buffer.Read(p)
	return n, nil
}

func TestStreams(t *testing.T) {
	k, d := newKernel(t)
	e := &echo{}
	d.AddStream("console", e)
	d.AddLink("tty", "console")
	var fds []int
	for _, name := range []string{"tty", "console"} {
		fd, e := k.Openat(cwd, name, syscall.O_RDWR, 0)
		if e != 0 {
			t.Fatal(e)
		}
		fds = append(fds, fd)
	}
	k.Write(fds[1], []byte("hello"))
	// One reads what another left in the buffer.
	buf := make([]byte, 100)
	k.Wait(fds[0], 'r')
	n, _ := k.Read(fds[1], buf)
	if string(buf[:n]) != "hello" {
		t.Errorf("read %q", buf[:n])
	}
}

func TestList(t *testing.T) {
	k, _ := newKernel(t)
	fd, _ := k.Openat(cwd, "/", syscall.O_RDONLY, 0)
	buf := make([]byte, 4096)
	n, e := k.ReadDirent(fd, buf)
	if e != 0 {
		t.Fatal(e)
	}
	_, _, names := syscall.ParseDirent(buf[:n], -1, nil)
	sort.Strings(names)
	if s := strings.Join(names, " "); s != "fd full null random stderr stdin stdout urandom zero" {
		t.Errorf("the directory has %q", s)
	}
}

func TestServe(t *testing.T) {
	k := fstest.NewKernel(tmpfs.New(tmpfs.Limits{}))
	devfs.New(func([]byte) error { return nil }).Serve(k.VFS())
	for name, c := range map[string]struct {
		mode uint32
		dev  int
		want syscall.Errno
	}{
		"null":  {syscall.S_IFCHR, 0x103, 0},
		"other": {syscall.S_IFCHR, 0x1ff, syscall.ENXIO},
		"disk":  {syscall.S_IFBLK, 0x103, syscall.ENXIO},
	} {
		if e := k.Mknodat(cwd, name, c.mode|0o644, c.dev); e != 0 {
			t.Fatal(e)
		}
		fd, e := k.Openat(cwd, name, syscall.O_RDWR, 0)
		if e != c.want {
			t.Errorf("open %s: %v", name, e)
		}
		if n, e := k.Write(fd, []byte("x")); c.want == 0 && (n != 1 || e != 0) {
			t.Errorf("write %s: %d, %v", name, n, e)
		}
	}
}

// Random devices that have nothing to give fail: what is not random must not be
// taken for it.
func TestNoRandom(t *testing.T) {
	k := fstest.NewKernel(devfs.New(func([]byte) error { return syscall.EIO }))
	for _, name := range []string{"/random", "/urandom"} {
		fd, errno := k.Openat(cwd, name, syscall.O_RDONLY, 0)
		if errno != 0 {
			t.Fatal(name, errno)
		}
		if n, errno := k.Read(fd, make([]byte, 8)); errno != syscall.EIO {
			t.Errorf("%s: read %d, %v, want EIO", name, n, errno)
		}
	}
}
