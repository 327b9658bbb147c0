package syscalls

import (
	"encoding/binary"
	"math"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/yolkos/yolk/fs"
	"github.com/yolkos/yolk/fs/anonfs"
	"github.com/yolkos/yolk/fs/tmpfs"
)

// inBubble runs do with a Kernel whose clocks are those of a bubble.
func inBubble(t *testing.T, do func(t *testing.T, k *Kernel)) {
	synctest.Test(t, func(t *testing.T) {
		k := newKernel(t)
		time.Sleep(time.Second)
		do(t, k)
		for _, fd := range k.Descriptors() {
			k.Close(fd)
		}
	})
}

// number reads eight bytes.
func number(k *Kernel, fd int) (uint64, syscall.Errno) {
	b := make([]byte, 8)
	_, e := k.Read(fd, b)
	return binary.NativeEndian.Uint64(b), e
}

func isNumber(t *testing.T, what string, k *Kernel, fd int, want uint64) {
	t.Helper()
	if n, e := number(k, fd); n != want || e != 0 {
		t.Errorf("%s: read %d, %v, want %d", what, n, e, want)
	}
}

func addInterest(t *testing.T, k *Kernel, ep, fd int, events uint32) {
	t.Helper()
	ok(t, k.EpollCtl(ep, anonfs.Add, fd, &EpollEvent{Events: events, Data: uint64(fd)}))
}

func newEpoll(t *testing.T, k *Kernel) int {
	t.Helper()
	ep, e := k.EpollCreate1(0)
	ok(t, e)
	return ep
}

const (
	edgeTriggered = 1 << 31
	oneShot       = 1 << 30
)

func TestTimerfdTime(t *testing.T) {
	inBubble(t, func(t *testing.T, k *Kernel) {
		fd, e := k.TimerfdCreate(CLOCK_MONOTONIC, syscall.O_NONBLOCK)
		ok(t, e)
		ms := func(n int64) syscall.Timespec { return syscall.NsecToTimespec(n * 1e6) }
		set := func(flags int, value, interval syscall.Timespec) (old Itimerspec) {
			t.Helper()
			ok(t, k.TimerfdSettime(fd, flags, &Itimerspec{Value: value, Interval: interval}, &old))
			return old
		}
		left := func(what string, value, interval int64) {
			t.Helper()
			var now Itimerspec
			ok(t, k.TimerfdGettime(fd, &now))
			if now != (Itimerspec{ms(interval), ms(value)}) {
				t.Errorf("%s: %v", what, now)
			}
		}
		_, e = number(k, fd)
		is(t, "not set", e, syscall.EAGAIN)
		set(0, ms(20), ms(10))
		time.Sleep(5 * time.Millisecond)
		left("after 5 ms", 15, 10)
		time.Sleep(40 * time.Millisecond)
		isNumber(t, "after 45 ms", k, fd, 3)
		left("after 45 ms", 5, 10)
		_, e = number(k, fd)
		is(t, "read again", e, syscall.EAGAIN)
		time.Sleep(25 * time.Millisecond)
		left("after 70 ms", 10, 10) // goes on by being asked, as on Linux
		isNumber(t, "after 70 ms", k, fd, 3)
		old := set(0, ms(7), ms(0))
		if old.Interval != ms(10) || old.Value != ms(10) {
			t.Errorf("it stood at %v", old)
		}
		time.Sleep(time.Second)
		left("one shot", 0, 0)
		isNumber(t, "one shot", k, fd, 1)
		set(0, ms(7), ms(0))
		set(0, ms(0), ms(0))
		time.Sleep(time.Second)
		_, e = number(k, fd)
		is(t, "disarmed", e, syscall.EAGAIN)
		set(anonfs.TimerAbsolute, ms(int64(k.Machine.Uptime())/1e6-35), ms(10))
		isNumber(t, "35 ms ago", k, fd, 4)
		set(0, syscall.Timespec{Sec: math.MaxInt64}, ms(0))
		time.Sleep(time.Hour)
		_, e = number(k, fd)
		is(t, "the end of time", e, syscall.EAGAIN)

		// A blocked read ends when the timer expires, and at the deadline.
		_, e = k.Fcntl(fd, syscall.F_SETFL, 0)
		ok(t, e)
		set(0, ms(50), ms(0))
		start := time.Now()
		isNumber(t, "blocked", k, fd, 1)
		if d := time.Since(start); d != 50*time.Millisecond {
			t.Errorf("it waited for %v", d)
		}
		ok(t, k.SetDeadline(fd, 'r', int64(time.Second)))
		_, e = number(k, fd)
		is(t, "the deadline", e, syscall.EAGAIN)
		is(t, "wait", k.Wait(fd, 'r'), syscall.ETIMEDOUT)
	})
}

