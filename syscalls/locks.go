package syscalls

import (
	"math"
	"sync"
	"sync/atomic"
	"syscall"

	"github.com/yolkos/yolk/fs"
)

// locks are the locks on the files of file systems that keep none themselves
// (see fs.LockFile), each file by its node. There is one process, whose own
// locks (fcntl's classic ones) never stand in its way: conflicts are between
// open files, by flock or F_OFD_SETLK.
type locks struct {
	mu    sync.Mutex
	files map[fs.Node]*fileLocks
	count atomic.Int64 // of files, to be looked at without mu
}

type fileLocks struct {
	flocks  map[*desc]int16 // F_RDLCK, F_WRLCK
	ranges  []rangeLock
	changed chan struct{} // closed when a lock goes; nil if nobody waits
}

// rangeLock is a lock on bytes start to end, both included.
type rangeLock struct {
	owner      *desc // nil: the process
	kind       int16
	start, end int64
}

// of returns the locks of n; l.mu is held.
func (l *locks) of(n fs.Node) *fileLocks {
	f := l.files[n]
	if f == nil {
		if l.files == nil {
			l.files = make(map[fs.Node]*fileLocks)
		}
		f = &fileLocks{flocks: make(map[*desc]int16)}
		l.files[n] = f
		l.count.Add(1)
	}
	return f
}

// settle wakes who waits for a lock on n, and forgets a file without locks;
// l.mu is held.
func (l *locks) settle(n fs.Node, f *fileLocks) {
	if f.changed != nil {
		close(f.changed)
		f.changed = nil
	}
	if len(f.flocks) == 0 && len(f.ranges) == 0 {
		delete(l.files, n)
		l.count.Add(-1)
	}
}

// until runs try, which tells if it has got its lock, until it has. Without
// wait it is EAGAIN if it has not. It ends with EINTR when end is closed.
func (l *locks) until(n fs.Node, wait bool, end <-chan struct{}, try func(f *fileLocks) bool) syscall.Errno {
	for {
		l.mu.Lock()
		f := l.of(n)
		if try(f) {
			l.settle(n, f)
			l.mu.Unlock()
			return 0
		}
		if f.changed == nil {
			f.changed = make(chan struct{})
		}
		c := f.changed
		l.mu.Unlock()
		if !wait {
			return syscall.EAGAIN
		}
		select {
		case <-c:
		case <-end:
			return syscall.EINTR
		}
	}
}

// flock sets d's lock on its file; F_UNLCK takes it away.
func (l *locks) flock(d *desc, kind int16, wait bool, end <-chan struct{}) syscall.Errno {
	return l.until(d.dentry.Node(), wait, end, func(f *fileLocks) bool {
		if kind == syscall.F_UNLCK {
			delete(f.flocks, d)
			return true
		}
		for o, k := range f.flocks {
			if o != d && (k == syscall.F_WRLCK || kind == syscall.F_WRLCK) {
				return false
			}
		}
		f.flocks[d] = kind
		return true
	})
}

func (f *fileLocks) conflict(r rangeLock) *rangeLock {
	for i := range f.ranges {
		o := &f.ranges[i]
		if o.owner != r.owner && o.start <= r.end && r.start <= o.end && (o.kind == syscall.F_WRLCK || r.kind == syscall.F_WRLCK) {
			return o
		}
	}
	return nil
}

// set replaces what r's owner has in r's bytes by r.
func (f *fileLocks) set(r rangeLock) {
	var kept []rangeLock
	for _, o := range f.ranges {
		if o.owner != r.owner || o.end < r.start || r.end < o.start {
			kept = append(kept, o)
			continue
		}
		if o.start < r.start {
			kept = append(kept, rangeLock{o.owner, o.kind, o.start, r.start - 1})
		}
		if o.end > r.end {
			kept = append(kept, rangeLock{o.owner, o.kind, r.end + 1, o.end})
		}
	}
	if r.kind != syscall.F_UNLCK {
		kept = append(kept, r)
	}
	f.ranges = kept
}

// drop takes away the locks of owner (nil: the process) on the file of d: at
// the close of any descriptor for the process, at the last for d itself.
func (l *locks) drop(d, owner *desc) {
	if l.count.Load() == 0 {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	n := d.dentry.Node()
	f := l.files[n]
	if f == nil {
		return
	}
	f.set(rangeLock{owner, syscall.F_UNLCK, 0, math.MaxInt64})
	if owner != nil {
		delete(f.flocks, owner)
	}
	l.settle(n, f)
}

// dropLocks takes away what only d has had locked, at its end.
func (d *desc) dropLocks() {
	d.locks.drop(d, d)
	if f, ok := d.file.(fs.LockFile); ok && d.ofdLocked.Load() {
		f.Setlk(d.ownerID(d), &fs.Lock{Type: fs.Unlock, End: math.MaxInt64}, false, nil)
	}
}
