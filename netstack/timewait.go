package netstack

import (
	"time"

	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/transport/tcp"
)

// What is left of a connection stays for a while (TIME_WAIT, RFC 9293 §3.6), and takes
// memory, some 10 KiB each. When there are many, those that follow stay a shorter
// while, as on Linux those beyond net.ipv4.tcp_max_tw_buckets stay none.
const (
	timeWait      = 60 * time.Second
	timeWaitShort = time.Second

	// timeWaitShare is the part of the memory that may be used up before, in
	// connections of timeWaitBytes.
	timeWaitShare = 16
	timeWaitBytes = 10 << 10
	timeWaitMin   = 1024
	timeWaitMax   = 16384

	// timeWaitEvery is after how many new sockets they are counted.
	timeWaitEvery = 256
)

// timeWaitLimit is how many there may be before that.
func timeWaitLimit(memory uint64) int {
	if memory == 0 {
		return timeWaitMax
	}
	return int(min(max(memory/timeWaitShare/timeWaitBytes, timeWaitMin), timeWaitMax))
}

// countTimeWait counts them once in a while. The caller has just made a socket.
func (s *Stack) countTimeWait() {
	if s.made.Add(1)%timeWaitEvery != 0 {
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
		stay = tcpip.TCPTimeWaitTimeoutOption(timeWaitShort)
	}
	_ = s.SetTransportProtocolOption(tcp.ProtocolNumber, &stay) // TCP has it
}
