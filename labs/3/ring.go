// Command ring asks a virtio device for random bytes, through a ring that it writes
// itself. Sections are those of the virtio specification, version 1.2.
package main

import (
	"errors"

	"github.com/yolkos/yolk/drivers/virtio"
	"github.com/yolkos/yolk/labs/internal/ringlab"
)

// The queue: small, so that its ends are soon reached.
const (
	size   = 4  // descriptors
	length = 64 // bytes of the buffer
)

// Flags of a descriptor (§2.7.5).
const descWrite = 2

// rng is an entropy device (§5.4).
type rng struct {
	t      virtio.Transport
	desc   []byte // the table of descriptors: 16 bytes each
	avail  []byte // the available ring: flags and index, then 2 bytes for each descriptor
	used   []byte // the used ring: flags and index, then 8 bytes for each descriptor
	buffer []byte // that the device writes into
	phys   uint64 // its physical address
	next   uint16 // index of the next request
}

// open brings the device to life (§3.1.1).
//
// TODO 1: reset it (Reset); then SetStatus, step by step, each with the bits of the
// ones before: virtio.StatusAcknowledge, virtio.StatusDriver, and, behind
// SetDriverFeatures(virtio.FeatureVersion1), virtio.StatusFeaturesOK. If the bit is
// not in Status() then, the device refuses: return an error.
//
// TODO 2: allocate the three parts with mem.Alloc: the table, 16*size bytes aligned to
// 16; the available ring, 8+2*size bytes aligned to 4; the used ring, 8+8*size bytes
// aligned to 4; and the buffer. Tell the device the physical addresses of the parts
// (mem.Phys) with EnableQueue(0, size, …). Last, virtio.StatusDriverOK.
func open(t virtio.Transport, mem virtio.Memory) (ringlab.Device, error) {
	d := &rng{t: t}
	return d, nil
}

// Ask has the device write at most n bytes, and returns what it wrote.
//
// TODO 3: descriptor 0 (§2.7.5): at d.desc[0:] the physical address of the buffer (64
// bits), at [8:] the length n (32 bits), at [12:] the flag descWrite (16 bits), at
// [14:] nothing.
//
// TODO 4: the available ring (§2.7.6): put the number of the descriptor, 0, into its
// place, 2 bytes at d.avail[4+2*(d.next%size):]. Then the new index, d.next+1: with
// ringlab.Store, for the device may look at any time, into the upper half of the word
// at 0. Then Notify(0).
//
// TODO 5: the used ring (§2.7.8): wait until its index, the upper half of the word at
// 0, is that of this request (ringlab.Load). The element at 4+8*(index%size) of the
// request has two words: the descriptor, and how many bytes the device wrote. Check
// that, and return a copy of so many bytes.
func (d *rng) Ask(n int) ([]byte, error) {
	return nil, errors.New("nobody was asked")
}

func main() { ringlab.Main(open) }
