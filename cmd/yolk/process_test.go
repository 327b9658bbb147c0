package main

import (
	"os/exec"
	"strings"
	"testing"
)

// TestGuestProcess runs a program that asks about its process, and compares what it
// prints with what it prints here. Other programs it cannot start, and is told why.
func TestGuestProcess(t *testing.T) {
	needGuest(t)
	dir, host := module(t, "process")
	want := runCommand(t, exec.Command(host))
	if want.status != 0 {
		t.Fatalf("on the host: %+v", want)
	}
	for _, machine := range machines {
		t.Run(machine, func(t *testing.T) {
			got := runCommand(t, yolkCommand(t, dir, "run", "-q", "--timeout", "300s", "--machine", machine, "--cpus", "2", ".", "--", "guest"))
			compareLines(t, got.stdout, want.stdout)
			if got.status != 0 {
				t.Errorf("status %d", got.status)
			}
			for _, line := range []string{"EXEC fork/exec /bin/sh: there are no processes: ", " true\nEXEC fork/exec /proc/self/exe: there are no processes: ", strings.Repeat("NUMBER 38\n", 6)} {
				if !strings.Contains(got.stderr, line) {
					t.Errorf("no %q in %s", line, got.stderr)
				}
			}
		})
	}
}
