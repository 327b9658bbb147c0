package fusefs

import (
	"os"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/yolkos/yolk/fs"
	"github.com/yolkos/yolk/fs/fusefs/fuse"
)

const toEnd = 1<<63 - 1

// TestLockLoopback: locks of two open files of one file are in each other's way.
func TestLockLoopback(t *testing.T) {
	dir := t.TempDir()
	write(t, dir+"/f", []byte("hello"))
	f, _ := loopback(t, dir, serverOptions{locks: true}, Options{})
	root := f.Root()
	defer root.Unref()
	n := lookup(t, root, "f")
	defer n.Unref()
	var files [2]fs.File
	var lock [2]fs.LockFile
	for i := range files {
		var err error
		if files[i], err = n.Open(os.O_RDWR); err != nil {
			t.Fatal(err)
		}
		defer files[i].Release()
		lock[i] = files[i].(fs.LockFile)
	}
	if err := lock[0].Setlk(10, &fs.Lock{Type: fs.WriteLock, Start: 2, End: 5}, false, nil); err != nil {
		t.Fatal(err)
	}
	if err := lock[1].Setlk(20, &fs.Lock{Type: fs.ReadLock, Start: 5, End: toEnd}, false, nil); err != syscall.EAGAIN {
		t.Errorf("a lock in the way: %v, want EAGAIN", err)
	}
	l := fs.Lock{Type: fs.ReadLock, Start: 0, End: toEnd}
	if err := lock[1].Getlk(20, &l); err != nil || l.Type != fs.WriteLock || l.Start != 2 || l.End != 5 {
		t.Errorf("Getlk: %+v, %v", l, err)
	}
	if err := lock[0].Setlk(10, &fs.Lock{Type: fs.Unlock, End: toEnd}, false, nil); err != nil {
		t.Error(err)
	}
	l = fs.Lock{Type: fs.WriteLock, Start: 3, End: 4}
	if err := lock[1].Getlk(20, &l); err != nil || l.Type != fs.Unlock || l.Start != 3 || l.End != 4 {
		t.Errorf("Getlk of what is free: %+v, %v", l, err)
	}
	if err := lock[0].Flock(fs.WriteLock, false, nil); err != nil {
		t.Fatal(err)
	}
	if err := lock[1].Flock(fs.ReadLock, false, nil); err != syscall.EAGAIN {
		t.Errorf("flock: %v, want EAGAIN", err)
	}
	if err := lock[0].Flock(fs.Unlock, false, nil); err != nil {
		t.Error(err)
	}
	if err := lock[1].Flock(fs.ReadLock, true, nil); err != nil {
		t.Error(err)
	}
	for _, bad := range []fs.Lock{{Type: 3, End: 1}, {Type: -1, End: 1}, {Start: -1, End: 1}, {Start: 2, End: 1}} {
		if err := lock[0].Setlk(10, &bad, false, nil); err != syscall.EINVAL {
			t.Errorf("%+v: %v, want EINVAL", bad, err)
		}
	}
}

// TestLocalLocks: without the flags, locks are not the server's matter.
func TestLocalLocks(t *testing.T) {
	s := newScript(0)
	e := newBench(t, s, Options{})
	l := e.open.(fs.LockFile)
	if err := l.Getlk(1, &fs.Lock{End: 1}); err != syscall.ENOSYS {
		t.Errorf("Getlk: %v, want ENOSYS", err)
	}
	if err := l.Setlk(1, &fs.Lock{End: 1}, true, nil); err != syscall.ENOSYS {
		t.Errorf("Setlk: %v, want ENOSYS", err)
	}
	if err := l.Flock(fs.ReadLock, true, nil); err != syscall.ENOSYS {
		t.Errorf("Flock: %v, want ENOSYS", err)
	}
	if s.number(fuse.FUSE_SETLK)+s.number(fuse.FUSE_SETLKW)+s.number(fuse.FUSE_GETLK) != 0 {
		t.Error("the server was asked")
	}
}

