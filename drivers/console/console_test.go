package console

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"io/fs"
	"math/rand/v2"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/yolkos/yolk/drivers/virtio"
	"github.com/yolkos/yolk/drivers/virtio/virtiotest"
)

// The simulated device takes its time when the machine is busy.
func init() { settleTime = 2 * time.Second }

// host is the device's side: ports that a test reads and writes.
type host struct {
	*virtiotest.Device
	names map[uint32]string // ports, "" has no name
	open  map[uint32]bool   // host side open from the beginning
	extra [][]byte          // control messages sent after DEVICE_READY
	late  bool              // tells of the ports later

	mu       sync.Mutex
	chains   map[int][]*virtiotest.Chain // receive buffers by queue
	pending  map[int][]byte              // data that waits for buffers
	letters  [][]byte                    // control messages that wait for buffers
	got      map[int]*bytes.Buffer       // by transmit queue
	stalled  bool                        // takes no data
	held     []*virtiotest.Chain
	guest    map[uint32]bool // guest side open
	hangUp   map[uint32]bool // ports to be closed once all data is sent
	notReady []uint32
}

func message(id uint32, event, value uint16, more string) []byte {
	m := binary.LittleEndian.AppendUint32(nil, id)
	m = binary.LittleEndian.AppendUint16(m, event)
	m = binary.LittleEndian.AppendUint16(m, value)
	return append(m, more...)
}

func newHost(mem *virtiotest.Memory, ports uint32, names map[uint32]string) *host {
	sizes := make([]int, 4+2*ports)
	for i := range sizes {
		sizes[i] = 128
	}
	h := &host{
		Device: virtiotest.New(mem, virtio.DeviceConsole, featureMultiport|virtio.FeatureIndirectDesc|virtio.FeatureEventIdx, sizes...),
		names:  names, open: map[uint32]bool{},
		chains: map[int][]*virtiotest.Chain{}, pending: map[int][]byte{}, got: map[int]*bytes.Buffer{}, guest: map[uint32]bool{}, hangUp: map[uint32]bool{},
	}
	h.ConfigSpace = make([]byte, 12)
	binary.LittleEndian.PutUint32(h.ConfigSpace[4:], ports)
	h.Serve = h.serve
	for id := range names {
		h.open[id] = true
	}
	return h
}

func receiveQueue(id uint32) int {
	if id == 0 {
		return 0
	}
	return int(2*id + 2)
}

func (h *host) serve(c *virtiotest.Chain) {
	h.mu.Lock()
	defer h.mu.Unlock()
	switch {
	case c.Queue == 3:
		m := bytes.Join(c.Read, nil)
		h.control(m)
		c.Done(0)
	case c.Queue%2 == 0:
		h.chains[c.Queue] = append(h.chains[c.Queue], c)
		h.flush()
	case h.stalled:
		h.held = append(h.held, c)
	default:
		h.take(c)
	}
}

func (h *host) take(c *virtiotest.Chain) {
	if h.got[c.Queue] == nil {
		h.got[c.Queue] = new(bytes.Buffer)
	}
	for _, r := range c.Read {
		h.got[c.Queue].Write(r)
	}
	c.Done(0)
}

// control answers a control message before it is given back, like QEMU.
func (h *host) control(m []byte) {
	id, event, value := binary.LittleEndian.Uint32(m), binary.LittleEndian.Uint16(m[4:]), binary.LittleEndian.Uint16(m[6:])
	switch event {
	case eventDeviceReady:
		tell := func() {
			for id := range h.names {
				h.letters = append(h.letters, message(id, eventDeviceAdd, 1, ""))
			}
			h.letters = append(h.letters, h.extra...)
			h.flush()
		}
		if h.late {
			go func() {
				time.Sleep(5 * time.Millisecond)
				h.mu.Lock()
				defer h.mu.Unlock()
				tell()
			}()
			return
		}
		tell()
	case eventPortReady:
		if value == 0 {
			h.notReady = append(h.notReady, id)
			return
		}
		if name := h.names[id]; name != "" {
			h.letters = append(h.letters, message(id, eventPortName, 1, name+"\x00"))
		}
		if h.open[id] {
			h.letters = append(h.letters, message(id, eventPortOpen, 1, ""))
		}
		h.flush()
	case eventPortOpen:
		h.guest[id] = value != 0
	}
}

