package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/gdamore/tcell/v2"
	"mvdan.cc/sh/v3/expand"
	"mvdan.cc/sh/v3/interp"
	"mvdan.cc/sh/v3/syntax"
)

// shell runs the language of shells, with the commands of this program.
type shell struct {
	runner *interp.Runner
	errs   io.Writer
	// proc is the directory with the kernel's own files.
	proc string
	// history lists the lines that were typed; nil: there is no line editor.
	history func(io.Writer) error
	// newScreen makes the whole terminal one to draw on.
	newScreen func() (tcell.Screen, error)
}

// newShell makes a shell in a directory, or in the current one if dir is empty.
func newShell(dir string, in io.Reader, out, errs io.Writer) (*shell, error) {
	sh := &shell{errs: errs, proc: "/proc", newScreen: tcell.NewScreen}
	env := os.Environ()
	if os.Getenv("HOME") == "" {
		env = append(env, "HOME=/")
	}
	r, err := sh.newRunner(dir, expand.ListEnviron(env...), in, out, errs)
	sh.runner = r
	return sh, err
}

// newRunner makes an interpreter of its own, as a process of the shell's would be.
func (sh *shell) newRunner(dir string, env expand.Environ, in io.Reader, out, errs io.Writer) (*interp.Runner, error) {
	return interp.New(
		interp.Dir(dir),
		interp.Env(env),
		interp.StdIO(in, out, errs),
		interp.Interactive(true),
		interp.CallHandler(beforeCall),
		interp.ExecHandlers(func(interp.ExecHandlerFunc) interp.ExecHandlerFunc { return sh.exec }),
		interp.OpenHandler(open),
	)
}

// own marks a command of this program that the interpreter has another of.
const own = "demo:"

// printers are the interpreter's own commands that do nothing but print.
var printers = []string{"dirs", "echo", "printf", "pwd", "type"}

// beforeCall sees each command before the interpreter does, its own too. One that
// prints to a pipe that nobody reads any more ends its shell, as SIGPIPE does
// elsewhere: the interpreter would not notice, and go on with a loop around it.
func beforeCall(ctx context.Context, args []string) ([]string, error) {
	if out, ok := interp.HandlerCtx(ctx).Stdout.(*os.File); ok && slices.Contains(printers, args[0]) && nobodyReads(out) {
		return []string{"exit", strconv.Itoa(brokenPipe)}, nil
	}
	if interp.IsBuiltin(args[0]) && findCommand(args[0]) != nil {
		args = append([]string{own + args[0]}, args[1:]...)
	}
	return args, nil
}

// brokenPipe is the status of a command that has written to a pipe that nobody
// reads: 128 and the number of SIGPIPE.
const brokenPipe = 141

// open opens the file of a redirection. One that does not open, a FIFO whose
// other end nobody has, is left behind when the line is interrupted.
func open(ctx context.Context, name string, flag int, perm os.FileMode) (io.ReadWriteCloser, error) {
	path := at(interp.HandlerCtx(ctx).Dir, name)
	type result struct {
		f   *os.File
		err error
	}
	opened := make(chan result, 1)
	go func() {
		f, err := os.OpenFile(path, flag, perm)
		opened <- result{f, err}
	}()
	select {
	case r := <-opened:
		if r.err != nil {
			return nil, relative(r.err, interp.HandlerCtx(ctx).Dir)
		}
		return r.f, nil
	case <-ctx.Done():
		go func() {
			if r := <-opened; r.err == nil {
				r.f.Close()
			}
		}()
		return nil, ctx.Err()
	}
}

// exec runs what is neither a function nor known to the interpreter itself: a
// command of this program, or a script.
func (sh *shell) exec(ctx context.Context, args []string) error {
	hc := interp.HandlerCtx(ctx)
	p := newProcess(ctx, sh, hc)
	if c := findCommand(strings.TrimPrefix(args[0], own)); c != nil {
		return p.run(c, args[1:])
	}
	path, err := interp.LookPathDir(hc.Dir, hc.Env, args[0])
	if err != nil {
		if strings.Contains(args[0], "/") {
			_, err = os.Stat(p.at(args[0]))
			if err == nil {
				err = errors.New("not an executable file")
			}
			p.complain(args[0], err)
			return interp.ExitStatus(126)
		}
		p.complain(args[0], errors.New("no such command; help lists them"))
		return interp.ExitStatus(127)
	}
	return p.run(&command{name: args[0], run: func(p *process, args []string) error { return p.runFile(path, p.name, args) }}, args[1:])
}

