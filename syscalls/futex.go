package syscalls

import (
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// futexes are those who wait for words of memory, by address (futex(2)). Memory that
// lies at two addresses, as a file that is mapped twice, is two words here.
type futexes struct {
	mu      sync.Mutex
	waiters map[*uint32][]*futexWaiter // oldest first
}

type futexWaiter struct {
	bits  uint32
	woken chan struct{} // closed
}

// futexAll are the bits of who names none: FUTEX_BITSET_MATCH_ANY.
const futexAll = ^uint32(0)

// FutexWait waits to be woken by one of bits, for timeout, for ever if that is
// negative: ETIMEDOUT. EAGAIN: there is not want at word.
func (k *Kernel) FutexWait(word *uint32, want, bits uint32, timeout time.Duration) syscall.Errno {
	if bits == 0 {
		return syscall.EINVAL
	}
	f := &k.futexes
	w := &futexWaiter{bits, make(chan struct{})}
	f.mu.Lock()
	if atomic.LoadUint32(word) != want {
		f.mu.Unlock()
		return syscall.EAGAIN
	}
	if f.waiters == nil {
		f.waiters = map[*uint32][]*futexWaiter{}
	}
	f.waiters[word] = append(f.waiters[word], w)
	f.mu.Unlock()
	var over <-chan time.Time // nil: never
	if timeout >= 0 {
		t := time.NewTimer(timeout)
		defer t.Stop()
		over = t.C
	}
	select {
	case <-w.woken:
		return 0
	case <-over:
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	select {
	case <-w.woken:
		return 0
	default:
	}
	for word, list := range f.waiters { // it may have been requeued
		if i := slices.Index(list, w); i >= 0 {
			f.set(word, slices.Delete(list, i, i+1))
			break
		}
	}
	return syscall.ETIMEDOUT
}

// set makes list those who wait for word; f.mu is held.
func (f *futexes) set(word *uint32, list []*futexWaiter) {
	if len(list) == 0 {
		delete(f.waiters, word)
	} else {
		f.waiters[word] = list
	}
}

// FutexWake wakes up to n of those who wait for word by one of bits, and returns how
// many they were.
func (k *Kernel) FutexWake(word *uint32, n int, bits uint32) (woken int, e syscall.Errno) {
	if bits == 0 {
		return 0, syscall.EINVAL
	}
	k.futexes.mu.Lock()
	defer k.futexes.mu.Unlock()
	return k.futexes.wake(word, n, bits), 0
}

func (f *futexes) wake(word *uint32, n int, bits uint32) (woken int) {
	var left []*futexWaiter
	for _, w := range f.waiters[word] {
		if woken < n && w.bits&bits != 0 {
			close(w.woken)
			woken++
		} else {
			left = append(left, w)
		}
	}
	f.set(word, left)
	return woken
}

// FutexRequeue wakes up to n of those who wait for word, and has up to moved others
// wait for to instead. It returns how many were woken, and how many moved. want, if
// not nil, is what has to be at word: EAGAIN.
func (k *Kernel) FutexRequeue(word *uint32, n int, to *uint32, moved int, want *uint32) (woken, requeued int, e syscall.Errno) {
	if n < 0 || moved < 0 {
		return 0, 0, syscall.EINVAL
	}
	f := &k.futexes
	f.mu.Lock()
	defer f.mu.Unlock()
	if want != nil && atomic.LoadUint32(word) != *want {
		return 0, 0, syscall.EAGAIN
	}
	woken = f.wake(word, n, futexAll)
	if list := f.waiters[word]; word != to {
		requeued = min(moved, len(list))
		if requeued > 0 {
			f.waiters[to] = append(f.waiters[to], list[:requeued]...)
			f.set(word, slices.Clone(list[requeued:]))
		}
	}
	return woken, requeued, 0
}
