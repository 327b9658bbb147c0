//go:build tamago

package guest

import (
	"errors"
	"strings"
	"syscall"
	"testing"
	"unsafe"
)

// byNumber makes a call with one path by its number.
func byNumber(num uintptr, path string, last uintptr) error {
	p := append([]byte(path), 0)
	at := -100 // AT_FDCWD
	if _, _, e := syscall.Syscall(num, uintptr(at), uintptr(unsafe.Pointer(&p[0])), last); e != 0 {
		return e
	}
	return nil
}

// TestSameByNumber: what makes and removes names ends as the same call by its number,
// which the standard library does not use for it.
func TestSameByNumber(t *testing.T) {
	t.Chdir(t.TempDir())
	long := strings.Repeat("x", 300)
	for _, path := range []string{"d", "", ".", "..", "/", "d/", "missing/d", long, strings.Repeat("y/", 2100), "/dev/null"} {
		mkdir, again := syscall.Mkdir(path, 0o755), byNumber(syscall.SYS_MKDIRAT, path, 0o755)
		if mkdir == nil {
			mkdir = syscall.EEXIST // for the second
		}
		if !errors.Is(again, mkdir) {
			t.Errorf("mkdir %.20q: %v, by its number %v", path, mkdir, again)
		}
		if unlink, n := syscall.Unlink(path), byNumber(syscall.SYS_UNLINKAT, path, 0); path != "/dev/null" && (unlink == nil || !errors.Is(n, unlink)) {
			t.Errorf("unlink %.20q: %v, by its number %v", path, unlink, n)
		}
		rmdir, gone := syscall.Rmdir(path), byNumber(syscall.SYS_UNLINKAT, path, 0x200)
		if rmdir == nil {
			rmdir = syscall.ENOENT
		}
		if !errors.Is(gone, rmdir) {
			t.Errorf("rmdir %.20q: %v, by its number %v", path, rmdir, gone)
		}
	}
	for _, e := range []error{syscall.Mkdir("a\x00b", 0o755), syscall.Unlink("a\x00b"), syscall.Rename("a\x00b", "c"), syscall.Rename("c", "a\x00b")} {
		if e != syscall.EINVAL {
			t.Errorf("a NUL in a path: %v", e)
		}
	}
	if err := syscall.Mkdir("from", 0o755); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Rename("from", "to"); err != nil {
		t.Error(err)
	}
	if err := syscall.Rename("from", "to"); err != syscall.ENOENT {
		t.Errorf("a second rename: %v", err)
	}
}

// TestGetcwd: the path with its NUL, or an error and nothing written.
func TestGetcwd(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	for room := range len(dir) + 3 {
		buf := []byte(strings.Repeat("#", room))
		n, err := syscall.Getcwd(buf)
		switch {
		case room <= len(dir) && (err != syscall.ERANGE || n != -1 || strings.Trim(string(buf), "#") != ""):
			t.Errorf("with room for %d: %d, %v, %q", room, n, err, buf)
		case room > len(dir) && (err != nil || n != len(dir)+1 || string(buf[:n]) != dir+"\x00"):
			t.Errorf("with room for %d: %d, %v, %q", room, n, err, buf)
		}
	}
	if err := syscall.Mkdir("gone", 0o755); err != nil {
		t.Fatal(err)
	}
	t.Chdir("gone")
	if err := syscall.Rmdir(dir + "/gone"); err != nil {
		t.Fatal(err)
	}
	if n, err := syscall.Getcwd(make([]byte, 100)); err != syscall.ENOENT || n != -1 {
		t.Errorf("of a directory that was removed: %d, %v", n, err)
	}
}
