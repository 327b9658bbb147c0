package syscalls

import (
	"fmt"
	"math/rand/v2"
	"os"
	"runtime"
	"syscall"
	"testing"
	"unsafe"
)

// TestCallErrors makes the same calls here and by the host's kernel: each error, and
// each result that does not depend on what process it is, is the same.
func TestCallErrors(t *testing.T) {
	const none = 1<<22 + 1 // no process has the number
	buf, out := scratchAt(0), scratchAt(2048)
	bad := ^uintptr(0) // -1, and an address that leads nowhere
	words := func(w ...uint64) func() {
		return func() {
			for i, x := range w {
				*(*uint64)(unsafe.Pointer(&scratch[8*i])) = x
			}
		}
	}
	type try struct {
		num  uintptr
		a    [6]uintptr
		fill func()
	}
	tries := []try{
		{num: syscall.SYS_GETRUSAGE, a: [6]uintptr{5, out}},
		{num: syscall.SYS_GETRUSAGE, a: [6]uintptr{0, 0}},
		{num: syscall.SYS_GETRUSAGE, a: [6]uintptr{bad, out}},
		{num: syscall.SYS_GETPRIORITY, a: [6]uintptr{3, 0}},
		{num: syscall.SYS_GETPRIORITY, a: [6]uintptr{0, none}},
		{num: syscall.SYS_SETPRIORITY, a: [6]uintptr{bad, 0, 0}},
		{num: syscall.SYS_SETPRIORITY, a: [6]uintptr{1, none, 0}},
		{num: syscall.SYS_IOPRIO_GET, a: [6]uintptr{0, 0}},
		{num: syscall.SYS_IOPRIO_GET, a: [6]uintptr{4, 0}},
		{num: syscall.SYS_IOPRIO_GET, a: [6]uintptr{1, none}},
		{num: syscall.SYS_IOPRIO_GET, a: [6]uintptr{2, none}},
		{num: syscall.SYS_IOPRIO_GET, a: [6]uintptr{3, none}},
		{num: syscall.SYS_IOPRIO_SET, a: [6]uintptr{1, none, IOPRIO_CLASS_BE << ioprioShift}},
		{num: syscall.SYS_IOPRIO_SET, a: [6]uintptr{0, 0, 4 << ioprioShift}},
		{num: syscall.SYS_IOPRIO_SET, a: [6]uintptr{4, 0, 0}},
		{num: syscall.SYS_SCHED_GETAFFINITY, a: [6]uintptr{0, 4, out}},
		{num: syscall.SYS_SCHED_GETAFFINITY, a: [6]uintptr{0, 12, out}},
		{num: syscall.SYS_SCHED_GETAFFINITY, a: [6]uintptr{none, 1024, out}},
		{num: syscall.SYS_SCHED_SETAFFINITY, a: [6]uintptr{none, 8, buf}, fill: words(1)},
		{num: syscall.SYS_SCHED_SETAFFINITY, a: [6]uintptr{0, 8, buf}, fill: words(0)},
		{num: syscall.SYS_SCHED_SETAFFINITY, a: [6]uintptr{0, 8, 0}},
		{num: syscall.SYS_SCHED_GETSCHEDULER, a: [6]uintptr{bad}},
		{num: syscall.SYS_SCHED_GETSCHEDULER, a: [6]uintptr{none}},
		{num: syscall.SYS_SCHED_GETPARAM, a: [6]uintptr{0, 0}},
		{num: syscall.SYS_SCHED_SETSCHEDULER, a: [6]uintptr{0, 9, buf}, fill: words(0)},
		{num: syscall.SYS_SCHED_SETSCHEDULER, a: [6]uintptr{0, 1, buf}, fill: words(0)},
		{num: syscall.SYS_SCHED_SETSCHEDULER, a: [6]uintptr{0, 1, buf}, fill: words(100)},
		{num: syscall.SYS_GETPGID, a: [6]uintptr{none}},
		{num: syscall.SYS_GETSID, a: [6]uintptr{none}},
		{num: syscall.SYS_SETPGID, a: [6]uintptr{0, bad}},
		{num: syscall.SYS_SETPGID, a: [6]uintptr{none, 0}},
		{num: syscall.SYS_GETGROUPS, a: [6]uintptr{bad, out}},
		{num: syscall.SYS_SETRLIMIT, a: [6]uintptr{syscall.RLIMIT_NOFILE, buf}, fill: words(2, 1)},
		{num: syscall.SYS_SETRLIMIT, a: [6]uintptr{syscall.RLIMIT_NOFILE, buf}, fill: words(1<<40, 1<<40)},
		{num: syscall.SYS_SETRLIMIT, a: [6]uintptr{16, buf}, fill: words(1, 1)},
		{num: syscall.SYS_SETRLIMIT, a: [6]uintptr{0, 0}},
		{num: syscall.SYS_GETRLIMIT, a: [6]uintptr{bad, out}},
		{num: syscall.SYS_PRLIMIT64, a: [6]uintptr{none, 0, 0, out}},
		{num: syscall.SYS_WAIT4, a: [6]uintptr{none, 0, 1, 0}},
		{num: syscall.SYS_WAIT4, a: [6]uintptr{bad, 0, 0x100, 0}},
		{num: syscall.SYS_GETITIMER, a: [6]uintptr{3, out}},
		{num: syscall.SYS_SETITIMER, a: [6]uintptr{0, buf, 0}, fill: words(0, 0, 0, 1e6)},
		{num: syscall.SYS_NANOSLEEP, a: [6]uintptr{buf, 0}, fill: words(0, 1e9)},
		{num: syscall.SYS_NANOSLEEP, a: [6]uintptr{buf, 0}, fill: words(1<<63, 0)},
		{num: syscall.SYS_NANOSLEEP, a: [6]uintptr{buf, 0}, fill: words(0, 1)},
		{num: syscall.SYS_NANOSLEEP, a: [6]uintptr{0, 0}},
		{num: syscall.SYS_CLOCK_SETTIME, a: [6]uintptr{1, buf}, fill: words(0, 0)},
		{num: syscall.SYS_CLOCK_SETTIME, a: [6]uintptr{0, buf}, fill: words(0, 1e9)},
		{num: syscall.SYS_RT_SIGPROCMASK, a: [6]uintptr{9, buf, 0, 8}, fill: words(0)},
		{num: syscall.SYS_RT_SIGPROCMASK, a: [6]uintptr{0, 0, out, 4}},
		{num: syscall.SYS_RT_SIGPROCMASK, a: [6]uintptr{9, 0, out, 8}},
		{num: syscall.SYS_RT_SIGACTION, a: [6]uintptr{9, buf, 0, 8}, fill: words(1, 0, 0, 0)},
		{num: syscall.SYS_RT_SIGACTION, a: [6]uintptr{65, 0, out, 8}},
		{num: syscall.SYS_RT_SIGACTION, a: [6]uintptr{2, 0, 0, 16}},
		{num: syscall.SYS_RT_SIGPENDING, a: [6]uintptr{out, 9}},
		{num: syscall.SYS_RT_SIGTIMEDWAIT, a: [6]uintptr{buf, 0, buf, 8}, fill: words(0, 0)},
		{num: syscall.SYS_RT_SIGTIMEDWAIT, a: [6]uintptr{0, 0, buf, 8}, fill: words(0, 0)},
		{num: syscall.SYS_RT_SIGQUEUEINFO, a: [6]uintptr{none, 0, buf}, fill: words(0, 0, 0)},
		{num: syscall.SYS_CAPGET, a: [6]uintptr{buf, 0}, fill: words(0)},
		{num: syscall.SYS_CAPGET, a: [6]uintptr{buf, out}, fill: words(7)},
		{num: syscall.SYS_CAPGET, a: [6]uintptr{buf, out}, fill: words(0x20080522 | none<<32)},
		{num: syscall.SYS_CAPGET, a: [6]uintptr{0, out}},
		{num: syscall.SYS_CAPSET, a: [6]uintptr{buf, out}, fill: words(5)},
		{num: syscall.SYS_SETUID, a: [6]uintptr{bad}},
		{num: syscall.SYS_SETGID, a: [6]uintptr{bad}},
		{num: syscall.SYS_PERSONALITY, a: [6]uintptr{0xffffffff}},
		{num: syscall.SYS_TIMES, a: [6]uintptr{1}},
		{num: syscall.SYS_SYSINFO, a: [6]uintptr{0}},
		{num: syscall.SYS_UNAME, a: [6]uintptr{0}},
		{num: 305, a: [6]uintptr{1, buf}, fill: words(0)}, // clock_adjtime
		{num: syscall.SYS_SET_ROBUST_LIST, a: [6]uintptr{0, 25}},
		{num: 309, a: [6]uintptr{0, 0, 0}}, // getcpu
	}
	for id := -9; id < 20; id++ {
		if id == CLOCK_REALTIME_ALARM || id == CLOCK_BOOTTIME_ALARM {
			continue // they are there if the machine has an alarm
		}
		tries = append(tries,
			try{num: syscall.SYS_CLOCK_GETRES, a: [6]uintptr{uintptr(id), 0}},
			try{num: syscall.SYS_CLOCK_GETTIME, a: [6]uintptr{uintptr(id), out}},
			// As of a time long ago, they end at once.
			try{num: syscall.SYS_CLOCK_NANOSLEEP, a: [6]uintptr{uintptr(id), 1, buf, 0}, fill: words(0, 0)},
		)
	}
	for policy := -1; policy < 7; policy++ {
		tries = append(tries,
			try{num: syscall.SYS_SCHED_GET_PRIORITY_MAX, a: [6]uintptr{uintptr(policy)}},
			try{num: syscall.SYS_SCHED_GET_PRIORITY_MIN, a: [6]uintptr{uintptr(policy)}},
		)
	}
	for _, p := range [][5]uintptr{
		{PR_SET_DUMPABLE, 2}, {PR_SET_KEEPCAPS, 2}, {PR_SET_NO_NEW_PRIVS, 0}, {PR_SET_NO_NEW_PRIVS, 1, 1}, {PR_GET_NO_NEW_PRIVS, 1},
		{PR_GET_NO_NEW_PRIVS}, {PR_GET_KEEPCAPS}, {PR_GET_TIMERSLACK}, {PR_SET_PDEATHSIG, 65}, {PR_CAPBSET_READ, 64},
		{PR_GET_THP_DISABLE, 1}, {PR_SET_NAME, 0}, {PR_GET_NAME, 0}, {PR_GET_PDEATHSIG, 0}, {PR_GET_PDEATHSIG, out}, {PR_GET_CHILD_SUBREAPER, out},
		{PR_CAP_AMBIENT, 9}, {PR_CAP_AMBIENT, prCapAmbientIsSet, 64}, {PR_CAP_AMBIENT, prCapAmbientClearAll, 1}, {PR_CAP_AMBIENT, prCapAmbientIsSet, 0},
		{12345}, {^uintptr(0)},
	} {
		tries = append(tries, try{num: syscall.SYS_PRCTL, a: [6]uintptr{p[0], p[1], p[2], p[3], p[4]}})
	}
	if os.Geteuid() == 0 { // others may not, whatever they ask for
		tries = append(tries, try{num: syscall.SYS_PRCTL, a: [6]uintptr{PR_CAPBSET_DROP, 64}})
	}
	k := newKernel(t)
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	for _, try := range tries {
		do := func(call func(num, a1, a2, a3, a4, a5, a6 uintptr) (uintptr, syscall.Errno)) string {
			clear(scratch[:])
			if try.fill != nil {
				try.fill()
			}
			r, e := call(try.num, try.a[0], try.a[1], try.a[2], try.a[3], try.a[4], try.a[5])
			if e != 0 {
				return e.Error()
			}
			if try.num == syscall.SYS_TIMES {
				return "a time"
			}
			return fmt.Sprint(r)
		}
		got := do(k.Call)
		want := do(func(num, a1, a2, a3, a4, a5, a6 uintptr) (uintptr, syscall.Errno) {
			for { // the Go runtime interrupts its threads
				r, _, e := syscall.RawSyscall6(num, a1, a2, a3, a4, a5, a6)
				if e != syscall.EINTR {
					return r, e
				}
			}
		})
		if got != want {
			t.Errorf("%s%#x: %s, on Linux %s", calls[try.num].name, try.a, got, want)
		}
	}
}

