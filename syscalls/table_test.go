package syscalls

import (
	"sync"
	"syscall"
	"testing"
)

func open(t testing.TB, k *Kernel, path string, flags int) int {
	t.Helper()
	fd, e := k.Openat(AT_FDCWD, path, flags, 0o644)
	if e != 0 {
		t.Fatalf("open %s: %v", path, e)
	}
	return fd
}

func is(t testing.TB, what string, got, want syscall.Errno) {
	t.Helper()
	if got != want {
		t.Errorf("%s: %d %v, want %v", what, int(got), got, want)
	}
}

func TestLowestFreeDescriptor(t *testing.T) {
	k := newKernel(t)
	put(t, k, "f", "")
	for want := range 40 {
		if fd := open(t, k, "f", syscall.O_RDONLY); fd != want {
			t.Fatalf("descriptor %d, want %d", fd, want)
		}
	}
	for _, fd := range []int{7, 3, 20} {
		ok(t, k.Close(fd))
	}
	for _, want := range []int{3, 7, 20, 40} {
		if fd := open(t, k, "f", syscall.O_RDONLY); fd != want {
			t.Errorf("descriptor %d, want %d", fd, want)
		}
	}
	ok(t, k.Close(5))
	if fd, _ := k.Fcntl(0, syscall.F_DUPFD, 100); fd != 100 {
		t.Errorf("F_DUPFD from 100 gave %d", fd)
	}
	if fd, _ := k.Fcntl(0, F_DUPFD_CLOEXEC, 4); fd != 5 {
		t.Errorf("F_DUPFD from 4 gave %d", fd)
	}
	if v, _ := k.Fcntl(5, syscall.F_GETFD, 0); v != syscall.FD_CLOEXEC {
		t.Errorf("F_GETFD: %d", v)
	}
	ok(t, k.Dup3(0, 500, 0))
	if fd, _ := k.Dup(500); fd != 41 {
		t.Errorf("dup gave %d", fd)
	}
	for what, e := range map[string]syscall.Errno{
		"close":    k.Close(300),
		"close -1": k.Close(-1),
		"dup3 -1":  k.Dup3(0, -1, 0),
		"fstat":    k.Fstat(1<<30, new(syscall.Stat_t)),
	} {
		is(t, what, e, syscall.EBADF)
	}
	is(t, "dup3 to itself", k.Dup3(0, 0, 0), syscall.EINVAL)
	_, e := k.Fcntl(0, 9999, 0)
	is(t, "an unknown command", e, syscall.EINVAL)
}

func TestDupSharesPosition(t *testing.T) {
	k := newKernel(t)
	put(t, k, "f", "0123456789")
	a := open(t, k, "f", syscall.O_RDWR)
	b, e := k.Dup(a)
	ok(t, e)
	c := open(t, k, "f", syscall.O_RDWR)
	buf := make([]byte, 3)
	k.Read(a, buf)
	k.Read(b, buf)
	if string(buf) != "345" {
		t.Errorf("read %q by the second descriptor", buf)
	}
	ok(t, k.Close(a))
	k.Read(b, buf)
	if string(buf) != "678" {
		t.Errorf("read %q after the first was closed", buf)
	}
	k.Read(c, buf)
	if string(buf) != "012" {
		t.Errorf("read %q by another open", buf)
	}
	_, e = k.Fcntl(b, syscall.F_SETFL, syscall.O_APPEND|syscall.O_WRONLY)
	ok(t, e)
	if fl, _ := k.Fcntl(b, syscall.F_GETFL, 0); fl != syscall.O_RDWR|syscall.O_APPEND|oLargefile {
		t.Errorf("flags %#x", fl)
	}
	k.Write(b, []byte("+"))
	if s := get(t, k, "f"); s != "0123456789+" {
		t.Errorf("the file has %q", s)
	}
}

// TestDescriptorsFromMany opens, duplicates, uses and closes from many
// goroutines: no call may hit a descriptor of another's file.
func TestDescriptorsFromMany(t *testing.T) {
	k := newKernel(t)
	var wg sync.WaitGroup
	for i := range 8 {
		name := string(rune('a' + i))
		put(t, k, name, name)
		wg.Go(func() {
			buf := make([]byte, 10)
			for range 500 {
				fd := open(t, k, name, syscall.O_RDONLY)
				nfd, e := k.Dup(fd)
				if e != 0 {
					t.Error(e)
				}
				ok(t, k.Close(fd))
				if n, e := k.Read(nfd, buf); e != 0 || string(buf[:n]) != name {
					t.Errorf("read %q, %v of %s", buf[:n], e, name)
				}
				ok(t, k.Close(nfd))
			}
		})
	}
	// Others close whatever they find beyond all of that.
	wg.Go(func() {
		for range 2000 {
			k.Fcntl(1000, syscall.F_GETFL, 0)
			k.Descriptors()
		}
	})
	wg.Wait()
	if list := k.Descriptors(); len(list) != 0 {
		t.Errorf("left open: %v", list)
	}
}

