package syscalls

import (
	"math"
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

// TestSyncFileRange makes calls with all flags, right and wrong, on files of several
// kinds here and on the host.
func TestSyncFileRange(t *testing.T) {
	k, host := newKernel(t), t.TempDir()
	put(t, k, "/f", "text")
	if err := os.WriteFile(filepath.Join(host, "f"), []byte("text"), 0o644); err != nil {
		t.Fatal(err)
	}
	type pair struct{ ours, theirs int }
	both := func(path string) pair {
		fd, err := syscall.Open(filepath.Join(host, path), syscall.O_RDONLY, 0)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { syscall.Close(fd) })
		return pair{open(t, k, "/"+path, syscall.O_RDONLY), fd}
	}
	var ours, theirs [2]int
	ok(t, k.Pipe2(&ours, 0))
	if err := syscall.Pipe(theirs[:]); err != nil {
		t.Fatal(err)
	}
	defer syscall.Close(theirs[0])
	defer syscall.Close(theirs[1])
	for name, fd := range map[string]pair{"file": both("f"), "directory": both("."), "pipe": {ours[1], theirs[1]}, "nothing": {1 << 20, 1 << 20}} {
		for flags := range 16 {
			for _, r := range [][2]int64{{0, 0}, {1, 2}, {-1, 0}, {0, -1}, {math.MaxInt64, 1}, {math.MaxInt64, 0}} {
				_, _, want := syscall.Syscall6(syscall.SYS_SYNC_FILE_RANGE, uintptr(fd.theirs), uintptr(r[0]), uintptr(r[1]), uintptr(flags), 0, 0)
				_, got := k.Call(syscall.SYS_SYNC_FILE_RANGE, uintptr(fd.ours), uintptr(r[0]), uintptr(r[1]), uintptr(flags), 0, 0)
				if got != want {
					t.Errorf("%s, %d bytes from %d, flags %#x: %v, on Linux %v", name, r[1], r[0], flags, got, want)
				}
			}
		}
	}
}
