package inspect

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// About is what a machine is to its host.
type About struct {
	Name    string    // of a machine in the background; empty: it is in the foreground
	Program string    // its name
	Args    []string  // of the program, without the name
	Machine string    // type, as of QEMU
	Memory  uint64    // bytes
	CPUs    int       //
	PID     int       // of the process of yolk that it lives in
	Started time.Time // of the program
}

// Title is what to call it.
func (a *About) Title() string { return a.Program + " on a " + a.Machine }

// Machines are asked over a socket without a file: its abstract name (unix(7)), which
// goes with its process, has the user and the process. Anybody may know of such a name;
// either side talks to the same user only, or root.
//
// A question is a line: the name of a file of /proc, or aboutName. The answer is a line
// with the number of bytes that follow, or "error" and the reason.

// aboutName asks for About, as JSON.
const aboutName = "about"

// prefix begins the names of a user's sockets; the process follows.
func prefix(uid int) string { return fmt.Sprintf("@yolk/machine/%d/", uid) }

func socketName(pid int) string { return prefix(os.Geteuid()) + strconv.Itoa(pid) }

// mine reports whether the process at the other end is this user's, or root's.
func mine(c *net.UnixConn) bool {
	raw, err := c.SyscallConn()
	if err != nil {
		return false
	}
	var cred *unix.Ucred
	if raw.Control(func(fd uintptr) { cred, err = unix.GetsockoptUcred(int(fd), unix.SOL_SOCKET, unix.SO_PEERCRED) }) != nil || err != nil {
		return false
	}
	return cred.Uid == uint32(os.Geteuid()) || cred.Uid == 0
}

// Serve answers questions about the machine that this process runs, until the listener
// that it returns is closed.
func Serve(s Source, about About) (io.Closer, error) {
	about.PID = os.Getpid()
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: socketName(about.PID), Net: "unix"})
	if err != nil {
		return nil, err
	}
	go func() {
		for {
			c, err := l.AcceptUnix()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				if mine(c) {
					answer(c, s, about)
				}
			}()
		}
	}()
	return l, nil
}

// answerTime is how long a guest may take to answer: it may be busy, or stopped.
const answerTime = 10 * time.Second

// maxName is the longest question, in bytes.
const maxName = 256

func answer(c io.ReadWriter, s Source, about About) {
	for in := bufio.NewReaderSize(c, maxName); ; {
		line, err := in.ReadSlice('\n')
		if err != nil {
			return
		}
		data, err := answerTo(strings.TrimSuffix(string(line), "\n"), s, about)
		head := strconv.Itoa(len(data)) + "\n"
		if err != nil {
			head, data = "error "+strings.ReplaceAll(err.Error(), "\n", " ")+"\n", nil
			if errors.Is(err, syscall.ENOENT) {
				head = missing + "\n"
			}
		}
		if _, err := c.Write(append([]byte(head), data...)); err != nil {
			return
		}
	}
}

// missing is the answer for a file that is not there.
const missing = "missing"

func answerTo(name string, s Source, about About) ([]byte, error) {
	if name == aboutName {
		return json.Marshal(about)
	}
	ctx, cancel := context.WithTimeoutCause(context.Background(), answerTime, errors.New("the guest does not answer"))
	defer cancel()
	return s.ReadProc(ctx, name)
}

// Running is a machine that another process runs.
type Running struct {
	About About
	conn  *net.UnixConn
	in    *bufio.Reader
}

// Close ends the talk.
func (r *Running) Close() error { return r.conn.Close() }

// ReadProc implements Source.
func (r *Running) ReadProc(ctx context.Context, name string) ([]byte, error) {
	stop := context.AfterFunc(ctx, func() { r.conn.Close() })
	defer stop()
	data, err := r.ask(name)
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	return data, err
}

// maxAnswer is more than a machine has to say, in bytes.
const maxAnswer = 1 << 20

