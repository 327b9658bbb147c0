package syscalls

import (
	"syscall"
	"testing"
	"time"
	"unsafe"
)

// byNumber is a call by number. What the addresses lead to is on the heap.
//
//go:uintptrescapes
func byNumber(k *Kernel, num, a1, a2, a3, a4, a5, a6 uintptr) (uintptr, syscall.Errno) {
	return k.Call(num, a1, a2, a3, a4, a5, a6)
}

// maskedWaits are the calls that wait for fd under a mask, whose size is told, by
// number: for ever if ts is nil.
var maskedWaits = []struct {
	name string
	call func(k *Kernel, fd int, ts *syscall.Timespec, mask *Sigset, size uintptr) (uintptr, syscall.Errno)
}{
	{"ppoll", func(k *Kernel, fd int, ts *syscall.Timespec, mask *Sigset, size uintptr) (uintptr, syscall.Errno) {
		p := &pollFD{fd: int32(fd), events: pollIn}
		return byNumber(k, 271, uintptr(unsafe.Pointer(p)), 1, uintptr(unsafe.Pointer(ts)), uintptr(unsafe.Pointer(mask)), size, 0)
	}},
	{"pselect6", func(k *Kernel, fd int, ts *syscall.Timespec, mask *Sigset, size uintptr) (uintptr, syscall.Errno) {
		set := uint64(1) << fd
		at := &struct {
			mask *Sigset
			size uintptr
		}{mask, size}
		return byNumber(k, 270, uintptr(fd+1), uintptr(unsafe.Pointer(&set)), 0, 0, uintptr(unsafe.Pointer(ts)), uintptr(unsafe.Pointer(at)))
	}},
	{"epoll_pwait", func(k *Kernel, fd int, ts *syscall.Timespec, mask *Sigset, size uintptr) (uintptr, syscall.Errno) {
		ms := -1
		if ts != nil {
			ms = int(ts.Nano() / 1e6)
		}
		return byNumber(k, 281, inEpoll(k, fd), uintptr(unsafe.Pointer(new(epollEvent))), 1, uintptr(ms), uintptr(unsafe.Pointer(mask)), size)
	}},
	{"epoll_pwait2", func(k *Kernel, fd int, ts *syscall.Timespec, mask *Sigset, size uintptr) (uintptr, syscall.Errno) {
		return byNumber(k, 441, inEpoll(k, fd), uintptr(unsafe.Pointer(new(epollEvent))), 1, uintptr(unsafe.Pointer(ts)), uintptr(unsafe.Pointer(mask)), size)
	}},
}

// inEpoll is a new descriptor of epoll that waits for fd to be read.
func inEpoll(k *Kernel, fd int) uintptr {
	ep, _ := k.EpollCreate1(0)
	_ = k.EpollCtl(ep, 1, fd, &EpollEvent{Events: pollIn})
	return uintptr(ep)
}

