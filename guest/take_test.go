//go:build tamago

package guest

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/yolkos/yolk/drivers/virtio"
	"github.com/yolkos/yolk/fs"
	"github.com/yolkos/yolk/fs/tmpfs"
	"github.com/yolkos/yolk/kernel"
)

// TestTake: the kernel hands out what it does not use, and nothing else.
func TestTake(t *testing.T) {
	if _, err := kernel.TakeShare("nobody"); !errors.Is(err, syscall.ENODEV) {
		t.Errorf("a share that is not there: %v", err)
	}
	if _, err := kernel.TakeShare("root"); !errors.Is(err, syscall.EBUSY) {
		t.Errorf("the share that is the root: %v", err)
	}
	for _, id := range []uint32{virtio.DeviceEntropy, virtio.DeviceConsole, virtio.DeviceFileSystem, 4711} {
		if d, _ := kernel.TakeDevice(id); d != nil {
			t.Errorf("device of type %d: %s", id, d.Name())
		}
	}
}

// TestRegisterFileSystem: a type of file system of the program's own can be mounted,
// with source and data as they were given.
func TestRegisterFileSystem(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "m")
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mount("here", dir, "own", 0, "size=1"); !errors.Is(err, syscall.ENODEV) {
		t.Errorf("before it is registered: %v", err)
	}
	var source, data string
	kernel.RegisterFileSystem("own", func(s, d string) (fs.FileSystem, error) {
		source, data = s, d
		if d == "no" {
			return nil, syscall.EINVAL
		}
		return tmpfs.New(tmpfs.Limits{Bytes: 1 << 20}), nil
	})
	if err := syscall.Mount("here", dir, "own", 0, "no"); !errors.Is(err, syscall.EINVAL) {
		t.Errorf("one that refuses: %v", err)
	}
	if err := syscall.Mount("here", dir, "own", 0, "size=1"); err != nil || source != "here" || data != "size=1" {
		t.Fatalf("%v, source %q, data %q", err, source, data)
	}
	if err := os.WriteFile(filepath.Join(dir, "f"), []byte("in it"), 0o644); err != nil {
		t.Error(err)
	}
	if err := syscall.Unmount(dir, 0); err != nil {
		t.Error(err)
	}
}