func (h *host) flush() {
	for q, data := range h.pending {
		for len(data) > 0 && len(h.chains[q]) > 0 {
			c := h.chains[q][0]
			h.chains[q] = h.chains[q][1:]
			n := c.Put(0, data)
			c.Done(n)
			data = data[n:]
		}
		h.pending[q] = data
	}
	for id := range h.hangUp {
		if len(h.pending[receiveQueue(id)]) == 0 {
			delete(h.hangUp, id)
			h.letters = append(h.letters, message(id, eventPortOpen, 0, ""))
		}
	}
	for len(h.letters) > 0 && len(h.chains[2]) > 0 {
		c := h.chains[2][0]
		h.chains[2] = h.chains[2][1:]
		c.Done(c.Put(0, h.letters[0]))
		h.letters = h.letters[1:]
	}
}

// close closes the host's end after everything that was sent.
func (h *host) close(id uint32) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.hangUp[id] = true
	h.flush()
}

func (h *host) send(id uint32, data []byte) {
	h.mu.Lock()
	defer h.mu.Unlock()
	q := receiveQueue(id)
	h.pending[q] = append(h.pending[q], data...)
	h.flush()
}

func (h *host) letter(m []byte) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.letters = append(h.letters, m)
	h.flush()
}

func (h *host) received(id uint32) []byte {
	h.mu.Lock()
	defer h.mu.Unlock()
	if b := h.got[receiveQueue(id)+1]; b != nil {
		return bytes.Clone(b.Bytes())
	}
	return nil
}

var streams = map[uint32]string{1: "yolk.stdin", 2: "yolk.stdout", 3: "yolk.stderr"}

func open(t *testing.T, h *host, mem *virtiotest.Memory) *Console {
	t.Helper()
	c, err := OpenFunc(h, mem, func(err error) { t.Log("told:", err) })
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		c.Close()
		for _, f := range h.Faults() {
			t.Error("the driver broke a rule:", f)
		}
		if s := mem.Stats(); s.InUse != 0 || s.Wrong != 0 {
			t.Errorf("memory: %+v", s)
		}
	})
	return c
}

func port(t *testing.T, c *Console, name string) *Port {
	t.Helper()
	p, ok := c.Port(name)
	if !ok || p.Name() != name {
		t.Fatalf("no port %q, but %q", name, c.Ports())
	}
	return p
}

func within(t *testing.T, what string, f func()) {
	t.Helper()
	done := make(chan struct{})
	go func() { defer close(done); f() }()
	select {
	case <-done:
	case <-time.After(time.Minute):
		t.Fatalf("%s takes for ever", what)
	}
}

func TestPorts(t *testing.T) {
	mem := virtiotest.NewMemory(1 << 20)
	h := newHost(mem, 31, streams)
	c := open(t, h, mem)
	port(t, c, "yolk.stdin")
	out := port(t, c, "yolk.stdout")
	port(t, c, "yolk.stderr").Close()
	if got := strings.Join(c.Ports(), " "); got != "yolk.stdin yolk.stdout yolk.stderr" {
		t.Errorf("ports %s", got)
	}
	for _, name := range []string{"", "yolk", "yolk.stdin\x00"} {
		if _, ok := c.Port(name); ok {
			t.Errorf("there is no port %q", name)
		}
	}
	h.mu.Lock()
	if !h.guest[1] || !h.guest[2] || h.guest[3] {
		t.Errorf("open at this end: %v, want 1 and 2", h.guest)
	}
	h.mu.Unlock()
	if err := out.Close(); err != nil {
		t.Error(err)
	}
	if _, err := out.Write([]byte("x")); !errors.Is(err, fs.ErrClosed) {
		t.Errorf("write after close: %v", err)
	}
	if _, err := out.Read(make([]byte, 1)); !errors.Is(err, fs.ErrClosed) {
		t.Errorf("read after close: %v", err)
	}
	h.mu.Lock()
	if h.guest[2] {
		t.Error("the host was not told of the close")
	}
	h.mu.Unlock()
	// It can be opened again.
	if _, err := port(t, c, "yolk.stdout").Write([]byte("x")); err != nil {
		t.Error(err)
	}
}

