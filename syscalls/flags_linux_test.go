package syscalls

import (
	"fmt"
	"path/filepath"
	"syscall"
	"testing"
)

// TestStatusFlags: F_GETFL shows of how a file was opened what Linux shows.
func TestStatusFlags(t *testing.T) {
	const oTmpfile, oNoatime = 0x410000, 0x40000
	k, dir := newKernel(t), t.TempDir()
	for i, flags := range []int{
		syscall.O_RDONLY | syscall.O_CREAT,
		syscall.O_RDWR | syscall.O_CREAT | syscall.O_EXCL | syscall.O_TRUNC | syscall.O_NOCTTY | syscall.O_NONBLOCK | syscall.O_SYNC | oNoatime,
		syscall.O_WRONLY | syscall.O_CREAT | syscall.O_APPEND | syscall.O_CLOEXEC | oLargefile,
		syscall.O_DIRECTORY,
		syscall.O_RDWR | oTmpfile,
		O_PATH, O_PATH | syscall.O_NOFOLLOW | syscall.O_RDWR | syscall.O_APPEND | oLargefile,
	} {
		host, guest := dir, "/"
		if flags&syscall.O_CREAT != 0 {
			name := fmt.Sprint("f", i)
			host, guest = filepath.Join(dir, name), guest+name
		}
		fd, err := syscall.Open(host, flags, 0o600)
		if err != nil {
			t.Fatal(err)
		}
		want, _, e := syscall.Syscall(syscall.SYS_FCNTL, uintptr(fd), syscall.F_GETFL, 0)
		ok(t, e)
		syscall.Close(fd)
		fd, e = k.Openat(AT_FDCWD, guest, flags, 0o600)
		ok(t, e)
		got, e := k.Fcntl(fd, syscall.F_GETFL, 0)
		if ok(t, e); got != int(want) {
			t.Errorf("opened with %#x: %#x, Linux has %#x", flags, got, want)
		}
		ok(t, k.Close(fd))
	}
}
