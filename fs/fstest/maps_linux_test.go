package fstest

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/yolkos/yolk/fs/tmpfs"
	"github.com/yolkos/yolk/syscalls"
	"github.com/yolkos/yolk/syscalls/memfd"
)

// mapSteps is how long a play with one seed is.
const mapSteps = 500

// TestRandomMaps plays on mapped files of this machine, and on such of tmpfs and
// over FUSE with various lifetimes, a fifth of -steps.
func TestRandomMaps(t *testing.T) {
	first := *seed
	if first == 0 {
		first = uint64(time.Now().UnixNano())
	}
	for i := range uint64(max(1, *steps/mapSteps/20)) {
		for name, make := range map[string]func(t *testing.T) *syscalls.Kernel{
			"tmpfs":    func(t *testing.T) *syscalls.Kernel { return NewKernel(tmpfs.New(tmpfs.Limits{})) },
			"FUSE/1s":  func(t *testing.T) *syscalls.Kernel { return NewKernel(loopback(t, t.TempDir(), time.Second)) },
			"FUSE/0s":  func(t *testing.T) *syscalls.Kernel { return NewKernel(loopback(t, t.TempDir(), 0)) },
			"FUSE/1ms": func(t *testing.T) *syscalls.Kernel { return NewKernel(loopback(t, t.TempDir(), time.Millisecond)) },
		} {
			t.Run(fmt.Sprint(name, "/", first+i), func(t *testing.T) {
				playMaps(t, make(t), MapConfig{
					Seed: first + i, Steps: mapSteps,
					NoAppend: strings.HasPrefix(name, "FUSE"), // go-fuse cannot open what has lost its name
				})
			})
		}
	}
}

// playMaps plays in an empty directory of this machine and in the root of k.
func playMaps(t *testing.T, k *syscalls.Kernel, c MapConfig) {
	mem, err := memfd.New(256 << 20)
	if err != nil {
		t.Fatal(err)
	}
	defer mem.Close()
	k.Memory = mem
	c.Dirs[0] = t.TempDir() + "/"
	RandomMaps(t, Linux{}, k, c)
	if err := k.Shutdown(); err != nil {
		t.Error(err)
	}
}

// TestRandomMemory plays on anonymous memory of this machine, by which the model is
// judged, and of a Kernel.
func TestRandomMemory(t *testing.T) {
	first := *seed
	if first == 0 {
		first = uint64(time.Now().UnixNano())
	}
	mem, err := memfd.New(1 << 20)
	if err != nil {
		t.Fatal(err)
	}
	defer mem.Close()
	k := NewKernel(tmpfs.New(tmpfs.Limits{}))
	k.Memory = mem
	for i := range uint64(max(1, *steps/mapSteps)) {
		RandomMemory(t, Linux{}, first+i, mapSteps)
		RandomMemory(t, k, first+i, mapSteps)
		if t.Failed() {
			break
		}
	}
	if err := k.Shutdown(); err != nil {
		t.Error(err)
	}
}
