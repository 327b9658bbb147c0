package netstack

import (
	"encoding/binary"
	"syscall"

	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/header"
)

// Lengths of struct sockaddr_in and sockaddr_in6; the scope is optional (RFC 2133).
const (
	sizeSockaddrIn   = 16
	sizeSockaddrIn6  = 28
	sizeSockaddrIn6V = 24
)

// addressFamily returns the family of a sockaddr.
func addressFamily(b []byte) (int, error) {
	if len(b) < 2 {
		return 0, syscall.EINVAL
	}
	return int(binary.NativeEndian.Uint16(b)), nil
}

// decodeAddress reads a sockaddr of the internet's families. The address "any" has
// no length, as the stack has it.
func decodeAddress(b []byte) (a tcpip.FullAddress, family int, err error) {
	family, err = addressFamily(b)
	if err != nil {
		return a, 0, err
	}
	switch family {
	case syscall.AF_INET:
		if len(b) < sizeSockaddrIn {
			return a, family, syscall.EINVAL
		}
		a.Port = binary.BigEndian.Uint16(b[2:])
		if ip := [4]byte(b[4:8]); ip != [4]byte{} {
			a.Addr = tcpip.AddrFrom4(ip)
		}
	case syscall.AF_INET6:
		if len(b) < sizeSockaddrIn6V {
			return a, family, syscall.EINVAL
		}
		a.Port = binary.BigEndian.Uint16(b[2:])
		if ip := [16]byte(b[8:24]); ip != [16]byte{} {
			a.Addr = tcpip.AddrFrom16(ip)
			if len(b) >= sizeSockaddrIn6 && needsScope(a.Addr) {
				a.NIC = tcpip.NICID(binary.NativeEndian.Uint32(b[24:]))
			}
		}
	default:
		return a, family, syscall.EAFNOSUPPORT
	}
	return a, family, nil
}

// needsScope reports whether an address means something on one interface only.
func needsScope(a tcpip.Address) bool {
	return header.IsV6LinkLocalUnicastAddress(a) || header.IsV6LinkLocalMulticastAddress(a)
}

// appendAddress appends the sockaddr of a, as a socket of the family has it.
func appendAddress(b []byte, family int, a tcpip.FullAddress) []byte {
	b = binary.NativeEndian.AppendUint16(b, uint16(family))
	b = binary.BigEndian.AppendUint16(b, a.Port)
	if family == syscall.AF_INET {
		ip := to4(a.Addr)
		b = append(b, ip[:]...)
		return append(b, 0, 0, 0, 0, 0, 0, 0, 0)
	}
	b = append(b, 0, 0, 0, 0)
	ip := to16(a.Addr)
	b = append(b, ip[:]...)
	scope := uint32(0)
	if needsScope(a.Addr) {
		scope = uint32(a.NIC)
	}
	return binary.NativeEndian.AppendUint32(b, scope)
}

// to4 returns an IPv4 address, also a mapped one; 0.0.0.0 for any.
func to4(a tcpip.Address) (ip [4]byte) {
	if b := a.AsSlice(); len(b) >= 4 {
		copy(ip[:], b[len(b)-4:])
	}
	return ip
}

// to16 returns an IPv6 address, or the mapped one of an IPv4 address; :: for any.
func to16(a tcpip.Address) (ip [16]byte) {
	switch a.Len() {
	case 4:
		ip[10], ip[11] = 0xff, 0xff
		copy(ip[12:], a.AsSlice())
	case 16:
		ip = a.As16()
	}
	return ip
}
