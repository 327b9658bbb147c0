package netstack

import (
	"bytes"
	"encoding/binary"
	"math"
	"syscall"
	"time"

	"gvisor.dev/gvisor/pkg/tcpip"
)

const soReusePort = 15 // SO_REUSEPORT

// setSocketOption sets an option of SOL_SOCKET.
func (k *sock) setSocketOption(name int, value []byte) error {
	o := k.ep.SocketOptions()
	switch name {
	case syscall.SO_BINDTODEVICE:
		return k.bindToDevice(value)
	case syscall.SO_LINGER:
		return k.setLinger(value)
	case syscall.SO_ATTACH_FILTER:
		return k.attachFilter(value)
	}
	// What is too short is so whatever the name is.
	v, err := intValue(value)
	if err != nil {
		return err
	}
	if name == soZeroCopy && k.protocol != syscall.IPPROTO_TCP && k.protocol != syscall.IPPROTO_UDP {
		return syscall.EOPNOTSUPP
	}
	if ok, err := k.keep(syscall.SOL_SOCKET, name, v); ok {
		return err
	}
	switch name {
	case syscall.SO_REUSEADDR:
		o.SetReuseAddress(v != 0)
	case soReusePort:
		o.SetReusePort(v != 0)
	case syscall.SO_KEEPALIVE:
		o.SetKeepAlive(v != 0)
	case syscall.SO_BROADCAST:
		o.SetBroadcast(v != 0)
	case syscall.SO_RCVBUF:
		least, most := o.ReceiveBufferLimits()
		o.SetReceiveBufferSize(bufferSize(v, least, most), true)
	case syscall.SO_SNDBUF:
		least, most := o.SendBufferLimits()
		o.SetSendBufferSize(bufferSize(v, least, most), true)
	case syscall.SO_RCVBUFFORCE:
		least, _ := o.ReceiveBufferLimits()
		o.SetReceiveBufferSize(bufferSize(max(v, 0), least, bufferForced), true)
	case syscall.SO_SNDBUFFORCE:
		least, _ := o.SendBufferLimits()
		o.SetSendBufferSize(bufferSize(max(v, 0), least, bufferForced), true)
	case syscall.SO_TIMESTAMP, soTimestampNS, soTimestampNew, soTimestampNSNew:
		if v == 0 {
			name = 0
		}
		k.settings.timestamp.Store(int32(name))
	case syscall.SO_NO_CHECK:
		o.SetNoChecksum(v != 0)
	case syscall.SO_DETACH_FILTER:
		if k.settings.locked.Load() {
			return syscall.EPERM
		}
		if k.settings.program.Swap(nil) == nil {
			return syscall.ENOENT
		}
	case soLockFilter:
		if v == 0 && k.settings.locked.Load() {
			return syscall.EPERM
		}
		k.settings.locked.Store(v != 0)
	case syscall.SO_RCVLOWAT:
		if v < 0 {
			v = math.MaxInt32
		}
		k.settings.note(syscall.SOL_SOCKET, name, max(v, 1))
	case soIncomingCPU:
		k.settings.note(syscall.SOL_SOCKET, name, v)
	case soBindToIfindex:
		if v < 0 {
			return syscall.EINVAL
		}
		return errno(o.SetBindToDevice(int32(v)))
	default:
		return syscall.ENOPROTOOPT
	}
	return nil
}

// attachFilter has a filter say which datagrams the socket gets.
func (k *sock) attachFilter(value []byte) error {
	if k.stream() {
		return syscall.ENOPROTOOPT
	}
	f, err := parseFilter(value)
	if err == nil && k.settings.locked.Load() {
		err = syscall.EPERM
	}
	if err == nil {
		k.settings.program.Store(&f)
	}
	return err
}

// bufferForced is how much of a buffer can be had by force, in bytes: as much as the
// option can tell of, twice.
const bufferForced = math.MaxInt32 / 2

// bufferSize is what becomes of a size that a program asks for: twice as much, as
// socket(7) has it, within the limits.
func bufferSize(v int, least, most int64) int64 {
	if v < 0 {
		v = math.MaxInt32
	}
	return min(max(2*min(int64(v), most), least), 2*most)
}

func (k *sock) bindToDevice(value []byte) error {
	name, _, _ := bytes.Cut(value, []byte{0})
	if len(name) > ifNameSize-1 {
		name = name[:ifNameSize-1]
	}
	if len(name) == 0 {
		return errno(k.ep.SocketOptions().SetBindToDevice(0))
	}
	for id, info := range k.s.NICInfo() {
		if info.Name == string(name) {
			return errno(k.ep.SocketOptions().SetBindToDevice(int32(id)))
		}
	}
	return syscall.ENODEV
}

func (k *sock) setLinger(value []byte) error {
	if len(value) < 8 {
		return syscall.EINVAL
	}
	on, seconds := binary.NativeEndian.Uint32(value), binary.NativeEndian.Uint32(value[4:])
	k.ep.SocketOptions().SetLinger(tcpip.LingerOption{Enabled: on != 0, Timeout: time.Duration(seconds) * time.Second})
	return nil
}
