package syscalls

import (
	"os"
	"runtime"
	"syscall"
	"unsafe"
)

// Calls by number on the process.

// always is a call that has one result.
func always(r uintptr) call {
	return func(k *Kernel, a args) (uintptr, syscall.Errno) { return r, 0 }
}

// refuses is a call that ends as where the process is not allowed it, or where it
// could not be of use: there are no other processes, and no modules of a kernel.
func refuses(e syscall.Errno) call {
	return func(k *Kernel, a args) (uintptr, syscall.Errno) { return 0, e }
}

func doGetpgid(k *Kernel, a args) (uintptr, syscall.Errno) { return count(k.Getpgid(a.int(0))) }

func doGetsid(k *Kernel, a args) (uintptr, syscall.Errno) { return count(k.Getsid(a.int(0))) }

func doSetsid(k *Kernel, a args) (uintptr, syscall.Errno) { return only(k.Setsid()) }

func doSetpgid(k *Kernel, a args) (uintptr, syscall.Errno) {
	return only(k.Setpgid(a.int(0), a.int(1)))
}

func doUmask(k *Kernel, a args) (uintptr, syscall.Errno) { return uintptr(k.Umask(a.int(0))), 0 }

func doPersonality(k *Kernel, a args) (uintptr, syscall.Errno) {
	return uintptr(k.Personality(a.uint32(0))), 0
}

func doPrlimit64(k *Kernel, a args) (uintptr, syscall.Errno) {
	if a.int(0) != 0 && a.int(0) != pid {
		return 0, syscall.ESRCH
	}
	return rlimit(k, a.int(1), a[3], a[2])
}

func doGetrlimit(k *Kernel, a args) (uintptr, syscall.Errno) {
	if _, e := place[syscall.Rlimit](a[1]); e != 0 {
		return 0, e
	}
	return rlimit(k, a.int(0), a[1], 0)
}

func doSetrlimit(k *Kernel, a args) (uintptr, syscall.Errno) {
	if _, e := object[syscall.Rlimit](a[1]); e != 0 {
		return 0, e
	}
	return rlimit(k, a.int(0), 0, a[1])
}

// rlimit sets the limit at address new, and puts the one before to old.
func rlimit(k *Kernel, resource int, old, new uintptr) (uintptr, syscall.Errno) {
	to, e := optionalPlace[syscall.Rlimit](old)
	if e != 0 {
		return 0, e
	}
	want, e := optional[syscall.Rlimit](new)
	if e != 0 {
		return 0, e
	}
	was, e := k.Prlimit(resource, want)
	if e == 0 && to != nil {
		*to = was
	}
	return 0, e
}

func doGetrusage(k *Kernel, a args) (uintptr, syscall.Errno) {
	u, e := k.Getrusage(a.int(0))
	if e != 0 {
		return 0, e
	}
	return store(a[1], u)
}

// store puts v to an address.
func store[T any](addr uintptr, v T) (uintptr, syscall.Errno) {
	to, e := place[T](addr)
	if e == 0 {
		*to = v
	}
	return 0, e
}

// storeOptional is store unless the address is 0.
func storeOptional[T any](addr uintptr, v T) (uintptr, syscall.Errno) {
	if addr == 0 {
		return 0, 0
	}
	return store(addr, v)
}

func doPrctl(k *Kernel, a args) (uintptr, syscall.Errno) {
	switch option := a.int(0); option {
	case PR_SET_NAME:
		name, e := threadName(a[1])
		if e == 0 {
			k.SetThreadName(name)
		}
		return 0, e
	case PR_GET_NAME:
		var name [maxThreadName + 1]byte
		copy(name[:], k.ThreadName(os.Args[0]))
		return store(a[1], name)
	case PR_GET_PDEATHSIG, PR_GET_CHILD_SUBREAPER:
		to, e := place[int32](a[1])
		if e == 0 {
			*to = int32(k.kept(option - 1))
		}
		return 0, e
	default:
		return k.Prctl(option, a[1], a[2], a[3], a[4])
	}
}

// threadName is a name for PR_SET_NAME, as much of it as counts.
func threadName(addr uintptr) (string, syscall.Errno) {
	name, e := text(addr, maxThreadName, 0)
	if e == 0 && name == "" && valid(addr, maxThreadName, false) {
		all, _ := memory(addr, maxThreadName) // an empty name, or one without an end
		if all[0] != 0 {
			name = string(all)
		}
	}
	return name, e
}

// doCapget and doCapset take the versions of linux/capability.h: 1 with 32
// capabilities, 2 and 3 with 64 in two pieces.
func doCapget(k *Kernel, a args) (uintptr, syscall.Errno) {
	head, n, e := a.capHead()
	if e != 0 || a[1] == 0 {
		if a[1] == 0 && e == syscall.EINVAL {
			e = 0 // it was to find out the version
		}
		return 0, e
	}
	c, e := k.Capget(int(head.pid))
	if e != 0 {
		return 0, e
	}
	data, e := places[capData](a[1], n)
	if e != 0 {
		return 0, e
	}
	for i := range data {
		data[i] = capData{uint32(c.Effective >> (32 * i)), uint32(c.Permitted >> (32 * i)), uint32(c.Inheritable >> (32 * i))}
	}
	return 0, 0
}

func doCapset(k *Kernel, a args) (uintptr, syscall.Errno) {
	head, n, e := a.capHead()
	if e != 0 {
		return 0, e
	}
	data, e := array[capData](a[1], n)
	if e != 0 {
		return 0, e
	}
	var c Capabilities
	for i, d := range data {
		c.Effective |= uint64(d.effective) << (32 * i)
		c.Permitted |= uint64(d.permitted) << (32 * i)
		c.Inheritable |= uint64(d.inheritable) << (32 * i)
	}
	return only(k.Capset(int(head.pid), c))
}

