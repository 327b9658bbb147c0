package netstack

import (
	"encoding/binary"
	"fmt"
	"slices"
	"testing"

	"golang.org/x/sys/unix"
)

// cmsg is ancillary data.
func cmsg(level, typ int, data ...byte) []byte {
	b := binary.NativeEndian.AppendUint64(nil, uint64(sizeCmsghdr+len(data)))
	b = binary.NativeEndian.AppendUint32(b, uint32(level))
	b = binary.NativeEndian.AppendUint32(b, uint32(typ))
	b = append(b, data...)
	return append(b, make([]byte, -len(data)&7)...)
}

func cmsgInt(level, typ int, v int32) []byte {
	return cmsg(level, typ, binary.NativeEndian.AppendUint32(nil, uint32(v))...)
}

// pktinfo4 and pktinfo6 are struct in_pktinfo and in6_pktinfo.
func pktinfo4(index uint32, source ...byte) []byte {
	b := binary.NativeEndian.AppendUint32(nil, index)
	return cmsg(unix.IPPROTO_IP, unix.IP_PKTINFO, append(append(b, source...), 0, 0, 0, 0)...)
}

func pktinfo6(index uint32, source []byte) []byte {
	return cmsg(unix.IPPROTO_IPV6, unix.IPV6_PKTINFO, binary.NativeEndian.AppendUint32(slices.Clone(source), index)...)
}

var (
	loop6   = []byte{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}
	other6  = []byte{0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9}
	any6    = make([]byte, 16)
	mapped1 = []byte{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 127, 0, 0, 1}
	mapped2 = []byte{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 127, 0, 0, 2}
)

// v6Address is a struct sockaddr_in6.
func v6Address(port uint16, ip []byte) []byte {
	b := append([]byte{unix.AF_INET6, 0, byte(port >> 8), byte(port), 0, 0, 0, 0}, ip...)
	return append(b, 0, 0, 0, 0)
}

