package virtio

import (
	"sync/atomic"
	"unsafe"
)

// This file is where Go meets memory that the device reads and writes at the
// same time: the only use of unsafe in this package, and all of its ordering.
//
// Ordering on amd64. An atomic store of Go is an XCHG, which is a full barrier;
// an atomic load is a MOV that the compiler does not move, and the processor
// neither reorders loads with older loads nor stores with older stores. So
// sync/atomic gives everything that §2.7.13 asks for, without further barriers:
//   - entries before index: plain stores to descriptors and to the available
//     ring, then storeIndex, which no older store can pass;
//   - index before event: storeIndex, then load of avail_event or of the used
//     flags, which cannot pass the XCHG (a store followed by a load is the one
//     pair that the processor would reorder);
//   - index before element: load of the used index, then loads of the element
//     and, by the requester, of the buffers; the driver so never sees an older
//     element than the index promises.
//
// Another architecture needs its own look at each of these three.
//
// 16-bit fields are reached through the aligned 32-bit word around them, since
// sync/atomic knows nothing smaller. Both halves of a word that the driver
// stores to are the driver's own. Byte order: virtio is little-endian, and so is
// every machine that this runs on.

// descriptor is struct virtq_desc (§2.7.5).
type descriptor struct {
	addr  uint64
	len   uint32
	flags uint16
	next  uint16
}

const descriptorSize = 16

// Descriptor flags (§2.7.5).
const (
	descNext     = 1
	descWrite    = 2
	descIndirect = 4
)

// descriptors looks at b, aligned to 16 bytes, as descriptors.
func descriptors(b []byte) []descriptor {
	return unsafe.Slice((*descriptor)(unsafe.Pointer(unsafe.SliceData(b))), len(b)/descriptorSize)
}

// halves looks at b, aligned to 4 bytes, as 16-bit fields.
func halves(b []byte) []uint16 {
	return unsafe.Slice((*uint16)(unsafe.Pointer(unsafe.SliceData(b))), len(b)/2)
}

// words looks at b, aligned to 4 bytes, as 32-bit fields.
func words(b []byte) []uint32 {
	return unsafe.Slice((*uint32)(unsafe.Pointer(unsafe.SliceData(b))), len(b)/4)
}

// storeIndex publishes an index together with the flags before it.
func storeIndex(word *uint32, flags, index uint16) {
	atomic.StoreUint32(word, uint32(flags)|uint32(index)<<16)
}

// loadIndex reads the flags and the index after them.
func loadIndex(word *uint32) (flags, index uint16) {
	v := atomic.LoadUint32(word)
	return uint16(v), uint16(v >> 16)
}

// load reads a field that the device may change at any time, exactly once.
func load(word *uint32) uint32 { return atomic.LoadUint32(word) }

// store writes a field that the device looks at any time.
func store(word *uint32, v uint32) { atomic.StoreUint32(word, v) }

// address is the virtual address of b[0].
func address(b []byte) uintptr { return uintptr(unsafe.Pointer(unsafe.SliceData(b))) }
