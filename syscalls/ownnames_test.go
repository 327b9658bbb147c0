package syscalls

import (
	"syscall"
	"testing"
	"unsafe"
)

// TestNamesAreCopied: a path is the caller's memory, which may hold another one after
// the call. No name that was made, moved or looked up changes with it.
func TestNamesAreCopied(t *testing.T) {
	k := newKernel(t)
	var memory [16]byte
	at := func(path string) string {
		return unsafe.String(&memory[0], copy(memory[:], path))
	}
	fd, e := k.Openat(AT_FDCWD, at("created"), syscall.O_CREAT|syscall.O_WRONLY, 0o644)
	ok(t, e)
	ok(t, k.Close(fd))
	ok(t, k.Mkdirat(AT_FDCWD, at("made"), 0o755))
	ok(t, k.Mkdirat(AT_FDCWD, at("made/below"), 0o755))
	ok(t, k.Mknodat(AT_FDCWD, at("node"), syscall.S_IFIFO|0o644, 0))
	ok(t, k.Symlinkat("to", AT_FDCWD, at("symlink")))
	ok(t, k.Linkat(AT_FDCWD, "created", AT_FDCWD, at("linked"), 0))
	put(t, k, "old", "")
	ok(t, k.Renameat2(AT_FDCWD, "old", AT_FDCWD, at("renamed"), 0))
	put(t, k, "over", "")
	put(t, k, "replaced", "")
	ok(t, k.Renameat2(AT_FDCWD, "over", AT_FDCWD, at("replaced"), 0))
	put(t, k, "far", "")
	ok(t, k.Renameat2(AT_FDCWD, "far", AT_FDCWD, at("made/near"), 0))
	put(t, k, "one", "")
	put(t, k, "two", "")
	ok(t, k.Renameat2(AT_FDCWD, "one", AT_FDCWD, at("two"), 2))
	var st syscall.Stat_t
	if e := k.Fstatat(AT_FDCWD, at("missing"), &st, 0); e != syscall.ENOENT {
		t.Errorf("a missing name: %v", e)
	}
	at("################")

	names := map[string][]string{
		"/":     {"created", "made", "node", "symlink", "linked", "renamed", "replaced", "one", "two"},
		"/made": {"below", "near"},
	}
	for dir, want := range names {
		fd, e := k.Openat(AT_FDCWD, dir, syscall.O_RDONLY|syscall.O_DIRECTORY, 0)
		ok(t, e)
		buf := make([]byte, 4096)
		n, e := k.ReadDirent(fd, buf)
		ok(t, e)
		_, _, list := syscall.ParseDirent(buf[:n], -1, nil)
		there := map[string]bool{}
		for _, name := range list {
			there[name] = true
		}
		ok(t, k.Close(fd))
		for _, name := range want {
			if !there[name] {
				t.Errorf("%s has no entry %s but %v", dir, name, there)
			}
			if e := k.Fstatat(AT_FDCWD, dir+"/"+name, &st, AT_SYMLINK_NOFOLLOW); e != 0 {
				t.Errorf("%s/%s: %v", dir, name, e)
			}
		}
	}
	ok(t, k.Mkdirat(AT_FDCWD, "missing", 0o755))
}
