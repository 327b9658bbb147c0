package virtionet

import (
	"bytes"
	"encoding/binary"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/yolkos/yolk/drivers/nic"
	"github.com/yolkos/yolk/drivers/virtio"
	"github.com/yolkos/yolk/drivers/virtio/virtiotest"
)

var address = nic.Address{0x52, 0x54, 0, 0x12, 0x34, 0x56}

const everything = features | virtio.FeatureEventIdx | virtio.FeatureIndirectDesc

// device is the other side: it keeps the driver's receive buffers until deliver, and
// what is sent.
type device struct {
	*virtiotest.Device
	mem *virtiotest.Memory

	mu       sync.Mutex
	room     sync.Cond
	buffers  map[int][]*virtiotest.Chain // by queue
	hold     bool                        // what is sent is not used
	held     []*virtiotest.Chain
	sent     chan sent
	commands [][]byte
	answer   func(command []byte, c *virtiotest.Chain) // nil: success
}

type sent struct {
	queue  int
	header header
	data   []byte
}

func newDevice(offered uint64, pairs int) *device {
	mem := virtiotest.NewMemory(4 << 20)
	var sizes []int
	for range 2 * pairs {
		sizes = append(sizes, 256)
	}
	sizes = append(sizes, 64)
	d := &device{Device: virtiotest.New(mem, virtio.DeviceNet, offered, sizes...), mem: mem,
		buffers: make(map[int][]*virtiotest.Chain), sent: make(chan sent, 4096)}
	d.room.L = &d.mu
	d.ConfigSpace = make([]byte, 24)
	copy(d.ConfigSpace, address[:])
	binary.LittleEndian.PutUint16(d.ConfigSpace[configStatus:], statusLinkUp)
	binary.LittleEndian.PutUint16(d.ConfigSpace[configMaxPairs:], uint16(pairs))
	binary.LittleEndian.PutUint16(d.ConfigSpace[configMTU:], 1500)
	d.Serve = func(c *virtiotest.Chain) {
		switch {
		case c.Queue == 2*pairs:
			d.obey(c)
		case c.Queue%2 == 0:
			d.mu.Lock()
			d.buffers[c.Queue] = append(d.buffers[c.Queue], c)
			d.room.Broadcast()
			d.mu.Unlock()
		default:
			d.take(c)
		}
	}
	return d
}

func (d *device) take(c *virtiotest.Chain) {
	b := bytes.Join(c.Read, nil)
	s := sent{queue: c.Queue, data: b}
	if len(b) >= headerSize {
		s.header.decode(b)
		s.data = b[headerSize:]
	}
	d.sent <- s
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.hold {
		d.held = append(d.held, c)
		return
	}
	c.Done(0)
}

// let gives back what was held, and holds no more.
func (d *device) let() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.hold = false
	for _, c := range d.held {
		c.Done(0)
	}
	d.held = nil
}

func (d *device) obey(c *virtiotest.Chain) {
	b := bytes.Join(c.Read, nil)
	d.mu.Lock()
	d.commands = append(d.commands, b)
	answer := d.answer
	d.mu.Unlock()
	if answer != nil {
		answer(b, c)
		return
	}
	if bytes.HasPrefix(b, commandAnnounce[:]) {
		d.ChangeConfig(func(config []byte) { config[configStatus] &^= statusAnnounce })
	}
	c.Put(0, []byte{ackOK})
	c.Done(1)
}

// buffer takes a receive buffer of the driver's.
func (d *device) buffer(queue int) *virtiotest.Chain {
	d.mu.Lock()
	defer d.mu.Unlock()
	for len(d.buffers[queue]) == 0 {
		d.room.Wait()
	}
	c := d.buffers[queue][0]
	d.buffers[queue] = d.buffers[queue][1:]
	return c
}

// deliver puts a frame into as many buffers as it takes, each up to most bytes.
func (d *device) deliver(queue int, h header, frame []byte, most int) {
	var chains []*virtiotest.Chain
	var pieces [][]byte
	rest := append(make([]byte, headerSize), frame...)
	for len(rest) > 0 {
		c := d.buffer(queue)
		n := min(len(c.Write[0]), len(rest), most)
		chains, pieces, rest = append(chains, c), append(pieces, rest[:n]), rest[n:]
	}
	h.numBuffers = uint16(len(chains))
	h.put(pieces[0])
	for i, c := range chains {
		c.Put(0, pieces[i])
		c.Done(len(pieces[i]))
	}
}

