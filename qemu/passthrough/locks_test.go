package passthrough

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/yolkos/yolk/fs/fusefs/fuse"
)

// lkIn is a lock on bytes from start to end, the last one included.
func lkIn(fh, owner uint64, kind int, start, end uint64) []byte {
	return (&fuse.LkIn{Fh: fh, Owner: owner, Lk: fuse.FileLock{Start: start, End: end, Type: uint32(kind)}}).AppendTo(nil)
}

func bsdIn(fh uint64, kind int) []byte {
	return (&fuse.LkIn{Fh: fh, LkFlags: fuse.FUSE_LK_FLOCK, Lk: fuse.FileLock{End: 1<<63 - 1, Type: uint32(kind)}}).AppendTo(nil)
}

// hostFile opens a file as a program on the host does.
func hostFile(t *testing.T, name string) int {
	t.Helper()
	f, err := os.OpenFile(name, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return int(f.Fd())
}

func hostLock(fd, kind int, start, n int64) error {
	return unix.FcntlFlock(uintptr(fd), unix.F_OFD_SETLK, &unix.Flock_t{Type: int16(kind), Start: start, Len: n})
}

func TestPosixLocks(t *testing.T) {
	c := sharing(t, Options{})
	n, fh := c.create(1, "f", unix.O_RDWR, 0o644)
	fd := hostFile(t, filepath.Join(c.root, "f"))
	const rd, wr, un, end = unix.F_RDLCK, unix.F_WRLCK, unix.F_UNLCK, 1<<63 - 1

	c.must(fuse.FUSE_SETLK, n, lkIn(fh, 1, wr, 10, 19))
	c.want(syscall.EAGAIN, fuse.FUSE_SETLK, n, lkIn(fh, 2, rd, 19, 30))
	c.must(fuse.FUSE_SETLK, n, lkIn(fh, 2, wr, 20, end))
	for _, at := range []struct {
		start, n int64
		want     error
	}{{9, 1, nil}, {9, 2, unix.EAGAIN}, {19, 1, unix.EAGAIN}, {1 << 40, 1, unix.EAGAIN}} {
		if err := hostLock(fd, wr, at.start, at.n); err != at.want {
			t.Errorf("the host's lock of %d bytes at %d: %v, want %v", at.n, at.start, err, at.want)
		}
	}
	getlk := func(owner uint64, kind int, start, end uint64) (l fuse.FileLock) {
		t.Helper()
		var out fuse.LkOut
		if err := out.Decode(c.must(fuse.FUSE_GETLK, n, lkIn(fh, owner, kind, start, end))); err != nil {
			t.Fatal(err)
		}
		return out.Lk
	}
	if l := getlk(1, rd, 0, end); l.Type != wr || l.Start != 9 && l.Start != 20 {
		t.Errorf("GETLK of owner 1: %+v", l)
	}
	if l := getlk(3, rd, 15, 16); l.Type != wr || l.Start != 10 || l.End != 19 {
		t.Errorf("GETLK of owner 3: %+v", l)
	}
	if l := getlk(3, wr, 25, 25); l.Type != wr || l.Start != 20 || l.End != end {
		t.Errorf("GETLK to the end: %+v", l)
	}
	if l := getlk(1, wr, 12, 15); l.Type != un {
		t.Errorf("GETLK of one's own: %+v", l)
	}
	// A part is freed, then all at a close.
	c.must(fuse.FUSE_SETLK, n, lkIn(fh, 1, un, 10, 14))
	c.must(fuse.FUSE_SETLK, n, lkIn(fh, 3, wr, 10, 14))
	c.want(syscall.EAGAIN, fuse.FUSE_SETLK, n, lkIn(fh, 3, wr, 10, 15))
	c.must(fuse.FUSE_FLUSH, n, (&fuse.FlushIn{Fh: fh, LockOwner: 1}).AppendTo(nil))
	c.must(fuse.FUSE_SETLK, n, lkIn(fh, 3, wr, 10, 15))
	c.must(fuse.FUSE_FLUSH, n, (&fuse.FlushIn{Fh: fh, LockOwner: 2}).AppendTo(nil))
	c.must(fuse.FUSE_FLUSH, n, (&fuse.FlushIn{Fh: fh, LockOwner: 3}).AppendTo(nil))
	if err := hostLock(fd, wr, 0, 0); err != nil {
		t.Errorf("after the closes: %v", err)
	}
	c.want(syscall.EAGAIN, fuse.FUSE_SETLK, n, lkIn(fh, 1, rd, 0, 0))
	c.want(syscall.EINVAL, fuse.FUSE_SETLK, n, lkIn(fh, 1, wr, 5, 4))
	c.want(syscall.EINVAL, fuse.FUSE_SETLK, n, lkIn(fh, 1, wr, 5, 1<<63))
	c.want(syscall.EINVAL, fuse.FUSE_SETLK, n, lkIn(fh, 1, 7, 5, 6))
	if got := c.s.files.Load(); got != 2 { // node and handle
		t.Errorf("%d descriptors are held, want 2", got)
	}
}

func TestBSDLocks(t *testing.T) {
	c := sharing(t, Options{})
	n, a := c.create(1, "f", unix.O_RDWR, 0o644)
	b := c.open(fuse.FUSE_OPEN, n, unix.O_RDONLY)
	fd := hostFile(t, filepath.Join(c.root, "f"))
	c.must(fuse.FUSE_SETLK, n, bsdIn(a, unix.F_RDLCK))
	c.must(fuse.FUSE_SETLK, n, bsdIn(b, unix.F_RDLCK))
	c.want(syscall.EAGAIN, fuse.FUSE_SETLK, n, bsdIn(b, unix.F_WRLCK))
	if err := unix.Flock(fd, unix.LOCK_EX|unix.LOCK_NB); err != unix.EAGAIN {
		t.Errorf("the host's exclusive lock: %v", err)
	}
	// The lock that was to be changed may be gone, as flock(2) says.
	c.must(fuse.FUSE_SETLK, n, bsdIn(b, unix.F_UNLCK))
	c.must(fuse.FUSE_SETLK, n, bsdIn(a, unix.F_WRLCK))
	c.release(fuse.FUSE_RELEASE, n, a)
	if err := unix.Flock(fd, unix.LOCK_EX|unix.LOCK_NB); err != nil {
		t.Errorf("after the close: %v", err)
	}
	c.want(syscall.EAGAIN, fuse.FUSE_SETLK, n, bsdIn(b, unix.F_RDLCK))
}

// TestLockWaits waits for locks that a client, and the host, give back, and is
// interrupted.
func TestLockWaits(t *testing.T) {
	c := sharing(t, Options{})
	n, fh := c.create(1, "f", unix.O_RDWR, 0o644)
	other := c.open(fuse.FUSE_OPEN, n, unix.O_RDWR)
	fd := hostFile(t, filepath.Join(c.root, "f"))
	posix := func(owner uint64) []byte { return lkIn(fh, owner, unix.F_WRLCK, 0, 9) }
	for name, tt := range map[string]struct {
		take, free func()
		wait       []byte
		want       syscall.Errno
	}{
		"of another owner": {
			func() { c.must(fuse.FUSE_SETLK, n, posix(1)) },
			func() { c.must(fuse.FUSE_SETLK, n, lkIn(fh, 1, unix.F_UNLCK, 0, 9)) }, posix(2), 0,
		},
		"until a close": {
			func() { c.must(fuse.FUSE_SETLK, n, posix(1)) },
			func() { c.must(fuse.FUSE_FLUSH, n, (&fuse.FlushIn{Fh: fh, LockOwner: 1}).AppendTo(nil)) }, posix(2), 0,
		},
		"of another open file": {
			func() { c.must(fuse.FUSE_SETLK, n, bsdIn(other, unix.F_WRLCK)) },
			func() { c.must(fuse.FUSE_SETLK, n, bsdIn(other, unix.F_UNLCK)) }, bsdIn(fh, unix.F_RDLCK), 0,
		},
		"of the host": {
			func() { hostLock(fd, unix.F_WRLCK, 0, 0) },
			func() { hostLock(fd, unix.F_UNLCK, 0, 0) }, posix(2), 0,
		},
		"interrupted": {
			func() { hostLock(fd, unix.F_WRLCK, 0, 0) },
			func() { c.interruptWaiting() }, posix(2), syscall.EINTR,
		},
		"at the end of the session": {
			func() { hostLock(fd, unix.F_WRLCK, 0, 0) },
			func() { c.s.Cancel() }, posix(2), syscall.EINTR,
		},
	} {
		t.Run(name, func(t *testing.T) {
			tt.take()
			got := make(chan syscall.Errno, 1)
			detached := make(chan struct{}, 1)
			msg := c.message(fuse.FUSE_SETLKW, n, tt.wait)
			go func() {
				out := make([]byte, fuse.OutHeaderSize)
				k := c.s.Handle([][]byte{msg}, [][]byte{out}, func() { detached <- struct{}{} })
				var h fuse.OutHeader
				h.Decode(out[:k])
				got <- syscall.Errno(-h.Error)
			}()
			<-detached // others can go on
			select {
			case e := <-got:
				t.Fatalf("did not wait: %v", e)
			case <-time.After(20 * time.Millisecond):
			}
			tt.free()
			if e := <-got; e != tt.want {
				t.Errorf("%v, want %v", e, tt.want)
			}
			for owner := range uint64(3) {
				c.must(fuse.FUSE_FLUSH, n, (&fuse.FlushIn{Fh: fh, LockOwner: owner}).AppendTo(nil))
			}
			c.must(fuse.FUSE_SETLK, n, bsdIn(fh, unix.F_UNLCK))
			hostLock(fd, unix.F_UNLCK, 0, 0)
		})
	}
	// The interrupt comes first.
	hostLock(fd, unix.F_WRLCK, 0, 0)
	msg := c.message(fuse.FUSE_SETLKW, n, posix(2))
	unique := c.unique
	c.do(fuse.FUSE_INTERRUPT, 0, (&fuse.InterruptIn{Unique: unique}).AppendTo(nil))
	if _, e := c.raw(msg, 100); e != syscall.EINTR {
		t.Errorf("interrupted before: %v", e)
	}
}

// interruptWaiting interrupts the request that waits, twice.
func (c *client) interruptWaiting() {
	c.s.waits.mu.Lock()
	var unique uint64
	for u := range c.s.waits.waiting {
		unique = u
	}
	c.s.waits.mu.Unlock()
	for range 2 {
		c.do(fuse.FUSE_INTERRUPT, 0, (&fuse.InterruptIn{Unique: unique}).AppendTo(nil))
	}
}
