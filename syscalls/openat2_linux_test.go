package syscalls

import (
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"unsafe"
)

// TestOpenat2 opens on this machine and in a Kernel what bounds let pass and
// what not.
func TestOpenat2(t *testing.T) {
	host, k := t.TempDir(), newKernel(t)
	for _, dir := range []string{"d", "d/e", "out"} {
		if err := os.Mkdir(filepath.Join(host, dir), 0o755); err != nil {
			t.Fatal(err)
		}
		ok(t, k.Mkdirat(AT_FDCWD, "/"+dir, 0o755))
	}
	for _, file := range []string{"d/f", "d/e/g", "out/o", "f"} {
		if err := os.WriteFile(filepath.Join(host, file), nil, 0o644); err != nil {
			t.Fatal(err)
		}
		put(t, k, "/"+file, "")
	}
	for name, target := range map[string]string{"d/l": "f", "d/up": "../f", "d/abs": "/f", "d/back": "e/../f", "d/dir": "e", "d/loop": "loop"} {
		if err := os.Symlink(target, filepath.Join(host, name)); err != nil {
			t.Fatal(err)
		}
		ok(t, k.Symlinkat(target, AT_FDCWD, "/"+name))
	}
	theirs, err := syscall.Open(filepath.Join(host, "d"), syscall.O_RDONLY|syscall.O_DIRECTORY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer syscall.Close(theirs)
	ours := open(t, k, "/d", syscall.O_RDONLY|syscall.O_DIRECTORY)

	for resolve := range uint64(0x80) {
		for _, path := range []string{"f", "l", "up", "abs", "back", "dir/g", "..", "../f", "e/..", "e/../..", "/f", ".", "loop", "none", "e/../f", "/e/g", "/../f"} {
			for _, how := range []OpenHow{
				{}, {Flags: O_PATH | syscall.O_NOFOLLOW}, {Flags: syscall.O_NOFOLLOW}, {Mode: 1}, {Flags: O_PATH | syscall.O_RDWR}, {Flags: 1 << 40},
			} {
				how.Resolve = resolve
				name, _ := syscall.BytePtrFromString(path)
				fd, _, want := syscall.Syscall6(437, uintptr(theirs), uintptr(unsafe.Pointer(name)), uintptr(unsafe.Pointer(&how)), unsafe.Sizeof(how), 0, 0)
				if want == 0 {
					syscall.Close(int(fd))
				}
				got, e := k.Openat2(ours, path, how)
				if e == 0 {
					k.Close(got)
				}
				if resolve&resolveCached != 0 && e == syscall.EAGAIN && want != syscall.EINVAL {
					continue // it may always say so
				}
				if path == "/f" && want == syscall.ENOENT && e == 0 || path[0] == '/' && resolve&0x18 == 0 || path == "abs" && resolve&0x18 == 0 {
					continue // this machine's root is another one
				}
				if e != want {
					t.Errorf("%s with %s: %v, on Linux %v", path, fmt.Sprintf("%+v", how), e, want)
				}
			}
		}
	}
}
