package main

import (
	"context"
	"strings"
	"syscall"
	"testing"

	"github.com/yolkos/yolk/qemu"
)

// TestDoctorInterrupted: a doctor that is interrupted says nothing of what it could not look at.
func TestDoctorInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancelCause(context.Background())
	cancel(&qemu.SignalError{Signal: syscall.SIGINT})
	cmd := doctorCmd()
	var out strings.Builder
	cmd.SetOut(&out)
	cmd.SetErr(&out)
	cmd.SetArgs(nil)
	if err := cmd.ExecuteContext(ctx); statusOf(ctx, err, &out) != 130 || strings.Contains(out.String(), "go command") {
		t.Errorf("%v, %q", err, out.String())
	}
}
