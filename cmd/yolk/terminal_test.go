package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// session is a run of yolk on a terminal of its own, which it controls as at a
// login.
type session struct {
	t      *testing.T
	cmd    *exec.Cmd
	master *os.File

	mu    sync.Mutex
	shown string // not expected yet
}

// startSession starts a run with all streams on a terminal, but for those that
// change says. What takes five minutes hangs.
func startSession(t *testing.T, image string, change func(cmd *exec.Cmd), args ...string) *session {
	t.Helper()
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Skip("no pseudo terminals here: ", err)
	}
	n, err := unix.IoctlGetInt(int(master.Fd()), unix.TIOCGPTN)
	if err == nil {
		err = unix.IoctlSetPointerInt(int(master.Fd()), unix.TIOCSPTLCK, 0)
	}
	s := &session{t: t, master: master}
	s.resize(24, 80)
	slave, err2 := os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil || err2 != nil {
		t.Fatal(err, err2)
	}
	defer slave.Close()
	s.cmd = yolkCommand(t, filepath.Dir(image), append([]string{"run", "-q", "--timeout", "300s"}, args...)...)
	s.cmd.Stdin, s.cmd.Stdout, s.cmd.Stderr = slave, slave, slave
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	if change != nil {
		change(s.cmd)
	}
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if s.cmd.ProcessState == nil {
			_ = s.cmd.Process.Kill()
			_ = s.cmd.Wait()
		}
		master.Close()
	})
	go func() {
		buf := make([]byte, 4096)
		for {
			n, err := master.Read(buf)
			s.mu.Lock()
			s.shown += string(buf[:n])
			s.mu.Unlock()
			if err != nil {
				return
			}
		}
	}()
	return s
}

func (s *session) resize(rows, cols uint16) {
	s.t.Helper()
	if err := unix.IoctlSetWinsize(int(s.master.Fd()), unix.TIOCSWINSZ, &unix.Winsize{Row: rows, Col: cols}); err != nil {
		s.t.Fatal(err)
	}
}

func (s *session) types(keys string) {
	s.t.Helper()
	if _, err := s.master.WriteString(keys); err != nil {
		s.t.Fatal(err)
	}
}

// expect waits until something is shown, and returns what was before it.
func (s *session) expect(want string) (before string) {
	s.t.Helper()
	for deadline := time.Now().Add(5 * time.Minute); ; time.Sleep(5 * time.Millisecond) {
		s.mu.Lock()
		before, after, ok := strings.Cut(s.shown, want)
		if ok {
			s.shown = after
		}
		s.mu.Unlock()
		if ok {
			return before
		}
		if time.Now().After(deadline) {
			s.t.Fatalf("no %q, but %q", want, before)
		}
	}
}

// ends waits for the end, with a status.
func (s *session) ends(status int) {
	s.t.Helper()
	_ = s.cmd.Wait()
	if got := s.cmd.ProcessState.ExitCode(); got != status {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.t.Errorf("%v, want status %d; shown: %q", s.cmd.ProcessState, status, s.shown)
	}
}

// terminalImage builds testdata/terminal, with which tests boot faster.
func terminalImage(t *testing.T) string {
	needGuest(t)
	dir := program(t, "terminal")
	image := filepath.Join(dir, "terminal.elf")
	if r := runCommand(t, yolkCommand(t, dir, "build", "-o", image, ".")); r.status != 0 {
		t.Fatal(r.stderr)
	}
	return image
}

// TestGuestTerminal: the program has yolk's terminal, and what a terminal does
// with keys is done by the kernel of the program.
func TestGuestTerminal(t *testing.T) {
	image := terminalImage(t)
	for _, machine := range machines {
		t.Run(machine, func(t *testing.T) {
			run := func(how string) *session {
				t.Helper()
				return startSession(t, image, nil, "--machine", machine, image, how)
			}
			s := run("lines")
			s.expect("ready 24x80\r\n")
			s.types("hellx\x7fo\r")
			s.expect("hellx\b \bo\r\nline \"hello\"\r\n")
			s.resize(30, 100)
			s.expect("window changed 30x100\r\n")
			s.types("\x1a")
			s.expect("^Z")
			s.expect("stopped 30x100\r\n")
			s.types("\x04")
			s.expect("end <nil>\r\nmore?\r\n")
			s.types("yes\r")
			s.expect("more \"yes\\n\" <nil>\r\n")
			s.expect("by the runtime\r\n")
			s.ends(0)

			s = run("lines")
			s.expect("ready 24x80\r\n")
			s.types("some\x03")
			s.expect("^C")
			s.ends(130)

			s = run("raw")
			s.expect("ready\r\n")
			s.types("\x03\r\n")
			if before := s.expect(`key "\x03"` + "\r\n" + `key "\r"` + "\r\n" + `key "\n"` + "\r\n"); before != "" {
				t.Errorf("echo %q of a raw terminal", before)
			}
			s.types("q")
			s.expect("cooked\r\n")
			s.types("x\r")
			s.expect("x\r\nread \"x\"\r\n")
			s.types("\x1c")
			s.expect("^\\SIGQUIT: quit\r\n")
			s.ends(2)
		})
	}
}