// The device tells of its ports later than usual.
func TestPortsLate(t *testing.T) {
	mem := virtiotest.NewMemory(1 << 20)
	h := newHost(mem, 4, streams)
	h.late = true
	c := open(t, h, mem)
	port(t, c, "yolk.stderr")
}

// All bytes pass in both directions, in order, whatever the sizes.
func TestTransfer(t *testing.T) {
	for _, bounce := range []bool{false, true} {
		mem := virtiotest.NewMemory(1 << 20)
		mem.Bounce = bounce
		h := newHost(mem, 4, streams)
		c := open(t, h, mem)
		in, out := port(t, c, "yolk.stdin"), port(t, c, "yolk.stdout")
		data := make([]byte, 3<<20+17)
		r := rand.New(rand.NewPCG(1, 1))
		for i := range data {
			data[i] = byte(r.Uint32())
		}
		within(t, "writing", func() {
			for b := data; len(b) > 0; {
				n := min(len(b), 1+r.IntN(2<<20))
				if k, err := out.Write(b[:n]); k != n || err != nil {
					t.Fatal(k, err)
				}
				b = b[n:]
			}
		})
		if !bytes.Equal(h.received(2), data) {
			t.Errorf("bounce %v: the host received something else", bounce)
		}
		within(t, "reading", func() {
			go func() {
				for b := data; len(b) > 0; {
					n := min(len(b), 1+rand.IntN(100_000))
					h.send(1, b[:n])
					b = b[n:]
				}
				h.close(1)
			}()
			var got []byte
			buf := make([]byte, 10_000)
			for {
				n, err := in.Read(buf[:1+r.IntN(len(buf))])
				got = append(got, buf[:n]...)
				if err == io.EOF {
					break
				}
				if err != nil {
					t.Fatal(err)
				}
			}
			if !bytes.Equal(got, data) {
				t.Errorf("bounce %v: read something else (%d bytes of %d)", bounce, len(got), len(data))
			}
		})
	}
}

// End of file comes after the data, even when the news of it comes first.
func TestEOF(t *testing.T) {
	for range 50 {
		mem := virtiotest.NewMemory(1 << 20)
		h := newHost(mem, 4, streams)
		c := open(t, h, mem)
		in := port(t, c, "yolk.stdin")
		h.send(1, []byte("x"))
		if b, err := in.Read(make([]byte, 10)); b != 1 || err != nil {
			t.Fatal(b, err)
		}
		h.send(1, []byte("last words"))
		h.close(1)
		within(t, "reading", func() {
			got, err := io.ReadAll(in)
			if string(got) != "last words" || err != nil {
				t.Errorf("%q, %v", got, err)
			}
		})
		if n, err := in.Read(make([]byte, 1)); n != 0 || err != io.EOF {
			t.Errorf("once more: %d, %v", n, err)
		}
		// The host comes back.
		h.letter(message(1, eventPortOpen, 1, ""))
		h.send(1, []byte("again"))
		within(t, "reading", func() {
			b := make([]byte, 5)
			for n := 0; n < 5; {
				k, err := in.Read(b[n:])
				if n += k; err != nil && err != io.EOF {
					t.Fatal(err)
				}
			}
			if string(b) != "again" {
				t.Errorf("%q", b)
			}
		})
		c.Close()
	}
}