// TestLockMessages: owner, range and flags of a lock, of FLUSH and of RELEASE.
func TestLockMessages(t *testing.T) {
	s := newScript(grantAll)
	e := newBench(t, s, Options{Pid: 9})
	var in fuse.LkIn
	var flush fuse.FlushIn
	var rel fuse.ReleaseIn
	s.alter = func(c *call) {
		switch c.Opcode {
		case fuse.FUSE_SETLK, fuse.FUSE_SETLKW:
			in.Decode(c.args)
		case fuse.FUSE_FLUSH:
			flush.Decode(c.args)
		case fuse.FUSE_RELEASE:
			rel.Decode(c.args)
		}
	}
	l := e.open.(fs.LockFile)
	if err := l.Setlk(77, &fs.Lock{Type: fs.WriteLock, Start: 3, End: 8}, false, nil); err != nil {
		t.Fatal(err)
	}
	if want := (fuse.LkIn{Fh: 11, Owner: 77, Lk: fuse.FileLock{Start: 3, End: 8, Type: 1, Pid: 9}}); in != want {
		t.Errorf("SETLK %+v, want %+v", in, want)
	}
	if err := l.Flock(fs.ReadLock, true, nil); err != nil {
		t.Fatal(err)
	}
	owner := in.Owner
	if want := (fuse.LkIn{Fh: 11, Owner: owner, Lk: fuse.FileLock{End: toEnd, Pid: 9}, LkFlags: fuse.FUSE_LK_FLOCK}); in != want {
		t.Errorf("SETLKW %+v, want %+v", in, want)
	}
	e.open.Flush()
	if flush.Fh != 11 || flush.LockOwner != fs.ProcessOwner {
		t.Errorf("FLUSH %+v", flush)
	}
	// An owner that has given back all is done with.
	if err := l.Setlk(78, &fs.Lock{Type: fs.Unlock, Start: 3, End: toEnd}, false, nil); err != nil || flush.LockOwner == 78 {
		t.Errorf("unlocking a part: %v, FLUSH %+v", err, flush)
	}
	if err := l.Setlk(78, &fs.Lock{Type: fs.Unlock, End: toEnd}, false, nil); err != nil || flush.LockOwner != 78 || in.Owner != 78 {
		t.Errorf("unlocking all: %v, FLUSH %+v", err, flush)
	}
	e.open.Release()
	e.fs.releases.finish()
	if rel.ReleaseFlags != fuse.FUSE_RELEASE_FLOCK_UNLOCK || rel.LockOwner != owner {
		t.Errorf("RELEASE %+v, want owner %d", rel, owner)
	}
}

// waiting is a server whose SETLKW waits for an INTERRUPT and answers EINTR.
func waiting(s *script, ignore int) (waits, interrupts func() int) {
	var mu sync.Mutex
	n := 0
	asked := make(chan uint64, 1)
	done := make(chan uint64, 10)
	count := 0
	s.ops[fuse.FUSE_SETLKW] = func(c *call) {
		mu.Lock()
		n++
		mu.Unlock()
		asked <- c.Unique
		for u := range done {
			if u == c.Unique {
				break
			}
		}
		c.errno(syscall.EINTR)
	}
	s.ops[fuse.FUSE_INTERRUPT] = func(c *call) {
		var in fuse.InterruptIn
		in.Decode(c.args)
		if count++; count > ignore && c.InHeader.Unique == in.Unique|1 && in.Unique&1 == 0 {
			done <- in.Unique
		}
	}
	get := func(p *int) func() int {
		return func() int { mu.Lock(); defer mu.Unlock(); return *p }
	}
	return get(&n), func() int { return s.number(fuse.FUSE_INTERRUPT) }
}

