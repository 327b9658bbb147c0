package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"runtime/debug"
	"slices"
	"strings"
	"syscall"
	"time"

	"golang.org/x/term"
	"mvdan.cc/sh/v3/expand"
	"mvdan.cc/sh/v3/interp"
)

// process is a command that runs: it has what a process of a kernel would have,
// so that several can run at the same time. Names of files are relative to its
// directory: at makes paths of them.
type process struct {
	// ctx ends when the command is to end: after Ctrl-C, and when nobody
	// reads what it writes any more.
	ctx  context.Context
	stop context.CancelCauseFunc
	line context.Context // ends after Ctrl-C
	done []func() bool   // what the end of the command takes back

	sh    *shell
	name  string
	dir   string
	env   expand.Environ
	stdin *os.File // nil: there is no input
	in    io.Reader
	out   io.Writer
	errs  io.Writer
	last  io.Writer // is errs, also after Ctrl-C, for what is to be said in the end

	// width is that of the terminal that out is, in columns; 0 if it is none.
	width int
	// color tells that out shows colours.
	color bool
}

func newProcess(ctx context.Context, sh *shell, hc interp.HandlerContext) *process {
	p := &process{sh: sh, dir: hc.Dir, env: hc.Env, line: ctx}
	p.ctx, p.stop = context.WithCancelCause(ctx)
	p.stdin, _ = hc.Stdin.(*os.File)
	p.in = strings.NewReader("")
	if p.stdin != nil {
		p.in = stoppable{p: p, r: p.stdin}
		p.atStop(func() { p.stdin.SetReadDeadline(past) })
	}
	p.out, p.errs = stoppable{p: p, w: hc.Stdout}, stoppable{p: p, w: hc.Stderr}
	p.last = hc.Stderr
	if out, ok := hc.Stdout.(*os.File); ok {
		p.width, _ = terminalSize(out)
		if p.width == 0 {
			p.atStop(func() { out.SetWriteDeadline(past) })
		}
		kind := p.env.Get("TERM").String()
		p.color = p.width > 0 && kind != "" && kind != "dumb" && p.env.Get("NO_COLOR").String() == ""
	}
	return p
}

// atStop has f called when the line is interrupted before the command ends.
func (p *process) atStop(f func()) { p.done = append(p.done, context.AfterFunc(p.line, f)) }

// past is a deadline that wakes who waits for a pipe or a terminal.
var past = time.Unix(1, 0)

// terminalSize is the size of a terminal in columns and rows, 0 if it is none.
func terminalSize(f *os.File) (width, height int) {
	// Not Fd, which takes a pipe's deadlines away.
	c, err := f.SyscallConn()
	if err != nil {
		return 0, 0
	}
	c.Control(func(fd uintptr) { width, height, err = term.GetSize(int(fd)) })
	if err != nil {
		return 0, 0
	}
	if width <= 0 {
		width = 80
	}
	if height <= 0 {
		height = 24
	}
	return width, height
}

// patience is how long a command may take to end after Ctrl-C. One that waits for
// something else, a FIFO for example, is left behind.
const patience = time.Second

// run runs a command, prints its error, and returns its status as the
// interpreter wants it.
func (p *process) run(c *command, args []string) error {
	p.name = c.name
	done := make(chan error, 1)
	go func() {
		defer func() {
			if v := recover(); v != nil {
				done <- fmt.Errorf("panic: %v\n%s", v, debug.Stack())
			}
		}()
		done <- c.start(p, args)
	}()
	var err error
	select {
	case err = <-done:
	case <-p.ctx.Done():
		select {
		case err = <-done:
		case <-time.After(patience):
			err = p.interrupted()
		}
	}
	if err := p.line.Err(); err != nil {
		return err // which ends the line
	}
	defer p.stop(nil)
	for _, stop := range p.done {
		stop()
	}
	var exit interp.ExitStatus
	var usage usageError
	switch {
	case err == nil:
		return nil
	case errors.Is(err, syscall.EPIPE):
		return interp.ExitStatus(brokenPipe)
	case errors.As(err, &exit):
		return exit
	case errors.Is(err, errHelp):
		c.help(p)
		return nil
	case errors.As(err, &usage):
		fmt.Fprintf(p.errs, "%s: %s (usage: %s)\n", c.name, usage, c.usage())
		return interp.ExitStatus(2)
	}
	p.complain(c.name, err)
	return interp.ExitStatus(1)
}

// start runs the command but where it is asked what it does, or is given what it would not look at. A script, which is
// none of help's, sees to that itself.
func (c *command) start(p *process, args []string) error {
	switch {
	case findCommand(c.name) != c:
	case len(args) == 1 && args[0] == "--help":
		return errHelp
	case c.args == "" && len(args) > 0:
		return usageError("no arguments are taken")
	}
	return c.run(p, args)
}

// interrupted is the error of a command that is to end, at places where one may
// take long.
func (p *process) interrupted() error { return context.Cause(p.ctx) }

// sleep waits, or returns the error of a command that is to end.
func (p *process) sleep(d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-p.ctx.Done():
		return p.interrupted()
	}
}

