package fstest

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"syscall"

	"github.com/yolkos/yolk/syscalls"
)

func testNames(x *exam) {
	long := strings.Repeat("n", 255)
	names := []string{"a b", "\xff\xfe", "new\nline", "-", "...", "ä", long, " ", "a\\b", "\x01"}
	for _, name := range names {
		x.lay(name + ": " + fmt.Sprintf("%x", name))
		if s := x.text(name); s != fmt.Sprintf("%x", name) {
			x.Errorf("%.10q holds %q", name, s)
		}
	}
	if got := x.names("/"); len(got) != len(names) {
		x.Errorf("%d names: %.200q", len(got), got)
	}
	for _, name := range names {
		x.ok("unlink", x.unlink(name))
	}
	x.has("/")
	x.is("a longer name", x.mkdir(long+"n"), syscall.ENAMETOOLONG)
	x.is("a NUL", x.mkdir("a\x00b"), syscall.EINVAL)
	x.ok("mkdir with slashes", x.mkdir("d//"))
	x.is("mkdir again", x.mkdir("d"), syscall.EEXIST)
	x.is("mkdir .", x.mkdir("."), syscall.EEXIST)
	x.is("mkdir ..", x.mkdir("d/.."), syscall.EEXIST)
	x.is("mkdir /", x.mkdir("/"), syscall.EEXIST)
	x.is("mkdir in nothing", x.mkdir("none/x"), syscall.ENOENT)
}

func testAttributes(x *exam) {
	x.lay("f", "d/", "l => f")
	for _, mode := range []uint32{0o400, 0o777, 0o1777, 0o4711, 0o2755} {
		for path, kind := range map[string]uint32{"f": syscall.S_IFREG, "d": syscall.S_IFDIR} {
			x.ok("chmod", x.Fchmodat(cwd, path, mode, 0))
			if st := x.lstat(path); st.Mode != kind|mode {
				x.Errorf("%s: mode %o, want %o", path, st.Mode, mode)
			}
		}
	}
	x.ok("chmod through a link", x.Fchmodat(cwd, "l", 0o640, 0))
	if st := x.lstat("f"); st.Mode != syscall.S_IFREG|0o640 {
		x.Errorf("mode %o", st.Mode)
	}
	x.is("chmod a link", x.Fchmodat(cwd, "l", 0o640, nofollow), syscall.EOPNOTSUPP)
	x.is("chmod nothing", x.Fchmodat(cwd, "none", 0o640, 0), syscall.ENOENT)
	a, b := x.lstat("f"), x.lstat("d")
	if a.Ino == 0 || a.Ino == b.Ino || a.Dev == 0 || a.Dev != b.Dev || a.Nlink != 1 || a.Blksize <= 0 {
		x.Errorf("inodes %d and %d, devices %d and %d, %d links, block size %d", a.Ino, b.Ino, a.Dev, b.Dev, a.Nlink, a.Blksize)
	}
	for path, mode := range map[string]uint32{"f": 0, "d": 7, "l": 6} {
		x.is("access "+path, x.Faccessat(cwd, path, mode, 0), 0)
	}
	x.is("execute a file without x", x.Faccessat(cwd, "f", 1, 0), syscall.EACCES)
}

func testTimes(x *exam) {
	x.lay("f", "d/", "l => f")
	ts := [2]syscall.Timespec{{Sec: 1234567890, Nsec: 123456789}, {Sec: 987654321, Nsec: 999999999}}
	for _, path := range []string{"f", "d", "l"} {
		x.ok("utimensat", x.Utimensat(cwd, path, &ts, nofollow))
		if st := x.lstat(path); st.Atim != ts[0] || st.Mtim != ts[1] {
			x.Errorf("%s: times %v and %v", path, st.Atim, st.Mtim)
		}
	}
	omit := [2]syscall.Timespec{{Nsec: syscalls.UTIME_OMIT}, {Sec: 5, Nsec: 6}}
	fd := x.open("f", rdwr)
	defer x.Close(fd)
	x.ok("futimens", x.Utimensat(fd, "", &omit, syscalls.AT_EMPTY_PATH))
	if st := x.fstat(fd); st.Atim != ts[0] || st.Mtim != omit[1] {
		x.Errorf("times %v and %v", st.Atim, st.Mtim)
	}
	x.write(fd, "x")
	if st := x.fstat(fd); st.Mtim.Sec < 1e9 {
		x.Error("writing has not changed the time of modification")
	}
	x.ok("utimensat", x.Utimensat(cwd, "d", &omit, 0))
	x.lay("d/new")
	if st := x.lstat("d"); st.Mtim.Sec < 1e9 {
		x.Error("a new entry has not changed the directory's time of modification")
	}
	bad := [2]syscall.Timespec{{Nsec: -1}, {}}
	x.is("a time out of range", x.Utimensat(cwd, "f", &bad, 0), syscall.EINVAL)
}

