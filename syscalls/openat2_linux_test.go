package syscalls

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
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
				var fd uintptr
				want := syscall.EAGAIN
				for try := 0; want == syscall.EAGAIN && (try == 0 || resolve&resolveCached == 0); try++ {
					// Linux answers so as well while anything is renamed or mounted, anywhere.
					fd, _, want = syscall.Syscall6(437, uintptr(theirs), uintptr(unsafe.Pointer(name)), uintptr(unsafe.Pointer(&how)), unsafe.Sizeof(how), 0, 0)
				}
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

// A handle and the number of its mount: memory that stays where it is.
var (
	handle  [34]uint32
	mountID int32
)

// TestHandles: errors of calls on handles come in Linux's order, until it is asked
// whether the file system has any.
func TestHandles(t *testing.T) {
	host, k := t.TempDir(), newKernel(t)
	for _, name := range []string{"f", "l"} {
		if name == "l" {
			ok(t, k.Symlinkat("none", AT_FDCWD, "/l"))
			if err := os.Symlink("none", filepath.Join(host, "l")); err != nil {
				t.Fatal(err)
			}
			continue
		}
		put(t, k, "/f", "")
		if err := os.WriteFile(filepath.Join(host, "f"), nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	theirs, err := syscall.Open(host, syscall.O_RDONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer syscall.Close(theirs)
	ours := open(t, k, "/", syscall.O_RDONLY)
	both := func(what string, num uintptr, theirs, ours, a2, a3, a4, a5 uintptr) {
		t.Helper()
		handle = [34]uint32{128, 1}
		_, _, want := syscall.Syscall6(num, theirs, a2, a3, a4, a5, 0)
		handle = [34]uint32{128, 1}
		_, got := k.Call(num, ours, a2, a3, a4, a5, 0)
		if want == 0 {
			want = syscall.EOPNOTSUPP
		}
		is(t, what, got, want)
	}
	const nameToHandleAt, openByHandleAt = 303, 304
	h, m := uintptr(unsafe.Pointer(&handle)), uintptr(unsafe.Pointer(&mountID))
	for _, path := range []string{"f", "l", "none", "", "f/x"} {
		name, _ := syscall.BytePtrFromString(path)
		for _, flags := range []uintptr{0, 0x400, 0x1000, 0x100, 0x1400, 1 << 20} {
			both(fmt.Sprintf("handle of %q, flags %#x", path, flags), nameToHandleAt, uintptr(theirs), uintptr(ours), uintptr(unsafe.Pointer(name)), h, m, flags)
		}
		runtime.KeepAlive(name)
	}
	both("no path", nameToHandleAt, uintptr(theirs), uintptr(ours), 0, h, m, 0)
	both("no directory", openByHandleAt, 1<<20, 1<<20, h, 0, 0, 0)
	if os.Geteuid() == 0 {
		both("no handle", openByHandleAt, uintptr(theirs), uintptr(ours), 0, 0, 0, 0)
	}
	handle[0] = 0
	_, e := k.Call(openByHandleAt, uintptr(ours), h, 0, 0, 0, 0)
	is(t, "an empty handle", e, syscall.EINVAL)
	handle[0] = 8
	_, e = k.Call(openByHandleAt, uintptr(ours), h, 0, 0, 0, 0)
	is(t, "a handle", e, syscall.ESTALE)
}
