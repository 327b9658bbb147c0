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

// Arguments of mmap(2) and msync(2).
const (
	protRead  = 1
	protWrite = 2

	mapShared  = 0x01
	mapPrivate = 0x02
	mapType    = 0x0f
	mapFixed   = 0x10
	mapAnon    = 0x20

	msAsync      = 1
	msInvalidate = 2
	msSync       = 4
)

// Mmap maps length bytes of the file at off, or of new memory. ENOMEM: the
// pages take more than k.MapLimit. ENODEV: k has no Memory.
func (k *Kernel) Mmap(fd int, off int64, length, prot, flags int) ([]byte, syscall.Errno) {
	shared := flags&mapType == mapShared
	switch {
	case length <= 0 || off < 0 || off%pageSize != 0 || !shared && flags&mapType != mapPrivate:
		return nil, syscall.EINVAL
	case length > math.MaxInt-pageSize:
		return nil, syscall.ENOMEM
	case off > math.MaxInt64-int64(length)-pageSize:
		return nil, syscall.EOVERFLOW
	case flags&mapFixed != 0 || prot&^(protRead|protWrite) != 0:
		return nil, syscall.EOPNOTSUPP
	case k.Memory == nil:
		return nil, syscall.ENODEV
	}
	m := &mapping{maps: &k.maps, mem: k.Memory, shared: shared, off: off}
	if flags&mapAnon != 0 {
		m.off = 0
		return m.start(length, prot)
	}
	d, e := k.table.file(fd)
	if e != 0 {
		return nil, e
	}
	writes := shared && prot&protWrite != 0
	switch {
	case d.kind != syscall.S_IFREG:
		e = syscall.ENODEV
	case !d.readable() || writes && !d.writable():
		e = syscall.EACCES
	case writes && d.sealed():
		e = syscall.EPERM
	}
	if e != 0 {
		d.put()
		return nil, e
	}
	if shared && !k.maps.has(d.dentry.Node()) {
		if x := d.mapDirectly(off, length, writes); x != nil {
			d.put()
			m.direct, m.data = x, x.Bytes()[:length:length]
			k.maps.enter(m)
			return m.data, 0
		}
	}
	m.desc = d // with the reference
	return m.start(length, prot)
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

// Munmap ends a mapping, given whole as Mmap returned it.
func (k *Kernel) Munmap(data []byte) syscall.Errno {
	m := k.maps.take(data)
	switch {
	case m == nil:
		return syscall.EINVAL
	case m.direct != nil:
		return errno(m.direct.Unmap())
	}
	return m.end()
}

// Msync writes to the file what has been stored into its pages that lie at
// data, a part of a mapping from a page on; with MS_SYNC to stable storage.
// With MS_INVALIDATE the pages are read anew: what the host has changed shows.
func (k *Kernel) Msync(data []byte, flags int) syscall.Errno {
	if flags&^(msAsync|msInvalidate|msSync) != 0 || flags&(msAsync|msSync) == msAsync|msSync || address(data)%pageSize != 0 {
		return syscall.EINVAL
	}
	if len(data) == 0 {
		return 0
	}
	m := k.maps.find(data)
	switch {
	case m == nil:
		return syscall.ENOMEM
	case m.file == nil || !m.desc.tryRef():
		return 0
	}
	d := m.desc
	defer d.put()
	from := m.off + int64(address(data)-address(m.data))
	to := from + int64(len(data))
	f := m.file
	f.mu.Lock()
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

// Mprotect lets what lies at data, a part of a mapping from a page on, be
// read and written as prot says; what may not faults.
func (k *Kernel) Mprotect(data []byte, prot int) syscall.Errno {
	switch {
	case address(data)%pageSize != 0:
		return syscall.EINVAL
	case prot&^(protRead|protWrite) != 0:
		return syscall.EOPNOTSUPP
	case len(data) == 0:
		return 0
	}
	m := k.maps.find(data)
	switch {
	case m == nil:
		return syscall.ENOMEM
	case m.direct != nil && prot == protRead|protWrite:
		return 0
	case m.direct != nil:
		return syscall.EOPNOTSUPP // the device's memory lies at one address
	case m.file != nil && m.shared && prot&protWrite != 0 && !m.desc.writable():
		return syscall.EACCES
	}
	unlock := m.lock()
	defer unlock()
	if m.ended {
		return syscall.ENOMEM
	}
	first := int(address(data)-address(m.data)) / pageSize
	last := first + (len(data)+pageSize-1)/pageSize
	m.protect(first, last, prot)
	return m.fill(first, last)
}
