package fstest

import (
	"fmt"
	"sort"
	"strings"
	"syscall"
	"testing"

	"github.com/yolkos/yolk/fs"
	"github.com/yolkos/yolk/syscalls"
)

// SuiteConfig says what the file system under test can do.
type SuiteConfig struct {
	// New makes an empty file system.
	New func(t *testing.T) fs.FileSystem
	// NoXattr, NoNodes: extended attributes, FIFOs and the like are not expected.
	NoXattr bool
	NoNodes bool
	// NoRemovedDirectories: the server finds directories by their paths, and
	// has nothing to tell about one that was removed while it is open.
	NoRemovedDirectories bool
}

// Suite runs all tests on file systems made by c.New.
func Suite(t *testing.T, c SuiteConfig) {
	for _, test := range []struct {
		name string
		skip bool
		do   func(x *exam)
	}{
		{"ReadWrite", false, testReadWrite},
		{"Append", false, testAppend},
		{"AppendFromMany", false, testAppendFromMany},
		{"OpenFlags", false, testOpenFlags},
		{"Holes", false, testHoles},
		{"Truncate", false, testTruncate},
		{"DeletedButOpen", false, testDeletedButOpen},
		{"Names", false, testNames},
		{"Attributes", false, testAttributes},
		{"Times", false, testTimes},
		{"Links", false, testLinks},
		{"Symlinks", false, testSymlinks},
		{"Rename", false, testRename},
		{"RenameDirectories", false, testRenameDirectories},
		{"RenameFlags", false, testRenameFlags},
		{"Remove", false, testRemove},
		{"ReadDir", false, testReadDir},
		{"ReadDirWhileRemoving", false, testReadDirWhileRemoving},
		{"ReadDirFromMany", false, testReadDirFromMany},
		{"RemovedDirectory", c.NoRemovedDirectories, testRemovedDirectory},
		{"WriteFromMany", false, testWriteFromMany},
		{"NamesFromMany", false, testNamesFromMany},
		{"Statfs", false, testStatfs},
		{"Xattr", c.NoXattr, testXattr},
		{"Nodes", c.NoNodes, testNodes},
	} {
		t.Run(test.name, func(t *testing.T) {
			if test.skip {
				t.Skip("not expected of this file system")
			}
			test.do(&exam{NewKernel(c.New(t)), t})
		})
	}
}

// exam is one test on one file system. Its helpers stop the test on errors.
type exam struct {
	*syscalls.Kernel
	report
}

// report is what the tests need of testing.T, which has a Chdir of its own.
type report interface {
	Helper()
	Error(...any)
	Errorf(string, ...any)
	Fatalf(string, ...any)
	Skip(...any)
}

// ok stops the test at an error.
func (x *exam) ok(what string, e syscall.Errno) {
	x.Helper()
	if e != 0 {
		x.Fatalf("%s: %v", what, e)
	}
}

// is reports an error other than the one expected.
func (x *exam) is(what string, got, want syscall.Errno) {
	x.Helper()
	if got != want {
		x.Errorf("%s: %s, want %s", what, result(got), result(want))
	}
}

func (x *exam) open(path string, flags int) int {
	x.Helper()
	fd, e := x.Openat(cwd, path, flags, 0o644)
	x.ok("open "+path, e)
	return fd
}

// tryOpen opens and closes.
func (x *exam) tryOpen(path string, flags int) syscall.Errno {
	fd, e := x.Openat(cwd, path, flags, 0o644)
	if e == 0 {
		x.Close(fd)
	}
	return e
}

// lay makes a layout: "d/" is a directory, "a => b" a link with the text b,
// "f: text" a file with contents, anything else an empty file.
func (x *exam) lay(layout ...string) {
	x.Helper()
	for _, line := range layout {
		if name, target, ok := strings.Cut(line, " => "); ok {
			x.ok(line, x.Symlinkat(target, cwd, name))
		} else if name, ok := strings.CutSuffix(line, "/"); ok {
			x.ok(line, x.Mkdirat(cwd, name, 0o755))
		} else {
			name, text, _ := strings.Cut(line, ": ")
			fd := x.open(name, syscall.O_WRONLY|syscall.O_CREAT|syscall.O_TRUNC)
			x.write(fd, text)
			x.ok("close", x.Close(fd))
		}
	}
}

