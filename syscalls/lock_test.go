package syscalls

import (
	"syscall"
	"testing"
	"testing/synctest"
)

const (
	shared    = syscall.LOCK_SH
	exclusive = syscall.LOCK_EX
	nonblock  = syscall.LOCK_NB
)

func TestFlock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newKernel(t)
		put(t, k, "f", "")
		a, b, c := open(t, k, "f", syscall.O_RDONLY), open(t, k, "f", syscall.O_RDWR), open(t, k, "f", syscall.O_RDWR)
		ok(t, k.Flock(a, shared))
		ok(t, k.Flock(b, shared))
		is(t, "exclusive beside shared", k.Flock(c, exclusive|nonblock), syscall.EAGAIN)
		ok(t, k.Flock(b, syscall.LOCK_UN))
		is(t, "exclusive beside another shared", k.Flock(c, exclusive|nonblock), syscall.EAGAIN)
		is(t, "turning the only shared into exclusive", k.Flock(a, exclusive|nonblock), 0)
		wait := blocked(func() syscall.Errno { return k.Flock(c, shared) })
		dup, e := k.Dup(a)
		ok(t, e)
		ok(t, k.Close(a)) // the lock is still that of dup
		is(t, "beside the duplicate's", k.Flock(b, shared|nonblock), syscall.EAGAIN)
		ok(t, k.Close(dup))
		is(t, "after the last close", wait(), 0)
		ok(t, k.Flock(b, shared|nonblock))
		wait = blocked(func() syscall.Errno { return k.Flock(c, exclusive) })
		ok(t, k.Close(c))
		is(t, "closed while it waits", wait(), syscall.EBADF)
		is(t, "what is no operation", k.Flock(b, 99), syscall.EINVAL)
		ok(t, k.Close(b))
		if n := k.locks.count.Load(); n != 0 {
			t.Errorf("%d files have locks left", n)
		}
	})
}

func lk(kind int16, start, length int64) *syscall.Flock_t {
	return &syscall.Flock_t{Type: kind, Start: start, Len: length}
}

const (
	rd = syscall.F_RDLCK
	wr = syscall.F_WRLCK
	un = syscall.F_UNLCK
)

func TestRecordLocks(t *testing.T) {
	k := newKernel(t)
	put(t, k, "f", "0123456789")
	a, b := open(t, k, "f", syscall.O_RDWR), open(t, k, "f", syscall.O_RDWR)
	// The process does not stand in its own way.
	ok(t, k.FcntlFlock(a, syscall.F_SETLK, lk(wr, 0, 5)))
	ok(t, k.FcntlFlock(b, syscall.F_SETLK, lk(wr, 0, 5)))
	// An open file's own lock does, and the other way round.
	is(t, "beside the process's", k.FcntlFlock(b, fOFDSetlk, lk(rd, 4, 1)), syscall.EAGAIN)
	ok(t, k.FcntlFlock(b, fOFDSetlk, lk(rd, 5, 0)))
	is(t, "beside an open file's", k.FcntlFlock(a, syscall.F_SETLK, lk(wr, 100, 1)), syscall.EAGAIN)
	ok(t, k.FcntlFlock(a, syscall.F_SETLK, lk(rd, 100, 1)))

	q := lk(wr, 50, 10)
	ok(t, k.FcntlFlock(a, syscall.F_GETLK, q))
	if q.Type != rd || q.Start != 5 || q.Len != 0 || q.Pid != -1 {
		t.Errorf("in the way is %+v", q)
	}
	q = lk(wr, 0, 1)
	ok(t, k.FcntlFlock(b, fOFDGetlk, q))
	if q.Type != wr || q.Start != 0 || q.Len != 5 || q.Pid <= 0 {
		t.Errorf("in the way is %+v", q)
	}
	q = lk(wr, 5, 10)
	ok(t, k.FcntlFlock(b, fOFDGetlk, q))
	if q.Type != un {
		t.Errorf("in the way is %+v", q)
	}

	// A hole in the middle.
	ok(t, k.FcntlFlock(a, syscall.F_SETLK, lk(un, 2, 1)))
	ok(t, k.FcntlFlock(b, fOFDSetlk, lk(wr, 2, 1)))
	is(t, "before the hole", k.FcntlFlock(b, fOFDSetlk, lk(wr, 1, 1)), syscall.EAGAIN)
	is(t, "behind the hole", k.FcntlFlock(b, fOFDSetlk, lk(wr, 3, 1)), syscall.EAGAIN)

	// From the end, backwards.
	back := &syscall.Flock_t{Type: un, Whence: SEEK_END, Start: -5, Len: -2}
	ok(t, k.FcntlFlock(a, syscall.F_SETLK, back))
	ok(t, k.FcntlFlock(b, fOFDSetlk, lk(wr, 3, 2)))

	// Closing any descriptor of the file takes the process's locks away.
	ok(t, k.FcntlFlock(a, syscall.F_SETLK, lk(rd, 1000, 1)))
	ok(t, k.Close(open(t, k, "f", syscall.O_RDONLY)))
	ok(t, k.FcntlFlock(b, fOFDSetlk, lk(wr, 0, 0)))

	r := open(t, k, "f", syscall.O_RDONLY)
	for what, c := range map[string]struct{ got, want syscall.Errno }{
		"a write lock of what is open for reading": {k.FcntlFlock(r, syscall.F_SETLK, lk(wr, 0, 1)), syscall.EBADF},
		"before the start":                         {k.FcntlFlock(b, syscall.F_SETLK, lk(wr, -1, 1)), syscall.EINVAL},
		"beyond all files":                         {k.FcntlFlock(b, syscall.F_SETLK, lk(wr, 2, 1<<63-1)), syscall.EOVERFLOW},
		"no kind":                                  {k.FcntlFlock(b, syscall.F_SETLK, lk(9, 0, 1)), syscall.EINVAL},
		"no whence":                                {k.FcntlFlock(b, syscall.F_SETLK, &syscall.Flock_t{Whence: 7}), syscall.EINVAL},
		"no command":                               {k.FcntlFlock(b, 999, lk(rd, 0, 1)), syscall.EINVAL},
	} {
		is(t, what, c.got, c.want)
	}
	k.Close(a)
	k.Close(b)
	k.Close(r)
	if n := k.locks.count.Load(); n != 0 {
		t.Errorf("%d files have locks left", n)
	}
}

func TestWaitForRecordLock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newKernel(t)
		put(t, k, "f", "")
		a, b := open(t, k, "f", syscall.O_RDWR), open(t, k, "f", syscall.O_RDWR)
		ok(t, k.FcntlFlock(a, fOFDSetlk, lk(wr, 0, 10)))
		wait := blocked(func() syscall.Errno { return k.FcntlFlock(b, fOFDSetlkw, lk(wr, 5, 10)) })
		ok(t, k.FcntlFlock(a, fOFDSetlk, lk(un, 0, 5)))
		ok(t, k.FcntlFlock(a, fOFDSetlk, lk(un, 5, 5)))
		is(t, "the lock", wait(), 0)
	})
}
