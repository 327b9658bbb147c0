//go:build tamago

package amd64

import (
	"bytes"
	"runtime"
	"strconv"
	"sync/atomic"
)

// goroutineWord returns a word of the running goroutine's g.
func goroutineWord(off uintptr) uint64

// FindGoroutineID looks where in its g the runtime keeps the number of a goroutine: the one
// place where some goroutines have the number by which the runtime calls them. It returns that
// in bytes. If there is none, it is where another word is that no two goroutines which run have in common: the
// end of the stack.
func FindGoroutineID() (off uintptr, found bool) {
	const words = 48 // g has more
	may := ^uint64(0) >> (64 - words)
	for range 4 {
		left := make(chan uint64)
		go func() {
			var here uint64
			id := printedID()
			for i := range words {
				if goroutineWord(uintptr(i)*8) == id {
					here |= 1 << i
				}
			}
			left <- here
		}()
		may &= <-left
	}
	for i := range words {
		if may == 1<<i {
			return uintptr(i) * 8, true
		}
	}
	return 0, false
}

// printedID is the number of the running goroutine as it is printed: "goroutine 7 [".
func printedID() uint64 {
	var b [32]byte
	words := bytes.Fields(b[:runtime.Stack(b[:], false)])
	if len(words) < 2 {
		return 0
	}
	id, _ := strconv.ParseUint(string(words[1]), 10, 64) // 0 is none
	return id
}

// CounterClock returns the time-stamp counter at the boot, and how many nanoseconds a count is, in
// units of 2^-32: what RawTime goes by.
func CounterClock() (base, scale uint64) { return tscBase, tscScale }

// TimerInterrupts is how often the timers of the CPUs have fired.
func TimerInterrupts() uint64 { return atomic.LoadUint64(&interruptCounts[timerVector]) }