func (h *header) put(b []byte) {
	b[0], b[1] = h.flags, h.gsoType
	for i, v := range []uint16{h.hdrLen, h.gsoSize, h.csumStart, h.csumOffset, h.numBuffers} {
		binary.LittleEndian.PutUint16(b[2+2*i:], v)
	}
}

// raw has the device use a buffer with these bytes in it, and say that they are n.
func (d *device) raw(queue int, b []byte, n int) {
	c := d.buffer(queue)
	c.Put(0, b)
	c.Done(n)
}

// stack takes what the driver delivers, and counts buffers.
type stack struct {
	got      chan received
	out      atomic.Int64
	twice    atomic.Int64 // releases of what was released
	links    chan bool
	announce chan struct{}
	block    chan struct{} // not nil: the next Receive sends into it twice
	made     atomic.Int64  // buffers of the largest size
	largest  atomic.Int64
}

type received struct {
	queue, parts int
	data         []byte
	nic.Offload
}

type buffer struct {
	s    *stack
	b    []byte
	gone atomic.Bool
}

func (b *buffer) Bytes() []byte { return b.b }

func (b *buffer) Release() {
	if b.gone.Swap(true) {
		b.s.twice.Add(1)
		return
	}
	b.s.out.Add(-1)
}

func newStack() *stack {
	return &stack{got: make(chan received, 4096), links: make(chan bool, 256), announce: make(chan struct{}, 256)}
}

func (s *stack) Alloc(size int) nic.Buffer {
	s.out.Add(1)
	switch most := s.largest.Load(); {
	case int64(size) > most:
		s.largest.Store(int64(size))
		s.made.Store(1)
	case int64(size) == most:
		s.made.Add(1)
	}
	return &buffer{s: s, b: make([]byte, size)}
}

func (s *stack) Receive(queue int, frames []nic.Received) {
	if s.block != nil {
		s.block <- struct{}{}
		s.block <- struct{}{}
		s.block = nil
	}
	for i := range frames {
		var data []byte
		for _, p := range frames[i].Parts {
			data = append(data, p.Bytes()...)
		}
		s.got <- received{queue, len(frames[i].Parts), data, frames[i].Offload}
		frames[i].Release()
	}
}

func (s *stack) LinkChanged(up bool) { s.links <- up }
func (s *stack) Announce()           { s.announce <- struct{}{} }

func next[T any](t testing.TB, what string, c <-chan T) T {
	t.Helper()
	select {
	case v := <-c:
		return v
	case <-time.After(time.Minute):
		t.Fatal(what, "does not come")
	}
	panic("unreachable")
}

func eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	for begin := time.Now(); !ok(); time.Sleep(time.Millisecond) {
		if time.Since(begin) > time.Minute {
			t.Fatal(what, "does not come to be")
		}
	}
}

// open brings a device up and looks, after the test, whether everything has been given
// back.
func open(t testing.TB, d *device) (*Net, *stack) {
	t.Helper()
	n, err := Open(d, d.mem, nil)
	if err != nil {
		t.Fatal(err)
	}
	s := newStack()
	if err := n.Start(s); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		closed(t, n, d, s)
		for _, f := range d.Faults() {
			t.Error("the driver broke a rule:", f)
		}
	})
	return n, s
}

func closed(t testing.TB, n *Net, d *device, s *stack) {
	t.Helper()
	n.Close()
	if out, twice := s.out.Load(), s.twice.Load(); out != 0 || twice != 0 {
		t.Errorf("%d buffers were not released, %d twice", out, twice)
	}
	if m := d.mem.Stats(); m.InUse != 0 || m.Wrong != 0 {
		t.Errorf("memory: %+v", m)
	}
}

// pattern is a frame to address of n bytes, different for each seed.
func pattern(n, seed int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i*7 + seed*31 + i>>8)
	}
	copy(b, address[:])
	return b
}

type owner struct{ n atomic.Int32 }

func (o *owner) Release() { o.n.Add(1) }

func frame(b []byte, o nic.Offload) nic.Frame {
	k := min(len(b), nic.HeaderLen)
	return nic.Frame{Data: [][]byte{b[:k:k], b[k:]}, Offload: o, Owner: new(owner)}
}

func told(f nic.Frame) int { return int(f.Owner.(*owner).n.Load()) }

// cpus skips a test of more CPUs than there are.
func cpus(t *testing.T, n int) {
	if runtime.NumCPU() < n {
		t.Skipf("wants %d CPUs", n)
	}
}
