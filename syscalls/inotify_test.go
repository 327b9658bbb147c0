package syscalls_test

import (
	"fmt"
	"syscall"
	"testing"
	"time"

	"github.com/yolkos/yolk/fs"
	"github.com/yolkos/yolk/fs/tmpfs"
	"github.com/yolkos/yolk/syscalls"
)

const createDelete = fs.InCreate | fs.InDelete

func watching(t *testing.T, flags int) (*syscalls.Kernel, int) {
	t.Helper()
	k := syscalls.New(fs.New(tmpfs.New(tmpfs.Limits{}), fs.MountOptions{}))
	fd, e := k.InotifyInit1(flags)
	if e != 0 {
		t.Fatal(e)
	}
	if wd, e := k.InotifyAddWatch(fd, "/", createDelete); wd != 1 || e != 0 {
		t.Fatal(wd, e)
	}
	return k, fd
}

func mkdir(t *testing.T, k *syscalls.Kernel, name string) {
	t.Helper()
	if e := k.Mkdirat(syscalls.AT_FDCWD, name, 0o755); e != 0 {
		t.Fatal(name, e)
	}
}

// TestInotifyRead: reads return whole records, as many as there is room for.
func TestInotifyRead(t *testing.T) {
	k, fd := watching(t, syscall.O_NONBLOCK)
	buf := make([]byte, 200)
	if n, e := k.Read(fd, buf); n != 0 || e != syscall.EAGAIN {
		t.Error("nothing:", n, e)
	}
	mkdir(t, k, "/d")                // 16 + 16
	mkdir(t, k, "/fifteen-letters")  // 15: with its NUL just 16
	mkdir(t, k, "/sixteen-letters+") // 16 + 32
	var size [4]byte
	const fionread = 0x541b
	if _, e := k.Ioctl(fd, fionread, 0, size[:]); e != 0 || size != [4]byte{112} {
		t.Error("FIONREAD:", size, e)
	}
	for _, tt := range []struct {
		room, want int
		err        syscall.Errno
	}{{0, 0, syscall.EINVAL}, {31, 0, syscall.EINVAL}, {63, 32, 0}, {31, 0, syscall.EINVAL}, {200, 80, 0}, {200, 0, syscall.EAGAIN}} {
		if n, e := k.Read(fd, buf[:tt.room]); n != tt.want || e != tt.err {
			t.Errorf("room for %d: %d, %v; want %d, %v", tt.room, n, e, tt.want, tt.err)
		}
	}
	if n, e := k.Write(fd, buf); n > 0 || e != syscall.EBADF {
		t.Error("write:", n, e)
	}
	if _, e := k.Ioctl(fd, fionread, 0, size[:]); e != 0 || size != [4]byte{} {
		t.Error("FIONREAD of nothing:", size, e)
	}
}

// TestInotifyWait: a read, or poll, waits for an event; the close of the
// descriptor ends it.
func TestInotifyWait(t *testing.T) {
	k, fd := watching(t, 0)
	polled := make(chan int)
	go func() {
		got := make([]int16, 1)
		k.Poll([]int32{int32(fd)}, []int16{fs.PollIn}, got, int64(time.Minute))
		polled <- int(got[0])
	}()
	mkdir(t, k, "/d")
	if got := <-polled; got != fs.PollIn {
		t.Error("poll:", got)
	}
	buf := make([]byte, 100)
	if n, e := k.Read(fd, buf); n != 32 || e != 0 {
		t.Error(n, e)
	}
	read := make(chan string)
	go func() {
		n, e := k.Read(fd, buf)
		read <- fmt.Sprint(n, e)
		n, e = k.Read(fd, buf)
		read <- fmt.Sprint(n > 0, e != 0)
	}()
	mkdir(t, k, "/e")
	if got := <-read; got != "32 errno 0" {
		t.Error("read:", got)
	}
	k.Close(fd)
	if got := <-read; got != "false true" {
		t.Error("read of what is closed:", got)
	}
	mkdir(t, k, "/f") // nobody watches any more
}

// TestInotifyOverflow: what there is no room for is told as lost, once, until that
// is read.
func TestInotifyOverflow(t *testing.T) {
	k, fd := watching(t, syscall.O_NONBLOCK)
	for round := range 2 {
		for i := range syscalls.MaxQueuedEvents/2 + 100 {
			name := fmt.Sprintf("/%d", i%2)
			mkdir(t, k, name)
			if e := k.Unlinkat(syscalls.AT_FDCWD, name, syscalls.AT_REMOVEDIR); e != 0 {
				t.Fatal(e)
			}
		}
		records, lost, last := 0, 0, uint32(0)
		buf := make([]byte, 32*1000)
		for {
			n, e := k.Read(fd, buf)
			if e == syscall.EAGAIN {
				break
			}
			for b := buf[:n]; len(b) > 0; records++ {
				if last = uint32(b[4]) | uint32(b[5])<<8; last == fs.InQOverflow {
					lost++
				}
				b = b[16+int(b[12]):]
			}
		}
		if records != syscalls.MaxQueuedEvents+1 || lost != 1 || last != fs.InQOverflow {
			t.Errorf("round %d: %d records, %d overflows, the last is %#x", round, records, lost, last)
		}
	}
}