// Timers that go by the wall clock follow when that is set.
func TestTimerfdClockSet(t *testing.T) {
	inBubble(t, func(t *testing.T, k *Kernel) {
		wall := time.Duration(0) // what the clock was set ahead by
		sets := new(anonfs.Sets)
		clock := anonfs.Clock{Now: func() int64 { return time.Now().Add(wall).UnixNano() }, Sets: sets}
		timer := anonfs.NewTimerfd(clock)
		fd, e := k.installAnon(timer, "[timerfd]", syscall.O_NONBLOCK)
		ok(t, e)
		in := func(d time.Duration) *Itimerspec {
			return &Itimerspec{Value: syscall.NsecToTimespec(clock.Now() + int64(d))}
		}
		ok(t, k.TimerfdSettime(fd, anonfs.TimerAbsolute, in(time.Hour), nil))
		ep := newEpoll(t, k)
		addInterest(t, k, ep, fd, fs.PollIn)
		wall = 59 * time.Minute
		sets.Note()
		time.Sleep(59 * time.Second)
		_, e = number(k, fd)
		is(t, "a minute before", e, syscall.EAGAIN)
		events := make([]EpollEvent, 1)
		if n, e := k.EpollWait(ep, events, int64(2*time.Second)); n != 1 || e != 0 {
			t.Errorf("%d, %v", n, e)
		}
		isNumber(t, "expired", k, fd, 1)

		const both = anonfs.TimerAbsolute | anonfs.TimerCancelOnSet
		ok(t, k.TimerfdSettime(fd, both, in(time.Hour), nil))
		sets.Note()
		if n, _ := k.EpollWait(ep, events, int64(time.Second)); n != 1 {
			t.Error("nobody was told that the timer was cancelled")
		}
		_, e = number(k, fd)
		is(t, "cancelled", e, syscall.ECANCELED)
		_, e = number(k, fd)
		is(t, "told once", e, syscall.EAGAIN)
		sets.Note()
		is(t, "set while cancelled", k.TimerfdSettime(fd, both, in(time.Second), nil), syscall.ECANCELED)
		time.Sleep(time.Second)
		isNumber(t, "set all the same", k, fd, 1)
		ok(t, k.TimerfdSettime(fd, anonfs.TimerCancelOnSet, &Itimerspec{Value: syscall.Timespec{Sec: 5}}, nil))
		sets.Note()
		_, e = number(k, fd)
		is(t, "a relative one is not cancelled", e, syscall.EAGAIN)
	})
}

func TestEventfdBlocks(t *testing.T) {
	inBubble(t, func(t *testing.T, k *Kernel) {
		fd, e := k.Eventfd2(0, 0)
		ok(t, e)
		write := func(n uint64) func() syscall.Errno {
			return func() syscall.Errno {
				_, e := k.Write(fd, binary.NativeEndian.AppendUint64(nil, n))
				return e
			}
		}
		wait := blocked(func() syscall.Errno { _, e := number(k, fd); return e })
		ok(t, write(math.MaxUint64-1)())
		is(t, "woken by a write", wait(), 0)
		ok(t, write(math.MaxUint64-1)())
		wait = blocked(write(1))
		isNumber(t, "all that fits", k, fd, math.MaxUint64-1)
		is(t, "woken by a read", wait(), 0)
		wait = blocked(write(math.MaxUint64 - 1)) // there is room, but not for this
		isNumber(t, "the one", k, fd, 1)
		is(t, "a large number", wait(), 0)
		wait = blocked(write(1))
		ok(t, k.SetDeadline(fd, 'w', 1))
		is(t, "the deadline", wait(), syscall.EAGAIN)
		ok(t, k.SetDeadline(fd, 'w', 0))
		wait = blocked(write(1))
		ok(t, k.Close(fd))
		is(t, "closed", wait(), syscall.EBADF)
	})
}

