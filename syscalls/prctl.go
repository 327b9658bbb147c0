package syscalls

import (
	"strings"
	"syscall"
)

// Options of Prctl (prctl.h).
const (
	PR_SET_PDEATHSIG       = 1
	PR_GET_PDEATHSIG       = 2
	PR_GET_DUMPABLE        = 3
	PR_SET_DUMPABLE        = 4
	PR_GET_KEEPCAPS        = 7
	PR_SET_KEEPCAPS        = 8
	PR_SET_NAME            = 15
	PR_GET_NAME            = 16
	PR_GET_SECCOMP         = 21
	PR_CAPBSET_READ        = 23
	PR_CAPBSET_DROP        = 24
	PR_SET_TIMERSLACK      = 29
	PR_GET_TIMERSLACK      = 30
	PR_SET_CHILD_SUBREAPER = 36
	PR_GET_CHILD_SUBREAPER = 37
	PR_SET_NO_NEW_PRIVS    = 38
	PR_GET_NO_NEW_PRIVS    = 39
	PR_SET_THP_DISABLE     = 41
	PR_GET_THP_DISABLE     = 42
	PR_CAP_AMBIENT         = 47
	PR_SET_VMA             = 0x53564d41
)

// Of PR_CAP_AMBIENT and PR_SET_VMA.
const (
	prCapAmbientIsSet    = 1
	prCapAmbientRaise    = 2
	prCapAmbientLower    = 3
	prCapAmbientClearAll = 4
	prSetVMAAnonName     = 0
)

// defaultSlack is the timer slack of a process, in nanoseconds.
const defaultSlack = 50_000

// SetThreadName sets the name of the thread, which is cut off if it is long.
func (k *Kernel) SetThreadName(name string) {
	name, _, _ = strings.Cut(name, "\x00")
	k.ids(func(p *process) syscall.Errno { p.name = name[:min(len(name), maxThreadName)]; return 0 })
}

// Prctl does the options that deal in numbers alone. It keeps what has no effect
// on a process that has no parent, no children and no other thread.
func (k *Kernel) Prctl(option int, arg2, arg3, arg4, arg5 uintptr) (r uintptr, e syscall.Errno) {
	e = k.ids(func(p *process) (e syscall.Errno) { r, e = p.control(option, arg2, arg3, arg4, arg5); return e })
	return r, e
}

// control is Prctl under the lock.
func (p *process) control(option int, arg2, arg3, arg4, arg5 uintptr) (uintptr, syscall.Errno) {
	keep := func(ok bool) (uintptr, syscall.Errno) {
		if !ok {
			return 0, syscall.EINVAL
		}
		p.prctl[option] = arg2
		return 0, 0
	}
	none345 := arg3 == 0 && arg4 == 0 && arg5 == 0
	switch option {
	case PR_SET_PDEATHSIG:
		return keep(arg2 <= sigMax)
	case PR_SET_DUMPABLE, PR_SET_KEEPCAPS:
		return keep(arg2 <= 1)
	case PR_SET_NO_NEW_PRIVS:
		return keep(arg2 == 1 && none345)
	case PR_SET_THP_DISABLE:
		return keep(none345)
	case PR_SET_CHILD_SUBREAPER:
		arg2 = min(arg2, 1)
		return keep(true)
	case PR_SET_TIMERSLACK:
		if int64(arg2) <= 0 {
			arg2 = defaultSlack
		}
		return keep(true)
	case PR_GET_DUMPABLE:
		return p.prctl[PR_SET_DUMPABLE], 0
	case PR_GET_KEEPCAPS:
		return p.prctl[PR_SET_KEEPCAPS], 0
	case PR_GET_TIMERSLACK:
		return p.prctl[PR_SET_TIMERSLACK], 0
	case PR_GET_SECCOMP:
		return 0, 0
	case PR_GET_NO_NEW_PRIVS, PR_GET_THP_DISABLE:
		if arg2 != 0 || !none345 {
			return 0, syscall.EINVAL
		}
		return min(p.prctl[option-1], 1), 0
	case PR_CAPBSET_READ, PR_CAPBSET_DROP:
		if arg2 > capLast {
			return 0, syscall.EINVAL
		}
		if option == PR_CAPBSET_READ {
			return uintptr(p.bounding >> arg2 & 1), 0
		}
		if !p.can(capSetpcap) {
			return 0, syscall.EPERM
		}
		p.bounding &^= 1 << arg2
		return 0, 0
	case PR_CAP_AMBIENT:
		switch {
		case arg4 != 0 || arg5 != 0 || arg2 == prCapAmbientClearAll && arg3 != 0 || arg2 != prCapAmbientClearAll && arg3 > capLast:
			return 0, syscall.EINVAL
		case arg2 == prCapAmbientRaise:
			return 0, syscall.EPERM // it would be for programs that are executed
		case arg2 == prCapAmbientIsSet || arg2 == prCapAmbientLower || arg2 == prCapAmbientClearAll:
			return 0, 0
		}
	case PR_SET_VMA:
		if arg2 == prSetVMAAnonName {
			return 0, 0 // names are for who looks into /proc/PID/maps
		}
	}
	return 0, syscall.EINVAL
}

// kept is what an option that sets something was last given.
func (k *Kernel) kept(option int) (arg uintptr) {
	k.ids(func(p *process) syscall.Errno { arg = p.prctl[option]; return 0 })
	return arg
}
