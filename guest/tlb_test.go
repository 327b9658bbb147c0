//go:build tamago

package guest

import (
	"testing"
	"time"
)

// TestMemoryAtRandom holds that memory at random places of 16 MiB is not much
// slower than in 256 KiB. An emulated CPU whose translation cache has the size
// that QEMU starts it with is fifty times slower, one with a large cache six
// times.
func TestMemoryAtRandom(t *testing.T) {
	const n = 200_000
	perAccess := func(mem []byte) time.Duration {
		for i := 0; i < len(mem); i += 4096 {
			mem[i] = 1
		}
		best := time.Duration(1 << 62)
		for range 20 {
			x, sum, start := uint32(1), byte(0), time.Now()
			for range n {
				x = x*1664525 + 1013904223
				sum += mem[int(x>>4)&(len(mem)-1)]
			}
			best = min(best, time.Since(start))
			sink.Add(uint64(sum))
		}
		return best
	}
	small, large := perAccess(make([]byte, 256<<10)), perAccess(make([]byte, 16<<20))
	t.Logf("%d accesses take %v in 256 KiB, %v in 16 MiB", n, small, large)
	if large > 35*small {
		t.Errorf("%d accesses take %v in 256 KiB, %v in 16 MiB", n, small, large)
	}
}
