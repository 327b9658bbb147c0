//go:build tamago

package amd64

import (
	"encoding/binary"
	"strings"
	"sync/atomic"
	"time"
	_ "unsafe" // for go:linkname
)

// Random numbers come from a generator into which all sources are mixed: the
// processor's instruction, the launcher's seed, and what the kernel adds from
// devices. One strong source is enough.

func rdrand() (v uint64, ok bool)

const (
	cpuidRDRAND = 1 << 30 // leaf 1, ECX
	// seedSize is how many bytes of a source make its numbers fit for keys.
	seedSize = 32
)

var random struct {
	lock      atomic.Uint32 // of generator, held with interrupts disabled
	generator generator

	rdrand bool
	seed   bool
	device atomic.Bool // has given seedSize bytes
	asked  atomic.Bool // a device that has been asked for bytes
}

// initRNG mixes what there is when the runtime starts, which makes its hash
// tables differ from boot to boot in any case.
//
//go:linkname initRNG runtime/goos.InitRNG
func initRNG() {
	_, _, c, _ := cpuid(1, 0)
	random.rdrand = c&cpuidRDRAND != 0
	mixRandom(binary.LittleEndian.AppendUint64(make([]byte, 0, 8), rdtsc()))
	for range seedSize / 8 {
		stirRandom()
	}
	var seed [2 * seedSize]byte
	if key, size, ok := fwFind(SeedFile); ok && size > 0 {
		b := seed[:min(int(size), len(seed))]
		fwSelect(key)
		fwRead(b)
		mixRandom(b)
		clear(b)
		random.seed = len(b) >= seedSize
	}
	getRandomData(auxvRandom[:])
}

// randomAcquire takes the generator's lock. What is called while it is held must
// be nosplit.
//
//go:nosplit
func randomAcquire() (flags uint64) {
	flags = disableInterrupts()
	for !random.lock.CompareAndSwap(0, 1) {
	}
	return flags
}

//go:nosplit
func randomRelease(flags uint64) {
	random.lock.Store(0)
	restoreInterrupts(flags)
}

func mixRandom(b []byte) {
	for len(b) > 0 {
		n := min(len(b), seedSize)
		flags := randomAcquire()
		random.generator.mix(b[:n])
		randomRelease(flags)
		b = b[n:]
	}
}

// stirRandom mixes what costs nothing: so two copies of one machine, resumed
// from the same state, part at once.
func stirRandom() {
	var b [16]byte
	binary.LittleEndian.PutUint64(b[:], rdtsc())
	if random.rdrand {
		v, _ := rdrand()
		binary.LittleEndian.PutUint64(b[8:], v)
	}
	mixRandom(b[:])
}

// randomPiece is how many bytes are made at once, with interrupts disabled.
const randomPiece = 512

//go:linkname getRandomData runtime/goos.GetRandomData
func getRandomData(b []byte) {
	stirRandom()
	for len(b) > 0 {
		n := min(len(b), randomPiece)
		flags := randomAcquire()
		random.generator.fill(b[:n])
		randomRelease(flags)
		b = b[n:]
	}
}

// Random fills b with random numbers.
func Random(b []byte) { getRandomData(b) }

// AddRandom mixes in random bytes of a device.
func AddRandom(b []byte) {
	mixRandom(b)
	if len(b) >= seedSize {
		random.device.Store(true)
	}
}

// ExpectRandom tells that a device has been asked for random bytes, or with false
// that it will not give any.
func ExpectRandom(asked bool) { random.asked.Store(asked) }

// RandomSources names the strong sources of random numbers.
func RandomSources() string {
	var names []string
	for _, s := range []struct {
		name string
		has  bool
	}{{"RDRAND", random.rdrand}, {"the launcher's seed", random.seed}, {"virtio-rng", random.device.Load()}} {
		if s.has {
			names = append(names, s.name)
		}
	}
	return strings.Join(names, ", ")
}

// RandomError says why random numbers are not fit for keys, "" if they are. It
// waits for a device that has been asked.
func RandomError() string { return randomError() }

// randomError is asked before the program gets random numbers for keys.
//
//go:linkname randomError runtime.randomError
var randomError = func() string {
	for end := nanotime() + int64(deviceTime); ; time.Sleep(time.Millisecond) {
		if random.rdrand || random.seed || random.device.Load() {
			return ""
		}
		if !random.asked.Load() {
			return noRandom
		}
		if nanotime() > end {
			return "the virtio-rng device gives no random numbers, and there is no other strong source"
		}
	}
}

// deviceTime is how long a device may take for its first random bytes.
const deviceTime = 30 * time.Second

const noRandom = "this machine has no strong source of random numbers: start it with yolk run, or give QEMU -device virtio-rng-device (microvm) or virtio-rng-pci (q35), or a CPU with rdrand"
