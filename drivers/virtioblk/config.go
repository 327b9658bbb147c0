package virtioblk

import (
	"math"

	"github.com/yolkos/yolk/drivers/virtio"
)

// Features (§5.2.3).
const (
	featureSizeMax     uint64 = 1 << 1
	featureSegMax      uint64 = 1 << 2
	featureRO          uint64 = 1 << 5
	featureBlkSize     uint64 = 1 << 6
	featureFlush       uint64 = 1 << 9
	featureTopology    uint64 = 1 << 10
	featureMQ          uint64 = 1 << 12
	featureDiscard     uint64 = 1 << 13
	featureWriteZeroes uint64 = 1 << 14

	features = featureSizeMax | featureSegMax | featureRO | featureBlkSize | featureFlush |
		featureTopology | featureMQ | featureDiscard | featureWriteZeroes
)

// Offsets in the device configuration, in bytes (§5.2.4).
const (
	configCapacity          = 0
	configSizeMax           = 8
	configSegMax            = 12
	configBlkSize           = 20
	configPhysicalExponent  = 24
	configQueues            = 34
	configMaxDiscardSectors = 36
	configMaxZeroesSectors  = 48
)

// sector is the unit of the device's addresses, in bytes, whatever its block size.
const sector = 512

// maxSectors is how many sectors a disk may have, so that each of its bytes has an
// offset.
const maxSectors = math.MaxInt64 / sector

// maxTransfer is the most bytes of one request.
const maxTransfer = 1 << 20

// layout is what the device's configuration says.
type layout struct {
	capacity         uint64 // sectors
	blockSize        int    // bytes
	physicalExponent uint8  // blocks to a physical one, as a power of two
	queues           int
	sizeMax          uint32 // bytes of one segment of a request; 0: any
	segMax           uint32 // segments of a request
	maxDiscard       uint32 // sectors of one request
	maxZeroes        uint32
}

// readLayout reads the fields that the features in force make valid (§5.2.4).
func readLayout(d *virtio.Device) layout {
	has := func(f uint64) bool { return d.Features()&f != 0 }
	l := layout{
		capacity:  uint64(d.Config32(configCapacity)) | uint64(d.Config32(configCapacity+4))<<32,
		blockSize: sector, queues: 1, segMax: queueSize - 2,
	}
	if has(featureSizeMax) {
		l.sizeMax = d.Config32(configSizeMax)
	}
	if has(featureSegMax) {
		l.segMax = d.Config32(configSegMax)
	}
	if has(featureBlkSize) {
		l.blockSize = int(d.Config32(configBlkSize))
	}
	if has(featureTopology) {
		l.physicalExponent = d.Config8(configPhysicalExponent)
	}
	if has(featureMQ) {
		l.queues = int(d.Config16(configQueues))
	}
	if has(featureDiscard) {
		l.maxDiscard = d.Config32(configMaxDiscardSectors)
	}
	if has(featureWriteZeroes) {
		l.maxZeroes = d.Config32(configMaxZeroesSectors)
	}
	return l
}

// check says what of l no driver can work with.
func (l *layout) check(t virtio.Transport) error {
	switch b := l.blockSize; {
	case b < sector || b > 1<<16 || b&(b-1) != 0:
		return virtio.Errorf(t, "blk_size", "%d, want a power of two from %d to %d", b, sector, 1<<16)
	case l.capacity > maxSectors:
		return virtio.Errorf(t, "capacity", "%d sectors, more than %d", l.capacity, uint64(maxSectors))
	case l.queues == 0:
		return virtio.Errorf(t, "num_queues", "0, want at least 1")
	case l.sizeMax != 0 && l.sizeMax < uint32(b):
		return virtio.Errorf(t, "size_max", "%d, less than a block of %d", l.sizeMax, b)
	case l.physicalExponent > 20:
		return virtio.Errorf(t, "physical_block_exp", "%d, want at most 20", l.physicalExponent)
	}
	return nil
}

// size is the capacity in bytes, whole blocks.
func (l *layout) size() int64 { return int64(l.capacity) * sector &^ int64(l.blockSize-1) }

// transfer is the most bytes of one request, whole blocks. A buffer may lie in pages
// all over the memory, each of which is a segment, or in one piece.
func (l *layout) transfer() int {
	most := maxTransfer
	if l.sizeMax != 0 {
		most = min(most, int(l.sizeMax))
	}
	// The first page of a buffer may be a part of one.
	if pages := int(min(l.segMax, queueSize)) - 1; pages < most/pageSize {
		most = max(pages, 0) * pageSize
	}
	return max(most&^(l.blockSize-1), l.blockSize)
}

const pageSize = 4096
