//go:build tamago

package runtime

import (
	"internal/runtime/atomic"
	"internal/runtime/exithook"
	"runtime/goos"
	"unsafe"
)

// The heap is as large as the machine's memory, not as its address space: these
// sizes keep the arena index and the page summaries at about 2 MiB.
const (
	osHeapAddrBits      = goos.HeapAddrBits
	osLogHeapArenaBytes = goos.LogHeapArenaBytes
	osOwnThreads        = true
	osTicks             = true // they end slices that goroutines share (tick)
)

// mOS is the part of an m that makes it a thread of threads_tamago.go.
type mOS struct {
	thread      thread
	profileNext int64  // when the next sample may be taken
	waitsema    uint32 // semasleep of lock_futex.go

	stackSpan *mspan // for the stack that osStackFits was asked about
	tries     bool   // memory is asked for, and it is no error if there is none
}

type (
	sigset       struct{}
	gsignalStack struct{}
)

const _NSIG = 65

func osinit() {
	physPageSize = goos.MinPhysPageSize
	memInit()
	goos.InitRNG()
	threadInit()
	numCPUStartup = getCPUCount()
}

func getCPUCount() int32 { return coreCount }

// mpreinit prepares mp on the thread of its parent.
func mpreinit(mp *m) {
	mp.gsignal = malg(32 * 1024) // exceptions and preemption run on it
	mp.gsignal.m = mp
	if switchHooks.run != nil {
		mp.profilehz = switchTraced
	}
}

func minit()                     {}
func unminit()                   {}
func mdestroy(mp *m)             {}
func sigsave(p *sigset)          {}
func msigrestore(sigmask sigset) {}
func clearSignalHandlers()       {}
func sigblock(exiting bool)      {}
func initsig(preinit bool)       {}
func sigenable(uint32)           {}
func sigdisable(uint32)          {}
func sigignore(uint32)           {}

//go:nosplit
func crash() { exit(2) }

//go:nosplit
func goenvs() { goenvs_unix() }

//go:nosplit
func readRandom(r []byte) int {
	goos.GetRandomData(r)
	return len(r)
}

// randomError says why random numbers are not fit for keys, "" if they are. It
// may wait for a source. The machine sets it before the runtime starts.
//
//go:linkname randomError
var randomError func() string

// strongRandom fills r with random numbers that are fit for keys, or says why
// there are none.
//
//go:linkname strongRandom
func strongRandom(r []byte) (failure string) {
	if randomError != nil {
		if failure = randomError(); failure != "" {
			return failure
		}
	}
	goos.GetRandomData(r)
	return ""
}

//go:nosplit
func nanotime1() int64 { return goos.Nanotime() }

// wallOffset is the wall clock less the monotonic clock, in nanoseconds.
//
//go:linkname wallOffset
var wallOffset int64

//go:nosplit
func walltime() (sec int64, nsec int32) {
	ns := goos.Nanotime() + atomic.Loadint64(&wallOffset)
	return ns / 1e9, int32(ns % 1e9)
}

//go:linkname syscall_now syscall.now
func syscall_now() (sec int64, nsec int32) { return walltime() }

//go:nosplit
func exit(code int32) {
	systemstack(func() {
		if goos.Exit != nil {
			goos.Exit(code)
		}
		for {
			halt()
		}
	})
}

// atExit has f called when the program ends by os.Exit or by the return of main,
// not when it crashes.
//
//go:linkname atExit
func atExit(f func()) {
	exithook.Add(exithook.Hook{F: f, RunOnFailure: true})
}

// panicHook is called once, by a goroutine that is about to end the program
// with its panic and may still do anything.
var panicHook func()

// atPanic sets panicHook.
//
//go:linkname atPanic
func atPanic(f func()) { panicHook = f }

// osPanic is called by gopanic once nothing recovers the panic.
func osPanic() {
	if f := panicHook; f != nil {
		panicHook = nil // it may panic itself
		f()
	}
}

// write1 serves the runtime's own messages. Files are out of its reach, but for
// heap dumps.
//
//go:nosplit
func write1(fd uintptr, p unsafe.Pointer, n int32) int32 {
	if fd > 2 {
		return keepHeapDump(fd, p, n)
	}
	for i := int32(0); i < n; i++ {
		goos.Printk(*(*byte)(add(p, uintptr(i))))
	}
	return n
}

// The runtime's own files (traces to a descriptor, crash output) need system
// calls below the syscall package; there are none.

//go:nosplit
func open(name *byte, mode, perm int32) int32 { return -1 }

//go:nosplit
func closefd(fd int32) int32 { return -1 }

//go:nosplit
func read(fd int32, p unsafe.Pointer, n int32) int32 { return -1 }

// halt stops the CPU until the next interrupt. It must be called with
// interrupts enabled.
func halt()

// MemRegion returns the bounds of the memory given to the runtime.
func MemRegion() (start, end uint64) {
	return uint64(goos.RamStart), uint64(goos.RamStart + goos.RamSize)
}

// TextRegion returns the bounds of the code.
func TextRegion() (start, end uint64) {
	return uint64(firstmoduledata.text), uint64(firstmoduledata.etext)
}

// DataRegion returns the bounds of what the program writes to in the image. The
// linker puts firstmoduledata, to which the runtime writes, in front of all other
// variables, in a section of its own.
func DataRegion() (start, end uint64) {
	first := min(uintptr(unsafe.Pointer(&firstmoduledata)), firstmoduledata.noptrdata)
	return uint64(first), uint64(firstmoduledata.end)
}
