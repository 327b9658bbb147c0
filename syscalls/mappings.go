package syscalls

import (
	"cmp"
	"math"
	"runtime/debug"
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

// mappings are all mappings: the address space. Locks are taken in the order
// change, mappedFile.mu, mu.
//
// Who holds mu finds all that is mapped: a mapping that is divided, or joined with
// another, is so in one step. A call looks at what is around its own buffers while
// other goroutines change their mappings, which may be parts of the same one.
type mappings struct {
	kernel *Kernel

	change sync.Mutex // held to change which addresses are mapped, and how
	brk    struct{ start, end uintptr }

	mu      sync.Mutex
	all     []*mapping // by address
	files   map[fs.Node]*mappedFile
	ticking bool // writeRegularly will run

	count     atomic.Int64 // of files, to be looked at without mu
	pages     atomic.Int64 // that files' mappings take
	low, high atomic.Uint64
}

// address is where b lies.
func address(b []byte) uintptr { return uintptr(unsafe.Pointer(unsafe.SliceData(b))) }

// bytesAt are the n bytes at an address of a mapping, which no Go object lies at.
func bytesAt(at uintptr, n int) []byte {
	return unsafe.Slice(*(**byte)(unsafe.Pointer(&at)), n)
}

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
	l.insert(m)
}

// insert is enter; mu is held.
func (l *mappings) insert(m *mapping) {
	i, _ := l.search(m.start())
	l.all = slices.Insert(l.all, i, m)
	if m.direct == nil && l.high.Load() == 0 {
		low, high := m.mem.Bounds()
		l.low.Store(uint64(low))
		l.high.Store(uint64(high))
	}
	if !l.ticking && m.shared && m.file != nil && m.desc.writable() {
		l.ticking = true
		time.AfterFunc(flushTime, l.writeRegularly)
	}
}

// leave removes m.
func (l *mappings) leave(m *mapping) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.drop(m)
}

// drop is leave; mu is held.
func (l *mappings) drop(m *mapping) {
	if i, found := l.search(m.start()); found && l.all[i] == m {
		l.all = slices.Delete(l.all, i, i+1)
	}
}

// search gives the place in all of what begins at an address; mu or change is held.
func (l *mappings) search(at uintptr) (i int, found bool) {
	return slices.BinarySearchFunc(l.all, at, func(m *mapping, at uintptr) int { return cmp.Compare(m.start(), at) })
}

// find is the mapping at an address, or nil.
func (l *mappings) find(at uintptr) *mapping {
	l.mu.Lock()
	defer l.mu.Unlock()
	i, found := l.search(at)
	if !found {
		i--
	}
	if i < 0 || l.all[i].end() <= at {
		return nil
	}
	return l.all[i]
}

// within are the mappings that have addresses from start to end, and full tells
// that all of these are mapped.
func (l *mappings) within(start, end uintptr) (list []*mapping, full bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	i, found := l.search(start)
	if !found && i > 0 && l.all[i-1].end() > start {
		i--
	}
	full = true
	for ; i < len(l.all) && l.all[i].start() < end; i++ {
		full = full && l.all[i].start() <= start
		start = l.all[i].end()
		list = append(list, l.all[i])
	}
	return list, full && start >= end
}

// room finds size bytes of addresses that are free, the highest there are, or
// those at hint if they are. ENOMEM: there are none. change is held.
func (l *mappings) room(size int, hint uintptr) (uintptr, syscall.Errno) {
	low, high := l.kernel.Memory.Bounds()
	if uintptr(size) > high-low {
		return 0, syscall.ENOMEM
	}
	if hint >= low && hint <= high-uintptr(size) {
		if list, _ := l.within(hint, hint+uintptr(size)); len(list) == 0 {
			return hint, 0
		}
	}
	top := high
	for i := len(l.all) - 1; i >= 0; i-- {
		m := l.all[i]
		if m.start() >= high {
			continue
		}
		if m.end() <= low || m.end() <= top && top-m.end() >= uintptr(size) {
			break
		}
		top = m.start()
	}
	if top < low+uintptr(size) {
		return 0, syscall.ENOMEM
	}
	return top - uintptr(size), 0
}

// exceeds tells if size more bytes, in place of those mapped from start to end, are
// more than RLIMIT_AS allows. What the program has besides, its code, heap and
// stacks, does not count. change is held.
func (l *mappings) exceeds(size int, start, end uintptr) bool {
	limit := l.kernel.limitOf(syscall.RLIMIT_AS)
	if limit == rlimInfinity {
		return false
	}
	total := uint64(size)
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, m := range l.all {
		total += uint64(len(m.data))
		if from, to := max(start, m.start()), min(end, m.end()); from < to {
			total -= uint64(to - from)
		}
	}
	return total > limit
}

// carve takes what is mapped from start to end away, and returns it, to be
// finished. change is held.
func (l *mappings) carve(start, end uintptr) []*mapping {
	list, _ := l.within(start, end)
	for i, m := range list {
		if m.start() < start {
			m = m.split(start)
			list[i] = m
		}
		if m.end() > end {
			m.split(end)
		}
		l.leave(m)
		m.take()
	}
	return list
}

// finish finishes what carve has returned.
func finish(list []*mapping) (e syscall.Errno) {
	for _, m := range list {
		if again := m.finish(); e == 0 {
			e = again
		}
	}
	return e
}

// join makes one of mappings from start to end that are alike, and of their
// neighbours. change is held.
func (l *mappings) join(start, end uintptr) {
	list, _ := l.within(start-1, end+1)
	for len(list) > 1 {
		if list[0].join(list[1]) {
			list[1] = list[0]
		}
		list = list[1:]
	}
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

// ref adds a reference to f, which has one.
func (l *mappings) ref(f *mappedFile) {
	l.mu.Lock()
	f.refs++
	l.mu.Unlock()
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

// holds tells if p lies at addresses for mappings.
func (l *mappings) holds(p []byte) bool {
	at := uint64(address(p))
	return at < l.high.Load() && at >= l.low.Load()
}

// lend runs do with a buffer in place of p, which may lie in mappings, that is
// filled before do, or with fills copied to p behind it: a call on a file must
// not touch pages of a mapping while it holds locks of the file. EFAULT: p lies
// where it may not be touched so.
func (l *mappings) lend(p []byte, fills bool, do func(p []byte) (int, syscall.Errno)) (int, syscall.Errno) {
	if len(p) == 0 {
		return do(p)
	}
	start, end := address(p), address(p)+uintptr(len(p))
	list, full := l.within(start, end)
	if !full || slices.ContainsFunc(list, func(m *mapping) bool { return !m.allows(start, end, fills) }) {
		return 0, syscall.EFAULT
	}
	buf := make([]byte, len(p))
	if !fills && !copied(buf, p) {
		return 0, syscall.EFAULT
	}
	n, e := do(buf)
	if fills && n > 0 && !copied(p, buf[:n]) {
		return 0, syscall.EFAULT
	}
	return n, e
}

// copied copies src to dst, one of which may be unmapped by another goroutine
// meanwhile, and tells if that went well.
func copied(dst, src []byte) (ok bool) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if !ok {
			recover()
		}
	}()
	copy(dst, src)
	return true
}
