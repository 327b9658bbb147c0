package syscalls

import (
	"math"
	"syscall"

	"github.com/yolkos/yolk/fs"
)

// The rule for mapped files: one byte of a file is one byte of memory for all
// who map it shared, and read and write go by that memory while there is a
// mapping. A file with mappings is a mappedFile, which holds the pages; each
// mapping shows them at addresses of its own, and the page tables tell which
// were written there. All pages that lie in the file are read when they are
// mapped, as no fault could wait for a server; those behind its end are not
// there, and whoever touches them faults (SIGBUS elsewhere).
//
// The rule for anonymous mappings: addresses cost nothing. A page is made when it
// is touched.
//
// The rule for addresses: mappings lie within the bounds of Memory. What lies
// elsewhere is the program's own and the kernel's: its code, data, heap and stacks.
// There, calls that change what is mapped are refused; those that change nothing,
// such as mlock, succeed.

// Arguments of the calls (mman.h).
const (
	protRead  = 1
	protWrite = 2
	protExec  = 4
	protAll   = protRead | protWrite | protExec

	mapShared         = 0x01
	mapPrivate        = 0x02
	mapSharedValidate = 0x03
	mapType           = 0x0f
	mapFixed          = 0x10
	mapAnon           = 0x20
	map32Bit          = 0x40
	mapGrowsDown      = 0x100
	mapLocked         = 0x2000
	mapNoReserve      = 0x4000
	mapPopulate       = 0x8000
	mapHugeTLB        = 0x40000
	mapFixedNoReplace = 0x100000
	// What MAP_SHARED_VALIDATE takes: the above, and what changes nothing.
	mapKnown = mapType | mapFixed | mapAnon | map32Bit | mapGrowsDown | mapLocked | mapNoReserve | mapPopulate | mapHugeTLB |
		mapFixedNoReplace | 0x800 | 0x1000 | 0x10000 | 0x20000

	msAsync      = 1
	msInvalidate = 2
	msSync       = 4
)

// pages rounds n bytes up to whole pages; ok is false if there are none such.
func pages(n int) (size int, ok bool) {
	return (n + pageSize - 1) &^ (pageSize - 1), 0 <= n && n <= math.MaxInt-pageSize
}

// inBounds tells if addresses are such as mappings may have.
func (k *Kernel) inBounds(start uintptr, size int) bool {
	low, high := k.Memory.Bounds()
	return start >= low && start <= high && uintptr(size) <= high-start
}

// Mmap maps length bytes of a file from off, or of new memory, and returns the
// address: addr with MAP_FIXED, else one that is free, addr if that is. There are
// no huge pages (MAP_HUGETLB), no addresses for MAP_32BIT (both ENOMEM), and
// MAP_GROWSDOWN grows nothing. ENOMEM: the pages of files take more than
// k.MapLimit, or the memory, which is to be counted, more than there is. ENODEV: k
// has no Memory.
func (k *Kernel) Mmap(addr uintptr, length, prot, flags, fd int, off int64) (uintptr, syscall.Errno) {
	if off%pageSize != 0 || off < 0 {
		return 0, syscall.EINVAL
	}
	m := &mapping{maps: &k.maps, mem: k.Memory, noReserve: flags&mapNoReserve != 0}
	if flags&mapAnon == 0 {
		d, e := k.table.file(fd)
		if e != 0 {
			return 0, e
		}
		m.desc, m.off = d, off
	}
	at, e := k.mmap(m, addr, length, prot&protAll, flags)
	if e != 0 && m.file == nil && m.desc != nil {
		m.desc.put()
	}
	return at, e
}

