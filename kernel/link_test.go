package kernel

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/yolkos/yolk/kernel/control"
)

// launcher is the other end of a link: a goroutine gets what the kernel says.
type launcher struct {
	conn  net.Conn
	lines chan string
}

func newLauncher(t *testing.T) (*launcher, *link) {
	theirs, ours := net.Pipe()
	deadline := time.Now().Add(time.Minute) // for hangs
	theirs.SetDeadline(deadline)
	ours.SetDeadline(deadline)
	t.Cleanup(func() { theirs.Close(); ours.Close() })
	la := &launcher{conn: theirs, lines: make(chan string, 100)}
	go func() {
		defer close(la.lines)
		for in := bufio.NewScanner(theirs); in.Scan(); {
			la.lines <- in.Text()
		}
	}()
	l := newLink(ours)
	l.shareEnded = func(string, string) {}
	l.shareStarted = func(string) {}
	l.console = func() uint64 { return 0 }
	return la, l
}

func (la *launcher) say(lines ...string) {
	for _, line := range lines {
		fmt.Fprintln(la.conn, line)
	}
}

func TestLink(t *testing.T) {
	la, l := newLauncher(t)
	var ended []string
	l.shareEnded = func(tag, how string) { ended = append(ended, tag+": "+how) }
	l.shareStarted = func(tag string) { ended = append(ended, "another for "+tag) }
	out, err := &outStream{}, &outStream{}
	l.streams["stdout"], l.streams["stderr"] = out, err
	done := make(chan struct{})
	go func() { l.listen(); close(done) }()
	la.say(
		`share-ended "a b" "signal: killed"`, "share-ended", "unknown 1 2", `share-started "a b"`, "share-started", "", `share-ended "`, strings.Repeat("x", 5000),
		"stream-failed stdin 5", "stream-failed", "stream-failed stdout 28", "stream-failed stdout 32", "stream-failed stderr 99999",
	)
	la.conn.Close()
	<-done
	if got := strings.Join(ended, "|"); got != "a b: signal: killed|: |another for a b|another for " {
		t.Errorf("ended: %q", got)
	}
	if e := syscall.Errno(out.failed.Load()); e != syscall.ENOSPC {
		t.Errorf("stdout: %v; the first error counts", e)
	}
	if e := syscall.Errno(err.failed.Load()); e != syscall.EIO {
		t.Errorf("stderr: %v for an error that is none", e)
	}
}

// port is a stream's port that keeps what is written.
type port struct {
	mu     sync.Mutex
	data   []byte
	err    error
	during func()
}

func (p *port) Read([]byte) (int, error) { return 0, io.EOF }

func (p *port) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.during != nil {
		p.during()
	}
	if p.err != nil {
		return 0, p.err
	}
	p.data = append(p.data, b...)
	return len(b), nil
}

func TestOutStreamFails(t *testing.T) {
	p := &port{}
	told := 0
	s := &outStream{port: p, told: func() { told++ }}
	if n, err := s.Write(make([]byte, 3*outPiece+5)); n != 3*outPiece+5 || err != nil || len(p.data) != n {
		t.Fatalf("%d, %v", n, err)
	}
	// In the midst of a write: what went out counts, the next one fails.
	pieces := 0
	p.during = func() {
		if pieces++; pieces == 2 {
			s.fail(syscall.ENOSPC)
		}
	}
	if n, err := s.Write(make([]byte, 3*outPiece)); n != 2*outPiece || err != nil || told != 0 {
		t.Errorf("%d, %v, told %d times", n, err, told)
	}
	for range 3 {
		if n, err := s.Write([]byte("x")); n != 0 || err != syscall.ENOSPC || told != 1 {
			t.Errorf("%d, %v, told %d times", n, err, told)
		}
	}
	if n, err := s.Write(nil); n != 0 || err != nil {
		t.Errorf("nothing: %d, %v", n, err)
	}
	broken := &outStream{port: &port{err: syscall.EIO}}
	if n, err := broken.Write([]byte("x")); n != 0 || !errors.Is(err, syscall.EIO) {
		t.Errorf("broken port: %d, %v", n, err)
	}
	if n, err := s.Read(make([]byte, 1)); n != 0 || err != nil {
		t.Errorf("read: %d, %v", n, err)
	}
}