// runFile runs a script. There is nobody to run another program.
func (p *process) runFile(path, name string, args []string) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	first, _, _ := strings.Cut(string(text), "\n")
	if line, ok := strings.CutPrefix(first, "#!"); ok {
		program := strings.Fields(line)
		if len(program) > 0 && filepath.Base(program[0]) == "env" {
			program = program[1:]
		}
		if len(program) == 0 || !slices.Contains([]string{"sh", "bash", "dash", "demo"}, filepath.Base(program[0])) {
			return fmt.Errorf("a script for%s, and there are no processes: only scripts for sh run", line)
		}
	} else if strings.Contains(first, "\x00") {
		return errors.New("a program, and there are no processes: only scripts for sh run")
	}
	return p.shell(bytes.NewReader(text), name, args)
}

// shell runs a text in a shell of its own, with its parameters.
func (p *process) shell(text io.Reader, name string, params []string) error {
	sub := *p.sh
	r, err := sub.newRunner(p.dir, expand.ListEnviron(p.exported()...), p.stdin, below(p.out), below(p.errs))
	if err != nil {
		return err
	}
	sub.runner, sub.errs = r, p.errs
	r.Params = params
	if status := sub.script(p.ctx, text, name); status != 0 {
		return interp.ExitStatus(status)
	}
	return nil
}

// below is what a command's output goes to: the commands of its shell look after
// it themselves.
func below(w io.Writer) io.Writer {
	if s, ok := w.(stoppable); ok {
		return s.w
	}
	return w
}

func runShell(p *process, args []string) error {
	f := p.flags()
	text := f.StringP("command", "c", "", "")
	f.SetInterspersed(false)
	if err := f.Parse(args); err != nil {
		return err
	}
	switch {
	case f.Changed("command"):
		name, params := "sh", f.Args()
		if len(params) > 0 {
			name, params = params[0], params[1:]
		}
		return p.shell(strings.NewReader(*text), name, params)
	case f.NArg() == 0:
		return usageError("no file and no command")
	}
	return p.runFile(p.at(f.Arg(0)), f.Arg(0), f.Args()[1:])
}

// script runs a text and returns its status.
func (sh *shell) script(ctx context.Context, text io.Reader, name string) (status int) {
	file, err := syntax.NewParser().Parse(text, name)
	if err != nil {
		fmt.Fprintln(sh.errs, err)
		return 2
	}
	status = sh.status(sh.runner.Run(ctx, file))
	if ctx.Err() != nil {
		return interrupted
	}
	return status
}

// stream runs a text statement by statement, as it comes, and returns the status
// of the last.
func (sh *shell) stream(ctx context.Context, text io.Reader) (status int) {
	for stmt, err := range syntax.NewParser().StmtsSeq(text) {
		if err != nil {
			fmt.Fprintln(sh.errs, err)
			return 2
		}
		status = sh.status(sh.runner.Run(ctx, stmt))
		if sh.runner.Exited() {
			return status
		}
	}
	// The end of a file is an exit, for a trap that waits for it.
	sh.runner.Run(ctx, &syntax.File{})
	return status
}

// status is the exit status that the interpreter's error means. What is not one
// is printed.
func (sh *shell) status(err error) int {
	var exit interp.ExitStatus
	switch {
	case err == nil:
		return 0
	case errors.As(err, &exit):
		return int(exit)
	case errors.Is(err, context.Canceled):
		return interrupted
	}
	fmt.Fprintln(sh.errs, err)
	return 1
}

// interrupted is the status of what Ctrl-C has ended: 128 and the number of SIGINT.
const interrupted = 130