func TestClosedWhileInUse(t *testing.T) {
	k := newKernel(t)
	put(t, k, "f", "text")
	for range 200 {
		fd := open(t, k, "f", syscall.O_RDONLY)
		var wg sync.WaitGroup
		wg.Go(func() {
			if _, e := k.Pread(fd, make([]byte, 4), 0); e != 0 && e != syscall.EBADF {
				t.Error(e)
			}
		})
		wg.Go(func() { ok(t, k.Close(fd)) })
		wg.Wait()
	}
}

func TestOPath(t *testing.T) {
	k := newKernel(t)
	put(t, k, "f", "text")
	ok(t, k.Mkdirat(AT_FDCWD, "d", 0o755))
	ok(t, k.Symlinkat("f", AT_FDCWD, "l"))
	f, l, d := open(t, k, "f", O_PATH|syscall.O_RDWR), open(t, k, "l", O_PATH|syscall.O_NOFOLLOW), open(t, k, "d", O_PATH)
	_, e := k.Read(f, make([]byte, 1))
	is(t, "read", e, syscall.EBADF)
	_, e = k.Write(f, []byte("x"))
	is(t, "write", e, syscall.EBADF)
	_, e = k.Seek(f, 0, 0)
	is(t, "lseek", e, syscall.EBADF)
	is(t, "fchmod", k.Fchmod(f, 0o600), syscall.EBADF)
	is(t, "ftruncate", k.Ftruncate(f, 0), syscall.EBADF)
	var st syscall.Stat_t
	ok(t, k.Fstat(l, &st))
	if st.Mode&syscall.S_IFMT != syscall.S_IFLNK {
		t.Errorf("mode %o", st.Mode)
	}
	buf := make([]byte, 10)
	if n, e := k.Readlinkat(l, "", buf); e != 0 || string(buf[:n]) != "f" {
		t.Errorf("readlink: %q, %v", buf[:n], e)
	}
	ok(t, k.Mkdirat(d, "e", 0o755))
	ok(t, k.Fchdir(d))
	if dir, _ := k.Getcwd(); dir != "/d" {
		t.Errorf("getcwd %q", dir)
	}
}

func TestPlaces(t *testing.T) {
	k := newKernel(t)
	ok(t, k.Mkdirat(AT_FDCWD, "jail", 0o755))
	ok(t, k.Mkdirat(AT_FDCWD, "jail/d", 0o755))
	put(t, k, "jail/f", "inside")
	put(t, k, "f", "outside")
	is(t, "chdir to a file", k.Chdir("f"), syscall.ENOTDIR)
	is(t, "chdir to nothing", k.Chdir("none"), syscall.ENOENT)
	ok(t, k.Chdir("/jail"))
	ok(t, k.Chroot("."))
	if s := get(t, k, "/f"); s != "inside" {
		t.Errorf("in the jail /f is %q", s)
	}
	if s := get(t, k, "d/../../../f"); s != "inside" {
		t.Errorf("out of the jail leads to %q", s)
	}
	ok(t, k.Chdir("d"))
	if dir, _ := k.Getcwd(); dir != "/d" {
		t.Errorf("getcwd %q", dir)
	}
	if old := k.Umask(0o077); old != 0o022 {
		t.Errorf("umask was %o", old)
	}
	ok(t, k.Mkdirat(AT_FDCWD, "private", 0o777))
	var st syscall.Stat_t
	ok(t, k.Fstatat(AT_FDCWD, "private", &st, 0))
	if st.Mode != syscall.S_IFDIR|0o700 {
		t.Errorf("mode %o", st.Mode)
	}
}

// TestManyDescriptors: a hole far below the others does not make the search
// behind it long. A search from there would take 50,000 times longer.
func TestManyDescriptors(t *testing.T) {
	const n = 100_000
	k := newKernel(t)
	put(t, k, "f", "")
	open(t, k, "f", syscall.O_RDONLY)
	for range n {
		if _, e := k.Dup(0); e != 0 {
			t.Fatal(e)
		}
	}
	for range n / 2 {
		ok(t, k.Close(5))
		for _, want := range []int{5, n + 1} {
			if fd, _ := k.Dup(0); fd != want {
				t.Fatalf("descriptor %d, want %d", fd, want)
			}
		}
		ok(t, k.Close(n+1))
	}
}
