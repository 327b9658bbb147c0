package vfslab

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"github.com/yolkos/yolk/labs/internal/lab"
	"github.com/yolkos/yolk/labs/internal/report"
)

// Tree is a file system as system calls show it, with paths from its root on.
type Tree struct {
	open     func(name string) (int, error)
	close    func(fd int) error
	pread    func(fd int, p []byte, off int64) (int, error)
	dirents  func(fd int, p []byte) (int, error)
	lstat    func(name string, st *syscall.Stat_t) error
	readlink func(name string) (string, error)
}

// Check looks at a tree, which is somewhere.
func Check(r *report.Report, where string, t Tree) {
	for _, step := range []struct {
		name string
		run  func(t Tree) (what, hint string)
	}{
		{"the root is a directory, and has the numbers from 1 to 1000000", checkLookup},
		{"attributes of numbers: types, permissions, inode numbers", checkAttr},
		{"the root lists its first 100 numbers, however little is asked for at once", checkList},
		{"a number has square, divisors and next", checkNumber},
		{"attributes of all: types, sizes, inode numbers", checkFiles},
		{"reading, also from the middle and behind the end", checkRead},
		{"links, and paths through them", checkLinks},
	} {
		lab.Try(r, "", func() {
			if what, hint := step.run(t); what != "" {
				r.Fail(where+what, hint)
				return
			}
			r.OK("%s%s", where, step.name)
		})
		if r.Failed() {
			return
		}
	}
}

func checkLookup(t Tree) (what, hint string) {
	for _, name := range []string{"", "1", "27", "1000000"} {
		var st syscall.Stat_t
		if err := t.lstat(name, &st); err != nil {
			return fmt.Sprintf("lstat /%s: %v.", name, err), "TODO 1: strconv.Atoi; every number from 1 to vfslab.Max is there, whether it is listed or not. " +
				"If Lookup finds it, TODO 2: what has no type in its Mode is no file."
		}
		if st.Mode&syscall.S_IFMT != syscall.S_IFDIR {
			return fmt.Sprintf("/%s has the mode %#o, and is no directory.", name, st.Mode), "TODO 2: syscall.S_IFDIR | 0o555."
		}
	}
	for _, name := range []string{"0", "1000001", "-5", "+5", "007", "abc", "1e3", "99999999999999999999"} {
		var st syscall.Stat_t
		switch err := t.lstat(name, &st); {
		case err == nil:
			return fmt.Sprintf("lstat /%s finds something.", name), "TODO 1: a number has one name: as strconv.Itoa writes it. Two names for one directory would be two directories for all who compare paths."
		case !errors.Is(err, syscall.ENOENT):
			return fmt.Sprintf("lstat /%s: %v, and should be ENOENT.", name, err), "TODO 1: what is not there is syscall.ENOENT."
		}
	}
	return "", ""
}

// attributes are what stat is to show of a file; a size of -1 may be any.
type attributes struct {
	name string
	mode uint32
	size int64
}

var (
	numbers = []attributes{
		{"", syscall.S_IFDIR | 0o555, -1}, {"1", syscall.S_IFDIR | 0o555, -1}, {"2", syscall.S_IFDIR | 0o555, -1}, {"3", syscall.S_IFDIR | 0o555, -1},
		{"4", syscall.S_IFDIR | 0o555, -1}, {"5", syscall.S_IFDIR | 0o555, -1}, {"1000000", syscall.S_IFDIR | 0o555, -1},
	}
	files = []attributes{
		{"1/square", syscall.S_IFREG | 0o444, 2}, {"1/divisors", syscall.S_IFREG | 0o444, 2}, {"1/next", syscall.S_IFLNK | 0o777, -1},
		{"27/square", syscall.S_IFREG | 0o444, 4}, {"27/divisors", syscall.S_IFREG | 0o444, 9}, {"27/next", syscall.S_IFLNK | 0o777, -1},
		{"1000000/next", syscall.S_IFLNK | 0o777, -1},
	}
)

// What is in a number takes TODO 4 to be found.
func checkAttr(t Tree) (what, hint string)  { return t.compare(numbers) }
func checkFiles(t Tree) (what, hint string) { return t.compare(slices.Concat(numbers, files)) }

