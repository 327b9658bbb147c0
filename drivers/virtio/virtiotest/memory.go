// Package virtiotest has a simulated virtio device and the memory that it
// shares with a driver, for tests on any host. The device is written from the
// specification, not from the driver: it notes every rule that a driver breaks,
// and can break the device's own rules when a test asks for it.
package virtiotest

import (
	"fmt"
	"sync"
	"unsafe"

	"github.com/yolkos/yolk/drivers/virtio"
)

// Memory is a virtio.Memory whose physical addresses differ from the virtual
// ones, so that a mix-up shows. Memory on the Go heap is reachable as well,
// unless Bounce is set; with Scatter not 0 a range of it is in one piece only up to
// the next multiple of so many bytes.
type Memory struct {
	*virtio.Arena
	Bounce  bool
	Scatter int

	base  uint64
	bytes []byte

	mu   sync.Mutex
	heap map[uint64][]byte // by the address given out
}

const (
	arenaBase = 0x1_2340_0000
	heapBase  = 1 << 56
)

// NewMemory returns a Memory with an arena of size bytes.
func NewMemory(size int) *Memory {
	raw := make([]byte, size+4096)
	skip := int(-uintptr(unsafe.Pointer(&raw[0])) % 4096)
	m := &Memory{base: arenaBase, bytes: raw[skip : skip+size : skip+size], heap: make(map[uint64][]byte)}
	arena, err := virtio.NewArena(m.bytes, m.base)
	if err != nil {
		panic(err)
	}
	m.Arena = arena
	return m
}

// Phys implements virtio.Memory.
func (m *Memory) Phys(b []byte) (uint64, int) {
	if addr, n := m.Arena.Phys(b); n > 0 {
		return addr, n
	}
	if m.Bounce || len(b) == 0 {
		return 0, 0
	}
	if m.Scatter > 0 {
		b = b[:min(len(b), m.Scatter-int(uintptr(unsafe.Pointer(&b[0]))%uintptr(m.Scatter)))]
	}
	addr := heapBase + uint64(uintptr(unsafe.Pointer(&b[0])))
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.heap[addr]) < len(b) {
		m.heap[addr] = b // keeps it alive, so the address stays its own
	}
	return addr, len(b)
}

// At returns the n bytes at a physical address, as a device reaches them.
func (m *Memory) At(addr uint64, n int) ([]byte, error) {
	if addr >= m.base && addr < m.base+uint64(len(m.bytes)) {
		off := int(addr - m.base)
		if n > len(m.bytes)-off {
			return nil, fmt.Errorf("%d bytes at %#x run over the end of memory", n, addr)
		}
		return m.bytes[off : off+n : off+n], nil
	}
	m.mu.Lock()
	b := m.heap[addr]
	m.mu.Unlock()
	if b == nil || n > len(b) {
		return nil, fmt.Errorf("%d bytes at %#x are not memory", n, addr)
	}
	return b[:n:n], nil
}
