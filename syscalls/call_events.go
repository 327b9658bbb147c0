package syscalls

import (
	"math"
	"syscall"
	"time"

	"github.com/yolkos/yolk/fs/anonfs"
)

// Calls by number that wait for descriptors, and those that make such as are
// there to be waited for.

// pollFD is struct pollfd of poll(2).
type pollFD struct {
	fd              int32
	events, revents int16
}

func doPoll(k *Kernel, a args) (uintptr, syscall.Errno) {
	return poll(k, a, milliseconds(a.int(2)), nil)
}

func doPpoll(k *Kernel, a args) (uintptr, syscall.Errno) {
	return within(a[2], func(ns int64) (uintptr, syscall.Errno) {
		mask, e := waitMask(a[3], a[4])
		if e != 0 {
			return 0, e
		}
		return poll(k, a, ns, mask)
	})
}

// waitMask is the mask at addr, of size bytes, for a call that waits; nil for
// address 0.
func waitMask(addr, size uintptr) (*Sigset, syscall.Errno) {
	if addr != 0 && size != sigsetSize {
		return nil, syscall.EINVAL
	}
	return optional[Sigset](addr)
}

func poll(k *Kernel, a args, ns int64, mask *Sigset) (uintptr, syscall.Errno) {
	n := uintptr(a.uint32(1))
	if n > maxFiles {
		return 0, syscall.EINVAL
	}
	p, e := places[pollFD](a[0], n)
	if e != 0 {
		return 0, e
	}
	which, events, revents := make([]int32, n), make([]int16, n), make([]int16, n)
	for i, f := range p {
		which[i], events[i] = f.fd, f.events
	}
	ready, e := k.Ppoll(which, events, revents, ns, mask)
	for i := range p {
		p[i].revents = revents[i]
	}
	return count(ready, e)
}

// milliseconds is a time to wait as poll has it: less than 0 is for ever.
func milliseconds(ms int) int64 { return int64(ms) * int64(time.Millisecond) }

// within runs do with the time to wait that lies at address ts, as nanoseconds;
// at 0: for ever. What is left of it then lies there, as ppoll and pselect6 have
// it.
func within(ts uintptr, do func(ns int64) (uintptr, syscall.Errno)) (uintptr, syscall.Errno) {
	t, e := optional[syscall.Timespec](ts)
	switch {
	case e != 0:
		return 0, e
	case t == nil:
		return do(-1)
	}
	ns, ok := nanoseconds(*t)
	if !ok {
		return 0, syscall.EINVAL
	}
	start := time.Now()
	r, e := do(ns)
	if t, bad := place[syscall.Timespec](ts); bad == 0 {
		*t = syscall.NsecToTimespec(max(0, ns-int64(time.Since(start))))
	}
	return r, e
}

// doSelect takes times of more than a second in the microseconds, as Linux does.
func doSelect(k *Kernel, a args) (uintptr, syscall.Errno) {
	tv, e := optional[syscall.Timeval](a[4])
	switch {
	case e != 0:
		return 0, e
	case tv == nil:
		return doSelectFor(k, a, -1, nil)
	case tv.Sec < 0 || tv.Usec < 0:
		return 0, syscall.EINVAL
	}
	ns := int64(math.MaxInt64)
	if sec := tv.Sec + tv.Usec/1e6; sec >= 0 && sec < math.MaxInt64/1_000_000_000 {
		ns = sec*1e9 + tv.Usec%1e6*1e3
	}
	start := time.Now()
	r, e := doSelectFor(k, a, ns, nil)
	if tv, bad := place[syscall.Timeval](a[4]); bad == 0 {
		*tv = syscall.NsecToTimeval(max(0, ns-int64(time.Since(start))))
	}
	return r, e
}

func doPselect6(k *Kernel, a args) (uintptr, syscall.Errno) {
	// Word 5 leads to the mask's address and size, as there is no seventh word.
	at, e := optional[[2]uintptr](a[5])
	if e != 0 {
		return 0, e
	}
	return within(a[4], func(ns int64) (uintptr, syscall.Errno) {
		if at == nil {
			return doSelectFor(k, a, ns, nil)
		}
		mask, e := waitMask(at[0], at[1])
		if e != 0 {
			return 0, e
		}
		return doSelectFor(k, a, ns, mask)
	})
}

func doSelectFor(k *Kernel, a args, ns int64, mask *Sigset) (uintptr, syscall.Errno) {
	n := a.int(0)
	if n < 0 {
		return 0, syscall.EINVAL
	}
	n = min(n, maxFiles)
	var sets [3][]uint64
	for i := range sets {
		if a[1+i] == 0 {
			continue
		}
		var e syscall.Errno
		if sets[i], e = places[uint64](a[1+i], uintptr(n+63)/64); e != 0 {
			return 0, e
		}
	}
	return count(k.Pselect6(n, sets[0], sets[1], sets[2], ns, mask))
}

