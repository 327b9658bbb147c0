package fstest

import (
	"fmt"
	"strings"
	"syscall"
	"testing"

	"github.com/yolkos/yolk/fs"
	"github.com/yolkos/yolk/fs/tmpfs"
	"github.com/yolkos/yolk/syscalls"
)

// ReadOnlyConfig says what a file system that cannot be written is like.
type ReadOnlyConfig struct {
	// New makes a file system that has the files.
	New func(t *testing.T, files []File) fs.FileSystem
	// Plain: it has what io/fs has, and no owners, FIFOs and files of several names.
	Plain bool
	// Mounted: it is only the mount that makes it one that cannot be written.
	Mounted bool
	// Steps is how many operations are played in each of the random plays.
	Steps int
}

// ReadOnlySuite runs the tests of file systems that cannot be written: those of Suite
// that make nothing, and random operations, which all have to answer as on a tmpfs with
// the same files that is mounted read-only.
func ReadOnlySuite(t *testing.T, c ReadOnlyConfig) {
	for _, test := range []struct {
		name  string
		files []File
		do    func(x *exam)
	}{
		{"Read", []File{regular("f", strings.Repeat("0123456789abcdef", 1<<16+1)), regular("empty", "")}, testReadOnlyRead},
		{"ReadDir", manyFiles(), checkReadDir},
		{"Changes", Sample(1, c.Plain), func(x *exam) { testReadOnlyChanges(x, c.Mounted) }},
		{"Statfs", nil, testStatfs},
	} {
		t.Run(test.name, func(t *testing.T) {
			test.do(&exam{syscalls.New(fs.New(c.New(t, test.files), fs.MountOptions{ReadOnly: c.Mounted})), t})
		})
	}
	for seed := range uint64(4) {
		t.Run(fmt.Sprint("Random", seed), func(t *testing.T) {
			files := Sample(seed, c.Plain)
			model := tmpfs.New(tmpfs.Limits{})
			grower := NewKernel(model)
			Grow(t, grower, files)
			v := fs.New(model, fs.MountOptions{ReadOnly: true})
			want := syscalls.New(v)
			// Half of the plays go through a mount that is read-only, half find out
			// from the file system itself.
			mounted := c.Mounted || seed%2 == 0
			got := syscalls.New(fs.New(c.New(t, files), fs.MountOptions{ReadOnly: mounted}))
			Random(t, want, got, RandomConfig{Seed: seed, Steps: c.Steps, Every: 200, Skip: func(op string) bool {
				// Whether there are attributes and files without names is the file
				// system's own. What else is wrong with a rename or link, and who may
				// write, the mount asks after whether it may be written.
				own := strings.Contains(op, "xattr") || strings.Contains(op, "O_TMPFILE")
				mount := strings.Contains(op, "access") || strings.Contains(op, "renameat") || strings.Contains(op, "linkat(")
				return own || mount && !mounted
			}})
		})
	}
}

func regular(path, text string) File {
	return File{Path: path, Mode: syscall.S_IFREG | 0o644, Mtime: 5, Text: text}
}

// manyFiles is what checkReadDir wants.
func manyFiles() []File {
	files := []File{{Path: "d", Mode: syscall.S_IFDIR | 0o755}}
	for i := range dirFiles {
		files = append(files, regular(dirFile(i), ""))
	}
	return append(files, File{Path: "d/sub", Mode: syscall.S_IFDIR | 0o755}, File{Path: "d/link", Mode: syscall.S_IFLNK | 0o777, Text: "x"})
}

func testReadOnlyRead(x *exam) {
	want := strings.Repeat("0123456789abcdef", 1<<16+1)
	if x.text("f") != want || x.text("empty") != "" {
		x.Error("other contents")
	}
	fd := x.open("f", rdonly)
	defer x.Close(fd)
	for _, c := range []struct {
		off  int64
		n    int
		want int
	}{
		{1 << 20, 100, 16}, {1<<20 + 15, 1, 1}, {1<<20 + 16, 100, 0}, {1 << 40, 1, 0}, {3, 70_000, 70_000}, {0, 1, 1}, {4095, 2, 2}, {100, 0, 0},
	} {
		buf := make([]byte, c.n)
		n, e := x.Pread(fd, buf, c.off)
		x.ok("pread", e)
		if n != c.want || n > 0 && string(buf[:n]) != want[c.off:][:n] {
			x.Errorf("pread of %d at %d: %d", c.n, c.off, n)
		}
	}
	pos, e := x.Seek(fd, -16, syscalls.SEEK_END)
	if x.ok("lseek", e); pos != 1<<20 || x.read(fd) != want[1<<20:] {
		x.Errorf("read from %d on", pos)
	}
	pos, e = x.Seek(fd, 5, syscalls.SEEK_DATA)
	if x.ok("SEEK_DATA", e); pos != 5 {
		x.Errorf("data at %d", pos)
	}
	pos, e = x.Seek(fd, 5, syscalls.SEEK_HOLE)
	if x.ok("SEEK_HOLE", e); pos != int64(len(want)) {
		x.Errorf("a hole at %d", pos)
	}
	if x.text("f") != want { // the position is an open file's own
		x.Error("read once more, other contents")
	}
}

// testReadOnlyChanges: a call that would change something is EROFS, and changes nothing,
// unless something else is wrong with it. A mount that is read-only has no name removed,
// whatever it is of.
func testReadOnlyChanges(x *exam, mounted bool) {
	before := x.layout("/", "")
	for what, e := range map[string]syscall.Errno{
		"create":               x.tryOpen("new", wronly|creat),
		"create in":            x.tryOpen("d/new", rdwr|creat|syscall.O_EXCL),
		"mkdir":                x.mkdir("new"),
		"mknod":                x.Mknodat(cwd, "new", syscall.S_IFIFO|0o600, 0),
		"symlink":              x.Symlinkat("x", cwd, "new"),
		"rmdir":                x.rmdir("e/f"),
		"rename":               x.rename("d", "new"),
		"chmod":                x.Fchmodat(cwd, "d", 0o700, 0),
		"chown":                x.Fchownat(cwd, "d", 1, 1, 0),
		"utimensat":            x.Utimensat(cwd, "d", nil, 0),
		"access for writing":   x.Faccessat(cwd, "d", 2, 0),
		"setxattr":             x.Setxattr("d", "user.a", nil, 0, false),
		"a file without names": x.tryOpen("d", wronly|0x410000),
	} {
		switch what {
		case "setxattr", "a file without names":
			if e == syscall.EOPNOTSUPP {
				continue
			}
		case "access for writing":
			continue // is for the mount to say
		}
		x.is(what, e, syscall.EROFS)
	}
	x.is("mkdir where there is something", x.mkdir("d"), syscall.EEXIST)
	nothing, directory := syscall.ENOENT, syscall.EISDIR
	if mounted {
		nothing, directory = syscall.EROFS, syscall.EROFS
	}
	x.is("unlink nothing", x.unlink("none"), nothing)
	x.is("unlink a directory", x.unlink("d"), directory)
	x.has("/", before...)
}
