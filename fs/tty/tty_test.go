package tty

import (
	"bytes"
	"slices"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/yolkos/yolk/fs"
)

// screen is the output of a terminal of the machine.
type screen struct {
	mu   sync.Mutex
	b    bytes.Buffer
	fail error
}

func (s *screen) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fail != nil {
		return 0, s.fail
	}
	return s.b.Write(p)
}

func (s *screen) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

// keys is what is typed there.
type keys chan string

func (k keys) Read(p []byte) (int, error)  { return copy(p, <-k), nil }
func (k keys) Write(p []byte) (int, error) { return 0, syscall.EBADF }

// console makes a terminal of the machine at which in types.
func console(t *testing.T) (*TTY, *file, *screen, keys, *process) {
	p, out, in := &process{}, &screen{}, make(keys)
	tty := NewTerminals(p).AddConsole(out)
	f, err := tty.Open(node{}, 0)
	if err != nil {
		t.Fatal(err)
	}
	go tty.Input(in)
	return tty, f.(*file), out, in, p
}

// TestConsole: lines, signals and the end on a terminal of the machine.
func TestConsole(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tty, f, out, in, p := console(t)
		taken := 0
		tty.Taken(func() { taken++ })
		got := make(chan string, 10)
		go func() {
			buf := make([]byte, 100)
			for {
				n, err := f.Read(buf)
				if err != nil {
					t.Error(err)
				}
				got <- string(buf[:n])
				if n == 0 {
					return
				}
			}
		}()
		f.Write([]byte("name? "))
		in <- "mx\x7fe\r"
		if line := <-got; line != "me\n" {
			t.Errorf("read %q", line)
		}
		synctest.Wait() // it is shown
		in <- "lost\x03"
		in <- "\x1a\x1c"
		synctest.Wait()
		if want := []syscall.Signal{syscall.SIGINT, syscall.SIGTSTP, syscall.SIGQUIT}; !slices.Equal(p.signals, want) {
			t.Errorf("signals %v, want %v", p.signals, want)
		}
		if taken != 1 {
			t.Errorf("told of %d Ctrl-C that were taken, want 1", taken)
		}
		if want := "name? mx\b \be\r\n^C^\\"; out.String() != want {
			t.Errorf("shown %q, want %q", out.String(), want)
		}
		close(in)
		if line := <-got; line != "" {
			t.Errorf("at the end: read %q", line)
		}
	})
}

// TestTaken: a Ctrl-C that is a byte counts as taken when it is read.
func TestTaken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tty, f, _, in, p := console(t)
		defer close(in)
		taken := 0
		tty.Taken(func() { taken++ })
		tty.Configure(Winsize{}, with(func(m *Termios) { m.Lflag = 0 }))
		in <- "\x03"
		synctest.Wait()
		if taken != 0 || len(p.signals) > 0 {
			t.Errorf("taken %d, signals %v", taken, p.signals)
		}
		buf := make([]byte, 10)
		if n, _ := f.Read(buf); string(buf[:n]) != "\x03" {
			t.Errorf("read %q", buf[:n])
		}
		synctest.Wait()
		if taken != 1 {
			t.Errorf("taken %d, want 1", taken)
		}
	})
}

