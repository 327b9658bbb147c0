package main

import (
	"bufio"
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	"golang.org/x/term"
)

// shell is where commands read and write. Each command of a pipeline has its
// own copy.
type shell struct {
	in   io.Reader
	out  io.Writer
	errs io.Writer
	// width of the terminal that out is, in columns; 0 if it is none.
	width int
	// proc is the directory with the kernel's own files.
	proc string
	// stop closes when the command is to end; nil: it never does.
	stop <-chan struct{}
}

func newShell(in io.Reader, out, errs io.Writer) *shell {
	return &shell{in: in, out: out, errs: errs, proc: "/proc"}
}

func (s *shell) printf(format string, args ...any) { fmt.Fprintf(s.out, format, args...) }

// complain reports an error of a command that goes on.
func (s *shell) complain(name string, err error) { fmt.Fprintf(s.errs, "%s: %v\n", name, err) }

// interact reads commands until the end of the input or exit.
func (s *shell) interact() error {
	fd := int(os.Stdin.Fd())
	if !term.IsTerminal(fd) {
		return s.script(s.in)
	}
	old, err := term.MakeRaw(fd)
	if err != nil {
		return err
	}
	defer term.Restore(fd, old)
	return s.edit()
}

// edit reads lines with a line editor.
func (s *shell) edit() error {
	keys := newKeyboard(s.in)
	t := term.NewTerminal(struct {
		io.Reader
		io.Writer
	}{keys, s.out}, "")
	width, height := terminalSize()
	t.SetSize(width, height)
	t.AutoCompleteCallback = (&completer{list: t}).key
	e := *s
	e.in, e.out, e.errs, e.width = strings.NewReader(""), t, t, width
	e.welcome()
	for {
		dir, err := os.Getwd()
		t.SetPrompt("demo:" + dir + "> ")
		line, err := t.ReadLine()
		if errors.Is(err, io.EOF) {
			io.WriteString(s.out, "\r\n")
			return nil
		}
		if err != nil && !errors.Is(err, term.ErrPasteIndicator) {
			return err
		}
		err = keys.run(func(stop <-chan struct{}) error {
			c := e
			c.stop = stop
			c.out, c.errs = stoppable{s: &c, w: t}, stoppable{s: &c, w: t}
			return c.line(line)
		})
		var exit exitError
		switch {
		case errors.As(err, &exit):
			return exit
		case errors.Is(err, errInterrupted):
			fmt.Fprintln(t, "^C")
		case err != nil:
			fmt.Fprintln(t, err)
		}
	}
}

func (s *shell) welcome() {
	if version, err := s.procFile("version"); err == nil {
		s.printf("%s", version)
	}
	s.printf("Type help for the commands. Tab completes, Ctrl-C ends a command, Ctrl-D or exit the shell.\n\n")
}

// terminalSize asks the terminal, or the environment where it cannot be asked.
func terminalSize() (width, height int) {
	if width, height, err := term.GetSize(int(os.Stdout.Fd())); err == nil && width > 0 {
		return width, height
	}
	width, _ = strconv.Atoi(os.Getenv("COLUMNS"))
	height, _ = strconv.Atoi(os.Getenv("LINES"))
	return cmp.Or(max(width, 0), 80), cmp.Or(max(height, 0), 24)
}

// script runs the lines of r up to the first that fails.
func (s *shell) script(r io.Reader) error {
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		if err := s.interrupted(); err != nil {
			return err
		}
		err := s.line(lines.Text())
		if stopped := s.interrupted(); stopped != nil {
			return stopped
		}
		var exit exitError
		if err != nil && !errors.As(err, &exit) {
			fmt.Fprintln(s.errs, err)
			return exitError(1)
		}
		if err != nil {
			return err
		}
	}
	return lines.Err()
}

// line runs a line: pipelines, one after the other.
func (s *shell) line(line string) error {
	words, err := splitLine(line)
	if err != nil {
		return err
	}
	for len(words) > 0 {
		if err := s.interrupted(); err != nil {
			return err
		}
		n := 0
		for n < len(words) && !(words[n].operator && words[n].text == ";") {
			n++
		}
		if n > 0 {
			if err := s.pipeline(words[:n]); err != nil {
				return err
			}
		}
		words = words[min(n+1, len(words)):]
	}
	return nil
}

// command runs one command with the arguments as they are.
func (s *shell) command(args []string) error {
	c := findCommand(args[0])
	if c == nil {
		return fmt.Errorf("%s: no such command; help lists them", args[0])
	}
	err := c.run(s, args[1:])
	var exit exitError
	var usage usageError
	switch {
	case err == nil || errors.As(err, &exit):
		return err
	case errors.As(err, &usage):
		return fmt.Errorf("%s: %s (usage: %s)", c.name, usage, strings.TrimSpace(c.name+" "+c.args))
	}
	return fmt.Errorf("%s: %w", c.name, err)
}