func (r *Running) ask(name string) ([]byte, error) {
	gone := func(err error) error {
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, syscall.EPIPE) || errors.Is(err, syscall.ECONNRESET) {
			err = errors.New("it has ended")
		}
		return fmt.Errorf("the machine of process %d: %w", r.About.PID, err)
	}
	if _, err := r.conn.Write([]byte(name + "\n")); err != nil {
		return nil, gone(err)
	}
	line, err := r.in.ReadString('\n')
	if err != nil {
		return nil, gone(err)
	}
	line = strings.TrimSuffix(line, "\n")
	if line == missing {
		return nil, gone(fmt.Errorf("/proc/%s: %w", name, syscall.ENOENT))
	}
	if reason, ok := strings.CutPrefix(line, "error "); ok {
		return nil, gone(errors.New(reason))
	}
	n, err := strconv.ParseUint(line, 10, 32)
	if err != nil || n > maxAnswer {
		return nil, gone(fmt.Errorf("answers %.40q", line))
	}
	data := make([]byte, n)
	if _, err := io.ReadFull(r.in, data); err != nil {
		return nil, gone(err)
	}
	return data, nil
}

// Open talks to the machine that a process of this user runs.
func Open(pid int) (*Running, error) {
	c, err := net.DialUnix("unix", nil, &net.UnixAddr{Name: socketName(pid), Net: "unix"})
	if err != nil {
		return nil, fmt.Errorf("process %d runs no machine, or its program has not started yet: %w", pid, err)
	}
	r := &Running{About: About{PID: pid}, conn: c, in: bufio.NewReader(c)}
	if !mine(c) {
		c.Close()
		return nil, fmt.Errorf("process %d is another user's", pid)
	}
	data, err := r.ask(aboutName)
	if err == nil {
		err = json.Unmarshal(data, &r.About)
	}
	if err != nil {
		c.Close()
		return nil, err
	}
	r.About.PID = pid
	return r, nil
}

// List returns the processes that run machines of this user.
func List() []int {
	data, err := os.ReadFile("/proc/net/unix")
	if err != nil {
		return nil
	}
	return listed(data, prefix(os.Geteuid()))
}

// listed returns the processes whose sockets are in a file like /proc/net/unix.
func listed(data []byte, prefix string) (pids []int) {
	for in := bufio.NewScanner(bytes.NewReader(data)); in.Scan(); {
		if _, pid, ok := strings.Cut(in.Text(), " "+prefix); ok {
			if n, err := strconv.Atoi(pid); err == nil && n > 0 && !slices.Contains(pids, n) {
				pids = append(pids, n)
			}
		}
	}
	slices.Sort(pids)
	return pids
}

// Find opens the machine of a process, of the name of a machine in the background, or of
// a program's name; the only one if name is empty.
func Find(name string) (*Running, error) {
	if pid, err := strconv.Atoi(name); err == nil {
		return Open(pid)
	}
	var found []*Running
	for _, pid := range List() {
		r, err := Open(pid)
		if err != nil {
			continue // it has ended meanwhile
		}
		switch {
		case name != "" && r.About.Name == name: // which only one can have
			for _, other := range found {
				other.Close()
			}
			return r, nil
		case name == "" || r.About.Program == name:
			found = append(found, r)
		default:
			r.Close()
		}
	}
	if len(found) == 1 {
		return found[0], nil
	}
	var list []string
	for _, r := range found {
		list = append(list, fmt.Sprintf("%d (%s)", r.About.PID, cmp.Or(r.About.Name, r.About.Program)))
		r.Close()
	}
	switch {
	case len(found) > 1:
		return nil, fmt.Errorf("%d machines run: name one by its process: %s", len(found), strings.Join(list, ", "))
	case name != "":
		return nil, fmt.Errorf("no machine runs %s, or has that name", name)
	}
	return nil, errors.New("no machine of yours runs")
}
