package syscalls

import (
	"math"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
	"unsafe"

	"github.com/yolkos/yolk/fs"
)

// flushTime is how long the host may not see what was stored into a shared
// mapping if the program does nothing about it.
const flushTime = 5 * time.Second

// mappings are all mappings.
type mappings struct {
	kernel *Kernel

	mu      sync.Mutex
	all     []*mapping // by address
	files   map[fs.Node]*mappedFile
	ticking bool // writeRegularly will run

	count     atomic.Int64 // of files, to be looked at without mu
	pages     atomic.Int64 // that mappings take
	low, high atomic.Uint64
}

// address is where b lies.
func address(b []byte) uintptr { return uintptr(unsafe.Pointer(unsafe.SliceData(b))) }

// want takes n pages of what mappings may have.
func (l *mappings) want(n int) bool {
	if limit := l.kernel.MapLimit; l.pages.Add(int64(n)) > limit/pageSize && limit > 0 {
		l.give(n)
		return false
	}
	return true
}

// give gives n pages back.
func (l *mappings) give(n int) { l.pages.Add(-int64(n)) }

// enter adds m, whose addresses are its own.
func (l *mappings) enter(m *mapping) {
	l.mu.Lock()
	defer l.mu.Unlock()
	at := address(m.data)
	i, _ := slices.BinarySearchFunc(l.all, at, byAddress)
	l.all = slices.Insert(l.all, i, m)
	if m.direct == nil {
		if low := l.low.Load(); low == 0 || uint64(at) < low {
			l.low.Store(uint64(at))
		}
		l.high.Store(max(l.high.Load(), uint64(at)+uint64(len(m.data))))
	}
	if !l.ticking && m.shared && m.file != nil && m.desc.writable() {
		l.ticking = true
		time.AfterFunc(flushTime, l.writeRegularly)
	}
}

func byAddress(m *mapping, at uintptr) int {
	switch a := address(m.data); {
	case a < at:
		return -1
	case a > at:
		return 1
	}
	return 0
}

// find is the mapping that all of data is in, or nil.
func (l *mappings) find(data []byte) *mapping {
	l.mu.Lock()
	defer l.mu.Unlock()
	i, found := slices.BinarySearchFunc(l.all, address(data), byAddress)
	if !found {
		i--
	}
	if i < 0 || len(data) == 0 {
		return nil
	}
	m := l.all[i]
	// The last page is whole.
	if end := address(m.data) + uintptr((len(m.data)+pageSize-1)&^(pageSize-1)); address(data) >= end || uintptr(len(data)) > end-address(data) {
		return nil
	}
	return m
}

// take removes and returns the mapping that data is all of, or nil.
func (l *mappings) take(data []byte) *mapping {
	l.mu.Lock()
	defer l.mu.Unlock()
	i, found := slices.BinarySearchFunc(l.all, address(data), byAddress)
	if !found || len(l.all[i].data) != len(data) {
		return nil
	}
	m := l.all[i]
	l.all = slices.Delete(l.all, i, i+1)
	return m
}

// open returns the mappedFile of n, made if there is none, with a reference.
func (l *mappings) open(n fs.Node) *mappedFile {
	l.mu.Lock()
	defer l.mu.Unlock()
	f := l.files[n]
	if f == nil {
		f = &mappedFile{maps: l, node: n, pages: make(map[int64]*Page), dirty: make(map[int64]bool)}
		if l.files == nil {
			l.files = make(map[fs.Node]*mappedFile)
		}
		l.files[n] = f
		l.count.Add(1)
	}
	f.refs++
	return f
}

