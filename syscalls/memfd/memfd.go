//go:build linux

// Package memfd is a syscalls.Memory for tests on Linux: its pages are those of
// a file in memory, which Linux maps as often as asked. What was written at an
// address is found by a comparison.
package memfd

import (
	"fmt"
	"maps"
	"sync"
	"unsafe"

	"golang.org/x/sys/unix"
)

const pageSize = 4096

// Page is syscalls.Page.
type Page = [pageSize]byte

// Memory implements syscalls.Memory. Its pages are used once: it is for a test.
type Memory struct {
	fd  int
	all []byte // every page of files that there can be
	// What mappings may have; nothing else of the process comes to lie there.
	low, high uintptr

	mu     sync.Mutex
	used   int               // bytes of all
	shadow map[uintptr]*Page // what was at an address that may be written
}

// New returns a Memory of at most size bytes; Close ends it.
func New(size int) (*Memory, error) {
	fd, err := unix.MemfdCreate("memfd", unix.MFD_CLOEXEC)
	if err != nil {
		return nil, err
	}
	m := &Memory{fd: fd, shadow: make(map[uintptr]*Page)}
	if err = unix.Ftruncate(fd, int64(size)); err == nil {
		m.all, err = unix.Mmap(fd, 0, size, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	}
	if err != nil {
		unix.Close(fd)
		return nil, err
	}
	p, err := unix.MmapPtr(-1, 0, nil, space, unix.PROT_NONE, unix.MAP_PRIVATE|unix.MAP_ANONYMOUS|unix.MAP_NORESERVE)
	if err != nil {
		m.Close()
		return nil, err
	}
	m.low, m.high = uintptr(p), uintptr(p)+space
	return m, nil
}

// space is how many bytes of addresses there are.
const space = 1 << 42

// Close takes the pages away.
func (m *Memory) Close() error {
	unix.Munmap(m.all)
	if m.low != 0 {
		unix.MunmapPtr(pointer(m.low), m.high-m.low)
	}
	return unix.Close(m.fd)
}

// Pages implements syscalls.Memory.
func (m *Memory) Pages(n int) []byte {
	m.mu.Lock()
	defer m.mu.Unlock()
	at := m.used
	if m.used += n * pageSize; m.used > len(m.all) {
		panic(fmt.Sprintf("memfd: more than %d bytes of pages", len(m.all)))
	}
	return m.all[at:m.used:m.used]
}

func address(b []byte) uintptr { return uintptr(unsafe.Pointer(unsafe.SliceData(b))) }

// pointer is an address that no Go object has.
func pointer(a uintptr) unsafe.Pointer { return *(*unsafe.Pointer)(unsafe.Pointer(&a)) }

// Bounds implements syscalls.Memory.
func (m *Memory) Bounds() (low, high uintptr) { return m.low, m.high }

// Map implements syscalls.Memory.
func (m *Memory) Map(b []byte, pages []*Page, prot int) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	for i, p := range pages {
		at := b[i*pageSize:][:pageSize]
		off := int64(address(p[:]) - address(m.all))
		if _, err := unix.MmapPtr(m.fd, off, unsafe.Pointer(unsafe.SliceData(at)), pageSize, prot, unix.MAP_SHARED|unix.MAP_FIXED); err != nil {
			return err
		}
		if was := m.shadow[address(at)]; prot&unix.PROT_WRITE != 0 && was == nil {
			seen := *p
			m.shadow[address(at)] = &seen
		}
	}
	return nil
}

// Unmap implements syscalls.Memory.
func (m *Memory) Unmap(b []byte, stored func(int)) error {
	m.Stored(b, false, stored)
	m.mu.Lock()
	defer m.mu.Unlock()
	maps.DeleteFunc(m.shadow, func(at uintptr, _ *Page) bool { return at >= address(b) && at-address(b) < uintptr(len(b)) })
	return m.anonymous(b, unix.PROT_NONE)
}

// anonymous puts new memory at b.
func (m *Memory) anonymous(b []byte, prot int) error {
	if len(b) == 0 {
		return nil
	}
	_, err := unix.MmapPtr(-1, 0, unsafe.Pointer(unsafe.SliceData(b)), uintptr(len(b)), prot,
		unix.MAP_PRIVATE|unix.MAP_ANONYMOUS|unix.MAP_NORESERVE|unix.MAP_FIXED)
	return err
}

// Protect implements syscalls.Memory.
func (m *Memory) Protect(b []byte, prot int) error { return unix.Mprotect(b, prot) }

// Discard implements syscalls.Memory.
func (m *Memory) Discard(b []byte) {
	if err := unix.Madvise(b, unix.MADV_DONTNEED); err != nil && len(b) > 0 {
		panic(err)
	}
}

// Resident implements syscalls.Memory.
func (m *Memory) Resident(b []byte, f func(page int)) {
	vec := make([]byte, len(b)/pageSize+1)
	if _, _, e := unix.Syscall(unix.SYS_MINCORE, address(b), uintptr(len(b)), uintptr(unsafe.Pointer(&vec[0]))); e != 0 {
		panic(e)
	}
	for i, v := range vec {
		if v&1 != 0 {
			f(i)
		}
	}
}

// Populate implements syscalls.Memory.
func (m *Memory) Populate(b []byte) error { return unix.Madvise(b, unix.MADV_POPULATE_READ) }

// Move implements syscalls.Memory.
func (m *Memory) Move(to, from []byte) error {
	_, _, e := unix.Syscall6(unix.SYS_MREMAP, address(from), uintptr(len(from)), uintptr(len(to)),
		unix.MREMAP_MAYMOVE|unix.MREMAP_FIXED, address(to), 0)
	if e != 0 {
		return e
	}
	return m.anonymous(from, unix.PROT_NONE)
}

// Stored implements syscalls.Memory. Pages that were written at another address
// are told, too.
func (m *Memory) Stored(b []byte, clear bool, stored func(int)) {
	m.mu.Lock()
	var list []int
	for where, seen := range m.shadow {
		if where < address(b) || where-address(b) >= uintptr(len(b)) {
			continue
		}
		i := int(where-address(b)) / pageSize
		if at := (*Page)(b[i*pageSize:]); *seen != *at {
			list = append(list, i)
			if clear {
				*seen = *at
			}
		}
	}
	m.mu.Unlock()
	for _, i := range list {
		stored(i)
	}
}
