package toolchain

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// keep is how long a toolchain stays in the cache after its last use.
const keep = 30 * 24 * time.Hour

// used notes the time of a use, on the lock file of the toolchain.
func used(base, key string) {
	now := time.Now()
	// A use that cannot be noted only shortens the toolchain's stay.
	_ = os.Chtimes(filepath.Join(base, key+".lock"), now, now)
}

// prune removes the toolchains that have not been used for long, such as
// those of earlier versions of this program. What it cannot remove, it leaves.
func prune(ctx context.Context, base string) {
	locks, _ := filepath.Glob(filepath.Join(base, "*.lock")) // the pattern is well-formed
	for _, name := range locks {
		info, err := os.Stat(name)
		if err != nil || time.Since(info.ModTime()) < keep {
			continue
		}
		busy := false
		ctx, cancel := context.WithCancel(ctx)
		unlock, err := lock(ctx, name, func() { busy = true; cancel() })
		cancel()
		if err != nil || busy {
			continue
		}
		root := strings.TrimSuffix(name, ".lock")
		if os.RemoveAll(root) == nil && os.RemoveAll(root+".tmp") == nil {
			os.Remove(name)
		}
		unlock()
	}
}