// TestOrderConsole: a stream waits until the launcher has passed on what the serial
// port was given before, and asks only if there is something.
func TestOrderConsole(t *testing.T) {
	la, l := newLauncher(t)
	var mu sync.Mutex
	sent := uint64(0)
	l.console = func() uint64 { mu.Lock(); defer mu.Unlock(); return sent }
	go l.listen()
	p := &port{}
	s := &outStream{port: p, order: l.orderConsole}
	s.Write([]byte("a")) // nothing to ask
	mu.Lock()
	sent = 100
	mu.Unlock()
	written := make(chan struct{})
	go func() { s.Write([]byte("b")); close(written) }()
	if line := <-la.lines; line != "console-sent 100" {
		t.Fatalf("%q", line)
	}
	la.say("console-passed 99", "console-passed x", "console-passed")
	select {
	case <-written:
		t.Error("written too early")
	case <-time.After(50 * time.Millisecond):
	}
	la.say("console-passed 100")
	<-written
	s.Write([]byte("c")) // does not ask again
	mu.Lock()
	sent = 200
	mu.Unlock()
	go func() { <-la.lines; la.conn.Close() }() // a launcher that goes instead of answering
	s.Write([]byte("d"))
	if string(p.data) != "abcd" {
		t.Errorf("written %q", p.data)
	}
}

// FuzzLink has a launcher say anything.
func FuzzLink(f *testing.F) {
	f.Add([]byte("share-ended root \"signal: killed\"\nstream-failed stdout 28\nconsole-passed 7\n"))
	f.Add([]byte("stream-failed stderr 0\n\x00\n\"\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		l := newLink(struct {
			io.Reader
			io.Writer
		}{strings.NewReader(string(data)), io.Discard})
		l.shareEnded = func(string, string) {}
		for _, name := range []string{"stdout", "stderr"} {
			l.streams[name] = &outStream{port: &port{}, told: func() { l.tell(control.StreamTold, name) }}
		}
		l.listen()
		for _, s := range l.streams {
			if errno := s.failed.Load(); errno > maxErrno {
				t.Errorf("error %d", errno)
			}
			s.Write([]byte("x"))
		}
	})
}

// TestLinkSignals: signals of the launcher's wait for whoever delivers them, as many
// as there is room for; what is none is left out.
func TestLinkSignals(t *testing.T) {
	la, l := newLauncher(t)
	done := make(chan struct{})
	go func() { l.listen(); close(done) }()
	la.say("signal 15", "signal", "signal 0", "signal 65", "signal -1", "signal x", "signal 64", "signal 18446744073709551617")
	for range 2 * maxSignals {
		la.say("signal 2")
	}
	la.conn.Close()
	<-done
	if a, b := <-l.signals, <-l.signals; a != syscall.SIGTERM || b != 64 {
		t.Errorf("signals %d, %d", a, b)
	}
	if n := len(l.signals); n != maxSignals-2 {
		t.Errorf("%d more signals", n)
	}
}

// TestLinkStop: who is stopped goes on when the launcher says so, or is gone.
func TestLinkStop(t *testing.T) {
	la, l := newLauncher(t)
	go l.listen()
	for range 2 {
		stopped := make(chan struct{})
		go func() { l.stop(syscall.SIGTSTP); close(stopped) }()
		if line := <-la.lines; line != "stopped 20" {
			t.Fatalf("%q", line)
		}
		select {
		case <-stopped:
			t.Error("went on by itself")
		case <-time.After(20 * time.Millisecond):
		}
		la.say("continued")
		<-stopped
	}
	go func() { <-la.lines; la.conn.Close() }()
	l.stop(syscall.SIGSTOP)
	l.stop(syscall.SIGSTOP) // says nothing any more
}

// TestLinkProc: the launcher reads files of /proc, one at a time, and gets an answer in any
// case.
func TestLinkProc(t *testing.T) {
	la, l := newLauncher(t)
	go l.listen()
	expect := func(want ...string) {
		t.Helper()
		for _, w := range want {
			if line := <-la.lines; line != w {
				t.Errorf("told %q, want %q", line, w)
			}
		}
	}
	la.say("proc-read 1 stat")
	expect("proc-data 1 11 0") // EAGAIN: there is no /proc yet
	read := procReader(func(name string) ([]byte, syscall.Errno) {
		switch name {
		case "yolk/virtio":
			return []byte("first\nsecond\n"), 0
		case "large":
			return make([]byte, control.MaxData+1), 0
		}
		return nil, syscall.ENOENT
	})
	l.proc.Store(&read)
	la.say("proc-read 2 yolk/virtio")
	expect("proc-data 2 0 13", "first", "second")
	la.say(`proc-read 3 "no such"`)
	expect("proc-data 3 2 0")
	la.say("proc-read 4 large")
	expect("proc-data 4 27 0")
	la.say("proc-read")
	expect(`proc-data "" 2 0`)
}

// TestLinkHold: the program waits until the launcher lets it go on, or is gone.
func TestLinkHold(t *testing.T) {
	la, l := newLauncher(t)
	go l.listen()
	for _, end := range []func(){func() { la.say("continued") }, func() { la.conn.Close() }} {
		on := make(chan struct{})
		go func() { l.hold(); close(on) }()
		if line := <-la.lines; line != "held" {
			t.Fatalf("%q", line)
		}
		select {
		case <-on:
			t.Error("went on by itself")
		case <-time.After(20 * time.Millisecond):
		}
		end()
		<-on
	}
}
