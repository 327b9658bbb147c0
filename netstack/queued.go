package netstack

import (
	"encoding/binary"
	"reflect"
	"syscall"

	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/transport/tcp"
)

// siocOutqNsd is SIOCOUTQNSD (tcp(7)). SIOCINQ is answered by Readable.
const siocOutqNsd = 0x894b

// Readable implements fs.ReadableFile. Sockets of ping have no such request.
func (k *sock) Readable() (int, error) {
	switch {
	case k.ping():
		return 0, syscall.ENOTTY
	case k.deaf.Load():
		return 0, nil
	}
	return k.received()
}

// received is how many bytes of a connection are there to be read, or of the next datagram.
func (k *sock) received() (int, error) {
	n, err := k.ep.GetSockOptInt(tcpip.ReceiveQueueSizeOption)
	return n, errno(err)
}

// ping reports whether the socket is one of echoes.
func (k *sock) ping() bool {
	return k.typ == syscall.SOCK_DGRAM && (k.protocol == syscall.IPPROTO_ICMP || k.protocol == syscall.IPPROTO_ICMPV6)
}

// queueIoctl answers requests on queues, if cmd is one.
func (k *sock) queueIoctl(cmd uint32, out []byte) (is bool, err error) {
	n := 0
	switch {
	case k.ping():
		return false, nil
	case cmd == syscall.TIOCOUTQ && !k.stream():
		// Datagrams are the device's, or whoever's who hears them, at once.
	case cmd == syscall.SIOCATMARK && k.stream():
		// There are no urgent data, so there is always more than those before a mark.
	case (cmd == syscall.TIOCOUTQ || cmd == siocOutqNsd) && k.stream():
		if n, err = k.queued(cmd == siocOutqNsd); err != nil {
			return true, err
		}
	default:
		return false, nil
	}
	binary.NativeEndian.PutUint32(out, uint32(n))
	return true, nil
}

// queued is how many bytes of a connection are not acknowledged, or not even sent.
func (k *sock) queued(unsent bool) (n int, err error) {
	ep := k.ep.(*tcp.Endpoint)
	switch ep.EndpointState() {
	case tcp.StateListen:
		return 0, syscall.EINVAL
	case tcp.StateInitial, tcp.StateBound, tcp.StateConnecting, tcp.StateSynSent, tcp.StateSynRecv, tcp.StateClose, tcp.StateError:
		return 0, nil
	}
	// The stack has no way to ask, but it counts.
	ep.LockUser()
	defer ep.UnlockUser()
	of := reflect.ValueOf(ep).Elem()
	n = int(of.FieldByName("sndQueueInfo").FieldByName("SndBufUsed").Int())
	if sender := of.FieldByName("snd"); unsent && !sender.IsNil() {
		sender = sender.Elem()
		n -= int(uint32(sender.FieldByName("SndNxt").Uint()) - uint32(sender.FieldByName("SndUna").Uint()))
	}
	return max(n, 0), nil // the end of a stream has a number as well
}
