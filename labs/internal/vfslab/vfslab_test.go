package vfslab

import (
	"fmt"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/yolkos/yolk/fs"
	"github.com/yolkos/yolk/fs/synth"
	"github.com/yolkos/yolk/labs/internal/report"
)

// mistakes are those of a student's file system.
type mistakes struct {
	listedOnly, leadingZeros, noMax, wrongErrno                   bool
	noType, noSize, noLinkSize, sameIno, inoZero, newIno, noLinks bool
	noAttr, noFiles                                               bool
	ignoresCookie, ignoresEmit, listsAll, noTypes, sameCookie     bool
	noNext, listsTwice                                            bool
	noOffset, eof, panics                                         bool
	absolute, noPlusOne                                           bool
}

var fresh uint64 // inode numbers of newIno

// student is a node: its number and name say which, "" is a number and 0 the root.
type student struct {
	fs.Unsupported
	m    *mistakes
	n    int
	name string
}

type studentFS struct{ m *mistakes }

func (studentFS) Type() string            { return "numbers" }
func (f studentFS) Root() fs.Node         { return student{m: f.m} }
func (studentFS) Statfs(*fs.Statfs) error { return nil }
func (studentFS) Sync() error             { return nil }
func (studentFS) Close() error            { return nil }

func (s student) contents() string {
	switch s.name {
	case "square":
		return strconv.Itoa(s.n*s.n) + "\n"
	case "divisors":
		var list []string
		for d := 1; d <= s.n; d++ {
			if s.n%d == 0 {
				list = append(list, strconv.Itoa(d))
			}
		}
		return strings.Join(list, " ") + "\n"
	}
	n := 3*s.n + 1
	if s.m.noPlusOne {
		n--
	}
	if s.n%2 == 0 {
		n = s.n / 2
	}
	if s.m.absolute {
		return "/" + strconv.Itoa(n)
	}
	return "../" + strconv.Itoa(n)
}

func (s student) Getattr(a *fs.Attr) error {
	kind := map[string]uint64{"": 0, "square": 1, "divisors": 2, "next": 3}[s.name]
	*a = fs.Attr{Ino: uint64(4*s.n) + kind, Mode: syscall.S_IFDIR | 0o555, Nlink: 2}
	switch s.name {
	case "":
	case "next":
		a.Mode, a.Nlink = syscall.S_IFLNK|0o777, 1
	default:
		a.Mode, a.Nlink = syscall.S_IFREG|0o444, 1
		if s.m.noType {
			a.Mode = syscall.S_IFREG | 0o644
		}
	}
	if s.name != "" && !s.m.noSize && (s.name != "next" || !s.m.noLinkSize) {
		a.Size = int64(len(s.contents()))
	}
	if s.n == 0 {
		a.Ino = 1
	}
	switch {
	case s.m.sameIno:
		a.Ino = uint64(s.n) + 1
	case s.m.inoZero && s.name == "square":
		a.Ino = 0
	case s.m.newIno:
		fresh++
		a.Ino = fresh
	}
	if s.m.noLinks {
		a.Nlink = 0
	}
	if s.m.noAttr && s.n > 0 {
		*a = fs.Attr{}
	}
	return nil
}

func (s student) Lookup(name string) (fs.Entry, error) {
	if s.n > 0 && !s.m.noFiles {
		switch name {
		case "square", "divisors", "next":
			return fs.Entry{Node: student{m: s.m, n: s.n, name: name}}, nil
		}
		return fs.Entry{}, syscall.ENOENT
	}
	n, err := strconv.Atoi(name)
	switch {
	case err != nil && s.m.wrongErrno:
		return fs.Entry{}, syscall.EINVAL
	case err != nil, n < 1, n > Max && !s.m.noMax, s.m.listedOnly && n > Listed, !s.m.leadingZeros && strconv.Itoa(n) != name:
		return fs.Entry{}, syscall.ENOENT
	}
	return fs.Entry{Node: student{m: s.m, n: n}}, nil
}

func (s student) Open(int) (fs.File, error) {
	if s.name != "" {
		return openStudent{s: s}, nil
	}
	names := []string{"square", "divisors", "next"}
	if s.m.noNext {
		names = names[:2]
	}
	if s.m.listsTwice {
		names = append(names, "square")
	}
	if s.n == 0 {
		names = nil
		last := Listed
		if s.m.listsAll {
			last = 5000
		}
		for i := range last {
			names = append(names, strconv.Itoa(i+1))
		}
	}
	return synth.OpenDir(s, func(cookie uint64, emit func(*fs.Dirent) bool) error {
		if s.m.ignoresCookie {
			cookie = 0
		}
		for i := int(cookie); i < len(names); i++ {
			d := &fs.Dirent{Name: names[i], Ino: uint64(i + 1), Type: syscall.DT_DIR, Next: uint64(i + 1)}
			if s.n > 0 {
				d.Type = syscall.DT_REG
			}
			if names[i] == "next" {
				d.Type = syscall.DT_LNK
			}
			if s.m.noTypes {
				d.Type = 0
			}
			if s.m.sameCookie {
				d.Next = 1
			}
			if !emit(d) && !s.m.ignoresEmit {
				break
			}
		}
		return nil
	}), nil
}