// Read waits for data, for the end, and for Close.
func TestReadWaits(t *testing.T) {
	mem := virtiotest.NewMemory(1 << 20)
	h := newHost(mem, 4, streams)
	delete(h.open, 3)
	c := open(t, h, mem)
	in, never := port(t, c, "yolk.stdin"), port(t, c, "yolk.stderr")
	result := make(chan error, 1)
	read := func(p *Port) {
		go func() {
			_, err := p.Read(make([]byte, 1))
			result <- err
		}()
		select {
		case err := <-result:
			t.Fatalf("read returned without data: %v", err)
		case <-time.After(10 * time.Millisecond):
		}
	}
	expect := func(what string, want error) {
		t.Helper()
		select {
		case err := <-result:
			if !errors.Is(err, want) {
				t.Errorf("%s: %v, want %v", what, err, want)
			}
		case <-time.After(time.Minute):
			t.Fatalf("%s: read waits for ever", what)
		}
	}
	read(in)
	h.send(1, []byte{1})
	expect("data", nil)
	read(in)
	h.close(1)
	expect("host closes", io.EOF)
	read(never) // nobody was at the other end yet: not the end
	never.Close()
	expect("close", fs.ErrClosed)
	never = port(t, c, "yolk.stderr")
	read(never)
	h.letter(message(3, eventDeviceRemove, 0, ""))
	expect("port removed", io.EOF)
	if n, err := in.Read(nil); n != 0 || err != nil {
		t.Errorf("empty read: %d, %v", n, err)
	}
}

func TestWriteWaits(t *testing.T) {
	mem := virtiotest.NewMemory(1 << 20)
	h := newHost(mem, 4, streams)
	c := open(t, h, mem)
	out := port(t, c, "yolk.stdout")
	h.mu.Lock()
	h.stalled = true
	h.mu.Unlock()
	done := make(chan error, 1)
	go func() {
		_, err := out.Write([]byte("hello"))
		done <- err
	}()
	select {
	case <-done:
		t.Fatal("write returned before the device took it")
	case <-time.After(20 * time.Millisecond):
	}
	h.mu.Lock()
	h.stalled = false
	for _, c := range h.held {
		h.take(c)
	}
	h.mu.Unlock()
	if err := <-done; err != nil || string(h.received(2)) != "hello" {
		t.Errorf("%v, %q", err, h.received(2))
	}
	h.close(2)
	within(t, "a closed host", func() {
		for {
			if _, err := out.Write([]byte("x")); err != nil {
				if !errors.Is(err, syscall.EPIPE) || !strings.Contains(err.Error(), "yolk.stdout") {
					t.Errorf("%v, want EPIPE", err)
				}
				return
			}
		}
	})
}

// Writes of several goroutines do not mix.
func TestWritesWhole(t *testing.T) {
	mem := virtiotest.NewMemory(1 << 20)
	mem.Bounce = true // so that each goes in several pieces
	h := newHost(mem, 4, streams)
	c := open(t, h, mem)
	out := port(t, c, "yolk.stdout")
	const size = 100_000
	var wg sync.WaitGroup
	for i := range 4 {
		wg.Add(1)
		go func() {
			defer wg.Done()
			if n, err := out.Write(bytes.Repeat([]byte{byte('a' + i)}, size)); n != size || err != nil {
				t.Error(n, err)
			}
		}()
	}
	wg.Wait()
	got := h.received(2)
	for i := 0; i < len(got); i += size {
		if len(bytes.Trim(got[i:i+size], string(got[i]))) > 0 {
			t.Error("two writes are mixed")
		}
	}
}

