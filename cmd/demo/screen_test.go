package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gdamore/tcell/v2"
)

// simulated is a screen in memory, of 40 columns and 6 rows, which keeps a copy of
// what it was last told to show.
type simulated struct {
	tcell.SimulationScreen
	shown *atomic.Value
}

func (s simulated) Init() error { return nil } // it is

func (s simulated) Show() {
	s.SimulationScreen.Show()
	s.shown.Store(s.contents())
}

func (s simulated) Sync() {
	s.SimulationScreen.Sync()
	s.shown.Store(s.contents())
}

func (s simulated) text() string {
	text, _ := s.shown.Load().(string)
	return text
}

// onSimulated runs a command on a simulated screen, and returns it with what the
// command ends with.
func onSimulated(t *testing.T, run func(p *process, args []string) error, stdin io.Reader, args ...string) (simulated, <-chan error) {
	t.Helper()
	sh, err := newShell("", nil, io.Discard, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	screen := simulated{tcell.NewSimulationScreen("UTF-8"), new(atomic.Value)}
	if err := screen.SimulationScreen.Init(); err != nil {
		t.Fatal(err)
	}
	screen.SetSize(40, 6)
	sh.newScreen = func() (tcell.Screen, error) { return screen, nil }
	p := &process{ctx: t.Context(), sh: sh, dir: cwd(t), env: sh.runner.Env, in: stdin, out: io.Discard, errs: io.Discard, width: 40}
	if f, ok := stdin.(*os.File); ok {
		p.stdin = f
	}
	ended := make(chan error, 1)
	go func() { ended <- run(p, args) }()
	return screen, ended
}

func (s simulated) contents() string {
	cells, width, height := s.GetContents()
	var b strings.Builder
	for y := range height {
		var line strings.Builder
		for x := range width {
			line.WriteString(string(cells[y*width+x].Runes))
		}
		b.WriteString(strings.TrimRight(line.String(), " ") + "\n")
	}
	return b.String()
}

// wait waits until the screen shows a text.
func (s simulated) wait(t *testing.T, text string) {
	t.Helper()
	for end := time.Now().Add(time.Minute); !strings.Contains(s.text(), text); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("the screen shows\n%swithout %q", s.text(), text)
		}
	}
}

func (s simulated) keys(keys ...any) {
	for _, k := range keys {
		switch k := k.(type) {
		case string:
			for _, r := range k {
				s.InjectKey(tcell.KeyRune, r, 0)
			}
		case tcell.Key:
			s.InjectKey(k, 0, 0)
		}
	}
}