// TestTime: TIME counts from the start without MIN, from byte to byte with it.
func TestTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tty, f, _, in, _ := console(t)
		defer close(in)
		buf := make([]byte, 10)
		read := func() (string, time.Duration) {
			start := time.Now()
			n, err := f.Read(buf)
			if err != nil {
				t.Error(err)
			}
			return string(buf[:n]), time.Since(start)
		}
		set := func(min, tenths uint8) {
			tty.Configure(Winsize{}, with(func(m *Termios) { m.Lflag = 0; m.Cc[VMIN], m.Cc[VTIME] = min, tenths }))
		}
		later := func(s ...string) {
			go func() {
				for _, s := range s {
					time.Sleep(300 * time.Millisecond)
					in <- s
				}
			}()
		}
		set(0, 5)
		if s, d := read(); s != "" || d != 500*time.Millisecond {
			t.Errorf("nothing: %q after %v", s, d)
		}
		later("a")
		if s, d := read(); s != "a" || d != 300*time.Millisecond {
			t.Errorf("a byte: %q after %v", s, d)
		}
		set(3, 5)
		later("a", "b")
		if s, d := read(); s != "ab" || d != 1100*time.Millisecond {
			t.Errorf("too few: %q after %v", s, d)
		}
		later("a", "b", "cd")
		if s, d := read(); s != "abcd" || d != 900*time.Millisecond {
			t.Errorf("enough: %q after %v", s, d)
		}
		set(3, 0)
		later("a", "b", "c")
		if s, d := read(); s != "abc" || d != 900*time.Millisecond {
			t.Errorf("without time: %q after %v", s, d)
		}
	})
}

// TestCooked: lines are not broken twice.
func TestCooked(t *testing.T) {
	tty, f, out, in, _ := console(t)
	defer close(in)
	tty.Cooked()
	if n, err := f.Write([]byte("one\n\ttwo\n")); n != 9 || err != nil || out.String() != "one\n\ttwo\n" {
		t.Errorf("%d, %v, shown %q", n, err, out.String())
	}
}

// TestStop: what is written waits while the output is stopped.
func TestStop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, f, out, in, _ := console(t)
		defer close(in)
		in <- "\x13"
		synctest.Wait()
		done := make(chan error)
		go func() {
			_, err := f.Write([]byte("text\n"))
			done <- err
		}()
		synctest.Wait()
		if out.String() != "" {
			t.Errorf("shown %q while stopped", out.String())
		}
		if n, err := f.WriteUntil([]byte("more"), closed); n != 0 || err != syscall.EINTR {
			t.Errorf("a write that may not wait: %d, %v", n, err)
		}
		in <- "\x11"
		if err := <-done; err != nil || out.String() != "text\r\n" {
			t.Errorf("%v, shown %q", err, out.String())
		}
		out.fail = syscall.EPIPE
		if n, err := f.Write([]byte("x")); n != 0 || err != syscall.EPIPE {
			t.Errorf("write to a terminal that is gone: %d, %v", n, err)
		}
	})
}

// TestHangUp: either end learns that the other is gone.
func TestHangUp(t *testing.T) {
	o := openOurs(t)
	buf := make([]byte, 100)
	o.slave.Write([]byte("last words"))
	o.slave.Release()
	if n, err := o.master.Read(buf); string(buf[:n]) != "last words" || err != nil {
		t.Errorf("read %q, %v", buf[:n], err)
	}
	if _, err := o.master.Read(buf); err != syscall.EIO {
		t.Errorf("master without a slave: %v, want EIO", err)
	}
	if ev, _ := o.master.Poll(0xffff); ev&fs.PollHup == 0 {
		t.Errorf("poll %#x without POLLHUP", ev)
	}
	f, err := o.set_.OpenSlave(0, node{}, 0)
	if err != nil {
		t.Fatal(err)
	}
	if ev, _ := o.master.Poll(0xffff); ev&fs.PollHup != 0 {
		t.Errorf("poll %#x with a slave again", ev)
	}
	slave := f.(*file)
	if _, _, err := slave.Ioctl(TIOCSCTTY, 0, nil, nil); err != nil {
		t.Fatal(err)
	}
	if o.set_.Controlling() != slave.t {
		t.Error("it is not the controlling terminal")
	}
	o.master.Release()
	if n, err := slave.Read(buf); n != 0 || err != nil {
		t.Errorf("slave without a master: read %d, %v", n, err)
	}
	if _, err := slave.Write(buf); err != syscall.EIO {
		t.Errorf("slave without a master: write: %v, want EIO", err)
	}
	if _, _, err := slave.Ioctl(TIOCGWINSZ, 0, buf, buf); err != syscall.EIO {
		t.Errorf("slave without a master: ioctl: %v, want EIO", err)
	}
	if want := []syscall.Signal{syscall.SIGHUP, syscall.SIGCONT}; !slices.Equal(o.process.signals, want) {
		t.Errorf("signals %v, want %v", o.process.signals, want)
	}
	if list := o.set_.PTYs(); len(list) != 0 {
		t.Errorf("pseudo terminals left: %v", list)
	}
	if _, err := o.set_.OpenControlling(node{}, 0); err != syscall.ENXIO {
		t.Errorf("opening the controlling terminal: %v, want ENXIO", err)
	}
}

