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
	all []byte // every page that there can be

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
	return m, nil
}

// Close takes the pages away.
func (m *Memory) Close() error {
	unix.Munmap(m.all)
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

// Reserve implements syscalls.Memory.
func (m *Memory) Reserve(length int) ([]byte, error) {
	length = (length + pageSize - 1) &^ (pageSize - 1)
	p, err := unix.MmapPtr(-1, 0, nil, uintptr(length), unix.PROT_NONE, unix.MAP_PRIVATE|unix.MAP_ANONYMOUS|unix.MAP_NORESERVE)
	if err != nil {
		return nil, err
	}
	return unsafe.Slice((*byte)(p), length), nil
}

// Release implements syscalls.Memory.
func (m *Memory) Release(b []byte) {
	if err := unix.MunmapPtr(unsafe.Pointer(unsafe.SliceData(b)), uintptr(len(b))); err != nil {
		panic(err)
	}
}

// Map implements syscalls.Memory.
func (m *Memory) Map(b []byte, pages []*Page, write bool) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	prot := unix.PROT_READ
	if write {
		prot |= unix.PROT_WRITE
	}
	for i, p := range pages {
		at := b[i*pageSize:][:pageSize]
		off := int64(address(p[:]) - address(m.all))
		if _, err := unix.MmapPtr(m.fd, off, unsafe.Pointer(unsafe.SliceData(at)), pageSize, prot, unix.MAP_SHARED|unix.MAP_FIXED); err != nil {
			return err
		}
		if was := m.shadow[address(at)]; write && was == nil {
			seen := *p
			m.shadow[address(at)] = &seen
		}
	}
	return nil
}

// Unmap implements syscalls.Memory.
func (m *Memory) Unmap(b []byte, stored func(int)) {
	m.Stored(b, false, stored)
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(b) == 0 {
		return
	}
	if _, err := unix.MmapPtr(-1, 0, unsafe.Pointer(unsafe.SliceData(b)), uintptr(len(b)), unix.PROT_NONE,
		unix.MAP_PRIVATE|unix.MAP_ANONYMOUS|unix.MAP_NORESERVE|unix.MAP_FIXED); err != nil {
		panic(err)
	}
	maps.DeleteFunc(m.shadow, func(at uintptr, _ *Page) bool { return at >= address(b) && at-address(b) < uintptr(len(b)) })
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
