package main

import (
	"os/exec"
	"testing"
)

// TestGuestEvents waits for descriptors of all kinds through golang.org/x/sys/unix,
// and compares what a guest prints with what Linux does.
func TestGuestEvents(t *testing.T) {
	needGuest(t)
	dir, host := module(t, "events")
	want := runCommand(t, exec.Command(host))
	if want.status != 0 {
		t.Fatalf("on the host: %+v", want)
	}
	for _, machine := range machines {
		t.Run(machine, func(t *testing.T) {
			got := runCommand(t, yolkCommand(t, dir, "run", "-q", "--machine", machine, "."))
			if got.status != 0 || got.stdout != want.stdout {
				t.Errorf("status %d\n%s%s\nwant\n%s", got.status, got.stdout, got.stderr, want.stdout)
			}
		})
	}
}