// stoppable is a reader or writer that fails once its command is to end. A
// command whose output nobody reads is to end.
type stoppable struct {
	p *process
	r io.Reader
	w io.Writer
}

func (c stoppable) Read(b []byte) (int, error) {
	if err := c.p.interrupted(); err != nil {
		return 0, err
	}
	n, err := c.r.Read(b)
	if errors.Is(err, os.ErrDeadlineExceeded) && c.p.interrupted() != nil {
		err = c.p.interrupted()
	}
	return n, err
}

func (c stoppable) Write(b []byte) (int, error) {
	if err := c.p.interrupted(); err != nil {
		return 0, err
	}
	n, err := c.w.Write(b)
	if errors.Is(err, os.ErrDeadlineExceeded) && c.p.interrupted() != nil {
		err = c.p.interrupted()
	}
	if errors.Is(err, syscall.EPIPE) {
		c.p.stop(err)
	}
	return n, err
}

func (p *process) printf(format string, args ...any) { fmt.Fprintf(p.out, format, args...) }

// complain reports an error of a command that goes on.
func (p *process) complain(name string, err error) {
	fmt.Fprintf(p.errs, "%s: %v\n", name, relative(err, p.dir))
}

// at is the path of a file: relative names begin in the command's directory. It
// is not cleaned, as link/.. is not the same as nothing.
func (p *process) at(name string) string { return at(p.dir, name) }

func at(dir, name string) string {
	if name == "" || strings.HasPrefix(name, "/") {
		return name
	}
	return strings.TrimSuffix(dir, "/") + "/" + name
}

// relative has an error name files as the user does: without the directory that
// at has put before them.
func relative(err error, dir string) error {
	dir = strings.TrimSuffix(dir, "/") + "/"
	var path *fs.PathError
	var link *os.LinkError
	switch {
	case dir == "/":
	case errors.As(err, &path):
		path.Path = strings.TrimPrefix(path.Path, dir)
	case errors.As(err, &link):
		link.Old, link.New = strings.TrimPrefix(link.Old, dir), strings.TrimPrefix(link.New, dir)
	}
	return err
}

// exported are the variables that a process gets, as in os.Environ.
func (p *process) exported() (list []string) {
	values := make(map[string]string)
	for name, v := range p.env.Each {
		delete(values, name) // what comes later counts
		if v.IsSet() && v.Exported && v.Kind == expand.String {
			values[name] = v.String()
		}
	}
	for _, name := range slices.Sorted(maps.Keys(values)) {
		list = append(list, name+"="+values[name])
	}
	return list
}

// input is a file that a command reads.
type input struct {
	io.Reader
	name string   // empty for the command's input
	file *os.File // nil if the command has no input
}

// inputs calls f for each file, or for the command's input if there is none; -
// is the command's input, too. It goes on after an error and returns the last.
func (p *process) inputs(names []string, f func(input) error) (last error) {
	if len(names) == 0 {
		names = []string{"-"}
	}
	return p.each(names, func(name string) error {
		if name == "-" {
			return f(input{p.in, "", p.stdin})
		}
		file, err := os.Open(p.at(name))
		if err != nil {
			return err
		}
		defer file.Close()
		defer context.AfterFunc(p.ctx, func() { file.SetReadDeadline(past) })()
		return f(input{stoppable{p: p, r: file}, name, file})
	})
}

// each calls f for each name. It reports the errors but for the last, which it
// returns.
func (p *process) each(names []string, f func(name string) error) (last error) {
	for _, name := range names {
		if err := p.interrupted(); err != nil {
			return err
		}
		if err := f(name); err != nil {
			if last != nil {
				p.complain(p.name, last)
			}
			last = err
		}
	}
	return last
}

// walk calls f for a file and, if it is a directory, for all below it, with their
// names as the user would write them and how deep they are. Links are not
// followed. f may return fs.SkipDir for a directory. What cannot be read is
// complained about.
func (p *process) walk(name string, f func(name string, info fs.FileInfo, depth int) error) error {
	info, err := os.Lstat(p.at(name))
	if err != nil {
		return err
	}
	return p.walkBelow(name, info, 0, f)
}

func (p *process) walkBelow(name string, info fs.FileInfo, depth int, f func(name string, info fs.FileInfo, depth int) error) error {
	if err := p.interrupted(); err != nil {
		return err
	}
	err := f(name, info, depth)
	if !info.IsDir() || err != nil {
		if errors.Is(err, fs.SkipDir) {
			return nil
		}
		return err
	}
	entries, err := os.ReadDir(p.at(name))
	if err != nil {
		p.complain(p.name, err)
	}
	for _, e := range entries {
		info, err := e.Info()
		if errors.Is(err, fs.ErrNotExist) {
			continue // removed in the meantime
		}
		if err != nil {
			p.complain(p.name, err)
			continue
		}
		if err := p.walkBelow(at(name, e.Name()), info, depth+1, f); err != nil {
			return err
		}
	}
	return nil
}
