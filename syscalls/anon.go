package syscalls

import (
	"math"
	"syscall"
	"time"

	"github.com/yolkos/yolk/fs"
	"github.com/yolkos/yolk/fs/anonfs"
)

// installAnon enters a file of package anonfs, of a kind such as "[eventfd]".
// flags are O_CLOEXEC and O_NONBLOCK.
func (k *Kernel) installAnon(f fs.File, kind string, flags int) (int, syscall.Errno) {
	d, err := k.anon.Nameless(kind, anonfs.Node{Name: kind})
	if err != nil {
		f.Release()
		return -1, errno(err)
	}
	return k.install(f, d, flags|syscall.O_RDWR)
}

// anon tells if d's file is of package anonfs.
func (d *desc) anon() bool { return d.kind == 0 }

// fileOf is the file of fd if it is a T; else EINVAL. The description comes with
// a reference.
func fileOf[T fs.File](k *Kernel, fd int) (f T, d *desc, e syscall.Errno) {
	d, e = k.table.file(fd)
	if e != 0 {
		return f, nil, e
	}
	f, ok := d.file.(T)
	if !ok {
		d.put()
		return f, nil, syscall.EINVAL
	}
	return f, d, 0
}

// Flags of eventfd(2); the others are O_CLOEXEC and O_NONBLOCK, as with what
// follows.
const efdSemaphore = 1

const anonFlags = syscall.O_CLOEXEC | syscall.O_NONBLOCK

// Eventfd2 makes a counter that starts at count.
func (k *Kernel) Eventfd2(count uint, flags int) (int, syscall.Errno) {
	if flags&^(anonFlags|efdSemaphore) != 0 {
		return -1, syscall.EINVAL
	}
	e := anonfs.NewEventfd(uint64(uint32(count)), flags&efdSemaphore != 0)
	return k.installAnon(e, "[eventfd]", flags&anonFlags)
}

// timerClock is what a timer goes by.
func (k *Kernel) timerClock(id int) (anonfs.Clock, bool) {
	switch id {
	case CLOCK_MONOTONIC, CLOCK_BOOTTIME, CLOCK_BOOTTIME_ALARM:
		return anonfs.Clock{Now: func() int64 { return int64(k.Machine.Uptime()) }}, true
	case CLOCK_REALTIME, CLOCK_REALTIME_ALARM:
		return anonfs.Clock{Now: func() int64 { return time.Now().UnixNano() }, Sets: &k.realtimeSets}, true
	}
	return anonfs.Clock{}, false
}

// RealtimeWasSet is called when the wall clock has made a step: timers that go by
// it follow.
func (k *Kernel) RealtimeWasSet() { k.realtimeSets.Note() }

// TimerfdCreate makes a timer that goes by a clock of time.h.
func (k *Kernel) TimerfdCreate(clock, flags int) (int, syscall.Errno) {
	c, ok := k.timerClock(clock)
	if !ok || flags&^anonFlags != 0 {
		return -1, syscall.EINVAL
	}
	return k.installAnon(anonfs.NewTimerfd(c), "[timerfd]", flags)
}

// Itimerspec is struct itimerspec.
type Itimerspec struct {
	Interval, Value syscall.Timespec
}

// TimerfdSettime sets a timer, and stores how it stood in old unless that is nil.
func (k *Kernel) TimerfdSettime(fd, flags int, value, old *Itimerspec) syscall.Errno {
	if value == nil {
		return syscall.EFAULT
	}
	v, ok := nanoseconds(value.Value)
	i, ok2 := nanoseconds(value.Interval)
	if flags&^(anonfs.TimerAbsolute|anonfs.TimerCancelOnSet) != 0 || !ok || !ok2 {
		return syscall.EINVAL
	}
	t, d, e := fileOf[*anonfs.Timerfd](k, fd)
	if e != 0 {
		return e
	}
	defer d.put()
	s, err := t.Set(anonfs.Setting{Value: v, Interval: i}, flags)
	if old != nil {
		old.set(s)
	}
	return errno(err)
}

// TimerfdGettime tells in what time a timer will expire.
func (k *Kernel) TimerfdGettime(fd int, now *Itimerspec) syscall.Errno {
	t, d, e := fileOf[*anonfs.Timerfd](k, fd)
	if e != 0 {
		return e
	}
	defer d.put()
	if now == nil {
		return syscall.EFAULT
	}
	now.set(t.Get())
	return 0
}

func (i *Itimerspec) set(s anonfs.Setting) {
	i.Interval, i.Value = syscall.NsecToTimespec(s.Interval), syscall.NsecToTimespec(s.Value)
}

// nanoseconds is a time that a program gives; what lies behind the end of int64
// is that end. False: it is none.
func nanoseconds(t syscall.Timespec) (int64, bool) {
	switch {
	case t.Sec < 0 || t.Nsec < 0 || t.Nsec >= 1e9:
		return 0, false
	case t.Sec >= math.MaxInt64/1_000_000_000:
		return math.MaxInt64, true
	}
	return t.Sec*1e9 + t.Nsec, true
}
