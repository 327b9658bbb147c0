package main

import (
	"bytes"
	"errors"
	"io"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// screen is what a terminal shows, for a test that waits for it.
type screen struct {
	mu   sync.Mutex
	more sync.Cond
	text bytes.Buffer
}

func newScreen() *screen {
	s := &screen{}
	s.more.L = &s.mu
	return s
}

func (s *screen) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.more.Broadcast()
	return s.text.Write(p)
}

// wait waits until the screen shows a text behind what it has shown, and takes
// all up to there away.
func (s *screen) wait(t *testing.T, text string) {
	t.Helper()
	timer := time.AfterFunc(time.Minute, func() { // only reached by a fault
		s.more.Broadcast()
	})
	defer timer.Stop()
	start := time.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	for {
		if i := strings.Index(s.text.String(), text); i >= 0 {
			s.text.Next(i + len(text))
			return
		}
		if time.Since(start) > time.Minute {
			t.Fatalf("the screen shows %q, without %q", &s.text, text)
		}
		s.more.Wait()
	}
}

// Ctrl-C ends the command, or the line, and never the shell.
func TestInterrupt(t *testing.T) {
	s := newTestShell(t)
	if err := os.MkdirAll("from/sub", 0o755); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{"from/sub/a": "a", "script": "cat /dev/zero | wc\necho no\n"} {
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink("sub", "from/link"); err != nil {
		t.Fatal(err)
	}
	in, keys := io.Pipe()
	t.Setenv("COLUMNS", "1000") // lines that wrap are hard to wait for
	show := newScreen()
	s.in, s.out = in, show
	ended := make(chan error, 1)
	go func() { ended <- s.edit() }()
	typed := func(text string) {
		t.Helper()
		if _, err := io.WriteString(keys, text); err != nil {
			t.Fatal(err)
		}
	}
	show.wait(t, "demo:")
	typed("exit 3") // not the end of the line
	show.wait(t, "exit 3")
	typed("\x03")
	show.wait(t, "demo:")
	for _, command := range []string{
		"cat /dev/zero > /dev/null", "cat /dev/zero | cat | wc", "cp /dev/zero /dev/null", "sum /dev/zero; echo no",
		"source script", "time cat /dev/zero > /dev/null", "hexdump /dev/zero > /dev/null",
	} {
		typed(command + "\r")
		show.wait(t, "\n")
		typed("echo typed ahead\r\x03") // goes with the command
		show.wait(t, "^C\r\n")
		show.wait(t, "demo:")
		typed("echo a'l'ive\r")
		show.wait(t, "\nalive\r\n")
		show.wait(t, "demo:")
	}
	typed("cp -r from to\r")
	show.wait(t, "demo:")
	if target, err := os.Readlink("to/link"); err != nil || target != "sub" {
		t.Errorf("the copied link: %q, %v", target, err)
	}
	typed("exit 7\r")
	if err := <-ended; status(err) != 7 {
		t.Errorf("status %d, want 7", status(err))
	}
}

// A command that waits for something else is left behind.
func TestInterruptStuck(t *testing.T) {
	s := newTestShell(t)
	if err := syscall.Mkfifo("fifo", 0o600); err != nil {
		t.Skip(err)
	}
	in, keys := io.Pipe()
	k := newKeyboard(in)
	err := k.run(func(stop <-chan struct{}) error {
		s.stop = stop
		go io.WriteString(keys, "\x03")
		return s.line("cat fifo")
	})
	if !errors.Is(err, errInterrupted) {
		t.Errorf("error %v", err)
	}
	if f, err := os.OpenFile("fifo", os.O_WRONLY|syscall.O_NONBLOCK, 0); err == nil { // lets go of the reader
		f.Close()
	}
}

// What one interrupts is not left half there.
func TestInterrupted(t *testing.T) {
	s := newTestShell(t)
	stop := make(chan struct{})
	close(stop)
	s.stop = stop
	if err := os.MkdirAll("d/e", 0o755); err != nil {
		t.Fatal(err)
	}
	for _, line := range []string{"cat", "tree", "cp -r d f", "tour", "ls d; ls d", "mkdir x"} {
		if _, err := try(t, s, line); !errors.Is(err, errInterrupted) {
			t.Errorf("%s: error %v", line, err)
		}
	}
}
