//go:build tamago

package syscall

import "sync"

// There is one process. It has number 1, belongs to root, and cannot start
// others.

// ForkLock is there for programs that take it; nothing forks.
var ForkLock sync.RWMutex

func Getpid() int               { return 1 }
func Getppid() int              { return 0 }
func Gettid() int               { return 1 }
func Getpgrp() int              { return 1 }
func Getuid() int               { return 0 }
func Geteuid() int              { return 0 }
func Getgid() int               { return 0 }
func Getegid() int              { return 0 }
func Getgroups() ([]int, error) { return []int{0}, nil }

func Getpgid(pid int) (pgid int, err error) {
	if pid != 0 && pid != Getpid() {
		return -1, ESRCH
	}
	return Getpgrp(), nil
}

const ImplementsGetwd = true

func Getwd() (wd string, err error) {
	wd, e := kernel.Getcwd()
	return wd, errnoErr(e)
}

// Getcwd puts the working directory and a NUL into buf and returns the length
// of both.
func Getcwd(buf []byte) (n int, err error) {
	wd, e := kernel.Getcwd()
	if e != 0 {
		return -1, errnoErr(e)
	}
	if len(buf) < len(wd)+1 {
		return -1, ERANGE
	}
	buf[copy(buf, wd)] = 0
	return len(wd) + 1, nil
}

func Chdir(path string) error      { return errnoErr(kernel.Chdir(path)) }
func Chroot(path string) error     { return errnoErr(kernel.Chroot(path)) }
func Umask(mask int) (oldmask int) { return kernel.Umask(mask) }

func Mount(source string, target string, fstype string, flags uintptr, data string) error {
	return errnoErr(kernel.Mount(source, target, fstype, flags, data))
}

func Unmount(target string, flags int) error { return errnoErr(kernel.Unmount(target, flags)) }

// Uname fills in what identifies the system.
func Uname(buf *Utsname) error {
	name, _ := hostname()
	*buf = Utsname{}
	setField(&buf.Sysname, "Yolk")
	setField(&buf.Nodename, name)
	setField(&buf.Release, "1")
	setField(&buf.Version, "tamago")
	setField(&buf.Machine, "x86_64")
	return nil
}

func setField(field *[65]int8, s string) {
	for i := range min(len(s), len(field)-1) {
		field[i] = int8(s[i])
	}
}

func now() (sec int64, nsec int32) // in package runtime

func Gettimeofday(tv *Timeval) error {
	sec, nsec := now()
	*tv = Timeval{sec, int64(nsec) / 1000}
	return nil
}

func Time(t *int64) (tt int64, err error) {
	sec, _ := now()
	if t != nil {
		*t = sec
	}
	return sec, nil
}

// maxFiles is how many descriptors there can be.
const maxFiles = 1 << 20

func Getrlimit(resource int, rlim *Rlimit) error {
	limit := ^uint64(0)
	if resource == RLIMIT_NOFILE {
		limit = maxFiles
	}
	*rlim = Rlimit{limit, limit}
	return nil
}

func Setrlimit(resource int, rlim *Rlimit) error {
	if rlim.Cur > rlim.Max {
		return EINVAL
	}
	return EPERM
}

func Getrusage(who int, rusage *Rusage) error { return ENOSYS }

// System calls by number do not exist.

func Syscall(trap, a1, a2, a3 uintptr) (r1, r2 uintptr, err Errno) { return 0, 0, ENOSYS }

func Syscall6(trap, a1, a2, a3, a4, a5, a6 uintptr) (r1, r2 uintptr, err Errno) {
	return 0, 0, ENOSYS
}

func RawSyscall(trap, a1, a2, a3 uintptr) (r1, r2 uintptr, err Errno) { return 0, 0, ENOSYS }

func RawSyscall6(trap, a1, a2, a3, a4, a5, a6 uintptr) (r1, r2 uintptr, err Errno) {
	return 0, 0, ENOSYS
}
