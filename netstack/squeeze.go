package netstack

import (
	"syscall"

	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/transport/tcp"
)

// Sizes of a connection's buffers, in bytes: what it begins with and how far it may
// grow, as shares of the memory. While memory is short it begins with, and keeps,
// bufferShort.
const (
	bufferMin          = 4 << 10
	bufferShort        = 16 << 10
	bufferDefaultShare = 1024
	bufferDefaultMin   = 64 << 10
	bufferDefaultMax   = 1 << 20
	bufferMaxShare     = 64
	bufferMaxMin       = 512 << 10
	bufferMaxMax       = 4 << 20
	// A datagram socket's buffer, as Linux has it (net.core.rmem_default).
	datagramDefault = 212992
)

// bufferSizes are what a connection's buffers begin with, and grow to.
func bufferSizes(memory uint64) (def, limit int) {
	if memory == 0 {
		return bufferDefaultMax, bufferMaxMax
	}
	def = int(min(max(memory/bufferDefaultShare, bufferDefaultMin), bufferDefaultMax))
	limit = int(min(max(memory/bufferMaxShare, bufferMaxMin), bufferMaxMax))
	return def, limit
}

// setBuffers sets that for connections to come, and for how far others grow.
func (s *Stack) setBuffers(def, limit int) tcpip.Error {
	send := tcpip.TCPSendBufferSizeRangeOption{Min: bufferMin, Default: def, Max: limit}
	receive := tcpip.TCPReceiveBufferSizeRangeOption{Min: bufferMin, Default: def, Max: limit}
	if err := s.SetTransportProtocolOption(tcp.ProtocolNumber, &send); err != nil {
		return err
	}
	return s.SetTransportProtocolOption(tcp.ProtocolNumber, &receive)
}

// pressed is told how scarce memory is, one time after the other.
func (s *Stack) pressed(now pressure) {
	if now == memoryFree || s.fewOpen() {
		s.letGo()
	}
	switch {
	case now >= memoryShort && !s.squeezed:
		s.squeezed = true
		_ = s.setBuffers(bufferShort, bufferShort) // TCP has these options
		s.squeeze()
	case now == memoryFree && s.squeezed:
		s.squeezed = false
		_ = s.setBuffers(bufferSizes(s.memory.total)) // and these values
	}
}

// squeeze shrinks the buffers that there are, and gives up what is closed and not
// confirmed, but for a part of it. What is in a buffer stays there.
func (s *Stack) squeeze() {
	held := map[tcpip.Endpoint]bool{}
	s.mu.Lock()
	for ep, k := range s.sockets {
		held[ep] = true
		if k.typ != syscall.SOCK_STREAM {
			continue
		}
		o := ep.SocketOptions()
		o.SetReceiveBufferSize(min(o.GetReceiveBufferSize(), bufferShort), false)
		o.SetSendBufferSize(min(o.GetSendBufferSize(), bufferShort), false)
	}
	s.mu.Unlock()
	left := s.timeWaitLimit
	for _, e := range s.RegisteredEndpoints() {
		ep, ok := e.(*tcp.Endpoint)
		if !ok || held[ep] {
			continue
		}
		switch ep.EndpointState() {
		case tcp.StateFinWait1, tcp.StateFinWait2, tcp.StateClosing, tcp.StateLastAck:
			if left--; left < 0 {
				ep.Abort()
			}
		}
	}
}
