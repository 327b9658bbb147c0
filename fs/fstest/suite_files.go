package fstest

import (
	"bytes"
	"fmt"
	"strings"
	"sync"
	"syscall"

	"github.com/yolkos/yolk/syscalls"
)

const (
	rdonly = syscall.O_RDONLY
	wronly = syscall.O_WRONLY
	rdwr   = syscall.O_RDWR
	creat  = syscall.O_CREAT
)

func testReadWrite(x *exam) {
	// Lengths around the sizes of pages and of requests.
	for _, size := range []int{0, 1, 4095, 4096, 4097, 65535, 65536, 65537, 1<<20 - 1, 1 << 20, 3<<20 + 17} {
		want := make([]byte, size)
		for i := range want {
			want[i] = byte(i * 7 / 3)
		}
		path := fmt.Sprint("f", size)
		fd := x.open(path, wronly|creat)
		x.write(fd, string(want))
		x.ok("fsync", x.Fsync(fd))
		x.ok("close", x.Close(fd))
		if got := x.text(path); got != string(want) {
			x.Errorf("%d bytes: read %d that differ", size, len(got))
		}
		if st := x.lstat(path); st.Size != int64(size) {
			x.Errorf("%d bytes: size %d", size, st.Size)
		}
	}
	fd := x.open("f65537", rdwr)
	defer x.Close(fd)
	buf := make([]byte, 100)
	n, e := x.Pread(fd, buf, 65530)
	if x.ok("pread", e); n != 7 {
		x.Errorf("pread across the end: %d", n)
	}
	n, e = x.Pread(fd, buf, 1<<40)
	if x.ok("pread", e); n != 0 {
		x.Errorf("pread behind the end: %d", n)
	}
	n, e = x.Pwrite(fd, []byte("here"), 65534)
	if x.ok("pwrite", e); n != 4 {
		x.Errorf("pwrite: %d", n)
	}
	if pos, _ := x.Seek(fd, 0, syscalls.SEEK_CUR); pos != 0 {
		x.Errorf("pread and pwrite have moved the position to %d", pos)
	}
	if pos, _ := x.Seek(fd, -4, syscalls.SEEK_END); pos != 65534 {
		x.Errorf("the position before the end is %d", pos)
	}
	if s := x.read(fd); s != "here" {
		x.Errorf("read %q", s)
	}
}

func testAppend(x *exam) {
	x.lay("f: one")
	a, b := x.open("f", wronly|syscall.O_APPEND), x.open("f", rdwr)
	x.write(a, "two")
	x.write(b, "ONE")
	x.write(a, "three")
	if s := x.text("f"); s != "ONEtwothree" {
		x.Errorf("the file has %q", s)
	}
	if pos, _ := x.Seek(a, 0, syscalls.SEEK_CUR); pos != 11 {
		x.Errorf("the position after appending is %d", pos)
	}
	x.Seek(a, 0, syscalls.SEEK_SET)
	x.write(a, "4")
	if s := x.text("f"); s != "ONEtwothree4" {
		x.Errorf("after seeking, the file has %q", s)
	}
	x.Close(a)
	x.Close(b)
}

func testAppendFromMany(x *exam) {
	x.lay("f")
	const writers, lines = 4, 50
	var wg sync.WaitGroup
	for i := range writers {
		wg.Go(func() {
			fd, e := x.Openat(cwd, "f", wronly|syscall.O_APPEND, 0)
			if e != 0 {
				x.Error(e)
				return
			}
			defer x.Close(fd)
			for range lines {
				line := strings.Repeat(string(rune('a'+i)), 99) + "\n"
				if n, e := x.Write(fd, []byte(line)); n != len(line) || e != 0 {
					x.Errorf("append: %d, %v", n, e)
				}
			}
		})
	}
	wg.Wait()
	got := strings.Split(strings.TrimSuffix(x.text("f"), "\n"), "\n")
	if len(got) != writers*lines {
		x.Errorf("%d lines", len(got))
	}
	for _, line := range got {
		if line == "" || line != strings.Repeat(line[:1], 99) {
			x.Errorf("mixed line %q", line)
		}
	}
}

