package kernel

import (
	"strconv"
	"sync"
	"syscall"

	"github.com/yolkos/yolk/fs"
	"github.com/yolkos/yolk/kernel/control"
)

// hostWatch has the launcher watch files of the shares: fs.Host over the port
// yolk.control.
type hostWatch struct {
	link *link
	vfs  *fs.VFS
	tag  func(fs.FileSystem) string // of a share; empty: it is none

	start sync.Once
	queue chan control.Message // what the launcher says, in order
	syncs chan uint64

	mu      sync.Mutex
	waiting map[uint32]chan syscall.Errno
	lost    bool // the queue had no room
}

// watchQueue is how many events may wait to be dealt with. It holds nobody up who
// sends more: they are lost, which those who watch are told.
const watchQueue = 1024

var _ fs.Host = (*hostWatch)(nil)

func newHostWatch(l *link, v *fs.VFS, tag func(fs.FileSystem) string) *hostWatch {
	return &hostWatch{link: l, vfs: v, tag: tag, waiting: map[uint32]chan syscall.Errno{}}
}

// run makes what only programs that watch something need.
func (h *hostWatch) run() {
	queue, syncs := make(chan control.Message, watchQueue), make(chan uint64, 1)
	h.mu.Lock()
	h.queue, h.syncs = queue, syncs
	h.mu.Unlock()
	go func() {
		for m := range queue {
			h.do(m)
		}
	}()
	go func() {
		for n := range syncs {
			h.link.tell(control.WatchSync, strconv.FormatUint(n, 10))
		}
	}()
}

// Watch implements fs.Host.
func (h *hostWatch) Watch(id uint32, f fs.FileSystem, path string, ino uint64) error {
	tag := h.tag(f)
	if tag == "" {
		return syscall.EOPNOTSUPP
	}
	h.start.Do(h.run)
	answer := make(chan syscall.Errno, 1)
	h.mu.Lock()
	h.waiting[id] = answer
	h.mu.Unlock()
	defer func() {
		h.mu.Lock()
		delete(h.waiting, id)
		h.mu.Unlock()
	}()
	h.link.tell(control.Watch, number(id), tag, strconv.FormatUint(ino, 10), path)
	select {
	case e := <-answer:
		if e != 0 {
			return e
		}
		return nil
	case <-h.link.done:
		return syscall.EOPNOTSUPP
	}
}

// Unwatch implements fs.Host.
func (h *hostWatch) Unwatch(id uint32) { h.link.tell(control.Unwatch, number(id)) }

// Sync implements fs.Host. There is one at a time.
func (h *hostWatch) Sync(n uint64) {
	for {
		select {
		case h.syncs <- n:
			return
		case <-h.syncs: // of before events were lost
		}
	}
}

func number(n uint32) string { return strconv.FormatUint(uint64(n), 10) }

// take takes what the launcher says, and does not wait.
func (h *hostWatch) take(m control.Message) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if m.Verb == control.Watching {
		id, ok := m.Count(0)
		n, known := m.Count(1)
		if answer := h.waiting[uint32(id)]; ok && answer != nil {
			e := syscall.EIO
			if known && n <= maxErrno {
				e = syscall.Errno(n)
			}
			select {
			case answer <- e:
			default:
			}
		}
		return
	}
	select {
	case h.queue <- m: // nil, if nothing was ever watched
	default:
		h.lost = h.queue != nil
	}
}

// do deals with one message.
func (h *hostWatch) do(m control.Message) {
	h.mu.Lock()
	lost := h.lost
	h.lost = false
	h.mu.Unlock()
	if lost {
		h.vfs.HostLost()
	}
	switch m.Verb {
	case control.WatchLost:
		h.vfs.HostLost()
	case control.WatchSynced:
		if n, ok := m.Count(0); ok {
			h.vfs.HostSynced(n)
		}
	case control.WatchEvent:
		var word [3]uint32 // id, mask, cookie
		for i := range word {
			n, ok := m.Count(i)
			if !ok || n > 1<<32-1 {
				return
			}
			word[i] = uint32(n)
		}
		h.vfs.HostEvent(word[0], word[1], word[2], m.Arg(3))
	}
}
