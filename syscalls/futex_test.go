package syscalls

import (
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
	"unsafe"
)

// futex is the call by number.
func futex(k *Kernel, word *uint32, op, val uintptr, ts *syscall.Timespec, to *uint32, val3 uintptr) (int, syscall.Errno) {
	n, e := byNumber(k, 202, uintptr(unsafe.Pointer(word)), op, val, uintptr(unsafe.Pointer(ts)), uintptr(unsafe.Pointer(to)), val3)
	return int(n), e
}

// futexWaiting waits until n wait for word.
func futexWaiting(k *Kernel, word *uint32, n int) {
	for {
		k.futexes.mu.Lock()
		there := len(k.futexes.waiters[word])
		k.futexes.mu.Unlock()
		if there == n {
			return
		}
		time.Sleep(time.Millisecond)
	}
}

var futexWords [4]uint32

// TestFutexErrors compares with the host's kernel.
func TestFutexErrors(t *testing.T) {
	k := newKernel(t)
	at := uintptr(unsafe.Pointer(&futexWords)) // which stays where it is
	soon, bad, past := &syscall.Timespec{Nsec: 1000}, &syscall.Timespec{Nsec: 1e9}, &syscall.Timespec{}
	const private, realtime = futexPrivate, futexRealtime
	for _, tt := range []struct {
		word, op, val uintptr
		ts            *syscall.Timespec
		val3          uintptr
	}{
		{at, futexWait, 1, nil, 0}, {at, futexWait | private, 1, soon, 0}, {at, futexWait, 0, soon, 0}, {at, futexWait, 0, bad, 0},
		{at + 1, futexWait, 0, soon, 0}, {0, futexWait, 0, soon, 0}, {at + 2, futexWake, 1, nil, 0}, {at, futexWake, 1, nil, 0},
		{at, futexWaitBits, 0, soon, 0}, {at, futexWaitBits, 0, past, 1}, {at, futexWaitBits | realtime, 0, past, 1}, {at, futexWaitBits, 5, past, 1},
		{at, futexWakeBits, 1, nil, 0}, {at, futexWakeBits, 1, nil, 6}, {at, futexWake | realtime, 1, nil, 0}, {at, 77, 0, nil, 0}, {at, 2, 0, nil, 0},
	} {
		var n uintptr
		var want syscall.Errno
		for { // the host's signals
			n, _, want = syscall.Syscall6(syscall.SYS_FUTEX, tt.word, tt.op, tt.val, uintptr(unsafe.Pointer(tt.ts)), 0, tt.val3)
			if want != syscall.EINTR {
				break
			}
		}
		got, e := byNumber(k, 202, tt.word, tt.op, tt.val, uintptr(unsafe.Pointer(tt.ts)), 0, tt.val3)
		if e != want || e == 0 && got != n {
			t.Errorf("%+v: %d, %v; Linux: %d, %v", tt, got, e, n, want)
		}
	}
	if len(k.futexes.waiters) != 0 {
		t.Errorf("%v still wait", k.futexes.waiters)
	}
}

// TestFutexWake: as many are woken as are asked for, by the bits that they wait for.
func TestFutexWake(t *testing.T) {
	k := newKernel(t)
	word, other := new(uint32), new(uint32)
	var all sync.WaitGroup
	for i := range 6 {
		all.Go(func() {
			if _, e := futex(k, word, futexWaitBits|futexPrivate, 0, nil, nil, 1<<(i%2)); e != 0 {
				t.Error(e)
			}
		})
	}
	futexWaiting(k, word, 6)
	wake := func(what string, word *uint32, op, n, bits uintptr, want int) {
		t.Helper()
		if got, e := futex(k, word, op, n, nil, nil, bits); got != want || e != 0 {
			t.Errorf("%s: %d, %v", what, got, e)
		}
	}
	wake("other bits", word, futexWakeBits, 9, 4, 0)
	wake("two of one bit", word, futexWakeBits, 2, 2, 2)
	wake("the last of it", word, futexWakeBits, 9, 2, 1)
	wake("any one", word, futexWake, 1, 0, 1)
	*word = 7
	if _, e := futex(k, word, futexCmpRequeue, 1, (*syscall.Timespec)(at(1)), other, 8); e != syscall.EAGAIN {
		t.Errorf("requeue: %v", e)
	}
	if n, moved, e := k.FutexRequeue(word, 1, other, 5, word); n != 1 || moved != 1 || e != 0 {
		t.Errorf("requeue: %d %d, %v", n, moved, e)
	}
	wake("where none is left", word, futexWake, 9, 0, 0)
	wake("where one went", other, futexWake, 9, 0, 1)
	all.Wait()
}

// TestFutexMutex: a lock as programs make it of a futex.
func TestFutexMutex(t *testing.T) {
	k := newKernel(t)
	word, count := new(uint32), 0
	lock := func() {
		for !atomic.CompareAndSwapUint32(word, 0, 1) {
			atomic.CompareAndSwapUint32(word, 1, 2)
			k.FutexWait(word, 2, futexAll, time.Millisecond)
		}
	}
	unlock := func() {
		if atomic.SwapUint32(word, 0) == 2 {
			k.FutexWake(word, 1, futexAll)
		}
	}
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 500 {
				lock()
				count++
				unlock()
			}
		})
	}
	all.Wait()
	if count != 8*500 {
		t.Errorf("%d", count)
	}
}

func TestMembarrier(t *testing.T) {
	k := newKernel(t)
	call := func(command, flags uintptr) (int, syscall.Errno) {
		n, e := k.Call(324, command, flags, 0, 0, 0, 0)
		return int(n), e
	}
	if n, e := call(0, 0); n != membarrierAll || e != 0 {
		t.Errorf("query: %#x, %v", n, e)
	}
	for _, tt := range []struct {
		command, flags uintptr
		want           syscall.Errno
	}{
		{1, 0, 0}, {8, 0, syscall.EPERM}, {16, 0, 0}, {8, 0, 0}, {4, 0, 0}, {2, 0, 0}, {32, 0, syscall.EINVAL}, {3, 0, syscall.EINVAL}, {1, 1, syscall.EINVAL},
	} {
		if _, e := call(tt.command, tt.flags); e != tt.want {
			t.Errorf("%+v: %v", tt, e)
		}
	}
}
