package qemu

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// openPTY opens a pseudo terminal whose window has 24 rows of 80 columns.
func openPTY(t *testing.T) (master, slave *os.File) {
	t.Helper()
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Skip("no pseudo terminals here: ", err)
	}
	t.Cleanup(func() { master.Close() })
	fd := int(master.Fd())
	n, err := unix.IoctlGetInt(fd, unix.TIOCGPTN)
	if err == nil {
		err = unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0)
	}
	if err == nil {
		err = unix.IoctlSetWinsize(fd, unix.TIOCSWINSZ, &unix.Winsize{Row: 24, Col: 80, Xpixel: 800, Ypixel: 480})
	}
	if err != nil {
		t.Fatal(err)
	}
	if slave, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|unix.O_NOCTTY, 0); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { slave.Close() })
	return master, slave
}

func termiosOf(t *testing.T, f *os.File) unix.Termios {
	t.Helper()
	m, err := unix.IoctlGetTermios(int(f.Fd()), unix.TCGETS)
	if err != nil {
		t.Fatal(err)
	}
	return *m
}

// TestFindTerminal: the terminal is the streams that are one, by its device and
// not by its name.
func TestFindTerminal(t *testing.T) {
	_, one := openPTY(t)
	_, two := openPTY(t)
	again, err := os.OpenFile(one.Name(), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer again.Close()
	null, err := os.OpenFile("/dev/null", os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer null.Close()
	for _, tt := range []struct {
		name                  string
		in                    io.Reader
		out, errs             io.Writer
		file, keys            *os.File
		isIn, isOut, isErrors bool
	}{
		{"all", one, one, again, one, one, true, true, true},
		{"input", one, null, new(bytes.Buffer), one, one, true, false, false},
		{"output", null, one, null, one, nil, false, true, false},
		{"errors", strings.NewReader(""), null, one, one, nil, false, false, true},
		{"two", two, one, one, one, nil, false, true, true},
		{"two outputs", two, one, two, one, nil, false, true, false},
		{"none", null, null, null, nil, nil, false, false, false},
		{"nothing", nil, nil, nil, nil, nil, false, false, false},
	} {
		got := findTerminal(&Options{Stdin: tt.in, Stdout: tt.out, Stderr: tt.errs})
		if (got == nil) != (tt.file == nil) || got != nil && (got.file != tt.file || got.keys != tt.keys) {
			t.Errorf("%s: %+v", tt.name, got)
		}
		if a, b, c := got.is(tt.in), got.is(tt.out), got.is(tt.errs); a != tt.isIn || b != tt.isOut || c != tt.isErrors {
			t.Errorf("%s: streams are the terminal: %t %t %t", tt.name, a, b, c)
		}
	}
}

// TestKinds: what the kernel is told of each stream.
func TestKinds(t *testing.T) {
	_, slave := openPTY(t)
	file, err := os.CreateTemp(t.TempDir(), "file")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	file.WriteString("12345")
	file.Chmod(0o640)
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	defer w.Close()
	null, err := os.Open("/dev/null")
	if err != nil {
		t.Fatal(err)
	}
	defer null.Close()
	for _, tt := range []struct {
		stream any
		want   string
	}{
		{file, "b"}, {r, "r"}, {w, "w"}, {null, "r"}, {strings.NewReader("x"), "-"}, {nil, "-"}, {(*os.File)(nil), "-"},
	} {
		if got := accessOf(tt.stream); got != tt.want {
			t.Errorf("%v: access %q, want %q", tt.stream, got, tt.want)
		}
	}
	for _, tt := range []struct {
		stream any
		want   string
	}{
		{file, "100640 0 5"}, {r, "10600 0 0"}, {null, "20666 259 0"}, {strings.NewReader("x"), "10600 0 0"}, {nil, "10600 0 0"}, {(*os.File)(nil), "10600 0 0"},
	} {
		if got := kindOf(tt.stream); got != tt.want {
			t.Errorf("%v: %q, want %q", tt.stream, got, tt.want)
		}
	}
	fakes(t, "file:flags ctl:yolk_exit_0 end:1", "")
	got := runGuest(t, context.Background(), func(o *Options) { o.Stderr = slave })
	if !strings.Contains(got.stdout, "\ntty.cooked=1\n") {
		t.Errorf("a terminal without keys is not said to stay as it is: %q", got.stdout)
	}
	got = runGuest(t, context.Background(), func(o *Options) { o.Stdin = slave })
	for _, line := range []string{"tty=24 80 800 480 ", "file.stdin=tty\n", "file.stdout=10600 0 0\n"} {
		if !strings.Contains(got.stdout, line) {
			t.Errorf("no %q in the settings %q", line, got.stdout)
		}
	}
}

// TestTerminal runs a guest on a terminal, which is raw meanwhile and as it was
// afterwards, whatever the end.
func TestTerminal(t *testing.T) {
	for _, tt := range []struct{ do, shown string }{
		{"ctl:yolk_main tty:hello_ttyecho:3 ctl:yolk_exit_0 end:1", "hello\nabc"},
		// As the kernel, it waits for its log to be where it belongs before it writes to another port.
		{"uart:log says:console-sent_4 hears:console-passed_4 ctl:yolk_main keys:3 tty:x ctl:yolk_exit_3 end:1", "log\r\nx\n"},
		{"ctl:yolk_main keys:3 complain:broken signal", ""},
	} {
		master, slave := openPTY(t)
		before := termiosOf(t, slave)
		fakes(t, strings.ReplaceAll(tt.do, "_ttyecho", " ttyecho"), "")
		during := make(chan unix.Termios, 1)
		runGuest(t, context.Background(), func(o *Options) {
			o.Stdin, o.Stdout, o.Stderr, o.Console = slave, slave, slave, slave
			o.OnMain = func() {
				// Keys are handed over at the same time.
				for end := time.Now().Add(time.Minute); ; time.Sleep(time.Millisecond) {
					m := termiosOf(t, slave)
					if m.Lflag&unix.ISIG == 0 || time.Now().After(end) {
						during <- m
						break
					}
				}
				master.WriteString("abc")
			}
		})
		if m := <-during; m.Lflag&(unix.ICANON|unix.ECHO|unix.ISIG) != 0 || m.Oflag&unix.OPOST != 0 || m.Iflag&unix.ICRNL != 0 {
			t.Errorf("%s: the terminal is not raw: %+v", tt.do, m)
		}
		if after := termiosOf(t, slave); after != before {
			t.Errorf("%s: the terminal was left as %+v, want %+v", tt.do, after, before)
		}
		got := make([]byte, len(tt.shown)) // the terminal has it already
		if n, err := io.ReadFull(master, got); err != nil || string(got) != tt.shown {
			t.Errorf("%s: shown %q, %v, want %q", tt.do, got[:n], err, tt.shown)
		}
	}
}

// TestHangs: a guest that takes no Ctrl-C is ended from the keyboard, one that
// takes them is not.
func TestHangs(t *testing.T) {
	at := time.Now()
	hung := func(k *keyboard) bool {
		select {
		case <-k.hangs:
			return true
		default:
			return false
		}
	}
	k := newKeyboard(nil)
	for i, tt := range []struct {
		after time.Duration
		taken bool
		hangs bool
	}{
		{0, false, false}, {time.Second, false, false}, {time.Second, false, false}, // many at once are but a hurry
		{0, false, false}, {untakenTime - 1, false, false}, {untakenTime, false, true},
		{untakenTime, true, false}, {2 * untakenTime, false, false}, {4 * untakenTime, false, true},
	} {
		if i == 3 {
			k.taken()
			at = at.Add(time.Hour)
		}
		if tt.taken {
			k.taken()
		}
		k.typed(at.Add(tt.after))
		if got := hung(k); got != tt.hangs {
			t.Errorf("Ctrl-C %d: hangs %t, want %t", i, got, tt.hangs)
		}
	}
}

// TestWindowSize: the kernel learns the new size before the program gets the
// signal.
func TestWindowSize(t *testing.T) {
	_, slave := openPTY(t)
	fakes(t, "ctl:yolk_main hears:window-size_30_100_0_0 hears:signal_28 ctl:yolk_exit_0 end:1", "")
	got := runGuest(t, context.Background(), func(o *Options) {
		o.Stdout = slave
		signals := make(chan os.Signal, 1)
		o.Signals = signals
		o.OnMain = func() {
			if err := unix.IoctlSetWinsize(int(slave.Fd()), unix.TIOCSWINSZ, &unix.Winsize{Row: 30, Col: 100}); err != nil {
				t.Error(err)
			}
			signals <- unix.SIGWINCH
		}
	})
	if got.err != nil || got.status != 0 {
		t.Errorf("%d, %v", got.status, got.err)
	}
}