func testLinks(x *exam) {
	x.lay("f: text", "d/", "l => f")
	x.ok("link", x.link("f", "d/g"))
	x.ok("link of a link", x.link("l", "m"))
	x.has("/", "f: text", "d/", "d/g: text", "l => f", "m => f")
	a, b := x.lstat("f"), x.lstat("d/g")
	if a.Ino != b.Ino || a.Nlink != 2 || b.Nlink != 2 {
		x.Errorf("inodes %d and %d, %d and %d links", a.Ino, b.Ino, a.Nlink, b.Nlink)
	}
	fd := x.open("d/g", wronly|syscall.O_APPEND)
	x.write(fd, "+")
	x.Close(fd)
	x.ok("unlink", x.unlink("f"))
	x.has("/", "d/", "d/g: text+", "l => f", "m => f")
	if st := x.lstat("d/g"); st.Nlink != 1 {
		x.Errorf("%d links", st.Nlink)
	}
	x.is("link over a file", x.link("d/g", "l"), syscall.EEXIST)
	x.is("link a directory", x.link("d", "e"), syscall.EPERM)
	x.is("link nothing", x.link("none", "e"), syscall.ENOENT)
}

func testSymlinks(x *exam) {
	long := strings.Repeat("x/", 2000)
	x.lay("d/", "d/f: text", "l => d/f", "loop => loop", "abs => /d", "far => "+long)
	if s := x.readlink("far"); s != long {
		x.Errorf("a link of %d bytes", len(s))
	}
	if s := x.text("abs/../l"); s != "text" {
		x.Errorf("read %q", s)
	}
	if st := x.lstat("l"); st.Mode != syscall.S_IFLNK|0o777 || st.Size != 3 {
		x.Errorf("mode %o, size %d", st.Mode, st.Size)
	}
	x.is("a loop", x.tryOpen("loop", rdonly), syscall.ELOOP)
	x.is("over a file", x.Symlinkat("x", cwd, "d/f"), syscall.EEXIST)
	x.is("without a target", x.Symlinkat("", cwd, "e"), syscall.ENOENT)
	_, e := x.Readlinkat(cwd, "d/f", make([]byte, 10))
	x.is("readlink a file", e, syscall.EINVAL)
	buf := make([]byte, 2)
	if n, e := x.Readlinkat(cwd, "l", buf); n != 2 || e != 0 || string(buf) != "d/" {
		x.Errorf("readlink into a short buffer: %d, %v, %q", n, e, buf)
	}
	x.ok("unlink", x.unlink("abs"))
	x.is("what the link led to is there", x.tryOpen("d", rdonly), 0)
}

func testRemove(x *exam) {
	x.lay("d/", "d/e/", "f", "l => d")
	for what, c := range map[string]struct{ got, want syscall.Errno }{
		"unlink a directory":           {x.unlink("d"), syscall.EISDIR},
		"rmdir a file":                 {x.rmdir("f"), syscall.ENOTDIR},
		"rmdir a link":                 {x.rmdir("l"), syscall.ENOTDIR},
		"rmdir what is not empty":      {x.rmdir("d"), syscall.ENOTEMPTY},
		"rmdir .":                      {x.rmdir("d/."), syscall.EINVAL},
		"rmdir ..":                     {x.rmdir("d/e/.."), syscall.ENOTEMPTY},
		"rmdir /":                      {x.rmdir("/"), syscall.EBUSY},
		"unlink nothing":               {x.unlink("none"), syscall.ENOENT},
		"unlink a file with a slash":   {x.unlink("f/"), syscall.ENOTDIR},
		"unlink through a file":        {x.unlink("f/x"), syscall.ENOTDIR},
		"unlink .":                     {x.unlink("."), syscall.EISDIR},
		"rmdir with a slash, not last": {x.rmdir("d/e/x/"), syscall.ENOENT},
	} {
		x.is(what, c.got, c.want)
	}
	x.has("/", "d/", "d/e/", "f", "l => d")
	x.ok("rmdir", x.rmdir("l/e/"))
	x.ok("unlink", x.unlink("l"))
	x.ok("rmdir", x.rmdir("d"))
	x.has("/", "f")
}

