package syscalls

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"unsafe"
)

// An array of struct iovec with one element, which leads nowhere.
var nowhere = syscall.Iovec{Len: 5}

// TestBadMemory makes calls with descriptors of all kinds and memory that is none, here
// and on the host: of two mistakes both name the same.
func TestBadMemory(t *testing.T) {
	k, host := newKernel(t), t.TempDir()
	put(t, k, "/f", "text")
	if err := os.WriteFile(filepath.Join(host, "f"), []byte("text"), 0o644); err != nil {
		t.Fatal(err)
	}
	type pair struct{ ours, theirs int }
	both := func(path string, flags int) pair {
		fd, err := syscall.Open(filepath.Join(host, path), flags, 0)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { syscall.Close(fd) })
		return pair{open(t, k, "/"+path, flags), fd}
	}
	var ours, theirs [2]int
	ok(t, k.Pipe2(&ours, 0))
	if err := syscall.Pipe(theirs[:]); err != nil {
		t.Fatal(err)
	}
	defer syscall.Close(theirs[0])
	defer syscall.Close(theirs[1])
	k.Write(ours[1], []byte("something"))
	syscall.Write(theirs[1], []byte("something"))
	vector := uintptr(unsafe.Pointer(&nowhere))
	for name, fd := range map[string]pair{
		"none": {-1, -1}, "to be read": both("f", syscall.O_RDONLY), "to be written": both("f", syscall.O_WRONLY),
		"directory": both(".", syscall.O_RDONLY), "path": both("f", O_PATH), "end to be read": {ours[0], theirs[0]}, "end to be written": {ours[1], theirs[1]},
	} {
		for _, c := range []struct {
			num uintptr
			a   [3]uintptr
		}{
			{syscall.SYS_READ, [3]uintptr{0, 5}}, {syscall.SYS_WRITE, [3]uintptr{0, 5}}, {syscall.SYS_READ, [3]uintptr{1 << 63, 5}},
			{syscall.SYS_PREAD64, [3]uintptr{0, 5}}, {syscall.SYS_PWRITE64, [3]uintptr{0, 5}},
			{syscall.SYS_PREAD64, [3]uintptr{0, 5, 1 << 63}}, {syscall.SYS_PWRITE64, [3]uintptr{0, 5, 1 << 63}},
			{syscall.SYS_READV, [3]uintptr{0, 1}}, {syscall.SYS_WRITEV, [3]uintptr{0, 1}},
			{syscall.SYS_READV, [3]uintptr{vector, 1}}, {syscall.SYS_WRITEV, [3]uintptr{vector, 1}},
			{syscall.SYS_READV, [3]uintptr{vector, 1 << 20}}, {syscall.SYS_WRITEV, [3]uintptr{vector, 1 << 20}},
			{syscall.SYS_FSTAT, [3]uintptr{0}}, {syscall.SYS_IOCTL, [3]uintptr{fioNread, 0}},
		} {
			if name == "directory" && (c.a[0] == 1<<63 || c.num == syscall.SYS_READV || c.num == syscall.SYS_IOCTL) {
				continue // a third mistake: what is told of those depends on more
			}
			_, _, want := syscall.Syscall6(c.num, uintptr(fd.theirs), c.a[0], c.a[1], c.a[2], 0, 0)
			_, got := k.Call(c.num, uintptr(fd.ours), c.a[0], c.a[1], c.a[2], 0, 0)
			if got != want {
				t.Errorf("%s of %s, %#x: %v, on Linux %v", calls[c.num].name, name, c.a, got, want)
			}
		}
	}
}