// TestWaitUnderMask: what the mask of a wait lets through ends it, unless a file is
// ready; what it holds back waits until the call has ended.
func TestWaitUnderMask(t *testing.T) {
	const usr1, usr2, winch = syscall.SIGUSR1, syscall.SIGUSR2, syscall.SIGWINCH
	for _, w := range maskedWaits {
		t.Run(w.name, func(t *testing.T) {
			k, p := withProgram(t)
			p.wants, p.ignores = SigsetOf(usr1, usr2), SigsetOf(winch)
			fd, e := k.Eventfd2(0, 0)
			ok(t, e)
			one := SigsetOf(usr1)
			_, e = k.RtSigprocmask(SIG_SETMASK, &one)
			ok(t, e)
			never, now := (*syscall.Timespec)(nil), new(syscall.Timespec)
			wait := func(ts *syscall.Timespec, mask Sigset) (uintptr, syscall.Errno) {
				return w.call(k, fd, ts, &mask, sigsetSize)
			}
			// check looks at what the program got and what waits, and at the mask.
			check := func(what string, pending Sigset, got ...syscall.Signal) {
				t.Helper()
				p.mu.Lock()
				defer p.mu.Unlock()
				gets(t, what, p.got, got...)
				p.got = nil
				if now := k.RtSigpending(); now != pending {
					t.Errorf("%s: %#x waits, want %#x", what, now, pending)
				}
				if now, _ := k.RtSigprocmask(0, nil); now != one {
					t.Errorf("%s: mask %#x", what, now)
				}
			}

			n, e := wait(&syscall.Timespec{Nsec: 1e6}, 0)
			if n != 0 || e != 0 {
				t.Errorf("no signal: %d, %v", n, e)
			}
			ok(t, k.Tgkill(1, 1, usr1))
			n, e = wait(never, 0)
			is(t, "waited for", e, syscall.EINTR)
			check("waited for", 0, usr1)

			ok(t, k.Tgkill(1, 1, usr1))
			_, e = wait(&syscall.Timespec{Nsec: 1e6}, one)
			is(t, "held back", e, 0)
			check("held back", one)
			_, e = k.Write(fd, []byte{1, 0, 0, 0, 0, 0, 0, 0})
			ok(t, e)
			if n, e = wait(never, 0); n != 1 || e != 0 {
				t.Errorf("ready: %d, %v", n, e)
			}
			check("a file is ready", one)
			_, e = k.Read(fd, make([]byte, 8))
			ok(t, e)
			_, e = wait(never, 0)
			is(t, "then", e, syscall.EINTR)
			check("then", 0, usr1)

			// While it waits: to the process, which the mask holds back, to the
			// thread, and one that is ignored.
			while := func(mask Sigset, send func()) (uintptr, syscall.Errno) {
				done := make(chan struct{})
				var n uintptr
				var e syscall.Errno
				go func() {
					defer close(done)
					n, e = wait(never, mask)
				}()
				for {
					k.signals.mu.Lock()
					waits := len(k.signals.waits)
					k.signals.mu.Unlock()
					if waits > 0 {
						break
					}
					time.Sleep(time.Millisecond)
				}
				send()
				<-done
				return n, e
			}
			_, e = while(0, func() {
				ok(t, k.Kill(1, winch))
				ok(t, k.Kill(1, usr1))
			})
			is(t, "to the process", e, syscall.EINTR)
			check("to the process", 0, usr1)
			_, e = while(one, func() { ok(t, k.Tgkill(1, 1, usr2)) })
			is(t, "to the thread", e, syscall.EINTR)
			check("to the thread", 0, usr2)
			n, e = while(SigsetOf(usr2), func() {
				ok(t, k.Tgkill(1, 1, usr2))
				if now := k.RtSigpending(); now != SigsetOf(usr2) {
					t.Errorf("%#x waits", now)
				}
				_, e := k.Write(fd, []byte{1, 0, 0, 0, 0, 0, 0, 0})
				ok(t, e)
			})
			if n != 1 || e != 0 {
				t.Errorf("with a signal held back: %d, %v", n, e)
			}
			check("held back while it waited", 0, usr2)

			_, e = w.call(k, fd, now, &one, 4)
			is(t, "size", e, syscall.EINVAL)
			_, e = w.call(k, fd, now, nil, 4)
			is(t, "no mask", e, 0)
		})
	}
}

// TestWaitsOverlap: masks of several waits do not mix, whichever ends first.
func TestWaitsOverlap(t *testing.T) {
	k, p := withProgram(t)
	p.wants = ^Sigset(0)
	set := SigsetOf(syscall.SIGUSR1)
	_, e := k.RtSigprocmask(SIG_SETMASK, &set)
	ok(t, e)
	none, both := Sigset(0), SigsetOf(syscall.SIGUSR1, syscall.SIGUSR2)
	a := k.waitForSignal(&both)
	b := k.waitForSignal(&none)
	ok(t, k.Tkill(1, syscall.SIGUSR2))
	if a.interrupted() || !b.interrupted() {
		t.Error("a signal has ended the wait that holds it back, or not the other")
	}
	a.end()
	b.end()
	if now, _ := k.RtSigprocmask(0, nil); now != set {
		t.Errorf("mask %#x afterwards", now)
	}
	gets(t, "got", p.got, syscall.SIGUSR2)
}

// TestPauseMasked: a signal that the mask holds back does not end pause when the
// program gets it otherwise, as by another thread.
func TestPauseMasked(t *testing.T) {
	k, p := withProgram(t)
	p.wants = ^Sigset(0)
	set := SigsetOf(syscall.SIGUSR1)
	_, e := k.RtSigprocmask(SIG_SETMASK, &set)
	ok(t, e)
	w := k.waitForSignal(nil)
	defer w.end()
	ok(t, k.Kill(1, syscall.SIGUSR1))
	gets(t, "got", p.got, syscall.SIGUSR1)
	if w.interrupted() {
		t.Error("it ends pause")
	}
	ok(t, k.Kill(1, syscall.SIGUSR2))
	if !w.interrupted() {
		t.Error("another does not")
	}
}