// TestControl: the requests that are about processes and windows.
func TestControl(t *testing.T) {
	p := &process{}
	s := NewTerminals(p)
	f, _ := s.AddConsole(&screen{}).Open(node{}, 0)
	main := f.(*file)
	m, err := s.OpenMaster(node{}, 0)
	if err != nil {
		t.Fatal(err)
	}
	master := m.(*masterFile)
	for _, tt := range []struct {
		name string
		file fs.IoctlFile
		req  uint32
		arg  int
		err  error
		want int
	}{
		{"foreground", main, TIOCGPGRP, 0, nil, 7},
		{"session", main, TIOCGSID, 0, nil, 5},
		{"other group", main, TIOCSPGRP, 8, syscall.ESRCH, 8},
		{"no group", main, TIOCSPGRP, -1, syscall.EINVAL, -1},
		{"own group", main, TIOCSPGRP, 7, nil, 7},
		{"of a terminal that controls nothing", master, TIOCGSID, 0, syscall.ENOTTY, 0},
		{"its foreground", master, TIOCGPGRP, 0, nil, 0},
		{"its number", master, TIOCGPTN, 9, nil, 0},
		{"its lock", master, TIOCGPTLCK, 0, nil, 1},
		{"number of what is no master", main, TIOCGPTN, 0, syscall.ENOTTY, 0},
		{"typing for somebody else", main, TIOCSTI, 0, syscall.EIO, 0},
		{"discipline", main, TIOCGETD, 9, nil, 0},
		{"another discipline", main, TIOCSETD, 2, syscall.EINVAL, 2},
		{"device", main, TIOCGDEV, 0, nil, 0x501},
		{"unknown", main, 0x5499, 0, syscall.ENOTTY, 0},
	} {
		b := make([]byte, 4)
		setNumber(b, tt.arg)
		_, _, err := tt.file.Ioctl(tt.req, uint64(tt.arg), b, b)
		if err != tt.err || number(b) != tt.want {
			t.Errorf("%s: %d, %v, want %d, %v", tt.name, number(b), err, tt.want, tt.err)
		}
	}
	size := []byte{24, 0, 80, 0, 1, 0, 2, 0}
	for range 2 {
		if _, _, err := main.Ioctl(TIOCSWINSZ, 0, size, size); err != nil {
			t.Error(err)
		}
	}
	got := make([]byte, 8)
	main.Ioctl(TIOCGWINSZ, 0, got, got)
	if !bytes.Equal(got, size) || !slices.Equal(p.signals, []syscall.Signal{syscall.SIGWINCH}) {
		t.Errorf("size %v, signals %v", got, p.signals)
	}
	master.Ioctl(TIOCSWINSZ, 0, size, size)
	if len(p.signals) != 1 {
		t.Errorf("a window that is not ours: signals %v", p.signals)
	}
	old := make([]byte, 18)
	main.Ioctl(TCGETA, 0, old, old)
	old[9] = 1 // VINTR
	main.Ioctl(TCSETA, 0, old, old)
	if m := main.t.d.termios; m.Cc[VINTR] != 1 || m.Lflag != Default().Lflag || m.Cc[VLNEXT] != ctrl('V') {
		t.Errorf("after TCSETA: %+v", m)
	}
}