func (t Tree) compare(list []attributes) (what, hint string) {
	seen := map[uint64]string{}
	for _, f := range list {
		var st syscall.Stat_t
		if err := t.lstat(f.name, &st); err != nil {
			return fmt.Sprintf("lstat /%s: %v.", f.name, err), "TODO 4: Lookup of a number knows three names."
		}
		switch {
		case st.Mode != f.mode:
			return fmt.Sprintf("/%s has the mode %#o, and should have %#o.", f.name, st.Mode, f.mode), "TODO 2: the type (syscall.S_IFDIR, S_IFREG, S_IFLNK) and the permissions."
		case f.size >= 0 && st.Size != f.size:
			return fmt.Sprintf("/%s has the size %d, and should have %d.", f.name, st.Size, f.size), "TODO 2: the length of what is read from it. Programs trust it: they read so many bytes."
		case st.Ino == 0:
			return fmt.Sprintf("/%s has the inode number 0.", f.name), "TODO 2: 0 is no inode number; readdir(3) of old leaves such entries out."
		case st.Nlink == 0:
			return fmt.Sprintf("/%s has no links: that is a file that has been removed.", f.name), "TODO 2: Nlink is 1, of a directory 2."
		}
		if other, twice := seen[st.Ino]; twice {
			return fmt.Sprintf("/%s has the inode number %d, and so has %s.", f.name, st.Ino, other), "TODO 2: tar, find and others take files with one inode number for one file. Four numbers for each n are enough: 4*n, 4*n+1, …"
		}
		seen[st.Ino] = "/" + f.name
		var again syscall.Stat_t
		if err := t.lstat(f.name, &again); err != nil || again.Ino != st.Ino {
			return fmt.Sprintf("/%s has the inode number %d, then %d (%v).", f.name, st.Ino, again.Ino, err), "TODO 2: a file keeps its number."
		}
	}
	return "", ""
}

// list reads a directory with a buffer of size bytes.
func (t Tree) list(name string, size int) (names []string, types map[string]byte, err error) {
	fd, err := t.open(name)
	if err != nil {
		return nil, nil, err
	}
	defer t.close(fd)
	types = map[string]byte{}
	b := make([]byte, size)
	for len(names) < 10*Listed {
		n, err := t.dirents(fd, b)
		if err != nil || n <= 0 {
			return names, types, err
		}
		for at := 0; at+19 <= n; {
			// struct linux_dirent64: ino, off, reclen, type, name
			length := int(b[at+16]) | int(b[at+17])<<8
			if length < 19 || at+length > n {
				return names, types, syscall.EIO
			}
			text, _, _ := strings.Cut(string(b[at+19:at+length]), "\x00")
			if text != "." && text != ".." {
				names = append(names, text)
				types[text] = b[at+18]
			}
			at += length
		}
	}
	return names, types, nil
}

func checkList(t Tree) (what, hint string) {
	const cookies = "TODO 3: the cookie of the last entry that the reader has seen comes back, 0 at first. Go on behind it; Next of an entry is the cookie behind it. If emit returns false, there is no room: stop."
	var want []string
	for i := range Listed {
		want = append(want, strconv.Itoa(i+1))
	}
	for _, size := range []int{64 << 10, 100, 24 + 8} {
		names, types, err := t.list("", size)
		about := fmt.Sprintf("reading the root with room for %d bytes at once", size)
		switch {
		case err != nil:
			return about + ": " + err.Error() + ".", cookies
		case len(names) > Listed && size < 1000:
			return fmt.Sprintf("%s: after %d names there is no end: %q…", about, len(names), names[:3]), cookies
		case !slices.Equal(names, want):
			return fmt.Sprintf("%s: %d names, %q…, and should be the %d from \"1\" to \"100\".", about, len(names), names[:min(4, len(names))], Listed), cookies
		case types["1"] != syscall.DT_DIR:
			return fmt.Sprintf("%s: the entry 1 has the type %d.", about, types["1"]), "TODO 3: Type is syscall.DT_DIR for a directory, DT_REG for a file, DT_LNK for a link."
		}
	}
	return "", ""
}