// TestIOPriorities sets priorities of this process, and of a thread of the host's that
// ends then: what is taken, and what it is afterwards, is the same. That of the group is
// the one in force, which follows the nice value until one is set.
func TestIOPriorities(t *testing.T) {
	k := newKernel(t)
	c, _ := threadCaps()
	done := make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread() // and never unlocked
		for class := range uintptr(8) {
			if class == IOPRIO_CLASS_RT && c.Effective>>capSysNice&1 == 0 {
				continue
			}
			for level := range uintptr(8) { // of more, kernels think otherwise
				priority := class<<ioprioShift | level
				for _, call := range [][4]uintptr{{syscall.SYS_IOPRIO_SET, 1, 0, priority}, {syscall.SYS_IOPRIO_GET, 1, 0}} {
					got, e := k.Call(call[0], call[1], call[2], call[3], 0, 0, 0)
					want, _, we := syscall.RawSyscall(call[0], call[1], call[2], call[3])
					if e != we || e == 0 && got != want {
						t.Errorf("class %d, level %d: %s: %#x, %v, on Linux %#x, %v", class, level, calls[call[0]].name, got, e, want, we)
					}
				}
			}
		}
	}()
	<-done
	get := func(which int) int {
		p, e := k.IoprioGet(which, 0)
		if e != 0 {
			t.Fatal(e)
		}
		return p
	}
	for _, s := range []struct{ set, nice, group int }{
		{0, 0, IOPRIO_CLASS_BE<<ioprioShift | 4}, {0, 19, IOPRIO_CLASS_BE<<ioprioShift | 7}, {0, -20, IOPRIO_CLASS_BE << ioprioShift},
		{IOPRIO_CLASS_IDLE << ioprioShift, 0, IOPRIO_CLASS_IDLE << ioprioShift}, {IOPRIO_CLASS_BE<<ioprioShift | 1, 19, IOPRIO_CLASS_BE<<ioprioShift | 1},
	} {
		if e := k.Setpriority(PRIO_PROCESS, 0, s.nice); e != 0 {
			t.Fatal(e)
		}
		if e := k.IoprioSet(1, 0, s.set); e != 0 {
			t.Fatal(e)
		}
		if own, group, user := get(1), get(2), get(3); own != s.set || group != s.group || user != s.group {
			t.Errorf("%#x set, nice %d: %#x, of the group %#x, of the user %#x; want %#x for these", s.set, s.nice, own, group, user, s.group)
		}
	}
}