// TestWriteParts: parts follow each other whatever the device reaches, in one request where it reaches all.
func TestWriteParts(t *testing.T) {
	for _, bounce := range []bool{false, true} {
		mem := virtiotest.NewMemory(1 << 20)
		mem.Bounce = bounce
		h := newHost(mem, 4, streams)
		requests := 0
		h.Serve = func(c *virtiotest.Chain) {
			h.serve(c)
			if c.Queue == 7 { // yolk.stdout's
				requests++
			}
		}
		c := open(t, h, mem)
		out := port(t, c, "yolk.stdout")
		many := bytes.Repeat([]byte("m"), maxParts+1)
		var single [][]byte
		for i := range many {
			single = append(single, many[i:i+1])
		}
		large := bytes.Repeat([]byte("l"), writePiece)
		want := ""
		for _, parts := range [][][]byte{{nil, []byte("one"), {}, []byte("two")}, {}, {nil}, single, {large, []byte("x")}} {
			if err := out.WriteParts(parts...); err != nil {
				t.Fatal(err)
			}
			want += string(bytes.Join(parts, nil))
			if got := string(h.received(2)); got != want {
				t.Fatalf("bounce %t: %d bytes have come, want %d", bounce, len(got), len(want))
			}
			if len(parts) == 4 && requests != 1 && !bounce {
				t.Errorf("%d requests for small parts, want one", requests)
			}
		}
		h.close(2)
		within(t, "a closed host", func() {
			for {
				if err := out.WriteParts([]byte("x"), []byte("y")); err != nil {
					if !errors.Is(err, syscall.EPIPE) || !strings.Contains(err.Error(), "yolk.stdout") {
						t.Errorf("%v, want EPIPE", err)
					}
					return
				}
			}
		})
	}
}

func TestWithoutMultiport(t *testing.T) {
	mem := virtiotest.NewMemory(1 << 20)
	h := newHost(mem, 0, nil)
	h.Features &^= featureMultiport
	h.QueueSizes = h.QueueSizes[:2]
	c := open(t, h, mem)
	p := port(t, c, "")
	if _, err := p.Write([]byte("out")); err != nil || string(h.received(0)) != "out" {
		t.Error(err)
	}
	h.send(0, []byte("in"))
	b := make([]byte, 10)
	if n, err := p.Read(b); string(b[:n]) != "in" || err != nil {
		t.Errorf("%q, %v", b[:n], err)
	}
	p.Close()
}

// What is malformed is told, and nothing else happens.
func TestBadControl(t *testing.T) {
	mem := virtiotest.NewMemory(1 << 20)
	h := newHost(mem, 12, map[uint32]string{1: "yolk.stdin", 9: "too many", 0: ""})
	h.extra = [][]byte{
		{}, {1, 0, 0, 0, 6, 0, 0},
		message(12, eventPortOpen, 1, ""), message(0xffffffff, eventDeviceAdd, 1, ""),
		message(1, 99, 1, ""), message(10, eventPortName, 1, "x"), message(5, eventPortName, 1, "never added"),
		message(0, eventConsolePort, 1, ""), message(1, eventResize, 0, "\x50\x00\x19\x00"),
		message(1, eventPortName, 1, strings.Repeat("n", 1000)), message(1, eventPortName, 1, "yolk.stdin"),
	}
	told := make(chan string, 100)
	c, err := OpenFunc(h, mem, func(err error) {
		if !errors.Is(err, syscall.EIO) {
			t.Error(err)
		}
		told <- err.Error()
	})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	for i := range 5 {
		select {
		case m := <-told:
			if !strings.HasPrefix(m, "virtio-test 0: control message: ") {
				t.Error(m)
			}
		case <-time.After(time.Minute):
			t.Fatalf("told of %d malformed messages, want 5", i)
		}
	}
	port(t, c, "yolk.stdin")
	within(t, "taking in the rest", func() {
		for got := []string(nil); len(got) != 1 || got[0] != "yolk.stdin"; got = c.Ports() {
			time.Sleep(time.Millisecond)
		}
	})
	if len(told) > 0 {
		t.Errorf("told of %q as well", <-told)
	}
	h.mu.Lock()
	if len(h.notReady) != 1 || h.notReady[0] != 9 {
		t.Errorf("ports refused: %v, want 9", h.notReady)
	}
	h.mu.Unlock()
}