func checkNumber(t Tree) (what, hint string) {
	for _, size := range []int{4096, 32} {
		names, types, err := t.list("12", size)
		if err != nil {
			return fmt.Sprintf("reading the directory /12: %v.", err), "TODO 4: the same as TODO 3, with three names."
		}
		sorted := slices.Sorted(slices.Values(names))
		if !slices.Equal(sorted, []string{"divisors", "next", "square"}) {
			return fmt.Sprintf("reading the directory /12, with room for %d bytes at once: %q.", size, names), "TODO 4: square, divisors and next, each once."
		}
		if types["square"] != syscall.DT_REG || types["next"] != syscall.DT_LNK {
			return fmt.Sprintf("the entries of /12 have the types %v.", types), "TODO 4: square and divisors are syscall.DT_REG, next is DT_LNK."
		}
	}
	var st syscall.Stat_t
	if err := t.lstat("12/nobody", &st); !errors.Is(err, syscall.ENOENT) {
		return fmt.Sprintf("lstat /12/nobody: %v, and should be ENOENT.", err), "TODO 4: syscall.ENOENT."
	}
	return "", ""
}

// read reads a file to its end, n bytes at a time.
func (t Tree) read(name string, n int) (string, error) {
	fd, err := t.open(name)
	if err != nil {
		return "", err
	}
	defer t.close(fd)
	var text []byte
	b := make([]byte, n)
	for len(text) < 1<<16 {
		k, err := t.pread(fd, b, int64(len(text)))
		if err != nil || k <= 0 {
			return string(text), err
		}
		text = append(text, b[:k]...)
	}
	return string(text), nil
}

func checkRead(t Tree) (what, hint string) {
	const end = "TODO 5: from offset off on, as much as there is, at most len(p); behind the end 0 bytes and no error."
	for _, f := range []struct{ name, text string }{
		{"27/square", "729\n"}, {"27/divisors", "1 3 9 27\n"}, {"1/divisors", "1\n"}, {"1000000/square", "1000000000000\n"}, {"97/divisors", "1 97\n"},
	} {
		for _, n := range []int{512, 1, 3} {
			got, err := t.read(f.name, n)
			if err != nil {
				return fmt.Sprintf("reading /%s: %v.", f.name, err), end
			}
			if got != f.text {
				return fmt.Sprintf("reading /%s, %d bytes at a time: %q, and should be %q.", f.name, n, cut(got), f.text), end
			}
		}
	}
	fd, err := t.open("27/square")
	if err != nil {
		return fmt.Sprintf("open /27/square: %v.", err), end
	}
	defer t.close(fd)
	if n, err := t.pread(fd, make([]byte, 8), 1<<40); n != 0 || err != nil {
		return fmt.Sprintf("reading /27/square at offset %d: %d bytes, %v.", int64(1)<<40, n, err), end
	}
	return "", ""
}

func checkLinks(t Tree) (what, hint string) {
	const target = "TODO 6: ../ and the number behind n: n/2 if n is even, else 3*n+1. A link is text; the VFS follows it, from the link's directory on."
	for _, l := range []struct{ name, target string }{{"27/next", "../82"}, {"82/next", "../41"}, {"1/next", "../4"}} {
		if got, err := t.readlink(l.name); err != nil || got != l.target {
			return fmt.Sprintf("readlink /%s: %q, %v, and should be %q.", l.name, got, err, l.target), target
		}
		var st syscall.Stat_t
		if err := t.lstat(l.name, &st); err != nil || st.Size != int64(len(l.target)) {
			return fmt.Sprintf("/%s has the size %d (%v), and its target has %d bytes.", l.name, st.Size, err, len(l.target)), "TODO 2: the size of a link is the length of its target."
		}
	}
	if got, err := t.read("27/next/next/next/square", 64); err != nil || got != "15376\n" {
		return fmt.Sprintf("reading /27/next/next/next/square: %q, %v, and should be \"15376\\n\": 27, 82, 41, 124.", got, err), target
	}
	if got, err := t.read("999999/next/square", 64); !errors.Is(err, syscall.ENOENT) {
		return fmt.Sprintf("reading /999999/next/square: %q, %v: the link leads to 2999998, which is not there: ENOENT.", got, err), target
	}
	return "", ""
}

// cut keeps the beginning of a long text.
func cut(s string) string { return s[:min(len(s), 40)] }