// TestPriorityOfUser: what is the user's is the process's, if it is the real user.
func TestPriorityOfUser(t *testing.T) {
	k := newKernel(t)
	if _, e := k.Call(syscall.SYS_SETRESUID, 1000, 2000, 3000, 0, 0, 0); e != 0 {
		t.Fatal(e)
	}
	for who, want := range map[int]syscall.Errno{0: 0, 1000: 0, 2000: syscall.ESRCH, 3000: syscall.ESRCH, pid: syscall.ESRCH} {
		if _, e := k.Getpriority(PRIO_USER, who); e != want {
			t.Errorf("getpriority of user %d: %v, want %v", who, e, want)
		}
		if _, e := k.IoprioGet(1+PRIO_USER, who); e != want {
			t.Errorf("ioprio_get of user %d: %v, want %v", who, e, want)
		}
	}
}

// TestIDs changes the ids of this process and of a thread of the host's, which then
// ends, in the same way at random: what is allowed, and what they are then, is the
// same.
func TestIDs(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can change its ids")
	}
	if c, ok := threadCaps(); !ok || c.Effective&(1<<6|1<<7) != 1<<6|1<<7 {
		t.Skip("this root cannot change its ids") // CAP_SETGID, CAP_SETUID
	}
	numbers := []uintptr{
		syscall.SYS_SETUID, syscall.SYS_SETGID, syscall.SYS_SETREUID, syscall.SYS_SETREGID,
		syscall.SYS_SETRESUID, syscall.SYS_SETRESGID, syscall.SYS_SETFSUID, syscall.SYS_SETFSGID,
	}
	pick := []uintptr{0, 1000, 2000, 3000, 1<<32 - 1, ^uintptr(0)}
	for seed := range uint64(200) {
		r := rand.New(rand.NewPCG(seed, 0))
		k := newKernel(t)
		done := make(chan struct{})
		go func() {
			defer close(done)
			runtime.LockOSThread() // and never unlocked: the thread ends
			for step := range 12 {
				num := numbers[r.IntN(len(numbers))]
				a := [3]uintptr{pick[r.IntN(len(pick))], pick[r.IntN(len(pick))], pick[r.IntN(len(pick))]}
				if num == syscall.SYS_SETRESUID || num == syscall.SYS_SETRESGID {
					a[1] = min(a[1], 3000) // kernels differ in whether none is a change of that for files
				}
				got, e := k.Call(num, a[0], a[1], a[2], 0, 0, 0)
				want, _, we := syscall.RawSyscall(num, a[0], a[1], a[2])
				if e != we || e == 0 && got != want {
					t.Errorf("seed %d, step %d: %s%v: %d, %v, on Linux %d, %v", seed, step, calls[num].name, a, got, e, want, we)
					return
				}
				for _, num := range []uintptr{syscall.SYS_GETRESUID, syscall.SYS_GETRESGID} {
					at := func(i int) uintptr { return scratchAt(4 * i) }
					ids := (*[3]uint32)(unsafe.Pointer(&scratch))
					k.Call(num, at(0), at(1), at(2), 0, 0, 0)
					got := *ids
					syscall.RawSyscall(num, at(0), at(1), at(2))
					if got != *ids {
						t.Errorf("seed %d, step %d: after %s%v: %d, on Linux %d", seed, step, calls[num].name, a, got, *ids)
						return
					}
				}
				c, _ := k.Capget(0)
				host, _ := threadCaps()
				if (c.Effective == 0) != (host.Effective == 0) || (c.Permitted == 0) != (host.Permitted == 0) {
					t.Errorf("seed %d, step %d: after %s%v: capabilities %x, on Linux %x", seed, step, calls[num].name, a, c, host)
					return
				}
			}
		}()
		<-done
	}
}

// threadCaps are the capabilities of the running thread of the host.
func threadCaps() (c Capabilities, ok bool) {
	head := &capHead{version: 0x20080522}
	var data [2]capData
	_, _, e := syscall.RawSyscall(syscall.SYS_CAPGET, uintptr(unsafe.Pointer(head)), uintptr(unsafe.Pointer(&data)), 0)
	for i, d := range data {
		c.Effective |= uint64(d.effective) << (32 * i)
		c.Permitted |= uint64(d.permitted) << (32 * i)
	}
	return c, e == 0
}
