package syscalls

import (
	"syscall"
	"time"
)

// Clocks (time.h).
const (
	CLOCK_REALTIME           = 0
	CLOCK_MONOTONIC          = 1
	CLOCK_PROCESS_CPUTIME_ID = 2
	CLOCK_THREAD_CPUTIME_ID  = 3
	CLOCK_MONOTONIC_RAW      = 4
	CLOCK_REALTIME_COARSE    = 5
	CLOCK_MONOTONIC_COARSE   = 6
	CLOCK_BOOTTIME           = 7
	CLOCK_REALTIME_ALARM     = 8 // these two are for machines that sleep: EINVAL
	CLOCK_BOOTTIME_ALARM     = 9
	CLOCK_TAI                = 11
)

// clockOf says which of the three clocks that there are id means: CLOCK_REALTIME,
// CLOCK_MONOTONIC or CLOCK_PROCESS_CPUTIME_ID. A negative id is the CPU time of a
// process or thread: ^number<<3, with its kind in the lowest bits.
func clockOf(id int) (int, syscall.Errno) {
	switch id {
	case CLOCK_REALTIME, CLOCK_REALTIME_COARSE, CLOCK_TAI:
		return CLOCK_REALTIME, 0
	case CLOCK_MONOTONIC, CLOCK_MONOTONIC_RAW, CLOCK_MONOTONIC_COARSE, CLOCK_BOOTTIME:
		return CLOCK_MONOTONIC, 0
	case CLOCK_PROCESS_CPUTIME_ID, CLOCK_THREAD_CPUTIME_ID:
		return CLOCK_PROCESS_CPUTIME_ID, 0
	}
	const kind, descriptor = 3, 3
	if of := ^(id >> 3); id < 0 && id&kind != descriptor && (of == 0 || of == pid) {
		return CLOCK_PROCESS_CPUTIME_ID, 0
	}
	return 0, syscall.EINVAL
}

// ClockGettime tells the time of a clock, since 1970 or since the start of the
// machine; of CPU time, what all CPUs have worked.
func (k *Kernel) ClockGettime(id int) (time.Duration, syscall.Errno) {
	clock, e := clockOf(id)
	switch {
	case e != 0:
		return 0, e
	case clock == CLOCK_REALTIME:
		return time.Duration(time.Now().UnixNano()), 0
	case clock == CLOCK_MONOTONIC:
		return k.Machine.Uptime(), 0
	}
	return k.Machine.Busy(), 0
}

// ClockGetres tells the unit of a clock.
func (k *Kernel) ClockGetres(id int) (time.Duration, syscall.Errno) {
	if _, e := clockOf(id); e != 0 {
		return 0, e
	}
	return 1, 0
}

// ClockSettime cannot set a clock: that of the wall is the host's.
func (k *Kernel) ClockSettime(id int) syscall.Errno {
	if id != CLOCK_REALTIME {
		return syscall.EINVAL
	}
	return syscall.EPERM
}

// ClockNanosleep waits for t, or with absolute until a clock shows it. Nothing
// interrupts it.
func (k *Kernel) ClockNanosleep(id int, absolute bool, t time.Duration) syscall.Errno {
	const kind, descriptor, thread = 3, 3, 4
	switch id {
	case CLOCK_THREAD_CPUTIME_ID, CLOCK_MONOTONIC_RAW, CLOCK_REALTIME_COARSE, CLOCK_MONOTONIC_COARSE, CLOCK_REALTIME_ALARM, CLOCK_BOOTTIME_ALARM:
		return syscall.EOPNOTSUPP
	}
	clock, e := clockOf(id)
	switch {
	case id < 0 && id&(kind|thread) == descriptor:
		return syscall.EOPNOTSUPP // a descriptor of a clock
	case e != 0 || id < 0 && id&thread != 0:
		return syscall.EINVAL // of a thread, not its own
	case clock != CLOCK_PROCESS_CPUTIME_ID && !absolute:
		time.Sleep(t)
		return 0
	case !absolute:
		t += k.Machine.Busy()
	}
	for { // the clock of the wall may be set meanwhile, that of the CPUs stands still
		now, _ := k.ClockGettime(id)
		if now >= t {
			return 0
		}
		time.Sleep(min(max(t-now, time.Millisecond), maxSleep))
	}
}

// maxSleep is when ClockNanosleep looks at its clock again.
const maxSleep = 100 * time.Millisecond

// Adjtimex tells how the clock of the wall is kept. The kernel does that; others
// may not (modes not 0).
func (k *Kernel) Adjtimex(t *syscall.Timex) syscall.Errno {
	if t.Modes != 0 {
		return syscall.EPERM
	}
	const tick = 10_000 // microseconds, as of a clock that is not slewed
	*t = syscall.Timex{Tick: tick, Precision: 1, Tolerance: 500 << 16, Time: syscall.NsecToTimeval(time.Now().UnixNano())}
	return 0
}