func TestOpenRefuses(t *testing.T) {
	for _, tt := range []struct {
		change func(h *host)
		want   string
	}{
		{func(h *host) { h.ID = 26 }, "device ID"},
		{func(h *host) { clear(h.ConfigSpace) }, "max_nr_ports"},
		{func(h *host) { h.QueueSizes = h.QueueSizes[:5] }, "queue 5 (transmit 1)"},
		{func(h *host) { h.Features &^= virtio.FeatureVersion1 }, "VERSION_1"},
	} {
		mem := virtiotest.NewMemory(1 << 20)
		h := newHost(mem, 4, streams)
		tt.change(h)
		if c, err := Open(h, mem); err == nil || !strings.Contains(err.Error(), tt.want) || !strings.Contains(err.Error(), "virtio-test 0") {
			t.Errorf("%v, want one that names %q", err, tt.want)
			if err == nil {
				c.Close()
			}
		}
		if n := mem.Stats().InUse; n != 0 {
			t.Errorf("%d bytes leaked", n)
		}
	}
}

// A failed device ends all that waits, with EIO.
func TestFailure(t *testing.T) {
	mem := virtiotest.NewMemory(1 << 20)
	h := newHost(mem, 4, streams)
	c := open(t, h, mem)
	in, out := port(t, c, "yolk.stdin"), port(t, c, "yolk.stdout")
	done := make(chan error, 1)
	go func() {
		_, err := in.Read(make([]byte, 1))
		done <- err
	}()
	time.Sleep(5 * time.Millisecond)
	h.NeedReset()
	within(t, "failing", func() {
		if err := <-done; !errors.Is(err, syscall.EIO) || !strings.Contains(err.Error(), "DEVICE_NEEDS_RESET") {
			t.Error(err)
		}
		if _, err := out.Write([]byte{1}); !errors.Is(err, syscall.EIO) {
			t.Error(err)
		}
		if _, err := in.Read(make([]byte, 1)); !errors.Is(err, syscall.EIO) {
			t.Error(err)
		}
	})
}

// A length that cannot be fails one read.
func TestBadLength(t *testing.T) {
	mem := virtiotest.NewMemory(1 << 20)
	h := newHost(mem, 4, streams)
	first := true
	h.Tamper = func(q int, u *virtiotest.UsedElement) {
		if q == receiveQueue(1) && first {
			u.Len, first = 5000, false
		}
	}
	c := open(t, h, mem)
	in := port(t, c, "yolk.stdin")
	h.send(1, []byte("lost"))
	b := make([]byte, 10)
	if n, err := in.Read(b); n != 0 || !errors.Is(err, syscall.EIO) || !strings.Contains(err.Error(), "used length") {
		t.Errorf("%d, %v", n, err)
	}
	h.send(1, []byte("kept"))
	if n, err := in.Read(b); string(b[:n]) != "kept" || err != nil {
		t.Errorf("%q, %v", b[:n], err)
	}
}

func FuzzControl(f *testing.F) {
	f.Add(message(1, eventPortName, 1, "yolk.stdin"), message(1, eventPortOpen, 0, ""))
	f.Add([]byte{1}, message(0xffffffff, 0xffff, 0xffff, "\x00"))
	f.Fuzz(func(t *testing.T, one, two []byte) {
		mem := virtiotest.NewMemory(1 << 19)
		h := newHost(mem, 3, streams)
		h.names = map[uint32]string{1: "yolk.stdin"}
		h.extra = [][]byte{one, two, one}
		c, err := Open(h, mem)
		if err != nil {
			t.Fatal(err)
		}
		c.Ports()
		c.Close()
		for _, f := range h.Faults() {
			t.Error(f)
		}
	})
}