// epollEvent is struct epoll_event, which is packed.
type epollEvent struct {
	events uint32
	data   [2]uint32
}

func doEpollCreate(k *Kernel, a args) (uintptr, syscall.Errno) {
	if a.int(0) <= 0 { // a size, which says nothing any more
		return 0, syscall.EINVAL
	}
	return count(k.EpollCreate1(0))
}

func doEpollCreate1(k *Kernel, a args) (uintptr, syscall.Errno) {
	return count(k.EpollCreate1(a.int(0)))
}

func doEpollCtl(k *Kernel, a args) (uintptr, syscall.Errno) {
	var event *EpollEvent
	if a.int(1) != anonfs.Delete {
		ev, e := object[epollEvent](a[3])
		if e != 0 {
			return 0, e
		}
		event = &EpollEvent{Events: ev.events, Data: uint64(ev.data[0]) | uint64(ev.data[1])<<32}
	}
	return only(k.EpollCtl(a.int(0), a.int(1), a.int(2), event))
}

func doEpollWait(k *Kernel, a args) (uintptr, syscall.Errno) {
	return epollWait(k, a, milliseconds(a.int(3)), nil)
}

func doEpollPwait(k *Kernel, a args) (uintptr, syscall.Errno) {
	mask, e := waitMask(a[4], a[5])
	if e != 0 {
		return 0, e
	}
	return epollWait(k, a, milliseconds(a.int(3)), mask)
}

func doEpollPwait2(k *Kernel, a args) (uintptr, syscall.Errno) {
	ns := int64(-1)
	t, e := optional[syscall.Timespec](a[3])
	if e != 0 {
		return 0, e
	}
	if t != nil {
		var ok bool
		if ns, ok = nanoseconds(*t); !ok {
			return 0, syscall.EINVAL
		}
	}
	mask, e := waitMask(a[4], a[5])
	if e != 0 {
		return 0, e
	}
	return epollWait(k, a, ns, mask)
}

// mostEvents is how many a program gets at once, however many it has room for.
const mostEvents = 1024

func epollWait(k *Kernel, a args, ns int64, mask *Sigset) (uintptr, syscall.Errno) {
	n := a.int(2)
	if n <= 0 || n > maxEvents {
		return 0, syscall.EINVAL
	}
	to, e := places[epollEvent](a[1], uintptr(n))
	if e != 0 {
		return 0, e
	}
	events := make([]EpollEvent, min(n, mostEvents))
	n, e = k.EpollPwait2(a.int(0), events, ns, mask)
	if e != 0 {
		return 0, e
	}
	for i, ev := range events[:n] {
		to[i] = epollEvent{ev.Events, [2]uint32{uint32(ev.Data), uint32(ev.Data >> 32)}}
	}
	return uintptr(n), 0
}

func doEventfd(k *Kernel, a args) (uintptr, syscall.Errno) {
	return count(k.Eventfd2(uint(a.uint32(0)), 0))
}

func doEventfd2(k *Kernel, a args) (uintptr, syscall.Errno) {
	return count(k.Eventfd2(uint(a.uint32(0)), a.int(1)))
}

func doTimerfdCreate(k *Kernel, a args) (uintptr, syscall.Errno) {
	return count(k.TimerfdCreate(a.int(0), a.int(1)))
}

func doTimerfdSettime(k *Kernel, a args) (uintptr, syscall.Errno) {
	value, e := object[Itimerspec](a[2])
	if e != 0 {
		return 0, e
	}
	old, e := optionalPlace[Itimerspec](a[3])
	if e != 0 {
		return 0, e
	}
	return only(k.TimerfdSettime(a.int(0), a.int(1), value, old))
}

func doTimerfdGettime(k *Kernel, a args) (uintptr, syscall.Errno) {
	now, e := place[Itimerspec](a[1])
	if e != 0 {
		return 0, e
	}
	return only(k.TimerfdGettime(a.int(0), now))
}

func doSignalfd(k *Kernel, a args) (uintptr, syscall.Errno) { return signalfd(k, a, 0) }

func doSignalfd4(k *Kernel, a args) (uintptr, syscall.Errno) { return signalfd(k, a, a.int(3)) }

func signalfd(k *Kernel, a args, flags int) (uintptr, syscall.Errno) {
	if a[2] != 8 { // bytes of a set of 64 signals
		return 0, syscall.EINVAL
	}
	mask, e := object[Sigset](a[1])
	if e != 0 {
		return 0, e
	}
	return count(k.Signalfd4(a.int(0), *mask, flags))
}

func doMemfdCreate(k *Kernel, a args) (uintptr, syscall.Errno) {
	name, e := text(a[0], mfdNameMax+1, syscall.EINVAL)
	if e != 0 {
		return 0, e
	}
	return count(k.MemfdCreate(name, a.int(1)))
}
