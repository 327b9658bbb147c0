package fstest

import (
	"fmt"
	"math"
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/yolkos/yolk/fs"
	"github.com/yolkos/yolk/fs/devfs"
	"github.com/yolkos/yolk/fs/procfs"
	"github.com/yolkos/yolk/fs/tmpfs"
	"github.com/yolkos/yolk/syscalls"
)

// holeStart is where the test file of 1 MiB, which has data in its first 64
// KiB only, is empty; no file system tells smaller parts apart.
const holeStart = 64 << 10

// TestSeek calls lseek with every whence on every kind of file, here and on
// Linux's tmpfs, procfs and devices.
func TestSeek(t *testing.T) {
	shm, err := os.MkdirTemp("/dev/shm", "yolk-seek-")
	if err != nil {
		t.Skip("no tmpfs on this machine:", err)
	}
	t.Cleanup(func() { os.RemoveAll(shm) })
	served, err := os.MkdirTemp("/dev/shm", "yolk-seek-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(served) })
	for name, root := range map[string]fs.FileSystem{
		"tmpfs": tmpfs.New(tmpfs.Limits{}), "FUSE": loopback(t, served, time.Second),
	} {
		t.Run(name, func(t *testing.T) {
			proc := procfs.New()
			for _, name := range []string{"version", "meminfo"} {
				proc.Register(name, func(b []byte) []byte { return append(b, "text\n"...) })
			}
			own := []fs.Own{{Name: "proc", FS: proc}, {Name: "dev", FS: devfs.New(func([]byte) error { return nil })}}
			vfs := fs.New(root, fs.MountOptions{})
			for _, o := range own {
				if err := vfs.Mount(fs.Base{}, "/"+o.Name, o.FS, fs.MountOptions{Bare: true}); err != nil {
					t.Fatal(err)
				}
			}
			compareSeeks(t, syscalls.New(vfs), shm)
		})
	}
}

func compareSeeks(t *testing.T, k *syscalls.Kernel, shm string) {
	make := func(s Sys, dir string) {
		fd, e := s.Openat(cwd, dir+"/file", syscall.O_WRONLY|syscall.O_CREAT, 0o600)
		if e != 0 {
			t.Fatal(e)
		}
		defer s.Close(fd)
		_, e1 := s.Pwrite(fd, fmt.Appendf(nil, "%*d", holeStart, 1), 0)
		e2 := s.Ftruncate(fd, 1<<20)
		e3 := s.Mkdirat(cwd, dir+"/dir", 0o755)
		for i := range 5 {
			e3 |= s.Mkdirat(cwd, fmt.Sprint(dir, "/dir/", i), 0o755)
		}
		e4 := s.Mknodat(cwd, dir+"/fifo", syscall.S_IFIFO|0o600, 0)
		if e1|e2|e3|e4 != 0 && e3 != syscall.EEXIST {
			t.Fatal(e1, e2, e3, e4)
		}
	}
	make(k, "")
	make(Linux{}, shm)
	for _, c := range []struct {
		here, there string
		flags       int
	}{
		{"/file", shm + "/file", syscall.O_RDWR},
		{"/file", shm + "/file", syscall.O_RDONLY},
		{"/file", shm + "/file", syscall.O_WRONLY | syscall.O_APPEND},
		{"/file", shm + "/file", syscalls.O_PATH},
		{"/dir", shm + "/dir", syscall.O_RDONLY},
		{"/dir", shm + "/dir", syscalls.O_PATH},
		{"/fifo", shm + "/fifo", syscall.O_RDWR},
		{"/dev/null", "/dev/null", syscall.O_RDWR},
		{"/dev/zero", "/dev/zero", syscall.O_RDONLY},
		{"/dev/full", "/dev/full", syscall.O_RDWR},
		{"/dev/random", "/dev/random", syscall.O_RDONLY},
		{"/dev/urandom", "/dev/urandom", syscall.O_RDONLY},
		{"/proc/version", "/proc/version", syscall.O_RDONLY},
		{"/proc/meminfo", "/proc/meminfo", syscall.O_RDONLY},
	} {
		for start := range 3 {
			here, e := k.Openat(cwd, c.here, c.flags, 0)
			there, e2 := Linux{}.Openat(cwd, c.there, c.flags, 0)
			if e != 0 || e2 != 0 {
				t.Fatalf("%s: %v, %v", c.here, e, e2)
			}
			name := fmt.Sprintf("%s, flags %#x", c.here, c.flags)
			switch start {
			case 1: // somewhere
				seekBoth(t, name, k, here, there, holeStart/2, 0)
			case 2: // as far as it goes
				seekBoth(t, name, k, here, there, math.MaxInt64, 0)
			}
			for whence := -1; whence <= 6; whence++ {
				for _, off := range []int64{
					0, 1, -1, 100, -100, holeStart - 1, holeStart, holeStart + 1, 1<<20 - 1, 1 << 20, -1 << 20, -1<<20 - 1,
					1 << 40, math.MaxInt64, math.MaxInt64 - 1<<20, math.MaxInt64 - 1<<20 + 1, math.MinInt64, math.MinInt64 + 1,
				} {
					seekBoth(t, name, k, here, there, off, whence)
				}
			}
			k.Close(here)
			Linux{}.Close(there)
		}
	}
}

// seekBoth seeks on both sides, and then asks where that has led.
func seekBoth(t *testing.T, name string, k Sys, here, there int, off int64, whence int) {
	t.Helper()
	from, _ := Linux{}.Seek(there, 0, 1)
	got, e := k.Seek(here, off, whence)
	want, e2 := Linux{}.Seek(there, off, whence)
	if got != want || e != e2 {
		t.Errorf("%s: at %d, lseek(%d, %d) = %d, %s; want %d, %s", name, from, off, whence, got, result(e), want, result(e2))
	}
	got, e = k.Seek(here, 0, 1)
	want, e2 = Linux{}.Seek(there, 0, 1)
	if got != want || e != e2 {
		t.Errorf("%s: behind lseek(%d, %d) at %d, %s; want %d, %s", name, off, whence, got, result(e), want, result(e2))
	}
}
