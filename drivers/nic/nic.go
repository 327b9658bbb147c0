// Package nic says what a network interface card is to a network stack: Ethernet
// frames in batches, in and out, and what of a frame's making is left to the other
// side. Drivers implement Device; Pair makes two that are joined by a wire, so that
// two stacks talk in one process.
package nic

import "fmt"

// Lengths in bytes.
const (
	AddressLen = 6
	HeaderLen  = 14 // of an Ethernet frame: destination, source, type
	MinMTU     = 68 // the least that a link may have (RFC 791)
	MaxMTU     = 65535
	MaxFrame   = HeaderLen + 65535 // the largest frame, segmented or not
)

// Address is an Ethernet address.
type Address [AddressLen]byte

// String returns the address as people write it: "52:54:00:12:34:56".
func (a Address) String() string {
	return fmt.Sprintf("%02x:%02x:%02x:%02x:%02x:%02x", a[0], a[1], a[2], a[3], a[4], a[5])
}

// Multicast reports whether the address is that of a group, which the broadcast
// address is as well.
func (a Address) Multicast() bool { return a[0]&1 != 0 }

// Broadcast is the address of everybody.
var Broadcast = Address{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}

// GSO is by which protocol a frame is to be cut into segments, or was put together
// from them (generic segmentation offload).
type GSO uint8

// What can be segmented.
const (
	GSONone GSO = iota
	GSOTCPv4
	GSOTCPv6
	GSOUDP // datagrams of one size, UDP_SEGMENT
)

// Offload is what a frame's maker leaves to the device, or the device to the stack.
// Positions count in bytes from the beginning of the frame.
type Offload struct {
	// NeedsChecksum: the checksum of what begins at ChecksumStart is missing. In its
	// field, ChecksumOffset bytes further, stands the sum of the pseudo-header alone,
	// not complemented. Such a frame that was received never was on a wire: it can
	// be taken to be intact.
	NeedsChecksum                 bool
	ChecksumStart, ChecksumOffset uint16
	// ChecksumValid: the device has verified the transport's checksum. Only of
	// frames that were received.
	ChecksumValid bool

	// GSO says what the frame is to be cut into; GSOSize is the payload of each
	// segment and GSOHeader the length of all headers, Ethernet to transport. A
	// received one's GSOHeader is only a hint. A frame with GSO has NeedsChecksum.
	GSO       GSO
	GSOSize   uint16
	GSOHeader uint16
	// ECN: the first segment has the flag CWR, and the others must not have it.
	ECN bool
}

// Frame is an Ethernet frame to be sent, without the checksum at its end.
type Frame struct {
	Data [][]byte // its bytes, in order; the header may be a part of its own
	Offload
	// Owner, if not nil, is told when nobody reads Data any more.
	Owner Owner
}

// Len is the length of the frame in bytes.
func (f *Frame) Len() (n int) {
	for _, p := range f.Data {
		n += len(p)
	}
	return n
}

// Owner is whose memory a frame lies in. Release is called exactly once, from any
// goroutine; it must not wait, nor call the device.
type Owner interface{ Release() }

// Buffer is memory of the stack for a frame that is received.
type Buffer interface {
	// Bytes is the memory, always the same, on the Go heap.
	Bytes() []byte
	// Release gives it back.
	Release()
}

// Part is what a frame has of a buffer: Len bytes from Offset on.
type Part struct {
	Buffer      Buffer
	Offset, Len int
}

// Bytes returns that.
func (p Part) Bytes() []byte { return p.Buffer.Bytes()[p.Offset : p.Offset+p.Len] }

// Received is a frame from the device: HeaderLen bytes at least and MaxFrame at
// most. Its first part has the whole Ethernet header.
type Received struct {
	Parts []Part
	Offload
}

// Len is the length of the frame in bytes.
func (r *Received) Len() (n int) {
	for _, p := range r.Parts {
		n += p.Len
	}
	return n
}

// Release gives the buffers back.
func (r *Received) Release() {
	for _, p := range r.Parts {
		p.Buffer.Release()
	}
}

// Stack is what a device needs of the one above it. Calls come from goroutines of
// the device, Receive from one for each queue.
type Stack interface {
	// Alloc returns a buffer of size bytes.
	Alloc(size int) Buffer
	// Receive takes frames, whose buffers are the stack's again. The slices are the
	// device's, and hold until it returns.
	Receive(queue int, frames []Received)
	// LinkChanged says that the link has come up or gone down.
	LinkChanged(up bool)
	// Announce asks the stack to tell its addresses to the network, for the machine
	// is at another place than before (gratuitous ARP, unsolicited neighbour
	// advertisements). It returns when that has been sent.
	Announce()
}

// Offloads is what a device does for a stack.
type Offloads struct {
	Checksum bool // sends frames with NeedsChecksum
	TSO4     bool // with GSOTCPv4,
	TSO6     bool // with GSOTCPv6,
	USO      bool // with GSOUDP,
	ECN      bool // and with ECN

	// ReceiveChecksum: received frames may have NeedsChecksum or ChecksumValid.
	ReceiveChecksum bool
	// ReceiveGSO: they may be longer than the MTU, put together of several.
	ReceiveGSO bool
}

// Stats are counters since the device was opened. A frame that is segmented counts
// once.
type Stats struct {
	RxFrames, RxBytes, RxErrors, RxDropped uint64
	TxFrames, TxBytes, TxErrors, TxDropped uint64
}

// Filter says which frames a device is to deliver, besides those to its own address
// and to everybody. A device may deliver more.
type Filter struct {
	Promiscuous  bool      // all
	AllMulticast bool      // to any group
	Addresses    []Address // to one of these, groups or not
}

// Device is a network interface card. It is safe for concurrent use.
type Device interface {
	// Name names the device for messages.
	Name() string
	// Address is the address of the card.
	Address() Address
	// MTU is the largest payload of a frame that is not segmented, without the
	// Ethernet header, in bytes.
	MTU() int
	// Offloads is what the device does for frames.
	Offloads() Offloads
	// Queues is how many queues there are in each direction. Frames of one
	// connection belong into one queue: the device sends what it receives for a
	// connection to the queue that sent last for it.
	Queues() int
	// Link reports whether the link is up. What is sent on a link that is down is
	// lost.
	Link() bool

	// Start has the device deliver what it receives to s. It is called once.
	Start(s Stack) error
	// Send puts frames into a queue, with one notification for all, and returns how
	// many it took, the first ones. They, and all that they lead to, must stay
	// unchanged until their owner has been told. It does not wait: where it took
	// fewer, the queue is full, and Room says when to try again. A frame that the
	// device cannot send (too long, or with an offload that it does not have) is
	// taken, counted and dropped. An error means that the device serves no more; all
	// frames are taken and dropped.
	Send(queue int, frames []Frame) (n int, err error)
	// Room delivers a value once a full queue has room again, or the device serves
	// no more. One may wait for each queue.
	Room(queue int) <-chan struct{}
	// SetFilter says what to deliver. A device that was never told delivers
	// everything.
	SetFilter(f Filter) error

	// Stats returns the counters.
	Stats() Stats
	// Close stops the device. It returns when no call of the stack runs any more and
	// the device touches no memory; every buffer and every frame has been released, but
	// for what a Send that runs meanwhile is about to release.
	Close() error
}