// TestGuestDeaf ends a program from the keyboard that takes nothing of it.
func TestGuestDeaf(t *testing.T) {
	image := terminalImage(t)
	s := startSession(t, image, nil, image, "deaf")
	s.expect("ready\r\n")
	done := make(chan struct{})
	go func() {
		defer close(done)
		for s.cmd.ProcessState == nil {
			if _, err := s.master.WriteString("\x03"); err != nil {
				return
			}
			time.Sleep(500 * time.Millisecond)
		}
	}()
	s.expect("yolk: the program takes no notice of Ctrl-C\r\n")
	s.ends(130)
}

// TestGuestStreamKinds: Stat of the standard streams tells what they are.
func TestGuestStreamKinds(t *testing.T) {
	image := terminalImage(t)
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, []byte("12345"), 0o640); err != nil {
		t.Fatal(err)
	}
	null := func(cmd *exec.Cmd) { // standard input is /dev/null
		cmd.Stdin, cmd.SysProcAttr.Ctty = nil, 1
	}
	s := startSession(t, image, null, image, "kinds")
	s.expect("Dcrw-rw-rw- 0 false\r\nDcrw------- 0 true\r\nDcrw------- 0 true\r\n")
	s.ends(0)

	cmd := yolkCommand(t, filepath.Dir(image), "run", "-q", image, "kinds")
	in, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	cmd.Stdin = in
	if r := runCommand(t, cmd); r.status != 0 || r.stdout != "-rw-r----- 5 false\nprw------- 0 false\nprw------- 0 false\n" {
		t.Errorf("%+v", r)
	}
}

// TestGuestResized: a window is drawn to other sizes while a program prints to it, which goes on
// and has the last one in the end.
func TestGuestResized(t *testing.T) {
	image := terminalImage(t)
	for _, machine := range machines {
		t.Run(machine, func(t *testing.T) {
			pane := newPane(t, yolkCommand(t, filepath.Dir(image), "run", "-q", "--timeout", "300s", "--machine", machine, image, "sizes"))
			pane.expect("ready 24x90\n")
			for i := range 40 {
				pane.tmux("resize-window", "-x", fmt.Sprint(60+i), "-y", fmt.Sprint(20+i%9))
			}
			pane.expect("size 23x99\n")
			pane.tmux("resize-window", "-x", "70", "-y", "10")
			pane.expect("size 10x70\nstatus 0\n")
		})
	}
}

// TestGuestBubbletea runs a program of that library in tmux and looks at what it
// shows there.
func TestGuestBubbletea(t *testing.T) {
	needGuest(t)
	dir, _ := module(t, "tea")
	image := filepath.Join(dir, "tea.elf")
	if r := runCommand(t, yolkCommand(t, dir, "build", "-o", image, ".")); r.status != 0 {
		t.Fatal(r.stderr)
	}
	pane := newPane(t, yolkCommand(t, dir, "run", "-q", "--timeout", "300s", image))
	expect, tmux := pane.expect, pane.tmux
	expect("count 0\nsize 90x24\n")
	tmux("send-keys", "Up", "Up", "Left")
	expect("count 2\nsize 90x24\nkey left\n")
	tmux("resize-window", "-x", "70", "-y", "20")
	expect("size 70x20\n")
	tmux("send-keys", "C-c")
	expect("terminal true true ") // back from the other screen
	expect("\npassword:")
	tmux("send-keys", "secret", "Enter")
	expect("password:\n\"secret\" <nil>\nstatus 0\n")
}
