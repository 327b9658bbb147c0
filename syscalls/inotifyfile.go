package syscalls

import (
	"encoding/binary"
	"math"
	"sync"
	"sync/atomic"
	"syscall"

	"github.com/yolkos/yolk/fs"
	"github.com/yolkos/yolk/fs/anonfs"
)

// inotifyUse counts what there is of inotify in a Kernel.
type inotifyUse struct {
	instances, watches atomic.Int32
}

// inotify is an instance: an open file that reads as events.
type inotify struct {
	fs.UnsupportedFile
	kernel *Kernel

	// adding is held while watches are made and ended, so that a file gets one.
	adding sync.Mutex
	byNode map[fs.Node]*mark

	mu      sync.Mutex
	marks   map[*fs.Watch]*mark
	byWD    map[int]*mark
	lastWD  int
	queue   []record
	size    int  // bytes that the queue reads as
	lost    bool // the queue has an overflow record
	waiters fs.WaitQueue
}

// mark is a watch of an instance.
type mark struct {
	watch *fs.Watch
	wd    int
	mask  uint32 // events and flags, as given
}

// record is a struct inotify_event.
type record struct {
	wd           int
	mask, cookie uint32
	name         string
}

const (
	recordHead = 16 // wd i32, mask u32, cookie u32, len u32
	recordStep = 16 // len is a multiple of it
)

func newInotify(k *Kernel) *inotify {
	return &inotify{kernel: k, byNode: map[fs.Node]*mark{}, marks: map[*fs.Watch]*mark{}, byWD: map[int]*mark{}}
}

// add makes or changes the watch of d's file.
func (i *inotify) add(d *fs.Dentry, mask uint32) (int, syscall.Errno) {
	i.adding.Lock()
	defer i.adding.Unlock()
	if m := i.byNode[d.Node()]; m != nil {
		if there, e := i.change(m, mask); there {
			return m.wd, e
		}
	}
	use := &i.kernel.inotify.watches
	if use.Add(1) > MaxUserWatches {
		use.Add(-1)
		return -1, syscall.ENOSPC
	}
	w, err := i.kernel.vfs.Watch(d, i)
	if err != nil {
		use.Add(-1)
		return -1, errno(err)
	}
	i.mu.Lock()
	for i.lastWD = i.lastWD%math.MaxInt32 + 1; i.byWD[i.lastWD] != nil; {
		i.lastWD = i.lastWD%math.MaxInt32 + 1
	}
	m := &mark{watch: w, wd: i.lastWD, mask: mask}
	i.marks[w], i.byWD[m.wd] = m, m
	i.mu.Unlock()
	i.byNode[d.Node()] = m
	return m.wd, 0
}

// change changes what m is for. There is false if m has ended by itself.
func (i *inotify) change(m *mark, mask uint32) (there bool, e syscall.Errno) {
	i.mu.Lock()
	defer i.mu.Unlock()
	switch {
	case i.byWD[m.wd] != m:
		return false, 0
	case mask&inMaskCreate != 0:
		return true, syscall.EEXIST
	case mask&inMaskAdd != 0:
		m.mask |= mask
	default:
		m.mask = mask
	}
	return true, 0
}

// remove ends a watch.
func (i *inotify) remove(wd int) syscall.Errno {
	i.adding.Lock()
	defer i.adding.Unlock()
	i.mu.Lock()
	m := i.byWD[wd]
	if m != nil {
		i.end(m)
	}
	i.mu.Unlock()
	if m == nil {
		return syscall.EINVAL
	}
	i.kernel.vfs.Unwatch(m.watch)
	return 0
}

// end takes m out and says so; i.mu is held.
func (i *inotify) end(m *mark) {
	delete(i.byWD, m.wd)
	delete(i.marks, m.watch)
	i.kernel.inotify.watches.Add(-1)
	i.push(record{wd: m.wd, mask: fs.InIgnored})
}

// Notify implements fs.Watcher.
func (i *inotify) Notify(w *fs.Watch, e *fs.Event) (over bool) {
	i.mu.Lock()
	defer i.mu.Unlock()
	m := i.marks[w]
	switch {
	case m == nil, e.Mask&(m.mask&inAllEvents|fs.InUnmount) == 0, e.Unlinked && m.mask&inExclUnlink != 0:
		return false
	}
	i.push(record{m.wd, e.Mask, e.Cookie, e.Name})
	if m.mask&inOneShot != 0 {
		i.end(m)
		return true
	}
	return false
}

