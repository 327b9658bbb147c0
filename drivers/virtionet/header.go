package virtionet

import (
	"encoding/binary"

	"github.com/yolkos/yolk/drivers/nic"
)

// header is struct virtio_net_hdr (§5.1.6), which stands before each frame.
type header struct {
	flags, gsoType        uint8
	hdrLen, gsoSize       uint16
	csumStart, csumOffset uint16
	numBuffers            uint16 // of a received frame; there always with VIRTIO_F_VERSION_1
}

const headerSize = 12

// Flags.
const (
	flagNeedsCsum = 1
	flagDataValid = 2
)

// Values of gsoType.
const (
	gsoNone  = 0
	gsoTCPv4 = 1
	gsoTCPv6 = 4
	gsoUDPL4 = 5
	gsoECN   = 0x80 // besides one of TCP
)

func (h *header) decode(b []byte) {
	_ = b[:headerSize]
	h.flags, h.gsoType = b[0], b[1]
	h.hdrLen = binary.LittleEndian.Uint16(b[2:])
	h.gsoSize = binary.LittleEndian.Uint16(b[4:])
	h.csumStart = binary.LittleEndian.Uint16(b[6:])
	h.csumOffset = binary.LittleEndian.Uint16(b[8:])
	h.numBuffers = binary.LittleEndian.Uint16(b[10:])
}

// encode writes the header of a frame to be sent (§5.1.6.2) into b.
func encode(b []byte, o *nic.Offload) {
	_ = b[:headerSize]
	var flags, gsoType uint8
	if o.NeedsChecksum {
		flags = flagNeedsCsum
	}
	switch o.GSO {
	case nic.GSOTCPv4:
		gsoType = gsoTCPv4
	case nic.GSOTCPv6:
		gsoType = gsoTCPv6
	case nic.GSOUDP:
		gsoType = gsoUDPL4
	}
	if o.ECN {
		gsoType |= gsoECN
	}
	b[0], b[1] = flags, gsoType
	binary.LittleEndian.PutUint16(b[2:], o.GSOHeader)
	binary.LittleEndian.PutUint16(b[4:], o.GSOSize)
	binary.LittleEndian.PutUint16(b[6:], o.ChecksumStart)
	binary.LittleEndian.PutUint16(b[8:], o.ChecksumOffset)
	binary.LittleEndian.PutUint16(b[10:], 0)
}

// offload is what the header says of a received frame of length bytes (§5.1.6.4); ok
// is false if that cannot be so. Features are those in force.
func (h *header) offload(length int, features uint64) (o nic.Offload, ok bool) {
	if features&featureGuestCsum == 0 {
		// The device must not say anything, and is not believed.
		return o, h.gsoType == gsoNone
	}
	o.ChecksumValid = h.flags&flagDataValid != 0
	if h.flags&flagNeedsCsum != 0 {
		o.NeedsChecksum, o.ChecksumStart, o.ChecksumOffset = true, h.csumStart, h.csumOffset
		if h.csumStart < nic.HeaderLen || int(h.csumStart)+int(h.csumOffset)+2 > length {
			return o, false
		}
	}
	if h.gsoType == gsoNone {
		return o, true
	}
	var feature uint64
	switch h.gsoType &^ gsoECN {
	case gsoTCPv4:
		o.GSO, feature = nic.GSOTCPv4, featureGuestTSO4
	case gsoTCPv6:
		o.GSO, feature = nic.GSOTCPv6, featureGuestTSO6
	}
	if h.gsoType&gsoECN != 0 {
		o.ECN = true
		if features&featureGuestECN == 0 {
			return o, false
		}
	}
	o.GSOSize, o.GSOHeader = h.gsoSize, h.hdrLen
	return o, features&feature != 0 && h.gsoSize > 0 && (o.NeedsChecksum || o.ChecksumValid)
}
