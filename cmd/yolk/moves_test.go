package main

import (
	"os/exec"
	"testing"
)

// TestGuestMoves: a program that makes no system calls itself has those by which
// package net moves bytes: it prints what it does on the host.
func TestGuestMoves(t *testing.T) {
	needGuest(t)
	dir := program(t, "moves")
	cmd := exec.Command("go", "run", ".")
	cmd.Dir = dir
	want, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	r, _ := runQuietly(t, yolkCommand(t, dir, "run", "-q", "--net", "none", "--timeout", "10m", "."), 0)
	if r.status != 0 || r.stdout != string(want) {
		t.Errorf("status %d, stdout:\n%s\nwant:\n%s\nstderr:\n%s", r.status, r.stdout, want, r.stderr)
	}
}
