package syscalls

import (
	"sync"
	"sync/atomic"
	"syscall"

	"github.com/yolkos/yolk/fs"
	"github.com/yolkos/yolk/fs/anonfs"
	"github.com/yolkos/yolk/fs/socket"
)

// maxFiles is how many descriptors there can be.
const maxFiles = 1 << 20

// table is the descriptor table. Looking a descriptor up takes no lock.
type table struct {
	mu    sync.Mutex                             // for changes
	slots atomic.Pointer[[]atomic.Pointer[slot]] // replaced when it grows
	used  fdSet                                  // the slots that are not nil
	limit atomic.Int64                           // new descriptors are below it, RLIMIT_NOFILE
}

// slot is one descriptor.
type slot struct {
	desc    *desc
	cloexec atomic.Bool
	limits  [2]limit // of its reads and writes
}

// desc is an open file description: what descriptors made by dup share.
type desc struct {
	id     uint64 // as owner of locks, and for the order of mu
	locks  *locks
	maps   *mappings
	file   fs.File
	dentry *fs.Dentry       // with a reference
	stream fs.Interruptible // nil for files with a position
	kind   uint32           // S_IFMT bits
	refs   atomic.Int64     // descriptors and calls under way
	flags  atomic.Int64     // O_ constants
	opened int              // flags of the open

	flagFile bool // the file is an fs.FlagFile
	sealable bool // the file is an fs.SealFile

	ofdLocked atomic.Bool // it has had locks of its own from the file system

	target atomic.Pointer[anonfs.Target] // nil: no epoll was ever interested in it
	shown  atomic.Int64                  // pos when DescriptorState last saw it

	mu  sync.Mutex // held over calls that use pos; two at once in the order of id
	pos int64      // in bytes; of a directory, a cookie
	end int64      // the pos at which the directory was seen to end; 0: none
}

func (t *table) init() {
	t.slots.Store(new([]atomic.Pointer[slot]))
	t.limit.Store(maxFiles)
}

// max is the first number that no new descriptor may have.
func (t *table) max() int { return int(t.limit.Load()) }

// slot returns the slot of fd and a reference on its description.
func (t *table) slot(fd int) (*slot, syscall.Errno) {
	slots := *t.slots.Load()
	if fd < 0 || fd >= len(slots) {
		return nil, syscall.EBADF
	}
	s := slots[fd].Load()
	if s == nil || !s.desc.tryRef() {
		return nil, syscall.EBADF
	}
	return s, 0
}

// get returns the description of fd with a reference.
func (t *table) get(fd int) (*desc, syscall.Errno) {
	s, err := t.slot(fd)
	if err != 0 {
		return nil, err
	}
	return s.desc, 0
}

// file is get, but not for what was opened with O_PATH.
func (t *table) file(fd int) (*desc, syscall.Errno) {
	d, err := t.get(fd)
	if err == 0 && d.opened&O_PATH != 0 {
		d.put()
		return nil, syscall.EBADF
	}
	return d, err
}

// tryRef adds a reference unless the last is gone.
func (d *desc) tryRef() bool {
	for {
		n := d.refs.Load()
		if n <= 0 {
			return false
		}
		if d.refs.CompareAndSwap(n, n+1) {
			return true
		}
	}
}

// put gives a reference back; the last one ends the open file.
func (d *desc) put() {
	if d.refs.Add(-1) != 0 {
		return
	}
	d.dropLocks()
	if t := d.target.Load(); t != nil {
		t.Close()
	}
	d.notifyClose()
	d.file.Release()
	d.dentry.Put()
}

// add puts d, with the reference that the caller has, at the lowest free
// descriptor that is at least from.
func (t *table) add(d *desc, from int, cloexec bool) (int, syscall.Errno) {
	t.mu.Lock()
	defer t.mu.Unlock()
	fd := t.used.firstFree(from)
	if fd >= t.max() {
		return -1, syscall.EMFILE
	}
	t.grow(fd)
	t.set(fd, d, cloexec)
	return fd, 0
}

// full tells if there is no number left for a new descriptor.
func (t *table) full() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.used.firstFree(0) >= t.max()
}

// grow makes room for fd; t.mu is held.
func (t *table) grow(fd int) {
	old := *t.slots.Load()
	if fd < len(old) {
		return
	}
	slots := make([]atomic.Pointer[slot], max(16, 2*len(old), fd+1))
	for i := range old {
		slots[i].Store(old[i].Load())
	}
	t.slots.Store(&slots)
}

// set fills the slot of fd and returns what was in it; t.mu is held.
func (t *table) set(fd int, d *desc, cloexec bool) *slot {
	s := &slot{desc: d}
	s.cloexec.Store(cloexec)
	t.used.add(fd)
	return (*t.slots.Load())[fd].Swap(s)
}

// replace puts d at fd, whatever is there, which is returned.
func (t *table) replace(fd int, d *desc, cloexec bool) (*slot, syscall.Errno) {
	if fd < 0 || fd >= t.max() {
		return nil, syscall.EBADF
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.grow(fd)
	return t.set(fd, d, cloexec), 0
}

// remove empties the slot of fd.
func (t *table) remove(fd int) (*slot, syscall.Errno) {
	t.mu.Lock()
	defer t.mu.Unlock()
	slots := *t.slots.Load()
	if fd < 0 || fd >= len(slots) {
		return nil, syscall.EBADF
	}
	s := slots[fd].Swap(nil)
	if s == nil {
		return nil, syscall.EBADF
	}
	t.used.remove(fd)
	return s, 0
}

// close ends a descriptor that is no longer in the table.
func (s *slot) close() syscall.Errno {
	s.limits[0].stop(syscall.EBADF)
	s.limits[1].stop(syscall.EBADF)
	s.desc.locks.drop(s.desc, nil)
	e := s.desc.maps.flush(s.desc.dentry.Node())
	if err := errno(s.desc.file.Flush()); err != 0 {
		e = err
	}
	f, ok := s.desc.file.(*socket.File)
	s.desc.put()
	if ok {
		f.Collect()
	}
	return e
}

// newDesc makes a description with one reference. It takes over d's.
func (k *Kernel) newDesc(f fs.File, d *fs.Dentry, flags int) *desc {
	x := &desc{id: k.lastDesc.Add(1), locks: &k.locks, maps: &k.maps, file: f, dentry: d, kind: d.Kind(), opened: flags}
	x.refs.Store(1)
	x.flags.Store(int64(flags))
	_, x.flagFile = f.(fs.FlagFile)
	_, x.sealable = f.(fs.SealFile)
	switch s := f.(type) {
	case fs.Interruptible:
		x.stream = s
	case fs.Stream:
		x.stream = fs.NewPump(s)
	}
	return x
}

// notifyClose tells that the open file ends.
func (d *desc) notifyClose() {
	switch {
	case d.opened&O_PATH != 0:
	case d.writable():
		d.dentry.Notify(fs.InCloseWrite)
	default:
		d.dentry.Notify(fs.InCloseNowrite)
	}
}

func (d *desc) readable() bool {
	return d.opened&syscall.O_ACCMODE != syscall.O_WRONLY
}

func (d *desc) writable() bool {
	return d.opened&syscall.O_ACCMODE != syscall.O_RDONLY
}
