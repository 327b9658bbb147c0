package netstack

import (
	"encoding/binary"
	"syscall"

	"gvisor.dev/gvisor/pkg/tcpip"

	"github.com/yolkos/yolk/fs"
)

// Requests on sockets (netdevice(7), tcp(7)) that are answered. Addresses are changed by
// rtnetlink(7) alone: those requests are EPERM.
const (
	siocGifName    = 0x8910
	siocGifConf    = 0x8912
	siocGifFlags   = 0x8913
	siocSifFlags   = 0x8914
	siocGifAddr    = 0x8915
	siocSifAddr    = 0x8916
	siocGifBrdaddr = 0x8919
	siocGifNetmask = 0x891b
	siocSifNetmask = 0x891c
	siocGifMetric  = 0x891d
	siocGifMTU     = 0x8921
	siocSifMTU     = 0x8922
	siocGifHwaddr  = 0x8927
	siocGifIndex   = 0x8933
	siocGifTxqlen  = 0x8942
	siocEthtool    = 0x8946 // ethtool(8): no interface has any of its commands
)

// sizeIfreq is the length of struct ifreq: a name of 16 bytes, and a union.
const sizeIfreq = 40

// Ioctl implements fs.IoctlFile.
func (k *sock) Ioctl(cmd uint32, _ uint64, in, out []byte) (int32, int, error) {
	if len(out) >= 4 {
		if is, err := k.queueIoctl(cmd, out); err != nil {
			return 0, 0, err
		} else if is {
			return 0, 4, nil
		}
	}
	return k.s.ioctl(cmd, in, out)
}

// ioctl answers requests on interfaces.
func (s *Stack) ioctl(cmd uint32, in, out []byte) (int32, int, error) {
	switch cmd {
	case siocGifConf:
		return 0, s.interfaceList(out), nil
	case siocSifAddr, siocSifNetmask:
		return 0, 0, syscall.EPERM
	case siocSifFlags, siocSifMTU, siocGifName, siocGifFlags, siocGifAddr, siocGifBrdaddr, siocGifNetmask, siocGifMetric, siocGifMTU, siocGifHwaddr, siocGifIndex, siocGifTxqlen, siocEthtool:
	default:
		return 0, 0, syscall.ENOTTY
	}
	if len(in) < sizeIfreq || len(out) < sizeIfreq {
		return 0, 0, syscall.EFAULT
	}
	copy(out, in[:sizeIfreq])
	for _, i := range s.Interfaces() {
		if cmd == siocGifName && i.Index == int(int32(binary.NativeEndian.Uint32(in[ifNameSize:]))) {
			clear(out[:ifNameSize])
			copy(out, i.Name)
			return 0, sizeIfreq, nil
		}
		if cmd != siocGifName && i.Name == cString(in[:ifNameSize]) {
			switch cmd {
			case siocSifFlags:
				flags := binary.NativeEndian.Uint16(in[ifNameSize:])
				return 0, 0, s.setUp(tcpip.NICID(i.Index), flags&syscall.IFF_UP != 0)
			case siocSifMTU:
				return 0, 0, s.setMTU(tcpip.NICID(i.Index), binary.NativeEndian.Uint32(in[ifNameSize:]))
			}
			clear(out[ifNameSize:sizeIfreq])
			return 0, sizeIfreq, i.answer(cmd, out[ifNameSize:sizeIfreq])
		}
	}
	return 0, 0, syscall.ENODEV
}

// answer fills the union of struct ifreq.
func (i *Interface) answer(cmd uint32, to []byte) error {
	switch cmd {
	case siocGifFlags:
		binary.NativeEndian.PutUint16(to, uint16(i.Flags()))
	case siocGifMTU:
		binary.NativeEndian.PutUint32(to, uint32(i.MTU))
	case siocGifIndex:
		binary.NativeEndian.PutUint32(to, uint32(i.Index))
	case siocEthtool:
		return syscall.EOPNOTSUPP
	case siocGifTxqlen:
		binary.NativeEndian.PutUint32(to, 1000)
	case siocGifHwaddr:
		binary.NativeEndian.PutUint16(to, i.hardware())
		copy(to[2:], i.Address)
	case siocGifAddr, siocGifNetmask, siocGifBrdaddr:
		for _, p := range i.Addresses {
			if p.Addr().Is4() {
				ip := p.Addr().As4()
				mask := maskOf(p.Bits())
				for n := range ip {
					switch {
					case cmd == siocGifNetmask:
						ip[n] = mask[n]
					case cmd == siocGifBrdaddr && i.Loopback:
						ip[n] = 0
					case cmd == siocGifBrdaddr:
						ip[n] |= ^mask[n]
					}
				}
				binary.NativeEndian.PutUint16(to, syscall.AF_INET)
				copy(to[4:], ip[:])
				return nil
			}
		}
		return syscall.EADDRNOTAVAIL
	}
	return nil
}

// interfaceList fills out with struct ifreq of each address of IPv4, and returns how
// many bytes those take.
func (s *Stack) interfaceList(out []byte) (n int) {
	for _, i := range s.Interfaces() {
		for _, p := range i.Addresses {
			if !p.Addr().Is4() || len(out)-n < sizeIfreq {
				continue
			}
			r := out[n : n+sizeIfreq]
			clear(r)
			copy(r[:ifNameSize-1], i.Name)
			_ = i.answer(siocGifAddr, r[ifNameSize:]) // it has one
			n += sizeIfreq
		}
	}
	return n
}

var _ fs.IoctlFile = (*sock)(nil)