func TestLess(t *testing.T) {
	t.Chdir(t.TempDir())
	var text strings.Builder
	for i := range 5000 {
		fmt.Fprintf(&text, "line %d\n", i+1)
	}
	text.WriteString("a\ttab \x1b[31mred\x1b[0m \x01\xff 卵 " + strings.Repeat("long ", 20) + "end")
	if err := os.WriteFile("text", []byte(text.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	s, ended := onSimulated(t, less, nil, "text")
	s.wait(t, "line 1\nline 2\nline 3\nline 4\nline 5\ntext  lines 1-5")
	s.keys("j")
	s.wait(t, "line 2\n")
	s.keys(tcell.KeyPgDn, " ")
	s.wait(t, "line 10\n")
	s.keys("b", tcell.KeyUp)
	s.wait(t, "line 5\nline 6")
	s.keys("/4999", tcell.KeyEnter)
	s.wait(t, "a       tab red ^A<FF> 卵")
	s.keys(tcell.KeyRight, tcell.KeyRight, tcell.KeyRight, tcell.KeyRight, tcell.KeyRight)
	s.wait(t, "end\n")
	s.keys("g", tcell.KeyLeft, tcell.KeyLeft, tcell.KeyLeft, tcell.KeyLeft, tcell.KeyLeft)
	s.wait(t, "line 1\n")
	s.keys("G")
	s.wait(t, "of 5001 (end)")
	s.keys("g/no such", tcell.KeyEnter)
	s.wait(t, "not found")
	s.keys("/(", tcell.KeyEnter)
	s.wait(t, "missing closing")
	s.keys("/9x", tcell.KeyBackspace2, tcell.KeyEnter)
	s.wait(t, "line 9\n")
	s.keys("nn")
	s.wait(t, "line 29\n")
	s.keys("N")
	s.wait(t, "line 19\nline 20")
	s.keys("q")
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

// What has no end is read as far as it is looked at.
func TestLessWithoutEnd(t *testing.T) {
	t.Chdir(t.TempDir())
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	written := make(chan int, 1)
	go func() {
		n := 0
		for {
			if _, err := io.WriteString(w, strings.Repeat("y", 99)+"\n"); err != nil {
				written <- n
				return
			}
			n++
		}
	}()
	s, ended := onSimulated(t, less, r)
	s.wait(t, "yyy")
	s.wait(t, "standard input  lines 1-5  q leaves")
	s.keys("q")
	if err := <-ended; err != nil {
		t.Error(err)
	}
	r.Close()
	if n := <-written; n > 1<<20/100+2*ahead {
		t.Errorf("%d lines were taken of which 5 were looked at", n)
	}
}

// What was found becomes the first line when there are enough behind it.
func TestLessFoundEarly(t *testing.T) {
	t.Chdir(t.TempDir())
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	s, ended := onSimulated(t, less, r)
	io.WriteString(w, "1\n2\n3\n4\n5\n6\n7\nthis\n9\n")
	s.wait(t, "lines 1-5")
	s.keys("/this", tcell.KeyEnter)
	s.wait(t, "5\n6\n7\nthis\n9\n")
	io.WriteString(w, "10\n11\n12\n13\n14\n")
	s.wait(t, "this\n9\n10\n11\n12\nstandard input  lines 8-12")
	s.keys("q")
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

func TestLessErrors(t *testing.T) {
	t.Chdir(t.TempDir())
	for _, args := range [][]string{{"nosuch"}, {"."}, {}, {"-Q"}} {
		_, ended := onSimulated(t, less, nil, args...)
		if err := <-ended; err == nil {
			t.Errorf("less %q: no error", args)
		}
	}
}

func TestEditor(t *testing.T) {
	t.Chdir(t.TempDir())
	const before = "one\r\n\ttwo 卵\n\nlast" // is kept as it is
	if err := os.WriteFile("f", []byte(before), 0o640); err != nil {
		t.Fatal(err)
	}
	read := func() string {
		text, err := os.ReadFile("f")
		if err != nil {
			t.Error(err)
		}
		return string(text)
	}
	s, ended := onSimulated(t, edit, nil, "f")
	s.wait(t, "last\n")
	s.keys("X", tcell.KeyDown, tcell.KeyHome, tcell.KeyEnter, tcell.KeyTab, "new", tcell.KeyCtrlS)
	s.wait(t, "saved, ")
	if want := "Xone\r\n\n\tnew\ttwo 卵\n\nlast"; read() != want {
		t.Errorf("it has %q, want %q", read(), want)
	}
	s.keys(tcell.KeyCtrlF)
	s.wait(t, "search:")
	s.keys("last", tcell.KeyEnter, "Z", tcell.KeyCtrlC)
	s.wait(t, "It is not saved.")
	s.keys("x")
	s.wait(t, "(changed)")
	s.keys(tcell.KeyCtrlC)
	s.wait(t, "It is not saved.")
	s.keys("s")
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if want := "Xone\r\n\n\tnew\ttwo 卵\n\nZ"; read() != want {
		t.Errorf("it has %q, want %q", read(), want)
	}
	if info, err := os.Stat("f"); err != nil || info.Mode().Perm() != 0o640 {
		t.Errorf("%v, %v", info, err)
	}
	s, ended = onSimulated(t, edit, nil, "f")
	s.wait(t, "new")
	s.keys("dropped", tcell.KeyEscape)
	s.wait(t, "It is not saved.")
	s.keys("d")
	if err := <-ended; err != nil || strings.Contains(read(), "dropped") {
		t.Errorf("%v, %q", err, read())
	}
	s, ended = onSimulated(t, edit, nil, "none")
	s.wait(t, "none  1:1")
	s.keys(tcell.KeyCtrlC)
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if _, err := os.Stat("none"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a file that nobody saved: %v", err)
	}
	for name, text := range map[string]string{"bytes": "a\x00b", "latin": "\xe4"} {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		_, ended := onSimulated(t, edit, nil, name)
		if err := <-ended; err == nil || !strings.Contains(err.Error(), "no text") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestWatch(t *testing.T) {
	t.Chdir(t.TempDir())
	s, ended := onSimulated(t, watch, nil, "-n", "0.1", "echo x >> f; wc -l < f; false")
	s.wait(t, "every 100ms: echo x >> f;")
	s.wait(t, "\n3\n")
	s.keys("q")
	if err := <-ended; err != nil {
		t.Error(err)
	}
	sh := newTestShell(t)
	want(t, sh, "watch -n 0.1 echo 'a  b' | grep -v ^every | head -2", "\na  b\n")
}

func TestVisible(t *testing.T) {
	for line, want := range map[string]string{
		"a\tb\t\tc": "a       b               c", "\x1b[1;31mred\x1b[m": "red", "\x1b]0;title\x07": "^[]0;title^G",
		"\r\x7f\x00": "^M^?^@", "\xff\xc3": "<FF><C3>", "яйцо 卵": "яйцо 卵", "a‮b": "a?b", "": "",
	} {
		if got := visible(line); got != want {
			t.Errorf("%q: got %q, want %q", line, got, want)
		}
	}
}
