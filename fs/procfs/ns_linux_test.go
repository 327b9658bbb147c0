package procfs_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"unsafe"

	"github.com/yolkos/yolk/syscalls"
)

// TestNamespaces does the same with the namespaces' files here and on the host, all
// but the numbers of which are alike.
func TestNamespaces(t *testing.T) {
	k, p := newKernel(t)
	p.RegisterSelf(newSelf(k))
	const dir = "/proc/thread-self/ns"
	entries, err := os.ReadDir("/proc/self/ns")
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		name := entry.Name()
		if !strings.Contains(" "+names(t, k, dir)+" ", " "+name+" ") {
			t.Errorf("%s has no %s", dir, name)
			continue
		}
		path := filepath.Join(dir, name)
		link := readlink(k, path)
		theirs, _ := os.Readlink(path)
		kind, _, _ := strings.Cut(theirs, ":")
		var st, hostSt syscall.Stat_t
		if e := k.Fstatat(cwd, path, &st, 0); e != 0 || link != fmt.Sprintf("%s:[%d]", kind, st.Ino) {
			t.Errorf("%s leads to %q, inode %d, %v; on Linux %q", path, link, st.Ino, e, theirs)
		}
		var same syscall.Stat_t
		if e := k.Fstatat(cwd, "/proc/self/ns/"+name, &same, 0); e != 0 || same.Dev != st.Dev || same.Ino != st.Ino {
			t.Errorf("the thread is in %d on %#x, the process in %d on %#x, %v", st.Ino, st.Dev, same.Ino, same.Dev, e)
		}
		if err := syscall.Stat(path, &hostSt); err != nil || st.Mode != hostSt.Mode || st.Nlink != hostSt.Nlink || st.Size != hostSt.Size {
			t.Errorf("%s: mode %o, %d links, %d bytes; on Linux %o, %d, %d, %v", path, st.Mode, st.Nlink, st.Size, hostSt.Mode, hostSt.Nlink, hostSt.Size, err)
		}
		for _, flags := range []int{syscall.O_RDWR, syscall.O_WRONLY, syscall.O_RDONLY} {
			ours, e := k.Openat(cwd, path, flags, 0)
			fd, err := syscall.Open(path, flags, 0)
			if want, _ := err.(syscall.Errno); e != want {
				t.Errorf("opening %s with %#x: %v, on Linux %v", path, flags, e, err)
			}
			if e != 0 || err != nil {
				continue
			}
			defer syscall.Close(fd)
			if got := readlink(k, fmt.Sprintf("/proc/self/fd/%d", ours)); got != link {
				t.Errorf("the descriptor leads to %q, want %q", got, link)
			}
			var fs, hostFS syscall.Statfs_t
			if e := k.Fstatfs(ours, &fs); e != 0 || syscall.Fstatfs(fd, &hostFS) != nil || fs.Type != hostFS.Type {
				t.Errorf("%s: file system %#x, %v, on Linux %#x", path, fs.Type, e, hostFS.Type)
			}
			if _, e := k.Read(ours, make([]byte, 10)); e != syscall.EINVAL {
				t.Errorf("reading %s: %v", path, e)
			}
			for _, req := range []uint32{0xb702, 0xb703, syscall.TCGETS} { // NS_GET_PARENT, NS_GET_NSTYPE
				data := make([]byte, 64)
				got, e := k.Ioctl(ours, req, 0, data)
				n, _, want := syscall.Syscall(syscall.SYS_IOCTL, uintptr(fd), uintptr(req), uintptr(unsafe.Pointer(&data[0])))
				if req == 0xb702 && want == 0 {
					syscall.Close(int(n)) // this process is in a namespace of its own
					continue
				}
				if e != want || e == 0 && got != int(n) {
					t.Errorf("%s: request %#x: %d, %v, on Linux %d, %v", path, req, got, e, int(n), want)
				}
			}
		}
	}
	if _, e := k.Openat(cwd, dir+"/mnt", syscalls.O_PATH|syscall.O_NOFOLLOW, 0); e != 0 {
		t.Errorf("the link itself: %v", e)
	}
}
