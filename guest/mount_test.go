//go:build tamago

package guest

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

const msRdonly = 1 // MS_RDONLY of sys/mount.h

func TestMountAtRunTime(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "m")
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mount("scratch", dir, "tmpfs", 0, ""); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "f"), []byte("in it"), 0o644); err != nil {
		t.Error(err)
	}
	mounts, err := os.ReadFile("/proc/mounts")
	if err != nil || !strings.Contains(string(mounts), "scratch "+dir+" tmpfs rw") {
		t.Errorf("%v\n%s", err, mounts)
	}
	f, err := os.Open(filepath.Join(dir, "f"))
	if err != nil {
		t.Fatal(err)
	}
	if err := syscall.Unmount(dir, 0); !errors.Is(err, syscall.EBUSY) {
		t.Errorf("unmounting what is in use: %v", err)
	}
	f.Close()
	if err := syscall.Unmount(dir, 0); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(filepath.Join(dir, "f")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("still there: %v", err)
	}

	if err := syscall.Mount("scratch", dir, "tmpfs", msRdonly, ""); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(dir, "d"), 0o755); !errors.Is(err, syscall.EROFS) {
		t.Errorf("making a directory in a read-only mount: %v", err)
	}
	if err := syscall.Unmount(dir, 0); err != nil {
		t.Error(err)
	}
}

func TestMountRefuses(t *testing.T) {
	dir := t.TempDir()
	for _, c := range []struct {
		source, target, fstype string
		want                   error
	}{
		{"x", dir, "no such type", syscall.ENODEV},
		{"x", dir, "ext4", syscall.ENOTBLK},
		{"no such tag", dir, "virtiofs", syscall.ENODEV},
		{"root", dir, "virtiofs", syscall.EBUSY},
		{"x", filepath.Join(dir, "missing"), "tmpfs", syscall.ENOENT},
	} {
		if err := syscall.Mount(c.source, c.target, c.fstype, 0, ""); !errors.Is(err, c.want) {
			t.Errorf("mount %q on %q type %q: %v, want %v", c.source, c.target, c.fstype, err, c.want)
		}
	}
	if err := syscall.Unmount(dir, 0); !errors.Is(err, syscall.EINVAL) {
		t.Errorf("unmounting what is no mount point: %v", err)
	}
}
