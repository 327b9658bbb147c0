package main

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/yolkos/yolk/qemu"
)

// TestGuestCrash lets machines end in all the ways that are no good end, and looks for
// what the report says; and in others, of which there is none.
func TestGuestCrash(t *testing.T) {
	needGuest(t)
	dir := program(t, "crash")
	image := filepath.Join(dir, "crash.elf")
	if r := runCommand(t, yolkCommand(t, dir, "build", "-o", image, ".")); r.status != 0 {
		t.Fatal(r.stderr)
	}
	const traces = "main.waits"
	for i, tt := range []struct {
		how    string
		signal syscall.Signal // when it is ready; SIGKILL is for QEMU
		status int
		want   []string
	}{
		{how: "panic", status: 2, want: []string{"first word: panic: the reason\n", "goroutine 1 [running]", traces}},
		{how: "exception", status: 2, want: []string{"first word: fatal error: exception 6", "rip ", traces}},
		{how: "silent", status: 125, want: []string{"triple fault", "\nCPU#0\n", "\nRIP="}},
		{how: "killed", signal: syscall.SIGKILL, status: 125, want: []string{"signal: killed", "QEMU has ended"}},
		{how: "deaf", signal: syscall.SIGTERM, status: 143, want: []string{"has not ended after SIGTERM", "\nCPU#0\n", "\nRIP=", traces}},
		{how: "status", status: 2},
		{how: "killed", signal: syscall.SIGINT, status: 130},
	} {
		machine := machines[i%2]
		t.Run(tt.how+"/"+machine, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "report")
			layOut(t, filepath.Dir(file), map[string]string{"report": crashTitle + "\nof another run\n"})
			cmd := yolkCommand(t, dir, "run", "-q", "--machine", machine, "--timeout", "300s", "--stop-timeout", "10ms", "--crash", file, image, tt.how)
			_, stdout, stderr := startPiped(t, cmd)
			if tt.signal != 0 {
				line := make([]byte, 64)
				if n, err := stdout.Read(line); string(line[:n]) != "ready\n" {
					_ = cmd.Wait()
					t.Fatalf("%q, %v\n%s", line[:n], err, stderr)
				}
				pid := cmd.Process.Pid
				if tt.signal == syscall.SIGKILL {
					pid = childOf(t, pid, "qemu-system")
				}
				if err := syscall.Kill(pid, tt.signal); err != nil {
					t.Fatal(err)
				}
			}
			_ = cmd.Wait()
			if got := cmd.ProcessState.ExitCode(); got != tt.status {
				t.Errorf("%v, want status %d\n%s", cmd.ProcessState, tt.status, stderr)
			}
			report, err := os.ReadFile(file)
			if len(tt.want) == 0 {
				if !os.IsNotExist(err) {
					t.Errorf("there is a report: %v\n%s", err, report)
				}
				return
			}
			always := []string{crashTitle + "\n", `"` + tt.how + `"`, "tmpfs on / type tmpfs", "example.com/crash", "QEMU emulator version", "-machine " + machine}
			for _, want := range append(always, tt.want...) {
				if !strings.Contains(string(report), want) {
					t.Errorf("no %q in the report: %v\n%s", want, err, report)
				}
			}
			if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
				t.Errorf("%v, %v: want mode 0600", info, err)
			}
			if strings.Contains(stderr.String(), "tmpfs on /") {
				t.Errorf("the kernel's log is shown in spite of -q: %s", stderr)
			}
		})
	}
}

// childOf returns the child of a process whose command has a name.
func childOf(t *testing.T, parent int, name string) int {
	t.Helper()
	list, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, file := range list {
		data, _ := os.ReadFile(file)
		_, after, _ := strings.Cut(string(data), ") ")
		words := strings.Fields(after)
		if len(words) > 1 && words[1] == strconv.Itoa(parent) && strings.Contains(string(data), "("+name) {
			pid, _ := strconv.Atoi(filepath.Base(filepath.Dir(file)))
			return pid
		}
	}
	t.Fatalf("process %d has no child %s", parent, name)
	return 0
}

// TestCrashFile: only a report is replaced, and only where there is a directory for it.
func TestCrashFile(t *testing.T) {
	dir := t.TempDir()
	layOut(t, dir, map[string]string{"image": "", "mine": "something else\n", "report": crashTitle + "\n"})
	if err := syscall.Mkfifo(filepath.Join(dir, "pipe"), 0o600); err != nil {
		t.Fatal(err)
	}
	image, err := os.Open(filepath.Join(dir, "image"))
	if err != nil {
		t.Fatal(err)
	}
	defer image.Close()
	for name, fails := range map[string]bool{"new": false, "report": false, "mine": true, "none/new": true, "pipe": true, "image/new": true} {
		c, err := prepareCrash(filepath.Join(dir, name), "x", &qemu.Options{Kernel: image})
		if (err != nil) != fails || err != nil && !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v, want an error: %v", name, err, fails)
		}
		c.close()
	}
	if _, err := os.Stat(filepath.Join(dir, "report")); !os.IsNotExist(err) {
		t.Errorf("a report of another run is left: %v", err)
	}
	if data, err := os.ReadFile(filepath.Join(dir, "mine")); string(data) != "something else\n" {
		t.Errorf("%q, %v", data, err)
	}
}
