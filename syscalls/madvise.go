package syscalls

import "syscall"

// Advice of madvise(2) (mman-common.h).
const (
	madvNormal       = 0
	madvRandom       = 1
	madvSequential   = 2
	madvWillNeed     = 3
	madvDontNeed     = 4
	madvFree         = 8
	madvRemove       = 9
	madvDontFork     = 10
	madvDoFork       = 11
	madvMergeable    = 12
	madvUnmergeable  = 13
	madvHugePage     = 14
	madvNoHugePage   = 15
	madvDontDump     = 16
	madvDoDump       = 17
	madvWipeOnFork   = 18
	madvKeepOnFork   = 19
	madvCold         = 20
	madvPageOut      = 21
	madvPopulateRead = 22
	madvPopulateWr   = 23
	madvDontNeedLock = 24
)

// Madvise takes advice on length bytes from addr on. MADV_DONTNEED and MADV_FREE
// give the pages of private memory back, which is as new then; MADV_REMOVE those of
// shared memory; MADV_POPULATE_ makes them. Other advice is taken and changes nothing.
// ENOMEM: not all of it is mapped; what is has been done. What is the program's own
// (its heap) takes advice that changes nothing.
func (k *Kernel) Madvise(addr uintptr, length, advice int) syscall.Errno {
	size, ok := pages(length)
	if advice < 0 || advice > madvDontNeedLock || advice > madvWillNeed+1 && advice < madvFree ||
		addr%pageSize != 0 || !ok || addr+uintptr(size) < addr {
		return syscall.EINVAL
	}
	if size == 0 {
		return 0
	}
	end := addr + uintptr(size)
	l := &k.maps
	l.change.Lock()
	defer l.change.Unlock()
	list, full := l.within(addr, end)
	if len(list) == 0 && (k.Memory == nil || !k.inBounds(addr, size)) {
		switch advice {
		case madvDontNeed, madvFree, madvRemove, madvDontNeedLock:
			return syscall.EINVAL
		}
		return 0
	}
	for _, m := range list {
		if m.direct != nil {
			continue
		}
		if e := m.advise(addr, end, advice); e != 0 {
			return e
		}
	}
	if !full {
		return syscall.ENOMEM
	}
	return 0
}

// advise does madvise for what lies between two addresses in m.
func (m *mapping) advise(start, end uintptr, advice int) syscall.Errno {
	unlock := m.lock()
	defer unlock()
	first, last := m.pagesBetween(start, end)
	private := m.file == nil && !m.shared
	switch advice {
	case madvFree, madvWipeOnFork:
		if !private {
			return syscall.EINVAL
		}
		if advice == madvFree {
			m.mem.Discard(m.at(first, last))
		}
	case madvDontNeed, madvDontNeedLock:
		if private {
			m.mem.Discard(m.at(first, last))
		} else if m.file != nil {
			return m.dropOwn(first, last)
		}
	case madvRemove:
		if m.file != nil || !m.shared {
			return syscall.EINVAL // of files: see fallocate
		}
		m.mem.Discard(m.at(first, last))
	case madvPopulateRead, madvPopulateWr:
		need := protRead
		if advice == madvPopulateWr {
			need = protWrite
		}
		return m.populate(first, last, need)
	}
	return 0
}

// populate makes the pages of first to last, which must have a protection. EFAULT
// (of populate): one has not.
func (m *mapping) populate(first, last, need int) syscall.Errno {
	return m.spans(first, last, func(first, last, prot int) syscall.Errno {
		if prot&need == 0 {
			return syscall.EFAULT
		}
		if m.file != nil {
			return 0
		}
		return errno(m.mem.Populate(m.at(first, last)))
	})
}

// Mincore tells which pages of length bytes from addr on take memory, in the lowest
// bit of a byte each. ENOMEM: not all of it is mapped. EFAULT: vec is too short.
func (k *Kernel) Mincore(addr uintptr, length int, vec []byte) syscall.Errno {
	size, ok := pages(length)
	switch {
	case addr%pageSize != 0:
		return syscall.EINVAL
	case !ok || size > taskSize || addr > taskSize-uintptr(size):
		return syscall.ENOMEM
	case len(vec) < size/pageSize:
		return syscall.EFAULT
	case size == 0:
		return 0
	}
	end := addr + uintptr(size)
	l := &k.maps
	l.change.Lock()
	defer l.change.Unlock()
	list, full := l.within(addr, end)
	if !full {
		return syscall.ENOMEM
	}
	clear(vec[:size/pageSize])
	for _, m := range list {
		base := (int(m.start()) - int(addr)) / pageSize
		first, last := m.pagesBetween(addr, end)
		switch {
		case m.file == nil && m.direct == nil:
			m.mem.Resident(m.at(first, last), func(i int) { vec[base+first+i] = 1 })
		default:
			unlock := m.lock()
			if m.file != nil {
				first, last = m.inFile(first, last)
			}
			for i := first; i < last; i++ {
				vec[base+i] = 1
			}
			unlock()
		}
	}
	return 0
}

// Mlock makes the pages of length bytes from addr on; nothing is ever swapped out.
// ENOMEM: not all of it is mapped, or may be accessed.
func (k *Kernel) Mlock(addr uintptr, length int) syscall.Errno { return k.Mlock2(addr, length, 0) }

// Mlock2 is Mlock; with MLOCK_ONFAULT no pages are made.
func (k *Kernel) Mlock2(addr uintptr, length, flags int) syscall.Errno {
	const onFault = 1
	if flags&^onFault != 0 {
		return syscall.EINVAL
	}
	return k.lock(addr, length, func(m *mapping, first, last int) syscall.Errno {
		if flags == 0 && m.direct == nil && m.populate(first, last, protAll) != 0 {
			return syscall.ENOMEM
		}
		return 0
	})
}

// Munlock undoes Mlock.
func (k *Kernel) Munlock(addr uintptr, length int) syscall.Errno {
	return k.lock(addr, length, func(*mapping, int, int) syscall.Errno { return 0 })
}

// lock calls f for the mappings there. What is not in the bounds is the program's.
func (k *Kernel) lock(addr uintptr, length int, f func(m *mapping, first, last int) syscall.Errno) syscall.Errno {
	length += int(addr % pageSize)
	addr &^= pageSize - 1
	size, ok := pages(length)
	if !ok || addr+uintptr(size) < addr {
		return syscall.EINVAL
	}
	end := addr + uintptr(size)
	l := &k.maps
	l.change.Lock()
	defer l.change.Unlock()
	list, full := l.within(addr, end)
	if size == 0 || len(list) == 0 && (k.Memory == nil || !k.inBounds(addr, size)) {
		return 0
	}
	for _, m := range list {
		first, last := m.pagesBetween(addr, end)
		if e := f(m, first, last); e != 0 {
			return e
		}
	}
	if !full {
		return syscall.ENOMEM
	}
	return 0
}

// Mlockall and Munlockall change nothing.
func (k *Kernel) Mlockall(flags int) syscall.Errno {
	const current, future, onFault = 1, 2, 4
	if flags&^(current|future|onFault) != 0 || flags&(current|future) == 0 {
		return syscall.EINVAL
	}
	return 0
}

func (k *Kernel) Munlockall() syscall.Errno { return 0 }
