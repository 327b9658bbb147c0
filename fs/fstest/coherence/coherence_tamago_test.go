//go:build tamago

package coherence

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/yolkos/yolk/fs/fstest"
	"github.com/yolkos/yolk/fs/tmpfs"
	"github.com/yolkos/yolk/syscalls"
)

var (
	seed  = flag.Uint64("seed", 1, "seed of the first play")
	seeds = flag.Int("seeds", 40, "how many plays of each test")
)

// TestRoot plays in directories of the machine's own root, which is the host's
// over virtio-fs. A seed says what is called; in which order things happen is
// for machine and server to say.
func TestRoot(t *testing.T) {
	base, err := os.MkdirTemp(".", "coherence")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(base)
	if base, err = filepath.Abs(base); err != nil {
		t.Fatal(err)
	}
	plays(t, func(i uint64) (fstest.Sys, string) {
		dir := filepath.Join(base, fmt.Sprint(i))
		if err := os.Mkdir(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		return syscalls.Bound(), dir
	})
}

func TestTmpfs(t *testing.T) {
	plays(t, func(uint64) (fstest.Sys, string) { return fstest.NewKernel(tmpfs.New(tmpfs.Limits{})), "" })
}

func plays(t *testing.T, where func(i uint64) (fstest.Sys, string)) {
	for i := range uint64(*seeds) {
		sys, dir := where(i)
		if err := Play(sys, dir, Config{Seed: *seed + i, Workers: 2 + int(i%5), Calls: 80}); err != nil {
			t.Errorf("-seed %d -seeds 1: %v", *seed+i, err)
		}
	}
}
