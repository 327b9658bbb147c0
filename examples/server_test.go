package examples

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/yolkos/yolk/internal/tools"
)

// server is a program in a guest that is reached through ports of the host.
type server struct {
	t      *testing.T
	cmd    *exec.Cmd
	ports  map[string]string // ports of the host by those of the guest, "53/udp" for UDP
	ended  chan struct{}     // closed when cmd has ended
	output *output
	mark   string // in the environment of all that belongs to it
}

// output is what a server prints, as far as it has.
type output struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

// serverTime bounds a server's life, for what hangs.
const serverTime = 20 * time.Minute

// serve runs yolk in a directory with free ports of the host that lead to ports of
// the guest, and returns when they are known. The server may need a while more.
func serve(t *testing.T, yolk, dir string, ports []string, args ...string) *server {
	t.Helper()
	s := &server{
		t: t, ports: map[string]string{}, ended: make(chan struct{}), output: new(output),
		mark: fmt.Sprintf("YOLK_TEST_MARK=%d.%d", os.Getpid(), time.Now().UnixNano()),
	}
	ctx, cancel := context.WithTimeout(context.Background(), serverTime)
	list := []string{"run", "-q"}
	for _, p := range ports {
		list = append(list, "-p", "127.0.0.1:0:"+p)
	}
	s.cmd = exec.CommandContext(ctx, yolk, append(list, args...)...)
	s.cmd.Dir = dir
	s.cmd.Env = append(os.Environ(), s.mark)
	s.cmd.Stdout = s.output
	s.cmd.Cancel = func() error { return s.cmd.Process.Signal(syscall.SIGTERM) }
	s.cmd.WaitDelay = time.Minute
	stderr, err := s.cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cancel()
		<-s.ended
		if t.Failed() {
			t.Logf("%v:\n%s", s.cmd.Args, s.output)
		}
	})
	known := make(chan struct{})
	go func() {
		s.read(stderr, len(ports), known)
		_ = s.cmd.Wait() // its state tells
		close(s.ended)
	}()
	select {
	case <-known:
	case <-s.ended:
		t.Fatalf("yolk ended: %v: %s", s.cmd.ProcessState, s.output)
	}
	return s
}

// read takes the ports from what yolk says.
func (s *server) read(stderr io.Reader, ports int, known chan struct{}) {
	lines := bufio.NewScanner(stderr)
	for lines.Scan() {
		var host, guest int
		if _, err := fmt.Sscanf(lines.Text(), "yolk: port %d of the host leads to port %d of the guest", &host, &guest); err == nil {
			name := fmt.Sprint(guest)
			if strings.HasSuffix(lines.Text(), "/udp") {
				name += "/udp"
			}
			s.ports[name] = fmt.Sprint(host)
			if len(s.ports) == ports {
				close(known)
			}
			continue
		}
		fmt.Fprintln(s.output, lines.Text())
	}
	_, _ = io.Copy(s.output, stderr) // a line that was too long
}

// addr is the host's address of a port of the guest.
func (s *server) addr(guest string) string { return "127.0.0.1:" + s.ports[guest] }

// stop ends the server as an operator does, and checks that it ends well.
func (s *server) stop() {
	s.t.Helper()
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		s.t.Error(err)
	}
	<-s.ended
	if code := s.cmd.ProcessState.ExitCode(); code != 0 {
		s.t.Errorf("status %v after SIGTERM, want 0: %s", s.cmd.ProcessState, s.output)
	}
}

// kill ends the machine at once.
func (s *server) kill() {
	s.t.Helper()
	found := false
	for pid, line := range marked(s.mark) {
		if strings.Contains(line, "qemu-system") {
			found = true
			if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
				s.t.Error(err)
			}
		}
	}
	if !found {
		s.t.Error("no QEMU found")
	}
	<-s.ended
}

// client runs a program on the host and returns what it prints. Without want it must
// succeed at once; with it, it is run until it prints that, as long as the server
// lives: one that has just been started may not listen yet.
func (s *server) client(want string, name string, args ...string) string {
	s.t.Helper()
	for {
		out, err := s.try(name, args...)
		if err == nil && strings.Contains(out, want) {
			return out
		}
		if errors.Is(err, exec.ErrNotFound) {
			tools.Find(s.t, name)
		}
		if want == "" {
			s.t.Fatalf("%s %q: %v: %s", name, args, err, out)
		}
		select {
		case <-s.ended:
			s.t.Fatalf("%s %q: %v: %s; and the server has ended: %v: %s", name, args, err, out, s.cmd.ProcessState, s.output)
		case <-time.After(200 * time.Millisecond):
		}
	}
}

// try runs a program on the host, once.
func (s *server) try(name string, args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(s.t.Context(), 5*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.WaitDelay = time.Second
	cmd.Env = append(os.Environ(), "no_proxy=*")
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// built is the command yolk, built once for all tests of a run.
var built struct {
	sync.Once
	dir, yolk string
	err       error
}

func buildYolk() (string, error) {
	built.Do(func() {
		if built.dir, built.err = os.MkdirTemp("", "yolk-examples-"); built.err != nil {
			return
		}
		built.yolk = filepath.Join(built.dir, "yolk")
		out, err := exec.Command("go", "build", "-o", built.yolk, "github.com/yolkos/yolk/cmd/yolk").CombinedOutput()
		if err != nil {
			built.err = fmt.Errorf("building yolk: %w: %s", err, out)
		}
	})
	return built.yolk, built.err
}

// guestTest skips what boots guests where that is not wanted, and returns the command.
func guestTest(t *testing.T) (yolk string) {
	t.Helper()
	if os.Getenv("YOLK_GUEST") == "" {
		t.Skip("boots guests; run by make test, or with YOLK_GUEST=1")
	}
	yolk, err := buildYolk()
	if err != nil {
		t.Fatal(err)
	}
	return yolk
}

func TestMain(m *testing.M) {
	code := m.Run()
	if built.dir != "" {
		os.RemoveAll(built.dir)
	}
	os.Exit(code)
}
