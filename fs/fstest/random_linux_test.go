package fstest

import (
	"flag"
	"os"
	"runtime"
	"testing"
	"time"

	"github.com/yolkos/yolk/fs/tmpfs"
	"github.com/yolkos/yolk/syscalls"
)

var (
	seed  = flag.Uint64("seed", 1, "seed of the random operations; 0 takes one from the clock")
	steps = flag.Int("steps", 20_000, "how many random operations")
)

// startSeed is -seed, or one that stays the same in this run.
func startSeed() uint64 {
	if *seed == 0 {
		*seed = uint64(time.Now().UnixNano())
	}
	return *seed
}

// TestRandomAgainstLinux plays on a file system of this machine and on tmpfs.
func TestRandomAgainstLinux(t *testing.T) {
	againstLinux(t, NewKernel(tmpfs.New(tmpfs.Limits{})), RandomConfig{Seed: startSeed(), Steps: *steps, Every: 100})
}

// TestRandomWithoutCache plays where nothing that is not in use stays in the
// cache.
func TestRandomWithoutCache(t *testing.T) {
	k := NewKernel(tmpfs.New(tmpfs.Limits{}))
	k.VFS().SetCacheSize(0)
	againstLinux(t, k, RandomConfig{Seed: startSeed(), Steps: *steps / 2, Every: 100})
}

// againstLinux plays on an empty directory of this machine and on k.
func againstLinux(t *testing.T, k *syscalls.Kernel, c RandomConfig) {
	if os.Getuid() != 0 {
		t.Skip("only the superuser can make a directory the root, which keeps the random paths in it")
	}
	t.Logf("-seed %d -steps %d", *seed, *steps)
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	t.Run("play", func(t *testing.T) {
		runtime.LockOSThread() // and never unlocked: the thread ends with this part of the test
		if err := Chroot(dir); err != nil {
			t.Fatal(err)
		}
		Linux{}.Umask(0o022)
		Random(t, Linux{}, k, c)
	})
}