func testOpenFlags(x *exam) {
	x.lay("d/", "f: text", "tof => f", "tod => d", "none => nothing", "d/up => ../made")
	const excl, dir, nofol, trunc = syscall.O_EXCL, syscall.O_DIRECTORY, syscall.O_NOFOLLOW, syscall.O_TRUNC
	for _, c := range []struct {
		path  string
		flags int
		want  syscall.Errno
	}{
		{"f", rdonly, 0}, {"f", rdwr | creat, 0}, {"f", wronly | creat | excl, syscall.EEXIST}, {"f", rdonly | dir, syscall.ENOTDIR},
		{"f/", rdonly, syscall.ENOTDIR}, {"f/x", rdonly | creat, syscall.ENOTDIR}, {"f/", rdwr | creat, syscall.EISDIR},
		{"none", rdonly, syscall.ENOENT}, {"new/x", wronly | creat, syscall.ENOENT}, {"x", rdonly, syscall.ENOENT},
		{"d", rdonly, 0}, {"d", rdonly | dir, 0}, {"d", wronly, syscall.EISDIR}, {"d", rdwr, syscall.EISDIR}, {"d", rdonly | creat, syscall.EISDIR},
		{"d", wronly | trunc, syscall.EISDIR}, {"d/", rdonly, 0}, {".", rdonly, 0}, {".", rdwr | creat, syscall.EISDIR},
		{"tof", rdonly, 0}, {"tof", rdonly | nofol, syscall.ELOOP}, {"tod", rdonly | dir, 0}, {"tod", rdonly | nofol, syscall.ELOOP},
		{"tod", rdonly | nofol | dir, syscall.ENOTDIR}, {"tod/", rdonly | nofol, 0}, {"tof", wronly | creat | excl, syscall.EEXIST},
		{"none", wronly | creat | excl, syscall.EEXIST}, {"none", wronly | creat | nofol, syscall.ELOOP},
		{"none", wronly | creat, 0}, {"nothing", rdonly, 0}, {"d/up", wronly | creat, 0}, {"made", rdonly, 0},
		{"new/", wronly | creat, syscall.EISDIR}, {"", rdonly, syscall.ENOENT}, {strings.Repeat("x", 256), wronly | creat, syscall.ENAMETOOLONG},
	} {
		x.is(fmt.Sprintf("open(%.20q, %#x)", c.path, c.flags), x.tryOpen(c.path, c.flags), c.want)
	}
	if s := x.text("f"); s != "text" {
		x.Errorf("opening has changed the file to %q", s)
	}
	x.is("truncating open", x.tryOpen("tof", wronly|trunc), 0)
	if s := x.text("f"); s != "" {
		x.Errorf("after O_TRUNC the file has %q", s)
	}
	x.Umask(0o027)
	fd, e := x.Openat(cwd, "masked", wronly|creat, 0o666)
	x.ok("create", e)
	if st := x.fstat(fd); st.Mode != syscall.S_IFREG|0o640 {
		x.Errorf("mode %o", st.Mode)
	}
	_, e = x.Read(fd, make([]byte, 1))
	x.is("read what is open for writing", e, syscall.EBADF)
	x.Close(fd)
	fd = x.open("f", rdonly)
	_, e = x.Write(fd, []byte("x"))
	x.is("write what is open for reading", e, syscall.EBADF)
	x.Close(fd)
}

func testHoles(x *exam) {
	fd := x.open("f", rdwr|creat)
	defer x.Close(fd)
	const far = 5<<20 + 123
	_, e := x.Pwrite(fd, []byte("end"), far)
	x.ok("pwrite", e)
	_, e = x.Pwrite(fd, []byte("mid"), 1<<20)
	x.ok("pwrite", e)
	if st := x.fstat(fd); st.Size != far+3 {
		x.Errorf("size %d", st.Size)
	}
	got := x.read(fd)
	want := make([]byte, far+3)
	copy(want[1<<20:], "mid")
	copy(want[far:], "end")
	if !bytes.Equal([]byte(got), want) {
		x.Error("what is between is not zeros")
	}
	// Whoever knows no holes says that all is data.
	pos, e := x.Seek(fd, 0, syscalls.SEEK_DATA)
	if x.ok("SEEK_DATA", e); pos > 1<<20 {
		x.Errorf("the first data is at %d", pos)
	}
	pos, e = x.Seek(fd, far, syscalls.SEEK_HOLE)
	if x.ok("SEEK_HOLE", e); pos != far+3 {
		x.Errorf("the hole at the end is at %d", pos)
	}
	_, e = x.Seek(fd, far+3, syscalls.SEEK_DATA)
	x.is("data behind the end", e, syscall.ENXIO)
}