// has compares everything below dir with a layout, sorted.
func (x *exam) has(dir string, layout ...string) {
	x.Helper()
	got := x.layout(dir, "")
	sort.Strings(got)
	sort.Strings(layout)
	if a, b := strings.Join(got, "\n"), strings.Join(layout, "\n"); a != b {
		x.Errorf("%s has\n%s\nwant\n%s", dir, a, b)
	}
}

func (x *exam) layout(dir, prefix string) (list []string) {
	x.Helper()
	for _, name := range x.names(dir) {
		path := dir + "/" + name
		st := x.lstat(path)
		switch st.Mode & syscall.S_IFMT {
		case syscall.S_IFDIR:
			list = append(list, prefix+name+"/")
			list = append(list, x.layout(path, prefix+name+"/")...)
		case syscall.S_IFLNK:
			list = append(list, prefix+name+" => "+x.readlink(path))
		case syscall.S_IFREG:
			line := prefix + name
			if text := x.text(path); text != "" {
				line += ": " + text
			}
			list = append(list, line)
		default:
			list = append(list, fmt.Sprintf("%s%s mode %o", prefix, name, st.Mode))
		}
	}
	return list
}

// names lists a directory without "." and "..", sorted.
func (x *exam) names(dir string) (names []string) {
	x.Helper()
	fd := x.open(dir, syscall.O_RDONLY|syscall.O_DIRECTORY)
	defer x.Close(fd)
	list, e := readNames(x, fd, 4096)
	x.ok("getdents "+dir, e)
	for _, line := range list {
		name := line[:strings.LastIndexByte(line, ' ')]
		if name != "." && name != ".." {
			names = append(names, name)
		}
	}
	return names
}

func (x *exam) write(fd int, text string) {
	x.Helper()
	n, e := x.Write(fd, []byte(text))
	x.ok("write", e)
	if n != len(text) {
		x.Fatalf("wrote %d of %d bytes", n, len(text))
	}
}

// read is what is left to read of fd.
func (x *exam) read(fd int) string {
	x.Helper()
	var b strings.Builder
	buf := make([]byte, 1<<20)
	for {
		n, e := x.Read(fd, buf)
		x.ok("read", e)
		if n == 0 {
			return b.String()
		}
		b.Write(buf[:n])
	}
}

// text is the contents of a file.
func (x *exam) text(path string) string {
	x.Helper()
	fd := x.open(path, syscall.O_RDONLY)
	defer x.Close(fd)
	return x.read(fd)
}

func (x *exam) readlink(path string) string {
	x.Helper()
	buf := make([]byte, 5000)
	n, e := x.Readlinkat(cwd, path, buf)
	x.ok("readlink "+path, e)
	return string(buf[:n])
}

func (x *exam) lstat(path string) syscall.Stat_t {
	x.Helper()
	var st syscall.Stat_t
	x.ok("lstat "+path, x.Fstatat(cwd, path, &st, nofollow))
	return st
}

func (x *exam) fstat(fd int) syscall.Stat_t {
	x.Helper()
	var st syscall.Stat_t
	x.ok("fstat", x.Fstat(fd, &st))
	return st
}

func (x *exam) rename(from, to string) syscall.Errno { return x.Renameat2(cwd, from, cwd, to, 0) }
func (x *exam) unlink(path string) syscall.Errno     { return x.Unlinkat(cwd, path, 0) }
func (x *exam) rmdir(path string) syscall.Errno      { return x.Unlinkat(cwd, path, rmdir) }
func (x *exam) mkdir(path string) syscall.Errno      { return x.Mkdirat(cwd, path, 0o755) }
func (x *exam) link(from, to string) syscall.Errno   { return x.Linkat(cwd, from, cwd, to, 0) }