type (
	capHead struct {
		version uint32
		pid     int32
	}
	capData struct{ effective, permitted, inheritable uint32 }
)

// capHead reads the header at word 0, and says how many pieces of data follow. A
// version that there is not is replaced by the newest.
func (a args) capHead() (head *capHead, n uintptr, e syscall.Errno) {
	const version1, version2, version3 = 0x19980330, 0x20071026, 0x20080522
	if head, e = place[capHead](a[0]); e != 0 {
		return nil, 0, e
	}
	switch head.version {
	case version1:
		return head, 1, 0
	case version2, version3:
		return head, 2, 0
	}
	head.version = version3
	return head, 0, syscall.EINVAL
}

// doExit ends the program: there is one thread.
func doExit(k *Kernel, a args) (uintptr, syscall.Errno) {
	syscall.Exit(a.int(0) & 0xff)
	return 0, 0
}

// doWait finds no child to wait for.
func doWait4(k *Kernel, a args) (uintptr, syscall.Errno) {
	const options = syscall.WNOHANG | syscall.WUNTRACED | syscall.WCONTINUED | syscall.WNOTHREAD | syscall.WCLONE | syscall.WALL
	if a.int(2)&^options != 0 {
		return 0, syscall.EINVAL
	}
	return 0, syscall.ECHILD
}

func doSchedYield(k *Kernel, a args) (uintptr, syscall.Errno) {
	runtime.Gosched()
	return 0, 0
}

// cpuSetSize is the size of the kernel's sets of CPUs, in bytes.
const cpuSetSize = 8

func doSchedGetaffinity(k *Kernel, a args) (uintptr, syscall.Errno) {
	if a[1] < cpuSetSize || a[1]%unsafe.Sizeof(uintptr(0)) != 0 {
		return 0, syscall.EINVAL
	}
	set, e := k.SchedGetaffinity(a.int(0))
	if e != 0 {
		return 0, e
	}
	_, e = store(a[2], set)
	return cpuSetSize, e
}

func doSchedSetaffinity(k *Kernel, a args) (uintptr, syscall.Errno) {
	b, e := memory(a[2], min(a[1]&(1<<32-1), cpuSetSize))
	if e != 0 {
		return 0, e
	}
	var set uint64
	for i, c := range b {
		set |= uint64(c) << (8 * i)
	}
	return only(k.SchedSetaffinity(a.int(0), set))
}

func doGetcpu(k *Kernel, a args) (uintptr, syscall.Errno) {
	if _, e := storeOptional(a[0], uint32(k.Machine.CPU())); e != 0 {
		return 0, e
	}
	return storeOptional(a[1], uint32(0)) // the node
}

func doGetpriority(k *Kernel, a args) (uintptr, syscall.Errno) {
	nice, e := k.Getpriority(a.int(0), a.int(1))
	if e != 0 {
		return 0, e
	}
	return uintptr(20 - nice), 0
}

func doSetpriority(k *Kernel, a args) (uintptr, syscall.Errno) {
	return only(k.Setpriority(a.int(0), a.int(1), a.int(2)))
}

func doIoprioGet(k *Kernel, a args) (uintptr, syscall.Errno) {
	priority, e := k.IoprioGet(a.int(0), a.int(1))
	if e != 0 {
		return 0, e
	}
	return uintptr(priority), 0
}

func doIoprioSet(k *Kernel, a args) (uintptr, syscall.Errno) {
	return only(k.IoprioSet(a.int(0), a.int(1), a.int(2)))
}

func doSchedSetscheduler(k *Kernel, a args) (uintptr, syscall.Errno) {
	return setScheduler(k, a, a.int(1), a[2])
}

func doSchedSetparam(k *Kernel, a args) (uintptr, syscall.Errno) {
	return setScheduler(k, a, SCHED_OTHER, a[1])
}

// setScheduler takes struct sched_param at an address.
func setScheduler(k *Kernel, a args, policy int, param uintptr) (uintptr, syscall.Errno) {
	if param == 0 {
		return 0, syscall.EINVAL
	}
	priority, e := object[int32](param)
	if e != 0 {
		return 0, e
	}
	return only(k.SchedSetscheduler(a.int(0), policy, int(*priority)))
}

func doSchedGetscheduler(k *Kernel, a args) (uintptr, syscall.Errno) {
	return SCHED_OTHER, k.SchedSetscheduler(a.int(0), SCHED_OTHER, 0)
}

func doSchedGetparam(k *Kernel, a args) (uintptr, syscall.Errno) {
	if a[1] == 0 {
		return 0, syscall.EINVAL
	}
	if e := k.SchedSetscheduler(a.int(0), SCHED_OTHER, 0); e != 0 {
		return 0, e
	}
	return store(a[1], int32(0))
}

func doSchedGetPriorityMax(k *Kernel, a args) (uintptr, syscall.Errno) {
	_, most, e := k.SchedPriorities(a.int(0))
	return uintptr(most), e
}

func doSchedGetPriorityMin(k *Kernel, a args) (uintptr, syscall.Errno) {
	least, _, e := k.SchedPriorities(a.int(0))
	return uintptr(least), e
}

// doSetRobustList takes a list of locks of which no thread will die.
func doSetRobustList(k *Kernel, a args) (uintptr, syscall.Errno) {
	if a[1] != 24 { // struct robust_list_head
		return 0, syscall.EINVAL
	}
	return 0, 0
}