func (s student) Readlink() (string, error) { return s.contents(), nil }

type openStudent struct {
	fs.UnsupportedFile
	s student
}

func (o openStudent) Getattr(a *fs.Attr) error { return o.s.Getattr(a) }

func (o openStudent) ReadAt(p []byte, off int64) (int, error) {
	text := o.s.contents()
	switch {
	case o.s.m.noOffset:
		return copy(p, text), nil
	case off > int64(len(text)) && !o.s.m.panics:
		if o.s.m.eof {
			return 0, fmt.Errorf("EOF")
		}
		return 0, nil
	}
	return copy(p, text[off:]), nil
}

// TestDiagnosis: the check names what is wrong with a file system.
func TestDiagnosis(t *testing.T) {
	for _, c := range []struct {
		spoil func(*mistakes)
		says  string // words of the verdict, separated by |
	}{
		{func(m *mistakes) {}, "PASS"},
		{func(m *mistakes) { m.listedOnly = true }, "lstat /1000000|TODO 1"},
		{func(m *mistakes) { m.leadingZeros = true }, "one name|TODO 1"},
		{func(m *mistakes) { m.noMax = true }, "lstat /1000001 finds|TODO 1"},
		{func(m *mistakes) { m.wrongErrno = true }, "should be ENOENT|TODO 1"},
		{func(m *mistakes) { m.noAttr = true }, "lstat /1|TODO 1|TODO 2: what has no type"},
		// Who has done the first steps is told of the next one.
		{func(m *mistakes) { m.noFiles, m.ignoresCookie = true, true }, "attributes of numbers|cookie|TODO 3"},
		{func(m *mistakes) { m.noFiles = true }, "the root lists|lstat /1/square|TODO 4"},
		{func(m *mistakes) { m.noType = true }, "has the mode 0100644|TODO 2"},
		{func(m *mistakes) { m.noSize = true }, "has the size 0|TODO 2"},
		{func(m *mistakes) { m.sameIno = true }, "and so has|TODO 2"},
		{func(m *mistakes) { m.inoZero = true }, "inode number 0|TODO 2"},
		{func(m *mistakes) { m.newIno = true }, "keeps its number|TODO 2"},
		{func(m *mistakes) { m.noLinks = true }, "no links|TODO 2"},
		{func(m *mistakes) { m.ignoresCookie = true }, "cookie|TODO 3"},
		{func(m *mistakes) { m.ignoresEmit = true }, "no room any more|TODO 3"},
		{func(m *mistakes) { m.sameCookie = true }, "cookie|TODO 3"},
		{func(m *mistakes) { m.listsAll = true }, "and should be the 100|TODO 3"},
		{func(m *mistakes) { m.noTypes = true }, "has the type 0|TODO 3"},
		{func(m *mistakes) { m.noNext = true }, "reading the directory /12|TODO 4"},
		{func(m *mistakes) { m.listsTwice = true }, "each once|TODO 4"},
		{func(m *mistakes) { m.noOffset = true }, "reading /27/square|TODO 5"},
		{func(m *mistakes) { m.eof = true }, "at offset 1099511627776|TODO 5"},
		{func(m *mistakes) { m.panics = true }, "panicked|out of range"},
		{func(m *mistakes) { m.absolute = true }, "../82|TODO 6"},
		{func(m *mistakes) { m.noLinkSize = true }, "its target has 5 bytes|TODO 2"},
		{func(m *mistakes) { m.noPlusOne = true }, "../82|TODO 6"},
	} {
		var m mistakes
		c.spoil(&m)
		var b strings.Builder
		r := report.New(&b)
		checkHosted(r, func() fs.FileSystem { return studentFS{&m} })
		r.End()
		for word := range strings.SplitSeq(c.says, "|") {
			if !strings.Contains(b.String(), word) {
				t.Errorf("want %q in:\n%s", word, &b)
			}
		}
		if r.Failed() == (c.says == "PASS") {
			t.Errorf("want %q:\n%s", c.says, &b)
		}
	}
}
