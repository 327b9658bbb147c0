package netstack

import (
	"encoding/binary"
	"syscall"

	"gvisor.dev/gvisor/pkg/tcpip"
)

// Options of raw sockets (linux/icmp.h, linux/icmpv6.h, linux/in6.h).
const (
	solRaw       = 255
	icmpFilter   = 1
	icmpv6Filter = 1
	ipv6Hdrincl  = 36
)

// raw is the endpoint of a raw socket; nil: it is none.
func (k *sock) raw() *rawEndpoint {
	e, _ := k.ep.(*rawEndpoint)
	return e
}

// rawOption reads an option of another level than SOL_SOCKET, IPPROTO_IP and IPPROTO_IPV6.
func (k *sock) rawOption(level, name int) (any, error) {
	e := k.raw()
	switch {
	case level == solRaw && k.family == syscall.AF_INET6:
		return k.rawOption6(name)
	case level == solRaw && name == icmpFilter:
		if k.protocol != syscall.IPPROTO_ICMP {
			return nil, syscall.EOPNOTSUPP
		}
		return int(int32(e.filter.Load())), nil
	case level == syscall.IPPROTO_ICMPV6 && k.family == syscall.AF_INET6:
		if k.protocol != syscall.IPPROTO_ICMPV6 {
			return nil, syscall.EOPNOTSUPP
		}
		if name != icmpv6Filter {
			return nil, syscall.ENOPROTOOPT
		}
		var f tcpip.ICMPv6Filter
		if err := k.ep.GetSockOpt(&f); err != nil {
			return nil, errno(err)
		}
		var b []byte
		for _, w := range f.DenyType {
			b = binary.NativeEndian.AppendUint32(b, w)
		}
		return b, nil
	case level != solRaw && k.family == syscall.AF_INET:
		return nil, syscall.EOPNOTSUPP
	}
	return nil, syscall.ENOPROTOOPT
}

func (k *sock) setRawOption(level, name int, value []byte) error {
	e := k.raw()
	switch {
	case level == solRaw && k.family == syscall.AF_INET6:
		return k.setRawOption6(level, name, value)
	case level == solRaw && name == icmpFilter:
		if k.protocol != syscall.IPPROTO_ICMP {
			return syscall.EOPNOTSUPP
		}
		b := binary.NativeEndian.AppendUint32(nil, e.filter.Load())
		copy(b, value)
		e.filter.Store(binary.NativeEndian.Uint32(b))
		return nil
	case level == syscall.IPPROTO_ICMPV6 && k.family == syscall.AF_INET6:
		if k.protocol != syscall.IPPROTO_ICMPV6 {
			return syscall.EOPNOTSUPP
		}
		if name != icmpv6Filter {
			return syscall.ENOPROTOOPT
		}
		var f tcpip.ICMPv6Filter
		if err := k.ep.GetSockOpt(&f); err != nil {
			return errno(err)
		}
		var b []byte
		for _, w := range f.DenyType {
			b = binary.NativeEndian.AppendUint32(b, w)
		}
		copy(b, value) // what is not there stays as it was
		for i := range f.DenyType {
			f.DenyType[i] = binary.NativeEndian.Uint32(b[4*i:])
		}
		return errno(k.ep.SetSockOpt(&f))
	}
	return syscall.ENOPROTOOPT
}

// rawOption6 reads what raw sockets of IPv6 have at IPPROTO_IPV6 and at SOL_RAW.
func (k *sock) rawOption6(name int) (any, error) {
	e := k.raw()
	switch {
	case e != nil && name == syscall.IPV6_CHECKSUM:
		return int(e.checksum.Load()), nil
	case e != nil && name == ipv6Hdrincl:
		return e.SocketOptions().GetHeaderIncluded(), nil
	}
	return nil, syscall.ENOPROTOOPT
}

func (k *sock) setRawOption6(level, name int, value []byte) error {
	e := k.raw()
	v, err := intValue(value)
	switch {
	case e == nil:
		return syscall.ENOPROTOOPT
	case err != nil:
		return err
	case name == ipv6Hdrincl:
		e.SocketOptions().SetHeaderIncluded(v != 0)
		return nil
	case name != syscall.IPV6_CHECKSUM:
		return syscall.ENOPROTOOPT
	case k.protocol == syscall.IPPROTO_ICMPV6 && level == syscall.IPPROTO_IPV6, v > 0 && v&1 != 0:
		return syscall.EINVAL // that of ICMPv6 is where it is (RFC 3542, 3.1)
	}
	e.checksum.Store(int32(max(v, -1)))
	return nil
}
