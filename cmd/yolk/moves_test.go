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

// TestGuestTestNetwork: tests of a package have a network without an option if they
// use package net.
func TestGuestTestNetwork(t *testing.T) {
	needGuest(t)
	dir := t.TempDir()
	layOut(t, dir, map[string]string{
		"go.mod":      "module example.com/tests\n\ngo 1.24\n",
		"net_test.go": "package tests\n\nimport (\n\t\"net\"\n\t\"testing\"\n)\n\nfunc TestNet(t *testing.T) {\n\tif i, err := net.InterfaceByName(\"eth0\"); err != nil {\n\t\tt.Fatal(i, err)\n\t}\n}\n",
	})
	if r, _ := runQuietly(t, yolkCommand(t, dir, "test", "."), 0); r.status != 0 {
		t.Errorf("status %d, stdout:\n%s\nstderr:\n%s", r.status, r.stdout, r.stderr)
	}
}
