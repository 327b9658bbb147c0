package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"time"
	"unicode"

	"github.com/peterh/liner"
	"golang.org/x/term"
	"mvdan.cc/sh/v3/interp"
	"mvdan.cc/sh/v3/syntax"
)

// interact reads commands from a terminal, with a line editor, or else from
// whatever standard input is, and returns the status of the last.
func (sh *shell) interact() int {
	if !term.IsTerminal(int(os.Stdin.Fd())) || !term.IsTerminal(int(os.Stdout.Fd())) {
		if err := interp.StdIO(nil, os.Stdout, os.Stderr)(sh.runner); err != nil { // the commands are no input of theirs
			fmt.Fprintln(sh.errs, err)
			return 1
		}
		return sh.stream(context.Background(), os.Stdin)
	}
	t, err := newTerminal(sh)
	if err != nil {
		fmt.Fprintln(sh.errs, err)
		return 1
	}
	defer func() { t.lines.Close() }()
	return t.loop()
}

// terminal reads lines and runs them.
type terminal struct {
	sh    *shell
	lines *liner.State
	// How the terminal is while lines are edited, and while they run.
	edit, plain liner.ModeApplier
	signals     chan os.Signal
	cancel      context.CancelFunc // ends the line that runs
}

func newTerminal(sh *shell) (*terminal, error) {
	t := &terminal{sh: sh, signals: make(chan os.Signal, 1)}
	var err error
	if t.plain, err = liner.TerminalMode(); err != nil {
		return nil, err
	}
	if err := t.newEditor(); err != nil {
		return nil, err
	}
	sh.history = func(w io.Writer) error { _, err := t.lines.WriteHistory(w); return err }
	signal.Notify(t.signals, os.Interrupt)
	return t, nil
}

// newEditor makes a line editor, with the history of the one before, but without
// the lines that it had read ahead.
func (t *terminal) newEditor() (err error) {
	var history bytes.Buffer
	if t.lines != nil {
		t.lines.WriteHistory(&history)
		t.lines.Close()
	}
	t.lines = liner.NewLiner()
	t.lines.ReadHistory(&history)
	t.lines.SetCtrlCAborts(true)
	t.lines.SetMultiLineMode(true)
	t.lines.SetTabCompletionStyle(liner.TabPrints)
	t.lines.SetWordCompleter(t.sh.complete)
	t.edit, err = liner.TerminalMode()
	if err != nil {
		t.lines.Close()
	}
	return err
}

func (t *terminal) loop() (status int) {
	t.sh.welcome()
	for {
		file, err := t.read()
		switch {
		case errors.Is(err, liner.ErrPromptAborted):
			continue
		case errors.Is(err, io.EOF):
			fmt.Println()
			return status
		case errors.As(err, new(syntax.ParseError)) || errors.As(err, new(syntax.LangError)):
			fmt.Fprintln(os.Stderr, err)
			status = 2
			continue
		case err != nil:
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		for _, stmt := range file.Stmts {
			status = t.run(stmt)
			if t.sh.runner.Exited() && status != interrupted {
				return status
			}
			if status == interrupted {
				if err := t.newEditor(); err != nil {
					fmt.Fprintln(os.Stderr, err)
					return 1
				}
				break
			}
		}
	}
}

// read reads a whole command, of as many lines as it takes.
func (t *terminal) read() (*syntax.File, error) {
	t.edit.ApplyMode()
	defer t.plain.ApplyMode()
	prompt := promptFor(t.sh.runner.Dir)
	var text strings.Builder
	for {
		line, err := t.lines.Prompt(prompt)
		if err != nil {
			return nil, err
		}
		text.WriteString(line + "\n")
		file, err := syntax.NewParser().Parse(strings.NewReader(text.String()), "")
		if syntax.IsIncomplete(err) || strings.HasSuffix(line, `\`) && err == nil && !strings.HasSuffix(line, `\\`) {
			prompt = "> "
			continue
		}
		t.remember(text.String(), file)
		return file, err
	}
}

// promptFor is the prompt in a directory. The line editor wants room beside it.
func promptFor(dir string) string {
	shown := []rune(printable(dir))
	if len(shown) > 40 {
		shown = append([]rune("…"), shown[len(shown)-39:]...)
	}
	return "demo:" + string(shown) + "> "
}

// printable leaves nothing in a name that does something to a terminal, or that
// the line editor does not take.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.Is(unicode.C, r) || r == unicode.ReplacementChar {
			return '?'
		}
		return r
	}, s)
}

// remember has the editor know a command, as one line where it can be.
func (t *terminal) remember(text string, file *syntax.File) {
	text = strings.TrimRight(text, "\n")
	if strings.Contains(text, "\n") && file != nil {
		var one strings.Builder
		if err := syntax.NewPrinter(syntax.SingleLine(true)).Print(&one, file); err == nil {
			text = strings.TrimRight(one.String(), "\n")
		}
	}
	for line := range strings.SplitSeq(text, "\n") {
		if strings.TrimSpace(line) != "" {
			t.lines.AppendHistory(line)
		}
	}
}

// run runs a statement, which Ctrl-C ends. Its input is the terminal, opened for
// it alone: what is left behind reads nothing of what is typed later.
func (t *terminal) run(stmt *syntax.Stmt) (status int) {
	in, err := os.OpenFile("/dev/tty", os.O_RDWR, 0)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	if err := interp.StdIO(in, os.Stdout, os.Stderr)(t.sh.runner); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	select {
	case <-t.signals: // came while nothing ran
	default:
	}
	// Ends at Ctrl-C only: what runs in the background goes on behind the line.
	ctx, cancel := context.WithCancel(context.Background())
	t.cancel = cancel
	before := t.sh.runner.Subshell()
	done := make(chan int, 1)
	go func() { done <- t.sh.status(t.sh.runner.Run(ctx, stmt)) }()
	select {
	case status = <-done:
		in.Close()
		return status
	case <-t.signals:
	}
	t.cancel()
	select {
	case <-done:
	case <-time.After(2 * patience):
		// The interpreter itself waits for something: go on as it was before.
		t.sh.runner = before
	}
	in.Close()
	fmt.Println()
	return interrupted
}

func (sh *shell) welcome() {
	if version, err := os.ReadFile(sh.proc + "/version"); err == nil {
		fmt.Printf("%s", version)
	}
	fmt.Print("Type help for the commands. Tab completes, Ctrl-R searches what was typed,\n" +
		"Ctrl-C ends a command, Ctrl-D or exit the shell.\n\n")
}