func testTruncate(x *exam) {
	x.lay("f: 0123456789", "d/", "l => f")
	x.ok("truncate", x.Truncate("l", 4))
	x.has("/", "f: 0123", "d/", "l => f")
	x.ok("truncate", x.Truncate("f", 6))
	x.has("/", "f: 0123\x00\x00", "d/", "l => f")
	fd := x.open("f", rdwr)
	x.ok("ftruncate", x.Ftruncate(fd, 2))
	x.write(fd, "abc")
	x.ok("ftruncate", x.Ftruncate(fd, 100_000))
	x.ok("ftruncate", x.Ftruncate(fd, 3))
	x.ok("ftruncate", x.Ftruncate(fd, 5))
	x.has("/", "f: abc\x00\x00", "d/", "l => f")
	x.Close(fd)
	fd = x.open("f", rdonly)
	x.is("ftruncate what is open for reading", x.Ftruncate(fd, 1), syscall.EINVAL)
	x.Close(fd)
	x.is("truncate a directory", x.Truncate("d", 1), syscall.EISDIR)
	x.is("truncate nothing", x.Truncate("none", 1), syscall.ENOENT)
	x.is("truncate to -1", x.Truncate("f", -1), syscall.EINVAL)
}

func testDeletedButOpen(x *exam) {
	x.lay("f: text", "g: other")
	fd := x.open("f", rdwr)
	defer x.Close(fd)
	g := x.open("g", rdonly)
	defer x.Close(g)
	x.ok("unlink", x.unlink("f"))
	x.ok("rename", x.rename("g", "f"))
	x.ok("unlink", x.unlink("f"))
	x.has("/")
	if s := x.read(fd); s != "text" {
		x.Errorf("read %q", s)
	}
	x.write(fd, " more")
	x.ok("ftruncate", x.Ftruncate(fd, 7))
	x.ok("fchmod", x.Fchmod(fd, 0o600))
	if st := x.fstat(fd); st.Nlink != 0 || st.Size != 7 || st.Mode != syscall.S_IFREG|0o600 {
		x.Errorf("nlink %d, size %d, mode %o", st.Nlink, st.Size, st.Mode)
	}
	x.Seek(fd, 0, syscalls.SEEK_SET)
	if s := x.read(fd); s != "text mo" {
		x.Errorf("read %q", s)
	}
	if s := x.read(g); s != "other" {
		x.Errorf("read %q of what was renamed and removed", s)
	}
}

func testWriteFromMany(x *exam) {
	x.lay("f")
	const size = 200_000
	var wg sync.WaitGroup
	for i := range 4 {
		wg.Go(func() {
			fd, e := x.Openat(cwd, "f", rdwr, 0)
			if e != 0 {
				x.Error(e)
				return
			}
			defer x.Close(fd)
			block := bytes.Repeat([]byte{byte('a' + i)}, size/4)
			for range 5 {
				if n, e := x.Pwrite(fd, block, int64(i*size/4)); n != len(block) || e != 0 {
					x.Errorf("pwrite: %d, %v", n, e)
				}
				got := make([]byte, len(block))
				if n, e := x.Pread(fd, got, int64(i*size/4)); n != len(got) || e != 0 || !bytes.Equal(got, block) {
					x.Errorf("pread: %d, %v", n, e)
				}
			}
		})
	}
	wg.Wait()
	var want string
	for _, c := range "abcd" {
		want += strings.Repeat(string(c), size/4)
	}
	if x.text("f") != want {
		x.Error("the blocks are mixed up")
	}
}

func testStatfs(x *exam) {
	var st syscall.Statfs_t
	x.ok("statfs", x.Statfs("/", &st))
	if st.Bsize <= 0 || st.Namelen != 255 {
		x.Errorf("block size %d, longest name %d", st.Bsize, st.Namelen)
	}
	fd := x.open("/", rdonly)
	defer x.Close(fd)
	var st2 syscall.Statfs_t
	x.ok("fstatfs", x.Fstatfs(fd, &st2))
	if st.Type != st2.Type || st.Fsid != st2.Fsid {
		x.Error("statfs and fstatfs disagree")
	}
	x.is("statfs nothing", x.Statfs("none", &st), syscall.ENOENT)
}