// TestInotifyLimits: instances and watches are bounded, and given back.
func TestInotifyLimits(t *testing.T) {
	k, fd := watching(t, 0)
	for range 2 {
		var fds []int
		for {
			fd, e := k.InotifyInit1(0)
			if e != 0 {
				if e != syscall.EMFILE || len(fds) != syscalls.MaxUserInstances-1 {
					t.Fatal(len(fds), e)
				}
				break
			}
			fds = append(fds, fd)
		}
		for _, fd := range fds {
			k.Close(fd)
		}
	}
	for i := range syscalls.MaxUserWatches - 1 {
		name := fmt.Sprintf("/%d", i)
		mkdir(t, k, name)
		if _, e := k.InotifyAddWatch(fd, name, createDelete); e != 0 {
			t.Fatal(i, e)
		}
	}
	mkdir(t, k, "/one")
	if _, e := k.InotifyAddWatch(fd, "/one", createDelete); e != syscall.ENOSPC {
		t.Error("one more:", e)
	}
	if e := k.InotifyRmWatch(fd, 5); e != 0 {
		t.Error(e)
	}
	if wd, e := k.InotifyAddWatch(fd, "/one", createDelete); wd <= 5 || e != 0 {
		t.Error("in the place of another:", wd, e)
	}
	k.Close(fd)
	fd, _ = k.InotifyInit1(0)
	if wd, e := k.InotifyAddWatch(fd, "/one", createDelete); wd != 1 || e != 0 {
		t.Error("after the end of the instance:", wd, e)
	}
}

// TestInotifyUnmount: a watch does not keep a file system mounted, and ends with it.
func TestInotifyUnmount(t *testing.T) {
	k, fd := watching(t, syscall.O_NONBLOCK)
	k.FileSystems = func(string, string, string) (fs.FileSystem, error) { return tmpfs.New(tmpfs.Limits{}), nil }
	mkdir(t, k, "/m")
	if e := k.Mount("x", "/m", "tmpfs", 0, ""); e != 0 {
		t.Fatal(e)
	}
	mkdir(t, k, "/m/d")
	buf := make([]byte, 1000)
	k.Read(fd, buf)
	for _, name := range []string{"/m", "/m/d"} {
		if _, e := k.InotifyAddWatch(fd, name, fs.InOpen); e != 0 {
			t.Fatal(e)
		}
	}
	if e := k.Unmount("/m", 0); e != 0 {
		t.Fatal(e)
	}
	n, e := k.Read(fd, buf)
	if n != 4*16 || e != 0 {
		t.Fatal(n, e)
	}
	got := ""
	for b := buf[:n]; len(b) > 0; b = b[16:] {
		got += fmt.Sprintf("%#x ", uint32(b[4])|uint32(b[5])<<8)
	}
	if got != "0x2000 0x8000 0x2000 0x8000 " {
		t.Error(got)
	}
}

// TestInotifyErrors: what is no instance, or no flag.
func TestInotifyErrors(t *testing.T) {
	k, fd := watching(t, 0)
	if _, e := k.InotifyInit1(1); e != syscall.EINVAL {
		t.Error("a flag:", e)
	}
	file, e := k.Openat(syscalls.AT_FDCWD, "/f", syscall.O_CREAT|syscall.O_RDWR, 0o600)
	if e != 0 {
		t.Fatal(e)
	}
	for _, tt := range []struct {
		what      string
		got, want syscall.Errno
	}{
		{"add to a file", second(k.InotifyAddWatch(file, "/", fs.InOpen)), syscall.EINVAL},
		{"add to nothing", second(k.InotifyAddWatch(99, "/", fs.InOpen)), syscall.EBADF},
		{"no path", second(k.InotifyAddWatch(fd, "", fs.InOpen)), syscall.ENOENT},
		{"remove of a file", k.InotifyRmWatch(file, 1), syscall.EINVAL},
		{"remove of nothing", k.InotifyRmWatch(99, 1), syscall.EBADF},
		{"pread", second(k.Pread(fd, make([]byte, 100), 0)), syscall.ESPIPE},
	} {
		if tt.got != tt.want {
			t.Errorf("%s: %v, want %v", tt.what, tt.got, tt.want)
		}
	}
}

func second(_ int, e syscall.Errno) syscall.Errno { return e }
