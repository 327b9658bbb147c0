package main

import (
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// TestGuestNames: names in a guest hold while the host, or the guest itself,
// changes them, with either server.
func TestGuestNames(t *testing.T) {
	needGuest(t)
	dir := program(t, "naming")
	for _, c := range []struct{ machine, daemon, cpus string }{
		{"microvm", "virtiofsd", "2"},
		{"q35", "virtiofsd", "1"},
		{"q35", "builtin", "2"},
	} {
		t.Run(c.machine+"/"+c.daemon, func(t *testing.T) {
			needDaemon(t, c.daemon)
			root := t.TempDir()
			cmd := yolkCommand(t, dir, "run", "-q", "--machine", c.machine, "--daemon", c.daemon, "--cpus", c.cpus, "--root", root, ".")
			noMounts := mountBelow(t, root, "small", "sub", "sub2")
			layOut(t, root, map[string]string{"sub/a": "", "sub2/a": "", "d/e": "", "list/first": ""})
			l := &names{looker: startLooker(t, cmd), T: t, root: root}
			l.changes()
			l.wants("seek /d", syscall.EINVAL.Error())
			l.wants("list /list", "ok")
			t.Run("mounts", func(t *testing.T) {
				if noMounts != nil {
					t.Skip("a full disk and mounts on the host are not tested: ", noMounts)
				}
				l.wants("same /sub/a /sub2/a", "ok")
				l.wants("same /sub /sub2", "ok")
				l.wants("same /sub/a /sub/a", "the same file")
				l.wants("remove /sub", syscall.EBUSY.Error())
				l.wants("link /sub/a /sub2/b", syscall.EXDEV.Error())
				l.wants("rename /sub/a /a", syscall.EXDEV.Error())
				l.wants("fill /small", "ok")
			})
		})
	}
}

// names is a guest with the program testdata/naming.
type names struct {
	*looker
	*testing.T
	root string
}

// wants has the guest make a call.
func (l *names) wants(call, answer string) {
	l.Helper()
	fmt.Fprintln(l.in, call)
	if !l.out.Scan() {
		l.Fatalf("%s: the guest has ended", call)
	}
	if got := l.out.Text(); got != answer {
		l.Errorf("%s: %s, want %s", call, got, answer)
	}
}

// changes has the host change what the guest has just looked at.
func (l *names) changes() {
	host := func(name string) string { return filepath.Join(l.root, name) }
	file := func(name string) {
		l.Helper()
		if err := os.WriteFile(host(name), []byte("host"), 0o644); err != nil {
			l.Fatal(err)
		}
	}
	gone := func(name string) {
		l.Helper()
		if err := os.Remove(host(name)); err != nil {
			l.Fatal(err)
		}
	}
	for _, call := range []string{"create /x", "mkdir /x", "symlink /x", "link /d/e /x"} {
		file("x")
		l.wants("stat /x", "ok")
		gone("x")
		l.wants(call, "ok")
		l.wants(call, syscall.EEXIST.Error())
		gone("x")
	}
	// Of another file, of another type, gone, come.
	for _, c := range []struct{ call, answer string }{{"remove /x", "ok"}, {"rename /x /y", "ok"}} {
		file("x")
		l.wants("stat /x", "ok")
		file("new")
		if err := os.Rename(host("new"), host("x")); err != nil {
			l.Fatal(err)
		}
		l.wants(c.call, c.answer)

		file("x")
		l.wants("stat /x", "ok")
		gone("x")
		l.wants(c.call, syscall.ENOENT.Error())

		l.wants("stat /x", syscall.ENOENT.Error())
		file("x")
		l.wants(c.call, c.answer)
	}
	gone("y")
	if err := os.Mkdir(host("x"), 0o755); err != nil {
		l.Fatal(err)
	}
	l.wants("stat /x", "ok")
	gone("x")
	file("x")
	l.wants("remove /x", "ok")
}

// mountBelow mounts small tmpfs in a directory of the host, if this user may.
func mountBelow(t *testing.T, root string, names ...string) error {
	t.Helper()
	for _, name := range names {
		dir := filepath.Join(root, name)
		if err := os.Mkdir(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := unix.Mount("yolk-test", dir, "tmpfs", 0, "size=16m"); err != nil {
			return fmt.Errorf("mounting a tmpfs: %w", err)
		}
		t.Cleanup(func() { unix.Unmount(dir, unix.MNT_DETACH) })
	}
	return nil
}
