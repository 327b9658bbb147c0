package served

import (
	"bytes"
	"os"
	"slices"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/yolkos/yolk/fs/fusefs/fuse"
)

// server answers every request but FORGET.
type server struct{ handled int }

func (s *server) Handle(in, out [][]byte, detach func()) int {
	s.handled++
	detach()
	if in[0][4] == fuse.FUSE_FORGET {
		return 0
	}
	return len(out)
}

func (s *server) Cancel() {}

func newPipe(t *testing.T) (*Reader, *os.File) {
	t.Helper()
	r, w, err := Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close(); w.Close() })
	return r, w
}

func take(r *Reader) (records []Record, more bool) {
	more = r.Take(func(r Record) { records = append(records, r) })
	return records, more
}

// TestHandler: each request that has a reply leaves a record, before who handles it hears that it is done.
func TestHandler(t *testing.T) {
	r, w := newPipe(t)
	s := &server{}
	h, err := NewHandler(s, int(w.Fd()))
	if err != nil {
		t.Fatal(err)
	}
	if got, more := take(r); got != nil || !more {
		t.Errorf("before the first request: %v, %t", got, more)
	}
	request := func(op uint32, unique uint64) []byte {
		in := fuse.InHeader{Len: fuse.InHeaderSize, Opcode: op, Unique: unique}
		return in.AppendTo(nil)
	}
	detached := 0
	detach := func() { detached++ }
	before := now()
	for i, in := range [][][]byte{
		{request(fuse.FUSE_LOOKUP, 2), []byte("name\x00")},
		{request(fuse.FUSE_READ, 1<<40)[:7], request(fuse.FUSE_READ, 1<<40)[7:]}, // in pieces
		{request(fuse.FUSE_FORGET, 6)},                                           // no reply
		{request(fuse.FUSE_READ, 8)[:30]},                                        // no header
	} {
		if n, want := h.Handle(in, make([][]byte, 3), detach), []int{3, 3, 0, 3}[i]; n != want {
			t.Errorf("request %d: %d, want %d", i, n, want)
		}
	}
	got, more := take(r)
	if len(got) != 2 || !more || s.handled != 4 || detached != 4 {
		t.Fatalf("%d handled, %d detached: %+v", s.handled, detached, got)
	}
	for i, want := range []Record{{Unique: 2, Opcode: fuse.FUSE_LOOKUP}, {Unique: 1 << 40, Opcode: fuse.FUSE_READ}} {
		if r := got[i]; r.Unique != want.Unique || r.Opcode != want.Opcode || r.From < before || r.To < r.From || r.To > now() {
			t.Errorf("%+v, want %+v between %d and now", r, want, before)
		}
	}
}

// TestFull: a server does not wait for who reads, and tells what it could not write.
func TestFull(t *testing.T) {
	r, w := newPipe(t)
	fd := w.Fd() // which has it block
	size, err := unix.FcntlInt(fd, unix.F_GETPIPE_SZ, 0)
	if err != nil {
		t.Fatal(err)
	}
	h, err := NewHandler(&server{}, int(fd))
	if err != nil {
		t.Fatal(err)
	}
	head := fuse.InHeader{Opcode: fuse.FUSE_READ}
	in := [][]byte{head.AppendTo(nil)}
	sent := size/Size + 10
	for range sent {
		h.Handle(in, make([][]byte, 1), func() {})
	}
	got, _ := take(r)
	if len(got) != size/Size || r.Lost() != 0 {
		t.Errorf("%d records of a pipe for %d, %d lost", len(got), size/Size, r.Lost())
	}
	h.Handle(in, make([][]byte, 1), func() {})
	if got, _ := take(r); len(got) != 1 || r.Lost() != 10 {
		t.Errorf("%d records, and %d lost, want 1 and 10", len(got), r.Lost())
	}
}

// TestForeign: what is no record is none, and the end is the end.
func TestForeign(t *testing.T) {
	r, w := newPipe(t)
	good := Record{Unique: 4, From: 7, To: 7, Opcode: 1}
	bad := []Record{{From: -1, To: 3}, {From: 5, To: 4}, {From: 1, To: 1 << 62}, {From: -1 << 63, To: 1<<63 - 1}}
	var b []byte
	for _, r := range append(bad, good) {
		b = r.AppendTo(b)
	}
	if _, err := w.Write(append(b, bytes.Repeat([]byte{1}, Size-1)...)); err != nil {
		t.Fatal(err)
	}
	if got, more := take(r); !slices.Equal(got, []Record{good}) || !more {
		t.Errorf("%+v, %t", got, more)
	}
	w.Close()
	if got, more := take(r); got != nil || more {
		t.Errorf("after the end: %v, %t", got, more)
	}
	r.Close()
	if _, more := take(r); more {
		t.Error("a pipe that is closed can have more")
	}
}
