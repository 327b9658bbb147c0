package trace

import (
	"bytes"
	"testing"

	"github.com/yolkos/yolk/kernel/trace/wire"
)

// guest writes a stream as a guest does. Its counter counts nanoseconds.
type guest struct {
	stream []byte
	round  map[uint16][]byte // events of the next round, by CPU
	now    uint64
	g      uint64
	cpu    uint16
}

const bootCounter = 1000 // when the guest boots

func newGuest() *guest {
	g := &guest{stream: []byte(wire.Magic), round: map[uint16][]byte{}, now: bootCounter, g: 1}
	for n, name := range map[uint32]string{257: "openat", 5: "fstat", 0: "read", 3: "close", 17: "pread64", 262: "newfstatat", 263: "unlinkat", 32: "dup", 500: "wait"} {
		g.name(wire.CallNames, n, name)
	}
	for n, name := range map[uint32]string{1: "LOOKUP", 14: "OPEN", 15: "READ", 18: "RELEASE", 44: "READDIRPLUS"} {
		g.name(wire.FuseNames, n, name)
	}
	g.name(wire.DeviceNames, 0, "virtiofs (virtio-test 0)")
	g.name(wire.DeviceNames, 1, "console (virtio-test 1)")
	g.name(wire.ShareNames, 0, "root")
	g.name(wire.LeftNames, 1, "runnable")
	g.name(wire.LeftNames, 2, "ended")
	g.name(wire.LeftNames, 20, "chan receive")
	return g
}

func (g *guest) frame(h wire.Header, data []byte) {
	h.Size = uint32(len(data))
	g.stream = append(h.AppendTo(g.stream), data...)
}

func (g *guest) name(space, number uint32, name string) {
	g.frame(wire.Header{Type: wire.FrameName, Value: uint64(space)<<32 | uint64(number)}, []byte(name))
}

// put notes an event, ten microseconds after the last one.
func (g *guest) put(k wire.Kind, flags uint8, op, errno uint16, a, b, c uint64, name string) {
	g.now += 10_000
	slots := make([]byte, wire.Slots(len(name))*wire.SlotSize)
	wire.PutHead((*[wire.SlotSize]byte)(slots), g.now, g.g, wire.Word(k, flags, op, errno), a, b, c, len(name))
	copy(slots[wire.NameAt:], name)
	g.round[g.cpu] = append(g.round[g.cpu], slots...)
}

func (g *guest) call(op uint16, a, b, c uint64, name string) {
	g.put(wire.Call, 0, op, 0, a, b, c, name)
}
func (g *guest) result(op, errno uint16, r uint64) {
	g.put(wire.Call, wire.End, op, errno, r, 0, 0, "")
}

// send sends a round.
func (g *guest) send(lost uint64) {
	clock := wire.Clock{Base: bootCounter, Scale: 1 << 32, Wall: 1e18 + int64(g.now-bootCounter)}
	g.frame(wire.Header{Type: wire.FrameClock, Value: g.now}, clock.AppendTo(nil))
	for cpu := range uint16(4) {
		g.frame(wire.Header{Type: wire.FrameEvents, CPU: cpu, Value: lost}, g.round[cpu])
		delete(g.round, cpu)
	}
	g.frame(wire.Header{Type: wire.FrameRound, Value: g.now}, nil)
}

// request is a FUSE request of the running goroutine that waits for its reply: the device is told, works, interrupts, and
// the goroutine goes on on another CPU.
func (g *guest) request(flags uint8, op uint16, node, unique, off uint64, name string, entry uint64, errno uint16) {
	g.put(wire.Fuse, flags, op, 0, node, unique|60<<32, off, name)
	g.put(wire.Notify, 0, 1, 0, 0, 1, 0, "")
	g.put(wire.Notify, wire.End, 1, 0, 0, 1, 0, "")
	g.cpu = 1 - g.cpu
	was := g.g
	g.g = 9
	g.put(wire.Interrupt, wire.Single, 0, 0, 0, uint64(1), 0, "")
	g.g = was
	g.put(wire.Fuse, flags|wire.End, op, errno, entry, unique|120<<32, 0, "")
}

const (
	atFDCWD  = ^uint64(99)
	cloexec  = 0x80000
	unixNone = 2 // ENOENT
)

// readFile is what os.ReadFile of a file in the root does.
func (g *guest) readFile() {
	g.call(257, atFDCWD, cloexec, 0, "/etc/hosts")
	g.request(0, 1, 1, 2, 0, "etc", 5, 0)
	g.request(0, 1, 5, 4, 0, "hosts", 6, 0)
	g.request(0, 14, 6, 6, 0, "", 0, 0)
	g.result(257, 0, 3)
	g.call(5, 3, 0, 0, "")
	g.result(5, 0, 0)
	g.call(0, 3, 512, 0, "")
	g.request(wire.Async, 15, 6, 8, 0, "", 0, 0)
	g.result(0, 0, 40)
	g.call(3, 3, 0, 0, "")
	g.put(wire.Fuse, wire.Async, 18, 0, 6, 10|64<<32, 0, "")
	g.result(3, 0, 0)
	g.g = 7
	g.put(wire.Fuse, wire.Async|wire.End, 18, 0, 0, 10|16<<32, 0, "")
	g.g = 1
}

// write has a Trace write the guest's stream, in pieces of n bytes.
func (g *guest) write(t testing.TB, format Format, filter string, n int) string {
	t.Helper()
	f, err := ParseFilter(filter)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	tr, err := New(&out, format, f)
	if err != nil {
		t.Fatal(err)
	}
	for b := g.stream; len(b) > 0; b = b[min(n, len(b)):] {
		if _, err := tr.Write(b[:min(n, len(b))]); err != nil {
			t.Fatal(err)
		}
	}
	if err := tr.Close(); err != nil {
		t.Fatal(err)
	}
	return out.String()
}
