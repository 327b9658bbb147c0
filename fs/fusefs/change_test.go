package fusefs

import (
	"bytes"
	"os"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/yolkos/yolk/fs"
	"github.com/yolkos/yolk/fs/fusefs/fuse"
)

// TestOlderReply: of two requests for attributes the one that was answered
// first has its reply arrive last. What it tells is not remembered.
func TestOlderReply(t *testing.T) {
	s := newContent(grantAll, 100, time.Hour)
	_, n, _ := openContent(t, s, s, Options{})
	answered, arrive := make(chan bool), make(chan bool)
	var held atomic.Bool
	get := s.ops[fuse.FUSE_GETATTR]
	s.ops[fuse.FUSE_GETATTR] = func(c *call) {
		get(c)
		if !held.Swap(true) {
			answered <- true
			<-arrive
		}
	}
	n.(*node).changedHere(dirtyAll) // so that both ask
	first := make(chan fs.Attr)
	go func() {
		var a fs.Attr
		n.Getattr(&a)
		first <- a
	}()
	<-answered
	s.change(make([]byte, 200)) // on the server
	var a fs.Attr
	if n.Getattr(&a); a.Size != 200 {
		t.Fatalf("size %d", a.Size)
	}
	arrive <- true
	<-first
	if n.Getattr(&a); a.Size != 200 {
		t.Errorf("size %d after the older reply, want 200", a.Size)
	}
}

// TestAppendSeen: the host has appended to a file, of which the client does
// not know. What the client appends then is found, and the size is right.
func TestAppendSeen(t *testing.T) {
	s := newContent(grantAll, 100, time.Hour)
	s.ops[fuse.FUSE_WRITE] = func(c *call) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.content = append(s.content, c.args[fuse.WriteInSize:]...)
		c.ok((&fuse.WriteOut{Size: uint32(len(c.args) - fuse.WriteInSize)}).AppendTo(nil))
	}
	_, n, _ := openContent(t, s, s, Options{})
	file, err := n.Open(os.O_RDWR | syscall.O_APPEND)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Release()
	buf := make([]byte, 100)
	file.ReadAt(buf, 0)
	s.change(append(s.content, "of the host"...))
	if _, _, err := file.WriteAt([]byte("mine"), 0); err != nil {
		t.Fatal(err)
	}
	k, err := file.ReadAt(buf, 111)
	if err != nil || !bytes.Equal(buf[:k], []byte("mine")) {
		t.Errorf("read %q, %v", buf[:k], err)
	}
	var a fs.Attr
	if file.Getattr(&a); a.Size != 115 {
		t.Errorf("size %d, want 115", a.Size)
	}
}

// cutting has s cut its file where an opening says so. It calls before and after at
// once before and after that, earlier than the reply. A name that is created is one
// of the same file.
func cutting(s *contentServer, before, after func()) {
	s.open = fuse.FOPEN_KEEP_CACHE
	cut := func(flags uint32) {
		if flags&syscall.O_TRUNC != 0 {
			before()
			s.mu.Lock()
			s.content = nil
			s.mu.Unlock()
			after()
		}
	}
	open := s.ops[fuse.FUSE_OPEN]
	s.ops[fuse.FUSE_OPEN] = func(c *call) {
		var in fuse.OpenIn
		in.Decode(c.args)
		cut(in.Flags)
		open(c)
	}
	s.ops[fuse.FUSE_CREATE] = func(c *call) {
		var in fuse.CreateIn
		in.Decode(c.args)
		cut(in.Flags)
		e := entryFor(c)
		e.Nodeid, e.Attr = idFile, s.attr.Attr
		s.mu.Lock()
		e.Attr.Size = uint64(len(s.content))
		s.mu.Unlock()
		e.AttrValid = s.attr.AttrValid
		c.ok((&fuse.OpenOut{Fh: 11, OpenFlags: s.open}).AppendTo(e.AppendTo(nil)))
	}
}

// empty fails if file has anything but want in it.
func empty(t *testing.T, when string, file fs.File, want string) {
	t.Helper()
	buf := make([]byte, 4096)
	for _, off := range []int64{0, 8, 4096} {
		n, err := file.ReadAt(buf, off)
		if rest := want[min(int(off), len(want)):]; err != nil || string(buf[:n]) != rest {
			t.Errorf("%s: %d bytes at %d, want %q, %v", when, n, off, rest, err)
		}
	}
}

// TestOpenCuts: the server has cut a file as it opened it, and has not yet said so.
// What somebody writes then is behind that, so nothing of before may be found with it.
func TestOpenCuts(t *testing.T) {
	for _, flags := range []uint64{grantAll, grantAll &^ fuse.FUSE_AUTO_INVAL_DATA} {
		s := newContent(flags, 8192, time.Hour)
		done, arrive := make(chan bool), make(chan bool)
		cutting(s, func() {}, func() {
			done <- true
			<-arrive
		})
		_, n, file := openContent(t, s, s, Options{})
		same(t, file, s.content, 0, 8192)
		opened := make(chan error)
		go func() {
			other, err := n.Open(os.O_RDWR | syscall.O_TRUNC)
			if err == nil {
				other.Release()
			}
			opened <- err
		}()
		<-done
		if _, _, err := file.WriteAt([]byte("new"), 0); err != nil {
			t.Fatal(err)
		}
		empty(t, "during the opening", file, "new")
		arrive <- true
		if err := <-opened; err != nil {
			t.Fatal(err)
		}
		empty(t, "after the opening", file, "new")
		file.Release()
	}
}

// TestCreateCuts: the name that is created has come to be one of a file that is
// known, which the server has cut therefore. Its attributes were asked for and told
// meanwhile, so that those of the reply do not count.
func TestCreateCuts(t *testing.T) {
	for _, flags := range []uint64{grantAll, grantAll &^ fuse.FUSE_AUTO_INVAL_DATA} {
		s := newContent(flags, 8192, time.Hour)
		var a fs.Attr
		var n fs.Node
		cutting(s, func() {
			n.(*node).changedHere(dirtyAll) // so that it asks
			if err := n.Getattr(&a); err != nil || a.Size != 8192 {
				t.Errorf("size %d, %v", a.Size, err)
			}
		}, func() {})
		f, known, file := openContent(t, s, s, Options{})
		n = known
		same(t, file, s.content, 0, 8192)
		e, other, err := f.root.Create("link", os.O_RDWR|syscall.O_TRUNC, 0o644, 0)
		if err != nil {
			t.Fatal(err)
		}
		empty(t, "after the creation", file, "")
		if file.Getattr(&a); a.Size != 0 {
			t.Errorf("size %d", a.Size)
		}
		other.Release()
		e.Node.Unref()
		file.Release()
	}
}
