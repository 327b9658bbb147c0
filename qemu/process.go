package qemu

import (
	"cmp"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"syscall"
	"unicode"

	"golang.org/x/sys/unix"

	"github.com/yolkos/yolk/toolchain/group"
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
		fmt.Fprintln(trace, "+", CommandLine(name, args))
	}
	p.cmd.Stderr = &p.errs
	if show != nil {
		p.cmd.Stderr = io.MultiWriter(&p.errs, show)
	}
	p.cmd.ExtraFiles = d.files
	// Its own group keeps the terminal's Ctrl-C from it: this process
	// decides who ends when.
	group.Lead(p.cmd)
	err := p.cmd.Start()
	d.close()
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	go func() {
		p.err = p.wait()
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

// wait waits for the end of the process, and ends what it has started: a server
// of which a part is left would go on writing into the guest's memory.
func (p *process) wait() error {
	for {
		// It is not reaped yet, so that its group has its number.
		err := unix.Waitid(unix.P_PID, p.cmd.Process.Pid, nil, unix.WEXITED|unix.WNOWAIT, nil)
		if err != unix.EINTR {
			break
		}
	}
	_ = group.Signal(p.cmd.Process.Pid, syscall.SIGKILL)
	err := p.cmd.Wait()
	group.Await(p.cmd.Process.Pid)
	return err
}

// kill ends the process with all that it has started, and waits for it.
func (p *process) kill() {
	select {
	case <-p.done:
		return
	default:
	}
	// A group that has ended meanwhile is no error.
	_ = group.Signal(p.cmd.Process.Pid, syscall.SIGKILL)
	<-p.done
}

// signal sends a signal to the process with all that it has started.
func (p *process) signal(sig syscall.Signal) {
	if !closed(p.done) {
		_ = group.Signal(p.cmd.Process.Pid, sig) // as in kill
	}
}

// end describes how the process ended, in its own words if it had any.
func (p *process) end() error {
	how := "ended"
	if p.err != nil {
		how = "ended with " + p.err.Error()
	}
	if words := p.errs.words(); words != "" {
		how += ": " + words
	}
	return fmt.Errorf("%s %s", p.name, how)
}

// tail keeps the first and the last part of what is written to it.
type tail struct {
	size      int // of either part, in bytes; 0: tailSize
	mu        sync.Mutex
	head, buf []byte
	cut       bool // something between the two is missing
}

const tailSize = 4096

func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	size, most := len(p), cmp.Or(t.size, tailSize)
	n := min(size, most-len(t.head))
	t.head, p = append(t.head, p[:n]...), p[n:]
	t.buf = append(t.buf, p...)
	// It is not moved for each small write.
	if over := len(t.buf) - most; over > most/4 {
		t.buf = append(t.buf[:0], t.buf[over:]...)
		t.cut = true
	}
	return size, nil
}

// bytes returns what was written, with a line for what is missing.
func (t *tail) bytes() []byte {
	t.mu.Lock()
	defer t.mu.Unlock()
	gap := ""
	if t.cut {
		gap = "\n…\n"
	}
	return slices.Concat(t.head, []byte(gap), t.buf)
}

// lines returns what was written, without empty lines. What comes from the
// outside and cannot be shown is replaced.
func (t *tail) lines() (list []string) {
	for line := range strings.Lines(string(t.bytes())) {
		line = strings.Map(func(r rune) rune {
			if r != '\t' && !unicode.IsPrint(r) {
				return '?'
			}
			return r
		}, strings.TrimSpace(line))
		if line != "" {
			list = append(list, line)
		}
	}
	return list
}

func (t *tail) last() string {
	list := t.lines()
	if len(list) == 0 {
		return ""
	}
	return list[len(list)-1]
}

// mostWords is how many lines of a process are shown: who complains about an
// option tells its use as well, and a crash has a trace.
const mostWords = 8

// words returns what the process had to say, lines of it separated by "; ".
func (t *tail) words() string {
	list := t.lines()
	if over := len(list) - mostWords; over > 0 {
		list = append(append(list[:mostWords/2:mostWords/2], "…"), list[len(list)-mostWords/2:]...)
	}
	return strings.Join(list, "; ")
}

// CommandLine writes a command as one would type it into a shell.
func CommandLine(name string, args []string) string {
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
