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