func testNamesFromMany(x *exam) {
	x.lay("d/", "e/")
	var wg sync.WaitGroup
	for i := range 4 {
		wg.Go(func() {
			for j := range 60 {
				a, b := fmt.Sprintf("d/%d-%d", i, j), fmt.Sprintf("e/%d-%d", i, j)
				if e := x.tryOpen(a, wronly|creat|syscall.O_EXCL); e != 0 {
					x.Errorf("create %s: %v", a, e)
				}
				if e := x.rename(a, b); e != 0 {
					x.Errorf("rename %s: %v", a, e)
				}
				if e := x.tryOpen(b, rdonly); e != 0 {
					x.Errorf("open %s: %v", b, e)
				}
				if j%2 == 0 {
					if e := x.unlink(b); e != 0 {
						x.Errorf("unlink %s: %v", b, e)
					}
				}
				// Everybody makes these, and one of them wins.
				x.mkdir("d/common")
				x.rename("d/common", "e/common")
				x.rmdir("e/common")
			}
		})
	}
	wg.Wait()
	x.rmdir("d/common")
	x.rmdir("e/common")
	if n, m := len(x.names("d")), len(x.names("e")); n != 0 || m != 120 {
		x.Errorf("%d and %d names are left", n, m)
	}
}

func testXattr(x *exam) {
	x.lay("f", "d/")
	for _, path := range []string{"f", "d"} {
		x.ok("setxattr", x.Setxattr(path, "user.a", []byte("value\x00\xff"), 0, false))
		x.ok("setxattr", x.Setxattr(path, "user.empty", nil, 0, false))
		n, e := x.Getxattr(path, "user.a", nil, false)
		if x.ok("getxattr", e); n != 7 {
			x.Errorf("the length is %d", n)
		}
		buf := make([]byte, n)
		n, e = x.Getxattr(path, "user.a", buf, false)
		if x.ok("getxattr", e); string(buf[:n]) != "value\x00\xff" {
			x.Errorf("the value is %q", buf[:n])
		}
		_, e = x.Getxattr(path, "user.a", buf[:3], false)
		x.is("a short buffer", e, syscall.ERANGE)
		names, e := xattrNames(x, path, false)
		if x.ok("listxattr", e); !slices.Equal(names, []string{"user.a", "user.empty"}) {
			x.Errorf("the names are %q", names)
		}
		x.is("create again", x.Setxattr(path, "user.a", nil, 1, false), syscall.EEXIST)
		x.is("replace nothing", x.Setxattr(path, "user.b", nil, 2, false), syscall.ENODATA)
		x.ok("removexattr", x.Removexattr(path, "user.a", false))
		x.is("remove again", x.Removexattr(path, "user.a", false), syscall.ENODATA)
		_, e = x.Getxattr(path, "user.a", buf, false)
		x.is("get what is removed", e, syscall.ENODATA)
	}
}

func testNodes(x *exam) {
	for name, kind := range map[string]uint32{"fifo": syscall.S_IFIFO, "sock": syscall.S_IFSOCK, "file": syscall.S_IFREG, "plain": 0} {
		x.ok("mknod", x.Mknodat(cwd, name, kind|0o600, 0))
		if kind == 0 {
			kind = syscall.S_IFREG
		}
		if st := x.lstat(name); st.Mode != kind|0o600 {
			x.Errorf("%s: mode %o", name, st.Mode)
		}
	}
	x.is("open a socket", x.tryOpen("sock", rdonly), syscall.ENXIO)
	x.is("mknod a directory", x.Mknodat(cwd, "dir", syscall.S_IFDIR|0o700, 0), syscall.EPERM)
	done := make(chan string)
	go func() {
		fd, _ := x.Openat(cwd, "fifo", rdonly, 0)
		defer x.Close(fd)
		done <- x.read(fd)
	}()
	fd := x.open("fifo", wronly)
	x.write(fd, "through")
	x.Close(fd)
	if s := <-done; s != "through" {
		x.Errorf("the FIFO gave %q", s)
	}
}
