package netstack

import (
	"encoding/binary"
	"math"
	"syscall"

	"gvisor.dev/gvisor/pkg/tcpip"
)

// Option implements socket.Socket.
func (k *sock) Option(level, name int, dst []byte) (int, error) {
	v, err := k.value(level, name, len(dst))
	if err != nil {
		return 0, err
	}
	if is, ok := v.(bool); ok {
		v = int(boolInt(is))
	}
	switch v := v.(type) {
	case int:
		// Of those of IPv4 who has less room than that gets one byte (do_ip_getsockopt of Linux).
		if level == syscall.IPPROTO_IP && len(dst) > 0 && len(dst) < 4 && v >= 0 && v <= 255 {
			return copy(dst, []byte{byte(v)}), nil
		}
		return copy(dst, binary.NativeEndian.AppendUint32(nil, uint32(v))), nil
	case []byte:
		return copy(dst, v), nil
	case string:
		return copy(dst, v+"\x00"), nil
	}
	return 0, syscall.ENOPROTOOPT
}

// value returns the value of an option: an int, a bool, the bytes of a structure, or
// a string that a NUL byte ends. There is room for that many bytes.
func (k *sock) value(level, name, room int) (any, error) {
	switch {
	case level == syscall.SOL_SOCKET && name == soCookie && room < sizeCookie:
		return nil, syscall.EINVAL
	case level == syscall.SOL_SOCKET && name == syscall.SO_PEERNAME:
		return k.peerName(room)
	case level == syscall.SOL_SOCKET:
		return k.socketOption(name)
	case level == syscall.IPPROTO_IP && k.typ == syscall.SOCK_RAW && k.family == syscall.AF_INET6:
		return nil, syscall.ENOPROTOOPT // it has nothing of the other protocol
	case level == syscall.IPPROTO_IP:
		return k.ipOption(name)
	case level == syscall.IPPROTO_IPV6 && k.family == syscall.AF_INET6:
		return k.ipv6Option(name)
	case level == syscall.IPPROTO_TCP && k.stream():
		return k.tcpOption(name)
	case level == syscall.IPPROTO_UDP && k.protocol == syscall.IPPROTO_UDP:
		return k.udpOption(name)
	case k.typ == syscall.SOCK_RAW:
		return k.rawOption(level, name)
	case k.family == syscall.AF_INET:
		return nil, syscall.EOPNOTSUPP
	}
	return nil, syscall.ENOPROTOOPT
}

// SetOption implements socket.Socket.
func (k *sock) SetOption(level, name int, value []byte) error {
	k.settle()
	switch {
	case level == syscall.SOL_SOCKET:
		return k.setSocketOption(name, value)
	case level == syscall.IPPROTO_IP && k.typ == syscall.SOCK_RAW && k.family == syscall.AF_INET6:
		return syscall.ENOPROTOOPT
	case level == syscall.IPPROTO_IP:
		return k.setIPOption(name, value)
	case level == syscall.IPPROTO_IPV6 && k.family == syscall.AF_INET6:
		return k.setIPv6Option(name, value)
	case level == syscall.IPPROTO_TCP && k.stream():
		return k.setTCPOption(name, value)
	case level == syscall.IPPROTO_UDP && k.protocol == syscall.IPPROTO_UDP:
		return k.setUDPOption(name, value)
	case k.typ == syscall.SOCK_RAW:
		return k.setRawOption(level, name, value)
	}
	return syscall.ENOPROTOOPT
}

// intValue reads an option that is an int.
func intValue(b []byte) (int, error) {
	if len(b) < 4 {
		return 0, syscall.EINVAL
	}
	return int(int32(binary.NativeEndian.Uint32(b))), nil
}

// smallValue reads one that may be a single byte as well, as those of IP are, or none: 0.
func smallValue(b []byte) int {
	switch {
	case len(b) == 0:
		return 0
	case len(b) < 4:
		return int(b[0])
	}
	return int(int32(binary.NativeEndian.Uint32(b)))
}

