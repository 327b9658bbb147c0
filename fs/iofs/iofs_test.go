package iofs_test

import (
	"errors"
	"fmt"
	"strings"
	"syscall"
	"testing"
	gofstest "testing/fstest"
	"time"

	gofs "io/fs"

	"github.com/yolkos/yolk/fs"
	"github.com/yolkos/yolk/fs/fstest"
	"github.com/yolkos/yolk/fs/iofs"
)

func mount(t *testing.T, fsys gofs.FS) fs.FileSystem {
	t.Helper()
	f, err := iofs.New(fsys, iofs.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// TestArchive runs the suite on what an image has as its root.
func TestArchive(t *testing.T) {
	fstest.ReadOnlySuite(t, fstest.ReadOnlyConfig{Steps: 2000, New: func(t *testing.T, files []fstest.File) fs.FileSystem {
		return mount(t, fstest.Pack(t, files))
	}})
}

// mapFS has the files, as far as io/fs goes.
func mapFS(files []fstest.File) gofstest.MapFS {
	m := gofstest.MapFS{".": {Mode: gofs.ModeDir | 0o755, ModTime: time.Unix(0, 0)}}
	for _, f := range files {
		mode := gofs.FileMode(f.Mode & 0o777)
		for bit, is := range map[uint32]gofs.FileMode{syscall.S_ISUID: gofs.ModeSetuid, syscall.S_ISGID: gofs.ModeSetgid, syscall.S_ISVTX: gofs.ModeSticky} {
			if f.Mode&bit != 0 {
				mode |= is
			}
		}
		switch f.Mode & syscall.S_IFMT {
		case syscall.S_IFDIR:
			mode |= gofs.ModeDir
		case syscall.S_IFLNK:
			mode |= gofs.ModeSymlink
		}
		m[f.Path] = &gofstest.MapFile{Data: []byte(f.Text), Mode: mode, ModTime: time.Unix(f.Mtime, 0)}
	}
	return m
}

// TestMapFS runs it on a file system without numbers of files.
func TestMapFS(t *testing.T) {
	fstest.ReadOnlySuite(t, fstest.ReadOnlyConfig{Plain: true, Steps: 2000, New: func(t *testing.T, files []fstest.File) fs.FileSystem {
		return mount(t, mapFS(files))
	}})
}

// serialFS gives files that can only be read from their start on, or with seeks as well.
type serialFS struct {
	gofs.FS
	seeks bool
}

func (s serialFS) Open(name string) (gofs.File, error) {
	f, err := s.FS.Open(name)
	if err != nil {
		return nil, err
	}
	if seek, ok := f.(seeker); ok && s.seeks {
		return struct {
			gofs.File
			seeker
		}{f, seek}, nil
	}
	return struct{ gofs.File }{f}, nil
}

type seeker interface {
	Seek(int64, int) (int64, error)
}

// TestSerial reads here and there what cannot be read at any place.
func TestSerial(t *testing.T) {
	text := strings.Repeat("0123456789", 10_000)
	for _, seeks := range []bool{false, true} {
		f := mount(t, serialFS{gofstest.MapFS{"f": {Data: []byte(text)}}, seeks})
		k := fstest.NewKernel(f)
		fd, e := k.Openat(-100, "f", 0, 0)
		if e != 0 {
			t.Fatal(e)
		}
		for _, off := range []int64{0, 10, 99_999, 5, 5, 100_000, 50_000, 0, 200_000, 3} {
			buf := make([]byte, 20)
			n, e := k.Pread(fd, buf, off)
			want := text[min(off, 100_000):min(off+20, 100_000)]
			if e != 0 || string(buf[:n]) != want {
				t.Errorf("seeks %v, at %d: %q, %v", seeks, off, buf[:n], e)
			}
		}
		k.Close(fd)
	}
}

// badFS fails.
type badFS struct {
	gofs.FS
	err error
}

func (b badFS) Open(name string) (gofs.File, error) {
	if b.err != nil && name != "." {
		return nil, &gofs.PathError{Op: "open", Path: name, Err: b.err}
	}
	return b.FS.Open(name)
}

// TestErrors: what the io/fs.FS says is an error number of Linux.
func TestErrors(t *testing.T) {
	for err, want := range map[error]syscall.Errno{
		gofs.ErrNotExist: syscall.ENOENT, gofs.ErrPermission: syscall.EACCES, gofs.ErrClosed: syscall.EIO,
		gofs.ErrInvalid: syscall.ENOENT, syscall.EMFILE: syscall.EMFILE,
	} {
		k := fstest.NewKernel(mount(t, badFS{gofstest.MapFS{"f": {}}, err}))
		if e := k.Fstatat(-100, "f", new(syscall.Stat_t), 0); e != want {
			t.Errorf("%v: %v, want %v", err, e, want)
		}
	}
	if _, err := iofs.New(badFS{gofstest.MapFS{}, nil}, iofs.Options{}); err != nil {
		t.Error(err)
	}
	sub, err := gofs.Sub(gofstest.MapFS{"f": {}}, "f")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := iofs.New(sub, iofs.Options{}); err != syscall.ENOTDIR {
		t.Errorf("a root that is a file: %v", err)
	}
}

// damaged is a file system whose files cannot be opened, for a reason that has no number, but for
// one that has.
type damaged struct{ gofstest.MapFS }

func (d damaged) Open(name string) (gofs.File, error) {
	switch {
	case strings.HasPrefix(name, "bad"):
		return nil, &gofs.PathError{Op: "open", Path: name, Err: errors.New("inode 3 is damaged")}
	case name == "numbered":
		return nil, &gofs.PathError{Op: "open", Path: name, Err: syscall.EUCLEAN}
	}
	return d.MapFS.Open(name)
}

// TestNote: an error that the caller does not get to see is told, once.
func TestNote(t *testing.T) {
	files := damaged{gofstest.MapFS{"good": {}, "numbered": {}}}
	for i := range 30 {
		files.MapFS[fmt.Sprint("bad", i)] = &gofstest.MapFile{}
	}
	var told []string
	f, err := iofs.New(files, iofs.Options{Note: func(err error) { told = append(told, err.Error()) }})
	if err != nil {
		t.Fatal(err)
	}
	open := func(name string) error {
		e, err := f.Root().Lookup(name)
		if err == nil {
			_, err = e.Node.Open(syscall.O_RDONLY)
		}
		return err
	}
	if err := errors.Join(open("good")); err != nil {
		t.Error(err)
	}
	if err := open("numbered"); err != syscall.EUCLEAN {
		t.Error(err)
	}
	for range 2 {
		if err := open("bad0"); err != syscall.EIO {
			t.Error(err)
		}
	}
	if len(told) != 1 || told[0] != "open bad0: inode 3 is damaged" {
		t.Errorf("told %q", told)
	}
	for i := range 30 {
		open(fmt.Sprint("bad", i))
	}
	if len(told) != 16 {
		t.Errorf("told %d errors", len(told))
	}
}