// waiting starts n goroutines that wait on eps, and tells how many have come back.
func waiting(k *Kernel, eps ...int) func() int {
	done := make(chan int, len(eps))
	for _, ep := range eps {
		go func() {
			n, _ := k.EpollWait(ep, make([]EpollEvent, 1), int64(time.Minute))
			done <- n
		}()
		synctest.Wait()
	}
	return func() (n int) {
		synctest.Wait()
		for {
			select {
			case m := <-done:
				n += m
			default:
				return n
			}
		}
	}
}

func TestEpollWakes(t *testing.T) {
	inBubble(t, func(t *testing.T, k *Kernel) {
		r, w := pipe(t, k, 0)
		a, b := newEpoll(t, k), newEpoll(t, k)
		_, e := k.Fcntl(r, syscall.F_SETFL, syscall.O_NONBLOCK)
		ok(t, e)
		write := func() { k.Write(w, []byte("x")) }
		check := func(what string, got, want int) {
			t.Helper()
			if got != want {
				t.Errorf("%s: %d came back, want %d", what, got, want)
			}
			time.Sleep(time.Hour) // the others give up
			k.Read(r, make([]byte, 9))
		}
		addInterest(t, k, a, r, fs.PollIn)
		addInterest(t, k, b, r, fs.PollIn)
		got := waiting(k, a, b)
		write()
		check("two sets", got(), 2)
		for _, ep := range []int{a, b} {
			ok(t, k.EpollCtl(ep, anonfs.Delete, r, nil))
			addInterest(t, k, ep, r, fs.PollIn|anonfs.Exclusive)
		}
		got = waiting(k, a, b)
		write()
		check("two exclusive", got(), 1)
		ok(t, k.EpollCtl(a, anonfs.Delete, r, nil))
		ok(t, k.EpollCtl(b, anonfs.Delete, r, nil))
		addInterest(t, k, a, r, fs.PollIn|edgeTriggered)
		got = waiting(k, a, a)
		write()
		check("one edge, two who wait", got(), 1)
		ok(t, k.EpollCtl(a, anonfs.Delete, r, nil))
		addInterest(t, k, a, r, fs.PollIn|oneShot)
		got = waiting(k, a, a)
		write()
		write()
		check("one shot", got(), 1)
		ok(t, k.EpollCtl(a, anonfs.Delete, r, nil))
		// Whoever gets only a part leaves the rest to the next.
		r2, w2 := pipe(t, k, 0)
		addInterest(t, k, a, r, fs.PollIn|edgeTriggered)
		addInterest(t, k, a, r2, fs.PollIn|edgeTriggered)
		got = waiting(k, a, a)
		write()
		k.Write(w2, []byte("x"))
		check("two edges, two who wait", got(), 2)
	})
}

// All that are ready get their turn.
func TestEpollFair(t *testing.T) {
	k := newKernel(t)
	ep := newEpoll(t, k)
	for range 3 {
		fd, e := k.Eventfd2(1, 0)
		ok(t, e)
		addInterest(t, k, ep, fd, fs.PollIn)
	}
	events := make([]EpollEvent, 1)
	var seen []uint64
	for range 6 {
		n, e := k.EpollWait(ep, events, -1)
		if n != 1 || e != 0 {
			t.Fatalf("%d, %v", n, e)
		}
		seen = append(seen, events[0].Data)
	}
	for i := range 3 {
		if seen[i] != seen[i+3] || seen[i] == seen[(i+1)%3] {
			t.Fatalf("they came as %d", seen)
		}
	}
}

