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
	const n = 20_000
	x := uint32(1)
	access := func(mem []byte) time.Duration {
		sum, start := byte(0), time.Now()
		for range n {
			x = x*1664525 + 1013904223
			sum += mem[int(x>>4)&(len(mem)-1)]
		}
		taken := time.Since(start)
		sink.Add(uint64(sum))
		return taken
	}
	memory := [2][]byte{make([]byte, 256<<10), make([]byte, 16<<20)}
	best := [2]time.Duration{time.Hour, time.Hour}
	for i := range memory {
		for j := 0; j < len(memory[i]); j += 4096 {
			memory[i][j] = 1
		}
	}
	// Where the host has other things to do, it takes longer to find out what
	// the machine can do.
	for start := time.Now(); ; {
		for i := range memory {
			for range 200 {
				best[i] = min(best[i], access(memory[i]))
			}
		}
		if best[1] <= 35*best[0] || time.Since(start) > time.Minute {
			break
		}
	}
	t.Logf("%d accesses take %v in 256 KiB, %v in 16 MiB", n, best[0], best[1])
	if best[1] > 35*best[0] {
		t.Error("too long")
	}
}
