package netstack

import (
	"encoding/binary"
	"math"
	"syscall"

	"gvisor.dev/gvisor/pkg/tcpip"
)

// Options of IPPROTO_UDP (linux/udp.h).
const (
	udpCork      = 1
	udpEncap     = 100
	udpNoCheck6T = 101
	udpNoCheck6R = 102
	// udpMaxSegments is how many datagrams one UDP_SEGMENT may make.
	udpMaxSegments = 128
)

func (k *sock) udpOption(name int) (any, error) {
	switch name {
	case udpSegment:
		return int(k.settings.segment.Load()), nil
	case udpCork, udpEncap:
		return 0, nil
	}
	if v, ok := k.kept(syscall.IPPROTO_UDP, name); ok {
		return v, nil
	}
	return nil, syscall.ENOPROTOOPT
}

func (k *sock) setUDPOption(name int, value []byte) error {
	v, err := intValue(value)
	if err != nil {
		return err
	}
	if ok, err := k.keep(syscall.IPPROTO_UDP, name, v); ok {
		return err
	}
	switch name {
	case udpSegment:
		if v < 0 || v > math.MaxUint16 {
			return syscall.EINVAL
		}
		k.settings.segment.Store(int32(v))
	case udpEncap:
		if v != 0 {
			return syscall.ENOPROTOOPT
		}
	default:
		return syscall.ENOPROTOOPT
	}
	return nil
}

// Options of raw sockets (linux/icmp.h, linux/icmpv6.h).
const (
	solRaw       = 255
	icmpFilter   = 1
	icmpv6Filter = 1
)

func (k *sock) rawOption(level, name int) (any, error) {
	switch {
	case level == solRaw && name == icmpFilter && k.protocol == syscall.IPPROTO_ICMP:
		return int(int32(k.settings.filter.Load())), nil
	case level == syscall.IPPROTO_ICMPV6 && name == icmpv6Filter && k.protocol == syscall.IPPROTO_ICMPV6:
		var f tcpip.ICMPv6Filter
		if err := k.ep.GetSockOpt(&f); err != nil {
			return nil, errno(err)
		}
		var b []byte
		for _, w := range f.DenyType {
			b = binary.NativeEndian.AppendUint32(b, w)
		}
		return b, nil
	}
	return nil, syscall.ENOPROTOOPT
}

func (k *sock) setRawOption(level, name int, value []byte) error {
	switch {
	case level == solRaw && name == icmpFilter && k.protocol == syscall.IPPROTO_ICMP:
		v, err := intValue(value)
		if err == nil {
			k.settings.filter.Store(uint32(v))
		}
		return err
	case level == syscall.IPPROTO_ICMPV6 && name == icmpv6Filter && k.protocol == syscall.IPPROTO_ICMPV6:
		var f tcpip.ICMPv6Filter
		if len(value) < 4*len(f.DenyType) {
			return syscall.EINVAL
		}
		for i := range f.DenyType {
			f.DenyType[i] = binary.NativeEndian.Uint32(value[4*i:])
		}
		return errno(k.ep.SetSockOpt(&f))
	case level == syscall.IPPROTO_ICMPV6 && name == syscall.IPV6_CHECKSUM, level == solRaw && name == syscall.IPV6_CHECKSUM:
		return k.setIPv6Option(syscall.IPV6_CHECKSUM, value)
	}
	return syscall.ENOPROTOOPT
}
