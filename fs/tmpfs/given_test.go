package tmpfs

import (
	"syscall"
	"testing"
	"time"

	"github.com/yolkos/yolk/fs"
)

// TestGiven: the contents follow what makes them until they are written, and wait for
// it where they are wanted.
func TestGiven(t *testing.T) {
	text, asked := "one\n", 0
	ready := make(chan struct{})
	made := func() fs.Node {
		n, err := New(Limits{}).NewGiven(0o640, ready, func(b []byte) []byte { asked++; return append(b, text...) })
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	open := func(n fs.Node, flags int) fs.File {
		t.Helper()
		f, err := n.Open(flags)
		if err != nil {
			t.Fatal(err)
		}
		return f
	}
	has := func(n fs.Node, want string) {
		t.Helper()
		f := open(n, syscall.O_RDONLY)
		defer f.Release()
		b := make([]byte, 100)
		k, err := f.ReadAt(b, 0)
		if err != nil || string(b[:k]) != want {
			t.Errorf("%q, %v, want %q", b[:k], err, want)
		}
	}
	attr := func(n fs.Node) (a fs.Attr) {
		t.Helper()
		if err := n.Getattr(&a); err != nil {
			t.Fatal(err)
		}
		return a
	}

	n, emptied := made(), made()
	if a := attr(n); a.Size != 0 || a.Mode != syscall.S_IFREG|0o640 || a.Nlink != 1 || asked != 0 {
		t.Errorf("before it is ready: %+v, asked %d times", a, asked)
	}
	f := open(emptied, syscall.O_WRONLY|syscall.O_TRUNC) // waits for nothing
	if _, _, err := f.WriteAt([]byte("own"), 0); err != nil {
		t.Error(err)
	}
	f.Release()
	opened := make(chan struct{})
	go func() {
		defer close(opened)
		has(n, "one\n")
	}()
	select {
	case <-opened:
		t.Error("it was opened before it was ready")
	case <-time.After(20 * time.Millisecond):
	}
	close(ready)
	<-opened
	has(emptied, "own")

	a := attr(n)
	if b := attr(n); a.Size != 4 || b.Mtime != a.Mtime {
		t.Errorf("%+v, then %+v", a, b)
	}
	kept := open(n, syscall.O_RDONLY)
	defer kept.Release()
	text = "another\n"
	if b := attr(n); b.Size != 8 || b.Ino != a.Ino || b.Mtime == a.Mtime {
		t.Errorf("changed: %+v, was %+v", b, a)
	}
	b := make([]byte, 100)
	if k, err := kept.ReadAt(b, 0); string(b[:k]) != text || err != nil {
		t.Errorf("who has it open reads %q, %v", b[:k], err)
	}
	text = "two\n"
	var set fs.Attr
	if err := n.Setattr(&fs.SetAttr{Valid: fs.SetMode, Mode: 0o600}, &set); err != nil || set.Mode != syscall.S_IFREG|0o600 {
		t.Errorf("mode %o, %v", set.Mode, err)
	}
	has(n, "two\n") // whoever may read it

	f = open(n, syscall.O_RDWR|syscall.O_APPEND)
	text = "three\n"
	if _, _, err := f.WriteAt([]byte("and ours"), 0); err != nil {
		t.Error(err)
	}
	f.Release()
	has(n, "two\nand ours")
	n = made()
	if err := n.Setattr(&fs.SetAttr{Valid: fs.SetSize, Size: 3}, &set); err != nil || set.Size != 3 {
		t.Errorf("cut to %d, %v", set.Size, err)
	}
	text = "four\n"
	has(n, "thr")
}
