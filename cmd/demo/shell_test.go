package main

import (
	"bytes"
	"errors"
	"io"
	"os"
	"strings"
	"testing"
)

// try runs a line in a shell and returns what it prints.
func try(t *testing.T, s *shell, line string) (out string, err error) {
	t.Helper()
	var b bytes.Buffer
	c := *s
	c.out, c.errs = &b, &b
	err = c.line(line)
	return b.String(), err
}

// want runs a line that prints out and does not fail.
func want(t *testing.T, s *shell, line, out string) {
	t.Helper()
	if got, err := try(t, s, line); err != nil || got != out {
		t.Errorf("%s\nprints %q, %v\nwant   %q", line, got, err, out)
	}
}

// wantError runs a line that fails with an error that contains text.
func wantError(t *testing.T, s *shell, line, text string) {
	t.Helper()
	if got, err := try(t, s, line); err == nil || !strings.Contains(err.Error(), text) {
		t.Errorf("%s\nprints %q, %v\nwant an error with %q", line, got, err, text)
	}
}

func newTestShell(t *testing.T) *shell {
	t.Chdir(t.TempDir())
	return newShell(strings.NewReader(""), io.Discard, io.Discard)
}

func TestPipelines(t *testing.T) {
	s := newTestShell(t)
	want(t, s, "", "")
	want(t, s, "echo a 'b  c' | cat | wc", "1  3  7\n")
	want(t, s, "echo one > f; echo two >> f; cat f", "one\ntwo\n")
	want(t, s, "echo new > f; cat < f", "new\n")
	want(t, s, "cat f | cat < f | cat", "new\n")
	want(t, s, "echo -n a; echo b", "ab\n")
	wantError(t, s, "cat nosuch | wc", "nosuch")
	wantError(t, s, "nosuch", "no such command")
	wantError(t, s, "echo a |", "no command")
	wantError(t, s, "echo a >", "wants the name")
	wantError(t, s, "echo a > | cat", "wants the name")
	wantError(t, s, "echo 'a", "without its end")
	wantError(t, s, "cat < nosuch", "nosuch")
}

// A command that nobody listens to any more is stopped.
func TestPipelineEndsEarly(t *testing.T) {
	s := newTestShell(t)
	if err := os.WriteFile("big", bytes.Repeat([]byte("line\n"), 1<<20), 0o600); err != nil {
		t.Fatal(err)
	}
	want(t, s, "cat big | cat | head -n 2", "line\nline\n")
}

func TestExit(t *testing.T) {
	s := newTestShell(t)
	for line, status := range map[string]exitError{"exit": 0, "exit 7; echo no": 7, "echo a; exit 255": 255} {
		_, err := try(t, s, line)
		var exit exitError
		if !errors.As(err, &exit) || exit != status {
			t.Errorf("%s: %v, want status %d", line, err, status)
		}
	}
	wantError(t, s, "exit 256", "usage: exit [STATUS]")
	wantError(t, s, "exit a", "up to 255")
}

func TestScript(t *testing.T) {
	s := newTestShell(t)
	for _, c := range []struct {
		script, out string
		status      int
	}{
		{"echo a\n\n# nothing\necho b", "a\nb\n", 0},
		{"echo a\nexit 3\necho b\n", "a\n", 3},
		{"echo a\nnosuch\necho b\n", "a\nnosuch: no such command; help lists them\n", 1},
	} {
		var out bytes.Buffer
		c2 := *s
		c2.out, c2.errs = &out, &out
		if err := c2.script(strings.NewReader(c.script)); status(err) != c.status || out.String() != c.out {
			t.Errorf("%q: %q, status %d, want %q, %d", c.script, &out, status(err), c.out, c.status)
		}
		if err := os.WriteFile("script", []byte(c.script), 0o600); err != nil {
			t.Fatal(err)
		}
		if got, err := try(t, s, "source script"); got != c.out || status(err) != c.status {
			t.Errorf("source: %q: %q, %v", c.script, got, err)
		}
	}
}

// The line editor echoes, completes, remembers, and ends at Ctrl-D.
func TestEdit(t *testing.T) {
	s := newTestShell(t)
	if err := os.WriteFile("poem.txt", []byte("Humpty\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		keys   string
		shows  []string
		status int
	}{
		{"cat po\t\r\x04", []string{"cat poem.txt", "\r\nHumpty\r\n", "help"}, 0},
		{"cat poem.txx\x7ft\n\x04", []string{"Humpty"}, 0},
		{"echo first\r\x1b[A\x7f\x7f\x7f\x7f\x7fagain\r", []string{"first\r\n", "\r\nagain\r\n"}, 0},
		{"nosuch\rexit 9\recho no\r", []string{"no such command"}, 9},
	} {
		var screen bytes.Buffer
		s.in, s.out = strings.NewReader(c.keys), &screen
		err := s.edit()
		if status(err) != c.status {
			t.Errorf("%q: %v, want status %d", c.keys, err, c.status)
		}
		for _, text := range c.shows {
			if !strings.Contains(screen.String(), text) {
				t.Errorf("%q shows %q, without %q", c.keys, &screen, text)
			}
		}
	}
}

func TestHelpKnowsAll(t *testing.T) {
	s := newTestShell(t)
	out, err := try(t, s, "help")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range commands {
		if !strings.Contains(out, "\n"+c.name) && !strings.HasPrefix(out, c.name) {
			t.Errorf("help does not list %s", c.name)
		}
	}
	want(t, s, "help pwd", "pwd\n    print the working directory\n")
	wantError(t, s, "help nosuch", "no such command")
}
