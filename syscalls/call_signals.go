package syscalls

import (
	"syscall"
	"time"
)

// Calls by number on signals.

// sigsetSize is the size of the kernel's sigset_t, which programs name.
const sigsetSize = 8

// sigset is the set at word i whose size is word n; nil for address 0.
func (a args) sigset(i, n int) (*Sigset, syscall.Errno) {
	if a[n] != sigsetSize {
		return nil, syscall.EINVAL
	}
	return optional[Sigset](a[i])
}

func (a args) signal(i int) syscall.Signal { return syscall.Signal(a.int(i)) }

func doKill(k *Kernel, a args) (uintptr, syscall.Errno) { return only(k.Kill(a.int(0), a.signal(1))) }

func doTkill(k *Kernel, a args) (uintptr, syscall.Errno) { return only(k.Tkill(a.int(0), a.signal(1))) }

func doTgkill(k *Kernel, a args) (uintptr, syscall.Errno) {
	return only(k.Tgkill(a.int(0), a.int(1), a.signal(2)))
}

// siginfo is siginfo_t as far as a sender of rt_sigqueueinfo fills it in.
type siginfo struct {
	signo, errno, code, _ int32
	pid                   int32
	uid                   uint32
	value                 uint64
	_                     [96]byte
}

func (s Siginfo) raw() siginfo {
	return siginfo{signo: int32(s.Signo), code: s.Code, pid: s.Pid, uid: s.Uid, value: s.Value}
}

func doRtSigqueueinfo(k *Kernel, a args) (uintptr, syscall.Errno) {
	info, e := object[siginfo](a[2])
	if e != 0 {
		return 0, e
	}
	return only(k.RtSigqueueinfo(a.int(0), Siginfo{a.signal(1), info.code, info.pid, info.uid, info.value}))
}

func doRtTgsigqueueinfo(k *Kernel, a args) (uintptr, syscall.Errno) {
	info, e := object[siginfo](a[3])
	if e != 0 {
		return 0, e
	}
	if e := k.Tgkill(a.int(0), a.int(1), 0); e != 0 {
		return 0, e
	}
	return only(k.RtSigqueueinfo(a.int(1), Siginfo{a.signal(2), info.code, info.pid, info.uid, info.value}))
}

func doRtSigprocmask(k *Kernel, a args) (uintptr, syscall.Errno) {
	set, e := a.sigset(1, 3)
	if e != 0 {
		return 0, e
	}
	to, e := optionalPlace[Sigset](a[2])
	if e != 0 {
		return 0, e
	}
	old, e := k.RtSigprocmask(a.int(0), set)
	if e == 0 && to != nil {
		*to = old
	}
	return 0, e
}

func doRtSigpending(k *Kernel, a args) (uintptr, syscall.Errno) {
	if a[1] > sigsetSize {
		return 0, syscall.EINVAL
	}
	to, e := place[Sigset](a[0])
	if e == 0 {
		*to = k.RtSigpending()
	}
	return 0, e
}

func doRtSigtimedwait(k *Kernel, a args) (uintptr, syscall.Errno) {
	set, e := a.sigset(0, 3)
	if e != 0 {
		return 0, e
	}
	if set == nil {
		return 0, syscall.EFAULT
	}
	to, e := optionalPlace[siginfo](a[1])
	if e != 0 {
		return 0, e
	}
	timeout, e := a.timespec(2, -1)
	if e != 0 {
		return 0, e
	}
	info, e := k.RtSigtimedwait(*set, timeout)
	if e != 0 {
		return 0, e
	}
	if to != nil {
		*to = info.raw()
	}
	return uintptr(info.Signo), 0
}

func doRtSigsuspend(k *Kernel, a args) (uintptr, syscall.Errno) {
	set, e := a.sigset(0, 1)
	if e != 0 {
		return 0, e
	}
	if set == nil {
		return 0, syscall.EFAULT
	}
	return only(k.RtSigsuspend(*set))
}

func doRtSigaction(k *Kernel, a args) (uintptr, syscall.Errno) {
	if a[3] != sigsetSize {
		return 0, syscall.EINVAL
	}
	act, e := optional[Sigaction](a[1])
	if e != 0 {
		return 0, e
	}
	to, e := optionalPlace[Sigaction](a[2])
	if e != 0 {
		return 0, e
	}
	old, e := k.RtSigaction(a.signal(0), act)
	if e == 0 && to != nil {
		*to = old
	}
	return 0, e
}

func doSigaltstack(k *Kernel, a args) (uintptr, syscall.Errno) {
	set, e := optional[SignalStack](a[0])
	if e != 0 {
		return 0, e
	}
	to, e := optionalPlace[SignalStack](a[1])
	if e != 0 {
		return 0, e
	}
	old, e := k.Sigaltstack(set)
	if e == 0 && to != nil {
		*to = old
	}
	return 0, e
}

// timespec is the time at word i; without for address 0.
func (a args) timespec(i int, without time.Duration) (time.Duration, syscall.Errno) {
	ts, e := optional[syscall.Timespec](a[i])
	if e != 0 || ts == nil {
		return without, e
	}
	if ts.Sec < 0 || ts.Nsec < 0 || ts.Nsec >= 1e9 {
		return 0, syscall.EINVAL
	}
	return duration(ts.Sec, ts.Nsec), 0
}

// duration is so many seconds and nanoseconds, which are not negative, or the
// longest that there is.
func duration(sec, nsec int64) time.Duration {
	const most = 1<<63 - 1
	if sec >= most/int64(time.Second) {
		return most
	}
	return time.Duration(sec)*time.Second + time.Duration(nsec)
}

// itimerval is struct itimerval.
type itimerval struct{ interval, value syscall.Timeval }

func doSetitimer(k *Kernel, a args) (uintptr, syscall.Errno) {
	set, e := optional[itimerval](a[1])
	if e != 0 {
		return 0, e
	}
	to, e := optionalPlace[itimerval](a[2])
	if e != 0 {
		return 0, e
	}
	var value, interval time.Duration
	if set != nil {
		for _, tv := range []syscall.Timeval{set.value, set.interval} {
			if tv.Sec < 0 || tv.Usec < 0 || tv.Usec >= 1e6 {
				return 0, syscall.EINVAL
			}
		}
		value, interval = duration(set.value.Sec, set.value.Usec*1e3), duration(set.interval.Sec, set.interval.Usec*1e3)
	}
	left, old, e := k.Setitimer(a.int(0), value, interval)
	if e == 0 && to != nil {
		*to = itimerval{syscall.NsecToTimeval(int64(old)), syscall.NsecToTimeval(int64(left))}
	}
	return 0, e
}

func doGetitimer(k *Kernel, a args) (uintptr, syscall.Errno) {
	to, e := place[itimerval](a[1])
	if e != 0 {
		return 0, e
	}
	left, interval, e := k.Getitimer(a.int(0))
	if e == 0 {
		*to = itimerval{syscall.NsecToTimeval(int64(interval)), syscall.NsecToTimeval(int64(left))}
	}
	return 0, e
}

func doAlarm(k *Kernel, a args) (uintptr, syscall.Errno) { return uintptr(k.Alarm(a.uint32(0))), 0 }

func doPause(k *Kernel, a args) (uintptr, syscall.Errno) { return only(k.Pause()) }
