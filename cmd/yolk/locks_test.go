package main

import (
	"bufio"
	"bytes"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/yolkos/yolk/qemu"
)

// TestGuestLocks: locks of the guest and of this process are in each other's
// way, where the server takes locks.
func TestGuestLocks(t *testing.T) {
	needGuest(t)
	dir, _ := module(t, "locks")
	for _, daemon := range []qemu.Daemon{qemu.Virtiofsd, qemu.Builtin} {
		for _, machine := range machines {
			t.Run(string(daemon)+"/"+machine, func(t *testing.T) { testLocks(t, dir, daemon, machine) })
		}
	}
}

// lockHelp tells if the virtiofsd of this host can take locks, which it says.
func lockHelp(t *testing.T) bool {
	path, err := qemu.FindVirtiofsd()
	if err != nil {
		t.Skip(err)
	}
	help, _ := exec.Command(path, "--help").CombinedOutput()
	return bytes.Contains(help, []byte("posix_lock"))
}

// locker is the program testdata/locks in a guest, which runs until the end of
// its input.
type locker struct {
	*testing.T
	cmd *exec.Cmd
	in  io.WriteCloser
	out *bufio.Reader
	log logBuffer
}

// logBuffer collects what a command that runs writes.
type logBuffer struct {
	mu   sync.Mutex
	text []byte
}

func (b *logBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.text = append(b.text, p...)
	return len(p), nil
}

func (b *logBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return string(b.text)
}

// negotiated is the kernel's line on what was agreed with the server. The log
// comes another way than the guest's output, and may be later.
func (l *locker) negotiated() string {
	for end := time.Now().Add(time.Minute); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		for line := range strings.Lines(l.log.String()) {
			if strings.Contains(line, "FUSE 7.") && strings.HasSuffix(line, "\n") {
				return line
			}
		}
	}
	l.Fatalf("no line on the negotiation: %s", l.log.String())
	return ""
}

func startLocker(t *testing.T, dir, root string, daemon qemu.Daemon, machine string) *locker {
	l := &locker{T: t, cmd: yolkCommand(t, dir, "run", "--daemon", string(daemon), "--machine", machine, "--root", root, ".", "--", "/f")}
	var err error
	if l.in, err = l.cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	out, err := l.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	l.out, l.cmd.Stderr = bufio.NewReader(out), &l.log
	if err := l.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		l.cmd.Process.Kill()
		l.cmd.Wait()
	})
	return l
}

// line is the next line of the guest.
func (l *locker) line() string {
	l.Helper()
	s, err := l.out.ReadString('\n')
	if err != nil {
		l.Fatalf("the guest has ended: %v: %s", err, l.log.String())
	}
	return strings.TrimSuffix(s, "\n")
}

// do has the guest do one command and compares its answer.
func (l *locker) do(command, want string) {
	l.Helper()
	io.WriteString(l.in, command+"\n")
	if got := l.line(); got != want {
		l.Errorf("%s: %s, want %s", command, got, want)
	}
}

const (
	fine  = "<nil>"
	inUse = "resource temporarily unavailable"
)

