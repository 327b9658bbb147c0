//go:build tamago

package unix

import (
	"syscall"
	"time"
)

type (
	Timespec = syscall.Timespec
	Timeval  = syscall.Timeval
	Time_t   int64
)

func TimespecToNsec(ts Timespec) int64   { return syscall.TimespecToNsec(ts) }
func NsecToTimespec(nsec int64) Timespec { return syscall.NsecToTimespec(nsec) }
func TimevalToNsec(tv Timeval) int64     { return syscall.TimevalToNsec(tv) }
func NsecToTimeval(nsec int64) Timeval   { return syscall.NsecToTimeval(nsec) }
func Gettimeofday(tv *Timeval) error     { return syscall.Gettimeofday(tv) }

func TimeToTimespec(t time.Time) (Timespec, error) {
	return Timespec{Sec: t.Unix(), Nsec: int64(t.Nanosecond())}, nil
}

func Time(t *Time_t) (tt Time_t, err error) {
	tt = Time_t(time.Now().Unix())
	if t != nil {
		*t = tt
	}
	return tt, nil
}

// ClockGettime knows the wall clock and the time since boot. The clocks of
// processes and threads do not exist: EINVAL.
func ClockGettime(clockid int32, ts *Timespec) error {
	switch clockid {
	case CLOCK_REALTIME, CLOCK_REALTIME_COARSE:
		now := time.Now()
		*ts = Timespec{Sec: now.Unix(), Nsec: int64(now.Nanosecond())}
	case CLOCK_MONOTONIC, CLOCK_MONOTONIC_RAW, CLOCK_MONOTONIC_COARSE, CLOCK_BOOTTIME:
		*ts = NsecToTimespec(nanotime())
	default:
		return EINVAL
	}
	return nil
}

// ClockGetres is 1 ns for the clocks of ClockGettime.
func ClockGetres(clockid int32, res *Timespec) error {
	if err := ClockGettime(clockid, res); err != nil {
		return err
	}
	*res = Timespec{Nsec: 1}
	return nil
}

// Nanosleep sleeps to the end: nothing interrupts it.
func Nanosleep(duration *Timespec, leftover *Timespec) error {
	if duration.Sec < 0 || duration.Nsec < 0 || duration.Nsec >= 1e9 {
		return EINVAL
	}
	time.Sleep(time.Duration(duration.Nano()))
	return nil
}

func Utimes(path string, tv []Timeval) error {
	if tv == nil {
		return utimensat(AT_FDCWD, path, nil, 0)
	}
	return syscall.Utimes(path, tv)
}

func Futimes(fd int, tv []Timeval) error {
	if tv == nil {
		return utimensat(fd, "", nil, AT_EMPTY_PATH)
	}
	return syscall.Futimes(fd, tv)
}

func Lutimes(path string, tv []Timeval) error {
	return utimesat(AT_FDCWD, path, tv, AT_SYMLINK_NOFOLLOW)
}

func Futimesat(dirfd int, path string, tv []Timeval) error { return utimesat(dirfd, path, tv, 0) }

func utimesat(dirfd int, path string, tv []Timeval, flags int) error {
	if tv == nil {
		return utimensat(dirfd, path, nil, flags)
	}
	if len(tv) != 2 {
		return EINVAL
	}
	var ts [2]Timespec
	for i, t := range tv {
		if t.Usec < 0 || t.Usec >= 1e6 {
			return EINVAL
		}
		ts[i] = Timespec{Sec: t.Sec, Nsec: t.Usec * 1000}
	}
	return utimensat(dirfd, path, &ts, flags)
}

func UtimesNano(path string, ts []Timespec) error { return UtimesNanoAt(AT_FDCWD, path, ts, 0) }

func UtimesNanoAt(dirfd int, path string, ts []Timespec, flags int) error {
	if ts == nil {
		return utimensat(dirfd, path, nil, flags)
	}
	if len(ts) != 2 {
		return EINVAL
	}
	return utimensat(dirfd, path, (*[2]Timespec)(ts), flags)
}
