package fstest

import (
	"flag"
	"os"
	"runtime"
	"testing"
	"time"

	"github.com/yolkos/yolk/fs/tmpfs"
)

var (
	seed  = flag.Uint64("seed", 0, "seed of the random operations; 0 takes one from the clock")
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
	if os.Getuid() != 0 {
		t.Skip("only the superuser can make a directory the root, which keeps the random paths in it")
	}
	runtime.LockOSThread() // and never unlocked: the thread ends with the test
	t.Logf("-seed %d -steps %d", startSeed(), *steps)
	if err := Chroot(t.TempDir()); err != nil {
		t.Fatal(err)
	}
	k := NewKernel(tmpfs.New(tmpfs.Limits{}))
	old := Linux{}.Umask(0o022)
	defer Linux{}.Umask(old)
	Random(t, Linux{}, k, RandomConfig{Seed: startSeed(), Steps: *steps, Every: 100})
}