func testLocks(t *testing.T, dir string, daemon qemu.Daemon, machine string) {
	if daemon == qemu.Virtiofsd && os.Geteuid() != 0 {
		t.Skip("needs root")
	}
	root := t.TempDir()
	path := filepath.Join(root, "f")
	if err := os.WriteFile(path, nil, 0o666); err != nil {
		t.Fatal(err)
	}
	host, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer host.Close()
	fd := int(host.Fd())
	set := func(kind int16, start, length int64) error {
		return unix.FcntlFlock(host.Fd(), unix.F_OFD_SETLK, &unix.Flock_t{Type: kind, Start: start, Len: length})
	}
	is := func(what string, got, want error) {
		t.Helper()
		if got != want {
			t.Errorf("%s: %v, want %v", what, got, want)
		}
	}

	is("the host's first lock", set(unix.F_WRLCK, 10, 5), nil)
	l := startLocker(t, dir, root, daemon, machine)
	l.do("1 setlk write 100 1", fine)
	if flags := l.negotiated(); !strings.Contains(flags, "posix_locks") || !strings.Contains(flags, "flock_locks") {
		if daemon == qemu.Virtiofsd && !lockHelp(t) {
			t.Skip("this virtiofsd takes no locks: they stay in the guest")
		}
		t.Fatalf("no locks were negotiated: %s", flags)
	}

	// The host's lock is in the guest's way,
	l.do("1 setlk write 0 11", inUse)
	l.do("1 setlk write 0 10", fine)
	l.do("1 getlk read 0 0", "1 10 5 "+fine)
	l.do("2 ofd-getlk read 12 1", "1 10 5 "+fine)
	// the guest's in the host's,
	is("beside the guest's", set(unix.F_RDLCK, 9, 1), unix.EAGAIN)
	is("where nothing is", set(unix.F_WRLCK, 50, 1), nil)
	// and in that of the guest's other open files.
	l.do("2 ofd-setlk read 0 1", inUse)
	l.do("2 ofd-setlk read 20 2", fine)
	l.do("1 setlk write 21 1", inUse)
	is("beside the open file's", set(unix.F_WRLCK, 20, 1), unix.EAGAIN)

	// Closing any descriptor takes the process's locks, not the open file's.
	l.do("3 close", fine)
	is("after a close", set(unix.F_WRLCK, 0, 10), nil)
	is("beside the open file's, after a close", set(unix.F_WRLCK, 20, 1), unix.EAGAIN)
	l.do("2 close", fine)
	is("after the close of the open file", set(unix.F_WRLCK, 20, 1), nil)

	// The guest waits for the host, and goes on with other calls meanwhile.
	for _, wait := range []string{"1 setlkw write 0 0", "4 ofd-setlkw write 0 0"} {
		l.do(wait, "waiting")
		is("the host gives back", set(unix.F_UNLCK, 0, 0), nil)
		if got := l.line(); got != fine {
			t.Errorf("%s: %s", wait, got)
		}
		is("what the guest has got", set(unix.F_WRLCK, 0, 1), unix.EAGAIN)
		l.do(wait[:2]+"close", fine)
		is("what the guest has closed", set(unix.F_WRLCK, 0, 0), nil)
	}
	is("the host gives back", set(unix.F_UNLCK, 0, 0), nil)

	// flock.
	l.do("1 flock shared", fine)
	l.do("2 flock shared", fine)
	is("flock beside the guest's", unix.Flock(fd, unix.LOCK_EX|unix.LOCK_NB), unix.EAGAIN)
	is("shared flock", unix.Flock(fd, unix.LOCK_SH|unix.LOCK_NB), nil)
	l.do("1 flock exclusive", inUse)
	l.do("1 flock none", fine)
	l.do("2 close", fine)
	is("flock after a close", unix.Flock(fd, unix.LOCK_EX|unix.LOCK_NB), nil)
	l.do("1 flock-wait exclusive", "waiting")
	is("the host gives back", unix.Flock(fd, unix.LOCK_UN), nil)
	if got := l.line(); got != fine {
		t.Errorf("flock-wait: %s", got)
	}
	is("flock beside what the guest waited for", unix.Flock(fd, unix.LOCK_SH|unix.LOCK_NB), unix.EAGAIN)

	// Everything goes with the guest.
	l.do("1 setlk write 0 0", fine)
	l.do("2 ofd-setlk write 0 0", inUse)
	is("beside the guest's last", set(unix.F_RDLCK, 0, 1), unix.EAGAIN)
	l.in.Close()
	if err := l.cmd.Wait(); err != nil {
		t.Errorf("%v: %s", err, l.log.String())
	}
	is("after the guest's end", set(unix.F_WRLCK, 0, 0), nil)
	is("flock after the guest's end", unix.Flock(fd, unix.LOCK_EX|unix.LOCK_NB), nil)
}