// get returns the mappedFile of n, if there is one, with a reference for close.
func (l *mappings) get(n fs.Node) *mappedFile {
	if l.count.Load() == 0 {
		return nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	f := l.files[n]
	if f != nil {
		f.refs++
	}
	return f
}

// has tells if n is mapped.
func (l *mappings) has(n fs.Node) bool {
	f := l.get(n)
	if f != nil {
		l.close(f)
	}
	return f != nil
}

// close gives a reference back.
func (l *mappings) close(f *mappedFile) {
	l.mu.Lock()
	f.refs--
	last := f.refs == 0
	if last {
		delete(l.files, f.node)
		l.count.Add(-1)
	}
	l.mu.Unlock()
	if last && f.plain != nil {
		f.plain.Release()
	}
}

// with runs do for the mappedFile of n, locked exclusively, if there is one.
func (l *mappings) with(n fs.Node, do func(f *mappedFile) syscall.Errno) syscall.Errno {
	f := l.get(n)
	if f == nil {
		return 0
	}
	defer l.close(f)
	f.mu.Lock()
	defer f.mu.Unlock()
	return do(f)
}

// refresh has the bytes of n from from to to read anew into its pages, after a
// change that was made without the lock.
func (l *mappings) refresh(n fs.Node, from, to int64) {
	l.with(n, func(f *mappedFile) syscall.Errno { return f.refresh(from, to, false) })
}

// lockAt locks the mappedFile of the file at path, if there is one, for a call
// that will give it the size that unlock is told, with the file that it had in
// the end; or nil, if it failed.
func (l *mappings) lockAt(b base, path string) (unlock func(n fs.Node, size int64)) {
	var f *mappedFile
	if l.count.Load() > 0 {
		if d, err := l.kernel.vfs.Walk(b.Base, path, true); err == nil {
			f = l.get(d.Node())
			d.Put()
		}
	}
	if f != nil {
		f.mu.Lock()
	}
	return func(n fs.Node, size int64) {
		if f != nil {
			if n == f.node {
				f.resized(size)
				n = nil
			}
			f.mu.Unlock()
			l.close(f)
		}
		if n != nil { // else mapped, or given this name, meanwhile
			l.with(n, func(f *mappedFile) syscall.Errno { return f.refresh(0, math.MaxInt64, true) })
		}
	}
}

// flush writes back the dirty pages of n.
func (l *mappings) flush(n fs.Node) syscall.Errno {
	return l.with(n, func(f *mappedFile) syscall.Errno { return f.flush(0, math.MaxInt64) })
}

// flushAll writes back the dirty pages of all files, and tells if any may get
// further ones.
func (l *mappings) flushAll() (stores bool) {
	l.mu.Lock()
	list := make([]*mappedFile, 0, len(l.files))
	for _, f := range l.files {
		f.refs++
		list = append(list, f)
	}
	l.mu.Unlock()
	for _, f := range list {
		f.mu.Lock()
		f.flush(0, math.MaxInt64) // an error comes with the next call on the file
		stores = stores || slices.ContainsFunc(f.users, func(m *mapping) bool { return m.shared && m.desc.writable() })
		f.mu.Unlock()
		l.close(f)
	}
	return stores
}

// writeRegularly keeps flushTime.
func (l *mappings) writeRegularly() {
	l.mu.Lock()
	l.ticking = false
	l.mu.Unlock()
	stores := l.flushAll()
	l.mu.Lock()
	defer l.mu.Unlock()
	if stores && !l.ticking {
		l.ticking = true
		time.AfterFunc(flushTime, l.writeRegularly)
	}
}

// holds tells if p may lie in a mapping.
func (l *mappings) holds(p []byte) bool {
	at := uint64(address(p))
	return at < l.high.Load() && at >= l.low.Load()
}

// lend runs do with a buffer in place of p, which may lie in a mapping, that is
// filled before do, or with fills copied to p behind it: a call on a file must
// not touch pages of a mapping while it holds locks of the file. EFAULT: p lies
// where a mapping does not allow it.
func (l *mappings) lend(p []byte, fills bool, do func(p []byte) (int, syscall.Errno)) (int, syscall.Errno) {
	m := l.find(p[:min(len(p), 1)])
	if m == nil {
		return do(p)
	}
	if l.find(p) != m || !m.allows(p, fills) {
		return 0, syscall.EFAULT
	}
	buf := make([]byte, len(p))
	if !fills {
		copy(buf, p)
	}
	n, e := do(buf)
	if fills {
		copy(p, buf[:max(n, 0)])
	}
	return n, e
}
