package syscalls

import (
	"math"
	"syscall"

	"github.com/yolkos/yolk/fs"
)

// There is one address space and no page fault that could fetch a page of a
// file. A mapping is therefore the file's own memory where the device has a
// window for it (fs.MapFile), else a copy on the heap that is kept like the
// file: what write and truncate change in the file changes in its mappings,
// too; what the program stores into a shared mapping goes to the file with
// Msync, Munmap, fsync and sync.

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

	pageSize = 4096 // bytes
)

// Mmap maps length bytes of the file at off, or of new memory. ENOMEM: the
// copies take more than k.MapLimit.
func (k *Kernel) Mmap(fd int, off int64, length, prot, flags int) ([]byte, syscall.Errno) {
	shared := flags&mapType == mapShared
	switch {
	case length <= 0 || off < 0 || off%pageSize != 0 || !shared && flags&mapType != mapPrivate || off > math.MaxInt64-int64(length):
		return nil, syscall.EINVAL
	case flags&mapFixed != 0 || prot&^(protRead|protWrite) != 0:
		return nil, syscall.EOPNOTSUPP
	case flags&mapAnon != 0:
		return k.maps.add(k.MapLimit, &mapping{}, length, false)
	}
	d, e := k.table.file(fd)
	if e != 0 {
		return nil, e
	}
	defer d.put()
	writes := shared && prot&protWrite != 0
	switch {
	case d.kind != syscall.S_IFREG:
		return nil, syscall.ENODEV
	case !d.readable() || writes && !d.writable():
		return nil, syscall.EACCES
	case writes && d.flags.Load()&syscall.O_APPEND != 0:
		return nil, syscall.EOPNOTSUPP // copies could not be written back
	}
	if shared {
		if x := d.mapDirectly(off, length, writes); x != nil {
			return k.maps.add(0, &mapping{data: x.Bytes(), direct: x}, length, false)
		}
	}
	d.tryRef()
	data, e := k.maps.add(k.MapLimit, &mapping{file: d, off: off}, length, writes)
	if e != 0 {
		d.put()
	}
	return data, e
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
	k.maps.mu.Lock()
	m := k.maps.find(data)
	if m == nil || len(data) != len(m.data) {
		k.maps.mu.Unlock()
		return syscall.EINVAL
	}
	e := k.maps.flushOne(m)
	k.maps.remove(m)
	k.maps.mu.Unlock()
	switch {
	case m.direct != nil:
		return errno(m.direct.Unmap())
	case m.file != nil:
		m.file.put()
	}
	return e
}

// Msync writes to the file what has been stored into a mapping, or a part of
// one; with MS_SYNC to stable storage.
func (k *Kernel) Msync(data []byte, flags int) syscall.Errno {
	if flags&^(msAsync|msInvalidate|msSync) != 0 || flags&(msAsync|msSync) == msAsync|msSync {
		return syscall.EINVAL
	}
	k.maps.mu.Lock()
	m := k.maps.find(data)
	if m == nil {
		k.maps.mu.Unlock()
		return syscall.ENOMEM
	}
	e := k.maps.flushOne(m)
	file := m.file
	if file != nil && !file.tryRef() {
		file = nil
	}
	k.maps.mu.Unlock()
	if file == nil {
		return e
	}
	defer file.put()
	if e == 0 && flags&msSync != 0 {
		e = errno(file.file.Fsync(true))
	}
	return e
}

// Mprotect answers ENOSYS unless the mapping is as asked anyway: pages cannot
// be protected one by one.
func (k *Kernel) Mprotect(data []byte, prot int) syscall.Errno {
	k.maps.mu.Lock()
	defer k.maps.mu.Unlock()
	m := k.maps.find(data)
	switch {
	case m == nil:
		return syscall.ENOMEM
	case prot == protRead|protWrite && m.direct == nil:
		return 0
	}
	return syscall.ENOSYS
}
