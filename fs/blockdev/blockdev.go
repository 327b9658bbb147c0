// Package blockdev makes files of disks: block devices as they are in /dev, and the
// partitions on them.
package blockdev

import (
	"sync"
	"syscall"

	"github.com/yolkos/yolk/fs"
)

// Disk is what stores blocks. Offsets and lengths are in bytes, whole blocks of
// BlockSize.
type Disk interface {
	ReadAt(p []byte, off int64) (int, error)
	WriteAt(p []byte, off int64) (int, error)
	Flush() error // what was written is on stable storage
	Discard(off, n int64) error
	WriteZeroes(off, n int64, unmap bool) error

	Size() int64            // may change
	BlockSize() int         // a power of two, 512 at least
	PhysicalBlockSize() int // a power of two times BlockSize
	ReadOnly() bool
}

// Device is a block device: a disk, or a part of it. Bytes are read and written at
// any place, as on Linux; nothing is cached.
type Device struct {
	disk       Disk
	start, end int64 // in bytes; end is 0 for all of the disk
	// blocks is shared by all devices of a disk. Who writes a part of a block holds it
	// alone: the rest of the block is read before, and written again.
	blocks *sync.RWMutex
}

// New makes the device of a whole disk.
func New(d Disk) *Device { return &Device{disk: d, blocks: new(sync.RWMutex)} }

// Part makes the device of n bytes of b at start, whole blocks; EINVAL: it has none.
func (b *Device) Part(start, n int64) (*Device, error) {
	block := int64(b.disk.BlockSize())
	if start < 0 || n <= 0 || start%block != 0 || n%block != 0 || start > b.Size() || n > b.Size()-start {
		return nil, syscall.EINVAL
	}
	return &Device{b.disk, b.start + start, b.start + start + n, b.blocks}, nil
}

// Size is how many bytes the device has. A part of a disk that has become smaller has
// less than it had.
func (b *Device) Size() int64 {
	size := b.disk.Size()
	if b.end != 0 {
		size = min(size, b.end)
	}
	return max(size-b.start, 0)
}

// ReadOnly tells that the device cannot be written.
func (b *Device) ReadOnly() bool { return b.disk.ReadOnly() }

// whole is the range of whole blocks that has n bytes at off, which are on the device.
func (b *Device) whole(off int64, n int) (start, end int64) {
	mask := int64(b.disk.BlockSize()) - 1
	return off &^ mask, (off + int64(n) + mask) &^ mask
}

// clip is how many of n bytes at off are on the device.
func (b *Device) clip(n int, off int64) int {
	return int(min(int64(n), max(b.Size()-off, 0)))
}

// maxBounce is how many bytes are copied at a time where a range does not consist of
// whole blocks, besides the blocks at its ends.
const maxBounce = 1 << 16

// ReadAt reads what there is at off: fewer bytes, or none, at the device's end.
func (b *Device) ReadAt(p []byte, off int64) (n int, err error) {
	if off < 0 {
		return 0, syscall.EINVAL
	}
	p = p[:b.clip(len(p), off)]
	for n < len(p) && err == nil {
		var m int
		m, err = b.readSome(p[n:], off+int64(n))
		n += m
	}
	if n > 0 {
		return n, nil
	}
	return 0, err
}

// readSome reads some of p: whole blocks as they are, else by a copy.
func (b *Device) readSome(p []byte, off int64) (int, error) {
	start, end := b.whole(off, len(p))
	if start == off {
		if n := len(p) &^ (b.disk.BlockSize() - 1); n > 0 {
			return b.disk.ReadAt(p[:n], b.start+off)
		}
	}
	buf := make([]byte, min(end-start, int64(max(maxBounce, b.disk.BlockSize()))))
	n, err := b.disk.ReadAt(buf, b.start+start)
	if skip := int(off - start); n > skip {
		return copy(p, buf[skip:n]), nil
	}
	return 0, err
}

// WriteAt writes p at off, as far as there is room. ENOSPC: that is the end. EROFS.
func (b *Device) WriteAt(p []byte, off int64) (n int, err error) {
	switch {
	case off < 0:
		return 0, syscall.EINVAL
	case b.ReadOnly():
		return 0, syscall.EROFS
	case len(p) == 0:
		return 0, nil
	}
	p = p[:b.clip(len(p), off)]
	if len(p) == 0 {
		return 0, syscall.ENOSPC
	}
	for n < len(p) && err == nil {
		var m int
		m, err = b.writeSome(p[n:], off+int64(n))
		n += m
	}
	if n > 0 {
		return n, nil
	}
	return 0, err
}

// writeSome writes some of p: whole blocks as they are, else one block that keeps the
// rest of what it has.
func (b *Device) writeSome(p []byte, off int64) (int, error) {
	block := b.disk.BlockSize()
	start, _ := b.whole(off, len(p))
	if start == off && len(p) >= block {
		b.blocks.RLock()
		defer b.blocks.RUnlock()
		return b.disk.WriteAt(p[:len(p)&^(block-1)], b.start+off)
	}
	b.blocks.Lock()
	defer b.blocks.Unlock()
	buf := make([]byte, block)
	if _, err := b.disk.ReadAt(buf, b.start+start); err != nil {
		return 0, err
	}
	n := copy(buf[off-start:], p)
	if _, err := b.disk.WriteAt(buf, b.start+start); err != nil {
		return 0, err
	}
	return n, nil
}

// Open opens the device for the node n of it, as fs.Device.OpenDevice does.
func (b *Device) Open(n fs.Node, flags int) (fs.File, error) {
	if b.ReadOnly() && flags&syscall.O_ACCMODE != syscall.O_RDONLY {
		return nil, syscall.EROFS
	}
	return &file{Device: b, node: n, sync: flags&syscall.O_DSYNC != 0}, nil
}