// Options of SOL_SOCKET that package syscall does not have.
const (
	soProtocol       = 38
	soDomain         = 39
	soLockFilter     = 44
	soSelectErrQueue = 45
	soBusyPoll       = 46
	soIncomingCPU    = 49
	soIncomingNapiID = 56
	soCookie         = 57
	soZeroCopy       = 60
	soBindToIfindex  = 62
	soPreferBusy     = 69
	soPeerGroups     = 59

	sizeCookie = 8 // bytes of SO_COOKIE
)

// ifNameSize is IFNAMSIZ.
const ifNameSize = 16

func (k *sock) socketOption(name int) (any, error) {
	if v, ok := k.kept(syscall.SOL_SOCKET, name); ok {
		return v, nil
	}
	o := k.ep.SocketOptions()
	switch name {
	case syscall.SO_TYPE:
		return k.typ, nil
	case soProtocol:
		return k.protocol, nil
	case soDomain:
		return k.family, nil
	case syscall.SO_ERROR:
		err := k.takeError()
		if err == nil {
			err = k.errno(o.GetLastError())
		}
		if e := k.raw(); e != nil && err == nil {
			err = e.takeError()
		}
		number, _ := err.(syscall.Errno)
		return int(number), nil
	case syscall.SO_ACCEPTCONN:
		return o.GetAcceptConn() && !k.deaf.Load(), nil
	case syscall.SO_REUSEADDR:
		return o.GetReuseAddress(), nil
	case soReusePort:
		return o.GetReusePort(), nil
	case syscall.SO_KEEPALIVE:
		return o.GetKeepAlive(), nil
	case syscall.SO_BROADCAST:
		return o.GetBroadcast(), nil
	case syscall.SO_RCVBUF:
		return int(o.GetReceiveBufferSize()), nil
	case syscall.SO_SNDBUF:
		return int(o.GetSendBufferSize()), nil
	case syscall.SO_LINGER:
		l := o.GetLinger()
		b := binary.NativeEndian.AppendUint32(nil, boolInt(l.Enabled))
		return binary.NativeEndian.AppendUint32(b, uint32(l.Timeout.Seconds())), nil
	case syscall.SO_BINDTODEVICE:
		id := o.GetBindToDevice()
		if id == 0 {
			return []byte{}, nil
		}
		return k.s.FindNICNameFromID(tcpip.NICID(id)), nil
	case syscall.SO_TIMESTAMP, soTimestampNS, soTimestampNew, soTimestampNSNew:
		return int(k.settings.timestamp.Load()) == name, nil
	case syscall.SO_NO_CHECK:
		return o.GetNoChecksum(), nil
	case syscall.SO_RCVLOWAT:
		return k.settings.get(syscall.SOL_SOCKET, name, 1), nil
	case syscall.SO_SNDLOWAT:
		return 1, nil
	case soCookie:
		return binary.NativeEndian.AppendUint64(nil, k.ino.Load()), nil
	case soPeerGroups:
		return nil, syscall.ENODATA // no process is at the other end
	case soIncomingCPU:
		unset := -1 // nothing has come yet
		if k.stream() && k.begun() && !k.listening() {
			unset = 0
		}
		return k.settings.get(syscall.SOL_SOCKET, name, unset), nil
	case soIncomingNapiID:
		return 0, nil // no queue of a card's
	case soLockFilter:
		return k.settings.locked.Load(), nil
	case soBindToIfindex:
		return int(o.GetBindToDevice()), nil
	case syscall.SO_PEERCRED:
		b := binary.NativeEndian.AppendUint32(nil, 0) // no process is at the other end
		b = binary.NativeEndian.AppendUint32(b, math.MaxUint32)
		return binary.NativeEndian.AppendUint32(b, math.MaxUint32), nil
	}
	return nil, syscall.ENOPROTOOPT
}

func boolInt(b bool) uint32 {
	if b {
		return 1
	}
	return 0
}
