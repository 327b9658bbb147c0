package main

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/yolkos/yolk/cmd/yolk/internal/exit"
)

// TestGuestServerDies stops a server, so that calls are pending, and kills it: the
// calls end, the program goes on, and its status is its own.
func TestGuestServerDies(t *testing.T) {
	needGuest(t)
	dir := program(t, "dying")
	for i, machine := range machines {
		for j, daemon := range []string{"virtiofsd", "builtin"} {
			for k, signal := range []syscall.Signal{syscall.SIGKILL, syscall.SIGTERM} {
				cpus := 1 + (i+j+k)%2
				t.Run(fmt.Sprintf("%s/%s/%v/%d", machine, daemon, signal, cpus), func(t *testing.T) {
					serverDies(t, dir, machine, daemon, signal, cpus)
				})
			}
		}
	}
}

func serverDies(t *testing.T, dir, machine, daemon string, signal syscall.Signal, cpus int) {
	needDaemon(t, daemon)
	dies, lives := t.TempDir(), t.TempDir()
	layOut(t, dies, map[string]string{"file": "file", "large": strings.Repeat("x", 8<<20), "another": "", "from": "", "known": "known"})
	layOut(t, lives, map[string]string{"file": "file"})
	mark := fmt.Sprintf("YOLK_TEST_MARK=%d.%d", os.Getpid(), time.Now().UnixNano())
	state := "stopped"
	if signal == syscall.SIGTERM {
		state = "running" // it may serve what is pending before it ends
	}
	args := []string{"run", "-q", "--timeout", "120s", "--machine", machine, "--daemon", daemon, "--cpus", fmt.Sprint(cpus), "--mount", dies + ":/dies", "--mount", lives + ":/lives", ".", "--", "mount0", state}
	cmd := yolkCommand(t, dir, args...)
	cmd.Env = append(os.Environ(), mark)
	stdin, stdout, stderr := startPiped(t, cmd)
	defer cmd.Process.Kill()
	out := bufio.NewScanner(stdout)
	expect := func(want string) {
		t.Helper()
		if !out.Scan() || !strings.HasPrefix(out.Text(), want) {
			rest, _ := io.ReadAll(stdout)
			t.Fatalf("%q, want %q; then %s; %s", out.Text(), want, rest, stderr.String())
		}
	}
	server := func(sig syscall.Signal) {
		pids := serversOf(t, mark, cmd.Process.Pid, dies)
		for _, pid := range pids {
			if err := syscall.Kill(pid, sig); err != nil {
				t.Fatal(err)
			}
		}
		if len(pids) == 0 {
			t.Fatalf("no server found: %v", marked(t, mark))
		}
	}
	expect("ready")
	if state == "stopped" {
		server(syscall.SIGSTOP)
		for _, pid := range serversOf(t, mark, cmd.Process.Pid, dies) {
			waitStopped(t, pid)
		}
	}
	fmt.Fprintln(stdin, "go")
	expect("pending ")
	if out.Text() == "pending 0" && state == "stopped" {
		t.Errorf("no call is pending")
	}
	server(signal)
	start := time.Now()
	for start := time.Now(); len(serversOf(t, mark, cmd.Process.Pid, dies)) > 0; time.Sleep(10 * time.Millisecond) {
		if time.Since(start) > time.Minute {
			t.Fatalf("the server is still there: %v", marked(t, mark))
		}
	}
	time.Sleep(200 * time.Millisecond) // later calls are to be later
	fmt.Fprintln(stdin, "go")
	expect("ended")
	t.Logf("calls ended after %v", time.Since(start))
	expect("good")
	if err := cmd.Wait(); cmd.ProcessState.ExitCode() != 7 {
		t.Errorf("%v, want status 7", err)
	}
	// One line, which names the share and how the server ended. Another test may be
	// building the toolchain.
	lines := slices.DeleteFunc(strings.Split(strings.TrimSpace(stderr.String()), "\n"), func(line string) bool {
		return strings.HasPrefix(line, "toolchain: ")
	})
	if len(lines) != 1 || !strings.HasPrefix(lines[0], `yolk: share /dies: `) || !strings.Contains(lines[0], "ended") {
		t.Errorf("standard error: %q", lines)
	}
	if data, _ := os.ReadFile(filepath.Join(lives, "written")); string(data) != "it lives" {
		t.Errorf("the other share has %q", data)
	}
	waitGone(t, mark)
}

// waitStopped waits until no thread of a process runs.
func waitStopped(t *testing.T, pid int) {
	for start := time.Now(); ; time.Sleep(10 * time.Millisecond) {
		running := 0
		files, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/stat", pid))
		for _, file := range files {
			stat, _ := os.ReadFile(file)
			if _, state, _ := strings.Cut(string(stat), ") "); !strings.HasPrefix(state, "T") {
				running++
			}
		}
		if running == 0 && len(files) > 0 {
			return
		}
		if time.Since(start) > time.Minute {
			t.Fatalf("%d of %d threads of the server do not stop", running, len(files))
		}
	}
}

// serversOf returns the processes that serve a directory.
func serversOf(t *testing.T, mark string, yolk int, dir string) (pids []int) {
	for pid, line := range marked(t, mark) {
		if pid != yolk && strings.Contains(line, dir) {
			pids = append(pids, pid)
		}
	}
	return pids
}

// TestGuestServerFails: when a server ends at its start, its own words are shown,
// and auto does without it.
func TestGuestServerFails(t *testing.T) {
	needGuest(t)
	dir, bin := probe(t), t.TempDir()
	for _, tt := range []struct{ name, script, words string }{
		{"at once", "echo 'Failed to find mount root' >&2; exit 1", "Failed to find mount root"},
		{"later", "sleep 1; echo 'error: the sandbox is refused' >&2; exit 1", "the sandbox is refused"},
		{"usage", "printf 'error: unexpected argument\\n\\nUsage: x\\n' >&2; exit 2", "ended with exit status 2: error: unexpected argument; Usage: x"},
		{"signal", "kill -9 $$", "signal: killed"},
	} {
		script := "#!/bin/sh\ncase $1 in --help) echo '  --shared-dir <DIR>'; exit;; esac\n" + tt.script + "\n"
		if err := os.WriteFile(filepath.Join(bin, "virtiofsd"), []byte(script), 0o755); err != nil {
			t.Fatal(err)
		}
		for _, machine := range machines {
			t.Run(tt.name+"/"+machine, func(t *testing.T) {
				run := func(daemon string) result {
					cmd := yolkCommand(t, dir, "run", "-q", "--machine", machine, "--daemon", daemon, "--root", dir, ".", "--", "exit", "6")
					cmd.Env = append(os.Environ(), "PATH="+bin+":"+os.Getenv("PATH"))
					return runCommand(t, cmd)
				}
				got := run("virtiofsd")
				if got.status != exit.Failed || !strings.Contains(got.stderr, tt.words) || strings.Contains(got.stderr, "vhost") {
					t.Errorf("virtiofsd: %+v", got)
				}
				got = run("auto")
				if got.status != 6 || !strings.Contains(got.stderr, "built-in virtio-fs server in use: ") || !strings.Contains(got.stderr, tt.words) || strings.Contains(got.stderr, "vhost") {
					t.Errorf("auto: %+v", got)
				}
			})
		}
	}
}
