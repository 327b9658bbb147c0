package nic

// Sendable reports whether a device with these offloads and this MTU can send f.
func (o Offloads) Sendable(f *Frame, mtu int) bool {
	n := f.Len()
	if n < HeaderLen || n > MaxFrame {
		return false
	}
	if f.NeedsChecksum && (!o.Checksum || f.ChecksumStart < HeaderLen || int(f.ChecksumStart)+int(f.ChecksumOffset)+2 > n) {
		return false
	}
	if f.ECN && !o.ECN {
		return false
	}
	segments := false
	switch f.GSO {
	case GSONone:
		return n <= mtu+HeaderLen
	case GSOTCPv4:
		segments = o.TSO4
	case GSOTCPv6:
		segments = o.TSO6
	case GSOUDP:
		segments = o.USO
	}
	return segments && f.NeedsChecksum && f.GSOSize > 0 && f.GSOHeader >= f.ChecksumStart && int(f.GSOHeader) <= n
}