// Files that do not tell of changes are asked by the clock.
func TestEpollSilent(t *testing.T) {
	inBubble(t, func(t *testing.T, k *Kernel) {
		d := &counted{}
		fd := openDevice(t, k, d)
		ep, outer := newEpoll(t, k), newEpoll(t, k)
		addInterest(t, k, ep, fd, fs.PollIn|edgeTriggered)
		addInterest(t, k, outer, ep, fs.PollIn)
		got := waiting(k, outer)
		time.Sleep(time.Second)
		if got() != 0 {
			t.Error("not ready, but it came back")
		}
		d.ready.Store(fs.PollIn)
		time.Sleep(time.Second)
		if got() != 1 {
			t.Error("ready, but it did not come back")
		}
		events := make([]EpollEvent, 2)
		for i, want := range []int{1, 0} {
			if n, _ := k.EpollWait(ep, events, int64(time.Second)); n != want {
				t.Errorf("edge, wait %d: %d", i, n)
			}
		}
		ok(t, k.EpollCtl(ep, anonfs.Delete, fd, nil))
		asked := d.asked.Load()
		time.Sleep(time.Hour)
		if d.asked.Load() != asked {
			t.Error("asked, although nobody is interested")
		}
	})
}

// What waits in a splice ends as reads and writes do.
func TestSpliceBlocks(t *testing.T) {
	inBubble(t, func(t *testing.T, k *Kernel) {
		r, w := pipe(t, k, 0)
		r2, w2 := pipe(t, k, 0)
		splice := func() syscall.Errno {
			_, e := k.Splice(r, nil, w2, nil, 10, 0)
			return e
		}
		wait := blocked(splice)
		k.Write(w, []byte("abc"))
		is(t, "there is something", wait(), 0)
		wait = blocked(splice)
		ok(t, k.SetDeadline(r, 'r', int64(time.Second)))
		is(t, "the deadline", wait(), syscall.EAGAIN)
		ok(t, k.SetDeadline(r, 'r', 0))
		k.Fcntl(w2, fSetPipeSize, 4096)
		wait = blocked(splice)
		k.Write(w, []byte("abc"))
		synctest.Wait()
		k.Read(r2, make([]byte, 9))
		is(t, "there is room", wait(), 0)
		k.Read(r2, make([]byte, 9))
		wait = blocked(splice)
		ok(t, k.Close(w))
		is(t, "the end", wait(), 0)
	})
}

func TestSignalfd(t *testing.T) {
	inBubble(t, func(t *testing.T, k *Kernel) {
		set := SigsetOf(syscall.SIGUSR1, syscall.SIGUSR2, syscall.SIGKILL)
		_, e := k.RtSigprocmask(SIG_BLOCK, &set)
		ok(t, e)
		usr1 := SigsetOf(syscall.SIGUSR1)
		fd, e := k.Signalfd4(-1, usr1, syscall.O_NONBLOCK)
		ok(t, e)
		b := make([]byte, 300)
		_, e = k.Read(fd, b)
		is(t, "nothing", e, syscall.EAGAIN)
		_, e = k.Read(fd, b[:127])
		is(t, "too small", e, syscall.EINVAL)
		ep := newEpoll(t, k)
		addInterest(t, k, ep, fd, fs.PollIn)
		got := waiting(k, ep)
		ok(t, k.Kill(pid, syscall.SIGUSR1))
		ok(t, k.Kill(pid, syscall.SIGUSR1))
		if got() != 1 {
			t.Error("epoll was not told")
		}
		_, e = k.Signalfd4(fd, set, 0)
		ok(t, e)
		ok(t, k.Kill(pid, syscall.SIGUSR2))
		n, e := k.Read(fd, b)
		ok(t, e)
		if n != 256 || b[0] != byte(syscall.SIGUSR1) || b[128] != byte(syscall.SIGUSR2) || b[12] != pid {
			t.Errorf("%d bytes: %v", n, b)
		}
		_, e = k.Write(fd, b)
		is(t, "write", e, syscall.EINVAL)
		ev, e := k.Eventfd2(0, 0)
		ok(t, e)
		_, e = k.Signalfd4(ev, usr1, 0)
		is(t, "another kind of file", e, syscall.EINVAL)
	})
}

func TestMemfdName(t *testing.T) {
	k := newKernel(t)
	k.FileSystems = func(string, string, string) (fs.FileSystem, error) { return tmpfs.New(tmpfs.Limits{}), nil }
	fd, e := k.MemfdCreate("x", mfdAllowSealing)
	ok(t, e)
	_, e = k.MemfdCreate(string(make([]byte, 250)), 0)
	is(t, "a long name", e, syscall.EINVAL)
	text, d := k.Descriptor(fd)
	if text != "/memfd:x (deleted)" {
		t.Errorf("it is called %q", text)
	}
	d.Put()
}
