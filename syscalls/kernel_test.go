package syscalls

import (
	"syscall"
	"testing"

	"github.com/yolkos/yolk/fs"
	"github.com/yolkos/yolk/fs/tmpfs"
)

func newKernel(t testing.TB) *Kernel {
	return New(fs.New(tmpfs.New(tmpfs.Limits{}), fs.MountOptions{}))
}

// ok stops the test when a call fails.
func ok(t testing.TB, e syscall.Errno) {
	t.Helper()
	if e != 0 {
		t.Fatal(e)
	}
}

func put(t testing.TB, k *Kernel, path, content string) {
	t.Helper()
	fd, e := k.Openat(AT_FDCWD, path, syscall.O_WRONLY|syscall.O_CREAT|syscall.O_TRUNC, 0o644)
	ok(t, e)
	_, e = k.Write(fd, []byte(content))
	ok(t, e)
	ok(t, k.Close(fd))
}

func get(t testing.TB, k *Kernel, path string) string {
	t.Helper()
	fd, e := k.Openat(AT_FDCWD, path, syscall.O_RDONLY, 0)
	ok(t, e)
	defer k.Close(fd)
	buf := make([]byte, 1000)
	n, e := k.Read(fd, buf)
	ok(t, e)
	return string(buf[:n])
}

func TestFirst(t *testing.T) {
	k := newKernel(t)
	ok(t, k.Mkdirat(AT_FDCWD, "/a", 0o777))
	ok(t, k.Mkdirat(AT_FDCWD, "a/b", 0o777))
	put(t, k, "/a/b/f", "hello")
	ok(t, k.Symlinkat("b/../b/f", AT_FDCWD, "/a/l"))
	if s := get(t, k, "a/l"); s != "hello" {
		t.Errorf("read %q", s)
	}
	ok(t, k.Chdir("/a/b"))
	ok(t, k.Renameat2(AT_FDCWD, "/a", AT_FDCWD, "/z", 0))
	if d, _ := k.Getcwd(); d != "/z/b" {
		t.Errorf("getcwd %q", d)
	}
	if s := get(t, k, "../l"); s != "hello" {
		t.Errorf("read %q", s)
	}
	fd, e := k.Openat(AT_FDCWD, "/z", syscall.O_RDONLY|syscall.O_DIRECTORY, 0)
	ok(t, e)
	buf := make([]byte, 4096)
	n, e := k.ReadDirent(fd, buf)
	ok(t, e)
	_, _, names := syscall.ParseDirent(buf[:n], -1, nil)
	if len(names) != 2 {
		t.Errorf("names %q", names)
	}
	var st syscall.Stat_t
	ok(t, k.Fstatat(fd, "b/f", &st, 0))
	if st.Size != 5 || st.Mode != syscall.S_IFREG|0o644 {
		t.Errorf("stat %+v", st)
	}
}

func TestHotPathsDoNotAllocate(t *testing.T) {
	k := newKernel(t)
	ok(t, k.Mkdirat(AT_FDCWD, "/a", 0o777))
	put(t, k, "/a/f", "hello")
	fd, e := k.Openat(AT_FDCWD, "/a/f", syscall.O_RDONLY, 0)
	ok(t, e)
	var st syscall.Stat_t
	buf := make([]byte, 10)
	for name, do := range map[string]func(){
		"stat":  func() { k.Fstatat(AT_FDCWD, "/a/f", &st, 0) },
		"fstat": func() { k.Fstat(fd, &st) },
		"pread": func() { k.Pread(fd, buf, 0) },
		"none":  func() { k.Fstatat(AT_FDCWD, "/a/none", &st, 0) },
	} {
		if n := testing.AllocsPerRun(100, do); n != 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
}
