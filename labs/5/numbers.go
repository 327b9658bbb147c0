// Command numbers has a file system of its own, which computes what is in it. Each
// number n from 1 to a million is a directory with three names:
//
//	square    a file: n*n
//	divisors  a file: the numbers that divide n
//	next      a link: to n/2 if n is even, else to 3*n+1
package main

import (
	"strconv"
	"strings"
	"syscall"

	"github.com/yolkos/yolk/fs"
	"github.com/yolkos/yolk/fs/synth"
	"github.com/yolkos/yolk/labs/internal/vfslab"
)

// fileSystem is what is mounted (fs.FileSystem).
type fileSystem struct{}

func (fileSystem) Type() string              { return "numbers" }
func (fileSystem) Root() fs.Node             { return root{} }
func (fileSystem) Statfs(s *fs.Statfs) error { s.NameLen = fs.NameMax; return nil }
func (fileSystem) Sync() error               { return nil }
func (fileSystem) Close() error              { return nil }
func (fileSystem) ReadOnly() bool            { return true }

// The nodes. Two nodes of one file have to be equal (fs.Node), which these are by
// themselves: they are values. fs.Unsupported answers for all that does not apply.
type (
	root   struct{ fs.Unsupported }
	number struct {
		fs.Unsupported
		n int
	}
	text struct { // square or divisors
		fs.Unsupported
		n    int
		name string
	}
	next struct {
		fs.Unsupported
		n int
	}
)

// Lookup implements fs.Node.
//
// TODO 1: the number that name says (strconv.Atoi), if it is one from 1 to vfslab.Max
// and name is the way in which strconv.Itoa writes it: fs.Entry{Node: number{n: n}}.
// Else: syscall.ENOENT.
func (root) Lookup(name string) (fs.Entry, error) {
	return fs.Entry{}, syscall.ENOENT
}

// Getattr implements fs.Node: Ino, Mode, Nlink and Size.
//
// TODO 2: that of the root is here; the other three lack Mode, Nlink (1, or 2 for
// directories), Size, and an Ino that no other file has. Permissions are 0o555 for
// directories, 0o444 for files, 0o777 for links.
func (root) Getattr(a *fs.Attr) error {
	*a = fs.Attr{Ino: 1, Mode: syscall.S_IFDIR | 0o555, Nlink: 2}
	return nil
}

func (d number) Getattr(a *fs.Attr) error {
	*a = fs.Attr{}
	return nil
}

func (f text) Getattr(a *fs.Attr) error {
	*a = fs.Attr{}
	return nil
}

func (l next) Getattr(a *fs.Attr) error {
	*a = fs.Attr{}
	return nil
}

// Open implements fs.Node: an open directory, which calls a function to be read.
func (d root) Open(int) (fs.File, error)   { return synth.OpenDir(d, d.list), nil }
func (d number) Open(int) (fs.File, error) { return synth.OpenDir(d, d.list), nil }

// list calls emit for each entry behind cookie.
//
// TODO 3: the numbers from 1 to vfslab.Listed. Each is an fs.Dirent with Name, Ino,
// Type (syscall.DT_DIR) and Next, the cookie to go on with behind it: here the number
// itself will do. If emit returns false, stop.
func (root) list(cookie uint64, emit func(*fs.Dirent) bool) error {
	return nil
}

// Lookup implements fs.Node.
//
// TODO 4: square and divisors are text, next is a next. And list, as in TODO 3.
func (d number) Lookup(name string) (fs.Entry, error) {
	return fs.Entry{}, syscall.ENOENT
}

func (d number) list(cookie uint64, emit func(*fs.Dirent) bool) error {
	return nil
}

// contents is what is read from a file.
func (f text) contents() string {
	if f.name == "square" {
		return strconv.Itoa(f.n*f.n) + "\n"
	}
	var list []string
	for d := 1; d <= f.n; d++ {
		if f.n%d == 0 {
			list = append(list, strconv.Itoa(d))
		}
	}
	return strings.Join(list, " ") + "\n"
}

// Open implements fs.Node.
func (f text) Open(int) (fs.File, error) { return &openText{node: f, contents: f.contents()}, nil }

// openText is an open file.
type openText struct {
	fs.UnsupportedFile
	node     text
	contents string
}

func (o *openText) Getattr(a *fs.Attr) error { return o.node.Getattr(a) }

// ReadAt implements fs.File.
//
// TODO 5: copy what there is of o.contents from offset off on into p, and return how
// much it was; 0 behind the end. There is no io.EOF.
func (o *openText) ReadAt(p []byte, off int64) (int, error) {
	return 0, nil
}

// Readlink implements fs.Node.
//
// TODO 6: where the link leads, from the directory on that it is in: "../82".
func (l next) Readlink() (string, error) {
	return "", syscall.EINVAL
}

func main() { vfslab.Main(func() fs.FileSystem { return fileSystem{} }) }
