package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestGuestXsys runs a program that uses golang.org/x/sys/unix, and compares
// what it prints with what it prints here.
func TestGuestXsys(t *testing.T) {
	needGuest(t)
	dir, host := module(t, "xsys")
	want := runCommand(t, exec.Command(host, t.TempDir()))
	if want.status != 0 {
		t.Fatalf("on the host: %+v", want)
	}
	if vet := runCommand(t, yolkCommand(t, dir, "go", "vet", "-unsafeptr=false", "golang.org/x/sys/unix")); vet.status != 0 {
		t.Errorf("vet: %s", vet.stderr)
	}
	for _, machine := range machines {
		t.Run(machine, func(t *testing.T) {
			root := t.TempDir()
			if err := os.Mkdir(filepath.Join(root, "dir"), 0o755); err != nil {
				t.Fatal(err)
			}
			got := runCommand(t, yolkCommand(t, dir, "run", "-q", "--machine", machine, "--root", root, ".", "--", "/dir"))
			if got.status != 0 || got.stdout != want.stdout {
				t.Errorf("%+v, want %s", got, want.stdout)
			}
			if !strings.Contains(got.stderr, "IOCTL ") {
				t.Errorf("no IOCTL was sent: %s", got.stderr)
			}
			data, err := os.ReadFile(filepath.Join(root, "dir/file"))
			if err != nil || len(data) != 8192 || !bytes.Equal(data[4096:4105], []byte("some more")) {
				t.Errorf("the file holds %d bytes (%v)", len(data), err)
			}
		})
	}
}

// TestGuestBolt fills a database that is mapped into memory, and reads it in
// another guest and on the host.
func TestGuestBolt(t *testing.T) {
	needGuest(t)
	dir, host := module(t, "bolt")
	root := t.TempDir()
	for _, what := range []string{"fill", "count"} {
		got := runCommand(t, yolkCommand(t, dir, "run", "-q", "--root", root, ".", "--", what, "/db"))
		if got.status != 0 || what == "count" && got.stdout != "2000000 bytes\n" {
			t.Errorf("%s: %+v", what, got)
		}
	}
	if got := runCommand(t, exec.Command(host, "count", filepath.Join(root, "db"))); got.stdout != "2000000 bytes\n" {
		t.Errorf("on the host: %+v", got)
	}
}

// module copies a module below testdata and builds it for the host, too.
func module(t *testing.T, name string) (dir, host string) {
	t.Helper()
	dir, host = t.TempDir(), filepath.Join(t.TempDir(), name)
	if err := os.CopyFS(dir, os.DirFS(filepath.Join("testdata", name))); err != nil {
		t.Fatal(err)
	}
	build := exec.Command("go", "build", "-o", host, ".")
	build.Dir = dir
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return dir, host
}
