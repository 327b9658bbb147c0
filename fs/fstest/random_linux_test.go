package fstest

import (
	"flag"
	"fmt"
	"os"
	"runtime"
	"syscall"
	"testing"
	"time"

	"github.com/yolkos/yolk/fs/iofs"
	"github.com/yolkos/yolk/fs/overlay"
	"github.com/yolkos/yolk/fs/tmpfs"
	"github.com/yolkos/yolk/syscalls"
)

var (
	seed  = flag.Uint64("seed", 1, "seed of the first of the random plays; 0 takes one from the clock")
	steps = flag.Int("steps", 100_000, "how many random operations the plays of a test have together")
)

// plays is how many plays, each with a seed of its own, a test has.
const plays = 4

// TestRandomAgainstLinux plays on a file system of this machine and on tmpfs.
// In one of the plays nothing that is not in use stays in the cache.
func TestRandomAgainstLinux(t *testing.T) {
	playAll(t, RandomConfig{}, func(t *testing.T, play int) *syscalls.Kernel {
		k := NewKernel(tmpfs.New(tmpfs.Limits{}))
		if play == 1 {
			k.VFS().SetCacheSize(0)
		}
		return k
	})
}

// playAll plays on directories of this machine, which are empty unless grow fills them,
// and on the systems that New makes.
func playAll(t *testing.T, c RandomConfig, New func(t *testing.T, play int) *syscalls.Kernel, grow ...func(t *testing.T, play int, dir string)) {
	if os.Getuid() != 0 {
		t.Skip("only the superuser can make a directory the root, which keeps the random paths in it")
	}
	c.Seed = *seed
	if c.Seed == 0 {
		c.Seed = uint64(time.Now().UnixNano())
	}
	c.Steps, c.Every = *steps/plays, 100
	t.Logf("-seed %d -steps %d", c.Seed, *steps)
	old := syscall.Umask(0) // for servers in this process, which are told what to subtract
	t.Cleanup(func() { syscall.Umask(old) })
	for play := range plays {
		t.Run(fmt.Sprint(play), func(t *testing.T) {
			t.Parallel()
			var fill []func(string)
			for _, g := range grow {
				fill = append(fill, func(dir string) { g(t, play, dir) })
			}
			againstLinux(t, New(t, play), c, fill...)
		})
		c.Seed++
	}
}

// TestRandomOverlay plays on a directory of this machine and on an overlay over an
// archive that has the same in it.
func TestRandomOverlay(t *testing.T) {
	c := RandomConfig{}
	playAll(t, c, func(t *testing.T, play int) *syscalls.Kernel {
		lower, err := iofs.New(Pack(t, Sample(uint64(play), false)), iofs.Options{})
		if err != nil {
			t.Fatal(err)
		}
		f, err := overlay.New(lower, tmpfs.New(tmpfs.Limits{}))
		if err != nil {
			t.Fatal(err)
		}
		k := NewKernel(f)
		if play == 1 {
			k.VFS().SetCacheSize(0)
		}
		return k
	}, func(t *testing.T, play int, dir string) { GrowIn(t, dir, Sample(uint64(play), false)) })
}

// againstLinux plays on a directory of this machine, which grow fills before, and on k.
func againstLinux(t *testing.T, k *syscalls.Kernel, c RandomConfig, grow ...func(dir string)) {
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, g := range grow {
		g(dir)
	}
	c.Enter = func() error {
		runtime.LockOSThread() // and never unlocked: the thread ends with the goroutine
		if err := Chroot(dir); err != nil {
			return err
		}
		Linux{}.Umask(0o022)
		return nil
	}
	Random(t, Linux{}, k, c)
}
