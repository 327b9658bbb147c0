//go:build tamago

package trace

import (
	"sync"

	"github.com/yolkos/yolk/fs/fusefs/fuse"
	"github.com/yolkos/yolk/kernel/trace/ring"
	"github.com/yolkos/yolk/kernel/trace/wire"
)

// fuseTransport stands between a file system and its device.
type fuseTransport struct {
	fuse.Transport
	share uint16
}

// shares are the names of the transports, by their numbers. What is mounted again has
// another one; there are no more than fit an operation.
var shares struct {
	sync.Mutex
	names []string
}

// newShare numbers a transport.
func newShare(name string) uint16 {
	shares.Lock()
	defer shares.Unlock()
	if len(shares.names) < 256 {
		shares.names = append(shares.names, name)
	}
	n := uint16(len(shares.names) - 1)
	tr.names[wire.ShareNames].want(n)
	return n
}

func shareName(n int) string {
	shares.Lock()
	defer shares.Unlock()
	return shares.names[n]
}

// starter is one on which a goroutine can have several requests under way.
type starter struct {
	fuseTransport
	fuse.Starter
	fuse.Drainer
}

// newFuse returns what stands for t. That of a device can do all that the device's can; of another one
// what it can beyond RoundTrip and Send is not used.
func newFuse(t fuse.Transport) fuse.Transport {
	f := fuseTransport{t, newShare(t.Name())}
	s, ok := t.(fuse.Starter)
	d, drains := t.(fuse.Drainer)
	if !ok || !drains {
		return f
	}
	return starter{f, s, d}
}

// RoundTrip implements fuse.Transport.
func (f fuseTransport) RoundTrip(in, out [][]byte) (int, error) {
	if !tr.has(wire.Fuse) {
		return f.Transport.RoundTrip(in, out)
	}
	r := f.describe(in)
	r.begin(0)
	n, err := f.Transport.RoundTrip(in, out)
	r.end(0, out, n, err)
	return n, err
}

// Send implements fuse.Transport.
func (f fuseTransport) Send(in [][]byte) error {
	if tr.has(wire.Fuse) {
		r := f.describe(in)
		r.begin(wire.NoReply | wire.Single)
	}
	return f.Transport.Send(in)
}

// Start implements fuse.Starter.
func (s starter) Start(in, out [][]byte) (fuse.Pending, error) {
	return s.start(in, out, s.Starter.Start)
}

// Defer implements fuse.Starter.
func (s starter) Defer(in, out [][]byte) (fuse.Pending, error) {
	return s.start(in, out, s.Starter.Defer)
}

func (s starter) start(in, out [][]byte, start func(in, out [][]byte) (fuse.Pending, error)) (fuse.Pending, error) {
	if !tr.has(wire.Fuse) {
		return start(in, out)
	}
	r := s.describe(in)
	r.begin(wire.Async)
	p, err := start(in, out)
	if err != nil {
		r.end(wire.Async, out, 0, err)
		return nil, err
	}
	x := pendings.Get().(*pending)
	x.Pending, x.r, x.out = p, r, out
	return x, nil
}

// pending is a request under way.
type pending struct {
	fuse.Pending
	r   request
	out [][]byte
}

var pendings = sync.Pool{New: func() any { return new(pending) }}

// Wait implements fuse.Pending.
func (p *pending) Wait() (int, error) {
	n, err := p.Pending.Wait()
	p.r.end(wire.Async, p.out, n, err)
	*p = pending{}
	pendings.Put(p)
	return n, err
}

// request is what is noted of a FUSE request.
type request struct {
	op     uint16
	node   uint64
	unique uint64 // with the bytes of the request in the upper half
	off    uint64
	name   []byte
}

// describe finds that in a request.
func (f fuseTransport) describe(in [][]byte) (r request) {
	size := 0
	for _, p := range in {
		size += len(p)
	}
	var h fuse.InHeader
	if len(in) == 0 || h.Decode(in[0]) != nil {
		return r
	}
	r.op, r.node = uint16(h.Opcode)&0xff|f.share<<8, h.Nodeid
	r.unique = h.Unique&(1<<32-1) | uint64(size)<<32
	args := in[0][fuse.InHeaderSize:]
	if len(in) > 1 {
		args = in[1]
	}
	r.name, r.off = arguments(h.Opcode, args)
	tr.names[wire.FuseNames].want(r.op & 0xff)
	return r
}

func (r *request) begin(flags uint8) {
	if ring.State.Load()&ring.Crowded != 0 {
		tr.crowded()
	}
	ring.NoteBytes(wire.Word(wire.Fuse, flags, r.op, 0), r.node, r.unique, r.off, r.name)
}

// end notes the reply in out, n bytes as the device says.
func (r *request) end(flags uint8, out [][]byte, n int, err error) {
	node, errno := uint64(0), uint16(0)
	var h fuse.OutHeader
	switch {
	case err != nil:
		n, errno = 0, ioError
	case n >= fuse.OutHeaderSize && len(out) > 0 && h.Decode(out[0]) == nil:
		errno = uint16(-h.Error)
		if h.Error == 0 {
			node = entry(r.op&0xff, out[0][fuse.OutHeaderSize:])
			if r.op&0xff == fuse.FUSE_READDIRPLUS && len(out) > 1 {
				entries(out[1][:min(n-fuse.OutHeaderSize, len(out[1]))], r.entry)
			}
		}
	}
	ring.Note(wire.Word(wire.Fuse, flags|wire.End, r.op, errno), node, r.unique&(1<<32-1)|uint64(n)<<32, 0)
}

// entry notes an entry of the directory that the request reads.
func (r *request) entry(node uint64, name []byte) {
	ring.NoteBytes(wire.Word(wire.Fuse, wire.Single|wire.Entry, r.op, 0), node, 0, r.node, name)
}

// ioError is EIO, by which the kernel tells that a device failed.
const ioError = 5
