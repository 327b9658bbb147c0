package main

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// looker is the probe, on the host or in a guest, that tells what it sees each
// time it is asked.
type looker struct {
	in  io.Writer
	out *bufio.Scanner
}

func startLooker(t *testing.T, cmd *exec.Cmd) *looker {
	t.Helper()
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		in.Close()
		if err := cmd.Wait(); err != nil {
			t.Error(err)
		}
	})
	return &looker{in, bufio.NewScanner(out)}
}

func (l *looker) look(t *testing.T) string {
	t.Helper()
	fmt.Fprintln(l.in)
	if !l.out.Scan() {
		t.Fatal("the probe has ended")
	}
	return l.out.Text()
}

// TestGuestCoherence changes files on the host under a guest that has looked at
// them before: it sees each change when the server's lifetime is over, at once
// where that is nothing.
func TestGuestCoherence(t *testing.T) {
	needGuest(t)
	dir := probe(t)
	host := filepath.Join(t.TempDir(), "probe")
	build := exec.Command("go", "build", "-o", host, ".")
	build.Dir = dir
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	for _, c := range []struct {
		machine, daemon, cache string
		lifetime               time.Duration
	}{
		{"microvm", "virtiofsd", "auto", time.Second},
		{"q35", "virtiofsd", "none", 0},
		{"microvm", "builtin", "auto", time.Second},
		{"q35", "builtin", "none", 0},
	} {
		t.Run(c.machine+"/"+c.daemon+"/"+c.cache, func(t *testing.T) {
			needDaemon(t, c.daemon)
			t.Parallel() // they sleep most of the time
			root := t.TempDir()
			layOut(t, root, map[string]string{"d/open": "open", "d/file": "hello", "d/gone": "x", "d/from": "from", "d/over": "over",
				"d/kind": "kind", "d/sub/x": "1"})
			must(t, os.Symlink("open", filepath.Join(root, "d/link")))
			files := []string{"open", "file", "gone", "from", "to", "over", "kind", "link", "new", "sub/x", "sub/y"}
			args := append([]string{"run", "-q", "--machine", c.machine, "--daemon", c.daemon, "--cache", c.cache, "--root", root,
				".", "--", "look", "/d"}, files...)
			guest := startLooker(t, yolkCommand(t, dir, args...))
			truth := startLooker(t, exec.Command(host, append([]string{"look", filepath.Join(root, "d")}, files...)...))
			at := func(name string) string { return filepath.Join(root, "d", name) }
			for _, change := range []struct {
				name string
				do   func() error
			}{
				{"nothing", func() error { return nil }},
				{"other content of the same size", func() error { return os.WriteFile(at("file"), []byte("HELLO"), 0) }},
				{"longer", func() error { return os.WriteFile(at("file"), []byte("hello, host"), 0) }},
				{"shorter", func() error { return os.Truncate(at("file"), 2) }},
				{"mode", func() error { return os.Chmod(at("file"), 0o600) }},
				{"an open file", func() error { return os.WriteFile(at("open"), []byte("OPEN and longer"), 0) }},
				{"a new name", func() error { return os.WriteFile(at("new"), []byte("new"), 0o644) }},
				{"a removed name", func() error { return os.Remove(at("gone")) }},
				{"the same name again", func() error { return os.WriteFile(at("gone"), []byte("back"), 0o644) }},
				{"renamed", func() error { return os.Rename(at("from"), at("to")) }},
				{"renamed over another", func() error { return os.Rename(at("to"), at("over")) }},
				{"another link", func() error {
					os.Remove(at("link"))
					return os.Symlink("file", at("link"))
				}},
				{"a directory in the place of a file", func() error {
					os.Remove(at("kind"))
					return os.Mkdir(at("kind"), 0o755)
				}},
				{"a file in the place of a directory", func() error {
					os.Remove(at("kind"))
					return os.WriteFile(at("kind"), []byte("file"), 0o644)
				}},
				{"a new directory under an old name", func() error {
					os.RemoveAll(at("sub"))
					os.Mkdir(at("sub"), 0o755)
					return os.WriteFile(at("sub/y"), []byte("2"), 0o644)
				}},
				{"an open file, removed", func() error { return os.Remove(at("open")) }},
			} {
				must(t, change.do())
				time.Sleep(c.lifetime)
				if got, want := guest.look(t), truth.look(t); got != want {
					t.Errorf("%s: the guest sees\n%s\nthe host has\n%s", change.name, got, want)
				}
			}
		})
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
