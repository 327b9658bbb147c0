package main

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/yolkos/yolk/cmd/yolk/internal/exit"
	"github.com/yolkos/yolk/internal/tools"
)

// TestGuestInspect shows the machine of a program that does not start: with its network, and
// what is shared.
func TestGuestInspect(t *testing.T) {
	needGuest(t)
	dir := t.TempDir()
	layOut(t, dir, map[string]string{
		"go.mod":  "module example.com/networked\n\ngo 1.24\n",
		"main.go": "package main\n\nimport \"net\"\n\nfunc main() { _, _ = net.Interfaces() }\n",
	})
	picture := filepath.Join(t.TempDir(), "machine.svg")
	got := runCommand(t, yolkCommand(t, dir, "tree", "-q", "--timeout", "300s", "--cpus", "2", "--root", t.TempDir(), "."))
	want := []string{
		"networked on a microvm\n├─ processors: 2\n", "├─ memory map\n", "System RAM, ", "  Kernel code, ", "virtio-mmio feb00e00, 512 bytes", "Local APIC",
		"├─ virtio devices\n", "file system device (device type 26)\n", "used for: share root\n", "request 0, 1024 descriptors\n",
		"network card (device type 1)\n", "used for: network eth0\n", "accepted: ", "NET_F_MAC", "F_VERSION_1\n", "queues: ", "receive 0, 256 descriptors\n",
		"console (device type 3)\n", "CONSOLE_F_MULTIPORT", "offered only: ", "└─ mounts\n", "/: virtiofs root (rw)\n",
	}
	if missing := inOrder(got.stdout, want); got.status != 0 || missing != "" || strings.Contains(got.stdout, ": bit ") {
		t.Errorf("status %d; no %q at its place, or a feature without a name, in\n%serrors %s", got.status, missing, got.stdout, got.stderr)
	}
	got = runCommand(t, yolkCommand(t, dir, "tree", "-q", "--timeout", "300s", "--machine", "q35", "--svg", picture))
	data, err := os.ReadFile(picture)
	if err != nil || got.status != 0 || got.stdout != "" {
		t.Fatalf("status %d, %v: %s%s", got.status, err, got.stdout, got.stderr)
	}
	for in := xml.NewDecoder(bytes.NewReader(data)); err == nil; {
		_, err = in.Token()
	}
	if err != io.EOF || !bytes.Contains(data, []byte("nothing on a q35")) || !bytes.Contains(data, []byte(">entropy source (4)<")) {
		t.Errorf("%v in %s", err, data)
	}
}

// TestGuestTop finds a machine in the background by its name and its program, and shows it on
// a terminal and without one.
func TestGuestTop(t *testing.T) {
	needGuest(t)
	tools.Find(t, "tmux")
	dir := program(t, "probe")
	runtimeDir := t.TempDir()
	if err := os.Chmod(runtimeDir, 0o700); err != nil {
		t.Fatal(err)
	}
	command := func(args ...string) *exec.Cmd {
		cmd := yolkCommand(t, dir, args...)
		cmd.Env = append(os.Environ(), "XDG_RUNTIME_DIR="+runtimeDir)
		return cmd
	}
	// Names that no other machine has.
	program, name := fmt.Sprint("program", os.Getpid()), fmt.Sprint("machine", os.Getpid())
	image := filepath.Join(dir, program)
	if r := runCommand(t, yolkCommand(t, dir, "build", "-o", image, ".")); r.status != 0 {
		t.Fatal(r.stderr)
	}
	if r := runCommand(t, command("run", "-d", "--name", name, "--timeout", "900s", image, "wait")); r.status != 0 {
		t.Fatal(r.stderr)
	}
	t.Cleanup(func() { _ = command("rm", "-f", "-a").Run() })
	got := runCommand(t, yolkCommand(t, dir, "top", "--interval", "200ms", name))
	want := []string{program + " on a microvm   process ", "processors  [", "% of 1", "memory      [", " of 255", "heap        ", "goroutines  ", "interrupts  ", "in all\n", "console receive "}
	if missing := inOrder(got.stdout, want); got.status != 0 || missing != "" {
		t.Errorf("status %d; no %q at its place in\n%serrors %s", got.status, missing, got.stdout, got.stderr)
	}
	if got := runCommand(t, yolkCommand(t, dir, "tree", "--of", program)); got.status != 0 || !strings.HasPrefix(got.stdout, program+" on a microvm\n├─ processors: 1\n") {
		t.Errorf("tree: status %d: %s%s", got.status, got.stdout, got.stderr)
	}

	socket := filepath.Join(t.TempDir(), "tmux")
	tmux := func(args ...string) string {
		t.Helper()
		out, err := exec.Command("tmux", append([]string{"-S", socket, "-f", "/dev/null"}, args...)...).CombinedOutput()
		if err != nil {
			t.Fatalf("tmux %q: %v: %s", args, err, out)
		}
		return string(out)
	}
	top := yolkCommand(t, dir, "top", "--interval", "100ms", name)
	tmux("new-session", "-d", "-x", "120", "-y", "30", "trap : INT; '"+strings.Join(top.Args, "' '")+"'; echo status $?; sleep 300")
	defer func() { _ = exec.Command("tmux", "-S", socket, "kill-server").Run() }()
	expect := func(want string) {
		t.Helper()
		screen := ""
		for deadline := time.Now().Add(5 * time.Minute); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
			if screen = tmux("capture-pane", "-p"); strings.Contains(screen, want) {
				return
			}
		}
		t.Fatalf("no %q on the screen:\n%s", want, screen)
	}
	expect("goroutines  ")
	expect("space: hold")
	tmux("send-keys", "Space")
	expect("space: go on")
	tmux("resize-window", "-x", "60", "-y", "8")
	expect("…")
	tmux("send-keys", "q")
	expect("status 0")

	// A machine that ends while it is looked at.
	tmux("resize-window", "-x", "120", "-y", "30")
	tmux("respawn-pane", "-k", "'"+strings.Join(top.Args, "' '")+"'; echo status $?; sleep 300")
	expect("goroutines  ")
	if r := runCommand(t, command("rm", "-f", name)); r.status != 0 {
		t.Error(r.stderr)
	}
	expect("has ended")
	expect("status 125")
	if got := runCommand(t, yolkCommand(t, dir, "top", name)); got.status != exit.Failed || !strings.Contains(got.stderr, "no machine runs "+name) {
		t.Errorf("afterwards: status %d: %s%s", got.status, got.stdout, got.stderr)
	}
}