// Ended implements fs.Watcher.
func (i *inotify) Ended(w *fs.Watch) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if m := i.marks[w]; m != nil {
		i.end(m)
	}
}

// Lost implements fs.Watcher.
func (i *inotify) Lost() {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.overflow()
}

// push adds a record, unless it says what the last one says; i.mu is held.
func (i *inotify) push(r record) {
	if n := len(i.queue); n > 0 {
		if n >= MaxQueuedEvents {
			i.overflow()
			return
		}
		last := i.queue[n-1]
		if last.wd == r.wd && last.mask == r.mask && last.name == r.name && last.mask&fs.InIgnored == 0 {
			return
		}
	}
	i.put(r)
}

// overflow says, once, that events are missing; i.mu is held.
func (i *inotify) overflow() {
	if !i.lost {
		i.lost = true
		i.put(record{wd: -1, mask: fs.InQOverflow})
	}
}

func (i *inotify) put(r record) {
	i.queue = append(i.queue, r)
	i.size += r.size()
	i.waiters.Wake(pollIn)
}

// size is how many bytes r reads as.
func (r *record) size() int { return recordHead + r.nameLen() }

// nameLen is the length of the name with its NUL bytes, 0 without a name.
func (r *record) nameLen() int {
	if r.name == "" {
		return 0
	}
	return (len(r.name) + recordStep) / recordStep * recordStep
}

// encode writes r to b.
func (r *record) encode(b []byte) {
	binary.NativeEndian.PutUint32(b, uint32(r.wd))
	binary.NativeEndian.PutUint32(b[4:], r.mask)
	binary.NativeEndian.PutUint32(b[8:], r.cookie)
	binary.NativeEndian.PutUint32(b[12:], uint32(r.nameLen()))
	clear(b[recordHead+copy(b[recordHead:], r.name) : r.size()])
}

// Read implements fs.Stream.
func (i *inotify) Read(p []byte) (int, error) { return i.ReadUntil(p, nil) }

// Write implements fs.Stream.
func (i *inotify) Write([]byte) (int, error) { return 0, syscall.EBADF }

// WriteUntil implements fs.Interruptible.
func (i *inotify) WriteUntil([]byte, <-chan struct{}) (int, error) { return 0, syscall.EBADF }

// ReadUntil implements fs.Interruptible: as many records as there is room for.
// EINVAL: there is none for the first.
func (i *inotify) ReadUntil(p []byte, end <-chan struct{}) (n int, err error) {
	err = fs.Await(i, pollIn, end, 0, func() (err error) {
		n, err = i.take(p)
		return err
	})
	return n, err
}

// take reads what is in the queue. EAGAIN: nothing.
func (i *inotify) take(p []byte) (n int, err error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if len(i.queue) == 0 {
		return 0, syscall.EAGAIN
	}
	done := 0
	for _, r := range i.queue {
		if r.size() > len(p)-n {
			break
		}
		r.encode(p[n:])
		n += r.size()
		if r.mask == fs.InQOverflow {
			i.lost = false
		}
		done++
	}
	if done == 0 {
		return 0, syscall.EINVAL
	}
	i.size -= n
	if i.queue = i.queue[done:]; len(i.queue) == 0 {
		i.queue = nil // whatever it once took
	}
	return n, nil
}

// Poll implements fs.PollFile.
func (i *inotify) Poll(events uint32) (uint32, error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if len(i.queue) == 0 {
		return 0, nil
	}
	return events & pollIn, nil
}

// Watch implements fs.NotifyFile.
func (i *inotify) Watch(w *fs.Waiter) bool {
	i.waiters.Add(w, fs.PollReads)
	return true
}

// Pending is what FIONREAD answers, in bytes.
func (i *inotify) Pending() int {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.size
}

// Getattr implements fs.File.
func (i *inotify) Getattr(a *fs.Attr) error { return anonfs.Node{}.Getattr(a) }

// SeekFrom implements fs.SeekFile: wherever it leads, that is 0.
func (i *inotify) SeekFrom(_, _ int64, _ int) (int64, error) { return 0, nil }

// Release implements fs.File.
func (i *inotify) Release() {
	i.adding.Lock()
	defer i.adding.Unlock()
	i.mu.Lock()
	var list []*fs.Watch
	for w := range i.marks {
		list = append(list, w)
	}
	i.kernel.inotify.watches.Add(int32(-len(list)))
	i.marks, i.byWD, i.byNode, i.queue = nil, nil, nil, nil
	i.mu.Unlock()
	for _, w := range list {
		i.kernel.vfs.Unwatch(w)
	}
	i.kernel.inotify.instances.Add(-1)
}
