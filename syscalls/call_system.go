package syscalls

import (
	"syscall"
	"time"
)

// Calls by number on the system as a whole, and on time.

func doUname(k *Kernel, a args) (uintptr, syscall.Errno) {
	u, e := place[syscall.Utsname](a[0])
	if e == 0 {
		k.Uname(u)
	}
	return 0, e
}

// named is a call that sets the name at word 0, of as many bytes as word 1 says.
func named(set func(k *Kernel, name string) syscall.Errno) call {
	return func(k *Kernel, a args) (uintptr, syscall.Errno) {
		if n := a.int(1); n < 0 || n > maxNodeName {
			return 0, syscall.EINVAL
		}
		name, e := memory(a[0], uintptr(a.int(1)))
		if e != 0 {
			return 0, e
		}
		return only(set(k, string(name)))
	}
}

func doSysinfo(k *Kernel, a args) (uintptr, syscall.Errno) { return store(a[0], k.Sysinfo()) }

func doTimes(k *Kernel, a args) (uintptr, syscall.Errno) {
	t, uptime := k.Times()
	_, e := storeOptional(a[0], t)
	return uintptr(uptime), e
}

func doReboot(k *Kernel, a args) (uintptr, syscall.Errno) {
	return only(k.Reboot(a.uint32(0), a.uint32(1), a.uint32(2)))
}

func doSync(k *Kernel, a args) (uintptr, syscall.Errno) {
	k.Sync()
	return 0, 0
}

func doGettimeofday(k *Kernel, a args) (uintptr, syscall.Errno) {
	if _, e := storeOptional(a[0], syscall.NsecToTimeval(time.Now().UnixNano())); e != 0 {
		return 0, e
	}
	return storeOptional(a[1], [2]int32{}) // the zone, which a kernel has none of
}

func doTime(k *Kernel, a args) (uintptr, syscall.Errno) {
	now := time.Now().Unix()
	_, e := storeOptional(a[0], now)
	return uintptr(now), e
}

func doClockGettime(k *Kernel, a args) (uintptr, syscall.Errno) {
	t, e := k.ClockGettime(a.int(0))
	if e != 0 {
		return 0, e
	}
	return store(a[1], syscall.NsecToTimespec(int64(t)))
}

func doClockGetres(k *Kernel, a args) (uintptr, syscall.Errno) {
	t, e := k.ClockGetres(a.int(0))
	if e != 0 {
		return 0, e
	}
	return storeOptional(a[1], syscall.NsecToTimespec(int64(t)))
}

func doClockSettime(k *Kernel, a args) (uintptr, syscall.Errno) {
	if e := k.ClockSettime(a.int(0)); e == syscall.EINVAL {
		return 0, e
	}
	if _, e := object[syscall.Timespec](a[1]); e != 0 {
		return 0, e
	}
	if _, e := a.timespec(1, 0); e != 0 {
		return 0, e
	}
	return only(k.ClockSettime(a.int(0)))
}

func doNanosleep(k *Kernel, a args) (uintptr, syscall.Errno) {
	return sleep(k, CLOCK_MONOTONIC, false, a, 0)
}

func doClockNanosleep(k *Kernel, a args) (uintptr, syscall.Errno) {
	const absolute = 1 // TIMER_ABSTIME
	return sleep(k, a.int(0), a.int(1)&absolute != 0, a, 2)
}

// sleep sleeps for the time at word i.
func sleep(k *Kernel, clock int, absolute bool, a args, i int) (uintptr, syscall.Errno) {
	if a[i] == 0 {
		return 0, syscall.EFAULT
	}
	t, e := a.timespec(i, 0)
	if e != 0 {
		return 0, e
	}
	return only(k.ClockNanosleep(clock, absolute, t))
}

func doAdjtimex(k *Kernel, a args) (uintptr, syscall.Errno) {
	t, e := place[syscall.Timex](a[0])
	if e != 0 {
		return 0, e
	}
	return only(k.Adjtimex(t))
}

func doClockAdjtime(k *Kernel, a args) (uintptr, syscall.Errno) {
	t, e := place[syscall.Timex](a[1])
	switch {
	case e != 0:
		return 0, e
	case a.int(0) != CLOCK_REALTIME:
		return 0, syscall.EOPNOTSUPP
	}
	return only(k.Adjtimex(t))
}

// doGetrandom never waits: the machine has random bytes from the start.
func doGetrandom(k *Kernel, a args) (uintptr, syscall.Errno) {
	const nonblock, random, insecure = 1, 2, 4
	if flags := a.uint32(2); flags&^(nonblock|random|insecure) != 0 || flags&(random|insecure) == random|insecure {
		return 0, syscall.EINVAL
	}
	p, e := a.room(0, 1)
	if e != 0 {
		return 0, e
	}
	if k.Random == nil {
		return 0, syscall.ENOSYS
	}
	if err := k.Random(p); err != nil {
		return 0, errno(err)
	}
	return uintptr(len(p)), 0
}
