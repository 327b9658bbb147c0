//go:build tamago

package guest

import (
	"os"
	"syscall"
	"testing"
)

// TestHotPathsAllocateNothing: stat of a name in the cache and pread of a file
// that is being read leave no work to the garbage collector, from the system
// call to virtio-fs, where the package's directory lies.
func TestHotPathsAllocateNothing(t *testing.T) {
	const name = "alloc.tmp"
	if err := os.WriteFile(name, make([]byte, 64<<10), 0o600); err != nil {
		t.Fatal(err)
	}
	defer os.Remove(name)
	fd, err := syscall.Open(name, syscall.O_RDONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer syscall.Close(fd)
	var st syscall.Stat_t
	small, large := make([]byte, 4096), make([]byte, 64<<10)
	for _, c := range []struct {
		name string
		do   func() error
	}{
		{"stat", func() error { return syscall.Stat(name, &st) }},
		{"fstat", func() error { return syscall.Fstat(fd, &st) }},
		{"pread of 4 KiB", func() error { _, err := syscall.Pread(fd, small, 4096); return err }},
		{"pread of 64 KiB", func() error { _, err := syscall.Pread(fd, large, 0); return err }},
	} {
		// The first runs bring the data to the cache.
		for range 10 {
			if err := c.do(); err != nil {
				t.Fatal(c.name, err)
			}
		}
		if n := testing.AllocsPerRun(500, func() { c.do() }); n != 0 {
			t.Errorf("%s: %v allocations", c.name, n)
		}
	}
}