// TestInterrupt: a wait for a lock is given up with INTERRUPT, sent again
// where the server lost it.
func TestInterrupt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, ignore := range []int{0, 2} {
			s := newScript(grantAll)
			waits, interrupts := waiting(s, ignore)
			e := newBench(t, s, Options{})
			cancel := make(chan struct{})
			got := make(chan error)
			go func() {
				got <- e.open.(fs.LockFile).Setlk(1, &fs.Lock{Type: fs.WriteLock, End: toEnd}, true, cancel)
			}()
			for waits() == 0 {
				time.Sleep(time.Millisecond)
			}
			if interrupts() != 0 {
				t.Error("interrupted before it was asked for")
			}
			close(cancel)
			if err := <-got; err != syscall.EINTR {
				t.Errorf("%v, want EINTR", err)
			}
			if n := interrupts(); n != ignore+1 {
				t.Errorf("%d INTERRUPT, want %d", n, ignore+1)
			}
		}
	})
}

// TestNoInterrupt: nothing is sent for a wait that ends by itself.
func TestNoInterrupt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScript(grantAll)
		e := newBench(t, s, Options{})
		cancel := make(chan struct{})
		if err := e.open.(fs.LockFile).Setlk(1, &fs.Lock{End: toEnd}, true, cancel); err != nil {
			t.Fatal(err)
		}
		close(cancel)
		time.Sleep(3 * interruptPauseMin)
		if s.number(fuse.FUSE_INTERRUPT) != 0 {
			t.Error("INTERRUPT behind the answer")
		}
	})
}

// TestLockWithoutWait: a server that cannot wait is asked again and again.
func TestLockWithoutWait(t *testing.T) {
	s := newScript(grantAll)
	e := newBench(t, s, Options{})
	s.ops[fuse.FUSE_SETLKW] = func(c *call) { c.errno(syscall.EOPNOTSUPP) }
	n := 0
	s.ops[fuse.FUSE_SETLK] = func(c *call) {
		if n++; n%3 == 0 {
			c.ok(nil)
		} else {
			c.errno(syscall.EAGAIN)
		}
	}
	l := e.open.(fs.LockFile)
	for range 2 {
		if err := l.Setlk(1, &fs.Lock{Type: fs.WriteLock, End: toEnd}, true, nil); err != nil {
			t.Error(err)
		}
	}
	if s.number(fuse.FUSE_SETLKW) != 1 || s.number(fuse.FUSE_SETLK) != 6 {
		t.Errorf("%d SETLKW, %d SETLK", s.number(fuse.FUSE_SETLKW), s.number(fuse.FUSE_SETLK))
	}
	s.ops[fuse.FUSE_SETLK] = func(c *call) { c.errno(syscall.EAGAIN) }
	cancel := make(chan struct{})
	time.AfterFunc(5*time.Millisecond, func() { close(cancel) })
	if err := l.Setlk(1, &fs.Lock{Type: fs.WriteLock, End: toEnd}, true, cancel); err != syscall.EINTR {
		t.Errorf("%v, want EINTR", err)
	}
}

// TestStreamInterrupt: a read of a stream is given up with INTERRUPT.
func TestStreamInterrupt(t *testing.T) {
	s := newScript(grantAll)
	s.ops[fuse.FUSE_OPEN] = func(c *call) { c.ok((&fuse.OpenOut{OpenFlags: fuse.FOPEN_STREAM}).AppendTo(nil)) }
	done := make(chan bool, 1)
	s.ops[fuse.FUSE_READ] = func(c *call) { <-done; c.errno(syscall.EINTR) }
	s.ops[fuse.FUSE_INTERRUPT] = func(c *call) { done <- true }
	f := mountScript(t, s, Options{})
	file, err := lookup(t, f.root, "f").Open(os.O_RDWR)
	if err != nil {
		t.Fatal(err)
	}
	end := make(chan struct{})
	time.AfterFunc(2*time.Millisecond, func() { close(end) })
	if _, err := file.(fs.Interruptible).ReadUntil(make([]byte, 9), end); err != syscall.EINTR {
		t.Errorf("%v, want EINTR", err)
	}
	s.ops[fuse.FUSE_POLL] = func(c *call) { c.ok((&fuse.PollOut{}).AppendTo(nil)) }
	if err := fs.AwaitReady(file.(fs.PollFile), fs.PollOut, end); err != syscall.EINTR {
		t.Errorf("Await: %v, want EINTR", err)
	}
}
