//go:build tamago

package runtime

import (
	"internal/abi"
	"internal/stringslite"
	"unsafe"
)

// Elsewhere a program is dead when all threads wait for goroutines. Here a thread
// always waits for interrupts, as drivers do, and timers of the kernel go off in
// dead programs too. So when the machine has had nothing to do for a while, the
// thread that waits looks at what the goroutines and timers wait for.
//
// The program is dead if none of its own goroutines can go on: none waits inside
// the kernel, for a file or a stream, in the network or for a signal, and no timer
// is for one of them. What the kernel's goroutines wait for does not count, for
// they wake the program's only when those are inside the kernel.

// deadAsleep is where the kernel waits for what nothing but calls of the program bring
// about: who waits there is not inside the kernel for this purpose.
const deadAsleep = deadKernel + "fs.Asleep"

// The kernel's packages start with deadKernel and one of these; what others wrote of
// it is in thirdparty.
const deadKernel = "github.com/yolkos/yolk/"

var deadKernelPackages = [...]string{"arch/", "drivers/", "fs/", "fs.", "kernel.", "kernel/", "netstack.", "netstack/", "syscalls.", "syscalls/", "thirdparty/"}

const (
	// deadQuiet is how long nothing happens before the first look, and
	// deadQuietMax before further ones, in nanoseconds.
	deadQuiet    = 100e6
	deadQuietMax = 1e9
)

// deadInKernel reports whether a function is the kernel's.
func deadInKernel(name string) bool {
	if !stringslite.HasPrefix(name, deadKernel) {
		return false
	}
	name = name[len(deadKernel):]
	for _, p := range &deadKernelPackages {
		if stringslite.HasPrefix(name, p) {
			return true
		}
	}
	return false
}

// deadOutside reports whether a goroutine that waits in the function name may wait
// for what no other goroutine does.
func deadOutside(name string) bool {
	return stringslite.HasPrefix(name, "syscall.") || stringslite.HasPrefix(name, "net.") || deadInKernel(name)
}

// deadOwner tells of gp, which does not run, whether it is the program's, and if so
// whether it waits for something outside.
func deadOwner(gp *g) (own, outside bool) {
	if isSystemGoroutine(gp, false) {
		return false, false
	}
	asleep := false
	var u unwinder
	for u.init(gp, unwindSilentErrors); u.valid(); u.next() {
		name := funcname(u.frame.fn)
		// The outermost function decides, but for the one that starts others.
		switch {
		case stringslite.HasPrefix(name, "runtime.goexit"), stringslite.HasPrefix(name, "sync.(*WaitGroup).Go"):
		default:
			own = !deadInKernel(name)
			asleep = asleep || name == deadAsleep
			outside = outside || deadOutside(name)
		}
	}
	return own, own && outside && !asleep
}

// osSystemGoroutine reports whether gp is one of the kernel's, which traces of the
// program leave out.
func osSystemGoroutine(gp *g) bool {
	if readgstatus(gp) == _Gwaiting {
		own, _ := deadOwner(gp)
		return !own
	}
	f := findfunc(gp.startpc)
	return f.valid() && deadInKernel(funcname(f))
}

// deadTimer reports whether t, in a heap, is for a goroutine of the program.
func deadTimer(t *timer) bool {
	if t.state&timerZombie != 0 {
		return false // stopped
	}
	if t.isChan {
		for sg := t.hchan().recvq.first; sg != nil; sg = sg.next {
			if own, _ := deadOwner(sg.g); own {
				return true
			}
		}
		return false
	}
	f := **(**uintptr)(unsafe.Pointer(&t.f))
	arg := efaceOf(&t.arg).data
	switch {
	case f == abi.FuncPCABIInternal(goroutineReady):
		own, _ := deadOwner((*g)(arg))
		return own
	case arg != nil && funcname(findfunc(f)) == "time.goFunc":
		return !deadInKernel(funcname(findfunc(*(*uintptr)(arg))))
	}
	return !stringslite.HasPrefix(funcname(findfunc(f)), "runtime.")
}

// deadCheck ends the program with a fatal error if it is dead. It reports whether
// that can only change by an interrupt or a timer, and not by a thread that runs.
// It is called by a thread in netpoll.
func deadCheck() (settled bool) {
	systemstack(func() { settled = deadCheck1() })
	return settled
}

//go:systemstack
func deadCheck1() (settled bool) {
	lock(&sched.lock)
	if panicking.Load() > 0 || sched.gcwaiting.Load() || sched.npidle.Load() != gomaxprocs || !deadThreads() {
		unlock(&sched.lock)
		return false
	}
	// Nobody can get a P without the lock.
	if mcount()-sched.nmidle-sched.nmidlelocked-sched.nmsys > 1 {
		unlock(&sched.lock)
		return true // a thread waits in a call, as for signals
	}
	count, alive := 0, false
	for i := 0; i < len(allp) && !alive; i++ {
		ts := &allp[i].timers
		lock(&ts.mu)
		for _, tw := range ts.heap {
			alive = alive || deadTimer(tw.timer)
		}
		unlock(&ts.mu)
	}
	forEachG(func(gp *g) {
		if alive {
			return // there may be many
		}
		switch readgstatus(gp) {
		case _Gwaiting, _Gpreempted:
			if own, outside := deadOwner(gp); own {
				count++
				alive = outside
			}
		case _Grunnable, _Grunning, _Gsyscall:
			alive = true
		}
	})
	unlock(&sched.lock)
	switch {
	case alive || interruptsWanted():
		return true
	case count == 0:
		fatal("no goroutines (main called runtime.Goexit) - deadlock!")
	default:
		fatal("all goroutines are asleep - deadlock!")
	}
	return true
}

// deadThreads reports whether all threads but the running one are blocked.
func deadThreads() bool {
	me := getg().m
	blocked := true
	threadAcquire()
	for mp := threads.ptr(); mp != nil; mp = mp.thread.link.ptr() {
		if mp != me && (mp.thread.core != 0 || mp.thread.ready) {
			blocked = false
		}
	}
	threadRelease()
	return blocked
}
