package qemu

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"
)

// process is a child that dies with this process, whatever that dies of.
type process struct {
	name string
	cmd  *exec.Cmd
	errs tail
	done chan struct{} // closed when it has ended
	err  error         // how; valid after done
}

// descriptors collects the files that a child inherits.
type descriptors struct{ files []*os.File }

// add returns the number that a file will have in the child.
func (d *descriptors) add(f *os.File) int {
	d.files = append(d.files, f)
	return 2 + len(d.files)
}

// start starts a program. The files are closed here whether it starts or not:
// only the child shall keep them open. Its standard error goes to show and,
// the last part of it, into the error that end reports.
func start(name string, args []string, d *descriptors, show, trace io.Writer) (*process, error) {
	p := &process{name: name, cmd: exec.Command(name, args...), done: make(chan struct{})}
	if trace != nil {
		fmt.Fprintln(trace, "+", commandLine(name, args))
	}
	p.cmd.Stderr = &p.errs
	if show != nil {
		p.cmd.Stderr = io.MultiWriter(&p.errs, show)
	}
	p.cmd.ExtraFiles = d.files
	// Its own group keeps the terminal's Ctrl-C from it: this process
	// decides who ends when.
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	err := p.cmd.Start()
	d.close()
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	go func() {
		p.err = p.cmd.Wait()
		close(p.done)
	}()
	return p, nil
}

func (d *descriptors) close() {
	for _, f := range d.files {
		f.Close()
	}
	d.files = nil
}

// kill ends the process with all that it has started, and waits for it.
func (p *process) kill() {
	select {
	case <-p.done:
		return
	default:
	}
	// A group that has ended meanwhile is no error.
	_ = syscall.Kill(-p.cmd.Process.Pid, syscall.SIGKILL)
	<-p.done
}

// end describes how the process ended, with the last line it complained.
func (p *process) end() error {
	how := "ended"
	if p.err != nil {
		how = "ended with " + p.err.Error()
	}
	if line := p.errs.last(); line != "" {
		how += ": " + line
	}
	return fmt.Errorf("%s %s", p.name, how)
}

// tail keeps the last part of what is written to it.
type tail struct {
	mu  sync.Mutex
	buf []byte
}

const tailSize = 4096

func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.buf = append(t.buf, p...)
	if n := len(t.buf) - tailSize; n > 0 {
		t.buf = append(t.buf[:0], t.buf[n:]...)
	}
	return len(p), nil
}

func (t *tail) last() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	text := bytes.TrimSpace(t.buf)
	return strings.TrimSpace(string(text[bytes.LastIndexByte(text, '\n')+1:]))
}

// commandLine writes a command as one would type it into a shell.
func commandLine(name string, args []string) string {
	words := []string{shellQuote(name)}
	for _, a := range args {
		words = append(words, shellQuote(a))
	}
	return strings.Join(words, " ")
}

func shellQuote(s string) string {
	plain := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("-_=+,./:@%", r)
	}
	if s != "" && strings.IndexFunc(s, func(r rune) bool { return !plain(r) }) < 0 {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}

// memfile makes a file without a name that holds data.
func memfile(name string, data []byte) (*os.File, error) {
	fd, err := unix.MemfdCreate(name, unix.MFD_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("memory file for %s: %w", name, err)
	}
	f := os.NewFile(uintptr(fd), name)
	if _, err := f.Write(data); err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}
