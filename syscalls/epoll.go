package syscalls

import (
	"math"
	"sync"
	"syscall"
	"time"

	"github.com/yolkos/yolk/fs"
	"github.com/yolkos/yolk/fs/anonfs"
)

// EpollEvent is struct epoll_event.
type EpollEvent = anonfs.Event

// EpollCreate1 makes an empty set of interests.
func (k *Kernel) EpollCreate1(flags int) (int, syscall.Errno) {
	if flags&^syscall.O_CLOEXEC != 0 {
		return -1, syscall.EINVAL
	}
	return k.installAnon(anonfs.NewEpoll(), "[eventpoll]", flags)
}

// EpollCtl adds, changes or removes the interest of epfd in fd. EPERM: the file
// is always ready, as regular ones and directories are.
func (k *Kernel) EpollCtl(epfd, op, fd int, event *EpollEvent) syscall.Errno {
	if event == nil && op != anonfs.Delete {
		return syscall.EFAULT
	}
	outer, e := k.table.file(epfd)
	if e != 0 {
		return e
	}
	defer outer.put()
	d, e := k.table.file(fd)
	if e != 0 {
		return e
	}
	defer d.put()
	if !d.pollable() {
		return syscall.EPERM
	}
	ep, ok := outer.file.(*anonfs.Epoll)
	if !ok || d == outer {
		return syscall.EINVAL
	}
	return errno(ep.Control(op, fd, d.epollTarget(), event))
}

// maxEvents is EP_MAX_EVENTS: as many as have room below 2 GiB.
const maxEvents = math.MaxInt32 / 12

// EpollWait waits for one of the files of epfd to be ready, at most ns
// nanoseconds, for ever if ns < 0, and stores up to len(events) events.
func (k *Kernel) EpollWait(epfd int, events []EpollEvent, ns int64) (int, syscall.Errno) {
	return k.EpollPwait2(epfd, events, ns, nil)
}

// EpollPwait2 is EpollWait under a mask of signals, as Ppoll has it; but a call that
// does not wait, ns 0, none ends.
func (k *Kernel) EpollPwait2(epfd int, events []EpollEvent, ns int64, mask *Sigset) (int, syscall.Errno) {
	if len(events) == 0 || len(events) > maxEvents {
		return -1, syscall.EINVAL
	}
	ep, d, e := fileOf[*anonfs.Epoll](k, epfd)
	if e != 0 {
		return -1, e
	}
	defer d.put()
	if mask == nil || ns == 0 {
		n, err := ep.Wait(events, ns, nil)
		return n, errno(err)
	}
	signals := k.waitUnder(mask)
	defer signals.end()
	for start := time.Now(); ; {
		if n, err := ep.Wait(events, 0, nil); n > 0 || err != nil {
			return n, errno(err)
		}
		if signals.interrupted() {
			return -1, syscall.EINTR
		}
		left := ns
		if ns > 0 {
			left = max(0, ns-int64(time.Since(start)))
		}
		if n, err := ep.Wait(events, left, signals.wakes()); err != syscall.EINTR {
			return n, errno(err)
		}
	}
}

// pollable tells if d's file may be ready or not: an Epoll takes no other. Of
// regular files those are that a server polls.
func (d *desc) pollable() bool {
	f := d.pollFile()
	if f == nil {
		return false
	}
	n, ok := f.(fs.NotifyFile)
	if !ok || d.kind != syscall.S_IFREG && d.kind != syscall.S_IFDIR {
		return true
	}
	f.Poll(0) // it may find out only now
	var w fs.Waiter
	defer w.Stop()
	return !n.Watch(&w)
}

// targets is held while a description becomes the target of Epolls.
var targets sync.Mutex

// epollTarget is what Epolls know d as.
func (d *desc) epollTarget() *anonfs.Target {
	targets.Lock()
	defer targets.Unlock()
	t := d.target.Load()
	if t == nil {
		ep, _ := d.file.(*anonfs.Epoll)
		t = anonfs.NewTarget(d, ep)
		d.target.Store(t)
	}
	return t
}

// Inside implements fs.InsideFile.
func (d *desc) Inside() bool { return fs.Inside(d.file) }

// Poll implements fs.PollFile.
func (d *desc) Poll(events uint32) (uint32, error) { return d.ready(events), nil }

// Watch implements fs.NotifyFile.
func (d *desc) Watch(w *fs.Waiter) bool {
	n, ok := d.pollFile().(fs.NotifyFile)
	return ok && n.Watch(w)
}
