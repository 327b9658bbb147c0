package syscalls

import "syscall"

// pid is the number of the one process that there is. It leads its process group
// and its session, has one thread for what programs see of threads, and cannot
// start others.
const pid = 1

// validSignal reports whether sig is a signal; 0 only asks whether the receiver
// exists.
func validSignal(sig syscall.Signal) bool { return 0 <= sig && sig <= sigMax }

// Kill sends a signal to the process: by its number, by that of its group, or to
// everybody. (On Linux -1 leaves out the sender; but here it is also the group
// whose number is 1, and -os.Getpid() is what programs mean by it.)
func (k *Kernel) Kill(to int, sig syscall.Signal) syscall.Errno {
	switch {
	case to != pid && to != 0 && to != -pid:
		return syscall.ESRCH
	case !validSignal(sig):
		return syscall.EINVAL
	case sig != 0:
		k.Deliver(Siginfo{Signo: sig, Code: SI_USER, Pid: pid})
	}
	return 0
}

// Tgkill sends a signal to a thread of a process.
func (k *Kernel) Tgkill(tgid, tid int, sig syscall.Signal) syscall.Errno {
	switch {
	case tgid <= 0 || tid <= 0:
		return syscall.EINVAL
	case tgid != pid:
		return syscall.ESRCH
	}
	return k.Tkill(tid, sig)
}

// Tkill sends a signal to a thread.
func (k *Kernel) Tkill(tid int, sig syscall.Signal) syscall.Errno {
	switch {
	case tid <= 0:
		return syscall.EINVAL
	case tid != pid:
		return syscall.ESRCH
	case !validSignal(sig):
		return syscall.EINVAL
	case sig != 0:
		return k.send(Siginfo{Signo: sig, Code: SI_TKILL, Pid: pid}, true)
	}
	return 0
}

// RtSigqueueinfo sends a signal with a value. What else info says is its own to
// choose, for it is sent to the sender: others must not be deceived.
func (k *Kernel) RtSigqueueinfo(to int, info Siginfo) syscall.Errno {
	switch {
	case to != pid && (info.Code >= 0 || info.Code == SI_TKILL):
		return syscall.EPERM
	case to != pid:
		return syscall.ESRCH
	case !validSignal(info.Signo):
		return syscall.EINVAL
	case info.Signo != 0:
		return k.send(info, false)
	}
	return 0
}
