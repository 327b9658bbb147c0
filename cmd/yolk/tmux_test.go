package main

import (
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// pane is a terminal of tmux, of 90 columns and 24 rows, in which a command runs.
type pane struct {
	t      *testing.T
	socket string
}

// newPane runs a command in a terminal, and prints its status behind what it shows.
func newPane(t *testing.T, cmd *exec.Cmd) pane {
	t.Helper()
	if _, err := exec.LookPath("tmux"); err != nil {
		t.Skip(err)
	}
	p := pane{t, filepath.Join(t.TempDir(), "tmux")}
	// Ctrl-C reaches the shell that runs the command as well: dash would end.
	p.tmux("new-session", "-d", "-x", "90", "-y", "24", "-c", cmd.Dir, "trap : INT; '"+strings.Join(cmd.Args, "' '")+"'; echo status $?; sleep 600")
	t.Cleanup(func() { _ = exec.Command("tmux", "-S", p.socket, "kill-server").Run() })
	return p
}

func (p pane) tmux(args ...string) string {
	p.t.Helper()
	out, err := exec.Command("tmux", append([]string{"-S", p.socket, "-f", "/dev/null"}, args...)...).CombinedOutput()
	if err != nil {
		p.t.Fatalf("tmux %q: %v: %s", args, err, out)
	}
	return string(out)
}

func (p pane) keys(keys ...string) {
	p.t.Helper()
	p.tmux(append([]string{"send-keys"}, keys...)...)
}

// expect waits until the screen shows a text; spaces at the ends of lines do not
// count.
func (p pane) expect(want string) {
	p.t.Helper()
	p.expectOf(want, "capture-pane", "-p")
}

// expectColored waits for a text with the sequences that colour it.
func (p pane) expectColored(want string) {
	p.t.Helper()
	p.expectOf(want, "capture-pane", "-p", "-e")
}

func (p pane) expectOf(want string, capture ...string) {
	p.t.Helper()
	screen := ""
	for deadline := time.Now().Add(5 * time.Minute); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		if screen = p.tmux(capture...); strings.Contains(screen, want) {
			return
		}
	}
	p.t.Fatalf("no %q on the screen:\n%s", want, screen)
}