// mmap does it for m, which has the file. If it fails with m.file set, m.desc has
// been put.
func (k *Kernel) mmap(m *mapping, addr uintptr, length, prot, flags int) (uintptr, syscall.Errno) {
	size, ok := pages(length)
	kind := flags & mapType
	m.shared = kind == mapShared || kind == mapSharedValidate
	fixed := flags&(mapFixed|mapFixedNoReplace) != 0
	switch {
	case length == 0:
		return 0, syscall.EINVAL
	case !ok || size > taskSize:
		return 0, syscall.ENOMEM
	case !m.shared && kind != mapPrivate || kind == mapSharedValidate && m.desc == nil:
		return 0, syscall.EINVAL
	case m.off > math.MaxInt64-int64(size):
		return 0, syscall.EOVERFLOW
	case kind == mapSharedValidate && flags&^mapKnown != 0:
		return 0, syscall.EOPNOTSUPP
	case fixed && addr%pageSize != 0, m.shared && m.desc == nil && flags&mapGrowsDown != 0:
		return 0, syscall.EINVAL
	case k.Memory == nil:
		return 0, syscall.ENODEV
	case fixed && !k.inBounds(addr, size), flags&(map32Bit|mapHugeTLB) != 0:
		return 0, syscall.ENOMEM
	case m.desc == nil && prot&protWrite != 0 && !m.noReserve && k.MemoryTotal > 0 && int64(size) > k.MemoryTotal:
		return 0, syscall.ENOMEM // as Linux: never by what is free
	}
	if m.desc != nil {
		if e := m.desc.mappable(m.shared && prot&protWrite != 0); e != 0 {
			return 0, e
		}
		if m.shared && !fixed && prot&protExec == 0 && !k.maps.has(m.desc.dentry.Node()) && k.limitOf(syscall.RLIMIT_AS) == rlimInfinity {
			if x := m.desc.mapDirectly(m.off, length, prot&protWrite != 0); x != nil {
				m.desc.put()
				m.desc, m.direct, m.data = nil, x, bytesAt(address(x.Bytes()), size) // pages are whole
				k.maps.enter(m)
				return m.start(), 0
			}
		}
	}
	l := &k.maps
	l.change.Lock()
	var old []*mapping
	at, e := addr, syscall.Errno(0)
	var there uintptr // end of what gives way
	if fixed {
		there = addr + uintptr(size)
	}
	switch {
	case l.exceeds(size, addr, there):
		e = syscall.ENOMEM
	case !fixed:
		at, e = l.room(size, addr&^(pageSize-1))
	case flags&mapFixedNoReplace != 0:
		if list, _ := l.within(addr, addr+uintptr(size)); len(list) > 0 {
			e = syscall.EEXIST
		}
	default:
		old = l.carve(addr, addr+uintptr(size))
	}
	if e == 0 {
		e = l.add(m, at, size, prot)
	}
	l.change.Unlock()
	finish(old)
	if e == 0 && m.file != nil {
		if e = m.open(); e != 0 {
			l.remove(m)
		}
	}
	if e != 0 {
		return 0, e
	}
	if m.file == nil && flags&(mapPopulate|mapLocked) != 0 && prot != 0 {
		k.Memory.Populate(bytesAt(at, size)) // as far as there is memory
	}
	return at, 0
}

// add puts m at the addresses at, which are free. With a file, nothing is shown
// there yet. change is held.
func (l *mappings) add(m *mapping, at uintptr, size, prot int) syscall.Errno {
	if m.desc != nil {
		m.file = l.open(m.desc.dentry.Node())
	}
	unlock := m.lock()
	m.data, m.protections = bytesAt(at, size), []protection{{0, prot}}
	if m.file != nil {
		m.file.users = append(m.file.users, m)
	} else if e := m.fill(0, m.pageCount()); e != 0 {
		m.unmap(0, m.pageCount())
		return e
	}
	unlock()
	l.enter(m)
	l.join(at, at+uintptr(size))
	return 0
}

// remove takes m away, or what is left of it.
func (l *mappings) remove(m *mapping) {
	l.change.Lock()
	if m.ended {
		l.change.Unlock()
		return
	}
	old := l.carve(m.start(), m.end())
	l.change.Unlock()
	finish(old)
}

// mappable tells if d can be mapped, and stored to.
func (d *desc) mappable(stores bool) syscall.Errno {
	switch {
	case d.kind != syscall.S_IFREG:
		return syscall.ENODEV
	case !d.readable() || stores && !d.writable():
		return syscall.EACCES
	case stores && d.sealed():
		return syscall.EPERM
	}
	return 0
}

// mapDirectly maps the file's own memory, if there is such a thing and the
// file has as many pages: behind them is nothing to be read.
func (d *desc) mapDirectly(off int64, length int, writes bool) fs.Mapping {
	f, ok := d.file.(fs.MapFile)
	var a fs.Attr
	if !ok || d.file.Getattr(&a) != nil || off+int64(length) > (a.Size+pageSize-1)&^(pageSize-1) {
		return nil
	}
	x, err := f.Map(off, int64(length), writes)
	if err != nil {
		return nil
	}
	return x
}

