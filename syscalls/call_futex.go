package syscalls

import (
	"runtime"
	"syscall"
	"time"
)

// Operations of futex (linux/futex.h).
const (
	futexWait       = 0
	futexWake       = 1
	futexRequeue    = 3
	futexCmpRequeue = 4
	futexWaitBits   = 9
	futexWakeBits   = 10

	futexPrivate  = 128 // there is one process
	futexRealtime = 256
)

func doFutex(k *Kernel, a args) (uintptr, syscall.Errno) {
	op := a.int(1)
	realtime := op&futexRealtime != 0
	op &^= futexPrivate | futexRealtime
	switch op {
	case futexWait, futexWaitBits:
	case futexWake, futexWakeBits, futexRequeue, futexCmpRequeue:
		if realtime {
			return 0, syscall.ENOSYS
		}
	default:
		return 0, syscall.ENOSYS
	}
	timeout := time.Duration(-1)
	if op == futexWait || op == futexWaitBits {
		var e syscall.Errno
		if timeout, e = a.timespec(3, -1); e != 0 {
			return 0, e
		}
	}
	word, e := futexWord(a[0])
	if e != 0 {
		return 0, e
	}
	bits := futexAll
	if op == futexWaitBits || op == futexWakeBits {
		bits = a.uint32(5)
	}
	switch op {
	case futexWaitBits:
		if timeout >= 0 { // a time, not how long
			clock := CLOCK_MONOTONIC
			if realtime {
				clock = CLOCK_REALTIME
			}
			now, e := k.ClockGettime(clock)
			if e != 0 {
				return 0, e
			}
			timeout = max(0, timeout-now)
		}
		fallthrough
	case futexWait:
		return only(k.FutexWait(word, a.uint32(2), bits, timeout))
	case futexWake, futexWakeBits:
		return count(k.FutexWake(word, max(1, a.int(2)), bits))
	}
	to, e := futexWord(a[4])
	if e != 0 {
		return 0, e
	}
	var want *uint32
	if op == futexCmpRequeue {
		value := a.uint32(5)
		want = &value
	}
	woken, moved, e := k.FutexRequeue(word, a.int(2), to, a.int(3), want)
	if op == futexCmpRequeue {
		woken += moved
	}
	return count(woken, e)
}

// futexWord is the word at addr.
func futexWord(addr uintptr) (*uint32, syscall.Errno) {
	if addr%4 != 0 {
		return nil, syscall.EINVAL
	}
	return object[uint32](addr)
}

// Commands of membarrier (linux/membarrier.h), each a bit.
const (
	membarrierGlobal          = 1 << 0
	membarrierGlobalExpedited = 1 << 1
	membarrierRegisterGlobal  = 1 << 2
	membarrierPrivate         = 1 << 3
	membarrierRegisterPrivate = 1 << 4
	membarrierAll             = 1<<5 - 1
)

// doMembarrier stops all that runs for a moment, behind which every processor has
// done what it had begun.
func doMembarrier(k *Kernel, a args) (uintptr, syscall.Errno) {
	switch command := a.int(0); {
	case a.uint32(1) != 0:
		return 0, syscall.EINVAL
	case command == 0:
		return membarrierAll, 0
	case command == membarrierRegisterGlobal:
	case command == membarrierRegisterPrivate:
		k.membarrier.Store(true)
	case command == membarrierPrivate && !k.membarrier.Load():
		return 0, syscall.EPERM
	case command == membarrierGlobal, command == membarrierGlobalExpedited, command == membarrierPrivate:
		var s runtime.MemStats
		runtime.ReadMemStats(&s)
	default:
		return 0, syscall.EINVAL
	}
	return 0, 0
}
