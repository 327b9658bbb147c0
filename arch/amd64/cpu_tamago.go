//go:build tamago

package amd64

import (
	"encoding/binary"
	_ "unsafe" // for go:linkname
)

func cpuid(leaf, sub uint32) (a, b, c, d uint32)

func rdrand() (v uint64, ok bool)

const cpuidRDRAND = 1 << 30 // leaf 1, ECX

var (
	hasRDRAND bool
	entropy   uint64 // state of the fallback generator
)

//go:linkname initRNG runtime/goos.InitRNG
func initRNG() {
	_, _, c, _ := cpuid(1, 0)
	hasRDRAND = c&cpuidRDRAND != 0
	entropy = rdtsc()
}

// getRandomData fills b from the CPU's generator. A CPU without one has only the
// time of its instructions, which is enough to seed hash tables, not to make
// keys; RandomSource tells.
//
//go:linkname getRandomData runtime/goos.GetRandomData
func getRandomData(b []byte) {
	for len(b) > 0 {
		v, ok := uint64(0), false
		if hasRDRAND {
			v, ok = rdrand()
		}
		if !ok {
			// splitmix64 over the counter.
			entropy += 0x9e3779b97f4a7c15 ^ rdtsc()<<17
			v = entropy
			v = (v ^ v>>30) * 0xbf58476d1ce4e5b9
			v = (v ^ v>>27) * 0x94d049bb133111eb
			v ^= v >> 31
		}
		var w [8]byte
		binary.LittleEndian.PutUint64(w[:], v)
		b = b[copy(b, w[:]):]
	}
}

// Random fills b with random numbers.
func Random(b []byte) { getRandomData(b) }

// RandomSource names where random numbers come from and whether they are fit for
// keys.
func RandomSource() (name string, strong bool) {
	if hasRDRAND {
		return "RDRAND", true
	}
	return "time-stamp counter", false
}

// ClockHz returns the rate of the time-stamp counter.
func ClockHz() uint64 { return tscHz }

// hwinit1 is the first that the main goroutine does.
//
//go:linkname hwinit1 runtime/goos.Hwinit1
func hwinit1() {
	heapTables()
	initInterrupts()
}