// Munmap takes away what is mapped in length bytes from addr on, whatever it is.
// EINVAL: addr is not of a page, or lies where mappings do not.
func (k *Kernel) Munmap(addr uintptr, length int) syscall.Errno {
	size, ok := pages(length)
	if addr%pageSize != 0 || length <= 0 || !ok || k.Memory == nil {
		return syscall.EINVAL
	}
	l := &k.maps
	if m := l.find(addr); m != nil && m.direct != nil { // the device's memory is one
		if m.start() != addr || len(m.data) != size {
			return syscall.EINVAL
		}
		l.leave(m)
		return errno(m.direct.Unmap())
	}
	if !k.inBounds(addr, size) {
		return syscall.EINVAL
	}
	l.change.Lock()
	old := l.carve(addr, addr+uintptr(size))
	l.change.Unlock()
	return finish(old)
}

// Msync writes to the files what has been stored into their pages that lie in
// length bytes from addr on; with MS_SYNC to stable storage. With MS_INVALIDATE the
// pages are read anew: what the host has changed shows. ENOMEM: not all of it is
// mapped; what is was done.
func (k *Kernel) Msync(addr uintptr, length, flags int) syscall.Errno {
	size, ok := pages(length)
	switch {
	case flags&^(msAsync|msInvalidate|msSync) != 0 || flags&(msAsync|msSync) == msAsync|msSync || addr%pageSize != 0:
		return syscall.EINVAL
	case !ok || addr+uintptr(size) < addr:
		return syscall.ENOMEM
	case size == 0:
		return 0
	}
	list, full := k.maps.within(addr, addr+uintptr(size))
	for _, m := range list {
		if e := m.sync(addr, addr+uintptr(size), flags); e != 0 {
			return e
		}
	}
	if !full {
		return syscall.ENOMEM
	}
	return 0
}

// sync does msync for what lies between two addresses in m.
func (m *mapping) sync(start, end uintptr, flags int) syscall.Errno {
	if m.file == nil || !m.desc.tryRef() {
		return 0
	}
	d, f := m.desc, m.file
	defer d.put()
	f.mu.Lock()
	if m.ended {
		f.mu.Unlock()
		return 0
	}
	first, last := m.pagesBetween(start, end)
	from, to := m.filePage(first)*pageSize, m.filePage(last)*pageSize
	e := f.flush(from, to)
	if e == 0 && flags&msInvalidate != 0 {
		e = f.refresh(from, to, true)
	}
	f.mu.Unlock()
	if e == 0 && m.shared && flags&msSync != 0 {
		e = errno(d.file.Fsync(true))
	}
	return e
}

// Mprotect lets length bytes from addr on be read, written and executed as prot
// says; what may not faults. ENOMEM: not all of it is mapped; what lies before the
// hole has been changed. EACCES: it is not a mapping's, but of the program itself.
func (k *Kernel) Mprotect(addr uintptr, length, prot int) syscall.Errno {
	size, ok := pages(length)
	end := addr + uintptr(size)
	switch {
	case addr%pageSize != 0:
		return syscall.EINVAL
	case size == 0 && ok:
		return 0
	case !ok || end < addr || k.Memory == nil:
		return syscall.ENOMEM
	case prot&^protAll != 0:
		return syscall.EINVAL
	}
	l := &k.maps
	l.change.Lock()
	defer l.change.Unlock()
	list, full := l.within(addr, end)
	if len(list) == 0 && !k.inBounds(addr, size) {
		return syscall.EACCES
	}
	at := addr
	for _, m := range list {
		if m.start() > at {
			break
		}
		if e := m.mprotect(addr, end, prot); e != 0 {
			return e
		}
		at = m.end()
	}
	if !full {
		return syscall.ENOMEM
	}
	return 0
}

// mprotect does mprotect for what lies between two addresses in m.
func (m *mapping) mprotect(start, end uintptr, prot int) syscall.Errno {
	switch {
	case m.direct != nil && prot == protRead|protWrite:
		return 0
	case m.direct != nil:
		return syscall.EOPNOTSUPP // the device's memory lies at one address
	case m.file != nil && m.shared && prot&protWrite != 0 && !m.desc.writable():
		return syscall.EACCES
	}
	unlock := m.lock()
	defer unlock()
	first, last := m.pagesBetween(start, end)
	m.protect(first, last, prot)
	return m.fill(first, last)
}
