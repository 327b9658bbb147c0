package netstack

import (
	"math"
	"syscall"
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
	case udpGRO:
		if k.settings.together.Load() {
			return 1, nil
		}
		return 0, nil
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
	case udpGRO:
		k.settings.together.Store(v != 0)
	case udpEncap:
		if v != 0 {
			return syscall.ENOPROTOOPT
		}
	default:
		return syscall.ENOPROTOOPT
	}
	return nil
}
