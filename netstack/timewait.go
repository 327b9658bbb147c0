package netstack

import (
	"time"

	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/transport/tcp"
)

// What is left of a connection stays for a while (TIME_WAIT, RFC 9293 §3.6), and takes
// endpointBytes. When there are many, those that follow do not stay, as on Linux those
// beyond net.ipv4.tcp_max_tw_buckets.
const (
	timeWait = 60 * time.Second

	// timeWaitShare is the part of the memory that they may take.
	timeWaitShare = 32
	timeWaitMin   = 64
	timeWaitMax   = 16384

	// timeWaitEvery is after how many new sockets they are counted, at most.
	timeWaitEvery = 256
)

// timeWaitLimit is how many there may be before that.
func timeWaitLimit(memory uint64) int {
	if memory == 0 {
		return timeWaitMax
	}
	return int(min(max(memory/timeWaitShare/endpointBytes, timeWaitMin), timeWaitMax))
}

// countTimeWait counts them once in a while. The caller has just made a socket.
func (s *Stack) countTimeWait() {
	if s.made.Add(1)%uint64(min(max(s.timeWaitLimit/4, 1), timeWaitEvery)) != 0 {
		return
	}
	n := 0
	for _, e := range s.RegisteredEndpoints() {
		if ep, ok := e.(*tcp.Endpoint); ok && ep.EndpointState() == tcp.StateTimeWait {
			n++
		}
	}
	stay := tcpip.TCPTimeWaitTimeoutOption(timeWait)
	if n > s.timeWaitLimit {
		stay = 0
	}
	_ = s.SetTransportProtocolOption(tcp.ProtocolNumber, &stay) // TCP has it
}
