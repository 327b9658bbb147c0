package syscalls

import (
	"runtime"
	"syscall"
	"time"
)

// Calls by number on the process.

// always is a call that has one result.
func always(r uintptr) call {
	return func(k *Kernel, a args) (uintptr, syscall.Errno) { return r, 0 }
}

func doGetpgid(k *Kernel, a args) (uintptr, syscall.Errno) {
	if a.int(0) != 0 && a.int(0) != pid {
		return 0, syscall.ESRCH
	}
	return pid, 0
}

func doGetgroups(k *Kernel, a args) (uintptr, syscall.Errno) {
	switch n := a.int(0); {
	case n < 0:
		return 0, syscall.EINVAL
	case n == 0:
		return 1, 0
	}
	gid, e := object[uint32](a[1])
	if e != 0 {
		return 0, e
	}
	*gid = 0
	return 1, 0
}

func doUmask(k *Kernel, a args) (uintptr, syscall.Errno) { return uintptr(k.Umask(a.int(0))), 0 }

func doUname(k *Kernel, a args) (uintptr, syscall.Errno) {
	u, e := object[syscall.Utsname](a[0])
	if e != 0 {
		return 0, e
	}
	k.Uname(u)
	return 0, 0
}

// Uname fills in what identifies the system. Programs read the release as the
// version of Linux whose calls they can make.
func (k *Kernel) Uname(u *syscall.Utsname) {
	*u = syscall.Utsname{}
	name := k.Name
	if name == "" {
		name = "localhost"
	}
	field(&u.Sysname, "Linux")
	field(&u.Nodename, name)
	field(&u.Release, "6.1.0-yolk")
	field(&u.Version, "#1 Yolk")
	field(&u.Machine, "x86_64")
	field(&u.Domainname, "(none)")
}

func field(to *[65]int8, s string) {
	for i := range min(len(s), len(to)-1) {
		to[i] = int8(s[i])
	}
}

func doGettimeofday(k *Kernel, a args) (uintptr, syscall.Errno) {
	tv, e := optional[syscall.Timeval](a[0])
	if e != 0 || tv == nil {
		return 0, e
	}
	*tv = syscall.NsecToTimeval(time.Now().UnixNano())
	return 0, 0
}

func doTime(k *Kernel, a args) (uintptr, syscall.Errno) {
	to, e := optional[int64](a[0])
	if e != 0 {
		return 0, e
	}
	now := time.Now().Unix()
	if to != nil {
		*to = now
	}
	return uintptr(now), 0
}

func doPrlimit64(k *Kernel, a args) (uintptr, syscall.Errno) {
	if a.int(0) != 0 && a.int(0) != pid {
		return 0, syscall.ESRCH
	}
	return rlimit(a.int(1), a[3], a[2])
}

func doGetrlimit(k *Kernel, a args) (uintptr, syscall.Errno) { return rlimit(a.int(0), a[1], 0) }
func doSetrlimit(k *Kernel, a args) (uintptr, syscall.Errno) {
	if a[1] == 0 {
		return 0, syscall.EFAULT
	}
	return rlimit(a.int(0), 0, a[1])
}

// rlimit tells a limit at old, and refuses another one at new.
func rlimit(resource int, old, new uintptr) (uintptr, syscall.Errno) {
	const nlimits = 16
	if resource < 0 || resource >= nlimits {
		return 0, syscall.EINVAL
	}
	was := syscall.Rlimit{Cur: ^uint64(0), Max: ^uint64(0)}
	if resource == syscall.RLIMIT_NOFILE {
		was = syscall.Rlimit{Cur: maxFiles, Max: maxFiles}
	}
	to, e := optional[syscall.Rlimit](old)
	if e != 0 {
		return 0, e
	}
	want, e := optional[syscall.Rlimit](new)
	if e != 0 {
		return 0, e
	}
	if want != nil {
		if want.Cur > want.Max {
			return 0, syscall.EINVAL
		}
		if *want != was {
			return 0, syscall.EPERM
		}
	}
	if to != nil {
		*to = was
	}
	return 0, 0
}

// doExit ends the program: there is one thread.
func doExit(k *Kernel, a args) (uintptr, syscall.Errno) {
	syscall.Exit(a.int(0) & 0xff)
	return 0, 0
}

func doSchedYield(k *Kernel, a args) (uintptr, syscall.Errno) {
	runtime.Gosched()
	return 0, 0
}

func doSync(k *Kernel, a args) (uintptr, syscall.Errno) {
	k.Sync()
	return 0, 0
}

// doGetrandom never waits: the machine has random bytes from the start.
func doGetrandom(k *Kernel, a args) (uintptr, syscall.Errno) {
	const nonblock, random, insecure = 1, 2, 4
	if flags := a.uint32(2); flags&^(nonblock|random|insecure) != 0 || flags&(random|insecure) == random|insecure {
		return 0, syscall.EINVAL
	}
	p, e := a.bytes(0, 1)
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