// TestControl: ancillary data of datagrams, sent and received, judged by Linux.
func TestControl(t *testing.T) {
	four := [][]byte{
		nil, pktinfo4(0, 127, 0, 0, 2), pktinfo4(1, 0, 0, 0, 0), pktinfo4(1, 127, 9, 9, 9), pktinfo4(99, 0, 0, 0, 0), pktinfo4(0, 1, 2, 3, 4),
		cmsg(unix.IPPROTO_IP, unix.IP_PKTINFO, 1, 2, 3), cmsgInt(unix.IPPROTO_IP, unix.IP_TTL, 7), cmsgInt(unix.IPPROTO_IP, unix.IP_TTL, 0),
		cmsgInt(unix.IPPROTO_IP, unix.IP_TTL, 256), cmsgInt(unix.IPPROTO_IP, unix.IP_TTL, -1), cmsg(unix.IPPROTO_IP, unix.IP_TTL, 7), cmsgInt(unix.IPPROTO_IP, unix.IP_TOS, 0x28),
		cmsg(unix.IPPROTO_IP, unix.IP_TOS, 3), cmsgInt(unix.IPPROTO_IP, unix.IP_TOS, 256), cmsgInt(unix.IPPROTO_IP, unix.IP_TOS, -1), cmsg(unix.IPPROTO_IP, unix.IP_TOS, 3, 3),
		cmsgInt(unix.IPPROTO_IP, 9999, 1), cmsgInt(9999, 1, 1), cmsgInt(unix.IPPROTO_IPV6, unix.IPV6_TCLASS, 1),
		slices.Concat(pktinfo4(1, 127, 0, 0, 3), cmsgInt(unix.IPPROTO_IP, unix.IP_TTL, 9), cmsgInt(unix.IPPROTO_IP, unix.IP_TOS, 1)),
	}
	six := [][]byte{
		nil, pktinfo6(0, loop6), pktinfo6(1, any6), pktinfo6(1, loop6), pktinfo6(99, any6), pktinfo6(0, other6), pktinfo6(0, mapped2), pktinfo6(1, mapped1),
		cmsg(unix.IPPROTO_IPV6, unix.IPV6_PKTINFO, 1, 2, 3), cmsgInt(unix.IPPROTO_IPV6, unix.IPV6_HOPLIMIT, 7), cmsgInt(unix.IPPROTO_IPV6, unix.IPV6_HOPLIMIT, 0),
		cmsgInt(unix.IPPROTO_IPV6, unix.IPV6_HOPLIMIT, -1), cmsgInt(unix.IPPROTO_IPV6, unix.IPV6_HOPLIMIT, -2), cmsgInt(unix.IPPROTO_IPV6, unix.IPV6_HOPLIMIT, 256),
		cmsgInt(unix.IPPROTO_IPV6, unix.IPV6_TCLASS, 0x28), cmsgInt(unix.IPPROTO_IPV6, unix.IPV6_TCLASS, -1), cmsgInt(unix.IPPROTO_IPV6, unix.IPV6_TCLASS, -2),
		cmsgInt(unix.IPPROTO_IPV6, unix.IPV6_TCLASS, 256), cmsg(unix.IPPROTO_IPV6, unix.IPV6_TCLASS, 1), cmsgInt(unix.IPPROTO_IPV6, 9999, 1), cmsgInt(unix.IPPROTO_IP, unix.IP_TOS, 4),
		cmsgInt(unix.IPPROTO_IP, unix.IP_TTL, 4),
		slices.Concat(pktinfo6(1, loop6), cmsgInt(unix.IPPROTO_IPV6, unix.IPV6_HOPLIMIT, 9), cmsgInt(unix.IPPROTO_IPV6, unix.IPV6_TCLASS, 1)),
	}
	for _, tt := range []struct {
		name    string
		domain  int
		from    []byte
		to      []byte
		bound   []byte
		control [][]byte
	}{
		{"4", unix.AF_INET, v4(5001, 0, 0, 0, 0), v4(5000, 127, 0, 0, 1), v4(5000, 0, 0, 0, 0), four},
		{"4 bound", unix.AF_INET, v4(5001, 127, 0, 0, 5), v4(5000, 127, 0, 0, 1), v4(5000, 127, 0, 0, 1), four},
		{"6", unix.AF_INET6, v6Address(5001, any6), v6Address(5000, loop6), v6Address(5000, any6), six},
		{"6 bound", unix.AF_INET6, v6Address(5001, loop6), v6Address(5000, loop6), v6Address(5000, loop6), six},
		{"mapped", unix.AF_INET6, v6Address(5001, any6), v6Address(5000, mapped1), v6Address(5000, any6), append(six, four...)},
	} {
		for _, connected := range []bool{false, true} {
			t.Run(fmt.Sprint(tt.name, connected), func(t *testing.T) {
				judge(t, func(c *calls) {
					r, s := c.socket(tt.domain, unix.SOCK_DGRAM, 0), c.socket(tt.domain, unix.SOCK_DGRAM, 0)
					c.note("bind %v %v", c.bind(r, tt.bound), c.bind(s, tt.from))
					for _, o := range [][2]int{
						{unix.SOL_SOCKET, unix.SO_TIMESTAMPNS}, {unix.IPPROTO_IP, unix.IP_PKTINFO}, {unix.IPPROTO_IP, unix.IP_RECVTTL}, {unix.IPPROTO_IP, unix.IP_RECVTOS},
						{unix.IPPROTO_IPV6, unix.IPV6_RECVPKTINFO}, {unix.IPPROTO_IPV6, unix.IPV6_RECVHOPLIMIT}, {unix.IPPROTO_IPV6, unix.IPV6_RECVTCLASS},
					} {
						if o[0] != unix.IPPROTO_IPV6 || tt.domain == unix.AF_INET6 {
							c.note("set %v: %v", o, c.setInt(r, o[0], o[1], 1))
						}
					}
					to := tt.to
					if connected {
						c.note("connect: %v", c.connect(s, tt.to))
						to = nil
					}
					for _, control := range tt.control {
						n, e := c.sendmsg(s, []byte("hello"), to, control)
						c.note("send %x: %d %v", control, n, e)
						if e != 0 {
							continue
						}
						m := c.recvmsg(r, 100, 0)
						c.note("with %x came %q from %x, flags %#x, %s, %v", control, m.data, m.addr, m.flags, m.cmsgs(), m.e)
					}
					c.close(r)
					c.close(s)
				})
			})
		}
	}
}
