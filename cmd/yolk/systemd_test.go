package main

import (
	"context"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestGuestSystemd: the service of a bundle serves under a systemd of its own, reads its settings and a
// secret that is root's, and drains at systemctl stop; as make systemd does.
func TestGuestSystemd(t *testing.T) {
	needGuest(t)
	const script = "../../.ci/systemd"
	if out, err := exec.Command(script, "--can").CombinedOutput(); err != nil {
		t.Skipf("no systemd can be run here: %s", out)
	}
	yolk, err := yolkBinary()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Minute) // for what hangs
	defer cancel()
	cmd := exec.CommandContext(ctx, script, yolk)
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) } // it cleans up
	cmd.WaitDelay = time.Minute
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "the service serves, and ends well") {
		t.Errorf("%v: %s", err, out)
	}
}
