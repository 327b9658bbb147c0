package syscalls

import "syscall"

// Flags of mremap(2).
const (
	mremapMayMove   = 1
	mremapFixed     = 2
	mremapDontUnmap = 4
)

// Mremap gives what is mapped in was bytes from addr on a length of size bytes, and
// another address, which it returns, if it has to (MREMAP_MAYMOVE) or shall
// (MREMAP_FIXED: to). With MREMAP_DONTUNMAP, of private anonymous memory only, what
// was there stays mapped, empty. EFAULT: it is not one mapping with one
// protection. EINVAL, too: a second mapping of shared memory (was is 0), which is
// not to be had.
func (k *Kernel) Mremap(addr uintptr, was, size, flags int, to uintptr) (uintptr, syscall.Errno) {
	was, ok1 := pages(was)
	size, ok2 := pages(size)
	fixed, stays := flags&mremapFixed != 0, flags&mremapDontUnmap != 0
	switch {
	case flags&^(mremapMayMove|mremapFixed|mremapDontUnmap) != 0 || (fixed || stays) && flags&mremapMayMove == 0,
		stays && was != size, addr%pageSize != 0, !ok2 || size == 0 || size > taskSize || k.Memory == nil:
		return 0, syscall.EINVAL
	case !ok1 || !k.inBounds(addr, was):
		return 0, syscall.EFAULT
	case fixed && (to%pageSize != 0 || !k.inBounds(to, size) || to < addr+uintptr(was) && addr < to+uintptr(size)):
		return 0, syscall.EINVAL
	}
	l := &k.maps
	l.change.Lock()
	at, old, e := l.remap(addr, was, size, fixed, stays, flags&mremapMayMove != 0, to)
	l.change.Unlock()
	finish(old)
	return at, e
}

// remap does it; change is held. old is to be finished.
func (l *mappings) remap(addr uintptr, was, size int, fixed, stays, moves bool, to uintptr) (at uintptr, old []*mapping, e syscall.Errno) {
	m := l.find(addr)
	switch {
	case m == nil || m.direct != nil:
		return 0, nil, syscall.EFAULT
	case was == 0, stays && (m.file != nil || m.shared):
		return 0, nil, syscall.EINVAL
	}
	more, gone := size-was, uintptr(0)
	if stays {
		more = size
	}
	if fixed {
		gone = to + uintptr(size)
	}
	if more > 0 && l.exceeds(more, to, gone) {
		return 0, nil, syscall.ENOMEM
	}
	if fixed {
		old = l.carve(to, to+uintptr(size))
	}
	if size < was { // also if what is behind is another's
		old = append(old, l.carve(addr+uintptr(size), addr+uintptr(was))...)
		was = size
	}
	m = l.find(addr) // m may have been split
	prot, ok := m.oneProtection(addr, addr+uintptr(was))
	if !ok {
		return 0, old, syscall.EFAULT
	}
	if !fixed && !stays {
		if size == was {
			return addr, old, 0
		}
		if m.end() == addr+uintptr(was) && l.grow(m, size-was, prot) {
			return addr, old, 0
		}
		if !moves {
			return 0, old, syscall.ENOMEM
		}
	}
	if !fixed {
		if to, e = l.room(size, to); e != 0 {
			return 0, old, e
		}
	}
	m = isolate(m, addr, was)
	if e = l.move(m, to, size, prot); e == 0 && stays {
		e = l.add(&mapping{maps: l, mem: m.mem, noReserve: m.noReserve}, addr, was, prot)
	}
	if e != 0 {
		to = 0
	}
	return to, old, e
}

// oneProtection is that of all that is mapped from start to end, if there is one
// and all lies in m.
func (m *mapping) oneProtection(start, end uintptr) (prot int, ok bool) {
	if start < m.start() || end > m.end() {
		return 0, false
	}
	n := 0
	first, last := m.pagesBetween(start, end)
	m.spans(first, last, func(_, _, p int) syscall.Errno {
		n++
		prot = p
		return 0
	})
	return prot, n == 1
}

// grow adds size bytes behind m, if they are free.
func (l *mappings) grow(m *mapping, size, prot int) bool {
	if !l.kernel.inBounds(m.end(), size) {
		return false
	}
	if list, _ := l.within(m.end(), m.end()+uintptr(size)); len(list) > 0 {
		return false
	}
	unlock := m.lock()
	defer unlock()
	data, n := m.data, m.pageCount()
	m.set(bytesAt(m.start(), len(data)+size), m.protections)
	m.protect(n, m.pageCount(), prot)
	if m.fill(n, m.pageCount()) == 0 {
		return true
	}
	m.unmap(n, m.pageCount())
	m.set(data, m.protections) // what is behind counts for nothing
	return false
}

// isolate makes what lies at addr in m a mapping of its own.
func isolate(m *mapping, addr uintptr, size int) *mapping {
	if m.start() < addr {
		m = m.split(addr)
	}
	if end := addr + uintptr(size); m.end() > end {
		m.split(end)
	}
	return m
}

// move has m lie at an address that is free, with size bytes, no less than it has.
func (l *mappings) move(m *mapping, to uintptr, size, prot int) syscall.Errno {
	unlock := m.lock()
	defer unlock()
	from := m.data
	l.leave(m)
	var e syscall.Errno
	if m.file == nil {
		data := bytesAt(to, size)
		e = errno(m.mem.Protect(data, prot))
		if e == 0 {
			e = errno(m.mem.Move(data[:len(from)], from))
		}
		if e == 0 {
			m.unmap(0, m.pageCount())
			m.set(data, []protection{{0, prot}})
		} else {
			m.mem.Unmap(data, func(int) {})
		}
	} else {
		m.unmap(0, m.pageCount())
		m.set(bytesAt(to, size), []protection{{0, prot}})
		if e = m.fill(0, m.pageCount()); e != 0 { // at the old place all is there
			m.unmap(0, m.pageCount())
			m.set(from, m.protections)
			m.fill(0, m.pageCount())
		}
	}
	l.enter(m)
	l.join(m.start(), m.end())
	return e
}
