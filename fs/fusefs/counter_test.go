package fusefs

import (
	"bytes"
	"fmt"
	"sync"
	"testing"

	"github.com/yolkos/yolk/fs/fusefs/fuse"
)

// counter is a Transport in front of another one that keeps the books of
// lookups and handles as a server would, and checks what the client sends.
type counter struct {
	fuse.Transport
	mu      sync.Mutex
	lookups map[uint64]int64 // by nodeid
	handles map[handleKey]int
	unique  map[uint64]bool // in flight
	ops     map[uint32]int
	plusSum int // READDIRPLUS entries counted
	faults  []string
	last    map[uint32][]byte // the last request of each operation
}

type handleKey struct {
	fh  uint64
	dir bool
}

func newCounter(t fuse.Transport) *counter {
	return &counter{
		Transport: t, lookups: map[uint64]int64{}, handles: map[handleKey]int{},
		unique: map[uint64]bool{}, ops: map[uint32]int{}, last: map[uint32][]byte{},
	}
}

func (c *counter) fault(format string, args ...any) {
	c.faults = append(c.faults, fmt.Sprintf(format, args...))
}

func join(parts [][]byte) []byte { return bytes.Join(parts, nil) }

// begin checks a request and returns its header and arguments.
func (c *counter) begin(in [][]byte) (h fuse.InHeader, args []byte) {
	msg := join(in)
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := h.Decode(msg); err != nil {
		c.fault("request of %d bytes", len(msg))
		return
	}
	if int(h.Len) != len(msg) {
		c.fault("%s: len %d of %d bytes", fuse.OpName(h.Opcode), h.Len, len(msg))
	}
	if c.unique[h.Unique] {
		c.fault("%s: unique %d is in flight", fuse.OpName(h.Opcode), h.Unique)
	}
	c.unique[h.Unique] = true
	if h.Nodeid > fuse.FUSE_ROOT_ID && c.lookups[h.Nodeid] <= 0 {
		c.fault("%s of node %d, which is forgotten", fuse.OpName(h.Opcode), h.Nodeid)
	}
	c.ops[h.Opcode]++
	c.last[h.Opcode] = msg
	return h, msg[fuse.InHeaderSize:]
}

func (c *counter) RoundTrip(in, out [][]byte) (int, error) {
	h, args := c.begin(in)
	c.release(h.Opcode, args)
	n, err := c.Transport.RoundTrip(in, out)
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.unique, h.Unique)
	if err != nil {
		return n, err
	}
	reply := join(out)[:n]
	var o fuse.OutHeader
	if o.Decode(reply) == nil && o.Error == 0 {
		c.account(h.Opcode, reply[fuse.OutHeaderSize:])
	}
	return n, nil
}

// release books RELEASE and RELEASEDIR before the server may reuse the handle.
func (c *counter) release(op uint32, args []byte) {
	if op != fuse.FUSE_RELEASE && op != fuse.FUSE_RELEASEDIR {
		return
	}
	var in fuse.ReleaseIn
	in.Decode(args)
	c.mu.Lock()
	defer c.mu.Unlock()
	k := handleKey{in.Fh, op == fuse.FUSE_RELEASEDIR}
	if c.handles[k] == 0 {
		c.fault("%s of handle %d, which is not open", fuse.OpName(op), in.Fh)
	}
	c.handles[k]--
}

// account books a successful reply.
func (c *counter) account(op uint32, body []byte) {
	var e fuse.EntryOut
	var o fuse.OpenOut
	switch op {
	case fuse.FUSE_LOOKUP, fuse.FUSE_MKNOD, fuse.FUSE_MKDIR, fuse.FUSE_SYMLINK, fuse.FUSE_LINK:
		e.Decode(body)
		c.count(e.Nodeid)
	case fuse.FUSE_CREATE, fuse.FUSE_TMPFILE:
		e.Decode(body)
		c.count(e.Nodeid)
		o.Decode(body[fuse.EntryOutSize:])
		c.handles[handleKey{o.Fh, false}]++
	case fuse.FUSE_OPEN, fuse.FUSE_OPENDIR:
		o.Decode(body)
		c.handles[handleKey{o.Fh, op == fuse.FUSE_OPENDIR}]++
	case fuse.FUSE_READDIRPLUS:
		for len(body) > 0 {
			_, name, n, _ := fuse.ParseDirentplus(body, &e)
			if n == 0 {
				break
			}
			if !isDot(name) && e.Nodeid != 0 {
				c.count(e.Nodeid)
				c.plusSum++
			}
			body = body[n:]
		}
	}
}

func (c *counter) count(nodeid uint64) {
	if nodeid != 0 {
		c.lookups[nodeid]++
	}
}

func (c *counter) Send(in [][]byte) error {
	h, args := c.begin(in)
	c.mu.Lock()
	delete(c.unique, h.Unique)
	switch h.Opcode {
	case fuse.FUSE_FORGET:
		var f fuse.ForgetIn
		f.Decode(args)
		c.lookups[h.Nodeid] -= int64(f.Nlookup)
	case fuse.FUSE_BATCH_FORGET:
		var b fuse.BatchForgetIn
		b.Decode(args)
		args = args[fuse.BatchForgetInSize:]
		if len(args) != int(b.Count)*fuse.ForgetOneSize {
			c.fault("BATCH_FORGET of %d in %d bytes", b.Count, len(args))
		}
		for ; len(args) > 0; args = args[fuse.ForgetOneSize:] {
			var f fuse.ForgetOne
			f.Decode(args)
			c.lookups[f.Nodeid] -= int64(f.Nlookup)
		}
	}
	c.mu.Unlock()
	return c.Transport.Send(in)
}

// number returns how often op was sent.
func (c *counter) number(op uint32) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.ops[op]
}

// request returns the arguments of the last request of op.
func (c *counter) request(op uint32) []byte {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.last[op] == nil {
		return nil
	}
	return c.last[op][fuse.InHeaderSize:]
}

// check fails the test if anything is left open or counted.
func (c *counter) check(t testing.TB) {
	t.Helper()
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, f := range c.faults {
		t.Error(f)
	}
	for id, n := range c.lookups {
		if n != 0 {
			t.Errorf("node %d: %d lookups not forgotten", id, n)
		}
	}
	for k, n := range c.handles {
		if n != 0 {
			t.Errorf("handle %+v: %d opens not released", k, n)
		}
	}
}
