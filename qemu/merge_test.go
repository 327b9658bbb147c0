package qemu

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// guestEnd is the guest's side of a merger: what QEMU writes to.
type guestEnd struct {
	t               *testing.T
	m               *merger
	stream, console *os.File
	answers         chan uint64

	mu       sync.Mutex
	failures []failedStream
}

func newGuestEnd(t *testing.T, w io.Writer) *guestEnd {
	g := &guestEnd{t: t, answers: make(chan uint64, 100)}
	g.m = &merger{
		out: newOutput(w), done: make(chan struct{}),
		failed: func(name string, errno unix.Errno) {
			g.mu.Lock()
			g.failures = append(g.failures, failedStream{name, errno})
			g.mu.Unlock()
		},
		answer: func(n uint64) { g.answers <- n },
	}
	for name, f := range map[string]**os.File{"stdout": &g.stream, "": &g.console} {
		fd, theirs, err := rawPair()
		if err != nil {
			t.Fatal(err)
		}
		if err := g.m.add(&source{name: name, fd: fd}); err != nil {
			t.Fatal(err)
		}
		*f = theirs
	}
	return g
}

func (g *guestEnd) end() {
	g.stream.Close()
	g.console.Close()
	hangs(g.t, g.m.done)
}

func hangs(t *testing.T, done <-chan struct{}) {
	t.Helper()
	select {
	case <-done:
	case <-time.After(time.Minute):
		t.Fatal("hangs")
	}
}

// TestMergeBefore: what is in the port when a byte of the serial port is read goes
// first, however much it is.
func TestMergeBefore(t *testing.T) {
	for _, size := range []int{0, 1, 5000, 100_000} {
		var out bytes.Buffer
		g := newGuestEnd(t, &out)
		body := strings.Repeat("x", size)
		g.stream.WriteString(body)
		g.console.WriteString("panic")
		g.m.start()
		g.end()
		if out.String() != body+"panic" {
			t.Errorf("%d bytes: %.50q", size, out.String())
		}
	}
}

// TestMergeOrder plays a kernel that writes to both by turns, asking in between.
func TestMergeOrder(t *testing.T) {
	var out bytes.Buffer
	g := newGuestEnd(t, &out)
	g.m.start()
	want, sent := "", uint64(0)
	for i := range 1000 {
		line := fmt.Sprintln("line", i)
		want += line
		if i%3 == 0 {
			g.m.ask(sent)
			if n := <-g.answers; n < sent {
				t.Fatalf("answer %d, want %d", n, sent)
			}
			g.stream.WriteString(line)
		} else {
			g.console.WriteString(line)
			sent += uint64(len(line))
		}
	}
	g.end()
	if out.String() != want {
		t.Error("the order has changed")
	}
}

// TestMergeLost: bytes that never come hold nobody up for ever.
func TestMergeLost(t *testing.T) {
	g := newGuestEnd(t, io.Discard)
	g.m.start()
	g.console.WriteString("abc")
	g.m.ask(5)
	if n := <-g.answers; n != 5 {
		t.Errorf("answer %d, want 5", n)
	}
	g.end()
}

// TestMergeFails: the guest is told once, with the reason, and never waits.
func TestMergeFails(t *testing.T) {
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer full.Close()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	r.Close()
	for _, tt := range []struct {
		name string
		w    io.Writer
		want unix.Errno
	}{{"full", full, unix.ENOSPC}, {"closed", w, unix.EPIPE}, {"other", failing{io.ErrClosedPipe}, unix.EPIPE}, {"unknown", failing{io.ErrNoProgress}, unix.EIO}} {
		g := newGuestEnd(t, tt.w)
		g.m.start()
		for range 50 {
			g.stream.Write(make([]byte, 100_000))
			g.console.Write(make([]byte, 1000))
		}
		g.end()
		if len(g.failures) != 1 || g.failures[0] != (failedStream{"stdout", tt.want}) {
			t.Errorf("%s: %v", tt.name, g.failures)
		}
	}
}

type failing struct{ err error }

func (f failing) Write(p []byte) (int, error) { return 0, f.err }

// TestMergeHangUp: that nobody reads any more is told before there is anything to
// write.
func TestMergeHangUp(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	g := newGuestEnd(t, w)
	told := make(chan struct{})
	g.m.failed = func(string, unix.Errno) { close(told) }
	g.m.start()
	r.Close()
	hangs(t, told)
	g.end()
}

// TestMergePartly: a file system fills up in the midst of the output.
func TestMergePartly(t *testing.T) {
	f, err := os.CreateTemp(t.TempDir(), "")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	const limit = 100_000
	g := newGuestEnd(t, &limited{w: f, left: limit})
	g.m.start()
	for range 10 {
		g.stream.Write(bytes.Repeat([]byte("x"), 30_000))
	}
	g.end()
	if info, _ := f.Stat(); info.Size() != limit || len(g.failures) != 1 || g.failures[0].errno != unix.ENOSPC {
		t.Errorf("%d bytes, %v", info.Size(), g.failures)
	}
}

type limited struct {
	w    io.Writer
	left int
}

func (l *limited) Write(p []byte) (int, error) {
	n, err := l.w.Write(p[:min(len(p), l.left)])
	l.left -= n
	if err == nil && n < len(p) {
		err = unix.ENOSPC
	}
	return n, err
}

// TestMergeGivesUp: once the run is to end, an output that takes nothing does not
// hold it up, but one that is slow is waited for.
func TestMergeGivesUp(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	for _, slow := range []bool{false, true} {
		g := newGuestEnd(t, w)
		g.m.start()
		go func() {
			g.stream.Write(make([]byte, 4<<20)) // more than pipe and socket hold
			g.stream.Close()
			g.console.Close()
		}()
		if slow {
			go io.Copy(io.Discard, r)
		}
		if whole := g.m.wait(ctx); whole != slow {
			t.Errorf("slow %t: all was taken: %t", slow, whole)
		}
	}
}

func TestSameOutput(t *testing.T) {
	name := t.TempDir() + "/f"
	a, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	b, err := os.OpenFile(name, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	defer w.Close()
	var x, y bytes.Buffer
	f := writerFunc(func([]byte) {})
	for _, tt := range []struct {
		name string
		a, b io.Writer
		want bool
	}{
		{"file", a, a, true}, {"opened twice", a, b, true}, {"file and pipe", a, w, false}, {"pipe", w, w, true},
		{"nothing", nil, nil, false}, {"buffer", &x, &x, true}, {"buffers", &x, &y, false}, {"file and buffer", a, &x, false},
		{"functions", f, f, false},
	} {
		if sameOutput(tt.a, tt.b) != tt.want {
			t.Errorf("%s: %t", tt.name, !tt.want)
		}
	}
}
