package main

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/yolkos/yolk/cmd/yolk/internal/exit"
)

// TestGuestDetached runs machines in the background, and asks for what becomes of them
// in every way that there is.
func TestGuestDetached(t *testing.T) {
	image := signalImage(t)
	runtimeDir := t.TempDir()
	if err := os.Chmod(runtimeDir, 0o700); err != nil {
		t.Fatal(err)
	}
	mark := fmt.Sprintf("YOLK_TEST_MARK=%d.%d", os.Getpid(), time.Now().UnixNano())
	command := func(args ...string) *exec.Cmd {
		cmd := yolkCommand(t, filepath.Dir(image), args...)
		cmd.Env = append(os.Environ(), "XDG_RUNTIME_DIR="+runtimeDir, mark)
		return cmd
	}
	// The output of a command ends only when nobody has it open any more.
	yolk := func(t *testing.T, status int, args ...string) result {
		t.Helper()
		r := runCommand(t, command(args...))
		if r.status != status {
			t.Fatalf("yolk %s: status %d, want %d\n%s%s", strings.Join(args, " "), r.status, status, r.stdout, r.stderr)
		}
		return r
	}
	run := func(t *testing.T, name, what string, flags ...string) {
		t.Helper()
		args := slices.Concat([]string{"run", "-d", "--timeout", "300s", "--name", name}, flags, []string{image, what})
		if r := yolk(t, 0, args...); r.stdout != name+"\n" {
			t.Fatalf("printed %q, want %q", r.stdout, name)
		}
	}
	// follow follows a log from the program's first line on.
	follow := func(t *testing.T, name string) *bufio.Reader {
		t.Helper()
		_, out, complaints := startPiped(t, command("logs", "-f", name))
		lines := bufio.NewReader(out)
		if line, err := lines.ReadString('\n'); line != "ready\n" {
			t.Fatalf("logs -f: %q, %v, %s", line, err, complaints)
		}
		return lines
	}
	t.Cleanup(func() { _ = command("rm", "-f", "-a").Run() })

	t.Run("stop", func(t *testing.T) {
		// One of two gets the name.
		var both sync.WaitGroup
		var results [2]result
		for i := range results {
			both.Go(func() {
				results[i] = runCommand(t, command("run", "-d", "--timeout", "300s", "--name", "one", image, "notify"))
			})
		}
		both.Wait()
		slices.SortFunc(results[:], func(a, b result) int { return a.status - b.status })
		if results[0].status != 0 || results[1].status != exit.Failed || !strings.Contains(results[1].stderr, "there is a machine one already") {
			t.Fatalf("%+v", results)
		}
		r := yolk(t, 0, "ps", "--json")
		if !strings.Contains(r.stdout, `"name":"one"`) || !strings.Contains(r.stdout, `"state":"running"`) || strings.Count(r.stdout, "\n") != 1 {
			t.Errorf("ps: %s", r.stdout)
		}
		if r := yolk(t, 0, "__complete", "stop", ""); !strings.HasPrefix(r.stdout, "one\trunning: ") {
			t.Errorf("completion: %s", r.stdout)
		}
		lines := follow(t, "one")
		_, waited, _ := startPiped(t, command("wait", "one"))
		if r := yolk(t, 0, "stop", "one", "one"); r.stdout != strings.Repeat("one: ended with status 3\n", 2) {
			t.Errorf("stop: %s", r.stdout)
		}
		if out, err := io.ReadAll(lines); string(out) != "got terminated\n" || err != nil {
			t.Errorf("logs -f: %q, %v", out, err)
		}
		if out, err := io.ReadAll(waited); string(out) != "3\n" || err != nil {
			t.Errorf("wait: %q, %v", out, err)
		}
		if r := yolk(t, 3, "wait", "one"); r.stdout != "3\n" {
			t.Errorf("wait: %+v", r)
		}
		if r := yolk(t, 0, "logs", "--kernel", "one"); !strings.Contains(r.stdout, "tmpfs on /") || strings.Contains(r.stdout, "ready") {
			t.Errorf("logs --kernel: %s", r.stdout)
		}
		if r := yolk(t, 0, "ps"); strings.Contains(r.stdout, "one") {
			t.Errorf("ps: %s", r.stdout)
		}
		if r := yolk(t, 0, "ps", "-a"); !strings.Contains(r.stdout, "ended (3)") {
			t.Errorf("ps -a: %s", r.stdout)
		}
		yolk(t, 0, "rm", "one")
		if r := yolk(t, exit.Failed, "logs", "one"); !strings.Contains(r.stderr, "machine one: file does not exist") {
			t.Errorf("logs of a machine that was removed: %s", r.stderr)
		}
	})
	t.Run("late", func(t *testing.T) { // a program that does not end is ended
		run(t, "late", "deaf", "--rm")
		lines := follow(t, "late")
		if r := yolk(t, 0, "stop", "--timeout", "10ms", "late"); r.stdout != "late: ended with status 137\n" {
			t.Errorf("stop: %+v", r)
		}
		if r := yolk(t, 0, "ps", "-a", "--json"); r.stdout != "" {
			t.Errorf("left with --rm: %s", r.stdout)
		}
		if out, err := io.ReadAll(lines); !strings.HasPrefix("got terminated\n", string(out)) || err != nil {
			t.Errorf("logs -f: %q, %v", out, err)
		}
	})
	t.Run("killed", func(t *testing.T) {
		run(t, "killed", "default")
		r := yolk(t, 0, "ps", "--json")
		_, after, _ := strings.Cut(r.stdout, `"pid":`)
		number, _, _ := strings.Cut(after, ",")
		pid, err := strconv.Atoi(number)
		if err != nil {
			t.Fatalf("ps: %s", r.stdout)
		}
		if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
		if r := yolk(t, 137, "wait", "killed"); r.stdout != "137\n" {
			t.Errorf("wait: %+v", r)
		}
		if r := yolk(t, 0, "ps", "-a"); !strings.Contains(r.stdout, "killed") || !strings.Contains(r.stdout, " - ") {
			t.Errorf("ps -a: %s", r.stdout)
		}
		yolk(t, 0, "stop", "killed") // it is as it should be
		if r := yolk(t, 0, "logs", "killed"); !strings.HasPrefix(r.stdout, "ready\n") && r.stdout != "" {
			t.Errorf("logs: %q", r.stdout)
		}
		yolk(t, 0, "rm", "killed")
		for deadline := time.Now().Add(5 * time.Minute); len(processesWith(mark)) > 0; {
			if time.Now().After(deadline) {
				t.Fatalf("processes of the machine are left: %v", processesWith(mark))
			}
			time.Sleep(10 * time.Millisecond)
		}
	})
	t.Run("panic", func(t *testing.T) { // without an argument
		if r := yolk(t, 0, "run", "-d", image); r.stdout != "signals\n" {
			t.Fatalf("printed %q", r.stdout)
		}
		yolk(t, 2, "wait", "signals")
		if r := yolk(t, 0, "logs", "signals"); !strings.HasPrefix(r.stderr, "panic: ") || strings.Contains(r.stderr, "tmpfs on /") {
			t.Errorf("logs: %q", r.stderr)
		}
		yolk(t, 0, "rm", "signals")
	})
	t.Run("fails", func(t *testing.T) { // in its own words, and leaves nothing
		r := yolk(t, exit.Failed, "run", "-d", "--qemu-arg=-device", "--qemu-arg=nonesuch", image)
		if r.stdout != "" || !strings.Contains(r.stderr, "'nonesuch' is not a valid device") {
			t.Errorf("%+v", r)
		}
		if r := yolk(t, 0, "ps", "-a", "--json"); r.stdout != "" {
			t.Errorf("left: %s", r.stdout)
		}
	})
}

// processesWith lists the processes that have a variable in their environment.
func processesWith(variable string) (pids []string) {
	list, _ := filepath.Glob("/proc/[0-9]*/environ")
	for _, name := range list {
		data, _ := os.ReadFile(name)
		if bytes.Contains(data, []byte(variable+"\x00")) {
			pids = append(pids, filepath.Base(filepath.Dir(name)))
		}
	}
	return pids
}
