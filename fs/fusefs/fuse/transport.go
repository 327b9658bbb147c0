// Package fuse holds the messages of the FUSE protocol, version 7.41, under the
// names that linux/fuse.h gives them, and the Transport that carries them.
//
// Every structure encodes with AppendTo and decodes with Decode, which checks
// the length. Names, directory entries and other bytes that a server sends are
// checked where they are parsed; nothing here panics on foreign bytes.
package fuse

import "syscall"

// Transport carries FUSE messages between the client and one server: a
// virtio-fs device in a guest, a FUSE server in the same process in tests.
// It is safe for concurrent use; many requests may be in flight.
type Transport interface {
	// Name names the device for messages, such as "virtiofs root (virtio-pci 00:02.0)".
	Name() string
	// RoundTrip sends the request that the parts of in form together and waits
	// for its reply, which the server writes into the parts of out, in order.
	// It returns how many bytes the server says that it wrote, at most the sum
	// of len(out). A nil error says only that a reply came; it is the caller
	// who checks it. The parts must stay unchanged and alive until it returns.
	// It never returns while the device can still write into out.
	RoundTrip(in, out [][]byte) (n int, err error)
	// Send sends a message that has no reply (FORGET, BATCH_FORGET) with high
	// priority and may return before the server has read it; the parts belong
	// to the transport from then on.
	Send(in [][]byte) error
}

// ErrServerEnded is wrapped by the errors of a Transport whose server is gone. It
// wraps EIO.
var ErrServerEnded error = serverEnded{}

type serverEnded struct{}

func (serverEnded) Error() string { return "the file server has ended" }
func (serverEnded) Unwrap() error { return syscall.EIO }

// Drainer is a Transport that knows when the server has done with messages that
// have no reply.
type Drainer interface {
	// Drain waits for the messages sent so far, but not for ever.
	Drain()
}

// Starter is a Transport on which one goroutine can have several requests
// under way.
type Starter interface {
	// Start is the first half of RoundTrip: it sends the request, for which it
	// waits at most for room. The parts must stay unchanged and alive until the
	// reply is taken.
	Start(in, out [][]byte) (Pending, error)
	// Defer is Start for a request that can wait: the server sees it with the
	// next request or at Flush, and Done delivers after another request or a
	// Flush that finds the reply. Wait ends its patience.
	Defer(in, out [][]byte) (Pending, error)
	// Flush has the server see what was deferred, and takes the replies that
	// are there.
	Flush()
	// Depth is how many requests there may be whose reply nobody has begun to
	// wait for. With more, Start may wait for ever.
	Depth() int
}

// Pending is a request under way. Its reply is taken exactly once, by Wait.
type Pending interface {
	// Wait waits for the reply, as the second half of RoundTrip.
	Wait() (n int, err error)
	// Done holds a value once the reply is there and Wait will not wait; for
	// those who are in no hurry.
	Done() <-chan struct{}
}

// Windowed is a Transport whose device has a window of shared memory, into
// which the server maps parts of files (virtio 1.2 §5.11.4, shared memory id
// 0). Window returns all of it, or nil.
type Windowed interface {
	Window() []byte
}
